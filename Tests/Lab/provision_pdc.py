#!/usr/bin/python3
"""provision_pdc.py SMB.CONF: the accounts of the small domain at the other end of trusts.

Run inside its box like provision_nt4.py, whose parts it uses.
"""

import sys

from samba.samba3 import param, passdb

import plan
from provision_nt4 import NO_EXPIRY, NORMAL, WELL_KNOWN, add_account, add_group


def main():
    context = param.get_context()
    context.load(sys.argv[1])
    database = passdb.PDB(context.get("passdb backend"))
    for name, (nt_name, rid) in WELL_KNOWN.items():
        add_group(database, nt_name, {"labadmins": 4999, "labusers": 5000}[name], rid)
    for name in ("root", "ntadmin"):
        database.update_sam_account(
            add_account(database, name, plan.ADMINISTRATOR_PASSWORD, NORMAL | NO_EXPIRY))
    for name in plan.TRUSTED_USERS:
        database.update_sam_account(
            add_account(database, name, plan.PASSWORD, NORMAL | NO_EXPIRY))


main()
