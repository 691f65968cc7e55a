"""compositor: rendered tiles in the spool become previews, whole frames, videos and zips; killed at any moment, it goes on where it was."""
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import zipfile
import zlib

import tap

BUILD = os.environ["top_builddir"]
ADMIN = os.path.join(BUILD, "farmgate-admin")
COMPOSITOR = os.path.join(BUILD, "daemons", "compositor")
PATIENCE = 240  # seconds until what must happen counts as never happening


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, pixel, alpha=False, bits=8):
    """A PNG of pixel(x, y), 3 or 4 samples each."""
    form = ">%d%s" % (4 if alpha else 3, "BH"[bits // 16])
    rows = b"".join(b"\0" + b"".join(struct.pack(form, *pixel(x, y)) for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, bits, 6 if alpha else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def exr(width, height, value):
    """An uncompressed half EXR: channels B, G, R of value(channel, x, y)."""
    def attribute(name, kind, body):
        return name + b"\0" + kind + b"\0" + struct.pack("<i", len(body)) + body
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    channels = b"".join(c + b"\0" + struct.pack("<iB3xii", 1, 0, 1, 1) for c in (b"B", b"G", b"R")) + b"\0"
    head = struct.pack("<ii", 20000630, 2) + b"".join((
        attribute(b"channels", b"chlist", channels), attribute(b"compression", b"compression", b"\0"), attribute(b"dataWindow", b"box2i", window),
        attribute(b"displayWindow", b"box2i", window), attribute(b"lineOrder", b"lineOrder", b"\0"),
        attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1)), attribute(b"screenWindowCenter", b"v2f", struct.pack("<2f", 0, 0)),
        attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1)))) + b"\0"
    rows = [struct.pack("<ii", y, width * 6) + b"".join(struct.pack("<e", value(c, x, y)) for c in "BGR" for x in range(width)) for y in range(height)]
    first = len(head) + 8 * height
    return head + b"".join(struct.pack("<Q", first + y * len(rows[0])) for y in range(height)) + b"".join(rows)


def tga(width, height, pixel):
    body = b"".join(bytes(reversed(pixel(x, y))) for y in range(height) for x in range(width))
    return struct.pack("<BBB5xHHHHBB", 0, 0, 2, 0, 0, width, height, 24, 0x20) + body


def bmp(width, height, pixel):
    pad = b"\0" * (-width * 3 % 4)
    body = b"".join(b"".join(bytes(reversed(pixel(x, y))) for x in range(width)) + pad for y in reversed(range(height)))
    return b"BM" + struct.pack("<IIIIiiHHIIiiII", 54 + len(body), 0, 54, 40, width, height, 1, 24, 0, len(body), 2835, 2835, 0, 0) + body


def pixels(path, kind="rgb24"):
    """What ffmpeg, which shares no code with us, reads from a picture."""
    return subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", kind, "-"], check=True, capture_output=True).stdout


def probe(path):
    keys = "codec_name,width,height,pix_fmt,r_frame_rate,nb_read_frames"
    out = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=" + keys, "-of", "json", path], check=True, capture_output=True)
    return json.loads(out.stdout)["streams"][0]


