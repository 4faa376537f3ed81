"""A portfolio day by day: what it was worth, what came and went, what each instrument gained. Decimals, pure.

Convention: money that comes in on a day works from its beginning, money that goes out works to its end, so a day's
return is `(V_t + out_t) / (V_(t−1) + in_t) − 1`, which is its gain over the money at work. A day on which something has
no price is left out: the next one spans it. Holdings that rest while others trade keep their last close.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Context as Precision
from decimal import Decimal

from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.steps import Steps, whole
from plugins.portfolio.ledger import EXACT, Held, Ratios, brought_in, cash_of, moves_money, total, units_of
from plugins.portfolio.prices.panels import Series
from plugins.portfolio.prices.rates import Rates
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.transactions import TRANSFERS, ZERO

CASH = ""
"""Stands for cash where gains are told by instrument."""
CARRIED = timedelta(days=14)
"""How long a close values what rests."""
_DIVIDED = Precision(prec=40)
Dated = Mapping[date, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day, or several where those before could not be valued."""

    date: date
    value: Decimal
    came: Decimal = ZERO
    went: Decimal = ZERO
    gains: Mapping[str, Decimal] = field(default_factory=dict)
    """By instrument; what is left, such as interest, is cash's."""
    at_work: Decimal = ZERO
    units: Mapping[str, Decimal] = field(default_factory=dict)
    values: Mapping[str, Decimal] = field(default_factory=dict)
    """By instrument at the day's end, cash's under `CASH`."""
    dated: Dated = field(default_factory=dict)
    """What came less what went, by the day on which it did."""

    @property
    def gain(self) -> Decimal:
        """Of all of it."""
        return total(self.gains.values())

    @property
    def flow(self) -> Decimal:
        """What came less what went."""
        return EXACT.subtract(self.came, self.went)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Days in order; the first one is where it begins from. `unpriced` are dates that could not be valued.

    `late` are the days behind the last one on which money came or went: it is in no figure.
    """

    days: tuple[Day, ...]
    unpriced: tuple[date, ...] = ()
    late: tuple[date, ...] = ()

    @property
    def worked(self) -> list[Day]:
        """Days with money at work; NotComputable where that is below zero."""
        found = []
        for day in self.days[1:]:
            if day.at_work < 0:
                told = f"the portfolio is worth less than nothing on {day.date}: no return can be counted from it"
                raise NotComputable(told)
            if day.at_work:
                found.append(day)
        return found


def return_of(day: Day) -> Decimal:
    """Gain over the money at work; 40 digits."""
    return _DIVIDED.divide(day.gain, day.at_work)


def flows_in_steps(course: Course) -> Steps[list[tuple[date, Decimal]]]:
    """What was there at first and what came (negative), what went, each on its own day, and what is there in the end.

    A day may span several: money of a Saturday works from the Saturday on.
    """
    days = course.days
    flows = [(days[0].date, -days[0].value)]
    for day in days[1:]:
        flows += [(on, -amount) for on, amount in day.dated.items()]
        yield
    return [(on, amount) for on, amount in (*flows, (days[-1].date, days[-1].value)) if amount]


def contributions_of(days: Sequence[Day]) -> dict[str, Decimal]:
    """`Σ_t W_(t−1)·gain_(i,t)/at_work_t`, W the wealth before the day: they sum to the time-weighted return."""
    return whole(contributions_in_steps(days))


def contributions_in_steps(days: Sequence[Day]) -> Steps[dict[str, Decimal]]:
    """The same, a day a step."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    wealth = Decimal(1)
    for day in days:
        for name, gain in day.gains.items():
            found[name] = _DIVIDED.add(found[name], _DIVIDED.divide(_DIVIDED.multiply(wealth, gain), day.at_work))
        wealth = _DIVIDED.multiply(wealth, _DIVIDED.add(1, return_of(day)))
        yield
    return dict(found)


class Prices:
    """Closes by day, the last one known, and rates: both in the past only."""

    def __init__(self, series: Sequence[Series], rates: Mapping[str, Rates], currency: str, ratios: Ratios) -> None:
        self.currency, self._rates, self._ratios = currency, rates, ratios
        self._closes = {str(each.instrument): each for each in series}
        self._days = {name: sorted(each.closes) for name, each in self._closes.items()}

    def price(self, instrument: str, day: date, at: datetime | None = None) -> Decimal | None:
        """The day's close of a unit as it was at its end, or at an instant of it, in the portfolio's currency."""
        days = self._days.get(instrument, ())
        place = bisect_right(days, day) - 1
        if place < 0 or day - days[place] > CARRIED:
            return None
        series = self._closes[instrument]
        close = EXACT.multiply(series.closes[days[place]], self._ratios.since(instrument, at or day))
        return self.worth(close, series.currency, day)

    def worth(self, amount: Decimal, currency: str, day: date) -> Decimal | None:
        """An amount of a day."""
        if currency == self.currency or not amount:
            return amount
        rates = self._rates.get(currency)
        return None if rates is None else rates.times(amount, day)


def course_of(rows: Sequence[TransactionRow], axis: Sequence[date], prices: Prices, *, tracks_cash: bool) -> Course:
    """The portfolio on each date of the axis, the first of which only says where it begins from."""
    return whole(course_in_steps(rows, axis, prices, tracks_cash=tracks_cash))


