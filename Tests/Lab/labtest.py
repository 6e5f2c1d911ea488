"""What the lab's tests share: one running lab, the binary under test, and agents that end with the
test or class that started them."""

import time
import unittest

import oracle
import plan
from lab import Lab
from measures import table
from postern import Postern, domain_section

lab = Lab()
binary = plan.REPOSITORY / "build" / "postern"      # run.py changes it by --binary


class LabTest(unittest.TestCase):
    longMessage = True
    table = table
    maxDiff = None

    @property
    def lab(self):
        return lab

    def agent(self, *sections, started=True, **options):
        """An agent for this test alone."""
        agent = _make(sections, options)
        self.addCleanup(agent.forget)
        return agent.start() if started else agent

    @classmethod
    def class_agent(cls, *sections, **options):
        """An agent for all tests of the class."""
        agent = _make(sections, options)
        cls.addClassCleanup(agent.forget)
        return agent.start()

    def timed(self, action, *arguments):
        """(result, seconds), without what it takes to enter the box."""
        entry = self.lab.gate.entry_seconds()
        begin = time.monotonic()
        result = action(*arguments)
        return result, max(0.0, time.monotonic() - begin - entry)

    def healed(self, controller):
        """Whatever the test does to the controller, the next test finds it well."""
        self.addCleanup(controller.heal)
        return controller

    def assertReached(self, measure, peer, ours, target, reached, bound=None):
        """A row in the table, and a failure where the target is missed. Where the README says why
        the target is out of reach, `bound` is what must be kept to: a bound's words and verdict."""
        table.add(measure, peer, ours, target, reached)
        words, kept = bound or (target, reached)
        self.assertTrue(kept, f"{measure}: {ours}, not {words}")

    def assertBytes(self, measure, peer, count, frames, octets, bound=None):
        """So many frames and bytes at most, TCP options left out; `bound`: bytes, as above."""
        few = len(count) <= frames

        def within(most):
            return f"≤ {frames} frames, ≤ {most:,} B", few and count.bytes_without_options <= most
        self.assertReached(measure, peer, count, *within(octets), bound and within(bound))

    def assertVerdict(self, done, status, key=None):
        """The outcome of ntlm-auth in terms of NTSTATUS, and of the key where one is known."""
        found, found_key = oracle.verdict(done)
        self.assertEqual(f"0x{found:08x}", f"0x{status:08x}", done.stdout + done.stderr)
        if key is not None:
            self.assertEqual(found_key, key.hex().upper())


def _make(sections, options):
    options.setdefault("secrets", {domain.name: plan.MACHINE_PASSWORD
                                   for domain in plan.DOMAINS.values()
                                   if any(f"[domain {domain.name}]" in each for each in sections)})
    return Postern(lab, binary, *sections, **options)


__all__ = ["LabTest", "domain_section", "lab", "plan", "table"]
