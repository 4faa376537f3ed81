"""What stands between a transport and the execution of an operation: who asks, what they may do, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gateway.core.identity import ANONYMOUS, Principal

if TYPE_CHECKING:
    from gateway.edge.cost import Price
    from gateway.edge.execute import PreparedOperation, RequestFacts


def _nothing(context: object, failed: bool) -> None:
    """Nothing was taken, nothing is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """An operation that may run. `release` is called once it has ended, with its context and whether it had errors."""

    cost: int = 0
    extensions: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    price_only: bool = False
    """Answer the price in `extensions.cost` and execute nothing."""
    release: Callable[[object, bool], None] = _nothing


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

    async def admit_price(self, price: Price, principal: Principal, facts: RequestFacts) -> Admission:
        """The same for what is no GraphQL operation and has a price all the same."""

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

    async def admit_price(self, price: Price, principal: Principal, facts: RequestFacts) -> Admission:
        """Always."""
        return Admission()

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        """Nothing ends."""
        return lambda: None
