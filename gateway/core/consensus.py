"""Consensus over several providers' quotes: who counts, the middle, and who is off.

Outliers by the median absolute deviation (Hampel's identifier): a value counts as one when it is farther from the
median than `K` scaled deviations (1.4826 × MAD estimates sigma for normal data) and than a floor in basis points,
because the deviation is 0 when most agree. With fewer than three usable values nobody is an outlier.

Values are compared with their like: a fixing joins fixings of the same day only, never a last price or a middle. Of an
index the levels count that providers quote; the closes of economic series (FRED's SP500) are of another day and kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal
from statistics import median
from typing import cast

from gateway.core.fetchlog import Fetched
from gateway.core.health import failure_of
from gateway.core.stamping import Newest, age_of, not_known
from schema.errors import FailureCode, NoAnswer, NotCovered, QuorumNotMet, Stale, UnknownInstrument, UpstreamError
from schema.provenance import DataMode, FeedDelay, ProviderFailure
from schema.symbols import AssetClass, InstrumentId
from schema.words.consensus import Consensus, ConsensusSource
from schema.words.quotes import PriceType, Quote
from schema.words.rates import FxRate, FxRatesAsk
from schema.words.venues import MarketState

K = Decimal(5)
SIGMA = Decimal("1.4826")
FLOOR_BPS = Decimal(25)
_LIVE = DataMode.LIVE.value
_WIDE = Context(prec=200)  # prices of hostile or broken sources may lie a hundred digits apart
_EXTENDED = frozenset({MarketState.PRE, MarketState.POST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the caller asks of a consensus."""

    quorum: int
    max_age: timedelta | None
    now: datetime
    newest: Newest = not_known


def rates_ask_of(instrument: InstrumentId) -> FxRatesAsk | None:
    """What a pair of currencies is to providers that publish rates and no quotes; None for anything else."""
    if instrument.asset_class is not AssetClass.FX or not instrument.is_spot or instrument.venue:
        return None
    return FxRatesAsk(base=instrument.base, quotes=(instrument.quote,))


def rate_as_quote(instrument: InstrumentId, provider: str, found: Fetched | UpstreamError) -> Fetched | UpstreamError:
    """The newest rate of the pair as a price of its own type."""
    if isinstance(found, UpstreamError):
        return found
    rates = [rate for rate in cast("tuple[FxRate, ...]", found.value) if rate.quote == instrument.quote]
    if not rates:
        return UnknownInstrument(provider, f"has no rate of {instrument}")
    rate = rates[-1]
    quote = Quote(
        instrument=instrument, price=rate.rate, price_type=rate.price_type, as_of=rate.as_of,
        provenance=found.provenance,
    )  # fmt: skip
    return Fetched(quote, found.provenance)


def agree(instrument: InstrumentId, answers: Mapping[str, Fetched | UpstreamError], rules: Rules) -> Consensus:
    """The consensus of the answers; QuorumNotMet where too few count."""
    quotes = {name: found.value for name, found in answers.items() if isinstance(found, Fetched)}
    reasons = {name: failure_of(found) for name, found in answers.items() if isinstance(found, UpstreamError)}
    usable = _usable(quotes, reasons, rules)
    outlying = outliers({name: quote.price for name, quote in usable.items()})
    used = {name: quote for name, quote in usable.items() if name not in outlying}
    if len(used) < rules.quorum:
        raise _too_few(instrument, len(used), rules.quorum, reasons, outlying)
    prices = [quote.price for quote in used.values()]
    middle = median(prices)
    sources = [_source(name, quotes.get(name), middle, name in outlying, reasons.get(name)) for name in answers]
    return Consensus(
        instrument=instrument,
        currency=next(iter(used.values())).currency,
        median=middle,
        low=min(prices),
        high=max(prices),
        range_bps=_bps(max(prices) - min(prices), middle),
        asked=len(answers),
        used=len(used),
        sources=sources,
        outliers=[source for source in sources if source.outlier],
    )


