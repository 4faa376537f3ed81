"""Plain routes through the gate: a download is priced, charged and metered as an operation is, then streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.core.contract import Context, Download
from gateway.core.identity import Principal
from gateway.core.identity import Scope as Right
from gateway.edge.cost import Price
from gateway.edge.errors import Faults, Refused, expected, masked, stamp, turned_away
from gateway.edge.execute import Executor, RequestFacts
from gateway.edge.gate import Admission
from gateway.edge.http import facts_of, headers_of
from gateway.edge.limits import EdgeSettings
from gateway.edge.negotiation import JSON, check_get_origin
from gateway.edge.permissions import check_permission
from gateway.edge.replies import encode
from schema.errors import FailureCode, MarketgateError, NoAnswer, Refusal

SLOWEST_READ_S = 60.0
"""A caller who takes nothing for so long is gone, whatever the connection says."""
NOT_THERE = frozenset({FailureCode.NOT_COVERED, FailureCode.UNKNOWN_INSTRUMENT, FailureCode.NOT_RECORDED})
NO_STORE = {"Cache-Control": "no-store"}

Watch = Callable[[Callable[[str], None]], Callable[[], None]]
ContextFor = Callable[[RequestFacts, Principal], Context]

log = structlog.get_logger(__name__)


class EdgeAdmissions:
    """Serves the port `Admissions`."""

    def __init__(self, executor: Executor, context_for: ContextFor, settings: EdgeSettings) -> None:
        self._executor, self._context_for, self._settings = executor, context_for, settings

    async def download(
        self, request: Request, *, name: str, needs: Right, prepare: Callable[[Context], Awaitable[Download]]
    ) -> Response:
        """See `Admissions`."""
        headers = headers_of(request.scope)
        facts = facts_of(request.scope, headers, self._settings.public_origin)
        try:
            check_get_origin(headers)
            principal = await self._executor.identify(facts)
            return await self._begin(facts, principal, _price(name, needs, 0), prepare)
        except Refused as refused:
            return _refusal(refused, facts.request_id)
        except Refusal as refusal:
            return _refusal(turned_away(refusal), facts.request_id)
        except MarketgateError as error:
            return _refusal(_refused(error), facts.request_id)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the caller gets a masked answer
            return _refusal(masked(fault, Faults(request_id=facts.request_id)), facts.request_id)

    async def _begin(
        self, facts: RequestFacts, principal: Principal, least: Price, prepare: Callable[[Context], Awaitable[Download]]
    ) -> Response:
        """Up to the first part: whatever goes wrong until then is told in words."""
        check_permission(least, principal)
        context = self._context_for(facts, principal)
        found = await prepare(context)
        ((name, _),), (needs,) = least.fields.items(), least.needs
        admission = await self._executor.gate.admit_price(_price(name, needs, found.cost), principal, facts)
        if admission.price_only:
            body = {"extensions": {"requestId": facts.request_id, **admission.extensions}}
            return Response(encode(body), 200, {**NO_STORE, **admission.headers}, JSON)
        try:
            first = await anext(found.parts, b"")
        except BaseException:
            admission.release(context, True)
            raise
        watch = partial(self._executor.gate.watch, principal)
        return _Streamed(found, first, admission, context, watch)


class _Streamed(Response):
    """Sends part after part; breaks off, without the end that HTTP asks for, where one of them fails."""

    def __init__(self, found: Download, first: bytes, admission: Admission, context: Context, watch: Watch) -> None:
        self.status_code, self.background, self._watch = 200, None, watch
        self._found, self._first, self._admission, self._context = found, first, admission, context
        named = {"Content-Disposition": f'attachment; filename="{found.filename}"'}
        self.init_headers({**NO_STORE, **named, "Content-Type": found.media, **admission.headers})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until all is sent, something fails, or the caller is gone or may no more; what is under way is cancelled."""
        whole, ended = False, asyncio.Event()
        unwatch = self._watch(lambda reason: ended.set())
        writing = asyncio.create_task(self._write(send), name="download")
        leaving = asyncio.create_task(_left(receive), name="download.left")
        ending = asyncio.create_task(ended.wait(), name="download.ended")
        try:
            await asyncio.wait({writing, leaving, ending}, return_when=asyncio.FIRST_COMPLETED)
            whole = writing.done() and not writing.cancelled() and writing.exception() is None
            if writing.done() and not whole:
                self._tell(writing.exception())
        finally:
            unwatch()
            for task in (writing, leaving, ending):
                task.cancel()
            await asyncio.gather(writing, leaving, ending, return_exceptions=True)
            self._admission.release(self._context, not whole)

    def _tell(self, fault: BaseException | None) -> None:
        """What is expected needs no traceback."""
        if isinstance(fault, MarketgateError | TimeoutError):
            reason = f"{type(fault).__name__}: {fault}"[:300]
            log.warning("download_broken", file=self._found.filename, reason=reason)
        else:
            log.error("download_broken", file=self._found.filename, exc_info=fault)

    async def _write(self, send: Send) -> None:
        async with aclosing(self._found.parts) as parts:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _send(send, self._first)
            async for part in parts:
                await _send(send, part)
        await send({"type": "http.response.body", "body": b""})


async def _send(send: Send, part: bytes) -> None:
    """Returns once the caller has taken enough of what was sent before."""
    async with asyncio.timeout(SLOWEST_READ_S):
        await send({"type": "http.response.body", "body": part, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _price(name: str, needs: Right, cost: int) -> Price:
    return Price(cost=cost, fields={name: cost}, needs={needs: name}, person=None, asked={})


def _refused(error: MarketgateError) -> Refused:
    """The HTTP status says whose fault it is: the caller's, or the upstreams'."""
    refused = expected(error)
    if isinstance(error, NoAnswer):
        refused.status = 502
        if error.code in NOT_THERE:
            refused.status = 404
        elif error.code == FailureCode.DEADLINE_EXCEEDED:
            refused.status = 504
    return refused


def _refusal(refused: Refused, request_id: str) -> Response:
    extensions: Mapping[str, object] = {"requestId": request_id, **refused.extensions}
    body = {"errors": stamp(refused.errors, request_id), "extensions": extensions}
    return Response(encode(body), refused.status, {**NO_STORE, **refused.headers}, JSON)
