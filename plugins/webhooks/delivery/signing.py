"""Signatures of Standard Webhooks 1.0: `v1` (HMAC-SHA256) and `v1a` (ed25519).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence

Sign = Callable[[bytes], str]
"""From what is signed to one signature, such as `v1,…`."""
SECRET, PRIVATE_KEY = "whsec_", "whsk_"


class BadSecret(ValueError):
    """A secret that is none; shows nothing of it."""


def signer_of(secret: str) -> Sign:
    """Signs with `whsec_…` (a shared secret) or `whsk_…` (an ed25519 key: 32 bytes of seed, or 64 with the public
    half)."""
    if secret.startswith(SECRET):
        return _shared(_decoded(secret.removeprefix(SECRET)))
    if secret.startswith(PRIVATE_KEY):
        return _ed25519(_decoded(secret.removeprefix(PRIVATE_KEY)))
    raise BadSecret("a signing secret begins with whsec_ or whsk_")


def signed_headers(id: str, timestamp: int, body: bytes, signers: Sequence[Sign]) -> dict[str, str]:
    """The three headers of one attempt; receivers accept it if any of the signatures is good."""
    content = b"%b.%d.%b" % (id.encode(), timestamp, body)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(content) for sign in signers),
    }


def _shared(secret: bytes) -> Sign:
    def sign(content: bytes) -> str:
        return "v1," + base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()

    return sign


def _ed25519(key: bytes) -> Sign:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if len(key) not in (32, 64):
        raise BadSecret("an ed25519 key has 32 or 64 bytes")
    private = Ed25519PrivateKey.from_private_bytes(key[:32])

    def sign(content: bytes) -> str:
        return "v1a," + base64.b64encode(private.sign(content)).decode()

    return sign


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("a signing secret is base64 behind its prefix") from None
