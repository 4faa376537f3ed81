"""What an adapter says that it adjusts for is what a recording shows: no claim without an exact answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.contract import Provider
from providers.recording import FOLDER, ask_of, read_recording
from schema.symbols import AssetClass
from schema.words.candles import CANDLES, Adjustment, CandlesAsk
from tests.contract.suite import PROVIDERS

SIMULATED = frozenset({"sandbox"})
"""Has no splits and no dividends, and says so."""


def recorded(provider: str) -> list[CandlesAsk]:
    """The asks for candles of securities that have an exact answer."""
    file = FOLDER / provider / f"{CANDLES.name}.json"
    asks = [ask_of(CANDLES, case.ask) for case in read_recording(file).answered] if file.exists() else []
    return [ask for ask in asks if ask.instrument.asset_class is AssetClass.EQUITY]


OFFERING = {id: cls for id, cls in PROVIDERS.items() if CANDLES.name in cls.offers and id not in SIMULATED}
SECURITIES = [pytest.param(cls, id=id) for id, cls in OFFERING.items() if recorded(id)]


def claimed(cls: type[Provider], asks: list[CandlesAsk]) -> set[Adjustment]:
    """Adjustments that it covers of anything that is recorded."""
    covers = cls.offers[CANDLES.name].covers
    return {adjustment for adjustment in Adjustment for ask in asks if covers(replace(ask, adjustment=adjustment))}


@pytest.mark.parametrize("cls", SECURITIES)
def test_each_adjustment_that_is_offered_has_a_recorded_answer(cls: type[Provider]) -> None:
    asks = recorded(cls.profile.id)

    assert claimed(cls, asks) == {ask.adjustment for ask in asks}


def test_no_adapter_with_candles_of_securities_is_left_out() -> None:
    offering = {id for id, cls in OFFERING.items() if AssetClass.EQUITY in cls.profile.asset_classes}

    assert offering - {param.id for param in SECURITIES} == {"cboe"}, "cboe has candles of indices alone"
