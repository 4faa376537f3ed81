"""Who somebody is whom a provider vouches for, and the session that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gateway.core.contract import Host
from gateway.core.identity import CallerKind
from gateway.core.ports import Act, Audit, Presented
from gateway.core.store import Tx
from plugins.accounts.oauth.failures import SignInFailed
from plugins.accounts.oauth.provider import Vouched
from plugins.accounts.oauth.store import Identities, IdentityRow
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.rows import Status
from plugins.accounts.sessions.desk import Issued, SessionDesk
from plugins.accounts.users.desk import BadEmail, UserDesk, UserRow
from plugins.accounts.users.tokens import OneTimeTokens
from schema.names import LONGEST_NAME

WAITS_FOR_CODE, CODE_LIFE = "second_factor", timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Entrance:
    """Every method works within the caller's transaction: a refusal undoes all of it."""

    host: Host

    async def person(
        self, tx: Tx, provider: str, vouched: Vouched, invitation: str | None, presented: Presented
    ) -> UserRow:
        """By the provider's own id; else by the address, if both sides have proven it; else somebody new."""
        users, rows = self.host.service(UserDesk), Identities()
        known = await rows.find(tx, provider, vouched.subject)
        if known is not None:
            return _there(await users.by_id(tx, known.user_id))
        try:
            person = await users.by_email(tx, vouched.email)
        except BadEmail:
            raise SignInFailed("ADDRESS_NOT_ACCEPTED") from None
        if person is None:
            person = await self._new(tx, vouched.email, invitation, presented)
        elif person.verified_at is None:
            raise SignInFailed("ACCOUNT_NOT_VERIFIED")
        row = IdentityRow(
            provider=provider, subject=vouched.subject, user_id=person.id, created_at=self.host.clock.now()
        )  # fmt: skip
        if await rows.add(tx, row):
            await self._record(tx, "user.identity_linked", person.id, presented, after={"provider": provider})
        return person

    async def enter(
        self, tx: Tx, provider: str, user_id: str, *, presented: Presented, user_agent: str | None
    ) -> Issued:
        """A browser's session in the organisation that the person belongs to longest."""
        mine = await self.host.service(OrganisationDesk).memberships_of(tx, user_id)
        states = (Status.ACTIVE.value, Status.DELETING.value)
        tenant = next((each.tenant_id for state in states for each in mine if each.status == state), None)
        issued = await self.host.service(SessionDesk).open(
            tx, user_id, tenant, presented=presented, user_agent=user_agent, cookie=True
        )
        await self._record(
            tx, "session.created", user_id, presented, tenant=tenant or "", target=issued.session_id,
            after={"by": provider},
        )  # fmt: skip
        return issued

    async def ask_for_code(self, tx: Tx, provider: str, person: UserRow) -> str:
        """A token that a code of the person's authenticator turns into a session."""
        tokens = self.host.service(OneTimeTokens)
        return await tokens.issue(tx, WAITS_FOR_CODE, user_id=person.id, payload={"by": provider}, ttl=CODE_LIFE)

    async def _new(self, tx: Tx, email: str, invitation: str | None, presented: Presented) -> UserRow:
        users, organisations = self.host.service(UserDesk), self.host.service(OrganisationDesk)
        address = users.normalise(email)
        await self._check_open(tx, address, invitation)
        user_id = await users.verified_user(tx, address)
        tenant = ""
        # Two callbacks at once make one person: the later one finds what the earlier has made.
        if invitation is None and not await organisations.memberships_of(tx, user_id):
            tenant = await organisations.create(tx, address.partition("@")[0][:LONGEST_NAME], user_id)
        await self._record(tx, "user.signed_up", user_id, presented, tenant=tenant, after={"email": address})
        return _there(await users.by_id(tx, user_id))

    async def _check_open(self, tx: Tx, address: str, invitation: str | None) -> None:
        mode = self.host.settings.sign_up
        if mode == "closed":
            raise SignInFailed("SIGN_UP_CLOSED")
        if invitation is None:
            if mode == "invited":
                raise SignInFailed("INVITATION_REQUIRED")
            return
        found = await self.host.service(OrganisationDesk).invitation(tx, invitation)
        if found is None or found.email != address:
            raise SignInFailed("INVITATION_INVALID")

    async def _record(
        self,
        tx: Tx,
        action: str,
        user_id: str,
        presented: Presented,
        *,
        tenant: str = "",
        target: str | None = None,
        after: Mapping[str, Any],
    ) -> None:
        act = Act(
            tenant=tenant, action=action, actor=user_id, actor_kind=CallerKind.USER.value, target=target or user_id,
            after=after, client_ip=presented.client_ip,
        )  # fmt: skip
        await self.host.service(Audit).record(tx, act)


def _there(person: UserRow | None) -> UserRow:
    if person is None:
        raise RuntimeError("a person that was just found is gone")
    return person
