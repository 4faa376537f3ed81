"""Trusted documents: read at the start, asked by their hash; in allow-list mode nothing else runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.app import build_gateway, create_app
from gateway.core.settings import Settings, SettingsError
from gateway.edge.documents import digest_of
from gateway.edge.limits import EdgeSettings
from gateway.edge.trusted import read_trusted
from tests.gateway.doubles import ROOT_SECRET

HELLO, NAMED = "query Hello { hello }", "query Named($n: String) { hello(name: $n) }"
TRUSTED = {digest_of(text): text for text in (HELLO, NAMED)}
LISTED = {"trusted": TRUSTED, "trusted_only": True}
WAY_OUT = (
    "This gateway executes trusted documents only, and this is none of them: send the SHA-256 of a listed document "
    "as `documentId` or in `extensions.persistedQuery.sha256Hash`, or have this one added to the list."
)


def by_hash(text: str) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest_of(text)}}


ASKED = {
    "by its text": {"query": HELLO},
    "by its id": {"documentId": digest_of(HELLO)},
    "by its id with the name of the hash": {"documentId": f"sha256:{digest_of(HELLO).upper()}"},
    "by its hash": {"extensions": by_hash(HELLO)},
    "by both": {"query": HELLO, "extensions": by_hash(HELLO)},
}


@pytest.mark.parametrize("how", ASKED)
async def test_a_trusted_document_is_asked(how, connect):
    answer = await connect(**LISTED).post("/graphql", json=ASKED[how])

    assert answer.json()["data"] == {"hello": "hello world"}


async def test_a_trusted_document_is_asked_by_get(connect):
    asked = {"documentId": digest_of(NAMED), "variables": '{"n":"you"}'}

    answer = await connect(**LISTED).get("/graphql", params=asked)

    assert answer.json()["data"] == {"hello": "hello you"}


STRANGE = {
    "a text": {"query": "{ hello }"},
    "a text and its hash": {"query": "{ hello }", "extensions": by_hash("{ hello }")},
    "an id": {"documentId": "0" * 64},
    "a hash": {"extensions": by_hash("{ hello }")},
    "a trusted document with a blank more": {"query": HELLO + " "},
    "no document at all": {"query": "{ nonsense"},
}


@pytest.mark.parametrize("what", STRANGE)
async def test_in_allow_list_mode_nothing_else_runs(what, connect, world):
    client = connect(**LISTED)

    answers = [
        await client.post("/graphql", json=STRANGE[what], headers={"accept": "application/graphql-response+json"})
        for _ in range(2)
    ]

    for answer in answers:
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (403, "DOCUMENT_NOT_TRUSTED")
        assert error["message"] == WAY_OUT
    assert world.calls == []


async def test_in_allow_list_mode_a_batch_refuses_each_strange_document_at_its_place(connect, world):
    answer = await connect(**LISTED).post("/graphql", json=[{"query": "{ hello }"}, {"documentId": digest_of(HELLO)}])

    first, second = answer.json()
    assert first["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
    assert second["data"] == {"hello": "hello world"}


async def test_without_allow_list_mode_other_documents_run_too(connect):
    client = connect(trusted=TRUSTED)

    assert (await client.post("/graphql", json={"query": "{ hello }"})).json()["data"] == {"hello": "hello world"}
    unknown = await client.post("/graphql", json={"documentId": "0" * 64})
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_an_id_that_is_no_hash_is_malformed(connect, world):
    answer = await connect().post("/graphql", json={"documentId": "Hello"})

    [error] = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert error["message"] == "documentId must be the SHA-256 of a document, 64 hexadecimal digits."
    assert world.calls == []


async def test_trusted_documents_are_never_pushed_out(connect):
    client = connect(trusted=TRUSTED, max_documents=1)
    for number in range(5):
        await client.post("/graphql", json={"query": f"query Q{number} {{ hello }}"})

    answers = [await client.post("/graphql", json={"documentId": digest}) for digest in TRUSTED]

    assert [answer.json()["data"] for answer in answers] == [{"hello": "hello world"}] * 2


# --- Reading them


def given(path: Path | None, *, only: bool = True) -> Settings:
    return Settings(trusted_documents=path, trusted_only=only, secret_key=ROOT_SECRET, env="development")


def test_a_folder_of_files_is_read_with_its_folders(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "hello.graphql").write_text(HELLO)
    (tmp_path / "below" / "named.graphql").write_text(NAMED)
    (tmp_path / "readme.md").write_text("no document")

    assert read_trusted(given(tmp_path)) == TRUSTED


def test_a_file_of_hashes_is_read(tmp_path):
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({f"sha256:{digest_of(HELLO)}": HELLO, digest_of(NAMED): NAMED}))

    assert read_trusted(given(path)) == TRUSTED


def test_none_are_trusted_where_none_are_set():
    assert read_trusted(given(None, only=False)) == {}
    assert EdgeSettings().trusted_only is False


def test_a_list_that_is_demanded_and_missing_stops_the_start():
    with pytest.raises(SettingsError, match="MARKETGATE_TRUSTED_ONLY: needs MARKETGATE_TRUSTED_DOCUMENTS"):
        read_trusted(given(None))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1]", "must be a JSON object of ids and documents"),
        ("{", "cannot be read (JSONDecodeError)"),
        ("{}", "holds no document"),
        (json.dumps({"hello": HELLO}), "'hello' is not the SHA-256 of its document"),
        (json.dumps({digest_of(HELLO): NAMED}), "is not the SHA-256 of its document"),
    ],
)
def test_a_file_that_is_wrong_stops_the_start_and_says_why(content, words, tmp_path):
    path = tmp_path / "documents.json"
    path.write_text(content)

    with pytest.raises(SettingsError) as caught:
        read_trusted(given(path))

    assert str(caught.value).startswith("MARKETGATE_TRUSTED_DOCUMENTS: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{ nothing }", "Cannot query field 'nothing' on type 'Query'."),
        ("{ health", "Syntax Error: Expected Name, found <EOF>."),
        ("fragment F on Query { __typename }", "Fragment 'F' is never used."),
    ],
)
def test_a_trusted_document_that_could_never_run_stops_the_start_and_is_named(text, reason, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "bad.graphql").write_text(text)
    settings = given(folder).model_copy(update={"data_dir": tmp_path})

    with pytest.raises(SettingsError) as caught:
        create_app(settings, gateway=build_gateway(settings))

    assert str(caught.value) == f"MARKETGATE_TRUSTED_DOCUMENTS: {folder / 'bad.graphql'}: {reason}"
