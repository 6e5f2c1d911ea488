"""Programs linked with libwbclient: Samba's own, and FreeRADIUS, find our socket where they look
for winbindd's, and get from it what they would have got there."""

import contextlib
import json
import os
import re
import subprocess
import time

import logons
import ntlm
import oracle
import packages
import test_callers
import winbind
from boxes import await_event
from labtest import LabTest, domain_section, lab, plan
from postern import local_domain_section

DIRECTORY = "/run/samba/winbindd"
ALL = winbind.INFO3_TEXT | winbind.USER_SESSION_KEY | winbind.LMKEY | winbind.UNIX_NAME
NO_LOGON_SERVERS = 0xC000005E


def pipe(privileged=False):
    """The gate's, as the test's own process sees it."""
    return lab.gate.folder / "run/winbindd" / ("privileged/pipe" if privileged else "pipe")


def shown(done):
    return done.returncode, done.stdout, done.stderr


class Served:
    """What a class needs that compares our socket with winbindd's."""

    domain = plan.AD

    @classmethod
    def setUpClass(cls):
        cls.oracle = lab.oracle
        cls.oracle.start(cls.domain)
        names = {"dns_name": cls.domain.dns_name} if cls.domain.dns_name else {}
        cls.postern = cls.class_agent(
            # A controller that is busy with the 2,000 groups is not to be unavailable.
            domain_section(cls.domain, ntlmv1="allow", lm="allow", deadline="30s", **names),
            winbind_socket=DIRECTORY, control_group="nogroup")
        cls.conf = cls.postern.folder / "smb.conf"
        cls.conf.write_text(
            f"[global]\nnetbios name = GATE1\nworkgroup = {cls.domain.name}\n"
            "security = domain\n"
            f"lock directory = {cls.postern.folder}\nlogging = file\n"
            f"log file = {cls.postern.folder}/log\n")

    def wbinfo(self, *words):
        return lab.gate.run("wbinfo", *words, check=False)

    def samba_ntlm_auth(self, *words, **options):
        return lab.gate.run("ntlm_auth", f"--configfile={self.conf}", *words, check=False,
                            **options)

    def same(self, *words):
        ours, theirs = self.wbinfo(*words), self.oracle.wbinfo(*words)
        self.assertEqual(shown(ours), shown(theirs), words)
        return ours


