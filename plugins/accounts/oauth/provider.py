"""What a sign-in provider does for us, and the words for what may go wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from gateway.core.ports import Received


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Whom a provider has signed in: its own id of the person, and an address that it has verified."""

    subject: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way through a provider, from the start to its callback; only this browser can finish it."""

    redirect_uri: str
    state: str
    nonce: str
    verifier: str


class ProviderFailed(Exception):
    """The provider could not be asked, refused, or said something that is not believed; for the log alone."""


class AddressNotVerified(Exception):
    """The provider knows the person, but vouches for no address."""


class SignInProvider(Protocol):
    """A provider by its own protocol."""

    async def address(self, attempt: Attempt) -> str:
        """Where the browser is sent; raises ProviderFailed."""

    async def vouch(self, attempt: Attempt, code: str) -> Vouched:
        """Exchange the code that the browser came back with; raises ProviderFailed, AddressNotVerified."""


def read_object(received: Received, what: str) -> dict[str, Any]:
    """A JSON object out of an answer with status 200."""
    found = read_json(received, what)
    if not isinstance(found, dict):
        raise ProviderFailed(f"{what} is no object")
    return found


def read_json(received: Received, what: str) -> Any:
    """JSON out of an answer with status 200. What a refusal holds is not told: it may repeat a secret."""
    if received.status != 200:
        raise ProviderFailed(f"{what} has status {received.status}")
    try:
        return json.loads(received.content)
    except (ValueError, RecursionError):
        raise ProviderFailed(f"{what} is no JSON") from None


def text_in(found: dict[str, Any], name: str, what: str) -> str:
    """A text that must be there."""
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise ProviderFailed(f"{what} has no {name}")
    return value


def url_in(found: dict[str, Any], name: str, issuer: str) -> str:
    """An address that is no less secure than its issuer's."""
    url = text_in(found, name, "the configuration")
    parts = urlsplit(url)
    if not parts.netloc or parts.scheme not in {"https", urlsplit(issuer).scheme}:
        raise ProviderFailed(f"its {name} is not https")
    return url


def grant_url(place: str, client_id: str, scope: str, attempt: Attempt, **further: str) -> str:
    """Where a browser asks for a code (RFC 6749, 4.1.1) that only the holder of the verifier can use (RFC 7636)."""
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    made: str = prepare_grant_uri(
        place, client_id, "code", attempt.redirect_uri, scope, attempt.state,
        code_challenge=create_s256_code_challenge(attempt.verifier), code_challenge_method="S256", **further,
    )  # fmt: skip
    return made
