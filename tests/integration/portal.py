"""portal: what pages ask of projects: lists that are searched, frames that fill in, failures by cause, who may look, frames rendered once more, the feed."""
import struct

import farm
import tap
from farm import Client, png


class Portal(farm.Case):
    people = (("ann", "submitter"), ("bob", "submitter"), ("adi", "admin"))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm.renderer()
        cls.key, cls.other_key = cls.farm.key("wim", "worker"), cls.farm.key("zoe", "worker")

    def worker(self, host="vm", login="wim", key=None):
        client = Client(self.farm, "6.22306.0", login, key or self.key, host=host)
        self.assertEqual(client.config().xml.get("status"), "0")
        return client

    def render(self, project, worker, width=32, height=18, colour=(200, 100, 50)):
        """All that this project has; what other tests left is cancelled first."""
        for other in self.farm.json("project", "list"):
            if other["id"] != project and other["state"] in ("waiting", "rendering"):
                self.farm.admin("project", "cancel", other["id"])
        while True:
            job = worker.job()
            if isinstance(job, int):
                return
            self.assertEqual(worker.upload(job, png(width, height, colour)).xml.get("status"), "0")

    def finish(self, project):
        return self.eventually(lambda: (lambda p: p if p["state"] == "finished" else None)(self.ok(self.adi.get(f"/api/projects/{project}"))), 60)

    def test_lists(self):
        mine = [self.farm.project("ann", title=f"Gate {i} of 50%") for i in range(5)]
        self.farm.project("bob", title="somebody else's gate")
        page = self.ok(self.ann.get("/api/projects?limit=2&q=gate"))
        self.assertEqual([p["id"] for p in page["projects"]], mine[:-3:-1])
        self.assertEqual(page["next"], mine[-2])
        rest = self.ok(self.ann.get(f"/api/projects?limit=200&q=gate&before={page['next']}"))
        self.assertEqual(([p["id"] for p in rest["projects"]], rest["next"]), (mine[-3::-1], None))
        self.assertEqual([p["title"] for p in self.ok(self.ann.get("/api/projects?q=3%20of%2050%25"))["projects"]], ["Gate 3 of 50%"])
        self.assertEqual(self.ok(self.ann.get("/api/projects?q=3_of"))["projects"], [])
        self.assertEqual([p["id"] for p in self.ok(self.ann.get(f"/api/projects?q={mine[1]}"))["projects"]], [mine[1]])
        self.assertEqual({p["owner"] for p in self.ok(self.adi.get("/api/projects?q=gate"))["projects"]}, {"ann", "bob"})
        self.assertEqual({p["owner"] for p in self.ok(self.adi.get("/api/projects?owner=bob"))["projects"]}, {"bob"})
        self.assertEqual(self.ok(self.ann.get("/api/projects?owner=bob"))["projects"], [])
        self.ok(self.ann.post(f"/api/projects/{mine[0]}/cancel"))
        self.assertEqual([p["id"] for p in self.ok(self.ann.get("/api/projects?state=cancelled&q=gate"))["projects"]], [mine[0]])
        one = self.ok(self.ann.get("/api/projects?q=gate&limit=1"))["projects"][0]
        self.assertEqual((one["mine"], one["may_change"], one["access"], one["left_ms"], one["thumbnail"]), (True, True, "private", None, f"/api/preview/{one['id']}"))
        self.assertGreater(one["size"], 0)
        self.assertEqual(self.nobody.get("/api/projects").status, 401)
        self.eventually(lambda: self.ok(self.ann.get("/api/projects"))["counts"].get("cancelled", 0) >= 1)
        self.assertIsNone(self.ok(self.ann.get(f"/api/projects?before={mine[-1]}"))["counts"])

    def test_access(self):
        number = self.farm.project("ann", title="shown")
        at = f"/api/projects/{number}"
        self.assertEqual([v.get(at).status for v in (self.ann, self.bob, self.adi, self.nobody)], [200, 404, 200, 401])
        self.assertEqual(self.bob.post(at + "/access", access="everyone").status, 404)
        self.ok(self.ann.post(at + "/access", access="users", viewers="bob"))
        shown = self.ok(self.bob.get(at))
        self.assertEqual((shown["may_change"], shown["viewers"], shown["link"]), (False, [], None))
        self.assertIn(number, [p["id"] for p in self.ok(self.bob.get("/api/projects"))["projects"]])
        self.assertIn(number, [p["id"] for p in self.ok(self.bob.get("/api/projects?q=shown"))["projects"]])
        for action in ("pause", "cancel", "access", "rerender", "priority", "zip"):
            self.assertEqual(self.bob.post(f"{at}/{action}", access="everyone", frames="1", priority=5).status, 403, action)
        self.assertEqual(self.bob.call("DELETE", at).status, 403)
        self.assertEqual(self.bob.get(at + "/frames").status, 200)
        self.ok(self.ann.post(at + "/access", access="private"))
        self.assertEqual([self.bob.get(at + rest).status for rest in ("", "/frames", "/frames/1", "/errors", "/logs/1000")], [404] * 5)
        self.assertEqual([self.bob.get(path).status for path in (f"/api/preview/{number}", f"/results/{number}/raw.zip")], [404, 404])
        link = self.ok(self.ann.post(at + "/access", access="link"))["link"]
        secret = link.split("link=")[1]
        self.assertEqual(len(secret), 64)
        self.assertEqual([self.nobody.get(f"{path}?link={secret}").status for path in (at, at + "/frames", f"/api/preview/{number}")], [200, 200, 200])
        self.assertEqual(self.nobody.get(f"{at}?link={'0' * 64}").status, 401)
        self.assertEqual(self.nobody.get(f"{at}?link=").status, 401)
        self.assertEqual(self.nobody.call("POST", f"{at}/cancel?link={secret}").status, 401)
        self.assertNotIn(secret.encode(), self.farm.logs())
        again = self.ok(self.ann.post(at + "/access", access="link"))["link"].split("link=")[1]
        self.assertNotEqual(again, secret)
        self.assertEqual(self.nobody.get(f"{at}?link={secret}").status, 401)
        self.ok(self.ann.post(at + "/access", access="everyone"))
        self.assertEqual([self.bob.get(at).status, self.nobody.get(at).status], [200, 401])
        self.assertEqual(self.ann.post(at + "/access", access="all").status, 400)
        self.assertIn("nosuch", self.ann.post(at + "/access", access="users", viewers="nosuch").json["message"])
        self.assertEqual(self.ok(self.ann.get(at))["access"], "everyone")

    def test_whose_workers(self):
        for other in self.farm.json("project", "list"):
            if other["state"] in ("waiting", "rendering"):
                self.farm.admin("project", "cancel", other["id"])
        number = self.farm.project("wim", frames="1-4")
        at = f"/api/projects/{number}"
        self.ok(self.adi.post(at + "/access", workers="mine"))
        self.assertEqual(self.ok(self.adi.get(at))["workers"], "mine")
        mine, strange = self.worker(), self.worker("far", "zoe", self.other_key)
        self.assertEqual(strange.job(), 200)
        job = mine.job()
        self.assertEqual(mine.upload(job, png(32, 18)).xml.get("status"), "0")
        self.ok(self.adi.post(at + "/access", workers="zoe ann"))
        self.assertEqual(self.ok(self.adi.get(at))["workers"], ["ann", "zoe"])
        self.assertEqual(mine.job(), 200)
        job = strange.job()
        strange.upload(job, png(32, 18))
        self.ok(self.adi.post(at + "/access", workers="all"))
        for client in (mine, strange):
            self.assertEqual(client.upload(client.job(), png(32, 18)).xml.get("status"), "0")
        self.assertEqual(self.adi.post(at + "/access", workers="nosuch").status, 400)
        self.assertEqual(self.adi.post(at + "/access").status, 400)

    def faults_of_children(self, name):
        """What the ended children of a program needed of memory, in pages: more when there was one more."""
        total = 0
        for pid in self.farm.processes(name):
            with open(f"/proc/{pid}/stat") as f:
                total += int(f.read().rpartition(")")[2].split()[8])
        return total

    def test_frames_previews_rerender(self):
        number = self.farm.project("ann", frames="3-7:2", tiles="1x2", width=64, height=36, extra=("--overscan", "4"))
        at = f"/api/projects/{number}"
        self.assertEqual([f["frame"] for f in self.ok(self.ann.get(at + "/frames?limit=2"))["frames"]], [3, 5])
        self.assertEqual(self.ok(self.ann.get(at + "/frames?limit=2"))["next"], 5)
        last = self.ok(self.ann.get(at + "/frames?after=5"))
        self.assertEqual(([f["frame"] for f in last["frames"]], last["next"]), ([7], None))
        self.assertEqual(self.ann.get(f"/api/preview/{number}").header("Content-Type"), "image/svg+xml")
        self.assertEqual(self.ann.get(f"/api/preview/{number}/3").status, 404)
        for other in self.farm.json("project", "list"):
            if other["id"] != number and other["state"] in ("waiting", "rendering"):
                self.farm.admin("project", "cancel", other["id"])
        worker = self.worker()
        job = worker.job()
        frame = self.ok(self.ann.get(at + "/frames"))["frames"][0]
        self.assertEqual((frame["state"], frame["running"], frame["done"], frame["tiles"]), ("rendering", 1, 0, 2))
        tile = self.ok(self.ann.get(at + "/frames/3"))["tiles"][0]
        self.assertEqual((tile["state"], tile["worker"], tile["lease"]), ("leased", "vm", int(job.get("id"))))
        self.assertEqual(worker.upload(job, png(36, 36)).xml.get("status"), "0")
        before = self.faults_of_children("preview")
        picture = self.ann.get(f"/api/preview/{number}/3/0/0?lease={job.get('id')}")
        self.assertGreater(self.faults_of_children("preview"), before, "decoded by a process of its own")
        self.assertEqual((picture.status, picture.header("Content-Type"), picture.body[:2]), (200, "image/jpeg", b"\xff\xd8"))
        size = picture.body.index(b"\xff\xc0")
        self.assertEqual(struct.unpack(">HH", picture.body[size + 5:size + 9]), (36, 32), "the overscan is cut off")
        self.assertEqual(self.ann.get(f"/api/preview/{number}/3/0/1").status, 404)
        self.assertEqual(self.ann.get(f"/api/preview/{number}/3/9/9").status, 404)
        self.assertEqual(self.ann.get(at + "/frames/4").status, 404)
        self.render(number, worker, 36, 36)
        done = self.finish(number)
        self.assertEqual((done["frames_done"], done["composing"]), (3, 1000))
        self.assertIn("video", done["summary"])
        self.assertEqual(self.ann.get(f"/api/preview/{number}").header("Content-Type"), "image/jpeg")
        whole = self.ann.get(f"/results/{number}/frames/5.png")
        self.assertEqual(struct.unpack(">II", whole.body[16:24]), (64, 36))
        self.assertEqual([self.ann.get(f"/results/{number}/frames/{f}").status for f in ("5", "4", "5.exr", "x", "5/6")], [200, 404, 404, 404, 404])
        self.assertEqual(self.bob.get(f"/results/{number}/frames/5").status, 404)
        leases = self.ok(self.ann.get(at + "/frames/5"))["leases"]
        self.assertEqual({lease["state"] for lease in leases}, {"delivered"})
        size = done["size"]
        for wrong in ("", "4", "3-", "8", "1-9", "3;5", "-3"):
            self.assertEqual(self.ann.post(at + "/rerender", frames=wrong).status, 400, wrong)
        old = self.ok(self.ann.get(at + "/frames/5"))["tiles"][0]["lease"]
        again = self.ok(self.ann.post(at + "/rerender", frames="5-7"))
        self.assertEqual((again["state"], again["tasks_waiting"], again["tasks_done"], again["frames_done"], again["result"]), ("rendering", 4, 2, 1, None))
        self.assertLess(again["size"], size)
        self.assertEqual(self.ann.get(f"/results/{number}/result.mp4").status, 404)
        self.assertEqual(self.ann.get(f"/api/preview/{number}/5/0/0").status, 404)
        self.render(number, worker, 36, 36, (1, 2, 250))
        self.assertEqual(self.finish(number)["frames_done"], 3)
        self.assertNotEqual(self.ok(self.ann.get(at + "/frames/5"))["tiles"][0]["lease"], old)
        self.assertNotEqual(self.ann.get(f"/results/{number}/frames/5.png").body, whole.body)
        self.assertEqual(self.farm.admin("check", ok=False).returncode, 0, self.farm.admin("check", ok=False).stdout)
        self.ok(self.ann.post(at + "/cancel"), 409)
        self.assertEqual(self.ann.call("DELETE", at).status, 204)
        self.assertEqual(self.ann.post(at + "/rerender", frames="5").status, 404)

    def test_failures_and_logs(self):
        number = self.farm.project("ann", frames="1-3")
        for other in self.farm.json("project", "list"):
            if other["id"] != number and other["state"] in ("waiting", "rendering"):
                self.farm.admin("project", "cancel", other["id"])
        at = f"/api/projects/{number}"
        one, two = self.worker("one"), self.worker("two")
        job = one.job()
        one.error(job, 8, b"Fra:1\nError: Unable to open //tex/wood.png \xff\x00 No such file\r\n")
        other = two.job()
        two.error(other, 21, b"Malloc returns null\nout of memory\n")
        errors = self.ok(self.ann.get(at + "/errors"))
        self.assertEqual({(g["cause"], g["count"], g["workers"]) for g in errors["groups"]}, {("missing-file", 1, 1), ("memory", 1, 1)})
        self.assertEqual(errors["total"], 2)
        log = self.ann.get(f"{at}/logs/{job.get('id')}")
        self.assertEqual((log.status, log.header("Content-Type")), (200, "text/plain; charset=utf-8"))
        self.assertIn("wood.png ?? No such file\n", log.body.decode())
        self.assertEqual([self.bob.get(f"{at}/logs/{job.get('id')}").status, self.ann.get(f"{at}/logs/999").status], [404, 404])
        given_up = self.farm.project("ann", frames="1", tiles="1x2", width=64, height=36)
        self.farm.sql(f"UPDATE task SET tries = 5 WHERE project = {given_up} AND column = 0; UPDATE project SET state = 'failed' WHERE id = {given_up}")
        tiles = self.ok(self.ann.get(f"/api/projects/{given_up}/frames/1"))["tiles"]
        self.assertEqual([tile["state"] for tile in tiles], ["failed", "waiting"])
        self.farm.sql(f"UPDATE project SET state = 'active' WHERE id = {given_up}")
        self.assertEqual(self.ann.call("DELETE", f"/api/projects/{given_up}").status, 204)
        stranger = self.farm.project("bob")
        self.assertEqual(self.bob.get(f"/api/projects/{stranger}/logs/{job.get('id')}").status, 404)

    def test_events(self):
        start = self.ok(self.ann.get("/api/events"))
        self.assertEqual(start["events"], [])
        number, hidden = self.farm.project("ann"), self.farm.project("bob")
        seen = self.ok(self.ann.get(f"/api/events?after={start['last']}"))
        self.assertEqual([(e["project"], e["kind"]) for e in seen["events"]], [(number, "project.added"), (number, "project.waiting")])
        self.assertEqual(self.ok(self.ann.get(f"/api/events?after={seen['last']}"))["events"], [])
        everything = self.ok(self.adi.get(f"/api/events?after={start['last']}"))
        self.assertEqual({e["project"] for e in everything["events"]}, {number, hidden})
        only = self.ok(self.adi.get(f"/api/events?after={start['last']}&project={hidden}"))
        self.assertEqual({e["project"] for e in only["events"]}, {hidden})
        self.assertEqual(self.ok(self.ann.get(f"/api/events?after={start['last']}&project={hidden}"))["events"], [])
        self.assertTrue(self.ok(self.ann.get(f"/api/events?after={seen['last'] + 1000}"))["reset"])
        self.farm.sql("DELETE FROM event")
        self.assertTrue(self.ok(self.ann.get(f"/api/events?after={start['last']}"))["reset"])
        last = self.ok(self.ann.get("/api/events"))["last"]
        self.assertEqual(self.ok(self.ann.get(f"/api/events?after={last}")), {"events": [], "last": last, "lent": seen["lent"]})
        self.assertEqual(self.nobody.get("/api/events").status, 401)


if __name__ == "__main__":
    tap.main()
