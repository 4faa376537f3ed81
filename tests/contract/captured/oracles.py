"""Oracles and indexers."""

from __future__ import annotations

from typing import Any

from tests.contract.captured.asks import Asking, Plan, refused
from tests.contract.captured.onchain import coins, moment
from tests.contract.captures import Capture

LOGIN = "not called: candles need a login by form, whose token changes; the adapter reads the feeds of the chain"
NAMES = "not called: names are no capability"


def pyth_prices(capability: str) -> Asking:
    """The one feed, bitcoin's."""

    def plan(capture: Capture) -> Plan:
        (row,) = capture.body["parsed"]
        price = row["price"]
        ask = {"instruments": ["crypto:BTC/USD"]}
        if capability == "quotes":
            stated: dict[str, Any] = {"last": coins(price["price"]), "timestamp": price["publish_time"] * 1000}
            return Plan(capability=capability, ask=ask, expected=stated)
        expected = {
            "price": coins(price["price"]), "confidence": coins(price["conf"]), "feed": row["id"],
            "average_price": coins(row["ema_price"]["price"]), "as_of": moment(price["publish_time"]),
            "round": str(row["metadata"]["slot"]),
        }  # fmt: skip
        return Plan(capability=capability, ask=ask, expected=[expected])

    return plan


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("pyth_hermes", "quote: v2 BTC/USD part"): (pyth_prices("quotes"), pyth_prices("oraclePrices")),
    ("thegraph", "graphql: bad key"): (refused("pools", {"chain": "ethereum"}, "PROVIDER_MISCONFIGURED"),),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("chainlink", "candles: ETHUSD 1m rows"): LOGIN,
    ("chainlink", "symbols"): LOGIN,
    ("chainlink", "token"): LOGIN,
    ("chainlink", "stream: trade and heartbeat"): LOGIN,
    ("pyth_hermes", "quote_legacy: ETH/USD"): "the adapter asks the second interface, and this is the first",
    ("thegraph", "graphql: ens domain by id"): NAMES,
    ("thegraph", "graphql: ens by labelhash"): NAMES,
}
