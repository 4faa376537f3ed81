"""People, for whoever else in accounts needs one: organisations, sessions, sign-in with a provider, operators."""

from __future__ import annotations

from gateway.core.contract import Host
from gateway.core.store import Tx
from plugins.accounts.users.addresses import BadEmail as BadEmail
from plugins.accounts.users.addresses import normalised
from plugins.accounts.users.store import UserRow as UserRow
from plugins.accounts.users.store import Users


class UserDesk:
    """Finds people, and makes those whose address somebody else has proven."""

    def __init__(self, host: Host) -> None:
        self._clock, self._development, self._rows = host.clock, host.settings.development, Users()

    def normalise(self, email: str) -> str:
        """The one spelling of an address under which it is stored; raises BadEmail with words."""
        return normalised(email, test_domains=self._development)

    async def by_id(self, tx: Tx, user_id: str) -> UserRow | None:
        """One person."""
        return await self._rows.by_id(tx, user_id)

    async def by_email(self, tx: Tx, email: str) -> UserRow | None:
        """Who has an address, proven or not; raises BadEmail."""
        return await self._rows.by_email(tx, self.normalise(email))

    async def verified_user(self, tx: Tx, email: str) -> str:
        """The id of the person with this proven address, made if there is none; raises BadEmail."""
        address, now = self.normalise(email), self._clock.now()
        made = await self._rows.add(tx, address, now=now, verified=True)
        if made is not None:
            return made
        found = await self._rows.by_email(tx, address)
        if found is None:
            raise RuntimeError("an address is taken by nobody")
        # A password that was chosen before the address was proven may be anybody's.
        await self._rows.verify(tx, found.id, now=now, password_hash=None)
        return found.id
