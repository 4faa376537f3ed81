"""Signing up and proving an address. Nothing that a caller is told depends on whether the address has an account."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from gateway.core.contract import Context, Host
from gateway.core.ports import Mail, Mailer
from gateway.core.store import Tx
from plugins.accounts.mail import letters
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.accounts.users.acts import record
from plugins.accounts.users.attempts import Guard
from plugins.accounts.users.desk import BadEmail, UserDesk
from plugins.accounts.users.passwords import Passwords
from plugins.accounts.users.store import UserRow, Users
from plugins.accounts.users.tokens import VERIFY, VERIFY_FOR, OneTimeTokens
from schema.names import LONGEST_NAME, BadName, read_name
from schema.words.problems import Refused

_HASH = "password_hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """What somebody wants to sign up with."""

    email: str
    password: str
    organisation_name: str | None
    invitation_token: str | None


class TokenInvalid(Refused):
    """Of a link: why is not told."""

    def __init__(self, way_out: str) -> None:
        super().__init__("TOKEN_INVALID", f"The link was used before, or is too old: {way_out}.", "token")


def read_address(host: Host, email: str) -> str:
    """A normalised address; refuses what is none."""
    try:
        return host.service(UserDesk).normalise(email)
    except BadEmail as error:
        raise Refused("EMAIL_INVALID", str(error), "email") from None


class Registration:
    """New people."""

    def __init__(self, host: Host) -> None:
        self._host, self._users, self._guard = host, Users(), Guard(host)

    async def sign_up(self, context: Context, ask: SignUp) -> None:
        """One hash, one transaction, one mail, whoever has the address."""
        self._check_open(ask)
        address = read_address(self._host, ask.email)
        name = _organisation_name(ask.organisation_name, address)
        passwords = self._host.service(Passwords)
        await passwords.check(ask.password, address)
        password_hash = await passwords.hash(ask.password)
        async with self._host.store.write() as tx:
            await self._guard.mail(tx, address)
            if ask.invitation_token is not None:
                await self._check_invitation(tx, ask.invitation_token, address)
            made = await self._users.add(tx, address, now=self._host.clock.now(), password_hash=password_hash)
            if made is None:
                await self._send(tx, await self._letter_to_known(tx, address, ask.invitation_token))
                return
            tenant = ""
            if ask.invitation_token is None:
                tenant = await self._host.service(OrganisationDesk).create(tx, name, made)
            await self._send(tx, await self._link(tx, made, address, password_hash, ask.invitation_token))
            await record(context, tx, "user.signed_up", made, tenant=tenant, after={"email": address})

    async def resend(self, email: str) -> None:
        """Another link for an address that is not proven yet; a mail that says so for any other."""
        address, where = read_address(self._host, email), self._host.settings.address
        async with self._host.store.write() as tx:
            await self._guard.mail(tx, address)
            user = await self._users.by_email(tx, address)
            if user is None:
                letter = letters.unknown_address(where, address)
            elif user.verified_at is not None:
                letter = letters.already_verified(where, address)
            else:
                letter = await self._link(tx, user.id, address, None)
            await self._send(tx, letter)

    async def verify(self, context: Context, token: str) -> bool:
        """Follow a link. Whether the person has a password now."""
        tokens = self._host.service(OneTimeTokens)
        async with self._host.store.write() as tx:
            link = await tokens.peek(tx, VERIFY, token)
            # Whoever changes a person and their tokens takes the person first.
            user = await self._users.lock(tx, link.user_id) if link and link.user_id else None
            if user is None or (link := await tokens.redeem(tx, VERIFY, token)) is None:
                raise TokenInvalid("ask for another with userVerificationResend")
            chosen = link.payload.get(_HASH, user.password_hash)
            if not await self._users.verify(tx, user.id, now=self._host.clock.now(), password_hash=chosen):
                return user.password_hash is not None
            await tokens.revoke(tx, VERIFY, user.id)
            await record(context, tx, "user.verified", user.id)
        return chosen is not None

    def _check_open(self, ask: SignUp) -> None:
        mode = self._host.settings.sign_up
        if mode == "closed":
            raise Refused("SIGN_UP_CLOSED", "Nobody can sign up here: ask the operator for an account.")
        if mode == "invited" and ask.invitation_token is None:
            told = "Only invited people can sign up here: follow the link of your invitation, or ask for one."
            raise Refused("INVITATION_REQUIRED", told, "invitationToken")

    async def _check_invitation(self, tx: Tx, token: str, address: str) -> None:
        found = await self._host.service(OrganisationDesk).invitation(tx, token)
        if found is None or found.email != address:
            told = "The invitation is over, or was sent to another address: ask for a new one to this address."
            raise Refused("INVITATION_INVALID", told, "invitationToken")

    async def _letter_to_known(self, tx: Tx, address: str, invitation: str | None) -> Mail:
        where, user = self._host.settings.address, await self._known(tx, address)
        if not await self._users.forget_password(tx, user.id):
            return letters.known_address(where, address)
        # Two have chosen a password for an address that neither has proven, and both mails lie in one box: whichever
        # link were followed, it could be the stranger's. So none carries a password any more.
        await self._host.service(OneTimeTokens).revoke(tx, VERIFY, user.id)
        return letters.verification_again(where, address, await self._token(tx, user.id, None, invitation))

    async def _known(self, tx: Tx, address: str) -> UserRow:
        user = await self._users.by_email(tx, address)
        if user is None:
            raise RuntimeError("an address is taken by nobody")
        return user

    async def _link(
        self, tx: Tx, user_id: str, address: str, password_hash: str | None, invitation: str | None = None
    ) -> Mail:
        token = await self._token(tx, user_id, password_hash, invitation)
        return letters.verification(self._host.settings.address, address, token)

    async def _token(self, tx: Tx, user_id: str, password_hash: str | None, invitation: str | None) -> str:
        """As it stands in the link."""
        payload = {} if password_hash is None else {_HASH: password_hash}
        tokens = self._host.service(OneTimeTokens)
        token = await tokens.issue(tx, VERIFY, user_id=user_id, payload=payload, ttl=VERIFY_FOR)
        further = f"&invitation={quote(invitation, safe='')}" if invitation else ""
        return token + further

    async def _send(self, tx: Tx, letter: Mail) -> None:
        await self._host.service(Mailer).send(tx, letter)


def _organisation_name(given: str | None, address: str) -> str:
    """The one that was given, else the name of the address."""
    if given is None:
        return address.partition("@")[0][:LONGEST_NAME]
    try:
        return read_name(given)
    except BadName as error:
        raise Refused("NAME_INVALID", str(error), "organisationName") from None
