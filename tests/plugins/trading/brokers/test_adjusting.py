"""Which difference is money and which is units, and of which pair of several: at Binance, where an asset is one pot."""

from __future__ import annotations

import pytest

from gateway.core.identity import Role
from plugins.trading.brokers.adjusting import booked
from plugins.trading.brokers.units import book_units
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import adjustment
from plugins.trading.writing import writing
from tests.doubles.brokers import DOWN
from tests.plugins.trading.brokers.room import ADJUST, CLOSE, ETHER, PLACE, SYMBOLS, Room, mutation
from tests.plugins.trading.ledger.books import TENANT
from tests.plugins.trading.rowsof import D

MINE = "tacc_b"
BTC = SYMBOLS[MINE]
DOLLARS, EUROS, PERP = "crypto:BTC/USD", "crypto:BTC/EUR", "crypto:BTC/USDT:USDT"
TEN = "crypto:ETH/BTC"
"""A tenth of a bitcoin."""
DELETE = mutation("tradingAccountDelete", "TradingAccountDeleteInput", "")


def adjusting(symbol: str = BTC) -> dict[str, str]:
    return {"accountId": MINE, "symbol": symbol, "reason": "x"}


async def trade(room: Room, symbol: str, side: str, quantity: str, price: str = "100") -> None:
    venue = room.venue(MINE)
    venue.fills_at = price
    await room.do(PLACE, accountId=MINE, symbol=symbol, side=side, type="MARKET", quantity=quantity)
    venue.fills_at = None


async def test_money_in_an_accounts_own_currency_is_booked_also_while_a_pair_of_it_is_held(room: Room) -> None:
    venue, room.role, room.quoted.others = room.venue(MINE), Role.OWNER, {"crypto:USDT/USD": "1"}
    venue.cash = {"USDT": "1000"}
    await room.look(301)
    await room.look()
    await trade(room, "crypto:USDT/USD", "SELL", "400", "1")
    # 600 are left of what was there; 5,000 are paid in.
    venue.cash = {"USDT": "5600", "USD": "400"}
    await room.look(301)
    await room.look()

    assert await room.holds(MINE) == ({"USD": "400.00", "USDT": "6000.00000000"}, {"crypto:USDT/USD": "-400"})
    await room.do(ADJUST, **adjusting("crypto:USDT/USD"))
    assert await room.holds(MINE) == ({"USD": "400.00", "USDT": "5600.00000000"}, {})
    payload = await room.see(ADJUST, **adjusting("crypto:USDT/USD"))
    assert [(each["code"], each["message"]) for each in payload["userErrors"]] == [
        ("NOTHING_DIFFERS", "USDT is money of this account: the reconciliation books what differs of it.")
    ]  # fmt: skip
    assert await room.findings() == []


@pytest.mark.parametrize("symbol", [PERP, "equity:BTC"])
async def test_units_are_booked_on_nothing_that_the_broker_does_not_trade(room: Room, symbol: str) -> None:
    venue, room.role = room.venue(MINE), Role.OWNER
    venue.units = {"BTC": "1"}

    payload = await room.see(ADJUST, **adjusting(symbol))

    assert payload["userErrors"] == [{
        "field": ["input", "symbol"], "code": "UNKNOWN_INSTRUMENT",
        "message": f"Binance trades spot pairs of coins here, and not {symbol}.",
    }]  # fmt: skip
    assert await room.entries(MINE) == []


async def test_what_is_held_of_an_instrument_that_the_broker_does_not_trade_leaves_the_books_whole(room: Room) -> None:
    venue, room.role = room.venue(MINE), Role.OWNER
    venue.units = {"BTC": "1"}
    async with writing(room.house.host, TENANT, MINE) as w:
        await book_units(w, PERP, "USDT", D(1), memo="m", at=room.house.clock.now(), made_by="ada")

    await room.do(ADJUST, **adjusting(PERP))
    await room.do(ADJUST, **adjusting())

    assert ((await room.holds(MINE))[1], await room.findings()) == ({BTC: "1"}, [])


async def test_pairs_of_one_asset_that_are_opposite_are_netted_by_an_entry_each(room: Room) -> None:
    venue, room.role = room.venue(MINE), Role.OWNER
    await room.limit(MINE, None, margin="MARGIN")
    await trade(room, BTC, "BUY", "1")
    await trade(room, DOLLARS, "SELL", "1.5")
    venue.units = {"BTC": "-0.5"}

    first = await room.do(ADJUST, **adjusting())

    memos = [(row.instrument, row.memo) for row in (await room.entries(MINE))[-2:]]
    held = "x; binance_testnet holds -0.5 BTC, the books had -0.5; netted with"
    assert memos == [(BTC, f"{held} {DOLLARS}"), (DOLLARS, f"{held} {BTC}")]
    assert first["entry"]["lines"] == [
        {"ledger": "COST", "asset": "USDT", "amount": "-100.00000000"},
        {"ledger": "PNL", "asset": "USDT", "amount": "100.00000000"},
        {"ledger": "UNITS", "asset": BTC, "amount": "-1"},
        {"ledger": "MARKET", "asset": BTC, "amount": "1"},
    ]
    assert ((await room.holds(MINE))[1], await room.findings()) == ({DOLLARS: "-0.5"}, [])
    assert await room.code(ADJUST, **adjusting(DOLLARS)) == "NOTHING_DIFFERS"


