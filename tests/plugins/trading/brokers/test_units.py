"""Units that a broker has taken or brought without a trade: closing what is left, and the way out for the books."""

from __future__ import annotations

from gateway.core.identity import Role
from plugins.trading.rows import AccountRow
from plugins.trading.tables import accounts
from tests.doubles.brokers import DOWN
from tests.plugins.trading.brokers.room import ADJUST, CLOSE, ETHER, PLACE, SYMBOLS, Room, hold, mutation

DELETE = mutation("tradingAccountDelete", "TradingAccountDeleteInput", "")
WIPED = {"accountId": "tacc_b", "symbol": SYMBOLS["tacc_b"], "reason": "the test network was wiped"}


async def test_of_a_whole_position_what_the_broker_has_of_it_is_closed_in_whole_steps(room: Room) -> None:
    for account, name in (("tacc_a", "BTCUSD"), ("tacc_b", "BTC")):
        await hold(room, account, "1", loss="5000")
        venue = room.venue(account)
        venue.keeps_units, venue.fills_at = True, "100"
        # A fee in coins, which is booked at the end of the day.
        venue.units = {name: "0.9975"}

        closed = await room.do(CLOSE, accountId=account, symbol=SYMBOLS[account])

        assert (closed["order"]["status"], closed["order"]["quantity"]) == ("FILLED", "0.997")
        assert (await room.holds(account))[1] == {SYMBOLS[account]: "0.003"}
        assert venue.units == {name: "0.0005"}


async def test_what_is_less_than_a_step_is_refused_with_the_way_out_and_nothing_is_sent(room: Room) -> None:
    await hold(room, "tacc_b", "1")
    venue = room.venue("tacc_b")
    venue.units, sent = {"BTC": "0.0005"}, venue.count("POST", "/order")

    payload = await room.see(CLOSE, accountId="tacc_b", symbol=SYMBOLS["tacc_b"])

    assert payload["userErrors"] == [{
        "code": "SIZE_BELOW_MINIMUM", "field": ["input", "symbol"],
        "message": "The 0.0005 of crypto:BTC/USDT that are held are less than the 0.001 that an order may have: sell "
        "or convert them at the broker, then `positionAdjust` takes them off the books.",
    }]  # fmt: skip
    assert venue.count("POST", "/order") == sent


async def test_books_are_brought_to_what_the_broker_holds_by_an_entry_that_says_so(room: Room) -> None:
    await hold(room, "tacc_b", "5")
    venue, room.role = room.venue("tacc_b"), Role.OWNER
    venue.cash, venue.units = {"USDT": "10000"}, {"BTC": "1"}

    adjusted = await room.do(ADJUST, **WIPED)

    assert adjusted["entry"] == {
        "kind": "ADJUSTMENT",
        "memo": "the test network was wiped; binance_testnet holds 1 BTC, the books had 5",
        "lines": [
            {"ledger": "COST", "asset": "USDT", "amount": "-400.00000000"},
            {"ledger": "PNL", "asset": "USDT", "amount": "400.00000000"},
            {"ledger": "UNITS", "asset": "crypto:BTC/USDT", "amount": "-4"},
            {"ledger": "MARKET", "asset": "crypto:BTC/USDT", "amount": "4"},
        ],
    }
    await room.look(301)
    await room.look()
    assert await room.holds("tacc_b") == ({"USDT": "10000.00000000"}, {"crypto:BTC/USDT": "1"})
    assert (await room.findings(), await room.code(ADJUST, **WIPED)) == ([], "NOTHING_DIFFERS")
    venue.keeps_units, venue.fills_at = True, "120"
    closed = await room.do(CLOSE, accountId="tacc_b", symbol=SYMBOLS["tacc_b"])
    assert (closed["order"]["status"], await room.findings()) == ("FILLED", [])
    await room.do(DELETE, id="tacc_b")


async def test_all_that_is_gone_closes_the_position_and_what_comes_without_a_trade_has_cost_nothing(room: Room) -> None:
    await hold(room, "tacc_a", "5")
    venue, room.role = room.venue("tacc_a"), Role.ADMIN
    given = {"accountId": "tacc_a", "symbol": SYMBOLS["tacc_a"], "reason": "moved"}
    venue.units = {}
    await room.do(ADJUST, **given)
    assert (await room.holds("tacc_a"))[1] == {}

    venue.units = {"BTCUSD": "2"}
    came = await room.do(ADJUST, **given)

    assert [(line["ledger"], line["amount"]) for line in came["entry"]["lines"]] == [("UNITS", "2"), ("MARKET", "-2")]
    assert (await room.holds("tacc_a"))[1] == {SYMBOLS["tacc_a"]: "2"}
    venue.fills_at = "100"
    await room.do(CLOSE, accountId="tacc_a", symbol=SYMBOLS["tacc_a"])
    assert ((await room.holds("tacc_a"))[1], await room.findings()) == ({}, [])


async def test_units_of_other_hands_paper_accounts_and_open_orders_are_left_alone(room: Room) -> None:
    await hold(room, "tacc_b", "5")
    venue = room.venue("tacc_b")
    venue.units = {"BTC": "1"}

    assert await room.code(ADJUST, **WIPED) == "NOT_ALLOWED"
    room.role = Role.OWNER
    assert await room.code(ADJUST, **WIPED | {"reason": " "}) == "MEMO_INVALID"
    await room.place("tacc_b", "SELL", limitPrice="105")
    assert await room.code(ADJUST, **WIPED) == "ORDERS_OPEN"

    assert len(await room.entries("tacc_b")) == 1
    async with room.house.store.write() as tx:
        await tx.run(accounts.update().where(accounts.c.id == "tacc_b").values(kind="PAPER"))
    assert await room.code(ADJUST, **WIPED) == "PAPER_ACCOUNT"
    async with room.house.store.read() as tx:
        (row,) = await tx.all(accounts.select().where(accounts.c.id == "tacc_b"), AccountRow)
    assert (row.entries, (await room.holds("tacc_b"))[1]) == (1, {"crypto:BTC/USDT": "5"})


