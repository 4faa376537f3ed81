"""Large answers are read and parsed in a thread, and nobody notices but those who wait less."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from hashlib import sha512
from threading import get_ident
from typing import Any
from weakref import ref

import pytest

from gateway.core.aside import AT_ONCE, LARGE, aside, carried_out
from gateway.core.callfacts import CallFacts, call_facts
from gateway.core.guards.cache import Stored
from gateway.core.guards.frames import Frames
from gateway.core.upstream import RawReply, Request, UpstreamHttp
from providers.contract import Licence, Profile, Provider, Reply, answers
from providers.row import Row
from schema.capability import Terms
from schema.errors import Malformed, NoAnswer, NotCovered, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from tests.gateway.core.fleets import processes, shared_of
from tests.gateway.doubles import BTC, ManualClock, Wire, reply, world

PROFILE = Profile(
    id="alpha", name="Alpha", base_url="https://alpha.example/api", docs="", licence=Licence(note=""),
    asset_classes=(AssetClass.CRYPTO,),
)  # fmt: skip
PADDING = "x" * LARGE
BODIES: dict[str, Any] = {
    "/small": {"price": 1.50},
    "/large": {"price": 2.50, "padding": PADDING},
    "/other": {"price": 3.50, "padding": PADDING},
    "/lines": b"name,price\n" + b"alpha,2.50\n" * (LARGE // 10),
    "/mark": b"<list><item>2.50</item><item>" + PADDING.encode() + b"</item></list>",
    "/text": PADDING.encode(),
    "/refused": {"error": "no such list", "padding": PADDING},
    "/broken": b"[1, " + PADDING.encode(),
}
PATIENCE_S = 20.0
"""For what comes at once; a test that waits so long has failed."""

Call = Callable[[UpstreamHttp], Awaitable[Any]]


class Desk:
    """A port to one provider, whose exchanges say on which thread they were."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.wire.handlers["alpha"] = self.answer
        self.http = UpstreamHttp(profile=PROFILE, transport=self.wire, clock=ManualClock())
        self.facts = CallFacts()
        self.sent_by: list[int] = []
        self.asked, self.silent, self.given_up = asyncio.Event(), asyncio.Event(), asyncio.Event()
        """Set when somebody asks for anything, for what never comes, and when nobody waits for that any more."""

    async def answer(self, request: Request) -> RawReply:
        self.sent_by.append(get_ident())
        self.asked.set()
        if request.path == "/never":
            self.silent.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up.set()
        return reply(BODIES[request.path], 400 if request.path == "/refused" else 200)

    async def run(self, call: Call) -> Any:
        """As the pipeline carries out an adapter's method."""

        async def method() -> Any:
            return await call(self.http)

        token = call_facts.set(self.facts)
        try:
            return await carried_out(method(), self.facts)
        finally:
            call_facts.reset(token)


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_the_loop_turns_while_a_large_answer_is_parsed(desk: Desk) -> None:
    parsing, turned = threading.Event(), threading.Event()
    turns = 0

    async def meanwhile() -> None:
        nonlocal turns
        while not turned.is_set():
            await asyncio.sleep(0)
            if parsing.is_set():
                turns += 1
            if turns == 3:
                turned.set()

    async def call(http: UpstreamHttp) -> tuple[Decimal, int]:
        row = await http.get("/large")
        parsing.set()
        # A loop that is held up by this can never set it.
        assert turned.wait(PATIENCE_S)
        return row.decimal("price"), get_ident()

    others = asyncio.create_task(meanwhile())
    price, thread = await desk.run(call)
    await others

    assert (price, turns) == (Decimal("2.50"), 3)
    assert thread != get_ident()


async def test_a_small_answer_is_parsed_where_it_came(desk: Desk) -> None:
    async def call(http: UpstreamHttp) -> tuple[Decimal, int]:
        return (await http.get("/small")).decimal("price"), get_ident()

    assert await desk.run(call) == (Decimal("1.50"), get_ident())
    assert desk.facts.large is False


async def test_what_comes_after_a_large_answer_is_sent_by_the_loop_that_serves_and_parsed_in_the_thread(
    desk: Desk,
) -> None:
    async def call(http: UpstreamHttp) -> list[tuple[Decimal, bool]]:
        found = []
        for path in ("/small", "/large", "/small", "/other"):
            price = (await http.get(path)).decimal("price")
            found.append((price, get_ident() == serving))
        return found

    serving = get_ident()
    found = await desk.run(call)

    assert found == [
        (Decimal("1.50"), True), (Decimal("2.50"), False), (Decimal("1.50"), False), (Decimal("3.50"), False)
    ]  # fmt: skip
    assert desk.sent_by == [serving] * 4
    assert desk.facts.requests == 4


