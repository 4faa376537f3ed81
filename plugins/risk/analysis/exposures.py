"""Exposure of what a portfolio holds by class, currency, sector and single name: exact decimals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Self, cast

from gateway.core.contract import Context
from gateway.core.ports import Holdings
from gateway.core.quant.exposure import UNKNOWN, Dimension, Exposure, Holding, exposure
from plugins.risk.analysis.data import money, rounded
from plugins.risk.analysis.subject import Subject
from schema.errors import NoAnswer
from schema.model import described, model
from schema.symbols import AssetClass, InstrumentId
from schema.words.companies import COMPANY_PROFILE, CompanyProfile, CompanyProfileAsk
from schema.words.quotes import QUOTES, Quote, QuotesAsk

MOST_PROFILES = 50
"""Companies whose sectors are asked for, the largest positions."""
AT_A_TIME = 8
_TRADED_IN_SESSIONS = frozenset({AssetClass.EQUITY, AssetClass.INDEX})


@model("Positions that share a class, a currency, a sector or a name.")
class ExposureGroup:
    """Values in the portfolio's currency; weights are fractions of its value."""

    key: str = described("What they share; `UNKNOWN` where nobody says.")
    long: Decimal = described("Of long positions.")
    short: Decimal = described("Of short positions, not above 0.")
    gross: Decimal = described("long - short.")
    net: Decimal = described("long + short.")
    gross_weight: Decimal = described("gross / value.")
    net_weight: Decimal = described("net / value.")


@model("All groups of one kind.")
class ExposureDimension:
    """The largest first."""

    concentration: Decimal | None = described(
        "Herfindahl-Hirschman index of the gross exposures, from 1 / groups to 1; null where nothing is held.",
        default=None,
    )
    groups: list[ExposureGroup] = described("The groups, the largest gross exposure first.")

    @classmethod
    def of(cls, found: Dimension, shown: Callable[[Decimal], Decimal]) -> Self:
        """From the core's, with sums as they are shown."""
        groups = [
            ExposureGroup(
                key=each.key, long=shown(each.long), short=shown(each.short), gross=shown(each.gross),
                net=shown(each.net),
                gross_weight=rounded(each.gross_weight), net_weight=rounded(each.net_weight),
            )
            for each in found.groups
        ]  # fmt: skip
        concentration = None if found.concentration is None else rounded(found.concentration)
        return cls(concentration=concentration, groups=groups)


@model("What a portfolio is exposed to, in its currency.")
class RiskExposure:
    """Of what is held now, or of weights: then the value is 1."""

    currency: str | None = described("The portfolio's; null where weights were given without one.", default=None)
    value: Decimal = described("Of everything.")
    cash: Decimal = described("Of the cash.")
    long: Decimal = described("Of long positions.")
    short: Decimal = described("Of short positions, not above 0.")
    gross: Decimal = described("long - short.")
    net: Decimal = described("long + short.")
    leverage: Decimal = described("gross / value.")
    by_class: ExposureDimension = described("By asset class.")
    by_currency: ExposureDimension = described("By the currency of the prices, cash included.")
    by_sector: ExposureDimension = described("By sector, in the classification of whoever told it.")
    by_name: ExposureDimension = described("By instrument.")

    @classmethod
    def of(cls, found: Exposure, currency: str | None, shown: Callable[[Decimal], Decimal]) -> Self:
        """From the core's, with sums as they are shown."""
        by = {dimension.name: ExposureDimension.of(dimension, shown) for dimension in found.dimensions}
        return cls(
            currency=currency, value=shown(found.equity), cash=shown(found.cash), long=shown(found.long),
            short=shown(found.short), gross=shown(found.gross), net=shown(found.net),
            leverage=rounded(found.leverage), by_class=by["class"], by_currency=by["currency"],
            by_sector=by["sector"], by_name=by["name"],
        )  # fmt: skip


