"""wire: a WebSocket client of the standard library, with JSON-RPC on it, plain or inside Socket.IO v5.

    c = wire.Client(port)                    # Socket.IO; Client(port, rpc=True) is the plain /rpc
    c.call("getQueue"); c.wait(lambda m: m["method"] == "setQueue")
"""
import base64
import json
import os
import socket
import struct
import time


class Refused(Exception):
    pass


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error)
        self.error, self.code, self.message = error, error["code"], error["message"]


class WebSocket:
    def __init__(self, port, path, headers=(), host=None, address="127.0.0.1", timeout=30):
        self.socket = socket.create_connection((address, port), timeout=timeout)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                raise Refused(self.buffer)
            self.buffer += more
        head, _, rest = self.buffer.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            self.socket.close()
            raise Refused((head + rest).decode(errors="replace"))
        self.buffer = rest

    def close(self):
        self.socket.close()

    def send(self, text, opcode=1, last=True):
        data = text.encode() if isinstance(text, str) else text
        mask = os.urandom(4)
        head = bytes([(0x80 if last else 0) | opcode])
        n = len(data)
        head += bytes([0x80 | n]) if n < 126 else bytes([0x80 | 126]) + struct.pack(">H", n) if n < 65536 else bytes([0x80 | 127]) + struct.pack(">Q", n)
        key = (mask * (n // 4 + 1))[:n]
        self.socket.sendall(head + mask + (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(n, "big") if n else head + mask)

    def _need(self, n):
        while len(self.buffer) < n:
            more = self.socket.recv(1 << 20)
            if not more:
                raise ConnectionError("closed")
            self.buffer += more

    def frame(self):
        """(opcode, bytes) of the next frame; our server sends whole messages."""
        self._need(2)
        n, at = self.buffer[1] & 127, 2
        if n == 126:
            self._need(4)
            n, at = struct.unpack(">H", self.buffer[2:4])[0], 4
        elif n == 127:
            self._need(10)
            n, at = struct.unpack(">Q", self.buffer[2:10])[0], 10
        self._need(at + n)
        opcode, data = self.buffer[0] & 15, self.buffer[at:at + n]
        self.buffer = self.buffer[at + n:]
        return opcode, data

    def text(self):
        while True:
            opcode, data = self.frame()
            if opcode == 1:
                return data.decode()
            if opcode == 9:
                self.send(data, 10)
            elif opcode == 8:
                raise ConnectionError("closed")


class Client:
    def __init__(self, port, rpc=False, headers=(), host=None, path=None, address="127.0.0.1"):
        self.rpc = rpc
        self.ws = WebSocket(port, path or ("/rpc" if rpc else "/socket.io/?EIO=4&transport=websocket"), headers, host, address)
        self.told, self.events, self.answers, self.frames, self.number = [], [], {}, [], 0
        if not rpc:
            self.hello = json.loads(self.ws.text()[1:])
            self.ws.send("40")
            self.joined = self.ws.text()

    def close(self):
        self.ws.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, text):
        self.ws.send(text if self.rpc else "42" + json.dumps(["message", text]))

    def _take(self, message):
        for one in message if isinstance(message, list) else [message]:
            if "method" in one:
                self.told.append(one)
            else:
                self.answers[one.get("id")] = one

    def step(self, timeout=30):
        self.ws.socket.settimeout(timeout)
        text = self.ws.text()
        self.frames.append(text)
        if self.rpc:
            self._take(json.loads(text))
        elif text == "2":
            self.ws.send("3")
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

    def output(self, number):
        return "".join(one["params"]["payload"] for one in self.told if one["method"] == "appendToShell" and one["params"]["id"] == number)
