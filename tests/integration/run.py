"""run: farmgate-run owns a solver: output, result, suspending, stopping the whole tree, memory, cgroup."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import tap

TOP = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("top_builddir", os.path.join(TOP, "build")))
SOLVER = os.path.join(TOP, "tests", "fakesolver.py")


def wait_for(what, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Run(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="farmgate-run-")
        self.folder = self.dir + "/case"
        os.mkdir(self.folder)
        self.process = None

    def tearDown(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
        shutil.rmtree(self.dir)

    def start(self, deck, *flags, program=(SOLVER, "i=main.k", "ncpu=1")):
        with open(self.folder + "/main.k", "w") as f:
            f.write("*KEYWORD\n" + deck + "\n*END\n")
        fd = os.open(self.folder, os.O_RDONLY)
        self.process = subprocess.Popen([BUILD + "/farmgate-run", "--control", self.dir + "/7", "--folder", str(fd), "--stop-file", "d3kil", "--stop-text", "sw1",
                                         *flags, "--", *program], pass_fds=[fd])
        os.close(fd)

    def read(self, name):
        try:
            with open(name, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def output(self):
        return self.read(self.folder + "/stdout")

    def result(self, seconds=180):
        self.process.wait(seconds)
        words = self.read(self.dir + "/7.result").split()
        return words[0], int(words[1]), words[3]

    def tree(self):
        """Pids of all that came from the run, also of those in sessions of their own."""
        def children(pid):
            got = []
            for task in os.listdir(f"/proc/{pid}/task") if os.path.exists(f"/proc/{pid}/task") else []:
                got += [int(p) for p in self.read(f"/proc/{pid}/task/{task}/children").split()]
            return got + [g for c in got for g in children(c)]
        return children(self.process.pid)

    def test_normal_end(self):
        self.start("$ cycles 3")
        self.assertEqual(self.result(), ("exit", 0, "own"))
        self.assertIn("N o r m a l", self.output())
        pid, _, solver, _, _, boot = self.read(self.dir + "/7.run").split()
        self.assertEqual(int(pid), self.process.pid)
        self.assertEqual(boot, self.read("/proc/sys/kernel/random/boot_id").strip())

    def test_exit_status_and_crash(self):
        self.start("$ cycles 1\n$ end exit 3")
        self.assertEqual(self.result(), ("exit", 3, "own"))
        self.start("$ cycles 1\n$ end crash")
        self.assertEqual(self.result(), ("signal", signal.SIGSEGV, "own"))

    def test_a_program_that_is_not_there(self):
        self.start("", program=("/nowhere/solver",))
        self.assertEqual(self.result(), ("exit", 127, "own"))
        self.assertIn("can't be started", self.output())

    def test_polite_stop(self):
        self.start("$ cycles 100000")
        wait_for(lambda: "write d3plot" in self.output())
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.result(), ("exit", 0, "stopped"))
        self.assertIn("sw1 encountered", self.output())

    def test_the_whole_tree_ends(self):
        self.start("$ forks 3\n$ deaf\n$ cycles 1\n$ end hang", "--polite", "0", "--term", "1")
        pids = wait_for(lambda: len(self.tree()) == 4 and "write d3plot" in self.output() and self.tree())
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.result(), ("signal", signal.SIGKILL, "stopped"))
        self.assertFalse([p for p in pids if alive(p)])

    def test_what_it_leaves_behind_ends_too(self):
        self.start("$ forks 2\n$ cycles 1")
        self.assertEqual(self.result(), ("exit", 0, "own"))

    def test_kill_at_once(self):
        self.start("$ forks 2\n$ deaf\n$ cycles 1\n$ end hang")
        wait_for(lambda: "write d3plot" in self.output())
        self.process.send_signal(signal.SIGQUIT)
        self.assertEqual(self.result(), ("signal", signal.SIGKILL, "killed"))

    def test_suspend(self):
        self.start("$ forks 1\n$ cycles 100000\n$ pace 0.001")
        wait_for(lambda: "write d3plot" in self.output())
        self.process.send_signal(signal.SIGUSR1)

        def states():
            return [self.read(f"/proc/{p}/stat").rpartition(")")[2].split()[:1] for p in self.tree()]

        def stopped():
            return states() == 2 * [["T"]]
        wait_for(stopped)
        self.process.send_signal(signal.SIGUSR2)
        wait_for(lambda: ["T"] not in states())
        self.process.send_signal(signal.SIGUSR1)
        wait_for(stopped)
        self.process.send_signal(signal.SIGTERM)  # a suspended run can be stopped
        self.assertEqual(self.result(), ("exit", 0, "stopped"))

    def test_runaway_output(self):
        self.start("$ runaway 1000\n$ cycles 1", "--head", "1000000", "--tail", "2000000")
        self.assertEqual(self.result(300), ("exit", 0, "own"))
        self.assertEqual(os.path.getsize(self.folder + "/stdout"), 1000000)
        tail = self.read(self.folder + "/stdout.1")
        self.assertTrue(2000000 <= len(tail) <= 4000100, len(tail))
        self.assertIn("N o r m a l", tail)
        begin = int(re.match(r"\[the output from byte (\d+) on\] *\n", tail).group(1))
        self.assertGreater(begin, 990 * 2**20)
        self.assertEqual(tail.index("\n"), 63)

    def test_memory_watch(self):
        self.start("$ eat 300\n$ cycles 1\n$ end hang", "--memory", "100000000")
        self.assertEqual(self.result(), ("signal", signal.SIGKILL, "memory"))

    def test_cores(self):
        core = min(os.sched_getaffinity(0))
        self.start("", "--cores", str(core), program=("/bin/sh", "-c", "grep Cpus_allowed_list /proc/self/status"))
        self.result()
        self.assertRegex(self.output(), rf":\s+{core}\n")

    def test_cgroup(self):
        root = self.dir + "/cgroup"
        os.makedirs(root + "/run-7")
        for name, text in (("cgroup.controllers", "cpuset cpu io memory pids\n"), ("cgroup.subtree_control", "")):
            with open(f"{root}/{name}", "w") as f:
                f.write(text)
        for name in ("cpu.max", "memory.max", "cpuset.cpus", "cgroup.procs", "cgroup.kill", "cgroup.freeze"):
            open(f"{root}/run-7/{name}", "w").close()
        self.start("$ deaf\n$ cycles 1\n$ end hang", "--cgroup", root, "--ncpu", "2", "--cores", "0,1", "--memory", "500000000", "--polite", "0", "--term", "0")
        wait_for(lambda: "write d3plot" in self.output())
        solver = self.read(self.dir + "/7.run").split()[2]
        for name, text in (("cpu.max", "200000 100000"), ("memory.max", "500000000"), ("cpuset.cpus", "0,1"), ("cgroup.procs", solver)):
            self.assertEqual(self.read(f"{root}/run-7/{name}"), text)
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.result(), ("signal", signal.SIGKILL, "stopped"))
        self.assertEqual(self.read(root + "/run-7/cgroup.kill"), "1")

    def test_links_in_the_folder_are_not_followed(self):
        os.symlink(self.dir + "/elsewhere", self.folder + "/stdout")
        os.symlink(self.dir + "/elsewhere", self.folder + "/d3kil")
        self.start("$ cycles 100000")
        wait_for(lambda: "write d3plot" in self.output())
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.result()[2], "stopped")
        self.assertFalse(os.path.exists(self.dir + "/elsewhere"))


if __name__ == "__main__":
    tap.main()
