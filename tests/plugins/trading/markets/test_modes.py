"""What an account is told where nothing was told yet."""

from __future__ import annotations

import pytest

from plugins.trading.markets.modes import usual_mode
from tests.plugins.trading.rowsof import account


@pytest.mark.parametrize(
    ("upstreams", "kind", "model", "mode"),
    [
        ("live", "PAPER", {}, "LIVE"),
        ("live", "PAPER", {"provider": "sandbox"}, "SIMULATED"),
        ("recorded", "PAPER", {}, "SIMULATED"),
        ("recorded", "PAPER", {"provider": "kraken"}, "RECORDED"),
        ("recorded", "LIVE", {}, "LIVE"),
    ],
)
def test_what_the_mode_of_an_account_is_before_it_was_told_any_price(
    upstreams: str, kind: str, model: dict[str, str], mode: str
) -> None:
    assert usual_mode(account(kind=kind, model=model), offline=upstreams == "recorded") == mode
