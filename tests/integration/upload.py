"""upload: a scene comes in piece by piece over a line that breaks, becomes a project, is rendered, and its result leaves: behind nginx and lighttpd."""
import base64
import fcntl
import io
import json
import os
import socket
import struct
import threading
import time
import unittest
import zipfile

import blendfile
import farm
import tap
from farm import Client, png

PIECE = "application/offset+octet-stream"


class Caller(farm.Case):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm.renderer()
        cls.tokens = {}
        for name, roles in (("ann", ["submitter", "worker"]), ("eve", ["submitter"]), ("wim", ["worker"]), ("adi", ["admin"])):
            cls.farm.user(name, *roles)
            cls.tokens[name] = cls.farm.admin("token", "add", name, "test", *(["--scope", "admin"] if "admin" in roles else [])).split()[-1]

    def call(self, method, target, who="ann", headers=(), body=b"", data=None):
        headers = ([("Authorization", "Bearer " + self.tokens[who])] if who else []) + list(headers)
        if data is not None:
            headers, body = headers + [("Content-Type", "application/json")], json.dumps(data).encode()
        return farm.request(self.farm.port, method, target, headers, body)

    def begin(self, size, name="scene.blend", who="ann"):
        meta = "filetype " + base64.b64encode(b"x/y").decode() + ",filename " + base64.b64encode(name.encode()).decode()
        answer = self.call("POST", "/api/upload", who, [("Tus-Resumable", "1.0.0"), ("Upload-Length", size), ("Upload-Metadata", meta)])
        self.assertEqual(answer.status, 201, answer.body)
        return answer.header("Location")

    def piece(self, where, offset, data, who="ann"):
        return self.call("PATCH", where, who, [("Upload-Offset", offset), ("Content-Type", PIECE), ("Tus-Resumable", "1.0.0")], data)

    def offset(self, where):
        return int(self.call("HEAD", where).header("Upload-Offset"))


class Long(Caller):
    def doing(self, request, midst):
        """What HEAD tells of the upload while another request works on it, and that request's answer. `midst()` is done once meanwhile."""
        told, answers = [], []
        worker = threading.Thread(target=lambda: answers.append(request()))
        worker.start()
        while worker.is_alive():
            done = self.call("HEAD", self.where).header("Upload-Done")
            if done is not None:
                told.append(int(done))
                if len(told) == 1:
                    midst()
            time.sleep(0.05)
        worker.join()
        return told, answers[0]

    def test_long_work_tells_how_far_it_is(self):
        """bzip2 is slow enough, and has to be packed anew for stock clients."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as z:
            z.writestr("shot.blend", blendfile.make(32, 18))
            z.writestr("noise", os.urandom(24 << 20))
        self.where = self.begin(len(out.getvalue()), "slow.zip")
        self.assertEqual(self.piece(self.where, 0, out.getvalue()).status, 204)
        again = {"upload": self.where.rpartition("/")[2]}
        refused = []
        told, answer = self.doing(lambda: self.call("GET", self.where), lambda: None)
        self.assertEqual((answer.status, told == sorted(told), told != []), (200, True, True), told)
        self.assertIsNone(self.call("HEAD", self.where).header("Upload-Done"))
        told, answer = self.doing(lambda: self.call("POST", "/api/projects", data=again), lambda: refused.append(self.call("POST", "/api/projects", data=again)))
        self.assertEqual((answer.status, told == sorted(told), told != [], max(told) <= 1000), (201, True, True, True), told)
        self.assertEqual([r.status for r in refused], [409])
        self.assertEqual(len(self.call("GET", "/api/projects").json["projects"]), 1)
        self.assertEqual(self.call("HEAD", self.where).status, 404)
        with zipfile.ZipFile(f"{self.farm.dir}/spool/projects/{answer.json['id']}/source.zip") as z:
            self.assertEqual({entry.compress_type for entry in z.infolist()}, {zipfile.ZIP_DEFLATED})

    def test_nothing_is_copied(self):
        """What came whole becomes the project's file as it is."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            z.writestr("shot.blend", blendfile.make(32, 18))
        where = self.begin(len(out.getvalue()), "shot.zip")
        self.assertEqual(self.piece(where, 0, out.getvalue()).status, 204)
        was = os.stat(f"{self.farm.dir}/spool/incoming/upload-{where.rpartition('/')[2]}")
        made = self.call("POST", "/api/projects", data={"upload": where.rpartition("/")[2]})
        now = os.stat(f"{self.farm.dir}/spool/projects/{made.json['id']}/source.zip")
        self.assertEqual((made.status, now.st_ino, now.st_nlink, now.st_mode & 0o777), (201, was.st_ino, 1, 0o640), made.body)


