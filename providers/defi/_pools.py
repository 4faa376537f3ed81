"""What sources of pools share: filters that their upstreams have or have not."""

from __future__ import annotations

import re
from decimal import Decimal

from providers.row import Row
from schema.words.defi import PoolsAsk, Token

# Sui and Aptos name tokens by address, module and type.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]{2,199}\Z")


def fit(name: str) -> bool:
    """An address that can stand in a path as it is."""
    return bool(_NAME.match(name))


def by_address(ask: PoolsAsk) -> bool:
    """One pool, or those with a token."""
    return fit(ask.address or ask.token) and not ask.text and not ask.newest


def inner(row: Row, group: str, key: str) -> Decimal | None:
    """A number of a group, both of which may be missing."""
    found = row.get(group)
    return None if found is None else found.maybe(key)


def trades(row: Row, group: str, side: str) -> int | None:
    """How many trades of a side the last 24 hours had, where that is told."""
    found = row.get(group)
    day = None if found is None else found.get("h24")
    return None if day is None or day.get(side) is None else day.integer(side)


def token(row: Row, address: str = "address") -> Token:
    """`{"address", "symbol", "name", "decimals"?}`, where `address` may be called otherwise."""
    decimals = row.get("decimals")
    return Token(
        address=row.text(address),
        symbol=row.maybe_text("symbol"),
        name=row.maybe_text("name"),
        decimals=None if decimals is None else decimals.integer(),
    )
