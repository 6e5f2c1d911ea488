"""Joining a domain: our account made, or taken over, at every kind of controller."""

import re

from labtest import LabTest, domain_section, lab, plan
from postern import listen_section, local_domain_section

ADMIN = plan.ADMINISTRATOR_PASSWORD


class Joining:
    """What every kind of controller is asked; the classes below say which one."""

    USER = "Administrator"
    # An account that is not there, and one that is.
    FRESH, TAKEN = "JOIN1$", "PC1$"
    DOCUMENTED = ""

    def section(self, account):
        return domain_section(self.DOMAIN, account=account, answer="no")

    def made(self, account, **options):
        return self.agent(self.section(account), started=False, secrets={}, **options)

    def join(self, postern, *words, password=ADMIN):
        return postern.run("join", self.DOMAIN.name, "--user", self.USER, *words,
                           input=password + "\n")

    def assertLogsOn(self, postern):
        done = postern.logon(self.DOMAIN.name, *self.LOGON)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    LOGON = ("alice", plan.PASSWORD)

    def assertNothingKept(self, postern, done, *words):
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for word in (*words, "nothing was changed"):
            self.assertIn(word, done.stderr)
        self.assertIn("no secret", postern.run("secret", "show", self.DOMAIN.name).stdout)

    def test_makes_the_account_proves_the_channel_and_logs_on(self):
        self.remove(self.FRESH)
        self.addCleanup(self.remove, self.FRESH)
        postern = self.made(self.FRESH)
        done = self.join(postern, "--report")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"joined as {self.FRESH}", done.stdout)
        self.assertIn(f"secure channel as {self.FRESH}", done.stdout)
        frames, octets, time = re.search(
            r"^  all +(\d+) +(\d+) +([\d.]+)", done.stdout, re.M).groups()
        self.table.add(f"join of {self.DOMAIN.name}, with the channel's proof", "",
                       f"{frames} frames, {octets} B, {time} ms", "")
        postern.start()
        self.assertLogsOn(postern)
        self.assertIn("change 1", postern.run("secret", "show", self.DOMAIN.name).stdout)

    def test_a_running_agent_takes_the_new_secret(self):
        self.remove(self.FRESH)
        self.addCleanup(self.remove, self.FRESH)
        postern = self.made(self.FRESH).start()
        self.assertNotEqual(postern.logon(self.DOMAIN.name, *self.LOGON).returncode, 0)
        done = self.join(postern)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertLogsOn(postern)

    def test_a_name_that_another_host_has_is_left_alone_unless_taken_over(self):
        self.addCleanup(self.restore, self.TAKEN)
        postern = self.made(self.TAKEN)
        self.assertNothingKept(postern, self.join(postern), f"account {self.TAKEN}", "--reset")
        other = self.made(self.TAKEN)
        other.secrets = {self.DOMAIN.name: plan.MACHINE_PASSWORD}
        other.start()
        self.assertLogsOn(other)    # whoever has it was not disturbed
        other.stop()
        done = self.join(postern, "--reset")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        postern.start()
        self.assertLogsOn(postern)

    def test_a_wrong_administrator_is_told_so(self):
        postern = self.made(self.FRESH)
        self.assertNothingKept(
            postern, self.join(postern, password="not his"), self.USER, "LOGON_FAILURE")

    def test_an_account_of_another_kind_is_left_as_it_was(self):
        postern = self.made(self.LOGON[0])
        self.assertNothingKept(postern, self.join(postern, "--reset"),
                               f"{self.LOGON[0]} is not a computer's account")


class NT4JoinTest(Joining, LabTest):
    DOMAIN, USER = plan.NT4, "root"
    # Samba wants a Unix account behind it, which GATE2$ has.
    FRESH = "GATE2$"

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(cls.enrol_again)

    @classmethod
    def enrol_again(cls):
        lab.nt4.box.run("pdbedit", "-s", lab.nt4.conf, "-a", "-m", "-u", "gate2$", check=False)
        lab.nt4.set_machine_password("GATE2$", plan.MACHINE_PASSWORD)

    def section(self, account):
        return domain_section(self.DOMAIN, account=account, answer="no", controllers=None,
                              wins_server=plan.NT4.address)

    def remove(self, account):
        lab.nt4.box.run("pdbedit", "-s", lab.nt4.conf, "-x", account.lower(), check=False)

    def restore(self, account):
        lab.nt4.set_machine_password(account, plan.MACHINE_PASSWORD)


class NT4JoinOverSMB2Test(NT4JoinTest):
    """The PDC's SMB1 is off, as Samba has it since 4.11."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(lab.nt4.heal)
        lab.nt4.restart(server_min_protocol="SMB2_10")

    def section(self, account):
        return domain_section(self.DOMAIN, account=account, answer="no", controllers=None,
                              wins_server=plan.NT4.address, transport="smb2")


class ADJoinTest(Joining, LabTest):
    DOMAIN = plan.AD

    def section(self, account):
        # By DNS: nothing else is configured.
        return domain_section(self.DOMAIN, account=account, answer="no", controllers=None,
                              dns_name=plan.AD.dns_name)

    def remove(self, account):
        lab.ad.box.run("samba-tool", "computer", "delete", account.rstrip("$"), "-s", lab.ad.conf,
                       check=False)

    def restore(self, account):
        lab.ad.set_machine_password(account, plan.MACHINE_PASSWORD)

    def test_who_may_not_make_accounts_is_told_so(self):
        self.remove(self.FRESH)
        self.addCleanup(self.remove, self.FRESH)
        postern = self.made(self.FRESH)
        done = postern.run("join", self.DOMAIN.name, "--user", "bob", input=plan.PASSWORD + "\n")
        self.assertNothingKept(postern, done, "the right to do that is missing")


class OwnJoinTest(Joining, LabTest):
    """The controller is the program under test."""

    DOMAIN = plan.Domain("client", plan.GATE_DOMAIN, "TWO1", "nt4")
    USER = "boss"
    LOGON = ("olga", plan.PASSWORD)

    @classmethod
    def setUpClass(cls):
        cls.controller = cls.class_agent(
            local_domain_section(cls.DOMAIN.name, ntlmv1="allow"),
            listen_section(lab.client.address, smb="yes", rpc="yes"),
            box=lab.client, name=cls.DOMAIN.controller,
            accounts=((plan.PASSWORD, "olga"), (ADMIN, "boss"),
                      (plan.MACHINE_PASSWORD, "PC1", "--machine")))
        cls.controller.run("group", "member", "add", "Domain Admins", "boss", check=True)

    def section(self, account):
        return domain_section(self.DOMAIN, account=account, answer="no", controllers=None,
                              wins_server=plan.NT4.address)

    def remove(self, account):
        self.controller.run("account", "remove", account)

    def restore(self, account):
        self.controller.run("account", "set-password", account,
                            input=plan.MACHINE_PASSWORD + "\n", check=True)

    def test_who_may_not_make_accounts_is_told_so(self):
        postern = self.made(self.FRESH)
        done = postern.run("join", self.DOMAIN.name, "--user", "olga", input=plan.PASSWORD + "\n")
        self.assertNothingKept(postern, done, "olga may not make accounts")
