"""The two controllers: how each is made, started, stopped, hurt and healed."""

import pathlib
import shutil
import signal

import cldap
import nbns
import plan
import rpc
from boxes import await_event, run

PYTHON = "/usr/bin/python3"     # Debian's, which has python3-samba


class Controller:
    """A Samba controller in its box. Its state starts out the same at every `lab up`."""

    daemons = ()
    sources = ()    # files that decide what is provisioned, besides the plan

    def __init__(self, domain, box, switch, witness):
        self.domain, self.box, self.switch, self.witness = domain, box, switch, witness
        self.folder = box.folder / "samba"
        self.conf = box.folder / "smb.conf"
        self.include = box.folder / "extra.conf"

    @property
    def cache(self):
        name = f"{self.box.name}-{plan.fingerprint('controllers.py', *self.sources)}.tar"
        return plan.STATE / "cache" / name

    def prepare(self):
        """Brings the pristine state, from the cache or by provisioning; False if it runs."""
        if self.box.pids():
            return False
        for path in (self.folder, self.box.folder / "run"):
            shutil.rmtree(path, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.box.folder / "run").mkdir()
        self.write_configuration()
        self.set_options()
        if self.cache.exists():
            run("tar", "-xSf", self.cache, "-C", self.box.folder)
            return True
        try:
            self.provision()
        except BaseException:
            self.stop()     # half a domain must not be taken for a running one
            raise
        self.cache.parent.mkdir(parents=True, exist_ok=True)
        for outdated in self.cache.parent.glob(f"{self.box.name}-*"):
            outdated.unlink()
        partial = self.cache.with_suffix(".partial")
        run("tar", "-cSf", partial, "-C", self.box.folder, "samba", "etc")
        partial.rename(self.cache)
        return True

    def write_configuration(self):
        text = self.configuration().replace("\n    ", "\n").lstrip()
        self.conf.write_text(f"{text}include = {self.include}\n{self.shares()}")

    def set_options(self, **options):
        """smb.conf options by name (spaces as underscores); they hold from the next start on.

        Without arguments the lab's own departures from Samba's defaults are restored.
        """
        self.include.write_text(self._options_text(options))

    def _options_text(self, options):
        options = {name.replace("_", " "): value for name, value in options.items()}
        return "".join(f"{name} = {value}\n"
                       for name, value in {**self.departures, **options}.items())

    @property
    def running(self):
        return bool(self.box.pids())

    def start(self, wait=True):
        if not self.running:
            for name, *words in self.daemons:
                self.box.spawn(f"{self.box.name}-{name}.log", name, *words, "-s", self.conf)
        if wait:
            await_event(f"{self.domain.controller} serves", self.serves, 60)

    def settle(self):
        """Waits for what a controller does some time after it already answers logons."""

    def stop(self):
        self.box.end_processes()

    def restart(self, **options):
        self.stop()
        if options:
            self.set_options(**options)
        self.start()

    def freeze(self):
        """A hung controller: its kernel accepts connections, nobody answers."""
        self.box.signal(signal.SIGSTOP)

    def thaw(self):
        self.box.signal(signal.SIGCONT)

    def unplug(self):
        """A black hole: frames to it and from it are lost without a word."""
        self.switch.unplug(self.box)

    def plug(self):
        self.switch.plug(self.box)

    def reset_connections(self, peer):
        """Ends every TCP connection with that address, as a rebooted controller would: by RST."""
        self.box.run("ss", "-K", "dst", peer)

    def forget_sessions(self):
        """Loses every secure channel's session key, as a restart does, while serving on."""
        for path in self.folder.rglob("schannel_store.tdb"):
            self.box.run("tdbtool", path, "erase")

    def set_machine_password(self, account, password):
        self.box.run(PYTHON, "-B", plan.HERE / "set_password.py", self.box.name, self.conf, account,
                     input=password + "\n")

    def heal(self):
        """Undoes whatever was done to it."""
        self.thaw()
        self.plug()
        if self.include.read_text() != self._options_text({}):
            self.set_options()
            self.stop()
        self.start()


