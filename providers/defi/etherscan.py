"""Etherscan: gas, balances and transactions of many chains, the price of ether. Docs: https://docs.etherscan.io/

Status 200 for everything; "No transactions found" is an empty list, and any other status 0 is an error.
"""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_day, per_second, query
from providers.defi._chains import COINS, MOST_DECIMALS, WEI, is_pair, product, same_address, total, whole
from providers.row import Row
from schema.errors import (
    NotCovered,
    Overloaded,
    QuotaExhausted,
    Throttled,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
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
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

IDS = {
    "ethereum": 1, "optimism": 10, "bsc": 56, "gnosis": 100, "polygon": 137, "base": 8453, "arbitrum": 42161,
    "celo": 42220, "avalanche": 43114, "linea": 59144, "scroll": 534352,
}  # fmt: skip
WITH_GAS_ORACLE = frozenset({"ethereum", "bsc", "polygon"})
# They charge for the data on the chain below too, which gas times its price does not show.
WITH_HIDDEN_FEES = frozenset({"optimism", "base", "scroll", "celo"})
QUOTED = {"USD": "ethusd", "BTC": "ethbtc"}
MOST_ROWS = 10_000
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}\Z")
# By what the refusal contains, in order; it is never shown, for it may hold the key.
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("max daily rate limit", QuotaExhausted, "the key's calls of today are used up"),
    ("rate limit", Throttled, "too many calls"),
    ("max calls per sec", Throttled, "too many calls"),
    ("too many invalid api key", Unauthorized, "the key is refused"),
    ("api key", Unauthorized, "the key is missing or invalid"),
    ("not supported for this chain", NotCovered, "the key's plan does not include this chain"),
    ("api pro", NotCovered, "the key's plan does not include this"),
    ("unsupported chainid", NotCovered, "does not know the chain"),
    ("invalid address", UnknownInstrument, "does not take it for an address"),
    ("timeout", Overloaded, "its query took too long"),
    ("temporarily unavailable", Overloaded, "is out of order"),
    ("busy", Overloaded, "is too busy"),
)


def priced(instrument: InstrumentId) -> bool:
    """Ether in dollars or bitcoin."""
    return is_pair(instrument, "etherscan", ("ETH",), QUOTED)


def traced(ask: TransactionsAsk) -> bool:
    """Of an address, of a token there too; or one by its hash."""
    if ask.hash:
        return ask.chain in IDS and not ask.token and bool(_HASH.match(ask.hash))
    return ask.chain in IDS and bool(_ADDRESS.match(ask.address)) and (not ask.token or bool(_ADDRESS.match(ask.token)))


class Etherscan(Provider):
    """Version 2 of the interface: one key for all chains."""

    profile = Profile(
        id="etherscan",
        name="Etherscan",
        base_url="https://api.etherscan.io/v2",
        docs="https://docs.etherscan.io/",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(
            note="Free plan: personal and small commercial use, with attribution.",
            attribution="Powered by Etherscan.io APIs",
            shareable=False,
        ),
        credentials=(query("apikey", sign_up="https://etherscan.io/apidashboard"),),
        limits=(per_second(3), per_day(100_000)),
        priority=30,
    )

    @answers(QUOTES, covers=lambda ask: all(map(priced, ask.instruments)))
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One call has both."""
        return parse_prices(ask.instruments, await self._asked("ethereum", "stats", "ethprice"))

    @answers(FEES, covers=lambda ask: ask.chain in WITH_GAS_ORACLE)
    async def fees(self, ask: FeesAsk) -> FeeEstimate:
        """The gas tracker's three speeds."""
        return parse_fees(ask.chain, await self._asked(ask.chain, "gastracker", "gasoracle"))

    # Of tokens it tells smallest units without saying how many make a whole one.
    @answers(BALANCE, covers=lambda ask: ask.chain in IDS and not ask.token and bool(_ADDRESS.match(ask.address)))
    async def balance(self, ask: BalanceAsk) -> Balance:
        """The chain's own coin, at the newest block."""
        body = await self._asked(ask.chain, "account", "balance", {"address": ask.address, "tag": "latest"})
        amount = whole(body.decimal("result"), WEI)
        return Balance(chain=ask.chain, address=ask.address, asset=COINS[ask.chain], amount=amount)

    @answers(TRANSACTIONS, covers=traced)
    async def transactions(self, ask: TransactionsAsk) -> tuple[ChainTransaction, ...]:
        """Those that the address signed or got; transfers inside of contracts are others."""
        if ask.hash:
            return (await self._by_hash(ask),)
        params: dict[str, str | int] = {"address": ask.address}
        if ask.token:
            params["contractaddress"] = ask.token
        params |= {"page": 1, "offset": min(ask.limit, MOST_ROWS), "sort": "desc"}
        body = await self._asked(ask.chain, "account", "tokentx" if ask.token else "txlist", params)
        rows = sorted(body["result"], key=lambda row: row.epoch("timeStamp"), reverse=True)
        return tuple([parse_transaction(ask, row) for row in rows])

    async def _by_hash(self, ask: TransactionsAsk) -> ChainTransaction:
        """A node tells what was asked for, what became of it, and when, each by a call of its own."""
        named = {"txhash": ask.hash}
        asked = (await self._asked(ask.chain, "proxy", "eth_getTransactionByHash", named)).get("result")
        if asked is None:
            raise UnknownInstrument(self.profile.id, f"does not know {ask.hash}")
        if asked.get("blockNumber") is None:
            return parse_node(ask.chain, asked, None, None)
        numbered = {"tag": asked.text("blockNumber"), "boolean": "false"}
        receipt, block = await asyncio.gather(
            self._asked(ask.chain, "proxy", "eth_getTransactionReceipt", named),
            self._asked(ask.chain, "proxy", "eth_getBlockByNumber", numbered),
        )
        return parse_node(ask.chain, asked, receipt["result"], block["result"])

    @answers(CHAIN_STATUS, covers=lambda ask: ask.chain in IDS)
    async def chain_status(self, ask: ChainStatusAsk) -> ChainStatus:
        """The height, in the words of a node."""
        height = hexadecimal((await self._asked(ask.chain, "proxy", "eth_blockNumber"))["result"])
        return ChainStatus(chain=ask.chain, block=str(height))

    async def _asked(self, chain: str, module: str, action: str, more: Params | None = None) -> Row:
        return await self.http.get("/api", {"chainid": IDS[chain], "module": module, "action": action, **(more or {})})

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Both in the explorer's own words and in those of a node."""
        body = reply.body
        if "error" in body:
            return NotCovered(self.profile.id, "its node refuses the call")
        if body.get("status") is None or body.maybe_text("status") != "0":
            return None
        if str(body["message"].value).startswith("No ") and body["result"].value in ([], None):
            return None
        said = f"{body['message'].value} {body['result'].value}".lower()
        for part, kind, why in REFUSALS:
            if part in said:
                return kind(self.profile.id, why)
        return NotCovered(self.profile.id, "refuses the call")


