"""The exchanges that MARKETGATE_CCXT asks for; a slip in it stops the start."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from gateway.core.bridges.ccxt import provider_of
from gateway.core.settings import PREFIX, Settings, SettingsError
from providers import Discovered, adapter_modules

SETTING = f"{PREFIX}CCXT"
SAME = {"coinbaseadvanced": "coinbase", "gate": "gateio", "huobi": "htx"}
"""ccxt's names of exchanges that we have an adapter of under another one."""


def with_bridges(settings: Settings, discovered: Discovered) -> Discovered:
    """What was discovered, and a provider for each exchange that is asked for. ccxt is imported for these alone."""
    if not settings.ccxt:
        return discovered
    own = {module.rpartition(".")[2] for module in adapter_modules()}
    for exchange in settings.ccxt:
        if (taken := SAME.get(exchange, exchange)) in own:
            told = f"there is an adapter of {taken} here, which is better proven: leave {exchange!r} out"
            raise SettingsError(f"{SETTING}: {told}")
    package = _package()
    made = [provider_of(_source(package, exchange)) for exchange in dict.fromkeys(settings.ccxt)]
    return replace(discovered, classes={**discovered.classes, **{cls.profile.id: cls for cls in made}})


def _package() -> Any:
    try:
        return import_module("ccxt.async_support")
    except ImportError as error:
        told = f"the package ccxt cannot be imported ({error}): pip install 'marketgate[ccxt]'"
        raise SettingsError(f"{SETTING}: {told}") from None


def _source(package: Any, exchange: str) -> Any:
    if exchange not in package.exchanges:
        near = get_close_matches(exchange, package.exchanges, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SettingsError(f"{SETTING}: ccxt has no exchange {exchange!r}{hint}")
    return getattr(package, exchange)
