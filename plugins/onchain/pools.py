"""Pools, swaps, locked value, yields."""

from __future__ import annotations

from typing import cast

from gateway.core.contract import Ctx, fetch_list
from plugins.onchain.arguments import (
    AnyChain,
    Asset,
    BuyToken,
    Category,
    Chain,
    Kind,
    LeastLiquidity,
    LeastTvl,
    Newest,
    OnDex,
    OneSlug,
    PoolAt,
    Protocol,
    SellAmount,
    SellToken,
    Slippage,
    Slug,
    Stable,
    WithToken,
    Words,
    chain_of,
    name_of,
    needed,
)
from schema.arguments import After, From, PageSize, Route, Until
from schema.errors import BadInput
from schema.paging import Connection, connected
from schema.words.defi import (
    POOLS,
    SWAP_QUOTE,
    TVL,
    TVL_HISTORY,
    YIELDS,
    LockedIn,
    Pool,
    PoolsAsk,
    SwapQuote,
    SwapQuoteAsk,
    Tvl,
    TvlAsk,
    TvlHistoryAsk,
    TvlPoint,
    YieldRate,
    YieldsAsk,
)
from schema.words.routes import terms_of

MOST_SLIPPAGE = 5_000


async def resolve_pools(
    info: Ctx,
    chain: AnyChain = None,
    token: WithToken = None,
    address: PoolAt = None,
    search: Words = None,
    newest: Newest = False,
    dex: OnDex = None,
    min_liquidity: LeastLiquidity = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[Pool] | None:
    """A page of the pools that one provider answers, filtered."""
    ask = PoolsAsk(
        chain=chain_of(chain), token=name_of("token", token), address=name_of("address", address),
        text=name_of("search", search), newest=bool(newest),
    )  # fmt: skip
    if not ask.chain and not ask.text:
        raise BadInput("chain", "is needed, unless `search` says what to look for")
    if sum(map(bool, (ask.token, ask.address, ask.text))) > 1:
        raise BadInput("token", "give one of token, address and search")
    fetched = await fetch_list(info.context.market, POOLS, ask, terms_of(route), kind="pool", after=after)
    found = [
        pool
        for pool in cast("tuple[Pool, ...]", fetched.value)
        if (dex is None or pool.dex == dex)
        and (min_liquidity is None or (pool.liquidity is not None and pool.liquidity >= min_liquidity))
    ]
    return cast("Connection[Pool]", connected(found, fetched.provenance, kind="pool", first=first, after=after))


async def resolve_swap_quote(
    info: Ctx,
    chain: Chain,
    sell_token: SellToken,
    buy_token: BuyToken,
    sell_amount: SellAmount,
    slippage_bps: Slippage = 50,
    route: Route = None,
) -> SwapQuote | None:
    """A quote, never a swap."""
    if sell_amount <= 0 or sell_amount != sell_amount.to_integral_value():
        raise BadInput("sellAmount", f"must be a whole number of the token's smallest units above 0, not {sell_amount}")
    slippage = 50 if slippage_bps is None else slippage_bps
    if not 0 <= slippage <= MOST_SLIPPAGE:
        raise BadInput("slippageBps", f"must be 0 to {MOST_SLIPPAGE}, not {slippage}")
    ask = SwapQuoteAsk(
        chain=needed("chain", chain).lower(), sell_token=needed("sellToken", sell_token),
        buy_token=needed("buyToken", buy_token), sell_amount=sell_amount, slippage_bps=slippage,
    )  # fmt: skip
    if ask.sell_token == ask.buy_token:
        raise BadInput("buyToken", "is the token that is sold")
    return cast(SwapQuote, (await info.context.market.fetch(SWAP_QUOTE, ask, terms_of(route))).value)


async def resolve_tvl(
    info: Ctx,
    kind: Kind = LockedIn.PROTOCOL,
    slug: Slug = None,
    chain: AnyChain = None,
    category: Category = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[Tvl] | None:
    """A page of the ranking, filtered."""
    ask = TvlAsk(kind=kind or LockedIn.PROTOCOL, slug=name_of("slug", slug))
    fetched = await fetch_list(info.context.market, TVL, ask, terms_of(route), kind="tvl", after=after)
    wanted = chain_of(chain)
    found = [
        each
        for each in cast("tuple[Tvl, ...]", fetched.value)
        if (category is None or each.category == category) and (not wanted or wanted in map(str.lower, each.chains))
    ]
    return cast("Connection[Tvl]", connected(found, fetched.provenance, kind="tvl", first=first, after=after))


async def resolve_tvl_history(
    info: Ctx,
    slug: OneSlug,
    kind: Kind = LockedIn.PROTOCOL,
    start: From = None,
    end: Until = None,
    route: Route = None,
) -> list[TvlPoint] | None:
    """The points inside of the range."""
    if start is not None and end is not None and not start < end:
        raise BadInput("end", "must be after start")
    ask = TvlHistoryAsk(slug=needed("slug", slug), kind=kind or LockedIn.PROTOCOL, start=start, end=end)
    points = cast("tuple[TvlPoint, ...]", (await info.context.market.fetch(TVL_HISTORY, ask, terms_of(route))).value)
    return [p for p in points if (start is None or p.time >= start) and (end is None or p.time < end)]


async def resolve_yields(
    info: Ctx,
    chain: AnyChain = None,
    protocol: Protocol = None,
    asset: Asset = None,
    stablecoin: Stable = None,
    min_tvl: LeastTvl = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[YieldRate] | None:
    """A page of what deposits earn, filtered."""
    ask = YieldsAsk(chain=chain_of(chain), protocol=name_of("protocol", protocol), asset=name_of("asset", asset))
    fetched = await fetch_list(info.context.market, YIELDS, ask, terms_of(route), kind="yield", after=after)
    found = [
        each
        for each in cast("tuple[YieldRate, ...]", fetched.value)
        if (stablecoin is None or each.stablecoin is stablecoin)
        and (min_tvl is None or (each.tvl is not None and each.tvl >= min_tvl))
    ]
    return cast("Connection[YieldRate]", connected(found, fetched.provenance, kind="yield", first=first, after=after))
