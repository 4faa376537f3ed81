"""The offline market's transport: every recorded exchange, served to the real adapters in place of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.core.callfacts import call_facts
from gateway.core.clock import Clock
from gateway.core.upstream import RawReply, Request
from providers.recording import FOLDER, Exchange, Recording, decoded, read_recording, recording_files, wire
from schema.errors import NotRecorded

MOST_LISTED = 12
_Key = tuple[str, str, tuple[tuple[str, str], ...], bytes]


def _of_this_repository(provider: str) -> Path:
    return FOLDER / provider


class Shelf:
    """Everything recorded of one provider, by exact request."""

    def __init__(self, recordings: tuple[Recording, ...]) -> None:
        self.recordings = recordings
        self._replies: dict[_Key, RawReply] = {}
        for _, recording, exchange in sorted(self._exchanges(), key=lambda row: row[0]):
            reply = RawReply(
                status=exchange.status, headers=exchange.headers, content=exchange.content,
                recorded=recording.made, recorded_at=recording.instant,
            )  # fmt: skip
            key = _key(exchange.method, exchange.path, exchange.params or {}, exchange.sent)
            self._replies.setdefault(key, reply)

    def _exchanges(self) -> Iterable[tuple[int, Recording, Exchange]]:
        """Best first: an answer before a refusal of the same request, and either before an upstream out of order."""
        for recording in self.recordings:
            for case in recording.cases:
                for exchange in case.exchanges:
                    yield (case.error is not None) + 2 * exchange.refused, recording, exchange

    def reply(self, request: Request) -> RawReply | None:
        """What is recorded for this very request."""
        sent = decoded(request.body) if request.body else None
        return self._replies.get(_key(request.method, request.path, dict(request.params), sent))

    def listing(self, capability: str) -> str:
        """What may be asked of a capability, in words: asks of one item, and how many more there are."""
        cases = [
            case for recording in self.recordings for case in recording.answered if recording.capability == capability
        ]
        asks = list(dict.fromkeys(_in_words(case.ask) for case in cases if not _several(case.ask)))
        more = f" and {len(asks) - MOST_LISTED} more" if len(asks) > MOST_LISTED else ""
        return (", ".join(ask or "all" for ask in asks[:MOST_LISTED]) or "nothing") + more


class RecordedTransport:
    """Answers what is recorded, exactly; NotRecorded lists what is. Files are read at a provider's first request."""

    def __init__(self, folder: Callable[[str], Path | None] = _of_this_repository) -> None:
        self._folder = folder
        self._shelves: dict[str, Shelf] = {}

    def shelf(self, provider: str) -> Shelf:
        """Everything recorded of *provider*; empty where nothing is."""
        found = self._shelves.get(provider)
        if found is None:
            folder = self._folder(provider)
            files = recording_files(folder) if folder else ()
            found = self._shelves[provider] = Shelf(tuple(read_recording(file) for file in files))
        return found

    def moment(self, provider: str) -> datetime | None:
        """When a provider's answers were given: the time its adapter must see, for windows counted back from now."""
        return max((recording.instant for recording in self.shelf(provider).recordings), default=None)

    async def send(self, request: Request) -> RawReply:
        """The reply recorded for this very request."""
        shelf = self.shelf(request.provider)
        reply = shelf.reply(request)
        if reply is None:
            facts = call_facts.get(None)
            capability = facts.capability if facts else ""
            listed = shelf.listing(capability)
            raise NotRecorded(request.provider, f"no recording of this ask; recorded {capability}: {listed}")
        return reply

    async def close(self) -> None:
        """Nothing is open."""


def _key(method: str, path: str, params: Mapping[str, str], sent: Any) -> _Key:
    return method, path, tuple(sorted(params.items())), b"" if sent is None else wire(sent)


class RecordedClock:
    """The time that an offline adapter sees: when its provider's answers were given."""

    def __init__(self, transport: RecordedTransport, provider: str, actual: Clock) -> None:
        self._transport, self._provider, self._actual = transport, provider, actual

    def now(self) -> datetime:
        """The newest recording's moment; the actual time where nothing is recorded."""
        return self._transport.moment(self._provider) or self._actual.now()


def _several(ask: Mapping[str, Any]) -> bool:
    return any(isinstance(part, list) and len(part) > 1 for part in ask.values())


def _in_words(ask: Mapping[str, Any]) -> str:
    return " ".join(map(_word, ask.values()))


def _word(part: Any) -> str:
    if isinstance(part, list):
        return ",".join(map(_word, part))
    # Of a message what is said, of a tool its name.
    return repr(part.get("text") or part.get("name") or "…") if isinstance(part, dict) else str(part)
