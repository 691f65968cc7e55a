"""protocol: the worker protocol, byte by byte as each stock generation sends it, against the real portal behind nginx and behind lighttpd."""
import hashlib
import os
import shutil
import unittest

import farm
import tap
from farm import Client, png

GENERATIONS = ["3.3.2", "6.20295.0", "6.22306.0", "7.24086.0"]
UNION = ["id", "use_gpu", "archive_md5", "path", "frame", "synchronous_upload", "revision", "extras", "validation_url", "name", "password"]


def status(answer):
    return int(answer.xml.get("status"))


class Base(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.renderer = cls.farm.renderer()
        cls.key = cls.farm.key("alice", "worker", "submitter")

    def client(self, version="6.22306.0", **how):
        client = Client(self.farm, version, "alice", self.key, **how)
        self.assertEqual(status(client.config()), 0)
        return client

    def drain(self):
        """Nothing of another test waits."""
        for project in self.farm.json("project", "list"):
            if project["state"] in ("waiting", "rendering", "paused"):
                self.farm.admin("project", "cancel", project["id"])


class Generations(Base):
    def whole(self, version):
        self.drain()
        project = self.farm.project(owner="alice", frames="340-341", tiles="2x1", width=33, height=19)
        c = Client(self.farm, version, "alice", self.key)
        answer = c.config()
        config = answer.xml
        self.assertEqual((config.get("status"), config.get("publickey")), ("0", ""))
        self.assertTrue(answer.body.startswith(b'<?xml version="1.0" encoding="utf-8" ?>\n<config status="0"'))
        self.assertEqual([k for k, _ in answer.headers if k.lower() == "set-cookie"], ["Set-Cookie"])
        paths = {r.get("type"): r.get("path") for r in config.findall("request")}
        for kind in ("validate-job", "request-job", "download-archive", "error", "keepmealive", "logout"):
            self.assertIn(kind, paths)
        self.assertEqual("download-chunk" in paths, version.startswith("7."))
        if version == "6.22306.0":
            self.assertEqual(status(c.error(kind="0")), 0)
        seen = set()
        for i in range(4):
            job = c.job(cached=["48dd84ceea330a9da6030e0a2c465760"] if i else [])
            self.assertNotIsInstance(job, int)
            for name in UNION:
                self.assertIsNotNone(job.get(name), name)
            self.assertEqual(job.get("frame"), "%04d" % (340 + i // 2))
            self.assertGreaterEqual(int(job.get("id")), 1000)
            self.assertNotIn(job.get("id"), seen)
            seen.add(job.get("id"))
            renderer = job.find("renderer")
            self.assertEqual(renderer.get("commandline"), ".e --factory-startup --disable-autoexec -b .c -o .o -f .f -x 1")
            script = job.find("script").text
            self.assertTrue(script.startswith("import bpy") and "def sheepit_set_compute_device(device_type, device_family, device_id):" in script)
            compile(script, "script", "exec")
            self.assertEqual(self.fetch(c, job, version), (renderer.get("md5"), job.get("archive_md5")))
            self.assertEqual(status(c.beat(job)), 0)
            height = [9, 10][i % 2]
            self.assertEqual(status(c.upload(job, png(33, height))), 0)
            self.assertEqual(status(c.upload(job, png(33, height))), 0)  # a repeated one is answered 0 and dropped
        self.assertEqual(c.job(), 200)
        self.assertEqual(status(c.beat()), 0)
        c.logout()
        self.assertEqual(c.job(), 202)
        shown = self.farm.show(project)
        self.assertEqual((shown["tasks_done"], shown["frames_done"]), (4, 2))
        tiles = [n for _, _, names in os.walk(f"{self.farm.dir}/spool/projects/{project}/tiles") for n in names]
        self.assertEqual(len(tiles), 4)

    def fetch(self, c, job, version):
        number = job.get("id")
        if version.startswith("7."):
            chunks = job.find("chunks").findall("chunk")
            binary = c.send("GET", f"/server/download_binary.php?job={number}")
            scene = b"".join(c.send("GET", f"/server/download_chunk.php?chunk={k.get('id')}").body for k in chunks)
        else:
            self.assertIsNone(job.find("chunks"))
            binary = c.send("GET", f"/server/download.php?type=binary&job={number}")
            scene = c.send("GET", f"/server/download.php?type=job&job={number}" + ("&revision=0" if version == "3.3.2" else "")).body
        self.assertEqual(binary.status, 200)
        self.assertTrue(binary.body.startswith(b"PK"))
        return hashlib.md5(binary.body).hexdigest(), hashlib.md5(scene).hexdigest()

    def test_3_3_2(self):
        self.whole("3.3.2")

    def test_6_20295(self):
        self.whole("6.20295.0")

    def test_6_22306(self):
        self.whole("6.22306.0")

    def test_7_24086(self):
        self.whole("7.24086.0")

    def test_other_clients(self):
        """Two slashes, a trailing one, GET for request-job, POST for keepmealive, frames without zeros."""
        self.drain()
        self.farm.project(owner="alice", frames="1-1")
        c = self.client()
        answer = c.send("GET", "//server/request_job.php?computemethod=1")
        job = answer.xml.find("job")
        self.assertEqual(status(c.send("POST", "/server/keepmealive.php", ["Content-Type: application/x-www-form-urlencoded"], f"job={job.get('id')}&frame=1".encode())), 0)
        self.assertEqual(status(c.send("GET", "/server/keepmealive.php/")), 0)
        body = farm.multipart(png(32, 18), "x.png", "q")
        self.assertEqual(status(c.send("POST", f"/server/send_frame.php?job={job.get('id')}&frame=1", ["Content-Type: multipart/form-data; boundary=q"], body)), 0)

    def test_stats_and_points(self):
        """`stats` complete, byte by byte; a point is a minute of a core, and no more than the task was lent for."""
        self.drain()
        project = self.farm.project(owner="alice", frames="1-4")
        key = self.farm.key("penny", "worker")
        c = Client(self.farm, "6.20295.0", "penny", key, host="credits")
        c.config()
        first = c.request()
        self.assertRegex(first.body.decode(), r'<frames remaining="4"/>\s*<stats credits_session="0" credits_total="0" frame_remaining="\d+" waiting_project="\d+" '
                                              r'connected_machine="\d+" renderable_project="\d+"/>\s*<job id="\d+"')
        job = first.xml.find("job")
        self.farm.sql(f"UPDATE lease SET since_ms = since_ms - 600000 WHERE id = {job.get('id')}")
        self.assertEqual(status(c.upload(job, png(32, 18), rendertime=90)), 0)  # 90 s on two cores
        second = c.job()
        self.farm.sql(f"UPDATE lease SET since_ms = since_ms - 60000, gpu = 1 WHERE id = {second.get('id')}")
        self.assertEqual(status(c.upload(second, png(32, 18), rendertime=31536000)), 0)  # a year is not believed; a graphics card is ten cores
        stats = c.request().xml.find("stats")
        self.assertEqual((stats.get("credits_session"), stats.get("credits_total")), ("13", "13"))
        again = Client(self.farm, "6.22306.0", "penny", key, host="credits")
        again.config()
        stats = again.request().xml.find("stats")
        self.assertEqual((stats.get("credits_session"), stats.get("credits_total"), int(stats.get("frame_remaining")) >= 2), ("0", "13", True))
        self.assertEqual(self.farm.show(project)["points"] // 1000, 13)
        points = [int(row["points"]) for row in self.farm.sql("SELECT points FROM worker WHERE name = 'credits'")]
        self.assertEqual([p // 1000 for p in points], [13, 0])

    def test_root_is_config(self):
        answer = farm.request(self.farm.port, "GET", f"/?login=alice&password={self.key}&version=3.3.1762&os=linux&bits=64bit&cpu_cores=2&ram=1000000")
        self.assertEqual(status(answer), 0)

    def test_fields_anywhere(self):
        """job and frame as multipart fields; the file as a urlencoded field."""
        self.drain()
        self.farm.project(owner="alice", frames="1-2")
        c = self.client()
        job = c.job()
        fields = "".join(f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in (("job", job.get("id")), ("frame", "0001"))).encode()
        self.assertEqual(status(c.send("POST", "/server/send_frame.php", ["Content-Type: multipart/form-data; boundary=b"], fields + farm.multipart(png(32, 18), "a", "b"))), 0)
        job = c.job()
        body = f"job={job.get('id')}&frame=2&file=".encode() + b"".join(b"%%%02x" % b for b in png(32, 18))
        self.assertEqual(status(c.send("POST", "/server/send_frame.php", ["Content-Type: application/x-www-form-urlencoded"], body)), 0)
        self.assertEqual(c.job(), 200)


@unittest.skipUnless(shutil.which("lighttpd") or os.path.exists("/usr/sbin/lighttpd"), "lighttpd is not here")
class GenerationsBehindLighttpd(Generations):
    server = "lighttpd"
    settings = (("file_sender", "sendfile"),)


class Statuses(Base):
    settings = (("worker_errors", 4), ("worker_broken", 3), ("frame_bytes", 20000), ("oldest_version", "3.3.2"))

    def config(self, cookie=None, drop=(), **change):
        fields = {"login": "alice", "password": self.key, "version": "6.22306.0", "os": "linux", "bits": "64bit", "cpu_cores": "2", "ram": "24903680"}
        fields.update(change)
        query = "&".join(f"{k}={v}" for k, v in fields.items() if k not in drop)
        return status(farm.request(self.farm.port, "GET", "/server/config.php?" + query, [("Cookie", cookie)] if cookie else []))

    def test_config(self):
        for wanted, how in [
                (0, {}), (100, {"drop": ["version", "login"]}), (101, {"version": "3.3.1"}), (101, {"version": "3.2.9", "drop": ["login"]}), (0, {"version": "3.10.0"}),
                (104, {"drop": ["login"]}), (104, {"drop": ["password"]}), (104, {"drop": ["os"]}), (104, {"drop": ["bits"]}), (104, {"drop": ["cpu_cores"]}),
                (104, {"drop": ["ram"]}), (104, {"os": "beos"}), (104, {"bits": "16bit"}), (104, {"ram": "much"}), (102, {"login": "bob"}),
                (102, {"password": "0" * 64}), (102, {"password": "long+enough"}), (0, {"login": "ALICE"}),
                (103, {"drop": ["login"], "cookie": "FGWORKER=" + "0" * 64}), (0, {"cookie": "FGWORKER=" + "0" * 64}), (104, {"version": "6.1", "login": ""})]:
            self.assertEqual(self.config(**how), wanted, how)

    def test_ram_in_bytes_or_kib(self):
        self.config(hostname="bytes", ram=str(8 << 30))
        self.config(hostname="kib", ram=str(8 << 20))
        self.assertEqual([int(w["ram_kib"]) for w in self.farm.sql("SELECT ram_kib FROM worker WHERE name IN ('bytes', 'kib')")], [8 << 20, 8 << 20])

    def test_request_statuses(self):
        self.drain()
        c = self.client()
        self.assertEqual(c.job(), 200)
        c.cookie = "FGWORKER=" + "1" * 64
        self.assertEqual(c.job(), 202)
        c.cookie = None
        self.assertEqual(c.job(), 202)
        self.assertEqual(self.client(os_name="windows", host="win").job(), 205)
        self.farm.user("sub", "submitter")
        only = Client(self.farm, "6.22306.0", "sub", self.farm.key("sub"))
        self.assertEqual(status(only.config()), 0)
        self.assertEqual(only.job(), 201)

    def test_revoked_and_disabled(self):
        key = self.farm.key("carl", "worker")
        c = Client(self.farm, "6.22306.0", "carl", key)
        self.assertEqual(status(c.config()), 0)
        self.farm.admin("user", "disable", "carl")
        self.assertEqual(c.job(), 202)
        self.assertEqual(status(c.config()), 102)

    def test_send_frame(self):
        self.drain()
        project = self.farm.project(owner="alice", frames="1-8")
        c, good = self.client(host="sender"), png(32, 18)
        job = c.job()
        self.assertEqual(status(c.send("POST", "/server/send_frame.php?frame=0001", ["Content-Type: multipart/form-data; boundary=b"], farm.multipart(good, "a", "b"))), 300)
        self.assertEqual(status(c.send("POST", f"/server/send_frame.php?job={job.get('id')}", ["Content-Type: multipart/form-data; boundary=b"], farm.multipart(good, "a", "b"))), 300)
        self.assertEqual(status(c.send("POST", f"/server/send_frame.php?job={job.get('id')}&frame=0001", ["Content-Type: multipart/form-data; boundary=b"], b"--b--\r\n")), 300)
        self.assertEqual(status(c.send("POST", "/server/send_frame.php?job=999999&frame=0001", ["Content-Type: multipart/form-data; boundary=b"], farm.multipart(good, "a", "b"))), 300)
        dead = self.client(host="dead")
        dead.logout()
        self.assertEqual(status(dead.upload(job, good)), 304)
        self.assertEqual(self.farm.show(project)["tasks_running"], 1)
        self.assertEqual(status(c.upload(job, good)), 0)
        for wanted, data in ((302, b"I am no picture"), (301, png(31, 18)), (301, good[:-30])):
            one = self.client(host=f"bad{wanted}{len(data)}")
            job = one.job()
            self.assertEqual(status(one.upload(job, data)), wanted)
            self.assertEqual(self.farm.show(project)["tasks_running"], 0)  # back in the queue at once
        noise = png(32, 18, noise=os.urandom(32 * 18 * 3)) + os.urandom(30000)
        one = self.client(host="large")
        self.assertEqual(status(one.upload(one.job(), noise)), 306)
        old = self.client("3.3.2", host="old", ram="24903681")
        self.assertEqual(status(old.upload(old.job(), noise)), 303)
        self.assertEqual(self.farm.show(project)["tasks_done"], 1)

    def test_aside(self):
        self.drain()
        self.farm.project(owner="alice", frames="1-9")
        c = self.client(host="breaker")
        for _ in range(3):
            self.assertEqual(status(c.upload(c.job(), png(5, 5))), 301)
        self.assertEqual(c.job(), 203)
        again = self.client(host="breaker")
        self.assertEqual(again.job(), 203)
        number = [w["id"] for w in self.farm.json("worker", "list") if w["name"] == "breaker"][0]
        self.farm.admin("worker", "enable", number)
        self.assertNotIsInstance(again.job(), int)

    def test_error_reports(self):
        self.drain()
        project = self.farm.project(owner="alice", frames="1-3")
        c = self.client(host="reporter")
        self.assertEqual(status(c.error()), 0)
        self.assertEqual(status(c.error(kind="0")), 0)
        job = c.job()
        self.assertEqual(status(c.error(job, kind="8")), 0)
        self.assertEqual(self.farm.show(project)["tasks_running"], 0)
        lease = self.farm.sql(f"SELECT state, outcome, log FROM lease WHERE id = {job.get('id')}")[0]
        self.assertEqual((lease["state"], int(lease["log"])), ("failed", 1))
        self.assertIn("no such thing", lease["outcome"])
        self.assertTrue(os.path.exists(f"{self.farm.dir}/spool/projects/{project}/logs/{job.get('id')}.txt.gz"))
        other = c.job()
        self.assertNotEqual(other.get("frame"), job.get("frame"))
        self.assertEqual(status(c.error(other, kind="20")), 0)  # its owner stopped it: nobody's fault
        self.assertEqual(int(self.farm.sql(f"SELECT errors FROM project WHERE id = {project}")[0]["errors"]), 1)

    def test_cancel_stops(self):
        self.drain()
        project = self.farm.project(owner="alice", frames="1-2")
        one, two = self.client(host="c1"), self.client(host="c2")
        jobs = one.job(), two.job()
        self.farm.admin("project", "cancel", project)
        self.assertEqual((status(one.beat(jobs[0])), status(two.beat(jobs[1]))), (400, 400))
        self.assertEqual(status(one.upload(jobs[0], png(32, 18))), 0)
        self.assertEqual(self.farm.show(project)["tasks_done"], 0)

    def test_downloads_only_what_is_lent(self):
        self.drain()
        self.farm.project(owner="alice", frames="1-2")
        other_key = self.farm.key("dora", "worker")
        c, other = self.client(host="d1"), Client(self.farm, "6.22306.0", "dora", other_key)
        other.config()
        number = c.job().get("id")
        get = "/server/download.php?type="
        for who, target, wanted in ((c, f"{get}job&job={number}&revision=0", 200), (c, f"{get}job&job={number}&revision=1", 404), (c, f"{get}shadow&job={number}", 404),
                                    (c, f"{get}job&job=1", 404), (c, f"{get}job", 404), (other, f"{get}job&job={number}", 404), (other, f"{get}binary&job={number}", 404)):
            self.assertEqual(who.send("GET", target).status, wanted, target)
        c.logout()
        self.assertEqual(c.send("GET", f"{get}job&job={number}").status, 404)

    def test_evicts_what_nobody_needs(self):
        self.drain()
        project = self.farm.project(owner="alice", frames="1-1", title="evict me")
        scene = self.farm.show(project)["archive_md5"]
        c = self.client(host="e1")
        unknown = "0123456789abcdef0123456789abcdef"

        def evicted():
            return [f.get("md5") for f in c.request(cached=[unknown, scene, self.renderer["md5"]]).xml.findall("file")]

        self.assertEqual(evicted(), [unknown])
        self.farm.admin("project", "cancel", project)
        self.assertEqual(sorted(evicted()), sorted([unknown, scene]))

    def test_hosts(self):
        self.drain()
        self.farm.project(owner="alice", frames="1-3")
        c = self.client(host="h1")
        self.assertIn(f"http%3A%2F%2F127.0.0.1%3A{self.farm.port}%2Fserver%2Fsend_frame.php%3Fjob%3D", c.job().get("validation_url"))
        answer = farm.raw(self.farm.port, f"GET /server/request_job.php HTTP/1.1\r\nHost: evil.example\r\nCookie: {c.cookie}\r\nConnection: close\r\n\r\n".encode())
        self.assertNotIn(b"evil", answer.body)

    def test_no_key_in_any_log(self):
        self.farm.project(owner="alice", frames="1-1")
        for client in (self.client("3.3.2"), self.client("6.22306.0")):
            client.request()
            client.beat()
        farm.request(self.farm.port, "GET", f"/?login=alice&password={self.key}&version=3.3.1762")
        farm.request(self.farm.port, "GET", f"/account.php?mode=logout&worker=1&password={self.key}")
        farm.request(self.farm.port, "POST", f"/server/config.php?password={self.key}", body=b"x" * (3 << 20))
        logs = self.farm.logs()
        self.assertIn(b"event=request", logs)
        self.assertNotIn(self.key.encode(), logs)
        self.assertNotIn(b"password=", logs)
        self.assertNotIn(b"FGWORKER", logs)


if __name__ == "__main__":
    tap.main()
