"""The commands and their options; what a command does is in the module of its subject, imported when it runs."""

from __future__ import annotations

import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from gateway.cli import archive, audit, db, ledger, operators, portfolio, tenants, webhooks
from gateway.cli.ending import perform, perform_async
from gateway.cli.options import ApiKey, AsCsv, AsJson, Url
from gateway.cli.outcome import Code, say

HELP = """One GraphQL endpoint over many market-data providers.

Data goes to stdout, messages to stderr. Exit codes: 0 all of it, 2 usage, 3 a part, 4 nothing."""

app = typer.Typer(
    name="marketgate",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
provider_app = typer.Typer(help="Write and check provider adapters.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(provider_app, name="provider")
plugin_app = typer.Typer(help="Write and check plugins.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(plugin_app, name="plugin")
GROUPS = (
    ("db", db), ("tenants", tenants), ("operators", operators), ("audit", audit), ("webhooks", webhooks),
    ("portfolio", portfolio), ("ledger", ledger), ("archive", archive),
)  # fmt: skip
for name, group in GROUPS:
    app.add_typer(group.app, name=name)

Offline = Annotated[bool, typer.Option("--offline", help="Answer from the offline market, whatever the settings say.")]
Providers = Annotated[
    str | None, typer.Option("--providers", metavar="A,B", help="Ask only these providers, in this order.")
]


def run(args: Sequence[str]) -> int:
    """Run a command line; the exit code."""
    try:
        return int(get_command(app).main(list(args), prog_name="marketgate", standalone_mode=False) or Code.ALL)
    except TyperException as error:
        text = error.format_message()
        # Without arguments the message is the help, which has many lines.
        if "\n" in text:
            print(text, file=sys.stderr)
        else:
            say(f"{text.rstrip('.')} (see marketgate --help)")
        return Code.USAGE
    except typer.Abort:
        return Code.INTERRUPTED


def _show_version(wanted: bool) -> None:
    if wanted:
        from gateway import __version__

        print(f"marketgate {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The options before a command."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (MARKETGATE_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 picks one (MARKETGATE_PORT).")] = None,
) -> int:
    """Serve GraphQL, the page and, in development, the console."""

    def job() -> int:
        from gateway.cli import serve as serving

        return serving.run(host, port)

    return perform(job)


@app.command()
def worker() -> int:
    """Do what any process of a fleet may do, such as sending webhooks, without serving, until a signal ends it."""

    def job() -> int:
        from gateway.cli import worker as working

        return working.run()

    return perform(job)


@app.command()
def quote(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="For example BTC/USD EURUSD AAPL.")],
    convert_to: Annotated[str | None, typer.Option(metavar="CODE", help="Convert the prices to this currency.")] = None,
    providers: Providers = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
    offline: Offline = False,
) -> int:
    """Print last prices."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import link, output, quotes, reading

        return quotes.run(
            link.Where(url=url, api_key=api_key, offline=offline), symbols, convert_to=convert_to,
            form=output.form_of(as_json=as_json, as_csv=as_csv), providers=reading.read_list("--providers", providers),
        )  # fmt: skip

    return perform_async(job)


@app.command()
def watch(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="For example BTC/USD EURUSD AAPL.")],
    every_ms: Annotated[
        int, typer.Option(metavar="MS", min=0, max=60_000, help="At most one message in so many ms; 0: as they come.")
    ] = 1_000,
    count: Annotated[int | None, typer.Option(metavar="N", min=1, help="End after so many messages.")] = None,
    providers: Providers = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
    offline: Offline = False,
) -> int:
    """Print prices as they change, until it is interrupted."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import link, output, reading
        from gateway.cli import watch as watching

        return watching.run(
            link.Where(url=url, api_key=api_key, offline=offline), symbols, every_ms=every_ms, count=count,
            form=output.form_of(as_json=as_json, as_csv=as_csv), providers=reading.read_list("--providers", providers),
        )  # fmt: skip

    return perform_async(job)


@app.command()
def candles(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="For example BTC/USD.")],
    interval: Annotated[str, typer.Option("--interval", "-i", help="1m 5m 15m 1h 4h 1d 1w 1mo …")] = "1h",
    start: Annotated[
        str | None, typer.Option(metavar="WHEN", help="First open time: 2026-01-31, or an instant.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="WHEN", help="Open times before this; default now.")] = None,
    last: Annotated[int | None, typer.Option(metavar="N", help="The newest N candles; default 100.")] = None,
    adjustment: Annotated[str, typer.Option(help="none, splits or splits_and_dividends.")] = "splits",
    hours: Annotated[str, typer.Option(help="regular or extended.")] = "regular",
    providers: Providers = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
    offline: Offline = False,
) -> int:
    """Print a price series of any length; a long one is fetched in pages."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import candles as series
        from gateway.cli import link, output, reading
        from schema.words.candles import Adjustment
        from schema.words.venues import TradingHours

        wish = series.Wish(
            symbol=symbol, interval=reading.read_interval(interval), last=last,
            start=reading.read_instant("--start", start), end=reading.read_instant("--end", end),
            adjustment=reading.read_word("--adjustment", adjustment, Adjustment),
            hours=reading.read_word("--hours", hours, TradingHours),
            providers=reading.read_list("--providers", providers),
            form=output.form_of(as_json=as_json, as_csv=as_csv),
        )  # fmt: skip
        return series.run(link.Where(url=url, api_key=api_key, offline=offline), wish)

    return perform_async(job)


@app.command()
def consensus(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="For example BTC/USD.")],
    providers: Providers = None,
    quorum: Annotated[int, typer.Option(metavar="N", help="Fewest sources that must count.")] = 2,
    max_age_ms: Annotated[int | None, typer.Option(metavar="MS", help="Leave out sources older than this.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
    offline: Offline = False,
) -> int:
    """Ask several providers for the same price and name the outliers."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import consensus as agreement
        from gateway.cli import link, output, reading

        return agreement.run(
            link.Where(url=url, api_key=api_key, offline=offline), symbol, quorum=quorum, max_age_ms=max_age_ms,
            form=output.form_of(as_json=as_json, as_csv=as_csv), providers=reading.read_list("--providers", providers),
        )  # fmt: skip

    return perform_async(job)


@app.command()
def providers(
    status: Annotated[str | None, typer.Option(help="Only those in this condition, such as key_missing.")] = None,
    capability: Annotated[str | None, typer.Option(help="Only those that offer it, such as candles.")] = None,
    asset_class: Annotated[str | None, typer.Option(help="Only those of this class, such as equity.")] = None,
    matrix: Annotated[bool, typer.Option("--matrix", help="A column for each capability.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
    offline: Offline = False,
) -> int:
    """List the providers in order of routing, and what they need."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import link, output, reading
        from gateway.cli import providers as registry
        from schema.symbols import AssetClass
        from schema.words.registry import ProviderStatus

        return registry.run(
            link.Where(url=url, api_key=api_key, offline=offline), capability=capability, matrix=matrix,
            form=output.form_of(as_json=as_json, as_csv=as_csv),
            status=reading.read_word("--status", status, ProviderStatus) if status else None,
            asset_class=reading.read_word("--asset-class", asset_class, AssetClass) if asset_class else None,
        )  # fmt: skip

    return perform_async(job)


@app.command()
def schema(url: Url = None, api_key: ApiKey = None) -> int:
    """Print the GraphQL schema."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import link, sdl

        return sdl.run(link.Where(url=url, api_key=api_key))

    return perform_async(job)


@app.command()
def cost(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A GraphQL document; - reads it from stdin.")],
    variables: Annotated[
        str | None, typer.Option(metavar="JSON|FILE", help="Variables: '{\"first\": 20}', or a file that holds them.")
    ] = None,
    operation: Annotated[str | None, typer.Option(metavar="NAME", help="Only this operation.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Print what the operations of a document cost and need, without running them."""

    def job() -> int:
        from gateway.cli import cost as pricing
        from gateway.cli import output

        form = output.form_of(as_json=as_json, as_csv=as_csv)
        return pricing.run(file, variables=variables, operation=operation, form=form)

    return perform(job)


@app.command()
def doctor(
    online: Annotated[bool, typer.Option("--online", help="Ask every upstream one question (in live mode).")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Check settings, providers, keys and the port. Exit code 0: all well, 3: warnings, 4: it cannot serve."""

    def job() -> int:
        from gateway.cli import doctor as checkup
        from gateway.cli import output

        return checkup.run(form=output.form_of(as_json=as_json, as_csv=as_csv), online=online)

    return perform(job)


@provider_app.command("new")
def provider_new(
    provider: Annotated[str, typer.Argument(metavar="ID", help="Its id, which is also the file's name.")],
    family: Annotated[str, typer.Option(help="assistants, crypto, defi, equities, fx, macro, news, search or video.")],
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder of the providers.")] = Path("providers"),
) -> int:
    """Write an adapter and a recording that pass the check, to start from."""

    def job() -> int:
        from gateway.cli import scaffold

        return scaffold.run(provider, family, into)

    return perform(job)


@provider_app.command("check")
def provider_check(
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH|NAME", help="An adapter module, a folder of them, or a provider's id."),
    ],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Judge an adapter by its source, its recordings and the faults that every provider must survive."""

    def job() -> int:
        from gateway.cli import judge, output

        return judge.run(path, output.form_of(as_json=as_json, as_csv=as_csv))

    return perform(job)


@plugin_app.command("new")
def plugin_new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, which is also its module's.")],
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to make the package's folder.")] = Path(),
) -> int:
    """Write a package with a plugin that passes the check, to start from."""

    def job() -> int:
        from gateway.cli import package

        return package.run(name, into)

    return perform(job)


@plugin_app.command("check")
def plugin_check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its entry point in the group marketgate.plugins.")],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Judge an installed plugin: it loads, fits in, states prices and scopes, and its tables come and go."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import output
        from gateway.cli import plugins as inspection

        return inspection.run(name, output.form_of(as_json=as_json, as_csv=as_csv))

    return perform_async(job)
