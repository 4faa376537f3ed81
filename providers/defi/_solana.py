"""Solana's tokens, which are known by their mint."""

from __future__ import annotations

import re

from providers.defi._chains import token_of
from providers.row import Row
from schema.symbols import AssetClass, InstrumentId
from schema.words.defi import SwapQuoteAsk
from schema.words.instruments import Listing

CHAIN = "solana"
_MINT = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}\Z")


def is_mint(text: str) -> bool:
    """Base 58, of 32 bytes."""
    return bool(_MINT.match(text))


def priced(instrument: InstrumentId, provider: str) -> bool:
    """A token of Solana."""
    chain, mint = token_of(instrument)
    own = instrument.asset_class is AssetClass.DEX and instrument.venue in ("", provider)
    return own and chain == CHAIN and is_mint(mint)


def mint_of(instrument: InstrumentId) -> str:
    """Its address."""
    return token_of(instrument)[1]


def listing(row: Row, mint: str) -> Listing:
    """A token that was found; symbols are not unique, so that it is known by its mint."""
    names = (row.maybe_text("symbol"), row.maybe_text("name"))
    return Listing(
        instrument=InstrumentId(asset_class=AssetClass.DEX, base=f"{CHAIN}/{mint}"),
        provider_symbol=mint,
        name=" · ".join(filter(None, names)) or None,
        currency="USD",
    )


def swapped(ask: SwapQuoteAsk) -> bool:
    """Two tokens, by their mints."""
    return ask.chain == CHAIN and is_mint(ask.sell_token) and is_mint(ask.buy_token)
