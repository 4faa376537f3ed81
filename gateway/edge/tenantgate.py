"""The gate of a gateway with accounts: credentials, permissions, prices and limits, for every transport alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil

from graphql import OperationType

from gateway.core.contract import Context, Host
from gateway.core.identity import LOCAL, Principal
from gateway.core.ports import Authenticator, Spent, Usage
from gateway.edge.allowances import PlanAllowances, payer_of
from gateway.edge.auth import presented_by
from gateway.edge.cost import Price, PriceList
from gateway.edge.errors import Refused, turned_away
from gateway.edge.execute import PreparedOperation, RequestFacts
from gateway.edge.gate import Admission
from gateway.edge.permissions import check_permission
from gateway.edge.windows import SPAN, Left
from schema.errors import RateLimited
from schema.scalars import datetime_text

PRICE_HEADER, PRICE_ONLY = "marketgate-cost", "only"


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
        return None

    def admit_now(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission | None:
        """See `Gate`."""
        return None

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        """See `Gate`."""
        return self.host.service(Authenticator).watch(principal, closed)

    async def admit(self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts) -> Admission:
        """See `Gate`."""
        price_only = _price_only(facts)
        price = self.prices.price(prepared.document, prepared.operation, prepared.request.variables)
        check_permission(price, principal)
        if principal.cookie and prepared.is_mutation:
            self.host.service(Authenticator).check_csrf(principal, presented_by(facts))
        if principal is LOCAL:
            return Admission(cost=price.cost)
        payer = payer_of(principal, facts.client_ip)
        if price_only:
            return await self._quote(price, principal, payer)
        return await self._charge(price, principal, payer, prepared.operation.operation)

    async def admit_price(self, price: Price, principal: Principal, facts: RequestFacts) -> Admission:
        """See `Gate`."""
        price_only = _price_only(facts)
        check_permission(price, principal)
        if principal is LOCAL:
            return Admission(cost=price.cost)
        payer = payer_of(principal, facts.client_ip)
        if price_only:
            return await self._quote(price, principal, payer)
        return await self._charge(price, principal, payer, OperationType.QUERY)

    async def _quote(self, price: Price, caller: Principal, payer: str) -> Admission:
        """The price alone; nothing is charged and nothing runs."""
        left = await self.allowances.look(caller, payer)
        told = {**self._told(price, left, actual=0), "fields": dict(price.fields)}
        return Admission(
            cost=price.cost, price_only=True, extensions={"cost": told}, headers=self._headers(caller, left)
        )

    async def _charge(self, price: Price, caller: Principal, payer: str, kind: OperationType) -> Admission:
        leave: Callable[[], None] | None = None
        try:
            # What costs nothing takes no place either: its field's own limit bounds it.
            if price.cost:
                leave = self.allowances.enter(caller, payer, stream=kind is OperationType.SUBSCRIPTION)
            left = await self.allowances.charge(caller, payer, price)
        except BaseException as error:
            if leave is not None:
                leave()
            if isinstance(error, RateLimited):
                raise await self._too_much(error, price, caller, payer) from None
            raise

        def release(context: object, failed: bool) -> None:
            if leave is not None:
                leave()
            self._meter(price, caller, context, failed)

        told = {"cost": self._told(price, left, actual=price.cost)}
        return Admission(cost=price.cost, extensions=told, headers=self._headers(caller, left), release=release)

    async def _too_much(self, error: RateLimited, price: Price, caller: Principal, payer: str) -> Refused:
        """The refusal, with what the caller may do until when."""
        left = await self.allowances.look(caller, payer)
        refused = turned_away(error)
        refused.headers.update(self._headers(caller, left))
        refused.extensions["cost"] = self._told(price, left, actual=0)
        return refused

    def _told(self, price: Price, left: Left, *, actual: int) -> dict[str, object]:
        resets = int(self.host.clock.now().timestamp()) + ceil(left.resets_in)
        return {
            "requested": price.cost, "actual": actual, "remaining": left.remaining, "resetsAt": _instant(resets),
        }  # fmt: skip

    def _headers(self, caller: Principal, left: Left) -> dict[str, str]:
        """As the draft on RateLimit header fields has them."""
        return {
            "RateLimit": f'"points";r={left.remaining};t={ceil(left.resets_in)}',
            "RateLimit-Policy": f'"points";q={self.allowances.points_of(caller)};w={SPAN}',
        }

    def _meter(self, price: Price, caller: Principal, context: object, failed: bool) -> None:
        """Who has no tenant has no usage: operators, people without an organisation."""
        usage: Usage | None = self.host.services.get(Usage)
        if usage is None or not caller.tenant:
            return
        log = context.market.log if isinstance(context, Context) else None
        spent = Spent(
            principal=caller, at=self.host.clock.now(), fields=price.fields, points=price.cost, failed=failed,
            upstream_calls=log.calls if log else {}, hits=log.hits if log else {},
        )  # fmt: skip
        usage.note(spent)


def _price_only(facts: RequestFacts) -> bool:
    """Refused is what might have meant it: whoever asks for a price must not be charged."""
    asked = facts.headers.get(PRICE_HEADER)
    if asked is not None and asked.strip().lower() != PRICE_ONLY:
        told = f"the header Marketgate-Cost knows one value, {PRICE_ONLY!r}: send that, or leave it out to execute"
        raise Refused("BAD_REQUEST", told)
    return asked is not None


@lru_cache(maxsize=1024)
def _instant(seconds: int) -> str:
    """Many operations are told the same second."""
    return datetime_text(datetime.fromtimestamp(seconds, UTC))
