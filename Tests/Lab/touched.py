#!/usr/bin/env python3
"""Writes packaging/touched-functions.txt: the functions that an agent at work goes through. First
those of every logon, then those of all else that it does often, then those of its start. The
linker puts them side by side: a logon finds fewer pages cold, and fewer are resident.

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
OFTEN = 300     # calls that make a function one of every logon, or of every question
FUNCTION = re.compile(r"(c?)fn=\((\d+)\)(?: (.*))?$")


def calls(paths):
    """How often each function was called, by callgrind's files; the outermost not at all."""
    found = collections.Counter()
    for path in paths:
        names, called = {}, None
        for line in path.read_text().splitlines():
            if match := FUNCTION.match(line):
                is_called, number, name = match.groups()
                if name:
                    names[number] = re.sub(r"'\d+$", "", name)
                found[names[number]] += 0
                if is_called:
                    called = names[number]
            elif line.startswith("calls="):
                found[called] += int(line[6:].split()[0])
    return found


def forms(name):
    """Valgrind's processor has no instructions for SHA: another form stands in for that one."""
    return (name.replace("_x86_64", "_sha_ni"), name) if name.startswith("_nettle_sha") else (name,)


def log_on(driver):
    sections = [domain_section(each) for each in plan.DOMAINS.values()]
    with driver.postern(*sections, user="root") as agent:
        for domain in plan.DOMAINS.values():
            driver.drive_postern(agent, domain, 4, OFTEN * 10)      # a tenth of each, as it is quick
        agent.stop(30)


def serve(driver):
    """The rest of an agent's day, in short."""
    gate = driver.lab.gate
    attempt = logons.by_mschapv2(plan.AD.name, "alice", plan.PASSWORD, "MEMBER")
    with driver.postern(
            domain_section(plan.AD), listen_section(gate.address, smb="yes"),
            local_domain_section(bench.FRONT, ntlmv1="allow"), user="root",
            accounts=((plan.PASSWORD, "alice"),)) as agent:
        agent.ntlm_auth(*attempt.words)
        agent.run("status")
        for kind in ("GETDC", "SAM LOGON"):
            driver.drive_mailslot(gate.address, [agent.pid], kind, 4)
        driver.drive_names(gate.address, [agent.pid], "GATE1", "own name", 4)
        for version in ("ntlmv1", "ntlmv2"):
            driver.drive_setups(gate.address, bench.FRONT, "connect", version, agent.cpu)
        agent.stop(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="a program that was not stripped")
    options = parser.parse_args()
    lab = Lab()
    keep = lab.ad.running
    folder = plan.STATE / "touched"
    shutil.rmtree(folder, ignore_errors=True)
    plan.UNIX_USER_ID = 0   # who gave its rights up could not write what it went through
    order, rest = {}, {}
    try:
        lab.up()
        for phase in (log_on, serve):
            place = folder / phase.__name__
            place.mkdir(parents=True)
            program = place / "postern"
            program.write_text("#!/bin/sh\nexec valgrind -q --tool=callgrind "
                               f"--callgrind-out-file={place}/%p.out "
                               f"{pathlib.Path(options.binary).resolve()} \"$@\"\n")
            program.chmod(0o755)
            phase(bench.Bench(lab, argparse.Namespace(peers=False, quick=True, binary=program)))
            for name, count in calls(place.glob("*.out")).most_common():
                if not name.startswith(("(", "0x")):
                    (order if count >= OFTEN else rest).update(dict.fromkeys(forms(name)))
    finally:
        if not keep:
            lab.down()
    names = [*order, *(name for name in rest if name not in order)]
    LIST.write_text("\n".join(names) + "\n")
    print(f"{LIST}: {len(names)} functions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
