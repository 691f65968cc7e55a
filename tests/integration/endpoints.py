"""endpoints: every program by itself behind its socket: logins, results and their ranges, and garbage of all kinds."""
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import unittest

import tap
from fastcgi_peer import ask

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
PROGRAMS = sorted(name for name in os.listdir(BUILD + "/cgi-bin")
                  if os.access(f"{BUILD}/cgi-bin/{name}", os.X_OK) and os.path.isfile(f"{BUILD}/cgi-bin/{name}"))
URLS = {"account": "/account.php", "login": "/api/login", "result": "/results/1/result", "upload": "/api/upload", "project": "/api/projects", "preview": "/api/preview/1/1", "worker": "/api/workers", "farmapi": "/api/join"}


class Farm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="farmgate-endpoints-")
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        with open(cls.dir + "/farmgate.conf", "w") as conf:
            conf.write("file_sender = self\nlogin_failures = 3\ndisk_reserve_bytes = 0\n")
        cls.admin("migrate")
        for name, roles in (("ann", ["admin", "worker"]), ("bob", ["submitter"]), ("eve", ["submitter"])):
            cls.admin("user", "add", name, *[word for role in roles for word in ("--role", role)], given=name + "'s password\n")
        cls.running = {}

    @classmethod
    def admin(cls, *args, given=""):
        done = subprocess.run([BUILD + "/farmgate-admin", "--dir", cls.dir, *args], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout

    @classmethod
    def start(cls, name):
        if name in cls.running:
            return cls.running[name]
        path = f"{cls.dir}/{name}.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(16)
            program = subprocess.Popen([f"{BUILD}/cgi-bin/{name}"], stdin=listener.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env={**os.environ, "FARMGATE_CONFIG": cls.dir + "/farmgate.conf"})
        cls.addClassCleanup(program.wait)
        cls.addClassCleanup(program.kill)
        cls.running[name] = (program, path)
        return cls.running[name]

    def call(self, name, method="GET", uri=None, body=b"", kind="", length=None, address="127.0.0.1", **headers):
        """(status, headers, body) of the program `name`; keyword arguments are headers."""
        uri = uri if uri is not None else URLS.get(name, f"/server/{name}.php")
        params = {"REQUEST_METHOD": method, "REQUEST_URI": uri, "QUERY_STRING": uri.partition("?")[2], "CONTENT_TYPE": kind, "REMOTE_ADDR": address,
                  "CONTENT_LENGTH": str(len(body)) if length is None else str(length), "HTTP_HOST": "farm", **{"HTTP_" + key: value for key, value in headers.items()}}
        head, _, data = ask(self.start(name)[1], params, body).partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in reversed(head.decode().split("\r\n")))  # of several, the first
        return int(fields["Status"].split()[0]), fields, data

    def login(self, name):
        status, fields, data = self.call("login", "POST", body=json.dumps({"name": name, "password": name + "'s password"}).encode(), kind="application/json", address="127.0.0.2")
        self.assertEqual(status, 200)
        return fields["Set-Cookie"].split(";")[0], json.loads(data)


