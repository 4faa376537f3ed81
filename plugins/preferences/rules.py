"""What preferences must be; refusals say the way out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from difflib import get_close_matches

from schema.words.problems import Refused

MOST = 50
DEAREST = Decimal(1_000)
FINEST = -12
"""Decimal places of a price."""
_SHOWN = 60


def check_names(names: Sequence[str], field: str, known: Collection[str]) -> list[str]:
    """Ids of providers, each once."""
    if len(names) > MOST:
        raise Refused("TOO_MANY", f"At most {MOST} providers.", field)
    for name in names:
        if name not in known:
            near = get_close_matches(name[:_SHOWN], list(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`providers { id }` lists them."
            raise Refused("PROVIDER_UNKNOWN", f"There is no provider {name[:_SHOWN]!r}: {hint}", field)
    return list(dict.fromkeys(names))


def check_apart(order: Collection[str], denied: Collection[str]) -> None:
    """Nobody is asked first and never."""
    for name in order:
        if name in denied:
            raise Refused("PROVIDER_DENIED", f"{name} cannot stand in order and in deny: take it out of one.", "order")


def check_price(dearest: Decimal | None) -> Decimal | None:
    """Dollars a call."""
    exponent = dearest.as_tuple().exponent if dearest is not None and dearest.is_finite() else 0
    if dearest is None or (0 <= dearest <= DEAREST and isinstance(exponent, int) and exponent >= FINEST):
        return dearest
    told = f"From 0 to {DEAREST} US dollars with at most {-FINEST} decimal places; null for any price."
    raise Refused("PRICE_INVALID", told, "maxCostPerCall")
