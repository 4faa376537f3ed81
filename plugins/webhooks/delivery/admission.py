"""How much of what this process could send it may claim: of whom, at what pace, for how many of one tenant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.core.store import Tx
from plugins.webhooks.delivery.lanes import LONGEST_PAUSE_S, Lanes
from plugins.webhooks.delivery.pace import Pace
from plugins.webhooks.delivery.rows import Standing
from plugins.webhooks.delivery.store import DeliveryDirectory

LOOK_AGAIN_S = 0.05
"""After how long an endpoint is asked for again whose rate another process was just counting."""


@dataclass(slots=True)
class Admitted:
    """What one claim may take."""

    counts: dict[str, int] = field(default_factory=dict)
    short: set[str] = field(default_factory=set)
    """Endpoints that got less than was wished, whatever waits for them."""
    later_s: dict[str, float] = field(default_factory=dict)
    """Of them, those that time alone helps: in how many seconds."""
    paces: dict[str, Pace] = field(default_factory=dict)


async def admit(
    tx: Tx,
    lanes: Lanes,
    wishes: Mapping[str, int],
    standings: Mapping[str, Standing],
    closed: Collection[str],
    now: datetime,
) -> Admitted:
    """An endpoint that is gone stays, so that what waits for it is dropped; of closed tenants nothing is taken."""
    made, taken = Admitted(), Counter[str]()
    for endpoint, count in wishes.items():
        standing = standings.get(endpoint)
        if standing is None:
            made.counts[endpoint] = count
        elif standing.tenant_id not in closed:
            tenant, pause = standing.tenant_id, standing.pause_s(now)
            lanes.owned(endpoint, tenant)
            given = 0 if pause else max(min(count, lanes.room(tenant) - taken[tenant]), 0)
            taken[tenant] += given
            _give(made, endpoint, given, count)
            if pause:
                # The database is asked again before a long one ends: who changes the endpoint takes it back.
                made.later_s[endpoint] = min(pause, LONGEST_PAUSE_S)
    await _pace(tx, made, standings, now)
    return made


async def _pace(tx: Tx, made: Admitted, standings: Mapping[str, Standing], now: datetime) -> None:
    """Take back what rates do not allow. Who is held by another process is passed over: here nobody waits."""
    rated = {id for id in made.counts if id in standings and standings[id].rate_per_second is not None}
    if not rated:
        return
    made.paces = {each.id: each for each in await DeliveryDirectory().paces(tx, rated)}
    for endpoint in rated:
        pace, count = made.paces.get(endpoint), made.counts.pop(endpoint)
        given = 0 if pace is None else min(count, pace.free(now))
        _give(made, endpoint, given, count)
        if pace is None:
            made.later_s[endpoint] = LOOK_AGAIN_S
        elif given < count:
            later = (pace.after(now, given) - now).total_seconds()
            made.later_s[endpoint] = min(max(later, 0.0), LONGEST_PAUSE_S)


def _give(made: Admitted, endpoint: str, given: int, wished: int) -> None:
    if given:
        made.counts[endpoint] = given
    if given < wished:
        made.short.add(endpoint)


async def note_begun(tx: Tx, made: Admitted, begun: Mapping[str, int], now: datetime) -> None:
    """What was claimed counts for the rates of all processes."""
    for endpoint, pace in made.paces.items():
        if count := begun.get(endpoint, 0):
            await DeliveryDirectory().allow(tx, endpoint, pace.after(now, count))
