"""Reads an adapter's source: an adapter states facts and parses; everything else belongs to the gateway."""

from __future__ import annotations

import ast
from collections.abc import Iterator

ALLOWED = frozenset(
    {
        "__future__", "abc", "base64", "bisect", "collections", "collections.abc", "contextlib", "dataclasses",
        "datetime", "decimal", "enum", "functools", "hashlib", "heapq", "hmac", "html", "itertools", "math",
        "operator", "random", "re", "statistics", "string", "types", "typing", "urllib.parse", "zoneinfo",
    }
)  # fmt: skip
"""Standard library without I/O and without a clock of its own."""

OURS = ("providers", "schema", "gateway.sdk")
CONCURRENT = frozenset({"gather", "TaskGroup"})
BUILTINS = frozenset({"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint", "float"})
CLOCKS = frozenset({"now", "today", "utcnow"})
DATES = frozenset({"datetime", "date", "dt"})


def source_findings(source: str, *, simulated: bool = False) -> list[str]:
    """What an adapter module may not do, with line numbers. A simulated exchange may count in floats."""
    tree = ast.parse(source)
    found = [finding for node in ast.walk(tree) for finding in _findings(node)]
    return [text for text in found if not (simulated and "float()" in text)]


def _findings(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"line {node.lineno}: imports {n.name}" for n in names if not _allowed(n.name))
        case ast.ImportFrom(module="asyncio", names=names):
            yield from (f"line {node.lineno}: imports asyncio.{n.name}" for n in names if n.name not in CONCURRENT)
        case ast.ImportFrom(module=module, level=level) if level or not _allowed(module or ""):
            yield f"line {node.lineno}: imports from {'.' * level}{module or ''}"
        case ast.Attribute(value=ast.Name(id="asyncio"), attr=name) if name not in CONCURRENT:
            yield f"line {node.lineno}: uses asyncio.{name}; only {' and '.join(sorted(CONCURRENT))} are for adapters"
        case ast.Call(func=ast.Name(id=name)) if name in BUILTINS:
            yield f"line {node.lineno}: calls {name}(){_why(name)}"
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name)) if (
            name in CLOCKS and owner in DATES
        ):
            yield f"line {node.lineno}: reads the clock with {owner}.{name}(); time comes from self.clock"
        case ast.Try() | ast.TryStar():
            yield f"line {node.lineno}: has a try; the gateway handles what goes wrong"


def _allowed(module: str) -> bool:
    ours = any(module == name or module.startswith(f"{name}.") for name in OURS)
    return ours or module in ALLOWED or module == "asyncio"


def _why(name: str) -> str:
    return "; prices are Decimal from the bytes to the wire" if name == "float" else ""
