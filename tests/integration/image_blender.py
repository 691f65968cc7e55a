"""Tiles that Blender renders, stitched, are the picture that Blender renders whole: sample by sample, in each lossless format."""
import os, shutil, subprocess, tempfile, unittest

import tap

STITCH = os.path.join(os.environ.get('top_builddir', '.'), 'tests/bench/stitch')
COLUMNS, ROWS = 2, 3

SCENE = r'''
import bpy, sys
out = sys.argv[-1]
W, H, COLUMNS, ROWS = 161, 91, %d, %d
scene = bpy.context.scene
render = scene.render
scene.render.engine = 'CYCLES'
scene.cycles.samples = 1
scene.cycles.use_denoising = False
bpy.ops.mesh.primitive_monkey_add(location=(2, 0, 1))
scene.view_layers[0].use_pass_z = True
scene.view_layers[0].use_pass_normal = True
render.resolution_x, render.resolution_y, render.resolution_percentage = W, H, 100
render.dither_intensity = 0
render.film_transparent = True
render.use_border = render.use_crop_to_border = True

def shoot(name, x0, x1, y0, y1):
    """Columns x0 to x1, rows y0 to y1 counted from the top."""
    render.border_min_x, render.border_max_x = (x0 + 0.5) / W, (x1 + 0.5) / W
    render.border_min_y, render.border_max_y = (H - y1 + 0.5) / H, (H - y0 + 0.5) / H
    render.filepath = '%%s/%%s' %% (out, name)
    bpy.ops.render.render(write_still=True)

for name, kind, colours, depth in (('png', 'PNG', 'RGB', '8'), ('png16', 'PNG', 'RGBA', '16'), ('grey', 'PNG', 'BW', '8'), ('tga', 'TARGA', 'RGBA', '8'),
                                   ('tgaraw', 'TARGA_RAW', 'RGB', '8'), ('bmp', 'BMP', 'RGB', '8'), ('exr', 'OPEN_EXR', 'RGBA', '16'),
                                   ('layers', 'OPEN_EXR_MULTILAYER', 'RGBA', '32')):
    image = render.image_settings
    image.file_format, image.color_mode, image.color_depth = kind, colours, depth
    shoot('whole-' + name, 0, W, 0, H)
    for row in range(ROWS):
        for column in range(COLUMNS):
            shoot('%%s-%%d-%%d' %% (name, row, column), column * W // COLUMNS, (column + 1) * W // COLUMNS, row * H // ROWS, (row + 1) * H // ROWS)
''' % (COLUMNS, ROWS)

FORMATS = (('png', 'png'), ('png16', 'png'), ('grey', 'png'), ('tga', 'tga'), ('tgaraw', 'tga'), ('bmp', 'bmp'), ('exr', 'exr'), ('layers', 'exr'))


@unittest.skipUnless(shutil.which('blender'), 'Blender is not installed')
class Tiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix='farmgate-image-')
        script = cls.dir + '/scene.py'
        with open(script, 'w') as f:
            f.write(SCENE)
        subprocess.run(['blender', '-b', '--factory-startup', '--python-exit-code', '3', '-P', script, '--', cls.dir], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def test_same(self):
        for name, ext in FORMATS:
            tiles = ['%s/%s-%d-%d.%s' % (self.dir, name, r, c, ext) for r in range(ROWS) for c in range(COLUMNS)]
            whole, frame = '%s/whole-%s.%s' % (self.dir, name, ext), '%s/frame-%s.%s' % (self.dir, name, ext)
            subprocess.run([STITCH, 'stitch', frame, str(COLUMNS), str(ROWS), *tiles], check=True)
            self.assertEqual(subprocess.run([STITCH, 'same', frame, whole]).returncode, 0, name)
            self.assertEqual(subprocess.run([STITCH, 'same', frame, tiles[0]]).returncode, 1, name)

    def test_checked(self):
        """What Blender writes passes the check, and each preview can be made."""
        for name, ext in FORMATS:
            whole = '%s/whole-%s.%s' % (self.dir, name, ext)
            said = subprocess.run([STITCH, 'check', whole], check=True, capture_output=True, text=True).stdout
            self.assertIn('161 x 91', said, name)
            self.assertNotIn('black', said, name)
            subprocess.run([STITCH, 'thumb', self.dir + '/thumb.jpg', '80', whole], check=True)
            said = subprocess.run([STITCH, 'check', self.dir + '/thumb.jpg'], check=True, capture_output=True, text=True).stdout
            self.assertIn('80 x 45', said, name)


if __name__ == '__main__':
    tap.main()
