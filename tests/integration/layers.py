"""layers: includes point down only; SQLite stays in lib/store, libfcgi in lib/http, SQL in sql/; what code says of doc/ is there."""
import os
import re
import unittest

import tap

TOP = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
BELOW = {
    "base": set(),
    "text": {"base"}, "image": {"base"}, "blend": {"base"},
    "store": {"base", "text"},
    "farm": {"base", "text", "store", "image", "blend"},
    "live": {"base", "text", "store", "farm"},
    "http": {"base", "text", "store", "farm"},
    "launch": {"base", "text", "store", "farm"},
    "batch": {"base", "text", "store", "farm", "blend"},
    "cgi-bin": {"base", "text", "store", "farm", "image", "blend", "http", "batch", "launch"},
    "daemons": {"base", "text", "store", "farm", "image", "blend", "launch", "batch", "live"},
    "tools": {"base", "text", "store", "farm", "image", "blend", "worker", "launch", "batch"},
    "worker": {"base", "text", "farm"},
}


def sources():
    for folder in ("lib", "cgi-bin", "daemons", "tools", "worker"):
        for root, _, names in os.walk(os.path.join(TOP, folder)):
            for name in names:
                if name.endswith((".c", ".h")):
                    path = os.path.join(root, name)
                    parts = os.path.relpath(path, TOP).split(os.sep)
                    with open(path) as f:
                        yield parts[1] if parts[0] == "lib" else parts[0], os.path.relpath(path, TOP), f.read()


class Layers(unittest.TestCase):
    def test_includes_point_down(self):
        seen = 0
        for layer, path, text in sources():
            for other in re.findall(r'^#include "(?:lib/)?([a-z-]+)/', text, re.M):
                if other in BELOW and other != layer:
                    seen += 1
                    self.assertIn(other, BELOW[layer], f"{path} includes {other}/")
        self.assertGreater(seen, 100)

    def test_the_picture_has_no_loop(self):
        done = set()
        while len(done) < len(BELOW):
            ready = {layer for layer in BELOW if layer not in done and BELOW[layer] <= done}
            self.assertTrue(ready, set(BELOW) - done)
            done |= ready

    def test_one_place_each(self):
        for layer, path, text in sources():
            if layer != "store":
                self.assertNotRegex(text, r"\bsqlite3_", path)
                self.assertNotRegex(text, r'"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM) ', path)
            if layer != "http":
                self.assertNotIn("fcgiapp.h", text, path)
            self.assertNotRegex(text, r"\b(strcpy|strcat|sprintf|vsprintf|gets|system|popen|strtok|atoi|atol|alloca)\s*\(", path)

    def test_documents_are_there(self):
        found = 0
        for root, dirs, names in os.walk(TOP):
            dirs[:] = [d for d in dirs if d not in (".git", "build", "build-aux", "autom4te.cache", "var")]
            for name in names:
                if not name.endswith((".c", ".h", ".md", ".py", ".sql")):
                    continue
                with open(os.path.join(root, name), errors="replace") as f:
                    text = f.read()
                for document, anchor in re.findall(r"\bdoc/([a-z]+\.md)(?:#([a-z_-]+))?", text):
                    found += 1
                    path = os.path.join(TOP, "doc", document)
                    self.assertTrue(os.path.exists(path), f"{name} names doc/{document}")
                    with open(path) as f:
                        anchors = [re.sub(r"[^a-z0-9_ -]", "", line.lstrip("# ").strip().lower()).replace(" ", "-") for line in f if line.startswith("#")]
                    if anchor:
                        self.assertIn(anchor, anchors, f"{name} names doc/{document}#{anchor}")
        self.assertGreater(found, 15)

    def test_settings_say_what_they_are(self):
        with open(TOP + "/lib/farm/settings.def") as f:
            rows = re.findall(r'^FG_SETTING_(?:INT|TEXT)\((\w+),.*, "(.*)"\)$', f.read(), re.M)
        self.assertGreater(len(rows), 30)
        for name, text in rows:
            self.assertTrue(len(text) > 10 and text.endswith("."), name)


if __name__ == "__main__":
    tap.main()
