"""The neighbours in this plugin, found at use: they need organisations as organisations need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.core.contract import Host

if TYPE_CHECKING:
    from plugins.accounts.sessions.desk import SessionDesk
    from plugins.accounts.users.desk import UserDesk


def users(host: Host) -> UserDesk:
    """People."""
    from plugins.accounts.users.desk import UserDesk

    return host.service(UserDesk)


def sessions(host: Host) -> SessionDesk:
    """Who is signed in."""
    from plugins.accounts.sessions.desk import SessionDesk

    return host.service(SessionDesk)
