"""`marketgate tenants apply`: a file of tenants, read with the line of each entry, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.cli.link import Where
from gateway.cli.office import operate
from gateway.cli.outcome import Code, Stop, say, usage
from gateway.cli.output import Column, Form, Table, write

APPLY = """
mutation Apply($input: TenantsApplyInput!) {
  tenantsApply(input: $input) {
    applied untouched
    changes { externalId tenantId kind differences { field before after } notes }
    userErrors { field code message }
  }
}
"""
FIELDS = {
    "external_id": "externalId", "name": "name", "plan": "plan", "owner_email": "ownerEmail", "status": "status",
    "status_reason": "statusReason",
}  # fmt: skip
REQUIRED = ("external_id", "name", "plan")
STATUSES = ("active", "suspended")
WORDS = {"CREATED": "create", "CHANGED": "change", "UNCHANGED": "unchanged"}
COLUMNS = (
    Column("change", "change"), Column("externalId", "external id"), Column("tenantId", "id"),
    Column("differences", "differences", text=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One tenant of a file, and where it stands there."""

    place: str
    values: Mapping[str, Any]


async def run(where: Where, file: Path, *, dry_run: bool, form: Form) -> Code:
    """Read, send, show what was done."""
    entries = read(file)
    tenants = [dict(_sent(entry)) for entry in entries]
    async with operate(where) as link:
        answer = await link.ask(APPLY, {"input": {"tenants": tenants, "dryRun": dry_run}})
    payload = answer.root("tenantsApply", str(file))
    errors = payload["userErrors"]
    for error in errors:
        say(f"{file}: {_place(entries, error['field'])}: {error['message']}")
    if errors:
        raise _wrong(file, len(errors))
    _show(form, payload, dry_run=dry_run)
    return Code.ALL


def read(file: Path) -> list[Entry]:
    """The file's entries; Stop names every one that cannot be meant."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or type(error).__name__
        raise usage(f"{file}: cannot be read ({told})") from None
    entries = list(_json(file, text) if file.suffix.lower() == ".json" else _yaml(file, text))
    if not entries:
        raise usage(f"{file}: holds no tenant: write a list of external_id, name and plan")
    faults = [f"{file}: {entry.place}: {fault}" for entry in entries for fault in _faults(entry.values)]
    for fault in faults:
        say(fault)
    if faults:
        raise _wrong(file, len(faults))
    return entries


def _json(file: Path, text: str) -> Iterator[Entry]:
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise usage(f"{file}: is not JSON ({error})") from None
    if not isinstance(found, list):
        raise usage(f"{file}: must hold a list of tenants")
    for number, values in enumerate(found, 1):
        yield Entry(f"entry {number}", values if isinstance(values, dict) else {"": values})


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice!r} stands twice in one entry")
    return dict(pairs)


def _yaml(file: Path, text: str) -> Iterator[Entry]:
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            raise usage(f"{file}: must hold a list of tenants")
        for node in root.value:
            place = f"line {node.start_mark.line + 1}"
            if not isinstance(node, yaml.MappingNode):
                yield Entry(place, {"": node.value})
                continue
            pairs = [(str(key.value), loader.construct_object(value, deep=True)) for key, value in node.value]
            try:
                yield Entry(place, _once(pairs))
            except ValueError as error:
                raise usage(f"{file}: {place}: {error}") from None
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise usage(f"{file}: is not YAML ({told})") from None
    finally:
        loader.dispose()


def _faults(values: Mapping[str, Any]) -> Iterator[str]:
    if "" in values:
        yield "is no tenant: write external_id, name and plan"
        return
    for name in values:
        if name not in FIELDS:
            yield f"{name!r} is not known: write {', '.join(FIELDS)}"
    for name in REQUIRED:
        if values.get(name) is None:
            yield f"{name} is missing"
    for name in FIELDS:
        value = values.get(name)
        if value is not None and not isinstance(value, str):
            yield f"{name} must be a text: put {value} in quotes"
    status = values.get("status")
    if isinstance(status, str) and status.lower() not in STATUSES:
        yield f"status: {status!r} is not known: write {' or '.join(STATUSES)}"


def _sent(entry: Entry) -> Iterator[tuple[str, str]]:
    for name, field in FIELDS.items():
        value = entry.values.get(name)
        if value is not None:
            yield field, value.upper() if name == "status" else value


def _place(entries: Sequence[Entry], path: Sequence[str]) -> str:
    """`input.tenants.3.plan` is a field of the fourth entry."""
    back = {field: name for name, field in FIELDS.items()}
    _, _, index, *field = path
    return ": ".join([entries[int(index)].place, *(back.get(name, name) for name in field)])


def _show(form: Form, payload: Mapping[str, Any], *, dry_run: bool) -> None:
    rows = [
        (
            WORDS[each["kind"]], each["externalId"], each["tenantId"],
            "; ".join([*map(_difference, each["differences"]), *each["notes"]]),
        )
        for each in payload["changes"]
    ]  # fmt: skip
    write(form, {"tenantsApply": payload}, Table(COLUMNS, rows))
    counts = {word: sum(row[0] == word for row in rows) for word in WORDS.values()}
    say(
        f"{'to be created' if dry_run else 'created'}: {counts['create']}, "
        f"{'to be changed' if dry_run else 'changed'}: {counts['change']}, "
        f"as the file says: {counts['unchanged']}, not in the file and untouched: {payload['untouched']}"
    )


def _difference(each: Mapping[str, Any]) -> str:
    if each["before"] is None:
        return f"{each['field']}={each['after']}"
    return f"{each['field']}: {each['before']} -> {each['after']}"


def _wrong(file: Path, faults: int) -> Stop:
    return usage(f"{file}: {faults} {'fault' if faults == 1 else 'faults'}; nothing was changed")
