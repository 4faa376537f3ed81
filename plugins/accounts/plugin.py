"""The plugin's value: each subject of accounts is a package that brings its part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import strawberry
from starlette.routing import BaseRoute

from gateway.core.contract import Archived, Host, Plugin, Worker
from plugins.accounts.audit import part as audit
from plugins.accounts.audit.query import AuditQuery
from plugins.accounts.audit.restoring import restore_lines
from plugins.accounts.bootstrap import warn, welcome
from plugins.accounts.keys import part as keys
from plugins.accounts.keys.events import ApiKeyCreated, ApiKeyRevoked
from plugins.accounts.keys.mutation import KeyMutation
from plugins.accounts.keys.query import KIND, KeyQuery, find_key
from plugins.accounts.oauth import part as oauth
from plugins.accounts.oauth.mutation import ProviderMutation
from plugins.accounts.oauth.query import ProviderQuery
from plugins.accounts.oauth.routes import routes as provider_routes
from plugins.accounts.operator import part as operator
from plugins.accounts.operator.mutation import OperatorMutation
from plugins.accounts.operator.query import OperatorQuery
from plugins.accounts.organisations import part as organisations
from plugins.accounts.organisations.archive import erase, export
from plugins.accounts.organisations.member_mutation import MemberMutation
from plugins.accounts.organisations.mutation import OrganisationMutation
from plugins.accounts.organisations.viewer import NODES, ViewerQuery
from plugins.accounts.sessions import part as sessions
from plugins.accounts.sessions.links import routes as session_routes
from plugins.accounts.sessions.mutation import SessionMutation
from plugins.accounts.sessions.query import SessionQuery
from plugins.accounts.tables import TABLES
from plugins.accounts.tables import audit as audit_lines
from plugins.accounts.users import part as users
from plugins.accounts.users.mutation import UserMutation

PARTS = (users, sessions, organisations, keys, audit, operator, oauth)


def services(host: Host) -> dict[type, Any]:
    """One of each in a process."""
    return {kind: service for part in PARTS for kind, service in part.services(host).items()}


def workers(host: Host) -> Sequence[Worker]:
    """What the subjects do again and again."""
    return [worker for part in PARTS for worker in part.workers(host)]


def routes(host: Host) -> Sequence[BaseRoute]:
    """Plain links for browsers."""
    return [*session_routes(host), *provider_routes(host)]


async def start(host: Host) -> None:
    """Before the first question."""
    await warn(host)
    await operator.start(host)


@strawberry.type
class AccountsQuery(ViewerQuery, SessionQuery, KeyQuery, AuditQuery, OperatorQuery, ProviderQuery):
    """Questions about accounts."""


@strawberry.type
class AccountsMutation(
    UserMutation,
    SessionMutation,
    OrganisationMutation,
    MemberMutation,
    KeyMutation,
    OperatorMutation,
    ProviderMutation,
):
    """Changes of accounts."""


plugin = Plugin(
    name="accounts", tables=TABLES, migrations=Path(__file__).parent / "migrations", services=services,
    workers=workers, routes=routes, start=start, query=AccountsQuery, mutation=AccountsMutation,
    export=export, erase=erase, welcome=welcome, stop=sessions.stop, events=(ApiKeyCreated, ApiKeyRevoked),
    nodes={**NODES, KIND: find_key},
    archived=(Archived(table=audit_lines, days="audit_days", restore=restore_lines),),
)  # fmt: skip
"""Tenants, people, keys, sessions, the audit trail: who may do what, and who did."""