def outliers(prices: Mapping[str, Decimal]) -> frozenset[str]:
    """Names whose price is too far from the others."""
    if len(prices) < 3:
        return frozenset()
    middle = median(prices.values())
    spread = median([abs(price - middle) for price in prices.values()])
    limit = max(K * SIGMA * spread, FLOOR_BPS * abs(middle) / 10_000)
    return frozenset(name for name, price in prices.items() if abs(price - middle) > limit)


def _usable(quotes: Mapping[str, Quote], reasons: dict[str, ProviderFailure], rules: Rules) -> dict[str, Quote]:
    """Those of one kind: mode, recording instant, currency, price type and session; the rest get a reason."""
    usable: dict[str, Quote] = {}
    for name, quote in quotes.items():
        why = _unfit(name, quote, rules)
        if why is None:
            usable[name] = quote
        else:
            reasons[name] = failure_of(why)
    for kind in (_mode, _currency, _price_type, _session, _fixing):
        seen = {name: kind(quote) for name, quote in usable.items()}
        if len(set(seen.values())) < 2:
            continue
        # Of days that equally many fixings have the newest counts.
        counts = Counter(sorted(seen.values(), reverse=True) if kind is _fixing else seen.values())
        # Live values are never outvoted by recorded or simulated ones.
        wanted = _LIVE if _LIVE in counts else counts.most_common(1)[0][0]
        for name in [name for name, found in seen.items() if found != wanted]:
            del usable[name]
            reasons[name] = failure_of(NotCovered(name, f"is {seen[name]}, the others are {wanted}"))
    return usable


def _unfit(name: str, quote: Quote, rules: Rules) -> UpstreamError | None:
    provenance = quote.provenance
    if provenance.mode is DataMode.LIVE:
        age = age_of(quote, provenance, rules.now, rules.newest)
        if rules.max_age is not None and age > rules.max_age:
            old, limit = (round(x.total_seconds() * 1000) for x in (age, rules.max_age))
            return Stale(name, f"its value is {old} ms old, maxAgeMs is {limit}")
        # A fixing is made once a day: its feed is not late.
        late = FeedDelay.DELAYED, *(() if quote.price_type is PriceType.FIXING else (FeedDelay.END_OF_DAY,))
        if provenance.delay in late:
            return Stale(name, f"its feed is {provenance.delay.value.lower().replace('_', ' ')}")
    return None


def _mode(quote: Quote) -> str:
    """Recordings join only those of one common instant, and never anything live or simulated."""
    made = quote.provenance
    return f"{made.mode} at {made.fetched_at.isoformat()}" if made.mode is DataMode.RECORDED else made.mode.value


def _currency(quote: Quote) -> str:
    return quote.currency


def _price_type(quote: Quote) -> str:
    article = "an" if quote.price_type is PriceType.INDEX else "a"
    return f"{article} {quote.price_type} price"


def _session(quote: Quote) -> str:
    return "an extended-hours price" if quote.market_state in _EXTENDED else "a regular price"


def _fixing(quote: Quote) -> str:
    if quote.price_type is not PriceType.FIXING:
        return ""
    made = quote.provenance.as_of
    return f"a fixing of {made.date() if made else 'an unknown day'}"


def _bps(distance: Decimal, middle: Decimal) -> Decimal:
    return _WIDE.quantize(_WIDE.divide(distance * 10_000, middle), Decimal("0.01")) if middle else Decimal(0)


def _source(
    name: str, quote: Quote | None, middle: Decimal, outlier: bool, excluded: ProviderFailure | None
) -> ConsensusSource:
    deviation = _bps(quote.price - middle, middle) if quote is not None and excluded is None else None
    return ConsensusSource(provider=name, quote=quote, deviation_bps=deviation, outlier=outlier, excluded=excluded)


def _too_few(
    instrument: InstrumentId,
    used: int,
    quorum: int,
    reasons: Mapping[str, ProviderFailure],
    outlying: Sequence[str] | frozenset[str],
) -> NoAnswer:
    told = "; ".join(
        [*(f"{r.provider}: {r.message}" for r in reasons.values()), *(f"{n}: outlier" for n in sorted(outlying))]
    )
    message = f"{used} usable of the {quorum} sources that quorum asks for {instrument}{': ' + told if told else ''}"
    return QuorumNotMet(str(instrument), FailureCode.QUORUM_NOT_MET, message, list(reasons.values()))
