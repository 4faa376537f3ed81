"""What a list holds after a change: pure arithmetic on symbols."""

from __future__ import annotations

from collections.abc import Sequence

MOST_SYMBOLS = 200


def changed(held: Sequence[str], whole: Sequence[str] | None, add: Sequence[str], remove: Sequence[str]) -> list[str]:
    """The whole anew if it is given, then without what is removed, then with what is added at its end; each once."""
    gone = set(remove)
    kept = [symbol for symbol in (held if whole is None else whole) if symbol not in gone]
    return list(dict.fromkeys([*kept, *add]))
