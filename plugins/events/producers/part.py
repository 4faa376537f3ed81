"""What producers contribute to the plugin of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.contract import Host, Worker
from plugins.events.producers.desk import ProducerDesk
from plugins.events.producers.types import TYPES as TYPES

LOOK_S = 2.0
TIDY_S = 3_600.0


def services(host: Host) -> Mapping[type, Any]:
    """One a process."""
    return {ProducerDesk: ProducerDesk(host)}


def workers(host: Host) -> Sequence[Worker]:
    """Every process of a fleet looks for subjects that are free."""
    desk = host.service(ProducerDesk)
    return (
        Worker(name="events.producers", every=LOOK_S, run=desk.look, finish=desk.close),
        Worker(name="events.tidy", every=TIDY_S, run=desk.tidy),
    )
