"""Proving to be somebody by a password: the same work, and the same answer, whether or not there is such a person."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.contract import Context, Host
from gateway.core.store import Tx
from plugins.accounts.users.acts import person_of
from plugins.accounts.users.attempts import Charge, Guard
from plugins.accounts.users.passwords import Passwords
from plugins.accounts.users.store import UserRow, Users
from schema.words.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A person whose password was right, and the attempt that was counted for it."""

    user: UserRow
    charge: Charge
    rehashed: str | None


class TooManyAttempts(Refused):
    """Says nothing of whether there is an account, or whether the password was right."""

    def __init__(self) -> None:
        super().__init__(
            "TOO_MANY_ATTEMPTS",
            "Too many attempts on this address: wait, each failure doubles the wait up to an hour, or set a new "
            "password with passwordResetRequest.",
        )


class Prover:
    """Counts an attempt, compares the password, and holds the person while something is done about it."""

    def __init__(self, host: Host) -> None:
        self._host, self._users, self.guard = host, Users(), Guard(host)

    async def prove(self, context: Context, address: str, password: str, wrong: Refused) -> Proof:
        """By a normalised address; raises *wrong*, or TooManyAttempts. The attempt stays counted until cleared."""
        async with self._host.store.write() as tx:
            charge = await self.guard.charge(tx, address, context.presented.client_ip)
            user = await self._users.by_email(tx, address)
        if charge is None:
            raise TooManyAttempts
        checked = await self._host.service(Passwords).verify(password, user.password_hash if user else None)
        if user is None or not checked.right:
            raise wrong
        return Proof(user=user, charge=charge, rehashed=checked.rehashed)

    async def person(self, context: Context, field: str) -> UserRow:
        """The signed-in person, who has a password."""
        async with self._host.store.read() as tx:
            user = await self._users.by_id(tx, person_of(context))
        if user is None or user.password_hash is None:
            raise Refused("NO_PASSWORD", "The account has no password: set one with passwordResetRequest.", field)
        return user

    async def prove_again(self, context: Context, password: str, field: str) -> Proof:
        """The signed-in person, before something that a stolen session must not do."""
        user = await self.person(context, field)
        wrong = Refused("WRONG_PASSWORD", "The password is not right: type it again, or reset it by mail.", field)
        return await self.prove(context, user.email, password, wrong)

    async def hold(self, tx: Tx, proof: Proof) -> UserRow | None:
        """The person as they are now, held to the end of the transaction; None after a change of the password."""
        user = await self._users.lock(tx, proof.user.id)
        return user if user is not None and user.password_hash == proof.user.password_hash else None
