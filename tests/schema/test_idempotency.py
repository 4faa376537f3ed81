"""Input is compared by what it means, not by how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal as D
from hashlib import sha256

import pytest

from schema.errors import BadInput
from schema.idempotency import check_same, digest, digest_of, is_same
from schema.words.problems import Refused
from schema.words.trades import Side

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Wish:
    amount: D
    note: str | None = None
    at: datetime | None = None


def test_the_same_meaning_has_the_same_digest():
    east = NOON.astimezone(timezone(timedelta(hours=9)))

    assert digest(Wish(D("0.010"), at=NOON)) == digest(Wish(D("0.01"), at=east))
    assert digest(D("1E+2")) == digest(D("100.00"))
    assert digest(D("-0.0")) == digest(D(0))
    assert digest({"b": D("1.0"), "a": (1, None)}) == digest({"a": (1, None), "b": D(1), "c": None})
    assert digest(frozenset({"x", "y"})) == digest(frozenset({"y", "x"}))


def test_other_meanings_have_other_digests():
    told = [
        Wish(D(1)), Wish(D("1.1")), Wish(D(1), note=""), Wish(D(1), at=NOON), D(1), "1", ("1",), ["1", "2"], "1, 2",
        Side.BUY, Side.SELL, {"a": 1}, {"a": "1"}, True, 1.5, D("1E-30"), None,
    ]  # fmt: skip

    assert len({digest(each) for each in told}) == len(told)


def test_a_key_is_bound_to_its_first_input():
    check_same(digest_of("k", Wish(D("50.00"))), digest_of("k", Wish(D(50))))

    with pytest.raises(Refused, match="came with other input"):
        check_same(digest_of("k", Wish(D(50))), digest_of("k", Wish(D(51))))
    with pytest.raises(BadInput, match="1 to 128 printable"):
        digest_of("", Wish(D(50)))
    assert digest_of(None, Wish(D(50))) is None


def test_a_key_that_was_kept_with_how_its_input_was_written_is_known_still():
    wish = Wish(D("50.00"))
    kept = sha256(repr(wish).encode()).hexdigest()

    assert is_same(kept, wish)
    assert is_same(digest(wish), Wish(D(50)))
    assert not is_same(kept, Wish(D(51)))
    assert not is_same(None, wish)
