"""A JSON, CSV or XML value that can say where it stands, so that a broken payload names the broken field.

The path is built only when something is wrong: on the good path a reader costs one look-up and one conversion.
Numbers are exact: JSON fractions arrive as `Decimal`, never as `float`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from providers.exact import NUMERIC, WIDEST, exact, ordinary, plain
from providers.pieces import decode
from schema.errors import Malformed
from schema.words.candles import Bars

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

T = TypeVar("T")
Key = str | int

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
# What a conversion raises for a value that is not what it takes; OSError comes from the platform's calendar.
_UNFIT = (KeyError, IndexError, TypeError, ValueError, ArithmeticError, AttributeError, OSError)
ABSENT = frozenset({None, "", "-", ".", "None", "null", "N/A", "NA", "N/D", "NaN"})
"""How upstreams write "no value"; `maybe` readers take these for None."""


class Row:
    """One value of a payload; `row["a"]["b"]` walks, the readers convert, and each names the path when it cannot."""

    __slots__ = ("_key", "_parent", "provider", "value")

    def __init__(self, provider: str, value: Any, parent: Row | None = None, key: Key = "") -> None:
        self.provider, self.value, self._parent, self._key = provider, value, parent, key

    @classmethod
    def json(cls, provider: str, body: bytes) -> Row:
        """Decode a JSON body; fractions become Decimal."""
        try:
            return cls(provider, decode(body))
        except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
            raise Malformed(provider, f"$ is not JSON (got {body[:60]!r})") from None

    @classmethod
    def csv(cls, provider: str, body: bytes, delimiter: str = ",") -> Row:
        """Decode a CSV body with a header line into a list of objects whose values are texts."""
        try:
            lines = csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=delimiter, strict=True)
            head = next(lines, [])
            rows = [dict(zip(head, line, strict=True)) for line in lines if line]
        except (UnicodeDecodeError, csv.Error, ValueError):
            raise Malformed(provider, f"$ is not CSV (got {body[:60]!r})") from None
        if len(head) < 2:
            raise Malformed(provider, f"$ is not CSV (got {body[:60]!r})")
        return cls(provider, rows)

    @classmethod
    def xml(cls, provider: str, body: bytes) -> Row:
        """Decode an XML body: an element is `{"tag", "@attribute"…, "text", "children": […]}`, without namespaces."""
        from defusedxml.ElementTree import fromstring

        try:
            return cls(provider, _element(fromstring(body)))
        except Exception:  # noqa: BLE001 - expat, defusedxml and codecs each have their own error family
            raise Malformed(provider, f"$ is not XML (got {body[:60]!r})") from None

    @property
    def path(self) -> str:
        """Where this value stands, such as `$.data[0].last`."""
        if self._parent is None:
            return "$"
        step = f"[{self._key}]" if isinstance(self._key, int) else f".{self._key}"
        return self._parent.path + step

    def __getitem__(self, key: Key) -> Row:
        try:
            return Row(self.provider, self.value[key], self, key)
        except (KeyError, IndexError, TypeError):
            self.broken(f"has no {key!r}")

    def __iter__(self) -> Iterator[Row]:
        if not isinstance(self.value, list):
            self.broken("is not a list")
        return (Row(self.provider, value, self, i) for i, value in enumerate(self.value))

    def __len__(self) -> int:
        if not isinstance(self.value, list | dict):
            self.broken("is not a list or an object")
        return len(self.value)

    def __bool__(self) -> bool:
        """The value's own truth; without this `if row:` would ask for a length."""
        return bool(self.value)

    def __contains__(self, key: Key) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def get(self, key: Key) -> Row | None:
        """A member that may be missing or null."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return None if value is None else Row(self.provider, value, self, key)

    def items(self) -> Iterator[tuple[str, Row]]:
        """Members of an object."""
        if not isinstance(self.value, dict):
            self.broken("is not an object")
        return ((key, Row(self.provider, value, self, key)) for key, value in self.value.items())

    def broken(self, why: str) -> NoReturn:
        """Raise Malformed with the path and the value."""
        raise Malformed(self.provider, f"{self.path} {why} (got {_shown(self.value)})")

    def _at(self, key: Key | None) -> Any:
        if key is None:
            return self.value
        try:
            return self.value[key]
        except (KeyError, IndexError, TypeError):
            self.broken(f"has no {key!r}")

    def _here(self, key: Key | None) -> Row:
        return self if key is None else self[key]

    def decimal(self, key: Key | None = None) -> Decimal:
        """An exact number, from a number or a text."""
        try:
            return exact(self._at(key))
        except (ValueError, InvalidOperation):
            self._here(key).broken("is not a number")

    def maybe(self, key: Key) -> Decimal | None:
        """A number that may be missing, null or written as one of `ABSENT`."""
        value = self.value.get(key) if type(self.value) is dict else self._at(key)
        if value is None or (type(value) is str and value in ABSENT):
            return None
        try:
            return exact(value)
        except (ValueError, InvalidOperation):
            return self.decimal(key)  # says where it stands

    def positive(self, key: Key) -> Decimal | None:
        """A number where absence is written as zero: an empty side's bid, a price that never was."""
        number = self.maybe(key)
        return number if number is not None and number > 0 else None

    def integer(self, key: Key | None = None) -> int:
        """A whole number, from a number or a text."""
        number = self.decimal(key)
        if number != number.to_integral_value():
            self._here(key).broken("is not a whole number")
        return int(number)

    def text(self, key: Key | None = None) -> str:
        """A text that is not empty."""
        value = self._at(key)
        if type(value) is not str or not value:
            self._here(key).broken("is not a text")
        return value

    def maybe_text(self, key: Key) -> str | None:
        """A text that may be missing, null or empty."""
        value = self.value.get(key) if type(self.value) is dict else self._at(key)
        return None if value is None or value == "" else self.text(key)

    def label(self, key: Key | None = None) -> str:
        """An identifier that is sent as a text or as a whole number."""
        value = self._at(key)
        return str(value) if type(value) is int else self.text(key)

    def flag(self, key: Key | None = None) -> bool:
        """A JSON boolean."""
        value = self._at(key)
        if type(value) is not bool:
            self._here(key).broken("is not true or false")
        return value

    def epoch(self, key: Key | None = None, unit: str = "s") -> datetime:
        """A Unix time in `s`, `ms`, `us` or `ns`, as a number or a text, with or without a fraction."""
        number = self.decimal(key)
        try:
            return _EPOCH + timedelta(microseconds=int(number * 1_000_000 / _PER_SECOND[unit]))
        except OverflowError:
            self._here(key).broken(f"is not a Unix time in {unit}")

    def maybe_epoch(self, key: Key, unit: str = "s") -> datetime | None:
        """A Unix time that may be missing, null, written as one of `ABSENT` or zero."""
        return self.epoch(key, unit) if self.maybe(key) else None

    def instant(self, key: Key | None = None) -> datetime:
        """An ISO 8601 time; nine-digit fractions are cut to microseconds, a missing zone is UTC."""
        text = self.text(key)
        try:
            parsed = datetime.fromisoformat(text)
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        except (ValueError, OverflowError):
            self._here(key).broken("is not a time")

    def maybe_instant(self, key: Key) -> datetime | None:
        """An ISO 8601 time that may be missing, null or written as one of `ABSENT`."""
        return None if self.maybe_text(key) in ABSENT else self.instant(key)

    def zone(self, key: Key | None = None) -> ZoneInfo:
        """An IANA time zone by its name."""
        text = self.text(key)
        try:
            return ZoneInfo(text)
        except (KeyError, ValueError, OSError):
            self._here(key).broken("is not a time zone")

    def day(self, key: Key | None = None, form: str = "%Y-%m-%d") -> date:
        """A calendar date."""
        text = self.text(key)
        try:
            return date.fromisoformat(text) if form == "%Y-%m-%d" else datetime.strptime(text, form).date()  # noqa: DTZ007
        except ValueError:
            self._here(key).broken("is not a date")

    def column(self, key: Key, convert: Callable[[Any], T]) -> tuple[T, ...]:
        """One member of every row of a list, converted; the slow path finds the row that is wrong."""
        if type(self.value) is not list:
            self.broken("is not a list")
        try:
            return tuple([convert(row[key]) for row in self.value])
        except _UNFIT:
            for row in self:
                try:
                    convert(row._at(key))
                except _UNFIT:
                    row[key].broken("is not what belongs here")
            raise

    def decimals(self, key: Key) -> tuple[Decimal, ...]:
        """A column of exact numbers, checked as a whole: five such columns are most of a candle answer's cost."""
        if type(self.value) is not list:
            self.broken("is not a list")
        try:
            values: list[Any] = [row[key] for row in self.value]
            kinds = set(map(type, values))
            # Plain digits of a sane length are finite and of sane size: the commonest column needs no other check.
            if kinds == {str} and max(map(len, values)) < WIDEST and plain("".join(values)):
                return tuple(map(Decimal, values))
            numbers = list(map(Decimal, values))
            sizes = list(map(Decimal.adjusted, numbers))
            if (
                kinds <= NUMERIC
                and (str not in kinds or ordinary("".join(values if len(kinds) == 1 else map(str, values))))
                and all(map(Decimal.is_finite, numbers))
                and max(sizes, default=0) < WIDEST
                and min(sizes, default=0) > -WIDEST
            ):
                return tuple(numbers)
        except (KeyError, IndexError, TypeError, ValueError, ArithmeticError):
            pass
        return self.column(key, exact)

    def bars(
        self,
        *,
        time: Key,
        open: Key,
        high: Key,
        low: Key,
        close: Key,
        volume: Key | None = None,
        quote_volume: Key | None = None,
        vwap: Key | None = None,
        trade_count: Key | None = None,
        unit: str = "ms",
        closed: Callable[[Any], bool] | None = None,
        closed_key: Key | None = None,
        currency: str | None = None,
    ) -> Bars:
        """Candles from a list of rows (arrays or objects), in either order, by where each column stands.

        `time` is the open time as a Unix time in *unit*; `closed` reads the provider's own mark at `closed_key`.
        """
        ticks = self.column(time, int)
        order = _order(ticks)

        def arranged(values: tuple[T, ...]) -> tuple[T, ...]:
            if order is None:
                return values
            return values[::-1] if order == [] else tuple([values[row] for row in order])

        def numbers(key: Key | None) -> tuple[Decimal, ...] | None:
            return None if key is None else arranged(self.decimals(key))

        def column(key: Key | None, convert: Callable[[Any], T]) -> tuple[T, ...] | None:
            return None if key is None else arranged(self.column(key, convert))

        return Bars(
            open_time=self._moments(arranged(ticks), unit), open=arranged(self.decimals(open)),
            high=arranged(self.decimals(high)), low=arranged(self.decimals(low)), close=arranged(self.decimals(close)),
            volume=numbers(volume), quote_volume=numbers(quote_volume), vwap=numbers(vwap),
            trade_count=column(trade_count, int), closed=None if closed is None else column(closed_key, closed),
            currency=currency,
        )  # fmt: skip

    def _moments(self, ticks: Sequence[int], unit: str) -> tuple[datetime, ...]:
        """Ascending Unix times; an unbroken run of candles is counted on, which costs a tenth."""
        scale = _PER_SECOND[unit]
        try:
            step = ticks[1] - ticks[0] if len(ticks) > 1 else 1
            if (
                ticks
                and step * 1_000_000 >= scale
                and ticks == tuple(range(ticks[0], ticks[0] + step * len(ticks), step))
            ):
                each = timedelta(microseconds=step * 1_000_000 // scale)
                first = _EPOCH + timedelta(microseconds=ticks[0] * 1_000_000 // scale)
                run: list[datetime] = [first]
                for _ in range(len(ticks) - 1):
                    run.append(run[-1] + each)
                return tuple(run)
            return tuple([_EPOCH + timedelta(microseconds=tick * 1_000_000 // scale) for tick in ticks])
        except OverflowError:
            self.broken(f"has no Unix times in {unit}")


def _order(ticks: Sequence[int]) -> list[int] | None:
    """The rows in ascending order of time, of two at one time the later; None: as they are, []: just turned round."""
    if len(ticks) < 2:
        return None
    step = ticks[1] - ticks[0]
    if step and ticks == tuple(range(ticks[0], ticks[0] + step * len(ticks), step)):
        return None if step > 0 else []
    given, ordered = list(ticks), sorted(set(ticks))
    if given == ordered:
        return None
    if given[::-1] == ordered:
        return []
    last = {tick: row for row, tick in enumerate(ticks)}
    return [last[tick] for tick in ordered]


def _shown(value: Any) -> str:
    """At most 60 characters of it, and no more work than that: payloads may be large and deep."""
    text = ""
    for part in _written(value):
        text += part
        if len(text) > 60:
            return f"{text[:57]}..."
    return text


def _written(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for number, (key, inner) in enumerate(value.items()):
            yield f"{', ' if number else ''}{key[:61]!r}: "
            yield from _written(inner)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, inner in enumerate(value):
            yield ", " if number else ""
            yield from _written(inner)
        yield "]"
    else:
        yield repr(value[:61] if isinstance(value, str) else value)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _element(node: Element) -> dict[str, Any]:
    found: dict[str, Any] = {"tag": _local(node.tag), "text": (node.text or "").strip()}
    found.update((f"@{_local(name)}", value) for name, value in node.attrib.items())
    found["children"] = [_element(child) for child in node]
    return found


def ascending(values: Sequence[T], key: Callable[[T], Any]) -> tuple[T, ...]:
    """Sorted by *key*; cheap where the upstream already sorts either way."""
    return tuple(sorted(values, key=key))
