"""The second half of a sign-in with a provider: a code of the person's authenticator."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.contract import Context, Host
from plugins.accounts.oauth.entering import WAITS_FOR_CODE, Entrance
from plugins.accounts.sessions.desk import Issued
from plugins.accounts.users.attempts import Guard
from plugins.accounts.users.second_factor import SecondFactor, WrongCode
from plugins.accounts.users.store import Users
from plugins.accounts.users.tokens import OneTimeTokens
from schema.words.problems import Refused


class NotBegun(Refused):
    """No cookie of a sign-in that waits for a code."""

    def __init__(self) -> None:
        super().__init__("NOT_BEGUN", "No sign-in waits for a code here, or it waited too long: begin it again.")


class TooManyCodes(Refused):
    """Counted together with wrong passwords."""

    def __init__(self) -> None:
        super().__init__("TOO_MANY_ATTEMPTS", "Too many attempts: wait, each failure doubles the wait up to an hour.")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One a process."""

    host: Host

    async def confirm(
        self, context: Context, token: str, *, code: str | None, recovery_code: str | None
    ) -> Issued | Refused:
        """A session, or a refusal; both are written down, so that a wrong code counts."""
        if code is None and recovery_code is None:
            return WrongCode("code")
        tokens, guard = self.host.service(OneTimeTokens), Guard(self.host)
        async with self.host.store.write() as tx:
            waiting = await tokens.peek(tx, WAITS_FOR_CODE, token)
            user = await Users().lock(tx, waiting.user_id) if waiting and waiting.user_id else None
            if waiting is None or user is None:
                return NotBegun()
            if await guard.charge(tx, user.email, context.presented.client_ip) is None:
                return TooManyCodes()
            factor = self.host.service(SecondFactor)
            if not await factor.accept(tx, user, code=code, recovery_code=recovery_code):
                return WrongCode("code" if code is not None else "recoveryCode")
            if await tokens.redeem(tx, WAITS_FOR_CODE, token) is None:
                return NotBegun()
            await guard.clear(tx, user.email)
            return await Entrance(self.host).enter(
                tx, waiting.payload["by"], user.id, presented=context.presented, user_agent=context.user_agent
            )
