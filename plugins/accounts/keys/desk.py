"""API keys, access tokens and operators' keys: made, shown once, and recognised again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hmac import compare_digest

from gateway.core.contract import Host
from gateway.core.identity import OperatorRole
from gateway.core.store import Tx, new_id
from plugins.accounts.keys.rows import AccessTokenRow, ApiKeyRow, OperatorKeyRow
from plugins.accounts.keys.rules import MOST_KEYS
from plugins.accounts.keys.store import AccessTokenStore, ApiKeyStore, CredentialDirectory
from plugins.accounts.keys.texts import make, prefix_in
from plugins.accounts.keys.uses import LastUses
from plugins.accounts.organisations.store import OrganisationStore
from schema.words.problems import Refused

KEY, TOKEN, OPERATOR = "api key", "access token", "operator key"
"""Purposes of digests."""
KEPT_TOKENS = timedelta(days=1)


class KeyDesk:
    """One a process; serves the port `Purse` as well."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.keys, self.tokens, self.directory = ApiKeyStore(), AccessTokenStore(), CredentialDirectory()
        self.uses = LastUses(host, self.directory)
        self._environment = "dev" if host.settings.development else "live"

    async def create(
        self,
        tx: Tx,
        tenant: str,
        *,
        name: str,
        scopes: Sequence[str],
        created_by: str,
        expires_at: datetime | None = None,
        origins: Sequence[str] = (),
        networks: Sequence[str] = (),
        key_id: str | None = None,
    ) -> tuple[ApiKeyRow, str]:
        """The row, and the text that is shown once; Refused where the organisation has too many keys."""
        now = self._host.clock.now()
        # Whoever counts keys holds the organisation's row.
        await OrganisationStore().lock(tx, tenant)
        if await self.keys.living(tx, tenant, now) >= MOST_KEYS:
            told = f"The organisation has {MOST_KEYS} keys, the most that there may be: revoke one that is not used."
            raise Refused("TOO_MANY_KEYS", told)
        text, prefix = make("mg", self._environment)
        row = ApiKeyRow(
            tenant_id=tenant, id=key_id or new_id("key"), name=name, prefix=prefix,
            digest=self._host.vault.digest(KEY, text), scopes=sorted(scopes), origins=list(origins),
            networks=list(networks), created_by=created_by, created_at=now, expires_at=expires_at, last_used_at=None,
            last_used_ip=None, revoked_at=None, replaced_by=None,
        )  # fmt: skip
        await self.keys.add(tx, tenant, row)
        return row, text

    async def mint(
        self,
        tx: Tx,
        tenant: str,
        *,
        parent: str,
        scopes: Sequence[str],
        expires_at: datetime,
        origins: Sequence[str] = (),
        max_points: int | None = None,
    ) -> tuple[AccessTokenRow, str]:
        """A token for a browser, and its text; it is worth nothing once its parent is."""
        text, prefix = make("mgat")
        row = AccessTokenRow(
            tenant_id=tenant, id=new_id("tok"), parent=parent, prefix=prefix,
            digest=self._host.vault.digest(TOKEN, text), scopes=list(scopes), origins=list(origins),
            max_points=max_points, spent_points=0, created_at=self._host.clock.now(), expires_at=expires_at,
            revoked_at=None,
        )  # fmt: skip
        await self.tokens.add(tx, tenant, row)
        return row, text

    async def create_operator(
        self,
        tx: Tx,
        *,
        name: str,
        role: OperatorRole,
        networks: Sequence[str],
        expires_at: datetime | None = None,
        key_id: str | None = None,
    ) -> tuple[OperatorKeyRow, str]:
        """A key outside every tenant, and its text."""
        text, prefix = make("mgop", self._environment)
        row = OperatorKeyRow(
            id=key_id or new_id("opk"), name=name, prefix=prefix, digest=self._host.vault.digest(OPERATOR, text),
            role=OperatorRole(role).value, networks=list(networks), created_at=self._host.clock.now(),
            expires_at=expires_at, last_used_at=None, revoked_at=None,
        )  # fmt: skip
        await self.directory.add_operator(tx, row)
        return row, text

    async def rotate(
        self, tx: Tx, tenant: str, old: ApiKeyRow, *, created_by: str, overlap: timedelta
    ) -> tuple[ApiKeyRow, str]:
        """A successor with the same rights; the old key lives until the overlap ends, or ends at once without one."""
        now = self._host.clock.now()
        made, text = await self.create(
            tx, tenant, name=old.name, scopes=old.scopes, created_by=created_by, expires_at=old.expires_at,
            origins=old.origins, networks=old.networks,
        )  # fmt: skip
        ends = min(now + overlap, old.expires_at or now + overlap)
        await self.keys.change(tx, tenant, old.id, {"expires_at": ends, "replaced_by": made.id})
        if ends <= now:
            await self.revoke(tx, tenant, old.id)
        return made, text

    async def revoke(self, tx: Tx, tenant: str, key_id: str) -> None:
        """With the tokens that it has minted."""
        now = self._host.clock.now()
        await self.keys.change(tx, tenant, key_id, {"revoked_at": now})
        await self.tokens.revoke_minted(tx, tenant, key_id, now)

    async def verify(self, tx: Tx, text: str) -> ApiKeyRow | None:
        """The API key of a text; None for anything that is not one here and now: development's opens no production."""
        prefix = prefix_in(text, "mg", self._environment)
        row = None if prefix is None else await self.directory.key(tx, prefix)
        good = self._matches(KEY, text, row)
        return row if row is not None and good and row.lives(self._host.clock.now()) else None

    async def verify_token(self, tx: Tx, text: str) -> AccessTokenRow | None:
        """The access token of a text; whether its parent still stands is told with how it stands itself."""
        prefix = prefix_in(text, "mgat")
        row = None if prefix is None else await self.directory.token(tx, prefix)
        good = self._matches(TOKEN, text, row)
        return row if row is not None and good and row.lives(self._host.clock.now()) else None

    async def verify_operator(self, tx: Tx, text: str) -> OperatorKeyRow | None:
        """The operator's key of a text."""
        prefix = prefix_in(text, "mgop", self._environment)
        row = None if prefix is None else await self.directory.operator(tx, prefix)
        good = self._matches(OPERATOR, text, row)
        return row if row is not None and good and row.lives(self._host.clock.now()) else None

    def note_use(self, key_id: str, ip: str | None) -> None:
        """A key was used; never waits."""
        self.uses.note(key_id, ip)

    async def spend(self, token_id: str, points: int) -> bool:
        """See `Purse`."""
        async with self._host.store.write() as tx:
            return await self.directory.spend(tx, token_id, points)

    async def tidy(self) -> None:
        """Remove access tokens that ended long ago."""
        async with self._host.store.write() as tx:
            await self.directory.tidy(tx, self._host.clock.now() - KEPT_TOKENS)

    def _matches(self, purpose: str, text: str, row: ApiKeyRow | AccessTokenRow | OperatorKeyRow | None) -> bool:
        """In a time that tells nothing of where two digests differ, and the same work where there is no row."""
        stored = row.digest if row is not None else ""
        found = [compare_digest(each, stored) for each in self._host.vault.digests(purpose, text)]
        return any(found)
