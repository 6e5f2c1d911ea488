"""NETLOGON over mailslots: builds the questions and reads the answers (RFC 1002 4.4, MS-ADTS 6.3).

An implementation of its own, so that the responder under test is not checked against itself.
"""

import dataclasses
import itertools
import select
import socket
import struct
import time

import nbns

PORT = 138
UNIQUE, GROUP, BROADCAST, ERROR = 0x10, 0x11, 0x12, 0x13
NETLOGON, NTLOGON = "\\MAILSLOT\\NET\\NETLOGON", "\\MAILSLOT\\NET\\NTLOGON"

LOGON_REQUEST, LM10_RESPONSE, LM20_RESPONSE, GETDC, GETDC_RESPONSE = 0x00, 0x01, 0x06, 0x07, 0x0C
SAM_LOGON, SAM_RESPONSE, SAM_PAUSE, SAM_UNKNOWN, SAM_RESPONSE_EX, SAM_UNKNOWN_EX = (
    0x12, 0x13, 0x14, 0x15, 0x17, 0x19)
NT4, NT5, NT5EX, WITH_IP, LOCAL = 0x1, 0x2, 0x4, 0x8, 0x01000000
ACCOUNT_NORMAL, ACCOUNT_TRUST = 0x10, 0x40

_identifiers, _slots = itertools.count(1), itertools.count(1)


def ascii_text(text):
    return text.encode("cp850") + b"\0"


def wide_text(text):
    return text.encode("utf-16-le") + b"\0\0"


def even(octets):
    """What follows begins on an even offset."""
    return octets + bytes(len(octets) % 2)


def getdc(computer, reply_to, version=0xB):
    """Asks for the primary controller (MS-ADTS 6.3.1.4, LOGON_PRIMARY_QUERY)."""
    head = even(struct.pack("<H", GETDC) + ascii_text(computer) + ascii_text(reply_to))
    return head + wide_text(computer) + struct.pack("<IHH", version, 0xFFFF, 0xFFFF)


def sam_logon(computer, user, reply_to, version=NT4, control=ACCOUNT_NORMAL, sid=b"", count=0):
    """Asks who can log this user on (MS-ADTS 6.3.1.6). A SID begins on a multiple of 4."""
    head = (struct.pack("<HH", SAM_LOGON, count) + wide_text(computer) + wide_text(user)
            + ascii_text(reply_to) + struct.pack("<II", control, len(sid)))
    if sid:
        head += bytes(-len(head) % 4) + sid
    return head + struct.pack("<IHH", version, 0xFFFF, 0xFFFF)


def lm_logon(computer, user, reply_to, tokens=b"\x01\x00\xff\xff"):
    """LAN Manager's logon request; LM 1.0 sends no tokens at its end."""
    return (struct.pack("<H", LOGON_REQUEST) + ascii_text(computer) + ascii_text(user)
            + ascii_text(reply_to) + b"\x01" + tokens)


def sid(*parts):
    """The SID S-1-5-… of these sub-authorities."""
    return struct.pack(f"<BB6s{len(parts)}I", 1, len(parts), b"\0\0\0\0\0\5", *parts)


def mailslot_write(name, payload):
    """SMB_COM_TRANSACTION with the mailslot's name, priority 1, class 2 (MS-MAIL 2.2.1)."""
    path = ascii_text(name)
    start = 32 + 1 + 2 * 17 + 2 + len(path)
    header = b"\xffSMB\x25" + bytes(27)
    words = struct.pack("<HHHHBBHIHHHHHBBHHH", 0, len(payload), 0, 0, 0, 0, 0, 1000, 0,
                        0, start, len(payload), start, 3, 0, 1, 1, 2)
    return (header + bytes([17]) + words + struct.pack("<H", len(path) + len(payload)) + path
            + payload)


def datagram(kind, source, destination, payload, address, flags=0x02, offset=0, identifier=None,
             port=PORT):
    """Names are (name, suffix) pairs; flag 2 is FIRST and 1 is MORE (RFC 1002 4.4.1)."""
    identifier = next(_identifiers) & 0xFFFF if identifier is None else identifier
    body = nbns.encoded(*source) + nbns.encoded(*destination) + payload
    return struct.pack(">BBH4sHHH", kind, flags, identifier, socket.inet_aton(address), port,
                       len(body), offset) + body


