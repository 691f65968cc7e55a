"""render: the whole way with real Blender: scenes in tiles with overscan, rendered by farmgate-worker, stitched, and the same pixel for pixel as the
untiled render of the same farm; a film with its frame rate; a night scene; a scene that fails and says why."""
import json
import os
import shutil
import subprocess
import unittest

import farm
import tap

STITCH = os.path.join(farm.BUILD, "tests", "bench", "stitch")
MAKE = """
import bpy, math, sys
s = bpy.context.scene
s.render.engine = "CYCLES"; s.cycles.samples = 2; s.cycles.use_denoising = False
s.render.resolution_x, s.render.resolution_y, s.render.film_transparent = 161, 91, True
s.render.dither_intensity = 0  # a whole frame keeps the scene's own, tiles have none
s.render.fps, s.render.fps_base, s.frame_start, s.frame_end = 30, 1.001, 5, 9
cube = bpy.data.objects["Cube"]
for f in (5, 9):
    cube.rotation_euler[2] = f / 5
    cube.keyframe_insert("rotation_euler", frame=f)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1] + "/cube.blend")
for o in list(bpy.data.objects):
    if o.type != "CAMERA": bpy.data.objects.remove(o)
s.world.use_nodes = False; s.world.color = (0, 0, 0); s.render.film_transparent = False
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1] + "/night.blend")
"""


@unittest.skipUnless(shutil.which("blender"), "Blender is not installed")
class Renders(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        f = cls.farm
        subprocess.run(["blender", "-b", "--factory-startup", "--python-exit-code", "3", "--python-expr", MAKE, "--", f.dir], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        f.user("ann", "submitter", "worker")
        f.admin("renderer", "add", "--wrap", shutil.which("blender"))
        cls.key = f.dir + "/key"
        with open(os.open(cls.key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as key:
            key.write(f.key("ann"))

    def add(self, scene, *options):
        return self.farm.json("project", "add", f"{self.farm.dir}/{scene}.blend", "--owner", "ann", *options)["id"]

    def work(self):
        confined = subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"], stderr=subprocess.DEVNULL).returncode == 0
        return subprocess.run([farm.BUILD + "/farmgate-worker", "--server", f"http://127.0.0.1:{self.farm.port}", "--login", "ann", "--key-file", self.key, "--cache",
                               self.farm.dir + "/cache", "--once", *([] if confined else ["--unconfined"])], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)

    def finished(self, project):
        self.eventually(lambda: self.farm.show(project)["state"] in ("finished", "failed"), 60)
        shown = self.farm.show(project)
        self.assertEqual((shown["state"], shown["message"]), ("finished", shown["message"]))
        return shown

    def test_tiles_are_the_picture(self):
        pairs = []
        for form in ("png", "png16", "exr", "exr-multilayer", "tga", "bmp"):
            pairs.append((form, self.add("cube", "--frames", "7", "--format", form, "--tiles", "2x3", "--overscan", "7"), self.add("cube", "--frames", "7", "--format", form)))
        jpeg = self.add("cube", "--frames", "7", "--format", "jpeg", "--tiles", "2x2")
        done = self.work()
        self.assertEqual(done.returncode, 0, done.stdout)
        for form, tiled, whole in pairs:
            one, two = self.finished(tiled)["result"], self.finished(whole)["result"]
            same = subprocess.run([STITCH, "same", one, two], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual(same.returncode, 0, (form, same.stdout))
        with open(self.finished(jpeg)["result"], "rb") as f:
            self.assertEqual(f.read(3), b"\xff\xd8\xff")

    def test_film(self):
        film = self.add("cube", "--frames", "5-9:2", "--percent", "51")
        self.assertEqual(self.work().returncode, 0)
        shown = self.finished(film)
        self.assertEqual((shown["width"], shown["height"], shown["frames_total"], shown["fps_num"], shown["fps_den"]), (82, 46, 3, 30000, 1001))
        probe = json.loads(subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", shown["result"]], stdout=subprocess.PIPE, check=True).stdout)
        stream = probe["streams"][0]
        self.assertEqual([stream[k] for k in ("codec_name", "pix_fmt", "width", "height", "r_frame_rate", "nb_read_frames")], ["h264", "yuv420p", 82, 46, "30000/1001", "3"])

    def test_night(self):
        """All black, on a farm with one worker: rendered twice, and believed."""
        night = self.add("night", "--frames", "5", "--format", "png")
        self.work()
        shown = self.finished(night)
        self.assertEqual(int(self.farm.sql(f"SELECT count(*) AS n FROM lease WHERE project = {night}")[0]["n"]), 2)
        self.assertEqual(shown["tasks_done"], 1)

    def test_fails_and_says_why(self):
        self.farm.admin("set", "task_tries", 2)
        broken = self.add("cube", "--frames", "5")
        self.farm.admin("sql", f"UPDATE project SET camera = 'Gone' WHERE id = {broken}")
        self.work()
        shown = self.farm.show(broken)
        self.assertEqual(shown["state"], "failed")
        self.assertIn("no camera 'Gone' in this file", shown["message"])
        refused = self.farm.admin("project", "add", f"{self.farm.dir}/cube.blend", "--owner", "ann", "--camera", "Gone", ok=False)
        self.assertEqual((refused.returncode, refused.stderr), (1, "farmgate-admin: there is no camera Gone in this file\n"))


if __name__ == "__main__":
    tap.main()
