"""Rankings and reference rates through GraphQL, spoken by a fake."""

from __future__ import annotations

import pytest

from schema.words.caps import MARKET_CAPS
from schema.words.rates import FX_RATES
from tests.plugins.speakers import Room, speaker


@pytest.mark.parametrize(
    "asked",
    [
        "marketCaps { nodes { rank } provenance { provider } }",
        'fxRates(base: "EUR") { rates { rate } provenance { provider } }',
    ],
)
async def test_a_list_without_rows_says_too_who_answered(asked: str) -> None:
    room = Room(speaker({MARKET_CAPS: lambda ask: (), FX_RATES: lambda ask: ()}))

    found = await room.data(f"{{ {asked} }}")

    assert found["provenance"] == {"provider": "alpha"}
    assert [] in found.values()