@pytest.mark.parametrize(
    ("held", "more", "made"),
    [
        ({}, "2", {BTC: "2"}),
        ({BTC: "5"}, "-4", {BTC: "-4"}),
        ({BTC: "1"}, "-3", {BTC: "-3"}),
        # Of several none is turned for what another lacks.
        ({BTC: "1", DOLLARS: "2"}, "-2.5", {BTC: "-1"}),
        ({BTC: "1", DOLLARS: "2"}, "0", {}),
        ({DOLLARS: "2"}, "-1", {}),
        ({BTC: "1", DOLLARS: "-1"}, "0", {BTC: "-1", DOLLARS: "1"}),
        ({BTC: "-3", DOLLARS: "2", EUROS: "0.5"}, "0", {BTC: "2.5", DOLLARS: "-2", EUROS: "-0.5"}),
        # What the asset has more comes before; what it has less the others give.
        ({BTC: "1", DOLLARS: "-1"}, "0.5", {BTC: "0.5"}),
        ({BTC: "-1", DOLLARS: "1.5"}, "-0.3", {BTC: "1", DOLLARS: "-1"}),
        # Money of the asset counts as a pair of it.
        ({BTC: "1", "BTC": "-0.01"}, "0", {BTC: "-0.01", "BTC": "0.01"}),
        ({BTC: "-3", DOLLARS: "2", "BTC": "0.5"}, "0", {BTC: "2.5", "BTC": "-0.5", DOLLARS: "-2"}),
        ({BTC: "1", "BTC": "5"}, "-2", {BTC: "-1"}),
        ({BTC: "1", "BTC": "0"}, "-3", {BTC: "-3"}),
    ],
)  # fmt: skip
def test_an_instrument_takes_what_its_asset_has_more_or_is_netted_with_opposite_pairs(
    held: dict[str, str], more: str, made: dict[str, str]
) -> None:
    wanted = {name: D(units) for name, units in made.items()}
    assert booked({name: D(units) for name, units in held.items()}, BTC, D(more)) == wanted


async def test_an_order_that_was_given_up_and_is_filled_there_is_no_difference_to_adjust(room: Room) -> None:
    venue, room.role = room.venue(MINE), Role.OWNER
    venue.faults.append(("POST", "/order", DOWN))
    id = (await room.place(MINE))["order"]["id"]
    await room.look(61)
    late = venue.add(
        client_id=id, symbol="BTCUSDT", side="BUY", type="LIMIT", tif="GTC", quantity=D(1), price="100"
    )  # fmt: skip
    venue.cash, venue.units = {"USDT": "-100"}, {"BTC": "1"}

    while_it_works = await room.code(ADJUST, **adjusting())
    venue.fill(late, "1", "100")
    venue.hides_fills = True
    while_no_fill_is_told = await room.code(ADJUST, **adjusting())
    venue.hides_fills = False
    then = await room.code(ADJUST, **adjusting())
    await room.look(301)

    assert (while_it_works, while_no_fill_is_told, then) == ("ORDERS_OPEN", "ORDERS_OPEN", "NOTHING_DIFFERS")
    assert await room.holds(MINE) == ({"USDT": "-100.00000000"}, {BTC: "1"})
    assert [each.kind for each in await room.entries(MINE)] == ["TRADE_PNL"]


async def test_an_account_whose_opposite_pairs_were_netted_can_be_deleted(room: Room) -> None:
    room.role = Role.OWNER
    await room.limit(MINE, None, margin="MARGIN")
    await trade(room, BTC, "BUY", "1")
    await trade(room, DOLLARS, "SELL", "1")

    await room.do(ADJUST, **adjusting(DOLLARS))

    assert await room.code(CLOSE, accountId=MINE, symbol=BTC) == "REDUCE_ONLY_WOULD_INCREASE"
    await room.do(DELETE, id=MINE)


async def see_pot(room: Room, cash: str, **units: str) -> None:
    """What Binance holds by now, looked at."""
    venue = room.venue(MINE)
    venue.cash, venue.units = {"USDT": cash}, units
    await room.look(301)
    await room.look()


