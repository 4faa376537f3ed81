"""What the offline market answers who asks for news and says nothing else."""

from __future__ import annotations

from typing import Any

from gateway.app import build_gateway, create_app
from gateway.core.identity import LOCAL
from gateway.core.settings import Settings
from gateway.edge.execute import Executor, OperationRequest, RequestFacts


async def test_news_of_the_offline_market_show_a_newcomer_articles() -> None:
    settings = Settings(env="development")
    executor: Executor = create_app(settings, gateway=build_gateway(settings)).state.executor

    result = await executor.execute(
        OperationRequest(query="{ news { nodes { id title } provenance { provider mode } } }"),
        RequestFacts(request_id="r", transport="test"),
        principal=LOCAL,
    )

    body: dict[str, Any] = result.body()
    assert body["data"]["news"] == {
        "nodes": [{"id": "24004", "title": "A block is full"}, {"id": "24003", "title": "Stakers vote"}],
        "provenance": {"provider": "cryptopanic", "mode": "RECORDED"},
    }
