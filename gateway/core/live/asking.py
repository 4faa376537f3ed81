"""From asks to streams: which providers may serve a live ask for a caller, and in what order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.core.access import Lane
from gateway.core.account import Account
from gateway.core.lines.closing import NEVER_CLOSING
from gateway.core.live.folds import SHOWN_TRADES
from gateway.core.live.leader import Source, Upstream
from gateway.core.routing import Registry, covers
from schema.capability import Capability, Terms
from schema.errors import UpstreamError
from schema.words.candles import CANDLES, CandlesAsk
from schema.words.quotes import QUOTES, QuotesAsk
from schema.words.trades import TRADES, TradesAsk

LONGEST_IN_SESSIONS = 1_800
"""Seconds. Longer candles of a venue with sessions begin with its session, not on the grid of UTC."""


def upstreams(
    registry: Registry, capability: Capability[Any, Any], ask: Any, terms: Terms, account: Account
) -> tuple[tuple[Upstream, ...], tuple[UpstreamError, ...]]:
    """Where the stream of an ask of one item may come from, in order, and why not from elsewhere.

    Whom the caller prefers, and the caller's own keys, come first; then who has a feed; then, of candles, those that
    are built from a feed of trades; then those who are asked again and again; last, candles of last prices, which know
    no volume. Pinned providers keep their order.
    """
    route = registry.route(capability, ask, terms, account)
    found = [Upstream(lane=lane, capability=capability, ask=ask) for lane in route.lanes]
    if capability is CANDLES:
        found = _with_built(registry, found, ask, terms, account)
    pinned = terms.providers
    if pinned is not None:
        found.sort(key=lambda each: pinned.index(each.lane.id))
    else:
        rank = account.reach.rank
        found.sort(
            key=lambda each: (
                rank(each.lane.id), not each.lane.own, _quality(registry, each), each.lane.provider.profile.priority,
                each.lane.id,
            )
        )  # fmt: skip
    served = {each.lane.id for each in found}
    return tuple(found), tuple(error for error in route.refused if error.provider not in served)


def has_feed(registry: Registry, lane: Lane, capability: Capability[Any, Any], ask: Any) -> bool:
    """Whether the provider streams it by itself; offline, and simulated, none does."""
    stream = lane.provider.streams.get(capability.name)
    return stream is not None and stream.takes(ask) and registry.counts(lane.provider.profile)


def _quality(registry: Registry, each: Upstream) -> int:
    if each.source is not None:
        return 1 if each.source.upstream.capability is TRADES else 3
    return 0 if has_feed(registry, each.lane, each.capability, each.ask) else 2


def _with_built(
    registry: Registry, found: list[Upstream], ask: CandlesAsk, terms: Terms, account: Account
) -> list[Upstream]:
    """One stream for each provider: its own, else the one built from its trades, else as it is asked again and again.

    From last prices only where it offers no such candles at all.
    """
    if ask.instrument.asset_class not in NEVER_CLOSING and ask.interval.seconds > LONGEST_IN_SESSIONS:
        return found
    kept = {each.lane.id: each for each in found}
    fed = {name for name, each in kept.items() if has_feed(registry, each.lane, CANDLES, ask)}
    tape, prices = TradesAsk(instrument=ask.instrument, last=SHOWN_TRADES), QuotesAsk(instruments=(ask.instrument,))
    for lane in registry.route(TRADES, tape, terms, account).lanes:
        if lane.id not in fed and has_feed(registry, lane, TRADES, tape):
            source = Source(
                upstream=Upstream(lane=lane, capability=TRADES, ask=tape),
                candles=_whole_candles(registry, lane.id, ask, account),
            )
            kept[lane.id] = Upstream(lane=lane, capability=CANDLES, ask=ask, source=source)
    for lane in registry.route(QUOTES, prices, terms, account).lanes:
        if lane.id not in kept and has_feed(registry, lane, QUOTES, prices):
            source = Source(upstream=Upstream(lane=lane, capability=QUOTES, ask=prices))
            kept[lane.id] = Upstream(lane=lane, capability=CANDLES, ask=ask, source=source)
    return list(kept.values())


def _whole_candles(registry: Registry, provider: str, ask: CandlesAsk, account: Account) -> Lane | None:
    """A provider's lane of candles over HTTP, of whatever length."""
    for lane in registry.lanes_of(CANDLES.name):
        if lane.id == provider:
            shortest = min(lane.answer.intervals or (ask.interval,), key=lambda interval: interval.seconds)
            if not covers(lane, replace(ask, interval=shortest)):
                return None
            return registry.own.lane(lane, account) if account.tenant else lane
    return None
