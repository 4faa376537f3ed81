"""One reader of a shared execution: written to at once where it has frames, a short queue while it does not read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from gateway.edge.broadcasts import WAITING, Broadcast, Shout, with_extensions
from gateway.edge.frames import FrameWriter, head_of, next_frame
from gateway.edge.operation import OperationResult
from gateway.edge.wake import Wake

Put = Callable[[bytes], Awaitable[None]]
"""Send a payload; it waits for the client."""


class Listener:
    """gateway.edge.broadcasts.Ear over a way out; *told* stands beside the data of its first message.

    With a *writer* the frames of its operation, which are others' too, are written past *put* while the client reads.
    """

    def __init__(
        self, put: Put, told: Mapping[str, object], *, operation_id: str = "", writer: FrameWriter | None = None
    ) -> None:
        self._put, self._head, self._writer = put, head_of(operation_id), writer
        self._told: dict[str, object] = dict(told)
        self._waiting: list[tuple[Shout, int]] = []
        self._wake = Wake()
        self.owner = ""
        """The tenant of who reads."""
        self.broadcast: Broadcast | None = None
        self._missed = 0
        """How much of what waits is what it missed: that is let in beyond the bound."""
        self._lagging = self._over = self._parted = self.silent = False
        self._last: OperationResult | None = None

    def tell(self, shout: Shout, skipped: int = 0) -> int:
        """See `Ear`."""
        writer = self._writer
        if writer is not None and not self._waiting and not self._lagging and writer.free:
            if writer.open and not self.silent:
                writer.write(self._frame(shout, skipped))
            return 0
        if len(self._waiting) >= WAITING + self._missed:
            lost = len(self._waiting) + 1
            self._waiting.clear()
            self._missed, self._lagging = 0, True
            self._wake.set()
            return lost
        self._waiting.append((shout, skipped))
        self._wake.set()
        return 0

    def replay(self, shouts: Sequence[Shout]) -> None:
        """See `Ear`."""
        self._missed = len(shouts)
        self._waiting.extend((shout, 0) for shout in shouts)
        self._wake.set()

    def end(self, last: OperationResult | None) -> None:
        """See `Ear`."""
        self._over, self._last = True, last
        self._wake.set()

    def part(self) -> None:
        """See `Ear`."""
        self._parted = True
        self._wake.set()

    def parted(self) -> bool:
        """Whether it has to join anew; asked once."""
        parted, self._parted = self._parted, False
        return parted

    async def pump(self) -> OperationResult | None:
        """Until the end: write what waits as fast as the client reads. Its last answer, where it ended with one."""
        unwatch = self._writer.on_free(self._wake.set) if self._writer is not None else _nothing
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._drain()
                if self._parted:
                    return None
                if self._waiting:
                    continue
                if self._over:
                    return self._last
                self._missed = 0
                if self._lagging and self.broadcast is not None and (self._writer is None or self._writer.free):
                    self._lagging = False
                    self.broadcast.again(self)
        finally:
            unwatch()

    async def _drain(self) -> None:
        writer = self._writer
        while self._waiting:
            if writer is None:
                shout, skipped = self._waiting.pop(0)
                if not self.silent:
                    await self._put(self._payload(shout, skipped))
                continue
            if not writer.free:
                return
            shout, skipped = self._waiting.pop(0)
            if writer.open and not self.silent:
                writer.write(self._frame(shout, skipped))

    def _frame(self, shout: Shout, skipped: int) -> bytes:
        if not self._told and not skipped:
            return shout.frame(self._head)
        return next_frame(self._head, self._payload(shout, skipped))

    def _payload(self, shout: Shout, skipped: int) -> bytes:
        told, self._told = self._told, {}
        if skipped:
            told["skipped"] = skipped
        return with_extensions(shout.payload, told) if told else shout.payload


def _nothing() -> None:
    """Nothing is watched."""
