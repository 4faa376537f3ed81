"""E-mail addresses: what two spellings of one address share."""

from __future__ import annotations

import unicodedata

LONGEST = 254


class BadEmail(ValueError):
    """A text that no mail can be sent to; the message says what is wrong and what to do."""


def normalised(email: str, *, test_domains: bool = False) -> str:
    """Lower case, NFC. *test_domains* lets addresses below `.test` through; no name server is ever asked."""
    from email_validator import EmailNotValidError, validate_email

    if len(email) > LONGEST:
        raise BadEmail(f"The address is longer than {LONGEST} characters: give an address such as anna@example.com.")
    try:
        found = validate_email(email.strip(), check_deliverability=False, test_environment=test_domains)
    except EmailNotValidError as error:
        raise BadEmail(f"{str(error).rstrip('.')}: give an address such as anna@example.com.") from None
    return unicodedata.normalize("NFC", found.normalized.lower())
