"""Ollama: chats with models that one runs oneself, or has run in its cloud, whole and streamed.

Docs: https://docs.ollama.com/api. By default its cloud is asked, with a key; MARKETGATE_TIER_OLLAMA=local asks the
machine's own server, without one. A stream is lines of JSON; the last one says `done`. Errors within it are texts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from providers.assistants._chat import (
    LICENCE,
    arguments_in,
    called_names,
    counted,
    ended_with,
    object_in,
    rows,
    streamed,
    whole_calls,
    word,
)
from providers.assistants._models import is_local
from providers.contract import Profile, Provider, Reply, Tier, answers, header
from providers.row import Row
from schema.errors import Overloaded, UnknownInstrument, UpstreamError
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
    ToolCallDelta,
)

PATH = "/api/chat"
ENDS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}


def covered(ask: ChatAsk) -> bool:
    """Which tool is called is the model's own choice."""
    return is_local(ask.model) and ask.tool_choice == "auto"


class Ollama(Provider):
    """Chats in its own dialect; it speaks OpenAI's as well, with fewer facts."""

    profile = Profile(
        id="ollama",
        name="Ollama",
        base_url="https://ollama.com",
        docs="https://docs.ollama.com/api",
        asset_classes=(),
        licence=LICENCE,
        credentials=(header("authorization", template="Bearer {}", sign_up="https://ollama.com/settings/keys"),),
        tiers={"local": Tier(base_url="http://localhost:11434", credentials=())},
        priority=60,
    )

    @answers(CHAT, covers=covered)
    async def chat(self, ask: ChatAsk) -> ChatReply:
        """Streamed is what it does by itself."""
        return parse_reply(await self.http.post(PATH, body_of(ask) | {"stream": False}))

    @answers(CHAT_STREAM, covers=covered)
    def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """Each line has the form of a whole reply."""
        return streamed(self.http.stream(PATH, body_of(ask) | {"stream": True}), parse_line)

    @answers(CHAT_MODELS)
    async def chat_models(self, ask: ChatModelsAsk) -> tuple[ChatModel, ...]:
        """Those that are there; what each is for is not told."""
        return parse_models(await self.http.get("/api/tags"))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A text, also in mid-stream."""
        if reply.status >= 400 or "error" not in reply.body:
            return None
        said = word(reply.body, "error")
        return (UnknownInstrument if "not found" in said else Overloaded)("ollama", said or "it could not go on")


def body_of(ask: ChatAsk) -> dict[str, Any]:
    """The request; what the caller left open is left out."""
    names = called_names(ask)
    body: dict[str, Any] = {"model": ask.model, "messages": [_message(each, names) for each in ask.messages]}
    if ask.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name, "description": tool.description,
                    "parameters": object_in("ollama", tool.parameters, f"the schema of {tool.name}"),
                },
            }
            for tool in ask.tools
        ]  # fmt: skip
    options = {
        "num_predict": ask.max_tokens, "temperature": ask.temperature, "top_p": ask.top_p, "seed": ask.seed,
        "stop": list(ask.stop) or None,
    }  # fmt: skip
    if stated := {name: value for name, value in options.items() if value is not None}:
        body["options"] = stated
    if ask.json_schema:
        body["format"] = object_in("ollama", ask.json_schema, "the JSON schema")
    elif ask.json_output:
        body["format"] = "json"
    return body


def _message(message: ChatMessage, names: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role.value.lower(), "content": message.text}
    if message.role is ChatRole.TOOL:
        said["tool_name"] = names.get(message.tool_call_id or "", "")
    if message.tool_calls:
        said["tool_calls"] = [
            {
                "function": {
                    "name": call.name,
                    "arguments": object_in("ollama", call.arguments, f"what {call.name} was called with"),
                }
            }
            for call in message.tool_calls
        ]
    return said


def parse_reply(row: Row) -> ChatReply:
    """A whole reply."""
    read = parse_line(row)
    if read.finish_reason is None:
        row.broken("is not done")
    calls = whole_calls(read.tool_calls)
    return ChatReply(
        as_of=row.maybe_instant("created_at"),
        model=row.text("model"),
        message=ChatMessage(role=ChatRole.ASSISTANT, text=read.text, tool_calls=calls),
        thinking=read.thinking or None,
        finish_reason=ended_with(read.finish_reason, calls=bool(calls)),
        usage=read.usage,
    )


def parse_line(row: Row) -> ChatDelta:
    """A line of a stream, which has the form of a reply; older servers do not say why it ended."""
    message, end = row["message"], None
    if row["done"].flag():
        end = ENDS.get(row.maybe_text("done_reason") or "stop", FinishReason.OTHER)
    return ChatDelta(
        text=message.maybe_text("content") or "",
        thinking=message.maybe_text("thinking") or "",
        tool_calls=tuple([_call(call, place) for place, call in enumerate(rows(message, "tool_calls"))]),
        finish_reason=end,
        usage=_usage(row) if end is not None else None,
        model=row.maybe_text("model"),
    )


def _call(call: Row, place: int) -> ToolCallDelta:
    """Calls come whole."""
    function = call["function"]
    return ToolCallDelta(
        index=place, id=call.maybe_text("id"), name=function.text("name"), arguments=arguments_in(function, "arguments")
    )


def _usage(row: Row) -> ChatUsage:
    """A prompt that is known already is not counted again."""
    return ChatUsage(input_tokens=counted(row, "prompt_eval_count"), output_tokens=counted(row, "eval_count"))


def parse_models(row: Row) -> tuple[ChatModel, ...]:
    """When a model was fetched is told, not when it was published."""
    return tuple([ChatModel(id=each.text("model"), name=each.maybe_text("name")) for each in row["models"]])
