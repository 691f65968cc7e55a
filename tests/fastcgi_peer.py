"""fastcgi_peer: a program behind a web server, as the web server sees it. It answers with what it was asked.

    with Peer("/path/run/config.sock", name="config"): ...      answers "config\\nKEY=VALUE\\n..." and the body's length
    ask("/path/run/config.sock", {"REQUEST_METHOD": "GET"})      the other side: what a FastCGI program answers to these parameters
"""
import os
import socket
import struct
import threading

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7


def _exact(conn, size):
    data = b""
    while len(data) < size:
        piece = conn.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _record(conn):
    _, kind, _, length, padding = struct.unpack("!BBHHBx", _exact(conn, 8))
    body = _exact(conn, length)
    _exact(conn, padding)
    return kind, body


def _send(conn, kind, body):
    for at in range(0, max(len(body), 1), 65528):
        piece = body[at:at + 65528]
        conn.sendall(struct.pack("!BBHHBx", 1, kind, 1, len(piece), 0) + piece)


def _pairs(data):
    at, found = 0, {}

    def length():
        nonlocal at
        if data[at] < 128:
            at += 1
            return data[at - 1]
        at += 4
        return struct.unpack("!I", data[at - 4:at])[0] & 0x7FFFFFFF

    while at < len(data):
        name, value = length(), length()
        found[data[at:at + name].decode()] = data[at + name:at + name + value].decode("latin-1")
        at += name + value
    return found


class Peer:
    """Listens on `path`; headers() may add header lines to an answer, silent=True never answers."""

    def __init__(self, path, name="peer", headers=lambda params: "", silent=False):
        self.name, self.headers, self.silent, self.held = name, headers, silent, []
        self.listener = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            if self.silent:
                self.held.append(conn)
                continue
            threading.Thread(target=self._one, args=(conn,), daemon=True).start()

    def _one(self, conn):
        params, size = b"", 0
        try:
            while True:
                kind, body = _record(conn)
                if kind == PARAMS:
                    params += body
                elif kind == STDIN:
                    if not body:
                        break
                    size += len(body)
            found = _pairs(params)
            lines = "".join(f"{key}={value}\n" for key, value in sorted(found.items()))
            _send(conn, STDOUT, f"Content-Type: text/plain\r\n{self.headers(found)}\r\n{self.name}\nbody={size}\n{lines}".encode("latin-1"))
            _send(conn, STDOUT, b"")
            _send(conn, END, b"\0" * 8)
        except (EOFError, OSError):
            pass
        conn.close()

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for conn in self.held:
            conn.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask(path, params, body=b"", timeout=20):
    """Ask the FastCGI program that listens on `path`; its whole answer, headers included, as bytes."""
    def length(value):
        return bytes([len(value)]) if len(value) < 128 else struct.pack("!I", len(value) | 0x80000000)

    packed = b""
    for key, value in params.items():
        key, value = key.encode(), value.encode()
        packed += length(key) + length(value) + key + value
    answer = b""
    with socket.socket(socket.AF_UNIX) as conn:
        conn.settimeout(timeout)
        conn.connect(path)
        _send(conn, BEGIN, struct.pack("!HB5x", 1, 0))
        _send(conn, PARAMS, packed)
        _send(conn, PARAMS, b"")
        if body:
            _send(conn, STDIN, body)
        _send(conn, STDIN, b"")
        while True:
            kind, data = _record(conn)
            if kind == STDOUT:
                answer += data
            elif kind == END:
                return answer
