"""Accounts through a whole gateway: made, seen, changed, halted, deleted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.core.contract import Context
from gateway.core.identity import OPERATOR_SCOPES, ROLE_SCOPES, CallerKind, OperatorRole, Principal, Role
from gateway.core.matching.model import ExecutionModel
from plugins.trading.accounts.access import Gate
from plugins.trading.accounts.desk import AccountDesk
from plugins.trading.accounts.rules import Wish
from plugins.trading.accounts.switches import SwitchDesk
from plugins.trading.rows import PositionRow
from plugins.trading.tables import accounts, entries, permits, positions
from schema.words.orders import AccountKind
from schema.words.problems import Refused
from tests.house import open_house
from tests.plugins.accounts.organisations.company import EXPORT, Company, found
from tests.plugins.trading.rowsof import D, position

ERRORS = "userErrors { field code message }"
FIELDS = """id name kind broker currency initialBalance margin leverage maxDailyLoss method shared halted haltReason
  owner version access"""


def mutation(name: str, kind: str, wanted: str) -> str:
    return f"mutation($i: {kind}!) {{ r: {name}(input: $i) {{ {wanted} {ERRORS} }} }}"


CREATE = mutation("tradingAccountCreate", "TradingAccountCreateInput", f"account {{ {FIELDS} }}")
UPDATE = mutation("tradingAccountUpdate", "TradingAccountUpdateInput", f"account {{ {FIELDS} }}")
DELETE = mutation("tradingAccountDelete", "TradingAccountDeleteInput", "accountId")
HALT = mutation("tradingAccountHalt", "TradingAccountHaltInput", "account { halted haltReason }")
RESUME = mutation("tradingAccountResume", "TradingAccountResumeInput", "account { halted haltReason }")
MEMBER = mutation("tradingAccountMemberSet", "TradingAccountMemberSetInput", "members { userId role }")
STOP = mutation("tradingHalt", "TradingHaltInput", "switches { halted haltReason }")
OPT_IN = mutation("tradingLiveOptIn", "TradingLiveOptInInput", "switches { live }")
SEEN = "{ tradingAccounts { nodes { name access } } }"
ONE = """query($id: ID!) { tradingAccount(id: $id) { name } node(id: $id) { id }
  positions(accountId: $id) { nodes { id } } }"""


@pytest.fixture
async def company(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    """Ada's; Tom and Tim are traders, Vic is a viewer, Mallory has a company of her own."""
    async with open_house(sqlite_url, tmp_path) as house:
        made = await found(house)
        await made.upgrade()
        for name, role in (("tom", Role.TRADER), ("tim", Role.TRADER), ("vic", Role.VIEWER)):
            await made.hire(name, role)
        await made.guest("mallory", "Mallory's")
        yield made


async def make(company: Company, by: str = "tom", **given: Any) -> dict[str, Any]:
    company.house.clock.turn(1)
    payload = await company.ask(by, CREATE, **{"name": "Main"} | given)
    assert payload["userErrors"] == []
    account: dict[str, Any] = payload["account"]
    return account


async def seen(company: Company, by: str) -> list[tuple[str, str]]:
    body = await company.house.ask(SEEN, token=company.tokens[by])
    return sorted((each["name"], each["access"]) for each in body["data"]["tradingAccounts"]["nodes"])


def codes(payload: dict[str, Any]) -> list[tuple[Any, str]]:
    return [(each["field"], each["code"]) for each in payload["userErrors"]]


async def test_an_account_begins_with_its_first_deposit_and_the_same_key_makes_it_once(company: Company):
    wish = {"initialBalance": "1000.5", "currency": "eur", "margin": "MARGIN", "leverage": "5", "maxDailyLoss": "100",
            "idempotencyKey": "k1"}  # fmt: skip
    first = await make(company, **wish)
    again = await make(company, **wish)
    other = await company.ask("tom", CREATE, **{**wish, "name": "Other"})
    somebody = await company.ask("tim", CREATE, name="Main", **wish)

    owner = company.people["tom"].id
    assert {name: value for name, value in first.items() if name != "id"} == {
        "name": "Main", "kind": "PAPER", "broker": "simulator", "currency": "EUR", "initialBalance": "1000.50",
        "margin": "MARGIN", "leverage": "5", "maxDailyLoss": "100", "method": "AVERAGE_COST", "shared": False,
        "halted": False, "haltReason": None, "owner": owner, "version": 2, "access": "MANAGE",
    }  # fmt: skip
    assert again["id"] == first["id"]
    assert codes(other) == codes(somebody) == [(["input", "idempotencyKey"], "IDEMPOTENCY_MISMATCH")]
    async with company.house.store.read() as tx:
        booked = await tx.values(select(entries.c.kind).where(entries.c.account_id == first["id"]))
        assert await tx.values(select(accounts.c.id)) == [first["id"]]
    assert booked == ["DEPOSIT"]


