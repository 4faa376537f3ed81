"""Limits from live prices to the log of events, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from gateway.core.contract import WatchedRows
from plugins.accounts.tables import organisations
from plugins.risk.evaluation.watched import Watched
from plugins.risk.limits.store import LimitDirectory
from plugins.risk.tables import evaluators, leases, limits
from schema.errors import DatabaseUnavailable
from tests.gateway.doubles import NOON
from tests.plugins.risk.doubles import holdings
from tests.plugins.risk.panels import panel
from tests.plugins.risk.watching import BTC, DELETE, ETH, FOLIO, UPDATE, Watch, another, watch


@pytest.fixture
async def w(database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(database, tmp_path) as made:
        yield made


async def values(w: Watch) -> list[tuple[Any, Any, int]]:
    return [(each["kind"], each["value"], each["arm"]) for each in await w.told()]


async def test_a_position_that_grows_beyond_its_limit_is_told_once_with_all_that_stood(w: Watch):
    limit = await w.limit("SINGLE_NAME", "0.5", note="Sell")

    await w.tick((BTC, "150"), (BTC, "150.01"), (BTC, "160"), (BTC, "170"))

    (event,) = await w.told()
    del event["id"], event["occurredAt"], event["sequence"]
    assert event == {
        "type": "risk.limit_breached", "version": 1, "mode": "SIMULATED", "limitId": limit, "portfolioId": FOLIO,
        "portfolioName": "Growth", "kind": "SINGLE_NAME",
        "text": "the largest single position is above 0.5 of the value", "threshold": "0.5",
        "value": "0.5000166661", "symbol": BTC, "portfolioValue": "300.01", "currency": "USD", "figure": None,
        "arm": 1, "note": "Sell", "riskLimit": {"id": limit}, "withheld": False,
    }  # fmt: skip
    row = await w.row(limit)
    assert (row["state"], row["arm"], row["value"], row["last_breached_at"]) == (
        "BREACHED", 1, Decimal("0.5000166661"), NOON,
    )  # fmt: skip


async def test_the_threshold_itself_is_no_breach(w: Watch):
    await w.limit("SINGLE_NAME", "0.5")

    await w.tick((BTC, "150"))

    assert await w.told() == []


async def test_a_limit_is_armed_again_only_behind_its_hysteresis(w: Watch):
    await w.limit("SINGLE_NAME", "0.5", hysteresisBps=1000)

    await w.tick((BTC, "151"), (BTC, "149"), (BTC, "152"))
    before = await values(w)
    await w.tick((BTC, "122"), (BTC, "160"))

    assert before == [("SINGLE_NAME", "0.5016611296", 1)]
    assert await values(w) == [*before, ("SINGLE_NAME", "0.5161290323", 2)]


async def test_what_is_breached_at_its_beginning_is_told_at_once_by_the_prices_of_the_holdings(w: Watch):
    await w.limit("CLASS_EXPOSURE", "0.79", assetClass="CRYPTO")
    await w.limit("CLASS_EXPOSURE", "0.81", assetClass="CRYPTO")
    await w.limit("CLASS_EXPOSURE", "0.1", assetClass="EQUITY")

    assert await values(w) == [("CLASS_EXPOSURE", "0.8", 1)]


async def test_leverage_and_concentration_count_shorts_as_much_as_longs(w: Watch):
    w.hold({BTC: ("1", "100"), ETH: ("-30", "10")}, cash="300")
    await w.limit("LEVERAGE", "3.9")
    await w.limit("CONCENTRATION", "0.6")

    assert await values(w) == [("LEVERAGE", "4", 1), ("CONCENTRATION", "0.625", 1)]


async def test_a_portfolio_that_is_worth_nothing_is_beyond_any_limit(w: Watch):
    w.hold({BTC: ("1", "100")}, cash="-100")
    await w.limit("LEVERAGE", "10")

    assert await values(w) == [("LEVERAGE", None, 1)]


async def test_a_price_that_is_not_told_any_more_gives_way_to_that_of_the_holdings(w: Watch):
    await w.limit("SINGLE_NAME", "0.5")
    await w.tick((BTC, "140"))

    w.house.clock.turn(31)
    await w.change({BTC: ("1", "160"), ETH: ("10", "10")}, cash="50")

    assert await values(w) == [("SINGLE_NAME", "0.5161290323", 1)]


async def test_two_evaluators_of_one_limit_tell_a_breach_once(w: Watch, database: str, tmp_path: Path):
    await w.limit("SINGLE_NAME", "0.5")
    async with w.house.store.write() as tx:
        past = w.house.clock.now() - timedelta(days=1)
        await tx.run(update(leases).values(until=past))
        await tx.run(update(evaluators).values(until=past))

    async with another(w, database, tmp_path / "other") as second:
        await second.look()
        await second.tick((BTC, "160"))
        await w.tick((BTC, "170"))

        assert second.engine.count == w.engine.count == 1
        assert await values(w) == [("SINGLE_NAME", "0.5161290323", 1)]


async def test_a_part_that_could_not_be_read_when_it_was_taken_is_read_with_the_next_look(
    w: Watch, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await w.limit("SINGLE_NAME", "0.5")
    await w.engine.close()

    async def away(*_: object) -> None:
        raise DatabaseUnavailable

    async with another(w, database, tmp_path / "other") as second:
        with monkeypatch.context() as patched:
            patched.setattr(WatchedRows, "active", away)
            with pytest.raises(DatabaseUnavailable):
                await second.look()
        before = second.engine.count
        await second.look()

        assert (before, second.engine.count) == (0, 1)


async def test_a_position_without_a_price_leaves_the_limit_where_it_stands_and_says_so(w: Watch):
    limit = await w.limit("SINGLE_NAME", "0.5")

    await w.change({BTC: ("1", None), ETH: ("10", "10")}, cash="50")
    row = await w.row(limit)
    await w.change({BTC: ("1", "160"), ETH: ("10", "10")}, cash="50")

    assert (row["state"], row["value"], row["problem"]) == (
        "ARMED", None, "no price of crypto:BTC/USD: the portfolio cannot be valued",
    )  # fmt: skip
    assert await values(w) == [("SINGLE_NAME", "0.5161290323", 1)]
    assert (await w.row(limit))["problem"] is None


async def test_a_changed_limit_is_armed_as_if_it_were_new(w: Watch):
    limit = await w.limit("SINGLE_NAME", "0.5")
    await w.tick((BTC, "160"))

    payload = await w.company.ask("ada", UPDATE, id=limit, threshold="0.45")
    await w.look()

    assert (payload["riskLimit"]["state"], payload["riskLimit"]["arm"]) == ("ARMED", 2)
    assert [each["threshold"] for each in await w.told()] == ["0.5", "0.45"]


async def test_a_limit_that_is_off_or_gone_is_not_watched(w: Watch):
    off, gone = await w.limit("SINGLE_NAME", "0.5"), await w.limit("SINGLE_NAME", "0.5")

    await w.company.ask("ada", UPDATE, id=off, active=False)
    await w.company.ask("ada", DELETE, id=gone)
    w.engine.doubt([off, gone])
    await w.settle()
    await w.tick((BTC, "170"))

    assert await w.told() == []
    assert w.engine.count == 0


async def test_a_limit_that_is_gone_tells_nothing_though_nobody_told_the_evaluator(w: Watch):
    gone = await w.limit("SINGLE_NAME", "0.5")

    await w.company.ask("ada", DELETE, id=gone)
    await w.tick((BTC, "170"))

    assert await w.told() == []


async def test_one_stream_serves_all_limits_on_a_portfolio(w: Watch):
    for threshold in ("0.5", "0.6", "0.7"):
        await w.limit("SINGLE_NAME", threshold)

    assert sorted(w.lines.open_now) == ["sandbox", "sandbox"]


async def test_a_value_at_risk_is_reckoned_on_its_schedule_and_told_with_its_figure(w: Watch):
    w.panels.answer = panel({BTC: ["100", "90", "99", "89.1", "98.01"], ETH: ["10", "10", "10", "10", "10"]})
    limit = await w.limit("VALUE_AT_RISK", "0.035", confidence=0.9, days=30)

    (event,) = await w.told()
    row = await w.row(limit)
    await w.look()

    # A bitcoin is 0.4 of the portfolio: its returns of -0.1, 0.1, -0.1, 0.1 are -0.04 and 0.04 of the whole.
    assert (event["value"], event["symbol"], event["figure"]["count"]) == ("0.04", None, 4)
    assert event["figure"]["method"].startswith("historical")
    assert (row["state"], row["value"], row["evaluated_at"]) == ("BREACHED", Decimal("0.04"), NOON)
    wanted = "{ riskLimits { nodes { value figure { value count start end } } } }"
    shown = (await w.house.ask(wanted, token=w.company.tokens["ada"]))["data"]["riskLimits"]["nodes"]
    figure = {"value": 0.04, "count": 4, "start": "2026-11-03", "end": "2026-11-06"}
    assert shown == [{"value": "0.04", "figure": {**figure, "value": shown[0]["figure"]["value"]}}]
    assert round(shown[0]["figure"]["value"], 12) == 0.04
    assert len(w.panels.asked) == 1
    assert w.lines.open_now == []


async def test_a_value_at_risk_that_cannot_be_reckoned_says_why(w: Watch):
    w.panels.answer = panel({BTC: ["100", "90"]})

    limit = await w.limit("VALUE_AT_RISK", "0.035")

    row = await w.row(limit)
    assert (row["state"], row["value"]) == ("ARMED", None)
    assert "no prices of crypto:ETH/USD" in row["problem"]


async def test_a_limit_on_a_portfolio_that_is_gone_says_so(w: Watch):
    limit = await w.limit("SINGLE_NAME", "0.5")

    w.portfolios.held.clear()
    w.engine.refresh(FOLIO)
    await w.settle()

    row = await w.row(limit)
    assert (row["state"], row["value"], row["problem"]) == ("ARMED", None, "the portfolio is gone")


async def test_limits_of_a_suspended_organisation_are_not_watched(w: Watch):
    await w.limit("SINGLE_NAME", "0.5")
    async with w.house.store.write() as tx:
        await tx.run(update(organisations).where(organisations.c.id == w.company.tenant).values(status="suspended"))

    w.house.clock.turn(301)
    await w.look()

    assert w.engine.count == 0


async def test_a_breach_is_told_once_though_the_database_was_away(w: Watch, monkeypatch: pytest.MonkeyPatch):
    await w.limit("SINGLE_NAME", "0.5")
    real, failures = LimitDirectory.breach, [OSError("away"), OSError("away")]

    async def away(self: LimitDirectory, tx: Any, told: Any) -> Any:
        found = await real(self, tx, told)
        if failures:
            raise failures.pop()
        return found

    monkeypatch.setattr(LimitDirectory, "breach", away)
    monkeypatch.setattr("plugins.risk.evaluation.book.PAUSES_S", (0.0,))
    await w.tick((BTC, "160"), (BTC, "170"))

    assert failures == []
    assert await values(w) == [("SINGLE_NAME", "0.5161290323", 1)]


async def test_a_limit_that_cannot_be_read_keeps_no_other_from_being_watched(w: Watch):
    odd = await w.limit("SINGLE_NAME", "0.9")
    await w.engine.close()
    async with w.house.store.write() as tx:
        await tx.run(update(limits).where(limits.c.id == odd).values(kind="OF_ANOTHER_RELEASE"))

    await w.limit("SINGLE_NAME", "0.3")

    assert [each["threshold"] for each in await w.told()] == ["0.3"]
    assert w.engine.count == 1


async def test_a_breach_that_cannot_be_told_keeps_no_other_from_being_told(w: Watch, monkeypatch: pytest.MonkeyPatch):
    broken = await w.limit("SINGLE_NAME", "0.5", note="broken")
    await w.limit("SINGLE_NAME", "0.51")
    real = Watched.event

    def event(self: Watched, breach: Any, portrait: Any, *, withheld: bool) -> Any:
        if self.row.id == broken:
            raise ZeroDivisionError
        return real(self, breach, portrait, withheld=withheld)

    monkeypatch.setattr(Watched, "event", event)
    await w.tick((BTC, "170"))

    assert [each["threshold"] for each in await w.told()] == ["0.51"]
    assert (await w.row(broken))["state"] == "ARMED"


async def test_a_book_that_broke_begins_anew_with_its_streams(w: Watch, monkeypatch: pytest.MonkeyPatch):
    await w.limit("SINGLE_NAME", "0.5")
    failures, real = [RuntimeError("odd")], w.portfolios.holdings

    async def holdings(*given: Any) -> Any:
        if failures:
            raise failures.pop()
        return await real(*given)

    monkeypatch.setattr(w.portfolios, "holdings", holdings)
    monkeypatch.setattr("plugins.risk.evaluation.engine.BROKEN_S", 0.0)
    w.engine.refresh(FOLIO)
    for _ in range(100):
        await asyncio.sleep(0)
    await w.settle()
    await w.tick((BTC, "170"))

    assert failures == []
    assert await values(w) == [("SINGLE_NAME", "0.53125", 1)]


async def test_a_split_whose_price_is_to_move_yet_breaches_no_weight_also_where_the_process_changes(
    w: Watch, database: str, tmp_path: Path
):
    w.hold({BTC: ("10", "100"), ETH: ("100", "10")})
    limit = await w.limit("SINGLE_NAME", "0.6")
    await w.change({BTC: ("40", "100"), ETH: ("100", "10")}, splits={BTC: "4"})
    waiting = await w.row(limit)
    await w.engine.close()

    async with another(w, database, tmp_path / "other") as next_one:
        await next_one.look()
        early = await next_one.told()
        await next_one.tick((BTC, "25"), (BTC, "40"))
        breaches = await next_one.told()

    assert (waiting["state"], waiting["value"], early) == ("ARMED", Decimal("0.5"), [])
    assert [(each["symbol"], each["value"], each["portfolioValue"]) for each in breaches] == [
        (BTC, "0.6153846154", "2600.00")
    ]


async def test_numbers_behind_which_a_licence_stands_that_lets_nobody_pass_them_on_are_left_out_of_the_event(w: Watch):
    held = holdings({BTC: ("1", "100"), ETH: ("10", "10")}, sources=["sandbox", "coinmarketcap"])
    w.portfolios.held[w.company.tenant, FOLIO] = held

    limit = await w.limit("SINGLE_NAME", "0.4")

    (told,) = await w.told()
    assert (told["limitId"], told["threshold"], told["withheld"]) == (limit, "0.4", True)
    assert (told["value"], told["portfolioValue"], told["figure"]) == (None, None, None)
    assert (await w.row(limit))["value"] == Decimal("0.5")
