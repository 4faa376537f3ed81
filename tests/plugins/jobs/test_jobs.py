"""Jobs through GraphQL and at work, on both databases."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from gateway.core.identity import CallerKind, Scope
from gateway.core.ports import JobKind, JobKinds, Jobs
from gateway.core.store import new_id
from plugins.jobs.desk import KEPT, MOST_OPEN
from plugins.jobs.plugin import erase, export
from plugins.jobs.runner import Clearing
from plugins.jobs.tables import jobs
from schema.errors import BadInput, RateLimited
from schema.words.jobs import JobState, camelled
from tests.gateway.doubles import NOON
from tests.house import open_house, own_plugins
from tests.plugins.accounts.organisations.company import found
from tests.plugins.jobs.office import CANCEL, Office, Trial, plugin

LIST = """query($first: Int, $after: Cursor, $kind: String, $state: JobState) {
  jobs(first: $first, after: $after, kind: $kind, state: $state) {
    nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""


async def page(office: Office, by: str = "ada", **variables: Any) -> dict[str, Any]:
    body = await office.company.house.ask(LIST, variables, token=office.company.tokens[by])
    assert "errors" not in body, body
    shown: dict[str, Any] = body["data"]["jobs"]
    return shown


def test_a_result_names_its_keys_as_fields_are_named_and_things_as_they_are_called():
    stored = '{"max_drawdown":{"periods_per_year":1},"value_at_risk_95":2,"crypto:A_B/USD":3,"x":"a\\"b_c\\":1 d_e"}'

    assert camelled(stored) == (
        '{"maxDrawdown":{"periodsPerYear":1},"valueAtRisk95":2,"crypto:A_B/USD":3,"x":"a\\"b_c\\":1 d_e"}'
    )


# --- From its start to its end


async def test_a_job_waits_is_worked_on_and_keeps_its_result_for_a_week(office: Office):
    job = await office.start(values=[1, 2, 4])
    waiting = await office.job(job.id)
    await office.work()
    ended = await office.job(job.id)

    same = {"id": job.id, "kind": "trial.add", "startedBy": "usr_ada", "words": None, "error": None}
    assert waiting == {
        **same, "state": "QUEUED", "progress": 0.0, "resultJson": None, "startedAt": None, "endedAt": None,
        "expiresAt": None,
    }  # fmt: skip
    assert ended == {
        **same, "state": "SUCCEEDED", "progress": 1.0, "resultJson": '{"value":7,"warnings":[]}',
        "startedAt": "2026-11-20T12:00:00Z", "endedAt": "2026-11-20T12:00:00Z", "expiresAt": "2026-11-27T12:00:00Z",
    }  # fmt: skip
    assert await office.company.acts() == ["job.started"]


async def test_it_runs_on_the_account_of_who_began_it_and_may_only_read(office: Office):
    await office.start()
    await office.work()

    (context,) = office.trial.contexts
    caller = context.principal
    assert (caller.tenant, caller.user, caller.kind) == (office.company.tenant, "usr_ada", CallerKind.USER)
    assert {scope.value for scope in caller.scopes} == {
        "market:read", "stream:read", "portfolio:read", "watchlists:read",
    }  # fmt: skip
    assert caller.limits.plan == "unlimited"


async def test_it_may_do_no_more_than_who_began_it(office: Office):
    await office.start(scopes=frozenset({Scope.PORTFOLIO_READ, Scope.PORTFOLIO_WRITE}))
    await office.work()

    (context,) = office.trial.contexts
    assert context.principal.scopes == {Scope.PORTFOLIO_READ}


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [
        ("refuse", "NOT_COMPUTABLE", "2 observations are needed, there is 1."),
        ("break", "INTERNAL", "It has failed for a fault of the gateway: the log has more."),
        ("lie", "INTERNAL", "It has failed for a fault of the gateway: the log has more."),
        (
            "flood",
            "COMPUTING_FAILED",
            "The result has 5242909 bytes, more than the 4194304 that are kept: ask for less.",
        ),
    ],
)
async def test_a_job_that_fails_says_why(office: Office, kind: str, code: str, message: str):
    job = await office.start(kind)
    await office.work()
    ended = await office.job(job.id)

    assert ended is not None
    assert (ended["state"], ended["error"]) == ("FAILED", {"code": code, "message": message})
    assert (ended["resultJson"], ended["expiresAt"]) == (None, "2026-11-27T12:00:00Z")


async def test_its_stream_begins_at_once_shows_the_progress_and_ends_with_it(office: Office):
    office.trial.tells = [(0.25, "reading"), (0.1, "never back"), (7.0, "adding")]
    job = await office.start("wait")

    async with asyncio.timeout(20), aclosing(office.stream(job.id)) as states:
        seen = [await anext(states)]
        await office.runner.turn()
        async for state in states:
            seen.append(state)
            if state["data"]["job"]["progress"] == 1.0:
                office.trial.gate.set()
        await office.done()

    told = [(each["data"]["job"]["state"], each["data"]["job"]["progress"]) for each in seen]
    assert told[0] == ("QUEUED", 0.0)
    assert ("RUNNING", 1.0) in told
    assert told[-1] == ("SUCCEEDED", 1.0)
    assert {each["data"]["job"]["words"] for each in seen} == {None, "adding"}


async def test_the_stream_of_a_job_that_is_not_there_ends_with_an_error(office: Office):
    async with aclosing(office.stream(new_id("job"))) as states:
        (only,) = [each async for each in states]

    assert only["errors"][0]["message"] == "id: there is no such job: `jobs { nodes { id } }` lists them"


async def test_a_worker_works_without_being_asked(office: Office):
    working = asyncio.create_task(office.runner.run())
    job = await office.start()

    async with asyncio.timeout(20), aclosing(office.stream(job.id)) as states:
        last = [each["data"]["job"]["state"] async for each in states][-1]
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert last == "SUCCEEDED"


# --- Ending one


async def test_a_job_that_waits_is_never_begun_once_it_is_canceled(office: Office):
    job = await office.start()
    payload = await office.company.ask("ada", CANCEL, id=job.id)
    await office.work()

    assert payload == {"job": {"id": job.id, "state": "CANCELED"}, "userErrors": []}
    assert office.trial.ran == []
    assert (await office.row(job.id)).expires_at == NOON + KEPT
    assert await office.company.acts() == ["job.canceled", "job.started"]


async def test_a_job_that_runs_is_stopped_at_once_when_it_is_canceled(office: Office):
    job = await office.start("wait")
    await office.runner.turn()
    await office.trial.begun.wait()
    await office.company.ask("ada", CANCEL, id=job.id)
    await office.done()

    assert office.trial.stopped == 1
    assert (await office.row(job.id)).state == JobState.CANCELED


async def test_what_has_ended_or_is_not_there_is_refused(office: Office):
    job = await office.start()
    await office.work()
    eve = await office.company.guest("eve", "Eve and Sons")
    ended = await office.company.ask("ada", CANCEL, id=job.id)

    assert ended["userErrors"] == [
        {"code": "ENDED", "field": ["input", "id"], "message": "The job has ended already: it is SUCCEEDED."}
    ]
    for by, id in (("ada", new_id("job")), ("ada", "no id"), ("eve", job.id)):
        assert await office.company.codes(by, CANCEL, id=id) == ["NOT_FOUND"]
    assert await office.company.refusal("bob", CANCEL, id=job.id) == "FORBIDDEN"
    assert eve.tenant != office.company.tenant


# --- Whose turn it is, how many there may be


async def test_a_tenant_with_many_jobs_lets_others_have_their_turn(office: Office):
    eve = await office.company.guest("eve", "Eve and Sons")
    for number in range(6):
        await office.start(values=[number])
        office.company.house.clock.turn(1)
    await office.start(tenant=eve.tenant, values=[100])
    await office.start(tenant=eve.tenant, values=[101])
    await office.work()
    await office.work()

    assert sorted(each[0] for each in office.trial.ran[:4]) == [0, 1, 100, 101]
    assert sorted(each[0] for each in office.trial.ran[4:]) == [2, 3, 4, 5]


async def test_jobs_of_a_closed_organisation_wait(office: Office):
    from plugins.accounts.tables import organisations

    job = await office.start()
    async with office.host.store.write() as tx:
        await tx.run(
            update(organisations).where(organisations.c.id == office.company.tenant).values(status="suspended")
        )
    await office.work()

    assert (await office.row(job.id)).state == "QUEUED"


async def test_too_many_jobs_without_an_end_are_refused(office: Office):
    for _ in range(MOST_OPEN):
        await office.start()
    with pytest.raises(RateLimited) as refused:
        await office.start()
    await office.work()
    await office.start()

    assert refused.value.message == ("20 jobs of this organisation have not ended yet: wait for one, or cancel it.")
    assert await office.company.count(jobs) == MOST_OPEN + 1


async def test_a_key_begins_one_job_and_no_other(office: Office):
    first = await office.start(key="once", values=[1])
    await office.work()
    again = await office.start(key="once", values=[1])
    with pytest.raises(BadInput) as other:
        await office.start(key="once", values=[2])
    with pytest.raises(BadInput, match="idempotencyKey: must be 1 to 100 printable characters"):
        await office.start(key="")

    assert (again.id, again.state) == (first.id, JobState.SUCCEEDED)
    assert other.value.message == "idempotencyKey: was used with another input: take a new one for every other job"
    assert await office.company.count(jobs) == 1


async def test_a_job_begins_with_the_transaction_that_it_is_part_of_or_not_at_all(office: Office):
    service, context = office.host.service(Jobs), office.context()
    with suppress(ZeroDivisionError):
        async with office.host.store.write() as tx:
            await service.start(context, "trial.add", {"values": [1]}, tx=tx)
            raise ZeroDivisionError
    async with office.host.store.write() as tx:
        job = await service.start(context, "trial.add", {"values": [2]}, tx=tx)
    await office.work()

    assert office.trial.ran == [[2]]
    assert (await office.row(job.id)).state == "SUCCEEDED"
    assert await office.company.count(jobs) == 1


async def test_nobody_begins_a_job_of_an_unknown_kind_or_offers_one_twice(office: Office):
    with pytest.raises(ValueError, match=r"nobody has registered jobs of the kind trial\.none"):
        await office.start("none")
    with pytest.raises(ValueError, match=r"a kind of jobs called trial\.add already"):
        office.host.service(JobKinds).register(office.trial.kinds())


# --- Lists, and what is kept


async def test_pages_show_the_newest_first_and_only_what_is_asked_for(office: Office):
    made = []
    for kind in ("add", "refuse", "add"):
        made.append((await office.start(kind)).id)
        office.company.house.clock.turn(1)
    await office.work()
    last = await office.start("wait")
    newest = [last.id, *reversed(made)]

    first = await page(office, first=3)
    rest = await page(office, first=3, after=first["pageInfo"]["endCursor"])
    assert [each["id"] for each in first["nodes"] + rest["nodes"]] == newest
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert [e["id"] for e in (await page(office, kind="trial.add"))["nodes"]] == [made[2], made[0]]
    assert [e["id"] for e in (await page(office, state="FAILED"))["nodes"]] == [made[1]]
    assert [e["id"] for e in (await page(office, "bob", state="QUEUED"))["nodes"]] == [last.id]


async def test_an_organisation_sees_its_own_jobs_alone(office: Office):
    await office.company.guest("eve", "Eve and Sons")
    job = await office.start()

    assert await office.job(job.id, by="eve") is None
    assert (await page(office, "eve"))["nodes"] == []
    for by, seen in (("bob", {"id": job.id, "state": "QUEUED"}), ("eve", None)):
        node = f'{{ node(id: "{job.id}") {{ ... on Job {{ id state }} }} }}'
        answer = await office.company.house.ask(node, token=office.company.tokens[by])
        assert answer["data"]["node"] == seen


async def test_a_job_is_deleted_a_week_after_its_end(office: Office):
    job = await office.start()
    await office.work()
    waiting = await office.start("wait")
    clock, clearing = office.company.house.clock, Clearing(office.host)

    clock.turn(KEPT.total_seconds() - 1)
    await clearing.run()
    kept = await office.row(job.id)
    clock.turn(1)
    await clearing.run()

    assert kept.state == "SUCCEEDED"
    assert await office.company.count(jobs) == 1
    assert (await office.row(waiting.id)).state == "QUEUED"


async def test_jobs_are_exported_and_erased_with_their_organisation(office: Office):
    job = await office.start(values=[1, 2])
    await office.work()

    async with office.host.store.write() as tx:
        exported = await export(office.host, tx, office.company.tenant)
        await erase(office.host, tx, office.company.tenant)

    (only,) = exported["jobs"]
    assert (only["id"], only["input"], only["result"]) == (job.id, {"values": [1, 2]}, '{"value":3,"warnings":[]}')
    assert not {"tenant_id", "lease", "leased_until", "idempotency_key"} & only.keys()
    assert await office.company.count(jobs) == 0


async def test_a_result_is_shown_as_its_kind_has_it(sqlite_url: str, tmp_path: Path):
    async with open_house(sqlite_url, tmp_path, found=[*own_plugins(), plugin]) as house:
        office = Office(await found(house), Trial())
        job = await office.start(values=[1.5, 2])
        await office.work()
        document = f'{{ job(id: "{job.id}") {{ resultJson result {{ __typename warnings ... on Sum {{ value }} }} }} }}'
        answer = await house.ask(document, token=office.company.tokens["ada"])

    shown = answer["data"]["job"]
    assert shown["result"] == {"__typename": "Sum", "warnings": [], "value": 3.5}
    assert json.loads(shown["resultJson"]) == {"value": 3.5, "warnings": []}


def test_a_kind_is_a_plain_value():
    kind = Trial().kinds()[0]

    assert isinstance(kind, JobKind)
    assert kind.name == "trial.add"
