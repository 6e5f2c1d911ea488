"""The embedded domain as clients see it, none of which is ours: smbclient in each dialect that it
still has, rpcclient, net, nmblookup, impacket, curl."""

import contextlib
import json
import os
import re
import struct

import labtest
import ntlm
import smb1
from boxes import await_event
from labtest import LabTest, domain_section, lab, plan
from postern import listen_section, local_domain_section

DOMAIN = "GATEDOM"
BOSS = "boss"
MACHINE = "PC1$"
REFUSED = "LOGON_FAILURE|WRONG_PASSWORD|ACCESS_DENIED|badpw"


def member_conf(name):
    """The configuration of a Samba member of that name, in a folder of its own."""
    folder = labtest.plan.STATE / "join" / name
    for each in ("private", "lock", "state", "cache", "pid", "ncalrpc"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    conf = folder / "smb.conf"
    conf.write_text(f"""[global]
        netbios name = {name}
        workgroup = {DOMAIN}
        security = domain
        client min protocol = NT1
        client ipc min protocol = NT1
        client ipc max protocol = NT1
        private dir = {folder}/private
        lock directory = {folder}/lock
        state directory = {folder}/state
        cache directory = {folder}/cache
        pid directory = {folder}/pid
        ncalrpc dir = {folder}/ncalrpc
        interfaces = lo eth0
        """)
    return conf


class Front(LabTest):
    """One agent with a domain of its own, and passage to both controllers' domains."""

    LISTEN = {}

    @classmethod
    def setUpClass(cls):
        cls.gate = lab.gate.address
        cls.postern = cls.class_agent(
            local_domain_section(DOMAIN, lm="allow", ntlmv1="allow"),
            domain_section(plan.AD, ntlmv1="allow"), domain_section(plan.NT4),
            listen_section(cls.gate, smb="yes", rpc="yes", wins_server=None, **cls.LISTEN),
            accounts=((plan.PASSWORD, "alice", "--full-name", "Alice Liddell"),
                      (plan.PASSWORD, "bob"), (plan.ADMINISTRATOR_PASSWORD, BOSS),
                      (plan.MACHINE_PASSWORD, MACHINE, "--machine"),
                      (plan.PASSWORD, "TRUSTING$", "--trust")))
        cls.postern.run("group", "member", "add", "Domain Admins", BOSS, check=True)

    def smbclient(self, *words, user=f"{DOMAIN}/alice", password=plan.PASSWORD, dialect="NT1",
                  ntlmv2=None, options=()):
        if ntlmv2 is None:
            ntlmv2 = dialect == "NT1"
        settings = ["client min protocol=CORE", "client lanman auth=yes",
                    f"client ntlmv2 auth={'yes' if ntlmv2 else 'no'}", *options]
        who = ("-N",) if user is None else ("-U", f"{user}%{password}")
        return lab.client.run("smbclient", "-m", dialect, *(f"--option={each}" for each in settings),
                              *who, *words, check=False)

    def rpcclient(self, command, user=f"{DOMAIN}/alice", password=plan.PASSWORD):
        """One command: of several, the exit status would be the last one's alone."""
        done = self.try_rpcclient(command, user, password)
        self.assertNotIn("result was", done.stdout + done.stderr, command)
        return self.taken(done)

    def try_rpcclient(self, command, user=f"{DOMAIN}/alice", password=plan.PASSWORD):
        who = "%" if user is None else f"{user}%{password}"
        return lab.client.run(
            "rpcclient", "--option=client min protocol=NT1", "--option=client max protocol=NT1",
            "-U", who, self.gate, "-c", command, check=False)

    def boss(self, command):
        return self.rpcclient(command, f"{DOMAIN}/{BOSS}", plan.ADMINISTRATOR_PASSWORD)

    def nobody(self, command):
        return self.rpcclient(command, user=None)

    def told(self, ask, expected):
        """Each command's answer has its word or words."""
        for command, words in expected.items():
            with self.subTest(command):
                shown = ask(command)
                for word in (words,) if isinstance(words, str) else words:
                    self.assertIn(word, shown)

    def taken(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def turned_away(self, done, pattern=REFUSED):
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout + done.stderr, pattern)


class SessionTest(Front):
    def test_user_logs_on_in_each_dialect(self):
        for dialect in ("LANMAN1", "LANMAN2", "NT1"):
            with self.subTest(dialect=dialect):
                self.assertIn("IPC$", self.taken(self.smbclient("-L", self.gate, dialect=dialect)))

    def test_wrong_password_is_refused_in_each_dialect(self):
        for dialect in ("LANMAN1", "LANMAN2", "NT1"):
            with self.subTest(dialect=dialect):
                self.turned_away(self.smbclient(
                    f"//{self.gate}/IPC$", "-c", "exit", dialect=dialect, user=f"{DOMAIN}/bob",
                    password="wrong"))

    def test_dialects_that_know_only_plain_text_are_refused(self):
        for dialect in ("CORE", "COREPLUS"):
            with self.subTest(dialect=dialect):
                done = self.smbclient("-L", self.gate, dialect=dialect)
                self.assertNotEqual(done.returncode, 0, done.stdout)
        self.taken(self.smbclient("-L", self.gate))     # it lives on

    def test_users_of_configured_domains_are_passed_through(self):
        for domain in plan.DOMAINS.values():
            with self.subTest(domain=domain.name):
                self.taken(self.smbclient(
                    f"//{self.gate}/IPC$", "-c", "exit", user=f"{domain.name}/alice"))
                self.turned_away(self.smbclient(
                    f"//{self.gate}/IPC$", "-c", "exit", user=f"{domain.name}/wanda",
                    password="wrong"))

    def test_messages_are_signed_where_the_client_demands_it(self):
        self.taken(self.smbclient("-L", self.gate, options=("client signing=required",)))

    def test_clients_that_are_switched_off_are_noticed(self):
        with contextlib.closing(smb1.Session(lab.client, self.gate)) as session:
            session.negotiate()
            self.assertEqual(session.set_up(), 0)
            # Until the client has acknowledged the answer, another timer runs.
            await_event("a keepalive", lambda: re.search(
                r"timer:\(keepalive,[0-9a-z.]+,0\)",
                lab.gate.run("ss", "-Htno", "state", "established", "sport", "=", ":445").stdout))

    def test_null_session_has_pipes_alone(self):
        self.taken(self.smbclient(f"//{self.gate}/IPC$", "-c", "exit", user=None))

    def test_trust_accounts_are_told_their_own_status(self):
        """Computers since Windows 2000 log on with extended security, and may; older ones do not."""
        for name, password, status in (
                ("TRUSTING$", plan.PASSWORD, "NOLOGON_INTERDOMAIN_TRUST_ACCOUNT"),
                (MACHINE, plan.MACHINE_PASSWORD, "NOLOGON_WORKSTATION_TRUST_ACCOUNT")):
            with self.subTest(account=name):
                self.turned_away(self.smbclient(
                    f"//{self.gate}/IPC$", "-c", "exit", user=f"{DOMAIN}/{name}",
                    password=password, options=("client use spnego=no",)), status)

    def test_there_is_no_other_share(self):
        self.turned_away(self.smbclient(f"//{self.gate}/C$", "-c", "ls"), "BAD_NETWORK_NAME")

    def test_curl_logs_on(self):
        done = lab.client.run(
            "curl", "-sS", "-u", f"{DOMAIN}\\alice:{plan.PASSWORD}",
            f"smb://{self.gate}/NOSUCH/file", check=False)
        # It got as far as the share: 78, REMOTE_FILE_NOT_FOUND, or 9, REMOTE_ACCESS_DENIED.
        self.assertIn(done.returncode, (9, 78), done.stderr)
        done = lab.client.run(
            "curl", "-sS", "-u", f"{DOMAIN}\\bob:wrong", f"smb://{self.gate}/IPC$/x", check=False)
        self.assertEqual(done.returncode, 67, done.stderr)      # LOGIN_DENIED


class RemoteCallsTest(Front):
    def test_null_session_is_told_which_domain_this_is(self):
        shown = self.rpcclient("lsaquery", user=None)
        self.assertRegex(shown, rf"Domain Name: {DOMAIN}\nDomain Sid: S-1-5-21-")

    def test_users_and_groups_are_listed(self):
        alice = "Account: alice\tName: Alice Liddell"
        self.told(self.rpcclient, {
            "enumdomusers": ("user:[alice] rid:[0x", f"user:[{BOSS}]"),
            "enumdomgroups": ("group:[Domain Admins] rid:[0x200]",
                              "group:[Domain Users] rid:[0x201]"),
            "querydispinfo": alice, "querydispinfo2": alice, "querydispinfo3": alice,
            "enumdomains": (f"name:[{DOMAIN}]", "name:[Builtin]"),
            "enumalsgroups builtin": "group:[Administrators] rid:[0x220]",
        })

    def test_domain_is_described_at_every_level(self):
        general = (f"Domain:\t\t{DOMAIN}", "Server Role:\tROLE_DOMAIN_PDC", "Sequence No:")
        self.told(self.rpcclient, {
            "querydominfo": general, "querydominfo 1": "Minimum password length:",
            "querydominfo 2": general, "querydominfo 3": "Force Logoff:\t-1",
            "querydominfo 4": "Comment:", "querydominfo 5": f"Domain:\t\t{DOMAIN}",
            "querydominfo 6": "Server:", "querydominfo 7": "Server Role:\tROLE_DOMAIN_PDC",
            "querydominfo 8": ("Sequence No:", "Domain Create Time:"),
            "querydominfo 9": "Domain Server State:\t0x1",
            # rpcclient asks for it, and prints no more of what it is told.
            "querydominfo 11": "cannot display domain info for switch value 11",
            "querydominfo 12": "Lockout after bad attempts:                  10",
            "querydominfo 13": ("Sequence No at last promotion:", "Domain Create Time:"),
        })

    def test_user_is_described(self):
        rid = re.search(r"user:\[alice\] rid:\[(0x[0-9a-f]+)\]", self.rpcclient("enumdomusers"))[1]
        self.told(self.rpcclient, {f"queryuser {rid}": "Full Name   :\tAlice Liddell",
                                   f"queryusergroups {rid}": "group rid:[0x201]"})

    def test_names_and_sids_are_translated(self):
        shown = self.rpcclient("lookupnames alice")
        sid = re.search(r"alice (S-1-5-21-[0-9-]+) \(User: 1\)", shown)[1]
        self.assertIn(f"{sid} {DOMAIN}\\alice (1)", self.rpcclient(f"lookupsids {sid}"))
        self.assertIn("BUILTIN\\Administrators (4)", self.rpcclient("lookupsids S-1-5-32-544"))

    def test_names_and_sids_of_configured_domains_are_translated(self):
        """Over the channel's seal in ADLAB, on the pipe of a null session in NT4LAB."""
        for domain in plan.DOMAINS.values():
            with self.subTest(domain=domain.name):
                name = f"{domain.name}\\alice"
                shown = self.rpcclient(f"lookupnames {name.replace(chr(92), chr(92) * 2)}")
                sid = re.search(r"(S-1-5-21-[0-9-]+) \(User: 1\)", shown)[1]
                self.assertIn(f"{sid} {name} (1)", self.rpcclient(f"lookupsids {sid}"))
                self.assertIn(f"{domain.name}\t", self.rpcclient("enumtrust").replace(" ", "\t"))

    def test_workstation_and_server_tell_who_they_are(self):
        # rpcclient prints nothing of the workstation's answers but what went wrong.
        for level in ("", " 100", " 101"):
            with self.subTest(level=level):
                self.assertEqual(self.rpcclient("wkssvc_wkstagetinfo" + level), "")
        self.assertEqual(self.boss("wkssvc_wkstagetinfo 102"), "")
        self.turned_away(self.try_rpcclient("wkssvc_wkstagetinfo 102"), "WERR_ACCESS_DENIED")
        self.told(self.rpcclient, {"srvinfo": "GATE1", "netshareenum 1": "netname: IPC$"})

    def test_there_are_no_sites(self):
        self.turned_away(self.try_rpcclient("dsr_getsitename GATE1"), "WERR_NO_SITENAME")

    def test_netlogon_is_asked_by_anybody_and_controlled_by_administrators(self):
        def refused(command, status, user=f"{DOMAIN}/{BOSS}"):
            password = plan.PASSWORD if user.endswith("alice") else plan.ADMINISTRATOR_PASSWORD
            self.turned_away(self.try_rpcclient(command, user, password), f"WERR_{status}")

        for command in ("logonctrl GATE1 1 1", "logonctrl2 GATE1 1 1", "logonctrl2 GATE1 1 3"):
            with self.subTest(command):
                self.assertEqual(self.rpcclient(command), "")
        for function in (5, 6, 10):     # rediscover, query and verify the trusted channel
            for domain in plan.DOMAINS.values():
                command = f"logonctrl2 GATE1 {function} 2 {domain.name}"
                with self.subTest(command):
                    self.assertEqual(self.boss(command), "")
                    refused(command, "ACCESS_DENIED", f"{DOMAIN}/alice")
        refused("logonctrl2 GATE1 6 2 NOSUCH", "NO_SUCH_DOMAIN")
        refused("logonctrl2 GATE1 8 4 alice", "INVALID_LEVEL")  # the newest call's alone
        refused("logonctrl GATE1 1 2", "NOT_SUPPORTED")
        refused("logonctrl GATE1 1 3", "INVALID_LEVEL")

    def test_controllers_are_named(self):
        for call in ("getdcname", "getanydcname", "dsr_getdcname", "dsr_getdcnameex",
                     "dsr_getdcnameex2 alice 0x210"):
            with self.subTest(call=call):
                self.assertIn("GATE1", self.rpcclient(f"{call} {DOMAIN}"))
                for domain in plan.DOMAINS.values():
                    self.assertIn(rf"\\{domain.controller}",
                                  self.rpcclient(f"{call} {domain.name}"))

    def test_trusted_domains_are_listed(self):
        shown = self.rpcclient("dsr_enumtrustdom GATE1 0x3f")
        for name in (DOMAIN, *(domain.name for domain in plan.DOMAINS.values())):
            self.assertIn(f"({name})", shown)
        shown = self.taken(lab.client.run(
            "net", "--option=client min protocol=NT1", "rpc", "trustdom", "list", "-S", "GATE1",
            "-I", self.gate, "-U", f"{DOMAIN}/{BOSS}%{plan.ADMINISTRATOR_PASSWORD}", check=False))
        for domain in plan.DOMAINS.values():
            self.assertRegex(shown, rf"(?m)^{domain.name} +S-1-5-21-")
        self.assertRegex(shown, r"(?m)^TRUSTING +S-1-5-21-")

    def test_who_asks_is_told(self):
        self.assertIn(f"Account Name: alice, Authority Name: {DOMAIN}",
                      self.rpcclient("getusername"))
        self.assertIn("Machine Role = [5]", self.rpcclient("dsroledominfo"))

    def test_password_is_changed_by_its_owner(self):
        self.postern.run("account", "add", "changing", input=plan.PASSWORD + "\n", check=True)
        self.rpcclient(f"chgpasswd3 changing {plan.PASSWORD} An0ther-Pass!",
                       user=f"{DOMAIN}/changing")
        self.taken(self.smbclient(f"//{self.gate}/IPC$", "-c", "exit", user=f"{DOMAIN}/changing",
                                  password="An0ther-Pass!"))

    def test_password_is_changed_as_windows_9x_does(self):
        """SamOEMChangePassword of the remote administration protocol, which no client of today
        has: the new password under the old LM hash, and that under the new one."""
        old, new = "OLDPASS9", "NEWPASS9"
        self.postern.run("account", "add", "ninety", input=old + "\n", check=True)
        plain = os.urandom(512 - len(new)) + new.encode() + struct.pack("<I", len(new))
        data = ntlm.rc4(ntlm.lm_hash(old), plain) + ntlm.hash_under_hash(
            ntlm.lm_hash(old), ntlm.lm_hash(new))
        call = struct.pack("<H", 214) + b"zsT\0B516B16\0NINETY\0" + struct.pack("<H", len(data))
        outcomes = []
        for _ in range(2):      # the second time the old password is not the account's
            with contextlib.closing(smb1.Session(lab.client, self.gate)) as session:
                session.negotiate()
                self.assertEqual((session.set_up(), session.take("IPC$")), (0, 0))
                parameters = session.transact("\\PIPE\\LANMAN", call, data)
                outcomes.append(struct.unpack_from("<H", parameters)[0])
        self.assertEqual(outcomes, [0, 86])     # ERROR_INVALID_PASSWORD
        self.taken(self.smbclient(f"//{self.gate}/IPC$", "-c", "exit", user=f"{DOMAIN}/ninety",
                                  password=new))

    def test_administrators_tools_keep_users_and_groups(self):
        """`net rpc` goes by libnetapi, which has the order of calls of Windows' own tools."""
        def net(*words):
            return self.taken(lab.client.run(
                "net", "--option=client min protocol=NT1", "rpc", *words, "-S", self.gate,
                "-U", f"{DOMAIN}\\{BOSS}%{plan.ADMINISTRATOR_PASSWORD}", check=False))

        net("user", "add", "tess", plan.PASSWORD)
        net("user", "rename", "tess", "tessa")
        net("user", "password", "tessa", plan.PASSWORD + "2")
        self.assertIn("IPC$", self.taken(self.smbclient(
            "-L", self.gate, user=f"{DOMAIN}/tessa", password=plan.PASSWORD + "2")))
        net("group", "add", "Crew", "-C", "who sails")
        net("group", "add", "Printers", "-L")
        for group in ("Crew", "Printers"):
            net("group", "addmem", group, "tessa")
            self.assertEqual(net("group", "members", group), f"{DOMAIN}\\tessa\n")
        self.assertIn("Crew\n", net("group", "list", "global"))
        self.assertEqual(net("group", "list", "local"), "Printers\n")
        net("group", "rename", "Crew", "Shipmates")
        net("user", "delete", "tessa")
        for group in ("Shipmates", "Printers"):
            self.assertEqual(net("group", "members", group), "")
            net("group", "delete", group)
        self.assertNotIn("tess", net("user"))

    def test_privileges_and_their_holders_are_told(self):
        def net(*words):
            return self.taken(lab.client.run(
                "net", "--option=client min protocol=NT1", "rpc", "rights", *words, "-S",
                self.gate, "-U", f"{DOMAIN}\\{BOSS}%{plan.ADMINISTRATOR_PASSWORD}", check=False))

        self.assertIn("SeMachineAccountPrivilege  Add workstations to domain", net("list"))
        shown = net("list", "privileges", "SeMachineAccountPrivilege")
        self.assertEqual(shown.split(), ["SeMachineAccountPrivilege:", r"BUILTIN\Administrators"])
        self.assertRegex(net("list", "accounts"),
                         r"BUILTIN\\Users\nSeChangeNotifyPrivilege\nSeNetworkLogonRight\n")
        self.told(self.boss, {
            "lsaenumprivsaccount S-1-5-32-544": "found 21 privileges for SID S-1-5-32-544",
            "lsaenumacctrights S-1-5-32-545": ("found 2 privileges", "SeNetworkLogonRight"),
            "lsalookupprivvalue SeShutdownPrivilege": "0:19 (0x0:0x13)",
        })

    def test_only_administrators_change_accounts(self):
        self.turned_away(self.try_rpcclient("createdomuser intruder"), "ACCESS_DENIED")
        self.boss("createdomuser newcomer")
        shown = self.postern.run("account", "list").stdout
        self.assertIn("newcomer", shown)
        self.assertNotIn("intruder", shown)


class ListenerTest(Front):
    """What proves a user depends on where it comes: the older protocols on port 139 alone."""

    LISTEN = {"logons": "ntlmv2 ntlmv1", "logons_139": "all", "logons_445": "ntlmv2",
              "anonymous": "names"}

    def enter(self, port, **options):
        return self.smbclient(f"//{self.gate}/IPC$", "-p", str(port), "-c", "exit", **options)

    def counted(self, listener, protocol):
        """What became of the logons of the client at that listener by that protocol."""
        for each in json.loads(self.postern.run("status", "--json", check=True).stdout)["clients"]:
            if (each["address"], each["listener"]) == (lab.client.address, listener):
                return each["byProtocol"].get(protocol, {"accepted": 0, "refused": 0,
                                                         "notTaken": 0, "unavailable": 0})
        return {"accepted": 0, "refused": 0, "notTaken": 0, "unavailable": 0}

    WAYS = (("LM", {"dialect": "LANMAN1"}), ("NTLMv1", {"ntlmv2": False}), ("NTLMv2", {}))

    def test_each_port_takes_what_its_policy_says_and_counts_it(self):
        for user in (f"{DOMAIN}/alice", f"{plan.NT4.name}/alice"):
            for protocol, options in self.WAYS:
                for port in (139, 445):
                    with self.subTest(user=user, protocol=protocol, port=port):
                        before = self.counted(str(port), protocol)
                        done = self.enter(port, user=user, **options)
                        after = self.counted(str(port), protocol)
                        if port == 139 or protocol == "NTLMv2":
                            self.taken(done)
                            self.assertGreater(after["accepted"], before["accepted"])
                            self.assertEqual(after["notTaken"], before["notTaken"])
                        else:
                            self.turned_away(done, "NTLM_BLOCKED|WRONG_PASSWORD|badpw|LOGON_FAIL")
                            self.assertGreater(after["notTaken"], before["notTaken"])
                            self.assertEqual(after["accepted"], before["accepted"])
        self.assertRegex(self.postern.log, rf"{lab.client.address} on port 445.*: (LM|NTLMv1) is "
                                           r"not taken, for ")
        shown = self.postern.run("status").stdout
        self.assertRegex(shown, rf"(?m)^  {lab.client.address} +139 +\S+ +LM +[1-9]")

    def test_wrong_passwords_are_counted(self):
        before = self.counted("445", "NTLMv2")
        self.turned_away(self.enter(445, user=f"{DOMAIN}/bob", password="wrong"))
        self.assertGreater(self.counted("445", "NTLMv2")["refused"], before["refused"])

    def test_passwords_in_clear_are_counted(self):
        self.turned_away(self.smbclient(
            f"//{self.gate}/IPC$", "-p", "139", "-n", "alice", "-c", "exit", dialect="COREPLUS",
            user="alice", options=("client plaintext auth=yes",)))
        self.assertGreater(self.counted("139", "plaintext")["notTaken"], 0)

    def test_users_whom_a_member_brings_are_counted(self):
        boss = f"{DOMAIN}/{BOSS}%{plan.ADMINISTRATOR_PASSWORD}"
        conf = member_conf("COUNTED")
        self.taken(lab.client.run("net", "-s", conf, "rpc", "join", "-S", "GATE1", "-I", self.gate,
                                  "-U", boss, check=False))
        before = self.counted("members", "NTLMv2")["accepted"] \
            + self.counted("members", "NTLMv1")["accepted"]
        self.taken(lab.client.run(
            "rpcclient", "-s", conf, "-U", boss, self.gate, "-c",
            f"schannel; samlogon alice {plan.PASSWORD}", check=False))
        after = self.counted("members", "NTLMv2")["accepted"] \
            + self.counted("members", "NTLMv1")["accepted"]
        self.assertGreater(after, before)

    def test_a_user_of_one_workstation_does_not_enter_from_an_unknown_one(self):
        """Without NTLMSSP nobody tells port 445 which computer it is. A user bound to OTHERBOX."""
        user = f"{plan.NT4.name}/bound"
        self.taken(self.enter(139, user=user, options=("netbios name=OTHERBOX",)))
        self.turned_away(self.enter(139, user=user, options=("netbios name=OTHER",)),
                         "INVALID_WORKSTATION")
        self.turned_away(self.enter(445, user=user, options=("client use spnego=no",)),
                         "INVALID_WORKSTATION")

    def test_nobody_is_told_names_but_no_lists(self):
        self.assertIn("(User: 1)", self.rpcclient("lookupnames alice", user=None))
        self.turned_away(self.try_rpcclient("enumdomusers", user=None), "ACCESS_DENIED")


class MembersTest(Front):
    LISTEN = {"logons_members": "lm"}

    def test_what_members_may_not_bring_is_refused_and_logged_at_once(self):
        boss = f"{DOMAIN}/{BOSS}%{plan.ADMINISTRATOR_PASSWORD}"
        conf = member_conf("BRINGER")
        self.taken(lab.client.run("net", "-s", conf, "rpc", "join", "-S", "GATE1", "-I", self.gate,
                                  "-U", boss, check=False))
        self.turned_away(lab.client.run(
            "rpcclient", "-s", conf, "-U", boss, self.gate, "-c",
            f"schannel; samlogon alice {plan.PASSWORD}", check=False), "NTLM_BLOCKED")
        line = rf"member {lab.client.address}.*: NTLMv\d is not taken, for .*alice"
        await_event("the log's line", lambda: re.search(line, self.postern.log), 1)


class AnonymousTest(Front):
    """Null sessions, as every agent has them unless told otherwise."""

    def test_nobody_is_told_the_domain_and_no_more(self):
        # A domain is listed once its controller has told its SID.
        await_event("the domains' SIDs", lambda: all(
            domain.name in self.nobody("enumtrust") for domain in plan.DOMAINS.values()))
        self.told(self.nobody, {"lsaquery": f"Domain Name: {DOMAIN}",
                                "enumtrust": [domain.name for domain in plan.DOMAINS.values()]})
        for call in ("enumdomusers", "enumdomgroups", "querydispinfo", "lookupnames alice",
                     "lookupsids S-1-5-32-544", "queryuser 500", "samlookuprids domain 500"):
            with self.subTest(call=call):
                self.turned_away(self.try_rpcclient(call, user=None), "ACCESS_DENIED")


class OpenTest(Front):
    LISTEN = {"anonymous": "all"}

    def test_nobody_is_told_everything_where_the_key_says_so(self):
        self.told(self.nobody, {"enumdomusers": "user:[alice]", "lookupnames alice": "(User: 1)",
                                "querydispinfo": "Alice Liddell"})


class ClosedTest(Front):
    LISTEN = {"anonymous": "none", "signing": "require"}

    def test_there_are_no_null_sessions(self):
        self.turned_away(self.smbclient(f"//{self.gate}/IPC$", "-c", "exit", user=None))
        self.taken(self.smbclient(f"//{self.gate}/IPC$", "-c", "exit"))

    def test_who_does_not_sign_is_turned_away(self):
        self.turned_away(self.smbclient(f"//{self.gate}/IPC$", "-c", "exit",
                                        options=("client signing=off",)), "ACCESS_DENIED")


class ImpacketTest(Front):
    EXAMPLES = "/usr/share/doc/python3-impacket/examples"

    def impacket(self, script, *words, user="alice", password=plan.PASSWORD, **options):
        return lab.client.run("/usr/bin/python3", f"{self.EXAMPLES}/{script}.py",
                              f"{DOMAIN}/{user}:{password}@{self.gate}", *words, **options).stdout

    def test_samrdump_lists_users(self):
        shown = self.impacket("samrdump")
        for word in (f" . {DOMAIN}", "Found user: Administrator, uid = 500", "alice (",
                     "/FullName: Alice Liddell"):
            self.assertIn(word, shown)

    def test_lookupsid_finds_accounts(self):
        shown = self.impacket("lookupsid", "1010")
        for word in (rf"500: {DOMAIN}\Administrator (SidTypeUser)",
                     rf"512: {DOMAIN}\Domain Admins (SidTypeGroup)",
                     rf"1000: {DOMAIN}\alice (SidTypeUser)"):
            self.assertIn(word, shown)

    def test_rpcdump_lists_endpoints(self):
        shown = self.impacket("rpcdump")
        self.assertIn("12345678-1234-ABCD-EF00-01234567CFFB v1.0", shown)
        self.assertRegex(shown, rf"ncacn_ip_tcp:{self.gate}\[\d+\]")
        self.assertIn(r"[\PIPE\lsarpc]", shown)

    def test_secure_channel_is_made(self):
        def make(password):
            return lab.client.run(
                "/usr/bin/python3", "-B", plan.HERE / "impacket_netlogon.py", self.gate, MACHINE,
                MACHINE.rstrip("$"), input=password + "\n", check=False)

        self.assertIn("granted 0x", self.taken(make(plan.MACHINE_PASSWORD)))
        self.turned_away(make("wrong"), "STATUS_ACCESS_DENIED")


class NeighbourhoodTest(Front):
    def test_nmblookup_finds_the_domain_and_its_controller(self):
        shown = lab.client.run("nmblookup", "-A", self.gate).stdout
        for name in ("GATE1", DOMAIN, "<1b>", "<1c>"):
            self.assertIn(name, shown)
        shown = lab.client.run("nmblookup", f"--broadcast={plan.BROADCAST}", f"{DOMAIN}#1b").stdout
        self.assertIn(self.gate, shown)


class JoinTest(Front):
    """Samba's tools join the domain and use their account."""

    def net(self, conf, *words, **options):
        return lab.client.run("net", "-s", conf, *words, check=False, **options)

    def test_member_joins_and_proves_it(self):
        conf = member_conf("JOINER")
        boss = f"{DOMAIN}/{BOSS}%{plan.ADMINISTRATOR_PASSWORD}"
        server = ("-S", "GATE1", "-I", self.gate)
        self.taken(self.net(conf, "rpc", "join", *server, "-U", boss))
        self.taken(self.net(conf, "rpc", "testjoin", *server))
        self.assertIn(f"Domain Name: {DOMAIN}", self.taken(
            self.net(conf, "rpc", "info", *server, "-U", boss)))
        self.assertIn("alice", self.taken(self.net(conf, "rpc", "user", *server, "-U", boss)))
        self.taken(lab.client.run(
            "rpcclient", "-s", conf, "-U", boss, self.gate, "-c",
            f"schannel; samlogon alice {plan.PASSWORD}", check=False))

    def test_member_joins_by_the_password_that_is_its_name(self):
        self.postern.run("account", "add", "OLDPC", "--machine", "--default-password", check=True)
        conf, server = member_conf("OLDPC"), ("-S", "GATE1", "-I", self.gate)
        self.taken(self.net(conf, "rpc", "oldjoin", *server))
        self.assertIn("is OK", self.taken(self.net(conf, "rpc", "testjoin", *server)))
