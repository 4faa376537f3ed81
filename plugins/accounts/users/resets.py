"""Lost and changed passwords."""

from __future__ import annotations

from gateway.core.contract import Context, Host
from gateway.core.ports import Mailer
from gateway.core.store import Tx
from plugins.accounts.mail import letters
from plugins.accounts.sessions.desk import SessionDesk
from plugins.accounts.users.acts import record
from plugins.accounts.users.attempts import Guard
from plugins.accounts.users.passwords import Passwords
from plugins.accounts.users.proof import Prover
from plugins.accounts.users.registration import TokenInvalid, read_address
from plugins.accounts.users.store import UserRow, Users
from plugins.accounts.users.tokens import RESET, RESET_FOR, VERIFY, OneTimeTokens
from schema.words.problems import Refused

_WAY_OUT = "ask for another with passwordResetRequest"


class PasswordDesk:
    """New passwords for people who have proven to be who they are: by mail, or by the old one."""

    def __init__(self, host: Host) -> None:
        self._host, self._users, self._guard, self._prover = host, Users(), Guard(host), Prover(host)

    async def request(self, email: str) -> None:
        """Send a link, or a mail that says that there is no account: the same work for both."""
        address, where = read_address(self._host, email), self._host.settings.address
        async with self._host.store.write() as tx:
            await self._guard.mail(tx, address)
            user = await self._users.by_email(tx, address)
            if user is None:
                letter = letters.unknown_address(where, address)
            else:
                tokens = self._host.service(OneTimeTokens)
                letter = letters.reset(where, address, await tokens.issue(tx, RESET, user_id=user.id, ttl=RESET_FOR))
            await self._host.service(Mailer).send(tx, letter)

    async def reset(self, context: Context, token: str, password: str) -> None:
        """Set a password by a link. It is used up only if the password is good enough."""
        passwords, tokens, now = (
            self._host.service(Passwords),
            self._host.service(OneTimeTokens),
            self._host.clock.now(),
        )
        user = await self._owner(token)
        await passwords.check(password, user.email)
        password_hash = await passwords.hash(password)
        async with self._host.store.write() as tx:
            await self._users.lock(tx, user.id)
            if await tokens.redeem(tx, RESET, token) is None:
                raise TokenInvalid(_WAY_OUT)
            await self._users.set_password(tx, user.id, password_hash, now=now)
            for kind in (RESET, VERIFY):
                await tokens.revoke(tx, kind, user.id)
            await self._guard.clear(tx, user.email)
            await self._host.service(SessionDesk).revoke_user(tx, user.id, "the password was reset")
            await self._notify(tx, user)
            await record(context, tx, "user.password_reset", user.id)

    async def change(self, context: Context, current: str, new: str) -> None:
        """Set a password in place of the old one; all other sessions end."""
        passwords, user = self._host.service(Passwords), await self._prover.person(context, "currentPassword")
        # Before the attempt is counted: who is right about the old one must not be locked out over the new one.
        await passwords.check(new, user.email, "newPassword")
        proof = await self._prover.prove_again(context, current, "currentPassword")
        password_hash = await passwords.hash(new)
        async with self._host.store.write() as tx:
            if await self._prover.hold(tx, proof) is None:
                told = "The password was changed a moment ago by somebody else: sign in again."
                raise Refused("WRONG_PASSWORD", told, "currentPassword")
            await self._users.set_password(tx, user.id, password_hash, now=self._host.clock.now())
            await self._host.service(OneTimeTokens).revoke(tx, RESET, user.id)
            await self._guard.clear(tx, user.email)
            await self._host.service(SessionDesk).revoke_user(
                tx, user.id, "the password was changed", except_session=context.principal.session
            )
            await self._notify(tx, user)
            await record(context, tx, "user.password_changed", user.id, tenant=context.tenant)

    async def _owner(self, token: str) -> UserRow:
        async with self._host.store.read() as tx:
            link = await self._host.service(OneTimeTokens).peek(tx, RESET, token)
            user = await self._users.by_id(tx, link.user_id) if link and link.user_id else None
        if user is None:
            raise TokenInvalid(_WAY_OUT)
        return user

    async def _notify(self, tx: Tx, user: UserRow) -> None:
        letter = letters.password_changed(self._host.settings.address, user.email, self._host.clock.now())
        await self._host.service(Mailer).send(tx, letter)
