"""A schema that has every kind of priced field, and a gateway that serves it with accounts of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import strawberry

from gateway.app import Gateway, build_gateway, make_gate
from gateway.core.contract import Host, Plugin
from gateway.core.identity import ANONYMOUS, CallerKind, PlanLimits, Principal
from gateway.core.ports import Allowances, Authenticator, Presented, Purse, Spent, Usage
from gateway.core.settings import Settings
from gateway.edge.execute import Executor, OperationRequest, OperationResult, RequestFacts
from gateway.edge.limits import EdgeSettings
from schema.errors import CsrfFailed, Unauthenticated
from schema.facts import facts
from schema.scopes import Scope
from tests.gateway.doubles import ROOT_SECRET, ManualClock


def page(arguments: Any) -> int:
    return int(arguments.get("first") or 0)


def of_length(arguments: Any) -> int:
    return 1 + int(arguments["last"]) // 100


@strawberry.interface
class Thing:
    id: strawberry.ID


@strawberry.type
class Coin(Thing):
    name: str = "coin"
    price: int = strawberry.field(resolver=lambda: 3, metadata=facts())

    @strawberry.field(metadata=facts(cost=of_length))
    def candles(self, last: int = 100) -> int:
        return last

    @strawberry.field(metadata=facts(cost=0, times=page))
    def peers(self, first: int = 10) -> list[Annotated[Coin, strawberry.lazy("tests.gateway.edge.shop")]]:
        return []

    @strawberry.field(metadata=facts(cost=0, needs=Scope.AUDIT_READ))
    def history(self) -> str:
        return "secret"


@strawberry.type
class Share(Thing):
    name: str = "share"
    dividend: int = strawberry.field(resolver=lambda: 3, metadata=facts(cost=7, needs=Scope.BILLING_READ))


@dataclass
class Doings:
    """What resolvers did."""

    done: list[str] = field(default_factory=list)
    begun: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    gate: asyncio.Event = field(default_factory=asyncio.Event)


DOINGS: list[Doings] = []


async def resolve_slow() -> str:
    DOINGS[-1].begun.put_nowait("slow")
    await DOINGS[-1].gate.wait()
    return "slow"


def resolve_plain() -> str:
    DOINGS[-1].done.append("plain")
    return "plain"


@strawberry.type
class Query:
    free: str = strawberry.field(resolver=resolve_plain, metadata=facts(cost=0))
    plain: str = strawberry.field(resolver=resolve_plain, metadata=facts(needs=Scope.MARKET_READ))
    dear: str = strawberry.field(resolver=resolve_plain, metadata=facts(cost=50, needs=Scope.MARKET_READ))
    slow: str = strawberry.field(resolver=resolve_slow, metadata=facts())
    own: str = strawberry.field(resolver=resolve_plain, metadata=facts(person=True))
    keys: str = strawberry.field(resolver=resolve_plain, metadata=facts(needs=Scope.KEYS_READ))

    @strawberry.field(metadata=facts(times=page, needs=Scope.MARKET_READ))
    def coins(self, first: int = 20) -> list[Coin]:
        return []

    @strawberry.field(metadata=facts(needs=Scope.MARKET_READ))
    def coin(self) -> Coin:
        return Coin(id=strawberry.ID("c"))

    @strawberry.field(metadata=facts())
    def thing(self) -> Thing:
        return Coin(id=strawberry.ID("c"))

    @strawberry.field(metadata=facts(per_minute=5, anonymous_per_minute=2))
    def login(self, name: str = "") -> str:
        DOINGS[-1].done.append("login")
        return name


@strawberry.type
class Mutation:
    change: str = strawberry.field(resolver=resolve_plain, metadata=facts(needs=Scope.MARKET_READ))


LIMITS = PlanLimits(plan="small", points_per_minute=100, concurrency=2, streams=1, webhooks=3)
MEMBER = Principal(tenant="org_a", user="usr_a", scopes=frozenset({Scope.MARKET_READ}), limits=LIMITS)


KEY = replace(MEMBER, kind=CallerKind.API_KEY, user=None, key="key_1")
TOKEN = Principal(
    tenant="org_a", kind=CallerKind.ACCESS_TOKEN, token="tok_1", scopes=MEMBER.scopes, limits=LIMITS, max_points=10
)  # fmt: skip
OPERATOR = Principal(tenant="", kind=CallerKind.OPERATOR, key="op_1", scopes=MEMBER.scopes, limits=LIMITS)
CALLERS = {
    "member": MEMBER, "key": KEY, "token": TOKEN, "operator": OPERATOR,
    "other": replace(MEMBER, tenant="org_b", user="usr_b"),
    "colleague": replace(MEMBER, user="usr_c"),
    "browser": replace(MEMBER, cookie=True),
    "quota": replace(MEMBER, limits=replace(LIMITS, points_per_month=1000)),
}  # fmt: skip


@dataclass
class Accounts:
    """An authenticator, a meter and a purse that do as they are told; the header's text names the caller."""

    callers: dict[str, Principal] = field(default_factory=lambda: {"member": MEMBER})
    spent: list[Spent] = field(default_factory=list)
    used: int = 0
    at_once: bool = True
    """Whether credentials and the month are in memory."""
    purse: int = 10
    paid: list[tuple[str, int]] = field(default_factory=list)

    async def authenticate(self, presented: Presented) -> Principal:
        if presented.api_key is None:
            return ANONYMOUS
        if presented.api_key not in self.callers:
            raise Unauthenticated
        return self.callers[presented.api_key]

    def recognise(self, presented: Presented) -> Principal | None:
        if not self.at_once:
            return None
        return ANONYMOUS if presented.api_key is None else self.callers.get(presented.api_key)

    def check_csrf(self, principal: Principal, presented: Presented) -> None:
        if presented.csrf != "right":
            raise CsrfFailed("Send the header.")

    def connect(self, principal: Principal, facts: RequestFacts) -> Callable[[], None]:
        return lambda: None

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        return lambda: None

    def note(self, spent: Spent) -> None:
        self.spent.append(spent)

    def known_to_date(self, tenant: str) -> int | None:
        return self.used if self.at_once else None

    async def month_to_date(self, tenant: str) -> int:
        return self.used

    async def lines(self, *_: Any) -> list[Any]:
        return []

    async def spend(self, token_id: str, points: int) -> bool:
        if points > self.purse:
            return False
        self.purse -= points
        self.paid.append((token_id, points))
        return True


