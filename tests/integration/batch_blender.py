"""batch_blender: recipes rendered by real Blender through farmgate-worker: every format, a section, overrides, two scenes, films, a job that fails in
the middle, and a farm of which every process is killed in the middle of a batch."""
import json
import os
import shutil
import signal
import subprocess
import unittest

import farm
import tap
from batch import recipe
from farm import request
from script_blender import png

MAKE = """
import bpy, sys
s = bpy.context.scene
s.render.engine = "CYCLES"; s.cycles.samples = 1; s.cycles.use_denoising = False; s.cycles.use_adaptive_sampling = False
s.render.resolution_x, s.render.resolution_y, s.render.resolution_percentage, s.render.fps = 48, 32, 100, 24
s.frame_start, s.frame_end = 1, 3
bpy.ops.scene.new(type="LINK_COPY")
other = bpy.context.window.scene; other.name = "Other"; other.render.resolution_x = 64
bpy.context.window.scene = s
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


RICH = """
import bpy, sys
s = bpy.context.scene
for thing in list(bpy.data.objects):
    bpy.data.objects.remove(thing)
s.render.engine = "CYCLES"; s.cycles.samples = 1; s.cycles.use_denoising = False
s.render.resolution_x, s.render.resolution_y, s.view_settings.view_transform, s.render.film_transparent = 40, 20, "Standard", False
s.world.name = "White"
dark = s.world.copy(); dark.name, dark.use_fake_user = "Dark", True
for world, light in ((s.world, 1), (dark, 0)):
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (light, light, light, 1)
def camera(name, x):
    made = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    made.data.type, made.data.ortho_scale, made.location = "ORTHO", 2, (x, 0, 5)
    s.collection.objects.link(made)
    return made
s.camera = camera("Here", 0); camera("There", 50)
for name, colour in (("Front", (1, 0, 0, 1)), ("Back", (0, 0, 1, 1))):
    collection = bpy.data.collections.new(name); s.collection.children.link(collection)
    mesh = bpy.data.meshes.new(name)
    z = 1 if name == "Front" else 0
    mesh.from_pydata([(-9, -9, z), (9, -9, z), (9, 9, z), (-9, 9, z)], [], [(0, 1, 2, 3)])
    mesh.materials.append(bpy.data.materials.new(name))
    tree = mesh.materials[0]; tree.use_nodes = True; tree = tree.node_tree; tree.nodes.clear()
    light, out = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    light.inputs[0].default_value = colour
    tree.links.new(light.outputs[0], out.inputs[0])
    collection.objects.link(bpy.data.objects.new(name, mesh))
layer = s.view_layers[0]; layer.name = "Both"
only = s.view_layers.new("Far")
only.layer_collection.children["Front"].exclude = True
s.render.use_border = True
s.render.border_min_x, s.render.border_max_x, s.render.border_min_y, s.render.border_max_y = 0, 0.5, 0, 1
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""

