"""launch: a launcher of its own in a temporary folder, with the fake solver, and cases to run.

    class Things(launch.Case):
        settings = "cores = 4\\n"
        def test(self):
            with self.client() as c:
                number = c.call("startJob", job_data=self.job("a", "$ cycles 3"))["id"]; c.status(number, "Finished")
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import wire
from port import free_port

TOP = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "..")))
BUILD = os.path.abspath(os.environ.get("top_builddir", os.path.join(TOP, "build")))
SOLVER = os.path.join(TOP, "tests", "fakesolver.py")
EXPR = "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY"


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def run_pids(folder):
    """farmgate-run processes of a launcher whose state is below this folder."""
    got = []
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if len(words) > 2 and words[0].endswith(b"farmgate-run") and words[2].startswith(folder.encode() + b"/"):
                got.append(int(pid))
    return got


def end_runs(folder):
    """Runs outlive their launcher; not a test."""
    for pid in run_pids(folder):
        try:
            os.kill(pid, signal.SIGQUIT)
        except OSError:
            pass
    until(lambda: not run_pids(folder))


class Launcher:
    def __init__(self, settings="", solver="", more=""):
        self.dir = tempfile.mkdtemp(prefix="farmgate-launcher-")
        self.runs = self.dir + "/runs"
        os.mkdir(self.runs)
        self.port = free_port()
        with open(self.dir + "/launcher.conf", "w") as f:
            f.write(f"[launcher]\nhost = testhost\nstate_dir = {self.dir}/state\nrules_dir = {TOP}/share/launch\nlisten = 127.0.0.1:{self.port}\n"
                    f"folder = {self.runs}\nnetworks = 127.0.0.0/8\norigins = file:// null\nmemory_bytes = 100000000000\npolite_seconds = 120\nterm_seconds = 1\n{settings}\n"
                    f"[solver dyna]\nprogram = {SOLVER}\nrules = ls-dyna\n{solver}\n"
                    f"[template smp]\ncommand = {EXPR}\n[template restart]\ncommand = $SOLVER i=$INPUT r=$FILE ncpu=$NCPU\n{more}\n")
        self.process = None
        self.start()

    def start(self):
        self.log = open(self.dir + "/log", "a")
        self.process = subprocess.Popen([BUILD + "/farmgate-launcher", "--settings", self.dir + "/launcher.conf"], stderr=self.log, stdout=self.log, start_new_session=True)

        def ready():
            if self.process.poll() is not None:
                with open(self.dir + "/log") as f:
                    raise AssertionError(f.read())
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                return False
        until(ready)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(30)
        self.log.close()
        return status

    def pids(self):
        return run_pids(self.dir)

    def close(self):
        if self.process.poll() is None:
            self.kill()
        end_runs(self.dir)
        if os.environ.get("FG_KEEP"):
            print("# kept", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


class Case(unittest.TestCase):
    settings = solver = more = ""

    @classmethod
    def setUpClass(cls):
        cls.launcher = Launcher(cls.settings, cls.solver, cls.more)
        cls.number = 0

    @classmethod
    def tearDownClass(cls):
        cls.launcher.close()

    def client(self, **flags):
        return wire.Client(self.launcher.port, **flags)

    def deck(self, text, name=None):
        """A case of its own: the path of its input."""
        type(self).number += 1
        folder = f"{self.launcher.runs}/{name or f'case{self.number}'}"
        os.makedirs(folder, exist_ok=True)
        with open(folder + "/main.k", "w") as f:
            f.write("*KEYWORD\n" + text + "\n*END\n")
        return folder + "/main.k"

    def job(self, text="", ncpu="1", path=None, **more):
        """job_data as the stock front-end sends it."""
        path = self.deck(text) if path is None else path
        command = f"{SOLVER} i={path} ncpu={ncpu} memory=1m"
        return {"input": path, "solver": SOLVER, "ncpu": ncpu, "command": command, "expr": EXPR, "memory": "1m", **more}

    def begin(self, c, text="", **flags):
        return c.call("startJob", job_data=self.job(text, **flags), clean_all=True)["id"]
