"""The audit trail on both databases: written with the act, sealed, verified, shown, let go."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from gateway.core.identity import OperatorRole
from gateway.core.ports import Act, Audit
from plugins.accounts.audit.desk import AuditDesk, Finding
from plugins.accounts.audit.plain import LooksSecret
from plugins.accounts.audit.rows import SegmentRow
from plugins.accounts.audit.sealer import SEGMENTS, Sealer
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.tables import audit, audit_segments
from tests.gateway.doubles import NOON, ROOT_SECRET
from tests.house import House, open_house

TRAIL = """
query Trail($first: Int, $after: Cursor, $action: String, $actor: String, $since: DateTime, $until: DateTime) {
  auditTrail(first: $first, after: $after, action: $action, actor: $actor, since: $since, until: $until) {
    nodes { id at action actor actorKind target before after clientIp sequence sealed }
    edges { cursor }
    pageInfo { hasNextPage endCursor }
  }
}
"""
EXPORT = "query($since: DateTime!, $until: DateTime!) { auditExport(since: $since, until: $until) }"
WHOLE_DAY = {"since": "2026-11-20T00:00:00Z", "until": "2026-11-21T00:00:00Z"}


def act(tenant: str, number: int = 0, **changed: Any) -> Act:
    plain = Act(
        tenant=tenant, action="apikey.created", actor="usr_1", actor_kind="user", target=f"key_{number}",
        after={"name": f"Key {number}", "scopes": ["market:read"]}, client_ip="192.0.2.1", request_id="req_1",
    )  # fmt: skip
    return replace(plain, **changed)


async def record(house: House, *acts: Act) -> None:
    async with house.store.write() as tx:
        for each in acts:
            await house.host.service(Audit).record(tx, each)


async def seal(house: House) -> None:
    await house.host.service(Sealer).seal()


async def verify(house: House, tenant: str) -> Finding:
    (found,) = await house.host.service(AuditDesk).verify(tenant)
    return found


async def lines(house: House, tenant: str) -> list[tuple[int | None, str]]:
    async with house.store.read() as tx:
        rows = await tx.connection.execute(
            select(audit.c.sequence, audit.c.target).where(audit.c.tenant_id == tenant).order_by(audit.c.sequence)
        )
        return [(row[0], row[1]) for row in rows]


async def sealed_by(house: House, tenant: str, count: int) -> None:
    await record(house, *(act(tenant, number) for number in range(count)))
    await seal(house)


async def do(house: House, *statements: Any) -> None:
    """What somebody with the database's password may do."""
    async with house.store.write() as tx:
        for statement in statements:
            await tx.run(statement)


async def key_of(house: House, name: str, *scopes: str) -> tuple[str, str]:
    """A tenant and the text of one of its keys."""
    async with house.store.write() as tx:
        tenant = await house.host.service(OrganisationDesk).create(tx, name, None, plan="unlimited")
        _, secret = await house.host.service(KeyDesk).create(
            tx, tenant, name="reader", scopes=list(scopes), created_by="usr_1"
        )
    return tenant, secret


async def test_a_line_that_looks_secret_undoes_the_act_in_development(house: House):
    with pytest.raises(LooksSecret, match="'password' looks like a secret"):
        await record(house, act("ten_a", after={"password": "correct horse"}))

    assert await lines(house, "ten_a") == []


async def test_a_line_that_looks_secret_is_masked_in_production(database: str, tmp_path: Path):
    async with open_house(database, tmp_path, env="production", upstreams="recorded") as house:
        await record(house, act("ten_a", after={"password": "correct horse", "name": "n"}))

        async with house.store.read() as tx:
            assert await tx.values(select(audit.c.after)) == [{"password": "***", "name": "n"}]


