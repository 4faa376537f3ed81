"""Bad input: every case is a typed error that names the field and the way out, and nothing is stored."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from plugins.webhooks.tables import endpoints
from tests.house import House
from tests.plugins.accounts.organisations.company import Company
from tests.plugins.webhooks.hooks import CREATE, UPDATE, URL, company_with_hooks, make, row_of

PUBLIC = "Give an address that the public internet reaches."
WAY_OUT = "give whsec_ and 24 to 64 random bytes in base64, or none and one is made."


def header(name: str, value: str) -> dict[str, Any]:
    return {"headers": [{"name": name, "value": value}]}


BOTH: list[tuple[dict[str, Any], str, list[str], str]] = [
    ({"url": "http://hooks.example.com"}, "URL_INVALID", ["url"], "The URL must begin with https://."),
    (
        {"url": "https://10.0.0.7/in"}, "URL_NOT_ALLOWED", ["url"],
        f"The URL cannot be sent to: its address is not of the public internet. {PUBLIC}",
    ),
    (
        {"url": "https://inward.example.com/in"}, "URL_NOT_ALLOWED", ["url"],
        f"The URL cannot be sent to: its host name has no address of the public internet. {PUBLIC}",
    ),
    (
        {"url": "https://nowhere.example.com/in"}, "URL_UNREACHABLE", ["url"],
        "The URL cannot be reached: nowhere.example.com: its host name cannot be resolved. Create the name first.",
    ),
    (
        {"eventTypes": ["webhook.*", "webhook.endpoint.disable"]}, "EVENT_TYPE_UNKNOWN", ["eventTypes", "1"],
        "'webhook.endpoint.disable' is no type of event: did you mean webhook.endpoint.disabled",
    ),
    (
        {"eventTypes": ["webhook.*.disabled"]}, "FILTER_INVALID", ["eventTypes", "0"],
        "'webhook.*.disabled' is no type of event: write one such as `apikey.created`, `price.alert.*` or `*`.",
    ),
    (
        {"eventTypes": []}, "EVENT_TYPES_MISSING", ["eventTypes"],
        "No event type is given: give some, or '*' for all.",
    ),
    (
        {"eventTypes": ["*"] * 101}, "FILTER_INVALID", ["eventTypes", "100"],
        "The list has more than 100 patterns: `*` stands for all types.",
    ),
    (
        {"channels": ["BTC-USD", "no such thing!"]}, "CHANNEL_INVALID", ["channels", "1"], "",
    ),
    (
        {"channels": ["crypto:BTC/USD#7M"]}, "CHANNEL_INVALID", ["channels", "0"],
        "'7M' is no interval: write a channel such as 'crypto:BTC/USD#M1'.",
    ),
    (
        {"channels": ["news", "news: "]}, "CHANNEL_INVALID", ["channels", "1"],
        "A topic of news has 1 to 60 characters: write a channel such as 'news:etf'.",
    ),
    (
        {"channels": ["LINK"]}, "CHANNEL_INVALID", ["channels", "0"], "",
    ),
    (
        {"channels": ["BTC-USD"] * 201}, "CHANNEL_INVALID", ["channels"], "201 channels at once: give at most 200.",
    ),
    (
        header("X-Long", "x" * 10_000), "HEADER_INVALID", ["headers"],
        "The headers have 10,010 bytes together: give at most 8,192.",
    ),
    (
        {"headers": [{"name": f"X-{number}", "value": "v"} for number in range(11)]}, "HEADER_INVALID", ["headers"],
        "There are 11 headers: give at most 10.",
    ),
    (
        {"headers": [{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]}, "HEADER_INVALID", ["headers", "1"],
        "The header 'x-a' is given twice: give it once.",
    ),
    (header("Host", "a"), "HEADER_INVALID", ["headers"], "The header 'Host' is set by the gateway."),
    (
        header("Content-Type", "a"), "HEADER_INVALID", ["headers", "0"],
        "The header 'Content-Type' is set by the gateway: leave it out.",
    ),
    (header("webhook-id", "a"), "HEADER_INVALID", ["headers"], "The header 'webhook-id' is set by the gateway."),
    (header("Connection", "close"), "HEADER_INVALID", ["headers"], "The header 'Connection' is set by the gateway."),
    (
        header("X-Split", "a\r\nhost: b"), "HEADER_INVALID", ["headers"],
        "The value of the header 'X-Split' must be printable ASCII without spaces at its ends.",
    ),
    (
        header("X-Word", "naïve"), "HEADER_INVALID", ["headers", "0"],
        "The header 'X-Word' has a value that is not ASCII: encode it.",
    ),
    (
        {"description": "x" * 201}, "DESCRIPTION_INVALID", ["description"],
        "The description has 201 characters: give at most 200.",
    ),
    (
        {"ratePerSecond": 0}, "RATE_INVALID", ["ratePerSecond"],
        "0 deliveries a second are out of range: give 1 to 1000, or none for no limit of your own.",
    ),
]  # fmt: skip
NEW: list[tuple[dict[str, Any], str, list[str], str]] = [
    (
        {"secret": "whsec_" + base64.b64encode(bytes(23)).decode()}, "SECRET_INVALID", ["secret"],
        f"The secret has 23 bytes: {WAY_OUT}",
    ),
    (
        {"secret": "whsec_" + base64.b64encode(bytes(65)).decode()}, "SECRET_INVALID", ["secret"],
        f"The secret has 65 bytes: {WAY_OUT}",
    ),
    (
        {"secret": "whsec_not base64!"}, "SECRET_INVALID", ["secret"],
        f"The secret is not base64 behind whsec_: {WAY_OUT}",
    ),
    (
        {"secret": base64.b64encode(bytes(32)).decode()}, "SECRET_INVALID", ["secret"],
        f"The secret does not begin with whsec_: {WAY_OUT}",
    ),
    (
        {"idempotencyKey": ""}, "IDEMPOTENCY_KEY_INVALID", ["idempotencyKey"],
        "The idempotencyKey must be 1 to 128 printable ASCII characters.",
    ),
]  # fmt: skip


@pytest.fixture
async def company(house: House) -> Company:
    return await company_with_hooks(house)


def check(payload: dict[str, Any], code: str, field: list[str], message: str) -> None:
    assert payload["webhookEndpoint"] is None
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == (code, ["input", *field])
    assert error["message"].startswith(message)
    assert error["message"].endswith((".", "?"))


async def test_what_is_wrong_makes_no_endpoint(company: Company):
    for given, code, field, message in BOTH + NEW:
        payload = await company.ask("ada", CREATE, **{"url": URL, "eventTypes": ["*"], **given})
        check(payload, code, field, message)
        assert payload["secret"] is None

    assert await company.count(endpoints) == 0
    assert await company.acts() == []


async def test_what_is_wrong_changes_no_endpoint(company: Company):
    made = await make(company, description="As it was")
    before = await row_of(company, made["id"])

    for given, code, field, message in BOTH:
        # What else is asked for, and good, is not done either.
        payload = await company.ask("ada", UPDATE, id=made["id"], **{"ratePerSecond": 9, **given})
        check(payload, code, field, message)

    assert await row_of(company, made["id"]) == before
    assert await company.acts() == ["webhook.created"]


async def test_a_refused_header_shows_nothing_of_its_value(company: Company):
    payload = await company.ask("ada", CREATE, url=URL, eventTypes=["*"], **header("X-Key", "s3cret\r\nvalue"))

    assert "s3cret" not in str(payload)
