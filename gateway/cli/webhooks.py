"""`marketgate webhooks`: a gateway's events at a receiver on this machine."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Annotated, Any

import typer

from gateway.cli.ending import perform_async
from gateway.cli.options import ApiKey, AsCsv, AsJson

HERE = "http://127.0.0.1:8000"
"""Where `marketgate serve` listens unless it is told otherwise."""

app = typer.Typer(help="Events of a gateway, at a receiver of yours.", no_args_is_help=True, rich_markup_mode=None)

Url = Annotated[str, typer.Option("--url", help="The gateway.")]
Secret = Annotated[
    str | None,
    typer.Option(
        metavar="WHSEC", envvar="MARKETGATE_WEBHOOK_SECRET", show_envvar=True, help="What the receiver verifies with."
    ),
]


@app.command("listen")
def listen_command(
    to: Annotated[str, typer.Option("--forward-to", metavar="URL", help="The receiver.")],
    types: Annotated[
        str | None, typer.Option(metavar="A,B", help="Only these: types, price.alert.*, or *; by default all.")
    ] = None,
    secret: Secret = None,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Go on where an earlier one ended; by default from now on.")
    ] = None,
    count: Annotated[int | None, typer.Option(metavar="N", min=1, help="End after so many events.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = HERE,
    api_key: ApiKey = None,
) -> int:
    """Sign an organisation's events and post them to a receiver as they happen, until it is interrupted."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import forwarding, posting
        from gateway.cli.link import Where
        from gateway.cli.output import form_of
        from gateway.cli.reading import read_list

        wish = forwarding.Wish(
            to=posting.Target.read("--forward-to", to, secret), types=read_list("--types", types), after=after,
            count=count, form=form_of(as_json=as_json, as_csv=as_csv),
        )  # fmt: skip
        return forwarding.run(Where(url=url, api_key=api_key), wish)

    return perform_async(job)


@app.command("trigger")
def trigger_command(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Such as apikey.created; eventTypes lists them.")],
    to: Annotated[str | None, typer.Option("--to", metavar="URL", help="Post it there, signed with --secret.")] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="ID", help="Let the gateway deliver it to this endpoint.")
    ] = None,
    secret: Secret = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = HERE,
    api_key: ApiKey = None,
) -> int:
    """Send the sample of a type of event, once."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import triggering
        from gateway.cli.link import Where
        from gateway.cli.output import form_of

        where, form = Where(url=url, api_key=api_key), form_of(as_json=as_json, as_csv=as_csv)
        return triggering.run(where, kind, to=to, secret=secret, endpoint=endpoint, form=form)

    return perform_async(job)
