"""The suite judges answers that come in parts, numbers in other units, and what types do not say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.core.check.provider import check_provider, providers_at
from tests.contract.scratch import write_provider

PAGE = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")
PROFILE = """    profile = Profile(
        id="scratch", name="Scratch", base_url="https://api.scratch.example", docs="https://scratch.example/docs",
        asset_classes=(AssetClass.CRYPTO,), licence=Licence(note="None."),
    )
"""
TALKER = (
    '''"""Scratch: chats."""

from collections.abc import AsyncIterator

from providers.contract import Licence, Profile, Provider, answers
from providers.row import Row
from schema.symbols import AssetClass
from schema.words.chat import CHAT_STREAM, ChatAsk, ChatDelta, FinishReason


class Scratch(Provider):
    """One model."""

'''
    + PROFILE
    + '''
    @answers(CHAT_STREAM, covers=lambda ask: ask.model == "small")
    async def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """Events."""
        said = [{"role": message.role.lower(), "content": message.text} for message in ask.messages]
        async for part in self.http.stream("/chat", {"model": ask.model, "messages": said, "stream": True}):
            yield parse_event(part.body)


def parse_event(body: Row) -> ChatDelta:
    """`{"text", "end"}`."""
    return ChatDelta(text=body.text("text"), finish_reason=FinishReason.STOP if "end" in body else None)
'''
)
FEES = (
    '''"""Scratch: fees, in satoshi for a thousand virtual bytes."""

from providers.contract import Licence, Profile, Provider, answers
from providers.row import Row
from schema.symbols import AssetClass
from schema.words.chains import FEES, FeeEstimate, FeesAsk, FeeUnit


class Scratch(Provider):
    """One chain."""

'''
    + PROFILE
    + '''
    @answers(FEES, covers=lambda ask: ask.chain == "bitcoin")
    async def fees(self, ask: FeesAsk) -> FeeEstimate:
        """The newest."""
        return parse_fees(await self.http.get("/fees"))


def parse_fees(body: Row) -> FeeEstimate:
    """`{"slow", "usual"}`."""
    slow, usual = (body.decimal(name).scaleb(-3) for name in ("slow", "usual"))
    return FeeEstimate(chain="bitcoin", unit=FeeUnit.SAT_PER_VBYTE, slow=slow, standard=usual)
'''
)


def printed() -> dict[str, Any]:
    """The recording of a stream that the page shows."""
    found: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
    return found


def fees(slow: int = 1012, usual: int = 3500, told: tuple[str, str] = ("1.012", "3.500")) -> dict[str, Any]:
    return {
        "made": "composed",
        "date": "2026-11-20",
        "origin": "https://scratch.example/docs",
        "cases": [
            {
                "name": "now",
                "ask": {"chain": "bitcoin"},
                "exchanges": [{"request": {"path": "/fees"}, "body": {"slow": slow, "usual": usual}}],
                "expect": {"chain": "bitcoin", "unit": "SAT_PER_VBYTE", "slow": told[0], "standard": told[1]},
            }
        ],
    }


async def findings(folder: Path, module: str, cases: dict[str, Any], capability: str) -> tuple[str, ...]:
    (cls,) = providers_at(write_provider(folder, module, cases, capability))
    return (await check_provider(cls)).findings


async def test_the_printed_recording_of_a_stream_is_sound(tmp_path: Path):
    assert await findings(tmp_path, TALKER, printed(), "chatStream") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'data: {"text": "Hello"}\n\ndata: [DONE]\n\n',
            "raises UPSTREAM_MALFORMED (scratch: the stream broke off before its end) where an answer was expected",
        ),
        (
            'data: {"text": "Hello", "end": 1}\n\ndata: {"text": ".", "end": 1}\n\n',
            "2 pieces say that the reply ended",
        ),
    ],
)
async def test_a_stream_that_does_not_end_once_is_unsound(tmp_path: Path, text: str, told: str):
    cases = printed()
    cases["cases"][0]["exchanges"][0]["text"] = text
    ends = {"finish_reason": "STOP"}
    cases["cases"][0]["expect"] = [{"text": "Hello", **ends}, {"text": ".", **ends}]

    found = await findings(tmp_path, TALKER, cases, "chatStream")

    assert found == (f"chatStream, 'two words': {told}",)


async def test_an_adapter_that_makes_up_the_end_of_a_stream_is_found(tmp_path: Path):
    module = TALKER.replace("yield parse_event(part.body)", 'yield ChatDelta(text=part.body.text("text"))')
    module = module.replace(
        "\n\ndef parse_event", "        yield ChatDelta(finish_reason=FinishReason.STOP)\n\n\ndef parse_event", 1
    )
    cases = printed()
    cases["cases"][0]["expect"] = [{"text": "Hello"}, {"text": "."}, {"finish_reason": "STOP"}]

    found = await findings(tmp_path, module, cases, "chatStream")

    assert "chatStream, 1 of 2 parts of exchange 0: answers [{'text': 'Hello'}, {'finish_reason': 'STOP'}]" in found


async def test_a_number_in_other_units_is_found_in_the_body_by_its_digits(tmp_path: Path):
    assert await findings(tmp_path, FEES, fees(), "fees") == ()


async def test_a_number_that_stands_nowhere_in_the_body_is_unsound(tmp_path: Path):
    module = FEES.replace(".scaleb(-3)", " / 7")

    found = await findings(tmp_path, module, fees(7, 21, ("1", "3")), "fees")

    assert found == ("fees, 3 is expected, but stands nowhere in the recorded bodies",)


async def test_an_answer_out_of_order_is_unsound_though_it_is_as_recorded(tmp_path: Path):
    found = await findings(tmp_path, FEES, fees(3500, 1012, ("3.500", "1.012")), "fees")

    assert found == ("fees, 'now': fees[1] is 1.012, after 3.500",)


async def test_a_crash_that_takes_two_wrong_things_at_once_is_found(tmp_path: Path):
    both = 'type(body["slow"].value) is not int and type(body["usual"].value) is not int'
    module = FEES.replace("    slow, usual", f"    if {both}:\n        return None.fees\n    slow, usual")

    found = await findings(tmp_path, module, fees(), "fees")

    assert found
    assert all("stranger" in text and "crashes with AttributeError" in text for text in found)
