"""Clients of the embedded domain that are not Samba's, and dialects without a session: what they
see, and that nothing of theirs harms."""

import os
import re
import shutil
import subprocess
import unittest

from boxes import LabError, await_event
from labtest import LabTest, lab, plan
from postern import listen_section, local_domain_section

DOMAIN = "GATEDOM"
USER, OTHER = "olga", "alice"
PYTHON = "/usr/bin/python3"     # Debian's, which has impacket
EXAMPLES = "/usr/share/doc/python3-impacket/examples"
SCRIPT = "net time \\\\gate1 /set /yes"


class Judged(LabTest):
    plain_text = "refuse"

    @classmethod
    def setUpClass(cls):
        cls.gate = lab.gate.address
        cls.folder = plan.STATE / f"judged-{os.getpid()}"
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.folder.mkdir(parents=True, exist_ok=True)
        (cls.folder / "LOGON.BAT").write_text(SCRIPT + "\r\n")
        cls.postern = cls.class_agent(
            local_domain_section(DOMAIN, lm="allow", ntlmv1="allow",
                                 netlogon_directory=cls.folder),
            listen_section(cls.gate, smb="yes", rpc="yes", wins="yes", wins_server=None,
                           plain_text=cls.plain_text),
            accounts=((plan.PASSWORD, USER), (plan.PASSWORD, OTHER, "--full-name", "Alice L.")))

    def smbclient(self, dialect, *words, password=plan.PASSWORD):
        """As a computer that has its user's name: dialects without sessions name nobody else."""
        settings = ("client min protocol=CORE", "client lanman auth=yes", "client ntlmv2 auth=no",
                    "client plaintext auth=yes")
        return lab.client.run(
            "smbclient", "-m", dialect, "-p", "139", "-n", USER,
            *(f"--option={each}" for each in settings), "-U", f"{USER}%{password}", *words,
            check=False)

    def python(self, text, *words):
        done = lab.client.run(PYTHON, "-B", "-", *words, input=text, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def example(self, name, *words, password=plan.PASSWORD):
        done = lab.client.run(
            PYTHON, "-B", f"{EXAMPLES}/{name}.py", f"{DOMAIN}/{USER}:{password}@{self.gate}",
            *words, check=False)
        return done.stdout + done.stderr

    def nmap(self, *words):
        shown = lab.client.run("nmap", "-n", "-Pn", *words, self.gate, timeout=120).stdout
        self.assertTrue(self.postern.alive)
        return shown


class PlainTextTest(Judged):
    plain_text = "allow"

    def test_core_dialects_list_and_fetch(self):
        for dialect in ("CORE", "COREPLUS"):
            with self.subTest(dialect=dialect):
                done = self.smbclient(dialect, "-L", self.gate)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("NETLOGON", done.stdout)
                done = self.smbclient(
                    dialect, f"//{self.gate}/NETLOGON", "-c", "ls; get LOGON.BAT -")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("LOGON.BAT", done.stdout)
                self.assertIn(SCRIPT, done.stdout)

    def test_core_dialects_with_a_wrong_password_are_refused(self):
        for dialect in ("CORE", "COREPLUS"):
            with self.subTest(dialect=dialect):
                done = self.smbclient(
                    dialect, f"//{self.gate}/NETLOGON", "-c", "ls", password="wrong")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("WRONG_PASSWORD", done.stdout + done.stderr)

    def test_nothing_is_written_in_the_core_dialect(self):
        done = self.smbclient("CORE", f"//{self.gate}/NETLOGON", "-c", "put /etc/hostname X")
        self.assertRegex(done.stdout + done.stderr, "ACCESS_DENIED|NO_SUCH_FILE")
        self.assertEqual([each.name for each in self.folder.iterdir()], ["LOGON.BAT"])


class NoPlainTextTest(Judged):
    def test_core_dialects_are_told_that_their_password_is_not_taken(self):
        before = self.refused()
        for dialect in ("CORE", "COREPLUS"):
            with self.subTest(dialect=dialect):
                done = self.smbclient(dialect, f"//{self.gate}/NETLOGON", "-c", "ls")
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stdout + done.stderr, "WRONG_PASSWORD|ACCESS_DENIED|badpw")
        self.assertGreater(self.refused(), before)

    def refused(self):
        found = re.search(r"(\d+) passwords in clear refused", self.postern.run("status").stdout)
        return int(found[1]) if found else 0


