"""people: accounts, registering, invitations, keys and tokens with their scopes, quotas, the audit log; who may do what."""
import time

import blendfile
import farm
import tap
import websocket
from farm import Client, Visitor, png, request


class People(farm.Case):
    settings = (("login_failures", 4),)
    people = (("adi", "admin", "worker"), ("ann", "submitter", "worker"), ("wim", "worker"))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm.renderer()

    def setUp(self):
        self.farm.sql("DELETE FROM failure")

    def registration(self, how):
        self.farm.admin("set", "registration", how)
        time.sleep(1.1)  # each program looks at the settings once a second

    def bearer(self, token):
        return lambda method, target, **data: request(self.farm.port, method, target, [("Authorization", "Bearer " + token)] + ([("Content-Type", "application/json")] if data else []),
                                                      farm.json.dumps(data).encode() if data else b"")

    def live(self, token):
        """What a connection to /live with this token is answered; 101 lets it in."""
        try:
            with websocket.Socket(self.farm.port, headers=[("Authorization", "Bearer " + token)]):
                return 101
        except websocket.Refused as refused:
            return refused.status

    def account(self, name, *roles):
        self.farm.user(name, *roles)
        return Visitor(self.farm, name)

    def upload(self, visitor, size=0):
        data = blendfile.make(32, 18) + b"\0" * size
        return visitor.call("POST", "/api/upload", [("Content-Type", "multipart/form-data; boundary=b")], farm.multipart(data, "scene.blend", "b"))

    def test_registration(self):
        given = {"name": "new", "password": "long enough"}
        self.assertEqual(self.nobody.post("/api/register", **given).status, 403)
        self.assertEqual(self.nobody.post("/api/register", **given, invitation="0" * 64).status, 403)
        self.registration("invitation")
        for code in ("", "0" * 64):
            self.assertEqual(self.nobody.post("/api/register", **given, invitation=code).status, 403)
        made = self.ok(self.adi.post("/api/users/invitations", roles="submitter", note="a friend", days=3), 201)
        self.assertIn(made["code"], made["link"])
        self.assertEqual(self.nobody.post("/api/register", name="ann", password="long enough", invitation=made["code"]).status, 409)
        self.assertEqual(self.nobody.post("/api/register", name="new", password="short", invitation=made["code"]).status, 400)
        answer = self.nobody.post("/api/register", **given, invitation=made["code"])
        self.assertEqual((self.ok(answer, 201)["roles"], answer.header("Set-Cookie")[:10]), (["submitter"], "FGSESSION="))
        self.assertIn("HttpOnly; SameSite=Lax", answer.header("Set-Cookie"))
        self.assertEqual(self.nobody.post("/api/register", name="two", password="long enough", invitation=made["code"]).status, 403)
        listed = [i for i in self.ok(self.adi.get("/api/users/invitations"))["invitations"] if i["id"] == made["id"]][0]
        self.assertEqual((listed["guest"], listed["host"], "code" in listed), ("new", "adi", False))
        gone = self.ok(self.adi.post("/api/users/invitations", roles="worker"), 201)
        self.ok(self.adi.call("DELETE", f"/api/users/invitations/{gone['id']}"), 204)
        self.assertEqual(self.nobody.post("/api/register", name="two", password="long enough", invitation=gone["code"]).status, 403)
        self.registration("open")
        self.assertEqual(self.ok(self.nobody.post("/api/register", name="Two", password="long enough"), 201)["roles"], ["worker"])
        self.assertEqual(self.nobody.post("/api/register", name="tWo", password="long enough").status, 409)
        self.assertEqual(self.nobody.call("POST", "/api/register?name=x&password=long+enough").status, 400)
        self.assertEqual(self.adi.post("/api/users/invitations", roles="king").status, 400)
        self.farm.admin("set", "registration", "closed")
        self.assertNotEqual(self.farm.admin("set", "registration", "sometimes", ok=False).returncode, 0)
        self.assertNotIn(made["code"].encode(), self.farm.logs())

    def test_keys_and_tokens(self):
        key = self.ok(self.wim.post("/api/tokens", kind="key", name="cellar"), 201)
        self.assertEqual((len(key["secret"]), key["name"], key["scope"]), (64, "cellar", ""))
        client = Client(self.farm, "6.22306.0", "wim", key["secret"])
        self.assertEqual(client.config().xml.get("status"), "0")
        self.assertEqual(self.ok(self.wim.call("DELETE", f"/api/tokens/{key['id']}"), 204), None)
        self.assertNotEqual(client.request().xml.get("status"), "0")
        self.assertEqual(self.wim.call("DELETE", f"/api/tokens/{key['id']}").status, 404)
        token = self.ok(self.ann.post("/api/tokens", kind="token", name="script"), 201)
        self.assertEqual(token["scope"], "read submit")
        self.assertEqual(self.bearer(token["secret"])("GET", "/api/projects").status, 200)
        mine = self.ok(self.ann.get("/api/tokens"))["tokens"]
        self.assertEqual([(t["kind"], t["name"], "secret" in t) for t in mine], [("token", "script", False)])
        self.assertGreater(mine[0]["last_used_ms"], 0)
        self.assertEqual(self.wim.call("DELETE", f"/api/tokens/{token['id']}").status, 404)
        self.ok(self.ann.call("DELETE", f"/api/tokens/{token['id']}"), 204)
        self.assertEqual(self.bearer(token["secret"])("GET", "/api/projects").status, 401)
        for visitor, what, status in ((self.wim, {"kind": "token", "scope": "batch"}, 403), (self.ann, {"kind": "token", "scope": "admin"}, 403),
                                      (self.ann, {"kind": "token", "scope": "read everything"}, 400), (self.ann, {"kind": "login"}, 400)):
            self.assertEqual(visitor.post("/api/tokens", **what).status, status, what)
        only = self.account("olga", "submitter")
        self.assertEqual(only.post("/api/tokens", kind="key").status, 403)

    def test_scopes(self):
        secrets = {scope: self.ok(self.adi.post("/api/tokens", kind="token", name=scope, scope=scope), 201)["secret"] for scope in ("read", "submit", "batch", "admin")}
        tokens = {scope: self.bearer(secret) for scope, secret in secrets.items()}
        number = self.farm.project("ann")
        mine = self.farm.project("adi")
        expected = {  # read, submit, batch, admin
            ("GET", "/api/projects"): (200, 403, 403, 200), ("GET", f"/api/projects/{mine}"): (200, 403, 403, 200),
            ("GET", f"/api/projects/{number}"): (404, 403, 403, 200), ("GET", "/api/workers"): (200, 403, 403, 200), ("GET", "/api/events"): (200, 403, 403, 200),
            ("POST", f"/api/projects/{mine}/pause"): (403, 200, 403, 409), ("POST", f"/api/projects/{number}/pause"): (403, 404, 403, 200),
            ("POST", "/api/upload"): (403, 400, 403, 400), ("GET", "/batch"): (403, 403, 409, 409), ("GET", "/api/users"): (403, 403, 403, 200),
            ("GET", "/api/users/me"): (403, 403, 403, 200), ("GET", "/api/tokens"): (403, 403, 403, 200), ("GET", "/api/audits"): (403, 403, 403, 200),
            ("POST", "/api/users/me/password"): (403, 403, 403, 400), ("GET", "/api/login"): (200, 200, 200, 200),
        }
        for (method, target), statuses in expected.items():
            self.assertEqual(tuple(tokens[scope](method, target).status for scope in tokens), statuses, (method, target))
        for scope, status in (("read", 101), ("submit", 403), ("batch", 403), ("admin", 101)):  # the live daemon asks the same
            self.assertEqual(self.live(secrets[scope]), status, scope)
        self.assertEqual(tokens["read"]("GET", "/api/login").json["roles"], ["submitter", "worker"])
        self.assertEqual(tokens["admin"]("GET", "/api/login").json["roles"], ["admin", "worker"])

    def test_tokens_open_no_worker_doors(self):
        token = self.ok(self.adi.post("/api/tokens", kind="token", name="all", scope="admin"), 201)["secret"]
        self.assertNotEqual(Client(self.farm, "6.22306.0", "adi", token).config().xml.get("status"), "0")
        for header in (("Authorization", "Bearer " + token), ("Cookie", "FGWORKER=" + token), ("Cookie", "FGSESSION=" + token)):
            for target in ("/server/request_job.php", "/server/download.php?type=job&job=1000", "/server/send_frame.php?job=1000&frame=1"):
                answer = request(self.farm.port, "POST", target, [header])
                self.assertNotIn(b'status="0"', answer.body, (header[0], target))
                self.assertNotIn(b"<job ", answer.body)
        self.assertEqual(request(self.farm.port, "GET", "/api/projects", [("Cookie", "FGSESSION=" + token)]).status, 401)
        key = self.farm.key("wim")
        self.assertEqual(self.bearer(key)("GET", "/api/projects").status, 401)

    def test_accounts(self):
        made = self.ok(self.adi.post("/api/users", name="bea", password="long enough", roles="submitter"), 201)
        bea, at = Visitor(self.farm, "bea"), f"/api/users/{made['id']}"
        me = self.ok(bea.get("/api/users/me"))
        self.assertEqual((me["id"], me["roles"], me["keys"], me["tokens"]), (made["id"], ["submitter"], 0, 0))
        self.assertIn("bea", [u["name"] for u in self.ok(self.adi.get("/api/users"))["users"]])
        for visitor, status in ((bea, 403), (self.nobody, 401)):
            self.assertEqual([visitor.get(p).status for p in ("/api/users", at, "/api/users/invitations", "/api/audits")], [status] * 4)
            self.assertEqual([visitor.post(p).status for p in ("/api/users", at, "/api/users/invitations")], [status] * 3)
            self.assertEqual(visitor.call("DELETE", at).status, status)
        changed = self.ok(self.adi.post(at, roles="worker,submitter", quota_bytes=1000000, quota_running=2))
        self.assertEqual((changed["roles"], changed["quota_bytes"], changed["quota_running"]), (["submitter", "worker"], 1000000, 2))
        self.ok(self.adi.post(at, disabled=1))
        self.assertEqual(bea.get("/api/users/me").status, 401)
        self.ok(self.adi.post(at, disabled=0))
        self.assertEqual(bea.get("/api/users/me").status, 200)
        other = Visitor(self.farm, "bea")
        self.assertEqual(bea.post("/api/users/me/password", old="wrong one", new="even longer").status, 403)
        self.assertEqual(bea.post("/api/users/me/password", old="long enough", new="short").status, 400)
        self.ok(bea.post("/api/users/me/password", old="long enough", new="even longer"), 204)
        self.assertEqual([bea.get("/api/users/me").status, other.get("/api/users/me").status], [200, 401])
        Visitor(self.farm, "bea", "even longer")
        self.ok(self.adi.post(at, password="third one is"))
        self.assertEqual(bea.get("/api/users/me").status, 401)
        self.assertEqual(self.adi.post("/api/users/99999").status, 404)
        actions = [a["action"] for a in self.ok(self.adi.get("/api/audits?limit=500"))["audits"]]
        for action in ("user.add", "user.change", "user.password"):
            self.assertIn(action, actions)
        page = self.ok(self.adi.get("/api/audits?limit=2"))
        rest = self.ok(self.adi.get(f"/api/audits?limit=1&before={page['next']}"))
        self.assertEqual(([len(page["audits"]), len(rest["audits"])], page["audits"][1]["id"] > rest["audits"][0]["id"]), ([2, 1], True))

    def test_leaving(self):
        leo = self.account("leo", "submitter", "worker")
        key = self.farm.key("leo")
        worker = Client(self.farm, "6.22306.0", "leo", key, host="leos-machine")
        self.assertEqual(worker.config().xml.get("status"), "0")
        project = self.farm.project("leo")
        self.assertEqual(leo.post("/api/users/me/delete", password="long enough", name="other").status, 400)
        self.assertEqual(leo.post("/api/users/me/delete", password="wrong wrong", name="leo").status, 403)
        self.ok(leo.post("/api/users/me/delete", password="long enough", name="leo"), 204)
        self.assertEqual(leo.get("/api/users/me").status, 401)
        self.assertEqual(self.adi.get(f"/api/projects/{project}").status, 404)
        self.assertNotEqual(worker.request().xml.get("status"), "0")
        self.assertEqual(self.nobody.post("/api/login", name="leo", password="long enough").status, 401)
        workers = str(self.farm.sql("SELECT name, tags FROM worker"))
        self.assertNotIn("leos-machine", workers)
        self.assertNotIn("leo", [u["name"] for u in self.ok(self.adi.get("/api/users"))["users"]])
        self.account("leo", "submitter")
        self.assertEqual(self.ok(Visitor(self.farm, "leo").get("/api/projects"))["projects"], [])

    def test_an_admin_is_left(self):
        admins = [u for u in self.ok(self.adi.get("/api/users"))["users"] if "admin" in u["roles"]]
        self.assertEqual([a["name"] for a in admins], ["adi"])
        at = f"/api/users/{admins[0]['id']}"
        self.assertEqual([self.adi.post(at, roles="submitter").status, self.adi.post(at, disabled=1).status, self.adi.call("DELETE", at).status,
                          self.adi.post("/api/users/me/delete", password="long enough", name="adi").status], [409] * 4)
        self.assertEqual(self.ok(self.adi.get("/api/users/me"))["roles"], ["admin", "worker"])

    def test_storage_quota(self):
        sam = self.account("sam", "submitter")
        first = self.ok(self.upload(sam), 201)
        used = self.ok(sam.post("/api/projects", upload=first["id"]), 201)["size"]
        at = f"/api/users/{sam.id}"
        self.ok(self.adi.post(at, quota_bytes=used + 10))
        answer = self.upload(sam)
        self.assertEqual(answer.status, 413)
        self.assertIn(str(used), answer.json["message"])
        self.assertIn(str(used + 10), answer.json["message"])
        self.assertEqual(sam.call("POST", "/api/upload", [("Upload-Length", "11"), ("Tus-Resumable", "1.0.0")]).status, 413)
        self.assertEqual(sam.call("POST", "/api/upload", [("Upload-Length", "10"), ("Tus-Resumable", "1.0.0")]).status, 201)
        self.ok(self.adi.post(at, quota_bytes=0))
        second = self.ok(self.upload(sam), 201)
        self.ok(self.adi.post(at, quota_bytes=used))
        self.assertEqual(sam.post("/api/projects", upload=second["id"]).status, 413)
        self.ok(self.adi.post(at, quota_bytes=0))
        self.ok(sam.post("/api/projects", upload=second["id"]), 201)

    def test_unfinished_uploads_count(self):
        uma = self.account("uma", "submitter")
        at = f"/api/users/{uma.id}"
        announce = lambda size: uma.call("POST", "/api/upload", [("Upload-Length", str(size)), ("Tus-Resumable", "1.0.0")])
        self.ok(self.adi.post(at, quota_bytes=1000000))
        self.assertEqual(announce(600000).status, 201)  # not one byte of it has come
        self.assertEqual((self.ok(uma.get("/api/users/me"))["used_bytes"], [u["used_bytes"] for u in self.ok(self.adi.get("/api/users"))["users"] if u["id"] == uma.id]), (600000, [600000]))
        refused = announce(400001)
        self.assertEqual(refused.status, 413)
        self.assertRegex(refused.json["message"], "600000 of 1000000 bytes")
        self.ok(self.adi.post(at, quota_bytes=0))
        self.ok(self.adi.post("/api/settings", name="upload_waiting", value=3))
        try:
            self.eventually(lambda: {r["name"]: r["value"] for r in self.ok(self.adi.get("/api/settings"))["settings"]}["upload_waiting"] == 3)
            answers = self.eventually(lambda: (lambda a: a if a.status == 409 else None)(announce(10)))
            self.assertRegex(answers.json["message"], "[0-9]+ of your uploads .* at most 3")
            self.eventually(lambda: self.upload(uma).status == 409)  # each of its processes hears of it within a second
        finally:
            self.ok(self.adi.post("/api/settings", name="upload_waiting", value=100))
        ids = [row["id"] for row in self.farm.sql(f"SELECT id FROM upload WHERE user = {uma.id}")]
        self.assertGreaterEqual(len(ids), 3)
        for each in ids:
            self.ok(uma.call("DELETE", "/api/upload/" + each), 204)
        self.assertEqual(self.ok(uma.get("/api/users/me"))["used_bytes"], 0)
        self.eventually(lambda: announce(10).status == 201)

    def test_running_quota(self):
        ron = self.account("ron", "submitter")
        project, other = self.farm.project("ron", frames="1-4"), self.farm.project("ron", frames="1-4")
        for p in self.farm.json("project", "list"):
            if p["id"] not in (project, other) and p["state"] in ("waiting", "rendering"):
                self.farm.admin("project", "cancel", p["id"])
        self.ok(self.adi.post(f"/api/users/{ron.id}", quota_running=1))
        self.ok(ron.post(f"/api/projects/{other}/pause"))
        key = self.farm.key("wim")
        first, second = (Client(self.farm, "6.22306.0", "wim", key, host=host) for host in ("a", "b"))
        for client in (first, second):
            self.assertEqual(client.config().xml.get("status"), "0")
        job = first.job()
        self.assertEqual(second.job(), 200)
        answer = ron.post(f"/api/projects/{other}/resume")
        self.assertEqual(answer.status, 409)
        self.assertIn("1 of the 1", answer.json["message"])
        self.assertEqual(ron.post("/api/projects", upload=self.ok(self.upload(ron), 201)["id"]).status, 409)
        self.ok(ron.post(f"/api/projects/{other}/cancel"))
        self.assertEqual(ron.post(f"/api/projects/{other}/retry").status, 409)
        self.assertEqual(first.upload(job, png(32, 18)).xml.get("status"), "0")
        self.ok(ron.post(f"/api/projects/{other}/retry"))
        self.ok(self.adi.post(f"/api/users/{ron.id}", quota_running=0))

    def test_guessing(self):
        self.account("Gus", "submitter")
        wrong = [self.nobody.post("/api/login", name=name, password="wrong guess") for name in ("gus", "GUS", "Gus", "gUs", "guS")]
        self.farm.sql("DELETE FROM failure")
        unknown = [self.nobody.post("/api/login", name="nosuch", password="wrong guess") for _ in range(5)]
        self.assertEqual([a.status for a in wrong], [401] * 4 + [429])
        self.assertEqual([(a.status, a.body) for a in unknown], [(a.status, a.body) for a in wrong])
        self.assertEqual(self.nobody.post("/api/login", name="ann", password="long enough").status, 429)
        self.farm.sql("DELETE FROM failure")

    def test_strangers_shut_nobody_out(self):
        """A browser that was logged in is counted alone, and so is who gives the password again under a session."""
        mia = self.account("Mia", "submitter")
        other = self.account("moe", "submitter")

        def device(name):
            answer = self.nobody.post("/api/login", name=name, password="long enough")
            cookie = [v for k, v in answer.headers if k == "Set-Cookie" and v.startswith("FGDEVICE=")][0]
            self.assertIn("Path=/api/login; ", cookie)
            self.assertIn("HttpOnly; SameSite=Strict", cookie)
            return cookie.split(";")[0]

        def enter(cookie, name, password="long enough"):
            return self.nobody.call("POST", "/api/login", [("Cookie", cookie)], data={"name": name, "password": password}).status
        mias, moes = device("mia"), device("moe")
        self.assertEqual([enter("", "mia", "wrong guess") for _ in range(5)], [401] * 4 + [429])
        self.assertEqual(enter("", "mia"), 429)
        self.assertEqual([enter(cookie, "mia") for cookie in (moes, mias[:-1] + ("0" if mias[-1] != "0" else "1"), mias + "0", "FGDEVICE=")], [429] * 4)
        self.assertEqual(enter(mias, "MIA"), 200)
        self.assertEqual(mia.post("/api/users/me/password", old="long enough", new="longer still").status, 204)
        self.assertEqual([enter(mias, "mia", "wrong guess") for _ in range(5)], [401] * 4 + [429])
        self.assertEqual([other.post("/api/users/me/password", old="wrong guess", new="longer still").status for _ in range(5)], [403] * 4 + [429])
        self.farm.sql("DELETE FROM failure")


