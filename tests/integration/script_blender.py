"""script_blender: share/task.py in real Blender, started as stock clients start it: the scene that was asked for, tiles equal to the whole frame, and
no picture at all rather than a wrong one."""
import base64
import glob
import json
import os
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

import tap

BLENDER = shutil.which("blender")
SCRIPT = os.path.join(os.environ.get("top_srcdir", "."), "share/task.py")
WIDTH, HEIGHT, NAME = 61, 41, "Zw\u00eb\"i 'te"

MAKE_SCENE = """
import bpy, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
first = bpy.context.scene
second = bpy.data.scenes.new("%s")
mesh = bpy.data.meshes.new("m")
mesh.from_pydata([(-3, -2, 0), (3, -2, 1), (0, 3, -1)], [], [(0, 1, 2)])
world = bpy.data.worlds.new("w"); world.color = (0.2, 0.4, 0.7)
for scene in (first, second):
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("c")); camera.location = (0, 0, 9)
    scene.collection.objects.link(camera); scene.camera = camera; scene.world = world
    scene.render.engine = "CYCLES"; scene.cycles.samples = 3; scene.cycles.use_denoising = False
    scene.render.image_settings.file_format = "FFMPEG"
    scene.render.resolution_percentage = 100
first.render.resolution_x, first.render.resolution_y = 20, 10
second.render.resolution_x, second.render.resolution_y = 61, 41
second.collection.objects.link(bpy.data.objects.new("o", mesh))
first.background_set = second
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
""" % NAME.replace('"', '\\"')


