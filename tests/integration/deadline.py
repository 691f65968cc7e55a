"""deadline: jobs of a Deadline Web Service beside ours: a server that answers as the documented one does, real WebSocket clients before it."""
import http.server
import json
import os
import threading
import time
import urllib.parse

import farm
import llm
import tap
import websocket

ONE, TWO, GONE = "65a1b2c3d4e5f60718293a01", "65a1b2c3d4e5f60718293a03", "65a1b2c3d4e5f60718293a09"


class Service:
    """What a Deadline Web Service answers; `asked` counts its requests."""

    def __init__(self):
        self.asked, self.done, self.errors, self.state, self.folder, self.ill = [], 2, 0, "Active", "P:\\shots", False
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                service.asked.append(self.path)
                path, _, query = self.path.partition("?")
                status, body = service.answer(path, dict(urllib.parse.parse_qsl(query)))
                data = (body if isinstance(body, str) else json.dumps(body, indent=1).replace("\\n", "\n")).encode()  # lines broken within texts
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.handler, self.server = Handler, None
        self.port = farm.free_port()
        self.start()

    def start(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def job(self, number, name, done, total, age):
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - age)) + ".173Z"
        return {"_id": number, "Props": {"Name": name, "User": "mervin"}, "DateStart": start, "CompletedChunks": done, "QueuedChunks": total - done,
                "SuspendedChunks": 0, "RenderingChunks": 0, "FailedChunks": 0, "PendingChunks": 0, "Errs": self.errors}

    def answer(self, path, query):
        if path == "/api/jobs" and "States" in query:
            one = self.job(ONE, "shot010\nbeauty", self.done, 4, 600)
            if query["States"] == "Active":
                return 200, [one] if self.state == "Active" else []
            return 200, [self.job(TWO, "turntable", 8, 8, 20000)] + ([one] if self.state not in ("Active", "Deleted") else [])
        if query.get("JobID") not in (ONE, TWO) or self.ill or (query["JobID"] == ONE and self.state == "Deleted"):
            return 500, "Error: no such job"
        if path == "/api/jobs":
            return 200, {query["JobID"]: {"Job": {"Name": "shot010", "User": "mervin", "Submit Date": "Nov 22/26  09:12:44", "Errors": str(self.errors)},
                         "Task States": {"Completed": str(self.done), "Failed": "0", "Pending": "0", "Queued": str(4 - self.done), "Rendering": "0", "Suspended": "0"},
                         "Statistics": {"Estimated Time Remaining": "00d 00h 03m 10s", "Average Task Time": "00d 00h 00m 02s"},
                         "Output Directories": {"Output Path 1": self.folder}, "Output Filenames": {"Output File 1": "beauty_####.png"}}}
        if path == "/api/tasks":
            return 200, {"Tasks": [{"TaskID": i, "Frames": f"{i + 1}-{i + 1}", "Errs": self.errors if i == 1 else 0, "Prog": "100 %" if i < self.done else "0 %"} for i in range(4)]}
        if path == "/api/taskreports":
            return 200, ["Error: Out of memory\nat frame 2 of C:\\Users\\zoe\\shot.hip for mervin token=hunter2"]
        return 501, ""


