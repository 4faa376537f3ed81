"""Alerts on prices from the stream to the log of events, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.core.contract import WatchedRows
from gateway.core.outbox.tables import log
from plugins.alerts.evaluation.accounts import Accounts
from plugins.alerts.tables import alerts
from schema.errors import DatabaseUnavailable, Overloaded
from schema.words.live import NoticeCode
from tests.gateway.doubles import NOON
from tests.plugins.alerts.watching import DELETE, DISABLE, ENABLE, UPDATE, Watch, another, forget_leases, watch

ABOVE = {"crossesAbove": "100"}


@pytest.fixture
async def w(database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(database, tmp_path) as made:
        yield made


async def test_a_crossing_fires_once_with_the_quote_that_crossed(w: Watch):
    alert = await w.alert(condition=ABOVE, note="Sell")

    await w.tick("99", "100", "100.5", "101", "99", "102")

    (event,) = await w.told()
    assert event["type"] == "price.alert.triggered"
    assert event["alert"] == {"id": alert}
    assert event["mode"] == "SIMULATED"
    told = {name: event[name] for name in ("condition", "note", "arm", "afterGap", "side", "threshold", "value")}
    assert told == {
        "condition": "price crosses above 100", "note": "Sell", "arm": 1, "afterGap": False, "side": "ABOVE",
        "threshold": "100", "value": "100.5",
    }  # fmt: skip
    quote = event["quote"]
    assert (quote["price"], quote["provenance"]["provider"], quote["instrument"]) == (
        "100.5", "sandbox", {"id": "crypto:BTC/USD"},
    )  # fmt: skip
    async with w.house.store.read() as tx:
        assert await tx.values(select(log.c.subject)) == [f"{alert}\ncrypto:BTC/USD"]
    row = await w.row(alert)
    assert (row["active"], row["state"], row["arm"]) == (False, "FIRED", 1)
    assert w.engine.count == 0


async def test_a_condition_that_is_true_already_waits_for_a_crossing(w: Watch):
    await w.tick("105")
    await w.alert(condition=ABOVE)

    await w.tick("105", "106", "100", "107")
    before = await w.fired()
    await w.tick("99.5", "100.1")

    assert before == []
    assert await w.fired() == [("100.1", False)]


async def test_a_condition_that_is_true_already_fires_at_once_where_that_is_wanted(w: Watch):
    await w.alert(condition=ABOVE, fireIfTrue=True)

    await w.tick("105", "106")

    assert await w.fired() == [("105", False)]


async def test_fire_if_true_waits_for_a_crossing_where_it_is_not_true(w: Watch):
    await w.alert(condition={"crossesBelow": "100"}, fireIfTrue=True)

    await w.tick("105", "99")

    assert await w.fired() == [("99", False)]


async def test_a_new_alert_begins_with_the_price_that_the_stream_has_shown(w: Watch):
    await w.alert(condition={"crossesAbove": "500"})
    await w.tick("99")
    await w.alert(condition=ABOVE)

    await w.tick("101")

    assert await w.fired() == [("101", False)]


async def test_a_repeating_alert_is_armed_again_by_its_hysteresis_and_pauses(w: Watch):
    await w.alert(condition=ABOVE, recurrence="REPEATING", hysteresisBps=100, cooldownMs=30_000)
    await w.tick("99", "101", "99.5", "101", "99", "102")
    before = await w.fired()

    w.house.clock.turn(31)
    await w.tick("98", "103")

    assert before == [("101", False)]
    assert await w.fired() == [("101", False), ("103", False)]
    assert [event["arm"] for event in await w.told()] == [1, 3]


async def test_another_providers_price_never_fires_but_is_where_the_count_begins_anew(w: Watch):
    alert = await w.alert(condition=ABOVE, recurrence="REPEATING", cooldownMs=0)
    await w.tick("99")

    w.lines.end("sandbox", Overloaded("sandbox", "gone"))
    await w.settle()
    await w.tick("101", "102", provider="bitstamp")
    before = await w.fired()
    stored = (await w.row(alert))["state"]
    await w.tick("98", "103", provider="bitstamp")

    assert before == []
    assert stored == "WAITING"
    (event,) = await w.told()
    assert (event["provider"], event["value"], event["quote"]["price"], event["arm"]) == ("bitstamp", "103", "103", 2)


async def test_a_crossing_during_a_gap_fires_once_behind_it(w: Watch):
    await w.alert(condition=ABOVE, recurrence="REPEATING", cooldownMs=0)
    await w.tick("99")

    w.lines.trouble("sandbox", NoticeCode.GAP)
    await w.tick("101", "102")
    await w.tick("99", "103")

    assert await w.fired() == [("101", True), ("103", False)]


async def test_what_is_shown_with_a_notice_is_no_tick(w: Watch):
    await w.alert(condition=ABOVE)
    await w.tick("99")

    w.lines.trouble("sandbox", NoticeCode.STALE)
    w.lines.trouble("sandbox", NoticeCode.FRESH_AGAIN)
    await w.settle()

    assert await w.fired() == []


async def test_an_old_price_does_not_count(w: Watch):
    await w.alert(condition=ABOVE)
    await w.tick("99")

    w.house.clock.turn(120)
    await w.tick("101")

    assert w.house.clock.now() == NOON + timedelta(seconds=120)
    assert await w.fired() == []


async def test_a_price_that_stands_alone_does_not_count_and_two_of_them_do(w: Watch):
    await w.alert(condition=ABOVE, recurrence="REPEATING", cooldownMs=0)

    await w.tick("50", "500", "51")
    before = await w.fired()
    await w.tick("500", "501")

    assert before == []
    assert await w.fired() == [("501", False)]


async def test_an_alert_that_is_off_changed_or_gone_fires_as_it_is_now(w: Watch):
    off = await w.alert(condition=ABOVE)
    changed = await w.alert(condition=ABOVE)
    gone = await w.alert(condition=ABOVE)
    await w.tick("99")

    await w.company.ask("ada", DISABLE, id=off)
    await w.company.ask("ada", UPDATE, id=changed, condition={"crossesAbove": "200"})
    await w.company.ask("ada", DELETE, id=gone)
    await w.tick("101")
    before = await w.fired()
    await w.look()
    await w.company.ask("ada", ENABLE, id=off)
    await w.look()
    await w.tick("102", "99", "103")

    # Nobody had told the evaluator: what is written is checked against what stands there.
    assert before == []
    assert [event["alertId"] for event in await w.told()] == [off]
    assert await w.fired() == [("103", False)]


async def test_after_a_restart_a_crossing_in_between_fires_once_marked(w: Watch, database: str, tmp_path: Path):
    alert = await w.alert(condition=ABOVE)
    await w.tick("99")
    await forget_leases(w)

    async with another(w, database, tmp_path) as again:
        await again.look()
        await again.tick("101", "99", "102")
        fired = await again.fired()
        row = await again.row(alert)

    assert fired == [("101", True)]
    assert row["active"] is False


async def test_one_that_is_enabled_again_does_not_cool_down_from_before(w: Watch):
    alert = await w.alert(condition=ABOVE, fireIfTrue=True, cooldownMs=86_400_000)
    await w.tick("101")
    w.house.clock.turn(5)
    await w.company.ask("ada", ENABLE, id=alert)
    await w.look()
    await w.tick("102")

    assert [value for value, _ in await w.fired()] == ["101", "102"]


async def test_an_alert_that_cannot_be_read_keeps_no_other_from_firing(w: Watch, database: str, tmp_path: Path):
    broken = await w.alert(condition=ABOVE)
    await w.alert(condition=ABOVE)
    async with w.house.store.write() as tx:
        await tx.run(alerts.update().where(alerts.c.id == broken).values(price_type="OF_LATER"))
    await forget_leases(w)

    async with another(w, database, tmp_path) as again:
        await again.look()
        await again.tick("99", "101")
        fired = await again.fired()

    assert len(fired) == 1


async def test_an_organisation_whose_account_cannot_be_told_keeps_no_other_from_being_watched(
    w: Watch, database: str, tmp_path: Path, monkeypatch
):
    await w.alert(condition=ABOVE)
    async with w.house.store.write() as tx:
        row = dict((await tx.connection.execute(select(alerts))).one()._mapping)
        await tx.run(alerts.insert().values(**row | {"id": "alert_0", "tenant_id": "other"}))
    await forget_leases(w)
    real = Accounts.whose

    async def whose(self: Accounts, tenant: str) -> str | None:
        if tenant == "other":
            raise ValueError("its keys cannot be opened")
        return await real(self, tenant)

    monkeypatch.setattr(Accounts, "whose", whose)

    async with another(w, database, tmp_path) as again:
        await again.look()
        await again.tick("99", "101")
        fired = await again.fired()

    assert len(fired) == 1


async def test_after_a_restart_another_providers_price_does_not_fire(w: Watch, database: str, tmp_path: Path):
    await w.alert(condition=ABOVE)
    await w.tick("99")
    await forget_leases(w)

    async with another(w, database, tmp_path) as again:
        await again.look()
        again.lines.end("sandbox", Overloaded("sandbox", "gone"))
        await again.settle()
        await again.tick("101", "102", provider="bitstamp")
        fired = await again.fired()

    assert fired == []


async def test_two_evaluators_tell_one_firing(w: Watch, database: str, tmp_path: Path):
    await w.alert(condition=ABOVE, recurrence="REPEATING", cooldownMs=0)
    await w.tick("99")
    await forget_leases(w)

    async with another(w, database, tmp_path) as other:
        await other.look()
        await other.tick("99")
        # The first one has not noticed that its lease is somebody else's.
        await w.tick("101")
        await other.tick("101")
        fired = await other.fired()
        told = (w.engine.writer.fired, other.engine.writer.fired)

    assert fired == [("101", False)]
    assert told == (1, 0)


async def test_a_part_that_could_not_be_read_when_it_was_taken_is_read_with_the_next_look(
    w: Watch, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await w.alert(condition=ABOVE)
    await forget_leases(w)

    async def away(*_: object) -> None:
        raise DatabaseUnavailable

    async with another(w, database, tmp_path) as other:
        with monkeypatch.context() as patched:
            patched.setattr(WatchedRows, "active", away)
            with pytest.raises(DatabaseUnavailable):
                await other.look()
        before = other.engine.count
        await other.look()

        assert (before, other.engine.count) == (0, 1)


async def test_two_processes_share_the_parts_and_one_takes_over_when_the_other_is_gone(
    w: Watch, database: str, tmp_path: Path
):
    await w.alert(condition=ABOVE)

    async with another(w, database, tmp_path) as other:
        await other.look()
        await w.look()
        await other.look()
        shares = (len(w.engine._leads.shards), len(other.engine._leads.shards))
    await w.look()

    assert shares == (8, 8)
    assert len(w.engine._leads.shards) == 16
