"""Decentralised finance: pools, swap quotes, value locked, yields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.capability import Capability
from schema.checks import ascending, in_range, not_negative, positive, unique, within
from schema.model import choices, described, model
from schema.provenance import UNSTAMPED, Provenance


@model("A token of a chain.")
class Token:
    """Known by its address; symbols are not unique."""

    address: str = described("Address, or mint, on its chain.")
    symbol: str | None = described("Its own short name.", default=None)
    name: str | None = described("Its own name.", default=None)
    decimals: int | None = described("How many of its smallest units make one: a power of ten.", default=None)


@model("A market of two tokens on a chain.")
class Pool:
    """Amounts are in `currency`; statistics cover the last 24 hours."""

    as_of: strawberry.Private[datetime | None] = None
    chain: str = described("The chain, such as `ethereum` or `solana`.")
    address: str = described("Address of the pool.")
    dex: str = described("The exchange that it belongs to, in the provider's word.")
    name: str | None = described("What its provider calls it.", default=None)
    base: Token = described("The token that is priced.")
    quote: Token = described("The token that it is priced in.")
    price: Decimal | None = described("Units of `quote` for one unit of `base`.", default=None)
    base_price: Decimal | None = described("Price of `base`, in `currency`.", default=None)
    quote_price: Decimal | None = described("Price of `quote`, in `currency`.", default=None)
    currency: str = described("Currency of all amounts.", default="USD")
    liquidity: Decimal | None = described("What lies in the pool.", default=None)
    volume24h: Decimal | None = described("Traded in 24 hours.", default=None, name="volume24h")
    change_percent24h: Decimal | None = described("Of the price, in percent.", default=None, name="changePercent24h")
    buys24h: int | None = described("How often `base` was bought.", default=None, name="buys24h")
    sells24h: int | None = described("How often `base` was sold.", default=None, name="sells24h")
    market_cap: Decimal | None = described("Of `base`.", default=None)
    fully_diluted: Decimal | None = described("Price of `base` times its total supply.", default=None)
    fee_percent: Decimal | None = described("What a swap costs, in percent.", default=None)
    apr_percent: Decimal | None = described("What liquidity earned, in percent a year, not compounded.", default=None)
    created_at: datetime | None = described("When it was made.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("One leg of a swap.")
class SwapStep:
    """Amounts are in the tokens' smallest units."""

    dex: str = described("The exchange, in the provider's word.")
    pool: str | None = described("Address of the pool.", default=None)
    sell_token: str = described("Address of what goes in.")
    buy_token: str = described("Address of what comes out.")
    sell_amount: Decimal | None = described("What goes in, in smallest units.", default=None)
    buy_amount: Decimal | None = described("What comes out, in smallest units.", default=None)
    percent: Decimal | None = described("Share of the whole that goes this way, in percent.", default=None)


@model("What a swap of two tokens would give now.")
class SwapQuote:
    """Amounts are whole numbers in the tokens' smallest units (wei, lamports): exact without knowing the decimals."""

    as_of: strawberry.Private[datetime | None] = None
    chain: str = described("The chain.")
    sell_token: str = described("Address of what is sold.")
    buy_token: str = described("Address of what is bought.")
    sell_amount: Decimal = described("What is sold, in smallest units.")
    buy_amount: Decimal = described("What is bought, in smallest units.")
    least_buy_amount: Decimal | None = described("Less than this is refused, in smallest units.", default=None)
    slippage_bps: int | None = described("The slippage that is allowed.", default=None)
    price_impact_percent: Decimal | None = described("How much the swap moves the price, in percent.", default=None)
    fee_amount: Decimal | None = described("What the provider takes, in smallest units of `sellToken`.", default=None)
    block: str | None = described("The block, or slot, that it is of.", default=None)
    steps: tuple[SwapStep, ...] = described("The way that it takes.", default=())
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@choices("Whose value is counted.", PROTOCOL="In a protocol, which may live on many chains.", CHAIN="On a chain.")
class LockedIn(StrEnum):
    """A protocol may live on many chains."""

    PROTOCOL = "PROTOCOL"
    CHAIN = "CHAIN"


