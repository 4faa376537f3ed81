"""Documents are read once, kept within bounds, and can be asked for by their hash."""

from __future__ import annotations

import gc
import hashlib
from contextlib import suppress

import pytest
from graphql import Location, Node, OperationType, Token, parse, validate

from gateway.edge import documents
from gateway.edge.documents import Document, DocumentReader, DocumentStore
from gateway.edge.errors import Refused
from gateway.edge.graphqlcore import core_schema
from gateway.edge.limits import EdgeSettings
from tests.gateway.edge.conftest import SCHEMA

HELLO = "{ hello }"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(text: str | None, sha: str) -> dict[str, object]:
    body: dict[str, object] = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha}}}
    return body if text is None else {**body, "query": text}


def document(name: str, tokens: int) -> Document:
    return Document(hash=name, length=0, tokens=tokens, tree=parse(HELLO), operations=())


def test_the_store_drops_the_longest_unused():
    store = DocumentStore(2)
    for name in ("a", "b"):
        store.put(document(name, 1))
    store.get("a")

    store.put(document("c", 1))

    assert [name for name in "abc" if store.get(name)] == ["a", "c"]


def test_the_store_is_bounded_by_what_its_trees_take_too():
    store = DocumentStore(100, most_bytes=10 * documents.TOKEN_BYTES)

    for name in "abc":
        store.put(document(name, 4))

    assert [name for name in "abc" if store.get(name)] == ["b", "c"]


def test_a_document_put_twice_counts_once():
    store = DocumentStore(100, most_bytes=10 * documents.TOKEN_BYTES)

    for _ in range(5):
        store.put(document("a", 4))
    store.put(document("b", 4))

    assert len(store) == 2


def test_a_document_weighs_what_its_tokens_take_and_not_its_text():
    reader = DocumentReader(core_schema(SCHEMA), EdgeSettings())

    read = reader.read("{" + "a:hello " * 10 + "}#" + "x" * 100, None, frozenset(OperationType))

    # Three tokens a field, two braces, a comment, the first and the last.
    assert (read.tokens, read.weight) == (35, 35 * 600 + 2 * 183)


def test_what_nobody_was_let_run_is_not_kept():
    reader = DocumentReader(core_schema(SCHEMA), EdgeSettings())

    read = reader.read(HELLO, None, frozenset(OperationType))
    assert reader.read(HELLO, None, frozenset(OperationType)) is read
    assert reader.knows(digest(HELLO))
    assert not reader.keeps(read)
    del read

    assert not reader.knows(digest(HELLO))


MANY = " ".join(f"a{number}: hello b{number}" for number in range(400))
UNKEPT = {
    "wrong": "{" + MANY + "}",
    "wrong in its second operation": "query A { hello } query B {" + MANY + "}",
    "valid, and dropped": "query B {" + " ".join(f"a{number}: hello" for number in range(240)) + "}",
}


@pytest.mark.parametrize("what", UNKEPT)
def test_hardly_a_part_of_a_document_waits_for_the_collector(what):
    def nodes() -> int:
        return sum(isinstance(each, Node | Token | Location) for each in gc.get_objects())

    source = UNKEPT[what]
    reader = DocumentReader(core_schema(SCHEMA), EdgeSettings(max_documents=0))
    gc.collect()
    gc.disable()
    try:
        before = nodes()
        with suppress(Refused):
            reader.read(source, "B" if "query B" in source else None, frozenset(OperationType))
        assert nodes() - before < 100
    finally:
        gc.enable()


async def test_a_repeated_document_is_neither_parsed_nor_validated_again(connect, monkeypatch):
    parsed: list[str] = []
    validated: list[object] = []

    def counting_parse(text, **options):
        parsed.append(text)
        return parse(text, **options)

    def counting_validate(schema, tree, rules, **options):
        validated.append(tree)
        return validate(schema, tree, rules, **options)

    monkeypatch.setattr(documents, "parse", counting_parse)
    monkeypatch.setattr(documents, "validate", counting_validate)
    client = connect()

    for _ in range(3):
        answer = await client.post("/graphql", json={"query": HELLO})

    assert answer.json()["data"] == {"hello": "hello world"}
    assert (parsed, len(validated)) == ([HELLO], 1)


