"""quickstart: the README's command, from a clone: it builds, starts a portal and a worker, renders the sample scene, and leaves nothing running."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import farm
import tap


@unittest.skipUnless(os.path.isdir(farm.TOP + "/.git") or os.path.isfile(farm.TOP + "/.git"), "this is no clone")
@unittest.skipUnless(shutil.which("blender"), "Blender is not installed")
class Quickstart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """As somebody who is not root: quickstart makes no users, then, on a machine that only runs tests."""
        cls.dir = tempfile.mkdtemp(prefix="farmgate-test-")
        cls.clone, cls.state = cls.dir + "/clone", cls.dir + "/state"
        cls.as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"] if os.getuid() == 0 else []
        subprocess.run(["git", "-c", "safe.directory=*", "clone", "-q", "--no-hardlinks", farm.TOP, cls.clone], check=True)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "nobody:nogroup", cls.dir], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.call("stop")
        shutil.rmtree(cls.dir)

    @classmethod
    def call(cls, *flags):
        home = {**os.environ, "HOME": cls.dir, "GIT_CONFIG_COUNT": "0"}
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "FARMGATE_CONFIG"):
            home.pop(name, None)
        return subprocess.run([*cls.as_user, cls.clone + "/quickstart", "--dir", cls.state, *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=home, cwd=cls.clone)

    def test_renders_the_sample(self):
        done = self.call("--no-install", "--exit", "--port", str(farm.free_port()), "--tls-port", str(farm.free_port()))
        self.assertEqual(done.returncode, 0, done.stdout)
        places = {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines() if line.startswith(("  Video", "  Still"))}
        probe = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames,pix_fmt", "-of", "json", places["Video"]],
                               stdout=subprocess.PIPE, check=True)
        self.assertEqual(json.loads(probe.stdout)["streams"][0], {"codec_name": "h264", "pix_fmt": "yuv420p", "nb_read_frames": "12"})
        with open(places["Still"], "rb") as f:
            self.assertEqual(f.read(4), b"v/1\x01")
        self.assertEqual(os.stat(self.state + "/admin-password").st_mode & 0o777, 0o600)
        self.assertNotEqual(self.call("status").returncode, 0, "everything has stopped")
        self.assertEqual([p for p in os.listdir("/proc") if p.isdigit() and self.runs_here(p)], [])

    def runs_here(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                return self.state.encode() in f.read()
        except OSError:
            return False


if __name__ == "__main__":
    tap.main()
