"""`marketgate portfolio`: reports on a portfolio out of a file."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.ending import perform_async
from gateway.cli.options import ApiKey, Url

app = typer.Typer(help="Reports on a portfolio.", no_args_is_help=True, rich_markup_mode=None)


@app.command("report")
def report_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file: series, or transactions.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PAGE", help="The page; by default FILE with .html.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a page that is there.")] = False,
    returns: Annotated[
        bool, typer.Option("--returns", help="The columns are simple returns (0.01 is 1 %), not prices.")
    ] = False,
    benchmark: Annotated[
        str | None, typer.Option("--benchmark", metavar="COLUMN", help="What the others are compared with.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(metavar="A=0.6,B=0.4", help="The portfolio's weights at the start; by default equal ones."),
    ] = None,
    rebalance: Annotated[
        str, typer.Option(metavar="WHEN", help="never, every-period, monthly, quarterly or yearly.")
    ] = "never",
    risk_free: Annotated[float, typer.Option(metavar="RATE", help="A year; 0.05 is 5 %.")] = 0.0,
    periods: Annotated[
        int | None, typer.Option(metavar="N", help="Periods a year; by default told by the dates.")
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option("--prices", metavar="SERIES", help="Closes of what transactions trade; else the market's."),
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    offline: Annotated[bool, typer.Option("--offline", help="Take closes from the offline market.")] = False,
) -> int:
    """Write a page of HTML with charts and figures.

    FILE has a header: date (2026-11-20, ascending), and a column a series. A column named portfolio is what the report
    is about; else it is the only column, or a portfolio of all of them but the benchmark. A blank cell is a missing
    value and is never filled.

    With a column kind it holds transactions, as portfolios import them: date, kind, symbol, quantity, price, amount,
    fee, ratio, currency, note.
    """

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli.link import Where
        from gateway.cli.report import command
        from gateway.cli.report.wish import Wish, read_rebalance, read_weights

        wish = Wish(
            benchmark=benchmark, weights=read_weights(weights), rebalance=read_rebalance(rebalance), periods=periods,
            risk_free=risk_free,
        )  # fmt: skip
        source = command.Source(
            file=file, returns=returns, prices=prices, where=Where(url=url, api_key=api_key, offline=offline)
        )
        return command.run(source, out, wish, force=force)

    return perform_async(job)
