"""Chains and decentralised finance: exact amounts, names that lead back, addresses that may stand in a path, pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from gateway.core.check.mutations import without_number
from providers.contract import Clock, Http
from providers.defi import _llama, chainlink, geckoterminal, pyth_hermes
from providers.defi._chains import percent, product, same_address, total, whole
from providers.defi._pools import fit
from providers.defi.birdeye import lined
from providers.defi.defillama import DefiLlama
from providers.defi.dexscreener import DexScreener
from providers.defi.etherscan import Etherscan
from providers.defi.geckoterminal import GeckoTerminal
from providers.defi.mempool_space import MempoolSpace
from providers.defi.thegraph import TheGraph
from providers.row import Row
from schema.symbols import parse_instrument
from schema.words.chains import BalanceAsk, TransactionsAsk
from schema.words.defi import PoolsAsk, TvlAsk
from schema.words.history import PriceHistoryAsk
from schema.words.intervals import Interval

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOL = parse_instrument("dex:solana/So11111111111111111111111111111111111111112")
HOSTILE = ("", "..", "../v1/prices", "a/b/c", "abc?x=1", "abc#x", "abc%2f", "abc def", "abc\n")


def test_amounts_keep_more_digits_than_a_decimal_does_by_default():
    wei = Decimal("123456789012345678901234567890123456789")

    assert whole(wei, 18) == Decimal("123456789012345678901.234567890123456789")
    assert product(wei, Decimal(10) ** 20 + 1) == Decimal("12345678901234567890246913578024691357801234567890123456789")
    assert total([wei, Decimal("0.5")]) == Decimal("123456789012345678901234567890123456789.5")
    assert percent(Decimal("0.1234567890123456789012345678901")) == Decimal("12.34567890123456789012345678901")
    assert percent(None) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("0xAbC", "0xaBc", True), ("So1", "so1", False), ("So1", "So1", True), ("0xabc", "0xabd", False)],
)
def test_hexadecimal_addresses_are_the_same_in_either_case(one: str, other: str, same: bool):
    assert same_address(one, other) is same


@pytest.mark.parametrize("names", [geckoterminal.NETWORKS, _llama.CHAINS, pyth_hermes.FEEDS, chainlink.FEEDS])
def test_every_wire_name_leads_back_to_one_of_ours(names: dict[Any, str]):
    back = {theirs: ours for ours, theirs in names.items()}

    assert {theirs: ours for ours, theirs in names.items() if back[theirs] != ours} == {}


@pytest.mark.parametrize("address", HOSTILE)
def test_what_is_no_address_is_never_put_into_a_path(address: str):
    pools = PoolsAsk(chain="ethereum", address=address or "/")
    covers = [
        fit(address),
        MempoolSpace.offers["balance"].covers(BalanceAsk(chain="bitcoin", address=address)),
        MempoolSpace.offers["transactions"].covers(TransactionsAsk(chain="bitcoin", address=address)),
        Etherscan.offers["balance"].covers(BalanceAsk(chain="ethereum", address=address)),
        GeckoTerminal.offers["pools"].covers(pools),
        DexScreener.offers["pools"].covers(pools),
        TheGraph.offers["pools"].covers(pools),
        bool(address) and DefiLlama.offers["tvl"].covers(TvlAsk(slug=address.replace(" ", "/"))),
    ]

    assert covers == [False] * len(covers)


@pytest.mark.parametrize(("points", "covered"), [(1000, True), (1001, False)])
def test_a_line_of_prices_is_covered_as_far_as_one_answer_holds_it(points: int, covered: bool):
    end = NOON + timedelta(minutes=points)
    ask = PriceHistoryAsk(instrument=SOL, interval=Interval.M1, start=NOON, end=end)

    assert lined(ask) is covered


class Pages:
    """Serves bodies by their path and keeps what was asked for."""

    def __init__(self, bodies: dict[str, Any]) -> None:
        self.bodies, self.asked = bodies, list[str]()

    async def get(self, path: str) -> Row:
        """The body of a path."""
        self.asked.append(path)
        return Row("mempool_space", self.bodies[path])


def transactions(first: int, count: int) -> list[dict[str, Any]]:
    """Confirmed ones, the newest first, one a block."""
    return [
        {
            "txid": f"{number:064x}", "vin": [], "vout": [{"value": number}], "fee": 1,
            "status": {"confirmed": True, "block_height": number, "block_time": 1_795_000_000 + number},
        }
        for number in range(first, first - count, -1)
    ]  # fmt: skip


async def test_older_transactions_are_asked_for_page_by_page_as_far_as_they_are_wanted():
    older = f"/address/abc/txs/chain/{76:064x}"
    pages = Pages({"/address/abc/txs": transactions(100, 25), older: transactions(75, 7)})
    provider = MempoolSpace(cast(Http, pages), cast(Clock, None))

    few = await provider.transactions(TransactionsAsk(chain="bitcoin", address="abc", limit=25))
    asked_for_few = list(pages.asked)
    many = await provider.transactions(TransactionsAsk(chain="bitcoin", address="abc", limit=100))

    assert (len(few), asked_for_few) == (25, ["/address/abc/txs"])
    assert [each.block for each in many] == [str(number) for number in range(100, 68, -1)]
    assert pages.asked[1:] == ["/address/abc/txs", older]


def test_a_number_in_a_hexadecimal_word_is_found_and_replaced():
    body = b'{"result":"0x' + f"{912501:064x}".encode() + f"{7:064x}".encode() + b'"}'

    replaced = without_number(body, Decimal("9.12501"), "broken")

    assert replaced == b'{"result":"0xbroken' + f"{7:064x}".encode() + b'"}'
    assert without_number(body, Decimal("9.12502"), "broken") == body
