"""Bitstamp's perpetuals: which there are, what they pay, how much is open. Docs: https://www.bitstamp.net/api/"""

from __future__ import annotations

from collections.abc import Iterable

from providers.contract import Params, Provider, answers
from providers.crypto._perpetual import HOUR_MS, is_linear_of, settled
from providers.row import Row
from schema.symbols import InstrumentId
from schema.words.derivatives import (
    FUNDING_HISTORY,
    FUNDING_RATES,
    OPEN_INTEREST,
    FundingHistoryAsk,
    FundingRate,
    FundingRatesAsk,
    OpenInterest,
    OpenInterestAsk,
)

MOST_PAYMENTS = 100
# No answer tells the interval: it is paid three times a day.
PAID_EVERY_MS = 8 * HOUR_MS


def perpetual(instrument: InstrumentId) -> bool:
    """One that is quoted in dollars and settles in them."""
    return is_linear_of("bitstamp", instrument, ("USD",)) and "-" not in instrument.base


def market_of(instrument: InstrumentId) -> str:
    """`btcusd-perp` for BTC/USD:USD."""
    return f"{instrument.base}{instrument.quote}-perp".lower()


class Perpetuals(Provider):
    """What is asked by the market's own name, beside the spot pairs."""

    @answers(FUNDING_RATES, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=1)
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate that the next payment will have, if it stays."""
        (instrument,) = ask.instruments
        return [parse_funding(instrument, await self.http.get(f"/api/v2/funding_rate/{market_of(instrument)}/"))]

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """Of thirty days."""
        params: dict[str, str | int] = {"limit": min(ask.limit, MOST_PAYMENTS)}
        if ask.start is not None:
            params["since_timestamp"] = int(ask.start.timestamp())
        if ask.end is not None:
            params["until_timestamp"] = int(ask.end.timestamp()) - 1
        return parse_payments(ask, await self._history(market_of(ask.instrument), params))

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=500)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In coins, in a ticker: one, or all of them."""
        names = set(map(market_of, ask.instruments))
        if len(names) == 1:
            return parse_interest(ask.instruments, [await self.http.get(f"/api/v2/ticker/{names.pop()}/")])
        return parse_interest(ask.instruments, await self.http.get("/api/v2/ticker/"))

    async def _history(self, market: str, params: Params) -> Row:
        return (await self.http.get(f"/api/v2/funding_rate_history/{market}/", params))["funding_rate_history"]


def parse_funding(instrument: InstrumentId, row: Row) -> FundingRate:
    """`timestamp` is when it was asked for; both times are in seconds."""
    return FundingRate(
        instrument=instrument,
        as_of=row.maybe_epoch("timestamp"),
        rate=row.decimal("funding_rate"),
        time=row.epoch("next_funding_time"),
        settled=False,
        interval_ms=PAID_EVERY_MS,
    )


def parse_payments(ask: FundingHistoryAsk, rows: Row) -> tuple[FundingRate, ...]:
    """Texts, in whatever order."""
    return settled(ask, rows, rate="funding_rate", time="timestamp", unit="s", interval_ms=PAID_EVERY_MS)


def parse_interest(instruments: Iterable[InstrumentId], rows: Iterable[Row]) -> list[OpenInterest]:
    """Tickers name their market `BTC/USD-PERP`; one in which nothing is open does not tell how much."""
    listed = {(row.maybe_text("market") or row.text("pair")).replace("/", "").lower(): row for row in rows}
    found = ((instrument, listed.get(market_of(instrument))) for instrument in instruments)
    return [
        OpenInterest(instrument=instrument, as_of=row.maybe_epoch("timestamp"), amount=row.decimal("open_interest"))
        for instrument, row in found
        if row is not None and row.get("open_interest") is not None
    ]
