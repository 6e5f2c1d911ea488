"""smbtorture's suites of remote procedure calls against the embedded domain, each with what may
fail and why."""

import re

from labtest import LabTest, domain_section, lab, plan
from postern import listen_section, local_domain_section

DOMAIN = "TORTDOM"
BOSS = "boss"
# Longer than an LM hash reaches: rpc.samlogon then expects the keys of a domain without LM.
PASSWORD = "Adm1n-Pass-that-is-long!"
# Whose channels the suites sign only, or make without AES.
OLD = ["samlogontest$", "torturetest$", "schannel2$", "schannelb$", "schannelc$"]

# What may fail, and why.
NOBODY_REGISTERS = "the endpoint mapper takes no registrations from the network"
NO_DIRECTORY = "asks what only an Active Directory has: its LDAP, its DNS names, its forest"
NOT_SAID_SO = "smbtorture sends what only comes back by MS-NRPC (LastRecordId)"
IS_OLD = "the account may make weak channels here, as the suite needs that elsewhere"
NO_RC4 = "the suite's channel is NetrServerAuthenticate's, which negotiates nothing, so not RC4 " \
         "either: what is longer than a hash cannot be concealed (rpc.samsync and DatabaseSync2 " \
         "have it)"
NO_ACL = "who may connect is the configuration's, and no object has a list of what is audited"
IS_NT4 = "SAM LOGON of a version 5 client is answered in NT 4.0's form: by " \
         "NETLOGON_SAM_LOGON_RESPONSE_EX clients know a directory"
ANNOUNCES = "a primary announces itself when it is told to, by NETLOGON_CONTROL_PDC_REPLICATE, as " \
            "Windows NT 4.0 does; the suite expects ERROR_NOT_SUPPORTED, as of a directory"
NO_SUCH_SERVICE = "changes the host, or tells what it has not: shares, devices, transports, users"

NETLOGON = {
    "SetupCredentialsDowngrade": IS_OLD,
    "GetForestTrustInformation": NO_DIRECTORY, "DsrEnumerateDomainTrusts": NO_DIRECTORY,
    "DsRAddressToSitenamesExW": NO_DIRECTORY, "DsRAddressToSitenamesW": NO_DIRECTORY,
    "DsrGetDcSiteCoverageW": NO_DIRECTORY, "DsRGetDCNameEx2": NO_DIRECTORY,
    "DsRGetDCNameEx": NO_DIRECTORY, "DsRGetDCName": NO_DIRECTORY, "GetDomainInfo": NO_DIRECTORY,
    "Broken RPC binding handle": NO_DIRECTORY,
    "AccountSync": NOT_SAID_SO,
    "DatabaseRedo": NO_RC4, "DatabaseSync": NO_RC4,
}
SRVSVC = {name: NO_SUCH_SERVICE for name in (
    "NetCharDevEnum", "NetCharDevQEnum", "NetTransportEnum")}
WKSSVC = {name: NO_SUCH_SERVICE for name in (
    "NetWkstaTransportEnum", "NetrWkstaTransportDel", "NetrWkstaTransportAdd",
    "NetrWkstaUserGetInfo", "NetrUseDel", "NetrUseGetInfo", "NetrUseEnum", "NetrUseAdd",
    "NetrValidateName", "NetrValidateName2", "NetrLogonDomainNameDel", "NetrLogonDomainNameAdd",
    "NetrRemoveAlternateComputerName", "NetrAddAlternateComputerName",
    "NetrEnumerateComputerNames", "NetrJoinDomain", "NetrUnjoinDomain", "NetrGetJoinInformation",
    "NetrGetJoinableOus", "NetrGetJoinableOus2", "NetrWorkstationStatisticsGet",
    "NetrMessageBufferSend")}

PRESENT_MEANS_SENT = "NtPasswordPresent says that the hash is in SAMR's answer (MS-SAMR " \
                     "2.2.6.6), where it never is; the suite wants it where a user has one"
NO_POLICY_WANTED = "LSA's database begins with its policy (MS-NRPC 2.2.1.5.19), and this version " \
                   "of the suite refuses a policy in that database"


