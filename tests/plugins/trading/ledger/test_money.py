"""Money of accounts as callers move it: in, out, into other currencies, between accounts, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as tried
from hypothesis import strategies as st

from gateway.core.identity import Scope
from gateway.core.matching.rounding import quantum_of
from plugins.accounts.tables import audit
from plugins.trading.ledger import desk as module
from plugins.trading.ledger.amounts import least_given, read_amount
from plugins.trading.ledger.chart import received, shown, times
from plugins.trading.ledger.drafts import commission, deposit, funding
from plugins.trading.ledger.room import room_of
from plugins.trading.markets.prices import Prices
from plugins.trading.tables import accounts, orders
from schema.provenance import Conversion
from schema.words.trades import Side
from tests.plugins.trading.ledger.asking import (
    BALANCES,
    CONVERT,
    DEPOSIT,
    ENTRIES,
    POST,
    REVERSE,
    TRANSFER,
    VOID,
    WITHDRAW,
    Desk,
    caller,
    open_desk,
)
from tests.plugins.trading.ledger.books import Books, D
from tests.plugins.trading.ledger.trader import order_row
from tests.plugins.trading.rowsof import MADE

CURRENCY = st.sampled_from(["USD", "JPY", "KWD", "USDT", "BTC"])


@pytest.fixture
async def desk(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(sqlite_url, tmp_path, day="2026-11-20", day_equity=D(0)) as opened:
        yield opened


async def trail(desk: Desk) -> list[str]:
    async with desk.house.host.store.read() as tx:
        return [each for each in await tx.values(audit.select().with_only_columns(audit.c.action)) if "ledger" in each]


async def test_money_comes_in_and_goes_out_as_it_is_there(desk: Desk) -> None:
    made = await desk.do(DEPOSIT, currency=" usdt ", amount="100.5", memo=" first ", idempotencyKey="k")

    entry = made["entry"]
    assert entry.pop("id").startswith("entry_")
    assert entry == {
        "number": 1, "kind": "DEPOSIT", "state": "POSTED", "memo": "first", "resolves": None, "reverses": None,
        "followedBy": None, "lines": [
            {"ledger": "CASH", "asset": "USDT", "amount": "100.50000000"},
            {"ledger": "EXTERNAL", "asset": "USDT", "amount": "-100.50000000"},
        ],
    }  # fmt: skip
    again = await desk.do(DEPOSIT, currency="USDT", amount="100.50", memo="first", idempotencyKey="k")
    assert again["entry"]["number"] == 1
    assert await desk.refused(DEPOSIT, currency="USDT", amount="7", idempotencyKey="k") == (
        "IDEMPOTENCY_MISMATCH", "This idempotencyKey came with other input: repeat that input, or give another key.",
    )  # fmt: skip
    assert await desk.refused(WITHDRAW, currency="USDT", amount="101") == (
        "INSUFFICIENT_FUNDS", "101 USDT is more than the 100.5 USDT that are free.",
    )  # fmt: skip
    assert (await desk.do(WITHDRAW, currency="USDT", amount="100.5"))["entry"]["number"] == 2
    assert await desk.cash() == {"USDT": ("0.00000000", "0")}
    assert await trail(desk) == ["ledgerentry.booked", "ledgerentry.booked"]


async def test_what_no_amount_and_no_currency_is_is_refused_in_words(desk: Desk) -> None:
    for given, code, message in (
        ({"currency": "USD", "amount": "1.005"}, "AMOUNT_INVALID", "USD has 2 decimals: write 1 or 1.01."),
        ({"currency": "JPY", "amount": "0.5"}, "AMOUNT_INVALID", "JPY has 0 decimals: write 1."),
        ({"currency": "USD", "amount": "0"}, "AMOUNT_INVALID",
         "amount must be above 0 and at most 1,000,000,000,000."),
        ({"currency": "USD", "amount": "-1"}, "AMOUNT_INVALID",
         "amount must be above 0 and at most 1,000,000,000,000."),
        ({"currency": "QQQ", "amount": "1"}, "CURRENCY_INVALID",
         "'QQQ' is no currency that is known: write a code such as USD, EUR or USDT."),
        ({"currency": "USD", "amount": "1", "memo": "x" * 301}, "MEMO_INVALID",
         "The memo has 301 characters: give at most 300."),
    ):  # fmt: skip
        for document in (DEPOSIT, WITHDRAW):
            assert await desk.refused(document, **given) == (code, message)
    assert await desk.cash() == {}


async def test_a_pending_withdrawal_is_posted_or_voided_once(desk: Desk) -> None:
    await desk.do(DEPOSIT, currency="USDT", amount="100")
    held = (await desk.do(WITHDRAW, currency="USDT", amount="60", pending=True))["entry"]
    assert (held["state"], await desk.cash()) == ("PENDING", {"USDT": ("100.00000000", "60.00000000")})
    assert await desk.refused(WITHDRAW, currency="USDT", amount="41") == (
        "INSUFFICIENT_FUNDS",
        "41 USDT is more than the 40 USDT that are free (60 more is held by pending entries).",
    )

    posted = (await desk.do(POST, entryId=held["id"], idempotencyKey="p"))["entry"]
    assert (posted["state"], posted["resolves"]) == ("POSTED", held["id"])
    assert (await desk.do(POST, entryId=held["id"], idempotencyKey="p"))["entry"]["id"] == posted["id"]
    assert (await desk.refused(VOID, entryId=held["id"]))[0] == "ENTRY_RESOLVED"

    other = (await desk.do(WITHDRAW, currency="USDT", amount="40", pending=True))["entry"]
    voided = (await desk.do(VOID, entryId=other["id"]))["entry"]
    assert (voided["state"], voided["lines"]) == ("VOIDED", [])
    assert (await desk.refused(POST, entryId=voided["id"]))[0] == "ENTRY_NOT_PENDING"
    assert (await desk.refused(POST, entryId="entry_x"))[0] == "NOT_FOUND"
    listed = (await desk.ask(ENTRIES, a="tacc_1"))["nodes"]
    assert [(row["number"], row["state"], row["followedBy"]) for row in listed] == [
        (5, "VOIDED", None), (4, "VOIDED", voided["id"]), (3, "POSTED", None), (2, "POSTED", posted["id"]),
        (1, "POSTED", None),
    ]  # fmt: skip
    assert await desk.cash() == {"USDT": ("40.00000000", "0.00000000")}


async def test_what_open_orders_reserve_cannot_be_taken_out(desk: Desk) -> None:
    await desk.do(DEPOSIT, currency="USDT", amount="100")
    order = order_row(desk.books, "ord_1", 1, Side.BUY, [("1", "30")], "crypto:BTC/USDT")
    await desk.books.do(orders.insert().values(**asdict(order) | {"open": True, "reserved": D("30.5")}))

    code, message = await desk.refused(WITHDRAW, currency="USDT", amount="70")

    assert (code, message) == (
        "INSUFFICIENT_FUNDS",
        "70 USDT is more than the 69.5 USDT that are free (30.5 more is reserved by open orders).",
    )
    assert (await desk.refused(CONVERT, **{"from": "USDT", "amount": "70", "to": "USD"}))[0] == "INSUFFICIENT_FUNDS"
    assert (await desk.do(WITHDRAW, currency="USDT", amount="69.5"))["userErrors"] == []


async def test_a_conversion_keeps_its_rate_and_where_that_came_from(desk: Desk) -> None:
    await desk.do(DEPOSIT, currency="EUR", amount="100")
    given = {"from": "EUR", "amount": "50", "to": "USD", "memo": "for Apple", "idempotencyKey": "c"}
    made = await desk.do(CONVERT, **given)

    rate, entry = made["rate"], made["entry"]
    assert (rate["from"], rate["to"], rate["provenance"]["mode"]) == ("EUR", "USD", "SIMULATED")
    got = str((D(50) * D(rate["rate"])).quantize(D("0.01"), rounding=ROUND_DOWN))
    assert [(line["ledger"], line["asset"], line["amount"]) for line in entry["lines"]] == [
        ("CASH", "EUR", "-50.00"), ("EXCHANGE", "EUR", "50.00"), ("CASH", "USD", got), ("EXCHANGE", "USD", f"-{got}"),
    ]  # fmt: skip
    provider = rate["provenance"]["provider"]
    assert entry["memo"].startswith(
        f"for Apple; 1 EUR = {shown(D(rate['rate']))} USD by {provider} (SIMULATED) as of 2026-11-2"
    )
    again = await desk.do(CONVERT, **given)
    assert (again["entry"]["id"], again["rate"]) == (entry["id"], None)
    for other, code in (
        ({"from": "EUR", "amount": "51", "to": "USD"}, "INSUFFICIENT_FUNDS"),
        ({"from": "EUR", "amount": "1", "to": "EUR"}, "CURRENCY_INVALID"),
        ({"from": "EUR", "amount": "0.01", "to": "KWD"}, "NO_PRICE"),
        ({**given, "amount": "49"}, "IDEMPOTENCY_MISMATCH"),
    ):
        assert (await desk.refused(CONVERT, **other))[0] == code, other
    assert (await desk.refused(REVERSE, entryId=entry["id"]))[0] == "ENTRY_NOT_REVERSIBLE"
    assert await desk.cash() == {"EUR": ("50.00", "0"), "USD": (got, "0")}


async def test_nobody_gains_by_converting_in_small_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {("USD", "JPY"): "156", ("JPY", "USD"): "0.00641"}

    async def rate(self: Prices, source: str, target: str, *field: str) -> Conversion:
        given = D(rates[source, target])
        return Conversion(from_currency=source, to_currency=target, rate=given, provenance=MADE)

    monkeypatch.setattr(Prices, "rate", rate)
    await desk.do(DEPOSIT, currency="USD", amount="1")

    for _ in range(20):
        await desk.do(CONVERT, **{"from": "USD", "amount": "0.01", "to": "JPY"})
    refused = await desk.refused(CONVERT, **{"from": "JPY", "amount": "1", "to": "USD"})

    assert refused == (
        "AMOUNT_INVALID", "It is worth less than the least amount of USD: at least 2 JPY would pass.",
    )  # fmt: skip
    assert await desk.cash() == {"JPY": ("20", "0"), "USD": ("0.80", "0")}
    for _ in range(10):
        await desk.do(CONVERT, **{"from": "JPY", "amount": "2", "to": "USD"})
    assert await desk.cash() == {"JPY": ("0", "0"), "USD": ("0.90", "0")}


@tried(rate=st.decimals("0.00000001", "100000000", places=12), give=CURRENCY, take=CURRENCY)
def test_the_least_amount_that_is_told_is_received_as_the_least_amount(rate: Decimal, give: str, take: str) -> None:
    least = least_given(rate, give, take)

    assert received(times(least, rate), take) > 0
    assert received(times(least - quantum_of(give), rate), take) == 0
    assert least_given(rate, give, take) == read_amount(least, give)


async def test_a_transfer_books_in_both_accounts_or_in_none(desk: Desk) -> None:
    other = Books(desk.books.store, account="tacc_0")
    await other.open()
    await desk.do(DEPOSIT, currency="USDT", amount="10")
    given = {"fromAccountId": "tacc_1", "toAccountId": "tacc_0", "currency": "USDT", "amount": "4"}

    made = await desk.ask(TRANSFER, i={**given, "idempotencyKey": "t"})
    again = await desk.ask(TRANSFER, i={**given, "idempotencyKey": "t"})

    assert (made["fromEntry"]["memo"], made["toEntry"]["memo"]) == ("to tacc_0", "from tacc_1")
    assert again == made
    assert (await desk.cash(), await desk.cash("tacc_0")) == (
        {"USDT": ("6.00000000", "0")}, {"USDT": ("4.00000000", "0")},
    )  # fmt: skip
    for wrong, code, field in (
        ({"amount": "7"}, "INSUFFICIENT_FUNDS", ["input", "amount"]),
        ({"toAccountId": "tacc_x"}, "NOT_FOUND", ["input", "toAccountId"]),
        ({"fromAccountId": "tacc_x"}, "NOT_FOUND", ["input", "fromAccountId"]),
        ({"toAccountId": "tacc_1"}, "TRANSFER_INVALID", ["input", "toAccountId"]),
    ):
        refused = await desk.ask(TRANSFER, i=given | wrong)
        assert (refused["userErrors"][0]["code"], refused["userErrors"][0]["field"]) == (code, field)
    assert (await desk.cash("tacc_0"))["USDT"] == ("4.00000000", "0")
    assert (await desk.refused(REVERSE, entryId=made["fromEntry"]["id"]))[0] == "ENTRY_NOT_REVERSIBLE"


async def test_what_was_booked_by_hand_is_taken_back_once_and_what_orders_booked_is_not(desk: Desk) -> None:
    entry = (await desk.do(DEPOSIT, currency="USDT", amount="10"))["entry"]["id"]
    fee, paid = await desk.books.post(
        commission("USDT", D(1), fill_id="fill_1"), funding("USDT", D(-1), instrument="p")
    )

    assert (await desk.refused(REVERSE, entryId=entry))[0] == "INSUFFICIENT_FUNDS"
    for each in (fee, paid):
        assert await desk.refused(REVERSE, entryId=each.id) == (
            "ENTRY_NOT_REVERSIBLE",
            "Orders and positions booked this entry: close the position, or trade the other way.",
        )
    await desk.do(DEPOSIT, currency="USDT", amount="2")
    back = (await desk.do(REVERSE, entryId=entry, memo="typo"))["entry"]
    assert (back["reverses"], back["memo"], await desk.cash()) == (entry, "typo", {"USDT": ("0.00000000", "0")})
    assert (await desk.refused(REVERSE, entryId=entry))[0] == "ENTRY_REVERSED"


async def test_what_is_reversed_meanwhile_is_reversed_already_and_not_short_of_cash(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client reverses it: here once it was read, and before the account is locked."""
    entry = (await desk.do(DEPOSIT, currency="USDT", amount="10"))["entry"]["id"]
    first = list[str]()

    async def meanwhile(*given: Any, **more: Any) -> Any:
        if not first:
            first.append("")
            first[0] = (await desk.do(REVERSE, entryId=entry))["entry"]["id"]
        return await room_of(*given, **more)

    monkeypatch.setattr(module, "room_of", meanwhile)
    refused = await desk.refused(REVERSE, entryId=entry)

    assert refused == ("ENTRY_REVERSED", f"This entry was reversed by {first[0]}: once is all.")
    assert await desk.cash() == {"USDT": ("0.00000000", "0")}


