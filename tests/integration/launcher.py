"""launcher: every method, the wire, the queue, restarts, stops, folders; with a fake solver that writes what LS-DYNA writes."""
import contextlib
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import socketserver
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

import farm
import launch
import tap
import wire
from launch import SOLVER, TOP, until

LICENCES = """
[licence lstc]
count = /bin/cat {0}/count
used = "" token -5
total = "" token -3
list = /bin/cat {0}/list
kill = /bin/echo Program queued for termination:
seconds = 1
[licence slow]
count = /bin/true
list = /bin/cat {0}/slow
kill = /bin/sh {0}/killer
seconds = 1
"""


def shape(value):
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shape(v) for v in value[:1]]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def fits(want, got, where):
    """Is all of a recorded shape in ours? null fits anything; an object may have more keys."""
    if want == "NoneType" or want == []:
        return
    if isinstance(want, dict):
        assert isinstance(got, dict), (where, want, got)
        for key in want:
            assert key in got, (where, key, got)
            if got[key] != "NoneType":
                fits(want[key], got[key], where + "." + key)
        order = [k for k in got if k in want]
        assert order == list(want), (where, order, list(want))
    elif isinstance(want, list):
        assert isinstance(got, list), (where, got)
        if got:
            fits(want[0], got[0], where + "[]")
    else:
        assert want == got, (where, want, got)


class Recorded(launch.Case):
    """The stock front-end's conversation, as it was recorded, with our answers."""
    settings = "cores = 64\n"

    def test_the_recorded_conversation(self):
        names = {"/data/runs/run03/main.k": self.deck("$ cycles 100000\n$ pace 0.02\n$ mass 2.4"), "/data/runs/run04/main.k": self.deck(""), "/opt/solver/fake-lsdyna.sh": SOLVER}
        with open(TOP + "/tests/data/wire/launcher.jsonl") as f:
            lines = [json.loads(line) for line in f]
        shapes, asked = {}, {}
        client = wire.Socket(self.launcher.port, "/socket.io/?EIO=4&transport=websocket")
        told, answers = [], {}

        def step():
            text = client.recv()
            if text.startswith("42["):
                event = json.loads(text[2:])
                if event[0] == "message":
                    message = json.loads(event[1])
                    if isinstance(message, list) or "method" in message:
                        told.extend(message if isinstance(message, list) else [message])
                    else:
                        answers[message["id"]] = message
            return text
        self.assertRegex(step(), r'^0\{"sid":"[0-9a-f]+","upgrades":\[\],"pingTimeout":20000,"pingInterval":25000')
        for line in lines:
            if "ev" in line:
                continue
            text = line["text"]
            if line["dir"] == "server->client":
                if text.startswith('42["message"'):
                    message = json.loads(json.loads(text[2:])[1])
                    if "method" in message:
                        fitted = shape({k: v for k, v in message.items()})
                        shapes.setdefault(message["method"], []).append(fitted)
                    else:
                        asked[message["id"]] = message
                continue
            for old, new in names.items():
                text = text.replace(old, new)
            if text == "40":
                client.text(text)
                self.assertRegex(step(), r'^40\{"sid":"[0-9a-f]+"\}$')
            elif text.startswith("42"):
                request = json.loads(json.loads(text[2:])[1])
                if request["method"] in ("sendD3kill", "removeShell"):
                    number = next(m["params"]["job"]["id"] for m in told if m["method"] == "addJob")
                    want = "Running" if request["method"] == "sendD3kill" else "sw1"
                    while not any(m["method"] == "update_data" and m["params"]["id"] == number and m["params"]["payload"].get("status") == want for m in told):
                        step()
                    request["params"]["id"] = number
                    text = "42" + json.dumps(["message", json.dumps(request)])
                client.text(text)
                while request["id"] not in answers:
                    step()
                asked_for = request["method"]
                answers[request["id"]]["asked"] = asked_for
        client.close()
        for number, recorded in asked.items():
            ours = answers[number]
            self.assertIn("result", ours, ours)
            if ours["asked"] == "getFreeSpace":  # the recording's disk could not be read
                self.assertEqual(shape(ours["result"]), ["str"])
                continue
            fits(shape(recorded), shape(ours), ours["asked"])
        heard = {}
        for message in told:
            heard.setdefault(message["method"], []).append(shape(message))
        for method, wanted in shapes.items():
            self.assertIn(method, heard)
            for want in wanted:  # each recorded kind of notification came from us too
                ok = []
                for got in heard[method]:
                    try:
                        fits(want, got, method)
                        ok.append(got)
                    except AssertionError:
                        pass
                if "ETA" in str(want) and method == "update_data":
                    continue  # ours tells elapsed as well, and in one object with its beginning
                self.assertTrue(ok or method == "update_data", (method, want, heard[method][:3]))
        order = [m["method"] for m in told]
        self.assertEqual(order[:3], ["addJob", "update_data", "update_shell_infos"])  # recorded the other way round, at which older front-ends break
        added = [m["params"]["job"]["id"] for m in told if m["method"] == "addJob"]
        self.assertEqual(len(added), len(set(added)))


