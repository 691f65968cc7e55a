"""admin: farmgate-admin's names, flags and JSON keys; who it runs as; what check finds and mends."""
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import unittest
import zipfile

import tap

ADMIN = os.path.join(os.path.abspath(os.environ.get("top_builddir", ".")), "farmgate-admin")


class Farm(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="farmgate-admin-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.write("farmgate.conf", "farm_name = Test\n")

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return path

    def run_it(self, *args, given="", dir=True, **how):
        where = ["--dir", self.dir] if dir else []
        return subprocess.run([ADMIN, *where, *map(str, args)], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, **how)

    def ok(self, *args, given=""):
        done = self.run_it(*args, given=given)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return done.stdout

    def json(self, *args, given=""):
        return json.loads(self.ok(*args, "--json", given=given))

    def bad(self, *args, says="", given=""):
        done = self.run_it(*args, given=given)
        self.assertEqual(done.returncode, 1, args)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("farmgate-admin: "))
        self.assertIn(says, done.stderr)
        return done

    def sql(self, text):
        return [json.loads(line) for line in self.ok("sql", "--json", text).splitlines()]


class Accounts(Farm):
    def setUp(self):
        super().setUp()
        newest = len([name for name in os.listdir(os.path.join(os.environ["top_srcdir"], "sql")) if name[:4].isdigit()])
        self.assertEqual(self.json("migrate"), {"version": newest, "applied": newest})

    def test_migrate(self):
        self.assertEqual(self.json("migrate")["applied"], 0)
        self.assertEqual(os.stat(self.dir + "/state").st_mode & 0o777, 0o700)
        for folder in ("incoming", "renderers", "projects", "trash"):
            self.assertEqual(os.stat(f"{self.dir}/spool/{folder}").st_mode & 0o7777, 0o2750)

    def test_users(self):
        self.assertEqual(self.json("user", "add", "ann", given="long enough\n"), {"id": 1, "name": "ann", "roles": ["submitter", "worker"], "disabled": False})
        self.assertEqual(self.json("user", "add", "bob", "--role", "admin", "--role=worker", given="long enough\n")["roles"], ["admin", "worker"])
        self.bad("user", "add", "bob", given="long enough\n", says="bob")
        self.bad("user", "add", "eve", given="short\n", says="8 to")
        self.bad("user", "add", "eve", says="standard input")
        self.bad("user", "add", "e/ve", given="long enough\n", says="letters")
        self.bad("user", "add", "eve", "--role", "king", given="long enough\n", says="king")
        self.bad("user", "add", "eve", "--rule", "admin", given="long enough\n", says="--rule")
        self.assertEqual(self.json("user", "role", "bob", "--role", "submitter")["roles"], ["submitter"])
        self.assertTrue(self.json("user", "disable", "ann")["disabled"])
        before = self.sql("SELECT password FROM user WHERE name = 'ann'")
        self.ok("user", "password", "ann", given="another one\n")
        self.assertNotEqual(before, self.sql("SELECT password FROM user WHERE name = 'ann'"))
        users = self.json("user", "list")
        self.assertEqual([(u["name"], u["disabled"]) for u in users], [("ann", True), ("bob", False)])
        self.assertIn("created_ms", users[0])
        self.bad("user", "role", "nobody", "--role", "admin", says="nobody")
        text = self.ok("user", "list")
        self.assertRegex(text, r"^id  name  roles")
        self.assertNotIn("long enough", self.ok("sql", "SELECT * FROM audit"))

    def test_keys_and_tokens(self):
        self.ok("user", "add", "ann", "--no-password")
        for noun in ("key", "token"):
            plain = self.ok(noun, "add", "ann", "one").strip()
            self.assertRegex(plain, r"^[0-9a-f]{64}$")
            made = self.json(noun, "add", "ann", "two")
            self.assertRegex(made[noun], r"^[0-9a-f]{64}$")
            rows = self.json(noun, "list")
            self.assertEqual([r["name"] for r in rows], ["one", "two"])
            self.assertNotIn(made[noun], json.dumps(rows))
            self.assertTrue(self.json(noun, "revoke", made["id"])["revoked"])
            self.bad(noun, "revoke", made["id"], says="no live")
            self.assertEqual([r["name"] for r in self.json(noun, "list")], ["one"])
            self.bad(noun, "add", "nobody", "x", says="nobody")
        self.bad("key", "revoke", self.json("token", "list")[0]["id"], says="no live key")
        for file in os.listdir(self.dir + "/state"):
            with open(f"{self.dir}/state/{file}", "rb") as f:
                self.assertNotIn(plain.encode(), f.read())

    def test_settings(self):
        everything = {row["key"]: row for row in self.json("config")}
        self.assertEqual(everything["lease_own_seconds"]["value"], 120)
        self.assertTrue(all(row["doc"] for row in everything.values()))
        self.ok("set", "lease_own_seconds", 300)
        self.assertEqual(self.ok("config", "lease_own_seconds").strip(), "300")
        self.bad("set", "lease_own_seconds", "x", says="whole number")
        self.bad("set", "nonsense", "x", says="nonsense")
        self.bad("config", "nonsense", says="nonsense")

    def test_sql(self):
        self.assertEqual(self.sql("SELECT 1 AS one, NULL AS none"), [{"one": "1", "none": None}])
        self.assertEqual(self.ok("sql", given="SELECT 2 AS two;\n").split(), ["two", "2"])
        self.bad("sql", "SELECT nothing", says="nothing")

    def test_wrong_commands(self):
        self.bad("frobnicate", says="frobnicate")
        self.bad("user", says="add|list")
        self.bad("user", "list", "x", says="usage")
        self.bad("project", "show", "x", says="whole number")
        self.bad("project", "show", 7, says="no project 7")
        self.bad("worker", "disable", 7, says="no worker 7")
        self.bad("renderer", "remove", 7, says="no renderer 7")
        for act in ("cancel", "pause", "resume", "delete", "retry", "recomposite"):
            self.bad("project", act, 7, says="7")
        self.assertIn("usage:", self.ok("--help"))
        done = self.run_it("user", "list", dir=False, env={"PATH": os.environ["PATH"]})
        self.assertIn("--dir", done.stderr)
        self.assertEqual(self.run_it("--config", self.dir + "/farmgate.conf", "user", "list", "--json", dir=False).stdout, "[]\n")


