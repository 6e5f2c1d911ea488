"""The name server and the browser, judged by Samba's clients and beside Samba's nmbd."""

import json
import os
import re
import signal
import socket
import struct

import nbns
from boxes import await_event
from labtest import LabTest, domain_section, lab, plan
from postern import listen_section

DOMAIN = "CREW"
AT_ONCE = 1.0
ACTIVE = 6      # RCODE: another node owns the name


def samba_conf(name, box, workgroup=DOMAIN, **options):
    """An smb.conf for tools, or for an nmbd, of a folder of its own."""
    folder = plan.STATE / "names" / name
    folder.mkdir(parents=True, exist_ok=True)
    keys = {"workgroup": workgroup, "netbios name": name, "interfaces": f"{box.address}/24",
            "bind interfaces only": "yes", "client min protocol": "CORE",
            "log file": folder / "log", "log level": 1,
            **{f"{kind} directory": folder
               for kind in ("lock", "state", "cache", "private", "pid")},
            **{key.replace("_", " "): value for key, value in options.items()}}
    conf = folder / "smb.conf"
    conf.write_text("[global]\n" + "".join(f"{key} = {keys[key]}\n" for key in keys))
    return conf


class NamesTest(LabTest):
    """One agent that is the name server and the controller of its own domain."""

    @classmethod
    def setUpClass(cls):
        cls.conf = samba_conf("TOOLS", lab.client)
        cls.postern = cls.class_agent(
            listen_section(lab.gate.address, wins_server=None, wins="yes", smb="yes"),
            f"[local domain {DOMAIN}]\n")
        cls.gate = lab.gate.address

    def tool(self, *words, **options):
        program, *rest = words
        done = lab.client.run(program, "-s", self.conf, *rest, check=False, **options)
        return done.stdout + done.stderr

    def query(self, name, suffix, box=None):
        return nbns.query(self.gate, name, suffix, seconds=AT_ONCE, box=box or lab.client)

    def status(self):
        return json.loads(self.postern.run("status", "--json", check=True).stdout)["listening"]


class ServerTest(NamesTest):
    def torture(self, *suites):
        return self.tool("smbtorture", "//GATE1/IPC$", *suites, "-U", "nobody%x")

    def test_smbtorture_registers(self):
        output = self.torture("nbt.register")
        for name in ("register_own", "refresh_own"):
            self.assertIn(f"success: {name}", output)

    def test_smbtorture_wins(self):
        """wins_bad_names registers each of its names, and then looks on its own disk for what a
        program that Samba's server calls for each name (`wins hook`) has left there."""
        output = self.torture("nbt.wins")
        self.assertIn("success: wins\n", output)
        self.assertEqual(output.count("failure:"), 1, output)
        self.assertRegex(output, r"failure: wins_bad_names \[\n\S+ Expression `ret' failed: "
                                 r"wins hook failure\n\]")

    def test_smbtorture_getdc(self):
        self.assertIn("success: netlogon", self.torture("nbt.dgram.netlogon"))

    def test_nmblookup_reads_the_answers(self):
        names = self.tool("nmblookup", "-A", self.gate)
        for name in ("GATE1           <00>", "CREW            <1b>", "CREW            <1c>"):
            self.assertIn(name, names)
        found = self.tool("nmblookup", "-U", self.gate, "--recursion", f"{DOMAIN}#1c")
        self.assertIn(f"{self.gate} {DOMAIN}<1c>", found)
        self.assertIn(f"{self.gate} {DOMAIN}<1b>", self.tool(
            "nmblookup", "-U", self.gate, "--recursion", f"{DOMAIN}#1b"))
        self.assertIn("<20>", self.tool("nmblookup", "-S", "GATE1"))
        missing = self.tool("nmblookup", "-U", self.gate, "--recursion", "NOBODY")
        self.assertIn("failed to find", missing)

    def test_nbtscan_reads_the_answers(self):
        output = lab.client.run("nbtscan", self.gate).stdout
        self.assertRegex(output, rf"{self.gate}\s+GATE1\s+<server>")

    def register(self, udp, name, address, opcode=nbns.REGISTRATION, identifier=0x1234):
        udp.sendto(nbns.registration(identifier, name, 0x20, address, opcode=opcode),
                   (self.gate, nbns.PORT))

    def received(self, udp):
        data, _ = udp.recvfrom(2048)
        return data

    def bound(self, box):
        udp = box.socket()
        self.addCleanup(udp.close)
        udp.settimeout(3)
        udp.bind((box.address, nbns.PORT))
        return udp

    def test_name_survives_a_restart(self):
        udp = self.bound(lab.client)
        self.register(udp, "KEPT", lab.client.address)
        self.assertEqual(nbns.parse(self.received(udp)).code, 0)
        self.postern.stop()
        self.assertIsNone(self.query("KEPT", 0x20))
        self.postern.start()
        answer = self.query("KEPT", 0x20)
        self.assertEqual([address for _, address in answer.addresses], [lab.client.address])
        self.register(udp, "KEPT", lab.client.address, nbns.RELEASE)
        self.assertEqual(nbns.parse(self.received(udp)).code, 0)
        self.assertIsNone(self.query("KEPT", 0x20))

    def test_owner_is_asked_before_another_gets_its_name(self):
        owner, other = self.bound(lab.client), self.bound(lab.boxes["relay"])
        self.register(owner, "MINE", lab.client.address)
        self.assertEqual(nbns.parse(self.received(owner)).code, 0)
        self.register(other, "MINE", lab.boxes["relay"].address, identifier=0x4321)
        self.assertEqual(nbns.parse(self.received(other)).opcode, nbns.WACK)
        question = self.received(owner)     # the challenge, which the owner answers
        self.assertEqual(struct.unpack_from(">H", question, 2)[0] >> 11, nbns.QUERY)
        owner.sendto(
            question[:2] + struct.pack(">HHHHH", 0x8400, 0, 1, 0, 0) + question[12:46]
            + struct.pack(">HHIHH", nbns.NB, 1, 0, 6, 0x6000)
            + socket.inet_aton(lab.client.address), (self.gate, nbns.PORT))
        verdict = nbns.parse(self.received(other))
        self.assertEqual((verdict.identifier, verdict.code), (0x4321, ACTIVE))
        # A second time it is silent, and loses it.
        self.register(other, "MINE", lab.boxes["relay"].address, identifier=0x4322)
        self.assertEqual(nbns.parse(self.received(other)).opcode, nbns.WACK)
        self.assertEqual(nbns.parse(self.received(other)).code, 0)
        answer = self.query("MINE", 0x20)
        self.assertEqual(
            [address for _, address in answer.addresses], [lab.boxes["relay"].address])


