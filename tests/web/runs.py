"""runs: the page of solver runs in a real browser: started from the form, followed, searched, stopped; the queue moved; by day, by night, on a phone."""
import os
import unittest

import farm
import launch
import tap
import webdriver

SHOTS = os.path.join(farm.BUILD, "tests", "web", "screenshots", "runs")


@unittest.skipIf(webdriver.missing(), webdriver.missing())
class Runs(farm.Case):
    def deck(self, name, text):
        os.makedirs(f"{self.farm.dir}/runs/{name}")
        with open(f"{self.farm.dir}/runs/{name}/main.k", "w") as f:
            f.write(text)
        return f"{self.farm.dir}/runs/{name}/main.k"

    def start(self, b, path, cores=1):
        b.script("scrollTo(0, 0)")
        b.until(lambda: not b.script("return document.getElementById('form').hasAttribute('aria-busy')"), what="the form before to be sent")  # until then it takes nothing
        if not b.script("return document.getElementById('new').open"):
            b.click("#new summary")
        b.script("for (const [k, v] of Object.entries(arguments[0])) document.getElementById(k).value = v", {"input": path, "ncpu": str(cores), "memory": "1m"})
        b.click("#form button.primary")

    def press(self, b, words):
        b.script("document.getElementById('buttons').scrollIntoView({ block: 'center' })")  # not below the bar on top
        b.click("#buttons button", words)

    def test_a_day_at_the_launcher(self):
        f = self.farm
        self.addCleanup(launch.end_runs, f.dir)
        os.mkdir(f.dir + "/runs")
        f.user("ada")
        with webdriver.Browser(f"http://127.0.0.1:{f.port}", SHOTS) as b:
            b.open("/login?next=/runs")
            b.type("[name=name]", "ada")
            b.type("[name=password]", "long enough")
            b.click("#login button")
            b.wait("#empty p", "No launcher answers here")
            b.complaints()  # there is none yet: the browser says so too
            with open(f.dir + "/launcher.conf.new", "w") as conf:
                conf.write(f"[launcher]\nhost = here\ncores = 2\nmemory_bytes = 100000000000\nfolder = {f.dir}/runs\nrules_dir = {farm.TOP}/share/launch\nusers = ada\n"
                           f"[solver dyna]\nprogram = {launch.SOLVER}\nrules = ls-dyna\n[template smp]\ncommand = {launch.EXPR}\n")
            os.rename(f.dir + "/launcher.conf.new", f.dir + "/launcher.conf")
            b.wait("#cores-said", "0 of 2 taken", seconds=40)
            b.complaints()
            self.start(b, self.deck("a", "$ cycles 100000\n$ pace 0.05\n$ mass 1.5\n$ glstat\n"), 2)
            b.wait("#runs .chip", "Running")
            b.wait("#output", "Livermore")
            b.wait("#cores-said", "2 of 2 taken")
            b.wait("#charts figure", "Total energy")
            b.wait("#charts figure", "Progress in %")
            self.start(b, self.deck("b", "$ cycles 1\n$ end hang\n"))
            self.start(b, self.deck("c", "$ cycles 1\n"))
            b.until(lambda: len(b.all("#queue li")) == 2, what="two who wait")
            b.click("[aria-label='Earlier: run 3']")
            b.until(lambda: "c/main.k" in b.text("#queue li"), what="the other order")
            self.assertEqual(b.script("return document.activeElement.getAttribute('aria-label')"), "Earlier: run 3")  # stays under the finger
            for want in ("b/main.k", "c/main.k"):
                b.script("""const rows = document.querySelectorAll('#queue li');
                    for (const [i, name] of ['dragstart', 'dragover', 'drop'].entries()) rows[Number(i > 0)].dispatchEvent(new DragEvent(name, { bubbles: true, cancelable: true }));""")
                b.until(lambda: want in b.text("#queue li"), what="what was dragged")
            for look in ((False, False), (True, False), (False, True)):
                b.look(*look)
                b.script("scrollTo(0, 0)")
                b.shot(f"runs-{'night' if look[0] else 'day'}-{'phone' if look[1] else 'desk'}")
                self.assertLessEqual(b.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0, look)
            b.look()
            b.type("#search", "no such line anywhere")
            b.wait("#output", "No line of the output has this")
            b.script("const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input'))")
            self.press(b, "sw1")
            b.wait("#runs .chip", "sw1")
            b.wait("#output", "sw1 encountered")
            b.wait("#runs .chip", "Finished")  # c, which had been moved before b
            b.until(lambda: not b.all("#queue li"), what="an empty queue")
            b.click("#runs button", "2 ·")
            b.wait("#name", "Run 2")
            self.press(b, "Kill")
            b.wait("#runs .chip", "Stopped")
            self.assertEqual(b.complaints(), [])


if __name__ == "__main__":
    tap.main()
