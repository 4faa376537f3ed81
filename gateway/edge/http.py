"""GraphQL over HTTP, by its specification, as one ASGI application."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl

import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from gateway.core.identity import Principal
from gateway.edge.begun import begin
from gateway.edge.body import ClientGone, parse_json, read_body
from gateway.edge.errors import Faults, Refused, masked
from gateway.edge.eventstream import EventStreams, framing_of
from gateway.edge.execute import (
    QUERY_AND_MUTATION,
    QUERY_ONLY,
    Executor,
    OperationRequest,
    OperationResult,
    PreparedOperation,
    RequestFacts,
    refused_result,
)
from gateway.edge.kept import Wanted, reply_of
from gateway.edge.leaving import while_there
from gateway.edge.limits import EdgeSettings, check_batch
from gateway.edge.middleware.compression import takes_gzip
from gateway.edge.negotiation import (
    JSON,
    check_content_encoding,
    check_content_type,
    check_get_origin,
    media_type_for,
    wants_page,
)
from gateway.edge.portions import encoded
from gateway.edge.replies import Reply, encode, send_reply

METHODS = "GET, POST, OPTIONS"
PARAMETERS = ("query", "documentId", "operationName", "variables", "extensions")
# Credentials and preferences that the context may read; the rest of a request's headers stays here.
PASSED_HEADERS = (
    "authorization", "x-api-key", "accept-language", "user-agent", "origin", "traceparent", "cookie", "x-csrf-token",
    "marketgate-cost",
)  # fmt: skip
MOST_KNOWN, LONGEST_KNOWN = 512, 16_384
"""Bodies that are known again, and the bytes of the longest of them."""
LIMITED = 429
T = TypeVar("T")
CREDENTIALS = ("authorization", "x-api-key", "cookie")


class GraphQLEndpoint:
    """The endpoint `/graphql`: negotiates, reads, hands over to the executor, encodes."""

    def __init__(self, executor: Executor, settings: EdgeSettings) -> None:
        self._executor, self._settings = executor, settings
        self._streams = EventStreams(executor, settings)
        self._known: dict[bytes, tuple[str, str | None]] = {}
        """Bodies whose operations were executed before: the document's hash and the operation's name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        facts = facts_of(scope, headers, self._settings.public_origin)
        method = scope["method"]
        framing = framing_of(headers.get("accept")) if method in ("GET", "POST") else None
        with suppress(ClientGone):
            if framing is not None:
                read = partial(self._asked, scope, headers) if method == "GET" else None
                await self._streams.answer(framing, scope, receive, send, headers, facts, read)
                return
            await send_reply(send, await self.reply(scope, receive, headers, facts))

    async def reply(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], facts: RequestFacts,
        body: bytes | Refused | None = None,
    ) -> Reply:  # fmt: skip
        """The answer, with the body that was read already, or could not be; ClientGone where nobody waits for it."""
        media = media_type_for(headers.get("accept"))
        try:
            return await self._answer(scope, receive, headers, media, facts, body)
        except Refused as refused:
            return await _reply(refused_result(refused, facts.request_id), media or JSON)

    async def _answer(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str], media: str | None, facts: RequestFacts,
        body: bytes | Refused | None,
    ) -> Reply:  # fmt: skip
        method = scope["method"]
        if method == "OPTIONS":
            return Reply(status=204, headers={"Allow": METHODS, "Accept-Post": JSON})
        if method == "GET" and self._settings.console and wants_page(headers):
            query = scope["query_string"].decode("latin-1")
            return Reply(status=303, headers={"Location": f"/console?{query}" if query else "/console"})
        if method not in ("GET", "POST"):
            message = f"{method} is not allowed here: use POST, or GET for queries."
            raise Refused("METHOD_NOT_ALLOWED", message, status=405, headers={"Allow": METHODS})
        if media is None:
            message = "The answer can be application/graphql-response+json or application/json; accept one of them."
            raise Refused("NOT_ACCEPTABLE", message, status=406)
        if method == "GET":
            result = await self._single(self._asked(scope, headers), facts, QUERY_ONLY, receive)
            return await self._encode(result, headers, media, method)
        text = await self._text(receive, headers, body)
        known = self._known.get(text)
        asked: OperationRequest | PreparedOperation | None = self._executor.recall(*known) if known else None
        if asked is None:
            payload = parse_json(text, "request body")
            if isinstance(payload, list):
                principal = await self._executor.identify(facts)
                return await self._encode_batch(await self._batch(payload, facts, principal), media, facts)
            asked = OperationRequest.of(payload)
        result = await self._single(asked, facts, QUERY_AND_MUTATION, receive, text)
        return await self._encode(result, headers, media, method)

    async def _single(
        self, request: OperationRequest | PreparedOperation, facts: RequestFacts, allowed: frozenset[OperationType],
        receive: Receive, text: bytes = b"",
    ) -> OperationResult:  # fmt: skip
        """Run one operation; a query ends with its client, a mutation goes on."""
        principal = await self._executor.identify(facts)
        if isinstance(request, PreparedOperation):
            prepared = request
        else:
            try:
                prepared = await _waited_for(self._executor.prepared(request, allowed, facts, principal), receive)
            except Refused as refused:
                raise await self._executor.charged(refused, facts, principal) from None
        running = self._executor.run(prepared, facts, principal)
        result: OperationResult = await (running if prepared.is_mutation else _waited_for(running, receive))
        if result.executed and prepared is not request:
            self._remember(text, prepared)
        return result

    def _remember(self, text: bytes, prepared: PreparedOperation) -> None:
        """What the same body asks for again; with variables or extensions there are too many."""
        request = prepared.request
        if not text or len(text) > LONGEST_KNOWN or not request.bare:
            return
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[text] = (prepared.document.hash, request.operation_name)

    async def _encode(self, result: OperationResult, headers: Mapping[str, str], media: str, method: str) -> Reply:
        """From the response cache as it keeps it, else anew."""
        responses = self._executor.responses
        if responses is None or result.place is None or result.entry is None:
            return await _reply(result, media)
        wanted, known = wanted_by(method, headers, media), headers.get("if-none-match") if method == "GET" else None
        return reply_of(responses, result.place, result.entry, wanted, result.extensions, result.headers, known)

    async def _text(self, receive: Receive, headers: Mapping[str, str], body: bytes | Refused | None) -> bytes:
        check_content_type(headers.get("content-type"))
        check_content_encoding(headers.get("content-encoding"))
        settings = self._settings
        if body is None:
            body = await read_body(receive, headers, most=settings.max_body_bytes, timeout_s=settings.body_timeout_s)
        elif isinstance(body, Refused):
            raise body
        return body

    def _asked(self, scope: Scope, headers: Mapping[str, str]) -> OperationRequest:
        """The operation of a GET."""
        check_get_origin(headers)
        return OperationRequest.of(self._query_parameters(scope["query_string"]))

    def _query_parameters(self, query_string: bytes) -> dict[str, object]:
        if len(query_string) > self._settings.max_query_string_bytes:
            raise Refused("URI_TOO_LONG", "The URL is too long: use POST.", status=414)
        try:
            pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
        except ValueError:
            raise Refused("BAD_REQUEST", "The URL's query is not valid percent-encoded UTF-8.") from None
        found: dict[str, object] = {}
        for name, value in pairs:
            if name not in PARAMETERS:
                continue
            if name in found:
                raise Refused("BAD_REQUEST", f"The parameter '{name}' is given twice.")
            found[name] = value
        for name in ("variables", "extensions"):
            text = found.get(name)
            if isinstance(text, str):
                found[name] = parse_json(text, f"parameter '{name}'") if text else None
        return found

    async def _batch(self, payload: list[object], facts: RequestFacts, principal: Principal) -> list[OperationResult]:
        """Answer every item at its place; one mutation makes the whole batch run in order."""
        most = self._settings.max_batch
        if not 1 <= len(payload) <= most:
            message = f"A batch holds 1 to {most} requests, not {len(payload)}."
            raise Refused("BATCH_LIMIT_EXCEEDED", message)
        try:
            check_batch(payload, self._settings)
        except Refused as refused:
            raise await self._executor.charged(refused, facts, principal) from None
        prepared = [await self._prepare(item, facts, principal) for item in payload]
        if any(isinstance(item, PreparedOperation) and item.is_mutation for item in prepared):
            return [await self._run(item, facts, principal) for item in prepared]
        # As many at a time as the caller may have under way: the others would be refused, however often they are sent.
        places = asyncio.Semaphore(max(1, principal.limits.concurrency))

        async def run(item: PreparedOperation | Refused) -> OperationResult:
            async with places:
                return await self._run(item, facts, principal)

        return list(await asyncio.gather(*map(run, prepared)))

    async def _prepare(self, item: object, facts: RequestFacts, principal: Principal) -> PreparedOperation | Refused:
        try:
            request = OperationRequest.of(item)
            return await self._executor.prepared(request, QUERY_AND_MUTATION, facts, principal, in_batch=True)
        except Refused as refused:
            return refused

    async def _run(
        self, item: PreparedOperation | Refused, facts: RequestFacts, principal: Principal
    ) -> OperationResult:
        if isinstance(item, Refused):
            return refused_result(await self._executor.charged(item, facts, principal), facts.request_id)
        return await self._executor.run(item, facts, principal)

    async def _encode_batch(self, results: list[OperationResult], media: str, facts: RequestFacts) -> Reply:
        body = b"[" + b",".join([await _body(r, facts.request_id) for r in results]) + b"]"
        cookies = [cookie for result in results for cookie in result.cookies]
        limited = all(result.status == LIMITED for result in results)
        headers = {**_tightest(results), **(_longest_wait(results) if limited else {})}
        return Reply(status=LIMITED if limited else 200, media=media, body=body, headers=headers, cookies=cookies)


