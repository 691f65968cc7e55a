"""pages: every page as everybody who may see it meets it, in a real browser: by day and by night, on a desk and on a phone. Nothing complains on the console,
nothing is wider than the window, axe-core finds nothing serious (contrast AA among it), the keyboard reaches what the mouse does, no other host is asked,
all JavaScript together stays small, and a project of a million tasks holds nothing up. Screenshots stay below tests/web/screenshots of the build."""
import glob
import os
import re
import unittest

import farm
import tap
import webdriver
from farm import Client, png

SHOTS = os.path.join(farm.BUILD, "tests", "web", "screenshots", "pages")
HTDOCS = os.path.join(farm.TOP, "htdocs")
AXE = os.path.join(farm.BUILD, "axe", "node_modules", "axe-core", "axe.min.js")
MOST_SCRIPT = 150 * 1024
LOOKS = [(dark, phone) for dark in (False, True) for phone in (False, True)]
# Who goes where: name (no-…: the farm refuses what the page asks, and the console says so), address ({waiting} and the like are filled in), what stands there when it is ready.
NOBODY = [("welcome", "/", "#welcome"), ("login", "/login", "#login"), ("register", "/register", "h1"), ("join", "/join", "#steps")]
ADMIN = [("home", "/", "#projects li"), ("upload", "/upload", "#drop"), ("project-waiting", "/project?id={waiting}", "#title"), ("project-rendering", "/project?id={rendering}", "#title"),
         ("project-failed", "/project?id={failed}", "#causes li"), ("no-project", "/project?id=999999", "#error"), ("workers", "/workers", "#workers li"),
         ("worker", "/worker?id={worker}", "#log tr"), ("account", "/account", "#facts dd"), ("people", "/people", "#people tr"), ("status", "/status", "#programs tr"),
         ("settings", "/settings", "#groups .card"), ("batches", "/batches", "#empty p"), ("no-launcher", "/runs", "#empty p"), ("join-known", "/join", "#steps")]
LISTEN = """
window.longest = []; new PerformanceObserver((list) => window.longest.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({ type: "longtask", buffered: true });
"""