def png(path):
    """(width, height, depth, rows of bytes)"""
    with open(path, "rb") as f:
        data = f.read()
    at, packed, header = 8, b"", None
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        header = struct.unpack(">IIBBBBB", body) if kind == b"IHDR" else header
        packed += body if kind == b"IDAT" else b""
        at += size + 12
    width, height, depth, colour = header[:4]
    n = {0: 1, 2: 3, 6: 4}[colour] * depth // 8
    raw, rows, line = zlib.decompress(packed), [], bytearray(width * n)
    for y in range(height):
        start = y * (width * n + 1)
        method, now = raw[start], bytearray(raw[start + 1:start + 1 + width * n])
        for x in range(width * n):
            a, b, c = now[x - n] if x >= n else 0, line[x], line[x - n] if x >= n else 0
            p = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            now[x] = (now[x] + (0, a, b, (a + b) // 2, p)[method]) & 255
        rows.append(bytes(now))
        line = now
    return width, height, depth, rows


@unittest.skipUnless(BLENDER, "no Blender here")
class Script(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="farmgate-script-")
        cls.blend = os.path.join(cls.dir, "two.blend")
        make = os.path.join(cls.dir, "make.py")
        with open(make, "w", encoding="utf-8") as f:
            f.write(MAKE_SCENE)
        subprocess.run([BLENDER, "-b", "--factory-startup", "-P", make, "--", cls.blend], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def render(self, tile=None, **more):
        task = {"scene": NAME, "camera": "", "format": "PNG", "depth": "8", "percent": 100, "size": [WIDTH, HEIGHT], "tiled": tile is not None,
                "tile": tile or [0, 0, WIDTH, HEIGHT], "engine": "", "samples": 0, "no_denoise": True, "extra": None}
        task.update(more)
        folder = tempfile.mkdtemp(dir=self.dir)
        with open(SCRIPT, encoding="utf-8") as f:
            text = f.read().replace("@TASK@", base64.b64encode(json.dumps(task).encode()).decode())
        script = os.path.join(folder, "script.py")
        with open(script, "w", encoding="utf-8") as f:
            f.write(text + '\nsheepit_set_compute_device("NONE", "CPU", "CPU")\n')
        ran = subprocess.run([BLENDER, "--factory-startup", "--disable-autoexec", "-b", self.blend, "-P", script, "-o", folder + "/21_", "-f", "0001", "-x", "1"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, LC_ALL="C"))
        return glob.glob(folder + "/21_0001*"), ran.stdout.decode("utf-8", "replace")

    def picture(self, *args, **more):
        files, log = self.render(*args, **more)
        self.assertEqual(len(files), 1, log)
        self.assertTrue(files[0].endswith(".png"), files)
        return png(files[0])

    def tiles_are_the_frame(self, depth):
        # The whole as one tile: dither off as in the tiles.
        width, height, bits, whole = self.picture([0, 0, WIDTH, HEIGHT], depth=depth)
        self.assertEqual((width, height, bits), (WIDTH, HEIGHT, int(depth)))
        n = len(whole[0]) // WIDTH
        self.assertGreater(len(set(whole)), 5, "the second scene's triangle must be seen")
        for x, y, w, h in ((0, 0, 35, 25), (25, 15, 36, 26), (16, 9, 29, 23)):
            width, height, bits, rows = self.picture([x, y, w, h], depth=depth)
            self.assertEqual((width, height, bits), (w, h, int(depth)))
            self.assertEqual(rows, [row[x * n:(x + w) * n] for row in whole[y:y + h]], (x, y, w, h))

    def test_tiles_8_bit(self):
        self.tiles_are_the_frame("8")

    def test_tiles_16_bit(self):
        self.tiles_are_the_frame("16")

    def test_own_scene_when_none_is_named(self):
        self.assertEqual(self.picture(scene="", size=[20, 10], tile=None)[:2], (20, 10))

    def test_eevee_has_two_names(self):
        """Which of them a Blender knows depends on its generation; who asked for one gets it by the other."""
        one, other = (self.picture(engine=name, samples=1) for name in ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT"))
        self.assertEqual(one, other)
        self.assertNotEqual(one, self.picture(engine="BLENDER_WORKBENCH", samples=1))

    def test_what_a_recipe_asks(self):
        whole = self.picture()
        part = self.picture(extra={"region": [0.5, 0.0, 0.5, 0.5], "threads": 1, "layer": "ViewLayer", "world": "w"})
        self.assertEqual(part[:3], whole[:3])
        n = len(whole[3][0]) // WIDTH
        self.assertLessEqual({b for row in part[3][:HEIGHT // 2] for b in row[:WIDTH // 2 * n]}, {0, 1})  # the dither
        self.assertEqual(part[3][-1][-3 * n:], whole[3][-1][-3 * n:])
        self.assertEqual(self.picture(extra={"size": [40, 30]}, size=[40, 30])[:2], (40, 30))
        look = self.picture(extra={"set": [["view_settings.exposure", ["view_settings", "exposure"], -3], ["world.color", ["world", "color"], [0.0, 0.0, 0.0]],
                                           ["view_layers['ViewLayer'].use_pass_z", ["view_layers", {"at": "ViewLayer"}, "use_pass_z"], True]]})
        self.assertLess(sum(map(sum, look[3])), sum(map(sum, whole[3])) / 2)

    def test_no_picture_rather_than_a_wrong_one(self):
        for wrong, says in (({"scene": "Dr\u00efttes"}, "no scene"), ({"camera": "C\u00e4m"}, "no camera"), ({"size": [60, 41]}, "60 x 41"),
                            ({"engine": "NOBODYS"}, "NOBODYS"), ({"format": "NOFORMAT"}, "Error: farmgate:"), ({"extra": {"world": "None"}}, "no world"),
                            ({"extra": {"layer": "None"}}, "no layer"), ({"extra": {"set": [["render.nothing", ["render", "nothing"], 1]]}}, "render.nothing"),
                            ({"extra": {"set": [["render.frame_path", ["render", "frame_path"], 1]]}}, "no property")):
            files, log = self.render(**wrong)
            self.assertEqual(files, [], log)
            self.assertIn("Error: farmgate: ", log)
            self.assertIn(says, log)


if __name__ == "__main__":
    tap.main()
