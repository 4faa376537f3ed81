"""The operator's hand on providers: paused ones are not asked, disabled ones are not even routed to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches

import structlog

from gateway.core.bus import Bus, Message
from gateway.core.health import Health
from gateway.core.ports import BreakerOrder
from gateway.core.routing import Registry
from schema.errors import BadInput, SwitchedOff, UnknownProvider

SWITCHED, BREAKERS = "providers.switched", "providers.breakers"
READY, PAUSED, DISABLED = "ready", "paused", "disabled"

Switches = Mapping[str, tuple[str, str | None]]

log = structlog.get_logger(__name__)


class ProviderSwitchboard:
    """Serves the port `Switchboard`; what is applied in one process is heard by the others over the bus."""

    def __init__(self, registry: Registry, health: Health, bus: Bus) -> None:
        self._registry, self._health, self._bus = registry, health, bus
        self._switches: dict[str, tuple[str, str | None]] = {}
        self._heard = 0
        self._carried_out: set[str] = set()
        self._following = False
        self.on_switched: list[Callable[[], None]] = []
        """Called whenever who may be asked has changed."""
        bus.subscribe(SWITCHED, self._on_switched)
        bus.subscribe(BREAKERS, self._on_breaker)

    async def check(self, provider: str, capability: str | None = None) -> None:
        """See `Switchboard`."""
        found = self._registry.providers.get(provider)
        if found is None:
            near = get_close_matches(provider, self._registry.providers, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`providers` lists the ids"
            raise UnknownProvider("provider", f"no provider {provider[:40]!r}; {hint}")
        if capability is not None and capability not in found.offers:
            offered = ", ".join(sorted(found.offers))
            raise BadInput("capability", f"{provider} does not offer {capability[:40]!r}; it offers {offered}")

    async def apply(self, provider: str, state: str, reason: str | None) -> None:
        """See `Switchboard`."""
        await self._bus.publish(SWITCHED, {"provider": provider, "state": state, "reason": reason})

    async def breaker(self, order: BreakerOrder) -> None:
        """See `Switchboard`."""
        await self._bus.publish(BREAKERS, asdict(order))

    async def follow_breakers(self, read: Callable[[], Awaitable[Sequence[BreakerOrder]]]) -> None:
        """See `Switchboard`. What was heard while it was read may not be in what was read."""
        earlier = set(self._carried_out)
        found = await read()
        if self._following:
            for order in found:
                self._carry_out(order)
        self._following = True
        standing = {order.id for order in found}
        self._carried_out = (self._carried_out - earlier) | standing

    async def follow(self, read: Callable[[], Awaitable[Switches]]) -> None:
        """See `Switchboard`. What was heard while it was read is newer than what was read."""
        heard = self._heard
        found = await read()
        if heard == self._heard:
            self._set(found)

    def _on_switched(self, message: Message) -> None:
        self._heard += 1
        provider, state, reason = message["provider"], message["state"], message.get("reason")
        others = {name: each for name, each in self._switches.items() if name != provider}
        self._set(others if state == READY else {**others, provider: (state, reason)})

    def _set(self, switches: Switches) -> None:
        if switches == self._switches:
            return
        for name in sorted(switches.keys() | self._switches.keys()):
            state, reason = switches.get(name, (READY, None))
            if switches.get(name) != self._switches.get(name):
                log.warning("provider_switched", provider=name, state=state, reason=reason)
        self._switches = dict(switches)
        self._health.paused = {
            name: SwitchedOff(name, _told("paused", reason))
            for name, (state, reason) in switches.items()
            if state == PAUSED
        }
        self._registry.disable(
            {name: _told("disabled", reason) for name, (state, reason) in switches.items() if state == DISABLED}
        )
        for call in self.on_switched:
            call()

    def _on_breaker(self, message: Message) -> None:
        self._carry_out(BreakerOrder(**message))

    def _carry_out(self, order: BreakerOrder) -> None:
        if order.id in self._carried_out:
            return
        self._carried_out.add(order.id)
        for lane in self._registry.lanes_of(order.capability):
            if lane.id != order.provider:
                continue
            if order.trip:
                lane.breaker.trip(f"tripped by the operator: {order.reason}", order.id)
            else:
                lane.breaker.reset(f"reset by the operator: {order.reason}", order.id)


def _told(state: str, reason: str | None) -> str:
    return f"{state} by the operator{f': {reason}' if reason else ''}"
