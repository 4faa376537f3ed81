"""Everything that is not a request gets a clear refusal, and the process lives on."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field

import brotli
import pytest

GOOD = b'{"query":"{ hello }"}'
JSON = {"content-type": "application/json"}


@dataclass(kw_only=True)
class Malformed:
    name: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    query_string: str = ""
    method: str = "POST"
    status: int = 400
    code: str = "BAD_REQUEST"
    says: str


def typed(content_type: str) -> dict[str, str]:
    return {"content-type": content_type}


def variables(text: str) -> bytes:
    return ('{"query":"query($n:String){hello(name:$n)}","variables":' + text + "}").encode()


FORM = b"query=%7Bhello%7D"
MEDIA = "UNSUPPORTED_MEDIA_TYPE"

CASES = [
    Malformed(name="empty body", body=b"", says="The request body is empty."),
    Malformed(name="white space", body=b"  ", says="not valid JSON"),
    Malformed(name="number", body=b"7", says="must be a JSON object"),
    Malformed(name="string", body=b'"{ hello }"', says="must be a JSON object"),
    Malformed(name="null", body=b"null", says="must be a JSON object"),
    Malformed(name="true", body=b"true", says="must be a JSON object"),
    Malformed(name="truncated", body=GOOD[:-1], says="not valid JSON"),
    Malformed(name="two values", body=GOOD + GOOD, says="not valid JSON"),
    Malformed(name="not JSON", body=b"{ hello }", says="not valid JSON"),
    Malformed(name="invalid UTF-8", body=b'{"query":"{ \xff }"}', says="not valid JSON"),
    Malformed(name="UTF-16", body=GOOD.decode().encode("utf-16"), says="not valid JSON"),
    Malformed(name="byte order mark", body=b"\xef\xbb\xbf" + GOOD, says="not valid JSON"),
    Malformed(name="20,000 arrays", body=b"[" * 20_000, says="not valid JSON"),
    Malformed(name="20,000 objects", body=b'{"a":' * 20_000 + b"1" + b"}" * 20_000, says="not valid JSON"),
    Malformed(name="20,001 arrays", body=b"[" * 20_001, says="more than 20000 objects and lists"),
    Malformed(name="100,000 empty objects", body=b"[" + b"{}," * 99_999 + b"{}]", says="more than 20000 objects"),
    Malformed(name="deep variables", body=variables("[" * 2_000 + "]" * 2_000), says="not valid JSON"),
    Malformed(name="NaN", body=variables('{"n":NaN}'), says="not valid JSON"),
    Malformed(name="Infinity", body=variables('{"n":-Infinity}'), says="not valid JSON"),
    Malformed(name="1e400", body=variables('{"n":1e400}'), says="not valid JSON"),
    Malformed(name="5,000 digits", body=variables('{"n":' + "9" * 5_000 + "}"), says="not valid JSON"),
    Malformed(name="25 digits", body=variables('{"n":' + "9" * 25 + "}"), says="more than 19 digits"),
    Malformed(name="lone surrogate", body=variables('{"n":"\\ud800"}'), says="not valid JSON"),
    Malformed(
        name="lone surrogate in the query", body=b'{"query":"{ hello(name:\\"\\ud83d\\") }"}', says="not valid JSON"
    ),
    Malformed(name="raw null byte", body=b'{"query":"{ \x00 }"}', says="not valid JSON"),
    Malformed(name="trailing comma", body=b'{"query":"{ hello }",}', says="not valid JSON"),
    Malformed(name="single quotes", body=b"{'query':'{ hello }'}", says="not valid JSON"),
    Malformed(
        name="too large",
        body=b'{"query":"' + b" " * 1_048_576 + b'"}',
        status=413,
        code="PAYLOAD_TOO_LARGE",
        says="larger than 1048576 bytes",
    ),
    Malformed(name="no content type", body=GOOD, headers={}, status=415, code=MEDIA, says="not no Content-Type"),
    Malformed(name="plain text", body=GOOD, headers=typed("text/plain"), status=415, code=MEDIA, says="not text/plain"),
    Malformed(
        name="form",
        body=FORM,
        headers=typed("application/x-www-form-urlencoded"),
        status=415,
        code=MEDIA,
        says="must be sent as",
    ),
    Malformed(
        name="multipart",
        body=b"--x--",
        headers=typed("multipart/form-data; boundary=x"),
        status=415,
        code=MEDIA,
        says="not multipart",
    ),
    Malformed(
        name="application/graphql",
        body=b"{ hello }",
        headers=typed("application/graphql"),
        status=415,
        code=MEDIA,
        says="must be sent as",
    ),
    Malformed(
        name="JSON as a prefix",
        body=GOOD,
        headers=typed("application/jsonp"),
        status=415,
        code=MEDIA,
        says="must be sent as",
    ),
    Malformed(
        name="plain text hiding JSON",
        body=GOOD,
        headers=typed("text/plain; application/json"),
        status=415,
        code=MEDIA,
        says="not text/plain",
    ),
    Malformed(
        name="latin-1",
        body=GOOD,
        headers=typed("application/json; charset=iso-8859-1"),
        status=415,
        code=MEDIA,
        says="not iso-8859-1",
    ),
    Malformed(
        name="UTF-16 declared",
        body=GOOD,
        headers=typed("application/json; charset=utf-16"),
        status=415,
        code=MEDIA,
        says="not utf-16",
    ),
    Malformed(
        name="gzip",
        body=gzip.compress(GOOD),
        headers={**JSON, "content-encoding": "gzip"},
        status=415,
        code=MEDIA,
        says="Compressed",
    ),
    Malformed(
        name="deflate",
        body=zlib.compress(GOOD),
        headers={**JSON, "content-encoding": "deflate"},
        status=415,
        code=MEDIA,
        says="Compressed",
    ),
    Malformed(
        name="br",
        body=brotli.compress(GOOD),
        headers={**JSON, "content-encoding": "br"},
        status=415,
        code=MEDIA,
        says="Compressed",
    ),
    Malformed(name="gzip undeclared", body=gzip.compress(GOOD), says="not valid JSON"),
    Malformed(
        name="GET with broken variables",
        method="GET",
        query_string="query={hello}&variables={",
        says="parameter 'variables' is not valid JSON",
    ),
    Malformed(
        name="GET with a list of variables",
        method="GET",
        query_string="query={hello}&variables=[1]",
        says="'variables' must be an object",
    ),
    Malformed(
        name="GET with broken UTF-8", method="GET", query_string="query=%FF", says="not valid percent-encoded UTF-8"
    ),
    Malformed(
        name="GET with a lone surrogate",
        method="GET",
        query_string="query=%ED%A0%80",
        says="not valid percent-encoded UTF-8",
    ),
    Malformed(
        name="GET with a parameter twice",
        method="GET",
        query_string="query={hello}&query={odd}",
        says="'query' is given twice",
    ),
    Malformed(
        name="GET with a thousand parameters",
        method="GET",
        query_string="query={hello}" + "&a=1" * 1_000,
        says="not valid percent-encoded UTF-8",
    ),
    Malformed(
        name="GET with deep variables",
        method="GET",
        query_string="query={hello}&variables=" + "[" * 5_000,
        says="not valid JSON",
    ),
    Malformed(
        name="GET far too long",
        method="GET",
        query_string="query=" + "a" * 16_384,
        status=414,
        code="URI_TOO_LONG",
        says="use POST",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_malformed_is_refused_clearly_and_the_server_lives_on(case: Malformed, accept, connect, world):
    client = connect()

    answer = await client.request(
        case.method,
        "/graphql" + (f"?{case.query_string}" if case.query_string else ""),
        content=case.body,
        headers={**case.headers, "accept": accept},
    )

    assert answer.status_code == case.status, answer.text
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == case.code
    assert case.says in error["message"]
    assert "data" not in answer.json()
    assert world.calls == []
    alive = await client.post("/graphql", json={"query": "{ hello }"})
    assert alive.json()["data"] == {"hello": "hello world"}


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\U0001f4c8", "\u202e", "'; DROP TABLE x"])
async def test_odd_but_valid_text_passes_unchanged(text, connect):
    body = {"query": "query($n: String!) { hello(name: $n) }", "variables": {"n": text}}

    answer = await connect().post("/graphql", json=body)

    assert answer.json()["data"] == {"hello": f"hello {text}"}


async def test_the_last_of_two_equal_keys_counts(connect):
    body = b'{"query":"{ broken }","query":"{ hello }"}'

    answer = await connect().post("/graphql", content=body, headers=JSON)

    assert answer.json()["data"] == {"hello": "hello world"}


async def test_a_null_byte_in_the_document_is_a_syntax_error(connect):
    answer = await connect().post("/graphql", json={"query": "{ hello \x00 }"})

    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
    assert error["message"] == "Syntax Error: Unexpected character: U+0000."
    assert error["locations"] == [{"line": 1, "column": 9}]


async def test_long_digits_inside_strings_are_no_integers(connect):
    body = {"query": "query($n: String!) { hello(name: $n) }", "variables": {"n": "91234.123456789012345678901"}}

    answer = await connect().post("/graphql", content=json.dumps(body).encode(), headers=JSON)

    assert answer.json()["data"] == {"hello": "hello 91234.123456789012345678901"}
