"""A wrong setting stops the start and names itself; a right one does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.market.process import refused_start, running
from tests.e2e.market.upstream import Upstream
from tests.e2e.market.world import KEY


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("ENV", "staging", "production"),
        ("UPSTREAMS", "fake", "live"),
        ("PORT", "http", "integer"),
        ("PORT", "70000", "65535"),
        ("UPSTREAM_BASE", "ftp://example.com", "http"),
        ("TIMEOUT_S", "-1", "greater"),
        ("CORS_ORIGINS", "example.com", "origin"),
        ("LOG_LEVEL", "loud", "debug"),
        ("TIER_COINGECKO", "gold", "free"),
        ("TIER_KRAKEN", "pro", "kraken"),
        ("KEY_ALPHAVANTAGE_FILE", "/nowhere/at/all", "cannot be read"),
    ],
)
def test_a_wrong_value_stops_the_start_in_one_line(tmp_path: Path, name: str, value: str, word: str) -> None:
    code, told = refused_start(tmp_path, **{name: value})

    assert code == 2
    assert f"MARKETGATE_{name}" in told or f"MARKETGATE_{name.partition('_')[0]}_" in told
    assert word.lower() in told.lower()
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) == 1


def test_a_wrong_key_is_not_shown(tmp_path: Path) -> None:
    code, told = refused_start(tmp_path, KEY_ALPHAVANTAGE=f"key={KEY}, key={KEY}, =", UPSTREAMS="nonsense")

    assert code == 2
    assert KEY not in told


def test_a_misspelt_setting_is_warned_of(tmp_path: Path) -> None:
    with running(tmp_path, ENV="development", UPSTREAM_BSAE="http://127.0.0.1:1") as gateway:
        assert "MARKETGATE_UPSTREAM_BSAE is not a setting; did you mean MARKETGATE_UPSTREAM_BASE?" in gateway.log


def test_a_provider_without_its_key_is_named_and_passed_over(tmp_path: Path, upstream: Upstream) -> None:
    query = (
        """query ($p: [String!]) { quote(symbol: "AAPL", route: {providers: $p}) { price provenance { provider } } }"""
    )
    with running(tmp_path, ENV="production", UPSTREAM_BASE=upstream.url, PROVIDERS="alphavantage,yahoo") as gateway:
        found = gateway.ask(query)["quote"]
        error = gateway.refusal(query, p=["alphavantage"])
        missing = gateway.ask("{ providers(status: KEY_MISSING) { id statusReason } }")["providers"]

    assert found["provenance"]["provider"] == "yahoo"
    assert error["code"] == "PROVIDER_KEY_MISSING"
    assert "MARKETGATE_KEY_ALPHAVANTAGE" in error["message"]
    assert missing == [{"id": "alphavantage", "statusReason": "set MARKETGATE_KEY_ALPHAVANTAGE"}]
    assert upstream.asked("alphavantage") == []


def test_a_refused_key_is_told_and_held_back(tmp_path: Path, upstream: Upstream) -> None:
    query = '{ quote(symbol: "AAPL", route: {providers: ["alphavantage"]}) { price } }'
    with running(tmp_path, ENV="production", UPSTREAM_BASE=upstream.url, KEY_ALPHAVANTAGE="WRONG-KEY-000") as gateway:
        first, second = gateway.refusal(query), gateway.refusal(query)
        invalid = gateway.ask("{ providers(status: KEY_INVALID) { id } }")["providers"]

        assert "WRONG-KEY-000" not in str((first, second)) + gateway.log

    assert (first["code"], second["code"]) == ("PROVIDER_MISCONFIGURED", "PROVIDER_MISCONFIGURED")
    assert invalid == [{"id": "alphavantage"}]
    assert len(upstream.asked("alphavantage")) == 1


def test_a_tier_brings_its_own_address_and_key(tmp_path: Path, upstream: Upstream) -> None:
    query = '{ quote(symbol: "BTC/USD", route: {providers: ["coingecko"]}) { price } }'
    settings = {"TIER_COINGECKO": "pro", "KEY_COINGECKO": "PRO-KEY-111"}
    with running(tmp_path, ENV="production", UPSTREAM_BASE=upstream.url, **settings) as gateway:
        gateway.ask(query)

    assert upstream.asked("coingecko")[0].headers["x-cg-pro-api-key"] == "PRO-KEY-111"