class Wire(launch.Case):
    settings = "cores = 4\nhosts = launcher.example:99\n"

    def flood(self, first, more):
        """Says `more` for ever and never reads: how many bytes were taken before it was shut out."""
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(30)
            s.connect(("127.0.0.1", self.launcher.port))
            sent = 0
            try:
                s.sendall(first)
                while sent < 96 << 20:
                    sent += s.send(more)
            except (ConnectionResetError, BrokenPipeError):
                pass
            return sent

    def test_who_asks_and_never_listens_is_let_go(self):
        host = f"Host: 127.0.0.1:{self.launcher.port}\r\n"
        upgrade = f"GET /rpc HTTP/1.1\r\n{host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n"
        ping = b"\x89\xfd\0\0\0\0" + b"x" * 125
        ask = f"OPTIONS /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n{host}\r\n"
        for first, more in ((upgrade.encode(), ping * 500), (b"", ask.encode() * 500)):
            self.assertLess(self.flood(first, more), 96 << 20)
        with self.client() as c: # the others notice nothing
            self.assertEqual(c.call("getQueue"), [])

    def test_hosts_origins_and_networks(self):
        for flags in ({"host": "evil.example"}, {"headers": ["Origin: http://evil.example"]}, {"headers": ["Sec-Fetch-Site: cross-site"]},
                      {"headers": [f"Origin: http://127.0.0.1:{self.launcher.port}"]}, {"path": "/else"}, {"path": "/socket.io/?EIO=3&transport=websocket"}):
            with self.assertRaises(wire.Refused, msg=flags):
                self.client(**flags)
        for flags in ({"host": "launcher.example:99"}, {"headers": ["Origin: file://"]}, {"headers": ["Origin: null"]}):
            self.client(**flags).close()

    def test_strangers_are_refused_by_their_head(self):
        """Before the body of their request has come; and one address has 256 connections at most."""
        with socket.create_connection(("127.0.0.1", self.launcher.port), timeout=20) as s:
            s.sendall("POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 900000\r\n\r\n".encode() + b"x" * 1000)
            self.assertIn(b" 403 ", s.recv(4096).split(b"\r\n")[0])
        crowd = []
        try:
            for _ in range(300):
                crowd.append(socket.create_connection(("127.0.0.1", self.launcher.port), timeout=20))
            crowd[-1].settimeout(20)
            self.assertEqual(crowd[-1].recv(1), b"")
            crowd[100].sendall(f"GET /else HTTP/1.1\r\nHost: 127.0.0.1:{self.launcher.port}\r\n\r\n".encode())
            self.assertIn(b" 404 ", crowd[100].recv(4096).split(b"\r\n")[0])
        finally:
            for s in crowd:
                s.close()

    def post(self, path, body, method="POST"):
        c = http.client.HTTPConnection("127.0.0.1", self.launcher.port, timeout=30)
        c.request(method, path, body)
        r = c.getresponse()
        got = r.status, r.read().decode()
        c.close()
        return got

    def test_polling_and_upgrade(self):
        status, text = self.post("/socket.io/?EIO=4&transport=polling", None, "GET")
        hello = json.loads(text[1:])
        self.assertEqual((status, hello["upgrades"]), (200, ["websocket"]))
        path = f"/socket.io/?EIO=4&transport=polling&sid={hello['sid']}"
        self.assertEqual(self.post(path, "40"), (200, "ok"))
        self.assertRegex(self.post(path, None, "GET")[1], r'^40\{"sid":"')
        two = [json.dumps(["message", json.dumps({"jsonrpc": "2.0", "id": i, "method": "getQueue"})]) for i in (1, 2)]
        self.assertEqual(self.post(path, "42" + two[0] + "\x1e42" + two[1]), (200, "ok"))
        got = self.post(path, None, "GET")[1].split("\x1e")
        self.assertEqual([json.loads(json.loads(g[2:])[1])["id"] for g in got], [1, 2])
        ws = wire.Socket(self.launcher.port, path.replace("polling", "websocket"))
        ws.text("2probe")
        self.assertEqual(ws.recv(), "3probe")
        ws.text("5")
        ws.text("42" + two[0])
        self.assertEqual(json.loads(json.loads(ws.recv()[2:])[1])["id"], 1)
        self.assertEqual(self.post(path, None, "GET")[0], 400)
        ws.close()
        self.assertEqual(self.post("/socket.io/?EIO=4&transport=polling&sid=none", "40")[0], 400)

    def test_what_solvers_print_is_no_part_of_a_page(self):
        """The stock front-end's terminals parse it as HTML, and its page may start programs."""
        said, shown = "<iframe srcdoc='<script>x</script>'> a & b &lt;", "&lt;iframe srcdoc='&lt;script>x&lt;/script>'> a &amp; b &amp;lt;"
        paths = {"/socket.io/?EIO=4&transport=websocket": shown, "/socket.io/?EIO=4&transport=websocket&batch=0": said, "/rpc": said}
        with contextlib.ExitStack() as stack:
            viewers = {path: stack.enter_context(wire.Client(self.launcher.port, rpc=path == "/rpc", path=path)) for path in paths}
            number = self.begin(viewers["/rpc"], "$ say " + said + "\n$ cycles 2")
            for path, v in viewers.items():
                v.status(number, "Finished")
                self.assertIn("\n" + paths[path] + "\n", v.output(number), path)
                self.assertEqual(v.output(number).count("iframe"), 1)
                self.assertIn("\n" + paths[path] + "\n", v.call("getRunningShells")[str(number)]["stdout"], path)
                self.assertIn("\n" + said + "\n", v.call("getJobLog", id=number, **{"from": 0})["text"], path)

    def test_a_batch_tells_the_queue_once(self):
        """Else a batch of a hundred changes would tell everybody a long queue a hundred times."""
        with self.client() as c, self.client() as viewer:
            first = self.begin(c, "$ end hang", ncpu="4")
            for _ in range(20):
                c.call("addToQueue", job_data=self.job(ncpu="4"))
            ids = [q["id"] for q in c.call("getQueue")]
            viewer.call("getQueue")
            viewer.told.clear()
            batch = [{"jsonrpc": "2.0", "id": f"b{i}", "method": "setPriority", "params": {"id": ids[i % 20], "priority": i}} for i in range(100)]
            c.send(json.dumps(batch))
            self.assertEqual(c.answer("b99")["result"], 1)
            viewer.wait(lambda m, p: m == "setQueue" and max(q["priority"] for q in p["jobs"]) == 99)
            self.assertLess(sum(1 for one in viewer.told if one["method"] == "setQueue"), 10)
            for _ in ids:
                c.call("removeFromQueue", position=0)
            c.call("KillProcessByJobId", id=first)
            c.status(first, "Stopped")

    def test_rpc_batches_notifications_and_errors(self):
        with self.client(rpc=True) as c:
            c.send(json.dumps([{"jsonrpc": "2.0", "id": "a", "method": "getQueue"}, {"jsonrpc": "2.0", "method": "getQueue"}, 1,
                               {"jsonrpc": "2.0", "id": None, "method": "nothing"}]))
            got = json.loads(c.ws.recv())
            self.assertEqual([g.get("id") for g in got], ["a", None, None])
            self.assertEqual([g["error"]["code"] for g in got[1:]], [-32600, -32601])
            for text, code in (("{", -32700), ("[]", -32600), ("{}", -32600), ('{"jsonrpc":"2.0","id":1,"method":"x","params":3}', -32600),
                               ("[" * 40 + "]" * 40, -32700), ('{"jsonrpc":"2.0","id":1,"method":"getJobLog"}', -32602)):
                c.send(text)
                self.assertEqual(json.loads(c.ws.recv())["error"]["code"], code, text)
            c.send('{"jsonrpc":"2.0","method":"getQueue"}')  # a notification: no answer; the next one is of the next request
            self.assertEqual(c.call("getQueue"), [])
            with self.assertRaises(wire.RpcError) as e:
                c.call("noSuchMethod")
            self.assertEqual(e.exception.error, {"code": -32601, "message": "Method not found", "data": "noSuchMethod"})

    def test_broken_frames_and_fragments(self):
        with self.client(rpc=True) as c:
            text = '{"jsonrpc":"2.0","id":9,"method":"getQueue"}'
            c.ws.frame(text[:10].encode(), final=False)
            c.ws.frame(b"hello", 9)
            c.ws.frame(text[10:].encode(), 0)
            self.assertEqual(c.ws.next(time.monotonic() + 30), (0x8a, b"hello"))
            self.assertEqual(json.loads(c.ws.recv())["result"], [])
        for junk in (b"\x81\x05hello", b"\xc1\x85aaaahello", b"\x82\x85aaaahello", b"\x81\xff" + b"\xff" * 8 + b"aaaa", b"\x89\xfe\x01\x00aaaa" + b"x" * 256,
                     b"\x81\x82aaaa\x9e\x9f"):
            with self.client(rpc=True) as c:
                c.ws.sock.sendall(junk)
                with self.assertRaises((ConnectionError, OSError)):
                    while True:
                        c.ws.recv()
        for head in (b"GET / HTTP/2.0\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"\0" * 100 + b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"x" * 100000,
                     b"POST /socket.io/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.launcher.port)) as s:
                s.sendall(head)
                s.settimeout(30)
                try:
                    self.assertIn(s.recv(100)[9:12], (b"400", b""))
                except ConnectionResetError:
                    pass
        with self.client() as c:
            self.assertEqual(c.call("getQueue"), [])

    def test_viewers_are_woken_four_times_a_second(self):
        """However many runs print; by Socket.IO as by /rpc, and one by one for a client that takes no batches."""
        paths = {"/rpc": True, "/socket.io/?EIO=4&transport=websocket": False, "/socket.io/?EIO=4&transport=websocket&batch=0": False}
        with self.client() as c:
            viewers = [self.client(path=path, rpc=rpc) for path, rpc in paths.items()]
            for v in viewers:
                v.call("getFullJobList")
                v.frames.clear()
            began = time.monotonic()
            runs = [self.begin(c, "$ cycles 100000\n$ pace 0.01") for _ in range(4)]
            for v in viewers:
                for number in runs:
                    v.wait(lambda m, p: m == "appendToShell" and p["id"] == number and "99000 t " in p["payload"])
            for v in viewers[:2]:
                beats = 4 * (time.monotonic() - began)
                self.assertLessEqual(len(v.frames), beats + 2 + 2 * len(runs), v.frames)  # and what starting them changed, told at once
                self.assertGreater(max(text.count("appendToShell") for text in v.frames), 1)
            self.assertEqual(max(text.count("jsonrpc") for text in viewers[2].frames), 1)
            for number in runs:
                c.call("KillProcessByJobId", id=number)
                c.status(number, "Stopped")
            for v in viewers:
                v.close()

    def test_a_stock_front_end_that_comes_back_is_told(self):
        """Also of what began meanwhile, before anything else of it."""
        with self.client() as c:
            with self.client() as gone:
                gone.call("getFullJobList")
            number = self.begin(c, "$ cycles 1\n$ end hang")
            c.status(number, "Running")
            with self.client() as back:
                back.wait(lambda m, p: m == "setQueue")
                back.status(number, "Running")
                told = [m["method"] for m in back.told if m["method"] in ("addJob", "update_data") and (m["params"].get("job") or m["params"])["id"] == number]
                self.assertEqual((told[0], told.count("addJob")), ("addJob", 1))
            c.call("KillProcessByJobId", id=number)
            c.status(number, "Stopped")

    def test_cpu_monitoring(self):
        with self.client() as c:
            c.ws.text('42["start_cpu_monitoring"]')
            p = c.wait(lambda m, p: m == "cpuUsageUpdate")
            self.assertEqual(len(p["cores"]), os.cpu_count())
            self.assertIn(["cpu_monitoring_started", {"status": "started"}], c.events)
            c.ws.text('42["stop_cpu_monitoring"]')
            while ["cpu_monitoring_stopped", {"status": "stopped"}] not in c.events:
                c.step()


def ways_out(launcher, inside):
    """Paths that lead out of a launcher's folders, `inside` being one of them."""
    outside = launcher.dir + "/outside"
    os.makedirs(outside, exist_ok=True)
    os.makedirs(launcher.runs + "2", exist_ok=True)
    for name in (outside + "/main.k", launcher.runs + "2/main.k"):
        with open(name, "w") as f:
            f.write("secret")
    os.symlink(outside, inside + "/folder")
    os.symlink(outside + "/main.k", inside + "/link.k")
    os.symlink("../../outside/main.k", inside + "/relative.k")
    os.symlink("/proc/self/root", inside + "/root")
    return [outside + "/main.k", f"{inside}/../../outside/main.k", inside + "/folder/main.k", inside + "/link.k", inside + "/relative.k", launcher.runs + "2/main.k",
            f"{inside}/root{outside}/main.k", "/proc/self/root" + outside + "/main.k", "//" + outside + "/main.k", f"{inside}/./folder/../../outside/main.k",
            "../outside/main.k", inside + "/main.k\0/../../outside", ""]


class Runs(launch.Case):
    settings = "cores = 8\nhead_bytes = 100000\ntail_bytes = 100000\nmass_warning_pct = 2\nkeep = notes*\n"

    def test_normal_end_with_progress_mass_and_log(self):
        with self.client() as c:
            number = self.begin(c, "$ cycles 5\n$ pace 0.3\n$ mass 2.4\n$ glstat")
            job = c.wait(lambda m, p: m == "addJob")["job"]
            self.assertEqual((job["id"], job["ncpu"], job["status"], job["pid"]), (number, "1", "Starting", None))
            p = c.row(number, "pct_mass")
            self.assertEqual((p["end"], p["a_mass"], p["pct_mass"], p["status"]), (0.1, 0.024, 2.4, "Running"))
            self.assertIn("added mass", p["message"])
            c.status(number, "Finished")
            self.assertIn("N o r m a l", c.output(number))
            row = next(r for r in c.call("getFullJobList") if r["id"] == number)
            self.assertEqual((row["status"], row["progress"], row["current"], row["end"], row["allocated_cores"]), ("Finished", "100", 0.1, 0.1, "[0]"))
            log = c.call("getJobLog", id=number, **{"from": 0})
            self.assertEqual(log["text"], c.output(number))
            self.assertEqual(c.call("getRunningShells")[str(number)]["stdout"], c.output(number))
            charts = c.call("getCharts", id=number)
            self.assertEqual(len(charts["time"]), 5)
            self.assertEqual(charts["kinetic"][-1], 4)
            self.assertGreaterEqual(c.call("getHistory", page=0, filter="case")["total"], 1)
            self.assertEqual(c.call("getHistory", page=0, filter="no such words")["total"], 0)
            self.assertEqual(c.call("removeShell", id=number), number)
            c.wait(lambda m, p: m == "removeShell" and p["id"] == number)
            self.assertNotIn(str(number), c.call("getRunningShells"))

    def test_time_left_while_it_runs(self):
        with self.client() as c:
            number = self.begin(c, "$ cycles 1000\n$ pace 0.05")
            p = c.wait(lambda m, p: m == "update_data" and p["id"] == number and p["payload"].get("ETA", 0) > 0)["payload"]
            self.assertTrue(0 < p["progress"] < 100 and 0 < p["current"] < 0.1, p)
            c.call("sendD3kill", id=number, payload="sw1")
            c.status(number, "sw1")

    def test_history_ends(self):
        """After history_days an ended run leaves the terminals and the history; younger ones stay."""
        with self.client() as c:
            old, young = (self.begin(c, "$ cycles 1") for _ in range(2))
            for number in (old, young):
                c.status(number, "Finished")
        self.launcher.stop()
        with contextlib.closing(sqlite3.connect(self.launcher.dir + "/state/farmgate.db")) as db, db:
            db.execute("UPDATE run SET ended_ms = ended_ms - 366 * 86400000 WHERE id = ?", (old,))
        self.launcher.start()
        with self.client() as c:
            launch.until(lambda: old not in [r["id"] for r in c.call("getHistory", page=0, filter="")["jobs"]])
            self.assertIn(young, [r["id"] for r in c.call("getHistory", page=0, filter="")["jobs"]])
            self.assertEqual([str(n) in c.call("getRunningShells") for n in (old, young)], [False, True])

    def test_error_end_crash_and_silent_end(self):
        with self.client() as c:
            for deck, status, why in (("$ end error", "Error", "error"), ("$ end crash", "Error", "signal 11"), ("$ end exit 0", "Error", "without saying"),
                                      ("$ end exit 4", "Error", "status 4")):
                number = self.begin(c, "$ cycles 1\n" + deck)
                self.assertIn(why, c.status(number, status)["payload"]["message"], deck)

    def test_stop_codes(self):
        with self.client() as c:
            number = self.begin(c, "$ cycles 100000\n$ pace 0.02")
            c.status(number, "Running")
            self.assertIsNone(c.call("sendD3kill", id=number, payload="sw2"))
            c.wait(lambda m, p: m == "appendToShell" and "sw2 encountered" in p["payload"])
            with self.assertRaises(wire.RpcError) as e:
                c.call("sendD3kill", id=number, payload="rm -rf")
            self.assertEqual(e.exception.code, 40)
            c.call("sendD3kill", id=number, payload="sw1")
            c.status(number, "sw1")
            with self.assertRaises(wire.RpcError) as e:
                c.call("sendD3kill", id=number, payload="sw1")
            self.assertEqual((e.exception.code, e.exception.message), (20, f"Job {number} is not running."))

    def test_kill_reaches_deaf_children(self):
        with self.client() as c:
            number = self.begin(c, "$ cycles 1\n$ deaf\n$ forks 3\n$ end hang")
            c.status(number, "Running")
            run = self.launcher.pids()
            with self.assertRaises(wire.RpcError) as e:
                c.call("removeShell", id=number)
            self.assertEqual(e.exception.code, 10)
            self.assertIsNone(c.call("KillProcessByJobId", id=number))
            c.status(number, "Stopped")
            until(lambda: not set(run) & set(self.launcher.pids()))

    def test_suspend_and_resume(self):
        with self.client() as c:
            number = self.begin(c, "$ cycles 100000\n$ pace 0.01")
            c.status(number, "Running")
            c.call("suspendJob", id=number)
            c.status(number, "Suspended")
            c.call("resumeJob", id=number)
            self.assertEqual([p["params"]["payload"]["status"] for p in c.told if "status" in p["params"].get("payload", {}) and p["method"] == "update_data"][-1], "Running")
            c.call("stopJob", id=number)
            c.status(number, "Finished")  # its stop file lets it end as it should

    def test_runaway_output_is_bounded(self):
        with self.client() as c:
            number = self.begin(c, "$ cycles 1\n$ runaway 1000")
            c.status(number, "Finished", 120)
            self.assertLess(len(c.output(number)), 20_000_000)
            self.assertIn("left out", c.output(number))
            log = c.call("getJobLog", id=number, **{"from": 500_000_000})
            self.assertGreater(log["skipped"], 100_000_000)
            self.assertIn("N o r m a l", log["text"])

    def test_cleaning_keeps_what_it_was_not_told_to_move(self):
        path = self.deck("$ cycles 1")
        folder = os.path.dirname(path)
        for name in ("d3plot", "d3hsp", "mesh.inc", "curve.asc", "notes.txt", "d3part.k"):
            with open(f"{folder}/{name}", "w") as f:
                f.write("x")
        with self.client() as c:
            self.assertFalse(c.call("isFolderEmpty", input_file=path))
            got = c.call("cleanFolder", input=path)
            self.assertEqual(sorted(got["moved"]), ["d3hsp", "d3plot"])
            self.assertTrue(c.call("isFolderEmpty", input_file=path))
            self.assertTrue(c.call("isFolderEmpty", input_file=self.launcher.runs + "/none/main.k"))
            self.assertEqual({"mesh.inc", "curve.asc", "notes.txt", "d3part.k", "main.k"} - set(os.listdir(folder)), set())
            trash = folder + "/" + got["trash"]
            self.assertEqual(sorted(os.listdir(trash + "/" + os.listdir(trash)[0])), ["d3hsp", "d3plot"])

    def test_a_start_says_what_it_moved(self):
        path = self.deck("$ cycles 1")
        for name in ("d3plot", "d3hsp", "mesh.inc"):
            with open(f"{os.path.dirname(path)}/{name}", "w") as f:
                f.write("x")
        with self.client() as c:
            number = self.begin(c, path=path)
            said = c.wait(lambda m, p: m == "update_data" and p["id"] == number and "moved" in p["payload"].get("message", ""))["payload"]["message"]
            self.assertEqual((said[:25], sorted(said.split()[3:])), ("moved to .farmgate-trash:", ["d3hsp", "d3plot"]))
            c.status(number, "Finished")
            self.assertEqual(next(r["message"] for r in c.call("getFullJobList") if r["id"] == number), said)

    def test_same_input_runs_once(self):
        with self.client() as c:
            path = self.deck("$ cycles 1\n$ end hang")
            number = c.call("startJob", job_data=self.job(path=path))["id"]
            self.assertTrue(c.call("isjobRunning", input=path))
            with self.assertRaises(wire.RpcError) as e:
                c.call("startJob", job_data=self.job(path=path))
            self.assertEqual((e.exception.code, e.exception.message), (10, "Job is already running."))
            c.status(number, "Running")
            c.call("KillProcessByJobId", id=number)
            c.status(number, "Stopped")
            self.assertFalse(c.call("isjobRunning", input=path))

    def test_one_run_in_a_folder(self):
        """Else one would write over the other's output, clean it away, and stop it by its own stop file: whatever the input is called."""
        path = self.deck("$ cycles 1\n$ end hang")
        folder = os.path.dirname(path)
        os.symlink(os.path.basename(folder), folder + ".link")
        with open(folder + "/other.k", "w") as deck:
            deck.write("$ cycles 1\n")
        aliases = [folder + "/other.k", folder + "/./main.k", folder + "//main.k", folder + "/../" + os.path.basename(folder) + "/main.k", folder + ".link/other.k"]
        with self.client() as c:
            number = c.call("startJob", job_data=self.job(path=path))["id"]
            c.status(number, "Running")
            for alias in aliases:
                with self.assertRaises(wire.RpcError, msg=alias) as e:
                    c.call("cleanFolder", input=alias)
                self.assertEqual(e.exception.code, 10, alias)
            waiting = c.call("startJob", job_data=self.job(path=aliases[0]))["id"]
            self.assertEqual([(q["id"], q["why"]) for q in c.call("getQueue")], [(waiting, "another run is in its folder")])
            elsewhere = self.begin(c, "$ cycles 1", ncpu="7")  # who waits for a folder keeps no cores
            c.status(elsewhere, "Finished")
            self.assertTrue(os.path.exists(folder + "/d3plot") or os.path.exists(folder + "/stdout"))
            c.call("KillProcessByJobId", id=number)
            c.status(number, "Stopped")
            c.status(waiting, "Finished")

    def test_charts_take_their_turn(self):
        """Reading them takes time that everybody waits for."""
        with self.client() as c:
            ids = []
            for _ in range(2):
                job = self.job("$ cycles 1")
                ids.append(c.call("startJob", job_data=job)["id"])
                c.status(ids[-1], "Finished")
                with open(os.path.dirname(job["input"]) + "/glstat", "w") as f:
                    f.write(" time........................... 1.0\n" * 1500000)
            c.send(json.dumps([{"jsonrpc": "2.0", "id": f"c{i}", "method": "getCharts", "params": {"id": ids[i]}} for i in range(2)]))
            self.assertIn("result", c.answer("c0"))
            self.assertEqual(c.answer("c1")["error"]["code"], 10)

            def again():
                try:
                    return c.call("getCharts", id=ids[1])["time"]
                except wire.RpcError:
                    return None
            launch.until(again)

    def test_a_solver_that_makes_its_stdout_long(self):
        """Terabytes of nothing are not read to their end."""
        with self.client() as c:
            number = self.begin(c, "$ cycles 1\n$ stretch 8")
            c.status(number, "Finished")
            self.assertEqual(c.call("getQueue"), [])

    def test_control_characters_are_long_as_json(self):
        """What is shown of all runs together is bounded as it is sent, not as it was written."""
        with self.client() as c:
            number = self.begin(c, "$ cycles 1\n$ bells 90")
            c.status(number, "Finished")
            text = c.call("getRunningShells")[str(number)]["stdout"]
            self.assertIn("\x01", text)
            self.assertIn("N o r m a l", text)
            self.assertLess(len(json.dumps(text)), 400_000)

    def test_commands_that_no_template_allows(self):
        path = self.deck("")
        with self.client() as c:
            for change in ({"expr": "$SOLVER i=$INPUT; id"}, {"command": "/bin/sh -c id"}, {"solver": "/bin/sh"}, {"ncpu": "99"}, {"ncpu": "x"}, {"memory": "1m;id"},
                           {"expr": "$SOLVER i=/etc/passwd ncpu=$NCPU memory=$MEMORY"}, {"input": "/etc/passwd"}, {"input": 5}, {"expr": "", "command": ""}):
                with self.assertRaises(wire.RpcError, msg=change) as e:
                    c.call("startJob", job_data={**self.job(path=path), **change})
                self.assertIn(e.exception.code, (40, -32602), change)
                self.assertTrue(e.exception.error.get("data"), change)
            self.assertEqual(c.call("getQueue"), [])

    def test_ten_ways_out_of_the_folders(self):
        outside = self.launcher.dir + "/outside"
        inside = os.path.dirname(self.deck(""))
        ways = ways_out(self.launcher, inside)
        with self.client() as c:
            for way in ways:
                if "\0" not in way:
                    self.assertFalse(c.call("fileExists", input=way), way)
                for method, params in (("startJob", {"job_data": self.job(path=way)}), ("addToQueue", {"job_data": self.job(path=way)}), ("cleanFolder", {"input": way})):
                    with self.assertRaises(wire.RpcError, msg=(way, method)):
                        c.call(method, **params)
            self.assertTrue(c.call("fileExists", input=SOLVER))
            self.assertTrue(c.call("fileExists", input=inside + "/main.k"))
            for name in ('a" & calc.k', "a\\b.k", "a\nb.k"):  # they are there, but the stock front-end makes command lines of what is started
                shutil.copy(inside + "/main.k", f"{inside}/{name}")
                with self.assertRaises(wire.RpcError, msg=name):
                    c.call("startJob", job_data=self.job(path=f"{inside}/{name}"))
        with open(outside + "/main.k") as f:
            self.assertEqual(f.read(), "secret")
        self.assertEqual(os.listdir(outside), ["main.k"])


RADIOSS = """
 NC=       0 T= 0.0000E+00 DT= 1.2019E-03 ERR=  0.0% DM/M= 0.0000E+00
 NC=     100 T= 2.5000E-01 DT= 1.2019E-03 ERR=  0.1% DM/M= 2.0000E-02
 ELAPSED TIME=          1.00 s  REMAINING TIME=          3.00 s
"""


class Rules(launch.Case):
    """Other solvers by rule files alone; here `cat` says what is in its input."""
    settings = "cores = 4\n"

    @classmethod
    def setUpClass(cls):
        cls.rules = tempfile.mkdtemp(prefix="farmgate-rules-")
        with open(cls.rules + "/own.rules", "w") as f:
            f.write('[solver]\nname = Own\n[line]\nstarted = "begin"\nend = "steps in all" last\ncurrent = "step" token 2\nnormal = "all is well"\nerror = "help"\n')
        cls.more = "".join(f"[solver {name}]\nprogram = /bin/cat\nrules = {rules}\n" for name, rules in
                           (("radioss", "openradioss"), ("any", "generic"), ("own", cls.rules + "/own.rules")))
        cls.more += "[template cat]\nsolvers = radioss any own\ncommand = $SOLVER $INPUT\n"
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.rules)

    def test_each(self):
        with self.client() as c:
            for solver, text, status, last in (("radioss", RADIOSS + "     NORMAL TERMINATION\n", "Finished", 100), ("radioss", RADIOSS + "     ERROR TERMINATION\n", "Error", 25),
                                               ("radioss", RADIOSS, "Error", 25), ("any", "reading\n[ 42%] Building\nprogress: 60.5 %\n", "Finished", 100),
                                               ("own", "begin\nof 40 steps in all 40\nstep 10 done\nall is well\n", "Finished", 100), ("own", "begin\nsteps in all 40\nstep 10\nhelp\n", "Error", 25)):
                path = self.deck("")
                with open(path, "w") as f:
                    f.write(text)
                number = c.call("startJob", job_data={"input": path, "solver": solver, "ncpu": 1, "expr": "$SOLVER $INPUT", "memory": ""})["id"]
                p = c.status(number, status)["payload"]
                self.assertEqual(p["progress"], last, (solver, text, p))
            row = next(r for r in c.call("getFullJobList") if r["solver"] == "radioss")
            self.assertEqual((row["current"], row["pct_mass"]), (0.25, 0.02))


