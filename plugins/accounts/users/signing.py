"""Signing in with a password."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.contract import Context, Host
from gateway.core.store import Tx
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.organisations.rows import Status
from plugins.accounts.sessions.desk import Issued, SessionDesk
from plugins.accounts.users.acts import record
from plugins.accounts.users.proof import Proof, Prover
from plugins.accounts.users.registration import read_address
from plugins.accounts.users.second_factor import SecondFactor, WrongCode
from plugins.accounts.users.store import UserRow, Users
from schema.words.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What somebody signs in with."""

    email: str
    password: str
    code: str | None
    recovery_code: str | None
    cookie: bool
    organisation_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of a right password: a session, a wish for a code, or a refusal that undoes nothing."""

    issued: Issued | None = None
    needs_code: bool = False
    refused: Refused | None = None


class WrongCredentials(Refused):
    """The same words for an unknown address and for a wrong password."""

    def __init__(self) -> None:
        super().__init__(
            "CREDENTIALS_INVALID",
            "The address or the password is not right: check both, or set a new password with passwordResetRequest.",
        )


class SignIn:
    """Opens sessions. One password is compared whoever asks, and nothing is told before it is right."""

    def __init__(self, host: Host) -> None:
        self._host, self._users, self._prover = host, Users(), Prover(host)

    async def open(self, context: Context, given: Credentials) -> Outcome:
        """Raises Refused; an outcome without a session and without a refusal asks for a code."""
        address = read_address(self._host, given.email)
        proof = await self._prover.prove(context, address, given.password, WrongCredentials())
        async with self._host.store.write() as tx:
            user = await self._prover.hold(tx, proof)
            if user is None:
                raise WrongCredentials
            if user.verified_at is None:
                await self._prover.guard.clear(tx, address)
                return Outcome(refused=_not_verified())
            if user.has_second_factor and (wanting := await self._wanting(tx, user, proof, given)):
                return wanting
            return await self._enter(context, tx, user, proof, given)

    async def _wanting(self, tx: Tx, user: UserRow, proof: Proof, given: Credentials) -> Outcome | None:
        """What is missing of the second factor; None where nothing is."""
        if given.code is None and given.recovery_code is None:
            await self._prover.guard.refund(tx, proof.charge)
            return Outcome(needs_code=True)
        factor = self._host.service(SecondFactor)
        if await factor.accept(tx, user, code=given.code, recovery_code=given.recovery_code):
            return None
        return Outcome(needs_code=True, refused=WrongCode("code" if given.code is not None else "recoveryCode"))

    async def _enter(self, context: Context, tx: Tx, user: UserRow, proof: Proof, given: Credentials) -> Outcome:
        await self._prover.guard.clear(tx, user.email)
        if proof.rehashed is not None and user.password_hash is not None:
            await self._users.rehash(tx, user.id, user.password_hash, proof.rehashed)
        tenant = await self._organisation(tx, user, given.organisation_id)
        if tenant is None and given.organisation_id is not None:
            told = "You are a member of no organisation with this id: leave organisationId out to sign in."
            return Outcome(refused=Refused("NOT_FOUND", told, "organisationId"))
        issued = await self._host.service(SessionDesk).open(
            tx, user.id, tenant, presented=context.presented, user_agent=context.user_agent, cookie=given.cookie
        )
        await record(context, tx, "session.created", user.id, tenant=tenant or "", target=issued.session_id)
        return Outcome(issued=issued)

    async def _organisation(self, tx: Tx, user: UserRow, wanted: str | None) -> str | None:
        """The one that is wanted; else the oldest membership in one that works, or that could be restored."""
        mine = await self._host.service(OrganisationDesk).memberships_of(tx, user.id)
        if wanted is not None:
            return next((each.tenant_id for each in mine if each.tenant_id == wanted), None)
        states = (Status.ACTIVE.value, Status.DELETING.value)
        return next((each.tenant_id for state in states for each in mine if each.status == state), None)


def _not_verified() -> Refused:
    told = "The address is not confirmed: follow the link in the mail, or ask for another with userVerificationResend."
    return Refused("EMAIL_NOT_VERIFIED", told, "email")