class Deadline(farm.Case):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.service.data = os.path.join(os.path.realpath(farm.tempfile.mkdtemp(prefix="farmgate-deadline-")))
        for name in ("pictures", "secret"):
            os.mkdir(f"{cls.service.data}/{name}")
            with open(f"{cls.service.data}/{name}/beauty_0001.png", "wb") as picture:
                picture.write(farm.png(320, 180))
        os.symlink(f"{cls.service.data}/secret/beauty_0001.png", f"{cls.service.data}/pictures/beauty_0002.png")
        cls.settings = (("deadline_url", f"http://127.0.0.1:{cls.service.port}/"), ("deadline_paths", cls.service.data + "/pictures"),
                        ("deadline_map", f"p:/shots={cls.service.data}/pictures"))
        super().setUpClass()
        cls.farm.user("ada", "submitter")
        cls.ada = farm.Visitor(cls.farm, "ada")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.service.stop()
        farm.shutil.rmtree(cls.service.data)

    def setUp(self):
        s = self.service
        s.done, s.errors, s.state, s.folder, s.ill = 2, 0, "Active", "P:\\shots", False

    def socket(self):
        ws = websocket.Socket(self.farm.port, headers=[("Cookie", self.ada.cookie)])
        self.addCleanup(ws.close)
        return ws

    def list(self, ws, name, key, wanted=True):
        """Until the list has the job, or hasn't."""
        ws.send(body=f"get_{name}")
        return ws.until(lambda m: m["type"] == name and (key in m["data"]) == wanted and (wanted or not m["update"]), 15)[-1]

    def test_lists(self):
        ws = self.socket()
        job = self.list(ws, "active_jobs", ONE)["data"][ONE]
        self.assertEqual((job["Name"], job["User"], job["CompletedChunks"], job["QueuedChunks"]), ("Deadline · shot010 beauty", "mervin", 2, 2))
        self.assertAlmostEqual(job["EpochStarted"], time.time() - 600, delta=60)
        self.assertIn(TWO, self.list(ws, "recent_jobs", TWO)["data"])
        self.service.done = 3
        self.assertEqual(ws.until(lambda m: m["data"].get(ONE, {}).get("CompletedChunks") == 3, 10)[-1]["update"], True)
        self.service.state = "Completed"  # it leaves one list and is in the other at once
        got = ws.until(lambda m: m["type"] == "recent_jobs" and ONE in m["data"], 10)
        self.assertTrue(any(m["type"] == "active_jobs" and not m["update"] and ONE not in m["data"] for m in got + ws.quiet(1)))

    def test_one_poll_for_all(self):
        sockets = [self.socket() for _ in range(20)]
        for ws in sockets:
            self.list(ws, "active_jobs", ONE)
        del self.service.asked[:]
        time.sleep(4)
        self.assertLessEqual(len([a for a in self.service.asked if "States=Active" in a]), 3)

    def test_a_page(self):
        ws = self.socket()
        self.list(ws, "active_jobs", ONE)
        ws.send(body="get_job_details", jobId=ONE)
        page = ws.until(lambda m: m["type"] == "job_details", 10)[-1]
        self.assertEqual((page["update"], page["data"]["job"]["Completed"], page["data"]["job"]["Submit_Date"]), (False, "2", "Nov 22/26  09:12:44"))
        self.assertEqual(page["data"]["tasks"][2], {"TaskID": 2, "Frames": "3-3", "Errs": 0, "Prog": "0 %"})
        self.assertTrue(ws.until(lambda m: m.get("chunk"))[0]["reset"])
        ws.quiet(0.5)
        self.service.errors, self.service.done = 2, 3
        got = ws.until(lambda m: m.get("reset"), 10) + ws.quiet(1)
        details = next(m for m in got if m["type"] == "job_details")
        self.assertEqual((details["data"]["job"]["Errors"], details["data"]["tasks"]["2"]["Prog"]), ("2", "100 %"))
        self.assertIn("ran out of memory", "".join(m.get("chunk", "") for m in got))
        ws.send(body="get_job_details", jobId=GONE)
        self.assertEqual(ws.until(lambda m: m["type"] == "job_details", 10)[-1]["data"].get("error"), "invalid_jobId")

    def test_pictures_lie_where_they_may(self):
        ws = self.socket()
        self.list(ws, "active_jobs", ONE)
        ws.send(body="get_image_preview", jobId=ONE, taskId="0")
        self.assertTrue(ws.until(lambda m: m["type"] == "image_preview")[-1]["image"].startswith("/9j/"))
        for task, folder, why in (("1", "P:\\shots", "no folder that may be shown"), ("2", "P:\\shots", "Could not find"), ("0", self.service.data + "/secret", "no folder"),
                                  ("0", "P:/shots/../secret", "no folder"), ("9", "P:/shots", "no such task")):
            self.service.folder = folder
            ws.send(body="get_image_preview", jobId=ONE, taskId=task)
            answer = ws.until(lambda m: m["type"] == "image_preview")[-1]
            self.assertEqual((answer["task_id"], answer["error"]), (task, True))
            self.assertIn(why, answer["message"])

    def test_a_picture_is_made_once(self):
        shown = self.farm.dir + "/spool/shown"
        ws = self.socket()
        self.list(ws, "active_jobs", ONE)
        answers = []
        for name in ("3", "4"):  # the same bytes, two files
            with open(f"{self.service.data}/pictures/beauty_000{name}.png", "wb") as picture:
                picture.write(farm.png(300, 100, (200, 60, 60)))
            before = set(os.listdir(shown)) if os.path.isdir(shown) else set()
            for _ in range(2):
                ws.send(body="get_image_preview", jobId=ONE, taskId=str(int(name) - 1))
                answers.append(ws.until(lambda m: m["type"] == "image_preview")[-1].get("image"))
            self.assertEqual(len(set(os.listdir(shown)) - before), 1 if name == "3" else 0)
        self.assertTrue(answers[0].startswith("/9j/"))
        self.assertEqual(len(set(answers)), 1)
        kept = max((os.path.join(shown, name) for name in os.listdir(shown)), key=os.path.getmtime)
        with open(kept, "wb") as file:
            file.write(b"kept")  # what is kept is what is shown
        ws.send(body="get_image_preview", jobId=ONE, taskId="2")
        self.assertEqual(ws.until(lambda m: m["type"] == "image_preview")[-1]["image"], "a2VwdA==")
        os.utime(kept, (time.time() - 8 * 86400,) * 2)
        self.farm.admin("housekeeping")
        self.assertFalse(os.path.exists(kept))
        for name in ("3", "4"):
            os.unlink(f"{self.service.data}/pictures/beauty_000{name}.png")

    def test_the_first_viewer_may_open_a_page(self):
        for pid in self.farm.processes("live"):
            os.kill(pid, 9)

        def connected():
            try:
                return self.socket()
            except (OSError, websocket.Refused, websocket.Closed):
                return None

        ws = self.eventually(connected)
        ws.send(body="get_job_details", jobId=ONE)  # nobody has asked Deadline for a list yet
        page = ws.until(lambda m: m["type"] == "job_details", 10)[-1]
        self.assertEqual((page["update"], page["data"].get("job", {}).get("Completed")), (False, "2"))
        self.assertTrue(ws.until(lambda m: m.get("chunk"))[-1]["chunk"])

    def test_a_page_outlives_a_hiccup_but_not_its_job(self):
        ws = self.socket()
        ws.send(body="get_job_details", jobId=ONE)
        ws.until(lambda m: m.get("chunk"), 10)
        self.service.ill = True
        self.assertFalse([m for m in ws.quiet(2.5) if m["type"] == "job_details"])
        self.service.ill, self.service.errors = False, 3
        said = ws.until(lambda m: m.get("reset"), 10) + ws.quiet(1)
        self.assertIn("ran out of memory", "".join(m.get("chunk", "") for m in said))
        del self.service.asked[:]
        ws.quiet(3)
        self.assertFalse([a for a in self.service.asked if "taskreports" in a])  # they are read once
        self.service.state = "Deleted"
        gone = ws.until(lambda m: m["type"] == "job_details" and "error" in m["data"], 10)[-1]
        self.assertEqual((gone["update"], gone["data"]["error"]), (False, "invalid_jobId"))
        del self.service.asked[:]
        ws.quiet(2.5)
        self.assertFalse([a for a in self.service.asked if ONE in a])

    def test_pages_say_that_it_is_lost(self):
        ws, other = self.socket(), self.socket()
        self.list(other, "active_jobs", ONE)
        ws.send(body="get_job_details", jobId=ONE)
        ws.until(lambda m: m.get("chunk"), 10)
        ws.quiet(0.5)
        self.service.stop()
        try:
            said = ws.until(lambda m: m.get("reset"), 15) + ws.quiet(1)
            self.assertIn("not reachable", "".join(m.get("chunk", "") for m in said))
            self.assertFalse([m for m in said if m["type"] == "job_details"])
            other.send(body="get_job_details", jobId="deadline-not-reachable")
            self.assertEqual(other.until(lambda m: m["type"] == "job_details", 10)[-1]["data"]["job"]["Failed"], "1")
            said = other.until(lambda m: m.get("reset"), 10) + other.quiet(1)
            self.assertIn("deadline_url", "".join(m.get("chunk", "") for m in said))
        finally:
            self.service.start()
        said = ws.until(lambda m: m.get("reset"), 30) + ws.quiet(1)
        self.assertIn("2 of 4 tasks", "".join(m.get("chunk", "") for m in said))
        other.until(lambda m: m["type"] == "job_details" and "error" in m["data"], 10)

    def test_lost_and_found(self):
        ws = self.socket()
        self.list(ws, "active_jobs", ONE)
        self.service.stop()
        try:
            lost = ws.until(lambda m: "deadline-not-reachable" in m["data"], 15)[-1]["data"]["deadline-not-reachable"]
            self.assertIn("not reachable", lost["Name"])
        finally:
            self.service.start()
        ws.until(lambda m: m["type"] == "active_jobs" and not m["update"] and "deadline-not-reachable" not in m["data"], 30)