async def test_lines_wait_for_the_sealer_and_are_told_apart(house: House):
    await record(house, act("ten_a"))
    house.clock.turn(3)
    await record(house, act("ten_a", 1))

    before = await verify(house, "ten_a")
    await seal(house)

    assert (before.problems, before.lines, before.unsealed, before.oldest_unsealed) == ([], 0, 2, NOON)
    assert await verify(house, "ten_a") == replace(before, lines=2, unsealed=0, oldest_unsealed=None)
    assert await lines(house, "ten_a") == [(1, "key_0"), (2, "key_1")]


async def test_each_tenant_has_a_chain_of_its_own(house: House):
    await record(house, act("ten_a"), act("ten_b"), act("", 7))
    house.clock.turn(1)
    await record(house, act("ten_a", 1))
    await seal(house)

    assert [await lines(house, tenant) for tenant in ("ten_a", "ten_b", "")] == [
        [(1, "key_0"), (2, "key_1")], [(1, "key_0")], [(1, "key_7")],
    ]  # fmt: skip
    assert [found.problems for found in await house.host.service(AuditDesk).verify()] == [[], [], []]


async def test_a_line_that_was_committed_late_is_sealed_behind_those_that_were_seen_before(house: House):
    await sealed_by(house, "ten_a", 1)
    late = audit.insert().values(
        tenant_id="ten_a", id="audit_late", at=NOON - timedelta(minutes=1), action="a.b", actor="u", actor_kind="user",
        target="late",
    )  # fmt: skip
    await do(house, late)
    await seal(house)

    assert await lines(house, "ten_a") == [(1, "key_0"), (2, "late")]
    assert (await verify(house, "ten_a")).problems == []


async def test_more_lines_than_a_batch_are_sealed_at_once(house: House):
    await sealed_by(house, "ten_a", 2_001)

    found = await verify(house, "ten_a")
    async with house.store.read() as tx:
        segments = await tx.values(select(audit_segments.c.last_sequence).order_by(audit_segments.c.last_sequence))
    assert (found.lines, found.unsealed, found.problems) == (2_001, 0, [])
    assert segments == [1_000, 2_000, 2_001]


async def test_values_of_any_kind_verify_after_the_database_has_kept_them(house: House):
    odd = {"float": 0.1, "big": 10**25, "half": 1.0, "deep": {"b": [1, {"z": None, "a": "ü€"}]}, "bool": False}
    await record(house, act("ten_a", after=odd, before={}))
    await seal(house)

    assert (await verify(house, "ten_a")).problems == []


@pytest.mark.parametrize(
    ("tampering", "problem"),
    [
        (
            update(audit).where(audit.c.sequence == 2).values(actor="usr_2"),
            "line 2 ({id2}) was changed, or the line before it: its hash differs",
        ),
        (text("DELETE FROM accounts_audit WHERE sequence = 2"), "line 2 was removed"),
        (text("DELETE FROM accounts_audit WHERE sequence = 3"), "line 3 was removed"),
        (
            insert(audit).values(
                tenant_id="ten_a", id="audit_forged", at=NOON, action="a.b", actor="u", actor_kind="user", target="t",
                sequence=4, hash="0" * 64,
            ),
            "line 4 (audit_forged) was inserted: no signed segment holds it",
        ),
        (
            update(audit_segments).values(last_sequence=2),
            "the segment of lines 1 to 2 has a broken signature",
        ),
        (
            update(audit_segments).values(removed_at=datetime(2027, 1, 1, tzinfo=UTC)),
            "the segment of lines 1 to 3 has a broken signature",
        ),
    ],
    ids=["changed", "removed", "removed at the end", "inserted", "shortened", "said to be let go"],
)  # fmt: skip
async def test_whatever_is_done_behind_our_back_is_found(house: House, tampering: Any, problem: str):
    await sealed_by(house, "ten_a", 3)
    async with house.store.read() as tx:
        id2 = await tx.value(select(audit.c.id).where(audit.c.sequence == 2))

    await do(house, tampering)
    await record(house, act("ten_a", 9))
    await seal(house)

    found = await verify(house, "ten_a")
    assert problem.format(id2=id2) in found.problems
    assert found.unsealed == 0


