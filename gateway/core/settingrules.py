"""What the values of settings must be; a ValueError says it in words and never repeats a secret."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationInfo

from gateway.core.secrets import MASK, read_credential, read_signing_keys

SHORTEST_SECRET = 32
FEWEST_CHARACTERS = 12
MOST_DELAYS, LONGEST_DELAY_S = 50, 2_592_000
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def can_be_sent(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("holds characters that no header or URL can carry")
    return value


def masked(told: str, value: str) -> str:
    """What is told of a value, without it."""
    for part in sorted(re.split(r"[\s,'\"()\[\]]+", value), key=len, reverse=True):
        told = told.replace(part, MASK) if len(part) > 2 else told
    return told


def is_database(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        from gateway.core.store import database_url

        try:
            url = database_url(value.get_secret_value())
            # A second @ leaves the rest of a password to the host and the name, which are shown.
            whole = url.drivername.startswith("sqlite") or "@" not in f"{url.host}{url.database}"
        except Exception:  # noqa: BLE001 - whatever the parser says may hold the password
            whole = False
        if not whole:
            raise ValueError(
                "must be postgresql://user:password@host/name or sqlite:///file; write @ in a password as %40, / as %2F"
            )
    return value


def is_redis(value: SecretStr | None) -> SecretStr | None:
    schemes = ("redis", "rediss", "unix")
    if value is not None and urlsplit(value.get_secret_value()).scheme not in schemes:
        raise ValueError("must be redis://host:port/number, rediss://… or unix://…")
    return value


def is_smtp(value: SecretStr | None) -> SecretStr | None:
    if value is not None and urlsplit(value.get_secret_value()).scheme not in ("smtp", "smtps"):
        raise ValueError("must be smtp://host:port or smtps://host:port, with user:password@ where needed")
    return value


def is_long(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value().encode()) < SHORTEST_SECRET:
        raise ValueError(f"must have {SHORTEST_SECRET} bytes or more: `openssl rand -base64 48` makes one")
    if value is not None and len(set(value.get_secret_value())) < FEWEST_CHARACTERS:
        raise ValueError("repeats a few characters, so it can be guessed: `openssl rand -base64 48` makes one")
    return value


def are_signing_keys(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        read_signing_keys(value.get_secret_value())
    return value


def is_client(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    if value is not None:
        place = "issuer" if info.field_name == "oauth_google" else "base"
        parts = read_credential(value.get_secret_value())
        if not {"client_id", "client_secret"} <= parts.keys() <= {"client_id", "client_secret", place}:
            raise ValueError(f"must be client_id=…,client_secret=…, and {place}=https://… where it is another's")
        url = urlsplit(parts.get(place, "https://default"))
        plain = url.scheme == "http" and url.hostname in ("127.0.0.1", "::1", "localhost")
        if not url.netloc or url.query or url.fragment or not (url.scheme == "https" or plain):
            raise ValueError(f"its {place} must be an https URL without query")
    return value


def are_delays(value: Any) -> Any:
    given = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
    try:
        delays = tuple(float(each) for each in given)
    except (TypeError, ValueError):
        raise ValueError("must be seconds separated by commas, such as 5,30,120") from None
    if len(delays) > MOST_DELAYS or not all(0 < each <= LONGEST_DELAY_S for each in delays):
        raise ValueError(f"must be {MOST_DELAYS} delays at most, each above 0 and up to {LONGEST_DELAY_S} seconds")
    return delays


def split_networks(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(_bare(part.strip()), strict=False) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{error}: give networks such as 10.0.0.0/8, separated by commas") from None


def _bare(network: str) -> str:
    """`[::1]/128` is how URLs write it."""
    return re.sub(r"^\[([0-9a-fA-F:.]+)\]", r"\1", network)


def is_http(value: str) -> str:
    parts = urlsplit(value)
    # Reading the port checks it.
    whole = parts.scheme in ("http", "https") and parts.netloc and (parts.port is None or parts.port > 0)
    if value and (not whole or parts.query or parts.fragment):
        raise ValueError("must be an http or https URL without query, such as http://127.0.0.1:9000")
    return value.rstrip("/")


def split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def are_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    for origin in value:
        parts = urlsplit(origin)
        if origin != "*" and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path):
            raise ValueError(f"{origin!r} is not an origin such as https://app.example.com")
    return value


def are_headers(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        read_headers(value.get_secret_value())
    return value


def read_headers(text: str) -> dict[str, str]:
    """`name=value` pairs separated by commas; a value may hold further signs of equality."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, between, given = (each.strip() for each in part.partition("="))
        if not (_HEADER.fullmatch(name) and between and given and given.isascii() and given.isprintable()):
            raise ValueError("must be name=value pairs separated by commas, as headers may have them")
        found[name.lower()] = given
    return found


def is_dsn(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in ("http", "https") or not parts.username or not parts.path.rpartition("/")[2].isdigit():
            raise ValueError("must be a DSN as Sentry shows it: https://key@host/number")
    return value
