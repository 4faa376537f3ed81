"""Operations as `/metrics` counts them: by plan, and by the root fields that they ask for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode
from graphql.language import FragmentDefinitionNode

from gateway.core.courses import BOUNDS, Course, Courses
from gateway.core.identity import Principal
from gateway.edge.documents import Document
from gateway.edge.operation import OperationResult, PreparedOperation

OPERATIONS = Courses("marketgate_operations", "Operations of a plan's callers", "plan")
FIELDS = Courses("marketgate_field_operations", "Operations that ask for a root field", "field")

OPENED = "opened"
FAILED = frozenset({"INTERNAL", "DATABASE_UNAVAILABLE", "COMPUTING_FAILED", "LIMITS_UNAVAILABLE"})
"""Codes of faults of the gateway, or of what it stands on."""
OVERLOADED = frozenset({"OVERLOADED"})
LATE = frozenset({"DEADLINE_EXCEEDED"})
NO_DATA = frozenset({
    "UPSTREAM_UNAVAILABLE", "UPSTREAM_THROTTLED", "UPSTREAM_QUOTA", "UPSTREAM_MALFORMED", "PROVIDER_MISCONFIGURED",
    "PROVIDER_KEY_MISSING", "DATA_STALE", "QUORUM_NOT_MET",
})  # fmt: skip
"""Codes of data that no provider gave, and that there might have been."""
LIMITED = frozenset({"RATE_LIMITED", "QUOTA_EXCEEDED"})
DENIED = frozenset({
    "UNAUTHENTICATED", "FORBIDDEN", "CREDENTIAL_NOT_ALLOWED", "CSRF_FAILED", "TENANT_SUSPENDED",
})  # fmt: skip
FAMILIES = {
    code: family
    for family, codes in (
        ("failed", FAILED), ("overloaded", OVERLOADED), ("late", LATE), ("no_data", NO_DATA), ("limited", LIMITED),
        ("denied", DENIED),
    )
    for code in codes
}  # fmt: skip
TURNED_AWAY = frozenset({"limited", "denied", "overloaded"})
"""Families of what was not executed: how quickly it was refused says nothing of how quickly operations are answered."""
ASKED_WRONG = "wrong"
"""All other codes: what was asked cannot be answered, by anybody."""
Roots = tuple[tuple[str, Course], ...]


def family_of(code: object) -> str:
    """What an error's code counts as."""
    return FAMILIES.get(str(code), ASKED_WRONG)


def note_end(prepared: PreparedOperation, principal: Principal, result: OperationResult, seconds: float) -> None:
    """An operation has ended."""
    errors = result.errors
    if not errors:
        kept, bucket = result.entry is not None and result.data is None, bisect_left(BOUNDS, seconds)
        for course in courses_of(prepared, principal):
            if kept:
                course.kept += 1
            else:
                course.answer(bucket, seconds)
        return
    whole = family_of(errors[0]["extensions"]["code"])
    _end(OPERATIONS.of(principal.limits.plan), whole, seconds)
    by_key = {str(each["path"][0]): family_of(each["extensions"]["code"]) for each in errors if each.get("path")}
    for key, course in _roots(prepared):
        family = by_key.get(key) if by_key else whole
        if family is None:
            course.answer(bisect_left(BOUNDS, seconds), seconds)
        else:
            _end(course, family, seconds)


def _end(course: Course, family: str, seconds: float) -> None:
    if family in TURNED_AWAY:
        course.note(family)
    else:
        course.end(family, seconds)


def note_opened(prepared: PreparedOperation, principal: Principal, refused: OperationResult | None) -> None:
    """A stream has begun, or was refused."""
    errors = refused.errors if refused is not None else None
    outcome = family_of(errors[0]["extensions"]["code"]) if errors else OPENED
    OPERATIONS.of(principal.limits.plan).note(outcome)
    for _, course in _roots(prepared):
        course.note(outcome)


def courses_of(prepared: PreparedOperation, principal: Principal) -> tuple[Course, ...]:
    """Where an operation of a caller is counted; found once for each operation of a document and each plan."""
    notes, plan = prepared.document.notes, principal.limits.plan
    key = (id(prepared.operation), plan)
    found: tuple[Course, ...] | None = notes.get(key)
    if found is None:
        found = notes[key] = OPERATIONS.of(plan), *(course for _, course in _roots(prepared))
    return found


def _roots(prepared: PreparedOperation) -> Roots:
    """The root fields by their key in the answer; found once for each operation of a document."""
    notes, key = prepared.document.notes, (note_end, id(prepared.operation))
    found: Roots | None = notes.get(key)
    if found is None:
        named = dict(_named(prepared.document, prepared.operation.selection_set))
        found = notes[key] = tuple((key, FIELDS.of(name)) for key, name in named.items())
    return found


def _named(document: Document, selections: SelectionSetNode) -> Iterator[tuple[str, str]]:
    """Keys and names of fields. A valid document's names are the schema's, and its fragments have no circles."""
    for each in selections.selections:
        if isinstance(each, FieldNode):
            yield (each.alias or each.name).value, each.name.value
        elif isinstance(each, InlineFragmentNode):
            yield from _named(document, each.selection_set)
        elif isinstance(each, FragmentSpreadNode):
            for definition in document.tree.definitions:
                if isinstance(definition, FragmentDefinitionNode) and definition.name.value == each.name.value:
                    yield from _named(document, definition.selection_set)
