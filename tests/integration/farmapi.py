"""farmapi: the other farm's programs at port 2254: its transcript (tests/data/portal-2254.jsonl) step by step, its files, who may come, and that what broke
it breaks nothing here."""
import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import unittest
import zipfile

import blendfile
import farm
import tap
from farm import Client, png, request

TRANSCRIPT = os.path.join(farm.TOP, "tests/data/portal-2254.jsonl")
VARIES = {"id", "blenderhash", "serverhash", "created", "size", "total", "free", "projectid", "chunkid", "dataid", "row", "column", "message", "waittime", "logs", "overscan"}
BOUNDARY = "------geckoformboundary6f"
COLOURS = {(0, 0): (200, 10, 10), (1, 0): (10, 200, 10), (0, 1): (10, 10, 200), (1, 1): (200, 200, 10)}  # by their row and column


def scene(width=160, height=90):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("proj/shot.blend", blendfile.make(width, height))
    return out.getvalue()


class Base(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        f = cls.farm
        cls.port = farm.free_port()
        with open(f.dir + "/farmgate.conf", "a") as conf:
            conf.write(f"compat_2254 = 1\ncompat_2254_port = {cls.port}\n")
        f.spawn("configure", "--port", f.port, "--tls-port", 0, "--server", cls.server, "--programs", farm.BUILD, "--htdocs", farm.TOP + "/htdocs", "--pool-max", 3,
                "--web-user", "root" if os.getuid() == 0 else "nobody")
        f.spawn("stop")
        f.spawn("start")
        f.renderer()
        for name, roles in (("adi", ["admin"]), ("bob", ["submitter"]), ("wim", ["worker"])):
            f.user(name, *roles)
        cls.key = f.key("wim")
        cls.name = "curl worker " + cls.key

    def setUp(self):
        self.farm.sql("DELETE FROM door")

    def call(self, path, send, headers=()):
        return request(self.port, "POST", path, [("Content-Type", "application/json"), *headers], json.dumps(send).encode())

    def open(self, name="adi", **how):
        body = f"name={name}&password={how.pop('password', 'long+enough')}".encode()
        return request(self.port, "POST", "/form/open", [("Content-Type", "application/x-www-form-urlencoded"), *how.get("headers", ())], body)

    def get(self, path, headers=()):
        return request(self.port, "GET", path, headers)

    def upload(self, fields, data, headers=()):
        parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
        file = b""
        if data is not None:
            file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="upload-file"; filename="proj.zip"\r\nContent-Type: application/zip\r\n\r\n'.encode() + data + b"\r\n"
        return request(self.port, "POST", "/form/uploadproject", [("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"), *headers],
                       file + b"".join(parts) + f"--{BOUNDARY}--\r\n".encode())

    def project(self, **fields):
        data = fields.pop("data", None) or scene()
        fields = {"upload-blendfile": "proj/shot.blend", "upload-title": "t", "upload-framestart": "1", "upload-cutinto": "2", "upload-overscan": "8",
                  **{"upload-" + name: value for name, value in fields.items()}}
        return self.upload(fields, data)

    def drain(self):
        for project in self.farm.json("project", "list"):
            if project["state"] in ("waiting", "rendering"):
                self.farm.admin("project", "cancel", project["id"])

    def join(self, name=None):
        answer = self.call("/api/join", {"name": name or self.name})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["id"]

    def job(self, who):
        return self.call("/api/getjob", {"id": who}).json

    def finish(self, who, chunk, picture, **more):
        return self.call("/api/finishjob", {"id": who, "chunkid": chunk, "success": True, "statuscode": 0, "image": base64.b64encode(picture).decode(),
                                            "renderdata": {"fps": 24, "fps_base": 1, "resolution_x": 160, "resolution_y": 90, "resolution_percentage": 100}, **more})

    def render_all(self, who, width=80, height=45):
        """As that farm's worker: each chunk without its overscan."""
        seen = []
        while True:
            job = self.job(who)
            if not job["available"]:
                return seen
            seen.append(job["chunkid"])
            self.assertEqual(job["chunkid"], f"{job['dataid']}_{job['frame']}_{job['row']}_{job['column']}")
            answer = self.finish(who, job["chunkid"], png(width, height, COLOURS[job["row"] % 2, job["column"] % 2]))
            self.assertEqual((answer.status, answer.json), (200, {"success": True}))

    def alike(self, wanted, got, where):
        self.assertEqual(type(wanted), type(got), where)
        if isinstance(wanted, dict):
            self.assertEqual(set(wanted), set(got), where)
            for name in wanted:
                if name not in VARIES:
                    self.alike(wanted[name], got[name], f"{where} {name}")
                else:
                    self.assertEqual(type(wanted[name]), type(got[name]), f"{where} {name}")
        elif isinstance(wanted, list):
            self.assertEqual(len(wanted), len(got), where)
            for one, other in zip(wanted, got):
                self.alike(one, other, where)
        else:
            self.assertEqual(wanted, got, where)


class Exchange(Base):
    def step(self, step, names):
        if "form" in step:
            return self.upload(step["form"], scene() if step["file"] == "zip" else b"no zip at all" * 50)
        return self.call(step["path"], {key: names.get(value, value) if isinstance(value, str) else value for key, value in step["send"].items()})

    def test_transcript(self):
        names = {"$name": self.name}
        self.farm.sql("UPDATE session SET ended_ms = 1 WHERE ended_ms = 0")
        self.assertEqual(self.open().status, 200)
        with open(TRANSCRIPT) as lines:
            steps = [json.loads(line) for line in lines]
        for step in steps:
            if "render" in step:
                other = self.join("second " + self.key)  # the first one failed it once
                self.assertEqual(len(self.render_all(names["$id"]) + self.render_all(other)), 4)
                self.call("/api/leave", {"id": other})
                continue
            answer = self.step(step, names)
            if "until" in step:
                answer = self.eventually(lambda: (lambda a: a if a.json["projects"][0]["rendered"] else None)(self.step(step, names)))
            with self.subTest(step["step"]):
                self.assertEqual(answer.status, step["status"], answer.body)
                self.assertTrue((answer.header("Content-Type") or "").startswith("application/json"))
                self.alike(step["answer"], answer.json, step["step"])
            names.update({f"${key}": answer.json[key] for key in ("id",) if key in answer.json})
            if "chunkid" in answer.json:
                names["$chunk"] = answer.json["chunkid"]
        self.files()

    def files(self):
        project = self.call("/api/projectsindex", {}).json["projects"][0]["id"]
        result = self.get(f"/dat/renders/{project}/result")
        self.assertEqual((result.status, result.header("Content-Type")), (200, "image/png"))
        path = self.farm.dir + "/result.png"
        with open(path, "wb") as f:
            f.write(result.body)
        rgb = subprocess.run(["convert", path, "-depth", "8", "rgb:-"], stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(len(rgb), 160 * 90 * 3)
        for (row, column), colour in COLOURS.items():
            x, y = 40 + 80 * row, 67 - 45 * column  # their row counts from the left, their column from the bottom
            self.assertEqual(tuple(rgb[(y * 160 + x) * 3:][:3]), colour)
        raw = self.eventually(lambda: (lambda a: a if a.status == 200 else None)(self.get(f"/dat/renders/{project}/raw")))
        self.assertEqual(sorted(zipfile.ZipFile(io.BytesIO(raw.body)).namelist()), [f"{project}-1-{r}-{c}.png" for r in (0, 1) for c in (0, 1)])
        self.assertEqual(self.get(f"/dat/thumbnails/{project}").header("Content-Type"), "image/jpeg")
        archive = self.get(f"/dat/projects/{project}")
        self.assertEqual(zipfile.ZipFile(io.BytesIO(archive.body)).namelist(), ["proj/shot.blend"])
        self.assertEqual([self.get(path).status for path in ("/dat/projects/99", "/dat/renders/99/raw", f"/dat/renders/{project}/other", "/dat/x", "/x")], [404] * 5)
        hashed = self.call("/api/join", {"name": self.name}).json["blenderhash"]
        blender = self.get("/dat/blender.tar.xz").body
        self.assertEqual(hashlib.sha256(blender).hexdigest(), hashed)
        with tarfile.open(fileobj=io.BytesIO(blender)) as tar:
            self.assertEqual({m.name.split("/")[0] for m in tar}, {"blender"})
            self.assertEqual(tar.getmember("blender/blender").mode, 0o755)
        points = [int(row["points"]) for row in self.farm.sql(f"SELECT points FROM project WHERE id = {project}")]
        self.assertGreaterEqual(points[0], 0)

    def test_logs(self):
        self.drain()
        self.open()
        who = self.join("logger " + self.key)
        self.call("/api/updatelogs", {"id": who, "newlogs": "".join(f"line {i}\n" for i in range(80))})
        mine = [w for w in self.call("/api/onlineworkers", {}).json["workers"] if w["name"] == "logger"][0]
        self.assertEqual((mine["currentlyrendering"], mine["logs"].splitlines()), ("Nothing", [f"line {i}" for i in range(30, 80)]))
        self.call("/api/updatelogs", {"id": who, "newlogs": "é" * 40000})
        log = self.call("/api/serverlog", {}).json["logs"]
        self.assertLessEqual(len(log), 50)
        self.assertIn("event=request", "".join(log))
        self.assertNotIn(self.key, "".join(log))
        self.assertNotIn(self.key.encode(), self.farm.logs())


@unittest.skipUnless(shutil.which("lighttpd") or os.path.exists("/usr/sbin/lighttpd"), "lighttpd is not here")
class ExchangeBehindLighttpd(Exchange):
    server = "lighttpd"
    settings = (("file_sender", "sendfile"),)


class Faults(Base):
    """The faults of the other farm's server, and who may come."""
    settings = (("login_failures", 4), ("project_errors", 3), ("task_tries", 50), ("worker_errors", 100))

    def test_closed_doors(self):
        self.farm.sql("DELETE FROM door")
        for path in ("projectsindex", "onlineworkers", "serverlog"):  # their dashboard shows why, with a 200
            answer = self.call("/api/" + path, {})
            self.assertEqual((answer.status, answer.json), (200, {"success": False, "message": f"open this address first: go to http://127.0.0.1:{self.port}/ and log in"}), path)
        self.assertEqual(self.call("/api/deleteproject", {"projectid": 1}).status, 401)
        self.assertEqual([self.project().status, self.get("/dat/blender.tar.xz").status, self.get("/dat/projects/1").status, self.get("/dat/renders/1/raw").status], [401] * 4)
        self.assertEqual([self.call("/api/cleardb", {"password": "x"}).status, request(self.port, "POST", "/form/uploadblender").status], [403, 403])
        self.assertIn(b"<form", self.get("/").body)
        self.assertEqual(self.open("bob", password="wrong").status, 401)
        self.assertFalse(self.call("/api/projectsindex", {}).json["success"])
        self.assertEqual(self.open("bob").status, 200)
        self.assertTrue(self.call("/api/projectsindex", {}).json["success"])
        self.assertEqual(self.call("/api/serverlog", {}).json, {"success": False, "message": "the server's log is for admins"})
        other = self.farm.project("adi")
        self.assertNotIn(other, [p["id"] for p in self.call("/api/projectsindex", {}).json["projects"]])
        self.assertEqual([self.call("/api/deleteproject", {"projectid": other}).status, self.get(f"/dat/projects/{other}").status, self.get(f"/dat/thumbnails/{other}").status],
                         [400, 404, 404])
        self.farm.admin("user", "disable", "bob")
        self.assertFalse(self.call("/api/projectsindex", {}).json["success"])
        self.farm.admin("user", "enable", "bob")
        request(self.port, "POST", "/form/close")
        self.assertFalse(self.call("/api/projectsindex", {}).json["success"])

    def test_a_worker_asks_what_goes_on(self):
        """Theirs does as soon as it has joined, ends when it is refused, and throws away the scenes of what it isn't told of."""
        self.farm.sql("DELETE FROM door")
        going, own = self.farm.project("adi"), self.farm.project("adi")
        adi = farm.Visitor(self.farm, "adi")
        self.assertEqual(adi.post(f"/api/projects/{own}/access", workers="mine").status, 200)
        over = self.farm.project("adi")
        self.farm.admin("project", "cancel", over)
        who = self.join()
        answer = self.call("/api/projectsindex", {"unfinishedonly": False})
        self.assertEqual(answer.status, 200)
        told = {p["id"]: p for p in answer.json["projects"]}
        self.assertEqual([p in told for p in (going, own, over)], [True, False, False])
        self.assertEqual(told[going], {"id": going, "title": "", "created": 0, "finished": False})
        self.assertFalse(self.call("/api/projectsindex", {}, [("Origin", "http://127.0.0.1:8080")]).json["success"])  # a page from there
        self.open("adi")
        both = {p["id"]: p["title"] for p in self.call("/api/projectsindex", {}).json["projects"]}
        self.assertEqual([both[p] for p in (going, own, over)], ["Test & <co>"] * 3)
        self.call("/api/leave", {"id": who})
        for project in (going, own):
            self.farm.admin("project", "cancel", project)

    def test_strangers_bodies(self):
        """Told by the head alone; what is small may come. An open address may send, and keeps being one while its worker calls."""
        def head(path):
            with farm.socket.create_connection(("127.0.0.1", self.port), timeout=30) as s:
                s.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\nContent-Length: {64 << 20}\r\n\r\n".encode())
                return int(s.recv(4096).split()[1])
        self.drain()
        self.assertEqual([head("/api/finishjob"), head("/form/uploadproject"), head("/api/join"), head("/")], [401, 401, 413, 413])
        self.open("bob")
        project = self.project(cutinto="1", data=scene(1400, 1400)).json["projectid"]
        who = self.join()
        self.farm.sql("DELETE FROM door")
        self.assertEqual(self.project(data=scene() + b"x" * (5 << 20)).status, 401)
        job = self.job(who)
        self.farm.sql("DELETE FROM door")
        self.assertEqual(self.call("/api/heartbeat", {"id": who}).status, 200)
        picture = png(1400, 1400, noise=os.urandom(1400 * 1400 * 3))
        self.assertEqual((len(picture) > 5 << 20, self.finish(who, job["chunkid"], picture).status), (True, 200))
        self.assertEqual(self.farm.show(project)["tasks_done"], 1)

    def test_guessing_passwords(self):
        """The limit is the same as at the portal's door, and counted together."""
        self.farm.sql("DELETE FROM failure")
        body = b"name=bob&password=guess"
        form = [("Content-Type", "application/x-www-form-urlencoded")]
        self.assertEqual([request(self.port, "POST", "/form/open", form, body).status for _ in range(3)], [401] * 3)
        self.assertEqual(request(self.farm.port, "POST", "/api/login", [("Content-Type", "application/json")], b'{"name":"bob","password":"guess"}').status, 401)
        self.assertEqual([self.open("bob").status, self.open("adi").status, request(self.port, "POST", "/form/open", [*form, ("X-Forwarded-For", "10.1.1.1")], body).status], [429] * 3)
        self.assertEqual(request(self.farm.port, "POST", "/api/login", [("Content-Type", "application/json"), ("X-Forwarded-For", "10.1.1.1")],
                                 b'{"name":"adi","password":"long enough"}').status, 429)
        self.farm.sql("DELETE FROM failure")
        self.assertEqual(self.open("bob").status, 200)

    def test_strangers_pages(self):
        self.open("bob")
        for headers, status in (([("Origin", "http://evil.example")], 403), ([("Origin", "null")], 403), ([("Origin", "http://127.0.0.1:8080")], 200),
                                ([("Origin", "http://127.0.0.1.evil.example:8080")], 403)):
            answer = self.call("/api/projectsindex", {}, headers)
            self.assertEqual(answer.status, status, headers)
            self.assertEqual(answer.header("Access-Control-Allow-Origin"), headers[0][1] if status == 200 else None)
        asked = request(self.port, "OPTIONS", "/api/join", [("Origin", "http://localhost:8080"), ("Access-Control-Request-Method", "POST")])
        self.assertEqual((asked.status, asked.header("Access-Control-Allow-Headers")), (204, "Content-Type"))
        self.assertEqual(request(self.port, "POST", "/api/projectsindex", [("Content-Type", "text/plain")], b"{}").status, 400)
        self.assertEqual(farm.raw(self.port, b"POST /api/heartbeat HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").status, 403)
        self.assertEqual(self.upload({"upload-blendfile": "proj/shot.blend"}, scene(), [("Origin", "http://evil.example")]).status, 403)

    def test_who_may_join(self):
        submitter = self.farm.key("bob")
        for name, status in (("orc", 400), ("orc " + "0" * 64, 400), (self.key, 400), (" " + self.key, 400), ("orc " + self.key[:-1], 400), ("orc " + submitter, 403), ("", 400)):
            self.assertEqual(self.call("/api/join", {"name": name}).status, status, name)
        self.assertEqual(self.call("/api/join", {"name": 5}).status, 400)
        self.assertEqual(request(self.port, "POST", "/api/join", [("Content-Type", "application/json")], b'{"name":').status, 400)

    def test_bad_uploads(self):
        self.open("bob")
        for wrong in ({"cutinto": "abc"}, {"cutinto": "0"}, {"cutinto": "-1"}, {"cutinto": "9"}, {"overscan": "300"}, {"framestart": "NaN"}, {"framestart": "-3"},
                      {"animation": "true", "framestart": "5", "frameend": "3"}):
            answer = self.project(**wrong)
            self.assertEqual((answer.status, answer.json["success"]), (400, False), wrong)
        self.assertEqual(self.upload({"upload-title": "no file"}, None).status, 400)
        moving = self.project(animation="true", framestart="10", frameend="11", cutinto="1", title="x" * 200).json["projectid"]
        self.assertEqual([p["totalchunks"] for p in self.call("/api/projectsindex", {}).json["projects"] if p["id"] == moving], [2])
        self.drain()

    def test_overscan_beyond_the_neighbour(self):
        """Chunks of 53 × 30 pixels with 64 around them: the workers cut off what they were told, so it may not be more than there is."""
        self.drain()
        self.open("bob")
        project = self.project(cutinto="3", overscan="64").json["projectid"]
        who = self.join()
        job = self.job(who)
        self.assertEqual((job["available"], job["dataid"]), (True, project))
        self.assertLessEqual(job["overscan"], 30)
        self.assertEqual(self.finish(who, job["chunkid"], png(53, 30)).status, 200)
        self.drain()

    def test_poison_stops_itself(self):
        """A scene that Blender can't render costs its budget of errors, and no worker twice."""
        self.drain()
        self.open("bob")
        project = self.project(cutinto="1").json["projectid"]
        for i in range(3):
            who = self.join(f"victim{i} {self.key}")
            self.assertTrue(self.job(who)["available"])
            self.assertEqual(self.call("/api/panic", {"id": who, "error": "1"}).status, 200)
            self.assertEqual(self.call("/api/getjob", {"id": who}).status, 400)
        shown = [p for p in self.call("/api/projectsindex", {}).json["projects"] if p["id"] == project][0]
        self.assertEqual((shown["finished"], shown["rendered"]), (True, False))
        self.assertIn("the worker broke down: 1", shown["message"])

    def test_garbage_pictures(self):
        self.drain()
        self.open("bob")
        project = self.project(cutinto="1").json["projectid"]
        for i, picture in enumerate((b"I am no picture", png(31, 18), png(160, 90)[:-40], png(160, 90, depth=16))):
            who = self.join(f"liar{i} {self.key}")
            job = self.job(who)
            if not job["available"]:
                break
            answer = self.finish(who, job["chunkid"], picture)
            self.assertEqual((answer.status, answer.json["message"]), (400, "Invalid image"))
        self.assertEqual(self.farm.show(project)["tasks_running"], 0)
        self.drain()
        self.project(cutinto="1")
        who = self.join("liar9 " + self.key)
        job = self.job(who)
        for letters in ("", "====", "%%%"):
            self.assertEqual(self.call("/api/finishjob", {"id": who, "chunkid": job["chunkid"], "success": True, "image": letters}).status, 400)
        self.assertEqual(self.call("/api/finishjob", {"id": who, "chunkid": "1_1_0_0_0", "success": True}).status, 400)
        self.assertEqual(self.call("/api/heartbeat", {"id": who}).status, 200)

    def test_only_what_they_can(self):
        """Their workers take no project that they would render otherwise than it was asked for; others take them."""
        self.drain()
        path = self.farm.dir + "/odd.blend"
        with open(path, "wb") as f:
            f.write(blendfile.make(160, 90))
        for extra in (("--percent", 50), ("--samples", 8), ("--tiles", "1x2"), ("--format", "exr"), ("--tiles", "7x7")):
            self.farm.json("project", "add", path, "--owner", "bob", "--frames", "1", *extra)
        plain = self.farm.json("project", "add", path, "--owner", "bob", "--frames", "1", "--tiles", "2x2", "--overscan", "8", "--format", "png")["id"]
        self.open("bob")
        told = {p["id"]: p["message"] for p in self.call("/api/projectsindex", {"unfinishedonly": True}).json["projects"]}
        for project, why in zip(range(plain - 5, plain + 1), ("chooses what they can't set", "chooses what they can't set", "as many rows", "neither PNG nor JPEG", "to the pixel", "")):
            self.assertIn(why, told[project])
        self.assertEqual(told[plain], "")
        request(self.port, "POST", "/form/close")
        who = self.join()
        job = self.job(who)
        self.assertEqual(job["dataid"], plain)
        self.assertEqual(self.get(f"/dat/projects/{plain}").status, 200)
        self.assertEqual(self.get(f"/dat/projects/{plain - 1}").status, 401)  # it renders no task of that one
        self.assertEqual(self.finish(who, job["chunkid"], png(80, 45)).status, 200)
        stock = Client(self.farm, "6.22306.0", "wim", self.key, host="stock")
        stock.config()
        self.assertNotIsInstance(stock.job(), int)
        self.drain()

    def test_mixed_workers(self):
        """Tiles with and without their overscan make one frame."""
        self.drain()
        path = self.farm.dir + "/mixed.blend"
        with open(path, "wb") as f:
            f.write(blendfile.make(160, 90))
        project = self.farm.json("project", "add", path, "--owner", "bob", "--frames", "1", "--tiles", "2x2", "--overscan", "8", "--format", "png")["id"]
        who = self.join()
        job = self.job(who)
        self.assertEqual(self.finish(who, job["chunkid"], png(80, 45)).status, 200)
        stock = Client(self.farm, "6.22306.0", "wim", self.key, host="mix")
        stock.config()
        for _ in range(3):
            self.assertEqual(stock.upload(stock.job(), png(88, 53)).xml.get("status"), "0")
        self.eventually(lambda: self.farm.show(project)["state"] == "finished", 60)

    def test_late_is_not_lost(self):
        self.drain()
        self.open("bob")
        self.project(cutinto="1")
        who = self.join()
        job = self.job(who)
        self.farm.sql("UPDATE lease SET until_ms = 1 WHERE state = 'live'")
        other = self.join("other " + self.key)
        self.assertEqual(self.job(other)["chunkid"], job["chunkid"])
        self.assertEqual(self.finish(who, job["chunkid"], png(160, 90)).json, {"success": True})
        self.assertEqual(self.finish(other, job["chunkid"], png(160, 90)).json, {"success": True})
        self.assertFalse(self.job(other)["available"])

    def test_off(self):
        self.farm.admin("set", "compat_2254", 0)
        try:
            self.eventually(lambda: self.call("/api/heartbeat", {}).status == 404)
        finally:
            self.farm.admin("set", "compat_2254", 1)
        self.eventually(lambda: all(self.call("/api/heartbeat", {}).status == 200 for _ in range(20)))  # each of its processes


if __name__ == "__main__":
    tap.main()
