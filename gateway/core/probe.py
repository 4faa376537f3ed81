"""Whether a key works: one real question to a provider, asked with it through the normal machine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from inspect import getfile
from typing import Any, NamedTuple

from gateway.core.account import Account, Reach
from gateway.core.market import MarketData
from providers.contract import Provider
from providers.recording import ask_of, folder_of, read_recording
from schema.capability import Capability, Terms
from schema.errors import NotCovered, NotRecorded, UpstreamError
from schema.provenance import DataMode
from schema.words.quotes import QUOTES

PATIENCE = 5.0


class Question(NamedTuple):
    """An ask of one item that the provider is known to answer."""

    capability: Capability[Any, Any]
    ask: Any


async def probe(data: MarketData, provider: str, tenant: str, parts: Mapping[str, str]) -> UpstreamError | None:
    """The error that the question ends in, None for an answer; the tenant's earlier refusals do not stand in the way.

    The offline market asks nobody, so that nothing can be found out there: NotRecorded.
    """
    registry = data.registry
    if registry.mode is not DataMode.LIVE:
        return NotRecorded(provider, "this gateway serves recordings and asks nobody")
    question = first_question(registry.providers[provider])
    if question is None:
        return NotRecorded(provider, "nothing is known that it would answer")
    data.forget(tenant)
    account = Account(tenant=tenant, keys={provider: parts}, reach=Reach(frozenset({provider})))
    terms = Terms(providers=(provider,), max_age=timedelta(0), timeout=PATIENCE)
    route = registry.route(question.capability, question.ask, terms, account)
    if not route.lanes:
        return route.refused[0] if route.refused else NotCovered(provider, "answers nothing now")
    item = question.capability.parts(question.ask)[0]
    found = await data.pipeline.fetch(
        route.lanes[0], question.capability, question.ask, [item], terms, PATIENCE, account=account, judge_age=False
    )
    outcome = found[item]
    return outcome if isinstance(outcome, UpstreamError) else None


def first_question(provider: Provider) -> Question | None:
    """From its recordings: a quote if there is one, else whatever comes first."""
    folder = folder_of(getfile(type(provider)), provider.profile.id)
    if folder is None:
        return None
    offered = {name: offer.capability for name, offer in provider.offers.items()}
    # A chat is charged for, the list of models is not.
    for name in sorted(offered, key=lambda name: (name != QUOTES.name, offered[name].private, name)):
        file, capability = folder / f"{name}.json", offered[name]
        answered = read_recording(file).answered if file.exists() else ()
        if answered:
            ask, items = ask_of(capability, answered[0].ask), capability.items
            return Question(capability, items.only(ask, items.of(ask)[:1]) if items else ask)
    return None
