"""What orders hold of a margin after others of their instrument ended or changed. On a floor that is never written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.contract import Host
from gateway.core.matching.model import ExecutionModel, Spec
from gateway.core.store import Tx
from plugins.trading.markets.marks import Marks
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground
from plugins.trading.orders.grouping import place_of
from plugins.trading.orders.inputs import GroupRule
from plugins.trading.orders.placing import Place, arrive, place, replaced
from plugins.trading.orders.reckoning import Reserves, reckoned
from plugins.trading.rows import OrderRow
from plugins.trading.writing import Writing
from schema.symbols import parse_instrument
from schema.words.orders import OrderStatus
from schema.words.problems import Refused
from tests.plugins.trading import rowsof
from tests.plugins.trading.engine.floorhouse import BTC, FREE, priced, wish

D = Decimal
SPEC = Spec(instrument=parse_instrument(BTC), currency="USD")


class Bench:
    """A margin account, five times, that holds some bitcoin at 100; its market is what a test says."""

    def __init__(self, held: str, money: str = "1000000") -> None:
        account = rowsof.account(margin="MARGIN", leverage=D(5), model=FREE)
        host = cast(Host, SimpleNamespace(settings=SimpleNamespace(mode="live")))
        self.floor = Floor(host, Writing(tx=cast(Tx, None), account=account), rowsof.NOON)
        self.floor.cash["USD"] = D(money)
        if D(held):
            opened: dict[str, Any] = {"bought": abs(D(held)), "bought_value": abs(D(held)) * 100}
            self.floor.positions[BTC] = rowsof.position(BTC, held, str(D(held) * 100), **opened)
        self.price = "100"

    @property
    def ground(self) -> Ground:
        made = replace(rowsof.MADE, as_of=self.floor.now, fetched_at=self.floor.now)
        marks = Marks(currency="USD", prices={BTC: rowsof.mark(self.price)})
        told = priced(SPEC.instrument, self.price, made)
        return Ground(
            spec=SPEC, model=ExecutionModel.read(FREE), priced=told, lacking=None, marks=marks, closes_at=None
        )  # fmt: skip

    def place(self, side: str, quantity: str, price: str, type: str = "LIMIT", **how: Any) -> str:
        name = "stop_price" if type == "STOP_MARKET" else "limit_price"
        given: dict[str, Any] = {name: price} | how
        return place(self.floor, self.ground, wish(side, type, quantity, **given), Place(made_by="ada"))[0].id

    def replace(self, order_id: str, **terms: Any) -> None:
        replaced(self.floor, self.ground, self.floor.orders[order_id], terms, None)

    def cancel(self, order_id: str) -> None:
        self.floor.end(self.floor.orders[order_id], OrderStatus.CANCELED, "CANCELED")

    def move(self, price: str) -> None:
        """The market's price meets what is open."""
        self.price = price
        self.floor.now += timedelta(seconds=1)
        market, marks = self.ground.market, self.ground.marks
        rows = {row.id: row for row in self.floor.open if row.status != "NEW"}
        self.floor.marks = marks
        self.floor.take(self.floor.round(rows.values(), market))
        self.floor.marks = None

    def reserves(self) -> list[str]:
        """Of what is open, in the order of placing."""
        return [f"{row.reserved.normalize():f}" for row in self.floor.open]

    def check(self) -> None:
        """All hold what they would if they were reckoned now."""
        anew = reckoned(self.floor.open, self.floor.held(BTC), self.ground.market, Reserves(D(5)))
        assert [(row.id, holds) for row, holds in anew] == []
        assert self.floor.reserved().get("USD", D(0)) == sum((row.reserved for row in self.floor.open), D(0))


def test_what_closed_behind_a_cancelled_order_holds_nothing_any_more():
    bench = Bench("10")
    first = bench.place("SELL", "10", "105")
    bench.place("SELL", "15", "110")
    before = bench.reserves()

    bench.cancel(first)

    # 15 at 110, a fifth of it; then ten of them close.
    assert (before, bench.reserves()) == (["0", "330"], ["110"])


def test_all_that_end_at_once_are_one_change():
    bench = Bench("10")
    ids = [bench.place("SELL", "5", "105") for _ in range(3)]
    last = bench.place("SELL", "10", "110")
    version = bench.floor.orders[last].version

    bench.floor.end_all(ids, OrderStatus.EXPIRED, "EXPIRED")

    assert bench.reserves() == ["0"]
    assert bench.floor.orders[last].version == version + 1


def test_an_order_that_grows_takes_what_those_behind_it_were_to_close():
    bench = Bench("10")
    first = bench.place("SELL", "4", "105")
    bench.place("SELL", "6", "120")

    bench.replace(first, quantity=D(10))
    grown = bench.reserves()
    bench.replace(first, quantity=D(7))

    # Six at 120, a fifth of it; then three of them.
    assert (grown, bench.reserves()) == (["0", "144"], ["0", "72"])


