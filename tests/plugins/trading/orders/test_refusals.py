"""What an order is refused for: code, field and words, and nothing is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.core.identity import CallerKind, Principal, Scope
from gateway.core.matching.model import ExecutionModel, Fees
from plugins.trading.accounts.store import MemberStore, PermitStore, SwitchDirectory
from plugins.trading.orders.desk import OrderDesk
from plugins.trading.rows import PermitRow, SwitchRow
from plugins.trading.tables import accounts
from tests.plugins.speakers import NOON
from tests.plugins.trading.ledger.books import BY, TENANT
from tests.plugins.trading.orders.pit import (
    BTC,
    CANCEL,
    CANCEL_ALL,
    CLOSE,
    DEAD,
    FREE,
    GONE,
    GROUP,
    OLD,
    PERP,
    PLACE,
    PROTECT,
    REPLACE,
    SHUT,
    D,
    Pit,
    caller,
    wish,
)
from tests.plugins.trading.orders.test_affording import PREVIEW

INVALID = "ORDER_INVALID"
UNKNOWN_ACCOUNT = "You have no trading account with this id: `tradingAccounts { nodes { id } }` lists them."
WAITS = "An order that waits cannot be {}: use GTC, DAY or GTD."

CASES: list[tuple[dict[str, Any], str, str, str]] = [
    (wish("BUY", "MARKET", accountId="tacc_9"), "NOT_FOUND", "accountId", UNKNOWN_ACCOUNT),
    (wish("BUY", "MARKET", accountId="x\u0000"), "NOT_FOUND", "accountId", UNKNOWN_ACCOUNT),
    (wish("BUY", "MARKET", None), INVALID, "quantity", "Give either quantity or notional."),
    (wish("BUY", "MARKET", notional="50"), INVALID, "quantity", "Give either quantity or notional."),
    (wish("BUY", "MARKET", None, notional="0"), INVALID, "notional", "notional must be above 0."),
    (wish("BUY", "MARKET", None, notional="-5"), INVALID, "notional", "notional must be above 0."),
    (wish("BUY", "MARKET", "0"), INVALID, "quantity", "quantity must be above 0."),
    (wish("SELL", "MARKET", "-1"), INVALID, "quantity", "quantity must be above 0."),
    (wish("BUY", "LIMIT"), INVALID, "limitPrice", "limitPrice is needed with LIMIT."),
    (wish("BUY", "MARKET", limitPrice="90"), INVALID, "limitPrice", "limitPrice does not go with MARKET."),
    (wish("BUY", "LIMIT", limitPrice="-90"), INVALID, "limitPrice", "limitPrice must be above 0."),
    (wish("BUY", "STOP_MARKET"), INVALID, "stopPrice", "stopPrice is needed with STOP_MARKET."),
    (wish("BUY", "TRAILING_STOP"), INVALID, "trailAmount",
     "trailAmount is needed with TRAILING_STOP, or trailPercent: one of them."),
    (wish("BUY", "TRAILING_STOP", trailPercent="100"), INVALID, "trailPercent",
     "trailPercent must be above 0 and below 100."),
    (wish("BUY", "LIMIT", limitPrice="90", timeInForce="GTD"), INVALID, "expiresAt", "expiresAt is needed with GTD."),
    (wish("BUY", "LIMIT", limitPrice="90", expiresAt="2026-11-21T00:00:00Z"), INVALID, "expiresAt",
     "expiresAt does not go with GTC: only with GTD."),
    (wish("BUY", "STOP_MARKET", stopPrice="110", timeInForce="IOC"), INVALID, "timeInForce", WAITS.format("IOC")),
    (wish("BUY", "TRAILING_STOP", trailAmount="1", timeInForce="FOK"), INVALID, "timeInForce", WAITS.format("FOK")),
    (wish("BUY", "MARKET", postOnly=True), INVALID, "postOnly", "postOnly does not go with MARKET: only with LIMIT."),
    (wish("BUY", "LIMIT", limitPrice="90", postOnly=True, timeInForce="IOC"), INVALID, "postOnly",
     "postOnly does not go with IOC: the order has to rest."),
    (wish("BUY", "MARKET", reduceOnly=True, stopLoss={"stopPrice": "90"}), INVALID, "reduceOnly",
     "An order that closes a position has no takeProfit and no stopLoss."),
    (wish("BUY", "MARKET", clientOrderId="x" * 65), INVALID, "clientOrderId",
     "clientOrderId must be 1 to 64 printable ASCII characters."),
    (wish("BUY", "MARKET", clientOrderId=""), INVALID, "clientOrderId",
     "clientOrderId must be 1 to 64 printable ASCII characters."),
    (wish("BUY", "MARKET", strategy="caf\u00e9"), INVALID, "strategy",
     "strategy must be 1 to 64 printable ASCII characters."),
    (wish("BUY", "MARKET", stopLoss={}), INVALID, "stopLoss",
     "stopLoss needs stopPrice, trailAmount or trailPercent."),
    (wish("BUY", "MARKET", stopLoss={"stopPrice": "90", "trailAmount": "1"}), INVALID, "stopLoss",
     "A stopLoss that trails has no stopPrice and no limitPrice."),
    (wish("BUY", "MARKET", takeProfit={"limitPrice": "90"}, stopLoss={"stopPrice": "95"}), INVALID, "stopLoss",
     "takeProfit must lie above stopLoss for a BUY order."),
    (wish("BUY", "MARKET", takeProfit={"limitPrice": "120.001"}), "PRICE_OFF_TICK", "takeProfit.limitPrice",
     "limitPrice must be a multiple of 0.01: 120 or 120.01."),
    (wish("BUY", "MARKET", "1" + "0" * 29), "SIZE_ABOVE_MAXIMUM", "quantity", "quantity must be at most 100."),
    (wish("BUY", "LIMIT", limitPrice="0." + "0" * 24 + "1"), INVALID, "limitPrice",
     "limitPrice has at most 24 digits behind the point."),
    (wish("BUY", "MARKET", symbol="???"), "UNKNOWN_INSTRUMENT", "symbol",
     "'???' cannot be read: write an id such as 'crypto:BTC/USD' or 'equity:AAPL', or a short form such as AAPL, "
     "BTC-USD, EURUSD."),
    (wish("BUY", "MARKET", symbol="index:SPX"), "UNKNOWN_INSTRUMENT", "symbol",
     "index:SPX is a number made of others, which nobody can buy: trade a fund or a future on it."),
    (wish("BUY", "LIMIT", limitPrice="5", symbol="crypto:NIX/USD"), "UNKNOWN_INSTRUMENT", "symbol",
     "Nobody lists crypto:NIX/USD, and nobody prices it: no quotes for crypto:NIX/USD: alpha: does not list "
     "crypto:NIX/USD."),
    (wish("BUY", "MARKET", symbol=GONE), "MARKET_CLOSED", "symbol",
     f"{GONE} is halted or delisted, as all lists that have it say: it cannot be traded now."),
    (wish("BUY", "MARKET", symbol=SHUT), "MARKET_CLOSED", "symbol",
     f"The market of {SHUT} is CLOSED: place a LIMIT order, which waits for its opening."),
    (wish("BUY", "LIMIT", symbol=SHUT, limitPrice="90", timeInForce="IOC"), "MARKET_CLOSED", "timeInForce",
     f"The market of {SHUT} is CLOSED: IOC waits for nothing, GTC, DAY and GTD do."),
    (wish("BUY", "MARKET", symbol=DEAD), "NO_PRICE", "symbol",
     f"Nobody prices {DEAD} now: no quotes for {DEAD}: alpha: does not list {DEAD}."),
    (wish("BUY", "LIMIT", symbol=DEAD, limitPrice="90", timeInForce="FOK"), "NO_PRICE", "timeInForce",
     f"Nobody prices {DEAD} now: no quotes for {DEAD}: alpha: does not list {DEAD}; FOK waits for nothing, GTC, DAY "
     "and GTD do."),
    (wish("BUY", "LIMIT", None, notional="50", symbol=DEAD, limitPrice="0"), INVALID, "limitPrice",
     "limitPrice must be above 0."),
    (wish("BUY", "MARKET", symbol=OLD), "STALE_PRICE", "symbol",
     f"The newest price of {OLD} is 315 s old, and the account takes none older than 60 s: try again, or raise "
     "model.maxAgeMs."),
    (wish("BUY", "LIMIT", symbol=OLD, limitPrice="101", timeInForce="IOC"), "STALE_PRICE", "timeInForce",
     f"The newest price of {OLD} is 315 s old, and the account takes none older than 60 s: try again, or raise "
     "model.maxAgeMs; IOC waits for nothing, GTC, DAY and GTD do."),
    (wish("BUY", "LIMIT", limitPrice="90", timeInForce="GTD", expiresAt="2026-11-20T11:00:00Z"), "EXPIRES_IN_PAST",
     "expiresAt", "expiresAt must be after 2026-11-20T12:00:15Z, not 2026-11-20T11:00:00Z."),
    (wish("BUY", "LIMIT", limitPrice="90.001"), "PRICE_OFF_TICK", "limitPrice",
     "limitPrice must be a multiple of 0.01: 90 or 90.01."),
    (wish("BUY", "STOP_LIMIT", stopPrice="105.005", limitPrice="106"), "PRICE_OFF_TICK", "stopPrice",
     "stopPrice must be a multiple of 0.01: 105 or 105.01."),
    (wish("BUY", "LIMIT", "1.0005", limitPrice="90"), "SIZE_OFF_STEP", "quantity",
     "quantity must be a multiple of 0.001: 1 or 1.001."),
    (wish("BUY", "LIMIT", "0.0005", limitPrice="90"), "SIZE_BELOW_MINIMUM", "quantity",
     "quantity must be at least 0.001; quantity is worth 0.045 USD, and must be worth 10: 0.112 is."),
    (wish("BUY", "MARKET", None, notional="0.05"), "NOTIONAL_BELOW_MINIMUM", "notional",
     "notional must be at least 10.1 USD: 0.1 at 101."),
    (wish("BUY", "MARKET", None, notional="10.09"), "NOTIONAL_BELOW_MINIMUM", "notional",
     "notional must be at least 10.1 USD: 0.1 at 101."),
    (wish("BUY", "LIMIT", None, notional="10", limitPrice="90"), "NOTIONAL_BELOW_MINIMUM", "notional",
     "notional must be at least 10.08 USD: 0.112 at 90."),
    (wish("BUY", "LIMIT", None, notional="10", limitPrice="90", condition={"time": "2026-11-21T00:00:00Z"}),
     "NOTIONAL_BELOW_MINIMUM", "notional", "notional must be at least 10.08 USD: 0.112 at 90."),
    (wish("BUY", "MARKET", None, notional="10200"), "SIZE_ABOVE_MAXIMUM", "notional",
     "notional must be at most 10100 USD: 100 at 101."),
    (wish("BUY", "MARKET", None, notional="0.05", symbol=FREE), "SIZE_BELOW_MINIMUM", "notional",
     "notional must be at least 0.101 USD: 0.001 at 101."),
    (wish("BUY", "LIMIT", "100.001", limitPrice="90"), "SIZE_ABOVE_MAXIMUM", "quantity",
     "quantity must be at most 100."),
    (wish("BUY", "LIMIT", "0.1", limitPrice="90"), "NOTIONAL_BELOW_MINIMUM", "quantity",
     "quantity is worth 9 USD, and must be worth 10: 0.112 is."),
    (wish("BUY", "LIMIT", "50", limitPrice="0.05"), "NOTIONAL_BELOW_MINIMUM", "quantity",
     "quantity cannot be worth 10 USD at 0.05: the greatest size, 100, is worth 5; from a price of 0.1 on it can."),
    (wish("BUY", "LIMIT", None, notional="50", limitPrice="0.05"), "NOTIONAL_BELOW_MINIMUM", "notional",
     "notional cannot be worth 10 USD at 0.05: the greatest size, 100, is worth 5; from a price of 0.1 on it can."),
    (wish("BUY", "LIMIT", limitPrice="120"), "PRICE_COLLAR", "limitPrice",
     "limitPrice must be at most 111.1: within 1000 basis points of 101."),
    (wish("SELL", "LIMIT", limitPrice="80", accountId="tacc_2"), "PRICE_COLLAR", "limitPrice",
     "limitPrice must be at least 89.1: within 1000 basis points of 99."),
    (wish("BUY", "LIMIT", limitPrice="101", postOnly=True), "POST_ONLY_WOULD_TAKE", "limitPrice",
     "limitPrice 101 would be filled at once: 100.99 would pass."),
    (wish("BUY", "MARKET", "4", timeInForce="FOK", symbol="crypto:ETH/USD"), "FOK_NOT_FILLABLE", "timeInForce",
     "Only 3 of 4 is offered now: 3 would pass, as would IOC or GTC, which take what there is."),
    (wish("SELL", "MARKET", reduceOnly=True), "REDUCE_ONLY_WOULD_INCREASE", "quantity",
     f"The account holds nothing of {BTC}: there is nothing to reduce."),
    (wish("BUY", "MARKET", reduceOnly=True, accountId="tacc_long"), "REDUCE_ONLY_WOULD_INCREASE", "quantity",
     f"The account holds 2 of {BTC}: to buy more does not reduce it, the other side does."),
    (wish("SELL", "MARKET", "3", reduceOnly=True, accountId="tacc_long"), "REDUCE_ONLY_WOULD_INCREASE", "quantity",
     f"The account holds 2 of {BTC}: to sell 3 would not only reduce it; at most 2 passes."),
    (wish("BUY", "LIMIT", limitPrice="90", timeInForce="GTD", expiresAt="2026-11-21T00:00:00Z",
          condition={"time": "2026-11-21T00:00:00Z"}), INVALID, "condition.time",
     "The order is GTD and ends at 2026-11-21T00:00:00Z, so that it never comes to 2026-11-21T00:00:00Z: a time before "
     "its end would pass, an expiresAt after 2026-11-21T00:00:00Z, or GTC, which has no end."),
    (wish("BUY", "MARKET", None, notional="500", timeInForce="DAY", condition={"time": "2027-01-01T00:00:00Z"}),
     INVALID, "condition.time",
     "The order is DAY and ends at 2026-11-21T00:00:00Z, so that it never comes to 2027-01-01T00:00:00Z: a time before "
     "its end would pass, or GTC, which has no end."),
    (wish("SELL", "MARKET"), "SHORT_NOT_ALLOWED", "quantity",
     f"A cash account sells only what it has: of {BTC} 0 is free, not 1."),
    (wish("BUY", "MARKET", symbol=PERP), "MARGIN_ACCOUNT_REQUIRED", "symbol",
     f"{PERP} is a derivative: it is traded in an account of margin MARGIN."),
    (wish("BUY", "MARKET", "1.005", symbol=PERP, accountId="tacc_2"), "SIZE_OFF_STEP", "quantity",
     "quantity must be a multiple of 0.01: 1 or 1.01."),
    (wish("BUY", "MARKET", "100"), "INSUFFICIENT_FUNDS", "quantity",
     "The order needs 10102.02 USD, and 10000 is free: 98.99 would pass."),
    (wish("BUY", "MARKET", None, notional="10000"), "INSUFFICIENT_FUNDS", "notional",
     "The order needs 10001.91 USD, and 10000 is free: a notional of 9997.99 would pass."),
    (wish("BUY", "LIMIT", "100", limitPrice="101"), "INSUFFICIENT_FUNDS", "quantity",
     "The order needs 10102.02 USD, and 10000 is free: 98.99 would pass."),
    (wish("BUY", "MARKET", "90", accountId="tacc_poor"), "INSUFFICIENT_MARGIN", "quantity",
     "The order needs a margin of 1891.82 USD, and 100.00 is available: 4.757 would pass."),
    (wish("BUY", "MARKET", accountId="tacc_halted"), "KILL_SWITCH", "accountId",
     "This account is halted: lunch. `tradingAccountResume` ends that."),
    (wish("BUY", "MARKET", accountId="tacc_lost"), "DAILY_LOSS_REACHED", "accountId",
     "The account has reached its greatest daily loss of 50 USD: until the next UTC day only sales are taken."),
    (wish("BUY", "MARKET", accountId="tacc_owes"), "DAILY_LOSS_REACHED", "accountId",
     "The account has reached its greatest daily loss of 50 USD: until the next UTC day only what reduces is taken: "
     "orders with reduceOnly, `positionClose` and `hedgeClose`."),
]  # fmt: skip


async def test_each_refusal_says_what_would_pass_and_writes_nothing(pit: Pit):
    pit.told["crypto:ETH/USD"] |= {"ask_size": D(3), "bid_size": D(3)}
    await pit.open("tacc_poor", "100", margin="MARGIN", leverage=D(5))
    await pit.open("tacc_halted", halted=True, halt_reason="lunch")
    await pit.open("tacc_long", margin="MARGIN", leverage=D(5))
    await pit.place("BUY", "MARKET", "2", accountId="tacc_long")
    for account, margin in (("tacc_lost", "CASH"), ("tacc_owes", "MARGIN")):
        await pit.open(account, margin=margin, loss_day=NOON.date().isoformat(), max_daily_loss=D(50))

    found = [await pit.refused(PLACE, **given) for given, *_ in CASES]

    for (given, code, field, message), told in zip(CASES, found, strict=True):
        assert told == (code, f"input.{field}", message), given


async def test_what_passes_at_the_edge_of_each_refusal_is_taken(pit: Pit):
    """What the messages above say would pass does."""
    passing = [
        wish("BUY", "LIMIT", "0.112", limitPrice="90"), wish("BUY", "LIMIT", "98.8", limitPrice="101"),
        wish("BUY", "MARKET", "4.757", accountId="tacc_poor"),
        wish("BUY", "LIMIT", limitPrice="111.1", accountId="tacc_2"),
        wish("BUY", "LIMIT", limitPrice="100.99", postOnly=True, accountId="tacc_2"),
        wish("SELL", "LIMIT", limitPrice="89.1", accountId="tacc_2"),
        wish("BUY", "LIMIT", symbol=SHUT, limitPrice="90", accountId="tacc_2"),
        wish("BUY", "LIMIT", symbol=DEAD, limitPrice="90", accountId="tacc_2"),
        wish("BUY", "MARKET", None, notional="101.2", accountId="tacc_2"),
        wish("BUY", "MARKET", None, notional="10.1", accountId="tacc_2"),
        wish("BUY", "LIMIT", None, notional="10.08", limitPrice="90", accountId="tacc_2"),
        wish("BUY", "MARKET", None, notional="0.101", symbol=FREE, accountId="tacc_2"),
        wish("BUY", "LIMIT", "100", limitPrice="0.1", accountId="tacc_2"),
        wish("BUY", "LIMIT", limitPrice="90", timeInForce="GTD", expiresAt="2026-11-21T00:00:01Z",
             condition={"time": "2026-11-21T00:00:00Z"}),
    ]  # fmt: skip
    await pit.open("tacc_poor", "100", margin="MARGIN", leverage=D(5))

    placed = [(await pit.do(PLACE, **each))["order"] for each in passing]

    assert [(each["status"], each["quantity"]) for each in placed] == [
        ("ACCEPTED", "0.112"), ("FILLED", "98.8"), ("FILLED", "4.757"), ("FILLED", "1"), ("ACCEPTED", "1"),
        ("FILLED", "1"), ("ACCEPTED", "1"), ("ACCEPTED", "1"), ("FILLED", "1.001"), ("FILLED", "0.1"),
        ("ACCEPTED", "0.112"), ("FILLED", "0.001"), ("ACCEPTED", "100"), ("NEW", "1"),
    ]  # fmt: skip


async def test_switches_of_the_organisation_and_of_the_operator_stop_what_places_and_not_what_cancels(pit: Pit):
    resting = (await pit.place("BUY", "LIMIT", limitPrice="90"))["order"]["id"]
    await pit.place("BUY", "MARKET")
    async with pit.house.store.write() as tx:
        permit = PermitRow(
            tenant_id=TENANT, halted=True, halt_reason="audit", live=False, changed_by=BY, changed_at=NOON
        )
        await PermitStore().put(tx, TENANT, permit)
    organisation = await pit.refused(PLACE, **wish("BUY", "MARKET"))
    async with pit.house.store.write() as tx:
        switch = SwitchRow(name="trading", halted=True, reason="upgrade", changed_by="op", changed_at=NOON)
        await SwitchDirectory().put(tx, switch)
    group: dict[str, Any] = {"accountId": "tacc_1", "rule": "ALL", "orders": [_part("BUY"), _part("BUY")]}
    stopped = [
        await pit.refused(PLACE, **wish("BUY", "MARKET")), await pit.refused(GROUP, **group),
        await pit.refused(CLOSE, accountId="tacc_1", symbol=BTC),
        await pit.refused(PROTECT, accountId="tacc_1", symbol=BTC, stopLoss={"stopPrice": "80"}),
        await pit.refused(REPLACE, orderId=resting, limitPrice="91"),
    ]  # fmt: skip
    cancelled = await pit.do(CANCEL, orderId=resting)

    assert organisation[2] == (
        "Your organisation has halted trading: audit. An owner or admin ends that with `tradingResume`."
    )
    fleet = "The operator has halted trading: upgrade. Try again later."
    assert {(code, message) for code, _, message in stopped} == {("KILL_SWITCH", fleet)}
    assert [field for _, field, _ in stopped] == [
        "input.accountId", "input.accountId", "input.accountId", "input.accountId", "input.orderId",
    ]  # fmt: skip
    assert cancelled["order"]["status"] == "CANCELED"


async def test_after_a_loss_of_the_day_only_reducing_orders_are_taken_until_the_next_day(pit: Pit):
    await pit.place("BUY", "MARKET", "2")
    async with pit.house.store.write() as tx:
        await tx.run(accounts.update().values(loss_day="2026-11-20", max_daily_loss=D(50)))

    refused = await pit.refused(PLACE, **wish("BUY", "LIMIT", limitPrice="90"))
    reduced = await pit.place("SELL", "MARKET", "1", reduceOnly=True)
    sold = await pit.place("SELL", "MARKET", "0.5")
    stop = await pit.place("SELL", "STOP_MARKET", "0.5", stopPrice="80")
    moved = await pit.do(REPLACE, orderId=stop["order"]["id"], stopPrice="81")
    protected = await pit.do(PROTECT, accountId="tacc_1", symbol=BTC, stopLoss={"stopPrice": "80"})
    await pit.do(REPLACE, orderId=stop["order"]["id"], stopPrice="82")
    lending = await pit.refused(PLACE, **wish("SELL", "LIMIT", limitPrice="110", accountId="tacc_2"))
    closed = await pit.do(CLOSE, accountId="tacc_1", symbol=BTC)
    pit.house.clock.turn(timedelta(hours=12).total_seconds())
    taken = await pit.place("BUY", "LIMIT", limitPrice="90")

    assert (refused[0], lending[0]) == ("DAILY_LOSS_REACHED", "DAILY_LOSS_REACHED")
    placed = [each["order"]["status"] for each in (reduced, sold, moved, closed, taken)]
    assert placed == ["FILLED", "FILLED", "ACCEPTED", "FILLED", "ACCEPTED"]
    assert protected["orders"][0]["status"] == "ACCEPTED"


async def test_the_greatest_loss_of_the_day_is_looked_at_before_each_order(pit: Pit):
    model = ExecutionModel(fees=Fees(maker=D(0), taker=D("0.1"))).plain()
    for account, lends in (("tacc_loses", "CASH"), ("tacc_lends", "MARGIN")):
        await pit.open(account, margin=lends, max_daily_loss=D(50), model=model)
        asked = wish("BUY", "MARKET", accountId=account)
        waits = await pit.place("BUY", "LIMIT", limitPrice="90", accountId=account)
        for symbol in (BTC, BTC, BTC, FREE):
            await pit.place("BUY", "MARKET", accountId=account, symbol=symbol)
        await pit.place("BUY", "MARKET", "0.6", accountId=account)

        told = [
            await pit.refused(PLACE, **asked),
            await pit.refused(REPLACE, orderId=waits["order"]["id"], limitPrice="101"),
            await pit.refused(GROUP, accountId=account, rule="ALL", orders=[_part("BUY"), _part("BUY")]),
        ]
        seen = (await pit.see(PREVIEW, i=asked))["userErrors"]
        await pit.pay_in(account, "USD", "1000")
        paid = await pit.refused(PLACE, **asked)
        closed = await pit.do(CLOSE, accountId=account, symbol=FREE)

        # 4.6 for 101 each, which are worth 100, and a tenth of that as a fee.
        taken = "sales are taken"
        if lends == "MARGIN":
            taken = "what reduces is taken: orders with reduceOnly, `positionClose` and `hedgeClose`"
        reached = (
            "The account has lost 51.06 USD today, and 50 is its greatest daily loss: until the next UTC day only "
            f"{taken}."
        )
        fields = ["input.accountId", "input.orderId", "input.accountId", "input.accountId"]
        assert [*told, paid] == [("DAILY_LOSS_REACHED", field, reached) for field in fields]
        assert [(each["code"], each["message"]) for each in seen] == [("DAILY_LOSS_REACHED", reached)]
        assert closed["order"]["status"] == "FILLED"


async def test_what_nobody_prices_any_more_does_not_lift_the_greatest_loss_of_the_day(pit: Pit):
    await pit.open("tacc_x", max_daily_loss=D(50), day=NOON.date().isoformat(), day_equity=D(10_000))
    pit.price("99", "101", OLD)
    await pit.place("BUY", "MARKET", "0.2", symbol=OLD, accountId="tacc_x")
    await pit.place("BUY", "MARKET", "10", accountId="tacc_x")
    pit.price("79", "81")
    asked = wish("BUY", "MARKET", "10", accountId="tacc_x")

    fresh = await pit.refused(PLACE, **asked)
    pit.told[OLD]["as_of"] = pit.house.clock.now() - timedelta(days=1)
    pit.house.clock.turn(3)
    stale = await pit.refused(PLACE, **asked)
    sold = await pit.place("SELL", "MARKET", "1", accountId="tacc_x")

    assert fresh[:2] == stale[:2] == ("DAILY_LOSS_REACHED", "input.accountId")
    # An account of cash cannot sell but what it has.
    assert sold["order"]["status"] == "FILLED"


async def test_who_may_look_trade_or_neither(pit: Pit):
    """Another tenant's account, and one that is not open to a member, are none; a viewer looks; keys go by scopes."""
    placed = (await pit.place("BUY", "LIMIT", limitPrice="90"))["order"]["id"]
    await pit.open("tacc_shared", shared=True)
    async with pit.house.store.write() as tx:
        await MemberStore().set(tx, TENANT, "tacc_1", "user_vic", "VIEWER")
        await MemberStore().set(tx, TENANT, "tacc_1", "user_tom", "TRADER")
    key = Principal(tenant=TENANT, kind=CallerKind.API_KEY, key="key_1", scopes=frozenset(Scope))
    stranger, member = caller("user_eve", tenant="org_b"), caller("user_max")
    viewer, trader = caller("user_vic"), caller("user_tom")

    async def deeds(who: Principal) -> list[tuple[str, str]]:
        made = [
            await pit.refused(PLACE, who, **wish("BUY", "MARKET")),
            await pit.refused(GROUP, who, accountId="tacc_1", rule="ALL", orders=[_part("BUY"), _part("BUY")]),
            await pit.refused(CLOSE, who, accountId="tacc_1", symbol=BTC),
            await pit.refused(PROTECT, who, accountId="tacc_1", symbol=BTC),
            await pit.refused(CANCEL_ALL, who, accountId="tacc_1"),
            await pit.refused(REPLACE, who, orderId=placed, limitPrice="91"),
            await pit.refused(CANCEL, who, orderId=placed),
        ]  # fmt: skip
        return [(code, field) for code, field, _ in made]

    none = [("NOT_FOUND", "input.accountId")] * 5 + [("NOT_FOUND", "input.orderId")] * 2
    assert await deeds(stranger) == await deeds(member) == await deeds(key) == none
    assert await deeds(viewer) == [("NOT_ALLOWED", "input.accountId")] * 5 + [("NOT_ALLOWED", "input.orderId")] * 2
    assert [await _seen(pit, each, placed) for each in (stranger, member, key, viewer, trader)] == [
        (None, "BAD_USER_INPUT"), (None, "BAD_USER_INPUT"), (None, "BAD_USER_INPUT"), (placed, 1), (placed, 1)
    ]  # fmt: skip
    shared = await pit.do(PLACE, key, **wish("BUY", "MARKET", accountId="tacc_shared"))
    assert shared["order"]["status"] == "FILLED"
    assert (await pit.do(CANCEL, trader, orderId=placed))["order"]["status"] == "CANCELED"


