"""The second factor: codes of an authenticator (RFC 6238), and recovery codes for when it is lost."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from gateway.core.contract import Context, Host
from gateway.core.ports import Mail, Mailer
from gateway.core.store import Tx
from plugins.accounts.mail import letters
from plugins.accounts.users.acts import person_of, record
from plugins.accounts.users.proof import Proof, Prover
from plugins.accounts.users.store import RecoveryCodes, UserRow, Users
from schema.words.problems import Refused

ISSUER = "Marketgate"
STEP = 30
"""Seconds that a code stands for; the ones before and after are taken too, for clocks that differ."""
CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 4, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What an authenticator needs; shown once."""

    secret: str
    uri: str


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step that a code belongs to; None for a wrong one."""
    from pyotp import TOTP

    digits, current = "".join(code.split()), int(now.timestamp()) // STEP
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    totp = TOTP(secret)
    near = [step for step in (current, current - 1, current + 1) if compare_digest(totp.generate_otp(step), digits)]
    return near[0] if near else None


def make_codes() -> list[str]:
    """Recovery codes such as `k3hd-92mx-ap7e-wrt5`: 79 random bits each."""

    def group() -> str:
        return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))

    return ["-".join(group() for _ in range(_GROUPS)) for _ in range(CODES)]


class SecondFactor:
    """Switched on with a first code, off with the password and another."""

    def __init__(self, host: Host) -> None:
        self._host, self._users, self._codes, self._prover = host, Users(), RecoveryCodes(), Prover(host)

    async def start(self, context: Context) -> Started:
        """A new secret; it counts from its first code on."""
        from pyotp import TOTP, random_base32

        secret, user_id = random_base32(), person_of(context)
        async with self._host.store.write() as tx:
            if not await self._users.start_totp(tx, user_id, self._host.vault.encrypt(secret)):
                raise Refused("ALREADY_ON", "The second factor is on already: switch it off with totpDisable first.")
            user = await self._users.by_id(tx, user_id)
        name = user.email if user else user_id
        return Started(secret=secret, uri=TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER))

    async def confirm(self, context: Context, code: str) -> list[str]:
        """Switch on; the answer are the recovery codes."""
        now, made = self._host.clock.now(), make_codes()
        async with self._host.store.write() as tx:
            user = await self._users.lock(tx, person_of(context))
            if user is None or user.totp_secret is None or user.has_second_factor:
                told = "There is no second factor to confirm: begin with totpStart."
                raise Refused("NOT_STARTED", told)
            step = step_of(self._host.vault.decrypt(user.totp_secret), code, now)
            if step is None:
                raise WrongCode("code")
            await self._users.confirm_totp(tx, user.id, step, now=now)
            await self._replace_codes(tx, user, made)
            await self._send(tx, letters.second_factor(self._where, user.email, now, on=True))
            await record(context, tx, "user.second_factor_on", user.id, tenant=context.tenant)
        return made

    async def disable(self, context: Context, password: str, code: str) -> None:
        """Switch off."""
        proof = await self._prove(context, password)
        async with self._host.store.write() as tx:
            user = await self._proven(tx, proof, code)
            await self._users.end_totp(tx, user.id)
            await self._replace_codes(tx, user, [])
            await self._send(tx, letters.second_factor(self._where, user.email, self._host.clock.now(), on=False))
            await record(context, tx, "user.second_factor_off", user.id, tenant=context.tenant)

    async def renew(self, context: Context, password: str, code: str) -> list[str]:
        """New recovery codes; the old ones work no more."""
        proof, made = await self._prove(context, password), make_codes()
        async with self._host.store.write() as tx:
            user = await self._proven(tx, proof, code)
            await self._replace_codes(tx, user, made)
            await self._send(tx, letters.recovery_codes(self._where, user.email, self._host.clock.now(), left=None))
            await record(context, tx, "user.recovery_codes_renewed", user.id, tenant=context.tenant)
        return made

    async def accept(self, tx: Tx, user: UserRow, *, code: str | None = None, recovery_code: str | None = None) -> bool:
        """Use up a code, or a recovery code, of a person who has a second factor. Each is taken once."""
        now = self._host.clock.now()
        if code is not None and user.totp_secret is not None:
            step = step_of(self._host.vault.decrypt(user.totp_secret), code, now)
            if step is not None:
                return await self._users.take_step(tx, user, step)
        if recovery_code is None or not await self._codes.use(tx, user.id, self._digests(user, recovery_code), now=now):
            return False
        left = await self._codes.left(tx, user.id)
        await self._send(tx, letters.recovery_codes(self._where, user.email, now, left=left))
        return True

    async def _prove(self, context: Context, password: str) -> Proof:
        """Refused without counting an attempt where there is no second factor."""
        user = await self._prover.person(context, "password")
        if not user.has_second_factor:
            raise NotOn
        return await self._prover.prove_again(context, password, "password")

    async def _proven(self, tx: Tx, proof: Proof, code: str) -> UserRow:
        """Whose password and code were right; either kind of code, as an authenticator may be lost."""
        user = await self._prover.hold(tx, proof)
        if user is None or not user.has_second_factor:
            raise NotOn
        if not await self.accept(tx, user, code=code, recovery_code=code):
            raise WrongCode("code")
        await self._prover.guard.clear(tx, user.email)
        return user

    async def _replace_codes(self, tx: Tx, user: UserRow, made: list[str]) -> None:
        await self._codes.replace(tx, user.id, [self._digests(user, code)[0] for code in made])

    def _digests(self, user: UserRow, code: str) -> tuple[str, ...]:
        plain = "".join(c for c in code.lower() if c.isalnum())[: _GROUPS * _GROUP + 1]
        return self._host.vault.digests("recovery code", f"{user.id} {plain}")

    @property
    def _where(self) -> str:
        return self._host.settings.address

    async def _send(self, tx: Tx, letter: Mail) -> None:
        await self._host.service(Mailer).send(tx, letter)


class NotOn(Refused):
    """There is no second factor."""

    def __init__(self) -> None:
        super().__init__("NOT_ON", "The second factor is off: there is nothing to change.")


class WrongCode(Refused):
    """Of an authenticator or of the recovery codes."""

    def __init__(self, *field: str) -> None:
        told = "The code is not right, or was used before: wait for the next one, or use a recovery code."
        super().__init__("CODE_INVALID", told, *field)
