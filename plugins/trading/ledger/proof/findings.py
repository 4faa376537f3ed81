"""What a proof finds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from plugins.trading.ledger.chart import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference: where it is, and what is wrong there."""

    tenant: str
    account: str
    subject: str
    """An entry, a balance, an order, a fill or an instrument."""
    message: str


Found = tuple[str, str]
"""Subject and message."""


def differs(subject: str, what: str, kept: object, reckoned: object) -> list[Found]:
    """Nothing where both are the same."""
    if kept == reckoned:
        return []
    return [(subject, f"{what} is {_text(kept)}, and {_text(reckoned)} by what it follows from")]


def _text(value: object) -> str:
    return shown(value) if isinstance(value, Decimal) else str(value)
