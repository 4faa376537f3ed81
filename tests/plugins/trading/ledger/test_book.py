from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from plugins.trading.ledger.drafts import (
    Draft,
    Unbalanced,
    commission,
    conversion,
    deposit,
    interest,
    spot_fill,
    transfer,
    withdrawal,
)
from plugins.trading.ledger.proof.proving import verify
from plugins.trading.ledger.store import Filter, LedgerStore
from plugins.trading.store import TradingStore
from plugins.trading.tables import entries, lines
from plugins.trading.writing import writing, writings
from schema.words.orders import EntryKind
from schema.words.problems import Refused
from tests.plugins.trading.ledger.books import BY, TENANT, Books, D

BTC = "crypto:BTC/USDT"


def bought(units: str, price: str) -> tuple[Draft, Draft]:
    return (
        spot_fill(instrument=BTC, currency="USDT", units=D(units), price=D(price), order_id="ord_1", fill_id="fill_1"),
        commission("USDT", D("0.04"), order_id="ord_1", fill_id="fill_1"),
    )


async def numbers(books: Books) -> list[int]:
    async with books.store.read() as tx:
        return await tx.values(select(entries.c.number).order_by(entries.c.number))


async def test_entries_are_numbered_without_a_gap_and_balances_follow_them(books_on_both: Books) -> None:
    books = books_on_both
    await books.post(deposit("USDT", D(1000)))
    posted = await books.post(*bought("2", "100"))

    assert [(row.number, row.kind, row.fill_id) for row in posted] == [
        (2, "TRADE_PNL", "fill_1"), (3, "COMMISSION", "fill_1"),
    ]  # fmt: skip
    assert await books.balances() == {
        ("cash", "USDT"): D("799.96"), ("cost", "USDT"): D(200), ("external", "USDT"): D(-1000),
        ("fees", "USDT"): D("0.04"), ("units", BTC): D(2), ("market", BTC): D(-2),
    }  # fmt: skip
    row = await books.row()
    assert (row.entries, row.version) == (3, 3)


async def test_several_posts_under_one_lock_make_one_version(books: Books) -> None:
    async with books.writing() as w:
        await books.book.post(w, [deposit("USDT", D(10))], at=books.at, made_by=BY)
        await books.book.post(w, [withdrawal("USDT", D(10))], at=books.at, made_by=BY)
        w.set(halted=True)

    row = await books.row()
    assert (row.entries, row.version, row.halted) == (2, 2, True)
    assert await books.balances() == {}


async def test_nothing_is_stored_of_a_block_that_only_looks(books: Books) -> None:
    async with books.writing():
        pass

    assert (await books.row()).version == 1


async def test_an_unknown_or_deleted_account_is_not_found(books: Books) -> None:
    for tenant, account in (("org_b", "tacc_1"), (TENANT, "tacc_2")):
        with pytest.raises(Refused) as refused:
            async with writing(books.host, tenant, account):
                pass
        assert refused.value.code == "NOT_FOUND"

    async with books.writing() as w:
        w.set(deleted_at=books.at)
    with pytest.raises(Refused):
        await books.post(deposit("USDT", D(1)))


async def test_a_cash_account_spends_what_it_has_and_no_more(books: Books) -> None:
    await books.post(deposit("USDT", D(100)))

    with pytest.raises(Refused) as refused:
        await books.post(deposit("EUR", D(5)), withdrawal("USDT", D("100.5")))

    assert (refused.value.code, refused.value.message) == (
        "INSUFFICIENT_FUNDS", "100.5 USDT is more than the 100 USDT that are there.",
    )  # fmt: skip
    assert (await numbers(books), await books.cash()) == ([1], {"USDT": ("100.00000000", "0")})
    await books.post(withdrawal("USDT", D(100)))


async def test_what_comes_in_with_the_same_batch_can_be_spent(books: Books) -> None:
    await books.post(withdrawal("USDT", D(5)), deposit("USDT", D(5)))

    assert await numbers(books) == [1, 2]


async def test_a_margin_account_may_owe_and_what_a_broker_booked_is_a_fact(books: Books) -> None:
    for account, given in (("tacc_m", {"margin": "MARGIN"}), ("tacc_live", {"kind": "LIVE"})):
        other = Books(books.store, account=account)
        await other.open(**given)
        await other.post(interest("USD", D(-3)))

        assert await other.cash() == {"USD": ("-3.00", "0")}


