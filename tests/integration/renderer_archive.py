"""renderer_archive: official Blender archives (of the same layout, made here) become zips that stock clients can start."""
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest
import zipfile

import tap

PACK = os.path.join(os.environ.get("top_builddir", "."), "tests/integration/renderer_pack")
FAKE = b"#!/bin/sh\necho Blender 3.4.1\necho 'farmgate-caps {\"version\": \"3.4.1\", \"cycles\": true, \"denoise\": true}'\nprintf 'arg %s\\n' \"$0\" \"$@\"\n"


class Archive(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="farmgate-renderer-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def tar(self, name, entries, mode="w:xz"):
        """entries: name → bytes, or ("link"|"hard", target), or None for a folder."""
        with tarfile.open(self.path(name), mode) as t:
            for at, (entry, what) in enumerate(entries.items()):
                info = tarfile.TarInfo(entry)
                info.mtime, info.mode = 1600000000 + at, 0o755 if isinstance(what, bytes) and what.startswith(b"#!") else 0o664
                if what is None:
                    info.type, info.mode = tarfile.DIRTYPE, 0o775
                elif isinstance(what, tuple) and what[0] == "fifo":
                    info.type = tarfile.FIFOTYPE
                elif isinstance(what, tuple):
                    info.type, info.linkname = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}[what[0]], what[1]
                else:
                    info.size = len(what)
                t.addfile(info, io.BytesIO(what) if isinstance(what, bytes) else None)
        return self.path(name)

    def zip(self, name, entries):
        with zipfile.ZipFile(self.path(name), "w", zipfile.ZIP_DEFLATED) as z:
            for entry, what in entries.items():
                z.writestr(entry, what)
        return self.path(name)

    def repack(self, archive, system, out="out.zip"):
        done = subprocess.run([PACK, "repack", self.path(out), archive, system], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual([n for n in os.listdir(self.dir) if "unpacked" in n], [])
        return done

    def refused(self, archive, system, code, says):
        done = self.repack(archive, system)
        self.assertEqual(done.returncode, 1)
        self.assertIn(done.stderr.split(":")[0], [code] if code else ["eformat", "eunsupported"], done.stderr)
        self.assertIn(says, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertFalse(os.path.exists(self.path("out.zip")))

    LINUX = {
        "blender-3.4.1-linux-x64": None,
        "blender-3.4.1-linux-x64/blender": FAKE,
        "blender-3.4.1-linux-x64/3.4/python/bin/python3.10": b"#!python",
        "blender-3.4.1-linux-x64/3.4/python/bin/python3": ("link", "python3.10"),
        "blender-3.4.1-linux-x64/3.4/datafiles/a.txt": b"data",
        "blender-3.4.1-linux-x64/lib/libx.so.1.2": b"x" * 100000,
        "blender-3.4.1-linux-x64/lib/libx.so.1": ("link", "libx.so.1.2"),
        "blender-3.4.1-linux-x64/lib/libx.so": ("link", "./libx.so.1"),
        "blender-3.4.1-linux-x64/lib64": ("link", "3.4/../lib"),
        "blender-3.4.1-linux-x64/copyright.txt": ("hard", "blender-3.4.1-linux-x64/3.4/datafiles/a.txt"),
    }

    def test_linux(self):
        done = self.repack(self.tar("b.tar.xz", self.LINUX), "linux")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("version=3.4.1 ", done.stdout)
        with zipfile.ZipFile(self.path("out.zip")) as z:
            self.assertIsNone(z.testzip())
            modes = {i.filename: i.external_attr >> 16 for i in z.infolist()}
            self.assertEqual({i.compress_type for i in z.infolist()} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}, set())
            self.assertEqual(sorted(modes), sorted(["rend.exe", "blender", "3.4/python/bin/python3.10", "3.4/python/bin/python3", "3.4/datafiles/a.txt", "copyright.txt"]
                             + [f"{d}/libx.so{v}" for d in ("lib", "lib64") for v in ("", ".1", ".1.2")]))
            for name in ("lib/libx.so", "lib64/libx.so.1"):
                self.assertEqual(z.read(name), b"x" * 100000)
            self.assertEqual(z.read("copyright.txt"), b"data")
            self.assertEqual(z.read("blender"), FAKE)
            self.assertEqual((modes["rend.exe"], modes["blender"], modes["3.4/python/bin/python3"], modes["lib/libx.so"]), (0o100755,) * 3 + (0o100644,))
            self.assertIn(b'blender="$here"/blender', z.read("rend.exe"))

    def test_progress(self):
        """Steps on the way, none of them back: 300 files of 100 KB that don't deflate."""
        noise = {f"blender-3.4.1-linux-x64/lib/{i}": os.urandom(100000) for i in range(300)}
        for archive, system in ((self.tar("b.tar.xz", {"blender-3.4.1-linux-x64/blender": FAKE, **noise}), "linux"),
                                (self.zip("b.zip", {"blender-4.1.0-windows-x64/blender.exe": "MZ", **{k.replace("3.4.1-linux", "4.1.0-windows"): v for k, v in noise.items()}}), "windows")):
            said = dict(word.split("=") for word in self.repack(archive, system).stdout.split())
            self.assertEqual(said["last"], "1000")
            self.assertGreater(int(said["steps"]), 300)

    def test_started_beside(self):
        self.repack(self.tar("b.tar.xz", self.LINUX), "linux")
        folder = self.path("a cache")
        with zipfile.ZipFile(self.path("out.zip")) as z:
            z.extractall(folder)
        os.chmod(folder + "/rend.exe", 0o755)
        os.chmod(folder + "/blender", 0o755)
        for rend, cwd in ((folder + "/rend.exe", "/"), ("./rend.exe", folder)):
            done = subprocess.run([rend, "-b"], cwd=cwd, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
            self.assertIn("Blender 3.4.1\n", done.stdout)
            self.assertIn("arg -b\n", done.stdout)

    def test_same_bytes(self):
        archive = self.tar("b.tar.xz", self.LINUX)
        sums = set()
        for out in ("1.zip", "2.zip"):
            self.assertEqual(self.repack(archive, "linux", out).returncode, 0)
            with open(self.path(out), "rb") as f:
                sums.add(hashlib.md5(f.read()).hexdigest())
        self.assertEqual(len(sums), 1)

    def test_windows(self):
        done = self.repack(self.zip("b.zip", {"blender-4.1.0-windows-x64/blender.exe": "MZ", "blender-4.1.0-windows-x64/blender.crt/a.dll": "dll"}), "windows")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("version=4.1.0 ", done.stdout)
        with zipfile.ZipFile(self.path("out.zip")) as z:
            self.assertEqual(sorted(z.namelist()), ["blender.crt/a.dll", "rend.exe"])
            self.assertEqual(z.read("rend.exe"), b"MZ")

    def test_mac(self):
        want = ["Blender/blender.app/Contents/Info.plist", "Blender/blender.app/Contents/MacOS/blender"]
        for top in ("blender-2.79b-macOS-10.6/", ""):
            for app, program in (("blender.app", "blender"), ("Blender.app", "Blender")):
                done = self.repack(self.zip("b.zip", {f"{top}{app}/Contents/Info.plist": "i", f"{top}{app}/Contents/MacOS/{program}": "p"}), "mac")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("version=2.79b " if top else "version= ", done.stdout)
                with zipfile.ZipFile(self.path("out.zip")) as z:
                    self.assertEqual(sorted(z.namelist()), want)

    def test_refusals(self):
        top = "blender-3.4.1-linux-x64/"
        for entry, what, says in (
                ("x", ("link", "../../etc/passwd"), "leads out"), ("x", ("link", "/etc/passwd"), "leads out"), ("x", ("hard", "/etc/passwd"), "leads out"),
                ("x", ("link", "nowhere"), "doesn't hold"), ("x", ("link", "x"), "doesn't hold"), ("x", ("fifo",), "neither file"),
                ("../../x", b"x", '".."'), ("a\\b", b"x", "backslash"), ("blender/../y", b"x", '".."'), ("rend.exe", b"x", "rend.exe already")):
            with self.subTest(entry=entry, what=what):
                self.refused(self.tar("bad.tar.xz", {top + "blender": FAKE, top + entry: what}), "linux", "eformat", says)
        self.refused(self.tar("bad.tar.xz", {"/etc/x": b"x"}), "linux", "eformat", "absolute")
        self.refused(self.tar("win.tar.xz", {top + "blender.exe": b"x"}), "linux", "eformat", "official Blender archive for linux")
        self.refused(self.tar("two.tar.xz", {top + "blender": FAKE, top + "a": b"1", "./" + top + "a": b"2"}), "linux", "eformat", "twice")

    def test_links_are_counted(self):
        """1700 links to ten megabytes would be packed 1700 times."""
        top = "blender-3.4.1-linux-x64/"
        many = {top + f"{i}": ("hard" if i % 2 else "link", top + "big" if i % 2 else "big") for i in range(1700)}
        self.refused(self.tar("links.tar.xz", {top + "blender": FAKE, top + "big": bytes(10 << 20), **many}), "linux", "etoobig", "more than 16 GiB")
        self.refused(self.tar("folders.tar.gz", {top + "blender": FAKE, **{top + f"f{i}": None for i in range(200001)}}, "w:gz"), "linux", "etoobig", "files and folders")

    def test_no_archive(self):
        for name, data, code in (("b.dmg", b"x", "eunsupported"), ("b.tar.xz", b"garbage" * 100, ""), ("empty.zip", b"", "")):
            with open(self.path(name), "wb") as f:
                f.write(data)
            self.refused(self.path(name), "linux", code, "")
        self.refused(self.path("none.tar.xz"), "linux", "enotfound", "none.tar.xz")
        self.refused(self.path("b.dmg"), "beos", "einval", "linux, windows or mac")
        whole = self.tar("b.tar.xz", self.LINUX)
        with open(whole, "rb") as f:
            data = f.read()
        for part in (10, 50, 90):
            with open(self.path("cut.tar.xz"), "wb") as f:
                f.write(data[:len(data) * part // 100])
            self.refused(self.path("cut.tar.xz"), "linux", "", "")

    def test_probe(self):
        if shutil.which("bwrap") is None or subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"], stderr=subprocess.DEVNULL).returncode:
            self.skipTest("bubblewrap can't run here")
        self.assertEqual(self.repack(self.tar("b.tar.xz", self.LINUX), "linux").returncode, 0)
        done = subprocess.run([PACK, "probe_zip", self.path("out.zip")], stdout=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.stdout, "version=3.4.1 cycles=1 denoise=1 eevee=0 workbench=0\n")
        self.assertEqual([n for n in os.listdir(self.dir) if "probe" in n], [])

    @unittest.skipIf(shutil.which("blender") is None, "no Blender")
    def test_probe_blender(self):
        done = subprocess.run([PACK, "probe", shutil.which("blender")], stdout=subprocess.PIPE, text=True, timeout=120, check=True)
        self.assertRegex(done.stdout, r"^version=\d+\.\d+\.\d+ cycles=1 ")


if __name__ == "__main__":
    tap.main()
