"""The gate of a gateway with accounts: credentials, permissions, prices and limits, for every transport alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from graphql import OperationType

from gateway.core.contract import Context, Host
from gateway.core.identity import LOCAL, CallerKind, Principal
from gateway.core.ports import Authenticator, Spent, Usage
from gateway.edge.allowances import PlanAllowances, payer_of
from gateway.edge.auth import presented_by
from gateway.edge.cost import LEAST, Price, PriceList
from gateway.edge.errors import Refused, turned_away
from gateway.edge.execute import PreparedOperation, RequestFacts
from gateway.edge.gate import Admission, Told
from gateway.edge.permissions import check_permission
from gateway.edge.windows import Left
from schema.errors import Forbidden, RateLimited, Refusal, TenantSuspended, Unauthenticated

PRICE_HEADER, PRICE_ONLY = "marketgate-cost", "only"
READ = frozenset({
    "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED",
    Unauthenticated.code, Forbidden.code, TenantSuspended.code,
})  # fmt: skip
"""Codes of documents that were read, or looked through, before they were found wrong or nothing for their sender."""
READING = Price(cost=LEAST, fields={}, needs={}, person=None, asked={})
"""What that costs, whatever was found."""
NO_CALLS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TenantGate:
    """Everything that stands before an operation, in this order: who, whether, what it costs, whether now."""

    prices: PriceList
    host: Host
    allowances: PlanAllowances

    async def identify(self, facts: RequestFacts) -> Principal:
        """See `Gate`."""
        return await self.host.service(Authenticator).authenticate(presented_by(facts))

    def recognise(self, facts: RequestFacts) -> Principal | None:
        """See `Gate`."""
        authenticator: Authenticator = self.host.services[Authenticator]
        return authenticator.recognise(presented_by(facts))

    def admit_now(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission | None:
        """See `Gate`."""
        if PRICE_HEADER in facts.headers:
            return None
        try:
            price = self._allowed(prepared, principal, facts)
            if principal is LOCAL:
                return Admission()
            payer = payer_of(principal, facts.client_ip)
            leave = self._enter(price, principal, payer, prepared.operation.operation)
        except Refusal:
            return None
        told = self.allowances.charge_now(principal, payer, price)
        if told is None:
            leave()
            return None
        return Admission(told, self._release(price, principal, leave))

    def connect(self, principal: Principal, facts: RequestFacts) -> Callable[[], None]:
        """See `Gate`."""
        if principal is LOCAL:
            return _nothing
        return self.allowances.connect(principal, payer_of(principal, facts.client_ip))

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        """See `Gate`."""
        return self.host.service(Authenticator).watch(principal, closed)

    async def admit(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission:
        """See `Gate`."""
        price_only = _price_only(facts)
        price = self._allowed(prepared, principal, facts)
        return await self._admitted(price, price_only, principal, facts, prepared.operation.operation)

    async def admit_price(self, price: Price, principal: Principal, facts: RequestFacts) -> Admission:
        """See `Gate`."""
        price_only = _price_only(facts)
        check_permission(price, principal)
        return await self._admitted(price, price_only, principal, facts, OperationType.QUERY)

    def check_unread(self, source: str, principal: Principal) -> None:
        """See `Gate`. Of callers who may do nothing else: what names no root field that is open to them."""
        if principal.kind is CallerKind.ANONYMOUS and not principal.scopes and not self.prices.may_be_open(source):
            raise Unauthenticated("Sign in, or send an API key: without one this gateway reads no such document.")

    async def charge_refused(self, refused: Refused, principal: Principal, facts: RequestFacts) -> Refused:
        """See `Gate`. Who has no points left is told that instead."""
        if principal is LOCAL or refused.code not in READ or PRICE_HEADER in facts.headers:
            return refused
        payer = payer_of(principal, facts.client_ip)
        try:
            left = await self.allowances.charge(principal, payer, READING)
        except RateLimited as error:
            return await self._too_much(error, READING, principal, payer)
        self._meter(READING, principal, None, failed=True)
        told = self._told(READING, principal, left)
        refused.headers.update(told.headers)
        refused.extensions["cost"] = told.extension(told.cost)
        return refused

    async def _admitted(
        self, price: Price, price_only: bool, principal: Principal, facts: RequestFacts, kind: OperationType
    ) -> Admission:
        if principal is LOCAL:
            return Admission()
        payer = payer_of(principal, facts.client_ip)
        if price_only:
            # The price alone: nothing is charged and nothing runs.
            left = await self.allowances.look(principal, payer)
            return Admission(self._told(price, principal, left), fields=price.fields)
        return await self._charge(price, principal, payer, kind)

    def _allowed(self, prepared: PreparedOperation, caller: Principal, facts: RequestFacts) -> Price:
        """What it costs, if the caller may do it at all."""
        price = prepared.price
        if price is None:
            price = self.prices.price(prepared.document, prepared.operation, prepared.request.variables)
            object.__setattr__(prepared, "price", price)
        check_permission(price, caller)
        if caller.cookie and prepared.is_mutation:
            self.host.service(Authenticator).check_csrf(caller, presented_by(facts))
        return price

    async def _charge(self, price: Price, caller: Principal, payer: str, kind: OperationType) -> Admission:
        leave = _nothing
        try:
            leave = self._enter(price, caller, payer, kind)
            left = await self.allowances.charge(caller, payer, price)
        except BaseException as error:
            leave()
            if isinstance(error, RateLimited):
                raise await self._too_much(error, price, caller, payer) from None
            raise
        return Admission(self._told(price, caller, left), self._release(price, caller, leave))

    def _enter(self, price: Price, caller: Principal, payer: str, kind: OperationType) -> Callable[[], None]:
        """Take a place. What costs nothing takes none: its field's own limit bounds it."""
        if not price.cost:
            return _nothing
        return self.allowances.enter(caller, payer, stream=kind is OperationType.SUBSCRIPTION)

    def _release(self, price: Price, caller: Principal, leave: Callable[[], None]) -> Callable[[object, bool], None]:
        def release(context: object, failed: bool) -> None:
            leave()
            self._meter(price, caller, context, failed)

        return release

    async def _too_much(self, error: RateLimited, price: Price, caller: Principal, payer: str) -> Refused:
        """The refusal, with what the caller may do until when."""
        told = self._told(price, caller, await self.allowances.look(caller, payer))
        refused = turned_away(error)
        refused.headers.update(told.headers)
        refused.extensions["cost"] = told.extension(0)
        return refused

    def _told(self, price: Price, caller: Principal, left: Left) -> Told:
        return self.allowances.told(price.cost, self.allowances.points_of(caller), left)

    def _meter(self, price: Price, caller: Principal, context: object, failed: bool) -> None:
        """Who has no tenant has no usage: operators, people without an organisation."""
        usage: Usage | None = self.host.services.get(Usage)
        if usage is None or not caller.tenant:
            return
        log = context.market.log if isinstance(context, Context) else None
        spent = Spent(
            principal=caller, at=self.host.clock.now(), fields=price.fields, points=price.cost, failed=failed,
            upstream_calls=log.calls if log else NO_CALLS, hits=log.hits if log else NO_CALLS,
        )  # fmt: skip
        usage.note(spent)


def _nothing() -> None:
    """No place was taken."""


def _price_only(facts: RequestFacts) -> bool:
    """Refused is what might have meant it: whoever asks for a price must not be charged."""
    asked = facts.headers.get(PRICE_HEADER)
    if asked is not None and asked.strip().lower() != PRICE_ONLY:
        told = f"the header Marketgate-Cost knows one value, {PRICE_ONLY!r}: send that, or leave it out to execute"
        raise Refused("BAD_REQUEST", told)
    return asked is not None
