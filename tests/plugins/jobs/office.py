"""Kinds of jobs for tests, and a hand on the runner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from graphql import OperationType

from gateway.core.contract import Context, Host, Plugin
from gateway.core.identity import LOCAL, Principal, Scope
from gateway.core.ports import JobKind, JobKinds, Jobs, Progress
from gateway.core.quant.refusals import NotComputable
from gateway.edge.execute import OperationRequest, RequestFacts
from plugins.jobs.rows import JobRow
from plugins.jobs.runner import JobRunner
from plugins.jobs.store import JobStore
from schema.model import described, model
from schema.words.jobs import Job, JobResult
from tests.plugins.accounts.organisations.company import Company

FIELDS = "id kind state progress words resultJson error { code message } startedBy startedAt endedAt expiresAt"
JOB = f"query($id: ID!) {{ job(id: $id) {{ {FIELDS} }} }}"
LIVE = "subscription($id: ID!) { job(id: $id) { state progress words } }"
CANCEL = (
    "mutation($i: JobCancelInput!) { r: jobCancel(input: $i) { job { id state } userErrors { code field message } } }"
)


@model("A sum.", implements=(JobResult,))
class Sum:
    """What came of adding."""

    warnings: list[str] = described("None.")
    value: float = described("The sum.")


@dataclass
class Trial:
    """What the kinds of tests do, and what they were given."""

    contexts: list[Context] = field(default_factory=list)
    ran: list[Any] = field(default_factory=list)
    tells: list[tuple[float, str]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: int = 0

    async def add(self, context: Context, given: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        self.contexts.append(context)
        self.ran.append(given["values"])
        progress(0.5, "adding")
        return {"value": sum(given["values"]), "warnings": []}

    async def wait(self, context: Context, given: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        self.ran.append(given)
        for told in self.tells:
            progress(*told)
        self.begun.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        return {"value": 0.0, "warnings": []}

    async def refuse(self, context: Context, given: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        raise NotComputable("2 observations are needed, there is 1.")

    async def break_(self, context: Context, given: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        raise ZeroDivisionError("secret")

    async def flood(self, context: Context, given: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        return {"value": 0.0, "warnings": ["x" * 5 * 2**20]}

    async def lie(self, context: Context, given: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
        return {"sum": 1.0}

    def kinds(self) -> list[JobKind]:
        runs = {
            "add": self.add, "wait": self.wait, "refuse": self.refuse, "break": self.break_, "flood": self.flood,
            "lie": self.lie,
        }  # fmt: skip
        return [JobKind(name=f"trial.{name}", run=run, show=show) for name, run in runs.items()]


def show(result: Mapping[str, Any]) -> JobResult:
    shown: JobResult = Sum(value=result["value"], warnings=result["warnings"])  # type: ignore[assignment]
    return shown


async def start(host: Host) -> None:
    host.service(JobKinds).register(Trial().kinds())


plugin = Plugin(name="trial", types=(Sum,), start=start)


@dataclass
class Office:
    """A company's jobs; `trial` is what they do."""

    company: Company
    trial: Trial

    @property
    def host(self) -> Host:
        return self.company.house.host

    @property
    def runner(self) -> JobRunner:
        return self.host.service(JobRunner)

    def context(self, tenant: str | None = None, scopes: frozenset[Scope] = LOCAL.scopes) -> Context:
        caller = Principal(tenant=tenant or self.company.tenant, user="usr_ada", scopes=scopes)
        return self.company.house.context(caller)

    async def start(
        self, kind: str = "add", tenant: str | None = None, key: str | None = None,
        scopes: frozenset[Scope] = LOCAL.scopes, **given: Any,
    ) -> Job:  # fmt: skip
        jobs = self.host.service(Jobs)
        return await jobs.start(
            self.context(tenant, scopes), f"trial.{kind}", given or {"values": [1, 2]}, idempotency_key=key
        )

    async def work(self) -> None:
        """Begin what waits, and wait until it is done."""
        await self.runner.turn()
        await self.done()

    async def done(self) -> None:
        tasks = [each.task for each in self.runner._running.values() if each.task]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def job(self, id: str, by: str = "ada") -> dict[str, Any] | None:
        body = await self.company.house.ask(JOB, {"id": id}, token=self.company.tokens[by])
        assert "errors" not in body, body
        found: dict[str, Any] | None = body["data"]["job"]
        return found

    async def row(self, id: str) -> JobRow:
        async with self.host.store.read() as tx:
            found = await JobStore().find(tx, self.company.tenant, id)
        assert found is not None
        return found

    async def stream(self, id: str) -> AsyncGenerator[dict[str, Any]]:
        headers = {"authorization": f"Bearer {self.company.tokens['ada']}"}
        facts = RequestFacts(request_id="req_test", transport="websocket", client_ip="127.0.0.1", headers=headers)
        executor = self.company.house.executor
        principal = await executor.identify(facts)
        request = OperationRequest(query=LIVE, variables={"id": id})
        prepared = executor.prepare(request, frozenset({OperationType.SUBSCRIPTION}))
        async with aclosing(executor.subscribe(prepared, facts, principal)) as results:
            async for result in results:
                yield result.body()
