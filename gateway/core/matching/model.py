"""What matching works on: orders as they stand, the prices that reach the simulated venue, what becomes of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self, TypeVar

from gateway.core.matching.rounding import EXACT
from schema.errors import BadInput
from schema.provenance import DataMode
from schema.symbols import InstrumentId
from schema.words.orders import FillSource, Liquidity, OrderStatus, OrderType, SlippageKind, TimeInForce
from schema.words.trades import Side

if TYPE_CHECKING:
    from gateway.core.matching.offers import Offer

ZERO = Decimal(0)
ONE = Decimal(1)
A_CENT = Decimal("0.01")
Chosen = TypeVar("Chosen", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """An instrument's trading rules; None where nobody tells one. Sizes are in base units, prices in `currency`."""

    instrument: InstrumentId
    currency: str
    tick: Decimal | None = None
    step: Decimal | None = None
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_notional: Decimal | None = None
    contract_size: Decimal = Decimal(1)
    """Base units of one contract; 1 for what is traded in units. Quantities of orders are in contracts."""
    derivative: bool = False
    """Whether a fill moves no notional: a perpetual or a future, linear in `currency`."""

    @property
    def step_quantity(self) -> Decimal | None:
        """`step` in what orders count: contracts."""
        return self.contracts(self.step)

    def contracts(self, units: Decimal | None) -> Decimal | None:
        """Base units as contracts."""
        if units is None or self.contract_size == ONE:
            return units
        return EXACT.divide(units, self.contract_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price, and how much is there."""

    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A closed candle in `[start, end)`."""

    start: datetime
    end: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one message told of an instrument's market. `at` is when it reached us, `as_of` the provider's stamp."""

    instrument: InstrumentId
    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    traded: Decimal | None = None
    """Volume since the message before, where it is known."""
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    """Depth, the best first; empty where only quotes are known."""
    bar: Bar | None = None
    """In place of quotes, where the account matches against bars."""
    provider: str = ""
    mode: DataMode = DataMode.LIVE
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slippage:
    """How much worse than the market a taker's fill is, see `gateway.core.matching.slippage`."""

    kind: SlippageKind = SlippageKind.NONE
    bps: Decimal = ZERO
    """Of BASIS_POINTS, and the base of SIZE."""
    per_unit: Decimal = Decimal("0.001")
    """Of SIZE: a fraction of the price for each unit of size."""
    jitter: Decimal = Decimal("0.0002")
    """Of SIZE: the greatest random part, either way; no fill becomes better than the market by it."""
    most: Decimal = Decimal("0.01")
    """Of SIZE and VOLUME_SHARE: never more than this fraction of the price."""
    impact: Decimal = Decimal("0.1")
    """Of VOLUME_SHARE: the fraction of the price at a share of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """Commission: a rate of the notional, and so much a unit. All in the currency of the price."""

    maker: Decimal = Decimal("0.0002")
    taker: Decimal = Decimal("0.0002")
    per_unit: Decimal = ZERO
    fixed: Decimal = ZERO
    """Of every order, with its first fill."""
    least: Decimal = A_CENT
    """Of what one message fills of an order; of money alone where it is a cent, see `fees.least_of`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionModel:
    """How a paper account's orders are filled; the same model and tape fill the same way."""

    provider: str | None = None
    """Whose prices; None takes who answers first."""
    source: FillSource = FillSource.QUOTES
    participation: Decimal = Decimal(1)
    """The greatest share of what is offered, or was traded, that one order takes."""
    slippage: Slippage = field(default_factory=Slippage)
    fees: Fees = field(default_factory=Fees)
    latency_ms: int = 0
    seed: int = 0
    max_age_ms: int = 60_000
    """Of a price: an older one fills nothing while its market is open."""
    collar_bps: int | None = 1_000
    """How far a limit may lie on the wrong side of the market; None lets any pass."""
    extended_hours: bool = False

    def plain(self) -> dict[str, Any]:
        """As it is stored: decimals as texts."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """From how it was stored, or given; fields that it lacks have their defaults, others are passed over.

        BadInput names the field that is not within its bounds: `model.fees.taker`.
        """
        reader = _Reader(plain, "model")
        return cls(
            provider=reader.text("provider", 64),
            source=reader.choice("source", FillSource, FillSource.QUOTES),
            participation=reader.number("participation", ONE, above=ZERO, most=ONE),
            slippage=_read_slippage(reader.inner("slippage")),
            fees=_read_fees(reader.inner("fees")),
            latency_ms=reader.whole("latency_ms", 0, 0, 60_000),
            seed=reader.whole("seed", 0, 0, 2**53 - 1),
            max_age_ms=reader.whole("max_age_ms", 60_000, 1, 86_400_000),
            collar_bps=reader.whole_or_none("collar_bps", 1_000, 1, 10_000),
            extended_hours=reader.flag("extended_hours", False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """An order as matching sees it. A step makes a new one."""

    id: str
    instrument: InstrumentId
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    accepted_at: datetime
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    trail_extreme: Decimal | None = None
    post_only: bool = False
    reduce_only: bool = False
    expires_at: datetime | None = None
    due_at: datetime | None = None
    """When it reaches the venue; None once it has met the market there, and rests."""
    group: str | None = None
    """Of orders with the same, one message fills one only."""
    number: int = 0
    """Of its account. Of those that were accepted in one instant, the lower one came first; chance follows from it."""
    status: OrderStatus = OrderStatus.ACCEPTED
    filled: Decimal = ZERO
    fills: int = 0

    @property
    def left(self) -> Decimal:
        """What is not filled yet."""
        return EXACT.subtract(self.quantity, self.filled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A fill before anybody booked it: `price` with slippage, `reference` without."""

    number: int
    quantity: Decimal
    price: Decimal
    reference: Decimal
    fee: Decimal
    liquidity: Liquidity
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one message made of an order."""

    order: Working
    executions: tuple[Execution, ...] = ()
    reason: str | None = None
    """Why it ended, where it did without being filled: a code such as IOC_UNFILLED, EXPIRED, POST_ONLY_CROSSES."""
    changed: bool = False
    """Whether anything has changed that must not be lost: a status, a fill, what a trailing stop remembers."""
    triggered: bool = False
    """Whether its stop price was touched by this message."""
    taken: tuple[tuple[Offer, Decimal], ...] = field(default=(), compare=False, repr=False)
    """What its executions took of the message."""


def _read_slippage(reader: _Reader) -> Slippage:
    default = Slippage()
    return Slippage(
        kind=reader.choice("kind", SlippageKind, default.kind),
        bps=reader.number("bps", default.bps, most=Decimal(1_000)),
        per_unit=reader.number("per_unit", default.per_unit, most=ONE),
        jitter=reader.number("jitter", default.jitter, most=Decimal("0.1")),
        most=reader.number("most", default.most, most=Decimal("0.5")),
        impact=reader.number("impact", default.impact, most=ONE),
    )


def _read_fees(reader: _Reader) -> Fees:
    default = Fees()
    return Fees(
        maker=reader.number("maker", default.maker, most=Decimal("0.1")),
        taker=reader.number("taker", default.taker, most=Decimal("0.1")),
        per_unit=reader.number("per_unit", default.per_unit, most=Decimal(1_000)),
        fixed=reader.number("fixed", default.fixed, most=Decimal(1_000)),
        least=reader.number("least", default.least, most=Decimal(1_000)),
    )


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.value if isinstance(value, StrEnum) else value


class _Reader:
    """Fields of a mapping, each checked, under the name that a refusal gives them."""

    __slots__ = ("_given", "_path")

    def __init__(self, given: Any, path: str) -> None:
        if not isinstance(given, Mapping):
            raise BadInput(path, f"must be an object, not {given!r:.40}")
        self._given, self._path = given, path

    def inner(self, name: str) -> _Reader:
        given = self._given.get(name)
        return _Reader({} if given is None else given, f"{self._path}.{name}")

    def number(
        self, name: str, default: Decimal, *, most: Decimal, least: Decimal = ZERO, above: Decimal | None = None
    ) -> Decimal:
        """A decimal of at most 12 digits behind the point, from `least` (or `above`, exclusive) to `most`."""
        given = self._given.get(name)
        if given is None:
            return default
        value = _decimal(given)
        low = least if above is None else above
        if value is None or not (low < value if above is not None else low <= value) or value > most:
            bounds = f"above {low}" if above is not None else f"from {low}"
            raise self._bad(name, f"must be a number {bounds} to {most}, not {given!r:.40}")
        if int(value.as_tuple().exponent) < -12:
            raise self._bad(name, f"has at most 12 digits behind the point, not as {given!r:.40}")
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        given = self._given.get(name)
        if given is None:
            return default
        if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
            raise self._bad(name, f"must be a whole number from {least} to {most}, not {given!r:.40}")
        return given

    def whole_or_none(self, name: str, default: int, least: int, most: int) -> int | None:
        """None where it is given as None, the default where it is not given."""
        if name in self._given and self._given[name] is None:
            return None
        return self.whole(name, default, least, most)

    def flag(self, name: str, default: bool) -> bool:
        given = self._given.get(name)
        if given is not None and not isinstance(given, bool):
            raise self._bad(name, f"must be true or false, not {given!r:.40}")
        return default if given is None else given

    def text(self, name: str, most: int) -> str | None:
        given = self._given.get(name)
        if given is not None and not (isinstance(given, str) and 0 < len(given) <= most):
            raise self._bad(name, f"must be a text of 1 to {most} characters, not {given!r:.40}")
        return given

    def choice(self, name: str, choices: type[Chosen], default: Chosen) -> Chosen:
        given = self._given.get(name)
        if given is None:
            return default
        if not isinstance(given, str) or given not in choices.__members__:
            raise self._bad(name, f"must be one of {', '.join(choices.__members__)}, not {given!r:.40}")
        return choices[given]

    def _bad(self, name: str, message: str) -> BadInput:
        return BadInput(f"{self._path}.{name}", message)


def _decimal(given: Any) -> Decimal | None:
    """None where it is no finite number; floats are none, because they are not exact."""
    if isinstance(given, bool) or not isinstance(given, (str, int, Decimal)):
        return None
    try:
        value = Decimal(given)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
