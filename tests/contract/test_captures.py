"""The adapters read real captured payloads exactly; the captures lie beside the checkout and are not part of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from gateway.core.check.provider import cases_of
from gateway.core.check.replay import answer_of, connect
from gateway.core.grades import proof
from gateway.core.parts import parts_of
from providers.recording import ask_of
from schema.errors import UpstreamError
from tests.contract.captured import plans_of
from tests.contract.captured.answers import COMPARE, rows_differ
from tests.contract.captured.asks import Plan
from tests.contract.captures import FILES, FOLDER, Capture, Captured, captures_of
from tests.contract.proof import exact, summary
from tests.contract.suite import PROVIDERS

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no captured payloads in ../shared/recordings")
CAPTURES = [capture for provider in FILES if provider in PROVIDERS for capture in captures_of(provider)]
PLANS = [(capture, plans_of(capture)) for capture in CAPTURES]
# Shorter bodies are error wordings that anybody would write the same.
SMALL = 100
RUN = [
    pytest.param(capture, plan, id=f"{capture.name}-{plan.capability}")
    for capture, plans in PLANS
    if not isinstance(plans, str)
    for plan in plans
]


@pytest.mark.parametrize(("capture", "plan"), RUN)
async def test_an_adapter_reads_a_captured_payload_exactly(capture: Capture, plan: Plan):
    cls = PROVIDERS[capture.provider]
    offer = cls.offers[plan.capability]
    transport = Captured(capture)
    provider = connect(cls, transport, plan.now)
    code, wrong = "", []

    try:
        ask = ask_of(offer.capability, plan.ask)
        answer = await answer_of(cls, offer, getattr(provider, offer.method)(ask))
        compare, check = COMPARE.get(plan.capability, rows_differ), offer.capability.check
        wrong = compare(answer, plan.expected, plan.unjudged) if not plan.error else []
        wrong += list(check(ask, answer)) if check and not plan.error else []
    except UpstreamError as error:
        code, wrong = error.code, [] if error.code == plan.error else [str(error)]

    assert transport.used >= 1
    assert (wrong, str(code)) == ([], plan.error)


def test_every_capture_is_run_or_says_why_it_is_not():
    assert [capture.name for capture, plans in PLANS if not plans] == []


def test_no_recording_of_the_repository_is_a_copy_of_a_capture():
    copies = {capture.content: capture.name for capture in CAPTURES if len(capture.content) > SMALL}
    held = [
        (cls.profile.id, case.name, copies[exchange.content])
        for cls in PROVIDERS.values()
        for _, case in cases_of(cls)
        for exchange in case.exchanges
        if exchange.content in copies
    ]

    assert held == []


STREAMS = [
    pytest.param(capture, id=capture.name)
    for provider in FILES
    for capture in captures_of(provider)
    if capture.call.startswith("chat_stream") and capture.status == 200
]


@pytest.mark.parametrize("capture", STREAMS)
@pytest.mark.parametrize("size", [1, 100_000], ids=["byte by byte", "whole"])
async def test_the_port_reads_every_captured_stream_to_its_end(capture: Capture, size: int):
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(capture.content), size):
            yield capture.content[start : start + size]

    found = [part.body.value async for part in parts_of(capture.provider, chunks(), bytes, 2**20)]

    # Events have one `data` line each in all of them, lines and items are objects: counted without the port's means.
    text = capture.content.decode()
    marks = len(re.findall(r"^data: ?\{", text, re.MULTILINE)) or len(found if text[0] == "[" else text.splitlines())
    assert len(found) == marks > 0
    assert all(isinstance(value, dict) for value in found)


def test_the_proof_counts_what_is_read_exactly():
    """Otherwise: `python -m tests.contract.proof`."""
    assert proof() == exact()


def test_the_run_says_how_many_captures_were_read_refused_and_left_out():
    total, *reasons = summary()
    numbers = [int(number) for number in re.findall("[0-9]+", total)]

    assert numbers == [len(PLANS), *numbers[1:]]
    assert sum(numbers[1:]) == len(PLANS)
    assert sum(int(line.split()[0]) for line in reasons) == numbers[3] == sum(isinstance(p, str) for _, p in PLANS)
    assert numbers[1] == sum(exact().values())