LINKED = """
import bpy, os, sys
top = sys.argv[-1]
for folder in ("scenes", "tex", "lib"):
    os.makedirs(os.path.join(top, folder))

def picture(name, colour):
    image = bpy.data.images.new(name, 4, 4)
    image.generated_color = colour
    image.filepath_raw, image.file_format = os.path.join(top, "tex", name), "PNG"
    image.save()
    bpy.data.images.remove(image)

def card(name, x, path):
    bpy.ops.mesh.primitive_plane_add(size=1, location=(x, 0, 0))
    card = bpy.context.object
    card.name = name
    card.data.materials.append(bpy.data.materials.new(name))
    tree = card.data.materials[0]
    tree.use_nodes = True
    tree = tree.node_tree
    tree.nodes.clear()
    image, light, out = (tree.nodes.new(kind) for kind in ("ShaderNodeTexImage", "ShaderNodeEmission", "ShaderNodeOutputMaterial"))
    image.image = bpy.data.images.load(os.path.join(top, "tex", path.replace("<UDIM>", "1001")))
    if "<UDIM>" in path:
        image.image.source = "TILED"
    tree.links.new(image.outputs[0], light.inputs[0])
    tree.links.new(light.outputs[0], out.inputs[0])
    return card, image.image

for name, colour in (("red.png", (1, 0, 0, 1)), ("green.png", (0, 1, 0, 1)), ("blue.1001.png", (0, 0, 1, 1)), ("white.png", (1, 1, 1, 1))):
    picture(name, colour)
for thing in list(bpy.data.objects):
    bpy.data.objects.remove(thing)
card("Linked", 1.5, "white.png")
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(top, "lib", "set.blend"))
bpy.ops.file.make_paths_relative()
bpy.ops.wm.save_mainfile()
bpy.ops.wm.read_factory_settings()
for thing in list(bpy.data.objects):
    bpy.data.objects.remove(thing)
s = bpy.context.scene
s.render.engine = "CYCLES"; s.cycles.samples = 1; s.cycles.use_denoising = False
s.render.resolution_x, s.render.resolution_y, s.view_settings.view_transform = 64, 16, "Standard"
camera = bpy.data.cameras.new("c"); camera.type, camera.ortho_scale = "ORTHO", 4
s.camera = bpy.data.objects.new("c", camera); s.camera.location = (0, 0, 5); s.collection.objects.link(s.camera)
cards = [card("a", -1.5, "red.png"), card("b", -0.5, "green.png"), card("c", 0.5, "blue.<UDIM>.png")]
with bpy.data.libraries.load(os.path.join(top, "lib", "set.blend"), link=True) as (source, here):
    here.objects = ["Linked"]
s.collection.objects.link(here.objects[0])
scene = os.path.join(top, "scenes", "linked.blend")
bpy.ops.wm.save_as_mainfile(filepath=scene)
bpy.ops.file.make_paths_relative()
cards[1][1].filepath = os.path.join(top, "tex", "green.png")
bpy.ops.wm.save_mainfile(relative_remap=False)
"""


