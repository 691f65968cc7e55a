"""relay: a farm at home dials out (live --relay) and a public portal serves its viewers through that connection: two farms, real processes, verified TLS."""
import http.server
import os
import signal
import subprocess
import threading
import time

import farm
import tap
import websocket

LIVE = os.path.join(farm.BUILD, "daemons/live")
SEATS = 256


class Relay(farm.Case):
    tls = True
    settings = (("live_connections", 1200), ("live_message_rate", 20))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()  # the public portal
        cls.home = farm.Farm(settings=(("live_message_rate", 20),))
        cls.children = []
        f = cls.farm
        for name in ("ada", "bob"):
            f.user(name, "submitter")
        f.user("root", "admin")
        cls.ada, cls.bob = farm.Visitor(f, "ada"), farm.Visitor(f, "bob")
        cls.token_file = os.path.join(cls.home.dir, "relay-token")
        cls.new_token()
        cls.project = str(cls.home.project("admin", frames="1-3", title="At home"))
        cls.dial()

    @classmethod
    def tearDownClass(cls):
        for child in cls.children:
            if child.poll() is None:
                child.kill()
            child.wait()
        cls.home.close()
        super().tearDownClass()

    @classmethod
    def new_token(cls, scope="relay"):
        with open(cls.token_file, "w") as file:
            file.write(cls.farm.admin("token", "add", "ada", "home", "--scope", scope).split()[-1] + "\n")

    @classmethod
    def dial(cls, url=None, ca=True):
        """The relay of home; its log is in home's log folder."""
        url = url or f"wss://127.0.0.1:{cls.farm.tls_port}/relay"
        err = open(os.path.join(cls.home.dir, "relay.log"), "ab")
        args = [LIVE, "--dir", cls.home.dir, "--relay", url, "--token-file", cls.token_file, *(["--ca-file", cls.farm.dir + "/tls/cert.pem"] if ca else [])]
        cls.children.append(subprocess.Popen(args, stderr=err, stdout=err))
        return cls.children[-1]

    def setUp(self):
        if self.children[-1].poll() is not None:
            self.dial()

    def look(self, visitor=None, path="/relay/ada", **how):
        ws = websocket.Socket(self.farm.port, path, [("Cookie", visitor.cookie)] if visitor else [], **how)
        self.addCleanup(ws.close)
        return ws

    def comes(self, visitor=None, path="/relay/ada"):
        """A viewer, as soon as home is there."""
        def tried():
            try:
                return self.look(visitor or self.ada, path)
            except websocket.Refused as e:
                self.assertIn(e.status, (502, 503, 504))
                return None
        return self.eventually(tried, 40)

    def lists(self, ws):
        ws.send(body="get_active_jobs")
        return ws.until(lambda m: m["type"] == "active_jobs")[-1]["data"]

    def refused(self, visitor=None, path="/relay/ada", headers=None):
        with self.assertRaises(websocket.Refused) as caught:
            if headers is not None:
                websocket.Socket(self.farm.port, path, headers)
            else:
                self.look(visitor, path)
        return caught.exception.status

    def log(self):
        with open(os.path.join(self.home.dir, "relay.log")) as file:
            return file.read()

    def setting(self, name, value):
        with open(self.farm.dir + "/farmgate.conf", "a") as conf:
            conf.write(f"{name} = {value}\n")

    def test_viewers_see_home(self):
        ws, other = self.comes(), self.comes()
        self.assertEqual(self.lists(ws)[self.project]["Name"], "At home")
        other.send(body="get_job_details", jobId=self.project)
        got = other.until(lambda m: m.get("chunk"))
        self.assertEqual(got[0]["data"]["job"]["Name"], "At home")
        other.send(body="get_image_preview", jobId=self.project, taskId="0")
        self.assertTrue(other.until(lambda m: m["type"] == "image_preview")[-1]["error"])
        made = str(self.home.project("admin", frames="1-2", title="New at home"))
        self.assertIn(made, ws.until(lambda m: made in m["data"], 10)[-1]["data"])
        self.home.admin("project", "delete", made)
        ws.until(lambda m: m["update"] is False and made not in m["data"], 10)
        own = self.look(self.ada, "/live")  # the portal's own are still its own
        self.assertEqual(self.lists(own), {})

    def test_a_long_list_comes_whole(self):
        names = [self.home.project("admin", frames="1", title=f"{i} " + "x" * 190) for i in range(3)]
        big = self.home.project("admin", frames="1-9000", title="many frames")
        try:
            ws = self.comes()
            ws.send(body="get_job_details", jobId=str(big))
            got = ws.until(lambda m: m["type"] == "job_details")[-1]["data"]
            self.assertEqual([t["Frames"] for t in got["tasks"]], [f"{i}-{i}" for i in range(1, 9001)])  # many windows of pieces
            self.assertGreaterEqual(len(self.lists(ws)), 5)
        finally:
            for number in (*names, big):
                self.home.admin("project", "delete", number)

    def test_rights_are_the_portals(self):
        self.comes()
        self.assertEqual(self.refused(self.bob), 403)
        self.assertEqual(self.refused(self.bob, "/relay/nobody"), 403)
        self.assertEqual(self.refused(), 401)
        self.setting("relay_viewers", "bob")
        self.eventually(lambda: self.tries(self.bob))
        self.assertEqual(self.refused(self.bob, "/relay/bob"), 503)  # his own, who hasn't dialled
        self.setting("relay_viewers", "")
        self.eventually(lambda: not self.tries(self.bob))

    def tries(self, visitor, path="/relay/ada"):
        try:
            self.look(visitor, path)
        except websocket.Refused:
            return False
        return True

    def test_the_live_address_may_show_home(self):
        self.comes()
        self.setting("live_relay", "ada")
        try:
            self.eventually(lambda: self.project in self.lists(self.look(self.ada, "/live")))
        finally:
            self.setting("live_relay", "")
        self.eventually(lambda: self.project not in self.lists(self.look(self.ada, "/live")))

    def test_home_is_killed_and_comes_again(self):
        ws = self.comes()
        self.lists(ws)
        self.children[-1].kill()
        self.children[-1].wait()
        with self.assertRaises(websocket.Closed) as caught:
            ws.until(lambda m: False, 20)
        self.assertEqual(caught.exception.code, 1001)
        self.assertEqual(self.refused(self.ada), 503)
        self.dial()
        silent = self.comes()  # as an app that was there before: it says nothing and is told
        self.assertIn(self.project, silent.until(lambda m: m["type"] == "active_jobs")[-1]["data"])

    def test_the_portal_is_killed_and_comes_again(self):
        ws = self.comes()
        self.lists(ws)
        for pid in self.farm.processes("live"):
            os.kill(pid, signal.SIGKILL)
        with self.assertRaises(websocket.Closed):
            ws.until(lambda m: False, 20)
        self.assertIn(self.project, self.lists(self.comes()))
        self.assertIsNone(self.children[-1].poll())

    def test_wrong_and_revoked_tokens(self):
        bearer = lambda token: [("Authorization", "Bearer " + token)]
        self.assertEqual(self.refused(path="/relay", headers=[]), 401)
        self.assertEqual(self.refused(path="/relay", headers=bearer("0" * 64)), 401)
        for scope in ("read submit", "batch", "admin"):
            owner = "root" if scope == "admin" else "ada"
            self.assertEqual(self.refused(path="/relay", headers=bearer(self.farm.admin("token", "add", owner, "x", "--scope", scope).split()[-1])), 403, scope)
        with open(self.token_file) as file:
            token = file.read().strip()
        self.assertEqual(farm.request(self.farm.port, "GET", "/api/projects", bearer(token)).status, 403)  # good for nothing else
        ws = self.comes()
        ids = [t["id"] for t in self.ada.get("/api/tokens").json["tokens"] if t["scope"] == "relay"]
        for number in ids:
            self.assertEqual(self.ada.call("DELETE", f"/api/tokens/{number}").status, 204)
        with self.assertRaises(websocket.Closed):
            ws.until(lambda m: False, 20)
        self.assertEqual(self.refused(path="/relay", headers=bearer(token)), 401)
        self.eventually(lambda: self.refused(self.ada) == 503)
        self.new_token()  # the file is read again
        self.assertIn(self.project, self.lists(self.comes()))

    def test_a_flood_ends_its_viewer_alone(self):
        quiet, loud = self.comes(), self.comes()
        with self.assertRaises((websocket.Closed, OSError)):
            for _ in range(20000):
                loud.send(body="get_active_jobs")
            loud.until(lambda m: False, 20)
        self.assertIn(self.project, self.lists(quiet))

    def test_seats_are_counted_and_come_back(self):
        self.comes().close()
        seats = []

        def full():
            try:
                seats.append(self.look(self.ada))
            except websocket.Refused as e:
                return e.status == 503
            return len(seats) > SEATS
        self.eventually(full, 60)
        self.assertLessEqual(len(seats), SEATS)
        self.assertGreater(len(seats), SEATS - 50)
        for ws in seats:
            ws.close()
        self.assertIn(self.project, self.lists(self.comes()))

    def test_a_slow_reader_is_not_stored(self):
        big = self.home.project("admin", frames="1-9000", title="many frames")
        try:
            slow = self.look(self.ada, receive_buffer=4096) if self.comes() else None
            pid = self.farm.processes("live")[0]
            before = rss(pid)
            for _ in range(60):
                slow.send(body="get_job_details", jobId=str(big))
                time.sleep(0.06)
            self.assertIn(self.project, self.lists(self.comes()))  # others are served
            self.assertLess(rss(pid) - before, 8 << 10)
        finally:
            self.home.admin("project", "delete", big)

    def test_a_home_that_breaks_the_rules_is_let_go(self):
        token = self.farm.admin("token", "add", "bob", "x", "--scope", "relay").split()[-1]
        for bad in (b"", b"m", b"o\0\0\0\1", b"n\0\0\0\1", b"m\0\0\0\0x", b"m\0\0\0\1" + b"x" * 32769, b"x" * 70000):
            ws = websocket.Socket(self.farm.port, "/relay", [("Authorization", "Bearer " + token)])
            ws.frame(bad, 2)
            with self.assertRaises((websocket.Closed, OSError), msg=bad[:8]):
                ws.recv(20)
            ws.close()
        ws = websocket.Socket(self.farm.port, "/relay", [("Authorization", "Bearer " + token)])
        ws.frame(b"m\0\0\0\x09never seated", 2)  # nobody of that number: dropped
        viewer = self.look(self.bob, "/relay/bob")
        viewer.close()
        ws.close()
        ws = websocket.Socket(self.farm.port, "/relay", [("Authorization", "Bearer " + token)])
        ws.text("{}")
        with self.assertRaises((websocket.Closed, OSError)):
            ws.recv(20)

    def test_strange_certificates_and_open_ways_are_refused(self):
        done = subprocess.run([LIVE, "--dir", self.home.dir, "--relay", "ws://farm.example.org/relay", "--token-file", self.token_file], stderr=subprocess.PIPE, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"in the open", done.stderr)
        self.comes()
        stranger = self.dial(ca=False)
        try:
            self.eventually(lambda: "relay.lost" in self.log() and ("ertificate" in self.log() or "CA is not" in self.log() or "verif" in self.log()))
        finally:
            stranger.terminate()
            stranger.wait()
            self.children.remove(stranger)

    def test_it_waits_longer_each_time(self):
        times = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                times.append(time.monotonic())
                self.send_error(503)

            def log_message(self, *args):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        one = self.dial(f"ws://127.0.0.1:{server.server_address[1]}/relay")
        try:
            self.eventually(lambda: len(times) >= 4, 40)
            waits = [b - a for a, b in zip(times, times[1:])]
            self.assertGreater(waits[2], 1)  # 2 s, by chance half of it
        finally:
            one.terminate()
            one.wait()
            self.children.remove(one)
            server.shutdown()
            server.server_close()


def rss(pid):
    """KiB."""
    with open(f"/proc/{pid}/status") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


if __name__ == "__main__":
    tap.main()