# What the suites complain of that count as one test whatever they find: each line by a pattern.
NO_PROMOTION = "a controller's role and primary change by the administrator's command on its host"
NOBODY_CALLS = "no client calls it; Samba's controllers have no such call either"
IS_BUILTIN = "BUILTIN is what it is: it has no groups, and nothing of it is set"
NEEDS_A_PASSWORD = "a new account is disabled until it has a password, and never does without one"
SAMR_COMPLAINTS = {
    r"SetDomainInfo level [67] failed - NT_STATUS_NOT_SUPPORTED": NO_PROMOTION,
    r"\S+ \w+_TestPrivateFunctions\w+\(.*PROCNUM_OUT_OF_RANGE.*": NOBODY_CALLS,
    r"\S+ dcerpc_samr_AddMultipleMembersToAlias_r\(.*PROCNUM_OUT_OF_RANGE.*": NOBODY_CALLS,
    r"\S+ dcerpc_samr_SetMemberAttributesOfGroup_r\(.*PROCNUM_OUT_OF_RANGE.*": NOBODY_CALLS,
    r"CreateDomainGroup failed - NT_STATUS_OK": "says again what the line before it said",
    r"SetDomainInfo level 4 \(set comment\) failed - NT_STATUS_ACCESS_DENIED": IS_BUILTIN,
    r"\S+ Expression .* QueryDisplayInfo should return all domain groups also on the builtin .*":
        IS_BUILTIN,
    r"Testing domain S-1-5-\S+ failed!": "sums up the others",
    r"\S+ samr async test disabled - .*": "the suite leaves it out",
    r"\S+ samr_SetDsrmPassword disabled - .*": "the suite leaves it out",
}
USER_COMPLAINTS = {
    r"\S+ \w+_TestPrivateFunctions\w+\(.*PROCNUM_OUT_OF_RANGE.*": NOBODY_CALLS,
    r"QueryUserInfo level 5 failed, it returned 0x000\w+ when we expected flags of 0x000\w+":
        NEEDS_A_PASSWORD,
    r"CreateUser2 failed gave incorrect error return - NT_STATUS_OK \(should be \w+ACCESS_DENIED\)":
        "a domain is permitted to trust by an account of its own kind, as with NT",
    r"SetUserInfo level 7 failed - NT_STATUS_INVALID_ACCOUNT_NAME .*":
        "the suite's last name has 21 characters, and a user's has 20 at most",
    r"\S+ u\.info16\.acct_flags was 19 \(0x13\), expected 131091 \(0x20013\): .*":
        "USER_PASSWORD_EXPIRED is told by Windows 2003 and later only",
    r"\S+ u\.info16\.acct_flags was .* expected \d+ \(0x[89]\w\w\): .*":
        "USER_ENCRYPTED_TEXT_PASSWORD_ALLOWED: no password is kept that could be read",
    r"Testing \w+ on domain S-1-5-\S+ failed!": "sums up the others",
    r"Testing domain S-1-5-\S+ failed!": "sums up the others",
    r"\S+ samr_SetDsrmPassword disabled - .*": "the suite leaves it out",
}

NO_GIFTS = "privileges are those of NT's own groups: none is given or taken"
NO_SECRETS = "a trust and its secret are made by the administrator's command on this host"
NO_BROWSER_PIPE = "browse lists are asked for by RAP (NetServerEnum2) and mailslots"
LSA_COMPLAINTS = {
    r"\S+ dcerpc_lsa_CreateSecret_r\(.*PROCNUM_OUT_OF_RANGE.*": NO_SECRETS,
    r"\S+ dcerpc_lsa_QueryDomainInformationPolicy_r\(.*PROCNUM_OUT_OF_RANGE.*": NO_DIRECTORY,
    r"\S+ dcerpc_lsa_QueryInfoPolicy2_r\(.*PROCNUM_OUT_OF_RANGE.*":
        "NT 4.0 has no such call for the DNS domain, and clients know a directory by it",
}

NO_LM = "this domain keeps no LM hashes, which prove the old password there"
NOT_YET = "of Windows 11's time: passwords under AES"
MENDED = "SamrChangePasswordUser: what the suite counted up to break it, it counts down to break " \
         "it again: the proof is right, the password changes, and what follows has the old one"
