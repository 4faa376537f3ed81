"""The gate at once: the same answer as by waiting, and nothing taken where it has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.identity import LOCAL
from gateway.edge.execute import ANY_OPERATION, OperationRequest, PreparedOperation, RequestFacts
from tests.gateway.edge.shop import CALLERS, MEMBER, Accounts, Shop, open_shop, points


@pytest.fixture
def shop(tmp_path) -> Shop:
    return open_shop(tmp_path, Accounts(callers=dict(CALLERS)), anonymous_points=20)


def prepared(shop: Shop, document: str) -> PreparedOperation:
    return shop.executor.prepare(OperationRequest(query=document), ANY_OPERATION)


def facts(**headers: str) -> RequestFacts:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestFacts(request_id="r", transport="http", client_ip="192.0.2.1", headers=sent)


async def test_an_operation_is_admitted_at_once_as_it_is_by_waiting(shop):
    gate, asked = shop.executor.gate, prepared(shop, "{ dear }")

    at_once = gate.admit_now(asked, MEMBER, facts())
    waited = await gate.admit(asked, CALLERS["other"], facts())

    assert at_once is not None
    assert at_once.told is not None
    assert at_once.told == waited.told
    assert tuple(at_once.told[:3]) == (50, 100, 50)
    assert (at_once.extensions, at_once.headers) == (waited.extensions, waited.headers)
    assert await points(shop) == 50


SPENT = replace(MEMBER, limits=replace(MEMBER.limits, points_per_month=0))
REFUSED = {
    "a missing scope": ("{ keys }", MEMBER, {}),
    "a missing CSRF header": ("mutation { change }", CALLERS["browser"], {}),
    "more than the minute": ("{ a: dear b: dear c: dear }", MEMBER, {}),
    "more than the month": ("{ plain }", SPENT, {}),
    "a price alone": ("{ plain }", MEMBER, {"marketgate_cost": "only"}),
    "a token with a purse": ("{ plain }", CALLERS["token"], {}),
    "a field with a limit of its own": ("{ login }", MEMBER, {}),
    "a suspended organisation": ("{ plain }", replace(MEMBER, suspended="Closed."), {}),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
async def test_what_must_be_waited_for_or_refused_takes_nothing(what, shop):
    document, caller, headers = REFUSED[what]
    asked = prepared(shop, document)

    found = [shop.executor.gate.admit_now(asked, caller, facts(**headers)) for _ in range(5)]

    assert found == [None] * 5
    assert (await points(shop), shop.gateway.allowances._under_way) == (100, {})
    assert (shop.doings.done, shop.accounts.spent, shop.accounts.paid) == ([], [], [])


async def test_a_place_is_taken_at_once_and_given_back(shop):
    gate, asked = shop.executor.gate, prepared(shop, "{ plain }")
    running = [gate.admit_now(asked, MEMBER, facts()) for _ in range(3)]

    assert [admission is not None for admission in running] == [True, True, False]
    assert running[0] is not None
    running[0].release(None, False)
    assert gate.admit_now(asked, MEMBER, facts()) is not None
    assert await points(shop) == 97


async def test_the_month_is_waited_for_where_it_is_not_known(shop):
    shop.accounts.at_once = False

    assert shop.executor.gate.admit_now(prepared(shop, "{ plain }"), CALLERS["quota"], facts()) is None
    assert (await shop.ask("{ plain }", "quota")).errors is None


async def test_a_credential_that_is_not_in_memory_is_looked_up(shop):
    shop.accounts.at_once = False

    assert shop.executor.gate.recognise(facts(x_api_key="member")) is None
    assert (await shop.ask("{ plain }", "member")).data == {"plain": "plain"}


async def test_a_credential_that_was_shown_before_is_looked_at_anew_each_time(shop):
    shown = facts(x_api_key="member")
    assert shop.executor.gate.recognise(shown) == MEMBER

    shop.accounts.callers["member"] = CALLERS["other"]

    assert shop.executor.gate.recognise(shown) == CALLERS["other"]


async def test_the_same_operation_with_other_variables_has_a_price_of_its_own(shop):
    document = "query($all: Boolean!) { plain dear @include(if: $all) }"
    costs = []

    for all_of_it in (True, False, True):
        asked = shop.executor.prepare(OperationRequest(query=document, variables={"all": all_of_it}), ANY_OPERATION)
        for _ in range(2):
            costs.append(shop.executor.gate._allowed(asked, MEMBER, facts()).cost)

    assert costs == [51, 51, 1, 1, 51, 51]


def test_the_local_caller_is_admitted_without_numbers(shop):
    admission = shop.executor.gate.admit_now(prepared(shop, "{ dear }"), LOCAL, facts())

    assert admission is not None
    assert (admission.told, admission.extensions, admission.headers) == (None, {}, {})
