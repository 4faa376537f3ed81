"""The live field `candles` of a provider that streams trades and no such candles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers import Discovered
from schema.words.trades import TRADES, Trade
from tests.doubles.clocks import HeldClock, settle
from tests.doubles.tape import Tape
from tests.gateway.edge.floors import Floor, opened
from tests.gateway.edge.sockets import Peer

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
CANDLES = """subscription { candles(symbol: "BTC/USD", interval: S15) { snapshot
  candles { openTime open high low close volume quoteVolume vwap tradeCount closed }
  provenance { provider mode asOf } notices { code } } }"""


@pytest.fixture
async def exchange(settings_and_key) -> AsyncIterator[Floor]:
    """One provider in the live world; time stands still until it is turned."""
    made, key = settings_and_key
    async with opened(
        made.model_copy(update={"upstreams": "live"}), key, discovered=Discovered(classes={"tape": Tape}, failed={}),
        clock=HeldClock(NOW),
    ) as floor:  # fmt: skip
        yield floor


def printed(number: int, second: float, price: str, size: str) -> Trade:
    return Trade(id=str(number), time=NOW + timedelta(seconds=second), price=Decimal(price), size=Decimal(size))


async def heard(peer: Peer) -> dict[str, Any]:
    message = await peer.hear()
    assert message["type"] == "next", message
    (found,) = message["payload"]["data"].values()
    return dict(found)


async def test_candles_of_trades_are_exact_and_closed_by_the_clock(exchange: Floor) -> None:
    exchange.lines.answers[("tape", TRADES.name)] = lambda ask: (printed(0, -60, "9", "1"),)
    async with exchange.dial() as peer:
        await peer.ask(CANDLES)
        exchange.lines.trades("tape", printed(1, 1, "90000.10", "0.00000003"), printed(2, 2, "90001", "2"))
        first = await heard(peer)
        clock = exchange.gateway.host.clock
        await clock.turn(15.5)  # type: ignore[attr-defined]
        await settle()
        second = await heard(peer)

    running = {
        "openTime": f"{NOW:%Y-%m-%dT%H:%M:%S}Z", "open": "90000.10", "high": "90001", "low": "90000.10",
        "close": "90001", "volume": "2.00000003", "quoteVolume": "180002.0027000030",
        "vwap": "90000.99999998650000020250000", "tradeCount": 2, "closed": False,
    }  # fmt: skip
    stamp = f"{NOW + timedelta(seconds=2):%Y-%m-%dT%H:%M:%S}Z"
    assert first == {
        "snapshot": True, "candles": [running], "notices": [],
        "provenance": {"provider": "tape", "mode": "LIVE", "asOf": stamp},
    }  # fmt: skip
    assert (second["snapshot"], second["candles"]) == (False, [{**running, "closed": True}])
    assert exchange.lines.opened == ["tape"]