async def test_who_may_only_write_changes_and_cancels_orders_and_reads_none(pit: Pit):
    key = Principal(
        tenant=TENANT, kind=CallerKind.API_KEY, key="key_1", scopes=frozenset({Scope.TRADING_WRITE, Scope.MARKET_READ})
    )
    await pit.open("tacc_shared", shared=True)
    asked = wish("BUY", "LIMIT", limitPrice="90", accountId="tacc_shared")

    placed = (await pit.do(PLACE, key, **asked))["order"]["id"]
    raised = (await pit.do(REPLACE, key, orderId=placed, limitPrice="91"))["order"]
    seen = await pit.see("query($id: ID!) { node(id: $id) { id } }", key, id=placed)
    ended = (await pit.do(CANCEL, key, orderId=placed))["order"]

    assert (raised["limitPrice"], seen, ended["status"]) == ("91", None, "CANCELED")


async def test_scopes_decide_before_anything_is_read(pit: Pit):
    reads = caller(BY, Scope.TRADING_READ, Scope.MARKET_READ)
    writes = caller(BY, Scope.TRADING_WRITE)

    bodies = [
        await pit.ask(PLACE, reads, i=wish("BUY", "MARKET")), await pit.ask(CANCEL, reads, i={"orderId": "ord_1"}),
        await pit.ask(PLACE, writes, i=wish("BUY", "MARKET")),
    ]  # fmt: skip

    assert [body["errors"][0]["extensions"]["code"] for body in bodies] == ["FORBIDDEN"] * 3


