"""The day, its greatest loss, margin calls and liquidations."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from schema.words.live import NoticeCode
from tests.plugins.trading.engine.floorhouse import BTC, ETH, PERP, hall, wish

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
