"""What a proof rebuilds of an account from its fills and entries, a column at a time; and values that are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from plugins.trading.ledger.drafts import deposit
from plugins.trading.ledger.proof.proving import findings_of, verify
from plugins.trading.tables import balances, fills, orders, positions
from tests.plugins.trading.ledger.books import T0, Books, D
from tests.plugins.trading.ledger.test_proof import at, traded
from tests.plugins.trading.ledger.trader import PERP, SPOT

EARLIER = T0 - timedelta(days=300)


async def test_each_column_that_fills_and_entries_rebuild_is_proved(books: Books) -> None:
    kept = await traded(books)
    assert findings_of(kept) == []
    perp = next(place for place, row in enumerate(kept.positions) if row.instrument == PERP)
    spot = next(place for place, row in enumerate(kept.positions) if row.instrument == SPOT)
    fee = next(place for place, row in enumerate(kept.entries) if row.kind == "COMMISSION")
    trade = next(place for place, row in enumerate(kept.entries) if row.kind == "TRADE_PNL")
    back = next(place for place, row in enumerate(kept.entries) if row.reverses)
    of_fee = [place for place, row in enumerate(kept.lines) if row.entry_id == kept.entries[fee].id]
    in_euro = at(at(kept.lines, of_fee[0], asset="EUR"), of_fee[1], asset="EUR")
    lots = [["2001-01-01T00:00:00+00:00", *lot[1:]] for lot in kept.positions[spot].lots]
    trip, order = kept.trips[0].instrument, kept.orders[1]
    filled = next(fill.id for fill in kept.fills if fill.order_id == order.id)
    other_side = "BUY" if order.side == "SELL" else "SELL"
    entries, trips, held = kept.entries, kept.trips, kept.positions
    cases = {
        "a trip's entry price": (replace(kept, trips=at(trips, 0, entry_price=D(1))), trip),
        "a trip's exit price": (replace(kept, trips=at(trips, 0, exit_price=D(1))), trip),
        "a trip's side": (replace(kept, trips=at(trips, 0, side="NONE")), trip),
        "a trip's currency": (replace(kept, trips=at(trips, 0, currency="EUR")), trip),
        "a trip's opening": (replace(kept, trips=at(trips, 0, opened_at=EARLIER)), trip),
        "a position's currency": (replace(kept, positions=at(held, perp, currency="EUR")), PERP),
        "a position's value": (replace(kept, positions=at(held, perp, bought_value=D(1))), PERP),
        "a position's sales": (replace(kept, positions=at(held, perp, sold=D(77))), PERP),
        "a position's opening": (replace(kept, positions=at(held, perp, opened_at=EARLIER)), PERP),
        "a lot's opening": (replace(kept, positions=at(held, spot, lots=lots)), SPOT),
        "a fee's currency": (replace(kept, lines=in_euro), str(entries[fee].fill_id)),
        "an order's currency": (replace(kept, orders=at(kept.orders, 1, currency="EUR")), filled),
        "an order's instrument": (replace(kept, orders=at(kept.orders, 1, instrument=PERP)), filled),
        "an order's side": (replace(kept, orders=at(kept.orders, 1, side=other_side)), filled),
        "a fill's time": (replace(kept, fills=at(kept.fills, 0, at=EARLIER)), kept.fills[0].id),
        "a trade's kind": (replace(kept, entries=at(entries, trade, kind="ADJUSTMENT")), entries[trade].id),
        "a fee's kind": (replace(kept, entries=at(entries, fee, kind="INTEREST")), entries[fee].id),
        "a deposit's kind": (replace(kept, entries=at(entries, 0, kind="WITHDRAWAL")), entries[0].id),
        "what it reverses": (replace(kept, entries=at(entries, back, reverses=None)), entries[back].id),
    }

    found = {name: {each.subject for each in findings_of(changed)} for name, (changed, _) in cases.items()}

    assert [name for name, (_, subject) in cases.items() if subject not in found[name]] == []


async def test_a_value_that_is_none_is_a_finding_of_its_account_and_the_others_are_proved(books: Books) -> None:
    await traded(books)
    other = Books(books.store, account="tacc_2")
    await other.open()
    await other.post(deposit("USDT", D(5)))
    await books.do(balances.update().where(balances.c.account_id == "tacc_2").values(posted=D(6)))
    for wrong in (
        positions.update().where(positions.c.instrument == SPOT).values(lots=[["x", "abc", "1"]]),
        orders.update().where(orders.c.id == "ord_2").values(status="FOO"),
        fills.update().where(fills.c.id == "fill_3").values(instrument="nonsense"),
    ):
        await books.do(wrong)

        async with books.store.read() as tx:
            found = await verify(tx)

        unreadable = [each.account for each in found if "something of it cannot be read" in each.message]
        assert unreadable == ["tacc_1"]
        assert [each.subject for each in found if each.account == "tacc_2"] == ["cash USDT", "external USDT"]