async def test_an_order_that_ended_or_is_unknown_is_neither_replaced_nor_cancelled(pit: Pit):
    done = (await pit.place("BUY", "MARKET"))["order"]["id"]

    found = [
        await pit.refused(REPLACE, orderId=done, quantity="2"), await pit.refused(CANCEL, orderId=done),
        await pit.refused(CANCEL, orderId="ord_9"), await pit.refused(REPLACE, orderId=done),
        await pit.refused(CANCEL_ALL, accountId="tacc_1", symbol="???"),
    ]  # fmt: skip

    assert [each[:2] for each in found] == [
        ("ORDER_ENDED", "input.orderId"), ("ORDER_ENDED", "input.orderId"), ("NOT_FOUND", "input.orderId"),
        ("ORDER_INVALID", ""), ("UNKNOWN_INSTRUMENT", "input.symbol"),
    ]  # fmt: skip
    assert found[0][2] == "The order is FILLED: that is for good."


@pytest.mark.parametrize(("document", "terms"), [(REPLACE, {"limitPrice": "91"}), (CANCEL, {})])
async def test_an_order_that_ends_while_it_is_looked_at_is_told_as_it_has_ended(
    pit: Pit, monkeypatch: pytest.MonkeyPatch, document: str, terms: dict[str, str]
):
    order = (await pit.place("BUY", "LIMIT", limitPrice="90"))["order"]["id"]
    desk = pit.house.host.service(OrderDesk)
    known = desk._known

    async def late(*given: Any) -> Any:
        monkeypatch.setattr(desk, "_known", known)
        await pit.do(CANCEL, orderId=order)
        return await known(*given)

    monkeypatch.setattr(desk, "_known", late)
    payload = await pit.see(document, i={"orderId": order, **terms})

    assert payload["userErrors"] == [{
        "field": ["input", "orderId"], "code": "ORDER_ENDED",
        "message": "The order is CANCELED: by its owner: that is for good.",
    }]  # fmt: skip


async def _seen(pit: Pit, who: Principal, order: str) -> tuple[str | None, Any]:
    node = await pit.see("query($id: ID!) { node(id: $id) { id } }", who, id=order)
    body = await pit.ask('{ orders(accountId: "tacc_1") { nodes { id } } }', who)
    if "errors" in body:
        return node and node["id"], body["errors"][0]["extensions"]["code"]
    return node["id"], len(body["data"]["orders"]["nodes"])


def _part(side: str, **given: Any) -> dict[str, Any]:
    made = wish(side, "LIMIT", "1", limitPrice="90") | given
    del made["accountId"]
    return made
