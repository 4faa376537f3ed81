"""The composition root: the only module that knows every folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from inspect import getfile
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import strawberry
import structlog
from starlette.applications import Starlette
from strawberry.schema.config import StrawberryConfig

import plugins
from gateway import __version__
from gateway.core.calendars import ExchangeCalendars
from gateway.core.clock import Clock, SystemClock
from gateway.core.contract import Context, Host, Market, Plugin
from gateway.core.fetchlog import FetchLog
from gateway.core.identity import ANONYMOUS
from gateway.core.inventory import Inventory
from gateway.core.market import MarketData
from gateway.core.pipeline import Pipeline
from gateway.core.ports import Providers
from gateway.core.recorded import RecordedClock, RecordedTransport
from gateway.core.routing import Registry
from gateway.core.secrets import Keyring
from gateway.core.settings import Settings, SettingsError
from gateway.core.upstream import NetworkTransport, Transport, UpstreamHttp
from gateway.edge.execute import RequestFacts
from gateway.edge.health import HealthReport
from gateway.edge.limits import EdgeSettings
from gateway.edge.routes import build_edge
from providers import Discovered, discover
from providers.contract import Clock as ProviderClock
from providers.contract import Profile, Provider
from providers.recording import folder_of
from schema.provenance import DataMode
from schema.scalars import SCALARS
from schema.words.registry import BreakerState

PLUGINS = "marketgate.plugins"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Everything that one process holds; `context` makes the context of one operation."""

    settings: Settings
    schema: strawberry.Schema
    data: MarketData
    inventory: Inventory
    transport: Transport
    context: Callable[[str], Context]

    async def close(self) -> None:
        """Let go of connections."""
        await self.transport.close()


def load_plugins(*, third_party: bool = True) -> list[Plugin]:
    """Every folder below `plugins/` that has a `plugin.py`, then installed packages' entry points."""
    ours = [import_module(f"{m.name}.plugin").plugin for m in iter_modules(plugins.__path__, "plugins.") if m.ispkg]
    found: list[Plugin] = [plugin for plugin in ours if isinstance(plugin, Plugin)]
    for point in entry_points(group=PLUGINS) if third_party else ():
        try:
            plugin = point.load()
            if not isinstance(plugin, Plugin):
                raise TypeError(f"{point.value} is not a Plugin")
        except Exception as error:  # noqa: BLE001 - a stranger's plugin must not stop the start
            log.error("plugin_failed_to_load", plugin=point.name, reason=f"{type(error).__name__}: {error}")
        else:
            found.append(plugin)
    return found


def build_schema(found: Sequence[Plugin]) -> strawberry.Schema:
    """One schema of all plugins; two that define the same root field stop the start."""
    return strawberry.Schema(
        query=_merged("Query", [(p.name, p.query) for p in found if p.query]),
        mutation=_merged("Mutation", [(p.name, p.mutation) for p in found if p.mutation]),
        subscription=_merged("Subscription", [(p.name, p.subscription) for p in found if p.subscription]),
        types=[kind for plugin in found for kind in plugin.types],
        config=StrawberryConfig(scalar_map=SCALARS),
    )


_DESCRIPTIONS = {
    "Query": "Questions about markets. Every value says where it came from.",
    "Mutation": "Changes.",
    "Subscription": "Live streams.",
}


def _merged(name: str, parts: Sequence[tuple[str, type]]) -> Any:
    owners: dict[str, str] = {}
    for plugin, kind in parts:
        for field in kind.__strawberry_definition__.fields:  # type: ignore[attr-defined]
            if field.python_name in owners:
                raise RuntimeError(f"{name}.{field.python_name} is defined by {owners[field.python_name]} and {plugin}")
            owners[field.python_name] = plugin
    if not parts:
        return None
    return strawberry.type(type(name, tuple(kind for _, kind in parts), {}), description=_DESCRIPTIONS[name])


def build_gateway(
    settings: Settings,
    *,
    clock: Clock | None = None,
    transport: Transport | None = None,
    discovered: Discovered | None = None,
    found: Sequence[Plugin] | None = None,
) -> Gateway:
    """Put a process together; tests hand in their own clock, transport, providers or plugins."""
    clock = clock or SystemClock()
    offline = settings.mode == "recorded"
    discovered = discovered or discover()
    transport = transport or (RecordedTransport(_recordings(discovered)) if offline else NetworkTransport())
    keyring = settings.keyring()
    registry = Registry(
        clock=clock, mode=DataMode.RECORDED if offline else DataMode.LIVE, failed=discovered.failed,
        changed=_breaker_changed,
    )  # fmt: skip
    for cls in discovered.classes.values():
        _add(registry, cls, settings, keyring, transport)
    for slip in _slips(settings, discovered):
        log.warning("setting_without_effect", reason=slip)
    for name, reason in discovered.failed.items():
        log.error("provider_failed_to_load", provider=name, reason=reason)
    pipeline = Pipeline(registry, clock, redact=keyring.redactor(), rows=settings.cache_rows)
    data = MarketData(registry, pipeline, clock)
    inventory = Inventory(data, {name: frozenset(parts) for name, parts in keyring.keys.items()})
    host = Host(data=data, clock=clock, calendars=ExchangeCalendars())
    found = load_plugins() if found is None else found
    services = _services(found, host, inventory)

    def context(request_id: str) -> Context:
        return Context(
            principal=ANONYMOUS, now=clock.now(), request_id=request_id, host=host, services=services,
            market=Market(data=data, log=FetchLog()),
        )  # fmt: skip

    return Gateway(
        settings=settings, schema=build_schema(found), data=data, inventory=inventory, transport=transport,
        context=context,
    )  # fmt: skip