async def test_who_sees_an_account_and_what_each_may_do_with_it(company: Company):
    mine = await make(company, name="Mine")
    await make(company, name="Ours", shared=True)
    tim = company.people["tim"].id

    before = await seen(company, "tim")
    refused = await company.ask("tim", MEMBER, accountId=mine["id"], userId=tim, role="TRADER")
    set_ = await company.ask("tom", MEMBER, accountId=mine["id"], userId=tim, role="VIEWER")
    looked = await company.ask("tim", HALT, id=mine["id"], reason="no")
    owner = await company.ask("tom", MEMBER, accountId=mine["id"], userId=mine["owner"], role="VIEWER")
    strangers = [
        await company.ask("tom", MEMBER, accountId=mine["id"], userId=who, role=role)
        for who in ("user_nobody", "x\u0000", company.people["mallory"].id)
        for role in ("VIEWER", None)
    ]

    assert before == [("Ours", "TRADE")]
    assert codes(refused) == [(["input", "accountId"], "NOT_FOUND")]
    assert set_["members"] == [{"userId": tim, "role": "VIEWER"}]
    assert codes(looked) == [(["input", "id"], "NOT_ALLOWED")]
    assert looked["userErrors"][0]["message"] == "You may look at this account, and not trade with it."
    assert [codes(each) for each in (owner, *strangers)] == [[(["input", "userId"], "MEMBER_INVALID")]] * 7
    assert strangers[0]["userErrors"][0]["message"] == (
        "Nobody of your organisation has this id: `members { nodes { userId } }` lists them."
    )
    assert await seen(company, "tim") == [("Mine", "LOOK"), ("Ours", "TRADE")]
    assert await seen(company, "vic") == [("Ours", "LOOK")]
    assert await seen(company, "ada") == [("Mine", "MANAGE"), ("Ours", "MANAGE")]
    assert await seen(company, "mallory") == []
    body = await company.house.ask(ONE, {"id": mine["id"]}, token=company.tokens["mallory"])
    assert body["data"] == {"tradingAccount": None, "node": None, "positions": None}
    gone = await company.ask("tom", MEMBER, accountId=mine["id"], userId=tim, role=None)
    assert gone["members"] == []
    assert await seen(company, "tim") == [("Ours", "TRADE")]


async def test_a_change_is_whole_and_refused_where_somebody_was_faster_or_something_is_open(company: Company):
    made = await make(company, margin="MARGIN", leverage="5")

    changed = await company.ask(
        "tom", UPDATE, id=made["id"], name="New", leverage="4", maxDailyLoss="50", shared=True, method="FIFO",
        model={"source": "BOOK"}, version=made["version"],
    )  # fmt: skip
    late = await company.ask("tom", UPDATE, id=made["id"], name="Newer", version=made["version"])
    async with company.house.store.write() as tx:
        await tx.run(positions.insert().values(**asdict(_held(company, made["id"]))))
    less = await company.ask("tom", UPDATE, id=made["id"], name="Newest", leverage="2")
    more = await company.ask("tom", UPDATE, id=made["id"], leverage="10", withoutMaxDailyLoss=True)
    other = await company.ask("tom", UPDATE, id=made["id"], method="AVERAGE_COST")

    told = changed["account"]
    assert (told["name"], told["leverage"], told["maxDailyLoss"], told["shared"], told["method"], told["version"]) == (
        "New", "4", "50", True, "FIFO", made["version"] + 1,
    )  # fmt: skip
    assert codes(late) == [(["input", "version"], "VERSION_CONFLICT")]
    assert codes(less) == [(["input", "leverage"], "ACCOUNT_NOT_EMPTY")]
    assert codes(other) == [(["input", "method"], "ACCOUNT_NOT_EMPTY")]
    assert (more["account"]["name"], more["account"]["leverage"], more["account"]["maxDailyLoss"]) == (
        "New",
        "10",
        None,
    )


