"""The words' short forms answer what their resolvers answer, in one operation over the offline market."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import execute, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.app import build_gateway
from gateway.core.identity import ANONYMOUS
from gateway.core.settings import Settings
from gateway.edge.compiled import CompiledExecutor, Selections
from gateway.edge.execute import RequestFacts
from gateway.edge.graphqlcore import core_schema
from gateway.edge.shelves import Kept
from tests.gateway.doubles import ROOT_SECRET, ManualClock

PROVENANCE = (
    "provenance { provider mode asOf fetchedAt delay ageMs cacheStatus stale fallbackFrom { code } attribution }"
)
ROW = "openTime open high low close volume quoteVolume vwap tradeCount sessionDate closed filled"
QUOTE = (
    "id price priceType currency bid ask mid change changePercent marketState statsWindow volume "
    f"instrument {{ id symbol assetClass base }} {PROVENANCE}"
)


@pytest.mark.parametrize(
    "query",
    [
        f'{{ quote(symbol: "BTC/USD") {{ {QUOTE} }} }}',
        f'{{ quotes(symbols: ["BTC/USD", "ETH/USD", "none"]) {{ nodes {{ {QUOTE} }} failures {{ code symbol }} }} }}',
        f'{{ candles(symbol: "BTC/USD", interval: H1, last: 50) {{ rows {{ {ROW} }} interval {PROVENANCE} }} }}',
        '{ candles(symbol: "BTC/USD", interval: D1, last: 40) { columns { openTime open volume closed } } }',
    ],
)
async def test_an_answer_of_the_market_is_the_same_in_both_ways(query: str, tmp_path: Any) -> None:
    given = {"env": "development", "data_dir": tmp_path, "secret_key": ROOT_SECRET}
    gateway = build_gateway(Settings.model_validate(given), clock=ManualClock())
    context = gateway.context(RequestFacts(request_id="req_test", transport="http"), ANONYMOUS)
    schema, document, selections = core_schema(gateway.schema), parse(query), Selections(Kept())

    async def run(cls: Any, **more: Any) -> bytes:
        result: Any = execute(schema, document, context_value=context, executor_class=cls, **more)
        result = await result
        return orjson.dumps([result.data, [error.formatted for error in result.errors or ()]])

    reference = await run(StrawberryGraphQLCoreExecutionContext)
    first = await run(CompiledExecutor, selections=selections)
    again = await run(CompiledExecutor, selections=selections)
    await gateway.close()

    assert b'"price":' in reference or b'"open":' in reference
    assert [form is not None for form in selections.runs.values()] == [True]
    assert first == reference
    assert again == reference
