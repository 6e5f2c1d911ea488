"""The responders on UDP 137 and 138, asked by packets that are built here."""

import json
import os
import pathlib
import re
import socket
import struct

import mailslot
import nbns
from boxes import await_event
from labtest import LabTest, domain_section, lab, plan
from postern import listen_section, local_domain_section

NONE, AT_ONCE = 0.3, 1.0    # how long to wait for silence, and for an answer


class Responder(LabTest):
    """One agent that answers for both domains, and a legacy client."""

    sections = (domain_section(plan.AD), domain_section(plan.NT4), listen_section(lab.gate.address))

    @classmethod
    def setUpClass(cls):
        cls.postern = cls.class_agent(*cls.sections)
        cls.gate = lab.gate.address

    def setUp(self):
        self.asker = mailslot.Asker(lab.client, hears=self.gate)
        self.addCleanup(self.asker.close)

    def answered(self, answer):
        self.assertIsNotNone(answer, "no answer")
        return answer


class NamesTest(Responder):
    """Name service: ours are registered, answered, defended and released."""

    def query(self, address, name, suffix, type=nbns.NB):
        return nbns.query(address, name, suffix, type, seconds=AT_ONCE, box=lab.client)

    def registered(self):
        answer = self.query(plan.NT4.address, "GATE1", 0x00)
        return answer and [address for _, address in answer.addresses] == [self.gate]

    def test_own_name_is_registered_with_wins(self):
        await_event("GATE1 in WINS", self.registered, 10)

    def test_broadcast_for_own_name_is_answered(self):
        answer = self.answered(self.query(plan.BROADCAST, "GATE1", 0x00))
        self.assertEqual([address for _, address in answer.addresses], [self.gate])

    def test_name_is_matched_without_regard_to_case(self):
        self.assertIsNotNone(self.query(self.gate, "gate1", 0x00))

    def test_node_status_lists_own_names(self):
        names = self.answered(nbns.node_status(self.gate, AT_ONCE, lab.client))
        self.assertIn(("GATE1", 0x00), [(name, suffix) for name, suffix, _ in names])

    def test_other_names_are_left_to_their_owners(self):
        self.assertIsNone(self.query(self.gate, "SOMEBODY", 0x20))

    def test_claim_to_own_name_is_refused(self):
        packet = nbns.registration(0x4711, "GATE1", 0x00, lab.client.address,
                                   flags=nbns.BROADCAST | nbns.RECURSION_DESIRED)
        answer = nbns.ask(plan.BROADCAST, packet, AT_ONCE, lab.client)
        self.assertIsNotNone(answer)
        self.assertEqual((answer.opcode, answer.code), (nbns.REGISTRATION, 6))   # ACT_ERR

    def test_malformed_packets_are_survived(self):
        whole = nbns.question(1, "GATE1", 0x00)
        with lab.client.socket() as udp:
            for size in range(len(whole)):
                udp.sendto(whole[:size], (self.gate, nbns.PORT))
            udp.sendto(b"\xff" * 512, (self.gate, nbns.PORT))
            loop = struct.pack(">HHHHHH", 2, 0, 1, 0, 0, 0) + b"\xc0\x0c\x00\x20\x00\x01"
            udp.sendto(loop, (self.gate, nbns.PORT))    # a name that points at itself
        self.assertIsNotNone(self.query(self.gate, "GATE1", 0x00))

    def test_names_are_released_at_the_end(self):
        postern = self.agent(listen_section(lab.boxes["relay"].address), name="PASSING",
                             box=lab.boxes["relay"])

        def known():
            return self.query(plan.NT4.address, "PASSING", 0x00)

        await_event("PASSING in WINS", known, 10)
        postern.stop()
        self.assertIsNone(known())


