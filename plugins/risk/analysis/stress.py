"""Stress tests: windows of history replayed, shocks as the caller describes them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

import strawberry

from gateway.core.contract import Context
from gateway.core.ports import Computing, Panel
from gateway.core.quant.exposure import UNKNOWN
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.windows import WINDOWS, Window
from plugins.risk.analysis.basis import RISK, Basis, Span, plain, read_panel
from plugins.risk.analysis.data import PriceData, dates_of
from plugins.risk.analysis.exposures import cash_of, currencies_of
from plugins.risk.analysis.subject import CASH_ALONE, Subject
from plugins.risk.analysis.words import MissingPrices
from plugins.risk.symbols import read_symbols
from schema.currencies import FIATS, MINOR_UNITS, read_currency
from schema.errors import BadInput
from schema.model import choices, described, model
from schema.symbols import AssetClass, InstrumentId, parse_instrument

BEFORE = timedelta(days=8)
"""A close that stands for a window's first day is at most a week older."""
CASH = "cash"
"""Stands for what a portfolio of nothing but cash holds, where shocks are reckoned."""
MOST_SCENARIOS = 20
MOST_SHOCKS = 50


@choices(
    "Stretches of history in which markets fell: from the S&P 500's closing high to its low, CRYPTO_2022 bitcoin's.",
    RUSSIA_LTCM_1998="1998-07-17 to 1998-08-31.",
    DOT_COM_2000="2000-03-24 to 2002-10-09.",
    FINANCIAL_CRISIS_2007="2007-10-09 to 2009-03-09.",
    EURO_DEBT_2011="2011-04-29 to 2011-10-03.",
    FOURTH_QUARTER_2018="2018-09-20 to 2018-12-24.",
    COVID_2020="2020-02-19 to 2020-03-23.",
    RATES_2022="2022-01-03 to 2022-10-12.",
    CRYPTO_2022="2021-11-08 to 2022-11-21.",
)
class StressWindow(StrEnum):
    """As gateway.core.quant.windows dates them."""

    RUSSIA_LTCM_1998 = "RUSSIA_LTCM_1998"
    DOT_COM_2000 = "DOT_COM_2000"
    FINANCIAL_CRISIS_2007 = "FINANCIAL_CRISIS_2007"
    EURO_DEBT_2011 = "EURO_DEBT_2011"
    FOURTH_QUARTER_2018 = "FOURTH_QUARTER_2018"
    COVID_2020 = "COVID_2020"
    RATES_2022 = "RATES_2022"
    CRYPTO_2022 = "CRYPTO_2022"


@strawberry.input(description="A stretch of history of one's own.")
class StressPeriodInput:
    """From the close of the first day to the close of the last."""

    name: str = strawberry.field(description="What it is called in the answer.")
    start: dt.date = strawberry.field(description="The first day.")
    end: dt.date = strawberry.field(description="The last day.")


@strawberry.input(description="A sudden change of one thing: name exactly one.")
class ShockInput:
    """A symbol's before its class's before factors'; a currency's comes on top, and moves the cash in it."""

    change: float = strawberry.field(description="As a fraction: -0.2 is a fall by 20 %; -1 at least.")
    symbol: str | None = strawberry.field(description="Of an instrument that is held.", default=None)
    asset_class: AssetClass | None = strawberry.field(description="Of all instruments of a class.", default=None)
    currency: str | None = strawberry.field(description="Of another currency against the portfolio's.", default=None)
    factor: str | None = strawberry.field(
        description="Of a factor, such as an index: each instrument moves by its beta to it.", default=None
    )


@strawberry.input(description="Changes that happen together.")
class ScenarioInput:
    """Each of another thing."""

    name: str = strawberry.field(description="What it is called in the answer.")
    shocks: list[ShockInput] = strawberry.field(description="1 to 50 changes.")


