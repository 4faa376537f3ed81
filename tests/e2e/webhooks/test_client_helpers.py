"""Both clients let through what the gateway and the public libraries sign, and nothing else."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from plugins.webhooks.delivery.signing import signed_headers, signer_of
from plugins.webhooks.keys import make_pair, make_secret
from tests.e2e.webhooks.clients import CLIENTS, Client, Python, Refused, Taken, TypeScript, python_module
from tests.gateway.cli.conftest import ROOT

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()
PAIR = make_pair()
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
NOW = datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC)
SENT = int(NOW.timestamp())
DATA = {"id": "evt_1", "provider": "kraken", "note": "é \u2028 😀", "sequence": "41"}
READ = {"type": "provider.degraded", "timestamp": "2026-11-20T12:00:00.5Z", "data": DATA}
BODY = json.dumps(READ, ensure_ascii=False).encode()
EVENT = Taken("evt_1", "provider.degraded", datetime(2026, 11, 20, 12, 0, 0, 500_000, tzinfo=UTC), DATA)


@pytest.fixture(scope="module", params=["python", "typescript with fetch's headers", "typescript with node's headers"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    if request.param == "python":
        yield Python()
        return
    made = TypeScript(request.getfixturevalue("typescript_client"), fetched="fetch" in request.param)
    yield made
    made.close()


def signed(body: bytes = BODY, *secrets: str, at: int = SENT) -> dict[str, str]:
    """By the gateway's own hand."""
    return signed_headers("evt_1", at, body, [signer_of(each) for each in secrets or (SECRET,)])


def timed(timestamp: str) -> bytes:
    return json.dumps({**READ, "timestamp": timestamp}).encode()


def reason(client: Client, *given: Any, **more: Any) -> str:
    """Why it was refused, in a message that shows nothing of the secret."""
    with pytest.raises(Refused) as refusal:
        client.verify(*given, **{"now": NOW, **more})
    assert SECRET.removeprefix("whsec_") not in str(refusal.value)
    return refusal.value.reason


def test_what_the_gateway_signs_is_let_through(client: Client):
    assert client.verify(BODY, signed(), SECRET, now=NOW) == EVENT


def test_a_body_may_be_text(client: Client):
    assert client.verify(BODY.decode(), signed(), SECRET, now=NOW) == EVENT


def test_the_machines_clock_is_the_default(client: Client):
    headers = signed(at=int(datetime.now(UTC).timestamp()))

    assert client.verify(BODY, headers, SECRET) == EVENT


@pytest.mark.parametrize("library", [standardwebhooks.Webhook, svix.webhooks.Webhook])
def test_what_the_public_libraries_sign_is_let_through(client: Client, library: Any):
    signature = library(SECRET).sign("evt_1", NOW, BODY.decode())
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(SENT), "webhook-signature": signature}

    assert client.verify(BODY, headers, SECRET, now=NOW) == EVENT


def test_the_case_of_the_headers_names_does_not_matter(client: Client):
    headers = {name.title(): value for name, value in signed().items()}

    assert client.verify(BODY, headers, SECRET, now=NOW) == EVENT


@pytest.mark.parametrize("body", [BODY.replace(b"kraken", b"krakem"), BODY + b" ", b"", json.dumps(READ).encode()],
                         ids=["another word", "a space more", "empty", "printed again"])  # fmt: skip
def test_a_changed_body_is_refused(client: Client, body: bytes):
    assert reason(client, body, signed(), SECRET) == "NO_SIGNATURE_MATCHES"


@given(at=st.integers(0, len(BODY) - 1), flipped=st.integers(1, 255))
def test_a_body_with_any_byte_changed_is_refused(client: Client, at: int, flipped: int):
    changed = BODY[:at] + bytes([BODY[at] ^ flipped]) + BODY[at + 1 :]

    assert reason(client, changed, signed(), SECRET) == "NO_SIGNATURE_MATCHES"


@given(data=st.dictionaries(st.text(), st.text() | st.none() | st.booleans() | st.integers(-(2**53), 2**53)))
def test_any_data_arrives_as_it_was_signed(client: Client, data: dict[str, Any]):
    body = json.dumps({**READ, "data": data}, ensure_ascii=False).encode()

    assert client.verify(body, signed(body), SECRET, now=NOW).data == data


@pytest.mark.parametrize(("name", "value"), [("webhook-id", "evt_2"), ("webhook-timestamp", str(SENT + 1))])
def test_a_changed_header_is_refused(client: Client, name: str, value: str):
    assert reason(client, BODY, {**signed(), name: value}, SECRET) == "NO_SIGNATURE_MATCHES"


def test_another_secret_is_refused(client: Client):
    assert reason(client, BODY, signed(), OTHER) == "NO_SIGNATURE_MATCHES"
    assert reason(client, BODY, signed(), [OTHER, make_secret(), PAIR.public]) == "NO_SIGNATURE_MATCHES"


