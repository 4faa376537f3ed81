"""Chat providers: whose a model is, what nobody is asked, calls numbered and named, refusals without secrets."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.core.check.replay import KEY, connect
from gateway.core.upstream import RawReply, Request
from providers.assistants._chat import streamed
from providers.assistants.anthropic import Anthropic
from providers.assistants.deepseek import DeepSeek
from providers.assistants.google_gemini import GoogleGemini
from providers.assistants.groq import Groq
from providers.assistants.mistral import Mistral
from providers.assistants.ollama import Ollama
from providers.assistants.openai import OpenAi
from providers.assistants.openrouter import OpenRouter
from providers.contract import Part, Provider
from providers.row import Row
from schema.errors import Malformed, NotCovered, QuotaExhausted, Throttled, Unauthorized, UpstreamError
from schema.words.chat import (
    ChatAsk,
    ChatDelta,
    ChatMessage,
    ChatRole,
    ChatTool,
    ChatUsage,
    FinishReason,
    ToolCall,
    ToolCallDelta,
)

ALL = (OpenAi, Anthropic, GoogleGemini, Mistral, DeepSeek, Groq, OpenRouter, Ollama)
OF_EACH = {
    OpenAi: "gpt-4o", Anthropic: "claude-haiku-4-5", GoogleGemini: "gemini-2.5-flash", Mistral: "mistral-small-latest",
    DeepSeek: "deepseek-chat", Groq: "llama-3.3-70b-versatile", OpenRouter: "openai/gpt-4o", Ollama: "llama3.2",
}  # fmt: skip
HELLO = (ChatMessage(role=ChatRole.USER, text="Hello"),)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Says:
    """A transport with one reply, and every request that it got."""

    def __init__(self, body: Any, status: int = 200, **headers: str) -> None:
        self.reply = RawReply(status=status, headers=headers, content=json.dumps(body).encode())
        self.requests: list[Request] = []

    async def send(self, request: Request) -> RawReply:
        self.requests.append(request)
        return self.reply

    async def close(self) -> None:
        pass


async def refused(cls: type[Provider], transport: Says, ask: ChatAsk | None = None) -> UpstreamError:
    provider: Any = connect(cls, transport, NOON)
    with pytest.raises(UpstreamError) as caught:
        await provider.chat(ask or ChatAsk(model=OF_EACH[cls], messages=HELLO))
    return caught.value


def takers(ask: ChatAsk) -> list[str]:
    return [cls.profile.id for cls in ALL if cls.offers["chat"].covers(ask)]


@pytest.mark.parametrize(
    ("model", "whose"),
    [
        ("gpt-5-mini", ["openai"]),
        ("o4-mini", ["openai"]),
        ("chatgpt-4o-latest", ["openai"]),
        ("ft:gpt-4o-mini-2024-07-18:acme::b1", ["openai"]),
        ("gpt-4o-realtime-preview", []),
        ("gpt-3.5-turbo-instruct", []),
        ("o1-pro", []),
        ("claude-opus-4-6", ["anthropic"]),
        ("gemini-3-flash-preview", ["google_gemini"]),
        ("gemini-2.5-flash-image", []),
        ("../models:evil", []),
        ("gemma-3-27b-it", ["google_gemini"]),
        ("gemma3:4b", ["ollama"]),
        ("mistral-large-2411", ["mistral"]),
        ("magistral-medium-latest", ["mistral"]),
        ("open-mixtral-8x22b", ["mistral"]),
        ("mistral", ["ollama"]),
        ("deepseek-reasoner", ["deepseek"]),
        ("deepseek-r1:7b", ["ollama"]),
        ("llama-3.3-70b-versatile", ["groq"]),
        ("llama3.2", ["ollama"]),
        ("gpt-oss:20b", ["ollama"]),
        ("openai/gpt-oss-20b", ["groq", "openrouter"]),
        ("moonshotai/kimi-k2-instruct", ["groq", "openrouter"]),
        ("anthropic/claude-sonnet-4.5", ["openrouter"]),
        ("google/gemini-2.0-flash-exp:free", ["openrouter"]),
        ("hf.co/bartowski/model-GGUF:Q4_K_M", ["ollama"]),
        ("hf.co/model", []),
        ("a/b/c", []),
        ("", []),
        ("gpt-4o\n", []),
    ],
)
def test_a_chat_goes_only_to_those_who_have_the_model(model: str, whose: list[str]) -> None:
    assert takers(ChatAsk(model=model, messages=HELLO)) == whose


@pytest.mark.parametrize(
    ("cls", "more"),
    [
        (Anthropic, {"seed": 1}),
        (Anthropic, {"json_output": True}),
        (Anthropic, {"temperature": 2}),
        (DeepSeek, {"seed": 1}),
        (DeepSeek, {"json_schema": "{}"}),
        (Ollama, {"tool_choice": "required"}),
    ],
)
def test_what_a_provider_does_not_have_is_not_dropped(cls: type[Provider], more: dict[str, Any]) -> None:
    assert takers(ChatAsk(model=OF_EACH[cls], messages=HELLO, **more)) == []


@pytest.mark.parametrize("cls", [Anthropic, GoogleGemini, Ollama])
@pytest.mark.parametrize("arguments", ["{", "[]", '"text"', "NaN", "{" * 10_000])
async def test_arguments_that_are_no_object_are_sent_nowhere(cls: type[Provider], arguments: str) -> None:
    call = ToolCall(id="c1", name="price", arguments=arguments)
    ask = ChatAsk(model=OF_EACH[cls], messages=(*HELLO, ChatMessage(role=ChatRole.ASSISTANT, tool_calls=(call,))))
    transport = Says({})

    error = await refused(cls, transport, ask)

    assert (type(error), error.detail) == (NotCovered, "what price was called with is no JSON object")
    assert transport.requests == []


@pytest.mark.parametrize("cls", ALL)
async def test_a_schema_that_is_no_object_is_sent_nowhere(cls: type[Provider]) -> None:
    ask = ChatAsk(model=OF_EACH[cls], messages=HELLO, tools=(ChatTool(name="price", parameters="[]"),))
    transport = Says({})

    error = await refused(cls, transport, ask)

    assert (type(error), error.detail) == (NotCovered, "the schema of price is no JSON object")
    assert transport.requests == []


async def test_numbers_of_arguments_keep_all_their_digits() -> None:
    body = {"model": "llama3.2", "done": True, "message": {"role": "assistant", "content": ""}}
    body["message"] |= {"tool_calls": [{"function": {"name": "price", "arguments": {"of": 0}}}]}  # type: ignore[operator]
    transport = Says(body)
    sent = transport.reply.content.replace(b'"of": 0', b'"of": 0.1234567890123456789')
    transport.reply = RawReply(status=200, headers={}, content=sent)
    provider: Any = connect(Ollama, transport, NOON)

    reply = await provider.chat(ChatAsk(model="llama3.2", messages=HELLO))
    again = (*HELLO, reply.message, ChatMessage(role=ChatRole.TOOL, tool_call_id="call_0", text="1"))
    await provider.chat(ChatAsk(model="llama3.2", messages=again))

    assert reply.message.tool_calls[0].arguments == '{"of":0.1234567890123456789}'
    assert b'"arguments":{"of":0.1234567890123456789}' in (transport.requests[1].body or b"")
    assert b'"tool_name":"price"' in (transport.requests[1].body or b"")


@pytest.mark.parametrize(
    ("cls", "header"),
    [(cls, "authorization") for cls in (OpenAi, Mistral, DeepSeek, Groq, OpenRouter, Ollama)]
    + [(Anthropic, "x-api-key"), (GoogleGemini, "x-goog-api-key")],
)
async def test_the_key_goes_into_a_header_and_into_no_error(cls: type[Provider], header: str) -> None:
    transport = Says({"error": {"message": f"Incorrect API key provided: {KEY}"}, "message": KEY}, 401)

    error = await refused(cls, transport)

    (sent,) = transport.requests
    assert sent.headers[header].removeprefix("Bearer ") == KEY
    assert KEY not in f"{sent.url}{sent.params}{sent.secret_params}{sent.body!r}"
    assert isinstance(error, Unauthorized)
    assert KEY not in str(error)


@pytest.mark.parametrize(
    ("cls", "error", "headers", "kind", "wait"),
    [
        (OpenAi, {"message": "Limit reached in organization org-a1"}, {"retry-after": "20"}, Throttled, 20),
        (Groq, {"message": "Limit reached in organization org-a1"}, {"retry-after": "7.66"}, Throttled, 8),
        (Mistral, {"message": "in organization org-a1"}, {"retry-after": "soon"}, Throttled, None),
        (OpenRouter, {"code": 429, "message": "free-models-per-day, org-a1"}, {}, QuotaExhausted, None),
        (
            Anthropic, {"type": "rate_limit_error", "message": "the limit of your organization (org-a1)"},
            {"retry-after": "12"}, Throttled, 12,
        ),
        (
            GoogleGemini, {"status": "RESOURCE_EXHAUSTED", "message": "org-a1", "details": [{"retryDelay": "34.07s"}]},
            {}, Throttled, 35,
        ),
    ],
)  # fmt: skip
async def test_who_is_throttled_hears_how_long_and_not_whose_account_it_is(
    cls: type[Provider], error: dict[str, Any], headers: dict[str, str], kind: type[UpstreamError], wait: int | None
) -> None:
    found = await refused(cls, Says({"error": error}, 429, **headers))

    assert (type(found), found.retry_after) == (kind, wait)
    assert "org-a1" not in str(found)


async def deltas(*read: ChatDelta) -> list[ChatDelta]:
    async def parts() -> AsyncGenerator[Part]:
        for number in range(len(read)):
            yield Part(event="", body=Row("alpha", number))

    return [delta async for delta in streamed(parts(), lambda row: read[row.integer()])]


def piece(index: int, id: str | None = None, name: str | None = None, arguments: str = "") -> ChatDelta:
    return ChatDelta(tool_calls=(ToolCallDelta(index=index, id=id, name=name, arguments=arguments),))


async def test_calls_are_numbered_as_they_begin_wherever_an_upstream_puts_them() -> None:
    found = await deltas(
        piece(3, "a", "price", "{"), piece(3, "a", "price", "}"), piece(3, "b", "price"), piece(3, arguments="[]"),
        piece(0, None, "news"), piece(0, None, "news", "{}"), ChatDelta(finish_reason=FinishReason.STOP),
    )  # fmt: skip

    told = [(call.index, call.id, call.name, call.arguments) for delta in found for call in delta.tool_calls]
    assert told == [
        (0, "a", "price", "{"), (0, None, None, "}"), (1, "b", "price", ""), (1, None, None, "[]"),
        (2, "call_2", "news", ""), (3, "call_3", "news", "{}"), (2, None, None, "{}"),
    ]  # fmt: skip
    assert found[-1].finish_reason is FinishReason.TOOL_CALLS


async def test_a_piece_of_a_call_that_never_began_is_malformed() -> None:
    with pytest.raises(Malformed, match="a piece of tool call 1 came before its name"):
        await deltas(piece(0, "a", "price"), piece(1, arguments="{}"))


async def test_end_and_usage_are_told_once_and_last_whatever_is_repeated() -> None:
    usage = ChatUsage(input_tokens=9, output_tokens=1, cached_tokens=4)
    stop = ChatDelta(finish_reason=FinishReason.STOP, id="r1", model="small", usage=ChatUsage(output_tokens=3))

    found = await deltas(
        ChatDelta(id="r1", model="small", usage=usage), ChatDelta(text="a", id="r1", model="small"), stop,
        ChatDelta(text="b"), stop,
    )  # fmt: skip

    assert found == [
        ChatDelta(id="r1", model="small"),
        ChatDelta(text="a"),
        ChatDelta(text="b"),
        ChatDelta(finish_reason=FinishReason.STOP, usage=ChatUsage(input_tokens=9, output_tokens=3, cached_tokens=4)),
    ]