class LogonServiceTest(Responder):
    """GETDC, LM LOGON and SAM LOGON, directed to the agent and broadcast to all."""

    @property
    def where(self):
        return ("directed", self.gate), ("broadcast", plan.BROADCAST)

    def test_getdc_names_the_controller(self):
        for label, address in self.where:
            for suffix in (0x00, 0x1B, 0x1C):
                with self.subTest(how=label, suffix=suffix):
                    answer = self.asker.getdc(address, "ADLAB", suffix)
                    self.assertIsNotNone(answer)
                    self.assertEqual(answer.opcode, mailslot.GETDC_RESPONSE)
                    self.assertEqual(answer.getdc, ("AD", "AD", "ADLAB"))
                    self.assertEqual(answer.tokens, (1, 0xFFFF, 0xFFFF))
                    self.assertEqual(answer.sender, self.gate)
                    self.assertEqual(answer.destination, ("ASKER", 0x00))

    def test_getdc_for_the_nt4_domain_names_its_controller(self):
        answer = self.answered(self.asker.getdc(self.gate, "NT4LAB"))
        self.assertEqual(answer.getdc, ("NT4PDC", "NT4PDC", "NT4LAB"))

    def test_sam_logon_in_the_nt4_form(self):
        for label, address in self.where:
            with self.subTest(how=label):
                answer = self.asker.sam_logon(address, "ADLAB", "alice", version=mailslot.NT4)
                self.assertIsNotNone(answer)
                self.assertEqual(answer.opcode, mailslot.SAM_RESPONSE)
                self.assertEqual(answer.wide_strings(3), ["\\\\AD", "alice", "ADLAB"])
                self.assertEqual(answer.tokens, (mailslot.NT4, 0xFFFF, 0xFFFF))

    def test_sam_logon_in_the_nt5_form(self):
        answer = self.answered(self.asker.sam_logon(
            self.gate, "ADLAB", "alice", version=mailslot.NT4 | mailslot.NT5))
        self.assertEqual(answer.opcode, mailslot.SAM_RESPONSE)
        self.assertEqual(answer.wide_strings(3), ["\\\\AD", "alice", "ADLAB"])
        self.assertEqual(answer.tokens[0] & 0x3, 0x3)

    def test_sam_logon_in_the_extended_form(self):
        version = mailslot.NT4 | mailslot.NT5 | mailslot.NT5EX | mailslot.WITH_IP
        answer = self.answered(self.asker.sam_logon(self.gate, "ADLAB", "alice", version=version))
        self.assertEqual(answer.opcode, mailslot.SAM_RESPONSE_EX)
        for part in (b"\x02ad\x03lab\x00", b"ADLAB", b"alice", socket.inet_aton("10.77.0.10")):
            self.assertIn(part, answer.message)

    def test_sam_logon_of_an_interdomain_trust_with_sid(self):
        answer = self.answered(self.asker.sam_logon(
            self.gate, "ADLAB", "TRUSTING$", control=mailslot.ACCOUNT_TRUST,
            sid=mailslot.sid(21, 1, 2, 3)))
        self.assertEqual(answer.wide_strings(3), ["\\\\AD", "TRUSTING$", "ADLAB"])

    def test_sam_logon_with_a_user_name_outside_ascii(self):
        answer = self.answered(self.asker.sam_logon(self.gate, "ADLAB", "jürgen"))
        self.assertEqual(answer.wide_strings(3)[1], "jürgen")

    def test_lm20_logon(self):
        answer = self.answered(self.asker.lm_logon(self.gate, "ADLAB", "alice"))
        self.assertEqual(answer.opcode, mailslot.LM20_RESPONSE)
        self.assertEqual(answer.ascii_strings(1), ["\\\\AD"])
        self.assertTrue(answer.message.endswith(b"\xff\xff"))

    def test_lm10_logon(self):
        answer = self.answered(self.asker.lm_logon(self.gate, "ADLAB", "alice", tokens=b""))
        self.assertIn(answer.opcode, (mailslot.LM10_RESPONSE, mailslot.LM20_RESPONSE))

    def test_published_requests_are_answered(self):
        """The bytes of real clients, in place; only the domain they are sent to is ours."""
        folder = os.environ.get("POSTERN_VECTORS", plan.REPOSITORY.parent / "shared" / "vectors")
        path = pathlib.Path(folder) / "samba_ndr_nbt.json"
        if not path.exists():
            self.skipTest(f"{path} is not there; POSTERN_VECTORS names its folder")
        arrays = {each["name"]: bytes.fromhex(each["hex"])
                  for each in json.loads(path.read_text())["arrays"]}
        for name, slot, opcode in (
                ("netlogon_logon_request_req_data", mailslot.NETLOGON, mailslot.LM20_RESPONSE),
                ("nbt_netlogon_packet_logon_primary_query_data", mailslot.NETLOGON,
                 mailslot.GETDC_RESPONSE),
                ("nbt_netlogon_packet_data", mailslot.NTLOGON, mailslot.SAM_RESPONSE)):
            with self.subTest(message=name):
                message = arrays[name]
                reply_to = re.search(rb"\\MAILSLOT\\[\x20-\x7e]+", message)[0].decode()
                self.asker.ask(self.gate, "ADLAB", slot, message)
                answer = self.asker.answer(reply_to)
                self.assertIsNotNone(answer)
                self.assertEqual(answer.opcode, opcode)


