"""Samba as a member of the embedded domain: client → Samba → this program, and from there to the
controller of an AD domain."""

import shutil

from boxes import await_event
from labtest import LabTest, domain_section, lab, plan
from postern import listen_section, local_domain_section

DOMAIN, BOSS = "GATEDOM", "boss"


class SambaMember:
    """smbd and winbindd in the box `member`, joined by `net rpc join`."""

    def __init__(self, box, controller):
        self.box, self.controller = box, controller
        self.folder = box.folder / DOMAIN
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("private", "lock", "state", "cache", "pid", "log", "ncalrpc", "share"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "share").chmod(0o777)
        self.conf = self.folder / "smb.conf"
        folder = self.folder
        self.conf.write_text(f"""[global]
            netbios name = MEMBER
            workgroup = {DOMAIN}
            security = domain
            server role = member server
            client min protocol = NT1
            client ipc min protocol = NT1
            client ipc max protocol = NT1
            server min protocol = NT1
            wins server = {controller}
            name resolve order = wins bcast
            interfaces = lo eth0
            bind interfaces only = yes
            private dir = {folder}/private
            lock directory = {folder}/lock
            state directory = {folder}/state
            cache directory = {folder}/cache
            pid directory = {folder}/pid
            ncalrpc dir = {folder}/ncalrpc
            winbindd socket directory = /run/samba/winbindd
            logging = file
            log file = {folder}/log/log.%m
            log level = 0
            load printers = no
            disable spoolss = yes
            winbind scan trusted domains = yes
            idmap config * : backend = tdb
            idmap config * : range = 200000-299999
            [data]
            path = {folder}/share
            read only = no
            """)
        (box.folder / "etc" / "nsswitch.conf").write_text(
            "passwd: files winbind\ngroup: files winbind\nhosts: files dns\n")

    def net(self, *words, **options):
        return self.box.run("net", "-s", self.conf, *words, **options)

    def join(self, user, password):
        self.net("rpc", "join", "-S", "GATE1", "-I", self.controller, "-U", f"{user}%{password}")

    def old_join(self):
        """By the password that is the computer's name, as members of NT 4.0's time do."""
        self.net("rpc", "oldjoin", "-S", "GATE1", "-I", self.controller)

    def start(self):
        self.box.spawn("member-winbindd.log", "winbindd", "--foreground", "--no-process-group",
                       "-s", self.conf)
        await_event("winbindd has its channel", lambda: self.wbinfo("-t").returncode == 0, 60)
        self.box.spawn("member-smbd.log", "smbd", "--foreground", "--no-process-group",
                       "-s", self.conf)
        await_event("smbd listens", lambda: self.box.connects(self.box.address, 445), 30)

    def wbinfo(self, *words):
        return self.box.run("wbinfo", *words, check=False)

    def stop(self):
        self.box.end_processes()
        (self.box.folder / "etc" / "nsswitch.conf").unlink(missing_ok=True)
        shutil.rmtree(self.box.folder / "run" / "winbindd", ignore_errors=True)


