"""The page of capabilities, for those who write adapters: every ask, every answer, every window, from the code."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from enum import Enum
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import schema.words
from schema.capability import Capability


def capabilities() -> list[Capability[Any, Any]]:
    """All of `schema.words`, in the order of their modules."""
    found: dict[str, Capability[Any, Any]] = {}
    for each in iter_modules(schema.words.__path__, "schema.words."):
        values = vars(import_module(each.name)).values()
        found.update((value.name, value) for value in values if isinstance(value, Capability))
    return list(found.values())


def constant_of(capability: Capability[Any, Any]) -> tuple[str, str]:
    """The module that defines a capability, and its name there."""
    module = import_module(capability.ask.__module__)
    return module.__name__, next(name for name, value in vars(module).items() if value is capability)


def sections() -> Iterator[str]:
    """The page, part by part."""
    every = capabilities()
    yield "\n".join(f"- [`{each.name}`](#{each.name.lower()}): {each.description}" for each in every)
    shown: set[type] = set()
    for each in every:
        yield from _section(each, shown)


def _section(capability: Capability[Any, Any], shown: set[type]) -> Iterator[str]:
    module, constant = constant_of(capability)
    yield f"## {capability.name}"
    yield capability.description
    yield _facts(capability, module, constant)
    yield f"**`{capability.ask.__name__}`**: {_prose(capability.ask)}"
    yield _fields(capability.ask)
    for word in _words(capability.answer, shown):
        yield f"**`{word.__name__}`**: {_prose(word)}"
        yield _fields(word)


def _facts(capability: Capability[Any, Any], module: str, constant: str) -> str:
    answer = _shown(capability.answer)
    how = f"`list[{answer}]`, one for each item that is known" if capability.items else f"`{answer}`"
    if capability.ends is not None:
        how = f"an async generator of `{answer}`"
    windows = [
        f"fresh for {_span(capability.fresh_for)}" + (" (or as the ask says)" if capability.freshness else ""),
        f"shown while it is refreshed for {_span(capability.revalidate_for)} more" if capability.revalidate_for else "",
        f"kept for {_span(capability.keep_for)} for those who accept old ones" if capability.keep_for else "",
    ]
    cache = "never cached, never shared" if capability.private else ", ".join(text for text in windows if text)
    return f"`from {module} import {constant}` · a method answers {how} · {cache}."


def _prose(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def _words(kind: Any, shown: set[type]) -> Iterator[type]:
    """The dataclasses of an answer that the page does not have yet, outermost first."""
    for part in typing.get_args(kind):
        yield from _words(part, shown)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__.startswith("schema.words"):
        if kind in shown:
            return
        shown.add(kind)
        yield kind
        for hint in typing.get_type_hints(kind).values():
            yield from _words(hint, shown)


def _fields(kind: type) -> str:
    hints = typing.get_type_hints(kind)
    face = getattr(kind, "__strawberry_definition__", None)
    described = {each.python_name: each.description or "" for each in face.fields} if face else {}
    rows = []
    for field in dataclasses.fields(kind):
        if field.name == "provenance" or not field.init:
            continue
        hint = hints[field.name]
        told = " ".join(filter(None, (described.get(field.name, ""), _choices(hint))))
        rows.append((f"`{field.name}`", f"`{_shown(hint)}`", _default(field), told))
    head = ("field", "type", "default", "meaning")
    return table(head, rows) if any(row[3] for row in rows) else table(head[:3], [row[:3] for row in rows])


def _choices(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"One of {', '.join(f'`{each.value}`' for each in kind)}."
    return " ".join(filter(None, map(_choices, typing.get_args(kind))))


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return ""
    value = field.default
    return f"`{value.value if isinstance(value, Enum) else repr(value)}`"


def _shown(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Annotated:
        return _shown(typing.get_args(kind)[0])
    if isinstance(kind, type) and not typing.get_args(kind):
        return "None" if kind is type(None) else kind.__name__
    parts = typing.get_args(kind)
    if typing.get_origin(kind) in (tuple, list):
        return f"{_name(kind)}[{', '.join('...' if p is ... else _shown(p) for p in parts)}]"
    return " | ".join(_shown(part) for part in parts)


def _name(kind: Any) -> str:
    return "tuple" if typing.get_origin(kind) is tuple else "list"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; nothing for no rows."""
    lines = [_line([cell.replace("|", "\\|") for cell in row]) for row in rows]
    return "\n".join([_line(head), "|---" * len(head) + "|", *lines]) if lines else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
