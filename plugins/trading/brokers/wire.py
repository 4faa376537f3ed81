"""Bytes of brokers: JSON whose numbers keep their digits, and fields that say their path where they are wrong. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from plugins.trading.brokers.port import AnswerUnreadable

T = TypeVar("T")

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDEST = 60
LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request before it has a host; *secret* headers are never shown."""

    method: str
    path: str
    query: str = ""
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Fields:
    """One object of an answer."""

    __slots__ = ("_of", "_path", "_where")

    def __init__(self, of: Any, where: str, path: str = "$") -> None:
        if not isinstance(of, dict):
            raise AnswerUnreadable(f"{where}: {path} is no object")
        self._of, self._where, self._path = of, where, path

    def has(self, name: str) -> bool:
        """Whether something stands there that is not null and not empty."""
        return self._of.get(name) not in (None, "")

    def text(self, name: str) -> str:
        """A text, or a whole number as one."""
        value = self._of.get(name)
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
            raise self._wrong(name, "is no text")
        return str(value)

    def text_or_none(self, name: str) -> str | None:
        """None where there is none."""
        return self.text(name) if self.has(name) else None

    def number(self, name: str) -> Decimal:
        """An exact one, out of a text or a number."""
        value = self._of.get(name)
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            raise self._wrong(name, "is no number")
        try:
            found = Decimal(value)
        except InvalidOperation:
            raise self._wrong(name, "is no number") from None
        if not found.is_finite() or not -_WIDEST < found.adjusted() < _WIDEST:
            raise self._wrong(name, "is no number")
        return found

    def number_or_none(self, name: str) -> Decimal | None:
        """None where there is none."""
        return self.number(name) if self.has(name) else None

    def above_zero(self, name: str) -> Decimal | None:
        """None also for 0, which brokers write for a price that an order does not have."""
        found = self.number_or_none(name)
        return found if found is not None and found > 0 else None

    def flag(self, name: str) -> bool:
        """False where there is none."""
        return self._of.get(name) is True

    def epoch_ms(self, name: str) -> datetime:
        """Milliseconds since 1970."""
        value = self._of.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**14:
            raise self._wrong(name, "is no time in milliseconds")
        return _EPOCH + timedelta(milliseconds=value)

    def instant(self, name: str) -> datetime:
        """RFC 3339; digits beyond microseconds are cut off."""
        try:
            found = msgspec.convert(_cut(self.text(name)), datetime)
        except msgspec.ValidationError:
            raise self._wrong(name, "is no time") from None
        if found.tzinfo is None:
            raise self._wrong(name, "has no time zone")
        return found.astimezone(UTC)

    def each(self, name: str) -> Iterator[Fields]:
        """Objects of a list; none where there is none."""
        value = self._of.get(name)
        if value is None:
            return iter(())
        return objects(value, self._where, f"{self._path}.{name}")

    def listed(self, name: str) -> Iterator[Fields]:
        """The same of a list that must be there."""
        return objects(self._of.get(name), self._where, f"{self._path}.{name}")

    def inner(self, name: str) -> Fields:
        """An object within it."""
        return Fields(self._of.get(name), self._where, f"{self._path}.{name}")

    def unknown(self, name: str, said: str) -> AnswerUnreadable:
        """A word that nobody has heard of."""
        return self._wrong(name, f"says {words(said)[:40]!r}, which is unknown")

    def _wrong(self, name: str, what: str) -> AnswerUnreadable:
        return AnswerUnreadable(f"{self._where}: {self._path}.{name} {what}")


def millis(at: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def objects(of: Any, where: str, path: str = "$") -> Iterator[Fields]:
    """The objects of a list."""
    if not isinstance(of, list):
        raise AnswerUnreadable(f"{where}: {path} is no list")
    return iter([Fields(each, where, f"{path}[{n}]") for n, each in enumerate(of)])


def readable(rows: Iterable[Fields], parse: Callable[[Fields], T]) -> list[T]:
    """What can be read of a list: an order that cannot be keeps none beside it from being seen, and whoever asks for it
    alone is told."""
    found = []
    for row in rows:
        with suppress(AnswerUnreadable):
            found.append(parse(row))
    return found


def decode(content: bytes, where: str) -> Any:
    """JSON with every number as it was written."""
    try:
        return _DECODER.decode(content)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        raise AnswerUnreadable(f"{where}: the answer is no JSON") from None


def words(text: str) -> str:
    """What a broker said, in one line of bounded length."""
    plain = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return plain if len(plain) <= LONGEST_WORDS else f"{plain[:LONGEST_WORDS]}…"


def plain(number: Decimal) -> str:
    """As brokers want numbers: no exponent, no zeros that say nothing."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _cut(text: str) -> str:
    head, point, tail = text.partition(".")
    if not point:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[: min(digits, 6)]}{tail[digits:]}"
