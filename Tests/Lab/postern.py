"""The program under test: its configuration, its life, and what it costs."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

import plan
from boxes import LabError, await_event

UNAVAILABLE = 3     # exit status: no agent, or no controller, to answer


def domain_section(domain, **settings):
    """One `[domain …]` section; settings by key with underscores, None leaves a key out."""
    keys = {
        "controllers": domain.address,
        "profile": domain.profile,
        "channel": "member",
        "account": "GATE1$",
        "answer": "yes",
        "ntlmv1": "mschap" if domain.profile == "modern" else "allow",
        "lm": "refuse" if domain.profile == "modern" else "allow",
        "connections": 4,
        "deadline": "5s",
        **{name.replace("_", " "): value for name, value in settings.items()},
    }
    return _section(f"domain {domain.name}", keys)


def listen_section(address, **settings):
    keys = {"interfaces": f"{address}/24", "wins server": plan.NT4.address,
            **{name.replace("_", " "): value for name, value in settings.items()}}
    return _section("listen", keys)


def local_domain_section(name, **settings):
    return _section(f"local domain {name}",
                    {key.replace("_", " "): value for key, value in settings.items()})


def _section(name, keys):
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    return "\n".join([f"[{name}]", *lines, ""])


class Postern:
    """One agent in a box. Its folder, and what it remembers, lives as long as this object."""

    _serial = 0

    def __init__(self, lab, binary, *sections, box=None, name="GATE1", secrets=None, accounts=None,
                 **agent):
        Postern._serial += 1
        self.lab, self.box, self.binary = lab, box or lab.gate, pathlib.Path(binary).resolve()
        self.folder = plan.STATE / "postern" / f"{os.getpid()}-{Postern._serial}"
        self.config = self.folder / "postern.conf"
        self.secrets = secrets or {}
        self.accounts = accounts or ()
        self.process = None
        self.lines = []     # what it said on standard error
        for folder in ("state", "run"):     # as packaging/postern.tmpfiles makes them
            (self.folder / folder).mkdir(parents=True, mode=0o755)
            os.chown(self.folder / folder, plan.UNIX_USER_ID, plan.UNIX_USER_ID)
        keys = {"name": name, "state directory": self.folder / "state",
                "runtime directory": self.folder / "run", "log level": "info",
                "winbind socket": "no",
                **{key.replace("_", " "): value for key, value in agent.items()}}
        self.config.write_text("\n".join([_section("agent", keys), *sections]))

    # Life

    def start(self, seconds=10, under=()):
        """Imports the secrets on the first start, then serves; returns once it is ready. `under`:
        the words of a command that runs it with other rights."""
        if not self.binary.exists():
            raise LabError(f"{self.binary} does not exist: make it first")
        late = self.import_secrets()
        self.add_accounts()
        self._said_ready = threading.Event()
        self.process = self.box.popen(
            *under, self.binary, "serve", "--config", self.config, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self._said_ready.wait(seconds) or self.process.poll() is not None:
            self.kill()
            raise LabError(f"postern did not become ready: {self.log}")
        for domain, password in late.items():
            self.run("secret", "import", domain, input=password + "\n", check=True)
        return self

    def import_secrets(self):
        """Secrets that could be imported without a running agent are; the others are returned."""
        late = {}
        for domain, password in self.secrets.items():
            done = self.run("secret", "import", domain, input=password + "\n", check=False)
            if done.returncode == UNAVAILABLE:
                late[domain] = password
            elif done.returncode != 0:
                raise LabError(f"secret import {domain}: {done.stdout}{done.stderr}")
        self.secrets = {}
        return late

    def add_accounts(self):
        """The embedded domain's: (password, what `account add` is told beside it)."""
        for password, *words in self.accounts:
            self.run("account", "add", *words, input=password + "\n", check=True)
        self.accounts = ()

    def _read_log(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            if line.split() and line.split()[-1] == "ready":
                self._said_ready.set()
        self._said_ready.set()  # it has ended: nobody need wait on

    @property
    def log(self):
        return "\n".join(self.lines)

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=5):
        """An orderly end: names are released, and the exit status is its own."""
        return self._end(signal.SIGTERM, seconds)

    def kill(self):
        return self._end(signal.SIGKILL, 5)

    def _end(self, number, seconds):
        if self.process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise LabError(f"postern did not end within {seconds} s of signal {number}") from None
        self._reader.join()
        self.process.stderr.close()
        self.process = None
        return status

    def forget(self):
        """Stops, and removes its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Commands

    def run(self, *words, check=False, **options):
        """A sub-command, as its user would give it."""
        return self.box.run(self.binary, *words[:1], "--config", self.config, *words[1:],
                            check=check, **options)

    def logon(self, domain, user, password, check=False, **options):
        return self.run("logon", f"{domain}\\{user}", input=password + "\n", check=check, **options)

    def ntlm_auth(self, *words, **options):
        """Through the drop-in for ntlm_auth."""
        return self.run("ntlm-auth", *words, **options)

    def until_logon(self, arguments, seconds=30):
        """Repeats an ntlm-auth call until it succeeds; returns the seconds that took."""
        begin = time.monotonic()
        await_event("a logon", lambda: self.ntlm_auth(*arguments).returncode == 0, seconds, 0.005)
        return time.monotonic() - begin

    # Costs

    def memory(self):
        return memory_of([self.pid])

    def cpu(self):
        return cpu_of([self.pid])


def memory_of(pids):
    """KiB by kind: rss, pss and private, summed over the processes. Private is what they have
    written: the text of a static program is nobody else's either, but is the file's."""
    sums = {"rss": 0, "pss": 0, "private": 0}
    for pid in pids:
        values = {}
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
                name, value, *_ = line.split()
                values[name] = int(value)
            sums["rss"] += values["Rss:"]
            sums["pss"] += values["Pss:"]
            sums["private"] += values["Private_Dirty:"]
    return sums


def cpu_of(pids):
    """Seconds on a processor so far, over all threads of the processes."""
    nanoseconds = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                nanoseconds += int(task.read_text().split()[0])
    return nanoseconds / 1e9
