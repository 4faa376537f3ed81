"""What subscribers must have in common to share one execution: the question, and the rules that it is answered by."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Hashable

from gateway.core.contract import Context
from gateway.core.identity import CallerKind, Principal
from gateway.core.watching import Joinable
from gateway.edge.keeping import Keepings
from gateway.edge.operation import OperationResult, PreparedOperation
from gateway.edge.responses import Policies
from schema.facts import Shared


class Sharing:
    """Public streams are shared by callers of one policy, others by those of one tenant and actor."""

    def __init__(self, keepings: Keepings, policies: Policies) -> None:
        self._keepings, self._policies = keepings, policies

    async def key(self, prepared: PreparedOperation, principal: Principal) -> Hashable | None:
        """The same for those who share; None where nothing is shared."""
        document, operation = prepared.document, prepared.operation
        shared = self._keepings.streams(document, operation)
        if shared is Shared.NONE:
            return None
        variables = self._keepings.variables(document, operation, prepared.request.variables)
        if variables is None:
            return None
        policy = self._policies.at_once(principal) or await self._policies.find(principal)
        question = (document.hash, operation.name.value if operation.name else None, variables, policy.fingerprint)
        if policy.public and shared is Shared.PUBLIC:
            return question
        if principal.kind is CallerKind.ANONYMOUS:
            return None
        return (*question, principal.tenant, principal.actor)


class Execution:
    """gateway.edge.broadcasts.Source: one execution of a subscription."""

    def __init__(self, context: object, results: Callable[[object], AsyncGenerator[OperationResult]]) -> None:
        self._context, self._results = context, results

    def results(self) -> AsyncGenerator[OperationResult]:
        """See `Source`."""
        return self._results(self._context)

    def subscription(self) -> Joinable | None:
        """See `Source`."""
        found = self._context.market.subscriptions if isinstance(self._context, Context) else []
        return found[0] if len(found) == 1 else None
