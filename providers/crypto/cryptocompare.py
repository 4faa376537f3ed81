"""CryptoCompare: averaged crypto prices, index candles, ranking. Docs: https://developers.coindesk.com/documentation

Two interfaces: the older one for prices and the ranking, the newer one for the index's candles.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, answers, header
from providers.crypto._coins import Coins, closes, last_known
from providers.row import Row
from schema.errors import NotCovered, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.history import HISTORICAL_QUOTE, HistoricalQuoteAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

# Its symbols are its ids, each of one coin. These mean there what they mean everywhere; others may be namesakes.
SYMBOLS = (
    "BTC ETH USDT XRP BNB SOL USDC TRX DOGE ADA LINK BCH XLM SUI AVAX LTC HBAR SHIB XMR ZEC TON DOT CRO DAI UNI NEAR "
    "AAVE PEPE ICP ETC APT ARB POL ATOM ALGO VET FIL OP IMX INJ STX TIA GRT CRV LDO WBTC MKR SAND MANA AXS GALA CHZ "
    "XTZ EOS FLOW THETA EGLD KAVA SNX COMP YFI BAT ZRX DASH NEO RUNE ENS CAKE BSV APE 1INCH SUSHI ZIL PAXG"
)
COINS = Coins(
    provider="cryptocompare",
    ids={symbol: symbol for symbol in SYMBOLS.split()},
    currencies=frozenset({
        "USD", "EUR", "GBP", "JPY", "KRW", "AUD", "CAD", "CHF", "BRL", "INR", "TRY", "PLN", "SGD", "HKD", "MXN", "ZAR",
        "NZD", "SEK", "NOK", "DKK", "BTC", "ETH", "USDT", "USDC",
    }),
)  # fmt: skip
INDEXED = frozenset({"USD", "EUR", "BTC", "ETH", "USDT"})
"""Currencies of the index's pairs."""
INDEX = "/index/cc/v1/historical"
UNITS = {Interval.M1: "minutes", Interval.H1: "hours", Interval.D1: "days"}
REACH = {Interval.M1: timedelta(days=7)}
"""Older minutes need another contract."""
MOST_BARS = 2_000
PAGE = 100
RATE_LIMITED = 99
"""The only kind of refusal that has a number of its own."""


def is_indexed(instrument: InstrumentId) -> bool:
    """A pair of the index."""
    return COINS.prices(instrument) and instrument.quote in INDEXED