class Words(farm.Case):
    @classmethod
    def setUpClass(cls):
        cls.service, cls.model = Service(), llm.Model()
        cls.settings = (("deadline_url", f"http://127.0.0.1:{cls.service.port}"), ("llm_url", f"http://127.0.0.1:{cls.model.server.server_address[1]}/v1"))
        super().setUpClass()
        cls.farm.user("ada", "submitter")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.service.stop()
        cls.model.server.shutdown()
        cls.model.server.server_close()

    def test_the_model_says_them(self):
        project = self.farm.project("ada", frames="1")
        ws, text = websocket.Socket(self.farm.port, headers=[("Cookie", farm.Visitor(self.farm, "ada").cookie)]), []
        self.addCleanup(ws.close)

        def said():
            text.extend(ws.quiet(0.2))
            return "".join("\0" if m.get("reset") else m.get("chunk", "") for m in text).split("\0")

        ws.send(body="get_job_details", jobId=ONE)
        self.eventually(lambda: said()[-1] == "".join(llm.WORDS))
        self.assertEqual(len(said()), 3)  # nothing, the rules', the model's
        self.assertIn("2 of 4 tasks", said()[1])
        prompt = json.loads(self.model.bodies[-1])["messages"][1]["content"]
        self.assertTrue(prompt.startswith("The render is going well."), prompt)
        self.service.errors = 2  # from none to some
        self.eventually(lambda: len(said()) == 5 and said()[-1] == "".join(llm.WORDS))
        self.assertIn("ran out of memory", said()[3])
        prompt = json.loads(self.model.bodies[-1])["messages"][1]["content"]
        self.assertTrue(prompt.startswith("The render goes on, but some tasks fail."), prompt)
        self.assertIn("Error: Out of memory", prompt)
        for hidden in ("zoe", "mervin", "hunter2"):
            self.assertNotIn(hidden, prompt)
        self.assertEqual(int(self.farm.sql("SELECT count(*) AS n FROM words")[0]["n"]), 0)  # they are nobody's project's
        self.farm.admin("project", "delete", project)


