"""Schedules: made, placed by the engine, ended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.core.identity import Role
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.tables import audit
from plugins.trading.accounts.store import MemberStore
from plugins.trading.engine import scheduling
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import deposit
from plugins.trading.ledger.proof.proving import verify
from plugins.trading.orders import floor, ground, placing
from plugins.trading.orders.ground import Ground
from plugins.trading.rows import AccountRow, ScheduleRow
from plugins.trading.schedules import desk
from plugins.trading.tables import schedules
from plugins.trading.writing import writing
from schema.words.problems import Refused
from tests.gateway.doubles import NOON
from tests.plugins.trading.engine.floorhouse import BTC, PERP, D, Hall, hall, wish

SHOWN = "id symbol side every quantity notional nextAt placed active problem lastOrderId"
ERRORS = "userErrors { field code message }"
CREATE = (
    f"mutation($i: OrderScheduleCreateInput!) {{ r: orderScheduleCreate(input: $i) {{ orderSchedule {{ {SHOWN} }} "
    f"{ERRORS} }} }}"
)
CANCEL = (
    f"mutation($i: OrderScheduleCancelInput!) {{ r: orderScheduleCancel(input: $i) {{ orderSchedule {{ {SHOWN} }} "
    f"{ERRORS} }} }}"
)
LIST = f"query($a: ID!) {{ r: orderSchedules(accountId: $a) {{ nodes {{ {SHOWN} }} }} }}"


async def test_a_schedule_places_one_order_each_time_and_none_twice(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("500", owner=made.company.people["ada"].id)

        asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "notional": "200",
                 "idempotencyKey": "k1"}  # fmt: skip
        first = await made.company.ask("ada", CREATE, **asked)
        again = await made.company.ask("ada", CREATE, **asked)
        assert first == again
        assert first["userErrors"] == []
        assert await made.company.codes("ada", CREATE, **asked | {"notional": "201"}) == ["IDEMPOTENCY_MISMATCH"]

        await made.look()
        await made.look()
        assert await made.fills(account) == [("BUY", "2", "100")]
        assert (await _row(made)).next_at == NOON + timedelta(days=1)
        # Five days that nobody worked: one order, and then the next regular time.
        made.house.clock.turn(5 * 86_400 + 3600)
        await made.look()
        row = await _row(made)
        assert (row.placed, row.next_at, row.problem) == (2, NOON + timedelta(days=6), None)
        order = await made.order(str(row.last_order_id))
        assert (order.client_order_id, order.cause, order.made_by) == (f"{row.id}:2", "SCHEDULE", row.made_by)

        made.house.clock.turn(86_400)
        await made.look()
        row = await _row(made)
        assert (row.placed, row.active, row.next_at) == (2, True, NOON + timedelta(days=7))
        assert (
            row.problem == "INSUFFICIENT_FUNDS: The order needs 200 USD, and 100 is free: a notional of 100 would pass."
        )
        # What was refused has taken no number.
        async with made.house.store.read() as tx:
            assert list(await verify(tx)) == []


async def test_a_key_that_comes_again_answers_its_schedule_whatever_has_changed_since(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("500", owner=made.company.people["ada"].id)
        asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "HOUR", "quantity": "1"}
        asked |= {"startAt": "2026-11-20T12:00:00Z", "endAt": "2026-11-20T12:02:00Z", "idempotencyKey": "k1"}
        first = (await made.company.ask("ada", CREATE, **asked))["orderSchedule"]["id"]
        await made.look()
        made.house.clock.turn(180)

        async def gone(*_: Any, **__: Any) -> None:
            raise Refused("MARKET_CLOSED", "It was delisted.", "symbol")

        monkeypatch.setattr(desk, "ground_of", gone)
        again = await made.company.ask("ada", CREATE, **asked)
        other = await made.company.codes("ada", CREATE, **asked | {"quantity": "0"})

        assert (again["userErrors"], again["orderSchedule"]["id"], again["orderSchedule"]["placed"]) == ([], first, 1)
        assert (other, len(await _rows(made))) == (["IDEMPOTENCY_MISMATCH"], 1)
        (error,) = (await made.company.ask("ada", CREATE, **asked | {"idempotencyKey": "k2"}))["userErrors"]
        assert error["message"] == "endAt lies before the first order, which is due at 2026-11-20T13:00:00Z."


async def _row(made: Hall) -> ScheduleRow:
    (row,) = await _rows(made)
    return row


async def _rows(made: Hall) -> list[ScheduleRow]:
    async with made.house.store.read() as tx:
        return await tx.all(select(schedules).order_by(schedules.c.most.is_(None)), ScheduleRow)


async def test_a_schedule_ends_after_so_many_or_at_its_end(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("5000", owner=made.company.people["ada"].id)
        asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "HOUR", "quantity": "1"}
        await made.company.ask("ada", CREATE, **asked, most=1)
        await made.company.ask("ada", CREATE, **asked, endAt="2026-11-20T13:30:00Z")

        await made.look()
        made.house.clock.turn(3600)
        await made.look()
        made.house.clock.turn(3600)
        await made.look()

        assert len(await made.fills(account)) == 3
        assert [(row.placed, row.active, row.next_at) for row in await _rows(made)] == [
            (1, False, None),
            (2, False, None),
        ]


async def test_what_nobody_worked_until_its_end_places_nothing_any_more(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("5000", owner=made.company.people["ada"].id)
        asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "quantity": "1"}
        await made.company.ask("ada", CREATE, **asked, endAt="2026-11-21T18:00:00Z")

        await made.look()
        made.house.clock.turn(2 * 86_400)
        await made.look()

        assert len(await made.fills(account)) == 1
        row = await _row(made)
        told = (
            "MISSED: its order was due at 2026-11-21T12:00:00Z, and nobody came to it before `endAt`: make one with a "
            "later end."
        )
        assert (row.placed, row.active, row.next_at, row.problem) == (1, False, None, told)


async def test_what_contradicts_itself_or_is_somebody_elses_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(owner=made.company.people["ada"].id)
        live = await made.account(owner=made.company.people["ada"].id, kind="LIVE")
        await made.company.hire("eve", Role.TRADER)
        asked: dict[str, Any] = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "quantity": "1"}
        cases: list[tuple[dict[str, Any], str, str]] = [
            ({"notional": "5"}, "SCHEDULE_INVALID", "quantity"),
            ({"quantity": "0"}, "SCHEDULE_INVALID", "quantity"),
            ({"most": 0}, "SCHEDULE_INVALID", "most"),
            ({"strategy": ""}, "SCHEDULE_INVALID", "strategy"),
            ({"endAt": "2026-11-20T11:00:00Z"}, "SCHEDULE_INVALID", "endAt"),
            ({"symbol": "no such thing"}, "UNKNOWN_INSTRUMENT", "symbol"),
            ({"accountId": live.id}, "SCHEDULE_INVALID", "accountId"),
            ({"accountId": "tacc_nobody"}, "NOT_FOUND", "accountId"),
        ]

        for changed, code, field in cases:
            payload = await made.company.ask("ada", CREATE, **asked | changed)
            (error,) = payload["userErrors"]
            assert (error["code"], error["field"]) == (code, ["input", field]), changed
            assert payload["orderSchedule"] is None
        assert await made.company.codes("eve", CREATE, **asked) == ["NOT_FOUND"]
        made_one = await made.company.ask("ada", CREATE, **asked)
        schedule = made_one["orderSchedule"]["id"]
        body = await made.house.ask(LIST, {"a": account.id}, token=made.company.tokens["ada"])
        assert body["data"]["r"]["nodes"] == [made_one["orderSchedule"]]
        body = await made.house.ask(LIST, {"a": account.id}, token=made.company.tokens["eve"])
        assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert await made.company.codes("eve", CANCEL, scheduleId=schedule) == ["NOT_FOUND"]
        assert await made.company.codes("ada", CANCEL, scheduleId="sched_nobody") == ["NOT_FOUND"]
        ended = await made.company.ask("ada", CANCEL, scheduleId=schedule)
        assert (ended["orderSchedule"]["active"], ended["orderSchedule"]["nextAt"]) == (False, None)
        assert await made.company.ask("ada", CANCEL, scheduleId=schedule) == ended


async def test_what_no_order_could_be_is_no_schedule(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await made.account(owner=made.company.people["ada"].id)
        asked: dict[str, Any] = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY"}
        cases: list[tuple[dict[str, Any], str, str]] = [
            ({"symbol": "NOSUCH/USD", "quantity": "1"}, "UNKNOWN_INSTRUMENT", "symbol"),
            ({"symbol": PERP, "quantity": "1"}, "MARGIN_ACCOUNT_REQUIRED", "symbol"),
            ({"notional": "0.01"}, "NOTIONAL_BELOW_MINIMUM", "notional"),
            ({"notional": f"5.{'1' * 40}"}, "SCHEDULE_INVALID", "notional"),
            ({"quantity": "1.000005"}, "SIZE_OFF_STEP", "quantity"),
            ({"quantity": "0.000001"}, "SIZE_BELOW_MINIMUM", "quantity"),
            ({"quantity": "0.00001"}, "NOTIONAL_BELOW_MINIMUM", "quantity"),
        ]

        for changed, code, field in cases:
            (error,) = (await made.company.ask("ada", CREATE, **asked | changed))["userErrors"]
            assert (error["code"], error["field"]) == (code, ["input", field]), changed
        assert await _rows(made) == []


async def test_an_order_that_somebody_has_called_like_a_schedules_stands_in_nobodys_way(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("500", owner=made.company.people["ada"].id)
        asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "quantity": "1"}
        schedule = (await made.company.ask("ada", CREATE, **asked))["orderSchedule"]["id"]
        taken = wish("BUY", "LIMIT", limit_price="50", client_order_id=f"{schedule}:1")
        await made.place(account, taken, price="100")

        await made.look()

        row = await _row(made)
        assert (row.placed, row.problem, row.next_at) == (1, None, NOON + timedelta(days=1))
        assert (await made.order(str(row.last_order_id))).client_order_id is None


async def _sales(made: Hall) -> AccountRow:
    """An account that holds one and no cash, a part of which is sold by the hour, for no less a fee than 5."""
    made.board.prices = {BTC: "100"}
    model = {"fees": {"maker": "0", "taker": "0", "least": "5"}}
    account = await made.account("105", owner=made.company.people["ada"].id, model=model)
    await made.place(account, wish("BUY", "MARKET"), price="100")
    asked = {"accountId": account.id, "symbol": BTC, "side": "SELL", "every": "HOUR", "quantity": "0.04"}
    await made.company.ask("ada", CREATE, **asked)
    return account


async def test_a_sale_that_does_not_pay_its_fee_is_refused_and_nothing_of_it_is_kept(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await _sales(made)

        await made.look()

        row = await _row(made)
        assert (row.placed, row.next_at, row.problem) == (
            0, NOON + timedelta(hours=1),
            "INSUFFICIENT_FUNDS: The sale costs 1 USD more than it brings, and 0 is free: 0.04995 would pass.",
        )  # fmt: skip
        assert await made.fills(account) == [("BUY", "1", "100")]


async def test_what_the_ledger_refuses_undoes_the_order_and_is_told_by_the_schedule(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        account = await _sales(made)
        monkeypatch.setattr(placing, "check_funds", lambda *_: None)
        monkeypatch.setattr(floor, "lacking_cash", lambda *_: None)

        await made.look()

        row = await _row(made)
        assert (row.placed, row.next_at, row.problem) == (
            0, NOON + timedelta(hours=1),
            "INSUFFICIENT_FUNDS: 1 USD is more than the 0 USD that are there.",
        )  # fmt: skip
        assert await made.fills(account) == [("BUY", "1", "100")]
        async with made.house.store.read() as tx:
            assert list(await verify(tx)) == []


async def test_a_schedule_ends_with_the_right_of_whoever_made_it_to_trade(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("500", owner=made.company.people["ada"].id)
        eve = await made.company.hire("eve", Role.TRADER)
        async with made.house.store.write() as tx:
            await MemberStore().set(tx, account.tenant_id, account.id, eve.id, "TRADER")
        asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "quantity": "1"}
        await made.company.ask("eve", CREATE, **asked)
        await made.look()
        assert len(await made.fills(account)) == 1
        async with made.house.store.write() as tx:
            await MemberStore().remove(tx, account.tenant_id, account.id, eve.id)

        made.house.clock.turn(86_400)
        await made.look()

        row = await _row(made)
        assert (row.placed, row.active, row.next_at) == (1, False, None)
        assert row.problem == "NOT_ALLOWED: whoever made it may not trade with the account any more."
        assert len(await made.fills(account)) == 1
        async with made.house.store.read() as tx:
            acts = await tx.values(select(audit.c.actor).where(audit.c.action == "order_schedule.ended"))
        assert acts == ["trading"]


async def test_a_schedule_ends_with_the_key_that_made_it_and_goes_on_with_its_successor(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("500", owner=made.company.people["ada"].id, shared=True)
        keys, store = made.house.host.service(KeyDesk), made.house.store
        async with store.write() as tx:
            key, secret = await keys.create(
                tx, account.tenant_id, name="bot", scopes=["trading:write", "market:read"], created_by="user_ada"
            )
        asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "quantity": "1"}
        body = await made.house.ask(CREATE, {"i": asked}, key=secret)
        assert body["data"]["r"]["userErrors"] == []
        async with store.write() as tx:
            new, _ = await keys.rotate(tx, account.tenant_id, key, created_by="user_ada", overlap=timedelta(0))
        await made.look()
        rotated = await _row(made)

        async with store.write() as tx:
            await keys.revoke(tx, account.tenant_id, new.id)
        made.house.clock.turn(86_400)
        await made.look()

        assert (rotated.placed, rotated.active, rotated.problem, rotated.made_by) == (1, True, None, key.id)
        row = await _row(made)
        assert (row.placed, row.active, row.next_at) == (1, False, None)
        assert row.problem == "NOT_ALLOWED: the key that made it has ended, or may not trade with the account any more."
        assert len(await made.fills(account)) == 1
        async with store.read() as tx:
            ended = await tx.values(select(audit.c.target).where(audit.c.action == "order_schedule.ended"))
        assert ended == [row.id]


async def test_a_key_that_may_not_trade_any_more_places_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("500", owner=made.company.people["ada"].id, shared=True)
        keys = made.house.host.service(KeyDesk)
        async with made.house.store.write() as tx:
            key, secret = await keys.create(
                tx, account.tenant_id, name="bot", scopes=["trading:write", "market:read"], created_by="user_ada"
            )
        asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "quantity": "1"}
        await made.house.ask(CREATE, {"i": asked}, key=secret)
        async with made.house.store.write() as tx:
            await keys.keys.change(tx, account.tenant_id, key.id, {"scopes": ["trading:read"]})

        await made.look()

        assert (await _row(made)).active is False
        assert await made.fills(account) == []


async def test_what_an_access_token_has_made_is_the_keys_that_minted_it(sqlite_url: str, tmp_path: Path) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices = {BTC: "100"}
        account = await made.account("500", owner=made.company.people["ada"].id, shared=True)
        keys, tenant, scopes = made.house.host.service(KeyDesk), account.tenant_id, ["trading:write", "market:read"]
        asked = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "quantity": "1",
                 "idempotencyKey": "k1"}  # fmt: skip
        async with made.house.store.write() as tx:
            key, _ = await keys.create(tx, tenant, name="shop", scopes=scopes, created_by="user_ada")
            ends = made.house.clock.now() + timedelta(minutes=5)
            minted = [await keys.mint(tx, tenant, parent=key.id, scopes=scopes, expires_at=ends) for _ in range(2)]
        first, again = [(await made.house.ask(CREATE, {"i": asked}, token=text))["data"]["r"] for _, text in minted]

        made.house.clock.turn(86_400)
        await made.look()

        row = await _row(made)
        assert first == again
        assert (row.made_by, row.placed, row.active) == (key.id, 1, True)


async def test_an_account_that_got_something_else_while_prices_were_asked_is_asked_for_again(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall(sqlite_url, tmp_path) as made:
        made.board.prices, made.board.rates = {BTC: "100"}, {("EUR", "USD"): "1.1"}
        account = await made.account("500", owner=made.company.people["ada"].id, margin="MARGIN", leverage=D(5))
        asked: list[Any] = []

        async def ground_of(*given: Any, **more: Any) -> Ground:
            found = await ground.ground_of(*given, **more)
            if not asked:
                async with writing(made.house.host, account.tenant_id, account.id) as w:
                    await LedgerBook().post(w, [deposit("EUR", D(10))], at=NOON, made_by="user_ada")
            asked.append(more["currencies"])
            return found

        wanted = {"accountId": account.id, "symbol": BTC, "side": "BUY", "every": "DAY", "quantity": "1"}
        await made.company.ask("ada", CREATE, **wanted)
        monkeypatch.setattr(scheduling, "ground_of", ground_of)
        for _ in range(2):
            await made.look()

        row = await _row(made)
        assert (asked, row.placed, row.problem) == ([{"USD"}, {"USD", "EUR"}], 1, None)
