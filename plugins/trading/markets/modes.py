"""Whether what an account is told is live, recorded or simulated, where nothing was told yet. Pure."""

from __future__ import annotations

from collections.abc import Collection

from plugins.trading.rows import AccountRow
from schema.provenance import DataMode
from schema.words.orders import AccountKind

SANDBOX = "sandbox"
"""The simulated exchange: it answers first in the offline market, and elsewhere where it is named."""


def usual_mode(account: AccountRow, *, offline: bool) -> DataMode:
    """A broker's account is live; a paper one is told what its provider says, else whoever answers first; *offline*
    where upstreams are recorded."""
    if account.kind == AccountKind.LIVE:
        return DataMode.LIVE
    provider = account.model.get("provider")
    if provider == SANDBOX or (offline and provider is None):
        return DataMode.SIMULATED
    return DataMode.RECORDED if offline else DataMode.LIVE


def least_mode(modes: Collection[DataMode]) -> DataMode:
    """The least of what prices are."""
    return next((each for each in (DataMode.SIMULATED, DataMode.RECORDED) if each in modes), DataMode.LIVE)
