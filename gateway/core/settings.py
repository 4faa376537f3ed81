"""Settings from the environment and `.env`: one prefix, one table; a wrong value stops the start and names itself."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from gateway.core import settingrules as rules
from gateway.core.secrets import MASK, Keyring, read_credential, read_signing_keys
from gateway.core.telemetrysettings import LOOPBACK as LOOPBACK
from gateway.core.telemetrysettings import IpNetwork as IpNetwork
from gateway.core.telemetrysettings import TelemetrySettings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "MARKETGATE_"
KEY, TIER, TEST = f"{PREFIX}KEY_", f"{PREFIX}TIER_", f"{PREFIX}TEST_"
DEVELOPMENT_SECRET = "development-"  # noqa: S105 - a prefix
CLIENT = frozenset({f"{PREFIX}API_KEY", f"{PREFIX}WEBHOOK_SECRET"})
"""Read by the command line; none of the server's business."""


class SettingsError(Exception):
    """A setting that stops the start; the message names it and the way out."""


Secret = Annotated[SecretStr, AfterValidator(rules.can_be_sent)]
TierName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
"""Which ones a provider has, it says itself."""


class Settings(TelemetrySettings):
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
    brokers: tuple[Literal["alpaca_paper", "alpaca_live", "binance_testnet", "binance_live"], ...] = Field(
        (), description="Brokers that LIVE accounts may trade at, separated by commas: `alpaca_paper`, `alpaca_live`, "
        "`binance_testnet`, `binance_live`. Default: none."
    )  # fmt: skip
    broker_base: str = Field(
        "", description="Send every broker's request to `<base>/<broker id>/<path>` instead; in development only."
    )
    cors_origins: tuple[str, ...] = Field((), description="Browser origins that may call, separated by commas.")
    drain_s: float = Field(
        0.0, ge=0, le=600,
        description="Seconds that a process that is told to end serves on while `/readyz` answers 503: as many as "
        "balancers need to notice.",
    )  # fmt: skip
    timeout_s: float = Field(30.0, gt=0, le=300, description="Longest time of one operation, in seconds.")
    shed_lag_ms: int = Field(
        100, ge=0, le=60_000,
        description="Operations are refused (503) once the event loop lags by so many milliseconds for long; 0 never.",
    )  # fmt: skip
    provider_costs: str = Field(
        "", description="What a call costs by provider, in US dollars, such as `coingecko=0.0005`; separated by commas."
    )
    cache_mb: int = Field(128, ge=1, description="Bound of the memory cache of each process, in MiB.")
    cache_warm_up: int = Field(
        500, ge=0, le=10_000, description="How many of the most read answers a new process takes over from Redis."
    )
    response_cache_mb: int = Field(
        64, ge=0, le=65_536, description="Room for answers kept as bytes, in megabytes a process; 0 keeps none."
    )
    response_cache_log: int = Field(
        1_000, ge=0, description="One in so many answers from kept bytes has a line in the access log; 0 none, 1 all."
    )
    data_dir: Path = Field(Path(".marketgate"), description="Folder of the embedded database and of local state.")
    database_url: SecretStr | None = Field(
        None,
        description="`postgresql://user:password@host/name`, or `sqlite:///file`. Default: a file in the data folder.",
    )
    redis_url: SecretStr | None = Field(
        None, description="`redis://host:6379/0`: limits and revocations for all processes. Default: each for itself."
    )
    providers: tuple[str, ...] = Field(
        (), description="Ids of the providers that are loaded, separated by commas; all where there are none."
    )
    ccxt: tuple[str, ...] = Field(
        (),
        description="Exchanges without an adapter here that are asked through the package ccxt, by ccxt's ids, "
        "separated by commas: `bitso,whitebit` become `ccxt_bitso` and `ccxt_whitebit`. Needs `marketgate[ccxt]`.",
    )
    upstream_quotas: bool = Field(
        True,
        description="Upstreams' limits are counted before each request; off only where upstreams have none.",
    )
    shared_breakers: bool = Field(
        True, description="Circuit breakers of all processes act as one where Redis is set, each for itself without."
    )
    metrics_networks: tuple[IpNetwork, ...] = Field(
        LOOPBACK,
        description="Networks that `/metrics` answers to, separated by commas; elsewhere it needs an operator's key.",
    )
    limits_without_redis: Literal["open", "closed"] = Field(
        "open", description="While Redis is away each process limits for itself, or what costs points is refused."
    )
    trusted_documents: Path | None = Field(
        None, description="Documents that are read at the start: a JSON file `{id: document}`, or a folder of .graphql "
        "files. They are asked by their SHA-256."
    )  # fmt: skip
    trusted_only: bool = Field(False, description="Execute trusted documents only.")
    secret_key: SecretStr | None = Field(
        None, description="Root secret, 32 bytes or more: encrypts, signs, digests. Production does not start without."
    )
    secret_key_previous: SecretStr | None = Field(
        None, description="The root secret before this one: still decrypts and verifies during a rotation."
    )
    jwt_secret: SecretStr | None = Field(
        None, description="HS256 secret of access tokens, 32 bytes or more. Default: derived from the root secret."
    )
    jwt_keys: SecretStr | None = Field(
        None,
        description="Ed25519 private keys (PEM, one after the other): access tokens are EdDSA, the first signs, all "
        "verify, `/.well-known/jwks.json` lists them.",
    )
    public_url: str = Field("", description="Address that browsers and mails use. Default: `http://HOST:PORT`.")
    trusted_proxies: tuple[IpNetwork, ...] = Field(
        (), description="Networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, separated by commas."
    )
    anonymous: bool | None = Field(
        None,
        description="Whether callers without a credential get market data, at a small limit. Default: in development.",
    )
    anonymous_points: int = Field(
        120, ge=1, description="Points a minute of all callers without a credential from one address."
    )
    sign_up: Literal["open", "invited", "closed"] = Field(
        "open", description="Who may sign up: anybody, only invited addresses, nobody."
    )
    smtp_url: SecretStr | None = Field(
        None, description="`smtps://user:password@host:465` or `smtp://…:587` (STARTTLS). Default: mails are logged in "
        "development and wait in the outbox in production."
    )  # fmt: skip
    mail_from: str = Field("Marketgate <marketgate@localhost>", description="Sender of mails.")
    oauth_google: SecretStr | None = Field(
        None,
        description="`client_id=…,client_secret=…`: sign-in with Google, or with `issuer=https://…` any other provider "
        "of OpenID Connect. Default: off.",
    )
    oauth_github: SecretStr | None = Field(
        None,
        description="`client_id=…,client_secret=…`: sign-in with GitHub, or with `base=https://…` a GitHub server of "
        "one's own. Default: off.",
    )
    operator_networks: tuple[IpNetwork, ...] = Field(
        LOOPBACK,
        description="Networks that operators' keys are accepted from, separated by commas.",
    )
    stripe_key: SecretStr | None = Field(None, description="Stripe secret key: invoices are sent there. Default: off.")
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="Signing secret (`whsec_…`) of the Stripe webhook at `/billing/stripe`. Default: off."
    )
    stripe_base: str = Field("https://api.stripe.com", description="Where Stripe is.")
    webhook_schedule: tuple[float, ...] = Field(
        (5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 86_400),
        description="Seconds from one attempt of a webhook's delivery to the next, separated by commas; each is varied "
        "by up to a fifth. Behind the last of them comes the last attempt.",
    )
    workers: Literal["inside", "none"] = Field(
        "inside",
        description="Whether this process does the work that any process may do, such as sending webhooks; with `none` "
        "`marketgate worker` does it.",
    )
    webhook_allow: tuple[IpNetwork, ...] | None = Field(
        None,
        description="Networks that webhooks may reach besides public addresses, such as `10.1.0.0/16,[::1]/128`; there "
        "plain http and every port are allowed. Default: loopback in development, none in production; a lone comma "
        "means none.",
    )
    compute_processes: int | None = Field(
        None, ge=1, le=256,
        description="Most processes that compute portfolios and risk, for each serving process; they start when they "
        "are needed. Default: as many as the machine has processors.",
    )  # fmt: skip
    compute_memory_mb: int = Field(
        2_048, ge=512, description="Address space of each process that computes, in MiB: what needs more is refused."
    )
    archive_dir: Path | None = Field(
        None,
        description="Folder that old lines of the audit trail, usage and deliveries are written to before they are "
        "removed; `marketgate archive` reads it. Default: they are removed and nothing else.",
    )
    usage_days: int | None = Field(
        None, ge=32, description="Days that hourly usage is kept, 32 or more. Default: for ever."
    )
    delivery_days: int = Field(30, ge=1, description="Days that deliveries of webhooks and their attempts are kept.")
    audit_days: int = Field(365, ge=1, description="Days that the audit trail is kept.")
    deletion_days: int = Field(30, ge=0, description="Days between the deletion of an organisation and its erasure.")
    keys: dict[str, Secret] = Field(default_factory=dict, description="MARKETGATE_KEY_<PROVIDER ID>: its credential.")
    tiers: dict[str, TierName] = Field(
        default_factory=dict, description="MARKETGATE_TIER_<PROVIDER ID>: one of its plans."
    )

    _is_database = field_validator("database_url")(rules.is_database)
    _is_redis = field_validator("redis_url")(rules.is_redis)
    _is_smtp = field_validator("smtp_url")(rules.is_smtp)
    _is_long = field_validator("secret_key", "secret_key_previous", "jwt_secret")(rules.is_long)
    _are_signing_keys = field_validator("jwt_keys")(rules.are_signing_keys)
    _is_client = field_validator("oauth_google", "oauth_github")(rules.is_client)
    _split_networks = field_validator(
        "trusted_proxies", "operator_networks", "metrics_networks", "webhook_allow", mode="before"
    )(rules.split_networks)
    _are_delays = field_validator("webhook_schedule", mode="before")(rules.are_delays)
    _is_http = field_validator("upstream_base", "broker_base", "public_url", "stripe_base")(rules.is_http)
    _split = field_validator("brokers", "cors_origins", "providers", "ccxt", mode="before")(rules.split)
    _are_origins = field_validator("cors_origins")(rules.are_origins)

    @property
    def development(self) -> bool:
        """Console and introspection are on."""
        return self.env == "development"

    @property
    def mode(self) -> Literal["live", "recorded"]:
        """What `upstreams` means where it is not set."""
        return self.upstreams or ("recorded" if self.development else "live")

    @property
    def anonymous_allowed(self) -> bool:
        """What `anonymous` means where it is not set."""
        return self.development if self.anonymous is None else self.anonymous

    @property
    def webhook_networks(self) -> tuple[IpNetwork, ...]:
        """What `webhook_allow` means where it is not set."""
        return (LOOPBACK if self.development else ()) if self.webhook_allow is None else self.webhook_allow

    @property
    def address(self) -> str:
        """`public_url`, or where the process listens."""
        if self.public_url:
            return self.public_url
        shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - a name, listens nowhere
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"

    @property
    def database(self) -> str:
        """`database_url`, or the file in the data folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir.absolute() / 'marketgate.sqlite3'}"

    def root_secrets(self) -> tuple[str, ...]:
        """The root secret, then the one before it. Development makes its own; SettingsError in production without."""
        if self.secret_key is not None:
            given = self.secret_key.get_secret_value()
            if not self.development and given.startswith(DEVELOPMENT_SECRET):
                raise SettingsError(
                    f"{PREFIX}SECRET_KEY: is a development secret; make one with `openssl rand -base64 48`"
                )
            previous = self.secret_key_previous
            return (given,) if previous is None else (given, previous.get_secret_value())
        if not self.development:
            told = "is not set: production needs a root secret of 32 bytes or more; `openssl rand -base64 48` makes one"
            raise SettingsError(f"{PREFIX}SECRET_KEY: {told}")
        return (_development_secret(self.data_dir),)

    def signing_keys(self) -> list[Ed25519PrivateKey]:
        """The keys in `jwt_keys`; none where access tokens have a shared secret."""
        return [] if self.jwt_keys is None else read_signing_keys(self.jwt_keys.get_secret_value())

    def sign_in_client(self, provider: str) -> Mapping[str, str] | None:
        """What a sign-in provider knows this gateway by; None for one that is not set."""
        given: SecretStr | None = getattr(self, f"oauth_{provider}")
        return None if given is None else read_credential(given.get_secret_value())

    def keyring(self) -> Keyring:
        """The providers' credentials."""
        return Keyring({name: read_credential(value.get_secret_value()) for name, value in self.keys.items()})