PASSWORD_COMPLAINTS = {
    r"\S+ .*SetUserInfo_r\(.*BAD_STUB_DATA.* SetUserInfo failed": NOT_YET,
    r"\S+ status was NT_STATUS_RPC_BAD_STUB_DATA, .* SetUserInfo failed": NOT_YET,
    r"\S+ status was NT_STATUS_RPC_PROCNUM_OUT_OF_RANGE, .* ChangePasswordUser4 failed": NOT_YET,
    r"OemChangePasswordUser2 failed - NT_STATUS_WRONG_PASSWORD": NO_LM,
    r"\S+ r\.out\.result was NT_STATUS_OK, expected .* because we broke the NT hash": MENDED,
    r"\S+ r\.out\.result was NT_STATUS_WRONG_PASSWORD, expected \w+_OK: ChangePasswordUser3.*":
        MENDED,
    r"ChangePasswordUser[23] failed - NT_STATUS_WRONG_PASSWORD": MENDED,
    r"CreateUser2 failed gave incorrect error return - NT_STATUS_OK \(should be \w+ACCESS_DENIED\)":
        "a domain is permitted to trust by an account of its own kind, as with NT",
    r"QueryUserInfo level 5 failed, it returned 0x000\w+ when we expected flags of 0x000\w+":
        NEEDS_A_PASSWORD,
    r"Testing PASSWORDS or PRIVILEGES on domain S-1-5-\S+ failed!": "sums up the others",
}

# rpc.bench-schannel1 now and then ends in memory that it has freed itself, as it leaves the domain.
# That is no verdict, and it is run again.
OWN_FAULT = "Bad talloc magic value"
RUNS = 3


# What no suite says that has come to its end.
CRASHED = r"INTERNAL ERROR|PANIC|Segmentation fault|Bad talloc magic|core dumped"
# How many tests each suite has: one that dies on its way tells of fewer.
TESTS = {
    "nbt.dgram": 3, "rpc.altercontext": 1, "rpc.authcontext": 1, "rpc.bench-schannel1": 1,
    "rpc.bind": 9, "rpc.browser": 1, "rpc.dssetup": 1, "rpc.lsa": 1, "rpc.lsa-getuser": 1,
    "rpc.lsa.lookupnames": 1, "rpc.lsa.lookupsids": 1, "rpc.lsa.privileges": 1,
    "rpc.lsa.trusted.domains": 1, "rpc.lsalookup": 1, "rpc.mgmt": 1, "rpc.netlogon": 41,
    "rpc.netlogon-s3": 7, "rpc.netlogon.admin": 9,
    "rpc.netlogon.netlogon.SetupCredentialsDowngrade": 1, "rpc.netlogon.zerologon": 10,
    "rpc.epmapper": 5, "rpc.join": 1, "rpc.samlogon": 1, "rpc.samr": 1, "rpc.samr.accessmask": 5,
    "rpc.samr.handletype": 1, "rpc.samr.machine.auth": 1, "rpc.samr.passwords.default": 1,
    "rpc.samr.users": 1, "rpc.samsync": 1, "rpc.schannel": 1, "rpc.schannel2": 1,
    "rpc.schannel_anon_setpw": 1, "rpc.srvsvc": 17, "rpc.wkssvc": 29,
}
# Tests that a suite leaves out, and why.
DANGEROUS = "smbtorture leaves out what may harm a server that is in use (torture:dangerous)"
SKIPPED = {
    # One test of many parts, and the word for a part that is left out becomes that for all.
    "rpc.samr": {"samr": DANGEROUS}, "rpc.samr.users": {"samr.users": DANGEROUS},
    "rpc.netlogon": {"netlogon.GetDomainInfo_async": DANGEROUS},
    "rpc.srvsvc": {"srvsvc (admin access).NetShareAddSetDel": DANGEROUS},
    "rpc.wkssvc": {f"wkssvc.{name}": DANGEROUS for name in (
        "NetrJoinDomain2", "NetrRenameMachineInDomain", "NetrRenameMachineInDomain2",
        "NetrSetPrimaryComputername", "NetrUnjoinDomain2")},
}


