"""The short way: what the first provider's fresh copy answers is taken at once, without a plan for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gateway.core.account import EVERYBODY, Account
from gateway.core.batches import FEWEST, Batch
from gateway.core.fetchlog import Fetched, FetchLog
from gateway.core.holding import shared_by
from schema.capability import DEFAULT_TERMS, Capability, Terms
from schema.facts import Shared

if TYPE_CHECKING:
    from gateway.core.access import Lane
    from gateway.core.market import MarketData


def at_hand(
    market: MarketData, capability: Capability[Any, Any], ask: Any, terms: Terms, log: FetchLog, account: Account
) -> tuple[Mapping[Any, Any], list[Any]]:
    """Answers by item, and the items that have to be asked for.

    Nothing is at hand where the age is limited, where a provider was passed over, or where an answer has to be put
    together from pieces: the errand sees to those.
    """
    parts = capability.parts(ask)
    if terms.max_age is not None:
        return {}, list(parts)
    if len(parts) == 1:
        one = one_at_hand(market, capability, parts[0], None if capability.items else ask, terms, log, account)
        return ({}, list(parts)) if one is None else ({parts[0]: one}, [])
    plain = terms is DEFAULT_TERMS and account.reach is EVERYBODY and not account.keys
    # Pieces of a range are long: they are not held a second time.
    if len(parts) < FEWEST or capability.items is None or not plain or not log.empty:
        found, missing, _ = _one_by_one(market, capability, ask, terms, log, account)
        return found, missing
    now, of = market.clock.monotonic(), (capability.name, capability.version)
    state = (market.pipeline.cache.changes, market.registry.changes)
    batch = market.batches.find(of, parts, now, state)
    if batch is not None and _quiet(market, capability, batch):
        market.pipeline.count_hits(capability, batch.lanes)
        log.adopt(batch.log)
        return batch.found, []
    own = FetchLog()
    seen, missing, lanes = _one_by_one(market, capability, ask, terms, own, account)
    log.adopt(own)
    if not missing and all(lane.rights.share for lane in set(lanes.values())):
        shown = MappingProxyType(seen)
        market.batches.keep(Batch(of=of, parts=parts, found=shown, log=own, lanes=lanes, made=now, state=state))
        return shown, []
    return seen, missing


def one_at_hand(
    market: MarketData, capability: Capability[Any, Any], part: Any, ask: Any, terms: Terms, log: FetchLog,
    account: Account,
) -> Fetched | None:  # fmt: skip
    """One answer, without looking at the age that *terms* may limit; *ask* where the part is not of a batch."""
    lane, pipeline = market.registry.first(capability, part, ask, terms, account), market.pipeline
    if lane is None or not _in_one_piece(capability, lane, part):
        return None
    if not pipeline.health.quiet(lane.access.holder, capability.name):
        return None
    held = pipeline.fresh(lane, capability, part, market.clock.monotonic())
    if held is None:
        return None
    log.hit(held.value, held.provenance, held.fresh_until, shared_by(lane))
    return Fetched(held.value, held.provenance)


def _quiet(market: MarketData, capability: Capability[Any, Any], batch: Batch) -> bool:
    """Whether nothing speaks against any provider in it."""
    health = market.pipeline.health
    return all(health.quiet(lane.access.holder, capability.name) for lane in set(batch.lanes.values()))


def _one_by_one(
    market: MarketData, capability: Capability[Any, Any], ask: Any, terms: Terms, log: FetchLog, account: Account
) -> tuple[dict[Any, Any], list[Any], dict[Any, Lane]]:
    found: dict[Any, Any] = {}
    missing: list[Any] = []
    lanes: dict[Any, Lane] = {}
    quiet: dict[Lane, Shared | None] = {}
    pipeline, registry, items = market.pipeline, market.registry, capability.items
    now = market.clock.monotonic()
    for part in capability.parts(ask):
        lane = registry.first(capability, part, ask if items is None else None, terms, account)
        if lane is None:
            missing.append(part)
            continue
        if lane in quiet:
            shared = quiet[lane]
        else:
            plain = _in_one_piece(capability, lane, part) and pipeline.health.quiet(lane.access.holder, capability.name)
            shared = quiet[lane] = shared_by(lane) if plain else None
        held = None if shared is None else pipeline.fresh(lane, capability, part, now)
        if held is None or shared is None:
            missing.append(part)
            continue
        log.hit(held.value, held.provenance, held.fresh_until, shared)
        found[part], lanes[part] = Fetched(held.value, held.provenance), lane
    return found, missing, lanes


def _in_one_piece(capability: Capability[Any, Any], lane: Lane, part: Any) -> bool:
    rows = lane.answer.max_rows
    return capability.ranges is None or not rows or len(capability.ranges.split(part, rows)) == 1
