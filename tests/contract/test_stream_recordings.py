"""Every live feed says exactly what its recorded frames say, and raises nothing but upstream errors at any other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.contract import Provider
from providers.recording import wire
from schema.errors import UpstreamError
from tests.contract.streams import Snapshot, StreamCase, cases_of, converse, data_of, feed_of, out_of, told, topics_of
from tests.contract.suite import PROVIDERS
from tests.contract.test_arbitrary_json import LEAVES, keys_in

STREAMING = {name: cls for name, cls in PROVIDERS.items() if cls.streams}
CASES = [case for name in PROVIDERS for case in cases_of(name)]


@pytest.mark.parametrize("cls", STREAMING.values(), ids=STREAMING)
def test_every_declared_stream_has_a_case_with_values_and_nothing_else_is_recorded(cls: type[Provider]):
    cases = list(cases_of(cls.profile.id))

    assert {case.capability for case in cases if any("said" in each for each in case.expect)} == set(cls.streams)
    assert {case.capability for case in cases} == set(cls.streams)


@pytest.mark.parametrize("cls", STREAMING.values(), ids=STREAMING)
def test_what_is_streamed_is_answered_over_http_too_and_addresses_and_limits_are_stated(cls: type[Provider]):
    feeds = {stream.feed for stream in cls.streams.values()}

    assert set(cls.streams) <= set(cls.offers)
    assert all(feed.address.split(":")[0] in ("wss", "https") for feed in feeds)
    assert all(feed.topics_per_connection > 0 < feed.frames_per_second for feed in feeds)
    assert all(feed.__doc__ and feed.__doc__ != feed.__mro__[1].__doc__ for feed in feeds)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.provider}-{case.capability}-{case.name}")
async def test_a_conversation_comes_out_exactly_as_recorded(case: StreamCase):
    feed, topics = feed_of(case.cls, case.stream), topics_of(case.cls, case.stream, case.asks)

    sent = [out_of(out) for out in (*feed.greet(), *feed.enter(topics))]
    news = [told(each) for each in await converse(feed, topics, case.steps)]

    assert (sent, news) == (list(case.sent), list(case.expect))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.provider}-{case.capability}-{case.name}")
async def test_the_address_is_the_feeds_own_or_as_recorded(case: StreamCase):
    feed, topics = feed_of(case.cls, case.stream), topics_of(case.cls, case.stream, case.asks)
    http: Any = Snapshot(case.provider, case.locate.get("http", {}))

    assert await feed.locate(http, topics) == case.locate.get("address", feed.address)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.provider}-{case.capability}-{case.name}")
async def test_after_everything_was_left_the_same_frames_have_no_values(case: StreamCase):
    feed, topics = feed_of(case.cls, case.stream), topics_of(case.cls, case.stream, case.asks)
    feed.enter(topics)
    frames = [step for step in case.steps if "http" not in step]

    feed.leave(topics)
    news = [each for step in frames for each in map(told, feed.read(feed.decode(data_of(step))))]

    assert [each for each in news if {"said", "gap", "wants"} & set(each)] == []


JSON_CASES = [case for case in CASES if any("frame" in step for step in case.steps)]


def frames(recorded: list[Any]) -> st.SearchStrategy[Any]:
    """A recorded frame with something of it replaced, or anything made of its names."""
    names = st.sampled_from(sorted(set().union(*map(keys_in, recorded))) or ["a"])
    inner = st.recursive(
        LEAVES, lambda deeper: st.lists(deeper, max_size=4) | st.dictionaries(names, deeper, max_size=4), max_leaves=8
    )
    mutated = st.tuples(st.sampled_from(recorded), st.integers(0, 40), inner).map(lambda given: replaced(*given))
    return inner | mutated


def replaced(value: Any, at: int, by: Any) -> Any:
    """*value* with the inner value at that position of a walk replaced."""
    left = [at]

    def walk(inner: Any) -> Any:
        left[0] -= 1
        if left[0] == -1:
            return by
        if isinstance(inner, dict):
            return {name: walk(each) for name, each in inner.items()}
        return [walk(each) for each in inner] if isinstance(inner, list) else inner

    return walk(value)


HOSTILE: tuple[Any, ...] = (None, "x", [], {}, 10**30)
FIRST = list({(case.provider, case.capability): case for case in reversed(CASES)}.values())


@pytest.mark.parametrize("case", FIRST, ids=lambda case: f"{case.provider}-{case.capability}")
async def test_a_frame_with_one_value_spoiled_is_read_or_becomes_an_upstream_error(case: StreamCase):
    frames_in = [(number, step["frame"]) for number, step in enumerate(case.steps) if "frame" in step]

    for number, frame in frames_in:
        for spoiled in (replaced(frame, at, by) for at in range(size(frame)) for by in HOSTILE):
            feed, topics = feed_of(case.cls, case.stream), topics_of(case.cls, case.stream, case.asks)
            feed.enter(topics)
            await converse(feed, topics, case.steps[:number], whole=False)
            tolerated(feed, wire(spoiled))


def size(value: Any) -> int:
    """How many values are in it, itself counted."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(size, inner))


@settings(max_examples=100)
@given(case=st.sampled_from(JSON_CASES), data=st.data())
def test_arbitrary_frames_are_read_or_become_an_upstream_error(case: StreamCase, data: st.DataObject):
    feed, topics = feed_of(case.cls, case.stream), topics_of(case.cls, case.stream, case.asks)
    feed.enter(topics)
    steps = [step for step in case.steps if "http" not in step]
    recorded = [step["frame"] for step in steps if "frame" in step]
    begun = data.draw(st.integers(0, len(steps)))

    for step in steps[:begun]:
        tolerated(feed, data_of(step))
    for frame in data.draw(st.lists(frames(recorded), min_size=1, max_size=3)):
        tolerated(feed, wire(frame))
    for step in steps[begun:]:
        tolerated(feed, data_of(step))


def tolerated(feed: Any, frame: str | bytes) -> None:
    try:
        for news in feed.read(feed.decode(frame)):
            told(news)
    except UpstreamError:
        pass
