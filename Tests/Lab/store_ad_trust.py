#!/usr/bin/python3
"""store_ad_trust.py SMB.CONF DOMAIN SID: lets DOMAIN trust the AD controller's, as an administrator
of it makes a one-way trust. The password is standard input's line; an empty one removes the trust.

Lab-only, run inside the AD controller's box with Debian's python3-samba, which has the one call
that the controller takes a trust's password by.
"""

import sys

from samba.credentials import Credentials
from samba.dcerpc import drsblobs, lsa, security
from samba.param import LoadParm
from samba.trust_utils import CreateTrustedDomainRelax

import plan

conf, domain, sid = sys.argv[1:]
password = sys.stdin.readline().rstrip("\n")


def blob(text):
    if text is None:
        return drsblobs.trustAuthInOutBlob()
    info = drsblobs.AuthenticationInformation()
    info.LastUpdateTime = 133_000_000_000_000_000
    info.AuthType = lsa.TRUST_AUTH_TYPE_CLEAR
    secret = list(text.encode("utf-16-le"))
    info.AuthInfo = drsblobs.AuthInfoClear()
    info.AuthInfo.size, info.AuthInfo.password = len(secret), secret
    array = drsblobs.AuthenticationInformationArray()
    array.count, array.array = 1, [info]
    both = drsblobs.trustAuthInOutBlob()
    both.count, both.current = 1, array
    return both


loadparm = LoadParm()
loadparm.load(conf)
credentials = Credentials()
credentials.guess(loadparm)
credentials.set_username("Administrator")
credentials.set_password(plan.ADMINISTRATOR_PASSWORD)
credentials.set_domain(plan.AD.name)
connection = lsa.lsarpc(f"ncacn_np:{plan.AD.address}", loadparm, credentials)
attribute = lsa.ObjectAttribute()
attribute.sec_qos = lsa.QosInfo()
policy = connection.OpenPolicy2("", attribute, security.SEC_FLAG_MAXIMUM_ALLOWED)

name = lsa.String()
name.string = domain
try:
    old = connection.QueryTrustedDomainInfoByName(
        policy, name, lsa.LSA_TRUSTED_DOMAIN_INFO_INFO_EX)
    handle = connection.OpenTrustedDomain(policy, old.sid, security.SEC_STD_DELETE)
    connection.DeleteObject(handle)
except RuntimeError:
    pass    # there is none

if password:
    info = lsa.TrustDomainInfoInfoEx()
    info.domain_name.string = info.netbios_name.string = domain
    info.sid = security.dom_sid(sid)
    info.trust_direction = lsa.LSA_TRUST_DIRECTION_INBOUND
    info.trust_type = lsa.LSA_TRUST_TYPE_DOWNLEVEL
    info.trust_attributes = 0
    CreateTrustedDomainRelax(connection, policy, info, lsa.LSA_TRUSTED_DOMAIN_ALL_ACCESS,
                             blob(password), blob(None))
