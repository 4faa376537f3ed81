"""mempool.space: Bitcoin's fees, chain, addresses and price. Docs: https://mempool.space/docs/api/rest"""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

from providers.contract import Licence, Profile, Provider, Reply, answers, per_minute
from providers.defi._bitcoin import CHAIN, COIN, Move, coins, transaction
from providers.defi._chains import addressable, is_pair
from providers.defi._mempool_space_feed import MempoolSpaceFeed, parse_prices
from providers.feeds import streams
from providers.row import Row
from schema.errors import NotCovered, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
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
from schema.words.history import HISTORICAL_QUOTE, HistoricalQuoteAsk
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

CURRENCIES = frozenset({"USD", "EUR", "GBP", "CAD", "CHF", "AUD", "JPY"})
# Prices are collected every few minutes, on some hosts every hour.
SILENCE = timedelta(hours=2)
PAGE = 25
MOST_PAGES = 4
# Plain texts, by how they begin.
REFUSALS: tuple[tuple[str, type[UpstreamError]], ...] = (
    ("Invalid Bitcoin address", UnknownInstrument),
    ("Invalid hex string", UnknownInstrument),
    ("Transaction not found", UnknownInstrument),
    ("Too many history entries", NotCovered),
)


def priced(instrument: InstrumentId) -> bool:
    """Bitcoin in one of seven currencies."""
    return is_pair(instrument, "mempool_space", (COIN,), CURRENCIES)


def traced(ask: TransactionsAsk) -> bool:
    """Of an address, or one by its hash; tokens are unknown there."""
    return ask.chain == CHAIN and not ask.token and addressable(ask.hash or ask.address)


class MempoolSpace(Provider):
    """An explorer of Bitcoin alone, without a key; it may be hosted by everybody."""

    profile = Profile(
        id="mempool_space",
        name="mempool.space",
        base_url="https://mempool.space/api",
        docs="https://mempool.space/docs/api/rest",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(
            note="Open-source explorer; its limits are not published, heavy users are asked to host their own.",
            attribution="Data by mempool.space",
            redistributable=True,
        ),
        # Not published: who asks too much is first refused and then banned.
        limits=(per_minute(60),),
        priority=30,
    )

    @answers(QUOTES, covers=lambda ask: all(map(priced, ask.instruments)))
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One call has all currencies."""
        return parse_prices(ask.instruments, await self.http.get("/v1/prices"))

    @answers(HISTORICAL_QUOTE, covers=lambda ask: priced(ask.instrument), since=date(2011, 8, 18))
    async def historical_quote(self, ask: HistoricalQuoteAsk) -> Quote:
        """The last price before the instant: hourly, further back daily."""
        params: dict[str, str | int] = {"currency": ask.instrument.quote, "timestamp": int(ask.at.timestamp())}
        return parse_past(ask, await self.http.get("/v1/historical-price", params))

    @answers(FEES, covers=lambda ask: ask.chain == CHAIN)
    async def fees(self, ask: FeesAsk) -> FeeEstimate:
        """For the next block, for half an hour, for an hour."""
        return parse_fees(await self.http.get("/v1/fees/recommended"))

    @answers(
        BALANCE,
        covers=lambda ask: ask.chain == CHAIN and not ask.token and addressable(ask.address),
    )
    async def balance(self, ask: BalanceAsk) -> Balance:
        """Confirmed, and what waits beside it."""
        return parse_balance(ask, await self.http.get(f"/address/{ask.address}"))

    @answers(TRANSACTIONS, covers=traced)
    async def transactions(self, ask: TransactionsAsk) -> tuple[ChainTransaction, ...]:
        """Those that wait come first; then pages of 25, at most four of them."""
        if ask.hash:
            return (parse_transaction(await self.http.get(f"/tx/{ask.hash}"), ""),)
        found = parse_transactions(ask, await self.http.get(f"/address/{ask.address}/txs"))
        for _ in range(MOST_PAGES - 1):
            confirmed = [each for each in found if each.block]
            if len(found) >= ask.limit or not confirmed or len(confirmed) % PAGE or not addressable(found[-1].hash):
                break
            older = await self.http.get(f"/address/{ask.address}/txs/chain/{found[-1].hash}")
            found = tuple({each.hash: each for each in (*found, *parse_transactions(ask, older))}.values())
        return found[: ask.limit]

    @answers(CHAIN_STATUS, covers=lambda ask: ask.chain == CHAIN)
    async def chain_status(self, ask: ChainStatusAsk) -> ChainStatus:
        """The newest block, the next retarget, and what waits."""
        paths = ("/v1/blocks", "/v1/difficulty-adjustment", "/mempool")
        return parse_status(*await asyncio.gather(*map(self.http.get, paths)))

    @streams(QUOTES, feed=MempoolSpaceFeed, covers=lambda ask: all(map(priced, ask.instruments)), silence=SILENCE)
    def quote_channel(self, ask: QuotesAsk) -> str:
        """As they are collected."""
        return f"conversions:{ask.instruments[0].quote}"

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals are plain text."""
        said = reply.body.value
        if reply.status < 400 or not isinstance(said, str):
            return None
        kind = next((kind for start, kind in REFUSALS if said.startswith(start)), None)
        return kind(self.profile.id, said[:60]) if kind else None


