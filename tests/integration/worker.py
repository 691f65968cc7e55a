"""farmgate-worker against a portal that answers as doc/protocol.md says, with renderers that behave and ones that don't."""
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import zipfile

import tap

WORKER = os.path.join(os.environ.get("top_builddir", "."), "farmgate-worker")
KEY = "k3y-of-the-worker"
SCRIPT = "import bpy\ndef sheepit_set_compute_device(a, b, c):\n\tpass\n"
COMMAND = ".e --factory-startup --disable-autoexec -b .c -o .o -f .f -x 1"
GOOD = """#!/bin/sh
while [ $# -gt 0 ]; do case $1 in -o) out=$2 ;; -f) frame=$2 ;; esac; shift; done
echo "Fra:1 Mem:1M (Peak 1M) | Time:00:00.09 | Remaining:00:01.00 | Scene, ViewLayer | Sample 1/2"
printf picture >"$out$frame.png"
echo "Saved: '$out$frame.png'"
"""


def bwrap_runs():
    return subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0 if shutil.which("bwrap") else False


def zip_of(name, data, mode=0o100755):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        entry = zipfile.ZipInfo(name)
        entry.create_system, entry.external_attr = 3, mode << 16
        z.writestr(entry, data)
    return out.getvalue()


class Portal(http.server.ThreadingHTTPServer):
    """Frames to hand out, and what was heard. `validate` and `beats` are answers in turn; the last one goes on."""
    daemon_threads = True

    def __init__(self, renderer=GOOD, scene=b"BLENDER-no", frames=1, scene_zip=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server_port
        self.renderer, self.scene = zip_of("rend.exe", renderer), scene_zip or zip_of("scene.blend", scene, 0o100644)
        self.frames, self.validate, self.beats, self.logins, self.asked = list(range(1, frames + 1)), [0], [0], [0], [0]
        self.heard, self.script, self.sessions, self.path, self.command = [], SCRIPT, 0, "scene.blend", COMMAND
        self.hold = threading.Event()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self):
        self.hold.set()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def of(self, name):
        with self.lock:
            return [h for h in self.heard if h["path"] == name]

    def wait(self, name, count=1, seconds=60):
        end = time.monotonic() + seconds
        while len(self.of(name)) < count:
            if time.monotonic() > end:
                raise AssertionError("%s was not called %d times: %r" % (name, count, [h["path"] for h in self.heard]))
            time.sleep(0.05)

    def next_of(self, answers):
        with self.lock:
            return answers.pop(0) if len(answers) > 1 else answers[0]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, data, kind="text/xml; charset=utf-8", status=200, cookie=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if cookie:
            self.send_header("Set-Cookie", "PHPSESSID=%s; path=/; HttpOnly" % cookie)
        self.end_headers()
        self.wfile.write(data)

    def status(self, root, number, **more):
        self.answer(('<?xml version="1.0"?><%s status="%d"/>' % (root, number)).encode(), **more)

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        heard = {"path": url.path, "query": dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)), "body": body, "target": self.path,
                 "method": self.command, "cookie": self.headers.get("Cookie", ""), "type": self.headers.get("Content-Type", "")}
        with self.server.lock:
            self.server.heard.append(heard)
        getattr(self, url.path.rsplit("/", 1)[1].replace(".php", ""))(heard)

    def config(self, heard):
        p = self.server
        status = p.next_of(p.logins)
        if status:
            return self.status("config", status)
        p.sessions += 1
        self.answer(b"""<?xml version="1.0" encoding="utf-8" ?><config status="0" publickey="">
  <request type="validate-job" path="/server/send_frame.php" /><request type="request-job" path="/server/request_job.php" />
  <request type="download-archive" path="/server/download.php" /><request type="error" path="/server/error.php" />
  <request type="keepmealive" path="/server/keepmealive.php" max-period="1440" />
  <request type="logout" path="/account.php?mode=logout&amp;worker=1" /></config>""", cookie="sess%d" % p.sessions)

    def request_job(self, heard):
        p = self.server
        status = p.next_of(p.asked)
        with p.lock:
            frame = p.frames.pop(0) if p.frames and not status else None
        if frame is None:
            return self.answer(b'<jobrequest status="%d"><file md5="%s" action="delete"/></jobrequest>' % (status or 200, b"e" * 32))
        where = urllib.parse.quote("%s/server/send_frame.php?job=%d&frame=%04d" % (p.url, 1000 + frame, frame), safe="")
        self.answer(('<?xml version="1.0" encoding="utf-8" ?><jobrequest status="0"><frames remaining="3"/><job id="%d" use_gpu="0" archive_md5="%s" path="%s" '
                     'frame="%04d" synchronous_upload="1" revision="0" extras="" validation_url="%s" name="my project" password="">'
                     '<renderer md5="%s" commandline="%s" update_method="remainingtime"/><script>%s</script></job></jobrequest>'
                     % (1000 + frame, hashlib.md5(p.scene).hexdigest(), p.path, frame, where, hashlib.md5(p.renderer).hexdigest(), p.command,
                        p.script.replace("&", "&amp;").replace("<", "&lt;"))).encode())

    def download(self, heard):
        self.answer(self.server.renderer if heard["query"]["type"] == "binary" else self.server.scene, "application/zip")

    def send_frame(self, heard):
        status = self.server.next_of(self.server.validate)
        self.status("jobvalidate", 0, status=status) if status >= 400 else self.status("jobvalidate", status)

    def keepmealive(self, heard):
        self.status("keepmealive", self.server.next_of(self.server.beats))

    def error(self, heard):
        self.status("error", 0)

    def account(self, heard):
        self.answer(b"bye", "text/plain")


