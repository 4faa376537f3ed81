"""`marketgate candles`: a price series of any length, joined from pages without gap or overlap."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.cli.link import Answer, Link, Problem, Where, connect, say_origin
from gateway.cli.outcome import Code, Stop, say, usage
from gateway.cli.output import Form
from gateway.cli.pages import EXTENDED_PIECE_ROWS, PIECE_ROWS, Piece, cut, in_order
from gateway.cli.series import Page, Writer, joined_gaps, writer_for
from gateway.core.clock import Clock, SystemClock
from schema.scalars import datetime_text
from schema.words.candles import Adjustment
from schema.words.intervals import Interval
from schema.words.venues import TradingHours

QUERY = """
query Candles($symbol: String!, $interval: Interval!, $start: DateTime, $end: DateTime, $last: Int, $before: Cursor,
              $adjustment: Adjustment!, $hours: TradingHours!, $route: RouteInput, $asRows: Boolean!) {
  candles(symbol: $symbol, interval: $interval, start: $start, end: $end, last: $last, before: $before,
          adjustment: $adjustment, hours: $hours, route: $route) {
    instrument { id }
    interval currency timeZone adjustment hours
    columns @skip(if: $asRows) { openTime open high low close volume closed }
    rows @include(if: $asRows) {
      openTime sessionDate open high low close volume quoteVolume vwap tradeCount closed filled
    }
    gaps { start end missing }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    provenance { provider mode asOf fetchedAt attribution }
  }
}
"""
TIMEOUT_MS = 30_000
TRIES = 6
LONGEST_WAIT = 65.0
WORTH_WAITING = frozenset({"UPSTREAM_THROTTLED", "UPSTREAM_UNAVAILABLE", "DEADLINE_EXCEEDED"})
SAME = ("currency", "timeZone", "adjustment", "hours")
MOST_LAST = 100_000
LONG = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The series that the user asked for."""

    symbol: str
    interval: Interval
    start: datetime | None = None
    end: datetime | None = None
    last: int | None = None
    adjustment: Adjustment = Adjustment.SPLITS
    hours: TradingHours = TradingHours.REGULAR
    providers: list[str] | None = None
    form: Form = Form.LINES

    def check(self) -> None:
        """Stop for what no gateway could answer."""
        if self.start is not None and self.end is not None and not self.start < self.end:
            raise usage("--end: must be after --start: ranges are [start, end)")
        if self.last is not None and not 1 <= self.last <= MOST_LAST:
            raise usage(f"--last: must be 1 to {MOST_LAST:,}, not {self.last}; --start fetches longer series")


@dataclass(slots=True)
class Series:
    """What was fetched so far; every page must belong to the same series."""

    wish: Wish
    writer: Writer
    first: Page | None = None
    count: int = 0
    gaps: list[Any] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)

    def add(self, page: Page) -> None:
        """Write a page; Stop where it would mix two kinds of prices."""
        self.first = self.first or page
        for name in SAME:
            if page[name] != self.first[name]:
                raise Stop(
                    f"{self.wish.symbol}: {name} changes from {self.first[name]} to {page[name]} within the range"
                )
        modes = {made["mode"] for made in (*self.made.values(), *page["provenance"])}
        if len(modes) > 1:
            raise Stop(f"{self.wish.symbol}: {' and '.join(sorted(modes))} data must not be joined in one series")
        self.made |= {made["provider"]: made for made in page["provenance"] if made["provider"] not in self.made}
        self.count += len(page["rows"] if "rows" in page else page["columns"]["openTime"])
        self.gaps += page["gaps"]
        self.writer.page(page)

    def end(self) -> None:
        """Finish the document if it was begun."""
        if self.first is not None:
            self.writer.end(joined_gaps(self.gaps), list(self.made.values()))


class Fetcher:
    """Asks for pages; once a provider has answered, the others are asked only where it fails."""

    def __init__(self, link: Link, wish: Wish, clock: Clock) -> None:
        self._link, self._wish, self._clock = link, wish, clock
        self._chosen: str | None = None
        self._rows = wish.form is Form.JSON or not wish.interval.intraday

    async def piece(self, piece: Piece) -> Page | None:
        """The candles of a piece; None where the venue was closed all the time."""
        return await self.page(start=piece.start, end=piece.end)

    async def page(self, **bounds: Any) -> Page | None:
        """A page by the chosen provider, or by another one if that fails."""
        chosen = self._chosen
        if chosen is not None:
            answer = await self._patiently([chosen], bounds)
            if answer.data.get("candles") is not None:
                return self._page(answer)
            say(f"{self._wish.symbol}: {chosen} does not answer all of the range, others are asked for the rest")
            self._chosen = None
        return self._page(await self._patiently(self._wish.providers, bounds))

    def _page(self, answer: Answer) -> Page | None:
        page: Page = answer.root("candles", self._wish.symbol)
        # A piece may lie within a night or a holiday: nobody was asked for it.
        if not page["provenance"]:
            return None
        if self._chosen is None:
            self._chosen = page["provenance"][0]["provider"]
        return page

    async def _patiently(self, providers: list[str] | None, bounds: Mapping[str, Any]) -> Answer:
        """Ask again where the upstream says when, so that a long range keeps to its limits."""
        for tried in range(1, TRIES + 1):
            answer = await self._link.ask(QUERY, self._variables(providers, bounds))
            wait = _wait(answer.problems, tried)
            if wait is None or tried == TRIES:
                break
            await self._clock.sleep(wait)
        return answer

    def _variables(self, providers: list[str] | None, bounds: Mapping[str, Any]) -> dict[str, Any]:
        wish = self._wish
        texts = {k: datetime_text(v) if isinstance(v, datetime) else v for k, v in bounds.items()}
        route = {"timeoutMs": TIMEOUT_MS, **({"providers": providers} if providers else {})}
        return {
            "symbol": wish.symbol, "interval": wish.interval.value, "adjustment": wish.adjustment.value,
            "hours": wish.hours.value, "route": route, "asRows": self._rows, **texts,
        }  # fmt: skip


