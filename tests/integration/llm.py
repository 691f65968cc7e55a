"""llm: summaries by an OpenAI-compatible address: the rules' words first, the model's after; logs leave redacted; answers are kept; failures cost nothing."""
import http.server
import json
import os
import threading

import farm
import tap
import websocket

WORDS = ["Your", " render ran out", " of memory;", " use smaller textures."]


class Model:
    """Streams WORDS, or fails."""

    def __init__(self):
        self.bodies, self.keys, self.status = [], [], 200
        self.go, self.breaks = threading.Event(), False
        self.go.set()
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                model.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                model.keys.append(self.headers.get("Authorization"))
                self.send_response(model.status)
                self.end_headers()
                if model.status == 200:
                    for i, word in enumerate(WORDS):
                        if i == 2 and not model.go.wait(30):
                            return
                        if i == 2 and model.breaks:
                            return
                        self.wfile.write(b"data: " + json.dumps({"choices": [{"delta": {"content": word}}]}).encode() + b"\n\n")
                    self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Asked(farm.Case):
    @classmethod
    def setUpClass(cls):
        cls.model = Model()
        cls.key_file = os.path.join(farm.tempfile.gettempdir(), f"farmgate-llm-key-{os.getpid()}")
        with open(cls.key_file, "w") as file:
            file.write("sk-test\n")
        cls.settings = (("llm_url", f"http://127.0.0.1:{cls.model.server.server_address[1]}/v1"), ("llm_model", "small"), ("llm_key_file", cls.key_file))
        super().setUpClass()
        cls.farm.renderer()
        cls.farm.user("ada", "submitter")
        cls.ada = farm.Visitor(cls.farm, "ada")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.model.server.shutdown()
        cls.model.server.server_close()
        os.unlink(cls.key_file)

    def page(self, project):
        ws = websocket.Socket(self.farm.port, headers=[("Cookie", self.ada.cookie)])
        self.addCleanup(ws.close)
        ws.send(body="get_job_details", jobId=str(project))
        return ws

    def text(self, messages):
        """What the app shows after these."""
        text = ""
        for m in messages:
            text = "" if m.get("reset") else text + m.get("chunk", "")
        return text


class Quoted(Asked):
    def test_what_the_rules_quote_is_redacted_too(self):
        project = self.farm.project("ada", frames="1")
        w = farm.Client(self.farm, "6.22306", "cleo", self.farm.key("cleo"))
        w.config()
        w.error(w.job(), "", b"Error: strange failure of zoe, token=hunter2, in C:\\\\Users\\\\zoe\\\\a.png\n")
        self.page(project)
        self.eventually(lambda: self.model.bodies)
        prompt = json.loads(self.model.bodies[-1])["messages"][1]["content"]
        self.assertEqual(prompt.count("strange failure of <name>, token=<secret>"), 2, prompt)  # the rules' sentence, and the log
        for hidden in ("zoe", "hunter2"):
            self.assertNotIn(hidden, prompt)


