#!/usr/bin/python3
"""impacket_netlogon.py HOST ACCOUNT COMPUTER: makes a secure channel's key with impacket, by the
password that standard input's line gives, and prints what the server granted.

Lab-only, run inside a box with Debian's python3-impacket.
"""

import os
import sys

from impacket.dcerpc.v5 import epm, nrpc, transport
from impacket.ntlm import compute_nthash

AES = 0x212fffff


def main():
    host, account, computer = sys.argv[1:]
    secret = compute_nthash(sys.stdin.readline().rstrip("\n"))
    binding = epm.hept_map(host, nrpc.MSRPC_UUID_NRPC, protocol="ncacn_ip_tcp")
    rpc = transport.DCERPCTransportFactory(binding).get_dce_rpc()
    rpc.connect()
    rpc.bind(nrpc.MSRPC_UUID_NRPC)
    ours, server = os.urandom(8), f"\\\\{host}\0"
    theirs = nrpc.hNetrServerReqChallenge(rpc, server, computer + "\0", ours)["ServerChallenge"]
    key = nrpc.ComputeSessionKeyAES("", ours, theirs, secret)
    answer = nrpc.hNetrServerAuthenticate3(
        rpc, server, account + "\0",
        nrpc.NETLOGON_SECURE_CHANNEL_TYPE.WorkstationSecureChannel, computer + "\0",
        nrpc.ComputeNetlogonCredentialAES(ours, key), AES)
    proof = nrpc.ComputeNetlogonCredentialAES(theirs, key)
    if answer["ServerCredential"] != proof:
        sys.exit("the server does not know the secret")
    print(f"granted 0x{answer['NegotiateFlags']:08x}")


main()
