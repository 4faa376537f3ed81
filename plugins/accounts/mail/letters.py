"""What our mails say. Nothing in them was written by whoever caused them: they cannot carry a stranger's words."""

from __future__ import annotations

from datetime import datetime

from gateway.core.ports import Mail

_IGNORE = "If you did not ask for this, ignore this mail: nothing has changed."
_NOT_YOU = "If this was not you, set a new password now: {address}/account#reset"


def verification(address: str, to: str, token: str) -> Mail:
    """A link that proves the address of a new account."""
    return _mail(
        to, "Confirm your e-mail address", "Follow this link to confirm your address and start to use Marketgate:",
        f"{address}/account#verify?token={token}", "It works once, for 24 hours.", _IGNORE,
    )  # fmt: skip


def verification_again(address: str, to: str, token: str) -> Mail:
    """To one who signs up again before the address is proven."""
    return _mail(
        to, "Confirm your e-mail address again",
        "This address was used more than once to sign up, perhaps by somebody else. To keep others out, the links of "
        "earlier mails work no more, and none of the passwords was kept.",
        "If you signed up, follow this link to confirm your address:", f"{address}/account#verify?token={token}",
        f"Then choose your password: {address}/account#reset", "The link works once, for 24 hours.",
        "If you did not sign up, ignore this mail: nobody can sign in.",
    )  # fmt: skip


def known_address(address: str, to: str) -> Mail:
    """To one who signs up again."""
    return _mail(
        to, "You have an account already", "Somebody, perhaps you, signed up with this address, which has an account.",
        f"Sign in: {address}/account#sign-in", f"Forgot the password? {address}/account#reset", _IGNORE,
    )  # fmt: skip


def already_verified(address: str, to: str) -> Mail:
    """To one who wants another link and needs none."""
    return _mail(
        to, "Your e-mail address is confirmed", "Your address was confirmed before; no link is needed.",
        f"Sign in: {address}/account#sign-in", _IGNORE,
    )  # fmt: skip


def unknown_address(address: str, to: str) -> Mail:
    """To an address without an account, whose owner may have used another one."""
    return _mail(
        to, "There is no account with this address",
        "Somebody, perhaps you, asked for a link, but no account has this address. You may have used another one.",
        f"Sign up: {address}/account#sign-up", _IGNORE,
    )  # fmt: skip


def reset(address: str, to: str, token: str) -> Mail:
    """A link that sets a new password."""
    return _mail(
        to, "Set a new password", "Follow this link to set a new password:",
        f"{address}/account#reset?token={token}", "It works once, for one hour.", _IGNORE,
    )  # fmt: skip


def password_changed(address: str, to: str, at: datetime) -> Mail:
    """A notice."""
    told = f"The password of your account was changed at {_told(at)}. Other sessions were signed out."
    return _mail(to, "Your password was changed", told, _NOT_YOU.format(address=address))


def second_factor(address: str, to: str, at: datetime, *, on: bool) -> Mail:
    """A notice."""
    state = "on" if on else "off"
    told = f"The second factor of your account was switched {state} at {_told(at)}."
    return _mail(to, f"The second factor is {state}", told, _NOT_YOU.format(address=address))


def recovery_codes(address: str, to: str, at: datetime, *, left: int | None) -> Mail:
    """A notice: one was used, so many are left; or all are new."""
    done = "New recovery codes were made" if left is None else f"A recovery code was used, {left} are left,"
    return _mail(to, "Your recovery codes", f"{done} at {_told(at)}.", _NOT_YOU.format(address=address))


def _mail(to: str, subject: str, *paragraphs: str) -> Mail:
    return Mail(to=to, subject=subject, text="\n\n".join([*paragraphs, "Marketgate"]) + "\n")


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
