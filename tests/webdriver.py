"""webdriver: drives Debian's Chromium by the WebDriver protocol, with nothing but the standard library.

    with webdriver.Browser(origin, shots=FOLDER) as b:
        b.open("/login"); b.type("#name", "ada"); b.click("form button"); b.wait("#projects")
        b.complaints()      # what the browser's console got since the last time: JavaScript errors, warnings, failed loads
"""
import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"tab": "\ue004", "enter": "\ue007", "escape": "\ue00c", "space": "\ue00d", "control": "\ue009", "backspace": "\ue003"}
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--force-color-profile=srgb", "--hide-scrollbars", "--autoplay-policy=no-user-gesture-required"]


def missing():
    """Why no browser can be driven here, or ''."""
    lacks = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    return "not installed: " + ", ".join(lacks) if lacks else ""


class Trouble(Exception):
    """What the driver said went wrong; `kind` is the protocol's word for it."""

    def __init__(self, kind, message):
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Browser:
    def __init__(self, origin, shots=None, size=(1280, 900), dark=False, phone=False):
        self.origin, self.shots, self.session = origin.rstrip("/"), shots, None
        self.home = tempfile.mkdtemp(prefix="farmgate-browser-")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       env={**os.environ, "HOME": self.home, "TMPDIR": self.home})
        try:
            self.url = f"http://127.0.0.1:{self._port()}"
            self._start(size)
            self.look(dark, phone)
        except BaseException:
            self.close()
            raise

    def _port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found.group(1))
        raise Trouble("no driver", "chromedriver ended before it listened")

    def _start(self, size):
        options = {"binary": shutil.which("chromium"), "args": [*FLAGS, f"--window-size={size[0]},{size[1]}", f"--user-data-dir={self.home}/profile"],
                   "prefs": {"download.default_directory": self.downloads, "download.prompt_for_download": False,
                             "safebrowsing.enabled": False, "credentials_enable_service": False}}
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = answer["sessionId"]

    @property
    def downloads(self):
        return os.path.join(self.home, "downloads")

    def close(self):
        try:
            if self.session:
                self._ask("DELETE", f"/session/{self.session}")
        except (Trouble, OSError):
            pass
        self.driver.terminate()
        self.driver.wait()
        self.driver.stdout.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _ask(self, method, path, data=None):
        body = None if method in ("GET", "DELETE") else json.dumps(data or {}).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            value = json.load(e)["value"]
            raise Trouble(value["error"], value["message"]) from None

    def _do(self, method, path, data=None):
        return self._ask(method, f"/session/{self.session}{path}", data)

    # --- the window

    def look(self, dark=False, phone=False):
        """Dark or light, phone or desktop, as the page's media queries see it."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        if phone:
            self.cdp("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
        else:
            self.cdp("Emulation.clearDeviceMetricsOverride")

    def cdp(self, command, **params):
        return self._do("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def open(self, path):
        self._do("POST", "/url", {"url": self.origin + path})

    def reload(self):
        self._do("POST", "/refresh")

    @property
    def address(self):
        return self._do("GET", "/url")

    @property
    def title(self):
        return self._do("GET", "/title")

    def shot(self, name, whole=True):
        """Keep a picture of the page as an artefact; the path of it."""
        path = os.path.join(self.shots, name + ".png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.cdp("Page.captureScreenshot", captureBeyondViewport=whole)["data"]))
        return path

    def complaints(self, level=("SEVERE", "WARNING")):
        return [entry["message"] for entry in self._do("POST", "/se/log", {"type": "browser"}) if entry["level"] in level]

    # --- what is on the page

    def script(self, text, *args):
        return self._do("POST", "/execute/sync", {"script": text, "args": list(args)})

    def script_async(self, text, *args):
        """The script calls its last argument with the result."""
        return self._do("POST", "/execute/async", {"script": text, "args": list(args)})

    def all(self, css):
        return [e[ELEMENT] for e in self._do("POST", "/elements", {"using": "css selector", "value": css})]

    def seen(self, css):
        """Is there one that can be seen?"""
        return self.script("return [...document.querySelectorAll(arguments[0])].some(e => e.checkVisibility())", css)

    def find(self, css, text=None):
        """The first visible one that holds `text`, or None."""
        return self.script("return [...document.querySelectorAll(arguments[0])].find(e => e.checkVisibility() && (!arguments[1] || e.textContent.includes(arguments[1]))) || null",
                           css, text)

    def wait(self, css, text=None, seconds=20):
        return self.until(lambda: self.find(css, text), seconds, f"{css} {text or ''}")

    def gone(self, css, seconds=20):
        return self.until(lambda: not self.seen(css), seconds, f"no {css}")

    def until(self, check, seconds=20, what="it"):
        end = time.monotonic() + seconds
        while True:
            try:
                value = check()
            except Trouble as trouble:  # the page changed under the question
                if trouble.kind not in ("stale element reference", "javascript error", "no such element"):
                    raise
                value = None
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for {what} at {self.address}; the page says: {self.text('main')[:2000]}; console: {self.complaints()}")
            time.sleep(0.1)

    def text(self, css="body"):
        return self.script("const e = document.querySelector(arguments[0]); return e ? e.innerText : ''", css)

    def value(self, css):
        return self.script("return document.querySelector(arguments[0]).value", css)

    def click(self, css, text=None, seconds=20):
        def try_it():
            element = self.find(css, text)
            if not element:
                return False
            try:
                self._do("POST", f"/element/{element[ELEMENT]}/click")
            except Trouble as trouble:
                if trouble.kind in ("element click intercepted", "stale element reference", "element not interactable"):
                    return False
                raise
            return True
        self.until(try_it, seconds, f"a click on {css} {text or ''}")

    def type(self, css, text):
        """Into a field, instead of what stands there."""
        element = self.wait(css)[ELEMENT]
        self._do("POST", f"/element/{element}/clear")
        self._do("POST", f"/element/{element}/value", {"text": text})

    def choose_file(self, css, path):
        """Into a file field, which may be hidden by design."""
        element = self.all(css)[0]
        self._do("POST", f"/element/{element}/value", {"text": path})

    def press(self, *keys):
        """Keys to whatever has the focus."""
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self._do("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def focused(self):
        return self.script("const e = document.activeElement; return e ? (e.id || e.getAttribute('aria-label') || e.textContent || e.tagName).trim() : ''")
