"""status: how the farm is, to nobody, users and admins; the logs' newest lines; settings changed in the browser."""
import subprocess

import farm
import tap


class Status(farm.Case):
    people = (("adi", "admin"), ("ann", "submitter"))

    def test_status(self):
        self.farm.renderer()
        seen = self.ok(self.nobody.get("/api/status"))
        self.assertEqual(set(seen), {"farm", "version", "registration", "public_url", "ca", "compat_2254", "launcher"})
        self.assertEqual((seen["farm"], seen["registration"], seen["compat_2254"]), ("Farmgate", "closed", False))
        number = self.farm.project("ann", frames="1-3")
        want = {"waiting": 1}
        mine = self.eventually(lambda: (lambda s: s if s["queue"]["projects"] == want else None)(self.ok(self.ann.get("/api/status"))))  # each process has sums of its own
        self.assertEqual(set(mine) - set(seen), {"disk", "queue", "workers"})
        self.assertEqual((mine["queue"]["projects"], mine["queue"]["running"], mine["workers"]), ({"waiting": 1}, 0, {"online": 0, "rendering": 0, "idle": 0}))
        self.assertEqual(mine["disk"]["used"], int(self.farm.sql(f"SELECT archive_size + tile_bytes + made_bytes AS n FROM project WHERE id = {number}")[0]["n"]))
        self.assertGreater(mine["disk"]["total"], mine["disk"]["free"])
        whole = self.ok(self.adi.get("/api/status"))
        self.assertEqual(set(whole) - set(mine), {"programs", "versions", "log_pages", "uptime_ms"})
        self.assertRegex(whole["versions"]["sqlite"], r"^3\.")
        said = subprocess.run(["/usr/bin/ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(whole["versions"]["ffmpeg"], said.split()[2])
        self.assertRegex(whole["versions"]["server"], r"^nginx/1\.")
        self.assertRegex(whole["versions"]["renderers"], r"^[0-9.]+ \(linux\)$")
        self.assertEqual(whole["versions"]["system"], farm.os.uname().release)

    def test_programs(self):
        with open(farm.TOP + "/nginx/endpoints.list") as f:
            names = {line.split()[0] for line in f if line.strip() and not line.startswith("#") and line.split()[1] != "-"}
        got = self.ok(self.adi.get("/api/status"))["programs"]
        self.assertLessEqual(names | {"compositor", "live"}, {p["name"] for p in got})
        self.assertEqual({p["pid"] for p in got if p["name"] == "status"}, set(self.farm.processes("status")))
        victim = [p["pid"] for p in got if p["name"] == "audit"][0]
        farm.os.kill(victim, farm.signal.SIGKILL)
        self.eventually(lambda: victim not in [p["pid"] for p in self.ok(self.adi.get("/api/status"))["programs"]])
        self.eventually(lambda: len([p for p in self.ok(self.adi.get("/api/status"))["programs"] if p["name"] == "audit"]) == len([p for p in got if p["name"] == "audit"]))
        self.farm.admin("housekeeping")
        self.assertEqual(self.farm.sql(f"SELECT count(*) AS n FROM program WHERE pid = {victim}")[0]["n"], "0")

    def test_log(self):
        self.assertEqual([v.get("/api/status/log").status for v in (self.nobody, self.ann, self.adi)], [401, 403, 200])
        self.ann.get("/api/projects/424242")
        first = self.ok(self.adi.get("/api/status/log"))
        self.assertTrue(any("program=project" in line and "status=404" in line for line in first["lines"]))
        self.assertLessEqual(len(first["lines"]), 500)
        self.assertEqual([line[:29] for line in first["lines"]], sorted(line[:29] for line in first["lines"]))
        self.ann.get("/api/projects/424242")
        later = self.ok(self.adi.get(f"/api/status/log?after={first['after']}"))
        self.assertLess(len(later["lines"]), len(first["lines"]))
        one = self.ok(self.adi.get("/api/status/log?file=project"))["lines"]
        self.assertEqual({line.split("program=")[1].split()[0] for line in one}, {"project"})
        for name in ("../farmgate", "..%2Ffarmgate", "a/b", "X"):
            self.assertEqual(self.adi.get("/api/status/log?file=" + name).status, 400, name)

    def test_settings(self):
        self.assertEqual([v.get("/api/settings").status for v in (self.nobody, self.ann)], [401, 403])
        rows = {row["name"]: row for row in self.ok(self.adi.get("/api/settings"))["settings"]}
        self.assertEqual((rows["registration"]["kind"], rows["registration"]["live"], rows["project_errors"]["default"]), ("text", True, 15))
        for name in ("state_dir", "spool_dir", "ffmpeg", "batch_hooks", "batch_listen", "batch_input_folders", "batch_power", "public_url", "batch_user", "llm_url",
                     "llm_key_file", "deadline_url", "deadline_paths"):
            self.assertFalse(rows[name]["live"], name)
            self.assertEqual(self.adi.post("/api/settings", name=name, value="1").status, 403, name)
        row = self.ok(self.adi.post("/api/settings", name="project_errors", value="7"))
        self.assertEqual((row["value"], row["default"]), (7, 15))
        self.eventually(lambda: {r["name"]: r["value"] for r in self.ok(self.adi.get("/api/settings"))["settings"]}["project_errors"] == 7)
        self.assertEqual([self.adi.post("/api/settings", name=n, value=v).status for n, v in (("project_errors", "0"), ("project_errors", "x"), ("nosuch", "1"), ("registration", "maybe"))],
                         [400, 400, 404, 400])
        self.assertEqual(self.ann.post("/api/settings", name="project_errors", value="9").status, 403)
        last = self.ok(self.adi.get("/api/audits?limit=1"))["audits"][0]
        self.assertEqual((last["name"], last["action"], last["detail"]), ("adi", "setting.set", "project_errors=7"))


if __name__ == "__main__":
    tap.main()
