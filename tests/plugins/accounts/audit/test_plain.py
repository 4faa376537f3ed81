"""What may stand in the trail."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.core.identity import Role
from plugins.accounts.audit.plain import LooksSecret, plain


def test_values_become_plain_and_keep_their_meaning():
    given = {
        "role": Role.ADMIN, "price": Decimal("1E+2"), "at": datetime(2026, 11, 20, tzinfo=UTC), "count": 3,
        "none": None, "scopes": frozenset({"b", "a"}), "nested": {"list": (1, True)},
    }  # fmt: skip

    assert plain(given, strict=True) == {
        "role": "admin", "price": "100", "at": "2026-11-20T00:00:00+00:00", "count": 3, "none": None,
        "scopes": ["a", "b"], "nested": {"list": [1, True]},
    }  # fmt: skip


def test_characters_that_a_database_cannot_keep_are_left_out():
    assert plain({"name": "a\0b\ud800"}, strict=True) == {"name": "ab?"}


@pytest.mark.parametrize(
    "values",
    [
        {"password": "correct horse"}, {"secret": "s"}, {"accessToken": "t"}, {"refresh_token": "t"}, {"digest": "d"},
        {"password_hash": "$argon2id$"}, {"totp_secret": "s"}, {"recovery_codes": ["1"]}, {"nested": {"cookie": "c"}},
        {"note": "mg_live_ab12cd_0123456789abcdef0123"}, {"note": "mgop_dev_ab12_0123456789abcdef0123"},
        {"note": "mgat_ab12_0123456789abcdef0123"}, {"list": ["Bearer eyJhbGci.eyJzdWIi.c2ln"]},
    ],
)  # fmt: skip
def test_what_looks_secret_raises_in_development_and_is_masked_in_production(values):
    with pytest.raises(LooksSecret, match="looks like a secret, which the audit trail must not hold"):
        plain(values, strict=True)

    (masked,) = (plain(values, strict=False) or {}).values()
    assert masked in ("***", ["***"], {"cookie": "***"})


@pytest.mark.parametrize(
    "values",
    [
        {"token_id": "tok_1"}, {"password_changed_at": "2026"}, {"tokens_count": "2"}, {"has_password": True},
        {"key": "key_1"}, {"prefix": "ab12cd34"}, {"secret": None}, {"passwordless": "no"}, {"hashtag": "x"},
    ],
)  # fmt: skip
def test_what_only_speaks_of_a_secret_stays(values):
    assert plain(values, strict=True) == values