class SilenceTest(Responder):
    """What must not be answered, and must not do harm."""

    def silent(self, packet, reply_to):
        self.asker.send(packet, self.gate)
        self.assertEqual(self.asker.answers(reply_to, NONE), [])

    def packet(self, reply_to, domain="ADLAB", slot=mailslot.NETLOGON, source="ASKER", **options):
        return mailslot.question((source, 0), (domain, 0x1C), slot,
                                 mailslot.getdc(source, reply_to), lab.client.address, **options)

    def still_answers(self):
        self.assertIsNotNone(self.asker.getdc(self.gate, "ADLAB"))

    def test_other_domain_is_not_answered(self):
        reply_to = self.asker.mailslot()
        self.silent(self.packet(reply_to, domain="ELSEWHERE"), reply_to)

    def test_other_mailslot_is_not_answered(self):
        reply_to = self.asker.mailslot()
        self.silent(self.packet(reply_to, slot="\\MAILSLOT\\NET\\OTHER"), reply_to)

    def test_duplicate_is_answered_once(self):
        reply_to = self.asker.mailslot()
        packet = self.packet(reply_to)
        self.asker.send(packet, self.gate)
        self.asker.send(packet, self.gate)
        self.assertEqual(len(self.asker.answers(reply_to, NONE, most=2)), 1)

    def test_answer_goes_to_no_mailslot_outside_those_of_clients(self):
        reply_to = "\\PIPE\\NETLOGON"
        self.silent(self.packet(reply_to), reply_to)

    def test_truncated_datagrams_are_survived(self):
        packet = self.packet(self.asker.mailslot())
        for size in range(len(packet)):
            self.asker.send(packet[:size], self.gate)
        self.asker.answers("", NONE, most=1000)
        self.still_answers()

    def test_lengths_that_lie_are_survived(self):
        packet = bytearray(self.packet(self.asker.mailslot()))
        for at in range(10, len(packet) - 1):
            changed = packet.copy()
            changed[at:at + 2] = b"\xff\xff"
            self.asker.send(bytes(changed), self.gate)
        self.asker.answers("", NONE, most=1000)
        self.still_answers()

    def test_reflected_answer_starts_no_loop(self):
        """A question that claims to come from the agent itself."""
        reply_to = mailslot.NETLOGON
        packet = mailslot.question(("GATE1", 0), ("ADLAB", 0x1C), mailslot.NETLOGON,
                                   mailslot.getdc("GATE1", reply_to), self.gate)
        before = self.postern.cpu()
        self.asker.send(packet, self.gate)
        self.asker.answers(reply_to, NONE)
        self.assertLess(self.postern.cpu() - before, 0.1)
        self.still_answers()


class FragmentsTest(Responder):
    """RFC 1002 4.4.2: one message in several datagrams."""

    def pieces(self, payload, size, identifier):
        source, target = ("ASKER", 0), ("ADLAB", 0x1C)
        cuts = list(range(0, len(payload), size))
        for at in cuts:
            flags = (0x02 if at == 0 else 0) | (0x01 if at != cuts[-1] else 0)
            yield mailslot.datagram(mailslot.UNIQUE, source, target, payload[at:at + size],
                                    lab.client.address, flags, at, identifier)

    def test_fragments_are_put_together(self):
        for order in (1, -1):
            with self.subTest(order=order):
                reply_to = self.asker.mailslot()
                payload = mailslot.mailslot_write(
                    mailslot.NETLOGON, mailslot.getdc("ASKER", reply_to))
                for piece in list(self.pieces(payload, 60, 0x5000 + order))[::order]:
                    self.asker.send(piece, self.gate)
                self.assertIsNotNone(self.asker.answer(reply_to))

    def test_fragments_without_end_take_no_memory(self):
        before = self.postern.memory()["private"]
        for identifier in range(3000):
            first = next(self.pieces(bytes(400), 200, identifier & 0xFFFF))
            self.asker.send(first, self.gate)
        await_event("answered after the flood",
                    lambda: self.asker.getdc(self.gate, "ADLAB") is not None, 5)
        self.assertLess(self.postern.memory()["private"] - before, 512)