class ADController(Controller):
    sources = ("provision_ad.py",)
    # With the default, ntlmv2-only, an MS-CHAPv2 response is refused as a wrong password.
    departures = {"ntlm auth": "mschapv2-and-ntlmv2-only"}
    daemons = (("samba", "--interactive", "--no-process-group", "--debug-stdout"),)

    def provision(self):
        self.box.run(PYTHON, "-B", plan.HERE / "provision_ad.py", self.folder, timeout=240)

    def configuration(self):
        folder = self.folder
        return f"""
    [global]
    netbios name = {self.domain.controller}
    workgroup = {self.domain.name}
    realm = {self.domain.dns_name.upper()}
    server role = active directory domain controller
    interfaces = lo eth0
    bind interfaces only = yes
    private dir = {folder}/private
    lock directory = {folder}
    state directory = {folder}/state
    cache directory = {folder}/cache
    binddns dir = {folder}/bind-dns
    ncalrpc dir = {folder}/ncalrpc
    pid directory = {folder}
    logging = file
    log file = {folder}/log.%m
    log level = 0
    """

    def shares(self):
        sysvol = self.folder / "state" / "sysvol"
        return (f"[sysvol]\npath = {sysvol}\nread only = no\n[netlogon]\n"
                f"path = {sysvol}/{self.domain.dns_name}/scripts\nread only = no\n")

    def serves(self):
        """LDAP, SMB, Kerberos and the Netlogon port that the endpoint mapper names all answer."""
        address = self.domain.address
        with self.box.entered():
            if not cldap.ping(address, self.domain.dns_name):
                return False
            port = rpc.netlogon_port(address)
        return bool(port) and all(self.box.connects(address, each) for each in (88, 389, 445, port))


class NT4Controller(Controller):
    sources = ("provision_nt4.py",)
    departures = {"lanman auth": "yes", "ntlm auth": "ntlmv1-permitted"}
    daemons = tuple((name, "--foreground", "--no-process-group")
                    for name in ("nmbd", "smbd", "winbindd"))

    def provision(self):
        for name in ("private", "lock", "state", "cache", "pid", "log", "ncalrpc", "netlogon"):
            (self.folder / name).mkdir(parents=True)
        self._write_unix_accounts()
        self.box.run(PYTHON, "-B", plan.HERE / "provision_nt4.py", self.conf, timeout=240)
        self._warm_up()

    def _warm_up(self):
        """smbd takes 7 s to map 2,000 groups the first time; its cache is kept with the state.

        On a busy machine it takes longer than the client waits, but then goes on from there.
        """
        self.start()
        account = next(each for each in plan.ACCOUNTS if each.groups)
        logon = ("smbclient", "-s", self.conf, "-L", f"//{self.domain.address}",
                 "-U", f"{self.domain.name}/{account.name}%{account.password}")
        await_event("smbd maps its groups",
                    lambda: self.box.run(*logon, check=False).returncode == 0, 180)
        self.stop()

    def _write_unix_accounts(self):
        """An NT4-style domain wants a Unix account behind every account, and Unix groups."""
        names = ["ntadmin", *(account.name for account in plan.ACCOUNTS),
                 *(f"{name}$" for name in (*plan.MACHINES, "MEMBER"))]
        etc = self.box.folder / "etc"
        passwd = pathlib.Path("/etc/passwd").read_text()
        group = pathlib.Path("/etc/group").read_text()
        for uid, name in enumerate(names, 5001):
            passwd += f"{name}:x:{uid}:5000::/nonexistent:/bin/false\n"
        group += "labusers:x:5000:\nlabadmins:x:4999:root,ntadmin\n"
        members = ",".join(account.name for account in plan.ACCOUNTS if account.groups)
        for number in range(plan.GROUPS):
            group += f"group-{number:04}:x:{10000 + number}:{members}\n"
        etc.joinpath("passwd").write_text(passwd)
        etc.joinpath("group").write_text(group)

    def configuration(self):
        folder = self.folder
        return f"""
    [global]
    netbios name = {self.domain.controller}
    workgroup = {self.domain.name}
    server role = classic primary domain controller
    domain logons = yes
    domain master = yes
    preferred master = yes
    os level = 65
    wins support = yes
    name resolve order = wins bcast
    passdb backend = tdbsam:{folder}/private/passdb.tdb
    server min protocol = NT1
    client min protocol = NT1
    client ipc min protocol = NT1
    interfaces = lo eth0
    bind interfaces only = yes
    private dir = {folder}/private
    lock directory = {folder}/lock
    state directory = {folder}/state
    cache directory = {folder}/cache
    pid directory = {folder}/pid
    ncalrpc dir = {folder}/ncalrpc
    logging = file
    log file = {folder}/log/log.%m
    log level = 0
    load printers = no
    disable spoolss = yes
    idmap config * : backend = tdb
    idmap config * : range = 200000-299999
    idmap cache time = 31536000
    """

    def shares(self):
        return f"[netlogon]\npath = {self.folder}/netlogon\n"

    def serves(self):
        """Both SMB ports, and the names by which clients find the controller and the PDC."""
        address = self.domain.address
        with self.box.entered():
            names = all(nbns.query(address, self.domain.name, suffix) for suffix in (0x1B, 0x1C))
        return names and all(self.box.connects(address, port) for port in (139, 445))

    def settle(self):
        """nmbd answers a broadcast for its names four seconds after one sent to it directly."""
        await_event("NT4PDC has its names", lambda: nbns.query(
            plan.BROADCAST, self.domain.name, 0x1C, box=self.witness), 30)


