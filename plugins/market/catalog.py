"""The catalog: what is known about instruments, merged from public facts and from the lists that providers give."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TypeVar, cast

import strawberry
from cachetools import LRUCache

from gateway.core.contract import Context, Host
from plugins.market.reference import FACTS, VENUES, Fact, PublicFacts, pair_name
from plugins.market.search import (
    Called,
    Index,
    Match,
    Place,
    Wanted,
    called,
    cursor_of,
    grade,
    kind_of,
    place_of,
    row_of,
    row_of_fact,
    wanted,
)
from plugins.market.shelves import Shelves
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import BadInput, MarketgateError
from schema.paging import Page, PageInfo, check_page_size
from schema.symbols import AssetClass, InstrumentId
from schema.words.instruments import (
    DERIVED,
    INSTRUMENTS,
    SEARCH,
    Instrument,
    InstrumentsAsk,
    InstrumentType,
    Listing,
    SearchAsk,
    VenueSymbol,
    expiry_of,
    type_of,
)
from schema.words.venues import Venue

PATIENCE = 2.0
SEARCH_PATIENCE = 1.5
MOST_DESCRIBED = 20_000
MOST_FOUND = 4_096
SHORTEST_ELSEWHERE = 2
UNKNOWN_CURRENCY = "XXX"

_MIC = re.compile(r"[A-Z0-9]{4}\Z")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An instrument and the GraphQL fields that are settled for it; None for all of them."""

    instrument: Instrument
    settled: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where to search: `venue` is a provider whose list alone counts, `mic` an exchange."""

    providers: tuple[str, ...]
    asset_class: AssetClass | None
    type: InstrumentType | None
    venue: str = ""
    mic: str = ""


@cache
def public_index() -> Index:
    """What is publicly known: the same for every catalog."""
    return Index(row_of_fact(fact) for fact in FACTS.values())


class Catalog(PublicFacts):
    """One a process. It is the directory of spellings, too, and answers as such from public facts alone."""

    def __init__(self, host: Host, patience: float = PATIENCE, search_patience: float = SEARCH_PATIENCE) -> None:
        super().__init__()
        self._host, self._search_patience = host, search_patience
        self._shelves = Shelves(host, patience)
        self._facts = public_index()
        self._found: LRUCache[InstrumentId, dict[str, Listing]] = LRUCache(MOST_FOUND)
        self._described: dict[InstrumentId, Described] = {}
        self._generation, self._until = 0, float("inf")

    async def refresh(self) -> None:
        """The lists that are in use, where they are too old: a job's work."""
        await self._shelves.refresh()

    def describe(self, instrument: InstrumentId, selected: frozenset[str]) -> Instrument | Awaitable[Instrument]:
        """At once where the selected fields are settled, else after the lists that tell them."""
        known = self._look_up(instrument)
        if known.settled is None or selected <= known.settled:
            return known.instrument
        return self._after_loading(instrument)

    async def search(
        self,
        context: Context,
        *,
        text: str | None,
        symbol: str | None = None,
        asset_class: AssetClass | None,
        type: InstrumentType | None,
        venue: str | None,
        first: int,
        after: str | None,
    ) -> Page[Instrument]:
        """A page of what fits, best first; providers are asked to search where the catalog has less than a page.

        *symbol* is what a provider calls it on its wire: only lists tell that.
        """
        check_page_size(first)
        start = None if after is None else place_of(after)
        looked = wanted(text) if symbol is None else called(symbol)
        if symbol is not None and text is not None:
            raise BadInput("search", "stands beside `providerSymbol`, which is looked for alone: leave one out")
        scope = self._scope(asset_class, type, venue)
        await self._shelves.ready(scope.providers)
        places = self._places(looked, scope)
        if isinstance(looked, Wanted) and not scope.venue and len(places) < first:
            # Decided by all hits, not by those behind the cursor: every page of a list decides alike.
            self._add(places, await self._elsewhere(context, cast(str, text).strip(), looked, scope))
        return self._page(places, first, start)

    def _look_up(self, instrument: InstrumentId) -> Described:
        if self._generation != self._shelves.generation or self._host.clock.monotonic() >= self._until:
            self._described.clear()
            self._generation, self._until = self._shelves.generation, float("inf")
        known = self._described.get(instrument)
        if known is None:
            if len(self._described) >= MOST_DESCRIBED:
                self._described.clear()
            known = self._described[instrument] = self._describe(instrument)
        return known

    async def _after_loading(self, instrument: InstrumentId) -> Instrument:
        await self._shelves.ready(self._listing(instrument))
        return self._look_up(instrument).instrument

    def _listing(self, instrument: InstrumentId) -> tuple[str, ...]:
        """Providers whose lists may have the instrument: the venue's own, or all of its class."""
        venue = instrument.venue
        if not venue or _MIC.match(venue):
            return self._lists(asset_class=instrument.asset_class)
        if self._host.data.name_of(venue) is None:
            return ()
        return self._lists(Terms(providers=(venue,)))

    def _lists(self, terms: Terms = DEFAULT_TERMS, asset_class: AssetClass | None = None) -> tuple[str, ...]:
        """Providers whose lists may be held here for all callers."""
        data = self._host.data
        offering = data.offering(INSTRUMENTS, InstrumentsAsk(), terms, asset_class)
        return tuple(each for each in offering if data.rights(INSTRUMENTS, each).for_all)

    def _describe(self, instrument: InstrumentId) -> Described:
        fact = _fact_of(instrument)
        providers = self._listing(instrument)
        held = self._shelves.held(providers)
        listed = [(provider, _listed(shelf.by_key, instrument, provider, fact)) for provider, shelf in held]
        rows = [(provider, listing) for provider, listing in listed if listing is not None]
        made = self._make(instrument, fact, rows)
        until = self._shelves.settled_until(providers)
        if until is not None:
            self._until = min(self._until, until)
            return Described(instrument=made, settled=None)
        return Described(instrument=made, settled=_settled_by(made, fact))

    def _make(self, key: InstrumentId, fact: Fact | None, rows: Sequence[tuple[str, Listing]]) -> Instrument:
        found = [(provider, each) for provider, each in self._found.get(key, {}).items() if provider not in dict(rows)]
        listed = [listing for _, listing in rows]
        told = [*listed, *(listing for _, listing in found)]
        name = fact.name if fact else pair_name(key.base, key.quote) if key.is_spot else None
        kinds = [fact.type] if fact else [kind_of(listing) for listing in told]
        return Instrument(
            key=key,
            id=strawberry.ID(str(key)),
            symbol=key.symbol,
            name=name or _first(each.name for each in told),
            asset_class=key.asset_class,
            type=kinds[0] if kinds else type_of(key),
            base=key.base if key.quote else None,
            quote_currency=_currency(key, fact, told),
            settle=key.settle or None,
            venue=self._venue(key, fact, told),
            tick_size=_agreed(each.tick_size for each in listed),
            step_size=_agreed(each.step_size for each in listed),
            min_size=_agreed(each.min_size for each in listed),
            max_size=_agreed(each.max_size for each in listed),
            min_notional=_agreed(each.min_notional for each in listed),
            contract_size=_agreed(each.contract_size for each in listed),
            expiry=expiry_of(key),
            strike=Decimal(key.strike) if key.strike else None,
            isin=(fact.isin if fact else None) or _first(each.isin for each in told),
            figi=(fact.figi if fact else None) or _first(each.figi for each in told),
            tradable=any(each.tradable for each in listed) if listed else True,
            symbols=tuple(
                VenueSymbol(provider=provider, symbol=listing.provider_symbol) for provider, listing in (*rows, *found)
            ),
        )

    def _venue(self, key: InstrumentId, fact: Fact | None, told: Sequence[Listing]) -> Venue | None:
        id = key.venue or (fact.mic if fact else "")
        if not id:
            return None
        name = VENUES[id][0] if id in VENUES else self._host.data.name_of(id)
        if name is None and _MIC.match(id):
            name = _first(each.venue_name for each in told)
        return Venue(id=id, name=name or id, time_zone=self._host.calendars.time_zone(key.at(id)))

    def _scope(self, asset_class: AssetClass | None, type: InstrumentType | None, venue: str | None) -> Scope:
        data = self._host.data
        if venue is None:
            every = self._lists(asset_class=asset_class)
            return Scope(providers=every, asset_class=asset_class, type=type)
        provider, mic = venue.lower(), venue.upper()
        if data.name_of(provider) is not None:
            own = self._lists(Terms(providers=(provider,)))
            return Scope(providers=own, asset_class=asset_class, type=type, venue=provider)
        if not _MIC.match(mic):
            raise BadInput("venue", f"{venue[:40]!r} is no venue: give a provider's id or a MIC such as XNAS")
        every = self._lists(asset_class=asset_class)
        return Scope(providers=every, asset_class=asset_class, type=type, mic=mic)

    def _places(self, looked: Wanted | Called | None, scope: Scope) -> dict[InstrumentId, Place]:
        """The best place of each instrument; one of a venue's own list carries the venue."""
        indices = [shelf.index for _, shelf in self._shelves.held(scope.providers)]
        places: dict[InstrumentId, Place] = {}
        for index in indices if scope.venue else (self._facts, *indices):
            for row, match in index.search(looked):
                if _wanted_here(row.key, row.type, row.mic, scope):
                    own = scope.venue if not row.key.venue else ""
                    self._add(places, {row.key.at(own) if own else row.key: row.place(match, own)})
        return places

    @staticmethod
    def _add(places: dict[InstrumentId, Place], more: Mapping[InstrumentId, Place]) -> None:
        for key, place in more.items():
            held = places.get(key)
            if held is None or place < held:
                places[key] = place

    async def _elsewhere(self, context: Context, text: str, looked: Wanted, scope: Scope) -> dict[InstrumentId, Place]:
        """What providers find; they know companies and fuzzy spellings that no list here has."""
        if len(text) < SHORTEST_ELSEWHERE:
            return {}
        ask = SearchAsk(text=text)
        providers = await context.market.offering(SEARCH, ask, DEFAULT_TERMS, scope.asset_class)
        answers = await asyncio.gather(*(self._ask(context, provider, ask) for provider in providers))
        places: dict[InstrumentId, Place] = {}
        for provider, listings in zip(providers, answers, strict=True):
            shared = (await context.market.rights(SEARCH, provider)).for_all
            for order, listing in enumerate(listings):
                key = listing.instrument
                row = row_of(listing, _fact_of(key), pair_name(key.base, key.quote))
                if _wanted_here(key, row.type, row.mic, scope):
                    match = grade(row, looked)
                    elsewhere = Place(Match.FOUND_ELSEWHERE, order, 0, row.id)
                    self._add(places, {key: elsewhere if match is None else row.place(match)})
                    if shared:
                        self._note(provider, listing)
        return places

    async def _ask(self, context: Context, provider: str, ask: SearchAsk) -> tuple[Listing, ...]:
        terms = Terms(providers=(provider,), timeout=self._search_patience)
        try:
            return tuple((await context.market.fetch(SEARCH, ask, terms)).value)
        except MarketgateError:
            return ()

    def _note(self, provider: str, listing: Listing) -> None:
        """Names and symbols that a search told stay for later descriptions, as far as there is room."""
        told = self._found.setdefault(listing.instrument, {})
        if told.get(provider) != listing:
            told[provider] = listing
            self._described.pop(listing.instrument, None)

    def _page(self, places: Mapping[InstrumentId, Place], first: int, start: Place | None) -> Page[Instrument]:
        ordered = sorted((place, key) for key, place in places.items())
        rest = [each for each in ordered if start is None or each[0] > start]
        shown = rest[:first]
        cursors = [cursor_of(place) for place, _ in shown]
        info = PageInfo(
            has_next_page=len(rest) > len(shown),
            has_previous_page=len(rest) < len(ordered),
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )
        return Page(items=[self._look_up(key).instrument for _, key in shown], cursors=cursors, info=info)


