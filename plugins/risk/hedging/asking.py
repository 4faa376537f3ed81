"""From a wish to what the hedge task takes: the position, what is known of candidates, prices of all."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from inspect import isawaitable
from typing import Any, cast

from gateway.core.contract import Context
from gateway.core.ports import Desk, Panel
from gateway.core.quant.refusals import NotComputable
from plugins.risk.analysis.basis import RISK, Basis, read_panel, read_span
from plugins.risk.analysis.data import PriceData, dates_of, money, rounded, sure_figure
from plugins.risk.analysis.subject import held_as_weights, read_holdings
from plugins.risk.hedging.inputs import HedgeCandidateInput, HedgedPositionInput, HedgeInput
from plugins.risk.hedging.types import HedgeAnalysis, HedgeBasis, HedgeCandidate, HedgeProposal
from plugins.risk.symbols import read_symbols
from schema.currencies import read_currency
from schema.errors import BadInput, FailureCode, MarketgateError, NoAnswer
from schema.symbols import AssetClass, InstrumentId
from schema.words.derivatives import FUNDING_RATES, FundingRate, FundingRatesAsk
from schema.words.instruments import Instrument, expiry_of
from schema.words.quotes import Quote

MOST_CANDIDATES = 20
MOST_DAYS = 3_650
MOST_BETA = 100.0
LEAST, MOST = Decimal(10) ** -18, Decimal(10) ** 18
BPS = Decimal(10_000)
ONE, FINE = Decimal(1), Decimal("0.00000001")
DAY_MS = 86_400_000
USUAL_FUNDING_MS = 28_800_000
"""Funding is paid every eight hours where nobody says how often."""
_FACTS = frozenset({"stepSize", "contractSize"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What is to be hedged, in one currency."""

    weights: Mapping[InstrumentId, float]
    cash: float
    value: Decimal
    currency: str
    spot: tuple[InstrumentId, Decimal] | None
    """The instrument and its price, where it is one alone."""
    money: Mapping[str, float] = field(default_factory=dict)
    """Weights of other currencies, beside those of `weights`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An instrument to hedge with, and what is assumed of it."""

    instrument: InstrumentId
    price: Decimal
    size: Decimal
    step: Decimal
    fee: Decimal
    spread: Decimal
    funding: Decimal
    expiry: dt.date | None
    warnings: tuple[str, ...]
    paid_in: str | None = None
    """See `HedgeWith`."""

    def request(self, spot: Decimal | None, today: dt.date) -> dict[str, Any]:
        """As the task takes it: rates as fractions, decimals as texts."""
        told = {
            "symbol": str(self.instrument), "price": self.price, "size": self.size, "step": self.step,
            "fee_rate": self.fee / BPS, "spread_rate": self.spread / BPS, "funding_rate": self.funding,
        }  # fmt: skip
        if self.paid_in is not None:
            told["paid_in"] = self.paid_in
        if spot is not None:
            told["spot_price"] = spot
            if self.expiry is not None and self.expiry > today:
                told["days_to_expiry"] = Decimal((self.expiry - today).days)
        return {name: format(value, "f") if isinstance(value, Decimal) else value for name, value in told.items()}


async def hedged(
    context: Context, wish: HedgeInput, known: Position | None = None, paid: Mapping[str, str] | None = None
) -> HedgeAnalysis:
    """What each candidate would do; *known* is what is to be hedged, where it stands in no portfolio; *paid* are the
    currencies that candidates are bought with, where that is not the analysis's."""
    _check(wish)
    span = read_span(context, wish.start, wish.end)
    ids = await read_symbols(context, [each.symbol for each in wish.candidates], "candidates", MOST_CANDIDATES)
    benchmark = (await read_symbols(context, [wish.benchmark], "benchmark", 1))[0] if wish.benchmark else None
    position = await _position(context, wish) if known is None else known
    held = [str(each) for each in ids if each in position.weights]
    if held:
        raise BadInput("candidates", f"{held[0]} is what is to be hedged: sell it, or give another instrument")
    candidates, warnings = await _candidates(context, ids, wish.candidates, position.currency)
    candidates = {each: replace(one, paid_in=(paid or {}).get(str(each))) for each, one in candidates.items()}
    wanted = tuple(dict.fromkeys([*position.weights, *candidates, *([benchmark] if benchmark else [])]))
    bought = {each.paid_in for each in candidates.values() if each.paid_in is not None}
    panel = await read_panel(context, wanted, span, position.currency, sorted({*position.money, *bought}))
    if lost := sorted({*position.money} - {*panel.rates}):
        raise NotComputable(f"nobody has rates of the past from {', '.join(lost)} to {position.currency}")
    failures = _unrated(candidates, panel) | {**(panel.failures or {})}
    without = [each for each in candidates if each in failures]
    warnings += [f"{each}: {failures[each].message}" for each in without]
    usable = [each for instrument, each in candidates.items() if instrument not in failures]
    if not usable:
        raise NotComputable(f"no candidate can be compared: {'; '.join(warnings)}")
    told = await Basis(context=context, panel=panel, missing=wish.missing).run(
        f"{RISK}:hedge", [each for each in wanted if each not in without],
        weights={str(each): weight for each, weight in position.weights.items()} | {**position.money},
        cash=position.cash, value=format(position.value, "f"), target_beta=wish.target_beta, days=str(wish.days),
        candidates=[each.request(_spot(position, each), context.now.date()) for each in usable],
        benchmark=str(benchmark) if benchmark else None,
    )  # fmt: skip
    by_name = {str(each.instrument): each for each in usable}
    return HedgeAnalysis(
        currency=position.currency, value=money(position.value, position.currency),
        unhedged=sure_figure(told["unhedged"]),
        candidates=[_told(each, by_name[each["symbol"]], position.currency) for each in told["candidates"]],
        dropped=dates_of(told["dropped"]), warnings=[*warnings, *told["warnings"]], data=PriceData.of(panel),
    )  # fmt: skip


