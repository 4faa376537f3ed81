"""`marketgate archive`: what was written to files before it was removed, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.ending import perform, perform_async
from gateway.cli.options import AsCsv, AsJson
from gateway.cli.outcome import Code, Stop, say, usage

if TYPE_CHECKING:
    from gateway.core.archive.files import Kept
    from gateway.core.archive.port import Archived
    from gateway.core.contract import Host

app = typer.Typer(help="Old rows in files.", no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="As `marketgate archive list` prints them.")]


@app.command("list")
def list_command(
    check: Annotated[bool, typer.Option("--check", help="Read every row, as restoring does.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """List the files of MARKETGATE_ARCHIVE_DIR. Exit code 4: one cannot be restored."""
    return perform(lambda: _list(check=check, as_json=as_json, as_csv=as_csv))


@app.command("restore")
def restore_command(files: Files) -> int:
    """Put the rows of files back into their tables. Each file as a whole or not at all; what is there stays."""
    return perform_async(lambda: _restore(files))


def _list(*, check: bool, as_json: bool, as_csv: bool) -> Code:
    from gateway.cli.database import settings_for_database
    from gateway.cli.output import Column, Table, form_of, write
    from gateway.core.archive.files import BadArchive, found, opened, unproved

    folder = settings_for_database().archive_dir
    if folder is None:
        raise usage("MARKETGATE_ARCHIVE_DIR is not set: nothing is archived")
    if not folder.is_dir():
        raise Stop(f"MARKETGATE_ARCHIVE_DIR: there is no folder {folder}: nothing was archived yet, or it is elsewhere")
    verify = _reader() if check else None
    rows, data, broken = [], [], []
    for path in [*found(folder), *(unproved(folder) if check else ())]:
        try:
            each = opened(path)
            if verify is not None:
                verify(each)
        except BadArchive as error:
            broken.append(str(error))
            continue
        facts = each.manifest
        rows.append((facts.table, facts.count, facts.first, facts.last, str(path)))
        data.append({
            "table": facts.table, "rows": facts.count, "first": facts.first, "last": facts.last,
            "sha256": facts.sha256, "file": str(path),
        })  # fmt: skip
    names = (("table", "table"), ("rows", "rows"), ("first", "first"), ("last", "last"), ("file", "file"))
    form = form_of(as_json=as_json, as_csv=as_csv)
    write(form, {"archive": data}, Table([Column(*name) for name in names], rows))
    for line in broken:
        say(line)
    return Code.NOTHING if broken else Code.ALL


def _reader() -> Callable[[Kept], object]:
    """Reads a file's rows; BadArchive where they cannot be restored."""
    from gateway.core.archive.shelf import archived, read
    from gateway.domains import load_plugins

    known = archived(load_plugins())
    return lambda file: read(file, known)


async def _restore(paths: list[Path]) -> Code:
    from gateway.cli.local import local_host
    from gateway.core.archive.files import BadArchive, opened
    from gateway.core.archive.shelf import archived, read, restore
    from gateway.core.contract import NotRestored

    async with local_host() as host:
        known = archived(host.plugins)
        try:
            files = [opened(path) for path in paths]
            for file in files:
                # Before anything is changed: one bad file among many stops all.
                read(file, known)
            for file in files:
                added = await restore(host, file, known)
                print(f"{file.manifest.table}\t{added} of {file.manifest.count} rows were not there\t{file.path}")
                _warn(host, file, known[file.manifest.table])
        except (BadArchive, NotRestored) as error:
            raise Stop(str(error)) from None
    return Code.ALL


def _warn(host: Host, file: Kept, of: Archived) -> None:
    days: int | None = getattr(host.settings, of.days)
    if days is None:
        return
    if datetime.fromisoformat(file.manifest.first) < host.clock.now() - timedelta(days=days):
        name = f"MARKETGATE_{of.days.upper()}"
        say(f"warning: rows older than {name} ({days}) are removed within the hour again; to keep them, raise it first")
