"""A long document that nobody sent before is read by a thread: the others are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event, current_thread
from typing import Any

import pytest
from graphql import parse

from gateway.core.identity import ANONYMOUS, Principal
from gateway.edge import documents, longdocuments
from gateway.edge.errors import Refused
from gateway.edge.execute import QUERY_AND_MUTATION, QUERY_ONLY, Executor, OperationRequest, RequestFacts
from gateway.edge.limits import EdgeSettings
from tests.gateway.edge.conftest import SCHEMA, World
from tests.gateway.edge.shop import MEMBER

PADDING = "#" + "x" * documents.LONG_DOCUMENT + "\n"
LONG, WRONG = PADDING + "{ hello }", PADDING + "{ hallo }"


class Parser:
    """graphql-core's, which waits until it may go on."""

    def __init__(self) -> None:
        self.may, self.read, self.order = Event(), list[tuple[str, str]](), list[str]()

    def __call__(self, source: str, **limits: Any) -> object:
        self.read.append((current_thread().name.partition("_")[0], source[-9:]))
        self.order.append(source.removeprefix(PADDING)[:4])
        if len(source) > documents.LONG_DOCUMENT:
            assert self.may.wait(10)
        return parse(source, **limits)


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Parser]:
    made = Parser()
    monkeypatch.setattr(documents, "parse", made)
    yield made
    made.may.set()


@pytest.fixture
def executor() -> Executor:
    return Executor(SCHEMA, settings=EdgeSettings(), context_for=lambda *_: None)


def facts(ip: str = "192.0.2.1") -> RequestFacts:
    return RequestFacts(request_id="req_test", transport="http", client_ip=ip)


def asked(executor: Executor, query: str, caller: Principal = MEMBER, ip: str = "192.0.2.1") -> asyncio.Task[object]:
    request = OperationRequest(query=query)
    return asyncio.create_task(executor.prepared(request, QUERY_AND_MUTATION, facts(ip), caller))


def another(number: int) -> str:
    return f"{PADDING}#{number:3}\n{{ hello }}"


async def code_of(asking: asyncio.Task[object]) -> str:
    with pytest.raises(Refused) as refused:
        await asking
    return refused.value.code


async def until(ready: Callable[[], bool]) -> None:
    while not ready():  # noqa: ASYNC110 - a thread sets it
        await asyncio.sleep(0.001)


async def test_a_short_document_is_answered_while_a_long_one_is_read(executor: Executor, parser: Parser) -> None:
    long = asked(executor, LONG)
    await until(lambda: bool(parser.read))

    await asked(executor, "{ hello }")

    assert not long.done()
    parser.may.set()
    await long
    assert parser.read == [("documents", "{ hello }"), ("MainThread", "{ hello }")]


async def test_a_long_document_that_many_send_at_once_is_read_once(executor: Executor, parser: Parser) -> None:
    tasks = [asked(executor, LONG) for _ in range(50)]
    await until(lambda: bool(parser.read))
    parser.may.set()

    await asyncio.gather(*tasks)
    await asked(executor, LONG)

    assert parser.read == [("documents", "{ hello }")]


async def test_each_of_those_that_sent_a_wrong_one_has_a_refusal_of_its_own(executor: Executor, parser: Parser) -> None:
    parser.may.set()

    refused = await asyncio.gather(*(asked(executor, WRONG) for _ in range(3)), return_exceptions=True)

    assert [str(each) for each in refused] == ["Cannot query field 'hallo' on type 'Query'."] * 3
    assert len({id(each) for each in refused}) == 3
    assert parser.read == [("documents", "{ hallo }")]


async def test_one_that_leaves_takes_nothing_from_the_others(executor: Executor, parser: Parser) -> None:
    first, second = asked(executor, LONG), asked(executor, LONG)
    await until(lambda: bool(parser.read))

    first.cancel()
    parser.may.set()

    await second
    assert first.cancelled()
    assert parser.read == [("documents", "{ hello }")]


