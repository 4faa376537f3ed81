"""The clients under schema/client: the codes they are told, and whether what they generated is of today's schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from gateway.cli.codes import DATA, INSIDE, REQUESTS, Explained

CLIENTS = "schema/client"
SCHEMA = "schema/schema.graphql"
SEAL = "generated.json"
CODES = f"{CLIENTS}/typescript/src/codes.ts"


def stale(root: Path) -> list[str]:
    """The seals that are broken, by name: the schema, a source or an output is another than when they were written."""
    schema = sha256((root / SCHEMA).read_bytes()).hexdigest() if (root / SCHEMA).is_file() else None
    seals = sorted(root.glob(f"{CLIENTS}/*/{SEAL}"))
    return [seal.relative_to(root).as_posix() for seal in seals if not _holds(seal, schema)]


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


def _holds(seal: Path, schema: str | None) -> bool:
    told = json.loads(seal.read_text(encoding="utf-8"))
    parts = (told["sources"], told["outputs"])
    return told["schema"] == schema and all(
        part["sha256"] == listing_digest(seal.parent, _matching(seal.parent, part["globs"])) for part in parts
    )


def _matching(folder: Path, globs: Iterable[str]) -> Iterator[str]:
    for glob in globs:
        yield from (path.relative_to(folder).as_posix() for path in folder.glob(glob) if path.is_file())


def _union(name: str, meaning: str, codes: Mapping[str, Explained]) -> str:
    members = "".join(f"\n  /** {words.meaning} */\n  | {json.dumps(str(code))}" for code, words in codes.items())
    return f"/** {meaning} */\nexport type {name} ={members};"
