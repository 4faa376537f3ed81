"""The brokers that this gateway is connected to, and an organisation's way to one: by the key that it has set there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from gateway.core.contract import Host
from gateway.core.ports import OutboundHttp, ProviderKeys
from plugins.trading.accounts.store import AccountStore
from plugins.trading.brokers import alpaca, binance
from plugins.trading.brokers.alpaca import Alpaca
from plugins.trading.brokers.binance import Binance
from plugins.trading.brokers.link import Link
from plugins.trading.brokers.pacing import Urgency
from plugins.trading.brokers.port import Broker, BrokerTrouble, KeyRefused, OutcomeUnknown
from plugins.trading.rows import AccountRow

KEY, SECRET = "key", "secret"
PARTS = (KEY, SECRET)
PATIENCE_S = 2.0
"""For so long a cancellation waits until the broker says whose the key is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A broker in one environment: another environment is another broker, with other keys."""

    base: str
    pause_s: float
    join: Callable[[Link, str, str], Broker]


VENUES: Mapping[str, Venue] = {
    "alpaca_paper": Venue(base="https://paper-api.alpaca.markets", pause_s=alpaca.PAUSE_S, join=Alpaca),
    "alpaca_live": Venue(base="https://api.alpaca.markets", pause_s=alpaca.PAUSE_S, join=Alpaca),
    "binance_testnet": Venue(base="https://testnet.binance.vision", pause_s=binance.PAUSE_S, join=Binance),
    "binance_live": Venue(base="https://api.binance.com", pause_s=binance.PAUSE_S, join=Binance),
}
"""Hosts are fixed. Only in development a setting leads all of them to a double."""


class Brokers:
    """One a process; serves `gateway.core.ports.TradingKeys` too."""

    def __init__(self, host: Host) -> None:
        settings = host.settings
        if settings.broker_base and not settings.development:
            raise ValueError("MARKETGATE_BROKER_BASE leads orders elsewhere: it is for development only, take it away")
        self._host, self._through = host, settings.broker_base.rstrip("/")
        self.ids: frozenset[str] = frozenset(settings.brokers)
        self._links: dict[str, Link] = {}
        self._rows = AccountStore()

    def parts(self) -> Mapping[str, Collection[str]]:
        """See `TradingKeys`."""
        return dict.fromkeys(sorted(self.ids), PARTS)

    async def of(
        self, account: AccountRow, urgency: Urgency = Urgency.READ, within: float | None = None
    ) -> Broker:  # fmt: skip
        """The broker of an account, by a key of that account there; KeyRefused where the organisation's key is of
        another one, BrokerTrouble where the broker does not say whose it is, or not *within* so many seconds. Not
        within a transaction."""
        broker = await self.by_key(account.tenant_id, account.broker)
        try:
            async with asyncio.timeout(within):
                came = await broker.owner(urgency)
        except TimeoutError:
            raise OutcomeUnknown(f"{broker.id} has not said in time whose the key is") from None
        if came is None:
            if account.broker_account is not None:
                # It has told one before: what tells none is not its word, but that of something between.
                raise OutcomeUnknown(f"{broker.id} does not say whose the key is")
            return broker
        expected = account.broker_account or await self._claim(account, came)
        if came != expected:
            raise KeyRefused(
                f"The key for {broker.id} is of the account {came} there, and {account.id} is {expected}: set a key of "
                f"{expected}, or, where that one is no more, let the books follow the key with "
                f'`tradingAccountUpdate(input: {{id: "{account.id}", withoutBrokerAccount: true}})`'
            )
        return broker

    async def of_orders(
        self, account: AccountRow, urgency: Urgency = Urgency.READ
    ) -> tuple[Broker, BrokerTrouble | None]:  # fmt: skip
        """The same for orders that the broker has: no other account there has them, so that where it does not say whose
        the key is, they are cancelled and looked at by it all the same. The trouble is told then: what is not found by
        such a key may be there."""
        try:
            return await self.of(account, urgency, PATIENCE_S if urgency is Urgency.CANCEL else None), None
        except KeyRefused:
            raise
        except BrokerTrouble as error:
            return await self.by_key(account.tenant_id, account.broker), error

    async def _claim(self, account: AccountRow, came: str) -> str:
        async with self._host.store.write() as tx:
            return await self._rows.claim(tx, account.tenant_id, account.id, came) or came

    async def by_key(self, tenant: str, broker: str) -> Broker:
        """The broker by the organisation's key; KeyRefused where it has none, or the broker is not connected."""
        if broker not in self.ids:
            raise KeyRefused(f"{broker} is not connected to this gateway: its operator sets MARKETGATE_BROKERS")
        keys = self._host.services.get(ProviderKeys)
        held: Mapping[str, str] = {} if keys is None else (await keys.of(tenant)).get(broker, {})
        if not all(held.get(part) for part in PARTS):
            told = f'set it with `providerKeySet(input: {{provider: "{broker}", parts: …}})`, parts key and secret'
            raise KeyRefused(f"Your organisation has no key for {broker}: {told}")
        return VENUES[broker].join(self._link(broker), held[KEY], held[SECRET])

    def _link(self, broker: str) -> Link:
        if broker not in self._links:
            venue = VENUES[broker]
            base = f"{self._through}/{broker}" if self._through else venue.base
            http = self._host.service(OutboundHttp)
            self._links[broker] = Link(http, self._host.clock, broker, base, venue.pause_s)
        return self._links[broker]
