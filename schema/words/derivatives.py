"""Derivatives: what perpetuals pay, how much is open, what was liquidated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import strawberry

from schema.capability import Capability, Items
from schema.checks import ascending, in_range, not_negative, positive, within
from schema.model import computed, described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.symbols import InstrumentId
from schema.words.instruments import DESCRIBED, instrument_of
from schema.words.trades import Side


@model("What the holders of a perpetual pay each other for one funding interval.")
class FundingRate:
    """A positive rate is paid by the longs to the shorts. `rate` is a fraction of the position, for one interval."""

    instrument: strawberry.Private[InstrumentId]
    as_of: strawberry.Private[datetime | None] = None
    rate: Decimal = described('Fraction of the position, for one interval: "0.0001" means 0.01 %; longs pay above 0.')
    time: datetime = described("When it is, or was, paid.")
    settled: bool = described("Whether it has been paid; else it may still change.")
    interval_ms: int | None = described("How often funding is paid.", default=None)
    mark_price: Decimal | None = described("The venue's mark price.", default=None)
    index_price: Decimal | None = described("The price of the underlying.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)
    instrument_ = computed(instrument_of, "The perpetual.", name="instrument", direct=DESCRIBED)


@model("How many contracts of a derivative are open.")
class OpenInterest:
    """At least one of the three amounts is there; none is worked out from another."""

    instrument: strawberry.Private[InstrumentId]
    as_of: strawberry.Private[datetime | None] = None
    amount: Decimal | None = described("In base units (coins).", default=None)
    contracts: Decimal | None = described("In the venue's contracts.", default=None)
    value: Decimal | None = described("What they are worth, in `currency`.", default=None)
    currency: str | None = described("Currency of `value`.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)
    instrument_ = computed(instrument_of, "The derivative.", name="instrument", direct=DESCRIBED)


@model("A position that its venue closed by force.")
class Liquidation:
    """`side` is that of the order that closed it: SELL where a long was liquidated."""

    id: str | None = described("The venue's id, where it has one.", default=None)
    time: datetime = described("When it happened.")
    side: Side = described("SELL closed a long position, BUY a short one.")
    price: Decimal = described("Price, in the quote currency.")
    size: Decimal = described("Size, in base units.")
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRatesAsk:
    """The rate of the running interval of each of some perpetuals; an adapter leaves out what it does not list."""

    instruments: tuple[InstrumentId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingHistoryAsk:
    """Settled rates with times in `[start, end)`, ascending; without a range the newest `limit`."""

    instrument: InstrumentId
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterestAsk:
    """What is open now of each of some derivatives; an adapter leaves out what it does not list."""

    instruments: tuple[InstrumentId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationsAsk:
    """The newest `last`, ascending by time (an adapter may answer more, the core cuts)."""

    instrument: InstrumentId
    last: int = 50


def check_rates(ask: FundingRatesAsk, rates: Sequence[FundingRate]) -> Iterator[str]:
    """No venue takes a hundred percent for an interval: such a number is in percent."""
    for rate in rates:
        yield from within(f"{rate.instrument}: ", -1, 1, rate=rate.rate)
        yield from positive(f"{rate.instrument}: ", mark_price=rate.mark_price, index_price=rate.index_price)
        if not rate.instrument.settle or rate.instrument.expiry:
            yield f"{rate.instrument} is no perpetual: write it as crypto:BTC/USDT:USDT"


def check_history(ask: FundingHistoryAsk, rates: Sequence[FundingRate]) -> Iterator[str]:
    """Ascending, settled."""
    yield from check_rates(FundingRatesAsk(instruments=(ask.instrument,)), rates)
    yield from ascending("time", [rate.time for rate in rates], unique=True)
    yield from in_range("time", [rate.time for rate in rates], ask.start, ask.end)
    yield from ("a rate of the past that is not settled" for rate in rates if not rate.settled)


def check_interest(ask: OpenInterestAsk, found: Sequence[OpenInterest]) -> Iterator[str]:
    """Something is told, and what a value is in."""
    for each in found:
        path = f"{each.instrument}: "
        yield from not_negative(path, amount=each.amount, contracts=each.contracts, value=each.value)
        if each.amount is None and each.contracts is None and each.value is None:
            yield f"{path}neither amount nor contracts nor value"
        if (each.value is None) != (each.currency is None):
            yield f"{path}value and currency go together"


def check_liquidations(ask: LiquidationsAsk, found: Sequence[Liquidation]) -> Iterator[str]:
    """Ascending, with real prices."""
    yield from ascending("time", [each.time for each in found])
    for each in found:
        yield from positive("", price=each.price, size=each.size)


FUNDING_RATES: Capability[FundingRatesAsk, FundingRate] = Capability(
    name="fundingRates",
    ask=FundingRatesAsk,
    answer=FundingRate,
    description="The running funding rates of perpetuals.",
    fresh_for=timedelta(seconds=10),
    keep_for=timedelta(hours=1),
    items=Items(
        of=lambda ask: ask.instruments,
        only=lambda ask, items: FundingRatesAsk(instruments=items),
        key=lambda rate: rate.instrument,
    ),
    check=check_rates,
)
FUNDING_HISTORY: Capability[FundingHistoryAsk, tuple[FundingRate, ...]] = Capability(
    name="fundingHistory",
    ask=FundingHistoryAsk,
    answer=tuple[FundingRate, ...],
    description="Settled funding rates of a perpetual.",
    fresh_for=timedelta(minutes=5),
    revalidate_for=timedelta(minutes=5),
    keep_for=timedelta(days=1),
    as_of=lambda rates: max((rate.time for rate in rates), default=None),
    check=check_history,
)
OPEN_INTEREST: Capability[OpenInterestAsk, OpenInterest] = Capability(
    name="openInterest",
    ask=OpenInterestAsk,
    answer=OpenInterest,
    description="How much of a derivative is open.",
    fresh_for=timedelta(seconds=10),
    keep_for=timedelta(hours=1),
    items=Items(
        of=lambda ask: ask.instruments,
        only=lambda ask, items: OpenInterestAsk(instruments=items),
        key=lambda each: each.instrument,
    ),
    check=check_interest,
)
LIQUIDATIONS: Capability[LiquidationsAsk, tuple[Liquidation, ...]] = Capability(
    name="liquidations",
    ask=LiquidationsAsk,
    answer=tuple[Liquidation, ...],
    description="Positions that a venue closed by force.",
    fresh_for=timedelta(seconds=5),
    as_of=lambda found: max((each.time for each in found), default=None),
    check=check_liquidations,
)
