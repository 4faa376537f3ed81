"""docs/feeds.md: the printed feed is run, and says exactly what the printed recording says of it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

from gateway.core.check.source import source_findings
from providers.feeds import News
from providers.recording import decoded
from tests.contract.streams import converse, feed_of, out_of, told, topics_of

PAGE = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")


def printed(language: str) -> str:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(block)


async def test_the_printed_feed_says_what_the_printed_recording_expects():
    source = printed("python")
    module = ModuleType("demo")
    exec(compile(source, "docs/feeds.md", "exec"), vars(module))
    demo: Any = vars(module)["Demo"]
    stream = demo.streams["quotes"]
    (case,) = decoded(printed("json").encode())["cases"]

    feed, topics = feed_of(demo, stream), topics_of(demo, stream, case["asks"])
    sent = [out_of(out) for out in feed.enter(topics)]
    news = await converse(feed, topics, case["steps"])

    assert source_findings(source) == []
    assert sent == case["sent"]
    assert list(map(told, news)) == case["expect"]


def test_all_news_are_in_the_table():
    named = set(re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE))

    assert named == {kind.__name__ for kind in News.__args__}
