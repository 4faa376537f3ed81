"""Signatures of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plugins.webhooks.delivery.signing import BadSecret, signed_headers, signer_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def test_the_specifications_example():
    # https://docs.svix.com/receiving/verifying-payloads/how-manual
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY, [signer_of(SECRET)])

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_during_a_rotation_there_are_two_signatures():
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    text = signed_headers("evt_1", 5, BODY, [signer_of(SECRET), signer_of(other)])["webhook-signature"]

    first, second = text.split(" ")
    content = b"evt_1.5." + BODY
    assert second == "v1," + base64.b64encode(hmac.digest(b"x" * 32, content, hashlib.sha256)).decode()
    assert first != second


@pytest.mark.parametrize("half", [b"", b"public"], ids=["seed", "seed and public key"])
def test_an_ed25519_key_signs_what_its_public_half_verifies(half: bytes):
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    secret = key.private_bytes_raw() + (public.public_bytes_raw() if half else b"")

    sign = signer_of("whsk_" + base64.b64encode(secret).decode())
    version, _, signature = signed_headers("evt_1", 5, BODY, [sign])["webhook-signature"].partition(",")

    assert version == "v1a"
    public.verify(base64.b64decode(signature), b"evt_1.5." + BODY)


@pytest.mark.parametrize("secret", ["", "secret", "whsec_%%%", "whsk_AAAA", "whpk_AAAA"])
def test_what_is_no_secret_is_refused_and_not_shown(secret: str):
    with pytest.raises(BadSecret) as refusal:
        signer_of(secret)

    assert "%%%" not in str(refusal.value)
    assert "AAAA" not in str(refusal.value)