async def test_a_coin_that_was_got_as_money_is_netted_with_the_pair_that_has_sold_it(room: Room) -> None:
    room.role, room.quoted.others = Role.OWNER, {TEN: "0.1", ETHER: "10"}
    await trade(room, ETHER, "BUY", "10", "10")
    await trade(room, TEN, "SELL", "10", "0.1")
    await trade(room, BTC, "SELL", "1")
    await see_pot(room, "0")
    assert await room.holds(MINE) == (
        {"BTC": "1.00000000", "USDT": "0.00000000"}, {BTC: "-1", TEN: "-10", ETHER: "10"}
    )  # fmt: skip
    closed = [await room.code(CLOSE, accountId=MINE, symbol=each) for each in (BTC, TEN, ETHER)]
    assert closed == ["REDUCE_ONLY_WOULD_INCREASE", "REDUCE_ONLY_WOULD_INCREASE", "SHORT_NOT_ALLOWED"]
    assert len(room.venue(MINE).orders) == 3

    first = await room.do(ADJUST, **adjusting())

    held = "x; binance_testnet holds 0 BTC, the books had 0; netted with"
    rows = [(row.instrument, row.memo) for row in (await room.entries(MINE))[-2:]]
    assert rows == [(BTC, f"{held} BTC"), (None, f"{held} {BTC}")]
    assert first["entry"]["lines"] == [
        {"ledger": "COST", "asset": "USDT", "amount": "100.00000000"},
        {"ledger": "PNL", "asset": "USDT", "amount": "-100.00000000"},
        {"ledger": "UNITS", "asset": BTC, "amount": "1"},
        {"ledger": "MARKET", "asset": BTC, "amount": "-1"},
    ]
    await room.do(ADJUST, **adjusting(TEN))
    assert await room.holds(MINE) == ({"BTC": "0.00000000", "USDT": "0.00000000"}, {})
    assert await room.findings() == []
    await room.do(DELETE, id=MINE)


async def test_a_coin_that_was_spent_as_money_is_netted_with_the_pair_that_has_bought_it(room: Room) -> None:
    venue, room.role, room.quoted.others = room.venue(MINE), Role.OWNER, {TEN: "0.1"}
    await trade(room, BTC, "BUY", "2")
    await trade(room, TEN, "BUY", "10", "0.1")
    await see_pot(room, "-200", BTC="1", ETH="10")
    venue.keeps_units, venue.fills_at = True, "100"
    assert (await room.do(CLOSE, accountId=MINE, symbol=BTC))["order"]["filledQuantity"] == "1"
    await trade(room, ETHER, "SELL", "10")
    await see_pot(room, "900")
    assert await room.holds(MINE) == (
        {"BTC": "-1.00000000", "USDT": "900.00000000"}, {BTC: "1", TEN: "10", ETHER: "-10"}
    )  # fmt: skip
    assert await room.code(CLOSE, accountId=MINE, symbol=BTC) == "SHORT_NOT_ALLOWED"

    for symbol in (BTC, ETHER):
        await room.do(ADJUST, **adjusting(symbol))

    assert await room.holds(MINE) == ({"BTC": "0.00000000", "USDT": "900.00000000"}, {})
    assert await room.findings() == []
    await room.do(DELETE, id=MINE)


async def test_what_fees_have_taken_of_a_coin_that_is_held_is_netted_with_it(room: Room) -> None:
    venue, room.role = room.venue(MINE), Role.OWNER
    await trade(room, BTC, "BUY", "1")
    venue.fee = ("0.01", "BTC")
    await trade(room, ETHER, "BUY", "1")
    venue.fee = ("0", "USDT")
    await see_pot(room, "-200", BTC="0.99", ETH="1")
    assert await room.holds(MINE) == (
        {"BTC": "-0.01000000", "USDT": "-200.00000000"}, {BTC: "1", ETHER: "1"}
    )  # fmt: skip

    await room.do(ADJUST, **adjusting())

    assert await room.holds(MINE) == ({"BTC": "0.00000000", "USDT": "-200.00000000"}, {BTC: "0.99", ETHER: "1"})
    assert await room.code(ADJUST, **adjusting()) == "NOTHING_DIFFERS"
    assert await room.findings() == []


async def test_money_is_netted_to_its_digits_and_units_whole(room: Room) -> None:
    room.role = Role.OWNER
    async with writing(room.house.host, TENANT, MINE) as w:
        at = room.house.clock.now()
        await LedgerBook().post(w, [adjustment("EUR", D(20), memo="m")], at=at, made_by="ada")
        await book_units(w, "crypto:EUR/USDT", "USDT", D("-10.1234"), memo="m", at=at, made_by="ada")
    room.venue(MINE).units = {"EUR": "9.8766"}

    await room.do(ADJUST, **adjusting("crypto:EUR/USDT"))

    assert await room.holds(MINE) == ({"EUR": "9.88"}, {})
    assert await room.findings() == []


async def test_nothing_is_adjusted_while_an_order_that_is_paid_in_the_coin_is_open(room: Room) -> None:
    room.role, room.quoted.others = Role.OWNER, {TEN: "0.1"}
    await trade(room, BTC, "BUY", "1")
    id = (await room.place(MINE, symbol=TEN, limitPrice="0.1"))["order"]["id"]
    room.venue(MINE).units = {"BTC": "0.9", "ETH": "1"}

    (error,) = (await room.see(ADJUST, **adjusting()))["userErrors"]

    told = f"Open orders may change it ({id}): cancel them with `ordersCancelAll` first."
    assert (error["code"], error["message"]) == ("ORDERS_OPEN", told)
