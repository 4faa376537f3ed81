"""OpenAI's chat completions, which most providers of language models speak, each with a few ways of its own.

Docs: https://platform.openai.com/docs/api-reference/chat. A stream is server-sent events that end with `[DONE]`; usage
stands in the last chunk, whose `choices` are empty, or beside the end, or under `x_groq`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from providers.assistants._chat import counted, ended_with, object_in, rows, waiting_time, word
from providers.contract import Reply
from providers.jsontext import json_text
from providers.row import Row
from schema.errors import (
    Blocked,
    NotCovered,
    Overloaded,
    QuotaExhausted,
    Throttled,
    Timeout,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from schema.words.chat import (
    ChatAsk,
    ChatDelta,
    ChatMessage,
    ChatModel,
    ChatReply,
    ChatRole,
    ChatUsage,
    FinishReason,
    ToolCall,
    ToolCallDelta,
)

ENDS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}
BROKEN_OFF = ("error", "insufficient_system_resource")
"""Ends that are none: the upstream could not go on."""
# By `code` or `type`, whatever the status.
BY_WORD: dict[str, tuple[type[UpstreamError], str]] = {
    "insufficient_quota": (QuotaExhausted, "the account has no credit left"),
    "billing_hard_limit_reached": (QuotaExhausted, "the account's spending limit is reached"),
    "billing_not_active": (QuotaExhausted, "the account's billing is not active"),
    "invalid_api_key": (Unauthorized, "the key is not accepted"),
    "authentication_error": (Unauthorized, "the key is not accepted"),
    "model_not_found": (UnknownInstrument, "there is no such model, or not for this key"),
    "invalid_model": (UnknownInstrument, "there is no such model"),
    "model_decommissioned": (UnknownInstrument, "the model is offered no more"),
    "unsupported_country_region_territory": (Blocked, "not offered in this country"),
    "tool_use_failed": (NotCovered, "the model wrote a tool call that cannot be read"),
    "json_validate_failed": (NotCovered, "the model wrote no valid JSON"),
}
# By what the message says, where code and type say nothing.
BY_TEXT: dict[str, tuple[type[UpstreamError], str]] = {
    "Model Not Exist": (UnknownInstrument, "there is no such model"),
    "is not a valid model ID": (UnknownInstrument, "there is no such model"),
    "No endpoints found that support": (NotCovered, "nobody runs this model in this way"),
    "free-models-per-day": (QuotaExhausted, "the free requests of the day are used up"),
}
# By the status, or by the number that stands in its place where an error comes within a reply of status 200.
BY_NUMBER: dict[int, tuple[type[UpstreamError], str]] = {
    401: (Unauthorized, "the key is not accepted"),
    402: (QuotaExhausted, "the account has no credit left"),
    498: (Overloaded, "no capacity for this plan"),
}
WITHIN: dict[int, tuple[type[UpstreamError], str]] = BY_NUMBER | {
    400: (NotCovered, "the request is refused"),
    403: (NotCovered, "the chat is refused"),
    404: (UnknownInstrument, "there is no such model"),
    408: (Timeout, "no answer in time"),
    413: (NotCovered, "the chat is too long"),
    422: (NotCovered, "the request is refused"),
}
THROTTLED = frozenset({"rate_limit_exceeded", "rate_limited", "rate_limit_error", "requests", "tokens"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Where a provider departs from OpenAI: names of fields, and what has to be said for usage in a stream."""

    max_tokens: str = "max_tokens"
    seed: str = "seed"
    required: str = "required"
    system: str = "system"
    asks_for_usage: bool = True
    keeps_thinking: bool = False
    """Whether a message with tool calls must come back with the thinking before it; we have kept none."""


