"""What no client should send to the front: it is refused and counted, others are served meanwhile,
and memory stays bounded. Attackers have an address of their own, as limits are by address."""

import contextlib
import functools
import itertools
import json
import resource
import select
import socket
import struct
import threading
import time
from unittest import mock

import nbns
import ntlm
import rpc
import smb1
from boxes import await_event
from labtest import LabTest, lab, plan
from postern import listen_section, local_domain_section

DOMAIN = "GATEDOM"
RPC_PORT = 49152
INTERFACES = (rpc.NETLOGON, rpc.LSA, rpc.SAMR, rpc.WKSSVC, rpc.SRVSVC)

# What the front promises.
OF_ONE_ADDRESS = 1024
LOGON_SECONDS = 60
PARTIAL_SECONDS = 15
RPC_SECONDS = 30
SLACK_SECONDS = 5
# What a logon of somebody else may take meanwhile, on a machine that does all this at once.
PATIENCE = 2.0
MOST_MEGABYTES = 48


class Others:
    """Logs on over and over while something else goes on; the latencies tell how it fared."""

    def __init__(self, address):
        self.address, self.latencies, self.failures = address, [], []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._ended.is_set():
            begin = time.monotonic()
            try:
                with contextlib.closing(smb1.Session(lab.client, self.address)) as session:
                    status = session.log_on("alice", DOMAIN, plan.PASSWORD)
                if status != smb1.SUCCESS:
                    self.failures.append(f"0x{status:08x}")
            except OSError as error:
                self.failures.append(str(error))
            self.latencies.append(time.monotonic() - begin)

    def __enter__(self):
        self._thread.start()
        await_event("a logon of the others", lambda: len(self.latencies) > 2)
        return self

    def __exit__(self, *_):
        count = len(self.latencies)
        await_event("further logons of the others", lambda: len(self.latencies) > count + 2)
        self._ended.set()
        self._thread.join()


class HostileTest(LabTest):
    @classmethod
    def setUpClass(cls):
        cls.gate = lab.gate.address
        cls.attacker = lab.boxes["relay"]
        most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(most[0], 8192), max(most[1], 8192)))
        # The client's MD4 is slow, and always the same here.
        cls.enterClassContext(
            mock.patch.object(ntlm, "nt_hash", functools.cache(ntlm.nt_hash)))
        cls.postern = cls.class_agent(
            local_domain_section(DOMAIN),
            listen_section(cls.gate, smb="yes", rpc="yes", rpc_port=RPC_PORT, wins="yes",
                           wins_server=None),
            accounts=((plan.PASSWORD, "alice"),))

    def status(self):
        return json.loads(self.postern.run("status", "--json", check=True).stdout)

    def front(self, part):
        return self.status()["front"][part]

    @contextlib.contextmanager
    def bearable(self, attack):
        """The body attacks: others are served, memory is bounded, and the agent lives on."""
        before = self.postern.memory()["rss"]
        with Others(self.gate) as others:
            yield
            grown = (self.postern.memory()["rss"] - before) / 1024
        self.assertTrue(self.postern.alive)
        self.assertEqual(others.failures, [])
        worst = max(others.latencies)
        self.assertReached(
            attack, "", f"others' logons {1e3 * worst:.0f} ms at worst, {grown:+.1f} MB",
            f"≤ {1e3 * PATIENCE:.0f} ms, ≤ {MOST_MEGABYTES} MB",
            worst <= PATIENCE and grown <= MOST_MEGABYTES)

    def connect(self, port, data=b""):
        stream = self.attacker.socket(socket.SOCK_STREAM)
        self.addCleanup(stream.close)
        stream.settimeout(30)
        stream.connect((self.gate, port))
        if data:
            stream.sendall(data)
        return stream

    def session(self):
        session = smb1.Session(self.attacker, self.gate)
        self.addCleanup(session.close)
        return session

    def on_pipes(self):
        """Nobody's session with the pipes' tree."""
        session = self.session()
        session.negotiate()
        self.assertEqual((session.set_up(), session.take("IPC$")), (0, 0))
        return session

    def bound(self, interface, port=RPC_PORT):
        stream = self.connect(port, rpc.bind(interface))
        self.assertEqual(rpc.receive(stream)[2], rpc.BIND_ACK)
        return stream


def ended(stream):
    """Whether the peer has ended the stream; what it sent before is taken and forgotten."""
    waiting = select.poll()
    waiting.register(stream, select.POLLIN)
    try:
        while waiting.poll(0):
            if not stream.recv(65536):
                return True
    except ConnectionError:
        return True
    return False


