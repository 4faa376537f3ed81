"""Settings from the environment and `.env`: one prefix, one table; a wrong value stops the start and names itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from gateway.core.secrets import Keyring, read_credential

PREFIX = "MARKETGATE_"
KEY, TIER, TEST = f"{PREFIX}KEY_", f"{PREFIX}TIER_", f"{PREFIX}TEST_"
LATER = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SECRET_KEY_PREVIOUS", "JWT_SECRET", "WEBHOOK_ALLOW",
        "WEBHOOK_SCHEDULE", "TRUSTED_PROXIES", "PUBLIC_URL", "DATA_DIR",
    )
)  # fmt: skip
"""Names that are promised to outside tools and belong to parts that are not there yet: accepted, without effect."""
CLIENT = frozenset({f"{PREFIX}API_KEY"})
"""Read by the command line when it talks to another gateway; none of the server's business."""


class SettingsError(Exception):
    """A setting that stops the start; the message names it and the way out."""


def _can_be_sent(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("holds characters that no header or URL can carry")
    return value


Secret = Annotated[SecretStr, AfterValidator(_can_be_sent)]
Plan = Literal["free", "pro", "paper"]


class Settings(BaseModel):
    """Everything that the environment can set, with its default; the field's name is the setting's without prefix."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    env: Literal["production", "development"] = Field(
        "production", description="In development the console and introspection are on. `make run` sets development."
    )
    upstreams: Literal["live", "recorded"] | None = Field(
        None, description="Real providers, or the offline market. Default: live in production, recorded in development."
    )
    upstream_base: str = Field(
        "", description="Send every upstream request to `<base>/<provider id>/<original path and query>` instead."
    )
    cors_origins: tuple[str, ...] = Field((), description="Browser origins that may call, separated by commas.")
    timeout_s: float = Field(30.0, gt=0, le=300, description="Longest time of one operation, in seconds.")
    cache_rows: int = Field(400_000, ge=1_000, description="Bound of the memory cache, in rows.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["text", "json"] = Field("text", description="One line a record for people or for machines.")
    keys: Annotated[dict[str, Secret], Field(description="MARKETGATE_KEY_<PROVIDER ID>: its credential.")] = {}
    tiers: Annotated[dict[str, Plan], Field(description="MARKETGATE_TIER_<PROVIDER ID>: free, pro or paper.")] = {}

    @field_validator("upstream_base")
    @classmethod
    def _is_http(cls, value: str) -> str:
        parts = urlsplit(value)
        # Reading the port checks it.
        whole = parts.scheme in ("http", "https") and parts.netloc and (parts.port is None or parts.port > 0)
        if value and (not whole or parts.query or parts.fragment):
            raise ValueError("must be an http or https URL without query, such as http://127.0.0.1:9000")
        return value.rstrip("/")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if origin != "*" and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path):
                raise ValueError(f"{origin!r} is not an origin such as https://app.example.com")
        return value

    @property
    def development(self) -> bool:
        """Console and introspection are on."""
        return self.env == "development"

    @property
    def mode(self) -> Literal["live", "recorded"]:
        """What `upstreams` means where it is not set."""
        return self.upstreams or ("recorded" if self.development else "live")

    def keyring(self) -> Keyring:
        """The providers' credentials."""
        return Keyring({name: read_credential(value.get_secret_value()) for name, value in self.keys.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings, and what is odd about the environment without stopping the start."""

    settings: Settings
    warnings: tuple[str, ...]


def load_settings(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Loaded:
    """Read the environment over the `.env` file; SettingsError names the setting that is wrong."""
    found = _variables(environ if environ is not None else os.environ, dotenv)
    values: dict[str, Any] = {"keys": {}, "tiers": {}}
    warnings: list[str] = []
    for name, value in found.items():
        if name.startswith(KEY):
            values["keys"][name.removeprefix(KEY).lower()] = value
        elif name.startswith(TIER):
            values["tiers"][name.removeprefix(TIER).lower()] = value
        elif (field := name.removeprefix(PREFIX).lower()) in _PLAIN:
            values[field] = value
        elif name not in LATER | CLIENT and not name.startswith(TEST):
            warnings.append(_unknown(name))
    try:
        return Loaded(settings=Settings.model_validate(values), warnings=tuple(warnings))
    except ValidationError as error:
        raise SettingsError(_told(error)) from None


_PLAIN = frozenset(Settings.model_fields) - {"keys", "tiers"}


def _variables(environ: Mapping[str, str], dotenv: Path | None) -> dict[str, str]:
    """Our variables; an empty one counts as not set; `<name>_FILE` reads the value from a file."""
    merged: dict[str, str | None] = {}
    if dotenv is not None and dotenv.is_file():
        try:
            merged.update(dotenv_values(dotenv))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{dotenv} cannot be read ({type(error).__name__})") from None
    merged.update(environ)
    found = {name: value for name, value in merged.items() if name.startswith(PREFIX) and value}
    for name in [name for name in found if name.endswith("_FILE")]:
        plain, path = name.removesuffix("_FILE"), found.pop(name)
        if plain in found:
            raise SettingsError(f"{plain} and {name} are both set: keep one")
        try:
            found[plain] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}: the file {path} cannot be read ({type(error).__name__})") from None
    return found


def _unknown(name: str) -> str:
    near = get_close_matches(name, [*(PREFIX + field.upper() for field in _PLAIN), *LATER], n=1, cutoff=0.8)
    return f"{name} is not a setting{f'; did you mean {near[0]}?' if near else ''}"


def _told(error: ValidationError) -> str:
    """Each wrong setting by its environment name; a secret's value is never shown."""
    lines = []
    for problem in error.errors(include_url=False, include_context=False):
        field, *provider = map(str, problem["loc"])
        name = "".join([{"keys": KEY, "tiers": TIER}.get(field, PREFIX + field.upper()), *map(str.upper, provider[:1])])
        got = "" if field == "keys" else f" (got {problem['input']!r})"
        lines.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}{got}")
    return "; ".join(lines)
