"""live: the progress app's messages and pushes, our own feed, workers that wait: by real WebSocket clients through the real web server."""
import json
import os
import re
import socket
import threading
import time

import farm
import tap
import websocket

TOP = farm.TOP
TYPES = ("active_jobs", "recent_jobs", "older_jobs")
FIELDS = {"Name", "User", "EpochStarted", "CompletedChunks", "QueuedChunks", "SuspendedChunks", "RenderingChunks", "FailedChunks", "PendingChunks", "Errs"}


class Live(farm.Case):
    settings = (("live_connections", 400), ("task_tries", 50), ("project_errors", 100))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        f = cls.farm
        f.renderer()
        cls.key = f.key("cleo")
        for name in ("ada", "bob"):
            f.user(name, "submitter")
        cls.ada, cls.bob = farm.Visitor(f, "ada"), farm.Visitor(f, "bob")

    def socket(self, visitor=None, path="/live", **how):
        ws = websocket.Socket(self.farm.port, path, [("Cookie", visitor.cookie)] if visitor else [], **how)
        self.addCleanup(ws.close)
        return ws

    def setting(self, name, value):
        with open(self.farm.dir + "/farmgate.conf", "a") as conf:
            conf.write(f"{name} = {value}\n")

    def project(self, *args, **how):
        """One that no other test's worker meets."""
        number = self.farm.project(*args, **how)
        self.addCleanup(lambda: self.farm.admin("project", "delete", number, ok=False))
        return number

    def worker(self, host):
        w = farm.Client(self.farm, "6.22306", "cleo", self.key, host=host)
        self.assertEqual(w.config().xml.get("status"), "0")
        return w

    def app(self, *asks, visitor=None):
        """A stock page that asked for some lists and has them."""
        ws = self.socket(visitor or self.ada)
        lists = {}
        for ask in asks:
            ws.send(body=f"get_{ask}")
            lists[ask] = ws.until(lambda m: m["type"] == ask)[-1]
            self.assertIs(lists[ask]["update"], False)
        return ws, lists

    def frame(self, worker, number=None):
        job = worker.job()
        self.assertNotIsInstance(job, int)
        self.assertEqual(worker.upload(job, farm.png(32, 18)).xml.get("status"), "0")
        return job