def test_an_order_does_not_grow_where_there_is_no_margin_for_those_behind_it():
    # Ten at 100 take a margin of 200, and are paid for.
    bench = Bench("10", "-700")
    first = bench.place("SELL", "4", "105")
    bench.place("SELL", "6", "120")

    with pytest.raises(Refused) as refused:
        bench.replace(first, quantity=D(10))

    assert (refused.value.code, refused.value.field) == ("INSUFFICIENT_MARGIN", ("quantity",))
    assert refused.value.message == (
        "The order needs a margin of 144.00 USD, and 100.00 is available: 8.16666666 would pass."
    )


def test_a_condition_that_is_met_takes_its_place_before_those_behind_it():
    bench = Bench("10")
    waits = bench.place("SELL", "10", "105", condition={"kind": "TIME", "at": "2026-11-20T13:00:00+00:00"})
    bench.place("SELL", "10", "110")
    before = bench.reserves()

    arrive(bench.floor, bench.ground, bench.floor.orders[waits])

    assert (before, bench.reserves()) == (["0", "0"], ["0", "220"])


def test_a_stop_that_is_triggered_and_rests_closes_before_the_limits_behind_it():
    bench = Bench("-10")
    bench.place("BUY", "10", "105", "STOP_LIMIT", stop_price="105")
    bench.place("BUY", "10", "90")
    before = bench.reserves()

    bench.move("110")

    assert (before, bench.reserves()) == (["0", "0"], ["0", "180"])


PRICES = st.sampled_from([80, 85, 90, 95, 95, 105, 110]).map(str)
RESTING = st.sampled_from(["80", "85", "90", "95"])
SIZES = st.integers(1, 9).map(str)
PLACES = st.integers(0, 9)
ORDERS = st.one_of(
    st.tuples(st.just("limit"), st.just("BUY"), SIZES, RESTING),
    st.tuples(st.just("limit"), st.sampled_from(["BUY", "SELL"]), SIZES, PRICES),
    st.tuples(st.just("stop"), st.sampled_from(["STOP_MARKET", "STOP_LIMIT"]), SIZES, st.sampled_from(["105", "110"])),
    st.tuples(st.just("pair"), st.sampled_from([GroupRule.OCO, GroupRule.OTO]), SIZES, RESTING),
)
CHANGES = st.one_of(
    st.tuples(st.just("cancel"), PLACES),
    st.tuples(st.just("size"), PLACES, SIZES),
    st.tuples(st.just("price"), PLACES, RESTING),
    st.tuples(st.just("move"), PRICES),
)
DEEDS = st.tuples(st.lists(ORDERS, min_size=2, max_size=5), st.lists(st.one_of(ORDERS, CHANGES, CHANGES), max_size=8))


@given(held=st.sampled_from(["-10", "-20", "10"]), money=st.sampled_from(["3000", "1000000"]), deeds=DEEDS)
def test_whatever_ends_or_changes_orders_hold_what_a_fresh_reckoning_gives(
    held: str, money: str, deeds: tuple[list[tuple[Any, ...]], ...]
):
    """Of orders whose reserve no price moves: limits that rest, and stops that buy."""
    bench = Bench(held, money)
    for deed in (*deeds[0], *deeds[1]):
        bench.floor.now += timedelta(seconds=1)
        try:
            _do(bench, *deed)
        except Refused:
            if deed[0] in ("size", "price", "pair"):
                # What refused it has undone the transaction.
                return
        bench.check()


def _do(bench: Bench, deed: str, *given: Any) -> None:
    match deed, given:
        case "limit", (side, quantity, price):
            bench.place(side, quantity, price)
        case "stop", (type, quantity, price):
            limit = {"limit_price": price} if type == "STOP_LIMIT" else {}
            bench.place("BUY", quantity, price, type, stop_price=price, **limit)
        case "pair", (rule, quantity, price):
            _pair(bench, rule, quantity, price)
        case "move", (price,):
            bench.move(price)
        case _, (place, *more):
            open_: list[OrderRow] = bench.floor.open
            if not open_:
                return
            row = open_[place % len(open_)]
            if deed == "cancel":
                bench.cancel(row.id)
            elif deed == "size":
                bench.replace(row.id, quantity=row.filled + D(more[0]))
            elif row.limit_price is not None and row.stop_price is None:
                bench.replace(row.id, limit_price=D(more[0]))


def _pair(bench: Bench, rule: GroupRule, quantity: str, price: str) -> None:
    """Two purchases; of an OTO the second one waits for the first."""
    first: OrderRow | None = None
    for n in range(2):
        how = place_of(rule, n, first, Place(made_by="ada"), f"grp_{len(bench.floor.orders)}")
        (row,) = place(bench.floor, bench.ground, wish("BUY", "LIMIT", quantity, limit_price=price), how)
        first = first or row
    assert first is not None
    bench.floor.follow(first.id, bench.ground.market)