class Hosts(unittest.TestCase):
    """Two launchers on one state, each for its host."""
    deck, job, begin, number = launch.Case.deck, launch.Case.job, launch.Case.begin, 0

    def test_each_serves_its_own(self):
        self.launcher = launch.Launcher("cores = 1")
        other = launch.Launcher("cores = 1")
        try:
            other.kill()
            with open(other.dir + "/launcher.conf") as f:
                text = f.read().replace("host = testhost", "host = elsewhere").replace(f"state_dir = {other.dir}/state", f"state_dir = {self.launcher.dir}/state")
            with open(other.dir + "/launcher.conf", "w") as f:
                f.write(text)
            other.start()
            with wire.Client(self.launcher.port) as here, wire.Client(other.port) as there:
                first = self.begin(here, "$ cycles 100000\n$ pace 0.05")
                waits = self.begin(here, "$ cycles 1")
                self.launcher, this = other, self.launcher
                theirs = self.begin(there, "$ cycles 2")
                self.launcher = this
                there.status(theirs, "Finished")  # a busy host is none of its business
                self.assertEqual([r["id"] for r in there.call("getFullJobList")], [theirs])
                self.assertEqual(there.call("getQueue"), [])
                self.assertEqual([q["id"] for q in here.call("getQueue")], [waits])
                self.assertNotIn(theirs, [r["id"] for r in here.call("getFullJobList")])
                with self.assertRaises(wire.RpcError):
                    there.call("KillProcessByJobId", id=first)
            this.kill()
            with wire.Client(other.port) as there:
                self.assertEqual(there.call("getQueue"), [])
            this.start()
            with wire.Client(this.port) as here:
                here.call("stopJob", id=first)
                here.status(first, "Finished")
                here.status(waits, "Finished")
        finally:
            other.close()
            self.launcher.close()


