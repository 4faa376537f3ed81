"""What processes share over Redis, where it is set; else each is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.core.bus import Bus, LocalBus
from gateway.core.cachedesk import CacheDrops
from gateway.core.clock import Clock
from gateway.core.contract import Host
from gateway.core.oversight import BreakerOversight
from gateway.core.pipeline import Pipeline
from gateway.core.ports import CacheDesk
from gateway.core.settings import Settings

if TYPE_CHECKING:
    from gateway.core.guards.sharedquotas import SharedQuotas
    from gateway.core.guards.warmth import Warmth
    from gateway.core.link import RedisLink


def make_bus(settings: Settings) -> Bus:
    """Redis where it is set, else this process alone."""
    if settings.redis_url is None:
        return LocalBus()
    from gateway.core.redis import RedisBus

    return RedisBus(settings.redis_url.get_secret_value())


def make_link(settings: Settings, clock: Clock, *, wait_s: float | None = None) -> RedisLink | None:
    """The guards' Redis, where it is set; answers are waited for as long as the cache does, or *wait_s*."""
    if settings.redis_url is None:
        return None
    from gateway.core.link import WAIT_S, RedisLink

    return RedisLink(settings.redis_url.get_secret_value(), clock, wait_s=WAIT_S if wait_s is None else wait_s)


def make_oversight(settings: Settings, link: RedisLink | None, bus: Bus, clock: Clock) -> BreakerOversight:
    """The fleet's breakers as one where Redis is set, unless that is not wanted."""
    if link is None or not settings.shared_breakers:
        return BreakerOversight(bus, clock)
    from gateway.core.fleet import SharedBreakers

    return SharedBreakers(link, bus, clock)


def make_quotas(settings: Settings, clock: Clock) -> SharedQuotas | None:
    """Upstreams' limits counted by all processes together, where Redis is set.

    Over a link of their own: the cache gives up after moments, and whoever counts alone meanwhile counts too little.
    """
    link = make_link(settings, clock)
    if link is None:
        return None
    from gateway.core.guards.sharedquotas import SharedQuotas

    return SharedQuotas(link, clock)


def share_cache(pipeline: Pipeline, host: Host) -> Warmth | None:
    """Let the pipeline look into Redis before it asks upstreams, and the operator drop what is cached."""
    if host.link is None:
        host.services[CacheDesk] = CacheDrops(pipeline, host.bus, None)
        return None
    from gateway.core.guards.fleet import Fleet
    from gateway.core.guards.shared import SharedCache
    from gateway.core.guards.warmth import Warmth

    shared = SharedCache(host.link, host.clock, pipeline.registry.mode.value)
    pipeline.fleet = Fleet(shared, pipeline.cache, host.clock)
    host.services[CacheDesk] = CacheDrops(pipeline, host.bus, shared)
    return Warmth(pipeline, shared, host.clock, host.settings.cache_warm_up)