class Login(Farm):
    def test_come_ask_go(self):
        cookie, user = self.login("ann")
        self.assertEqual((user["name"], user["roles"]), ("ann", ["admin", "worker"]))
        self.assertRegex(cookie, "^FGSESSION=[0-9a-f]{64}$")
        status, _, data = self.call("login", COOKIE="a=b; " + cookie)
        self.assertEqual((status, json.loads(data)), (200, user))
        self.assertEqual(self.call("login", "DELETE", COOKIE=cookie)[0], 403)
        self.assertEqual(self.call("login", "DELETE", COOKIE=cookie, X_CSRF_TOKEN="0" * 64)[0], 403)
        self.assertEqual(self.call("login", COOKIE=cookie)[0], 200)
        status, fields, _ = self.call("login", "DELETE", COOKIE=cookie, X_CSRF_TOKEN=user["csrf"])
        self.assertEqual(status, 204)
        self.assertIn("Max-Age=0", fields["Set-Cookie"])
        self.assertEqual(self.call("login", COOKIE=cookie)[0], 401)

    def test_cookie_is_kept_close(self):
        body = b"name=ann&password=ann%27s+password"
        _, fields, _ = self.call("login", "POST", body=body, kind="application/x-www-form-urlencoded")
        self.assertTrue(fields["Set-Cookie"].endswith("; HttpOnly; SameSite=Lax"))
        self.assertEqual(fields["Cache-Control"], "no-store")
        self.assertEqual(self.call("login", "POST", body=body, kind="application/x-www-form-urlencoded", SEC_FETCH_SITE="cross-site")[0], 403)
        for origin, status in (("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:8080", 200)): # browsers tell plain http nothing else
            self.assertEqual(self.call("login", "POST", body=body, kind="application/x-www-form-urlencoded", ORIGIN=origin)[0], status, origin)
        self.assertEqual(self.call("login", "POST", uri="/api/login?" + body.decode())[0], 400)
        self.assertEqual(self.call("login", "POST")[0], 400)
        self.assertEqual(self.call("login", uri="/api/login/x", COOKIE=fields["Set-Cookie"])[0], 404)

    def test_an_old_cookie_does_not_hinder(self):
        cookie, _ = self.login("ann")
        self.assertEqual(self.call("login", "POST", body=b'{"name":"ann","password":"ann\'s password"}', kind="application/json", COOKIE=cookie)[0], 200)

    def test_token(self):
        token = self.admin("token", "add", "bob", "script").split()[-1]
        status, _, data = self.call("login", AUTHORIZATION="Bearer " + token)
        self.assertEqual((status, json.loads(data)["name"]), (200, "bob"))
        self.assertEqual(self.call("login", "DELETE", AUTHORIZATION="Bearer " + token)[0], 400)
        self.assertEqual(self.call("login", AUTHORIZATION="Bearer " + token)[0], 200)
        self.assertEqual(self.call("login", AUTHORIZATION="Bearer " + token[:-1] + "x")[0], 401)

    def test_zz_guessing_ends(self):
        wrong = {"body": b'{"name":"eve","password":"guess guess"}', "kind": "application/json"}
        self.assertEqual([self.call("login", "POST", **wrong)[0] for _ in range(5)], [401, 401, 401, 429, 429])


class Result(Farm):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.makedirs(cls.dir + "/spool/projects/7")
        for name, data in (("result.mp4", b"0123456789"), ("raw.zip", b"PK")):
            with open(f"{cls.dir}/spool/projects/7/{name}", "wb") as file:
                file.write(data)
        with sqlite3.connect(cls.dir + "/state/farmgate.db") as state:
            bob, = state.execute("SELECT id FROM user WHERE name = 'bob'").fetchone()
            for project, result in ((7, "mp4"), (8, "")):
                cls.add(state, "project", id=project, owner=bob, state="finished", title="t", result=result, raw=int(result != ""), created_ms=1)

    @staticmethod
    def add(db, table, **values):
        """A row whose other columns, where they must be something, are 1 or 'x'."""
        for _, name, kind, notnull, standard, key in db.execute(f"PRAGMA table_info({table})").fetchall():
            if notnull and standard is None and not key and name not in values:
                values[name] = 1 if kind == "INTEGER" else "x"
        db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", list(values.values()))

    def get(self, who, uri, method="GET", **headers):
        return self.call("result", method, uri, COOKIE=self.login(who)[0], **headers)

    def test_owner_and_admin(self):
        for who in ("bob", "ann"):
            status, fields, data = self.get(who, "/results/7/result.mp4")
            self.assertEqual((status, fields["Content-Type"], data), (200, "video/mp4", b"0123456789"))
        self.assertEqual(self.get("bob", "/results/7/result")[2], b"0123456789")
        status, fields, data = self.get("bob", "/results/7/raw.zip")
        self.assertEqual((status, data), (200, b"PK"))
        self.assertIn('filename="project-7-raw.zip"', fields["Content-Disposition"])
        self.assertNotIn("Content-Disposition", self.get("bob", "/results/7/result.mp4")[1])
        self.assertIn("attachment", self.get("bob", "/results/7/result.mp4?download=1")[1]["Content-Disposition"])

    def test_nobody_else(self):
        self.assertEqual(self.get("eve", "/results/7/result.mp4")[0], 404)
        self.assertEqual(self.call("result", uri="/results/7/result.mp4")[0], 401)

    def test_token(self):
        token = self.admin("token", "add", "bob", "script").split()[-1]
        self.assertEqual(self.call("result", uri="/results/7/result.mp4", AUTHORIZATION="Bearer " + token)[0], 200)

    def test_ranges(self):
        status, fields, data = self.get("bob", "/results/7/result.mp4", RANGE="bytes=2-4")
        self.assertEqual((status, fields["Content-Range"], data), (206, "bytes 2-4/10", b"234"))
        self.assertEqual(self.get("bob", "/results/7/result.mp4", RANGE="bytes=10-")[0], 416)
        status, fields, data = self.get("bob", "/results/7/result.mp4", method="HEAD")
        self.assertEqual((status, fields["Content-Length"], data), (200, "10", b""))
        self.assertEqual(self.get("bob", "/results/7/result.mp4", IF_NONE_MATCH=fields["ETag"])[0], 304)

    def test_absent(self):
        for uri in ("/results/8/result.mp4", "/results/8/raw.zip", "/results/9/result", "/results/7/result.png", "/results/7/../8/result", "/results/7",
                    "/results/7/source.zip", "/results/-7/result", "/results/99999999999999999999/result", "/results/7x/result", "/results/%2e%2e/result"):
            self.assertEqual(self.get("ann", uri)[0], 404, uri)


