"""The export of everything, and its erasure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from threading import get_ident
from typing import Any

import pytest
from sqlalchemy import select

from gateway.core.contract import Host, Plugin
from gateway.core.identity import CallerKind, Principal, Role
from gateway.core.store import Tx
from plugins.accounts.organisations import archive
from plugins.accounts.organisations.archive import SECRET, Archive
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.store import OrganisationDirectory
from plugins.accounts.tables import TABLES, audit, invitations, memberships, organisations, users
from plugins.watchlists.tables import lists
from tests.gateway.doubles import NOON
from tests.plugins.accounts.organisations.company import ACCEPT, DELETE, EXPORT, INVITE, RESTORE, VIEWER, Company
from tests.plugins.accounts.sessions.people import REFRESH, sign_in

WATCH = 'mutation { watchlistCreate(input: {name: "Majors", symbols: ["BTC/USD"]}) { watchlist { id } } }'


async def test_the_export_holds_what_all_plugins_keep_and_nothing_that_signs_in(company: Company):
    await company.hire("bob", Role.VIEWER)
    await company.ask("ada", INVITE, email="cleo@example.com", role="VIEWER")
    await company.house.ask(WATCH, token=company.tokens["bob"])

    document = (await company.ask("ada", EXPORT))["document"]
    whole = json.loads(document)
    accounts = whole["plugins"]["accounts"]

    assert (whole["format"], whole["organisation"], whole["exportedAt"]) == (1, company.tenant, "2026-11-20T12:00:00Z")
    assert accounts["organisation"]["name"] == "Analytical Engines"
    assert {(m["email"], m["role"]) for m in accounts["members"]} == {
        ("ada@example.com", "owner"),
        ("bob@example.com", "viewer"),
    }
    assert [each["email"] for each in accounts["invitations"]] == ["cleo@example.com"]
    assert sorted(line["action"] for line in accounts["audit"]) == ["invitation.created", "watchlist.created"]
    assert [each["symbols"] for each in whole["plugins"]["watchlists"]["lists"]] == [["crypto:BTC/USD"]]
    assert "digest" not in document
    assert await company.invited("cleo@example.com") not in document
    assert "organisation.exported" in await company.acts()


async def test_the_export_holds_nothing_of_another_organisation(company: Company):
    await company.guest("eve", "Eve and Sons")
    await company.house.ask(WATCH, token=company.tokens["eve"])

    document = (await company.ask("ada", EXPORT))["document"]

    assert "eve@example.com" not in document
    assert json.loads(document)["plugins"]["watchlists"]["lists"] == []


async def test_the_export_holds_a_bounded_trail_and_says_where_the_rest_is(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(archive, "MOST_LINES", 5)
    monkeypatch.setattr(archive, "LINES_AT_ONCE", 2)
    made = {"tenant_id": company.tenant, "actor": "usr_1", "actor_kind": "user", "target": "key_1"}
    rows = [
        {**made, "id": f"audit_{n}", "at": NOON + timedelta(seconds=n // 2), "action": f"key.made_{n}"}
        for n in range(5)
    ]  # fmt: skip

    async with company.house.store.write() as tx:
        await tx.run(audit.insert(), rows)
    whole = json.loads((await company.ask("ada", EXPORT))["document"])["plugins"]["accounts"]
    async with company.house.store.write() as tx:
        later = {**made, "id": "audit_5", "at": NOON + timedelta(seconds=9), "action": "key.made_5"}
        await tx.run(audit.insert(), [later])
        await tx.run(audit.delete().where(audit.c.action == "organisation.exported"))
    cut = json.loads((await company.ask("ada", EXPORT))["document"])["plugins"]["accounts"]

    assert [line["action"] for line in whole["audit"]] == [f"key.made_{n}" for n in range(5)]
    assert whole["auditTrail"] == {"complete": True, "lines": 5}
    assert [line["action"] for line in cut["audit"]] == [f"key.made_{n}" for n in range(1, 6)]
    assert cut["auditTrail"] == {
        "complete": False, "lines": 5, "before": "2026-11-20T12:00:00Z",
        "note": "The newest lines; older ones are told by `auditExport(since:, until:)`.",
    }  # fmt: skip


async def test_the_export_lets_others_be_answered_meanwhile(company: Company, monkeypatch: pytest.MonkeyPatch):
    threads: list[int] = []
    plain = archive._plain

    def noted(value: object) -> object:
        threads.append(get_ident())
        return plain(value)

    monkeypatch.setattr(archive, "_plain", noted)
    ada = Principal(tenant=company.tenant, kind=CallerKind.USER, user=company.people["ada"].id)
    document = await company.house.host.service(Archive).document(company.house.context(ada))

    assert json.loads(document)["organisation"] == company.tenant
    assert threads != []
    assert get_ident() not in threads


async def test_only_an_owner_exports(company: Company):
    await company.hire("bob", Role.ADMIN)

    assert await company.refusal("bob", EXPORT) == "FORBIDDEN"


def test_every_column_that_could_sign_in_is_left_out_by_its_name():
    kept = [f"{table.name}.{column.name}" for table in TABLES.sorted_tables for column in table.c]

    secret = {name for name in kept if any(word in name.partition(".")[2] for word in SECRET)}
    assert {"accounts_api_keys.digest", "accounts_invitations.digest", "accounts_users.password_hash"} <= secret


async def test_an_organisation_is_erased_when_its_time_of_grace_is_over(company: Company):
    await company.hire("bob", Role.VIEWER)
    await company.ask("ada", INVITE, email="cleo@example.com", role="VIEWER")
    await company.house.ask(WATCH, token=company.tokens["bob"])
    eve = await company.guest("eve", "Eve and Sons")
    await company.house.ask(WATCH, token=company.tokens["eve"])
    await company.ask("ada", DELETE, confirmName="Analytical Engines")
    eraser = company.house.host.service(Archive)

    company.house.clock.turn(timedelta(days=30).total_seconds() - 1)
    await eraser.erase_due()
    early = await company.count(organisations)
    company.house.clock.turn(1)
    await eraser.erase_due()
    await eraser.erase_due()

    assert early == 2
    async with company.house.store.read() as tx:
        assert await tx.values(select(organisations.c.id)) == [eve.tenant]
        assert await tx.values(select(memberships.c.tenant_id)) == [eve.tenant]
        assert await tx.values(select(lists.c.tenant_id)) == [eve.tenant]
        assert await tx.values(select(invitations.c.id)) == []
        assert await tx.values(select(audit.c.id).where(audit.c.tenant_id == company.tenant)) == []
        buried = await tx.values(select(audit.c.target).where(audit.c.action == "organisation.erased"))
        assert buried == [company.tenant]
        assert len(await tx.values(select(users.c.id))) == 3
    assert await company.acts("") == ["organisation.erased"]


async def test_what_was_restored_is_not_erased(company: Company):
    await company.ask("ada", DELETE, confirmName="Analytical Engines")
    await company.ask("ada", RESTORE, id=company.tenant)

    company.house.clock.turn(timedelta(days=31).total_seconds())
    await company.house.host.service(Archive).erase_due()

    assert await company.count(organisations) == 1


async def test_a_suspended_organisation_keeps_its_data_past_its_time_of_grace(company: Company):
    desk = company.house.host.service(OrganisationDesk)
    await company.ask("ada", DELETE, confirmName="Analytical Engines")
    async with company.house.store.write() as tx:
        await desk.set_status(tx, company.tenant, "suspended", "held for the court")

    company.house.clock.turn(timedelta(days=31).total_seconds())
    await company.house.host.service(Archive).erase_due()

    assert (await company.count(organisations), await company.count(memberships)) == (1, 1)
    assert await company.acts("") == []


async def test_an_organisation_that_is_suspended_just_before_its_erasure_is_not_erased(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    desk = company.house.host.service(OrganisationDesk)
    await company.ask("ada", DELETE, confirmName="Analytical Engines")
    company.house.clock.turn(timedelta(days=31).total_seconds())
    due = OrganisationDirectory.due

    async def seen_before_the_suspension(self: OrganisationDirectory, tx: Tx, now: datetime) -> list[str]:
        found = await due(self, tx, now)
        async with company.house.store.write() as other:
            await desk.set_status(other, company.tenant, "suspended", "held for the court")
        return found

    monkeypatch.setattr(OrganisationDirectory, "due", seen_before_the_suspension)
    await company.house.host.service(Archive).erase_due()

    assert await company.count(organisations) == 1


async def test_one_organisation_that_cannot_be_erased_does_not_keep_the_others(company: Company):
    eve = await company.guest("eve", "Eve and Sons")
    await company.ask("ada", DELETE, confirmName="Analytical Engines")
    await company.ask("eve", DELETE, confirmName="Eve and Sons")
    company.house.clock.turn(timedelta(days=31).total_seconds())

    async def stuck(host: Host, tx: Tx, tenant: str) -> None:
        if tenant == company.tenant:
            raise RuntimeError("cannot let go")

    host = replace(company.house.host, plugins=[Plugin(name="stuck", erase=stuck), *company.house.host.plugins])
    with pytest.raises(ExceptionGroup):
        await Archive(host).erase_due()

    async with company.house.store.read() as tx:
        assert await tx.values(select(organisations.c.id)) == [company.tenant]
        assert await tx.values(select(memberships.c.tenant_id)) == [company.tenant]
    assert eve.tenant != company.tenant


async def test_an_erased_organisation_lets_nobody_in_and_its_people_go_on_without_it(company: Company):
    await company.guest("bob")
    session = await sign_in(company.house, company.people["ada"])
    assert session.refresh_token is not None
    await company.ask("ada", INVITE, email="bob@example.com", role="VIEWER")
    token = await company.invited("bob@example.com")
    await company.ask("ada", DELETE, confirmName="Analytical Engines")
    await _past_its_time(company)

    assert await company.codes("bob", ACCEPT, token=token) == ["INVITATION_INVALID"]
    assert await company.refusal("ada", VIEWER) == "UNAUTHENTICATED"
    refreshed = await company.house.ask(REFRESH, {"token": session.refresh_token})
    company.tokens["ada"] = refreshed["data"]["sessionRefresh"]["session"]["accessToken"]
    assert (await company.see("ada"))["tenant"] is None


async def _past_its_time(company: Company) -> None:
    """Without turning the clock, so that the sessions of the test go on."""
    async with company.house.store.write() as tx:
        values: Mapping[str, Any] = {"erase_at": company.house.clock.now()}
        await tx.run(organisations.update().where(organisations.c.id == company.tenant).values(**values))
    await company.house.host.service(Archive).erase_due()
