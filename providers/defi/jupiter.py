"""Jupiter: prices, search and swap quotes of Solana's tokens. Docs: https://developers.jup.ag/docs"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, Tier, answers, header, per_second
from providers.defi._chains import percent
from providers.defi._solana import CHAIN, is_mint, listing, mint_of, priced, swapped
from providers.row import Row
from schema.errors import Blocked, NotCovered, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.defi import SWAP_QUOTE, SwapQuote, SwapQuoteAsk, SwapStep
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

KEY = "x-api-key"
SIGN_UP = "https://portal.jup.ag"
NO_WAY = frozenset({"COULD_NOT_FIND_ANY_ROUTE", "NO_ROUTES_FOUND", "TOKEN_NOT_TRADABLE"})


class Jupiter(Provider):
    """Works without a key, once in two seconds; a key has a limit of its plan."""

    profile = Profile(
        id="jupiter",
        name="Jupiter",
        base_url="https://api.jup.ag",
        docs="https://developers.jup.ag/docs",
        asset_classes=(AssetClass.DEX,),
        licence=Licence(note="Jupiter's terms: own use and display within the plan."),
        credentials=(header(KEY, required=False, sign_up=SIGN_UP),),
        limits=(Limit(count=1, per=timedelta(seconds=2)),),
        tiers={"pro": Tier(credentials=(header(KEY, sign_up=SIGN_UP),), limits=(per_second(10),))},
        priority=30,
    )

    @answers(QUOTES, covers=lambda ask: all(priced(i, "jupiter") for i in ask.instruments), max_batch=50)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """A token that has not been traded for days is left out."""
        mints = ",".join(dict.fromkeys(map(mint_of, ask.instruments)))
        return parse_prices(ask.instruments, await self.http.get("/price/v3", {"ids": mints}))

    @answers(SWAP_QUOTE, covers=swapped)
    async def swap_quote(self, ask: SwapQuoteAsk) -> SwapQuote:
        """The best way over all exchanges of the chain."""
        params: Params = {
            "inputMint": ask.sell_token,
            "outputMint": ask.buy_token,
            "amount": int(ask.sell_amount),
            "slippageBps": ask.slippage_bps,
        }
        return parse_swap(await self.http.get("/swap/v1/quote", params))

    @answers(SEARCH, covers=lambda ask: bool(ask.text))
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """By symbol, name or mint. What carries another's name without being verified is only found by its mint."""
        return parse_tokens(ask.text, await self.http.get("/tokens/v2/search", {"query": ask.text}))[: ask.limit]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """No way between two tokens is a refusal with a code; a firewall's is plain text."""
        provider, body = self.profile.id, reply.body
        if reply.status == 403 and body.value == "Request blocked by firewall":
            return Blocked(provider, "its firewall refuses this address")
        if reply.status != 400:
            return None
        if body.maybe_text("errorCode") in NO_WAY:
            return UnknownInstrument(provider, "finds no way between these tokens")
        said = body.maybe_text("error") or body.maybe_text("message") or ""
        if "API key" in said or "Unauthorized" in said:
            return Unauthorized(provider, "the key is refused")
        return NotCovered(provider, "refuses the call")


def parse_prices(instruments: tuple[InstrumentId, ...], body: Row) -> list[Quote]:
    """By mint. The age of a price is told in blocks, not as a time."""
    found = [(instrument, body.get(mint_of(instrument))) for instrument in instruments]
    return [
        Quote(
            instrument=instrument,
            price=row.decimal("usdPrice"),
            price_type=PriceType.LAST,
            currency="USD",
            change_percent=row.maybe("priceChange24h"),
        )
        for instrument, row in found
        if row is not None
    ]


def parse_swap(row: Row) -> SwapQuote:
    """Amounts are texts in smallest units; the impact is a fraction."""
    return SwapQuote(
        chain=CHAIN,
        sell_token=row.text("inputMint"),
        buy_token=row.text("outputMint"),
        sell_amount=row.decimal("inAmount"),
        buy_amount=row.decimal("outAmount"),
        least_buy_amount=row.maybe("otherAmountThreshold"),
        slippage_bps=row.integer("slippageBps"),
        price_impact_percent=percent(row.maybe("priceImpactPct")),
        block=None if row.get("contextSlot") is None else row.label("contextSlot"),
        steps=tuple([_step(each) for each in row["routePlan"]]),
    )


def _step(row: Row) -> SwapStep:
    info = row["swapInfo"]
    return SwapStep(
        dex=info.text("label"),
        pool=info.maybe_text("ammKey"),
        sell_token=info.text("inputMint"),
        buy_token=info.text("outputMint"),
        sell_amount=info.maybe("inAmount"),
        buy_amount=info.maybe("outAmount"),
        percent=row.maybe("percent"),
    )


def parse_tokens(text: str, rows: Row) -> tuple[Listing, ...]:
    """Best first."""
    found = [(row, row.text("id")) for row in rows]
    return tuple([listing(row, mint) for row, mint in found if is_mint(mint) and (mint == text or _verified(row))])


def _verified(row: Row) -> bool:
    told = row.get("isVerified")
    return told is not None and told.flag()
