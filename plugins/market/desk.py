"""The desk: one place where symbols become asks, answers get their identity, and conversions happen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import cast

from strawberry.dataloader import DataLoader

from gateway.core.contract import Context, Fetched
from gateway.core.identity import CallerKind
from gateway.core.ports import ProviderKeys
from plugins.market.catalog import Catalog
from plugins.market.costs import MOST_SYMBOLS
from plugins.market.identified import resolve
from plugins.market.series import Wanted, fetch_series
from schema.capability import DEFAULT_TERMS, Terms
from schema.currencies import MINOR_UNITS
from schema.errors import AmbiguousInstrument, BadInput, FailureCode, MarketgateError, NoAnswer, docs_of
from schema.identifiers import Identified
from schema.spelling import read_symbol
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.candles import CandleSeries
from schema.words.instruments import Instrument
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, AskFailure, Quote, QuoteBatch, QuotesAsk
from schema.words.routes import RouteInput, terms_of

ABSENT = frozenset({FailureCode.NOT_COVERED, FailureCode.UNKNOWN_INSTRUMENT, FailureCode.NOT_RECORDED})
LEAST_TIME = 0.05
MOST_BATCHES = 64
"""Lists of symbols that are remembered as they were read."""
MOST_SHOWN = 100
"""Characters of a symbol that a failure repeats: longer ones are no symbols."""
_CURRENCY_LONGEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What the quotes of one batch share."""

    terms: Terms
    convert_to: str | None

    @property
    def pinned(self) -> str:
        """Part of a quote's identity."""
        return "+".join(self.terms.providers or ())


PLAINLY = How(terms=DEFAULT_TERMS, convert_to=None)
"""As most are asked."""


def how(route: RouteInput | None, convert_to: str | None) -> How:
    """Check what the caller wants; BadInput names the field."""
    if route is None and convert_to is None:
        return PLAINLY
    target = None if convert_to is None else currency_code("convertTo", convert_to)
    return How(terms=terms_of(route), convert_to=target)


def currency_code(field: str, text: str) -> str:
    """An ISO 4217 code or an asset code, upper-cased."""
    code = text.strip().upper()
    if not code.isascii() or not code.isalnum() or not 2 <= len(code) <= _CURRENCY_LONGEST:
        raise BadInput(field, f"{text[:20]!r} is not a currency: write a code such as EUR or USDT")
    if code in MINOR_UNITS:
        raise BadInput(field, f"{code} is a hundredth of {MINOR_UNITS[code]}: write {MINOR_UNITS[code]}")
    return code


@dataclass(slots=True)
class Symbols:
    """A list of symbols as it was read: what each means, and the instruments among it."""

    read: list[InstrumentId | MarketgateError]
    wished: tuple[InstrumentId, ...]
    fetched: Mapping[InstrumentId, Fetched | NoAnswer] | None = None
    """Answers that were put in the order of the symbols before: what all share is one mapping while it holds."""
    nodes: list[Quote | None] = field(default_factory=list)
    numbered: bool = False
    """Whether some are securities' numbers, of which it is not known yet whose they are."""


def _listed(read: list[InstrumentId | MarketgateError]) -> Symbols:
    wished = tuple(dict.fromkeys(each for each in read if isinstance(each, InstrumentId)))
    return Symbols(read, wished, numbered=any(isinstance(each, Identified) for each in read))