class Llm(Asked):
    def test_words(self):
        project = self.farm.project("ada", frames="1-2")
        w = farm.Client(self.farm, "6.22306", "cleo", self.farm.key("cleo"))
        w.config()
        w.error(w.job(), "21", b"read /home/zoe/a.png from 10.1.2.3 for zoe@studio.example\nowner ada\ntoken=hunter2\nError: Out of memory\n")
        ws, seen = self.page(project), []
        self.eventually(lambda: seen.extend(ws.quiet(0.2)) or self.text(seen) == "".join(WORDS))
        resets = [i for i, m in enumerate(seen) if m.get("reset")]
        self.assertEqual(len(resets), 2)
        self.assertIn("has failed", self.text(seen[:resets[1]]))  # the rules were there before
        self.assertEqual(self.model.keys[-1], "Bearer sk-test")
        body = json.loads(self.model.bodies[-1])
        self.assertEqual((body["model"], body["stream"], [m["role"] for m in body["messages"]]), ("small", True, ["system", "user"]))
        prompt = body["messages"][1]["content"]
        self.assertIn("Error: Out of memory", prompt)
        self.assertIn("read ~/a.png from <address> for <mail>", prompt)
        for hidden in ("zoe", "10.1.2.3", "hunter2", "owner ada"):
            self.assertNotIn(hidden, prompt)
        asked = len(self.model.bodies)
        again, seen = self.page(project), []
        self.eventually(lambda: seen.extend(again.quiet(0.2)) or self.text(seen) == "".join(WORDS))
        self.assertEqual(len(self.model.bodies), asked)
        self.farm.admin("project", "delete", project)

    def test_the_project_page_has_them(self):
        project = self.farm.project("ada", frames="1", title="for the page")
        target = f"/api/projects/{project}"
        self.assertNotEqual(self.ada.get(target).json["summary"], "".join(WORDS))
        ws = websocket.Socket(self.farm.port, f"/events?after=0&project={project}", [("Cookie", self.ada.cookie)])  # the page is open
        self.addCleanup(ws.close)
        ws.until(lambda m: any(e["kind"] == "project.words" for e in m["events"]))
        self.assertEqual(self.ada.get(target).json["summary"], "".join(WORDS))
        self.farm.admin("project", "pause", project)  # another state: the rules', until it is put into words, too
        self.eventually(lambda: len([b for b in self.model.bodies if b"for the page" in b or b"stopped" in b]) > 0)
        self.eventually(lambda: self.ada.get(target).json["summary"] == "".join(WORDS))
        self.farm.admin("project", "delete", project)

    def stream(self, breaks):
        """A page whose model has stopped in the middle of its words: the socket and what came."""
        self.model.go.clear()
        self.model.breaks = breaks
        project = self.farm.project("ada", frames="1", title="streamed " + str(breaks))
        self.addCleanup(lambda: self.farm.admin("project", "delete", project))
        ws, seen = self.page(project), []
        self.eventually(lambda: seen.extend(ws.quiet(0.1)) or self.text(seen) == "".join(WORDS[:2]))
        return ws, seen

    def test_words_come_as_they_are_said(self):
        try:
            ws, seen = self.stream(False)
            self.model.go.set()
            self.eventually(lambda: seen.extend(ws.quiet(0.1)) or self.text(seen) == "".join(WORDS))
            self.assertEqual(len([m for m in seen if m.get("reset")]), 2)  # the rules', the model's: nothing twice
        finally:
            self.model.go.set()

    def test_broken_words_make_room_for_the_rules(self):
        try:
            ws, seen = self.stream(True)
            said = self.text(seen)
            self.model.go.set()
            self.eventually(lambda: seen.extend(ws.quiet(0.1)) or (self.text(seen) != said and "waits for a worker" in self.text(seen)))
        finally:
            self.model.go.set()
            self.model.breaks = False

    def test_failures_leave_the_rules(self):
        self.model.status = 500
        try:
            project = self.farm.project("ada", frames="1")
            ws = self.page(project)
            asked = len(self.model.bodies)
            ws.until(lambda m: m.get("chunk"))
            self.eventually(lambda: len(self.model.bodies) > asked or asked > 0)
            seen = ws.quiet(1)
            self.assertFalse([m for m in seen if m.get("reset")])
        finally:
            self.model.status = 200
            self.farm.admin("project", "delete", project)


class Later(farm.Case):
    def test_a_setting_counts_while_it_runs(self):
        model = Model()
        try:
            self.farm.user("ada", "submitter")
            self.farm.renderer()
            ada, project, pid = farm.Visitor(self.farm, "ada"), self.farm.project("ada", frames="1"), self.farm.processes("live")
            with open(self.farm.dir + "/farmgate.conf", "a") as conf:
                conf.write(f"llm_key_file = /nowhere/at/all\nllm_url = http://127.0.0.1:{model.server.server_address[1]}/v1\n")

            def said():
                try:
                    with websocket.Socket(self.farm.port, headers=[("Cookie", ada.cookie)]) as ws:
                        ws.send(body="get_job_details", jobId=str(project))
                        return "".join(m.get("chunk", "") for m in ws.quiet(1))
                except (websocket.Closed, websocket.Refused, OSError):
                    return ""
            self.eventually(lambda: "live.anew" in self.farm.logs().decode(errors="replace") and said() and not model.bodies)  # no key: the rules' words
            with open(self.farm.dir + "/farmgate.conf", "a") as conf:
                conf.write("llm_key_file =\n")
            self.eventually(lambda: "".join(WORDS) in said())
            self.assertEqual(self.farm.processes("live"), pid)
        finally:
            model.server.shutdown()
            model.server.server_close()


if __name__ == "__main__":
    tap.main()
