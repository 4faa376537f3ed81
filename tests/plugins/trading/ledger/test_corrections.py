"""Corrections of money, and what is not taken back by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.identity import Role
from plugins.trading.ledger.drafts import interest
from tests.plugins.trading.ledger.asking import ADJUST, REVERSE, Desk, open_desk
from tests.plugins.trading.ledger.books import D
from tests.plugins.trading.ledger.test_money import trail


@pytest.fixture
async def desk(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(sqlite_url, tmp_path, day="2026-11-20", day_equity=D(0)) as opened:
        yield opened


async def test_corrections_are_made_by_those_who_manage_the_organisation(desk: Desk) -> None:
    admin = replace(desk.principal, role=Role.ADMIN)
    asked = {"currency": "USDT", "amount": "12.5", "reason": "a fee too much", "idempotencyKey": "k"}
    assert await desk.refused(ADJUST, **asked) == (
        "NOT_ALLOWED", "A correction is made by an owner or admin of the organisation, signed in.",
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
