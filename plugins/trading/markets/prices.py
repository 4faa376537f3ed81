"""What accounts trade on: instruments by symbol, their rules, prices of a provider, hours, rates.

Nothing here may be asked inside a transaction: it may take seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from inspect import isawaitable
from typing import Any, Self, TypeVar, cast

from gateway.core.contract import Context, Fetched
from gateway.core.matching.model import ExecutionModel, Spec
from gateway.core.ports import Desk
from plugins.trading.markets.heard import FeedKey, Heard
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.priced import LATELY, Priced, is_fiat, is_past, legs_of, made_at, mark_of
from plugins.trading.markets.specs import RULES, is_derivative, spec_of, untradable
from plugins.trading.markets.ticks import NOTHING, age_of, is_open, middle_of, tick_of, tick_of_book
from schema.capability import DEFAULT_TERMS, Terms
from schema.currencies import UNKNOWN
from schema.errors import AmbiguousInstrument, FailureCode, MarketgateError, NoAnswer
from schema.provenance import CacheStatus, Conversion, DataMode, Provenance
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.instruments import Instrument
from schema.words.orders import FillSource
from schema.words.problems import Refused
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.venues import MarketState

HELD_S = 2.0
"""How long an operation's answers stand, so that all of its figures are by the same prices."""
AT_A_TIME = 200
DEPTH = 50
QUIET = timedelta(seconds=5)
"""After so long somebody is asked whether a stream has nothing to tell, or cannot."""
CLOCKS_APART = timedelta(seconds=5)
"""By so much two providers may differ in what time it is."""
MOST_HELD = 2_000

P = TypeVar("P")
V = TypeVar("V")


