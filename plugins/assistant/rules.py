"""What may be asked of a model: bounds, order, JSON where JSON belongs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from plugins.assistant.types import ChatCompleteErrorCode, ChatCompleteInput, ChatMessageInput, ChatToolInput
from schema.words.chat import ChatAsk, ChatMessage, ChatRole, ChatTool, ToolCall
from schema.words.problems import Refused

MOST_MESSAGES = 500
LONGEST_CHAT = 400_000
"""Characters of all messages, tools and schemas together."""
MOST_TOOLS = 64
MOST_STOPS = 4
MOST_TOKENS = 128_000
LONGEST_NAME = 128
TOOL = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
CHOICES = frozenset({"auto", "none", "required"})
Code = ChatCompleteErrorCode
N = TypeVar("N", int, Decimal)


def ask_of(wanted: ChatCompleteInput) -> ChatAsk:
    """The ask; Refused names the field."""
    model = wanted.model.strip()
    if not 1 <= len(model) <= LONGEST_NAME or not model.isprintable():
        raise Refused(Code.OUT_OF_RANGE, f"give 1 to {LONGEST_NAME} characters", "model")
    tools = tuple(map(_tool, wanted.tools or ()))
    ask = ChatAsk(
        model=model, messages=_messages(wanted.messages), tools=tools, tool_choice=_choice(wanted.tool_choice, tools),
        max_tokens=_within("maxTokens", wanted.max_tokens, 1, MOST_TOKENS),
        temperature=_within("temperature", wanted.temperature, 0, 2), top_p=_within("topP", wanted.top_p, 0, 1),
        stop=_stops(wanted.stop or ()), seed=wanted.seed, json_output=bool(wanted.json_output),
        json_schema=_schema("jsonSchema", wanted.json_schema) if wanted.json_schema else "",
    )  # fmt: skip
    _check_length(ask)
    return ask


def _messages(given: Sequence[ChatMessageInput]) -> tuple[ChatMessage, ...]:
    if not given:
        raise Refused(Code.EMPTY, "give at least one message", "messages")
    if len(given) > MOST_MESSAGES:
        raise Refused(Code.TOO_LONG, f"give at most {MOST_MESSAGES} messages", "messages")
    called: set[str] = set()
    found = []
    for index, each in enumerate(given):
        where = ("messages", str(index))
        if each.role is ChatRole.SYSTEM and index and given[index - 1].role is not ChatRole.SYSTEM:
            raise Refused(Code.OUT_OF_ORDER, "SYSTEM messages stand first", *where)
        if each.role is ChatRole.TOOL and each.tool_call_id not in called:
            raise Refused(Code.OUT_OF_ORDER, "answers a tool call that no message before it has", *where, "toolCallId")
        calls = tuple(ToolCall(id=c.id, name=c.name, arguments=c.arguments) for c in each.tool_calls or ())
        if calls and each.role is not ChatRole.ASSISTANT:
            raise Refused(Code.OUT_OF_ORDER, "only an ASSISTANT message has tool calls", *where, "toolCalls")
        if not each.text and not calls and each.role is not ChatRole.TOOL:
            raise Refused(Code.EMPTY, "says nothing", *where, "text")
        called.update(call.id for call in calls)
        found.append(ChatMessage(role=each.role, text=each.text, tool_calls=calls, tool_call_id=each.tool_call_id))
    return tuple(found)


def _tool(given: ChatToolInput) -> ChatTool:
    if not TOOL.match(given.name):
        raise Refused(Code.OUT_OF_RANGE, "a tool's name has 1 to 64 letters, digits, _ and -", "tools")
    return ChatTool(name=given.name, description=given.description, parameters=_schema("tools", given.parameters))


def _choice(choice: str | None, tools: Sequence[ChatTool]) -> str:
    found = choice or "auto"
    if found not in CHOICES and found not in {tool.name for tool in tools}:
        raise Refused(Code.OUT_OF_RANGE, "is none of auto, none, required and the tools' names", "toolChoice")
    return found


def _stops(stops: Sequence[str]) -> tuple[str, ...]:
    if len(stops) > MOST_STOPS or not all(stops):
        raise Refused(Code.OUT_OF_RANGE, f"give at most {MOST_STOPS} texts, none of them empty", "stop")
    return tuple(stops)


def _within(field: str, value: N | None, low: int, high: int) -> N | None:
    if value is not None and not low <= value <= high:
        raise Refused(Code.OUT_OF_RANGE, f"must be {low} to {high}, not {value}", field)
    return value


def _schema(field: str, text: str) -> str:
    try:
        value = json.loads(text) if len(text) <= LONGEST_CHAT else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused(Code.NOT_JSON, "a JSON schema is a JSON object, as a text", field)
    return text


def _check_length(ask: ChatAsk) -> None:
    said = sum(len(m.text) + sum(len(call.arguments) for call in m.tool_calls) for m in ask.messages)
    tools = sum(len(tool.description) + len(tool.parameters) for tool in ask.tools)
    if len(ask.tools) > MOST_TOOLS:
        raise Refused(Code.TOO_LONG, f"give at most {MOST_TOOLS} tools", "tools")
    if said + tools + len(ask.json_schema) > LONGEST_CHAT:
        raise Refused(
            Code.TOO_LONG, f"messages, tools and schemas have more than {LONGEST_CHAT} characters", "messages"
        )