def course_in_steps(
    rows: Sequence[TransactionRow], axis: Sequence[date], prices: Prices, *, tracks_cash: bool
) -> Steps[Course]:
    """The same, a day a step."""
    walk = _Walk(rows, prices, tracks_cash=tracks_cash)
    days: list[Day] = []
    unpriced: list[date] = []
    for day in axis:
        found = walk.to(day)
        if found is None:
            unpriced.append(day)
        else:
            days.append(found)
        yield
    return Course(days=tuple(days), unpriced=tuple(unpriced), late=walk.late() if days else ())


class _Walk:
    """Goes from day to day over transactions; what happens on days that cannot be valued waits for the next."""

    def __init__(self, rows: Sequence[TransactionRow], prices: Prices, *, tracks_cash: bool) -> None:
        self._rows, self._prices, self._tracks_cash = rows, prices, tracks_cash
        self._place, self._held = 0, Held()
        self._values: dict[str, Decimal] | None = None
        self._value = ZERO
        self._moves = _Moves()

    def to(self, day: date) -> Day | None:
        """The day's end; None where something has no price or no rate."""
        for row in self._until(day):
            self._held.take(row, tracks_cash=self._tracks_cash)
            self._moves.take(row, self._prices, tracks_cash=self._tracks_cash)
        values = self._valued(day)
        if values is None or self._moves.unknown:
            return None
        value, moves = total(values.values()), self._moves
        if self._values is None:
            found = Day(date=day, value=value, units=dict(self._held.units), values=values)
        else:
            at_work = EXACT.add(self._value, moves.came)
            gains = self._gains(values, EXACT.subtract(EXACT.add(value, moves.went), at_work))
            found = Day(date=day, value=value, came=moves.came, went=moves.went, gains=gains, at_work=at_work,
                        units=dict(self._held.units), values=values, dated=moves.dated)  # fmt: skip
        self._values, self._value, self._moves = values, value, _Moves()
        return found

    def late(self) -> tuple[date, ...]:
        """When money moved that no valued day has."""
        rest = (row.at.date() for row in self._rows[self._place :] if moves_money(row, tracks_cash=self._tracks_cash))
        return tuple(sorted({*self._moves.dated, *rest}))

    def _until(self, day: date) -> Iterator[TransactionRow]:
        while self._place < len(self._rows) and self._rows[self._place].at.date() <= day:
            yield self._rows[self._place]
            self._place += 1

    def _valued(self, day: date) -> dict[str, Decimal] | None:
        values: dict[str, Decimal] = {}
        for name, units in self._held.units.items():
            price = self._prices.price(name, day)
            if price is None:
                return None
            values[name] = EXACT.multiply(units, price)
        for currency, amount in self._held.cash.items():
            worth = self._prices.worth(amount, currency, day)
            if worth is None:
                return None
            values[CASH] = EXACT.add(values.get(CASH, ZERO), worth)
        return values

    def _gains(self, values: Mapping[str, Decimal], whole: Decimal) -> dict[str, Decimal]:
        """Of each instrument: what it is worth more, and what it paid; cash has the rest of the whole."""
        before, paid = self._values or {}, self._moves.paid
        names = {*values, *before, *paid} - {CASH}
        found = {
            name: total((values.get(name, ZERO), -before.get(name, ZERO), paid.get(name, ZERO)))
            for name in sorted(names)
        }
        left = EXACT.subtract(whole, total(found.values()))
        return found | {CASH: left} if left else found


@dataclass(slots=True)
class _Moves:
    """Money that moved since the last day that was valued, in the portfolio's currency."""

    came: Decimal = ZERO
    went: Decimal = ZERO
    paid: dict[str, Decimal] = field(default_factory=dict)
    """By instrument: what it paid (sales, dividends) less what was paid for it."""
    unknown: bool = False
    dated: dict[date, Decimal] = field(default_factory=dict)

    def take(self, row: TransactionRow, prices: Prices, *, tracks_cash: bool) -> None:
        """One transaction."""
        day = row.at.date()
        flow = prices.worth(brought_in(row, tracks_cash=tracks_cash), row.currency, day)
        paid = prices.worth(cash_of(row), row.currency, day)
        if row.kind in TRANSFERS:
            worth = self._transferred(row, prices, day)
            flow = None if worth is None or flow is None else EXACT.add(flow, worth)
            paid = None if worth is None or paid is None else EXACT.subtract(paid, worth)
        if flow is None or paid is None:
            self.unknown = True
            return
        if flow:
            self.dated[day] = EXACT.add(self.dated.get(day, ZERO), flow)
        if flow > 0:
            self.came = EXACT.add(self.came, flow)
        else:
            self.went = EXACT.subtract(self.went, flow)
        if row.instrument is not None:
            self.paid[row.instrument] = EXACT.add(self.paid.get(row.instrument, ZERO), paid)

    @staticmethod
    def _transferred(row: TransactionRow, prices: Prices, day: date) -> Decimal | None:
        """What units that come (or go, negative) are worth at the close; at their own price where there is none.

        They are units of their instant: a split that follows on the same day makes others of them.
        """
        price = prices.price(row.instrument or "", day, row.at)
        if price is None:
            price = prices.worth(row.price or ZERO, row.currency, day)
        return None if price is None else EXACT.multiply(units_of(row), price)
