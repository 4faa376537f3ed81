"""Who may change whom."""

from __future__ import annotations

from datetime import timedelta

from gateway.core.identity import Role

RANKS = {role: rank for rank, role in enumerate(reversed(Role))}
KEYS_ROLE = Role.ADMIN
"""The most that an API key may be: it has no role, and gives or changes none that has more than its own scopes."""

MOST_OWNED = 20
"""Organisations that one person may own: each has a plan's points of its own."""
MOST_MEMBERSHIPS = 100
MOST_PENDING = 200
"""Invitations of one organisation that may be accepted at a time."""
INVITED_FOR = timedelta(days=7)
INVITATION = "invitation"
"""What the digest of an invitation's token is for."""
LONGEST_TOKEN = 200
KEPT_RETRIES = timedelta(hours=24)


def above(role: Role, other: Role) -> bool:
    """Whether a role has rights that the other has not."""
    return RANKS[role] > RANKS[other]
