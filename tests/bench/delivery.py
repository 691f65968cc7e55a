"""delivery: what a picture costs on its way in, beside what nginx alone takes to store it (dav PUT) and libpng to decode it; and memory as pictures grow.

    tests/bench/delivery.py [--pictures N]     (make bench; needs tests/bench/decode)

One client, one picture after another over new connections, in turn with the PUT of the same bytes to the same disk; medians. Ours is received, checked, on disk
with its folder, and in the state, with a power-safe commit, before it is answered; the PUT is not flushed.
"""
import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import farm  # noqa: E402
import pictures  # noqa: E402

AIM = 1.4
CONF = """daemon off; pid {dir}/pid; error_log {dir}/error.log; {user}
events {{}}
http {{ access_log off; client_max_body_size 0; client_body_temp_path {dir}/body; fastcgi_temp_path {dir}/f; proxy_temp_path {dir}/p; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
server {{ listen 127.0.0.1:{port}; root {dir}/root; dav_methods PUT; }} }}
"""


class Put:
    def __init__(self):
        self.dir, self.port = tempfile.mkdtemp(prefix="farmgate-bench-"), farm.free_port()
        os.mkdir(self.dir + "/root")
        with open(self.dir + "/conf", "w") as f:
            f.write(CONF.format(dir=self.dir, port=self.port, user="user root;" if os.getuid() == 0 else ""))
        self.nginx = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", self.dir + "/conf", "-e", self.dir + "/error.log"])
        while not self.listens():
            time.sleep(0.05)

    def listens(self):
        try:
            farm.socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def close(self):
        self.nginx.terminate()
        self.nginx.wait()
        shutil.rmtree(self.dir)


def timed(work):
    began = time.monotonic()
    work()
    return (time.monotonic() - began) * 1000


def high_water(f):
    """KiB that the largest process of send_frame ever had, files mapped in not counted."""
    most = 0
    for pid in f.processes("send_frame"):
        with open(f"/proc/{pid}/status") as status:
            most = max(most, *(int(line.split()[1]) for line in status if line.startswith("VmHWM")))
    return most


def kinds(folder):
    """What, width, height and the PNG of about 2 MB: what a farm carries, and the one that is over soonest: libpng has nothing to inflate in noise."""
    if shutil.which("blender"):
        pictures.make_render(folder + "/render", 1504, 846)
        with open(folder + "/render.png", "rb") as file:
            yield "a render", 1504, 846, file.read()
    yield "noise, which does not shrink", 836, 836, farm.png(836, 836, noise=random.Random(1).randbytes(836 * 836 * 3))


def row(f, put, client, count, what, width, height, picture):
    project = f.project(owner="bench", frames=f"1-{count}", width=width, height=height)
    with open(put.dir + "/picture.png", "wb") as file:
        file.write(picture)
    decode = float(subprocess.run([farm.BUILD + "/tests/bench/decode", put.dir + "/picture.png", str(count)], stdout=subprocess.PIPE, check=True).stdout)
    ours, theirs = [], []
    for i in range(count):
        job = client.job()
        ours.append(timed(lambda: client.upload(job, picture).xml.get("status") == "0" or sys.exit("refused")))
        theirs.append(timed(lambda: farm.request(put.port, "PUT", f"/{i}.png", body=picture).status in (201, 204) or sys.exit("refused")))
    f.admin("project", "delete", project)
    a, b = statistics.median(ours), statistics.median(theirs)
    ratio = a / (b + decode)
    return (f"{what} ({len(picture) / 1e6:.1f} MB): send_frame {a:.1f}, PUT {b:.1f} + libpng {decode:.1f}: {ratio:.2f} x   aim <= {AIM} "
            f"{'' if ratio <= AIM else 'MISSED'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=60)
    count = parser.parse_args().pictures
    print("\ndelivery: a picture of 2 MB, in milliseconds, and as a ratio to nginx's dav PUT plus libpng's decoding")
    f, put = farm.Farm(pool_max=1), Put()
    try:
        f.renderer()
        client = farm.Client(f, "6.22306.0", "bench", f.key("bench", "worker", "submitter"))
        client.config()
        for what, width, height, picture in kinds(put.dir):
            print(row(f, put, client, count, what, width, height, picture))
        small = high_water(f)
        picture = farm.png(8200, 8200, noise=random.Random(2).randbytes(8200 * 8200 * 3))
        f.project(owner="bench", frames="1", width=8200, height=8200)
        took = timed(lambda: client.upload(client.job(), picture).xml.get("status") == "0" or sys.exit("refused"))
        print(f"memory of send_frame: {small / 1024:.1f} MiB after 2 MB pictures, {high_water(f) / 1024:.1f} MiB after one of {len(picture) / 1e6:.0f} MB ({took / 1000:.1f} s)")
    finally:
        put.close()
        f.close()


if __name__ == "__main__":
    main()
