"""A CDN in front: what it may keep it serves to whom it concerns, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from gateway.edge.pages import IMMUTABLE, REVALIDATE
from tests.gateway.doubles import ManualClock, venue
from tests.gateway.edge.stall import QUOTE, Stall, member, open_stall
from tests.gateway.edge.test_front import LONG

STATIC = Path(__file__).parents[3] / "gateway" / "edge" / "static"


@dataclass(frozen=True, slots=True)
class Stored:
    varied: Mapping[str, str | None]
    answer: httpx.Response
    until: float


@dataclass
class SharedCache(httpx.AsyncBaseTransport):
    """As RFC 9111 lets a shared cache do, as greedily as it may: it goes by the answer's own words alone."""

    behind: httpx.AsyncBaseTransport
    clock: ManualClock
    stored: dict[str, list[Stored]] = field(default_factory=dict)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        known = self.stored.setdefault(str(request.url), []) if request.method == "GET" else []
        for each in known:
            fits = all(request.headers.get(name) == value for name, value in each.varied.items())
            if fits and self.clock.monotonic() < each.until:
                return httpx.Response(
                    each.answer.status_code, headers=[*each.answer.headers.raw, (b"x-cache", b"hit")],
                    content=each.answer.content,
                )  # fmt: skip
        answer = await self.behind.handle_async_request(request)
        content = await answer.aread()
        parts = [part.strip().partition("=") for part in answer.headers.get("cache-control", "").split(",")]
        says = {name: value for name, _, value in parts}
        varies = [name.strip().lower() for name in answer.headers.get("vary", "").split(",") if name.strip()]
        lasts = float(says.get("s-maxage") or says.get("max-age") or 0) - float(answer.headers.get("age", 0))
        mine = {"no-store", "private", "no-cache"} & says.keys() or "*" in varies
        if request.method == "GET" and not mine and answer.status_code in (200, 301, 404, 410) and lasts > 0:
            # Headers on the wire, and the bytes that they are about.
            kept = httpx.Response(answer.status_code, headers=answer.headers.raw, stream=httpx.ByteStream(content))
            await kept.aread()
            varied = {name: request.headers.get(name) for name in varies}
            known.append(Stored(varied, kept, self.clock.monotonic() + lasts))
        return httpx.Response(answer.status_code, headers=answer.headers.raw, content=content)


@pytest.fixture
def stall(tmp_path) -> Stall:
    alpha = venue("alpha", fresh_for=LONG)
    return open_stall(tmp_path, alpha, callers={"a": member("org_a"), "b": member("org_b")})


@pytest.fixture
def cdn(stall: Stall) -> SharedCache:
    return SharedCache(httpx.ASGITransport(app=stall.app), stall.clock)


async def ask(cdn: SharedCache, key: str | None = None, document: str = QUOTE, **headers: str) -> httpx.Response:
    sent = {"accept-encoding": "identity", **({"x-api-key": key} if key else {}), **headers}
    async with httpx.AsyncClient(transport=cdn, base_url="http://cdn.test") as client:
        return await client.get("/graphql", params={"query": document}, headers=sent)


def hit(answer: httpx.Response) -> bool:
    return "x-cache" in answer.headers


async def test_what_everybody_may_see_is_asked_once_for_all_who_ask_alike(stall, cdn):
    await ask(cdn)
    kept = await ask(cdn)

    first, second = await ask(cdn), await ask(cdn, accept="application/json")

    assert "public" in kept.headers["cache-control"]
    assert (hit(first), hit(second)) == (True, False)
    assert second.headers["content-type"].startswith("application/json")
    stall.clock.turn(30.5)
    assert not hit(await ask(cdn))


async def test_no_tenant_is_ever_served_anothers_answer_nor_anybodys(stall, cdn):
    for _ in range(3):
        await ask(cdn)
    assert hit(await ask(cdn))

    seen = [await ask(cdn, key) for key in ("a", "b", "a", "b", "a", "b")]

    assert [hit(each) for each in seen] == [False] * 6
    # Each was counted on its own account, so each was answered by the gateway.
    assert [each.headers["ratelimit"].split("r=")[1].split(";")[0] for each in seen] == [
        "99", "99", "98", "98", "97", "97",
    ]  # fmt: skip
    for stored in [each for some in cdn.stored.values() for each in some]:
        assert (stored.varied["x-api-key"], stored.varied["authorization"], stored.varied["cookie"]) == (None,) * 3


async def test_what_everybody_gets_says_nothing_of_who_asked_first(stall, cdn):
    answers = [await ask(cdn) for _ in range(3)]
    own, posted = await ask(cdn, "a"), await stall.ask(key=None)

    assert [hit(each) for each in answers] == [False, True, True]
    for each in answers:
        assert "public" in each.headers["cache-control"]
        assert [name for name in each.headers if name.startswith("ratelimit")] == []
        assert each.json() == {"data": own.json()["data"], "extensions": {}}
    for each in (own, posted):
        assert (each.headers["ratelimit"][:8], "ratelimit-policy" in each.headers) == ('"points"', True)
        assert each.json()["extensions"].keys() == {"requestId", "cost"}
    known = await ask(cdn, **{"accept": "application/json", "if-none-match": answers[0].headers["etag"]})
    assert (known.status_code, "ratelimit" in known.headers) == (304, False)


@pytest.mark.parametrize("header", ["x-api-key", "authorization", "cookie", "origin"])
async def test_whoever_says_who_it_is_is_asked_by_the_gateway(stall, cdn, header):
    for _ in range(3):
        await ask(cdn)

    answer = await ask(cdn, **{header: "Bearer z" if header == "authorization" else "z"})

    assert not hit(answer)
    if header == "x-api-key":
        assert answer.status_code == 401


async def test_refusals_and_faults_are_stored_by_nobody(stall, cdn):
    for document in ("{ nothing }", "{"):
        for _ in range(2):
            answer = await ask(cdn, document=document)
            assert "errors" in answer.json()
            assert (hit(answer), answer.headers["cache-control"]) == (False, "no-store")


async def test_built_assets_last_a_year_and_pages_are_asked_for_each_time(connect):
    client = connect(static=STATIC, console=True)
    assets = sorted((STATIC / "assets").iterdir())

    assert len(assets) > 10
    for path in assets:
        answer = await client.get(f"/static/assets/{path.name}", headers={"accept-encoding": "identity"})
        assert (answer.headers["cache-control"], answer.content) == (IMMUTABLE, path.read_bytes())
        # The last eight characters before the suffix are the build's digest of it.
        assert re.fullmatch(r".+-[\w-]{8}", path.stem), path.name
    for page in ("/", "/account", "/console"):
        answer = await client.get(page)
        assert (answer.headers["cache-control"], "etag" in answer.headers) == (REVALIDATE, True)
        assert answer.headers["vary"] == "Accept-Encoding"
