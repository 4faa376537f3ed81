"""What a broker holds, compared with our books: money that differs is booked with its reason, units are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import structlog

from gateway.core.contract import Host
from plugins.trading.brokers.holdings import Difference, differences
from plugins.trading.brokers.port import Broker, Toll
from plugins.trading.brokers.units import book_units
from plugins.trading.brokers.wire import plain
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.chart import money, total
from plugins.trading.ledger.drafts import adjustment
from plugins.trading.ledger.store import LedgerStore
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow, PositionRow
from plugins.trading.writing import Writing, writing
from schema.symbols import parse_instrument

MADE_BY = "broker"
LOG = structlog.get_logger(__name__)

BEFORE, TOLLS_FOR = timedelta(days=1), timedelta(days=30)
"""Fees in coins are looked for from a day before an account was opened, and so far back."""

Noted = tuple[int, tuple[Difference, ...]]


class Keeper:
    """A difference counts once two looks in a row have found the same, and the account has not changed between: a
    fill that comes between our questions is no difference."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows, self._book = host, PositionStore(), LedgerBook()
        self._noted: dict[str, Noted] = {}
        self._told: dict[str, frozenset[Difference]] = {}

    def at_rest(self, account: str) -> bool:
        """Whether nothing is left to be looked at once more."""
        return account not in self._noted

    async def compare(self, broker: Broker, account: AccountRow) -> None:
        """Once."""
        stock = await broker.stock()
        async with self._host.store.read() as tx:
            cash = {row.asset: row.posted for row in await self._rows.cash(tx, account.tenant_id, account.id)}
            held = await self._rows.of(tx, account.tenant_id, account.id)
        units = {row.instrument: row.quantity for row in held}
        found = tuple(
            each
            for each in differences(stock, cash, units, {account.currency}, broker.asset_of)
            if not each.bookable or money(each.more, each.asset)
        )
        if await self._book_tolls(broker, account, held, found):
            return
        new = [each for each in found if each.bookable or each not in self._told.get(account.id, ())]
        if not new:
            self._noted.pop(account.id, None)
            return
        if self._noted.get(account.id) != (account.version, found):
            self._noted[account.id] = (account.version, found)
            return
        del self._noted[account.id]
        self._tell(broker, account, [each for each in found if not each.bookable])
        wanted = tuple(each for each in found if each.bookable)
        if wanted:
            await self._adjust(broker, account, wanted)

    async def _adjust(self, broker: Broker, account: AccountRow, wanted: tuple[Difference, ...]) -> None:
        async with writing(self._host, account.tenant_id, account.id) as w:
            if w.account.version != account.version:
                return
            drafts = [adjustment(each.asset, each.more, memo=each.told(broker.id)) for each in wanted]
            await self._book.post(w, drafts, at=self._host.clock.now(), made_by=MADE_BY)
            _note_flow(w, wanted, self._host.clock.now().date().isoformat())
        for each in wanted:
            LOG.info("broker_cash_adjusted", account=account.id, reason=each.told(broker.id))

    async def _book_tolls(
        self, broker: Broker, account: AccountRow, held: Sequence[PositionRow], found: Sequence[Difference]
    ) -> bool:
        """Whether fees in coins were booked, as far as they explain what the broker has less of. Those of days until
        units were last adjusted went with that."""
        lacking = {each.asset: each.more.copy_negate() for each in found if not each.bookable and each.more < 0}
        of = {broker.asset_of(parse_instrument(row.instrument)): row for row in held}
        if lacking.keys().isdisjoint(of):
            return False
        since = max(account.created_at - BEFORE, self._host.clock.now() - TOLLS_FOR)
        tolls = [each for each in await broker.tolls(since) if each.asset in lacking and each.asset in of]
        booked = 0
        async with writing(self._host, account.tenant_id, account.id) as w:
            if w.account.version != account.version:
                return bool(tolls)
            last = {name: await self._adjusted(w, of[name], since) for name in {each.asset for each in tolls}}
            for each in tolls:
                key, row = f"toll {each.id}", of[each.asset]
                known = await LedgerStore().keyed(w.tx, w.tenant, account.id, key)
                if known is not None or each.quantity > lacking[each.asset] or _is_before(each, last[each.asset]):
                    continue
                lacking[each.asset] = total((lacking[each.asset], each.quantity.copy_negate()))
                await book_units(
                    w, row.instrument, row.currency, each.quantity.copy_negate(), memo=_told_toll(broker, each),
                    at=self._host.clock.now(), made_by=MADE_BY, key=key,
                )  # fmt: skip
                booked += 1
        return booked > 0

    async def _adjusted(self, w: Writing, row: PositionRow, since: datetime) -> date | None:
        found = await LedgerStore().corrected(w.tx, w.tenant, w.account.id, row.instrument, since)
        return None if found is None else found.at.date()

    def _tell(self, broker: Broker, account: AccountRow, found: list[Difference]) -> None:
        before, now = self._told.get(account.id, frozenset()), frozenset(found)
        self._told[account.id] = now
        for each in sorted(now - before, key=lambda each: each.asset):
            LOG.warning("broker_units_differ", account=account.id, reason=each.told(broker.id))


def _is_before(toll: Toll, adjusted: date | None) -> bool:
    """Whether what it took was lacking when the units were adjusted."""
    return adjusted is not None and toll.day is not None and toll.day <= adjusted


def _told_toll(broker: Broker, toll: Toll) -> str:
    worth = "" if toll.price is None else f" at {plain(toll.price)}"
    return f"{broker.id} has taken a fee of {plain(toll.quantity)} {toll.asset}{worth}"


def _note_flow(w: Writing, wanted: tuple[Difference, ...], day: str) -> None:
    """Money that came or left at the broker is neither profit nor loss of the day."""
    account = w.account
    if account.day_equity is None or account.day != day:
        return
    if all(each.asset == account.currency for each in wanted):
        w.set(day_equity=total([account.day_equity, *(each.more for each in wanted)]))
    else:
        w.set(day=None, day_equity=None)
