"""GraphQL types of accounts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self

import strawberry

from gateway.core.contract import Ctx
from gateway.core.matching.model import ExecutionModel
from gateway.core.quant.lots import LotMethod
from plugins.trading.accounts.access import Access, TradingMemberRole
from plugins.trading.accounts.desk import AccountDesk
from plugins.trading.accounts.switches import Switched
from plugins.trading.positions.connections import position_page
from plugins.trading.positions.figures import TradingBalance, TradingPositionConnection, TradingStanding
from plugins.trading.positions.standings import Appraiser
from plugins.trading.rows import AccountRow, MemberRow
from schema.arguments import After, PageSize
from schema.facts import facts
from schema.model import DEFINITION, choices, computed, described, model
from schema.pages import page_length
from schema.paging import PageInfo
from schema.scopes import Scope
from schema.words.instruments import Node
from schema.words.orders import AccountKind, FillSource, MarginType, SlippageKind

VALUED = 5
"""Points of a valuation by the prices of now."""

if not hasattr(LotMethod, DEFINITION):
    choices(
        "Which units a sale takes.", name="LotMethod", FIFO="Those that were bought first.",
        AVERAGE_COST="Of all that are held alike: at their average cost.",
    )(LotMethod)  # fmt: skip

choices(
    "What the caller may do with an account.",
    name="TradingAccess",
    NONE="Nothing.",
    LOOK="Look at it.",
    TRADE="Also place orders and move money.",
    MANAGE="Also change and delete it, and say who takes part.",
)(Access)


@model("How much worse than the market a taker's fill is.")
class TradingSlippage:
    """Of a paper account."""

    kind: SlippageKind = described("By what rule.")
    bps: Decimal = described("Of BASIS_POINTS, and the base of SIZE: in basis points of the price.")
    per_unit: Decimal = described("Of SIZE: a fraction of the price for each unit of size.")
    jitter: Decimal = described("Of SIZE: the greatest random part, either way, a fraction of the price.")
    most: Decimal = described("Of SIZE and VOLUME_SHARE: never more than this fraction of the price.")
    impact: Decimal = described("Of VOLUME_SHARE: the fraction of the price at a share of 1.")


@model("What fills cost, in the currency of the price.")
class TradingFees:
    """Of a paper account."""

    maker: Decimal = described("Of the notional, where another order came to it while it rested: 0.0002 is 0.02 %.")
    taker: Decimal = described("Of the notional, where it took what was there.")
    per_unit: Decimal = described("For each unit.")
    fixed: Decimal = described("For each order, with its first fill.")
    least: Decimal = described("Never less than this; 0.01 counts in money and stablecoins alone.")


@model("How a paper account's orders are filled: the same model and prices fill the same way.")
class TradingExecutionModel:
    """Of a paper account."""

    provider: str | None = described("Whose prices; null takes who answers first.", default=None)
    source: FillSource = described("What orders are matched against.")
    participation: Decimal = described("The greatest share of what is offered that one order takes.")
    slippage: TradingSlippage = described("How much worse than the market a taker's fill is.")
    fees: TradingFees = described("What fills cost.")
    latency_ms: int = described("How long an order takes to reach the venue.")
    seed: int = described("Of what is random.")
    max_age_ms: int = described("Of a price: an older one fills nothing while its market is open.")
    collar_bps: int | None = described(
        "How far a limit may lie on the wrong side of the market; null lets any pass.", default=None
    )
    extended_hours: bool = described("Whether orders are filled before and after regular hours too.")

    @classmethod
    def of(cls, plain: ExecutionModel) -> Self:
        """From a model."""
        slippage, fees = plain.slippage, plain.fees
        return cls(
            provider=plain.provider, source=plain.source, participation=plain.participation,
            slippage=TradingSlippage(
                kind=slippage.kind, bps=slippage.bps, per_unit=slippage.per_unit, jitter=slippage.jitter,
                most=slippage.most, impact=slippage.impact,
            ),
            fees=TradingFees(
                maker=fees.maker, taker=fees.taker, per_unit=fees.per_unit, fixed=fees.fixed, least=fees.least
            ),
            latency_ms=plain.latency_ms, seed=plain.seed, max_age_ms=plain.max_age_ms,
            collar_bps=plain.collar_bps, extended_hours=plain.extended_hours,
        )  # fmt: skip


@model("Somebody who takes part in an account that is not shared with all.")
class TradingAccountMember:
    """Beside its owner, and the organisation's owners and admins."""

    user_id: str = described("A user's id.")
    role: TradingMemberRole = described("What they may do.")

    @classmethod
    def of(cls, row: MemberRow) -> Self:
        """From a row."""
        return cls(user_id=row.member, role=TradingMemberRole(row.role))


async def resolve_standing(root: TradingAccount, info: Ctx) -> TradingStanding:
    """By the prices of now."""
    return TradingStanding.of(await info.context.service(Appraiser).standing(info.context, root.row))


async def resolve_positions(
    root: TradingAccount, info: Ctx, first: PageSize = 20, after: After = None
) -> TradingPositionConnection:
    """By the prices of now."""
    return await position_page(info.context, root.row, first, after)


