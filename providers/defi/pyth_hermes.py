"""Pyth: oracle prices of crypto, currencies and metals, now and in the past. Docs: https://docs.pyth.network/price-feeds"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from providers.contract import Clock, Http, Licence, Limit, Profile, Provider, Reply, answers, header
from providers.defi._chains import whole
from providers.defi._oracle import fed, feeds, quoted
from providers.feeds import Feed, News, Out, Said, Topic, streams
from providers.row import Row
from schema.errors import NotCovered, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.chains import ORACLE_PRICES, OraclePrice, OraclePricesAsk
from schema.words.history import HISTORICAL_QUOTE, HistoricalQuoteAsk
from schema.words.quotes import QUOTES, Quote, QuotesAsk

# https://docs.pyth.network/price-feeds/price-feeds: a feed is known by 32 bytes, which never change.
FEEDS = feeds(
    {
        "crypto:BTC/USD": "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43",
        "crypto:ETH/USD": "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace",
        "crypto:SOL/USD": "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d",
        "crypto:BNB/USD": "2f95862b045670cd22bee3114c39763a4a08beeb663b145d283c31d7d1101c4f",
        "crypto:XRP/USD": "ec5d399846a9209f3fe5881d70aae9268c94339ff9817e8d18ff19fa05eea1c8",
        "crypto:ADA/USD": "2a01deaec9e51a579277b34b122399984d0bbf57e2458a7e42fecd2829867a0d",
        "crypto:DOGE/USD": "dcef50dd0a4cd2dcc17e45df1676dcb336a11a61c69df7a0299b0150c672d25c",
        "crypto:AVAX/USD": "93da3352f9f1d105fdfe4971cfa80e9dd777bfc5d0f683ebb6e1294b92137bb7",
        "crypto:LINK/USD": "8ac0c70fff57e9aefdf5edf44b51d62c2d433653cbb2cf5cc06bb115af04d221",
        "crypto:LTC/USD": "6e3f3fa8253588df9326580180233eb791e03b443a3ba7a1d892e73874e19a54",
        "crypto:USDC/USD": "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a",
        "crypto:USDT/USD": "2b89b9dc8fdf9f34709a5b106b472f0f39bb6ca9ce04b0fd7f2e971688e2e53b",
        "fx:EUR/USD": "a995d00bb36a63cef7fd2c287dc105fc8f3d93779f062f09551b0af3e81ec30b",
        "fx:GBP/USD": "84c2dde9633d93d1bcad84e7dc41c9d56578b7ec52fabedc1f335d673df0a7c1",
        "commodity:XAU/USD": "765d2ba906dbc32ca17cc11f5310a89e9ee1f6420508c63861f2f8ba4ee34bb2",
    }
)
LARGEST_EXPONENT = 30
KEY = header("Authorization", template="Bearer {}", sign_up="https://docs.pyth.network")
LATE = b"Error receiving update"


def priced(instrument: InstrumentId) -> bool:
    """What has a feed."""
    return fed(instrument, "pyth_hermes", FEEDS)


class PythFeed(Feed):
    """Server-sent events with all prices that the address names, at each slot; a channel is the capability and a feed.

    An address takes any number of feeds; opening it counts as one of the requests that `PythHermes` is limited to.
    Between events there are comments. A reader that is too slow is told so in words instead of JSON, and the next
    event is whole again: https://github.com/pyth-network/pyth-crosschain, apps/hermes/server/src/api/rest/v2/sse.rs
    """

    address = "https://hermes.pyth.network/v2/updates/price/stream"
    credentials = (KEY,)
    topics_per_connection = 50

    def __init__(self, profile: Profile, key: Mapping[str, str], clock: Clock) -> None:
        super().__init__(profile, key, clock)
        self._last: dict[str, OraclePrice | Quote] = {}

    def forget(self, channel: str) -> None:
        """What was said last."""
        self._last.pop(channel, None)

    async def locate(self, http: Http, topics: Sequence[Topic]) -> str:
        """Nothing is asked for it."""
        return f"{self.address}?{selection(topic.instrument for topic in topics)}"

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The feeds stand in the address."""
        return ()

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Until another address is needed they go on, unread."""
        return ()

    def decode(self, data: str | bytes) -> Row:
        """What is not JSON has no prices."""
        late = LATE in (data.encode() if isinstance(data, str) else data)[: len(LATE)]
        return Row(self.provider, {"parsed": []}) if late else super().decode(data)

    def read(self, frame: Row) -> Iterable[News]:
        """As over HTTP; a price comes at every slot, also where nothing but the slot has changed."""
        instruments = tuple(dict.fromkeys(topic.instrument for topic in self.topics.values()))
        prices = {price.instrument: price for price in parse_feeds(instruments, frame)}
        for topic in list(self.topics.values()):
            price = prices.get(topic.instrument)
            if price is None:
                continue
            value = quoted([price])[0] if topic.capability is QUOTES else price
            bare = replace(value, round=None) if isinstance(value, OraclePrice) else value
            if self._last.get(topic.channel) != bare:
                self._last[topic.channel] = bare
                yield Said(channel=topic.channel, values=(value,), as_of=price.as_of)


class PythHermes(Provider):
    """The public service; since August 2026 it needs a key."""

    profile = Profile(
        id="pyth_hermes",
        name="Pyth (Hermes)",
        base_url="https://hermes.pyth.network",
        docs="https://docs.pyth.network/price-feeds",
        asset_classes=(AssetClass.CRYPTO, AssetClass.FX, AssetClass.COMMODITY),
        licence=Licence(note="Pyth data terms: use in own products; resale needs consent.", attribution="Data by Pyth"),
        credentials=(KEY,),
        limits=(Limit(count=10, per=timedelta(seconds=10)),),
        priority=30,
    )

    @answers(QUOTES, covers=lambda ask: all(map(priced, ask.instruments)), max_batch=50)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The price alone."""
        return quoted(await self._latest(ask.instruments))

    @answers(ORACLE_PRICES, covers=lambda ask: all(map(priced, ask.instruments)), max_batch=50)
    async def oracle_prices(self, ask: OraclePricesAsk) -> list[OraclePrice]:
        """With how sure the publishers are."""
        return await self._latest(ask.instruments)

    @answers(HISTORICAL_QUOTE, covers=lambda ask: priced(ask.instrument))
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """The first update of a second or of later names the one before, which is asked for where it came later."""
        body = await self._updates(str(int(ask.at.timestamp())), (ask.instrument,))
        if (before := update_before(ask.at, body)) is not None:
            body = await self._updates(str(before), (ask.instrument,))
        known = [quote for quote in quoted(parse_feeds((ask.instrument,), body)) if not is_later(quote, ask.at)]
        if not known:
            raise NotCovered(self.profile.id, f"has no price of {ask.instrument} from before {ask.at.isoformat()}")
        return known[0]

    async def _latest(self, instruments: tuple[InstrumentId, ...]) -> list[OraclePrice]:
        return parse_feeds(instruments, await self._updates("latest", instruments))

    async def _updates(self, moment: str, instruments: tuple[InstrumentId, ...]) -> Row:
        return await self.http.get(f"/v2/updates/price/{moment}?{selection(instruments)}")

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals are plain text; the archive begins at some day of 2023."""
        said = reply.body.value
        if reply.status == 404 and isinstance(said, str) and "update data not found" in said.lower():
            return NotCovered(self.profile.id, "has no prices of that time")
        return None

    @streams(QUOTES, feed=PythFeed, covers=lambda ask: priced(ask.instruments[0]), silence=timedelta(minutes=1))
    def quote_channel(self, ask: QuotesAsk) -> str:
        """A feed's price."""
        return f"quotes:{feed_of(ask.instruments[0])}"

    @streams(ORACLE_PRICES, feed=PythFeed, covers=lambda ask: priced(ask.instruments[0]), silence=timedelta(minutes=1))
    def oracle_channel(self, ask: OraclePricesAsk) -> str:
        """The same with all that is told of it."""
        return f"oracle:{feed_of(ask.instruments[0])}"


