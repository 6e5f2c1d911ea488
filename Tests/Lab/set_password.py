#!/usr/bin/python3
"""set_password.py ad|nt4 SMB.CONF ACCOUNT: sets the password that standard input's line gives.

Lab-only, run inside the controller's box with Debian's python3-samba; the controller may run.
"""

import sys


def in_ad(conf, account, password):
    import ldb
    from samba.auth import system_session
    from samba.param import LoadParm
    from samba.samdb import SamDB
    loadparm = LoadParm()
    loadparm.load(conf)
    samdb = SamDB(session_info=system_session(loadparm), lp=loadparm)
    samdb.setpassword(f"(sAMAccountName={ldb.binary_encode(account)})", password)


def in_nt4(conf, account, password):
    from samba.samba3 import param, passdb
    context = param.get_context()
    context.load(conf)
    database = passdb.PDB(context.get("passdb backend"))
    entry = database.getsampwnam(account)
    entry.plaintext_passwd = password
    database.update_sam_account(entry)


kind, *arguments = sys.argv[1:]
{"ad": in_ad, "nt4": in_nt4, "pdc": in_nt4}[kind](*arguments, sys.stdin.readline().rstrip("\n"))