class Lists(Live):
    def test_a_list_has_the_shape_of_the_wire(self):
        project = str(self.project("ada", frames="1-3"))
        _, lists = self.app("active_jobs", "recent_jobs", "older_jobs")
        for name in TYPES:
            self.assertEqual(set(lists[name]), {"type", "update", "data"})
        job = lists["active_jobs"]["data"][project]
        self.assertEqual(set(job), FIELDS)
        self.assertEqual((job["Name"], job["User"], job["QueuedChunks"], job["CompletedChunks"], job["Errs"]), ("Test & <co>", "ada", 3, 0, 0))
        self.assertTrue(all(isinstance(v, (int, float)) for k, v in job.items() if k not in ("Name", "User")))
        with open(os.path.join(TOP, "tests/data/live.jsonl")) as lines:  # the stock backend's own
            wire = [json.loads(json.loads(line)["text"]) for line in lines if '"server->client"' in line]
        stock = next(m for m in wire if m["type"] == "active_jobs" and m["update"] is False)
        self.assertEqual(set(stock), set(lists["active_jobs"]))
        for theirs in stock["data"].values():
            self.assertEqual({k: isinstance(v, str) for k, v in theirs.items()}, {k: isinstance(v, str) for k, v in job.items()})

    def test_differences_and_removals_are_pushed(self):
        project = str(self.project("ada", frames="1-2"))
        ws, _ = self.app("active_jobs", "recent_jobs")
        w = self.worker("pushes")
        job = w.job()
        got = ws.until(lambda m: m["data"].get(project, {}).get("RenderingChunks") == 1, 5)[-1]
        self.assertEqual((got["type"], got["update"]), ("active_jobs", True))
        self.assertLess(abs(time.time() - got["data"][project]["EpochStarted"]), 60)  # it started: the whole job, for apps sort by it
        self.assertEqual(set(got["data"][project]), FIELDS)
        w.upload(job, farm.png(32, 18))
        got = ws.until(lambda m: m["data"].get(project, {}).get("CompletedChunks") == 1, 5)[-1]
        self.assertTrue(got["update"])
        self.assertNotIn("User", got["data"][project])
        self.farm.admin("project", "cancel", project)
        got = ws.until(lambda m: m["type"] == "active_jobs" and m["update"] is False, 5) + ws.until(lambda m: m["type"] == "recent_jobs", 5)
        self.assertTrue(all(project not in m["data"] for m in got if m["type"] == "active_jobs" and m["update"] is False))
        recent = [m for m in got if m["type"] == "recent_jobs"][-1]
        self.assertEqual(recent["data"][project]["SuspendedChunks"], 1)
        self.farm.admin("project", "delete", project)
        got = ws.until(lambda m: m["type"] == "recent_jobs" and m["update"] is False, 5)[-1]
        self.assertNotIn(project, got["data"])

    def test_a_burst_gets_an_answer_each(self):
        ws = self.socket(self.ada)
        for _ in range(11):
            ws.send(body="get_active_jobs")
        got = [ws.json() for _ in range(11)]
        self.assertEqual({(m["type"], m["update"]) for m in got}, {("active_jobs", False)})

    def test_an_address_has_a_quarter_of_the_connections(self):
        crowd = []
        try:
            with self.assertRaises(websocket.Refused) as e:
                while len(crowd) < 150:
                    crowd.append(self.socket(self.ada))
            self.assertEqual(e.exception.status, 503)
            self.assertLessEqual(len(crowd), 100)
        finally:
            for ws in crowd:
                ws.close()
        self.eventually(lambda: self.app("active_jobs"))

    def test_every_preview_is_answered(self):
        project = self.project("ada", frames="1-200")
        ws = self.socket(self.ada)
        ws.send(body="get_job_details", jobId=str(project))
        for i in range(200):
            ws.send(body="get_image_preview", jobId=str(project), taskId=str(i))
        got = ws.until(lambda m: m.get("task_id") == "199", 20)
        self.assertEqual([m["task_id"] for m in got if m["type"] == "image_preview"], [str(i) for i in range(200)])

    def test_what_is_malformed_is_ignored(self):
        ws = self.socket(self.ada)
        for text in ("", "{", "[]", "null", '{"body":7}', '{"body":"get_everything"}', '{"jobId":"1"}', '{"body":"get_job_details","jobId":"undefined"}', "x" * 4000):
            ws.text(text)
        ws.send(body="get_active_jobs")
        self.assertEqual(ws.json()["type"], "active_jobs")

    def test_limits_close(self):
        ws = self.socket(self.ada)
        ws.text("x" * 5000)
        with self.assertRaises(websocket.Closed) as closed:
            ws.quiet(5)
        self.assertEqual(closed.exception.code, 1009)
        ws = self.socket(self.ada)
        with self.assertRaises((websocket.Closed, BrokenPipeError, ConnectionResetError)) as closed:
            for _ in range(2000):
                ws.text("{}")
            ws.quiet(5)
        if isinstance(closed.exception, websocket.Closed):
            self.assertIn(closed.exception.code, (1008, 1006))

    def test_fragments_are_one_message(self):
        ws = self.socket(self.ada)
        ws.frame(b'{"body":"get_', 1, False)
        ws.frame(b"pong", 9)
        ws.frame(b'active_jobs"}', 0, True)
        self.assertEqual(ws.json()["type"], "active_jobs")

    def test_a_silent_app_is_repaired(self):
        ws = self.socket(self.ada)
        got = ws.until(lambda m: m["type"] == "older_jobs", 6)
        self.assertEqual([(m["type"], m["update"]) for m in got], [(t, False) for t in TYPES])
        ws = self.socket(self.ada)
        ws.send(body="get_job_details", jobId="nothing")
        self.assertEqual([m["type"] for m in ws.quiet(2.5)], ["job_details"])

    def test_everybody_sees_what_they_may(self):
        project = str(self.project("ada", frames="1"))
        ws, lists = self.app("active_jobs", visitor=self.bob)
        self.assertNotIn(project, lists["active_jobs"]["data"])
        ws.send(body="get_job_details", jobId=project)
        self.assertEqual(ws.json()["data"], {"type": "error", "error": "invalid_jobId"})
        ws, _ = self.app("active_jobs", visitor=self.bob)
        self.assertEqual(self.ada.post(f"/api/projects/{project}/access", access="everyone").status, 200)
        got = ws.until(lambda m: project in m["data"], 5)[-1]
        self.assertEqual(set(got["data"][project]), FIELDS)
        ws.send(body="get_job_details", jobId=project)
        ws.until(lambda m: m["type"] == "ai_text")
        self.assertEqual(self.ada.post(f"/api/projects/{project}/access", access="private").status, 200)
        self.assertEqual(ws.until(lambda m: m["type"] == "job_details", 5)[-1]["data"].get("error"), "invalid_jobId")


