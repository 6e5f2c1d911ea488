"""Responses to a challenge: LM, NTLMv1, LMv2, NTLMv2 (MS-NLMP 3.3) and MS-CHAPv2 (RFC 2759).

MD4 and DES are written out, since Python's hashlib has MD4 only where OpenSSL still offers it and
never has DES. They make a handful of responses: clarity before speed.
"""

import dataclasses
import hashlib
import hmac
import os
import struct
import time


def md4(message):
    """RFC 1320."""
    def rotate(value, count):
        value &= 0xFFFFFFFF
        return (value << count | value >> (32 - count)) & 0xFFFFFFFF

    rounds = (
        (lambda x, y, z: x & y | ~x & z, 0, tuple(range(16)), (3, 7, 11, 19)),
        (lambda x, y, z: x & y | x & z | y & z, 0x5A827999,
         tuple(4 * (i % 4) + i // 4 for i in range(16)), (3, 5, 9, 13)),
        (lambda x, y, z: x ^ y ^ z, 0x6ED9EBA1,
         (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15), (3, 9, 11, 15)),
    )
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    data = message + b"\x80" + bytes((55 - len(message)) % 64) + struct.pack("<Q", 8 * len(message))
    for at in range(0, len(data), 64):
        words = struct.unpack_from("<16I", data, at)
        a, b, c, d = state
        for mix, constant, order, shifts in rounds:
            for step, index in enumerate(order):
                a = rotate(a + mix(b, c, d) + words[index] + constant, shifts[step % 4])
                a, b, c, d = d, a, b, c
        state = [(old + new) & 0xFFFFFFFF for old, new in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


# FIPS 46-3. Bits are numbered from 1 at the left, as in the standard.
_INITIAL = [start - 8 * i for start in (58, 60, 62, 64, 57, 59, 61, 63) for i in range(8)]
_FINAL = [base - i for i in range(8) for base in (40, 8, 48, 16, 56, 24, 64, 32)]
_EXPAND = [(4 * i + j - 1) % 32 + 1 for i in range(8) for j in range(6)]
_SPREAD = (16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
           2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25)
_KEY = [base - 8 * i for base in (57, 58, 59) for i in range(8)] + [60, 52, 44, 36] \
    + [base - 8 * i for base in (63, 62, 61) for i in range(8)] + [28, 20, 12, 4]
_ROUND_KEY = (14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4,
              26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30, 40,
              51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32)
_BOXES = [tuple(int(digit, 16) for digit in box) for box in (
    "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
    "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
    "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
    "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
    "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
    "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
    "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
    "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
)]


def _bits(data):
    return [octet >> shift & 1 for octet in data for shift in range(7, -1, -1)]


def _pick(bits, order):
    return [bits[position - 1] for position in order]


def _substitute(bits):
    found = []
    for index, box in enumerate(_BOXES):
        a, b, c, d, e, f = bits[6 * index:6 * index + 6]
        value = box[(a << 5 | f << 4) | b << 3 | c << 2 | d << 1 | e]
        found += [value >> shift & 1 for shift in (3, 2, 1, 0)]
    return found


def des(key, block):
    """One block under a key of eight octets, parity ignored."""
    halves = _pick(_bits(key), _KEY)
    c, d = halves[:28], halves[28:]
    bits = _pick(_bits(block), _INITIAL)
    left, right = bits[:32], bits[32:]
    for number in range(16):
        turn = 1 if number in (0, 1, 8, 15) else 2
        c, d = c[turn:] + c[:turn], d[turn:] + d[:turn]
        mixed = [x ^ y for x, y in zip(_pick(right, _EXPAND), _pick(c + d, _ROUND_KEY))]
        spread = _pick(_substitute(mixed), _SPREAD)
        left, right = right, [x ^ y for x, y in zip(left, spread)]
    bits = _pick(right + left, _FINAL)
    return bytes(int("".join(map(str, bits[at:at + 8])), 2) for at in range(0, 64, 8))


def _des_56(key, block):
    """Seven octets of key, spread over eight that have room for parity."""
    value = int.from_bytes(key, "big")
    return des(bytes((value >> shift & 0x7F) << 1 for shift in range(49, -1, -7)), block)


def desl(key, challenge):
    """DESL of MS-NLMP section 6: three DES blocks under a hash of 16 octets."""
    padded = key + bytes(5)
    return b"".join(_des_56(padded[at:at + 7], challenge) for at in (0, 7, 14))


def hash_under_hash(hash, key):
    """One hash encrypted with another (MS-SAMR 2.2.11.1.1)."""
    return _des_56(key[:7], hash[:8]) + _des_56(key[7:14], hash[8:])


def rc4(key, data):
    state, at = list(range(256)), 0
    for index in range(256):
        at = (at + state[index] + key[index % len(key)]) % 256
        state[index], state[at] = state[at], state[index]
    output, first, second = bytearray(), 0, 0
    for octet in data:
        first = (first + 1) % 256
        second = (second + state[first]) % 256
        state[first], state[second] = state[second], state[first]
        output.append(octet ^ state[(state[first] + state[second]) % 256])
    return bytes(output)


def nt_hash(password):
    return md4(password.encode("utf-16-le"))


def lm_hash(password):
    """None where the password has no LM hash: over 14 octets, or outside the OEM code page."""
    try:
        octets = password.upper().encode("cp850")
    except UnicodeEncodeError:
        return None
    if len(octets) > 14:
        return None
    padded = octets.ljust(14, b"\0")
    return b"".join(_des_56(padded[at:at + 7], b"KGS!@#$%") for at in (0, 7))


def ntlmv2_hash(user, domain, password):
    text = (user.upper() + domain).encode("utf-16-le")
    return hmac.digest(nt_hash(password), text, "md5")


@dataclasses.dataclass(frozen=True)
class Response:
    """What a server hands on, with the key that the controller must return for it."""
    challenge: bytes
    nt: bytes
    lm: bytes
    session_key: bytes

    def flags(self):
        """The options by which ntlm_auth takes it."""
        parts = {"challenge": self.challenge, "nt-response": self.nt, "lm-response": self.lm}
        return [f"--{name}={octets.hex()}" for name, octets in parts.items() if octets]


def ntlmv1(password, challenge=None):
    challenge = challenge or os.urandom(8)
    key = nt_hash(password)
    response = desl(key, challenge)
    return Response(challenge, response, b"", md4(key))


def lm(password, challenge=None):
    challenge = challenge or os.urandom(8)
    return Response(challenge, b"", desl(lm_hash(password), challenge), b"")


def lmv2(user, domain, password, challenge=None):
    challenge, nonce = challenge or os.urandom(8), os.urandom(8)
    key = ntlmv2_hash(user, domain, password)
    return Response(challenge, b"", hmac.digest(key, challenge + nonce, "md5") + nonce, b"")


def ntlmv2(user, domain, password, computer, challenge=None):
    """The blob (MS-NLMP 2.2.2.7) carries a timestamp, a nonce and the server's target names.

    A controller refuses the response (LOGON_FAILURE) unless `computer` is the name of the machine
    account over whose channel it arrives.
    """
    challenge = challenge or os.urandom(8)
    key = ntlmv2_hash(user, domain, password)
    filetime = struct.pack("<Q", int((time.time() + 11644473600) * 10_000_000))
    names = b"".join(struct.pack("<HH", kind, 2 * len(text)) + text.encode("utf-16-le")
                     for kind, text in ((2, domain), (1, computer))) + bytes(4)
    blob = b"\x01\x01" + bytes(6) + filetime + os.urandom(8) + bytes(4) + names + bytes(4)
    proof = hmac.digest(key, challenge + blob, "md5")
    return Response(challenge, proof + blob, b"", hmac.digest(key, proof, "md5"))


def mschapv2(user, password, authenticator=None, peer=None):
    """RFC 2759 section 8: the challenge is a hash over both sides' challenges and the user name."""
    authenticator, peer = authenticator or os.urandom(16), peer or os.urandom(16)
    challenge = hashlib.sha1(peer + authenticator + user.encode()).digest()[:8]
    return ntlmv1(password, challenge)


def self_check():
    """The published examples: RFC 1320 A.5, RFC 2759 9.2 and MS-NLMP 4.2."""
    def same(found, expected):
        if found != bytes.fromhex(expected):
            raise AssertionError(f"{found.hex()} is not {expected}")

    same(md4(b"abc"), "a448017aaf21d8525fc10ae87aa6729d")
    same(md4(b"1234567890" * 8), "e33b4ddc9c38f2199c3e7b164fcc0536")
    chap = mschapv2("User", "clientPass",
                    bytes.fromhex("5b5d7c7d7b3f2f3e3c2c602132262628"),
                    bytes.fromhex("21402324255e262a28295f2b3a337c7e"))
    same(chap.challenge, "d02e4386bce91226")
    same(chap.nt, "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df")
    challenge = bytes.fromhex("0123456789abcdef")
    same(lm_hash("Password"), "e52cac67419a9a224a3b108f3fa6cb6d")
    same(lm("Password", challenge).lm, "98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13")
    same(ntlmv1("Password", challenge).nt, "67c43011f30298a2ad35ece64f16331c44bdbed927841f94")
    same(ntlmv2_hash("User", "Domain", "Password"), "0c868a403bfd7a93a3001ef22ef02e3f")


if __name__ == "__main__":
    self_check()
