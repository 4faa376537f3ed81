"""Links that sign in once: the development bootstrap prints one."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.core.contract import Host
from gateway.core.ports import Act, Audit, Presented
from gateway.core.store import Tx
from plugins.accounts.sessions.desk import Issued, SessionDesk
from plugins.accounts.users.tokens import OneTimeTokens

SIGN_IN, LIFE = "sign_in_link", timedelta(minutes=10)
PATH, KEYS = "/sign-in", "/.well-known/jwks.json"
PRIVATE = {"Cache-Control": "no-store"}
OVER = "This link does not work: it was used, or it is older than ten minutes. Ask for another."


async def sign_in_link(host: Host, tx: Tx, user_id: str, organisation: str | None) -> str:
    """The path of a link that signs a person in, once, within ten minutes."""
    tokens = host.service(OneTimeTokens)
    payload = {"organisation": organisation, "env": host.settings.env}
    text = await tokens.issue(tx, SIGN_IN, user_id=user_id, payload=payload, ttl=LIFE)
    return f"{PATH}?token={text}"


def routes(host: Host) -> list[BaseRoute]:
    """The link, and the public keys of access tokens."""

    async def sign_in(request: Request) -> Response:
        # What only looks at a link must not use it up.
        if request.method != "GET":
            return Response(status_code=405, headers={"Allow": "GET", **PRIVATE})
        issued = await _redeemed(host, request)
        if issued is None:
            return PlainTextResponse(OVER, 410, PRIVATE)
        answer = RedirectResponse("/", 303, PRIVATE)
        for cookie in issued.cookies:
            answer.headers.append("set-cookie", cookie)
        return answer

    async def keys(request: Request) -> Response:
        published = host.service(SessionDesk).signer.published()
        return JSONResponse({"keys": published}, headers={"Cache-Control": "public, max-age=300"})

    return [Route(PATH, sign_in), Route(KEYS, keys)]


async def _redeemed(host: Host, request: Request) -> Issued | None:
    text = request.query_params.get("token", "")
    client_ip = request.client.host if request.client else None
    async with host.store.write() as tx:
        row = await host.service(OneTimeTokens).redeem(tx, SIGN_IN, text)
        # What development made opens no production that was given its database.
        if row is None or row.user_id is None or row.payload.get("env") != host.settings.env:
            return None
        organisation = row.payload.get("organisation")
        issued = await host.service(SessionDesk).open(
            tx, row.user_id, organisation, presented=Presented(client_ip=client_ip),
            user_agent=request.headers.get("user-agent"), cookie=True,
        )  # fmt: skip
        await host.service(Audit).record(tx, Act(
            tenant=organisation or "", action="session.created", actor=row.user_id, actor_kind="user",
            target=issued.session_id, after={"by": "link"}, client_ip=client_ip,
        ))  # fmt: skip
        return issued
