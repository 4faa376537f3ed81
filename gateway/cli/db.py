"""`marketgate db`: the tables of this release in the database that the settings name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.ending import perform_async
from gateway.cli.outcome import Code, usage

if TYPE_CHECKING:
    from gateway.core.migrations.histories import History
    from gateway.core.migrations.runner import Step

app = typer.Typer(help="The database's tables.", no_args_is_help=True, rich_markup_mode=None)


@app.command("upgrade")
def upgrade_command() -> int:
    """Bring the database to the tables of this release. All of it happens, or nothing."""
    return perform_async(_upgrade)


@app.command("downgrade")
def downgrade_command(
    plugin: Annotated[str, typer.Argument(metavar="PLUGIN", help="Whose tables.")],
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="Such as 0001; `base` removes its tables.")],
    yes: Annotated[bool, typer.Option("--yes", help="Rows of what goes may be lost.")] = False,
) -> int:
    """Bring one plugin's tables back to an earlier revision; rows of what goes are lost."""
    return perform_async(lambda: _downgrade(plugin, revision, yes=yes))


@app.command("check")
def check_command() -> int:
    """Compare the database with this release. Exit code 0: it fits, 3: it differs, 4: this release cannot serve."""
    return perform_async(_check)


async def _upgrade() -> Code:
    from gateway.cli.database import database, settings_for_database
    from gateway.core.migrations.runner import upgrade

    async with database(settings_for_database()) as store:
        _tell(await upgrade(store, _histories()))
    return Code.ALL


async def _downgrade(plugin: str, revision: str, *, yes: bool) -> Code:
    from gateway.cli.database import database, settings_for_database
    from gateway.core.migrations.runner import UnknownRevision, downgrade

    known = {history.plugin: history for history in _histories()}
    if plugin not in known:
        raise usage(f"{plugin!r} is no plugin with tables: write one of {', '.join(sorted(known))}")
    if not yes:
        raise usage(f"this drops tables or columns of {plugin} with all their rows: give --yes if you mean it")
    async with database(settings_for_database()) as store:
        try:
            _tell([await downgrade(store, known[plugin], revision)])
        except UnknownRevision as error:
            raise usage(f"{error}; nothing was changed") from None
    return Code.ALL


async def _check() -> Code:
    from gateway.cli.database import database, settings_for_database
    from gateway.core.migrations.runner import check
    from gateway.core.migrations.standing import standings

    histories = _histories()
    async with database(settings_for_database()) as store:
        lacking = [standing.lacking for standing in await standings(store, histories) if standing.lacking]
        found = lacking or await check(store, histories)
    for line in found:
        print(line)
    if lacking:
        return Code.NOTHING
    if found:
        return Code.PARTIAL
    print(f"the database fits this release: {', '.join(history.plugin for history in histories)}")
    return Code.ALL


def _histories() -> list[History]:
    from gateway.domains import histories, load_plugins

    return histories(load_plugins())


def _tell(steps: Sequence[Step]) -> None:
    for step in steps:
        before, after = step.before or "nothing", step.after or "nothing"
        print(f"{step.plugin}\t{f'{before} -> {after}' if before != after else f'is at {after}'}")