class SlowTest(HostileTest):
    EACH = 60

    def test_half_open_and_slow_connections_are_ended_in_their_time(self):
        """One more byte now and then does not buy more time."""
        negotiation = b"\0\0\0\x2f" + b"\xffSMBr" + bytes(4) + b"\x08\x01\x40" + bytes(20) \
            + b"\0\x0c\0\x02NT LM 0.12\0"
        kinds = (
            # port, what is sent at once, what drips, seconds it may last
            (139, b"", b"", LOGON_SECONDS),
            (139, b"\x81\0\0\x44", b"\x20CKFDENECFDEFFCFGEFFCCACACACACACA", PARTIAL_SECONDS),
            (445, negotiation, b"", LOGON_SECONDS),
            (445, negotiation[:20], negotiation[20:-1], PARTIAL_SECONDS),
            (135, b"", b"", RPC_SECONDS),
            (RPC_PORT, rpc.bind(rpc.SAMR)[:20], rpc.bind(rpc.SAMR)[20:-1], RPC_SECONDS),
            (RPC_PORT, rpc.bind(rpc.SAMR) + rpc.request(0, bytes(64), flags=rpc.FIRST), b"",
             RPC_SECONDS),
        )
        before = self.status()["front"]
        with self.bearable(f"{self.EACH * len(kinds)} slow and half-open connections"):
            begin, waiting = time.monotonic(), []
            for port, first, drip, limit in kinds:
                waiting += [(self.connect(port, first), iter(drip), limit)
                            for _ in range(self.EACH)]
            while waiting:
                now, left = time.monotonic() - begin, []
                for stream, drip, limit in waiting:
                    with contextlib.suppress(ConnectionError):
                        stream.send(bytes(itertools.islice(drip, 1)))
                    if not ended(stream):
                        self.assertLess(now, limit + SLACK_SECONDS)
                        left.append((stream, drip, limit))
                waiting = left
                ending = select.poll()
                for stream, _, _ in waiting[:1]:
                    ending.register(stream, select.POLLIN)
                ending.poll(500)
        after = self.status()["front"]
        self.assertEqual(after["smb"]["expired"] - before["smb"]["expired"], 4 * self.EACH)
        self.assertEqual(after["rpc"]["broken"] - before["rpc"]["broken"], 3 * self.EACH)
        self.table.add("slow and half-open connections are ended", "",
                       f"within {time.monotonic() - begin:.0f} s", "")

    def test_connections_of_one_address_are_bounded(self):
        before = self.status()["front"]
        more = 40
        with self.bearable(f"{OF_ONE_ADDRESS + more} connections of one address"):
            for port in (139, RPC_PORT):
                streams = [self.connect(port) for _ in range(OF_ONE_ADDRESS + more)]
                gone = await_event(
                    "refusals",
                    lambda: sum(map(ended, streams)) >= more and sum(map(ended, streams)), 20)
                self.assertEqual(gone, more)
                for stream in streams:
                    stream.close()
        after = self.status()["front"]
        self.assertEqual(
            after["smb"]["refusedConnections"] - before["smb"]["refusedConnections"], more)
        self.assertEqual(after["rpc"]["overLimit"] - before["rpc"]["overLimit"], more)

    def test_ten_thousand_connections_come_and_go(self):
        before = self.postern.memory()["rss"]
        with self.bearable("10,000 connections made and reset"):
            for number in range(10_000):
                with self.attacker.socket(socket.SOCK_STREAM) as stream:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
                    stream.connect((self.gate, (139, 445, RPC_PORT)[number % 3]))
                    if number % 2:
                        stream.send(b"\0\0\0\x2f\xffSMBr")
            await_event("their ends", lambda: self.front("open") <= 3, 30)
        self.assertLess(self.postern.memory()["rss"] - before, 8192)


