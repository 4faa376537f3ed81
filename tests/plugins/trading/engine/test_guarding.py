"""The day, its greatest loss, margin calls and liquidations."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from schema.words.live import NoticeCode
from tests.plugins.trading.engine.floorhouse import BTC, ETH, FREE, PERP, hall, wish

DOGE = "crypto:DOGE/USD"
D = Decimal


async def test_the_day_begins_at_midnight_with_the_equity_of_then(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(day="2026-11-19", day_equity=D(5))
        await made.place(account, wish("BUY", "MARKET", "2"), price="100")
        await made.look()
        assert (await made.row(account)).day == "2026-11-19"

        await made.tick("110")
        await made.look()

        row = await made.row(account)
        assert (row.day, row.day_equity) == ("2026-11-20", D(1000))
        made.house.clock.turn(12 * 3600)
        await made.tick("120")
        await made.look()
        row = await made.row(account)
        assert (row.day, row.day_equity) == ("2026-11-21", D(1040))


async def test_an_account_that_held_nothing_at_midnight_loses_from_its_first_order_on(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        costly = {"fees": {"taker": "0.01", "maker": "0.01", "least": "0"}}
        account = await made.account("10000", day="2026-11-19", day_equity=D(7), max_daily_loss=D(20), model=costly)
        await made.place(account, wish("BUY", "MARKET", "50"), price="100")
        await made.look()

        await made.tick("100")
        await made.look()

        row = await made.row(account)
        assert (row.day, row.day_equity, row.loss_day) == ("2026-11-20", D(10000), "2026-11-20")
        assert await made.told("account.daily_loss_reached") == ["account.daily_loss_reached"]


async def test_the_greatest_loss_of_a_day_cancels_what_opens(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(day="2026-11-20", day_equity=D(1000), max_daily_loss=D(50))
        await made.place(account, wish("BUY", "MARKET", "5"), price="100")
        opens, closes = await made.place(
            account, wish("BUY", "LIMIT", limit_price="80"),
            wish("SELL", "STOP_MARKET", "5", stop_price="85", reduce_only=True), price="100",
        )  # fmt: skip
        await made.look()
        await made.tick("91")
        await made.look()
        assert await made.told("account.daily_loss_reached") == []

        await made.tick("90")
        await made.look()
        await made.tick("89")
        await made.look()

        assert (await made.row(account)).loss_day == "2026-11-20"
        assert (await made.stand(opens.id), await made.stand(closes.id)) == (("CANCELED", "0"), ("ACCEPTED", "0"))
        told = "DAILY_LOSS_REACHED: the account has lost as much as it may in a day"
        assert (await made.order(opens.id)).reason == told
        (event,) = await made.data("account.daily_loss_reached")
        assert {name: event[name] for name in ("loss", "equity", "maxDailyLoss", "canceledOrders")} == {
            "loss": "50.00", "equity": "950.00", "maxDailyLoss": "50", "canceledOrders": 1,
        }  # fmt: skip


async def test_what_is_told_of_a_loss_or_a_margin_call_is_rounded_to_the_currency(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(
            "100", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D("100.0049"), max_daily_loss=D(40)
        )  # fmt: skip
        await made.place(account, wish("BUY", "MARKET", "8"), price="100")
        await made.look()

        await made.tick("92.4007")
        await made.look()

        (loss,), (call,) = await made.data("account.daily_loss_reached"), await made.data("account.margin_call")
        assert {name: loss[name] for name in ("equity", "dayEquity", "loss", "maxDailyLoss")} == {
            "equity": "39.21", "dayEquity": "100.00", "loss": "60.79", "maxDailyLoss": "40",
        }  # fmt: skip
        assert {name: call[name] for name in ("equity", "maintenanceMargin")} == {
            "equity": "39.21", "maintenanceMargin": "36.96",
        }  # fmt: skip


async def test_a_loss_that_closes_the_last_position_counts_too(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(day="2026-11-20", day_equity=D(1000), max_daily_loss=D(50))
        await made.place(account, wish("BUY", "MARKET", "5"), price="100")
        await made.place(account, wish("SELL", "STOP_MARKET", "5", stop_price="89", reduce_only=True), price="100")
        await made.look()

        await made.tick("88")

        assert await made.held(account) == {}
        assert await made.told("account.daily_loss_reached") == ["account.daily_loss_reached"]
        assert (await made.row(account)).loss_day == "2026-11-20"
        assert made.engine.seats == []


async def test_an_account_that_moves_around_the_level_of_a_margin_call_is_told_of_one(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("100", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(100))
        await made.place(account, wish("BUY", "MARKET", "8"), price="100")
        await made.look()

        # At 93 equity is 44, maintenance 37.2: 1.18 of it. At 94.2 53.6 and 37.68, 1.42; at 95 60 and 38, 1.58.
        for price in ("93", "94.2", "93", "94.2", "95", "93"):
            await made.tick(price)
            await made.look()

        assert await made.told("account.margin_call") == ["account.margin_call"] * 2


async def test_a_margin_call_is_told_once_until_it_is_over_and_then_positions_are_closed(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("100", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(100))
        # 9 at 100 need 90; half of it is the maintenance margin of 45.
        await made.place(account, wish("BUY", "MARKET", "8"), price="100")
        (rests,) = await made.place(account, wish("BUY", "LIMIT", "1", limit_price="50"), price="100")
        await made.look()
        await made.tick("94")
        await made.look()
        assert await made.told("account.margin_call") == []

        # Equity 100 - 8 × 7.5 = 40, maintenance 8 × 92.5 / 20 = 37.
        await made.tick("92.5")
        await made.look()
        await made.tick("92.4")
        await made.look()
        assert await made.told("account.margin_call") == ["account.margin_call"]
        assert (await made.row(account)).margin_called
        await made.tick("100")
        await made.look()
        assert not (await made.row(account)).margin_called
        assert (await made.stand(rests.id))[0] == "ACCEPTED"

        # Equity 100 - 8 × 8.5 = 32, maintenance 36.6.
        await made.tick("91.5")
        await made.look()

        assert await made.told("account.margin_call") == ["account.margin_call"] * 2
        assert (await made.stand(rests.id))[0] == "CANCELED"
        assert await made.held(account) == {}
        assert await made.fills(account) == [("BUY", "8", "100"), ("SELL", "8", "91.5")]
        assert D(await made.cash(account)) == D(32)


async def test_the_largest_loss_is_closed_first_and_no_more_than_needed(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("200", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(200))
        await made.place(account, wish("BUY", "MARKET", "5"), price="100")
        made.board.prices = {BTC: "100", ETH: "10"}
        await made.place(account, wish("BUY", "MARKET", "50", symbol=ETH), price="10")
        await made.look()
        await made.tick("10", ETH)

        # Equity 200 - 5 × 32 = 40; maintenance (340 + 500) / 20 = 42.
        await made.tick("68")
        await made.look()

        assert await made.held(account) == {ETH: "50"}


async def test_old_or_missing_prices_decide_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("100", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(100))
        await made.place(account, wish("BUY", "MARKET", "8"), price="100")
        await made.look()
        await made.tick("91.5")
        await made.trouble(NoticeCode.STALE)
        await made.look()
        made.house.clock.turn(61)
        await made.trouble(NoticeCode.FRESH_AGAIN)
        await made.look()

        assert await made.held(account) == {BTC: "8"}
        assert await made.told("account.margin_call") == []


async def test_a_derivative_is_valued_by_its_gain_in_its_own_currency(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.rates = {("USDT", "USD"): "0.5"}
        account = await made.account("100", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(100))
        made.board.prices = {PERP: "100"}
        await made.place(account, wish("SELL", "MARKET", "1", symbol=PERP), price="100")
        await made.look()

        # Short of one: a loss of 196 × 1 USDT, 98 USD; maintenance 296 × 0.5 / 20 = 7.4.
        await made.tick("296", PERP)
        await made.look()

        assert await made.held(account) == {}
        assert D(await made.cash(account, "USDT")) == D(-196)


async def test_no_rule_of_sizes_keeps_a_position_from_being_closed_by_force(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("2000", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(2000))
        for quantity in ("100", "80"):
            await made.place(account, wish("BUY", "MARKET", quantity), price="100")
        made.board.rules = {"max_size": D(100), "min_size": D(200), "step": D(7), "min_notional": D(50_000)}
        await made.look()

        # Equity 2000 - 180 × 7 = 740, maintenance 180 × 93 / 20 = 837.
        await made.tick("93")
        await made.look()

        assert await made.held(account) == {}
        assert (await made.fills(account))[-1] == ("SELL", "180", "93")


async def test_others_are_closed_while_one_waits_for_size_and_no_more_of_them_than_needed(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("1300", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(1300))
        for symbol, price, quantity in ((BTC, "100", "50"), (ETH, "10", "400"), (DOGE, "1", "2000")):
            made.board.prices[symbol] = price
            await made.place(account, wish("BUY", "MARKET", quantity, symbol=symbol), price=price)
        await made.look()
        await made.tick("9.5", ETH, bid="9.5")
        await made.tick("1", DOGE, bid="1")

        # Equity 1300 - 50 × 13 - 400 × 0.5 = 450; maintenance (4350 + 3800 + 2000) / 20 = 507.5.
        await made.tick("87", bid="87", bid_size="1")
        await made.look()
        assert await made.held(account) == {BTC: "49", ETH: "400", DOGE: "2000"}
        # Bitcoin waits for size: ether goes on, and without it 450 are enough for 1.25 × (4263 + 2000) / 20 = 391.4.
        await made.look()

        assert await made.held(account) == {BTC: "49", DOGE: "2000"}
        # Enough, so that no more of bitcoin is to be sold either.
        await made.look()
        await made.tick("87", bid="87", bid_size="1")
        assert await made.held(account) == {BTC: "49", DOGE: "2000"}
        assert [each["filledQuantity"] for each in await made.data("order.canceled")] == ["1"]


async def test_what_is_closed_by_force_and_waits_for_size_ends_once_the_account_has_recovered(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account("1000", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(1000))
        await made.place(account, wish("BUY", "MARKET", "90"), price="100")
        await made.look()
        # Equity 370, maintenance 418.5.
        await made.tick("93", bid="93", bid_size="0.5")
        await made.look()
        # Equity 370, 1.25 × 89 × 93 / 20 = 517.3: not enough yet.
        await made.tick("93", bid="93", bid_size="0.5")
        await made.look()
        assert await made.held(account) == {BTC: "89"}

        await made.tick("96", bid="96", bid_size="0.5")
        await made.look()
        await made.tick("96", bid="96", bid_size="0.5")

        assert await made.held(account) == {BTC: "88.5"}
        (event,) = await made.data("order.canceled")
        told = "RECOVERED: the account is well above its maintenance margin again"
        assert (event["cause"], event["reason"], event["filledQuantity"]) == ("LIQUIDATION", told, "1.5")
        # It falls again, and is closed again.
        await made.tick("92", bid="92")
        await made.look()
        assert await made.held(account) == {}


async def test_what_is_on_its_way_to_the_market_is_as_good_as_closed(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        slow = {**FREE, "latency_ms": 5000}
        account = await made.account(
            "200", margin="MARGIN", leverage=D(10), day="2026-11-20", day_equity=D(200), model=slow
        )
        for symbol, price, quantity in ((BTC, "100", "5"), (ETH, "10", "50")):
            made.board.prices[symbol] = price
            await made.place(account, wish("BUY", "MARKET", quantity, symbol=symbol), price=price)
        made.house.clock.turn(5)
        await made.look()
        await made.tick("100")
        await made.tick("10", ETH)
        assert await made.held(account) == {BTC: "5", ETH: "50"}

        # Equity 200 - 5 × 32 = 40; maintenance (340 + 500) / 20 = 42.
        await made.tick("68")
        await made.look()
        await made.tick("67.9")
        await made.look()
        assert await made.held(account) == {BTC: "5", ETH: "50"}
        made.house.clock.turn(5)
        await made.tick("68")
        await made.look()

        assert await made.held(account) == {ETH: "50"}


async def test_in_an_account_that_cannot_borrow_the_greatest_loss_of_a_day_leaves_all_sales(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        for margin, stays in (("CASH", "ACCEPTED"), ("MARGIN", "CANCELED")):
            account = await made.account(margin=margin, day="2026-11-20", day_equity=D(1000), max_daily_loss=D(50))
            await made.place(account, wish("BUY", "MARKET", "5"), price="100")
            stop, more = await made.place(
                account, wish("SELL", "STOP_MARKET", "5", stop_price="80"), wish("BUY", "LIMIT", limit_price="70"),
                price="100",
            )  # fmt: skip
            await made.look()

            await made.tick("90")
            await made.look()

            assert [(await made.stand(each.id))[0] for each in (stop, more)] == [stays, "CANCELED"]
        assert [each["canceledOrders"] for each in await made.data("account.daily_loss_reached")] == [1, 2]
