"""units: every program has a socket and a service that systemd accepts, and answers when systemd hands it its socket."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import tap
from fastcgi_peer import ask

TOP, BUILD = os.environ["top_srcdir"], os.environ["top_builddir"]


def endpoints():
    with open(os.path.join(TOP, "nginx/endpoints.list")) as lines:
        return [line.split() for line in lines if line.strip() and not line.startswith("#")]


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="fg")
        subprocess.run([TOP + "/systemd/make-units", TOP, cls.dir + "/units", "/usr/libexec/farmgate", "/var/lib/farmgate"], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def unit(self, name):
        with open(f"{self.dir}/units/{name}") as lines:
            return lines.read()

    def test_each_program_has_its_pair(self):
        expected = {f"farmgate-{e[0]}.{kind}" for e in endpoints() for kind in ("socket", "service")}
        expected |= {"farmgate-compositor.service", "farmgate-live.service", "farmgate-launcher.service", "farmgate-relay.service", "farmgate-web.service", "farmgate.target"}
        self.assertEqual(set(os.listdir(self.dir + "/units")), expected)

    def test_what_they_promise(self):
        for name, _, pool, *_ in endpoints():
            sock, service = self.unit(f"farmgate-{name}.socket"), self.unit(f"farmgate-{name}.service")
            self.assertIn("\nBacklog=4096\n", sock)
            self.assertIn(f"\nListenStream=/var/lib/farmgate/run/{name}.sock\n", sock)
            self.assertIn("\nSocketMode=0660\n", sock)
            self.assertIn("\nStandardInput=socket\n", service)
            self.assertRegex(service, rf"\nExecStart=/usr/bin/multiwatch -f {pool} .*-- /usr/libexec/farmgate/{name}\n")
        for name in os.listdir(self.dir + "/units"):
            self.assertNotRegex(self.unit(name), r"@\w+@", name)
            if name.endswith(".service"):
                self.assertIn("\nRestart=always\n", self.unit(name))
                self.assertIn("\nStartLimitIntervalSec=0\n", self.unit(name))
                self.assertIn("\nKillMode=mixed\n", self.unit(name))
                self.assertEqual(name != "farmgate-web.service", "\nLogsDirectory=farmgate\n" in self.unit(name), name)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here")
    def test_systemd_accepts_them(self):
        checked = self.dir + "/checked"
        shutil.copytree(self.dir + "/units", checked)
        for name in os.listdir(checked):
            with open(f"{checked}/{name}") as unit:
                text = unit.read()
            with open(f"{checked}/{name}", "w") as unit:  # programs that exist here: their places are not what is checked
                unit.write(re.sub(r"^(ExecStart(?:Pre)?=)\S+", r"\1/bin/true", text, flags=re.M))
        names = sorted(f"{checked}/{name}" for name in os.listdir(checked))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "no systemd-socket-activate here")
    def test_programs_answer_on_a_socket_of_systemds(self):
        os.mkdir(self.dir + "/logs")
        subprocess.run([BUILD + "/farmgate-admin", "--dir", self.farm(), "migrate"], check=True, capture_output=True)
        for name in ("config", "request_job", "keepmealive", "login", "project"):
            with self.subTest(name):
                self.activate(name, f"{BUILD}/cgi-bin/{name}")
                with open(f"{self.dir}/logs/{name}.log") as log:  # the page Status reads it, for the journal is systemd's
                    self.assertRegex(log.read(), rf"(?m)^time=\S+ level=\w+ program={name} pid=\d+ event=\S+ .*$")

    def farm(self):
        farm = self.dir + "/farm"
        os.makedirs(farm, exist_ok=True)
        subprocess.run([TOP + "/tools/farmgate-spawn", "--dir", farm, "configure", "--programs", BUILD, "--tls-port", "0"], check=True)
        return farm

    @staticmethod
    def listens(path):
        with open("/proc/net/unix") as sockets:
            return any(line.split()[3] == "00010000" and line.rstrip().endswith(" " + path) for line in sockets if not line.startswith("Num"))

    @staticmethod
    def children(pid):
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as pids:
                return [os.readlink(f"/proc/{child}/exe") for child in pids.read().split()]
        except OSError:
            return []

    def activate(self, name, program):
        path = f"{self.dir}/{name}.sock"
        command = re.search(r"^ExecStart=(.*) -- ", self.unit(f"farmgate-{name}.service"), re.M).group(1)
        # systemd-socket-activate hands the socket over as descriptor 3; StandardInput=socket means 0.
        activator = subprocess.Popen(["systemd-socket-activate", "-E", f"FARMGATE_CONFIG={self.dir}/farm/farmgate.conf", "-E", f"LOGS_DIRECTORY={self.dir}/logs", "-l", path,
                                      "/bin/sh", "-c", f"exec {command} -- {program} <&3 3<&-"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            while not self.listens(path):  # its name is there before it listens
                self.assertIsNone(activator.poll())
                time.sleep(0.02)
            answer = ask(path, {"REQUEST_METHOD": "GET", "REQUEST_URI": "/", "SCRIPT_NAME": "/", "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1",
                                "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1:8080"})
            self.assertRegex(answer.split(b"\r\n\r\n")[0].decode(), r"(?im)^(content-type|status):")
            pool = int(re.search(r" -f (\d+) ", command).group(1))
            while self.children(activator.pid) != [program] * pool:  # a signal between multiwatch's fork and exec would be lost on its own handler
                time.sleep(0.02)
        finally:
            activator.terminate()  # the leader alone, as KillMode=mixed does
            try:
                activator.wait(20)
            finally:
                if activator.returncode is None:
                    os.killpg(activator.pid, signal.SIGKILL)


if __name__ == "__main__":
    tap.main()
