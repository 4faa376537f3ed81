"""Which endpoint gets which event: arithmetic, without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.core.ports import Marked
from plugins.webhooks.filters import matching, needs_channel, on_channel, pinned
from plugins.webhooks.rows import EndpointRow
from schema.events import Event, event

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@event("price.alert.triggered", "A price went where somebody waits for it.")
class Triggered(Event):
    """A tenant's own."""


@event("price.alert.expired", "Nobody waits any more.", version=2)
class Expired(Event):
    """A tenant's own, of a second version."""


@event("candle.closed", "A bar is whole.", market=True)
class Closed(Event):
    """Of the markets."""


@event("provider.down", "A provider is down.", market=True)
class Down(Event):
    """Of the markets, and for everybody."""


CATALOG = {each.name: each for each in (Triggered, Expired, Closed, Down)}


def endpoint(**given: Any) -> EndpointRow:
    values: dict[str, Any] = {
        "tenant_id": "ten_a", "id": "hook_a", "url": "https://example.com", "description": None, "owner": "user_a",
        "event_types": ["*"], "channels": [], "header_names": [], "headers": "", "rate_per_second": None,
        "status": "ENABLED", "disabled_reason": None, "disabled_at": None, "failing_since": None, "secret": "",
        "previous_secret": None, "previous_until": None, "signing": "hmac", "signing_key": None, "public_key": None,
        "pins": {}, "root": None, "idempotency_key": None, "request_digest": None, "created_at": NOW,
        "changed_at": NOW, **given,
    }  # fmt: skip
    return EndpointRow(**values)


def marked(type: str, subject: str = "", *, version: int = 1, tenant: str = "ten_a") -> Marked:
    return Marked(
        tenant_id=tenant, position=1, event_id="evt_a", type=type, version=version, subject=subject, occurred_at=NOW
    )


def gets(given: dict[str, Any], what: Marked) -> bool:
    row = endpoint(**given)
    found = matching([row], what, CATALOG)
    assert found in ([], [row])
    return bool(found)


def test_types_are_pinned_to_the_version_that_was_held_before_and_else_to_the_present_one():
    assert pinned(["price.*"], CATALOG, {"price.alert.triggered": 3, "candle.closed": 9}) == {
        "price.alert.expired": 2, "price.alert.triggered": 3,
    }  # fmt: skip


def test_only_events_of_the_markets_need_a_channel_and_of_them_not_those_of_providers():
    assert [name for name, kind in CATALOG.items() if needs_channel(kind)] == ["candle.closed"]


@pytest.mark.parametrize(
    ("subject", "on"),
    [
        ("crypto:BTC/USD", True), ("crypto:BTC/USD#M1", True), ("crypto:BTC/USD#M5", False),
        ("alert_a\ncrypto:BTC/USD", True), ("alert_a\ncrypto:ETH/USD", False),
        ("crypto:BTC/USDT", False), ("crypto:BTC", False), ("", False),
    ],
)  # fmt: skip
def test_a_channel_is_a_part_of_a_subject_and_a_bare_one_means_candles_of_a_minute(subject: str, on: bool):
    assert on_channel(["crypto:BTC/USD"], subject) is on


def test_an_endpoint_gets_its_own_tenants_events_while_it_is_enabled():
    what = marked("price.alert.triggered", "alert_a")

    assert gets({}, what)
    assert not gets({"status": "DISABLED"}, what)
    assert not gets({"tenant_id": "ten_b"}, what)
    assert not gets({"event_types": ["candle.*"]}, what)


def test_an_event_about_an_endpoint_is_never_delivered_to_that_endpoint():
    rows = [endpoint(id="hook_a"), endpoint(id="hook_b", channels=["hook_b", "hook_a"]), endpoint(id="hook_c")]

    found = matching(rows, marked("price.alert.triggered", "hook_b"), CATALOG)

    assert [row.id for row in found] == ["hook_a", "hook_c"]


def test_an_endpoint_gets_no_other_version_than_it_is_pinned_to():
    pins = {"pins": {"price.alert.expired": 2}}

    assert gets(pins, marked("price.alert.expired", version=2))
    assert not gets(pins, marked("price.alert.expired", version=3))
    assert gets(pins, marked("price.alert.triggered", version=5))


def test_events_of_the_markets_go_only_where_a_channel_names_them():
    bar = marked("candle.closed", "crypto:BTC/USD#M1")

    assert not gets({}, bar)
    assert gets({"channels": ["crypto:BTC/USD"]}, bar)
    assert gets({"channels": ["crypto:ETH/USD", "crypto:BTC/USD#M1"]}, bar)
    assert not gets({"channels": ["crypto:BTC/USD#M5"]}, bar)
    assert gets({}, marked("provider.down", "kraken"))
    assert gets({"channels": ["kraken"]}, marked("provider.down", "kraken"))
    assert not gets({"channels": ["crypto:BTC/USD"]}, marked("provider.down", "kraken"))


def test_an_event_whose_type_is_gone_with_its_plugin_goes_where_its_name_fits():
    assert gets({}, marked("order.filled"))
    assert not gets({"event_types": ["price.*"]}, marked("order.filled"))
