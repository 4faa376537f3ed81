"""Recorded frames of live feeds: what is sent, what comes, and the exact news of it.

`providers/recordings/<id>/streams/<capability>.json` has cases of asks, the frames that they make the feed send, steps
(a `frame` of JSON, a `text`, `base64` bytes, or the `http` answer to the oldest snapshot that was wanted) and what is
expected of all of them together. `python -m tests.contract.streams ID` fills in `sent` and `expect` where `expect` is
an empty list. A case may have `locate`: the `address`, and `http` where it has to be asked for.
"""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from gateway.core.check.replay import KEY, StoppedClock
from providers.contract import Provider
from providers.feeds import (
    Alive,
    Confirmed,
    Feed,
    Gap,
    News,
    Out,
    Pong,
    Refused,
    Restart,
    Said,
    Stream,
    Topic,
    Wants,
)
from providers.recording import FOLDER, ask_of, decoded, plain, wire
from providers.row import Row
from tests.contract.suite import PROVIDERS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCase:
    """One conversation."""

    provider: str
    capability: str
    name: str
    asks: tuple[Any, ...]
    sent: tuple[Any, ...]
    steps: tuple[Mapping[str, Any], ...]
    expect: tuple[Any, ...]
    locate: Mapping[str, Any]
    """The `address` to connect to where it is not the class's, and what is asked over HTTP for it."""

    @property
    def cls(self) -> type[Provider]:
        return PROVIDERS[self.provider]

    @property
    def stream(self) -> Stream:
        return self.cls.streams[self.capability]


def cases_of(provider: str) -> Iterator[StreamCase]:
    """All recorded conversations of a provider."""
    for file in _files(provider):
        yield from _in(file)


def _files(provider: str) -> list[Path]:
    return sorted((FOLDER / provider / "streams").glob("*.json"))


def _raw(file: Path) -> dict[str, Any]:
    return dict(decoded(file.read_bytes()))


def _in(file: Path) -> Iterator[StreamCase]:
    raw = _raw(file)
    assert set(raw) == {"made", "date", "origin", "cases"}, f"{file} has other members than these four"
    assert raw["made"] in ("captured", "documented", "composed")
    for case in raw["cases"]:
        yield StreamCase(
            provider=file.parents[1].name, capability=file.stem, name=case["name"], asks=tuple(case["asks"]),
            sent=tuple(case["sent"]), steps=tuple(case["steps"]), expect=tuple(case["expect"]),
            locate=case.get("locate", {}),
        )  # fmt: skip


def feed_of(cls: type[Provider], stream: Stream) -> Feed:
    """A feed at a standing clock, with every part of a key that its provider or it itself names."""
    parts = {part.name for part in (*cls.profile.credentials, *stream.feed.credentials)}
    return stream.feed(cls.profile, dict.fromkeys(parts, KEY), StoppedClock(moment=NOW))


def topics_of(cls: type[Provider], stream: Stream, asks: Iterable[Any]) -> list[Topic]:
    """The topics of plain asks, under the channels that the provider gives them."""
    provider = cls(None, StoppedClock(moment=NOW))  # type: ignore[arg-type]
    made = [ask_of(stream.capability, ask) for ask in asks]
    assert all(map(stream.takes, made)), "an ask that the stream does not cover"
    return [Topic(channel=getattr(provider, stream.method)(ask), capability=stream.capability, ask=ask) for ask in made]


class Snapshot:
    """The HTTP port of one wanted snapshot or address: it must be asked for as recorded."""

    def __init__(self, provider: str, recorded: Mapping[str, Any]) -> None:
        self._provider, self._recorded = provider, recorded

    async def get(self, path: str, params: Any = None, *, host: str = "") -> Row:
        return self._answer({"path": path, "params": _texts(params)}, host)

    async def post(self, path: str, body: object, params: Any = None, *, host: str = "") -> Row:
        return self._answer({"path": path, "params": _texts(params), "sent": body}, host)

    def _answer(self, asked: dict[str, Any], host: str) -> Row:
        asked |= {"host": host} if host else {}
        assert asked == {name: value for name, value in self._recorded.items() if name != "body"}
        return Row.json(self._provider, wire(self._recorded["body"]))


