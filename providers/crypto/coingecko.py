"""CoinGecko: averaged crypto prices and their past, candles without volume, ranking, search. Docs: https://docs.coingecko.com"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil

from providers.contract import Licence, Params, Profile, Provider, Reply, Tier, answers, header, per_minute
from providers.crypto._coins import Coins, last_known, line
from providers.row import Row
from schema.errors import NotCovered, Overloaded, Throttled, Unauthorized, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.history import HISTORICAL_QUOTE, PRICE_HISTORY, HistoricalQuoteAsk, PriceHistoryAsk, PricePoint
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow

# Every id stands here once: https://docs.coingecko.com/reference/coins-list
IDS = {
    "BTC": "bitcoin", "ETH": "ethereum", "USDT": "tether", "XRP": "ripple", "BNB": "binancecoin", "SOL": "solana",
    "USDC": "usd-coin", "TRX": "tron", "DOGE": "dogecoin", "ADA": "cardano", "HYPE": "hyperliquid",
    "LINK": "chainlink", "BCH": "bitcoin-cash", "XLM": "stellar", "SUI": "sui", "AVAX": "avalanche-2",
    "LTC": "litecoin", "HBAR": "hedera-hashgraph", "SHIB": "shiba-inu", "XMR": "monero", "ZEC": "zcash",
    "TON": "the-open-network", "DOT": "polkadot", "CRO": "crypto-com-chain", "DAI": "dai", "USDE": "ethena-usde",
    "UNI": "uniswap", "MNT": "mantle", "TAO": "bittensor", "NEAR": "near", "AAVE": "aave", "OKB": "okb",
    "LEO": "leo-token", "BGB": "bitget-token", "PEPE": "pepe", "ICP": "internet-computer", "ETC": "ethereum-classic",
    "APT": "aptos", "ENA": "ethena", "ONDO": "ondo-finance", "WLD": "worldcoin-wld", "POL": "polygon-ecosystem-token",
    "ARB": "arbitrum", "KAS": "kaspa", "ATOM": "cosmos", "ALGO": "algorand", "VET": "vechain", "FIL": "filecoin",
    "RENDER": "render-token", "FET": "fetch-ai", "SEI": "sei-network", "BONK": "bonk", "QNT": "quant-network",
    "JUP": "jupiter-exchange-solana", "TRUMP": "official-trump", "INJ": "injective-protocol", "STX": "blockstack",
    "OP": "optimism", "IMX": "immutable-x", "TIA": "celestia", "GRT": "the-graph", "CRV": "curve-dao-token",
    "LDO": "lido-dao", "FLOKI": "floki", "WIF": "dogwifcoin", "PYUSD": "paypal-usd", "FDUSD": "first-digital-usd",
    "TUSD": "true-usd", "EURC": "euro-coin", "PAXG": "pax-gold", "XAUT": "tether-gold", "WBTC": "wrapped-bitcoin",
    "STETH": "staked-ether", "MKR": "maker", "SAND": "the-sandbox", "MANA": "decentraland", "AXS": "axie-infinity",
    "GALA": "gala", "CHZ": "chiliz", "XTZ": "tezos", "EOS": "eos", "FLOW": "flow", "THETA": "theta-token",
    "EGLD": "elrond-erd-2", "KAVA": "kava", "SNX": "havven", "COMP": "compound-governance-token",
    "YFI": "yearn-finance", "BAT": "basic-attention-token", "ZRX": "0x", "DASH": "dash", "NEO": "neo", "IOTA": "iota",
    "RUNE": "thorchain", "PENDLE": "pendle", "DYDX": "dydx-chain", "ENS": "ethereum-name-service",
    "CAKE": "pancakeswap-token", "KCS": "kucoin-shares", "BSV": "bitcoin-cash-sv", "APE": "apecoin",
    "1INCH": "1inch", "SUSHI": "sushi", "ZIL": "zilliqa", "LPT": "livepeer", "AR": "arweave", "HNT": "helium",
}  # fmt: skip

# https://docs.coingecko.com/reference/simple-supported-currencies, without its units that are no currency (sats, xdr).
CURRENCIES = frozenset({
    "USD", "AED", "ARS", "AUD", "BDT", "BHD", "BMD", "BRL", "CAD", "CHF", "CLP", "CNY", "CZK", "DKK", "EUR", "GBP",
    "GEL", "HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KRW", "KWD", "LKR", "MMK", "MXN", "MYR", "NGN", "NOK", "NZD",
    "PHP", "PKR", "PLN", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "VND", "ZAR", "BTC", "ETH", "LTC",
    "BCH", "BNB", "EOS", "XRP", "XLM", "LINK", "DOT", "YFI", "SOL",
})  # fmt: skip
COINS = Coins(provider="coingecko", ids=IDS, currencies=CURRENCIES)
# The upstream picks the candles' length by the days asked for, and takes only some numbers of days.
DAYS = {Interval.M30: (1,), Interval.H4: (7, 14, 30)}
REACH = {interval: timedelta(days=days[-1]) for interval, days in DAYS.items()}
# So is the distance of a line's points: five minutes within a day, hours up to 90 days, days only where asked for.
LINES = {Interval.M5: (1, 1), Interval.H1: (2, 90), Interval.D1: (1, 10_000)}
PAGE, LARGEST_PAGE = 100, 250
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ERRORS = "https://docs.coingecko.com/docs/errors-and-rate-limits"
# No key, a plan without the endpoint, a key of the other host (twice), a history longer than the plan's.
_CODES: dict[int | None, type[UpstreamError]] = {
    10002: Unauthorized, 10005: NotCovered, 10010: Unauthorized, 10011: Unauthorized, 10012: NotCovered,
}  # fmt: skip


class CoinGecko(Provider):
    """The public API; a free demo key raises its limits."""

    profile = Profile(
        id="coingecko",
        name="CoinGecko",
        base_url="https://api.coingecko.com/api/v3",
        docs="https://docs.coingecko.com",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(
            note="Free plan: display with attribution; redistribution needs an agreement.",
            attribution="Data by CoinGecko",
        ),
        tiers={
            "pro": Tier(
                base_url="https://pro-api.coingecko.com/api/v3",
                credentials=(header("x-cg-pro-api-key", sign_up="https://www.coingecko.com/en/api/pricing"),),
                limits=(per_minute(500),),
            )
        },
        # The demo key's sign-up is free; a paid key belongs to the tier `pro` and is refused here.
        credentials=(
            header("x-cg-demo-api-key", required=False, sign_up="https://www.coingecko.com/en/developers/dashboard"),
        ),
        # Without a key the limit is shared by everybody behind one address and unstated; a demo key has 100 a minute.
        limits=(per_minute(30),),
        priority=50,
    )

    @answers(QUOTES, covers=lambda ask: COINS.all_priced(ask.instruments), max_batch=100)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One call prices every coin in every currency of the batch."""
        params = {
            # A space after a comma silently drops the coin that follows.
            "ids": ",".join(sorted({IDS[i.base] for i in ask.instruments})),
            "vs_currencies": ",".join(sorted({i.quote.lower() for i in ask.instruments})),
            "include_24hr_vol": "true",
            "include_24hr_change": "true",
            "include_last_updated_at": "true",
            # Without it large prices are rounded to whole units.
            "precision": "full",
        }
        body = await self.http.get("/simple/price", params)
        found = (parse_price(instrument, body) for instrument in ask.instruments)
        return [quote for quote in found if quote is not None]

    # Recomputed every 15 minutes upstream. Daily candles exist on paid plans only: closes alone are no candles.
    @answers(
        CANDLES,
        covers=lambda ask: COINS.prices(ask.instrument) and ask.interval in DAYS,
        intervals=tuple(DAYS),
        max_rows=180,
        reach=REACH.get,
        delay=FeedDelay.DELAYED,
        delay_seconds=900,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """The shortest window that reaches back to the start; it always ends now."""
        age = self.clock.now() - ask.start
        offered = DAYS[ask.interval]
        days = next((days for days in offered if timedelta(days=days) >= age), offered[-1])
        params: dict[str, str | int] = {"vs_currency": ask.instrument.quote.lower(), "days": days, "precision": "full"}
        return parse_candles(await self.http.get(f"/coins/{IDS[ask.instrument.base]}/ohlc", params), ask.interval)

    @answers(PRICE_HISTORY, covers=lambda ask: COINS.prices(ask.instrument) and ask.interval in LINES)
    async def price_history(self, ask: PriceHistoryAsk) -> tuple[PricePoint, ...]:
        """A line that ends now; how far back it may begin depends on the interval, and for days on the plan."""
        fewest, most = LINES[ask.interval]
        days = max(ceil((self.clock.now() - ask.start) / timedelta(days=1)), fewest)
        if days > most:
            raise NotCovered("coingecko", f"has {ask.interval.value} points of the last {most} days only")
        params: Params = {"vs_currency": ask.instrument.quote.lower(), "days": days, "precision": "full"}
        daily = {"interval": "daily"} if ask.interval is Interval.D1 else {}
        body = await self.http.get(f"/coins/{IDS[ask.instrument.base]}/market_chart", {**params, **daily})
        return line(ask, parse_line(body, ask.instrument.quote))

    @answers(HISTORICAL_QUOTE, covers=lambda ask: COINS.prices(ask.instrument))
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """The last price of the day before, which has one an hour."""
        params: Params = {
            "vs_currency": ask.instrument.quote.lower(),
            "from": int((ask.at - timedelta(days=1)).timestamp()),
            "to": int(ask.at.timestamp()),
            "precision": "full",
        }
        body = await self.http.get(f"/coins/{IDS[ask.instrument.base]}/market_chart/range", params)
        return last_known("coingecko", ask, parse_line(body, ask.instrument.quote))

    @answers(MARKET_CAPS, covers=lambda ask: ask.currency in CURRENCIES)
    async def market_caps(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        """Pages of the ranking, as many as the number asked for needs."""
        size = PAGE if ask.first <= PAGE else LARGEST_PAGE
        found: list[MarketCap] = []
        for page in range(1, ceil(ask.first / size) + 1):
            params: dict[str, str | int] = {
                "vs_currency": ask.currency.lower(),
                "order": "market_cap_desc",
                "per_page": size,
                "page": page,
                "precision": "full",
            }
            rows = await self.http.get("/coins/markets", params)
            found += parse_market_caps(rows, ask.currency)
            if len(rows) < size:
                break
        return tuple(found)

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Coins by name, symbol or id, best first."""
        return parse_search(await self.http.get("/search", {"query": ask.text}))[: ask.limit]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Three shapes: `{"error": "…"}`, `{"status": 500, "error": "…"}`, `{"status": {"error_code", …}}`.

        The last one also comes wrapped in `error`. An answer keyed by coin may hold a coin called `status`.
        """
        error, status = reply.body.get("error"), reply.body.get("status")
        if error is not None and "status" in error:
            status = error["status"]
        code = None if status is None else status.get("error_code")
        if error is None and code is None:
            return None
        number = next((row.value for row in (code, status) if row is not None and type(row.value) is int), None)
        kind = _CODES.get(number)
        if kind is None and reply.status < 300:
            kind = Throttled if number == 429 else Overloaded
        return None if kind is None else kind(self.profile.id, f"error {number}, see {ERRORS}")


def parse_price(instrument: InstrumentId, body: Row) -> Quote | None:
    """One coin in one currency; None where the answer has no such coin, or the coin no such currency."""
    coin = body.get(IDS[instrument.base])
    currency = instrument.quote.lower()
    if coin is None or currency not in coin:
        return None
    return Quote(
        instrument=instrument,
        price=coin.decimal(currency),
        price_type=PriceType.INDEX,
        quote_volume=coin.maybe(f"{currency}_24h_vol"),
        change_percent=coin.maybe(f"{currency}_24h_change"),
        stats_window=StatsWindow.ROLLING_24H,
        as_of=coin.maybe_epoch("last_updated_at"),
    )


def parse_candles(body: Row, interval: Interval) -> Bars:
    """Rows `[end in ms, open, high, low, close]`: the stamp is the candle's close time, so its open is one step before.

    The newest row may be stamped before its end while it forms; it belongs to the interval that holds that moment.
    """
    bars = body.bars(time=0, open=1, high=2, low=3, close=4)
    step = interval.delta
    ends = bars.open_time
    # The upstream decides the length of its candles: never let another length pass under the asked one's name.
    if len(ends) > 2 and step not in {b - a for a, b in pairwise(ends)}:
        body.broken(f"is not a series of {interval.value} candles")
    opens = [end - step for end in ends[:-1]]
    opens += [end - ((end - _EPOCH) % step or step) for end in ends[-1:]]
    return replace(bars, open_time=tuple(opens))


def parse_line(body: Row, currency: str) -> list[PricePoint]:
    """Three lists of `[time in ms, number]`, which need not have the same times."""
    caps = {row.integer(0): row.positive(1) for row in body["market_caps"]}
    volumes = {row.integer(0): row.maybe(1) for row in body["total_volumes"]}
    return [
        PricePoint(
            time=row.epoch(0, "ms"),
            price=row.decimal(1),
            currency=currency,
            market_cap=caps.get(row.integer(0)),
            volume24h=volumes.get(row.integer(0)),
        )
        for row in body["prices"]
    ]


def parse_market_caps(body: Row, currency: str) -> list[MarketCap]:
    """The ranking's rows; a coin without a market has a null price and is left out."""
    return [
        MarketCap(
            rank=_rank(row),
            asset=COINS.asset(row.text("id"), row.text("symbol")),
            name=row.text("name"),
            currency=currency,
            price=row.decimal("current_price"),
            # An unknown circulating supply makes the capitalisation 0.
            market_cap=row.positive("market_cap"),
            fully_diluted=row.positive("fully_diluted_valuation"),
            volume24h=row.maybe("total_volume"),
            change_percent24h=row.maybe("price_change_percentage_24h"),
            circulating_supply=row.positive("circulating_supply"),
            total_supply=row.positive("total_supply"),
            max_supply=row.positive("max_supply"),
            as_of=row.maybe_instant("last_updated"),
        )
        for row in body
        if row["current_price"].value is not None
    ]


def parse_search(body: Row) -> tuple[Listing, ...]:
    """Coins whose pair leads back to the same coin; namesakes of a listed symbol are left out."""
    found = (COINS.listing(coin.text("id"), coin.maybe_text("name"), _rank(coin)) for coin in body["coins"])
    return tuple(listing for listing in found if listing is not None)


def _rank(row: Row) -> int | None:
    return row.integer("market_cap_rank") if row.get("market_cap_rank") is not None else None