class Torture(LabTest):
    old = OLD
    sections = ()

    @classmethod
    def setUpClass(cls):
        cls.gate = lab.gate.address
        cls.postern = cls.class_agent(
            local_domain_section(DOMAIN, ntlmv1="allow", lockout_threshold=0,
                                 nt4_accounts=", ".join(cls.old)),
            *cls.sections, listen_section(cls.gate, smb="yes", rpc="yes", wins_server=None),
            accounts=((PASSWORD, BOSS),))
        cls.postern.run("group", "member", "add", "Domain Admins", BOSS, check=True)

    def torture(self, suite, *options):
        """Runs a suite to its end: the names of its tests that failed."""
        for _ in range(RUNS):
            done = lab.client.run(
                "smbtorture", f"ncacn_np:{self.gate}", suite, "-W", DOMAIN,
                "-U", f"{DOMAIN}\\{BOSS}%{PASSWORD}", "--option=client min protocol=NT1",
                "--option=client max protocol=NT1", "--option=client ipc min protocol=NT1",
                "--option=client ipc max protocol=NT1", "--option=torture:progress=no",
                *(f"--option={each}" for each in options), check=False, timeout=300)
            self.said = done.stdout + done.stderr
            if OWN_FAULT not in self.said:
                break
        self.assertNotRegex(self.said, CRASHED, suite)
        found = re.findall(r"^(success|failure|error|skip): ([^\n\[]+?)(?: \[)?$", self.said,
                           re.M)
        self.assertEqual(len(found), TESTS[suite], f"{suite}: {found}\n{self.said[-2000:]}")
        skipped = {name for word, name in found if word == "skip"}
        self.assertEqual(skipped, set(SKIPPED.get(suite, ())), suite)
        # 0 and 1 are the suite's own verdict, anything else is none. Of a test that counts as
        # skipped, either tells nothing: its complaints do.
        failed = {name for word, name in found if word in ("failure", "error")}
        verdicts = (1,) if failed else (0, 1) if skipped else (0,)
        self.assertIn(done.returncode, verdicts, f"{suite}\n{self.said[-2000:]}")
        return failed

    def passes(self, suite, *options, but=None, prefix=""):
        """All tests of the suite pass but for those that may fail, each with its reason."""
        failed = {name.removeprefix(prefix) for name in self.torture(suite, *options)}
        self.assertEqual(failed, set(but or {}), self.said[-3000:])

    def complains(self, suite, expected):
        """The suite complains of what is expected, each with its reason, and of nothing else."""
        self.torture(suite)
        lines = re.findall(r"^WARNING!: (.*)$", self.said, re.M)
        left = [line for line in lines if not any(re.fullmatch(each, line) for each in expected)]
        self.assertEqual(left, [])
        for pattern in expected:
            self.assertTrue(any(re.fullmatch(pattern, line) for line in lines), pattern)


class BindTest(Torture):
    def test_bind_in_both_byte_orders(self):
        self.passes("rpc.bind")

    def test_alter_context(self):
        self.passes("rpc.altercontext")

    def test_management(self):
        self.passes("rpc.mgmt")

    def test_endpoint_mapper_but_for_registrations(self):
        self.passes("rpc.epmapper", prefix="epmapper.", but={
            "Map_full": NOBODY_REGISTERS, "Insert_noreplace": NOBODY_REGISTERS})

    def test_security_contexts(self):
        self.passes("rpc.authcontext")


