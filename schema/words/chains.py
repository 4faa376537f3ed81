"""Chains: fees, balances, transactions, the state of the network; prices that oracles publish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import strawberry

from schema.capability import Capability, Items
from schema.checks import ascending, newest_first, not_negative, positive, unique
from schema.model import choices, computed, described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.symbols import InstrumentId
from schema.words.instruments import DESCRIBED, instrument_of

CHAINS = frozenset(
    {
        "arbitrum", "avalanche", "base", "bitcoin", "bitcoin-cash", "bsc", "cardano", "celo", "dogecoin", "ethereum",
        "fantom", "gnosis", "linea", "litecoin", "optimism", "polygon", "scroll", "solana", "sui", "ton", "tron",
        "zksync",
    }
)  # fmt: skip
"""What the gateway calls chains; adapters map their own names to these. Others keep the provider's name, lower-case."""


@choices(
    "What a fee is counted in.",
    SAT_PER_VBYTE="Satoshis for a virtual byte.",
    GWEI="Billionths of an ether for a unit of gas.",
    MICROLAMPORT="Millionths of a lamport for a compute unit.",
)
class FeeUnit(StrEnum):
    """As wallets of the chain show it."""

    SAT_PER_VBYTE = "SAT_PER_VBYTE"
    GWEI = "GWEI"
    MICROLAMPORT = "MICROLAMPORT"


