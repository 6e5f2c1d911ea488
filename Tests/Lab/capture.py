"""What went over the wire: captured by tcpdump, counted by tshark, not by the program itself."""

import dataclasses
import os
import socket
import subprocess
import time

import plan
from boxes import LabError, await_event

# The end of a capture is marked by a frame of our own: once it is in the file, so is all before it.
MARK_PORT = 9
_FIELDS = ("frame.time_epoch", "frame.len", "tcp.len", "tcp.hdr_len", "tcp.flags",
           "_ws.col.Protocol", "ip.src", "ip.dst", "tcp.stream", "_ws.col.Info")
_ACK_ONLY = 0x10


@dataclasses.dataclass(frozen=True)
class Frame:
    time: float
    size: int       # as on the cable, without FCS
    payload: int    # of TCP; -1 where it is another protocol
    options: int    # octets of TCP options
    flags: int
    protocol: str
    source: str
    destination: str
    stream: str     # the connection's number; empty where it is not TCP
    info: str

    @property
    def is_bare_ack(self):
        return self.payload == 0 and self.flags == _ACK_ONLY


@dataclasses.dataclass
class Count:
    """Frames and bytes as on the cable; bare acknowledgements counted apart."""
    frames: list

    def __len__(self):
        return len(self.carrying)

    @property
    def carrying(self):
        """All that is not a bare acknowledgement."""
        return [frame for frame in self.frames if not frame.is_bare_ack]

    @property
    def acks(self):
        return [frame for frame in self.frames if frame.is_bare_ack]

    @property
    def bytes(self):
        return sum(frame.size for frame in self.carrying)

    @property
    def bytes_without_options(self):
        return sum(frame.size - frame.options for frame in self.carrying)

    @property
    def ack_bytes(self):
        return sum(frame.size for frame in self.acks)

    @property
    def milliseconds(self):
        return 1e3 * (self.frames[-1].time - self.frames[0].time) if self.frames else 0.0

    def peer_milliseconds(self, us):
        """The time that others took, all in all."""
        return sum(self.exchanges(us))

    def exchanges(self, us):
        """Milliseconds from each frame of ours that finds no other unanswered to the next frame
        that comes back."""
        found, asked = [], None
        for frame in self.carrying:
            if frame.source == us:
                asked = asked or frame.time
            elif asked is not None:
                found.append(1e3 * (frame.time - asked))
                asked = None
        return found

    @property
    def protocols(self):
        counts = {}
        for frame in self.frames:
            counts[frame.protocol] = counts.get(frame.protocol, 0) + 1
        return counts

    def only(self, test):
        return Count([frame for frame in self.frames if test(frame)])

    def between(self, *addresses):
        """Frames among these addresses; ARP is told by its lack of them."""
        return self.only(lambda frame: {frame.source, frame.destination} <= set(addresses))

    def without_connections(self, word):
        """Without the TCP connections that some frame's description has the word of."""
        streams = {frame.stream for frame in self.frames if frame.stream and word in frame.info}
        return self.only(lambda frame: frame.stream not in streams)

    def __str__(self):
        acks = f" + {len(self.acks)} acks" if self.acks else ""
        return (f"{len(self)} frames{acks}, {self.bytes} bytes "
                f"({self.bytes_without_options} without TCP options), {self.milliseconds:.1f} ms")

    def listing(self):
        """One line for each frame, for a failing test's message."""
        start = self.frames[0].time if self.frames else 0
        return "\n".join(f"{1e3 * (frame.time - start):9.2f} {frame.size:5} {frame.source:>15} "
                         f"{frame.protocol:10} {frame.info[:90]}" for frame in self.frames)


class Capture:
    """`with Capture(lab.gate) as wire: …; wire.mark("logon"); …` then `wire.count("logon")`.

    A box's frames are taken at the switch's end of its cable, so that nothing of the capture runs
    inside the box.
    """

    _serial = 0

    def __init__(self, lab, box, keep_as=None):
        Capture._serial += 1
        name = keep_as or f"capture-{os.getpid()}-{Capture._serial}"
        self.box, self.switch = box, lab.switch
        self.path = plan.STATE / "captures" / f"{name}.pcap"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.keep = keep_as is not None
        self.marks = []
        self._frames = None

    def __enter__(self):
        self.process = self.switch.popen(
            "tcpdump", "-i", self.box.port, "--immediate-mode", "-U", "-s", "0", "-B", "16384",
            "-Z", "root", "-w", self.path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, start_new_session=True)
        for line in self.process.stderr:
            if "listening on" in line:
                break
        else:
            raise LabError("tcpdump did not start")
        self.mark("start")
        return self

    def __exit__(self, *exception):
        self.stop()

    def mark(self, name):
        """Frames from here to the next mark belong to this name."""
        self.marks.append((time.time(), name))

    def stop(self):
        if self.process is None:
            return
        self.marks.append((time.time(), "end"))
        token = os.urandom(16)
        try:
            with self.box.socket() as udp:
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                udp.sendto(token, (plan.BROADCAST, MARK_PORT))
            await_event("capture is complete", lambda: self._holds(token), 10, 0.005)
        finally:
            self.process.terminate()
            self.process.wait()
            self.process.stderr.close()
            self.process = None

    def _holds(self, token):
        with open(self.path, "rb") as file:
            file.seek(max(0, self.path.stat().st_size - 65536))
            return token in file.read()

    @property
    def frames(self):
        if self._frames is None:
            self._frames = _read(self.path)
            if not self.keep:
                self.path.unlink()
        return self._frames

    def count(self, name=None):
        """The frames of that mark's interval; all of them without a name."""
        if name is None:
            return Count(self.frames)
        ends = [moment for moment, _ in self.marks[1:]] + [float("inf")]
        for (begin, each), end in zip(self.marks, ends):
            if each == name:
                return Count([frame for frame in self.frames if begin <= frame.time < end])
        raise KeyError(name)


def _read(path):
    fields = [word for field in _FIELDS for word in ("-e", field)]
    # NetBIOS and the mark are not TCP; everything else that the lab's boxes send is decoded as is.
    done = subprocess.run(
        ["tshark", "-n", "-r", path, "-Y", f"!(udp.port=={MARK_PORT})", "-T", "fields",
         "-E", "occurrence=f", *fields], capture_output=True, text=True)
    if done.returncode != 0:
        raise LabError(f"tshark: {done.stderr}")
    frames = []
    for line in done.stdout.splitlines():
        (moment, size, payload, header, flags, protocol, source, target, stream,
         info) = line.split("\t", len(_FIELDS) - 1)
        frames.append(Frame(
            float(moment), int(size), int(payload) if payload else -1,
            int(header) - 20 if header else 0, int(flags, 16) if flags else 0,
            protocol, source, target, stream, info))
    return frames
