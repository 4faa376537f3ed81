"""The settings of logs, traces and Sentry: a part of `gateway.core.settings.Settings`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from gateway.core import settingrules as rules

IpNetwork = IPv4Network | IPv6Network
LOOPBACK: tuple[IpNetwork, ...] = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))


class TelemetrySettings(BaseModel):
    """What is told, and to whom; all of it is off by default but for the log on stderr."""

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["text", "json"] = Field("text", description="One line a record for people or for machines.")
    log_file: Path | None = Field(
        None,
        description="The log is written there instead of to stderr; once the file is moved away, as logrotate does, a "
        "new one is begun, and what it does not take goes to stderr.",
    )
    otlp_endpoint: str = Field(
        "",
        description="Traces are sent there by OTLP over HTTP, such as `http://collector:4318`; `/v1/traces` is added "
        "unless it is there. Default: nothing is traced.",
    )
    otlp_headers: SecretStr | None = Field(
        None, description="`name=value` pairs, separated by commas, that go with what is sent to the OTLP endpoint."
    )
    trace_ratio: float = Field(
        1.0, ge=0, le=1, description="Share of the operations that are traced where their caller has not decided it."
    )
    trace_networks: tuple[IpNetwork, ...] = Field(
        LOOPBACK,
        description="Networks whose `traceparent` is followed, separated by commas; other callers begin a trace anew.",
    )
    worker_port: int | None = Field(
        None, ge=0, le=65535,
        description="A `marketgate worker` answers `/metrics`, and `/healthz` as long as it lives, on this port of "
        "`MARKETGATE_HOST`; 0 picks a free one. Default: it listens nowhere.",
    )  # fmt: skip
    sentry_dsn: SecretStr | None = Field(
        None, description="Faults of the gateway are sent to this Sentry project. Needs `marketgate[sentry]`."
    )

    _are_headers = field_validator("otlp_headers")(rules.are_headers)
    _is_dsn = field_validator("sentry_dsn")(rules.is_dsn)
    _is_endpoint = field_validator("otlp_endpoint")(rules.is_http)
    _split_trace_networks = field_validator("trace_networks", mode="before")(rules.split_networks)
