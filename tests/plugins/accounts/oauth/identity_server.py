"""A sign-in provider on loopback: OpenID Connect, and GitHub's shapes. It does what it is told, also what is wrong."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.core.clock import Clock

CLIENT_ID, CLIENT_SECRET = "web-client", "client-secret-1234"


@dataclass
class Grant:
    """What a code stands for."""

    redirect_uri: str
    challenge: str
    nonce: str


@dataclass
class IdentityServer:
    """One provider with one person, who agrees to everything unless told otherwise."""

    clock: Clock
    url: str = ""
    subject: str = "subject-1"
    email: str = "ada@example.com"
    email_verified: Any = True
    emails: list[dict[str, Any]] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    """What ID tokens say otherwise; None leaves a claim out."""
    forge: Callable[[dict[str, Any], IdentityServer], str] | None = None
    configuration: dict[str, Any] = field(default_factory=dict)
    token_answer: Response | None = None
    denied: bool = False
    grants: dict[str, Grant] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    forms: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key: Any = None
        self.rotate()

    def rotate(self, kind: str = "EC") -> None:
        """A new key signs; the old one is no longer listed."""
        kid: Any = {"kid": secrets.token_hex(4)}
        self.key = ECKey.generate_key("P-256", kid) if kind == "EC" else RSAKey.generate_key(2048, kid)

    @property
    def algorithm(self) -> str:
        return "ES256" if isinstance(self.key, ECKey) else "RS256"

    def app(self) -> Starlette:
        """Its pages."""
        handlers = {
            "/.well-known/openid-configuration": self._configuration, "/authorize": self._authorize,
            "/token": self._token, "/jwks": self._jwks, "/login/oauth/authorize": self._authorize,
            "/login/oauth/access_token": self._token, "/api/v3/user": self._user,
            "/api/v3/user/emails": self._emails,
        }  # fmt: skip
        return Starlette(routes=[Route(path, handler, methods=["GET", "POST"]) for path, handler in handlers.items()])

    async def _configuration(self, request: Request) -> Response:
        self.requests.append("configuration")
        found = {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/jwks",
        }  # fmt: skip
        return JSONResponse({**found, **self.configuration})

    async def _authorize(self, request: Request) -> Response:
        query = request.query_params
        assert (query["client_id"], query["response_type"]) == (CLIENT_ID, "code")
        assert query["code_challenge_method"] == "S256"
        answer = {"error": "access_denied", "state": query["state"]}
        if not self.denied:
            code = secrets.token_urlsafe(8)
            self.grants[code] = Grant(query["redirect_uri"], query["code_challenge"], query.get("nonce", ""))
            answer = {"code": code, "state": query["state"]}
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", 302)

    async def _token(self, request: Request) -> Response:
        self.requests.append("token")
        form = dict(parse_qsl((await request.body()).decode()))
        self.forms.append(form)
        if self.token_answer is not None:
            return self.token_answer
        grant = self.grants.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        right = grant is not None and grant.challenge == _base64(digest) and grant.redirect_uri == form["redirect_uri"]
        if not right or grant is None or (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            status = 200 if "login" in request.url.path else 400
            return JSONResponse({"error": "invalid_grant", "error_description": form.get("client_secret")}, status)
        access = secrets.token_urlsafe(8)
        return JSONResponse({"access_token": access, "token_type": "bearer", "id_token": self._signed(grant)})

    def _signed(self, grant: Grant) -> str:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.url, "sub": self.subject, "aud": CLIENT_ID, "iat": now, "exp": now + 3600,
            "nonce": grant.nonce, "email": self.email, "email_verified": self.email_verified, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.forge is not None:
            return self.forge(claims, self)
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, claims, self.key, algorithms=[self.algorithm])

    async def _jwks(self, request: Request) -> Response:
        self.requests.append("jwks")
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _user(self, request: Request) -> Response:
        assert request.headers["authorization"].startswith("Bearer ")
        return JSONResponse({"id": 583231, "login": "ada", "email": "public@example.com"})

    async def _emails(self, request: Request) -> Response:
        assert request.headers["authorization"].startswith("Bearer ")
        usual = [
            {"email": "old@example.com", "primary": False, "verified": True, "visibility": None},
            {"email": self.email, "primary": True, "verified": self.email_verified, "visibility": "private"},
        ]
        return JSONResponse(usual if self.emails is None else self.emails)


def unsigned(claims: dict[str, Any], server: IdentityServer) -> str:
    """`alg: none`."""
    return f"{_part({'alg': 'none', 'kid': server.key.kid})}.{_part(claims)}."


def signed_with_the_public_key(claims: dict[str, Any], server: IdentityServer) -> str:
    """HS256 with what everybody may read as the secret."""
    text = f"{_part({'alg': 'HS256', 'kid': server.key.kid})}.{_part(claims)}"
    secret = json.dumps(server.key.as_dict(private=False)).encode()
    return f"{text}.{_base64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def signed_by_a_stranger(claims: dict[str, Any], server: IdentityServer) -> str:
    """The right name of the key, but another key."""
    stranger = ECKey.generate_key("P-256", {"kid": server.key.kid})
    return jwt.encode({"alg": "ES256", "kid": server.key.kid}, claims, stranger, algorithms=["ES256"])


def changed_afterwards(claims: dict[str, Any], server: IdentityServer) -> str:
    """A good signature of other claims."""
    header, _, signature = jwt.encode(
        {"alg": server.algorithm, "kid": server.key.kid}, {**claims, "sub": "another"}, server.key,
        algorithms=[server.algorithm],
    ).split(".")  # fmt: skip
    return f"{header}.{_part(claims)}.{signature}"


def _part(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@asynccontextmanager
async def serving(server: IdentityServer) -> AsyncIterator[IdentityServer]:
    """The provider at a port of its own, until the block ends."""
    config = uvicorn.Config(server.app(), host="127.0.0.1", port=0, log_config=None, lifespan="off")
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    try:
        while not running.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        server.url = f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
        yield server
    finally:
        running.should_exit = True
        await task