@model("What a transaction must pay to be taken soon.")
class FeeEstimate:
    """`slow` ≤ `standard` ≤ `fast`, each in `unit`."""

    as_of: strawberry.Private[datetime | None] = None
    chain: str = described("The chain.")
    unit: FeeUnit = described("What the fees are counted in: per virtual byte, or per unit of gas.")
    slow: Decimal | None = described("Enough where there is time: about an hour.", default=None)
    standard: Decimal = described("Enough for one of the next few blocks.")
    fast: Decimal | None = described("Enough for the next block.", default=None)
    minimum: Decimal | None = described("Less is not passed on.", default=None)
    base_fee: Decimal | None = described("The part that every transaction of the next block pays.", default=None)
    block: str | None = described("Height of the newest block.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("What an address holds of one asset.")
class Balance:
    """In whole coins, whatever units the wire counts in."""

    as_of: strawberry.Private[datetime | None] = None
    chain: str = described("The chain.")
    address: str = described("The address.")
    asset: str = described("The asset's code: the chain's own coin, or the token's symbol.")
    token: str | None = described("Address of the token; null for the chain's own coin.", default=None)
    amount: Decimal = described("What it holds, in whole coins.")
    unconfirmed: Decimal | None = described(
        "What is on its way, in whole coins; negative where it leaves.", default=None
    )
    received: Decimal | None = described("All that ever came in, in whole coins.", default=None)
    sent: Decimal | None = described("All that ever went out, in whole coins.", default=None)
    transactions: int | None = described("How many transactions it took part in.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("A transaction on a chain.")
class ChainTransaction:
    """Amounts in whole coins. Chains whose transactions have many inputs tell no single sender."""

    as_of: strawberry.Private[datetime | None] = None
    hash: str = described("Its hash.")
    chain: str = described("The chain.")
    time: datetime | None = described("Time of its block; null while it waits.", default=None)
    block: str | None = described("Height of its block; null while it waits.", default=None)
    sender: str | None = described("Who sent it, where it is one.", default=None)
    receiver: str | None = described("Who got it, where it is one; null where it made a contract.", default=None)
    asset: str = described("The asset's code.")
    token: str | None = described("Address of the token; null for the chain's own coin.", default=None)
    amount: Decimal = described("What was moved in all, in whole coins.")
    change: Decimal | None = described("What it changed for the address that was asked for.", default=None)
    fee: Decimal | None = described("What it paid, in the chain's own coin.", default=None)
    failed: bool = described("Whether it was taken up and did not succeed.", default=False)
    confirmations: int | None = described("Blocks since, its own included.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("How a chain is doing.")
class ChainStatus:
    """As far as its provider tells."""

    as_of: strawberry.Private[datetime | None] = None
    chain: str = described("The chain.")
    block: str | None = described("Height of the newest block.", default=None)
    block_time: datetime | None = described("Time of the newest block.", default=None)
    difficulty: Decimal | None = described("How hard a block is to find.", default=None)
    next_difficulty_change_percent: Decimal | None = described("What the next retarget will change.", default=None)
    hash_rate: Decimal | None = described("Hashes a second.", default=None)
    supply: Decimal | None = described("Coins in circulation.", default=None)
    waiting_transactions: int | None = described("Transactions that wait.", default=None)
    waiting_bytes: Decimal | None = described("Their size, in (virtual) bytes.", default=None)
    waiting_fees: Decimal | None = described("What they pay, in whole coins.", default=None)
    transactions24h: Decimal | None = described("Transactions in 24 hours.", default=None, name="transactions24h")
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@model("A price that an oracle publishes for contracts to use.")
class OraclePrice:
    """Answered as a quote too (`priceType: INDEX`); this has what only oracles tell."""

    instrument: strawberry.Private[InstrumentId]
    as_of: strawberry.Private[datetime | None] = None
    price: Decimal = described("The price, in `currency`.")
    currency: str = described("ISO 4217 code or asset code.")
    confidence: Decimal | None = described("Half the width of its confidence interval, in `currency`.", default=None)
    average_price: Decimal | None = described("A moving average that the oracle publishes too.", default=None)
    feed: str = described("The oracle's id of the feed, or address of its contract.")
    round: str | None = described("Number of the round, or slot.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)
    instrument_ = computed(instrument_of, "What is priced.", name="instrument", direct=DESCRIBED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeesAsk:
    """What a transaction on a chain should pay now."""

    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceAsk:
    """What one address holds of the chain's own coin, or of a token by its address."""

    chain: str
    address: str
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionsAsk:
    """The newest `limit` transactions of an address, newest first; of a token only, where one is named by address.

    With a `hash` that one transaction, and no address.
    """

    chain: str
    address: str = ""
    hash: str = ""
    token: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStatusAsk:
    """How a chain is doing now."""

    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OraclePricesAsk:
    """Newest oracle prices of some instruments; an adapter leaves out what its oracle has no feed of."""

    instruments: tuple[InstrumentId, ...]


def check_fees(ask: FeesAsk, fees: FeeEstimate) -> Iterator[str]:
    """In order."""
    yield from not_negative("", minimum=fees.minimum, base_fee=fees.base_fee, slow=fees.slow, standard=fees.standard)
    yield from ascending("fees", [each for each in (fees.slow, fees.standard, fees.fast) if each is not None])
    if fees.chain != ask.chain:
        yield f"is of {fees.chain}"


def check_balance(ask: BalanceAsk, balance: Balance) -> Iterator[str]:
    """Not below zero, and of the address."""
    yield from not_negative("", amount=balance.amount, received=balance.received, sent=balance.sent)
    if (balance.chain, balance.address, balance.token or "") != (ask.chain, ask.address, ask.token):
        yield f"is of {balance.token or balance.asset} at {balance.address} on {balance.chain}"


def check_transactions(ask: TransactionsAsk, found: Sequence[ChainTransaction]) -> Iterator[str]:
    """Newest first, real amounts."""
    yield from newest_first("time", [each.time for each in found])
    if not ask.token:
        yield from unique("hashes", [each.hash for each in found])
    for each in found:
        yield from not_negative(f"{each.hash}: ", amount=each.amount, fee=each.fee, confirmations=each.confirmations)
        if (each.time is None) != (each.block is None):
            yield f"{each.hash}: time and block go together"


def check_oracle(ask: OraclePricesAsk, prices: Sequence[OraclePrice]) -> Iterator[str]:
    """Real prices with a time stamp."""
    for price in prices:
        yield from positive(f"{price.instrument}: ", price=price.price)
        yield from not_negative(f"{price.instrument}: ", confidence=price.confidence)
        if price.as_of is None:
            yield f"{price.instrument}: an oracle's price without its time"


FEES: Capability[FeesAsk, FeeEstimate] = Capability(
    name="fees",
    ask=FeesAsk,
    answer=FeeEstimate,
    description="What a transaction must pay to be taken soon.",
    fresh_for=timedelta(seconds=10),
    revalidate_for=timedelta(seconds=10),
    keep_for=timedelta(minutes=10),
    check=check_fees,
)
BALANCE: Capability[BalanceAsk, Balance] = Capability(
    name="balance",
    ask=BalanceAsk,
    answer=Balance,
    description="What an address holds.",
    fresh_for=timedelta(seconds=15),
    keep_for=timedelta(minutes=10),
    check=check_balance,
)
TRANSACTIONS: Capability[TransactionsAsk, tuple[ChainTransaction, ...]] = Capability(
    name="transactions",
    ask=TransactionsAsk,
    answer=tuple[ChainTransaction, ...],
    description="Transactions of an address, or one by its hash.",
    fresh_for=timedelta(seconds=15),
    keep_for=timedelta(minutes=10),
    as_of=lambda found: max((each.time for each in found if each.time), default=None),
    check=check_transactions,
)
CHAIN_STATUS: Capability[ChainStatusAsk, ChainStatus] = Capability(
    name="chainStatus",
    ask=ChainStatusAsk,
    answer=ChainStatus,
    description="How a chain is doing: height, difficulty, what waits.",
    fresh_for=timedelta(seconds=15),
    revalidate_for=timedelta(seconds=15),
    keep_for=timedelta(hours=1),
)
ORACLE_PRICES: Capability[OraclePricesAsk, OraclePrice] = Capability(
    name="oraclePrices",
    current=True,
    ask=OraclePricesAsk,
    answer=OraclePrice,
    description="Prices that oracles publish on chains.",
    fresh_for=timedelta(seconds=2),
    items=Items(
        of=lambda ask: ask.instruments,
        only=lambda ask, items: OraclePricesAsk(instruments=items),
        key=lambda price: price.instrument,
    ),
    check=check_oracle,
)
