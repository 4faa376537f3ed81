"""What the offline market answers through the executor, where nested fields and whole operations are bounded."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.app import build_gateway, create_app
from gateway.core.identity import LOCAL
from gateway.core.settings import Settings
from gateway.edge.execute import Executor, OperationRequest, RequestFacts


@pytest.fixture(scope="module")
def executor() -> Executor:
    settings = Settings(env="development")
    found: Executor = create_app(settings, gateway=build_gateway(settings)).state.executor
    return found


async def ask(executor: Executor, query: str) -> dict[str, Any]:
    result = await executor.execute(
        OperationRequest(query=query), RequestFacts(request_id="r", transport="test"), principal=LOCAL
    )
    return result.body()


async def test_a_list_with_an_instrument_that_nobody_prices_has_no_errors(executor: Executor) -> None:
    body = await ask(executor, "{ instruments(first: 30) { nodes { id quote { price provenance { mode } } } } }")

    nodes = {node["id"]: node["quote"] for node in body["data"]["instruments"]["nodes"]}
    assert "errors" not in body
    assert nodes["commodity:XAU/USD"] is None
    assert nodes["crypto:BTC/USD"]["provenance"] == {"mode": "SIMULATED"}


async def test_a_single_quote_that_nobody_has_is_an_error_in_short(executor: Executor) -> None:
    body = await ask(executor, '{ quote(symbol: "commodity:XAU/USD") { price } }')

    assert body["data"] == {"quote": None}
    assert len(body["errors"][0]["message"]) < 1_500


async def test_one_operation_cannot_ask_for_more_candles_than_one_process_can_make(executor: Executor) -> None:
    series = " ".join(
        f'c{n}: candles(symbol: "BTC/USD", interval: M1, last: 5000) {{ columns {{ close }} }}' for n in range(10)
    )

    body = await ask(executor, f"{{ {series} }}")

    answered = [value for value in body["data"].values() if value is not None]
    assert len(answered) == 8
    assert {error["extensions"]["code"] for error in body["errors"]} == {"BAD_USER_INPUT"}
    assert body["errors"][0]["message"].startswith("last: this operation asks for more than 40000 candles in all")


async def test_an_unknown_coin_at_a_venue_that_says_so_is_unknown_offline_too(executor: Executor) -> None:
    body = await ask(executor, '{ quote(symbol: "crypto:NOSUCH/USDT", route: {providers: ["binance"]}) { price } }')

    assert body["errors"][0]["extensions"]["code"] == "UNKNOWN_INSTRUMENT"


async def test_prices_are_not_converted_to_pence(executor: Executor) -> None:
    body = await ask(executor, '{ quote(symbol: "BTC/USD", convertTo: "GBX") { price } }')

    assert body["errors"][0]["message"] == "convertTo: GBX is a hundredth of GBP: write GBP"


async def test_providers_of_a_class_beside_a_capability_cover_it_with_that_capability(executor: Executor) -> None:
    body = await ask(
        executor,
        """{ crypto: providers(assetClass: CRYPTO) { id }
        books: providers(capability: "orderBook", assetClass: FX) { id }
        reports: providers(capability: "fundamentals", assetClass: CRYPTO) { id }
        ours: providers(capability: "fundamentals", assetClass: EQUITY) { id } }""",
    )

    found = {name: {row["id"] for row in rows} for name, rows in body["data"].items()}
    assert {"alphavantage", "kraken"} <= found["crypto"]
    assert found["books"] == set()
    assert found["reports"] == set()
    assert "alphavantage" in found["ours"]


async def test_what_a_provider_calls_an_instrument_leads_back_through_graphql(executor: Executor) -> None:
    body = await ask(
        executor,
        """{ one: instruments(providerSymbol: "XXBTZUSD", venue: "kraken") { nodes { id symbols { provider symbol } } }
        other: instruments(providerSymbol: "BTC-PERPETUAL", venue: "deribit") { nodes { id } }
        third: instruments(providerSymbol: "tBTCUSD", venue: "bitfinex") { nodes { id } }
        none: instruments(providerSymbol: "xxbtzusd", venue: "kraken") { nodes { id } } }""",
    )

    assert body["data"] == {
        "one": {"nodes": [{"id": "crypto:BTC/USD@kraken", "symbols": [{"provider": "kraken", "symbol": "XXBTZUSD"}]}]},
        "other": {"nodes": [{"id": "crypto:BTC/USD:BTC@deribit"}]},
        "third": {"nodes": [{"id": "crypto:BTC/USD@bitfinex"}]},
        "none": {"nodes": []},
    }
