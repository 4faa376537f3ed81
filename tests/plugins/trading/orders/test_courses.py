"""Courses of brackets, groups, closes and replacements: whatever is done, nothing waits, holds or protects in vain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from gateway.core.matching.chances import AT_ONCE, UNTIL_TRIGGERED
from gateway.core.matching.contingencies import EXITS
from gateway.core.matching.venue import give_back
from plugins.trading.orders.grouping import check_group, check_placed, place_of
from plugins.trading.orders.inputs import GroupRule
from plugins.trading.orders.placing import arrive, place
from plugins.trading.orders.protecting import close_down
from plugins.trading.orders.wishes import Exit, Wish, check_wish
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderStatus, TimeInForce
from schema.words.problems import Refused
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.slate import BTC, FREE, HOW, D, Slate, slate

NAME = str(BTC)
MARGIN: dict[str, Any] = {"margin": "MARGIN"}
COMES = {"price": {"symbol": NAME, "crossing": "ABOVE", "level": "1"}}
NEW = OrderStatus.NEW


@dataclass
class Course:
    """An account, and who deals with it."""

    desk: Slate
    chance: Random
    late: bool
    """Whether orders arrive behind a latency."""

    def go(self) -> None:
        """One thing more, and what must hold after it. What is refused is rolled back."""
        floor = self.desk.floor
        before = floor.orders.copy(), dict(floor.positions), dict(floor.cash), list(floor.fills), len(floor.taken)
        stood = before[0]
        ways = (self.meet, self.lure, self.single, self.bracket, self.group, self.change, self.close, self.end)
        try:
            self.chance.choices(ways, (4, 9, 1, 3, 3, 2, 1, 1))[0]()
        except Refused:
            for made in floor.taken[before[4] :]:
                give_back(made)
            del floor.taken[before[4] :]
            floor.orders, floor.positions, floor.cash, floor.fills = before[:4]
        floor.judge("", self.desk.marks)
        floor.marks = None
        check(self, stood)

    def pick(self, *ways: Any) -> Any:
        return self.chance.choice(ways)

    def price(self, far: float = 7) -> Decimal:
        """Near the market's."""
        return D(str(round(float(self.desk.tick.bid or 0) + self.chance.uniform(-far, far), 1)))

    def wished(self) -> Wish:
        type, given = self.pick("MARKET", "LIMIT", "LIMIT", "STOP_MARKET", "STOP_LIMIT"), dict[str, Any]()
        if type.endswith("LIMIT"):
            given["limit_price"] = self.price()
        if type.startswith("STOP"):
            given["stop_price"] = self.price()
        elif self.chance.random() < 0.5:
            given["time_in_force"] = self.pick(TimeInForce.IOC, TimeInForce.FOK)
        return wish(self.pick("BUY", "SELL"), type, self.pick("0.5", "1", "2", "3", self.most()), **given)

    def most(self) -> str:
        """About as much as there is a margin for."""
        room = max(self.desk.room, D(100)) * self.desk.floor.leverage / (self.desk.tick.bid or 1)
        return format(room.quantize(D("0.1")), "f")

    def meet(self) -> None:
        bid = min(max(self.price(2.5), D(90)), D(110))
        self.desk.meet(str(bid), str(bid + self.pick(D("0.1"), D(1), D(6))), size=self.pick(None, "0.4", "1", "2"))

    def lure(self) -> None:
        """A stop whose entry is filled further is touched, then all is sold by hand, then the entry opens more."""
        floor = self.desk.floor
        pairs = ((row, floor.orders.get(row.parent_id or "")) for row in floor.open if row.leg in EXITS)
        known = [(row, entry) for row, entry in pairs if entry and entry.open and entry.limit_price and row.stop_price]
        if not known:
            return
        row, entry = self.chance.choice(known)
        stop, limit = row.stop_price or D(0), entry.limit_price or D(0)
        inside, size = (limit - 1, limit) if entry.side == "BUY" else (limit, limit + 1), self.pick("0.4", "1")
        if row.status == NEW:
            self.desk.meet(str(inside[0]), str(inside[1]), size)
        elif row.quantity == row.filled:
            self.desk.meet(str(min(stop, limit)), str(max(stop, limit)), size=size)
        elif row.filled or row.status == OrderStatus.TRIGGERED:
            self.close()
        else:
            beside = (stop, limit + 1) if entry.side == "BUY" else (limit - 1, stop)
            self.desk.meet(str(beside[0]), str(beside[1]), size)

    def single(self) -> None:
        self.desk.place(self.wished())

    def bracket(self) -> None:
        entry = self.pick(self.wished(), wish(self.pick("BUY", "SELL"), "LIMIT", "3", limit_price=self.price(2)))
        base, sign = entry.limit_price or entry.stop_price or self.price(0), 1 if entry.side == "BUY" else -1
        stop = base - sign * D(self.pick("2", "4"))
        loss = self.pick(
            Exit(stop_price=stop), Exit(stop_price=stop, limit_price=stop - sign), Exit(trail_amount=D(3))
        )  # fmt: skip
        profit = self.pick(None, Exit(limit_price=base + sign * D(self.pick("2", "6"))))
        entry = replace(entry, take_profit=profit, stop_loss=loss)
        check_wish(entry)
        self.desk.place(entry)

    def group(self) -> None:
        rule, wishes = self.pick(GroupRule.OCO, GroupRule.OTO, GroupRule.OTO), [self.wished(), self.wished()]
        floor, rows = self.desk.floor, list[OrderRow]()
        if self.chance.random() < 0.3:
            turned = "SELL" if wishes[0].side == "BUY" else "BUY"
            wishes[1] = wish(turned, "MARKET", self.most(), time_in_force=self.pick(TimeInForce.IOC, TimeInForce.FOK))
        if rule is GroupRule.OTO and wishes[0].time_in_force is TimeInForce.GTC and self.chance.random() < 0.3:
            wishes[0] = replace(wishes[0], condition=COMES)
        check_group(wishes, rule)
        for n, each in enumerate(wishes):
            how = place_of(rule, n, rows[0] if rows else None, HOW, f"grp_{len(floor.orders)}")
            rows += place(floor, self.desk.ground, each, how)
            check_placed(floor.orders[rows[-1].id], rule, ())
        floor.marks = self.desk.marks if floor.lends else None
        floor.follow(rows[0].id, self.desk.ground.market)
        for row in rows:
            check_placed(floor.orders[row.id], rule, ())

    def change(self) -> None:
        rows = self.desk.floor.open
        if not rows:
            return
        row = self.chance.choice(rows)
        self.desk.floor.judge(row.id, self.desk.marks)
        if row.condition is not None:
            arrive(self.desk.floor, self.desk.ground, row)
            return
        given: Sequence[str] = [name for name in ("limit_price", "stop_price") if getattr(row, name) is not None]
        terms: dict[str, Any] = {name: self.price() for name in given}
        if row.leg not in EXITS and self.chance.random() < 0.5:
            terms["quantity"] = D(self.pick("1", "2", "5"))
        if terms:
            self.desk.replace(row, **terms)

    def close(self) -> None:
        """By hand, whole or in part, before the message meets others."""
        self.desk.price(str(self.desk.tick.bid), str(self.desk.tick.ask))
        held = self.desk.floor.held(NAME)
        part = self.pick(abs(held), abs(held), min(abs(held), D("0.6")))
        if part and part == abs(held) and self.chance.random() < 0.2:
            close_down(self.desk.floor, NAME)
        if part:
            self.desk.place(wish("SELL" if held > 0 else "BUY", "MARKET", format(part, "f"), reduce_only=True))

    def end(self) -> None:
        if rows := self.desk.floor.open:
            self.desk.floor.end(self.chance.choice(rows), OrderStatus.CANCELED, "CANCELED")


