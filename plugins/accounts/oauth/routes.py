"""`/oauth/{provider}/start` and `/oauth/{provider}/callback`: plain links and redirects for browsers."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.core.contract import Host
from gateway.core.ports import Presented
from plugins.accounts.oauth.cookies import BROWSER, cleared, value_in
from plugins.accounts.oauth.desk import NAMES, Answered, ProviderDesk
from plugins.accounts.oauth.failures import SignInFailed
from plugins.accounts.oauth.returning import failure

PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def routes(host: Host) -> list[BaseRoute]:
    """Of providers that are not configured nothing is here."""

    async def start(request: Request) -> Response:
        name, query = _asked(host, request), request.query_params
        try:
            begun = await host.service(ProviderDesk).start(
                name, query.get("return_to", "/"), query.get("invitation") or None
            )
        except SignInFailed as failed:
            return _sent(Answered(location=failure(failed.code)), 303)
        return _sent(begun, 302)

    async def callback(request: Request) -> Response:
        name = _asked(host, request)
        presented = Presented(client_ip=request.client.host if request.client else None)
        try:
            finished = await host.service(ProviderDesk).finish(
                name, request.query_params, value_in(host, BROWSER, request.cookies), presented=presented,
                user_agent=request.headers.get("user-agent"),
            )  # fmt: skip
        except SignInFailed as failed:
            finished = Answered(location=failure(failed.code), cookies=[cleared(host, BROWSER)])
        return _sent(finished, 303)

    return [Route("/oauth/{provider}/start", start), Route("/oauth/{provider}/callback", callback)]


def _asked(host: Host, request: Request) -> str:
    """The provider of a GET; a HEAD, which only looks, must not begin or use up anything."""
    name = str(request.path_params["provider"])
    if name not in NAMES or name not in host.service(ProviderDesk).providers:
        raise HTTPException(404)
    if request.method != "GET":
        raise HTTPException(405, "Use GET.", headers={"Allow": "GET"})
    return name


def _sent(answered: Answered, status: int) -> Response:
    answer = RedirectResponse(answered.location, status, PRIVATE)
    for cookie in answered.cookies:
        answer.headers.append("set-cookie", cookie)
    return answer