async def test_fees_in_coins_are_booked_once_as_the_broker_tells_them(room: Room) -> None:
    await hold(room, "tacc_a", "2")
    venue = room.venue("tacc_a")
    venue.units = {"BTCUSD": "1.9925"}
    # https://docs.alpaca.markets/docs/crypto-fees
    toll = {
        "id": "20261120000000000::53be51ba", "activity_type": "CFEE", "date": "2026-11-20", "net_amount": "0",
        "description": "Coin Pair Transaction Fee (Non USD)", "symbol": "BTCUSD", "qty": "-0.005", "price": "101.5",
        "status": "executed",
    }  # fmt: skip
    in_dollars = toll | {"id": "20261120000000000::7", "net_amount": "-0.25", "qty": ""}
    more_than_lacks = toll | {"id": "20261120000000000::9", "qty": "-0.004"}
    venue.tolls = [in_dollars, toll, more_than_lacks]

    await room.look(301)
    await room.look(301)
    room.restart()
    await room.look(301)
    await room.look()

    found = [row.memo for row in await room.entries("tacc_a") if row.kind == "ADJUSTMENT"]
    assert found == ["alpaca_paper has taken a fee of 0.005 BTCUSD at 101.5"]
    assert (await room.holds("tacc_a")) == ({"USD": "-200.00"}, {SYMBOLS["tacc_a"]: "1.995"})
    assert await room.findings() == []


async def test_a_fee_in_coins_of_a_day_until_the_units_were_adjusted_is_not_booked_for_what_lacks_later(
    room: Room,
) -> None:
    await hold(room, "tacc_a", "1")
    venue, room.role = room.venue("tacc_a"), Role.OWNER
    venue.units = {"BTCUSD": "0.9975"}
    await room.do(ADJUST, accountId="tacc_a", symbol=SYMBOLS["tacc_a"], reason="fee")
    fee = {"symbol": "BTCUSD", "qty": "-0.0025", "price": "100"}
    venue.tolls = [fee | {"id": "1", "date": "2026-11-20"}]
    venue.units = {"BTCUSD": "0.9"}
    await room.look(301)
    await room.look(301)
    assert (await room.holds("tacc_a"))[1] == {SYMBOLS["tacc_a"]: "0.9975"}

    venue.tolls.append(fee | {"id": "2", "date": "2026-11-21"})
    await room.look(301)

    assert (await room.holds("tacc_a"))[1] == {SYMBOLS["tacc_a"]: "0.995"}
    assert await room.findings() == []


async def test_a_broker_that_does_not_say_what_it_holds_keeps_no_position_from_being_closed(room: Room) -> None:
    await hold(room, "tacc_a", "1")
    venue = room.venue("tacc_a")
    venue.fills_at = "100"
    venue.faults.append(("GET", "/positions", DOWN))

    closed = await room.do(CLOSE, accountId="tacc_a", symbol=SYMBOLS["tacc_a"])

    assert (closed["order"]["status"], closed["order"]["quantity"]) == ("FILLED", "1")


async def test_of_a_coin_that_has_paid_fees_no_more_is_closed_than_is_left_of_it_though_the_broker_has_more(
    room: Room,
) -> None:
    venue = room.venue("tacc_b")
    venue.fills_at = "100"
    await room.place("tacc_b", type="MARKET")
    venue.fee = ("0.01", "BTC")
    await room.place("tacc_b", type="MARKET", symbol=ETHER)
    venue.units, venue.fee = {"BTC": "5.99", "ETH": "1"}, ("0", "USDT")

    closed = await room.do(CLOSE, accountId="tacc_b", symbol=SYMBOLS["tacc_b"])

    assert (closed["order"]["status"], closed["order"]["quantity"]) == ("FILLED", "0.99")
    assert (await room.holds("tacc_b"))[1] == {SYMBOLS["tacc_b"]: "0.01", ETHER: "1"}


async def test_no_purchase_closes_a_position_in_coins_as_no_broker_lends_them(room: Room) -> None:
    room.role = Role.OWNER
    for account, name in (("tacc_a", "BTCUSD"), ("tacc_b", "BTC")):
        await room.limit(account, None, margin="MARGIN")
        venue = room.venue(account)
        venue.fills_at = "100"
        await room.place(account, "SELL", type="MARKET")
        # More of it was there before the account was.
        venue.units = {name: "0.5"}

        refused = [
            await room.see(CLOSE, accountId=account, symbol=SYMBOLS[account], **part)
            for part in ({}, {"quantity": "0.5"})
        ]  # fmt: skip
        buying = {"accountId": account, "symbol": SYMBOLS[account], "side": "BUY", "type": "MARKET", "reduceOnly": True}
        refused.append(await room.see(PLACE, **buying, quantity="1"))
        await room.do(ADJUST, accountId=account, symbol=SYMBOLS[account], reason="x")

        told = (
            f"No broker lends coins, so that a purchase closes nothing there: what {SYMBOLS[account]} lacks, BTC as "
            "money has, another pair of it, or no book yet. `positionAdjust` nets it."
        )
        assert [each["userErrors"] for each in refused] == [
            [{"field": ["input", field], "code": "REDUCE_ONLY_WOULD_INCREASE", "message": told}]
            for field in ("symbol", "symbol", "quantity")
        ]  # fmt: skip
        assert len(await room.orders(account)) == 1
        assert (await room.holds(account))[1] == {SYMBOLS[account]: "0.5"}
