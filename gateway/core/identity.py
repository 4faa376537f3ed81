"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller of an operation. Tenant ids are opaque texts."""

    tenant: str


ANONYMOUS = Principal(tenant="anonymous")
