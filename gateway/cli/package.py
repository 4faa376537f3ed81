"""`marketgate plugin new`: a package with a plugin of one field, which passes the check, to start from."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from string import Template

from gateway.cli.outcome import Code, say, usage

NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")

PROJECT = Template("""[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "marketgate-$dashed"
version = "0.1.0"
dependencies = ["marketgate"]

[project.entry-points."marketgate.plugins"]
$name = "$name:plugin"

[tool.hatch.build.targets.wheel]
include = ["$name.py"]
""")

MODULE = Template('''"""$title: a plugin of Marketgate."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from gateway.sdk import (
    QUOTES,
    Ctx,
    Desk,
    Plugin,
    Provenance,
    Quote,
    QuotesAsk,
    Route,
    Scope,
    Symbol,
    described,
    facts,
    model,
    terms_of,
)


@model("How far bid and ask are apart.")
class ${cls}Spread:
    """Null where a side of the book is empty."""

    absolute: Decimal | None = described("Ask minus bid, in the quote's currency.")
    provenance: Provenance = described("Where this came from.")


async def resolve_spread(info: Ctx, symbol: Symbol, route: Route = None) -> ${cls}Spread | None:
    """Ask for a quote, compute, return; arithmetic is a function of its own."""
    ask = QuotesAsk(instruments=(info.context.service(Desk).instrument(symbol),))
    fetched = await info.context.market.fetch(QUOTES, ask, terms_of(route))
    quote: Quote = fetched.value
    return ${cls}Spread(absolute=between(quote.bid, quote.ask), provenance=fetched.provenance)


def between(bid: Decimal | None, ask: Decimal | None) -> Decimal | None:
    """Ask minus bid."""
    return None if bid is None or ask is None else ask - bid


@strawberry.type
class ${cls}Query:
    """Root fields."""

    ${name}_spread: ${cls}Spread | None = strawberry.field(
        resolver=resolve_spread,
        description="How far bid and ask of an instrument are apart.",
        metadata=facts(needs=Scope.MARKET_READ),
    )


plugin = Plugin(name="$name", query=${cls}Query)
''')


def run(name: str, into: Path) -> Code:
    """Write the package's two files into a folder of its own; nothing that exists is touched."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name in sys.stdlib_module_names:
        raise usage(f"{name!r} cannot be a name: write 2 to 40 of a-z, 0-9 and _, beginning with a letter")
    folder = into / f"marketgate-{name.replace('_', '-')}"
    if folder.exists():
        raise usage(f"{folder} is there already")
    title = name.replace("_", " ").title()
    facts = {"name": name, "dashed": name.replace("_", "-"), "title": title, "cls": title.replace(" ", "")}
    folder.mkdir(parents=True)
    for file, template in ((f"{name}.py", MODULE), ("pyproject.toml", PROJECT)):
        (folder / file).write_text(template.substitute(facts), encoding="utf-8")
        print(folder / file)
    say(f"written; run: pip install --editable {folder}, then: marketgate plugin check {name}")
    return Code.ALL
