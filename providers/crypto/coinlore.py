"""CoinLore: averaged crypto prices in dollars and the ranking, without a key. Docs: https://www.coinlore.com/cryptocurrency-data-api"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from providers.contract import Licence, Profile, Provider, answers, per_second
from providers.crypto._coins import Coins, is_named
from providers.row import Row
from schema.symbols import AssetClass, InstrumentId
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow

COINS = Coins(
    provider="coinlore",
    ids={
        "BTC": "90", "ETH": "80", "USDT": "518", "XRP": "58", "BNB": "2710", "SOL": "48543", "USDC": "33285",
        "TRX": "2713", "DOGE": "2", "ADA": "257", "LINK": "2751", "BCH": "2321", "XLM": "89", "AVAX": "44883",
        "LTC": "1", "SHIB": "45088", "XMR": "28", "ZEC": "134", "DOT": "45219", "UNI": "47305", "OKB": "33536",
        "ETC": "118", "ATOM": "33830", "TIA": "136105", "CRV": "48581", "XAUT": "42855", "DASH": "8", "CELO": "44425",
    },
)  # fmt: skip
PAGE = 100


class CoinLore(Provider):
    """Prices have two decimals above one dollar, and no time of their own."""

    profile = Profile(
        id="coinlore",
        name="CoinLore",
        base_url="https://api.coinlore.net/api",
        docs="https://www.coinlore.com/cryptocurrency-data-api",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Free for any use, without warranty; attribution asked for.", attribution="CoinLore"),
        # One a second is a recommendation: no limit is published.
        limits=(per_second(1),),
        priority=50,
    )

    @answers(
        QUOTES,
        covers=lambda ask: COINS.all_priced(ask.instruments),
        max_batch=50,
        fresh_for=timedelta(minutes=1),
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """An unknown id is left out upstream."""
        coins = sorted({COINS.ids[instrument.base] for instrument in ask.instruments}, key=int)
        rows = {row.text("id"): row for row in await self.http.get("/ticker/", {"id": ",".join(coins)})}
        found = ((instrument, rows.get(COINS.ids[instrument.base])) for instrument in ask.instruments)
        return [
            parse_ticker(instrument, row) for instrument, row in found if row is not None and is_named(row, instrument)
        ]

    @answers(MARKET_CAPS, covers=lambda ask: ask.currency == "USD", fresh_for=timedelta(minutes=5))
    async def market_caps(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        """Pages of a hundred, as many as the number asked for needs."""
        found: list[MarketCap] = []
        for page in range(ceil(ask.first / PAGE)):
            body = await self.http.get("/tickers/", {"start": page * PAGE, "limit": PAGE})
            told = body.get("info")
            moment = None if told is None else told.maybe_epoch("time")
            found += parse_market_caps(body["data"], moment)
            if len(body["data"]) < PAGE:
                break
        return tuple(found)


def parse_ticker(instrument: InstrumentId, row: Row) -> Quote:
    """One coin. Its volume is a text here and a number in the ranking."""
    return Quote(
        instrument=instrument,
        price=row.decimal("price_usd"),
        price_type=PriceType.INDEX,
        quote_volume=row.maybe("volume24"),
        volume=row.maybe("volume24_native"),
        change_percent=row.maybe("percent_change_24h"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_market_caps(rows: Row, moment: datetime | None) -> list[MarketCap]:
    """The ranking. A supply without an end is an empty text."""
    return [
        MarketCap(
            rank=row.integer("rank"),
            asset=COINS.asset(row.text("id"), row.text("symbol")),
            name=row.text("name"),
            currency="USD",
            price=row.decimal("price_usd"),
            market_cap=row.positive("market_cap_usd"),
            volume24h=row.maybe("volume24"),
            change_percent24h=row.maybe("percent_change_24h"),
            circulating_supply=row.positive("csupply"),
            total_supply=row.positive("tsupply"),
            max_supply=row.positive("msupply"),
            as_of=moment,
        )
        for row in rows
    ]
