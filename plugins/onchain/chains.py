"""Fees, balances, transactions, the state of a chain, oracles, sentiment."""

from __future__ import annotations

from typing import cast

from gateway.core.contract import Ctx, fetch_list
from gateway.core.ports import Desk
from plugins.onchain.arguments import Address, Chain, Hash, Index, NewestValues, TokenOf, name_of, needed
from schema.arguments import After, PageSize, Route, Symbol
from schema.errors import BadInput
from schema.paging import Connection, connected
from schema.words.chains import (
    BALANCE,
    CHAIN_STATUS,
    FEES,
    ORACLE_PRICES,
    TRANSACTIONS,
    Balance,
    BalanceAsk,
    ChainStatus,
    ChainStatusAsk,
    ChainTransaction,
    FeeEstimate,
    FeesAsk,
    OraclePrice,
    OraclePricesAsk,
    TransactionsAsk,
)
from schema.words.routes import terms_of
from schema.words.sentiment import FEAR_AND_GREED, SENTIMENT, SentimentAsk, SentimentIndex

MOST_VALUES = 1_000
SIZES = (1, 30, 365, MOST_VALUES)
"""What providers are asked for: the next larger one, so that most callers share an answer."""


async def resolve_fee_estimate(info: Ctx, chain: Chain, route: Route = None) -> FeeEstimate | None:
    """What a transaction should pay now."""
    ask = FeesAsk(chain=needed("chain", chain).lower())
    return cast(FeeEstimate, (await info.context.market.fetch(FEES, ask, terms_of(route))).value)


async def resolve_address_balance(
    info: Ctx, chain: Chain, address: Address, token: TokenOf = None, route: Route = None
) -> Balance | None:
    """What one address holds."""
    ask = BalanceAsk(
        chain=needed("chain", chain).lower(), address=needed("address", address), token=name_of("token", token)
    )
    return cast(Balance, (await info.context.market.fetch(BALANCE, ask, terms_of(route))).value)


async def resolve_address_transactions(
    info: Ctx,
    chain: Chain,
    address: Address,
    token: TokenOf = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[ChainTransaction] | None:
    """A page of the newest ones."""
    ask = TransactionsAsk(
        chain=needed("chain", chain).lower(), address=needed("address", address), token=name_of("token", token)
    )
    fetched = await fetch_list(info.context.market, TRANSACTIONS, ask, terms_of(route), kind="transaction", after=after)
    found = cast("tuple[ChainTransaction, ...]", fetched.value)[: ask.limit]
    page = connected(found, fetched.provenance, kind="transaction", first=first, after=after)
    return cast("Connection[ChainTransaction]", page)


async def resolve_chain_transaction(
    info: Ctx, chain: Chain, hash: Hash, route: Route = None
) -> ChainTransaction | None:
    """One by its hash."""
    ask = TransactionsAsk(chain=needed("chain", chain).lower(), hash=needed("hash", hash), limit=1)
    found = cast(
        "tuple[ChainTransaction, ...]", (await info.context.market.fetch(TRANSACTIONS, ask, terms_of(route))).value
    )
    return found[0] if found else None


async def resolve_chain_status(info: Ctx, chain: Chain, route: Route = None) -> ChainStatus | None:
    """How it is doing now."""
    ask = ChainStatusAsk(chain=needed("chain", chain).lower())
    return cast(ChainStatus, (await info.context.market.fetch(CHAIN_STATUS, ask, terms_of(route))).value)


async def resolve_oracle_price(info: Ctx, symbol: Symbol, route: Route = None) -> OraclePrice | None:
    """The newest price of one feed."""
    instrument = await info.context.service(Desk).find(info.context, symbol)
    ask = OraclePricesAsk(instruments=(instrument,))
    return cast(OraclePrice, (await info.context.market.fetch(ORACLE_PRICES, ask, terms_of(route))).value)


async def resolve_sentiment(
    info: Ctx, index: Index = FEAR_AND_GREED, last: NewestValues = 1, route: Route = None
) -> list[SentimentIndex] | None:
    """The newest values."""
    last = 1 if last is None else last
    if not 1 <= last <= MOST_VALUES:
        raise BadInput("last", f"must be 1 to {MOST_VALUES}, not {last}")
    size = next(size for size in SIZES if size >= last)
    ask = SentimentAsk(index=name_of("index", index) or FEAR_AND_GREED, last=size)
    found = (await info.context.market.fetch(SENTIMENT, ask, terms_of(route))).value
    return list(cast("tuple[SentimentIndex, ...]", found)[-last:])