class Files(unittest.TestCase):
    def test_all_javascript_is_small(self):
        size = sum(os.path.getsize(path) for path in glob.glob(HTDOCS + "/js/*.js"))
        print(f"# {size} bytes of JavaScript")
        self.assertLess(size, MOST_SCRIPT)

    def test_no_other_host(self):
        for path in glob.glob(HTDOCS + "/**/*.*", recursive=True):
            if path.endswith((".html", ".js", ".css", ".svg", ".webmanifest")):
                with open(path, encoding="utf-8") as f:
                    found = [url for url in re.findall(r"(?:https?:)?//[a-z0-9][a-z0-9.-]+\.[a-z]{2,}[^\s\"'<>)`]*", f.read()) if "www.w3.org/2000/svg" not in url]
                self.assertEqual(found, [], path)

    def test_no_inline_script_or_style(self):
        for path in glob.glob(HTDOCS + "/*.html"):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            self.assertIsNone(re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", text), path)
            self.assertRegex(text, r"<html lang=\"en\">", path)


@unittest.skipIf(webdriver.missing(), webdriver.missing())
class Pages(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fill()
        cls.b = webdriver.Browser(f"http://127.0.0.1:{cls.farm.port}", SHOTS)

    @classmethod
    def tearDownClass(cls):
        cls.b.close()
        super().tearDownClass()

    @classmethod
    def fill(cls):
        """A farm with something of everything: a project that waits, one that renders and one that failed, two machines, a few people."""
        f = cls.farm
        f.renderer()
        for name, roles in (("ada", ["admin"]), ("wim", ["worker"]), ("zoe", ["submitter"])):
            f.user(name, *roles)
        f.admin("set", "task_tries", 1)
        clients = [Client(f, "6.22306.0", "wim", f.key("wim"), host=host) for host in ("attic", "cellar")]
        for client in clients:
            client.config()
        cls.names = {"failed": f.project("ada", frames="1", title="A scene with a missing camera")}
        clients[0].error(clients[0].job(), 8, b"Error: no camera 'Gone' in this file\n")
        cls.names["rendering"] = f.project("ada", frames="1-12", tiles="2x2", width=64, height=36, title="Lighthouse at dusk")
        for _ in range(6):
            job = clients[0].job()
            clients[0].upload(job, png(32, 18, (180, 90, 40)))
        clients[0].beat(clients[0].job())
        cls.names["waiting"] = f.project("zoe", frames="1-100", title="A very long title that a careful person gave to a scene so that everybody knows what it is about")
        cls.names["worker"] = f.sql("SELECT id FROM worker WHERE name = 'attic'")[0]["id"]

    def enter(self, name):
        b = self.b
        b.cdp("Network.clearBrowserCookies")
        b.open("/login")
        b.script("localStorage.clear()")
        b.open("/login")  # now as a stranger from the first question on
        b.wait("#login")
        if name:
            b.type("[name=name]", name)
            b.type("[name=password]", "long enough")
            b.click("#login button")
            b.gone("#login")
        b.complaints()

    def tour(self, pages, look):
        """Each page in one look; what is wrong with it."""
        b, wrong = self.b, []
        for name, address, ready in pages:
            b.look(*look)
            b.open(address.format(**self.names))
            b.wait(ready)
            b.until(lambda: not b.seen("[aria-busy=true]"), what="the page to be ready")
            where = f"{name}-{'night' if look[0] else 'day'}-{'phone' if look[1] else 'desk'}"
            b.shot(where)
            wide = b.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            wrong += [f"{where}: {wide} pixels too wide"] if wide > 0 else []
            # There is no launcher here; the browser may say so when the page that asked for it has been left.
            wrong += [f"{where}: {line}" for line in b.complaints() if not name.startswith("no-") and "/rpc" not in line]
            wrong += [f"{where}: {line}" for line in self.axe()]
        return wrong

    def axe(self):
        if not os.path.exists(AXE):
            return []
        # axe can't judge words on a gradient: it gets the gradient's strongest colour everywhere
        self.b.script("document.body.style.background = 'color-mix(in srgb, var(--glow) var(--dusk), var(--ground))'")
        with open(AXE, encoding="utf-8") as f:
            self.b.cdp("Runtime.evaluate", expression=f.read())
        return self.b.script_async("""const done = arguments[0];
            axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"] }).then((result) => done(
                result.violations.filter((v) => ["serious", "critical"].includes(v.impact)).flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 160) + " " + n.any.map((a) => a.message).join(";"))).slice(0, 10)),
                (problem) => done(["axe: " + problem]));""")

    def test_nobody(self):
        self.enter(None)
        self.assertEqual([line for look in LOOKS for line in self.tour(NOBODY, look)], [])

    def test_admin_by_day(self):
        self.enter("ada")
        self.assertEqual(self.tour(ADMIN, (False, False)) + self.tour(ADMIN, (False, True)), [])

    def test_admin_by_night(self):
        self.enter("ada")
        self.assertEqual(self.tour(ADMIN, (True, False)) + self.tour(ADMIN, (True, True)), [])

    def test_whom_a_page_is_for(self):
        """Who may not use a page is told so, with nothing to press on it, and no way of the bar leads there."""
        b = self.b
        for name, refused, open_to in (("wim", ("/people", "/settings", "/upload"), ("/workers", "/status")), ("zoe", ("/people", "/settings"), ("/upload", "/batches"))):
            self.enter(name)
            b.look()
            for address in refused:
                b.open(address)
                b.wait("h1", "Not for this account")
                self.assertIn("role " + ("submitter" if address == "/upload" else "admin"), b.text("#main"))
                self.assertEqual(b.script("return document.querySelectorAll('main button, main a, main input, main table').length"), 0)
                if address == "/people":
                    b.shot("people-refused-" + name)
            ways = b.script("return [...document.querySelectorAll('nav a')].map((a) => a.getAttribute('href'))")
            self.assertEqual(([way for way in refused if way in ways], [way for way in open_to if way not in ways]), ([], []))
            b.complaints()

    @unittest.skipUnless(os.path.exists(AXE), "axe-core is not here: runtests brings it where there is npm and its registry can be reached")
    def test_axe_finds_what_is_wrong(self):
        """What looks for faults must be able to find one."""
        self.enter(None)
        self.b.look()
        self.b.open("/login")
        self.b.wait("#login")
        self.assertEqual(self.axe(), [])
        self.b.script("document.querySelector('label').remove(); document.querySelector('h1').style.color = '#ddd'")
        self.assertEqual({line.split(":")[0] for line in self.axe()}, {"label", "color-contrast"})
        self.b.complaints()

    def test_keyboard(self):
        """From the top of the page: first the way past the bar, then every way of the bar, and Enter goes there."""
        self.enter("ada")
        b = self.b
        b.look()
        b.open("/")
        b.wait("#projects li")
        b.press("tab")
        self.assertEqual(b.focused(), "Skip to the content")
        b.press("enter")
        self.assertEqual(b.focused(), "main")
        reached = set()
        b.reload()
        b.wait("#projects li")
        for _ in range(40):
            b.press("tab")
            reached.add(b.focused())
        for name in ("Projects", "Upload", "Workers", "Status", "Account of ada", "q", "owner", "Delete Lighthouse at dusk"):
            self.assertIn(name, reached)
        b.open(f"/project?id={self.names['rendering']}")
        b.wait("#delete")
        b.script("document.getElementById('delete').focus()")
        b.press("enter")
        b.wait("dialog[open]")
        self.assertIn("typed", b.script("return document.activeElement.name"))
        b.press("escape")
        b.gone("dialog")
        self.assertEqual(b.focused(), "delete")

    def test_the_login_ends(self):
        """Whose login ends while they look is told so, and the way back leads through the login to where they were."""
        self.enter("ada")
        b, page = self.b, f"/project?id={self.names['waiting']}"
        b.look()
        b.open(page)
        b.wait("#delete")
        b.cdp("Network.clearBrowserCookies")
        b.wait(".broken", "Your login has ended", 60)
        b.shot("ended")
        b.until(lambda: b.script("return document.getElementById('error').textContent"), what="the list's own trouble")
        self.assertFalse(b.seen("#error"))  # the line above says it already
        b.click(".broken button", "Log in")
        b.wait("#login")
        b.type("[name=name]", "ada")
        b.type("[name=password]", "long enough")
        b.click("#login button")
        b.wait("#delete")
        self.assertTrue(b.address.endswith(page), b.address)
        b.complaints()

    def test_what_is_long_leaves_room_for_the_rest(self):
        """A name of sixty letters pushes no button out of the window, and a title of two hundred takes three lines: what one came for stays in sight."""
        f, b = self.farm, self.b
        name = "somebody-with-a-name-that-goes-on-and-on-and-does-not-want-to-end"[:60]
        f.user(name, "submitter")
        number = f.project(name, frames="1", title="W" * 200)
        self.enter("ada")
        b.look()
        b.open("/people")
        b.wait("#people tr", name)
        b.shot("people-long")
        self.assertLess(b.script("return Math.max(...[...document.querySelectorAll('#people button')].map((e) => e.getBoundingClientRect().right - e.closest('.card').getBoundingClientRect().right))"), 0)
        for phone in (False, True):
            b.look(phone=phone)
            b.open("/")
            b.wait("#projects h2", "W" * 200)
            self.assertEqual(b.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0)
            b.open(f"/project?id={number}")
            b.wait("#title", "W" * 200)
            b.wait("#delete")
            b.shot(f"title-long-{'phone' if phone else 'desk'}")
            self.assertLess(b.script("const e = document.getElementById('title'); return e.clientHeight / parseFloat(getComputedStyle(e).fontSize)"), 4)
        b.complaints()

    def test_a_title_is_typed_as_it_looks(self):
        """Two blanks look like one, a letter from a Mac is two characters, and what steers the writing's direction can't be seen: what is typed is what is read."""
        b, number = self.b, self.farm.project("ada", frames="1", title="A\u0308hre  am\u00a0\u200fFluss")
        self.enter("ada")
        b.look()
        b.open(f"/project?id={number}")
        b.click("#delete")
        for typed, done in (("Ahre am Fluss", False), ("\u00c4hre am Fluss", True)):
            b.type("dialog [name=typed]", typed)
            b.click("dialog button.danger")
            b.wait(*("#storage", "are free") if done else ("dialog .wrong", "Nothing was done"))
        self.assertRegex(b.text("#storage"), r"^\d+ projects, taking up \d.* of storage\. \d.* of \d.* are free\.$")
        self.assertNotIn("Ähre", b.text("#projects"))
        b.complaints()

    def test_every_list_keeps_itself_true(self):
        """People, Account and Settings, too, show what somebody else did, without a reload; and say so when the connection is lost."""
        self.enter("ada")
        b, f = self.b, self.farm
        b.look()
        news = (("/people", "#people th", "newcomer", lambda: f.user("newcomer", "submitter")), ("/account", "#keys th", "test", lambda: f.key("ada")),
                ("/settings", "#renderers th", "Blender 3.6.2", lambda: f.renderer("3.6.2")))
        for page, where, what, work in news:
            b.open(page)
            b.until(lambda: b.seen("main > #all, main > section") and not b.find(where, what), what="the page")
            b.script("window.same = true")
            work()
            b.wait(where, what)
            self.assertTrue(b.script("return window.same"), page)
            b.cdp("Network.enable")
            b.cdp("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
            b.wait(".broken", "connection to the farm is lost")
            b.cdp("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
            b.gone(".broken")
        b.complaints()

    def test_a_wrong_clock(self):
        """Whose clock is five hours off reads the same ages as everybody else."""
        self.enter("ada")
        b = self.b
        b.look()
        b.cdp("Page.enable")
        script = b.cdp("Page.addScriptToEvaluateOnNewDocument", source="const now = Date.now; Date.now = () => now() + 5 * 3600e3;")
        b.open("/")
        b.wait("#projects .soft", "ada")
        self.assertNotRegex(b.text("#projects"), r"hours? ago")
        b.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])
        b.complaints()

    def test_few_colours(self):
        """Where the system takes the colours away, bars still show how far it is, and what is chosen looks chosen."""
        self.enter("ada")
        b = self.b
        b.cdp("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])
        b.open("/")
        b.wait("#projects .rendering .meter")
        b.shot("home-forced")
        look = lambda css, what, at="": b.script("return getComputedStyle(document.querySelector(arguments[0]), arguments[2])[arguments[1]]", css, what, at)  # noqa: E731
        self.assertNotIn(look(".rendering .meter i", "backgroundColor"), (look("body", "backgroundColor"), look(".rendering .meter", "backgroundColor")))
        self.assertNotEqual(look(".chip", "backgroundColor", "::before"), look("body", "backgroundColor"))
        for chosen, other in (("#states label:has(:checked)", "#states label:not(:has(:checked))"), ("#ways [aria-current]", "#ways a:not([aria-current])")):
            self.assertNotEqual(look(chosen, "outlineStyle"), look(other, "outlineStyle"))
        b.look()
        b.complaints()

    def test_the_connection_is_lost_and_found(self):
        self.enter("ada")
        b = self.b
        b.look()
        b.open("/")
        b.wait("#projects li")
        b.cdp("Network.enable")
        b.cdp("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        b.wait(".broken", "connection to the farm is lost")
        b.shot("lost")
        b.cdp("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        b.gone(".broken")
        b.complaints()


@unittest.skipIf(webdriver.missing(), webdriver.missing())
class Million(farm.Case):
    def walk(self, b):
        """The long tasks of the main thread, in ms, while lists load, are scrolled and jumped about in."""
        longest = []
        for address, ready in (("/", ("#projects li",)), (f"/project?id={self.tiled}", ("main", "4,096 tiles wait")), (f"/project?id={self.million}", ("#strip li",))):
            b.open(address)
            b.wait(*ready)
            b.script("scrollTo(0, document.body.scrollHeight)")
            if address != f"/project?id={self.million}":
                longest += b.script_async("setTimeout(() => arguments[0](window.longest), 500)")
        b.wait("#frames-after")
        b.type("#jump-to", "777777")
        b.click("#jump button")
        b.wait("#strip li", "777777")
        for _ in range(3):
            b.click("#frames-after")
        self.assertLess(b.script("return document.querySelectorAll('*').length"), 5000)
        return longest + b.script_async("setTimeout(() => arguments[0](window.longest), 4000)")

    def test_nothing_is_held_up(self):
        """A project of a million tasks, a frame of 4096 tiles: no task of the main thread over 100 ms. What other programs take of the processor is not the page's,
        and is not there each time; what the page does, is."""
        f = self.farm
        f.renderer()
        f.user("ada", "admin")
        self.million, self.tiled = f.project("ada", frames="0-999999", title="a million"), f.project("ada", frames="1", tiles="64x64", width=640, height=640, title="tiled")
        with webdriver.Browser(f"http://127.0.0.1:{f.port}", SHOTS) as b:
            b.cdp("Page.enable")
            b.cdp("Page.addScriptToEvaluateOnNewDocument", source=LISTEN)
            b.open("/login")
            b.type("[name=name]", "ada")
            b.type("[name=password]", "long enough")
            b.click("#login button")
            b.wait("#projects li", "a million")
            walks = []
            while len(walks) < 5 and (not walks or max(walks[-1], default=0) > 100):
                walks.append(self.walk(b))
            print(f"# long tasks, ms: {walks}")
            self.assertLessEqual(max(walks[-1], default=0), 100, walks)
            self.assertEqual(b.complaints(), [])


if __name__ == "__main__":
    tap.main()
