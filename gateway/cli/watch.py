"""`marketgate watch`: quotes as they change, a line each, until it is interrupted."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from gateway.cli.link import Answer, Link, Lost, Where, connect, say_origin
from gateway.cli.outcome import Code, Stop, one_line, say
from gateway.cli.output import Form, shown, write_rows

QUERY = """
subscription Watch($symbols: [String!]!, $everyMs: Int, $route: RouteInput) {
  quotes(symbols: $symbols, everyMs: $everyMs, route: $route) {
    cursor snapshot skipped
    quotes {
      instrument { id }
      price currency bid ask changePercent
      provenance { provider mode asOf fetchedAt }
    }
    notices { code symbol provider message }
  }
}
"""
COLUMNS = ("time", "instrument", "price", "currency", "bid", "ask", "changePercent", "provider")
WIDTHS = (24, 20, 16, 6, 16, 16, 10, 1)
PAUSE = (1.0, 30.0)
"""Seconds before a lost connection is tried again: the first time, and the longest."""


async def run(
    where: Where, symbols: Sequence[str], *, form: Form, every_ms: int, providers: list[str] | None, count: int | None
) -> Code:
    """Write what comes; a lost connection is taken up again behind the last message."""
    variables = {
        "symbols": list(symbols),
        "everyMs": every_ms,
        "route": {"providers": providers} if providers else None,
    }
    watching = _Watching(form, count)
    async with connect(where) as link:
        pause = PAUSE[0]
        while True:
            before = watching.cursor
            try:
                return await watching.follow(link, variables)
            except Lost as lost:
                if watching.cursor is None:
                    raise Stop(f"{lost}: check the address that --url names") from None
                pause = PAUSE[0] if watching.cursor != before else min(2 * pause, PAUSE[1])
                wait = pause * random.uniform(0.5, 1.0)
                say(f"{lost}; trying again in {wait:.1f} s")
                await asyncio.sleep(wait)


class _Watching:
    """What was written, and how far."""

    def __init__(self, form: Form, count: int | None) -> None:
        self._form, self._left = form, count
        self.cursor: str | None = None

    async def follow(self, link: Link, variables: dict[str, Any]) -> Code:
        """Until the gateway ends the stream, or enough has come."""
        async with aclosing(link.listen(QUERY, variables, self.cursor)) as answers:
            async for answer in answers:
                self._take(link, answer)
                if self._left == 0:
                    break
        return Code.ALL

    def _take(self, link: Link, answer: Answer) -> None:
        update = answer.root("quotes", "quotes")
        if self.cursor is None:
            say_origin(link, [quote["provenance"] for quote in update["quotes"]])
            if self._form is not Form.JSON:
                _write(self._form, COLUMNS)
        for notice in update["notices"]:
            about = " ".join(each for each in (notice["symbol"], notice["provider"]) if each)
            say(f"{about}: {notice['message']} ({notice['code']})" if about else f"{notice['message']}")
        if update["skipped"]:
            say(f"{update['skipped']} updates were left out: this reader is slower than they come")
        if self._form is Form.JSON:
            json.dump({"quotes": update}, sys.stdout, ensure_ascii=False, separators=(",", ":"))
            sys.stdout.write("\n")
        else:
            for quote in update["quotes"]:
                _write(self._form, _row(quote))
        sys.stdout.flush()
        self.cursor = update["cursor"]
        if self._left is not None:
            self._left -= 1


def _row(quote: Any) -> tuple[object, ...]:
    made = quote["provenance"]
    return (
        made["asOf"] or made["fetchedAt"], quote["instrument"]["id"], quote["price"], quote["currency"], quote["bid"],
        quote["ask"], quote["changePercent"], made["provider"],
    )  # fmt: skip


def _write(form: Form, row: Sequence[object]) -> None:
    if form is Form.TABLE:
        cells = [one_line(shown(value)).ljust(width) for value, width in zip(row, WIDTHS, strict=True)]
        print("  ".join(cells).rstrip())
    else:
        write_rows(form, [row])