class Page(Live):
    def test_a_page_follows_its_job_to_the_end(self):
        project = str(self.project("ada", frames="3-5"))
        ws, _ = self.app("active_jobs")
        ws.send(body="get_job_details", jobId=project)
        first = ws.until(lambda m: m["type"] == "job_details")[-1]
        self.assertIs(first["update"], False)
        with open(os.path.join(TOP, "tests/data/live.jsonl")) as lines:
            wire = [json.loads(json.loads(line)["text"]) for line in lines if '"server->client"' in line]
        stock = next(m for m in wire if m["type"] == "job_details" and m["update"] is False)
        self.assertEqual(set(first["data"]["job"]), set(stock["data"]["job"]))
        for mine, theirs in zip(first["data"]["tasks"], stock["data"]["tasks"]):
            self.assertEqual({k: type(v) for k, v in mine.items()}, {k: type(v) for k, v in theirs.items()})
        for key in ("Submit_Date", "Estimated_Time_Remaining", "Average_Task_Time"):
            self.assertEqual(re.sub(r"\d", "9", first["data"]["job"][key])[3:], re.sub(r"\d", "9", stock["data"]["job"][key])[3:], key)
        self.assertEqual(first["data"]["tasks"], [{"TaskID": i, "Frames": f"{i + 3}-{i + 3}", "Errs": 0, "Prog": "0 %"} for i in range(3)])
        words = ws.until(lambda m: m.get("chunk"))
        self.assertEqual((words[0]["type"], words[0]["reset"], words[0]["job_id"]), ("ai_text", True, project))
        w = self.worker("page")
        page = {"job": dict(first["data"]["job"]), "tasks": dict(enumerate(first["data"]["tasks"]))}
        for _ in range(3):
            self.frame(w)
        def finished(m):
            self.assertIn(m["type"], ("job_details", "ai_text"))  # a page hears of nothing else
            if m["type"] == "job_details":
                self.assertTrue(m["update"])
                page["job"].update(m["data"].get("job", {}))
                page["tasks"].update({int(k): v for k, v in m["data"].get("tasks", {}).items()})
            return page["job"]["Completed"] == "3" and all(t["Prog"] == "100 %" for t in page["tasks"].values())
        ws.until(finished, 15)
        self.farm.admin("project", "delete", project)
        self.assertEqual(ws.until(lambda m: m["type"] == "job_details" and "error" in m["data"], 10)[-1]["update"], False)

    def test_each_kind_of_failure_is_known(self):
        """What Blender wrote, whatever number the client gives it."""
        for name, log, said in (("memory", b"Error: Out of memory\n", "ran out of memory"), ("file", b"Warning: Unable to open '/home/u/tex.png'\nSaved nothing\n", "could not be opened"),
                                ("denoiser", b"Denoiser not available\n", "has no denoiser"), ("gpu", b"CUDA error: Launch failed in cuCtxSynchronize\n", "graphics card"),
                                ("python", b"Traceback (most recent call last):\n  File x\nNameError: name y\n", "Python script"), ("time", b"Timed out after 60 s\n", "longer than allowed"),
                                ("killed", b"Killed\n", "was killed"), ("blend", b"Error: not a blend file\n", "could not read the .blend"),
                                ("both", b"Unable to open '/t.png'\nError: Out of memory\nUnable to open '/u.png'\n", "ran out of memory")):
            project = self.project("ada", frames="1", title=name)
            w = self.worker("kind-" + name)
            w.error(w.job(), "", log)
            self.assertIn(said, self.ada.get(f"/api/projects/{project}").json["summary"], name)
            self.farm.admin("project", "delete", project)

    def test_words_follow_what_happens(self):
        """Without a failure or an end, too: a page doesn't say that one frame is done beside a bar that says three."""
        project = str(self.project("ada", frames="1-5"))
        ws = self.socket(self.ada)
        ws.send(body="get_job_details", jobId=project)
        w = self.worker("follows")
        for _ in range(3):
            self.frame(w)
        said = {"": ""}
        def told(m):
            if m["type"] == "ai_text":
                said[""] = "" if m.get("reset") else said[""] + m["chunk"]
            return said[""].startswith("3 of 5 frames are done")
        ws.until(told, 60)
        self.assertEqual(self.page(project)["Estimated_Time_Remaining"], "00d 00h 00m 06s")  # two frames of 3 s by one machine; not 0 because none renders
        self.frame(w)
        self.frame(w)
        ws.until(lambda m: m["type"] == "job_details" and m["data"].get("job", {}).get("Completed") == "5", 20)
        self.assertEqual(self.page(project)["Estimated_Time_Remaining"], "00d 00h 00m 00s")

    def page(self, project):
        """The job as who comes now sees it."""
        ws = self.socket(self.ada)
        ws.send(body="get_job_details", jobId=project)
        return ws.until(lambda m: m["type"] == "job_details" and not m["update"])[-1]["data"]["job"]

    def test_errors_say_why_at_once(self):
        project = str(self.project("ada", frames="1-2"))
        ws = self.socket(self.ada)
        ws.send(body="get_job_details", jobId=project)
        ws.until(lambda m: m.get("chunk"))
        ws.quiet(0.3)
        w = self.worker("errs")
        w.error(w.job(), "21", b"Error: Out of memory\n")
        got = ws.until(lambda m: m.get("reset"), 10) + ws.quiet(0.7)
        job = {}
        for m in got:
            if m["type"] == "job_details":
                job.update(m["data"].get("job", {}))
        self.assertEqual(job["Errors"], "1")
        text = "".join(m.get("chunk", "") for m in got if m["type"] == "ai_text")
        self.assertIn("1 try has failed (frame 1, on 1 machine).", text)
        self.assertIn("split frames into more tiles", text)
        self.farm.admin("project", "cancel", project)

    def test_pictures_come_as_base64(self):
        project = str(self.project("ada", frames="8"))
        self.frame(self.worker("picture"))
        self.eventually(lambda: self.ada.get(f"/api/preview/{project}/8").status == 200)
        ws = self.socket(self.ada)
        ws.send(body="get_job_details", jobId=project)
        for task in ("0", "1"):
            ws.send(body="get_image_preview", jobId=project, taskId=task)
        first, second = [m for m in ws.until(lambda m: m.get("task_id") == "1") if m["type"] == "image_preview"]
        self.assertEqual((set(first), first["task_id"], first["error"]), ({"type", "task_id", "error", "image"}, "0", False))
        self.assertTrue(first["image"].startswith("/9j/"))
        self.assertEqual((second["error"], second["message"]), (True, "Error: There is no such task."))
        other = self.socket(self.bob)
        other.send(body="get_image_preview", jobId=project, taskId="0")
        self.assertTrue(other.json()["error"])


