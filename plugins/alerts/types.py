"""GraphQL types of alerts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.alerts.conditions import AlertKind, AlertSide, Condition, IndicatorKind, read_condition
from plugins.alerts.evaluation.ladder import AlertState
from plugins.alerts.store import AlertRow, AlertStore
from schema.events import EPOCH
from schema.facts import facts
from schema.model import NAMED, choices, computed, described, model
from schema.paging import PageInfo
from schema.refusals import refusals
from schema.scopes import Scope
from schema.symbols import parse_instrument
from schema.words.instruments import Instrument, Node, selected_fields
from schema.words.intervals import Interval
from schema.words.problems import UserError
from schema.words.quotes import PriceType

ERRORS = "Why nothing happened; empty where it did."


@choices("How often an alert fires.", ONCE="Once: then it is not active.", REPEATING="Again, once it is armed again.")
class Recurrence(StrEnum):
    """ONCE by default."""

    ONCE = "ONCE"
    REPEATING = "REPEATING"


@model("What an alert waits for.")
class AlertCondition:
    """What its kind does not need is null or empty."""

    kind: AlertKind = described("What it looks at.")
    text: str = described("The condition in words.")
    side: AlertSide = described("On which side of the threshold it is true.")
    threshold: Decimal | None = described("The level; null for news and health.", default=None)
    window_ms: int | None = described("Within how long the price has moved.", default=None)
    providers: list[str] = described("Whose prices, or whose health.")
    indicator: IndicatorKind | None = described("Which indicator.", default=None)
    interval: Interval | None = described("Of which candles.", default=None)
    length: int | None = described("Over how many candles.", default=None)
    keywords: list[str] = described("Words, one of which an article holds.")

    @classmethod
    def of(cls, condition: Condition) -> Self:
        """As people see it."""
        levelled = condition.kind not in (AlertKind.NEWS, AlertKind.PROVIDER_HEALTH)
        return cls(
            kind=condition.kind, text=condition.text, side=condition.side,
            threshold=condition.threshold if levelled else None, window_ms=condition.window_ms or None,
            providers=list(condition.providers), indicator=condition.indicator, interval=condition.interval,
            length=condition.length or None, keywords=list(condition.keywords),
        )  # fmt: skip


async def resolve_instrument(root: Alert, info: Ctx) -> Instrument | None:
    """Described as far as it is selected."""
    if root.symbol is None:
        return None
    described = info.context.describe(parse_instrument(root.symbol), selected_fields(info))
    return described if isinstance(described, Instrument) else await described


@model("A condition on the markets that the organisation is told of.", implements=(Node,))
class Alert:
    """All members who may read alerts see it; it fires into the organisation's events."""

    id: strawberry.ID = described("Give it to `node(id:)`; the subject of its events.")
    symbol: str | None = described("The instrument's id; null for a provider's health.", default=None)
    condition: AlertCondition = described("What it waits for.")
    price_type: PriceType | None = described("Which price counts; null where none does.", default=None)
    recurrence: Recurrence = described("How often it fires.")
    cooldown_ms: int = described("So long after firing it does not fire again.")
    hysteresis_bps: int = described("So far, in basis points of the threshold, a value goes back to arm it again.")
    fire_if_true: bool = described("Whether it fires at once where the condition is true at its beginning.")
    note: str | None = described("What its maker noted: it stands in its events.", default=None)
    active: bool = described("Whether it is evaluated.")
    state: AlertState = described("What it waits for, as last written.")
    arm: int = described("How often it has been armed: each arming fires once.")
    last_triggered_at: datetime | None = described("When it fired last.", default=None)
    owner: str = described("Who made it: a person's or a key's id.")
    created_at: datetime = described("When it was made.")
    changed_at: datetime = described("When somebody changed it last.")
    instrument = computed(
        resolve_instrument, "The instrument; null for a provider's health.", metadata=facts(needs=Scope.MARKET_READ)
    )

    @classmethod
    def named(cls, id: str) -> Self:
        """One of which nothing but its id is shown."""
        nothing = AlertCondition(kind=AlertKind.PRICE, text="", side=AlertSide.ABOVE, providers=[], keywords=[])
        return cls(
            id=strawberry.ID(id), condition=nothing, recurrence=Recurrence.ONCE, cooldown_ms=0, hysteresis_bps=0,
            fire_if_true=False, active=False, state=AlertState.WAITING, arm=0, owner="", created_at=EPOCH,
            changed_at=EPOCH,
        )  # fmt: skip

    @classmethod
    def of(cls, row: AlertRow) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), symbol=row.instrument, condition=AlertCondition.of(read_condition(row.condition)),
            price_type=PriceType(row.price_type) if row.price_type else None,
            recurrence=Recurrence.REPEATING if row.repeating else Recurrence.ONCE, cooldown_ms=row.cooldown_ms,
            hysteresis_bps=row.hysteresis_bps, fire_if_true=row.fire_if_true, note=row.note, active=row.active,
            state=AlertState(row.state), arm=row.arm, last_triggered_at=row.last_triggered_at, owner=row.made_by,
            created_at=row.created_at, changed_at=row.changed_at,
        )  # fmt: skip