async def _waited_for(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """What comes of it, as long as its client is there."""
    waits, result = begin(work)
    if waits:
        with while_there(receive):
            result = await result
    return cast(T, result)


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers by name, decoded once; of several with one name, all values as a list."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        # HTTP/2 lets a client part its cookies; a comma may stand inside one.
        between = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{between}{value}" if name in headers else value
    return headers


def wanted_by(method: str, headers: Mapping[str, str], media: str) -> Wanted:
    """How a kept answer is to be sent."""
    return _wanted(
        media, takes_gzip(headers.get("accept-encoding")), method == "GET", any(name in headers for name in CREDENTIALS)
    )


@lru_cache(maxsize=64)
def _wanted(media: str, gzip: bool, get: bool, private: bool) -> Wanted:
    return Wanted(media=media, gzip=gzip, get=get, private=private)


def facts_of(scope: Scope, headers: Mapping[str, str], public_origin: str = "") -> RequestFacts:
    """What the executor and the context may know of a request, or of a socket's handshake."""
    client = scope.get("client")
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", ""), scope.get("scheme", "http"))
    origin = headers.get("origin")
    return RequestFacts(
        request_id=scope.get("state", {}).get("request_id", ""),
        transport=scope["type"],
        client_ip=client[0] if client else None,
        headers={name: headers[name] for name in PASSED_HEADERS if name in headers},
        same_origin=origin is None or origin in (f"{scheme}://{headers.get('host', '')}", public_origin or None),
    )


def status_of(result: OperationResult, media: str) -> int:
    """`application/json` answers every well-formed request with 200; the GraphQL type tells by the status."""
    return 200 if media == JSON and result.well_formed else result.status


def _tightest(results: list[OperationResult]) -> Mapping[str, str]:
    """What the answers of a batch say of the limits: the one that leaves the least."""

    def left(result: OperationResult) -> int:
        cost = result.extensions.get("cost")
        return int(cost["remaining"]) if isinstance(cost, dict) else sys.maxsize

    told = min(results, key=left)
    return {name: value for name, value in told.headers.items() if name.startswith("RateLimit")}


def _longest_wait(results: list[OperationResult]) -> Mapping[str, str]:
    """When all of a batch that may ever run may run; nothing where none of it ever may."""
    waits = [int(wait) for result in results if (wait := result.headers.get("Retry-After"))]
    return {"Retry-After": str(max(waits))} if waits else {}


async def _reply(result: OperationResult, media: str) -> Reply:
    request_id = str(result.extensions["requestId"])
    try:
        body = await encoded(result.body())
    except (orjson.JSONEncodeError, RecursionError) as fault:
        result = refused_result(masked(fault, Faults(request_id=request_id)), request_id)
        body = encode(result.body())
    return Reply(
        status=status_of(result, media), media=media, body=body, headers=result.headers, cookies=result.cookies
    )


async def _body(result: OperationResult, request_id: str) -> bytes:
    try:
        return await encoded(result.body())
    except (orjson.JSONEncodeError, RecursionError) as fault:
        return encode(refused_result(masked(fault, Faults(request_id=request_id)), request_id).body())
