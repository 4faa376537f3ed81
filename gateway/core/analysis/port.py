"""Ports of analysis: panels of prices, portfolios' holdings, functions that run beside the event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from schema.errors import NoAnswer
from schema.provenance import Provenance
from schema.symbols import InstrumentId
from schema.words.candles import Adjustment
from schema.words.figures import Figure
from schema.words.hedges import HedgeCost, HedgeKind
from schema.words.intervals import Interval
from schema.words.jobs import Job, JobResult

if TYPE_CHECKING:
    from gateway.core.contract import Context
    from gateway.core.store import Tx


# --- Prices on common dates -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelAsk:
    """Closes of instruments in `[start, end)`, in one currency; without one each in its own."""

    instruments: tuple[InstrumentId, ...]
    start: datetime
    end: datetime
    interval: Interval = Interval.D1
    currency: str | None = None
    adjustment: Adjustment = Adjustment.SPLITS_AND_DIVIDENDS
    money: tuple[str, ...] = ()
    """Currencies whose rates to `currency` are wanted too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """An instrument whose series begins after the start that was asked for, or ends before the end."""

    instrument: InstrumentId
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Dates between its first and its last on which an instrument that trades then has no price; nothing was put in
    their place. A date on which nobody has a price is none of the panel's."""

    instrument: InstrumentId
    dates: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Closes by instrument, a value a date; ascending; None where there is none. Nothing is filled."""

    instruments: tuple[InstrumentId, ...]
    dates: tuple[date, ...]
    closes: tuple[tuple[Decimal | None, ...], ...]
    """One series an instrument, as long as `dates`."""
    currencies: tuple[str, ...]
    """Of each series."""
    periods: int
    """A year: 252 where any instrument keeps sessions, 365 where all trade every day."""
    missing: tuple[Missing, ...] = ()
    late: tuple[Late, ...] = ()
    failures: Mapping[InstrumentId, NoAnswer] | None = None
    """Instruments that nobody has a series of; they are not among `instruments`."""
    provenance: tuple[Provenance, ...] = ()
    rates: Mapping[str, tuple[Decimal | None, ...]] = field(default_factory=dict)
    """Of the currencies in `PanelAsk.money`, a value a date: the rate that the date's closes are converted with. Those
    that nobody has a rate of are not among them."""


class Panels(Protocol):
    """Price histories, fetched in parallel chunks within the providers' limits."""

    async def panel(self, context: Context, ask: PanelAsk) -> Panel:
        """All that could be had, aligned on the union of the dates on which any of them traded."""


# --- Portfolios -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """So many units of an instrument; short ones are negative. `value` is in the portfolio's currency."""

    instrument: InstrumentId
    quantity: Decimal
    price: Decimal | None
    value: Decimal | None
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What has come into a portfolio so far, less what has gone: payments and transfers, no trade, fee, income."""

    cash: Mapping[str, Decimal]
    """By currency. Where a portfolio has no cash, what trades cost and bring comes from outside and goes there."""
    units: Mapping[InstrumentId, Decimal]
    """Of transfers, as units of now."""
    rates: Mapping[str, Decimal]
    """By currency, what one is worth in the portfolio's, as far as it is valued by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a portfolio holds at an instant."""

    portfolio: str
    name: str
    currency: str
    at: datetime
    positions: tuple[Position, ...]
    cash: Mapping[str, Decimal]
    """By currency."""
    value: Decimal | None
    """Of everything, in `currency`; None where a position has no price."""
    splits: Mapping[InstrumentId, Decimal] = field(default_factory=dict)
    """The product of the ratios of all splits that its transactions tell, by instrument."""
    sources: frozenset[str] = frozenset()
    """The providers whose prices and rates it is valued by: their licences say what may be passed on."""
    flows: Flows | None = None
    """None for weights, which nothing comes into."""


class Portfolios(Protocol):
    """A tenant's portfolios, for plugins that analyse them."""

    async def holdings(self, context: Context, portfolio: str, at: datetime | None = None) -> Holdings | None:
        """Now, or at an instant; None where the tenant has no such portfolio."""


