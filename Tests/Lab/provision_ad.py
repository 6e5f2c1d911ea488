#!/usr/bin/python3
"""provision_ad.py FOLDER: makes the AD domain and all its accounts in one process, offline.

Lab-only, run inside the controller's box with Debian's python3-samba. One process, because each
samba-tool run costs a second; one transaction, because 2,000 groups otherwise cost minutes.
"""

import logging
import sys

import ldb
import samba.dsdb
import samba.param
from samba.auth import system_session
from samba.provision import provision

import plan

NEVER = "-9223372036854775808"
DISABLED, WORKSTATION, CONTROLLER, NORMAL = 0x2, 0x1000, 0x2000, 0x200
# Lets provisioning write pwdLastSet, which else only the change of a password does.
BYPASS = [f"local_oid:{samba.dsdb.DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID}:0"]
LONG_AGO = "126000000000000000"     # in 2000
TWO_DAYS = str(-2 * 86400 * 10_000_000)     # Samba takes a greatest age up to a day for none


def make_domain(folder):
    loadparm = samba.param.LoadParm()
    for name, value in (("netbios name", plan.AD.controller), ("interfaces", "lo eth0"),
                        ("bind interfaces only", "yes"), ("log level", "0")):
        loadparm.set(name, value)
    result = provision(
        logging.getLogger("provision"), system_session(), targetdir=folder,
        realm=plan.AD.dns_name.upper(), domain=plan.AD.name, hostname=plan.AD.controller.lower(),
        hostip=plan.AD.address, adminpass=plan.ADMINISTRATOR_PASSWORD, serverrole="dc",
        dns_backend="SAMBA_INTERNAL", dom_for_fun_level=4, use_ntvfs=False, lp=loadparm,
        skip_sysvolacl=True, batch_mode=True)
    return result.samdb


def set_policy(samdb):
    """No complexity, history or age: the plan's accounts differ by their own state alone."""
    replace(samdb, samdb.domain_dn(), pwdProperties="0", pwdHistoryLength="0", minPwdAge="0",
            maxPwdAge=NEVER)


def add_policy_for(samdb, name, account, **changes):
    """A fine-grained policy: here one account locks, or its password ages, and nobody else's."""
    settings = {
        "msDS-PasswordSettingsPrecedence": "10",
        "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
        "msDS-PasswordHistoryLength": "0",
        "msDS-PasswordComplexityEnabled": "FALSE",
        "msDS-MinimumPasswordLength": "0",
        "msDS-MinimumPasswordAge": "0",
        "msDS-MaximumPasswordAge": NEVER,
        "msDS-LockoutThreshold": "0",
        "msDS-LockoutObservationWindow": NEVER,
        "msDS-LockoutDuration": NEVER,
        **changes,
    }
    samdb.add({
        "dn": f"CN={name},CN=Password Settings Container,CN=System,{samdb.domain_dn()}",
        "objectClass": "msDS-PasswordSettings",
        "msDS-PSOAppliesTo": account,
        **settings,
    })


def replace(samdb, dn, controls=None, **values):
    message = ldb.Message(ldb.Dn(samdb, dn))
    for name, value in values.items():
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    samdb.modify(message, controls)


def add_user(samdb, account):
    dn = f"CN={account.name},CN=Users,{samdb.domain_dn()}"
    flags = NORMAL | (DISABLED if account.state == "disabled" else 0)
    entry = {
        "dn": dn,
        "objectClass": "user",
        "sAMAccountName": account.name,
        "userAccountControl": str(flags),
        "unicodePwd": f'"{account.password}"'.encode("utf-16-le"),
    }
    if account.workstations:
        entry["userWorkstations"] = account.workstations
    if account.state == "hours":
        entry["logonHours"] = bytes(21)
    if account.state == "expired":
        entry["accountExpires"] = LONG_AGO
    samdb.add(entry)
    if account.state == "must change":
        replace(samdb, dn, pwdLastSet="0")
    elif account.state == "password expired":
        add_policy_for(samdb, "aging", dn, **{"msDS-MaximumPasswordAge": TWO_DAYS})
        replace(samdb, dn, BYPASS, pwdLastSet=LONG_AGO)
    elif account.state == "locked":
        add_policy_for(samdb, "locking", dn, **{"msDS-LockoutThreshold": "3"})
        replace(samdb, dn, lockoutTime=LONG_AGO)
    return dn


def add_machine(samdb, name, kind=WORKSTATION):
    samdb.add({
        "dn": f"CN={name},CN=Computers,{samdb.domain_dn()}",
        "objectClass": "computer",
        "sAMAccountName": f"{name}$",
        "userAccountControl": str(kind),
        "unicodePwd": f'"{plan.MACHINE_PASSWORD}"'.encode("utf-16-le"),
    })


def add_groups(samdb, member, count):
    for number in range(count):
        samdb.add({
            "dn": f"CN=group-{number:04},CN=Users,{samdb.domain_dn()}",
            "objectClass": "group",
            "sAMAccountName": f"group-{number:04}",
            "member": member,
        })


def main():
    samdb = make_domain(sys.argv[1])
    samdb.transaction_start()
    set_policy(samdb)
    for account in plan.ACCOUNTS:
        dn = add_user(samdb, account)
        add_groups(samdb, dn, account.groups)
    for name in plan.MACHINES:
        add_machine(samdb, name)
    add_machine(samdb, plan.BACKUP, CONTROLLER)
    samdb.transaction_commit()


main()
