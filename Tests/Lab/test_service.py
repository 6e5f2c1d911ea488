"""The service as systemd runs it: the unit, the installation, and what the agent tells."""

import configparser
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading

import logons
from boxes import await_event, run
from labtest import LabTest, domain_section, lab, plan
from postern import listen_section

DIRECTORY = "/run/samba/winbindd"
UNIT = plan.REPOSITORY / "packaging" / "postern.service"
MOST_EXPOSURE = 30      # tenths of systemd-analyze's scale; what it rates "OK" goes up to 50


class Notified:
    """A service manager's ear: every message in order."""

    def __init__(self, path):
        self.path, self.messages = path, []
        path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o777)       # as systemd's, which every service may write to
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while message := self.socket.recv(4096):
            self.messages.append(message.decode())

    def said(self, word):
        return sum(message.startswith(word) for message in self.messages)


def unit(section, key):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read_string(UNIT.read_text())
    return parser[section][key]


class UnitTest(LabTest):
    def installed(self, *words):
        root = plan.STATE / "installed"
        shutil.rmtree(root, ignore_errors=True)
        self.addCleanup(shutil.rmtree, root, ignore_errors=True)
        # What was built is installed as it is.
        run("make", "-C", plan.REPOSITORY, "-o", "embedded", "install", f"DESTDIR={root}", *words)
        return root

    def test_install_puts_everything_in_its_place(self):
        root = self.installed()
        for name in ("usr/bin/postern", "usr/lib/systemd/system/postern.service",
                     "usr/lib/sysusers.d/postern.conf", "usr/lib/tmpfiles.d/postern.conf",
                     "etc/postern/postern.conf", "usr/share/doc/postern/examples/squid.conf",
                     "usr/share/doc/postern/copyright", "usr/share/man/man8/postern.8.gz"):
            self.assertTrue((root / name).is_file(), name)
        licences = (root / "usr/share/doc/postern/copyright").read_text()
        for name in ("Apache License", "nettle", "libuv", "LMDB", "c-ares", "inih"):
            self.assertIn(name, licences)
        page = run("man", "--local-file", root / "usr/share/man/man8/postern.8.gz").stdout
        self.assertIn(run(root / "usr/bin/postern", "--version").stdout.split()[1], page)
        link = root / "usr/lib/postern/ntlm_auth"
        self.assertEqual(link.resolve(), (root / "usr/bin/postern").resolve())
        self.assertIn("usage: ", run(link, "--help").stdout.lower())

    def test_another_prefix_is_the_units_and_the_examples_too(self):
        root = self.installed("PREFIX=/usr/local")
        self.assertTrue((root / "usr/local/bin/postern").is_file())
        installed = (root / "usr/lib/systemd/system/postern.service").read_text()
        self.assertIn("\nExecStart=/usr/local/bin/postern serve ", installed)
        squid = (root / "usr/local/share/doc/postern/examples/squid.conf").read_text()
        self.assertIn(" /usr/local/lib/postern/ntlm_auth ", squid)
        for text in (installed, squid):
            self.assertNotRegex(text, r"/usr/(bin|lib/postern|share/doc)/")

    def test_it_is_started_again_however_often_it_fails(self):
        self.assertEqual(unit("Service", "Restart"), "on-failure")
        self.assertEqual(unit("Service", "RestartSec"), "2")
        # The manager gives up after five starts in ten seconds else.
        self.assertEqual(unit("Unit", "StartLimitIntervalSec"), "0")

    def test_a_configuration_that_stands_is_left_alone(self):
        root = self.installed()
        conf = root / "etc/postern/postern.conf"
        conf.write_text("[agent]\nname = MINE\n")
        run("make", "-C", plan.REPOSITORY, "-o", "embedded", "install", f"DESTDIR={root}")
        self.assertEqual(conf.read_text(), "[agent]\nname = MINE\n")

    def test_debian_package_holds_the_same_and_keeps_configurations(self):
        run("make", "-C", plan.REPOSITORY, "-o", "embedded", "deb")
        package, = (plan.REPOSITORY / "build").glob("postern_*.deb")
        self.addCleanup(package.unlink)
        unpacked = plan.STATE / "unpacked"
        self.addCleanup(shutil.rmtree, unpacked, ignore_errors=True)
        run("dpkg-deb", "--raw-extract", package, unpacked)
        root = self.installed()
        held = {path.relative_to(unpacked) for path in unpacked.rglob("*")
                if "DEBIAN" not in path.parts and not path.is_dir()}
        self.assertEqual(held, {path.relative_to(root) for path in root.rglob("*")
                                if not path.is_dir()})
        self.assertEqual((unpacked / "DEBIAN/conffiles").read_text(),
                         "/etc/postern/postern.conf\n")
        for script in ("postinst", "prerm", "postrm"):
            run("sh", "-n", unpacked / "DEBIAN" / script)
        self.assertIn("Version: " + run(root / "usr/bin/postern", "--version").stdout.split()[1],
                      run("dpkg-deb", "--field", package).stdout)

    def script(self, name, *words, **fails):
        """Runs a maintainer's script in a folder of its own, beside programs that do nothing or
        fail. Gives what it said, and the folder."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for program in ("systemctl", "systemd-sysusers", "systemd-tmpfiles"):
            stub = folder / program
            stub.write_text(f"#!/bin/sh\nexit {fails.get(program, 0)}\n")
            stub.chmod(0o755)
        for made in ("run/systemd/system", "run/postern", "var/lib/postern"):
            (folder / made).mkdir(parents=True)
        text = (plan.REPOSITORY / "packaging/deb" / name).read_text()
        mine = folder / name
        mine.write_text(text.replace(" /run/", f" {folder}/run/")
                        .replace(" /var/", f" {folder}/var/"))
        done = run("sh", mine, *words, env={"PATH": f"{folder}:/usr/bin:/bin"}, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr, folder

    def test_an_agent_that_does_not_start_again_fails_no_upgrade(self):
        said, _ = self.script("postinst", "configure", "0.0.1", systemctl=1)
        self.assertIn("journalctl -u postern", said)
        self.assertEqual(self.script("postinst", "configure", "0.0.1")[0], "")

    def test_the_state_stays_until_it_is_purged(self):
        _, folder = self.script("postrm", "remove", systemctl=1)
        self.assertTrue((folder / "var/lib/postern").exists())
        _, folder = self.script("postrm", "purge")
        self.assertFalse((folder / "var/lib/postern").exists())
        self.assertFalse((folder / "run/postern").exists())

    def test_unit_is_one_that_systemd_takes(self):
        root = self.installed()
        unit = root / "postern.service"
        unit.write_text(UNIT.read_text().replace("/usr/bin/postern", f"{root}/usr/bin/postern"))
        done = run("systemd-analyze", "verify", unit, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        # It looks at the units of the host beside ours.
        self.assertNotIn("postern", done.stderr)

    def test_name_servers_may_be_ipv6(self):
        self.assertIn("AF_INET6", unit("Service", "RestrictAddressFamilies").split())

    def test_unit_is_hardened(self):
        done = run("systemd-analyze", "security", "--offline=true", "--no-pager",
                   f"--threshold={MOST_EXPOSURE}", UNIT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


class ServiceTest(LabTest):
    def started(self, *sections, **environment):
        ear = Notified(plan.STATE / "notify")
        environment = {"NOTIFY_SOCKET": str(ear.path), **environment}
        os.environ.update(environment)      # the box's processes inherit it
        for name in environment:
            self.addCleanup(os.environ.pop, name, None)
        postern = self.agent(*(sections or [domain_section(plan.AD)]))
        return postern, ear

    def test_manager_is_told_of_readiness_life_and_end(self):
        postern, ear = self.started(WATCHDOG_USEC="200000")
        await_event("READY=1", lambda: ear.said("READY=1"), 5)
        await_event("three signs of life", lambda: ear.said("WATCHDOG=1") >= 3, 2)
        self.assertEqual(postern.stop(), 0)
        await_event("STOPPING=1", lambda: ear.said("STOPPING=1"), 2)

    def test_hung_agent_gives_no_sign_of_life(self):
        postern, ear = self.started(WATCHDOG_USEC="200000")
        await_event("a sign of life", lambda: ear.said("WATCHDOG=1"), 2)
        pid = postern.pid
        os.kill(pid, 19)        # SIGSTOP
        try:
            before = ear.said("WATCHDOG=1")
            threading.Event().wait(0.5)
            self.assertLessEqual(ear.said("WATCHDOG=1"), before + 1)
        finally:
            os.kill(pid, 18)    # SIGCONT

    def test_manager_hears_of_readiness_when_names_are_ours(self):
        postern, ear = self.started(domain_section(plan.AD), listen_section(
            lab.gate.address, wins_server=None))
        await_event("READY=1", lambda: ear.said("READY=1"), 5)
        self.assertIn("GATE1<00>", postern.run("status").stdout)

    def test_hang_up_is_survived_and_reads_secrets(self):
        postern, _ = self.started()
        os.kill(postern.pid, 1)
        attempt = logons.by_mschapv2(plan.AD.name, "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(postern.ntlm_auth(*attempt.words), 0, attempt.key)

    def test_agent_runs_without_root(self):
        postern, _ = self.started(domain_section(plan.AD), listen_section(lab.gate.address))
        fields = dict(line.split(":\t", 1) for line in pathlib.Path(
            f"/proc/{postern.pid}/status").read_text().splitlines() if ":\t" in line)
        self.assertEqual(set(fields["Uid"].split()), {str(plan.UNIX_USER_ID)})
        self.assertEqual(set(fields["Gid"].split()), {str(plan.UNIX_USER_ID)})
        self.assertEqual(fields["Groups"].split(), [])
        # CAP_NET_BIND_SERVICE alone.
        self.assertEqual(int(fields["CapEff"], 16) & ~(1 << 10), 0, fields["CapEff"])
        self.assertEqual(fields["NoNewPrivs"], "1")

    def test_its_memory_is_not_for_others(self):
        postern, _ = self.started()
        limits = pathlib.Path(f"/proc/{postern.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 ")
        done = subprocess.run(["setpriv", f"--reuid={plan.UNIX_USER_ID}", "--clear-groups", "cat",
                               f"/proc/{postern.pid}/maps"], capture_output=True)
        self.assertNotEqual(done.returncode, 0, "its own user can look into it")
        # What no core may be dumped of belongs to root (proc(5)).
        self.assertEqual(os.stat(f"/proc/{postern.pid}/environ").st_uid, 0)


class RightsTest(LabTest):
    """The unit's rights, which are fewer than root's, are enough to start."""

    def started(self, *sections, imported=True, **options):
        secrets = {plan.AD.name: plan.MACHINE_PASSWORD} if imported else {}
        postern = self.agent(domain_section(plan.AD), *sections, started=False, secrets=secrets,
                             **options)
        # As the unit and packaging/postern.tmpfiles have them made.
        (postern.folder / "state").chmod(0o700)
        os.chown(postern.folder / "run", 0, 0)
        names = unit("Service", "CapabilityBoundingSet").split()
        self.assertEqual(unit("Service", "NoNewPrivileges"), "yes")
        bounds = ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in names)])
        return postern.start(under=(
            "setpriv", f"--bounding-set={bounds}", "--inh-caps=-all", "--no-new-privs"))

    def test_with_a_state_that_was_made_by_root(self):
        postern = self.started()
        state = postern.folder / "state/state.mdb"
        self.assertEqual((state.stat().st_uid, state.stat().st_mode & 0o777),
                         (plan.UNIX_USER_ID, 0o600))
        attempt = logons.by_mschapv2(plan.AD.name, "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(postern.ntlm_auth(*attempt.words), 0, attempt.key)

    def test_without_a_state(self):
        postern = self.started(imported=False)
        self.assertEqual((postern.folder / "state/state.mdb").stat().st_uid, plan.UNIX_USER_ID)
        self.assertEqual(postern.run("status").returncode, 0)

    def test_with_low_ports_and_the_winbind_socket(self):
        postern = self.started(listen_section(lab.gate.address, smb="yes", rpc="yes"),
                               winbind_socket=DIRECTORY, control_group="nogroup")
        self.assertEqual(lab.gate.run("wbinfo", "-p", check=False).returncode, 0)
        for port in (135, 139, 445):
            self.assertTrue(lab.client.connects(lab.gate.address, port), port)
        self.assertIn("GATE1<00>", postern.run("status").stdout)


class CommandTest(LabTest):
    """What a stranger meets first: help, errors, exit statuses."""

    def commands(self, postern):
        shown = postern.box.run(postern.binary, "--help", check=False)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        names = [line.split()[0] for line in shown.stdout.splitlines()
                 if line.startswith("  ") and line.split() and line.split()[0].islower()]
        for name in ("serve", "status", "logon", "find", "explain", "decode", "secret"):
            self.assertIn(name, names)
        return names

    def test_every_command_helps(self):
        postern = self.agent(domain_section(plan.AD), started=False)
        for name in self.commands(postern):
            with self.subTest(command=name):
                done = postern.box.run(postern.binary, name, "--help", check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("usage:", done.stdout.lower())
                self.assertTrue(done.stdout.count("\n") >= 3, done.stdout)

    def test_wrong_use_is_exit_2(self):
        postern = self.agent(domain_section(plan.AD), started=False)
        for words in (("nonsense",), ("status", "--wrong"), ("find",), ("decode",),
                      ("secret", "import")):
            with self.subTest(words=words):
                done = postern.box.run(postern.binary, *words, check=False)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn("usage:", done.stderr.lower())

    def test_without_an_agent_it_is_unavailable(self):
        postern = self.agent(domain_section(plan.AD), started=False)
        self.assertEqual(postern.run("status").returncode, 3)
        self.assertEqual(postern.logon("ADLAB", "alice", plan.PASSWORD).returncode, 3)

    def test_secret_that_is_too_long_is_refused(self):
        postern = self.agent(domain_section(plan.AD), started=False)
        for length, code in ((1_024, 0), (1_025, 1), (3_000, 1)):
            with self.subTest(length=length):
                done = postern.run("secret", "import", "ADLAB", input="x" * length + "\n")
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                if code:
                    self.assertIn("more than 1024; nothing was changed", done.stderr)

    def test_secret_is_shown_by_its_age_alone(self):
        postern = self.agent(domain_section(plan.AD), started=False)
        postern.import_secrets()
        done = postern.run("secret", "show", "ADLAB")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn(plan.MACHINE_PASSWORD, done.stdout)