async def resolve_balances(root: TradingAccount, info: Ctx) -> list[TradingBalance]:
    """As they stand."""
    found = await info.context.service(Appraiser).held(info.context, root.row)
    return [TradingBalance.of(each, found.reserved) for each in found.cash]


async def resolve_members(root: TradingAccount, info: Ctx) -> list[TradingAccountMember]:
    """All of them."""
    rows = await info.context.service(AccountDesk).members(info.context, root.row.id)
    return [TradingAccountMember.of(row) for row in rows]


async def resolve_access(root: TradingAccount, info: Ctx) -> Access:
    """Of the caller."""
    return await info.context.service(AccountDesk).access(info.context, root.row)


@model("An account that orders are placed from.", implements=(Node,))
class TradingAccount:
    """Seen by its owner, its members, the organisation's owners and admins; by all members where it is shared."""

    row: strawberry.Private[AccountRow]
    id: strawberry.ID = described("Give it to `node(id:)`, to `orderPlace`, to its other fields.")
    name: str = described("What somebody called it.")
    kind: AccountKind = described("Paper or live.")
    broker: str = described("Who fills its orders: `simulator`, or a broker's id.")
    currency: str = described("The base currency: of its equity, its margin and its limits.")
    initial_balance: Decimal = described("What it began with.")
    margin: MarginType = described("Whether it may borrow.")
    leverage: Decimal = described("How many times its equity it may hold; 1 in a CASH account.")
    margin_interest_rate: Decimal = described("What it pays a year for cash that it owes: 0.05 is 5 %.")
    max_daily_loss: Decimal | None = described(
        "What it may lose in a UTC day; then only orders that reduce positions are taken until the next.", default=None
    )
    method: LotMethod = described("Which units a sale takes.")
    shared: bool = described("Whether every member may look and trade, as their role in the organisation lets them.")
    model: TradingExecutionModel = described("How its orders are filled, where it is a paper account.")
    halted: bool = described("Whether its kill switch is on: no orders are taken.")
    halt_reason: str | None = described("Why.", default=None)
    owner: str = described("Whom it belongs to: a person's or a key's id.")
    version: int = described("Grows with every change of anything of it.")
    created_at: datetime = described("When it was made.")
    changed_at: datetime = described("When anything of it was changed last.")
    standing = computed(
        resolve_standing,
        "What it amounts to by the prices of now.",
        metadata=facts(cost=VALUED, needs=Scope.MARKET_READ),
    )
    positions = computed(
        resolve_positions,
        "What it holds, by the prices of now, in order of instrument.",
        metadata=facts(cost=VALUED, times=page_length, needs=Scope.MARKET_READ),
    )
    balances = computed(resolve_balances, "Its money, by currency.", metadata=facts())
    members = computed(resolve_members, "Who else takes part in it.", metadata=facts())
    access = computed(resolve_access, "What the caller may do with it.", metadata=facts(cost=0))

    @classmethod
    def of(cls, row: AccountRow) -> Self:
        """From a row."""
        return cls(
            row=row, id=strawberry.ID(row.id), name=row.name, kind=AccountKind(row.kind), broker=row.broker,
            currency=row.currency, initial_balance=row.initial_balance, margin=MarginType(row.margin),
            leverage=row.leverage, margin_interest_rate=row.margin_interest_rate,
            max_daily_loss=row.max_daily_loss, method=LotMethod(row.method), shared=row.shared,
            model=TradingExecutionModel.of(ExecutionModel.read(row.model)), halted=row.halted,
            halt_reason=row.halt_reason, owner=row.owner, version=row.version, created_at=row.created_at,
            changed_at=row.changed_at,
        )  # fmt: skip


@model("A page of accounts.")
class TradingAccountConnection:
    """The oldest first."""

    nodes: list[TradingAccount] = described("The accounts.")
    page_info: PageInfo = described("Where this page stands.")


@model("Kill switches over accounts, and whether live accounts may be made.")
class TradingSwitches:
    """An account has one of its own."""

    halted: bool = described("Whether the organisation has halted all its accounts.")
    halt_reason: str | None = described("Why.", default=None)
    live: bool = described("Whether the organisation may have accounts that trade with money.")
    changed_at: datetime | None = described("When the organisation changed any of that last.", default=None)
    fleet_halted: bool = described("Whether the operator has halted all accounts of everybody.")
    fleet_halt_reason: str | None = described("Why.", default=None)

    @classmethod
    def of(cls, found: Switched) -> Self:
        """From rows; without them nothing is halted, and everything is on paper."""
        permit, fleet = found.permit, found.fleet
        return cls(
            halted=permit is not None and permit.halted, halt_reason=permit.halt_reason if permit else None,
            live=permit is not None and permit.live, changed_at=permit.changed_at if permit else None,
            fleet_halted=fleet is not None and fleet.halted, fleet_halt_reason=fleet.reason if fleet else None,
        )  # fmt: skip


AccountId = Annotated[strawberry.ID, strawberry.argument(description="The account's id.")]
