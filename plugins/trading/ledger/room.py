"""How much may leave an account, and what money that comes or leaves means for the day's loss.

Prices and rates are asked before the account is locked; what may leave is reckoned with them behind the lock, of the
positions, the orders and the money that are there then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel
from plugins.trading.ledger.chart import EXACT, ZERO, Ledger, minus, money, shown, total
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

FLOWS = frozenset({EntryKind.DEPOSIT, EntryKind.WITHDRAWAL, EntryKind.TRANSFER, EntryKind.ADJUSTMENT})


class Moved(Exception):
    """The account holds something by now that was not priced before it was locked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """By what is reckoned how much an account may part with."""

    marks: Marks
    """Of what it held before it was locked."""

    @property
    def currency(self) -> str:
        """The account's."""
        return self.marks.currency

    def worth(self, amounts: Mapping[str, Decimal]) -> Decimal | None:
        """Amounts by currency in the account's, at fresh rates; None where one is missing."""
        if any(amount and currency in self.marks.old_rates for currency, amount in amounts.items()):
            return None
        worths = [self.marks.worth(amount, currency) for currency, amount in amounts.items()]
        return None if None in worths else total(each for each in worths if each is not None)


async def room_of(context: Context, account: AccountRow, currencies: Iterable[str], *, leaves: bool) -> Room:
    """Rates of now; where money *leaves* a margin account, the prices of all that it holds as well."""
    prices, named = Prices.of(context), {*currencies}
    if account.margin == MarginType.CASH or not leaves:
        marks = await prices.marks((), named - {account.currency}, account.currency, ExecutionModel())
        return Room(marks=marks)
    held = await context.service(Appraiser).held(context, account)
    model = ExecutionModel.read(account.model)
    marks = await prices.marks(held.instruments, named | held.currencies, account.currency, model)
    return Room(marks=marks)


async def check_room(context: Context, w: Writing, room: Room, leaving: Mapping[str, Decimal]) -> None:
    """Refused where more would leave than may: amounts above zero by currency, none where they are held already.

    Moved where the account holds by now what the room has no price of.
    """
    if w.account.margin == MarginType.CASH:
        for currency, amount in leaving.items():
            await check_cash(w, currency, amount)
        return
    held = await context.service(Appraiser).read(w.tx, w.account)
    if not room.marks.asked(held.instruments | held.currencies):
        raise Moved
    found = standing(w.account, held.cash, held.reserved, held.positions, room.marks)
    free, wanted = found.margin_available, room.worth(leaving)
    if free is None or found.stale or wanted is None:
        told = f"What may leave the account cannot be reckoned now: {found.reason or 'a rate is missing'}."
        raise Refused("NO_PRICE", told, "amount")
    if wanted > free and not wanted:
        lacking = shown(money(minus(free), room.currency))
        told = f"Open orders and positions need {lacking} {room.currency} of what is held for it: nothing leaves until"
        raise Refused("INSUFFICIENT_FUNDS", f"{told} the account has that much more margin.", "amount")
    if wanted > free:
        there = shown(max(money(free, room.currency), ZERO))
        told = f"Worth {shown(money(wanted, room.currency))} {room.currency}, it is more than the available margin"
        raise Refused("INSUFFICIENT_FUNDS", f"{told} of {there} {room.currency}.", "amount")


async def check_cash(w: Writing, currency: str, amount: Decimal) -> None:
    """Refused where cash would be spent that is not there, is held by pending entries, or reserved by open orders."""
    store = PositionStore()
    rows = [row for row in await store.cash(w.tx, w.tenant, w.account.id) if row.asset == currency]
    reserved = (await store.reserved(w.tx, w.tenant, w.account.id)).get(currency, ZERO)
    held = total(row.held for row in rows)
    free = max(total([*(row.posted for row in rows), minus(held), minus(reserved)]), ZERO)
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
