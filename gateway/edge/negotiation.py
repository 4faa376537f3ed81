"""Media types: what may be sent, what the caller accepts, and who may use GET."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from gateway.edge.errors import Refused

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"

# Headers that no cross-site form, image or link can carry without a CORS preflight.
PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight", "x-requested-with")


@lru_cache(maxsize=256)
def media_type_for(accept: str | None) -> str | None:
    """The media type of the answer, None if the caller accepts neither.

    Without a header, or for wildcards only, it is `application/json`: such callers are generic HTTP clients, and
    that type answers well-formed requests with 200. When both are equally welcome the GraphQL type wins.
    """
    if accept is None or not accept.strip():
        return JSON
    ranges = _ranges(accept)
    graphql = _quality(ranges, GRAPHQL_RESPONSE, wildcards=False)
    json = _quality(ranges, JSON, wildcards=True)
    if graphql > 0 and graphql >= json:
        return GRAPHQL_RESPONSE
    if json > 0:
        return JSON
    # "application/json;q=0, */*": the wildcard still allows the other one.
    return GRAPHQL_RESPONSE if _quality(ranges, GRAPHQL_RESPONSE, wildcards=True) > 0 else None


def wants_page(headers: Mapping[str, str]) -> bool:
    """A person followed a link to the endpoint: the caller puts HTML before any JSON."""
    accept = headers.get("accept", "")
    return "text/html" in accept and GRAPHQL_RESPONSE not in accept and JSON not in accept


def check_content_type(content_type: str | None) -> None:
    """JSON in UTF-8 only. The simple types of HTML forms are refused, so no other site can post here unasked."""
    if content_type == JSON:
        return
    kind, _, parameters = (content_type or "").partition(";")
    if kind.strip().lower() != JSON:
        named = kind.strip()[:100] or "no Content-Type"
        raise _unsupported(f"The request body must be sent as Content-Type: application/json, not {named}.")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8"):
            raise _unsupported(f"The request body must be encoded in UTF-8, not {charset[:40]}.")


def check_content_encoding(encoding: str | None) -> None:
    """Bodies are small, so compressed ones are refused instead of unpacked within bounds."""
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        message = "Compressed request bodies are not supported: send the JSON as it is."
        raise Refused("UNSUPPORTED_MEDIA_TYPE", message, status=415, headers={"Accept-Encoding": "identity"})


def check_get_origin(headers: Mapping[str, str]) -> None:
    """Refuse a GET that another site's page could have caused without a CORS preflight.

    Queries change nothing, but each costs upstream calls and quota. Browsers say how a request came about in
    Sec-Fetch-Mode; those that do not are let through unless they bring cookies. Plain clients send neither.
    """
    if any(name in headers for name in PREFLIGHT_HEADERS) or headers.get("content-type", "").startswith(JSON):
        return
    mode = headers.get("sec-fetch-mode")
    own_page = headers.get("sec-fetch-site") in ("same-origin", "none")
    foreign = mode in ("no-cors", "navigate") and not own_page if mode else "cookie" in headers
    if foreign:
        message = "This GET could come from another site: add the header GraphQL-Require-Preflight: 1, or use POST."
        raise Refused("CSRF_PREVENTED", message, status=403)


def _unsupported(message: str) -> Refused:
    return Refused("UNSUPPORTED_MEDIA_TYPE", message, status=415, headers={"Accept-Post": JSON})


def _ranges(accept: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in accept.lower().split(","):
        media, *parameters = part.split(";")
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _number(value)
        found[media.strip()] = quality
    return found


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _quality(ranges: dict[str, float], media: str, *, wildcards: bool) -> float:
    """The most specific range decides."""
    names = (media, "application/*", "*/*") if wildcards else (media,)
    return next((ranges[name] for name in names if name in ranges), 0.0)
