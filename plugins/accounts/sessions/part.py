"""What sessions bring into the plugin: services, workers, routes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gateway.core.contract import Host, Worker
from gateway.core.ports import Authenticator
from plugins.accounts.sessions.authenticator import AccountAuthenticator
from plugins.accounts.sessions.desk import SessionDesk

RECHECK_S = 8.0
"""Ten seconds are promised to whoever waits for a revocation that no message tells of."""
SEEN_S, TIDY_S = 15.0, 3600.0
KEPT = timedelta(days=30)
"""How long a session is kept after its end."""


def services(host: Host) -> dict[type, Any]:
    """One of each in a process."""
    desk = SessionDesk(host)
    authenticator = AccountAuthenticator(host, desk)
    return {SessionDesk: desk, Authenticator: authenticator, AccountAuthenticator: authenticator}


def workers(host: Host) -> list[Worker]:
    """Look at open streams, write what was used, remove what is long over."""
    authenticator = host.service(AccountAuthenticator)

    async def tidy() -> None:
        async with host.store.write() as tx:
            await host.service(SessionDesk).sessions.tidy(tx, host.clock.now() - KEPT)

    return [
        Worker(name="accounts.watch", every=RECHECK_S, run=authenticator.recheck),
        Worker(name="accounts.seen", every=SEEN_S, run=authenticator.write_seen, finish=authenticator.write_seen),
        Worker(name="accounts.sessions_tidy", every=TIDY_S, run=tidy),
    ]


async def stop(host: Host) -> None:
    """No look at a stream outlives the database's connections."""
    await host.service(AccountAuthenticator).close()
