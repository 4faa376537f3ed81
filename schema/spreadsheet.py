"""Texts that a spreadsheet opens as texts."""

from __future__ import annotations

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def spreadsheet_text(text: str) -> str:
    """A spreadsheet would compute a text that begins like a formula; numbers are not for this function."""
    return f"'{text}" if text.startswith(FORMULAS) else text
