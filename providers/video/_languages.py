"""How platforms write languages."""

from __future__ import annotations


def two_letters(code: str | None) -> str | None:
    """The first part of `en-GB`, where it has two letters: some languages have codes of three."""
    language = (code or "").partition("-")[0].lower()
    return language if len(language) == 2 else None
