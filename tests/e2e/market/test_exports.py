"""A year of minutes leaves a real process with no more memory than a day of them."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.market.process import Gateway, running

MOST_GROWTH = 40 * 1024 * 1024
DAY, YEAR = "start=2025-01-01&end=2025-01-02", "start=2025-01-01&end=2026-01-01"


def test_a_year_of_minutes_streams_at_constant_memory(tmp_path: Path):
    with running(tmp_path, ENV="development") as gateway:
        day, _ = fetched(gateway, DAY)
        before = resident(gateway)

        year, peak = fetched(gateway, YEAR)

    assert (day, year) == ("# complete: 1440 rows, 0 missing", "# complete: 525600 rows, 0 missing")
    assert peak - before < MOST_GROWTH


def fetched(gateway: Gateway, query: str) -> tuple[str, int]:
    """The last line, and the most memory that the process had meanwhile."""
    peak, last = 0, b""
    with gateway.client.stream("GET", f"/candles.csv?symbol=crypto:BTC/USD&interval=M1&{query}") as answer:
        assert answer.status_code == 200
        for chunk in answer.iter_bytes(1024 * 1024):
            peak, last = max(peak, resident(gateway)), (last + chunk)[-100:]
    return last.decode().splitlines()[-1], peak


def resident(gateway: Gateway) -> int:
    """Bytes in memory."""
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024
