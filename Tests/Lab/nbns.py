"""The NetBIOS name service (RFC 1002 4.2) from the asking side: enough to test an answerer."""

import dataclasses
import os
import socket
import struct
import threading

import plan

PORT = 137
QUERY, REGISTRATION, RELEASE, WACK, REFRESH = 0, 5, 6, 7, 8
NB, NBSTAT = 0x20, 0x21
SUCCESS, NAME_ERROR = 0, 3
RECURSION_DESIRED, BROADCAST = 0x0100, 0x0010


def padded(name, suffix):
    """The 16 octets of a NetBIOS name. `*` alone is padded with zeros, every other by spaces."""
    fill = b"\0" if name == "*" else b" "
    return name.upper().encode("cp850")[:15].ljust(15, fill) + bytes([suffix])


def encoded(name, suffix, scope=""):
    """First-level encoding (RFC 1001 14.1): each half octet becomes a letter."""
    letters = b"".join(bytes([0x41 + (octet >> 4), 0x41 + (octet & 15)])
                       for octet in padded(name, suffix))
    labels = b"".join(bytes([len(part)]) + part.encode() for part in scope.split(".") if part)
    return bytes([32]) + letters + labels + b"\0"


def decoded(data):
    """Name and suffix from the 32 letters."""
    octets = bytes(((data[i] - 0x41) << 4) | (data[i + 1] - 0x41) for i in range(0, 32, 2))
    return octets[:15].decode("cp850").rstrip(" \0"), octets[15]


@dataclasses.dataclass
class Answer:
    identifier: int
    opcode: int
    code: int           # RCODE
    flags: int
    name: tuple         # (name, suffix)
    type: int
    ttl: int
    data: bytes

    @property
    def addresses(self):
        """[(flags, address)] of a positive NB answer; flag 0x8000 is a group name."""
        return [(struct.unpack_from(">H", self.data, at)[0],
                 socket.inet_ntoa(self.data[at + 2:at + 6]))
                for at in range(0, len(self.data) - 5, 6)]

    @property
    def names(self):
        """[(name, suffix, flags)] of a node status answer."""
        found = []
        for index in range(self.data[0]):
            at = 1 + 18 * index
            name = self.data[at:at + 15].decode("cp850").rstrip(" \0")
            found.append((name, self.data[at + 15], *struct.unpack_from(">H", self.data, at + 16)))
        return found


def question(identifier, name, suffix, type=NB, flags=0):
    return (struct.pack(">HHHHHH", identifier, flags, 1, 0, 0, 0)
            + encoded(name, suffix) + struct.pack(">HH", type, 1))


def registration(identifier, name, suffix, address, flags=0, opcode=REGISTRATION, group=False,
                 ttl=300):
    """A registration, refresh or release: the question, then the record points back at its name."""
    return (struct.pack(">HHHHHH", identifier, (opcode << 11) | flags, 1, 0, 0, 1)
            + encoded(name, suffix) + struct.pack(">HH", NB, 1)
            + struct.pack(">HHHIHH", 0xC00C, NB, 1, ttl, 6, 0x8000 if group else 0x6000)
            + socket.inet_aton(address))


def parse(data):
    identifier, flags, _, answers, _, _ = struct.unpack_from(">HHHHHH", data)
    if not flags & 0x8000 or not answers and not flags & 0xF:
        return None
    at = 13 + 32
    while data[at]:     # the scope's labels
        at += 1 + data[at]
    type, _, ttl, length = struct.unpack_from(">HHIH", data, at + 1)
    return Answer(identifier, (flags >> 11) & 0xF, flags & 0xF, flags, decoded(data[13:45]),
                  type, ttl, data[at + 11:at + 11 + length])


def ask(address, packet, seconds=0.3, box=None, all_answers=False):
    """Sends one packet; the first answer with its identifier, or None by the deadline."""
    found = []
    with (box.socket() if box else socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.settimeout(seconds)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        udp.sendto(packet, (address, PORT))
        try:
            while True:
                data, _ = udp.recvfrom(2048)
                if data[:2] != packet[:2]:
                    continue
                answer = parse(data)
                if answer and not all_answers:
                    return answer
                found.append(answer)
        except (TimeoutError, ConnectionError):
            return found if all_answers else None


def query(address, name, suffix, type=NB, seconds=0.3, box=None):
    """A positive answer to a name query (broadcast where the address is), or None."""
    flags = RECURSION_DESIRED | (BROADCAST if address == plan.BROADCAST else 0)
    identifier = int.from_bytes(os.urandom(2), "big")
    answer = ask(address, question(identifier, name, suffix, type, flags), seconds, box)
    return answer if answer and answer.code == 0 else None


def node_status(address, seconds=0.5, box=None):
    answer = query(address, "*", 0, NBSTAT, seconds, box)
    return answer.names if answer else None


class Server(threading.Thread):
    """A name server in a box where none is, which has every name, at its own address. To a node
    status it says that it is a computer and no more."""

    def __init__(self, box):
        super().__init__(daemon=True)
        self.address = box.address
        self.socket = box.socket()
        self.socket.bind((box.address, PORT))
        self.socket.settimeout(0.1)
        self.ended = threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            try:
                asked, asker = self.socket.recvfrom(2048)
            except TimeoutError:
                continue
            type = struct.unpack_from(">H", asked, 12 + 34)[0]
            data = struct.pack(">H4s", 0x6000, socket.inet_aton(self.address))
            if type == NBSTAT:
                data = bytes([1]) + padded("ELSEWHO", 0) + struct.pack(">H", 0x0400) + bytes(46)
            head = struct.pack(">HHHHHH", *struct.unpack_from(">H", asked), 0x8580, 0, 1, 0, 0)
            record = asked[12:12 + 34] + struct.pack(">HHIH", type, 1, 300, len(data)) + data
            self.socket.sendto(head + record, asker)

    def close(self):
        self.ended.set()
        self.join()
        self.socket.close()
