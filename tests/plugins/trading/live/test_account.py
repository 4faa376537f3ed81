"""An account as it changes: snapshot first, then what is new; each fill and each event once."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import delete, update

from gateway.core.identity import Scope
from gateway.core.outbox.tables import log
from gateway.core.store import Tx
from plugins.trading.accounts.desk import TOPIC
from plugins.trading.positions.standings import Appraiser, Held
from plugins.trading.rows import AccountRow
from plugins.trading.tables import accounts, members
from schema.words.live import NoticeCode
from tests.plugins.trading.ledger.books import TENANT
from tests.plugins.trading.live.room import BTC, CANCEL, ETH, Room, caller

LIVE = """subscription($id: ID!, $after: Cursor, $everyMs: Int) { account(id: $id, after: $after, everyMs: $everyMs) {
  cursor snapshot version halted standing { equity unrealised buyingPower reason stale }
  positions { symbol quantity price unrealised stale } closed balances { currency cash reserved }
  orders { id status } fills { id price quantity } events { type } notices { code } skipped } }"""
SET_MEMBER = """mutation($i: TradingAccountMemberSetInput!) {
  r: tradingAccountMemberSet(input: $i) { members { userId } userErrors { code } } }"""
AT_ONCE: dict[str, Any] = {"id": "tacc_1", "everyMs": 0}


async def until(updates: Any, *wanted: str) -> list[dict[str, Any]]:
    """All messages until each of these kinds was shown: rows may be read before the log tells of them, or after."""
    found = [await anext(updates)]
    while not all(gathered(found, each) for each in wanted):
        found.append(await anext(updates))
    return found


def gathered(messages: list[dict[str, Any]], name: str) -> list[Any]:
    return [each for message in messages for each in message[name]]


async def test_a_snapshot_comes_first_then_fills_money_and_prices_as_they_change(room: Room):
    resting = (await room.place("BUY", "LIMIT", limitPrice="90"))["order"]["id"]

    async with room.watching(LIVE, **AT_ONCE) as updates:
        first = await anext(updates)
        placed = await room.place("BUY", "MARKET", "2")
        filled = await until(updates, "positions", "fills", "balances")
        room.tick("120")
        priced = (await until(updates, "positions"))[-1]
        await room.pay("tacc_1", "5")
        await room.house.host.bus.publish(TOPIC, {"id": "tacc_1"})
        paid = (await until(updates, "balances"))[-1]
        await room.see(CANCEL, i={"orderId": resting})
        cancelled = await until(updates, "orders", "events")
        room.price("119", "121")
        await room.place("SELL", "MARKET", "2")
        sold = await until(updates, "closed", "fills")

    assert (first["snapshot"], first["positions"], first["fills"], first["events"]) == (True, [], [], [])
    assert first["standing"] == {
        "equity": "10000.00", "unrealised": "0.00", "buyingPower": "9910.00", "reason": None, "stale": False
    }  # fmt: skip
    assert first["orders"] == [{"id": resting, "status": "ACCEPTED"}]
    assert first["balances"] == [{"currency": "USD", "cash": "10000.00", "reserved": "90.00"}]
    assert gathered(filled, "fills") == placed["fills"]
    assert gathered(filled, "orders") == [placed["order"]]
    assert [each["type"] for each in gathered(filled, "events")] == [
        "order.accepted", "order.filled", "position.opened"
    ]  # fmt: skip
    assert (filled[-1]["snapshot"], filled[-1]["standing"]["equity"]) == (False, "9998.00")
    assert gathered(filled, "balances") == [{"currency": "USD", "cash": "9798.00", "reserved": "90.00"}]
    assert [each["quantity"] for each in gathered(filled, "positions")] == ["2"]
    assert priced["positions"] == [
        {"symbol": BTC, "quantity": "2", "price": "120", "unrealised": "38.00", "stale": False}
    ]  # fmt: skip
    assert (priced["standing"]["equity"], priced["orders"], priced["fills"]) == ("10038.00", [], [])
    assert paid["standing"]["equity"] == "10043.00"
    assert gathered(cancelled, "orders") == [{"id": resting, "status": "CANCELED"}]
    assert (gathered(sold, "closed"), [each["price"] for each in gathered(sold, "fills")]) == ([BTC], ["119"])
    assert sold[-1]["standing"]["equity"] == "10041.00"


async def test_who_comes_back_with_a_cursor_gets_what_was_missed_once_and_nothing_of_other_accounts(room: Room):
    async with room.watching(LIVE, **AT_ONCE) as updates:
        cursor = (await anext(updates))["cursor"]
    missed = [(await room.place("BUY", "MARKET"))["fills"][0] for _ in range(3)]
    await room.place("BUY", "MARKET", accountId="tacc_2")

    async with room.watching(LIVE, after=cursor, **AT_ONCE) as updates:
        whole = await anext(updates)
        messages = await until(updates, "fills")
        last = messages[-1]["cursor"]
        later = (await room.place("BUY", "MARKET"))["fills"]
        messages += await until(updates, "fills")
    async with room.watching(LIVE, after=last, **AT_ONCE) as updates:
        await anext(updates)
        again = await until(updates, "fills")

    assert (whole["snapshot"], whole["fills"], whole["positions"][0]["quantity"]) == (True, [], "3")
    assert gathered(messages, "fills") == [*missed, *later]
    assert gathered(again, "fills") == later


async def test_a_cursor_that_is_too_old_begins_anew_with_a_gap_and_one_that_is_none_is_refused(room: Room):
    async with room.watching(LIVE, **AT_ONCE) as updates:
        cursor = (await anext(updates))["cursor"]
    await room.place("BUY", "MARKET")
    async with room.house.store.write() as tx:
        await tx.run(delete(log))

    async with room.watching(LIVE, after=cursor, **AT_ONCE) as updates:
        first = await anext(updates)
        await room.place("BUY", "MARKET")
        rest = await until(updates, "fills")
    async with room.watching(LIVE, after="bm9uZQ", **AT_ONCE) as updates:
        refused = await anext(updates)

    assert (first["snapshot"], [each["code"] for each in first["notices"]]) == (True, [NoticeCode.GAP])
    assert len(gathered(rest, "fills")) == 1
    assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert refused["errors"][0]["message"] == (
        "after: is not a cursor of this subscription; give back the `cursor` of one of its messages"
    )


async def test_messages_are_merged_to_the_readers_pace_and_lose_no_fill(room: Room):
    async with room.watching(LIVE, id="tacc_1", everyMs=200) as updates:
        await anext(updates)
        fills = [(await room.place("BUY", "MARKET"))["fills"][0] for _ in range(5)]
        messages = await until(updates, "fills")
        while len(gathered(messages, "fills")) < 5:
            messages.append(await anext(updates))
        for price in ("101", "102", "103"):
            room.tick(price)
        priced = (await until(updates, "positions"))[-1]

    assert gathered(messages, "fills") == fills
    assert len(messages) <= 3
    assert (priced["positions"][0]["price"], priced["positions"][0]["quantity"]) == ("103", "5")


async def test_it_ends_with_an_error_where_the_account_is_closed_to_the_reader_or_deleted(room: Room):
    async with room.house.store.write() as tx:
        await tx.run(members.insert().values(tenant_id=TENANT, account_id="tacc_1", member="user_tim", role="VIEWER"))
    tim = caller("user_tim", Scope.TRADING_READ, Scope.MARKET_READ, Scope.STREAM_READ)

    async with room.watching(LIVE, tim, **AT_ONCE) as watching, room.watching(LIVE, **AT_ONCE) as owning:
        seen = await anext(watching), await anext(owning)
        async with room.house.store.write() as tx:
            await tx.run(delete(members))
        await room.house.host.bus.publish(TOPIC, {"id": "tacc_1"})
        left = [each async for each in watching]
        async with room.house.store.write() as tx:
            await tx.run(update(accounts).values(deleted_at=room.house.clock.now()))
        await room.house.host.bus.publish(TOPIC, {"id": "tacc_1"})
        ended = [each async for each in owning]

    assert [each["snapshot"] for each in seen] == [True, True]
    for (body,) in (left, ended):
        assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert "no trading account with this id" in body["errors"][0]["message"]


async def test_who_is_removed_sees_no_more_though_prices_change_all_the_time(room: Room):
    who = {"accountId": "tacc_1", "userId": "user_tim"}
    async with room.house.store.write() as tx:
        await tx.run(members.insert().values(tenant_id=TENANT, account_id="tacc_1", member="user_tim", role="VIEWER"))
    await room.place("BUY", "MARKET", "5")
    tim = caller("user_tim", Scope.TRADING_READ, Scope.MARKET_READ, Scope.STREAM_READ)

    async with room.watching(LIVE, tim, **AT_ONCE) as told:
        await anext(told)
        removed = await room.see(SET_MEMBER, i=who)
        told_of_it = [each async for each in told]
    async with room.house.store.write() as tx:
        await tx.run(members.insert().values(tenant_id=TENANT, account_id="tacc_1", member="user_tim", role="VIEWER"))
    async with room.watching(LIVE, tim, **AT_ONCE) as untold:
        await anext(untold)
        async with room.house.store.write() as tx:
            await tx.run(delete(members))
        seen: list[Any] = []
        while not seen or "errors" not in seen[-1]:
            room.house.clock.turn(2)
            room.tick(str(100 + len(seen)))
            seen.append(await anext(untold))

    assert removed == {"members": [], "userErrors": []}
    assert "errors" in told_of_it[-1]
    assert len(seen) == 3


async def test_all_who_watch_an_account_share_one_reading_of_each_version(room: Room, monkeypatch: pytest.MonkeyPatch):
    read, versions = Appraiser.read, list[int]()

    async def counted(appraiser: Appraiser, tx: Tx, account: AccountRow) -> Held:
        versions.append(account.version)
        return await read(appraiser, tx, account)

    async with AsyncExitStack() as stack:
        watching = [await stack.enter_async_context(room.watching(LIVE, **AT_ONCE)) for _ in range(3)]
        for each in watching:
            await anext(each)
        monkeypatch.setattr(Appraiser, "read", counted)
        placed = await room.place("BUY", "MARKET", "2")
        found = [await until(each, "positions", "fills", "balances", "orders") for each in watching]

    assert [gathered(each, "fills") for each in found] == [placed["fills"]] * 3
    assert len(versions) == len(set(versions)) >= 1


async def test_who_may_not_sees_nothing_and_a_pace_has_bounds(room: Room):
    async def first(principal: Any = None, **given: Any) -> str:
        async with room.watching(LIVE, principal, **AT_ONCE | given) as updates:
            (error,) = (await anext(updates))["errors"]
            return str(error["extensions"]["code"])

    assert await first(caller("user_eve")) == "BAD_USER_INPUT"
    assert await first(caller("user_ada", tenant="org_b")) == "BAD_USER_INPUT"
    assert await first(caller("user_ada", Scope.TRADING_READ, Scope.MARKET_READ)) == "FORBIDDEN"
    assert await first(caller("user_ada", Scope.TRADING_READ, Scope.STREAM_READ)) == "FORBIDDEN"
    assert await first(caller("user_ada", Scope.STREAM_READ, Scope.MARKET_READ)) == "FORBIDDEN"
    assert await first(everyMs=60_001) == "BAD_USER_INPUT"


async def test_a_price_that_nobody_tells_leaves_figures_null_and_says_which(room: Room):
    await room.place("BUY", "MARKET", symbol=ETH)
    del room.told[ETH]
    room.house.clock.turn(600)

    async with room.watching(LIVE, **AT_ONCE) as updates:
        first = await anext(updates)

    assert (first["standing"]["equity"], first["positions"][0]["price"]) == (None, None)
    assert first["standing"]["reason"] == "no price of crypto:ETH/USD"


async def test_what_a_stream_says_of_itself_marks_the_position_until_it_speaks_again(room: Room):
    await room.place("BUY", "MARKET", "2")

    async with room.watching(LIVE, **AT_ONCE) as updates:
        await anext(updates)
        room.tick("120")
        await until(updates, "positions")
        room.lines.trouble("alpha", NoticeCode.STALE)
        silent = await until(updates, "notices")
        room.lines.trouble("alpha", NoticeCode.FRESH_AGAIN)
        speaking = await until(updates, "notices")

    assert [each["code"] for each in gathered(silent, "notices")] == ["STALE"]
    assert (silent[-1]["positions"][0]["stale"], silent[-1]["standing"]["stale"]) == (True, True)
    assert silent[-1]["standing"]["reason"] == "the price of crypto:BTC/USD is old"
    assert (speaking[-1]["positions"][0]["stale"], speaking[-1]["standing"]["stale"]) == (False, False)
    assert speaking[-1]["standing"]["equity"] == "10038.00"