async def test_two_sealers_at_once_number_each_line_once(database: str, tmp_path: Path):
    async with open_house(database, tmp_path) as one, open_house(database, tmp_path) as two:
        for number in range(5):
            await record(one, *(act("ten_a", number * 10 + i) for i in range(10)))
            await asyncio.gather(seal(one), seal(two), seal(one))
        await seal(two)

        assert [number for number, _ in await lines(one, "ten_a")] == list(range(1, 51))
        assert (await verify(two, "ten_a")).problems == []


async def test_old_segments_go_whole_and_their_end_stays_as_a_checkpoint(house: House):
    await sealed_by(house, "ten_a", 3)
    house.clock.turn(200 * 86_400)
    await sealed_by(house, "ten_a", 2)

    house.clock.turn(166 * 86_400)
    await house.host.service(Sealer).retain()
    kept = await lines(house, "ten_a")
    found = await verify(house, "ten_a")
    await sealed_by(house, "ten_a", 1)

    assert [number for number, _ in kept] == [4, 5]
    assert (found.problems, found.lines, found.checkpoints) == ([], 2, 1)
    assert (await verify(house, "ten_a")).problems == []


async def test_when_all_lines_are_gone_the_chain_goes_on_from_the_checkpoint(house: House):
    await sealed_by(house, "ten_a", 3)
    house.clock.turn(366 * 86_400)
    await house.host.service(Sealer).retain()
    await sealed_by(house, "ten_a", 1)

    assert await lines(house, "ten_a") == [(4, "key_0")]
    assert (await verify(house, "ten_a")).problems == []


async def test_a_segment_that_was_tampered_with_is_not_let_go(house: House):
    await sealed_by(house, "ten_a", 2)
    await do(house, update(audit_segments).values(last_hash="f" * 64))

    house.clock.turn(366 * 86_400)
    await house.host.service(Sealer).retain()

    assert [number for number, _ in await lines(house, "ten_a")] == [1, 2]
    assert (await verify(house, "ten_a")).problems != []


async def test_segments_that_were_tampered_with_keep_no_other_from_being_let_go(house: House):
    desk, old = house.host.service(AuditDesk), NOON - timedelta(days=5_000)
    plain = SegmentRow(
        tenant_id="org_z", first_sequence=1, last_sequence=1, first_hash="0" * 64, last_hash="1" * 64, opened_at=old,
        newest_at=old, removed_at=None, signature="",
    )  # fmt: skip
    forged = [replace(plain, tenant_id=f"org_a{n:02}", signature="forged") for n in range(SEGMENTS + 1)]
    async with house.store.write() as tx:
        for segment in [*forged, desk.signer().signed(plain)]:
            await desk.store.put_segment(tx, segment.tenant_id, segment)

    await house.host.service(Sealer).retain()

    async with house.store.read() as tx:
        gone = await tx.values(select(audit_segments.c.tenant_id).where(audit_segments.c.removed_at.is_not(None)))
    assert gone == ["org_z"]


async def test_after_two_changes_of_the_root_secret_old_segments_still_verify(database: str, tmp_path: Path):
    second, third = "a second root secret for tests, long enough", "a third root secret for tests, long enough"
    async with open_house(database, tmp_path) as house:
        await sealed_by(house, "ten_a", 2)
    async with open_house(database, tmp_path, secret_key=second, secret_key_previous=ROOT_SECRET) as house:
        by_previous = (await verify(house, "ten_a")).problems
        await house.host.service(Sealer).retain()
    async with open_house(database, tmp_path, secret_key=third, secret_key_previous=second) as house:
        by_next = (await verify(house, "ten_a")).problems
    async with open_house(database, tmp_path, secret_key=third) as house:
        by_stranger = (await verify(house, "ten_a")).problems

    assert (by_previous, by_next) == ([], [])
    assert by_stranger == ["the segment of lines 1 to 2 has a broken signature"]


