"""Panels: closes of many instruments on common dates, in one currency, nothing filled."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.app import build_gateway
from gateway.core.contract import Context
from gateway.core.identity import LOCAL
from gateway.core.market import MarketData
from gateway.core.ports import Late, Missing, Panel, PanelAsk, Panels
from gateway.core.settings import Settings
from gateway.edge.execute import RequestFacts
from plugins.portfolio.prices.days import closes_of
from schema.errors import BadInput, NotCovered
from schema.symbols import parse_instrument
from schema.words.candles import Adjustment, Bars
from schema.words.intervals import Interval
from schema.words.rates import FxRatesAsk
from tests.gateway.doubles import ManualClock
from tests.plugins.portfolio.tapes import NOON, Tapes, days, instruments

BTC, ETH = "crypto:BTC/USD", "crypto:ETH/USD"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def panel_of(tapes: Tapes, *symbols: str, start: str, end: str, now: datetime = NOON, **more: Any) -> Panel:
    settings = Settings(env="development", upstreams="live")
    gateway = build_gateway(settings, discovered=tapes.discovered, clock=ManualClock(now))
    context: Context = gateway.context(RequestFacts(request_id="r", transport="test"), LOCAL)
    ask = PanelAsk(instruments=instruments(*symbols), start=at(start), end=at(end), **more)
    try:
        return await gateway.host.service(Panels).panel(context, ask)
    finally:
        await gateway.close()


def told(panel: Panel) -> dict[str, list[str | None]]:
    """Closes as texts."""
    return {
        str(each): [None if close is None else str(close) for close in column]
        for each, column in zip(panel.instruments, panel.closes, strict=True)
    }


async def test_closes_stand_on_the_union_of_the_dates_and_gaps_are_named_never_filled():
    tapes = Tapes(closes={BTC: days("2026-11-01", "10", "11", "", "13", "14"), ETH: days("2026-11-02", "2", "3", "4")})

    panel = await panel_of(tapes, BTC, ETH, start="2026-11-01", end="2026-11-06")

    assert panel.dates == tuple(date(2026, 11, n) for n in range(1, 6))
    assert told(panel) == {BTC: ["10", "11", None, "13", "14"], ETH: [None, "2", "3", "4", None]}
    assert panel.missing == (Missing(instrument=parse_instrument(BTC), dates=(date(2026, 11, 3),)),)
    assert panel.late == (Late(instrument=parse_instrument(ETH), first=date(2026, 11, 2), last=date(2026, 11, 4)),)
    assert (panel.periods, panel.currencies, dict(panel.failures or {})) == (365, ("USD", "USD"), {})
    assert [each.provider for each in panel.provenance] == ["alpha"]


async def test_shares_keep_sessions_and_a_year_has_252_of_them():
    tapes = Tapes(
        closes={
            "equity:AAPL": {"2026-11-05": "100", "2026-11-06": "101", "2026-11-10": "103"},
            BTC: days("2026-11-05", *"123456"),
        }
    )

    panel = await panel_of(tapes, "equity:AAPL", BTC, start="2026-11-05", end="2026-11-11")

    # The 7th and 8th are a weekend; on Monday the 9th New York traded.
    assert panel.missing == (Missing(instrument=parse_instrument("equity:AAPL"), dates=(date(2026, 11, 9),)),)
    assert told(panel)["equity:AAPL"] == ["100", "101", None, None, None, "103"]
    assert (panel.periods, panel.late) == (252, ())


async def test_a_bar_of_a_day_without_a_session_is_no_close():
    tapes = Tapes(closes={"equity:AAPL": days("2025-12-24", "1", "2", "3"), "fx:EUR/USD": days("2025-12-26", *"4567")})

    shares = await panel_of(tapes, "equity:AAPL", start="2025-12-24", end="2025-12-27")
    weekly = await panel_of(tapes, "equity:AAPL", start="2025-12-22", end="2025-12-30", interval=Interval.W1)
    currencies = await panel_of(tapes, "fx:EUR/USD", start="2025-12-26", end="2025-12-30")

    # New York kept Christmas; the 27th and 28th were a weekend.
    assert shares.dates == (date(2025, 12, 24), date(2025, 12, 26))
    assert told(shares) == {"equity:AAPL": ["1", "3"]}
    assert told(weekly) == {"equity:AAPL": ["3"]}
    assert currencies.dates == (date(2025, 12, 26), date(2025, 12, 29))


def test_days_that_no_calendar_reaches_keep_their_bars():
    opened = tuple(datetime(1962, 1, day, tzinfo=UTC) for day in (2, 3, 4))
    prices = (Decimal(1), Decimal(2), Decimal(3))
    bars = Bars(open_time=opened, open=prices, high=prices, low=prices, close=prices)
    sessions = {date(1962, 1, 3): at("1962-01-03T20:00:00"), date(1962, 1, 4): at("1962-01-04T20:00:00")}

    assert list(closes_of(bars, Interval.D1, "UTC", sessions, NOON)) == [date(1962, 1, n) for n in (2, 3, 4)]
    assert list(closes_of(bars, Interval.D1, "UTC", {}, NOON)) == [date(1962, 1, n) for n in (2, 3, 4)]


async def test_a_bar_that_is_not_over_does_not_count():
    tapes = Tapes(closes={BTC: days("2026-11-18", "1", "2", "3"), "equity:AAPL": days("2026-11-18", "7", "8", "9")})

    now = await panel_of(tapes, BTC, "equity:AAPL", start="2026-11-18", end="2026-12-01")
    evening = await panel_of(
        tapes, BTC, "equity:AAPL", start="2026-11-18", end="2026-12-01", now=at("2026-11-20T21:00:00")
    )
    earlier = await panel_of(tapes, BTC, "equity:AAPL", start="2026-11-18", end="2026-11-19T20:59:59")

    assert told(now) == {BTC: ["1", "2"], "equity:AAPL": ["7", "8"]}
    assert told(evening) == {BTC: ["1", "2", None], "equity:AAPL": ["7", "8", "9"]}
    assert told(earlier) == {BTC: ["1"], "equity:AAPL": ["7"]}


async def test_prices_are_converted_with_the_rate_of_their_day_which_holds_until_the_next():
    tapes = Tapes(
        closes={BTC: days("2026-11-05", "100", "200", "300", "400"), "crypto:BTC/EUR": days("2026-11-05", *"1234")},
        rates={"EUR/USD": {"2026-11-05": "1.25", "2026-11-06": "1.6"}},
    )

    panel = await panel_of(tapes, BTC, "crypto:BTC/EUR", start="2026-11-05", end="2026-11-09", currency="eur")

    assert told(panel)[BTC] == ["80.0", "125.000", "187.500", "250.000"]
    assert told(panel)["crypto:BTC/EUR"] == ["1", "2", "3", "4"]
    assert panel.currencies == ("EUR", "EUR")
    (conversion,) = [each.conversion for each in panel.provenance if each.conversion]
    assert (conversion.from_currency, conversion.to_currency, conversion.rate) == ("USD", "EUR", Decimal("0.625"))
    assert conversion.provenance.provider == "alpha"


async def test_rates_of_money_are_those_that_closes_of_their_dates_are_converted_with():
    tapes = Tapes(
        closes={BTC: days("2026-11-05", "100", "200", "300")},
        rates={"EUR/USD": {"2026-11-05": "1.25", "2026-11-06": "1.6"}},
    )
    money = ("USD", "CHF")

    panel = await panel_of(tapes, BTC, start="2026-11-05", end="2026-11-08", currency="EUR", money=money)

    assert told(panel)[BTC] == ["80.0", "125.000", "187.500"]
    assert panel.rates == {"USD": (Decimal("0.8"), Decimal("0.625"), Decimal("0.625"))}


async def test_a_stablecoin_is_converted_by_its_own_market():
    tapes = Tapes(
        closes={
            "crypto:BTC/USDT": days("2026-11-05", "100", "200"), "crypto:USDT/USD": days("2026-11-05", "0.99", "0.98")
        },
        rates={"EUR/USD": {"2026-11-04": "1.25"}},
    )  # fmt: skip

    dollars = await panel_of(tapes, "crypto:BTC/USDT", start="2026-11-05", end="2026-11-07", currency="USD")
    euros = await panel_of(tapes, "crypto:BTC/USDT", start="2026-11-05", end="2026-11-07", currency="EUR")

    assert told(dollars) == {"crypto:BTC/USDT": ["99.00", "196.00"]}
    assert told(euros) == {"crypto:BTC/USDT": ["79.200", "156.800"]}


async def test_failures_are_data_by_symbol():
    tapes = Tapes(closes={BTC: days("2026-11-05", "1", "2"), ETH: {}, "crypto:BTC/CHF": days("2026-11-05", "1")})

    panel = await panel_of(
        tapes, BTC, ETH, "crypto:NO/USD", "crypto:BTC/CHF", start="2026-11-05", end="2026-11-07", currency="USD"
    )

    assert told(panel) == {BTC: ["1", "2"]}
    assert {str(each): error.code for each, error in (panel.failures or {}).items()} == {
        ETH: "NOT_COVERED", "crypto:NO/USD": "UNKNOWN_INSTRUMENT", "crypto:BTC/CHF": "NOT_COVERED",
    }  # fmt: skip


async def test_weeks_and_months_are_named_by_their_first_day():
    tapes = Tapes(closes={BTC: {"2026-11-02": "1", "2026-11-09": "2", "2026-11-16": "3", "2026-10-01": "4"}})

    weeks = await panel_of(tapes, BTC, start="2026-11-01", end="2026-11-20", interval=Interval.W1)
    months = await panel_of(tapes, BTC, start="2026-09-15", end="2026-11-20", interval=Interval.MO1)

    assert (weeks.dates, weeks.periods) == ((date(2026, 11, 2), date(2026, 11, 9)), 52)
    assert (months.dates, months.periods, months.closes) == ((date(2026, 10, 1),), 12, ((Decimal(4),),))


async def test_years_without_a_rate_leave_prices_out_and_say_so(monkeypatch: pytest.MonkeyPatch):
    fixings = Tapes.fixings

    def since_1999(self: Tapes, ask: FxRatesAsk) -> Any:
        if ask.start is not None and ask.start.year < 1999:
            raise NotCovered("alpha", "there was no such currency")
        return fixings(self, ask)

    monkeypatch.setattr(Tapes, "fixings", since_1999)
    tapes = Tapes(
        closes={"equity:AAPL": {"1999-12-30": "10", "2000-01-05": "20", "2000-01-06": "30"}},
        rates={"EUR/USD": {"1999-12-30": "1", "2000-01-04": "1.25"}},
    )

    panel = await panel_of(tapes, "equity:AAPL", start="1999-12-29", end="2000-01-07", currency="EUR")
    early = await panel_of(tapes, "equity:AAPL", start="1998-12-29", end="2000-01-07", currency="EUR")

    assert told(panel) == {"equity:AAPL": ["10", "16.0", "24.0"]}
    assert told(early) == {"equity:AAPL": ["16.0", "24.0"]}
    assert early.late == (
        Late(instrument=parse_instrument("equity:AAPL"), first=date(2000, 1, 5), last=date(2000, 1, 6)),
    )


async def test_a_month_is_converted_with_the_rate_of_its_last_day():
    tapes = Tapes(
        closes={BTC: {"2026-09-01": "100", "2026-10-01": "200"}},
        rates={"EUR/USD": {"2026-08-31": "1", "2026-09-01": "2", "2026-09-30": "1.25", "2026-10-30": "1.6"}},
    )  # fmt: skip

    panel = await panel_of(tapes, BTC, start="2026-09-01", end="2026-11-01", interval=Interval.MO1, currency="EUR")

    assert told(panel) == {BTC: ["80.0", "125.000"]}


async def test_shares_are_asked_adjusted_and_nothing_else_is():
    tapes = Tapes(closes={BTC: days("2026-11-05", "1"), "equity:AAPL": days("2026-11-05", "1")})

    await panel_of(tapes, BTC, "equity:AAPL", start="2026-11-05", end="2026-11-07")

    asked = {str(ask.instrument): ask.adjustment for ask in tapes.asked}
    assert asked == {BTC: Adjustment.NONE, "equity:AAPL": Adjustment.SPLITS_AND_DIVIDENDS}


@pytest.mark.parametrize(
    ("symbols", "start", "end", "more", "message"),
    [
        ((BTC,), "2026-11-05", "2026-11-05", {}, "start: must be before end: the range is empty"),
        ((BTC,), "2026-11-06", "2026-11-05", {}, "start: must be before end: the range is empty"),
        ((BTC,), "2026-12-05", "2026-12-06", {}, "start: no D1 interval begins in the range and before now"),
        ((BTC,), "2026-11-10", "2026-11-15", {"interval": Interval.W1},
         "start: no W1 interval begins in the range and before now"),
        ((), "2026-11-05", "2026-11-06", {}, "symbols: is empty: give 1 to 500 symbols"),
        ((BTC, ETH, BTC), "2026-11-05", "2026-11-06", {}, "symbols: has crypto:BTC/USD twice: give each once"),
        ((BTC,), "2026-11-05", "2026-11-06", {"currency": "ZZZ"},
         "currency: 'ZZZ' is no currency that is known: write a code such as USD, EUR or USDT"),
        ((BTC,), "2026-11-05", "2026-11-06", {"currency": "GBX"},
         "currency: GBX is a hundredth of GBP: write GBP, and amounts in it"),
        ((BTC,), "2026-11-05", "2026-11-06", {"interval": Interval.H1},
         "interval: H1 is shorter than a day, or of no calendar: give D1, W1 or MO1"),
        (tuple(f"crypto:C{n}/USD" for n in range(1000)), "2006-11-05", "2026-11-05", {},
         "symbols: has 1000 symbols: at most 500 at once"),
        (tuple(f"crypto:C{n}/USD" for n in range(500)), "2006-11-05", "2026-11-05", {},
         "start: 3652500 prices at once: at most 400000; of so many symbols 800 rows each"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_before_anybody_is_asked(symbols, start, end, more, message):
    tapes = Tapes(closes={BTC: days("2026-11-05", "1")})

    with pytest.raises(BadInput) as refused:
        await panel_of(tapes, *symbols, start=start, end=end, **more)

    assert refused.value.message == message
    assert tapes.asked == []


async def test_a_long_panel_is_not_held(monkeypatch: pytest.MonkeyPatch):
    held: list[bool] = []
    fetch = MarketData.fetch

    async def watched(self: Any, capability: Any, ask: Any, terms: Any, *rest: Any) -> Any:
        held.append(terms.keep)
        return await fetch(self, capability, ask, terms, *rest)

    monkeypatch.setattr(MarketData, "fetch", watched)
    names = [f"crypto:C{n}/USD" for n in range(30)]
    tapes = Tapes(closes={name: days("2026-11-05", "1", "2") for name in names})

    await panel_of(tapes, *names, start="2016-11-05", end="2026-11-07")
    await panel_of(tapes, *names, start="2025-11-05", end="2026-11-07")

    assert held == [False] * 30 + [True] * 30


async def test_no_more_than_a_few_are_asked_at_a_time_and_all_are_had():
    names = [f"crypto:C{n}/USD" for n in range(40)]
    tapes = Tapes(closes={name: days("2026-11-05", "1", "2") for name in names})

    panel = await panel_of(tapes, *names, start="2026-11-05", end="2026-11-07")

    assert [str(each) for each in panel.instruments] == names
    assert set(panel.closes) == {(Decimal(1), Decimal(2))}