async def test_money_that_moves_is_no_loss_of_the_day(desk: Desk) -> None:
    other = Books(desk.books.store, account="tacc_0")
    await other.open(day="2026-11-20", day_equity=D(5))

    async def day(books: Books) -> Any:
        return (await books.row()).day_equity

    entry = (await desk.do(DEPOSIT, currency="USDT", amount="100"))["entry"]["id"]
    held = (await desk.do(WITHDRAW, currency="USDT", amount="10", pending=True))["entry"]["id"]
    assert await day(desk.books) == 100
    await desk.do(POST, entryId=held)
    assert await day(desk.books) == 90
    given = {"fromAccountId": "tacc_1", "toAccountId": "tacc_0", "currency": "USDT", "amount": "30"}
    await desk.ask(TRANSFER, i=given)
    assert (await day(desk.books), await day(other)) == (60, 35)
    await desk.do(DEPOSIT, currency="USDT", amount="40")
    await desk.do(REVERSE, entryId=entry)
    assert await day(desk.books) == 0
    made = await desk.do(DEPOSIT, currency="EUR", amount="10")
    assert made["userErrors"] == []
    assert await day(desk.books) > 10

    # Nobody tells a rate: the day's beginning is unknown from now on, unless a greatest loss hangs on it.
    await desk.books.do(accounts.update().values(max_daily_loss=D(5)))
    assert (await desk.refused(DEPOSIT, currency="KWD", amount="1"))[0] == "NO_PRICE"
    await desk.books.do(accounts.update().values(max_daily_loss=None))
    assert (await desk.do(DEPOSIT, currency="KWD", amount="1"))["userErrors"] == []
    assert await day(desk.books) is None