class Hooks(http.server.BaseHTTPRequestHandler):
    heard = []

    def do_POST(self):
        self.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Mailbox(socketserver.StreamRequestHandler):
    heard = []

    def handle(self):
        def say(text):
            self.wfile.write(text.encode() + b"\r\n")
        say("220 here")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                say("354 go on")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += self.rfile.readline()
                self.heard.append(text.decode())
            say("221 bye" if word == b"QUIT" else "250 ok")
            if word == b"QUIT":
                return


class Notices(unittest.TestCase):
    """Mail and webhook at an end, and the environment of solvers."""
    deck, job, begin, number = launch.Case.deck, launch.Case.job, launch.Case.begin, 0

    def test_webhook_mail_and_environment(self):
        servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hooks), socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)]
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        web, smtp = (server.server_address[1] for server in servers)
        self.launcher = launch.Launcher(f"cores = 2\nwebhook = http://127.0.0.1:{web}/hook\nmail_server = smtp://127.0.0.1:{smtp}\nmail_from = farm@example.org\n"
                                        "mail_to = ada@example.org bob@example.org\nenvironment = LSTC_LICENSE_SERVER=licences.example.org\n",
                                        more="[solver env]\nprogram = /usr/bin/env\nrules = generic\n[template env]\nsolvers = env\ncommand = $SOLVER\n")
        try:
            with wire.Client(self.launcher.port) as c:
                number = self.begin(c, "$ cycles 1\n$ end error")
                c.status(number, "Error")
                until(lambda: Hooks.heard and Mailbox.heard)
                self.assertEqual((Hooks.heard[0]["id"], Hooks.heard[0]["status"], Hooks.heard[0]["host"]), (number, "Error", "testhost"))
                self.assertIn(f"Subject: Run {number} on testhost: Error", Mailbox.heard[0])
                number = c.call("startJob", job_data={"input": self.deck(""), "solver": "env", "ncpu": 2, "expr": "$SOLVER", "memory": ""})["id"]
                c.status(number, "Finished")
                lines = c.call("getJobLog", id=number)["text"].splitlines()
                self.assertIn("LSTC_LICENSE_SERVER=licences.example.org", lines)
                self.assertIn("OMP_NUM_THREADS=2", lines)
                self.assertFalse([line for line in lines if line.startswith("FARMGATE")])
        finally:
            self.launcher.close()
            for server in servers:
                server.shutdown()
                server.server_close()


