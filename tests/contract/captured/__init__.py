"""Every capture of the providers: the asks that it answers, or why it is not run.

A module of a family has `OWN`, what makes plans of a provider's capture by its call, and `NOT_CALLED`, the reasons by
call or by path. Calls that name a capability need no line.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.contract.captured.asks import CALLS, Asking, Plan, by_call
from tests.contract.captures import Capture

STREAMS = "a frame of a socket: see test_stream_captures.py"
REASONS = {
    "ws_ticker": STREAMS,
    "ws_trade": STREAMS,
    "ws_book": STREAMS,
    "ws_candle": STREAMS,
}
OWN: dict[tuple[str, str], tuple[Asking, ...]] = {}
NOT_CALLED: dict[tuple[str, str], str] = {}
for _found in iter_modules(__path__, f"{__name__}."):
    _family = import_module(_found.name)
    OWN |= getattr(_family, "OWN", {})
    NOT_CALLED |= getattr(_family, "NOT_CALLED", {})


def plans_of(capture: Capture) -> list[Plan] | str:
    """How to run a capture, or why it is not run; an empty list for one that nobody has thought of."""
    key = (capture.provider, capture.call)
    reason = NOT_CALLED.get(key) or NOT_CALLED.get((capture.provider, capture.path))
    if reason is None and key not in OWN:
        reason = REASONS.get(capture.call)
    makers = OWN.get(key, (by_call,) if capture.call in CALLS else ())
    return reason or [make(capture) for make in makers]
