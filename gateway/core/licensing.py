"""What a provider's licence and the key that paid let the gateway do with an answer besides showing it to its caller.

The one place for that rule: cache, single flight, catalogue, exports, streams and events only ask it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gateway.core.account import Account
from providers.contract import Licence, Profile
from schema.capability import Capability, Right


class Rights(NamedTuple):
    """Of the answers of one provider's capability, for one account."""

    share: bool
    """It may serve other tenants too: one upstream stream or call for all of them."""
    deliver: bool
    """It may stand in what reaches a tenant without being asked for each time: events, webhooks."""
    keep: bool
    """It may be held: in caches, for replay, in files."""

    @property
    def for_all(self) -> bool:
        """One copy may be kept and serve everybody."""
        return self.keep and self.share

    def allow(self, right: Right) -> bool:
        """One of them by its name."""
        return {Right.SHARE: self.share, Right.DELIVER: self.deliver, Right.KEEP: self.keep}[right]


NONE = Rights(share=False, deliver=False, keep=False)


def rights_in(licence: Licence, *, own_key: bool, private: bool) -> Rights:
    """A *private* answer (a chat) is its caller's alone. What a tenant's own key pays for is shared with nobody.

    An event goes to receivers of the tenant that could ask for the same: what the tenant may be shown, or has paid for
    itself, may reach it there too. Whom the tenant passes it on to is between it and the provider, as with an answer.
    """
    if private:
        return NONE
    return Rights(
        share=licence.shareable and not own_key,
        deliver=licence.shareable or licence.redistributable or own_key,
        keep=licence.cacheable,
    )


def rights_of(profile: Profile, capability: Capability[Any, Any], account: Account) -> Rights:
    """For the answers that an account gets."""
    return rights_in(profile.licence, own_key=profile.id in account.keys, private=capability.private)


REFUSALS = {
    Right.SHARE: "may not serve other tenants, by its licence",
    Right.DELIVER: "may not be passed on, by its licence",
    Right.KEEP: "may not be kept, by its licence",
}
"""Why a provider is not asked by those who need the right."""