class CryptoCompare(Provider):
    """Works without a key; a free one raises the limits."""

    profile = Profile(
        id="cryptocompare",
        name="CryptoCompare",
        base_url="https://min-api.cryptocompare.com/data",
        hosts={"index": "https://data-api.cryptocompare.com"},
        docs="https://developers.coindesk.com/documentation",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(
            note="Free plan: own, non-commercial use with attribution; redistribution needs a contract.",
            attribution="Data by CryptoCompare",
            shareable=False,
        ),
        credentials=(
            header(
                "Authorization",
                template="Apikey {}",
                required=False,
                sign_up="https://www.cryptocompare.com/cryptopian/api-keys",
            ),
        ),
        # A free key's; without one the limit is that of an address and is not published.
        limits=(Limit(count=3_000, per=timedelta(hours=1)), Limit(count=11_000, per=timedelta(days=30))),
        priority=50,
    )

    # Answers may be kept ten seconds upstream.
    @answers(
        QUOTES, covers=lambda ask: COINS.all_priced(ask.instruments), max_batch=40, fresh_for=timedelta(seconds=10)
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Every coin of the batch in every currency of it; an unknown one is left out upstream."""
        params = {
            "fsyms": ",".join(sorted({instrument.base for instrument in ask.instruments})),
            "tsyms": ",".join(sorted({instrument.quote for instrument in ask.instruments})),
        }
        body = await self.http.get("/pricemulti", params)
        found = (parse_price(instrument, body) for instrument in ask.instruments)
        return [quote for quote in found if quote is not None]

    @answers(
        CANDLES,
        covers=lambda ask: is_indexed(ask.instrument) and ask.interval in UNITS,
        intervals=tuple(UNITS),
        max_rows=MOST_BARS,
        reach=REACH.get,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Candles of the index, counted back from the last one of the range."""
        step = ask.interval.delta
        return await self._bars(ask.instrument, ask.interval, ask.end - step, -((ask.start - ask.end) // step))

    @answers(HISTORICAL_QUOTE, covers=lambda ask: is_indexed(ask.instrument))
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """The close of the last full hour."""
        hour = Interval.H1.delta
        bars = await self._bars(ask.instrument, Interval.H1, ask.at - hour, 2)
        return last_known("cryptocompare", ask, closes(bars, hour, ask.instrument.quote))

    async def _bars(self, instrument: InstrumentId, interval: Interval, last: datetime, count: int) -> Bars:
        params: Params = {
            "market": "cadli",
            "instrument": f"{instrument.base}-{instrument.quote}",
            "to_ts": int(last.timestamp()),
            "limit": count,
            # Intervals without a trade repeat the close before.
            "fill": "false",
        }
        return parse_bars(await self.http.get(f"{INDEX}/{UNITS[interval]}", params, host="index"))

    @answers(MARKET_CAPS, covers=lambda ask: ask.currency in COINS.currencies, fresh_for=timedelta(minutes=2))
    async def market_caps(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        """Pages of a hundred, as many as the number asked for needs."""
        found: list[MarketCap] = []
        for page in range(-(-ask.first // PAGE)):
            body = await self.http.get("/top/mktcapfull", {"tsym": ask.currency, "limit": PAGE, "page": page})
            found += parse_market_caps(body["Data"], ask.currency, page * PAGE)
            if len(body["Data"]) < PAGE:
                break
        return tuple(found)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"Response": "Error", "Type", "Message"}` with status 200, or `{"Data": [], "Err": {"other_info"}}`."""
        body = reply.body
        failed = body.get("Err")
        if failed is not None and failed.value:
            return meaning_of_index(failed, reply.status)
        if body.value is None or "Response" not in body or body["Response"].value != "Error":
            return None
        said = str(body.value.get("Message", "")).lower()
        if body.value.get("Type") == RATE_LIMITED or "rate limit" in said:
            return Throttled("cryptocompare", "over the rate limit")
        if "api key" in said or "api_key" in said or "auth key" in said:
            return Unauthorized("cryptocompare", "the key is missing or invalid")
        if "does not exist" in said or "no data for" in said:
            return UnknownInstrument("cryptocompare", "there is no such market")
        return NotCovered("cryptocompare", "the upstream does not take this")


def meaning_of_index(failed: Row, status: int) -> UpstreamError | None:
    """By the parameter that is at fault: one of the time means a range before the first price."""
    told = failed.get("other_info")
    param = None if told is None else told.get("param")
    name = None if param is None else param.value
    if name in ("instrument", "instruments"):
        return UnknownInstrument("cryptocompare", "the index has no such pair")
    if name == "to_ts":
        return NotCovered("cryptocompare", "the index had no price yet")
    return NotCovered("cryptocompare", "the upstream does not take this") if status < 300 else None


def parse_price(instrument: InstrumentId, body: Row) -> Quote | None:
    """One coin in one currency; None where the answer has no such coin, or the coin no such currency."""
    coin = body.get(instrument.base)
    if coin is None or instrument.quote not in coin:
        return None
    return Quote(instrument=instrument, price=coin.decimal(instrument.quote), price_type=PriceType.INDEX)


def parse_bars(body: Row) -> Bars:
    """The index's candles; one without a single update only repeats what was before."""
    rows = [row.value for row in body["Data"] if row.integer("TOTAL_INDEX_UPDATES")]
    if not rows:
        return NO_BARS
    return Row("cryptocompare", rows, body, "Data").bars(
        time="TIMESTAMP", open="OPEN", high="HIGH", low="LOW", close="CLOSE", volume="VOLUME",
        quote_volume="QUOTE_VOLUME", unit="s",
    )  # fmt: skip


def parse_market_caps(rows: Row, currency: str, before: int) -> list[MarketCap]:
    """The ranking behind the first *before* coins; one without a price in the currency keeps its place."""
    found = []
    for rank, row in enumerate(rows, before + 1):
        prices = row.get("RAW")
        price = None if prices is None else prices.get(currency)
        if price is not None:
            found.append(parse_market_cap(rank, row["CoinInfo"], price, currency))
    return found


def parse_market_cap(rank: int, coin: Row, price: Row, currency: str) -> MarketCap:
    """One coin of the ranking."""
    return MarketCap(
        rank=rank,
        asset=coin.text("Name").upper(),
        name=coin.text("FullName"),
        currency=currency,
        price=price.decimal("PRICE"),
        market_cap=price.positive("CIRCULATINGSUPPLYMKTCAP"),
        fully_diluted=price.positive("MKTCAP"),
        volume24h=price.maybe("TOTALVOLUME24HTO"),
        change_percent24h=price.maybe("CHANGEPCT24HOUR"),
        circulating_supply=price.positive("CIRCULATINGSUPPLY"),
        total_supply=price.positive("SUPPLY"),
        as_of=price.maybe_epoch("LASTUPDATE"),
    )
