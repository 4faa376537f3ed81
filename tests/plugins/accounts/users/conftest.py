"""People of a house: signed up, verified and signed in through GraphQL, their mails read from the outbox."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from sqlalchemy import func, select

from plugins.accounts.tables import TABLES, mails, users
from plugins.accounts.users.passwords import Passwords, Strength
from tests.house import House

ANNA, PASSWORD, OTHER = "anna@example.com", "quartz lantern orbit 7", "velvet cactus harbour 3"
_ERRORS = "userErrors { field code message }"

SIGN_UP = f"mutation($i: UserSignUpInput!) {{ r: userSignUp(input: $i) {{ accepted {_ERRORS} }} }}"
VERIFY = f"mutation($i: UserVerifyInput!) {{ r: userVerify(input: $i) {{ verified passwordNeeded {_ERRORS} }} }}"
RESEND = (
    f"mutation($i: UserVerificationResendInput!) {{ r: userVerificationResend(input: $i) {{ accepted {_ERRORS} }} }}"
)
ASK_RESET = (
    f"mutation($i: PasswordResetRequestInput!) {{ r: passwordResetRequest(input: $i) {{ accepted {_ERRORS} }} }}"
)
RESET = f"mutation($i: PasswordResetInput!) {{ r: passwordReset(input: $i) {{ changed {_ERRORS} }} }}"
CHANGE = f"mutation($i: PasswordChangeInput!) {{ r: passwordChange(input: $i) {{ changed {_ERRORS} }} }}"
SIGN_IN = f"""mutation($i: SessionCreateInput!) {{ r: sessionCreate(input: $i) {{
  session {{ id accessToken refreshToken expiresAt refreshExpiresAt }} secondFactorRequired {_ERRORS} }} }}"""
TOTP_START = f"mutation {{ r: totpStart {{ secret uri {_ERRORS} }} }}"
TOTP_CONFIRM = f"mutation($i: TotpConfirmInput!) {{ r: totpConfirm(input: $i) {{ recoveryCodes {_ERRORS} }} }}"
TOTP_DISABLE = f"mutation($i: TotpDisableInput!) {{ r: totpDisable(input: $i) {{ disabled {_ERRORS} }} }}"
RENEW = f"mutation($i: RecoveryCodesRenewInput!) {{ r: recoveryCodesRenew(input: $i) {{ recoveryCodes {_ERRORS} }} }}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as its receiver reads it."""

    to: str
    subject: str
    text: str

    @property
    def token(self) -> str:
        """What its link holds."""
        found = re.search(r"token=([\w-]+)", self.text)
        assert found is not None, self.text
        return found[1]


@dataclass
class People:
    """Everything as a client would do it; each request comes from an address of its own."""

    house: House
    seen: set[str] = field(default_factory=set)
    addresses: Any = field(default_factory=count)

    @property
    def passwords(self) -> Passwords:
        """Counts the hashes."""
        return self.house.host.service(Passwords)

    async def ask(self, document: str, *, by: str | None = None, **given: Any) -> dict[str, Any]:
        """The payload of the one mutation."""
        number = next(self.addresses)
        ip = f"10.0.{number // 250}.{number % 250 + 1}"
        body = await self.house.ask(document, {"i": given} if given else None, token=by, ip=ip)
        assert "errors" not in body, body
        payload: dict[str, Any] = body["data"]["r"]
        return payload

    async def codes(self, document: str, *, by: str | None = None, **given: Any) -> list[str]:
        """The codes of the expected refusals."""
        return [error["code"] for error in (await self.ask(document, by=by, **given))["userErrors"]]

    async def signed_up(self, email: str = ANNA, password: str = PASSWORD) -> Letter:
        """The mail to somebody new."""
        assert (await self.ask(SIGN_UP, email=email, password=password))["accepted"]
        return await self.letter(email)

    async def verified(self, email: str = ANNA, password: str = PASSWORD) -> str:
        """The id of a person who may sign in."""
        letter = await self.signed_up(email, password)
        assert (await self.ask(VERIFY, token=letter.token))["verified"]
        async with self.house.store.read() as tx:
            return str(await tx.value(select(users.c.id).where(users.c.email == email)))

    async def sign_in(self, email: str = ANNA, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
        """The payload."""
        return await self.ask(SIGN_IN, email=email, password=password, **more)

    async def token(self, email: str = ANNA, password: str = PASSWORD, **more: Any) -> str:
        """An access token."""
        return str((await self.sign_in(email, password, **more))["session"]["accessToken"])

    async def letter(self, to: str = ANNA) -> Letter:
        """The one new mail to an address since the last look."""
        async with self.house.store.read() as tx:
            rows = (await tx.connection.execute(select(mails).where(mails.c.recipient == to))).all()
        new = [row for row in rows if row.id not in self.seen]
        assert len(new) == 1, [row.subject for row in new]
        self.seen.add(new[0].id)
        return Letter(to, new[0].subject, self.house.host.vault.decrypt(new[0].sealed_text))

    async def counts(self) -> dict[str, int]:
        """Rows by table, empty tables left out."""
        async with self.house.store.read() as tx:
            found = {t.name: int(await tx.value(select(func.count()).select_from(t))) for t in TABLES.sorted_tables}
        return {name.removeprefix("accounts_"): rows for name, rows in found.items() if rows}


def make_fast(house: House) -> People:
    """Argon2 at its least: these tests count hashes, they do not measure them."""
    house.host.services[Passwords] = Passwords(Strength(passes=1, memory_kib=8, lanes=1))
    return People(house)


@pytest.fixture
def people(house: House) -> People:
    return make_fast(house)
