"""The ways to log on that ntlm_auth has, as its arguments; and who tries them."""

import dataclasses

import ntlm
import plan


@dataclasses.dataclass(frozen=True)
class Attempt:
    words: tuple
    key: bytes | None = None    # the session key that a success must bring


def by_password(domain, user, password, computer):
    return Attempt(("--username", user, "--domain", domain, "--password", password))


def by_ntlmv2(domain, user, password, computer, workstation=None):
    return _by_response(domain, user, ntlm.ntlmv2(user, domain, password, computer),
                        "--workstation", workstation or computer)


def by_mschapv2(domain, user, password, computer):
    return _by_response(domain, user, ntlm.mschapv2(user, password), "--allow-mschapv2")


def by_ntlmv1(domain, user, password, computer):
    return _by_response(domain, user, ntlm.ntlmv1(password))


def by_lmv2(domain, user, password, computer):
    return _by_response(domain, user, ntlm.lmv2(user, domain, password), key=False)


def by_lm(domain, user, password, computer):
    return _by_response(domain, user, ntlm.lm(password), key=False)


def _by_response(domain, user, response, *words, key=True):
    words = ("--request-nt-key", "--username", user, "--domain", domain, *response.flags(), *words)
    return Attempt(words, response.session_key if key else None)


# Each takes the name of the computer whose machine account passes the logon on: an NTLMv2 response
# names it, so winbindd's and ours cannot be one and the same.
METHODS = {
    "password": by_password,
    "ntlmv2": by_ntlmv2,
    "mschapv2": by_mschapv2,
    "ntlmv1": by_ntlmv1,
    "lmv2": by_lmv2,
}


def everyone():
    """(label, user, password) of all who try to log on."""
    for account in plan.ACCOUNTS:
        yield account.name, account.name, account.password
    yield "wrong_password", "wanda", "not her password"
    yield "unknown", plan.UNKNOWN, plan.PASSWORD
    yield "computer", "PC1$", plan.MACHINE_PASSWORD
