"""Chains and decentralised finance through GraphQL, spoken by a fake."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from schema.errors import UnknownInstrument
from schema.symbols import parse_instrument
from schema.words.chains import (
    BALANCE,
    CHAIN_STATUS,
    FEES,
    ORACLE_PRICES,
    TRANSACTIONS,
    Balance,
    ChainStatus,
    ChainTransaction,
    FeeEstimate,
    FeeUnit,
    OraclePrice,
    TransactionsAsk,
)
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
    SwapStep,
    Token,
    Tvl,
    TvlPoint,
    YieldRate,
)
from schema.words.sentiment import SENTIMENT, SentimentIndex
from tests.plugins.speakers import NOON, Room, Speaker, speaker

BTC = parse_instrument("crypto:BTC/USD")


def pool(number: int, dex: str, liquidity: str | None) -> Pool:
    return Pool(
        chain="ethereum", address=f"0x{number}", dex=dex, base=Token(address="0xa", symbol="AAA", decimals=18),
        quote=Token(address="0xb"), price=Decimal("1.234567890123456789"),
        liquidity=None if liquidity is None else Decimal(liquidity), created_at=NOON,
    )  # fmt: skip


def tvl(slug: str, value: int, *chains: str) -> Tvl:
    return Tvl(
        kind=LockedIn.PROTOCOL, slug=slug, name=slug.title(), value=Decimal(value), chains=chains, category="Dex"
    )


def rate(id: str, stable: bool, deposited: str) -> YieldRate:
    return YieldRate(
        id=id, protocol="aave", chain="ethereum", asset="USDC", apy_percent=Decimal("3.5"), tvl=Decimal(deposited),
        stablecoin=stable,
    )  # fmt: skip


def moved(ask: TransactionsAsk) -> tuple[ChainTransaction, ...]:
    if ask.hash == "missing":
        raise UnknownInstrument("alpha", "no such transaction")
    made = [
        ChainTransaction(
            hash=f"h{n}", chain=ask.chain, asset="BTC", amount=Decimal(n), time=NOON.replace(minute=9 - n), block=f"{n}"
        )
        for n in range(3)
    ]
    return tuple(made[:1] if ask.hash else made)


@pytest.fixture(scope="module")
def alpha() -> type[Speaker]:
    return speaker({
        POOLS: lambda ask: (pool(1, "uniswap", "100"), pool(2, "curve", None), pool(3, "uniswap", "5000.5")),
        SWAP_QUOTE: lambda ask: SwapQuote(
            chain=ask.chain, sell_token=ask.sell_token, buy_token=ask.buy_token, sell_amount=ask.sell_amount,
            buy_amount=Decimal("17057460"), steps=(SwapStep(dex="x", sell_token="a", buy_token="b"),),
        ),
        TVL: lambda ask: (tvl("aave", 9, "Ethereum", "Base"), tvl("lido", 8, "Ethereum"), tvl("raydium", 1, "Solana")),
        TVL_HISTORY: lambda ask: tuple(
            TvlPoint(time=datetime(2026, 1, n, tzinfo=UTC), value=Decimal(n)) for n in (1, 2, 3)
        ),
        YIELDS: lambda ask: (rate("a", True, "100"), rate("b", False, "50"), rate("c", True, "10")),
        FEES: lambda ask: FeeEstimate(
            chain=ask.chain, unit=FeeUnit.SAT_PER_VBYTE, slow=Decimal(1), standard=Decimal(3), block="900000000000"
        ),
        BALANCE: lambda ask: Balance(
            chain=ask.chain, address=ask.address, asset="ETH", amount=Decimal("40891.63156607")
        ),
        TRANSACTIONS: moved,
        CHAIN_STATUS: lambda ask: ChainStatus(chain=ask.chain, block="1", waiting_transactions=3169),
        ORACLE_PRICES: lambda ask: [
            OraclePrice(instrument=BTC, price=Decimal("61409.93501"), currency="USD", feed="e62d", as_of=NOON)
        ],
        SENTIMENT: lambda ask: tuple(
            SentimentIndex(index=ask.index, time=datetime(2026, 1, n, tzinfo=UTC), value=Decimal(n))
            for n in range(1, min(ask.last, 20) + 1)
        ),
    })  # fmt: skip


@pytest.fixture(scope="module")
def room(alpha: type[Speaker]) -> Room:
    return Room(alpha)


async def test_pools_are_filtered_paged_and_say_where_they_came_from(room: Room) -> None:
    query = """query($a: Cursor) { pools(chain: "Ethereum", dex: "uniswap", first: 1, after: $a) {
      nodes { address price base { symbol decimals } createdAt } pageInfo { hasNextPage endCursor }
      provenance { provider mode } } }"""

    first = await room.data(query)
    second = await room.data(query, a=first["pageInfo"]["endCursor"])

    assert first["nodes"] == [
        {
            "address": "0x1",
            "price": "1.234567890123456789",
            "base": {"symbol": "AAA", "decimals": 18},
            "createdAt": "2026-11-20T12:00:00Z",
        }
    ]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert [node["address"] for node in second["nodes"]] == ["0x3"]
    assert first["provenance"] == {"provider": "alpha", "mode": "LIVE"}


async def test_pools_with_less_than_asked_for_or_of_unknown_liquidity_are_left_out(room: Room) -> None:
    found = await room.data('{ pools(search: "aaa", minLiquidity: "101") { edges { node { address } } } }')

    assert found == {"edges": [{"node": {"address": "0x3"}}]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", "chain: is needed, unless `search` says what to look for"),
        ('chain: "solana", token: "a", search: "b"', "token: give one of token, address and search"),
        ('chain: "solana", first: 101', "first: must be 1 to 100, not 101"),
        (f'chain: "{"x" * 129}"', "chain: is longer than 128 characters, or holds unprintable ones"),
    ],
)
async def test_pools_that_cannot_be_asked_for_are_refused_before_anybody_is_asked(
    room: Room, alpha: type[Speaker], arguments: str, told: str
) -> None:
    asked = len([ask for ask in alpha.asked if isinstance(ask, PoolsAsk) and ask.chain == "solana" and ask.token])

    given = f"({arguments})" if arguments else ""
    assert await room.error(f"{{ pools{given} {{ nodes {{ address }} }} }}") == ("BAD_USER_INPUT", told)
    assert asked == 0


async def test_a_swap_is_quoted_in_smallest_units(room: Room, alpha: type[Speaker]) -> None:
    query = """{ swapQuote(chain: "solana", sellToken: "So1", buyToken: "EPj", sellAmount: "100000000") {
      sellAmount buyAmount steps { dex pool } provenance { provider } } }"""

    found = await room.data(query)

    assert found == {
        "sellAmount": "100000000",
        "buyAmount": "17057460",
        "steps": [{"dex": "x", "pool": None}],
        "provenance": {"provider": "alpha"},
    }
    assert SwapQuoteAsk(
        chain="solana", sell_token="So1", buy_token="EPj", sell_amount=Decimal(100_000_000), slippage_bps=50
    ) in alpha.asked  # fmt: skip


@pytest.mark.parametrize("amount", ["0", "-1", "0.5"])
async def test_a_part_of_the_smallest_unit_cannot_be_sold(room: Room, amount: str) -> None:
    query = f'{{ swapQuote(chain: "x", sellToken: "a", buyToken: "b", sellAmount: "{amount}") {{ buyAmount }} }}'

    code, told = await room.error(query)

    assert code == "BAD_USER_INPUT"
    assert told == f"sellAmount: must be a whole number of the token's smallest units above 0, not {amount}"


async def test_locked_value_is_filtered_by_chain_and_its_history_by_time(room: Room) -> None:
    ranking = await room.data('{ tvl(chain: "ethereum") { nodes { slug value chains } } }')
    history = await room.data('{ tvlHistory(slug: "aave", start: "2026-01-02T00:00:00Z") { time value } }')

    assert [node["slug"] for node in ranking["nodes"]] == ["aave", "lido"]
    assert history == [
        {"time": "2026-01-02T00:00:00Z", "value": "2"},
        {"time": "2026-01-03T00:00:00Z", "value": "3"},
    ]


async def test_yields_are_filtered_by_what_lies_in_them(room: Room) -> None:
    found = await room.data('{ yields(stablecoin: true, minTvl: "50") { nodes { id apyPercent } } }')

    assert found == {"nodes": [{"id": "a", "apyPercent": "3.5"}]}


async def test_fees_balances_and_the_state_of_a_chain(room: Room) -> None:
    fees = await room.data('{ feeEstimate(chain: "Bitcoin") { chain unit slow standard fast block } }')
    balance = await room.data('{ addressBalance(chain: "ethereum", address: "0xAb") { address amount token } }')
    status = await room.data('{ chainStatus(chain: "bitcoin") { block waitingTransactions supply } }')

    assert fees == {
        "chain": "bitcoin", "unit": "SAT_PER_VBYTE", "slow": "1", "standard": "3", "fast": None, "block": "900000000000"
    }  # fmt: skip
    assert balance == {"address": "0xAb", "amount": "40891.63156607", "token": None}
    assert status == {"block": "1", "waitingTransactions": 3169, "supply": None}


async def test_transactions_of_an_address_and_one_by_its_hash(room: Room) -> None:
    page = await room.data(
        '{ addressTransactions(chain: "bitcoin", address: "b", first: 2) { nodes { hash } pageInfo { hasNextPage } } }'
    )
    one = await room.data('{ chainTransaction(chain: "bitcoin", hash: "h0") { hash amount time } }')

    assert page == {"nodes": [{"hash": "h0"}, {"hash": "h1"}], "pageInfo": {"hasNextPage": True}}
    assert one == {"hash": "h0", "amount": "0", "time": "2026-11-20T12:09:00Z"}
    code, _ = await room.error('{ chainTransaction(chain: "bitcoin", hash: "missing") { hash } }')
    assert code == "UNKNOWN_INSTRUMENT"


async def test_an_oracles_price_belongs_to_an_instrument(room: Room) -> None:
    found = await room.data(
        '{ oraclePrice(symbol: "BTC/USD") { price currency feed confidence instrument { id } provenance { asOf } } }'
    )

    assert found == {
        "price": "61409.93501", "currency": "USD", "feed": "e62d", "confidence": None,
        "instrument": {"id": "crypto:BTC/USD"}, "provenance": {"asOf": "2026-11-20T12:00:00Z"},
    }  # fmt: skip


async def test_the_newest_values_of_an_index_are_cut_from_an_answer_that_most_share(
    room: Room, alpha: type[Speaker]
) -> None:
    found = await room.data("{ sentiment(last: 2) { index value time } }")
    again = await room.data("{ sentiment(last: 5) { value } }")

    assert [each["value"] for each in found] == ["19", "20"]
    assert len(again) == 5
    assert len([ask for ask in alpha.asked if getattr(ask, "index", "") == "crypto.fear-and-greed"]) == 1