@model("What is locked in a protocol or on a chain.")
class Tvl:
    """Value as the provider counts it."""

    as_of: strawberry.Private[datetime | None] = None
    kind: LockedIn = described("Whether it is a protocol or a chain.")
    slug: str = described("The provider's key, to ask for this one alone.")
    name: str = described("The name in words.")
    category: str | None = described("Of a protocol: what it does.", default=None)
    chains: tuple[str, ...] = described("Of a protocol: where it lives.", default=())
    symbol: str | None = described("Its own token.", default=None)
    value: Decimal = described("What is locked, in `currency`.")
    currency: str = described("Currency of the value.", default="USD")
    change_percent1d: Decimal | None = described("In a day, in percent.", default=None, name="changePercent1d")
    change_percent7d: Decimal | None = described("In a week, in percent.", default=None, name="changePercent7d")
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("What was locked at an instant.")
class TvlPoint:
    """A point of a history."""

    time: datetime = described("When.")
    value: Decimal = described("What was locked, in `currency`.")
    currency: str = described("Currency of the value.", default="USD")
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("What a deposit earns.")
class YieldRate:
    """All rates are in percent a year, compounded."""

    as_of: strawberry.Private[datetime | None] = None
    id: str = described("The provider's key of the pool.")
    protocol: str = described("Where it is deposited.")
    chain: str = described("The chain.")
    asset: str = described("What is deposited: a symbol, or several joined by a hyphen.")
    apy_percent: Decimal = described("All that it earns, in percent a year.")
    base_apy_percent: Decimal | None = described("From fees and interest.", default=None)
    reward_apy_percent: Decimal | None = described("From reward tokens.", default=None)
    tvl: Decimal | None = described("What is deposited, in `currency`.", default=None)
    currency: str = described("Currency of `tvl`.", default="USD")
    stablecoin: bool | None = described("Whether all assets are stable coins.", default=None)
    exposed: bool | None = described("Whether a move of prices against each other costs the depositor.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolsAsk:
    """At most `limit` pools, in the provider's order: of a chain, with a token, or of one address; or by a text.

    `chain` is empty only with a `text`. `newest` asks for the youngest instead of the most traded.
    """

    chain: str = ""
    address: str = ""
    token: str = ""
    text: str = ""
    newest: bool = False
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapQuoteAsk:
    """What `sell_amount` smallest units of one token (by address) would give of another."""

    chain: str
    sell_token: str
    buy_token: str
    sell_amount: Decimal
    slippage_bps: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TvlAsk:
    """Protocols or chains by what is locked in them, largest first; only one with a `slug`."""

    kind: LockedIn = LockedIn.PROTOCOL
    slug: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TvlHistoryAsk:
    """What was locked in one protocol or chain at times in `[start, end)`, ascending; without a range all."""

    slug: str
    kind: LockedIn = LockedIn.PROTOCOL
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class YieldsAsk:
    """Deposits and what they earn, those with the most in them first; empty texts do not filter."""

    chain: str = ""
    protocol: str = ""
    asset: str = ""


def check_pools(ask: PoolsAsk, pools: Sequence[Pool]) -> Iterator[str]:
    """Real prices, the chain that was asked for."""
    yield from unique("pools", [(pool.chain, pool.address) for pool in pools])
    for pool in pools:
        path = f"{pool.address}: "
        yield from positive(path, price=pool.price, base_price=pool.base_price, quote_price=pool.quote_price)
        yield from not_negative(path, liquidity=pool.liquidity, volume24h=pool.volume24h, buys24h=pool.buys24h)
        if ask.chain and pool.chain != ask.chain:
            yield f"{path}is on {pool.chain}"


def check_swap(ask: SwapQuoteAsk, quote: SwapQuote) -> Iterator[str]:
    """Whole numbers of smallest units."""
    yield from positive("", sell_amount=quote.sell_amount)
    yield from not_negative("", buy_amount=quote.buy_amount, least_buy_amount=quote.least_buy_amount)
    for name in ("sell_amount", "buy_amount", "least_buy_amount"):
        amount = getattr(quote, name)
        if amount is not None and amount != amount.to_integral_value():
            yield f"{name} is {amount}, not a whole number of smallest units"
    if (quote.sell_token, quote.buy_token) != (ask.sell_token, ask.buy_token):
        yield f"is of {quote.sell_token} for {quote.buy_token}"


def check_tvl(ask: TvlAsk, found: Sequence[Tvl]) -> Iterator[str]:
    """Largest first."""
    yield from ascending("value (from the end)", [each.value for each in found][::-1])
    yield from unique("slugs", [each.slug for each in found])
    yield from (f"{each.slug} is a {each.kind}" for each in found if each.kind is not ask.kind)


def check_tvl_history(ask: TvlHistoryAsk, points: Sequence[TvlPoint]) -> Iterator[str]:
    """Ascending, inside of the range."""
    yield from ascending("time", [point.time for point in points], unique=True)
    yield from in_range("time", [point.time for point in points], ask.start, ask.end)


def check_yields(ask: YieldsAsk, found: Sequence[YieldRate]) -> Iterator[str]:
    """Most deposited first, rates in percent."""
    yield from unique("ids", [each.id for each in found])
    yield from ascending("tvl (from the end)", [each.tvl for each in found if each.tvl is not None][::-1])
    for each in found:
        yield from within(f"{each.id}: ", -100, 10**9, apy_percent=each.apy_percent)


POOLS: Capability[PoolsAsk, tuple[Pool, ...]] = Capability(
    name="pools",
    ask=PoolsAsk,
    answer=tuple[Pool, ...],
    description="Markets of decentralised exchanges.",
    fresh_for=timedelta(seconds=15),
    revalidate_for=timedelta(seconds=15),
    keep_for=timedelta(hours=1),
    check=check_pools,
)
SWAP_QUOTE: Capability[SwapQuoteAsk, SwapQuote] = Capability(
    name="swapQuote",
    ask=SwapQuoteAsk,
    answer=SwapQuote,
    description="What a swap of two tokens would give.",
    fresh_for=timedelta(seconds=2),
    keep_for=timedelta(seconds=30),
    check=check_swap,
)
TVL: Capability[TvlAsk, tuple[Tvl, ...]] = Capability(
    name="tvl",
    ask=TvlAsk,
    answer=tuple[Tvl, ...],
    description="Value locked in protocols and on chains.",
    fresh_for=timedelta(minutes=5),
    revalidate_for=timedelta(minutes=25),
    keep_for=timedelta(days=1),
    check=check_tvl,
)
TVL_HISTORY: Capability[TvlHistoryAsk, tuple[TvlPoint, ...]] = Capability(
    name="tvlHistory",
    ask=TvlHistoryAsk,
    answer=tuple[TvlPoint, ...],
    description="Value locked in one protocol or chain over time.",
    fresh_for=timedelta(minutes=30),
    revalidate_for=timedelta(hours=3),
    keep_for=timedelta(days=1),
    as_of=lambda points: max((point.time for point in points), default=None),
    check=check_tvl_history,
)
YIELDS: Capability[YieldsAsk, tuple[YieldRate, ...]] = Capability(
    name="yields",
    ask=YieldsAsk,
    answer=tuple[YieldRate, ...],
    description="What deposits earn.",
    fresh_for=timedelta(minutes=10),
    revalidate_for=timedelta(minutes=50),
    keep_for=timedelta(days=1),
    check=check_yields,
)
