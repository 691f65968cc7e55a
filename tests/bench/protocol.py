"""protocol: what lending and heartbeats cost beside an empty libfcgi program behind the same nginx.

    tests/bench/protocol.py [--rounds N]     (make bench; needs tests/bench/load and tests/bench/empty)

Every row is measured in the same run, in turn with the empty program; medians of the rounds. A lease is counted when the client received status 0 with a
job id that nobody got before; each has all its writes (task, lease row, counters, load of its owner).
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import farm  # noqa: E402

REQUESTS, CONNECTIONS, SESSIONS = 900, 4, 500
JOB, BEAT, EMPTY = "/server/request_job.php?computemethod=1", "/server/keepmealive.php", "/server/download_chunk.php"


class Bench:
    def __init__(self):
        self.programs = os.path.join(farm.BUILD, "tests", "bench", "programs")
        os.makedirs(self.programs + "/cgi-bin", exist_ok=True)
        for name in os.listdir(farm.BUILD + "/cgi-bin"):
            path = f"{self.programs}/cgi-bin/{name}"
            if os.path.lexists(path):
                os.unlink(path)
            if not name.endswith(".o") and name != ".deps" and name != ".dirstamp":
                os.symlink(f"{farm.BUILD}/tests/bench/empty" if name == "download_chunk" else f"{farm.BUILD}/cgi-bin/{name}", path)
        self.farm = farm.Farm(programs=self.programs, pool_max=4)
        self.farm.renderer()
        self.key = self.farm.key("bench", "worker", "submitter")
        self.cookies = self.farm.dir + "/cookies"
        with open(self.cookies, "w") as f:
            for i in range(SESSIONS):
                c = farm.Client(self.farm, "6.22306.0", "bench", self.key, host=f"m{i}")
                c.config()
                f.write(c.cookie + "\n")

    def load(self, target, wanted, requests=REQUESTS):
        done = subprocess.run([f"{farm.BUILD}/tests/bench/load", str(self.farm.port), "POST", target, self.cookies, str(requests), str(CONNECTIONS), wanted],
                              stdout=subprocess.PIPE, text=True, check=True)
        return {k: float(v) for k, v in (pair.split("=") for pair in done.stdout.split())}

    def back(self):
        """All that was lent waits again, without its history's cost."""
        self.farm.admin("sql", "UPDATE lease SET state = 'returned', ended_ms = since_ms WHERE state = 'live'")

    def leases(self):
        got = self.load(JOB, 'status="0"')
        assert got["good"] == got["distinct"] == REQUESTS, got
        self.back()
        return got


def rows(bench, rounds, measure):
    ours, empty = [], []
    for _ in range(rounds):
        empty.append(bench.load(EMPTY, 'status="0"', REQUESTS * 4)["rate"])
        ours.append(measure())
    return statistics.median(o["rate"] for o in ours), max(o["p99_ms"] for o in ours), statistics.median(empty)


def line(what, rate, p99, ratio, aim, good):
    print(f"{what:<58} {rate:8.0f}/s  p99 {p99:6.1f} ms  {ratio:6.2f} x   aim {aim:<12} {'' if good else 'MISSED'}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    bench = Bench()
    f = bench.farm
    try:
        print("\nprotocol: requests a second, and as a ratio to an empty libfcgi program behind the same nginx in the same run")
        f.project(owner="bench", frames=f"0-{REQUESTS * (2 * rounds + 6)}")
        bench.leases()
        for what, safe, aim in (("request_job, survives SIGKILL (NORMAL)", 0, 0.22), ("request_job, survives power loss (FULL)", 1, 0.10)):
            f.admin("set", "lease_power_safe", safe)
            time.sleep(1.5)
            rate, p99, empty = rows(bench, rounds, bench.leases)
            line(what, rate, p99, rate / empty, f">= {aim}", rate / empty >= aim and (safe or p99 <= 25))
        f.admin("set", "lease_power_safe", 0)
        rate, p99, empty = rows(bench, rounds, lambda: bench.load(BEAT, 'status="0"'))
        line("keepmealive", rate, p99, rate / empty, ">= 0.6", rate / empty >= 0.6)
        few = statistics.median(bench.leases()["rate"] for _ in range(2))
        million = f.project(owner="bench", frames="0-999999", title="a million", extra=("--priority", "5"))
        rate, p99, _ = rows(bench, rounds, bench.leases)
        line("request_job, 1 000 000 tasks wait (cost to a few)", rate, p99, few / rate, "<= 1.2", few / rate <= 1.2)
        f.admin("project", "cancel", million)
        many(f)
        rate, p99, _ = rows(bench, rounds, bench.leases)
        line("request_job, 10 000 projects wait (cost to a few)", rate, p99, few / rate, "<= 1.2", few / rate <= 1.2)
    finally:
        f.close()


def many(f):
    """Ten thousand projects of two tasks each, as the state would hold them."""
    first = f.project(owner="bench", frames="1-2", title="one of many", extra=("--priority", "9"))
    columns = ("owner, queue, state, title, priority, archive_md5, archive_size, blend, animation, frame_start, frame_end, frame_step, rows, columns, overscan, "
               "width, height, percent, format, fps_num, fps_den, frames_total, tasks_total, split, waiting, open, created_ms")
    f.admin("sql", f"""
        INSERT INTO project ({columns}) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
          SELECT {columns} FROM project, n WHERE project.id = {first};
        INSERT INTO task (project, seq, frame, row, column) SELECT p.id, s.seq, 1 + s.seq, 0, 0 FROM project p, (SELECT 0 AS seq UNION SELECT 1) s
          WHERE p.id > {first};
        UPDATE queue SET projects = projects + 9999 WHERE id = (SELECT queue FROM project WHERE id = {first});""")


if __name__ == "__main__":
    main()
