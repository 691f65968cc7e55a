"""batch: every route, state and error of the batch API, by token, by cookie and by the listener without login; jobs one after another on the farm."""
import copy
import json
import os
import socket
import threading
import time

import blendfile
import farm
import tap
from farm import Client, Visitor, png, request

JOB = {
    "enabled": True, "id": 0, "name": "Some job", "output": "", "external": False, "layer": "", "blendfile": "batch.blend", "filename": "/home/user/batch.blend",
    "animated": False, "engine": "", "threads": 0, "hooks": {"PRE_JOB": [{"enabled": False, "cmd": "echo 'pre_job'"}], "POST_JOB": []}, "size": [0, 0],
    "blend_file": "/home/user/batch.blend", "scene": "", "camera": "", "world": "", "frame_still": 1, "frame_start": 1, "frame_end": 3, "format": "PNG",
    "section": {"enabled": False, "x": 0, "y": 0, "width": 1, "height": 1}, "cycles": {"samples": 0, "device": "DEFAULT"}, "custom_overrides": [],
}
RECIPE = {
    "name": "/home/user/batch.blend", "version": 2.2,
    "settings": {"rss": {"enabled": False, "path": "/home/user/feed.rss"}, "global_percentage": {"enabled": False, "value": 100},
                 "global_size": {"enabled": False, "value": [1920, 1080]}, "write_log": False, "ignore_border": False},
    "blender_bin": "/bin/blender", "hooks": {"PRE_BATCH": [], "POST_BATCH": []}, "poweroff": {"enabled": False, "action": "DISABLED"},
    "notifications": {"desktop": False, "sound": {"enabled": False, "file": "/x.ogg", "volume": 10},
                      "mail": {"enabled": False, "user": "some@somemail.com", "pass": "secret-of-the-mail", "ssl": True, "to": "my@real-mail.com", "server": "smtp.mail.com"}},
    "jobs": [JOB],
}


def recipe(*jobs, **top):
    out = copy.deepcopy(RECIPE)
    out.update(top)
    out["jobs"] = [{**copy.deepcopy(JOB), "id": i, "name": f"Job {i}", **job} for i, job in enumerate(jobs or [{}])]
    return out


