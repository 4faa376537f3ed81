"""Whether a caller may run an operation: the one place where scopes are compared."""

from __future__ import annotations

from gateway.core.identity import CallerKind, Principal
from gateway.edge.cost import Price
from schema.errors import Forbidden, TenantSuspended, Unauthenticated

WORDS = {
    CallerKind.USER: "your role here does not have",
    CallerKind.API_KEY: "this API key does not carry",
    CallerKind.ACCESS_TOKEN: "this access token does not carry",
    CallerKind.OPERATOR: "this operator's key does not have",
}


def check_permission(price: Price, caller: Principal) -> None:
    """Raise Unauthenticated or Forbidden for the first field that the caller may not ask, TenantSuspended for any."""
    if caller.suspended is not None and price.needs:
        raise TenantSuspended(caller.suspended)
    for scope, field in price.needs.items():
        if not caller.may(scope):
            if caller.kind is CallerKind.ANONYMOUS:
                raise Unauthenticated(f"Sign in, or send an API key: {field} needs the scope {scope}.")
            told = f"{field} needs the scope {scope}, which {WORDS[caller.kind]}."
            raise Forbidden(told, missing=scope, field=field)
    if price.person is not None and caller.kind is not CallerKind.USER:
        if caller.kind is CallerKind.ANONYMOUS:
            raise Unauthenticated(f"Sign in: {price.person} is for signed-in people.")
        raise Forbidden(f"{price.person} is for signed-in people: no key or token may ask it.", field=price.person)
