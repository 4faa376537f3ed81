"""Who a request comes from. What was found is held in memory, for seconds, by the digest of what was shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cachetools import TTLCache

from gateway.core.contract import Host
from gateway.core.identity import ANONYMOUS_SCOPES, UNLIMITED, CallerKind, PlanLimits, Principal
from gateway.core.ports import Plans, Presented
from gateway.core.store import Tx
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.sessions.desk import COOKIE, SessionDesk, until
from plugins.accounts.sessions.news import TOPIC, Named, Subject, named_in
from plugins.accounts.sessions.presented import Credential, Kind, check_place, credential_in
from plugins.accounts.sessions.standing import NOTHING, Standing, Standings
from plugins.accounts.sessions.watches import Watches
from schema.errors import Refusal, TenantSuspended, Unauthenticated

HELD_S = 9.0
"""Without a message from elsewhere a revocation holds after this; ten seconds are promised."""
MOST_HELD = 10_000
PLANS = "billing.plans"
"""The topic on which a plan is told that was redefined."""
SEEN_EVERY = timedelta(minutes=1)
KEYS = (CallerKind.API_KEY, CallerKind.OPERATOR)


class AccountAuthenticator:
    """Serves `gateway.core.ports.Authenticator`."""

    def __init__(self, host: Host, desk: SessionDesk) -> None:
        self._host, self._desk = host, desk
        self._standings = Standings(host)
        self._watches = Watches(host, self._standings, self._limits)
        # What nobody accepts is held apart: guessing pushes no good credential out.
        self._good: TTLCache[bytes, Standing] = TTLCache(MOST_HELD, HELD_S, host.clock.monotonic)
        self._bad: TTLCache[bytes, None] = TTLCache(MOST_HELD, HELD_S, host.clock.monotonic)
        self._news = 0
        self._seen: dict[str, dict[str, Any]] = {}
        host.bus.subscribe(TOPIC, self._heard)
        host.bus.subscribe(PLANS, lambda _: self._missed())
        host.bus.on_gap(self._missed)

    async def authenticate(self, presented: Presented) -> Principal:
        """See `Authenticator`."""
        credential = credential_in(presented)
        if credential is None:
            return await self._by_cookie(presented)
        standing = await self._standing(credential)
        principal = standing.principal
        if principal is None:
            raise Unauthenticated
        check_place(principal, presented, self._host.settings.operator_networks)
        if principal.kind in KEYS and principal.key is not None:
            self._keys.note_use(principal.key, presented.client_ip)
        if principal.suspended is not None and principal.kind is not CallerKind.USER:
            raise TenantSuspended(principal.suspended)
        return principal

    def recognise(self, presented: Presented) -> Principal | None:
        """See `Authenticator`."""
        try:
            mark = presented.mark
            if mark is None:
                credential = credential_in(presented)
                if credential is None:
                    # Cookies are looked up where they may have to be prolonged.
                    return None if presented.cookies else self._nobody()
                mark = presented.marked(credential.digest)
            standing = self._good[mark]
        except (KeyError, Refusal):
            return None
        principal = standing.principal
        if principal is None or principal.suspended is not None:
            return None
        if principal.expires_at is not None and self._host.clock.now() >= principal.expires_at:
            return None
        if not self._may_come(principal, presented):
            return None
        if principal.kind in KEYS and principal.key is not None:
            self._keys.note_use(principal.key, presented.client_ip)
        return principal

    def _may_come(self, principal: Principal, presented: Presented) -> bool:
        """Most keys may be used from everywhere, by whoever is no browser."""
        if presented.origin is None and principal.kind is CallerKind.API_KEY and not principal.networks:
            return True
        try:
            check_place(principal, presented, self._host.settings.operator_networks)
        except Refusal:
            return False
        return True

    def check_csrf(self, principal: Principal, presented: Presented) -> None:
        """See `Authenticator`."""
        self._desk.cookies.check(principal, presented)

    def watch(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        """See `Authenticator`."""
        return self._watches.add(principal, closed)

    async def recheck(self) -> None:
        """Look at everything that is watched, for revocations that no message told of."""
        await self._watches.recheck()

    async def close(self) -> None:
        """The process ends."""
        await self._watches.close()

    async def write_seen(self) -> None:
        """Write which sessions were used."""
        uses, self._seen = list(self._seen.values()), {}
        if not uses:
            return
        # In one order in every process: two that write the same sessions wait for each other, and never both.
        uses.sort(key=lambda use: str(use["of"]))
        try:
            async with self._host.store.write() as tx:
                await self._desk.sessions.seen(tx, uses)
        except BaseException:
            self._seen = {use["of"]: use for use in uses} | self._seen
            raise

    async def _by_cookie(self, presented: Presented) -> Principal:
        """A cookie that is worth nothing is nobody's: its owner must be able to sign in again."""
        secret = self._desk.cookies.secret_in(presented)
        standing = NOTHING if secret is None else await self._standing(Credential(Kind.COOKIE, secret))
        if standing.principal is not None:
            return standing.principal
        return self._nobody()

    def _nobody(self) -> Principal:
        allowed = self._host.settings.anonymous_allowed
        return Principal(
            tenant="anonymous", kind=CallerKind.ANONYMOUS, scopes=ANONYMOUS_SCOPES if allowed else frozenset(),
            limits=self._plans.anonymous() if self._plans else UNLIMITED,
        )  # fmt: skip

    async def _standing(self, credential: Credential) -> Standing:
        digest, now = credential.digest, self._host.clock.now()
        with suppress(KeyError):
            return self._good[digest].at(now)
        if digest in self._bad:
            return NOTHING
        found, current = await self._current(credential)
        if current and found.principal is None:
            self._bad[digest] = None
        elif current:
            self._good[digest] = found
        return found.at(now)

    async def _current(self, credential: Credential) -> tuple[Standing, bool]:
        """How it stands, and whether nothing was heard meanwhile that could make it old."""
        found = NOTHING
        for _ in range(3):
            before = self._news
            found = await self._find(credential)
            if self._news == before:
                return found, True
        return found, False

    async def _find(self, credential: Credential) -> Standing:
        claims = self._desk.signer.read(credential.text) if credential.kind is Kind.PERSON else None
        if claims is None and credential.kind is Kind.PERSON:
            return NOTHING
        async with self._host.store.read() as tx:
            named = (Subject.SESSION, claims.session) if claims else await self._named(tx, credential)
            standing = NOTHING if named is None else await self._standings.of(tx, named)
        principal = standing.principal
        if principal is None:
            return NOTHING
        if claims is not None:
            if (claims.user, claims.organisation) != (principal.user, principal.tenant):
                return NOTHING
            ends = min(claims.expires_at, principal.expires_at or claims.expires_at)
            principal = replace(principal, expires_at=ends)
        self._note(standing, cookie=credential.kind is Kind.COOKIE)
        limits = await self._limits(principal, standing.plan)
        made = replace(principal, limits=limits, cookie=credential.kind is Kind.COOKIE)
        return replace(standing, principal=made, named=named_in(made))

    async def _named(self, tx: Tx, credential: Credential) -> Named | None:
        """The row that a secret belongs to."""
        text = credential.text
        if credential.kind is Kind.COOKIE:
            id = await self._desk.sessions.id_of_secret(tx, self._host.vault.digests(COOKIE, text))
            return None if id is None else (Subject.SESSION, id)
        if credential.kind is Kind.KEY:
            key = await self._keys.verify(tx, text)
            return None if key is None else (Subject.KEY, key.id)
        if credential.kind is Kind.TOKEN:
            token = await self._keys.verify_token(tx, text)
            return None if token is None else (Subject.TOKEN, token.id)
        if credential.kind is Kind.OPERATOR:
            operator = await self._keys.verify_operator(tx, text)
            return None if operator is None else (Subject.OPERATOR, operator.id)
        return None

    @property
    def _keys(self) -> KeyDesk:
        return self._host.service(KeyDesk)

    @property
    def _plans(self) -> Plans | None:
        """A gateway without billing has no plans."""
        return self._host.services.get(Plans)

    async def _limits(self, principal: Principal, plan: str | None) -> PlanLimits:
        if self._plans is None or principal.kind is CallerKind.OPERATOR:
            return UNLIMITED
        if plan is None:
            return self._plans.anonymous()
        return await self._plans.limits_of(principal.tenant, plan)

    def _note(self, standing: Standing, *, cookie: bool) -> None:
        """A session was used; the time is written once a minute at most."""
        principal, now = standing.principal, self._host.clock.now()
        if principal is None or principal.session is None or standing.last_seen_at is None:
            return
        if now - standing.last_seen_at < SEEN_EVERY or standing.created_at is None or len(self._seen) >= MOST_HELD:
            return
        ends = until(standing.created_at, now, cookie=True) if cookie else principal.expires_at
        self._seen[principal.session] = {"of": principal.session, "at": now, "until": ends, "since": now - SEEN_EVERY}

    def _heard(self, message: Mapping[str, Any]) -> None:
        """Drop what a message is about; whoever watches it looks again."""
        named = (str(message.get("kind")), str(message.get("id")))
        self._news += 1
        self._bad.clear()
        # The cache's clock stands still meanwhile: nothing expires between being found and being dropped.
        with self._good.timer:
            for digest, standing in list(self._good.items()):
                if named in standing.named:
                    del self._good[digest]
        self._watches.heard(named)

    def _missed(self) -> None:
        """Messages may have been lost, or plans have changed: nothing that is held may be believed."""
        self._news += 1
        self._good.clear()
        self._bad.clear()
        self._watches.heard(None)
