"""durable: what was acknowledged stays, whatever is killed; of two deliveries at once one counts; a farm that is stopped and started goes on."""
import os
import random
import signal
import threading
import time
from xml.etree import ElementTree

import farm
import tap
from farm import Client, png


class Durable(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm.renderer()
        cls.key = cls.farm.key("alice", "worker", "submitter")

    def tearDown(self):
        for project in self.farm.json("project", "list"):
            if project["state"] in ("waiting", "rendering"):
                self.farm.admin("project", "cancel", project["id"])

    def client(self, host):
        c = Client(self.farm, "6.22306.0", "alice", self.key, host=host)
        self.assertEqual(c.config().xml.get("status"), "0")
        return c

    def tiles(self, project):
        return sorted(n for _, _, names in os.walk(f"{self.farm.dir}/spool/projects/{project}/tiles") for n in names)

    def test_two_at_once(self):
        """The same picture twice, and a late one beside the next lease's: one file and one row stay."""
        project = self.farm.project(owner="alice", frames="1-6")
        for _ in range(6):
            one, two = self.client("one"), self.client("two")
            late = one.job()
            self.farm.admin("sql", f"UPDATE lease SET until_ms = 1 WHERE id = {late.get('id')}")
            again = two.job()
            self.assertEqual(late.get("frame"), again.get("frame"))
            answers = []
            threads = [threading.Thread(target=lambda c=c, job=job: answers.append(c.upload(job, png(32, 18)).xml.get("status")))
                       for c, job in ((one, late), (one, late), (two, again), (two, again))]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual(answers, ["0"] * 4)
            one.logout(), two.logout()
        shown = self.farm.show(project)
        self.assertEqual((shown["tasks_done"], shown["tasks_running"]), (6, 0))
        rows = self.farm.sql(f"SELECT row || '-' || column || '-' || lease || '.png' AS name FROM task WHERE project = {project}")
        self.assertEqual(self.tiles(project), sorted(r["name"] for r in rows))

    def test_killed_all_the_time(self):
        """Programs die every few milliseconds; the client does what stock ones do after an error: it asks again."""
        project = self.farm.project(owner="alice", frames="1-40")
        stop, kept, seen = threading.Event(), [], []

        def kill():
            end = time.monotonic() + 12  # then it may end in peace
            while not stop.is_set() and time.monotonic() < end:
                pids = self.farm.processes(random.choice(["send_frame", "request_job", "config"]))
                if pids:
                    try:
                        os.kill(random.choice(pids), signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                time.sleep(0.05)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            c, end = None, time.monotonic() + 100
            while self.farm.show(project)["tasks_done"] < 40 and time.monotonic() < end:
                try:
                    c = c or self.client("hit")
                    job = c.job()
                    if isinstance(job, int):
                        seen.append(job)
                        continue  # asking again ends the lease of a lost answer
                    if c.upload(job, png(32, 18)).xml.get("status") == "0":
                        kept.append(job.get("id"))
                except (AssertionError, OSError, ElementTree.ParseError):
                    continue  # 502, a line that broke, an answer cut short
        finally:
            stop.set()
            killer.join()
        self.assertEqual(self.farm.show(project)["tasks_done"], 40, (len(kept), seen[-5:], self.farm.sql(f"SELECT * FROM task WHERE project = {project} AND state <> 'done'"), self.farm.sql(f"SELECT * FROM lease l JOIN task t ON t.holder = l.id WHERE t.project = {project}")))
        self.assertGreaterEqual(len(kept), 20)
        have = self.tiles(project)
        for row in self.farm.sql(f"SELECT lease FROM task WHERE project = {project}"):
            self.assertIn(f"0-0-{row['lease']}.png", have)
        for lease in kept:  # acknowledged: its picture, or an earlier one of the same task, is the one that counts
            self.assertEqual(self.farm.sql(f"SELECT t.state FROM task t JOIN lease l ON l.task = t.id WHERE l.id = {lease}")[0]["state"], "done")
        ids = [int(r["id"]) for r in self.farm.sql("SELECT id FROM lease ORDER BY id")]
        self.assertEqual(len(ids), len(set(ids)))

    def test_stopped_and_started(self):
        project = self.farm.project(owner="alice", frames="1-2")
        c = self.client("calm")
        job = c.job()
        self.farm.spawn("stop")
        self.farm.spawn("start")
        self.assertEqual(c.beat(job).xml.get("status"), "0")
        self.assertEqual(c.upload(job, png(32, 18)).xml.get("status"), "0")
        self.assertEqual(c.upload(c.job(), png(32, 18)).xml.get("status"), "0")
        self.assertEqual(self.farm.show(project)["tasks_done"], 2)


if __name__ == "__main__":
    tap.main()
