"""Cash in one currency, purchases in another: what has to be converted. Exact decimals, no numpy.

All amounts are worth in one currency, the home: `need = min(balance, 0) - (balance + change)` where that is above 0, so
a debt of before is left alone. Needs are met from what other currencies have left, the home's first, then the largest;
a debt that nothing is left for stays one. What a conversion costs is paid in the home's currency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

ZERO, ROUNDS = Decimal(0), 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """From one currency to another, by its worth at home."""

    source: str
    target: str
    worth: Decimal
    cost: Decimal


def conversions_for(
    balances: Mapping[str, Decimal], changes: Mapping[str, Decimal], home: str, step: Decimal,
    cost_of: Callable[[Decimal], Decimal],
) -> tuple[Conversion, ...]:  # fmt: skip
    """What brings *changes* of balances about; nothing below *step*, the smallest amount."""
    made: tuple[Conversion, ...] = ()
    for _ in range(ROUNDS):
        spent = sum((each.cost for each in made), ZERO)
        found = _matched(balances, {**changes, home: changes.get(home, ZERO) - spent}, home, step, cost_of)
        if found == made:
            break
        made = found
    return made


def _matched(
    balances: Mapping[str, Decimal], changes: Mapping[str, Decimal], home: str, step: Decimal,
    cost_of: Callable[[Decimal], Decimal],
) -> tuple[Conversion, ...]:  # fmt: skip
    left = {each: balances.get(each, ZERO) + changes.get(each, ZERO) for each in sorted({*balances, *changes})}
    needs = {each: min(balances.get(each, ZERO), ZERO) - amount for each, amount in left.items()}
    spare = {each: amount for each, amount in left.items() if amount >= step}
    made = []
    for target in sorted(needs, key=lambda each: (-needs[each], each)):
        for source in sorted(spare, key=lambda each: (each != home, -spare[each], each)):
            worth = min(needs[target], spare[source])
            if worth < step:
                continue
            needs[target] -= worth
            spare[source] -= worth
            made.append(Conversion(source=source, target=target, worth=worth, cost=cost_of(worth)))
    return tuple(made)