def _texts(params: Any) -> dict[str, str]:
    return {name: str(value) for name, value in (params or {}).items()}


async def converse(
    feed: Feed, topics: Sequence[Topic], steps: Iterable[Mapping[str, Any]], *, whole: bool = True
) -> list[News]:
    """All news of a conversation that has been begun with `enter`; a *whole* one leaves no snapshot wanted."""
    wanted = list(feed.begin(topics))
    news: list[News] = list(wanted)
    for step in steps:
        if "http" in step:
            want = wanted.pop(0)
            found = list(feed.given(want.channel, await want.fetch(Snapshot(feed.provider, step["http"]))))  # type: ignore[arg-type]
        else:
            found = list(feed.read(feed.decode(data_of(step))))
        wanted += [each for each in found if isinstance(each, Wants)]
        news += found
    assert not (whole and wanted), f"no answer is recorded for the snapshot of {wanted[0].channel}"
    assert {each.channel for each in news if isinstance(each, Said)} <= {topic.channel for topic in topics}
    return news


def data_of(step: Mapping[str, Any]) -> str | bytes:
    """The frame of a step as it comes."""
    if "frame" in step:
        return wire(step["frame"]).decode()
    return b64decode(step["base64"]) if "base64" in step else str(step["text"])


def out_of(out: Out) -> Any:
    """A sent frame as a recording states it."""
    try:
        return json.loads(out)
    except ValueError:
        return out if isinstance(out, str) else out.hex()


def told(news: News) -> dict[str, Any]:
    """News as a recording states it."""
    match news:
        case Said():
            found: dict[str, Any] = {"said": news.channel, "values": plain(news.values)}
            found |= {"as_of": plain(news.as_of)} if news.as_of else {}
            return found | ({"snapshot": True} if news.snapshot else {})
        case Refused():
            return {"refused": news.channel, "code": str(news.error.code)}
        case Gap():
            return {"gap": news.channel, "detail": news.detail}
        case Pong():
            return {"pong": out_of(news.out)}
        case Restart():
            return {"restart": news.reason}
        case Alive() | Confirmed() | Wants():
            return {type(news).__name__.lower(): news.channel}


async def _fill(provider: str) -> None:
    """Write down what the cases come to whose `expect` is empty: to be read by somebody, as any other change."""
    for file in _files(provider):
        raw = _raw(file)
        for case, row in zip(_in(file), raw["cases"], strict=True):
            if not case.expect:
                feed, topics = feed_of(case.cls, case.stream), topics_of(case.cls, case.stream, case.asks)
                row["sent"] = [out_of(out) for out in (*feed.greet(), *feed.enter(topics))]
                row["expect"] = list(map(told, await converse(feed, topics, case.steps)))
        _write(file, raw)


def _write(file: Path, raw: dict[str, Any]) -> None:
    """A line for each frame."""
    head = "".join(f'  "{name}": {_line(raw[name])},\n' for name in ("made", "date", "origin"))
    cases = ",\n".join(map(_case, raw["cases"]))
    file.write_text(f'{{\n{head}  "cases": [\n{cases}\n  ]\n}}\n', encoding="utf-8")


def _case(case: dict[str, Any]) -> str:
    lists = [
        f'      "{name}": [\n' + ",\n".join(f"        {_line(each)}" for each in case[name]) + "\n      ]"
        for name in ("asks", "sent", "steps", "expect")
    ]
    located = f'      "locate": {_line(case["locate"])},\n' if "locate" in case else ""
    return f'    {{\n      "name": {_line(case["name"])},\n{located}' + ",\n".join(lists) + "\n    }"


def _line(value: Any) -> str:
    return msgspec.json.format(wire(value), indent=0).decode()


if __name__ == "__main__":
    asyncio.run(_fill(sys.argv[1]))
