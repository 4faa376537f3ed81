"""Signing secrets and keys in the forms of Standard Webhooks: `whsec_…`, `whsk_…`, `whpk_…`."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field

from schema.words.problems import Refused

SECRET, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret: what the specification allows."""
MADE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """An ed25519 key; the private half is its seed."""

    private: str = field(repr=False)
    public: str


def make_secret() -> str:
    """A new one, from the system's source of chance."""
    return SECRET + base64.b64encode(secrets.token_bytes(MADE)).decode()


def read_secret(text: str | None) -> str:
    """One of the caller's own, in its one spelling, or a new one; Refused where it is none."""
    if text is None:
        return make_secret()
    way_out = f"give whsec_ and {SHORTEST} to {LONGEST} random bytes in base64, or none and one is made."
    if not text.startswith(SECRET):
        raise Refused("SECRET_INVALID", f"The secret does not begin with whsec_: {way_out}", "secret")
    try:
        value = base64.b64decode(text.removeprefix(SECRET), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("SECRET_INVALID", f"The secret is not base64 behind whsec_: {way_out}", "secret") from None
    if not SHORTEST <= len(value) <= LONGEST:
        raise Refused("SECRET_INVALID", f"The secret has {len(value)} bytes: {way_out}", "secret")
    return SECRET + base64.b64encode(value).decode()


def make_pair() -> KeyPair:
    """A new one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    return KeyPair(
        private=PRIVATE + base64.b64encode(key.private_bytes_raw()).decode(),
        public=PUBLIC + base64.b64encode(key.public_key().public_bytes_raw()).decode(),
    )
