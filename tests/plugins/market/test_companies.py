"""Companies through GraphQL, spoken by a fake; what was not known yet is never shown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from schema.symbols import parse_instrument
from schema.words.companies import (
    COMPANY_PROFILE,
    CORPORATE_ACTIONS,
    FILINGS,
    IDENTIFIERS,
    ActionKind,
    CompanyProfile,
    CorporateAction,
    CorporateActionsAsk,
    Filing,
    FilingsAsk,
    IdentifierMapping,
    IdentifiersAsk,
    IdScheme,
)
from schema.words.fundamentals import (
    EARNINGS,
    FUNDAMENTALS,
    KEY_FIGURES,
    EarningsAsk,
    EarningsEvent,
    EarningsTime,
    Fundamentals,
    FundamentalsAsk,
    KeyFigures,
    ReportPeriod,
    Statement,
)
from tests.plugins.speakers import NOON, Room, Speaker, speaker

APPLE = parse_instrument("equity:AAPL")


def report(year: int, revenue: int, filed: datetime | None, *, restated: bool = False) -> Fundamentals:
    return Fundamentals(
        period=ReportPeriod.ANNUAL, period_end=date(year, 9, 30), currency="USD", revenue=Decimal(revenue),
        filed_at=filed, restated=restated,
    )  # fmt: skip


# A careless adapter: it answers all that it has, whatever was known when.
REPORTS = (
    report(2025, 300, datetime(2025, 10, 31, tzinfo=UTC)),
    report(2024, 210, datetime(2025, 10, 31, tzinfo=UTC), restated=True),
    report(2024, 200, datetime(2024, 11, 1, tzinfo=UTC)),
    report(2023, 100, None),
)
ACTIONS = (
    CorporateAction(kind=ActionKind.SPLIT, ex_date=date(2020, 8, 31), split_to=Decimal(4), split_from=Decimal(1)),
    CorporateAction(
        kind=ActionKind.CASH_DIVIDEND, ex_date=date(2026, 2, 9), amount=Decimal("0.26"), currency="USD", frequency=4
    ),
)


def filing(number: int) -> Filing:
    return Filing(
        id=f"0000320193-26-{number:06}", form="10-K", filed_at=NOON, url=f"https://filings.example/{number}",
        cik="0000320193",
    )  # fmt: skip


@pytest.fixture(scope="module")
def alpha() -> type[Speaker]:
    return speaker({
        COMPANY_PROFILE: lambda ask: CompanyProfile(
            instrument=ask.instrument, name="Apple Inc.", employees=164_000, market_cap=Decimal("4535749272209.372"),
            currency="USD", cik="0000320193",
        ),
        KEY_FIGURES: lambda ask: KeyFigures(
            instrument=ask.instrument, price_to_earnings=Decimal("27.01"), dividend_yield_percent=Decimal("0.4"),
            high52_weeks=Decimal("311.4"),
        ),
        FUNDAMENTALS: lambda ask: REPORTS,
        CORPORATE_ACTIONS: lambda ask: ACTIONS,
        EARNINGS: lambda ask: (
            EarningsEvent(
                instrument=APPLE, date=date(2026, 11, 20), time=EarningsTime.AFTER_CLOSE, eps_estimate=Decimal("1.93")
            ),
        ),
        FILINGS: lambda ask: tuple(filing(n) for n in range(3)),
        IDENTIFIERS: lambda ask: (IdentifierMapping(ticker="AAPL", figi="BBG000B9XRY4", symbol="equity:AAPL"),),
    })  # fmt: skip


@pytest.fixture(scope="module")
def room(alpha: type[Speaker]) -> Room:
    return Room(alpha)


async def test_who_a_company_is_and_its_figures(room: Room) -> None:
    profile = await room.data('{ companyProfile(symbol: "AAPL") { name employees marketCap cik instrument { id } } }')
    figures = await room.data(
        '{ keyFigures(symbol: "AAPL") { priceToEarnings dividendYieldPercent high52Weeks beta } }'
    )

    assert profile == {
        "name": "Apple Inc.", "employees": 164_000, "marketCap": "4535749272209.372", "cik": "0000320193",
        "instrument": {"id": "equity:AAPL"},
    }  # fmt: skip
    assert figures == {
        "priceToEarnings": "27.01", "dividendYieldPercent": "0.4", "high52Weeks": "311.4", "beta": None
    }  # fmt: skip


async def test_reports_are_those_that_had_been_filed_in_the_version_of_then(room: Room, alpha: type[Speaker]) -> None:
    query = """query($at: DateTime) { fundamentals(symbol: "AAPL", knownAt: $at) {
      nodes { periodEnd revenue restated filedAt } } }"""

    early = await room.data(query, at="2025-01-01T00:00:00Z")
    late = await room.data(query, at="2025-12-31T00:00:00Z")

    assert early["nodes"] == [
        {"periodEnd": "2024-09-30", "revenue": "200", "restated": False, "filedAt": "2024-11-01T00:00:00Z"}
    ]
    assert [(node["periodEnd"], node["revenue"]) for node in late["nodes"]] == [
        ("2025-09-30", "300"),
        ("2024-09-30", "210"),
    ]
    asked = [ask.known_at for ask in alpha.asked if isinstance(ask, FundamentalsAsk)]
    assert asked == [datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)]


async def test_the_pages_go_on_behind_the_twentieth_report() -> None:
    def reports(ask: FundamentalsAsk) -> tuple[Fundamentals, ...]:
        years = range(2025, 2025 - min(ask.limit, 30), -1)
        return tuple(
            Fundamentals(period=ask.period, period_end=date(year, 9, 30), currency="USD", filed_at=NOON)
            for year in years
        )

    room = Room(speaker({FUNDAMENTALS: reports}))
    query = """query($after: Cursor) { fundamentals(symbol: "AAPL", after: $after) {
      nodes { periodEnd } pageInfo { hasNextPage endCursor } } }"""

    one = await room.data(query)
    two = await room.data(query, after=one["pageInfo"]["endCursor"])

    assert (len(one["nodes"]), one["pageInfo"]["hasNextPage"]) == (20, True)
    assert (two["nodes"][0], len(two["nodes"])) == ({"periodEnd": "2005-09-30"}, 10)
    assert two["pageInfo"]["hasNextPage"] is False


async def test_statements_and_periods_are_part_of_the_question(room: Room, alpha: type[Speaker]) -> None:
    await room.data(
        '{ fundamentals(symbol: "AAPL", statement: CASH_FLOW, period: QUARTERLY, first: 1) { nodes { revenue } } }'
    )

    assert alpha.asked[-1] == FundamentalsAsk(
        instrument=APPLE, statement=Statement.CASH_FLOW, period=ReportPeriod.QUARTERLY
    )


async def test_actions_are_the_newest_first_and_filtered(room: Room, alpha: type[Speaker]) -> None:
    every = await room.data('{ corporateActions(symbol: "AAPL") { nodes { kind exDate amount splitTo } } }')
    splits = await room.data('{ corporateActions(symbol: "AAPL", kinds: [SPLIT]) { nodes { splitTo splitFrom } } }')
    recent = await room.data('{ corporateActions(symbol: "AAPL", start: "2021-01-01") { nodes { exDate } } }')

    assert every["nodes"] == [
        {"kind": "CASH_DIVIDEND", "exDate": "2026-02-09", "amount": "0.26", "splitTo": None},
        {"kind": "SPLIT", "exDate": "2020-08-31", "amount": None, "splitTo": "4"},
    ]
    assert splits == {"nodes": [{"splitTo": "4", "splitFrom": "1"}]}
    assert recent == {"nodes": [{"exDate": "2026-02-09"}]}
    assert CorporateActionsAsk(instrument=APPLE, start=date(2021, 1, 1)) in alpha.asked


async def test_earnings_are_those_of_the_week_that_begins_today(room: Room, alpha: type[Speaker]) -> None:
    found = await room.data("{ earnings { nodes { date time epsEstimate epsActual instrument { id } } } }")

    assert found["nodes"] == [
        {
            "date": "2026-11-20", "time": "AFTER_CLOSE", "epsEstimate": "1.93", "epsActual": None,
            "instrument": {"id": "equity:AAPL"},
        }
    ]  # fmt: skip
    assert EarningsAsk(start=date(2026, 11, 20), end=date(2026, 11, 27)) in alpha.asked


async def test_filings_are_paged_and_forms_are_part_of_the_question(room: Room, alpha: type[Speaker]) -> None:
    found = await room.data(
        '{ filings(symbol: "AAPL", forms: ["10-k"], first: 2) { nodes { id form } pageInfo { hasNextPage } } }'
    )

    assert found == {
        "nodes": [{"id": f"0000320193-26-00000{n}", "form": "10-K"} for n in range(2)],
        "pageInfo": {"hasNextPage": True},
    }
    assert FilingsAsk(instrument=APPLE, forms=("10-K",)) in alpha.asked


async def test_an_identifier_leads_to_all_names(room: Room, alpha: type[Speaker]) -> None:
    found = await room.data('{ identifiers(scheme: ISIN, value: "us0378331005") { ticker figi symbol isin } }')

    assert found == [{"ticker": "AAPL", "figi": "BBG000B9XRY4", "symbol": "equity:AAPL", "isin": None}]
    assert IdentifiersAsk(scheme=IdScheme.ISIN, text="US0378331005") in alpha.asked


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (
            'fundamentals(symbol: "AAPL", knownAt: "2027-01-01T00:00:00Z") { nodes { revenue } }',
            "knownAt: is in the future",
        ),
        ('identifiers(scheme: FIGI, value: " ") { ticker }', "value: give 1 to 64 characters"),
        (
            'earnings(start: "2026-01-01", end: "2026-12-31") { nodes { date } }',
            "start: the range is longer than 93 days: ask for less at once",
        ),
        (
            'corporateActions(symbol: "AAPL", start: "2026-01-02", end: "2026-01-01") { nodes { exDate } }',
            "end: must be after start: the range [2026-01-02, 2026-01-01) is empty",
        ),
    ],
)
async def test_what_cannot_be_asked_is_refused(room: Room, field: str, told: str) -> None:
    assert await room.error(f"{{ {field} }}") == ("BAD_USER_INPUT", told)
