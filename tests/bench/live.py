"""live: how long viewers and idle workers wait for news: one farm, many WebSockets, one change after another.

    make bench        or        live.py [VIEWERS] [CHANGES]
"""
import os
import selectors
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import farm  # noqa: E402
import websocket  # noqa: E402


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


class Crowd:
    """Sockets that note when each got something; none is parsed."""

    def __init__(self, sockets):
        self.selector, self.sockets = selectors.DefaultSelector(), sockets
        for s in sockets:
            s.sock.setblocking(False)
            self.selector.register(s.sock, selectors.EVENT_READ)

    def drain(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for key, _ in self.selector.select(0.05):
                key.fileobj.recv(1 << 20)

    def times(self, most):
        """When each socket had its first bytes."""
        seen, end = {}, time.monotonic() + most
        while len(seen) < len(self.sockets) and time.monotonic() < end:
            for key, _ in self.selector.select(0.05):
                key.fileobj.recv(1 << 20)
                seen.setdefault(key.fd, time.monotonic())
        return list(seen.values())


def viewers(f, count, changes):
    ada = farm.Visitor(f, "ada")
    sockets = [websocket.Socket(f.port, headers=[("Cookie", ada.cookie)]) for _ in range(count)]
    for s in sockets:
        s.send(body="get_active_jobs")
    crowd = Crowd(sockets)
    crowd.drain(3)
    waits, lost = [], 0
    pid = f.processes("live")[0]
    ticks = os.sysconf("SC_CLK_TCK")
    def cpu():
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / ticks
    began = cpu()
    for i in range(changes):
        started = time.monotonic()
        ada.post(f"/api/projects/{f.watched}/{('pause', 'resume')[i % 2]}")
        got = crowd.times(5)
        waits += [t - started for t in got]
        lost += count - len(got)
        crowd.drain(0.3)
    print(f"{count} viewers, {changes} changes, from the request that makes the change to the viewer's bytes: p50 {percentile(waits, .5) * 1000:.0f} ms, "
          f"p99 {percentile(waits, .99) * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms, lost {lost}; daemon {(cpu() - began) / changes * 1000:.0f} ms of processor a change")
    for s in sockets:
        s.close()


def workers(f, rounds):
    w = farm.Client(f, "6.22306", "cleo", f.key("cleo"))
    w.config()
    head, waits = [("Cookie", w.cookie)], []
    seen = farm.request(f.port, "GET", "/live/work?seconds=0", head).body.split()[1].decode()
    for _ in range(rounds):
        times = {}
        def idle():
            nonlocal seen
            while True:
                seen = farm.request(f.port, "GET", f"/live/work?seconds=20&seen={seen}", head).body.split()[1].decode()
                job = w.job()
                if not isinstance(job, int):
                    times["job"] = time.monotonic()
                    w.upload(job, farm.png(32, 18))
                    return
        asker = threading.Thread(target=idle)
        asker.start()
        time.sleep(0.2)
        f.visitor.post(f"/api/projects/{f.waiting}/resume")
        times["began"] = time.monotonic()  # the answer: the task is there to be had
        asker.join(30)
        waits.append(times["job"] - times["began"])
        f.visitor.post(f"/api/projects/{f.waiting}/pause")
        time.sleep(0.1)
    print(f"an idle worker that waits at /live/work, {rounds} rounds, from a task being there to the task in its hands: p50 {percentile(waits, .5) * 1000:.0f} ms, "
          f"p99 {percentile(waits, .99) * 1000:.0f} ms")


def main():
    count, changes = (int(a) for a in (sys.argv[1:] + ["1000", "20"][len(sys.argv) - 1:])[:2])
    f = farm.Farm()
    try:
        f.renderer()
        f.user("ada", "submitter")
        f.visitor = farm.Visitor(f, "ada")
        f.watched = f.project("ada", frames="1-10")
        viewers(f, count, changes)
        f.visitor.post(f"/api/projects/{f.watched}/cancel")
        f.waiting = f.project("ada", frames="1-500")
        f.visitor.post(f"/api/projects/{f.waiting}/pause")
        workers(f, 50)
    finally:
        f.close()


main()