def selection(instruments: Iterable[InstrumentId]) -> str:
    """The query of some feeds: one name several times, as no table of parameters can hold it."""
    ids = "&".join(f"ids[]=0x{feed}" for feed in dict.fromkeys(map(feed_of, instruments)))
    return f"{ids}&parsed=true&ignore_invalid_price_ids=true"


def feed_of(instrument: InstrumentId) -> str:
    """Its feed, without the prefix that requests may have and answers never have."""
    return FEEDS[instrument.at("")]


def is_later(quote: Quote, at: datetime) -> bool:
    """Not known yet at an instant."""
    return quote.as_of is None or quote.as_of > at


def update_before(at: datetime, body: Row) -> int | None:
    """When the update before one of later than *at* was published, in seconds; None where that is not needed."""
    rows = list(body["parsed"])
    if not rows or rows[0]["price"].epoch("publish_time") <= at:
        return None
    about = rows[0].get("metadata")
    return None if about is None or about.get("prev_publish_time") is None else about.integer("prev_publish_time")


def parse_feeds(instruments: tuple[InstrumentId, ...], body: Row) -> list[OraclePrice]:
    """By feed; what is missing has no price now."""
    rows = {row.text("id").removeprefix("0x"): row for row in body["parsed"]}
    return [price for each in instruments for price in _prices(each, rows.get(feed_of(each)))]


def _prices(instrument: InstrumentId, row: Row | None) -> Iterator[OraclePrice]:
    """A price of zero stands for none."""
    if row is None or not (price := _scaled(row["price"], "price")):
        return
    about = row.get("metadata")
    average = row.get("ema_price")
    yield OraclePrice(
        instrument=instrument,
        as_of=row["price"].epoch("publish_time"),
        price=price,
        currency=instrument.quote,
        confidence=_scaled(row["price"], "conf"),
        average_price=None if average is None else _scaled(average, "price"),
        feed=feed_of(instrument),
        round=None if about is None or about.get("slot") is None else about.label("slot"),
    )


def _scaled(row: Row, key: str) -> Decimal:
    """A whole number times a power of ten."""
    exponent = row.integer("expo")
    if abs(exponent) > LARGEST_EXPONENT:
        row["expo"].broken("is not an exponent")
    return whole(row.decimal(key), -exponent)
