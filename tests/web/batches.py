"""batches: the page of batches in a real browser: a recipe and its scene are sent from it, its jobs are watched and cancelled; by day, by night, on a phone."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import blendfile  # noqa: E402
import farm  # noqa: E402
import tap  # noqa: E402
import webdriver  # noqa: E402
from batch import recipe  # noqa: E402
from farm import Client, png  # noqa: E402

SHOTS = os.path.join(farm.BUILD, "tests", "web", "screenshots")


@unittest.skipIf(webdriver.missing(), webdriver.missing())
class Batches(farm.Case):
    def test_page(self):
        f = self.farm
        f.renderer()
        f.user("ann", "submitter")
        client = Client(f, "6.22306.0", "wim", f.key("wim", "worker"))
        client.config()
        for name, data in (("batch.blend", blendfile.make(32, 18)), ("recipe.json", json.dumps(recipe({"name": "Wide"}, {"name": "<i>Close</i>", "camera": "Nobody"}, {"enabled": False}, {"name": "Night"})).encode()),
                           ("bad.json", b'{"name": "/a.blend",\n "jobs": [1,]}')):
            with open(f"{f.dir}/{name}", "wb") as file:
                file.write(data)
        os.makedirs(SHOTS, exist_ok=True)
        with webdriver.Browser(f"http://127.0.0.1:{f.port}", shots=SHOTS) as b:
            b.open("/login?next=/batches")
            b.type("[name=name]", "ann")
            b.type("[name=password]", "long enough")
            b.click("form button")
            b.wait("#empty:not([hidden])")
            b.click("#send summary")
            b.type("#recipe", f.dir + "/bad.json")
            b.click("#form button")
            self.eventually(lambda: "line 2, column" in b.text("#form .wrong"))
            b.complaints()  # the refusal is logged by the browser
            b.type("#recipe", f.dir + "/recipe.json")
            b.type("#files", f.dir + "/batch.blend")
            b.click("#form button")
            b.wait("#one:not([hidden])")
            b.wait("#jobs .rendering")
            b.shot("batches-day")
            job = self.eventually(lambda: (lambda j: None if isinstance(j, int) else j)(client.job()))
            client.upload(job, png(32, 18))
            self.eventually(lambda: "there is no camera Nobody" in b.text("#jobs"))
            self.assertIn("<i>Close</i>", b.text("#jobs"))
            b.click("#cancel")
            b.click("dialog .danger")
            self.eventually(lambda: "Cancelled" in b.text("#state"))
            b.look(True, False)
            b.shot("batches-night")
            b.look(True, True)
            b.shot("batches-phone")
            self.assertLessEqual(b.script("return document.documentElement.scrollWidth - innerWidth"), 0)
            self.assertEqual(b.complaints(), [])


if __name__ == "__main__":
    tap.main()