class Garbage(Farm):
    def attacks(self):
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        form, multi = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
        names = ("job", "frame", "login", "password", "version", "type", "computemethod", "mode", "chunk", "name", "download", "rendertime")
        for value in ("", "-1", "99999999999999999999999", "0x10", "%00", "%ff%fe", "%", "..%2f..%2f", "%3Cscript%3E", "x" * 5000):
            yield {"query": "&".join(f"{name}={value}" for name in names)}
            yield {"method": "POST", "body": "&".join(f"{name}={value}" for name in names).encode(), "kind": form}
        yield {"query": "&".join(f"{name}=21&{name}=22" for name in names)}
        yield {"method": "POST", "body": b"job=" + b"x" * (1 << 20), "kind": form}
        yield {"method": "POST", "body": b"&" * (1 << 20), "kind": form}
        yield {"method": "POST", "body": b"x" * (3 << 20), "kind": "application/octet-stream"}
        yield {"method": "POST", "body": b"\0\xff" * 100, "kind": "image/png"}
        yield {"method": "POST", "body": b"{" * 10000, "kind": "application/json"}
        yield {"method": "POST", "body": b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><cache><file md5='&b;'/></cache>", "kind": form}
        for body in (part + b"cut", part + b"x\r\n--b", part * 10000, b"--b--", b"", b"--b\r\n" * 1000, b"--b\r\nX: " + b"x" * 100000, part + b"\0" * 100 + b"\r\n--bb\r\n--b--"):
            yield {"method": "POST", "body": body, "kind": multi}
        yield {"method": "POST", "body": part, "kind": "multipart/form-data"}
        yield {"method": "POST", "body": part, "kind": "multipart/form-data; boundary=" + "b" * 500}
        yield {"method": "POST", "body": b"job=21", "kind": form, "length": 600}
        yield {"method": "POST", "body": b"job=21&frame=1", "kind": form, "length": 3}
        yield {"method": "POST", "length": "-5"}
        yield {"method": "POST", "length": "9" * 30}
        for method in ("PUT", "DELETE", "PATCH", "BREW", "", "x" * 1000):
            yield {"method": method}
        yield {"COOKIE": "FGWORKER=" + "0" * 64 + "; path=/; HttpOnly; FGSESSION=" + "f" * 64}
        yield {"COOKIE": ";" * 5000 + "=" * 5000, "AUTHORIZATION": "Bearer " + "\t" * 100}

    def worker(self):
        key = self.admin("key", "add", "ann", "machine").split()[-1]
        _, fields, data = self.call("config", uri=f"/server/config.php?login=ann&password={key}&version=6.22306&os=linux&bits=64bit&cpu_cores=2&ram=8000000")
        self.assertIn(b'status="0"', data)
        return fields["Set-Cookie"].split(";")[0]

    def test_strangers(self):
        for name in PROGRAMS:
            self.goes_on(name, {})

    def test_people_and_workers(self):
        for name in PROGRAMS:
            cookie, user = self.login("ann")
            self.goes_on(name, {"COOKIE": self.worker() + "; path=/; HttpOnly; " + cookie, "X_CSRF_TOKEN": user["csrf"]})

    def goes_on(self, name, known):
        program, _ = self.start(name)
        for attack in self.attacks():
            attack = {**known, **attack}
            query = attack.pop("query", None)
            uri = URLS.get(name, f"/server/{name}.php") + ("?" + query if query is not None else "")
            status, fields, data = self.call(name, uri=uri, **attack)
            say = f"{name} {uri[:100]} {attack.get('body', b'')[:60]} {attack.get('method')}: {status} {data[:200]}"
            if 200 <= status < 300:
                self.assertIn(b"status=\"" if fields.get("Content-Type", "").startswith("text/xml") else b"", data, say)
            else:
                self.assertTrue(400 <= status < 500, say)
            self.assertNotIn(b"root:", data)
            self.assertNotIn(b"<script>", data.replace(b"&lt;", b""))
        self.assertIsNone(program.poll(), name)
        with open(f"/proc/{program.pid}/status") as lines:
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        if "asan" not in open(f"/proc/{program.pid}/maps").read():
            self.assertLess(peak, (96 if name == "login" else 32) << 10, name)  # KiB; Argon2id wants 64 MiB


tap.main()