@model("What became of a portfolio in one scenario.")
class StressOutcome:
    """By instrument: columns in the order of the report's `symbols`."""

    name: str = described("Of the window or the scenario.")
    historical: bool = described("Whether it is a window of history; else a shock.")
    method: str = described("How it was reckoned.")
    start: dt.date | None = described("The window's first day, or of the sample of betas.", default=None)
    end: dt.date | None = described("The window's last day, or of the sample of betas.", default=None)
    change: float | None = described(
        "Of the portfolio, a loss is below 0; null where something that is held has no prices there, or where a "
        "factor's betas cannot be reckoned: a warning says why.",
        default=None,
    )
    drawdown: float | None = described(
        "Deepest fall from a peak within a window, 0 or below: -0.2 is a fall by 20 %; null for shocks, and where "
        "closes are missing and `missing` is REFUSE.",
        default=None,
    )
    count: int | None = described(
        "Dates of a window on which all have closes; of shocks of factors the returns that betas are of; else null.",
        default=None,
    )
    dropped: list[dt.date] = described(
        "Its other dates, on which a close is missing: the drawdown or the betas leave them out."
    )
    data: PriceData | None = described(
        "The prices that it was reckoned from; null for shocks without any.", default=None
    )
    changes: list[float | None] = described("Of each instrument; null where it has no prices.")
    contributions: list[float | None] = described("Weight times change.")
    cash_contribution: float = described(
        "Of cash: what shocks of its currencies do to it, 0 for windows. With the `contributions` it makes the change.",
        default=0.0,
    )
    warnings: list[str] = described("What could not be reckoned, and why.")

    @classmethod
    def of(cls, told: Mapping[str, Any], panel: Panel | None, more: Sequence[str] = ()) -> Self:
        """From a task's answer."""
        start, end = (dt.date.fromisoformat(day) if (day := told[name]) else None for name in ("start", "end"))
        return cls(
            name=told["name"], historical=told["kind"] == "window", method=told["method"], start=start, end=end,
            change=told["change"], drawdown=told["drawdown"], count=told["count"], dropped=dates_of(told["dropped"]),
            data=None if panel is None or told["count"] is None else PriceData.of(panel), changes=told["changes"],
            contributions=told["contributions"], cash_contribution=told["cash_contribution"],
            warnings=[*told["warnings"], *more],
        )  # fmt: skip


