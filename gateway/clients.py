"""The clients under schema/client: the codes they are told, and whether what they generated is of today's schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gateway.cli.codes import DATA, INSIDE, REQUESTS, Explained

CLIENTS = "schema/client"
SCHEMA = "schema/schema.graphql"
SEAL = "generated.json"
CODES = f"{CLIENTS}/typescript/src/codes.ts"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a client is generated from, besides the schema, and what that gives: globs of its folder."""

    sources: tuple[str, ...]
    outputs: tuple[str, ...]


# As each generator has them. What a seal says of itself proves nothing: it could name less.
SEALED = {
    "python": Sealed(
        ("generate.py", "generator/*.py", "operations/*.graphql", "pyproject.toml"),
        ("marketgate_client/generated/*.py",),
    ),
    "typescript": Sealed(
        (
            "codegen.js",
            "codegen/generate.js",
            "codegen/package-lock.json",
            "codegen/package.json",
            "src/operations/*.graphql",
        ),
        ("src/generated/*.ts",),
    ),
}


def stale(root: Path) -> list[str]:
    """The seals that are missing or broken: the schema, a source or an output is another than it was."""
    return [
        f"{CLIENTS}/{name}/{SEAL}" for name, sealed in SEALED.items()
        if _text(root / CLIENTS / name / SEAL) != seal_of(root, root / CLIENTS / name, sealed)
    ]  # fmt: skip


def seal_of(root: Path, folder: Path, sealed: Sealed) -> str | None:
    """The text of a client's seal; None without a schema."""
    if not (root / SCHEMA).is_file():
        return None
    sides = {"sources": sealed.sources, "outputs": sealed.outputs}
    listed = {
        side: {"globs": list(globs), "sha256": listing_digest(folder, _matching(folder, globs))}
        for side, globs in sides.items()
    }
    schema = sha256((root / SCHEMA).read_bytes()).hexdigest()
    return json.dumps({"schema": schema, **listed}, indent=2) + "\n"


def listing_digest(folder: Path, names: Iterable[str]) -> str:
    """The digest of a listing as `sha256sum` prints it, in the order of the names' bytes."""
    listed = sorted(set(names), key=str.encode)
    lines = (f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in listed)
    return sha256("".join(lines).encode()).hexdigest()


def codes_module(mark: str) -> str:
    """The codes as types of TypeScript."""
    parts = (
        f"// {mark}",
        _union("DataCode", "Data that did not come.", DATA),
        _union("RequestCode", "Requests that were refused.", REQUESTS),
        _union("InsideCode", "Faults of the gateway.", INSIDE),
        "/** Every code of an error's `extensions`. */\nexport type ErrorCode = DataCode | RequestCode | InsideCode;\n",
    )
    return "\n\n".join(parts)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _matching(folder: Path, globs: Iterable[str]) -> Iterator[str]:
    for glob in globs:
        yield from (path.relative_to(folder).as_posix() for path in folder.glob(glob) if path.is_file())


def _union(name: str, meaning: str, codes: Mapping[str, Explained]) -> str:
    members = "".join(f"\n  /** {words.meaning} */\n  | {json.dumps(str(code))}" for code, words in codes.items())
    return f"/** {meaning} */\nexport type {name} ={members};"
