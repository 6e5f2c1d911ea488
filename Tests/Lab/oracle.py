"""The oracle: Samba's own winbindd as a member of one of the domains, with ntlm_auth and wbinfo."""

import re
import shutil

import plan
from boxes import LabError, await_event


class Oracle:
    """One winbindd at a time, in the box `member`."""

    def __init__(self, box):
        self.box = box
        self.domain = None
        self.conf = None

    def start(self, domain, **options):
        """Joins on first use (kept until the lab goes down), then runs winbindd."""
        self.stop()
        folder = self.box.folder / domain.name
        self.conf = folder / "smb.conf"
        self._configure(domain, folder, options)
        if not (folder / "joined").exists():
            self._join(domain, folder)
        self.domain = domain
        self.box.spawn("member-winbindd.log", "winbindd", "--foreground", "--no-process-group",
                       "-s", self.conf)
        await_event("winbindd has its channel", self._ready, 60)

    def _ready(self):
        return self.box.run("wbinfo", "-t", check=False).returncode == 0

    def stop(self):
        self.box.end_processes()
        shutil.rmtree(self.box.folder / "run" / "winbindd", ignore_errors=True)
        self.domain = None

    def forget(self, domain):
        """The domain starts anew: what was joined before means nothing to it."""
        shutil.rmtree(self.box.folder / domain.name, ignore_errors=True)

    def _configure(self, domain, folder, options):
        for name in ("private", "lock", "state", "cache", "pid", "log", "ncalrpc"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        if domain.dns_name:
            options = {"security": "ads", "realm": domain.dns_name.upper(), **options}
        else:
            options = {"security": "domain", "wins server": domain.address,
                       "client min protocol": "NT1", "client ipc min protocol": "NT1",
                       "name resolve order": "wins bcast", **options}
        settings = {
            "netbios name": "MEMBER", "workgroup": domain.name, "interfaces": "lo eth0",
            "bind interfaces only": "yes", "private dir": f"{folder}/private",
            "lock directory": f"{folder}/lock", "state directory": f"{folder}/state",
            "cache directory": f"{folder}/cache", "pid directory": f"{folder}/pid",
            "ncalrpc dir": f"{folder}/ncalrpc", "winbindd socket directory": "/run/samba/winbindd",
            "logging": "file", "log file": f"{folder}/log/log.%m", "log level": "0",
            "idmap config * : backend": "tdb", "idmap config * : range": "200000-299999",
            f"idmap config {domain.name} : backend": "rid",
            f"idmap config {domain.name} : range": "300000-399999",
            **{name.replace("_", " "): value for name, value in options.items()}}
        self.conf.write_text(
            "[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))

    def _join(self, domain, folder):
        if domain.dns_name:
            words = ("ads", "join", "--no-dns-updates", "-U", "Administrator")
        else:
            words = ("rpc", "join", "-S", domain.controller, "-I", domain.address, "-U", "root")
        self.box.run("net", *words, "-s", self.conf, input=plan.ADMINISTRATOR_PASSWORD + "\n")
        (folder / "joined").touch()

    def ntlm_auth(self, *words, **options):
        return self.box.run("ntlm_auth", f"--configfile={self.conf}", *words, check=False,
                            **options)

    def wbinfo(self, *words):
        return self.box.run("wbinfo", *words, check=False)


def verdict(done):
    """(status, session key) of an ntlm_auth run: the two things that callers act upon."""
    key = re.match(r"NT_KEY: ([0-9A-F]{32})\n", done.stdout)
    if done.returncode == 0:
        return 0, key[1] if key else None
    status = re.search(r"\(0x([0-9a-f]+)\)", done.stdout)
    if not status:
        raise LabError(f"ntlm_auth printed neither key nor status: {done.stdout!r} {done.stderr!r}")
    return int(status[1], 16), None
