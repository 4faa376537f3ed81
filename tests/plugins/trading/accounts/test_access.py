"""Who may do what with an account: a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.identity import ROLE_SCOPES, CallerKind, Principal, Role, Scope
from plugins.trading.accounts.access import Access, access_to, halted_by, may_trade, owner_of
from plugins.trading.rows import PermitRow, SwitchRow
from tests.plugins.trading.rowsof import NOON, account

MINE, SHARED = account(owner="user_1"), account(owner="user_9", shared=True)
OTHERS = account(owner="user_9")
KEYS = account(owner="key_1")
BOTH = frozenset({Scope.TRADING_READ, Scope.TRADING_WRITE})
READS = frozenset({Scope.TRADING_READ})


def person(role: Role, **given: object) -> Principal:
    made = Principal(tenant="org_a", user="user_1", role=role, scopes=ROLE_SCOPES[role])
    return replace(made, **given)  # type: ignore[arg-type]


def key(scopes: frozenset[Scope], **given: object) -> Principal:
    made = Principal(tenant="org_a", kind=CallerKind.API_KEY, key="key_1", scopes=scopes)
    return replace(made, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("caller", "row", "role", "expected"),
    [
        (person(Role.TRADER), MINE, None, Access.MANAGE),
        (person(Role.VIEWER), MINE, None, Access.LOOK),
        (person(Role.ADMIN), OTHERS, None, Access.MANAGE),
        (person(Role.OWNER), OTHERS, None, Access.MANAGE),
        (person(Role.TRADER), OTHERS, None, Access.NONE),
        (person(Role.TRADER), OTHERS, "TRADER", Access.TRADE),
        (person(Role.TRADER), OTHERS, "VIEWER", Access.LOOK),
        (person(Role.ANALYST), OTHERS, "TRADER", Access.LOOK),
        (person(Role.TRADER), SHARED, None, Access.TRADE),
        (person(Role.ANALYST), SHARED, None, Access.LOOK),
        (person(Role.ADMIN, scopes=frozenset()), OTHERS, None, Access.NONE),
        (person(Role.OWNER, tenant="org_b"), SHARED, None, Access.NONE),
        (key(BOTH), SHARED, None, Access.TRADE),
        (key(READS), SHARED, None, Access.LOOK),
        (key(BOTH), KEYS, None, Access.MANAGE),
        (key(READS), KEYS, None, Access.LOOK),
        (key(BOTH), MINE, None, Access.NONE),
        (key(BOTH, kind=CallerKind.ACCESS_TOKEN, token="token_1"), KEYS, None, Access.MANAGE),
        (key(BOTH, kind=CallerKind.ACCESS_TOKEN, key=None, token="token_1"), KEYS, None, Access.NONE),
        # A token that a signed-in owner minted is not the owner.
        (key(BOTH, kind=CallerKind.ACCESS_TOKEN, key=None, role=Role.OWNER), OTHERS, None, Access.NONE),
    ],
)  # fmt: skip
def test_what_a_caller_may_do(caller: Principal, row: object, role: str | None, expected: Access):
    found = access_to(caller, row, role)  # type: ignore[arg-type]

    assert found is expected
    assert may_trade(caller, row, role) is (expected >= Access.TRADE)  # type: ignore[arg-type]


def test_an_account_belongs_to_a_person_else_to_the_key_behind_the_caller():
    assert owner_of(person(Role.TRADER)) == "user_1"
    assert owner_of(key(BOTH)) == "key_1"
    assert owner_of(key(BOTH, kind=CallerKind.ACCESS_TOKEN, token="token_1")) == "key_1"
    assert owner_of(key(BOTH, kind=CallerKind.ACCESS_TOKEN, key=None, token="token_1")) == "token_1"


def test_any_of_three_switches_halts_and_says_who_and_why():
    permit = PermitRow(
        tenant_id="org_a", halted=True, halt_reason="audit", live=False, changed_by="user_1", changed_at=NOON
    )
    fleet = SwitchRow(name="trading", halted=True, reason="upgrade", changed_by="key_9", changed_at=NOON)
    halted = account(halted=True, halt_reason="lunch")

    assert halted_by(account(), None, None) is None
    assert halted_by(account(), replace(permit, halted=False), replace(fleet, halted=False)) is None
    assert halted_by(halted, None, None) == "This account is halted: lunch. `tradingAccountResume` ends that."
    assert str(halted_by(halted, permit, None)).startswith("Your organisation has halted trading: audit. ")
    assert halted_by(halted, permit, fleet) == "The operator has halted trading: upgrade. Try again later."
