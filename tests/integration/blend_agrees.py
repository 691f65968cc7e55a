"""blend_agrees: scenes with many settings, saved by real Blender; `farmgate-admin inspect` says of each what Blender says."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import tap

ADMIN = os.path.join(os.environ.get("top_builddir", "."), "farmgate-admin")
BLENDER = shutil.which("blender")

MAKE_SCENES = """
import bpy,sys,json
bpy.ops.wm.read_factory_settings(use_empty=True)
a=bpy.context.scene; a.name='A"é'
out=[]
def choose(owner,name,value,other):  # what this Blender knows
    try: setattr(owner,name,value)
    except TypeError: setattr(owner,name,other)
def fill(s,i,fmt,eng):
    c=bpy.data.objects.new("Cam%d"%i,bpy.data.cameras.new("c")); s.collection.objects.link(c); s.camera=c
    r=s.render; choose(r,"engine",eng,eng+"_NEXT"); r.resolution_x=100+i; r.resolution_y=50+i; r.resolution_percentage=40+i; r.fps=20+i; r.fps_base=1.001
    s.frame_start=i; s.frame_end=90+i; s.frame_step=1+i; choose(r.image_settings,"file_format",fmt,"PNG")
    if i==1: s.cycles.samples=17; s.cycles.use_denoising=False
    if i==2: s.eevee.taa_render_samples=33
    if i%2: s.use_nodes=True
    if i==3: r.use_compositing=False
    if i>=2:
        s.sequence_editor_create().sequences.new_effect(name="x",type="COLOR",channel=1,frame_start=1,frame_end=9)
    if i==4: r.use_sequencer=False
for i,(f,e) in enumerate([("PNG","CYCLES"),("OPEN_EXR","CYCLES"),("FFMPEG","BLENDER_EEVEE"),("OPEN_EXR_MULTILAYER","CYCLES"),("WEBP","BLENDER_WORKBENCH"),("JPEG","CYCLES"),("TARGA","CYCLES"),("BMP","CYCLES"),("TIFF","CYCLES"),("CINEON","CYCLES"),("AVI_RAW","CYCLES"),("JPEG2000","CYCLES"),("HDR","CYCLES")]):
    s=a if i==0 else bpy.data.scenes.new("S%d"%i); fill(s,i,f,e)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
for s in bpy.data.scenes:
    r=s.render; out.append(dict(name=s.name,frame_start=s.frame_start,frame_end=s.frame_end,frame_step=s.frame_step,width=r.resolution_x,height=r.resolution_y,percent=r.resolution_percentage,fps=r.fps,fps_base=round(r.fps_base,5),engine=r.engine,format=r.image_settings.file_format,camera=s.camera.name,
     samples=s.cycles.samples if r.engine=="CYCLES" else s.eevee.taa_render_samples if "EEVEE" in r.engine else 0, denoise=s.cycles.use_denoising if r.engine=="CYCLES" else False,
     compositing=bool(s.use_nodes and r.use_compositing), sequencer=bool(r.use_sequencer and s.sequence_editor and len(s.sequence_editor.sequences))))