@dataclass
class Shop:
    """One process of it."""

    gateway: Gateway
    executor: Executor
    clock: ManualClock
    accounts: Accounts
    doings: Doings

    async def ask(
        self, document: str, caller: str | None = None, variables: dict[str, Any] | None = None,
        *, ip: str = "192.0.2.1", headers: dict[str, str] | None = None,
    ) -> OperationResult:  # fmt: skip
        sent = {**({"x-api-key": caller} if caller else {}), **(headers or {})}
        known = RequestFacts(request_id="req_test", transport="http", client_ip=ip, headers=sent)
        return await self.executor.execute(OperationRequest(query=document, variables=variables), known)


def open_shop(tmp_path: Any, accounts: Accounts | None = None, **settings: Any) -> Shop:
    """A gateway over the schema above; nothing of it touches a database."""
    made = accounts or Accounts()
    doings = Doings()
    DOINGS.append(doings)

    def services(_: Host) -> dict[type, Any]:
        return {Authenticator: made, Usage: made, Purse: made}

    plugin = Plugin(name="shop", query=Query, mutation=Mutation, types=(Coin, Share), services=services)
    given = {"env": "development", "data_dir": tmp_path, "secret_key": ROOT_SECRET, **settings}
    clock = ManualClock()
    gateway = build_gateway(Settings.model_validate(given), clock=clock, found=[plugin])
    executor = Executor(
        gateway.schema, settings=EdgeSettings(), context_for=gateway.context, gate=make_gate(gateway)
    )  # fmt: skip
    return Shop(gateway, executor, clock, made, doings)


def code_of(result: OperationResult) -> str:
    """The code of the one error."""
    assert result.errors is not None
    (error,) = result.errors
    return str(error["extensions"]["code"])


async def points(shop: Shop, caller: Principal = MEMBER) -> int:
    """What is left of the minute of a caller with a tenant."""
    found = await shop.gateway.host.service(Allowances).remaining(caller)
    return found[0].remaining
