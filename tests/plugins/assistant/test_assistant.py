"""Chats with language models through GraphQL, spoken by fakes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from graphql import OperationType

from gateway.core.identity import ANONYMOUS, LOCAL, ROLE_SCOPES, CallerKind, Role, Scope
from gateway.edge.execute import OperationRequest, RequestFacts
from schema.errors import Overloaded, Unauthorized
from schema.words.chat import (
    CHAT,
    CHAT_MODELS,
    CHAT_STREAM,
    ChatAsk,
    ChatDelta,
    ChatMessage,
    ChatModel,
    ChatReply,
    ChatRole,
    ChatTool,
    ChatUsage,
    FinishReason,
    ToolCall,
    ToolCallDelta,
)
from tests.plugins.speakers import Room, Speaker, speaker

COMPLETE = """mutation($i: ChatCompleteInput!) { chatComplete(input: $i) {
  reply { model message { role text toolCalls { id name arguments } } finishReason usage { inputTokens outputTokens }
    provenance { provider cacheStatus } }
  userErrors { field code message } } }"""
STREAM = """subscription($i: ChatCompleteInput!) { chatStream(input: $i) {
  text toolCalls { index id arguments } finishReason usage { outputTokens } provenance { provider } } }"""
HELLO = {"model": "small", "messages": [{"role": "USER", "text": "Hello"}]}
CALL = ToolCall(id="c1", name="price", arguments='{"of": "BTC"}')
TOOL = {"name": "price", "parameters": '{"type": "object"}'}


def room_of(*speakers: type[Speaker]) -> Room:
    """Who may ask models."""
    return Room(*speakers, principal=replace(LOCAL, scopes=LOCAL.scopes | {Scope.ASSISTANT_WRITE}))


def reply(ask: ChatAsk) -> ChatReply:
    message = ChatMessage(role=ChatRole.ASSISTANT, text=f"{len(ask.messages)} heard", tool_calls=(CALL,))
    return ChatReply(
        model="small-1", message=message, finish_reason=FinishReason.TOOL_CALLS,
        usage=ChatUsage(input_tokens=9, output_tokens=3),
    )  # fmt: skip


def deltas(ask: ChatAsk) -> list[ChatDelta]:
    return [
        ChatDelta(text="Hel"),
        ChatDelta(text="lo", tool_calls=(ToolCallDelta(index=0, id="c1", name="price", arguments="{"),)),
        ChatDelta(finish_reason=FinishReason.STOP),
        ChatDelta(usage=ChatUsage(output_tokens=2)),
    ]


@pytest.fixture
def alpha() -> type[Speaker]:
    return speaker({CHAT: reply, CHAT_STREAM: deltas, CHAT_MODELS: lambda ask: (ChatModel(id="small"),)})


async def complete(room: Room, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await room.data(COMPLETE, i={**HELLO, **more})
    return found


async def streamed(room: Room, **more: Any) -> list[dict[str, Any]]:
    """The events of a subscription, as a socket would send them."""
    request = OperationRequest(query=STREAM, variables={"i": {**HELLO, **more}})
    facts = RequestFacts(request_id="r", transport="websocket")
    prepared = room.executor.prepare(request, frozenset({OperationType.SUBSCRIPTION}))
    return [result.body() async for result in room.executor.subscribe(prepared, facts, room.principal)]


async def test_a_reply_with_its_tool_calls_and_what_it_took(alpha: type[Speaker]) -> None:
    history = [
        {"role": "SYSTEM", "text": "Be brief."},
        {"role": "USER", "text": "Price?"},
        {"role": "ASSISTANT", "toolCalls": [{"id": "c0", "name": "price", "arguments": "{}"}]},
        {"role": "TOOL", "toolCallId": "c0", "text": "1"},
    ]

    found = await complete(
        room_of(alpha),
        messages=history,
        tools=[TOOL],
        toolChoice="price",
        temperature="0.7",
        maxTokens=50,
        stop=["END"],
    )

    assert found == {
        "reply": {
            "model": "small-1",
            "message": {
                "role": "ASSISTANT",
                "text": "4 heard",
                "toolCalls": [{"id": "c1", "name": "price", "arguments": '{"of": "BTC"}'}],
            },
            "finishReason": "TOOL_CALLS",
            "usage": {"inputTokens": 9, "outputTokens": 3},
            "provenance": {"provider": "alpha", "cacheStatus": "MISS"},
        },
        "userErrors": [],
    }
    (ask,) = alpha.asked
    assert ask.messages[2].tool_calls == (ToolCall(id="c0", name="price", arguments="{}"),)
    assert replace(ask, messages=()) == ChatAsk(
        model="small", messages=(), tools=(ChatTool(name="price", parameters='{"type": "object"}'),),
        tool_choice="price", temperature=Decimal("0.7"), max_tokens=50, stop=("END",),
    )  # fmt: skip


async def test_the_same_chat_is_asked_again_each_time(alpha: type[Speaker]) -> None:
    room = room_of(alpha)

    for _ in range(3):
        await complete(room)

    assert len(alpha.asked) == 3


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"messages": []}, ("input.messages", "EMPTY")),
        ({"messages": [{"role": "USER", "text": ""}]}, ("input.messages.0.text", "EMPTY")),
        ({"messages": [{"role": "TOOL", "toolCallId": "x"}]}, ("input.messages.0.toolCallId", "OUT_OF_ORDER")),
        (
            {"messages": [{"role": "USER", "text": "a"}, {"role": "SYSTEM", "text": "b"}]},
            ("input.messages.1", "OUT_OF_ORDER"),
        ),
        ({"messages": [{"role": "USER", "text": "x" * 400_001}]}, ("input.messages", "TOO_LONG")),
        ({"model": " "}, ("input.model", "OUT_OF_RANGE")),
        ({"temperature": "2.1"}, ("input.temperature", "OUT_OF_RANGE")),
        ({"maxTokens": 0}, ("input.maxTokens", "OUT_OF_RANGE")),
        ({"stop": ["a", ""]}, ("input.stop", "OUT_OF_RANGE")),
        ({"toolChoice": "price"}, ("input.toolChoice", "OUT_OF_RANGE")),
        ({"tools": [{"name": "a b"}]}, ("input.tools", "OUT_OF_RANGE")),
        ({"tools": [{"name": "a", "parameters": "[]"}]}, ("input.tools", "NOT_JSON")),
        ({"jsonSchema": "{"}, ("input.jsonSchema", "NOT_JSON")),
    ],
)
async def test_what_cannot_be_asked_is_refused_and_nobody_is_asked(
    alpha: type[Speaker], more: dict[str, Any], told: tuple[str, str]
) -> None:
    found = await complete(room_of(alpha), **more)

    assert found["reply"] is None
    assert [(".".join(each["field"]), each["code"]) for each in found["userErrors"]] == [told]
    assert alpha.asked == []


async def test_a_providers_refusal_is_an_error_with_every_attempt(alpha: type[Speaker]) -> None:
    def refuse(_: ChatAsk) -> ChatReply:
        raise Unauthorized("beta", "bad key")

    body = await room_of(speaker({CHAT: refuse}, name="beta")).ask(COMPLETE, i=HELLO)

    assert body["data"] is None
    assert body["errors"][0]["extensions"]["code"] == "PROVIDER_MISCONFIGURED"
    assert body["errors"][0]["extensions"]["attempts"][0]["provider"] == "beta"


async def test_a_reply_comes_in_pieces_and_ends(alpha: type[Speaker]) -> None:
    found = await streamed(room_of(alpha))

    assert [each["data"]["chatStream"]["text"] for each in found] == ["Hel", "lo", "", ""]
    assert found[1]["data"]["chatStream"]["toolCalls"] == [{"index": 0, "id": "c1", "arguments": "{"}]
    assert [each["data"]["chatStream"]["finishReason"] for each in found] == [None, None, "STOP", None]
    assert found[3]["data"]["chatStream"]["usage"] == {"outputTokens": 2}
    assert {each["data"]["chatStream"]["provenance"]["provider"] for each in found} == {"alpha"}


async def test_a_stream_that_breaks_ends_with_the_providers_error() -> None:
    def broken(_: ChatAsk) -> Any:
        yield ChatDelta(text="half")
        raise Overloaded("alpha", "busy")

    found = await streamed(room_of(speaker({CHAT_STREAM: broken})))

    assert found[0]["data"]["chatStream"]["text"] == "half"
    assert [error["extensions"]["code"] for error in found[-1]["errors"]] == ["UPSTREAM_UNAVAILABLE"]


async def test_all_providers_models_are_listed_and_who_did_not_tell_is_named(alpha: type[Speaker]) -> None:
    def refuse(_: Any) -> Any:
        raise Unauthorized("beta", "bad key")

    gamma = speaker({CHAT_MODELS: lambda ask: (ChatModel(id="large", context_tokens=8),)}, name="gamma", priority=30)
    beta = speaker({CHAT_MODELS: refuse}, name="beta", priority=20)

    found = await room_of(alpha, beta, gamma).data(
        "{ chatModels { nodes { id contextTokens provenance { provider } } failures { provider code } } }"
    )

    assert found == {
        "nodes": [
            {"id": "small", "contextTokens": None, "provenance": {"provider": "alpha"}},
            {"id": "large", "contextTokens": 8, "provenance": {"provider": "gamma"}},
        ],
        "failures": [{"provider": "beta", "code": "PROVIDER_MISCONFIGURED"}],
    }


async def test_who_shows_no_credential_and_who_only_views_asks_no_model(alpha: type[Speaker]) -> None:
    viewer = replace(LOCAL, kind=CallerKind.USER, scopes=ROLE_SCOPES[Role.VIEWER])

    for principal, code in ((ANONYMOUS, "UNAUTHENTICATED"), (viewer, "FORBIDDEN")):
        body = await Room(alpha, principal=principal).ask(COMPLETE, i=HELLO)
        assert [error["extensions"]["code"] for error in body["errors"]] == [code]
    assert alpha.asked == []
