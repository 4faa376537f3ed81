"""The Graph: pools of Uniswap v3, from its indexed contracts. Docs: https://thegraph.com/docs/en/subgraphs/querying/

A GraphQL upstream: refusals come with status 200 and a list of errors.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers, header
from providers.defi._chains import whole
from providers.defi._pools import token
from providers.row import Row
from schema.errors import (
    Malformed,
    Overloaded,
    QuotaExhausted,
    Throttled,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from schema.symbols import AssetClass
from schema.words.defi import POOLS, Pool, PoolsAsk

# The subgraphs that Uniswap publishes: https://docs.uniswap.org/api/subgraph/overview
SUBGRAPHS = {
    "arbitrum": "FbCGRftH4a3yZugY7TnbYgPJVEv2LvMT6oF1fxPe9aJM",
    "base": "43Hwfi3dJSoGpyas9VwNoDAv55yjgGrPpNSmbQZArzMG",
    "celo": "ESdrTJ3twMwWVoQ1hUE2u7PugEHX3QkenudD6aXCkDQ4",
    "ethereum": "5zvR82QoaXYFyDEKLZ9t6v9adgnptxYpKpSbxtgVENFV",
    "optimism": "Cghf4LfVqPiFw6fp6Y5X5Ubc8UpmUhSfJL82zwiBFLaj",
    "polygon": "3hCPRGf4z88VC5rsBKU5AA9FBBq5nF3jbKJG7VZCbhjm",
}
SIDE = "{ id symbol name decimals }"
QUERY = (
    "query Pools($first: Int!, $where: Pool_filter, $orderBy: Pool_orderBy!) { "
    "pools(first: $first, where: $where, orderBy: $orderBy, orderDirection: desc) { "
    "id feeTier createdAtTimestamp totalValueLockedUSD token1Price "
    f"token0 {SIDE} token1 {SIDE} }} "
    "_meta { block { number timestamp } } }"
)
MOST_ROWS = 1000
MILLIONTHS = 6
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z")
# By what a message contains, in order.
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("payment required", QuotaExhausted, "the key's queries are used up"),
    ("spending limit", QuotaExhausted, "the key's queries are used up"),
    ("auth error", Unauthorized, "the key is refused"),
    ("api key", Unauthorized, "the key is refused"),
    ("rate limit", Throttled, "too many queries"),
    ("too many requests", Throttled, "too many queries"),
    ("subgraph not found", UnknownInstrument, "does not know the subgraph"),
    ("bad indexers", Overloaded, "no indexer answers"),
    ("no indexers", Overloaded, "no indexer answers"),
    ("unavailable", Overloaded, "no indexer answers"),
    ("timeout", Overloaded, "its query took too long"),
    ("indexing_error", Overloaded, "the subgraph has failed"),
)


def covered(ask: PoolsAsk) -> bool:
    """By what was ever traded, the youngest, with a token, or one; not by a text."""
    one = ask.address or ask.token
    return ask.chain in SUBGRAPHS and not ask.text and (not one or bool(_ADDRESS.match(one)))


class TheGraph(Provider):
    """The gateway of the decentralised network; needs a key."""

    profile = Profile(
        id="thegraph",
        name="The Graph",
        base_url="https://gateway.thegraph.com/api",
        docs="https://thegraph.com/docs/en/subgraphs/querying/",
        asset_classes=(AssetClass.DEX,),
        licence=Licence(note="Public data of contracts, indexed; the plan limits queries.", redistributable=True),
        credentials=(header("Authorization", template="Bearer {}", sign_up="https://thegraph.com/studio/apikeys/"),),
        # The free plan's.
        limits=(Limit(count=100_000, per=timedelta(days=30)),),
        priority=60,
    )

    @answers(POOLS, covers=covered, fresh_for=timedelta(minutes=1))
    async def pools(self, ask: PoolsAsk) -> tuple[Pool, ...]:
        """Addresses are in lower case there."""
        variables: dict[str, Any] = {
            "first": min(ask.limit, MOST_ROWS),
            "where": filter_of(ask),
            "orderBy": "createdAtTimestamp" if ask.newest else "volumeUSD",
        }
        body = {"query": QUERY, "variables": variables}
        return parse_pools(ask.chain, await self.http.post(f"/subgraphs/id/{SUBGRAPHS[ask.chain]}", body))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Any error spoils the whole answer; none of them is shown, for the key may be in it."""
        errors = reply.body.get("errors")
        if not errors:
            return None
        said = " ".join(row.text("message") for row in errors).lower()
        for part, kind, why in REFUSALS:
            if part in said:
                return kind(self.profile.id, why)
        return Malformed(self.profile.id, "refuses the query")


def filter_of(ask: PoolsAsk) -> dict[str, Any]:
    """Either side may be the token."""
    if ask.address:
        return {"id": ask.address.lower()}
    wanted = ask.token.lower()
    return {"or": [{"token0": wanted}, {"token1": wanted}]} if wanted else {}


def parse_pools(chain: str, body: Row) -> tuple[Pool, ...]:
    """As of the newest block that is indexed."""
    data = body["data"]
    as_of = data["_meta"]["block"].maybe_epoch("timestamp")
    return tuple({pool.address: pool for pool in (_pool(chain, as_of, row) for row in data["pools"])}.values())


def _pool(chain: str, as_of: datetime | None, row: Row) -> Pool:
    """`token1Price` is how much of `token1` one `token0` is worth; the fee is in millionths."""
    fee = row.maybe("feeTier")
    return Pool(
        as_of=as_of,
        chain=chain,
        address=row.text("id"),
        dex="uniswap_v3",
        base=token(row["token0"], "id"),
        quote=token(row["token1"], "id"),
        price=row.positive("token1Price"),
        liquidity=row.maybe("totalValueLockedUSD"),
        fee_percent=None if fee is None else whole(fee, MILLIONTHS - 2),
        created_at=row.maybe_epoch("createdAtTimestamp"),
    )
