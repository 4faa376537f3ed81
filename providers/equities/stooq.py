"""Stooq: delayed quotes and days of shares, indices, currencies and metals, as CSV and without a contract.

The interface is not documented. Times are Warsaw's. What is unknown has `N/D` in every column, with status 200.
Since 2026 some callers are asked for a key. Shares of London are left out: their prices are in pence, pounds or
dollars, and nothing says in which.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers, query
from providers.equities._listed import bars_at, first_moments
from providers.equities._refusals import Refusals, refused, said
from providers.row import ABSENT, Row
from schema.errors import QuotaExhausted, Unauthorized, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Adjustment, Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.venues import TradingHours

DAY = timedelta(days=1)
# A range without a day is answered as an unknown symbol is: so many days more always hold one.
LULL = timedelta(days=14)
WARSAW = "Europe/Warsaw"
# The suffix of each exchange and what its shares trade in; "" are the US exchanges.
EXCHANGES = {
    "": (".us", "USD"), "XETR": (".de", "EUR"), "XTKS": (".jp", "JPY"), "XHKG": (".hk", "HKD"), "XBUD": (".hu", "HUF"),
    "XWAR": ("", "PLN"),
}  # fmt: skip
INDICES = {
    "SPX": ("^spx", "USD"), "NDX": ("^ndx", "USD"), "DJI": ("^dji", "USD"), "DAX": ("^dax", "EUR"),
    "PX1": ("^cac", "EUR"), "UKX": ("^ukx", "GBP"), "NKY": ("^nkx", "JPY"), "HSI": ("^hsi", "HKD"),
    "WIG": ("wig", "PLN"), "WIG20": ("wig20", "PLN"),
}  # fmt: skip
WITHOUT_SUFFIX = frozenset(symbol for symbol, _ in INDICES.values())
AMERICAN = frozenset({"SPX", "NDX", "DJI"})
METALS = frozenset({"XAU", "XAG", "XPT", "XPD"})
PRICE_TYPES = {AssetClass.INDEX: PriceType.INDEX, AssetClass.FX: PriceType.MID, AssetClass.COMMODITY: PriceType.MID}
REFUSALS: Refusals = (
    ("exceeded the daily hits limit", QuotaExhausted, "the calls of the day are used up"),
    ("apikey", Unauthorized, "asks for a key"),
    ("no data", UnknownInstrument, "has no data of this symbol"),
)
FIELDS = "sd2t2ohlcv"
_TICKER = re.compile(r"[A-Z0-9]+(\.[A-Z])?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def symbol_of(instrument: InstrumentId) -> str | None:
    """`brk-b.us`, `^spx` and `eurusd`, or None for what is not listed here."""
    if not instrument.is_spot:
        return None
    base, quote, kind = instrument.base, instrument.quote, instrument.asset_class
    if kind is AssetClass.EQUITY:
        return _share(base, instrument.venue)
    if instrument.venue not in ("", "stooq"):
        return None
    if kind is AssetClass.INDEX:
        return INDICES[base][0] if base in INDICES else None
    currencies = kind is AssetClass.FX or (kind is AssetClass.COMMODITY and base in METALS)
    paired = _CURRENCY.fullmatch(base) and _CURRENCY.fullmatch(quote)
    return f"{base}{quote}".lower() if currencies and paired else None


def _share(ticker: str, venue: str) -> str | None:
    suffix, _ = EXCHANGES.get(venue, (None, ""))
    symbol = ticker.lower().replace(".", "-")
    # Without a suffix stand indices and pairs too; shares of Warsaw have three letters.
    taken = not suffix and (len(symbol) != 3 or symbol in WITHOUT_SUFFIX)
    return f"{symbol}{suffix}" if suffix is not None and _TICKER.fullmatch(ticker) and not taken else None


def currency_of(instrument: InstrumentId) -> str:
    """What its prices are in."""
    if instrument.asset_class is AssetClass.EQUITY:
        return EXCHANGES[instrument.venue][1]
    return instrument.quote or INDICES[instrument.base][1]


def charted(ask: CandlesAsk) -> bool:
    """Days of shares, adjusted for splits and dividends, and of US indices: other days have hours nobody tells."""
    regular = ask.interval is Interval.D1 and ask.hours is TradingHours.REGULAR
    if ask.instrument.asset_class is AssetClass.INDEX:
        return regular and ask.instrument.base in AMERICAN and symbol_of(ask.instrument) is not None
    share = ask.instrument.asset_class is AssetClass.EQUITY and symbol_of(ask.instrument) is not None
    return regular and share and ask.adjustment is Adjustment.SPLITS_AND_DIVIDENDS


class Stooq(Provider):
    """Unofficial, therefore asked last."""

    profile = Profile(
        id="stooq",
        name="Stooq",
        base_url="https://stooq.com",
        docs="https://stooq.com/db/",
        asset_classes=(AssetClass.EQUITY, AssetClass.INDEX, AssetClass.FX, AssetClass.COMMODITY),
        licence=Licence(note="No published interface; for personal use, no redistribution.", shareable=False),
        credentials=(query("apikey", required=False),),
        # Undocumented: a few hundred calls a day are answered.
        limits=(Limit(count=200, per=timedelta(days=1)),),
        delay=FeedDelay.UNKNOWN,
        priority=75,
    )

    @answers(QUOTES, covers=lambda ask: all(symbol_of(i) is not None for i in ask.instruments), max_batch=20)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Symbols with a space between them; what is unknown is left out."""
        asked = {symbol_of(instrument) or "": instrument for instrument in ask.instruments}
        params = {"s": " ".join(asked), "f": FIELDS, "h": "", "e": "csv"}
        return parse_quotes(asked, await self.http.get_csv("/q/l/", params))

    @answers(CANDLES, covers=charted, intervals=(Interval.D1,))
    async def candles(self, ask: CandlesAsk) -> Bars:
        """From a little before the first day to the last, both included."""
        params = {
            "s": symbol_of(ask.instrument) or "", "d1": f"{ask.start - LULL:%Y%m%d}",
            "d2": f"{ask.end - DAY:%Y%m%d}", "i": "d",
        }  # fmt: skip
        return parse_days(ask, await self.http.get_csv("/q/d/l/", params))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals are a line of text with status 200."""
        return refused(self.profile.id, said(reply.body), REFUSALS)


def parse_quotes(asked: dict[str, InstrumentId], body: Row) -> list[Quote]:
    """By position, because the names of the columns come in Polish from the Polish host."""
    found = []
    for line in body:
        cells = [cell for _, cell in line.items()]
        row = Row(body.provider, dict(enumerate(cell.value for cell in cells)), line, "columns")
        instrument = asked.get(row.text(0).lower())
        if instrument is None or row[1].value in ABSENT:
            continue
        volume = row.maybe(7) if instrument.asset_class is AssetClass.EQUITY and 7 in row else None
        local = Row(row.provider, f"{row.text(1)}T{row.text(2)}", row, 2).instant()
        pair = instrument.asset_class in (AssetClass.FX, AssetClass.COMMODITY)
        found.append(
            Quote(
                instrument=instrument,
                price=row.decimal(6),
                price_type=PRICE_TYPES.get(instrument.asset_class, PriceType.LAST),
                currency=currency_of(instrument),
                open=row.maybe(3),
                high=row.maybe(4),
                low=row.maybe(5),
                volume=volume,
                stats_window=None if pair else StatsWindow.SESSION,
                as_of=local.replace(tzinfo=ZoneInfo(WARSAW)).astimezone(UTC),
            )
        )
    return found


def parse_days(ask: CandlesAsk, body: Row) -> Bars:
    """`Date,Open,High,Low,Close,Volume`, oldest first; what indices have as a volume is left out."""
    if not len(body):
        return NO_BARS
    times = first_moments(ask.interval, [row.day("Date") for row in body])
    volume = "Volume" if ask.instrument.asset_class is AssetClass.EQUITY else None
    return bars_at(
        ask, body, times, open="Open", high="High", low="Low", close="Close", volume=volume,
        currency=currency_of(ask.instrument),
    )  # fmt: skip
