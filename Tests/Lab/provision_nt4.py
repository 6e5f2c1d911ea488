#!/usr/bin/python3
"""provision_nt4.py SMB.CONF: all accounts of the NT4-style domain, in one process.

Lab-only, run inside the PDC's box with Debian's python3-samba: the box's own /etc/passwd and
/etc/group must already hold the Unix side of every account (see controllers.py).
"""

import subprocess
import sys

from samba.dcerpc import lsa, security
from samba.samba3 import param, passdb

import plan

DISABLED, NORMAL, WORKSTATION, NO_EXPIRY, LOCKED = 0x1, 0x10, 0x80, 0x200, 0x400
LONG_AGO = 1_000_000_000    # 2001
FOREVER = 0xFFFFFFFF
WELL_KNOWN = {"labadmins": ("Domain Admins", 512), "labusers": ("Domain Users", 513)}


def add_account(database, name, password, flags):
    database.create_user(name, flags)
    entry = database.getsampwnam(name)
    entry.plaintext_passwd = password
    entry.acct_ctrl = flags
    return entry


def add_user(database, account):
    flags = NORMAL
    if account.state not in ("password expired", "must change"):
        flags |= NO_EXPIRY
    if account.state == "disabled":
        flags |= DISABLED
    if account.state == "locked":
        flags |= LOCKED
    entry = add_account(database, account.name, account.password, flags)
    if account.workstations:
        entry.workstations = account.workstations
    if account.state == "hours":
        entry.hours = [0] * 21
    if account.state == "expired":
        entry.kickoff_time = LONG_AGO
    if account.state == "must change":
        entry.pass_last_set_time = 0
    if account.state == "password expired":
        entry.pass_last_set_time = LONG_AGO
    database.update_sam_account(entry)


def set_policy(name, value):
    """By pdbedit: PDB.set_account_policy of Samba 4.17 refuses every argument."""
    subprocess.run(["pdbedit", "-s", sys.argv[1], "-P", name, "-C", str(value)], check=True,
                   stdout=subprocess.DEVNULL)


def add_group(database, nt_name, gid, rid):
    group = passdb.Groupmap()
    group.comment = ""  # passdb crashes on a group without one
    group.nt_name = nt_name
    group.gid = gid
    group.sid = security.dom_sid(f"{passdb.get_global_sam_sid()}-{rid}")
    group.sid_name_use = lsa.SID_NAME_DOM_GRP
    database.add_group_mapping_entry(group)


def main():
    context = param.get_context()
    context.load(sys.argv[1])
    database = passdb.PDB(context.get("passdb backend"))
    # Locked stays locked, and a password set in 2001 has expired; other accounts do not expire.
    set_policy("lockout duration", FOREVER)
    set_policy("maximum password age", 42 * 86400)
    gids = {}
    with open("/etc/group") as groups:
        for line in groups:
            name, _, gid, _ = line.split(":")
            gids[name] = int(gid)
    for name, (nt_name, rid) in WELL_KNOWN.items():
        add_group(database, nt_name, gids[name], rid)
    for number in range(plan.GROUPS):
        name = f"group-{number:04}"
        add_group(database, name, gids[name], 10000 + number)
    for name in ("root", "ntadmin"):
        entry = add_account(database, name, plan.ADMINISTRATOR_PASSWORD, NORMAL | NO_EXPIRY)
        database.update_sam_account(entry)
    for account in plan.ACCOUNTS:
        add_user(database, account)
    for name in (*plan.MACHINES, "MEMBER"):
        entry = add_account(database, f"{name}$", plan.MACHINE_PASSWORD, WORKSTATION)
        database.update_sam_account(entry)


if __name__ == "__main__":
    main()
