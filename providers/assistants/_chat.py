"""What the chats of all dialects have in common: asks taken apart, and streams that tell each thing once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import fields, replace
from typing import Any

from providers.contract import Licence, Part, Reply
from providers.jsontext import json_object, json_text
from providers.row import Row
from schema.errors import Malformed, NotCovered
from schema.words.chat import ChatAsk, ChatDelta, ChatRole, ChatUsage, FinishReason, ToolCall, ToolCallDelta

LICENCE = Licence(note="Replies are the caller's own, within the provider's terms of use.", shareable=False)


def counted(row: Row, key: str) -> int | None:
    """A number of tokens that may be missing."""
    return None if row.maybe(key) is None else row.integer(key)


def rows(row: Row, key: str) -> list[Row]:
    """The items of a list that may be missing, null or empty."""
    found = row.get(key)
    return list(found) if found else []


def word(row: Row | None, key: str) -> str:
    """A text of an error, empty where there is none: upstreams write their errors in more ways than they say."""
    found = row.get(key) if row is not None else None
    return found.value if found is not None and isinstance(found.value, str) else ""


def waiting_time(reply: Reply) -> int | None:
    """Whole seconds after which one may ask again, where a header says so."""
    whole, _, part = reply.headers.get("retry-after", "").partition(".")
    return min(int(whole) + bool(part), 86_400) if whole.isdecimal() and len(whole) < 10 else None


def arguments_in(row: Row, key: str) -> str:
    """A tool call's arguments that come as an object, which may be missing."""
    found = row.get(key)
    if found is None:
        return "{}"
    if not isinstance(found.value, dict):
        found.broken("is not an object")
    return json_text(found.value)


def whole_calls(pieces: Iterable[ToolCallDelta]) -> tuple[ToolCall, ...]:
    """Calls of which each piece is a whole one; those that have no id get one."""
    return tuple(
        [
            ToolCall(id=piece.id or f"call_{number}", name=piece.name or "", arguments=piece.arguments)
            for number, piece in enumerate(pieces)
        ]
    )


def object_in(provider: str, text: str, what: str) -> dict[str, Any]:
    """A JSON object of the caller's, which goes on as an object; NotCovered where it is none."""
    found = json_object(text)
    if found is None:
        raise NotCovered(provider, f"{what} is no JSON object")
    return found


def instructions(ask: ChatAsk) -> str:
    """All SYSTEM messages, for upstreams that take them apart from the others."""
    return "\n\n".join(message.text for message in ask.messages if message.role is ChatRole.SYSTEM and message.text)


def called_names(ask: ChatAsk) -> Mapping[str, str]:
    """The tools of earlier calls, by the ids of the calls."""
    return {call.id: call.name for message in ask.messages for call in message.tool_calls}


def turns(said: Iterable[tuple[str, list[Any]]]) -> list[tuple[str, list[Any]]]:
    """Neighbours of one role joined: results of parallel calls belong into one turn."""
    found: list[tuple[str, list[Any]]] = []
    for role, parts in said:
        if found and found[-1][0] == role:
            found[-1][1].extend(parts)
        elif parts:
            found.append((role, list(parts)))
    return found


def ended_with(reason: FinishReason, *, calls: bool) -> FinishReason:
    """Some upstreams call a reply that wants tools called simply finished."""
    return FinishReason.TOOL_CALLS if calls and reason is FinishReason.STOP else reason


def newest(old: ChatUsage | None, new: ChatUsage | None) -> ChatUsage | None:
    """Counts grow while a reply is written: of each the last that was told."""
    if old is None or new is None:
        return new or old
    told = {field.name: getattr(new, field.name) for field in fields(new) if getattr(new, field.name) is not None}
    return replace(old, **told)


class Calls:
    """Numbers the tool calls of a stream in the order in which they begin, and names those that have no id."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._at: dict[int, int] = {}
        self._silent: dict[int, None] = {}

    def __bool__(self) -> bool:
        return bool(self._ids)

    def take(self, provider: str, piece: ToolCallDelta) -> ToolCallDelta:
        """The piece with its call's number. A name with another id than that of its place, or with none, begins one."""
        known = self._at.get(piece.index)
        begins = piece.name is not None and (known is None or piece.id is None or piece.id != self._ids[known])
        if begins:
            number = self._at[piece.index] = len(self._ids)
            self._ids.append(piece.id or f"call_{number}")
            self._silent[number] = None
        elif known is not None:
            number = known
        else:
            raise Malformed(provider, f"a piece of tool call {piece.index} came before its name")
        if piece.arguments:
            self._silent.pop(number, None)
        return ToolCallDelta(
            index=number, id=self._ids[number] if begins else None, name=piece.name if begins else None,
            arguments=piece.arguments,
        )  # fmt: skip

    def unsaid(self) -> tuple[ToolCallDelta, ...]:
        """Arguments of the calls that were given none: an object all the same."""
        return tuple(ToolCallDelta(index=number, arguments="{}") for number in self._silent)


async def streamed(parts: AsyncGenerator[Part], parse: Callable[[Row], ChatDelta]) -> AsyncGenerator[ChatDelta]:
    """What *parse* reads of each part, and behind all of it one delta with the end and the usage.

    Id and model are told once, with the first delta; a part that says nothing is nothing. A stream in which no part
    told the end is left without one.
    """
    calls, end, usage, first = Calls(), None, None, True
    async with aclosing(parts) as coming:
        async for part in coming:
            read = parse(part.body)
            end, usage = read.finish_reason or end, newest(usage, read.usage)
            taken = [calls.take(part.body.provider, piece) for piece in read.tool_calls]
            pieces = tuple([piece for piece in taken if piece.name is not None or piece.arguments])
            if first or read.text or read.thinking or pieces:
                yield ChatDelta(
                    text=read.text, thinking=read.thinking, tool_calls=pieces,
                    id=read.id if first else None, model=read.model if first else None,
                )  # fmt: skip
            first = False
    if end is not None:
        yield ChatDelta(tool_calls=calls.unsaid(), finish_reason=ended_with(end, calls=bool(calls)), usage=usage)
