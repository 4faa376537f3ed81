"""MarketData: put an ask to the providers that cover it; fail over, fill up, join, and say how it went."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.core.access import Lane
from gateway.core.account import NOBODY, Account
from gateway.core.athand import at_hand
from gateway.core.batches import Batches
from gateway.core.clock import Clock
from gateway.core.consensus import Rules, agree, rate_as_quote, rates_ask_of
from gateway.core.errand import Errand
from gateway.core.fetchlog import Fetched, FetchLog
from gateway.core.holding import hold
from gateway.core.licensing import NONE, Rights, rights_of
from gateway.core.pipeline import Pipeline
from gateway.core.routing import Registry
from gateway.core.streaming import stream
from gateway.core.tracing import TRACES, event
from schema.capability import DEFAULT_TERMS, Capability, Terms
from schema.errors import NoAnswer, UpstreamError
from schema.provenance import DataMode
from schema.symbols import AssetClass, InstrumentId
from schema.words.consensus import Consensus
from schema.words.quotes import QUOTES, QuotesAsk
from schema.words.rates import FX_RATES

if TYPE_CHECKING:
    from gateway.core.ports import Calendars

A = TypeVar("A")
M = TypeVar("M")


class MarketData:
    """The one way to upstream data. Safe to share between all operations of a process."""

    def __init__(self, registry: Registry, pipeline: Pipeline, clock: Clock) -> None:
        self.registry, self.pipeline, self.clock = registry, pipeline, clock
        self.batches = Batches()
        self.on_forget: list[Callable[[str], None]] = []
        """Called with a tenant whose own keys or preferences have changed."""
        self.on_key = pipeline.health.on_key
        """Called with tenant, provider and refusal when a tenant's own key is refused; without one when it works."""
        self.calendars: Calendars | None = None
        """What tells old prices from those of the last session, read before an age is judged; None in a bare core."""

    def offering(
        self,
        capability: Capability[A, M],
        ask: A,
        terms: Terms = DEFAULT_TERMS,
        asset_class: AssetClass | None = None,
        account: Account = NOBODY,
    ) -> tuple[str, ...]:
        """Ids of the providers that would be asked, in order of routing, or those of them that have an asset class.

        For nobody in particular only those whose answers may be shared by all.
        """
        return tuple(
            lane.id
            for lane in self.registry.route(capability, ask, terms, account).lanes
            if (asset_class is None or asset_class in lane.provider.profile.asset_classes)
            and (account.tenant or lane.rights.share)
        )

    def name_of(self, provider: str) -> str | None:
        """A provider's name in words; None where there is no such provider."""
        found = self.registry.providers.get(provider)
        return found.profile.name if found else None

    def rights(self, capability: Capability[A, M], provider: str, account: Account = NOBODY) -> Rights:
        """What may be done with this provider's answers to this account; nothing where there is no such provider."""
        found = self.registry.providers.get(provider)
        return NONE if found is None else rights_of(found.profile, capability, account)

    def forget(self, tenant: str) -> None:
        """The tenant's own keys have changed."""
        self.registry.own.forget(tenant)
        self.reroute(tenant)

    def reroute(self, tenant: str) -> None:
        """The tenant is served by other rules from now on."""
        for call in self.on_forget:
            call(tenant)

    async def fetch(
        self,
        capability: Capability[A, M],
        ask: A,
        terms: Terms = DEFAULT_TERMS,
        log: FetchLog | None = None,
        account: Account = NOBODY,
        deadline: float = inf,
    ) -> Fetched:
        """One answer; NoAnswer lists every attempt."""
        found = (await self.fetch_many(capability, ask, terms, log, account, deadline))[capability.parts(ask)[0]]
        if isinstance(found, NoAnswer):
            raise found
        return found

    async def fetch_many(
        self,
        capability: Capability[A, M],
        ask: A,
        terms: Terms = DEFAULT_TERMS,
        log: FetchLog | None = None,
        account: Account = NOBODY,
        deadline: float = inf,
    ) -> Mapping[Any, Fetched | NoAnswer]:
        """An answer or a NoAnswer for each item of the ask, in the order of the ask.

        What many share may be the same mapping as before, while all of it holds.

        *deadline* (the loop's time) is the operation's: no fetch of it takes longer, whatever its terms say.
        """
        if account.history_days is not None:
            venue = getattr(getattr(ask, "instrument", None), "venue", "")
            account.check_depth(ask, self.now(replace(terms, providers=(venue,)) if venue else terms))
        log = log or FetchLog()
        if terms.max_age and self.calendars is not None:
            await self.calendars.prepare(getattr(ask, "instruments", ()), self.clock.now())
        found, missing = at_hand(self, capability, ask, terms, log, account)
        if TRACES.tracer is not None:
            event("at hand", capability=capability.name, held=len(found), missing=len(missing))
        if not missing:
            return found
        rest = capability.items.only(ask, tuple(missing)) if capability.items and found else ask
        fetched = await Errand(self, capability, rest, terms, log, account, deadline).run()
        return {part: found.get(part) or fetched[part] for part in capability.parts(ask)} if found else fetched

    def stream(
        self,
        capability: Capability[A, M],
        ask: A,
        terms: Terms = DEFAULT_TERMS,
        log: FetchLog | None = None,
        account: Account = NOBODY,
    ) -> AsyncGenerator[M]:
        """The parts of an answer that comes in parts; see `gateway.core.streaming`."""
        return stream(self, capability, ask, terms, log or FetchLog(), account)

    def now(self, terms: Terms) -> datetime:
        """The present: in the offline market, for pinned providers, the moment of their recordings."""
        pinned = [self.registry.providers[name] for name in terms.providers or () if name in self.registry.providers]
        if self.registry.mode is DataMode.LIVE or not pinned:
            return self.clock.now()
        return min(provider.clock.now() for provider in pinned)

    async def consensus(
        self,
        instrument: InstrumentId,
        terms: Terms,
        quorum: int,
        now: datetime,
        log: FetchLog,
        account: Account = NOBODY,
        deadline: float = inf,
    ) -> Consensus:
        """Ask every provider that covers the instrument (or the pinned ones) at once, and see what they agree on.

        Of a pair of currencies those too that publish rates and no quotes.
        """
        ask, rates_ask = QuotesAsk(instruments=(instrument,)), rates_ask_of(instrument)
        route, more = self.registry.route(QUOTES, ask, terms, account), list[Lane]()
        if rates_ask is not None:
            quoting = {lane.id for lane in route.lanes}
            rated = self.registry.route(FX_RATES, rates_ask, terms, account)
            more = [lane for lane in rated.lanes if lane.id not in quoting]
        if terms.max_age and self.calendars is not None:
            await self.calendars.prepare(ask.instruments, self.clock.now())
        quoted = self.ask_each(QUOTES, ask, route.lanes, terms, log, account, deadline)
        if rates_ask is None or not more:
            answers = await quoted
        else:
            told = self.ask_each(FX_RATES, rates_ask, more, terms, log, account, deadline)
            answers, rates = await asyncio.gather(quoted, told)
            answers.update((name, rate_as_quote(instrument, name, found)) for name, found in rates.items())
        if terms.providers is not None:
            answers.update((error.provider, error) for error in route.refused if error.provider not in answers)
        newest = self.pipeline.keeper.newest
        return agree(instrument, answers, Rules(quorum=quorum, max_age=terms.max_age, now=now, newest=newest))

    async def ask_each(
        self,
        capability: Capability[A, M],
        ask: A,
        lanes: Iterable[Lane],
        terms: Terms,
        log: FetchLog,
        account: Account = NOBODY,
        deadline: float = inf,
    ) -> dict[str, Fetched | UpstreamError]:
        """The same ask of one item to several providers at once, no failover: for a consensus.

        What is older than `max_age` although it was asked for anew is answered all the same: a consensus shows it.
        """
        item = capability.parts(ask)[0]
        budget = min(terms.timeout, deadline - asyncio.get_running_loop().time())

        lanes = list(lanes)
        outcomes = await self.pipeline.fetch_each(lanes, capability, ask, item, terms, budget, account)
        age, monotonic = self.pipeline.keeper.age, self.clock.monotonic()
        found: dict[str, Fetched | UpstreamError] = {}
        for lane, outcome in zip(lanes, outcomes, strict=True):
            hold(log, lane, (outcome,), terms, age, monotonic)
            if isinstance(outcome, UpstreamError):
                found[lane.id] = outcome
                continue
            stored, status = outcome
            log.note(stored.provenance, status)
            found[lane.id] = Fetched(stored.value, stored.provenance)
        return found
