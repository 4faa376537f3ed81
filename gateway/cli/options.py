"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Url = Annotated[str | None, typer.Option("--url", help="Ask the gateway at this address instead of one in here.")]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", envvar="MARKETGATE_API_KEY", show_envvar=True, help="Key for the gateway at --url."),
]
AsJson = Annotated[bool, typer.Option("--json", help="GraphQL's data as one JSON document.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV with a header.")]