async def run(where: Where, wish: Wish, clock: Clock | None = None) -> Code:
    """Fetch, write as it comes, and say what is missing."""
    wish.check()
    clock = clock or SystemClock()
    pieces = pieces_of(wish, clock)
    expected = wish.last or (len(pieces) * PIECE_ROWS if pieces else 100)
    series = Series(wish, writer_for(wish.form, expected))
    async with connect(where) as link:
        fetcher = Fetcher(link, wish, clock)
        try:
            await collect(series, fetcher, pieces)
        except Stop as stop:
            if not series.count:
                raise
            say(f"{stop.message}; written are {series.count} candles up to there")
            return Code.PARTIAL
        finally:
            series.end()
            say_origin(link, list(series.made.values()))
    if series.first is None:
        raise usage(f"{wish.symbol}: the range holds no trading time: choose another one")
    return _verdict(series)


def _verdict(series: Series) -> Code:
    missing = sum(gap["missing"] for gap in series.gaps)
    if missing:
        places = len(joined_gaps(series.gaps))
        say(f"{series.wish.symbol}: {missing} missing candles in {places} gap{'s' if places > 1 else ''}")
    return Code.ALL if series.count else Code.NOTHING


async def collect(series: Series, fetcher: Fetcher, pieces: list[Piece]) -> None:
    """Fetch the pieces into the series."""
    wish = series.wish
    if pieces:
        # The first page alone settles who answers, before the others are asked at once.
        head = await fetcher.piece(pieces[0])
        with _progress(wish, len(pieces)) as advance:
            if head is not None:
                series.add(head)
            advance()
            async for page in in_order(pieces[1:], fetcher.piece):
                if page is not None:
                    series.add(page)
                advance()
    elif wish.last is not None and wish.last > PIECE_ROWS:
        for page in reversed([page async for page in _backwards(wish, fetcher)]):
            series.add(page)
    else:
        found = await fetcher.page(start=wish.start, end=wish.end, last=wish.last)
        if found is not None:
            series.add(found)


async def _backwards(wish: Wish, fetcher: Fetcher) -> AsyncIterator[Page]:
    """Pages from the newest to the oldest: how far back so many candles reach is the gateway's knowledge."""
    left, before = wish.last or 0, None
    with _progress(wish, -(-left // PIECE_ROWS)) as advance:
        while left > 0:
            count = min(left, PIECE_ROWS)
            page = await fetcher.page(start=wish.start, end=wish.end, last=count, before=before)
            if page is None:
                return
            yield page
            advance()
            left, before = left - count, page["pageInfo"]["startCursor"]
            if not page["pageInfo"]["hasPreviousPage"]:
                return


def pieces_of(wish: Wish, clock: Clock) -> list[Piece]:
    """The pieces of a range; none where the count decides."""
    if wish.start is None or wish.last is not None:
        return []
    now = clock.now()
    if wish.start >= now:
        raise usage("--start: is in the future")
    # The forming candle belongs to the last piece, and to no other.
    end = min(wish.end, now + wish.interval.delta) if wish.end is not None else now + wish.interval.delta
    rows = PIECE_ROWS if wish.hours is TradingHours.REGULAR else EXTENDED_PIECE_ROWS
    return [piece for piece in cut(wish.interval, wish.start, end, rows) if piece.start < now]


def _wait(problems: tuple[Problem, ...], tried: int) -> float | None:
    """Seconds until it is worth asking again; None where it is not."""
    if not problems or problems[0].code not in WORTH_WAITING:
        return None
    told = problems[0].retry_after
    if told is None:
        return float(tried) if tried <= 2 else None
    return min(told + 0.1, LONGEST_WAIT)


@contextmanager
def _progress(wish: Wish, pages: int) -> Iterator[Any]:
    """A bar on stderr, for a long range on a terminal, unless data is written to the same terminal meanwhile."""
    streaming = wish.form is not Form.TABLE and sys.stdout.isatty()
    if pages < LONG or streaming or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task(f"{wish.symbol} {wish.interval}", total=pages)
        yield lambda: bar.advance(task)