class LiesTest(HostileTest):
    def answered(self, session, message):
        """The status of the answer, or None where the connection was ended instead."""
        try:
            session.send(message)
            return session.status(session.receive())
        except ConnectionError:
            return None

    def test_chains_that_overlap_or_lead_out_are_refused(self):
        before = self.front("smb")["malformed"]
        count = 0
        with self.bearable("AndX chains that lie"):
            for following, offset in itertools.product(
                    (smb1.TREE_CONNECT, smb1.SESSION_SETUP, smb1.OPEN_ANDX, smb1.TRANSACTION),
                    (0, 4, 32, 33, 37, 58, 59, 61, 500, 0xffff)):
                session = self.session()
                session.negotiate()
                words = struct.pack("<BBHHHHIHHII", following, 0, offset, 4356, 2, 1, 0, 0, 0, 0,
                                    0x50)
                status = self.answered(
                    session, session.message(smb1.SESSION_SETUP, words, bytes(4)))
                self.assertNotEqual(status, smb1.SUCCESS, (following, offset))
                count += 1
                session.close()
        self.assertGreaterEqual(self.front("smb")["malformed"] - before, count)

    def test_frames_of_impossible_lengths_end_their_connection(self):
        before = self.front("smb")["malformed"]
        frames = ((445, b"\0\xff\xff\xff"), (445, b"\0\x01\0\0"), (445, b"\x81\0\0\x44"),
                  (139, b"\0\0\0\x44" + bytes(68)), (139, b"\x81\x02\0\0"),
                  (139, b"\x81\0\0\x02\xc0\x00"),
                  (445, b"\0\0\0\x40\xfeSMB" + bytes(60)), (445, b"\0\0\0\x01\xff"))
        with self.bearable("frames that lie"):
            for port, frame in frames:
                stream = self.connect(port, frame)
                await_event(f"the end after {frame[:8].hex()}", lambda: ended(stream), 5)
        self.assertEqual(self.front("smb")["malformed"] - before, len(frames))

    def test_transactions_that_lie_are_refused(self):
        """Each of the words that say how much there is and where, with each lie."""
        before, count = self.front("smb"), 0
        with self.bearable("transactions that lie"):
            for word, lie in itertools.product(
                    (0, 1, 9, 10, 11, 12, 13), (1, 0x20, 0x3f, 0x4000, 0xfffe, 0xffff)):
                session = self.on_pipes()
                # Totals 8 and 8, then counts and offsets, and a setup of none.
                words = [8, 8, 64, 4096, 0, 0, 0, 0, 0, 8, 76, 8, 84, 0]
                words[word] = lie
                message = session.message(
                    smb1.TRANSACTION, struct.pack("<14H", *words), b"\\PIPE\\LANMAN\0" + bytes(16))
                answer = self.answered(session, message)
                # A larger total is no lie yet: more is awaited. Fewer bytes, or bytes from another
                # place in the message, are as good as any; so is what a reserved byte says.
                is_truth = (word < 2 and lie > 8 or word in (9, 11) and lie < 8
                            or word in (10, 12) and lie == 0x3f or (word, lie) == (13, 0x4000))
                self.assertEqual(answer == smb1.SUCCESS, is_truth, (word, lie, answer))
                count += not is_truth
                session.close()
        after = self.front("smb")
        self.assertGreaterEqual(after["malformed"] - before["malformed"], count)

    def test_calls_of_remote_administration_that_lie_are_counted(self):
        before = self.front("smb")["malformedCalls"]
        calls = (bytes(8), b"\xd6\0" + b"zsT\0", struct.pack("<H", 63) + b"A" * 40,
                 struct.pack("<H", 214) + b"zsT\0B516B16\0NINETY\0" + struct.pack("<H", 532))
        with self.bearable("remote administration that lies"):
            for call in calls:
                session = self.on_pipes()
                answer = session.transact("\\PIPE\\LANMAN", call, b"no password")
                self.assertEqual(struct.unpack_from("<H", answer)[0], 87, call)  # INVALID_PARAMETER
                session.close()
        self.assertEqual(self.front("smb")["malformedCalls"] - before, len(calls))

    def test_stubs_that_lie_are_answered_with_faults(self):
        """Conformance, variance and pointers beyond everything, in each call of each interface."""
        stubs = (b"\xff" * 96, b"\x01" * 96, bytes(20) + b"\xff\xff\xff\x7f" * 16,
                 struct.pack("<III", 1, 0xffffffff, 0) * 8,
                 struct.pack("<IIII", 0x20000, 0x10000000, 0, 0x10000000) * 6,
                 struct.pack("<II", 2, 0x20000) * 12, b"\0" * 96, b"")
        before, count, faults, lies = self.front("rpc")["badStubs"], 0, 0, 0
        with self.bearable("NDR that lies"):
            for interface in INTERFACES:
                stream = self.bound(interface)
                for opnum, stub in itertools.product(range(76), stubs):
                    stream.sendall(rpc.request(opnum, stub, call=count + 2))
                    answer = rpc.receive(stream)
                    self.assertIn(answer[2], (rpc.RESPONSE, rpc.FAULT))
                    faults += answer[2] == rpc.FAULT
                    lies += answer[2] == rpc.FAULT and rpc.fault(answer) == rpc.BAD_STUB_DATA
                    count += 1
                stream.close()
        self.assertGreater(faults, count // 2)
        self.assertGreater(lies, 0)
        self.assertEqual(self.front("rpc")["badStubs"] - before, lies)

    def test_names_that_point_to_themselves_are_refused(self):
        header = struct.pack(">HHHHHH", 7, nbns.RECURSION_DESIRED, 1, 0, 0, 0)
        good = nbns.encoded("GATE1", 0x20)
        kind = struct.pack(">HH", nbns.NB, 1)
        names = (b"\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\xc0\x00", b"\xff\xff",
                 good[:-1] + b"\xc0\x0c", good[:-1] + b"\xc0\x2d",
                 good[:-1] + b"\x3f" + bytes(63), good[:-1] + b"\x80",
                 b"\x3f" + b"A" * 63 + b"\0", b"\x20" + b"Z" * 32 + b"\0",
                 good[:-1] + (b"\x3f" + b"a" * 63) * 8 + b"\0")
        before = self.malformed_names()
        with self.bearable("names that lead in circles"), self.attacker.socket() as udp:
            for name in names:
                udp.sendto(header + name + kind, (self.gate, nbns.PORT))
            answer = nbns.query(self.gate, "GATE1", 0x20, seconds=2, box=self.attacker)
            self.assertIsNotNone(answer)
            udp.settimeout(0.1)
            self.assertRaises(TimeoutError, udp.recv, 2048)
        self.assertEqual(self.malformed_names() - before, len(names))

    def malformed_names(self):
        return self.status()["listening"]["ignored"]["malformedNamePackets"]


class BombTest(HostileTest):
    def test_calls_in_endless_fragments_take_bounded_memory(self):
        before = self.front("rpc")
        part = bytes(4000)
        with self.bearable("60 calls of nearly a megabyte each, none of which ends"):
            streams = []
            for _ in range(60):
                stream = self.bound(rpc.SAMR)
                streams.append(stream)
                with contextlib.suppress(ConnectionError):
                    stream.sendall(rpc.request(0, part, flags=rpc.FIRST)
                                   + 240 * rpc.request(0, part, flags=0))
            await_event("the greediest given up", lambda: any(map(ended, streams)), 10)
        self.assertGreater(self.front("rpc")["overLimit"], before["overLimit"])

    def test_a_call_beyond_a_megabyte_ends_with_a_fault(self):
        stream = self.bound(rpc.SAMR)
        with contextlib.suppress(ConnectionError):
            stream.sendall(rpc.request(0, bytes(4000), flags=rpc.FIRST)
                           + 270 * rpc.request(0, bytes(4000), flags=0))
        with contextlib.suppress(ConnectionError):
            self.assertEqual(rpc.receive(stream)[2], rpc.FAULT)
        await_event("its end", lambda: ended(stream), 5)

    def test_requests_that_wait_take_bounded_memory(self):
        """Reads of an empty pipe, each in a message as long as one may be."""
        before = self.front("smb")
        with self.bearable("1,000 reads that wait, 60 kB each"):
            sessions = [self.on_pipes() for _ in range(20)]
            for session in sessions:
                fid = session.open_pipe("samr")
                words = struct.pack("<BBHHIHHIH", 0xff, 0, 0, fid, 0, 64, 0, 0, 0)
                with contextlib.suppress(ConnectionError):
                    for mid in range(50):
                        session.send(session.message(smb1.READ_ANDX, words, bytes(60_000), mid))
            await_event("the greediest ended",
                        lambda: any(ended(each.stream) for each in sessions), 10)
        self.assertGreater(self.front("smb")["overLimit"], before["overLimit"])

    def test_answers_that_are_not_read_take_bounded_memory(self):
        """Clients that ask for the longest echoes and read none."""
        with self.bearable("answers that nobody reads"):
            echo = struct.pack("<H", 8)
            for _ in range(60):
                session = self.on_pipes()
                session.stream.settimeout(0.5)
                with contextlib.suppress(OSError):
                    for mid in range(60):
                        session.send(session.message(0x2B, echo, bytes(60_000), mid))

    def test_answers_on_pipes_that_are_not_read_take_bounded_memory(self):
        """A null session that makes calls on many pipes, and reads the answer of none."""
        before = self.front("rpc")["overLimit"]
        calls = 2_500 * rpc.request(99, b"")
        with self.bearable("answers on a null session's pipes that nobody reads"):
            session = self.on_pipes()
            for _ in range(100):
                fid = session.open_pipe("lsarpc")
                for part in (rpc.bind(rpc.LSA), calls, calls, calls):
                    words = struct.pack("<BBHHIIHHHHH", 0xFF, 0, 0, fid, 0, 0, 0, 0, 0,
                                        len(part), 59)
                    session.exchange(0x2F, words, part)
        self.assertGreater(self.front("rpc")["overLimit"], before)


__all__ = ["SlowTest", "LiesTest", "BombTest"]
