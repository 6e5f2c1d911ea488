"""A second controller: what the primary announces, and how the backup's copy follows."""

import json
import shutil
import struct

import mailslot
from boxes import await_event
from capture import Capture
from labtest import LabTest, lab, plan
from postern import listen_section, local_domain_section
from relay import Relay
from test_accounts import MANY, entry

DOMAIN = "COPYDOM"
BACKUP = "BDC1"
SECRET = "bdc-Passw0rd"
USER = "anna"


class ReplicationTest(LabTest):
    def make_primary(self, started=True, accounts=((plan.PASSWORD, USER),), **settings):
        return self.agent(
            local_domain_section(DOMAIN, **settings),
            listen_section(lab.gate.address, smb="yes", rpc="yes", wins_server=None),
            secrets={}, accounts=(*accounts, (SECRET, BACKUP, "--bdc")), started=started)

    def make_backup(self, secret=SECRET, started=True, primary=lab.gate.address, **settings):
        return self.agent(
            local_domain_section(DOMAIN, role="backup", primary=primary, **settings),
            listen_section(lab.client.address, smb="yes", rpc="yes", wins_server=None),
            box=lab.client, name=BACKUP, secrets={DOMAIN: secret}, started=started)

    def shown(self, agent):
        return json.loads(agent.run("domain", "show", "--json", check=True).stdout)

    def serials(self, agent):
        return self.shown(agent)["serials"]

    def accounts(self, agent):
        """What is replicated of the accounts."""
        listed = json.loads(agent.run("account", "list", "--json", check=True).stdout)
        local = ("logonCount", "badPasswordCount", "lastLogon")
        return [{key: value for key, value in account.items() if key not in local}
                for account in listed]

    def await_copy(self, seconds=10):
        await_event("the backup is as the primary",
                    lambda: self.serials(self.backup) == self.serials(self.primary), seconds, 0.05)
        self.assertEqual(self.accounts(self.backup), self.accounts(self.primary))

    def await_log(self, agent, words, seconds=10):
        await_event(f"the log says {words!r}", lambda: words in agent.log, seconds, 0.05)

    def add(self, name, *words, password=plan.PASSWORD):
        self.primary.run("account", "add", name, *words, input=password + "\n", check=True)

    def assertLogsOn(self, agent, user=USER, password=plan.PASSWORD):
        done = agent.logon(DOMAIN, user, password)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + agent.log)


