"""Reads the source of another package's plugin: of this repository it may see the façade alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

FACADE = "gateway.sdk"
INSIDE = frozenset({"gateway", "plugins", "providers", "schema"})


def import_findings(module: str) -> list[str]:
    """Imports of our inside in a module's package (or the module, where it has none), with file and line."""
    files = [(file, ast.parse(file.read_text(encoding="utf-8"))) for file in _files(module)]
    return [
        f"{file.name} line {line}: imports {name}; other packages see {FACADE} alone"
        for file, tree in files
        for line, name in _imports(tree)
        if name.partition(".")[0] in INSIDE and name != FACADE and not name.startswith(f"{FACADE}.")
    ]


def _files(module: str) -> list[Path]:
    spec = find_spec(module.partition(".")[0])
    if spec is None or spec.origin is None:
        return []
    origin = Path(spec.origin)
    return sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            # `from gateway import sdk` is the façade too.
            whole = [f"{node.module}.{each.name}" for each in node.names]
            yield node.lineno, FACADE if FACADE in whole else node.module or ""
