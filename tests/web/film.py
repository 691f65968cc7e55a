"""film: what a newcomer does, in a real browser against the real farm: register with an invitation, make a worker key, upload a scene that real Blender saved, watch farmgate-worker and real
Blender render it, play the film, take the raw frames home, delete the project. What the console says against a page fails the test."""
import glob
import os
import shutil
import subprocess
import unittest
import zipfile

import blendfile
import farm
import tap
import webdriver

SHOTS = os.path.join(farm.BUILD, "tests", "web", "screenshots", "film")
FRAMES = 6
MAKE = """
import bpy, sys
s = bpy.context.scene
s.render.engine = "CYCLES"; s.cycles.samples = 4; s.cycles.use_denoising = False
s.render.resolution_x, s.render.resolution_y, s.render.resolution_percentage = 320, 180, 100
s.render.fps, s.frame_start, s.frame_end = 6, 1, int(sys.argv[-1])
s.world.use_nodes = True
s.world.node_tree.nodes["Background"].inputs[0].default_value = (0.9, 0.45, 0.2, 1)
cube = bpy.data.objects["Cube"]
for f in (1, s.frame_end):
    cube.rotation_euler[2] = f / 5
    cube.keyframe_insert("rotation_euler", frame=f)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-2] + "/turning cube.blend")
"""

COLOURS = """
const seen = document.createElement("canvas"), canvas = document.getElementById("canvas");
[seen.width, seen.height] = [canvas.width, canvas.height];
const pen = seen.getContext("2d", { willReadFrequently: true });
pen.drawImage(canvas, 0, 0);
return new Set(pen.getImageData(0, 0, seen.width, seen.height).data).size;
"""


