"""DEX Screener: pools and token prices of many chains. Docs: https://docs.dexscreener.com/api/reference"""

from __future__ import annotations

from decimal import Decimal

from providers.contract import Licence, Profile, Provider, answers, per_minute
from providers.defi._chains import each_chain, is_token, same_address
from providers.defi._pools import by_address, inner, token, trades
from providers.row import Row
from schema.symbols import AssetClass, InstrumentId
from schema.words.defi import POOLS, Pool, PoolsAsk
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

# Ours, where they are not its own.
CHAINS = {"gnosis": "gnosischain"}
OURS = {theirs: ours for ours, theirs in CHAINS.items()}
PRICED = frozenset(
    {
        "arbitrum", "avalanche", "base", "bsc", "celo", "ethereum", "fantom", "gnosis", "linea", "optimism", "polygon",
        "scroll", "solana", "tron", "zksync",
    }
)  # fmt: skip


def covered(ask: PoolsAsk) -> bool:
    """By a text, a pool's address or a token's; not all of a chain, nor the youngest."""
    return (bool(ask.text) and not ask.newest) or (bool(ask.chain) and by_address(ask))


class DexScreener(Provider):
    """No key. Prices are those of the deepest pool in which a token is the base."""

    profile = Profile(
        id="dexscreener",
        name="DEX Screener",
        base_url="https://api.dexscreener.com",
        docs="https://docs.dexscreener.com/api/reference",
        asset_classes=(AssetClass.DEX,),
        licence=Licence(
            note="Free within its limits; display with attribution, no resale.", attribution="Data by DEX Screener"
        ),
        limits=(per_minute(300),),
        priority=50,
    )

    @answers(QUOTES, covers=lambda ask: all(is_token(i, "dexscreener", PRICED) for i in ask.instruments), max_batch=30)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One call for each chain."""
        return await each_chain(ask.instruments, self._of_chain)

    async def _of_chain(self, chain: str, tokens: dict[InstrumentId, str]) -> list[Quote]:
        addresses = ",".join(dict.fromkeys(tokens.values()))
        return parse_quotes(tokens, await self.http.get(f"/tokens/v1/{CHAINS.get(chain, chain)}/{addresses}"))

    @answers(POOLS, covers=covered)
    async def pools(self, ask: PoolsAsk) -> tuple[Pool, ...]:
        """A search is over all chains, and cut to one here."""
        chain = CHAINS.get(ask.chain, ask.chain)
        if ask.text:
            rows = (await self.http.get("/latest/dex/search", {"q": ask.text})).get("pairs")
        elif ask.address:
            rows = (await self.http.get(f"/latest/dex/pairs/{chain}/{ask.address}")).get("pairs")
        else:
            rows = await self.http.get(f"/token-pairs/v1/{chain}/{ask.token}")
        return parse_pools(ask, rows)


def parse_quotes(tokens: dict[InstrumentId, str], rows: Row) -> list[Quote]:
    """Of a token that is only the quote side of pools there is no exact price."""
    best = {instrument: _deepest(address, rows) for instrument, address in tokens.items()}
    return [
        Quote(
            instrument=instrument,
            price=row.decimal("priceUsd"),
            price_type=PriceType.LAST,
            currency="USD",
            change_percent=inner(row, "priceChange", "h24"),
        )
        for instrument, row in best.items()
        if row is not None
    ]


def _deepest(address: str, rows: Row) -> Row | None:
    own = [row for row in rows if same_address(address, row["baseToken"].text("address"))]
    deepest = max(own, key=lambda row: inner(row, "liquidity", "usd") or Decimal(0), default=None)
    return None if deepest is None or deepest.positive("priceUsd") is None else deepest


def parse_pools(ask: PoolsAsk, rows: Row | None) -> tuple[Pool, ...]:
    """`pairs` is null where nothing matches; a pool may come twice."""
    found = {(pool.chain, pool.address): pool for pool in map(parse_pool, rows or ())}
    chosen = [pool for pool in found.values() if not ask.chain or pool.chain == ask.chain]
    return tuple(chosen[: ask.limit])


def parse_pool(row: Row) -> Pool:
    """`priceNative` is in the quote token; statistics that are not known are left out."""
    chain = row.text("chainId")
    return Pool(
        chain=OURS.get(chain, chain),
        address=row.text("pairAddress"),
        dex=row.text("dexId"),
        base=token(row["baseToken"]),
        quote=token(row["quoteToken"]),
        price=row.positive("priceNative"),
        base_price=row.positive("priceUsd"),
        liquidity=inner(row, "liquidity", "usd"),
        volume24h=inner(row, "volume", "h24"),
        change_percent24h=inner(row, "priceChange", "h24"),
        buys24h=trades(row, "txns", "buys"),
        sells24h=trades(row, "txns", "sells"),
        market_cap=row.positive("marketCap"),
        fully_diluted=row.positive("fdv"),
        created_at=row.maybe_epoch("pairCreatedAt", "ms"),
    )
