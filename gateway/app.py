"""The composition root: the only module that knows every folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import strawberry
import structlog
from starlette.applications import Starlette

from gateway.core.account import Accounts
from gateway.core.archive.shelf import Shelf
from gateway.core.bridges.asked import with_bridges
from gateway.core.bus import Bus
from gateway.core.calendars import ExchangeCalendars
from gateway.core.calltraces import traced
from gateway.core.clock import Clock, SystemClock
from gateway.core.computing.pool import ProcessPool
from gateway.core.contract import Admissions, Context, Host, Market, Plugin, Worker
from gateway.core.egress.guarded import GuardedEgress
from gateway.core.fetchlog import FetchLog
from gateway.core.guards.toll import Budgets
from gateway.core.identity import LOCAL, Principal
from gateway.core.inventory import Inventory
from gateway.core.lines.line import Lines
from gateway.core.lines.livelines import LiveLines
from gateway.core.live.starting import Live, make_homes, make_live
from gateway.core.loading import add_providers, recordings_of, slips_of
from gateway.core.market import MarketData
from gateway.core.migrations.readiness import DatabaseReadiness, fit, require
from gateway.core.outbound import Outbound
from gateway.core.outbox.log import EventLog
from gateway.core.oversight import BreakerOversight
from gateway.core.payments import PaymentPort
from gateway.core.pipeline import Pipeline
from gateway.core.ports import (
    Allowances,
    Archive,
    Authenticator,
    Backstage,
    CacheDesk,
    Computing,
    Egress,
    EventPrinter,
    MailTransport,
    OutboundHttp,
    Outbox,
    Preferences,
    Presented,
    ProviderKeys,
    Providers,
    Switchboard,
)
from gateway.core.recorded import RecordedTransport
from gateway.core.routing import Registry
from gateway.core.secrets import Vault
from gateway.core.settings import Settings, SettingsError
from gateway.core.store import Store
from gateway.core.strangers import gathered, surviving
from gateway.core.switchboard import ProviderSwitchboard
from gateway.core.together import make_bus, make_link, make_oversight, make_quotas, share_cache
from gateway.core.upstream import NetworkTransport, Transport
from gateway.core.walarchive import watching
from gateway.core.working import working
from gateway.domains import build_schema, catalog_of, histories, load_plugins
from gateway.edge.addresses import origin_of
from gateway.edge.admissions import EdgeAdmissions
from gateway.edge.allowances import PlanAllowances, make_allowances
from gateway.edge.auth import presented_by
from gateway.edge.cost import PriceList
from gateway.edge.documents import BadTrustedDocument
from gateway.edge.eventprinting import SchemaPrinter
from gateway.edge.execute import RequestFacts
from gateway.edge.gate import Gate, OpenGate
from gateway.edge.graphqlcore import core_schema
from gateway.edge.health import report_of
from gateway.edge.keeping import Keepings
from gateway.edge.limits import EdgeSettings
from gateway.edge.persisted import SharedDocuments
from gateway.edge.policies import AccountPolicies
from gateway.edge.responses import ResponseCache
from gateway.edge.routes import build_edge
from gateway.edge.sharing import Sharing
from gateway.edge.shedding import Shedding
from gateway.edge.tenantgate import TenantGate
from gateway.edge.trusted import SETTING, name_of, read_trusted
from gateway.errorpages import error_routes
from providers import Discovered, discover
from schema.provenance import DataMode

if TYPE_CHECKING:
    from gateway.core.guards.sharedquotas import SharedQuotas
    from gateway.core.guards.warmth import Warmth
    from gateway.core.link import RedisLink

COUNTING_S = 0.5
"""How long an operation waits for Redis to count its points, before it is counted here alone or refused."""

BACKSTAGE = "backstage"
"""In the place of a request's id, where nobody has asked."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Everything that one process holds; `context` makes the context of one operation."""

    settings: Settings
    schema: strawberry.Schema
    data: MarketData
    inventory: Inventory
    transport: Transport
    host: Host
    allowances: PlanAllowances
    oversight: BreakerOversight
    context: Callable[[RequestFacts, Principal], Context]
    sharing: Sharing
    live: Live
    outbox: EventLog
    computing: ProcessPool
    responses: ResponseCache | None = None
    warmth: Warmth | None = None
    quotas: SharedQuotas | None = None
    counting: RedisLink | None = None
    """What the allowances are counted over."""

    async def close(self) -> None:
        """Let go of connections."""
        await self.live.close()
        await self.computing.close()
        await self.oversight.close()
        await self.outbox.close()
        if self.quotas is not None:
            await self.quotas.close()
        await self.host.bus.close()
        for plugin in self.host.plugins:
            if plugin.stop is not None:
                with surviving(plugin, "stop"):
                    await plugin.stop(self.host)
        if PaymentPort in self.host.services:
            await self.host.service(PaymentPort).close()
        await self.host.service(OutboundHttp).close()
        await self.host.service(Egress).close()
        for link in filter(None, (self.host.link, self.counting)):
            await link.close()
        await self.transport.close()
        await self.host.store.close()


