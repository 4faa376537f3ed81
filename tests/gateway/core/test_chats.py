"""Chats through the guards: replies that are nobody else's, and replies that come in parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from gateway.core.fetchlog import FetchLog
from gateway.core.guards.breaker import BreakerPolicy
from gateway.core.upstream import SILENCE, Request
from providers.contract import Licence, Profile, Provider, Reply, answers
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import ConnectionFailed, Malformed, NoAnswer, Overloaded, Throttled, Timeout, UpstreamError
from schema.symbols import AssetClass
from schema.words.chat import (
    CHAT,
    CHAT_STREAM,
    ChatAsk,
    ChatDelta,
    ChatMessage,
    ChatReply,
    ChatRole,
    FinishReason,
)
from schema.words.registry import BreakerState
from tests.gateway.doubles import World, failing, in_turn, raising, reply, silent, world

ASK = ChatAsk(model="small", messages=(ChatMessage(role=ChatRole.USER, text="Say hello."),))
STOP = b'{"end": true}\n'


class Talker(Provider):
    async def chat(self, ask: ChatAsk) -> ChatReply:
        body = await self.http.post("/chat", {"model": ask.model})
        said = ChatMessage(role=ChatRole.ASSISTANT, text=body.text("text"))
        return ChatReply(model=ask.model, message=said, finish_reason=FinishReason.STOP)

    async def deltas(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        async for part in self.http.stream("/chat", {"model": ask.model}):
            end = FinishReason.STOP if "end" in part.body else None
            if part.body.get("sleep"):
                await asyncio.sleep(int(part.body.integer("sleep")))
            yield ChatDelta(text=part.body.maybe_text("text") or "", finish_reason=end)

    def explain(self, reply: Reply) -> UpstreamError | None:
        said = reply.body.get("error")
        return Overloaded(self.profile.id, said.text()) if said else None


def talker(name: str, priority: int = 10) -> type[Provider]:
    profile = Profile(
        id=name, name=name, base_url=f"https://{name}.example", docs="", asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note=""), priority=priority,
    )  # fmt: skip
    marked = {
        "profile": profile,
        "chat": answers(CHAT)(Talker.chat),
        "deltas": answers(CHAT_STREAM)(Talker.deltas),
    }
    return type(name.title(), (Talker,), marked)


@pytest.fixture
def w() -> World:
    made = world(talker("alpha"), talker("beta", 20))
    for name in ("alpha", "beta"):
        made.wire.handlers[name] = lines(f'{{"text": "{name} "}}', '{"text": "says"}')
    return made


def lines(*parts: str, end: bytes = STOP) -> Any:
    return lambda _: reply("".join(f"{part}\n" for part in parts).encode() + end)


async def listen(w: World, log: FetchLog | None = None, **changed: Any) -> list[ChatDelta]:
    terms = Terms(**changed) if changed else DEFAULT_TERMS
    return [delta async for delta in w.data.stream(CHAT_STREAM, ASK, terms, log)]


async def refused(w: World, heard: list[str] | None = None, **changed: Any) -> UpstreamError | NoAnswer:
    async def read() -> None:
        async for delta in w.data.stream(CHAT_STREAM, ASK, Terms(**changed) if changed else DEFAULT_TERMS):
            (heard if heard is not None else []).append(delta.text)

    with pytest.raises((UpstreamError, NoAnswer)) as caught:
        await read()
    assert isinstance(caught.value, UpstreamError | NoAnswer)
    return caught.value


async def test_two_who_say_the_same_at_once_get_a_reply_each_and_none_is_kept() -> None:
    w = world(talker("alpha"))
    said = iter(("one", "two", "three"))
    w.wire.handlers["alpha"] = lambda _: reply({"text": next(said)})

    found = await asyncio.gather(*(w.data.fetch(CHAT, ASK) for _ in range(2)))
    third = await w.data.fetch(CHAT, ASK)

    assert sorted(each.value.message.text for each in found) == ["one", "two"]
    assert third.value.message.text == "three"
    assert len(w.wire.requests) == 3
    assert w.pipeline.cache.bytes == 0


async def test_a_chat_that_failed_is_not_sent_to_the_same_provider_again(w: World) -> None:
    w.wire.handlers["alpha"] = in_turn(failing(503), lambda _: reply({"text": "late"}))
    w.wire.handlers["beta"] = lambda _: reply({"text": "other"})

    found = await w.data.fetch(CHAT, ASK)

    assert found.value.message.text == "other"
    assert [request.provider for request in w.wire.requests] == ["alpha", "beta"]


async def test_the_parts_come_in_their_order_with_one_provenance(w: World) -> None:
    log = FetchLog()

    found = await listen(w, log)

    assert [delta.text for delta in found] == ["alpha ", "says", ""]
    assert found[-1].finish_reason is FinishReason.STOP
    assert len({id(delta.provenance) for delta in found}) == 1
    assert found[0].provenance.provider == "alpha"
    assert log.calls == {"alpha": 1}
    assert w.wire.requests[0].headers["accept-encoding"] == "identity"


async def test_before_the_first_part_the_next_provider_is_asked_and_named(w: World) -> None:
    w.wire.handlers["alpha"] = failing(429, retry_after="3")

    found = await listen(w)

    assert "".join(delta.text for delta in found) == "beta says"
    assert [(f.provider, f.code.value) for f in found[0].provenance.fallback_from] == [("alpha", "UPSTREAM_THROTTLED")]
    assert isinstance(w.pipeline.health.hold("alpha"), Throttled)


async def test_behind_the_first_part_nobody_else_is_asked(w: World) -> None:
    heard: list[str] = []
    w.wire.handlers["alpha"] = lines('{"text": "half"}', '{"error": "busy"}')

    error = await refused(w, heard)

    assert (type(error), str(error), heard) == (Overloaded, "alpha: busy", ["half"])
    assert [request.provider for request in w.wire.requests] == ["alpha"]


async def test_a_stream_without_an_end_has_broken_off(w: World) -> None:
    w.wire.handlers["alpha"] = lines('{"text": "half"}', end=b"")

    error = await refused(w)

    assert (type(error), str(error)) == (Malformed, "alpha: the stream broke off before its end")


async def test_where_nobody_begins_each_attempt_is_told(w: World) -> None:
    w.wire.handlers["alpha"] = raising(ConnectionFailed("alpha", "refused"))
    w.wire.handlers["beta"] = lines("<html>")

    error = await refused(w)

    assert isinstance(error, NoAnswer)
    assert [(a.provider, a.code.value) for a in error.attempts] == [
        ("alpha", "UPSTREAM_UNAVAILABLE"),
        ("beta", "UPSTREAM_MALFORMED"),
    ]
    assert error.symbol == "small"


async def test_the_first_part_has_the_callers_time_and_the_next_ones_that_of_a_silence(w: World) -> None:
    heard: list[str] = []
    w.wire.handlers["alpha"] = silent()

    first = await refused(w, timeout=2.0, providers=("alpha",))
    w.wire.handlers["alpha"] = lines('{"text": "half"}', f'{{"sleep": {int(SILENCE) + 1}}}')
    later = await refused(w, heard, providers=("alpha",))

    assert isinstance(first, NoAnswer)
    assert [a.message for a in first.attempts] == ["no answer in time"]
    assert (type(later), heard) == (Timeout, ["half"])


async def test_failing_streams_open_the_breaker_and_it_is_honoured() -> None:
    w = world(talker("alpha"), policy=BreakerPolicy(in_a_row=2, least=2))
    w.wire.handlers["alpha"] = failing(500)

    for _ in range(2):
        await refused(w)
    sent = len(w.wire.requests)
    error = await refused(w)

    assert w.breaker("alpha", "chatStream").state is BreakerState.OPEN
    assert len(w.wire.requests) == sent == 2
    assert isinstance(error, NoAnswer)


async def test_who_leaves_early_counts_neither_for_nor_against_the_provider(w: World) -> None:
    async with aclosing(w.data.stream(CHAT_STREAM, ASK)) as coming:
        first = await anext(coming)

    assert first.text == "alpha "
    assert w.breaker("alpha", "chatStream").state is BreakerState.CLOSED
    assert w.pipeline.health.of("alpha").error_rate == 0
    assert w.registry.lanes_of("chatStream")[0].access.gate._value == 64


async def test_an_adapters_own_defect_is_told_without_its_words(w: World) -> None:
    def broken(_: Request) -> Any:
        raise RuntimeError("secret of the adapter")

    w.wire.handlers["alpha"] = w.wire.handlers["beta"] = broken

    error = await refused(w)

    assert isinstance(error, NoAnswer)
    assert "secret" not in str(error)
    assert [a.message for a in error.attempts] == ["its answer broke the adapter"] * 2