class Licensed(launch.Case):
    """Four cores, and a licence server of which the test says what it says."""
    settings = "cores = 4\n"
    solver = "licence = lstc\nlicence_per = core\n"

    @classmethod
    def setUpClass(cls):
        cls.tools = tempfile.mkdtemp(prefix="farmgate-licence-")
        cls.more = LICENCES.format(cls.tools)
        cls.licences(0, 32)
        with open(cls.tools + "/list", "w") as f:
            f.write("                     Running Programs\n\n    User             Host          Program              Started       # procs\n"
                    "-----------------------------------------------------------------------------\n"
                    "  thomas    12345@node01 LS-DYNA_971        Sun Nov 22 03:10     8 1\n")
        with open(cls.tools + "/slow", "w") as f:
            f.write("---\nthomas 7@slow LS-DYNA_971 Sun Nov 22 03:10 8 1\n")
        with open(cls.tools + "/killer", "w") as f:
            f.write("echo Program queued for termination\nexec sleep 1000\n")
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.tools)

    @classmethod
    def licences(cls, used, total):
        with open(cls.tools + "/count.new", "w") as f:
            f.write(f"  LS-DYNA   12/31/2026   {used} of   {total} available (x)" if total else "no server")
        os.rename(cls.tools + "/count.new", cls.tools + "/count")


