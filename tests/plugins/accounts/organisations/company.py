"""An organisation with members who are signed in, and what tests about it ask."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from gateway.core.identity import Role
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.tables import audit, mails, memberships
from tests.house import House
from tests.plugins.accounts.sessions.people import Person, join, settle, sign_in

ERRORS = "userErrors { field code message }"
VIEWER = """{ viewer { role scopes user { id email emailVerified totpEnabled } organisations { id name role status }
  tenant { id name status role plan eraseAt } } }"""
MEMBERS = """query($first: Int, $after: Cursor) { viewer { tenant { members(first: $first, after: $after) {
  nodes { userId email role } pageInfo { hasNextPage hasPreviousPage endCursor } } } } }"""
PENDING = "{ viewer { tenant { invitations { nodes { id email role invitedBy expiresAt } } } } }"
CREATE = f"mutation($i: OrganisationCreateInput!) {{ r: organisationCreate(input: $i) {{ organisation {{ id name role status }} {ERRORS} }} }}"  # noqa: E501
UPDATE = (
    f"mutation($i: OrganisationUpdateInput!) {{ r: organisationUpdate(input: $i) {{ tenant {{ id name }} {ERRORS} }} }}"
)
SWITCH = f"""mutation($i: OrganisationSwitchInput!) {{ r: organisationSwitch(input: $i) {{
  organisation {{ id role }} session {{ id accessToken refreshToken }} {ERRORS} }} }}"""
LEAVE = f"mutation {{ r: organisationLeave {{ organisationId session {{ accessToken }} {ERRORS} }} }}"
TRANSFER = f"mutation($i: OrganisationTransferInput!) {{ r: organisationTransfer(input: $i) {{ organisation {{ id role }} {ERRORS} }} }}"  # noqa: E501
DELETE = f"mutation($i: OrganisationDeleteInput!) {{ r: organisationDelete(input: $i) {{ organisation {{ status }} eraseAt {ERRORS} }} }}"  # noqa: E501
RESTORE = f"mutation($i: OrganisationRestoreInput!) {{ r: organisationRestore(input: $i) {{ organisation {{ id status }} {ERRORS} }} }}"  # noqa: E501
EXPORT = f"mutation {{ r: organisationExport {{ document {ERRORS} }} }}"
SET_ROLE = (
    f"mutation($i: MemberRoleSetInput!) {{ r: memberRoleSet(input: $i) {{ member {{ userId role }} {ERRORS} }} }}"
)
REMOVE = f"mutation($i: MemberRemoveInput!) {{ r: memberRemove(input: $i) {{ userId {ERRORS} }} }}"
INVITE = f"mutation($i: InvitationCreateInput!) {{ r: invitationCreate(input: $i) {{ invitation {{ id email role expiresAt }} {ERRORS} }} }}"  # noqa: E501
REVOKE = f"mutation($i: InvitationRevokeInput!) {{ r: invitationRevoke(input: $i) {{ invitationId {ERRORS} }} }}"
ACCEPT = f"mutation($i: InvitationAcceptInput!) {{ r: invitationAccept(input: $i) {{ organisation {{ id name role }} {ERRORS} }} }}"  # noqa: E501


@dataclass
class Company:
    """Ada owns it; others join under a role. `as_` are access tokens by name."""

    house: House
    tenant: str
    people: dict[str, Person]
    tokens: dict[str, str]

    async def hire(self, name: str, role: Role) -> Person:
        """Another member, signed in."""
        made = await join(self.house, self.people["ada"], f"{name}@example.com", role)
        await self._know(name, made)
        return made

    async def guest(self, name: str, company: str | None = None) -> Person:
        """Somebody signed in who does not belong to it; with an organisation of their own if it is named."""
        if company is not None:
            made = await settle(self.house, f"{name}@example.com", company)
        else:
            from plugins.accounts.users.desk import UserDesk

            async with self.house.store.write() as tx:
                user = await self.house.host.service(UserDesk).verified_user(tx, f"{name}@example.com")
            made = Person(user, "")
        await self._know(name, made)
        return made

    async def _know(self, name: str, made: Person) -> None:
        self.people[name] = made
        self.tokens[name] = (await sign_in(self.house, made)).access_token

    async def ask(self, by: str, document: str, **given: Any) -> dict[str, Any]:
        """The payload of the one mutation."""
        body = await self.house.ask(document, {"i": given} if given else None, token=self.tokens[by])
        assert "errors" not in body, body
        payload: dict[str, Any] = body["data"]["r"]
        return payload

    async def codes(self, by: str, document: str, **given: Any) -> list[str]:
        """The codes of the expected refusals."""
        return [error["code"] for error in (await self.ask(by, document, **given))["userErrors"]]

    async def refusal(self, by: str, document: str, **given: Any) -> str:
        """The code of the one error that the gate gave."""
        body = await self.house.ask(document, {"i": given} if given else None, token=self.tokens[by])
        return str(body["errors"][0]["extensions"]["code"])

    async def see(self, by: str, document: str = VIEWER, **variables: Any) -> dict[str, Any]:
        """The viewer."""
        body = await self.house.ask(document, variables or None, token=self.tokens[by])
        assert "errors" not in body, body
        viewer: dict[str, Any] = body["data"]["viewer"]
        return viewer

    async def roles(self) -> dict[str, str]:
        """Roles by name, as the database has them."""
        names = {person.id: name for name, person in self.people.items()}
        async with self.house.store.read() as tx:
            query = select(memberships.c.user_id, memberships.c.role).where(memberships.c.tenant_id == self.tenant)
            rows = (await tx.connection.execute(query)).all()
        return {names[user]: role for user, role in rows}

    async def acts(self, tenant: str | None = None) -> list[str]:
        """The audit trail's actions, by name."""
        async with self.house.store.read() as tx:
            mine = audit.c.tenant_id == (self.tenant if tenant is None else tenant)
            return await tx.values(select(audit.c.action).where(mine).order_by(audit.c.action))

    async def upgrade(self) -> None:
        """To a plan that lets more than two operations run at a time."""
        async with self.house.store.write() as tx:
            await self.house.host.service(OrganisationDesk).set_plan(tx, self.tenant, "unlimited")

    async def count(self, table: Any) -> int:
        """Rows of a table."""
        async with self.house.store.read() as tx:
            return int(await tx.value(select(func.count()).select_from(table)))

    async def letters(self, to: str) -> list[str]:
        """Texts of the mails to an address, the oldest first."""
        async with self.house.store.read() as tx:
            sealed = await tx.values(
                select(mails.c.sealed_text).where(mails.c.recipient == to).order_by(mails.c.created_at)
            )
        return [self.house.host.vault.decrypt(text) for text in sealed]

    async def invited(self, to: str) -> str:
        """The token of the newest invitation to an address."""
        found = re.search(r"token=([\w-]+)", (await self.letters(to))[-1])
        assert found is not None
        return found[1]


async def found(house: House, name: str = "Analytical Engines") -> Company:
    """A company with its owner, Ada."""
    ada = await settle(house, "ada@example.com", name)
    company = Company(house, ada.tenant, {"ada": ada}, {})
    company.tokens["ada"] = (await sign_in(house, ada)).access_token
    return company