class ServicesTest(Torture):
    def test_netlogon_but_for_what_a_directory_has(self):
        self.passes("rpc.netlogon", prefix="netlogon.", but=NETLOGON)

    def test_netlogon_is_controlled_by_administrators_alone(self):
        """As a backup controller, a member and an administrator."""
        self.passes("rpc.netlogon.admin", prefix="admin.", but={"LogonControl": ANNOUNCES})

    def test_server_service(self):
        self.passes("rpc.srvsvc", prefix="srvsvc (admin access).", but=SRVSVC)

    def test_workstation_service(self):
        self.passes("rpc.wkssvc", prefix="wkssvc.", but=WKSSVC)

    def test_who_asks(self):
        self.passes("rpc.lsa-getuser")

    def test_policy_but_for_secrets_and_what_a_directory_has(self):
        """The suite's own verdict is that of LsarDelete of the account that it was not given."""
        self.complains("rpc.lsa", LSA_COMPLAINTS)
        self.assertRegex(self.said, r"failure: lsa \[\n\S+ dcerpc_lsa_Delete_r\(.*PROCNUM_OUT_OF_")
        self.passes("rpc.lsa.privileges", prefix="lsa.", but={"Privileges": NO_GIFTS})
        self.passes("rpc.lsa.trusted.domains", prefix="lsa.", but={"TrustedDomains": NO_SECRETS})

    def test_there_is_no_browser_pipe(self):
        self.passes("rpc.browser", prefix="browser.",
                    but={"BrowserrQueryOtherDomains": NO_BROWSER_PIPE})

    def test_role_of_the_host(self):
        self.passes("rpc.dssetup")

    def test_join(self):
        self.passes("rpc.join")

    def test_handles_are_told_apart(self):
        self.passes("rpc.samr.handletype")

    def test_handles_are_for_what_they_were_opened_for(self):
        self.passes("rpc.samr.accessmask", prefix="samr.", but={
            "connect": NO_ACL, "Connect5": NO_ACL})

    def test_accounts_are_kept_as_any_controller_keeps_them(self):
        self.complains("rpc.samr", SAMR_COMPLAINTS)
        self.complains("rpc.samr.users", USER_COMPLAINTS)

    def test_passwords_are_set_and_changed_in_each_form(self):
        self.complains("rpc.samr.passwords.default", PASSWORD_COMPLAINTS)

    def test_computers_log_on_as_such(self):
        self.passes("rpc.samr.machine.auth")

    def test_mailslots_but_for_the_directorys_form(self):
        self.passes("nbt.dgram", but={"netlogon2": IS_NT4})


class LookupTest(Torture):
    sections = (domain_section(plan.AD),)

    def test_names_and_sids_at_all_levels(self):
        self.passes("rpc.lsalookup")
        self.passes("rpc.lsa.lookupnames")
        self.passes("rpc.lsa.lookupsids")


class ChannelTest(Torture):
    def test_two_connections_of_one_computer(self):
        self.passes("rpc.schannel2")

    def test_many_connections_of_one_computer(self):
        self.passes("rpc.bench-schannel1", "torture:timelimit=2")

    def test_passwords_need_a_channel(self):
        self.passes("rpc.schannel_anon_setpw")

    def test_chosen_challenges_are_refused(self):
        self.passes("rpc.netlogon.zerologon")

    def test_logons_in_every_form(self):
        self.passes("rpc.samlogon", f"realm={DOMAIN}")

    def test_netlogon_as_a_samba_controller_of_the_kind_passes_it(self):
        self.passes("rpc.netlogon-s3")


class StrictTest(Torture):
    old = ["nobody$"]

    def test_channels_are_not_weakened(self):
        self.passes("rpc.netlogon.netlogon.SetupCredentialsDowngrade")


class ReplicationTest(Torture):
    old = ["samsynctest$", "samsynctest2$"]

    def test_a_backup_pulls_all_databases(self):
        """The suite compares every object with what SAMR and LSA say of it, and logs on as every
        user. Its outcome is a failure at any controller, so its complaints are counted."""
        self.torture("rpc.samsync")
        begin, end = self.said.index("Testing DatabaseSync of id 0"), self.said.index("Delete of")
        complaints = [line for line in self.said[begin:end].splitlines()
                      if not re.match(r"Testing Database|\tsequence_nums", line)]
        with self.subTest(PRESENT_MEANS_SENT):
            complaints = [line for line in complaints if "nt_password_set" not in line
                          and line != "Failed to handle DELTA_USER"]
        with self.subTest(NO_POLICY_WANTED):
            self.assertEqual(complaints, ["DOMAIN entry on privs DB!",
                                          "Failed to handle DELTA_POLICY",
                                          "DatabaseSync failed"], self.said)
        for number in range(3):
            self.assertIn(f"Testing DatabaseSync2 of id {number}", self.said)


class SignedChannelTest(Torture):
    old = [f"schannel{number}$" for number in range(12)]

    def test_channels_of_every_kind(self):
        self.passes("rpc.schannel")


__all__ = ["BindTest", "ChannelTest", "LookupTest", "ReplicationTest", "ServicesTest",
           "SignedChannelTest", "StrictTest"]
