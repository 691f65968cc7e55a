"""live: a page in a real browser hears of changes by its WebSocket, asks nothing in between, and comes back when the daemon was killed."""
import os
import re
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import farm  # noqa: E402
import tap  # noqa: E402
import webdriver  # noqa: E402


@unittest.skipIf(webdriver.missing(), webdriver.missing())
class Pages(farm.Case):
    def questions(self):
        with open(self.farm.dir + "/log/nginx-access.log") as log:
            return len(re.findall(r"GET /api/events 200", log.read()))

    def test_a_page_hears(self):
        f = self.farm
        f.user("ann", "submitter")
        with webdriver.Browser(f"http://127.0.0.1:{f.port}") as b:
            b.open("/login")
            b.type("[name=name]", "ann")
            b.type("[name=password]", "long enough")
            b.click("form button")
            self.eventually(lambda: self.questions() > 0)
            time.sleep(1)
            asked = self.questions()
            f.project("ann", frames="1", title="First by push")
            self.eventually(lambda: "First by push" in b.text())
            time.sleep(4)
            self.assertEqual(self.questions(), asked)
            self.assertEqual([c for c in b.complaints() if "/events" in c], [])
            os.kill(f.processes("live")[0], signal.SIGKILL)
            f.project("ann", frames="1", title="Second by question")
            self.eventually(lambda: "Second by question" in b.text())


if __name__ == "__main__":
    tap.main()
