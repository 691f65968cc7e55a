"""wire: JSON-RPC on a WebSocket, plain or inside Socket.IO v5.

    c = wire.Client(port)                    # Socket.IO; Client(port, rpc=True) is the plain /rpc
    c.call("getQueue"); c.wait(lambda m, p: m == "setQueue")
"""
import json
import time

from websocket import Refused, Socket  # noqa: F401


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error)
        self.error, self.code, self.message = error, error["code"], error["message"]


class Client:
    def __init__(self, port, rpc=False, headers=(), host=None, path=None):
        self.rpc = rpc
        self.ws = Socket(port, path or ("/rpc" if rpc else "/socket.io/?EIO=4&transport=websocket"), [line.split(": ", 1) for line in headers], host=host)
        self.told, self.events, self.answers, self.frames, self.number = [], [], {}, [], 0
        if not rpc:
            self.hello = json.loads(self.ws.recv()[1:])
            self.ws.text("40")
            self.joined = self.ws.recv()

    def close(self):
        self.ws.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, text):
        self.ws.text(text if self.rpc else "42" + json.dumps(["message", text]))

    def _take(self, message):
        for one in message if isinstance(message, list) else [message]:
            if "method" in one:
                self.told.append(one)
            else:
                self.answers[one.get("id")] = one

    def step(self, timeout=30):
        text = self.ws.recv(timeout)
        self.frames.append(text)
        if self.rpc:
            self._take(json.loads(text))
        elif text == "2":
            self.ws.text("3")
        elif text.startswith("42"):
            event = json.loads(text[2:])
            if event[0] == "message":
                self._take(json.loads(event[1]))
            else:
                self.events.append(event)

    def answer(self, number):
        while number not in self.answers:
            self.step()
        return self.answers.pop(number)

    def call(self, method, **params):
        self.number += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, **({"params": params} if params else {})}))
        got = self.answer(self.number)
        if "error" in got:
            raise RpcError(got["error"])
        return got["result"]

    def wait(self, what, seconds=60):
        """The first notification, of those heard and to come, for which what(method, params) holds."""
        seen, end = 0, time.monotonic() + seconds
        while True:
            for one in self.told[seen:]:
                if what(one["method"], one["params"]):
                    return one["params"]
            seen = len(self.told)
            if time.monotonic() > end:
                raise AssertionError("waited in vain; heard: " + repr(self.told[-20:]))
            try:
                self.step(1)
            except TimeoutError:
                pass

    def status(self, number, status, seconds=60):
        return self.wait(lambda m, p: m == "update_data" and p["id"] == number and p["payload"].get("status") == status, seconds)

    def row(self, number, key):
        """What a front-end holds of a run once it has first been told of `key`."""
        row = {}
        self.wait(lambda m, p: m == "update_data" and p["id"] == number and (row.update(p["payload"]) or key in row))
        return row

    def output(self, number):
        return "".join(one["params"]["payload"] for one in self.told if one["method"] == "appendToShell" and one["params"]["id"] == number)
