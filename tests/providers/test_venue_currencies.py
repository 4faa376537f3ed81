"""Spot venues are asked for pairs in national currencies that they trade in, and for no others."""

from __future__ import annotations

from typing import Any

import pytest

from providers.crypto._spot import NATIONAL
from schema.symbols import crypto
from schema.words.quotes import QuotesAsk
from tests.contract.suite import PROVIDERS

VENUES = {
    name: cls.offers["quotes"].covers
    for name, cls in PROVIDERS.items()
    if cls.__module__.startswith("providers.crypto.") and cls.profile.priority < 50
}


def askable(quote: str) -> set[str]:
    """Venues that a pair of bitcoin in a currency may be asked of."""
    ask: Any = QuotesAsk(instruments=(crypto("BTC", quote),))
    return {name for name, covers in VENUES.items() if covers(ask)}


@pytest.mark.parametrize(
    ("quote", "venues"),
    [
        (
            "USD",
            {"bitfinex", "bitstamp", "coinbase", "coinbaseexchange", "cryptocom", "gemini", "kraken", "okx"},
        ),
        ("JPY", {"binance", "bitfinex", "bitflyer", "kraken"}),
        ("KRW", {"bithumb", "upbit"}),
        ("THB", set()),
    ],
)
def test_a_pair_is_asked_of_the_venues_that_trade_in_its_currency(quote: str, venues: set[str]):
    assert askable(quote) == venues


def test_a_token_is_no_national_currency_and_may_be_asked_for_freely():
    spot = set(VENUES) - {"binance", "dydx", "hyperliquid", "deribit", "gemini"}

    assert askable("NEWCOIN") == spot | {"binance"}
    assert "USDT" not in NATIONAL
