"""The way to an account at a broker: the operator's setting, the organisation's consent and key, the caller's word."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.core.contract import Host
from gateway.core.settings import Settings
from plugins.accounts.tables import audit
from plugins.trading.brokers.catalog import VENUES, Brokers
from plugins.trading.tables import orders
from providers import Discovered
from schema.symbols import parse_instrument
from schema.words.instruments import INSTRUMENTS, Listing
from schema.words.quotes import QUOTES, PriceType, Quote
from tests.doubles.brokers import KEY, SECRET, AlpacaDouble, serving
from tests.gateway.doubles import ROOT_SECRET, ManualClock
from tests.house import open_house
from tests.plugins.accounts.organisations.company import found
from tests.plugins.speakers import NOON, speaker
from tests.plugins.trading.brokers.room import PLACE, mutation
from tests.plugins.trading.rowsof import D

BTC = parse_instrument("crypto:BTC/USD")
CREATE = mutation("tradingAccountCreate", "TradingAccountCreateInput", "account { id kind broker }")
OPT_IN = mutation("tradingLiveOptIn", "TradingLiveOptInInput", "switches { live }")
SET = mutation("providerKeySet", "ProviderKeySetInput", "providerKey { provider parts }")
CLOCK = ManualClock(NOON)


def market() -> Discovered:
    """Bitcoin at 100."""
    listing = Listing(instrument=BTC, provider_symbol="BTC/USD", tick_size=D("0.01"))
    quote: dict[str, Any] = {
        "price_type": PriceType.LAST,
        "price": D(100),
        "bid": D(99),
        "ask": D(101),
        "currency": "USD",
    }
    says: Any = {
        QUOTES: lambda ask: [Quote(instrument=each, as_of=CLOCK.now(), **quote) for each in ask.instruments],
        INSTRUMENTS: lambda ask: (listing,),
    }
    return Discovered(classes={"alpha": speaker(says)}, failed={})


async def test_nothing_trades_until_operator_organisation_and_caller_have_all_said_so(
    sqlite_url: str, tmp_path: Path
) -> None:
    venue = AlpacaDouble(CLOCK)
    async with (
        serving({"alpaca_paper": venue}) as base,
        open_house(
            sqlite_url, tmp_path, clock=CLOCK, discovered=market(), upstreams="live", brokers=("alpaca_paper",),
            broker_base=base,
        ) as house,
    ):  # fmt: skip
        company = await found(house)
        live = {"name": "Money", "kind": "LIVE", "broker": "alpaca_paper", "currency": "USD"}
        parts = [{"name": "key", "value": KEY}, {"name": "secret", "value": SECRET}]

        assert await company.codes("ada", CREATE, **live | {"broker": "binance_live"}) == ["BROKER_INVALID"]
        assert await company.codes("ada", CREATE, **live | {"kind": "PAPER"}) == ["BROKER_INVALID"]
        assert await company.codes("ada", CREATE, **live | {"confirm": "Money"}) == ["LIVE_NOT_ENABLED"]
        await company.ask("ada", OPT_IN, live=True, confirm="live trading")
        assert await company.codes("ada", CREATE, **live) == ["CONFIRMATION_NEEDED"]
        account = (await company.ask("ada", CREATE, **live | {"confirm": "Money"}))["account"]
        assert (account["kind"], account["broker"]) == ("LIVE", "alpaca_paper")
        # Its money would be booked twice.
        (taken,) = (await company.ask("ada", CREATE, **live | {"confirm": "Money"}))["userErrors"]
        assert (taken["code"], taken["field"]) == ("BROKER_TAKEN", ["input", "broker"])
        assert taken["message"].startswith(f"'Money' ({account['id']}) is your organisation's account at alpaca_paper")

        order = {
            "accountId": account["id"], "symbol": str(BTC), "side": "BUY", "type": "LIMIT", "quantity": "1",
            "limitPrice": "100",
        }  # fmt: skip
        without = await company.ask("ada", PLACE, **order)
        assert [each["code"] for each in without["userErrors"]] == ["BROKER_UNAVAILABLE"]
        assert "providerKeySet" in without["userErrors"][0]["message"]
        assert await company.codes("ada", SET, provider="alpaca_live", parts=parts) == ["PROVIDER_UNKNOWN"]
        assert await company.codes("ada", SET, provider="alpaca_paper", parts=parts[:1]) == ["PART_MISSING"]
        assert venue.asked == []

        with capture_logs() as logs:
            key = (await company.ask("ada", SET, provider="alpaca_paper", parts=parts))["providerKey"]
            placed = (await company.ask("ada", PLACE, **order))["order"]
        assert (key, placed["status"]) == ({"provider": "alpaca_paper", "parts": ["key", "secret"]}, "ACCEPTED")

        await company.ask("ada", OPT_IN, live=False)
        assert await company.codes("ada", PLACE, **order) == ["NOT_ALLOWED"]
        assert len(venue.orders) == 1
        async with house.store.read() as tx:
            kept = [dict(row._mapping) for row in await tx.connection.execute(select(audit))]
            rows = [dict(row._mapping) for row in await tx.connection.execute(select(orders))]
        assert SECRET not in json.dumps([logs, kept, rows], default=str)


def test_hosts_are_fixed_and_no_setting_leads_orders_elsewhere_in_production() -> None:
    def host(**given: Any) -> Host:
        settings = Settings.model_validate({"secret_key": ROOT_SECRET, **given})
        return cast(Host, SimpleNamespace(settings=settings))

    assert {id: venue.base for id, venue in VENUES.items()} == {
        "alpaca_paper": "https://paper-api.alpaca.markets", "alpaca_live": "https://api.alpaca.markets",
        "binance_testnet": "https://testnet.binance.vision", "binance_live": "https://api.binance.com",
    }  # fmt: skip
    assert Brokers(host()).ids == frozenset()
    assert Brokers(host(brokers="alpaca_live,binance_live")).parts() == dict.fromkeys(
        ("alpaca_live", "binance_live"), ("key", "secret")
    )
    with pytest.raises(ValueError, match="development only"):
        Brokers(host(broker_base="http://127.0.0.1:1"))
    with pytest.raises(ValueError, match="alpaca_paper"):
        host(brokers="alpaca")
