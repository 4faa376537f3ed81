"""What the processes tell each other when a credential is worth less than it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any

from gateway.core.contract import Host
from gateway.core.identity import CallerKind, Principal
from gateway.core.store import Tx

TOPIC = "accounts.revoked"


class Subject(StrEnum):
    """What a message is about."""

    SESSION = "session"
    KEY = "key"
    TOKEN = "token"  # noqa: S105 - the name of a kind
    OPERATOR = "operator"
    USER = "user"
    TENANT = "tenant"


Named = tuple[str, str]
"""A subject and its id."""


def tell(host: Host, tx: Tx, kind: str, id: str) -> None:
    """Once the transaction is committed, every process drops what it holds of this."""
    tx.then(_publishing(host, {"kind": str(kind), "id": id}))


def _publishing(host: Host, message: Mapping[str, Any]) -> Callable[[], Awaitable[None]]:
    return lambda: host.bus.publish(TOPIC, message)


def named_in(principal: Principal) -> frozenset[Named]:
    """Everything whose message is about this caller."""
    key = Subject.OPERATOR if principal.kind is CallerKind.OPERATOR else Subject.KEY
    ids = {
        Subject.SESSION: principal.session, key: principal.key, Subject.TOKEN: principal.token,
        Subject.USER: principal.user, Subject.TENANT: principal.tenant,
    }  # fmt: skip
    return frozenset((kind.value, id) for kind, id in ids.items() if id)


def subject_of(principal: Principal) -> Named | None:
    """The credential that a caller is known by; none where nothing was presented."""
    ids = {
        CallerKind.USER: (Subject.SESSION, principal.session),
        CallerKind.API_KEY: (Subject.KEY, principal.key),
        CallerKind.ACCESS_TOKEN: (Subject.TOKEN, principal.token),
        CallerKind.OPERATOR: (Subject.OPERATOR, principal.key),
    }
    kind, id = ids.get(principal.kind, (Subject.SESSION, None))
    return None if id is None else (kind.value, id)
