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
