"""How closed positions went: counts, rates, streaks, and amounts by currency. Pure.

A trip is a position from its opening to its end. It is won where realised − fees + funding is above zero, lost where
it is below, even where it is nothing. Amounts are never added across currencies: each has figures of its own.

    hit rate      = won ÷ (won + lost)
    profit factor = Σ of what was won ÷ |Σ of what was lost|; null where nothing was lost
    expectancy    = Σ net ÷ trips: what one trip brought on average

Streaks are in order of closing; an even trip neither adds to one nor ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TypeVar

from plugins.trading.markets.marks import EXACT
from plugins.trading.rows import TripRow

Name = TypeVar("Name", str, str | None)
ZERO = Decimal(0)
_DIVIDED = Context(prec=50, rounding=ROUND_HALF_EVEN)
_RATIO = Decimal("1e-10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Of trips in one currency. Averages are exact to 50 digits; who shows them rounds."""

    currency: str
    trips: int
    net: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    gross_profit: Decimal
    gross_loss: Decimal
    """Zero or below."""
    average_win: Decimal | None
    average_loss: Decimal | None
    largest_win: Decimal | None
    largest_loss: Decimal | None
    profit_factor: Decimal | None
    expectancy: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Of some trips."""

    trips: int
    won: int
    lost: int
    hit_rate: Decimal | None
    """A fraction."""
    longest_wins: int
    longest_losses: int
    streak: int
    """The one that goes on: above zero it is of wins, below of losses."""
    average_hours: Decimal | None
    """From opening to end."""
    amounts: tuple[Amounts, ...]

    @property
    def even(self) -> int:
        """Neither won nor lost."""
        return self.trips - self.won - self.lost


def net_of(trip: TripRow) -> Decimal:
    """What it brought in the end."""
    return EXACT.add(EXACT.subtract(trip.realised, trip.fees), trip.funding)


def record_of(trips: Sequence[TripRow]) -> Record:
    """Of trips in any order."""
    ordered = sorted(trips, key=lambda trip: (trip.closed_at, trip.id))
    nets = [net_of(trip) for trip in ordered]
    won, lost = sum(net > 0 for net in nets), sum(net < 0 for net in nets)
    wins, losses, streak = _streaks(nets)
    by_currency = _grouped(ordered, lambda trip: trip.currency)
    return Record(
        trips=len(ordered), won=won, lost=lost, hit_rate=_ratio(Decimal(won), Decimal(won + lost)),
        longest_wins=wins, longest_losses=losses, streak=streak, average_hours=_hours(ordered),
        amounts=tuple(_amounts(each, by_currency[each]) for each in sorted(by_currency)),
    )  # fmt: skip


def by_strategy(trips: Sequence[TripRow]) -> dict[str | None, Record]:
    """By the tag of the order that opened it; trips without a tag stand under None, last."""
    by_tag = _grouped(trips, lambda trip: trip.strategy)
    return {tag: record_of(by_tag[tag]) for tag in sorted(by_tag, key=lambda tag: (tag is None, tag or ""))}


def _grouped(trips: Sequence[TripRow], name: Callable[[TripRow], Name]) -> dict[Name, list[TripRow]]:
    found = dict[Name, list[TripRow]]()
    for trip in trips:
        found.setdefault(name(trip), []).append(trip)
    return found


def _amounts(currency: str, trips: Sequence[TripRow]) -> Amounts:
    nets = [net_of(trip) for trip in trips]
    wins, losses = [net for net in nets if net > 0], [net for net in nets if net < 0]
    profit, loss, net = _sum(wins), _sum(losses), _sum(nets)
    return Amounts(
        currency=currency, trips=len(trips), net=net, realised=_each(trips, lambda trip: trip.realised),
        fees=_each(trips, lambda trip: trip.fees), funding=_each(trips, lambda trip: trip.funding),
        gross_profit=profit, gross_loss=loss, average_win=_average(profit, len(wins)),
        average_loss=_average(loss, len(losses)), largest_win=max(wins, default=None),
        largest_loss=min(losses, default=None), profit_factor=_ratio(profit, loss.copy_abs()),
        expectancy=_DIVIDED.divide(net, Decimal(len(trips))),
    )  # fmt: skip


def _streaks(nets: Sequence[Decimal]) -> tuple[int, int, int]:
    """The longest of wins and of losses, and the one that goes on."""
    longest, worst, now = 0, 0, 0
    for net in nets:
        if net > 0:
            now = max(now, 0) + 1
        elif net < 0:
            now = min(now, 0) - 1
        longest, worst = max(longest, now), min(worst, now)
    return longest, -worst, now


def _hours(trips: Sequence[TripRow]) -> Decimal | None:
    if not trips:
        return None
    seconds = Decimal(sum(int((trip.closed_at - trip.opened_at).total_seconds()) for trip in trips))
    return _DIVIDED.divide(seconds, Decimal(3600 * len(trips))).quantize(Decimal("0.01"))


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return _DIVIDED.divide(part, whole).quantize(_RATIO, context=EXACT) if whole else None


def _average(amount: Decimal, count: int) -> Decimal | None:
    return _DIVIDED.divide(amount, Decimal(count)) if count else None


def _each(trips: Sequence[TripRow], of: Callable[[TripRow], Decimal]) -> Decimal:
    return _sum([of(trip) for trip in trips])


def _sum(amounts: Sequence[Decimal]) -> Decimal:
    found = ZERO
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found