class ImpacketTest(Judged):
    def test_session_lists_and_fetches_on_both_ports(self):
        shown = self.python("""
import io, sys
from impacket.smb import SMB_DIALECT
from impacket.smbconnection import SMBConnection, SessionError
address, domain, user, password = sys.argv[1:]
for port in (139, 445):
    one = SMBConnection("*SMBSERVER", address, sess_port=port, preferredDialect=SMB_DIALECT)
    one.login(user, password, domain)
    print(one.getDialect(), one.getServerName(), one.getServerDomain())
    print([each["shi1_netname"].rstrip(chr(0)) for each in one.listShares()])
    script = io.BytesIO()
    one.getFile("NETLOGON", "LOGON.BAT", script.write)
    print(script.getvalue().decode().strip())
    one.logoff()
one = SMBConnection("*SMBSERVER", address, preferredDialect=SMB_DIALECT)
try:
    one.login(user, "wrong", domain)
except SessionError as error:
    print("refused:", error)
""", self.gate, DOMAIN, USER, plan.PASSWORD)
        told = f"NT LM 0.12 GATE1 {DOMAIN}\n['IPC$', 'NETLOGON']\n{SCRIPT}\n"
        self.assertEqual(shown.count(told), 2, shown)
        self.assertIn("refused: SMB SessionError: STATUS_LOGON_FAILURE", shown)

    def test_accounts_are_dumped_as_from_any_controller(self):
        shown = self.example("samrdump")
        for line in (f" . {DOMAIN}\n", "Found user: Administrator, uid = 500",
                     f"Found user: {OTHER}, uid = 1001", f"{OTHER} (1001)/FullName: Alice L."):
            self.assertIn(line, shown)
        self.assertNotIn("[-]", shown)

    def test_sids_are_looked_up(self):
        shown = self.example("lookupsid", "1010")
        self.assertIn(f"500: {DOMAIN}\\Administrator (SidTypeUser)", shown)
        self.assertIn(f"1000: {DOMAIN}\\{USER} (SidTypeUser)", shown)

    def test_endpoints_are_listed(self):
        shown = self.example("rpcdump")
        self.assertRegex(shown, r"Protocol: \[MS-NRPC\]: Netlogon Remote Protocol")
        self.assertRegex(shown, rf"ncacn_ip_tcp:{self.gate}\[\d+\]")

    def test_interfaces_are_mapped_by_nobody_and_by_users_at_every_level(self):
        """Its signatures cover a PDU's headers though its bind does not say so."""
        for who in ([], ["-auth-rpc", f"{DOMAIN}/{USER}:{plan.PASSWORD}"]):
            for level in ("1", "2", "5", "6"):
                with self.subTest(who=who, level=level):
                    done = lab.client.run(
                        PYTHON, "-B", f"{EXAMPLES}/rpcmap.py", *who, "-auth-level", level,
                        f"ncacn_ip_tcp:{self.gate}[135]", check=False)
                    shown = done.stdout + done.stderr
                    self.assertIn("UUID: E1AF8308-5D1F-11C9-91A4-08002B14A0FA v3.0", shown)
                    self.assertIn("UUID: AFA8BD80-7D8A-11C9-BEF4-08002B102989 v1.0", shown)
                    self.assertNotIn("[-]", shown)

    def test_wrong_password_is_refused(self):
        self.assertIn("STATUS_LOGON_FAILURE", self.example("samrdump", password="wrong"))


class PySMBTest(Judged):
    """A client in pure Python that Debian does not have: without a network to fetch it by, say so
    with POSTERN_OFFLINE=1, and it is skipped."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = plan.STATE / "pysmb"
        if not (cls.library / "smb").exists():
            done = subprocess.run(
                ["python3", "-m", "pip", "install", "--quiet", "--no-warn-script-location",
                 "--target", str(cls.library), "pysmb==1.2.15"], capture_output=True, text=True,
                timeout=120)
            if done.returncode != 0:
                why = f"pysmb cannot be installed: {done.stderr.strip()[-200:]}"
                if os.environ.get("POSTERN_OFFLINE") == "1":
                    raise unittest.SkipTest(why)
                raise LabError(f"{why}; without a network set POSTERN_OFFLINE=1")

    def test_session_lists_and_fetches_in_each_form(self):
        shown = self.python("""
import io, sys
sys.path.insert(0, sys.argv[1])
from nmb.NetBIOS import NetBIOS
from smb.SMBConnection import SMBConnection
address, domain, user, password = sys.argv[2:]
print(NetBIOS(broadcast=False).queryIPForName(address, timeout=3))
for port in (139, 445):
    for is_v2 in (True, False):
        one = SMBConnection(user, password, "PYSMB", "GATE1", domain=domain, use_ntlm_v2=is_v2,
                            is_direct_tcp=port == 445)
        assert one.connect(address, port) and not one.isUsingSMB2
        script = io.BytesIO()
        one.retrieveFile("NETLOGON", "/LOGON.BAT", script)
        print([each.name for each in one.listShares()], script.getvalue().decode().strip())
        assert one.echo(b"hello") == b"hello"
        one.close()
