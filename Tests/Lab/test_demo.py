"""`postern demo`, as a newcomer runs it: no root, no configuration."""

import json
import pathlib
import tempfile

import labtest
from labtest import LabTest, lab


class DemoTest(LabTest):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        pathlib.Path(self.folder).chmod(0o777)

    def demo(self, *words):
        """As a user who owns nothing, in a namespace whose loopback is up."""
        return lab.client.run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "env", f"TMPDIR={self.folder}", labtest.binary, "demo", *words, check=False)

    def test_every_flow_is_shown_and_nothing_is_left_behind(self):
        done, took = self.timed(self.demo, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = {row["flow"]: row for row in json.loads(done.stdout)}
        self.assertEqual(list(rows), ["first logon (F6)", "GETDC (F2)", "SAM LOGON (F2)",
                                      "cached logon (F7)", "wrong password"])
        self.assertEqual(rows["cached logon (F7)"]["messages"], 2)
        self.assertLessEqual(rows["first logon (F6)"]["messages"], 20)
        self.assertIn("DEMOPDC", rows["GETDC (F2)"]["outcome"])
        self.assertIn("WRONG_PASSWORD", rows["wrong password"]["outcome"])
        self.assertEqual(list(pathlib.Path(self.folder).iterdir()), [])
        self.assertReached("demo, all flows", "", f"{took * 1000:.0f} ms", "≤ 1 s", took <= 1)

    def test_table_says_what_to_do_next(self):
        done = self.demo()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("postern secret import", done.stdout)
