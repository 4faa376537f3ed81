"""What Alembic finds different between tables in the code and in the database, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

MISSING, UNEXPECTED = "is missing", "is there and should not be"


def in_words(differences: Sequence[Any]) -> list[str]:
    """A sentence for each."""
    return [told for difference in differences for told in _told(difference)]


def _told(difference: Any) -> Iterator[str]:
    if isinstance(difference, list):  # changes of one column come together
        for each in difference:
            yield from _told(each)
        return
    kind, *what = difference
    verb, _, subject = kind.partition("_")
    if verb == "modify":
        _, table, column = what[:3]
        yield f"the column {table}.{column} has another {subject}: {what[-2]} instead of {what[-1]}"
    elif subject == "column":
        yield f"the column {what[1]}.{what[2].name} {MISSING if verb == 'add' else UNEXPECTED}"
    else:
        named = getattr(what[0], "name", None) or what[0]
        yield f"the {subject.replace('fk', 'foreign key')} {named} {MISSING if verb == 'add' else UNEXPECTED}"
