"""The smallest DCE/RPC client that finds a port: one bind and one ept_map (C706 appendix O)."""

import socket
import struct
import uuid

ENDPOINT_MAPPER = (uuid.UUID("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), 3)
NETLOGON = (uuid.UUID("12345678-1234-abcd-ef00-01234567cffb"), 1)
NDR = (uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860"), 2)


def _header(kind, length, call):
    return struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, length, 0, call)


def _interface(which):
    return which[0].bytes_le + struct.pack("<I", which[1])


def _bind(interface):
    body = (struct.pack("<HHIBBHHBB", 4280, 4280, 0, 1, 0, 0, 0, 1, 0)
            + _interface(interface) + _interface(NDR))
    return _header(11, 16 + len(body), 1) + body


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
    body = struct.pack("<IHH", len(stub), 0, 3) + stub
    return _header(0, 16 + len(body), 2) + body


def _receive(stream):
    data = b""
    while len(data) < 16 or len(data) < struct.unpack_from("<H", data, 8)[0]:
        piece = stream.recv(8192)
        if not piece:
            raise ConnectionError("closed")
        data += piece
    return data


def netlogon_port(address, seconds=2):
    """The TCP port of Netlogon, or None while the endpoint mapper does not know it."""
    try:
        with socket.create_connection((address, 135), seconds) as stream:
            stream.sendall(_bind(ENDPOINT_MAPPER))
            _receive(stream)
            stream.sendall(_map_request(NETLOGON))
            answer = _receive(stream)
    except OSError:
        return None
    # In the tower that comes back, floor 4 is 07 (TCP) with the port in network order.
    at = answer.find(b"\x01\x00\x07\x02\x00")
    return struct.unpack_from(">H", answer, at + 5)[0] if at > 0 else None
