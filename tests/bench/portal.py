"""portal: how long pages wait for their lists, with 10 000 projects and 1 000 000 tasks in the state.

    tests/bench/portal.py [--requests N]     (make bench)

Each request has a connection of its own, as a page's first one; four people ask at once. Shown beside it: a static file behind the same nginx.
"""
import argparse
import concurrent.futures
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import farm  # noqa: E402
from protocol import many  # noqa: E402

PEOPLE = 4


def times(visitor, target, requests):
    def ask(_):
        began = time.monotonic()
        answer = visitor.get(target)
        assert answer.status == 200, answer.body
        return (time.monotonic() - began) * 1000

    with concurrent.futures.ThreadPoolExecutor(PEOPLE) as pool:
        return sorted(pool.map(ask, range(requests)))


def idle(f):
    """10 000 workers that wait to ask again, none of which may take anything: whoever looks for the next one passes them all."""
    now = int(time.time() * 1000)
    machines = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
    f.admin("key", "add", "bench", "idle")
    f.admin("sql", f"{machines} INSERT INTO worker (user, identity, name, os, bits, cpu, cores, ram_kib, version, disabled, created_ms, seen_ms) "
                   f"SELECT u.id, 'idle' || i, 'idle' || i, 'linux', '64bit', '', 4, 8000000, '6', 1, {now}, {now} FROM n, user u WHERE u.name = 'bench'")
    f.admin("sql", "INSERT INTO session (hash, user, key, worker, version, own, os, bits, cores, ram_kib, created_ms, seen_ms, next_ms) "
                   f"SELECT cast(w.name AS BLOB), w.user, (SELECT max(id) FROM secret), w.id, '6', 0, 'linux', '64bit', 4, 8000000, {now}, {now}, {now} + 600000 + w.id "
                   "FROM worker w WHERE w.name LIKE 'idle%'")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=300)
    requests = parser.parse_args().requests
    f = farm.Farm(pool_max=4)
    try:
        f.renderer()
        for name, roles in (("bench", ["submitter", "worker"]), ("ann", ["submitter"]), ("adi", ["admin"])):
            f.user(name, *roles)
        million = f.project(owner="bench", frames="0-999999", title="a million")
        many(f)
        f.admin("sql", "UPDATE project SET owner = (SELECT id FROM user WHERE name = 'ann') WHERE id % 100 = 7; UPDATE project SET access = 'everyone' WHERE id % 2 = 0")
        idle(f)
        admin, ann, nobody = farm.Visitor(f, "adi"), farm.Visitor(f, "ann"), farm.Visitor(f)
        print("\nportal: ms until a page has its list, 10 000 projects and 1 000 000 tasks; four people at once")
        for what, who, target in (("a static file", nobody, "/favicon.svg"), ("projects, an admin's first page", admin, "/api/projects"),
                                  ("projects, a submitter's first page", ann, "/api/projects"), ("projects, far down", admin, "/api/projects?before=200"),
                                  ("projects, by state that is rare", admin, "/api/projects?state=finished"), ("projects, by words nobody has", ann, "/api/projects?q=nosuchwords"),
                                  ("events, none new", ann, f"/api/events?after={admin.get('/api/events').json['last']}"),
                                  ("the project of a million tasks", admin, f"/api/projects/{million}"),
                                  ("workers, the first page of 10 000", admin, "/api/workers?all=1&limit=100"),
                                  ("its frames, a page in the middle", admin, f"/api/projects/{million}/frames?after=500000&limit=100")):
            got = times(who, target, requests)
            p95 = got[int(len(got) * 0.95)]
            print(f"{what:<40} median {statistics.median(got):6.1f}  p95 {p95:6.1f}   aim <= 50 {'' if p95 <= 50 else 'MISSED'}", flush=True)
    finally:
        f.close()


if __name__ == "__main__":
    main()
