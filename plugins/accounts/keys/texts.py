"""The texts of keys and tokens: a public prefix by which the row is found, and a secret that is stored as a digest."""

from __future__ import annotations

import re
import secrets
from string import ascii_letters, digits
from typing import NamedTuple

PREFIX_LENGTH, SECRET_LENGTH = 12, 43
"""43 of 62 characters hold 256 random bits. None of them is `_`, so that a text has as many parts as it says."""
_ALPHABET = digits + ascii_letters
_PART = re.compile(r"[0-9A-Za-z]{1,64}")


class Made(NamedTuple):
    """A new text with its prefix."""

    text: str
    prefix: str


def make(*heads: str) -> Made:
    """`mg_live_<prefix>_<secret>` from `mg` and `live`."""
    prefix = _random(PREFIX_LENGTH)
    return Made("_".join((*heads, prefix, _random(SECRET_LENGTH))), prefix)


def prefix_in(text: str, *heads: str) -> str | None:
    """The prefix of a text that begins with these; None for anything else."""
    found = text.split("_") if len(text) <= 200 else []
    if len(found) != len(heads) + 2 or tuple(found[:-2]) != heads or not all(_PART.fullmatch(each) for each in found):
        return None
    return found[-2]


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
