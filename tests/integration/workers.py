"""workers: the machines as people see them: what they render, what they asked and were told; named, tagged, asleep, set aside; when they come again."""
import datetime
import time
import zoneinfo

import farm
import tap
from farm import Client, png


class Workers(farm.Case):
    people = (("ann", "submitter"), ("wim", "worker"), ("zoe", "worker"), ("adi", "admin"))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm.renderer()
        cls.keys = {name: cls.farm.key(name) for name in ("wim", "zoe")}

    def drain(self):
        for project in self.farm.json("project", "list"):
            if project["state"] in ("waiting", "rendering"):
                self.farm.admin("project", "cancel", project["id"])

    def client(self, host, login="wim", version="6.22306.0", **how):
        client = Client(self.farm, version, login, self.keys[login], host=host, **how)
        self.assertEqual(client.config().xml.get("status"), "0")
        return client

    def seen(self, host, who=None, query=""):
        found = [w for w in self.ok((who or self.adi).get("/api/workers" + query))["workers"] if w["name"] == host]
        return found[0] if found else None

    def test_list_and_log(self):
        self.drain()
        client = self.client("lister")
        self.assertEqual(client.job(), 200)
        idle = self.seen("lister", self.ann)
        self.assertEqual((idle["state"], idle["owner"], idle["mine"], idle["own"], idle["jobs"], idle["os"], idle["cores"]), ("idle", "wim", False, False, [], "linux", 2))
        self.assertAlmostEqual(idle["next_ask_ms"] / 1000, time.time() + 300, delta=60)
        project = self.farm.project("ann", title="hidden from strangers")
        shown = self.ok(self.ann.get(f"/api/projects/{project}"))
        self.assertAlmostEqual(shown["next_ask_ms"] / 1000, time.time() + 300, delta=310)  # or a worker of another test, sooner
        job = client.job()
        client.beat(job)
        busy = self.seen("lister", self.wim)
        self.assertEqual((busy["state"], busy["mine"], busy["next_ask_ms"]), ("rendering", True, None))
        self.assertEqual([(j["lease"], j["project"], j["title"], j["frame"]) for j in busy["jobs"]], [(int(job.get("id")), project, None, 1)])
        self.assertEqual(self.seen("lister", self.ann)["jobs"][0]["title"], "hidden from strangers")
        self.assertEqual(client.upload(job, png(32, 18)).xml.get("status"), "0")
        other = client.job()
        client.error(other, 8, b"Error: no such thing\n")
        at = f"/api/workers/{busy['id']}"
        whole = self.ok(self.wim.get(at))
        log = [(line["kind"], line["lease"], line["answer"]) for line in whole["log"]]
        self.assertEqual(log[-1][0], "login")
        for line in (("ask", None, 200), ("lent", int(job.get("id")), 0), ("delivered", int(job.get("id")), 0), ("failed", int(other.get("id")), 0), ("report", int(other.get("id")), 0)):
            self.assertIn(line, log)
        self.assertIn("no such thing", "".join(line["text"] for line in whole["log"]))
        self.assertEqual((whole["failures_24h"], whole["frames"]), (1, 1))
        self.assertEqual([v.get(at).status for v in (self.adi, self.ann, self.zoe, self.nobody)], [200, 403, 403, 401])
        self.assertEqual([v.get("/api/workers").status for v in (self.ann, self.nobody)], [200, 401])
        self.assertEqual([self.adi.get(f"/api/workers/{wrong}").status for wrong in ("999999", "x", "0", "1/2")], [404, 404, 404, 405])
        client.logout()
        self.assertIsNone(self.seen("lister"))
        self.assertEqual(self.seen("lister", query="?all=1")["state"], "offline")
        self.farm.sql("UPDATE worker SET seen_ms = seen_ms - 31 * 86400000 WHERE name = 'lister'")
        self.assertIsNone(self.seen("lister", query="?all=1"))
        self.assertEqual(self.ok(self.wim.get(at))["log"][0]["kind"], "logout")

    def test_pages(self):
        names = [f"page{i}" for i in range(3)]
        for name in names:
            self.client(name, "zoe")
        got, after = [], 0
        while after is not None:
            page = self.ok(self.adi.get(f"/api/workers?limit=2&after={after}"))
            self.assertLessEqual(len(page["workers"]), 2)
            got, after = got + [w["name"] for w in page["workers"]], page["next"]
        self.assertEqual([name for name in got if name in names], names)

    def test_aside(self):
        self.drain()
        self.farm.project("ann", frames="1-3")
        client = self.client("sider")
        at = f"/api/workers/{self.seen('sider')['id']}"
        for who, status in ((self.zoe, 403), (self.ann, 403), (self.nobody, 401)):
            for action in ("aside", "allow", "rename", "tags", "sleep"):
                self.assertEqual(who.post(f"{at}/{action}", name="x").status, status, action)
        aside = self.ok(self.wim.post(at + "/aside", why="I need it", seconds=600))
        self.assertEqual((aside["state"], aside["aside"], aside["aside_mine"]), ("aside", "I need it", True))
        self.assertAlmostEqual(aside["aside_until_ms"] / 1000, time.time() + 600, delta=60)
        self.assertEqual(client.job(), 203)
        self.assertEqual(self.ok(self.wim.get(at))["log"][0]["answer"], 203)
        self.assertEqual(self.ok(self.wim.post(at + "/allow"))["state"], "idle")
        self.assertNotIsInstance(client.job(), int)
        self.assertIsNone(self.ok(self.adi.post(at + "/aside"))["aside_until_ms"])
        self.assertEqual([self.wim.post(at + "/" + action).status for action in ("allow", "aside")], [403, 403])
        self.ok(self.adi.post(at + "/allow"))
        self.farm.admin("worker", "disable", at.split("/")[-1])
        self.assertEqual(self.seen("sider")["state"], "disabled")
        self.assertEqual(self.wim.post(at + "/allow").status, 403)
        self.ok(self.adi.post(at + "/allow"))
        self.farm.sql("UPDATE worker SET aside_until_ms = 9000000000000, aside = '10 failures within 24 hours' WHERE name = 'sider'")
        self.assertIn("failed", self.wim.post(at + "/allow").json["message"])
        self.ok(self.adi.post(at + "/allow"))
        audits = [row["action"] for row in self.farm.sql("SELECT action FROM audit WHERE detail LIKE '% sider'")]
        self.assertEqual(audits, ["worker.aside", "worker.allow", "worker.allow", "worker.allow"])

    def test_names_and_tags(self):
        client = self.client("namer")
        at = f"/api/workers/{self.seen('namer')['id']}"
        self.assertEqual(self.ok(self.wim.post(at + "/rename", name="Ünder the <stairs>"))["name"], "Ünder the <stairs>")
        client.config()
        self.assertEqual(self.ok(self.wim.get(at))["name"], "Ünder the <stairs>")
        self.assertEqual([self.wim.post(at + "/rename", name=wrong).status for wrong in ("", "   ", "a\nb", "x" * 200)], [400] * 4)
        self.assertEqual(self.ok(self.wim.post(at + "/tags", tags="  fast  gpu-2.0 "))["tags"], ["fast", "gpu-2.0"])
        self.assertEqual(self.ok(self.wim.post(at + "/tags", tags=""))["tags"], [])
        self.assertEqual([self.wim.post(at + "/tags", tags=wrong).status for wrong in ("a,b", "<b>", "x " * 130)], [400] * 3)
        self.assertEqual(self.wim.post(at + "/nosuch").status, 404)
        self.assertEqual(self.wim.post(at).status, 405)
        self.assertEqual(self.wim.call("POST", at + "/rename", data={"name": "x"}, headers=[("X-CSRF-Token", "0" * 64)]).status, 403)

    def test_sleep(self):
        self.drain()
        self.farm.project("ann", frames="1-5")
        client = self.client("sleeper")
        at = f"/api/workers/{self.seen('sleeper')['id']}"
        job = client.job()
        zone = "Asia/Kathmandu"
        there = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
        hours = {"from": (there - datetime.timedelta(hours=1)).strftime("%H:%M"), "to": (there + datetime.timedelta(hours=1)).strftime("%H:%M"), "zone": zone}
        asleep = self.ok(self.wim.post(at + "/sleep", **hours))
        self.assertEqual((asleep["sleep"], asleep["state"]), (hours, "rendering"))
        self.assertEqual(client.beat(job).xml.get("status"), "0")
        self.assertEqual(client.upload(job, png(32, 18)).xml.get("status"), "0")
        self.assertEqual(client.job(), 200)
        shown = self.ok(self.wim.get(at))
        self.assertEqual((shown["state"], shown["log"][0]["text"]), ("asleep", "it sleeps"))
        away = {"from": (there + datetime.timedelta(hours=2)).strftime("%H:%M"), "to": (there + datetime.timedelta(hours=3)).strftime("%H:%M"), "zone": zone}
        self.assertEqual(self.ok(self.wim.post(at + "/sleep", **away))["state"], "idle")
        self.assertNotIsInstance(client.job(), int)
        self.ok(self.wim.post(at + "/sleep", **hours))
        self.assertIsNone(self.ok(self.wim.post(at + "/sleep", **{"from": "", "to": "", "zone": ""}))["sleep"])
        self.assertEqual([self.wim.post(at + "/sleep", **{**hours, **wrong}).status for wrong in ({"zone": "Mars/Base"}, {"from": "25:00"}, {"to": ""}, {"zone": ""})], [400] * 4)

    def test_idle_writes_once_a_minute(self):
        self.drain()
        client = self.client("idler", ram="24903682")
        for _ in range(5):
            self.assertEqual(client.job(), 200)
        at = f"/api/workers/{self.seen('idler')['id']}"
        self.assertEqual([line["kind"] for line in self.ok(self.wim.get(at))["log"]], ["ask", "login"])
        for minutes in (8, 12, 15, 20, 20):  # the first wait, of 5 minutes, is over
            self.farm.sql("UPDATE session SET idle_ms = idle_ms - 70000 WHERE worker = (SELECT id FROM worker WHERE name = 'idler')")
            self.assertEqual(client.job(), 200)
            self.assertAlmostEqual(self.seen("idler")["next_ask_ms"] / 1000 - time.time(), 60 * minutes, delta=40)
        for _ in range(3):
            client.error(kind="0")
        self.assertAlmostEqual(self.seen("idler")["next_ask_ms"] / 1000, time.time(), delta=40)
        self.assertEqual([line["kind"] for line in self.ok(self.wim.get(at))["log"]].count("report"), 1)

    def test_ring(self):
        client = self.client("ringer")
        number = self.seen("ringer")["id"]
        self.farm.sql(f"UPDATE worker SET visits = 1700 WHERE id = {number}; INSERT INTO visit (worker, slot, at_ms, kind) "
                      f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 499) SELECT {number}, i, 1000 + i, 'ask' FROM n WHERE true ON CONFLICT DO UPDATE SET at_ms = 1")
        client.config()
        log = self.ok(self.wim.get(f"/api/workers/{number}"))["log"]
        self.assertEqual((len(log), log[0]["kind"]), (500, "login"))

    def test_graphics_card(self):
        self.drain()
        client = self.client("carder")
        client.request(params="&gpu_model=GeForce%20RTX%20%3C4090%3E&gpu_ram=24000&gpu_type=OPTIX")
        self.assertEqual(self.seen("carder")["gpu"], "GeForce RTX <4090>")


if __name__ == "__main__":
    tap.main()
