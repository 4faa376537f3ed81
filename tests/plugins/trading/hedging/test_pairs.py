"""Hedges of currency pairs: what is bought with money of another currency is owed in it, and moves with its rate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.core.ports import Computing, Panels
from tests.plugins.risk.doubles import HandComputing, HandPanels
from tests.plugins.risk.panels import panel
from tests.plugins.trading.live.room import Room, open_room

EURJPY, USDJPY, EURUSD = "fx:EUR/JPY", "fx:USD/JPY", "fx:EUR/USD"
GBPUSD, USDCHF = "fx:GBP/USD", "fx:USD/CHF"
EURO = ["1", "1.1", "1.21", "1.089", "0.9801"]
YEN = ["0.01", "0.011", "0.0099", "0.01089", "0.009801"]
"""What they are worth in dollars: euros gain a tenth twice and lose it twice, yens now gain it and now lose it, so that
the one tells nothing of the other."""
CLOSES = {EURJPY: EURO, EURUSD: EURO, USDJPY: ["1"] * 5, GBPUSD: ["1.3"] * 5, USDCHF: ["1"] * 5}
"""In dollars: a dollar that is priced in yens is worth one."""
ANALYZE = """query($id: ID!, $candidates: [String!]!, $symbol: String) {
  hedgeAnalyze(accountId: $id, candidates: $candidates, symbol: $symbol) {
  positions value warnings unhedged { value }
  hedges { symbol side quantity target held value residual { value } effectiveness { value } } } }"""
MINE = {"accountId": "tacc_2"}
WHOLE, HALF = (0.08 / 3 * 252) ** 0.5, (0.04 / 3 * 252) ** 0.5
"""Volatility a year of euros less yens, and of either."""


@pytest.fixture
async def room(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Room]:
    """A euro is 1.08 dollars and a dollar 100 yens."""
    async with open_room(sqlite_url, tmp_path) as opened:
        services = opened.house.host.services
        services[Panels] = HandPanels(panel(CLOSES, rates={"JPY": YEN}))
        services[Computing] = HandComputing(services[Computing])
        for symbol, price in ((EURJPY, "108"), (USDJPY, "100"), (EURUSD, "1.08"), (GBPUSD, "1.3"), (USDCHF, "0.8")):
            opened.price(price, price, symbol)
        yield opened


async def test_a_pair_that_was_bought_with_a_debt_is_hedged_with_the_debt(room: Room):
    await room.place("BUY", "MARKET", "10000", symbol=EURJPY, **MINE)

    found = await room.see(ANALYZE, id="tacc_2", candidates=[EURUSD, USDJPY])
    alone = await room.see(ANALYZE, id="tacc_2", candidates=[EURUSD, USDJPY], symbol=EURJPY)

    # Long euros and short yens, both of 10,800 dollars: either candidate hedges one of them, and leaves the other.
    assert (found["positions"], found["value"], found["warnings"]) == ([EURJPY], "10800.00", [])
    assert found["unhedged"]["value"] == pytest.approx(WHOLE)
    hedges = {each["symbol"]: each for each in found["hedges"]}
    assert [(name, each["side"], each["quantity"]) for name, each in sorted(hedges.items())] == [
        (EURUSD, "SELL", "10000"), (USDJPY, "SELL", "10800"),
    ]  # fmt: skip
    assert [each["residual"]["value"] for each in hedges.values()] == [pytest.approx(HALF)] * 2
    assert [each["effectiveness"]["value"] for each in hedges.values()] == [pytest.approx(0.5)] * 2
    assert alone == found


async def test_a_pair_that_hedges_already_counts_with_what_paid_for_it(room: Room):
    await room.place("BUY", "MARKET", "10000", symbol=EURJPY, **MINE)
    await room.place("SELL", "MARKET", "10800", symbol=USDJPY, **MINE)

    (hedge,) = (await room.see(ANALYZE, id="tacc_2", candidates=[USDJPY]))["hedges"]
    (other,) = (await room.see(ANALYZE, id="tacc_2", candidates=[EURUSD], symbol=EURJPY))["hedges"]

    told = {name: hedge[name] for name in ("side", "quantity", "target", "held")}
    assert told == {"side": None, "quantity": "0", "target": "-10800", "held": "-10800"}
    assert (other["side"], other["quantity"]) == ("SELL", "10000")


async def test_a_pair_of_the_accounts_own_currency_moves_by_the_money_that_it_owes(room: Room):
    await room.place("BUY", "MARKET", "10000", symbol=USDJPY, **MINE)

    found = await room.see(ANALYZE, id="tacc_2", candidates=[EURJPY, EURUSD])

    assert found["unhedged"]["value"] == pytest.approx(HALF)
    hedges = {each["symbol"]: each for each in found["hedges"]}
    # Half of what euros less yens do is what yens do: 5,000 dollars' worth of euros at 1.08.
    assert (hedges[EURJPY]["side"], hedges[EURJPY]["quantity"]) == ("SELL", "4630")
    # Euros tell nothing of yens.
    assert {name: hedges[EURUSD][name] for name in ("side", "quantity", "target", "value")} == {
        "side": None, "quantity": "0", "target": "0", "value": "0.00",
    }  # fmt: skip


async def test_a_candidate_that_comes_to_nothing_says_why(room: Room):
    await room.place("BUY", "MARKET", "10000", symbol=EURJPY, **MINE)

    found = await room.see(ANALYZE, id="tacc_2", candidates=[GBPUSD, EURUSD, USDCHF])

    unrated = f"{USDCHF}: nobody has rates of the past from CHF, in which it is paid"
    told = (
        f"minimum_variance hedge with {GBPUSD}: the returns of the instrument never change, or are fewer than 2: there "
        "is nothing to hedge with"
    )
    assert ([each["symbol"] for each in found["hedges"]], found["warnings"]) == ([EURUSD], [unrated, told])