class WithoutSecretTest(LabTest):
    """A name server that has no secret for a domain yet."""

    def test_strangers_registrations_do_not_fill_the_log(self):
        postern = self.agent(listen_section(lab.gate.address, wins_server=None, wins="yes"),
                             domain_section(plan.AD, deadline="1s"), secrets={})
        state = postern.folder / "state" / "state.mdb"
        for number in range(3):
            written = state.stat().st_mtime_ns
            answer = nbns.ask(lab.gate.address, nbns.registration(
                0x1234 + number, f"STRANGER{number}", 0x20, lab.client.address), AT_ONCE,
                lab.client)
            self.assertEqual(answer.code, 0)
            await_event("the name in the state",
                        lambda: state.stat().st_mtime_ns != written, 10)
            # A logon has the state read again where it was written.
            postern.logon(plan.AD.name, "alice", plan.PASSWORD)
        self.assertEqual(postern.log.count("no secret"), 1, postern.log)
        # Who wants to know is told again.
        os.kill(postern.pid, signal.SIGHUP)
        await_event("the second line", lambda: postern.log.count("no secret") == 2, 5)


class BrowserTest(NamesTest):
    """Beside an nmbd of the same workgroup, which is no rival, or a mightier one."""

    def nmbd(self, **options):
        box = lab.boxes["member"]
        conf = samba_conf("NEIGHBOUR", box, wins_server=self.gate, **options)
        process = box.spawn("nmbd-neighbour.log", "nmbd", "-F", "--no-process-group", "-s", conf)

        def end():
            process.terminate()
            process.wait()

        self.addCleanup(end)
        return conf.parent / "browse.dat"

    def test_each_shows_the_other_and_we_are_master(self):
        await_event("our election", lambda: self.status()["isMasterBrowser"], 20)
        browse = self.nmbd(os_level=20, local_master="yes", preferred_master="no")
        await_event("NEIGHBOUR in our list", lambda: "NEIGHBOUR" in self.status()["servers"], 60)
        await_event(
            "GATE1 in nmbd's list",
            lambda: browse.exists() and re.search(r'"GATE1"', browse.read_text()), 90, 0.5)
        self.assertTrue(self.status()["isMasterBrowser"])
        # It registered with us.
        answer = await_event("NEIGHBOUR in WINS", lambda: self.query("NEIGHBOUR", 0x00), 30)
        self.assertEqual(
            [address for _, address in answer.addresses], [lab.boxes["member"].address])
        self.assertIn(f"{self.gate} {DOMAIN}<1d>", self.tool("nmblookup", "-M", DOMAIN))
        listing = self.tool("smbclient", "-L", "GATE1", "-N", "-m", "NT1")
        self.assertRegex(listing, r"NEIGHBOUR\s")
        self.assertRegex(listing, rf"{DOMAIN}\s+GATE1")

    def test_a_mightier_one_becomes_master_without_a_fight(self):
        await_event("our election", lambda: self.status()["isMasterBrowser"], 20)
        self.nmbd(os_level=255, preferred_master="yes", domain_master="no", local_master="yes")
        await_event("the other as master",
                    lambda: not self.status()["isMasterBrowser"], 90, 0.5)
        member = lab.boxes["member"].address
        await_event(
            f"{DOMAIN}<1d> at {member}",
            lambda: f"{member} {DOMAIN}<1d>" in self.tool("nmblookup", "-M", DOMAIN), 90, 0.5)
        self.assertFalse(self.status()["isMasterBrowser"])
