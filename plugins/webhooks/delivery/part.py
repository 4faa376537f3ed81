"""What the engine contributes to the plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.contract import Host, Worker
from plugins.webhooks.delivery.clearing import Clearing
from plugins.webhooks.delivery.dispatcher import Dispatcher
from plugins.webhooks.delivery.fanout import FanOut
from plugins.webhooks.delivery.schedule import Schedule

AGAIN_S = 1.0
"""After a fault; these workers run without end."""
CLEAR_EVERY_S = 3_600.0


def services(host: Host) -> Mapping[type, Any]:
    """One of each a process. Who makes deliveries due calls `Dispatcher.due` after the commit."""
    dispatcher = Dispatcher(host, Schedule(host.settings.webhook_schedule))
    return {Dispatcher: dispatcher, FanOut: FanOut(host, dispatcher), Clearing: Clearing(host)}


def workers(host: Host) -> Sequence[Worker]:
    """Any process of the fleet may run them, and any number."""
    dispatcher = host.service(Dispatcher)
    return [
        Worker(name="webhooks_fan_out", every=AGAIN_S, run=host.service(FanOut).run, anywhere=True),
        Worker(
            name="webhooks_dispatch", every=AGAIN_S, run=dispatcher.run, finish=dispatcher.finish, anywhere=True
        ),
        Worker(name="webhooks_clear", every=CLEAR_EVERY_S, run=host.service(Clearing).run, anywhere=True),
    ]  # fmt: skip
