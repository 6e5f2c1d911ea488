"""Named pipes over SMB 2 and 3: all that a controller behind a firewall, or without SMB1, offers."""

import concurrent.futures

import logons
from boxes import await_event
from capture import Capture
from labtest import LabTest, domain_section, lab, plan
from relay import Relay

LOGON_FAILURE = 0xC000006D
# What winbindd takes, over TCP or SMB1, and how many frames are ours at most: up to five of them
# announce an answer (MS-SMB2 3.3.5.15.3), and a PDC's names are asked for.
FIRST = {"modern": ("winbind 196 frames, 35,933 B", 32), "nt4": ("winbind 89 frames, 19,706 B", 40)}


class Pipes:
    domain = None

    def setUp(self):
        self.controller = self.healed(lab.controllers[self.domain.box])
        self.attempt = logons.by_mschapv2(self.domain.name, "alice", plan.PASSWORD, "GATE1")

    def section(self, **settings):
        return domain_section(self.domain, transport="smb2", **settings)

    def warm_agent(self, **settings):
        """An agent with a channel that has served. A PDC's first pipe takes it seconds."""
        postern = self.agent(self.section(**settings))
        postern.until_logon(self.attempt.words)
        return postern

    def log_on(self, postern, attempt=None):
        attempt = attempt or self.attempt
        self.assertVerdict(postern.ntlm_auth(*attempt.words), 0, attempt.key)

    def assertPipesAlone(self, wire):
        """Port 445 is the only one of TCP that was called, and SMB1 was not spoken there."""
        frames = wire.count().between(self.domain.address, lab.gate.address)
        calls = frames.only(lambda frame: "[SYN]" in frame.info)
        self.assertGreater(len(calls), 0, frames.listing())
        for frame in calls.frames:
            self.assertIn("→ 445 ", frame.info)
        old = frames.only(lambda frame: frame.protocol == "SMB")
        self.assertEqual(len(old), 0, old.listing())

    def test_logons_right_and_wrong_over_port_445_alone(self):
        postern = self.agent(self.section(), started=False)
        postern.import_secrets()
        with Capture(lab, lab.gate) as wire:
            postern.start()
            postern.until_logon(self.attempt.words)     # a PDC's first pipe takes it seconds
            self.log_on(postern, logons.by_ntlmv2(
                self.domain.name, "bob", plan.PASSWORD, "GATE1"))
            wrong = logons.by_mschapv2(self.domain.name, "wanda", "not hers", "GATE1")
            self.assertVerdict(postern.ntlm_auth(*wrong.words), LOGON_FAILURE)
            nobody = logons.by_mschapv2(self.domain.name, plan.UNKNOWN, "any", "GATE1")
            self.assertVerdict(postern.ntlm_auth(*nobody.words), LOGON_FAILURE)
        self.assertPipesAlone(wire)

    def test_first_and_cached_logon(self):
        self.warm_agent().stop()
        postern = self.agent(self.section(), started=False)
        postern.import_secrets()
        with Capture(lab, lab.gate) as wire:
            postern.start()
            self.log_on(postern)
            wire.mark("cached")
            self.log_on(postern)
        name = f"logon, {self.domain.profile}, over SMB 2"
        first = wire.count("start").only(lambda frame: frame.protocol != "ARP")
        peer, most = FIRST[self.domain.profile]
        self.assertReached(f"first {name}", peer, first, f"≤ {most} frames", len(first) <= most)
        cached = wire.count("cached").between(self.domain.address, lab.gate.address)
        self.assertReached(f"cached {name}", "", cached, "≤ 3 frames", len(cached) <= 3)

    def test_several_callers_are_served_at_once(self):
        postern = self.warm_agent(connections=4)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            for done in pool.map(lambda _: postern.ntlm_auth(*self.attempt.words), range(36)):
                self.assertVerdict(done, 0, self.attempt.key)

    def test_member_of_2000_groups_takes_several_fragments(self):
        postern = self.warm_agent(deadline="30s")   # the controller takes its time
        self.log_on(postern, logons.by_ntlmv2(
            self.domain.name, "manygroups", plan.PASSWORD, "GATE1"))
        self.log_on(postern)

    def test_restarted_controller_is_found_again(self):
        postern = self.warm_agent()
        self.controller.restart()
        postern.until_logon(self.attempt.words)
        self.log_on(postern)

    def test_forgotten_session_key_is_agreed_anew_within_the_logon(self):
        postern = self.warm_agent()
        self.controller.forget_sessions()
        self.log_on(postern)

    def test_controller_behind_a_firewall_is_reached(self):
        """A relay that passes port 445, and neither pings nor other ports."""
        with Relay(lab.boxes["relay"], self.domain.address, (445,), udp_ports=()) as relay:
            postern = self.agent(self.section(controllers=lab.boxes["relay"].address))
            postern.until_logon(self.attempt.words)
            self.assertGreater(relay.accepted, 0)
            self.log_on(postern)


class PipesOfADTest(Pipes, LabTest):
    domain = plan.AD


class PipesOfNT4Test(Pipes, LabTest):
    """A PDC as Samba sets one up since 4.11: without SMB1."""

    domain = plan.NT4

    def setUp(self):
        super().setUp()
        self.controller.restart(server_min_protocol="SMB2_10")

    def test_over_smb1_it_is_told_why_this_controller_is_of_no_use(self):
        postern = self.agent(domain_section(self.domain, deadline="2s"))
        self.assertNotEqual(postern.ntlm_auth(*self.attempt.words).returncode, 0)
        reason = "SMB negotiate: NT_STATUS_NOT_SUPPORTED"
        await_event("the reason", lambda: reason in postern.log, 20)