def check(course: Course, before: dict[str, OrderRow]) -> None:
    orders = course.desk.floor.orders
    for row in orders.values():
        if not row.open:
            assert not row.reserved
            continue
        parent = orders.get(row.parent_id or "")
        filling = parent is not None and parent.open
        if row.status == NEW:
            assert filling or row.condition is not None
            continue
        assert course.late or row.time_in_force not in AT_ONCE
        if row.leg in EXITS:
            check_exit(row, before.get(row.id), filling=filling)


def check_exit(row: OrderRow, was: OrderRow | None, *, filling: bool) -> None:
    """That it has something to protect, or waits for it as it was placed; nothing fills it as it is accepted anew."""
    if row.quantity == row.filled:
        assert filling
        assert row.type not in UNTIL_TRIGGERED or not (row.filled or row.status == OrderStatus.TRIGGERED)
    same = was is not None and (was.limit_price, was.stop_price) == (row.limit_price, row.stop_price)
    if was is not None and same and was.filled != row.filled:
        assert row.accepted_at == was.accepted_at


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_done_nothing_waits_holds_or_protects_in_vain(seed: int, late: bool):
    chance = Random(f"{seed} {late}")
    account = {**MARGIN, "leverage": D(chance.choice([1, 5]))} if chance.random() < 0.6 else {}
    model = {**FREE, "latency_ms": 1500 if late else 0}
    course = Course(slate(chance.choice(["600", "2000"]), "99", "100", model=model, **account), chance, late)

    for _ in range(40):
        course.go()
