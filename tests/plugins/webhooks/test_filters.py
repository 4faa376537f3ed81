"""Which endpoint gets which event: arithmetic, without a database."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ports import Marked
from plugins.webhooks.filters import (
    BadPattern,
    check_pattern,
    covers,
    expanded,
    matching,
    needs_channel,
    on_channel,
    pinned,
)
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
NAMES = st.lists(
    st.text("abz_9", min_size=1, max_size=3).filter(lambda part: part[0].isalpha()), min_size=1, max_size=4
)


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


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*", "price.alert.triggered", True),
        ("price.alert.triggered", "price.alert.triggered", True),
        ("price.alert.*", "price.alert.triggered", True),
        ("price.*", "price.alert.triggered", True),
        ("price.alert", "price.alert.triggered", False),
        ("price.alert.*", "price.alert", False),
        ("price.alert.*", "price.alerts.triggered", False),
        ("price.alert.triggered.*", "price.alert.triggered", False),
    ],
)
def test_a_pattern_means_a_type_or_all_below_a_name(pattern: str, name: str, fits: bool):
    assert covers(pattern, name) is fits


@given(pattern=NAMES.map(".".join), star=st.booleans(), name=NAMES.map(".".join))
def test_a_pattern_is_what_a_regular_expression_says(pattern: str, star: bool, name: str):
    whole = f"{pattern}.*" if star else pattern
    rule = re.escape(pattern) + (r"\..+" if star else "")

    assert covers(whole, name) is (re.fullmatch(rule, name) is not None)


@given(st.text(max_size=20))
def test_any_text_is_a_pattern_that_means_something_or_is_refused(text: str):
    try:
        check_pattern(text, CATALOG)
    except BadPattern:
        return
    assert expanded((text,), CATALOG)


@pytest.mark.parametrize(
    ("pattern", "malformed", "told"),
    [
        (
            "price.alert.trigered",
            False,
            "'price.alert.trigered' names no event type; did you mean price.alert.triggered",
        ),
        ("order.*", False, "'order.*' names no event type"),
        ("price.*.triggered", True, "'price.*.triggered' is no filter: give a type such as 'apikey.created'"),
        ("price.al*", True, "'price.al*' is no filter"),
        ("", True, "'' is no filter"),
        ("**", True, "'**' is no filter"),
        ("price.", True, "'price.' is no filter"),
        (".price", True, "'.price' is no filter"),
        ("Price.alert.triggered", True, "'Price.alert.triggered' is no filter"),
        ("price.alert.triggered\n", True, "'price.alert.triggered\\n' is no filter"),
        ("x" * 200, True, f"'{'x' * 100}' is no filter"),
    ],
)
def test_a_pattern_that_means_nothing_is_refused_with_what_is_near(pattern: str, malformed: bool, told: str):
    with pytest.raises(BadPattern) as refused:
        check_pattern(pattern, CATALOG)

    assert refused.value.malformed is malformed
    assert str(refused.value).startswith(told)


def test_types_are_pinned_to_the_version_that_was_held_before_and_else_to_the_present_one():
    assert pinned(["price.*"], CATALOG, {"price.alert.triggered": 3, "candle.closed": 9}) == {
        "price.alert.expired": 2, "price.alert.triggered": 3,
    }  # fmt: skip


def test_only_events_of_the_markets_need_a_channel_and_of_them_not_those_of_providers():
    assert [name for name, kind in CATALOG.items() if needs_channel(kind)] == ["candle.closed"]


@pytest.mark.parametrize(
    ("subject", "on"),
    [
        ("crypto:BTC/USD", True), ("crypto:BTC/USD#M1", True), ("crypto:BTC/USDT", False), ("crypto:BTC", False),
        ("", False),
    ],
)  # fmt: skip
def test_a_channel_is_a_subject_or_what_stands_before_its_sharp(subject: str, on: bool):
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
