"""wrapper_blender: rend.exe, started as each stock client starts it, makes the picture that the farm asked for."""
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
import zipfile

import script_blender
import tap

PACK = os.path.join(os.environ.get("top_builddir", "."), "tests/integration/renderer_pack")
BLENDER = shutil.which("blender")

# A camera over a plane that shines in the colour of an image beside the scene.
MAKE_SCENE = """
import bpy, os, sys
folder = sys.argv[-1]
bpy.ops.wm.read_factory_settings(use_empty=True)
image = bpy.data.images.new("green", 4, 4)
image.pixels = [0.0, 1.0, 0.0, 1.0] * 16
image.filepath_raw = os.path.join(folder, "tex", "green.png"); image.file_format = "PNG"; image.save()
image = bpy.data.images.load(os.path.join(folder, "tex", "green.png"))
bpy.ops.mesh.primitive_plane_add(size=100)
material = bpy.data.materials.new("m"); material.use_nodes = True
tree = material.node_tree; tree.nodes.clear()
texture = tree.nodes.new("ShaderNodeTexImage"); texture.image = image
light = tree.nodes.new("ShaderNodeEmission"); out = tree.nodes.new("ShaderNodeOutputMaterial")
tree.links.new(texture.outputs[0], light.inputs[0]); tree.links.new(light.outputs[0], out.inputs[0])
bpy.context.object.data.materials.append(material)
bpy.ops.object.camera_add(location=(0, 0, 10)); scene = bpy.context.scene
scene.camera = bpy.context.object
scene.render.engine = "CYCLES"; scene.cycles.samples = 1
scene.view_settings.view_transform = "Standard"
scene.render.resolution_x, scene.render.resolution_y = 64, 36
image.filepath = "//tex/green.png"
bpy.ops.wm.save_as_mainfile(filepath=os.path.join(folder, "scene.blend"), relative_remap=False)
"""

# What the farm sends: the upper left quarter, and what 6.x calls after it.
FARM_SCRIPT = """import bpy
scene = bpy.context.scene
scene.cycles.use_denoising = False
scene.render.use_border = scene.render.use_crop_to_border = True
scene.render.border_min_x, scene.render.border_max_x = 0.5 / 64, 32.5 / 64
scene.render.border_min_y, scene.render.border_max_y = 18.5 / 36, 1.0
scene.render.dither_intensity = 0
scene.render.image_settings.file_format = "PNG"
def sheepit_set_compute_device(device_type, device_family, device_id):
	bpy.context.scene.cycles.device = "CPU"
"""

END = 'print("SCRIPT AT ITS END")\n'
TILES = "bpy.context.scene.render.tile_x = 32\nbpy.context.scene.render.tile_y = 32\n"
SIGINT = "import signal\nsignal.signal(signal.SIGINT, lambda *a: None)\n"

CLIENTS = {
    "3.3.2": {
        "before": 'import bpy\nbpy.context.user_preferences.filepaths.temporary_directory = "{cache}"\n',
        "after": 'import bpy\nbpy.context.user_preferences.system.compute_device_type = "NONE"\nbpy.context.scene.cycles.device = "CPU"\n' + TILES + END,
        "env": {"BLENDER_USER_CONFIG": "{cache}", "LD_LIBRARY_PATH": "/lib:/lib64:/usr/lib:/usr/lib64:{cache}/r/lib"},
    },
    "6.20295": {
        "before": 'import bpy\ntry:\n\tbpy.context.user_preferences.filepaths.temporary_directory = "{cache}"\nexcept AttributeError:\n\tpass\n'
                  'try:\n\tbpy.context.preferences.filepaths.temporary_directory = "{cache}"\nexcept AttributeError:\n\tpass\n',
        "after": 'sheepit_set_compute_device("NONE", "CPU", "CPU")\n' + TILES + SIGINT + END,
        "env": {"BLENDER_USER_CONFIG": "{cache}", "CORES": "2", "PRIORITY": "19", "PYTHONPATH": "", "PYTHONHOME": "", "LD_LIBRARY_PATH": "{cache}/r/lib"},
    },
    "6.22306": {
        "before": "", "deletes": True,
        "after": 'sheepit_set_compute_device("NONE", "CPU", "CPU")\n' + SIGINT + END,
        "env": {"BLENDER_USER_CONFIG": "", "BLENDER_USER_SCRIPTS": "", "BLENDER_SYSTEM_SCRIPTS": "", "BLENDER_USER_DATAFILES": "",
                "BLENDER_SYSTEM_DATAFILES": "", "OCIO": "", "CORES": "2", "PRIORITY": "19", "PYTHONPATH": "", "PYTHONHOME": "",
                "TEMP": "{cache}", "TMP": "{cache}", "LD_LIBRARY_PATH": "{cache}/r/lib"},
    },
}