def question(source, destination, mailslot, message, address, kind=UNIQUE):
    return datagram(kind, source, destination, mailslot_write(mailslot, message), address)


@dataclasses.dataclass
class Answer:
    """One mailslot message as it came back, with where it came from."""
    sender: str
    source: tuple
    destination: tuple
    mailslot: str
    message: bytes
    size: int

    @property
    def opcode(self):
        return struct.unpack_from("<H", self.message)[0]

    @property
    def tokens(self):
        """(version, LMNT, LM20) at the end."""
        return struct.unpack("<IHH", self.message[-8:])

    def ascii_strings(self, count, at=2):
        found = []
        for _ in range(count):
            end = self.message.index(b"\0", at)
            found.append(self.message[at:end].decode("cp850"))
            at = end + 1
        return found

    def wide_strings(self, count, at=2):
        found = []
        for _ in range(count):
            end = at
            while self.message[end:end + 2] != b"\0\0":
                end += 2
            found.append(self.message[at:end].decode("utf-16-le"))
            at = end + 2
        return found

    @property
    def getdc(self):
        """(ASCII server, wide server, wide domain) of an answer to GETDC."""
        server, = self.ascii_strings(1)
        at = 2 + len(server) + 1
        return (server, *self.wide_strings(2, at + at % 2))


def parse(data, sender):
    """The mailslot message in a datagram, or None if it is something else."""
    if len(data) < 82 or data[0] not in (UNIQUE, GROUP, BROADCAST):
        return None
    smb = data[14 + 34 + 34:]
    if not smb.startswith(b"\xffSMB\x25"):
        return None
    count, start = struct.unpack_from("<HH", smb, 33 + 22)
    name = smb[33 + 2 * smb[32] + 2:]
    return Answer(sender, nbns.decoded(data[15:47]), nbns.decoded(data[49:81]),
                  name[:name.index(b"\0")].decode("ascii"), smb[start:start + count], len(data))


class Asker:
    """A legacy client on UDP 138 of its box. With `hears`, an address, it takes answers from there
    alone: a broadcast is answered by every controller of the domain, in no certain order."""

    def __init__(self, box, name="ASKER", hears=None):
        self.box, self.name, self.hears = box, name, hears
        self.udp = box.socket()
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.udp.bind(("", PORT))

    def close(self):
        self.udp.close()

    def mailslot(self):
        """A mailslot to answer to; a new one each time, so that a late answer is not mistaken."""
        return f"\\MAILSLOT\\NET\\GETDC{next(_slots):04}"

    def send(self, packet, address):
        self.udp.sendto(packet, (address, PORT))

    def ask(self, address, domain, mailslot, message, suffix=0x1C, kind=None):
        """Sends the message to a domain's name, by broadcast where the address is one."""
        if kind is None:
            kind = GROUP if address.endswith(".255") or suffix == 0x1C else UNIQUE
        self.send(question((self.name, 0), (domain, suffix), mailslot, message, self.box.address,
                           kind), address)

    def answers(self, reply_to, seconds=0.5, most=1):
        """Messages to that mailslot until so many came, or the time is over."""
        found = []
        end = time.monotonic() + seconds
        while len(found) < most and (left := end - time.monotonic()) > 0:
            if not select.select([self.udp], [], [], left)[0]:
                break
            data, (sender, _) = self.udp.recvfrom(4096)
            if self.hears not in (None, sender):
                continue
            answer = parse(data, sender)
            if answer and answer.mailslot.upper() == reply_to.upper():
                found.append(answer)
        return found

    def answer(self, reply_to, seconds=1.5):
        found = self.answers(reply_to, seconds)
        return found[0] if found else None

    def getdc(self, address, domain, suffix=0x1C, **options):
        reply_to = self.mailslot()
        self.ask(address, domain, NETLOGON, getdc(self.name, reply_to, **options), suffix)
        return self.answer(reply_to)

    def sam_logon(self, address, domain, user, suffix=0x1C, **options):
        reply_to = self.mailslot()
        message = sam_logon(self.name, user, reply_to, **options)
        self.ask(address, domain, NTLOGON, message, suffix)
        return self.answer(reply_to)

    def lm_logon(self, address, domain, user, suffix=0x00, **options):
        reply_to = self.mailslot()
        self.ask(address, domain, NETLOGON, lm_logon(self.name, user, reply_to, **options), suffix)
        return self.answer(reply_to)
