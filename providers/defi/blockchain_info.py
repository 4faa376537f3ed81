"""Blockchain.com: addresses, transactions and figures of Bitcoin. Docs: https://www.blockchain.com/explorer/api"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, answers
from providers.defi._bitcoin import CHAIN, COIN, Move, coins, transaction
from providers.defi._chains import addressable, is_pair, whole
from providers.row import Row
from schema.errors import UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.chains import (
    BALANCE,
    CHAIN_STATUS,
    TRANSACTIONS,
    Balance,
    BalanceAsk,
    ChainStatus,
    ChainStatusAsk,
    ChainTransaction,
    TransactionsAsk,
)
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

CURRENCIES = frozenset(
    {
        "ARS", "AUD", "BRL", "CAD", "CHF", "CLP", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HRK", "HUF", "INR", "ISK",
        "JPY", "KRW", "NGN", "NZD", "PLN", "RON", "RUB", "SEK", "SGD", "THB", "TRY", "TWD", "USD",
    }
)  # fmt: skip
LARGEST_PAGE = 100
GIGA = 9


def priced(instrument: InstrumentId) -> bool:
    """Bitcoin in a currency."""
    return is_pair(instrument, "blockchain_info", (COIN,), CURRENCIES)


def traced(ask: TransactionsAsk) -> bool:
    """Of an address, or one by its hash."""
    return ask.chain == CHAIN and not ask.token and addressable(ask.hash or ask.address)


class BlockchainInfo(Provider):
    """No key; it asks for patience between calls."""

    profile = Profile(
        id="blockchain_info",
        name="Blockchain.com Explorer",
        base_url="https://blockchain.info",
        docs="https://www.blockchain.com/explorer/api/blockchain_api",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="Blockchain.com API terms: attribution, no resale.", attribution="Data by Blockchain.com"),
        limits=(Limit(count=1, per=timedelta(seconds=10)),),
        priority=50,
    )

    # The ticker says of itself that it is a quarter of an hour old.
    @answers(
        QUOTES,
        covers=lambda ask: all(map(priced, ask.instruments)),
        fresh_for=timedelta(minutes=1),
        delay=FeedDelay.DELAYED,
        delay_seconds=900,
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One call has all currencies."""
        return parse_ticker(ask.instruments, await self.http.get("/ticker"))

    @answers(BALANCE, covers=lambda ask: ask.chain == CHAIN and not ask.token and addressable(ask.address))
    async def balance(self, ask: BalanceAsk) -> Balance:
        """With what waits counted in."""
        return parse_balance(ask, await self.http.get("/multiaddr", _page(ask.address, 1)))

    @answers(TRANSACTIONS, covers=traced)
    async def transactions(self, ask: TransactionsAsk) -> tuple[ChainTransaction, ...]:
        """Those that wait first, then the newest; at most a hundred."""
        if ask.hash:
            return (parse_transaction(await self.http.get(f"/rawtx/{ask.hash}")),)
        body = await self.http.get("/multiaddr", _page(ask.address, min(ask.limit, LARGEST_PAGE)))
        tip = body["info"]["latest_block"].integer("height")
        return tuple([parse_transaction(row, ask.address, tip) for row in body["txs"]])

    @answers(CHAIN_STATUS, covers=lambda ask: ask.chain == CHAIN, fresh_for=timedelta(minutes=1))
    async def chain_status(self, ask: ChainStatusAsk) -> ChainStatus:
        """Figures of the last 24 hours. They do not tell the newest block: blocks are counted, not named."""
        return parse_stats(await self.http.get("/stats", {"format": "json"}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """An unknown address or hash has a name of its own."""
        body = reply.body.value
        error = body.get("error") if isinstance(body, dict) else body if isinstance(body, str) else None
        said = str(error or "").lower()
        if said.startswith(("not-found", "invalid-", "transaction not found", "invalid bitcoin address")):
            return UnknownInstrument(self.profile.id, "does not know it")
        return None


def _page(address: str, count: int) -> Params:
    return {"active": address, "n": count, "offset": 0}


def parse_ticker(instruments: tuple[InstrumentId, ...], body: Row) -> list[Quote]:
    """`{"USD": {"15m", "last", "buy", "sell", "symbol"}}`; what it calls buy and sell are the same number."""
    found = [(instrument, body.get(instrument.quote)) for instrument in instruments]
    return [
        Quote(instrument=instrument, price=row.decimal("last"), price_type=PriceType.INDEX)
        for instrument, row in found
        if row is not None
    ]


def parse_balance(ask: BalanceAsk, body: Row) -> Balance:
    """Addresses come in an order of their own."""
    row = next((row for row in body["addresses"] if row.text("address") == ask.address), None)
    if row is None:
        raise UnknownInstrument(body.provider, f"has no entry of {ask.address}")
    return Balance(
        chain=CHAIN,
        address=ask.address,
        asset=COIN,
        amount=coins(row.decimal("final_balance")),
        received=coins(row.decimal("total_received")),
        sent=coins(row.decimal("total_sent")),
        transactions=row.integer("n_tx"),
    )


def parse_transaction(row: Row, address: str = "", tip: int | None = None) -> ChainTransaction:
    """Without a height it waits; a coinbase's input is nobody's."""
    height = row.get("block_height")
    return transaction(
        hash=row.text("hash"),
        inputs=[_move(before) for each in row["inputs"] if (before := each.get("prev_out")) is not None],
        outputs=[_move(each) for each in row["out"]],
        fee=row.maybe("fee"),
        block=None if height is None else str(height.integer()),
        time=row.epoch("time"),
        address=address,
        tip=tip,
    )


def _move(row: Row) -> Move:
    return row.maybe_text("addr"), row.decimal("value")


def parse_stats(row: Row) -> ChainStatus:
    """The hash rate is in gigahashes, the supply in satoshis, the time in milliseconds."""
    rate = row.maybe("hash_rate")
    return ChainStatus(
        as_of=row.epoch("timestamp", "ms"),
        chain=CHAIN,
        difficulty=row.maybe("difficulty"),
        hash_rate=None if rate is None else whole(rate, -GIGA),
        supply=coins(row.decimal("totalbc")),
        transactions24h=row.maybe("n_tx"),
    )
