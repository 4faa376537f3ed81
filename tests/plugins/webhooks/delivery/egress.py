"""A way out without guards."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp

from gateway.core.ports import Posted, Unreachable


class PlainEgress:
    """gateway.core.ports.Egress, as far as the engine uses it."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], deadline_s: float, most: int = 65_536
    ) -> Posted:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(deadline_s):
                async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as reply:
                    latency = asyncio.get_running_loop().time() - begun
                    excerpt = await reply.content.read(most)
                    answered = {name.lower(): value for name, value in reply.headers.items()}
                    return Posted(status=reply.status, headers=answered, body=excerpt, latency_s=latency)
        except TimeoutError:
            raise Unreachable(f"no answer in {deadline_s:g} s") from None
        except aiohttp.ClientError as error:
            raise Unreachable(type(error).__name__) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