class CopyTest(ReplicationTest):
    def setUp(self):
        self.primary = self.make_primary()
        self.backup = self.make_backup()
        self.await_copy()

    def test_the_first_copy_is_all_there_is(self):
        await_event("the primary's name is known",
                    lambda: self.shown(self.backup)["primary"] == "GATE1", 5, 0.05)
        shown = self.shown(self.backup)
        self.assertEqual(shown["role"], "backup")
        self.assertEqual(shown["sid"], self.shown(self.primary)["sid"])
        self.assertIn("ready", shown["channel"])
        self.assertLogsOn(self.backup)

    def test_a_change_is_announced_and_copied(self):
        self.add("bert")
        self.await_copy(2)
        self.primary.run("group", "member", "add", "Domain Admins", "bert", check=True)
        self.primary.run("account", "set-password", USER, input="another-1\n", check=True)
        self.await_copy(2)
        self.assertLogsOn(self.backup, USER, "another-1")
        self.primary.run("account", "remove", "bert", check=True)
        self.await_copy(2)
        self.assertEqual(self.backup.log.count("copied whole"), 3, self.backup.log)

    def test_one_change_costs_no_more_than_documented(self):
        self.add("bert")    # the backup's address is known from then on
        self.await_copy(2)
        best = None
        for number in range(3):
            with Capture(lab, lab.gate) as wire:
                self.primary.run("trust", "permit", f"OTHER{number}", input="secret-1\n",
                                 check=True)
                self.await_copy(2)
            count = wire.count().between(lab.gate.address, lab.client.address)
            if best is None or count.milliseconds < best.milliseconds:
                best = count
        self.assertIn("announce", best.listing().lower())
        octets = best.bytes_without_options + best.ack_bytes
        self.assertReached(
            "F1 change to a backup", "17 frames, 3,400 B, 1 s", f"{best}",
            "≤ 17 frames, ≤ 3,400 B, ≤ 1,000 ms",
            len(best.frames) <= 17 and octets <= 3_400 and best.milliseconds <= 1_000)

    def test_what_one_announcement_lost_the_next_one_brings(self):
        self.add("bert")
        self.await_copy(2)
        self.addCleanup(lab.switch.plug, lab.client)
        with Capture(lab, lab.gate) as wire:
            lab.switch.unplug(lab.client)
            self.add("carl")
            await_event("an announcement is lost",
                        lambda: wire._holds(b"\\MAILSLOT\\NET\\NETLOGON"), 10, 0.05)
            lab.switch.plug(lab.client)
        self.assertNotEqual(self.serials(self.backup), self.serials(self.primary))
        self.add("dora")
        self.await_copy(5)

    def test_either_end_may_restart(self):
        self.backup.kill()
        self.add("bert")
        self.backup.start()
        self.await_copy()
        self.primary.kill()
        self.add("carl")        # straight into the state: nobody announces it
        self.primary.start()
        self.await_copy()
        self.assertEqual(self.backup.log.count("copied whole"), 3, self.backup.log)

    def test_a_primary_restored_to_an_older_state_is_copied_whole(self):
        state, kept = self.primary.folder / "state", self.primary.folder / "kept"
        self.primary.stop()
        shutil.copytree(state, kept)
        self.primary.start()
        self.add("lost")
        self.await_copy()
        self.primary.stop()
        shutil.copy(kept / "state.mdb", state / "state.mdb")
        self.primary.start()
        self.await_copy()
        self.assertNotIn("lost", [each["name"] for each in self.accounts(self.backup)])
        self.assertIn("the account database is copied whole", self.backup.log)

    def test_another_domain_of_the_name_is_not_taken_over(self):
        before, own = self.accounts(self.backup), self.shown(self.primary)["sid"]
        self.primary.stop()
        other = self.make_primary()
        sid = self.shown(other)["sid"]
        self.await_log(self.backup, "nothing is taken from it", 20)
        line = [line for line in self.backup.lines if "nothing is taken" in line][0]
        self.assertIn(own, line)
        self.assertIn(sid, line)
        self.assertEqual(self.accounts(self.backup), before)

    def test_a_backup_serves_while_its_primary_is_away(self):
        self.primary.kill()
        self.assertLogsOn(self.backup)
        done = lab.boxes["member"].run("smbclient", "-m", "NT1", "--option=client min protocol=NT1",
                              f"//{lab.client.address}/IPC$", "-c", "exit", "-U",
                              f"{DOMAIN}/{USER}%{plan.PASSWORD}", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wrong = self.backup.logon(DOMAIN, USER, "a guess")
        self.assertIn("WRONG_PASSWORD", wrong.stdout + wrong.stderr)

    def test_accounts_are_changed_at_the_primary_alone(self):
        await_event("the primary's name is known",
                    lambda: self.shown(self.backup)["primary"] == "GATE1", 5, 0.05)
        done = self.backup.run("account", "add", "bert", input="x\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("changed at its primary GATE1", done.stderr)
        self.primary.run("group", "member", "add", "Domain Admins", USER, check=True)
        self.await_copy(2)
        done = lab.boxes["member"].run(
            "net", "rpc", "user", "add", "bert", "-I", lab.client.address, "-S", BACKUP, "-U",
            f"{DOMAIN}/{USER}%{plan.PASSWORD}", "--option=client min protocol=NT1",
            "--option=client max protocol=NT1", "--option=client ipc max protocol=NT1",
            check=False)
        self.assertIn("only allowed for the PDC", done.stdout + done.stderr)

    def test_a_password_that_is_newer_at_the_primary_is_asked_for_there(self):
        self.addCleanup(lab.switch.plug, lab.client)
        with Capture(lab, lab.gate) as wire:
            lab.switch.unplug(lab.client)
            self.primary.run("account", "set-password", USER, input="another-1\n", check=True)
            await_event("the announcement is lost",
                        lambda: wire._holds(b"\\MAILSLOT\\NET\\NETLOGON"), 10, 0.05)
            lab.switch.plug(lab.client)
        self.assertNotEqual(self.serials(self.backup), self.serials(self.primary))
        self.assertLogsOn(self.backup, USER, "another-1")


class PromotionTest(ReplicationTest):
    def setUp(self):
        self.primary = self.make_primary()
        self.backup = self.make_backup()
        self.await_copy()

    def test_a_backup_takes_the_place_of_a_primary_that_is_gone(self):
        done = self.backup.run("domain", "promote")
        self.assertEqual(done.returncode, 1)
        self.assertIn("answers", done.stderr)
        before = self.serials(self.backup)
        self.primary.stop()
        await_event("the primary is missed",
                    lambda: "no controller" in self.shown(self.backup)["channel"], 20, 0.1)
        done = self.backup.run("domain", "promote", check=True)
        self.assertIn("this host is the primary", done.stdout)
        self.assertEqual(self.shown(self.backup)["role"], "primary")
        self.assertGreater(self.serials(self.backup)["accounts"], before["accounts"] + 2**31)
        self.backup.run("account", "add", "bert", input=plan.PASSWORD + "\n", check=True)
        self.assertLogsOn(self.backup, "bert")
        await_event("its name is the primary's", lambda: f"{DOMAIN}<1b>" in self.names(), 10, 0.1)
        self.backup.kill()
        self.backup.start()     # its section still says that it is a backup
        self.assertEqual(self.shown(self.backup)["role"], "primary")
        self.assertLogsOn(self.backup, "bert")
        await_event("its name is the primary's", lambda: f"{DOMAIN}<1b>" in self.names(), 10, 0.1)

    def listening(self, agent):
        return json.loads(agent.run("status", "--json", check=True).stdout)["listening"]

    def names(self):
        return self.listening(self.backup)["names"]

    def await_master(self, agent, names=(f"{DOMAIN}<1d>", f"{DOMAIN}<1b>")):
        await_event("the master browser", lambda: self.listening(agent)["isMasterBrowser"]
                    and set(names) <= set(self.listening(agent)["names"]), 20, 0.1)

    def test_two_controllers_change_places(self):
        self.backup.run("account", "list", check=True)
        self.await_master(self.primary)
        self.primary.run("domain", "demote", check=True)
        self.assertFalse(self.listening(self.primary)["isMasterBrowser"])
        self.primary.run("secret", "import", DOMAIN, input="gate-Passw0rd\n", check=True)
        self.backup.run("domain", "promote", check=True)
        self.backup.run("account", "add", "GATE1", "--bdc", input="gate-Passw0rd\n", check=True)
        self.await_master(self.backup)
        self.assertFalse(self.listening(self.primary)["isMasterBrowser"])
        self.primary.stop()
        self.primary.start()    # it finds the new primary by its name
        self.primary, self.backup = self.backup, self.primary
        self.await_copy(20)
        self.assertEqual(self.shown(self.backup)["role"], "backup")

    def test_two_primaries_are_told_of_each_other(self):
        done = self.backup.run("domain", "promote", "--force", check=True)
        self.assertIn("must be demoted", done.stdout)
        self.primary.run("account", "add", "bert", input="x-1\n", check=True)
        self.await_log(self.backup, "announces itself as the primary too")


class DoubtTest(ReplicationTest):
    def test_a_primary_that_refuses_the_channel_is_not_replaced(self):
        self.primary = self.make_primary()
        self.backup = self.make_backup()
        self.await_copy()
        self.primary.run("account", "remove", f"{BACKUP}$", check=True)
        self.backup.stop()
        self.backup.start()
        self.await_log(self.backup, "refuses us")
        done = self.backup.run("domain", "promote")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("refused", done.stderr)
        self.assertIn("may be at work", done.stderr)
        self.assertEqual(self.shown(self.backup)["role"], "backup")


class ForgeryTest(ReplicationTest):
    def announce(self, asker, primary, sid):
        """NETLOGON_DB_CHANGE (MS-NRPC 2.2.1.5.1) of a primary of that name."""
        head = mailslot.even(
            struct.pack("<HIIII", 0x0A, 1, 0, 300, 1)
            + mailslot.ascii_text("EVIL") + mailslot.ascii_text(DOMAIN))
        head += mailslot.wide_text(primary) + mailslot.wide_text(DOMAIN) + struct.pack(
            "<II", 0, len(sid))
        message = head + bytes(-len(head) % 4) + sid + struct.pack("<IHH", 1, 0xFFFF, 0xFFFF)
        asker.send(mailslot.question(("EVIL", 0), (DOMAIN, 0x1B), mailslot.NETLOGON, message,
                                     lab.client.address), lab.gate.address)

    def test_strangers_neither_fill_the_log_nor_write_lines_of_their_own(self):
        self.primary = self.make_primary()
        own = [int(part) for part in self.shown(self.primary)["sid"].split("-")[3:]]
        asker = mailslot.Asker(lab.client, hears=lab.gate.address)
        self.addCleanup(asker.close)
        for number in range(20):
            self.announce(asker, f"A{number}\n<3>postern: all is lost\x1b[2J", mailslot.sid(*own))
        self.await_log(self.primary, "announces itself as the primary too")
        self.primary.run("status", check=True)
        told = [line for line in self.primary.lines if "all is lost" in line]
        self.assertEqual(len(told), 1, self.primary.log)
        self.assertIn("announces itself", told[0])
        self.assertNotIn("\x1b", told[0])


class SecretTest(ReplicationTest):
    def test_a_wrong_secret_is_said(self):
        self.primary = self.make_primary()
        self.backup = self.make_backup(secret="wrong")
        self.await_log(self.backup, "refuses us")
        self.assertEqual(self.shown(self.backup)["isCopied"], False)
        done = self.backup.run("domain", "promote")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing has been copied", done.stderr)
        self.backup.run("secret", "import", DOMAIN, input=SECRET + "\n", check=True)
        self.backup.logon(DOMAIN, USER, plan.PASSWORD)  # the agent looks at its secrets
        self.await_copy()

    def test_an_old_primary_is_copied_over_its_pipe(self):
        self.primary = self.make_primary()
        self.backup = self.make_backup(profile="nt4")
        self.await_copy()
        self.add("bert")
        self.await_copy(2)

    def test_the_primary_is_found_by_its_name(self):
        self.primary = self.make_primary()
        self.backup = self.make_backup(primary=None)
        self.await_copy()


class LargeCopyTest(ReplicationTest):
    RPC_PORT = 49_300

    def fill(self, count):
        self.primary = self.agent(
            local_domain_section(DOMAIN),
            listen_section(lab.gate.address, smb="yes", rpc="yes", rpc_port=self.RPC_PORT,
                           wins_server=None),
            secrets={}, accounts=((SECRET, BACKUP, "--bdc"),), started=False)
        path = self.primary.folder / "smbpasswd"
        path.write_text("".join(entry(f"user{number}") for number in range(count)))
        self.primary.run("account", "import", str(path), check=True)
        self.primary.start()

    def test_ten_thousand_accounts_are_copied_at_once(self):
        self.fill(MANY)
        with Capture(lab, lab.gate) as wire:
            self.backup = self.make_backup()
            self.await_copy(60)
        count = wire.count().between(lab.gate.address, lab.client.address).only(
            lambda frame: frame.payload > 0)
        self.assertReached(f"a new backup of {MANY} accounts", "", f"{count}", "≤ 5 s",
                           count.milliseconds <= 5_000)
        self.assertLogsOn(self.backup, f"user{MANY - 1}", "password")

    def test_a_stream_that_is_cut_anywhere_stores_nothing(self):
        self.fill(2_000)
        with Relay(lab.boxes["relay"], lab.gate.address, [135, 139, self.RPC_PORT], [137]) as relay:
            self.backup = self.make_backup(primary=plan.ADDRESSES["relay"], started=False)
            relay.mute = True   # until the first cut is prepared
            self.backup.start()
            for number in range(4):
                relay.pass_then_cut(250_000 * number + 20_000)
                relay.mute = False
                relay.reset()
                self.assertTrue(relay.spoilt.wait(60), self.backup.log)
                self.assertEqual(self.accounts(self.backup), [])
            self.await_copy(60)


if __name__ == "__main__":
    raise SystemExit("run.py runs these")
