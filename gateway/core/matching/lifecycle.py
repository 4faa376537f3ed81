"""The life of an order: which state may follow which. One table, and no way around it.

Source: FIX 4.4, volume 4, appendix D (order state change matrices), for the states that are served here.
"""

from __future__ import annotations

from collections.abc import Mapping

from schema.words.orders import OrderStatus

NEW, ACCEPTED, TRIGGERED = OrderStatus.NEW, OrderStatus.ACCEPTED, OrderStatus.TRIGGERED
PARTLY, FILLED = OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED
CANCELED, EXPIRED, REJECTED = OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED
CANCELING, REPLACING = OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE

TERMINAL = frozenset({FILLED, CANCELED, EXPIRED, REJECTED})
"""For good."""
WORKING = frozenset({ACCEPTED, TRIGGERED, PARTLY})
"""What the simulated venue fills."""

_ENDS_UNFILLED = frozenset({CANCELED, EXPIRED, REJECTED})
_FILLS = frozenset({PARTLY, FILLED})
_ASKS = frozenset({CANCELING, REPLACING})

TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    NEW: frozenset({ACCEPTED, CANCELING}) | _ENDS_UNFILLED,
    ACCEPTED: frozenset({TRIGGERED}) | _FILLS | _ENDS_UNFILLED | _ASKS,
    TRIGGERED: _FILLS | _ENDS_UNFILLED | _ASKS,
    # What is filled in part was not refused.
    PARTLY: frozenset({CANCELED, EXPIRED}) | _FILLS | _ASKS,
    # The venue may still fill it, or say no and leave it as it was.
    CANCELING: frozenset({ACCEPTED, TRIGGERED}) | _FILLS | _ENDS_UNFILLED,
    REPLACING: frozenset({ACCEPTED, TRIGGERED, CANCELING}) | _FILLS | _ENDS_UNFILLED,
    FILLED: frozenset(),
    CANCELED: frozenset(),
    EXPIRED: frozenset(),
    REJECTED: frozenset(),
}


class IllegalTransition(ValueError):
    """A state that cannot follow the one that an order has."""

    def __init__(self, status: OrderStatus, to: OrderStatus) -> None:
        ways = ", ".join(sorted(TRANSITIONS[status])) or "nothing: it is for good"
        super().__init__(f"{to} cannot follow {status}; what may: {ways}")
        self.status, self.to = status, to


def advance(status: OrderStatus, to: OrderStatus) -> OrderStatus:
    """The state that is asked for; IllegalTransition where it may not follow."""
    if to not in TRANSITIONS[status]:
        raise IllegalTransition(status, to)
    return to


def may(status: OrderStatus, to: OrderStatus) -> bool:
    """Whether a state may follow."""
    return to in TRANSITIONS[status]


def is_terminal(status: OrderStatus) -> bool:
    """Whether an order has ended."""
    return status in TERMINAL
