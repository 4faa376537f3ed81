"""People with an organisation, and sessions of theirs, made where no test is about making them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.core.identity import Role
from gateway.core.ports import Presented
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.sessions.desk import Issued, SessionDesk
from plugins.accounts.users.desk import UserDesk
from tests.house import AGENT, House

SESSIONS = "{ sessions { nodes { id userAgent clientIp createdAt lastSeenAt expiresAt current } } }"
REFRESH = """
mutation Refresh($token: String) {
  sessionRefresh(input: {refreshToken: $token}) {
    session { id accessToken refreshToken expiresAt refreshExpiresAt }
    userErrors { code field message }
  }
}
"""
END = "mutation { sessionEnd { session { id } userErrors { code } } }"


@dataclass(frozen=True)
class Person:
    """Who belongs to one organisation."""

    id: str
    tenant: str


async def settle(house: House, email: str = "ada@example.com", name: str = "Analytical Engines") -> Person:
    """A person who owns an organisation."""
    async with house.store.write() as tx:
        user = await house.host.service(UserDesk).verified_user(tx, email)
        tenant = await house.host.service(OrganisationDesk).create(tx, name, user)
    return Person(user, tenant)


async def join(house: House, person: Person, email: str, role: Role) -> Person:
    """Another member of the same organisation."""
    desk = house.host.service(OrganisationDesk)
    async with house.store.write() as tx:
        user = await house.host.service(UserDesk).verified_user(tx, email)
        await desk.members.add(tx, person.tenant, user, role, house.clock.now())
    return Person(user, person.tenant)


async def sign_in(house: House, person: Person, *, cookie: bool = False, tenant: str | None = None) -> Issued:
    """A session of a person."""
    async with house.store.write() as tx:
        return await house.host.service(SessionDesk).open(
            tx, person.id, tenant if tenant is not None else person.tenant,
            presented=Presented(client_ip="203.0.113.9"), user_agent=AGENT, cookie=cookie,
        )  # fmt: skip


def jar(issued: Issued) -> dict[str, str]:
    """Cookies as a browser keeps them."""
    return dict(cookie.partition(";")[0].split("=", 1) for cookie in issued.cookies)


def browser(issued: Issued, *, csrf: bool = True) -> dict[str, str]:
    """The headers that a page of the gateway's sends."""
    kept = jar(issued)
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
    proof = next(value for name, value in kept.items() if name.endswith("mg_csrf"))
    return {**headers, "x-csrf-token": proof} if csrf else headers


def code_of(answer: dict[str, Any]) -> str | None:
    """The code of the first error; None where there is none."""
    errors = answer.get("errors")
    return None if not errors else str(errors[0]["extensions"]["code"])