def _fact_of(key: InstrumentId) -> Fact | None:
    """Of the instrument itself, or of the one without a venue if the venue is its main one or a provider's."""
    fact = FACTS.get(key)
    if fact is None and key.venue:
        plain = FACTS.get(key.at(""))
        return plain if plain is not None and (plain.mic == key.venue or not _MIC.match(key.venue)) else None
    return fact


def _listed(
    held: Mapping[InstrumentId, Listing], key: InstrumentId, provider: str, fact: Fact | None
) -> Listing | None:
    """A listing without a venue stands for its provider as a venue, and for a security's main exchange."""
    listing = held.get(key)
    if listing is None and key.venue and (key.venue == provider or (fact is not None and fact.mic == key.venue)):
        return held.get(key.at(""))
    return listing


def _settled_by(made: Instrument, fact: Fact | None) -> frozenset[str]:
    """Fields that no list can change."""
    key = made.key
    settled = {"venue"}
    if key.quote:
        settled |= {"quoteCurrency", "isin", "figi"}
    if fact is not None or made.quote_currency != UNKNOWN_CURRENCY:
        settled.add("quoteCurrency")
    if fact is not None or (key.quote and key.is_spot and made.name):
        settled.add("name")
    settled |= {field for field, value in (("isin", made.isin), ("figi", made.figi)) if value}
    return DERIVED | settled


def _wanted_here(key: InstrumentId, kind: InstrumentType, mic: str, scope: Scope) -> bool:
    return (
        (scope.asset_class is None or key.asset_class is scope.asset_class)
        and (scope.type is None or kind is scope.type)
        and (not scope.mic or mic == scope.mic)
    )


def _currency(key: InstrumentId, fact: Fact | None, told: Sequence[Listing]) -> str:
    if key.quote or fact is not None:
        return key.quote or cast(Fact, fact).currency
    listed = _first(each.currency for each in told)
    if listed is not None or key.asset_class is not AssetClass.EQUITY:
        return listed or UNKNOWN_CURRENCY
    # A security without a venue is a US listing.
    return VENUES[key.venue][1] if key.venue in VENUES else UNKNOWN_CURRENCY if key.venue else "USD"


def _first(values: Iterable[V | None]) -> V | None:
    return next((value for value in values if value is not None), None)


def _agreed(values: Iterable[V | None]) -> V | None:
    """The value that all lists have; None where one differs or is silent."""
    different = set(values)
    return different.pop() if len(different) == 1 else None
