"""DefiLlama: value locked, yields, prices of tokens and coins. Docs: https://api-docs.defillama.com/"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_minute
from providers.defi._llama import PERIODS, chain_of, key_of, lined, priced, seconds, span_of
from providers.row import Row, ascending
from schema.errors import NotCovered, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.defi import (
    TVL,
    TVL_HISTORY,
    YIELDS,
    LockedIn,
    Tvl,
    TvlAsk,
    TvlHistoryAsk,
    TvlPoint,
    YieldRate,
    YieldsAsk,
)
from schema.words.history import HISTORICAL_QUOTE, PRICE_HISTORY, HistoricalQuoteAsk, PriceHistoryAsk, PricePoint
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

# What the upstream itself calls unreliable below.
SURE = Decimal("0.9")
# Of some twenty thousand deposits; the smaller ones are asked for by chain, protocol or asset.
MOST_YIELDS = 2_000
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()-]{0,63}\Z")


def plain_slug(slug: str) -> bool:
    """What can stand in a path as it is."""
    return bool(_SLUG.match(slug))


class DefiLlama(Provider):
    """Free hosts without a key, one for each kind of data."""

    profile = Profile(
        id="defillama",
        name="DefiLlama",
        base_url="https://api.llama.fi",
        hosts={"coins": "https://coins.llama.fi", "yields": "https://yields.llama.fi"},
        docs="https://api-docs.defillama.com/",
        asset_classes=(AssetClass.DEX, AssetClass.CRYPTO),
        licence=Licence(
            note="Open data, free with attribution; no published limit on the free hosts.",
            attribution="Data by DefiLlama",
            redistributable=True,
        ),
        # Not published: polite.
        limits=(per_minute(200),),
        priority=50,
    )

    @answers(QUOTES, covers=lambda ask: all(map(priced, ask.instruments)), max_batch=50)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """What is unknown, or not sure enough, is left out."""
        keys = ",".join(dict.fromkeys(map(key_of, ask.instruments)))
        body = await self.http.get(f"/prices/current/{keys}", host="coins")
        found = (parse_price(instrument, body) for instrument in ask.instruments)
        return [quote for quote in found if quote is not None]

    @answers(HISTORICAL_QUOTE, covers=lambda ask: priced(ask.instrument))
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """The nearest price, which may be one of later: that is no answer."""
        path = f"/prices/historical/{seconds(ask.at)}/{key_of(ask.instrument)}"
        quote = parse_price(ask.instrument, await self.http.get(path, host="coins"))
        if quote is None:
            raise UnknownInstrument(self.profile.id, f"has no price of {ask.instrument} around {ask.at.isoformat()}")
        if quote.as_of is None or quote.as_of > ask.at:
            raise NotCovered(self.profile.id, f"its nearest price is of after {ask.at.isoformat()}")
        return quote

    @answers(PRICE_HISTORY, covers=lined)
    async def price_history(self, ask: PriceHistoryAsk) -> tuple[PricePoint, ...]:
        """At most 500 points."""
        params: Params = {"start": seconds(ask.start), "span": span_of(ask), "period": PERIODS[ask.interval]}
        return parse_line(ask, await self.http.get(f"/chart/{key_of(ask.instrument)}", params, host="coins"))

    @answers(TVL, covers=lambda ask: not ask.slug or plain_slug(ask.slug))
    async def tvl(self, ask: TvlAsk) -> tuple[Tvl, ...]:
        """One protocol costs a small call, that tells its value and nothing else."""
        if ask.kind is LockedIn.CHAIN:
            return parse_chains(await self.http.get("/v2/chains"), ask.slug)
        if ask.slug:
            value = (await self.http.get(f"/tvl/{ask.slug}")).decimal()
            return (Tvl(kind=LockedIn.PROTOCOL, slug=ask.slug, name=ask.slug, value=value),)
        return parse_protocols(await self.http.get("/protocols"))

    @answers(TVL_HISTORY, covers=lambda ask: plain_slug(ask.slug))
    async def tvl_history(self, ask: TvlHistoryAsk) -> tuple[TvlPoint, ...]:
        """One point a day, all at once."""
        if ask.kind is LockedIn.CHAIN:
            return parse_history(ask, await self.http.get(f"/v2/historicalChainTvl/{ask.slug}"), "tvl")
        return parse_history(ask, (await self.http.get(f"/protocol/{ask.slug}"))["tvl"], "totalLiquidityUSD")

    @answers(YIELDS)
    async def yields(self, ask: YieldsAsk) -> tuple[YieldRate, ...]:
        """One answer holds all deposits; the 2,000 largest of those asked for are answered."""
        return parse_yields(ask, await self.http.get("/pools", host="yields"))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Unknown protocols and chains are a text with status 400."""
        if reply.status != 400:
            return None
        said = reply.body.value if isinstance(reply.body.value, str) else reply.body.maybe_text("message") or ""
        return UnknownInstrument(self.profile.id, "does not know it") if "not found" in said.lower() else None


