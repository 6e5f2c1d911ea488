"""A relay in front of a controller that misbehaves on demand: the controller stays as it is.

The program under test is given the relay's address as its controller. TCP is passed port by port,
UDP (CLDAP) datagram by datagram.
"""

import contextlib
import os
import selectors
import socket
import struct
import threading

PIECE = 65536


class Relay:
    """`with Relay(lab.boxes["relay"], address, [135, 49152]) as relay: relay.corrupt_next()`."""

    def __init__(self, box, target, ports, udp_ports=(389,)):
        self.box, self.target, self.ports, self.udp_ports = box, target, ports, udp_ports
        self.selector = selectors.DefaultSelector()
        self.pairs = {}         # stream: (its other end, True where it leads to the controller)
        self.listeners = []
        self.spoil = None       # what to do to the next reply; None: nothing
        self.mute = False       # replies are swallowed
        self.left = None        # how many come before that
        self.translated = None  # octets of requests, and what is passed on in their place
        self.accepted = 0
        self.spoilt = threading.Event()
        self.lock = threading.Lock()

    def __enter__(self):
        self.wake_in, self.wake_out = os.pipe()
        self.selector.register(self.wake_in, selectors.EVENT_READ)
        self.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        os.write(self.wake_out, b".")
        self.thread.join()
        self.refuse()
        self.reset()
        self.selector.close()
        os.close(self.wake_in)
        os.close(self.wake_out)

    def listen(self):
        for port in self.ports:
            stream = self.box.socket(socket.SOCK_STREAM)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stream.bind((self.box.address, port))
            stream.listen(128)
            self._watch(stream, self._accept)
        for port in self.udp_ports:
            udp = self.box.socket()
            udp.bind((self.box.address, port))
            self._watch(udp, self._pass_datagram)

    def _watch(self, what, action):
        what.setblocking(False)
        self.listeners.append(what)
        self.selector.register(what, selectors.EVENT_READ, action)

    # What can be made to go wrong

    def refuse(self):
        """New connections are refused, as by a host whose service has ended."""
        for what in self.listeners:
            self.selector.unregister(what)
            what.close()
        self.listeners = []

    def reset(self):
        """Every connection ends with RST."""
        with self.lock:
            for stream in list(self.pairs):
                if stream in self.pairs:    # its other end may have taken it along
                    self._drop(stream, reset=True)

    def close(self):
        """Every connection ends in an orderly way, as an idle one does."""
        with self.lock:
            for stream in list(self.pairs):
                if stream in self.pairs:
                    self._drop(stream)

    def corrupt_next(self):
        """One bit of the next reply is turned, in its last quarter: a seal that does not fit."""
        def turn(data):
            at = len(data) * 3 // 4
            return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:]
        self._spoil(turn)

    def garble_next(self):
        """The next reply keeps its header and length, and has noise for a body."""
        self._spoil(lambda data: data[:24] + os.urandom(len(data) - 24))

    def translate(self, before, after):
        """From now on these octets of a request reach the controller as those."""
        self.translated = before, after

    def swallow_next(self):
        """The next reply never arrives; what follows does."""
        self._spoil(lambda data: b"")

    def mute_after(self, count):
        """So many replies arrive, and nothing after them, until `mute` is taken back."""
        self.spoilt.clear()
        self.left = count

    def cut_next(self):
        """Half of the next reply arrives, then the connection is reset."""
        self._spoil(lambda data: None)

    def pass_then_cut(self, octets):
        """So many octets of replies arrive, on any connections, then the connection is reset."""
        left = [octets]

        def cut(data):
            left[0] -= len(data)
            if left[0] <= 0:
                return None
            self.spoil = cut
            return data
        self._spoil(cut)

    def _spoil(self, change):
        self.spoilt.clear()
        self.spoil = change

    # The thread

    def _serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj == self.wake_in:
                    return
                with self.lock, contextlib.suppress(OSError):
                    if key.fileobj.fileno() >= 0:
                        key.data(key.fileobj)

    def _accept(self, listener):
        near, _ = listener.accept()
        self.accepted += 1
        far = self.box.socket(socket.SOCK_STREAM)
        try:
            far.connect((self.target, listener.getsockname()[1]))
        except OSError:
            near.close()
            far.close()
            return
        for stream, other, leads_there in ((near, far, False), (far, near, True)):
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.pairs[stream] = (other, leads_there)
            self.selector.register(stream, selectors.EVENT_READ, self._pass)

    def _pass(self, stream):
        other, from_controller = self.pairs[stream]
        try:
            data = stream.recv(PIECE)
        except ConnectionError:
            return self._drop(stream, reset=True)
        if not data:
            return self._drop(stream)
        if from_controller:
            if self.left == 0:
                self.mute, self.left = True, None
                self.spoilt.set()
            if self.mute:
                return
            if self.left:
                self.left -= 1
            if self.spoil:
                spoil, self.spoil = self.spoil, None
                changed = spoil(data)
                if self.spoil is None:
                    self.spoilt.set()
                if changed is None:
                    other.sendall(data[:len(data) // 2])
                    return self._drop(stream, reset=True)
                data = changed
        elif self.translated:
            data = data.replace(*self.translated)
        with contextlib.suppress(BlockingIOError):
            other.sendall(data)

    def _drop(self, stream, reset=False):
        other, _ = self.pairs.pop(stream)
        self.pairs.pop(other, None)
        for end in (stream, other):
            if reset:   # closing with no time to linger sends RST
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.selector.unregister(end)
            end.close()

    def _pass_datagram(self, udp):
        data, asker = udp.recvfrom(PIECE)
        with self.box.socket() as far:
            far.settimeout(1)
            far.sendto(data, (self.target, udp.getsockname()[1]))
            with contextlib.suppress(TimeoutError):
                udp.sendto(far.recv(PIECE), asker)