@model("Stress tests of a portfolio. Cash stays as it is, but for shocks of its currencies.")
class StressReport:
    """Weights are those of now."""

    symbols: list[str] = described("Ids of what is held.")
    weights: list[float] = described("Fractions of the portfolio's value, in their order.")
    outcomes: list[StressOutcome] = described("Windows first, then scenarios.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """A question, read."""

    windows: tuple[Window, ...] = ()
    scenarios: tuple[Mapping[str, Any], ...] = ()
    factors: tuple[InstrumentId, ...] = ()
    currencies: Mapping[str, str] = field(default_factory=dict)
    """Those that are shocked, and in which field."""


async def read_stress(
    context: Context,
    windows: Sequence[StressWindow] | None,
    periods: Sequence[StressPeriodInput] | None,
    scenarios: Sequence[ScenarioInput] | None,
) -> Stress:
    """All named windows where nothing is asked for; BadInput for what cannot be."""
    chosen = windows if windows is not None or periods or scenarios else tuple(StressWindow)
    named = [replace(WINDOWS[each.value.lower()], name=each.value) for each in chosen or ()]
    own = [Window(name=each.name, start=each.start, end=each.end) for each in periods or ()]
    for each in own:
        if each.start >= each.end:
            raise BadInput("periods", f"{each.name}: {each.start} does not come before {each.end}")
        if each.end > context.now.date():
            told = f"{each.name} ends on {each.end}, which is in the future: give a day that is over"
            raise BadInput("periods", told)
    if len(named) + len(own) + len(scenarios or ()) > MOST_SCENARIOS:
        raise BadInput("scenarios", f"at most {MOST_SCENARIOS} windows, periods and scenarios at once")
    read, factors, currencies = [], dict[InstrumentId, None](), dict[str, str]()
    for place, scenario in enumerate(scenarios or ()):
        if not 1 <= len(scenario.shocks) <= MOST_SHOCKS:
            raise BadInput("scenarios", f"{scenario.name}: give 1 to {MOST_SHOCKS} shocks")
        shocks = []
        for number, shock in enumerate(scenario.shocks):
            where = f"scenarios.{place}.shocks.{number}.currency"
            shocks.append(await _shock(context, shock, factors, where))
            if shocks[-1]["kind"] == "currency":
                currencies.setdefault(shocks[-1]["key"], where)
        read.append({"name": scenario.name, "shocks": shocks})
    return Stress(windows=(*named, *own), scenarios=tuple(read), factors=tuple(factors), currencies=currencies)


async def _shock(context: Context, given: ShockInput, factors: dict[InstrumentId, None], where: str) -> dict[str, Any]:
    """`where` is the field of its currency."""
    kinds = {"symbol": given.symbol, "class": given.asset_class, "currency": given.currency, "factor": given.factor}
    named = {kind: key for kind, key in kinds.items() if key is not None}
    if len(named) != 1:
        raise BadInput("shocks", "each shock names exactly one of symbol, assetClass, currency, factor")
    ((kind, key),) = named.items()
    if kind in ("symbol", "factor"):
        (instrument,) = await read_symbols(context, [key], "shocks", 1)
        if kind == "factor":
            factors[instrument] = None
        key = str(instrument)
    elif kind == "currency":
        code = key.strip().upper()
        # Pairs are quoted in any coin; what meets nothing is told of.
        key = read_currency(where, key) if code in FIATS or code in MINOR_UNITS else code
    return {"kind": kind, "key": str(key), "change": given.change}


async def stressed(
    context: Context, subject: Subject, asked: Stress, span: Span, missing: MissingPrices
) -> StressReport:
    """Windows by their own prices, scenarios by the span's, which only factors need."""
    own = asked.currencies.get(subject.currency or "")
    if own is not None:
        told = f"{subject.currency} is the currency that the portfolio is valued in: it cannot move against itself"
        raise BadInput(own, told)
    held = list(subject.weights)
    replays = (_replayed(context, subject, window, missing) for window in asked.windows)
    outcomes = list(await asyncio.gather(*replays))
    if asked.scenarios:
        outcomes += await _shocked(context, subject, asked, span, missing)
    return StressReport(
        symbols=[str(each) for each in held], weights=[subject.weights[each] for each in held], outcomes=outcomes
    )  # fmt: skip


async def _replayed(context: Context, subject: Subject, window: Window, missing: MissingPrices) -> StressOutcome:
    """In the order of what is held; who has no prices there is left without a change, and named."""
    if not subject.weights:
        return StressOutcome.of(_nothing(window), None)
    span = Span(start=window.start - BEFORE, end=window.end + timedelta(days=1))
    panel = await read_panel(context, list(subject.weights), span, subject.currency)
    request = await plain(panel, missing)
    lost = [each for each in subject.weights if each not in panel.instruments]
    request["symbols"] = [*request["symbols"], *(str(each) for each in lost)]
    request["closes"] = [*request["closes"], *([None] * len(panel.dates) for _ in lost)]
    day = {"name": window.name, "start": window.start.isoformat(), "end": window.end.isoformat()}
    try:
        told = await _run(context, subject, request, windows=[day])
    except NotComputable as refused:
        return StressOutcome.of({**_nothing(window), **_lost(subject, refused)}, panel)
    failures = panel.failures or {}
    why = [f"{each}: {failures[each].message}" for each in lost if each in failures]
    return StressOutcome.of(_ordered(told, subject), panel, why)


async def _shocked(
    context: Context, subject: Subject, asked: Stress, span: Span, missing: MissingPrices
) -> list[StressOutcome]:
    """In their order: those without factors need no prices, and are there also where the others cannot be reckoned."""
    currencies = await currencies_of(context, list(subject.weights)) if asked.currencies else {}
    assets = {
        str(each): {"class": each.asset_class.value, "currency": currencies.get(each, "")} for each in subject.weights
    }  # fmt: skip
    more = {"windows": [], "assets": assets, "foreign": await _foreign(context, subject) if asked.currencies else {}}
    free = [each for each in asked.scenarios if not _factors(each)]
    outcomes: dict[int, StressOutcome] = {}
    if free:
        symbols = [str(each) for each in subject.weights] or [CASH]
        request = {"symbols": symbols, "dates": [], "closes": [[] for _ in symbols]}
        outcomes |= _told(free, await _run(context, subject, request, scenarios=free, **more), subject, None)
    bound = [each for each in asked.scenarios if _factors(each)]
    if bound and not subject.weights:
        outcomes |= _all_lost(bound, subject, NotComputable(CASH_ALONE))
    elif bound:
        wanted = tuple(dict.fromkeys([*subject.weights, *asked.factors]))
        panel = await read_panel(context, wanted, span, subject.currency)
        basis = Basis(context=context, panel=panel, missing=missing)
        for each in bound:
            try:
                request = await basis.request([*subject.weights, *map(parse_instrument, _factors(each))])
            except NotComputable as refused:
                outcomes |= _all_lost([each], subject, refused)
        left = [each for each in bound if id(each) not in outcomes]
        try:
            told = await _run(context, subject, request, scenarios=left, **more) if left else None
        except NotComputable as refused:
            outcomes |= _all_lost(left, subject, refused)
        else:
            outcomes |= _told(left, told, subject, panel) if told else {}
    return [outcomes[id(each)] for each in asked.scenarios]


def _factors(scenario: Mapping[str, Any]) -> list[str]:
    return [shock["key"] for shock in scenario["shocks"] if shock["kind"] == "factor"]


def _told(
    scenarios: Sequence[Mapping[str, Any]], told: Mapping[str, Any], subject: Subject, panel: Panel | None
) -> dict[int, StressOutcome]:
    places = _places(told, subject)
    answers = zip(scenarios, told["scenarios"], strict=True)
    return {id(scenario): StressOutcome.of(_placed(each, places), panel) for scenario, each in answers}


async def _foreign(context: Context, subject: Subject) -> dict[str, float]:
    """Cash in other currencies than the one that all is valued in, as weights."""
    held = subject.holdings
    if held is None or not held.value:
        return {}
    invested = sum((each.value or Decimal(0) for each in held.positions), Decimal(0))
    cash = await cash_of(context, held, held.value - invested)
    if UNKNOWN in cash:
        raise NotComputable(
            f"no rates of {', '.join(held.cash)} now: what shocks of currencies do to cash is not known"
        )
    return {each: float(worth / held.value) for each, worth in cash.items() if each != subject.currency}


def _nothing(window: Window) -> dict[str, Any]:
    """Of a portfolio of nothing but cash."""
    return {
        "name": window.name, "kind": "window", "method": "cash stays as it is", "start": window.start.isoformat(),
        "end": window.end.isoformat(), "change": 0.0, "drawdown": 0.0, "count": None, "dropped": [], "changes": [],
        "contributions": [], "cash_contribution": 0.0, "warnings": [],
    }  # fmt: skip


def _all_lost(
    scenarios: Sequence[Mapping[str, Any]], subject: Subject, refused: NotComputable
) -> dict[int, StressOutcome]:
    told = {
        "kind": "shock", "method": "symbol before class before factors, then currency", "start": None, "end": None,
        "count": None, "dropped": [], "cash_contribution": 0.0, **_lost(subject, refused),
    }  # fmt: skip
    return {id(each): StressOutcome.of({**told, "name": each["name"]}, None) for each in scenarios}


def _lost(subject: Subject, refused: NotComputable) -> dict[str, Any]:
    """What is not there, and why, where one window or scenario cannot be reckoned."""
    nothing = [None] * len(subject.weights)
    return {
        "change": None, "drawdown": None, "changes": nothing, "contributions": nothing, "warnings": [refused.message],
    }  # fmt: skip


async def _run(context: Context, subject: Subject, request: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    weights = {str(instrument): weight for instrument, weight in subject.weights.items()} or {CASH: 0.0}
    given = {**request, "weights": weights, "cash": subject.cash, **more}
    told: dict[str, Any] = await context.service(Computing).run(context.tenant, f"{RISK}:stress", given)
    return told


def _ordered(told: Mapping[str, Any], subject: Subject) -> Mapping[str, Any]:
    return _placed(told["scenarios"][0], _places(told, subject))


def _places(told: Mapping[str, Any], subject: Subject) -> list[int]:
    return [told["symbols"].index(str(each)) for each in subject.weights]


def _placed(outcome: Mapping[str, Any], places: Sequence[int]) -> dict[str, Any]:
    columns = {name: [outcome[name][place] for place in places] for name in ("changes", "contributions")}
    return {**outcome, **columns}
