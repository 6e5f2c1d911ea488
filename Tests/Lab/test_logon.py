"""Every kind of user, by every kind of response, gets from us what winbindd would have answered:
the same NTSTATUS, and the session key that the controller derives."""

import logons
import oracle
from boxes import await_event
from capture import Capture
from labtest import LabTest, domain_section, lab, plan
from relay import Relay

LOGON_FAILURE, NO_SUCH_USER = 0xC000006D, 0xC0000064
NOLOGON_WORKSTATION, NTLM_BLOCKED = 0xC0000199, 0xC0000418
NO_LOGON_SERVERS, NO_SUCH_GROUP = 0xC000005E, 0xC0000066
PLAIN = 1010        # what a logon without a seal takes with this lab's names


class Matrix:
    """One domain; one test for each method, one subtest for each user."""

    domain = None
    sections = ()
    # Who logs on, and the group that is required.
    memberships = (("alice", "Domain Users"), ("alice", "Domain Admins"))

    @classmethod
    def setUpClass(cls):
        cls.oracle = lab.oracle
        cls.oracle.start(cls.domain)
        cls.postern = cls.class_agent(*cls.sections)

    def attempt(self, method, user, password, *more, words=()):
        """The verdicts of both on one logon, and the key that ours must name. `words`: what else
        both are told."""
        make = logons.METHODS[method]
        theirs = make(self.domain.name, user, password, "MEMBER", *more)
        ours = make(self.domain.name, user, password, "GATE1", *more)
        expected, _ = oracle.verdict(self.oracle.ntlm_auth(*theirs.words, *words))
        return self.postern.ntlm_auth(*ours.words, *words), expected, ours.key

    def compare(self, method, **instead):
        """`instead`: the status that is ours on purpose, by the user's label."""
        for label, user, password in logons.everyone():
            with self.subTest(user=label):
                done, expected, key = self.attempt(method, user, password)
                expected = instead.get(label, expected)
                self.assertVerdict(done, expected, None if expected else key)

    def test_password_is_answered_as_by_winbind(self):
        # winbindd asks an AD controller by another way, which says "no such user" of a computer.
        self.compare("password", computer=NOLOGON_WORKSTATION)

    def test_ntlmv2_is_answered_as_by_winbind(self):
        self.compare("ntlmv2")

    def test_mschapv2_is_answered_as_by_winbind(self):
        self.compare("mschapv2")

    def test_ntlmv1_is_answered_as_by_winbind(self):
        self.compare("ntlmv1")

    def test_lmv2_is_answered_as_by_winbind(self):
        self.compare("lmv2")

    def test_membership_is_required_as_by_winbind(self):
        for user, group in self.memberships:
            password = (plan.PASSWORD if user == "alice" else plan.ADMINISTRATOR_PASSWORD)
            name = f"{self.domain.name}\\{group}"
            sid = self.oracle.wbinfo("-n", name).stdout.split()[0]
            for required in (name, sid):
                for method in ("password", "mschapv2"):
                    with self.subTest(user=user, required=required, method=method):
                        done, expected, key = self.attempt(
                            method, user, password, words=(f"--require-membership-of={required}",))
                        self.assertVerdict(done, expected, None if expected else key)

    def test_a_group_that_nobody_knows_lets_nobody_in_and_is_told_of_once(self):
        attempt = logons.by_mschapv2(self.domain.name, "alice", plan.PASSWORD, "GATE1")
        for _ in range(5):
            done = self.postern.ntlm_auth(
                *attempt.words, f"--require-membership-of={self.domain.name}\\no such group")
            self.assertVerdict(done, NO_SUCH_GROUP)
            self.assertIn("no such group: name one as DOMAIN\\group", done.stderr)
        told = [line for line in self.postern.lines if "no such group" in line]
        self.assertEqual(len(told), 1, told)

    def test_restricted_user_enters_from_the_right_workstation(self):
        attempt = logons.by_ntlmv2(self.domain.name, "bound", plan.PASSWORD, "GATE1", "OTHERBOX")
        self.assertVerdict(self.postern.ntlm_auth(*attempt.words), 0, attempt.key)

    def test_empty_domain_means_the_configured_one(self):
        attempt = logons.by_mschapv2(self.domain.name, "alice", plan.PASSWORD, "GATE1")
        words = ["" if word == self.domain.name else word for word in attempt.words]
        self.assertVerdict(self.postern.ntlm_auth(*words), 0, attempt.key)

    def test_user_name_is_matched_whatever_its_case(self):
        done, expected, key = self.attempt("ntlmv2", "ALICE", plan.PASSWORD)
        self.assertVerdict(done, expected, key)

    def test_success_prints_the_key_from_byte_0(self):
        attempt = logons.by_mschapv2(self.domain.name, "alice", plan.PASSWORD, "GATE1")
        done = self.postern.ntlm_auth(*attempt.words)
        self.assertEqual(done.stdout, f"NT_KEY: {attempt.key.hex().upper()}\n")

    def test_failure_prints_text_and_status_and_exits_1(self):
        attempt = logons.by_mschapv2(self.domain.name, "disabled", plan.PASSWORD, "GATE1")
        done = self.postern.ntlm_auth(*attempt.words)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"\A[^\n]+ \(0xc0000072\)\n\Z")

    def test_works_under_the_name_ntlm_auth(self):
        link = self.postern.folder / "ntlm_auth"
        if not link.exists():
            link.symlink_to(self.postern.binary)
        attempt = logons.by_mschapv2(self.domain.name, "alice", plan.PASSWORD, "GATE1")
        done = self.postern.box.run(link, "--config", self.postern.config, *attempt.words,
                                    check=False)
        self.assertVerdict(done, 0, attempt.key)

    def test_logon_subcommand_tells_right_from_wrong(self):
        right = self.postern.logon(self.domain.name, "alice", plan.PASSWORD)
        self.assertEqual(right.returncode, 0, right.stdout + right.stderr)
        wrong = self.postern.logon(self.domain.name, "wanda", "not hers")
        self.assertEqual(wrong.returncode, 1, wrong.stdout + wrong.stderr)

    def test_samba_options_do_not_break_a_call(self):
        attempt = logons.by_mschapv2(self.domain.name, "alice", plan.PASSWORD, "GATE1")
        done = self.postern.ntlm_auth("-d", "3", "--configfile=/etc/samba/smb.conf",
                                      "--option=log level=1", *attempt.words)
        self.assertVerdict(done, 0, attempt.key)

    def test_status_names_the_domain_and_its_controller(self):
        done = self.postern.run("status")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.domain.name, done.stdout)

    def test_secrets_stay_out_of_log_and_status(self):
        self.postern.logon(self.domain.name, "alice", plan.PASSWORD)
        shown = self.postern.log + self.postern.run("status").stdout
        for secret in (plan.PASSWORD, plan.MACHINE_PASSWORD):
            self.assertNotIn(secret, shown)


