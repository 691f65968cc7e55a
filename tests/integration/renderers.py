"""renderers: an official archive comes in by the browser; check and purge by the browser: long work that holds no program."""
import hashlib
import os
import tarfile
import threading
import time

import farm
import tap
from farm import Client, Visitor, png


class Renderers(farm.Case):
    people = (("adi", "admin"), ("ann", "submitter"))

    def setUp(self):
        self.farm.sql("DELETE FROM failure")

    def upload(self, visitor, data, name):
        return self.ok(visitor.call("POST", "/api/upload", [("Content-Type", "multipart/form-data; boundary=b")], farm.multipart(data, name, "b")), 201)["id"]

    def archive(self, version):
        top, path = f"blender-{version}-linux-x64", self.farm.dir + "/upload.tar.xz"
        with open(self.farm.dir + "/blender-to-pack", "w") as f:
            f.write("#!/bin/sh\nexit 1\n")
        os.chmod(self.farm.dir + "/blender-to-pack", 0o755)
        with tarfile.open(path, "w:xz") as tar:
            tar.add(self.farm.dir + "/blender-to-pack", f"{top}/blender")
        with open(path, "rb") as f:
            return f.read()

    def imported(self, number):
        return self.eventually(lambda: [i for i in self.ok(self.adi.get("/api/renderers"))["imports"] if i["id"] == number and i["state"] != "working"], 60)[0]

    def test_import(self):
        data = self.archive("9.8.7")
        given = {"upload": self.upload(self.adi, data, "blender-9.8.7-linux-x64.tar.xz"), "os": "linux", "arch": "64bit"}
        self.assertEqual([self.nobody.post("/api/renderers", **given).status, self.ann.post("/api/renderers", **given, password="long enough").status,
                          self.adi.post("/api/renderers", **given).status, self.adi.post("/api/renderers", **given, password="wrong wrong").status], [401, 403, 400, 403])
        self.assertEqual(self.adi.post("/api/renderers", **{**given, "os": "amiga"}, password="long enough").status, 400)
        self.assertEqual(self.adi.post("/api/renderers", **{**given, "upload": "0" * 32}, password="long enough").status, 404)
        number = self.ok(self.adi.post("/api/renderers", **given, password="long enough"), 202)["import"]
        done = self.imported(number)
        self.assertEqual((done["state"], done["progress"], done["name"]), ("done", 1000, "blender-9.8.7-linux-x64.tar.xz"), done)
        got = self.ok(self.ann.get("/api/renderers"))
        made = [r for r in got["renderers"] if r["version"] == "9.8.7"]
        self.assertEqual(([(r["os"], r["bits"]) for r in made], got["imports"]), ([("linux", "64bit")], []))
        note = self.ok(self.adi.get("/api/audits?limit=1"))["audits"][0]
        self.assertEqual((note["action"], note["name"]), ("renderer.add", "adi"))
        self.assertIn(hashlib.sha256(data).hexdigest(), note["detail"])
        self.assertEqual(self.adi.get(f"/api/upload/{given['upload']}").status, 404)
        at = f"/api/renderers/{made[0]['id']}"
        self.assertEqual([self.ann.call("DELETE", at, data={"password": "long enough"}).status, self.adi.call("DELETE", at).status], [403, 400])
        self.ok(self.adi.call("DELETE", at, data={"password": "long enough"}), 204)
        self.assertNotIn("9.8.7", [r["version"] for r in self.ok(self.ann.get("/api/renderers"))["renderers"]])

    def test_garbage(self):
        number = self.ok(self.adi.post("/api/renderers", upload=self.upload(self.adi, b"no archive" * 100, "x.tar.xz"), password="long enough"), 202)["import"]
        failed = self.imported(number)
        self.assertEqual(failed["state"], "failed")
        self.assertNotEqual(failed["message"], "")

    def test_check_and_purge(self):
        self.farm.renderer()
        number = self.farm.project("ann", frames="1-2")
        key = self.farm.key("wim", "worker")
        worker = Client(self.farm, "6.22306.0", "wim", key)
        self.assertEqual(worker.config().xml.get("status"), "0")
        for other in self.farm.json("project", "list"):
            if other["id"] != number and other["state"] in ("waiting", "rendering"):
                self.farm.admin("project", "cancel", other["id"])
        self.assertEqual(worker.upload(worker.job(), png(32, 18)).xml.get("status"), "0")
        tiles = f"{self.farm.dir}/spool/projects/{number}/tiles"
        for root, _, names in os.walk(tiles):
            for name in names:
                os.unlink(os.path.join(root, name))
        self.assertEqual([v.post("/api/settings/check", mend=1).status for v in (self.nobody, self.ann)], [401, 403])
        for mend, mended in ((0, 0), (1, 1), (0, None)):
            self.ok(self.adi.post("/api/settings/check", mend=mend), 202)
            check = self.eventually(lambda: (lambda c: c if c["state"] in ("done", "failed") else None)(self.ok(self.adi.get("/api/settings/check"))), 30)
            self.assertEqual((check["state"], check["checked"] == check["total"]), ("done", True), check)
            if mended is None:
                self.assertEqual(check["findings"], [])
            else:
                self.assertEqual((len(check["findings"]), check["mended"]), (1, mended))
                self.assertIn("/tiles/", check["findings"][0])
        left = self.upload(self.ann, b"left behind", "left.blend")
        for given, status in (({}, 400), ({"password": "long enough", "name": "other"}, 400), ({"password": "wrong wrong", "name": "Farmgate"}, 403)):
            self.assertEqual(self.adi.post("/api/settings/purge", **given).status, status)
        self.assertEqual(self.ann.post("/api/settings/purge", password="long enough", name="Farmgate").status, 403)
        self.ok(self.adi.post("/api/settings/purge", password="long enough", name="Farmgate"), 202)
        self.eventually(lambda: self.ok(self.adi.get("/api/settings/purge"))["state"] == "done", 30)
        counts = {table: self.farm.sql(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in ("task", "lease", "frame", "product", "upload", "session", "worker", "visit")}
        self.assertEqual(set(counts.values()), {"0"}, counts)
        self.assertEqual([(p["state"], p["title"], p["blend"]) for p in self.farm.sql("SELECT state, title, blend FROM project")], [("deleted", "", "")])
        self.assertEqual(self.adi.get(f"/api/projects/{number}").status, 404)
        self.assertEqual(self.ann.get(f"/api/upload/{left}").status, 404)
        self.assertFalse(os.path.exists(f"{self.farm.dir}/spool/projects/{number}"))
        self.assertEqual([u["name"] for u in self.ok(self.adi.get("/api/users"))["users"]][:2], ["adi", "ann"])
        self.assertGreater(len(self.ok(self.adi.get("/api/renderers"))["renderers"]), 0)
        self.assertIn("farm.purge", [a["action"] for a in self.ok(self.adi.get("/api/audits"))["audits"]])
        again = Client(self.farm, "6.22306.0", "wim", key)
        self.assertEqual(again.config().xml.get("status"), "0")
        fresh = self.farm.project("ann", frames="1")
        self.assertGreater(fresh, number)  # no number is given out twice
        self.assertEqual(again.upload(again.job(), png(32, 18)).xml.get("status"), "0")
        self.eventually(lambda: self.ok(self.ann.get(f"/api/projects/{fresh}"))["state"] == "finished", 60)

    def purge(self):
        self.ok(self.adi.post("/api/settings/purge", password="long enough", name="Farmgate"), 202)
        return self.eventually(lambda: (lambda p: p if p["state"] in ("done", "failed") else None)(self.ok(self.adi.get("/api/settings/purge"))), 30)

    def test_purge_while_people_write(self):
        self.farm.renderer()
        with open(os.path.join(os.environ["top_srcdir"], "share/sample.blend"), "rb") as f:
            scene = f.read()
        end, odd = time.monotonic() + 5, []

        def write():
            visitor = Visitor(self.farm, "ann")
            while time.monotonic() < end:
                begun = visitor.post("/api/projects", upload=self.upload(visitor, scene, "a.blend"), frames="1", title="x")
                gone = visitor.call("DELETE", f"/api/projects/{begun.json['id']}") if begun.status == 201 else begun
                if (begun.status, gone.status) not in ((201, 204), (201, 404), (404, 404), (409, 409)) or b"has its tasks" in begun.body:
                    odd.append((begun.body, gone.status, gone.body))

        threads = [threading.Thread(target=write) for _ in range(2)]
        for thread in threads:
            thread.start()
        purges = []
        while time.monotonic() < end:
            purges.append(self.purge())
        for thread in threads:
            thread.join()
        self.assertEqual((odd, [p for p in purges if p["state"] != "done"]), ([], []))
        alive = {p["id"] for p in self.farm.sql("SELECT id FROM project WHERE state <> 'deleted'")}
        self.assertEqual(set(os.listdir(self.farm.dir + "/spool/projects")) - alive, set())

    def test_purge_leaves_what_came_since(self):
        number = self.farm.project("ann", frames="1")
        self.farm.sql(f"UPDATE project SET created_ms = created_ms + 3600000 WHERE id = {number}")
        self.assertEqual(self.purge()["state"], "done")
        self.assertEqual(self.ok(self.ann.get(f"/api/projects/{number}"))["id"], number)
        self.farm.sql(f"UPDATE project SET created_ms = 1 WHERE id = {number}")
        self.assertEqual(self.purge()["state"], "done")
        self.assertEqual(self.ann.get(f"/api/projects/{number}").status, 404)


if __name__ == "__main__":
    tap.main()
