"""The arguments of the root fields, each described once."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from schema.arguments import says
from schema.errors import BadInput
from schema.words.defi import LockedIn

LONGEST_NAME = 128

Chain = Annotated[str, says("The chain, such as `ethereum`, `bitcoin` or `solana`.")]
AnyChain = Annotated[str | None, says("Only this chain, such as `ethereum` or `solana`.")]
Address = Annotated[str, says("The address on that chain.")]
TokenOf = Annotated[str | None, says("Address of a token; by default the chain's own coin.")]
PoolAt = Annotated[str | None, says("Only the pool at this address; needs `chain`.")]
WithToken = Annotated[str | None, says("Only pools with the token at this address; needs `chain`.")]
Words = Annotated[str | None, says("Symbols, names or an address to look for.")]
Newest = Annotated[bool | None, says("The youngest ones instead of the most traded.")]
OnDex = Annotated[str | None, says("Only this exchange, as its provider writes it.")]
LeastLiquidity = Annotated[Decimal | None, says("Only pools in which so much lies, in their `currency`.")]
SellToken = Annotated[str, says("Address of the token to sell.")]
BuyToken = Annotated[str, says("Address of the token to buy.")]
SellAmount = Annotated[Decimal, says("How much to sell: a whole number of the token's smallest units.")]
Slippage = Annotated[int | None, says("How much worse the swap may become, 0 to 5000.")]
Kind = Annotated[LockedIn | None, says("Protocols or chains.")]
Slug = Annotated[str | None, says("Only this one, by its `slug`.")]
OneSlug = Annotated[str, says("The `slug` of a protocol or a chain.")]
Category = Annotated[str | None, says("Only protocols of this category, as the provider writes it.")]
Protocol = Annotated[str | None, says("Only this protocol.")]
Asset = Annotated[str | None, says("Only deposits of this asset, such as `USDC`.")]
Stable = Annotated[bool | None, says("Only deposits of stable coins, or only others.")]
LeastTvl = Annotated[Decimal | None, says("Only deposits that hold so much, in their `currency`.")]
Hash = Annotated[str, says("The transaction's hash.")]
Index = Annotated[str | None, says("The index, such as `crypto.fear-and-greed`.")]
NewestValues = Annotated[int | None, says("How many, 1 to 1000.")]


def name_of(field: str, value: str | None) -> str:
    """A chain, an address or the like as it stands in an ask: bounded, no spaces around it; empty for none."""
    text = (value or "").strip()
    if len(text) > LONGEST_NAME or any(not sign.isprintable() for sign in text):
        raise BadInput(field, f"is longer than {LONGEST_NAME} characters, or holds unprintable ones")
    return text


def chain_of(value: str | None) -> str:
    """Chains are written in lower case."""
    return name_of("chain", value).lower()


def needed(field: str, value: str) -> str:
    """BadInput for an empty text."""
    text = name_of(field, value)
    if not text:
        raise BadInput(field, "is empty")
    return text