async def test_an_adapter_may_gather_before_and_after_a_large_answer(desk: Desk) -> None:
    async def call(http: UpstreamHttp) -> tuple[list[Decimal], bool]:
        before = await asyncio.gather(*map(http.get, ("/large", "/small", "/other")))
        after = await asyncio.gather(*map(http.get, ("/small", "/large")))
        return [row.decimal("price") for row in (*before, *after)], get_ident() == serving

    serving = get_ident()
    prices, served = await desk.run(call)

    assert (list(map(str, prices)), served) == (["2.5", "1.5", "3.5", "1.5", "2.5"], False)
    assert desk.sent_by == [serving] * 5


@pytest.mark.parametrize(
    ("ask", "path", "read"),
    [
        (UpstreamHttp.get_csv, "/lines", lambda row: row[0].text("price")),
        (UpstreamHttp.get_xml, "/mark", lambda row: row["children"][0].text("text")),
        (UpstreamHttp.get_text, "/text", lambda row: row.text().replace("x", "") + "2.50"),
    ],
)
async def test_other_forms_are_read_aside_as_well(desk: Desk, ask: Any, path: str, read: Callable[[Row], str]) -> None:
    async def call(http: UpstreamHttp) -> tuple[str, bool]:
        return read(await ask(http, path)), get_ident() == serving

    serving = get_ident()

    assert await desk.run(call) == ("2.50", False)


async def test_large_refusals_and_what_is_no_json_are_told_as_ever(desk: Desk) -> None:
    readers = []

    def explain(told: Reply) -> UpstreamError | None:
        readers.append(get_ident() == serving)
        said = told.body.maybe_text("error") if "error" in told.body else None
        return UnknownInstrument("alpha", said) if said else None

    serving = get_ident()
    desk.http.explain = explain

    with pytest.raises(UnknownInstrument, match="no such list"):
        await desk.run(lambda http: http.get("/refused"))
    with pytest.raises(Malformed, match=r"\$ is not JSON \(got b'\[1, xxx"):
        await desk.run(lambda http: http.get("/broken"))
    assert readers == [False, False]


async def test_an_error_while_parsing_is_the_callers(desk: Desk) -> None:
    async def call(http: UpstreamHttp) -> Any:
        return (await http.get("/large")).decimal("cost")

    async def spoiled(http: UpstreamHttp) -> Any:
        await http.get("/large")
        raise ZeroDivisionError("an adapter's own")

    with pytest.raises(Malformed, match=r"\$ has no 'cost'"):
        await desk.run(call)
    with pytest.raises(ZeroDivisionError, match="an adapter's own"):
        await desk.run(spoiled)


async def test_an_adapter_may_go_on_after_an_error_of_its_second_request(desk: Desk) -> None:
    async def call(http: UpstreamHttp) -> str:
        await http.get("/large")
        try:
            await http.get("/refused")
        except NotCovered:
            return "went on"
        return "was not told"

    assert await desk.run(call) == "went on"