async def test_erasing_a_tenant_leaves_nothing_of_its_trail(house: House):
    await sealed_by(house, "ten_a", 2)
    await sealed_by(house, "ten_b", 1)

    async with house.store.write() as tx:
        await house.host.service(AuditDesk).store.erase(tx, "ten_a")

    async with house.store.read() as tx:
        assert await tx.values(select(audit.c.tenant_id)) == ["ten_b"]
        assert await tx.value(select(func.count()).select_from(audit_segments)) == 1


async def test_the_trail_is_paged_newest_first_and_filtered(house: House):
    tenant, key = await key_of(house, "A", "audit:read")
    await key_of(house, "B", "audit:read")
    for number in range(3):
        house.clock.turn(60)
        await record(house, act(tenant, number), act("ten_other", number))
    await seal(house)
    await record(house, act(tenant, 3, action="apikey.revoked", actor="usr_2", before={"name": "x"}, after=None))

    async def asked(**variables: Any) -> Any:
        return (await house.ask(TRAIL, variables, key=key))["data"]["auditTrail"]

    first = await asked(first=3)
    second = await asked(first=3, after=first["pageInfo"]["endCursor"])
    revoked = await asked(action="apikey.revoked")
    by_actor = await asked(actor="usr_2")
    early = await asked(until="2026-11-20T12:02:00Z")
    late = await asked(since="2026-11-20T12:03:00Z", action="apikey.created")

    assert {node["target"] for node in first["nodes"] + second["nodes"]} == {"key_0", "key_1", "key_2", "key_3"}
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert [(n["sequence"], n["sealed"], n["before"], n["after"]) for n in revoked["nodes"]] == [
        (None, False, '{"name":"x"}', None)
    ]
    assert revoked["nodes"] == by_actor["nodes"]
    assert [node["target"] for node in early["nodes"]] == ["key_0"]
    (found,) = late["nodes"]
    assert (found["at"], found["clientIp"], found["sequence"]) == ("2026-11-20T12:03:00Z", "192.0.2.1", 3)
    assert found["after"] == '{"name":"Key 2","scopes":["market:read"]}'


async def test_an_export_has_a_line_of_json_for_each_act_with_its_hash(house: House):
    tenant, key = await key_of(house, "A", "audit:read")
    await record(house, act("ten_other"))
    await sealed_by(house, tenant, 2)

    text = (await house.ask(EXPORT, WHOLE_DAY, key=key))["data"]["auditExport"]

    found = [json.loads(line) for line in text.splitlines()]
    assert [(each["tenant"], each["sequence"], len(each["hash"])) for each in found] == [
        (tenant, 1, 64), (tenant, 2, 64)
    ]  # fmt: skip


async def test_reading_the_trail_needs_its_scope_and_an_operator_reads_any(house: House):
    tenant, weak = await key_of(house, "A", "market:read")
    await record(house, act(tenant), act("", 5))
    async with house.store.write() as tx:
        _, operator = await house.host.service(KeyDesk).create_operator(
            tx, name="op", role=OperatorRole.AUDITOR, networks=[]
        )

    refused = await house.ask(TRAIL, key=weak)
    outside = await house.ask(TRAIL, key=operator)
    document = "query($t: ID) { operatorAuditTrail(tenant: $t) { nodes { target } } }"
    by_operator = await house.ask(document, {"t": tenant}, key=operator)
    without = await house.ask(document, key=operator)
    by_tenant = await house.ask(document, {"t": tenant}, key=weak)

    assert refused["errors"][0]["extensions"]["missingScope"] == "audit:read"
    assert outside["errors"][0]["extensions"]["missingScope"] == "audit:read"
    assert by_tenant["errors"][0]["extensions"]["missingScope"] == "operator:read"
    assert by_operator["data"]["operatorAuditTrail"]["nodes"] == [{"target": "key_0"}]
    assert without["data"]["operatorAuditTrail"]["nodes"] == [{"target": "key_5"}]