async def test_an_account_that_holds_something_is_not_deleted_and_a_deleted_one_shows_no_more(company: Company):
    made = await make(company, initialBalance="10")
    async with company.house.store.write() as tx:
        await tx.run(positions.insert().values(**asdict(_held(company, made["id"]))))

    refused = await company.ask("tom", DELETE, id=made["id"])
    async with company.house.store.write() as tx:
        await tx.run(positions.delete())
    deleted = await company.ask("tom", DELETE, id=made["id"])
    again = await company.ask("tom", DELETE, id=made["id"])

    assert codes(refused) == [(["input", "id"], "ACCOUNT_NOT_EMPTY")]
    assert refused["userErrors"][0]["message"] == (
        "The account has positions crypto:BTC/USD: close them with `positionClose`."
    )
    assert deleted["accountId"] == made["id"]
    assert codes(again) == [(["input", "id"], "NOT_FOUND")]
    assert await seen(company, "ada") == []
    async with company.house.store.read() as tx:
        assert len(await tx.values(select(entries.c.id).where(entries.c.account_id == made["id"]))) == 1


async def test_a_key_that_has_made_an_account_makes_no_other_once_that_is_deleted(company: Company):
    made = await make(company, idempotencyKey="k1")
    await company.ask("tom", DELETE, id=made["id"])

    again = await company.ask("tom", CREATE, name="Main", idempotencyKey="k1")

    assert codes(again) == [(["input", "idempotencyKey"], "IDEMPOTENCY_MISMATCH")]
    assert again["userErrors"][0]["message"] == (
        f"The account {made['id']}, which this idempotencyKey has made, was deleted: give another key."
    )
    assert await seen(company, "tom") == []


