"""What currencylayer, exchangerate.host and fixer have in common: one maker, one way to refuse, one kind of stamp.

Refusals come with status 200 as `{"success": false, "error": {"code", "type", "info"}}`; the texts may repeat a key and
are never passed on. The meaning of the codes: https://currencylayer.com/documentation, "API Error Codes".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from providers.contract import Http, Reply
from providers.fx._reference import is_pair, spans
from providers.row import Row
from schema.currencies import FIATS
from schema.errors import NotCovered, QuotaExhausted, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import InstrumentId
from schema.words.quotes import PriceType, Quote, QuotesAsk
from schema.words.rates import FxRate, FxRatesAsk

DAY = timedelta(days=1)
FIRST = date(1999, 1, 1)
LONGEST = timedelta(days=365)
"""No range may cover more."""
CODE = 3
"""Letters of a currency's code."""
REFUSALS: dict[int, tuple[type[UpstreamError], str]] = {
    101: (Unauthorized, "the key is invalid or missing"),
    102: (Unauthorized, "the account is not active"),
    103: (NotCovered, "there is no such function"),
    104: (QuotaExhausted, "the plan's requests of the month are used up"),
    105: (NotCovered, "the key's plan does not include this"),
    106: (NotCovered, "there are no rates for this"),
    201: (UnknownInstrument, "the base currency is unknown"),
    202: (UnknownInstrument, "a currency is unknown"),
    301: (NotCovered, "a date is missing"),
    302: (NotCovered, "there are no rates for this date"),
    429: (Throttled, "too many requests"),
}
HASTE = "rate_limit_reached"
"""What too many requests are called, under a number that means something else besides."""


def refusal(provider: str, reply: Reply) -> UpstreamError | None:
    """See `Provider.explain`."""
    if not isinstance(reply.body.value, dict) or reply.body.value.get("success") is not False:
        return None
    error = reply.body.get("error")
    told = error.value if error is not None and isinstance(error.value, dict) else {}
    code = told.get("code")
    # The interface has used both numbers and texts for it.
    known = REFUSALS.get(int(code)) if isinstance(code, int | str) and str(code).isdecimal() else None
    if told.get("type") == HASTE:
        # With the status 429 its Retry-After is read elsewhere.
        return None if reply.status == 429 else Throttled(provider, "too many requests")
    if known is None:
        return None if reply.status >= 400 else NotCovered(provider, "the upstream refused without a known reason")
    kind, why = known
    return kind(provider, why)


def priced(instrument: InstrumentId, provider: str, base: str) -> bool:
    """Any currency for one unit of the base that every plan has."""
    return is_pair(instrument, provider) and instrument.base == base and instrument.quote in FIATS - {base}


def rated(ask: FxRatesAsk, base: str) -> bool:
    """The same for rates, from the first day on."""
    known = ask.base == base and base not in ask.quotes and all(map(is_currency, ask.quotes))
    return known and (ask.start is None or ask.end is None or ask.end > FIRST)


def is_currency(code: str) -> bool:
    """Any ISO 4217 code; among the rates are also those of bitcoin."""
    return len(code) == CODE and code.isalpha() and code != "BTC"


def mids(instruments: tuple[InstrumentId, ...], rates: dict[str, Decimal], at: datetime) -> list[Quote]:
    """Rates between bid and ask, as quotes."""
    return [
        Quote(instrument=i, price=rates[i.quote], price_type=PriceType.MID, as_of=at)
        for i in instruments
        if i.quote in rates
    ]


def newest(ask: FxRatesAsk, rates: dict[str, Decimal], at: datetime) -> tuple[FxRate, ...]:
    """Rates of a moment."""
    return tuple(
        FxRate(base=ask.base, quote=code, rate=rate, as_of=at, price_type=PriceType.MID, date=None)
        for code, rate in sorted(rates.items())
        if _wanted(code, ask)
    )


Days = Iterator[tuple[date, dict[str, Decimal]]]


async def ranged(ask: FxRatesAsk, today: date, fetch: Callable[[date, date], Awaitable[Days]]) -> tuple[FxRate, ...]:
    """Every day of a range; a day's rates are those of its last moment, and today's are not made yet."""
    first, last = max(ask.start or FIRST, FIRST), min(ask.end or today, today) - DAY
    parts = await asyncio.gather(*(fetch(*piece) for piece in spans(first, last, LONGEST)))
    by_day = {day: rates for part in parts for day, rates in part if first <= day <= last}
    return tuple(
        FxRate(
            base=ask.base, quote=code, rate=rate, date=day, price_type=PriceType.MID,
            as_of=datetime.combine(day, time(23, 59, 59), UTC),
        )
        for day, rates in sorted(by_day.items())
        for code, rate in sorted(rates.items())
        if _wanted(code, ask)
    )  # fmt: skip


async def pair_quotes(http: Http, ask: QuotesAsk, base: str) -> list[Quote]:
    """`/live` of those that write rates as pairs."""
    wanted = ",".join(sorted({i.quote for i in ask.instruments}))
    body = await http.get("/live", {"source": base, "currencies": wanted})
    return mids(ask.instruments, by_pair(body["quotes"], base), body.epoch("timestamp"))


async def pair_rates(http: Http, ask: FxRatesAsk, today: date) -> tuple[FxRate, ...]:
    """`/live`, or `/timeframe` for the last rates of every day of a range."""
    chosen = {"source": ask.base, **({"currencies": ",".join(sorted(ask.quotes))} if ask.quotes else {})}
    if ask.start is None:
        body = await http.get("/live", chosen)
        return newest(ask, by_pair(body["quotes"], ask.base), body.epoch("timestamp"))

    async def fetch(first: date, last: date) -> Days:
        body = await http.get("/timeframe", {"start_date": str(first), "end_date": str(last), **chosen})
        return parse_days(body["quotes"], lambda quotes: by_pair(quotes, ask.base))

    return await ranged(ask, today, fetch)


def parse_days(days: Row, read: Callable[[Row], dict[str, Decimal]]) -> Days:
    """`{"2026-11-19": rates}`."""
    return ((Row(days.provider, text, days, text).day(), read(rates)) for text, rates in days.items())


def by_code(rates: Row) -> dict[str, Decimal]:
    """`{"EUR": 0.92}`."""
    return {code: rate.decimal() for code, rate in rates.items()}


def by_pair(quotes: Row, source: str) -> dict[str, Decimal]:
    """`{"USDEUR": 0.92}` for the source USD."""
    found = {}
    for name, rate in quotes.items():
        if len(name) != 2 * CODE or not name.startswith(source):
            rate.broken(f"is no pair of {source}")
        found[name[CODE:]] = rate.decimal()
    return found


def _wanted(code: str, ask: FxRatesAsk) -> bool:
    return code != ask.base and (code in ask.quotes if ask.quotes else is_currency(code))