@unittest.skipUnless(shutil.which("blender"), "Blender is not installed")
class Rendered(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        f = cls.farm
        cls.out = f.dir + "/out"
        os.mkdir(cls.out)
        cls.blend = f.dir + "/batch.blend"
        subprocess.run(["blender", "-b", "--factory-startup", "--python-exit-code", "3", "--python-expr", MAKE, "--", cls.blend], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        f.user("ann", "submitter", "worker")
        f.admin("set", "batch_output_folders", cls.out)
        f.admin("set", "batch_input_folders", f.dir)
        f.admin("set", "task_tries", 1)
        f.admin("renderer", "add", "--wrap", shutil.which("blender"))
        cls.token = f.admin("token", "add", "ann", "script", "--scope", "batch").split()[-1]
        with open(os.open(f.dir + "/key", os.O_WRONLY | os.O_CREAT, 0o600), "w") as key:
            key.write(f.key("ann"))
        confined = subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"], stderr=subprocess.DEVNULL).returncode == 0
        cls.log = open(f.dir + "/worker.log", "w")
        cls.worker = subprocess.Popen([farm.BUILD + "/farmgate-worker", "--server", f"http://127.0.0.1:{f.port}", "--login", "ann", "--key-file", f.dir + "/key", "--cache",
                                       f.dir + "/cache", *([] if confined else ["--unconfined"])], stdout=cls.log, stderr=subprocess.STDOUT)

    @classmethod
    def tearDownClass(cls):
        cls.worker.send_signal(signal.SIGTERM)
        try:
            cls.worker.wait(30)
        except subprocess.TimeoutExpired:
            cls.worker.kill()
        cls.log.close()
        super().tearDownClass()

    def call(self, method, target, body=None, status=200):
        answer = request(self.farm.port, method, target, [("Authorization", f"Bearer {self.token}"), ("Content-Type", "application/json")], json.dumps(body).encode() if body else b"")
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def start(self, *jobs, **top):
        """Scenes are named by their path on this host, below an allowed folder. What a failed test left running is no reason to fail."""
        request(self.farm.port, "DELETE", "/batch", [("Authorization", f"Bearer {self.token}")])
        self.call("POST", "/batch/recipe", recipe(*({"blend_file": self.blend, **job} for job in jobs), **top))
        self.call("GET", "/batch/start")

    def ended(self, seconds=600):
        return self.eventually(lambda: (lambda p: p if p["status"] in ("FINISHED", "CANCELLED") else None)(self.call("GET", "/batch")), seconds)

    def read(self, name):
        with open(f"{self.out}/{name}", "rb") as f:
            return f.read()

    def test_formats(self):
        """Each as Blender's -o would name it, each what it says it is."""
        kinds = {"PNG": ("png", b"\x89PNG"), "JPEG": ("jpg", b"\xff\xd8\xff"), "EXR": ("exr", b"v/1\x01"), "MULTILAYER": ("exr", b"v/1\x01"), "TGA": ("tga", None),
                 "RAWTGA": ("tga", None), "BMP": ("bmp", b"BM"), "TIFF": ("tif", b"II*\0"), "HDR": ("hdr", b"#?RADIANCE"), "DPX": ("dpx", None), "CINEON": ("cin", b"\x80\x2a\x5f\xd7"),
                 "IRIS": ("rgb", b"\x01\xda")}
        self.start(*({"format": kind, "output": f"{self.out}/{kind}_####"} for kind in kinds))
        over = self.ended()
        self.assertEqual([(j["status"], j["messages"]) for j in over["jobs"]], [("FINISHED", [])] * len(kinds))
        for kind, (ext, magic) in kinds.items():
            data = self.read(f"{kind}_0001.{ext}")
            self.assertTrue(data.startswith(magic or b"") and len(data) > 100, kind)
        self.assertEqual(self.read("DPX_0001.dpx")[:4] in (b"SDPX", b"XPDS"), True)

    def test_films(self):
        """MOVIE and its kin: PNG frames, put into that container."""
        kinds = {"MOVIE": ("avi", "mjpeg"), "AVIRAW": ("avi", "rawvideo"), "AVIJPEG": ("avi", "mjpeg"), "MPEG": ("mpg", "mpeg2video"), "QUICKTIME": ("mov", "h264")}
        self.start(*({"format": kind, "animated": True, "frame_end": 3, "output": f"{self.out}/film-{kind}-"} for kind in kinds))
        over = self.ended()
        self.assertEqual([(j["status"], j["messages"]) for j in over["jobs"]], [("FINISHED", [])] * len(kinds))
        for kind, (ext, codec) in kinds.items():
            probe = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "json",
                                    f"{self.out}/film-{kind}-0001-0003.{ext}"], stdout=subprocess.PIPE, check=True)
            stream = json.loads(probe.stdout)["streams"][0]
            self.assertEqual((stream["codec_name"], stream["width"], stream["height"]), (codec, 48, 32))
            self.assertIn(int(stream["nb_read_frames"]), (3, 4), kind)  # MPEG has its own frame rates

    def test_settings(self):
        """Section, overrides, two scenes, sizes; a job that fails in the middle stops nothing."""
        part = {"enabled": True, "x": 0.5, "y": 0.5, "width": 0.5, "height": 0.5}
        self.start({"output": self.out + "/whole"}, {"output": self.out + "/part", "section": part}, {"output": self.out + "/dark", "custom_overrides": [
            {"path": "view_settings.exposure", "data": "-10"}, {"path": "world.color", "data": "(0, 0, 0)"}]},
            {"output": self.out + "/bad", "custom_overrides": [{"path": "render.no_such", "data": "1"}]},
            {"output": self.out + "/other", "scene": "Other"}, {"output": self.out + "/big", "size": [100, 50], "cycles": {"samples": 2, "device": "CPU"}, "threads": 1},
            {"output": self.out + "/gone", "scene": "Nowhere"}, {"output": self.out + "/anim#", "animated": True, "frame_start": 2, "frame_end": 3})
        over = self.ended()
        self.assertEqual([j["status"] for j in over["jobs"]], ["FINISHED"] * 3 + ["FAILED"] + ["FINISHED"] * 2 + ["FAILED", "FINISHED"])
        self.assertIn("render.no_such", over["jobs"][3]["messages"][0])
        self.assertEqual(over["jobs"][6]["messages"], ["there is no scene Nowhere in this file"])
        pictures = [png(f"{self.out}/{n}0001.png") for n in ("whole", "part", "dark", "other", "big")]
        self.assertEqual([p[:2] for p in pictures], [(48, 32), (48, 32), (48, 32), (64, 32), (100, 50)])
        whole, part, dark = (sum(map(sum, p[3])) for p in pictures[:3])
        self.assertTrue(part < whole / 2 and dark < whole * 0.6, (whole, part, dark))  # opaque black alone is more than half
        self.assertEqual([os.path.exists(f"{self.out}/anim{n}.png") for n in (1, 2, 3)], [False, True, True])
        engine = over["jobs"][5]["engine"]
        self.assertEqual([engine["type"]] + [engine["data"][k] for k in ("frame", "scene", "layer")], ["CYCLES", "1", "Scene", "ViewLayer"])
        self.assertTrue(all(isinstance(v, str) for v in engine["data"].values()))

    def centre(self, name, part=0.25):
        """Width, height and the colour in the middle of the left (0.25) or right (0.75) half, each channel 0 or 255."""
        width, height, _, rows = png(f"{self.out}/{name}0001.png")
        n = len(rows[0]) // width
        at = int(width * part) * n
        return (width, height, *(255 * (c > 127) for c in rows[height // 2][at:at + 3]))

    def test_each_key(self):
        """Camera, world, layer, size, the sizes of all jobs, the scene's own border and ignore_border: each does what it says."""
        rich = self.farm.dir + "/rich.blend"
        subprocess.run(["blender", "-b", "--factory-startup", "--python-exit-code", "3", "--python-expr", RICH, "--", rich], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        red, blue, white, black = (255, 0, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
        jobs = {"plain": {}, "far": {"layer": "Far"}, "there": {"camera": "There"}, "dark": {"camera": "There", "world": "Dark"}, "sized": {"size": [80, 30]}}
        self.start(*({"blend_file": rich, "output": f"{self.out}/key-{name}", "layer": "Both", **job} for name, job in jobs.items()), {"blend_file": rich, "world": "Nobody"},
                   {"blend_file": rich, "layer": "Nobody"})
        over = self.ended()
        self.assertEqual([j["status"] for j in over["jobs"]], ["FINISHED"] * 5 + ["FAILED"] * 2)
        self.assertEqual(["Nobody" in over["jobs"][i]["messages"][0] for i in (5, 6)], [True, True])
        self.assertEqual([self.centre("key-" + name) for name in jobs], [(40, 20, *red), (40, 20, *blue), (40, 20, *white), (40, 20, *black), (80, 30, *red)])
        self.assertEqual(self.centre("key-plain", 0.75), (40, 20, *black), "outside the scene's own border there is nothing")
        self.start({"blend_file": rich, "output": self.out + "/key-whole", "layer": "Both", "section": {"enabled": True, "x": 0, "y": 0, "width": 0.1, "height": 0.1}},
                   settings={"ignore_border": True, "global_size": {"enabled": True, "value": [60, 24]}, "global_percentage": {"enabled": True, "value": 50}})
        self.assertEqual(self.ended()["jobs"][0]["status"], "FINISHED")
        self.assertEqual([self.centre("key-whole"), self.centre("key-whole", 0.75)], [(30, 12, *red)] * 2)

    def test_the_recipe_names_its_blender(self):
        """By the path that a renderer was wrapped from; another one is said."""
        version = self.farm.json("renderer", "list")[0]["version"]
        for path, told, kept in ((shutil.which("blender"), f"own renderer, Blender {version}", version), ("/opt/other/blender", "own renderer", "")):
            self.start({"output": self.out + "/named"}, blender_bin=path)
            over = self.ended()
            self.assertEqual((over["jobs"][0]["status"], over["messages"][0].endswith(told)), ("FINISHED", True), over["messages"])
            self.assertEqual(self.farm.sql("SELECT renderer FROM project ORDER BY id DESC LIMIT 1")[0]["renderer"], kept)

    def test_linked_files(self):
        """A scene of this host brings its textures (one by an absolute path, one of tiles) and its libraries with theirs; nothing from outside the folders."""
        top = self.farm.dir + "/house"
        subprocess.run(["blender", "-b", "--factory-startup", "--python-exit-code", "3", "--python-expr", LINKED, "--", top], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        os.rename(top + "/tex/white.png", top + "/white.png")
        self.start({"blend_file": top + "/scenes/linked.blend", "output": self.out + "/linked", "scene": "", "camera": "", "world": "", "size": [64, 16]})
        over = self.ended()
        self.assertEqual([(j["status"], j["messages"]) for j in over["jobs"]], [("FINISHED", [])])
        self.assertEqual([m for m in over["messages"] if "missing" in m or "found" in m], ["job 0: image //../tex/white.png was not found below the folders that scenes may come from"])
        width, _, _, rows = png(self.out + "/linked0001.png")
        channels = len(rows[8]) // width
        seen = [tuple(255 * (c > 127) for c in rows[8][x * channels:x * channels + 3]) for x in (8, 24, 40, 56)]
        self.assertEqual(seen, [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255)], "magenta is a picture that is not there")

    def test_logs(self):
        """One for each job: what Blender said, also of a job that failed; beside the pictures, or where the message says."""
        self.start({"output": self.out + "/told"}, {"output": self.out + "/lost", "custom_overrides": [{"path": "render.no_such", "data": "1"}]},
                   {"output": "/nowhere/pic", "animated": True, "frame_end": 2}, settings={"write_log": True})
        over = self.ended()
        self.assertEqual([j["status"] for j in over["jobs"]], ["FINISHED", "FAILED", "FINISHED"])
        told, lost = self.read("told_job_0.log").decode(), self.read("lost_job_1.log").decode()
        self.assertRegex(told, r'^Render job #0 from batch ".*", started on 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\n-{80}\n\n')
        self.assertRegex(told, r"frame 1 on .+: delivered in \d+ s(.|\n)*Fra:1 Mem:(.|\n)*Saved: ")
        self.assertRegex(lost, r"frame 1 on .+: failed in(.|\n)*render.no_such")
        said = next(m for m in over["messages"] if m.startswith("job 2: its log is at "))
        log = request(self.farm.port, "GET", said[said.index("/api/"):], [("Authorization", f"Bearer {self.token}")])
        self.assertEqual((log.status, log.body.count(b"Saved: ")), (200, 2))
        self.assertEqual([request(self.farm.port, "GET", said[said.index("/api/"):].replace("/2/log", rest), [("Authorization", f"Bearer {self.token}")]).status
                          for rest in ("/3/log", "/x/log", "/2/logs", "/-1/log", "/99999999999999999999/log")], [404] * 5)

    def test_killed_in_the_middle(self):
        self.start(*({"output": f"{self.out}/hard-{i}-", "animated": True, "frame_end": 3} for i in range(3)))
        self.eventually(lambda: self.call("GET", "/batch")["current_job"] == 1, 120)
        for name in ("compositor", "batch", "request_job", "send_frame", "config", "nginx"):
            for pid in self.farm.processes(name):
                os.kill(pid, signal.SIGKILL)
        over = self.eventually(lambda: self.poll_or_none(), 600)
        self.assertEqual([j["status"] for j in over["jobs"]], ["FINISHED"] * 3)
        self.assertEqual(len([n for n in os.listdir(self.out) if n.startswith("hard-")]), 9)

    def poll_or_none(self):
        try:
            over = self.call("GET", "/batch")
        except (AssertionError, OSError):
            return None
        return over if over["status"] == "FINISHED" else None


if __name__ == "__main__":
    tap.main()
