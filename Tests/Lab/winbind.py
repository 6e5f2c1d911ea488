"""Requests as libwbclient makes them, octet by octet: for interfaces of other versions of Samba,
for answers to be compared in full, and for what no program linked with it ever does."""

import dataclasses
import os
import struct

import control

# Of a request and of a response, by interface.
SIZES = {27: (2096, 3496), 28: (2096, 3496), 30: (2096, 4008), 31: (2128, 4008),
         32: (2136, 4008), 33: (2136, 4008)}
INTERFACE_VERSION, PAM_AUTH, PAM_AUTH_CRAP, LIST_USERS, LOOKUPNAME = 0, 13, 14, 18, 22
CHECK_MACHACC, PING_DC, PING = 29, 31, 32
INFO3_TEXT, USER_SESSION_KEY, LMKEY, UNIX_NAME, BIG_RESPONSE = 0x2, 0x4, 0x8, 0x80, 0x10000
MSCHAPV2 = 0x10820      # and computers
DONE = 2


def directory_command(interface):
    return {27: 47, 33: 43}.get(interface, 44)


@dataclasses.dataclass
class Answer:
    octets: bytes
    extra: bytes

    @property
    def done(self):
        return self.number(4) == DONE

    @property
    def status(self):
        return self.number(8)

    @property
    def key(self):
        return self.octets[528:544]

    def number(self, offset):
        return struct.unpack_from("<I", self.octets, offset)[0]


def request(command, interface=32, flags=0, domain="", body=(), extra=b""):
    """`body`: values by their offset in what depends on the command."""
    size = SIZES[interface][0]
    octets = bytearray(size)
    struct.pack_into("<IIIIII", octets, 0, size, command, 0, os.getpid(), 0, flags)
    octets[24:24 + len(domain)] = domain.encode()
    for offset, value in dict(body).items():
        value = value.encode() if isinstance(value, str) else value
        start = size - 1816 + offset
        octets[start:start + len(value)] = value
    struct.pack_into("<I", octets, size - 8, len(extra))
    return bytes(octets) + extra


def by_password(user, password, flags):
    return request(PAM_AUTH, flags=flags, body={0: user, 256: password})


def by_response(domain, user, response, flags, parameters=MSCHAPV2):
    """`response`: one of ntlm.py's."""
    is_big = len(response.nt) > 256
    body = {0: response.challenge, 8: struct.pack("<I", parameters), 12: user, 268: domain,
            524: response.lm, 780: struct.pack("<I", len(response.lm)),
            784: b"" if is_big else response.nt, 1040: struct.pack("<I", len(response.nt))}
    return request(PAM_AUTH_CRAP, flags=flags | (BIG_RESPONSE if is_big else 0), body=body,
                   extra=response.nt if is_big else b"")


class Client(control.LocalClient):
    """One connection. A test's process may reach into a box, as its folders are this host's.

    It agrees on the version first, and comes again where the answer is another one; `raw` leaves
    that out. `told` is what was answered each time."""

    TRIES = 4

    def __init__(self, path, interface=32, timeout=20, raw=False):
        self.interface, self.told = interface, []
        while True:
            self.connect(path, timeout)
            if raw:
                return
            self.told.append(self.ask(request(INTERFACE_VERSION, interface)).number(8))
            if self.told[-1] == interface:
                return
            self.socket.close()
            if len(self.told) == self.TRIES:
                raise AssertionError(f"interface {interface} was told {self.told}")

    def ask(self, octets):
        self.send(octets)
        return self.answer()

    def answer(self):
        octets = self.take(SIZES[self.interface][1])
        length = struct.unpack_from("<I", octets)[0]
        return Answer(octets, self.take(length - len(octets)))

    def take(self, count):
        octets = b""
        while len(octets) < count:
            piece = self.socket.recv(count - len(octets))
            if not piece:
                raise EOFError(f"the connection ended after {len(octets)} of {count} octets")
            octets += piece
        return octets

    def ended(self):
        """Waits for the other end to close, without an answer."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
