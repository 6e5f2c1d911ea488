"""Sub-commands as an administrator meets them: what the check finds, which options are taken, where
errors go, and what happens when others are at work meanwhile."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys

import control
import logons
from boxes import await_event
from labtest import LabTest, domain_section, lab, plan
from postern import listen_section, local_domain_section

DOMAIN = "GATEDOM"
MEMBER = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
FINDS = 4_000
# As many as one line takes.
SILENT = ", ".join(f"10.77.0.{number}" for number in range(201, 213))
MOST_FILES = 200


def silent_section(name):
    """A domain whose controllers are not there."""
    return f"[domain {name}]\ncontrollers = {SILENT}\n"


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def holders(path):
    """The processes that have the file open."""
    found = []
    for link in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) == str(path):
                found.append(link.parts[2])
        except OSError:
            pass    # it has ended
    return found


class CommandsTest(LabTest):
    def own_domain(self, *sections, started=False, **options):
        """An agent with a domain of its own."""
        return self.agent(local_domain_section(DOMAIN), *sections, started=started, **options)

    def add(self, postern, name, password=plan.PASSWORD, code=0):
        done = postern.run("account", "add", name, input=password + "\n")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done


class CheckTest(CommandsTest):
    def check(self, postern, code):
        done = postern.run("serve", "--check")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual("all is well" in done.stdout, code == 0, done.stdout)
        return done

    def test_a_secret_that_is_missing_is_told_once(self):
        done = self.check(self.agent(domain_section(plan.AD), started=False, secrets={}), 1)
        self.assertEqual((done.stdout + done.stderr).count("no secret"), 1, done.stderr)

    def test_a_secret_that_cannot_be_read_is_not_well(self):
        postern = self.agent(domain_section(plan.AD), started=False)
        postern.import_secrets()
        self.check(postern, 0)
        state = postern.folder / "state/state.mdb"
        key = b"secrets/" + plan.AD.name.encode()
        content = bytearray(state.read_bytes())
        places = [found.end() for found in re.finditer(re.escape(key), content)]
        self.assertTrue(places)
        for place in places:
            content[place] = 0xee       # the record's version
        state.write_bytes(content)
        done = self.check(postern, 1)
        self.assertEqual(done.stderr.count("secrets/ADLAB"), 1, done.stderr)
        self.assertIn("postern secret import ADLAB", done.stderr)

    def test_the_role_is_the_one_that_is_kept(self):
        postern = self.own_domain()
        self.add(postern, "anna")
        self.check(postern, 0)
        self.assertEqual(postern.run("domain", "demote").returncode, 0)
        done = self.check(postern, 1)
        self.assertIn(f"{DOMAIN}: local, backup", done.stdout)
        self.assertEqual(done.stderr.count(f"{DOMAIN}: no secret"), 1, done.stderr)
        self.assertEqual(done.stderr.count("whatever its section says"), 1, done.stderr)

    def test_a_control_group_that_is_not_there_is_told(self):
        postern = self.own_domain(control_group="postren")
        self.assertIn("there is no group 'postren'", self.check(postern, 1).stderr)
        postern.start()
        self.assertIn("there is no group 'postren'", postern.log)
        self.assertIn("control group =", postern.log)

    def test_the_netlogon_directory_is_looked_at(self):
        folder = plan.STATE / "netlogon"
        folder.mkdir(exist_ok=True)
        self.addCleanup(lambda: folder.exists() and folder.rmdir())
        postern = self.agent(
            local_domain_section(DOMAIN, netlogon_directory=folder), started=False)
        folder.chmod(0o755)
        self.check(postern, 0)
        folder.chmod(0o700)
        self.assertIn(f"chmod o+rx {folder}", self.check(postern, 1).stderr)
        folder.rmdir()
        self.assertIn(str(folder), self.check(postern, 1).stderr)
        folder.write_text("")
        self.addCleanup(folder.unlink)
        self.assertIn("is not a directory", self.check(postern, 1).stderr)

    def test_how_controllers_are_found_is_told(self):
        postern = self.agent("[domain OLDLAB]\nprofile = nt4\n", started=False)
        self.assertIn("by NetBIOS names\n", self.check(postern, 1).stdout)


class OptionsTest(CommandsTest):
    def refused(self, postern, *words, text=""):
        done = postern.run(*words, input=text)
        self.assertEqual(done.returncode, 2, f"{words}: {done.stdout}{done.stderr}")
        self.assertIn("usage:", done.stderr)

    def test_help_lists_every_key(self):
        shown = self.own_domain().run("serve", "--help")
        self.assertEqual(shown.returncode, 0)
        readme = (plan.REPOSITORY / "README.md").read_text()
        configured = readme.split("## Configure")[1].split("```")[1]
        keys = re.findall(r"(?m)^([a-z0-9 ]+?) *=", configured)
        self.assertGreater(len(keys), 20)
        for key in (*keys, "lockout threshold", "rc4", "unsealed", "nt4 accounts"):
            self.assertRegex(shown.stdout, rf"(?m)^  {key}  ")
        for section in ("[agent]", "[listen]", "[domain NAME]", "[local domain NAME]"):
            self.assertIn(f"\n{section}", shown.stdout)
        wrong = self.own_domain().run("serve", "--wrong")
        self.assertNotIn("[listen]", wrong.stderr)

    def test_options_that_a_verb_does_not_read_are_refused(self):
        postern = self.own_domain(domain_section(plan.NT4))
        for words in (("trust", "permit", "OTHER", "--report"), ("trust", "list", "--report"),
                      ("trust", "revoke", "OTHER", "--pcap", "x"),
                      ("trust", "verify", plan.NT4.name, "--json"),
                      ("trust", "establish", plan.NT4.name, "--json"),
                      ("account", "add", "anna", "--json"), ("account", "list", "--machine"),
                      ("account", "set-password", "anna", "--default-password"),
                      ("account", "remove", "anna", "--file", "x"),
                      ("group", "add", "g", "--json"), ("group", "list", "--comment", "x"),
                      ("domain", "demote", "--json"), ("domain", "show", "--force"),
                      ("secret", "show", plan.NT4.name, "--file", "x")):
            with self.subTest(words=words):
                self.refused(postern, *words, text="x\n")
        self.assertEqual(postern.run("account", "list", "--json").returncode, 0)

    def test_default_passwords_are_for_computers(self):
        postern = self.own_domain()
        self.refused(postern, "account", "add", "anna", "--default-password")
        self.refused(postern, "account", "add", "OTHER", "--trust", "--default-password")
        done = postern.run("account", "add", "PC1", "--machine", "--default-password")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_empty_passwords_are_refused_wherever_they_come_from(self):
        postern = self.own_domain(domain_section(plan.AD), secrets={})
        empty = postern.folder / "empty"
        empty.write_text("\n")
        for words in (("account", "add", "anna"), ("account", "set-password", "administrator"),
                      ("trust", "permit", "OTHER"), ("secret", "import", plan.AD.name)):
            for more in ((), ("--file", empty), ("--file", "-")):
                with self.subTest(words=words, more=more):
                    done = postern.run(*words, *more, input="\n")
                    self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                    self.assertIn("nothing was changed", done.stderr)
        listed = postern.run("account", "list", check=True).stdout
        self.assertNotIn("anna", listed)
        self.assertNotIn("OTHER", listed)

    def test_a_password_may_come_on_standard_input_by_its_name(self):
        postern = self.own_domain(domain_section(plan.AD), secrets={})
        for words in (("account", "add", "anna"), ("secret", "import", plan.AD.name)):
            done = postern.run(*words, "--file", "-", input=plan.PASSWORD + "\n")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class OutputTest(CommandsTest):
    def test_errors_of_the_agent_go_to_standard_error(self):
        postern = self.own_domain(domain_section(plan.AD), started=True)
        for words in (("find", "NOWHERE", "--json"), ("explain", "NOWHERE", "--json"),
                      ("secret", "rotate", DOMAIN)):
            with self.subTest(words=words):
                done = postern.run(*words)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("is not configured", done.stderr)
                self.assertTrue(done.stderr.startswith("postern: "), done.stderr)
        self.assertTrue(json.loads(postern.run("find", plan.AD.name, "--json").stdout))

    def test_an_agent_that_may_not_be_asked_is_unavailable(self):
        postern = self.own_domain(started=True)
        for words in (("account", "list"), ("group", "list"), ("domain", "show"),
                      ("trust", "permit", "OTHER"), ("status",)):
            with self.subTest(words=words):
                done = postern.box.run(
                    *MEMBER, postern.binary, *words[:1], "--config", postern.config, *words[1:],
                    check=False, input="secret\n")
                self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
                self.assertIn("control group", done.stderr)

    def test_where_no_agent_runs_it_is_told_how_to_start_one(self):
        done = self.own_domain().run("status")
        self.assertEqual(done.returncode, 3)
        self.assertIn("systemctl start postern", done.stderr)

    def test_names_move_nothing_on_a_terminal(self):
        postern = self.own_domain(domain_section(plan.AD))
        postern.run("account", "add", "anna", "--full-name", "A\x1b[2J\x9b1mB",
                    input=plan.PASSWORD + "\n", check=True)
        for started in (False, True):
            with self.subTest(started=started):
                if started:
                    postern.start()
                done = postern.run("account", "list", check=True)
                self.assertIn("A?[2J?1mB\n", done.stdout)
                listed = json.loads(postern.run("account", "list", "--json", check=True).stdout)
                self.assertIn("A\x1b[2J\x9b1mB", [each["fullName"] for each in listed])
        done = postern.run("find", "NO\x1b[2J")
        self.assertIn("NO?[2J is not configured", done.stderr)

    def test_status_counts_the_trusts_that_are_listed(self):
        postern = self.own_domain(started=True)
        for name in ("OTHER", "ANOTHER"):
            postern.run("trust", "permit", name, input="secret\n", check=True)
        self.assertIn("may be trusted by 2 domains", postern.run("status").stdout)
        local, = json.loads(postern.run("status", "--json").stdout)["localDomains"]
        self.assertEqual(local["trustingDomains"], 2)


class MeanwhileTest(CommandsTest):
    def test_an_agent_that_starts_while_a_password_is_typed_can_go_on(self):
        postern = self.own_domain()
        self.add(postern, "anna")
        asking = postern.box.popen(
            postern.binary, "account", "--config", postern.config, "set-password", "anna",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        state = postern.folder / "state/state.mdb"
        await_event("the command to wait", lambda: holders(state), 10)
        postern.start()
        _, said = asking.communicate("changed-2\n", timeout=10)
        self.assertEqual(asking.returncode, 1, said)
        self.assertIn("the agent has been started meanwhile; nothing was changed", said)
        self.add(postern, "bert")
        self.assertEqual(postern.logon(DOMAIN, "anna", plan.PASSWORD).returncode, 0)
        self.assertNotIn("another process", postern.log)

    def test_a_second_agent_does_not_start(self):
        postern = self.own_domain(started=True)
        self.add(postern, "anna")
        done = postern.run("serve", timeout=10)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("an agent serves this already", done.stderr)
        self.add(postern, "bert")
        self.assertNotIn("another process", postern.log)

    def test_who_holds_a_port_is_to_be_found_out(self):
        postern = self.own_domain(listen_section(lab.gate.address, smb="yes"))
        with lab.gate.socket(socket.SOCK_STREAM) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind((lab.gate.address, 139))
            other.listen()
            done = postern.run("serve", timeout=10)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("address already in use", done.stderr)
        self.assertIn("ss -tulpn", done.stderr)

    def test_an_answer_under_way_is_whole_when_the_agent_stops(self):
        postern = self.own_domain()
        path = postern.folder / "smbpasswd"
        nobody, hashed = "X" * 32, "8846F7EAEE8FB117AD06BDD830B7586C"
        path.write_text("".join(
            f"user{number}:1:{nobody}:{hashed}:[U          ]:LCT-5F000000:\n"
            for number in range(5_000)))
        postern.run("account", "import", path, check=True)
        postern.start()
        with control.Client(postern.folder / "run/control") as client:
            client.send(control.command(1, control.ACCOUNT, "list", "", flags=control.JSON))
            await_event("an answer that waits for us", client.unread)
            os.kill(postern.pid, 15)
            await_event("the agent's socket to close",
                        lambda: not control.is_served(postern.folder / "run/control"))
            answers = client.answers(1)
        self.assertEqual(answers[1][0], 0)
        self.assertEqual(len(json.loads(answers[1][1])), 5_000 + 2)
        self.assertEqual(postern.stop(), 0)


class CrowdTest(CommandsTest):
    def member(self, program, *words):
        """A Python program as a member of the control group, with `control` at hand."""
        begin = f"import sys; sys.path.insert(0, {str(plan.HERE)!r}); import control\n"
        return subprocess.Popen(
            ["prlimit", "--nofile=16384:16384", *MEMBER, sys.executable, "-B", "-c",
             begin + program, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def test_thousands_of_searches_leave_files_for_logons(self):
        postern = self.agent(domain_section(plan.AD), silent_section("SILENT"),
                             control_group="nogroup")
        crowd = self.member(f"""
