"""The client for asyncio: the same methods as `Client`, awaited."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, Self, overload

import httpx

from marketgate_client.errors import MarketgateError, shaped
from marketgate_client.frame import CandleFrame
from marketgate_client.gateway import (
    Gateway,
    Request,
    asked,
    endpoint_of,
    request_of,
    root_of,
    subscription_of,
    utc_now,
)
from marketgate_client.generated.asyncmethods import AsyncQuestions
from marketgate_client.generated.enums import Adjustment, Interval, TradingHours
from marketgate_client.generated.inputs import RouteInput
from marketgate_client.generated.operations import CANDLE_PAGE, VIEWER
from marketgate_client.history import MOST_ROWS, Fetched, History, Numbers, Part, frame_of
from marketgate_client.http import Answer, Retry, answer_of, failure_of
from marketgate_client.streams import AsyncStream
from marketgate_client.wire import Operation, T


class AsyncClient(AsyncQuestions):
    """One gateway. The methods of AsyncQuestions ask typed questions, each of one field; all raise MarketgateError."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        token: str | None = None,
        timeout: float = 30.0,
        retry: Retry | None = None,
        trust_env: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """*timeout* is in seconds, for each request; *trust_env* takes proxies from the environment."""
        self._gateway = Gateway(
            url=endpoint_of(url),
            api_key=api_key,
            token=token,
            timeout_s=timeout,
            retry=retry or Retry(),
            trust_env=trust_env,
            ssl_context=ssl_context,
            now=now,
        )
        self._sleep = sleep
        self._http = httpx.AsyncClient(**self._gateway.http_options())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; streams are closed by themselves."""
        await self._http.aclose()

    async def execute(
        self, document: str, variables: Mapping[str, object] | None = None, *, operation_name: str | None = None
    ) -> Answer:
        """The answer of any query or mutation, as JSON; variables may hold Decimal, datetime, enums and inputs."""
        return await self._send(request_of(document, variables, operation_name))

    def subscribe(
        self, document: str, variables: Mapping[str, object] | None = None, *, after: str | None = None
    ) -> AsyncStream[Mapping[str, Any]]:
        """The messages of any subscription, as JSON; it resumes where the root field has a `cursor`."""
        return self._stream(subscription_of(document), variables or {}, after)

    @overload
    async def candles(
        self,
        symbols: Iterable[str],
        interval: Interval | str,
        start: datetime,
        end: datetime | None = None,
        *,
        numbers: Literal["decimal"] = "decimal",
        adjustment: Adjustment | str | None = None,
        hours: TradingHours | str | None = None,
        route: RouteInput | None = None,
        cache: str | os.PathLike[str] | None = None,
        parallel: int = 4,
        chunk: int = MOST_ROWS,
    ) -> CandleFrame[Decimal]: ...

    @overload
    async def candles(
        self,
        symbols: Iterable[str],
        interval: Interval | str,
        start: datetime,
        end: datetime | None = None,
        *,
        numbers: Literal["float64"],
        adjustment: Adjustment | str | None = None,
        hours: TradingHours | str | None = None,
        route: RouteInput | None = None,
        cache: str | os.PathLike[str] | None = None,
        parallel: int = 4,
        chunk: int = MOST_ROWS,
    ) -> CandleFrame[float]: ...

    async def candles(
        self,
        symbols: Iterable[str],
        interval: Interval | str,
        start: datetime,
        end: datetime | None = None,
        *,
        numbers: Numbers = "decimal",
        adjustment: Adjustment | str | None = None,
        hours: TradingHours | str | None = None,
        route: RouteInput | None = None,
        cache: str | os.PathLike[str] | None = None,
        parallel: int = 4,
        chunk: int = MOST_ROWS,
    ) -> CandleFrame[Decimal] | CandleFrame[float]:
        """All candles that begin in `[start, end)`, of all symbols, in one frame; *end* is by default now.

        Parts of at most *chunk* candles are fetched, *parallel* at a time. With a folder as *cache* finished parts
        are kept there, and the same call after an interruption fetches only the rest; first the gateway is asked
        whether it is live, so that no history of its offline market is taken for one. What the data refuse is in
        `failures`; what ails the caller, the gateway or the network is raised.
        """
        history = self._gateway.history(
            symbols,
            interval,
            start,
            end,
            options={"adjustment": adjustment, "hours": hours, "route": route},
            cache=cache,
            numbers=numbers,
            parallel=parallel,
            chunk=chunk,
        )
        if history.shelf is not None:
            history.mode = (await self._send(asked(VIEWER, {}))).mode
        found = await self._parts(history, parallel)
        return frame_of(history, found, numbers)

    async def _parts(self, history: History, parallel: int) -> list[Fetched]:
        places = asyncio.Semaphore(parallel)
        tasks = [asyncio.create_task(self._part(history, part, places)) for part in history.parts]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _part(self, history: History, part: Part, places: asyncio.Semaphore) -> Fetched:
        async with places:
            if (kept := await asyncio.to_thread(history.kept, part)) is not None:
                return kept
            try:
                answer = await self._root(CANDLE_PAGE, history.variables(part))
            except MarketgateError as error:
                return history.failed(part, error)
            return await asyncio.to_thread(history.take, part, answer)

    async def _ask(self, operation: Operation[T], variables: Mapping[str, object]) -> T:
        return shaped(operation.read, await self._root(operation, variables))

    def _stream(self, operation: Operation[T], variables: Mapping[str, object], after: str | None) -> AsyncStream[T]:
        return AsyncStream(self._gateway.socket(), self._gateway.conversation(operation, variables, after))

    async def _root(self, operation: Operation[T], variables: Mapping[str, object]) -> Any:
        return root_of(operation, await self._send(asked(operation, variables)))

    async def _send(self, request: Request) -> Answer:
        attempt = 1
        while True:
            try:
                return answer_of(await self._post(request))
            except MarketgateError as error:
                wait = self._gateway.retry.wait(error, attempt, request.writes)
                if wait is None:
                    raise
            await self._sleep(wait)
            attempt += 1

    async def _post(self, request: Request) -> httpx.Response:
        try:
            return await self._http.post(self._gateway.url, content=request.body)
        except httpx.TransportError as error:
            raise failure_of(error) from error
