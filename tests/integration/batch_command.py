"""batch_command: farmgate-batch as people start it: dry, check, a batch on a farm of its own, the server and its questions, Ctrl+C, a portal."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import farm
import tap
from batch import recipe
from script_blender import png

MAKE = """
import bpy, sys
s = bpy.context.scene
s.render.engine = "CYCLES"; s.cycles.samples = int(sys.argv[-1]); s.cycles.use_denoising = False; s.cycles.use_adaptive_sampling = False
s.render.resolution_x, s.render.resolution_y, s.render.resolution_percentage = 48, 32, 100
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-2])
"""


@unittest.skipUnless(shutil.which("blender"), "Blender is not installed")
class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="farmgate-test-")
        for name, samples in (("quick", 1), ("slow", 2000000)):
            subprocess.run(["blender", "-b", "--factory-startup", "--python-exit-code", "3", "--python-expr", MAKE, "--", f"{cls.dir}/{name}.blend", str(samples)], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.mkdir(cls.dir + "/tmp")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir, ignore_errors=True)

    def tearDown(self):
        """Nothing stays: no folder, no process that knows it."""
        self.assertEqual(os.listdir(self.dir + "/tmp"), [])
        left = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if f"FARMGATE_CONFIG={self.dir}/tmp".encode() in f.read():
                        left.append(pid)
            except OSError:
                continue
        self.assertEqual(left, [])

    def start(self, *args):
        process = self.popen(*args)
        self.addCleanup(process.kill)  # its farm ends with it
        return process

    def popen(self, *args):
        return subprocess.Popen([farm.BUILD + "/farmgate-batch", "--tree", farm.TOP, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.dir,
                                env={**os.environ, "TMPDIR": self.dir + "/tmp"})

    def run_it(self, *args, code=0, seconds=200):
        process = self.start(*args)
        out, _ = process.communicate(timeout=seconds)
        self.assertEqual(process.returncode, code, out)
        return out

    def recipe(self, *jobs, **top):
        path = self.dir + "/recipe.json"
        with open(path, "w") as f:
            json.dump(recipe(*({"blend_file": self.dir + "/quick.blend", **job} for job in jobs), **{"blender_bin": shutil.which("blender"), **top}), f)
        return path

    def test_dry(self):
        path = self.recipe({"output": "/o u't/x", "format": "PNG", "scene": "Scene", "threads": 2, "engine": "CYCLES", "custom_overrides": [{"path": "cycles.samples", "data": "3"}]},
                           {"animated": True, "frame_start": 3, "frame_end": 9}, {"enabled": False})
        out = self.run_it("--recipe", path, "--dry")
        self.assertIn("3 jobs, 2 enabled (1 stills, 1 animations), 8 frames", out)
        self.assertIn(f"blender -b {self.dir}/quick.blend -S Scene -E CYCLES -t 2 -x 1 -F PNG -o '/o u'\\''t/x' -f 1\n   cycles.samples = 3", out)
        self.assertIn("-s 3 -e 9 -a", out)

    def test_check(self):
        self.assertEqual(self.run_it("--recipe", self.recipe({"output": self.dir + "/new/folder/x"}), "--check"), "Everything is there.\n")
        jobs = ({"camera": "Nobody"}, {"scene": "Nowhere"}, {"blend_file": "/no/such.blend"}, {"blend_file": "/etc/passwd"}, {"output": "/etc/passwd/x/y"}, {"enabled": False, "scene": "Nowhere"})
        out = self.run_it("--recipe", self.recipe(*jobs, blender_bin="/no/blender"), "--check", code=1)
        for line in ("blender_bin: /no/blender", "job 0: there is no camera Nobody", "job 1: there is no scene Nowhere", "job 2: /no/such.blend can't be opened", "job 3: /etc/passwd is no .blend",
                     "job 4: /etc/passwd is no folder", "6 things are wrong"):
            self.assertIn(line, out)
        with open(self.dir + "/comma.json", "w") as f:
            f.write('{"name": "/a",\n "jobs": [{},]}')
        self.assertIn("line 2, column", self.run_it("--recipe", self.dir + "/comma.json", "--check", code=1))
        self.assertIn("could not read", self.run_it("--recipe", "/no/such", code=1))

    def test_words(self):
        self.assertIn("farmgate-batch ", self.run_it("--version"))
        for words in ((), ("--port", "80", "--poll"), ("--no-such",), ("more",)):
            self.run_it(*words, code=2)
        self.assertIn("does not answer", self.run_it("--poll", "--port", farm.free_port(), code=1))
        self.assertIn("--token-file", self.run_it("--poll", "--server", "http://127.0.0.1:1", code=1))

    def test_list_gpus(self):
        fake = self.dir + "/blender-fake"
        with open(fake, "w") as f:
            f.write("#!/bin/sh\n[ \"$1\" = -b ] && [ \"$2\" = --python-expr ] || exit 9\necho 'Blender 2.90.0'\necho 'GPUS AVAILABLE FOR RENDERING'\n"
                    "printf -- '-%.0s' $(seq 80); echo\necho 'Radeon RX Vega 56 | Number: 0'\necho 'Blender quit'\n")
        os.chmod(fake, 0o755)
        self.assertEqual(self.run_it("--list-gpus", fake).split("\n")[1:4], ["GPUS AVAILABLE FOR RENDERING", "-" * 80, "Radeon RX Vega 56 | Number: 0"])
        self.assertIn("GPUS AVAILABLE FOR RENDERING\n" + "-" * 80 + "\n", self.run_it("--list-gpus", shutil.which("blender")))
        self.run_it("--list-gpus", "/no/blender", code=1)

    def test_renders(self):
        out = self.dir + "/out"
        hooks = {"PRE_BATCH": [{"enabled": True, "cmd": f"touch {out}-hook"}], "POST_BATCH": []}
        path = self.recipe({"output": out + "/still"}, {"animated": True, "frame_end": 2, "output": out + "/anim_##"}, hooks=hooks)
        said = self.run_it("--recipe", path, "--print-stats", "--write-log")
        self.assertIn("1. Job 1: FINISHED after", said)
        self.assertIn("average", said)
        self.assertEqual(sorted(os.listdir(out)), ["anim_01.png", "anim_02.png", "still0001.png"])
        self.assertFalse(os.path.exists(out + "-hook"))
        log = os.listdir(self.dir + "/server/log")
        self.assertRegex(log[0], r"^renderplus_\d\d-\d\d-\d{4}-\d\d-\d\d-\d\d$")
        with open(f"{self.dir}/server/log/{log[0]}") as f:
            self.assertIn("0. Job 0: FINISHED", f.read())
        path = self.recipe({"camera": "Nobody"}, {"output": out + "/again"}, hooks=hooks)
        self.assertIn("0. Job 0: FAILED: there is no camera Nobody", self.run_it("--recipe", path, "--allow-hooks", code=1))
        self.assertTrue(os.path.exists(out + "-hook") and os.path.exists(out + "/again0001.png"))

    def test_sample(self):
        """The sample recipe as its maker printed it, less the comma that makes it no JSON, with the paths of this machine; smaller, for the test's time."""
        scene = self.dir + "/sample.blend"
        make = ("import bpy, sys; s = bpy.context.scene; s.render.engine = 'BLENDER_EEVEE' + '_NEXT' * ((4, 2) <= bpy.app.version < (5, 0)); s.eevee.taa_render_samples = 1; "
                "bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])")
        subprocess.run(["blender", "-b", "--factory-startup", "--python-expr", make, "--", scene], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sample = recipe({"name": "Some job", "output": self.dir + "/render_Untitled_Scene", "engine": "BLENDER_EEVEE", "size": [1920, 1080], "blend_file": scene, "scene": "Scene",
                         "camera": "Camera", "world": "World"}, name=scene, blender_bin=shutil.which("blender"))
        sample["settings"]["global_percentage"] = {"enabled": True, "value": 5}
        with open(self.dir + "/sample.json", "w") as f:
            json.dump(sample, f)
        said = self.run_it("--recipe", self.dir + "/sample.json")
        self.assertIn("0. Some job: FINISHED", said)
        self.assertEqual(png(self.dir + "/render_Untitled_Scene0001.png")[:2], (96, 54))

    def listening(self, port, process):
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        self.fail("nothing listens: " + (process.communicate()[0] if process.poll() is not None else ""))

    def ask(self, port, method, target, body=b"", status=200):
        answer = farm.request(port, method, target, [("Content-Type", "application/json")] if body else [], body)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def test_server(self):
        port = farm.free_port()
        process = self.start("--serve", "--port", port)
        self.listening(port, process)
        self.assertIn("no batch has been run yet", self.run_it("--poll", "--port", port, code=1))
        with open(self.recipe({"blend_file": self.dir + "/slow.blend"}, {"frame_still": 2}), "rb") as f:
            self.ask(port, "POST", "/batch/recipe", f.read())
        self.ask(port, "GET", "/batch/start")
        self.wait(lambda: self.ask(port, "GET", "/batch")["current_job"] == 0)
        self.assertEqual(json.loads(self.run_it("--poll-job", 0, "--port", port))["status"], "RUNNING")
        self.run_it("--cancel-job", "--port", port)
        self.wait(lambda: self.ask(port, "GET", "/batch")["jobs"][0]["status"] == "CANCELLED")
        self.wait(lambda: self.ask(port, "GET", "/batch")["status"] == "FINISHED")
        self.assertIn("not running a batch", self.run_it("--cancel", "--port", port, code=1))
        self.run_it("--stop", "--port", port)
        self.assertEqual(process.wait(10), 0)
        process.communicate()

    def wait(self, check, seconds=180):
        end = time.monotonic() + seconds
        while not check():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)

    def test_ctrl_c(self):
        """In the middle of a render: server, Blender and children are gone within 5 s."""
        process = self.start("--recipe", self.recipe({"blend_file": self.dir + "/slow.blend"}))
        self.wait(lambda: "blender" in self.below(process.pid).values() or process.poll() is not None)
        all_of_it, began = self.below(process.pid), time.monotonic()
        self.assertIn("blender", all_of_it.values())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertLess(time.monotonic() - began, 15)  # 5 s are promised; a busy machine gets more
        self.assertNotEqual(process.returncode, 0)
        self.wait(lambda: not any(os.path.exists(f"/proc/{pid}/cwd") for pid in all_of_it), 5)

    def below(self, top):
        """Pid and name of each process that came of this one."""
        parents, names = {}, {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    head, _, rest = f.read().rpartition(")")
            except OSError:
                continue
            parents[int(pid)], names[int(pid)] = int(rest.split()[1]), head.split("(", 1)[1]
        found, more = {}, {top}
        while more:
            more = {pid for pid, parent in parents.items() if parent in more and pid not in found}
            found.update({pid: names[pid] for pid in more})
        return found


if __name__ == "__main__":
    tap.main()
