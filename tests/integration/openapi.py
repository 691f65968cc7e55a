"""openapi: htdocs/openapi.yaml against the running server: every call as everybody (nobody, a worker's owner, a submitter, another one, an admin, the admin's
tokens of each scope): statuses that the document allows, answers of the form that it says, rights as it says them, and no route that it doesn't know."""
import json
import re
import time

import blendfile
import farm
import tap
import yamlread
from farm import Client, Visitor, png, request

SCOPES = ("read", "submit", "batch", "admin")
RECIPE = {"name": "one", "version": 2.2, "settings": {}, "hooks": {}, "jobs": [{"enabled": True, "id": 0, "name": "a", "blend_file": "/x/s.blend", "animated": False,
                                                                               "frame_still": 1, "format": "PNG", "hooks": {}}]}
EMPTY = ("/api/users/me/password", "/api/users/me/delete", "/api/settings/purge")  # what would end the session that asks


def document():
    with open(farm.TOP + "/htdocs/openapi.yaml") as f:
        return yamlread.load(f.read())


class Token:
    """Somebody with an API token."""

    def __init__(self, f, secret):
        self.farm, self.secret = f, secret

    def call(self, method, target, headers=(), body=b"", data=None):
        headers = [("Authorization", "Bearer " + self.secret), *headers]
        if data is not None:
            headers, body = headers + [("Content-Type", "application/json")], json.dumps(data).encode()
        return request(self.farm.port, method, target, headers, body)


class World:
    """A farm with one of everything."""

    def __init__(self, f):
        self.farm = f
        f.renderer()
        for name, roles in (("adi", ["admin"]), ("ann", ["submitter"]), ("ben", ["submitter"]), ("wim", ["worker"])):
            f.user(name, *roles)
        self.who = {name: Visitor(f, name) for name in ("adi", "ann", "ben", "wim")}
        self.who["nobody"] = Visitor(f)
        for scope in SCOPES:
            self.who["token " + scope] = Token(f, f.admin("token", "add", "adi", scope, "--scope", scope).split()[-1])
        self.key = f.key("wim")
        self.made = 0
        self.done = self.project()
        client = self.client()
        job = client.job()
        assert client.upload(job, png(32, 18)).xml.get("status") == "0"
        job = client.job()
        client.error(job, "12")
        self.lease = int(job.get("id"))
        self.worker = int(f.sql("SELECT id FROM worker")[0]["id"])

    def client(self, host="vm"):
        client = Client(self.farm, "6.22306.0", "wim", self.key, host=host)
        assert client.config().xml.get("status") == "0"
        return client

    def json(self, who, method, target, **data):
        answer = self.who[who].call(method, target, data=data or None)
        assert 200 <= answer.status < 300, (target, answer.status, answer.body)
        return answer.json

    def project(self):
        return self.farm.project("ann", frames="1-2")

    def upload(self):
        answer = self.who["ann"].call("POST", "/api/upload", [("Content-Type", "multipart/form-data; boundary=b")], farm.multipart(blendfile.make(32, 18), "s.blend", "b"))
        return answer.json["id"]

    def batch(self):
        self.who["ann"].call("POST", "/batch/recipe", data=RECIPE)
        return self.json("ann", "GET", "/api/batches")["batches"][0]["id"]

    def fresh(self, name, path):
        """Something that this parameter of a path can name, and that may be spoilt."""
        self.made += 1
        if name == "id":
            return self.project() if "/api/projects/{id}/logs" not in path and "{frame}" not in path else self.done
        if name == "upload":
            return self.upload()
        if name == "user":
            return self.json("adi", "POST", "/api/users", name=f"user{self.made}", password="long enough")["id"]
        if name == "token":
            return self.json("ann", "POST", "/api/tokens", kind="token", name="t")["id"]
        if name == "invitation":
            return self.json("adi", "POST", "/api/users/invitations", roles="worker")["id"]
        if name == "batch":
            return self.batch()
        if name == "worker":
            self.farm.sql("UPDATE worker SET aside_until_ms = 0, disabled = 0")
        return {"frame": 1, "row": 0, "column": 0, "lease": self.lease, "worker": self.worker, "renderer": 9999, "file": "raw.zip", "number": 0}[name]


def expected(rule, scopes, who):
    """ok, or the only status that this person may hear. `rule` is x-who, `scopes` x-scope."""
    if rule == "anybody":
        return "ok"
    if who == "nobody":
        return 401
    if who.startswith("token ") and who != "token admin":
        if who[6:] not in scopes:
            return 403
        if rule in ("user", "submitter"):
            return "ok"
        return 404 if rule in ("project", "own", "batch", "mine") else 403
    admin = who in ("adi", "token admin")
    if rule == "user" or (admin and rule not in ("own", "mine")):
        return "ok"
    if rule == "own":
        return "ok" if who == "ann" else 403 if who == "wim" else 404
    if rule == "submitter":
        return 403 if who == "wim" else "ok"
    if rule in ("project", "batch", "mine"):
        return "ok" if who == "ann" else 404
    if rule == "worker":
        return "ok" if who == "wim" else 403
    assert rule == "admin", rule
    return 403


