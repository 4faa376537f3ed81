"""A database with one organisation that nothing limits, and its key: for tests and measurements of something else."""

from __future__ import annotations

import asyncio

from gateway.app import build_gateway
from gateway.core.identity import TENANT_SCOPES
from gateway.core.migrations.runner import upgrade
from gateway.core.settings import Settings
from gateway.domains import histories
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk


def furnish(settings: Settings) -> str:
    """Make the tables and the organisation; the key."""

    async def run() -> str:
        gateway = build_gateway(settings)
        host = gateway.host
        await upgrade(host.store, histories(host.plugins))
        async with host.store.write() as tx:
            tenant = await host.service(OrganisationDesk).create(tx, "Unlimited", None, plan="unlimited")
            _, key = await host.service(KeyDesk).create(
                tx, tenant, name="tests", scopes=sorted(TENANT_SCOPES), created_by="tests"
            )
        await gateway.close()
        return key

    return asyncio.run(run())
