"""Runs a recorded case through the real adapter over the real HTTP port and compares the answer exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.core.parts import ended
from gateway.core.upstream import RawReply, Request, Transport, UpstreamHttp
from providers.contract import Answer, Provider
from providers.recording import Case, Exchange, ask_of, decoded, plain
from schema.checks import unsound
from schema.errors import UpstreamError
from schema.words.candles import CandlesAsk

KEY = "contract-suite-key"


class Departure(Exception):
    """The adapter asked for something that its recording does not have. No UpstreamError, so that nobody handles it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedClock:
    """Stands still at the moment of a case."""

    moment: datetime

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    def monotonic(self) -> float:
        """No time passes."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Done at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an ask: an answer, or the upstream's failure."""

    answer: Any = None
    error: UpstreamError | None = None


class Script:
    """Serves a case's exchanges, each once, in whatever order the adapter sends its requests."""

    def __init__(self, case: Case) -> None:
        self.left = list(case.exchanges)
        # An answer must not depend on parameters that nobody stated; a refusal may be the same for all.
        self._any_params = case.error is not None

    async def send(self, request: Request) -> RawReply:
        """The reply to this very request; Departure where the recording has none."""
        exchange = self.take(request)
        return RawReply(status=exchange.status, headers=exchange.headers, content=exchange.content)

    def take(self, request: Request) -> Exchange:
        """The exchange that *request* belongs to, which is then used up."""
        for exchange in self.left:
            if self._matches(exchange, request):
                self.left.remove(exchange)
                return exchange
        recorded = "; ".join(self._shown(e.method, e.host, e.path, e.params) for e in self.left) or "nothing more"
        sent = self._shown(request.method, request.host, request.path, dict(request.params))
        raise Departure(f"sends {sent}, recorded is {recorded}")

    def _matches(self, exchange: Exchange, request: Request) -> bool:
        if (exchange.method, exchange.host, exchange.path) != (request.method, request.host, request.path):
            return False
        if not (exchange.params is None and self._any_params) and (exchange.params or {}) != dict(request.params):
            return False
        return bool(exchange.sent == (decoded(request.body) if request.body else None))

    @staticmethod
    def _shown(method: str, host: str, path: str, params: Mapping[str, str] | None) -> str:
        query = "?…" if params is None else "?" + "&".join(f"{k}={v}" for k, v in params.items()) if params else ""
        return f"{method} {f'[{host}]' if host else ''}{path}{query}"

    async def close(self) -> None:
        """Nothing is open."""


def connect(cls: type[Provider], transport: Transport, now: datetime) -> Provider:
    """A provider over *transport* at a standing clock, with every credential that it names."""
    clock = StoppedClock(moment=now)
    key = {part.name: KEY for part in cls.profile.credentials}
    http = UpstreamHttp(profile=cls.profile, transport=transport, clock=clock, key=key)
    provider = cls(http, clock)
    http.explain = provider.explain
    return provider


async def ask(cls: type[Provider], offer: Answer, case: Case, transport: Transport) -> Outcome:
    """Put a case's question to the adapter; anything but an UpstreamError passes through."""
    provider = connect(cls, transport, case.now)
    question = ask_of(offer.capability, case.ask)
    try:
        return Outcome(answer=await answer_of(cls, offer, getattr(provider, offer.method)(question)))
    except UpstreamError as error:
        return Outcome(error=error)


async def answer_of(cls: type[Provider], offer: Answer, found: Any) -> Any:
    """What a method answers; of one that answers in parts all of them."""
    if offer.capability.ends is None:
        return await found
    return [part async for part in ended(cls.profile.id, offer.capability, found)]


async def replay(cls: type[Provider], offer: Answer, case: Case) -> list[str]:
    """What is wrong with a case; empty when the adapter did exactly as recorded."""
    script = Script(case)
    try:
        found = misfit(offer, case)
    except ValueError as error:
        return [f"its ask cannot be read: {error}"]
    try:
        outcome = await ask(cls, offer, case, script)
    except Departure as departure:
        return [str(departure)]
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises is the finding
        return [f"crashes with {type(error).__name__}: {error}"]
    if case.error is not None or outcome.error is not None:
        found += compare_refusal(case, outcome)
    else:
        different = first_difference(case.expect, plain(outcome.answer))
        found += [different] if different else unsound_answer(offer, case, outcome.answer)
    found += [f"the exchange {e.method} {e.path} {dict(e.params or {})} was not used" for e in script.left]
    return found


def unsound_answer(offer: Answer, case: Case, answer: Any) -> list[str]:
    """What a right answer may not be, whatever the recording expects: see `Capability.check`."""
    found = list(unsound(answer))
    check = offer.capability.check
    return found if found or check is None else list(check(ask_of(offer.capability, case.ask), answer))


def compare_refusal(case: Case, outcome: Outcome) -> list[str]:
    """Compare an error with the code expected, where either is there."""
    if outcome.error is None:
        return [f"answers {plain(outcome.answer)!r:.200} where {case.error} was expected"]
    if case.error is None:
        return [f"raises {outcome.error.code} ({outcome.error}) where an answer was expected"]
    wrong = []
    if outcome.error.code != case.error:
        wrong.append(f"raises {outcome.error.code} ({outcome.error}) where {case.error} was expected")
    if KEY in str(outcome.error):
        wrong.append("its error shows the key")
    return wrong


def misfit(offer: Answer, case: Case) -> list[str]:
    """Why the core would never put an answered case's question to this provider."""
    if case.error is not None:
        return []
    question = ask_of(offer.capability, case.ask)
    items = offer.capability.items
    parts = items.of(question) if items else ()
    singles = [items.only(question, (part,)) for part in parts] if items else [question]
    found = [f"does not cover {plain(one)}, so nobody would ask it" for one in singles if not offer.covers(one)]
    if offer.max_batch is not None and len(parts) > offer.max_batch:
        found.append(f"takes {offer.max_batch} items a call, the case asks {len(parts)}")
    if isinstance(question, CandlesAsk) and question.interval not in offer.intervals:
        found.append(f"does not declare the interval {question.interval}")
    return found


def first_difference(expected: Any, got: Any, path: str = "$") -> str | None:
    """Where two plain values part, in words; None when they are equal."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in dict.fromkeys((*expected, *got)):
            if name not in got:
                return f"{path}.{name} is missing, expected {expected[name]!r:.200}"
            if name not in expected:
                return f"{path}.{name} is {got[name]!r:.200}, which is not expected"
            if different := first_difference(expected[name], got[name], f"{path}.{name}"):
                return different
        return None
    if isinstance(expected, list) and isinstance(got, list):
        for index, (one, other) in enumerate(zip(expected, got, strict=False)):
            if different := first_difference(one, other, f"{path}[{index}]"):
                return different
        return None if len(expected) == len(got) else f"{path} has {len(got)} items, expected {len(expected)}"
    if type(expected) is type(got) and expected == got:
        return None
    return f"{path} is {got!r:.200}, expected {expected!r:.200}"
