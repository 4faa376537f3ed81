"""Broken forms of a recorded body: wrong values, wrong groups, missing names, and a number replaced by a word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any, TypeVar

from providers.recording import decoded, wire

T = TypeVar("T")
Path = tuple[str | int, ...]

MOST_LEAVES = 48
MOST_GROUPS = 16
STRANGE = (0.05, 0.4)
"""How often something is not what it was, in the first and in the last of the strangers."""
WRONG: tuple[Any, ...] = (None, "broken", "", "NaN", True, Decimal("1E+400"), 10**30, [], {})
WRONG_TEXTS = (b"", b"broken", b"NaN", b"1E+400")
KEY_FIELDS = ("price", "open", "rate", "value", "amount", "apy_percent", "yield_percent", "buy_amount", "standard")
_TOKEN = re.compile(rb"[A-Za-z0-9.+:-]+")


def mutations(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Broken forms of a body by name, always the same ones and boundedly many."""
    value = json_value(content)
    if value is None:
        for match in spread(list(_TOKEN.finditer(content)), MOST_LEAVES):
            for wrong in WRONG_TEXTS:
                name = f"byte {match.start()}, {match[0][:20]!r} replaced by {wrong!r}"
                yield name, content[: match.start()] + wrong + content[match.end() :]
        return
    for path in spread([p for p, v in walk(value) if not isinstance(v, list | dict)], MOST_LEAVES):
        for wrong in WRONG:
            yield f"{_shown(path)} replaced by {wrong!r:.20}", wire(changed(value, path, wrong))
    for path in spread([p for p, v in walk(value) if isinstance(v, list | dict) and p], MOST_GROUPS):
        for wrong in WRONG:
            yield f"{_shown(path)} replaced by {wrong!r:.20}", wire(changed(value, path, wrong))
    for path in spread([p for p, _ in walk(value) if p and isinstance(p[-1], str)], MOST_LEAVES):
        yield f"{_shown(path)} left out", wire(changed(value, path, None, drop=True))


def strangers(content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """JSON values of the body's top-level type made of its own names and of values that may be anywhere.

    Always the same ones; in the first most of what stands there stays, so that parsers get somewhere.
    """
    value = json_value(content)
    if not isinstance(value, dict | list):
        return
    for number in range(count):
        chance = Random(number)
        rate = STRANGE[0] + (STRANGE[1] - STRANGE[0]) * number / count
        yield f"stranger {number}", wire(_strange(value, chance, rate, top=True))


def _strange(value: Any, chance: Random, rate: float, *, top: bool = False) -> Any:
    if not top and chance.random() < rate:
        return chance.choice((*WRONG, "2026-11-20", 0, -1, Decimal("0.5"), [[]], [{}], {"": None}))
    if isinstance(value, dict):
        names = list(value)
        kept = {name: value[name if chance.random() > rate else chance.choice(names)] for name in names}
        return {name: _strange(member, chance, rate) for name, member in kept.items() if chance.random() > rate / 2}
    if isinstance(value, list):
        members = [_strange(member, chance, rate) for member in value[:MOST_GROUPS]]
        return members if chance.random() > rate else [*members, *members[::-1]]
    return value


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of a JSON tree with its path, the root first."""
    yield path, value
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from walk(member, (*path, key))


def changed(value: Any, path: Path, new: Any, *, drop: bool = False) -> Any:
    """A copy with another value at *path*, or with nothing there."""
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if drop and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(value[path[0]], path[1:], new, drop=drop)
    return copy


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many: the first half of them from the front, where a row of each kind stands, the rest evenly."""
    if len(items) <= most:
        return list(items)
    front, rest = items[: most // 2], items[most // 2 :]
    count = most - most // 2
    return [*front, *(rest[i * len(rest) // count] for i in range(count))]


def key_numbers(answer: Any) -> Iterator[Decimal]:
    """The numbers of an answer in its plain form that the answer is about."""
    for path, value in walk(answer):
        names = [step for step in path if isinstance(step, str)]
        if names and names[-1] in KEY_FIELDS and (number := _number(value)) is not None:
            yield number


def numbers_in(answer: Any) -> set[Decimal]:
    """Every number that an answer in its plain form holds."""
    return {number for _, value in walk(answer) if (number := _number(value)) is not None}


def without_number(content: bytes, number: Decimal, instead: str | None) -> bytes:
    """The body with *instead* wherever the number stood; the very same body where it stands nowhere.

    Where it does not stand as it is, it may in other units, with the same digits and another power of ten; or with
    these digits in a hexadecimal word of 32 bytes, as contracts answer.
    """
    same = digits_of(number)
    for meant in (lambda found: found == number, lambda found: digits_of(found) == same):
        replaced = _without(content, meant, instead)
        if replaced != content:
            return replaced
    word = f"{int(''.join(map(str, same[1]))):064x}".encode()
    return content.replace(word, (instead or "").encode())


def digits_of(number: Decimal) -> tuple[int, tuple[int, ...]]:
    """Sign and digits, whatever the power of ten."""
    parts = number.normalize().as_tuple()
    return parts.sign, parts.digits


def _without(content: bytes, meant: Callable[[Decimal], bool], instead: str | None) -> bytes:
    value = json_value(content)
    if value is None:
        text = (instead or "").encode()
        return _TOKEN.sub(lambda m: text if _meant(m[0].decode(), meant) else m[0], content)
    hits = [p for p, v in walk(value) if not isinstance(v, list | dict) and _meant(v, meant)]
    for path in hits:
        value = changed(value, path, instead)
    return wire(value) if hits else content


def _meant(value: Any, meant: Callable[[Decimal], bool]) -> bool:
    number = _number(value)
    return number is not None and meant(number)


def _number(value: Any) -> Decimal | None:
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _shown(path: Path) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def json_value(content: bytes) -> Any:
    """The JSON value of a body; None where it is of another format."""
    try:
        return decoded(content)
    except ValueError:
        return None