def _check(wish: HedgeInput) -> None:
    """BadInput names the number that is beyond all reason."""
    if not 1 <= wish.days <= MOST_DAYS:
        raise BadInput("days", f"must be 1 to {MOST_DAYS}, not {wish.days}")
    if not abs(wish.target_beta) <= MOST_BETA:
        raise BadInput("targetBeta", f"must be from -{MOST_BETA:g} to {MOST_BETA:g}, not {wish.target_beta:g}")
    for number, each in enumerate(wish.candidates):
        where = f"candidates.{number}"
        for name, size in (("contractSize", each.contract_size), ("lot", each.lot)):
            if size is not None and not LEAST <= size <= MOST:
                told = f"must be above 0 and at most {MOST:f}: leave it out for the instrument's own"
                raise BadInput(f"{where}.{name}", told)
        for name, points in (("feeBps", each.fee_bps), ("spreadBps", each.spread_bps)):
            if points is not None and not 0 <= points <= BPS:
                raise BadInput(f"{where}.{name}", f"must be 0 to {BPS} basis points")
        if each.funding_per_day is not None and abs(each.funding_per_day) > ONE:
            raise BadInput(f"{where}.fundingPerDay", "must be from -1 to 1: 0.0003 is 0.03 % a day")


async def _candidates(
    context: Context, ids: Sequence[InstrumentId], given: Sequence[HedgeCandidateInput], currency: str
) -> tuple[dict[InstrumentId, Candidate], list[str]]:
    """Those that are quoted, and why the others are not compared."""
    asked = (_candidate(context, each, wish, currency) for each, wish in zip(ids, given, strict=True))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    found: dict[InstrumentId, Candidate] = {}
    warnings = []
    for instrument, answer in zip(ids, answers, strict=True):
        if isinstance(answer, MarketgateError):
            warnings.append(f"{instrument}: {answer.message}")
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[instrument] = answer
    return found, warnings


def _unrated(candidates: Mapping[InstrumentId, Candidate], panel: Panel) -> dict[InstrumentId, NoAnswer]:
    """Those that are paid in money without rates of the past."""
    told = "nobody has rates of the past from {}, in which it is paid"
    return {
        name: NoAnswer(str(name), FailureCode.NOT_COVERED, told.format(each.paid_in), ())
        for name, each in candidates.items()
        if each.paid_in is not None and each.paid_in not in panel.rates
    }


async def _position(context: Context, wish: HedgeInput) -> Position:
    if (wish.portfolio_id is None) == (wish.position is None):
        raise BadInput("portfolioId", "give portfolioId or position, one of the two")
    if wish.position is not None:
        return await _single(
            context, wish.position, None if wish.currency is None else read_currency("currency", wish.currency)
        )
    holdings = await read_holdings(context, str(wish.portfolio_id))
    if wish.currency is not None and wish.currency.strip().upper() != holdings.currency:
        raise BadInput("currency", f"a portfolio is hedged in its own currency, {holdings.currency}: leave it out")
    subject = held_as_weights(holdings)
    return Position(
        weights=subject.weights, cash=subject.cash, value=holdings.value or Decimal(0), currency=holdings.currency,
        spot=None,
    )  # fmt: skip