class LogonInADTest(Matrix, LabTest):
    domain = plan.AD
    # The controller is to decide, as it does for winbindd.
    sections = (domain_section(plan.AD, ntlmv1="allow", lm="allow"),)
    # A domain local group, whose members are members of Domain Admins.
    memberships = (*Matrix.memberships,
                   ("Administrator", "Denied RODC Password Replication Group"),
                   ("alice", "Denied RODC Password Replication Group"))

    def test_mschapv2_without_leave_is_refused(self):
        attempt = logons.by_ntlmv1(self.domain.name, "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(self.postern.ntlm_auth(*attempt.words), LOGON_FAILURE)


class PolicyTest(LabTest):
    """The domain's own rules, without the controller being asked."""

    def test_ntlmv1_and_lm_are_blocked_by_default_and_mschapv2_is_not(self):
        postern = self.agent(domain_section(plan.AD))
        ntlmv1 = logons.by_ntlmv1("ADLAB", "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(postern.ntlm_auth(*ntlmv1.words), NTLM_BLOCKED)
        lm = logons.by_lm("ADLAB", "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(postern.ntlm_auth(*lm.words), NTLM_BLOCKED)
        mschapv2 = logons.by_mschapv2("ADLAB", "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(postern.ntlm_auth(*mschapv2.words), 0, mschapv2.key)


class LogonInNT4Test(Matrix, LabTest):
    domain = plan.NT4
    sections = (domain_section(plan.NT4),)

    def test_lm_response_alone_is_taken(self):
        attempt = logons.by_lm(self.domain.name, "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(self.postern.ntlm_auth(*attempt.words), 0)


class PlainNT4ProfileTest(LabTest):
    """A controller that offers no seal, as those of Windows NT 4.0. Samba always does: a relay
    takes the wish for one out of our NegotiateFlags, as who wants to read along would."""

    FLAGS, WITHOUT_SECURE_RPC = bytes.fromhex("ffff2f61"), bytes.fromhex("ffff2f21")

    def setUp(self):
        controller = self.healed(lab.nt4)
        controller.restart(server_schannel="auto", server_schannel_require_seal="no")
        relay = Relay(lab.boxes["relay"], plan.NT4.address, (139, 445))
        relay.translate(self.FLAGS, self.WITHOUT_SECURE_RPC)
        self.enterContext(relay)
        self.address = lab.boxes["relay"].address
        self.attempt = logons.by_mschapv2("NT4LAB", "alice", plan.PASSWORD, "GATE1")

    def test_logon_goes_without_a_seal_where_the_domain_permits_it(self):
        postern = self.agent(domain_section(plan.NT4, controllers=self.address, unsealed="yes"))
        postern.until_logon(self.attempt.words)     # a PDC's first pipe takes it seconds
        self.assertIn("no seal", postern.log)
        with Capture(lab, lab.gate, keep_as="plain") as wire:
            self.assertVerdict(postern.ntlm_auth(*self.attempt.words), 0, self.attempt.key)
        self.addCleanup(wire.path.unlink)
        self.assertIn("alice".encode("utf-16-le"), wire.path.read_bytes())
        # The relay has no name to tell, and is asked for it now and then.
        count = wire.count().between(self.address, lab.gate.address).only(
            lambda frame: frame.protocol != "NBNS")
        self.assertEqual(len(count), 2, count.listing())
        # 610 of them are the controller's response: the lengths of names decide.
        self.assertBytes("cached logon, nt4, without a seal", "documented 2 frames, 942 B", count,
                         2, 942, bound=PLAIN)

    def test_first_logon_without_a_seal_keeps_to_the_documented_frames_and_bytes(self):
        section = domain_section(plan.NT4, controllers=self.address, unsealed="yes")
        before = self.agent(section)
        before.until_logon(self.attempt.words)      # a PDC's first pipe takes it seconds
        before.stop()
        postern = self.agent(section, started=False)
        postern.import_secrets()
        with Capture(lab, lab.gate) as wire:
            postern.start()
            self.assertVerdict(postern.ntlm_auth(*self.attempt.words), 0, self.attempt.key)
        count = wire.count().only(lambda frame: frame.protocol != "ARP")
        self.assertBytes("first logon, nt4, without a seal", "documented 20 frames, 3,700 B",
                         count, 20, 3700)

    def test_nothing_goes_without_a_seal_where_the_domain_does_not_permit_it(self):
        postern = self.agent(domain_section(plan.NT4, controllers=self.address, deadline="2s"))
        self.assertVerdict(postern.ntlm_auth(*self.attempt.words), NO_LOGON_SERVERS)
        await_event("a refusal", lambda: "it offers no seal" in postern.log, 20)


class BothDomainsTest(LabTest):
    """One agent for two domains of different profiles."""

    def test_each_domain_keeps_its_own_users(self):
        postern = self.agent(domain_section(plan.AD), domain_section(plan.NT4))
        for domain in plan.DOMAINS.values():
            attempt = logons.by_ntlmv2(domain.name, "alice", plan.PASSWORD, "GATE1")
            self.assertVerdict(postern.ntlm_auth(*attempt.words), 0, attempt.key)

    def test_unknown_domain_is_refused_as_no_such_user(self):
        postern = self.agent(domain_section(plan.AD))
        attempt = logons.by_ntlmv2("ELSEWHERE", "alice", plan.PASSWORD, "GATE1")
        done = postern.ntlm_auth(*attempt.words)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("NT_KEY", done.stdout)

    def test_check_accepts_this_configuration_and_names_a_wrong_line(self):
        postern = self.agent(domain_section(plan.AD))
        self.assertEqual(postern.run("serve", "--check").returncode, 0)
        broken = postern.folder / "broken.conf"
        broken.write_text(postern.config.read_text() + "[agent]\nnmae = GATE1\n")
        done = postern.box.run(postern.binary, "serve", "--config", broken, "--check", check=False)
        self.assertNotEqual(done.returncode, 0)
        line = len(broken.read_text().splitlines())
        self.assertRegex(done.stderr, rf"broken\.conf:{line}\b")