async def test_a_margin_account_parts_with_its_available_margin_and_no_more(desk: Desk) -> None:
    margin = Books(desk.books.store, account="tacc_m", at=desk.books.at)
    await margin.open(margin="MARGIN", leverage=D(2), currency="USD")
    await desk.ask(DEPOSIT, i={"accountId": "tacc_m", "currency": "USD", "amount": "100"})
    order = order_row(margin, "ord_m", 1, Side.BUY, [("1", "30")], "crypto:BTC/USD")
    reserving = {"open": True, "reserved": D(30), "currency": "USD"}
    await margin.do(orders.insert().values(**asdict(order) | reserving))

    async def refused(amount: str, pending: bool = False) -> tuple[str, str] | None:
        given = {"accountId": "tacc_m", "currency": "USD", "amount": amount, "pending": pending}
        errors = (await desk.ask(WITHDRAW, i=given))["userErrors"]
        return (errors[0]["code"], errors[0]["message"]) if errors else None

    assert await refused("70.01") == (
        "INSUFFICIENT_FUNDS", "Worth 70.01 USD, it is more than the available margin of 70 USD.",
    )  # fmt: skip
    assert await refused("40", pending=True) is None
    assert (await refused("30.01") or ("",))[0] == "INSUFFICIENT_FUNDS"
    assert await refused("30") is None
    # What is held has its room already, as long as orders do not need it meanwhile.
    held = (await desk.ask(ENTRIES, a="tacc_m"))["nodes"][1]["id"]
    await margin.do(orders.update().values(reserved=D(31)))
    posting = {"accountId": "tacc_m", "entryId": held}
    (error,) = (await desk.ask(POST, i=posting))["userErrors"]
    assert (error["code"], error["message"]) == (
        "INSUFFICIENT_FUNDS", "Open orders and positions need 1 USD of what is held for it: nothing leaves until "
        "the account has that much more margin.",
    )  # fmt: skip
    await margin.do(orders.update().values(reserved=D(30)))
    assert (await desk.ask(POST, i=posting))["userErrors"] == []
    # No loan may be changed into another currency.
    given = {"accountId": "tacc_m", "from": "EUR", "amount": "1", "to": "USD"}
    assert (await desk.ask(CONVERT, i=given))["userErrors"][0]["code"] == "INSUFFICIENT_FUNDS"


