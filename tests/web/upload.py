"""upload: a large scene is sent from a real browser over a slow line that breaks, and the page is reloaded in the middle: nothing that arrived is sent again."""
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
    def line(self, offline=False, rate=MB // 2):
        self.browser.cdp("Network.emulateNetworkConditions", offline=offline, latency=5, downloadThroughput=100 * MB, uploadThroughput=rate)

    def arrived(self):
        """What the farm has of what the browser knows, as it says itself; 0 before it knows."""
        number = self.browser.script("return JSON.parse(localStorage['farmgate.upload'] ?? '{}').id")
        return int(self.ann.call("HEAD", f"/api/upload/{number}", [("Tus-Resumable", "1.0.0")]).header("Upload-Offset")) if number else 0

    def percent(self):
        return int(self.browser.text("#percent").split()[0])

    def test_it_survives_a_broken_line_and_a_reload(self):
        f = self.farm
        f.renderer()
        f.user("ann", "submitter")
        path = f.dir + "/a large scene.zip"
        with zipfile.ZipFile(path, "w") as z:
            z.writestr("scene/shot.blend", blendfile.make(320, 180))
            z.writestr("scene/cache.bin", os.urandom(80 * MB))
        self.ann = farm.Visitor(f, "ann")
        with webdriver.Browser(f"http://127.0.0.1:{f.port}", SHOTS) as self.browser:
            b = self.browser
            b.open("/login?to=/upload")
            b.type("[name=name]", "ann")
            b.type("[name=password]", "long enough")
            b.click("#login button")
            b.wait("#ways a", "ann")
            b.open("/upload")
            b.wait("#drop")
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
            self.assertEqual(f.sql("SELECT count(*) FROM upload"), [{"count(*)": "1"}])  # the same one
            self.assertEqual([c for c in b.complaints() if "ERR_INTERNET_DISCONNECTED" not in c and "beforeunload" not in c], [])  # nobody clicked before the reload


if __name__ == "__main__":
    tap.main()
