"""What the meter reads from an operation's fetch log: answers called for, and answers that were there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from gateway.core.fetchlog import FetchLog
from schema.provenance import UNSTAMPED, CacheStatus, Provenance
from schema.words.rates import FxRate


def made(provider: str) -> Provenance:
    return replace(UNSTAMPED, provider=provider, fetched_at=datetime(2026, 11, 20, tzinfo=UTC))


def test_a_miss_is_a_call_and_everything_else_a_hit():
    log = FetchLog()

    for provider, status in (
        ("kraken", CacheStatus.MISS), ("kraken", CacheStatus.HIT), ("okx", CacheStatus.COALESCED),
        ("okx", CacheStatus.STALE), ("okx", CacheStatus.MISS),
    ):  # fmt: skip
        log.note(made(provider), status)

    assert (log.calls, log.hits) == ({"kraken": 1, "okx": 1}, {"kraken": 1, "okx": 2})


def test_an_answer_that_is_read_twice_counts_once():
    log, answer = FetchLog(), made("kraken")

    log.note(answer, CacheStatus.MISS)
    log.note(answer, CacheStatus.HIT)

    assert (log.calls, log.hits, log.status(answer)) == ({"kraken": 1}, {}, CacheStatus.MISS)


def test_items_of_an_answer_and_what_is_worked_out_of_answers_are_no_answers_of_their_own():
    log, whole = FetchLog(), made("ecb")
    rates = tuple(FxRate(base="EUR", quote=code, rate=Decimal(1), provenance=made("ecb")) for code in ("USD", "GBP"))
    derived = made("ecb")

    log.note_all(rates, whole, CacheStatus.HIT)
    log.derive(derived, whole)

    assert (log.calls, log.hits) == ({}, {"ecb": 1})
    assert {log.status(each) for each in (derived, *(rate.provenance for rate in rates))} == {CacheStatus.HIT}
