"""What types do not say of an answer is found, and what is sound passes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.core.guards.codec import plan
from gateway.reference import capabilities, constant_of
from schema.capability import Capability
from schema.checks import unsound
from schema.symbols import parse_instrument
from schema.words.chat import CHAT_STREAM, ChatAsk, ChatDelta, ChatUsage, FinishReason
from schema.words.companies import CORPORATE_ACTIONS, ActionKind, CorporateAction, CorporateActionsAsk
from schema.words.derivatives import FUNDING_RATES, FundingRate, FundingRatesAsk
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Observation, own_code
from schema.words.fundamentals import FUNDAMENTALS, Fundamentals, FundamentalsAsk, ReportPeriod
from schema.words.knowledge import end_of, known_at
from schema.words.news import NEWS, NewsArticle, NewsAsk

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PERPETUAL = parse_instrument("crypto:BTC/USDT:USDT")
APPLE = parse_instrument("equity:AAPL")
EVERY = {each.name: each for each in capabilities()}


def wrong(capability: Capability[Any, Any], ask: Any, answer: Any) -> list[str]:
    assert capability.check is not None
    return list(capability.check(ask, answer))


def report(end: date, **more: Any) -> Fundamentals:
    return Fundamentals(period=ReportPeriod.ANNUAL, period_end=end, currency="USD", **more)


def test_floats_naive_times_foreign_zones_and_what_is_no_number_are_unsound():
    found = SimpleNamespace(rate=Decimal("NaN"))
    rate = FundingRate(instrument=PERPETUAL, rate=Decimal("NaN"), time=datetime(2026, 11, 20), settled=False)  # noqa: DTZ001
    plain = FundingRate(instrument=PERPETUAL, rate=0.1, time=NOON, settled=False)  # type: ignore[arg-type]

    assert found.rate.is_nan()
    assert list(unsound([rate, plain])) == [
        "$[0].rate is NaN, not a number",
        "$[0].time is 2026-11-20T00:00:00, not in UTC",
        "$[1].rate is the float 0.1, not a Decimal",
    ]


def test_a_funding_rate_in_percent_or_of_a_spot_pair_is_found():
    spot = parse_instrument("crypto:BTC/USDT")
    rates = [FundingRate(instrument=spot, rate=Decimal(8), time=NOON, settled=False)]

    assert wrong(FUNDING_RATES, FundingRatesAsk(instruments=(spot,)), rates) == [
        "crypto:BTC/USDT: rate is 8, outside -1 to 1",
        "crypto:BTC/USDT is no perpetual: write it as crypto:BTC/USDT:USDT",
    ]


def test_a_report_that_was_not_known_yet_is_found():
    reports = [report(date(2026, 9, 30), filed_at=NOON), report(date(2025, 9, 30))]

    found = wrong(FUNDAMENTALS, FundamentalsAsk(instrument=APPLE, known_at=NOON - timedelta(days=1)), reports)

    assert found == [
        "2026-09-30: was not surely known at 2026-11-19T12:00:00+00:00",
        "2025-09-30: was not surely known at 2026-11-19T12:00:00+00:00",
    ]
    assert wrong(FUNDAMENTALS, FundamentalsAsk(instrument=APPLE), reports) == []
    assert len(wrong(FUNDAMENTALS, FundamentalsAsk(instrument=APPLE), reports[::-1])) == 1


def test_two_observations_of_a_period_are_vintages_and_nothing_else():
    days = [Observation(date=date(2026, 1, 1), value=Decimal(1)), Observation(date=date(2026, 1, 1), value=Decimal(2))]
    series = EconomicSeries(series="US.CPI", code="X", observations=tuple(days))

    assert wrong(ECONOMIC_SERIES, EconomicSeriesAsk(series="US.CPI"), series) == [
        "date[1] is 2026-01-01, after 2026-01-01"
    ]
    assert (
        wrong(ECONOMIC_SERIES, EconomicSeriesAsk(series="US.CPI", vintages=True), series)
        == ["2026-01-01: a vintage that does not say when it was published"] * 2
    )


def test_a_dividend_without_a_currency_and_a_split_without_a_ratio_are_found():
    actions = (
        CorporateAction(kind=ActionKind.CASH_DIVIDEND, ex_date=date(2026, 1, 2), amount=Decimal(1)),
        CorporateAction(kind=ActionKind.SPLIT, ex_date=date(2026, 1, 3), split_to=Decimal(2)),
    )

    assert wrong(CORPORATE_ACTIONS, CorporateActionsAsk(instrument=APPLE), actions) == [
        "2026-01-02: a dividend needs an amount and a currency",
        "2026-01-03: a split needs splitTo and splitFrom",
    ]


def test_news_that_is_not_the_newest_first_is_found():
    articles = [
        NewsArticle(id=str(n), title="t", url="https://example.com", published_at=NOON + timedelta(hours=n))
        for n in range(2)
    ]

    assert wrong(NEWS, NewsAsk(), articles) == [
        "publishedAt 2026-11-20T13:00:00+00:00 stands behind 2026-11-20T12:00:00+00:00: the newest come first"
    ]
    assert wrong(NEWS, NewsAsk(), articles[::-1]) == []


@pytest.mark.parametrize(
    ("deltas", "told"),
    [
        ([ChatDelta(text="a")], ["0 pieces say that the reply ended"]),
        ([ChatDelta(finish_reason=FinishReason.STOP), ChatDelta(text="a")], ["text stands behind the end"]),
        (
            [ChatDelta(finish_reason=FinishReason.STOP, usage=ChatUsage(input_tokens=1, cached_tokens=2))],
            ["usage.cachedTokens is 2, of 1"],
        ),
        ([ChatDelta(text="a", finish_reason=FinishReason.STOP), ChatDelta(usage=ChatUsage(output_tokens=1))], []),
    ],
)
def test_a_streamed_reply_has_one_end_and_one_usage(deltas: list[ChatDelta], told: list[str]):
    assert wrong(CHAT_STREAM, ChatAsk(model="m", messages=()), deltas) == told


def test_of_several_vintages_the_newest_one_that_was_published_counts():
    rows = [
        Observation(date=date(2026, 1, 1), value=Decimal(1), published_at=end_of(date(2026, 2, 10))),
        Observation(date=date(2026, 1, 1), value=Decimal(2), published_at=end_of(date(2026, 3, 10))),
        Observation(date=date(2026, 2, 1), value=Decimal(3), published_at=None),
    ]

    def at(moment: datetime) -> list[Decimal | None]:
        found = known_at(rows, moment, published=lambda row: row.published_at, of=lambda row: row.date)
        return [row.value for row in found]

    assert end_of(date(2026, 2, 10)) == datetime(2026, 2, 11, tzinfo=UTC)
    assert at(datetime(2026, 2, 10, 23, 59, tzinfo=UTC)) == []
    assert at(datetime(2026, 2, 11, tzinfo=UTC)) == [Decimal(1)]
    assert at(datetime(2026, 11, 1, tzinfo=UTC)) == [Decimal(2)]


def test_a_code_belongs_to_the_provider_that_stands_before_it():
    assert own_code("fred/DEXUSEU", "fred") == "DEXUSEU"
    assert own_code("worldbank/US/NY.GNP", "worldbank") == "US/NY.GNP"
    assert [own_code(text, "fred") for text in ("bls/X", "US.CPI", "fred/")] == [None, None, None]


@pytest.mark.parametrize("name", EVERY)
def test_an_answer_and_its_ask_travel_between_processes_exactly(name: str):
    assert plan(EVERY[name].answer).told
    assert plan(EVERY[name].ask).told


def test_every_capability_is_a_constant_beside_its_ask_and_its_name_is_its_own():
    assert len(EVERY) == len(capabilities()) > 40
    assert {name for name, each in EVERY.items() if not constant_of(each)[1].isupper()} == set()
