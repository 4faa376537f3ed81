"""How closed positions went, by exact figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from plugins.trading.positions.statistics import by_strategy, record_of
from plugins.trading.rows import TripRow
from tests.plugins.trading.rowsof import NOON, D, trip


def test_wins_losses_streaks_and_amounts_are_after_fees_and_funding():
    told = ["10", "20", "0", "5", "-8", "-4", "1"]
    trips = [
        trip(f"trip_{n}", realised, fees=D(1), opened_at=NOON - timedelta(hours=n),
             closed_at=NOON + timedelta(hours=n), funding=D("0.5") if n == 6 else D(0))
        for n, realised in enumerate(told)
    ]  # fmt: skip

    found = record_of(trips[::-1])

    # nets: 9, 19, -1, 4, -9, -5, 0.5
    assert (found.trips, found.won, found.lost, found.even) == (7, 4, 3, 0)
    assert found.hit_rate == D("0.5714285714")
    assert (found.longest_wins, found.longest_losses, found.streak) == (2, 2, 1)
    assert found.average_hours == D("6.00")
    (amounts,) = found.amounts
    assert (amounts.currency, amounts.trips) == ("USD", 7)
    assert (amounts.realised, amounts.fees, amounts.funding, amounts.net) == (D(24), D(7), D("0.5"), D("17.5"))
    assert (amounts.gross_profit, amounts.gross_loss) == (D("32.5"), D(-15))
    assert (amounts.average_win, amounts.average_loss) == (D("8.125"), D(-5))
    assert (amounts.largest_win, amounts.largest_loss) == (D(19), D(-9))
    assert amounts.profit_factor == D("2.1666666667")
    assert amounts.expectancy == D("2.5")


def test_an_even_trip_neither_adds_to_a_streak_nor_ends_it():
    trips = [trip(f"trip_{n}", net, closed_at=NOON + timedelta(minutes=n)) for n, net in enumerate(["1", "0", "2"])]

    found = record_of(trips)

    assert (found.won, found.lost, found.even, found.longest_wins, found.streak) == (2, 0, 1, 2, 2)
    assert (found.hit_rate, found.amounts[0].profit_factor, found.amounts[0].average_loss) == (D(1), None, None)


def test_amounts_of_two_currencies_are_never_added():
    found = record_of([trip("trip_1", "10"), trip("trip_2", "-3", currency="EUR")])

    assert [(each.currency, each.net) for each in found.amounts] == [("EUR", D(-3)), ("USD", D(10))]
    assert (found.won, found.lost) == (1, 1)


def test_strategies_stand_by_their_tags_and_those_without_come_last():
    trips = [trip("trip_1", "1"), trip("trip_2", "2", strategy="b"), trip("trip_3", "-3", strategy="a")]
    trips += [trip(f"trip_{tag}", "0", strategy=tag) for tag in "gecdf"]

    found = by_strategy(trips)

    assert list(found) == ["a", "b", "c", "d", "e", "f", "g", None]
    assert [(tag, each.amounts[0].net) for tag, each in found.items() if each.won or each.lost] == [
        ("a", D(-3)),
        ("b", D(2)),
        (None, D(1)),
    ]


def test_nothing_closed_has_no_figures():
    found = record_of([])

    assert (found.trips, found.hit_rate, found.average_hours, found.amounts) == (0, None, None, ())


class Passed(list[TripRow]):
    """How often trips are gone through."""

    times = 0

    def __iter__(self) -> Iterator[TripRow]:
        self.times += 1
        return super().__iter__()


def test_however_many_tags_there_are_trips_are_gone_through_once():
    trips = Passed(trip(f"trip_{n}", "1", strategy=f"tag_{n:02}") for n in range(40))
    trips.times = 0

    found = by_strategy(trips)

    assert ([*found], trips.times) == ([f"tag_{n:02}" for n in range(40)], 1)
