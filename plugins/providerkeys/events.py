"""What is told of organisations' own keys."""

from __future__ import annotations

from typing import Self

from schema.events import Event, event
from schema.model import described


@event(
    "provider.key_invalid",
    "A provider refuses your organisation's own key. Told once, until the key works again or is set anew.",
)
class ProviderKeyInvalid(Event):
    """The key itself is in no event."""

    provider: str = described("The id of the provider that refuses it.")
    reason: str = described("What the provider said.")

    @property
    def subject(self) -> str:
        """The provider."""
        return self.provider

    @classmethod
    def sample(cls) -> Self:
        """A key that was revoked at the provider."""
        return cls(provider="coingecko", reason="HTTP 401: the API key is not valid")
