"""How many processes share an upstream's limits: each says again and again that it is there."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast
from uuid import uuid4

from redis.asyncio import Redis

from gateway.core.link import RedisLink

KEY = "marketgate:quota:processes"
EVERY_S = 5.0
GONE_S = 15.0
"""A process that was silent for this long has ended."""

_BEAT = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local names = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(names)
for i, name in ipairs(names) do
  if name == ARGV[1] then return {#names, i - 1} end
end
"""


class Members:
    """As this process last knew: itself alone where there never was Redis."""

    def __init__(self, link: RedisLink, name: str | None = None) -> None:
        self._link, self.name = link, name or uuid4().hex
        self.count, self.rank = 1, 0

    async def beat(self) -> None:
        """Say that this process is there, and learn who else is."""

        async def question(redis: Redis) -> list[int]:
            return await cast(Awaitable[list[int]], redis.eval(_BEAT, 1, KEY, self.name, str(int(GONE_S * 1000))))

        self.count, self.rank = await self._link.ask(question, otherwise=[self.count, self.rank])

    async def leave(self) -> None:
        """This process ends."""

        async def question(redis: Redis) -> int:
            return int(await redis.zrem(KEY, self.name))

        await self._link.ask(question, otherwise=0)
