"""docs/permissions.md says what the code grants and what each field asks for."""

from __future__ import annotations

from gateway.core.identity import ROLE_SCOPES, Role, Scope
from gateway.generate import permissions_page
from plugins.accounts.organisations.rules import above
from tests.house import own_schema

PAGE = permissions_page(own_schema()).splitlines()


def cells(first: str) -> list[str]:
    """The row of a table that begins so."""
    row, *_ = [line for line in PAGE if line.startswith(f"| `{first}` |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_every_role_and_its_scopes_are_told():
    for scope in ROLE_SCOPES[Role.OWNER]:
        granted = ["yes" if scope in ROLE_SCOPES[role] else "" for role in Role]
        assert cells(scope)[2:] == granted


def test_a_higher_role_has_every_right_of_a_lower_one():
    for role in Role:
        for other in Role:
            assert (ROLE_SCOPES[role] > ROLE_SCOPES[other]) == above(role, other)


def test_operators_rights_are_no_members():
    assert cells("operator:write")[2:] == ["yes", ""]
    assert not any(scope.startswith("operator:") for scope in ROLE_SCOPES[Role.OWNER])
    assert Scope.MARKET_READ in ROLE_SCOPES[Role.VIEWER]


def test_each_field_names_its_scope_and_who_may_ask():
    assert cells("viewer") == ["`viewer`", "none", "any"]
    assert cells("organisationTransfer") == ["`organisationTransfer`", "`organisation:write`", "a signed-in person"]
    assert cells("watchlistCreate") == ["`watchlistCreate`", "`watchlists:write`", "any with the scope"]
    assert cells("Tenant.usage") == ["`Tenant.usage`", "`usage:read`", "any with the scope"]
