"""The SMB1 front's read-only share, and its sessions in numbers: what they cost, how a refusal
looks on the wire, what becomes of clients that do not go on."""

import functools
import os
import resource
import time
from unittest import mock

import ntlm
import smb1
from capture import Capture
from labtest import LabTest, lab, plan
from postern import listen_section, local_domain_section

DOMAIN = "GATEDOM"
IDLE_SESSIONS = 10_000
MOST_MEGABYTES = 60
PARTIAL_FRAME_SECONDS = 15
SCRIPT = b"net time \\\\gate1 /set /yes\r\n"


class FrontTest(LabTest):
    @classmethod
    def setUpClass(cls):
        cls.gate = lab.gate.address
        cls.folder = plan.STATE / f"netlogon-{os.getpid()}"
        cls.addClassCleanup(lambda: lab.gate.run("rm", "-rf", cls.folder))
        scripts = cls.folder / "Scripts"
        scripts.mkdir(parents=True)
        (cls.folder / "LOGON.BAT").write_bytes(SCRIPT)
        (scripts / "A long name.cmd").write_bytes(b"rem\r\n")
        (cls.folder / "passwd").symlink_to("/etc/passwd")
        cls.postern = cls.class_agent(
            local_domain_section(DOMAIN, lm="allow", ntlmv1="allow",
                                 netlogon_directory=cls.folder),
            listen_section(cls.gate, smb="yes", wins_server=None),
            accounts=((plan.PASSWORD, "alice"), (plan.PASSWORD, "TRUSTING$", "--trust")))


class ShareTest(FrontTest):
    def smbclient(self, commands, dialect, user=f"{DOMAIN}/alice%{plan.PASSWORD}"):
        settings = ("client min protocol=CORE", "client lanman auth=yes",
                    f"client ntlmv2 auth={'yes' if dialect == 'NT1' else 'no'}")
        return lab.client.run(
            "smbclient", "-m", dialect, *(f"--option={each}" for each in settings), "-U", user,
            f"//{self.gate}/NETLOGON", "-c", commands, check=False)

    def test_scripts_are_listed_and_fetched_in_each_dialect(self):
        for dialect in ("LANMAN1", "LANMAN2", "NT1"):
            with self.subTest(dialect=dialect):
                done = self.smbclient("ls; get LOGON.BAT -; cd SCRIPTS; ls", dialect)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("LOGON.BAT", done.stdout)
                self.assertIn(SCRIPT.decode().strip(), done.stdout)
                # A client of LANMAN 1.0 sees names of eight and three characters.
                self.assertEqual("A long name.cmd" in done.stdout, dialect != "LANMAN1")

    def test_nothing_is_written_and_nothing_leads_out(self):
        for commands in ("put /etc/hostname x", "mkdir x", "rmdir Scripts", "del LOGON.BAT",
                         "rename LOGON.BAT x", "get passwd -", r"get ..\..\etc\passwd -"):
            with self.subTest(commands=commands):
                done = self.smbclient(commands, "NT1")
                self.assertRegex(
                    done.stdout + done.stderr,
                    "ACCESS_DENIED|NAME_NOT_FOUND|PATH_NOT_FOUND|NO_SUCH_FILE")
        self.assertEqual((self.folder / "LOGON.BAT").read_bytes(), SCRIPT)

    def test_nobody_is_not_let_in(self):
        self.assertIn("ACCESS_DENIED", self.smbclient("ls", "NT1", user="%").stdout)

    def test_curl_fetches_a_script(self):
        done = lab.client.run(
            "curl", "-sS", "-u", f"{DOMAIN}\\alice:{plan.PASSWORD}",
            f"smb://{self.gate}/NETLOGON/LOGON.BAT", check=False)
        self.assertEqual(done.stdout.encode().strip(), SCRIPT.strip(), done.stderr)


class SessionsTest(FrontTest):
    def session(self):
        session = smb1.Session(lab.client, self.gate)
        self.addCleanup(session.close)
        return session

    def test_refusal_of_a_trust_account_is_a_frame_of_93_bytes(self):
        with Capture(lab, lab.gate) as wire:
            session = self.session()
            self.assertEqual(session.log_on("TRUSTING$", DOMAIN, plan.PASSWORD), 0xc0000198)
            session.close()
        sizes = [frame.size - frame.options for frame in wire.count().carrying
                 if frame.source == self.gate and frame.protocol == "SMB"]
        self.assertReached("refusal of an interdomain trust account, bytes", "93", sizes[-1],
                           "93", sizes[-1] == 93)

    def test_ten_thousand_sessions_are_kept(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, 20_000))
        # The client's MD4 is slow, and always the same here.
        self.enterContext(mock.patch.object(ntlm, "nt_hash", functools.cache(ntlm.nt_hash)))
        begin = time.monotonic()
        for _ in range(IDLE_SESSIONS):
            self.assertEqual(self.session().log_on("alice", DOMAIN, plan.PASSWORD), 0)
        seconds = time.monotonic() - begin
        megabytes = self.postern.memory()["rss"] / 1024
        self.table.add("session setups one after the other, per second", "",
                       f"{IDLE_SESSIONS / seconds:.0f}", "")
        self.assertReached(f"{IDLE_SESSIONS} idle sessions, resident MB", "",
                           f"{megabytes:.1f}", f"≤ {MOST_MEGABYTES}",
                           megabytes <= MOST_MEGABYTES)

    def test_a_frame_that_is_not_completed_ends_its_connection_alone(self):
        slow, other = self.session(), self.session()
        slow.stream.sendall(b"\0\0\0\x40\xffSMB")
        begin = time.monotonic()
        self.assertEqual(slow.stream.recv(1), b"")
        self.assertLess(time.monotonic() - begin, PARTIAL_FRAME_SECONDS + 3)
        self.assertEqual(other.log_on("alice", DOMAIN, plan.PASSWORD), 0)

    def test_frames_over_the_limit_and_smb2_end_the_connection(self):
        for bytes_sent in (b"\0\xff\xff\xff", b"\0\0\0\x40\xfeSMB" + bytes(60)):
            session = self.session()
            session.stream.sendall(bytes_sent)
            self.assertEqual(session.stream.recv(1), b"")
