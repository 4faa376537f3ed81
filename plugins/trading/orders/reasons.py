"""Why orders end unfilled, in words."""

from __future__ import annotations

REASONS = {
    "IOC_UNFILLED": "what could not be filled at once was cancelled",
    "FOK_NOT_FILLABLE": "less than the whole quantity was offered",
    "MARKET_CLOSED": "its market is closed, and it waits for nothing",
    "POST_ONLY_WOULD_TAKE": "it would have been filled at once",
    "REDUCE_ONLY_WOULD_INCREASE": "there is nothing left of the position that it could reduce",
    "EXPIRED": "its time ran out",
    "PARENT_ENDED": "the order that it waited for ended otherwise",
    "ENTRY_CLOSED": "its entry only closed what was held, and left nothing to protect",
    "OTHER_FILLED": "another order of its group was filled",
    "EXIT_FILLED": "its position was closed",
    "CANCELED": "by its owner",
    "CLOSED": "its position was closed",
    "REPLACED": "other orders took its place",
    "EXITS_REPLACED": "the exits that took the place of its own follow another entry",
    "KILL_SWITCH": "trading was stopped",
    "DAILY_LOSS_REACHED": "the account has lost as much as it may in a day",
    "LIQUIDATION": "the account fell below its maintenance margin",
    "RECOVERED": "the account is well above its maintenance margin again",
    "INSUFFICIENT_FUNDS": "the account has too little cash for its fill",
    "INSUFFICIENT_MARGIN": "the account has too little margin for it",
}
"""By the codes that matching and the engine give."""


def told_reason(reason: str | None) -> str | None:
    """A code with its words."""
    if reason is None or ":" in reason:
        return reason
    return f"{reason}: {REASONS[reason]}" if reason in REASONS else reason