class Postbox(threading.Thread):
    """A mail server for one letter."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.heard, self.letter = self.socket.getsockname()[1], [], []
        self.start()

    def run(self):
        line, _ = self.socket.accept()
        with line, line.makefile("rwb") as f:
            def say(text):
                f.write(text.encode() + b"\r\n")
                f.flush()
            say("220 here")
            while True:
                heard = f.readline().decode().strip()
                self.heard.append(heard)
                if heard == "AUTH PLAIN":
                    say("334 ")
                    f.readline()
                if heard == "DATA":
                    say("354 go on")
                    while (text := f.readline().decode()) != ".\r\n":
                        self.letter.append(text.rstrip("\r\n"))
                say("250-me\r\n250 AUTH PLAIN" if heard.startswith("EHLO") else "235 yes" if heard.startswith("AUTH") else "221 bye" if heard in ("QUIT", "") else "250 ok")
                if heard in ("QUIT", ""):
                    return


class Batch(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        f = cls.farm
        cls.local_port = farm.free_port()
        cls.out = f.dir + "/out"
        os.mkdir(cls.out)
        with open(f.dir + "/farmgate.conf", "a") as conf:
            conf.write(f"batch_user = loc\nbatch_listen = 127.0.0.1:{cls.local_port}\nbatch_output_folders = {cls.out}\nbatch_hooks = touch {cls.out}/hook-*;false;touch *\n")
        f.spawn("configure", "--port", f.port, "--tls-port", 0, "--server", cls.server, "--programs", farm.BUILD, "--htdocs", farm.TOP + "/htdocs", "--pool-max", 3,
                "--web-user", "root" if os.getuid() == 0 else "nobody")
        f.spawn("stop")
        f.spawn("start")
        f.renderer()
        f.user("loc", "submitter")
        f.user("wim", "worker")
        cls.worker_key = f.key("wim")
        cls.count = 0

    def setUp(self):
        """Each test is a user of its own."""
        type(self).count += 1
        self.name = f"ann{self.count}"
        self.farm.user(self.name, "submitter")
        self.token = self.farm.admin("token", "add", self.name, "script", "--scope", "batch").split()[-1]

    def call(self, method, target, body=b"", kind="application/json", status=200, token=None, **headers):
        head = [("Authorization", f"Bearer {token or self.token}"), *headers.items()] + ([("Content-Type", kind)] if body else [])
        answer = request(self.farm.port, method, target, head, body if isinstance(body, bytes) else json.dumps(body).encode())
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def send(self, name="batch.blend", data=None):
        return self.call("POST", "/batch/file", farm.multipart(data or blendfile.make(32, 18), name, "b-1"), "multipart/form-data; boundary=b-1")

    def worker(self):
        client = Client(self.farm, "6.22306.0", "wim", self.worker_key, host=self.name)
        self.assertEqual(client.config().xml.get("status"), "0")
        return client

    def render(self, client, frames=1, width=32, height=18):
        done = []
        for _ in range(frames):
            job = self.eventually(lambda: (lambda j: None if isinstance(j, int) else j)(client.job()), 30)
            self.assertEqual(client.upload(job, png(width, height)).xml.get("status"), "0")
            done.append(job)
        return done

    def poll_until(self, **wanted):
        return self.eventually(lambda: (lambda p: p if all(p[k] == v for k, v in wanted.items()) else None)(self.call("GET", "/batch")), 40)

    def test_before_any_recipe(self):
        for method, target in (("GET", "/batch"), ("GET", "/batch/name"), ("GET", "/batch/jobs/0"), ("DELETE", "/batch"), ("DELETE", "/batch/jobs/current"),
                               ("GET", "/batch/start"), ("POST", "/batch/start"), ("GET", "/batch/ready")):
            self.assertEqual(list(self.call(method, target, status=409)), ["status"], (method, target))
        self.assertEqual(self.call("GET", "/test")["status"], "WAITING")
        for target in ("/batch/nothing", "/batch/jobs/0/more", "/batch/recipes"):
            self.call("GET", target, status=404 if "jobs" not in target else 409)
        for method, target in (("DELETE", "/batch/recipe"), ("GET", "/batch/file"), ("DELETE", "/batch/start"), ("POST", "/batch/ready"), ("POST", "/test"), ("GET", "/server"),
                               ("POST", "/batch/jobs/0"), ("GET", "/batch/recipe")):
            self.call(method, target, status=405)
        self.call("DELETE", "/server", status=403)

    def test_who(self):
        for headers in ([], [("Authorization", "Bearer " + "0" * 64)]):
            self.assertEqual(request(self.farm.port, "GET", "/batch", headers).status, 401)
        browser = Visitor(self.farm, self.name)
        self.assertEqual(browser.get("/batch").status, 409)
        self.assertEqual(browser.call("GET", "/batch/start").status, 403)
        self.assertEqual(browser.call("POST", "/batch/recipe", data=recipe()).status, 200)
        self.assertEqual(request(self.farm.port, "POST", "/batch/recipe", [("Cookie", browser.cookie), ("Content-Type", "application/json")], json.dumps(recipe()).encode()).status, 403)
        self.farm.user("otto", "submitter")
        self.assertEqual(Visitor(self.farm, "otto").get("/batch").status, 409)  # a batch of one's own each
        self.assertEqual(Visitor(self.farm, "wim").call("POST", "/batch/recipe", data=recipe()).status, 403)

    def test_bad_recipes(self):
        self.call("POST", "/batch/recipe", b"{}", "text/plain", status=406)
        self.call("POST", "/batch", b"{}", "application/x-www-form-urlencoded", status=406)
        table = (
            (b'{"name": "/a.blend",\n "jobs": [1,],}', "line 2, column"), (b"", "JSON"), (b"[]", "object"), (b'{"name": 5, "jobs": 7}', "name must be a text"),
            ({**recipe(), "jobs": []}, "jobs is missing or empty"), (recipe({"format": "DDS"}), "jobs[0].format is DDS"), (recipe({"size": [2, 7]}), "jobs[0].size"),
            (recipe({}, {"id": 0}), "jobs[1].id is 0, as jobs[0]"), (recipe({"output": "/a"}, {"output": "/a"}), "jobs[1].output is where jobs[0] writes"),
            (recipe({"frame_still": -4}), "jobs[0].frame_still must be 0"), (recipe({"threads": "four"}), "jobs[0].threads must be a whole number"),
            (recipe({"section": {"enabled": True, "x": 2}}), "jobs[0].section.x"), (recipe({"name": "x" * 300}), "jobs[0].name is longer"),
            (recipe({"custom_overrides": [{"path": "render.filepath", "data": "'/etc/x'"}]}), "render.filepath): filepath may not be set"),
            (recipe({"custom_overrides": [{"path": "cycles.samples", "data": "__import__('os')"}]}), "cycles.samples): the value is no literal"),
            (recipe({"custom_overrides": [{"path": "render.__class__", "data": "1"}]}), "names, dots and keys"),
            (recipe({"custom_overrides": [{"path": "node_tree.nodes['x'].script", "data": "'x'"}]}), "node_tree may not be set"),
            (recipe({"external": True, "filename": ""}), "names no file: filename"), (recipe(name=""), "name is missing"),
            (recipe(*[{}] * 1001), "jobs has 1001 entries; a batch may have 1000"),
            (recipe(notifications={"mail": {"enabled": True, "to": "a\r\nBcc: b@c", "server": "x"}}), "mail.to must be"),
        )
        for body, text in table:
            said = self.call("POST", "/batch/recipe", body if not isinstance(body, bytes) else body or b" ", status=400)["status"]
            self.assertIn(text, said)
        self.call("POST", "/batch/recipe", json.dumps(recipe(*[{}] * 10000)).encode(), status=400)
        self.call("GET", "/batch", status=409)

    def test_bad_files(self):
        self.assertIn("no .blend", self.call("POST", "/batch/file", farm.multipart(b"not a scene at all", "a.blend", "b-1"), "multipart/form-data; boundary=b-1", status=400)["status"])
        self.call("POST", "/batch/file", b"BLENDER-v300", "application/octet-stream", status=400)
        self.call("POST", "/batch/file?name=x.blend", b"BLENDER-v300", "application/octet-stream")
        self.call("POST", "/batch/recipe", recipe())
        self.assertIn("/home/user/batch.blend", self.call("GET", "/batch/start", status=409)["status"])
        self.assertIn("/home/user/batch.blend", self.call("GET", "/batch/ready", status=409)["status"])

    def test_runs_in_order(self):
        self.send()
        self.call("POST", "/batch/recipe", recipe({"animated": True, "frame_end": 2, "output": self.out + "/anim_##"}, {"enabled": False}, {"output": self.out + "/deep/er/still.png"},
                                                  {"camera": "Nobody"}, settings={**RECIPE["settings"], "write_log": True, "rss": {"enabled": True, "path": self.out + "/feed.rss"}}))
        waiting = self.call("GET", "/batch")
        self.assertEqual((waiting["status"], waiting["current_job"], waiting["times"]), ("WAITING", None, {"started": None, "finished": None, "rendertime": None}))
        self.assertEqual([j["status"] for j in waiting["jobs"]], ["QUEUED", "DISABLED", "QUEUED", "QUEUED"])
        self.assertEqual(self.call("GET", "/batch/ready"), {"ready": True})
        self.assertEqual(self.call("GET", "/batch/name"), {"name": "/home/user/batch.blend"})
        self.call("GET", "/batch/start")
        for method, target in (("GET", "/batch/start"), ("POST", "/batch/start")):
            self.call(method, target, status=409)
        self.call("POST", "/batch/recipe", recipe(), status=409)
        self.call("GET", "/batch/ready", status=409)
        client = self.worker()
        self.render(client, 1)
        running = self.poll_until(current_job=0)
        self.assertEqual((running["jobs"][0]["progress"], running["jobs"][0]["status"], running["jobs"][0]["engine"]), (50.0, "RUNNING", {"type": None, "data": None}))
        self.assertEqual(set(running["stats"].values()), {None})
        self.assertIsNone(running["times"]["finished"])
        for index in ("4", "-1", "x", ""):
            self.call("GET", "/batch/jobs/" + index, status=400)
        self.assertEqual(self.call("GET", "/batch/jobs/1")["status"], "DISABLED")
        self.render(client, 1)
        self.poll_until(current_job=2)
        self.assertEqual([n for n in sorted(os.listdir(self.out)) if n.startswith("anim_") and n.endswith(".png")], ["anim_01.png", "anim_02.png"])
        self.render(client, 1)
        over = self.poll_until(status="FINISHED")
        self.assertEqual([j["status"] for j in over["jobs"]], ["FINISHED", "DISABLED", "FINISHED", "FAILED"])
        self.assertEqual(over["jobs"][3]["messages"], ["there is no camera Nobody in this file"])
        self.assertEqual([j["progress"] for j in over["jobs"]], [100.0, 0.0, 100.0, 0.0])
        times = [j["times"]["rendertime"] for j in over["jobs"]]
        self.assertEqual(over["stats"]["slowest_index"], max((0, 2), key=lambda i: times[i]))
        self.assertAlmostEqual(over["stats"]["average_time"], (times[0] + times[2]) / 2, 2)
        self.assertAlmostEqual(over["times"]["rendertime"], over["times"]["finished"] - over["times"]["started"], 2)
        self.assertEqual(sorted(os.listdir(self.out + "/deep/er")), ["still.png0001.png", "still.png_job_2.log"])  # as Blender names it
        self.eventually(lambda: os.path.exists(self.out + "/feed.rss") and b"[FINISHED] Job 2" in open(self.out + "/feed.rss", "rb").read())
        with open(self.out + "/anim_##_job_0.log") as log:
            self.assertIn('Render job #0 from batch "/home/user/batch.blend", started on 20', log.read())
        self.eventually(lambda: self.farm.sql("SELECT count(*) AS n FROM upload WHERE batch = 1 AND user = (SELECT id FROM user WHERE name = '%s')" % self.name)[0]["n"] in (0, "0"))
        self.call("DELETE", "/batch", status=409)
        self.call("DELETE", "/batch/jobs/current", status=409)
        self.assertNotIn(b"secret-of-the-mail", self.farm.logs() + json.dumps(over).encode() + json.dumps(self.farm.sql("SELECT recipe FROM batch")).encode())
        self.call("POST", "/batch/recipe", recipe())  # the next one

    def test_died_while_a_project_was_made(self):
        """Its row is there, its tasks are not; once with its scene in place, once without: both are rendered, without waiting for housekeeping."""
        for lost in (False, True):
            self.send()
            self.call("POST", "/batch/recipe", recipe({"frame_still": 7}))
            self.call("POST", "/batch/start")
            first = self.eventually(lambda: self.call("GET", "/batch/jobs/0")["project"])
            self.farm.admin("sql", f"DELETE FROM task WHERE project = {first}; UPDATE project SET state = 'splitting', split = 0, waiting = 0, open = 0, queue = NULL WHERE id = {first}; "
                            f"UPDATE queue SET projects = 0; UPDATE need SET queues = 0; DELETE FROM turn; UPDATE batch_job SET project = 0 WHERE project = {first}")
            if lost:
                os.unlink(f"{self.farm.dir}/spool/projects/{first}/source.zip")
            again = self.eventually(lambda: self.call("GET", "/batch/jobs/0")["project"])
            self.assertEqual(again != first, lost)
            self.render(self.worker())
            self.poll_until(status="FINISHED")
            self.assertEqual(self.call("GET", "/batch/jobs/0")["status"], "FINISHED")

    def test_exactly_one_start(self):
        self.send()
        self.call("POST", "/batch/recipe", recipe({"frame_still": 9}))
        got = []
        threads = [threading.Thread(target=lambda: got.append(request(self.farm.port, "POST", "/batch/start", [("Authorization", "Bearer " + self.token)]).status)) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(got), [200] + [409] * 5)
        self.call("DELETE", "/batch")

    def test_cancel(self):
        self.send()
        self.call("POST", "/batch/recipe", recipe({"animated": True}, {"frame_still": 5}, {"frame_still": 6}))
        self.call("POST", "/batch/start")
        self.poll_until(current_job=0)
        self.eventually(lambda: self.call("GET", "/batch/jobs/0")["project"])
        self.call("DELETE", "/batch/jobs/current")
        second = self.poll_until(current_job=1)
        self.assertEqual(second["jobs"][0]["status"], "CANCELLED")
        self.assertEqual(self.farm.show(second["jobs"][0]["project"])["state"], "cancelled")
        self.call("DELETE", "/batch")
        over = self.call("GET", "/batch")
        self.assertEqual((over["status"], [j["status"] for j in over["jobs"]], set(over["stats"].values())), ("CANCELLED", ["CANCELLED"] * 3, {None}))
        self.assertEqual(self.worker().job(), 200)

    def test_old_clients(self):
        self.send()
        self.call("POST", "/batch", recipe())
        self.call("POST", "/batch", recipe(), status=409)
        self.render(self.worker())
        self.poll_until(status="FINISHED")

    def test_hooks(self):
        self.send()
        hook = lambda name: [{"enabled": True, "cmd": f"touch '{self.out}/{name}'"}]
        jobs = ({"hooks": {"PRE_JOB": hook("hook-pre"), "POST_JOB": hook("hook-post")}}, {"hooks": {"PRE_JOB": [{"enabled": True, "cmd": "false"}]}},
                {"hooks": {"PRE_JOB": [{"enabled": True, "cmd": "rm -rf /"}, {"enabled": True, "cmd": "touch a; rm b"}, {"enabled": True, "cmd": "touch -r"}]}})
        self.call("POST", "/batch/recipe", recipe(*jobs, hooks={"PRE_BATCH": hook("hook-first"), "POST_BATCH": hook("hook-last")}, poweroff={"enabled": True, "action": "OFF"}))
        self.call("POST", "/batch/start")
        client = self.worker()
        self.render(client, 2)
        over = self.poll_until(status="FINISHED")
        self.assertEqual([j["status"] for j in over["jobs"]], ["FINISHED", "FAILED", "FINISHED"])
        self.assertEqual(over["jobs"][1]["messages"], ["its PRE_JOB hook failed"])
        self.eventually(lambda: {"hook-first", "hook-pre", "hook-post", "hook-last"} <= set(os.listdir(self.out)))
        said = self.eventually(lambda: (lambda m: m if "power stays on" in m else None)("\n".join(self.call("GET", "/batch")["messages"])))
        for text in ('"rm -rf /": this farm does not run it', '"touch a; rm b": hooks are run without a shell', '"touch -r": this farm does not run it', "blender_bin /bin/blender: the farm's workers render with the farm's own renderer"):
            self.assertIn(text, said)

    def test_mail(self):
        """To strangers' servers only, from a portal; on one's own machine anywhere. The password is forgotten when it was used."""
        for own in (0, 1):
            box = Postbox()
            mail = {"enabled": True, "user": "me@here.example", "pass": "secret-of-the-mail", "ssl": False, "to": "you@there.example", "server": f"127.0.0.1:{box.port}"}
            self.farm.admin("set", "batch_own_machine", own)
            time.sleep(1.5)  # programs take settings over within a second
            self.send()
            self.call("POST", "/batch/recipe", recipe({"name": "Gr\u00fc\u00dfe"}, notifications={"mail": mail}))
            self.assertNotEqual(self.farm.sql("SELECT max(length(password)) AS n FROM batch WHERE state = 'WAITING'")[0]["n"], 0)
            self.call("POST", "/batch/start")
            self.render(self.worker())
            self.poll_until(status="FINISHED")
            if own:
                self.eventually(lambda: "QUIT" in box.heard)
            else:
                self.eventually(lambda: "mail goes to the ports" in "".join(self.call("GET", "/batch")["messages"]))
                self.assertEqual(box.heard, [])
        self.farm.admin("set", "batch_own_machine", 0)
        self.assertIn("RCPT TO:<you@there.example>", box.heard)
        self.assertIn("Subject: Batch /home/user/batch.blend has finished rendering", box.letter)
        self.assertIn("1 of 1 jobs came out.", box.letter)
        self.eventually(lambda: self.farm.sql("SELECT sum(length(password)) AS n FROM batch WHERE open = 0 AND state <> 'WAITING'")[0]["n"] in (0, "0"))

    def test_mail_without_tls_is_not_sent(self):
        """Where the recipe says ssl and the server has none, or none that can be trusted, neither letter nor password go out."""
        self.farm.admin("set", "batch_own_machine", 1)
        time.sleep(1.5)
        box = Postbox()
        self.send()
        self.call("POST", "/batch/recipe", recipe(notifications={"mail": {"enabled": True, "user": "me@here.example", "pass": "secret-of-the-mail", "ssl": True,
                                                                          "to": "you@there.example", "server": f"127.0.0.1:{box.port}"}}))
        self.call("POST", "/batch/start")
        self.render(self.worker())
        self.poll_until(status="FINISHED")
        said = self.eventually(lambda: next((m for m in self.call("GET", "/batch")["messages"] if m.startswith("mail: ")), None))
        self.assertNotIn("secret", said)
        self.assertEqual([line for line in box.heard if line.startswith(("AUTH", "MAIL", "RCPT", "DATA"))], [])
        self.farm.admin("set", "batch_own_machine", 0)

    def local(self, method, target, body=b"", headers=(), status=200):
        head = "\r\n".join(f"{k}: {v}" for k, v in dict([("Host", f"localhost:{self.local_port}"), ("Content-Type", "application/json"), ("Connection", "close"),
                                                           ("Content-Length", len(body)), *headers]).items())
        answer = farm.raw(self.local_port, f"{method} {target} HTTP/1.1\r\n{head}\r\n\r\n".encode() + body)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def test_listener_without_login(self):
        self.assertEqual(self.local("GET", "/test")["server"], "Farmgate")
        for headers in ([("Host", "evil.example")], [("Origin", "http://localhost:7777")], [("Origin", "null")], [("Host", "127.0.0.1.evil.example")],
                        [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")]):
            self.local("GET", "/test", headers=headers, status=403)
            self.local("GET", "/batch/start", headers=headers, status=403)
        self.local("GET", "/test", headers=[("Sec-Fetch-Site", "none")])
        for name in ("127.0.0.1", f"[::1]:{self.local_port}"):
            self.local("GET", "/test", headers=[("Host", name)])
        for target in ("/api/projects", "/api/batches", "/index.html", "/server/config.php", "/"):
            self.local("GET", target, status=404)
        self.local("DELETE", "/server", status=403)
        body = farm.multipart(blendfile.make(32, 18), "batch.blend", "b-1")
        self.local("POST", "/batch/file", body, [("Content-Type", "multipart/form-data; boundary=b-1")])
        self.local("POST", "/batch/recipe", json.dumps(recipe({"hooks": {"PRE_JOB": [{"enabled": True, "cmd": f"touch {self.out}/hook-local"}]}})).encode())
        self.local("GET", "/batch/start")
        self.render(self.worker())
        self.eventually(lambda: self.local("GET", "/batch")["status"] == "FINISHED", 40)
        self.assertNotIn("hook-local", os.listdir(self.out))
        self.assertIn("this farm does not run it", "\n".join(self.local("GET", "/batch")["messages"]))

    def test_nothing_of_a_stranger_is_kept(self):
        spool = os.path.join(self.farm.dir, "spool")
        files = lambda: {os.path.join(top, name) for top, _, names in os.walk(spool) for name in names}
        before, body = files(), farm.multipart(b"BLENDER" + b"x" * (8 << 20), "batch.blend", "b-1")
        with socket.create_connection(("127.0.0.1", self.farm.port), timeout=30) as s:
            s.sendall(f"POST /batch/file HTTP/1.1\r\nHost: 127.0.0.1:{self.farm.port}\r\nContent-Type: multipart/form-data; boundary=b-1\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:200000])
            self.assertIn(b" 401 ", s.recv(65536).split(b"\r\n")[0]) # before the rest has come
        self.assertLessEqual(files(), before)

    def test_portal_shows_them(self):
        self.send()
        self.call("POST", "/batch/recipe", recipe({}, {"name": "<b> & co"}))
        me, other = Visitor(self.farm, self.name), Visitor(self.farm, "loc")
        shown = me.get("/api/batches").json["batches"][0]
        self.assertEqual((shown["state"], shown["jobs"], shown["owner"]), ("WAITING", 2, self.name))
        one = f"/api/batches/{shown['id']}"
        self.assertEqual(me.get(one).json["poll"]["jobs"][1]["name"], "<b> & co")
        self.assertEqual([other.get(one).status, other.get(one + "/feed").status, other.get(one + "/jobs/0/log").status, other.post(one + "/cancel").status], [404] * 4)
        self.assertIn("has not begun", me.get(one + "/jobs/0/log").json["message"])
        self.assertEqual(me.post(one + "/cancel").status, 409)
        self.assertEqual(me.post("/batch/start").status, 200)
        feed = me.get(one + "/feed")
        self.assertIn(b"&lt;b&gt; &amp; co", feed.body)
        self.assertEqual(me.post(one + "/cancel").json["state"], "CANCELLED")


if __name__ == "__main__":
    tap.main()
