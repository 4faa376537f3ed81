"""GeckoTerminal: pools, token prices and candles of many chains. Docs: https://apiguide.geckoterminal.com/"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_minute
from providers.defi._chains import each_chain, is_token, token_of
from providers.defi._pools import fit, inner, token, trades
from providers.row import Row
from schema.errors import Throttled, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.defi import POOLS, Pool, PoolsAsk, Token
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

NETWORKS = {
    "arbitrum": "arbitrum", "avalanche": "avax", "base": "base", "bsc": "bsc", "celo": "celo", "ethereum": "eth",
    "fantom": "ftm", "gnosis": "xdai", "linea": "linea", "optimism": "optimism", "polygon": "polygon_pos",
    "scroll": "scroll", "solana": "solana", "sui": "sui-network", "ton": "ton", "tron": "tron", "zksync": "zksync",
}  # fmt: skip
OURS = {theirs: ours for ours, theirs in NETWORKS.items()}
STEPS = {
    Interval.M1: ("minute", 1), Interval.M5: ("minute", 5), Interval.M15: ("minute", 15), Interval.H1: ("hour", 1),
    Interval.H4: ("hour", 4), Interval.H12: ("hour", 12), Interval.D1: ("day", 1),
}  # fmt: skip
ROWS = 1000
# Without a key candles go back half a year.
REACH = timedelta(days=180)
JOINED = "base_token,quote_token,dex"


def covered(ask: PoolsAsk) -> bool:
    """Of a chain, its youngest, with a token, at an address; by a text in one chain or all."""
    if ask.text:
        return not ask.newest and (not ask.chain or ask.chain in NETWORKS)
    one = ask.address or ask.token
    return ask.chain in NETWORKS and (not one or (fit(one) and not ask.newest))


def priced(instrument: InstrumentId) -> bool:
    """A token by its address."""
    return is_token(instrument, "geckoterminal", NETWORKS)


class GeckoTerminal(Provider):
    """The public interface, without a key; answers are up to a minute old."""

    profile = Profile(
        id="geckoterminal",
        name="GeckoTerminal",
        base_url="https://api.geckoterminal.com/api/v2",
        docs="https://apiguide.geckoterminal.com/",
        asset_classes=(AssetClass.DEX,),
        licence=Licence(
            note="Free plan: display with attribution; redistribution needs an agreement.",
            attribution="Data by GeckoTerminal",
        ),
        headers={"Accept": "application/json;version=20230302"},
        limits=(per_minute(30),),
        priority=50,
    )

    @answers(
        QUOTES,
        covers=lambda ask: all(map(priced, ask.instruments)),
        max_batch=30,
        fresh_for=timedelta(seconds=30),
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One call for each chain."""
        return await each_chain(ask.instruments, self._of_chain)

    async def _of_chain(self, chain: str, tokens: dict[InstrumentId, str]) -> list[Quote]:
        addresses = ",".join(dict.fromkeys(tokens.values()))
        body = await self.http.get(f"/simple/networks/{NETWORKS[chain]}/token_price/{addresses}")
        return parse_prices(tokens, body)

    @answers(
        CANDLES,
        covers=lambda ask: priced(ask.instrument) and ask.interval in STEPS,
        intervals=tuple(STEPS),
        max_rows=ROWS,
        reach=lambda _: REACH,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Those of the token's most traded pool, in dollars."""
        chain, address = token_of(ask.instrument)
        pools = await self.http.get(f"/networks/{NETWORKS[chain]}/tokens/{address}/pools", {"page": 1})
        pool = first_pool(ask.instrument, pools)
        step, count = STEPS[ask.interval]
        params: Params = {
            "aggregate": count,
            "before_timestamp": int(ask.end.timestamp()),
            "limit": min(-((ask.start - ask.end) // ask.interval.delta), ROWS),
            "currency": "usd",
            "token": address,
        }
        return parse_candles(await self.http.get(f"/networks/{NETWORKS[chain]}/pools/{pool}/ohlcv/{step}", params))

    @answers(POOLS, covers=covered, fresh_for=timedelta(minutes=1))
    async def pools(self, ask: PoolsAsk) -> tuple[Pool, ...]:
        """One page of 20: more would soon use up thirty calls a minute."""
        network = NETWORKS.get(ask.chain, "")
        params: dict[str, str | int] = {"include": JOINED}
        if ask.text:
            path, params = "/search/pools", {"query": ask.text, **({"network": network} if network else {}), **params}
        elif ask.address:
            path = f"/networks/{network}/pools/{ask.address}"
        elif ask.token:
            path = f"/networks/{network}/tokens/{ask.token}/pools"
        else:
            path = f"/networks/{network}/{'new_pools' if ask.newest else 'pools'}"
        return parse_pools(await self.http.get(path, params))[: ask.limit]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Too many calls are also told inside of a body."""
        status = reply.body.get("status")
        if (
            reply.status != 429
            and status is not None
            and status.get("error_code") is not None
            and status.integer("error_code") == 429
        ):
            return Throttled(self.profile.id, "too many calls")
        return None


def parse_prices(tokens: dict[InstrumentId, str], body: Row) -> list[Quote]:
    """Hexadecimal addresses come in lower case; an unknown token has no price, or is missing."""
    prices = body["data"]["attributes"]["token_prices"]
    keys = {
        instrument: address.lower() if address.startswith("0x") else address for instrument, address in tokens.items()
    }
    return [
        Quote(instrument=instrument, price=price, price_type=PriceType.INDEX, currency="USD")
        for instrument, key in keys.items()
        if key in prices and (price := prices.maybe(key)) is not None
    ]


def first_pool(instrument: InstrumentId, body: Row) -> str:
    """The upstream has the most traded first."""
    rows = body["data"]
    if not len(rows):
        raise UnknownInstrument(body.provider, f"has no pool of {instrument}")
    address = rows[0]["attributes"].text("address")
    return address if fit(address) else rows[0]["attributes"]["address"].broken("is not an address")


def parse_candles(body: Row) -> Bars:
    """`[time, open, high, low, close, volume in dollars]`, newest first."""
    rows = body["data"]["attributes"]["ohlcv_list"]
    if not len(rows):
        return NO_BARS
    return rows.bars(time=0, open=1, high=2, low=3, close=4, quote_volume=5, unit="s", currency="USD")


def parse_pools(body: Row) -> tuple[Pool, ...]:
    """One pool or a list; what tokens are called stands beside it, where that was asked for."""
    beside = {row.text("id"): row["attributes"] for row in body.get("included") or () if row.text("type") == "token"}
    data = body["data"]
    rows = data if isinstance(data.value, list) else [data]
    return tuple({(pool.chain, pool.address): pool for pool in (_pool(row, beside) for row in rows)}.values())


def _pool(row: Row, beside: dict[str, Row]) -> Pool:
    facts, related = row["attributes"], row["relationships"]
    address = facts.text("address")
    network = row.text("id").removesuffix(f"_{address}")
    return Pool(
        chain=OURS.get(network, network.lower()),
        address=address,
        dex=related["dex"]["data"].text("id"),
        name=facts.maybe_text("name"),
        base=_token(related["base_token"]["data"].text("id"), network, beside),
        quote=_token(related["quote_token"]["data"].text("id"), network, beside),
        price=facts.positive("base_token_price_quote_token"),
        base_price=facts.positive("base_token_price_usd"),
        quote_price=facts.positive("quote_token_price_usd"),
        liquidity=facts.maybe("reserve_in_usd"),
        volume24h=inner(facts, "volume_usd", "h24"),
        change_percent24h=inner(facts, "price_change_percentage", "h24"),
        buys24h=trades(facts, "transactions", "buys"),
        sells24h=trades(facts, "transactions", "sells"),
        market_cap=facts.positive("market_cap_usd"),
        fully_diluted=facts.positive("fdv_usd"),
        created_at=facts.maybe_instant("pool_created_at"),
    )


def _token(key: str, network: str, beside: dict[str, Row]) -> Token:
    facts = beside.get(key)
    return token(facts) if facts is not None else Token(address=key.removeprefix(f"{network}_"))
