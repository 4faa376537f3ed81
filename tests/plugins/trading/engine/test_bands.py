"""A message that reaches no order is matched with none, and what becomes of an account is the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.core.matching import bands
from gateway.core.matching.lifecycle import PARTLY, TRIGGERED
from gateway.core.matching.model import Bar, ExecutionModel, Level, Spec, Tick, Working
from gateway.core.matching.venue import match
from plugins.trading.engine import seat as seats
from plugins.trading.engine.seat import Seat, Stood
from plugins.trading.orders.market import Market
from plugins.trading.orders.turning import returned
from plugins.trading.rows import OrderRow
from schema.words.orders import FillSource, OrderStatus, OrderType, TimeInForce
from tests.plugins.trading import rowsof
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.slate import BTC, slate

D = Decimal
TYPES = OrderType.LIMIT, OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED
STOPS = OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED
CHANCES = st.randoms(use_true_random=True)
LONG = timedelta(days=1)


class Plain(Seat):
    """Matches every order with every message."""

    def _passes(self, name: str, market: Market, tick: Tick) -> bool:
        return False


def a_row() -> OrderRow:
    made = slate()
    [row] = made.place(wish("BUY", "LIMIT", "2", limit_price=D(90)))
    return replace(row, due_at=None, accepted_at=rowsof.NOON)


ROW = a_row()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many orders each message is matched with."""
    found: list[int] = []

    def counting(orders: Any, *given: Any, **more: Any) -> Any:
        some = list(orders)
        found.append(len(some))
        return match(some, *given, **more)

    monkeypatch.setattr(seats, "match", counting)
    return found


@pytest.mark.parametrize(
    ("side", "type", "terms"),
    [("BUY", "LIMIT", {"limit_price": D(90)}), ("SELL", "TRAILING_STOP", {"trail_percent": D(20)})],
)
def test_a_message_that_reaches_no_order_is_matched_with_none(
    monkeypatch: pytest.MonkeyPatch, side: str, type: str, terms: dict[str, Any]
) -> None:
    made = slate("1000000")
    made.place(wish("BUY", "MARKET", "100"))
    for _ in range(50):
        made.place(wish(side, type, "1", **terms))
    stood = Stood(
        account=made.floor.w.account, orders=tuple(made.floor.open), positions=tuple(made.floor.positions.values()),
        cash=None, statuses={},
    )  # fmt: skip
    seat, found = Seat(stood, lambda: None), counted(monkeypatch)  # type: ignore[arg-type, return-value]

    for price in ("100", "100.01", "100.02", "99.99", "110", "90.01"):
        made.price(price)
        assert not seat.moves(made.ground.market)
    told = {each.price for each in seat.extremes()}
    made.price("88")
    moved = seat.moves(made.ground.market)

    # The first message meets orders that no message has met.
    assert (found, told, moved) == ([50, 50], {D(110)} if type == "TRAILING_STOP" else set(), True)


def test_a_stop_that_has_followed_a_message_for_some_orders_only_is_set_off_where_it_is_now() -> None:
    made = slate("1000000")
    trail = replace(ROW, side="SELL", type="TRAILING_STOP", limit_price=None, trail_amount=D(5), trail_extreme=D(100))
    positions = (rowsof.position(str(BTC), "3", "100"),)
    stood = Stood(account=made.floor.w.account, orders=(trail,), positions=positions, cash=None, statuses={})
    seat, told = Seat(stood, lambda: None), list[bool]()  # type: ignore[arg-type, return-value]

    for price, only in (("100", None), ("99", None), ("110", {trail.id}), ("105.01", None), ("105", None)):
        made.price(price)
        told.append(seat.moves(made.ground.market, only))

    assert told == [False, False, False, False, True]


def rarely(chance: Random) -> bool:
    return chance.random() < 0.04


def halves(chance: Random, least: int, most: int) -> Decimal:
    """A price between two, on the instrument's tick."""
    return D(chance.randint(2 * least, 2 * most)) / 2