class Doors(Live):
    def refused(self, status, **how):
        with self.assertRaises(websocket.Refused) as refused:
            self.socket(**how)
        self.assertEqual(refused.exception.status, status)

    def test_who_may_come_in(self):
        self.refused(401)
        self.refused(401, path="/events")
        self.refused(403, visitor=self.ada, origin="https://elsewhere.example")
        self.refused(403, visitor=self.ada, origin="null")
        self.socket(self.ada, origin=f"http://127.0.0.1:{self.farm.port}")
        self.socket(self.ada, path="/", origin=f"http://127.0.0.1:{self.farm.port}").close()

    def test_a_wall_monitor_sees_all_and_needs_no_account(self):
        project = str(self.project("ada", frames="1"))
        self.setting("live_public", "10.0.0.0/8 127.0.0.0/8")
        ws = self.eventually(self.anybody)
        ws.send(body="get_active_jobs")
        self.assertIn(project, ws.json()["data"])
        self.socket(origin=f"http://127.0.0.1:{self.farm.port}")
        rebound = [("Host", "evil.example"), ("Origin", "http://evil.example")] # a stranger's name that points here
        self.assertEqual(self.upgrade(rebound), 403)
        self.assertEqual(self.upgrade([("Host", f"127.0.0.1:{self.farm.port}")]), 101)
        self.setting("live_public", "10.0.0.0/8")
        self.eventually(lambda: self.anybody() is None)

    def test_who_is_no_admin_any_more_sees_no_more(self):
        self.farm.user("adi", "admin")
        self.farm.user("ado", "admin")
        adi, ado = farm.Visitor(self.farm, "adi"), farm.Visitor(self.farm, "ado")
        ws = self.socket(ado)
        self.assertEqual(adi.post(f"/api/users/{ado.id}", roles="submitter").status, 200)
        with self.assertRaises(websocket.Closed):
            while True:
                ws.recv(60)

    def upgrade(self, headers):
        head = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="), *headers]
        with socket.create_connection(("127.0.0.1", self.farm.port), timeout=30) as s:
            s.sendall("".join(["GET /live HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in head), "\r\n"]).encode())
            return int(s.recv(4096).split()[1])

    def anybody(self):
        try:
            return self.socket()
        except websocket.Refused:
            return None


class Feed(Live):
    def test_events_come_with_ids_and_resume(self):
        ws = self.socket(self.ada, "/events")
        start = ws.json()
        self.assertEqual((start["events"], start["last"] >= 0), ([], True))
        project = self.project("ada", frames="1")
        got = ws.until(lambda m: any(e["kind"] == "project.waiting" for e in m["events"]), 5)
        seen = [e for m in got for e in m["events"] if e["project"] == project]
        self.assertEqual(set(seen[0]), {"id", "at_ms", "project", "kind", "task", "lease", "detail"})
        ws.close()
        self.farm.admin("project", "cancel", project)
        again = self.socket(self.ada, f"/events?after={seen[-1]['id']}").json()
        self.assertIn("project.cancelled", [e["kind"] for e in again["events"]])
        self.assertTrue(all(e["id"] > seen[-1]["id"] for e in again["events"]))
        bob = self.socket(self.bob, f"/events?after={start['last']}").json()
        self.assertEqual(bob["events"], [])
        far = self.socket(self.ada, "/events?after=999999999").json()
        self.assertTrue(far["reset"])

    def test_lendings_are_told_of(self):
        self.project("ada", frames="1")
        ws = self.socket(self.ada, "/events")
        ws.json()
        job = self.worker("lent").job()
        self.assertFalse(isinstance(job, int))
        ws.until(lambda m: m["lent"] == int(job.get("id")), 5)

    def test_a_worker_waits_for_work(self):
        w = self.worker("waits")
        head = [("Cookie", w.cookie)]
        self.assertEqual(farm.request(self.farm.port, "GET", "/live/work?seconds=1", []).status, 401)
        answer = farm.request(self.farm.port, "GET", "/live/work?seconds=0", head)
        self.assertEqual((answer.status, answer.body[:5]), (200, b"none "))
        seen, got = int(answer.body[5:]), []
        asker = threading.Thread(target=lambda: got.append(farm.request(self.farm.port, "GET", f"/live/work?seconds=20&seen={seen}", head).body))
        asker.start()
        time.sleep(0.3)
        self.assertEqual(got, [])
        project = self.project("ada", frames="1")
        asker.join(10)
        self.assertEqual(got[0][:5], b"work ")
        self.assertGreater(int(got[0][5:]), seen)
        again = farm.request(self.farm.port, "GET", f"/live/work?seconds=20&seen={seen}", head).body
        self.assertEqual(again, got[0])  # who was away when it came hears of it at once
        self.farm.admin("project", "cancel", project)


class Slow(Live):
    def test_a_slow_reader_skips_states_and_costs_no_memory(self):
        for _ in range(40):
            project = self.project("ada", frames="1-40", title="slow " + "x" * 240)
        slow = self.socket(self.ada, receive_buffer=4096)
        slow.send(body="get_active_jobs")
        fast, _ = self.app("active_jobs")
        (pid,) = self.farm.processes("live")
        w = self.worker("slow")
        for i in range(30):
            self.assertEqual(self.ada.post(f"/api/projects/{project}/access", access=("everyone", "private")[i % 2]).status, 200)
            slow.send(body="get_active_jobs")
        self.frame(w)
        fast.until(lambda m: any(j.get("CompletedChunks") == 1 for j in m["data"].values()), 10)
        last = slow.until(lambda m: any(j.get("CompletedChunks") == 1 for j in m["data"].values()), 20)[-1]
        self.assertEqual(last["type"], "active_jobs")
        with open(f"/proc/{pid}/statm") as statm:
            self.assertLess(int(statm.read().split()[1]) * 4096, 200 << 20)


class App(Live):
    """The stock app as its build leaves it: a folder that is dropped in."""

    FILES = {"index.html": "<html>home</html>", "_next/static/chunks/pages/[jobId]-1f.js": "job()", "_next/static/css/a.css": "a{}", "icons/x.svg": "<svg/>",
             "favicon.ico": "ico", "jobpage.template.html": '<html><script>{"jobId":"__JOBID__","query":{"jobId":"__JOBID__"}}</script></html>'}

    @classmethod
    def setUpClass(cls):
        cls.app_port = farm.free_port()
        cls.settings = (("app_port", cls.app_port),)
        super().setUpClass()
        cls.farm.spawn("stop")
        for name, text in cls.FILES.items():
            path = f"{cls.farm.dir}/web-app/{name}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        for root, _, _ in os.walk(cls.farm.dir + "/web-app"):
            os.chmod(root, 0o755)
        cls.farm.spawn("start")

    def get(self, target):
        return farm.request(self.app_port, "GET", target)

    def test_its_addresses(self):
        for target, name, kind in (("/", "index.html", "text/html"), ("/_next/static/chunks/pages/%5BjobId%5D-1f.js", "_next/static/chunks/pages/[jobId]-1f.js", "text/javascript"),
                                   ("/_next/static/css/a.css", "_next/static/css/a.css", "text/css"), ("/icons/x.svg", "icons/x.svg", "image/svg+xml")):
            answer = self.get(target)
            self.assertEqual((answer.status, answer.body.decode()), (200, self.FILES[name]), target)
            self.assertTrue(answer.header("Content-Type").startswith(kind), target)
        answer = self.get("/65a1b2c3d4e5f60718293a01")
        self.assertEqual((answer.status, answer.body.decode()), (200, self.FILES["jobpage.template.html"].replace("__JOBID__", "65a1b2c3d4e5f60718293a01")))
        self.assertTrue(answer.header("Content-Type").startswith("text/html"))
        answer = self.get("/_next/data/B-uild_1/65a1b2.json")
        self.assertEqual(answer.json, {"pageProps": {"jobId": "65a1b2"}, "__N_SSP": True})
        self.assertTrue(answer.header("Content-Type").startswith("application/json"))
        self.assertEqual(self.get("/status?x=1").body.decode(), self.FILES["jobpage.template.html"].replace("__JOBID__", "status"))  # every path is the app's
        for name, value in (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Content-Security-Policy", None)):
            self.assertEqual({self.get(target).header(name) for target in ("/", "/_next/static/css/a.css", "/65a1b2", "/_next/data/B/1.json")}, {value}, name)
        for target in ("/a.b", "/a/b", "/api/projects", "/server/config.php", "/ca.pem", "/%22%3Cscript", "/_next/data/x/%22.json", "/_next/static/none.js", "/_next/"):
            self.assertIn(self.get(target).status, (404, 403) if target.endswith("/") else (404,), target)

    def test_its_connection(self):
        project = str(self.project("ada", frames="1"))
        for path in ("/", "/deadline-ws", "/ws/deep?x=1"):
            with websocket.Socket(self.app_port, path, [("Cookie", self.ada.cookie)], origin=f"http://127.0.0.1:{self.app_port}") as ws:
                ws.send(body="get_active_jobs")
                self.assertIn(project, ws.json()["data"])


class AppBehindLighttpd(App):
    server = "lighttpd"


class Lighttpd(Live):
    server = "lighttpd"

    def test_the_same_doors(self):
        project = str(self.project("ada", frames="1"))
        _, lists = self.app("active_jobs")
        self.assertIn(project, lists["active_jobs"]["data"])
        self.socket(self.ada, path="/", origin=f"http://127.0.0.1:{self.farm.port}")
        self.assertEqual(self.socket(self.ada, "/events").json()["events"], [])
        w = self.worker("lighttpd")
        self.assertEqual(farm.request(self.farm.port, "GET", "/live/work?seconds=0", [("Cookie", w.cookie)]).body[:5], b"none ")
        with self.assertRaises(websocket.Refused):
            self.socket()


if __name__ == "__main__":
    del Live
    tap.main()
