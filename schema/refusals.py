"""`@refusals`: an enum of a mutation's codes. What many of them say has its words here, once."""

from __future__ import annotations

from collections.abc import Callable

from schema.model import Chosen, choices

SHARED = {
    "BUILT_IN": "A plan that is built in stays as it is.",
    "CODE_INVALID": "The code of the second factor is wrong or was used.",
    "EMAIL_INVALID": "It is no e-mail address.",
    "EXCEEDS_CALLER": "A limit is wider than that of the key which asks.",
    "EXPIRY_PAST": "The key would have expired already.",
    "EXTERNAL_ID_INVALID": "The name in your own system is empty, too long or has characters that it may not have.",
    "IDEMPOTENCY_MISMATCH": "The idempotency key was used with another input.",
    "LAST_OWNER": "An organisation always has an owner.",
    "NAME_INVALID": "The name is empty, too long or has characters that it may not have.",
    "NETWORK_INVALID": "It is no network, or there are too many.",
    "NOT_ACTIVE": "The key is expired, revoked or has a successor.",
    "NOT_FOUND": "There is none, or not for you.",
    "NOT_ON": "The second factor is off.",
    "NOT_OWNER": "Only an owner may do it.",
    "NO_PASSWORD": "The person signs in without a password.",
    "NO_SCOPES": "No scope was given.",
    "ORIGIN_INVALID": "It is no origin of a web page, or there are too many.",
    "PRICE_INVALID": "The price is out of range.",
    "REASON_INVALID": "The reason is empty or too long.",
    "ROLE_TOO_HIGH": "Nobody gives a role above their own, or changes a member who has one.",
    "SCOPE_NOT_HELD": "The caller does not have the scope.",
    "SYMBOL_AMBIGUOUS": "The symbol means several instruments.",
    "SYMBOL_INVALID": "It is no symbol.",
    "TOKEN_CANNOT_MINT": "An access token mints no others.",
    "TOKEN_INVALID": "The link is wrong, too old or was used.",
    "TOO_MANY_ATTEMPTS": "There were too many wrong attempts: wait.",
    "TOO_MANY_KEYS": "The organisation has as many keys as it may have.",
    "TOO_MANY_ORGANISATIONS": "The person has as many organisations as one may have.",
    "TOO_MANY_REQUESTS": "It was asked for too often: wait.",
    "TOO_MANY_SYMBOLS": "A list has more symbols than the plan allows.",
    "UNKNOWN_CAPABILITY": "There is no such capability.",
    "UNKNOWN_PLAN": "There is no such plan.",
    "UNKNOWN_PROVIDER": "There is no such provider.",
    "UNKNOWN_SCOPE": "There is no such scope.",
    "WEAK_PASSWORD": "The password is too short or too common.",
    "WRONG_PASSWORD": "The password is wrong.",
}


def refusals(description: str, **own: str) -> Callable[[Chosen], Chosen]:
    """Make an enum of codes a GraphQL one; *own* are the words of those that are not shared, or say more here."""

    def make(cls: Chosen) -> Chosen:
        shared = {name: SHARED[name] for name in cls.__members__ if name in SHARED and name not in own}
        return choices(description, **shared, **own)(cls)

    return make