async def find_alert(context: Context, id: str) -> Alert | None:
    """By its id, for `node`; None for who may not read alerts."""
    if not context.principal.may(Scope.ALERTS_READ):
        return None
    async with context.host.store.read() as tx:
        row = await AlertStore().find(tx, context.tenant, id)
    return Alert.of(row) if row else None


async def alert_of(context: Context, id: str, selected: frozenset[str]) -> Alert | None:
    """The alert of an event: where no more than its id is wanted, it is not looked for."""
    if selected <= NAMED:
        return Alert.named(id)
    return await find_alert(context, id)


@model("A page of alerts.")
class AlertConnection:
    """The oldest first."""

    nodes: list[Alert] = described("The alerts.")
    page_info: PageInfo = described("Where this page stands.")


@model("How often a condition would have become true.")
class AlertPreview:
    """By history: within a candle the way is open, low, high, close where it rose, else open, high, low, close."""

    would_have_fired: int | None = described("How often; null where there is no history to try it on.", default=None)
    times: list[datetime] = described("When: open times of candles, the first hundred.")
    basis: Interval | None = described("Length of the candles that it was tried on.", default=None)
    days: int = described("How far back it was tried.")
    text: str = described("The same in words.")


@strawberry.input(description="A change of the price.")
class ChangeInput:
    """In percent."""

    at_least: Decimal = strawberry.field(description="In percent: 5 is a rise by 5 % or more, -5 a fall.")
    window_ms: int = strawberry.field(description="Within how long: 1,000 to 604,800,000 (a week).")


@strawberry.input(description="Prices that lie apart.")
class SpreadInput:
    """Highest against lowest."""

    providers: list[str] = strawberry.field(description="2 to 8 ids of providers that stream the instrument.")
    at_least_bps: Decimal = strawberry.field(description="How far apart, in basis points of the lowest.")


@strawberry.input(description="A funding rate that crosses a level: give one of the two.")
class FundingInput:
    """Fractions of the position for one interval."""

    crosses_above: Decimal | None = strawberry.field(description='"0.001" is 0.1 %.', default=None)
    crosses_below: Decimal | None = strawberry.field(description='"-0.001" is -0.1 %.', default=None)


@strawberry.input(description="An indicator that crosses a level: give one of the two.")
class IndicatorInput:
    """Over the closes of closed candles."""

    kind: IndicatorKind = strawberry.field(description="Which indicator.")
    interval: Interval = strawberry.field(description="Length of the candles.")
    length: int = strawberry.field(description="Over how many candles, 2 to 200.")
    crosses_above: Decimal | None = strawberry.field(description="A level that it rises above.", default=None)
    crosses_below: Decimal | None = strawberry.field(description="A level that it falls below.", default=None)


