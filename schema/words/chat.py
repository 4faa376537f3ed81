"""Chat with a language model: messages, tools, replies, and replies that come in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.capability import Capability
from schema.checks import not_negative, unique
from schema.model import choices, described, model
from schema.provenance import UNSTAMPED, Provenance


@choices(
    "Who speaks.",
    SYSTEM="Who sets the rules.",
    USER="Who asks.",
    ASSISTANT="The model.",
    TOOL="What a tool answered.",
)
class ChatRole(StrEnum):
    """TOOL brings what a tool answered."""

    SYSTEM = "SYSTEM"
    USER = "USER"
    ASSISTANT = "ASSISTANT"
    TOOL = "TOOL"


@choices(
    "Why a reply ended.",
    STOP="Its natural end.",
    LENGTH="The bound of tokens.",
    TOOL_CALLS="Tools are to be called.",
    CONTENT_FILTER="The provider withheld the rest.",
    OTHER="Another reason.",
)
class FinishReason(StrEnum):
    """STOP is its natural end, LENGTH the bound of tokens, TOOL_CALLS that tools are to be called."""

    STOP = "STOP"
    LENGTH = "LENGTH"
    TOOL_CALLS = "TOOL_CALLS"
    CONTENT_FILTER = "CONTENT_FILTER"
    OTHER = "OTHER"


@model("A tool that the model wants called.")
class ToolCall:
    """`arguments` is JSON as the model wrote it, which may be wrong: check it before use."""

    id: str = described("To be given back with what the tool answers.")
    name: str = described("The tool.")
    arguments: str = described("A JSON object, as the model wrote it; untrusted.")


@model("One message of a chat.")
class ChatMessage:
    """An ASSISTANT message may hold tool calls besides its text; a TOOL message says which call it answers."""

    role: ChatRole = described("Who speaks.")
    text: str = described("What is said; empty where there are only tool calls.", default="")
    tool_calls: tuple[ToolCall, ...] = described("Tools that the model wants called.", default=())
    tool_call_id: str | None = described("Of a TOOL message: the call that it answers.", default=None)


@model("What a reply took.")
class ChatUsage:
    """As the provider counts it, and bills it."""

    input_tokens: int | None = described("Tokens that were read.", default=None)
    output_tokens: int | None = described("Tokens that were written, the thinking included.", default=None)
    cached_tokens: int | None = described("Of `inputTokens`: those that were known already.", default=None)
    reasoning_tokens: int | None = described("Of `outputTokens`: those that were thought and not said.", default=None)


@model("A model that can be asked.")
class ChatModel:
    """As its provider lists it."""

    as_of: strawberry.Private[datetime | None] = None
    id: str = described("Its name in an ask.")
    name: str | None = described("Its name in words.", default=None)
    owner: str | None = described("Who made it.", default=None)
    created_at: datetime | None = described("When it was published.", default=None)
    context_tokens: int | None = described("How many tokens it can read.", default=None)
    output_tokens: int | None = described("How many tokens it can write.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("What a model replied.")
class ChatReply:
    """One choice: the gateway never asks for several."""

    as_of: strawberry.Private[datetime | None] = None
    id: str | None = described("The provider's id of the reply.", default=None)
    model: str = described("The model that replied, as its provider names it.")
    message: ChatMessage = described("The reply.")
    thinking: str | None = described("What the model thought, where it is told.", default=None)
    finish_reason: FinishReason = described("Why it ended.")
    usage: ChatUsage | None = described("What it took.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("A piece of a tool call.")
class ToolCallDelta:
    """Pieces of one call have one `index`; the first has `id` and `name`, `arguments` are joined."""

    index: int = described("Which of the reply's calls.")
    id: str | None = described("Of the call's first piece.", default=None)
    name: str | None = described("Of the call's first piece.", default=None)
    arguments: str = described("A piece of the JSON text.", default="")


@model("A piece of a reply.")
class ChatDelta:
    """Texts are joined in their order. The last piece, or the last but one, has `finishReason`; usage comes once."""

    text: str = described("A piece of what is said.", default="")
    thinking: str = described("A piece of what is thought.", default="")
    tool_calls: tuple[ToolCallDelta, ...] = described("Pieces of tool calls.", default=())
    finish_reason: FinishReason | None = described("Why it ended; null until then.", default=None)
    usage: ChatUsage | None = described("What it took, at the end.", default=None)
    id: str | None = described("The provider's id of the reply, in its first piece.", default=None)
    model: str | None = described("The model that replies, in its first piece.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTool:
    """A tool that the model may call; `parameters` is a JSON schema of an object, as a text."""

    name: str
    description: str = ""
    parameters: str = '{"type": "object", "properties": {}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAsk:
    """A chat to be continued by a model (its provider's name for it).

    SYSTEM messages stand first. `tool_choice` is `auto`, `none`, `required` or a tool's name. `json_output` asks for a
    JSON object, `json_schema` (a text) for one of this shape. None: as the provider has it.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    tools: tuple[ChatTool, ...] = ()
    tool_choice: str = "auto"
    max_tokens: int | None = None
    temperature: Decimal | None = None
    top_p: Decimal | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    json_output: bool = False
    json_schema: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatModelsAsk:
    """All models that a provider offers for chats."""


def check_usage(usage: ChatUsage | None) -> Iterator[str]:
    """Parts are not larger than their whole."""
    if usage is None:
        return
    yield from not_negative("usage.", input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
    for name, part, whole in (
        ("cachedTokens", usage.cached_tokens, usage.input_tokens),
        ("reasoningTokens", usage.reasoning_tokens, usage.output_tokens),
    ):
        if part is not None and (whole is None or part > whole):
            yield f"usage.{name} is {part}, of {whole}"


def check_reply(ask: ChatAsk, reply: ChatReply) -> Iterator[str]:
    """The assistant speaks, and says something or wants something called."""
    yield from check_usage(reply.usage)
    message = reply.message
    if message.role is not ChatRole.ASSISTANT:
        yield f"is said by {message.role}"
    if message.tool_calls and reply.finish_reason is FinishReason.STOP:
        yield "wants tools called and says STOP"
    yield from unique("ids of tool calls", [call.id for call in message.tool_calls])


def check_deltas(ask: ChatAsk, deltas: Sequence[ChatDelta]) -> Iterator[str]:
    """Exactly one end, no text behind it, usage at most once."""
    ends = [index for index, delta in enumerate(deltas) if delta.finish_reason is not None]
    if len(ends) != 1:
        yield f"{len(ends)} pieces say that the reply ended"
    elif any(delta.text or delta.tool_calls for delta in deltas[ends[0] + 1 :]):
        yield "text stands behind the end"
    usages = [delta.usage for delta in deltas if delta.usage is not None]
    yield from ["usage comes more than once"] if len(usages) > 1 else []
    for usage in usages:
        yield from check_usage(usage)
    begun: set[int] = set()
    for call in (call for delta in deltas for call in delta.tool_calls):
        if call.index not in begun and (call.id is None or call.name is None):
            yield f"the first piece of tool call {call.index} has no id or no name"
        begun.add(call.index)


CHAT: Capability[ChatAsk, ChatReply] = Capability(
    name="chat",
    ask=ChatAsk,
    answer=ChatReply,
    description="A reply of a language model.",
    fresh_for=timedelta(0),
    keep_for=timedelta(0),
    check=check_reply,
    private=True,
)
CHAT_STREAM: Capability[ChatAsk, ChatDelta] = Capability(
    name="chatStream",
    ask=ChatAsk,
    answer=ChatDelta,
    description="A reply of a language model, piece by piece.",
    fresh_for=timedelta(0),
    keep_for=timedelta(0),
    check=check_deltas,
    private=True,
    ends=lambda delta: delta.finish_reason is not None,
)
CHAT_MODELS: Capability[ChatModelsAsk, tuple[ChatModel, ...]] = Capability(
    name="chatModels",
    ask=ChatModelsAsk,
    answer=tuple[ChatModel, ...],
    description="Language models that can be asked.",
    fresh_for=timedelta(hours=1),
    revalidate_for=timedelta(hours=5),
    keep_for=timedelta(days=1),
    check=lambda ask, models: unique("ids", [each.id for each in models]),
)
