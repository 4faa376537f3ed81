"""A receiver of webhooks as a process: notes what came when, takes everything, and never answers on `/hang…`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

OK = b"HTTP/1.1 204 No Content\r\n\r\n"

got: list[tuple[str, str, float]] = []
"""Path, event, and when it was there."""


class Receiving(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._read = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, rest = self._read.partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._read = rest[length:]
        path = first.split(" ")[1]
        if path == "/got":
            body = json.dumps(got).encode()
            got.clear()
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            return
        got.append((path, headers.get("webhook-id", ""), time.time()))
        if not path.startswith("/hang"):
            self._transport.write(OK)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Receiving, "127.0.0.1", port, backlog=2_048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
