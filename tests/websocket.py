"""websocket: a WebSocket client of the standard library alone (RFC 6455), for tests: text frames out, whole messages in."""
import base64
import hashlib
import json
import os
import socket
import struct
import time


class Refused(Exception):
    def __init__(self, status):
        super().__init__(f"refused with {status}")
        self.status = status


class Closed(ConnectionError):
    def __init__(self, code):
        super().__init__(f"closed with {code}")
        self.code = code


class Socket:
    def __init__(self, port, path="/live", headers=(), timeout=20, origin=None, receive_buffer=None, host=None):
        self.bytes, self.timeout = b"", timeout
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"Origin: {origin}"] if origin else []
        self.sock.sendall(("\r\n".join(lines + [f"{k}: {v}" for k, v in headers]) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.bytes:
            more = self.sock.recv(4096)
            if not more:
                raise Refused(0)
            self.bytes += more
        head, _, self.bytes = self.bytes.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        if status != 101:
            self.sock.close()
            raise Refused(status)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert b"sec-websocket-accept: " + accept.lower() in head.lower(), head

    def frame(self, payload, opcode=1, final=True):
        mask = os.urandom(4)
        head = bytes([(0x80 if final else 0) | opcode])
        n = len(payload)
        head += bytes([0x80 | n]) if n < 126 else bytes([0x80 | 126]) + struct.pack(">H", n) if n < 65536 else bytes([0x80 | 127]) + struct.pack(">Q", n)
        key = (mask * (n // 4 + 1))[:n]
        self.sock.sendall(head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(n, "big"))

    def send(self, **message):
        self.text(json.dumps(message, separators=(",", ":")))

    def text(self, text):
        self.frame(text.encode())

    def _take(self, n, until):
        while len(self.bytes) < n:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(left)
            try:
                more = self.sock.recv(1 << 20)
            except socket.timeout:
                raise TimeoutError from None
            if not more:
                raise Closed(1006)
            self.bytes += more

    def next(self, until):
        """The next frame as it is: its first byte and its bytes."""
        self._take(2, until)
        n, at = self.bytes[1] & 0x7f, 2
        if n > 125:
            at = 4 if n == 126 else 10
            self._take(at, until)
            n = int.from_bytes(self.bytes[2:at], "big")
        self._take(at + n, until)
        first, payload, self.bytes = self.bytes[0], self.bytes[at:at + n], self.bytes[at + n:]
        return first, payload

    def recv(self, timeout=None):
        """The next message's text. Pings are answered; TimeoutError, Closed."""
        until, whole = time.monotonic() + (self.timeout if timeout is None else timeout), b""
        while True:
            first, payload = self.next(until)
            opcode = first & 15
            if opcode == 9:
                self.frame(payload, 10)
            elif opcode == 8:
                raise Closed(struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005)
            elif opcode in (0, 1):
                whole += payload
                if first & 0x80:
                    return whole.decode()

    def json(self, timeout=None):
        return json.loads(self.recv(timeout))

    def until(self, wanted, timeout=20):
        """Messages up to the first that `wanted` accepts; that one is the last."""
        end, got = time.monotonic() + timeout, []
        while True:
            got.append(self.json(max(0.01, end - time.monotonic())))
            if wanted(got[-1]):
                return got

    def quiet(self, seconds):
        """Everything that comes within so many seconds."""
        end, got = time.monotonic() + seconds, []
        try:
            while True:
                got.append(self.json(max(0.001, end - time.monotonic())))
        except TimeoutError:
            return got

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
