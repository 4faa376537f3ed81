"""Archive files: lines of JSON packed by gzip, and beside each a manifest that says what is in it and proves it.

`<folder>/<table>/<month>/<first instant>-<digest>.jsonl.gz`; the same rows are the same file. The manifest comes last:
a file without one was never finished, and its rows are still in the database.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Date, Table
from sqlalchemy.types import TypeEngine

from gateway.core.store import ExactDecimal, Instant

FORMAT = 1
DATA, MANIFEST = ".jsonl.gz", ".json"


class BadArchive(Exception):
    """A file is not what its manifest says, or there is none; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in a file. `first` and `last` are the instants of its rows, `sha256` is of the packed bytes."""

    format: int
    table: str
    count: int
    first: str
    last: str
    sha256: str
    columns: list[str]
    made_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file of the archive with its manifest."""

    path: Path
    manifest: Manifest


def write(folder: Path, table: Table, at: str, rows: Sequence[Mapping[str, Any]], now: datetime) -> Path:
    """Rows of a table into a file, synced to the disk; its path. *at* names the column of their instants."""
    lines = [json.dumps(dict(row), default=_plain, ensure_ascii=False, separators=(",", ":")) for row in rows]
    packed = gzip.compress("".join(f"{line}\n" for line in sorted(lines)).encode(), mtime=0)
    digest = hashlib.sha256(packed).hexdigest()
    instants = sorted(row[at].astimezone(UTC) for row in rows)
    first, last = instants[0], instants[-1]
    place = folder / table.name / f"{first:%Y-%m}"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = place / f"{first:%Y%m%dT%H%M%SZ}-{digest[:16]}{DATA}"
    manifest = Manifest(
        format=FORMAT, table=table.name, count=len(rows), first=first.isoformat(), last=last.isoformat(), sha256=digest,
        columns=[column.name for column in table.columns], made_at=now.isoformat(),
    )  # fmt: skip
    _put(path, packed)
    _put(manifest_of(path), json.dumps(asdict(manifest), indent=2).encode() + b"\n")
    _sync(place)
    return path


def manifest_of(path: Path) -> Path:
    """Where a file's manifest is."""
    return path.with_name(path.name.removesuffix(DATA) + MANIFEST)


def found(folder: Path) -> list[Path]:
    """Every file that was finished, by table and time."""
    manifests = sorted(folder.glob(f"*/*/*{MANIFEST}"))
    return [path.with_name(path.name.removesuffix(MANIFEST) + DATA) for path in manifests]


def opened(path: Path) -> Kept:
    """A file by its own path or its manifest's; BadArchive where it has none."""
    data = path if path.name.endswith(DATA) else path.with_name(path.name.removesuffix(MANIFEST) + DATA)
    return Kept(path=data, manifest=_manifest(manifest_of(data)))


def verified(file: Kept) -> bytes:
    """The packed bytes, which are what the manifest says; BadArchive otherwise."""
    try:
        packed = file.path.read_bytes()
    except OSError as error:
        raise BadArchive(f"{file.path} cannot be read ({error.strerror})") from None
    if hashlib.sha256(packed).hexdigest() != file.manifest.sha256:
        raise BadArchive(f"{file.path} is not what was written: its SHA-256 differs from the manifest's")
    return packed


def rows_of(file: Kept, table: Table) -> list[dict[str, Any]]:
    """The rows as the table takes them; BadArchive for a file of another table or one that was changed."""
    if file.manifest.table != table.name:
        raise BadArchive(f"{file.path} holds rows of {file.manifest.table}, not of {table.name}")
    unknown = set(file.manifest.columns) - {column.name for column in table.columns}
    if unknown:
        raise BadArchive(f"{file.path} has columns that this release does not have: {', '.join(sorted(unknown))}")
    lines = gzip.decompress(verified(file)).decode().splitlines()
    if len(lines) != file.manifest.count:
        raise BadArchive(f"{file.path} holds {len(lines)} rows, and its manifest says {file.manifest.count}")
    kinds = {column.name: column.type for column in table.columns}
    return [{name: _typed(value, kinds[name]) for name, value in json.loads(line).items()} for line in lines]


def _manifest(path: Path) -> Manifest:
    try:
        found = Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BadArchive(f"{path} is missing: without a manifest a file was never finished") from None
    except (OSError, ValueError, TypeError) as error:
        raise BadArchive(f"{path} is no manifest of an archive ({type(error).__name__})") from None
    if found.format != FORMAT:
        raise BadArchive(f"{path} has format {found.format}, and this release reads {FORMAT}")
    return found


def _put(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in an archive")


def _typed(value: Any, kind: TypeEngine[Any]) -> Any:
    if value is None:
        return None
    if isinstance(kind, ExactDecimal):
        return Decimal(value)
    if isinstance(kind, Instant):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value