class Queue(Licensed):
    def tearDown(self):
        with self.client() as c:
            while c.call("getQueue"):
                c.call("removeFromQueue", position=0)
            for number, job in c.call("getRunningShells").items():
                if job["status"] in ("Starting", "Running"):
                    until(lambda: self.try_kill(c, int(number)))
                    until(lambda: c.call("getRunningShells")[number]["status"] not in ("Starting", "Running"))
        self.licences(0, 32)

    @staticmethod
    def try_kill(c, number):
        try:
            c.call("KillProcessByJobId", id=number)
            return True
        except wire.RpcError:
            return False

    HANG = "$ cycles 1\n$ end hang"

    def wait_licences(self, c, want):
        until(lambda: c.call("getLicCount")[:2] == want)

    def test_cores_backfill_and_at_once(self):
        with self.client() as c:
            self.wait_licences(c, [0, 32])
            a = self.begin(c, self.HANG, ncpu="3")
            b = self.begin(c, self.HANG, ncpu=4)      # the host's all: waits, and nothing passes it
            d = self.begin(c, self.HANG, ncpu="1")
            queue = c.call("getQueue")
            self.assertEqual([(q["id"], q["position"], q["why"]) for q in queue], [(b, 0, "waits for cores"), (d, 1, "waits behind the first of the queue")])
            self.assertEqual(c.call("getLicCount")[2], 5)
            self.assertEqual(c.call("switchPositionQueue", initial="1", new=0), 1)
            c.status(d, "Running")                    # now the first, and it fits beside a
            self.assertEqual([q["id"] for q in c.call("getQueue")], [b])
            c.status(a, "Running")
            self.try_kill(c, a)
            self.try_kill(c, d)
            c.status(b, "Running")

    def test_licences(self):
        with self.client() as c:
            self.licences(31, 32)
            self.wait_licences(c, [31, 32])
            a = self.begin(c, self.HANG, ncpu="2")
            until(lambda: c.call("getQueue")[0]["why"] == "waits for licences")
            self.licences(0, 0)
            self.wait_licences(c, [0, 0])             # unknown: none is free, for all we know
            until(lambda: "does not say" in c.call("getQueue")[0]["why"])
            self.licences(4, 32)
            c.status(a, "Running")

    def test_the_list_and_the_kill(self):
        with self.client() as c:
            rows = until(lambda: c.call("getQrunJobs"))
            self.assertEqual(rows[:1], [{"user": "thomas", "host": "12345@node01", "program": "LS-DYNA_971", "started": "Sun Nov 22 03:10", "procs": "8", "josbs": "1", "jobs": "1"}])
            self.assertEqual(c.call("qKillJob", host="12345@node01")["success"], True)
            for other in ("1@elsewhere", "2345@node01", "12345@node0"):
                self.assertEqual(c.call("qKillJob", host=other), {"success": False, "message": "no licence server lists this program"})

    def test_a_slow_licence_server_delays_nobody(self):
        with self.client() as c, self.client(rpc=True) as other:
            until(lambda: len(c.call("getQrunJobs")) == 2)
            c.frames.clear()
            kill, queue = ({"jsonrpc": "2.0", "id": name, "method": method, "params": params}
                           for name, method, params in (("kill", "qKillJob", {"host": "7@slow"}), ("queue", "getQueue", {})))
            c.send(json.dumps(kill))
            c.send(json.dumps(queue))
            self.assertEqual(c.answer("queue")["result"], [])
            self.assertEqual(other.call("getQueue"), [])
            self.assertNotIn("kill", c.answers)
            self.assertEqual(c.answer("kill")["result"], {"success": True, "message": "Program queued for termination\n"})
            other.frames.clear()
            other.send(json.dumps([kill, queue, {**kill, "id": None}]))
            self.assertEqual(c.call("getQueue"), [])
            while not any('"kill"' in text for text in other.frames):
                other.step()
            got = json.loads(next(text for text in other.frames if '"kill"' in text))
            self.assertEqual([one["id"] for one in got], ["queue", "kill", None])
            c.send(json.dumps(kill))
        with self.client() as c:  # who asked has gone
            self.assertEqual(c.call("getQueue"), [])

    def test_editing(self):
        with self.client() as c:
            first = self.begin(c, self.HANG, ncpu="4")
            paths = [self.deck(self.HANG) for _ in range(3)]
            for path in paths:
                self.assertIsNone(c.call("addToQueue", job_data=self.job(path=path, ncpu="4")))
            self.assertTrue(c.call("isInQueue", input=paths[0]))
            with self.assertRaises(wire.RpcError) as e:
                c.call("addToQueue", job_data=self.job(path=paths[0]))
            self.assertEqual((e.exception.code, e.exception.message), (10, "Job is already in queue."))
            ids = [q["id"] for q in c.call("getQueue")]
            for bad in (0, 99):
                with self.assertRaises(wire.RpcError) as e:
                    c.call("setNcpuQueue", id=ids[0], ncpu=bad)
                self.assertEqual((e.exception.code, e.exception.message), (10, "Can't set NCPU."))
            self.assertEqual(c.call("setNcpuQueue", id=ids[1], ncpu="2"), 1)
            self.assertIn("ncpu=2", c.call("getQueue")[1]["command"])
            self.assertIsNone(c.call("setNcpuQueue", id=12345, ncpu=2))
            self.assertEqual(c.call("setPriority", id=ids[2], priority=5), 1)
            self.assertEqual([q["id"] for q in c.call("getQueue")], [ids[2], ids[0], ids[1]])
            with self.assertRaises(wire.RpcError) as e:
                c.call("switchPositionQueue", initial=0, new=0)
            self.assertEqual(e.exception.message, "Can't switch position.")
            self.assertIsNone(c.call("removeFromQueue", position="0"))
            self.assertEqual([(q["id"], q["position"]) for q in c.call("getQueue")], [(ids[0], 0), (ids[1], 1)])
            with self.assertRaises(wire.RpcError):
                c.call("removeFromQueue", position=7)
            c.status(first, "Running")


