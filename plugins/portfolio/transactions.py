"""What can happen in a portfolio, which of its fields each kind has, and what is wrong with one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from schema.model import choices
from schema.words.problems import Refused

ZERO = Decimal(0)
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST = Decimal(10) ** 18
FINEST = -18
LONGEST_NOTE = 500


@choices(
    "What happened in a portfolio.",
    BUY="Units bought at a price; it closes what is short first.",
    SELL="Units sold at a price; more than is held goes short.",
    DIVIDEND="Cash paid for a holding; negative where a short position pays it.",
    INTEREST="Cash earned on cash; negative where it is owed.",
    FEE="A cost that belongs to no trade.",
    DEPOSIT="Cash brought in.",
    WITHDRAWAL="Cash taken out.",
    SPLIT="Each unit held becomes `ratio` units.",
    TRANSFER_IN="Units brought in at what they had cost.",
    TRANSFER_OUT="Units taken out; counted as sold at their price.",
)
class TransactionKind(StrEnum):
    """A closed list."""

    BUY = "BUY"
    SELL = "SELL"
    DIVIDEND = "DIVIDEND"
    INTEREST = "INTEREST"
    FEE = "FEE"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    SPLIT = "SPLIT"
    TRANSFER_IN = "TRANSFER_IN"
    TRANSFER_OUT = "TRANSFER_OUT"


K = TransactionKind
TRADES = frozenset({K.BUY, K.SELL})
TRANSFERS = frozenset({K.TRANSFER_IN, K.TRANSFER_OUT})
PRICED = TRADES | TRANSFERS
PAYMENTS = frozenset({K.DEPOSIT, K.WITHDRAWAL})
INSTRUMENTS = PRICED | {K.DIVIDEND, K.SPLIT}
"""Kinds that are about an instrument; a fee may be."""
AMOUNTS = PAYMENTS | {K.DIVIDEND, K.INTEREST, K.FEE}
_EITHER_SIGN = frozenset({K.DIVIDEND, K.INTEREST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A transaction as somebody wrote it; the symbol is not read yet."""

    kind: TransactionKind
    at: datetime
    symbol: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    fee: Decimal | None = None
    ratio: Decimal | None = None
    currency: str | None = None
    note: str | None = None


def check_draft(draft: Draft, now: datetime, *, tracks_cash: bool) -> None:
    """Refused, with the field, for what cannot be."""
    if not FIRST <= draft.at <= now:
        raise Refused("TIME_INVALID", "A transaction is of 1970 or later, and not of the future.", "at")
    if draft.kind in PAYMENTS and not tracks_cash:
        told = "This portfolio does not track cash: what is bought counts as brought in, what is sold as taken out."
        raise Refused("KIND_INVALID", told, "kind")
    _check_fields(draft)
    _check_numbers(draft)
    if draft.note is not None and len(draft.note) > LONGEST_NOTE:
        raise Refused("NOTE_INVALID", f"A note has at most {LONGEST_NOTE} characters.", "note")
    if draft.note is not None and "\0" in draft.note:
        raise Refused("NOTE_INVALID", "A note cannot hold the character U+0000: leave it out.", "note")


def _check_fields(draft: Draft) -> None:
    """Each kind has its own, no others."""
    wanted = {
        "symbol": draft.kind in INSTRUMENTS, "quantity": draft.kind in PRICED, "price": draft.kind in PRICED,
        "amount": draft.kind in AMOUNTS, "ratio": draft.kind is K.SPLIT,
    }  # fmt: skip
    for name, needed in wanted.items():
        given = getattr(draft, name) is not None
        if needed and not given:
            raise Refused("FIELD_MISSING", f"A {draft.kind} needs {name}.", name)
        if given and not needed and not (name == "symbol" and draft.kind is K.FEE):
            raise Refused("FIELD_UNEXPECTED", f"A {draft.kind} has no {name}: leave it out.", name)
    if draft.fee and draft.kind in (K.SPLIT, K.FEE):
        raise Refused("FIELD_UNEXPECTED", f"A {draft.kind} has no fee beside it: leave it out.", "fee")


def _check_numbers(draft: Draft) -> None:
    for name in ("quantity", "price", "amount", "fee", "ratio"):
        value: Decimal | None = getattr(draft, name)
        if value is None:
            continue
        if not value.is_finite() or abs(value) > LARGEST or int(value.as_tuple().exponent) < FINEST:
            raise _invalid(f"{name} has at most 18 digits before and 18 behind the point.", name)
        if name in ("quantity", "ratio") and value <= 0:
            raise _invalid(f"{name} must be above 0: the kind says which way it goes.", name)
        if name in ("price", "fee") and value < 0:
            raise _invalid(f"{name} must not be below 0.", name)
        if name == "amount" and (value == 0 or (value < 0 and draft.kind not in _EITHER_SIGN)):
            words = "not be 0" if draft.kind in _EITHER_SIGN else "be above 0: the kind says which way it goes"
            raise _invalid(f"amount must {words}.", name)


def _invalid(message: str, field: str) -> Refused:
    return Refused("NUMBER_INVALID", message, field)
