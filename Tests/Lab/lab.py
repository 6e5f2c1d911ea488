#!/usr/bin/env python3
"""The lab: real peers in network namespaces.

    python3 Tests/Lab/lab.py up              start whatever does not run yet (root)
    python3 Tests/Lab/lab.py down            end everything that the lab started
    python3 Tests/Lab/lab.py status          what runs where
    python3 Tests/Lab/lab.py exec BOX CMD…   run a command inside a box
    python3 Tests/Lab/lab.py packages        install the Debian packages that it needs (root)
    python3 Tests/Lab/lab.py oracle ad|nt4   (re)start winbindd as a member of that domain
    python3 Tests/Lab/lab.py trusted         start the controller at the other end of trusts
    python3 Tests/Lab/lab.py restart ad|nt4 [option=value…]   a controller, with smb.conf options
"""

import concurrent.futures
import fcntl
import os
import pathlib
import re
import sys
import time

import controllers
import packages
import plan
from boxes import Box, LabError, Switch
from oracle import Oracle


class Lab:
    """All boxes by name, both controllers, and the oracle."""

    def __init__(self):
        self.switch = Switch()
        self.boxes = {name: Box(name) for name in plan.ADDRESSES}
        self.controllers = controllers.make(self.switch, self.boxes)
        self.ad, self.nt4 = self.controllers["ad"], self.controllers["nt4"]
        self.trusted = self.controllers["pdc"]
        self.oracle = Oracle(self.boxes["member"])
        self.gate, self.client = self.boxes["gate"], self.boxes["client"]

    def up(self):
        if os.geteuid() != 0:
            raise LabError("network namespaces need root")
        with self._exclusive():
            packages.install()
            packages.build_native()
            self._connect()
            with concurrent.futures.ThreadPoolExecutor() as pool:
                work = [pool.submit(self._bring, each) for each in (self.ad, self.nt4)]
                for each in work:
                    each.result()

    def bring_trusted(self):
        """The controller at the other end of trusts, which `up` does not start."""
        with self._exclusive():
            self._bring(self.trusted)

    def _connect(self):
        for name, box in self.boxes.items():
            # The PDC resolves by WINS alone; everyone else asks the AD controller's DNS.
            box.write_etc(None if name in ("nt4", "pdc") else plan.AD.address)
        self.switch.up()
        for box in self.boxes.values():
            self.switch.connect(box)

    def _bring(self, controller):
        if controller.prepare() and controller is not self.trusted:
            self.oracle.forget(controller.domain)   # this domain never saw the oracle join
        controller.heal()   # starts it, or undoes what an interrupted test left behind
        controller.settle()

    def delayed(self, box, milliseconds):
        """A context in which the box is so many milliseconds away, each way."""
        return self.switch.delayed(box, milliseconds, packages.native("delay"))

    def down(self):
        with self._exclusive():
            self.switch.down(list(self.boxes.values()))

    def status(self):
        for name, box in self.boxes.items():
            counts = {}
            for pid in box.pids():
                try:
                    comm = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
                except OSError:
                    continue
                comm = re.split(r"[(\[]", comm)[0]
                counts[comm] = counts.get(comm, 0) + 1
            state = " ".join(f"{comm}×{count}" for comm, count in sorted(counts.items()))
            yield name, box.address, state if box.exists else "(no namespace)"

    def _exclusive(self):
        """Two `up` at once would both provision: the second waits, then finds all done."""
        plan.STATE.mkdir(parents=True, exist_ok=True)
        lock = open(plan.STATE / "lock", "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), False)
        return lock


def main(words):
    lab = Lab()
    match words:
        case ["up"]:
            started = time.monotonic()
            lab.up()
            print(f"up after {time.monotonic() - started:.1f} s")
        case ["down"]:
            lab.down()
        case ["status"]:
            for name, address, state in lab.status():
                print(f"{name:8}{address:12}{state}")
        case ["exec", box, *command] if box in lab.boxes and command:
            os.execvp("ip", lab.boxes[box].command(*command))
        case ["trusted"]:
            lab.bring_trusted()
        case ["packages"]:
            packages.install()
        case ["oracle", ("ad" | "nt4") as domain]:
            lab.oracle.start(plan.DOMAINS[domain])
        case ["restart", ("ad" | "nt4") as name, *options]:
            lab.controllers[name].set_options(**dict(each.split("=", 1) for each in options))
            lab.controllers[name].restart()
        case _:
            print(__doc__.strip(), file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(f"lab: {error}")
