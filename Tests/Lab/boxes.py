"""Boxes: network namespaces with a view of /etc and /run/samba of their own, on one bridge.

Nothing is made in the host's own network namespace: the bridge lives in a namespace too. A box's
processes are found by their namespace, so ending them can never reach anybody else's.
"""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

import plan

NAMESPACES = pathlib.Path("/run/netns")
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

# Each box sees its own files in place of these. `ip netns exec` gives a private mount namespace.
_ENTER = """
for file in "$0"/etc/*; do
    target=/etc/${file##*/}
    [ -e "$target" ] && mount --bind "$file" "$target"
done
mkdir -p /run/samba && mount --bind "$0/run" /run/samba
export KRB5_CONFIG="$0/etc/krb5.conf"
exec "$@"
"""


class LabError(Exception):
    pass


def await_event(what, ready, seconds=30, interval=0.02):
    """Polls `ready` until it is true; what a daemon does not announce can only be polled."""
    deadline = time.monotonic() + seconds
    while True:
        result = ready()
        if result:
            return result
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {seconds} s")
        time.sleep(interval)


def run(*command, check=True, **options):
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done


def _inside(pid, namespace):
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino == namespace
    except OSError:
        return False    # it has ended


class Box:
    def __init__(self, name):
        self.name = name
        self.namespace = plan.PREFIX + name
        self.address = plan.ADDRESSES.get(name, "")
        self.port = "p-" + name     # its end of the cable in the switch
        self.folder = plan.STATE / "boxes" / name

    @property
    def exists(self):
        return (NAMESPACES / self.namespace).exists()

    def write_etc(self, nameserver=None):
        etc = self.folder / "etc"
        etc.mkdir(parents=True, exist_ok=True)
        (self.folder / "run").mkdir(exist_ok=True)
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n{self.address} {self.name}\n")
        server = nameserver or "127.0.0.1"      # refused at once: nobody listens there
        search = f"search {plan.AD.dns_name}\n" if nameserver else ""
        (etc / "resolv.conf").write_text(f"{search}nameserver {server}\n")
        (etc / "krb5.conf").write_text(
            "[libdefaults]\n\tdefault_realm = AD.LAB\n\tdns_lookup_kdc = true\n"
            "\tdns_lookup_realm = false\n\trdns = false\n")
        for name, line in plan.UNIX_USER.items():
            mine = etc / name
            text = (mine if mine.exists() else pathlib.Path("/etc", name)).read_text()
            mine.write_text(text if "\npostern:" in text else text + line)

    def command(self, *words):
        """The command line that runs `words` inside the box."""
        return ["ip", "netns", "exec", self.namespace, "/bin/sh", "-c", _ENTER, str(self.folder),
                *(str(word) for word in words)]

    def run(self, *words, check=True, timeout=60, **options):
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        if options["stdin"] is None:
            del options["stdin"]
        done = subprocess.run(self.command(*words), capture_output=True, text=True,
                              timeout=timeout, **options)
        if check and done.returncode != 0:
            raise LabError(f"{self.name}: {' '.join(map(str, words))}: exit {done.returncode}: "
                           f"{done.stdout.strip()} {done.stderr.strip()}")
        return done

    def entry_seconds(self):
        """What it costs to enter the box: to be taken off where a command's own time counts."""
        times = []
        for _ in range(7):
            begin = time.monotonic()
            self.run("true")
            times.append(time.monotonic() - begin)
        return sorted(times)[len(times) // 2]

    def spawn(self, log, *words):
        """Starts a daemon that outlives this program; its output goes to the log."""
        path = plan.STATE / "log" / log
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as output:
            return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=subprocess.STDOUT, start_new_session=True)

    def popen(self, *words, **options):
        return subprocess.Popen(self.command(*words), **options)

    def pids(self):
        try:
            namespace = os.stat(NAMESPACES / self.namespace).st_ino
        except OSError:
            return []
        return [int(pid) for pid in os.listdir("/proc")
                if pid.isdigit() and int(pid) != os.getpid() and _inside(pid, namespace)]

    def signal(self, number):
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def end_processes(self, grace=5):
        """Asks first, and kills what is left. A stopped process must go on to hear TERM."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        try:
            await_event(f"end of {self.name}", lambda: not self.pids(), grace)
        except LabError:
            self.signal(signal.SIGKILL)
            await_event(f"end of {self.name}", lambda: not self.pids(), grace)

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the box's network; a socket made here stays there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(NAMESPACES / self.namespace, os.O_RDONLY)
        try:
            if _libc.setns(there, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            _libc.setns(home, CLONE_NEWNET)
            os.close(home)
            os.close(there)

    def socket(self, kind=socket.SOCK_DGRAM, family=socket.AF_INET, protocol=0):
        with self.entered():
            return socket.socket(family, kind, protocol)

    def connects(self, address, port, seconds=0.5):
        with self.socket(socket.SOCK_STREAM) as stream:
            stream.settimeout(seconds)
            return stream.connect_ex((address, port)) == 0


class Switch(Box):
    """The bridge and its cables."""

    def __init__(self):
        super().__init__(plan.SWITCH)

    def ip(self, *words, **options):
        return run("ip", "-n", self.namespace, *words, **options)

    def up(self):
        if self.exists:
            return
        run("ip", "netns", "add", self.namespace)
        self.folder.joinpath("etc").mkdir(parents=True, exist_ok=True)
        self.folder.joinpath("run").mkdir(exist_ok=True)
        self.ip("link", "set", "lo", "up")
        self.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        self.ip("link", "set", "br0", "up")
        self._quiet("br0")

    def connect(self, box):
        """Makes the box's namespace and plugs its cable in."""
        if box.exists:
            return
        run("ip", "netns", "add", box.namespace)
        self.ip("link", "add", box.port, "type", "veth", "peer", "name", "eth0",
                "netns", box.namespace)
        box_ip = ("ip", "-n", box.namespace)
        run(*box_ip, "link", "set", "lo", "up")
        run(*box_ip, "addr", "add", f"{box.address}/24", "broadcast", plan.BROADCAST, "dev", "eth0")
        # Without IPv6 there are no neighbour discovery frames in the captures.
        box.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6", check=False)
        box.run("ethtool", "-K", "eth0", *_PLAIN)
        self._quiet(box.port)
        run(*box_ip, "link", "set", "eth0", "up")
        self.plug(box)

    def _quiet(self, interface):
        switch = f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6"
        self.run("sh", "-c", f"echo 1 >{switch}", check=False)
        if interface != "br0":
            self.run("ethtool", "-K", interface, *_PLAIN)

    def plug(self, box):
        self.ip("link", "set", box.port, "master", "br0", "up")

    def unplug(self, box):
        """A black hole: the box keeps its link and address, and every frame is lost silently."""
        self.ip("link", "set", box.port, "nomaster")

    @contextlib.contextmanager
    def delayed(self, box, milliseconds, program):
        """Every frame to and from the box is so much later, each way: this kernel has no netem."""
        near, far = "d-" + box.name, "e-" + box.name
        self.ip("link", "del", near, check=False)   # left by a run that was killed
        self.ip("link", "add", near, "type", "veth", "peer", "name", far)
        for interface in (near, far):
            self._quiet(interface)
            self.ip("link", "set", interface, "up")
        self.unplug(box)
        self.ip("link", "set", far, "master", "br0")
        forwarder = self.popen(program, box.port, near, milliseconds, stdout=subprocess.PIPE)
        try:
            if forwarder.stdout.readline() != b"ready\n":
                raise LabError("delay did not start")
            yield
        finally:
            forwarder.kill()
            forwarder.wait()
            forwarder.stdout.close()
            self.ip("link", "del", near)
            self.plug(box)

    def down(self, boxes):
        for box in [*boxes, self]:
            box.end_processes()
        for box in [*boxes, self]:
            if box.exists:
                run("ip", "netns", "del", box.namespace)


# Offloads off: a capture then shows the frames that a real cable would carry.
_PLAIN = ("tso", "off", "gso", "off", "gro", "off", "tx", "off", "rx", "off")
