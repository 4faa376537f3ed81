"""Access tokens: whatever is not ours, or not now, is refused alike on every way in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.edge.errors import Refused
from gateway.edge.execute import RequestFacts
from plugins.accounts.sessions.desk import Issued, SessionDesk
from plugins.accounts.sessions.jwts import thumbprint
from tests.gateway.doubles import ROOT_SECRET
from tests.house import House, open_house
from tests.plugins.accounts.sessions.people import SESSIONS, code_of, settle, sign_in

SECRET = "a secret of tests for HS256, of more than 32 bytes"
OTHER = "another secret of tests for HS256, more than 32 bytes"


def pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


FIRST, SECOND, STRANGER = (Ed25519PrivateKey.generate() for _ in range(3))


@pytest.fixture
async def hs256(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(sqlite_url, tmp_path, jwt_secret=SECRET) as house:
        yield house


@pytest.fixture
async def eddsa(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(sqlite_url, tmp_path, jwt_keys=pem(FIRST) + pem(SECOND)) as house:
        yield house


def body_of(token: str) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return decoded


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, ""])


async def refusal(house: House, token: str) -> tuple[dict[str, Any], int, str]:
    """What a caller sees over HTTP, and at `connection_init`."""
    answer = await house.ask(SESSIONS, token=token)
    for error in answer["errors"]:
        del error["extensions"]["requestId"]
    payload = {"Authorization": f"Bearer {token}"}
    facts = RequestFacts(request_id="req_socket", transport="websocket", connection=payload)
    with pytest.raises(Refused) as refused:
        await house.executor.identify(facts)
    told = refused.value.errors[0]
    assert {"message": told["message"], "extensions": told["extensions"]} == answer["errors"][0]
    return answer["errors"][0], house.results[-1].status, house.results[-1].headers.get("WWW-Authenticate", "")


TIMELESS: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
Forged = Callable[[dict[str, Any]], str]
HS256: dict[str, Forged] = {
    "algorithm none": lambda c: unsigned({"alg": "none", "typ": "JWT"}, c),
    "algorithm None in capitals": lambda c: unsigned({"alg": "NONE"}, c),
    "no algorithm": lambda c: unsigned({"typ": "JWT"}, c),
    "wrong key": lambda c: jwt.encode(c, OTHER, algorithm="HS256"),
    "another algorithm with the right key": lambda c: jwt.encode(c, SECRET * 2, algorithm="HS512"),
    "a kid that is not ours": lambda c: jwt.encode(c, SECRET, algorithm="HS256", headers={"kid": "../../etc/passwd"}),
    "expired": lambda c: jwt.encode({**c, "exp": c["iat"]}, SECRET),
    "not yet valid": lambda c: jwt.encode({**c, "nbf": c["nbf"] + 60}, SECRET),
    "issued in the future": lambda c: jwt.encode({**c, "iat": c["iat"] + 60}, SECRET),
    "wrong audience": lambda c: jwt.encode({**c, "aud": "another"}, SECRET),
    "a list of audiences": lambda c: jwt.encode({**c, "aud": ["marketgate", "another"]}, SECRET),
    "wrong issuer": lambda c: jwt.encode({**c, "iss": "https://elsewhere.example"}, SECRET),
    "no expiry": lambda c: jwt.encode({k: v for k, v in c.items() if k != "exp"}, SECRET),
    "no session": lambda c: jwt.encode({k: v for k, v in c.items() if k != "sid"}, SECRET),
    "a session that is not there": lambda c: jwt.encode({**c, "sid": "ses_0"}, SECRET),
    "another person's name": lambda c: jwt.encode({**c, "sub": "usr_0"}, SECRET),
    "another organisation": lambda c: jwt.encode({**c, "org": "ten_0"}, SECRET),
    "times that are texts": lambda c: jwt.encode({**c, "nbf": str(c["nbf"])}, SECRET),
    "times that are truths": lambda c: jwt.encode({**c, "iat": True}, SECRET),
    "ten kilobytes": lambda c: jwt.encode({**c, "pad": "x" * 10_000}, SECRET),
    "junk": lambda c: "no.token.at-all",
    "deep junk": lambda c: base64.urlsafe_b64encode(b"[" * 1_400).decode() + ".e30.",
    "a header that is a list": lambda c: "W10.e30.",
    "a refresh token": lambda c: "mgrt_" + "A" * 43,
    "bytes that are no ASCII": lambda c: "\xe9" * 40,
}


@pytest.mark.parametrize("forged", HS256.values(), ids=HS256)
async def test_what_is_not_ours_is_refused_alike(hs256: House, forged: Forged):
    issued = await sign_in(hs256, await settle(hs256))
    good = body_of(issued.access_token)

    seen = await refusal(hs256, forged(good))

    assert seen == (
        {
            "message": "The credential is not valid: sign in again, or send another API key.",
            "extensions": {"code": "UNAUTHENTICATED", "docs": "/docs/errors/UNAUTHENTICATED"},
        },
        401,
        'Bearer realm="marketgate"',
    )
    assert code_of(await hs256.ask(SESSIONS, token=jwt.encode(good, SECRET))) is None


PEM = FIRST.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
RAW = FIRST.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
EDDSA: dict[str, Forged] = {
    "HS256 with the public key as PEM": lambda c: _hs256(c, PEM),
    "HS256 with the raw public key": lambda c: _hs256(c, RAW),
    "a stranger's key under the name of ours": lambda c: _signed(c, STRANGER, FIRST),
    "our second key under the name of the first": lambda c: _signed(c, SECOND, FIRST),
    "a stranger's key under its own name": lambda c: _signed(c, STRANGER, STRANGER),
    "no name of a key": lambda c: jwt.encode(c, FIRST, algorithm="EdDSA"),
    "algorithm none": lambda c: unsigned({"alg": "none", "kid": name_of(FIRST)}, c),
}


def name_of(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return thumbprint({"crv": "Ed25519", "kty": "OKP", "x": x})


def _signed(claims: dict[str, Any], key: Ed25519PrivateKey, named: Ed25519PrivateKey) -> str:
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": name_of(named)})


def _hs256(claims: dict[str, Any], secret: bytes) -> str:
    text = unsigned({"alg": "HS256", "typ": "JWT", "kid": name_of(FIRST)}, claims)
    made = hmac.new(secret, text.rstrip(".").encode(), hashlib.sha256).digest()
    return text + base64.urlsafe_b64encode(made).rstrip(b"=").decode()


@pytest.mark.parametrize("forged", EDDSA.values(), ids=EDDSA)
async def test_keys_are_not_confused(eddsa: House, forged: Forged):
    issued = await sign_in(eddsa, await settle(eddsa))
    good = body_of(issued.access_token)

    error, status, _ = await refusal(eddsa, forged(good))

    assert (error["extensions"]["code"], status) == ("UNAUTHENTICATED", 401)
    assert code_of(await eddsa.ask(SESSIONS, token=_signed(good, FIRST, FIRST))) is None


async def test_the_first_key_signs_and_all_verify(eddsa: House):
    issued = await sign_in(eddsa, await settle(eddsa))
    by_second = _signed(body_of(issued.access_token), SECOND, SECOND)

    header = jwt.get_unverified_header(issued.access_token)

    assert header == {"alg": "EdDSA", "kid": name_of(FIRST), "typ": "JWT"}
    assert code_of(await eddsa.ask(SESSIONS, token=by_second)) is None


async def test_the_published_keys_verify_and_hold_nothing_private(eddsa: House):
    issued = await sign_in(eddsa, await settle(eddsa))

    published = eddsa.host.service(SessionDesk).signer.published()

    found = jwt.PyJWKSet.from_dict({"keys": published})
    key = found[name_of(FIRST)]
    claims = jwt.decode(issued.access_token, key, algorithms=["EdDSA"], audience="marketgate", options=TIMELESS)
    assert claims["sid"] == issued.session_id
    assert [set(each) for each in published] == [{"kty", "crv", "x", "kid", "use", "alg"}] * 2


async def test_a_shared_secret_is_never_published(hs256: House):
    assert hs256.host.service(SessionDesk).signer.published() == []


def test_a_thumbprint_is_that_of_rfc_8037():
    # Appendix A.3 of RFC 8037 gives this key and this value.
    key = {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


async def test_a_token_holds_until_its_end_and_not_a_second_longer(hs256: House):
    issued = await sign_in(hs256, await settle(hs256))
    assert issued.expires_at - hs256.clock.now() == timedelta(minutes=15)

    hs256.clock.turn(899)
    last = code_of(await hs256.ask(SESSIONS, token=issued.access_token))
    hs256.clock.turn(1)
    after = code_of(await hs256.ask(SESSIONS, token=issued.access_token))

    assert (last, after) == (None, "UNAUTHENTICATED")


async def test_two_processes_on_one_database_take_each_others_tokens_wherever_they_listen(
    sqlite_url: str, tmp_path: Path
):
    async with open_house(sqlite_url, tmp_path, port=8001) as near, open_house(sqlite_url, tmp_path, port=8002) as far:
        issued = await sign_in(near, await settle(near))

        there = code_of(await far.ask(SESSIONS, token=issued.access_token))

    assert (there, body_of(issued.access_token)["iss"]) == (None, "marketgate")


async def test_tokens_of_the_previous_root_secret_hold_and_new_ones_are_of_the_new(sqlite_url: str, tmp_path: Path):
    async with open_house(sqlite_url, tmp_path) as before:
        issued = await sign_in(before, await settle(before))

    rotated: dict[str, Any] = {
        "secret_key": "the root secret after the rotation, 32 bytes or more",
        "secret_key_previous": ROOT_SECRET,
    }
    async with open_house(sqlite_url, tmp_path, **rotated) as after:
        old = code_of(await after.ask(SESSIONS, token=issued.access_token))
        refreshed = await renewed(after, issued)
    async with open_house(sqlite_url, tmp_path, secret_key=rotated["secret_key"]) as later:
        gone = code_of(await later.ask(SESSIONS, token=issued.access_token))
        new = code_of(await later.ask(SESSIONS, token=refreshed.access_token))

    assert (old, gone, new) == (None, "UNAUTHENTICATED", None)


async def renewed(house: House, issued: Issued) -> Issued:
    async with house.store.write() as tx:
        found = await house.host.service(SessionDesk).refresh(tx, issued.refresh_token or "")
    assert isinstance(found, Issued)
    return found