async def test_money_leaves_an_account_by_what_it_holds_under_its_lock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    margin = Books(desk.books.store, account="tacc_m", at=desk.books.at)
    rooms: list[Any] = []
    meddle: list[str] = []
    await margin.open(margin="MARGIN", currency="USD")
    await margin.post(deposit("USD", D(10)))
    ask = room_of

    async def meddling(*given: Any, **named: Any) -> Any:
        rooms.append(await ask(*given, **named))
        if meddle:
            await margin.post(deposit(meddle.pop(), D(1)))
        return rooms[-1]

    monkeypatch.setattr(module, "room_of", meddling)

    async def leave(amount: str) -> Any:
        errors = await desk.ask(WITHDRAW, i={"accountId": "tacc_m", "currency": "USD", "amount": amount})
        return [each["message"] for each in errors["userErrors"]], len(rooms)

    # Busy, in what was priced: no second look is needed, and the newest figures count.
    meddle += ["USD"]
    assert await leave("11") == ([], 1)
    meddle += ["USD"]
    assert await leave("1.01") == (["Worth 1.01 USD, it is more than the available margin of 1 USD."], 2)
    # Something new: priced anew, and no more often than three times.
    meddle += ["EUR"]
    assert await leave("1") == ([], 4)
    meddle += ["CHF", "JPY", "GBP"]
    assert await leave("1") == (["The account buys faster than what it holds can be priced: try again."], 7)
    assert await leave("0.5") == ([], 8)


