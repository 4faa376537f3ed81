"""Raydium: pools, token prices and swap quotes of an exchange on Solana. Docs: https://docs.raydium.io"""

from __future__ import annotations

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_second
from providers.defi._chains import percent
from providers.defi._pools import inner, token
from providers.defi._solana import CHAIN, is_mint, mint_of, priced, swapped
from providers.row import Row
from schema.errors import Malformed, NotCovered, Overloaded, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.defi import POOLS, SWAP_QUOTE, Pool, PoolsAsk, SwapQuote, SwapQuoteAsk, SwapStep
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

LARGEST_PAGE = 1000
# A refusal comes with status 200.
REFUSALS: tuple[tuple[str, type[UpstreamError]], ...] = (
    ("ROUTE_NOT_FOUND", UnknownInstrument),
    ("INSUFFICIENT_LIQUIDITY", UnknownInstrument),
    ("NOT_FOUND", UnknownInstrument),
    ("INPUT_MINT", UnknownInstrument),
    ("OUTPUT_MINT", UnknownInstrument),
    ("REQ_", NotCovered),
    ("BUSY", Overloaded),
    ("INTERNAL", Overloaded),
)


def covered(ask: PoolsAsk) -> bool:
    """All by what was traded, with a token, or one; neither the youngest nor by a text."""
    one = ask.address or ask.token
    return ask.chain == CHAIN and not ask.newest and not ask.text and (not one or is_mint(one))


class Raydium(Provider):
    """No key; the data and the swaps have hosts of their own."""

    profile = Profile(
        id="raydium",
        name="Raydium",
        base_url="https://api-v3.raydium.io",
        hosts={"swaps": "https://transaction-v1.raydium.io"},
        docs="https://docs.raydium.io/raydium/build/developer-guides",
        asset_classes=(AssetClass.DEX,),
        licence=Licence(note="Public data of the exchange; limits and terms of redistribution are not published."),
        # Not published: polite.
        limits=(per_second(5),),
        # A swap over all exchanges of the chain is the better answer.
        priority=40,
    )

    @answers(QUOTES, covers=lambda ask: all(priced(i, "raydium") for i in ask.instruments), max_batch=50)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Prices of its own pools, in dollars."""
        mints = ",".join(dict.fromkeys(map(mint_of, ask.instruments)))
        return parse_prices(ask.instruments, await self.http.get("/mint/price", {"mints": mints}))

    @answers(POOLS, covers=covered)
    async def pools(self, ask: PoolsAsk) -> tuple[Pool, ...]:
        """The most traded first."""
        if ask.address:
            return parse_pools((await self.http.get("/pools/info/ids", {"ids": ask.address}))["data"])
        params: dict[str, str | int] = {"mint1": ask.token} if ask.token else {}
        params |= {
            "poolType": "all",
            "poolSortField": "volume24h",
            "sortType": "desc",
            "pageSize": min(ask.limit, LARGEST_PAGE),
            "page": 1,
        }
        body = await self.http.get("/pools/info/mint" if ask.token else "/pools/info/list", params)
        return parse_pools(body["data"]["data"])

    @answers(SWAP_QUOTE, covers=swapped)
    async def swap_quote(self, ask: SwapQuoteAsk) -> SwapQuote:
        """The best way over its own pools."""
        params: Params = {
            "inputMint": ask.sell_token,
            "outputMint": ask.buy_token,
            "amount": int(ask.sell_amount),
            "slippageBps": ask.slippage_bps,
            "txVersion": "V0",
        }
        return parse_swap((await self.http.get("/compute/swap-base-in", params, host="swaps"))["data"])

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`success` says it, whatever the status."""
        done = reply.body.get("success")
        if done is None or done.flag():
            return None
        said = reply.body.maybe_text("msg") or "no reason"
        kind = next((kind for part, kind in REFUSALS if part in said), Malformed)
        return kind(self.profile.id, f"refuses: {said[:60]}")


def parse_prices(instruments: tuple[InstrumentId, ...], body: Row) -> list[Quote]:
    """Texts by mint; null for what it has no price of."""
    prices = body["data"]
    found = [(instrument, prices.get(mint_of(instrument))) for instrument in instruments]
    return [
        Quote(instrument=instrument, price=price.decimal(), price_type=PriceType.INDEX, currency="USD")
        for instrument, price in found
        if price is not None
    ]


def parse_pools(rows: Row) -> tuple[Pool, ...]:
    """An unknown id is null."""
    return tuple({pool.address: pool for pool in (_pool(row) for row in rows if row.value is not None)}.values())


def _pool(row: Row) -> Pool:
    """The price is of `mintA` in `mintB`; fees are a fraction, yields in percent."""
    return Pool(
        chain=CHAIN,
        address=row.text("id"),
        dex="raydium",
        base=token(row["mintA"]),
        quote=token(row["mintB"]),
        price=row.positive("price"),
        liquidity=row.maybe("tvl"),
        volume24h=inner(row, "day", "volume"),
        fee_percent=percent(row.maybe("feeRate")),
        apr_percent=inner(row, "day", "apr"),
        created_at=row.maybe_epoch("openTime"),
    )


def parse_swap(row: Row) -> SwapQuote:
    """Amounts are texts in smallest units. Its impact is not told: in which unit it is, is nowhere written."""
    return SwapQuote(
        chain=CHAIN,
        sell_token=row.text("inputMint"),
        buy_token=row.text("outputMint"),
        sell_amount=row.decimal("inputAmount"),
        buy_amount=row.decimal("outputAmount"),
        least_buy_amount=row.maybe("otherAmountThreshold"),
        slippage_bps=row.integer("slippageBps"),
        steps=tuple(
            [
                SwapStep(
                    dex="raydium",
                    pool=step.maybe_text("poolId"),
                    sell_token=step.text("inputMint"),
                    buy_token=step.text("outputMint"),
                )
                for step in row["routePlan"]
            ]
        ),
    )