@unittest.skipIf(webdriver.missing(), webdriver.missing())
@unittest.skipUnless(shutil.which("blender"), "Blender is not installed")
class Film(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        f = cls.farm
        subprocess.run(["blender", "-b", "--factory-startup", "--python-exit-code", "3", "--python-expr", MAKE, "--", f.dir, str(FRAMES)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        f.user("ada", "admin")
        f.admin("set", "registration", "invitation")
        f.admin("renderer", "add", "--wrap", shutil.which("blender"))
        cls.key = f.dir + "/key"

    def worker(self):
        confined = subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"], stderr=subprocess.DEVNULL).returncode == 0
        return subprocess.Popen([farm.BUILD + "/farmgate-worker", "--server", f"http://127.0.0.1:{self.farm.port}", "--login", "ann", "--key-file", self.key, "--cache",
                                 self.farm.dir + "/cache", "--once", *([] if confined else ["--unconfined"])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def calm(self, b):
        self.assertEqual(b.complaints(), [])

    def invite(self, b):
        b.open("/")
        b.wait("h1", "render farm")
        b.click("#welcome a", "Log in")
        b.type("[name=name]", "ada")
        b.type("[name=password]", "long enough")
        b.click("#login button")
        b.click("#ways a", "People")
        b.click("#invite")
        b.type("dialog [name=note]", "Ann")
        b.click("dialog button", "Make the link")
        b.wait("dialog .secret")
        self.link = b.text("dialog .secret").strip()
        b.click("dialog button", "Close")
        b.wait("#invitations th", "Ann")
        b.click("#ways a", "ada")
        b.click("#leave")
        b.wait("#welcome")

    def register(self, b):
        b.open(self.link[self.link.index("/register"):])
        b.type("[name=name]", "ann")
        b.type("[name=password]", "long enough")
        b.type("[name=again]", "long enough")
        b.click("#register button")
        b.wait("#empty", "There are no projects yet")
        b.shot("1-empty")

    def lend(self, b):
        """The key is made where the command lines are, and stands in them."""
        b.click("#ways a", "Lend a machine")
        b.click("#make")
        b.wait("#key-buttons .secret")
        secret = b.text("#key-buttons .secret").strip()
        self.assertIn(secret, b.text("#own-command"))
        self.assertIn("--login ann", b.text("#own-command"))
        with open(os.open(self.key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as key:
            key.write(secret)
        b.shot("1-lend")
        b.click("#ways a", "Projects")

    def upload(self, b):
        b.click("#empty a", "Upload a scene")
        b.wait("#drop")
        b.choose_file("#file", self.farm.dir + "/turning cube.blend")
        b.wait("#choices")
        filled = {name: b.value(f"[name={name}]") for name in ("title", "camera", "start", "end", "fps", "percent", "rows", "columns", "overscan", "samples")}
        self.assertEqual(filled, {"title": "turning cube", "camera": "Camera", "start": "1", "end": str(FRAMES), "fps": "6", "percent": "100", "rows": "2", "columns": "2",
                                  "overscan": "32", "samples": "4"})
        self.assertIn(f"{FRAMES} frames × 4 tiles = {FRAMES * 4} tasks", b.text("#tasks"))
        b.shot("2-scene")
        b.click("#choices button", "Render")
        b.wait("h1#title", "turning cube")
        b.wait("#state", "Waiting")
        b.wait("#doing", "No idle machine is known")  # nobody lends one yet
        b.shot("3-waiting")

    def watch(self, b):
        """The page follows by itself: nobody reloads it."""
        done = lambda: int(b.script("return document.querySelector('#bar [role=progressbar]')?.getAttribute('aria-valuenow') ?? 0"))  # noqa: E731
        b.wait("#state", "Rendering", 60)
        b.until(lambda: 0 < done() < 100, 120, "progress")
        b.until(lambda: b.script(COLOURS) > 24, 60, "tiles in the picture")
        b.shot("4-rendering")
        b.wait("#state", "Finished", 240)
        self.assertEqual(self.lent.wait(60), 0)

    def play(self, b):
        b.wait("#player video")
        length = b.until(lambda: b.script("const v = document.querySelector('video'); return v.readyState > 0 ? v.duration : 0"), 20, "the film's length")
        self.assertAlmostEqual(length, FRAMES / 6, delta=0.2)
        b.script("const v = document.querySelector('video'); v.muted = true; v.loop = true; v.play()")
        b.until(lambda: b.script("return document.querySelector('video').currentTime > 0.2"), 20, "the film to move")
        self.assertEqual(b.script("const v = document.querySelector('video'); return [v.videoWidth, v.videoHeight, v.error]"), [320, 180, None])
        b.shot("5-film")

    def take_home(self, b):
        if b.find("#zip"):
            b.click("#zip")
        b.click("a#raw", seconds=60)
        path = b.until(lambda: next(iter(glob.glob(b.downloads + "/*.zip")), None), 60, "the raw frames")
        b.until(lambda: zipfile.is_zipfile(path), 60, "the whole of them")
        with zipfile.ZipFile(path) as z:
            self.assertIsNone(z.testzip())
            self.assertEqual(len([n for n in z.namelist() if n.endswith(".png")]), FRAMES * 4)  # as the workers delivered them: tiles

    def remove(self, b):
        b.click("#delete")
        b.type("dialog [name=typed]", "another")
        b.click("dialog button.danger")
        b.wait("dialog .wrong", "Nothing was done")
        b.type("dialog [name=typed]", "turning cube")
        b.shot("6-delete", whole=False)
        b.click("dialog button.danger")
        b.wait("#empty", "There are no projects yet")
        self.assertEqual(self.farm.json("project", "list"), [])

    def test_long_work_shows_how_far_it_is(self):
        """A zip that is slow to look through, and has to be packed anew for stock clients."""
        path = self.farm.dir + "/slow.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as z:
            z.writestr("shot.blend", blendfile.make(32, 18))
            z.writestr("noise", os.urandom(60 << 20))
        percent = lambda: int(b.text("#percent").split()[0])  # noqa: E731
        with webdriver.Browser(f"http://127.0.0.1:{self.farm.port}", SHOTS) as b:
            b.open("/login?to=/upload")
            b.type("[name=name]", "ada")
            b.type("[name=password]", "long enough")
            b.click("#login button")
            b.wait("#ways a", "ada")
            b.open("/upload")
            b.wait("#drop")
            b.choose_file("#file", path)
            b.wait("#what", "Looking through the file", 60)
            b.until(lambda: 0 < percent() <= 100, what="how far it is")
            b.shot("looking", whole=False)
            b.wait("#choices", seconds=60)
            b.click("#choices button", "Render")
            b.wait("#what", "Making the project", 60)
            self.assertLessEqual(percent(), 100)
            b.shot("making", whole=False)
            b.wait("h1#title", "slow", 60)
            self.calm(b)

    def test_from_the_first_page_to_the_first_film(self):
        with webdriver.Browser(f"http://127.0.0.1:{self.farm.port}", SHOTS) as b:
            for step in (self.invite, self.register, self.lend, self.upload):
                step(b)
                self.calm(b)
            self.lent = self.worker()
            try:
                for step in (self.watch, self.play, self.take_home, self.remove):
                    step(b)
                    self.calm(b)
            finally:
                self.lent.kill()
                self.lent.wait()


if __name__ == "__main__":
    tap.main()
