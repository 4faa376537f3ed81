"""Limits and usage of a tenant, as its members and the operator see them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from schema.model import choices, described, model


@choices(
    "What lines of usage are grouped by.",
    FIELD="By root field.",
    API_KEY="By API key.",
    PROVIDER="By provider.",
    DAY="By day in UTC.",
)
class UsageBy(StrEnum):
    """One line for each root field, API key, provider or UTC day."""

    FIELD = "FIELD"
    API_KEY = "API_KEY"
    PROVIDER = "PROVIDER"
    DAY = "DAY"


@model("A limit of the plan and what is left of it.")
class Limit:
    """Points a minute, points a month, concurrency, streams, webhooks, upstream calls."""

    name: str = described("What is limited, such as `pointsPerMinute`.")
    limit: int = described("How much is allowed.")
    remaining: int = described("How much of it is left now.")
    resets_at: datetime | None = described("When it is whole again; null where nothing runs out.", default=None)


@model("What was used under one key: a field, an API key, a provider or a day.")
class UsageLine:
    """Sums over whole hours, and the hour under way as far as it is written."""

    key: str = described("The field, the API key's id, the provider's id, or the date.")
    operations: int = described("Operations that asked for it.")
    points: int = described("Points that they cost.")
    upstream_calls: int = described("Calls to providers.")
    cache_hit_ratio: float = described("Share of reads answered without a call, 0 to 1; 0 where nothing was read.")
    errors: int = described("Operations that had errors.")