client = control.Client(sys.argv[1])
client.send(b"".join(control.command(number, control.FIND, "SILENT")
                     for number in range({FINDS})))
print("sent", flush=True)
answers = client.answers({FINDS})
print(sum(code == 3 and "searches are under way" in error for code, _, error in answers.values()),
      len(answers))
""", str(postern.folder / "run/control"))
        self.assertEqual(crowd.stdout.readline(), "sent\n")
        most = files(postern.pid)
        attempt = logons.by_mschapv2(plan.AD.name, "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(postern.ntlm_auth(*attempt.words), 0, attempt.key)
        most = max(most, files(postern.pid))
        refused, answered = map(int, crowd.communicate(timeout=30)[0].split())
        self.assertEqual(answered, FINDS)
        self.assertGreaterEqual(refused, FINDS - 8)
        self.assertLess(most, MOST_FILES)

    def test_the_commands_of_one_client_are_counted(self):
        names = [f"SILENT{number}" for number in range(18)]
        postern = self.agent(*map(silent_section, names))
        with control.Client(postern.folder / "run/control") as client:
            client.send(b"".join(control.command(number, control.EXPLAIN, name, "")
                                 for number, name in enumerate(names)))
            answers = client.answers(len(names))
        late = {number for number, (code, _, error) in answers.items()
                if code == 3 and "16 commands of this connection" in error}
        self.assertEqual(late, {16, 17})

    def test_root_is_not_shut_out_by_members(self):
        postern = self.agent(domain_section(plan.AD), control_group="nogroup")
        crowd = self.member("""
clients = [control.Client(sys.argv[1]) for _ in range(4200)]
print("here", flush=True)
sys.stdin.read()
""", str(postern.folder / "run/control"))
        self.assertEqual(crowd.stdout.readline(), "here\n")
        done = postern.run("status")
        self.assertEqual(done.returncode, 0, done.stderr)
        crowd.communicate(timeout=30)