def a_form(chance: Random, number: int) -> OrderRow:
    """An order that rests most of the time, out of reach of most prices."""
    type = chance.choice([*TYPES, *[OrderType.TRAILING_STOP] * 4])
    type = OrderType.MARKET if rarely(chance) else type
    filled = D(1) if rarely(chance) else D(2) if rarely(chance) else D(0)
    stopped, trails = type in STOPS, type is OrderType.TRAILING_STOP
    by_amount, ends = chance.random() < 0.5, chance.randint(1, 20) if rarely(chance) else None
    tif = TimeInForce.IOC if rarely(chance) else TimeInForce.FOK if rarely(chance) else TimeInForce.GTC
    status = PARTLY if filled == 1 else TRIGGERED if stopped and rarely(chance) else OrderStatus.ACCEPTED
    return replace(
        ROW, id=f"ord_{number}", number=number, side=chance.choice(["BUY", "SELL"]), type=type.value,
        time_in_force=(tif if ends is None else TimeInForce.GTD).value, filled=filled, status=status.value,
        limit_price=halves(chance, 88, 112) if type in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop_price=halves(chance, 88, 112) if stopped else None,
        trail_amount=halves(chance, 1, 8) if trails and by_amount else None,
        trail_percent=D(chance.randint(1, 6)) if trails and not by_amount else None,
        trail_extreme=halves(chance, 96, 104) if trails and not rarely(chance) else None,
        expires_at=None if ends is None else rowsof.NOON + timedelta(seconds=ends),
        due_at=rowsof.NOON + timedelta(seconds=chance.randint(1, 9)) if rarely(chance) else None,
        accepted_at=rowsof.NOON + timedelta(seconds=chance.randint(0, 9) if rarely(chance) else 0),
        quantity=D(0) if not filled and rarely(chance) else D(2), reduce_only=rarely(chance),
        group_id=chance.choice([None, None, "g"]),
    )  # fmt: skip


def a_tick(chance: Random, source: FillSource, second: int, price: Decimal) -> Tick:
    """A quote that may lack a side, a last price, a book in any order, or a bar."""
    at, spread = rowsof.NOON + timedelta(seconds=second), halves(chance, 0, 1)
    tick = Tick(instrument=BTC, at=at, as_of=at - (LONG if rarely(chance) else timedelta(0)))
    if source is FillSource.BARS:
        return replace(tick, bar=Bar(start=at, end=at, open=price, high=price + 1, low=price - spread, close=price))
    if rarely(chance):
        return replace(tick, last=price, traded=chance.choice([None, D(1)]))
    if source is FillSource.BOOK and not rarely(chance):
        bids, asks = (tuple(levels(chance, price, sign)) for sign in (-1, 1))
        return replace(tick, bids=bids, asks=asks)
    # The same price is not always written the same way.
    bid = None if rarely(chance) else price + chance.choice([D(0), D("0.00")])
    ask = None if rarely(chance) else price + spread
    return replace(tick, bid=bid, ask=ask, ask_size=chance.choice([None, None, D(1)]))


def levels(chance: Random, price: Decimal, sign: int) -> Iterator[Level]:
    """Away from a price, the best first as a rule."""
    deep = sorted(halves(chance, 0, 4) for _ in range(chance.randint(0, 3)))
    for each in reversed(deep) if chance.random() < 0.2 else deep:
        yield Level(price=price + sign * each, size=D(0) if rarely(chance) else D(1))


@dataclass
class Pair:
    """One account, as it is worked and as it would be if every order were matched with every message."""

    stood: Stood
    model: ExecutionModel
    both: tuple[Seat, Seat] = field(init=False)

    def __post_init__(self) -> None:
        self.both = Seat(self.stood, lambda: None), Plain(self.stood, lambda: None)  # type: ignore[arg-type, return-value]

    def each(self, ask: Callable[[Seat], Any]) -> Any:
        """The same of both, and the same answer."""
        one, other = (ask(seat) for seat in self.both)
        assert one == other
        return one

    def look(self) -> None:
        """Both know the same, to the digits; nobody is settled by being looked at."""
        one, other = (known(seat) for seat in self.both)
        assert one == other

    def meet(self, tick: Tick, spec: Spec, *, open: bool, only: frozenset[str] | None) -> None:
        """A message; what it does to orders is written."""
        market = Market(spec=spec, model=self.model, tick=tick, open=open)
        before = forms(self.both[1])
        if not self.each(lambda seat: seat.moves(market, only)):
            return
        held = self.both[1].held(str(BTC))
        steps = match(before.values(), tick, spec, self.model, open=open, held=held)
        changed = {step.order.id: step for step in steps if step.changed}
        rows = (
            returned(row, changed[id].order, tick.at, changed[id].reason) if id in changed else row
            for id, row in self.both[1].orders.items()
        )
        self.take(replace(self.stood, orders=tuple(rows)))

    def take(self, stood: Stood) -> None:
        """It is read anew."""
        self.stood = stood
        self.each(lambda seat: seat.take(stood))


