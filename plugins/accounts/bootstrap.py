"""The first minute of a development server: somebody is there, belongs to an organisation, and has a key for it."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from gateway.core.contract import Host, Sealed
from gateway.core.identity import TENANT_SCOPES
from gateway.core.ports import Act, Audit
from gateway.core.store import Tx
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.rows import Status
from plugins.accounts.organisations.store import OrganisationDirectory
from plugins.accounts.sessions.links import sign_in_link
from plugins.accounts.users.desk import UserDesk
from plugins.accounts.users.store import Users

log = structlog.get_logger(__name__)

EMAIL, NAME, PLAN = "dev@marketgate.test", "Development", "unlimited"
KEPT_IN = "development-key"


async def welcome(host: Host, url: str) -> list[tuple[str, str]]:
    """What a development server prints: the same key at every start, and a new link that is signed in."""
    if not host.settings.development:
        raise RuntimeError("this is for development: production makes its own people and keys")
    path = host.settings.data_dir / KEPT_IN
    async with host.store.write() as tx:
        user = await host.service(UserDesk).verified_user(tx, EMAIL)
        tenant = await _organisation(host, tx, user)
        kept = await _kept_key(host, tx, path, tenant)
        key = kept or await _new_key(host, tx, tenant, user)
        link = await sign_in_link(host, tx, user, tenant)
    if kept is None:
        _write(path, host.vault.encrypt(key))
    return [("API key", key), ("Signed in", f"{url}{link}")]


async def warn(host: Host) -> None:
    """Production that was given a development database says so: who had that may still be inside."""
    if host.settings.development:
        return
    async with host.store.read() as tx:
        # No address of production ends like this one: the desk would refuse to look for it.
        user = await Users().by_email(tx, EMAIL)
        mine = await host.service(OrganisationDesk).memberships_of(tx, user.id) if user is not None else []
    if user is not None:
        log.warning(
            "development_account_in_production", user=EMAIL,
            organisations=[f"{each.name} ({each.tenant_id})" for each in mine],
            reason="this database was used by a development server: delete that account and its organisations, or use "
            "another database",
        )  # fmt: skip


async def _organisation(host: Host, tx: Tx, user: str) -> str:
    """The first that works; made once. Whoever starts at the same time waits for the person's row."""
    await OrganisationDirectory().lock_person(tx, user)
    desk = host.service(OrganisationDesk)
    mine = await desk.memberships_of(tx, user)
    works = next((each.tenant_id for each in mine if each.status == Status.ACTIVE), None)
    if works is not None:
        return works
    made = await desk.create(tx, NAME, user, plan=PLAN)
    act = Act(
        tenant=made, action="organisation.created", actor="system", actor_kind="system", target=made,
        after={"name": NAME, "plan": PLAN, "owner": user},
    )  # fmt: skip
    await host.service(Audit).record(tx, act)
    return made


async def _kept_key(host: Host, tx: Tx, path: Path, tenant: str) -> str | None:
    """The key of the last start, where it still opens and works."""
    try:
        text = host.vault.decrypt(_read(path))
    except (OSError, UnicodeDecodeError, Sealed):
        return None
    row = await host.service(KeyDesk).verify(tx, text)
    return text if row is not None and row.tenant_id == tenant else None


async def _new_key(host: Host, tx: Tx, tenant: str, user: str) -> str:
    scopes = [scope.value for scope in TENANT_SCOPES]
    _, text = await host.service(KeyDesk).create(tx, tenant, name=NAME, scopes=scopes, created_by=user)
    return text


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _write(path: Path, sealed: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(sealed)
