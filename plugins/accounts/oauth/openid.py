"""OpenID Connect, as Google speaks it: https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gateway.core.clock import Clock
from gateway.core.ports import OutboundHttp
from plugins.accounts.oauth.provider import (
    AddressNotVerified,
    Attempt,
    ProviderFailed,
    Vouched,
    grant_url,
    read_object,
    text_in,
    url_in,
)

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

GOOGLE = "https://accounts.google.com"
SCOPE = "openid email"
ALGORITHMS = ["RS256", "ES256"]
"""Of ID tokens: signatures by a key pair only, so that no public key can stand in for a shared secret."""
LEEWAY_S = 60
KEPT_S = 3600.0
"""How long a configuration is believed; keys are read anew as soon as an unknown one has signed."""
LONGEST_TOKEN = 16_384


class OpenIdProvider:
    """Serves `SignInProvider`."""

    def __init__(self, http: OutboundHttp, clock: Clock, client: Mapping[str, str]) -> None:
        self._http, self._clock = http, clock
        self._client_id, self._secret = client["client_id"], client["client_secret"]
        self._issuer = client.get("issuer", GOOGLE)
        self._found: tuple[float, dict[str, Any]] | None = None
        self._keys: KeySet | None = None
        self._reading = asyncio.Lock()

    async def address(self, attempt: Attempt) -> str:
        """See `SignInProvider`."""
        place = url_in(await self._configuration(), "authorization_endpoint", self._issuer)
        return grant_url(place, self._client_id, SCOPE, attempt, nonce=attempt.nonce)

    async def vouch(self, attempt: Attempt, code: str) -> Vouched:
        """See `SignInProvider`."""
        place = url_in(await self._configuration(), "token_endpoint", self._issuer)
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier, "client_id": self._client_id, "client_secret": self._secret,
        }  # fmt: skip
        tokens = read_object(await self._http.post_form(place, form), "the token answer")
        claims = await self._claims(text_in(tokens, "id_token", "the token answer"), tokens, attempt)
        verified = claims.get("email_verified")
        # Some providers write it as a text.
        if verified is not True and verified != "true":
            raise AddressNotVerified
        return Vouched(
            subject=text_in(claims, "sub", "the ID token"), email=text_in(claims, "email", "the ID token")
        )  # fmt: skip

    async def _claims(self, token: str, tokens: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError

        if len(token) > LONGEST_TOKEN:
            raise ProviderFailed("the ID token is too long")
        keys = await self._keys_for(token)
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            wanted = {
                "iss": {"essential": True, "value": self._issuer},
                "aud": {"essential": True, "value": self._client_id},
            }
            known = {
                "client_id": self._client_id, "nonce": attempt.nonce, "access_token": tokens.get("access_token"),
            }  # fmt: skip
            claims = CodeIDToken(decoded.claims, decoded.header, wanted, known)
            claims.validate(now=int(self._clock.now().timestamp()), leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderFailed(f"the ID token is not valid: {type(error).__name__}") from None
        return dict(claims)

    async def _configuration(self) -> dict[str, Any]:
        """https://openid.net/specs/openid-connect-discovery-1_0.html"""
        async with self._reading:
            now = self._clock.monotonic()
            if self._found is None or now - self._found[0] > KEPT_S:
                place = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                found = read_object(await self._http.get(place), "the configuration")
                if found.get("issuer") != self._issuer:
                    raise ProviderFailed("its configuration is another issuer's")
                self._found = (now, found)
            return self._found[1]

    async def _keys_for(self, token: str) -> KeySet:
        """The provider's keys, read again where the token was signed with one that is not among them."""
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
        from joserfc.jws import extract_compact

        try:
            signer = extract_compact(token.encode()).headers().get("kid")
        except (JoseError, ValueError):
            raise ProviderFailed("the ID token is no signed token") from None
        if self._keys is not None and signer in {key.kid for key in self._keys}:
            return self._keys
        place = url_in(await self._configuration(), "jwks_uri", self._issuer)
        found = read_object(await self._http.get(place), "the key set")
        try:
            self._keys = KeySet.import_key_set({"keys": [_public(key) for key in found["keys"]]})
        except (JoseError, ValueError, TypeError, KeyError):
            raise ProviderFailed("its key set cannot be read") from None
        return self._keys


def _public(key: Mapping[str, Any]) -> Any:
    """A key of a kind that may have signed; a shared secret is none, wherever it comes from."""
    if key["kty"] not in ("RSA", "EC"):
        raise ValueError("not a public key")
    return key
