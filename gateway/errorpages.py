"""The pages of the error codes: Markdown for the documentation, and what the gateway shows at an error's own link.

Around them an index of documentation, at `/docs`: what else the gateway shows, and where the rest is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from string import Template

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from gateway.cli.codes import CODES, DATA, INSIDE, REQUESTS, Explained
from gateway.core.settings import PREFIX
from gateway.errorsamples import Sample, sample_of
from gateway.reference import table
from schema.errors import DOCS

Page = Callable[..., str]
"""Puts paragraphs under a title."""

SETTING = re.compile(rf"(?<!`){PREFIX}[A-Z_]+(<PROVIDER ID>)?(=\w+)?")
CODE = re.compile(r"`([^`]*)`")
HEAD = (
    "Every error has `extensions { code docs requestId }`. `docs` is the path of the code's page: join it to the "
    "address that you asked, the gateway itself shows it there. An ask of several symbols answers with failures as "
    "data (`failures { code message attempts docs }`), one ask with a GraphQL error. Codes stay; messages may change."
)
GROUPS: tuple[tuple[str, Mapping[str, Explained]], ...] = (
    ("Data that did not come", DATA),
    ("Requests that were refused", REQUESTS),
    ("Faults", INSIDE),
)
HOME = "/docs"
SHOWN_HERE = (
    (DOCS.rstrip("/"), "Errors", "every error code: what it means, what to do"),
    ("/health", "Health", "the providers' condition, and the gateway's own"),
    ("/metrics", "Metrics", "what the gateway counts, for Prometheus and operators"),
)
REST = (
    "Where the console is on, `/console` shows the description of every field beside the editor.",
    "All else is with the sources: `README.md` lists the pages of `docs`, and `make docs` builds them as a site into "
    "`build/site`. `docs/schema.md` is every field and type, `docs/cli.md` every command, as `marketgate --help` "
    "tells them.",
)
CACHED = {"Cache-Control": "no-cache"}
STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem; border: 1px solid; border-radius: .4rem }
code, pre { font-family: ui-monospace, monospace }
dt { margin-top: .8rem }
"""

TEMPLATE = Template("""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><title>$title · Marketgate</title>
<style>$style</style></head>
<body><main>
<nav>$way</nav>
$body
</main></body>
</html>
""")


def error_pages(page: Page) -> dict[str, str]:
    """The index and one page for each code, by their paths in the repository."""
    return {"docs/errors.md": index(page), **{f"docs{_path(code)}.md": _page_of(page, code) for code in CODES}}


def index(page: Page) -> str:
    """All codes in one place."""
    parts: list[str] = []
    for title, codes in GROUPS:
        rows = ((f"[`{code}`](errors/{code}.md)", words.meaning) for code, words in codes.items())
        parts += [f"## {title}", table(("code", "what has happened"), rows)]
    return page("Errors", HEAD, *parts)


def _page_of(page: Page, code: str) -> str:
    parts = [CODES[code].meaning, "## What to do", _remedy(code), "## Example"]
    return page(
        code, *parts, f"```json\n{_shown(code)}\n```", *_status(sample_of(code)), "All codes: [errors](../errors.md)."
    )


def _remedy(code: str) -> str:
    told = SETTING.sub(r"`\g<0>`", CODES[code].remedy)
    return f"{told[0].upper()}{told[1:]}."


def _shown(code: str) -> str:
    return json.dumps({"errors": [sample_of(code).error]}, indent=2, ensure_ascii=False)


def _status(sample: Sample) -> Iterator[str]:
    if sample.status is not None:
        yield f"Where it is the whole answer the HTTP status is {sample.status}; [http](../http.md) says when 200."


def _path(code: str) -> str:
    return f"{DOCS.removeprefix('/docs')}{code}"


def error_routes() -> list[Route]:
    """`/docs`, `/docs/errors`, and `/docs/errors/<CODE>` where `extensions.docs` leads to."""

    async def home(_: Request) -> HTMLResponse:
        return _html("Documentation", _home())

    async def every(_: Request) -> HTMLResponse:
        return _html("Errors", _listed(), HOME)

    async def one(request: Request) -> HTMLResponse:
        code = request.path_params["code"]
        if code not in CODES:
            raise HTTPException(404)
        return _html(code, _told(code), HOME)

    return [Route(HOME, home), Route(DOCS.rstrip("/"), every), Route(f"{DOCS}{{code}}", one)]


def _home() -> Iterator[str]:
    yield "<dl>"
    for path, title, told in SHOWN_HERE:
        yield f'<dt><a href="{path}">{title}</a></dt><dd>{told}</dd>'
    yield "</dl>"
    for told in REST:
        yield f"<p>{_prose(told)}</p>"


def _listed() -> Iterator[str]:
    for title, codes in GROUPS:
        yield f"<h2>{title}</h2>\n<dl>"
        for code, words in codes.items():
            yield f'<dt><a href="{DOCS}{code}"><code>{code}</code></a></dt><dd>{_prose(words.meaning)}</dd>'
        yield "</dl>"


def _told(code: str) -> Iterator[str]:
    yield f"<p>{_prose(CODES[code].meaning)}</p>"
    yield f"<h2>What to do</h2>\n<p>{_prose(_remedy(code))}</p>"
    yield f"<h2>Example</h2>\n<pre>{escape(_shown(code))}</pre>"
    yield f'<p><a href="{DOCS.rstrip("/")}">All codes</a></p>'


def _prose(text: str) -> str:
    return CODE.sub(r"<code>\1</code>", escape(text))


def _html(title: str, parts: Iterable[str], above: str = "") -> HTMLResponse:
    way = '<a href="/">Marketgate</a>' + (f' · <a href="{above}">Documentation</a>' if above else "")
    page = TEMPLATE.substitute(title=title, style=STYLE, way=way, body="\n".join((f"<h1>{title}</h1>", *parts)))
    return HTMLResponse(page, headers=CACHED)
