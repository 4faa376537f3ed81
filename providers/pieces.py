"""Large JSON, decoded piece by piece: exactly what one call would give, but other threads get their turn meanwhile.

The decoder holds the interpreter for as long as a call lasts: 0.1 s for 11 MB. Passing over a value is twenty times
as fast as making it, so large lists and objects are first taken apart into the bytes of their members.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from sys import getrefcount
from typing import Any

import msgspec

PIECE = 64 * 1024
"""Bytes that are decoded at once: half a millisecond."""
DEEPEST = 4
"""So far down large values are taken apart: each level passes over all bytes once more."""
MANY = 256
"""Members of a large value that are taken to be small each."""

# The first byte of the first member tells lists of rows from lists of numbers, of which there would be millions.
_OPENING = re.compile(rb"[ \t\r\n]*(?:(\{)|\[[ \t\r\n]*[\[{])")
_WHOLE = msgspec.json.Decoder(float_hook=Decimal)
_MEMBERS = msgspec.json.Decoder(list[msgspec.Raw])


class _Name(str):
    """A member's name: a type of our own, so that the decoder tells of each."""

    __slots__ = ()


def decode(body: bytes | msgspec.Raw, deepest: int = DEEPEST) -> Any:
    """The value, fractions as Decimal; what msgspec and Decimal raise for what is no JSON."""
    opening = _OPENING.match(body) if len(body) > PIECE and deepest else None
    if opening is None:
        return _WHOLE.decode(body)
    if opening[1] is None:
        return [decode(member, deepest - 1) for member in _MEMBERS.decode(body)]
    names, members = _taken_apart(body)
    if len(members) < len(names):
        # Some name came twice: what the later one hides must be JSON as well.
        return _WHOLE.decode(body)
    return {name: decode(member, deepest - 1) for name, member in zip(names, members.values(), strict=True)}


def _taken_apart(body: bytes | msgspec.Raw) -> tuple[list[str], Mapping[_Name, msgspec.Raw]]:
    """All names as they came, and the members."""
    names: list[str] = []

    def told(_: type, name: str) -> _Name:
        names.append(name)
        return _Name(name)

    return names, msgspec.json.decode(body, type=dict[_Name, msgspec.Raw], dec_hook=told)


def let_go(held: list[Any], deepest: int = DEEPEST) -> None:
    """Free the decoded values of a list little by little: at once it takes a quarter of the time of making them.

    What somebody else refers to stays as it is.
    """
    if len(held) >= MANY:
        deepest = 0
    while held:
        value = held.pop()
        # Two: this name, and the argument of the question.
        if not deepest or getrefcount(value) > 2:
            continue
        if type(value) is list:
            let_go(value, deepest - 1)
        elif type(value) is dict:
            members = list(value.values())
            value.clear()
            let_go(members, deepest - 1)