@pytest.mark.parametrize("signature", ["v1,Zm9v", "v1,%%%", "v1", ",", "v1,", "v2,Zm9v", "v1a,Zm9v", "v1a,"])
def test_what_is_no_signature_is_refused(client: Client, signature: str):
    headers = {**signed(), "webhook-signature": signature}

    assert reason(client, BODY, headers, [SECRET, PAIR.public]) == "NO_SIGNATURE_MATCHES"


def test_a_signature_of_another_version_is_none_of_this(client: Client):
    good = signed()["webhook-signature"]

    for version in ("v1a", "v2", "V1"):
        headers = {**signed(), "webhook-signature": good.replace("v1,", f"{version},")}
        assert reason(client, BODY, headers, SECRET) == "NO_SIGNATURE_MATCHES"


@pytest.mark.parametrize(("timestamp", "instant"), [
    ("2024-02-29T23:59:59+23:59", datetime(2024, 2, 29, 0, 0, 59, tzinfo=UTC)),
    ("2026-11-20T00:00:00.123456789-01:30", datetime(2026, 11, 20, 1, 30, 0, 123_000, tzinfo=UTC)),
])  # fmt: skip
def test_an_instant_of_any_zone_is_read(client: Client, timestamp: str, instant: datetime):
    body = timed(timestamp)

    found = client.verify(body, signed(body), SECRET, now=NOW).timestamp
    assert found.replace(microsecond=found.microsecond // 1_000 * 1_000) == instant


def test_a_signature_is_good_only_as_it_is_written(client: Client):
    """Base64 without its padding, or with other bits behind the last byte, is another text of the same bytes."""
    headers = signed(BODY, SECRET, PAIR.private)
    shared, pair = headers["webhook-signature"].split(" ")

    for secret, good in ((SECRET, shared), (PAIR.public, pair)):
        assert good.endswith("=")
        bare = good.rstrip("=")
        other = f"{bare[:-1]}{BASE64[BASE64.index(bare[-1]) + 1]}{good[len(bare) :]}"
        for text in (bare, bare + "====", other):
            assert reason(client, BODY, {**headers, "webhook-signature": text}, secret) == "NO_SIGNATURE_MATCHES"
        assert client.verify(BODY, {**headers, "webhook-signature": good}, secret, now=NOW) == EVENT


@pytest.mark.parametrize(("late_s", "found"), [(301, "TOO_OLD"), (-301, "IN_THE_FUTURE")])
def test_a_timestamp_too_far_from_now_is_refused(client: Client, late_s: int, found: str):
    assert reason(client, BODY, signed(at=SENT - late_s), SECRET) == found


@pytest.mark.parametrize("late_s", [300, -300])
def test_a_timestamp_within_five_minutes_is_let_through(client: Client, late_s: int):
    assert client.verify(BODY, signed(at=SENT - late_s), SECRET, now=NOW) == EVENT


def test_the_tolerance_is_the_receivers_choice(client: Client):
    hour_ago = signed(at=SENT - 3_600)

    assert client.verify(BODY, hour_ago, SECRET, now=NOW, tolerance_s=3_600) == EVENT
    assert reason(client, BODY, hour_ago, SECRET, tolerance_s=3_599) == "TOO_OLD"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(client: Client, name: str):
    headers = {each: value for each, value in signed().items() if each != name}

    with pytest.raises(Refused, match=f"the header {name} is missing") as refusal:
        client.verify(BODY, headers, SECRET, now=NOW)
    assert refusal.value.reason == "HEADER_MISSING"
    assert reason(client, BODY, {**headers, name: " "}, SECRET) == "HEADER_MISSING"


@pytest.mark.parametrize("timestamp", ["soon", "1e9", "-5", "1763640010.5", "0x10", "1" * 13, "2026-11-20T12:00:00Z"])
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(client: Client, timestamp: str):
    assert reason(client, BODY, {**signed(), "webhook-timestamp": timestamp}, SECRET) == "HEADER_MALFORMED"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_is_not_ascii_is_refused(client: Client, name: str):
    assert reason(client, BODY, {**signed(), name: "v1,é"}, SECRET) == "HEADER_MALFORMED"


def test_during_a_rotation_either_secret_is_good(client: Client):
    headers = signed(BODY, OTHER, SECRET)

    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, OTHER, [SECRET], [make_secret(), OTHER]):
        assert client.verify(BODY, headers, secret, now=NOW) == EVENT


def test_a_receiver_may_know_several_secrets_where_one_signs(client: Client):
    assert client.verify(BODY, signed(BODY, SECRET), [OTHER, SECRET], now=NOW) == EVENT