def parse_price(instrument: InstrumentId, body: Row) -> Quote | None:
    """Unknown tokens have no entry."""
    row = body["coins"].get(key_of(instrument))
    if row is None or (row.maybe("confidence") or SURE) < SURE:
        return None
    return Quote(
        instrument=instrument,
        price=row.decimal("price"),
        price_type=PriceType.INDEX,
        currency="USD",
        as_of=row.epoch("timestamp"),
    )


def parse_line(ask: PriceHistoryAsk, body: Row) -> tuple[PricePoint, ...]:
    """Points are near the times that were asked for, the first also before."""
    line = body["coins"].get(key_of(ask.instrument))
    if line is None:
        raise UnknownInstrument(body.provider, f"has no prices of {ask.instrument}")
    found = {row.epoch("timestamp"): row.decimal("price") for row in line["prices"]}
    return tuple(
        [
            PricePoint(time=time, price=price, currency="USD")
            for time, price in sorted(found.items())
            if ask.start <= time < ask.end
        ]
    )


def parse_chains(rows: Row, slug: str) -> tuple[Tvl, ...]:
    """The display name is the key."""
    found = [
        Tvl(
            kind=LockedIn.CHAIN,
            slug=row.text("name"),
            name=row.text("name"),
            symbol=row.maybe_text("tokenSymbol"),
            value=row.decimal("tvl"),
        )
        for row in rows
        if not slug or row.text("name").lower() == slug.lower()
    ]
    if slug and not found:
        raise UnknownInstrument(rows.provider, f"does not know the chain {slug}")
    return largest(found)


def parse_protocols(rows: Row) -> tuple[Tvl, ...]:
    """Those that nothing is known of have no value."""
    return largest([_protocol(row, value) for row in rows if (value := row.maybe("tvl")) is not None])


def _protocol(row: Row, value: Decimal) -> Tvl:
    name, symbol = row.text("name"), row.maybe_text("symbol")
    return Tvl(
        kind=LockedIn.PROTOCOL,
        # How the upstream makes them itself, where it sends none.
        slug=row.maybe_text("slug") or name.lower().replace(" ", "-").replace("'", ""),
        name=name,
        category=row.maybe_text("category"),
        chains=tuple([chain_of(chain.text()) for chain in row.get("chains") or ()]),
        symbol=None if symbol == "-" else symbol,
        value=value,
        change_percent1d=row.maybe("change_1d"),
        change_percent7d=row.maybe("change_7d"),
    )


def largest(found: list[Tvl]) -> tuple[Tvl, ...]:
    """In order, each once."""
    by_slug = {each.slug: each for each in found}
    return tuple(sorted(by_slug.values(), key=lambda each: each.value, reverse=True))


def parse_history(ask: TvlHistoryAsk, rows: Row, value: str) -> tuple[TvlPoint, ...]:
    """The last point is of now, and may stand on a day that has one already."""
    found = {row.epoch("date"): row.decimal(value) for row in rows}
    points = [TvlPoint(time=time, value=amount) for time, amount in found.items()]
    inside = [
        point
        for point in points
        if (ask.start is None or point.time >= ask.start) and (ask.end is None or point.time < ask.end)
    ]
    return ascending(inside, lambda point: point.time)


def parse_yields(ask: YieldsAsk, body: Row) -> tuple[YieldRate, ...]:
    """Rates are in percent; a deposit without one is left out."""
    chosen = {row.text("pool"): (row, row.maybe("tvlUsd")) for row in _chosen(ask, body["data"])}
    ranked = sorted(chosen.values(), key=lambda each: each[1] or Decimal(0), reverse=True)
    return tuple([_yield(row, tvl) for row, tvl in ranked[:MOST_YIELDS]])


def _chosen(ask: YieldsAsk, rows: Row) -> Iterator[Row]:
    for row in rows:
        if (
            row.maybe("apy") is not None
            and (not ask.chain or chain_of(row.text("chain")) == ask.chain)
            and (not ask.protocol or row.text("project") == ask.protocol.lower())
            and (not ask.asset or ask.asset.upper() in row.text("symbol").upper().split("-"))
        ):
            yield row


def _yield(row: Row, tvl: Decimal | None) -> YieldRate:
    exposed = row.maybe_text("ilRisk")
    return YieldRate(
        id=row.text("pool"),
        protocol=row.text("project"),
        chain=chain_of(row.text("chain")),
        asset=row.text("symbol"),
        apy_percent=row.decimal("apy"),
        base_apy_percent=row.maybe("apyBase"),
        reward_apy_percent=row.maybe("apyReward"),
        tvl=tvl,
        stablecoin=None if row.get("stablecoin") is None else row.flag("stablecoin"),
        exposed=None if exposed is None else exposed == "yes",
    )