class Farm:
    """State and spool in a temporary folder, and a compositor that can be started, ended and killed."""

    def __init__(self, settings=""):
        self.dir = tempfile.mkdtemp(prefix="farmgate-compositor-")
        self.process = None
        with open(self.path("farmgate.conf"), "w") as conf:
            conf.write("compositor_jobs = 2\n" + settings)
        self.admin("migrate")
        self.sql("INSERT INTO user (name, roles, created_ms) VALUES ('ann', 7, 1)")

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def spool(self, *parts):
        return self.path("spool", *parts)

    def admin(self, *args):
        out = subprocess.run([ADMIN, "--dir", self.dir, "--json", *args], capture_output=True, text=True)
        if out.returncode != 0:
            raise AssertionError(f"{args}: {out.stdout}{out.stderr}")
        return out.stdout

    def sql(self, text):
        return [json.loads(row) for row in self.admin("sql", text).splitlines() if row.startswith("{")]

    def project(self, frames, width, height, tile, rows=1, columns=1, overscan=0, animation=1, step=1, first=1, fmt="png", fps=(24, 1)):
        """A project all of whose tiles are rendered: tile(frame, x, y, width, height) is the file of that part of the frame."""
        last = first + (frames - 1) * step
        total = frames * rows * columns
        self.sql(f"""INSERT INTO project (owner, state, title, archive_md5, archive_size, blend, animation, frame_start, frame_end, frame_step, rows,
            columns, overscan, width, height, percent, format, fps_num, fps_den, frames_total, frames_done, tasks_total, split, done, created_ms)
            VALUES (1, 'composing', 'test', 'x', 1, 's.blend', {animation}, {first}, {last}, {step}, {rows}, {columns}, {overscan}, {width}, {height},
            100, '{fmt}', {fps[0]}, {fps[1]}, {frames}, {frames}, {total}, {total}, {total}, 1)""")
        project = int(self.sql("SELECT max(id) AS id FROM project")[0]["id"])
        statements, ext = [], {"png16": "png", "jpeg": "png"}.get(fmt, fmt)
        whole = rows * columns == 1 and fmt != "jpeg"
        for frame in range(first, last + 1, step):
            folder = self.spool("projects", str(project), "tiles", str(frame))
            os.makedirs(folder)
            for place in range(rows * columns):
                row, column = divmod(place, columns)
                x0, x1 = width * column // columns, width * (column + 1) // columns
                y0, y1 = height * row // rows, height * (row + 1) // rows
                x0, x1 = max(x0 - overscan, 0) if column else x0, min(x1 + overscan, width)
                y0, y1 = max(y0 - overscan, 0) if row else y0, min(y1 + overscan, height)
                lease = 1000 + place
                with open(os.path.join(folder, f"{row}-{column}-{lease}.{ext}"), "wb") as out:
                    out.write(tile(frame, x0, y0, x1 - x0, y1 - y0))
                statements.append(f"""INSERT INTO task (project, seq, frame, row, column, state, lease, ext)
                    VALUES ({project}, {frame * 10000 + place}, {frame}, {row}, {column}, 'done', {lease}, '{ext}')""")
            statements.append(f"INSERT INTO frame VALUES ({project}, {frame}, {rows * columns}, '{ext if whole else ''}')")
            kind, rank = ("preview", 0) if whole else ("stitch", 1)
            statements.append(f"INSERT INTO product (project, kind, frame, rank, turn) VALUES ({project}, '{kind}', {frame}, {rank}, {frame})")
        if whole:
            statements.append(f"INSERT INTO product (project, kind, rank, turn) VALUES ({project}, 'result', 2, 0), ({project}, 'zip', 3, 0)")
        self.sql("BEGIN IMMEDIATE;" + ";".join(statements) + ";COMMIT")
        return project

    def start(self):
        self.process = subprocess.Popen([COMPOSITOR, "--dir", self.dir], stderr=open(self.path("compositor.log"), "ab"))

    def kill(self, how=signal.SIGKILL):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def state(self, project):
        return self.sql(f"SELECT state, message, result, raw FROM project WHERE id = {project}")[0]

    def wait(self, project, *states):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            state = self.state(project)
            if state["state"] in states and self.sql(f"SELECT count(*) AS n FROM product WHERE project = {project} AND state IN ('waiting', 'making')")[0]["n"] == "0":
                return state
            time.sleep(0.1)
        with open(self.path("compositor.log")) as log:
            raise AssertionError(f"{self.state(project)} {self.sql('SELECT * FROM product')}\n{log.read()}")

    def close(self):
        self.kill(signal.SIGTERM)
        shutil.rmtree(self.dir)


def colour(frame, x, y):
    return (x * 7 + frame * 31) & 255, (y * 5 + frame) & 255, (x * y + frame) & 255


def plain_tile(frame, x0, y0, width, height):
    return png(width, height, lambda x, y: colour(frame, x0 + x, y0 + y))


def frame_bytes(frame, width, height):
    return b"".join(bytes(colour(frame, x, y)) for y in range(height) for x in range(width))


