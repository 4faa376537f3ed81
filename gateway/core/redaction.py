"""The redactor of a process: it knows every secret that a setting holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from gateway.core.secrets import Redactor, read_credential
from gateway.core.settingrules import read_headers
from gateway.core.settings import SECRET, Settings

URLS = frozenset({"database_url", "redis_url", "smtp_url", "sentry_dsn", "otlp_endpoint"})
"""Of these only the credentials are secret."""
_OPEN = frozenset({"client_id", "issuer", "base"})
"""Parts of a sign-in client that everybody may see."""
_SHORTEST_LINE = 16


def redactor_of(settings: Settings) -> Redactor:
    """Masks what the settings hold, and the shapes of what the gateway gives out."""
    return Redactor(secrets_in(settings))


def masked(value: Any, redact: Redactor) -> Any:
    """The same with every text in it masked; what would print something else than it may becomes that text."""
    if isinstance(value, str):
        return redact(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {key: masked(each, redact) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, redact) for each in value]
    return value if redact(shown := repr(value)) == shown else redact(shown)


def secrets_in(settings: Settings) -> Iterator[str]:
    """Every secret of the settings, in all the forms that it is used in."""
    for parts in settings.keyring().keys.values():
        yield from parts.values()
    yield from _forms("otlp_endpoint", settings.otlp_endpoint)
    for name in SECRET - {"keys"}:
        value: SecretStr | None = getattr(settings, name)
        if value is not None:
            yield from _forms(name, value.get_secret_value())


def _forms(name: str, text: str) -> Iterator[str]:
    if name in URLS:
        parts = urlsplit(text)
        secret = parts.username if name == "sentry_dsn" else parts.password
        for each in filter(None, (secret, parts.password)):
            yield from (each, unquote(each))
    elif name == "otlp_headers":
        yield from read_headers(text).values()
    elif name.startswith("oauth_"):
        yield from (value for part, value in read_credential(text).items() if part not in _OPEN)
    elif name == "jwt_keys":
        yield from (
            line
            for line in text.replace("\\n", "\n").split("\n")
            if len(line) >= _SHORTEST_LINE and "-----" not in line
        )
    else:
        yield text
