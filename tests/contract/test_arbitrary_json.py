"""Whatever JSON an upstream sends, an adapter answers or raises an upstream error."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.check.faults import Subject, suffer
from gateway.core.check.provider import subjects_of
from gateway.core.upstream import RawReply
from providers.recording import decoded, wire
from schema.provenance import DataMode
from tests.contract.suite import PROVIDERS

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(("", "0", "-1", "1e400", "NaN", "buy", "ASK", "BTC", "2026-11-20T12:00:00", "\u4e2d"))
)


def keys_in(value: Any) -> set[str]:
    """All names of members: with them an arbitrary body gets past the first look."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_in, value.values()))
    return set().union(*map(keys_in, value)) if isinstance(value, list) else set()


def bodies(subject: Subject) -> st.SearchStrategy[Any]:
    """Bodies of the recorded one's type, with its names in places that are not theirs."""
    recorded = decoded(subject.content(0))
    inner = st.recursive(LEAVES, lambda deeper: lists(deeper) | objects(recorded, deeper), max_leaves=10)
    return lists(inner) if isinstance(recorded, list) else objects(recorded, inner)


def lists(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=6)


def objects(recorded: Any, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(sorted(keys_in(recorded)) or ["a"]), inner, max_size=6)


def is_json(subject: Subject) -> bool:
    """Some upstreams send CSV or XML."""
    try:
        decoded(subject.content(0))
    except ValueError:
        return False
    return True


SUBJECTS = [
    subject
    for cls in PROVIDERS.values()
    if cls.profile.mode is not DataMode.SIMULATED
    for subject in subjects_of(cls)
    if is_json(subject)
]


# One test for all of them: what it costs does not grow with their number.
@settings(max_examples=200)
@given(subject=st.sampled_from(SUBJECTS), data=st.data())
async def test_arbitrary_json_is_answered_or_becomes_an_upstream_error(subject: Subject, data: st.DataObject):
    body = wire(data.draw(bodies(subject)))

    found = await suffer(subject, lambda exchange: RawReply(status=200, headers=exchange.headers, content=body), None)

    assert not isinstance(found, str), f"{subject.provider} {subject.offer.capability.name} {found}"
