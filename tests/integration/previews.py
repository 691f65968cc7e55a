"""previews: pictures as somebody asks to see them: width, exposure, layer; kinds that only ffmpeg reads; hostile ones cost a message."""
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

import farm
import tap

PICTURE = os.path.join(farm.BUILD, "tests", "integration", "picture")


def size(jpeg):
    """Width and height of a baseline JPEG."""
    at = 2
    while at + 9 < len(jpeg):
        kind, length = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        if 0xC0 <= kind <= 0xC2:
            height, width = struct.unpack(">HH", jpeg[at + 5:at + 9])
            return width, height
        at += 2 + length
    return None


def grey(jpeg):
    """Mean brightness, by ffmpeg."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-f", "jpeg_pipe", "-i", "-", "-vf", "scale=1:1", "-f", "rawvideo", "-pix_fmt", "gray", "-"], input=jpeg, capture_output=True)
    return raw.stdout[0]


class Views(farm.Case):
    def test_pictures_as_asked(self):
        f = self.farm
        f.renderer()
        f.user("ada", "submitter")
        f.user("bob", "submitter")
        ada, bob = farm.Visitor(f, "ada"), farm.Visitor(f, "bob")
        project = f.project("ada", frames="1", width=320, height=180)
        w = farm.Client(f, "6.22306", "cleo", f.key("cleo"))
        w.config()
        at = f"/api/preview/{project}/1"
        self.assertEqual(ada.get(at + "?w=64").status, 404)
        w.upload(w.job(), farm.png(320, 180, (60, 60, 60)))
        first = ada.get(at + "?w=100")
        self.assertEqual((first.status, first.header("Content-Type"), size(first.body)), (200, "image/jpeg", (128, 72)))
        etag = first.header("ETag")
        self.assertTrue(etag)
        again = farm.request(f.port, "GET", at + "?w=120", [("Cookie", ada.cookie), ("If-None-Match", etag)])
        self.assertEqual((again.status, again.body), (304, b""))
        brighter = ada.get(at + "?w=100&ev=2")
        self.assertGreater(grey(brighter.body), grey(first.body) + 30)
        self.assertNotEqual(brighter.header("ETag"), etag)
        self.assertEqual(size(ada.get(at + "/0/0?w=64").body), (64, 36))
        kept = [os.path.join(root, name) for root, _, names in os.walk(f.dir + "/spool") for name in names if name.startswith("as-")]
        self.assertEqual(len(kept), 3)
        twin = f.project("ada", frames="1", width=320, height=180)
        w.upload(w.job(), farm.png(320, 180, (60, 60, 60)))  # the same bytes, another file
        self.assertEqual(ada.get(f"/api/preview/{twin}/1?w=100").header("ETag"), etag)
        for root, _, names in os.walk(f.dir + "/spool"):
            for name in names:
                os.utime(os.path.join(root, name))  # as a restored backup: other times, the same bytes
        for path in kept:
            os.unlink(path)
        self.assertEqual(ada.get(at + "?w=100").header("ETag"), etag)
        self.assertEqual(ada.get(at + "?w=100").body, first.body)
        self.assertEqual([ada.get(at + q).status for q in ("?ev=x", "?ev=99", "?w=0", "?w=-5")], [400] * 4)
        self.assertEqual(bob.get(at + "?w=100").status, 404)
        self.assertEqual(farm.Visitor(f).get(at + "?w=100").status, 401)
        self.assertIn(ada.get(at + "?layer=diffuse").status, (200, 404))


class Kinds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="farmgate-picture-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def make(self, path, width=64, ev=0, *layer):
        return subprocess.run([PICTURE, path, str(width), str(ev), *layer], capture_output=True)

    def ffmpeg(self, name, *how):
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=gray:s=128x72", "-frames:v", "1", *how, self.path(name)], check=True)
        return self.path(name)

    def test_what_ours_and_ffmpeg_read(self):
        files = [self.ffmpeg("a.png"), self.ffmpeg("a.jpg"), self.ffmpeg("a.tga"), self.ffmpeg("a.bmp"), self.ffmpeg("a.tif"), self.ffmpeg("deflate.tif", "-compression_algo", "deflate"),
                 self.ffmpeg("16.tif", "-pix_fmt", "rgb48le"), *(self.ffmpeg(f"{c}.exr", "-compression", c) for c in ("none", "rle", "zip1", "zip16"))]
        if shutil.which("oiiotool"):
            for c in ("none", "zip", "piz", "pxr24", "b44", "dwaa", "dwab"):
                for tiles in ((), ("--tile", "32", "32")):
                    name = self.path(f"{c}{len(tiles)}.exr")
                    subprocess.run(["oiiotool", self.path("a.png"), "-d", "half", "--compression", c, *tiles, "-o", name], check=True)
                    files.append(name)
        for path in files:
            done = self.make(path)
            self.assertEqual((done.returncode, done.stderr), (0, b""), path)
            self.assertEqual(size(done.stdout), (64, 36), path)
            self.assertGreater(grey(done.stdout), 60, path)

    def exr(self, name, *how):
        subprocess.run(["oiiotool", "--pattern", "fill:topleft=0.02,0.05,0.4:topright=0.9,0.05,0.4:bottomleft=0.02,0.9,0.1:bottomright=0.9,0.9,0.1", "160x90", "3", *how, "-o", self.path(name)],
                       check=True)
        return self.path(name)

    def shown(self, path, *layer):
        done = self.make(path, 160, 0, *layer)
        self.assertEqual((done.returncode, done.stderr), (0, b""), path)
        return done.stdout

    @unittest.skipUnless(shutil.which("oiiotool"), "no oiiotool")
    def test_tiles_show_what_lines_do(self):
        windows = ((), ("--fullsize", "200x120+0+0", "--origin", "+20+15"), ("--fullsize", "120x60+20+15"), ("--fullsize", "160x90+80+45"), ("--fullsize", "160x90+400+300"),
                   ("--origin", "-50-30", "--fullsize", "160x90-50-30"))
        for i, window in enumerate(windows):
            lines = self.shown(self.exr(f"lines{i}.exr", "-d", "half", *window))
            for c in ("none", "rle", "zips", "zip", "piz"):  # those that lose nothing
                self.assertEqual(self.shown(self.exr(f"tiles{i}{c}.exr", "-d", "half", *window, "--tile", "48", "32", "--compression", c)), lines, (window, c))
        for how in (("--ch", "G", "--chnames", "Z", "-d", "float"), ("--ch", "G", "--chnames", "Y", "-d", "half"), ("-d", "uint32"), ("--chnames", "a.R,a.G,a.B", "-d", "float")):
            self.assertEqual(self.shown(self.exr("t.exr", *how, "--tile", "32", "32")), self.shown(self.exr("l.exr", *how)), how)

    @unittest.skipUnless(shutil.which("oiiotool"), "no oiiotool")
    def test_channels_of_any_name(self):
        plain = self.shown(self.exr("plain.exr", "-d", "half"))
        for names in ("r,g,b", "red,green,blue", "Red,Green,Blue", "beauty.R,beauty.G,beauty.B", "View Layer.Combined.r,View Layer.Combined.g,View Layer.Combined.b", "N.X,N.Y,N.Z"):
            self.assertEqual(self.shown(self.exr("named.exr", "-d", "half", "--chnames", names)), plain, names)
        both = self.exr("both.exr", "-d", "half", "--dup", "--mulc", "0.2", "--chnames", "spec.red,spec.green,spec.blue", "--chappend")
        self.assertEqual(self.shown(both), plain)
        self.assertLess(grey(self.shown(both, "spec")), grey(plain) - 40)
        depth = self.shown(self.exr("z.exr", "--ch", "G", "--mulc", "100", "--chnames", "Z", "-d", "float"))
        self.assertEqual(self.shown(self.exr("rgbz.exr", "--dup", "--ch", "G", "--mulc", "100", "--chnames", "Z", "-d", "float", "--chappend"), "Z"), depth)
        ids = self.shown(self.exr("id.exr", "--ch", "G", "--chnames", "id", "-d", "uint32"))
        self.assertTrue(60 < grey(ids) < 230, grey(ids))  # neither black nor white

    def test_rarer_kinds(self):
        for name, how in (("a.dpx", ()), ("a.webp", ()), ("a.gif", ()), ("a.sgi", ()), ("a.ppm", ()), ("a.jp2", ()), ("pal.bmp", ("-pix_fmt", "pal8"))):
            done = self.make(self.ffmpeg(name, *how))
            self.assertEqual((done.returncode, done.stderr), (0, b""), name)
            self.assertEqual(size(done.stdout), (64, 36), name)
            self.assertGreater(grey(done.stdout), 60, name)

    @unittest.skipUnless(shutil.which("oiiotool"), "no oiiotool")
    def test_what_ffmpeg_would_show_wrongly_is_refused(self):
        """Black, or the wrong part of the picture, is worse than a sentence."""
        dwaa = ("-d", "half", "--compression", "dwaa")
        self.shown(self.exr("fine.exr", *dwaa))
        self.shown(self.exr("inside.exr", "--fullsize", "200x120+0+0", "--origin", "+20+15", *dwaa))
        for name, how, why in (("layer.exr", ("--chnames", "a.R,a.G,a.B", *dwaa), "as half floats"), ("float.exr", ("-d", "float", "--compression", "dwaa"), "as half floats"),
                               ("five.exr", ("--dup", "--chnames", "s.R,s.G,s.B", "--chappend", *dwaa), "as half floats"),
                               ("over.exr", ("--origin", "-20-10", "--fullsize", "120x60+0+0", *dwaa), "windows"), ("crop.exr", ("--fullsize", "120x60+20+15", *dwaa), "windows"),
                               ("tiles.tif", ("-d", "uint8", "--tile", "64", "64"), "in strips")):
            done = self.make(self.exr(name, *how))
            self.assertEqual((done.returncode, done.stdout), (1, b""), name)
            self.assertIn(why, done.stderr.decode(), name)

    def test_hostile_ones_cost_a_message(self):
        with open(self.ffmpeg("whole.exr"), "rb") as file:
            exr = file.read()
        with open(self.ffmpeg("whole.tif"), "rb") as file:
            tif = file.read()
        bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 16, 6, 0, 0, 0) + b"\0" * 4000
        for name, data in (("cut.exr", exr[:len(exr) // 2]), ("head.exr", exr[:60]), ("cut.tif", tif[:50]), ("bomb.png", bomb), ("text.png", b"#EXTM3U\nfile:///etc/passwd\n"),
                           ("hls.exr", exr[:4] + b"#EXTM3U\nfile:///etc/passwd\n")):
            with open(self.path(name), "wb") as file:
                file.write(data)
            done = self.make(self.path(name))
            if name.startswith("cut.") and done.returncode == 0:
                continue  # what there is of it is shown
            self.assertEqual((done.returncode, done.stdout), (1, b""), name)
            self.assertGreater(len(done.stderr), 20, name)


if __name__ == "__main__":
    tap.main()