class SambaMemberTest(LabTest):
    @classmethod
    def setUpClass(cls):
        cls.gate = lab.gate.address
        cls.postern = cls.class_agent(
            local_domain_section(DOMAIN),
            domain_section(plan.AD, channel="bdc", account=f"{plan.BACKUP}$"),
            listen_section(cls.gate, smb="yes", rpc="yes", wins_server=None, wins="yes"),
            accounts=((plan.PASSWORD, "alice"), (plan.ADMINISTRATOR_PASSWORD, BOSS)))
        cls.postern.run("group", "member", "add", "Domain Admins", BOSS, check=True)
        cls.member = SambaMember(lab.boxes["member"], cls.gate)
        cls.addClassCleanup(cls.member.stop)
        cls.member.join(f"{DOMAIN}/{BOSS}", plan.ADMINISTRATOR_PASSWORD)
        cls.member.start()

    def log_on(self, user, password):
        return lab.client.run(
            "smbclient", f"//{lab.boxes['member'].address}/data", "-U", f"{user}%{password}",
            "-c", "ls", check=False)

    def wbinfo(self, *words):
        done = self.member.wbinfo(*words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def assertReached(self, user, password=plan.PASSWORD):
        done = self.log_on(user, password)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_members_channel_holds(self):
        self.wbinfo("-t")
        self.wbinfo("--ping-dc")

    def test_users_and_groups_of_the_domain_are_listed(self):
        self.assertIn("alice", self.wbinfo("-u"))
        self.assertIn("domain admins", self.wbinfo("-g").lower())

    def test_user_of_the_domain_reaches_the_share(self):
        self.assertReached(f"{DOMAIN}/alice")

    def test_wrong_password_is_refused(self):
        for domain in (DOMAIN, plan.AD.name):
            with self.subTest(domain=domain):
                self.assertIn("LOGON_FAILURE", self.log_on(f"{domain}/wanda", "wrong").stdout)

    def test_user_of_a_domain_behind_the_controller_reaches_the_share(self):
        """Client → Samba member → Postern → AD controller."""
        self.assertReached(f"{plan.AD.name}/alice")
        shown = lab.boxes["member"].run("id", f"{plan.AD.name}\\alice").stdout
        self.assertIn(f"{plan.AD.name}\\alice", shown)

    def test_member_validates_users_of_both_domains(self):
        for domain in (DOMAIN, plan.AD.name):
            with self.subTest(domain=domain):
                self.wbinfo("-a", f"{domain}\\alice%{plan.PASSWORD}")

    def test_names_and_sids_of_both_domains_are_translated(self):
        for name in (f"{DOMAIN}\\alice", f"{plan.AD.name}\\bob",
                     f"{plan.AD.name}\\Domain Users"):
            with self.subTest(name=name):
                sid = self.wbinfo("-n", name).split()[0]
                self.assertIn(name.lower(), self.wbinfo("-s", sid).lower())

    def test_member_is_told_which_domains_there_are(self):
        shown = self.wbinfo("-m")
        for domain in (DOMAIN, plan.AD.name):
            self.assertIn(domain, shown)

    def test_member_changes_its_password(self):
        self.wbinfo("--change-secret")
        self.wbinfo("-t")


class OldMemberTest(LabTest):
    def test_member_that_joined_by_its_name_validates_users(self):
        gate = lab.gate.address
        postern = self.agent(
            local_domain_section(DOMAIN),
            listen_section(gate, smb="yes", rpc="yes", wins_server=None, wins="yes"),
            accounts=((plan.PASSWORD, "alice"),))
        postern.run("account", "add", "MEMBER", "--machine", "--default-password", check=True)
        member = SambaMember(lab.boxes["member"], gate)
        self.addCleanup(member.stop)
        member.old_join()
        member.start()
        done = member.wbinfo("-a", f"{DOMAIN}\\alice%{plan.PASSWORD}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotEqual(member.wbinfo("-a", f"{DOMAIN}\\alice%wrong").returncode, 0)
        done = lab.client.run(
            "smbclient", f"//{member.box.address}/data", "-U",
            f"{DOMAIN}/alice%{plan.PASSWORD}", "-c", "ls", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class KnownDomainsTest(LabTest):
    def test_domains_are_known_while_their_controllers_are_not_reachable(self):
        gate = lab.gate.address
        postern = self.agent(local_domain_section(DOMAIN), domain_section(plan.AD),
                             listen_section(gate, smb="yes", rpc="yes", wins_server=None))

        def trusts():
            return lab.client.run("rpcclient", "--option=client min protocol=NT1", "-U%", gate,
                                  "-c", "enumtrust", check=False).stdout

        await_event("the domain's SID is known", lambda: "S-1-5-21-" in trusts(), 10)
        self.healed(lab.ad).freeze()
        postern.stop()
        postern.start()
        self.assertRegex(trusts(), rf"{plan.AD.name} S-1-5-21-")
