"""Spans: what an operation, a call or a delivery did and for how long. Off, and then almost nothing, until a tracer is
set; what stands behind one is `gateway/core/otlp.py`'s affair.

Attributes are names of closed sets, counts and codes, the names of operations, and the paths of requests, in which
upstreams have symbols: never variables, headers, query strings, bodies or messages.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar, Token
from typing import Literal, Protocol

Value = str | int | float | bool | None
"""None leaves an attribute out."""
Kind = Literal["internal", "server", "client", "producer", "consumer"]


class Span(Protocol):
    """One step, from its begin to its end."""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""

    @property
    def span_id(self) -> str:
        """16 hexadecimal digits."""

    @property
    def traceparent(self) -> str:
        """As the W3C writes it."""

    def set(self, name: str, value: Value) -> None:
        """An attribute."""

    def event(self, name: str, **attributes: Value) -> None:
        """Something that happened at a moment within it."""

    def fail(self, code: str) -> None:
        """It has failed; *code* says of what kind the failure is."""

    def end(self) -> None:
        """It is over."""


class _Untraced:
    """A step of a trace that is not sent: all of it costs next to nothing."""

    trace_id = span_id = traceparent = ""

    def set(self, name: str, value: Value) -> None:
        """See `Span`."""

    def event(self, name: str, **attributes: Value) -> None:
        """See `Span`."""

    def fail(self, code: str) -> None:
        """See `Span`."""

    def end(self) -> None:
        """See `Span`."""


UNTRACED: Span = _Untraced()
"""Stands for every span of such a trace; it has no ids."""


class Tracer(Protocol):
    """Where spans come from."""

    def begin(self, name: str, kind: Kind, parent: Span | str | None, attributes: dict[str, Value]) -> Span:
        """Under another span, under one that a caller names by its `traceparent`, or the first of a trace."""

    def close(self) -> None:
        """Send what waits; it blocks until that is done."""


class Traces:
    """Of this process."""

    tracer: Tracer | None = None


TRACES = Traces()
CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)
"""The innermost span that the running task is within."""
NOTHING: AbstractContextManager[None] = nullcontext()
"""What stands for a span where none is wanted."""


class _Within:
    """A span around a block; tasks that begin in it belong to it."""

    __slots__ = ("_made", "_token")

    def __init__(self, made: Span) -> None:
        self._made = made
        self._token: Token[Span | None] | None = None

    def __enter__(self) -> Span:
        self._token = CURRENT.set(self._made)
        return self._made

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._token is not None:
            # A generator may be closed in another context than the one it ran in.
            with suppress(ValueError):
                CURRENT.reset(self._token)
        if isinstance(error, CancelledError):
            self._made.set("marketgate.cancelled", True)
        elif isinstance(error, Exception):
            self._made.fail(code_of(error))
        self._made.end()


@contextmanager
def current(made: Span) -> Iterator[None]:
    """What begins in the block belongs to a span, which goes on after it."""
    token = CURRENT.set(made)
    try:
        yield
    finally:
        with suppress(ValueError):
            CURRENT.reset(token)


def span(
    name: str,
    kind: Kind = "internal",
    *,
    parent: str | None = None,
    facts: Mapping[str, Value] | None = None,
    **attributes: Value,
) -> AbstractContextManager[Span | None]:
    """A span under the current one; without one under *parent*, a caller's `traceparent`. None while nothing is traced.

    *facts* are attributes by their full names; the others are ours: `provider` becomes `marketgate.provider`.
    """
    tracer = TRACES.tracer
    if tracer is None:
        return NOTHING
    named = {**(facts or {}), **{f"marketgate.{key}": value for key, value in attributes.items()}}
    return _Within(tracer.begin(name, kind, CURRENT.get() or parent, named))


def event(name: str, **attributes: Value) -> None:
    """Something that happened within the current span."""
    current = CURRENT.get() if TRACES.tracer is not None else None
    if current is not None:
        current.event(name, **attributes)


def code_of(error: BaseException) -> str:
    """What a failure is called where its message must not be shown."""
    code = getattr(error, "code", None)
    return str(code) if isinstance(code, str) else type(error).__name__