async def test_what_nobody_waits_for_any_more_is_not_read(executor: Executor, parser: Parser) -> None:
    tasks = [asked(executor, another(number)) for number in range(3)]
    await until(lambda: bool(parser.read))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    parser.may.set()

    await asked(executor, LONG)

    assert len(parser.read) == 2


async def test_what_is_being_read_counts_when_its_sender_has_left(
    executor: Executor, parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(longdocuments, "MOST_WAITING", 1)
    first = asked(executor, another(1))
    await until(lambda: bool(parser.read))
    first.cancel()
    await asyncio.wait([first])

    with pytest.raises(Refused) as refused:
        await asked(executor, LONG)
    parser.may.set()

    told = refused.value.errors[0]["extensions"]
    assert (refused.value.status, told["code"], told["retryAfterMs"]) == (503, "OVERLOADED", 1_000)
    assert refused.value.headers["Retry-After"] == "1"


async def test_four_of_a_payer_wait_whoever_of_it_asks(executor: Executor, parser: Parser) -> None:
    tasks = [asked(executor, another(number)) for number in range(4)]
    colleague = asked(executor, another(4), replace(MEMBER, user="usr_c"))
    other, same = asked(executor, another(5), replace(MEMBER, tenant="org_b")), asked(executor, another(0))

    assert await code_of(colleague) == "OVERLOADED"
    parser.may.set()

    await asyncio.gather(*tasks, other, same)
    assert len(parser.read) == 5


async def test_sixteen_of_all_callers_without_a_credential_wait(executor: Executor, parser: Parser) -> None:
    tasks = [asked(executor, another(number), ANONYMOUS, f"192.0.2.{number}") for number in range(16)]
    one_more = asked(executor, another(16), ANONYMOUS, "192.0.2.200")
    tenants = asked(executor, another(17))

    assert await code_of(one_more) == "OVERLOADED"
    parser.may.set()

    await asyncio.gather(*tasks, tenants)


async def test_tenants_documents_are_read_before_nobodys(executor: Executor, parser: Parser) -> None:
    shared = another(2)
    tasks = [asked(executor, another(number), ANONYMOUS, f"192.0.2.{number}") for number in (0, 1, 2)]
    await until(lambda: bool(parser.read))
    tasks += [asked(executor, "#3" + LONG), asked(executor, shared)]
    await asyncio.sleep(0)
    parser.may.set()

    await asyncio.gather(*tasks)

    assert parser.order == ["#  0", "#  2", "#3#x", "#  1"]


async def test_the_wait_ends_with_the_operations_time(parser: Parser) -> None:
    executor = Executor(SCHEMA, settings=EdgeSettings(operation_timeout_s=0.01), context_for=lambda *_: None)

    late = [asked(executor, another(number)) for number in range(2)]

    assert [await code_of(each) for each in late] == ["OVERLOADED"] * 2
    parser.may.set()
    await until(lambda: not executor._reader._long._waiting)
    assert len(parser.read) == 1


async def test_the_wait_is_part_of_the_operations_time() -> None:
    executor, known = Executor(SCHEMA, settings=EdgeSettings(), context_for=lambda *_: World()), facts()
    request = OperationRequest(query=PADDING + "{ never }")
    prepared = await executor.prepared(request, QUERY_AND_MUTATION, known, MEMBER)
    assert 0 < known.waited_s < 30

    object.__setattr__(known, "waited_s", 30.0)
    result = await executor.run(prepared, known, MEMBER)

    assert [error["extensions"]["code"] for error in result.errors or []] == ["DEADLINE_EXCEEDED"]


async def test_a_long_document_of_a_kind_that_does_not_go_is_refused_for_its_kind(executor: Executor) -> None:
    request = OperationRequest(query=PADDING + "mutation { nothing }")

    with pytest.raises(Refused, match="GET is for queries only"):
        await executor.prepared(request, QUERY_ONLY, facts(), MEMBER)
