"""Archive files: lines of JSON packed by gzip, and beside each a manifest that says what is in it and proves it.

`<folder>/<table>/<month>/<first instant>-<digest>.jsonl.gz`; the same rows are the same file. The manifest comes last:
a file without one was never finished, and its rows are still in the database.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Date, Integer, String, Table
from sqlalchemy.types import TypeEngine

from gateway.core.store import ExactDecimal, Instant

FORMAT = 1
DATA, MANIFEST = ".jsonl.gz", ".json"
LONGEST_SHOWN = 40
"""Characters of a value that cannot be read, in the error that names it."""


class BadArchive(Exception):
    """A file is damaged, is not what its manifest says, or has none; the message names it, and what is wrong."""


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
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for each in (place.parent, place):
        # With parents=True the mode would be the last one's only.
        each.mkdir(exist_ok=True, mode=0o700)
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


def unproved(folder: Path) -> list[Path]:
    """Every file of rows that has no manifest."""
    return [path for path in sorted(folder.glob(f"*/*/*{DATA}")) if not manifest_of(path).exists()]


def opened(path: Path) -> Kept:
    """A file by its own path or its manifest's; BadArchive where it has none."""
    if not path.name.endswith((DATA, MANIFEST)):
        raise BadArchive(f"{path} is no file of an archive: those end in {DATA} or {MANIFEST}")
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
    """The rows as the table takes them; BadArchive for a file of another table, or one that cannot be read."""
    manifest, columns = file.manifest, {column.name: column for column in table.columns}
    if manifest.table != table.name:
        raise BadArchive(f"{file.path} holds rows of {manifest.table}, not of {table.name}")
    if unknown := set(manifest.columns) - columns.keys():
        raise BadArchive(f"{file.path} has columns that this release does not have: {_named(unknown)}")
    if missing := {name for name, column in columns.items() if _is_needed(column)} - set(manifest.columns):
        raise BadArchive(f"{file.path} lacks columns that this release needs: {_named(missing)}")
    try:
        text = gzip.decompress(verified(file)).decode()
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise BadArchive(f"{file.path} is not UTF-8 packed by gzip ({error})") from None
    # Not splitlines: it also parts at characters that JSON leaves as they are.
    lines = text.removesuffix("\n").split("\n") if text else []
    if len(lines) != manifest.count:
        raise BadArchive(f"{file.path} holds {len(lines)} rows, and its manifest says {manifest.count}")
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_row(line, manifest, columns))
        except (ValueError, RecursionError) as error:
            raise BadArchive(f"{file.path}: line {number} is no row of {table.name} ({error})") from None
    return rows


def _row(line: str, manifest: Manifest, columns: Mapping[str, Column[Any]]) -> dict[str, Any]:
    """ValueError says what is wrong."""
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    if differing := found.keys() ^ set(manifest.columns):
        raise ValueError(f"its columns are not the manifest's: {_named(differing)}")
    row = {}
    for name, value in found.items():
        try:
            row[name] = _typed(value, columns[name])
        except (ValueError, TypeError, InvalidOperation):
            raise ValueError(f"{name} cannot be {json.dumps(value)[:LONGEST_SHOWN]}") from None
    return row


def _is_needed(column: Column[Any]) -> bool:
    return not column.nullable and column.default is None and column.server_default is None


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _manifest(path: Path) -> Manifest:
    try:
        found = Manifest(**json.loads(path.read_text(encoding="utf-8")))
        if type(found.format) is not int or found.format != FORMAT:
            raise BadArchive(f"{path} has format {found.format!r}, and this release reads {FORMAT}")
        _check(found)
    except FileNotFoundError:
        raise BadArchive(
            f"{path} is missing: the file was never finished and its rows are in the database, or its manifest is lost"
        ) from None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise BadArchive(f"{path} is no manifest of an archive ({type(error).__name__}: {error})") from None
    return found


def _check(manifest: Manifest) -> None:
    """ValueError or TypeError where a value is none of its kind."""
    if type(manifest.count) is not int or manifest.count < 0:
        raise ValueError(f"count is {manifest.count!r}")
    if not isinstance(manifest.table, str) or not isinstance(manifest.sha256, str):
        raise TypeError("table and sha256 are texts")
    if not isinstance(manifest.columns, list) or not all(isinstance(name, str) for name in manifest.columns):
        raise TypeError("columns is a list of names")
    for name, told in (("first", manifest.first), ("last", manifest.last)):
        if datetime.fromisoformat(told).tzinfo is None:
            raise ValueError(f"{name} has no offset from UTC")


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


def _typed(value: Any, column: Column[Any]) -> Any:
    """ValueError, TypeError or InvalidOperation where the column cannot hold it."""
    kind: TypeEngine[Any] = column.type
    if value is None:
        return _asserted(None, bool(column.nullable))
    if isinstance(kind, ExactDecimal):
        number = Decimal(_asserted(value, isinstance(value, str)))
        return _asserted(number, number.is_finite())
    if isinstance(kind, Instant):
        instant = datetime.fromisoformat(value)
        return _asserted(instant, instant.tzinfo is not None)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    for sort, python in ((String, str), (Boolean, bool), (Integer, int)):
        if isinstance(kind, sort):
            return _asserted(value, type(value) is python)
    return value


def _asserted(value: Any, holds: bool) -> Any:
    if not holds:
        raise ValueError
    return value
