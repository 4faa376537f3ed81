"""GraphQL types of chats that are no words of providers: what is asked, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.model import described, model
from schema.provenance import ProviderFailure
from schema.refusals import refusals
from schema.words.chat import ChatModel, ChatReply, ChatRole
from schema.words.problems import UserError


@strawberry.input(description="A tool call of an earlier reply, as it came.")
class ToolCallInput:
    """See `ToolCall`."""

    id: str = strawberry.field(description="As it came.")
    name: str = strawberry.field(description="As it came.")
    arguments: str = strawberry.field(description="As it came.")


@strawberry.input(description="One message of the chat so far.")
class ChatMessageInput:
    """See `ChatMessage`."""

    role: ChatRole = strawberry.field(description="Who speaks.")
    text: str = strawberry.field(description="What is said.", default="")
    tool_calls: list[ToolCallInput] | None = strawberry.field(
        description="Of an ASSISTANT message: the tools that it wanted called.", default=None
    )
    tool_call_id: str | None = strawberry.field(
        description="Of a TOOL message: the call that it answers.", default=None
    )


@strawberry.input(description="A tool that the model may want called. The gateway calls none.")
class ChatToolInput:
    """See `schema.words.chat.ChatTool`."""

    name: str = strawberry.field(description="Letters, digits, _ and -.")
    description: str = strawberry.field(description="What it does, for the model.", default="")
    parameters: str = strawberry.field(
        description="A JSON schema of an object, as a text.", default='{"type": "object", "properties": {}}'
    )


@strawberry.input(description="A chat to be continued.")
class ChatCompleteInput:
    """See `schema.words.chat.ChatAsk`."""

    model: str = strawberry.field(description="A model's id; `chatModels` lists them.")
    messages: list[ChatMessageInput] = strawberry.field(description="The chat so far, SYSTEM messages first.")
    tools: list[ChatToolInput] | None = strawberry.field(description="Tools, at most 64.", default=None)
    tool_choice: str | None = strawberry.field(
        description="`auto`, `none`, `required`, or the name of the tool to call.", default="auto"
    )
    max_tokens: int | None = strawberry.field(description="Longest reply, in tokens.", default=None)
    temperature: Decimal | None = strawberry.field(description="0 to 2; by default the provider's.", default=None)
    top_p: Decimal | None = strawberry.field(description="0 to 1; by default the provider's.", default=None)
    stop: list[str] | None = strawberry.field(description="Texts that end the reply, at most 4.", default=None)
    seed: int | None = strawberry.field(description="For replies that can be had again, as far as told.", default=None)
    json_output: bool | None = strawberry.field(description="Whether to reply with a JSON object.", default=False)
    json_schema: str | None = strawberry.field(
        description="A JSON schema, as a text, that the reply must fit.", default=None
    )
    providers: list[str] | None = strawberry.field(
        description="Only these providers, in this order; by default all that have the model.", default=None
    )
    timeout_ms: int | None = strawberry.field(
        description="Give up after this long, of a stream: before its first piece; at most 30000.", default=30_000
    )


@refusals(
    "Why nothing was asked.",
    EMPTY="Something that is needed is empty.",
    TOO_LONG="There are too many messages, tools or characters.",
    OUT_OF_RANGE="A value is outside of its bounds.",
    NOT_JSON="It is no JSON object as a text.",
    OUT_OF_ORDER="A message stands where its role may not.",
)
class ChatCompleteErrorCode(StrEnum):
    """Refusals of `chatComplete`."""

    EMPTY = "EMPTY"
    TOO_LONG = "TOO_LONG"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    NOT_JSON = "NOT_JSON"
    OUT_OF_ORDER = "OUT_OF_ORDER"


@model("A reply, or why nothing was asked.")
class ChatCompletePayload:
    """What a provider refuses is a GraphQL error."""

    reply: ChatReply | None = described("The reply.", default=None)
    user_errors: list[UserError[ChatCompleteErrorCode]] = described("Why nothing was asked; empty where it was.")


@model("All models of all providers that were asked.")
class ChatModels:
    """In the order of routing."""

    nodes: list[ChatModel] = described("The models; of which provider each is says its provenance.")
    failures: list[ProviderFailure] = described("Providers that did not tell theirs, and why.")
