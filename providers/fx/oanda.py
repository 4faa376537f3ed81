"""OANDA: tradeable prices and candles of currencies and metals. Docs: https://developer.oanda.com/rest-live-v20

A price is the middle of the best bid and ask: nobody trades at it. Candles of days and more would begin at 17:00 in New
York; they are asked for from midnight UTC, weeks from Monday on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, Tier, answers, header, in_path, per_second
from providers.crypto._spot import step
from providers.row import Row
from schema.errors import NotCovered, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, fx
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.history import HISTORICAL_QUOTE, HistoricalQuoteAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, InstrumentType, Listing
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk
from schema.words.venues import MarketState

# One pair that it does not list makes the upstream refuse the whole batch, so they are known here, in the one direction
# in which each is traded: https://www.oanda.com/us-en/trading/instruments
CURRENCIES = {
    "AUD": "CAD CHF HKD JPY NZD SGD USD",
    "CAD": "CHF HKD JPY SGD",
    "CHF": "HKD JPY ZAR",
    "EUR": "AUD CAD CHF CZK DKK GBP HKD HUF JPY NOK NZD PLN SEK SGD TRY USD ZAR",
    "GBP": "AUD CAD CHF HKD JPY NZD PLN SGD USD ZAR",
    "HKD": "JPY",
    "NZD": "CAD CHF HKD JPY SGD USD",
    "SGD": "CHF JPY",
    "TRY": "JPY",
    "USD": "CAD CHF CNH CZK DKK HKD HUF JPY MXN NOK PLN SEK SGD THB TRY ZAR",
    "ZAR": "JPY",
}
METALS = {
    "XAU": "AUD CAD CHF EUR GBP HKD JPY NZD SGD USD",
    "XAG": "AUD CAD CHF EUR GBP HKD JPY NZD SGD USD",
    "XPT": "USD",
    "XPD": "USD",
}
LISTED = {AssetClass.FX: CURRENCIES, AssetClass.COMMODITY: METALS}
KINDS = {"CURRENCY": (AssetClass.FX, InstrumentType.FX_PAIR), "METAL": (AssetClass.COMMODITY, InstrumentType.COMMODITY)}
"""Contracts for difference on indices, bonds and goods are traded here, but are not what their names say."""
STATES = {"tradeable": MarketState.REGULAR, "non-tradeable": MarketState.CLOSED}
GRANULARITIES = {
    Interval.S5: "S5", Interval.S15: "S15", Interval.S30: "S30", Interval.M1: "M1", Interval.M5: "M5",
    Interval.M15: "M15", Interval.M30: "M30", Interval.H1: "H1", Interval.H2: "H2", Interval.H4: "H4",
    Interval.H6: "H6", Interval.H8: "H8", Interval.H12: "H12", Interval.D1: "D", Interval.W1: "W", Interval.MO1: "M",
}  # fmt: skip
MOST_CANDLES = 5_000
LONGEST_PAUSE = timedelta(days=4)
"""A weekend with holidays beside it."""


def is_listed(instrument: InstrumentId) -> bool:
    """A pair of currencies, or a metal in one, in the direction in which it is traded."""
    quotes = LISTED.get(instrument.asset_class, {}).get(instrument.base, "")
    return instrument.is_spot and instrument.venue in ("", "oanda") and instrument.quote in quotes.split()


def pairs_of(ask: FxRatesAsk) -> tuple[InstrumentId, ...]:
    """The pairs that an ask for rates means, ascending by code."""
    return tuple(fx(ask.base, quote) for quote in sorted(set(ask.quotes)))


def wire_name(instrument: InstrumentId) -> str:
    """`EUR_USD`."""
    return f"{instrument.base}_{instrument.quote}"


class Oanda(Provider):
    """The demo host, whose prices are the live ones; the tier `live` is for tokens of a live account."""

    profile = Profile(
        id="oanda",
        name="OANDA",
        base_url="https://api-fxpractice.oanda.com",
        docs="https://developer.oanda.com/rest-live-v20/introduction",
        asset_classes=(AssetClass.FX, AssetClass.COMMODITY),
        licence=Licence(
            note="For the account's own use; no redistribution, no sharing.", shareable=False, redistributable=False
        ),
        # Prices belong to an account: its id stands in the address. MARKETGATE_KEY_OANDA=key=…,account=…
        credentials=(
            header("Authorization", template="Bearer {}", sign_up="https://www.oanda.com/account/tpa/personal_token"),
            in_path(name="account"),
        ),
        limits=(per_second(100),),
        tiers={"live": Tier(base_url="https://api-fxtrade.oanda.com")},
        priority=20,
    )

    @answers(QUOTES, covers=lambda ask: all(map(is_listed, ask.instruments)), max_batch=50)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Best bids and asks with their sizes."""
        names = ",".join(map(wire_name, ask.instruments))
        body = await self.http.get("/v3/accounts/{account}/pricing", {"instruments": names})
        rows = {row.text("instrument"): row for row in body["prices"]}
        found = ((instrument, rows.get(wire_name(instrument))) for instrument in ask.instruments)
        return [parse_price(instrument, row) for instrument, row in found if row is not None]

    @answers(FX_RATES, covers=lambda ask: ask.start is None and bool(ask.quotes) and all(map(is_listed, pairs_of(ask))))
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The middles of now, of pairs that are traded with this base."""
        found = await self.quotes(QuotesAsk(instruments=pairs_of(ask)))
        return tuple(
            FxRate(
                base=ask.base, quote=quote.instrument.quote, rate=quote.price, as_of=quote.as_of,
                price_type=PriceType.MID, date=None,
            )
            for quote in found
        )  # fmt: skip

    @answers(
        CANDLES,
        covers=lambda ask: is_listed(ask.instrument) and ask.interval in GRANULARITIES,
        intervals=tuple(GRANULARITIES),
        max_rows=MOST_CANDLES,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Middles. A range may not end in the future: one that would is counted from its start."""
        params: dict[str, str | int] = {
            "price": "M",
            "granularity": GRANULARITIES[ask.interval],
            "from": stamp(ask.start),
            "dailyAlignment": 0,
            "alignmentTimezone": "UTC",
            "weeklyAlignment": "Monday",
        }
        now = self.clock.now()
        if ask.end <= now:
            params["to"] = stamp(ask.end)
        else:
            params["count"] = min(int((now - ask.start) / ask.interval.delta) + 1, MOST_CANDLES)
        return parse_candles(await self.http.get(f"/v3/instruments/{wire_name(ask.instrument)}/candles", params))

    @answers(HISTORICAL_QUOTE, covers=lambda ask: is_listed(ask.instrument))
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """The close of the last full minute with a price, with its bid and ask."""
        params: Params = {"price": "MBA", "granularity": "M1", "to": stamp(ask.at), "count": 2}
        body = await self.http.get(f"/v3/instruments/{wire_name(ask.instrument)}/candles", params)
        return parse_past(ask, body)

    @answers(INSTRUMENTS)
    async def instruments(self, ask: InstrumentsAsk) -> tuple[Listing, ...]:
        """What the account may trade, as far as it is a currency or a metal."""
        return parse_instruments(await self.http.get("/v3/accounts/{account}/instruments"))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"errorMessage": "…"}`; a refused account is told apart from an unknown instrument by the words."""
        said = reply.body.get("errorMessage")
        if said is None:
            return None
        text = str(said.value).lower()
        if reply.status in (400, 404) and "account" in text:
            return Unauthorized("oanda", "the account is unknown to this token")
        if reply.status in (400, 404) and "instrument" in text:
            return UnknownInstrument("oanda", "there is no such instrument")
        return NotCovered("oanda", "the upstream refused without a known reason") if reply.status < 300 else None


def stamp(moment: datetime) -> str:
    """RFC 3339 in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_price(instrument: InstrumentId, row: Row) -> Quote:
    """The first level of both sides; where a side has none, what a position would be closed at."""
    (bid, bid_size), (ask, ask_size) = (
        (side[0].decimal("price"), side[0].maybe("liquidity")) if side else (row.decimal(closeout), None)
        for side, closeout in ((row["bids"], "closeoutBid"), (row["asks"], "closeoutAsk"))
    )
    return Quote(
        instrument=instrument,
        price=(bid + ask) / 2,
        price_type=PriceType.MID,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        as_of=row.instant("time"),
        market_state=STATES.get(row.text("status"), MarketState.UNKNOWN),
    )


def parse_candles(body: Row) -> Bars:
    """Middles, oldest first. Its `volume` counts new prices and is none."""
    rows = {row.instant("time"): row for row in body["candles"]}
    times = tuple(sorted(rows))
    open_, high, low, close = (tuple(rows[time]["mid"].decimal(name) for time in times) for name in "ohlc")
    closed = tuple(rows[time].flag("complete") for time in times)
    return Bars(open_time=times, open=open_, high=high, low=low, close=close, closed=closed)


def parse_past(ask: HistoricalQuoteAsk, body: Row) -> Quote:
    """The last minute that had ended; one from before the longest pause of the market says nothing."""
    minute = Interval.M1.delta
    ended = [(row.instant("time") + minute, row) for row in body["candles"]]
    known = [pair for pair in ended if ask.at - LONGEST_PAUSE <= pair[0] <= ask.at]
    if not known:
        raise NotCovered("oanda", f"has no price of {ask.instrument.symbol} from shortly before {ask.at.isoformat()}")
    moment, row = max(known, key=lambda pair: pair[0])
    return Quote(
        instrument=ask.instrument,
        price=row["mid"].decimal("c"),
        price_type=PriceType.MID,
        bid=row["bid"].decimal("c"),
        ask=row["ask"].decimal("c"),
        as_of=moment,
    )


def parse_instruments(body: Row) -> tuple[Listing, ...]:
    """Currencies and metals; sizes are in units of the base."""
    found = []
    for row in body["instruments"]:
        asset_class, kind = KINDS.get(row.text("type"), (None, InstrumentType.SPOT))
        base, _, quote = row.text("name").partition("_")
        if asset_class is None or not is_listed(InstrumentId(asset_class=asset_class, base=base, quote=quote)):
            continue
        found.append(
            Listing(
                instrument=InstrumentId(asset_class=asset_class, base=base, quote=quote),
                provider_symbol=row.text("name"),
                name=row.maybe_text("displayName"),
                type=kind,
                tick_size=step(row, "displayPrecision"),
                min_size=row.positive("minimumTradeSize"),
                max_size=row.positive("maximumOrderUnits"),
            )
        )
    return tuple(found)
