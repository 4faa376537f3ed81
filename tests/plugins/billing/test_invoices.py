"""Months and their invoices: once each, whole, without gaps, seen by their tenant alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.core.identity import Role
from gateway.core.ports import Organisations
from plugins.billing.calendar import Month
from plugins.billing.invoices.desk import Closed, InvoiceDesk
from plugins.billing.invoices.periods import PeriodKeeper
from plugins.billing.plugin import plugin
from tests.gateway.doubles import NOON
from tests.house import House
from tests.plugins.billing.people import (
    AUDITOR,
    OPERATOR,
    acts,
    ask,
    count,
    data,
    define,
    found,
    member,
    put_on,
    use,
)

NOVEMBER = Month(2026, 11)
CLOSING = datetime(2026, 12, 1, 1, tzinfo=UTC)
INVOICES = """
query Invoices($first: Int!, $after: Cursor) {
  invoices(first: $first, after: $after) {
    nodes {
      id number month currency total status organisationId
      lines { kind plan firstDay endDay quantity per unitPrice amount }
    }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}"""
RUN = """
mutation Run($month: String!) {
  invoiceRun(input: {month: $month}) { issued standing userErrors { field code message } }
}"""
SETTLE = """
mutation Settle($id: ID!, $outcome: InvoiceOutcome!) {
  invoiceSettle(input: {id: $id, outcome: $outcome}) {
    invoice { id status paidAt voidedAt } userErrors { code message }
  }
}"""


def turn_to(house: House, moment: datetime) -> None:
    house.clock.turn((moment - house.clock.now()).total_seconds())


async def look(house: House) -> None:
    await house.host.service(PeriodKeeper).look()


async def invoices_of(house: House, tenant: str) -> list[dict[str, Any]]:
    answer = await data(house, member(tenant), INVOICES, first=100)
    return list(answer["invoices"]["nodes"])


async def invoiced(house: House, name: str = "Ada", used: int = 3500) -> str:
    """A tenant on `gold` since noon of the 20th, its November invoiced."""
    await define(house)
    tenant = await found(house, name, "gold")
    await look(house)
    await use(house, tenant, used, NOON)
    turn_to(house, CLOSING)
    await house.host.service(InvoiceDesk).close(NOVEMBER)
    return tenant


async def test_a_month_that_is_over_is_invoiced_by_itself_and_once(house: House) -> None:
    desk = house.host.service(InvoiceDesk)
    await define(house)
    tenant = await found(house, "Ada", "gold")
    await look(house)
    await use(house, tenant, 3500, NOON)
    turn_to(house, CLOSING - timedelta(seconds=1))
    await desk.close_due()
    early = await count(house, "billing_invoices")
    turn_to(house, CLOSING)

    await desk.close_due()
    await desk.close_due()

    assert early == 0
    assert [{**invoice, "id": ""} for invoice in await invoices_of(house, tenant)] == [
        {
            "id": "", "number": "MG-2026-11-000001", "month": "2026-11", "currency": "USD", "total": "12.57",
            "status": "OPEN", "organisationId": tenant,
            "lines": [
                {
                    "kind": "BASE", "plan": "gold", "firstDay": "2026-11-20", "endDay": "2026-12-01", "quantity": "11",
                    "per": 30, "unitPrice": "30.00", "amount": "11.00",
                },
                {
                    "kind": "METERED", "plan": "gold", "firstDay": "2026-11-20", "endDay": "2026-12-01",
                    "quantity": "3133", "per": 1000, "unitPrice": "0.50", "amount": "1.57",
                },
            ],
        }
    ]  # fmt: skip
    assert await acts(house, "invoice.issued") == [(tenant, "invoice.issued")]


async def test_parallel_runs_make_one_invoice_for_each_tenant_and_numbers_without_gaps(house: House) -> None:
    desk = house.host.service(InvoiceDesk)
    await define(house)
    tenants = [await found(house, f"Tenant {n}", "gold") for n in range(6)]
    await look(house)
    turn_to(house, CLOSING)

    runs = await asyncio.gather(*(desk.close(NOVEMBER) for _ in range(4)))

    shown = [invoice for tenant in tenants for invoice in await invoices_of(house, tenant)]
    assert sum(run.issued for run in runs) == 6
    assert sorted(invoice["number"] for invoice in shown) == [f"MG-2026-11-{n:06}" for n in range(1, 7)]
    assert await count(house, "billing_invoice_lines") == 6
    assert await desk.close(NOVEMBER) == Closed(issued=0, standing=6)


async def test_a_run_that_is_broken_off_leaves_whole_invoices_and_no_gap(house: House) -> None:
    desk = house.host.service(InvoiceDesk)
    await define(house)
    tenant, other = sorted([await found(house, "Ada", "gold"), await found(house, "Bob", "gold")])
    await look(house)
    turn_to(house, CLOSING)
    try:
        async with house.store.write() as tx:
            assert await desk.issue(tx, tenant, NOVEMBER) == 1
            raise ConnectionError("killed")
    except ConnectionError:
        pass
    torn = [await count(house, name) for name in ("billing_invoices", "billing_invoice_lines", "billing_counters")]

    await desk.close_due()

    assert torn == [0, 0, 0]
    numbers = [(await invoices_of(house, each))[0]["number"] for each in (tenant, other)]
    assert numbers == ["MG-2026-11-000001", "MG-2026-11-000002"]


async def test_a_tenant_that_changes_plans_pays_each_for_its_days(house: House) -> None:
    await define(house)
    await define(house, name="euro", currency="EUR", monthlyPrice="300")
    tenant = await found(house, "Ada", "gold")
    await look(house)
    house.clock.turn(5 * 86_400)
    await put_on(house, tenant, "euro")
    await look(house)
    house.clock.turn(3600)
    await define(house, name="euro", currency="EUR", monthlyPrice="600", pointPrice=None)
    await look(house)
    await look(house)
    turn_to(house, CLOSING)

    await house.host.service(InvoiceDesk).close_due()

    shown = {invoice["currency"]: invoice for invoice in await invoices_of(house, tenant)}
    assert {currency: invoice["total"] for currency, invoice in shown.items()} == {"USD": "5.00", "EUR": "120.00"}
    assert [(line["plan"], line["quantity"], line["unitPrice"]) for line in shown["EUR"]["lines"]] == [
        ("euro", "6", "600")
    ]
    assert await count(house, "billing_subscriptions") == 3


async def test_who_is_suspended_pays_on_and_who_is_being_deleted_does_not(house: House) -> None:
    await define(house)
    desk = house.host.service(Organisations)
    suspended, leaving = await found(house, "Ada", "gold"), await found(house, "Bob", "gold")
    await look(house)
    house.clock.turn(86_400)
    async with house.store.write() as tx:
        await desk.set_status(tx, suspended, "suspended", "unpaid")  # type: ignore[attr-defined]
        await desk.set_status(tx, leaving, "deleting", None)  # type: ignore[attr-defined]
    await look(house)
    turn_to(house, CLOSING)

    await house.host.service(InvoiceDesk).close_due()

    assert [invoice["total"] for invoice in await invoices_of(house, suspended)] == ["11.00"]
    assert [invoice["total"] for invoice in await invoices_of(house, leaving)] == ["2.00"]


async def test_two_processes_keep_one_history(house: House) -> None:
    await define(house)
    tenant = await found(house, "Ada", "gold")
    keepers = [PeriodKeeper(house.host) for _ in range(4)]
    await asyncio.gather(*(keeper.look() for keeper in keepers))
    house.clock.turn(60)
    await put_on(house, tenant, "pro")

    await asyncio.gather(*(keeper.look() for keeper in keepers))

    assert await count(house, "billing_subscriptions") == 2


async def test_free_tenants_get_no_invoice(house: House) -> None:
    tenant = await found(house, "Ada")
    await look(house)
    await use(house, tenant, 90_000, NOON)
    turn_to(house, CLOSING)

    await house.host.service(InvoiceDesk).close_due()

    assert await invoices_of(house, tenant) == []
    assert await count(house, "billing_counters") == 0


async def test_the_operator_runs_a_month_that_is_over(house: House) -> None:
    await define(house)
    tenant = await found(house, "Ada", "gold")
    await look(house)
    early = (await data(house, OPERATOR, RUN, month="2026-11"))["invoiceRun"]
    wrong = (await data(house, OPERATOR, RUN, month="November"))["invoiceRun"]
    turn_to(house, CLOSING)

    first = (await data(house, OPERATOR, RUN, month="2026-11"))["invoiceRun"]
    again = (await data(house, OPERATOR, RUN, month="2026-11"))["invoiceRun"]

    assert [error["code"] for error in early["userErrors"] + wrong["userErrors"]] == ["MONTH_NOT_OVER", "MONTH_INVALID"]
    assert early["userErrors"][0]["message"].startswith("2026-11 can be invoiced from 2026-12-01 01:00 UTC on")
    assert (first["issued"], first["standing"], again["issued"], again["standing"]) == (1, 0, 0, 1)
    assert len(await invoices_of(house, tenant)) == 1
    assert await acts(house, "invoices.run") == [("", "invoices.run")] * 2


async def test_no_tenant_sees_anothers_invoice(house: House) -> None:
    tenant = await invoiced(house)
    other = await found(house, "Bob")
    (invoice,) = await invoices_of(house, tenant)
    one = "query One($id: ID!) { invoice(id: $id) { number } invoiceCsv(id: $id) }"

    own = await data(house, member(tenant), one, id=invoice["id"])
    foreign = await data(house, member(other), one, id=invoice["id"])
    nothing = await data(house, member(other), one, id="invoice_00000000000000000000")

    assert own["invoice"] == {"number": "MG-2026-11-000001"}
    assert own["invoiceCsv"].splitlines()[1].startswith("MG-2026-11-000001,2026-11,OPEN,BASE,")
    assert foreign == nothing == {"invoice": None, "invoiceCsv": None}
    assert await invoices_of(house, other) == []


async def test_invoices_need_their_scopes(house: House) -> None:
    for caller, document, scope in (
        (member("ten_a", Role.TRADER), "{ invoices { nodes { id } } }", "billing:read"),
        (member("ten_a", Role.TRADER), '{ invoice(id: "x") { id } }', "billing:read"),
        (member("ten_a", Role.TRADER), '{ invoiceCsv(id: "x") }', "billing:read"),
        (member("ten_a"), "{ operatorInvoices { nodes { id } } }", "operator:read"),
        (OPERATOR, "{ invoices { nodes { id } } }", "billing:read"),
        (member("ten_a"), 'mutation { invoiceRun(input: {month: "2026-10"}) { issued } }', "operator:write"),
        (AUDITOR, 'mutation { invoiceSettle(input: {id: "x", outcome: VOID}) { invoice { id } } }', "operator:write"),
        (
            member("ten_a", Role.ADMIN),
            'mutation { paymentSetup(input: {email: "a@b.cd"}) { customer } }',
            "billing:write",
        ),
    ):
        body = await ask(house, caller, document)

        assert [error["extensions"].get("missingScope") for error in body["errors"]] == [scope]


async def test_pages_go_on_where_they_ended(house: House) -> None:
    desk = house.host.service(InvoiceDesk)
    await define(house)
    tenant, other = await found(house, "Ada", "gold"), await found(house, "Bob", "gold")
    await look(house)
    turn_to(house, datetime(2027, 2, 1, 1, tzinfo=UTC))
    await desk.close_due()
    seen, after = [], None
    for _ in range(3):
        page = (await data(house, member(tenant), INVOICES, first=1, after=after))["invoices"]
        seen.append((page["nodes"][0]["month"], page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]))
        after = page["pageInfo"]["endCursor"]
    everybody = (
        "query($m: String, $o: ID) { operatorInvoices(month: $m, organisationId: $o) { nodes { organisationId } } }"
    )

    december = (await data(house, AUDITOR, everybody, m="2026-12"))["operatorInvoices"]["nodes"]
    of_one = (await data(house, AUDITOR, everybody, o=tenant))["operatorInvoices"]["nodes"]
    broken = await ask(house, member(tenant), INVOICES, first=1, after="bm90aGluZw")
    no_month = await ask(house, AUDITOR, everybody, m="xx")

    assert seen == [("2027-01", True, False), ("2026-12", True, True), ("2026-11", False, True)]
    assert {invoice["organisationId"] for invoice in december} == {tenant, other}
    assert [invoice["organisationId"] for invoice in of_one] == [tenant] * 3
    assert broken["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert no_month["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "'xx' is no month: write it as 2026-11" in no_month["errors"][0]["message"]


async def test_an_invoice_is_settled_once(house: House) -> None:
    tenant = await invoiced(house)
    (invoice,) = await invoices_of(house, tenant)

    paid = (await data(house, OPERATOR, SETTLE, id=invoice["id"], outcome="PAID"))["invoiceSettle"]
    void = (await data(house, OPERATOR, SETTLE, id=invoice["id"], outcome="VOID"))["invoiceSettle"]
    nothing = (await data(house, OPERATOR, SETTLE, id="x", outcome="VOID"))["invoiceSettle"]

    assert paid["invoice"] == {
        "id": invoice["id"], "status": "PAID", "paidAt": "2026-12-01T01:00:00Z", "voidedAt": None,
    }  # fmt: skip
    assert [e["code"] for e in void["userErrors"] + nothing["userErrors"]] == ["ALREADY_SETTLED", "NOT_FOUND"]
    assert [each["status"] for each in await invoices_of(house, tenant)] == ["PAID"]
    assert await acts(house, "invoice.settled") == [(tenant, "invoice.settled")]


async def test_an_erased_tenant_leaves_its_last_invoice_and_nothing_else(house: House) -> None:
    assert plugin.erase is not None
    assert plugin.export is not None
    await define(house)
    tenant, other = await found(house, "Ada", "gold"), await found(house, "Bob", "gold")
    await look(house)
    await use(house, tenant, 3500, NOON)
    await use(house, other, 1, NOON)
    house.clock.turn(86_400)

    async with house.store.write() as tx:
        before = await plugin.export(house.host, tx, tenant)
        await plugin.erase(house.host, tx, tenant)
    async with house.store.read() as tx:
        after = await plugin.export(house.host, tx, tenant)
        others = await plugin.export(house.host, tx, other)
    turn_to(house, CLOSING)
    await house.host.service(InvoiceDesk).close_due()

    assert [(row["field"], row["points"]) for row in before["usageByField"]] == [("", 3500), ("quote", 3500)]
    assert {name: len(rows) for name, rows in after.items()} == {
        "usageByField": 0, "usageByProvider": 0, "quotaNotices": 0, "planPeriods": 0, "invoices": 1, "invoiceLines": 2,
        "customer": 0,
    }  # fmt: skip
    # Two of thirty days; 3,500 points less 67 included ones, at 0.50 a thousand.
    assert sum(Decimal(line["amount"]) for line in after["invoiceLines"]) == Decimal("2.00") + Decimal("1.72")
    assert after["invoices"][0]["total"] == "3.72"
    assert len(others["usageByField"]) == 2
    assert len(await invoices_of(house, tenant)) == 1


async def test_a_table_of_an_invoice_adds_up(house: House) -> None:
    tenant = await invoiced(house)
    (invoice,) = await invoices_of(house, tenant)

    table = (await data(house, member(tenant), "query($id: ID!) { invoiceCsv(id: $id) }", id=invoice["id"]))[
        "invoiceCsv"
    ]

    assert table == (
        "number,month,status,kind,description,plan,firstDay,endDay,quantity,per,unitPrice,amount,currency\r\n"
        'MG-2026-11-000001,2026-11,OPEN,BASE,"Plan gold, 11 of 30 days",gold,2026-11-20,2026-12-01,11,30,30.00,'
        "11.00,USD\r\n"
        'MG-2026-11-000001,2026-11,OPEN,METERED,"Points beyond 367 included, of 3500",gold,2026-11-20,2026-12-01,'
        "3133,1000,0.50,1.57,USD\r\n"
        "MG-2026-11-000001,2026-11,OPEN,TOTAL,,,,,,,,12.57,USD\r\n"
    )


async def test_who_came_just_before_all_processes_stopped_is_billed(house: House) -> None:
    await define(house)
    tenant = await found(house, "Ada", "gold")
    turn_to(house, CLOSING)

    await house.host.service(InvoiceDesk).close(NOVEMBER)

    assert [invoice["total"] for invoice in await invoices_of(house, tenant)] == ["11.00"]