def parse_past(ask: HistoricalQuoteAsk, body: Row) -> Quote:
    """One row, or several around the instant."""
    code = ask.instrument.quote
    known = [(row.epoch("time"), price) for row in body["prices"] if (price := row.positive(code)) is not None]
    before = [each for each in known if each[0] <= ask.at]
    if not before:
        raise UnknownInstrument(body.provider, f"has no price in {code} before {ask.at.isoformat()}")
    time, price = max(before)
    return Quote(instrument=ask.instrument, price=price, price_type=PriceType.INDEX, as_of=time)


def parse_fees(row: Row) -> FeeEstimate:
    """In satoshis for each virtual byte, on newer releases with a fraction."""
    return FeeEstimate(
        chain=CHAIN,
        unit=FeeUnit.SAT_PER_VBYTE,
        slow=row.maybe("hourFee"),
        standard=row.decimal("halfHourFee"),
        fast=row.maybe("fastestFee"),
        minimum=row.maybe("minimumFee"),
    )


def parse_balance(ask: BalanceAsk, body: Row) -> Balance:
    """All that came in and went out, confirmed and not."""
    settled, waiting = body["chain_stats"], body["mempool_stats"]
    received, sent = settled.decimal("funded_txo_sum"), settled.decimal("spent_txo_sum")
    return Balance(
        chain=CHAIN,
        address=ask.address,
        asset=COIN,
        amount=coins(received - sent),
        unconfirmed=coins(waiting.decimal("funded_txo_sum") - waiting.decimal("spent_txo_sum")),
        received=coins(received),
        sent=coins(sent),
        transactions=settled.integer("tx_count"),
    )


def parse_transactions(ask: TransactionsAsk, rows: Row) -> tuple[ChainTransaction, ...]:
    """As they come: those that wait, then the newest."""
    return tuple([parse_transaction(row, ask.address) for row in rows])


def parse_transaction(row: Row, address: str) -> ChainTransaction:
    """A coinbase's input has no output before it: it is nobody's."""
    status = row["status"]
    settled = status.flag("confirmed")
    return transaction(
        hash=row.text("txid"),
        inputs=[_move(before) for each in row["vin"] if (before := each.get("prevout")) is not None],
        outputs=[_move(each) for each in row["vout"]],
        fee=row.maybe("fee"),
        block=str(status.integer("block_height")) if settled else None,
        time=status.epoch("block_time") if settled else None,
        address=address,
    )


def _move(row: Row) -> Move:
    return row.maybe_text("scriptpubkey_address"), row.decimal("value")


def parse_status(blocks: Row, retarget: Row, waiting: Row) -> ChainStatus:
    """Blocks come newest first."""
    newest = blocks[0]
    time = newest.epoch("timestamp")
    return ChainStatus(
        as_of=time,
        chain=CHAIN,
        block=str(newest.integer("height")),
        block_time=time,
        difficulty=newest.maybe("difficulty"),
        next_difficulty_change_percent=retarget.maybe("difficultyChange"),
        waiting_transactions=waiting.integer("count"),
        waiting_bytes=waiting.maybe("vsize"),
        waiting_fees=coins(waiting.decimal("total_fee")),
    )
