"""Anthropic: chats, whole and streamed. Docs: https://docs.claude.com/en/api/messages

A reply is a list of blocks; a stream has named events and no mark of its end besides `message_stop`. What was read from
the cache is counted beside the input, and belongs to it. Limits are per usage tier; those below are the first one's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from providers.assistants._chat import (
    LICENCE,
    arguments_in,
    counted,
    ended_with,
    instructions,
    object_in,
    streamed,
    turns,
    waiting_time,
    word,
)
from providers.assistants._models import has
from providers.contract import Profile, Provider, Reply, Tier, Usage, answers, header, per_minute
from providers.row import Row
from schema.errors import (
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
    CHAT,
    CHAT_MODELS,
    CHAT_STREAM,
    ChatAsk,
    ChatDelta,
    ChatMessage,
    ChatModel,
    ChatModelsAsk,
    ChatReply,
    ChatRole,
    ChatUsage,
    FinishReason,
    ToolCall,
    ToolCallDelta,
)

MAX_TOKENS = 4096
"""It wants a bound; this one every model allows."""
MODELS = 1000
"""Most models on a page."""
HOTTEST = 1
FIRST_TIER = per_minute(50)
CHOICES = {"auto": {"type": "auto"}, "none": {"type": "none"}, "required": {"type": "any"}}
ENDS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}
# What comes with a status that says less, or within a stream of status 200.
REFUSALS: dict[str, tuple[type[UpstreamError], str]] = {
    "authentication_error": (Unauthorized, "the key is not accepted"),
    "permission_error": (Unauthorized, "the key may not do this"),
    "billing_error": (QuotaExhausted, "the account has no credit left"),
    "not_found_error": (UnknownInstrument, "there is no such model"),
    "request_too_large": (NotCovered, "the chat is too long"),
    "invalid_request_error": (NotCovered, "the request is refused"),
    "rate_limit_error": (Throttled, "too many requests"),
    "timeout_error": (Timeout, "no answer in time"),
}

TELLING = frozenset({"authentication_error", "billing_error", "rate_limit_error"})
"""Those that say more than their status, or whose text names the account."""


def covered(ask: ChatAsk) -> bool:
    """It knows no seed, no JSON without a schema, and temperatures up to 1."""
    cool = ask.temperature is None or ask.temperature <= HOTTEST
    shaped = bool(ask.json_schema) or not ask.json_output
    return has("anthropic", ask.model) and ask.seed is None and cool and shaped


class Anthropic(Provider):
    """Messages."""

    profile = Profile(
        id="anthropic",
        name="Anthropic",
        base_url="https://api.anthropic.com/v1",
        docs="https://docs.claude.com/en/api/messages",
        asset_classes=(),
        licence=LICENCE,
        credentials=(header("x-api-key", sign_up="https://console.anthropic.com/settings/keys"),),
        headers={"anthropic-version": "2023-06-01"},
        limits=(FIRST_TIER,),
        usage=(Usage(header="anthropic-ratelimit-requests-remaining", limit=FIRST_TIER, remaining=True),),
        tiers={
            "2": Tier(limits=(per_minute(1_000),)),
            "3": Tier(limits=(per_minute(2_000),)),
            "4": Tier(limits=(per_minute(4_000),)),
        },
        priority=30,
    )

    @answers(CHAT, covers=covered)
    async def chat(self, ask: ChatAsk) -> ChatReply:
        """One message."""
        return parse_message(await self.http.post("/messages", body_of(ask)))

    @answers(CHAT_STREAM, covers=covered)
    def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """Events of one message."""
        return streamed(self.http.stream("/messages", body_of(ask) | {"stream": True}), parse_event)

    @answers(CHAT_MODELS)
    async def chat_models(self, ask: ChatModelsAsk) -> tuple[ChatModel, ...]:
        """All of them chat."""
        return parse_models(await self.http.get("/models", {"limit": MODELS}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """By the type of the error; with a status of its own only where that says less."""
        error = reply.body.get("error")
        # That there is no credit comes as a bad request.
        kind = "billing_error" if "credit balance" in word(error, "message") else word(error, "type")
        if error is None or (reply.status >= 400 and kind not in TELLING):
            return None
        meant, told = REFUSALS.get(kind, (Overloaded, "the model could not go on"))
        return meant("anthropic", told, retry_after=waiting_time(reply))


def body_of(ask: ChatAsk) -> dict[str, Any]:
    """The request; what the caller left open is left out, but for the bound."""
    said = turns(_turn(message) for message in ask.messages if message.role is not ChatRole.SYSTEM)
    body: dict[str, Any] = {
        "model": ask.model,
        "max_tokens": ask.max_tokens or MAX_TOKENS,
        "messages": [{"role": role, "content": blocks} for role, blocks in said],
    }
    if system := instructions(ask):
        body["system"] = system
    if ask.tools:
        body["tools"] = [
            {
                "name": tool.name, "description": tool.description,
                "input_schema": object_in("anthropic", tool.parameters, f"the schema of {tool.name}"),
            }
            for tool in ask.tools
        ]  # fmt: skip
        body["tool_choice"] = CHOICES.get(ask.tool_choice, {"type": "tool", "name": ask.tool_choice})
    for name, value in (("temperature", ask.temperature), ("top_p", ask.top_p)):
        if value is not None:
            body[name] = value
    if ask.stop:
        body["stop_sequences"] = list(ask.stop)
    if ask.json_schema:
        schema = object_in("anthropic", ask.json_schema, "the JSON schema")
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body


def _turn(message: ChatMessage) -> tuple[str, list[Any]]:
    """A message as blocks; empty texts are refused, so they are none."""
    if message.role is ChatRole.TOOL:
        return "user", [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.text}]
    blocks: list[Any] = [{"type": "text", "text": message.text}] if message.text else []
    for call in message.tool_calls:
        arguments = object_in("anthropic", call.arguments, f"what {call.name} was called with")
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": arguments})
    return message.role.value.lower(), blocks


def parse_message(row: Row) -> ChatReply:
    """A whole message: its text, its thinking and its calls stand in blocks."""
    text, thinking, calls = "", "", []
    for block in row["content"]:
        kind = block.text("type")
        if kind == "text":
            text += block.maybe_text("text") or ""
        elif kind == "thinking":
            thinking += block.maybe_text("thinking") or ""
        elif kind == "tool_use":
            arguments = arguments_in(block, "input")
            calls.append(ToolCall(id=block.text("id"), name=block.text("name"), arguments=arguments))
    end = ENDS.get(row.text("stop_reason"), FinishReason.OTHER)
    return ChatReply(
        id=row.text("id"),
        model=row.text("model"),
        message=ChatMessage(role=ChatRole.ASSISTANT, text=text, tool_calls=tuple(calls)),
        thinking=thinking or None,
        finish_reason=ended_with(end, calls=bool(calls)),
        usage=_usage(row["usage"]),
    )


def parse_event(row: Row) -> ChatDelta:
    """One event, by its type; pings and the ends of blocks say nothing."""
    match row.text("type"):
        case "message_start":
            message = row["message"]
            return ChatDelta(id=message.text("id"), model=message.text("model"), usage=_usage(message["usage"]))
        case "content_block_start":
            block = row["content_block"]
            if block.text("type") == "tool_use":
                call = ToolCallDelta(index=row.integer("index"), id=block.text("id"), name=block.text("name"))
                return ChatDelta(tool_calls=(call,))
            return ChatDelta(text=block.maybe_text("text") or "", thinking=block.maybe_text("thinking") or "")
        case "content_block_delta":
            return _delta(row)
        case "message_delta":
            reason, usage = row["delta"].maybe_text("stop_reason"), row.get("usage")
            return ChatDelta(
                finish_reason=ENDS.get(reason, FinishReason.OTHER) if reason is not None else None,
                usage=_usage(usage) if usage is not None else None,
            )
        case _:
            return ChatDelta()


def _delta(row: Row) -> ChatDelta:
    delta = row["delta"]
    match delta.text("type"):
        case "text_delta":
            return ChatDelta(text=delta.maybe_text("text") or "")
        case "thinking_delta":
            return ChatDelta(thinking=delta.maybe_text("thinking") or "")
        case "input_json_delta":
            piece = delta.maybe_text("partial_json") or ""
            return ChatDelta(tool_calls=(ToolCallDelta(index=row.integer("index"), arguments=piece),))
        case _:
            return ChatDelta()


def _usage(row: Row) -> ChatUsage:
    """What was read from the cache, or put there, is input as well."""
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    read, cached, kept = (counted(row, name) for name in names)
    return ChatUsage(
        input_tokens=None if read is None else read + (cached or 0) + (kept or 0),
        output_tokens=counted(row, "output_tokens"),
        cached_tokens=None if read is None else cached,
    )


def parse_models(row: Row) -> tuple[ChatModel, ...]:
    """The newest stands first."""
    return tuple(
        [
            ChatModel(
                id=each.text("id"), name=each.maybe_text("display_name"), owner="anthropic",
                created_at=each.maybe_instant("created_at"), context_tokens=counted(each, "max_input_tokens"),
                output_tokens=counted(each, "max_tokens"),
            )
            for each in row["data"]
        ]
    )  # fmt: skip
