"""Chainlink: data feeds, read from their contracts on Ethereum. Docs: https://docs.chain.link/data-feeds

A public node answers the calls, so that no key is needed. A feed says something new when its price has moved enough, or
its heartbeat is over: up to a day.
"""

from __future__ import annotations

import re
from decimal import Decimal

from providers.contract import Licence, Profile, Provider, Reply, answers, per_second
from providers.defi._chains import whole
from providers.defi._oracle import fed, feeds, quoted
from providers.row import Row
from schema.errors import NotCovered, Overloaded, Throttled, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.chains import ORACLE_PRICES, OraclePrice, OraclePricesAsk
from schema.words.quotes import QUOTES, Quote, QuotesAsk

# https://docs.chain.link/data-feeds/price-feeds/addresses: proxies, whose addresses stay. All of these have 8 decimals.
FEEDS = feeds(
    {
        "crypto:BTC/USD": "0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c",
        "crypto:ETH/USD": "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419",
        "crypto:SOL/USD": "0x4ffC43a60e009B551865A93d232E33Fce9f01507",
        "crypto:LINK/USD": "0x2c1d072e956AFFC0D435Cb7AC38EF18d24d9127c",
        "crypto:AAVE/USD": "0x547a514d5e3769680Ce22B2361c10Ea13619e8a9",
        "crypto:USDC/USD": "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6",
        "crypto:USDT/USD": "0x3E7d1eAB13ad0104d2750B8863b489D65364e32D",
        "crypto:DAI/USD": "0xAed0c38402a5d19df6E4c03F4E2DceD6e29c1ee9",
        "crypto:ETH/BTC": "0xAc559F25B1619171CbC396a50854A3240b6A4e99",
        "fx:EUR/USD": "0xb49f677943BC038e9857d61E7d053CaA2C1734C1",
        "fx:GBP/USD": "0x5c0Ab2d9b5a7ed9f470386e82BB36A3613cDd4b5",
        "fx:JPY/USD": "0xBcE206caE7f0ec07b545EddE332A47C2F75bbeb3",
        "fx:CHF/USD": "0x449d117117838fFA61263B61dA6301AA2a88B13A",
        "fx:AUD/USD": "0x77F9710E7d0A19669A13c055F62cd80d313dF022",
    }
)
DECIMALS = 8
LATEST_ROUND = "0xfeaf968c"
"""What `latestRoundData()` is called on the wire."""
LIMITED = frozenset({-32005, 429})
# Number of the round, price, when it began, when it was answered, number of the round it was answered in.
_ROUND = re.compile(r"0x" + "([0-9a-f]{64})" * 5 + r"\Z")


def priced(instrument: InstrumentId) -> bool:
    """What has a feed."""
    return fed(instrument, "chainlink", FEEDS)


class Chainlink(Provider):
    """Feeds of Ethereum, through a public node."""

    profile = Profile(
        id="chainlink",
        name="Chainlink Data Feeds",
        base_url="https://ethereum-rpc.publicnode.com",
        docs="https://docs.chain.link/data-feeds",
        asset_classes=(AssetClass.CRYPTO, AssetClass.FX),
        licence=Licence(
            note="Public state of a chain; Chainlink's terms name the feeds as reference data.",
            attribution="Chainlink Data Feeds",
            redistributable=True,
        ),
        # The node's are not published: polite.
        limits=(per_second(5),),
        priority=40,
    )

    @answers(QUOTES, covers=lambda ask: all(map(priced, ask.instruments)), max_batch=20)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The price alone."""
        return quoted(await self._latest(ask.instruments))

    @answers(ORACLE_PRICES, covers=lambda ask: all(map(priced, ask.instruments)), max_batch=20)
    async def oracle_prices(self, ask: OraclePricesAsk) -> list[OraclePrice]:
        """With the round that it was agreed in."""
        return await self._latest(ask.instruments)

    async def _latest(self, instruments: tuple[InstrumentId, ...]) -> list[OraclePrice]:
        """All calls in one request."""
        calls = [
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "eth_call",
                "params": [{"to": FEEDS[instrument.at("")], "data": LATEST_ROUND}, "latest"],
            }
            for number, instrument in enumerate(instruments)
        ]
        return parse_rounds(instruments, await self.http.post("/", calls))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """An error for all calls, or of one of them."""
        rows = reply.body if isinstance(reply.body.value, list) else [reply.body]
        error = next((found for row in rows if (found := row.get("error")) is not None), None)
        if error is None or reply.status in (401, 403, 429):
            return None
        code = error.integer("code")
        if code in LIMITED:
            return Throttled(self.profile.id, "its node has had too many calls")
        kind = Overloaded if code in (-32603, -32000) else NotCovered
        return kind(self.profile.id, f"its node refuses the call with code {code}")


def parse_rounds(instruments: tuple[InstrumentId, ...], rows: Row) -> list[OraclePrice]:
    """Answers come in any order, by the number of their call."""
    by_number = {row.integer("id"): row for row in rows}
    found = [(instrument, by_number.get(number)) for number, instrument in enumerate(instruments)]
    return [parse_round(instrument, row) for instrument, row in found if row is not None]


def parse_round(instrument: InstrumentId, row: Row) -> OraclePrice:
    """Five words of 32 bytes; a price is a signed one, and none of these can be below zero."""
    words = _ROUND.match(row.text("result"))
    if words is None:
        row["result"].broken("is not a round")
    number, price, _, answered, _ = (int(word, 16) for word in words.groups())
    if not 0 < price < 2**255 or not answered:
        row["result"].broken("is a round without an answer")
    return OraclePrice(
        instrument=instrument,
        as_of=Row(row.provider, answered, row, "result").epoch(),
        price=whole(Decimal(price), DECIMALS),
        currency=instrument.quote,
        feed=FEEDS[instrument.at("")],
        round=str(number),
    )