def body_of(provider: str, ask: ChatAsk, ways: Ways, *, stream: bool = False) -> dict[str, Any]:
    """The request; what the caller left open is left out."""
    body: dict[str, Any] = {"model": ask.model, "messages": [_message(each, ways) for each in ask.messages]}
    if ask.tools:
        body["tools"] = [_tool(provider, each.name, each.description, each.parameters) for each in ask.tools]
        body["tool_choice"] = _choice(ask.tool_choice, ways)
    for name, value in (
        (ways.max_tokens, ask.max_tokens), ("temperature", ask.temperature), ("top_p", ask.top_p), (ways.seed, ask.seed)
    ):  # fmt: skip
        if value is not None:
            body[name] = value
    if ask.stop:
        body["stop"] = list(ask.stop)
    if ask.json_schema:
        schema = object_in(provider, ask.json_schema, "the JSON schema")
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}
    elif ask.json_output:
        body["response_format"] = {"type": "json_object"}
    if stream:
        body["stream"] = True
        if ways.asks_for_usage:
            body["stream_options"] = {"include_usage": True}
    return body


def _message(message: ChatMessage, ways: Ways) -> dict[str, Any]:
    if message.role is ChatRole.TOOL:
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}
    if not message.tool_calls:
        role = ways.system if message.role is ChatRole.SYSTEM else message.role.value.lower()
        return {"role": role, "content": message.text}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.tool_calls
    ]
    said: dict[str, Any] = {"role": "assistant", "content": message.text or None, "tool_calls": calls}
    return said | {"reasoning_content": ""} if ways.keeps_thinking else said


def _tool(provider: str, name: str, description: str, parameters: str) -> dict[str, Any]:
    schema = object_in(provider, parameters, f"the schema of {name}")
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def _choice(choice: str, ways: Ways) -> Any:
    if choice in ("auto", "none"):
        return choice
    return ways.required if choice == "required" else {"type": "function", "function": {"name": choice}}


def parse_reply(row: Row) -> ChatReply:
    """A whole reply."""
    choice = row["choices"][0]
    message = choice["message"]
    text, thinking = _said(message)
    calls = tuple(map(_call, rows(message, "tool_calls")))
    end = ENDS.get(choice.text("finish_reason"), FinishReason.OTHER)
    return ChatReply(
        as_of=row.maybe_epoch("created"),
        id=row.maybe_text("id"),
        model=row.text("model"),
        message=ChatMessage(role=ChatRole.ASSISTANT, text=text, tool_calls=calls),
        thinking=thinking or None,
        finish_reason=ended_with(end, calls=bool(calls)),
        usage=_usage(row),
    )


def parse_chunk(row: Row) -> ChatDelta:
    """A part of a stream; the one with the usage has no choice."""
    head: dict[str, Any] = {"id": row.maybe_text("id"), "model": row.maybe_text("model"), "usage": _usage(row)}
    choices = rows(row, "choices")
    if not choices:
        return ChatDelta(**head)
    end, delta = choices[0].maybe_text("finish_reason"), choices[0]["delta"]
    text, thinking = _said(delta)
    return ChatDelta(
        text=text,
        thinking=thinking,
        tool_calls=tuple([_call_piece(call, place) for place, call in enumerate(rows(delta, "tool_calls"))]),
        finish_reason=ENDS.get(end, FinishReason.OTHER) if end is not None else None,
        **head,
    )


def _said(message: Row) -> tuple[str, str]:
    """Text and thinking. A content of several parts has both; other dialects have thinking beside it."""
    thinking = message.maybe_text("reasoning_content") or message.maybe_text("reasoning") or ""
    content = message.get("content")
    if content is None or isinstance(content.value, str):
        return (content.value if content else "") or message.maybe_text("refusal") or "", thinking
    text = ""
    for part in content:
        if part.text("type") == "thinking":
            thinking += "".join(each.maybe_text("text") or "" for each in part["thinking"])
        elif part.text("type") == "text":
            text += part.maybe_text("text") or ""
    return text, thinking


def _call(call: Row) -> ToolCall:
    function = call["function"]
    return ToolCall(id=call.text("id"), name=function.text("name"), arguments=_arguments(function) or "{}")


