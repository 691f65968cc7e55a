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
        admin, ann, nobody = farm.Visitor(f, "adi"), farm.Visitor(f, "ann"), farm.Visitor(f)
        print("\nportal: ms until a page has its list, 10 000 projects and 1 000 000 tasks; four people at once")
        for what, who, target in (("a static file", nobody, "/favicon.svg"), ("projects, an admin's first page", admin, "/api/projects"),
                                  ("projects, a submitter's first page", ann, "/api/projects"), ("projects, far down", admin, "/api/projects?before=200"),
                                  ("projects, by state that is rare", admin, "/api/projects?state=finished"), ("projects, by words nobody has", ann, "/api/projects?q=nosuchwords"),
                                  ("events, none new", ann, f"/api/events?after={admin.get('/api/events').json['last']}"),
                                  ("the project of a million tasks", admin, f"/api/projects/{million}"),
                                  ("its frames, a page in the middle", admin, f"/api/projects/{million}/frames?after=500000&limit=100")):
            got = times(who, target, requests)
            p95 = got[int(len(got) * 0.95)]
            print(f"{what:<40} median {statistics.median(got):6.1f}  p95 {p95:6.1f}   aim <= 50 {'' if p95 <= 50 else 'MISSED'}", flush=True)
    finally:
        f.close()


if __name__ == "__main__":
    main()