class Env(farm.Case):
    """`live --env FILE`: the progress app's own file says where the service is, and the model's key."""

    @classmethod
    def setUpClass(cls):
        cls.service, cls.model, cls.programs = Service(), llm.Model(), farm.tempfile.mkdtemp(prefix="farmgate-programs-")
        for name in os.listdir(farm.BUILD):
            if name != "daemons":
                os.symlink(f"{farm.BUILD}/{name}", f"{cls.programs}/{name}")
        os.mkdir(cls.programs + "/daemons")
        for name in ("compositor", "launcher"):
            os.symlink(f"{farm.BUILD}/daemons/{name}", f"{cls.programs}/daemons/{name}")
        with open(cls.programs + "/app.env", "w") as env:
            env.write(f"# the app's\nWEB_SERVICE_IP=127.0.0.1\nWEB_SERVICE_PORT='{cls.service.port}'\nOPENAI_API_KEY=\"sk-of-the-app\"\n")
        with open(cls.programs + "/daemons/live", "w") as live:
            live.write(f"#!/bin/sh\nexec {farm.BUILD}/daemons/live --env {cls.programs}/app.env \"$@\"\n")
        os.chmod(cls.programs + "/daemons/live", 0o755)
        os.chmod(cls.programs, 0o755)
        cls.settings = (("llm_url", f"http://127.0.0.1:{cls.model.server.server_address[1]}/v1"),)
        super().setUpClass()
        cls.farm.user("ada", "submitter")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.service.stop()
        cls.model.server.shutdown()
        cls.model.server.server_close()
        farm.shutil.rmtree(cls.programs)

    def test_the_service_and_the_key(self):
        ws = websocket.Socket(self.farm.port, headers=[("Cookie", farm.Visitor(self.farm, "ada").cookie)])
        self.addCleanup(ws.close)
        ws.send(body="get_active_jobs")
        ws.until(lambda m: m["type"] == "active_jobs" and ONE in m["data"], 15)
        ws.send(body="get_job_details", jobId=ONE)
        ws.until(lambda m: m.get("chunk"), 15)
        self.eventually(lambda: self.model.keys == ["Bearer sk-of-the-app"])
        began = self.farm.logs().count(b"event=live.ready")
        ws.quiet(3)  # and it stays: what the file said is no change of the settings
        self.assertEqual(self.farm.logs().count(b"event=live.ready"), began)


if __name__ == "__main__":
    tap.main()
