"""Who may do what with an account. Pure, but for the gate, which reads the rows that it takes."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from gateway.core.contract import Context
from gateway.core.identity import CallerKind, Principal, Role, Scope
from gateway.core.store import Tx
from plugins.trading.accounts.store import AccountStore, MemberStore, PermitStore, SwitchDirectory
from plugins.trading.rows import AccountRow, PermitRow, SwitchRow
from schema.errors import BadInput
from schema.model import choices
from schema.names import could_be_id
from schema.words.problems import Refused

FLEET = "trading"
"""The name of the operator's switch."""
_UNKNOWN = "You have no trading account with this id: `tradingAccounts { nodes { id } }` lists them"
MANAGERS = frozenset({Role.OWNER, Role.ADMIN})


class Access(IntEnum):
    """From nothing to all; who may do more may do less."""

    NONE = 0
    LOOK = 1
    TRADE = 2
    MANAGE = 3


@choices(
    "What a member of an account may do; never more than their role in the organisation lets them.",
    TRADER="Look, place orders and move money.",
    VIEWER="Look.",
)
class TradingMemberRole(StrEnum):
    """What stands in a member's row."""

    TRADER = "TRADER"
    VIEWER = "VIEWER"


_MAY = {Access.LOOK: "look at", Access.TRADE: "trade with"}
_NOT_ALLOWED = {
    Access.TRADE: "You may {may} this account, and not trade with it.",
    Access.MANAGE: "You may {may} this account, and not change it: that may its owner, or an owner or admin of the "
    "organisation, signed in.",
}


def owner_of(principal: Principal) -> str:
    """Whom an account belongs to that this caller makes: a person, else the key that stands behind the caller."""
    return principal.user or principal.key or principal.actor


def known_as(principal: Principal) -> frozenset[str]:
    """All ids under which a caller may own an account or take part in one."""
    return frozenset(each for each in (principal.user, principal.key, principal.token) if each)


def manages(principal: Principal) -> bool:
    """Whether a caller may do all with every account of the organisation: its owners and admins, in person."""
    return principal.kind is CallerKind.USER and principal.role in MANAGERS


def access_to(principal: Principal, account: AccountRow, role: str | None) -> Access:
    """What a caller may do; *role* is the one of its member's row. Never more than its scopes say."""
    most = _most(principal)
    if principal.tenant != account.tenant_id or most is Access.NONE:
        return Access.NONE
    if account.owner in known_as(principal) or manages(principal):
        return Access.MANAGE if most is Access.TRADE else most
    if account.shared or role == TradingMemberRole.TRADER:
        return most
    return Access.LOOK if role == TradingMemberRole.VIEWER else Access.NONE


def may_trade(principal: Principal, account: AccountRow, role: str | None) -> bool:
    """Whether a caller may place orders and move money."""
    return access_to(principal, account, role) >= Access.TRADE


def halted_by(account: AccountRow, permit: PermitRow | None, switch: SwitchRow | None) -> str | None:
    """Which kill switch is on, in words that name the way out; None where trading goes on."""
    if switch is not None and switch.halted:
        return f"The operator has halted trading: {switch.reason or 'no reason was given'}. Try again later."
    if permit is not None and permit.halted:
        told = permit.halt_reason or "no reason was given"
        return f"Your organisation has halted trading: {told}. An owner or admin ends that with `tradingResume`."
    if account.halted:
        told = account.halt_reason or "no reason was given"
        return f"This account is halted: {told}. `tradingAccountResume` ends that."
    return None


class Gate:
    """The way to an account: an account that a caller may not see is the same to it as none."""

    def __init__(self) -> None:
        self._accounts, self._members = AccountStore(), MemberStore()
        self._permits, self._switches = PermitStore(), SwitchDirectory()

    async def find(self, tx: Tx, context: Context, account_id: str) -> AccountRow | None:
        """One that the caller may see."""
        if not could_be_id(account_id):
            return None
        row = await self._accounts.find(tx, context.tenant, account_id)
        return row if row is not None and await self.access(tx, context, row) >= Access.LOOK else None

    async def seen(self, tx: Tx, context: Context, account_id: str, field: str) -> AccountRow:
        """The same, for a query; BadInput where it is gone, or not, or not any more, for this caller."""
        row = await self.find(tx, context, account_id)
        if row is None:
            raise BadInput(field, _UNKNOWN[0].lower() + _UNKNOWN[1:])
        return row

    async def look(self, tx: Tx, context: Context, account_id: str, *field: str) -> AccountRow:
        """The same; Refused NOT_FOUND where there is none."""
        row = await self.find(tx, context, account_id)
        if row is None:
            raise unknown(*field)
        return row

    async def tradable(self, tx: Tx, context: Context, account_id: str, *field: str) -> AccountRow:
        """One that the caller may trade with, and move money of; Refused NOT_FOUND or NOT_ALLOWED."""
        row = await self._accounts.find(tx, context.tenant, account_id) if could_be_id(account_id) else None
        return await self.let_trade(tx, context, row, *field)

    async def let_trade(self, tx: Tx, context: Context, row: AccountRow | None, *field: str) -> AccountRow:
        """The same of a row that was read before."""
        allowed = Access.NONE if row is None else await self.access(tx, context, row)
        if row is None or allowed < Access.LOOK:
            raise unknown(*field)
        if allowed < Access.TRADE:
            told = "You may look at this account, and not trade with it."
            raise Refused("NOT_ALLOWED", told, *(field or ("accountId",)))
        return row

    async def lock(
        self, tx: Tx, context: Context, account_id: str, wanted: Access, *field: str, version: int | None = None
    ) -> AccountRow:
        """One that nobody else changes anything of until the end of the transaction.

        Refused NOT_FOUND or NOT_ALLOWED, and VERSION_CONFLICT where the caller has seen another version.
        """
        row = await self._accounts.lock(tx, context.tenant, account_id) if could_be_id(account_id) else None
        allowed = Access.NONE if row is None else await self.access(tx, context, row)
        if row is None or allowed < Access.LOOK:
            raise unknown(*field)
        if allowed < wanted:
            raise Refused("NOT_ALLOWED", _NOT_ALLOWED[wanted].format(may=_MAY[allowed]), *(field or ("id",)))
        if version is not None and version != row.version:
            told = f"The account is at version {row.version}, not {version}: read it again, then change it."
            raise Refused("VERSION_CONFLICT", told, "version")
        return row

    async def access(self, tx: Tx, context: Context, row: AccountRow) -> Access:
        """What the caller may do with a row."""
        direct = access_to(context.principal, row, None)
        if direct is not Access.NONE or context.principal.user is None:
            return direct
        role = await self._members.role(tx, context.tenant, row.id, context.principal.user)
        return access_to(context.principal, row, role)

    async def halted(self, tx: Tx, account: AccountRow) -> str | None:
        """Which kill switch is on, in words; None where trading goes on."""
        switch = await self._switches.find(tx, FLEET)
        permit = await self._permits.find(tx, account.tenant_id)
        return halted_by(account, permit, switch)


def unknown(*field: str) -> Refused:
    """There is none, or not for this caller."""
    return Refused("NOT_FOUND", f"{_UNKNOWN}.", *(field or ("accountId",)))


def _most(principal: Principal) -> Access:
    if principal.may(Scope.TRADING_WRITE):
        return Access.TRADE
    return Access.LOOK if principal.may(Scope.TRADING_READ) else Access.NONE