class Prices:
    """One for each operation: `Prices.of(context)`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._kept: dict[Any, tuple[float, Any]] = {}

    @classmethod
    def of(cls, context: Context) -> Self:
        """The operation's."""
        return cast(Self, context.local.setdefault(cls, cls(context)))

    async def find(self, symbol: str, *field: str) -> InstrumentId:
        """What a symbol means; Refused UNKNOWN_INSTRUMENT says the way out."""
        try:
            found = await self._context.service(Desk).find(self._context, symbol)
        except AmbiguousInstrument as error:
            told = f"{error.symbol!r} may mean {', '.join(error.candidates)}: write one of these."
            raise Refused("UNKNOWN_INSTRUMENT", told, *field) from None
        except MarketgateError as error:
            raise Refused("UNKNOWN_INSTRUMENT", f"{error.message}.", *field) from None
        return found

    async def spec(self, instrument: InstrumentId, *field: str, model: ExecutionModel | None = None) -> Spec:
        """Its trading rules, those of the account's provider, else of who prices it now, else what all lists agree on.

        Refused UNKNOWN_INSTRUMENT for what cannot be traded at all, MARKET_CLOSED for what is halted or delisted.
        """
        known = await self._described(instrument)
        why = untradable(instrument, known.type)
        if why is not None:
            raise Refused("UNKNOWN_INSTRUMENT", f"{instrument} is {why}.", *field)
        if not known.tradable:
            told = f"{instrument} is halted or delisted, as all lists that have it say: it cannot be traded now."
            raise Refused("MARKET_CLOSED", told, *field)
        spec = spec_of(instrument, await self._ruling(instrument, known, model or ExecutionModel()))
        if spec.currency != UNKNOWN:
            return spec
        priced = await self.priced(instrument, _by_quotes(model or ExecutionModel()), *field)
        return replace(spec, currency=priced.currency)

    async def followed(self, instrument: InstrumentId, model: ExecutionModel) -> Spec:
        """What its prices are read by: its trading rules; of what cannot be traded at all, their currency alone."""
        known = await self._described(instrument)
        if untradable(instrument, known.type) is None:
            return await self.spec(instrument, model=model)
        return Spec(instrument=instrument, currency=instrument.quote or known.quote_currency)

    async def lists(self, instrument: InstrumentId) -> bool:
        """Whether any list has it."""
        return bool((await self._described(instrument)).symbols)

    async def told(self, instrument: InstrumentId, model: ExecutionModel, *field: str) -> Priced | NoAnswer:
        """Its price, or why there is none; Refused UNKNOWN_INSTRUMENT for what nobody lists either."""
        found = (await self.all_priced([instrument], model))[instrument]
        if isinstance(found, NoAnswer) and not await self.lists(instrument):
            told = f"Nobody lists {instrument}, and nobody prices it: {found.message}."
            raise Refused("UNKNOWN_INSTRUMENT", told, *field)
        return found

    async def newest(
        self, instrument: InstrumentId, model: ExecutionModel, since: datetime, *field: str
    ) -> Priced | NoAnswer:  # fmt: skip
        """The same, for who trades by it: what a stream has just told here, else what is answered to who asks *since*
        then. While nobody answers anew, what a stream told last, or what was answered a second ago."""
        found, clock = await self.told(instrument, model, *field), self._context.host.clock
        if isinstance(found, NoAnswer) or not found.open or found.told_since(since):
            return found
        key, now = self._key(instrument, model), clock.now()
        heard = self._context.host.service(Heard).newest(key, model)
        same = heard is not None and heard.pushed and heard.tick.provider == found.tick.provider
        if heard is not None and same and now - heard.tick.at <= QUIET:
            return replace(found, looked_at=now)
        answer = (await self.answered([instrument], model, anew=True))[instrument]
        if isinstance(answer, Priced) and answer.late and not found.late:
            told = f"{found.tick.provider} does not answer now, and what {answer.tick.provider} tells runs behind"
            answer = NoAnswer(str(instrument), FailureCode.UPSTREAM_UNAVAILABLE, told, ())
        if isinstance(answer, Priced) and not _is_behind(answer, found):
            newest = self.newer(instrument, answer, model)
            if newest is not answer:
                newest = replace(newest, looked_at=clock.now())
            return self._hold(_held_by(key, model), newest)
        if isinstance(answer, Priced) or found.pushed:
            return replace(found, looked_at=clock.now())
        return found if found.told_since(clock.now() - LATELY) else answer

    async def ask_ahead(self, instruments: Collection[InstrumentId], model: ExecutionModel, since: datetime) -> None:
        """The same of many at once: none of them grows old while the others are asked for."""
        asked = (self.newest(each, model, since) for each in dict.fromkeys(instruments))
        for error in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(error, Exception) and not isinstance(error, Refused):
                raise error

    async def priced(self, instrument: InstrumentId, model: ExecutionModel, *field: str) -> Priced:
        """Its price of the account's provider; Refused NO_PRICE where nobody tells one."""
        found = (await self.all_priced([instrument], model))[instrument]
        if isinstance(found, NoAnswer):
            raise Refused("NO_PRICE", f"Nobody prices {instrument} now: {found.message}.", *field)
        return found

    async def all_priced(
        self, instruments: Collection[InstrumentId], model: ExecutionModel
    ) -> dict[InstrumentId, Priced | NoAnswer]:
        """The same of many, in one ask; those that nobody prices say why. Where this process hears a stream of one,
        and its newest message came after the answer, or there is no answer, that is its price."""
        wanted = sorted({*instruments}, key=str)
        keys = {each: _held_by(self._key(each, model), model) for each in wanted}
        found = {each: self._held(keys[each]) for each in wanted}
        missing = [each for each in wanted if found[each] is None]
        for each, answer in (await self.answered(missing, model)).items():
            found[each] = self._hold(keys[each], self.newer(each, answer, model))
        return found

    async def answered(
        self, instruments: Sequence[InstrumentId], model: ExecutionModel, *, anew: bool = False
    ) -> dict[InstrumentId, Priced | NoAnswer]:
        """What is answered to whoever asks now, which may be a copy of some seconds; *anew*, none that is there."""
        if not instruments:
            return {}
        ask = self._books if _source(model) is FillSource.BOOK else self._quotes
        return await ask(instruments, model, _terms(model, anew=anew))

    def newer(self, instrument: InstrumentId, answer: P, model: ExecutionModel) -> Priced | P:
        """An answer, or what a stream has told since; of its market what was told last."""
        heard = self._context.host.service(Heard).newest(self._key(instrument, model), model)
        if heard is None or not isinstance(answer, Priced):
            return answer if heard is None else heard
        hides = heard.too_old(model) and not answer.too_old(model) and answer.late <= heard.late
        if hides or not _is_newer(heard, answer):
            return answer
        if heard.tick == answer.tick:
            heard = replace(heard, looked_at=answer.looked_at)
        later = answer.provenance.fetched_at > heard.tick.at
        return replace(heard, state=answer.state, open=answer.open) if later else heard

    def _key(self, instrument: InstrumentId, model: ExecutionModel) -> FeedKey:
        return FeedKey(
            tenant=self._context.tenant, provider=model.provider, source=_source(model), instrument=instrument
        )  # fmt: skip

    async def marks(
        self, instruments: Collection[str], currencies: Collection[str], target: str, model: ExecutionModel
    ) -> Marks:
        """Last prices of what is held, and the rates of now to one currency, each with where it is from."""
        named = [parse_instrument(each) for each in sorted(instruments)]
        quoted = await self.all_priced(named, _by_quotes(model))
        prices = {
            str(each): mark_of(answer, model, derivative=is_derivative(each))
            for each, answer in quoted.items()
            if isinstance(answer, Priced)
        }
        failures = {str(each): answer for each, answer in quoted.items() if isinstance(answer, NoAnswer)}
        wanted = sorted({*currencies, *(mark.currency for mark in prices.values())} - {target})
        told = await asyncio.gather(*(self._rate(each, target) for each in wanted))
        rates = dict(zip(wanted, told, strict=True))
        found = {each: rate for each, rate in rates.items() if isinstance(rate, Conversion)}
        lacking = {each: rate for each, rate in rates.items() if isinstance(rate, NoAnswer)}
        aged = [(each, await self._has_aged(rate, model)) for each, rate in found.items()]
        old = frozenset(each for each, old in aged if old)
        return Marks(currency=target, prices=prices, rates=found, old_rates=old, failures=failures | lacking)

    async def rate(self, source: str, target: str, *field: str) -> Conversion:
        """Units of *target* for one unit of *source*; Refused NO_PRICE where nobody tells."""
        found = await self._rate(source, target)
        if isinstance(found, NoAnswer):
            told = f"Nobody tells a rate from {source} to {target} now: {found.message}."
            raise Refused("NO_PRICE", told, *field)
        return found

    async def state(self, instrument: InstrumentId, quote: Quote | None = None) -> MarketState:
        """Whether it trades now: as a live provider says, else by the calendar."""
        told = MarketState.UNKNOWN if quote is None else quote.market_state
        if quote is not None and quote.provenance.mode is DataMode.LIVE and told is not MarketState.UNKNOWN:
            return told
        return await self._context.host.calendars.state(instrument, self._context.host.clock.now())

    async def _quotes(
        self, instruments: Sequence[InstrumentId], model: ExecutionModel, terms: Terms
    ) -> dict[InstrumentId, Priced | NoAnswer]:
        parts = [tuple(instruments[n : n + AT_A_TIME]) for n in range(0, len(instruments), AT_A_TIME)]
        market = self._context.market
        told = await asyncio.gather(*(market.fetch_many(QUOTES, QuotesAsk(instruments=part), terms) for part in parts))
        found: dict[InstrumentId, Priced | NoAnswer] = {}
        for instrument, answer in [pair for part in told for pair in part.items()]:
            found[instrument] = answer if isinstance(answer, NoAnswer) else await self._quoted(answer, model)
        return found

    async def _quoted(self, answer: Fetched, model: ExecutionModel) -> Priced:
        quote = cast(Quote, answer.value)
        now = self._context.host.clock.now()
        state, tick = await self.state(quote.instrument, quote), tick_of(quote, now)
        return Priced(
            tick=tick, price=quote.price, currency=quote.currency, provenance=quote.provenance, state=state,
            open=is_open(state, extended=model.extended_hours), age=age_of(tick, now),
            held_copy=self._is_old(quote.provenance),
        )  # fmt: skip

    async def _books(
        self, instruments: Sequence[InstrumentId], model: ExecutionModel, terms: Terms
    ) -> dict[InstrumentId, Priced | NoAnswer]:
        told = await asyncio.gather(*(self._book(each, model, terms) for each in instruments))
        return dict(zip(instruments, told, strict=True))

    async def _book(self, instrument: InstrumentId, model: ExecutionModel, terms: Terms) -> Priced | NoAnswer:
        ask = OrderBookAsk(instrument=instrument, depth=DEPTH)
        try:
            answer = await self._context.market.fetch(ORDER_BOOK, ask, terms)
        except NoAnswer as error:
            return error
        book, now = cast(OrderBook, answer.value), self._context.host.clock.now()
        tick, state = tick_of_book(book, now), await self.state(instrument)
        price = middle_of(tick)
        if price is None:
            return NoAnswer(str(instrument), FailureCode.NOT_COVERED, f"the book of {instrument} is empty", ())
        currency = instrument.quote or (await self._described(instrument)).quote_currency
        return Priced(
            tick=tick, price=price, currency=currency,
            provenance=book.provenance, state=state, open=is_open(state, extended=model.extended_hours),
            age=age_of(tick, now), held_copy=self._is_old(book.provenance),
        )  # fmt: skip

    async def _rate(self, source: str, target: str) -> Conversion | NoAnswer:
        key = ("rate", source, target)
        if (held := self._held(key)) is not None:
            return cast(Conversion, held)
        if UNKNOWN in (source, target):
            return NoAnswer(source, FailureCode.NOT_COVERED, "the currency of its price is not known", ())
        try:
            rate = await self._context.market.rate(source, target)
        except NoAnswer as error:
            return error
        made = Conversion(from_currency=source, to_currency=target, rate=rate.value, provenance=rate.provenance)
        return self._hold(key, made)

    async def _has_aged(self, rate: Conversion, model: ExecutionModel) -> bool:
        """Whether a rate, or a leg of it, is our old copy, or older than is taken while its market is open."""
        return any([await self._leg_has_aged(each, model) for each in legs_of(rate)])

    async def _leg_has_aged(self, leg: Conversion, model: ExecutionModel) -> bool:
        if self._is_old(leg.provenance) or not is_past(leg, model, self._context.host.clock.now()):
            return self._is_old(leg.provenance)
        kind = AssetClass.FX if is_fiat(leg) else AssetClass.CRYPTO
        pair = InstrumentId(asset_class=kind, base=leg.from_currency, quote=leg.to_currency)
        return is_open(await self.state(pair), extended=True)

    async def _ruling(self, instrument: InstrumentId, known: Instrument, model: ExecutionModel) -> Instrument:
        """Providers list a pair each with rules of its own: those of the one whose prices count."""
        if not instrument.quote or instrument.venue:
            return known
        provider = model.provider
        if provider is None:
            priced = (await self.all_priced([instrument], _by_quotes(model)))[instrument]
            provider = priced.tick.provider if isinstance(priced, Priced) else ""
        own = await self._described(instrument.at(provider)) if provider else known
        return own if own.symbols else known

    async def _described(self, instrument: InstrumentId) -> Instrument:
        found = self._context.service(Desk).describe(self._context, instrument, RULES)
        return await found if isawaitable(found) else found

    def _is_old(self, made: Provenance) -> bool:
        return self._context.cache_status(made) is CacheStatus.STALE

    def _held(self, key: Any) -> Any:
        until, value = self._kept.get(key, (0.0, None))
        return value if until > self._context.host.clock.monotonic() else None

    def _hold(self, key: Any, value: V) -> V:
        if len(self._kept) >= MOST_HELD:
            self._kept.clear()
        self._kept[key] = (self._context.host.clock.monotonic() + HELD_S, value)
        return value