class Renderers(Farm):
    def setUp(self):
        super().setUp()
        self.ok("migrate")
        with zipfile.ZipFile(self.dir + "/win.zip", "w") as z:
            z.writestr("blender-4.1.0-windows-x64/blender.exe", "MZ")

    def test_windows(self):
        made = self.json("renderer", "add", self.dir + "/win.zip", "--os", "windows", "--arch", "64bit")
        self.assertEqual((made["version"], made["os"], made["arch"], made["denoise"]), ("4.1.0", "windows", "64bit", None))
        path = f"{self.dir}/spool/renderers/{made['md5']}.zip"
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
        self.assertEqual(os.path.getsize(path), made["size"])
        self.assertEqual(self.json("renderer", "add", self.dir + "/win.zip", "--os", "windows")["id"], made["id"])
        self.assertEqual([r["id"] for r in self.json("renderer", "list")], [made["id"]])
        self.assertTrue(self.json("renderer", "remove", made["id"])["removed"])
        self.assertEqual(self.json("renderer", "list"), [])
        self.assertEqual(self.json("housekeeping")["renderers"], 1)
        self.assertFalse(os.path.exists(path))
        self.assertEqual(os.listdir(self.dir + "/spool/incoming"), [])

    def test_refused(self):
        self.bad("renderer", "add", self.dir + "/win.zip", says="linux")
        self.bad("renderer", "add", self.dir + "/none.zip", says="none.zip")
        self.bad("renderer", "add", self.dir + "/win.zip", "--os", "beos", says="beos")
        self.bad("renderer", "add", "--wrap", "/usr/bin/blender", "--os", "windows", says="official")
        self.bad("renderer", "add", "--wrap", "/usr/bin/true", says="no Blender")
        self.bad("renderer", "add", says="usage")
        self.assertEqual(os.listdir(self.dir + "/spool/incoming"), [])

    @unittest.skipIf(shutil.which("blender") is None, "no Blender")
    def test_wrap(self):
        made = self.json("renderer", "add", "--wrap", shutil.which("blender"))
        self.assertRegex(made["version"], r"^\d+\.\d+\.\d+$")
        self.assertIs(made["cycles"], True)


