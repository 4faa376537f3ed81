"""The way of plain GraphQL requests past the layers; a known one is answered from kept bytes at once.

Under our own server that is while its bytes are read, without a task; under others in the task that they make.

Nothing that is remembered of a request is believed: its credential, its policy, its limits and the freshness of its
answer are checked anew each time. Whatever is not at hand takes the way of requests that nobody has sent before.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping
from functools import partial
from time import perf_counter
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.core.metrics import Tally
from gateway.core.tracing import TRACES
from gateway.edge.body import ClientGone, read_body
from gateway.edge.errors import Refused
from gateway.edge.execute import Executor, RequestFacts
from gateway.edge.http import CREDENTIALS, GraphQLEndpoint, wanted_by
from gateway.edge.kept import Header, rendered
from gateway.edge.limits import EdgeSettings
from gateway.edge.memo import Memos, Pieces
from gateway.edge.middleware import access_log, request_id
from gateway.edge.middleware.proxies import TrustedProxies
from gateway.edge.negotiation import media_type_for
from gateway.edge.requesttraces import TRACE, kept_span
from gateway.edge.responses import Entry, Place
from gateway.edge.short import GONE, Short
from gateway.edge.whole import Answer

PATH = "/graphql"
KNOWN = (b"authorization", b"x-api-key", b"accept", b"accept-encoding", b"content-type")
"""Headers by which a request is known again."""
UNUSUAL = (
    b"cookie", b"origin", b"sec-fetch-mode", b"marketgate-cost", b"content-encoding", b"transfer-encoding", b"expect",
    b"traceparent", b"x-csrf-token", b"upgrade",
)  # fmt: skip
"""Headers that ask for what the layers see to, or that say more of the sender than is remembered."""
WATCHED = {
    **dict.fromkeys((*KNOWN, b"content-length", b"if-none-match", request_id.HEADER), True),
    **dict.fromkeys(UNUSUAL, False),
}
SLIM = ("type", "method", "path", "scheme", "client")
LONGEST_LENGTH = 9
"""Digits of a `Content-Length` that may be usual."""
HITS = Tally("marketgate_front_hits", "Requests that were known and answered from kept bytes at once.")

LOG = structlog.get_logger("marketgate.front")

Found = dict[bytes, bytes]
Key = tuple[Any, ...]
Known = tuple[Key, Found, Scope]
Hit = tuple[int, list[Header], tuple[bytes, ...]]
"""Status, headers with the request's name, parts of the body."""


