"""The programs that call ntlm_auth, with the examples of packaging/: FreeRADIUS and Squid."""

import hashlib
import os
import shutil
import signal
import subprocess
import threading

import ntlm
import packages
from boxes import await_event
from labtest import LabTest, domain_section, lab, plan

EXAMPLES = plan.REPOSITORY / "packaging" / "examples"
SECRET = "between-radius-and-nas"
RADIUS = """
raddbdir = {folder}
libdir = /usr/lib/freeradius
run_dir = {folder}
db_dir = {folder}
logdir = {folder}
name = radiusd
max_requests = 1024
proxy_requests = no
security {{
    allow_vulnerable_openssl = yes
}}
client lab {{
    ipaddr = 10.77.0.0/24
    secret = {secret}
}}
modules {{
{mschap}
{pap}
}}
server default {{
    listen {{
        type = auth
        ipaddr = {address}
        port = 1812
    }}
    authorize {{
        mschap
        if (User-Password) {{
            update control {{
                Auth-Type := ntlm_auth
            }}
        }}
    }}
    authenticate {{
        Auth-Type MS-CHAP {{
            mschap
        }}
        Auth-Type ntlm_auth {{
            ntlm_auth
        }}
    }}
}}
"""


class Callers(LabTest):
    sections = (domain_section(plan.AD),)
    settings = {}
    program = ""

    @classmethod
    def setUpClass(cls):
        if not shutil.which(cls.program):
            packages.install_callers()
        cls.postern = cls.class_agent(*cls.sections, control_group="nogroup", **cls.settings)
        cls.folder = cls.postern.folder / cls.program
        cls.folder.mkdir()
        for folder in (plan.STATE, plan.STATE / "postern", cls.postern.folder, cls.folder):
            folder.chmod(0o755)
        cls.postern.config.chmod(0o644)

    @classmethod
    def example(cls, name):
        """One of packaging's, but for the place of the program and its configuration."""
        text = (EXAMPLES / name).read_text()
        return text.replace("/usr/lib/postern/ntlm_auth",
                            f"{cls.postern.binary} ntlm-auth --config={cls.postern.config}")

    @classmethod
    def daemon(cls, ready, *words):
        """Runs a daemon in the gate's box until the class ends; `ready` is what it then says."""
        process = lab.gate.popen(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, start_new_session=True)
        cls.addClassCleanup(cls.end, process)
        said, lines = threading.Event(), []

        def read():
            for line in process.stdout:
                lines.append(line)
                if ready in line:
                    said.set()
            said.set()
        threading.Thread(target=read, daemon=True).start()
        if not said.wait(20) or process.poll() is not None:
            raise AssertionError("".join(lines[-30:]))

    @staticmethod
    def end(process):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


class FreeRADIUSTest(Callers):
    program = "freeradius"
    mschap = "freeradius-mschap"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder.joinpath("radiusd.conf").write_text(RADIUS.format(
            folder=cls.folder, address=lab.gate.address, secret=SECRET,
            mschap=cls.example(cls.mschap), pap=cls.example("freeradius-pap")))
        cls.daemon("Ready to process requests", "freeradius", "-f", "-l", "stdout", "-d",
                   cls.folder, "-n", "radiusd", "-x")

    def ask(self, **attributes):
        lines = [f"{name.replace('_', '-')} = {value}" for name, value in attributes.items()]
        return lab.client.run("radclient", "-x", "-r", "1", "-t", "8",
                              f"{lab.gate.address}:1812", "auth", SECRET,
                              input="\n".join(lines) + "\n", check=False).stdout

    def mschapv2(self, user, password, name=None):
        """RFC 2548 2.3.2, and what the server must prove with (RFC 2759 8.7)."""
        authenticator, peer = os.urandom(16), os.urandom(16)
        response = ntlm.mschapv2(user, password, authenticator, peer)
        answer = b"\x07\x00" + peer + bytes(8) + response.nt
        digest = hashlib.sha1(ntlm.md4(ntlm.nt_hash(password)) + response.nt
                              + b"Magic server to client signing constant").digest()
        proof = hashlib.sha1(digest + response.challenge
                             + b"Pad to make it do more than one iteration").hexdigest().upper()
        return self.ask(User_Name=f'"{name or user}"', MS_CHAP_Challenge=f"0x{authenticator.hex()}",
                        MS_CHAP2_Response=f"0x{answer.hex()}"), f"S={proof}"

    def test_mschapv2_is_accepted_and_the_server_proves_the_key(self):
        shown, proof = self.mschapv2("alice", plan.PASSWORD)
        self.assertIn("Access-Accept", shown)
        self.assertIn(proof.encode().hex(), shown.lower())
        self.assertIn("MS-MPPE-Send-Key", shown)

    def test_mschapv2_with_a_wrong_password_is_rejected(self):
        shown, _ = self.mschapv2("wanda", "not hers")
        self.assertIn("Access-Reject", shown)
        self.assertRegex(shown, r"MS-CHAP-Error = .*E=691")

    def test_mschapv2_with_a_password_that_must_change_says_so(self):
        shown, _ = self.mschapv2("mustchange", plan.PASSWORD)
        self.assertIn("Access-Reject", shown)
        self.assertRegex(shown, r"MS-CHAP-Error = .*E=648")

    def test_pap_is_accepted_and_rejected(self):
        good = self.ask(User_Name='"alice"', User_Password=f'"{plan.PASSWORD}"')
        self.assertIn("Access-Accept", good)
        bad = self.ask(User_Name='"wanda"', User_Password='"not hers"')
        self.assertIn("Access-Reject", bad)


