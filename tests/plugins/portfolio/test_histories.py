"""Long histories are read in turns, without a connection that waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from plugins.portfolio.histories import Histories, Read
from schema.errors import RateLimited

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Asker:
    """Who asks."""

    tenant: str
    now: datetime = NOON


@dataclass
class Shelf:
    """Reads that a test lets go one by one."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    gates: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    def of(self, name: str) -> Read:
        async def read() -> Any:
            self.begun.append(name)
            self.gates[name] = asyncio.get_running_loop().create_future()
            try:
                return await self.gates[name]
            finally:
                self.ended.append(name)

        return read

    async def go(self, name: str) -> None:
        self.gates[name].set_result((name,))
        await settled()


def asked(histories: Histories, tenant: str, key: Any, read: Read) -> asyncio.Task[Any]:
    return asyncio.create_task(histories.read(Asker(tenant), key, read))


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_tenants_take_turns_and_few_reads_are_under_way():
    shelf, histories = Shelf(), Histories(at_once=2)
    asking = [asked(histories, "a", n, shelf.of(f"a{n}")) for n in range(4)]
    await settled()
    asking.append(asked(histories, "b", 0, shelf.of("b0")))
    await settled()

    assert shelf.begun == ["a0", "a1"]
    await shelf.go("a0")
    assert shelf.begun == ["a0", "a1", "b0"]
    for name in ("a1", "b0", "a2", "a3"):
        await shelf.go(name)
    assert [task.result() for task in asking] == [("a0",), ("a1",), ("a2",), ("a3",), ("b0",)]


async def test_who_asks_for_what_is_read_already_is_told_the_same():
    shelf, histories = Shelf(), Histories()
    asking = [asked(histories, "a", ("p", 1), shelf.of("one")) for _ in range(60)]
    await settled()
    other = asked(histories, "b", ("p", 1), shelf.of("other"))
    newer = asked(histories, "a", ("p", 2), shelf.of("newer"))
    await settled()
    asking[0].cancel()
    for name in ("one", "other", "newer"):
        await shelf.go(name)

    assert shelf.begun == ["one", "other", "newer"]
    assert asking[0].cancelled()
    assert {task.result() for task in asking[1:]} == {("one",)}
    assert (other.result(), newer.result()) == (("other",), ("newer",))


async def test_what_nobody_wants_any_more_is_not_read_on():
    shelf, histories = Shelf(), Histories(at_once=1)
    asking = [asked(histories, "a", n, shelf.of(f"a{n}")) for n in range(3)]
    await settled()
    for task in asking[:2]:
        task.cancel()
    await settled()

    assert (shelf.begun, shelf.ended) == (["a0", "a2"], ["a0"])
    await shelf.go("a2")
    assert asking[2].result() == ("a2",)


async def test_a_failure_reaches_all_and_too_many_are_refused():
    histories = Histories(at_once=1, most_waiting=1)
    shelf = Shelf()
    asking = [asked(histories, "a", 0, shelf.of("a")) for _ in range(2)]
    await settled()
    waiting = asked(histories, "a", 1, shelf.of("b"))
    await settled()
    with pytest.raises(RateLimited):
        await histories.read(Asker("a"), 2, shelf.of("c"))
    shelf.gates["a"].set_exception(KeyError("lost"))
    await settled()
    await shelf.go("b")

    assert [type(task.exception()) for task in asking] == [KeyError, KeyError]
    assert waiting.result() == ("b",)