class Comparison(Served):
    # Who logs on to find out whether he is in a group that is local to the domain.
    local_members = ()

    def test_wbinfo_says_of_us_what_it_says_of_winbindd(self):
        domain = self.domain.name
        for words in (
                ("-p",), ("-t",), ("-P",), ("--ping-dc", f"--domain={domain}"),
                ("--ping-dc", "--domain=NOSUCH"), ("-t", "--domain=NOSUCH"),
                ("-n", f"{domain}\\alice"), ("-n", "alice"), ("-n", f"{domain}\\mary ann"),
                ("-n", f"{domain}\\jürgen"), ("-n", f"{domain}\\Domain Users"),
                ("-n", f"{domain}\\no such name"), ("-n", "NOSUCH\\alice"),
                ("-s", "S-1-5-21-1-2-3-500"), ("-s", "no SID"),
                ("--own-domain",), ("--separator",), ("-D", domain), ("-D", "NOSUCH"),
                ("-r", f"{domain}\\no such name"), ("-i", f"{domain}\\no such name"),
                ("--gid-info=1",), ("--uid-info=1",)):
            with self.subTest(words=words):
                self.same(*words)

    def test_names_and_sids_are_each_others(self):
        for name in ("alice", "Domain Users", "jürgen"):
            sid = self.same("-n", f"{self.domain.name}\\{name}").stdout.split()[0]
            # winbindd may have kept the name in lower case.
            self.assertEqual(self.wbinfo("-s", sid).stdout.lower(),
                             self.oracle.wbinfo("-s", sid).stdout.lower())
        self.same("-s", sid.rsplit("-", 1)[0])

    def test_everybody_is_let_in_or_refused_as_by_winbindd(self):
        for label, user, password in logons.everyone():
            if label == "computer":
                continue    # by password: test_logon says why
            with self.subTest(user=label):
                self.same("-a", f"{self.domain.name}\\{user}%{password}")
                self.same(f"--pam-logon={self.domain.name}\\{user}%{password}")

    def test_our_domain_is_listed_as_winbindd_lists_it(self):
        theirs = self.oracle.wbinfo("-m", "--verbose").stdout.splitlines()
        ours = self.wbinfo("-m", "--verbose").stdout.splitlines()
        self.assertEqual(ours, [theirs[0], theirs[-1]])
        self.assertEqual(self.wbinfo("-m").stdout, f"{self.domain.name}\n")

    def test_ntlm_auth_of_samba_brings_the_same_status_and_key(self):
        for method, make in logons.METHODS.items():
            for label, user, password in logons.everyone():
                if (method, label) == ("password", "computer"):
                    continue
                with self.subTest(method=method, user=label):
                    theirs = make(self.domain.name, user, password, "MEMBER")
                    ours = make(self.domain.name, user, password, "GATE1")
                    expected, _ = oracle.verdict(self.oracle.ntlm_auth(*theirs.words))
                    self.assertVerdict(self.samba_ntlm_auth(*ours.words), expected,
                                       None if expected else ours.key)

    def test_membership_is_required_as_by_winbindd(self):
        for user, password, group in (
                ("alice", plan.PASSWORD, "Domain Users"), ("alice", plan.PASSWORD, "Domain Admins"),
                ("alice", plan.PASSWORD, "no such group"), *self.local_members):
            words = (f"--username={user}", f"--domain={self.domain.name}",
                     f"--password={password}",
                     f"--require-membership-of={self.domain.name}\\{group}")
            ours, theirs = self.samba_ntlm_auth(*words), self.oracle.ntlm_auth(*words)
            with self.subTest(user=user, group=group):
                self.assertEqual((ours.returncode, ours.stdout),
                                 (theirs.returncode, theirs.stdout))

    def answers(self, octets, privileged):
        """Ours and winbindd's to the same octets."""
        folder = self.oracle.box.folder
        directory = (folder / self.domain.name / "state/winbindd_privileged" if privileged
                     else folder / "run/winbindd")
        with winbind.Client(pipe(privileged)) as ours, \
                winbind.Client(directory / "pipe") as theirs:
            return ours.ask(octets), theirs.ask(octets)

    @staticmethod
    def lasting(answer, by):
        """Without what two logons of one user differ in: its times and their count, and an
        address in the memory of the program that answered. Of a password winbindd makes a key
        where the domain is NT4's, which whoever knows the password can do without it."""
        octets = bytearray(answer.octets)
        for start, end in ((0, 4), (848, 856), (896, 904), (4000, 4008),
                           *(((528, 544),) if by == "password" else ())):
            octets[start:end] = bytes(end - start)
        return bytes(octets)

    def test_all_that_is_said_of_a_user_is_what_winbindd_says(self):
        for user in ("alice", "jürgen", "manygroups", "disabled"):
            password = plan.account(user).password
            response = ntlm.mschapv2(user, password)
            for name, octets, privileged in (
                    ("response", winbind.by_response(self.domain.name, user, response, ALL), True),
                    ("password", winbind.by_password(
                        f"{self.domain.name}\\{user}", password, ALL), False)):
                with self.subTest(user=user, by=name):
                    ours, theirs = self.answers(octets, privileged)
                    pairs = zip(self.lasting(ours, name), self.lasting(theirs, name))
                    differences = [index for index, (one, other) in enumerate(pairs)
                                   if one != other]
                    self.assertEqual(differences, [], (ours.octets, theirs.octets))
                    self.assertEqual(ours.extra, theirs.extra)

    def test_who_may_not_enter_the_privileged_directory_gets_no_logon_by_response(self):
        attempt = logons.by_mschapv2(self.domain.name, "alice", plan.PASSWORD, "GATE1")
        for box, conf in ((lab.gate, self.conf), (self.oracle.box, self.oracle.conf)):
            done = box.run("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups",
                           "ntlm_auth", f"--configfile={conf}", *attempt.words, check=False)
            self.assertIn("Reading winbind reply failed! (0xc0000001)", done.stdout)
        for privileged, done in ((False, False), (True, True)):
            response = ntlm.mschapv2("alice", plan.PASSWORD)
            octets = winbind.by_response(self.domain.name, "alice", response, ALL)
            with winbind.Client(pipe(privileged)) as client:
                self.assertEqual(client.ask(octets).done, done)

    def test_members_of_the_control_group_log_on_by_response(self):
        attempt = logons.by_mschapv2(self.domain.name, "alice", plan.PASSWORD, "GATE1")
        member = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
        done = lab.gate.run(*member, "ntlm_auth", f"--configfile={self.conf}", *attempt.words,
                            check=False)
        self.assertVerdict(done, 0, attempt.key)
        # They may not do what changes the state.
        done = lab.gate.run(*member, self.postern.binary, "secret", "--config",
                            self.postern.config, "rotate", self.domain.name, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("only root and the agent's own user", done.stdout + done.stderr)


class WinbindInADTest(Comparison, LabTest):
    domain = plan.AD
    local_members = tuple(
        (user, password, "Denied RODC Password Replication Group") for user, password in (
            ("Administrator", plan.ADMINISTRATOR_PASSWORD), ("alice", plan.PASSWORD)))

    def test_a_response_longer_than_its_field_is_taken(self):
        computer = "GATE1"
        response = ntlm.ntlmv2("alice", "ADLAB", plan.PASSWORD, computer)
        octets = winbind.by_response("ADLAB", "alice", response, ALL)
        with winbind.Client(pipe(True)) as client:
            answer = client.ask(octets)
            self.assertTrue(answer.done, hex(answer.status))
            self.assertEqual(answer.key, response.session_key)


class WinbindInNT4Test(Comparison, LabTest):
    domain = plan.NT4


class HelperTest(Served, LabTest):
    """Samba's ntlm_auth as a helper that stays, with our socket behind it."""

    def helper(self, protocol, *words):
        process = lab.gate.popen(
            "ntlm_auth", f"--configfile={self.conf}", f"--helper-protocol={protocol}", *words,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.stdin.close()
        process.wait(10)
        process.stdout.close()

    @staticmethod
    def ask(process, line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    def logon(self, process, password=plan.PASSWORD):
        """One logon by ntlm-server-1: what it says, line by line."""
        response = ntlm.mschapv2("alice", password)
        for line in ("Username: alice", f"NT-Domain: {self.domain.name}",
                     f"LANMAN-Challenge: {response.challenge.hex()}",
                     f"NT-Response: {response.nt.hex()}", "Request-User-Session-Key: Yes"):
            process.stdin.write(line + "\n")
        said = [self.ask(process, ".")]
        while said[-1] != ".":
            said.append(process.stdout.readline().strip())
        return said, response.session_key.hex().upper()

    def test_ntlm_server_1_tells_right_from_wrong_and_brings_the_key(self):
        process = self.helper("ntlm-server-1", "--allow-mschapv2")
        said, key = self.logon(process)
        self.assertIn("Authenticated: Yes", said)
        self.assertIn(f"User-Session-Key: {key}", said)
        said, _ = self.logon(process, "not hers")
        self.assertIn("Authenticated: No", said)

    def test_squid_ntlmssp_tells_right_from_wrong(self):
        for password, expected in ((plan.PASSWORD, f"AF {self.domain.name}\\alice"),
                                   ("not hers", "NA NT_STATUS_")):
            server = self.helper("squid-2.5-ntlmssp")
            client = self.helper("ntlmssp-client-1", "--username=alice",
                                 f"--domain={self.domain.name}", f"--password={password}")
            token = self.ask(client, "YR").split()[1]
            challenge = self.ask(server, f"YR {token}").split()[1]
            token = self.ask(client, f"TT {challenge}").split()[1]
            self.assertRegex(self.ask(server, f"KK {token}"), f"^{re.escape(expected)}")

    def test_a_helper_outlives_a_restart_of_the_agent(self):
        process = self.helper("ntlm-server-1", "--allow-mschapv2")
        self.assertIn("Authenticated: Yes", self.logon(process)[0])
        for end in (self.postern.stop, self.postern.kill):
            end()
            self.postern.start()
            self.assertIn("Authenticated: Yes", self.logon(process)[0])

    def test_without_an_agent_the_helper_says_so_and_no_more(self):
        process = self.helper("ntlm-server-1", "--allow-mschapv2")
        self.postern.stop()
        try:
            said, _ = self.logon(process)
        finally:
            self.postern.start()
        self.assertEqual(said, ["Authenticated: No",
                                "Authentication-Error: Reading winbind reply failed!", "."])
        self.assertEqual(process.stdout.readline(), ".\n")     # Samba ends this answer twice
        self.assertIn("Authenticated: Yes", self.logon(process)[0])


class WinbindRADIUSTest(test_callers.FreeRADIUSTest):
    """The tests of test_callers, without a process a logon."""

    mschap = "freeradius-mschap-winbind"
    settings = {"winbind_socket": DIRECTORY}

    def test_a_domain_may_come_before_the_name(self):
        shown, _ = self.mschapv2("alice", plan.PASSWORD, f"{plan.AD.name}\\\\alice")
        self.assertIn("Access-Accept", shown)


class UnavailableTest(LabTest):
    """A controller that is away is no wrong password."""

    def setUp(self):
        self.healed(lab.nt4)
        self.postern = self.agent(domain_section(plan.NT4, deadline="2s"),
                                  winbind_socket=DIRECTORY)
        with winbind.Client(pipe()) as client:
            self.assertTrue(client.ask(winbind.request(winbind.PING_DC)).done)
        lab.nt4.stop()

    def test_no_controller_is_no_logon_server_within_the_deadline(self):
        response = ntlm.mschapv2("alice", plan.PASSWORD)
        for privileged, octets in (
                (False, winbind.by_password("NT4LAB\\alice", plan.PASSWORD, ALL)),
                (True, winbind.by_response("NT4LAB", "alice", response, ALL))):
            with winbind.Client(pipe(privileged)) as client:
                begin = time.monotonic()
                answer = client.ask(octets)
                self.assertLess(time.monotonic() - begin, 3)
                self.assertFalse(answer.done)
                self.assertEqual(hex(answer.status), hex(NO_LOGON_SERVERS))
                self.assertEqual((answer.number(524), answer.octets[812]), (9, 1))
        with winbind.Client(pipe()) as client:
            self.assertFalse(client.ask(winbind.request(winbind.PING_DC)).done)
            check = client.ask(winbind.request(winbind.CHECK_MACHACC))
            self.assertEqual(hex(check.status), "0xc0000233")
            self.assertFalse(client.ask(winbind.request(
                winbind.LOOKUPNAME, body={0: "NT4LAB", 256: "alice"})).done)
        self.assertEqual(lab.gate.run("wbinfo", "--online-status").stdout,
                         "NT4LAB : no active connection\n")


class ShareTest(LabTest):
    """What one user of this host may have of the agent at a time."""

    SHARE = 256
    NOBODY = 65534

    def asked_as_nobody(self):
        """A connection of an unprivileged user's, by which a logon is asked for."""
        os.seteuid(self.NOBODY)
        try:
            client = winbind.Client(pipe(), raw=True)
        finally:
            os.seteuid(0)
        with contextlib.suppress(BrokenPipeError):      # it may be turned away by now
            client.send(winbind.by_password("NT4LAB\\alice", plan.PASSWORD, 0))
        return client

    def test_who_leaves_has_no_more_under_way_than_who_stays(self):
        self.healed(lab.nt4)
        postern = self.agent(domain_section(plan.NT4, deadline="6s"), winbind_socket=DIRECTORY)
        with winbind.Client(pipe()) as client:
            await_event("a channel",
                        lambda: client.ask(winbind.request(winbind.PING_DC)).done, 20, 0.2)
        lab.nt4.freeze()
        for _ in range(self.SHARE):
            with self.asked_as_nobody():
                pass

        def all_have_left():
            shown = json.loads(postern.run("status", "--json").stdout)["winbindSocket"]
            return shown["clients"] == 0 and shown["requests"] > self.SHARE
        await_event("they were heard, and have left", all_have_left, 3)
        with self.asked_as_nobody() as one_more:
            self.assertTrue(one_more.ended())
        with winbind.Client(pipe()) as client:
            self.assertTrue(client.ask(winbind.request(winbind.PING)).done)
        lab.nt4.thaw()

        def is_served():
            with self.asked_as_nobody() as client, \
                    contextlib.suppress(EOFError, ConnectionResetError):
                return client.answer().done
        await_event("the share is free again", is_served, 20, 0.2)


class ClientsTest(LabTest):
    """Clients of other kinds than the one on this host."""

    @classmethod
    def setUpClass(cls):
        cls.postern = cls.class_agent(
            domain_section(plan.AD), local_domain_section("GATE"), winbind_socket=DIRECTORY,
            accounts=((plan.PASSWORD, "emma"), (plan.PASSWORD, "frida")))

    def test_users_of_a_domain_of_its_own_log_on_and_are_listed(self):
        self.assertEqual(lab.gate.run("wbinfo", "-u", "--domain=GATE").stdout.split(),
                         [f"GATE\\{name}" for name in ("Administrator", "Guest", "emma", "frida")])
        self.assertEqual(lab.gate.run("wbinfo", "-a", f"GATE\\emma%{plan.PASSWORD}").stdout,
                         "plaintext password authentication succeeded\n"
                         "challenge/response password authentication succeeded\n")
        wrong = lab.gate.run("wbinfo", "-a", "GATE\\frida%not hers", check=False)
        self.assertIn("NT_STATUS_WRONG_PASSWORD", wrong.stderr)
        sid = lab.gate.run("wbinfo", "-n", "GATE\\emma").stdout.split()[0]
        self.assertEqual(lab.gate.run("wbinfo", "-s", sid).stdout, "GATE\\emma 1\n")
        self.assertIn("GATE", lab.gate.run("wbinfo", "-m").stdout.split())

    def test_who_hangs_half_way_is_left_behind_and_ended(self):
        whole = winbind.request(winbind.PING)
        with winbind.Client(pipe(), timeout=30, raw=True) as slow, winbind.Client(pipe()) as quick:
            slow.send(whole[:1000])
            for _ in range(3):
                self.assertTrue(quick.ask(whole).done)
            self.assertTrue(slow.ended())
            self.assertTrue(quick.ask(whole).done)

    def test_who_drips_is_served(self):
        whole = winbind.request(winbind.PING)
        with winbind.Client(pipe()) as client:
            for start in range(0, len(whole), 100):
                client.send(whole[start:start + 100])
            self.assertTrue(client.answer().done)

    def test_garbage_ends_its_own_connection_alone(self):
        whole = winbind.request(winbind.PING)
        with winbind.Client(pipe()) as other:
            self.assertTrue(other.ask(whole).done)
            for garbage in (os.urandom(4096), b"\0" * 64, b"\xff" * 64, whole[:2128] + b"\xff" * 8,
                            winbind.request(winbind.PAM_AUTH, body={0: b"a" * 1800})):
                with winbind.Client(pipe(), raw=True) as client:
                    client.send(garbage)
                    self.assertTrue(client.ended())
            self.assertTrue(other.ask(whole).done)
        # Everybody on the host may send it: it is told of once a minute.
        self.postern.run("status", check=True)
        told = [line for line in self.postern.lines if "winbind request" in line]
        self.assertEqual(len(told), 1, told)

    def test_unknown_commands_are_answered_and_counted(self):
        with winbind.Client(pipe()) as client:
            for command in (24, 99, 0xFFFFFFFF):
                self.assertFalse(client.ask(winbind.request(command)).done)
            self.assertTrue(client.ask(winbind.request(winbind.PING)).done)
        self.assertRegex(self.postern.run("status").stdout, r"requests +\d+, [1-9]\d* of a kind")

    def test_requests_behind_one_that_waits_are_answered_in_order(self):
        first = winbind.request(winbind.LOOKUPNAME, body={0: "ADLAB", 256: "alice"})
        with winbind.Client(pipe()) as client:
            client.send(first + winbind.request(winbind.PING))
            lookup, ping = client.answer(), client.answer()
            self.assertTrue(lookup.done and lookup.octets[8:10] == b"S-")
            self.assertTrue(ping.done and ping.octets[8:10] == b"\0\0")

    def test_more_clients_than_there_may_be_take_the_places_of_the_silent(self):
        clients = [winbind.Client(pipe(), raw=True) for _ in range(1030)]
        try:
            self.assertTrue(clients[-1].ask(winbind.request(winbind.PING)).done)
            self.assertTrue(clients[0].ended())
        finally:
            for client in clients:
                client.socket.close()

    def test_many_callers_at_once_get_their_own_answers(self):
        response = ntlm.mschapv2("alice", plan.PASSWORD)
        done = lab.gate.run(packages.native("authbench"), "16", "10", "ADLAB", "alice",
                            response.challenge.hex(), response.nt.hex())
        self.assertIn('"failed": 0', re.sub(r"\s*:\s*", ": ", done.stdout))


class InterfaceTest(LabTest):
    """Clients of all versions of Samba, as their requests tell which they are of."""

    def served(self, **settings):
        postern = self.agent(domain_section(plan.AD), winbind_socket="yes", **settings)
        return postern.folder / "run/winbindd"

    def test_every_interface_is_served_once_it_is_known(self):
        directory = self.served()
        for interface, most in ((32, 1), (31, 1), (30, 1), (28, 2), (27, 3), (33, 2)):
            for tries in (most, 1):
                with winbind.Client(directory / "pipe", interface) as client:
                    self.assertLessEqual(len(client.told), tries, client.told)
                    answer = client.ask(winbind.request(
                        winbind.directory_command(interface), interface))
                    self.assertEqual(answer.extra, f"{directory}/privileged\0".encode())

    def test_the_newest_is_served_at_once_where_it_is_expected(self):
        directory = self.served(winbind_interface=33)
        with winbind.Client(directory / "pipe", 33) as client:
            self.assertEqual(client.told, [33])

    def test_libwbclient_that_was_taken_for_another_is_known_the_next_time(self):
        self.agent(domain_section(plan.AD), winbind_socket=DIRECTORY, winbind_interface=33)
        self.assertEqual([lab.gate.run("wbinfo", "-p", check=False).returncode for _ in range(3)],
                         [1, 0, 0])


class SetUpTest(LabTest):
    """What is in the way is said, with what to do about it."""

    def check(self, postern):
        done = postern.run("serve", "--check")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stderr

    def test_a_winbindd_that_is_alive_is_not_replaced(self):
        lab.oracle.start(plan.AD)
        postern = self.agent(domain_section(plan.AD), started=False, box=lab.oracle.box,
                             winbind_socket=DIRECTORY)
        postern.import_secrets()
        self.assertIn("is served by another program: stop winbindd", self.check(postern))
        done = postern.run("serve", timeout=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("stop winbindd", done.stderr)
        self.assertEqual(lab.oracle.wbinfo("-p").returncode, 0)

    def test_a_directory_of_somebody_else_is_refused(self):
        postern = self.agent(domain_section(plan.AD), started=False, winbind_socket="yes")
        postern.import_secrets()
        directory = postern.folder / "run/winbindd"
        directory.mkdir()
        os.chown(directory, 1234, 1234)
        remedy = f"chown root:root {directory} && chmod 755 {directory}"
        self.assertIn(remedy, self.check(postern))
        done = postern.run("serve", timeout=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(remedy, done.stderr)

    def test_all_is_well_while_the_agent_runs(self):
        postern = self.agent(domain_section(plan.AD), winbind_socket="yes")
        done = postern.run("serve", "--check")
        self.assertEqual(done.returncode, 0, done.stderr)
        directory = postern.folder / "run/winbindd"
        modes = [oct(path.stat().st_mode & 0o777) for path in (
            directory, directory / "pipe", directory / "privileged",
            directory / "privileged/pipe")]
        self.assertEqual(modes, ["0o755", "0o777", "0o750", "0o777"])
