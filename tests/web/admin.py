"""admin: what an admin does in the browser, each click against the real programs: a renderer added from its archive, a setting changed, the check of rows
against files, a machine set aside and allowed again, an account changed, a token made and revoked, at last everything purged."""
import os
import tarfile
import unittest

import farm
import tap
import webdriver
from farm import Client, Visitor

SHOTS = os.path.join(farm.BUILD, "tests", "web", "screenshots", "admin")


@unittest.skipIf(webdriver.missing(), webdriver.missing())
class Admin(farm.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        f = cls.farm
        f.user("ada", "admin")
        f.user("wim", "worker")
        cls.b = webdriver.Browser(f"http://127.0.0.1:{f.port}", SHOTS)
        cls.b.open("/login")
        cls.b.type("[name=name]", "ada")
        cls.b.type("[name=password]", "long enough")
        cls.b.click("#login button")
        cls.b.wait("#list")
        cls.ada = Visitor(f, "ada")

    @classmethod
    def tearDownClass(cls):
        cls.b.close()
        super().tearDownClass()

    def tearDown(self):
        self.assertEqual(self.b.complaints(), [])

    def archive(self):
        top, path = "blender-4.2.1-linux-x64", os.path.join(self.farm.dir, "blender-4.2.1-linux-x64.tar.xz")
        source = os.path.join(self.farm.dir, "blender")
        with open(os.open(source, os.O_WRONLY | os.O_CREAT, 0o755), "w") as f:
            f.write("#!/bin/sh\nexit 1\n")
        with tarfile.open(path, "w:xz") as tar:
            tar.add(source, f"{top}/blender")
        return path

    def test_1_renderer(self):
        b = self.b
        b.open("/settings")
        b.wait("#no-renderers", "There is none yet")
        b.click("#add")
        b.wait("dialog[open]")
        b.choose_file("dialog [type=file]", self.archive())
        b.type("dialog [name=password]", "not it at all")
        b.click("dialog button", "Add")
        b.wait("dialog .wrong")
        b.complaints()  # the refusal stands on the console
        b.type("dialog [name=password]", "long enough")
        b.shot("renderer", whole=False)
        b.click("dialog button", "Add")
        b.wait("#renderers th", "Blender 4.2.1", 60)
        self.assertEqual([r["version"] for r in self.ada.get("/api/renderers").json["renderers"]], ["4.2.1"])

    def test_2_setting(self):
        b = self.b
        b.open("/settings")
        b.wait("#groups .setting")
        b.type("#groups .setting input", "The Long Barn")
        b.click("#groups .setting button", "Save")
        b.wait(".said", "Farm name is saved")
        self.eventually(lambda: self.ada.get("/api/status").json["farm"] == "The Long Barn")
        b.click("#check")
        b.wait("#checked", "All is well")

    def test_3_worker(self):
        b = self.b
        client = Client(self.farm, "6.22306.0", "wim", self.farm.key("wim"), host="attic")
        client.config()
        b.open("/workers")
        b.click("#workers a", "attic")
        b.click("#aside")
        b.type("dialog [name=why]", "its fan is loud")
        b.click("dialog button", "Set aside")
        b.wait("#doing", "Set aside: its fan is loud, until")
        self.assertEqual(client.job(), 203)
        b.wait("#log td", "203")
        b.click("#allow")
        b.wait("#aside")
        b.click("#tags")
        b.type("dialog [name=tags]", "quiet fast")
        b.click("dialog button", "Save")
        b.wait("#about", "quiet · fast")
        b.click("#sleep")
        b.script("for (const [name, value] of [['from', '22:00'], ['to', '06:30']]) document.querySelector(`dialog [name=${name}]`).value = value")
        b.type("dialog [name=zone]", "Europe/Berlin")
        b.click("dialog button", "Save")
        b.wait("#machine dd", "22:00 to 06:30, Europe/Berlin")
        self.assertNotEqual(client.job(), 203)

    def test_4_people(self):
        b = self.b
        b.open("/people")
        b.click("#people button[aria-label='Change wim']")
        b.click("dialog label", "submitter:")
        b.type("dialog [name=storage]", "2.5")
        b.shot("person", whole=False)
        b.click("dialog button", "Save")
        b.wait("#people td", "of 2.5 GB")
        wim = [u for u in self.ada.get("/api/users").json["users"] if u["name"] == "wim"][0]
        self.assertEqual((sorted(wim["roles"]), wim["quota_bytes"]), (["submitter", "worker"], 2500000000))
        b.wait("#audits td", "user.change")

    def test_5_token(self):
        b = self.b
        b.open("/account")
        b.click("#new-token")
        b.type("dialog [name=name]", "a script")
        b.click("dialog button", "Make it")
        b.wait("dialog .secret")
        token = b.text("dialog .secret").strip()
        b.click("dialog button", "Close")
        get = lambda: farm.request(self.farm.port, "GET", "/api/projects", [("Authorization", f"Bearer {token}")]).status  # noqa: E731
        self.assertEqual(get(), 200)
        b.click("#tokens button[aria-label='Revoke a script']")
        b.click("dialog button.danger")
        b.wait("#no-tokens")
        self.assertEqual(get(), 401)

    def test_6_purge(self):
        b = self.b
        self.farm.project("wim", title="soon gone")
        b.open("/settings")
        b.wait("#groups .setting")
        name = "The  attic"  # what it is called from now on, and the page asks for
        b.type("#groups .setting input", name)
        b.click("#groups .setting button", "Save")
        b.wait(".said", "Farm name is saved")
        b.click("#purge")
        b.wait("dialog .hint", "The")
        b.type("dialog [name=name]", "The attic")
        b.type("dialog [name=password]", "long enough")
        b.until(lambda: not b.find("dialog[open]") or b.script("document.querySelector('dialog button.danger')?.click()"), 20, "every program to know the new name")
        b.wait("#purged", "Everything is purged", 60)
        b.complaints()  # who asked too early was refused
        self.assertEqual(self.farm.json("project", "list"), [])


if __name__ == "__main__":
    tap.main()
