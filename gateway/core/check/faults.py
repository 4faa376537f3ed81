"""Faults that every provider shares: a recorded case is broken in each known way, with no code per provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from gateway.core.check.mutations import json_value, key_numbers, mutations, numbers_in, strangers, without_number
from gateway.core.check.replay import Departure, Outcome, Script, ask
from gateway.core.parts import values_in
from gateway.core.upstream import RawReply, Request
from providers.contract import Answer, Provider
from providers.recording import Case, Exchange, decoded, plain, wire
from schema.errors import ConnectionFailed, FailureCode, Timeout
from schema.words.candles import COLUMNS, Bars

Fault = Callable[[Exchange], RawReply]

MOST_EXCHANGES = 3
MOST_STRANGERS = 40
MOST_PARTS = 40
HTML = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>502</h1><br></body></html>"
EMPTY = (b"null", b"17", b'"maintenance"', b"[]", b"{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An adapter's method and an answered case of it."""

    cls: type[Provider]
    offer: Answer
    case: Case

    @property
    def provider(self) -> str:
        """The provider's id."""
        return self.cls.profile.id

    @property
    def spots(self) -> range:
        """The exchanges that are broken in turn."""
        return range(min(len(self.case.exchanges), MOST_EXCHANGES))

    @property
    def streams(self) -> bool:
        """Whether it answers in parts."""
        return self.offer.capability.ends is not None

    def content(self, at: int) -> bytes:
        """What is broken of an exchange: its body; of a stream its parts as one array, which every port reads alike."""
        body = self.case.exchanges[at].content
        return wire(values_in(self.provider, body)) if self.streams else body


class BrokenScript(Script):
    """Serves a case with a fault in one exchange, or in all of them."""

    def __init__(self, case: Case, fault: Fault, at: int | None) -> None:
        super().__init__(case)
        self._fault, self._at = fault, None if at is None else case.exchanges[at]

    async def send(self, request: Request) -> RawReply:
        """The recorded reply, or what the fault makes of it."""
        exchange = self.take(request)
        return self._fault(exchange) if self._at is None or exchange is self._at else as_recorded(exchange)


def as_recorded(exchange: Exchange) -> RawReply:
    """The reply without a fault."""
    return RawReply(status=exchange.status, headers=exchange.headers, content=exchange.content)


async def suffer(subject: Subject, fault: Fault, at: int | None) -> Outcome | str | None:
    """What came of the ask: an outcome, a crash in words, or None where the broken reply led to another request."""
    try:
        outcome = await ask(subject.cls, subject.offer, subject.case, BrokenScript(subject.case, fault, at))
        wrong = unsound(outcome.answer)
    except Departure:
        return None
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises besides an UpstreamError is the finding
        return f"crashes with {type(error).__name__}: {error}"
    return wrong or outcome


def unsound(answer: Any) -> str | None:
    """Why an answer cannot go on to a client: columns of unequal length; ValueError for a number that is none."""
    plain(answer)
    if isinstance(answer, Bars):
        sizes = {len(column) for column in (getattr(answer, name) for name in COLUMNS) if column is not None}
        if len(sizes) > 1:
            return "answers columns of unequal length"
    return None


def expecting(found: Outcome | str | None, code: FailureCode) -> str | None:
    """What is wrong unless *found* is a refusal with *code*."""
    if found is None or isinstance(found, str):
        return found
    if found.error is None:
        return f"answers {plain(found.answer)!r:.200} where {code} belongs"
    return None if found.error.code == code else f"raises {found.error.code} ({found.error}) where {code} belongs"


async def status_faults(subject: Subject) -> list[str]:
    """Throttling with its Retry-After, outages, refused keys, time-outs and refused connections."""
    provider, moment = subject.provider, subject.case.now
    http_date = format_datetime(moment.replace(microsecond=0) + timedelta(seconds=90), usegmt=True)
    exact_date = 90 - moment.microsecond / 1_000_000
    findings = []
    for at in subject.spots:
        for name, fault, code, wait in (
            ("429", _status(429), FailureCode.UPSTREAM_THROTTLED, None),
            ("429 with seconds", _status(429, "7"), FailureCode.UPSTREAM_THROTTLED, 7.0),
            ("429 with a date", _status(429, http_date), FailureCode.UPSTREAM_THROTTLED, exact_date),
            ("500", _status(500), FailureCode.UPSTREAM_UNAVAILABLE, None),
            ("502 with HTML", _status(502, content=HTML), FailureCode.UPSTREAM_UNAVAILABLE, None),
            ("503", _status(503), FailureCode.UPSTREAM_UNAVAILABLE, None),
            ("401", _status(401), FailureCode.PROVIDER_MISCONFIGURED, None),
            ("403", _status(403), FailureCode.PROVIDER_MISCONFIGURED, None),
            ("time-out", _raising(Timeout(provider, "no answer in time")), FailureCode.UPSTREAM_UNAVAILABLE, None),
            ("refused", _raising(ConnectionFailed(provider, "refused")), FailureCode.UPSTREAM_UNAVAILABLE, None),
        ):
            found = await suffer(subject, fault, at)
            wrong = expecting(found, code)
            if wrong is None and wait is not None and isinstance(found, Outcome) and found.error is not None:
                told = found.error.retry_after
                wrong = None if told == wait else f"says to retry after {told} s, the header says {wait}"
            findings += [f"{name} in exchange {at}: {wrong}"] if wrong else []
    return findings


