"""Debian packages that the lab needs, and its C programs."""

import glob
import os
import pathlib
import shutil
import subprocess

import plan
from boxes import LabError

PACKAGES = (
    "samba", "samba-dsdb-modules", "samba-vfs-modules", "samba-ad-provision", "samba-testsuite",
    "winbind", "libnss-winbind", "smbclient", "libwbclient-dev", "python3-samba",
    "python3-markdown", "tdb-tools", "tshark", "tcpdump", "ethtool", "iproute2", "gcc", "libc6-dev",
    "nettle-dev", "curl", "nbtscan", "nmap", "python3-impacket",
)
# What calls ntlm_auth; installed by the tests that run them.
CALLERS = ("freeradius", "freeradius-utils", "squid")
PROGRAMS = ("samba", "smbd", "nmbd", "winbindd", "ntlm_auth", "wbinfo", "rpcclient", "smbclient",
            "smbtorture", "nmblookup", "tdbtool", "tshark", "tcpdump", "ethtool", "ip", "ss", "gcc",
            "curl", "nbtscan", "nmap")
FILES = ("/usr/include/samba-4.0/wbclient.h", "/usr/share/samba/setup/provision.ldif",
         "/usr/lib/python3/dist-packages/samba/samdb.py",
         "/usr/lib/*/libnss_winbind.so.2", "/usr/include/nettle/des.h",
         "/usr/lib/python3/dist-packages/impacket/smb.py")
NATIVE = {"delay": (), "authbench": ("-I/usr/include/samba-4.0", "-lwbclient"),
          "slotbench": (), "namebench": (), "execbench": ("-lpthread",), "ctlbench": ("-lpthread",),
          "setupbench": ("-lnettle",), "udpecho": (), "passon": ()}


def missing():
    return ([name for name in PROGRAMS if not shutil.which(name)]
            + [name for name in FILES if not glob.glob(name)])


def install():
    lacking = missing()
    if not lacking:
        return
    if os.geteuid() != 0:
        raise LabError(f"the lab needs root; missing: {', '.join(lacking)}")
    _install(PACKAGES)


def install_callers():
    _install(CALLERS)


def _install(packages):
    # Installing must not start a service in the host's own network: policy-rc.d says so to
    # Debian's maintainer scripts. One that stands already is somebody else's and is left alone.
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    known = subprocess.run(["apt-cache", "pkgnames"], capture_output=True, text=True).stdout
    names = [name for name in packages if not known or name in set(known.split())]
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "-qq"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run([*apt, "update"], check=True, env=environment)
        subprocess.run([*apt, "install", "-y", "--no-install-recommends", *names], check=True,
                       env=environment, stdout=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        raise LabError(f"apt-get failed: {error}") from None
    finally:
        if ours:
            policy.unlink()


def build_native():
    """Compiles what is older than its source."""
    folder = plan.STATE / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in NATIVE.items():
        source, program = plan.HERE / "native" / f"{name}.c", folder / name
        if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
            continue
        flags = [option for option in options if option.startswith("-I")]
        libraries = [option for option in options if option.startswith("-l")]
        command = ["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", *flags, "-o", program, source]
        done = subprocess.run([*command, *libraries], capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(f"{source.name}: {done.stderr[:2000]}")


def native(name):
    return plan.STATE / "bin" / name
