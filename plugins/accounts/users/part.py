"""What people and mails bring into the plugin: services and workers."""

from __future__ import annotations

from typing import Any

from gateway.core.contract import Host, Worker
from gateway.core.ports import Mailer
from plugins.accounts.mail.outbox import Outbox
from plugins.accounts.users.attempts import Guard
from plugins.accounts.users.desk import UserDesk
from plugins.accounts.users.passwords import Passwords
from plugins.accounts.users.registration import Registration
from plugins.accounts.users.resets import PasswordDesk
from plugins.accounts.users.second_factor import SecondFactor
from plugins.accounts.users.signing import SignIn
from plugins.accounts.users.tokens import OneTimeTokens


def services(host: Host) -> dict[type, Any]:
    """One of each in a process."""
    outbox = Outbox(host)
    return {
        UserDesk: UserDesk(host), OneTimeTokens: OneTimeTokens(host), Passwords: Passwords(), Outbox: outbox,
        Mailer: outbox, Registration: Registration(host), PasswordDesk: PasswordDesk(host), SignIn: SignIn(host),
        SecondFactor: SecondFactor(host),
    }  # fmt: skip


def workers(host: Host) -> list[Worker]:
    """Mails leave soon after they were put in; what is over is swept out every hour."""

    async def tidy() -> None:
        await host.service(Outbox).tidy()
        async with host.store.write() as tx:
            await host.service(OneTimeTokens).tidy(tx)
            await Guard(host).tidy(tx)

    return [
        Worker(name="accounts.mails", every=1.0, run=host.service(Outbox).deliver),
        Worker(name="accounts.tidy", every=3600.0, run=tidy),
    ]
