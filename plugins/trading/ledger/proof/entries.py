"""The ledger by itself: numbers without a gap, sums of zero, what posts, voids and reverses, and the balances. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal

from plugins.trading.ledger.book import by_entry, forbids_debt
from plugins.trading.ledger.chart import ZERO, Ledger, minus, shown, total
from plugins.trading.ledger.drafts import Line, Unbalanced, check, outgoing
from plugins.trading.ledger.proof.findings import Found, differs
from plugins.trading.ledger.proof.loading import Kept
from plugins.trading.rows import EntryRow
from schema.words.orders import EntryKind

Key = tuple[str, str]
_TRADED = frozenset({Ledger.COST, Ledger.PNL, Ledger.UNITS, Ledger.MARKET})
_LEDGERS: Mapping[EntryKind, Sequence[AbstractSet[Ledger]]] = {
    EntryKind.DEPOSIT: ({Ledger.CASH, Ledger.EXTERNAL},),
    EntryKind.WITHDRAWAL: ({Ledger.CASH, Ledger.EXTERNAL},),
    EntryKind.TRADE_PNL: (_TRADED | {Ledger.CASH},),
    EntryKind.COMMISSION: ({Ledger.CASH, Ledger.FEES},),
    EntryKind.FUNDING: ({Ledger.CASH, Ledger.FUNDING},),
    EntryKind.INTEREST: ({Ledger.CASH, Ledger.INTEREST},),
    EntryKind.ADJUSTMENT: ({Ledger.CASH, Ledger.ADJUSTMENT}, _TRADED),
    EntryKind.TRANSFER: ({Ledger.CASH, Ledger.EXCHANGE},),
}
"""Which ledgers an entry of a kind moves, in one of these ways."""


def ledger_findings(kept: Kept) -> list[Found]:
    """All of them."""
    lines = by_entry(kept.lines)
    return [
        *_numbers(kept),
        *(found for entry in kept.entries for found in _lines(entry, lines.get(entry.id, []))),
        *_orphans(kept),
        *_followers(kept, lines),
        *_balances(kept, lines),
    ]


def _numbers(kept: Kept) -> list[Found]:
    found, expected = [], 0
    for entry in kept.entries:
        expected += 1
        if entry.number != expected:
            found.append((entry.id, f"number {expected} is missing before {entry.number}"))
            expected = entry.number
    return found + differs("account", "its count of entries", kept.account.entries, expected)


def _lines(entry: EntryRow, lines: list[Line]) -> list[Found]:
    if entry.voids:
        return [(entry.id, "it voids another entry, and has lines")] if lines else []
    try:
        check(lines)
    except Unbalanced as error:
        return [(entry.id, str(error))]
    moved = {line.ledger for line in lines}
    if not any(moved <= each for each in _LEDGERS[EntryKind(entry.kind)]):
        names = ", ".join(sorted(each.value for each in moved))
        return [(entry.id, f"it is {entry.kind}, and moves {names}")]
    out = any(line.amount < 0 for line in lines if line.ledger is Ledger.CASH)
    leaves = (entry.kind == EntryKind.WITHDRAWAL) != (entry.reverses is not None)
    if entry.kind in (EntryKind.DEPOSIT, EntryKind.WITHDRAWAL) and out != leaves:
        return [(entry.id, f"it is {entry.kind}, and its money {'leaves' if out else 'comes in'}")]
    return []


def _orphans(kept: Kept) -> list[Found]:
    known = {entry.id for entry in kept.entries}
    lost = Counter(line.entry_id for line in kept.lines if line.entry_id not in known)
    return [(entry, f"{count} lines of an entry that is not there") for entry, count in sorted(lost.items())]


def _followers(kept: Kept, lines: Mapping[str, list[Line]]) -> list[Found]:
    """Entries that post, void or reverse another one fit it, and there is one at most."""
    entries, found, seen = {entry.id: entry for entry in kept.entries}, [], Counter[str]()
    for entry in kept.entries:
        target = entry.resolves or entry.reverses
        if target is None:
            continue
        seen[target] += 1
        before = entries.get(target)
        if before is None or before.number >= entry.number:
            found.append((entry.id, f"it follows {target}, which is not there before it"))
        elif seen[target] > 1:
            found.append((entry.id, f"it follows {target}, which another entry followed before"))
        elif before.pending != (entry.resolves is not None):
            told = "is pending" if before.pending else "is not pending"
            found.append((entry.id, f"it follows {target}, which {told}"))
        elif not entry.voids and not _fits(entry, lines.get(entry.id, []), lines.get(target, [])):
            found.append((entry.id, f"its lines are not those of {target}"))
    return found


def _fits(entry: EntryRow, lines: Iterable[Line], before: Iterable[Line]) -> bool:
    turned = entry.reverses is not None
    wanted = sorted((line.ledger, line.asset, minus(line.amount) if turned else line.amount) for line in before)
    return sorted((line.ledger, line.asset, line.amount) for line in lines) == wanted


def _balances(kept: Kept, lines: Mapping[str, list[Line]]) -> list[Found]:
    posted, held = balances_of(kept, lines)
    stored = {(row.ledger, row.asset): row for row in kept.balances}
    found = []
    for ledger, asset in sorted({*posted, *held, *stored}):
        row, subject = stored.get((ledger, asset)), f"{ledger} {asset}"
        reckoned = posted.get((ledger, asset), ZERO), held.get((ledger, asset), ZERO)
        found += differs(subject, "posted", row.posted if row else ZERO, reckoned[0])
        found += differs(subject, "held", row.held if row else ZERO, reckoned[1])
        if ledger == Ledger.CASH and reckoned[0] < 0 and forbids_debt(kept.account):
            found.append((subject, f"a cash account owes {shown(minus(reckoned[0]))} {asset}"))
    return found


def balances_of(kept: Kept, lines: Mapping[str, list[Line]]) -> tuple[dict[Key, Decimal], dict[Key, Decimal]]:
    """Posted and held, summed from entries."""
    resolved = {entry.resolves for entry in kept.entries}
    posted: dict[Key, list[Decimal]] = {}
    held: dict[Key, list[Decimal]] = {}
    for entry in kept.entries:
        mine = lines.get(entry.id, [])
        if not entry.pending:
            for line in mine:
                posted.setdefault((line.ledger.value, line.asset), []).append(line.amount)
        elif entry.id not in resolved:
            for asset, amount in outgoing(mine).items():
                held.setdefault((Ledger.CASH.value, asset), []).append(amount)
    return {key: total(each) for key, each in posted.items()}, {key: total(each) for key, each in held.items()}