MAKE_SCENE = """
import bpy, sys
folder = sys.argv[-1]
scene = bpy.context.scene
scene.frame_start, scene.frame_end, scene.frame_step = 3, 14, 1
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 640, 360, 50
scene.render.fps, scene.render.fps_base = 30, 1.001
scene.render.engine = "CYCLES"; scene.cycles.samples = 7; scene.cycles.use_denoising = True
scene.render.image_settings.file_format = "OPEN_EXR"
bpy.ops.object.camera_add(); bpy.context.object.name = "Second"
image = bpy.data.images.new("wood", 4, 4)
image.source = "FILE"; image.filepath = "//tex/wood.png"; image.use_fake_user = True
bpy.ops.wm.save_as_mainfile(filepath=folder + "/film.blend", relative_remap=False, compress=True)
"""


@unittest.skipIf(shutil.which("blender") is None, "no Blender")
class Projects(Farm):
    def setUp(self):
        super().setUp()
        self.ok("migrate")
        self.ok("user", "add", "ann", "--role", "admin", "--role", "worker", "--no-password")
        self.ok("user", "add", "bob", "--no-password")
        script = self.write("make.py", MAKE_SCENE)
        done = subprocess.run(["blender", "-noaudio", "-b", "--factory-startup", "--python-exit-code", "3", "-P", script, "--", self.dir],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.blend = self.dir + "/film.blend"

    def zip(self, *names):
        with zipfile.ZipFile(self.dir + "/film.zip", "w") as z:
            for name in names:
                z.write(self.blend, name) if name.endswith(".blend") else z.writestr(name, "x")
        return self.dir + "/film.zip"

    def add(self, *args):
        """The project, and the notes on stderr."""
        done = self.run_it("project", "add", *args, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout), done.stderr

    def test_inspect(self):
        read = json.loads(self.run_it("inspect", self.blend, "--json", dir=False).stdout)
        self.assertEqual((read["active"], read["missing"]), ("Scene", ["//tex/wood.png"]))
        want = {"name": "Scene", "frame_start": 3, "frame_end": 14, "frame_step": 1, "width": 640, "height": 360, "percent": 50, "fps": 30, "engine": "CYCLES",
                "format": "OPEN_EXR", "camera": "Camera", "samples": 7, "denoise": True, "compositing": False, "sequencer": False}
        scene = read["scenes"][0]
        self.assertEqual({key: scene[key] for key in want}, want)
        self.assertEqual(sorted(scene["cameras"]), ["Camera", "Second"])
        self.assertAlmostEqual(scene["fps_base"], 1.001, places=5)
        read = json.loads(self.run_it("inspect", self.zip("a/film.blend", "a/tex/WOOD.png"), "--json", dir=False).stdout)
        self.assertEqual(read["missing"], [])
        self.assertIn("film.blend", self.bad("inspect", self.zip("a/film.blend", "b/film.blend"), says="more than one").stderr)
        self.assertIn("Scene", self.ok("inspect", self.dir + "/film.zip", "--blend", "b/film.blend"))
        self.bad("inspect", self.dir + "/make.py")
        self.bad("inspect", self.dir + "/none.blend", says="none.blend")
        self.bad("inspect", self.zip("../film.blend"), says="..")

    def test_add(self):
        self.assertEqual(self.run_it("project", "add", self.blend, "--no-denoise").stdout, "1\n")
        shown = self.json("project", "show", 1)
        want = {"state": "waiting", "title": "film", "owner": "ann", "frames_total": 12, "tasks_total": 12, "format": "exr", "width": 320, "height": 180,
                "fps_num": 30000, "fps_den": 1001, "blend": "film.blend", "animation": True, "result": None, "raw": None}
        self.assertEqual({key: shown[key] for key in want}, want)
        with zipfile.ZipFile(self.dir + "/spool/projects/1/source.zip") as z:
            self.assertEqual(z.namelist(), ["film.blend"])
        self.assertEqual(self.json("check"), [])

    def test_options(self):
        shown, notes = self.add(self.zip("a/film.blend", "b.blend"), "--owner", "bob", "--title", "My film", "--blend", "a/film.blend", "--scene", "Scene",
                                "--camera", "Second", "--frames", "5-11:2", "--tiles", "2x3", "--overscan", 8, "--format", "png16", "--percent", 100, "--samples", 9,
                                "--engine", "CYCLES", "--device", "cpu", "--fps", "25/2", "--priority=-5", "--no-denoise")
        want = {"title": "My film", "owner": "bob", "blend": "a/film.blend", "scene": "Scene", "camera": "Second", "frame_start": 5, "frame_end": 11, "frame_step": 2,
                "frames_total": 4, "tasks_total": 24, "tasks_waiting": 24, "rows": 2, "columns": 3, "overscan": 8, "format": "png16", "width": 640, "samples": 9,
                "device": "cpu", "fps_num": 25, "fps_den": 2, "priority": -5, "no_denoise": True}
        self.assertEqual({key: shown[key] for key in want}, want)
        self.assertIn("//tex/wood.png", notes)
        still, _ = self.add(self.blend, "--frames", 7, "--no-denoise")
        self.assertEqual((still["animation"], still["frames_total"], still["frame_start"]), (False, 1, 7))

    def test_refused(self):
        for args, says in ((("--frames", "-5"), "negative"), (("--frames", "x"), "1-250"), (("--frames", "9-3"), "first to a last"), (("--tiles", "2"), "ROWSxCOLUMNS"),
                           (("--tiles", "65x1"), "1 to 64"), (("--overscan", "257"), "256"), (("--format", "gif"), "png16"), (("--format", "tiff", "--tiles", "2x2"), "1x1 tiles"), (("--fps", "0"), "more than 0"),
                           (("--scene", "Nope"), "no scene Nope"), (("--camera", "Nope"), "no camera Nope"), (("--owner", "eve"), "no user eve"),
                           (("--device", "tpu"), "cpu or gpu"), (("--renderer", "9.9"), "9.9"), (("--speed", "1"), "--speed")):
            done = self.run_it("project", "add", self.blend, "--no-denoise", *args)
            self.assertEqual((done.returncode, done.stdout), (1, ""), args)
            self.assertIn(says, done.stderr)
        self.assertEqual(self.json("project", "list"), [])
        self.assertEqual(os.listdir(self.dir + "/spool/incoming"), [])

    def test_denoiser(self):
        self.sql("INSERT INTO renderer (md5, version, os, bits, caps, size, created_ms) VALUES ('x', '3.4.1', 'linux', '64bit', 1, 1, 1)")
        done = self.bad("project", "add", self.blend, says="--no-denoise")
        self.assertIn("official Blender", done.stderr)
        self.add(self.blend, "--no-denoise")

    def test_ways(self):
        self.add(self.blend, "--no-denoise")
        for act, state in (("pause", "paused"), ("resume", "waiting"), ("cancel", "cancelled"), ("retry", "waiting")):
            self.assertEqual(self.json("project", act, 1)["state"], state)
        self.bad("project", "resume", 1, says="waiting")
        self.bad("project", "recomposite", 1)
        self.assertTrue(self.json("project", "delete", 1)["deleted"])
        self.bad("project", "show", 1, says="no project 1")


class Owner(Farm):
    def test_becomes_owner(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody")
        owner = pwd.getpwnam("nobody")
        os.chown(self.dir, owner.pw_uid, owner.pw_gid)
        os.chmod(self.dir, 0o755)
        self.ok("migrate")
        self.ok("user", "add", "ann", "--no-password")
        for root, folders, files in os.walk(self.dir):
            for name in folders + files:
                if name != "farmgate.conf":
                    self.assertEqual(os.lstat(os.path.join(root, name)).st_uid, owner.pw_uid, name)

    def test_refuses_others(self):
        if os.geteuid() != 0:
            self.skipTest("only root can be somebody else")
        os.chmod(self.dir, 0o755)
        self.ok("migrate")
        try:
            probe = subprocess.run([ADMIN, "--help"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user="nobody", check=False)
        except PermissionError:
            self.skipTest("another user can't reach the program here")
        if probe.returncode:
            self.skipTest("another user can't start the program here")
        done = self.run_it("user", "list", user="nobody")
        self.assertEqual(done.returncode, 1)
        self.assertIn("belongs to user root", done.stderr)


class Check(Farm):
    """A farm with one finished project of one frame in 1×2 tiles, written row by row and file by file."""

    def setUp(self):
        super().setUp()
        self.ok("migrate")
        self.ok("user", "add", "ann", "--no-password")
        self.sql("""INSERT INTO project (id, owner, state, title, archive_md5, archive_size, blend, animation, frame_start, frame_end, frame_step, rows, columns,
          overscan, width, height, percent, format, fps_num, fps_den, frames_total, tasks_total, split, done, frames_done, result, raw, created_ms, finished_ms)
          VALUES (1, 1, 'finished', 'film', 'm', 6, 's.blend', 0, 1, 1, 1, 1, 2, 0, 64, 32, 100, 'png', 24, 1, 1, 2, 2, 2, 1, 'png', 1, 1000, 2000);
          INSERT INTO task (id, project, seq, frame, row, column, state, lease, ext, size) VALUES (1, 1, 0, 1, 0, 0, 'done', 1000, 'png', 2),
            (2, 1, 1, 1, 0, 1, 'done', 1001, 'png', 2);
          INSERT INTO frame VALUES (1, 1, 2, 'png');
          INSERT INTO product (project, kind, frame, state, rank, turn) VALUES (1, 'stitch', 1, 'done', 1, 1), (1, 'result', -1, 'done', 2, 0), (1, 'zip', -1, 'done', 3, 0)""")
        for name, text in (("source.zip", "source"), ("tiles/1/0-0-1000.png", "00"), ("tiles/1/0-1-1001.png", "01"), ("frames/1.png", "f"),
                           ("result.png", "r"), ("raw.zip", "z")):
            self.write("spool/projects/1/" + name, text)

    def project(self):
        return self.json("project", "show", 1)

    def faults(self, *args):
        done = self.run_it("check", "--json", *args)
        return done.returncode, [(f["kind"], f["mended"]) for f in json.loads(done.stdout)]

    def lose(self, name):
        os.unlink(f"{self.dir}/spool/projects/1/{name}")

    def test_counters(self):
        self.sql("UPDATE project SET waiting = waiting + 7, open = 1 - open; UPDATE user SET running = 3; DELETE FROM turn")
        self.assertEqual(self.faults(), (1, [("counters", False)]))
        self.assertEqual(self.faults("--mend"), (0, [("counters", True)]))
        self.assertEqual(self.faults(), (0, []))

    def test_fine(self):
        self.assertEqual(self.faults(), (0, []))
        shown = self.project()
        for key in "id state title frames_total frames_done tasks_total tasks_done tasks_running tasks_failed message result raw".split():
            self.assertIn(key, shown)
        self.assertEqual((shown["state"], shown["result"]), ("finished", f"{self.dir}/spool/projects/1/result.png"))
        self.assertEqual([p["title"] for p in self.json("project", "list")], ["film"])

    def test_tile(self):
        self.lose("tiles/1/0-1-1001.png")
        self.assertEqual(self.faults(), (1, [("tile.missing", False)]))
        self.assertEqual(self.project()["tasks_done"], 2)
        self.assertEqual(self.faults("--mend"), (0, [("tile.missing", True)]))
        shown = self.project()
        self.assertEqual([shown[k] for k in ("state", "tasks_done", "tasks_waiting", "frames_done", "result", "raw")], ["rendering", 1, 1, 0, None, None])
        self.assertEqual(self.sql("SELECT sum(projects) AS n FROM queue"), [{"n": "1"}])
        self.assertEqual(self.faults(), (0, []))

    def test_products(self):
        for name in ("frames/1.png", "result.png", "raw.zip"):
            self.lose(name)
        self.assertEqual(self.faults(), (1, [("frame.missing", False), ("raw.missing", False), ("result.missing", False)]))
        self.assertEqual(self.faults("--mend")[0], 0)
        self.assertEqual(self.sql("SELECT count(*) AS n FROM product WHERE state = 'waiting'"), [{"n": "3"}])

    def test_source(self):
        self.lose("source.zip")
        self.assertEqual(self.faults("--mend"), (1, [("source.missing", False)]))

    def test_strays(self):
        old = time.time() - 7200
        strays = [self.write("spool/" + name, "x") for name in ("projects/1/tiles/1/0-1-1009.png", "renderers/" + 32 * "0" + ".zip", "projects/77/x")]
        self.assertEqual(self.faults(), (0, []))
        for name in strays:
            os.utime(name, (old, old))
        os.utime(self.dir + "/spool/projects/77", (old, old))
        self.assertEqual(self.faults(), (1, [("stray", False)] * 3))
        self.assertEqual(self.faults("--mend"), (0, [("stray", True)] * 3))
        self.assertEqual([name for name in strays if os.path.exists(name)], [])
        self.assertEqual(self.json("housekeeping")["trash"], 3)
        self.assertEqual(os.listdir(self.dir + "/spool/trash"), [])

    def test_housekeeping(self):
        now = int(time.time() * 1000)
        self.sql(f"""INSERT INTO event (at_ms, project, kind) VALUES ({now - 90000000}, 1, 'x'), ({now}, 1, 'y');
          INSERT INTO upload (id, user, name, size, project, created_ms, seen_ms) VALUES ('gone', 1, 'a.blend', 5, 0, 1, 1), ('here', 1, 'b.blend', 5, 0, {now}, {now});
          INSERT INTO failure (who, at_ms) VALUES ('x', 1)""")
        for name in ("gone", "here"):
            self.write("spool/incoming/upload-" + name, "x")
        self.sql(f"""INSERT INTO task (project, seq, frame, row, column, state, lease, ext, size, finished_ms) VALUES (1, 0, 1, 0, 0, 'replaced', 1500, 'png', 1, 5),
            (1, 0, 1, 0, 0, 'replaced', 1501, 'png', 1, {now});
          INSERT INTO batch (id, owner, name, state, recipe, jobs, created_ms, finished_ms) VALUES (1, 1, 'a', 'FINISHED', '', 1, 1, 1), (2, 1, 'b', 'FINISHED', '', 1, 1, 1);
          INSERT INTO batch_job (batch, number, name, state) VALUES (1, 0, 'x', 'FINISHED'), (2, 0, 'y', 'FINISHED')""")
        for lease in (1500, 1501):
            self.write(f"spool/projects/1/tiles/1/0-0-{lease}.png", "x")
        kept = self.json("housekeeping")
        self.assertEqual((kept["events"], kept["uploads"], kept["failures"], kept["tiles"], kept["batches"]), (1, 1, 1, 1, 1))
        self.assertEqual([os.path.exists(f"{self.dir}/spool/projects/1/tiles/1/0-0-{lease}.png") for lease in (1500, 1501)], [False, True])
        self.assertEqual(self.sql("SELECT b.id, j.name FROM batch b JOIN batch_job j ON j.batch = b.id"), [{"id": "2", "name": "y"}])
        self.assertEqual(self.json("housekeeping")["tiles"], 0)
        self.assertEqual(os.listdir(self.dir + "/spool/incoming"), ["upload-here"])
        self.ok("set", "retention_days", 1)
        self.assertEqual(self.json("housekeeping")["projects"], 1)
        self.assertFalse(os.path.exists(self.dir + "/spool/projects/1"))
        self.bad("project", "show", 1, says="no project 1")
        self.assertEqual(self.sql("SELECT count(*) AS n FROM task"), [{"n": "0"}])
        self.assertEqual(self.sql("SELECT count(*) AS n FROM frame"), [{"n": "0"}])

    def test_deleted_rows(self):
        now = int(time.time() * 1000)
        self.sql(f"""INSERT INTO worker (id, user, identity, name, os, bits, cpu, cores, ram_kib, version, created_ms, seen_ms)
            VALUES (1, 1, 'i', 'mill', 'linux', '64bit', 'c', 2, 1000, '3.3.2', 1, {now});
          INSERT INTO lease (id, task, project, session, worker, key, renderer, state, since_ms, until_ms, hard_ms, ended_ms)
            VALUES (1000, 1, 1, 1, 1, 1, 1, 'delivered', 1, 1, 1, 5), (1001, 2, 1, 1, 1, 1, 1, 'delivered', 1, 1, 1, {now - 1000})""")
        self.ok("project", "delete", 1)
        self.assertEqual(self.json("housekeeping")["rows"], 1)
        self.assertEqual(self.sql("SELECT id FROM lease"), [{"id": "1001"}])
        self.assertEqual(self.sql("SELECT id FROM task"), [{"id": "2"}])

    def test_long_log(self):
        path = self.write("log/nginx.log", "")
        with open(path, "r+b") as f:
            f.seek(80 << 20)
            f.write(b"the end\n")
        self.assertEqual(self.json("housekeeping")["logs"], 1)
        self.assertLess(os.path.getsize(path), 18 << 20)
        self.assertEqual(self.json("housekeeping")["logs"], 0)

    def test_workers(self):
        now = int(time.time() * 1000)
        self.sql(f"""INSERT INTO worker (id, user, identity, name, os, bits, cpu, cores, ram_kib, version, aside_until_ms, aside, created_ms, seen_ms)
            VALUES (1, 1, 'i', 'mill', 'linux', '64bit', 'c', 2, 1000, '3.3.2', {now + 60000}, 'three broken pictures', 1, {now})""")
        row = self.json("worker", "list")[0]
        self.assertEqual((row["id"], row["name"], row["user"], row["state"], row["aside"]), (1, "mill", "ann", "aside", "three broken pictures"))
        self.ok("worker", "disable", 1)
        self.assertEqual(self.json("worker", "list")[0]["state"], "disabled")
        self.ok("worker", "enable", 1)
        self.assertEqual(self.json("worker", "list")[0]["state"], "here")


if __name__ == "__main__":
    tap.main()
