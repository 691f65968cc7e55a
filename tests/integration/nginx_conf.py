"""nginx_conf: what farmgate-spawn makes of endpoints.list holds, in front of nginx and of lighttpd alike."""
import glob
import http.client
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import unittest

import tap
from fastcgi_peer import Peer
from port import free_port

TOP = os.environ["top_srcdir"]
SPAWN = os.path.join(TOP, "tools/farmgate-spawn")
SECRET = "hunter2hunter2"


def endpoints():
    """A row for each address of each program."""
    with open(os.path.join(TOP, "nginx/endpoints.list")) as lines:
        rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return [[row[0], url, *row[2:]] for row in rows for url in row[1].split(",") if url != "-"]


def address_of(url):
    return url.rstrip("*")


class Web:
    """A web server with its configuration, and stand-ins for all programs."""
    server = "nginx"

    @classmethod
    def setUpClass(cls):
        if cls.server == "lighttpd" and not (shutil.which("lighttpd") or os.path.exists("/usr/sbin/lighttpd")):
            raise unittest.SkipTest("no lighttpd here")
        cls.dir = tempfile.mkdtemp(prefix="fg")
        os.mkdir(cls.dir + "/none")
        cls.certificate()
        cls.port, cls.tls_port = free_port(), free_port()
        cls.spawn("configure", "--programs", cls.dir + "/none", "--port", str(cls.port), "--tls-port", str(cls.tls_port), "--server", cls.server)
        cls.tweak()
        cls.spawn("start")
        os.makedirs(cls.dir + "/spool/projects/7")
        with open(cls.dir + "/spool/projects/7/result.png", "wb") as picture:
            picture.write(b"pixels" * 1000)
        cls.peers = [Peer(f"{cls.dir}/run/{name}.sock", name, cls.headers) for name in sorted({"door"} | {e[0] for e in endpoints()})]

    @classmethod
    def tearDownClass(cls):
        for peer in getattr(cls, "peers", []):
            peer.close()
        cls.spawn("stop")
        shutil.rmtree(cls.dir)

    @classmethod
    def certificate(cls):
        os.mkdir(cls.dir + "/tls")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", cls.dir + "/tls/key.pem",
                        "-out", cls.dir + "/tls/cert.pem"], check=True, capture_output=True)

    @classmethod
    def spawn(cls, *words):
        done = subprocess.run([SPAWN, "--dir", cls.dir, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise AssertionError(f"farmgate-spawn {words}: {done.stdout}")

    @classmethod
    def tweak(cls):
        """A chance to shorten time-outs."""

    @classmethod
    def headers(cls, params):
        wanted = params.get("HTTP_X_WANT")
        return cls.sender % wanted if wanted else ""

    def get(self, path, method="GET", body=None, headers={}, tls=False):
        if tls:
            trust = ssl.create_default_context(cafile=self.dir + "/tls/cert.pem")
            conn = http.client.HTTPSConnection("127.0.0.1", self.tls_port, timeout=30, context=trust)
        else:
            conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        conn.request(method, path, body, headers)
        answer = conn.getresponse()
        data = answer.read()
        conn.close()
        return answer.status, data, answer

    def params(self, path, **more):
        status, data, _ = self.get(path, **more)
        self.assertEqual(status, 200, path)
        lines = data.decode().splitlines()
        return lines[0], dict(line.split("=", 1) for line in lines[1:])

    def logs(self):
        return "".join(open(name, errors="replace").read() for name in glob.glob(self.dir + "/log/*"))


class Doors:
    """What works the same behind both."""

    def test_each_address_reaches_its_program(self):
        for name, url, *_ in endpoints():
            at = address_of(url)
            forms = [at, at + "/", "/" + at, at.replace("/", "//")]
            if url.endswith("*"):
                forms += [at + "/12", at + "/12/more/"]
            for form in forms:
                self.assertEqual(self.params(form)[0], name, form)
            self.assertNotEqual(self.get(at + "x")[0], 200, at + "x")

    def test_root_is_a_page_or_config(self):
        status, data, answer = self.get("/")
        self.assertEqual(status, 200)
        self.assertIn(b"Farmgate", data)
        self.assertTrue(answer.getheader("Content-Type").startswith("text/html"))
        name, params = self.params("/?login=ada&version=6.0")
        self.assertEqual((name, params["QUERY_STRING"]), ("config", "login=ada&version=6.0"))
        self.assertIn(b"<html", self.get("/?notlogin=1")[1])

    def test_program_learns_who_asks(self):
        _, params = self.params("/server/request_job.php?a=%20b", tls=True)
        self.assertEqual(params["HTTPS"], "on")
        self.assertEqual(params["REMOTE_ADDR"], "127.0.0.1")
        self.assertEqual(params["REQUEST_URI"], "/server/request_job.php?a=%20b")
        self.assertEqual(params["HTTP_HOST"], f"127.0.0.1:{self.tls_port}")
        self.assertNotIn("HTTPS", self.params("/server/request_job.php")[1])

    def test_body_limits(self):
        for name, url, _, body, *_ in endpoints():
            size = {"k": 1024, "m": 1 << 20, "0": 0}[body[-1]] * int(body[:-1] or 0)
            if not 0 < size <= 1 << 22:
                continue
            at = address_of(url)
            self.assertEqual(self.params(at, method="POST", body=b"x" * size)[1]["body"], str(size), at)
            try:
                status = self.get(at, "POST", b"x" * (size + 1))[0]
            except (BrokenPipeError, ConnectionResetError):
                status = 413  # refused while we were still sending
            self.assertEqual(status, 413, at)
        self.assertEqual(self.params("/api/upload", method="PATCH", body=b"x" * 3000000)[1]["body"], "3000000")

    def test_files_leave_only_by_a_programs_word(self):
        status, data, _ = self.get("/results/7", headers={"X-Want": self.spool_name("projects/7/result.png")})
        self.assertEqual((status, data), (200, b"pixels" * 1000))
        self.assertNotEqual(self.get("/spool/projects/7/result.png")[0], 200)
        self.assertNotEqual(self.get("/results/7", headers={"X-Want": self.spool_name("../keep/settings")})[0], 200)
        self.assertNotEqual(self.get("/results/7", headers={"X-Want": self.spool_name("/../state/farmgate.db")})[0], 200)

    def test_security_headers(self):
        answer = self.get("/")[2]
        self.assertEqual(answer.getheader("X-Content-Type-Options"), "nosniff")
        self.assertEqual(answer.getheader("X-Frame-Options"), "DENY")
        self.assertEqual(answer.getheader("Referrer-Policy"), "same-origin")
        self.assertEqual(answer.getheader("Content-Security-Policy"),
                         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; "
                         "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")


    def test_the_other_farms_door_is_not_there(self):
        with open(f"{self.dir}/web/{self.server}.conf") as conf:
            self.assertNotIn("farmapi", conf.read())


class Ports(unittest.TestCase):
    def test_who_needs_no_login_has_a_port_alone(self):
        top = tempfile.mkdtemp(prefix="fg")
        self.addCleanup(shutil.rmtree, top)
        for port, fine in (("8081", False), ("2254", False), ("7778", True)):
            with open(top + "/farmgate.conf", "w") as conf:
                conf.write(f"batch_user = ann\ncompat_2254 = 1\nbatch_listen = 127.0.0.1:{port}\n")
            done = subprocess.run([os.path.join(TOP, "tools/farmgate-spawn"), "--dir", top, "configure", "--programs", top, "--port", "8081", "--tls-port", "0",
                                   "--listen", "127.0.0.2"], capture_output=True, text=True)
            self.assertEqual((done.returncode == 0, "a port of its own" in done.stderr), (fine, not fine), done.stderr)


    def test_addresses_are_as_clients_write_them(self):
        """The usual ports are in nobody's Host."""
        top = tempfile.mkdtemp(prefix="farmgate-test-")
        try:
            for port, tail in ((80, ""), (8080, ":8080")):
                subprocess.run([SPAWN, "--dir", f"{top}/{port}", "configure", "--port", str(port), "--tls-port", "0", "--listen", "farm.example.org", "--programs", os.environ["top_builddir"]],
                               check=True)
                url, hosts = "http://farm.example.org" + tail, {name + tail for name in ("farm.example.org", "localhost", "127.0.0.1")}
                with open(f"{top}/{port}/farmgate.conf") as conf:
                    lines = dict(line.rstrip().split(" = ") for line in conf if " = " in line)
                self.assertEqual((lines["public_url"], set(lines["public_hosts"].split())), (url, hosts))
        finally:
            shutil.rmtree(top)


class Nginx(Doors, Web, unittest.TestCase):
    sender = "X-Accel-Redirect: %s\r\n"

    def spool_name(self, name):
        return "/spool/" + name

    def conf(self):
        with open(self.dir + "/web/nginx.conf") as conf:
            return conf.read()

    def test_nginx_accepts_it(self):
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        done = subprocess.run([nginx, "-t", "-c", self.dir + "/web/nginx.conf"], stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("[warn]", done.stderr)

    def test_rules(self):
        conf = re.sub(r"^\s*#.*", "", self.conf(), flags=re.M)
        self.assertNotRegex(conf, r"location\s+~\*?\s")
        self.assertNotRegex(conf, r"fastcgi_keep_conn\s+on|\bssi\s+on|\bslice\b|\bmap\b")
        self.assertNotRegex(conf, r"@[A-Z_]+@")
        self.assertEqual(len(re.findall(r"listen [^;]*backlog=4096;", conf)), 2)
        self.assertIn("worker_connections 4096;", conf)
        streamed = re.findall(r"location (?:=|\^~) (\S+) \{[^}]*fastcgi_request_buffering off", conf)
        self.assertEqual([url for url in streamed if not url.startswith("/api/upload")], ["/batch", "/batch/", "/test", "/test/", "/server", "/server/", "/api/batches", "/api/batches/"])
        self.assertEqual(len(streamed), 10)
        for name, _, _, body, *_, options in endpoints(): # what has no limit is not kept for strangers
            self.assertTrue(body != "0" or options == "streamed", name)
        for name, url, _, body, seconds, _ in endpoints():
            block = re.search(r"location = %s \{([^}]*)\}" % re.escape(address_of(url)), conf).group(1)
            self.assertIn(f"client_max_body_size {body};", block)
            self.assertIn(f"fastcgi_read_timeout {seconds}s;", block)
            self.assertIn(f"/{name}.sock", block)
            self.assertIn("error_log /dev/null;", block)

    def test_request_id(self):
        self.assertRegex(self.params("/server/config.php")[1]["REQUEST_ID"], r"^[0-9a-f]{32}$")

    def test_logins_are_limited_at_once(self):
        answers = [self.get("/api/login")[0] for _ in range(160)]
        self.assertIn(429, answers)
        self.assertLessEqual(set(answers), {200, 429})


class Lighttpd(Doors, Web, unittest.TestCase):
    server = "lighttpd"
    sender = "X-Sendfile: %s\r\n"

    def spool_name(self, name):
        return f"{self.dir}/spool/{name}"

    def test_lighttpd_accepts_it(self):
        lighttpd = shutil.which("lighttpd") or "/usr/sbin/lighttpd"
        done = subprocess.run([lighttpd, "-tt", "-f", self.dir + "/web/lighttpd.conf"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_settings_follow(self):
        with open(self.dir + "/farmgate.conf") as conf:
            self.assertIn("file_sender = sendfile", conf.read())


class Logs:
    """No query string of a worker client's is in any log, whatever goes wrong."""

    def test_secret_is_in_no_log(self):
        asked = 0
        for url in ("/", "/server/config.php", "/server/request_job.php", "/server/send_frame.php", "/account.php", "/api/projects"):
            for method, body in (("GET", None), ("POST", b"x" * (5 << 20))):
                path = f"{url}?login=zoe&password={SECRET}&version=1"
                try:
                    status = self.get(path, method, body, {"Referer": f"http://127.0.0.1{path}"})[0]
                except (BrokenPipeError, ConnectionResetError, http.client.HTTPException):
                    status = 413
                self.assertGreaterEqual(status, 400 if url != "/account.php" else 200, url)
                asked += 1
        self.assertEqual(asked, 12)
        logs = self.logs()
        self.assertIn("/server/request_job.php", logs)
        self.assertNotIn(SECRET, logs)
        self.assertNotIn("zoe", logs)


class BrokenNginx(Logs, Web, unittest.TestCase):
    """No program is there (502), one never answers (504), bodies are too large (413)."""
    sender = "%s"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for peer in cls.peers:
            peer.close()
        for name in ("config", "request_job"):
            os.unlink(f"{cls.dir}/run/{name}.sock")
        cls.peers = [Peer(f"{cls.dir}/run/{name}.sock", silent=True) for name in ("config", "send_frame")]

    @classmethod
    def tweak(cls):
        path = cls.dir + "/web/nginx.conf"
        with open(path) as conf:
            text = conf.read()
        with open(path, "w") as conf:
            conf.write(re.sub(r"fastcgi_(read|send)_timeout \d+s", r"fastcgi_\1_timeout 1s", text))


class BrokenLighttpd(BrokenNginx):
    server = "lighttpd"

    @classmethod
    def tweak(cls):
        path = cls.dir + "/web/lighttpd.conf"
        with open(path) as conf:
            text = conf.read()
        with open(path, "w") as conf:
            conf.write(re.sub(r'"(read|write)-timeout" => \d+', r'"\1-timeout" => 1', text))


if __name__ == "__main__":
    tap.main()
