#!/usr/bin/env python3
"""Writes packaging/touched-functions.txt: the functions that an agent at work goes through, the
busiest first. The linker puts them side by side, so that fewer pages of the program are resident.

    make order      # builds a program with symbols and runs this

A name that no longer exists is ignored by the linker: the list need not follow every change.
"""

import argparse
import collections
import pathlib
import re
import shutil
import sys

sys.dont_write_bytecode = True

import bench  # noqa: E402  (after the switch above)
import logons  # noqa: E402
import plan  # noqa: E402
from lab import Lab  # noqa: E402
from postern import domain_section, listen_section, local_domain_section  # noqa: E402

LIST = plan.REPOSITORY / "packaging" / "touched-functions.txt"
FUNCTION = re.compile(r"(c?)fn=\((\d+)\)(?: (.*))?$")
COST = re.compile(r"[+\-*\d]\S* (\d+)")


def costs(path, into):
    """Adds each function's own instructions, of one file of callgrind's."""
    names, current, is_call = {}, None, False
    for line in path.read_text().splitlines():
        if found := FUNCTION.match(line):
            calls, number, name = found.groups()
            if name:
                names[number] = re.sub(r"'\d+$", "", name)
            if not calls:
                current = names[number]
        elif line.startswith("calls="):
            is_call = True
        elif found := COST.match(line):
            if not is_call:
                into[current] += int(found.group(1))
            is_call = False


def work(lab, options, program):
    """An agent's whole day, in short."""
    driver = bench.Bench(lab, argparse.Namespace(peers=False, quick=True, binary=program))
    sections = [domain_section(each) for each in plan.DOMAINS.values()]
    sections += [listen_section(lab.gate.address, smb="yes"),
                 local_domain_section(bench.FRONT, ntlmv1="allow")]
    attempt = logons.by_mschapv2(plan.AD.name, "alice", plan.PASSWORD, "MEMBER")
    with driver.postern(
            *sections, user="root", accounts=((plan.PASSWORD, "alice"),)) as agent:
        for domain in plan.DOMAINS.values():
            driver.drive_postern(agent, domain, 4, 100)
        agent.ntlm_auth(*attempt.words)
        agent.run("status")
        for kind in ("GETDC", "SAM LOGON"):
            driver.drive_mailslot(lab.gate.address, [agent.pid], kind, 4)
        driver.drive_names(lab.gate.address, [agent.pid], "GATE1", "own name", 4)
        driver.drive_setups(lab.gate.address, bench.FRONT, "connect", agent.cpu)
        agent.stop(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="a program that was not stripped")
    options = parser.parse_args()
    lab = Lab()
    keep = lab.ad.running
    folder = plan.STATE / "touched"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    program = folder / "postern"
    program.write_text("#!/bin/sh\nexec valgrind -q --tool=callgrind "
                       f"--callgrind-out-file={folder}/%p.out "
                       f"{pathlib.Path(options.binary).resolve()} \"$@\"\n")
    program.chmod(0o755)
    plan.UNIX_USER_ID = 0   # who gave its rights up could not write what it went through
    try:
        lab.up()
        work(lab, options, program)
    finally:
        if not keep:
            lab.down()
    found = collections.Counter()
    for path in folder.glob("*.out"):
        costs(path, found)
    names = [name for name, _ in found.most_common() if not name.startswith(("(", "0x"))]
    LIST.write_text("\n".join(names) + "\n")
    print(f"{LIST}: {len(names)} functions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