async def test_transfers_between_two_busy_accounts_all_succeed(database: str, tmp_path: Path) -> None:
    async with open_desk(database, tmp_path, margin="MARGIN", currency="USD") as desk:
        other = Books(desk.books.store, account="tacc_0", at=desk.books.at)
        await other.open(margin="MARGIN", currency="USD")
        for account in ("tacc_0", "tacc_1"):
            await desk.ask(DEPOSIT, i={"accountId": account, "currency": "USD", "amount": "100"})

        async def move(source: str, target: str) -> Any:
            given = {"fromAccountId": source, "toAccountId": target, "currency": "USD", "amount": "1"}
            return (await desk.ask(TRANSFER, i=given))["userErrors"]

        async def spend(account: str) -> Any:
            return (await desk.ask(WITHDRAW, i={"accountId": account, "currency": "USD", "amount": "1"}))["userErrors"]

        both = [("tacc_0", "tacc_1"), ("tacc_1", "tacc_0")]
        found = await asyncio.gather(*(move(*pair) for pair in both * 5), *(spend(account) for account, _ in both * 3))

        assert found == [[]] * 16
        assert [(await desk.cash(account))["USD"] for account, _ in both] == [("97.00", "0")] * 2


async def test_money_of_a_broker_and_of_others_is_not_moved(desk: Desk) -> None:
    live = Books(desk.books.store, account="tacc_live")
    await live.open(kind="LIVE")
    mine = Books(desk.books.store, account="tacc_mine")
    await mine.open(shared=False, owner="user_bob")
    given = {"currency": "USDT", "amount": "1"}
    stranger, reader = caller(tenant="org_b"), caller("user_eve", Scope.TRADING_READ)

    async def code(account: str, who: Any = None) -> str:
        payload = await desk.ask(DEPOSIT, who, i={"accountId": account, **given})
        return str(payload["userErrors"][0]["code"])

    assert [await code("tacc_live"), await code("tacc_mine"), await code("tacc_1", stranger)] == [
        "LIVE_ACCOUNT", "NOT_FOUND", "NOT_FOUND",
    ]  # fmt: skip
    await desk.do(DEPOSIT, **given)
    for document, who, account in (
        (ENTRIES, stranger, "tacc_1"), (BALANCES, stranger, "tacc_1"), (ENTRIES, None, "tacc_x"),
        (BALANCES, None, "tacc_mine"),
    ):  # fmt: skip
        (error,) = (await desk.body(document, who, a=account))["errors"]
        assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", "accountId")
    assert len((await desk.ask(ENTRIES, reader, a="tacc_1"))["nodes"]) == 1
    assert len(await desk.ask(BALANCES, reader, a="tacc_1")) == 2


async def test_entries_come_in_pages_and_balances_of_any_instant(desk: Desk) -> None:
    for amount in ("1", "2", "3"):
        await desk.do(DEPOSIT, currency="USDT", amount=amount)
        desk.house.clock.turn(60)
    await desk.do(WITHDRAW, currency="USDT", amount="1")
    start = desk.books.at

    page = await desk.ask(ENTRIES, a="tacc_1", first=2)
    rest = await desk.ask(ENTRIES, a="tacc_1", first=2, after=page["pageInfo"]["endCursor"])
    only = await desk.ask(ENTRIES, a="tacc_1", kind="DEPOSIT", start=(start + timedelta(seconds=60)).isoformat())

    assert [[row["number"] for row in each["nodes"]] for each in (page, rest, only)] == [[4, 3], [2, 1], [3, 2]]
    assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    at = (start + timedelta(seconds=60)).isoformat()
    assert await desk.ask(BALANCES, a="tacc_1", at=at) == [
        {"ledger": "CASH", "asset": "USDT", "posted": "3.00000000", "held": "0", "free": "3.00000000"},
        {"ledger": "EXTERNAL", "asset": "USDT", "posted": "-3.00000000", "held": "0", "free": "-3.00000000"},
    ]
