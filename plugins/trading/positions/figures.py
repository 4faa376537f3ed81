"""GraphQL types of what accounts hold, amount to, and have closed. Money is rounded to its minor unit where shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

import strawberry

from gateway.core.matching.rounding import EXACT, plain
from plugins.trading.positions.standing import Holding, Standing, free_cash, money, percent
from plugins.trading.positions.statistics import Amounts, Record, net_of
from plugins.trading.rows import BalanceRow, TripRow
from schema.arguments import PageSize
from schema.facts import facts
from schema.model import choices, computed, described, model
from schema.pages import page_length, page_size
from schema.paging import PageInfo
from schema.provenance import Conversion, DataMode, Provenance
from schema.symbols import InstrumentId, parse_instrument
from schema.words.instruments import DESCRIBED, instrument_of

CONVENTION = (
    "A trip is a position from its opening to its end; net = realised - fees + funding. Won: net above zero, lost: "
    "below. Hit rate = won / (won + lost). Profit factor = gross profit / |gross loss|. Expectancy = net / trips. "
    "Streaks in order of closing. Amounts by currency, never added across."
)


@choices("Which way a position is.", LONG="It gains when the price rises.", SHORT="It gains when the price falls.")
class TradingPositionSide(StrEnum):
    """By the sign of its quantity."""

    LONG = "LONG"
    SHORT = "SHORT"


@model("Units that were bought, or sold short, at one time.")
class TradingLot:
    """With AVERAGE_COST there is one."""

    opened_at: datetime = described("When.")
    quantity: Decimal = described("Units; below zero where they are short.")
    cost: Decimal = described("What they cost, signed as they are.")

    @classmethod
    def of(cls, kept: list[str]) -> Self:
        """As it is stored."""
        opened, quantity, cost = kept
        return cls(opened_at=datetime.fromisoformat(opened), quantity=plain(Decimal(quantity)), cost=Decimal(cost))


def resolve_lots(root: TradingPosition, first: PageSize = 20) -> list[TradingLot]:
    """The oldest first."""
    return [TradingLot.of(lot) for lot in root.held[: page_size(first)]]


@model("What an account holds of an instrument.")
class TradingPosition:
    """What needs a price is null without one, and `reason` says why; an old price is marked."""

    instrument: strawberry.Private[InstrumentId]
    held: strawberry.Private[list[list[str]]]
    id: strawberry.ID = described("Its identity, for client caches: account and instrument.")
    symbol: str = described("The instrument's id.")
    side: TradingPositionSide = described("Which way it is.")
    quantity: Decimal = described("Units of the base asset, of derivatives too; below zero where it is short.")
    currency: str = described("Of its price, its cost and its profits.")
    entry_price: Decimal = described("The average price at which what is held was opened.")
    cost: Decimal = described("Of what is held, signed as it is.")
    price: Decimal | None = described("The last price.", default=None)
    value: Decimal | None = described("Quantity times price; below zero where it is short.", default=None)
    value_base: Decimal | None = described("The same in the account's currency.", default=None)
    unrealised: Decimal | None = described("Value less cost.", default=None)
    unrealised_base: Decimal | None = described("The same in the account's currency.", default=None)
    unrealised_percent: Decimal | None = described('Of its cost, in percent: "1.25" means 1.25 %.', default=None)
    realised: Decimal = described("By what was closed of it since it was opened, before fees.")
    realised_percent: Decimal | None = described("Of the cost of what was closed of it, in percent.", default=None)
    fees: Decimal = described("What its fills cost.")
    funding: Decimal = described("Funding that it got; below zero where it paid.")
    margin: Decimal | None = described(
        "Initial margin, in the account's currency; zero in a CASH account.", default=None
    )
    strategy: str | None = described("The tag of the order that opened it.", default=None)
    mode: DataMode = described("Whether the prices that it was opened at were live, recorded or simulated.")
    open: bool | None = described("Whether its market is open now.", default=None)
    stale: bool = described("Whether its price, or the rate of its currency, is an old one.")
    reason: str | None = described("Why figures are null or stale.", default=None)
    provenance: Provenance | None = described("Where the price came from.", default=None)
    lot_count: int = described("Of how many lots it is made.")
    opened_at: datetime = described("When it was opened.")
    changed_at: datetime = described("When it was traded last.")
    instrument_ = computed(instrument_of, "What is held.", name="instrument", direct=DESCRIBED)
    lots = computed(resolve_lots, "Its lots, the oldest first.", metadata=facts(times=page_length))

    @classmethod
    def of(cls, held: Holding, base: str) -> Self:
        """Rounded for showing."""
        row, mark, own = held.row, held.mark, held.row.currency
        closed = (EXACT.subtract if row.quantity > 0 else EXACT.add)(row.sold_value, row.realised)
        return cls(
            instrument=parse_instrument(row.instrument), id=strawberry.ID(f"{row.account_id}:{row.instrument}"),
            symbol=row.instrument, quantity=plain(row.quantity), currency=own, entry_price=held.entry_price,
            cost=row.cost,
            side=TradingPositionSide.LONG if row.quantity > 0 else TradingPositionSide.SHORT,
            price=mark.price if mark else None, value=money(held.value, own), value_base=money(held.value_base, base),
            unrealised=money(held.unrealised, own), unrealised_base=money(held.unrealised_base, base),
            unrealised_percent=held.unrealised_percent, realised=row.realised,
            realised_percent=percent(row.realised, closed.copy_abs()), fees=row.fees, funding=row.funding,
            margin=money(held.initial, base), strategy=row.strategy, mode=DataMode(row.mode),
            open=mark.open if mark else None, stale=held.stale, reason=held.reason,
            provenance=mark.provenance if mark else None, held=row.lots, lot_count=len(row.lots),
            opened_at=row.opened_at, changed_at=row.changed_at,
        )  # fmt: skip


@model("A page of positions.")
class TradingPositionConnection:
    """In order of instrument."""

    nodes: list[TradingPosition] = described("The positions.")
    page_info: PageInfo = described("Where this page stands.")


@model("Money of an account in one currency.")
class TradingBalance:
    """Below zero where a MARGIN account has borrowed it."""

    currency: str = described("ISO 4217 code or asset code.")
    cash: Decimal = described("What is there.")
    held: Decimal = described("So much of it is held by pending entries.")
    reserved: Decimal = described("What open orders in this currency reserve.")
    available: Decimal = described("Cash less what is held and reserved: what a CASH account may spend.")

    @classmethod
    def of(cls, row: BalanceRow, reserved: Mapping[str, Decimal]) -> Self:
        """From a row."""
        taken = reserved.get(row.asset, Decimal(0))
        return cls(
            currency=row.asset, cash=row.posted, held=row.held, reserved=taken,
            available=free_cash([row], {row.asset: taken})[row.asset],
        )  # fmt: skip


@model("What an account amounts to by the prices of now, in its currency.")
class TradingStanding:
    """What needs a price or a rate that nobody tells is null, and `reason` says which; nothing is put in its place."""

    currency: str = described("The account's: of all amounts.")
    equity: Decimal | None = described(
        "What it is worth: cash, what is held, what derivatives have gained.", default=None
    )
    balance: Decimal | None = described("Equity without what is unrealised.", default=None)
    cash: Decimal | None = described("All its money.", default=None)
    unrealised: Decimal | None = described("What its positions have gained since they were opened.", default=None)
    unrealised_percent: Decimal | None = described('Of its balance, in percent: "1.25" means 1.25 %.', default=None)
    margin_used: Decimal | None = described("By positions and by open orders; zero in a CASH account.", default=None)
    maintenance_margin: Decimal | None = described("Below this equity positions are closed by force.", default=None)
    margin_available: Decimal | None = described(
        "Equity less what is used and what pending entries hold; in a CASH account what is free.", default=None
    )
    margin_level: Decimal | None = described(
        "Equity over used margin, in percent; null where none is used.", default=None
    )
    buying_power: Decimal | None = described("What new positions may be worth.", default=None)
    exposure_long: Decimal | None = described("Worth of what is held.", default=None)
    exposure_short: Decimal | None = described("Worth of what is owed, above zero.", default=None)
    exposure_gross: Decimal | None = described("Both together.", default=None)
    exposure_net: Decimal | None = described("Long less short.", default=None)
    day_pnl: Decimal | None = described(
        "Since midnight UTC, without what was paid in or out; null where that was not noted.", default=None
    )
    daily_loss_left: Decimal | None = described("What may still be lost today; null without a limit.", default=None)
    stale: bool = described("Whether a price or a rate is an old one.")
    reason: str | None = described("Why figures are null or stale.", default=None)
    modes: list[DataMode] = described("Whether prices and rates are live, recorded or simulated; none without any.")
    conversions: list[Conversion] = described("The rates by which other currencies were valued.")

    @classmethod
    def of(cls, found: Standing) -> Self:
        """Rounded for showing."""
        base = found.currency
        used = found.margin_used or None
        return cls(
            currency=base, equity=money(found.equity, base), balance=money(found.balance, base),
            cash=money(found.cash, base), unrealised=money(found.unrealised, base),
            unrealised_percent=percent(found.unrealised, found.balance), margin_used=money(found.margin_used, base),
            maintenance_margin=money(found.maintenance, base), margin_available=money(found.margin_available, base),
            margin_level=percent(found.equity, used), buying_power=money(found.buying_power, base),
            exposure_long=money(found.long, base), exposure_short=money(found.short, base),
            exposure_gross=money(found.gross, base), exposure_net=money(found.net, base),
            day_pnl=money(found.day_pnl, base), daily_loss_left=money(found.daily_loss_left, base), stale=found.stale,
            reason=found.reason, modes=sorted(found.modes), conversions=list(found.conversions),
        )  # fmt: skip


@model("A position that was closed, from its opening to its end.")
class TradingClosedPosition:
    """What it brought, in the currency of its prices."""

    instrument: strawberry.Private[InstrumentId]
    id: strawberry.ID = described("Its identity.")
    symbol: str = described("The instrument's id.")
    side: TradingPositionSide = described("Which way it was.")
    quantity: Decimal = described("All that was opened of it.")
    entry_price: Decimal = described("The average price at which it was opened.")
    exit_price: Decimal = described("The average price at which it was closed.")
    currency: str = described("Of prices and amounts.")
    realised: Decimal = described("Before fees and funding.")
    fees: Decimal = described("What its fills cost.")
    funding: Decimal = described("Funding that it got; below zero where it paid.")
    net: Decimal = described("What it brought in the end.")
    net_percent: Decimal | None = described('Of what was opened, in percent: "1.25" means 1.25 %.', default=None)
    strategy: str | None = described("The tag of the order that opened it.", default=None)
    mode: DataMode = described("Whether the prices were live, recorded or simulated.")
    opened_at: datetime = described("When it was opened.")
    closed_at: datetime = described("When it was closed.")
    instrument_ = computed(instrument_of, "What was held.", name="instrument", direct=DESCRIBED)

    @classmethod
    def of(cls, row: TripRow) -> Self:
        """From a row."""
        net, paid = net_of(row), EXACT.multiply(row.quantity, row.entry_price).copy_abs()
        return cls(
            instrument=parse_instrument(row.instrument), id=strawberry.ID(row.id), symbol=row.instrument,
            side=TradingPositionSide.LONG if row.side == "BUY" else TradingPositionSide.SHORT, quantity=row.quantity,
            entry_price=row.entry_price, exit_price=row.exit_price, currency=row.currency, realised=row.realised,
            fees=row.fees, funding=row.funding, net=net, net_percent=percent(net, paid),
            strategy=row.strategy, mode=DataMode(row.mode), opened_at=row.opened_at, closed_at=row.closed_at,
        )  # fmt: skip


@model("A page of closed positions.")
class TradingClosedPositionConnection:
    """Those that were closed last first."""

    nodes: list[TradingClosedPosition] = described("The positions.")
    page_info: PageInfo = described("Where this page stands.")


@model("What trips in one currency brought.")
class TradingStatisticsAmounts:
    """After fees and funding, where nothing else is said."""

    currency: str = described("Of all amounts.")
    trips: int = described("How many.")
    net: Decimal = described("What they brought in the end.")
    realised: Decimal = described("Before fees and funding.")
    fees: Decimal = described("What their fills cost.")
    funding: Decimal = described("Funding that they got; below zero where they paid.")
    gross_profit: Decimal = described("Of those that were won.")
    gross_loss: Decimal = described("Of those that were lost: zero or below.")
    average_win: Decimal | None = described("Of a trip that was won.", default=None)
    average_loss: Decimal | None = described("Of a trip that was lost.", default=None)
    largest_win: Decimal | None = described("Of one trip.", default=None)
    largest_loss: Decimal | None = described("Of one trip.", default=None)
    profit_factor: Decimal | None = described(
        "Gross profit over gross loss; null where nothing was lost.", default=None
    )
    expectancy: Decimal | None = described("What a trip brought on average.", default=None)

    @classmethod
    def of(cls, found: Amounts) -> Self:
        """Averages are rounded for showing."""
        own = found.currency
        return cls(
            currency=own, trips=found.trips, net=found.net, realised=found.realised, fees=found.fees,
            funding=found.funding, gross_profit=found.gross_profit, gross_loss=found.gross_loss,
            average_win=money(found.average_win, own), average_loss=money(found.average_loss, own),
            largest_win=found.largest_win, largest_loss=found.largest_loss, profit_factor=found.profit_factor,
            expectancy=money(found.expectancy, own),
        )  # fmt: skip


@model("How closed positions went.")
class TradingRecord:
    """Counts, rates and streaks of all, amounts by currency."""

    strategy: str | None = described(
        "The tag that they have in common; null for all, and for those without.", default=None
    )
    trips: int = described("How many.")
    won: int = described("Above zero in the end.")
    lost: int = described("Below zero in the end.")
    even: int = described("Neither.")
    hit_rate: Decimal | None = described("Won over won and lost, a fraction; null where there are none.", default=None)
    longest_wins: int = described("The longest streak of wins.")
    longest_losses: int = described("The longest streak of losses.")
    streak: int = described("The one that goes on: above zero it is of wins, below of losses.")
    average_hours: Decimal | None = described("From opening to end.", default=None)
    amounts: list[TradingStatisticsAmounts] = described("What they brought, by currency.")

    @classmethod
    def of(cls, found: Record, strategy: str | None = None) -> Self:
        """Of one strategy, or of all."""
        return cls(
            strategy=strategy, trips=found.trips, won=found.won, lost=found.lost, even=found.even,
            hit_rate=found.hit_rate, longest_wins=found.longest_wins, longest_losses=found.longest_losses,
            streak=found.streak, average_hours=found.average_hours,
            amounts=[TradingStatisticsAmounts.of(each) for each in found.amounts],
        )  # fmt: skip


@model("How an account's closed positions went, all of them and by strategy.")
class TradingStatistics:
    """The newest fifty thousand are counted."""

    convention: str = described("How figures are reckoned.")
    complete: bool = described("Whether all closed positions were counted, and not only the newest.")
    overall: TradingRecord = described("Of all.")
    strategies: list[TradingRecord] = described("By the tag of the order that opened them; those without one last.")
