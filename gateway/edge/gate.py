"""What stands between a transport and the execution of an operation: who asks, what they may do, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gateway.core.identity import ANONYMOUS, Principal
from gateway.edge.windows import SPAN
from schema.scalars import datetime_text

if TYPE_CHECKING:
    from gateway.edge.cost import Price
    from gateway.edge.errors import Refused
    from gateway.edge.execute import PreparedOperation, RequestFacts


def _nothing(context: object, failed: bool) -> None:
    """Nothing was taken, nothing is given back."""


class Told(NamedTuple):
    """What an answer tells of the caller's points: plain numbers, so that whoever writes bytes needs no more."""

    cost: int
    """What the operation was priced at."""
    limit: int
    remaining: int
    resets: int
    """Unix seconds: when all points are there again."""
    at: int
    """Unix seconds: when this was so."""

    def extension(self, actual: int) -> dict[str, object]:
        """`extensions.cost`."""
        return {
            "requested": self.cost, "actual": actual, "remaining": self.remaining, "resetsAt": _instant(self.resets),
        }  # fmt: skip

    @property
    def headers(self) -> dict[str, str]:
        """As the draft on RateLimit header fields has them."""
        return {
            "RateLimit": f'"points";r={self.remaining};t={self.resets - self.at}',
            "RateLimit-Policy": f'"points";q={self.limit};w={SPAN}',
        }

    @property
    def lines(self) -> tuple[tuple[bytes, bytes], ...]:
        """The same as they stand on the wire."""
        return (b"ratelimit", b'"points";r=%d;t=%d' % (self.remaining, self.resets - self.at)), _policy(self.limit)


class Admission(NamedTuple):
    """An operation that may run. `release` is called once it has ended, with its context and whether it had errors."""

    told: Told | None = None
    """None where nothing is limited."""
    release: Callable[[object, bool], None] = _nothing
    fields: Mapping[str, int] | None = None
    """Points by root field, where only the price is asked."""

    @property
    def price_only(self) -> bool:
        """Answer the price in `extensions.cost` and execute nothing."""
        return self.fields is not None

    @property
    def extensions(self) -> dict[str, object]:
        """What the answer's `extensions` tell besides."""
        if self.told is None:
            return {}
        if self.fields is not None:
            return {"cost": {**self.told.extension(0), "fields": dict(self.fields)}}
        return {"cost": self.told.extension(self.told.cost)}

    @property
    def headers(self) -> dict[str, str]:
        """What the answer's headers tell besides."""
        return {} if self.told is None else self.told.headers


@lru_cache(maxsize=1024)
def _policy(limit: int) -> tuple[bytes, bytes]:
    """There are few plans."""
    return b"ratelimit-policy", b'"points";q=%d;w=%d' % (limit, SPAN)


@lru_cache(maxsize=1024)
def _instant(seconds: int) -> str:
    """Many operations are told the same second."""
    return datetime_text(datetime.fromtimestamp(seconds, UTC))


class Gate(Protocol):
    """The one place where credentials, permissions, costs and limits are checked, for every transport."""

    async def identify(self, facts: RequestFacts) -> Principal:
        """Who asks; raises schema.errors.Refusal."""

    def recognise(self, facts: RequestFacts) -> Principal | None:
        """The same at once, where the credential is held in memory; None where it must be looked up or be refused."""

    def admit_now(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission | None:
        """`admit` at once, where nothing must be waited for; None (nothing taken) where `admit` has to be asked."""

    async def admit(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission:
        """Whether this operation may run now; raises schema.errors.Refusal, or edge.errors.Refused, which holds what
        the answer tells of the limits."""

    def check_unread(self, source: str, principal: Principal) -> None:
        """Whether a document that is not known may be read for this caller; raises schema.errors.Refusal."""

    async def charge_refused(self, refused: Refused, principal: Principal, facts: RequestFacts) -> Refused:
        """What is answered to a document that cannot be executed, or not for this caller, once its reading is paid."""

    async def admit_price(self, price: Price, principal: Principal, facts: RequestFacts) -> Admission:
        """The same for what is no GraphQL operation and has a price all the same."""

    def connect(self, principal: Principal, facts: RequestFacts) -> Callable[[], None]:
        """Count a socket of the caller; the answer ends it. Raises schema.errors.Refusal where there are too many."""

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        """Call *closed* with a reason when the caller's credential ends; the answer ends the watch."""


class OpenGate:
    """Lets everybody do everything: the command line in its own process, and tests of something else."""

    async def identify(self, facts: RequestFacts) -> Principal:
        """Nobody in particular."""
        return ANONYMOUS

    def recognise(self, facts: RequestFacts) -> Principal | None:
        """Nobody in particular."""
        return ANONYMOUS

    def admit_now(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission | None:
        """Always."""
        return Admission()

    async def admit(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission:
        """Always."""
        return Admission()

    def check_unread(self, source: str, principal: Principal) -> None:
        """Everything is read."""

    async def charge_refused(self, refused: Refused, principal: Principal, facts: RequestFacts) -> Refused:
        """Nothing."""
        return refused

    async def admit_price(self, price: Price, principal: Principal, facts: RequestFacts) -> Admission:
        """Always."""
        return Admission()

    def connect(self, principal: Principal, facts: RequestFacts) -> Callable[[], None]:
        """As many as they like."""
        return lambda: None

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        """Nothing ends."""
        return lambda: None
