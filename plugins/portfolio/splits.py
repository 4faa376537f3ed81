"""How far the splits of an instrument may go together, so that its units stay numbers that can be shown. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Context, Decimal

from plugins.portfolio.store import TransactionRow
from plugins.portfolio.transactions import TransactionKind
from schema.words.problems import Refused

MOST_TOGETHER = Decimal(10) ** 12
"""What the splits of an instrument make of one unit, from the first to any of them; the least is one by it."""
_PRECISE = Context(prec=100)


def outgrown(held: Iterable[TransactionRow], fresh: Iterable[TransactionRow]) -> set[str]:
    """Ids of the fresh splits that, with those that are held, go beyond; all of an instrument's if a held one would."""
    found: set[str] = set()
    for told in _by_instrument(held, fresh):
        found |= _beyond(told)
    return found


def beyond_of(row: TransactionRow) -> Refused:
    """What is wrong with one of them."""
    told = (
        f"The splits of {row.instrument} would make more than 10^{MOST_TOGETHER.adjusted()} units of one, or less than "
        f"10^-{MOST_TOGETHER.adjusted()}, counted from the first to this one or to a later one."
    )
    return Refused("NUMBER_INVALID", told, "ratio")


def _by_instrument(
    held: Iterable[TransactionRow], fresh: Iterable[TransactionRow]
) -> Iterator[list[tuple[bool, TransactionRow]]]:
    """In the order in which they count, each with whether it is fresh; only of instruments with a fresh one."""
    found: dict[str | None, list[tuple[bool, TransactionRow]]] = defaultdict(list)
    for row in fresh:
        if row.kind == TransactionKind.SPLIT:
            found[row.instrument].append((True, row))
    for row in held:
        if row.kind == TransactionKind.SPLIT and row.instrument in found:
            found[row.instrument].append((False, row))
    for told in found.values():
        yield sorted(told, key=lambda each: (each[1].at, each[0], each[1].sequence))


def _beyond(told: list[tuple[bool, TransactionRow]]) -> set[str]:
    product, found = Decimal(1), set[str]()
    for is_fresh, row in told:
        together = _PRECISE.multiply(product, row.ratio or Decimal(1))
        if 1 / MOST_TOGETHER <= together <= MOST_TOGETHER:
            product = together
        elif is_fresh:
            found.add(row.id)
        else:
            return {each.id for fresh, each in told if fresh}
    return found
