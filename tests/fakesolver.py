#!/usr/bin/env python3
"""fakesolver: says what LS-DYNA says. What it does stands in its input as lines `$ key value`:

    $ cycles 10       d3plot states until the end        $ pace 0.01     seconds between them
    $ mass 2.4        per cent of added mass             $ end normal | error | crash | exit N | hang
    $ lines 100       plain lines between two states     $ runaway 1000  megabytes of output
    $ deaf            ignores SIGTERM                    $ forks 3       children, one in a session of its own
    $ eat 200         megabytes of memory                $ glstat        writes energies
    $ stretch 4       terabytes that it makes its own stdout long      $ bells 100     kilobytes of control characters
    $ say TEXT        a line at the start
It obeys d3kil (sw1, stop) as the solver does.
"""
import os
import signal
import subprocess
import sys
import time


def main():
    args = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)
    path = args.get("i") or next(a for a in sys.argv[1:] if a.startswith("/"))
    want = {}
    with open(path) as f:
        for line in f:
            if line.startswith("$ "):
                words = line[2:].split()
                want[words[0]] = words[1:] or [""]

    def number(key, standard):
        return float(want.get(key, [standard])[0])

    if "deaf" in want:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for i in range(int(number("forks", 0))):
        subprocess.Popen([sys.executable, "-c", "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)"], start_new_session=i == 0)
    memory = bytearray(b"x") * int(number("eat", 0) * 1e6)
    out = sys.stdout
    end, cycles, pace = 0.1, int(number("cycles", 10)), number("pace", 0.01)
    print("     Date: 11/22/2026      Time: 04:40:00\n     ___________________________________________________\n"
          "     |                                                 |\n     |  Livermore  Software  Technology  Corporation   |\n"
          "     |  LS-DYNA, A Program for Nonlinear Dynamic       |\n     |_________________________________________________|", flush=True)
    print(f" termination time          = {end:12.4E}")
    if "mass" in want:
        print(f" added mass          = {number('mass', 0) / 100:12.4E}\n percentage increase = {number('mass', 0):12.4E}", flush=True)
    if "say" in want:
        print(" ".join(want["say"]), flush=True)
    out.write(("\x01" * 63 + "\n") * int(number("bells", 0) * 16))
    if "stretch" in want:
        os.truncate("stdout", int(number("stretch", 0)) << 40)
    for _ in range(int(number("runaway", 0))):
        out.write("a line of a solver that has gone wild, all of sixty-four bytes.\n" * 16384)
    if "glstat" in want:
        glstat = open("glstat", "w")
        glstat.write(" Energies\n                         ls-dyna mpp.190 s              date 10/29/2021\n")
    for cycle in range(1, cycles + 1):
        t = end * cycle / cycles
        for i in range(int(number("lines", 0))):
            print(f" line {i} of state {cycle}, as solvers print them when they are chatty")
        print(f"{cycle * 1000:10d} t {t:.4E} dt 9.00E-07 write d3plot file            11/22/26 04:40:{cycle % 60:02d}", flush=True)
        if "glstat" in want:
            glstat.write(f"\n\n dt of cycle{cycle * 1000:8d} is controlled by solid          1\n\n time...........................{t:14.5E}\n"
                         f" time step......................{9e-7:14.5E}\n kinetic energy.................{5.0 - cycle / cycles:14.5E}\n"
                         f" internal energy................{cycle / cycles:14.5E}\n total energy...................{5.0:14.5E}\n")
            glstat.flush()
        if os.path.exists("d3kil"):
            with open("d3kil") as f:
                code = f.read().strip()
            os.unlink("d3kil")
            if code in ("sw1", "stop"):
                print(f" {code} encountered\n N o r m a l    t e r m i n a t i o n", flush=True)
                return 0
            print(f" {code} encountered", flush=True)
        time.sleep(pace)
    how = want.get("end", ["normal"])
    if how[0] == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how[0] == "hang":
        while True:
            time.sleep(1000)
    if how[0] == "error":
        print(" *** Error 10144 (SOL+144)\n E r r o r   t e r m i n a t i o n", flush=True)
        return 0
    if how[0] == "exit":
        return int(how[1])
    del memory
    print(" *** termination time reached ***\n N o r m a l    t e r m i n a t i o n                  11/22/26 04:41:00", flush=True)
    return 0


sys.exit(main())