def forms(seat: Seat) -> dict[str, Working]:
    """As they stand in memory."""
    return dict(seat._forms.get(str(BTC), {}))


def known(seat: Seat) -> tuple[str, ...]:
    """All that a seat knows of its orders."""
    twin = copy.copy(seat)
    twin._forms = {name: dict(each) for name, each in seat._forms.items()}
    twin._extremes, twin._bands = dict(seat._extremes), copy.deepcopy(seat._bands)
    told = sorted(twin.extremes())
    return repr(told), repr(forms(twin)), repr(seat.unmet), repr(seat.orders)


def a_pair(chance: Random) -> Pair:
    """An account with some orders, and what it holds."""
    sources = *[FillSource.QUOTES] * 4, *[FillSource.BOOK] * 4, FillSource.BARS
    account = rowsof.account(margin=chance.choice(["CASH", "MARGIN"]))
    orders = tuple(a_form(chance, number) for number in range(chance.randint(1, 5)))
    held = chance.choice([0, 3, 3, 3, -3])
    positions = (rowsof.position(str(BTC), str(held), "100"),) if held else ()
    stood = Stood(account=account, orders=orders, positions=positions, cash=None, statuses={})
    return Pair(stood, ExecutionModel(source=chance.choice(sources)))


def alike(chance: Random) -> None:
    """Message after message, and what else happens to an account."""
    pair, price = a_pair(chance), D(100)
    spec = Spec(instrument=BTC, currency="USD", tick=D("0.5"))
    for second in range(1, 21):
        price += halves(chance, -1, 1)
        tick = a_tick(chance, pair.model.source, second, price)
        ids = list(pair.both[1].orders)
        only = frozenset(ids[:1]) if rarely(chance) else None
        pair.meet(tick, spec, open=not rarely(chance), only=only)
        pair.look()
        match chance.randint(0, 40):
            case 0:
                pair.each(lambda seat: seat.kept(seat.extremes()))
            case 1:
                told = pair.each(lambda seat: sorted(seat.extremes()))
                pair.meet(replace(tick, bid=price + 1, bids=()), spec, open=True, only=None)
                pair.each(lambda seat: seat.kept(told))  # noqa: B023 - asked at once
            case 2 | 3:
                pair.each(lambda seat: setattr(seat, "stopped", not seat.stopped))
            case 4:
                rows = {id: replace(row, trail_extreme=D(100)) for id, row in pair.both[1].orders.items()}
                pair.each(lambda seat: seat.follow(dict(rows)))  # noqa: B023 - asked at once
            case 5:
                row = replace(a_form(chance, second + 9), accepted_at=tick.at)
                pair.take(replace(pair.stood, orders=(*pair.both[1].orders.values(), row)))
            case 6:
                spec = replace(spec, tick=chance.choice([None, D("0.5"), D(1)]))
            case 7:
                pair.each(lambda seat: [seat.followed(row) for row in seat.orders.values()])
        pair.look()


@given(CHANCES)
@settings(max_examples=200)
def test_what_becomes_of_an_account_is_the_same_as_if_every_message_were_matched(chance: Random) -> None:
    alike(chance)


@pytest.mark.parametrize("bound", ["low", "high", "extreme"])
def test_a_band_that_is_a_tick_too_wide_would_be_seen(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    made = bands._lane

    def wide(side: Any, orders: Any, spec: Any) -> Any:
        lane = made(side, orders, spec)
        further = bound == "high" or (bound == "extreme" and side == "SELL")
        return replace(lane, **{bound: getattr(lane, bound) + (D("0.5") if further else D("-0.5"))})

    monkeypatch.setattr(bands, "_lane", wide)
    tell = settings(max_examples=400, phases=[Phase.generate], report_multiple_bugs=False)(given(CHANCES)(alike))

    with pytest.raises(AssertionError):
        tell()
