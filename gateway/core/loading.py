"""From discovered adapters to a registry: each provider with its port, its tier, its key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from difflib import get_close_matches
from inspect import getfile
from pathlib import Path
from typing import Any

from gateway.core.bridges.ccxt import Bridged
from gateway.core.recorded import RecordedClock, RecordedTransport
from gateway.core.routing import Registry
from gateway.core.secrets import Keyring
from gateway.core.settings import Settings, SettingsError
from gateway.core.strangers import reason_of
from gateway.core.upstream import Transport, UpstreamHttp
from providers import Discovered
from providers.contract import Clock as ProviderClock
from providers.contract import Profile, Provider
from providers.recording import folder_of
from schema.capability import Capability
from schema.provenance import DataMode

OURS = ("providers.", "gateway.")
"""Where our own providers are defined."""
_AMOUNT = re.compile(r"\d{1,6}(\.\d{1,12})?", re.ASCII)


def add_providers(
    registry: Registry, discovered: Discovered, settings: Settings, keyring: Keyring, transport: Transport
) -> None:
    """Those that the settings name; a stranger's that cannot be made is added to those that failed."""
    words: dict[str, Capability[Any, Any]] = {}
    for cls in chosen(settings, discovered).classes.values():
        try:
            for name, answer in cls.offers.items():
                if words.setdefault(name, answer.capability) is not answer.capability:
                    raise ValueError(f"another capability is called {name!r}")
            add_provider(registry, cls, settings, keyring, transport)
        except SettingsError:
            raise
        except Exception as error:
            if cls.__module__.startswith(OURS):
                raise
            discovered.failed[cls.profile.id] = reason_of(error)


def add_provider(
    registry: Registry, cls: type[Provider], settings: Settings, keyring: Keyring, transport: Transport
) -> None:
    """One provider with its port; a required credential that is not set is noted, not fatal."""
    profile = _with_tier(cls.profile, settings.tiers.get(cls.profile.id))
    cost = costs_of(settings).get(profile.id)
    if cost is not None:
        profile = replace(profile, cost_per_call=cost)
    live = registry.mode is DataMode.LIVE

    def make(key: Mapping[str, str]) -> Provider:
        return _with_key(cls, profile, key, registry, settings, transport)

    key = keyring.of(profile.id)
    missing = [part.name for part in profile.credentials if part.required and part.name not in key] if live else []
    registry.add(make(key), f"MARKETGATE_KEY_{profile.id.upper()}" if missing else None, make)


def _with_key(
    cls: type[Provider], profile: Profile, key: Mapping[str, str], registry: Registry, settings: Settings,
    transport: Transport,
) -> Provider:  # fmt: skip
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
    return provider


def _with_tier(profile: Profile, tier: str | None) -> Profile:
    if tier is None or (tier == "free" and "free" not in profile.tiers):
        return profile
    plan = profile.tiers.get(tier)
    if plan is None:
        there = ", ".join(dict.fromkeys(["free", *profile.tiers]))
        told = f"{profile.name} has no tier {tier!r}; there is {there}"
        raise SettingsError(f"MARKETGATE_TIER_{profile.id.upper()}: {told}")
    return replace(
        profile,
        base_url=plan.base_url or profile.base_url,
        credentials=profile.credentials if plan.credentials is None else plan.credentials,
        limits=profile.limits if plan.limits is None else plan.limits,
    )


def costs_of(settings: Settings) -> dict[str, Decimal]:
    """Dollars a call by provider, as the operator has agreed them; SettingsError where one is no amount."""
    found: dict[str, Decimal] = {}
    for pair in filter(None, map(str.strip, settings.provider_costs.split(","))):
        name, _, amount = (part.strip() for part in pair.partition("="))
        if not name or not _AMOUNT.fullmatch(amount):
            raise SettingsError(f"MARKETGATE_PROVIDER_COSTS: {pair[:60]!r} is not of the form coingecko=0.0005")
        found[name.lower()] = Decimal(amount)
    return found


def chosen(settings: Settings, discovered: Discovered) -> Discovered:
    """The providers that the settings name, and the bridged ones; all where they name none.

    SettingsError for one that is not there.
    """
    if not settings.providers:
        return discovered
    wanted = {*settings.providers, *(name for name, cls in discovered.classes.items() if issubclass(cls, Bridged))}
    for name in sorted(wanted - discovered.classes.keys() - discovered.failed.keys()):
        near = get_close_matches(name, {*discovered.classes, *discovered.unloaded}, n=1)
        raise SettingsError(
            f"MARKETGATE_PROVIDERS: there is no provider {name!r}{f'; did you mean {near[0]}?' if near else ''}"
        )
    return Discovered(
        classes={name: cls for name, cls in discovered.classes.items() if name in wanted}, failed=discovered.failed
    )


def slips_of(settings: Settings, discovered: Discovered) -> list[str]:
    """Keys, tiers and costs of providers that are not there: a slip of the pen, or a provider of another release."""
    known, found = [*discovered.classes, *discovered.failed, *discovered.unloaded], []
    for kind, names in (("KEY", settings.keys), ("TIER", settings.tiers)):
        for name in sorted(names.keys() - set(known)):
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            found.append(f"MARKETGATE_{kind}_{name.upper()}: there is no provider {name!r}{hint}")
    for name in sorted(costs_of(settings).keys() - set(known)):
        found.append(f"MARKETGATE_PROVIDER_COSTS: there is no provider {name!r}")
    for name, parts in settings.keyring().keys.items():
        cls = discovered.classes.get(name)
        declared = {part.name for part in cls.profile.credentials} if cls and name not in settings.tiers else set()
        if declared and (strange := sorted(parts.keys() - declared)):
            told = f"has no part {', '.join(strange)}; its parts are {', '.join(sorted(declared))}"
            found.append(f"MARKETGATE_KEY_{name.upper()}: {told}")
    return found


def recordings_of(discovered: Discovered) -> Callable[[str], Path | None]:
    """Where a provider's recordings are: beside its module, also for those of installed packages."""
    return lambda provider: folder_of(getfile(discovered.classes[provider]), provider)