async def exposure_of(context: Context, subject: Subject) -> RiskExposure:
    """Of what is held in money, to the minor unit; of weights the value is 1. NotComputable where it is not above 0."""
    if subject.holdings is not None:
        values, cash = await values_of(context, subject.holdings)
        currency = subject.holdings.currency
        return await _exposed(context, values, cash, currency, partial(money, currency=currency))
    values = {instrument: Decimal(repr(weight)) for instrument, weight in subject.weights.items()}
    cash = {subject.currency or UNKNOWN: Decimal(repr(subject.cash))} if subject.cash else {}
    return await _exposed(context, values, cash, subject.currency, rounded)


async def _exposed(
    context: Context, values: Mapping[InstrumentId, Decimal], cash: Mapping[str, Decimal], currency: str | None,
    shown: Callable[[Decimal], Decimal],
) -> RiskExposure:  # fmt: skip
    largest = sorted(values, key=lambda each: (-abs(values[each]), str(each)))
    currencies, sectors = await asyncio.gather(currencies_of(context, largest), sectors_of(context, largest))
    holdings = [
        Holding(
            symbol=str(each), value=values[each], asset_class=each.asset_class.value,
            currency=currencies.get(each, UNKNOWN), sector=sectors.get(each, UNKNOWN),
        )
        for each in largest
    ]  # fmt: skip
    return RiskExposure.of(exposure(holdings, cash), currency, shown)


async def values_of(context: Context, held: Holdings) -> tuple[dict[InstrumentId, Decimal], dict[str, Decimal]]:
    """Values of positions, and of the cash by its currencies, in the portfolio's."""
    values: dict[InstrumentId, Decimal] = {}
    for each in held.positions:
        values[each.instrument] = values.get(each.instrument, Decimal(0)) + (each.value or Decimal(0))
    left = (held.value or Decimal(0)) - sum(values.values(), Decimal(0))
    return values, await cash_of(context, held, left)


async def cash_of(context: Context, held: Holdings, left: Decimal) -> dict[str, Decimal]:
    """What all cash is worth, in the shares that its currencies have of it; `UNKNOWN` where one has no rate."""
    amounts = {currency: amount for currency, amount in held.cash.items() if amount}
    if not amounts:
        return {UNKNOWN: left} if left else {}
    if len(amounts) == 1:
        return dict.fromkeys(amounts, left)
    try:
        rates = {
            each: Decimal(1) if each == held.currency else (await context.market.rate(each, held.currency)).value
            for each in amounts
        }
    except NoAnswer:
        rates = {}
    worth = {each: amounts[each] * rate for each, rate in rates.items()}
    total = sum(worth.values(), Decimal(0))
    if not worth:
        return {UNKNOWN: left}
    return {each: left * part / total for each, part in worth.items()} if total else worth


async def currencies_of(context: Context, instruments: Sequence[InstrumentId]) -> dict[InstrumentId, str]:
    """Of their prices: what their ids say, else what their quotes say; nothing of those that nobody quotes."""
    found = {each: each.quote for each in instruments if each.quote}
    unsaid = tuple(each for each in instruments if each not in found)
    if unsaid:
        answers = await context.market.fetch_many(QUOTES, QuotesAsk(instruments=unsaid))
        for instrument, answer in answers.items():
            if not isinstance(answer, NoAnswer):
                found[instrument] = cast(Quote, answer.value).currency
    return found


async def sectors_of(context: Context, instruments: Sequence[InstrumentId]) -> dict[InstrumentId, str]:
    """What companies' profiles say; nothing of what has none."""
    gate = asyncio.Semaphore(AT_A_TIME)

    async def one(instrument: InstrumentId) -> str | None:
        async with gate:
            try:
                fetched = await context.market.fetch(COMPANY_PROFILE, CompanyProfileAsk(instrument=instrument))
            except NoAnswer:
                return None
            return cast(CompanyProfile, fetched.value).sector

    asked = [each for each in instruments if each.asset_class in _TRADED_IN_SESSIONS][:MOST_PROFILES]
    told = dict(zip(asked, await asyncio.gather(*(one(each) for each in asked)), strict=True))
    return {instrument: sector for instrument, sector in told.items() if sector}