def _call_piece(call: Row, place: int) -> ToolCallDelta:
    function, index = call["function"], counted(call, "index")
    return ToolCallDelta(
        index=place if index is None else index, id=call.maybe_text("id"), name=function.maybe_text("name"),
        arguments=_arguments(function),
    )  # fmt: skip


def _arguments(function: Row) -> str:
    """A text; of some models the object itself."""
    found = function.get("arguments")
    if found is None:
        return ""
    return json_text(found.value) if isinstance(found.value, dict) else function.maybe_text("arguments") or ""


def _usage(row: Row) -> ChatUsage | None:
    groq = row.get("x_groq")
    told = row.get("usage") or (groq.get("usage") if groq is not None else None)
    if not told:
        return None
    read, written = told.get("prompt_tokens_details"), told.get("completion_tokens_details")
    cached = counted(read, "cached_tokens") if read is not None else None
    return ChatUsage(
        input_tokens=counted(told, "prompt_tokens"),
        output_tokens=counted(told, "completion_tokens"),
        cached_tokens=counted(told, "prompt_cache_hit_tokens") if cached is None else cached,
        reasoning_tokens=counted(written, "reasoning_tokens") if written is not None else None,
    )


def parse_models(row: Row, keep: Callable[[Row], bool]) -> tuple[ChatModel, ...]:
    """The list of models, without those that are for something else; an alias may be listed more than once."""
    models: dict[str, ChatModel] = {}
    for each in row["data"]:
        if keep(each):
            found = _model(each)
            models.setdefault(found.id, found)
    return tuple(models.values())


def _model(row: Row) -> ChatModel:
    best = row.get("top_provider")
    sizes = [counted(row, name) for name in ("context_window", "max_context_length", "context_length")]
    return ChatModel(
        id=row.text("id"),
        name=row.maybe_text("name"),
        owner=row.maybe_text("owned_by"),
        created_at=row.maybe_epoch("created"),
        context_tokens=next((size for size in sizes if size is not None), None),
        output_tokens=counted(row if best is None else best, "max_completion_tokens"),
    )


def refusal(provider: str, reply: Reply) -> UpstreamError | None:
    """See `Provider.explain`: an error in a reply, in a part of a stream, or in place of an end."""
    if reply.status == 401:
        # Its text shows a part of the key.
        return Unauthorized(provider, "the key is not accepted")
    error = reply.body.get("error")
    if error is None and (named := reply.body.get("object")) is not None and named.value == "error":
        error = reply.body
    if error is not None:
        return _meant(provider, error, reply)
    if any((end := choice.get("finish_reason")) is not None and end.value in BROKEN_OFF for choice in _choices(reply)):
        return Overloaded(provider, "the model could not go on")
    return _told(provider, BY_NUMBER.get(reply.status))


def _choices(reply: Reply) -> list[Row]:
    found = reply.body.get("choices")
    return list(found) if found is not None and isinstance(found.value, list) else []


def _meant(provider: str, error: Row, reply: Reply) -> UpstreamError | None:
    told = [found.value for name in ("code", "type") if (found := error.get(name)) is not None]
    words = [word for word in told if isinstance(word, str)]
    known = [BY_WORD[each] for each in words if each in BY_WORD]
    known += [meant for text, meant in BY_TEXT.items() if text in word(error, "message")]
    if known:
        return _told(provider, known[0])
    number = next((number for number in told if isinstance(number, int)), 0)
    # Its text names the account.
    if reply.status == 429 or (reply.status < 400 and (number == 429 or THROTTLED.intersection(words))):
        return Throttled(provider, "too many requests", retry_after=waiting_time(reply))
    if reply.status >= 400:
        return _told(provider, BY_NUMBER.get(reply.status))
    return _told(provider, WITHIN.get(number, (Overloaded, "the model could not go on")))


def _told(provider: str, meant: tuple[type[UpstreamError], str] | None) -> UpstreamError | None:
    return None if meant is None else meant[0](provider, meant[1])