async def _single(context: Context, given: HedgedPositionInput, currency: str | None) -> Position:
    if given.quantity == 0:
        raise BadInput("position", "the quantity is 0: there is nothing to hedge")
    if not LEAST <= abs(given.quantity) <= MOST:
        raise BadInput("position", f"the quantity has 18 digits behind the point and is {MOST:f} at most")
    (instrument,) = await read_symbols(context, [given.symbol], "position", 1)
    quote = await quote_of(context, instrument, currency)
    return Position(
        weights={instrument: 1.0}, cash=0.0, value=given.quantity * quote.price, currency=quote.currency,
        spot=(instrument, quote.price),
    )  # fmt: skip


async def _candidate(
    context: Context, instrument: InstrumentId, given: HedgeCandidateInput, currency: str
) -> Candidate:
    quote = await quote_of(context, instrument, currency)
    facts = await _facts(context, instrument)
    funding, warnings = await _funding(context, instrument, given)
    spread = given.spread_bps
    if spread is None:
        spread = _spread(quote)
        warnings += () if spread is not None else (f"{instrument}: nobody tells bid and ask, so no spread is counted",)
    if instrument.settle and instrument.settle == instrument.base:
        warnings += (f"{instrument} is settled in {instrument.settle}: its profit is not linear in the price",)
    divided = instrument.asset_class is AssetClass.CRYPTO
    expiry = expiry_of(instrument)
    return Candidate(
        instrument=instrument, price=quote.price, fee=given.fee_bps, spread=spread or Decimal(0), funding=funding,
        size=given.contract_size or (facts.contract_size if facts else None) or ONE,
        step=given.lot or (facts.step_size if facts else None) or (FINE if divided else ONE),
        expiry=expiry.date() if expiry else None, warnings=warnings,
    )  # fmt: skip


def _spread(quote: Quote) -> Decimal | None:
    """In basis points of the price; None where nobody tells it."""
    if quote.bid is None or quote.ask is None or quote.ask < quote.bid:
        return None
    return rounded((quote.ask - quote.bid) / quote.price * BPS)


async def quote_of(context: Context, instrument: InstrumentId, currency: str | None) -> Quote:
    """The price of now; NotComputable where nobody tells one above 0."""
    quote = await context.service(Desk).quote(context, instrument, None, currency)
    if quote is None or quote.price <= 0:
        raise NotComputable(f"nobody quotes {instrument} above 0: what it is worth is not known")
    return quote


async def _facts(context: Context, instrument: InstrumentId) -> Instrument | None:
    try:
        described = context.describe(instrument, _FACTS)
        return await described if isawaitable(described) else described
    except MarketgateError:
        return None


async def _funding(
    context: Context, instrument: InstrumentId, given: HedgeCandidateInput
) -> tuple[Decimal, tuple[str, ...]]:
    """A day; 0 for what is no perpetual."""
    if given.funding_per_day is not None:
        return given.funding_per_day, ()
    if not instrument.settle or instrument.expiry:
        return Decimal(0), ()
    try:
        fetched = await context.market.fetch(FUNDING_RATES, FundingRatesAsk(instruments=(instrument,)))
    except NoAnswer as error:
        return Decimal(0), (f"{instrument}: nobody tells its funding rate, so none is counted ({error.message})",)
    rate = cast(FundingRate, fetched.value)
    return rounded(rate.rate * DAY_MS / (rate.interval_ms or USUAL_FUNDING_MS)), ()


def _spot(position: Position, candidate: Candidate) -> Decimal | None:
    """The price that a basis is counted from: of the same underlying."""
    if position.spot is None:
        return None
    instrument, price = position.spot
    return price if instrument.base == candidate.instrument.base else None


def _told(told: Mapping[str, Any], known: Candidate, currency: str) -> HedgeCandidate:
    symbol = str(known.instrument)
    return HedgeCandidate(
        symbol=symbol, price=known.price, contract_size=known.size, lot=known.step, spread_bps=known.spread,
        fee_bps=known.fee, funding_per_day=known.funding, expiry=known.expiry, basis=_basis(told["basis"]),
        proposals=[HedgeProposal.of(each, symbol, known.price, currency) for each in told["proposals"]],
        warnings=[*known.warnings, *told["warnings"]],
    )  # fmt: skip


def _basis(told: Mapping[str, str | None] | None) -> HedgeBasis | None:
    if told is None:
        return None
    absolute, relative, annual = told["absolute"], told["relative"], told["annual"]
    return HedgeBasis(
        absolute=rounded(Decimal(absolute or 0)), relative=rounded(Decimal(relative or 0)),
        annual=rounded(Decimal(annual)) if annual else None,
    )  # fmt: skip
