"""The embedded domain's accounts as their administrator has them: through the agent and without
one, and across a crash."""

import json
import os
import signal
import subprocess
import time

from labtest import LabTest, plan
from postern import local_domain_section, memory_of

DOMAIN = "GATEDOM"
MANY = 10_000
NONE = "X" * 32
HASH = "8846F7EAEE8FB117AD06BDD830B7586C"     # of "password"
LOCKED_OUT = "ACCOUNT_LOCKED_OUT"


def entry(name, flags="U", changed="5F000000"):
    return f"{name}:1:{NONE}:{HASH}:[{flags:11}]:LCT-{changed}:\n"


class AccountsTest(LabTest):
    def setUp(self):
        self.postern = self.agent(
            local_domain_section(DOMAIN, lockout_threshold=3), started=False)

    def order(self, *words, password=None, check=True):
        text = None if password is None else password + "\n"
        return self.postern.run("account", *words, input=text, check=check)

    def accounts(self):
        listed = json.loads(self.order("list", "--json").stdout)
        return {account["name"]: account for account in listed}

    def logon(self, user, password=plan.PASSWORD):
        done = self.postern.logon(DOMAIN, user, password)
        return done.returncode, done.stdout + done.stderr

    def smbpasswd(self, *lines):
        path = self.postern.folder / "smbpasswd"
        path.write_text("".join(lines))
        return path

    def test_orders_without_an_agent_and_through_it_are_the_same(self):
        self.order("add", "anna", "--full-name", "Anna A", password=plan.PASSWORD)
        without = self.accounts()
        self.postern.start()
        self.assertEqual(self.accounts(), without)
        self.assertEqual(self.logon("anna")[0], 0)
        self.order("add", "bert", password="another-1")
        self.assertEqual(self.logon("bert", "another-1")[0], 0)
        self.order("set-password", "anna", password="changed-2")
        self.assertNotEqual(self.logon("anna")[0], 0)
        self.assertEqual(self.logon("anna", "changed-2")[0], 0)
        self.order("remove", "bert")
        self.assertIn("NO_SUCH_USER", self.logon("bert", "another-1")[1])
        through = self.accounts()
        self.postern.stop()
        self.assertEqual(self.accounts(), through)
        self.assertEqual(through["anna"]["logonCount"], 2)

    def test_guessing_locks_out_across_a_crash(self):
        self.order("add", "anna", password=plan.PASSWORD)
        self.postern.start()
        for _ in range(3):
            self.assertIn("WRONG_PASSWORD", self.logon("anna", "a guess")[1])
        self.assertIn(LOCKED_OUT, self.logon("anna")[1])
        self.postern.kill()
        self.assertTrue(self.accounts()["anna"]["lockedOut"])
        self.postern.start()
        self.assertIn(LOCKED_OUT, self.logon("anna")[1])
        self.order("unlock", "anna")
        self.assertEqual(self.logon("anna")[0], 0)

    def test_import_names_the_lines_that_it_does_not_take(self):
        path = self.smbpasswd(
            "# a comment\n", entry("anna"), "no entry at all\n", entry("bert", "UD"),
            entry("Domain Users"), entry("pc9$", "W"))
        for started in (False, True):
            with self.subTest(started=started):
                if started:
                    self.postern.start()
                done = self.order("import", str(path), check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("line 3: ", done.stderr)
                self.assertIn("line 5: Domain Users: ", done.stderr)
        self.assertEqual(self.logon("anna", "password")[0], 0)
        self.assertIn("ACCOUNT_DISABLED", self.logon("bert", "password")[1])
        self.assertEqual(self.accounts()["pc9$"]["kind"], "machine")

    def test_ten_thousand_accounts_are_there_at_once(self):
        path = self.smbpasswd(*(entry(f"user{number}") for number in range(MANY)))
        self.order("import", str(path))
        begin = time.monotonic()
        self.postern.start()
        seconds = time.monotonic() - begin - self.lab.gate.entry_seconds()
        self.assertEqual(self.logon(f"user{MANY - 1}", "password")[0], 0)
        rss = memory_of([self.postern.pid])["rss"]
        self.assertReached(
            f"start with {MANY} accounts", "", f"{seconds * 1000:.0f} ms, {rss / 1024:.1f} MB",
            "≤ 500 ms, ≤ 20 MB", seconds <= 0.5 and rss <= 20 * 1024)

    def test_an_agent_that_is_killed_leaves_whole_accounts(self):
        path = self.smbpasswd(*(entry(f"user{number}") for number in range(MANY)))
        self.postern.start()
        with self.postern.box.popen(
                self.postern.binary, "account", "--config", self.postern.config, "import", path,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as importing:
            state = self.postern.folder / "state" / "state.mdb"
            size = state.stat().st_size
            while state.stat().st_size == size and importing.poll() is None:
                os.sched_yield()
            os.kill(self.postern.pid, signal.SIGKILL)
            importing.wait(30)
        self.postern.kill()
        kept = self.accounts()
        self.assertTrue(all(account["hasPassword"] for name, account in kept.items()
                            if name.startswith("user")))
        self.assertEqual(self.postern.run("serve", "--check").returncode, 0)
        # What is missing can be taken once more, and nothing is there twice.
        self.order("import", str(path))
        whole = self.accounts()
        self.assertEqual(len(whole), MANY + 2)
        self.assertEqual(len({account["rid"] for account in whole.values()}), MANY + 2)
