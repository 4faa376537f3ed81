"""Birdeye: prices, candles and search of Solana's tokens. Docs: https://docs.birdeye.so/reference

Other chains need another header with each call, which is fixed here.
"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, header, per_second
from providers.defi._solana import CHAIN, is_mint, listing, mint_of, priced
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.history import PRICE_HISTORY, PriceHistoryAsk, PricePoint
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

# Minutes in lower case, everything longer in upper case: `1m` is a minute and `1M` a month.
TYPES = {
    Interval.M1: "1m", Interval.M3: "3m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m",
    Interval.H1: "1H", Interval.H2: "2H", Interval.H4: "4H", Interval.H6: "6H", Interval.H8: "8H",
    Interval.H12: "12H", Interval.D1: "1D",
}  # fmt: skip
ROWS = 1000
SEARCHED = 20
# By what a refusal contains, with whatever status; it is not shown, for it could hold the key.
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("compute units", QuotaExhausted, "the key's compute units are used up"),
    ("too many requests", Throttled, "too many calls"),
    ("unauthorized", Unauthorized, "the key is missing or invalid"),
    ("api key", Unauthorized, "the key is missing or invalid"),
    ("permission", NotCovered, "the key's plan does not include this"),
    ("not found", UnknownInstrument, "does not know the token"),
    ("address", UnknownInstrument, "does not take it for a token"),
)


def lined(ask: PriceHistoryAsk) -> bool:
    """As many points as one answer holds."""
    short = ask.end - ask.start <= ask.interval.delta * ROWS
    return short and ask.interval in TYPES and priced(ask.instrument, "birdeye")


class Birdeye(Provider):
    """Needs a key."""

    profile = Profile(
        id="birdeye",
        name="Birdeye",
        base_url="https://public-api.birdeye.so",
        docs="https://docs.birdeye.so/reference",
        asset_classes=(AssetClass.DEX,),
        licence=Licence(
            note="Free plan: personal use with attribution; redistribution by contract.",
            attribution="Data by Birdeye",
            shareable=False,
        ),
        credentials=(header("X-API-KEY", sign_up="https://bds.birdeye.so"),),
        headers={"x-chain": CHAIN},
        # The free plan's.
        limits=(per_second(1),),
        priority=50,
    )

    @answers(QUOTES, covers=lambda ask: all(priced(i, "birdeye") for i in ask.instruments), max_batch=100)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One token is asked for by a call that every plan includes."""
        if len(ask.instruments) == 1:
            body = await self.http.get("/defi/price", {"address": mint_of(ask.instruments[0])})
            return parse_prices({ask.instruments[0]: body.get("data")})
        mints = ",".join(dict.fromkeys(map(mint_of, ask.instruments)))
        data = (await self.http.get("/defi/multi_price", {"list_address": mints}))["data"]
        return parse_prices({instrument: data.get(mint_of(instrument)) for instrument in ask.instruments})

    @answers(
        CANDLES,
        covers=lambda ask: priced(ask.instrument, "birdeye") and ask.interval in TYPES,
        intervals=tuple(TYPES),
        max_rows=ROWS,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """In dollars, over all exchanges of the chain."""
        params: Params = {"address": mint_of(ask.instrument), "type": TYPES[ask.interval], **_range(ask)}
        return parse_candles(await self.http.get("/defi/ohlcv", params))

    @answers(PRICE_HISTORY, covers=lined)
    async def price_history(self, ask: PriceHistoryAsk) -> tuple[PricePoint, ...]:
        """Closes alone: cheaper than candles."""
        params: Params = {
            "address": mint_of(ask.instrument),
            "address_type": "token",
            "type": TYPES[ask.interval],
            **_range(ask),
        }
        return parse_history(ask, await self.http.get("/defi/history_price", params))

    # By a symbol it would find tokens that only carry another's name.
    @answers(SEARCH, covers=lambda ask: is_mint(ask.text))
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """A token by its mint."""
        params: Params = {
            "keyword": ask.text,
            "target": "token",
            "chain": CHAIN,
            "sort_by": "volume_24h_usd",
            "sort_type": "desc",
            "offset": 0,
            "limit": min(ask.limit, SEARCHED),
        }
        return parse_found(await self.http.get("/defi/v3/search", params))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`success` says it, also with status 200."""
        done = reply.body.get("success")
        if done is None or done.flag() or reply.status in (401, 403, 429):
            return None
        said = (reply.body.maybe_text("message") or "").lower()
        for part, kind, why in REFUSALS:
            if part in said:
                return kind(self.profile.id, why)
        return NotCovered(self.profile.id, "refuses the call") if reply.status < 500 else None


def _range(ask: CandlesAsk | PriceHistoryAsk) -> dict[str, int]:
    """Both ends belong to it."""
    return {"time_from": int(ask.start.timestamp()), "time_to": int((ask.end - timedelta(seconds=1)).timestamp())}


def parse_prices(rows: dict[InstrumentId, Row | None]) -> list[Quote]:
    """An unknown token is null."""
    return [
        Quote(
            instrument=instrument,
            price=row.decimal("value"),
            price_type=PriceType.INDEX,
            currency="USD",
            as_of=row.epoch("updateUnixTime"),
            change_percent=row.maybe("priceChange24h"),
        )
        for instrument, row in rows.items()
        if row is not None
    ]


def parse_candles(body: Row) -> Bars:
    """Volume is in tokens."""
    rows = body["data"]["items"]
    if not len(rows):
        return NO_BARS
    return rows.bars(time="unixTime", open="o", high="h", low="l", close="c", volume="v", unit="s", currency="USD")


def parse_history(ask: PriceHistoryAsk, body: Row) -> tuple[PricePoint, ...]:
    """The upstream may begin before the range."""
    found = {row.epoch("unixTime"): row.decimal("value") for row in body["data"]["items"]}
    inside = [(time, price) for time, price in sorted(found.items()) if ask.start <= time < ask.end]
    return tuple([PricePoint(time=time, price=price, currency="USD") for time, price in inside])


def parse_found(body: Row) -> tuple[Listing, ...]:
    """Groups of tokens and of markets; a token of another chain is none of ours."""
    rows = [row for group in body["data"]["items"] if group.text("type") == "token" for row in group["result"]]
    found = [(row, row.text("address")) for row in rows if row.text("network") == CHAIN]
    return tuple([listing(row, mint) for row, mint in found if is_mint(mint)])