@dataclass(frozen=True, slots=True)
class Scenes:
    """Serves `Backstage`."""

    context: Callable[[Principal], Context]


def build_gateway(
    settings: Settings,
    *,
    clock: Clock | None = None,
    transport: Transport | None = None,
    discovered: Discovered | None = None,
    found: Sequence[Plugin] | None = None,
    schema: strawberry.Schema | None = None,
    bus: Bus | None = None,
    chance: Random | None = None,
    lines: Lines | None = None,
) -> Gateway:
    """Put a process together; tests hand in their own clock, transport, providers, plugins with their schema, dice."""
    clock = clock or SystemClock()
    offline = settings.mode == "recorded"
    discovered = with_bridges(settings, discovered or discover(settings.providers))
    transport = transport or (RecordedTransport(recordings_of(discovered)) if offline else NetworkTransport())
    transport = traced(transport)
    keyring = settings.keyring()
    bus, link = bus or make_bus(settings), make_link(settings, clock)
    oversight = make_oversight(settings, link, bus, clock)
    quotas = make_quotas(settings, clock)
    registry = Registry(
        clock=clock, mode=DataMode.RECORDED if offline else DataMode.LIVE, failed=discovered.failed,
        oversight=oversight, turnstiles=quotas.turnstile if quotas else None,
        quotas=settings.upstream_quotas,
    )  # fmt: skip
    add_providers(registry, discovered, settings, keyring, transport)
    for slip in slips_of(settings, discovered):
        log.warning("setting_without_effect", reason=slip)
    for name, reason in discovered.failed.items():
        log.error("provider_failed_to_load", provider=name, reason=reason)
    pipeline = Pipeline(
        registry, clock, redact=keyring.redactor(), cache_bytes=settings.cache_mb * 2**20, chance=chance
    )
    data = MarketData(registry, pipeline, clock)
    inventory = Inventory(data, {name: frozenset(parts) for name, parts in keyring.keys.items()})
    found = load_plugins() if found is None else list(found)
    histories(found)
    host = Host(
        data=data, clock=clock, calendars=ExchangeCalendars(), store=Store(settings.database),
        vault=Vault(settings.root_secrets), bus=bus, settings=settings, link=link,
        plugins=found,
    )  # fmt: skip
    pipeline.health.trading, pipeline.keeper.newest = host.calendars.trading, host.calendars.newest
    data.calendars = host.calendars
    registry.own.sign = partial(host.vault.digest, "provider key")
    if quotas is not None:
        pipeline.budgets = Budgets(clock, quotas.budget)
    warmth = share_cache(pipeline, host)
    # A link of its own: where the cache gives up on a slow Redis, a tenant would have its points once in each process.
    counting = make_link(settings, clock, wait_s=COUNTING_S)
    allowances = host.services[Allowances] = make_allowances(settings, clock, host.services, counting)
    allowances.budgets = pipeline.budgets
    switchboard = host.services[Switchboard] = ProviderSwitchboard(registry, pipeline.health, host.bus)
    outbox = host.services[Outbox] = EventLog(host.store, clock, lambda: host.service(EventPrinter), catalog_of(found))
    computing = host.services[Computing] = ProcessPool(
        clock=clock, memory_mb=settings.compute_memory_mb, processes=settings.compute_processes
    )
    _serve(found, host, inventory)

    redis_url = None if settings.redis_url is None else settings.redis_url.get_secret_value()
    fleet = (lambda: quotas.members.count) if quotas is not None else (lambda: 1)
    live = make_live(
        lines or LiveLines(pipeline, host.calendars, clock, chance, fleet, make_homes(link, clock)),
        clock,
        link,
        redis_url,
    )
    accounts = Accounts(
        lambda: host.services.get(ProviderKeys), lambda: host.services.get(Preferences), live=not offline
    )

    def context(facts: RequestFacts | None, principal: Principal) -> Context:
        market = Market(
            data=data, log=FetchLog(), account=accounts.at_once(principal), find=lambda: accounts.find(principal),
            deadline=asyncio.get_running_loop().time() + settings.timeout_s, hub=live.hub,
        )  # fmt: skip
        return Context(
            principal=principal, now=clock.now(), request_id=facts.request_id if facts else BACKSTAGE, host=host,
            services=host.services, market=market, presented=presented_by(facts) if facts else Presented(),
            user_agent=facts.headers.get("user-agent") if facts else None,
        )  # fmt: skip

    schema = schema or build_schema(found)
    printer = SchemaPrinter(core_schema(schema), lambda: context(None, LOCAL))
    host.services[EventPrinter], host.services[Backstage] = printer, Scenes(partial(context, None))
    responses = make_responses(host, schema, accounts)
    if responses is not None:
        switchboard.on_switched.append(responses.clear)
        host.services[CacheDesk].on_dropped.append(responses.clear)
        data.on_forget.append(responses.forget)
    return Gateway(
        settings=settings, schema=schema, data=data, inventory=inventory, transport=transport, host=host,
        allowances=allowances, oversight=oversight, context=context, responses=responses,
        warmth=warmth, quotas=quotas, counting=counting, live=live, outbox=outbox,
        computing=computing,
        sharing=Sharing(Keepings(core_schema(schema)), AccountPolicies(accounts)),
    )  # fmt: skip


