"""What organisations contribute to the plugin of accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.contract import Host, Worker
from gateway.core.ports import Organisations
from plugins.accounts.organisations.archive import Archive
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.lifecycle import Lifecycle
from plugins.accounts.organisations.membership import Invitations, Members

ERASE_EVERY = 300.0


def services(host: Host) -> Mapping[type, Any]:
    """One of each a process."""
    desk = OrganisationDesk(host)
    return {
        OrganisationDesk: desk, Organisations: desk, Lifecycle: Lifecycle(desk), Members: Members(desk),
        Invitations: Invitations(desk), Archive: Archive(host),
    }  # fmt: skip


def workers(host: Host) -> Sequence[Worker]:
    """The eraser; processes that come to the same organisation wait for one another and find it gone."""
    return [Worker(name="organisations_erase", every=ERASE_EVERY, run=host.service(Archive).erase_due)]
