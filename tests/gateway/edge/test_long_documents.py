"""A long document that nobody sent before is read by a thread: the others are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from threading import Event, current_thread
from typing import Any

import pytest
from graphql import parse

from gateway.edge import documents
from gateway.edge.errors import Refused
from gateway.edge.execute import QUERY_AND_MUTATION, QUERY_ONLY, Executor, OperationRequest
from gateway.edge.limits import EdgeSettings
from tests.gateway.edge.conftest import SCHEMA

PADDING = "#" + "x" * documents.LONG_DOCUMENT + "\n"
LONG, WRONG = PADDING + "{ hello }", PADDING + "{ hallo }"


class Parser:
    """graphql-core's, which waits until it may go on."""

    def __init__(self) -> None:
        self.may, self.read = Event(), list[tuple[str, str]]()

    def __call__(self, source: str, **limits: Any) -> object:
        self.read.append((current_thread().name.partition("_")[0], source[-9:]))
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


def asked(executor: Executor, query: str) -> asyncio.Task[object]:
    return asyncio.create_task(executor.prepared(OperationRequest(query=query), QUERY_AND_MUTATION))


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


async def test_those_that_left_still_count_among_the_waiting(
    executor: Executor, parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_WAITING", 3)
    tasks = [asked(executor, f"{PADDING}#{number}\n{{ hello }}") for number in range(3)]
    await until(lambda: bool(parser.read))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    with pytest.raises(Refused) as refused:
        await asked(executor, LONG)
    parser.may.set()
    await until(lambda: len(parser.read) == 3)

    told = refused.value.errors[0]["extensions"]
    assert (refused.value.status, told["code"], told["retryAfterMs"]) == (503, "OVERLOADED", 1_000)
    await asked(executor, LONG)


async def test_a_long_document_of_a_kind_that_does_not_go_is_refused_for_its_kind(executor: Executor) -> None:
    with pytest.raises(Refused, match="GET is for queries only"):
        await executor.prepared(OperationRequest(query=PADDING + "mutation { nothing }"), QUERY_ONLY)