class Front:
    """Stands before the layers."""

    def __init__(self, app: ASGIApp, *, executor: Executor, settings: EdgeSettings, extra: Mapping[str, str]) -> None:
        self._app, self._executor, self._settings = app, executor, settings
        self._proxies = TrustedProxies(app, settings.trusted_proxies)
        self._short = Short(GraphQLEndpoint(executor, settings), settings, extra)
        self._read = partial(read_body, headers={}, most=settings.max_body_bytes, timeout_s=settings.body_timeout_s)
        self._memos, self._pieces = Memos(), Pieces()
        # Picks log lines and names requests; it guards nothing.
        self._random = random.Random()
        self._logged = 1.0 / settings.hits_per_log_line if settings.hits_per_log_line else 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._scan(scope) if scope["type"] == "http" and scope["path"] == PATH else None
        if found is None:
            await self._app(scope, receive, send)
            return
        started, get = perf_counter(), scope["method"] == "GET"
        try:
            asked = scope["query_string"] if get else await self._read(receive)
        except ClientGone:
            access_log.note(scope, GONE, 0, started)
            return
        except Refused as refused:
            await self._short.answer(scope, receive, send, refused)
            return
        key = _key(scope, found, asked)
        hit = self._hit(key, found)
        if hit is not None:
            status, headers, content = hit
            await self._short.send(scope, send, status, headers, content)
            self._sometimes_noted(scope, hit, started)
            return
        answered = await self._short.answer(scope, receive, send, None if get else asked)
        if answered is not None and answered[0].kept is not None:
            self._remember(key, len(asked), answered[0].kept, answered[1], found)

    def answered(self, scope: Scope, body: bytes) -> Answer | None:
        """See `gateway.edge.whole.AtOnce`."""
        try:
            if scope["path"] != PATH:
                return None
            self._proxies.believe(scope)
            found = self._scan(scope)
            if found is None:
                return None
            asked = scope["query_string"] if scope["method"] == "GET" else body
            # Without the connection: what is remembered must not keep it.
            slim = {name: scope[name] for name in SLIM}
            return self._answer((_key(scope, found, asked), found, slim))
        except Exception:
            LOG.exception("front_failed")
            return None

    def again(self, sent: Hashable) -> Answer | None:
        """See `gateway.edge.whole.AtOnce`."""
        known = self._pieces.get(sent)
        try:
            return None if known is None else self._answer(known)
        except Exception:
            LOG.exception("front_failed")
            return None

    def learn(self, sent: Hashable, size: int, known: Known) -> None:
        """See `gateway.edge.whole.AtOnce`."""
        self._pieces.put(sent, size, known)

    def _answer(self, known: Known) -> Answer | None:
        started, (key, found, scope) = perf_counter(), known
        hit = self._hit(key, found)
        if hit is None:
            return None
        self._sometimes_noted(scope, hit, started)
        status, headers, content = hit
        return Answer(status, self._short.lines(scope), headers, content, known)

    def _sometimes_noted(self, scope: Scope, hit: Hit, started: float) -> None:
        if self._random.random() < self._logged:
            access_log.note(scope, hit[0], sum(map(len, hit[2])), started, kept=True)

    def _scan(self, scope: Scope) -> Found | None:
        """The headers that count; None for a request that is not plain."""
        method = scope["method"]
        if method not in ("POST", "GET"):
            return None
        found: Found = {}
        for name, value in scope["headers"]:
            plain = WATCHED.get(name)
            if plain is None:
                continue
            if not plain or name in found:
                return None
            found[name] = value
        accept = found.get(b"accept")
        if accept is not None and (b"event-stream" in accept or b"multipart" in accept):
            return None
        if method == "POST":
            length = found.get(b"content-length", b"")
            if not length.isdigit() or len(length) > LONGEST_LENGTH or int(length) > self._settings.max_body_bytes:
                return None
        return found

    def _hit(self, key: Key, found: Found) -> Hit | None:
        """The kept answer, if all that led to it still holds; None, and nothing is charged, where it does not."""
        memo = self._memos.get(key)
        if memo is None:
            return None
        gate, responses, place = self._executor.gate, self._executor.responses, memo.place
        if responses is None or responses.clock.monotonic() >= memo.until:
            self._memos.drop(key)
            return None
        principal = gate.recognise(memo.facts)
        if principal is None:
            return None
        same = principal is memo.principal or principal == memo.principal
        if not same or place.epoch != responses.epoch(principal.tenant):
            self._memos.drop(key)
            return None
        entry = responses.get(memo.answer)
        if entry is None:
            return None
        admission = gate.admit_now(place.prepared, principal, memo.facts)
        if admission is None:
            return None
        admission.release(None, False)
        HITS.value += 1
        for course in memo.courses:
            course.kept += 1
        given = found.get(request_id.HEADER)
        name = (request_id.sane(given) if given else None) or f"{self._random.getrandbits(128):032x}"
        known = found.get(b"if-none-match")
        status, headers, body = rendered(
            responses, entry, memo.wanted, {"requestId": name, **admission.extensions},
            () if admission.told is None else admission.told.lines,
            known.decode("latin-1") if known else None,
        )  # fmt: skip
        headers.append((request_id.HEADER, name.encode()))
        if TRACES.tracer is not None and (line := kept_span(place.prepared, principal, name)):
            headers.append((TRACE, line))
        return status, headers, body

    def _remember(self, key: Key, size: int, kept: tuple[Place, Entry], facts: RequestFacts, found: Found) -> None:
        media, responses = media_type_for(_text(found.get(b"accept"))), self._executor.responses
        if media is None or responses is None:
            return
        headers = {name: facts.headers[name] for name in CREDENTIALS if name in facts.headers}
        slim = RequestFacts(request_id="", transport=facts.transport, client_ip=facts.client_ip, headers=headers)
        sent = {**headers, "accept-encoding": _text(found.get(b"accept-encoding")) or ""}
        wanted = wanted_by("GET" if key[0] else "POST", sent, media)
        self._memos.put(key, size, slim, kept, wanted, responses.clock.monotonic())


def _key(scope: Scope, found: Found, asked: bytes) -> Key:
    client = scope.get("client")
    return (scope["method"] == "GET", asked, client[0] if client else None, *map(found.get, KNOWN))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
