"""What a conditional order waits for: a price, a time, another order, or a value from outside such as an indicator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from gateway.core.matching.lifecycle import TERMINAL
from gateway.core.matching.rounding import plain as shortest
from schema.errors import BadInput
from schema.words.orders import OrderStatus


class Direction(StrEnum):
    """Which side of a level is waited for; the level itself counts."""

    ABOVE = "ABOVE"
    BELOW = "BELOW"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCondition:
    """The price of an instrument reaches a level: `≥` for ABOVE, `≤` for BELOW."""

    symbol: str
    direction: Direction
    level: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCondition:
    """From an instant on."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCondition:
    """Another order has a status."""

    order_id: str
    status: OrderStatus = OrderStatus.FILLED


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCondition:
    """A value that somebody else works out, such as an indicator's, reaches a level."""

    key: str
    direction: Direction
    level: Decimal


Condition = PriceCondition | TimeCondition | OrderCondition | ValueCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known now. What is missing meets no condition."""

    now: datetime
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    orders: Mapping[str, OrderStatus] = field(default_factory=dict)
    values: Mapping[str, Decimal] = field(default_factory=dict)


def met(condition: Condition, facts: Facts) -> bool:
    """Whether it holds."""
    match condition:
        case PriceCondition():
            return _reached(facts.prices.get(condition.symbol), condition.direction, condition.level)
        case ValueCondition():
            return _reached(facts.values.get(condition.key), condition.direction, condition.level)
        case TimeCondition():
            return facts.now >= condition.at
        case OrderCondition():
            return facts.orders.get(condition.order_id) is condition.status


def hopeless(condition: Condition, facts: Facts) -> bool:
    """Whether it can never hold any more: the other order has ended otherwise."""
    if not isinstance(condition, OrderCondition):
        return False
    status = facts.orders.get(condition.order_id)
    return status in TERMINAL and status is not condition.status


def plain(condition: Condition) -> dict[str, Any]:
    """As it is stored."""
    match condition:
        case PriceCondition():
            return {"kind": "PRICE", "symbol": condition.symbol, **_level(condition)}
        case ValueCondition():
            return {"kind": "VALUE", "key": condition.key, **_level(condition)}
        case TimeCondition():
            return {"kind": "TIME", "at": condition.at.isoformat()}
        case OrderCondition():
            return {"kind": "ORDER", "order_id": condition.order_id, "status": condition.status.value}


def read(stored: Mapping[str, Any]) -> Condition:
    """From how it was stored; BadInput names what is wrong."""
    match stored.get("kind"):
        case "PRICE":
            return PriceCondition(
                symbol=_text(stored, "symbol"), direction=_direction(stored), level=_number(stored, "level")
            )
        case "VALUE":
            return ValueCondition(
                key=_text(stored, "key"), direction=_direction(stored), level=_number(stored, "level")
            )
        case "TIME":
            return TimeCondition(at=_instant(stored, "at"))
        case "ORDER":
            return OrderCondition(order_id=_text(stored, "order_id"), status=_status(stored))
        case kind:
            raise BadInput("condition.kind", f"must be one of PRICE, TIME, ORDER, VALUE, not {kind!r:.40}")


def _reached(value: Decimal | None, direction: Direction, level: Decimal) -> bool:
    if value is None:
        return False
    return value >= level if direction is Direction.ABOVE else value <= level


def _level(condition: PriceCondition | ValueCondition) -> dict[str, Any]:
    return {"direction": condition.direction.value, "level": format(shortest(condition.level), "f")}


def _text(stored: Mapping[str, Any], name: str) -> str:
    given = stored.get(name)
    if not isinstance(given, str) or not 0 < len(given) <= 200:
        raise BadInput(f"condition.{name}", f"must be a text of 1 to 200 characters, not {given!r:.40}")
    return given


def _direction(stored: Mapping[str, Any]) -> Direction:
    given = stored.get("direction")
    if not isinstance(given, str) or given not in Direction.__members__:
        raise BadInput("condition.direction", f"must be one of ABOVE, BELOW, not {given!r:.40}")
    return Direction(given)


def _status(stored: Mapping[str, Any]) -> OrderStatus:
    given = stored.get("status", OrderStatus.FILLED.value)
    if not isinstance(given, str) or given not in OrderStatus.__members__:
        raise BadInput("condition.status", f"must be one of {', '.join(OrderStatus.__members__)}, not {given!r:.40}")
    return OrderStatus(given)


def _number(stored: Mapping[str, Any], name: str) -> Decimal:
    given = stored.get(name)
    try:
        value = Decimal(given) if isinstance(given, (str, int, Decimal)) and not isinstance(given, bool) else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite():
        raise BadInput(f"condition.{name}", f"must be a number, not {given!r:.40}")
    return value


def _instant(stored: Mapping[str, Any], name: str) -> datetime:
    given = stored.get(name)
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadInput(f"condition.{name}", f"must be a time with its offset from UTC, not {given!r:.40}")
    return at
