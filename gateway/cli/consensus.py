"""`marketgate consensus`: one price from several providers, outliers named."""

from __future__ import annotations

from typing import Any

from gateway.cli.link import Where, connect, say_origin, short
from gateway.cli.outcome import Code
from gateway.cli.output import Column, Form, Table, members, write

QUERY = """
query Consensus($symbol: String!, $providers: [String!], $quorum: Int!, $maxAgeMs: Int) {
  consensus(symbol: $symbol, providers: $providers, quorum: $quorum, maxAgeMs: $maxAgeMs) {
    instrument { id }
    currency median low high rangeBps asked used
    sources {
      provider deviationBps outlier
      quote { price priceType provenance { provider mode asOf ageMs } }
      excluded { code message }
    }
  }
}
"""
COLUMNS = (
    Column("instrument"), Column("currency"), Column("median"), Column("low"), Column("high"), Column("rangeBps"),
    Column("provider", "provider"), Column("price", "price"), Column("deviationBps", "off by bps"),
    Column("outlier", "outlier"), Column("asOf", "as of"), Column("excluded"), Column("reason", "left out", text=True),
)  # fmt: skip


async def run(
    where: Where, symbol: str, *, form: Form, providers: list[str] | None, quorum: int, max_age_ms: int | None
) -> Code:
    """Ask, write every source."""
    variables = {"symbol": symbol, "providers": providers, "quorum": quorum, "maxAgeMs": max_age_ms}
    async with connect(where) as link:
        answer = await link.ask(QUERY, variables)
        found = answer.root("consensus", symbol)
        say_origin(link, [members(s, "quote", "provenance") for s in found["sources"] if not s["excluded"]])
    whole = [found["instrument"]["id"], *(found[column.name] for column in COLUMNS[1:6])]
    rows = [(*whole, *_source(source)) for source in found["sources"]]
    caption = (
        f"{whole[0]}: median {found['median']} {found['currency']}, {found['low']} to {found['high']} "
        f"({found['rangeBps']} bps); {found['used']} of {found['asked']} sources count"
    )
    write(form, answer.data, Table(COLUMNS, rows), caption)
    return Code.ALL


def _source(source: Any) -> tuple[object, ...]:
    quote, excluded = source["quote"], source["excluded"]
    return (
        source["provider"], members(quote, "price"), source["deviationBps"], source["outlier"],
        members(quote, "provenance", "asOf"), members(excluded, "code"), excluded and short(excluded["message"]),
    )  # fmt: skip
