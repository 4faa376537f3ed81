"""Remembered requests are bounded by all that they hold, and go when they have expired."""

from __future__ import annotations

from graphql import OperationDefinitionNode, parse

from gateway.core.identity import ANONYMOUS
from gateway.edge.documents import TOKEN_BYTES, Document
from gateway.edge.execute import OperationRequest, PreparedOperation, RequestFacts
from gateway.edge.keeping import NOT_KEPT
from gateway.edge.kept import Wanted
from gateway.edge.memo import LASTS_S, MOST_BYTES, Memos
from gateway.edge.responses import Entry, Place, Policy

FACTS = RequestFacts(request_id="", transport="http")
WANTED = Wanted(media="application/json", gzip=False, get=False, private=False)
EIGHTH = MOST_BYTES // TOKEN_BYTES // 8


def document(name: str, tokens: int = EIGHTH) -> Document:
    return Document(hash=name, length=0, tokens=tokens, tree=parse("{ a }"), operations=())


def put(memos: Memos, key: str, asked: Document, now: float = 0.0, size: int = 10) -> None:
    operation = asked.tree.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    prepared = PreparedOperation(document=asked, operation=operation, request=OperationRequest(query="{ a }"))
    place = Place(
        prepared=prepared, principal=ANONYMOUS, policy=Policy("all", public=True), keeping=NOT_KEPT, public=key,
        own=None, epoch=(0, 0),
    )  # fmt: skip
    memos.put(key, size, FACTS, (place, Entry(key, b"{}", 0.0, 60.0, None)), WANTED, now)


def held(memos: Memos) -> str:
    return "".join(key for key in "abcdefghijkl" if key in memos._kept)


def test_memos_are_bounded_by_the_documents_that_they_hold():
    memos = Memos()

    for key in "abcdefghij":
        put(memos, key, document(key))

    assert held(memos) == "cdefghij"


def test_a_document_that_several_hold_is_counted_once_and_until_the_last_is_gone():
    memos, shared = Memos(), document("shared")
    for key in "abcdefgh":
        put(memos, key, shared)
    assert (held(memos), memos._bytes) == ("abcdefgh", 80 + shared.weight)

    for key in "abcdefg":
        memos.drop(key)
    assert memos._bytes == 10 + shared.weight

    memos.drop("h")
    assert (memos._bytes, len(memos._documents)) == (0, 0)


def test_expired_memos_go_when_another_comes():
    memos = Memos()
    for key, now in (("a", 0.0), ("b", 1.0), ("c", 2.0)):
        put(memos, key, document(key, 1), now)

    put(memos, "d", document("d", 1), 1.0 + LASTS_S)

    assert held(memos) == "cd"
    assert memos._bytes == 2 * (10 + TOKEN_BYTES)
