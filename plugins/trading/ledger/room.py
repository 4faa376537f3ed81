"""How much may leave an account, and what money that comes or leaves means for the day's loss.

Prices and rates are asked before the account is locked; what was reckoned with them holds for the version of the
account that it was reckoned for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel
from plugins.trading.ledger.chart import EXACT, ZERO, Ledger, money, shown, times, total
from plugins.trading.ledger.drafts import Draft
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.prices import Prices
from plugins.trading.positions.standing import standing
from plugins.trading.positions.standings import Appraiser
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow
from plugins.trading.writing import Writing
from schema.words.orders import EntryKind, MarginType
from schema.words.problems import Refused

FLOWS = frozenset({EntryKind.DEPOSIT, EntryKind.WITHDRAWAL, EntryKind.TRANSFER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What an account of some version could part with; rates are to its base currency."""

    version: int
    currency: str
    free: Decimal | None = None
    """Of a margin account: its available margin less what pending entries hold, in the base currency."""
    reason: str | None = None
    """Why that is not known."""
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def worth(self, amounts: Mapping[str, Decimal]) -> Decimal | None:
        """Amounts by currency in the base currency; None where a rate is missing."""
        rates = {**self.rates, self.currency: Decimal(1)}
        if any(amount and currency not in rates for currency, amount in amounts.items()):
            return None
        return total(times(amount, rates[currency]) for currency, amount in amounts.items() if amount)


async def room_of(context: Context, account: AccountRow, currencies: Iterable[str], *, leaves: bool) -> Room:
    """Reckoned by the prices of now, where money *leaves* a margin account; else by rates, for the loss of the day."""
    prices, named = Prices.of(context), {*currencies}
    if account.margin == MarginType.CASH or not leaves:
        marks = await prices.marks((), named - {account.currency}, account.currency, ExecutionModel())
        return Room(version=account.version, currency=account.currency, rates=_rates(marks))
    held = await context.service(Appraiser).held(context, account)
    named |= {*(row.asset for row in held.cash), *held.reserved, *(row.currency for row in held.positions)}
    model = ExecutionModel.read(account.model)
    marks = await prices.marks([row.instrument for row in held.positions], named, account.currency, model)
    found = standing(account, held.cash, held.reserved, held.positions, marks)
    room = Room(version=account.version, currency=account.currency, rates=_rates(marks), reason=found.reason)
    kept = room.worth({row.asset: row.held for row in held.cash})
    if found.margin_available is None or kept is None or found.stale:
        return room
    return Room(
        version=account.version, currency=account.currency, rates=room.rates,
        free=EXACT.subtract(found.margin_available, kept),
    )  # fmt: skip


async def check_room(w: Writing, room: Room, leaving: Mapping[str, Decimal]) -> None:
    """Refused where more would leave than may: amounts above zero by currency, none where they are held already."""
    if w.account.margin == MarginType.CASH:
        for currency, amount in leaving.items():
            await check_cash(w, currency, amount)
        return
    wanted = room.worth(leaving)
    if room.free is None or wanted is None:
        told = f"What may leave the account cannot be reckoned now: {room.reason or 'a rate is missing'}."
        raise Refused("NO_PRICE", told, "amount")
    if wanted > room.free:
        there = shown(max(money(room.free, room.currency), ZERO))
        told = f"Worth {shown(money(wanted, room.currency))} {room.currency}, it is more than the available margin"
        raise Refused("INSUFFICIENT_FUNDS", f"{told} of {there} {room.currency}.", "amount")


async def check_cash(w: Writing, currency: str, amount: Decimal) -> None:
    """Refused where cash would be spent that is not there, is held by pending entries, or reserved by open orders."""
    store = PositionStore()
    rows = [row for row in await store.cash(w.tx, w.tenant, w.account.id) if row.asset == currency]
    reserved = (await store.reserved(w.tx, w.tenant, w.account.id)).get(currency, ZERO)
    held = total(row.held for row in rows)
    free = max(total([*(row.posted for row in rows), -held, -reserved]), ZERO)
    if amount > free:
        kept = [(held, "held by pending entries"), (reserved, "reserved by open orders")]
        more = "; ".join(f"{shown(each)} more is {why}" for each, why in kept if each)
        told = f"{shown(amount)} {currency} is more than the {shown(free)} {currency} that are free"
        raise Refused("INSUFFICIENT_FUNDS", f"{told}{f' ({more})' if more else ''}.", "amount")


def flow_of(draft: Draft) -> dict[str, Decimal]:
    """Money that comes (above zero) or leaves, by currency: none of a conversion, which only changes its currency."""
    cash = {line.asset for line in draft.lines if line.ledger is Ledger.CASH}
    if draft.kind not in FLOWS or len(cash) != 1:
        return {}
    return {asset: draft.moved(Ledger.CASH, asset) for asset in cash}


def note_flow(w: Writing, flow: Mapping[str, Decimal], room: Room, now: datetime) -> None:
    """Money that came or left is neither profit nor loss of the day."""
    account = w.account
    if not flow or account.day_equity is None or account.day != now.date().isoformat():
        return
    worth = room.worth(flow)
    if worth is not None:
        w.set(day_equity=EXACT.add(account.day_equity, worth))
    elif account.max_daily_loss is not None:
        told = f"Nobody tells a rate from {', '.join(flow)} to {account.currency} now, and the greatest daily loss"
        raise Refused("NO_PRICE", f"{told} is counted in that: try again, or use {account.currency}.", "currency")
    else:
        # The loss of the rest of this day is not known; nothing depends on it.
        w.set(day=None, day_equity=None)


def _rates(marks: Marks) -> dict[str, Decimal]:
    return {each: rate.rate for each, rate in marks.rates.items() if each not in marks.old_rates}
