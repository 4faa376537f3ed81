"""The feeds read real captured frames exactly; the captures lie beside the checkout and are not part of it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.grades import streams as proof_of_streams
from providers.feeds import Said
from providers.recording import wire
from schema.words.candles import Bars
from tests.contract.captured.answers import COMPARE
from tests.contract.captured.stream_plans import StreamPlan
from tests.contract.captures import FOLDER, Capture
from tests.contract.proof import streamed, streams_exact
from tests.contract.streams import cases_of, converse, data_of, feed_of, topics_of
from tests.contract.suite import PROVIDERS

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no captured payloads in ../shared/recordings")
FOUND = streamed()


@pytest.mark.parametrize(
    ("capture", "plan"),
    [pytest.param(capture, plan, id=capture.name) for capture, plan in FOUND if not isinstance(plan, str)],
)
async def test_a_feed_reads_a_captured_frame_exactly(capture: Capture, plan: StreamPlan):
    cls = PROVIDERS[capture.provider]
    stream = cls.streams[plan.capability]
    feed, topics = feed_of(cls, stream), topics_of(cls, stream, [plan.ask])
    feed.enter(topics)

    before = await converse(feed, topics, plan.before)
    news = list(feed.read(feed.decode(wire(plan.whole(capture.body)))))

    said = [each for each in news if isinstance(each, Said)]
    assert [each.channel for each in said] == [topics[0].channel], (before, news)
    answer = as_answered(plan.capability, said[0].values)
    assert COMPARE[plan.capability](answer, plan.expected, plan.unjudged) == []


def as_answered(capability: str, values: tuple[Any, ...]) -> Any:
    """The form in which a query answers: a book alone, candles as columns."""
    if capability == "orderBook":
        return values[0]
    if capability != "candles":
        return values
    bars = [(bar.open_time, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in values]
    times, opens, highs, lows, closes, volumes = zip(*bars, strict=True)
    return Bars(open_time=times, open=opens, high=highs, low=lows, close=closes, volume=volumes)


def test_every_captured_frame_is_run_or_says_why_it_is_not():
    assert [capture.name for capture, plan in FOUND if not plan] == []


def test_no_recorded_frame_is_a_copy_of_a_captured_one():
    captured = {capture.content: capture.name for capture, _ in FOUND}
    recorded = [
        (case.provider, case.name, data_of(step))
        for name in PROVIDERS
        for case in cases_of(name)
        for step in case.steps
        if "http" not in step
    ]

    assert [(who, name) for who, name, data in recorded if as_bytes(data) in captured] == []


def as_bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def test_the_proof_counts_the_frames_that_are_read_exactly():
    """Otherwise: `python -m tests.contract.proof`."""
    assert proof_of_streams() == streams_exact()
