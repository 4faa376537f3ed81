"""Transactions with many inputs and outputs, in the words of one: who sent, who got, what it changed for an address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from providers.defi._chains import SATOSHI, total, whole
from schema.words.chains import ChainTransaction

CHAIN, COIN = "bitcoin", "BTC"
Move = tuple[str | None, Decimal]
"""An address, where the script has one, and satoshis."""


def coins(satoshis: Decimal) -> Decimal:
    """Whole coins."""
    return whole(satoshis, SATOSHI)


def transaction(
    *,
    hash: str,
    inputs: Sequence[Move],
    outputs: Sequence[Move],
    fee: Decimal | None,
    block: str | None,
    time: datetime | None,
    address: str = "",
    tip: int | None = None,
) -> ChainTransaction:
    """`amount` is what all outputs hold, change that goes back to the sender included; amounts come in satoshis.

    `tip` is the height of the newest block, where that is known.
    """
    held = total(value for _, value in outputs)
    change = total(
        [value for owner, value in outputs if owner == address]
        + [-value for owner, value in inputs if owner == address]
    )
    return ChainTransaction(
        hash=hash,
        chain=CHAIN,
        time=time if block else None,
        block=block,
        sender=_only(inputs),
        receiver=_only(outputs),
        asset=COIN,
        amount=coins(held),
        change=coins(change) if address else None,
        fee=None if fee is None else coins(fee),
        confirmations=None if block is None or tip is None else tip - int(block) + 1,
    )


def _only(moves: Sequence[Move]) -> str | None:
    """The address, where all have the same."""
    owners = {owner for owner, _ in moves}
    return owners.pop() if len(owners) == 1 else None
