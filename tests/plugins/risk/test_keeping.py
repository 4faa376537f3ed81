"""Sets of constraints and limits through GraphQL: made, changed, refused, paged, exported, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.core.identity import Role
from plugins.risk.plugin import erase, export
from plugins.risk.tables import constraint_sets, limits
from tests.plugins.risk.watching import BTC, CREATE, DELETE, ERRORS, FOLIO, UPDATE, Watch, watch

RULES = """constraints { minWeight maxWeight bounds { symbol min max } groups { name symbols min max } minTotal maxTotal
  maxPosition short
  leverage turnover cardinality }"""
SET = f"constraintSet {{ id name {RULES} }} {ERRORS}"
MAKE = f"mutation($i: ConstraintSetCreateInput!) {{ r: constraintSetCreate(input: $i) {{ {SET} }} }}"
ALTER = f"mutation($i: ConstraintSetUpdateInput!) {{ r: constraintSetUpdate(input: $i) {{ {SET} }} }}"
DROP = f"mutation($i: ConstraintSetDeleteInput!) {{ r: constraintSetDelete(input: $i) {{ constraintSetId {ERRORS} }} }}"
SETS = "query($n: Int, $a: Cursor) { r: constraints(first: $n, after: $a) { nodes { id name } pageInfo { hasNextPage endCursor } } }"  # noqa: E501
LIMITS = "query($p: ID, $n: Int, $a: Cursor) { r: riskLimits(portfolioId: $p, first: $n, after: $a) { nodes { id } pageInfo { hasNextPage endCursor } } }"  # noqa: E501
NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
WRONG_RULES: list[tuple[dict[str, Any], list[str]]] = [
    ({"minWeight": 0.5, "maxWeight": 0.4}, ["minWeight"]),
    ({"minWeight": -0.1}, ["minWeight"]),
    ({"maxWeight": 101}, ["maxWeight"]),
    ({"minTotal": 1e9}, ["minTotal"]),
    ({"minTotal": 0.9, "maxTotal": 0.8}, ["minTotal"]),
    ({"maxPosition": 0}, ["maxPosition"]),
    ({"leverage": 0.5}, ["leverage"]),
    ({"turnover": -1}, ["turnover"]),
    ({"cardinality": 0}, ["cardinality"]),
    ({"bounds": [{"symbol": "BTC-USD"}]}, ["bounds", "0"]),
    ({"bounds": [{"symbol": "BTC-USD", "min": 0.3, "max": 0.2}]}, ["bounds", "0"]),
    ({"bounds": [{"symbol": "BTC-USD", "min": -0.3}]}, ["bounds", "0", "min"]),
    ({"bounds": [{"symbol": "BTC-USD", "max": -0.3}]}, ["bounds", "0", "max"]),
    ({"bounds": [{"symbol": "BTC-USD", "max": 1}, {"symbol": BTC, "max": 0.5}]}, ["bounds"]),
    ({"groups": [{"name": "", "symbols": ["BTC-USD"], "max": 1}]}, ["groups", "0", "name"]),
    ({"groups": [{"name": "a", "symbols": [], "max": 1}]}, ["groups", "0", "symbols"]),
    ({"groups": [{"name": "a", "symbols": ["BTC-USD"]}]}, ["groups", "0"]),
    ({"groups": [{"name": "a", "symbols": ["BTC-USD", BTC], "max": 1}]}, ["groups", "0", "symbols"]),
    ({"groups": [{"name": "a", "symbols": ["BTC-USD"], "min": 0.5, "max": 0.1}]}, ["groups", "0"]),
    ({"maxWeight": -1}, ["maxWeight"]),
    ({"minTotal": -2, "maxTotal": -1}, ["maxTotal"]),
    ({"groups": [{"name": "a", "symbols": ["BTC-USD"], "max": -1}]}, ["groups", "0", "max"]),
    ({"groups": [{"name": "a", "symbols": ["BTC-USD"], "min": 1.5}]}, ["groups", "0", "min"]),
    ({"minWeight": 0.3, "maxPosition": 0.2}, ["minWeight"]),
    ({"bounds": [{"symbol": "BTC-USD", "min": 0.3}], "maxPosition": 0.2}, ["bounds", "0"]),
    ({"bounds": [{"symbol": "BTC-USD", "max": -3}], "short": True, "leverage": 2}, ["bounds", "0"]),
    ({"groups": [{"name": "a", "symbols": ["BTC-USD", "ETH-USD"], "min": 0.5}], "maxPosition": 0.2}, ["groups", "0"]),
    ({"cardinality": 4, "maxPosition": 0.2}, ["cardinality"]),
]
WRONG_LIMITS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"portfolioId": "folio_9"}, "NOT_FOUND", ["portfolioId"]),
    ({"portfolioId": "\n"}, "NOT_FOUND", ["portfolioId"]),
    ({"threshold": "0"}, "LIMIT_INVALID", ["threshold"]),
    ({"threshold": "-1"}, "LIMIT_INVALID", ["threshold"]),
    ({"threshold": "1001"}, "LIMIT_INVALID", ["threshold"]),
    ({"kind": "DRAWDOWN", "threshold": "1"}, "LIMIT_INVALID", ["threshold"]),
    ({"kind": "CONCENTRATION", "threshold": "1"}, "LIMIT_INVALID", ["threshold"]),
    ({"hysteresisBps": 10_000}, "LIMIT_INVALID", ["hysteresisBps"]),
    ({"kind": "CLASS_EXPOSURE"}, "LIMIT_INVALID", ["assetClass"]),
    ({"assetClass": "CRYPTO"}, "LIMIT_INVALID", ["assetClass"]),
    ({"kind": "VALUE_AT_RISK", "confidence": 1.0}, "LIMIT_INVALID", ["confidence"]),
    ({"kind": "VALUE_AT_RISK", "confidence": 0.5}, "LIMIT_INVALID", ["confidence"]),
    ({"kind": "VALUE_AT_RISK", "days": 2}, "LIMIT_INVALID", ["days"]),
    ({"note": "x" * 501}, "NOTE_INVALID", ["note"]),
]  # fmt: skip
LIMIT: dict[str, Any] = {"portfolioId": FOLIO, "kind": "SINGLE_NAME", "threshold": "0.9"}


@pytest.fixture
async def w(database: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watch(database, tmp_path) as made:
        yield made


async def test_a_set_keeps_what_it_was_given_with_canonical_ids(w: Watch):
    payload = await w.company.ask(
        "ada", MAKE, name=" Careful ",
        constraints={
            "minWeight": -0.2, "maxWeight": 0.4, "short": True, "leverage": 1.5, "turnover": 0.3, "cardinality": 10,
            "bounds": [{"symbol": "BTC-USD", "max": 0.1}],
            "groups": [{"name": "Coins", "symbols": ["BTC-USD", "ETH-USD"], "min": 0.05, "max": 0.25}],
        },
    )  # fmt: skip

    made = payload["constraintSet"]
    assert payload["userErrors"] == []
    assert made == {
        "id": made["id"], "name": "Careful",
        "constraints": {
            "minWeight": -0.2, "maxWeight": 0.4, "minTotal": 1.0, "maxTotal": 1.0,
            "maxPosition": None, "short": True, "leverage": 1.5, "turnover": 0.3,
            "cardinality": 10, "bounds": [{"symbol": BTC, "min": None, "max": 0.1}],
            "groups": [{"name": "Coins", "symbols": [BTC, "crypto:ETH/USD"], "min": 0.05, "max": 0.25}],
        },
    }  # fmt: skip
    assert (await w.house.ask(NODE, {"id": made["id"]}, token=w.company.tokens["ada"]))["data"]["node"] == {
        "__typename": "ConstraintSet", "id": made["id"],
    }  # fmt: skip


async def test_constraints_that_cannot_be_are_refused_by_their_field_and_nothing_is_kept(w: Watch):
    told = []
    for given, field in WRONG_RULES:
        (error,) = (await w.company.ask("ada", MAKE, name="Careful", constraints=given))["userErrors"]
        told.append((error["code"], error["field"]) == ("CONSTRAINT_INVALID", ["input", "constraints", *field]))

    assert told == [True] * len(WRONG_RULES)
    assert await w.company.count(constraint_sets) == 0


async def test_a_symbol_that_is_none_or_several_is_refused_where_it_stands(w: Watch):
    told = [
        (await w.company.ask("ada", MAKE, name="Careful", constraints={"bounds": [{"symbol": symbol, "max": 1}]}))[
            "userErrors"
        ][0]
        for symbol in ("no such thing!", "LINK")
    ]

    assert [(each["code"], each["field"]) for each in told] == [
        ("SYMBOL_INVALID", ["input", "constraints", "bounds", "0"]),
        ("SYMBOL_AMBIGUOUS", ["input", "constraints", "bounds", "0"]),
    ]


async def test_a_set_is_changed_renamed_and_deleted_and_each_act_is_audited(w: Watch):
    first = (await w.company.ask("ada", MAKE, name="One", constraints={}))["constraintSet"]["id"]
    await w.company.ask("ada", MAKE, name="Two", constraints={})

    taken = await w.company.codes("ada", ALTER, id=first, name="Two")
    altered = await w.company.ask("ada", ALTER, id=first, name="Three", constraints={"maxWeight": 0.2})
    renamed = await w.company.ask("ada", ALTER, id=first, name="Four")
    deleted = await w.company.ask("ada", DROP, id=first)

    assert taken == ["NAME_TAKEN"]
    assert (altered["constraintSet"]["name"], altered["constraintSet"]["constraints"]["maxWeight"]) == ("Three", 0.2)
    assert renamed["constraintSet"]["constraints"]["maxWeight"] == 0.2
    assert deleted == {"constraintSetId": first, "userErrors": []}
    assert await w.company.codes("ada", DROP, id=first) == ["NOT_FOUND"]
    assert await w.company.codes("ada", ALTER, id=first, name="Five") == ["NOT_FOUND"]
    acts = [act for act in await w.company.acts() if act.startswith("constraintset")]
    assert acts == ["constraintset.created"] * 2 + ["constraintset.deleted"] + ["constraintset.updated"] * 2


async def test_the_same_key_makes_no_second_set_and_no_second_limit(w: Watch):
    given = {"name": "One", "constraints": {"maxWeight": 0.3}, "idempotencyKey": "k"}
    first, again = await w.company.ask("ada", MAKE, **given), await w.company.ask("ada", MAKE, **given)
    other = await w.company.codes("ada", MAKE, **{**given, "name": "Two"})
    limit, same = [await w.company.ask("ada", CREATE, **LIMIT, idempotencyKey="k") for _ in range(2)]
    wrong = await w.company.codes("ada", CREATE, **{**LIMIT, "threshold": "0.8"}, idempotencyKey="k")

    assert again == first
    assert same == limit
    assert (other, wrong) == (["IDEMPOTENCY_MISMATCH"], ["IDEMPOTENCY_MISMATCH"])
    assert (await w.company.count(constraint_sets), await w.company.count(limits)) == (1, 1)


async def test_a_limit_that_cannot_be_is_refused_by_its_field_and_nothing_is_kept(w: Watch):
    told = []
    for given, code, field in WRONG_LIMITS:
        (error,) = (await w.company.ask("ada", CREATE, **{**LIMIT, **given}))["userErrors"]
        told.append((error["code"], error["field"]) == (code, ["input", *field]))

    assert told == [True] * len(WRONG_LIMITS)
    assert await w.company.count(limits) == 0


async def test_what_is_changed_into_what_cannot_be_stays_as_it_was(w: Watch):
    limit = (await w.company.ask("ada", CREATE, **LIMIT))["riskLimit"]["id"]

    refused = await w.company.codes("ada", UPDATE, id=limit, threshold="-1")
    unknown = await w.company.codes("ada", UPDATE, id="limit_9", threshold="1")
    gone = await w.company.codes("ada", DELETE, id="limit_9")

    assert (refused, unknown, gone) == (["LIMIT_INVALID"], ["NOT_FOUND"], ["NOT_FOUND"])
    assert str((await w.row(limit))["threshold"]) == "0.9"


async def test_lists_are_paged_by_when_their_rows_were_made(w: Watch):
    for number in range(3):
        await w.company.ask("ada", MAKE, name=f"Set {number}", constraints={})
        await w.company.ask("ada", CREATE, **LIMIT)
        w.house.clock.turn(1)
    token = w.company.tokens["ada"]

    first = (await w.house.ask(SETS, {"n": 2}, token=token))["data"]["r"]
    rest = (await w.house.ask(SETS, {"n": 2, "a": first["pageInfo"]["endCursor"]}, token=token))["data"]["r"]
    some = (await w.house.ask(LIMITS, {"p": FOLIO, "n": 2}, token=token))["data"]["r"]
    more = (await w.house.ask(LIMITS, {"p": FOLIO, "n": 2, "a": some["pageInfo"]["endCursor"]}, token=token))["data"][
        "r"
    ]
    none = (await w.house.ask(LIMITS, {"p": "folio_2"}, token=token))["data"]["r"]

    assert [each["name"] for each in [*first["nodes"], *rest["nodes"]]] == ["Set 0", "Set 1", "Set 2"]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert (len(some["nodes"]), len(more["nodes"]), none["nodes"]) == (2, 1, [])


async def test_a_viewer_reads_and_changes_nothing(w: Watch):
    await w.company.hire("bob", Role.VIEWER)
    await w.company.ask("ada", MAKE, name="One", constraints={})

    seen = await w.house.ask(SETS, token=w.company.tokens["bob"])

    assert [each["name"] for each in seen["data"]["r"]["nodes"]] == ["One"]
    assert await w.company.refusal("bob", MAKE, name="Two", constraints={}) == "FORBIDDEN"
    assert await w.company.refusal("bob", CREATE, **LIMIT) == "FORBIDDEN"
    assert (await w.company.count(constraint_sets), await w.company.count(limits)) == (1, 0)


async def test_an_organisation_takes_its_sets_and_limits_along_and_leaves_none(w: Watch):
    await w.company.ask("ada", MAKE, name="One", constraints={"maxWeight": 0.3})
    limit = await w.limit("SINGLE_NAME", "0.3")
    host, tenant = w.house.host, w.company.tenant

    async with host.store.read() as tx:
        taken = await export(host, tx, tenant)
        nothing = await export(host, tx, "ten_other")
    async with host.store.write() as tx:
        await erase(host, tx, tenant)
    async with host.store.read() as tx:
        left = await export(host, tx, tenant)

    assert [each["name"] for each in taken["constraints"]] == ["One"]
    assert [(each["id"], each["state"]) for each in taken["limits"]] == [(limit, "BREACHED")]
    assert [(each["limit_id"], each["arm"]) for each in taken["breaches"]] == [(limit, 1)]
    assert nothing == left == {"constraints": [], "limits": [], "breaches": []}
