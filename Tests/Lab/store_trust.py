#!/usr/bin/python3
"""store_trust.py SMB.CONF DOMAIN SID: keeps the secret of a trust in DOMAIN, from standard input.

Lab-only, run inside a PDC's box with Debian's python3-samba. It is the last step of `net rpc
trustdom establish`, in which that tool of Samba 4.17 crashes.
"""

import sys

from samba.dcerpc import security
from samba.samba3 import param, passdb

conf, domain, sid = sys.argv[1:]
context = param.get_context()
context.load(conf)
database = passdb.PDB(context.get("passdb backend"))
database.set_trusteddom_pw(domain, sys.stdin.readline().rstrip("\n"), security.dom_sid(sid))
