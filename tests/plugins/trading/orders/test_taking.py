"""What fills take of cash: what affording lets pass, the ledger books, whatever levels, fees and currencies."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.core.matching.model import ExecutionModel, Fees, Level, Spec, Tick
from gateway.core.matching.rounding import quantum_of
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.priced import Priced
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground
from plugins.trading.orders.placing import Place, place
from plugins.trading.orders.wishes import Wish
from plugins.trading.writing import Writing
from schema.provenance import DataMode
from schema.symbols import parse_instrument
from schema.words.orders import OrderType, TimeInForce
from schema.words.problems import Refused
from schema.words.trades import Side
from schema.words.venues import MarketState
from tests.plugins.trading import rowsof

D, IOC = Decimal, TimeInForce.IOC
RICH = D(10_000_000)
NAME = {"USD": "crypto:BTC/USD", "JPY": "crypto:BTC/JPY", "USDT": "crypto:ETH/USDT"}
"""Of currencies with 2, 0 and 8 digits."""


def digits(least: int, most: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.integers(least, most).map(lambda units: D(units).scaleb(-places))


LEVELS = st.lists(st.tuples(digits(1, 9_999, 3), digits(1, 99_999, 4)), min_size=1, max_size=5)
"""How much each is further from the middle, and its size."""
FEES = st.builds(
    Fees, maker=st.just(D(0)), taker=digits(0, 200, 5), per_unit=digits(0, 50, 2), fixed=digits(0, 200, 3),
    least=st.sampled_from([D(0), D("0.01"), D(5)]),
)  # fmt: skip


def floor_of(cash: Decimal, held: Decimal, currency: str) -> Floor:
    account, name = rowsof.account(currency=currency), NAME[currency]
    floor = Floor(cast(Any, None), Writing(tx=cast(Any, None), account=account), rowsof.NOON)
    floor.cash[currency] = cash
    if held:
        floor.positions[name] = rowsof.position(
            name, str(held), str(held), currency=currency, bought=held, bought_value=held
        )
    return floor


def ground_of(levels: list[tuple[Decimal, Decimal]], fees: Fees, currency: str) -> Ground:
    instrument, middle, asks, bids = parse_instrument(NAME[currency]), D(100), list[Level](), list[Level]()
    below = above = middle
    for far, size in levels:
        below, above = max(below - far, D("0.001")), above + far
        asks.append(Level(price=above, size=size))
        bids.append(Level(price=below, size=size))
    tick = Tick(
        instrument=instrument, at=rowsof.NOON, bid=bids[0].price, ask=asks[0].price, bids=tuple(bids),
        asks=tuple(asks), provider="alpha", mode=DataMode.LIVE, as_of=rowsof.NOON,
    )  # fmt: skip
    priced = Priced(
        tick=tick, price=middle, currency=currency, provenance=rowsof.MADE, state=MarketState.REGULAR, open=True,
        age=timedelta(0),
    )  # fmt: skip
    return Ground(
        spec=Spec(instrument=instrument, currency=currency), model=ExecutionModel(fees=fees, collar_bps=None),
        priced=priced, lacking=None, marks=Marks(currency=currency), closes_at=None,
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(NAME)), LEVELS, FEES, st.sampled_from(Side), digits(1, 99_999, 4), st.integers(-3, 1),
    digits(0, 99_999, 4),
)  # fmt: skip
def test_what_affording_lets_pass_is_never_more_than_is_there(
    currency: str, levels: list[tuple[Decimal, Decimal]], fees: Fees, side: Side, quantity: Decimal, more: int,
    held: Decimal,
) -> None:  # fmt: skip
    ground = ground_of(levels, fees, currency)

    def placed(size: Decimal, cash: Decimal) -> Decimal | str:
        """What is left, as the entries move it; what it is refused with."""
        floor = floor_of(cash, held, currency)
        wish = Wish(symbol=NAME[currency], side=side, type=OrderType.MARKET, quantity=size, time_in_force=IOC)
        try:
            (row,) = place(floor, ground, wish, Place(made_by="ada"))
        except Refused as refused:
            assume(refused.code == "INSUFFICIENT_FUNDS")
            return refused.message
        assert row.filled > 0
        return floor.cash[currency]

    cost = RICH - D(placed(quantity, RICH))
    cash = max(cost + more * quantum_of(currency), D(0))
    told = placed(quantity, cash)

    # Below zero the ledger would refuse its entries.
    assert isinstance(told, str) or told >= 0
    assert isinstance(told, str) == (cost > cash)
    if isinstance(told, str) and (passing := re.search(r": ([\d.]+) would pass", told)):
        assert D(placed(D(passing[1]), cash)) >= 0
