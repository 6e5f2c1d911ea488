"""What the lab consists of: boxes, domains, accounts. Plain data, for the scripts and the tests.

Everything here is public and worthless: addresses exist only inside the lab's namespaces, and the
passwords open nothing but the lab's throw-away domains.
"""

import dataclasses
import hashlib
import os
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
# Labs of different names share nothing but the machine: POSTERN_LAB=mine makes one of one's own.
NAME = os.environ.get("POSTERN_LAB", "pl")
STATE = (pathlib.Path(os.environ.get("TMPDIR", "/tmp"))
         / ("postern-lab" if NAME == "pl" else f"postern-lab-{NAME}"))

PREFIX = f"{NAME}-"
SWITCH = "sw"
NETWORK = "10.77.0"
BROADCAST = f"{NETWORK}.255"

ADDRESSES = {
    "ad": f"{NETWORK}.10",      # Samba AD controller
    "nt4": f"{NETWORK}.20",     # Samba NT4-style PDC and WINS server
    "member": f"{NETWORK}.30",  # winbindd, the oracle
    "gate": f"{NETWORK}.40",    # the program under test
    "client": f"{NETWORK}.50",  # whoever asks
    "relay": f"{NETWORK}.60",   # a TCP relay that misbehaves on demand
    "pdc": f"{NETWORK}.70",     # Samba NT4-style PDC of a domain for trusts
}

# Whom the program under test becomes, as packaging/postern.sysusers would have it made.
UNIX_USER_ID = 990
UNIX_USER = {
    "passwd": f"postern:x:{UNIX_USER_ID}:{UNIX_USER_ID}::/var/lib/postern:/usr/sbin/nologin\n",
    "group": f"postern:x:{UNIX_USER_ID}:\n",
}

ADMINISTRATOR_PASSWORD = "Adm1n-Pass!"
PASSWORD = "Us3r-Pass!"
MACHINE_PASSWORD = "mach-Passw0rd"
GROUPS = 2000


@dataclasses.dataclass(frozen=True)
class Domain:
    box: str
    name: str         # NetBIOS name of the domain
    controller: str   # NetBIOS name of its controller
    profile: str      # how the program under test speaks to it
    dns_name: str = ""

    @property
    def address(self):
        return ADDRESSES[self.box]


AD = Domain("ad", "ADLAB", "AD", "modern", "ad.lab")
NT4 = Domain("nt4", "NT4LAB", "NT4PDC", "nt4")
DOMAINS = {"ad": AD, "nt4": NT4}

# The other end of trusts, as small as the domains of the documented flows. It runs only while
# tests of trusts do, and is found by NT4LAB's WINS server.
TRUSTED = Domain("pdc", "TRUSTED", "TRUSTPDC", "nt4")
TRUSTED_USERS = ("carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
OUR_DOMAIN = "OURDOM"           # the domain that the program under test trusts for
TRUST_PASSWORD = "trust-Passw0rd"
# The domain that the program under test has of its own where Samba trusts it, and a user of it.
# Samba wants a Unix account behind every user, of trusted domains too.
GATE_DOMAIN = "GATETWO"
GATE_USER = "olga"


@dataclasses.dataclass(frozen=True)
class Account:
    name: str
    state: str = "ok"   # what stands in the way of a logon with the right password
    password: str = PASSWORD
    workstations: str = ""
    groups: int = 0


ACCOUNTS = (
    Account("alice"),
    Account("bob"),
    Account("wanda"),                                       # the wrong passwords are tried on her
    Account("disabled", "disabled"),
    Account("locked", "locked"),
    Account("expired", "expired"),                          # the account
    Account("pwexpired", "password expired"),
    Account("mustchange", "must change"),
    Account("bound", "workstation", workstations="OTHERBOX"),
    Account("nohours", "hours"),                            # never allowed in
    Account("manygroups", groups=GROUPS),
    Account("jürgen", password="Pä55wörd-ñ€"),
    Account("longpass", password="a passphrase longer than fourteen bytes, thus without LM hash"),
    Account("mary ann"),
)
UNKNOWN = "stranger"

# Workstation trust accounts with a known password. GATE1 is the program under test, GATE2 a second
# host for failover and takeover, PC1 a computer that logs on through them.
MACHINES = ("GATE1", "GATE2", "PC1")
# A backup controller's account in ADLAB: an AD controller takes an NTLMv2 response that was made
# for another computer than the one that passes it on from controllers alone.
BACKUP = "GATE3"


def account(name):
    return next(item for item in ACCOUNTS if item.name == name)


def fingerprint(*files):
    """Names a cache entry: it changes when the plan or one of the provisioning files does."""
    digest = hashlib.sha256()
    for name in ("plan.py", *files):
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()[:12]
