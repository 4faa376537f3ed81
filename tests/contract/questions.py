"""One root field asked with many ids: as few operations as may be, every answer looked at by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import GraphQLField
from sqlalchemy import event

from gateway.core.store import Store
from tests.contract.tenancy import at_once, document_of, takes_an_object
from tests.contract.tenants import tables

Ask = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
Make = Callable[[Sequence[str]], tuple[str, dict[str, Any]]]
Rows = Mapping[str, Sequence[tuple[object, ...]]]
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one question was answered."""

    id: str
    data: Any
    errors: list[dict[str, Any]]

    @property
    def codes(self) -> set[str]:
        """Of its errors, expected refusals among them; nothing where there is none."""
        refused = self.data.get("userErrors") if isinstance(self.data, dict) else None
        return {each["extensions"]["code"] for each in self.errors} | {each["code"] for each in refused or ()}

    @property
    def barred(self) -> bool:
        """Whether the caller may not ask the field at all, whatever the ids: then nothing has been looked at."""
        return bool(self.errors) and refused_before({"errors": self.errors})

    def tells(self, *marks: str) -> bool:
        """Whether it holds the id in its data, where that was asked for, or a mark anywhere else."""
        told = json.dumps([self.data, self.errors], default=str).replace(self.id, "")
        return f'"{self.id}"' in json.dumps(self.data, default=str) or any(mark in told for mark in marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The ids of everything that a tenant has, and which of them a field has to be asked with."""

    tenant: str
    rows: Rows
    all: Sequence[str]

    @property
    def unknown(self) -> str:
        """An id like those of the rows that were filled in, which nothing has."""
        return f"{self.tenant}-nothing-id"

    def within(self, looked: set[str]) -> list[str]:
        """Those that rows of the tables have, and each that is not like `unknown`: a field may go by the form."""
        alike = f"{self.tenant}-"
        there = {str(value) for name in looked for row in self.rows[name] for value in row}
        return [id for id in self.all if id in there or not id.startswith(alike)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a field answered to all questions, and the tables that it looked in for the id of the first."""

    answers: list[Answer]
    looked: set[str]

    @property
    def codes(self) -> set[str]:
        """Of all answers."""
        return set().union(*(each.codes for each in self.answers))


async def told_by(store: Store, ask: Ask, root: str, name: str, field: GraphQLField, ids: Ids) -> Told:
    """Asked once with each id that the field could tell from one that nothing has.

    Asked with that one it shows which tables it looks in. An id that is in none of them, and whose form is the same,
    would be looked for there too, and not be found. A field that looks nowhere is asked with all.
    """
    if not takes_an_object(field):
        return Told(answers=await asked(partial(document_of, root, name, field), ask, [ids.tenant], 1), looked=set())
    first: list[Answer] = []
    for lean in (False, True):
        # What stands in an input beside the id may be refused before the id is looked at.
        make = partial(document_of, root, name, field, lean=lean)
        with looking(store, ids.unknown) as looked:
            # Reading a document takes longer than answering it; of what nothing has, nothing more would be told.
            first += await asked(partial(make, bare=True), ask, [ids.unknown], 1)
        if first[-1].barred:
            return Told(answers=first, looked=looked)
        if looked:
            break
    wanted = ids.within(looked) if looked else ids.all
    return Told(answers=first + await asked(make, ask, wanted, at_once(field)), looked=looked)


async def asked(make: Make, ask: Ask, ids: Sequence[str], most: int) -> list[Answer]:
    """One answer for each id, so many at once. Where one has undone those beside it, each is asked by itself."""
    found: list[Answer] = []
    for start in range(0, len(ids), most):
        some = ids[start : start + most]
        body = await ask(*make(some))
        if len(some) == 1 or body.get("data") or refused_before(body):
            found += _parted(body, some)
        else:
            found += await asked(make, ask, some, 1)
    return found


def refused_before(body: dict[str, Any]) -> bool:
    """Whether the caller may not ask the field at all, whatever the ids: then nothing has been looked at."""
    return all("path" not in each and each["extensions"]["code"] == "FORBIDDEN" for each in body["errors"])


def _parted(body: dict[str, Any], ids: Sequence[str]) -> Iterator[Answer]:
    data, errors = body.get("data") or {}, body.get("errors") or []
    for number, id in enumerate(ids):
        key = f"r{number}"
        mine = [each for each in errors if each.get("path", [key])[0] == key]
        yield Answer(id=id, data=data.get(key), errors=mine)


@contextmanager
def looking(store: Store, id: str) -> Iterator[set[str]]:
    """The tables of all statements that the id is given to."""
    found, names = set[str](), {table.name for table in tables()}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if id in repr(parameters):
            found.update(names.intersection(WORD.findall(statement)))

    engine = store.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
