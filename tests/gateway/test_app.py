"""The composition root: plugins and providers put together, and what stops the start."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
import redis
import strawberry
import structlog.testing
from pydantic import SecretStr

import gateway.domains
import providers
from gateway.app import build_gateway
from gateway.core.contract import Plugin
from gateway.core.identity import ANONYMOUS
from gateway.core.link import WAIT_S
from gateway.core.ports import AddressNotAllowed, Egress
from gateway.core.settings import Settings, SettingsError, load_settings
from gateway.domains import build_schema, load_plugins
from gateway.edge.cost import Price
from gateway.edge.leases import PREFIX
from schema.words.registry import ProviderStatus

OFFLINE = Settings(env="development")


BUILTIN = [
    "accounts", "alerts", "assistant", "billing", "events", "jobs", "macro", "market", "news", "onchain", "portfolio",
    "preferences", "providerkeys", "risk", "search", "trading", "video", "watchlists", "webhooks",
]  # fmt: skip


def answer() -> str:
    return "yes"


@strawberry.type
class First:
    ping: str = strawberry.field(resolver=answer, description="First.")


@strawberry.type
class Second:
    ping: str = strawberry.field(resolver=answer, description="Second.")


def test_two_plugins_with_the_same_root_field_stop_the_start() -> None:
    with pytest.raises(RuntimeError, match=r"Query\.ping is defined by one and two"):
        build_schema([Plugin(name="one", query=First), Plugin(name="two", query=Second)])


async def test_plugins_are_served_the_guarded_way_out_and_it_follows_the_settings() -> None:
    strict = build_gateway(Settings(upstreams="recorded", secret_key=SecretStr("0123456789abcdef" * 4)))
    loose = build_gateway(OFFLINE)

    loose.host.service(Egress).check("http://127.0.0.1:9000/hook")
    with pytest.raises(AddressNotAllowed):
        strict.host.service(Egress).check("http://127.0.0.1:9000/hook")

    await strict.close()
    await loose.close()


def test_two_plugins_that_serve_the_same_port_stop_the_start() -> None:
    one = Plugin(name="one", query=First, services=lambda host: {str: "a"})
    two = Plugin(name="two", services=lambda host: {str: "b"})

    with pytest.raises(RuntimeError, match="str is served by one and two"):
        build_gateway(OFFLINE, found=[one, two])


async def test_points_are_counted_in_a_redis_that_is_too_slow_for_the_cache(redis_url: str, tmp_path: Path) -> None:
    settings = Settings.model_validate({"env": "development", "data_dir": tmp_path, "redis_url": redis_url})
    gateway = build_gateway(settings, found=[Plugin(name="one", query=First)])
    price = Price(cost=7, fields={}, needs={}, person=None, asked={})
    with redis.Redis.from_url(redis_url) as client:
        client.client_pause(int(3_000 * WAIT_S))

        await gateway.allowances.charge(ANONYMOUS, "address:slow", price)

        assert client.hget(f"{PREFIX}{{points:address:slow}}", "since") == b"7"
    await gateway.close()


def test_plugins_are_found_by_their_folders() -> None:
    assert [plugin.name for plugin in load_plugins()] == BUILTIN


def test_a_strangers_provider_that_does_not_load_is_named_and_the_rest_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint(name="broken", value="no_such_module:Broken", group=providers.GROUP)
    monkeypatch.setattr(
        providers, "entry_points", lambda group: EntryPoints([broken]) if group == providers.GROUP else ()
    )

    gateway = build_gateway(OFFLINE)

    listed = {str(provider.id): provider for provider in gateway.inventory.all()}
    assert listed["broken"].status is ProviderStatus.FAILED_TO_LOAD
    assert listed["broken"].status_reason == "ModuleNotFoundError: No module named 'no_such_module'"
    assert listed["kraken"].status is ProviderStatus.READY


def test_a_strangers_provider_cannot_take_a_taken_id(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = EntryPoint(name="other", value="providers.crypto.kraken:Kraken", group=providers.GROUP)
    monkeypatch.setattr(providers, "entry_points", lambda group: EntryPoints([taken]))

    found = providers.discover()

    assert found.failed == {"other": "ValueError: the id 'kraken' is taken"}


def test_a_strangers_plugin_that_does_not_load_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint(name="broken", value="no_such_module:plugin", group=gateway.domains.PLUGINS)
    monkeypatch.setattr(gateway.domains, "entry_points", lambda group: EntryPoints([broken]))

    assert [plugin.name for plugin in load_plugins()] == BUILTIN


def test_a_tier_moves_a_provider_to_its_other_host_and_key() -> None:
    settings = Settings(upstreams="live", tiers={"coingecko": "pro"})

    gateway = build_gateway(settings)

    coingecko = next(provider for provider in gateway.inventory.all() if provider.id == "coingecko")
    assert coingecko.status is ProviderStatus.KEY_MISSING
    assert coingecko.status_reason == "set MARKETGATE_KEY_COINGECKO"


def test_every_tier_that_a_provider_has_can_be_chosen() -> None:
    environ = {"MARKETGATE_TIER_OLLAMA": "local", "MARKETGATE_UPSTREAMS": "live", "MARKETGATE_ENV": "development"}

    gateway = build_gateway(load_settings(environ, None).settings)

    ollama = next(provider for provider in gateway.inventory.all() if provider.id == "ollama")
    assert ollama.status is ProviderStatus.READY


def test_a_tier_that_a_provider_does_not_have_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="MARKETGATE_TIER_KRAKEN: Kraken has no tier 'paper'"):
        build_gateway(Settings(tiers={"kraken": "paper"}))


def test_a_key_for_a_provider_that_is_not_there_is_named_without_its_value() -> None:
    with structlog.testing.capture_logs() as logged:
        build_gateway(Settings.model_validate({"keys": {"kracken": "secret-value"}}))

    (slip,) = [entry["reason"] for entry in logged if entry["event"] == "setting_without_effect"]
    assert slip == "MARKETGATE_KEY_KRACKEN: there is no provider 'kracken'; did you mean kraken?"


def test_a_part_of_a_key_that_its_provider_does_not_have_is_named_without_its_value() -> None:
    with structlog.testing.capture_logs() as logged:
        build_gateway(Settings.model_validate({"keys": {"alphavantage": "token=secret-value"}}))

    (slip,) = [entry["reason"] for entry in logged if entry["event"] == "setting_without_effect"]
    assert slip == "MARKETGATE_KEY_ALPHAVANTAGE: has no part token; its parts are key"


def test_adapters_that_nobody_named_are_not_imported() -> None:
    found = providers.discover(("kraken",), third_party=False)

    assert list(found.classes) == ["kraken"]
    assert {"binance", "sandbox"} <= found.unloaded


def test_only_the_providers_that_are_named_are_loaded() -> None:
    gateway = build_gateway(Settings(env="development", providers=("sandbox", "kraken")))

    assert sorted(provider.id for provider in gateway.inventory.all()) == ["kraken", "sandbox"]


def test_a_provider_that_is_named_and_not_there_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="there is no provider 'krakn'; did you mean kraken"):
        build_gateway(Settings(env="development", providers=("krakn",)))


def test_the_registry_says_what_a_licence_allows() -> None:
    listed = {str(provider.id): provider.licence for provider in build_gateway(OFFLINE).inventory.all()}

    told = {id: (listed[id].cacheable, listed[id].shareable, listed[id].redistributable) for id in ("kraken", "oanda")}

    assert told == {"kraken": (True, True, False), "oanda": (True, False, False)}
