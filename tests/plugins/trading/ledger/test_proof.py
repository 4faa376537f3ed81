"""Whether planted corruption is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from gateway.core.quant.lots import LotMethod
from plugins.trading.ledger.drafts import deposit, withdrawal
from plugins.trading.ledger.proof.loading import Kept, ProofStore
from plugins.trading.ledger.proof.proving import findings_of, verify
from plugins.trading.tables import accounts, balances
from schema.words.trades import Side
from tests.plugins.trading.ledger.books import T0, TENANT, Books, D
from tests.plugins.trading.ledger.trader import PERP, SPOT, Trader

R = TypeVar("R")
BUY, SELL = Side.BUY, Side.SELL


async def traded(books: Books, method: LotMethod = LotMethod.FIFO) -> Kept:
    """Twelve entries and more: money in and out, pending and posted and voided, a reversal; longs, shorts, a flip."""
    await books.post(deposit("USDT", D(10_000)))
    (wrong,) = await books.post(deposit("EUR", D(5)))
    await books.settle("reverse", wrong.id)
    posted, voided = await books.pend(withdrawal("USDT", D(7))), await books.pend(withdrawal("USDT", D(8)))
    await books.settle("post_pending", posted.id)
    await books.settle("void", voided.id)
    await books.pend(withdrawal("USDT", D(9)))
    trader = Trader(books, method)
    await trader.trade(BUY, [("1", "100"), ("2", "103.3333333333")])
    await trader.trade(SELL, [("0.7", "120.000000007")])
    await trader.trade(SELL, [("3.3", "90")])
    await trader.trade(BUY, [("0.25", "80")])
    await trader.trade(BUY, [("3", "1000")], PERP, "0.1")
    await trader.trade(SELL, [("3", "900"), ("1", "901")], PERP, "0.1")
    return await kept_of(books)


async def kept_of(books: Books) -> Kept:
    async with books.store.read() as tx:
        kept = await ProofStore().kept(tx, TENANT, books.account)
    assert kept is not None
    return kept


@pytest.mark.parametrize("method", list(LotMethod))
async def test_an_account_that_was_kept_well_has_no_finding(books: Books, method: LotMethod) -> None:
    await books.do(accounts.update().values(method=method.value))
    kept = await traded(books, method)

    assert findings_of(kept) == []
    assert (len(kept.orders), len(kept.fills), len(kept.trips), len(kept.positions)) == (6, 8, 2, 2)


def at(rows: Sequence[R], place: int, **changed: Any) -> tuple[R, ...]:
    """The same rows, one of them changed."""
    made: Any = replace(rows[place], **changed)  # type: ignore[type-var]
    return tuple(made if each == place else row for each, row in enumerate(rows))


def without(rows: Sequence[R], place: int) -> tuple[R, ...]:
    return (*rows[:place], *rows[place + 1 :])


async def test_each_kind_of_corruption_is_found_and_named(books: Books) -> None:
    kept = await traded(books)
    assert findings_of(kept) == []
    entry = {row.number: row.id for row in kept.entries}
    first, pending, posted, voided = (kept.entries[place] for place in (0, 3, 5, 6))
    line = next(place for place, row in enumerate(kept.lines) if row.entry_id == first.id)
    spot = next(place for place, row in enumerate(kept.positions) if row.instrument == SPOT)
    cash = next(place for place, row in enumerate(kept.balances) if (row.ledger, row.asset) == ("cash", "USDT"))
    fill = next(place for place, row in enumerate(kept.fills) if row.id == "fill_3")
    ghost = replace(kept.lines[line], entry_id="entry_x")

    def with_(**changed: Any) -> Kept:
        return replace(kept, **changed)

    cases: dict[str, tuple[Kept, list[tuple[str, str]]]] = {
        "a gap": (
            with_(entries=without(kept.entries, 7)),
            [(entry[9], "number 8 is missing before 9")],
        ),
        "the account's count of entries": (
            with_(account=replace(kept.account, entries=99)),
            [("account", f"its count of entries is 99, and {len(kept.entries)} by what it follows from")],
        ),
        "a line changed": (
            with_(lines=at(kept.lines, line, amount=D(9_999))),
            [(first.id, "USDT does not sum to zero: -1 is left")],
        ),
        "a line lost": (
            with_(lines=without(kept.lines, line)),
            [(first.id, "USDT does not sum to zero: -10000 is left")],
        ),
        "a line of nobody": (with_(lines=(*kept.lines, ghost)), [("entry_x", "1 lines of an entry that is not there")]),
        "a void with lines": (
            with_(lines=(*kept.lines, replace(ghost, entry_id=voided.id))),
            [(voided.id, "it voids another entry, and has lines")],
        ),
        "a balance": (
            with_(balances=at(kept.balances, cash, posted=D(1))),
            [("cash USDT", "posted is 1, and ")],
        ),
        "a hold": (
            with_(balances=at(kept.balances, cash, held=D(0))),
            [("cash USDT", "held is 0, and 9 by what it follows from")],
        ),
        "a balance lost": (with_(balances=without(kept.balances, cash)), [("cash USDT", "posted is 0, and ")]),
        "overdrawn": (
            with_(lines=at(at(kept.lines, line, amount=D(-10_000)), line + 1, amount=D(10_000))),
            [("cash USDT", "a cash account owes 9982.74666667 USDT")],
        ),
        "posted twice": (
            with_(entries=at(kept.entries, 6, resolves=pending.id)),
            [(voided.id, f"it follows {pending.id}, which another entry followed before")],
        ),
        "follows nothing": (
            with_(entries=at(kept.entries, 5, resolves="entry_x")),
            [(posted.id, "it follows entry_x, which is not there before it")],
        ),
        "reverses what is pending": (
            with_(entries=at(kept.entries, 2, reverses=pending.id)),
            [(entry[3], f"it follows {pending.id}, which is not there before it")],
        ),
        "posts what counts": (
            with_(entries=at(kept.entries, 5, resolves=first.id)),
            [(posted.id, f"it follows {first.id}, which is not pending")],
        ),
        "posts other lines": (
            with_(entries=at(kept.entries, 6, voids=False)),
            [(voided.id, "an entry without lines"), (voided.id, "its lines are not those of ")],
        ),
        "an order's fill": (
            with_(orders=at(kept.orders, 1, filled=D("0.6"))),
            [("ord_2", "filled is 0.6, and 0.7 by what it follows from")],
        ),
        "an order's value": (with_(orders=at(kept.orders, 1, paid=D(1))), [("ord_2", "paid is 1, and ")]),
        "an order's count": (with_(orders=at(kept.orders, 1, fills=2)), [("ord_2", "its count of fills is 2, and 1 ")]),
        "more than was ordered": (
            with_(orders=at(kept.orders, 1, quantity=D("0.5"))),
            [("ord_2", "more is filled than the 0.5 that were ordered")],
        ),
        "filled, and not whole": (
            with_(orders=at(kept.orders, 1, quantity=D(1))),
            [("ord_2", "it is FILLED, and 0.7 of 1 is filled")],
        ),
        "whole, and cancelled": (
            with_(orders=at(kept.orders, 1, status="CANCELED")),
            [("ord_2", "it is CANCELED, and 0.7 of 0.7 is filled")],
        ),
        "whole, and open without an entry": (
            with_(orders=at(kept.orders, 1, leg="STOP_LOSS", parent_id="ord_1", status="PARTIALLY_FILLED", open=True)),
            [("ord_2", "it is PARTIALLY_FILLED, and 0.7 of 0.7 is filled")],
        ),
        "filled in part, and only accepted": (
            with_(orders=at(kept.orders, 1, quantity=D(1), status="ACCEPTED", open=True)),
            [("ord_2", "it is ACCEPTED, and 0.7 of 1 is filled")],
        ),
        "filled in part, and of nothing": (
            with_(
                orders=at(kept.orders, 1, status="PARTIALLY_FILLED", filled=D(0), open=True),
            ),
            [("ord_2", "it is PARTIALLY_FILLED, and 0 of 0.7 is filled")],
        ),
        "rejected, and filled": (
            with_(orders=at(kept.orders, 1, quantity=D(1), status="REJECTED")),
            [("ord_2", "it is REJECTED, and 0.7 of 1 is filled")],
        ),
        "ended, and open": (
            with_(orders=at(kept.orders, 1, open=True)),
            [("ord_2", "it is FILLED, and open still")],
        ),
        "at work, and not open": (
            with_(orders=at(kept.orders, 1, quantity=D(1), status="PARTIALLY_FILLED")),
            [("ord_2", "it is PARTIALLY_FILLED, and not open")],
        ),
        "ended, and holding": (
            with_(orders=at(kept.orders, 1, reserved=D("100.50"))),
            [("ord_2", "it is FILLED, and holds 100.5 USDT still")],
        ),
        "numbers of orders": (
            with_(orders=without(kept.orders, 1)),
            [("orders", "their numbers are not 1 to 5"), ("fill_3", "its order ord_2 is not there")],
        ),
        "the account's count of orders": (
            with_(account=replace(kept.account, orders=7)),
            [("account", "its count of orders is 7, and 6 ")],
        ),
        "a fill lost": (
            with_(fills=without(kept.fills, fill)),
            [("ord_2", "filled is 0.7, and 0 "), ("entry_", "it books the fill fill_3, which is not there")],
        ),
        "a fill that nobody booked": (
            with_(fills=(*kept.fills, replace(kept.fills[fill], id="fill_x", number=2))),
            [("fill_x", "no entry of the ledger books this fill")],
        ),
        "a fill's profit": (
            with_(fills=at(kept.fills, fill, realised=D(0))),
            [("fill_3", "realised is 0, and 14 by what it follows from")],
        ),
        "a fill's price": (
            with_(fills=at(kept.fills, fill, price=D(121))),
            [
                ("fill_3", "realised is 14, and 14.7 "),
                ("fill_3", "its entry's cash is "),
                ("fill_3", "its entry's pnl "),
            ],
        ),
        "a fill's fee": (with_(fills=at(kept.fills, fill, fee=D(1))), [("fill_3", "fee is 1, and 0.01 ")]),
        "a position's quantity": (
            with_(positions=at(kept.positions, spot, quantity=D(5))),
            [(SPOT, "quantity is 5, and -0.75 "), (SPOT, "the replayed quantity is 5, and -0.75 ")],
        ),
        "a position's cost": (
            with_(positions=at(kept.positions, spot, cost=D(-67))),
            [(SPOT, "cost is -67, and -67.5 "), ("cost USDT", "the cost of positions is -67, and -67.5 ")],
        ),
        "a position's lots": (with_(positions=at(kept.positions, spot, lots=[])), [(SPOT, "lots is [], and ")]),
        "a position's profit": (
            with_(positions=at(kept.positions, spot, realised=D(9))),
            [(SPOT, "realised is 9, and 2.5 ")],
        ),
        "a position lost": (
            with_(positions=without(kept.positions, spot)),
            [(SPOT, "quantity is 0, and -0.75 "), (SPOT, "no position is kept, and its fills left one")],
        ),
        "a position of nothing": (
            with_(positions=(*kept.positions, replace(kept.positions[spot], instrument="crypto:ETH/USDT"))),
            [("crypto:ETH/USDT", "quantity is -0.75, and 0 "), ("crypto:ETH/USDT", "its fills left no position")],
        ),
        "a trip lost": (
            with_(trips=kept.trips[1:]),
            [(kept.trips[0].instrument, "its count of closed positions is 0, ")],
        ),
        "a trip's profit": (
            with_(trips=at(kept.trips, 0, realised=D(1))),
            [(kept.trips[0].instrument, "its closed positions are not those that its fills made")],
        ),
    }

    for name, (corrupt, wanted) in cases.items():
        found = [(each.subject, each.message) for each in findings_of(corrupt)]
        for subject, message in wanted:
            assert any(a.startswith(subject) and b.startswith(message) for a, b in found), (name, message, found)


async def test_an_order_that_a_broker_fills_net_of_its_fee_is_no_finding(books: Books) -> None:
    kept = await traded(books)
    whole = replace(kept, orders=at(kept.orders, 1, quantity=D(1)))

    assert [each.message for each in findings_of(whole)] == ["it is FILLED, and 0.7 of 1 is filled"]
    assert findings_of(replace(whole, account=replace(kept.account, broker="binance"))) == []


async def test_one_account_of_one_tenant_is_proved_where_it_is_asked_for(books_on_both: Books) -> None:
    books = books_on_both
    await books.post(deposit("USDT", D(5)))
    other = Books(books.store, account="tacc_2")
    await other.open(tenant_id="org_b")
    await books.do(balances.update().values(posted=D(6)))

    async def found(**asked: Any) -> list[tuple[str, str, str]]:
        async with books.store.read() as tx:
            return [(each.tenant, each.account, each.subject) for each in await verify(tx, **asked)]

    wrong = [(TENANT, "tacc_1", "cash USDT"), (TENANT, "tacc_1", "external USDT")]
    assert await found() == wrong
    assert await found(tenant=TENANT) == wrong
    assert await found(account_id="tacc_1") == wrong
    assert (await found(tenant="org_b"), await found(account_id="tacc_2")) == ([], [])


async def test_a_second_open_account_at_a_broker_is_told(books: Books) -> None:
    live = {"kind": "LIVE", "broker": "alpaca_paper"}
    for account, given in (
        ("tacc_b", {"created_at": T0 - timedelta(days=1)}), ("tacc_c", {}), ("tacc_d", {"deleted_at": T0}),
        ("tacc_e", {"broker": "binance_testnet"}), ("tacc_f", {"tenant_id": "org_b"}),
    ):  # fmt: skip
        await Books(books.store, account=account).open(**live | given)

    async with books.store.read() as tx:
        found = await verify(tx)

    assert [(each.account, each.subject, each.message) for each in found] == [
        ("tacc_c", "account",
         "it is a second open account at alpaca_paper beside tacc_b, for one key: all the broker's money is booked in "
         "both. Cancel its orders, close what it holds, then delete it"),
    ]  # fmt: skip
