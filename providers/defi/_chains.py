"""What adapters of chains share: whole coins of smallest units, tokens as instruments, addresses fit for a path."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Container, Iterable
from decimal import Context, Decimal

from schema.symbols import AssetClass, InstrumentId
from schema.words.quotes import Quote

COINS = {
    "arbitrum": "ETH", "avalanche": "AVAX", "base": "ETH", "bitcoin": "BTC", "bitcoin-cash": "BCH", "bsc": "BNB",
    "celo": "CELO", "dogecoin": "DOGE", "ethereum": "ETH", "gnosis": "XDAI", "linea": "ETH", "litecoin": "LTC",
    "optimism": "ETH", "polygon": "POL", "scroll": "ETH", "solana": "SOL", "zksync": "ETH",
}  # fmt: skip
"""The own coin of a chain."""

SATOSHI, WEI = 8, 18
MOST_DECIMALS = 77
_ADDRESS = re.compile(r"[A-Za-z0-9]{3,128}\Z")
_WIDE = Context(prec=160)


def whole(amount: Decimal, decimals: int) -> Decimal:
    """Whole coins of *amount* smallest units, exactly."""
    return amount.scaleb(-decimals, _WIDE)


def percent(fraction: Decimal | None) -> Decimal | None:
    """A fraction in percent, exactly."""
    return None if fraction is None else fraction.scaleb(2, _WIDE)


def product(*factors: Decimal) -> Decimal:
    """Their exact product, however many digits it has."""
    found = Decimal(1)
    for factor in factors:
        found = _WIDE.multiply(found, factor)
    return found


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their exact sum."""
    found = Decimal(0)
    for amount in amounts:
        found = _WIDE.add(found, amount)
    return found


def addressable(*names: str) -> bool:
    """Addresses, hashes and ids of letters and digits, which can stand in a path as they are."""
    return all(_ADDRESS.match(name) for name in names)


def is_pair(instrument: InstrumentId, provider: str, bases: Container[str], quotes: Container[str]) -> bool:
    """A spot pair of assets; a provider stands for no venue but itself."""
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.is_spot
        and instrument.venue in ("", provider)
        and instrument.base in bases
        and instrument.quote in quotes
    )


def token_of(instrument: InstrumentId) -> tuple[str, str]:
    """Chain and address of a token."""
    chain, _, address = instrument.base.partition("/")
    return chain, address


def is_token(instrument: InstrumentId, provider: str, chains: Container[str]) -> bool:
    """A token by its address on one of *chains*; a provider stands for no venue but itself."""
    return (
        instrument.asset_class is AssetClass.DEX
        and instrument.venue in ("", provider)
        and token_of(instrument)[0] in chains
    )


def same_address(one: str, other: str) -> bool:
    """Hexadecimal addresses are the same in either case (upper case is a checksum), others are not."""
    return one == other or (one.startswith("0x") and one.lower() == other.lower())


async def each_chain(
    instruments: Iterable[InstrumentId], price: Callable[[str, dict[InstrumentId, str]], Awaitable[list[Quote]]]
) -> list[Quote]:
    """Of an upstream that prices one chain a call: what *price* answers to a chain and addresses by instrument."""
    found: dict[str, dict[InstrumentId, str]] = {}
    for instrument in instruments:
        chain, address = token_of(instrument)
        found.setdefault(chain, {})[instrument] = address
    answers = await asyncio.gather(*(price(chain, tokens) for chain, tokens in found.items()))
    return [quote for quotes in answers for quote in quotes]