CLIENT = os.path.join(launch.BUILD, "launcher_client", "node_modules")


@unittest.skipUnless(shutil.which("node") and os.path.exists(CLIENT + "/socket.io-client") and os.path.exists(CLIENT + "/json-rpc-2.0"),
                     "socket.io-client and json-rpc-2.0 are not here: runtests brings them where there is npm and its registry can be reached")
class RealClient(Licensed):
    def drive(self, transport):
        try:
            done = subprocess.run(["node", TOP + "/tests/launcher_client/drive.js", CLIENT, f"http://127.0.0.1:{self.launcher.port}", transport, self.launcher.runs, SOLVER],
                                  capture_output=True, text=True, timeout=400)
        except subprocess.TimeoutExpired as late:
            self.fail(f"came as far as {late.stdout}")
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1:]), (0, ["done"]), done.stdout + done.stderr)
        return done.stdout

    def test_websocket(self):
        self.assertIn("transport websocket", self.drive("websocket"))

    def test_all_ends(self):
        """Of runs, of the launcher in the middle of one, and of ten ways out of its folders."""
        process = subprocess.Popen(["node", TOP + "/tests/launcher_client/drive.js", CLIENT, f"http://127.0.0.1:{self.launcher.port}", "ends", self.launcher.runs, SOLVER,
                                    json.dumps([way for way in ways_out(self.launcher, os.path.dirname(self.deck(""))) if "\0" not in way])], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        timer = threading.Timer(400, process.kill)
        timer.start()
        try:
            lines = []
            for line in process.stdout:
                lines.append(line.rstrip())
                if line.startswith("licences"):
                    self.licences(int(line.split()[1]), 32)
                if line == "restart\n":
                    self.launcher.kill()
                    self.launcher.start()
            self.assertEqual((process.wait(), lines[-1:]), (0, ["done"]), lines[-10:])
        finally:
            timer.cancel()
            process.kill()
            process.wait()
            process.stdout.close()

    def test_polling(self):
        self.assertIn("transport polling", self.drive("polling"))

    def test_polling_that_is_upgraded(self):
        self.assertIn("transport websocket", self.drive("upgrade"))


class Portal(farm.Case):
    """Behind the web server, with the portal's people."""

    def test_who_may_come_in(self):
        f = self.farm
        runs, door = f.dir + "/runs", launch.free_port()
        os.mkdir(runs)
        with open(f.dir + "/launcher.conf.new", "w") as conf:  # until it is there the launcher only waits
            conf.write(f"[launcher]\nhost = here\nfolder = {runs}\nrules_dir = {TOP}/share/launch\nusers = ada bob\noperators = olga\ncores = 1\nqueue_max = 6\nnetworks = 192.0.2.0/24\nlisten = 127.0.0.1:{door}\n"
                       f"[solver dyna]\nprogram = {SOLVER}\nrules = ls-dyna\n[template smp]\ncommand = {launch.EXPR}\n")
        os.rename(f.dir + "/launcher.conf.new", f.dir + "/launcher.conf")
        until(lambda: os.path.exists(f.dir + "/run/launcher.sock"))
        for name in ("ada", "bob", "eve", "olga"):
            f.user(name)
        ada, bob, eve, olga = (farm.Visitor(f, name) for name in ("ada", "bob", "eve", "olga"))
        self.assertEqual([who.get("/api/status").json["launcher"] for who in (ada, olga, eve, farm.Visitor(f))], [True, True, False, False])  # who sees the link
        for cookie, origin in ((None, None), (eve.cookie, None), (ada.cookie, "http://evil.example")):
            headers = ([f"Cookie: {cookie}"] if cookie else []) + ([f"Origin: {origin}"] if origin else [])
            for rpc in (True, False):
                with self.assertRaises(wire.Refused, msg=headers):
                    wire.Client(f.port, rpc=rpc, headers=headers)
        with self.assertRaises(wire.Refused):  # only the web server's word counts
            wire.Client(f.port, rpc=True, headers=["X-Forwarded-For: 192.0.2.1"])
        os.mkdir(runs + "/a")
        with open(runs + "/a/main.k", "w") as deck:
            deck.write("$ cycles 2\n")
        job = {"input": runs + "/a/main.k", "solver": SOLVER, "ncpu": 1, "expr": launch.EXPR, "memory": "1m", "sender": "somebody else"}
        with wire.Client(f.port, rpc=True, headers=[f"Cookie: {ada.cookie}", f"Origin: http://127.0.0.1:{f.port}"]) as c:
            number = c.call("startJob", job_data=job)["id"]
            c.status(number, "Finished")
            self.assertEqual(c.call("getFullJobList")[0]["sender"], "ada")
        self.whose_runs(job, *(wire.Client(f.port, rpc=True, headers=[f"Cookie: {who.cookie}"]) for who in (ada, bob, olga)))
        with self.assertRaises(wire.Refused):  # browsers bring cookies to each port of a host; doors of its own don't look at them
            wire.Client(door, rpc=True, headers=[f"Cookie: {ada.cookie}"])
        with wire.Client(f.port, headers=[f"Cookie: {ada.cookie}"]) as c:
            self.assertEqual(len(c.call("getFullJobList")), 9)
            f.admin("user", "disable", "ada")  # also those who are in already go
            with self.assertRaises((ConnectionError, OSError)):
                while True:
                    c.step(60)


    def whose_runs(self, job, ada, bob, olga):
        """Who is known steers their own runs; operators all."""
        self.assertEqual([(c.call("getSettings")["user"], c.call("getSettings")["steers"]) for c in (ada, bob, olga)], [("ada", False), ("bob", False), ("olga", True)])
        decks = {}
        for name, deck in (("b", "$ cycles 1\n$ end hang"), ("c", ""), ("d", ""), ("e", "")):
            decks[name] = {**job, "input": os.path.dirname(os.path.dirname(job["input"])) + f"/{name}/main.k"}
            os.mkdir(os.path.dirname(decks[name]["input"]))
            with open(decks[name]["input"], "w") as f:
                f.write(deck)
        number = ada.call("startJob", job_data=decks["b"])["id"]
        ada.status(number, "Running")
        bobs = bob.call("startJob", job_data=decks["c"])["id"]
        adas = ada.call("startJob", job_data=decks["d"])["id"]
        for method, params in (("stopJob", {}), ("KillProcessByJobId", {}), ("suspendJob", {}), ("sendD3kill", {"payload": "sw1"}), ("removeShell", {})):
            self.refused(bob, "is of ada; only they", method, id=number, **params)
        self.refused(ada, "is of bob", "removeFromQueue", position=0)
        self.refused(ada, "is of bob", "setNcpuQueue", id=bobs, ncpu=1)
        self.refused(ada, "is of bob", "setPriority", id=bobs, priority=-1)
        self.refused(ada, "is of bob", "switchPositionQueue", initial=1, new=0)
        self.refused(ada, "for operators and admins", "setPriority", id=adas, priority=1)
        self.refused(ada, "for operators and admins", "addToQueue", job_data={**decks["e"], "priority": 1})
        self.refused(ada, "for operators and admins", "qKillJob", host="x")
        self.assertEqual(bob.call("switchPositionQueue", initial=0, new=1), 1)  # gives way
        self.assertEqual([q["id"] for q in ada.call("getQueue")], [adas, bobs])
        self.assertEqual(olga.call("setPriority", id=bobs, priority=9), 1)
        self.assertEqual([q["id"] for q in ada.call("getQueue")], [bobs, adas])
        olga.call("KillProcessByJobId", id=number)
        for c, one in ((ada, number), (bob, bobs), (ada, adas)):
            c.status(one, "Stopped" if one == number else "Finished")
        hanging = ada.call("startJob", job_data=decks["b"])["id"]
        ada.status(hanging, "Running")
        for i in range(4):  # one person has half of the queue
            os.makedirs(os.path.dirname(os.path.dirname(job["input"])) + f"/f{i}")
            path = os.path.dirname(os.path.dirname(job["input"])) + f"/f{i}/main.k"
            shutil.copy(decks["c"]["input"], path)
            if i == 3:
                self.refused(bob, "half of the queue", "addToQueue", job_data={**job, "input": path})
                olga.call("addToQueue", job_data={**job, "input": path})
            else:
                bob.call("addToQueue", job_data={**job, "input": path})
        while olga.call("getQueue"):
            olga.call("removeFromQueue", position=0)
        olga.call("KillProcessByJobId", id=hanging)
        ada.status(hanging, "Stopped")
        for c in (ada, bob, olga):
            c.close()

    def refused(self, c, why, method, **params):
        with self.assertRaises(wire.RpcError, msg=method) as e:
            c.call(method, **params)
        self.assertEqual(e.exception.code, 40)
        self.assertIn(why, e.exception.message)


class PortalLighttpd(Portal):
    server = "lighttpd"


class Manual(unittest.TestCase):
    def test_the_settings_of_the_manual_are_taken(self):
        with open(TOP + "/doc/operations.md") as f:
            part = f.read().split("\n## The launcher\n")[1].split("\n## ")[0]
        sample = "\n".join(line[4:] for line in part.splitlines() if line.startswith("    "))
        with tempfile.TemporaryDirectory() as folder:
            port = launch.free_port()
            sample = sample.replace("/data/runs", folder).replace("0.0.0.0:5568", f"127.0.0.1:{port}").replace("10.1.0.0/16", "127.0.0.0/8")
            with open(folder + "/launcher.conf", "w") as f:
                f.write(f"[launcher]\nstate_dir = {folder}/state\nrules_dir = {TOP}/share/launch\n" + sample)
            process = subprocess.Popen([launch.BUILD + "/farmgate-launcher", "--settings", folder + "/launcher.conf"], stderr=subprocess.PIPE, text=True)
            try:
                line = process.stderr.readline()
                self.assertIn("launcher.ready", line)
                with wire.Client(port, rpc=True) as c:
                    settings = c.call("getSettings")
                    self.assertEqual((settings["cores"], [t["name"] for t in settings["templates"]]), (16, ["smp", "restart"]))
                    self.assertEqual(c.call("getLicCount"), [0, 0, 0])  # no licence tool here: unknown
            finally:
                process.terminate()
                process.wait(30)
                process.stderr.close()


class Restarts(unittest.TestCase):
    def setUp(self):
        self.launcher = launch.Launcher("cores = 4\nrequeue = 1")

    def tearDown(self):
        self.launcher.close()

    deck, job, begin = launch.Case.deck, launch.Case.job, launch.Case.begin
    number = 0

    def client(self):
        return wire.Client(self.launcher.port)

    def test_killed_in_the_middle(self):
        with self.client() as c:
            ending = self.begin(c, "$ cycles 5\n$ pace 0.1")
            going = self.begin(c, "$ cycles 100000\n$ pace 0.05")
            waiting = self.begin(c, "$ cycles 1", ncpu="4")
            c.status(going, "Running")
            c.status(ending, "Running")
        self.launcher.kill()
        until(lambda: os.path.exists(f"{self.launcher.dir}/state/launcher/{ending}.result"))
        self.launcher.start()
        with self.client() as c:
            rows = {r["id"]: r for r in c.call("getFullJobList")}
            self.assertEqual((rows[ending]["status"], rows[ending]["progress"]), ("Finished", "100"))
            self.assertEqual(rows[going]["status"], "Running")
            self.assertEqual([q["id"] for q in c.call("getQueue")], [waiting])
            shells = c.call("getRunningShells")
            c.told.clear()  # the shells hold what was told before them
            self.assertIn("N o r m a l", shells[str(ending)]["stdout"])
            self.assertIn("Livermore", shells[str(going)]["stdout"])
            c.wait(lambda m, p: m == "appendToShell" and p["id"] == going)
            with open(os.path.dirname(rows[going]["input"]) + "/stdout") as f:
                self.assertTrue(f.read().startswith(shells[str(going)]["stdout"] + c.output(going)), "nothing twice, nothing lost")
            c.call("sendD3kill", id=going, payload="sw1")
            c.status(going, "sw1")
            c.status(waiting, "Finished")

    def test_a_run_that_vanishes(self):
        with self.client() as c:
            number = self.begin(c, "$ cycles 1\n$ end hang\n$ forks 1")
            c.status(number, "Running")
            solver = c.wait(lambda m, p: m == "update_data" and "pid" in p["payload"])["payload"]["pid"]
            os.kill(self.launcher.pids()[0], signal.SIGKILL)
            self.assertIn("vanished", c.status(number, "Stopped")["payload"]["message"])
            until(lambda: not os.path.exists(f"/proc/{solver}") or " Z " in open(f"/proc/{solver}/stat").read())

    def test_pid_reuse_and_host_restart(self):
        with self.client() as c:
            number = self.begin(c, "$ cycles 100000\n$ pace 0.05")
            c.status(number, "Running")
        self.launcher.kill()
        db = sqlite3.connect(self.launcher.dir + "/state/farmgate.db")
        db.execute("UPDATE run SET boot = 'another boot' WHERE id = ?", (number,))
        db.commit()
        db.close()
        runner = self.launcher.pids()[0]
        bystander = subprocess.Popen(["sleep", "1000"])  # has the pid that the file of an earlier boot names
        try:
            path = f"{self.launcher.dir}/state/launcher/{number}.run"
            with open(path) as f:
                words = f.read().split()
            with open(path, "w") as f:
                f.write(" ".join([str(bystander.pid), words[1], str(bystander.pid), *words[3:]]))
            os.kill(runner, signal.SIGQUIT)
            until(lambda: not self.launcher.pids())
            self.launcher.start()
            with self.client() as c:
                row = next(r for r in c.call("getFullJobList") if r["id"] == number)
                self.assertEqual((row["status"], row["message"]), ("Stopped", "the host was restarted"))
                until(lambda: any(r["input"] == row["input"] and r["id"] != number for r in c.call("getFullJobList")))
            self.assertIsNone(bystander.poll())
        finally:
            bystander.kill()
            bystander.wait()

    def test_a_farmgate_run_that_can_not_be_started(self):
        self.launcher.kill()
        with open(self.launcher.dir + "/launcher.conf") as f:
            text = f.read()
        with open(self.launcher.dir + "/launcher.conf", "w") as f:
            f.write("[launcher]\nrun_program = /nowhere/farmgate-run\n" + text)
        self.launcher.start()
        with self.client() as c:
            number = self.begin(c, "")
            c.status(number, "Stopped")
            self.assertEqual(c.call("getCoreAllocationStatus")["allocated_cores"], 0)

    def test_one_launcher_a_host(self):
        second = subprocess.run([launch.BUILD + "/farmgate-launcher", "--settings", self.launcher.dir + "/launcher.conf"], capture_output=True, text=True)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another launcher works for testhost", second.stderr)
        self.assertEqual(self.launcher.stop(), 0)


if __name__ == "__main__":
    tap.main()
