"""farm: a whole farm in a temporary directory: the real web server, the real FastCGI programs, real SQLite; and pictures to feed it.

    class Things(farm.Case):
        def test(self):
            f = self.farm
            key = f.key("alice"); project = f.project(frames="1-3", tiles="2x2")
            w = farm.Client(f, "6.22306", "alice", key)
"""
import gzip
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tarfile
import tempfile
import time
import unittest
import urllib.parse
import xml.etree.ElementTree as ET
import zlib

import blendfile
from port import free_port

TOP = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "..")))
BUILD = os.path.abspath(os.environ.get("top_builddir", os.path.join(TOP, "build")))
SPAWN = os.path.join(TOP, "tools", "farmgate-spawn")
ADMIN = os.path.join(BUILD, "farmgate-admin")
BOUNDARY = "***232404jkg4220957934FW**"


def png(width, height, colour=(10, 120, 200), depth=8, noise=None):
    """An RGB picture; `noise` bytes of pixel data instead of one colour."""
    unit = bytes(colour) if depth == 8 else b"".join(struct.pack(">H", c * 257) for c in colour)
    rows = b"".join(b"\0" + (noise[y * width * 3:(y + 1) * width * 3] if noise else unit * width) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        found = [v for k, v in self.headers if k.lower() == name.lower()]
        return found[0] if found else None

    @property
    def xml(self):
        assert self.status == 200 and (self.header("Content-Type") or "").startswith("text/xml"), (self.status, self.headers, self.body[:300])
        return ET.fromstring(self.body)

    @property
    def json(self):
        return json.loads(self.body)


def raw(port, data, timeout=30, half=False):
    """Bytes out, whole answer in: nothing between the test and the wire."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        s.sendall(data)
        if half:
            s.shutdown(socket.SHUT_WR)
        got = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
            head, end, body = got.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if end and (length and len(body) >= int(length.group(1)) or not length and b"chunked" in head and body.endswith(b"0\r\n\r\n")):
                break
    head, _, body = got.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/"):
        return Answer(0, [], got)
    if any(line.lower() == "transfer-encoding: chunked" for line in lines):
        out = b""
        while body:
            size, _, rest = body.partition(b"\r\n")
            n = int(size or b"0", 16)
            if n == 0:
                break
            out, body = out + rest[:n], rest[n + 2:]
        body = out
    if any(line.lower() == "content-encoding: gzip" for line in lines):
        body = gzip.decompress(body)
    return Answer(int(lines[0].split()[1]), [tuple(line.split(": ", 1)) for line in lines[1:] if ": " in line], body)


def request(port, method, target, headers=(), body=b""):
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{k}: {v}" for k, v in headers), "Connection: close"]
    if body or method in ("POST", "PATCH", "PUT"):
        lines.append(f"Content-Length: {len(body)}")
    return raw(port, ("\r\n".join(lines) + "\r\n\r\n").encode() + body)


def multipart(data, filename, boundary, part_headers=()):
    head = [f"--{boundary}", f'Content-Disposition: form-data; name="file"; filename="{filename}"', *part_headers, "", ""]
    return "\r\n".join(head).encode() + data + f"\r\n--{boundary}--\r\n".encode()


class Farm:
    def __init__(self, server="nginx", settings=(), tls=False, programs=BUILD, pool_max=3):
        self.dir = tempfile.mkdtemp(prefix="farmgate-test-")
        self.port, self.tls_port = free_port(), free_port() if tls else 0
        self.server = server
        if tls:
            os.mkdir(self.dir + "/tls")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.dir + "/tls/key.pem", "-out", self.dir + "/tls/cert.pem"], check=True, capture_output=True)
        try:
            self.spawn("configure", "--port", self.port, "--tls-port", self.tls_port, "--server", server, "--programs", programs, "--htdocs", TOP + "/htdocs",
                       "--pool-max", pool_max, "--web-user", "root" if os.getuid() == 0 else "nobody")
            with open(self.dir + "/farmgate.conf", "a") as conf:
                for name, value in (("disk_reserve_bytes", 0), *settings):
                    conf.write(f"{name} = {value}\n")
            self.admin("migrate")
            self.spawn("start")
        except BaseException:
            self.close()
            raise

    def close(self):
        subprocess.run([SPAWN, "--dir", self.dir, "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if os.environ.get("FG_KEEP"):
            print("# kept", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def spawn(self, *args):
        done = subprocess.run([SPAWN, "--dir", self.dir, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def admin(self, *args, given="", ok=True):
        done = subprocess.run([ADMIN, "--dir", self.dir, *map(str, args)], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        if ok:
            assert done.returncode == 0, (args, done.stderr)
            return done.stdout
        return done

    def json(self, *args, given=""):
        return json.loads(self.admin(*args, "--json", given=given))

    def user(self, name, *roles):
        self.admin("user", "add", name, *(x for r in roles for x in ("--role", r)), given="long enough\n")

    def key(self, name, *roles):
        """A worker key; the user is made when missing."""
        if name not in [u["name"] for u in self.json("user", "list")]:
            self.user(name, *roles)
        return self.admin("key", "add", name, "test").split()[-1]

    def renderer(self, version="3.4.1", os_name="linux"):
        """A renderer made from an archive with the layout of Blender's own."""
        top = f"blender-{version}-linux-x64"
        path = os.path.join(self.dir, f"{top}.tar.xz")
        source = os.path.join(self.dir, "blender")
        with open(source, "w") as f:
            f.write("#!/bin/sh\nexit 1\n")
        os.chmod(source, 0o755)
        with tarfile.open(path, "w:xz") as tar:
            tar.add(source, f"{top}/blender")
        return self.json("renderer", "add", path, "--os", os_name, "--arch", "64bit")

    def project(self, owner="admin", frames="1-3", tiles="1x1", width=32, height=18, title="Test & <co>", extra=()):
        path = os.path.join(self.dir, "scene.blend")
        with open(path, "wb") as f:
            f.write(blendfile.make(width, height))
        if owner not in [u["name"] for u in self.json("user", "list")]:
            self.user(owner)
        return self.json("project", "add", path, "--owner", owner, "--frames", frames, "--tiles", tiles, "--title", title, "--format", "png", *extra)["id"]

    def show(self, project):
        return self.json("project", "show", project)

    def sql(self, text):
        return [json.loads(line) for line in self.admin("sql", "--json", text).splitlines()]

    def logs(self):
        out = b""
        for root, _, names in os.walk(self.dir + "/log"):
            for name in names:
                with open(os.path.join(root, name), "rb") as f:
                    out += f.read()
        return out

    def processes(self, name):
        """Pids of the program `name` of this farm."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                exe, env = os.readlink(f"/proc/{pid}/exe"), open(f"/proc/{pid}/environ", "rb").read()
            except OSError:
                continue
            if os.path.basename(exe) == name and self.dir.encode() in env:
                found.append(int(pid))
        return found


class Case(unittest.TestCase):
    """One farm for all tests of a class; `settings`, `server` and the folder of its `programs` are the class's. `people`: names with their roles;
    each is there as a Visitor of that name, and so is `nobody`."""
    server, settings, tls, programs, people = "nginx", (), False, BUILD, ()

    @classmethod
    def setUpClass(cls):
        def end(number, frame):
            raise KeyboardInterrupt
        signal.signal(signal.SIGTERM, end)
        cls.farm = Farm(cls.server, cls.settings, tls=cls.tls, programs=cls.programs)
        cls.addClassCleanup(cls.farm.close)
        cls.nobody = Visitor(cls.farm)
        for name, *roles in cls.people:
            cls.farm.user(name, *roles)
            setattr(cls, name, Visitor(cls.farm, name))

    def ok(self, answer, status=200):
        self.assertEqual(answer.status, status, answer.body)
        return answer.json if answer.body else None

    def eventually(self, check, seconds=20):
        end = time.monotonic() + seconds
        while True:
            value = check()
            if value or time.monotonic() > end:
                self.assertTrue(value)
                return value
            time.sleep(0.05)


class Visitor:
    """Somebody at a browser: logged in by cookie, changes with the CSRF token. Without a name: nobody."""

    def __init__(self, farm, name=None, password="long enough"):
        self.farm, self.cookie, self.csrf = farm, None, ""
        if name:
            answer = self.post("/api/login", name=name, password=password)
            assert answer.status == 200, answer.body
            self.cookie, self.csrf, self.id = answer.header("Set-Cookie").split(";")[0], answer.json["csrf"], answer.json["id"]

    def call(self, method, target, headers=(), body=b"", data=None):
        headers = list(headers) + ([("Cookie", self.cookie), ("X-CSRF-Token", self.csrf)] if self.cookie else [])
        if data is not None:
            headers, body = headers + [("Content-Type", "application/json")], json.dumps(data).encode()
        return request(self.farm.port, method, target, headers, body)

    def get(self, target):
        return self.call("GET", target)

    def post(self, target, **data):
        return self.call("POST", target, data=data)


class Client:
    """A stock worker client, byte for byte as captured: 3.3.2, 6.20295, 6.22306, or 7.24086."""

    def __init__(self, farm, version, login, key, os_name="linux", ram="24903680", extra="", host="vm"):
        self.farm, self.version, self.login, self.key, self.os, self.ram, self.extra, self.host = farm, version, login, key, os_name, ram, extra, host
        self.cookie = None
        self.old = version.startswith("3.")

    def send(self, method, target, headers=(), body=None):
        java = ["User-Agent: Java/17.0.15", f"Host: 127.0.0.1:{self.farm.port}"]
        if self.old:
            lines = ([f"Cookie: {self.cookie}"] if self.cookie else []) + list(headers) + java
            lines += ["Accept: text/html, image/gif, image/jpeg, */*; q=0.2", "Connection: keep-alive"]
            lines += [f"Content-Length: {len(body)}"] if body is not None else []
        else:
            lines = java[:1] + list(headers) + ([f"Content-Length: {len(body)}"] if body is not None else []) + java[1:]
            lines += ["Connection: Keep-Alive", "Accept-Encoding: gzip"] + ([f"Cookie: {self.cookie}"] if self.cookie else [])
        return raw(self.farm.port, "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode("latin-1") + (body or b""))

    def config(self):
        cpu = "cpu_family=25&cpu_model=17&cpu_model_name=AMD%20EPYC&cpu_cores=2"
        if self.old:
            login, key = urllib.parse.quote_plus(self.login), urllib.parse.quote_plus(self.key)
            answer = self.send("GET", f"/server/config.php?login={login}&password={key}&{cpu.replace('%20', '+')}&os={self.os}&ram={self.ram}&bits=64bit&version={self.version}&extras={self.extra}")
        else:
            more = f"&os_version=linux&hwid={self.host}" if self.version != "6.20295.0" else ""
            body = (f"login={urllib.parse.quote(self.login)}&password={urllib.parse.quote(self.key)}&{cpu}&os={self.os}{more}&ram={self.ram}&bits=64bit"
                    f"&version={self.version}&hostname={self.host}&ui=GuiText&extras={self.extra}&headless=1")
            answer = self.send("POST", "/server/config.php", ["Content-Type: application/x-www-form-urlencoded"], body.encode())
        cookies = [v for k, v in answer.headers if k == "Set-Cookie"]
        if cookies:
            assert len(cookies) == 1, cookies
            self.cookie = cookies[0] if self.old else cookies[0].split(";")[0]  # 3.3.2 echoes the whole value, attributes and all
        return answer

    def request(self, cached=(), method=1, params=""):
        if self.old:
            files = "".join(f'<file md5="{m}"/>' for m in cached)
            xml = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>' + (f"<cache>{files}</cache>" if files else "<cache/>")
            return self.send("POST", f"/server/request_job.php?computemethod={method}{params}", ["Content-type: application/x-www-form-urlencoded"], xml.encode())
        if self.version.startswith("7."):
            return self.send("POST", f"/server/request_job.php?computemethod={method}&cpu_cores=2&ram_max=20000000&rendertime_max=-1{params}", body=b"")
        xml = "<cache>\n" + "".join(f'   <file md5="{m}"/>\n' for m in cached) + "</cache>" if cached else "<cache/>"
        return self.send("POST", f"/server/request_job.php?computemethod={method}&network_dl=0&network_up=386600&cpu_cores=2&ram_max=20000000&rendertime_max=-1{params}",
                         ["Content-Type: application/xml; charset=utf-8"], xml.encode())

    def job(self, **how):
        """The job element of a request, or the status of a refusal."""
        answer = self.request(**how).xml
        return answer.find("job") if answer.get("status") == "0" else int(answer.get("status"))

    def upload(self, job, data, name=None, rendertime=3, memory=12000):
        number, frame = job.get("id"), job.get("frame")
        name = name or f"{number}_{frame}.png"
        if self.old:
            return self.send("POST", f"/server/send_frame.php?job={number}&frame={frame}&rendertime={rendertime}&revision=0&memoryused={memory}&extras=&cores=2",
                             [f"Content-Type: multipart/form-data;boundary={BOUNDARY}", "Cache-Control: no-cache", "Pragma: no-cache"], multipart(data, name, BOUNDARY))
        url = urllib.parse.unquote(job.get("validation_url"))
        target = url[url.index("/", 8):] + f"&rendertime={rendertime}&memoryused={memory}" + ("&speedsamples=1.5" if self.version.startswith("7.") else "")
        boundary = "f5b3d148-3268-43af-a30e-934df7318dbe"
        return self.send("POST", target, [f"Content-Type: multipart/form-data; boundary={boundary}"],
                         multipart(data, name, boundary, ["Content-Type: image/png", f"Content-Length: {len(data)}"]))

    def beat(self, job=None):
        if job is None:
            return self.send("GET", "/server/keepmealive.php")
        number, frame = job.get("id"), job.get("frame")
        if self.old:
            return self.send("GET", f"/server/keepmealive.php?frame={frame}&job={number}")
        return self.send("GET", f"/server/keepmealive.php?paused=false&frame={frame}&job={number}&rendertime=12&remainingtime=30")

    def error(self, job=None, kind="", log=b"2015 (debug) it went wrong\nError: no such thing\n"):
        query = f"?frame={job.get('frame')}&job={job.get('id')}&render_time=7" if job is not None else ""
        if self.old:
            return self.send("POST", "/server/error.php" + query, [f"Content-Type: multipart/form-data;boundary={BOUNDARY}"], multipart(log, "farm_4711", BOUNDARY))
        query = f"?type={kind}" + ("&" + query[1:] + "&memoryused=1652" if query else "")
        return self.send("POST", "/server/error.php" + query, ["Content-Type: multipart/form-data; boundary=b-1"],
                         multipart(log, "farm_1.txt", "b-1", ["Content-Type: text/plain", f"Content-Length: {len(log)}"]))

    def logout(self):
        return self.send("GET", "/account.php?mode=logout&worker=1")
