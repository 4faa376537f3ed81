"""Access tokens of people: JWTs, signed with one algorithm, verified with the same one and no other."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.core.contract import Host

AUDIENCE = "marketgate"
ISSUER = "marketgate"
"""Without a public address: where a process listens is not what its neighbours on the database would say."""
LIFE = timedelta(minutes=15)
LEEWAY_S = 5
"""How far another process's clock may be ahead: a token is good that much before its `nbf`, never after its `exp`."""
LONGEST = 2_048
CLAIMS = ("iss", "aud", "sub", "sid", "org", "iat", "nbf", "exp", "jti")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says."""

    user: str
    session: str
    organisation: str
    """Empty for a person without one."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Key:
    """One key: what signs and what verifies are the same for HS256. Its repr shows neither."""

    algorithm: str
    kid: str | None
    signs: Any
    verifies: Any

    def __repr__(self) -> str:
        return f"_Key({self.algorithm}, {self.kid})"


class Signer:
    """Signs and verifies; the keys are read at the first use."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @cached_property
    def _keys(self) -> tuple[_Key, ...]:
        """The first one signs, all verify."""
        settings = self._host.settings
        if settings.jwt_keys is not None:
            return tuple(_ed25519(private) for private in settings.signing_keys())
        if settings.jwt_secret is not None:
            roots: Sequence[bytes] = (settings.jwt_secret.get_secret_value().encode(),)
        else:
            roots = self._host.vault.keys("jwt")
        return tuple(_Key("HS256", None, root, root) for root in roots)

    @property
    def _issuer(self) -> str:
        return self._host.settings.public_url or ISSUER

    def sign(self, *, user: str, session: str, organisation: str | None) -> tuple[str, datetime]:
        """A token and when it expires."""
        key, now = self._keys[0], int(self._host.clock.now().timestamp())
        expires = now + int(LIFE.total_seconds())
        claims = {
            "iss": self._issuer, "aud": AUDIENCE, "sub": user, "sid": session, "org": organisation or "",
            "iat": now, "nbf": now, "exp": expires, "jti": secrets.token_urlsafe(12),
        }  # fmt: skip
        headers = None if key.kid is None else {"kid": key.kid}
        text = jwt.encode(claims, key.signs, algorithm=key.algorithm, headers=headers)
        return text, datetime.fromtimestamp(expires, UTC)

    def read(self, text: str) -> Claims | None:
        """What a token says; None for anything that is not ours, or not now."""
        if len(text) > LONGEST or not text.isascii():
            return None
        try:
            header = jwt.get_unverified_header(text)
            for key in self._fitting(header):
                try:
                    return self._claims(_verified(text, key, self._issuer))
                except jwt.InvalidSignatureError:
                    continue
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return None
        return None

    def published(self) -> list[dict[str, str]]:
        """The public keys as a JWK set has them; none where a shared secret signs."""
        return [
            {**_jwk(key.verifies), "kid": key.kid, "use": "sig", "alg": key.algorithm}
            for key in self._keys
            if key.kid is not None
        ]

    def _fitting(self, header: dict[str, Any]) -> tuple[_Key, ...]:
        """A token names its algorithm and its key; neither chooses how it is verified."""
        kid = header.get("kid")
        return tuple(key for key in self._keys if header.get("alg") == key.algorithm and kid == key.kid)

    def _claims(self, found: dict[str, Any]) -> Claims | None:
        now = self._host.clock.now().timestamp()
        texts = [found[name] for name in ("sub", "sid", "org", "jti")]
        times = [found[name] for name in ("iat", "nbf", "exp")]
        if not all(isinstance(text, str) for text in texts) or not all(type(time) is int for time in times):
            return None
        if found["nbf"] > now + LEEWAY_S or found["iat"] > now + LEEWAY_S or found["exp"] <= now:
            return None
        return Claims(
            user=found["sub"], session=found["sid"], organisation=found["org"],
            expires_at=datetime.fromtimestamp(found["exp"], UTC),
        )  # fmt: skip


def _verified(text: str, key: _Key, issuer: str) -> dict[str, Any]:
    # Times are compared with the gateway's own clock afterwards.
    options: Any = {
        "require": list(CLAIMS), "strict_aud": True, "verify_exp": False, "verify_nbf": False, "verify_iat": False,
    }  # fmt: skip
    return jwt.decode(text, key.verifies, algorithms=[key.algorithm], audience=AUDIENCE, issuer=issuer, options=options)


def _ed25519(private: Ed25519PrivateKey) -> _Key:
    public = private.public_key()
    return _Key("EdDSA", thumbprint(_jwk(public)), private, public)


def _jwk(public: Ed25519PublicKey) -> dict[str, str]:
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"crv": "Ed25519", "kty": "OKP", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}


def thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638: the digest of a key's required members in their order."""
    canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
