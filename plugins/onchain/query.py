"""The root fields of the plugin."""

from __future__ import annotations

import strawberry

from plugins.onchain.chains import (
    resolve_address_balance,
    resolve_address_transactions,
    resolve_chain_status,
    resolve_chain_transaction,
    resolve_fee_estimate,
    resolve_oracle_price,
    resolve_sentiment,
)
from plugins.onchain.pools import (
    resolve_pools,
    resolve_swap_quote,
    resolve_tvl,
    resolve_tvl_history,
    resolve_yields,
)
from schema.facts import Shared, facts
from schema.paging import Connection
from schema.scopes import Scope
from schema.words.chains import Balance, ChainStatus, ChainTransaction, FeeEstimate, OraclePrice
from schema.words.costs import page_length
from schema.words.defi import Pool, SwapQuote, Tvl, TvlPoint, YieldRate
from schema.words.sentiment import SentimentIndex

ONE = facts(needs=Scope.MARKET_READ, shared=Shared.PUBLIC)
PAGE = facts(times=page_length, needs=Scope.MARKET_READ, shared=Shared.PUBLIC)


@strawberry.type
class OnchainQuery:
    """What chains and their markets tell."""

    pools: Connection[Pool] | None = strawberry.field(
        resolver=resolve_pools,
        description="Markets of decentralised exchanges: of a chain, with a token, at an address, or by a text.",
        metadata=PAGE,
    )
    swap_quote: SwapQuote | None = strawberry.field(
        resolver=resolve_swap_quote,
        description="What a swap of two tokens would give now. Nothing is swapped.",
        metadata=ONE,
    )
    tvl: Connection[Tvl] | None = strawberry.field(
        resolver=resolve_tvl,
        description="Value locked in protocols or on chains, largest first.",
        metadata=PAGE,
    )
    tvl_history: list[TvlPoint] | None = strawberry.field(
        resolver=resolve_tvl_history,
        description="Value locked in one protocol or on one chain over time, ascending.",
        metadata=facts(cost=2, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
    yields: Connection[YieldRate] | None = strawberry.field(
        resolver=resolve_yields,
        description="What deposits earn, those with the most in them first.",
        metadata=PAGE,
    )
    fee_estimate: FeeEstimate | None = strawberry.field(
        resolver=resolve_fee_estimate,
        description="What a transaction on a chain must pay to be taken soon.",
        metadata=ONE,
    )
    address_balance: Balance | None = strawberry.field(
        resolver=resolve_address_balance,
        description="What an address holds of its chain's own coin, or of a token.",
        metadata=ONE,
    )
    address_transactions: Connection[ChainTransaction] | None = strawberry.field(
        resolver=resolve_address_transactions,
        description="The newest hundred transactions of an address, newest first.",
        metadata=PAGE,
    )
    chain_transaction: ChainTransaction | None = strawberry.field(
        resolver=resolve_chain_transaction,
        description="One transaction by its hash.",
        metadata=ONE,
    )
    chain_status: ChainStatus | None = strawberry.field(
        resolver=resolve_chain_status,
        description="How a chain is doing: height, difficulty, what waits.",
        metadata=ONE,
    )
    oracle_price: OraclePrice | None = strawberry.field(
        resolver=resolve_oracle_price,
        description="The price that an oracle publishes, with its confidence; `quote` has it as a price among others.",
        metadata=ONE,
    )
    sentiment: list[SentimentIndex] | None = strawberry.field(
        resolver=resolve_sentiment,
        description="The newest `last` values of an index of the market's mood, ascending.",
        metadata=ONE,
    )
