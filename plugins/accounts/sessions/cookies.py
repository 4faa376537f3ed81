"""A browser's session: what its cookies are called and hold, and the proof that a page of ours sent a change."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from gateway.core.contract import Host
from gateway.core.identity import Principal
from gateway.core.ports import Presented
from schema.errors import CsrfFailed

SESSION, CSRF = "mg_session", "mg_csrf"
HEADER = "X-CSRF-Token"


class Cookies:
    """Two cookies: a secret that scripts cannot read, and a text that only a page of ours can send back.

    Behind https their names begin with `__Host-`: no other host of the domain and no plain connection can plant one.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def _secure(self) -> bool:
        return urlsplit(self._host.settings.address).scheme == "https"

    def name(self, plain: str) -> str:
        """As browsers know it."""
        return f"__Host-{plain}" if self._secure else plain

    def secret_in(self, presented: Presented) -> str | None:
        """What the session's cookie holds, if a page that may use it sent it."""
        secret = presented.cookies.get(self.name(SESSION))
        return secret if secret and self.from_own_page(presented) else None

    def set(self, secret: str, session_id: str, seconds: int) -> list[str]:
        """`Set-Cookie` values of a new session."""
        return [
            self._cookie(SESSION, secret, seconds, "HttpOnly; SameSite=Lax"),
            self._cookie(CSRF, self._proofs(session_id)[0], seconds, "SameSite=Strict"),
        ]

    def cleared(self) -> list[str]:
        """`Set-Cookie` values that remove both."""
        return [
            self._cookie(SESSION, "", 0, "HttpOnly; SameSite=Lax"),
            self._cookie(CSRF, "", 0, "SameSite=Strict"),
        ]

    def from_own_page(self, presented: Presented) -> bool:
        """Whether the sender is the gateway's page, one of an allowed origin, or no page at all."""
        origin, settings = presented.origin, self._host.settings
        if origin is None or presented.same_origin or origin in settings.cors_origins:
            return True
        address = urlsplit(settings.address)
        return origin == f"{address.scheme}://{address.netloc}"

    def check(self, principal: Principal, presented: Presented) -> None:
        """Before a change by cookie. A socket was proven once, by the origin of its handshake."""
        if not principal.cookie:
            return
        own = self.from_own_page(presented)
        if presented.transport == "websocket":
            proven = own and presented.origin is not None
        else:
            proven = own and self._proves(presented.csrf or "", principal.session or "")
        if not proven:
            raise CsrfFailed(
                f"A change by cookie needs the header {HEADER} with the value of the cookie {self.name(CSRF)}, "
                "from a page of this gateway."
            )

    def _proves(self, text: str, session_id: str) -> bool:
        given = text.encode()
        return any(hmac.compare_digest(given, proof.encode()) for proof in self._proofs(session_id))

    def _proofs(self, session_id: str) -> list[str]:
        keys = self._host.vault.keys("csrf")
        return [hmac.new(key, session_id.encode(), hashlib.sha256).hexdigest() for key in keys]

    def _cookie(self, plain: str, value: str, seconds: int, rules: str) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{self.name(plain)}={value}; Path=/; Max-Age={seconds}; {rules}{secure}"
