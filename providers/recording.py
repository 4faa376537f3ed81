"""Recordings: wire exchanges of a provider and the exact answer expected of its adapter, read from JSON files.

`recordings/<provider id>/<capability>.json` lies beside an adapter's module or beside its family folder. The same
files are the contract suite's cases and the offline market's data, so numbers keep every digit of their text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from schema.capability import Capability
from schema.errors import FailureCode
from schema.provenance import Provenance, RecordedFrom
from schema.scalars import datetime_text, decimal_text
from schema.symbols import InstrumentId, parse_instrument

A = TypeVar("A")

FOLDER = Path(__file__).parent / "recordings"
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_MADE = {
    "captured": RecordedFrom.CAPTURE,
    "documented": RecordedFrom.DOCUMENTATION,
    "composed": RecordedFrom.COMPOSED,
}


class BadRecording(ValueError):
    """A recording that cannot be used; the message names the file, the case and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its reply. `params` is None where the recording does not state them."""

    method: str
    host: str
    path: str
    params: Mapping[str, str] | None
    sent: Any
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def refused(self) -> bool:
        """The reply asks to slow down or says that the upstream is out of order."""
        return self.status in (418, 429) or self.status >= 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An ask, the exchanges that it leads to, and either the plain form of the answer or the error code."""

    name: str
    ask: Any
    now: datetime
    exchanges: tuple[Exchange, ...]
    expect: Any = None
    error: FailureCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The cases of one provider and capability, how they were made, and when their answers were given."""

    provider: str
    capability: str
    made: RecordedFrom
    date: date
    instant: datetime
    origin: str
    cases: tuple[Case, ...]

    @property
    def answered(self) -> tuple[Case, ...]:
        """The cases that expect an answer."""
        return tuple(case for case in self.cases if case.error is None)


class _Request(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    path: str
    method: Literal["GET", "POST"] = "GET"
    host: str = ""
    params: dict[str, str] | None = None
    body: Any = None


class _Exchange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    request: _Request
    status: int = 200
    headers: dict[str, str] = {}
    body: Any = msgspec.UNSET
    text: str | msgspec.UnsetType = msgspec.UNSET


class _Case(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: str
    ask: dict[str, Any]
    exchanges: list[_Exchange]
    now: datetime | None = None
    expect: Any = msgspec.UNSET
    error: FailureCode | msgspec.UnsetType = msgspec.UNSET


class _Recording(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    made: Literal["captured", "documented", "composed"]
    date: date
    origin: str
    cases: list[_Case]
    instant: datetime | None = None


def wire(value: Any) -> bytes:
    """JSON bytes in which every number has its own digits."""
    return _ENCODER.encode(value)


def decoded(content: bytes) -> Any:
    """The JSON value of *content* with exact numbers; ValueError where it is none."""
    return _DECODER.decode(content)


def ask_of(capability: Capability[A, Any], plain_ask: Mapping[str, Any]) -> A:
    """Build an ask from its JSON form; ValueError names the field."""
    kind: Any = capability.ask
    hints = _hints(kind)
    unknown = set(plain_ask) - set(hints)
    if unknown:
        raise ValueError(f"{capability.ask.__name__} has no {', '.join(sorted(unknown))}")
    found = {}
    for name, value in plain_ask.items():
        try:
            found[name] = _typed(hints[name], value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    try:
        return capability.ask(**found)
    except TypeError as error:
        raise ValueError(str(error)) from None


@cache
def _hints(ask: type) -> dict[str, Any]:
    return get_type_hints(ask)


def _typed(hint: Any, value: Any) -> Any:
    if hint == InstrumentId or (hint == InstrumentId | None and value is not None):
        return parse_instrument(msgspec.convert(value, str))
    if get_origin(hint) is tuple and get_args(hint)[0] is InstrumentId:
        return tuple(parse_instrument(text) for text in msgspec.convert(value, list[str]))
    return msgspec.convert(value, hint)


def plain(value: Any) -> Any:
    """The form in which a recording states an answer: exact texts, and only what differs from its default."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, InstrumentId):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return datetime_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(stated) for name, stated in _stated(value)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


_AS_THEY_ARE = frozenset((str, int, bool, type(None)))
_fields = cache(fields)


def _stated(value: Any) -> list[tuple[str, Any]]:
    kind: Any = type(value)
    found = []
    for field in _fields(kind):
        stated = getattr(value, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if not isinstance(stated, Provenance) and (default is MISSING or stated != default):
            found.append((field.name, stated))
    return found


def folder_of(module_file: str | Path, provider: str) -> Path | None:
    """The folder of a provider's recordings: beside its module, or beside the family folder; None where neither is."""
    for parent in Path(module_file).resolve().parents[:2]:
        if (parent / "recordings" / provider).is_dir():
            return parent / "recordings" / provider
    return None


def recording_files(folder: Path) -> tuple[Path, ...]:
    """All recordings in a provider's folder, in order of their names."""
    return tuple(sorted(folder.glob("*.json")))


@lru_cache(maxsize=256)
def read_recording(path: Path) -> Recording:
    """Read and check one file; its folder names the provider, its name the capability."""
    try:
        raw = msgspec.convert(_DECODER.decode(path.read_bytes()), _Recording)
    except (msgspec.DecodeError, ArithmeticError, RecursionError) as error:
        raise BadRecording(f"{_named(path)}: {error}") from None
    instant = _aware(raw.instant) or datetime.combine(raw.date, time(), UTC)
    names = [case.name for case in raw.cases]
    for name in names:
        if names.count(name) > 1:
            raise BadRecording(f"{_named(path)}: two cases are called {name!r}")
    return Recording(
        provider=path.parent.name, capability=path.stem, made=_MADE[raw.made], date=raw.date, instant=instant,
        origin=raw.origin, cases=tuple(_case(path, case, instant) for case in raw.cases),
    )  # fmt: skip


def _case(path: Path, raw: _Case, instant: datetime) -> Case:
    where = f"{_named(path)}: case {raw.name!r}"
    if (raw.expect is msgspec.UNSET) == (raw.error is msgspec.UNSET):
        raise BadRecording(f"{where} needs either 'expect' or 'error'")
    for number, exchange in enumerate(raw.exchanges):
        if exchange.body is not msgspec.UNSET and exchange.text is not msgspec.UNSET:
            raise BadRecording(f"{where}: exchange {number} has both 'body' and 'text'")
        if not exchange.request.path.startswith("/"):
            raise BadRecording(f"{where}: exchange {number}: the path does not begin with '/'")
    return Case(
        name=raw.name, ask=raw.ask, now=_aware(raw.now) or instant,
        exchanges=tuple(map(_exchange, raw.exchanges)),
        expect=None if raw.expect is msgspec.UNSET else raw.expect,
        error=None if isinstance(raw.error, msgspec.UnsetType) else raw.error,
    )  # fmt: skip


def _exchange(raw: _Exchange) -> Exchange:
    content = b"" if raw.body is msgspec.UNSET else wire(raw.body)
    if not isinstance(raw.text, msgspec.UnsetType):
        content = raw.text.encode()
    return Exchange(
        method=raw.request.method, host=raw.request.host, path=raw.request.path, params=raw.request.params,
        sent=raw.request.body, status=raw.status, headers={name.lower(): text for name, text in raw.headers.items()},
        content=content,
    )  # fmt: skip


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _named(path: Path) -> str:
    return "/".join(path.parts[-3:])
