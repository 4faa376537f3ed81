"""CoinPaprika: averaged crypto prices, daily candles, ranking, search. Docs: https://docs.coinpaprika.com"""

from __future__ import annotations

from asyncio import gather
from datetime import datetime, timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, Tier, answers, header, per_second
from providers.crypto._coins import DAY, Coins, bars_of, day_of, is_named, last_known, line
from providers.row import Row
from schema.errors import NotCovered, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Bars, CandlesAsk, join_bars
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.history import HISTORICAL_QUOTE, PRICE_HISTORY, HistoricalQuoteAsk, PriceHistoryAsk, PricePoint
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow

COINS = Coins(
    provider="coinpaprika",
    ids={
        "BTC": "btc-bitcoin", "ETH": "eth-ethereum", "USDT": "usdt-tether", "XRP": "xrp-xrp", "BNB": "bnb-binance-coin",
        "SOL": "sol-solana", "USDC": "usdc-usd-coin", "TRX": "trx-tron", "DOGE": "doge-dogecoin", "ADA": "ada-cardano",
        "LINK": "link-chainlink", "BCH": "bch-bitcoin-cash", "XLM": "xlm-stellar", "SUI": "sui-sui",
        "AVAX": "avax-avalanche", "LTC": "ltc-litecoin", "HBAR": "hbar-hedera-hashgraph", "SHIB": "shib-shiba-inu",
        "XMR": "xmr-monero", "ZEC": "zec-zcash", "DOT": "dot-polkadot", "DAI": "dai-dai",
        "UNI": "uni-uniswap", "NEAR": "near-near-protocol", "AAVE": "aave-new", "PEPE": "pepe-pepe",
        "ICP": "icp-internet-computer", "ETC": "etc-ethereum-classic", "APT": "apt-aptos", "ARB": "arb-arbitrum",
        "ATOM": "atom-cosmos", "ALGO": "algo-algorand", "VET": "vet-vechain", "FIL": "fil-filecoin",
        "OP": "op-optimism", "IMX": "imx-immutable-x", "GRT": "grt-the-graph", "CRV": "crv-curve-dao-token",
        "MKR": "mkr-maker", "SAND": "sand-the-sandbox", "MANA": "mana-decentraland", "AXS": "axs-axie-infinity",
        "XTZ": "xtz-tezos", "EOS": "eos-eos", "SNX": "snx-synthetix-network-token",
        "YFI": "yfi-yearnfinance", "BAT": "bat-basic-attention-token",
        "ZRX": "zrx-0x", "DASH": "dash-dash", "NEO": "neo-neo", "BSV": "bsv-bitcoin-sv", "ZIL": "zil-zilliqa",
        "COMP": "comp-compoundd", "FLOW": "flow-flow", "THETA": "theta-theta-token", "CHZ": "chz-chiliz",
        "EGLD": "egld-elrond", "INJ": "inj-injective-protocol", "CRO": "cro-cryptocom-chain", "LEO": "leo-leo-token",
        "HYPE": "hype-hyperliquid",
    },
    # https://docs.coinpaprika.com/api-reference/tickers/get-ticker-for-a-specific-coin, parameter `quotes`
    currencies=frozenset({
        "BTC", "ETH", "USD", "EUR", "PLN", "KRW", "GBP", "CAD", "JPY", "RUB", "TRY", "NZD", "AUD", "CHF", "UAH", "HKD",
        "SGD", "NGN", "PHP", "MXN", "BRL", "THB", "CLP", "CNY", "CZK", "DKK", "HUF", "IDR", "ILS", "INR", "MYR", "NOK",
        "PKR", "SEK", "TWD", "ZAR", "VND", "BOB", "COP", "PEN", "ARS", "ISK",
    }),
)  # fmt: skip
PAST_CURRENCIES = frozenset({"USD", "BTC"})
"""Of candles and of the history."""
# The free plan has a year of days, a day of hours and nothing finer; a longer wish is answered with 402.
STEPS = {
    Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "1h", Interval.H2: "2h",
    Interval.H6: "6h", Interval.H12: "12h", Interval.D1: "1d",
}  # fmt: skip
MOST_DAYS, MOST_POINTS = 366, 5_000
LARGEST_RANKING = 2_000


