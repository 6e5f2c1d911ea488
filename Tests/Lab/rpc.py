"""The smallest DCE/RPC client that finds a port: one bind and one ept_map (C706 appendix O); and
PDUs for tests that send them by hand."""

import socket
import struct
import uuid

ENDPOINT_MAPPER = (uuid.UUID("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), 3)
NETLOGON = (uuid.UUID("12345678-1234-abcd-ef00-01234567cffb"), 1)
LSA = (uuid.UUID("12345778-1234-abcd-ef00-0123456789ab"), 0)
SAMR = (uuid.UUID("12345778-1234-abcd-ef00-0123456789ac"), 1)
WKSSVC = (uuid.UUID("6bffd098-a112-3610-9833-46c3f87e345a"), 1)
SRVSVC = (uuid.UUID("4b324fc8-1670-01d3-1278-5a47bf6ee188"), 3)
NDR = (uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860"), 2)


REQUEST, RESPONSE, FAULT, BIND, BIND_ACK = 0, 2, 3, 11, 12
FIRST, LAST = 1, 2
BAD_STUB_DATA = 1783


def _header(kind, length, call, flags=FIRST | LAST):
    return struct.pack("<BBBBIHHI", 5, 0, kind, flags, 0x10, length, 0, call)


def request(opnum, stub, call=2, flags=FIRST | LAST, hint=None):
    body = struct.pack("<IHH", len(stub) if hint is None else hint, 0, opnum) + stub
    return _header(REQUEST, 16 + len(body), call, flags) + body


def _interface(which):
    return which[0].bytes_le + struct.pack("<I", which[1])


def bind(interface):
    body = (struct.pack("<HHIBBHHBB", 4280, 4280, 0, 1, 0, 0, 0, 1, 0)
            + _interface(interface) + _interface(NDR))
    return _header(BIND, 16 + len(body), 1) + body


def _tower(interface):
    def floor(left, right):
        return struct.pack("<H", len(left)) + left + struct.pack("<H", len(right)) + right

    def syntax(which):
        return floor(b"\x0d" + which[0].bytes_le + struct.pack("<H", which[1]), bytes(2))

    return (struct.pack("<H", 5) + syntax(interface) + syntax(NDR) + floor(b"\x0b", bytes(2))
            + floor(b"\x07", bytes(2)) + floor(b"\x09", bytes(4)))


def _map_request(interface):
    tower = _tower(interface)
    stub = (struct.pack("<I", 1) + bytes(16) + struct.pack("<III", 2, len(tower), len(tower))
            + tower + bytes(-len(tower) % 4) + bytes(20) + struct.pack("<I", 1))
    return request(3, stub)


def receive(stream):
    data = b""
    while len(data) < 16 or len(data) < struct.unpack_from("<H", data, 8)[0]:
        piece = stream.recv(8192)
        if not piece:
            raise ConnectionError("closed")
        data += piece
    return data


def fault(pdu):
    """The status of a fault (C706 12.6.4.7)."""
    return struct.unpack_from("<I", pdu, 24)[0]


def netlogon_port(address, seconds=2):
    """The TCP port of Netlogon, or None while the endpoint mapper does not know it."""
    try:
        with socket.create_connection((address, 135), seconds) as stream:
            stream.sendall(bind(ENDPOINT_MAPPER))
            receive(stream)
            stream.sendall(_map_request(NETLOGON))
            answer = receive(stream)
    except OSError:
        return None
    # In the tower that comes back, floor 4 is 07 (TCP) with the port in network order.
    at = answer.find(b"\x01\x00\x07\x02\x00")
    return struct.unpack_from(">H", answer, at + 5)[0] if at > 0 else None
