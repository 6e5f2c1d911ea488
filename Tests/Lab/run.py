#!/usr/bin/env python3
"""Runs the lab's tests against one running lab and prints what was measured.

    python3 Tests/Lab/run.py [--binary PATH] [--only PATTERN]… [--keep] [--list]

PATTERN is a module (`test_wire`), a part of a test's name (`cold`), or a shell pattern for all of
it (`*InAD*ntlmv2*`).
"""

import argparse
import fnmatch
import os
import sys
import time
import unittest

os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
sys.dont_write_bytecode = True

import labtest  # noqa: E402  (after the switch above)
import ntlm  # noqa: E402
import plan  # noqa: E402
from boxes import LabError  # noqa: E402
from measures import table  # noqa: E402

ORDER = ("test_demo", "test_oracle", "test_logon", "test_discovery", "test_responder",
         "test_names", "test_service", "test_commands", "test_accounts", "test_callers",
         "test_winbind", "test_front", "test_share", "test_judges", "test_hostile", "test_torture", "test_member", "test_join",
         "test_trusts", "test_replication", "test_wire", "test_faults")


class Result(unittest.TextTestResult):
    """One line for each test, with its time; failures in full at the end."""

    def startTest(self, test):
        self.begun = time.monotonic()
        self.reported = False
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.flush()

    def report(self, test, word):
        name = ".".join(test.id().split(".")[-3:])
        took = time.monotonic() - getattr(self, "begun", time.monotonic())
        self.stream.writeln(f"{word:8}{name} ({took:.2f} s)")

    def addSuccess(self, test):
        self.passed = getattr(self, "passed", 0) + 1
        self.report(test, "ok")

    def addError(self, test, error):
        unittest.TestResult.addError(self, test, error)
        self.report(test, "ERROR")

    def addFailure(self, test, error):
        unittest.TestResult.addFailure(self, test, error)
        self.report(test, "FAILED")

    def addSkip(self, test, reason):
        unittest.TestResult.addSkip(self, test, reason)
        self.report(test, "skipped")

    def addSubTest(self, test, subtest, error):
        unittest.TestResult.addSubTest(self, test, subtest, error)
        if error:
            self.report(subtest, "FAILED")


def all_tests(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from all_tests(item)
        else:
            yield item


def load(patterns):
    found = sorted(path.stem for path in plan.HERE.glob("test_*.py"))
    names = sorted(found, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    loader = unittest.TestLoader()
    tests = list(all_tests(loader.loadTestsFromNames(names)))
    if loader.errors:
        sys.exit("\n".join(loader.errors))
    if patterns:
        tests = [test for test in tests if any(chosen(test.id(), each, names) for each in patterns)]
    return unittest.TestSuite(tests)


def chosen(test, pattern, modules):
    """A module's name chooses that module; anything else is a part of a test's name."""
    if pattern in modules:
        return test.startswith(pattern + ".")
    return pattern in test or fnmatch.fnmatch(test, pattern)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(labtest.binary))
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--keep", action="store_true", help="leave the lab running")
    parser.add_argument("--list", action="store_true", help="print the tests' names and end")
    options = parser.parse_args()
    labtest.binary = options.binary
    suite = load(options.only)
    if options.list:
        print("\n".join(test.id() for test in all_tests(suite)))
        return 0
    ntlm.self_check()
    keep = options.keep or labtest.lab.ad.running   # somebody else's lab stays as it was
    try:
        labtest.lab.up()
        result = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result, verbosity=0,
                                         warnings="ignore").run(suite)
    finally:
        labtest.lab.oracle.stop()
        if not keep:
            labtest.lab.down()
    if table.rows:
        print(f"\n{table}")
    # A test whose subtests fail is one failed test.
    failed = len({getattr(test, "test_case", test).id()
                  for test, _ in result.failures + result.errors})
    skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
    print(f"\n{getattr(result, 'passed', 0)} passed, {failed} failed{skipped}")
    return 1 if failed or not getattr(result, "passed", 0) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"lab: {error}")