print(SMBConnection(user, "wrong", "PYSMB", "GATE1", domain=domain).connect(address, 139))
""", self.library, self.gate, DOMAIN, USER, plan.PASSWORD)
        self.assertEqual(shown, "['GATE1']\n" + 4 * f"['IPC$', 'NETLOGON'] {SCRIPT}\n" + "False\n")


class ScannerTest(Judged):
    def test_nmap_reads_the_names(self):
        shown = self.nmap("-sU", "-p137", "--script", "nbstat")
        self.assertIn("NetBIOS name: GATE1", shown)
        self.assertIn(f"{DOMAIN}<1c>", shown)

    def test_nmap_sees_an_old_server_and_no_more(self):
        # Scripts that run beside each other share whom they log on as. Alone, the first tries the
        # guest, and then nobody, whose logon it sends under the header of the guest's answer.
        shown = self.nmap("-p445", "--script", "smb-os-discovery") + self.nmap(
            "-p139,445", "--script",
            "smb-protocols,smb-security-mode,smb2-security-mode,smb-system-info,"
            "smb-server-stats,smb-enum-sessions,smb-enum-processes")
        for pattern in (r"smb-protocols:\s+\|   dialects:\s+\|_    NT LM 0.12",
                        r"OS: Windows NT 4.0", r"Computer name: gate1", rf"Workgroup: {DOMAIN}",
                        r"authentication_level: user", r"challenge_response: supported",
                        r"message_signing: supported"):
            self.assertRegex(shown, pattern)

    def test_nmap_logs_on_and_signs_in_both_styles(self):
        """With extended security it sends a third of an NT response beside the whole in the LM
        field. It asks for signing and signs all that follows, so it gets no further than the
        logon where its key is another than the server's."""
        before = self.bad_signatures()
        for style in ("smbtype=ntlm", "smbbasic=1"):
            with self.subTest(style):
                shown = self.nmap(
                    "-p445", "--script",
                    "smb-os-discovery,smb-security-mode,smb-protocols,smb-enum-users,"
                    "smb-enum-shares,smb-enum-domains,smb-mbenum,smb-ls", "--script-args",
                    f"{style},smbuser={USER},smbpass={plan.PASSWORD},smbdomain={DOMAIN}")
                for pattern in (
                        rf"account_used: {DOMAIN}\\{USER}", "OS: Windows NT 4.0",
                        rf"{DOMAIN}\\{OTHER} \(RID: 1001\)\s+\|     Full name:   Alice L.",
                        rf"{DOMAIN}\\{USER} \(RID: 1000\)",
                        rf"smb-enum-domains:[^_]*\|   {DOMAIN}\s+\|     Groups: n/a\s+"
                        rf"\|     Users: Administrator, Guest, {USER}, {OTHER}",
                        r"\|   Builtin\s+\|     Groups: Administrators, Users, Guests",
                        r"\\IPC\$: \s+\|     Type: STYPE_IPC_HIDDEN",
                        r"\\NETLOGON: \s+\|     Type: STYPE_DISKTREE\s+"
                        r"\|     Comment: Logon server share\s+"
                        r"\|     Anonymous access: <none>\s+\|_    Current user access: READ\s",
                        r"Domain Controller\s+\|     GATE1  4.0", r"\d+ .*LOGON.BAT"):
                    self.assertRegex(shown, pattern)
        self.assertEqual(self.bad_signatures(), before)

    def bad_signatures(self):
        found = re.search(r"(\d+) bad signatures", self.postern.run("status").stdout)
        return int(found[1]) if found else 0

    def test_curl_fetches_a_script(self):
        done = lab.client.run("curl", "-sS", "-u", f"{DOMAIN}\\{USER}:{plan.PASSWORD}",
                              f"smb://{self.gate}/NETLOGON/LOGON.BAT", check=False)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, SCRIPT), done.stderr)
        done = lab.client.run("curl", "-sS", "-T", "/etc/hostname", "-u",
                              f"{DOMAIN}\\{USER}:{plan.PASSWORD}",
                              f"smb://{self.gate}/NETLOGON/NEW.BAT", check=False)
        self.assertEqual(done.returncode, 9, done.stderr)       # REMOTE_ACCESS_DENIED

    def test_nmblookup_finds_names_masters_and_their_status(self):
        def asked(*words):
            return lab.client.run("nmblookup", *words, check=False).stdout

        lines = [line.split() for line in asked("-A", self.gate).splitlines()]
        names = {(line[0], line[1]) for line in lines if len(line) > 1}
        self.assertLessEqual({("GATE1", "<00>"), ("GATE1", "<20>"), (DOMAIN, "<1b>"),
                              (DOMAIN, "<1c>")}, names)
        await_event("a master browser", lambda: f"name {DOMAIN}<1d> is ours" in self.postern.log)
        self.assertIn(f"{self.gate} {DOMAIN}<1d>",
                      asked(f"--broadcast={plan.BROADCAST}", "-M", DOMAIN))
        shown = asked(f"--broadcast={plan.BROADCAST}", "-S", "GATE1")
        self.assertIn(f"{self.gate} GATE1<00>", shown)
        self.assertRegex(shown, rf"Looking up status of {self.gate}\n\s+GATE1\s+<00>")

    def test_nbtscan_reads_the_names(self):
        shown = lab.client.run("nbtscan", "-v", "-s", ";", self.gate).stdout
        for name, suffix in (("GATE1", "00"), ("GATE1", "20"), (DOMAIN, "1b"), (DOMAIN, "1c")):
            self.assertRegex(shown, rf"{self.gate};{name}\s*;{suffix}")


__all__ = ["ImpacketTest", "NoPlainTextTest", "PlainTextTest", "PySMBTest", "ScannerTest"]
