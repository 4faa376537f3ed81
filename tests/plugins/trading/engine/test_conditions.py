"""Orders that wait: for a price, an instant, another order, an indicator."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.core.contract import Context
from gateway.core.matching.conditions import (
    Condition,
    Direction,
    OrderCondition,
    PriceCondition,
    TimeCondition,
    ValueCondition,
    plain,
)
from plugins.trading.engine.dealing import FAULT, Dealer
from plugins.trading.engine.grounds import Grounds
from plugins.trading.engine.seat import Seat
from plugins.trading.engine.values import value_of
from plugins.trading.orders.deciding import ATTEMPTS
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground, ground_of
from plugins.trading.orders.placing import arrive
from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderLeg, TimeInForce
from tests.gateway.doubles import NOON
from tests.plugins.trading.engine.floorhouse import BTC, ETH, hall, wish

D = Decimal


def _waits(condition: Condition) -> dict[str, Any]:
    return plain(condition)


async def test_an_order_arrives_once_what_it_waits_for_has_come(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100", ETH: "10"}
        account = await made.account()
        above = PriceCondition(symbol=ETH, direction=Direction.ABOVE, level=D(11))
        noon = TimeCondition(at=NOON + timedelta(minutes=2))
        by_price, by_time = await made.place(
            account, wish("BUY", "MARKET", "1", condition=_waits(above)),
            wish("BUY", "MARKET", None, notional="50", condition=_waits(noon)), price="100",
        )  # fmt: skip
        after = OrderCondition(order_id=by_price.id)
        (by_order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="90", condition=_waits(after)))
        await made.look()

        await made.tick("10.9", ETH)
        assert [(await made.stand(each.id))[0] for each in (by_price, by_time, by_order)] == ["NEW", "NEW", "NEW"]
        await made.tick("11", ETH)
        assert await made.stand(by_price.id) == ("FILLED", "1")
        assert (await made.order(by_order.id)).status == "ACCEPTED"
        made.house.clock.turn(120)
        await made.look()

        assert await made.stand(by_time.id) == ("FILLED", "0.5")
        assert await made.fills(account) == [("BUY", "1", "100"), ("BUY", "0.5", "100")]
        assert (await made.order(by_order.id)).reserved == D("90")


async def test_an_order_that_a_fault_keeps_from_arriving_ends_and_stands_in_nobodys_way(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account, other = await made.account(), await made.account()
        noon = _waits(TimeCondition(at=NOON + timedelta(minutes=2)))
        broken, whole = await made.place(
            account, wish("BUY", "MARKET", "2", condition=noon), wish("BUY", "MARKET", condition=noon), price="100"
        )  # fmt: skip
        (theirs,) = await made.place(other, wish("BUY", "MARKET", condition=noon), price="100")
        await made.look()
        tries: list[str] = []

        def faulty(floor: Floor, ground: Ground, row: OrderRow) -> None:
            tries.append(row.id)
            if row.id == broken.id:
                raise InvalidOperation
            arrive(floor, ground, row)

        monkeypatch.setattr("plugins.trading.engine.dealing.arrive", faulty)
        made.house.clock.turn(120)
        await made.look()
        assert (await made.stand(whole.id), await made.stand(theirs.id)) == (("FILLED", "1"), ("FILLED", "1"))
        for seconds in (0, 1, 4):
            made.house.clock.turn(seconds)
            await made.look()
            assert (await made.order(broken.id)).status == "NEW"
        made.house.clock.turn(1)
        await made.look()

        ended = await made.order(broken.id)
        assert (ended.status, ended.reason) == ("REJECTED", f"INTERNAL: {FAULT}")
        assert sorted(tries) == sorted([*[broken.id] * 3, whole.id, theirs.id])


async def test_an_order_that_a_fault_of_a_moment_keeps_from_arriving_arrives_a_moment_later(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [RuntimeError("a moment's")]

    async def asked(*given: Any, **more: Any) -> Ground:
        if faults:
            raise faults.pop()
        return await ground_of(*given, **more)

    monkeypatch.setattr("plugins.trading.engine.grounds.ground_of", asked)
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        made.board.prices = {BTC: "100"}
        noon = _waits(TimeCondition(at=NOON + timedelta(minutes=2)))
        (row,) = await made.place(account, wish("BUY", "MARKET", condition=noon), price="100")
        await made.look()
        made.house.clock.turn(120)
        await made.look()
        assert (await made.stand(row.id), faults) == (("NEW", "0"), [])

        made.house.clock.turn(1)
        await made.look()

        assert await made.stand(row.id) == ("FILLED", "1")


async def test_an_order_that_waits_in_vain_is_cancelled(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account, stranger = await made.account(), await made.account()
        soon: dict[str, Any] = {"time_in_force": TimeInForce.GTD, "expires_at": NOON + timedelta(minutes=1)}
        (first,) = await made.place(account, wish("BUY", "LIMIT", limit_price="90", **soon), price="100")
        (theirs,) = await made.place(stranger, wish("BUY", "MARKET"), price="100")
        second, third = await made.place(
            account, wish("BUY", "LIMIT", limit_price="80", condition=_waits(OrderCondition(order_id=first.id))),
            wish("BUY", "LIMIT", limit_price="80", condition=_waits(OrderCondition(order_id=theirs.id))),
        )  # fmt: skip
        await made.look()
        assert (await made.order(second.id)).status == "NEW"
        assert (await made.stand(theirs.id), await made.stand(third.id)) == (("FILLED", "1"), ("CANCELED", "0"))

        made.house.clock.turn(60)
        await made.look()

        assert (await made.stand(first.id), await made.stand(second.id)) == (("EXPIRED", "0"), ("CANCELED", "0"))
        assert (await made.order(second.id)).reason == "PARENT_ENDED: the order that it waited for ended otherwise"


async def test_an_order_waits_for_what_nobody_can_buy(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account()
        above = PriceCondition(symbol="index:SPX", direction=Direction.ABOVE, level=D(6000))
        (order,) = await made.place(account, wish("BUY", "MARKET", condition=_waits(above)), price="100")
        await made.look()

        with capture_logs() as logs:
            await made.tick("5999", "index:SPX")
            before = await made.stand(order.id)
            await made.tick("6000", "index:SPX")

        assert (before, await made.stand(order.id)) == (("NEW", "0"), ("FILLED", "1"))
        assert [each["event"] for each in logs if each["log_level"] == "warning"] == []


async def test_what_arrives_is_checked_as_if_it_were_placed_then(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("150")
        now = _waits(TimeCondition(at=NOON + timedelta(seconds=30)))
        (poor,) = await made.place(account, wish("BUY", "LIMIT", "2", limit_price="100", condition=now), price="100")
        await made.look()

        made.house.clock.turn(30)
        await made.look()

        assert await made.stand(poor.id) == ("REJECTED", "0")
        told = "INSUFFICIENT_FUNDS: The order needs 200 USD, and 150 is free: 1.50005 would pass."
        assert (await made.order(poor.id)).reason == told
        assert await made.told("order.rejected") == ["order.rejected"]


async def test_what_another_order_has_opened_meanwhile_is_priced_before_one_that_arrives_is_judged(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100", ETH: "100"}
        account = await made.account("1000", margin="MARGIN", leverage=D(5))
        now, ask, asked = _waits(TimeCondition(at=NOON + timedelta(seconds=30))), Grounds._ground, list[Ground]()

        async def between(self: Grounds, seat: Seat, row: OrderRow) -> Ground:
            asked.append(await ask(self, seat, row))
            if len(asked) == 1:
                await made.place(account, wish("BUY", "MARKET", symbol=ETH), price="100")
            return asked[-1]

        monkeypatch.setattr(Grounds, "_ground", between)
        (order,) = await made.place(account, wish("BUY", "MARKET", condition=now), price="100")
        await made.look()

        made.house.clock.turn(30)
        await made.look()

        assert (await made.stand(order.id), len(asked)) == (("FILLED", "1"), 2)
        assert await made.held(account) == {BTC: "1", ETH: "1"}


async def test_one_that_arrives_waits_on_where_others_open_positions_all_the_while(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100", ETH: "100"}
        account = await made.account("1000", margin="MARGIN", leverage=D(5))
        now, ask, asked = _waits(TimeCondition(at=NOON + timedelta(seconds=30))), Grounds._ground, list[Ground]()

        async def between(self: Grounds, seat: Seat, row: OrderRow) -> Ground:
            asked.append(await ask(self, seat, row))
            # As if somebody had opened one just then.
            nothing = replace(asked[-1].marks, prices={})
            return replace(asked[-1], marks=nothing) if len(asked) <= ATTEMPTS else asked[-1]

        monkeypatch.setattr(Grounds, "_ground", between)
        await made.place(account, wish("BUY", "MARKET", symbol=ETH), price="100")
        (order,) = await made.place(account, wish("BUY", "MARKET", condition=now), price="100")
        await made.look()

        made.house.clock.turn(30)
        await made.look()
        await made.tick("100")

        assert (await made.stand(order.id), len(asked)) == (("FILLED", "1"), ATTEMPTS + 1)
        assert await made.told("order.rejected") == []


@pytest.mark.parametrize("margin", [{}, {"margin": "MARGIN", "leverage": D(5)}], ids=["cash", "margin"])
async def test_what_wants_all_behind_an_order_that_arrives_meets_the_price_that_fills_that(
    sqlite_url: str, tmp_path: Path, margin: dict[str, Any]
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("1000", **margin)
        now, oto = _waits(TimeCondition(at=NOON + timedelta(seconds=30))), OrderLeg.OTO
        (first,) = await made.place(account, wish("BUY", "MARKET", condition=now), price="100", leg=oto)
        all_of_it = wish("BUY", "LIMIT", "2", limit_price="100", time_in_force=TimeInForce.FOK)
        (waits,) = await made.place(account, all_of_it, price="100", leg=oto, parent=first.id)
        await made.look()

        made.house.clock.turn(30)
        await made.look()

        assert [await made.stand(each.id) for each in (first, waits)] == [("FILLED", "1"), ("FILLED", "2")]


async def test_exits_that_the_market_has_passed_by_then_reject_their_entry(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account()
        now = _waits(TimeCondition(at=NOON + timedelta(seconds=30)))
        entry, loss = await made.place(
            account, wish("BUY", "MARKET", None, notional="50", condition=now, stop_loss=Exit(stop_price=D(100))),
            price="100",
        )  # fmt: skip
        await made.look()

        made.house.clock.turn(30)
        await made.look()

        assert [(await made.order(each.id)).status for each in (entry, loss)] == ["REJECTED", "CANCELED"]
        told = "stopPrice 100 of a SELL must lie below 100, else it is met at once: at most 99.99999999."
        assert (await made.order(entry.id)).reason == f"WRONG_SIDE_OF_MARKET: {told}"


async def test_an_indicator_of_closed_days_lets_an_order_arrive(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices, made.board.closes = {BTC: "100"}, {BTC: ["10", "12", "11", "99"]}
        account = await made.account()
        above = ValueCondition(key=f"SMA:3:{BTC}", direction=Direction.ABOVE, level=D(0))
        (order,) = await made.place(account, wish("BUY", "MARKET", condition=_waits(above)), price="100")
        await made.look()
        assert (await made.order(order.id)).status == "ACCEPTED" or await made.stand(order.id) == ("FILLED", "1")

        above = ValueCondition(key=f"SMA:3:{BTC}", direction=Direction.ABOVE, level=D(1))
        (waits,) = await made.place(account, wish("BUY", "MARKET", condition=_waits(above)), price="100")
        made.board.closes = {BTC: ["10", "12", "11", "14", "99"]}
        await made.look()
        assert (await made.order(waits.id)).status == "NEW"
        made.house.clock.turn(61)
        await made.look()

        assert await made.stand(waits.id) == ("FILLED", "1")


def test_values_are_those_of_the_last_close() -> None:
    closes = [D(each) for each in (10, 12, 11, 14)]

    assert value_of("SMA", 3, closes) == D(14) - D("12.33333333")
    assert value_of("EMA", 3, closes) == D(14) - D("12.5")
    assert value_of("RSI", 3, closes) == D("83.33333333")
    assert value_of("SMA", 5, closes) is None


async def test_an_indicator_that_has_no_value_is_asked_for_no_more_often_than_others(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def told(_: Context, key: str) -> Decimal | None:
        asked.append(key)
        return None

    monkeypatch.setattr("plugins.trading.engine.values.find_value", told)
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.trader(margin="MARGIN", leverage=D(2))
        never = _waits(ValueCondition(key=f"rsi:14:{BTC}", direction=Direction.BELOW, level=D(10)))
        await made.place(account, wish("BUY", "MARKET", condition=never), price="100")
        await made.look()
        await made.look()
        assert len(asked) == 1

        for seconds in range(10):
            made.house.clock.turn(1)
            await made.tick(str(100 + seconds))
            await made.look()

        assert len(asked) == 1


@pytest.mark.parametrize("seconds", [1, 0.001])
async def test_an_order_whose_end_has_come_with_what_it_waited_for_is_expired_and_not_rejected(
    sqlite_url: str, tmp_path: Path, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100", ETH: "10"}
        account, come = await made.account(), made.house.clock.now() + timedelta(minutes=1)
        held = wish(
            "BUY", "LIMIT", "1", limit_price="90", condition=plain(TimeCondition(at=come)),
            time_in_force=TimeInForce.GTD, expires_at=come + timedelta(seconds=seconds),
        )  # fmt: skip
        (order,) = await made.place(account, held)
        await made.look()
        made.house.clock.turn(60)
        real = Dealer.arrive

        async def late(self: Dealer, *how: Any) -> set[str]:
            made.house.clock.turn(1)
            return await real(self, *how)

        monkeypatch.setattr(Dealer, "arrive", late)
        await made.look()

        assert await made.stand(order.id) == ("EXPIRED", "0")
        assert await made.told("order.expired", "order.rejected") == ["order.expired"]