def _development_secret(folder: Path) -> str:
    """Made once per data folder; its beginning is what production refuses it by."""
    path = folder / "development-secret"
    with suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8").strip()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = DEVELOPMENT_SECRET + token_urlsafe(36)
    try:
        # Two processes may start at once: the first one's secret holds.
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(made)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings, and what is odd about the environment without stopping the start."""

    settings: Settings
    warnings: tuple[str, ...]


def load_settings(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Loaded:
    """Read the environment over the `.env` file; SettingsError names the setting that is wrong."""
    found, files = _variables(environ if environ is not None else os.environ, dotenv)
    values: dict[str, Any] = {"keys": {}, "tiers": {}}
    warnings: list[str] = []
    for name, value in found.items():
        if name.startswith(KEY):
            values["keys"][name.removeprefix(KEY).lower()] = value
        elif name.startswith(TIER):
            values["tiers"][name.removeprefix(TIER).lower()] = value
        elif (field := name.removeprefix(PREFIX).lower()) in _PLAIN:
            values[field] = value
        elif name not in CLIENT and not name.startswith(TEST):
            warnings.append(_unknown(name))
    try:
        return Loaded(settings=Settings.model_validate(values), warnings=tuple(warnings))
    except ValidationError as error:
        raise SettingsError(_told(error, files)) from None


SECRET = frozenset({
    "keys", "database_url", "redis_url", "secret_key", "secret_key_previous", "jwt_secret", "jwt_keys", "smtp_url",
    "oauth_google", "oauth_github", "stripe_key", "stripe_webhook_secret", "otlp_headers", "sentry_dsn",
})  # fmt: skip
"""Settings whose value is never shown."""
_PLAIN = frozenset(Settings.model_fields) - {"keys", "tiers"}


def _variables(environ: Mapping[str, str], dotenv: Path | None) -> tuple[dict[str, str], set[str]]:
    """Ours, and which of them files hold (`<name>_FILE`); an empty variable is as one not set, an empty file wrong."""
    merged: dict[str, str | None] = {}
    if dotenv is not None and dotenv.is_file():
        try:
            merged.update(dotenv_values(dotenv))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{dotenv} cannot be read ({type(error).__name__})") from None
    merged.update(environ)
    found = {name: value for name, value in merged.items() if name.startswith(PREFIX) and value}
    files = set()
    for name in [name for name in found if name.endswith("_FILE") and name.removeprefix(PREFIX).lower() not in _PLAIN]:
        plain, path = name.removesuffix("_FILE"), found.pop(name)
        if plain in found:
            raise SettingsError(f"{plain} and {name} are both set: keep one")
        try:
            found[plain] = Path(path).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}: the file {path} cannot be read ({type(error).__name__})") from None
        if not found[plain]:
            raise SettingsError(f"{name}: the file {path} is empty: write the value into it")
        files.add(plain)
    return found, files


def without_settings(**more: str) -> dict[str, str]:
    """The environment of a process of ours that needs no setting, and so no secret."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | more


def _unknown(name: str) -> str:
    near = get_close_matches(name, [PREFIX + field.upper() for field in _PLAIN], n=1, cutoff=0.8)
    return f"{name} is not a setting{f'; did you mean {near[0]}?' if near else ''}"


def _told(error: ValidationError, files: Collection[str]) -> str:
    """Each wrong setting by its environment name; a secret's value is never shown, nor what a file holds."""
    lines = []
    for problem in error.errors(include_url=False, include_context=False):
        field, *provider = map(str, problem["loc"])
        name = "".join([{"keys": KEY, "tiers": TIER}.get(field, PREFIX + field.upper()), *map(str.upper, provider[:1])])
        told = problem["msg"].removeprefix("Value error, ")
        if name in files:
            name, told = f"{name}_FILE", rules.masked(told, str(problem["input"]))
        elif field not in SECRET:
            # A URL may hold a password.
            told += f" (got {re.sub('://[^/]*@', f'://{MASK}@', repr(problem['input']))})"
        lines.append(f"{name}: {told}")
    return "; ".join(lines)
