"""Messari: averaged crypto prices in dollars and candles. Docs: https://docs.messari.io"""

from __future__ import annotations

from datetime import datetime

from providers.contract import Licence, Profile, Provider, Reply, Tier, answers, header, per_day, per_minute
from providers.crypto._coins import Coins, closes, is_named, last_known
from providers.row import Row
from schema.errors import NotCovered, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.history import HISTORICAL_QUOTE, HistoricalQuoteAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow

COINS = Coins(
    provider="messari",
    ids={
        "BTC": "bitcoin", "ETH": "ethereum", "USDT": "tether", "XRP": "xrp", "SOL": "solana", "USDC": "usd-coin",
        "TRX": "tron", "DOGE": "dogecoin", "ADA": "cardano", "LINK": "chainlink", "BCH": "bitcoin-cash",
        "XLM": "stellar", "SUI": "sui", "AVAX": "avalanche", "LTC": "litecoin", "XMR": "monero", "ZEC": "zcash",
        "DOT": "polkadot", "UNI": "uniswap", "NEAR": "near-protocol", "AAVE": "aave", "ICP": "internet-computer",
        "ETC": "ethereum-classic", "APT": "aptos", "ARB": "arbitrum", "ATOM": "cosmos", "ALGO": "algorand",
        "FIL": "filecoin", "OP": "optimism", "MKR": "maker", "XTZ": "tezos", "DASH": "dash",
    },
)  # fmt: skip
GRANULARITIES = {Interval.H1: "1h", Interval.D1: "1d"}
COLUMNS = ("time", "open", "high", "low", "close", "volume")
"""Where an answer does not say which are there."""
MOST_CANDLES = 1_000
PLAN_WORDS = ("enterprise", "upgrade", "plan", "subscription", "permission")


class Messari(Provider):
    """A free key has two coins and no candles; it leaves the others out without a word."""

    profile = Profile(
        id="messari",
        name="Messari",
        base_url="https://api.messari.io",
        docs="https://docs.messari.io",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(
            note="Own use with attribution; redistribution needs a licence.",
            attribution="Data by Messari",
            shareable=False,
        ),
        credentials=(header("x-messari-api-key", sign_up="https://messari.io/api"),),
        limits=(per_minute(30), per_day(2_000)),
        tiers={"pro": Tier(limits=(per_minute(60), per_day(4_000)))},
        priority=50,
    )

    @answers(QUOTES, covers=lambda ask: COINS.all_priced(ask.instruments), max_batch=20)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Prices without a time of their own."""
        slugs = ",".join(sorted({COINS.ids[instrument.base] for instrument in ask.instruments}))
        body = await self.http.get("/metrics/v2/assets/details", {"slugs": slugs})
        rows = {row.text("slug"): row for row in body["data"]}
        found = ((instrument, rows.get(COINS.ids[instrument.base])) for instrument in ask.instruments)
        return [parse_asset(one, row) for one, row in found if row is not None and is_named(row, one)]

    @answers(
        CANDLES,
        covers=lambda ask: COINS.prices(ask.instrument) and ask.interval in GRANULARITIES,
        intervals=tuple(GRANULARITIES),
        max_rows=MOST_CANDLES,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Hours or days of UTC."""
        return await self._bars(ask.instrument, ask.interval, ask.start, ask.end)

    @answers(HISTORICAL_QUOTE, covers=lambda ask: COINS.prices(ask.instrument))
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """The close of the last full hour."""
        hour = Interval.H1.delta
        bars = await self._bars(ask.instrument, Interval.H1, ask.at - 3 * hour, ask.at)
        return last_known("messari", ask, closes(bars, hour, "USD"))

    async def _bars(self, instrument: InstrumentId, interval: Interval, start: datetime, end: datetime) -> Bars:
        path = f"/metrics/v2/assets/{COINS.ids[instrument.base]}/metrics/price/time-series/{GRANULARITIES[interval]}"
        return parse_bars(await self.http.get(path, {"start": stamp(start), "end": stamp(end)}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": "…", "data": null}`; `error` is null in an answer. A plan that lacks something is a 401."""
        failed = reply.body.get("error")
        if reply.status == 402:
            return NotCovered("messari", "the plan does not include this: see https://messari.io/pricing")
        if failed is None:
            return None
        said = str(failed.value).lower()
        if reply.status in (401, 403) and any(word in said for word in PLAN_WORDS):
            return NotCovered("messari", "the key's plan does not include this: see https://messari.io/pricing")
        return NotCovered("messari", "the upstream refused without a known reason") if reply.status < 300 else None


def stamp(moment: datetime) -> str:
    """RFC 3339 in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_asset(instrument: InstrumentId, row: Row) -> Quote:
    """One coin. The open of its 24 hours is the price itself and says nothing; its changes are in percent."""
    market, changes = row["marketData"], row.get("returnOnInvestment")
    return Quote(
        instrument=instrument,
        price=market.decimal("priceUsd"),
        price_type=PriceType.INDEX,
        quote_volume=market.maybe("volume24Hour"),
        change_percent=None if changes is None else changes.maybe("priceChange24h"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_bars(body: Row) -> Bars:
    """Rows in the order of columns that the answer states beside them; the volume is in dollars."""
    told = body.get("metadata")
    schemas = None if told is None else told.get("pointSchemas")
    names = COLUMNS if schemas is None else tuple(schema.text("slug") for schema in schemas)
    if not set(COLUMNS) <= set(names):
        body.broken(f"has no columns {', '.join(COLUMNS)}")
    time, opened, high, low, close, volume = map(names.index, COLUMNS)
    return body["data"]["points"].bars(
        time=time, open=opened, high=high, low=low, close=close, quote_volume=volume, unit="s"
    )