async def test_switches_of_an_account_and_of_the_organisation(company: Company):
    made = await make(company, shared=True)

    halted = await company.ask("tim", HALT, id=made["id"], reason="lunch")
    not_his = await company.ask("tim", RESUME, id=made["id"])
    resumed = await company.ask("tom", RESUME, id=made["id"])
    trader = await company.ask("tom", STOP, reason="audit")
    owner = await company.ask("ada", STOP, reason="audit")
    unsure = await company.ask("ada", OPT_IN, live=True)
    sure = await company.ask("ada", OPT_IN, live=True, confirm="live trading")
    live = await company.ask("tom", CREATE, name="Money", kind="LIVE", confirm="Money")
    operators = await company.house.ask(
        'mutation { tradingFleetHalt(input: {reason: "x"}) { switches { fleetHalted } } }', token=company.tokens["ada"]
    )

    assert halted["account"] == {"halted": True, "haltReason": "lunch"}
    assert codes(not_his) == [(["input", "id"], "NOT_ALLOWED")]
    assert not_his["userErrors"][0]["message"] == (
        "You may trade with this account, and not change it: that may its owner, or an owner or admin of the "
        "organisation, signed in."
    )
    assert resumed["account"] == {"halted": False, "haltReason": None}
    assert codes(trader) == [(None, "NOT_ALLOWED")]
    assert owner["switches"] == {"halted": True, "haltReason": "audit"}
    assert codes(unsure) == [(["input", "confirm"], "CONFIRMATION_NEEDED")]
    assert sure["switches"] == {"live": True}
    assert codes(live) == [(["input", "broker"], "BROKER_INVALID")]
    assert operators["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    async with company.house.store.read() as tx:
        (row,) = (await tx.connection.execute(select(permits))).all()
    assert (row.halted, row.halt_reason, row.live) == (True, "audit", True)


def _held(company: Company, account_id: str) -> PositionRow:
    return position("crypto:BTC/USD", "1", "100", tenant_id=company.tenant, account_id=account_id)


def context_of(company: Company, name: str, role: Role | None = None, **given: Any) -> Context:
    """For services: on the account of a member, or of somebody else."""
    who = Principal(
        tenant=company.tenant, user=company.people[name].id, role=role,
        scopes=frozenset() if role is None else ROLE_SCOPES[role],
    )  # fmt: skip
    return company.house.context(replace(who, **given))


async def test_money_needs_a_broker_the_consent_of_the_organisation_and_the_name_once_more(company: Company):
    desk = AccountDesk(company.house.host, brokers=("alpaca",))
    tom, ada = context_of(company, "tom", Role.TRADER), context_of(company, "ada", Role.OWNER)
    wish = Wish(name=" Money ", kind=AccountKind.LIVE, broker="Alpaca", confirm="Money", model=ExecutionModel())

    with pytest.raises(Refused) as before:
        await desk.create(tom, wish, None)
    await company.house.host.service(SwitchDesk).opt_in(ada, live=True, confirm="live trading")
    made = await desk.create(tom, wish, None)

    assert before.value.code == "LIVE_NOT_ENABLED"
    assert (made.kind, made.broker, made.name, made.initial_balance, made.entries) == (
        "LIVE",
        "alpaca",
        "Money",
        D(0),
        0,
    )


async def test_the_operators_switch_stops_everybody_and_none_of_it_is_an_organisations(company: Company):
    house, gate = company.house, Gate()
    made = await make(company)
    operator = Principal(
        tenant="", kind=CallerKind.OPERATOR, key="key_op", scopes=OPERATOR_SCOPES[OperatorRole.OPERATOR]
    )
    desk, tom = house.host.service(SwitchDesk), context_of(company, "tom", Role.TRADER)

    await desk.halt_all(house.context(operator), "upgrade")
    async with house.store.read() as tx:
        row = await gate.look(tx, tom, made["id"])
        halted = await gate.halted(tx, row)
    seen = await desk.stand(tom)
    await desk.resume_all(house.context(operator))

    assert halted == "The operator has halted trading: upgrade. Try again later."
    assert (seen.permit, seen.fleet is not None and seen.fleet.halted) == (None, True)
    async with house.store.read() as tx:
        assert await gate.halted(tx, row) is None


async def test_an_organisation_has_so_many_accounts_at_most(company: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("plugins.trading.accounts.desk.MOST_ACCOUNTS", 1)
    made = await make(company)

    refused = await company.ask("tom", CREATE, name="Second")
    await company.ask("tom", DELETE, id=made["id"])

    assert codes(refused) == [(None, "TOO_MANY_ACCOUNTS")]
    await make(company, name="Second")


async def test_the_organisations_export_holds_accounts_and_their_ledgers_also_of_deleted_ones(company: Company):
    made = await make(company, initialBalance="10")
    await company.ask("tom", DELETE, id=made["id"])

    payload = await company.ask("ada", EXPORT)

    told = json.loads(payload["document"])["plugins"]["trading"]
    assert [(row["id"], row["name"]) for row in told["accounts"]] == [(made["id"], "Main")]
    assert [(row["ledger"], row["amount"]) for row in told["lines"]] == [("cash", "10.00"), ("external", "-10.00")]
    assert "tenant_id" not in told["accounts"][0]


async def test_a_margin_account_pays_five_percent_for_what_it_owes_unless_it_is_told_otherwise(
    company: Company,
) -> None:
    create = CREATE.replace("margin leverage", "margin marginInterestRate leverage")
    update = UPDATE.replace("margin leverage", "margin marginInterestRate leverage")
    plain = (await company.ask("tom", create, name="A", margin="MARGIN"))["account"]
    given = (await company.ask("tom", create, name="B", margin="MARGIN", marginInterestRate="0.08"))["account"]
    cash = (await company.ask("tom", create, name="C"))["account"]

    changed = (await company.ask("tom", update, id=plain["id"], marginInterestRate="0"))["account"]

    rates = [each["marginInterestRate"] for each in (plain, given, cash, changed)]
    assert [D(each) for each in rates] == [D("0.05"), D("0.08"), D(0), D(0)]
    assert await company.codes("tom", update, id=cash["id"], marginInterestRate="0.1") == ["INTEREST_INVALID"]


async def test_a_wider_limit_of_the_daily_loss_is_counted_anew_and_a_closer_one_is_not(company: Company) -> None:
    found: dict[str, str | None] = {}
    changes: dict[str, dict[str, Any]] = {
        "lifted": {"withoutMaxDailyLoss": True}, "raised": {"maxDailyLoss": "50"}, "same": {"maxDailyLoss": "20"},
        "closer": {"maxDailyLoss": "10"},
    }  # fmt: skip
    for name, change in changes.items():
        made = await make(company, name=name, maxDailyLoss="20")
        async with company.house.store.write() as tx:
            await tx.run(accounts.update().where(accounts.c.id == made["id"]).values(loss_day="2026-11-20"))
        await company.ask("tom", UPDATE, id=made["id"], **change)
        async with company.house.store.read() as tx:
            found[name] = await tx.value(select(accounts.c.loss_day).where(accounts.c.id == made["id"]))

    assert found == {"lifted": None, "raised": None, "same": "2026-11-20", "closer": "2026-11-20"}
