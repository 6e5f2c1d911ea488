"""`postern demo`, as a newcomer runs it: no root, no configuration."""

import json
import pathlib
import re
import tempfile

import labtest
from labtest import LabTest, lab, plan

# What the documented flows cost, as the reference has it; a wrong password is in none of them.
DOCUMENTED = {
    "first logon (F6)": "20 frames, 3,700 B, 200 ms",
    "GETDC (F2)": "of F2's 107 frames",
    "SAM LOGON (F2)": "about 330 + 295 B",
    "cached logon (F7)": "2 frames, 942 B, 13 ms",
    "wrong password": "",
}
HEADERS = 14 + 20 + 8   # of the smallest message: Ethernet, IP, UDP


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
        self.assertEqual({flow: row["documented"] for flow, row in rows.items()}, DOCUMENTED)
        self.assertEqual(list(rows), list(DOCUMENTED))
        for flow, row in rows.items():
            with self.subTest(flow=flow):
                self.assertGreaterEqual(row["messages"], 2)
                self.assertGreater(row["bytes"], row["messages"] * HEADERS)
                self.assertLess(row["bytes"], row["messages"] * 1514)
                self.assertGreater(row["microseconds"], 0)
                self.assertLess(row["microseconds"], took * 1e6)
        self.assertLessEqual(rows["first logon (F6)"]["bytes"], 3700)
        self.assertLess(rows["cached logon (F7)"]["microseconds"],
                        rows["first logon (F6)"]["microseconds"])
        self.assertEqual(rows["cached logon (F7)"]["messages"], 2)
        self.assertLessEqual(rows["first logon (F6)"]["messages"], 20)
        self.assertIn("DEMOPDC", rows["GETDC (F2)"]["outcome"])
        self.assertIn("WRONG_PASSWORD", rows["wrong password"]["outcome"])
        self.assertEqual(list(pathlib.Path(self.folder).iterdir()), [])
        self.assertReached("demo, all flows", "", f"{took * 1000:.0f} ms", "≤ 1 s", took <= 1)

    def test_table_says_what_to_do_next(self):
        done = self.demo()
        self.assertEqual(done.returncode, 0, done.stderr)
        following = done.stdout[done.stdout.index("Next:"):]
        steps = ("serve --check", "postern join", "enable --now postern", "postern status")
        places = [following.index(step) for step in steps]
        self.assertEqual(places, sorted(places))
        readme = (plan.REPOSITORY / "README.md").read_text()
        self.assertIn(following.strip(), readme)
        for flow, documented in DOCUMENTED.items():
            self.assertRegex(
                done.stdout, rf"(?m)^{re.escape(flow)} +{re.escape(documented)} +"
                             r"\d+ messages, \d+ B, \d+\.\d+ ms +\S")