def _slips(settings: Settings, discovered: Discovered) -> list[str]:
    """Keys and tiers of providers that are not there: a slip of the pen, or a provider of another release."""
    known, slips = [*discovered.classes, *discovered.failed], []
    for kind, names in (("KEY", settings.keys), ("TIER", settings.tiers)):
        for name in sorted(names.keys() - set(known)):
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            slips.append(f"MARKETGATE_{kind}_{name.upper()}: there is no provider {name!r}{hint}")
    for name, parts in settings.keyring().keys.items():
        cls = discovered.classes.get(name)
        declared = {part.name for part in cls.profile.credentials} if cls and name not in settings.tiers else set()
        if declared and (strange := sorted(parts.keys() - declared)):
            told = f"has no part {', '.join(strange)}; its parts are {', '.join(sorted(declared))}"
            slips.append(f"MARKETGATE_KEY_{name.upper()}: {told}")
    return slips


def _recordings(discovered: Discovered) -> Callable[[str], Path | None]:
    """Where a provider's recordings are: beside its module, also for those of installed packages."""
    return lambda provider: folder_of(getfile(discovered.classes[provider]), provider)


def _breaker_changed(provider: str, capability: str, state: BreakerState, why: str) -> None:
    log.warning("breaker_changed", provider=provider, capability=capability, state=state.value, reason=why)


def _services(found: Sequence[Plugin], host: Host, inventory: Inventory) -> Mapping[type, Any]:
    services: dict[type, Any] = {Providers: inventory}
    owners: dict[type, str] = dict.fromkeys(services, "core")
    for plugin in found:
        for kind, service in (plugin.services(host) if plugin.services else {}).items():
            if kind in services:
                raise RuntimeError(f"{kind.__name__} is served by {owners[kind]} and {plugin.name}")
            services[kind], owners[kind] = service, plugin.name
    return services


def _add(registry: Registry, cls: type[Provider], settings: Settings, keyring: Keyring, transport: Transport) -> None:
    """One provider with its port; a required credential that is not set is noted, not fatal."""
    profile = _with_tier(cls.profile, settings.tiers.get(cls.profile.id))
    key = keyring.of(profile.id)
    live = registry.mode is DataMode.LIVE
    http = UpstreamHttp(
        profile=profile, transport=transport, clock=registry.clock, key=key, needs_key=live,
        base=settings.upstream_base if live else "",
    )  # fmt: skip
    clock: ProviderClock = registry.clock
    if isinstance(transport, RecordedTransport) and profile.mode is DataMode.LIVE:
        clock = RecordedClock(transport, profile.id, registry.clock)
    provider = cls(http, clock)
    http.explain = provider.explain
    if profile is not cls.profile:
        vars(provider)["profile"] = profile
    missing = [part.name for part in profile.credentials if part.required and part.name not in key] if live else []
    registry.add(provider, f"MARKETGATE_KEY_{profile.id.upper()}" if missing else None)


def _with_tier(profile: Profile, tier: str | None) -> Profile:
    if tier is None or (tier == "free" and "free" not in profile.tiers):
        return profile
    plan = profile.tiers.get(tier)
    if plan is None:
        raise SettingsError(f"MARKETGATE_TIER_{profile.id.upper()}: {profile.name} has no tier {tier!r}")
    return replace(
        profile,
        base_url=plan.base_url or profile.base_url,
        credentials=profile.credentials if plan.credentials is None else plan.credentials,
        limits=profile.limits if plan.limits is None else plan.limits,
    )


def create_app(settings: Settings, *, gateway: Gateway | None = None) -> Starlette:
    """The ASGI application of one process."""
    gateway = gateway or build_gateway(settings)
    edge = EdgeSettings(
        development=settings.development,
        introspection=settings.development,
        console=settings.development,
        mode=settings.mode,
        cors_origins=settings.cors_origins,
        operation_timeout_s=settings.timeout_s,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await gateway.close()

    async def readiness() -> Sequence[str]:
        return ()

    def context_for(facts: RequestFacts) -> Context:
        return gateway.context(facts.request_id)

    return build_edge(
        schema=gateway.schema, settings=edge, context_for=context_for, readiness=readiness,
        health=lambda: health_report(gateway), lifespan=lifespan,
    )  # fmt: skip


def health_report(gateway: Gateway) -> HealthReport:
    """What `/health` says: the process lives; each provider's condition is listed."""
    providers = gateway.inventory.all()
    return HealthReport(
        status="ok",
        mode=gateway.settings.mode,
        env=gateway.settings.env,
        version=__version__,
        providers=[
            {
                "id": provider.id,
                "name": provider.name,
                "status": provider.status.value,
                "reason": provider.status_reason,
                "breaker": provider.health.breaker.value,
                "errorRate": provider.health.error_rate,
                "p95Ms": provider.health.p95_ms,
            }
            for provider in providers
        ],
    )