async def body_faults(subject: Subject) -> list[str]:
    """Bodies that are cut, foreign, empty or too short."""
    findings = []
    for at in subject.spots:
        for name, fault in (("cut body", _cut), ("HTML", _body(HTML)), ("empty body", _body(b""))):
            wrong = expecting(await suffer(subject, fault, at), FailureCode.UPSTREAM_MALFORMED)
            findings += [f"{name} in exchange {at}: {wrong}"] if wrong else []
        for content in EMPTY:
            found = await suffer(subject, _body(content), at)
            findings += [f"{content.decode()} in exchange {at}: {found}"] if isinstance(found, str) else []
    for content in EMPTY if subject.case.exchanges else ():
        found = await suffer(subject, _body(content), None)
        if isinstance(found, Outcome) and any(True for _ in key_numbers(plain(found.answer))):
            findings.append(f"{content.decode()} everywhere: still answers {plain(found.answer)!r:.200}")
    return findings + await short_streams(subject)


async def value_faults(subject: Subject) -> list[str]:
    """Values, groups and names of the body, each replaced by something that does not belong there: never a crash."""
    findings = []
    for at in subject.spots:
        for name, content in mutations(subject.content(at)):
            found = await suffer(subject, _body(content), at)
            findings += [f"{name} in exchange {at}: {found}"] if isinstance(found, str) else []
    return findings


async def strange_bodies(subject: Subject) -> list[str]:
    """Many things wrong at once: never a crash either."""
    findings = []
    for at in subject.spots:
        for name, content in strangers(subject.content(at), MOST_STRANGERS):
            found = await suffer(subject, _body(content), at)
            findings += [f"{name} in exchange {at}: {found}"] if isinstance(found, str) else []
    return findings


async def short_streams(subject: Subject) -> list[str]:
    """A stream that ends early never passes for the whole one; it may lack what it took, which comes last."""
    findings = []
    for at in subject.spots if subject.streams else ():
        parts = decoded(subject.content(at))
        for count in range(min(len(parts), MOST_PARTS)):
            found = await suffer(subject, _body(b"\n".join(map(wire, parts[:count]))), at)
            short = isinstance(found, Outcome) and found.error is None and _said(plain(found.answer))
            if isinstance(found, str) or (short and short != _said(subject.case.expect)):
                wrong = found if isinstance(found, str) else f"answers {short!r:.200}"
                findings.append(f"{count} of {len(parts)} parts of exchange {at}: {wrong}")
    return findings


def _said(deltas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in delta.items() if name != "usage"} for delta in deltas]


async def key_fault(subject: Subject) -> list[str]:
    """The number that the answer is about: a word in its place is noticed, and nothing in its place is not filled."""
    numbers = list(key_numbers(subject.case.expect))
    number = next((each for each in numbers if _without(subject.case, each, "broken")), None)
    if number is None:
        return [f"{numbers[0]} is expected, but stands nowhere in the recorded bodies"] if numbers else []
    word, nothing = (_without(subject.case, number, instead) for instead in ("broken", None))
    wrong = expecting(await suffer(subject, _swapped(word), None), FailureCode.UPSTREAM_MALFORMED)
    findings = [f"{number} replaced by a word: {wrong}"] if wrong else []
    found = await suffer(subject, _swapped(nothing), None)
    if isinstance(found, Outcome):
        known = numbers_in(subject.case.expect)
        filled = next((each for each in key_numbers(plain(found.answer)) if each not in known), None)
        if filled is not None:
            findings.append(f"{number} replaced by null: answers {filled}, which nobody sent")
    elif found:
        findings.append(f"{number} replaced by null: {found}")
    return findings


def _without(case: Case, number: Decimal, instead: str | None) -> dict[int, bytes]:
    """New contents by the identity of the exchanges that change."""
    changed = {id(e): without_number(e.content, number, instead) for e in case.exchanges}
    return {id(e): changed[id(e)] for e in case.exchanges if changed[id(e)] != e.content}


def _swapped(contents: dict[int, bytes]) -> Fault:
    return lambda e: as_recorded(replace(e, content=contents.get(id(e), e.content)))


FAMILIES: dict[str, Callable[[Subject], Any]] = {
    "status": status_faults,
    "body": body_faults,
    "values": value_faults,
    "strangers": strange_bodies,
    "key number": key_fault,
}


def _status(status: int, retry_after: str = "", content: bytes = b"sorry") -> Fault:
    headers = {"retry-after": retry_after} if retry_after else {}
    return lambda _: RawReply(status=status, headers=headers, content=content)


def _body(content: bytes) -> Fault:
    return lambda exchange: RawReply(status=200, headers=exchange.headers, content=content)


def _raising(error: Exception) -> Fault:
    def fail(_: Exchange) -> RawReply:
        raise error

    return fail


def _cut(exchange: Exchange) -> RawReply:
    """Half a JSON body; any other one without its last field, so that no shorter number passes for a whole one."""
    content = exchange.content
    end = len(content) // 2 if json_value(content) is not None else max(content.rfind(b","), content.rfind(b"<"))
    return RawReply(status=exchange.status, headers=exchange.headers, content=content[: max(end, 1)])
