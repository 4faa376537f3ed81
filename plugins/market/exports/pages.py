"""The pages of a long range, one after the other: a page that was handed on is held no more."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

from gateway.core.contract import Context
from plugins.market.series import MOST_ROWS, Wanted, fetch_series
from schema.errors import FailureCode, MarketgateError, NoAnswer
from schema.provenance import DataMode
from schema.words.candles import CandleSeries

TRIES = 6
LONGEST_WAIT_S = 65.0
WORTH_WAITING = frozenset(
    {FailureCode.UPSTREAM_THROTTLED, FailureCode.UPSTREAM_UNAVAILABLE, FailureCode.DEADLINE_EXCEEDED}
)


class Mixed(MarketgateError):
    """The rest of the range is of another kind than its beginning: the two must not be joined."""

    code = FailureCode.UPSTREAM_MALFORMED


@dataclass(slots=True, kw_only=True)
class Range:
    """A long range under way. Once a provider has answered, the others are asked only where it fails."""

    context: Context
    wanted: Wanted
    page_rows: int = MOST_ROWS
    chosen: str | None = None
    mode: DataMode | None = None
    first: CandleSeries | None = None
    asked: int = field(default=0)

    async def pages(self) -> AsyncGenerator[CandleSeries, None]:
        """Until the range ends. NoAnswer where nobody has the rest of it."""
        after = None
        while True:
            wanted = replace(self.wanted, first=self.page_rows, after=after)
            series = await self._page(wanted)
            self._check(series)
            # Neither the time and the bound of one operation nor its log are meant for a range of any length.
            self.context.market.endless()
            self.context.local.clear()
            self.context.market.log.forget()
            yield series
            if not series.page_info.has_next_page:
                return
            after = series.page_info.end_cursor

    async def _page(self, wanted: Wanted) -> CandleSeries:
        self.asked += 1
        if self.chosen is not None:
            pinned = replace(wanted, terms=replace(wanted.terms, providers=(self.chosen,)))
            try:
                return await self._patiently(pinned)
            except NoAnswer:
                self.chosen = None
        # The first page refuses at once: the caller is told, and decides.
        series = await (fetch_series(self.context, wanted) if self.first is None else self._patiently(wanted))
        if series.provenance:
            self.chosen = series.provenance[0].provider
        return series

    async def _patiently(self, wanted: Wanted) -> CandleSeries:
        """Ask again where the upstream says when, so that a long range keeps to its limits."""
        tried = 0
        while True:
            tried += 1
            try:
                return await fetch_series(self.context, wanted)
            except NoAnswer as error:
                wait = _wait(error, tried)
                if wait is None:
                    raise
            await self.context.host.clock.sleep(wait)

    def _check(self, series: CandleSeries) -> None:
        if not series.provenance:
            return
        self.mode = self.mode or series.provenance[0].mode
        self.first = self.first or series
        if series.provenance[0].mode is not self.mode:
            raise Mixed(f"{series.provenance[0].mode} data must not be joined to {self.mode} data in one series")
        if series.currency != self.first.currency:
            raise Mixed(f"the currency changes from {self.first.currency} to {series.currency} within the range")
        if series.time_zone != self.first.time_zone:
            raise Mixed(f"the time zone changes from {self.first.time_zone} to {series.time_zone} within the range")


def _wait(error: NoAnswer, tried: int) -> float | None:
    """Seconds until it is worth asking again; None where it is not."""
    if error.code not in WORTH_WAITING or tried == TRIES:
        return None
    told = error.extensions().get("retryAfterMs")
    if not isinstance(told, int):
        return float(tried) if tried <= 2 else None
    return min(told / 1000 + 0.1, LONGEST_WAIT_S)
