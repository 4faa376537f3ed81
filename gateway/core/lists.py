"""Lists that are shown page by page: all pages of one list are of one provider."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from gateway.core.fetchlog import Fetched
from gateway.core.market import MarketData
from schema.capability import Capability, Terms
from schema.errors import BadInput, FailureCode, NoAnswer
from schema.paging import listed_by

A = TypeVar("A")


class Asks(Protocol):
    """What a list is asked of: the market as an operation sees it."""

    data: MarketData

    def fetch(self, capability: Capability[A, Any], ask: A, terms: Terms) -> Awaitable[Fetched]:
        """One answer; NoAnswer lists every attempt."""


async def fetch_list(
    market: Asks, capability: Capability[A, Any], ask: A, terms: Terms, *, kind: str, after: str | None
) -> Fetched:
    """A list to show a page of; behind a cursor only the provider is asked whose list the cursor is of.

    BadInput where the terms leave it out; where it does not answer, NoAnswer says to begin anew.
    """
    provider = listed_by(kind, after)
    if not provider:
        return await market.fetch(capability, ask, terms)
    left_out = terms.providers is not None and provider not in terms.providers
    if left_out or provider in terms.exclude or provider not in market.data.registry.providers:
        raise BadInput("after", "goes on in the list of a provider that is not to be asked: begin anew without it")
    try:
        return await market.fetch(capability, ask, replace(terms, providers=(provider,)))
    except NoAnswer as error:
        told = f"{provider} does not go on with its list; begin anew without `after`: {error.message}"
        raise NoAnswer(error.symbol, FailureCode(error.code), told, error.attempts) from None
