"""Reads the file, asks for the figures and writes the page."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.cli.link import Where
from gateway.cli.outcome import Code, Stop, say, usage
from gateway.cli.report.findings import Findings, findings_of
from gateway.cli.report.page import page_of
from gateway.cli.report.panel import header_of, panel_of, read_panel, text_of
from gateway.cli.report.subject import subject_of
from gateway.cli.report.wish import Wish
from gateway.core.clock import SystemClock
from schema.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is read, and where what it lacks is asked for."""

    file: Path
    returns: bool = False
    prices: Path | None = None
    where: Where = field(default_factory=Where)


async def run(source: Source, out: Path | None, wish: Wish, *, force: bool) -> Code:
    """Write the report; the path of the page is what is printed."""
    wish.check()
    if not source.file.name:
        raise usage(f"{source.file} is a folder: name the file to report on")
    target = out or source.file.with_suffix(".html")
    check_target(source.file, target, force=force)
    text = text_of(source.file)
    try:
        findings = await _found(source, text, wish)
    except BadInput as error:
        raise Stop(f"{source.file.name}: {error.message}", Code.USAGE) from None
    save(page_of(findings), target, force=force)
    print(target)
    if findings.warnings:
        more = len(findings.warnings) - 1
        say(f"warning: {findings.warnings[0]}" + (f" ({more} more in the report)" if more else ""))
    return Code.ALL


async def _found(source: Source, text: str, wish: Wish) -> Findings:
    name = source.file.name
    header = {cell.lower() for cell in header_of(text, name)}
    if header & {"kind", "type"}:
        return await _of_transactions(source, text, wish)
    if source.prices is not None:
        raise usage(f"--prices: {name} holds series, which need no other prices: leave it out")
    panel = panel_of(text, name, returns=source.returns)
    return findings_of(panel, subject_of(panel, wish), wish, "simple returns" if source.returns else "prices")


async def _of_transactions(source: Source, text: str, wish: Wish) -> Findings:
    from gateway.cli.report.market import closes_of
    from gateway.cli.report.tape import tape_of
    from gateway.cli.report.traded import held_span, traded

    if source.returns or wish.weights or wish.rebalance != "never":
        raise usage(f"--returns, --weights, --rebalance: {source.file.name} holds transactions, which say it all")
    tape = tape_of(text, source.file.name)
    if source.prices is not None:
        panel, kind = read_panel(source.prices), f"transactions; closes of {source.prices.name}"
    else:
        wanted = dict.fromkeys([*tape.symbols, *([wish.benchmark] if wish.benchmark else [])])
        asked = await closes_of(source.where, list(wanted), tape.first, tape.currency, SystemClock())
        panel, tape, kind = asked.panel, replace(tape, currency=asked.currency), f"transactions; {asked.origin}"
    panel = held_span(tape, panel)
    return findings_of(panel, traded(tape, panel, wish), wish, kind)


def check_target(file: Path, target: Path, *, force: bool) -> None:
    """Stop before any work where the page could not be written in the end."""
    if target.exists() and file.exists() and target.samefile(file):
        raise usage(f"--out: {target} is the file to report on: name another")
    if target.exists() and not force:
        raise usage(f"{target} is there already: --force overwrites it, --out names another")


def save(page: str, target: Path, *, force: bool) -> None:
    """Write the page; what is there already goes only by force."""
    try:
        with target.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(page)
    except OSError as error:
        raise usage(f"{target} cannot be written ({error.strerror or type(error).__name__})") from None
