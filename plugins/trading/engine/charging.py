"""Interest on money that a margin account owes: of each UTC day, on the balance of its end, booked once.

It is owed whatever kill switch is on. Days that nobody worked are booked one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from gateway.core.contract import Host
from gateway.core.matching.funding import interest
from gateway.core.matching.rounding import quantum_of
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.carrying import interest_key, interest_memo
from plugins.trading.ledger.chart import EXACT, Ledger
from plugins.trading.ledger.drafts import interest as interest_entry
from plugins.trading.ledger.store import LedgerStore
from plugins.trading.orders.books import SYSTEM
from plugins.trading.orders.floor import TOPIC
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow
from plugins.trading.writing import Writing, writing

DAY = timedelta(days=1)
SOON = timedelta(minutes=2)
"""So long after its end a day is booked: whose clock is behind may book into it still."""

Owed = tuple[date, str, Decimal]
"""Day, currency, and the balance of its end, which is below zero."""


class Charger:
    """One account at a time, under its lock."""

    def __init__(self, host: Host) -> None:
        self._host, self._book = host, LedgerBook()

    @property
    def until(self) -> datetime:
        """The end of the newest day that has ended for every process: their clocks differ."""
        return (self._host.clock.now() - SOON).replace(hour=0, minute=0, second=0, microsecond=0)

    async def book(self, account: AccountRow) -> bool:
        """All that is due of an account."""
        until = self.until
        async with writing(self._host, account.tenant_id, account.id) as w:
            if w.account.charged_at is None or w.account.charged_at >= until:
                return True
            owed = await self._owed(w, w.account.charged_at, until)
            for each in owed:
                await self._charge(w, *each)
            cash = await PositionStore().cash(w.tx, w.tenant, account.id)
            w.set(charged_at=until if any(row.posted < 0 for row in cash) else None)
            news = {"account": account.id, "tenant": account.tenant_id, "shard": account.shard}
            w.tx.then(lambda: self._host.bus.publish(TOPIC, news))
        return True

    async def _owed(self, w: Writing, since: datetime, until: datetime) -> Sequence[Owed]:
        """What was owed at the end of each day: what is there now, less what was booked after it."""
        now = {row.asset: row.posted for row in await PositionStore().cash(w.tx, w.tenant, w.account.id)}
        found, end = list[Owed](), since + DAY
        while end <= until:
            later = await LedgerStore().sums(w.tx, w.tenant, w.account.id, since=end)
            moved = {each.asset: each.amount for each in later if each.ledger == Ledger.CASH}
            for currency in sorted(now):
                balance = EXACT.subtract(now[currency], moved.get(currency, Decimal(0)))
                if balance < 0:
                    found.append(((end - DAY).date(), currency, balance))
            end += DAY
        return found

    async def _charge(self, w: Writing, day: date, currency: str, balance: Decimal) -> None:
        rate, key = w.account.margin_interest_rate, interest_key(currency, day)
        amount = interest(balance, rate, DAY, quantum_of(currency))
        if amount:
            draft = interest_entry(currency, amount, memo=interest_memo(day, rate, balance, currency))
            await self._book.post(w, [draft], at=self._host.clock.now(), made_by=SYSTEM, key=key, digest=key)
