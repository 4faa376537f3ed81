"""Names that people give to things: trimmed, of a bounded length, and nothing in them that a line cannot show."""

from __future__ import annotations

import unicodedata

from schema.errors import BadInput

LONGEST_NAME = 100
LONGEST_ID = 64
_HIDDEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that make a text read in another order than it is written."""


class BadName(ValueError):
    """The message says what is wrong with a name and what to do."""


def read_name(text: str, *, longest: int = LONGEST_NAME) -> str:
    """The name without the space around it; BadName for an empty, too long or unprintable one."""
    name = text.strip()
    if not name:
        raise BadName(f"The name is empty: give 1 to {longest} characters.")
    if len(name) > longest:
        raise BadName(f"The name has {len(name)} characters: give at most {longest}.")
    odd = next((c for c in name if unicodedata.category(c) in _HIDDEN or c in _TURNING), None)
    if odd is not None:
        raise BadName(f"The name has a character that cannot be shown (U+{ord(odd):04X}): leave it out.")
    return name


def could_be_id(text: str) -> bool:
    """Whether a text may be an identifier at all; what is none need not be looked up."""
    return 0 < len(text) <= LONGEST_ID and text.isascii() and text.isprintable()


def check_word(field: str, text: str | None) -> None:
    """BadInput for what can be no identifier, tag or kind, which need not be looked for."""
    if text is not None and not could_be_id(text):
        raise BadInput(field, f"must be 1 to {LONGEST_ID} printable ASCII characters")


def camel(name: str) -> str:
    """What GraphQL calls a field."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
