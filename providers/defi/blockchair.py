"""Blockchair: addresses, transactions and figures of several chains. Docs: https://blockchair.com/api/docs"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from providers.contract import Licence, Profile, Provider, Reply, answers, per_day, per_minute, query
from providers.defi._chains import COINS, SATOSHI, WEI, addressable, whole
from providers.row import Row
from schema.errors import Blocked, Malformed, QuotaExhausted, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass
from schema.words.chains import (
    BALANCE,
    CHAIN_STATUS,
    FEES,
    TRANSACTIONS,
    Balance,
    BalanceAsk,
    ChainStatus,
    ChainStatusAsk,
    ChainTransaction,
    FeeEstimate,
    FeesAsk,
    FeeUnit,
    TransactionsAsk,
)

UNITS = {"bitcoin": SATOSHI, "bitcoin-cash": SATOSHI, "dogecoin": SATOSHI, "ethereum": WEI, "litecoin": SATOSHI}
# It suggests a fee for a byte: where there are no virtual bytes, that is the same.
OF_BYTES = frozenset({"bitcoin-cash", "dogecoin"})
WAITING = -1
# Statuses that say all.
BY_ITSELF = frozenset({401, 403, 404, 429})
# `context.code` is the status, and these mean something of its own.
REFUSALS: dict[int, tuple[type[UpstreamError], str]] = {
    402: (QuotaExhausted, "the calls are used up"),
    429: (Throttled, "too many calls"),
    430: (Blocked, "this address is blocked"),
    434: (Blocked, "this address is blocked"),
    435: (Throttled, "too many calls"),
    436: (Throttled, "too many calls"),
    437: (Throttled, "too many calls"),
    401: (Unauthorized, "the key is refused"),
    404: (UnknownInstrument, "does not know it"),
}


class Blockchair(Provider):
    """Small numbers of calls need no key."""

    profile = Profile(
        id="blockchair",
        name="Blockchair",
        base_url="https://api.blockchair.com",
        docs="https://blockchair.com/api/docs",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(
            note="Free for small, non-commercial use; attribution, no resale.",
            attribution="Data by Blockchair",
            shareable=False,
        ),
        credentials=(query("key", required=False, sign_up="https://blockchair.com/api/plans"),),
        limits=(per_minute(30), per_day(1_440)),
        priority=50,
    )

    @answers(CHAIN_STATUS, covers=lambda ask: ask.chain in UNITS, fresh_for=timedelta(minutes=1))
    async def chain_status(self, ask: ChainStatusAsk) -> ChainStatus:
        """Figures of now and of the last 24 hours."""
        return parse_stats(ask.chain, await self.http.get(f"/{ask.chain}/stats"))

    @answers(FEES, covers=lambda ask: ask.chain in OF_BYTES, fresh_for=timedelta(minutes=1))
    async def fees(self, ask: FeesAsk) -> FeeEstimate:
        """One suggestion."""
        fee = (await self.http.get(f"/{ask.chain}/stats"))["data"].decimal("suggested_transaction_fee_per_byte_sat")
        return FeeEstimate(chain=ask.chain, unit=FeeUnit.SAT_PER_VBYTE, standard=fee)

    @answers(BALANCE, covers=lambda ask: ask.chain in UNITS and not ask.token and addressable(ask.address))
    async def balance(self, ask: BalanceAsk) -> Balance:
        """Without its list of transactions, which costs as much again."""
        params: dict[str, str | int] = {"limit": 0}
        return parse_balance(ask, await self.http.get(f"/{ask.chain}/dashboards/address/{ask.address}", params))

    # Of an address it lists what each changed, and not how much was moved in all.
    @answers(
        TRANSACTIONS,
        covers=lambda ask: ask.chain in UNITS and not ask.token and not ask.address and addressable(ask.hash),
    )
    async def transactions(self, ask: TransactionsAsk) -> tuple[ChainTransaction, ...]:
        """One by its hash."""
        body = await self.http.get(f"/{ask.chain}/dashboards/transaction/{ask.hash}")
        return (parse_transaction(ask, body),)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Every reply has its status inside, also one whose own is 200."""
        if reply.status in BY_ITSELF:
            return None
        context = reply.body.get("context")
        code = context.get("code") if context is not None else None
        status = reply.status if code is None else code.integer()
        if status in REFUSALS:
            kind, why = REFUSALS[status]
            return kind(self.profile.id, why)
        if status == 200 and code is not None and reply.body.get("data") is None:
            return UnknownInstrument(self.profile.id, "does not know it")
        return Malformed(self.profile.id, f"its code is {status}") if reply.status == 200 and status != 200 else None


def entry(body: Row, name: str) -> Row:
    """By an address or a hash, which Ethereum's answers write in lower case; a list without entries for none."""
    data = body["data"]
    if data.value == []:
        raise UnknownInstrument(body.provider, "does not know it")
    found = data.get(name) or data.get(name.lower())
    return data.broken(f"has no {name!r}") if found is None else found


def parse_stats(chain: str, body: Row) -> ChainStatus:
    """Times have no zone and are in UTC; Ethereum has no difficulty any more."""
    row, units = body["data"], UNITS[chain]
    supply = row.maybe("circulation_approximate" if units == WEI else "circulation")
    return ChainStatus(
        as_of=row.maybe_instant("best_block_time"),
        chain=chain,
        block=row.label("best_block_height"),
        block_time=row.maybe_instant("best_block_time"),
        difficulty=row.positive("difficulty"),
        hash_rate=row.positive("hashrate_24h"),
        supply=None if supply is None else whole(supply, units),
        waiting_transactions=None if row.get("mempool_transactions") is None else row.integer("mempool_transactions"),
        waiting_bytes=row.maybe("mempool_size"),
        transactions24h=row.maybe("transactions_24h"),
    )


def parse_balance(ask: BalanceAsk, body: Row) -> Balance:
    """In smallest units; Ethereum has other names for what came and went, which are estimates."""
    row, units = entry(body, ask.address)["address"], UNITS[ask.chain]
    received, sent = (_units(row, name, units) for name in ("received", "spent"))
    return Balance(
        chain=ask.chain,
        address=ask.address,
        asset=COINS[ask.chain],
        amount=whole(row.decimal("balance"), units),
        received=received,
        sent=sent,
        transactions=None if row.get("transaction_count") is None else row.integer("transaction_count"),
    )


def _units(row: Row, name: str, units: int) -> Decimal | None:
    amount = row.maybe(name)
    return None if amount is None else whole(amount, units)


def parse_transaction(ask: TransactionsAsk, body: Row) -> ChainTransaction:
    """A block of -1 stands for none yet."""
    row, units = entry(body, ask.hash)["transaction"], UNITS[ask.chain]
    block = row.integer("block_id")
    accounts = units == WEI
    return ChainTransaction(
        hash=row.text("hash"),
        chain=ask.chain,
        time=None if block == WAITING else row.instant("time"),
        block=None if block == WAITING else str(block),
        sender=row.maybe_text("sender") if accounts else None,
        receiver=row.maybe_text("recipient") if accounts else None,
        asset=COINS[ask.chain],
        amount=whole(row.decimal("value" if accounts else "output_total"), units),
        fee=_units(row, "fee", units),
        failed=accounts and row.get("failed") is not None and row.flag("failed"),
    )
