"""The landing page, the account page, the console and static files, with and without a built page."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

SCRIPT = "export const answer = 42;\n" * 100


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site" / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>landing</title>")
    (folder / "account.html").write_text("<!doctype html><title>account</title>")
    (folder / "console.html").write_text("<!doctype html><title>console</title>")
    (folder / "assets" / "main-abc123.js").write_text(SCRIPT)
    (folder / "assets" / "font-abc123.woff2").write_bytes(b"wOF2" * 500)
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "site" / "secret.txt").write_text("secret")
    (folder / "assets" / "link.txt").symlink_to(tmp_path / "site" / "secret.txt")
    return folder


async def test_the_landing_page_is_served_and_revalidated(site, connect):
    client = connect(static=site)

    first = await client.get("/")
    again = await client.get("/", headers={"if-none-match": first.headers["etag"]})

    assert (first.status_code, first.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "landing" in first.text
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


async def test_the_account_page_is_served_like_the_landing_page(site, connect):
    client = connect(static=site)

    landing, account = await client.get("/"), await client.get("/account")
    around = await client.get("/static/account.html")

    assert (account.status_code, "account" in account.text) == (200, True)
    own = {"etag", "content-length", "date", "x-request-id"}
    assert {k: v for k, v in account.headers.items() if k not in own} == {
        k: v for k, v in landing.headers.items() if k not in own
    }
    assert account.headers["referrer-policy"] == "no-referrer"
    assert around.status_code == 404


async def test_the_console_exists_only_where_it_is_on(site, connect):
    on = await connect(static=site, console=True).get("/console")
    off = await connect(static=site, console=False).get("/console")
    around = await connect(static=site, console=False).get("/static/console.html")

    assert (on.status_code, "console" in on.text) == (200, True)
    assert (off.status_code, around.status_code) == (404, 404)
    assert off.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("path", "content_type", "cache"),
    [
        ("assets/main-abc123.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("assets/font-abc123.woff2", "font/woff2", "public, max-age=31536000, immutable"),
        ("favicon.svg", "image/svg+xml", "no-cache"),
    ],
)
async def test_files_have_their_types_and_lifetimes(path, content_type, cache, site, connect):
    answer = await connect(static=site).get(f"/static/{path}")

    assert answer.status_code == 200
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (content_type, cache)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/static/assets/new-def456.js", 404), ("GET", "/nothing", 404), ("GET", "/static/account.html", 404),
        ("POST", "/static/assets/main-abc123.js", 405), ("POST", "/", 405), ("GET", "/console", 404),
    ],
)  # fmt: skip
async def test_what_is_not_there_is_kept_by_no_cache(method, path, status, site, connect):
    answer = await connect(static=site, console=False).request(method, path)

    assert (answer.status_code, answer.headers.get_list("cache-control")) == (status, ["no-store"])


async def test_every_packing_of_a_file_answers_to_one_weak_tag(site, connect):
    client = connect(static=site)
    path = "/static/assets/main-abc123.js"

    tags = {(await client.get(path, headers={"accept-encoding": each})).headers["etag"] for each in ("gzip", "br", "")}
    (tag,) = tags
    strong = tag.removeprefix("W/")
    known = [(await client.get(path, headers={"if-none-match": each})).status_code for each in (tag, strong, '"x"')]

    assert tag == f"W/{strong}"
    assert known == [304, 304, 200]


async def test_a_script_is_packed_once_and_only_for_those_who_unpack(site, connect):
    client = connect(static=site)

    packed = await client.get("/static/assets/main-abc123.js", headers={"accept-encoding": "gzip, br"})
    plain = await client.get("/static/assets/main-abc123.js", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT.encode(), 9, mtime=0))
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text == SCRIPT


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/..%2fsecret.txt",
        "/static/assets/../../secret.txt",
        "/static//etc/passwd",
        "/static/assets/link.txt",
        "/static/assets",
        "/static/",
        "/static/nothing.js",
        "/static/index.html",
        "/static/%00",
    ],
)
async def test_nothing_but_the_files_of_the_folder_is_served(path, site, connect):
    answer = await connect(static=site, console=True).get(path)

    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_without_a_built_page_the_landing_is_plain_text(connect):
    client = connect(console=True)

    landing, account, console = [await client.get(path) for path in ("/", "/account", "/console")]

    assert (landing.status_code, account.status_code, console.status_code) == (200, 200, 200)
    assert landing.headers["content-type"] == "text/plain; charset=utf-8"
    assert "POST /graphql" in landing.text


async def test_pages_answer_head_and_refuse_the_rest(site, connect):
    client = connect(static=site)

    head, post = await client.head("/"), await client.post("/")

    assert (head.status_code, head.content) == (200, b"")
    assert (post.status_code, post.json()["errors"][0]["extensions"]["code"]) == (405, "METHOD_NOT_ALLOWED")
