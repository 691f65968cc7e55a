"""strangers: what a web server keeps for somebody whom the farm doesn't know: nothing large. Whoever it knows delivers as ever."""
import json
import os
import re
import shutil
import socket
import unittest

import farm
import tap
from farm import Client

DELIVER, REPORT = "/server/send_frame.php?job=1000&frame=0001", "/server/error.php?type=1"
LARGE = 64 << 20


class Strangers(farm.Case):
    dead = {DELIVER: (200, b'<?xml version="1.0" encoding="utf-8" ?>\n<jobvalidate status="304"/>\n'), REPORT: (200, b'<?xml version="1.0" encoding="utf-8" ?>\n<error status="0"/>\n')}

    def setUp(self):
        self.key = self.farm.key("alice", "worker", "submitter")

    def connect(self, target, size, cookie, more=""):
        s = socket.create_connection(("127.0.0.1", self.farm.port), timeout=30)
        self.addCleanup(s.close)
        length = f"Content-Length: {size}" if size else "Transfer-Encoding: chunked"
        s.sendall(f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.farm.port}\r\nContent-Type: multipart/form-data; boundary=b\r\n{length}\r\nCookie: {cookie}\r\n{more}\r\n".encode())
        return s

    def heard(self, s):
        """Status, header lines but the time, body."""
        got = b""
        while True:
            head, end, body = got.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if end and length and len(body) >= int(length.group(1)):
                return int(head.split()[1]), [line for line in head.split(b"\r\n")[1:] if not line.startswith((b"Date", b"Connection"))], body
            more = s.recv(65536)
            self.assertTrue(more, got)
            got += more

    def kept(self):
        return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(self.farm.dir + "/web/temp") for name in names)

    def test_a_stranger_is_told_by_the_head_alone(self):
        """The body never comes: an answer means that nobody waited for it."""
        for cookie in ("", "FGWORKER=" + "0" * 64, "FGWORKER=none", "FGSESSION=" + "a" * 64):
            for target in (DELIVER, REPORT):
                for size in (LARGE, 300000, 0):
                    status, _, body = self.heard(self.connect(target, size, cookie))
                    self.assertEqual((status, body), self.dead[target], (cookie, target, size))
        self.assertEqual(self.kept(), 0)

    def test_doors_of_strangers_take_little(self):
        """What comes before anybody is known, is small: told by the head alone, too."""
        for target, most in (("/server/config.php", 64 << 10), ("/server/request_job.php", 1 << 20), ("/server/keepmealive.php", 64 << 10), ("/account.php", 64 << 10),
                             ("/api/login", 64 << 10), ("/api/tokens", 64 << 10), ("/api/users", 64 << 10), ("/api/projects", 256 << 10), ("/api/settings", 64 << 10)):
            self.assertEqual(self.heard(self.connect(target, most + 1025, ""))[0], 413, target)
        self.assertEqual(self.kept(), 0)

    def test_a_client_that_sends_all_the_same(self):
        """Stock clients read no answer before they have sent all: they get it, as the program would have said it."""
        for target in (DELIVER, REPORT):
            s = self.connect(target, LARGE, "")
            for _ in range(LARGE >> 20):
                s.sendall(b"x" * (1 << 20))
            status, lines, body = self.heard(s)
            self.assertEqual((status, body), self.dead[target])
            self.assertEqual(self.kept(), 0)
            s = self.connect(target, 5, "")
            s.sendall(b"--b--")
            program = self.heard(s)
            self.assertEqual((program[0], program[2]), (200, Strangers.dead[target][1]))
            if status == 200:
                self.assertEqual(sorted(lines), sorted(program[1]))

    def test_many_slow_strangers_hold_nobody_up(self):
        for _ in range(40):
            self.connect(DELIVER, LARGE, "").sendall(b"x")
            self.connect(DELIVER, 1000, "").sendall(b"x")
        self.deliver("6.22306.0")

    def deliver(self, version):
        client = Client(self.farm, version, "alice", self.key)
        client.config()
        self.farm.renderer()
        self.farm.project(owner="alice", frames="1", width=1400, height=1400)
        job = client.job()
        picture = farm.png(1400, 1400, noise=os.urandom(1400 * 1400 * 3))
        self.assertGreater(len(picture), 5 << 20)
        self.assertEqual(client.upload(job, picture).xml.get("status"), "0")
        return client

    def test_who_is_known_delivers(self):
        for version in ("3.3.2", "6.20295.0", "7.24086.0"):
            client = self.deliver(version)
            self.assertEqual(client.error(log=b"line\n" * 1000000).xml.get("status"), "0")
            client.logout()
            self.assertEqual(self.heard(self.connect(DELIVER, LARGE, client.cookie))[::2], self.dead[DELIVER], version)

    def test_guessing_passwords(self):
        """Failures are counted by account and by the address that called, whatever a header says of it."""
        self.farm.user("ann", "submitter")
        self.farm.user("zoe", "submitter")

        def login(name, password, claimed, source="127.0.0.1"):
            body = json.dumps({"name": name, "password": password}).encode()
            with socket.create_connection(("127.0.0.1", self.farm.port), timeout=30, source_address=(source, 0)) as s:
                s.sendall(f"POST /api/login HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {claimed}\r\nForwarded: for={claimed}\r\nX-Real-IP: {claimed}\r\n"
                          f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                return int(s.recv(4096).split()[1])
        self.assertEqual([login("ann", "guess", f"10.0.0.{i}") for i in range(10)], [401] * 10)
        self.assertEqual([login("zoe", "long enough", "10.0.1.1"), login("ann", "long enough", "10.0.1.1", "127.0.0.3")], [429] * 2)
        self.assertEqual(login("zoe", "long enough", "127.0.0.1", "127.0.0.2"), 200)
        self.farm.sql("DELETE FROM failure")

    def test_who_decodes_pictures_is_caged(self):
        for pid in self.farm.processes("send_frame"):
            with open(f"/proc/{pid}/status") as status:
                self.assertIn("Seccomp:\t2", status.read())

    def test_nobody_else_asks_the_door(self):
        for path in ("/@door/send_frame", "/@door/", "/%40door/error", "/door", "/server/door.php"):
            self.assertEqual(farm.request(self.farm.port, "GET", path).status, 404, path)


@unittest.skipUnless(shutil.which("lighttpd") or os.path.exists("/usr/sbin/lighttpd"), "lighttpd is not here")
class BehindLighttpd(Strangers):
    """lighttpd can't say anything else than no."""
    server = "lighttpd"
    settings = (("file_sender", "sendfile"),)
    dead = {DELIVER: (403, b""), REPORT: (403, b"")}


if __name__ == "__main__":
    tap.main()
