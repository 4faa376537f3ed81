"""Corrections of money, and what is not taken back by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.identity import Role
from plugins.trading.accounts.store import MemberStore
from plugins.trading.ledger.drafts import commission, deposit, interest
from plugins.trading.tables import accounts
from tests.plugins.trading.ledger.asking import ADJUST, CONVERT, REVERSE, Desk, caller, open_desk
from tests.plugins.trading.ledger.books import TENANT, D
from tests.plugins.trading.ledger.test_money import trail


@pytest.fixture
async def desk(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(sqlite_url, tmp_path, day="2026-11-20", day_equity=D(0)) as opened:
        yield opened


async def test_who_may_only_look_is_told_so_before_anything_else(desk: Desk) -> None:
    await desk.books.do(accounts.update().values(shared=False))
    await desk.books.post(deposit("USDT", D(10)))
    (booked,) = await desk.books.post(commission("USDT", D("0.1"), order_id="ord_1"))
    async with desk.house.store.write() as tx:
        await MemberStore().set(tx, TENANT, desk.books.account, "user_vic", "VIEWER")
    desk.principal = caller("user_vic")

    told = [
        await desk.refused(CONVERT, amount="1", to="CHF", **{"from": "USDT"}),
        await desk.refused(REVERSE, entryId=booked.id),
    ]

    assert told == [("NOT_ALLOWED", "You may look at this account, and not trade with it.")] * 2


async def test_corrections_are_made_by_those_who_manage_the_organisation(desk: Desk) -> None:
    admin = replace(desk.principal, role=Role.ADMIN)
    asked = {"currency": "USDT", "amount": "12.5", "reason": "a fee too much", "idempotencyKey": "k"}
    assert await desk.refused(ADJUST, **asked) == (
        "NOT_ALLOWED", "A correction is made, and taken back, by an owner or admin of the organisation, signed in.",
    )  # fmt: skip
    desk.principal = admin

    first = await desk.do(ADJUST, **asked)
    again = await desk.do(ADJUST, **asked | {"amount": "12.50"})
    out = await desk.do(ADJUST, currency="USDT", amount="-2.5", reason="half of it")

    assert again == first
    assert (first["entry"]["kind"], first["entry"]["memo"]) == ("ADJUSTMENT", "a fee too much")
    assert out["entry"]["lines"] == [
        {"ledger": "CASH", "asset": "USDT", "amount": "-2.50000000"},
        {"ledger": "ADJUSTMENT", "asset": "USDT", "amount": "2.50000000"},
    ]
    assert await desk.cash() == {"USDT": ("10.00000000", "0")}
    # It is neither profit nor loss of the day.
    assert (await desk.books.row()).day_equity == D(10)
    assert await desk.refused(ADJUST, currency="USDT", amount="-11", reason="more") == (
        "INSUFFICIENT_FUNDS", "11 USDT is more than the 10 USDT that are free.",
    )  # fmt: skip
    assert await desk.refused(ADJUST, currency="USDT", amount="0", reason="more") == (
        "AMOUNT_INVALID", "amount must not be 0, and at most 1,000,000,000,000 either way.",
    )  # fmt: skip
    assert await desk.refused(ADJUST, currency="USDT", amount="1", reason=" ") == (
        "MEMO_INVALID", "The reason is empty: give 1 to 300 characters.",
    )  # fmt: skip
    assert await trail(desk) == ["ledgerentry.booked"] * 2


async def test_interest_is_not_taken_back_by_hand(desk: Desk) -> None:
    (entry,) = await desk.books.post(interest("USDT", D(3)))

    code, _ = await desk.refused(REVERSE, entryId=entry.id)

    assert code == "ENTRY_NOT_REVERSIBLE"


async def test_a_correction_is_taken_back_by_who_may_make_one(desk: Desk) -> None:
    trader = desk.principal
    await desk.books.post(deposit("USDT", D(100)))
    desk.principal = replace(trader, role=Role.ADMIN)
    made = await desk.do(ADJUST, currency="USDT", amount="-60", reason="an erroneous credit")
    desk.principal = trader

    told = await desk.refused(REVERSE, entryId=made["entry"]["id"])

    assert told == (
        "NOT_ALLOWED", "A correction is made, and taken back, by an owner or admin of the organisation, signed in.",
    )  # fmt: skip
    assert await desk.cash() == {"USDT": ("40.00000000", "0")}
    desk.principal = replace(trader, role=Role.OWNER)
    await desk.do(REVERSE, entryId=made["entry"]["id"])
    assert await desk.cash() == {"USDT": ("100.00000000", "0")}
