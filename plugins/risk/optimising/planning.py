"""From optimal weights to trades: prices of now, lots, the cash by its currencies and what has to be converted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from decimal import Context as Arithmetic
from inspect import isawaitable
from typing import Any

from gateway.core.contract import Context
from gateway.core.ports import Computing, Desk, Holdings, Position
from gateway.core.quant.exposure import UNKNOWN
from gateway.core.quant.refusals import NotComputable
from plugins.risk.analysis.basis import OPTIMISE
from plugins.risk.analysis.data import money
from plugins.risk.analysis.exposures import cash_of, currencies_of
from plugins.risk.optimising.inputs import LotInput, OptimizeInput, TradingCostsInput
from plugins.risk.optimising.types import CashConversion, RebalancingPlan
from plugins.risk.symbols import read_symbols
from schema.currencies import decimals_of
from schema.errors import MarketgateError
from schema.symbols import AssetClass, InstrumentId

MOST_LOTS = 500
WHOLE, FRACTION = Decimal(1), Decimal("0.00000001")
FINE = Arithmetic(prec=12, rounding=ROUND_HALF_EVEN)
"""Of converted prices and of rates across, whose digits have no end otherwise."""
SAME = Decimal("0.000000001")
"""By how much units times price may miss the value that they were divided from."""
_DIVISIBLE = frozenset({AssetClass.CRYPTO, AssetClass.FX, AssetClass.DEX})


async def plan_of(
    context: Context, instruments: Sequence[InstrumentId], held: Holdings, weights: Mapping[str, Any],
    wish: OptimizeInput,
) -> RebalancingPlan:  # fmt: skip
    """The trades that bring a portfolio to the weights, at the prices of now."""
    units: dict[InstrumentId, Decimal] = {}
    for each in held.positions:
        units[each.instrument] = units.get(each.instrument, Decimal(0)) + each.quantity
    prices = {each.instrument: price_of(each) for each in held.positions if each.quantity}
    wanted = [each for each in instruments if each not in prices]
    quoted, lots, currencies, cash = await asyncio.gather(
        quoted_at_once(context, wanted, held.currency), _lots(context, instruments, wish.lots or ()),
        currencies_of(context, instruments), _cash(context, held),
    )  # fmt: skip
    request = {
        "currency": held.currency, "decimals": decimals_of(held.currency), "weights": weights,
        "positions": _plain(units), "prices": _plain({**prices, **quoted}), "cash": _plain(cash), "lots": _plain(lots),
        "currencies": {str(each): currency for each, currency in currencies.items() if currency != held.currency},
        "smallest_trade": format(wish.smallest_trade, "f"), "costs": _costs(wish.costs),
    }  # fmt: skip
    told = await context.service(Computing).run(context.tenant, f"{OPTIMISE}:rebalance", request)
    return RebalancingPlan.of(told, await _conversions(context, told["conversions"], held.currency))


def price_of(position: Position) -> Decimal:
    """The quote where it is in the portfolio's currency, else the quote at the rate that the position is valued by."""
    converted = (position.value or Decimal(0)) / position.quantity
    price = position.price
    return price if price and abs(converted / price - 1) <= SAME else FINE.plus(converted)


async def quoted_at_once(
    context: Context, instruments: Sequence[InstrumentId], currency: str
) -> dict[InstrumentId, Decimal]:  # fmt: skip
    """Of now, in the portfolio's currency; all at once, so that they travel as one batch."""
    desk = context.service(Desk)
    quotes = await asyncio.gather(*(desk.quote(context, each, None, currency) for each in instruments))
    found: dict[InstrumentId, Decimal] = {}
    for instrument, quote in zip(instruments, quotes, strict=True):
        if quote is None:
            raise NotComputable(f"nobody quotes {instrument}: what it would take to hold it is not known")
        found[instrument] = FINE.plus(quote.price) if quote.converted else quote.price
    return found


async def _lots(
    context: Context, instruments: Sequence[InstrumentId], given: Sequence[LotInput]
) -> dict[InstrumentId, Decimal]:
    ids = await read_symbols(context, [each.symbol for each in given], "lots", MOST_LOTS) if given else ()
    own = {instrument: each.lot for instrument, each in zip(ids, given, strict=True)}
    others = [each for each in instruments if each not in own]
    steps = await asyncio.gather(*(step_of(context, each) for each in others))
    return {**dict(zip(others, steps, strict=True)), **{each: own[each] for each in instruments if each in own}}


async def step_of(context: Context, instrument: InstrumentId) -> Decimal:
    """The instrument's own smallest step, where it is known; 1 for what is not divided, 1e-8 for the rest."""
    try:
        described = context.describe(instrument, frozenset({"stepSize"}))
        step = (await described if isawaitable(described) else described).step_size
    except MarketgateError:
        step = None
    return step or (FRACTION if instrument.asset_class in _DIVISIBLE else WHOLE)


async def _cash(context: Context, held: Holdings) -> dict[str, Decimal]:
    """What the cash of each currency is worth in the portfolio's; NotComputable where one has no rate."""
    left = (held.value or Decimal(0)) - sum((each.value or Decimal(0) for each in held.positions), Decimal(0))
    if not any(held.cash.values()):
        return {held.currency: left}
    cash = await cash_of(context, held, left)
    if UNKNOWN in cash:
        told = ", ".join(currency for currency, amount in held.cash.items() if amount and currency != held.currency)
        raise NotComputable(f"no rates of {told} now: what the cash pays for is not known")
    return cash


async def _conversions(
    context: Context, told: Iterable[Mapping[str, str]], home: str
) -> list[CashConversion]:  # fmt: skip
    """With the amounts in their own currencies, at the rates of now."""
    made = list(told)
    foreign = sorted({each[side] for each in made for side in ("from", "to")} - {home})
    found = await asyncio.gather(*(context.market.rate(each, home) for each in foreign))
    rates = {home: Decimal(1), **{each: rate.value for each, rate in zip(foreign, found, strict=True)}}
    conversions = []
    for each in made:
        source, target, worth = each["from"], each["to"], Decimal(each["worth"])
        rate = rates[source] if target == home else FINE.divide(rates[source], rates[target])
        conversions.append(
            CashConversion(
                from_currency=source, to_currency=target, amount=money(worth / rates[source], source), rate=rate,
                received=money(worth / rates[target], target), cost=Decimal(each["cost"]),
            )
        )  # fmt: skip
    return conversions


def _costs(given: TradingCostsInput | None) -> dict[str, str]:
    if given is None:
        return {}
    return {
        "basis_points": format(given.basis_points, "f"), "fixed": format(given.fixed, "f"),
        "minimum": format(given.minimum, "f"),
    }  # fmt: skip


def _plain(numbers: Mapping[Any, Decimal]) -> dict[str, str]:
    return {str(each): format(number, "f") for each, number in numbers.items()}