class Compositor(unittest.TestCase):
    def setUp(self):
        self.farm = Farm()

    def tearDown(self):
        self.farm.close()

    def check_zip(self, project, names):
        with zipfile.ZipFile(self.farm.spool("projects", str(project), "raw.zip")) as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual([entry.filename for entry in archive.infolist()], names)
            self.assertEqual({entry.compress_type for entry in archive.infolist()}, {zipfile.ZIP_STORED})
            for name in names:
                frame, row, column = name.split(".")[0].split("-")[1:]
                folder = self.farm.spool("projects", str(project), "tiles", frame)
                file = [file for file in os.listdir(folder) if file.startswith(f"{row}-{column}-")][0]
                with open(os.path.join(folder, file), "rb") as tile:
                    self.assertEqual(archive.read(name), tile.read())

    def test_animation_of_tiles(self):
        """Odd size, uneven tiles, overscan, step 3 from frame 7, 29.97 frames a second."""
        farm = self.farm
        project = farm.project(5, 161, 91, plain_tile, rows=2, columns=3, overscan=8, first=7, step=3, fps=(30000, 1001))
        farm.start()
        self.assertEqual(farm.wait(project, "finished", "failed")["result"], "mp4")
        for frame in range(7, 20, 3):
            self.assertEqual(pixels(farm.spool("projects", str(project), "frames", f"{frame}.png")), frame_bytes(frame, 161, 91))
            preview = probe(farm.spool("projects", str(project), "previews", f"{frame}.jpg"))
            self.assertEqual((preview["codec_name"], preview["width"], preview["height"]), ("mjpeg", 161, 91))
        video = probe(farm.spool("projects", str(project), "result.mp4"))
        self.assertEqual((video["codec_name"], video["width"], video["height"], video["pix_fmt"], video["r_frame_rate"], video["nb_read_frames"]),
                         ("h264", 162, 92, "yuv420p", "30000/1001", "5"))
        with open(farm.spool("projects", str(project), "result.mp4"), "rb") as file:
            head = file.read()
        self.assertLess(head.index(b"moov"), head.index(b"mdat"), "faststart")
        self.check_zip(project, [f"{project}-{frame}-{row}-{column}.png" for frame in range(7, 20, 3) for row in range(2) for column in range(3)])
        self.assertEqual(os.listdir(farm.spool("incoming")), [])

    def test_killed_again_and_again(self):
        """kill -9 at random moments: in the end everything is there once, and whole."""
        farm = self.farm
        dice = random.Random(7)
        projects = [farm.project(4, 320, 180, plain_tile, rows=2, columns=2), farm.project(3, 120, 80, plain_tile, first=0, fps=(25, 1))]
        for _ in range(12):
            farm.start()
            time.sleep(dice.uniform(0.02, 0.4))
            farm.kill()
        farm.start()
        for project in projects:
            self.assertEqual(farm.wait(project, "finished", "failed"), {"state": "finished", "message": "", "result": "mp4", "raw": "1"})
        self.assertEqual(probe(farm.spool("projects", str(projects[0]), "result.mp4"))["nb_read_frames"], "4")
        self.assertEqual(probe(farm.spool("projects", str(projects[1]), "result.mp4"))["nb_read_frames"], "3")
        self.assertEqual(farm.sql("SELECT kind, count(*) AS n FROM product WHERE state = 'done' GROUP BY kind ORDER BY kind"),
                         [{"kind": "preview", "n": "7"}, {"kind": "result", "n": "2"}, {"kind": "stitch", "n": "4"}, {"kind": "zip", "n": "2"}])
        self.assertEqual(farm.sql("SELECT count(*) AS n FROM event WHERE kind = 'product.done'"), [{"n": "15"}])
        for frame in range(1, 5):
            self.assertEqual(pixels(farm.spool("projects", str(projects[0]), "frames", f"{frame}.png")), frame_bytes(frame, 320, 180))

    def test_stills(self):
        """16 bits with alpha stitched; one tile is its own frame; JPEG is encoded once, over black."""
        farm = self.farm
        deep = farm.project(1, 50, 30, lambda f, x0, y0, w, h: png(w, h, lambda x, y: ((x0 + x) * 1000, (y0 + y) * 2000, 77, 40000), True, 16),
                            rows=3, columns=1, animation=0, fmt="png16")
        single = farm.project(1, 40, 30, plain_tile, animation=0)
        photo = farm.project(1, 64, 48, lambda f, x0, y0, w, h: png(w, h, lambda x, y: (200, 100, 50, 255 if x0 + x < 32 else 0), True),
                             rows=1, columns=2, animation=0, fmt="jpeg")
        farm.start()
        for project, ext in ((deep, "png"), (single, "png"), (photo, "jpg")):
            self.assertEqual(farm.wait(project, "finished", "failed"), {"state": "finished", "message": "", "result": ext, "raw": "1"})
        want = b"".join(struct.pack(">4H", x * 1000, y * 2000, 77, 40000) for y in range(30) for x in range(50))
        self.assertEqual(pixels(farm.spool("projects", str(deep), "result.png"), "rgba64be"), want)
        self.assertEqual(pixels(farm.spool("projects", str(single), "result.png")), frame_bytes(1, 40, 30))
        self.check_zip(single, [f"{single}-1-0-0.png"])
        picture = pixels(farm.spool("projects", str(photo), "result.jpg"))
        left, right = picture[(10 * 64 + 5) * 3:][:3], picture[(10 * 64 + 60) * 3:][:3]
        self.assertTrue(all(abs(a - b) < 8 for a, b in zip(left, (200, 100, 50))), left)
        self.assertTrue(max(right) < 8, right)

    def test_formats(self):
        """EXR, TGA and BMP stay what they are in frames; the video shows EXR as a screen would."""
        farm = self.farm
        light = lambda c, x, y: {"R": x / 64, "G": y / 48, "B": 0.25}[c]
        floats = farm.project(2, 64, 48, lambda f, x0, y0, w, h: exr(w, h, lambda c, x, y: light(c, x0 + x, y0 + y)), rows=2, columns=2, fmt="exr", overscan=3)
        plain = {fmt: farm.project(1, 41, 29, lambda f, x0, y0, w, h: make(w, h, lambda x, y: colour(f, x0 + x, y0 + y)), rows=2, columns=2, fmt=fmt, animation=0)
                 for fmt, make in (("tga", tga), ("bmp", bmp))}
        farm.start()
        for fmt, project in plain.items():
            self.assertEqual(farm.wait(project, "finished", "failed"), {"state": "finished", "message": "", "result": fmt, "raw": "1"})
            self.assertEqual(pixels(farm.spool("projects", str(project), f"result.{fmt}")), frame_bytes(1, 41, 29))
        self.assertEqual(farm.wait(floats, "finished", "failed")["result"], "mp4")
        frame = pixels(farm.spool("projects", str(floats), "frames", "1.exr"), "gbrpf32le")
        half = lambda value: struct.unpack("<e", struct.pack("<e", value))[0]
        self.assertEqual(frame, b"".join(struct.pack("<f", half(light(c, x, y))) for c in "GBR" for y in range(48) for x in range(64)))
        self.assertEqual(probe(farm.spool("projects", str(floats), "result.mp4"))["nb_read_frames"], "2")
        shown = pixels(farm.spool("projects", str(floats), "result.mp4"))[(24 * 64 + 32) * 3:][:3]
        self.assertTrue(all(abs(a - b) < 12 for a, b in zip(shown, (188, 188, 137))), list(shown))

    def test_failure_and_another_go(self):
        """A broken tile: three tries, the reason in words; mended and asked for again, it is made."""
        farm = self.farm
        project = farm.project(1, 64, 48, plain_tile, rows=1, columns=2, animation=0)
        path = farm.spool("projects", str(project), "tiles", "1", "0-1-1001.png")
        with open(path, "rb") as file:
            whole = file.read()
        with open(path, "wb") as file:
            file.write(whole[:len(whole) // 2])
        farm.start()
        state = farm.wait(project, "finished", "failed")
        self.assertEqual(state["state"], "failed")
        self.assertIn("Frame 1", state["message"])
        self.assertIn("0-1-1001.png", state["message"])
        self.assertEqual(farm.sql("SELECT tries, state FROM product WHERE kind = 'stitch'"), [{"tries": "3", "state": "failed"}])
        with open(path, "wb") as file:
            file.write(whole)
        farm.admin("project", "recomposite", str(project))
        self.assertEqual(farm.wait(project, "finished", "failed")["state"], "finished")
        self.assertEqual(pixels(farm.spool("projects", str(project), "result.png")), frame_bytes(1, 64, 48))

    def test_missing_frame(self):
        farm = self.farm
        project = farm.project(3, 32, 32, plain_tile)
        os.unlink(farm.spool("projects", str(project), "tiles", "2", "0-0-1000.png"))
        farm.sql(f"DELETE FROM product WHERE project = {project} AND kind IN ('preview', 'zip')")
        farm.start()
        self.assertIn("tiles/2/0-0-1000.png is missing", farm.wait(project, "failed")["message"])

    def test_housekeeping(self):
        """Uploads that were cut off are gone on with or said to be lost; folders of no project go; once a minute, beside the makers."""
        farm = self.farm
        for number in (1, 2):
            farm.sql("""INSERT INTO project (owner, state, title, archive_md5, archive_size, blend, animation, frame_start, frame_end, frame_step, rows, columns,
                overscan, width, height, percent, format, fps_num, fps_den, frames_total, tasks_total, created_ms)
                VALUES (1, 'splitting', 't', 'x', 1, 's.blend', 1, 1, 3, 1, 2, 2, 0, 32, 32, 100, 'png', 24, 1, 3, 12, 1)""")
        os.makedirs(farm.spool("projects", "1"))
        with open(farm.spool("projects", "1", "source.zip"), "wb") as file:
            file.write(b"x")
        os.makedirs(farm.spool("projects", "77"))
        os.utime(farm.spool("projects", "77"), (1, 1))
        with open(farm.spool("incoming", "made-5-abc"), "wb") as file:
            file.write(b"of a maker that is dead")
        farm.start()
        end = time.monotonic() + PATIENCE
        while [row["state"] for row in farm.sql("SELECT state FROM project ORDER BY id")] != ["active", "failed"] and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(farm.sql("SELECT state, waiting, message FROM project ORDER BY id"),
                         [{"state": "active", "waiting": "12", "message": ""},
                          {"state": "failed", "waiting": "0", "message": "the upload was interrupted; upload it again"}])
        self.assertEqual(farm.sql("SELECT count(*) AS n, count(DISTINCT seq) AS seqs FROM task"), [{"n": "12", "seqs": "12"}])
        while os.path.exists(farm.spool("projects", "77")) and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(os.listdir(farm.spool("projects")), ["1"])
        self.assertEqual(os.listdir(farm.spool("incoming")), [])

    def test_one_at_a_time(self):
        """A second compositor on the same state says so and goes; the first ends at once when told to."""
        self.farm.start()
        end = time.monotonic() + PATIENCE
        while not os.path.exists(self.farm.path("state", "compositor.lock")) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.2)
        second = subprocess.run([COMPOSITOR, "--dir", self.farm.dir], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another compositor", second.stderr)
        self.farm.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.farm.process.wait(PATIENCE), 0)


class Limits(unittest.TestCase):
    def test_too_slow(self):
        """A maker that hangs is ended, and its product says why."""
        farm = Farm("compositor_seconds = 10\nffmpeg = /bin/sleep-for-ever\n")
        try:
            hang = farm.path("hang")
            with open(hang, "w") as script:
                script.write("#!/bin/sh\nexec sleep 1000\n")
            os.chmod(hang, 0o755)
            farm.admin("set", "ffmpeg", hang)
            project = farm.project(2, 16, 16, plain_tile)
            farm.start()
            self.assertIn("longer than 10 seconds", farm.wait(project, "failed")["message"])
        finally:
            farm.close()


    def test_too_large(self):
        """A maker over its memory fails its product; what needs less is made all the same."""
        farm = Farm("compositor_memory_bytes = 67108864\n")
        try:
            side = 4000
            rows = zlib.compress((b"\0" + b"\x80" * side * 3) * side, 1)
            flat = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
            large = farm.project(2, side, side, lambda *_: flat)
            small = farm.project(1, 64, 48, plain_tile, rows=2, animation=0)
            farm.start()
            self.assertEqual(farm.wait(small, "finished", "failed")["state"], "finished")
            state = farm.wait(large, "finished", "failed")
            self.assertEqual(state["state"], "failed")
            self.assertIn("The result could not be made: ", state["message"])
        finally:
            farm.close()


if __name__ == "__main__":
    tap.main()
