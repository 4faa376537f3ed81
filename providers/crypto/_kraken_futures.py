"""Kraken's perpetuals, which live on a host of their own: which there are, what they pay, how much is open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from providers.contract import Provider, Reply, answers
from providers.crypto._perpetual import HOUR, HOUR_MS, is_inverse_of, is_linear_of, next_hour, settled
from providers.crypto._spot import refusal
from providers.row import Row
from schema.errors import Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
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

HOST = "https://futures.kraken.com/derivatives/api/v3"
# Of contracts: the spot interface has another name for dogecoin too.
WIRE = {"BTC": "XBT"}
# https://docs.kraken.com/api/docs/futures-api/trading/get-ticker
REFUSALS: tuple[tuple[str, type[UpstreamError]], ...] = (
    ("apiLimitExceeded", Throttled),
    ("authenticationError", Unauthorized),
    ("notFound", UnknownInstrument),
    ("contractNotFound", UnknownInstrument),
    ("symbol", UnknownInstrument),
    ("marketUnavailable", Overloaded),
    ("Unavailable", Overloaded),
    ("Server Error", Overloaded),
    ("unknownError", Overloaded),
)


def perpetual(instrument: InstrumentId) -> bool:
    """One that is quoted in dollars and settles in them, or in its base asset, by the names that are ours."""
    found = is_linear_of("kraken", instrument, ("USD",)) or is_inverse_of("kraken", instrument)
    return found and instrument.base not in WIRE.values()


def contract_of(instrument: InstrumentId) -> str:
    """`PF_XBTUSD` for BTC/USD:USD, `PI_XBTUSD` for BTC/USD:BTC."""
    kind = "PF" if instrument.settle == instrument.quote else "PI"
    return f"{kind}_{WIRE.get(instrument.base, instrument.base)}{instrument.quote}"


class Futures(Provider):
    """What the host of the perpetuals answers; the profile that names it is the exchange's."""

    # All hours of a year come at once, and the rate of an hour stays what it is.
    @answers(
        FUNDING_RATES,
        covers=lambda ask: all(map(perpetual, ask.instruments)),
        max_batch=1,
        fresh_for=timedelta(minutes=1),
    )
    async def funding_rates(self, ask: FundingRatesAsk) -> list[FundingRate]:
        """The rate of the running hour, which is the last of the list: a ticker has it in dollars for a contract."""
        (instrument,) = ask.instruments
        return parse_running(instrument, await self._rates(instrument), next_hour(self.clock.now()))

    @answers(FUNDING_HISTORY, covers=lambda ask: perpetual(ask.instrument))
    async def funding_history(self, ask: FundingHistoryAsk) -> tuple[FundingRate, ...]:
        """Hours that are over, each named by its beginning; there is no choice of a range."""
        over = next_hour(self.clock.now()) - HOUR
        past = replace(ask, end=over if ask.end is None else min(ask.end, over))
        rows = await self._rates(ask.instrument)
        return settled(past, rows, rate="relativeFundingRate", time="timestamp", unit="iso", interval_ms=HOUR_MS)

    @answers(OPEN_INTEREST, covers=lambda ask: all(map(perpetual, ask.instruments)), max_batch=200)
    async def open_interest(self, ask: OpenInterestAsk) -> list[OpenInterest]:
        """In contracts, of a dollar where they settle in their base asset; one ticker, or all of them."""
        names = set(map(contract_of, ask.instruments))
        if len(names) == 1:
            body = await self.http.get(f"/tickers/{names.pop()}", host="futures")
            return parse_interest(ask.instruments, [body["ticker"]], body)
        body = await self.http.get("/tickers", host="futures")
        return parse_interest(ask.instruments, body["tickers"], body)

    async def _rates(self, instrument: InstrumentId) -> Row:
        params = {"symbol": contract_of(instrument)}
        return (await self.http.get("/historical-funding-rates", params, host="futures"))["rates"]


def parse_running(instrument: InstrumentId, rates: Row, ends: datetime) -> list[FundingRate]:
    """The hour that ends at *ends*: none where the list does not reach so far."""
    running = {row.instant("timestamp"): row.decimal("relativeFundingRate") for row in rates}
    rate = running.get(ends - HOUR)
    if rate is None:
        return []
    return [FundingRate(instrument=instrument, rate=rate, time=ends, settled=False, interval_ms=HOUR_MS)]


def parse_interest(instruments: Iterable[InstrumentId], rows: Iterable[Row], body: Row) -> list[OpenInterest]:
    """Tickers of contracts, in either case, and of indices; the answer has one time."""
    listed = {row.text("symbol").upper(): row for row in rows}
    found = ((instrument, listed.get(contract_of(instrument))) for instrument in instruments)
    return [
        OpenInterest(
            instrument=instrument, as_of=body.maybe_instant("serverTime"), contracts=row.decimal("openInterest")
        )
        for instrument, row in found
        if row is not None
    ]


def refusal_of(provider: str, reply: Reply) -> UpstreamError | None:
    """`{"result": "error", "error": "apiLimitExceeded"}`, or `errors` with texts or with messages."""
    result = reply.body.get("result")
    if result is None or result.value != "error" or reply.status == 429:
        return None
    told = [reply.body.get(key) for key in ("error", "errors")]
    said = "; ".join(str(part.value)[:80] for part in told if part is not None)
    return refusal(provider, reply, said, next((kind for part, kind in REFUSALS if part in said), None))
