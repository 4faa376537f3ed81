"""The tasks `hedge` and `exposure`; `tasks_risk` describes what requests and answers share, and offers them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from gateway.core.quant.exposure import Exposure, Holding
from gateway.core.quant.exposure import exposure as exposed
from gateway.core.quant.hedging import beta_ratio, minimum_variance_ratio
from gateway.core.quant.hedging import hedge as hedged
from gateway.core.quant.observations import Array, Observations, known, number, observe, read_prices, read_weights
from gateway.core.quant.risk_answers import Notes, annual, decimal, missing_of, plain, required, sampled
from gateway.core.quant.sizing import Contract, basis, cost, order
from gateway.core.quant.tails import spread

DAYS = "30"


def hedge(request: Mapping[str, Any]) -> dict[str, Any]:
    """What candidates would do against a position. Money goes in and out as decimal strings.

    Request: panel, weights (of the position: {symbol: 1.0} for a single spot), and
        value       of the position in the panel's currency, under 0 for a short one
        candidates  list of {symbol (of the panel), price, size, step, fee_rate, spread_rate, funding_rate (a day),
                    days_to_expiry, spot_price (for the basis), paid_in (symbol of the panel: of the money that it is
                    bought with, whose returns it does not earn)}; all but symbol and price may be left out
        benchmark   symbol of the panel for the beta hedge; target_beta, default 0.0
        days        to hold the hedge, default 30: fees and spread for in and out, funding a day
    Answer: {unhedged: figure (volatility a year), candidates: [{symbol, proposals: [{kind: "minimum_variance" | "beta",
        ratio: figure, contracts, exact_contracts, value (signed; under 0 is sold), rounded_ratio: float,
        effectiveness: figure (1 − var(hedged)/var(unhedged), at the rounded ratio), r_squared: figure (at the exact),
        residual: figure (volatility a year at the rounded ratio), residual_value (× |position|),
        cost: {fees, spread, funding, total, days}}], basis: {absolute, relative, annual} | None, warnings}],
        count, start, end, dropped, warnings}
    Candidates are ordered by their least residual; one that cannot be computed has no proposals, and a warning.
    """
    prices = read_prices(request)
    held, weights = read_weights(request, prices.symbols)
    benchmark = request.get("benchmark")
    given = request["candidates"]
    paid = [one["paid_in"] for one in given if one.get("paid_in")]
    used = known([*held, *(one["symbol"] for one in given), *paid, *([benchmark] if benchmark else [])], prices.symbols)
    observed = observe(prices, missing_of(request), used)
    position = observed.returns[:, : len(held)] @ weights
    answers = [against(one, observed, position, request) for one in given]
    answers.sort(key=lambda answer: min((p["residual"]["value"] for p in answer["proposals"]), default=float("inf")))
    words = "standard deviation of the position's returns, times √n"
    return {
        "unhedged": annual(observed, spread(position), words, 1),
        "candidates": answers,
        **sampled(observed, Notes()),
    }


def against(
    given: Mapping[str, Any], observed: Observations, position: Array, request: Mapping[str, Any]
) -> dict[str, Any]:
    notes, instrument = Notes(), observed.of(given["symbol"])
    if given.get("paid_in"):
        instrument = instrument - observed.of(given["paid_in"])
    contract = read_contract(given)
    benchmark, target = request.get("benchmark"), number(request.get("target_beta", 0.0), "target_beta")
    ratios = {"minimum_variance": lambda: minimum_variance_ratio(position, instrument)}
    if benchmark:
        ratios["beta"] = lambda: beta_ratio(position, instrument, observed.of(benchmark), target)
    proposals = []
    for kind, ratio in ratios.items():
        found = notes.attempt(f"{kind} hedge with {given['symbol']}", ratio)
        if found is None:
            continue
        made = notes.attempt(
            f"{kind} hedge with {given['symbol']}",
            partial(proposal, kind, found, observed, position, instrument, contract, request),
        )
        if made is not None:
            proposals.append(made)
    spot, expiry = decimal(given, "spot_price"), decimal(given, "days_to_expiry")
    between = basis(spot, contract.price, expiry) if spot is not None else None
    texts = {"absolute": between.absolute, "relative": between.relative, "annual": between.annual} if between else None
    return {
        "symbol": given["symbol"],
        "proposals": proposals,
        "basis": texts and {name: None if value is None else plain(value) for name, value in texts.items()},
        "warnings": notes.lines,
    }


def proposal(
    kind: str,
    ratio: float,
    observed: Observations,
    position: Array,
    instrument: Array,
    contract: Contract,
    request: Mapping[str, Any],
) -> dict[str, Any]:
    value, days = required(request, "value"), required({"days": DAYS, **request}, "days")
    placed = order(Decimal(repr(ratio)), value, contract)
    costs = cost(placed, contract, days)
    exact, rounded = hedged(position, instrument, ratio), hedged(position, instrument, float(placed.ratio))
    residual = rounded.residual * observed.periods**0.5
    names = {"minimum_variance": "cov(s, f) / var(f)", "beta": "(β_s - β*) / β_f, to the benchmark"}
    return {
        "kind": kind,
        "ratio": observed.figure(ratio, names[kind]),
        "contracts": plain(placed.contracts),
        "exact_contracts": plain(placed.exact),
        "value": plain(placed.value),
        "rounded_ratio": float(placed.ratio),
        "effectiveness": observed.figure(rounded.effectiveness, "1 - var(hedged) / var(unhedged), rounded contracts"),
        "r_squared": observed.figure(exact.effectiveness, "1 - var(hedged) / var(unhedged), exact ratio"),
        "residual": annual(observed, rounded.residual, "standard deviation of s - h f, times √n, rounded contracts", 1),
        "residual_value": plain(abs(value) * Decimal(repr(residual))),
        "cost": {
            "fees": plain(costs.fees),
            "spread": plain(costs.spread),
            "funding": plain(costs.funding),
            "total": plain(costs.total),
            "days": plain(days),
        },
    }


def read_contract(given: Mapping[str, Any]) -> Contract:
    fields = ("size", "step", "fee_rate", "spread_rate", "funding_rate")
    rest = {field: value for field in fields if (value := decimal(given, field)) is not None}
    return Contract(price=required(given, "price"), **rest)


def exposure(request: Mapping[str, Any]) -> dict[str, Any]:
    """Exposure by class, currency, sector and name; the same as `exposure.exposure`, which needs no other process.

    Request: {holdings: [{symbol, value, class, currency, sector}], cash: {currency: value}}, all values decimal strings
    in the portfolio's currency. Answer: {equity, cash, long, short, gross, net, leverage, dimensions: [{name:
    "class" | "currency" | "sector" | "name", concentration | None, groups: [{key, long, short, gross, net,
    gross_weight, net_weight}]}]}, numbers as decimal strings.
    """
    holdings = [
        Holding(
            symbol=held["symbol"],
            value=required(held, "value"),
            asset_class=held.get("class") or "UNKNOWN",
            currency=held.get("currency") or "UNKNOWN",
            sector=held.get("sector") or "UNKNOWN",
        )
        for held in request["holdings"]
    ]
    cash = request.get("cash") or {}
    return exposure_of(exposed(holdings, {currency: required(cash, currency) for currency in cash}))


def exposure_of(found: Exposure) -> dict[str, Any]:
    sums = ("equity", "cash", "long", "short", "gross", "net", "leverage")
    columns = ("long", "short", "gross", "net", "gross_weight", "net_weight")
    return {
        **{name: plain(getattr(found, name)) for name in sums},
        "dimensions": [
            {
                "name": dimension.name,
                "concentration": None if dimension.concentration is None else plain(dimension.concentration),
                "groups": [
                    {"key": group.key, **{name: plain(getattr(group, name)) for name in columns}}
                    for group in dimension.groups
                ],
            }
            for dimension in found.dimensions
        ],
    }
