"""One SMB1 session by hand: as far as a client of NT LM 0.12 gets, and what none should send."""

import socket
import struct

import ntlm

NEGOTIATE, SESSION_SETUP, TREE_CONNECT = 0x72, 0x73, 0x75
OPEN_ANDX, READ_ANDX, WRITE_ANDX, TRANSACTION = 0x2D, 0x2E, 0x2F, 0x25
SUCCESS = 0


class Session:
    """Made in a box, which its address is of."""

    def __init__(self, box, address, port=445, seconds=30):
        self.stream = box.socket(socket.SOCK_STREAM)
        self.stream.settimeout(seconds)
        self.stream.connect((address, port))
        self.user_id = self.tree_id = 0

    def close(self):
        self.stream.close()

    # Messages

    def message(self, command, words=b"", data=b"", mid=1):
        header = (b"\xffSMB" + bytes([command]) + bytes(4) + b"\x08" + struct.pack("<H", 0x4001)
                  + bytes(12) + struct.pack("<HHHH", self.tree_id, 99, self.user_id, mid))
        return header + bytes([len(words) // 2]) + words + struct.pack("<H", len(data)) + data

    def send(self, message):
        self.stream.sendall(struct.pack(">I", len(message)) + message)

    def receive(self):
        length, = struct.unpack(">I", self._read(4))
        return self._read(length)

    def exchange(self, command, words=b"", data=b"", mid=1):
        self.send(self.message(command, words, data, mid))
        return self.receive()

    def _read(self, count):
        got = b""
        while len(got) < count:
            piece = self.stream.recv(count - len(got))
            if not piece:
                raise ConnectionError("the server has ended the connection")
            got += piece
        return got

    @staticmethod
    def status(answer):
        return struct.unpack_from("<I", answer, 5)[0]

    # The usual beginning

    def negotiate(self):
        answer = self.exchange(NEGOTIATE, data=b"\x02NT LM 0.12\0")
        return answer[69:77]    # the challenge: header, count, seventeen words, count

    def log_on(self, user, domain, password):
        response = ntlm.ntlmv2(user, domain, password, "GATE1", self.negotiate()).nt
        return self.set_up(response, user, domain)

    def set_up(self, response=b"", user="", domain=""):
        """Nobody's session without arguments."""
        words = struct.pack("<BBHHHHIHHII", 0xff, 0, 0, 4356, 2, 1, 0, 0, len(response), 0, 0x50)
        strings = b"".join(text.encode() + b"\0" for text in (user, domain, "", ""))
        answer = self.exchange(SESSION_SETUP, words, response + strings, 2)
        self.user_id, = struct.unpack_from("<H", answer, 28)
        return self.status(answer)

    def take(self, share):
        words = struct.pack("<BBHHH", 0xff, 0, 0, 0, 1)
        path = b"\0\\\\GATE1\\" + share.encode() + b"\0?????\0"
        answer = self.exchange(TREE_CONNECT, words, path, 3)
        self.tree_id, = struct.unpack_from("<H", answer, 24)
        return self.status(answer)

    def transact(self, name, parameters, data):
        """A transaction in one message; the parameters of its answer."""
        start = 32 + 1 + 28 + 2 + len(name) + 1
        words = struct.pack("<HHHHBBHIHHHHHBB", len(parameters), len(data), 64, 1024, 0, 0, 0, 0,
                            0, len(parameters), start, len(data), start + len(parameters), 0, 0)
        answer = self.exchange(TRANSACTION, words, name.encode() + b"\0" + parameters + data, 5)
        if self.status(answer) != SUCCESS:
            raise ConnectionError(f"no transaction {name}: 0x{self.status(answer):08x}")
        count, at = struct.unpack_from("<HH", answer, 33 + 6)
        return answer[at:at + count]

    def open_pipe(self, name):
        words = struct.pack("<BBHHHHHIHIII", 0xff, 0, 0, 0, 0x42, 0, 0, 0, 1, 0, 0, 0)
        answer = self.exchange(OPEN_ANDX, words, b"\\PIPE\\" + name.encode() + b"\0", 4)
        if self.status(answer) != SUCCESS:
            raise ConnectionError(f"no pipe {name}: 0x{self.status(answer):08x}")
        return struct.unpack_from("<H", answer, 37)[0]
