"""Signing in with a provider: sent there, come back, known or new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import structlog

from gateway.core.contract import Host
from gateway.core.ports import OutboundHttp, Presented, Unreachable
from plugins.accounts.oauth import returning
from plugins.accounts.oauth.attempts import LIFE, Attempts, Begun
from plugins.accounts.oauth.cookies import BROWSER, SECOND_FACTOR, cleared, cookie
from plugins.accounts.oauth.entering import CODE_LIFE, Entrance
from plugins.accounts.oauth.failures import SignInFailed
from plugins.accounts.oauth.github import GitHubProvider
from plugins.accounts.oauth.openid import OpenIdProvider
from plugins.accounts.oauth.provider import AddressNotVerified, ProviderFailed, SignInProvider, Vouched

log = structlog.get_logger(__name__)

NAMES = ("google", "github")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Where the browser goes, and what it keeps."""

    location: str
    cookies: list[str] = field(default_factory=list)


class ProviderDesk:
    """One a process."""

    def __init__(self, host: Host) -> None:
        self._host, self._attempts, self._entrance = host, Attempts(host), Entrance(host)

    @cached_property
    def providers(self) -> Mapping[str, SignInProvider]:
        """Those that the operator has configured."""
        host, found = self._host, dict[str, SignInProvider]()
        http = host.service(OutboundHttp)
        if (google := host.settings.sign_in_client("google")) is not None:
            found["google"] = OpenIdProvider(http, host.clock, google)
        if (github := host.settings.sign_in_client("github")) is not None:
            found["github"] = GitHubProvider(http, github)
        return found

    async def start(self, name: str, return_to: str, invitation: str | None) -> Answered:
        """Send a browser to a provider; raises SignInFailed."""
        if not returning.is_place_here(return_to):
            raise SignInFailed("BAD_RETURN_TO")
        begun = self._attempts.make(name, return_to, invitation)
        async with self._host.store.write() as tx:
            state = await self._attempts.keep(tx, name, begun)
        begun = replace(begun, attempt=replace(begun.attempt, state=state))
        kept = cookie(self._host, BROWSER, begun.browser, int(LIFE.total_seconds()), "Lax")
        return Answered(location=await self._address(name, begun), cookies=[kept])

    async def finish(
        self, name: str, query: Mapping[str, str], browser: str, *, presented: Presented, user_agent: str | None
    ) -> Answered:
        """Take a browser that comes back; raises SignInFailed."""
        async with self._host.store.write() as tx:
            begun = await self._attempts.redeem(tx, name, query.get("state", ""), browser)
        if begun is None:
            raise SignInFailed("STATE_INVALID")
        vouched = await self._vouched(name, begun, query)
        async with self._host.store.write() as tx:
            person = await self._entrance.person(tx, name, vouched, begun.invitation, presented)
            if person.has_second_factor:
                token = await self._entrance.ask_for_code(tx, name, person)
                location = returning.second_factor(begun.return_to)
                cookies = [cookie(self._host, SECOND_FACTOR, token, int(CODE_LIFE.total_seconds()), "Strict")]
            else:
                issued = await self._entrance.enter(tx, name, person.id, presented=presented, user_agent=user_agent)
                location, cookies = begun.return_to, issued.cookies
        return Answered(location=location, cookies=[*cookies, cleared(self._host, BROWSER)])

    async def _address(self, name: str, begun: Begun) -> str:
        try:
            return await self.providers[name].address(begun.attempt)
        except (ProviderFailed, Unreachable) as error:
            raise self._failed(name, error) from None

    async def _vouched(self, name: str, begun: Begun, query: Mapping[str, str]) -> Vouched:
        if query.get("error") == "access_denied":
            raise SignInFailed("DENIED")
        try:
            if not query.get("code"):
                raise ProviderFailed("it sent the browser back without a code")
            return await self.providers[name].vouch(begun.attempt, query["code"])
        except AddressNotVerified:
            raise SignInFailed("ADDRESS_NOT_VERIFIED") from None
        except (ProviderFailed, Unreachable) as error:
            raise self._failed(name, error) from None

    def _failed(self, name: str, error: Exception) -> SignInFailed:
        log.warning("sign_in_provider_failed", provider=name, reason=str(error))
        return SignInFailed("PROVIDER_FAILED")
