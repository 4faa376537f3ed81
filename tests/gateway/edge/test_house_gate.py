"""The gate over the real accounts and the real meter, on both databases and over a real Redis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from gateway.core.identity import OperatorRole
from gateway.core.ports import Usage
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.billing.usage.meter import Meter
from schema.scopes import Scope
from schema.words.usage import UsageBy
from tests.house import House, open_house
from tests.plugins.accounts.sessions.people import settle, sign_in

QUOTE = '{ quote(symbol: "BTC/USD") { price } }'


async def organisation(house: House, plan: str = "free") -> str:
    async with house.store.write() as tx:
        return await house.host.service(OrganisationDesk).create(tx, "Acme", None, plan=plan)


async def key_of(house: House, tenant: str, scopes: Sequence[Scope] = (Scope.MARKET_READ,)) -> tuple[str, str]:
    async with house.store.write() as tx:
        row, text = await house.host.service(KeyDesk).create(tx, tenant, name="k", scopes=scopes, created_by="usr_x")
    return row.id, text


async def test_an_anonymous_caller_gets_the_public_fields_and_nothing_else(house: House):
    quote = await house.ask(QUOTE)
    keys = await house.ask("{ apiKeys(first: 1) { nodes { id } } }")

    assert quote["data"]["quote"]["price"]
    assert quote["extensions"]["cost"]["requested"] == 1
    assert house.results[0].headers["RateLimit-Policy"] == '"points";q=120;w=60'
    assert keys["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_where_anonymous_callers_are_not_wanted_they_are_asked_to_sign_in(sqlite_url, tmp_path):
    async with open_house(sqlite_url, tmp_path, anonymous=False) as house:
        answer = await house.ask(QUOTE)

    assert "data" not in answer
    told = "Sign in, or send an API key: without one this gateway reads no such document."
    assert answer["errors"][0]["message"] == told


async def test_a_key_without_the_scope_is_told_which_one_is_missing(house: House):
    _, text = await key_of(house, await organisation(house))

    answer = await house.ask("{ apiKeys(first: 1) { nodes { id } } }", key=text)

    error = answer["errors"][0]["extensions"]
    assert (error["code"], error["missingScope"], error["field"]) == ("FORBIDDEN", "keys:read", "apiKeys")


async def test_a_tenants_points_are_those_of_its_plan_and_shared_by_its_keys(house: House):
    tenant = await organisation(house)
    (_, one), (_, two) = await key_of(house, tenant), await key_of(house, tenant)

    first = await house.ask(QUOTE, key=one)
    second = await house.ask(QUOTE, key=two)

    found = [answer["extensions"]["cost"]["remaining"] for answer in (first, second)]
    assert found[0] - found[1] == 1


async def test_spent_points_keep_nobody_from_ending_a_key_or_other_sessions(house: House):
    ada = await settle(house)
    async with house.store.write() as tx:
        await house.host.service(OrganisationDesk).set_plan(tx, ada.tenant, "free")
    key_id, text = await key_of(house, ada.tenant)
    token = (await sign_in(house, ada)).access_token
    await sign_in(house, ada)
    while "errors" not in (spent := await house.ask(QUOTE, key=text)):
        pass

    revoke = "mutation($id: ID!) { r: apiKeyRevoke(input: {id: $id}) { userErrors { code } } }"
    revoked = await house.ask(revoke, {"id": key_id}, token=token)
    others = await house.ask("mutation { r: sessionsRevokeOthers { revoked userErrors { code } } }", token=token)

    assert spent["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert revoked["data"] == {"r": {"userErrors": []}}
    assert others["data"] == {"r": {"revoked": 1, "userErrors": []}}
    assert (await house.ask(QUOTE, key=text))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_usage_tells_calls_and_hits_by_field_key_and_provider(house: House):
    tenant = await organisation(house)
    key_id, text = await key_of(house, tenant)
    for _ in range(3):
        await house.ask(QUOTE, key=text)
    await house.host.service(Meter).flush()
    now = house.clock.now()
    usage = house.host.service(Usage)

    found = {
        by: [
            (line.key, line.operations, line.points, line.upstream_calls, round(line.cache_hit_ratio, 3))
            for line in await usage.lines(tenant, now, now + timedelta(hours=1), by)
        ]
        for by in (UsageBy.FIELD, UsageBy.API_KEY)
    }
    providers = await usage.lines(tenant, now, now + timedelta(hours=1), UsageBy.PROVIDER)

    assert found[UsageBy.FIELD] == [("quote", 3, 3, 1, 0.667)]
    assert found[UsageBy.API_KEY] == [(key_id, 3, 3, 1, 0.667)]
    assert [(line.key, line.upstream_calls) for line in providers] == [("sandbox", 1)]


async def test_a_token_may_not_spend_more_than_it_was_given(house: House):
    tenant = await organisation(house)
    key_id, _ = await key_of(house, tenant)
    async with house.store.write() as tx:
        _, text = await house.host.service(KeyDesk).mint(
            tx, tenant, parent=key_id, scopes=[Scope.MARKET_READ], max_points=2,
            expires_at=house.clock.now() + timedelta(minutes=10),
        )  # fmt: skip

    answers = [await house.ask(QUOTE, token=text) for _ in range(3)]

    assert [answer.get("data") is not None for answer in answers] == [True, True, False]
    assert answers[2]["errors"][0]["extensions"]["limit"] == "maxPoints"
    assert house.results[2].status == 429


async def test_an_operator_has_no_tenant_and_no_usage(house: House):
    async with house.store.write() as tx:
        _, text = await house.host.service(KeyDesk).create_operator(
            tx, name="ops", role=OperatorRole.OPERATOR, networks=("127.0.0.0/8",)
        )

    answer = await house.ask(QUOTE, key=text)

    assert answer["data"]["quote"]["price"]
    assert not house.host.service(Meter)._counting


async def test_processes_share_their_limits_over_redis(database, redis_url, tmp_path):
    async with (
        open_house(database, tmp_path, redis_url=redis_url, anonymous_points=3) as one,
        open_house(database, tmp_path, redis_url=redis_url, anonymous_points=3) as two,
    ):
        answers = [await house.ask(QUOTE) for house in (one, two, one, two)]

    assert [answer.get("data") is not None for answer in answers] == [True, True, True, False]
    assert answers[3]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
