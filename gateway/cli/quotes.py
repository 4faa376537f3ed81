"""`marketgate quote`: last prices of some symbols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.cli.link import Link, Where, connect, say_origin, told
from gateway.cli.outcome import Code, say
from gateway.cli.output import Column, Form, Table, chunks, members, write

QUERY = """
query Quotes($symbols: [String!]!, $convertTo: String, $route: RouteInput) {
  quotes(symbols: $symbols, convertTo: $convertTo, route: $route) {
    nodes {
      instrument { id }
      price currency priceType bid ask open high low change changePercent volume marketState
      provenance {
        provider mode asOf fetchedAt ageMs delay cacheStatus stale
        fallbackFrom { provider code message }
        conversion { from to rate }
        attribution
      }
    }
    failures { index symbol code message candidates { id } attempts { provider code message retryAfterMs } docs }
  }
}
"""
MOST_SYMBOLS = 200
COLUMNS = (
    Column("symbol", "symbol"), Column("instrument"), Column("price", "price"), Column("currency", "currency"),
    Column("priceType"), Column("bid", "bid"), Column("ask", "ask"), Column("changePercent", "change %"),
    Column("volume"), Column("marketState"), Column("asOf", "as of"), Column("ageMs"), Column("stale"),
    Column("provider", "provider"), Column("mode"),
)  # fmt: skip


async def run(
    where: Where, symbols: Sequence[str], *, form: Form, convert_to: str | None, providers: list[str] | None
) -> Code:
    """Ask, write what came, name what did not."""
    route = {"providers": providers} if providers else None
    async with connect(where) as link:
        batch = await fetch(link, symbols, convert_to, route)
        nodes = batch["nodes"]
        say_origin(link, [members(node, "provenance") for node in nodes])
    answered = [(symbol, node) for symbol, node in zip(symbols, nodes, strict=True) if node is not None]
    if answered or form is Form.JSON:
        write(form, {"quotes": batch}, Table(COLUMNS, [_row(*each) for each in answered]))
    for failure in batch["failures"]:
        say(told(failure["symbol"], failure["message"], failure["code"], failure["attempts"]))
    if len(answered) == len(symbols):
        return Code.ALL
    return Code.PARTIAL if answered else Code.NOTHING


async def fetch(link: Link, symbols: Sequence[str], convert_to: str | None, route: Any) -> dict[str, Any]:
    """One batch of any length, as if the gateway had taken it at once."""
    nodes: list[Any] = []
    failures: list[Any] = []
    for part in chunks(symbols, MOST_SYMBOLS):
        answer = await link.ask(QUERY, {"symbols": part, "convertTo": convert_to, "route": route})
        batch = answer.root("quotes", ", ".join(part[:3]))
        failures += [{**failure, "index": failure["index"] + len(nodes)} for failure in batch["failures"]]
        nodes += batch["nodes"]
    return {"nodes": nodes, "failures": failures}


def _row(symbol: str, node: Any) -> tuple[object, ...]:
    own = [node[column.name] for column in COLUMNS[2:10]]
    made = [node["provenance"][column.name] for column in COLUMNS[10:]]
    return (symbol, node["instrument"]["id"], *own, *made)