@strawberry.input(description="Words in the news.")
class NewsInput:
    """Upper and lower case are the same."""

    keywords: list[str] = strawberry.field(description="1 to 10 words or phrases, one of which an article holds.")


@strawberry.input(description="A provider's health.")
class ProviderHealthInput:
    """One provider."""

    provider: str = strawberry.field(description="The provider's id.")


@strawberry.input(description="What an alert waits for: exactly one of these.", one_of=True)
class AlertConditionInput:
    """GraphQL sees to it that there is one."""

    crosses_above: Decimal | None = strawberry.field(description="The price rises above it.", default=strawberry.UNSET)
    crosses_below: Decimal | None = strawberry.field(description="The price falls below it.", default=strawberry.UNSET)
    change_percent: ChangeInput | None = strawberry.field(
        description="The price moves by so much within a time.", default=strawberry.UNSET
    )
    spread_between: SpreadInput | None = strawberry.field(
        description="The prices of providers lie so far apart.", default=strawberry.UNSET
    )
    volume_above: Decimal | None = strawberry.field(
        description="The volume of the quote's window (`statsWindow`) rises above it.", default=strawberry.UNSET
    )
    funding: FundingInput | None = strawberry.field(
        description="A perpetual's funding rate crosses a level.", default=strawberry.UNSET
    )
    indicator: IndicatorInput | None = strawberry.field(
        description="An indicator crosses a level.", default=strawberry.UNSET
    )
    news: NewsInput | None = strawberry.field(
        description="An article is published that holds a word; with a symbol, one about it.", default=strawberry.UNSET
    )
    provider_health: ProviderHealthInput | None = strawberry.field(
        description="A provider cannot be asked.", default=strawberry.UNSET
    )


_SYMBOL = "An id such as `crypto:BTC/USD`, or a short form; left out for a provider's health."
_COOLDOWN = "So long after firing it does not fire again: 0 to 2,147,483,647."
_HYSTERESIS = "REPEATING: so far, in basis points of the threshold, a value goes back to arm it again: 0 to 9,999."
_IF_TRUE = "Fire at once where the condition is true already; else it waits for a crossing."
_NOTE = "At most 500 characters; it stands in the alert's events."
_TYPE = "Which price counts: by default LAST, of currency pairs MID. Quotes without it do not count."


@strawberry.input(description="A new alert.")
class AlertCreateInput:
    """Of the organisation."""

    condition: AlertConditionInput = strawberry.field(description="What it waits for.")
    symbol: str | None = strawberry.field(description=_SYMBOL, default=None)
    recurrence: Recurrence = strawberry.field(description="How often it fires.", default=Recurrence.ONCE)
    cooldown_ms: int = strawberry.field(description=_COOLDOWN, default=60_000)
    hysteresis_bps: int = strawberry.field(description=_HYSTERESIS, default=0)
    fire_if_true: bool = strawberry.field(description=_IF_TRUE, default=False)
    price_type: PriceType | None = strawberry.field(description=_TYPE, default=None)
    note: str | None = strawberry.field(description=_NOTE, default=None)
    idempotency_key: str | None = strawberry.field(
        description="The same key with the same input answers with the first alert.", default=None
    )


@strawberry.input(description="Changes of an alert; what is left out stays. It then waits as if it were new.")
class AlertUpdateInput:
    """The instrument stays: another one is another alert."""

    id: strawberry.ID = strawberry.field(description="The alert's id.")
    condition: AlertConditionInput | None = strawberry.field(description="What it waits for.", default=None)
    recurrence: Recurrence | None = strawberry.field(description="How often it fires.", default=None)
    cooldown_ms: int | None = strawberry.field(description=_COOLDOWN, default=None)
    hysteresis_bps: int | None = strawberry.field(description=_HYSTERESIS, default=None)
    fire_if_true: bool | None = strawberry.field(description=_IF_TRUE, default=None)
    price_type: PriceType | None = strawberry.field(description=_TYPE, default=None)
    note: str | None = strawberry.field(description=_NOTE + " Null removes it.", default=strawberry.UNSET)


