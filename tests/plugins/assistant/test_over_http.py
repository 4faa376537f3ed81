"""A streamed chat from an upstream's bytes to the subscriber, and back when the subscriber leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from graphql import OperationType

from gateway.app import build_gateway, create_app
from gateway.core.identity import LOCAL, Scope
from gateway.core.settings import Settings
from gateway.edge.execute import Executor, OperationRequest, RequestFacts
from tests.gateway.core.loopback import Upstream, chunked

STREAM = """subscription { chatStream(input: {model: "gpt-4o", messages: [{role: USER, text: "Say hello."}]}) {
  text finishReason usage { outputTokens } provenance { provider mode } } }"""
CALLER = replace(LOCAL, scopes=LOCAL.scopes | {Scope.ASSISTANT_WRITE})
FACTS = RequestFacts(request_id="r", transport="test")


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """Everything that providers are asked comes here."""
    made = Upstream()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
async def executor(upstream: Upstream) -> AsyncIterator[Executor]:
    settings = Settings.model_validate(
        {
            "env": "development", "upstreams": "live", "upstream_base": upstream.base, "providers": ("openai",),
            "keys": {"openai": "a-key-of-openai"},
        }
    )  # fmt: skip
    gateway = build_gateway(settings)
    found: Executor = create_app(settings, gateway=gateway).state.executor
    yield found
    await gateway.transport.close()


def event(**chunk: Any) -> bytes:
    return f"data: {json.dumps({'id': 'c1', 'model': 'gpt-4o'} | chunk)}\n\n".encode()


def said(text: str, end: str | None = None) -> bytes:
    return event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": end}])


async def heard(executor: Executor, most: int = 100) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    prepared = executor.prepare(OperationRequest(query=STREAM), frozenset(OperationType))
    async with aclosing(executor.subscribe(prepared, FACTS, CALLER)) as results:
        async for result in results:
            found.append(result.body())
            if len(found) == most:
                break
    return found


async def test_pieces_arrive_with_their_end_and_what_they_took(upstream: Upstream, executor: Executor) -> None:
    usage = event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 2})
    upstream.answers["/openai/v1/chat/completions"] = chunked(
        said("Grü"), said("ezi"), said("", "stop"), usage, b"data: [DONE]\n\n"
    )

    found = [body["data"]["chatStream"] for body in await heard(executor)]

    openai = {"provenance": {"provider": "openai", "mode": "LIVE"}}
    assert found == [
        {"text": "Grü", "finishReason": None, "usage": None, **openai},
        {"text": "ezi", "finishReason": None, "usage": None, **openai},
        {"text": "", "finishReason": "STOP", "usage": {"outputTokens": 2}, **openai},
    ]
    assert upstream.calls[0].headers["authorization"] == "Bearer a-key-of-openai"


async def test_an_error_in_mid_stream_ends_it_without_the_upstreams_words(
    upstream: Upstream, executor: Executor
) -> None:
    error = event(error={"message": "it broke; the key was a-key-of-openai", "type": "server_error"})
    upstream.answers["/openai/v1/chat/completions"] = chunked(said("Grü"), error)

    first, last = await heard(executor)

    assert first["data"]["chatStream"]["text"] == "Grü"
    assert last["errors"][0]["message"] == "openai: the model could not go on"
    assert "a-key-of-openai" not in str(last)


async def test_who_leaves_ends_the_upstreams_work(upstream: Upstream, executor: Executor) -> None:
    upstream.answers["/openai/v1/chat/completions"] = chunked(said("Grü"), end=b"")

    await heard(executor, most=1)

    await asyncio.wait_for(upstream.gone.wait(), 10)
    assert upstream.alive == 0