class Uploads(Caller):
    settings = (("upload_bytes", 3000000),)

    def test_in_pieces_over_a_broken_line(self):
        scene = io.BytesIO()
        with zipfile.ZipFile(scene, "w") as z:
            z.writestr("my scene/shot.blend", blendfile.make(32, 18, 1, 2))
            z.writestr("my scene/noise", os.urandom(1 << 20))
        scene = scene.getvalue()
        where = self.begin(len(scene), "shöt.zip")
        self.assertEqual(self.piece(where, 0, scene[:1000]).status, 204)
        self.assertEqual(self.piece(where, 0, scene[:1000]).status, 409)
        self.assertEqual(self.piece(where, 1000, scene[1000:], "eve").status, 404)
        with socket.create_connection(("127.0.0.1", self.farm.port)) as s:  # announces all, and breaks off in the middle
            s.sendall((f"PATCH {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.tokens['ann']}\r\nUpload-Offset: 1000\r\nContent-Type: {PIECE}\r\n"
                       f"Content-Length: {len(scene) - 1000}\r\n\r\n").encode() + scene[1000:500000])
            time.sleep(0.3)
        self.eventually(lambda: self.offset(where) > 1000)
        time.sleep(0.3)
        there = self.offset(where)
        self.assertLessEqual(there, 500000)
        for _ in range(50):  # the program may still hold the broken one
            answer = self.piece(where, there, scene[there:])
            if answer.status != 409:
                break
            time.sleep(0.1)
            there = self.offset(where)
        self.assertEqual((answer.status, int(answer.header("Upload-Offset"))), (204, len(scene)))
        shown = self.call("GET", where).json
        self.assertEqual((shown["name"], shown["scene"]["scenes"][0]["width"]), ("shöt.zip", 32))
        answer = self.call("POST", "/api/projects", data={"upload": shown["id"], "title": "<b>Shot</b>", "frames": "1-2", "tiles": "1x2", "format": "png", "no-denoise": True})
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual((answer.json["tasks_total"], answer.json["blend"], answer.json["owner"]), (4, "my scene/shot.blend", "ann"))
        self.assertEqual(self.call("HEAD", where).status, 404)
        project = answer.json["id"]
        self.render(project)

    def render(self, project):
        c = Client(self.farm, "6.22306.0", "ann", self.farm.key("ann"))
        c.config()
        for _ in range(4):
            job = c.job()
            self.assertEqual(c.upload(job, png(16, 18, (200, 100, 50))).xml.get("status"), "0")
        address = f"/api/projects/{project}"
        self.eventually(lambda: self.call("GET", address).json["state"] == "finished", 60)
        shown = self.call("GET", address).json
        self.assertEqual((shown["result"], shown["raw"]), (f"/results/{project}/result.mp4", f"/results/{project}/raw.zip"))
        with open(f"{self.farm.dir}/spool/projects/{project}/result.mp4", "rb") as f:
            video = f.read()
        self.assertEqual(self.call("GET", shown["result"]).body, video)
        part = self.call("GET", shown["result"], headers=[("Range", "bytes=4-11")])
        self.assertEqual((part.status, part.body), (206, video[4:12]))
        self.assertEqual(self.call("GET", shown["result"], "adi").status, 200)
        self.assertEqual(self.call("GET", shown["result"], "eve").status, 404)
        self.assertEqual(self.call("GET", shown["result"], None).status, 401)
        names = zipfile.ZipFile(io.BytesIO(self.call("GET", shown["raw"]).body)).namelist()
        self.assertEqual(names, [f"{project}-{f}-0-{c}.png" for f in (1, 2) for c in (0, 1)])
        preview = self.call("GET", f"/api/preview/{project}/2")
        self.assertTrue(preview.status == 200 and preview.body.startswith(b"\xff\xd8"), preview.status)
        self.assertEqual(self.call("GET", f"/api/preview/{project}/2", "eve").status, 404)
        self.assertEqual(self.call("DELETE", address, "eve").status, 404)
        self.assertEqual(self.call("DELETE", address).status, 204)
        self.assertEqual(self.call("GET", shown["result"]).status, 404)

    def test_as_a_form(self):
        answer = self.call("POST", "/api/upload", headers=[("Content-Type", "multipart/form-data; boundary=b")], body=farm.multipart(blendfile.make(), "a.blend", "b"))
        self.assertEqual(answer.status, 201, answer.body)
        project = self.call("POST", "/api/projects", data={"upload": answer.json["id"]})
        self.assertEqual((project.status, project.json["title"], project.json["frames_total"]), (201, "a", 3))
        number = project.json["id"]
        for action, wanted in (("pause", "paused"), ("resume", "waiting"), ("cancel", "cancelled"), ("retry", "waiting")):
            answer = self.call("POST", f"/api/projects/{number}/{action}")
            self.assertEqual((answer.status, answer.json["state"]), (200, wanted))
        self.assertEqual(self.call("POST", f"/api/projects/{number}/priority", data={"priority": 7}).json["priority"], 7)
        self.assertEqual(self.call("POST", f"/api/projects/{number}/resume").status, 409)
        self.assertEqual(self.call("POST", f"/api/projects/{number}/explode").status, 404)
        self.assertEqual(self.call("GET", f"/api/projects/{number}/cancel").status, 404)
        self.assertIn(number, [p["id"] for p in self.call("GET", "/api/projects").json["projects"]])
        self.assertNotIn(number, [p["id"] for p in self.call("GET", "/api/projects", "eve").json["projects"]])
        self.assertIn(number, [p["id"] for p in self.call("GET", "/api/projects", "adi").json["projects"]])
        self.assertEqual(self.call("DELETE", f"/api/projects/{number}").status, 204)

    def test_refusals(self):
        self.assertEqual(self.call("POST", "/api/upload", "wim", [("Upload-Length", 10)]).status, 403)
        self.assertEqual(self.call("POST", "/api/upload", None, [("Upload-Length", 10)]).status, 401)
        self.assertEqual(self.call("POST", "/api/upload", "ann", [("Upload-Length", 3000001)]).status, 413)
        self.assertEqual(self.call("POST", "/api/upload", "ann", [("Upload-Length", "-5")]).status, 400)
        self.assertEqual(self.call("POST", "/api/upload").status, 400)
        options = self.call("OPTIONS", "/api/upload", None)
        self.assertEqual((options.status, options.header("Tus-Version"), options.header("Tus-Max-Size")), (204, "1.0.0", "3000000"))
        where = self.begin(5)
        self.assertEqual(self.call("POST", "/api/projects", data={"upload": where.split("/")[-1]}).status, 409)
        self.assertEqual(self.piece(where, 0, b"123456").status, 413)
        self.assertEqual(self.call("PATCH", where, headers=[("Upload-Offset", 0)], body=b"1").status, 415)
        there = self.offset(where)
        self.assertEqual(self.piece(where, there, b"12345"[there:]).status, 204)
        self.assertEqual(self.call("GET", where).status, 422)
        self.assertEqual(self.call("POST", "/api/projects", data={"upload": where.split("/")[-1]}).status, 422)
        self.assertEqual(self.call("DELETE", where, "eve").status, 404)
        self.assertEqual(self.call("DELETE", where).status, 204)
        self.assertEqual(self.call("HEAD", where).status, 404)
        for bad in ("/api/upload/../../etc/passwd", "/api/upload/" + "0" * 32, "/api/upload/x", "/api/projects/1x", "/api/projects/-1", "/api/preview/x", "/api/preview/1/x"):
            self.assertEqual(self.call("GET", bad).status, 404, bad)

    def test_hostile_zip(self):
        for name in ("../evil.blend", "/etc/evil.blend", "a/../../evil.blend"):
            data = io.BytesIO()
            with zipfile.ZipFile(data, "w") as z:
                z.writestr(name, blendfile.make())
            answer = self.call("POST", "/api/upload", headers=[("Content-Type", "multipart/form-data; boundary=b")], body=farm.multipart(data.getvalue(), "a.zip", "b"))
            made = self.call("POST", "/api/projects", data={"upload": answer.json["id"]})
            self.assertEqual(made.status, 422, (name, made.body))

    def scene(self, name="shot.zip"):
        """An upload that is whole: a scene and some noise."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            z.writestr("shot.blend", blendfile.make(32, 18))
            z.writestr("noise", b"noise" * 1000)
        where = self.begin(len(out.getvalue()), name)
        self.assertEqual(self.piece(where, 0, out.getvalue()).status, 204)
        return where

    def test_looking_takes_turns(self):
        """Two uploads of one user at once, three of all; what is being looked at is told by locks, so here they are taken by hand."""
        where = self.scene()
        mine = int([u for u in self.farm.json("user", "list") if u["name"] == "ann"][0]["id"]) * 2 + 16
        status = lambda: [self.call("GET", where).status, self.call("GET", where.replace("/api/", "/api/preview/")).status,
                          self.call("POST", "/api/projects", data={"upload": where.rpartition("/")[2]}).status]
        with open(self.farm.dir + "/state/looks.lock", "a+b") as lock:
            take = lambda at, count: fcntl.fcntl(lock, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, at, count, 0))
            take(mine, 1)
            self.assertEqual(self.call("GET", where).status, 200)
            take(mine, 2)
            self.assertEqual(status(), [429] * 3)
        with open(self.farm.dir + "/state/looks.lock", "a+b") as lock:
            take(0, 3)
            answer = self.call("GET", where)
            self.assertEqual((answer.status, "other people" in answer.json["message"]), (429, True))
            self.assertEqual(self.call("HEAD", where).status, 200)
        self.assertEqual(status(), [200, 404, 201])

    def test_slow_senders_leave_programs_to_others(self):
        """A user sends to half of the pool at once, all of them to all but one program of it: two of three, here."""
        self.farm.user("slow", "submitter")
        slow, crowd = farm.Visitor(self.farm, "slow"), []
        one = self.begin(1000)
        try:
            made = [slow.call("POST", "/api/upload", [("Tus-Resumable", "1.0.0"), ("Upload-Length", "1000"), ("Upload-Metadata", "filename eC5ibGVuZA==")]) for _ in range(3)]
            for answer in made[:2]:
                s = socket.create_connection(("127.0.0.1", self.farm.port), timeout=30)
                s.sendall(f"PATCH {answer.header('Location')} HTTP/1.1\r\nHost: 127.0.0.1:{self.farm.port}\r\nCookie: {slow.cookie}\r\nX-CSRF-Token: {slow.csrf}\r\n"
                          "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 1000\r\n\r\nx".encode())
                crowd.append(s)
            refused = lambda: slow.call("PATCH", made[2].header("Location"), [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")], b"x")
            with open(self.farm.dir + "/state/upload.lock", "a+b") as lock:  # both are at it
                held = lambda at: struct.unpack("hhqqi4x", fcntl.fcntl(lock, fcntl.F_OFD_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, at, 1, 0)))[0] != fcntl.F_UNLCK
                self.eventually(lambda: held(0) and held(1))
            self.assertEqual((refused().status, "at once already" in refused().json["message"]), (429, True))
            self.assertEqual(slow.call("HEAD", answer.header("Location")).status, 200)  # what brings nothing goes on
            answer = self.piece(one, 0, b"x" * 500)
            self.assertEqual((answer.status, "too many people" in answer.json["message"]), (429, True))
        finally:
            for s in crowd:
                s.close()
        self.eventually(lambda: self.piece(one, 0, b"x" * 500).status == 204)

    def test_inflated_once(self):
        """An archive that was found good is not inflated again; one that has changed since is."""
        where = self.scene()
        self.assertEqual(self.call("GET", where).status, 200)
        path = f"{self.farm.dir}/spool/incoming/upload-{where.rpartition('/')[2]}"
        if not os.listxattr(path):
            self.skipTest("no extended attributes here")
        was = os.stat(path)
        with open(path, "r+b") as f:
            data = f.read()
            f.seek(data.index(b"noisenoise") + 20)
            f.write(b"n0ise")
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
        answer = self.call("GET", where)
        self.assertEqual(answer.status, 200, answer.body)
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns + 1))
        self.assertIn(self.call("GET", where).status, (400, 422))

    def test_who_may_not_upload_sends_nothing(self):
        before = sorted(os.listdir(self.farm.dir + "/spool/incoming"))
        batch = self.farm.admin("token", "add", "wim", "test", "--scope", "batch").split()[-1]
        for path, token in (("/api/upload", self.tokens["wim"]), ("/batch/file", batch)):
            with socket.create_connection(("127.0.0.1", self.farm.port), timeout=30) as s:
                s.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                          f"Content-Length: {1 << 30}\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n\r\n".encode())
                self.assertEqual(int(s.recv(4096).split()[1]), 403, path)
                self.assertEqual(sorted(os.listdir(self.farm.dir + "/spool/incoming")), before)

    def test_negative_frames(self):
        answer = self.call("POST", "/api/upload", headers=[("Content-Type", "multipart/form-data; boundary=b")], body=farm.multipart(blendfile.make(), "a.blend", "b"))
        made = self.call("POST", "/api/projects", data={"upload": answer.json["id"], "frames": "-5-3"})
        self.assertEqual(made.status, 400)
        self.assertIn("negative", made.json["message"])


@unittest.skipUnless(os.path.exists("/usr/sbin/lighttpd"), "lighttpd is not here")
class UploadsBehindLighttpd(Uploads):
    server = "lighttpd"
    settings = (("upload_bytes", 3000000), ("file_sender", "sendfile"))

    def test_in_pieces_over_a_broken_line(self):
        """lighttpd hands a body on only when it is whole; the same in unbroken pieces."""
        scene = blendfile.make(32, 18, 1, 2)
        where = self.begin(len(scene))
        self.assertEqual(self.piece(where, 0, scene[:100]).status, 204)
        self.assertEqual(self.offset(where), 100)
        self.assertEqual(self.piece(where, 100, scene[100:]).status, 204)
        answer = self.call("POST", "/api/projects", data={"upload": where.split("/")[-1], "frames": "1-2", "tiles": "1x2", "format": "png"})
        self.assertEqual(answer.status, 201, answer.body)
        self.render(answer.json["id"])


class NoRoom(farm.Case):
    def test_full_disk(self):
        self.farm.renderer()
        project = self.farm.project(frames="1-2")
        c = Client(self.farm, "6.22306.0", "ann", self.farm.key("ann", "worker", "submitter"))
        c.config()
        job = c.job()
        self.farm.admin("set", "disk_reserve_bytes", 1 << 49)
        token = self.farm.admin("token", "add", "ann", "test").split()[-1]
        time.sleep(1.2)
        self.assertEqual(c.job(), 200)
        answer = farm.request(self.farm.port, "POST", "/api/upload", [("Authorization", "Bearer " + token), ("Upload-Length", 10)])
        self.assertEqual(answer.status, 507)
        batch = self.farm.admin("token", "add", "ann", "test", "--scope", "batch").split()[-1]
        for path, token in (("/api/upload", token), ("/batch/file", batch)):  # a form is told by its head, too
            with socket.create_connection(("127.0.0.1", self.farm.port), timeout=30) as s:
                s.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {1 << 30}\r\n\r\n--b\r\n".encode())
                self.assertEqual(int(s.recv(4096).split()[1]), 507, path)
        self.assertEqual(c.upload(job, png(32, 18)).xml.get("status"), "0")  # results are still taken
        self.assertEqual(self.farm.show(project)["tasks_done"], 1)


if __name__ == "__main__":
    tap.main()