async def test_who_waits_no_longer_is_not_held_up_by_the_parser(desk: Desk) -> None:
    parsing, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    async def call(http: UpstreamHttp) -> Any:
        try:
            await http.get("/large")
            parsing.set()
            go_on.wait(PATIENCE_S)
            return await http.get("/small")
        finally:
            ended.set()

    task = asyncio.create_task(desk.run(call))
    assert await asyncio.to_thread(parsing.wait, PATIENCE_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not ended.is_set()

    go_on.set()
    assert await asyncio.to_thread(ended.wait, PATIENCE_S)

    # The thread went no further than to where it would have waited.
    assert [request.path for request in desk.wire.requests] == ["/large"]


async def test_who_waits_no_longer_gives_up_the_request_that_the_thread_waits_for(desk: Desk) -> None:
    ended = threading.Event()

    async def call(http: UpstreamHttp) -> Any:
        try:
            await http.get("/large")
            await http.get("/never")
        finally:
            ended.set()

    task = asyncio.create_task(desk.run(call))
    await desk.silent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await asyncio.to_thread(ended.wait, PATIENCE_S)
    await desk.given_up.wait()
    assert [request.path for request in desk.wire.requests] == ["/large", "/never"]


async def test_a_call_that_is_given_up_before_a_thread_is_free_ends_where_it_was(desk: Desk) -> None:
    free = threading.Event()
    steps: list[str] = []

    async def call(http: UpstreamHttp) -> Any:
        try:
            await http.get("/large")
            steps.append("parsed")
        finally:
            steps.append("ended")

    taken = [asyncio.create_task(aside(lambda: free.wait(PATIENCE_S))) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    task = asyncio.create_task(desk.run(call))
    await desk.asked.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    free.set()
    await asyncio.gather(*taken)

    assert steps == ["ended"]


def test_a_loop_that_closes_leaves_no_thread_behind_that_waits_for_it() -> None:
    ended = threading.Event()

    async def call(http: UpstreamHttp) -> Any:
        try:
            await http.get("/large")
            await http.get("/never")
        finally:
            ended.set()

    async def served() -> asyncio.Task[Any]:
        desk = Desk()
        task = asyncio.create_task(desk.run(call))
        await desk.silent.wait()
        return task

    task = asyncio.run(served())

    assert ended.wait(PATIENCE_S)
    assert task.cancelled()


async def test_what_a_failed_call_held_goes_with_its_error(desk: Desk) -> None:
    class Held:
        """Something that can be watched."""

    held = []

    async def call(http: UpstreamHttp) -> Any:
        kept = Held()
        held.append(ref(kept))
        await http.get("/never")

    task = asyncio.create_task(desk.run(call))
    await desk.silent.wait()
    task.cancel()
    gc.disable()
    try:
        with suppress(asyncio.CancelledError):
            await task
        del task
        await asyncio.sleep(0)  # the loop's own hold on it ends with the turn
        assert held[0]() is None
    finally:
        gc.enable()


async def test_values_of_large_bodies_are_let_go_with_the_call(desk: Desk) -> None:
    async def call(http: UpstreamHttp) -> Decimal:
        row = await http.get("/large")
        assert len(desk.facts.bodies) == 1
        return row.decimal("price")

    assert await desk.run(call) == Decimal("2.50")
    assert desk.facts.bodies == []


class Lister(Provider):
    """Lists what its one large reply says."""

    profile = PROFILE
    threads: list[int]

    @answers(INSTRUMENTS)
    async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
        body = await self.http.get("/list")
        self.threads = [get_ident()]
        return tuple(Listing(instrument=BTC, provider_symbol=row.text()) for row in body["symbols"])


async def test_a_large_answer_goes_through_all_guards_as_a_small_one_does() -> None:
    w = world(Lister)
    w.wire.handlers["alpha"] = lambda _: reply({"symbols": ["A", "B"], "padding": PADDING})

    found = await w.data.fetch(INSTRUMENTS, InstrumentsAsk())
    again = await w.data.fetch(INSTRUMENTS, InstrumentsAsk())

    assert [each.provider_symbol for each in found.value] == ["A", "B"]
    assert again.value is found.value
    assert w.registry.providers["alpha"].threads != [get_ident()]  # type: ignore[attr-defined]
    assert found.provenance.provider == "alpha"


async def test_an_adapter_with_state_stays_on_the_loop() -> None:
    class Keeping(Lister):
        stateless = False

    w = world(Keeping)
    w.wire.handlers["alpha"] = lambda _: reply({"symbols": ["A"], "padding": PADDING})

    found = await w.data.fetch(INSTRUMENTS, InstrumentsAsk())

    assert [each.provider_symbol for each in found.value] == ["A"]
    assert w.registry.providers["alpha"].threads == [get_ident()]  # type: ignore[attr-defined]


async def test_an_adapters_defect_in_the_thread_is_malformed() -> None:
    w = world(Lister)
    w.wire.handlers["alpha"] = lambda _: reply({"padding": PADDING})

    with pytest.raises(NoAnswer) as caught:
        await w.data.fetch(INSTRUMENTS, InstrumentsAsk(), Terms(timeout=PATIENCE_S))

    (attempt,) = caught.value.attempts
    assert attempt.message.startswith("$ has no 'symbols' (got {'padding': 'xxx")


async def test_large_frames_are_written_and_read_in_a_thread(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[tuple[str, bool]] = []
    write, read = Frames.write, Frames.read

    def seen_write(*given: Any) -> bytes:
        threads.append(("write", get_ident() == serving))
        return write(*given)

    def seen_read(*given: Any) -> Stored:
        threads.append(("read", get_ident() == serving))
        return read(*given)

    monkeypatch.setattr(Frames, "write", seen_write)
    monkeypatch.setattr(Frames, "read", seen_read)
    serving = get_ident()
    symbols = [sha512(b"%d" % number).hexdigest() for number in range(3_000)]
    async with processes(redis_url, Lister) as (first, second):
        first.wire.handlers["alpha"] = lambda _: reply({"symbols": symbols})
        fetched = await first.data.fetch(INSTRUMENTS, InstrumentsAsk())
        await shared_of(first).settle()

        found = await second.data.fetch(INSTRUMENTS, InstrumentsAsk())

        assert found.value == fetched.value
        assert len(first.wire.requests) == 1
    assert threads == [("write", False), ("read", False)]


async def test_small_frames_are_written_and_read_on_the_loop(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: object) -> Any:
        raise AssertionError("a small frame went to a thread")

    monkeypatch.setattr("gateway.core.guards.shared.aside", never)
    async with processes(redis_url, Lister) as (first, second):
        first.wire.handlers["alpha"] = lambda _: reply({"symbols": ["A"]})
        fetched = await first.data.fetch(INSTRUMENTS, InstrumentsAsk())
        await shared_of(first).settle()

        assert (await second.data.fetch(INSTRUMENTS, InstrumentsAsk())).value == fetched.value
        assert len(first.wire.requests) == 1
