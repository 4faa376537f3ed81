"""Why nobody was signed in: codes that the page is told in its address."""

from __future__ import annotations

MEANINGS = {
    "BAD_RETURN_TO": "`return_to` is not a path of this gateway, such as `/` or `/console`.",
    "STATE_INVALID": "The way was begun in another browser, finished before, or begun more than ten minutes ago.",
    "DENIED": "The person did not agree, at the provider.",
    "PROVIDER_FAILED": "The provider could not be reached, refused, or its answer is not to be believed: see the log.",
    "ADDRESS_NOT_VERIFIED": "The provider vouches for no address of the person's: verify it there.",
    "ADDRESS_NOT_ACCEPTED": "The provider's address is none that an account can have.",
    "ACCOUNT_NOT_VERIFIED": "Somebody has signed up with this address and not confirmed it: follow the link in the "
    "mail first. Else whoever signed up could wait in the account for its owner.",
    "SIGN_UP_CLOSED": "Nobody can sign up here, and there is no account yet: ask the operator for one.",
    "INVITATION_REQUIRED": "Only invited people can sign up here: follow the link of an invitation.",
    "INVITATION_INVALID": "The invitation is over, or was sent to another address: ask for a new one.",
}
"""Every code; written out in docs/http.md."""


class SignInFailed(Exception):
    """Expected; nothing was changed."""

    def __init__(self, code: str) -> None:
        super().__init__(MEANINGS[code])
        self.code = code