def part(heard):
    """The one part of a multipart body: its headers and bytes."""
    boundary = re.search("boundary=(.*)", heard["type"]).group(1).encode()
    head, data = heard["body"].split(b"--" + boundary)[1].split(b"\r\n\r\n", 1)
    return head.decode(), data[:-2]


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="fg-worker-")
        self.key = os.path.join(self.dir, "key")
        with open(os.open(self.key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(KEY + "\n")
        self.cache = os.path.join(self.dir, "cache")
        self.running = []

    def tearDown(self):
        for p in self.running:
            if p.poll() is None:
                p.kill()
            p.communicate()
        shutil.rmtree(self.dir, ignore_errors=True)

    def portal(self, **about):
        p = Portal(**about)
        self.addCleanup(p.stop)
        return p

    def start(self, portal, *flags, confined=False):
        p = subprocess.Popen([WORKER, "--server", portal.url + "/", "--login", "alice", "--key-file", self.key, "--cache", self.cache]
                             + ([] if confined else ["--unconfined"]) + list(flags), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.running.append(p)
        return p

    def run_once(self, portal, *flags, **more):
        p = self.start(portal, "--once", *flags, **more)
        out = p.communicate(timeout=300)[0]
        return p.returncode, out


class Protocol(Case):
    def test_two_frames_and_out(self):
        portal = self.portal(frames=2)
        code, out = self.run_once(portal, "--name", "box 7")
        self.assertEqual(code, 0, out)
        form = dict(urllib.parse.parse_qsl(portal.of("/server/config.php")[0]["body"].decode()))
        self.assertEqual((form["login"], form["password"], form["os"], form["bits"], form["hostname"]), ("alice", KEY, "linux", "64bit", "box 7"))
        self.assertTrue(form["extras"].startswith("farmgate-worker/"))
        self.assertRegex(form["hwid"], "^[0-9a-f]{32}$")
        self.assertTrue(0 < int(form["ram"]) < 2 ** 30)
        asked = portal.of("/server/request_job.php")
        self.assertEqual([h["body"].count(b"<file ") for h in asked], [0, 2, 2])
        self.assertTrue(all("PHPSESSID=sess1" in h["cookie"] for h in asked))
        self.assertEqual([h["query"]["type"] for h in portal.of("/server/download.php")], ["binary", "job"])
        sent = portal.of("/server/send_frame.php")
        self.assertEqual([(h["query"]["job"], h["query"]["frame"]) for h in sent], [("1001", "0001"), ("1002", "0002")])
        self.assertTrue(all(int(h["query"]["rendertime"]) > 0 and int(h["query"]["memoryused"]) > 0 for h in sent))
        head, data = part(sent[0])
        self.assertIn('name="file"; filename="1001_0001.png"', head)
        self.assertEqual(data, b"picture")
        self.assertEqual(portal.of("/account.php")[0]["query"], {"mode": "logout", "worker": "1"})
        self.assertFalse(any(KEY in h["target"] for h in portal.heard) or KEY in out)
        self.assertEqual(os.listdir(os.path.join(self.cache, "jobs")), [])

    def test_machine_id_and_cache_stay(self):
        first, second = self.portal(), self.portal()
        self.run_once(first)
        self.run_once(second)
        ids = [urllib.parse.parse_qs(p.of("/server/config.php")[0]["body"].decode())["hwid"] for p in (first, second)]
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(second.of("/server/download.php"), [])

    def test_delete_is_obeyed(self):
        portal = self.portal(frames=0)
        os.makedirs(os.path.join(self.cache, "zips"))
        path = os.path.join(self.cache, "zips", "e" * 32 + ".zip")
        open(path, "w").close()
        self.assertEqual(self.run_once(portal)[0], 0)
        self.assertFalse(os.path.exists(path))

    def test_dead_session_logs_in_again(self):
        portal = self.portal()
        portal.asked = [202, 0]
        code, out = self.run_once(portal)
        self.assertEqual(code, 0, out)
        self.assertEqual(len(portal.of("/server/config.php")), 2)
        self.assertIn("PHPSESSID=sess2", portal.of("/server/send_frame.php")[0]["cookie"])

    def test_refusals_in_words(self):
        for logins, asked, words in (([102], [0], "key"), ([101], [0], "too old"), ([0], [201], "may not render"), ([0], [203], "set this machine aside"),
                                     ([0], [205], "no renderer")):
            portal = self.portal()
            portal.logins, portal.asked = logins, asked
            code, out = self.run_once(portal)
            self.assertEqual(code, 1, out)
            self.assertIn(words, out)

    def test_a_finished_frame_is_offered_until_taken(self):
        portal = self.portal()
        portal.validate = [503, 303, 0]
        code, out = self.run_once(portal)
        self.assertEqual(code, 0, out)
        self.assertEqual(len(portal.of("/server/send_frame.php")), 3)

    def test_a_new_session_still_delivers(self):
        portal = self.portal()
        portal.validate = [304, 0]
        code, out = self.run_once(portal)
        self.assertEqual(code, 0, out)
        self.assertIn("PHPSESSID=sess2", portal.of("/server/send_frame.php")[1]["cookie"])

    def test_refused_frames_are_dropped(self):
        for answer in (301, 413):
            portal = self.portal()
            portal.validate = [answer]
            code, out = self.run_once(portal)
            self.assertEqual((code, len(portal.of("/server/send_frame.php"))), (1, 1), out)
            self.assertIn(str(answer), out)

    def test_bad_downloads_are_reported(self):
        portal = self.portal()
        real = Handler.download
        try:
            Handler.download = lambda self, heard: self.answer(b"not the scene", "application/zip")
            code, out = self.run_once(portal)
        finally:
            Handler.download = real
        self.assertEqual(code, 1, out)
        self.assertIn("MD5", out)
        self.assertEqual(portal.of("/server/error.php")[0]["query"]["type"], "9")
        self.assertEqual(os.listdir(os.path.join(self.cache, "zips")), [])

    def test_archives_that_lead_out(self):
        portal = self.portal(scene_zip=zip_of("../../evil", b"x"))
        code, out = self.run_once(portal)
        self.assertEqual(code, 1, out)
        self.assertFalse(any("evil" in files for _, _, files in os.walk(self.dir)))
        self.assertEqual(len(portal.of("/server/error.php")), 1)

    def test_tasks_that_lead_out_are_not_begun(self):
        portal = self.portal(frames=1)
        portal.path = "../scene.blend"
        code, out = self.run_once(portal)
        self.assertIn("can't be understood", out)
        self.assertEqual(portal.of("/server/download.php"), [])

    def test_slots_are_sessions(self):
        portal = self.portal(frames=4)
        code, out = self.run_once(portal, "--slots", "2")
        self.assertEqual(code, 0, out)
        self.assertEqual((len(portal.of("/server/config.php")), len(portal.of("/server/send_frame.php")), len(portal.of("/account.php"))), (2, 4, 2))

    def test_flags(self):
        def run(*flags):
            p = subprocess.run([WORKER, *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
            return p.returncode, p.stdout

        self.assertEqual(run("--help")[0], 0)
        self.assertRegex(run("--version")[1], r"^farmgate-worker \d")
        full = ["--server", "http://127.0.0.1:9", "--login", "a", "--key-file", self.key, "--cache", self.cache]
        for flags in ([], ["--slots", "0", *full], ["--compute", "abacus", *full], ["--cache-limit", "x", *full], ["--what"], ["--blender", "/no/such", *full],
                      [*full, "more"]):
            self.assertEqual(run(*flags)[0], 1, flags)
        os.chmod(self.key, 0o644)
        self.assertIn("chmod 600", run("--blender", "/no/such", *full)[1])


class Renders(Case):
    def report(self, renderer):
        portal = self.portal(renderer=renderer)
        code, out = self.run_once(portal)
        self.assertEqual((code, len(portal.of("/server/send_frame.php"))), (1, 0), out)
        return portal.of("/server/error.php")[0]

    def test_failures_by_kind(self):
        for renderer, kind in (("#!/bin/sh\nexit 1\n", "8"), ("#!/bin/sh\necho \"Saved: '/x.png'\"\n", "8"), (GOOD + "exit 3\n", "8"),
                               ("#!/bin/sh\necho 'Error: Out of memory'\nexit 1\n", "21"), ("#!/bin/sh\nkill -9 $$\n", "21"),
                               ("#!/bin/sh\nkill -11 $$\n", "12"), ("#!/bin/sh\necho 'Traceback (most recent call last):'\nexit 1\n", "24")):
            heard = self.report(renderer)
            self.assertEqual((heard["query"]["type"], heard["query"]["job"], heard["query"]["frame"]), (kind, "1001", "0001"), renderer)
            self.assertIn("render_time", heard["query"])

    def test_logs_are_bounded_and_keep_both_ends(self):
        heard = self.report("#!/bin/sh\necho first\nhead -c 3000000 /dev/zero | tr '\\0' x | fold -w 100\necho; echo last\nexit 1\n")
        data = part(heard)[1]
        self.assertLessEqual(len(data), 256 << 10)
        self.assertTrue(data.startswith(b"first\n") and data.endswith(b"last\n"))

    def pids(self, marker):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    if marker.encode() in f.read():
                        found.append(pid)
            except OSError:
                pass
        return found

    def sleeper(self, trap=""):
        """A renderer with a child, both to be found by a number of their own; and that number."""
        number = str(100000 + int.from_bytes(os.urandom(3), "big"))
        return "#!/bin/sh\n%s\nsleep %s &\necho begun\nsleep %s\n" % (trap, number, number), number

    def gone(self, number):
        for _ in range(200):
            if not self.pids(number):
                return True
            time.sleep(0.05)
        return False

    def begin(self, confined, trap=""):
        renderer, number = self.sleeper(trap)
        portal = self.portal(renderer=renderer)
        worker = self.start(portal, confined=confined)
        end = time.monotonic() + 60
        while len(self.pids(number)) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        self.assertGreaterEqual(len(self.pids(number)), 2)
        return portal, worker, number

    def test_signals_kill_the_render_and_log_out(self):
        for number, trap in ((signal.SIGTERM, ""), (signal.SIGINT, "trap '' TERM")):
            portal, worker, marker = self.begin(False, trap)
            worker.send_signal(number)
            out = worker.communicate(timeout=60)[0]
            self.assertTrue(self.gone(marker), out)
            self.assertEqual((len(portal.of("/account.php")), len(portal.of("/server/error.php"))), (1, 0), out)
            shutil.rmtree(self.cache)

    def test_slots_are_stopped_too(self):
        renderer, number = self.sleeper()
        portal = self.portal(renderer=renderer, frames=2)
        worker = self.start(portal, "--slots", "2")
        portal.wait("/server/download.php", 3)
        worker.terminate()
        worker.communicate(timeout=60)
        self.assertTrue(self.gone(number))
        self.assertEqual(len(portal.of("/account.php")), 2)

    def test_a_heartbeat_can_stop_a_render(self):
        renderer, number = self.sleeper()
        portal = self.portal(renderer=renderer)
        portal.beats = [400]
        code, out = self.run_once(portal)
        beat = portal.of("/server/keepmealive.php")[0]["query"]
        self.assertEqual((beat["job"], beat["frame"], beat["progress"]), ("1001", "0001", "0"))
        self.assertTrue(int(beat["rendertime"]) >= 0 and int(beat["remainingtime"]) >= 0)
        self.assertEqual((code, len(portal.of("/server/error.php"))), (0, 0), out)
        self.assertTrue(self.gone(number))

    def test_heartbeats_go_out_during_downloads(self):
        portal = self.portal()
        real = Handler.download

        def slow(self, heard):
            data = self.server.renderer if heard["query"]["type"] == "binary" else self.server.scene
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:10])
            self.wfile.flush()
            self.server.wait("/server/keepmealive.php", 1)
            self.wfile.write(data[10:])

        Handler.download = slow
        try:
            code, out = self.run_once(portal)
        finally:
            Handler.download = real
        self.assertEqual(code, 0, out)
        self.assertIn("PHPSESSID=sess1", portal.of("/server/keepmealive.php")[0]["cookie"])


@unittest.skipUnless(bwrap_runs(), "bubblewrap can't run here")
class Confined(Renders):
    """What a hostile renderer or scene can reach."""
    test_failures_by_kind = test_logs_are_bounded_and_keep_both_ends = test_signals_kill_the_render_and_log_out = None
    test_slots_are_stopped_too = test_a_heartbeat_can_stop_a_render = test_heartbeats_go_out_during_downloads = None

    def probes(self, portal):
        """Shell lines, each naming what it could do."""
        with open(os.path.join(self.dir, "path"), "w") as f:
            f.write("x")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(os.path.join(self.dir, "sock"))
        listener.listen()
        return {"key": "cat '%s'" % self.key, "home": "ls '%s'" % self.dir, "passwd": "cat /etc/passwd", "root": "ls /root /home /var /work",
                "write-usr": "touch /usr/farmgate-test", "write-renderer": "touch /renderer/x",
                "tcp": "python3 -c \"import socket; socket.create_connection(('127.0.0.1', %d), 5)\"" % portal.server_port,
                "unix": "python3 -c \"import socket; socket.socket(socket.AF_UNIX).connect('%s/sock')\"" % self.dir,
                "process": "kill -0 %d" % os.getpid(), "environment": "test -n \"$FG_SECRET\""}

    def test_nothing_is_in_reach(self):
        portal = self.portal()
        probes = self.probes(portal)
        lines = ["%s >/dev/null 2>&1 && echo 'REACHED %s'" % (line, name) for name, line in probes.items()]
        portal.renderer = zip_of("rend.exe", "#!/bin/sh\n" + "\n".join(lines) + "\npython3 -c 'print(\"ALIVE\")'\ntouch /tmp/x && echo TMP\nexit 1\n")
        os.environ["FG_SECRET"] = "s"
        self.addCleanup(os.environ.pop, "FG_SECRET")
        code, out = self.run_once(portal, confined=True)
        log = part(portal.of("/server/error.php")[0])[1].decode()
        self.assertNotIn("REACHED", log)
        self.assertIn("ALIVE", log)
        self.assertIn("TMP", log)

    def test_the_probes_can_tell(self):
        """Unconfined the same lines do reach what they look for: the test above can fail."""
        portal = self.portal()
        probes = {k: v for k, v in self.probes(portal).items() if k in ("key", "home", "passwd", "tcp", "unix", "process")}
        lines = ["%s >/dev/null 2>&1 && echo 'REACHED %s'" % (line, name) for name, line in probes.items()]
        portal.renderer = zip_of("rend.exe", "#!/bin/sh\n" + "\n".join(lines) + "\nexit 1\n")
        self.run_once(portal)
        log = part(portal.of("/server/error.php")[0])[1].decode()
        self.assertEqual(sorted(re.findall("REACHED (.*)", log)), sorted(probes))

    def test_frames_are_delivered(self):
        portal = self.portal(frames=2)
        code, out = self.run_once(portal, confined=True)
        self.assertEqual((code, len(portal.of("/server/send_frame.php"))), (0, 2), out)

    def test_pictures_are_files_not_links(self):
        for steal in ("ln -s '%s' /job/out/1001_0001.png" % self.key, "rm -r /job/out; ln -s '%s' /job/out" % self.dir):
            portal = self.portal(renderer="#!/bin/sh\n%s\necho \"Saved: '/job/out/1001_0001.png'\"\n" % steal)
            shutil.copy(self.key, os.path.join(self.dir, "1001_0001.png"))
            code, out = self.run_once(portal, confined=True)
            self.assertEqual((code, len(portal.of("/server/send_frame.php"))), (1, 0), out)

    def test_killed_workers_leave_no_render(self):
        portal, worker, marker = self.begin(True)
        worker.kill()
        worker.communicate(timeout=60)
        self.assertTrue(self.gone(marker))

    def test_blender_beside_the_key_is_refused(self):
        path = os.path.join(self.dir, "blender")
        shutil.copy("/bin/true", path)
        code, out = self.run_once(self.portal(), "--blender", path, confined=True)
        self.assertEqual(code, 1)
        self.assertIn("folder of its own", out)


class NoBubblewrap(Case):
    def test_one_line_and_out(self):
        path = os.environ["PATH"]
        os.environ["PATH"] = self.dir
        try:
            code, out = self.run_once(self.portal(), confined=True)
        finally:
            os.environ["PATH"] = path
        self.assertEqual((code, out.count("\n")), (1, 1), out)
        self.assertIn("--unconfined", out)


@unittest.skipUnless(shutil.which("blender"), "Blender is not installed")
@unittest.skipUnless(bwrap_runs(), "bubblewrap can't run here")
class RealBlender(Case):
    def test_a_frame_and_a_thief(self):
        scene = os.path.join(self.dir, "s.blend")
        subprocess.run(["blender", "-b", "--factory-startup", "--python-expr", "import bpy; s = bpy.context.scene; s.render.engine = 'CYCLES'; s.cycles.samples = 2; "
                        "s.cycles.use_denoising = False; s.render.resolution_x = 32; s.render.resolution_y = 16; bpy.ops.wm.save_as_mainfile(filepath=%r)" % scene],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(scene, "rb") as f:
            portal = self.portal(scene=f.read(), renderer="#!/bin/sh\nexit 1\n")
        portal.script = SCRIPT + """
import os, socket
def reach(name, what):
    try:
        what()
    except OSError:
        print("SAFE", name)
    else:
        os._exit(9)
reach("key", lambda: open(%s).read())
reach("portal", lambda: socket.create_connection(("127.0.0.1", %d), 5))
reach("home", lambda: os.listdir("/root") or os.listdir("/home"))
""" % (json.dumps(self.key), portal.server_port)
        code, out = self.run_once(portal, "--blender", shutil.which("blender"), confined=True)
        reports = portal.of("/server/error.php")
        self.assertEqual(code, 0, out + (part(reports[0])[1].decode(errors="replace") if reports else ""))
        sent = portal.of("/server/send_frame.php")[0]
        self.assertTrue(part(sent)[1].startswith(b"\x89PNG"))
        self.assertGreater(int(sent["query"]["memoryused"]), 50000)
        self.assertEqual([h["query"]["type"] for h in portal.of("/server/download.php")], ["job"])


tap.main()