async def test_an_invalid_document_is_not_kept(connect, build):
    client = connect()

    first = await client.post("/graphql", json={"query": "{ nothing }"})
    by_hash = await client.post("/graphql", json=persisted(None, digest("{ nothing }")))

    assert first.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert by_hash.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), ("application/graphql-response+json", 400)])
async def test_an_unknown_hash_asks_for_the_document(accept, status, connect, world):
    answer = await connect().post("/graphql", json=persisted(None, digest(HELLO)), headers={"accept": accept})

    assert answer.status_code == status
    [error] = answer.json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
    assert world.calls == []


async def test_a_document_sent_once_is_answered_by_its_hash(connect):
    client = connect()

    await client.post("/graphql", json=persisted(HELLO, digest(HELLO)))
    by_post = await client.post("/graphql", json=persisted(None, digest(HELLO).upper()))
    extensions = f'{{"persistedQuery":{{"version":1,"sha256Hash":"{digest(HELLO)}"}}}}'
    by_get = await client.get("/graphql", params={"extensions": extensions})

    assert by_post.json()["data"] == by_get.json()["data"] == {"hello": "hello world"}


async def test_a_persisted_mutation_is_not_answered_by_get(connect, world):
    text = 'mutation M { note(text: "x") } query Q { hello }'
    client = connect()
    await client.post("/graphql", json={"query": text, "operationName": "Q"})
    extensions = f'{{"persistedQuery":{{"version":1,"sha256Hash":"{digest(text)}"}}}}'

    answer = await client.get("/graphql", params={"extensions": extensions, "operationName": "M"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert world.calls == ["hello world"]


async def test_a_hash_of_another_document_is_refused(connect, world):
    answer = await connect().post("/graphql", json=persisted(HELLO, digest("{ other }")))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_HASH_MISMATCH"
    assert world.calls == []


@pytest.mark.parametrize(
    "value", ["x", 7, [], {"version": 2, "sha256Hash": "0" * 64}, {"version": 1}, {"version": 1, "sha256Hash": "xyz"},
              {"version": 1, "sha256Hash": 7}],
)  # fmt: skip
async def test_a_malformed_persisted_query_is_refused(value, connect):
    answer = await connect().post("/graphql", json={"query": HELLO, "extensions": {"persistedQuery": value}})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_document_found_wrong_is_told_so_again_without_looking(connect, monkeypatch):
    looked: list[object] = []

    def counting(schema, tree, rules, **options):
        looked.append(tree)
        return validate(schema, tree, rules, **options)

    monkeypatch.setattr(documents, "validate", counting)
    async with connect() as client:
        answers = [(await client.post("/graphql", json={"query": "{ nothing }"})).json() for _ in range(3)]

    found = [answer["errors"][0] for answer in answers]
    assert len(looked) == 1
    assert {(each["message"], each["extensions"]["code"]) for each in found} == {
        ("Cannot query field 'nothing' on type 'Query'.", "GRAPHQL_VALIDATION_FAILED")
    }
    assert len({each["extensions"]["requestId"] for each in found}) == 3


async def test_what_is_remembered_of_wrong_documents_is_bounded_by_its_length(connect, monkeypatch):
    monkeypatch.setattr(documents, "MOST_REFUSED_CHARACTERS", 2_000)
    looked: list[object] = []

    def counting(schema, tree, rules, **options):
        looked.append(tree)
        return validate(schema, tree, rules, **options)

    monkeypatch.setattr(documents, "validate", counting)
    short, other, long = "{ nothing }", "{ nobody }", f"{{ {'n' * 3_000} }}"
    async with connect() as client:
        for text in (short, other, long, long, short, other):
            await client.post("/graphql", json={"query": text})

    assert len(looked) == 4
