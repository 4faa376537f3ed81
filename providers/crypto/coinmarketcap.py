"""CoinMarketCap: averaged crypto prices, their past, candles, ranking. Docs: https://pro.coinmarketcap.com/api/documentation"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, Tier, answers, header, per_minute
from providers.crypto._coins import Coins, bars_of, is_named, last_known, line
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.history import HISTORICAL_QUOTE, PRICE_HISTORY, HistoricalQuoteAsk, PriceHistoryAsk, PricePoint
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow

COINS = Coins(
    provider="coinmarketcap",
    ids={
        "BTC": "1", "ETH": "1027", "USDT": "825", "XRP": "52", "BNB": "1839", "SOL": "5426", "USDC": "3408",
        "TRX": "1958", "DOGE": "74", "ADA": "2010", "HYPE": "32196", "LINK": "1975", "BCH": "1831", "XLM": "512",
        "SUI": "20947", "AVAX": "5805", "LTC": "2", "HBAR": "4642", "SHIB": "5994", "XMR": "328", "ZEC": "1437",
        "TON": "11419", "DOT": "6636", "CRO": "3635", "DAI": "4943", "USDE": "29470", "UNI": "7083", "MNT": "27075",
        "TAO": "22974", "NEAR": "6535", "AAVE": "7278", "OKB": "3897", "LEO": "3957", "BGB": "11092", "PEPE": "24478",
        "ICP": "8916", "ETC": "1321", "APT": "21794", "ENA": "30171", "ONDO": "21159", "WLD": "13502", "POL": "28321",
        "ARB": "11841", "KAS": "20396", "ATOM": "3794", "ALGO": "4030", "VET": "3077", "FIL": "2280", "RENDER": "5690",
        "FET": "3773", "SEI": "23149", "BONK": "23095", "QNT": "3155", "JUP": "29210", "TRUMP": "35336", "INJ": "7226",
        "STX": "4847", "OP": "11840", "IMX": "10603", "TIA": "22861", "GRT": "6719", "CRV": "6538", "LDO": "8000",
        "FLOKI": "10804", "WIF": "28752", "PYUSD": "27772", "FDUSD": "26081", "TUSD": "2563", "PAXG": "4705",
        "XAUT": "5176", "WBTC": "3717", "STETH": "8085", "MKR": "1518", "SAND": "6210", "MANA": "1966", "AXS": "6783",
        "GALA": "7080", "CHZ": "4066", "XTZ": "2011", "EOS": "1765", "FLOW": "4558", "THETA": "2416", "EGLD": "6892",
        "KAVA": "4846", "SNX": "2586", "COMP": "5692", "YFI": "5864", "BAT": "1697", "ZRX": "1896", "DASH": "131",
        "NEO": "1376", "IOTA": "1720", "RUNE": "4157", "PENDLE": "9481", "DYDX": "28324", "ENS": "13855",
        "CAKE": "7186", "KCS": "2087", "BSV": "3602", "APE": "18876", "1INCH": "8104", "SUSHI": "6758", "ZIL": "2469",
        "LPT": "3640", "AR": "5632", "HNT": "5665",
    },
    # One a call on the free plan; https://pro.coinmarketcap.com/api/documentation, "Standards and Conventions".
    currencies=frozenset({
        "USD", "ALL", "DZD", "ARS", "AMD", "AUD", "AZN", "BHD", "BDT", "BYN", "BMD", "BOB", "BAM", "BRL", "BGN", "KHR",
        "CAD", "CLP", "CNY", "COP", "CRC", "CZK", "DKK", "DOP", "EGP", "EUR", "GEL", "GHS", "GTQ", "HNL", "HKD", "HUF",
        "ISK", "INR", "IDR", "ILS", "JMD", "JPY", "JOD", "KZT", "KES", "KWD", "KGS", "MYR", "MUR", "MXN", "MDL", "MAD",
        "NPR", "TWD", "NZD", "NGN", "NOK", "OMR", "PKR", "PEN", "PHP", "PLN", "GBP", "QAR", "RON", "RUB", "SAR", "RSD",
        "SGD", "ZAR", "KRW", "LKR", "SEK", "CHF", "THB", "TTD", "TND", "TRY", "UGX", "UAH", "AED", "UYU", "UZS", "VND",
        "BTC", "ETH",
    }),
)  # fmt: skip
STEPS = {
    Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "1h", Interval.H2: "2h",
    Interval.H4: "4h", Interval.H6: "6h", Interval.H12: "12h", Interval.D1: "1d",
}  # fmt: skip
PERIODS = {Interval.H1: "hourly", Interval.D1: "daily"}
MOST_POINTS = 5_000
LARGEST_RANKING = 5_000
POINTS_A_CREDIT, COINS_A_CREDIT = 100, 200
MONTH = Limit(count=15_000, per=timedelta(days=30), unit="credits")
WHY = "see https://pro.coinmarketcap.com/api/documentation/guides/errors-and-rate-limits"
MINUTE = 60.0
ENDLESS = "infinite_supply"
REFUSALS: dict[int, tuple[type[UpstreamError], str]] = {
    1001: (Unauthorized, "the key is invalid"),
    1002: (Unauthorized, "the key is missing"),
    1003: (Unauthorized, "the key's plan is not paid yet"),
    1004: (Unauthorized, "the key's plan has expired"),
    1005: (Unauthorized, "a key is needed"),
    1006: (NotCovered, "the key's plan does not include this"),
    1007: (Unauthorized, "the key is switched off"),
    1008: (Throttled, "too many requests in this minute"),
    1009: (QuotaExhausted, "the day's credits are used up"),
    1010: (QuotaExhausted, "the month's credits are used up"),
    1011: (Throttled, "too many requests from this address"),
}


def has_line(ask: PriceHistoryAsk) -> bool:
    """As many points as one answer may hold."""
    few = ask.interval in STEPS and ask.end - ask.start <= ask.interval.delta * MOST_POINTS
    return few and COINS.prices(ask.instrument)


def series_cost(ask: CandlesAsk | PriceHistoryAsk) -> int:
    """Credits, by the number of points."""
    return 1 + int((ask.end - ask.start) / ask.interval.delta) // POINTS_A_CREDIT


class CoinMarketCap(Provider):
    """The free plan has prices and the ranking; the past and candles need a paid one."""

    profile = Profile(
        id="coinmarketcap",
        name="CoinMarketCap",
        base_url="https://pro-api.coinmarketcap.com",
        docs="https://pro.coinmarketcap.com/api/documentation",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(
            note="Free plan: personal use, attribution required; redistribution needs an agreement.",
            attribution="Data by CoinMarketCap",
            shareable=False,
        ),
        credentials=(header("X-CMC_PRO_API_KEY", sign_up="https://pro.coinmarketcap.com/signup"),),
        limits=(per_minute(30), MONTH),
        tiers={"standard": Tier(limits=(per_minute(300), replace(MONTH, count=500_000)))},
        priority=50,
    )

    # Prices are new once a minute.
    @answers(
        QUOTES, covers=lambda ask: COINS.all_priced(ask.instruments), max_batch=100, fresh_for=timedelta(minutes=1)
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """A call for each currency of the batch: the free plan takes one at a time."""
        found: list[Quote] = []
        for currency in sorted({instrument.quote for instrument in ask.instruments}):
            wanted = [instrument for instrument in ask.instruments if instrument.quote == currency]
            coins = sorted({COINS.ids[instrument.base] for instrument in wanted}, key=int)
            params = {"id": ",".join(coins), "convert": currency, "skip_invalid": "true"}
            body = await self.http.get("/v3/cryptocurrency/quotes/latest", params)
            rows = {row.label("id"): row for row in body["data"]}
            known = ((instrument, rows.get(COINS.ids[instrument.base])) for instrument in wanted)
            found += [parse_quote(one, row) for one, row in known if row is not None and is_named(row, one)]
        return found

    @answers(
        CANDLES,
        covers=lambda ask: COINS.prices(ask.instrument) and ask.interval in PERIODS,
        intervals=tuple(PERIODS),
        max_rows=1_000,
        weight=series_cost,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Hours or days of UTC. The start of a range is not part of it upstream."""
        step = ask.interval.delta
        params: Params = {
            "id": COINS.ids[ask.instrument.base],
            "time_period": PERIODS[ask.interval],
            "interval": PERIODS[ask.interval],
            "time_start": unix(ask.start - step),
            "time_end": unix(ask.end - timedelta(seconds=1)),
            "count": int((ask.end - ask.start) / step) + 1,
            "convert": ask.instrument.quote,
        }
        body = await self.http.get("/v2/cryptocurrency/ohlcv/historical", params)
        return parse_candles(series_of(body, ask.instrument), ask.instrument)

    @answers(PRICE_HISTORY, covers=has_line, weight=series_cost)
    async def price_history(self, ask: PriceHistoryAsk) -> tuple[PricePoint, ...]:
        """One point an interval. The start of a range may not be part of it upstream."""
        params: Params = {
            "id": COINS.ids[ask.instrument.base],
            "interval": STEPS[ask.interval],
            "time_start": unix(ask.start - ask.interval.delta),
            "time_end": unix(ask.end),
            "count": int((ask.end - ask.start) / ask.interval.delta) + 2,
            "convert": ask.instrument.quote,
        }
        return line(ask, await self._past(ask.instrument, params))

    @answers(HISTORICAL_QUOTE, covers=lambda ask: COINS.prices(ask.instrument))
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """The last price of five minutes."""
        params: Params = {
            "id": COINS.ids[ask.instrument.base],
            "interval": "5m",
            "time_end": unix(ask.at),
            "count": 1,
            "convert": ask.instrument.quote,
        }
        return last_known("coinmarketcap", ask, await self._past(ask.instrument, params))

    async def _past(self, instrument: InstrumentId, params: Params) -> list[PricePoint]:
        body = await self.http.get("/v3/cryptocurrency/quotes/historical", params)
        return parse_points(series_of(body, instrument), instrument.quote)

    @answers(
        MARKET_CAPS,
        covers=lambda ask: ask.currency in COINS.currencies and ask.first <= LARGEST_RANKING,
        weight=lambda ask: -(-ask.first // COINS_A_CREDIT),
        fresh_for=timedelta(minutes=2),
    )
    async def market_caps(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        """The ranking in one answer."""
        params: Params = {"start": 1, "limit": ask.first, "convert": ask.currency}
        body = await self.http.get("/v3/cryptocurrency/listings/latest", params)
        return tuple(parse_market_cap(row, ask.currency) for row in body["data"])

    # The upstream finds symbols only, and refuses one that it does not know.
    @answers(SEARCH, covers=lambda ask: ask.text.upper() in COINS.ids)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """The coin of a symbol, without its namesakes."""
        body = await self.http.get("/v1/cryptocurrency/map", {"symbol": ask.text.upper()})
        return parse_search(body)[: ask.limit]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"status": {"error_code", "error_message"}}` is part of every answer; 0 is none, and may be a text."""
        status = reply.body.get("status")
        code = None if status is None else status.get("error_code")
        number = int(code.value) if code is not None and str(code.value).isdecimal() else 0
        if number in REFUSALS:
            kind, told = REFUSALS[number]
            return kind("coinmarketcap", told, retry_after=MINUTE if kind is Throttled else None)
        said = "" if status is None or type(status.value) is not dict else str(status.value.get("error_message"))
        if number == 400 and '"id"' in said:
            return UnknownInstrument("coinmarketcap", "there is no coin with this id")
        return NotCovered("coinmarketcap", f"error {number}, {WHY}") if number and reply.status < 300 else None


def unix(moment: datetime) -> int:
    """Seconds since 1970."""
    return int(moment.timestamp())


def amounts(row: Row, currency: str) -> Row:
    """Its amounts in a currency: `quote` is an object by currency, or a list of objects with a `symbol` each."""
    quote = row["quote"]
    if not isinstance(quote.value, list):
        return quote[currency]
    listed = {each.text("symbol"): each for each in quote}
    return listed.get(currency) or quote.broken(f"has no {currency}")


def series_of(body: Row, instrument: InstrumentId) -> Row:
    """The coin's own part of an answer, which is keyed by its id or is about it alone."""
    data = body["data"]
    coin = data.get(COINS.ids[instrument.base]) or data
    if not is_named(coin, instrument):
        coin.broken(f"is not {instrument.base}")
    return coin["quotes"]


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """One coin in one currency; the volume is in that currency too."""
    money = amounts(row, instrument.quote)
    return Quote(
        instrument=instrument,
        price=money.decimal("price"),
        price_type=PriceType.INDEX,
        quote_volume=money.maybe("volume_24h"),
        change_percent=money.maybe("percent_change_24h"),
        stats_window=StatsWindow.ROLLING_24H,
        as_of=money.maybe_instant("last_updated"),
    )


def parse_candles(rows: Row, instrument: InstrumentId) -> Bars:
    """Candles named by their first moment."""
    return bars_of((row.instant("time_open"), amounts(row, instrument.quote)) for row in rows)


def parse_points(rows: Row, currency: str) -> list[PricePoint]:
    """A line of prices; a moment without one is left out."""
    found = ((row, amounts(row, currency)) for row in rows)
    return [
        PricePoint(
            time=row.instant("timestamp"),
            price=money.decimal("price"),
            currency=currency,
            market_cap=money.positive("market_cap"),
            volume24h=money.maybe("volume_24h"),
        )
        for row, money in found
        if money["price"].value is not None
    ]


def parse_market_cap(row: Row, currency: str) -> MarketCap:
    """One coin of the ranking; a supply without an end is null or a word."""
    money = amounts(row, currency)
    return MarketCap(
        rank=row.integer("cmc_rank"),
        asset=COINS.asset(row.label("id"), row.text("symbol")),
        name=row.text("name"),
        currency=currency,
        price=money.decimal("price"),
        market_cap=money.positive("market_cap"),
        fully_diluted=money.positive("fully_diluted_market_cap"),
        volume24h=money.maybe("volume_24h"),
        change_percent24h=money.maybe("percent_change_24h"),
        circulating_supply=row.positive("circulating_supply"),
        total_supply=row.positive("total_supply"),
        max_supply=None if row["max_supply"].value == ENDLESS else row.positive("max_supply"),
        as_of=money.maybe_instant("last_updated"),
    )


def parse_search(body: Row) -> tuple[Listing, ...]:
    """Coins that are known by their ids; namesakes of them are left out."""
    found = (
        COINS.listing(row.label("id"), row.maybe_text("name"), row.integer("rank") if row.get("rank") else None)
        for row in body["data"]
    )
    return tuple(listing for listing in found if listing is not None)
