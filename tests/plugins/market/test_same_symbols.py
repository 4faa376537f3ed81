"""The same symbols again: put in order once, while every answer is the one that would be found."""

from __future__ import annotations

from typing import Any

from gateway.app import build_gateway
from gateway.core.contract import Context
from gateway.core.identity import ANONYMOUS
from gateway.core.settings import Settings
from gateway.edge.execute import RequestFacts
from plugins.market.desk import MarketDesk, how
from schema.errors import FailureCode
from schema.provenance import CacheStatus
from tests.gateway.doubles import ROOT_SECRET, ManualClock

SYMBOLS = [f"{name}/USD" for name in ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "DOT", "AVAX", "BTC")]


async def test_the_same_symbols_are_answered_alike_with_what_holds_at_the_time(tmp_path: Any) -> None:
    clock = ManualClock()
    given = {"env": "development", "data_dir": tmp_path, "secret_key": ROOT_SECRET}
    gateway = build_gateway(Settings.model_validate(given), clock=clock)
    desk, contexts = gateway.host.service(MarketDesk), list[Context]()

    async def ask(*symbols: str, convert_to: str | None = None) -> Any:
        contexts.append(gateway.context(RequestFacts(request_id="r", transport="http"), ANONYMOUS))
        return await desk.batch(contexts[-1], symbols, how(None, convert_to))

    first, *again = [await ask(*SYMBOLS) for _ in range(4)]
    again[0].nodes.clear()
    await ask(*reversed(SYMBOLS))
    same = await ask(*SYMBOLS)
    converted = await ask(*SYMBOLS, convert_to="EUR")
    clock.turn(60)
    later = await ask(*SYMBOLS)
    bad = await ask(*SYMBOLS, "nobody:knows")
    seen = contexts[3].cache_status(again[2].nodes[0].provenance)
    await gateway.close()

    assert [node.instrument.base for node in first.nodes] == [each.partition("/")[0] for each in SYMBOLS]
    assert first.failures == []
    assert again[2].nodes == same.nodes == first.nodes
    assert seen is CacheStatus.HIT
    assert {node.currency for node in converted.nodes} == {"EUR"}
    assert [node.as_of > old.as_of for node, old in zip(later.nodes, first.nodes, strict=True)] == [True] * 10
    assert [failure.code for failure in bad.failures] == [FailureCode.UNKNOWN_INSTRUMENT]
    assert (bad.nodes[:10], bad.nodes[10]) == (later.nodes, None)
