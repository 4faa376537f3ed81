"""Splits that go beyond what can be counted are not recorded, and where they are, an error says which."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.store import new_id
from plugins.portfolio.desk import PortfolioDesk
from plugins.portfolio.ledger import EXACT
from plugins.portfolio.money import money, share
from plugins.portfolio.splits import MOST_TOGETHER, outgrown
from plugins.portfolio.store import TransactionRow, TransactionStore
from tests.plugins.portfolio.conftest import Room
from tests.plugins.portfolio.test_csv import IMPORT
from tests.plugins.portfolio.test_ledger import row
from tests.plugins.portfolio.test_portfolios import RECORD, made

BTC = "crypto:BTC/USD"
HUGE = "999999999999999999.12"
D = Decimal
READS = (
    "query($id: ID!) { portfolio(id: $id) { holdings { value positions { quantity weight } } } }",
    "query($id: ID!) { portfolio(id: $id) { pnl { total lines { quantity lots { nodes { quantity } } } } } }",
    "query($id: ID!) { portfolio(id: $id) { performance { warnings } } }",
    "query($id: ID!) { portfolio(id: $id) { contributions { total } } }",
    'query($id: ID!) { portfolio(id: $id) { pnl(at: "2024-01-01T00:00:00Z") { total lines { price } } } }',
)


def split(id: str, day: int, ratio: str, instrument: str = BTC) -> TransactionRow:
    return replace(row(day, "SPLIT", instrument=instrument, ratio=D(ratio)), id=id)


def test_splits_that_go_beyond_together_are_named():
    held = [split("held", 5, "1e9")]

    assert outgrown(held, [split("a", 6, "1000"), split("b", 7, "1000")]) == {"b"}
    assert outgrown(held, [split("a", 6, "1e-18"), split("b", 7, "1e-3"), split("c", 8, "0.1")]) == {"c"}
    assert outgrown(held, [split("a", 6, "1e12", "equity:AAPL"), row(7, "BUY", instrument=BTC)]) == set()
    # The one that is held would be too much behind an earlier one.
    assert outgrown(held, [split("a", 1, "10000"), split("b", 9, "2")]) == {"a", "b"}


@given(st.lists(st.tuples(st.integers(0, 9), st.decimals(D("1e-18"), D("1e18"), places=18).filter(bool)), max_size=12))
def test_what_is_taken_never_goes_beyond(told: list[tuple[int, Decimal]]):
    fresh = [replace(split(str(n), day, str(ratio)), sequence=n) for n, (day, ratio) in enumerate(told)]

    taken = [each for each in fresh if each.id not in outgrown([], fresh)]

    product = D(1)
    for each in sorted(taken, key=lambda each: (each.at, each.sequence)):
        product = EXACT.multiply(product, each.ratio or D(1))
        assert 1 / MOST_TOGETHER <= product <= MOST_TOGETHER


def bought(quantity: str) -> dict[str, Any]:
    return {"kind": "BUY", "at": "2025-01-02T00:00:00Z", "symbol": "BTC-USD", "quantity": quantity, "price": "1"}


async def test_a_split_beyond_is_refused_by_its_ratio(room: Room):
    id = (await made(room))["id"]
    await room.do(RECORD, portfolioId=id, **bought("999999999999999999"))

    payload = await room.do(RECORD, portfolioId=id, kind="SPLIT", at="2025-01-03", symbol="BTC-USD", ratio=HUGE)

    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("NUMBER_INVALID", ["input", "ratio"])
    assert error["message"] == (
        "The splits of crypto:BTC/USD would make more than 10^12 units of one, or less than 10^-12, counted from the "
        "first to this one or to a later one."
    )  # fmt: skip
    assert payload["transaction"] is None


async def test_rows_of_a_file_are_refused_where_their_splits_go_beyond(room: Room):
    id = (await made(room))["id"]
    await room.do(RECORD, portfolioId=id, kind="SPLIT", at="2025-01-03", symbol="BTC-USD", ratio="1000000000")
    text = (
        "at,type,symbol,quantity,price,Ratio\n"
        "2025-01-02,BUY,BTC-USD,999999999999999999,1,\n"
        "2025-01-05,SPLIT,BTC-USD,,,1000\n"
        "2025-01-06,SPLIT,BTC-USD,,,2\n"
    )  # fmt: skip

    none = await room.do(IMPORT, portfolioId=id, csv=text)
    part = await room.do(IMPORT, portfolioId=id, csv=text, partial=True)

    assert [(e["line"], e["column"], e["message"].split(" would")[0]) for e in none["errors"]] == [
        (4, "Ratio", "The splits of crypto:BTC/USD"),
    ]  # fmt: skip
    assert (none["imported"], part["imported"], part["errorCount"]) == (0, 2, 1)
    room.tapes.quotes[BTC] = "2"
    holdings = (await room.see(READS[0], id=id))["holdings"]
    assert holdings["positions"][0]["quantity"] == "999999999999999999" + "0" * 12


@pytest.mark.parametrize(
    "ratios", [[HUGE] * 6, ["0." + "0" * 17 + "1"] * 20, [HUGE] * 5_000], ids=("up", "down", "far")
)
async def test_what_is_stored_already_is_an_error_that_names_the_split(room: Room, ratios: list[str]):
    id = str((await made(room))["id"])
    rows = [row(-400, "BUY", instrument=BTC, quantity=D(HUGE), price=D(HUGE))]
    rows += [split("", n // 24 - 300, ratio) for n, ratio in enumerate(ratios)]
    room.tapes.quotes[BTC] = "2"
    room.tapes.closes[BTC] = {"2023-12-31": "2"}
    await stored(room, id, rows)

    errors = [await room.error(read, id=id) for read in READS]

    assert {code for code, _ in errors} == {"NOT_COMPUTABLE"}
    assert all(
        "crypto:BTC/USD: its splits make more, or less, of a unit than can be counted: delete the SPLIT of 202" in told
        for _, told in errors
    )


async def stored(room: Room, portfolio: str, rows: list[TransactionRow]) -> None:
    """As they may stand in the database since before there was a bound."""
    context = room.context()
    assert await room.service(PortfolioDesk).find(context, portfolio)
    named = [
        replace(each, tenant_id=context.tenant, portfolio_id=portfolio, id=new_id("ptx"), sequence=n)
        for n, each in enumerate(rows, 1)
    ]
    async with room.company.house.host.store.write() as tx:
        await TransactionStore().add(tx, context.tenant, named)


def test_amounts_of_any_size_are_rounded_and_a_share_of_next_to_nothing_is_none():
    assert money(D("1e110"), "BTC") == D("1e110")
    assert (share(D("1e90"), D("1e-60")), share(D(1), D("1e-20"))) == (None, D("1e20"))
