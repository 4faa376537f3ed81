"""One rule says what a licence lets be done with an answer; all who share, keep or send answers ask it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.core.account import NOBODY, Account
from gateway.core.licensing import NONE, Rights, rights_in, rights_of
from providers import discover
from providers.contract import Licence
from schema.capability import Right, Terms
from schema.errors import NoAnswer
from schema.words.candles import CANDLES
from schema.words.chat import CHAT, CHAT_STREAM
from schema.words.quotes import QUOTES
from tests.gateway.doubles import venue, world

OWN = Account(tenant="acme", keys={"alpha": {"key": "k"}})


@pytest.mark.parametrize(
    ("licence", "own_key", "rights"),
    [
        ({}, False, Rights(share=True, deliver=True, keep=True)),
        ({"redistributable": True}, False, Rights(share=True, deliver=True, keep=True)),
        ({"shareable": False}, False, Rights(share=False, deliver=False, keep=True)),
        ({"cacheable": False}, False, Rights(share=True, deliver=True, keep=False)),
        ({"shareable": False, "redistributable": True}, False, Rights(share=False, deliver=True, keep=True)),
        # The tenant's own licence: for nobody else, and sent to its own receivers.
        ({}, True, Rights(share=False, deliver=True, keep=True)),
        ({"cacheable": False, "shareable": False}, True, Rights(share=False, deliver=True, keep=False)),
    ],
)
def test_what_a_licence_allows_besides_showing_an_answer_to_its_caller(
    licence: Mapping[str, Any], own_key: bool, rights: Rights
) -> None:
    assert rights_in(Licence(note="", **licence), own_key=own_key, private=False) == rights


@pytest.mark.parametrize("own_key", [False, True])
def test_a_private_answer_is_its_callers_alone_whatever_the_licence_says(own_key: bool) -> None:
    assert rights_in(Licence(note="", redistributable=True), own_key=own_key, private=True) == NONE


@pytest.mark.parametrize(
    ("rights", "for_all"),
    [(Rights(True, False, True), True), (Rights(True, True, False), False), (Rights(False, True, True), False)],
)
def test_one_copy_for_all_must_be_both_kept_and_shared(rights: Rights, for_all: bool) -> None:
    assert rights.for_all is for_all


def test_chats_of_every_provider_here_are_shared_delivered_and_kept_by_nobody() -> None:
    offered = [
        (cls.profile, capability)
        for cls in discover().classes.values()
        for capability in (CHAT, CHAT_STREAM)
        if capability.name in cls.offers
    ]

    assert len(offered) > 10
    assert {rights_of(profile, capability, NOBODY) for profile, capability in offered} == {NONE}


def test_who_asks_with_a_key_of_its_own_has_other_rights() -> None:
    w = world(venue("alpha"))

    assert w.data.rights(QUOTES, "alpha") == Rights(share=True, deliver=True, keep=True)
    assert w.data.rights(QUOTES, "alpha", OWN) == Rights(share=False, deliver=True, keep=True)
    assert w.data.rights(QUOTES, "nobody") == NONE


@pytest.mark.parametrize(
    ("licence", "right", "why"),
    [
        ({"shareable": False}, Right.SHARE, "may not serve other tenants, by its licence"),
        ({"shareable": False}, Right.DELIVER, "may not be passed on, by its licence"),
        ({"cacheable": False}, Right.KEEP, "may not be kept, by its licence"),
    ],
)
async def test_only_those_are_asked_whose_licence_gives_the_right(
    licence: Mapping[str, Any], right: Right, why: str
) -> None:
    w = world(venue("alpha", **licence))

    plain = await w.quote()
    with pytest.raises(NoAnswer) as refused:
        await w.quote(terms=Terms(rights=frozenset({right})))

    assert plain.provenance.provider == "alpha"
    assert [(each.code, each.message) for each in refused.value.attempts] == [("NOT_COVERED", why)]
    assert len(w.wire.requests) == 1


async def test_the_next_provider_answers_where_the_first_may_not() -> None:
    w = world(venue("alpha", cacheable=False), venue("beta", priority=20))

    found = await w.quote(terms=Terms(rights=frozenset({Right.KEEP})))

    assert (found.provenance.provider, w.wire.asked("alpha")) == ("beta", [])


def test_a_lane_knows_the_rights_of_its_answers() -> None:
    (lane,) = world(venue("alpha", shareable=False)).registry.lanes_of(CANDLES.name)

    assert lane.rights == Rights(share=False, deliver=False, keep=True)
