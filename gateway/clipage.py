"""The page of the command line: every command, its arguments and options, from the declarations themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from gateway.cli.app import app
from gateway.cli.outcome import Code
from gateway.reference import table

NAME = "marketgate"
HEAD = (
    "`marketgate` is in `.venv/bin` after `make setup`. Data goes to stdout, messages to stderr. Commands that answer "
    "questions do so here, from the providers; with `--url` they ask a gateway that runs elsewhere, with `--offline` "
    "the offline market. `marketgate COMMAND --help` says the same as this page."
)
CODES = {
    Code.ALL: "All of what was asked.",
    Code.FAULT: "A fault of the program, or a check that found something where the command says so.",
    Code.USAGE: "The command line cannot be meant; nothing was done.",
    Code.PARTIAL: "A part of it: some symbols failed, or a check has warnings.",
    Code.NOTHING: "Nothing of it.",
    Code.INTERRUPTED: "Interrupted from the keyboard.",
}


def cli_page(page: Callable[..., str]) -> str:
    """The text; *page* puts paragraphs under a title."""
    rows = [(str(int(code)), meaning) for code, meaning in CODES.items()]
    return page("Command line", HEAD, "## Exit codes", table(("code", "meaning"), rows), *_commands(get_command(app)))


def _commands(group: Any) -> Iterator[str]:
    yield from _told(group, NAME)
    for path, command in _walked(group, NAME):
        yield f"## {path}"
        yield " ".join((command.help or "").split())
        if not isinstance(command, TyperGroup):
            yield from _told(command, path)


def _walked(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        below = f"{path} {name}"
        yield below, command
        if isinstance(command, TyperGroup):
            yield from _walked(command, below)


def _told(command: Any, path: str) -> Iterator[str]:
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    options = [each for each in command.params if each not in arguments and not each.hidden]
    if arguments:
        words = (word if each.required else f"[{word}]" for each in arguments for word in [_metavar(each)])
        yield f"`{path} {' '.join(words)}`"
        yield table(("argument", "meaning"), ((f"`{_metavar(each)}`", _meaning(each)) for each in arguments))
    yield table(("option", "value", "default", "meaning"), map(_option, options))


def _option(option: Any) -> tuple[str, str, str, str]:
    value = "" if option.is_flag else f"`{_metavar(option)}`"
    default = "" if option.is_flag or option.default is None or option.required else f"`{option.default}`"
    return ", ".join(f"`{name}`" for name in option.opts), value, default, _meaning(option)


def _meaning(parameter: Any) -> str:
    told = " ".join((parameter.help or "").split())
    most = f"{parameter.min} to {parameter.max}" if parameter.max is not None else f"at least {parameter.min}"
    bounds = f"{most[0].upper()}{most[1:]}." if parameter.min is not None else ""
    needed = "Needed." if parameter.required and not isinstance(parameter, TyperArgument) else ""
    named = f"Also from `{parameter.envvar}`." if parameter.envvar else ""
    return " ".join(filter(None, (told, bounds, needed, named)))


def _metavar(parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    kind = getattr(parameter.type_descriptor, "annotation", str)
    return str(parameter.name).upper() if isinstance(parameter, TyperArgument) else "N" if kind is int else "TEXT"