async def test_whoever_writes_at_the_same_time_waits_and_nothing_is_doubled(books_on_both: Books) -> None:
    books, other = books_on_both, Books(books_on_both.store, account="tacc_0")
    await other.open()
    await books.post(deposit("USDT", D(10)))
    out, into = transfer("USDT", D(1))

    async def move(source: Books, target: Books) -> None:
        async with writings(books.host, TENANT, (source.account, target.account)) as locked:
            await books.book.post(locked[source.account], [out], at=books.at, made_by=BY)
            await books.book.post(locked[target.account], [into], at=books.at, made_by=BY)

    await asyncio.gather(
        *(books.post(deposit("USDT", D(1)), key="once") for _ in range(4)),
        *(books.post(withdrawal("USDT", D(1))) for _ in range(4)),
        *(move(books, other) for _ in range(3)),
        return_exceptions=False,
    )
    await asyncio.gather(*(move(*sides) for sides in ((books, other), (other, books)) * 3))

    assert [D((await each.cash())["USDT"][0]) for each in (books, other)] == [4, 3]
    assert ((await books.row()).entries, (await other.row()).entries) == (15, 9)
    async with books.store.read() as tx:
        assert await verify(tx) == []


async def test_the_same_key_and_body_is_the_same_entry_again(books_on_both: Books) -> None:
    books = books_on_both
    first = await books.post(deposit("USDT", D(10)), deposit("EUR", D(3)), key="k")
    again = await books.post(deposit("USDT", D("10.0")), deposit("EUR", D(3)), key="k")

    assert [row.id for row in again] == [row.id for row in first]
    assert await books.cash() == {"USDT": ("10.00000000", "0"), "EUR": ("3.00", "0")}
    for other in (deposit("USDT", D(11)), withdrawal("USDT", D(10))):
        with pytest.raises(Refused) as refused:
            await books.post(other, key="k")
        assert refused.value.code == "IDEMPOTENCY_MISMATCH"
    with pytest.raises(Refused):
        await books.pend(deposit("USDT", D(10)), key="k")
    assert await numbers(books) == [1, 2]


async def test_a_digest_stands_for_what_was_asked(books: Books) -> None:
    await books.post(deposit("USDT", D(10)))
    first = await books.post(conversion("USDT", D(5), "EUR", D(4)), key="k", digest="5 USDT to EUR")
    again = await books.post(conversion("USDT", D(5), "EUR", D("4.1")), key="k", digest="5 USDT to EUR")

    assert [row.id for row in again] == [row.id for row in first]
    assert await books.cash() == {"USDT": ("5.00000000", "0"), "EUR": ("4.00", "0")}


async def test_a_pending_entry_holds_cash_and_moves_nothing_until_it_is_posted(books_on_both: Books) -> None:
    books = books_on_both
    await books.post(deposit("USDT", D(100)))
    pending = await books.pend(withdrawal("USDT", D(60)))

    assert await books.cash() == {"USDT": ("100.00000000", "60.00000000")}
    with pytest.raises(Refused) as refused:
        await books.post(withdrawal("USDT", D(41)))
    assert refused.value.message == (
        "41 USDT is more than the 40 USDT that are there (60 more is held by pending entries)."
    )

    posted = await books.settle("post_pending", pending.id)

    assert (posted.resolves, posted.voids, posted.kind) == (pending.id, False, "WITHDRAWAL")
    assert [D(each) for each in (await books.cash())["USDT"]] == [40, 0]
    for deed in ("post_pending", "void"):
        with pytest.raises(Refused, match=f"was posted by {posted.id}") as refused:
            await books.settle(deed, pending.id)
        assert refused.value.code == "ENTRY_RESOLVED"
    assert await numbers(books) == [1, 2, 3]


async def test_a_voided_entry_lets_its_cash_go(books: Books) -> None:
    await books.post(deposit("USDT", D(100)))
    pending = await books.pend(withdrawal("USDT", D(60)))
    voided = await books.settle("void", pending.id, key="v")

    async with books.store.read() as tx:
        assert await LedgerStore().lines(tx, TENANT, books.account, (voided.id,)) == []
    assert voided.voids
    assert D((await books.cash())["USDT"][1]) == 0
    assert (await books.settle("void", pending.id, key="v")).id == voided.id
    with pytest.raises(Refused, match=f"was voided by {voided.id}"):
        await books.settle("post_pending", pending.id)


