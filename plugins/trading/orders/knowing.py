"""What is known of an account before it is locked, and what is asked of the markets by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel
from plugins.trading.accounts.rules import SIMULATOR, is_valued
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.priced import LATELY
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground, ground_of
from plugins.trading.rows import AccountRow, FillRow, OrderRow
from schema.symbols import InstrumentId
from schema.words.orders import TimeInForce
from schema.words.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What came of placing: the order, what waits for it, what was filled at once."""

    order: OrderRow
    children: Sequence[OrderRow] = ()
    fills: Sequence[FillRow] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of an account before it is locked."""

    account: AccountRow
    before: Placed | None = None
    """What was placed under the same client's id."""
    held: frozenset[str] = frozenset()
    """Instruments that it is valued by; none where it is not."""
    currencies: frozenset[str] = frozenset()
    again: bool = False
    """Whether the markets were asked before: what they have answered since may be a second old."""

    def since(self, now: datetime) -> datetime:
        """From before then no price is taken."""
        return now - LATELY if self.again else now

    @property
    def at_broker(self) -> bool:
        """Whether a broker fills its orders."""
        return self.account.broker != SIMULATOR

    def beside(self, before: Known, more: frozenset[str]) -> Known:
        """With what was known before, and some instruments more: what was asked for once is asked for again."""
        return replace(
            self, held=self.held | before.held | more, currencies=self.currencies | before.currencies, again=True
        )  # fmt: skip

    def check_simulated(self, *path: str) -> None:
        """Refused ORDER_INVALID at a broker."""
        if self.at_broker:
            told = f"At {self.account.broker} each order stands alone: place them one by one with `orderPlace`."
            raise Refused("ORDER_INVALID", told, *path)


async def ask_one(
    context: Context, known: Known, instrument: InstrumentId, tif: TimeInForce = TimeInForce.GTC
) -> Ground:  # fmt: skip
    """Of one order, whose symbol is at the head of its input."""
    return await ground_of(
        context, known.account, instrument, "symbol", held=known.held, currencies=known.currencies, time_in_force=tif,
        since=known.since(context.host.clock.now()),
    )  # fmt: skip


async def ask_all(
    context: Context, known: Known, instruments: Sequence[InstrumentId], *path: str,
    times_in_force: Sequence[TimeInForce] | None = None,
) -> list[Ground]:  # fmt: skip
    """Of orders that are placed together, which the input lists at a path; at none, where it does not name them."""
    held = known.held | {str(each) for each in instruments}
    ends, since = times_in_force or [TimeInForce.GTC] * len(instruments), known.since(context.host.clock.now())
    await Prices.of(context).ask_ahead(instruments, ExecutionModel.read(known.account.model), since)
    return [
        await ground_of(
            context, known.account, instrument, *((*path, str(n), "symbol") if path else ()), held=held,
            currencies=known.currencies, time_in_force=tif, since=since,
        )
        for n, (instrument, tif) in enumerate(zip(instruments, ends, strict=True))
    ]  # fmt: skip


def is_priced(floor: Floor, marks: Marks) -> bool:
    """Whether all that an account is valued by was asked for, be there a price or none."""
    money = {each for each, amount in floor.cash.items() if amount}
    return not is_valued(floor.w.account) or marks.asked({*floor.positions, *floor.reserved(), *money})