class ControllerAwayTest(LabTest):
    def setUp(self):
        self.asker = mailslot.Asker(lab.client, hears=lab.gate.address)
        self.addCleanup(self.asker.close)

    def test_domain_whose_controllers_are_away_is_not_answered_for(self):
        controller = self.healed(lab.ad)
        postern = self.agent(domain_section(plan.AD, deadline="1s"),
                             listen_section(lab.gate.address))
        self.assertIsNotNone(self.asker.getdc(lab.gate.address, "ADLAB"))
        controller.unplug()
        postern.logon("ADLAB", "alice", plan.PASSWORD)      # finds out
        await_event("not answered for any more",
                    lambda: self.asker.getdc(lab.gate.address, "ADLAB") is None, 5)
        controller.plug()
        await_event("answers again",
                    lambda: self.asker.getdc(lab.gate.address, "ADLAB"), 5)

    def test_domain_without_leave_is_not_answered_for(self):
        self.agent(domain_section(plan.AD, answer="no"), listen_section(lab.gate.address))
        self.assertIsNone(self.asker.getdc(lab.gate.address, "ADLAB"))

    def test_without_listen_nothing_is_bound(self):
        self.agent(domain_section(plan.AD))
        self.assertIsNone(nbns.node_status(lab.gate.address, NONE, lab.client))
        self.assertIsNone(self.asker.getdc(lab.gate.address, "ADLAB"))


class FrontIsOffTest(LabTest):
    """Nothing listens for clients unless [listen] says so."""

    FRONT = {135, 139, 445}

    def test_ports_are_those_that_listen_turns_on(self):
        local, gate = local_domain_section("QUIET"), lab.gate.address
        for name, listen, expected in (
                ("no section", (), set()),
                ("neither is said", (listen_section(gate),), set()),
                ("both are off", (listen_section(gate, smb="no", rpc="no"),), set()),
                ("SMB alone", (listen_section(gate, smb="yes"),), {139, 445}),
                ("both", (listen_section(gate, smb="yes", rpc="yes"),), self.FRONT)):
            with self.subTest(name):
                agent = self.agent(domain_section(plan.AD), local, *listen)
                ports = {int(line.split()[3].rsplit(":", 1)[1])
                         for line in lab.gate.run("ss", "-Hltn").stdout.splitlines()}
                self.assertEqual(ports & self.FRONT, expected)
                self.assertEqual({port for port in self.FRONT
                                  if lab.client.connects(gate, port)}, expected)
                # What else there is is the port of the calls that the endpoint mapper names.
                self.assertEqual(len(ports - self.FRONT), 135 in expected)
                agent.stop()


class TortureTest(Responder):
    """Samba's own suite for datagrams; its other parts join the domain first and need a SAMR."""

    def test_smbtorture_nbt_dgram_netlogon(self):
        folder = plan.STATE / "torture"
        folder.mkdir(exist_ok=True)
        options = [f"--option={name}={folder}" for name in (
            "state directory", "private dir", "cache directory", "lock directory")]
        self.asker.close()      # the suite binds the port itself
        done = lab.client.run(
            "smbtorture", "--option=interfaces=eth0", *options, f"//{self.gate}/ipc$",
            "-W", "ADLAB", "-U", f"ADLAB/alice%{plan.PASSWORD}", "nbt.dgram.netlogon", check=False)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, said)
        self.assertEqual(re.findall(r"(?m)^(success|failure|error|skip): ([^\n\[]+)", said),
                         [("success", "netlogon")], said)