def test_a_public_key_verifies_the_second_signature(client: Client):
    headers = signed(BODY, SECRET, PAIR.private)

    assert [each.partition(",")[0] for each in headers["webhook-signature"].split(" ")] == ["v1", "v1a"]
    assert client.verify(BODY, headers, PAIR.public, now=NOW) == EVENT
    assert client.verify(BODY, headers, SECRET, now=NOW) == EVENT
    assert reason(client, BODY + b" ", headers, PAIR.public) == "NO_SIGNATURE_MATCHES"
    assert reason(client, BODY, headers, make_pair().public) == "NO_SIGNATURE_MATCHES"
    assert reason(client, BODY, signed(), PAIR.public) == "NO_SIGNATURE_MATCHES"


def test_a_public_key_is_no_shared_secret(client: Client):
    """Who knows it could else sign with it."""
    forged = "whsec_" + PAIR.public.removeprefix("whpk_")

    assert reason(client, BODY, signed(BODY, forged), PAIR.public) == "NO_SIGNATURE_MATCHES"


@pytest.mark.parametrize(
    "body",
    [
        b"\xff", b"", b"{", b"NaN", b"[]", b"null", b"{}", b'\xef\xbb\xbf{}',
        json.dumps({**READ, "type": 5}).encode(),
        json.dumps({**READ, "data": []}).encode(),
        json.dumps({**READ, "data": None}).encode(),
        json.dumps({**READ, "timestamp": "soon"}).encode(),
        json.dumps({**READ, "timestamp": "2026-11-20T12:00:00"}).encode(),
        *[timed(each) for each in (
            "2026-02-32T12:00:00Z", "2026-02-30T12:00:00Z", "2026-02-29T12:00:00Z", "2026-11-20T24:00:00Z",
            "2026-11-20T23:59:60Z", "2026-11-20T12:60:00Z", "2026-11-20T12:00:00+24:00", "2026-11-20T12:00:00+01:60",
            "2026-11-20T12:00Z", "2026-11-20 12:00:00Z", "20261120T120000Z", "2026-W47-5T12:00:00Z",
            "2026-11-20T12:00:00,5Z", "2026-11-20T12:00:00+01", "2026-11-20T12:00:00+01:00:30", "2026-11-20t12:00:00z",
            "2026-11-20T12:00:00Z\n", "0000-11-20T12:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
            "\u0662026-11-20T12:00:00Z",
        )],
        b"[" * 100_000, b'{"data":' * 100_000, b"[" * 100_000 + b"]" * 100_000,
        json.dumps(READ).encode("utf-16"),
    ],
)  # fmt: skip
def test_a_signed_body_that_is_no_event_is_refused(client: Client, body: bytes):
    assert reason(client, body, signed(body), SECRET) == "BODY_MALFORMED"


@pytest.mark.parametrize("secret", ["", "secret", "whsec_", "whsec_%%%%", "whsec_AAAA", "whpk_AAAA", "whsk_AAAA", [],
                                    "whsec_" + "A" * 88])  # fmt: skip
def test_what_is_no_secret_is_the_receivers_own_fault(client: Client, secret: Any):
    assert reason(client, BODY, signed(), secret) == "TypeError"


def test_an_event_cannot_be_changed():
    event = python_module().verify(BODY, signed(), SECRET, now=NOW)

    with pytest.raises(AttributeError):
        event.type = "another"


def test_without_cryptography_a_public_key_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)

    with pytest.raises(ImportError, match="pip install cryptography"):
        python_module().verify(BODY, signed(), PAIR.public, now=NOW)
    assert python_module().verify(BODY, signed(), SECRET, now=NOW).id == "evt_1"


def test_a_time_without_its_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        python_module().verify(BODY, signed(), SECRET, now=NOW.replace(tzinfo=None), tolerance=timedelta(hours=1))


def test_a_foreign_keys_seed_signs_alike(client: Client):
    """An ed25519 key that some other program made."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signature = base64.b64encode(key.sign(f"evt_1.{SENT}.".encode() + BODY)).decode()
    public = "whpk_" + base64.b64encode(key.public_key().public_bytes_raw()).decode()
    headers = {**signed(), "webhook-signature": f"v1,Zm9v v1a,{signature}"}

    assert client.verify(BODY, headers, public, now=NOW) == EVENT


@pytest.mark.parametrize(("name", "language", "first"), [
    ("python", "python", "# verified.py"), ("typescript", "js", "// app/verified/route.js"),
])  # fmt: skip
def test_the_clients_own_pages_print_the_receiver_of_the_docs(name: str, language: str, first: str):
    page = (ROOT / "docs" / "receivers.md").read_text(encoding="utf-8")
    beginning = f"```{language}\n{first}\n"
    recipe = beginning + page.partition(beginning)[2].partition("```\n")[0] + "```\n"

    assert len(recipe) > 400
    assert recipe in (CLIENTS / name / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["python", "typescript"])
def test_each_client_carries_the_licence(name: str):
    assert (CLIENTS / name / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
