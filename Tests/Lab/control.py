"""The agent's control socket, frame by frame, as Sources/Consumers has them:

    length(4) | kind(1) requestID(4) fields…

It imports nothing of the lab's, so that a test's program can use it under another user.
"""

import fcntl
import socket
import struct
import termios

COMMAND, OUTPUT, END = 0x03, 0x83, 0x84
FIND, EXPLAIN, ACCOUNT = 2, 3, 7
JSON = 1
STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


def command(number, kind, *words, flags=0):
    """The request `number` for a command."""
    texts = b"".join(struct.pack("<H", len(word)) + word.encode() for word in words)
    body = struct.pack("<BIBBB", COMMAND, number, kind, flags, len(words)) + texts
    return struct.pack("<I", len(body)) + body


def is_served(path):
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class LocalClient:
    """One connection of a Unix socket, here and of other daemons."""

    def connect(self, path, timeout=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def unread(self):
        """Octets that came and were not taken."""
        return struct.unpack("i", fcntl.ioctl(self.socket, termios.FIONREAD, b"\0" * 4))[0]


class Client(LocalClient):
    def __init__(self, path):
        self.connect(path)
        self._held = b""

    def frame(self):
        """(kind, request, fields) of the next frame, or None at the stream's end."""
        while len(self._held) < 4 or len(self._held) - 4 < struct.unpack("<I", self._held[:4])[0]:
            more = self.socket.recv(1 << 20)
            if not more:
                return None
            self._held += more
        length = struct.unpack("<I", self._held[:4])[0]
        frame, self._held = self._held[4:4 + length], self._held[4 + length:]
        return (*struct.unpack("<BI", frame[:5]), frame[5:])

    def answers(self, count):
        """So many commands' answers as they end: request → (exit code, output, errors)."""
        said, ended = {}, {}
        while len(ended) < count and (frame := self.frame()):
            kind, request, fields = frame
            out, error = said.setdefault(request, (bytearray(), bytearray()))
            if kind == END:
                ended[request] = fields[0], out.decode(), error.decode()
            else:
                (out if fields[0] == STANDARD_OUTPUT else error).extend(fields[1:])
        return ended