# --- Hedges -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeWith:
    """An instrument to hedge with. Quantities are units of its base asset, whole multiples of `step`."""

    instrument: InstrumentId
    step: Decimal | None = None
    fee_bps: Decimal = Decimal(0)
    """Of the value traded, each way."""
    paid_in: str | None = None
    """The currency whose money it is bought with, so that it earns its price's change alone; None where it is paid for
    in the currency of the ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeAsk:
    """What is to be hedged, in units, short ones below zero; and with what."""

    positions: Mapping[InstrumentId, Decimal]
    currency: str
    candidates: tuple[HedgeWith, ...]
    money: Mapping[str, Decimal] = field(default_factory=dict)
    """By other currencies, what is held of them beside the positions, below zero where it is owed: as what it is worth
    in `currency`."""
    days: int = 30
    benchmark: str | None = None
    target_beta: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeOffer:
    """A hedge with one candidate: nothing is ordered."""

    instrument: InstrumentId
    kind: HedgeKind
    quantity: Decimal
    """Units, below zero where they are sold; zero where the rounded hedge is nothing."""
    price: Decimal
    value: Decimal
    ratio: Figure
    rounded_ratio: float
    effectiveness: Figure
    residual: Figure
    residual_value: Decimal
    cost: HedgeCost
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeOffers:
    """All of them, the least residual first; amounts in the currency of the ask."""

    value: Decimal
    unhedged: Figure
    offers: tuple[HedgeOffer, ...]
    warnings: tuple[str, ...] = ()


class Hedges(Protocol):
    """Proposes hedges of what somebody holds."""

    async def offers(self, context: Context, ask: HedgeAsk) -> HedgeOffers:
        """What each candidate would do, by the dates on which all have a close, and a warning where others are left
        out; a MarketgateError where that cannot be computed."""


# --- Heavy computing --------------------------------------------------------------------------------------------------


class Computing(Protocol):
    """Functions that take the interpreter for more than a few milliseconds, in processes of their own.

    Tenants take turns; who has too much waiting is refused. Nothing of numpy is loaded where the gateway serves.
    """

    async def run(self, tenant: str, task: str, *given: Any, timeout_s: float = 30.0) -> Any:
        """What `package.module:function` (of `gateway.core.quant`) makes of plain values; it raises what that raises.

        RateLimited where too much of the tenant's waits already; DeadlineExceeded where it takes too long, with its
        time in the queue, and then its process is ended; ComputingFailed where it needs too much memory or its process
        crashes. Who cancels gives up the turn, or what runs.
        """


Progress = Callable[[float, str], None]
"""Tells how much is done, 0 to 1, and what is done now; never waits, and may be called often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """Work that may be asked for as a job. Input and result are plain JSON values.

    `run` takes a context on the account of who began it, the input, and what it tells its progress by. An expected
    error (`MarketgateError`) fails the job with its code and words. It may be run twice, where a process dies: it
    changes nothing. `show` makes a GraphQL object of a result, of a type that the plugin adds to the schema by
    `Plugin.types`.
    """

    name: str
    run: Callable[[Context, Mapping[str, Any], Progress], Awaitable[Mapping[str, Any]]]
    show: Callable[[Mapping[str, Any]], JobResult]


class JobKinds(Protocol):
    """The kinds of jobs that plugins offer; a plugin registers its own in `Plugin.start`."""

    def register(self, kinds: Sequence[JobKind]) -> None:
        """Offer them."""


class Jobs(Protocol):
    """Begins jobs, for mutations of the plugins whose kinds they are."""

    async def start(
        self, context: Context, kind: str, given: Mapping[str, Any], *, idempotency_key: str | None = None,
        tx: Tx | None = None,
    ) -> Job:  # fmt: skip
        """A job that waits for its turn; with a key that was used before the job that it began then.

        Part of *tx*, whoever's it is; without one it has a transaction of its own, which must not stand in another.
        RateLimited where too many of the organisation's have no end yet; BadInput for a key with another input.
        """