class Ends(farm.Case):
    """Sessions end: unused for so long, or after so long in any case."""
    settings = (("login_idle_seconds", 3600), ("login_seconds", 7200))

    def test_idle_and_absolute(self):
        self.farm.user("ann", "submitter")
        ann = Visitor(self.farm, "ann")
        self.assertEqual(ann.get("/api/login").status, 200)
        self.farm.sql("UPDATE secret SET last_used_ms = last_used_ms - 3500000 WHERE kind = 'login'")
        self.assertEqual(ann.get("/api/login").status, 200)
        self.farm.sql("UPDATE secret SET last_used_ms = last_used_ms - 3700000 WHERE kind = 'login'")
        self.assertEqual(ann.get("/api/login").status, 401)
        ben = Visitor(self.farm, "ann")
        self.assertEqual(ben.get("/api/login").status, 200)
        self.farm.sql("UPDATE secret SET expires_ms = expires_ms - 7100000 WHERE kind = 'login'")
        self.assertEqual(ben.get("/api/login").status, 200)
        self.farm.sql("UPDATE secret SET expires_ms = expires_ms - 200000 WHERE kind = 'login'")
        self.assertEqual(ben.get("/api/login").status, 401)
        old = Visitor(self.farm, "ann")
        self.farm.sql("UPDATE secret SET last_used_ms = 0, created_ms = created_ms - 3700000 WHERE kind = 'login'")
        self.assertEqual(old.get("/api/login").status, 401)


if __name__ == "__main__":
    tap.main()
