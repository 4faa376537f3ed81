"""CoinCap: averaged crypto prices in dollars, their past, ranking, search. Docs: https://pro.coincap.io/api-docs"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, Usage, answers, header, per_minute
from providers.crypto._coins import Coins, is_named, last_known, line
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.history import HISTORICAL_QUOTE, PRICE_HISTORY, HistoricalQuoteAsk, PriceHistoryAsk, PricePoint
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow

COINS = Coins(
    provider="coincap",
    ids={
        "BTC": "bitcoin", "ETH": "ethereum", "USDT": "tether", "XRP": "xrp", "BNB": "binance-coin", "SOL": "solana",
        "USDC": "usd-coin", "TRX": "tron", "DOGE": "dogecoin", "ADA": "cardano", "LINK": "chainlink",
        "BCH": "bitcoin-cash", "XLM": "stellar", "SUI": "sui", "AVAX": "avalanche", "LTC": "litecoin",
        "HBAR": "hedera-hashgraph", "SHIB": "shiba-inu", "XMR": "monero", "ZEC": "zcash", "DOT": "polkadot",
        "CRO": "crypto-com-coin", "DAI": "multi-collateral-dai", "UNI": "uniswap", "NEAR": "near-protocol",
        "AAVE": "aave", "LEO": "unus-sed-leo", "PEPE": "pepe", "ICP": "internet-computer", "ETC": "ethereum-classic",
        "APT": "aptos", "ARB": "arbitrum", "ATOM": "cosmos", "ALGO": "algorand", "VET": "vechain", "FIL": "filecoin",
        "QNT": "quant", "OP": "optimism", "GRT": "the-graph", "CRV": "curve-dao-token", "LDO": "lido-dao",
        "WBTC": "wrapped-bitcoin", "STETH": "steth", "MKR": "maker", "SAND": "the-sandbox", "MANA": "decentraland",
        "AXS": "axie-infinity", "GALA": "gala", "CHZ": "chiliz", "XTZ": "tezos", "EOS": "eos", "FLOW": "flow",
        "THETA": "theta", "EGLD": "elrond-egld", "KAVA": "kava", "SNX": "synthetix-network-token", "COMP": "compound",
        "YFI": "yearn-finance", "BAT": "basic-attention-token", "ZRX": "0x", "DASH": "dash", "NEO": "neo",
        "IOTA": "iota", "RUNE": "thorchain", "CAKE": "pancakeswap", "BSV": "bitcoin-sv", "1INCH": "1inch",
        "ZIL": "zilliqa", "HNT": "helium", "STX": "stacks", "INJ": "injective-protocol",
    },
)  # fmt: skip
# How long a range each step may have: https://pro.coincap.io/api-docs, "history".
STEPS = {
    Interval.M1: ("m1", timedelta(days=1)),
    Interval.M5: ("m5", timedelta(days=5)),
    Interval.M15: ("m15", timedelta(days=7)),
    Interval.M30: ("m30", timedelta(days=14)),
    Interval.H1: ("h1", timedelta(days=30)),
    Interval.H2: ("h2", timedelta(days=61)),
    Interval.H6: ("h6", timedelta(days=183)),
    Interval.H12: ("h12", timedelta(days=365)),
    Interval.D1: ("d1", timedelta(days=7_305)),
}
HOUR = timedelta(hours=1)
LARGEST_RANKING = 2_000
MONTH = Limit(count=4_000, per=timedelta(days=30), unit="credits")
"""Of the free plan. A call costs one, and one for every 2.5 kB of its answer."""
ROWS_A_CREDIT = 7
"""An asset of the ranking has some 350 bytes, a point of the past some 90."""
POINTS_A_CREDIT = 27


def series_cost(ask: PriceHistoryAsk) -> int:
    """Credits, by the number of points."""
    return 2 + int((ask.end - ask.start) / ask.interval.delta) // POINTS_A_CREDIT


def has_line(ask: PriceHistoryAsk) -> bool:
    """A range that one answer may hold."""
    step = STEPS.get(ask.interval)
    return step is not None and ask.end - ask.start <= step[1] and COINS.prices(ask.instrument)


class CoinCap(Provider):
    """Version 3, which needs a key; the keyless version 2 has ended."""

    profile = Profile(
        id="coincap",
        name="CoinCap",
        base_url="https://rest.coincap.io/v3",
        docs="https://pro.coincap.io/api-docs",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Own use and display; resale needs an agreement.", attribution="Data by CoinCap"),
        credentials=(header("Authorization", template="Bearer {}", sign_up="https://pro.coincap.io/dashboard"),),
        limits=(per_minute(600), MONTH),
        usage=(Usage(header="x-ratelimit-remaining", limit=per_minute(600), remaining=True),),
        priority=50,
    )

    @answers(
        QUOTES,
        covers=lambda ask: COINS.all_priced(ask.instruments),
        max_batch=100,
        weight=lambda ask: 2 + len(ask.instruments) // ROWS_A_CREDIT,
        fresh_for=timedelta(seconds=30),
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One coin by its path, several by their ids."""
        coins = sorted({COINS.ids[instrument.base] for instrument in ask.instruments})
        if len(coins) == 1:
            body = await self.http.get(f"/assets/{coins[0]}")
            rows = {coins[0]: body["data"]}
        else:
            body = await self.http.get("/assets", {"ids": ",".join(coins), "limit": len(coins)})
            rows = {row.text("id"): row for row in body["data"]}
        moment = body.maybe_epoch("timestamp", "ms")
        found = ((instrument, rows.get(COINS.ids[instrument.base])) for instrument in ask.instruments)
        return [
            parse_asset(instrument, row, moment)
            for instrument, row in found
            if row is not None and is_named(row, instrument)
        ]

    @answers(PRICE_HISTORY, covers=has_line, weight=series_cost)
    async def price_history(self, ask: PriceHistoryAsk) -> tuple[PricePoint, ...]:
        """One point an interval: the average over it, stamped with its beginning."""
        return line(ask, await self._past(ask.instrument, STEPS[ask.interval][0], ask.start, ask.end))

    @answers(HISTORICAL_QUOTE, covers=lambda ask: COINS.prices(ask.instrument), weight=2)
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """The average of the last full hour."""
        points = await self._past(ask.instrument, "h1", ask.at - 6 * HOUR, ask.at)
        return last_known("coincap", ask, points, HOUR)

    async def _past(self, instrument: InstrumentId, step: str, start: datetime, end: datetime) -> list[PricePoint]:
        params: Params = {"interval": step, "start": milliseconds(start), "end": milliseconds(end)}
        body = await self.http.get(f"/assets/{COINS.ids[instrument.base]}/history", params)
        return parse_points(body["data"])

    @answers(
        MARKET_CAPS,
        covers=lambda ask: ask.currency == "USD" and ask.first <= LARGEST_RANKING,
        weight=lambda ask: 2 + ask.first // ROWS_A_CREDIT,
        fresh_for=timedelta(minutes=5),
    )
    async def market_caps(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        """The ranking in one answer."""
        body = await self.http.get("/assets", {"limit": ask.first})
        return parse_market_caps(body["data"], body.maybe_epoch("timestamp", "ms"))

    @answers(SEARCH, weight=lambda ask: 2 + ask.limit // ROWS_A_CREDIT)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Coins by the beginning of their symbol or id, best first."""
        body = await self.http.get("/assets", {"search": ask.text, "limit": ask.limit})
        return parse_search(body["data"])

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": "…", "timestamp": …}`; used-up credits come as 402 or 403 and differ by their wording only."""
        said = reply.body.get("error")
        if said is None:
            return None
        text = str(said.value).lower()
        if "credit" in text or "usage limit" in text:
            return QuotaExhausted("coincap", "the plan's credits of the month are used up")
        return NotCovered("coincap", "the upstream refused without a known reason") if reply.status < 300 else None


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.astimezone(UTC).timestamp()) * 1000


def parse_asset(instrument: InstrumentId, row: Row, moment: datetime | None) -> Quote:
    """One coin; *moment* stands beside it."""
    return Quote(
        instrument=instrument,
        price=row.decimal("priceUsd"),
        price_type=PriceType.INDEX,
        quote_volume=row.maybe("volumeUsd24Hr"),
        vwap=row.maybe("vwap24Hr"),
        change_percent=row.maybe("changePercent24Hr"),
        stats_window=StatsWindow.ROLLING_24H,
        as_of=moment,
    )


def parse_points(rows: Row) -> list[PricePoint]:
    """A line of prices in dollars."""
    return [PricePoint(time=row.epoch("time", "ms"), price=row.decimal("priceUsd"), currency="USD") for row in rows]


def parse_market_caps(rows: Row, moment: datetime | None) -> tuple[MarketCap, ...]:
    """The ranking; a coin without a price is left out."""
    return tuple(
        MarketCap(
            rank=row.integer("rank"),
            asset=COINS.asset(row.text("id"), row.text("symbol")),
            name=row.text("name"),
            currency="USD",
            price=row.decimal("priceUsd"),
            market_cap=row.positive("marketCapUsd"),
            volume24h=row.maybe("volumeUsd24Hr"),
            change_percent24h=row.maybe("changePercent24Hr"),
            circulating_supply=row.positive("supply"),
            max_supply=row.positive("maxSupply"),
            as_of=moment,
        )
        for row in rows
        if row["priceUsd"].value is not None
    )


def parse_search(rows: Row) -> tuple[Listing, ...]:
    """Coins that are known by their ids; namesakes of them are left out."""
    found = (COINS.listing(row.text("id"), row.maybe_text("name"), row.integer("rank")) for row in rows)
    return tuple(listing for listing in found if listing is not None)
