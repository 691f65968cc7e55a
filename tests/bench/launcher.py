"""launcher: what following solver runs costs the daemon: 200 runs, 50 viewers, idle and with 100 lines a second from each run.

    make bench        or        launcher.py [RUNS] [VIEWERS] [LINES] [SECONDS]
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import launch  # noqa: E402
import wire  # noqa: E402

CHATTY, VIEWERS = launch.BUILD + "/tests/bench/chatty", launch.BUILD + "/tests/bench/viewers"


def cpu(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(lines, runs, viewers, seconds, path):
    launch.SOLVER = CHATTY
    launcher = launch.Launcher(f"cores = {max(runs, 4)}")
    try:
        with wire.Client(launcher.port, rpc=True) as c:
            for i in range(runs):
                folder = f"{launcher.runs}/r{i}"
                os.mkdir(folder)
                with open(folder + "/main.k", "w") as f:
                    f.write(f"$ lines {lines}\n")
                c.call("startJob", job_data={"input": folder + "/main.k", "solver": CHATTY, "ncpu": 1, "expr": launch.EXPR, "memory": "1m"})
        reader = subprocess.Popen([VIEWERS, str(launcher.port), path, str(viewers), str(seconds + 4)], stdout=subprocess.PIPE, text=True)
        reader.stdout.readline()
        time.sleep(2)
        before, began = cpu(launcher.process.pid), time.monotonic()
        time.sleep(seconds)
        share = 100 * (cpu(launcher.process.pid) - before) / (time.monotonic() - began)
        total, rate = reader.communicate()[0].split()
        with open(f"/proc/{launcher.process.pid}/status") as f:
            memory = next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
        print(f"| {runs} runs × {lines} lines/s, {viewers} viewers at {path.split('?')[0]} | {share:.1f} % of a core | {float(rate):.1f} messages/s and viewer | "
              f"{int(total) / (seconds + 4) / 1e6:.1f} MB/s out | {memory / 1024:.0f} MB |", flush=True)
    finally:
        launcher.close()


def main():
    runs, viewers, lines, seconds = (int(a) for a in (sys.argv[1:] + ["200", "50", "100", "10"][len(sys.argv) - 1:]))
    print("| launcher | processor | messages | bytes | memory |\n| --- | --- | --- | --- | --- |")
    for rate in (0, lines):
        measure(rate, runs, viewers, seconds, "/rpc")
    measure(lines, runs, viewers, seconds, "/socket.io/?EIO=4&transport=websocket")


main()
