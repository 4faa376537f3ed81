"""Consensus through GraphQL over rates and index levels: like with like, everybody else with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from schema.errors import UnknownInstrument
from schema.words.quotes import QUOTES, PriceType, Quote
from schema.words.rates import FX_RATES, FxRate
from tests.plugins.speakers import NOON, Room, Speaker, speaker

TODAY, YESTERDAY = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC)
QUERY = """query ($s: String!, $p: [String!], $q: Int) { consensus(symbol: $s, providers: $p, quorum: $q) {
  median used asked currency sources { provider quote { price priceType provenance { provider } } excluded { code
  message } } } }"""


def quoting(name: str, price: str, kind: PriceType, at: datetime, priority: int = 10) -> type[Speaker]:
    def say(ask: Any) -> list[Quote]:
        return [
            Quote(instrument=each, price=Decimal(price), price_type=kind, as_of=at, currency=each.quote or "USD")
            for each in ask.instruments
        ]

    return speaker({QUOTES: say}, name=name, priority=priority)


def publishing(name: str, *rates: FxRate, priority: int = 20) -> type[Speaker]:
    def say(ask: Any) -> tuple[FxRate, ...]:
        found = tuple(rate for rate in rates if (rate.base, rate.quote) == (ask.base, *ask.quotes))
        if not found:
            raise UnknownInstrument(name, "publishes no such rate")
        return found

    return speaker({FX_RATES: say}, name=name, priority=priority)


def rate(price: str, at: datetime, kind: PriceType = PriceType.FIXING) -> FxRate:
    return FxRate(base="EUR", quote="USD", rate=Decimal(price), date=at.date(), as_of=at, price_type=kind)


def told(found: dict[str, Any]) -> dict[str, str | None]:
    return {each["provider"]: each["excluded"] and each["excluded"]["message"] for each in found["sources"]}


@pytest.fixture
def room() -> Callable[..., Room]:
    return Room


async def test_who_publishes_rates_and_no_quotes_joins_by_the_type_of_its_rate(room: Callable[..., Room]) -> None:
    house = room(
        quoting("alpha", "1.17", PriceType.FIXING, TODAY), publishing("beta", rate("1.16", TODAY)),
        publishing("gamma", rate("1.19", YESTERDAY)), quoting("delta", "1.2", PriceType.LAST, NOON, priority=30),
        publishing("epsilon", rate("1.21", NOON, PriceType.MID)), publishing("zeta"),
    )  # fmt: skip

    found = await house.data(QUERY, s="fx:EUR/USD", q=2)

    assert (found["median"], found["used"], found["asked"], found["currency"]) == ("1.165", 2, 6, "USD")
    assert told(found) == {
        "alpha": None,
        "beta": None,
        "gamma": "is a fixing of 2026-11-19, the others are a fixing of 2026-11-20",
        "delta": "is a LAST price, the others are a FIXING price",
        "epsilon": "is a MID price, the others are a FIXING price",
        "zeta": "publishes no such rate",
    }
    joined = next(each["quote"] for each in found["sources"] if each["provider"] == "beta")
    assert joined == {"price": "1.16", "priceType": "FIXING", "provenance": {"provider": "beta"}}


async def test_named_providers_of_rates_are_asked_and_others_are_not(room: Callable[..., Room]) -> None:
    silent = publishing("gamma", rate("9", TODAY))
    silent.asked.clear()
    house = room(publishing("alpha", rate("1.16", TODAY)), publishing("beta", rate("1.18", TODAY)), silent)

    found = await house.data(QUERY, s="EURUSD", p=["beta", "alpha"], q=2)

    assert (found["median"], told(found)) == ("1.17", {"beta": None, "alpha": None})
    assert silent.asked == []


async def test_a_provider_of_both_is_asked_once_for_its_quote(room: Callable[..., Room]) -> None:
    both = speaker({
        QUOTES: lambda ask: [
            Quote(instrument=i, price=Decimal("1.17"), price_type=PriceType.MID, as_of=NOON) for i in ask.instruments
        ],
        FX_RATES: lambda ask: (rate("1.16", TODAY),),
    })  # fmt: skip

    found = await room(both).data(QUERY, s="fx:EUR/USD", q=1)

    assert (found["median"], found["asked"]) == ("1.17", 1)
    assert [type(ask).__name__ for ask in both.asked] == ["QuotesAsk"]


async def test_levels_of_an_index_agree_and_a_close_among_them_does_not_count(room: Callable[..., Room]) -> None:
    house = room(
        quoting("alpha", "6600", PriceType.LAST, NOON), quoting("beta", "6602", PriceType.LAST, NOON, priority=20),
        quoting("gamma", "6500", PriceType.CLOSE, YESTERDAY, priority=30),
        publishing("delta", rate("1.16", TODAY)),
    )  # fmt: skip

    found = await house.data(QUERY, s="index:SPX", q=2)

    assert (found["median"], found["used"], found["asked"]) == ("6601", 2, 3)
    assert told(found)["gamma"] == "is a CLOSE price, the others are a LAST price"
