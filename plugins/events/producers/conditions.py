"""Providers that went and came back: what processes tell each other of their breakers, once for the fleet."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from gateway.core.contract import Host
from gateway.core.ports import Providers
from plugins.events.producers.stage import Stage
from plugins.events.producers.store import StateDirectory, StateRow
from schema.events import ProviderDegraded, ProviderRecovered
from schema.words.registry import BreakerState, Circuit

MOST_HEARD = 1_000
SWEEP_S = 30.0
HEARD_BY = timedelta(seconds=10)
"""So old is an opening that should have been heard of."""
CLOSED_BY = timedelta(minutes=5)
"""So long ago a provider went whose return nobody has told: whoever would have is gone."""
GONE, BACK = BreakerState.OPEN.value, BreakerState.CLOSED.value
PREFIX = "provider|"

Turned = ProviderDegraded | ProviderRecovered


class ConditionProducer:
    """Hears in every process; the state in the database lets one of them tell."""

    def __init__(self, host: Host, stage: Stage) -> None:
        self._host, self._stage, self._states = host, stage, StateDirectory()
        self._heard: deque[Turned] = deque(maxlen=MOST_HEARD)
        for kind in (ProviderDegraded, ProviderRecovered):
            host.bus.subscribe(kind.name, lambda message, kind=kind: self._hear(kind, message))  # type: ignore[misc]

    def _hear(self, kind: type[Turned], message: Any) -> None:
        self._heard.append(
            kind(
                provider=str(message["provider"]), capability=str(message["capability"]),
                state=str(message["state"]), reason=str(message["reason"]),
                since=datetime.fromisoformat(message["since"]),
            )
        )  # fmt: skip

    async def look(self) -> None:
        """Tell what was heard, in its order."""
        while self._heard:
            await self._turn(self._heard[0])
            self._heard.popleft()

    async def run(self) -> None:
        """Messages get lost with who sends them: see now and then whether what was told still holds."""
        while True:
            await self.sweep()
            await self._host.clock.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """As this process knows the providers; without Redis others may know better."""
        async with self._host.store.read() as tx:
            known = {row.key: row for row in await self._states.within(tx, PREFIX)}
        now = self._host.clock.now()
        for info in self._host.service(Providers).all():
            for capability in info.capabilities:
                row = known.get(_key(str(info.id), capability.name))
                event = _unheard(str(info.id), capability.name, capability.circuit, row, now)
                if event is not None:
                    await self._turn(event)

    async def _turn(self, event: Turned) -> None:
        key = _key(event.provider, event.capability)
        state = GONE if isinstance(event, ProviderDegraded) else BACK
        async with self._host.store.write() as tx:
            row = await self._states.find(tx, key)
            if row is None:
                if not await self._states.turn(tx, key, state, event.since):
                    return
            elif row.since >= event.since:
                # Every process hears the same; and what was overtaken is no news.
                return
            else:
                await self._states.put(tx, key, state, event.since)
            before = BACK if row is None else row.state
            if before != state:
                self._stage.tell(tx, event)


def _unheard(provider: str, capability: str, circuit: Circuit, row: StateRow | None, now: datetime) -> Turned | None:
    gone = row is not None and row.state == GONE
    if circuit.state is BreakerState.OPEN and not gone:
        since = circuit.opened_at
        if since is None or now - since < HEARD_BY or (row is not None and row.since >= since):
            return None
        why = circuit.reason or "its circuit breaker is open"
        return ProviderDegraded(provider=provider, capability=capability, state=GONE, reason=why, since=since)
    if circuit.state is BreakerState.CLOSED and row is not None and gone and now - row.since >= CLOSED_BY:
        why = "its circuit breaker is closed"
        return ProviderRecovered(provider=provider, capability=capability, state=BACK, reason=why, since=now)
    return None


def _key(provider: str, capability: str) -> str:
    return f"{PREFIX}{provider}|{capability}"
