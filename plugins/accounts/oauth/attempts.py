"""A way through a provider: begun by one browser, finished once, by the same."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from gateway.core.contract import Host, Sealed
from gateway.core.store import Tx
from plugins.accounts.oauth.provider import Attempt
from plugins.accounts.users.tokens import OneTimeTokens, TokenRow

STATE, LIFE = "oauth_state", timedelta(minutes=10)
BROWSER = "oauth browser"
"""Purpose of digests of what the browser's cookie holds."""
LONGEST_COOKIE = 100


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Begun:
    """An attempt under way. `browser` is for its cookie; the repr shows nothing of it."""

    attempt: Attempt
    browser: str
    return_to: str
    invitation: str | None


class Attempts:
    """The state that a provider sends back is a token that works once; what belongs to it is kept here, sealed."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def make(self, provider: str, return_to: str, invitation: str | None) -> Begun:
        """A new one, not yet kept and without a state."""
        attempt = Attempt(
            redirect_uri=self._callback(provider), state="", nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
        )  # fmt: skip
        return Begun(attempt=attempt, browser=secrets.token_urlsafe(32), return_to=return_to, invitation=invitation)

    async def keep(self, tx: Tx, provider: str, begun: Begun) -> str:
        """Its state."""
        seal = self._host.vault.encrypt
        payload = {
            "provider": provider, "nonce": begun.attempt.nonce, "verifier": seal(begun.attempt.verifier),
            "browser": self._host.vault.digest(BROWSER, begun.browser), "return_to": begun.return_to,
            "invitation": None if begun.invitation is None else seal(begun.invitation),
        }  # fmt: skip
        return await self._host.service(OneTimeTokens).issue(tx, STATE, payload=payload, ttl=LIFE)

    async def redeem(self, tx: Tx, provider: str, state: str, browser: str) -> Begun | None:
        """Use a state up; one of another browser or provider is left to its owner."""
        tokens = self._host.service(OneTimeTokens)
        row = await tokens.peek(tx, STATE, state)
        if row is None or row.payload["provider"] != provider or not self._is_of(row, browser):
            return None
        try:
            begun = self._begun(row, state, browser)
        except Sealed:
            return None
        return begun if await tokens.redeem(tx, STATE, state) is not None else None

    def _begun(self, row: TokenRow, state: str, browser: str) -> Begun:
        kept, unseal = row.payload, self._host.vault.decrypt
        attempt = Attempt(
            redirect_uri=self._callback(kept["provider"]), state=state, nonce=kept["nonce"],
            verifier=unseal(kept["verifier"]),
        )  # fmt: skip
        invitation = kept["invitation"]
        return Begun(
            attempt=attempt, browser=browser, return_to=kept["return_to"],
            invitation=None if invitation is None else unseal(invitation),
        )  # fmt: skip

    def _is_of(self, row: TokenRow, browser: str) -> bool:
        if not 0 < len(browser) <= LONGEST_COOKIE:
            return False
        digests = self._host.vault.digests(BROWSER, browser)
        return any(compare_digest(digest, row.payload["browser"]) for digest in digests)

    def _callback(self, provider: str) -> str:
        return f"{self._host.settings.address}/oauth/{provider}/callback"
