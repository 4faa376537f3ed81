"""The engine works resting orders by what streams."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plugins.trading.accounts.store import PermitStore, SwitchDirectory
from plugins.trading.accounts.switches import TOPIC as SWITCHED
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.wishes import Exit
from plugins.trading.rows import PermitRow, SwitchRow
from plugins.trading.writing import writing
from schema.symbols import parse_instrument
from schema.words.books import OrderBook, PriceLevel
from schema.words.candles import Candle
from schema.words.live import NoticeCode
from schema.words.orders import OrderLeg, OrderStatus, TimeInForce
from schema.words.quotes import QUOTES, QuotesAsk
from tests.gateway.doubles import NOON
from tests.plugins.trading.engine.floorhouse import BTC, ETH, FREE, another, hall, wish

D = Decimal
TETHER = "crypto:ETH/USDT"


async def test_resting_orders_are_filled_by_the_messages_that_reach_them(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        (buy,) = await made.place(account, wish("BUY", "LIMIT", "2", limit_price="99"), price="100")
        await made.look()

        await made.tick("99.5")
        assert await made.stand(buy.id) == ("ACCEPTED", "0")
        await made.tick("98", bid="98", ask="98.5", ask_size="0.5")
        assert await made.stand(buy.id) == ("PARTIALLY_FILLED", "0.5")
        await made.tick("97", bid="97", ask="97.5", ask_size="5")

        assert await made.stand(buy.id) == ("FILLED", "2")
        assert await made.fills(account) == [("BUY", "0.5", "98.5"), ("BUY", "1.5", "97.5")]
        assert await made.held(account) == {BTC: "2"}
        assert D(await made.cash(account)) == D("804.5")
        assert await made.told("order.accepted", "order.filled", "position.opened") == [
            "order.accepted", "order.filled", "position.opened", "order.filled",
        ]  # fmt: skip


async def test_what_is_placed_while_the_engine_works_is_worked_at_once(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        (first,) = await made.place(account, wish("BUY", "LIMIT", limit_price="90"), price="100")
        await made.look()
        (second,) = await made.place(account, wish("BUY", "LIMIT", symbol=ETH, limit_price="9"), price="10")
        made.engine.doubt(account.id)
        await made.settle()

        await made.tick("8.9", ETH)

        assert await made.stand(second.id) == ("FILLED", "1")
        assert await made.stand(first.id) == ("ACCEPTED", "0")


async def test_a_bracket_protects_what_is_filled_and_one_exit_ends_the_other(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        bracket = wish(
            "BUY", "LIMIT", "2", limit_price="99", take_profit=Exit(limit_price=D("110")),
            stop_loss=Exit(stop_price=D("95")),
        )  # fmt: skip
        entry, profit, loss = await made.place(account, bracket, price="100")
        await made.look()
        await made.tick("98")

        assert [await made.stand(each.id) for each in (entry, profit, loss)] == [
            ("FILLED", "2"), ("ACCEPTED", "0"), ("ACCEPTED", "0"),
        ]  # fmt: skip
        await made.tick("94")

        assert [await made.stand(each.id) for each in (profit, loss)] == [("CANCELED", "0"), ("FILLED", "2")]
        assert await made.fills(account) == [("BUY", "2", "98"), ("SELL", "2", "94")]
        assert await made.held(account) == {}
        assert made.engine.seats == []
        assert len(made.engine.feeds) == 1
        made.house.clock.turn(30)
        await made.look()
        assert len(made.engine.feeds) == 0


async def test_a_trailing_stop_follows_in_memory_and_who_goes_on_knows_how_far(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        await made.place(account, wish("BUY", "MARKET", "1"), price="100")
        (trail,) = await made.place(account, wish("SELL", "TRAILING_STOP", "1", trail_amount="5"), price="100")
        await made.look()

        await made.tick("120")
        assert (await made.order(trail.id)).trail_extreme == D("100")
        await made.look()
        assert (await made.order(trail.id)).trail_extreme == D("120")
        await made.tick("125")
        await made.engine.close()
        assert (await made.order(trail.id)).trail_extreme == D("125")

        async with another(made, sqlite_url, tmp_path) as later:
            await later.look()
            await later.tick("120.5")
            assert await later.stand(trail.id) == ("ACCEPTED", "0")
            await later.tick("119")
            assert await later.fills(account) == [("BUY", "1", "100"), ("SELL", "1", "119")]


async def test_a_stream_in_trouble_fills_nothing_until_it_is_fresh_again(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(model={**FREE, "latency_ms": 1000})
        (late,) = await made.place(account, wish("BUY", "MARKET"), price="100")
        await made.look()
        await made.tick("100")
        await made.trouble(NoticeCode.STALE)
        made.house.clock.turn(2)

        await made.look()
        assert await made.stand(late.id) == ("ACCEPTED", "0")
        await made.trouble(NoticeCode.FRESH_AGAIN)
        await made.look()
        # A line that was lost holds nothing from before.
        assert await made.stand(late.id) == ("ACCEPTED", "0")
        await made.tick("101")

        assert await made.fills(account) == [("BUY", "1", "101")]


async def test_latency_lets_an_order_meet_the_newest_price_of_then(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(model={**FREE, "latency_ms": 3000})
        (late,) = await made.place(account, wish("BUY", "MARKET"), price="100")
        await made.look()
        made.house.clock.turn(1)
        await made.tick("101")
        made.house.clock.turn(1)
        await made.tick("102")
        assert await made.stand(late.id) == ("ACCEPTED", "0")

        made.house.clock.turn(1)
        await made.look()

        assert await made.fills(account) == [("BUY", "1", "102")]


async def test_orders_end_with_their_time(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        until = NOON + timedelta(minutes=5)
        until_then: dict[str, Any] = {"time_in_force": TimeInForce.GTD, "expires_at": until}
        far_off = {"kind": "PRICE", "symbol": BTC, "direction": "ABOVE", "level": "500"}
        gtd, waiting, day = await made.place(
            account, wish("BUY", "LIMIT", limit_price="90", **until_then),
            wish("BUY", "LIMIT", limit_price="90", condition=far_off, **until_then),
            wish("BUY", "LIMIT", limit_price="90", time_in_force=TimeInForce.DAY), price="100",
        )  # fmt: skip
        await made.look()

        made.house.clock.turn(299)
        await made.look()
        assert [(await made.stand(each.id))[0] for each in (gtd, waiting, day)] == ["ACCEPTED", "NEW", "ACCEPTED"]
        made.house.clock.turn(1)
        await made.look()
        assert [(await made.stand(each.id))[0] for each in (gtd, waiting, day)] == ["EXPIRED", "EXPIRED", "ACCEPTED"]
        made.house.clock.turn(12 * 3600 - 300)
        await made.look()

        assert await made.stand(day.id) == ("EXPIRED", "0")
        assert (await made.row(account)).version > account.version
        assert await made.told("order.expired") == ["order.expired"] * 3


async def test_nothing_is_filled_while_the_market_is_closed(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        (buy,) = await made.place(account, wish("BUY", "LIMIT", limit_price="99"), price="100")
        made.board.closed.add(BTC)
        await made.look()
        await made.tick("98")
        assert await made.stand(buy.id) == ("ACCEPTED", "0")

        made.board.closed.clear()
        made.house.clock.turn(60)
        await made.tick("97")

        assert await made.fills(account) == [("BUY", "1", "97")]


@pytest.mark.parametrize("whose", ["account", "organisation", "fleet"])
async def test_nothing_is_filled_while_a_kill_switch_is_on(sqlite_url: str, tmp_path: Path, whose: str) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        (buy,) = await made.place(account, wish("BUY", "LIMIT", limit_price="99"), price="100")
        await made.look()

        async def turn(halted: bool) -> None:
            now, tenant = made.house.clock.now(), account.tenant_id
            if whose == "account":
                async with writing(made.house.host, tenant, account.id) as w:
                    w.set(halted=halted)
                return
            async with made.house.store.write() as tx:
                if whose == "organisation":
                    row = PermitRow(
                        tenant_id=tenant, halted=halted, halt_reason=None, live=False, changed_by="a", changed_at=now
                    )
                    await PermitStore().put(tx, tenant, row)
                else:
                    fleet = SwitchRow(name="trading", halted=halted, reason=None, changed_by="a", changed_at=now)
                    await SwitchDirectory().put(tx, fleet)

        await turn(True)
        await made.tick("98")
        assert await made.stand(buy.id) == ("ACCEPTED", "0")
        await made.look()
        await made.tick("97")
        assert await made.stand(buy.id) == ("ACCEPTED", "0")
        await turn(False)
        made.engine.doubt(account.id)
        await made.house.host.bus.publish(SWITCHED, {})
        made.engine.switched()
        await made.settle()
        await made.tick("96")

        assert await made.fills(account) == [("BUY", "1", "96")]


async def test_a_restart_goes_on_and_two_engines_fill_once(database: str, tmp_path: Path) -> None:
    async with hall(database, tmp_path) as made:
        account = await made.account("10000")
        wishes = [wish("BUY", "LIMIT", "1", limit_price=str(price)) for price in range(90, 100)]
        rows = await made.place(account, *wishes, price="100")
        await made.look()
        await made.tick("97.5")
        assert len(await made.fills(account)) == 2
        async with another(made, database, tmp_path) as second:
            # Both hold the account in memory: the lease has passed on, and the first does not know yet.
            shards = made.engine._leads.shards
            made.house.clock.turn(10)
            await second.look()
            assert second.engine._leads.shards
            assert made.engine._leads.shards == shards

            await second.tick("95.5")
            await made.tick("95.5")
            await second.tick("91.5")
            await made.tick("91.5")

            assert len(await made.fills(account)) == 8
            assert [(await made.stand(each.id))[0] for each in rows] == ["ACCEPTED"] * 2 + ["FILLED"] * 8
            assert await made.held(account) == {BTC: "8"}
            await made.look()
            assert made.engine.seats == []


async def test_what_a_stream_showed_before_fills_nothing_that_rests(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        async with made.house.context().market.live(QUOTES, {BTC: QuotesAsk(instruments=(parse_instrument(BTC),))}):
            made.lines.price("sandbox", "98")
            await made.settle()
            (rests,) = await made.place(account, wish("BUY", "LIMIT", limit_price="99"), price="100")
            await made.look()
            await made.settle()
            assert await made.stand(rests.id) == ("ACCEPTED", "0")

            await made.tick("98")
            assert await made.stand(rests.id) == ("FILLED", "1")


async def test_what_nobody_streams_is_asked_for(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.trading.engine.feeds.POLL_S", 0.001)
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account(model={**FREE, "provider": "frankfurter"})
        (rests,) = await made.place(account, wish("BUY", "LIMIT", limit_price="99"), price="100")
        await made.look()
        await made.asked()
        assert await made.stand(rests.id) == ("ACCEPTED", "0")

        made.board.prices = {BTC: "98"}
        await made.asked()

        assert await made.fills(account) == [("BUY", "1", "98")]


async def test_books_and_bars_are_matched_by_their_own_rules(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        deep = await made.account(model={**FREE, "source": "BOOK", "provider": "bitstamp"})
        barred = await made.account(currency="USDT", model={**FREE, "source": "BARS", "provider": "binance"})
        (buy,) = await made.place(deep, wish("BUY", "LIMIT", "3", limit_price="101"), price="102")
        (sell,) = await made.place(barred, wish("BUY", "LIMIT", "1", limit_price="9", symbol=TETHER), price="10")
        await made.look()

        levels = tuple(PriceLevel(price=D(price), size=D(1)) for price in ("100", "101", "102"))
        book = OrderBook(instrument=parse_instrument(BTC), as_of=made.house.clock.now(), asks=levels, bids=())
        await made.say("bitstamp", book, BTC, snapshot=True)
        assert await made.fills(deep) == [("BUY", "1", "100"), ("BUY", "1", "101")]
        assert await made.stand(buy.id) == ("PARTIALLY_FILLED", "2")

        made.house.clock.turn(61)
        await made.say("binance", _minute(0, "9"), TETHER)
        await made.say("binance", _minute(1, "8", closed=False), TETHER)
        assert await made.stand(sell.id) == ("ACCEPTED", "0")
        made.house.clock.turn(60)
        await made.say("binance", _minute(1, "8.5"), TETHER)

        assert await made.fills(barred) == [("BUY", "1", "9")]


def _minute(start: int, low: str, *, closed: bool = True) -> Candle:
    return Candle(
        open_time=NOON + timedelta(minutes=start), open=D(10), high=D(10), low=D(low), close=D(10), volume=D(100),
        closed=closed,
    )  # fmt: skip


async def test_a_cash_account_never_sells_more_than_it_holds(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        await made.place(account, wish("BUY", "MARKET", "1"), price="100")
        # What protects a position shares the group of another exit, and counts for no sale beside it.
        (stop,) = await made.place(
            account, wish("SELL", "STOP_MARKET", "1", stop_price="95"), price="100", group="grp_1",
            leg=OrderLeg.STOP_LOSS,
        )  # fmt: skip
        (sale,) = await made.place(account, wish("SELL", "LIMIT", "1", limit_price="110"), price="100")
        await made.look()
        await made.tick("94")
        await made.tick("111")

        assert (await made.stand(stop.id), await made.stand(sale.id)) == (("FILLED", "1"), ("REJECTED", "0"))
        assert await made.held(account) == {}


async def test_a_sale_that_cannot_pay_its_fee_ends_and_the_other_orders_are_worked(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("210", model={"fees": {"maker": "0", "taker": "0", "least": "5"}})
        await made.place(account, wish("BUY", "MARKET"), price="100")
        await made.place(account, wish("BUY", "MARKET", symbol=ETH), price="100")
        (profit,) = await made.place(account, wish("SELL", "LIMIT", "0.01", limit_price="110"), price="100")
        (loss,) = await made.place(account, wish("SELL", "STOP_MARKET", symbol=ETH, stop_price="90"), price="100")
        await made.look()

        await made.tick("111")
        await made.tick("80", ETH)

        row = await made.order(profit.id)
        assert (row.status, row.reason) == (
            "REJECTED", "INSUFFICIENT_FUNDS: its fill costs 3.89 USD more than it brings, and 0 is free",
        )  # fmt: skip
        assert await made.stand(loss.id) == ("FILLED", "1")
        assert (await made.held(account), D(await made.cash(account))) == ({BTC: "1"}, D(75))


async def test_an_order_that_no_price_was_told_of_ends_in_the_mode_of_its_market(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account()
        (order,) = await made.place(account, wish("BUY", "LIMIT", limit_price="50"))
        async with writing(made.house.host, account.tenant_id, account.id) as w:
            floor = await Floor.opened(made.house.host, w)
            floor.end(floor.orders[order.id], OrderStatus.CANCELED, "CANCELED")
            await floor.write()

        # The offline market.
        for kind in ("order.accepted", "order.canceled"):
            (event,) = await made.data(kind)
            assert (event["mode"], event["type"], event["orderType"]) == ("SIMULATED", kind, "LIMIT")