class MarketDesk:
    """gateway.core.ports.Desk, and what the root fields share."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._batches: dict[tuple[str, ...], Symbols] = {}

    def instrument(self, symbol: str, asset_class: AssetClass | None = None) -> InstrumentId:
        """Read a symbol; UnknownSymbol or AmbiguousInstrument say the way out."""
        return read_symbol(symbol, self.catalog, asset_class)

    async def find(self, context: Context, symbol: str, asset_class: AssetClass | None = None) -> InstrumentId:
        """See gateway.core.ports.Desk."""
        try:
            return self.instrument(symbol, asset_class)
        except Identified as named:
            return await resolve(context, named, asset_class)

    def describe(
        self, context: Context, instrument: InstrumentId, selected: frozenset[str]
    ) -> Instrument | Awaitable[Instrument]:
        """See gateway.core.ports.Desk."""
        return self.catalog.describe(instrument, selected)

    async def one(self, context: Context, instrument: InstrumentId, wanted: How) -> Quote:
        """One quote; NoAnswer lists every attempt."""
        if wanted is PLAINLY and (held := context.market.at_hand(QUOTES, instrument)) is not None:
            return cast(Quote, held.value)
        found = await self._many(context, (instrument,), wanted)
        answer = found[instrument]
        if isinstance(answer, MarketgateError):
            raise answer
        return answer

    async def batch(self, context: Context, symbols: Sequence[str], wanted: How) -> QuoteBatch:
        """Quotes in the order of the symbols; what is missing is data, not an error."""
        if not symbols:
            raise BadInput("symbols", "is empty: give 1 to 200 symbols")
        if len(symbols) > MOST_SYMBOLS:
            raise BadInput("symbols", f"has {len(symbols)} symbols: at most {MOST_SYMBOLS} at once")
        deadline = context.host.clock.monotonic() + wanted.terms.timeout
        known = self._read_all(tuple(symbols))
        if known.numbered:
            known = _listed(await asyncio.gather(*(self._found(context, each) for each in known.read)))
        ask = QuotesAsk(instruments=known.wished)
        fetched = await context.market.fetch_many(QUOTES, ask, wanted.terms) if known.wished else {}
        if wanted is PLAINLY and fetched is known.fetched:
            return QuoteBatch(nodes=known.nodes.copy(), failures=[])
        found = await self._shown(context, fetched, wanted, deadline)
        nodes: list[Quote | None] = []
        failures: list[AskFailure] = []
        for index, (symbol, each) in enumerate(zip(symbols, known.read, strict=True)):
            answer = found[each] if isinstance(each, InstrumentId) else each
            nodes.append(None if isinstance(answer, MarketgateError) else answer)
            if isinstance(answer, MarketgateError):
                failures.append(await self._failure(index, symbol, answer))
        if wanted is PLAINLY and isinstance(fetched, MappingProxyType):
            known.fetched, known.nodes = fetched, nodes.copy()
        return QuoteBatch(nodes=nodes, failures=failures)

    async def quote(
        self, context: Context, instrument: InstrumentId, route: RouteInput | None, convert_to: str | None
    ) -> Quote | None:
        """Nested under an instrument: the asks of one operation with the same route travel as one batch."""
        wanted = how(route, convert_to)
        loaders = cast("dict[How, DataLoader[InstrumentId, Quote]]", context.local.setdefault(MarketDesk, {}))
        if wanted not in loaders:

            async def load(keys: list[InstrumentId]) -> list[Quote | BaseException]:
                found = await self._many(context, tuple(keys), wanted)
                return [found[key] for key in keys]

            loaders[wanted] = DataLoader(load_fn=load, max_batch_size=MOST_SYMBOLS)
        try:
            return await loaders[wanted].load(instrument)
        except NoAnswer as error:
            # A list may hold what nobody prices; that is no fault, and must not spoil the page.
            if error.code in ABSENT:
                return None
            raise

    async def candles(
        self,
        context: Context,
        instrument: InstrumentId,
        interval: Interval,
        start: datetime | None,
        end: datetime | None,
        last: int | None,
    ) -> CandleSeries | None:
        """Nested under an instrument."""
        return await fetch_series(
            context, Wanted(instrument=instrument, interval=interval, start=start, end=end, last=last)
        )

    def _read(self, symbol: str) -> InstrumentId | MarketgateError:
        try:
            return self.instrument(symbol)
        except MarketgateError as error:
            return error

    async def _found(self, context: Context, read: InstrumentId | MarketgateError) -> InstrumentId | MarketgateError:
        """Whose number it is, where it is one."""
        if not isinstance(read, Identified):
            return read
        try:
            return await resolve(context, read, None)
        except MarketgateError as error:
            return error

    def _read_all(self, symbols: tuple[str, ...]) -> Symbols:
        """A spelling means tomorrow what it means today."""
        known = self._batches.get(symbols)
        if known is not None:
            return known
        made = _listed([self._read(symbol) for symbol in symbols])
        if all(isinstance(each, InstrumentId) for each in made.read):
            if len(self._batches) >= MOST_BATCHES:
                self._batches.clear()
            self._batches[symbols] = made
        return made

    async def _many(
        self, context: Context, instruments: tuple[InstrumentId, ...], wanted: How
    ) -> dict[InstrumentId, Quote | MarketgateError]:
        deadline = context.host.clock.monotonic() + wanted.terms.timeout
        fetched = await context.market.fetch_many(QUOTES, QuotesAsk(instruments=instruments), wanted.terms)
        return await self._shown(context, fetched, wanted, deadline)

    async def _shown(
        self, context: Context, fetched: Mapping[InstrumentId, Fetched | NoAnswer], wanted: How, deadline: float
    ) -> dict[InstrumentId, Quote | MarketgateError]:
        """As they were wanted, until the deadline (monotonic)."""
        if not wanted.pinned and not wanted.convert_to:
            return {each: answer if isinstance(answer, NoAnswer) else answer.value for each, answer in fetched.items()}
        found: dict[InstrumentId, Quote | MarketgateError] = {}
        for instrument, answer in fetched.items():
            if isinstance(answer, NoAnswer):
                found[instrument] = answer
                continue
            quote = cast(Quote, answer.value)
            found[instrument] = replace(quote, pinned=wanted.pinned) if wanted.pinned else quote
        if wanted.convert_to:
            left = max(deadline - context.host.clock.monotonic(), LEAST_TIME)
            await self._convert(context, found, wanted.convert_to, replace(wanted.terms, timeout=left))
        return found

    async def _convert(
        self, context: Context, found: dict[InstrumentId, Quote | MarketgateError], target: str, terms: Terms
    ) -> None:
        """All at once; each source currency's rate is asked once: the cache and the single flight see to it."""
        quotes = {instrument: quote for instrument, quote in found.items() if isinstance(quote, Quote)}
        turned = await asyncio.gather(*(self._converted(context, *each, target, terms) for each in quotes.items()))
        found.update(zip(quotes, turned, strict=True))

    async def _converted(
        self, context: Context, instrument: InstrumentId, quote: Quote, target: str, terms: Terms
    ) -> Quote | NoAnswer:
        try:
            return await context.market.convert(quote, target, terms)
        except NoAnswer as error:
            told = f"no rate from {quote.currency} to {target}: {error.message}"
            return NoAnswer(str(instrument), FailureCode(error.code), told, error.attempts)

    async def _failure(self, index: int, symbol: str, error: MarketgateError) -> AskFailure:
        code = FailureCode(error.code)
        names = error.candidates if isinstance(error, AmbiguousInstrument) else ()
        candidates = [await self._plain(parse_instrument(name)) for name in names]
        return AskFailure(
            index=index,
            symbol=symbol[:MOST_SHOWN],
            code=code,
            message=error.message,
            candidates=tuple(candidates),
            attempts=error.attempts if isinstance(error, NoAnswer) else (),
            docs=docs_of(code),
        )

    async def _plain(self, instrument: InstrumentId) -> Instrument:
        described = self.catalog.describe(instrument, frozenset({"id"}))
        return described if isinstance(described, Instrument) else await described


async def own_keys(context: Context) -> Mapping[str, Collection[str]]:
    """Names of the parts of the tenant's own keys, by provider."""
    keys, principal = context.services.get(ProviderKeys), context.principal
    if keys is None or not principal.tenant or principal.kind is CallerKind.ANONYMOUS:
        return {}
    return cast("Mapping[str, Collection[str]]", await keys.of(principal.tenant))
