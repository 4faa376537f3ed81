"""`marketgate webhooks listen`: out to a gateway, and each event on to a receiver that no gateway could reach."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from gateway.cli.link import Answer, Later, Link, Lost, Where, connect
from gateway.cli.outcome import Code, Stop, say
from gateway.cli.output import Form
from gateway.cli.posting import Posted, Sender, Target
from gateway.cli.sent import Sent, write_head, write_sent

QUERY = """
subscription Listen($types: [String!]) {
  events(types: $types) {
    cursor
    event { id type occurredAt }
    delivery
    notices { code message }
  }
}
"""
PAUSE = (1.0, 30.0)
"""Seconds before a lost connection is tried again: the first time, and the longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is listened for, and where it goes."""

    to: Target
    types: Sequence[str] | None
    after: str | None
    count: int | None
    form: Form


async def run(where: Where, wish: Wish) -> Code:
    """Post what comes; a lost connection is taken up again behind the last event."""
    async with connect(where) as link, Sender.open(wish.to) as sender:
        forwarding = _Forwarding(wish, sender)
        pause = PAUSE[0]
        try:
            while True:
                before = forwarding.cursor
                try:
                    return await forwarding.follow(link)
                except (Lost, Later) as lost:
                    if not forwarding.begun:
                        raise _unreachable(lost) from None
                    pause = PAUSE[0] if forwarding.cursor != before else min(2 * pause, PAUSE[1])
                    wait = pause * random.uniform(0.5, 1.0)
                    say(f"{lost}; trying again in {wait:.1f} s")
                    await asyncio.sleep(wait)
        finally:
            if forwarding.begun:
                say(f"--after {forwarding.cursor} goes on from here")


def _unreachable(reason: Lost | Later) -> Stop:
    return reason if isinstance(reason, Later) else Stop(f"{reason}: check the address that --url names")


class _Forwarding:
    """What was sent on, and how far."""

    def __init__(self, wish: Wish, sender: Sender) -> None:
        self._wish, self._sender, self._left = wish, sender, wish.count
        self.cursor = wish.after
        self.begun = False

    async def follow(self, link: Link) -> Code:
        """Until enough has come; Lost where the gateway ends what has no end."""
        variables = {"types": self._wish.types}
        async with aclosing(link.listen(QUERY, variables, self.cursor)) as answers:
            async for answer in answers:
                await self._take(answer)
                if self._left == 0:
                    return Code.ALL
        raise Lost("the gateway ended the stream")

    async def _take(self, answer: Answer) -> None:
        update = answer.root("events")
        if not self.begun:
            self._begin()
        for notice in update["notices"]:
            say(f"{notice['message']} ({notice['code']})")
        if update["event"] is not None:
            await self._send(update["event"], update["delivery"])
        # Behind it only now: an event that was under way when all ended comes again.
        self.cursor = update["cursor"]

    def _begin(self) -> None:
        self.begun = True
        say(f"signing secret {self._wish.to.secret}" if self._wish.to.made else "signing with the secret given")
        say(f"forwarding to {self._wish.to.url}")
        write_head(self._wish.form)
        sys.stdout.flush()

    async def _send(self, event: Any, body: str) -> None:
        posted: Posted = await self._sender.post(event["id"], body)
        write_sent(self._wish.form, Sent(id=event["id"], type=event["type"], at=event["occurredAt"], posted=posted))
        sys.stdout.flush()
        if self._left is not None:
            self._left -= 1