def has_past(instrument: InstrumentId) -> bool:
    """Candles and history are in two currencies only."""
    return COINS.prices(instrument) and instrument.quote in PAST_CURRENCIES


def has_line(ask: PriceHistoryAsk) -> bool:
    """As many points as one answer may hold."""
    few = ask.interval in STEPS and ask.end - ask.start <= ask.interval.delta * MOST_POINTS
    return few and has_past(ask.instrument)


class CoinPaprika(Provider):
    """The free host; a paid key has a host of its own and a longer past."""

    profile = Profile(
        id="coinpaprika",
        name="CoinPaprika",
        base_url="https://api.coinpaprika.com/v1",
        docs="https://docs.coinpaprika.com",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(
            note="Free plan: personal use, attribution required; commercial use needs a paid plan.",
            attribution="Data by CoinPaprika",
            shareable=False,
        ),
        limits=(per_second(10), Limit(count=20_000, per=timedelta(days=30))),
        tiers={
            "pro": Tier(
                base_url="https://api-pro.coinpaprika.com/v1",
                credentials=(header("Authorization", sign_up="https://coinpaprika.com/api/pricing"),),
                limits=(per_second(10), Limit(count=1_000_000, per=timedelta(days=30))),
            )
        },
        priority=50,
    )

    # Every answer may be kept a minute upstream, and the month's calls are few.
    @answers(QUOTES, covers=lambda ask: COINS.all_priced(ask.instruments), max_batch=1, fresh_for=timedelta(minutes=1))
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One coin a call: all of them together are two megabytes."""
        (instrument,) = ask.instruments
        coin = COINS.ids[instrument.base]
        ticker = await self.http.get(f"/tickers/{coin}", {"quotes": instrument.quote})
        return [parse_ticker(instrument, ticker)] if is_named(ticker, instrument) else []

    @answers(
        CANDLES,
        covers=lambda ask: has_past(ask.instrument) and ask.interval is Interval.D1,
        intervals=(Interval.D1,),
        max_rows=MOST_DAYS,
        fresh_for=timedelta(minutes=5),
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Days of UTC. The day in progress and the last full one are free; further ones depend on the plan."""
        today = day_of(self.clock.now())
        coin, quote = COINS.ids[ask.instrument.base], ask.instrument.quote.lower()
        if ask.start < today - DAY:
            params: Params = {
                "start": str(ask.start.date()),
                "end": str((ask.end - DAY).date()),
                "interval": "24h",
                "limit": MOST_DAYS,
                "quote": quote,
            }
            return parse_candles(await self.http.get(f"/coins/{coin}/ohlcv/historical", params))
        parts = (["latest"] if ask.start < today else []) + (["today"] if ask.end > today else [])
        found = await gather(*(self.http.get(f"/coins/{coin}/ohlcv/{part}", {"quote": quote}) for part in parts))
        return join_bars(ask, [parse_candles(rows) for rows in found])

    @answers(PRICE_HISTORY, covers=has_line, fresh_for=timedelta(minutes=5))
    async def price_history(self, ask: PriceHistoryAsk) -> tuple[PricePoint, ...]:
        """One point an interval."""
        points = await self._past(ask.instrument, STEPS[ask.interval], ask.start, ask.end)
        return line(ask, points)

    @answers(HISTORICAL_QUOTE, covers=lambda ask: has_past(ask.instrument))
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """From hours within the last day, which every plan has, and from days before."""
        recent = ask.at > self.clock.now() - DAY + timedelta(hours=2)
        step, span = ("1h", timedelta(hours=1)) if recent else ("1d", DAY)
        points = await self._past(ask.instrument, step, ask.at - 2 * span, ask.at)
        return last_known("coinpaprika", ask, points, span)

    async def _past(self, instrument: InstrumentId, step: str, start: datetime, end: datetime) -> list[PricePoint]:
        params: Params = {
            "start": int(start.timestamp()),
            "end": int(end.timestamp()),
            "interval": step,
            "limit": MOST_POINTS,
            "quote": instrument.quote.lower(),
        }
        rows = await self.http.get(f"/tickers/{COINS.ids[instrument.base]}/historical", params)
        return parse_points(rows, instrument.quote)

    @answers(
        MARKET_CAPS,
        covers=lambda ask: ask.currency in COINS.currencies and ask.first <= LARGEST_RANKING,
        fresh_for=timedelta(minutes=5),
    )
    async def market_caps(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        """The ranking in one answer."""
        rows = await self.http.get("/tickers", {"quotes": ask.currency, "limit": ask.first})
        return parse_market_caps(rows, ask.currency)

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Coins by name or symbol, best first."""
        params: Params = {"q": ask.text, "c": "currencies", "limit": 250}
        return parse_search(await self.http.get("/search", params))[: ask.limit]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": "…"}` with a status that says what it is; a plan that lacks something is 402."""
        if reply.status == 402:
            return NotCovered("coinpaprika", "the plan does not include this: see https://coinpaprika.com/api/pricing")
        if reply.status < 300 and "error" in reply.body:
            return NotCovered("coinpaprika", "the upstream refused without a known reason")
        return None


def parse_ticker(instrument: InstrumentId, body: Row) -> Quote:
    """One coin in one currency."""
    row = body["quotes"][instrument.quote]
    return Quote(
        instrument=instrument,
        price=row.decimal("price"),
        price_type=PriceType.INDEX,
        quote_volume=row.maybe("volume_24h"),
        change_percent=row.maybe("percent_change_24h"),
        stats_window=StatsWindow.ROLLING_24H,
        as_of=body.maybe_instant("last_updated"),
    )


def parse_candles(rows: Row) -> Bars:
    """Days, named by their first second."""
    return bars_of((row.instant("time_open"), row) for row in rows)


def parse_points(rows: Row, currency: str) -> list[PricePoint]:
    """A line of prices."""
    return [
        PricePoint(
            time=row.instant("timestamp"),
            price=row.decimal("price"),
            currency=currency,
            market_cap=row.positive("market_cap"),
            volume24h=row.maybe("volume_24h"),
        )
        for row in rows
    ]


def parse_market_caps(rows: Row, currency: str) -> tuple[MarketCap, ...]:
    """The ranking; a coin without a rank (0) is not in it. Supplies that are not known are written as 0."""
    return tuple(
        MarketCap(
            rank=row.integer("rank"),
            asset=COINS.asset(row.text("id"), row.text("symbol")),
            name=row.text("name"),
            currency=currency,
            price=row["quotes"][currency].decimal("price"),
            market_cap=row["quotes"][currency].positive("market_cap"),
            volume24h=row["quotes"][currency].maybe("volume_24h"),
            change_percent24h=row["quotes"][currency].maybe("percent_change_24h"),
            circulating_supply=row.positive("circulating_supply"),
            total_supply=row.positive("total_supply"),
            max_supply=row.positive("max_supply"),
            as_of=row.maybe_instant("last_updated"),
        )
        for row in rows
        if row.integer("rank") > 0
    )


def parse_search(body: Row) -> tuple[Listing, ...]:
    """Coins that are known by their ids; namesakes of them are left out."""
    found = (
        COINS.listing(row.text("id"), row.maybe_text("name"), row.integer("rank") if "rank" in row else None)
        for row in body["currencies"]
    )
    return tuple(listing for listing in found if listing is not None)