class SquidTest(Callers):
    program = "squid"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder.chmod(0o777)
        conf = cls.folder / "squid.conf"
        conf.write_text(
            f"http_port {lab.gate.address}:3128\n{cls.example('squid.conf')}"
            f"pid_filename {cls.folder}/pid\ncache_log {cls.folder}/log\naccess_log none\n"
            f"coredump_dir {cls.folder}\npinger_enable off\nshutdown_lifetime 1 second\n"
            "cache_effective_user proxy\ncache_effective_group nogroup\ncache_mem 8 MB\n"
            "visible_hostname gate\n")
        process = lab.client.popen("python3", "-m", "http.server", "8080", "--directory",
                                   EXAMPLES, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        cls.addClassCleanup(cls.end, process)
        cls.daemon("Accepting HTTP Socket connections", "squid", "-N", "-d", "1", "-f", conf)
        await_event("origin", lambda: lab.gate.connects(lab.client.address, 8080), 10)

    def fetch(self, user=None, password="", scheme="--proxy-basic"):
        words = (scheme, "-U", f"{user}:{password}") if user else ()
        return lab.client.run(
            "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", "-x",
            f"http://{lab.gate.address}:3128", *words,
            f"http://{lab.client.address}:8080/squid.conf", check=False).stdout

    def test_basic_helper_lets_in_who_is_right_and_nobody_else(self):
        self.assertEqual(self.fetch(), "407")
        self.assertEqual(self.fetch("wanda", "not hers"), "407")
        self.assertEqual(self.fetch("alice", plan.PASSWORD), "200")
        self.assertEqual(self.fetch("mary ann", plan.PASSWORD), "200")

    def test_ntlm_helper_lets_in_who_is_right_and_nobody_else(self):
        for user in ("alice", f"{plan.AD.name}\\alice"):
            self.assertEqual(self.fetch(user, plan.PASSWORD, "--proxy-ntlm"), "200")
        self.assertEqual(self.fetch("wanda", "not hers", "--proxy-ntlm"), "407")
        self.assertEqual(self.fetch("nobody", plan.PASSWORD, "--proxy-ntlm"), "407")


class NegotiateTest(LabTest):
    """gss-spnego and squid-2.5-ntlmssp, with Samba's tool as the client at the other end."""

    def setUp(self):
        self.postern = self.agent(domain_section(plan.AD))

    def talk(self, server, client, password=plan.PASSWORD):
        """The server's last word, after as many tokens as both ends want to pass."""
        ends = [lab.gate.popen(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True) for words in (
            (self.postern.binary, "ntlm-auth", f"--config={self.postern.config}",
             f"--helper-protocol={server}"),
            ("ntlm_auth", f"--helper-protocol={client}", "--username=alice",
             f"--domain={plan.AD.name}", f"--password={password}"))]
        ours, theirs = ends
        try:
            token = self.ask(theirs, "YR").split()[1]
            for turn in ("YR", "KK", "KK"):
                answer = self.ask(ours, f"{turn} {token}")
                if not answer.startswith("TT"):
                    return answer
                token = self.ask(theirs, f"TT {answer.split()[1]}").split()[1]
            return answer
        finally:
            for process in ends:
                process.stdin.close()
                process.wait(10)
                process.stdout.close()

    @staticmethod
    def ask(process, line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    def test_right_and_wrong_passwords_over_ntlmssp(self):
        alice = f"AF {plan.AD.name}\\alice"
        self.assertEqual(self.talk("squid-2.5-ntlmssp", "ntlmssp-client-1"), alice)
        self.assertRegex(self.talk("squid-2.5-ntlmssp", "ntlmssp-client-1", "not hers"),
                         "^NA NT_STATUS_")

    def test_right_and_wrong_passwords_over_spnego(self):
        self.assertRegex(self.talk("gss-spnego", "gss-spnego-client"),
                         f"^AF [^ ]+ {plan.AD.name}\\\\alice$")
        self.assertRegex(self.talk("gss-spnego", "gss-spnego-client", "not hers"),
                         "^NA [^ ]+ NT_STATUS_")
