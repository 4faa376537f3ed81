"""What the markets say of a condition before it is kept: whether anybody tells what it is about, and in which price."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from gateway.core.contract import Context
from gateway.core.ports import Providers
from plugins.alerts.conditions import PRICED, AlertKind, Condition, usual_price
from plugins.alerts.evaluation.course import price_of
from schema.capability import Capability, Terms
from schema.errors import FailureCode, NoAnswer
from schema.symbols import InstrumentId
from schema.words.derivatives import FUNDING_RATES, FundingRatesAsk
from schema.words.problems import Refused
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

_ABSENT = frozenset({FailureCode.NOT_COVERED, FailureCode.UNKNOWN_INSTRUMENT, FailureCode.NOT_RECORDED})


async def counted_price(
    context: Context, condition: Condition, instrument: InstrumentId | None, wanted: PriceType | None
) -> PriceType | None:
    """Which price counts, of those that are told; None where none does. Refused for what nobody tells.

    Where nobody can be asked now, it is believed.
    """
    known = {str(each.id) for each in context.service(Providers).all()}
    if unknown := [name for name in condition.providers if name not in known]:
        told = f"{unknown[0][:40]!r} is not the id of a provider: `providers` lists them."
        raise Refused("UNKNOWN_PROVIDER", told, "condition")
    if instrument is None or condition.kind is AlertKind.NEWS:
        return None
    if condition.kind is AlertKind.FUNDING:
        await _ask(context, FUNDING_RATES, FundingRatesAsk(instruments=(instrument,)), instrument, Terms())
        return None
    pins = [Terms(providers=(name,)) for name in condition.providers] or [Terms()]
    ask = QuotesAsk(instruments=(instrument,))
    answers = await asyncio.gather(*(_ask(context, QUOTES, ask, instrument, terms) for terms in pins))
    quotes = [cast(Quote, answer) for answer in answers if answer is not None]
    if condition.kind is AlertKind.VOLUME and any(quote.volume is None for quote in quotes):
        raise Refused("NEVER_TRUE", f"Quotes of {instrument} have no volume.", "condition", "volumeAbove")
    return _price_type(instrument, quotes, wanted) if condition.kind in PRICED else None


def _price_type(instrument: InstrumentId, quotes: list[Quote], wanted: PriceType | None) -> PriceType:
    """The one that is wanted, else the usual one, else the one that the quotes have."""
    usual = wanted or usual_price(instrument)
    lacking = [quote for quote in quotes if price_of(quote, usual) is None]
    if not lacking:
        return usual
    kind = lacking[0].price_type
    if wanted is None and all(price_of(quote, kind) is not None for quote in quotes):
        return kind
    told = f"The quotes of {instrument} by {lacking[0].provenance.provider} have no price of the type {usual.value}: "
    raise Refused("NEVER_TRUE", f"{told}theirs is {kind.value}.", "priceType")


async def _ask(
    context: Context, capability: Capability[Any, Any], ask: Any, instrument: InstrumentId, terms: Terms
) -> Any:
    """The answer; None where nobody can be asked now."""
    try:
        return (await context.market.fetch(capability, ask, terms)).value
    except NoAnswer as error:
        if error.code not in _ABSENT:
            return None
        whom = f"{terms.providers[0]} tells" if terms.providers else "Nobody tells"
        told = f"{whom} no {capability.name} of {instrument}." if terms.providers else (
            f"{whom} {capability.name} of {instrument}: {error.message}."
        )  # fmt: skip
        raise Refused("UNKNOWN_SYMBOL", told, "symbol") from None
