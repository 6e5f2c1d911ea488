"""A CLDAP ping (MS-ADTS 6.3.3): asks a controller what it is, in one datagram."""

import os
import socket
import struct

PORT = 389


def _element(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    return bytes([tag, 0x82]) + struct.pack(">H", size) + content


def _octets(text):
    return _element(0x04, text if isinstance(text, bytes) else text.encode())


def request(identifier, domain, version=0x16):
    """A base search of the root for attribute Netlogon, with NtVer and DnsDomain as filter."""
    equal = [_element(0xA3, _octets(name) + _octets(value))
             for name, value in (("DnsDomain", domain), ("NtVer", struct.pack("<I", version)))]
    search = _element(0x63, _octets("") + _element(0x0A, b"\0") + _element(0x0A, b"\0")
                      + _element(0x02, b"\0") + _element(0x02, b"\0") + _element(0x01, b"\0")
                      + _element(0xA0, b"".join(equal)) + _element(0x30, _octets("Netlogon")))
    return _element(0x30, _element(0x02, struct.pack(">I", identifier)) + search)


def ping(address, domain, seconds=0.5, box=None):
    """The raw answer, or None. A controller that is not ready sends an empty result."""
    identifier = int.from_bytes(os.urandom(3), "big")
    with (box.socket() if box else socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.settimeout(seconds)
        try:
            udp.sendto(request(identifier, domain), (address, PORT))
            data = udp.recv(4096)
        except (TimeoutError, ConnectionError):
            return None
    return data if b"etlogon" in data else None
