"""upload: a large scene is sent from a real browser over a slow line that breaks, and the page is reloaded in the middle: nothing that arrived is sent again.
What is no scene is refused and forgotten, and the next choice takes the complaint away."""
import os
import unittest
import zipfile

import blendfile
import farm
import tap
import webdriver

SHOTS = os.path.join(farm.BUILD, "tests", "web", "screenshots", "upload")
MB = 1 << 20


@unittest.skipIf(webdriver.missing(), webdriver.missing())
class Upload(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm.user("ann", "submitter")

    def line(self, offline=False, rate=MB // 2):
        self.browser.cdp("Network.emulateNetworkConditions", offline=offline, latency=5, downloadThroughput=100 * MB, uploadThroughput=rate)

    def arrived(self):
        """What the farm has of what the browser knows, as it says itself; 0 before it knows."""
        number = self.browser.script("return JSON.parse(localStorage['farmgate.upload'] ?? '{}').id")
        return int(self.ann.call("HEAD", f"/api/upload/{number}", [("Tus-Resumable", "1.0.0")]).header("Upload-Offset")) if number else 0

    def percent(self):
        return int(self.browser.text("#percent").split()[0])

    def enter(self):
        b = self.browser
        b.open("/login")
        b.type("[name=name]", "ann")
        b.type("[name=password]", "long enough")
        b.click("#login button")
        b.wait("#ways a", "ann")
        b.open("/upload")
        b.wait("#drop")

    def file(self, name, data=b""):
        path = os.path.join(self.farm.dir, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def test_what_is_no_scene(self):
        f = self.farm
        both = self.file("both.zip")
        with zipfile.ZipFile(both, "w") as z:
            z.writestr("a.blend", blendfile.make(320, 180))
            z.writestr("broken.blend", b"no scene")
            z.writestr("c.blend", blendfile.make(64, 36))
        with webdriver.Browser(f"http://127.0.0.1:{f.port}", SHOTS) as self.browser:
            b = self.browser
            self.enter()
            b.script("""const data = new DataTransfer(); for (const name of ["a.blend", "wood.png"]) data.items.add(new File(["x"], name));
                        document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }))""")
            b.wait("#error", "One file at a time")
            for name, data, why in (("nothing.blend", b"", "is empty"), ("wood.png", farm.png(4, 4), "neither a .blend nor a .zip"), ("text.blend", b"a poem\n" * 99, "not a .blend")):
                b.choose_file("#file", self.file(name, data))
                b.wait("#error", why)
                b.wait("#drop")
            self.assertEqual(f.sql("SELECT name FROM upload WHERE name = 'text.blend'"), [])
            self.assertFalse(b.seen("#known"))  # nothing to go on with
            b.choose_file("#file", both)
            b.wait("#choices")
            self.assertFalse(b.seen("#error"))
            choose = lambda name: b.script("const e = document.getElementById('blend'); e.value = arguments[0]; e.dispatchEvent(new Event('change', { bubbles: true }))", name)  # noqa: E731
            choose("broken.blend")
            b.wait("#error", "not a .blend")
            choose("c.blend")
            b.wait("#size", "64 × 36")
            self.assertFalse(b.seen("#error"))

    def test_it_survives_a_broken_line_and_a_reload(self):
        f = self.farm
        f.renderer()
        path = f.dir + "/a large scene.zip"
        with zipfile.ZipFile(path, "w") as z:
            z.writestr("scene/shot.blend", blendfile.make(320, 180))
            z.writestr("scene/cache.bin", os.urandom(80 * MB))
        self.ann = farm.Visitor(f, "ann")
        with webdriver.Browser(f"http://127.0.0.1:{f.port}", SHOTS) as self.browser:
            b = self.browser
            self.enter()
            b.cdp("Network.enable")
            self.line()
            b.choose_file("#file", path)
            b.until(lambda: self.percent() >= 5 and "/s" in b.text("#speed"), 60, "progress with its speed")
            self.line(offline=True)
            b.wait("#line", "The line is broken", 60)
            b.shot("broken")
            self.line()
            b.gone("#line", 90)
            b.until(lambda: self.arrived() >= 16 * MB, 90, "the first piece")
            b.reload()
            b.wait("#known", "a large scene.zip")
            b.shot("known")
            kept = self.arrived()
            self.assertGreaterEqual(kept, 16 * MB)
            self.line(rate=100 * MB)
            b.choose_file("#file", path)
            b.until(lambda: self.percent() >= 100 * kept // os.path.getsize(path), 60, "it goes on where it was")
            self.assertGreaterEqual(self.arrived(), kept)
            b.wait("#choices", seconds=180)
            self.assertEqual(b.value("[name=title]"), "a large scene")
            self.assertEqual(f.sql("SELECT count(*) FROM upload WHERE name LIKE 'a large%'"), [{"count(*)": "1"}])  # the same one
            self.assertEqual([c for c in b.complaints() if "ERR_INTERNET_DISCONNECTED" not in c and "beforeunload" not in c], [])  # nobody clicked before the reload


if __name__ == "__main__":
    tap.main()