class Document(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world = World(cls.farm)
        cls.doc = document()

    def schema(self, schema):
        """What it says, or what it refers to."""
        while "$ref" in schema:
            _, _, kind, name = schema["$ref"].split("/")
            schema = self.doc["components"][kind][name]
        return schema

    def hold(self, value, schema, at):
        schema = self.schema(schema)
        kinds = schema.get("type")
        if kinds is None:
            return
        names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
        kind = names[type(value)]
        self.assertIn(kind, kinds if isinstance(kinds, list) else [kinds] + (["integer"] if kinds == "number" else []), at)
        if "enum" in schema and value is not None:
            self.assertIn(value, schema["enum"], at)
        if kind == "array":
            for one in value:
                self.hold(one, schema["items"], at + "[]")
        if kind == "object" and "properties" in schema:
            self.assertEqual(set(value) - set(schema["properties"]), set(), at)
            self.assertEqual(set(schema.get("required", [])) - set(value), set(), at)
            for name, one in value.items():
                self.hold(one, schema["properties"][name], f"{at}.{name}")
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            for name, one in value.items():
                self.hold(one, schema["additionalProperties"], f"{at}.{name}")

    def operations(self):
        for path, item in self.doc["paths"].items():
            for method, operation in item.items():
                if method != "parameters":
                    yield path, method.upper(), operation

    def test_every_route_is_told(self):
        with open(farm.TOP + "/nginx/endpoints.list") as f:
            urls = [url for line in f if line.strip() and not line.startswith("#") for url in line.split()[1].split(",") if url.startswith("/api/")]
        self.assertGreater(len(urls), 10)
        paths = list(self.doc["paths"])
        for url in urls:
            self.assertTrue([p for p in paths if p == url.rstrip("*") or p.startswith(url.rstrip("*") + "/")], url)
        for path in paths:
            if path.startswith("/api/"):
                self.assertTrue([u for u in urls if path == u.rstrip("*") or (u.endswith("*") and path.startswith(u.rstrip("*")))], path)

    def test_the_document_holds_together(self):
        self.assertTrue(str(self.doc["openapi"]).startswith("3.1"))
        seen = set()
        for path, method, operation in self.operations():
            at = f"{method} {path}"
            self.assertGreater(len(operation["summary"]), 4, at)
            self.assertNotIn(operation["operationId"], seen)
            seen.add(operation["operationId"])
            self.assertIn(operation["x-who"], ("anybody", "user", "submitter", "project", "own", "mine", "batch", "worker", "admin"), at)
            self.assertLessEqual(set(operation["x-scope"]), set(SCOPES), at)
            named = {p["name"] for p in (self.doc["paths"][path].get("parameters") or []) if p["in"] == "path"}
            self.assertEqual(named, set(re.findall(r"{(\w+)}", path)), at)
            for status in operation["responses"]:
                self.assertIn(status, (200, 201, 202, 204, 206, 400, 401, 403, 404, 409, 413, 415, 422, 429, 507), at)
        referred = set(re.findall(r"#/components/(\w+)/(\w+)", json.dumps(self.doc)))
        self.assertEqual(referred, {(kind, name) for kind in ("schemas", "responses") for name in self.doc["components"][kind]})

    def ask(self, path, method, operation, who):
        target = re.sub(r"{(\w+)}", lambda m: str(self.world.fresh(m.group(1), path)), path)
        content = (operation.get("requestBody") or {}).get("content", {})
        data = content.get("application/json", {}).get("example") if path not in EMPTY else None
        if isinstance(data, dict) and path == "/api/users":
            data = {**data, "name": f"made{self.world.made}-" + re.sub(r"\W", "", who)}
        headers, body = [], b""
        if "application/offset+octet-stream" in content:
            headers, body = [("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")], b"x"
        asks = self.world.who[who]
        if (method, path) == ("DELETE", "/api/login") and isinstance(asks, Visitor) and asks.cookie:
            asks = Visitor(self.farm, who)  # it ends the session
        while True:
            answer = asks.call(method, target, headers, body, data)
            if answer.status != 429 or (answer.header("Content-Type") or "").startswith("application/json"):
                return target, answer
            time.sleep(0.2)  # the web server's own limit of logins a second

    def check(self, path, method, operation, who):
        target, answer = self.ask(path, method, operation, who)
        want, at = expected(operation["x-who"], operation["x-scope"], who), f"{method} {target} ({path}) as {who}"
        if want == "ok":
            self.assertIn(answer.status, operation["responses"], (at, answer.body))
            self.assertNotIn(answer.status, (401, 403) if operation["x-who"] != "anybody" else (), (at, answer.body))
        else:
            self.assertEqual(answer.status, want, (at, answer.body))
        said = self.schema(operation["responses"].get(answer.status) or {}).get("content", {})
        kind = (answer.header("Content-Type") or "").partition(";")[0]
        if method == "HEAD" or not answer.body:
            return answer.status
        if answer.status >= 400:
            self.hold(answer.json, {"$ref": "#/components/schemas/Error"}, at)
        else:
            self.assertIn(kind, said, (at, answer.body[:200]))
            if kind == "application/json":
                self.hold(answer.json, said[kind]["schema"], at)
        return answer.status

    def test_everybody_calls_everything(self):
        """Who may not, first, so that what they name is still there; who may, last."""
        good, calls = set(), 0
        for path, method, operation in self.operations():
            if not path.startswith(("/api/", "/results/")):
                continue
            people = sorted(self.world.who, key=lambda who: expected(operation["x-who"], operation["x-scope"], who) == "ok")
            for who in people:
                self.farm.sql("DELETE FROM failure") if operation["x-who"] == "anybody" else None
                status = self.check(path, method, operation, who)
                calls += 1
                if status < 300:
                    good.add((method, path))
        everything = {(m, p) for p, m, o in self.operations() if p.startswith(("/api/", "/results/"))}
        print(f"# {calls} calls; {len(good)} of {len(everything)} operations answered well at least once")
        self.assertGreater(len(good), len(everything) * 0.6, sorted(everything - good))


if __name__ == "__main__":
    tap.main()