async def test_an_entry_is_reversed_once_and_its_reversal_never(books: Books) -> None:
    (entry,) = await books.post(deposit("USDT", D(100)))
    pending = await books.pend(withdrawal("USDT", D(1)))
    await books.settle("void", pending.id)

    back = await books.settle("reverse", entry.id, memo="typo", key="r")

    assert (back.reverses, back.kind, back.memo) == (entry.id, "DEPOSIT", "typo")
    assert await books.balances() == {}
    assert (await books.settle("reverse", entry.id, memo="typo", key="r")).id == back.id
    for wanted, code in (
        (entry.id, "ENTRY_REVERSED"), (back.id, "ENTRY_NOT_REVERSIBLE"), (pending.id, "ENTRY_PENDING"),
        ("entry_x", "NOT_FOUND"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            await books.settle("reverse", wanted)
        assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        await books.settle("void", entry.id)
    assert refused.value.code == "ENTRY_NOT_PENDING"


async def test_of_a_pending_entry_the_one_that_moved_something_is_told_to_be_reversed(books: Books) -> None:
    await books.post(deposit("USDT", D(100)))
    waiting, voided, posted = [await books.pend(withdrawal("USDT", D(1))) for _ in range(3)]
    void = await books.settle("void", voided.id)
    post = await books.settle("post_pending", posted.id)

    async def told() -> list[str]:
        found = []
        for each in (waiting, voided, posted):
            with pytest.raises(Refused) as refused:
                await books.settle("reverse", each.id)
            assert (refused.value.code, refused.value.field) == ("ENTRY_PENDING", ("entryId",))
            found.append(refused.value.message)
        return found

    before = await told()
    back = await books.settle("reverse", post.id)

    first = [
        "This entry is pending and moved nothing: void it.",
        f"This entry moved nothing, and was voided by {void.id}: there is nothing to take back.",
    ]
    named = f"This entry moved nothing itself: {post.id}, by which it was posted, is "
    assert before == [*first, f"{named}what can be reversed."]
    assert await told() == [*first, f"{named}reversed by {back.id} already."]


async def test_a_reversal_that_would_overdraw_is_refused(books: Books) -> None:
    (entry,) = await books.post(deposit("USDT", D(100)))
    await books.post(withdrawal("USDT", D(1)))

    with pytest.raises(Refused) as refused:
        await books.settle("reverse", entry.id)

    assert refused.value.code == "INSUFFICIENT_FUNDS"


async def test_balances_of_any_instant_are_summed_from_what_was_booked_until_then(books_on_both: Books) -> None:
    books, start = books_on_both, books_on_both.at
    await books.post(deposit("USDT", D(100)))
    books.later()
    pending = await books.pend(withdrawal("USDT", D(60)))
    books.later()
    await books.settle("post_pending", pending.id)

    def at(minutes: float) -> object:
        return start + timedelta(minutes=minutes)

    async def cash(minutes: float) -> tuple[object, ...]:
        found = (await books.cash(at(minutes))).get("USDT", ("0", "0"))  # type: ignore[arg-type]
        return D(found[0]), D(found[1])

    assert [await cash(each) for each in (-1, 0, 1, 1.9, 2, 9)] == [
        (0, 0), (100, 0), (100, 60), (100, 60), (40, 0), (40, 0),
    ]  # fmt: skip


async def test_a_draft_that_does_not_balance_never_reaches_the_database(books: Books) -> None:
    good = deposit("USDT", D(1))
    bad = type(good)(kind=EntryKind.DEPOSIT, lines=good.lines[:1])

    with pytest.raises(Unbalanced):
        await books.post(good, bad)

    assert await numbers(books) == []


async def test_no_entry_and_no_line_is_ever_changed_but_an_end_deletes_them(books_on_both: Books) -> None:
    books = books_on_both
    await books.post(deposit("USDT", D(100)))

    for statement in (
        update(entries).values(memo="other"), update(lines).values(amount=D(7)),
        text("UPDATE trading_lines SET number = number"),
    ):  # fmt: skip
        with pytest.raises(DBAPIError, match="is never changed: book another entry"):
            await books.do(statement)

    async with books.store.write() as tx:
        await TradingStore().erase(tx, TENANT)
        assert await tx.value(select(func.count()).select_from(lines)) == 0


async def test_a_second_resolution_or_number_is_refused_by_the_database_as_well(books_on_both: Books) -> None:
    books = books_on_both
    (entry,) = await books.post(deposit("USDT", D(100)))
    values = {name: getattr(entry, name) for name in entry.__slots__}

    await books.do(entries.insert().values(**values | {"id": "entry_2", "number": 2, "reverses": entry.id}))
    for changed in ({"number": 2}, {"reverses": entry.id}):
        with pytest.raises(DBAPIError, match=r"(?i)unique"):
            await books.do(entries.insert().values(**values | {"id": "entry_3", "number": 3} | changed))


async def test_pages_are_filtered_by_kind_and_time(books: Books) -> None:
    await books.post(deposit("USDT", D(100)), withdrawal("USDT", D(1)))
    start = books.later()
    await books.post(deposit("USDT", D(2)))

    async def found(wanted: Filter, before: int | None = None, most: int = 9) -> list[int]:
        async with books.store.read() as tx:
            rows = await LedgerStore().page(tx, TENANT, books.account, wanted, before, most)
            return [row.number for row in rows]

    assert await found(Filter()) == [3, 2, 1]
    assert await found(Filter(), before=3, most=1) == [2]
    assert await found(Filter(kind=EntryKind.DEPOSIT)) == [3, 1]
    assert (await found(Filter(start=start)), await found(Filter(end=start))) == ([3], [2, 1])


async def test_accounts_of_others_are_not_touched(books: Books) -> None:
    other = Books(books.store, account="tacc_2")
    await other.open(tenant_id="org_b")
    await books.post(deposit("USDT", D(1)))
    async with writing(books.host, "org_b", "tacc_2") as w:
        await books.book.post(w, [deposit("USDT", D(5))], at=books.at, made_by=BY)

    async with books.store.write() as tx:
        await TradingStore().erase(tx, "org_b")

    assert await books.cash() == {"USDT": ("1.00000000", "0")}