def hexadecimal(row: Row) -> int:
    """A number of a node: `0x29ddd87`."""
    text = row.text()
    if not re.match(r"0x[0-9a-fA-F]{1,64}\Z", text):
        row.broken("is not a hexadecimal number")
    return int(text, 16)


def parse_node(chain: str, asked: Row, receipt: Row | None, block: Row | None) -> ChainTransaction:
    """Without a receipt it waits; what the chain below takes is in the receipt too."""
    fee = None
    if receipt is not None:
        gas = product(*(Decimal(hexadecimal(receipt[name])) for name in ("gasUsed", "effectiveGasPrice")))
        below = receipt.get("l1Fee")
        fee = whole(gas if below is None else total((gas, Decimal(hexadecimal(below)))), WEI)
    return ChainTransaction(
        hash=asked.text("hash"),
        chain=chain,
        time=None
        if block is None
        else Row(block.provider, hexadecimal(block["timestamp"]), block, "timestamp").epoch(),
        block=None if block is None else str(hexadecimal(asked["blockNumber"])),
        sender=asked.text("from"),
        receiver=asked.maybe_text("to"),
        asset=COINS[chain],
        amount=whole(Decimal(hexadecimal(asked["value"])), WEI),
        fee=fee,
        failed=receipt is not None and receipt.get("status") is not None and not hexadecimal(receipt["status"]),
    )


def parse_prices(instruments: tuple[InstrumentId, ...], body: Row) -> list[Quote]:
    """Each price has its own time."""
    row = body["result"]
    return [
        Quote(
            instrument=instrument,
            price=row.decimal(QUOTED[instrument.quote]),
            price_type=PriceType.INDEX,
            as_of=row.epoch(f"{QUOTED[instrument.quote]}_timestamp"),
        )
        for instrument in instruments
    ]


def parse_fees(chain: str, body: Row) -> FeeEstimate:
    """In gwei, the base fee of the next block included."""
    row = body["result"]
    return FeeEstimate(
        chain=chain,
        unit=FeeUnit.GWEI,
        slow=row.maybe("SafeGasPrice"),
        standard=row.decimal("ProposeGasPrice"),
        fast=row.maybe("FastGasPrice"),
        base_fee=row.maybe("suggestBaseFee"),
        block=row.maybe_text("LastBlock"),
    )


def parse_transaction(ask: TransactionsAsk, row: Row) -> ChainTransaction:
    """A transfer of a token has the token's name and decimals; what the chain began with has no sender."""
    decimals = row.integer("tokenDecimal") if ask.token else WEI
    if not 0 <= decimals <= MOST_DECIMALS:
        row["tokenDecimal"].broken("is not a number of decimals")
    sender, receiver = row.text("from"), row.maybe_text("to")
    failed = row.maybe_text("isError") == "1"
    amount = whole(row.decimal("value"), decimals)
    gas = whole(product(row.decimal("gasUsed"), row.decimal("gasPrice")), WEI)
    fee = None if ask.chain in WITH_HIDDEN_FEES else gas
    return ChainTransaction(
        hash=row.text("hash"),
        chain=ask.chain,
        time=row.epoch("timeStamp"),
        block=row.text("blockNumber"),
        sender=None if sender == "GENESIS" else sender,
        receiver=receiver,
        asset=(row.maybe_text("tokenSymbol") or ask.token) if ask.token else COINS[ask.chain],
        token=ask.token or None,
        amount=amount,
        change=_change(ask, sender, receiver or "", Decimal(0) if failed else amount, fee),
        fee=fee,
        failed=failed,
        confirmations=row.integer("confirmations"),
    )


def _change(ask: TransactionsAsk, sender: str, receiver: str, moved: Decimal, fee: Decimal | None) -> Decimal | None:
    """Of the coin for whoever signed it also the fee; of a token the transfer alone."""
    came = moved if same_address(ask.address, receiver) else Decimal(0)
    if not same_address(ask.address, sender):
        return came
    if ask.token:
        return total((came, -moved))
    return None if fee is None else total((came, -moved, -fee))