def _by_quotes(model: ExecutionModel) -> ExecutionModel:
    """What is held is valued by last prices, whatever orders are matched against."""
    return replace(model, source=FillSource.QUOTES)


def _source(model: ExecutionModel) -> FillSource:
    """Bars are asked where they are matched: at the arrival of an order the quote counts."""
    return FillSource.BOOK if model.source is FillSource.BOOK else FillSource.QUOTES


def _is_newer(heard: Priced, answer: Priced) -> bool:
    """One that runs behind is never newer than one that does not. By the stamps of their provider, where it is one that
    gives them, else where these lie further apart than clocks may; else by when they reached us."""
    if heard.late != answer.late:
        return answer.late
    same, apart = heard.tick.provider == answer.tick.provider, made_at(heard) - made_at(answer)
    if abs(apart) > (NOTHING if same else CLOCKS_APART):
        return apart > NOTHING
    return heard.tick.at >= answer.provenance.fetched_at


def _is_behind(answer: Priced, found: Priced) -> bool:
    """Whether its own provider had told more before."""
    return answer.tick.provider == found.tick.provider and made_at(answer) < made_at(found)


def _held_by(key: FeedKey, model: ExecutionModel) -> Any:
    return key, model.extended_hours


def _terms(model: ExecutionModel, *, anew: bool) -> Terms:
    providers = None if model.provider is None else (model.provider,)
    if anew:
        return Terms(providers=providers, max_age=timedelta(0))
    return DEFAULT_TERMS if providers is None else Terms(providers=providers)
