"""When everybody failed: one clear error that lists each attempt."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.health import failure_of
from schema.errors import FailureCode, KeyMissing, NoAnswer, UpstreamError
from schema.provenance import ProviderFailure

_TELLING = (
    FailureCode.UPSTREAM_UNAVAILABLE,
    FailureCode.UPSTREAM_THROTTLED,
    FailureCode.UPSTREAM_QUOTA,
    FailureCode.RATE_LIMITED,
    FailureCode.UPSTREAM_MALFORMED,
    FailureCode.PROVIDER_MISCONFIGURED,
    FailureCode.DATA_STALE,
    FailureCode.UNKNOWN_INSTRUMENT,
    FailureCode.NOT_RECORDED,
    FailureCode.PROVIDER_KEY_MISSING,
    FailureCode.NOT_COVERED,
)
"""The code of the whole is the first of these that any attempt has: an outage may hide the instrument."""

SHOWN = 160


def no_answer(
    capability: str,
    symbol: str,
    attempts: Sequence[ProviderFailure],
    refused: Sequence[UpstreamError],
    *,
    out_of_time: bool,
    pinned: bool,
) -> NoAnswer:
    """The error of an ask that no provider answered."""
    missing_keys = [failure_of(error) for error in refused if pinned or isinstance(error, KeyMissing)]
    listed = [*attempts, *missing_keys]
    codes = {attempt.code for attempt in (attempts or listed)}
    code = next((telling for telling in _TELLING if telling in codes), FailureCode.NOT_COVERED)
    if not listed and out_of_time:
        told = f"no {capability} for {symbol}: time ran out before anybody was asked"
        return NoAnswer(symbol, FailureCode.DEADLINE_EXCEEDED, told, ())
    if not listed:
        return NoAnswer(symbol, code, _nobody(capability, symbol, refused), [failure_of(each) for each in refused[:20]])
    told = "; ".join(_told(listed))
    if out_of_time:
        code, told = FailureCode.DEADLINE_EXCEEDED, f"time ran out; {told}"
    return NoAnswer(symbol, code, f"no {capability} for {symbol}: {told}", listed)


def _told(attempts: Sequence[ProviderFailure]) -> list[str]:
    """Each attempt in its words; those that only lack a recording are named together, their lists are in `attempts`."""
    lacking = [attempt.provider for attempt in attempts if attempt.code is FailureCode.NOT_RECORDED]
    told = [f"{a.provider}: {_short(a.message)}" for a in attempts if a.code is not FailureCode.NOT_RECORDED]
    if len(lacking) == 1:
        told += [f"{a.provider}: {_short(a.message)}" for a in attempts if a.code is FailureCode.NOT_RECORDED]
    elif lacking:
        told.append(f"the offline market has no recording of it at {', '.join(lacking)}")
    return told


def _short(message: str) -> str:
    """The whole message stands in the attempt."""
    return message if len(message) <= SHOWN else f"{message[: SHOWN - 1]}…"


def _nobody(capability: str, symbol: str, refused: Sequence[UpstreamError]) -> str:
    if not refused:
        return f"no provider offers {capability}"
    told = "; ".join(dict.fromkeys(f"{error.provider} {error.detail}" for error in refused[:20]))
    return f"no provider covers {capability} for {symbol}: {told}"