@strawberry.input(description="Which alert.")
class AlertInput:
    """By its id."""

    id: strawberry.ID = strawberry.field(description="The alert's id.")


_WORDS = {
    "CONDITION_INVALID": "The condition says nothing that could be: a level, a window or a name is wrong.",
    "NEVER_TRUE": "The condition can never become true.",
    "SYMBOL_NEEDED": "The condition is about an instrument, and none was given.",
    "UNKNOWN_SYMBOL": "Nobody knows the instrument, or nobody tells what the condition is about.",
    "PERIOD_INVALID": "The cool-down or the hysteresis is out of range.",
    "NOTE_INVALID": "The note is too long.",
}


@refusals(
    "Why an alert was not made.",
    TOO_MANY_ALERTS="The plan allows no more alerts.",
    IDEMPOTENCY_KEY_INVALID="The idempotency key is empty, too long or has characters that it may not have.",
    **_WORDS,
)
class AlertCreateErrorCode(StrEnum):
    """Expected refusals."""

    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    SYMBOL_NEEDED = "SYMBOL_NEEDED"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    CONDITION_INVALID = "CONDITION_INVALID"
    NEVER_TRUE = "NEVER_TRUE"
    UNKNOWN_PROVIDER = "UNKNOWN_PROVIDER"
    PERIOD_INVALID = "PERIOD_INVALID"
    NOTE_INVALID = "NOTE_INVALID"
    TOO_MANY_ALERTS = "TOO_MANY_ALERTS"
    IDEMPOTENCY_KEY_INVALID = "IDEMPOTENCY_KEY_INVALID"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals("Why an alert was not changed.", **_WORDS)
class AlertUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    SYMBOL_NEEDED = "SYMBOL_NEEDED"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    CONDITION_INVALID = "CONDITION_INVALID"
    NEVER_TRUE = "NEVER_TRUE"
    UNKNOWN_PROVIDER = "UNKNOWN_PROVIDER"
    PERIOD_INVALID = "PERIOD_INVALID"
    NOTE_INVALID = "NOTE_INVALID"


@refusals("Why an alert was not deleted.")
class AlertDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@refusals("Why an alert was not enabled.")
class AlertEnableErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@refusals("Why an alert was not disabled.")
class AlertDisableErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@model("What came of `alertCreate`.")
class AlertCreatePayload:
    """The alert, or why there is none."""

    alert: Alert | None = described("The new alert.", default=None)
    preview: AlertPreview | None = described(
        "How often it would have fired in the last 30 days; null where that is not known now.", default=None
    )
    user_errors: list[UserError[AlertCreateErrorCode]] = described(ERRORS)


@model("What came of `alertUpdate`.")
class AlertUpdatePayload:
    """All of the change was made, or nothing."""

    alert: Alert | None = described("The alert as it is now.", default=None)
    user_errors: list[UserError[AlertUpdateErrorCode]] = described(ERRORS)


@model("What came of `alertDelete`.")
class AlertDeletePayload:
    """It is gone for good; its events stay."""

    alert_id: strawberry.ID | None = described("What was deleted.", default=None)
    user_errors: list[UserError[AlertDeleteErrorCode]] = described(ERRORS)


@model("What came of `alertEnable`.")
class AlertEnablePayload:
    """It waits as if it were new."""

    alert: Alert | None = described("The alert as it is now.", default=None)
    user_errors: list[UserError[AlertEnableErrorCode]] = described(ERRORS)


@model("What came of `alertDisable`.")
class AlertDisablePayload:
    """It fires no more until it is enabled."""

    alert: Alert | None = described("The alert as it is now.", default=None)
    user_errors: list[UserError[AlertDisableErrorCode]] = described(ERRORS)
