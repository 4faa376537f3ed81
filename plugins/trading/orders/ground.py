"""What is asked of the markets before an account is locked: nothing waits for a network inside a transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel, Spec, Tick
from plugins.trading.accounts.rules import is_valued
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.priced import LATELY, Priced, aged
from plugins.trading.markets.prices import Prices
from plugins.trading.markets.ticks import age_of
from plugins.trading.orders.market import Market, tells
from plugins.trading.rows import AccountRow
from schema.errors import FailureCode, NoAnswer
from schema.symbols import InstrumentId
from schema.words.orders import TimeInForce
from schema.words.venues import TradingHours

LOOK_AHEAD = timedelta(days=14)
"""The next session is never further away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One instrument, as an account trades it now."""

    spec: Spec
    model: ExecutionModel
    priced: Priced | None
    lacking: str | None
    """Why there is no price."""
    marks: Marks
    """Of all that the account holds, where its orders are judged by that."""
    closes_at: datetime | None
    """The end of this session, or of the next one; None for what never closes."""

    @property
    def fresh(self) -> Tick | None:
        """The newest message, where it is not too old to judge by."""
        return None if self.priced is None or self.priced.too_old(self.model) else self.priced.tick

    def at(self, now: datetime) -> Ground:
        """The same, as old as it is by then."""
        priced = None if self.priced is None else replace(self.priced, age=age_of(self.priced.tick, now))
        return replace(self, priced=priced, marks=aged(self.marks, self.model, now))

    def lasts(self, now: datetime) -> bool:
        """Whether its price was told so lately that orders are filled by it."""
        priced = self.priced
        return priced is None or not priced.open or priced.told_since(now - LATELY)

    @property
    def market(self) -> Market:
        """As the floor takes it."""
        priced = self.priced
        told = priced is not None and tells(self.spec, priced.currency)
        return Market(
            spec=self.spec, model=self.model, tick=priced.tick if priced and told else None,
            open=priced.open if priced else True,
        )  # fmt: skip


async def ground_of(
    context: Context,
    account: AccountRow,
    instrument: InstrumentId,
    *field: str,
    held: Collection[str] = (),
    currencies: Collection[str] = (),
    time_in_force: TimeInForce = TimeInForce.GTC,
    since: datetime | None = None,
) -> Ground:
    """Refused UNKNOWN_INSTRUMENT for what cannot be traded; a price may be missing.

    *since*: orders are filled by it, and a copy from before then is asked for anew.
    """
    prices, model = Prices.of(context), ExecutionModel.read(account.model)
    spec = await prices.spec(instrument, *field, model=model)
    how = (instrument, model)
    found = await (prices.told(*how, *field) if since is None else prices.newest(*how, since, *field))
    marks = Marks(currency=account.currency)
    if is_valued(account):
        wanted = {*held, str(instrument)}
        marks = await prices.marks(wanted, {*currencies, spec.currency}, account.currency, model)
    closes_at = await _close(context, instrument, model) if time_in_force is TimeInForce.DAY else None
    lacking = found.message if isinstance(found, NoAnswer) else None
    return Ground(
        spec=spec, model=model, priced=None if isinstance(found, NoAnswer) else found, lacking=lacking, marks=marks,
        closes_at=closes_at,
    )  # fmt: skip


def with_news(context: Context, ground: Ground) -> Ground:
    """With what a stream has told since, as while the account was waited for."""
    instrument, before = ground.spec.instrument, ground.priced
    nobody = NoAnswer(str(instrument), FailureCode.UPSTREAM_UNAVAILABLE, ground.lacking or "", ())
    found = Prices.of(context).newer(instrument, before or nobody, ground.model)
    return ground if isinstance(found, NoAnswer) else replace(ground, priced=found)


async def _close(context: Context, instrument: InstrumentId, model: ExecutionModel) -> datetime | None:
    now, calendars = context.host.clock.now(), context.host.calendars
    hours = TradingHours.EXTENDED if model.extended_hours else TradingHours.REGULAR
    sessions = await calendars.sessions(instrument, now.date() - timedelta(days=1), (now + LOOK_AHEAD).date(), hours)
    return next((each.closes for each in sessions or () if each.closes > now), None)