class TrustedController(NT4Controller):
    """A small PDC at the other end of trusts: it may permit a domain to trust its own."""

    sources = ("provision_pdc.py",)
    # Its winbindd signs in trusted domains' controllers as nobody, whom it cannot sign for.
    departures = {**NT4Controller.departures, "client ipc signing": "auto"}

    def provision(self):
        for name in ("private", "lock", "state", "cache", "pid", "log", "ncalrpc", "netlogon"):
            (self.folder / name).mkdir(parents=True)
        names = ["ntadmin", *plan.TRUSTED_USERS, f"{plan.OUR_DOMAIN.lower()}$"]
        etc = self.box.folder / "etc"
        passwd = pathlib.Path("/etc/passwd").read_text()
        for uid, name in enumerate(names, 5001):
            passwd += f"{name}:x:{uid}:5000::/nonexistent:/bin/false\n"
        passwd += (f"{plan.GATE_DOMAIN}\\{plan.GATE_USER}:x:6001:5000::/nonexistent:/bin/false\n")
        etc.joinpath("passwd").write_text(passwd)
        etc.joinpath("group").write_text(
            pathlib.Path("/etc/group").read_text()
            + "labusers:x:5000:\nlabadmins:x:4999:root,ntadmin\n")
        self.box.run(PYTHON, "-B", plan.HERE / "provision_pdc.py", self.conf, timeout=60)

    def configuration(self):
        return super().configuration().replace(
            "wins support = yes", f"wins server = {plan.NT4.address}")

    def serves(self):
        with self.box.entered():
            names = all(nbns.query(plan.NT4.address, self.domain.name, suffix)
                        for suffix in (0x1B, 0x1C))
        return names and all(self.box.connects(self.domain.address, port) for port in (139, 445))

    def permit(self, domain=plan.OUR_DOMAIN, password=plan.TRUST_PASSWORD):
        """An interdomain trust account, as an administrator of Samba makes it."""
        self.revoke(domain)
        self.box.run("net", "-s", self.conf, "rpc", "trustdom", "add", domain, password,
                     "-U", f"root%{plan.ADMINISTRATOR_PASSWORD}", "-S", self.domain.address)

    def trust(self, domain, sid, password):
        """Trusts that domain, as if the last step of `net rpc trustdom establish` worked."""
        self.box.run(PYTHON, "-B", plan.HERE / "store_trust.py", self.conf, domain, sid,
                     input=password + "\n")

    def revoke(self, domain=plan.OUR_DOMAIN):
        """No account of that domain, of whatever kind."""
        self.box.run("pdbedit", "-s", self.conf, "-x", f"{domain.lower()}$", check=False)

    def enrol(self, computer, password):
        """A workstation's account of that name, which is something else than a trust's."""
        self.revoke(computer)
        self.box.run("pdbedit", "-s", self.conf, "-a", "-m", "-u", f"{computer.lower()}$")
        self.set_machine_password(f"{computer.lower()}$", password)


def make(switch, boxes):
    witness = boxes["client"]   # a neighbour, to see what a controller shows to others
    return {"ad": ADController(plan.AD, boxes["ad"], switch, witness),
            "nt4": NT4Controller(plan.NT4, boxes["nt4"], switch, witness),
            "pdc": TrustedController(plan.TRUSTED, boxes["pdc"], switch, witness)}
