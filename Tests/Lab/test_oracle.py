"""The lab itself: the oracle answers as the plan says, so that a comparison means something."""

import logons
import oracle
from capture import Capture
from labtest import LabTest, lab, plan

OK, WRONG_PASSWORD, NO_SUCH_USER, LOGON_FAILURE = 0, 0xC000006A, 0xC0000064, 0xC000006D
COMPUTER_REFUSED = 0xC0000199
EXPECTED = {
    "disabled": 0xC0000072, "locked": 0xC0000234, "expired": 0xC0000193, "pwexpired": 0xC0000071,
    "mustchange": 0xC0000224, "bound": 0xC0000070, "nohours": 0xC000006F,
    # For a response winbindd does not tell these two apart; for a password it does.
    "wrong_password": LOGON_FAILURE, "unknown": LOGON_FAILURE,
}
TOLD_APART = {"wrong_password": WRONG_PASSWORD, "unknown": NO_SUCH_USER}


class Oracle:
    """The same expectations of winbindd in both domains."""

    domain = None

    @classmethod
    def setUpClass(cls):
        cls.oracle = lab.oracle
        cls.oracle.start(cls.domain)

    def verdicts(self, method):
        return {label: oracle.verdict(self.oracle.ntlm_auth(
            *logons.METHODS[method](self.domain.name, user, password, "MEMBER").words))[0]
            for label, user, password in logons.everyone()}

    def expect(self, method, **changes):
        found = self.verdicts(method)
        expected = {label: EXPECTED.get(label, OK) for label in found} | changes
        self.assertEqual({label: f"0x{status:08x}" for label, status in found.items()},
                         {label: f"0x{status:08x}" for label, status in expected.items()})

    def test_states_by_ntlmv2(self):
        self.expect("ntlmv2")

    def test_states_by_mschapv2(self):
        self.expect("mschapv2")

    def test_session_keys_are_those_computed_here(self):
        for method in ("ntlmv2", "mschapv2"):
            attempt = logons.METHODS[method](self.domain.name, "alice", plan.PASSWORD, "MEMBER")
            self.assertVerdict(self.oracle.ntlm_auth(*attempt.words), OK, attempt.key)

    def test_member_of_2000_groups_gets_a_fragmented_answer(self):
        attempt = logons.by_ntlmv2(self.domain.name, "manygroups", plan.PASSWORD, "MEMBER")
        with Capture(self.lab, self.lab.boxes["member"]) as wire:
            self.assertVerdict(self.oracle.ntlm_auth(*attempt.words), OK)
        self.assertGreater(wire.count().bytes, 8 * plan.GROUPS)


class OracleInADTest(Oracle, LabTest):
    domain = plan.AD

    def test_states_by_password(self):
        self.expect("password", **TOLD_APART, computer=NO_SUCH_USER)

    def test_ntlmv1_is_refused(self):
        attempt = logons.by_ntlmv1(self.domain.name, "alice", plan.PASSWORD, "MEMBER")
        self.assertVerdict(self.oracle.ntlm_auth(*attempt.words), LOGON_FAILURE)

    def test_restricted_user_is_kept_out_even_from_the_right_workstation(self):
        """winbindd sends \\\\OTHERBOX, which a Samba AD controller compares with OTHERBOX."""
        attempt = logons.by_ntlmv2(self.domain.name, "bound", plan.PASSWORD, "MEMBER", "OTHERBOX")
        self.assertVerdict(self.oracle.ntlm_auth(*attempt.words), EXPECTED["bound"])


class OracleInNT4Test(Oracle, LabTest):
    domain = plan.NT4

    def test_states_by_password(self):
        self.expect("password", **TOLD_APART, computer=COMPUTER_REFUSED)

    def test_ntlmv1_is_taken(self):
        attempt = logons.by_ntlmv1(self.domain.name, "alice", plan.PASSWORD, "MEMBER")
        self.assertVerdict(self.oracle.ntlm_auth(*attempt.words), OK, attempt.key)

    def test_lm_is_taken(self):
        attempt = logons.by_lm(self.domain.name, "alice", plan.PASSWORD, "MEMBER")
        self.assertVerdict(self.oracle.ntlm_auth(*attempt.words), OK)

    def test_restricted_user_enters_from_the_right_workstation(self):
        attempt = logons.by_ntlmv2(self.domain.name, "bound", plan.PASSWORD, "MEMBER", "OTHERBOX")
        done = self.oracle.ntlm_auth(*attempt.words)
        self.assertVerdict(done, OK, attempt.key)