json.dump(out,open(sys.argv[-1]+".json","w"))
"""


SIMULATE = """
import bpy,sys
blend=sys.argv[-1]; link=bpy.context.scene.collection.objects.link
def add(name,data): o=bpy.data.objects.new(name,data); link(o); return o
def plane(name): m=bpy.data.meshes.new(name); m.from_pydata([(0,0,0),(1,0,0),(1,1,0),(0,1,0)],[],[(0,1,2,3)]); return add(name,m)
tank=plane("tank").modifiers.new("f","FLUID"); tank.fluid_type="DOMAIN"; tank.domain_settings.cache_directory="//cache_fluid_1"
memory,disk=plane("memory").modifiers.new("c","CLOTH"),plane("disk").modifiers.new("c","CLOTH")
v=bpy.data.volumes.new("smoke"); v.filepath="//vdb/smoke_0001.vdb"; add("smoke",v)
bpy.ops.wm.save_as_mainfile(filepath=blend)
disk.point_cache.use_disk_cache=True
bpy.context.scene.frame_end=4
for f in range(1,5): bpy.context.scene.frame_set(f)
bpy.ops.wm.save_as_mainfile(filepath=blend)
"""


@unittest.skipUnless(BLENDER, "no Blender here")
class Agrees(unittest.TestCase):
    def test_every_value_of_every_scene(self):
        with tempfile.TemporaryDirectory(prefix="farmgate-agrees-") as folder:
            make, blend = os.path.join(folder, "make.py"), os.path.join(folder, "many.blend")
            with open(make, "w", encoding="utf-8") as f:
                f.write(MAKE_SCENES)
            subprocess.run([BLENDER, "-b", "--factory-startup", "-P", make, "--", blend], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with open(blend + ".json", encoding="utf-8") as f:
                said = {scene["name"]: scene for scene in json.load(f)}
            read = json.loads(subprocess.run([ADMIN, "inspect", "--json", blend], check=True, stdout=subprocess.PIPE).stdout)
        found = {scene["name"]: scene for scene in read["scenes"]}
        self.assertEqual((read["active"], sorted(found), read["missing"]), ('A"\u00e9', sorted(said), []))
        for name, scene in said.items():
            found[name]["fps_base"] = round(found[name]["fps_base"], 5)
            self.assertEqual({key: found[name].get(key) for key in scene}, scene)

    def blender(self, text, *args):
        subprocess.run([BLENDER, "-b", "--factory-startup", "--python-exit-code", "3", "--python-expr", text, "--", *args], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def inspect(self, path):
        return json.loads(subprocess.run([ADMIN, "inspect", "--json", path], check=True, stdout=subprocess.PIPE).stdout)

    def test_simulations_that_lie_elsewhere(self):
        """A fluid's folder, cloth that keeps its cache on disk, a volume: told when they didn't come along, and not when they did; what is in memory is in the .blend."""
        with tempfile.TemporaryDirectory(prefix="farmgate-agrees-") as folder:
            film = os.path.join(folder, "film")
            os.mkdir(film)
            self.blender(SIMULATE, os.path.join(film, "sea.blend"))
            self.assertEqual(os.listdir(film + "/blendcache_sea")[0][-6:], ".bphys")
            self.assertEqual(sorted(self.inspect(film + "/sea.blend")["missing"]), ["//blendcache_*/", "//cache_fluid_1/", "//vdb/smoke_0001.vdb"])
            for name in ("cache_fluid_1/config", "vdb/smoke_0001.vdb"):
                os.makedirs(os.path.dirname(f"{film}/{name}"), exist_ok=True)
                open(f"{film}/{name}", "w").close()
            shutil.make_archive(folder + "/all", "zip", folder, "film")
            self.assertEqual(self.inspect(folder + "/all.zip")["missing"], [])
            os.rename(film + "/blendcache_sea", film + "/blendcache_lake")  # of another .blend
            shutil.make_archive(folder + "/all", "zip", folder, "film")
            self.assertEqual(self.inspect(folder + "/all.zip")["missing"], ["//blendcache_*/"])

    def test_a_hundred_thousand_objects(self):
        """More than is kept without the catalogue, which comes last: read twice."""
        with tempfile.TemporaryDirectory(prefix="farmgate-agrees-") as folder:
            self.blender("""
import bpy, sys
mesh = bpy.data.objects["Cube"].data
for i in range(100000):
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("A name that takes some room %d" % i, mesh))
bpy.context.scene.render.engine = "CYCLES"; bpy.context.scene.cycles.samples = 77
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])""", folder + "/crowd.blend")
            scene = self.inspect(folder + "/crowd.blend")["scenes"][0]
        self.assertEqual((scene["camera"], scene["samples"], scene["cameras"]), ("Camera", 77, ["Camera"]))

    def test_camera_of_another_file(self):
        with tempfile.TemporaryDirectory(prefix="farmgate-agrees-") as folder:
            self.blender("import bpy, sys; bpy.data.objects['Camera'].name = 'Far'; bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])", folder + "/lib.blend")
            self.blender("""
import bpy, sys
bpy.data.objects.remove(bpy.data.objects["Camera"])
with bpy.data.libraries.load(sys.argv[-2], link=True) as (there, here):
    here.objects = ["Far"]
bpy.context.scene.collection.objects.link(bpy.data.objects["Far"])
bpy.context.scene.camera = bpy.data.objects["Far"]
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1], relative_remap=True)""", folder + "/lib.blend", folder + "/scene.blend")
            self.assertEqual(self.inspect(folder + "/scene.blend")["scenes"][0]["camera"], "Far")


if __name__ == "__main__":
    tap.main()