def make_responses(host: Host, schema: strawberry.Schema, accounts: Accounts) -> ResponseCache | None:
    """The response cache, unless it has no room."""
    most = host.settings.response_cache_mb * 1_000_000
    if not most:
        return None
    return ResponseCache(
        clock=host.clock, keepings=Keepings(core_schema(schema)), policies=AccountPolicies(accounts), most_bytes=most,
        bus=host.bus,
    )  # fmt: skip


def _serve(found: list[Plugin], host: Host, inventory: Inventory) -> None:
    """Fill the host's services; two plugins of ours that serve the same stop the start."""
    services = host.services
    services[Providers], services[OutboundHttp] = inventory, Outbound()
    settings = host.settings
    services[Archive] = Shelf(settings.archive_dir, host.clock)
    services[Egress] = GuardedEgress(settings.webhook_networks, development=settings.development, clock=host.clock)
    if host.settings.stripe_key is not None:
        from gateway.core.stripe import stripe_payments

        services[PaymentPort] = stripe_payments(host.settings, host.clock)
    if (smtp := host.settings.smtp_url) is not None:
        from gateway.core.smtp import Smtp

        services[MailTransport] = Smtp(smtp.get_secret_value(), host.settings.mail_from, host.clock)
    owners: dict[type, str] = dict.fromkeys(services, "core")
    for plugin in tuple(found):
        with surviving(plugin, "services", of=found):
            offered = plugin.services(host) if plugin.services else {}
            for kind in offered:
                if kind in services:
                    raise RuntimeError(f"{kind.__name__} is served by {owners[kind]} and {plugin.name}")
            services.update(offered)
            owners.update(dict.fromkeys(offered, plugin.name))


def create_app(settings: Settings, *, gateway: Gateway | None = None) -> Starlette:
    """The ASGI application of one process."""
    gateway = gateway or build_gateway(settings)
    edge = EdgeSettings(
        development=settings.development,
        introspection=settings.development,
        console=settings.development,
        mode=settings.mode,
        cors_origins=settings.cors_origins,
        public_origin=origin_of(settings.public_url),
        trusted_proxies=settings.trusted_proxies,
        metrics_networks=settings.metrics_networks,
        trace_networks=settings.trace_networks,
        operation_timeout_s=settings.timeout_s,
        hits_per_log_line=settings.response_cache_log,
        trusted=read_trusted(settings),
        trusted_only=settings.trusted_only,
    )

    host, shedding = gateway.host, Shedding(settings.shed_lag_ms / 1_000)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await start(gateway)
        elsewhere = settings.workers == "none"
        async with shedding.watching(), working(host, own_workers(gateway), elsewhere=elsewhere):
            yield
        await gateway.close()

    database = DatabaseReadiness(host.store, histories(host.plugins), host.clock)

    try:
        app = build_edge(
            schema=gateway.schema, settings=edge, context_for=gateway.context, readiness=database.missing,
            health=lambda: report_of(settings, gateway.inventory.all()), lifespan=lifespan, gate=make_gate(gateway),
            responses=gateway.responses, sharing=gateway.sharing, shedding=shedding,
            persisted=SharedDocuments(host.link) if host.link else None,
            extra_routes=[*error_routes(), *gathered(host, "routes", lambda plugin: plugin.routes)],
        )  # fmt: skip
    except BadTrustedDocument as bad:
        raise SettingsError(f"{SETTING}: {name_of(settings, bad.digest)}: {bad.reason}") from None
    host.services[Admissions] = EdgeAdmissions(app.state.executor, gateway.context, edge)
    return app


def own_workers(gateway: Gateway) -> list[Worker]:
    """The core's."""
    found = [
        each.worker()
        for each in (gateway.warmth, gateway.quotas, gateway.outbox, gateway.computing)
        if each is not None
    ]
    archive = watching(gateway.host.store)
    return found if archive is None else [*found, archive]


def make_gate(gateway: Gateway) -> Gate:
    """Accounts where the plugin is there, else everybody may do everything. MissingFacts stops the start."""
    if Authenticator not in gateway.host.services:
        return OpenGate()
    return TenantGate(PriceList(core_schema(gateway.schema)), gateway.host, gateway.allowances)


async def start(gateway: Gateway) -> None:
    """What a serving process does first. NotMigrated where the database is not ready."""
    host = gateway.host
    await prepare_database(gateway)
    await host.bus.start()
    await gateway.oversight.look()
    gateway.live.start()
    if gateway.quotas is not None:
        await gateway.quotas.members.report()
    for plugin in host.plugins:
        if plugin.start is not None:
            with surviving(plugin, "start"):
                await plugin.start(host)


async def prepare_database(gateway: Gateway) -> None:
    """In development migrations run by themselves; in production an operator runs them, and NotMigrated says so."""
    prepare = fit if gateway.settings.development else require
    await prepare(gateway.host.store, histories(gateway.host.plugins))
