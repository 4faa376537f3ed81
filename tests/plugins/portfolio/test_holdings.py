"""What portfolios hold and are worth, now and on days of the past, as other plugins see it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.ports import Flows, Holdings, Portfolios
from plugins.portfolio.desk import PortfolioDesk, Wish
from plugins.portfolio.recording import TransactionDesk
from plugins.portfolio.transactions import Draft, TransactionKind
from plugins.portfolio.wishes import Opening, Weighted
from schema.errors import BadInput
from tests.plugins.portfolio.conftest import Room

D = Decimal
K = TransactionKind


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wish(**given: Any) -> Wish:
    usual: dict[str, Any] = {
        "name": "Core", "currency": "EUR", "benchmark": None, "method": "AVERAGE_COST", "tracks_cash": True,
        "weights": None, "cash_weight": D(0), "notional": None, "holdings": (),
    }  # fmt: skip
    return Wish(**usual | given)


async def portfolio_of(room: Room, *drafts: Draft, **given: Any) -> str:
    context = room.context()
    made = await room.service(PortfolioDesk).create(context, wish(**given), None)
    for draft in drafts:
        await room.service(TransactionDesk).record(context, made.id, draft, None, None)
    return str(made.id)


async def holdings(room: Room, portfolio: str, when: str | None = None) -> Holdings:
    found = await room.service(Portfolios).holdings(room.context(), portfolio, at(when) if when else None)
    assert isinstance(found, Holdings)
    return found


def lines(found: Holdings) -> list[tuple[str, str, str | None, str | None]]:
    return [(str(p.instrument), str(p.quantity), _text(p.price), _text(p.value)) for p in found.positions]


TRADES = (
    Draft(kind=K.DEPOSIT, at=at("2026-11-02"), amount=D(1000), currency="USD"),
    Draft(kind=K.BUY, at=at("2026-11-03T15:00:00"), symbol="AAPL", quantity=D(4), price=D(100), fee=D(1),
          currency="USD"),
    Draft(kind=K.SPLIT, at=at("2026-11-10"), symbol="AAPL", ratio=D(2)),
    Draft(kind=K.SELL, at=at("2026-11-12T15:00:00"), symbol="AAPL", quantity=D(3), price=D(60), currency="USD"),
    Draft(kind=K.SELL, at=at("2026-11-13"), symbol="BTC-USD", quantity=D("0.5"), price=D(200)),
    Draft(kind=K.DEPOSIT, at=at("2026-11-13"), amount=D(7)),
)  # fmt: skip


async def test_transactions_make_units_and_cash_which_are_worth_what_quotes_say(room: Room):
    portfolio = await portfolio_of(room, *TRADES)
    room.tapes.quotes |= {"equity:AAPL": "62", "crypto:BTC/USD": "210", "fx:EUR/USD": "1.25"}

    found = await holdings(room, portfolio)

    assert lines(found) == [("crypto:BTC/USD", "-0.5", "210", "-84.00"), ("equity:AAPL", "5", "62", "248.0")]
    # 1000 - 401 + 180 + 100 dollars.
    assert dict(found.cash) == {"EUR": D(7), "USD": D(879)}
    assert found.value == D("-84") + D("248") + D("7") + D("703.2")
    assert {str(each): ratio for each, ratio in found.splits.items()} == {"equity:AAPL": D(2)}
    came = Flows(cash={"USD": D(1000), "EUR": D(7)}, units={}, rates={"USD": D("0.8"), "EUR": D(1)})
    assert found.flows == came
    assert (found.name, found.currency, found.at) == ("Core", "EUR", room.company.house.clock.now())


async def test_a_day_of_the_past_is_valued_by_its_closes_in_the_units_and_at_the_rate_of_then(room: Room):
    portfolio = await portfolio_of(room, *TRADES)
    # Adjusted for the split: what was 104 a share then is 52 now.
    room.tapes.closes["equity:AAPL"] = {"2026-11-03": "50", "2026-11-04": "52", "2026-11-10": "55"}
    room.tapes.rates["EUR/USD"] = {"2026-11-03": "1.25", "2026-11-04": "1.6"}

    before = await holdings(room, portfolio, "2026-11-04T23:00:00")
    behind = await holdings(room, portfolio, "2026-11-10T23:00:00")
    early = await holdings(room, portfolio, "2026-11-01")

    assert lines(before) == [("equity:AAPL", "4", "104", "260.000")]
    assert (dict(before.cash), before.value) == ({"USD": D(599)}, D("260") + D("374.375"))
    assert (before.splits, len(behind.splits)) == ({}, 1)
    assert (len(before.sources), early.sources) == (1, frozenset())
    assert lines(behind) == [("equity:AAPL", "8", "55", "275.000")]
    assert (lines(early), dict(early.cash), early.value) == ([], {}, D(0))


async def test_on_the_day_of_a_split_its_instant_says_what_a_unit_is(room: Room):
    portfolio = await portfolio_of(
        room,
        Draft(kind=K.BUY, at=at("2026-11-03T15:00:00"), symbol="AAPL", quantity=D(4), price=D(100), currency="USD"),
        Draft(kind=K.SPLIT, at=at("2026-11-10T14:30:00"), symbol="AAPL", ratio=D(4)),
        currency="USD",
    )  # fmt: skip
    room.tapes.closes["equity:AAPL"] = {"2026-11-09": "30"}

    before = await holdings(room, portfolio, "2026-11-10T09:00:00")
    behind = await holdings(room, portfolio, "2026-11-10T14:30:00")

    assert lines(before) == [("equity:AAPL", "4", "120", "480")]
    assert lines(behind) == [("equity:AAPL", "16", "30", "480")]


async def test_an_old_close_is_marked_and_a_price_that_nobody_has_leaves_no_value(room: Room):
    portfolio = await portfolio_of(room, TRADES[1], TRADES[4], currency="USD")
    room.tapes.closes["equity:AAPL"] = {"2026-11-03": "50"}

    found = await holdings(room, portfolio, "2026-11-14")

    (bitcoin, apple) = found.positions
    assert (bitcoin.price, bitcoin.value, apple.price, apple.stale) == (None, None, D(50), True)
    assert found.value is None


async def test_weights_hold_always_and_leave_the_rest_as_cash(room: Room):
    weights = [Weighted(symbol="BTC-USD", weight=D("0.5")), Weighted(symbol="ETH-USD", weight=D("0.25"))]
    portfolio = await portfolio_of(room, weights=weights, cash_weight=D("0.25"), notional=D(1000), currency="USD")
    room.tapes.quotes |= {"crypto:BTC/USD": "200", "crypto:ETH/USD": "10"}

    found = await holdings(room, portfolio)

    assert lines(found) == [("crypto:BTC/USD", "2.5", "200", "500.0"), ("crypto:ETH/USD", "25.00", "10", "250.00")]
    assert (dict(found.cash), found.value, found.flows) == ({"USD": D(250)}, D(1000), None)


async def test_a_portfolio_begins_with_holdings_however_long_it_takes_to_make(room: Room):
    context = room.context()
    room.company.house.clock.turn(2)
    opening = [Opening(symbol="BTC-USD", quantity=D(2), price=D(90), currency=None)]

    made = await room.service(PortfolioDesk).create(context, wish(holdings=opening, currency="USD"), None)

    room.tapes.quotes["crypto:BTC/USD"] = "100"
    assert (await holdings(room, made.id)).value == D(200)


async def test_without_cash_only_units_count(room: Room):
    portfolio = await portfolio_of(room, TRADES[1], tracks_cash=False, currency="USD")
    room.tapes.quotes["equity:AAPL"] = "62"

    found = await holdings(room, portfolio)

    assert (dict(found.cash), found.value) == ({}, D(248))


async def test_another_organisation_has_no_such_portfolio(room: Room):
    from dataclasses import replace

    from gateway.core.identity import LOCAL

    portfolio = await portfolio_of(room, TRADES[0])
    stranger = room.company.house.context(replace(LOCAL, tenant="org_other"))

    assert await room.service(Portfolios).holdings(stranger, portfolio) is None
    assert await room.service(Portfolios).holdings(room.context(), "no such") is None
    assert await room.service(Portfolios).holdings(room.context(), "x" * 100) is None


async def test_the_future_has_no_value(room: Room):
    portfolio = await portfolio_of(room, TRADES[0])

    with pytest.raises(BadInput, match="at: must be 1970 or later, and not in the future"):
        await holdings(room, portfolio, "2030-01-01")


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