def centre(path):
    """(width, height, colour of the pixel in the middle) of a PNG."""
    width, height, _, rows = script_blender.png(path)
    middle = len(rows[0]) // width * (width // 2)
    return width, height, tuple(rows[height // 2][middle:middle + 3])


def write(path, text, mode=0o644):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def read(path):
    with open(path) as f:
        return f.read()


class Wrapper(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="farmgate-wrapper-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def renderer(self, blender):
        """A client's cache with the wrapper for `blender` unpacked in it."""
        archive, folder = os.path.join(self.dir, "renderer.zip"), os.path.join(self.dir, "r")
        subprocess.run([PACK, "wrap", archive, blender], check=True)
        with zipfile.ZipFile(archive) as z:
            self.assertEqual(z.namelist(), ["rend.exe"])
            self.assertEqual(z.infolist()[0].external_attr >> 16, 0o100755)
            z.extractall(folder)
        os.makedirs(os.path.join(folder, "lib"))
        os.chmod(os.path.join(folder, "rend.exe"), 0o755)
        return os.path.join(folder, "rend.exe")

    def fake(self, folder):
        """A stand-in for Blender that tells its arguments and environment, NUL after each."""
        os.makedirs(os.path.join(self.dir, folder))
        return write(os.path.join(self.dir, folder, "blender"),
                     "#!/bin/sh\nfor a in \"$@\"; do printf 'A%s\\0' \"$a\"; done\nenv -0 | sed -z 's/^/E/'\n", 0o755)

    def run_fake(self, rend, args, env=None):
        done = subprocess.run([rend, *args], env={"PATH": os.environ["PATH"], **(env or {})}, stdout=subprocess.PIPE, check=True, timeout=60)
        lines = done.stdout.decode().split("\0")
        return [line[1:] for line in lines if line[:1] == "A"], dict(line[1:].split("=", 1) for line in lines if line[:1] == "E")

    def test_arguments_pass_whole(self):
        rend = self.renderer(self.fake("it's $(touch x) `y` \"z\" * here"))
        odd = ["--factory-startup", "-b", "", "a b", "$(touch boom)", "`touch boom`", "it's", "*", "-o", "/x/y.blend", "\\n", "line\nend"]
        self.assertEqual(self.run_fake(rend, odd)[0], ["-noaudio", "--disable-autoexec"] + odd)
        self.assertFalse(os.path.exists("boom"))
        self.assertEqual(self.run_fake(rend, ["-Y", "-noaudio", "-b"])[0], ["-Y", "-noaudio", "-b"])

    def test_empty_variables(self):
        rend = self.renderer(self.fake("bin"))
        empty = {n: "" for n in "BLENDER_SYSTEM_SCRIPTS BLENDER_SYSTEM_DATAFILES BLENDER_USER_CONFIG BLENDER_USER_SCRIPTS "
                 "BLENDER_USER_DATAFILES OCIO PYTHONPATH PYTHONHOME".split()}
        _, env = self.run_fake(rend, [], {**empty, "LD_LIBRARY_PATH": "/lib", "CORES": ""})
        self.assertEqual([n for n in empty if n in env], [])
        self.assertNotIn("LD_LIBRARY_PATH", env)
        self.assertIn("CORES", env)
        _, env = self.run_fake(rend, [], {"BLENDER_USER_CONFIG": "/c", "OCIO": "/o c"})
        self.assertEqual((env["BLENDER_USER_CONFIG"], env["OCIO"]), ("/c", "/o c"))

    def test_second_name(self):
        rend = self.renderer(self.fake("bin"))
        folder = os.path.join(self.dir, "a folder")
        os.makedirs(folder)
        blend, twin = write(os.path.join(folder, "x.blend"), "one"), os.path.join(folder, "farmgate-x.blend")
        for _ in range(3):
            self.assertEqual(self.run_fake(rend, ["-b", blend])[0][-1], twin)
            self.assertTrue(os.path.samefile(twin, blend))
        self.assertEqual(sorted(os.listdir(folder)), ["farmgate-x.blend", "x.blend"])
        os.unlink(blend)
        write(blend, "two")
        self.run_fake(rend, ["-b", blend])
        self.assertEqual(read(twin), "two")
        os.unlink(blend)
        self.assertEqual(self.run_fake(rend, ["-b", blend, "--", blend])[0][-3:], [twin, "--", blend])
        self.assertEqual(self.run_fake(rend, ["-b", "/nowhere/x.blend"])[0][-1], "/nowhere/x.blend")

    def test_script_copy(self):
        rend = self.renderer(self.fake("bin"))
        script = write(os.path.join(self.dir, "script_1"), FARM_SCRIPT)
        self.assertEqual(self.run_fake(rend, ["-P", script])[0][-1], script)
        before = CLIENTS["3.3.2"]["before"]
        write(script, before + FARM_SCRIPT)
        copy = self.run_fake(rend, ["-P", script])[0][-1]
        self.assertNotEqual(copy, script)
        self.assertTrue(read(copy).endswith(FARM_SCRIPT))
        self.assertEqual(read(script), before + FARM_SCRIPT)

    def test_kill_meets_blender(self):
        sleeper = write(os.path.join(self.dir, "sleeper"), "#!/bin/sh\necho started\nexec sleep 600\n", 0o755)
        with subprocess.Popen([self.renderer(sleeper)], stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(process.stdout.readline(), "started\n")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(timeout=60), -signal.SIGTERM)

    # --- with Blender itself

    def scene(self):
        folder = os.path.join(self.dir, "smd5")
        os.makedirs(folder + "/tex")
        script = write(os.path.join(self.dir, "make.py"), MAKE_SCENE)
        done = subprocess.run([BLENDER, "-noaudio", "-b", "--factory-startup", "--python-exit-code", "3", "-P", script, "--", folder],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout)
        return folder

    def start(self, version, scene):
        """The client's own steps: script, environment, command line."""
        client, rend = CLIENTS[version], self.renderer(BLENDER)
        write(os.path.join(self.dir, "r", "lib", "libz.so.1"), "not a library")
        script = write(os.path.join(self.dir, "script_59303"), client["before"].replace("{cache}", self.dir) + FARM_SCRIPT + client["after"])
        env = {"PATH": os.environ["PATH"], **{k: v.replace("{cache}", self.dir) for k, v in client["env"].items()}}
        put = {".e": [rend, "-t", "2"], ".c": [os.path.join(scene, "scene.blend"), "-P", script], ".o": [os.path.join(self.dir, "21_")], ".f": ["0001"]}
        line = ".e --factory-startup --disable-autoexec -b .c -o .o -f .f -x 1"
        args = [arg for token in line.split(" ") for arg in put.get(token, [token])]
        return subprocess.Popen(["nice", "-n", "19", *args], env=env, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def render(self, version):
        if BLENDER is None:
            self.skipTest("no Blender")
        scene = self.scene()
        with self.start(version, scene) as process:
            output = process.stdout.readline()
            if CLIENTS[version].get("deletes"):
                os.unlink(os.path.join(scene, "scene.blend"))
            self.assertEqual(os.path.realpath(f"/proc/{process.pid}/exe"), os.path.realpath(BLENDER))
            output += process.communicate(timeout=300)[0]
        self.assertIn("SCRIPT AT ITS END", output)
        self.assertNotIn("Traceback", output)
        self.assertEqual([n for n in os.listdir(self.dir) if n.startswith("21_0001")], ["21_0001.png"], output)
        self.assertEqual(centre(os.path.join(self.dir, "21_0001.png")), (32, 18, (0, 255, 0)), output)

    def test_client_3_3_2(self):
        self.render("3.3.2")

    def test_client_6_20295(self):
        self.render("6.20295")

    def test_client_6_22306(self):
        self.render("6.22306")


if __name__ == "__main__":
    tap.main()
