"""Who the caller is, and what it may see of its organisation."""

from __future__ import annotations

from gateway.core.identity import ROLE_SCOPES, Role
from plugins.accounts.sessions.desk import SessionDesk
from tests.house import House
from tests.plugins.accounts.organisations.company import MEMBERS, VIEWER, Company
from tests.plugins.accounts.sessions.people import Person, sign_in

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"


async def test_nobody_is_null(house: House):
    answer = await house.ask(VIEWER)

    assert answer["data"] == {"viewer": None}


async def test_an_owner_sees_the_organisation_the_role_and_the_scopes(company: Company):
    viewer = await company.see("ada")

    ada = company.people["ada"]
    named = {"id": company.tenant, "name": "Analytical Engines", "role": "OWNER", "status": "ACTIVE"}
    assert viewer["user"] == {"id": ada.id, "email": "ada@example.com", "emailVerified": True, "totpEnabled": False}
    assert viewer["tenant"] == {**named, "plan": "free", "eraseAt": None}
    assert viewer["organisations"] == [named]
    assert viewer["role"] == "OWNER"
    assert viewer["scopes"] == sorted(ROLE_SCOPES[Role.OWNER])


async def test_a_person_without_an_organisation_has_no_tenant(company: Company):
    await company.guest("bob")

    viewer = await company.see("bob")

    assert viewer["user"]["email"] == "bob@example.com"
    assert (viewer["tenant"], viewer["role"], viewer["organisations"]) == (None, None, [])


async def test_members_come_in_pages_in_the_order_of_joining(company: Company):
    for name in ("bob", "cleo"):
        company.house.clock.turn(1)
        await company.hire(name, Role.VIEWER)

    first = (await company.see("cleo", MEMBERS, first=2))["tenant"]["members"]
    rest = (await company.see("cleo", MEMBERS, first=2, after=first["pageInfo"]["endCursor"]))["tenant"]["members"]

    assert [member["email"] for member in first["nodes"]] == ["ada@example.com", "bob@example.com"]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert [(member["email"], member["role"]) for member in rest["nodes"]] == [("cleo@example.com", "VIEWER")]
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)


async def test_the_cursor_of_another_list_is_refused(company: Company):
    answer = await company.house.ask(MEMBERS, {"after": "d2F0Y2hsaXN0OjA"}, token=company.tokens["ada"])

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_limits_and_usage_stand_below_the_tenant(company: Company):
    viewer = await company.see("ada", "{ viewer { tenant { limits { name limit remaining } } } }")
    usage = '{ viewer { tenant { usage(start: "2026-11-20", end: "2026-11-21") { key operations } } } }'

    names = {limit["name"] for limit in viewer["tenant"]["limits"]}
    assert {"pointsPerMinute", "concurrency"} <= names
    assert isinstance((await company.see("ada", usage))["tenant"]["usage"], list)


async def test_a_viewer_may_not_read_usage(company: Company):
    await company.hire("bob", Role.VIEWER)
    usage = '{ viewer { tenant { usage(start: "2026-11-20", end: "2026-11-21") { key } } } }'

    answer = await company.house.ask(usage, token=company.tokens["bob"])

    assert answer["errors"][0]["extensions"]["missingScope"] == "usage:read"


async def test_a_span_of_usage_that_ends_before_it_begins_is_refused(company: Company):
    usage = '{ viewer { tenant { usage(start: "2026-11-21", end: "2026-11-20") { key } } } }'

    answer = await company.house.ask(usage, token=company.tokens["ada"])

    assert answer["errors"][0]["message"].endswith("must be after `start`")


async def test_a_node_is_the_callers_own_or_nothing(company: Company):
    eve = await company.guest("eve", "Eve and Sons")
    ada = company.people["ada"]

    seen = {}
    for name, id in {"own": company.tenant, "self": ada.id, "other": eve.tenant, "stranger": eve.id}.items():
        answer = await company.house.ask(NODE, {"id": id}, token=company.tokens["ada"])
        seen[name] = answer["data"]["node"]
    unknown = await company.house.ask(NODE, {"id": "ten_" + "0" * 20}, token=company.tokens["ada"])

    assert seen == {
        "own": {"__typename": "Tenant", "id": company.tenant},
        "self": {"__typename": "User", "id": ada.id},
        "other": None,
        "stranger": None,
    }
    assert unknown["data"]["node"] is None


async def test_a_session_says_where_it_acts(company: Company):
    eve = await company.guest("eve", "Eve and Sons")
    async with company.house.store.write() as tx:
        desk = company.house.host.service(SessionDesk)
        other = await desk.open(
            tx, eve.id, None, presented=company.house.context().presented, user_agent=None, cookie=False
        )
    company.tokens["elsewhere"] = other.access_token

    assert (await company.see("eve"))["tenant"]["name"] == "Eve and Sons"
    assert (await company.see("elsewhere"))["tenant"] is None
    assert (await sign_in(company.house, Person(eve.id, eve.tenant))).session_id != other.session_id
