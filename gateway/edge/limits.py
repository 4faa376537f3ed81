"""What one document may ask for: its sizes are taken before validation, whose cost grows faster than they do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from string import ascii_letters
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from gateway.edge.errors import Refused

STATIC = Path(__file__).parent / "static"

# Every alternative ends, also on an unterminated string, so a scan is linear in the source.
_TOKEN = re.compile(
    r'"""(?:\\"""|[\s\S])*?(?:"""|\Z)|"(?:\\.|[^"\\\r\n])*"?|#[^\r\n]*|\.\.\.|[_A-Za-z][_0-9A-Za-z]*|[-+.0-9]+|[^\s,\ufeff]'
)

LONGEST_NUMBER = 100
_LETTERS = frozenset(ascii_letters + "_")
_NO_FIELD_AFTER = frozenset([":", "@", "...", "on"])


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """Everything the edge can be told; the defaults are those of production."""

    development: bool = False
    introspection: bool = False
    console: bool = False
    mode: str = "live"
    cors_origins: tuple[str, ...] = ()
    public_origin: str = ""
    """The origin that browsers know the gateway by, where a proxy shows it under another name."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    metrics_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    trace_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hits_per_log_line: int = 1_000
    """Of answers from kept bytes one in so many has a line in the access log; 0 none."""
    plain_per_minute: int = 60
    """Requests to each plain route of a plugin, by address and process."""
    static: Path = STATIC
    max_body_bytes: int = 1024 * 1024
    max_query_string_bytes: int = 16 * 1024
    body_timeout_s: float = 15.0
    operation_timeout_s: float = 30.0
    max_batch: int = 10
    max_batch_tokens: int = 8_000
    max_document_bytes: int = 100_000
    max_operations: int = 50
    max_fragments: int = 200
    max_fragment_pairs: int = 20_000
    """Fragments times spreads."""
    max_variables: int = 10_000
    max_variable_depth: int = 20
    max_tokens: int = 8_000
    max_argument_tokens: int = 2_000
    """Within one pair of parentheses: a value that does not fit is looked at anew for every fault in it."""
    max_depth: int = 20
    max_aliases: int = 500
    max_root_fields: int = 250
    max_selections: int = 10_000
    max_duplicates: int = 20_000
    max_directives: int = 250
    max_documents: int = 1_000
    trusted: Mapping[str, str] = field(default_factory=dict)
    """Trusted documents by their SHA-256."""
    trusted_only: bool = False
    socket_init_s: float = 10.0
    socket_ping_s: float = 25.0
    socket_send_s: float = 20.0
    max_socket_operations: int = 100


def check_source(source: str, settings: EdgeSettings) -> None:
    """Count what costs in parsing and validation by one scan, some ten times cheaper than parsing."""
    scan = _Scan()
    for number, match in enumerate(_TOKEN.finditer(source[: settings.max_document_bytes]), 1):
        sign = match.group()
        if number > settings.max_tokens:
            raise _exceeded("tokens", settings.max_tokens, f"The document has more than {settings.max_tokens} tokens.")
        if len(sign) > LONGEST_NUMBER and sign[0] in "-+.0123456789":
            raise _exceeded("number", LONGEST_NUMBER, f"A number has more than {LONGEST_NUMBER} digits.")
        if scan.parentheses:
            scan.take_argument(sign)
        elif sign[0] != "#":
            scan.take(sign)
            if len(scan.levels) > settings.max_depth:
                raise _too_deep(settings)
    check_length(source, settings)
    scan.check(settings)


@dataclass(slots=True)
class _Scan:
    """Counts that hold before fragments are expanded: whatever is too much here is too much afterwards."""

    before: str = ""
    parentheses: int = 0
    arguments: int = 0
    """Tokens since the outermost parenthesis that is open, and the most of any."""
    most_arguments: int = 0
    aliases: int = 0
    directives: int = 0
    most_equal: int = 0
    levels: list[dict[str, int]] = field(default_factory=list)
    """How often each name stands in every selection that is open."""

    def take_argument(self, sign: str) -> None:
        """A token in parentheses: braces are input objects, colons follow the names of arguments."""
        self.arguments += 1
        if sign == "(":
            self.parentheses += 1
        elif sign == ")":
            self.parentheses -= 1
            self.most_arguments = max(self.most_arguments, self.arguments)
        elif sign == "@":
            self.directives += 1

    def take(self, sign: str) -> None:
        """A token among selections. What follows a colon, a spread or an at sign is no field's key."""
        if sign == "(":
            self.parentheses, self.arguments = 1, 0
        elif sign == "{":
            self.levels.append({})
        elif sign == "}":
            del self.levels[-1:]
        elif sign == ":":
            self.aliases += 1
        elif sign == "@":
            self.directives += 1
        elif self.levels and self.before not in _NO_FIELD_AFTER and sign[0] in _LETTERS:
            names = self.levels[-1]
            names[sign] = count = names.get(sign, 0) + 1
            if count > self.most_equal:
                self.most_equal = count
        self.before = sign

    def check(self, settings: EdgeSettings) -> None:
        """Refuse what need not be parsed to be refused."""
        most = settings.max_argument_tokens
        if max(self.arguments, self.most_arguments) > most:
            message = f"One list of arguments has more than {most} tokens: send large values as variables."
            raise _exceeded("argumentTokens", most, message)
        if self.aliases > settings.max_aliases:
            raise _too_many_aliases(settings)
        if self.directives > settings.max_directives:
            raise _too_many_directives(settings)
        if _pairs_of(self.most_equal) > settings.max_duplicates:
            raise _too_many_duplicates(settings)


def check_length(source: str, settings: EdgeSettings) -> None:
    """Padding counts too: commas, comments and white space are hashed and scanned as anything else is."""
    most = settings.max_document_bytes
    if len(source) > most or len(source.encode(errors="replace")) > most:
        raise _exceeded("bytes", most, f"The document is larger than {most} bytes.")


def check_batch(payload: Sequence[object], settings: EdgeSettings) -> None:
    """The documents of a batch are read one after the other while everybody waits: together they have one bound."""
    sources = {each["query"] for each in payload if isinstance(each, dict) and isinstance(each.get("query"), str)}
    most, count = settings.max_batch_tokens, 0
    for source in sources:
        check_length(source, settings)
        for _ in _TOKEN.finditer(source):
            count += 1
            if count > most:
                raise _exceeded("batchTokens", most, f"The documents of the batch have more than {most} tokens.")


def check_variables(variables: Mapping[str, Any] | None, settings: EdgeSettings) -> None:
    """Count values and nesting before anything walks through them; stops at the first that is too many."""
    pending: list[tuple[Any, int]] = [(variables or {}, 1)]
    count = 0
    while pending:
        value, depth = pending.pop()
        if not value or not isinstance(value, dict | list):
            continue
        if depth > settings.max_variable_depth:
            most = settings.max_variable_depth
            raise _exceeded("variableDepth", most, f"The variables are nested deeper than {most} levels.")
        count += len(value)
        if count > settings.max_variables:
            most = settings.max_variables
            raise _exceeded("variables", most, f"The variables hold more than {most} values.")
        pending.extend((each, depth + 1) for each in (value.values() if isinstance(value, dict) else value))


def check_document(document: DocumentNode, settings: EdgeSettings) -> None:
    """Weigh every operation, and every fragment that no operation reaches."""
    check_definitions(document, settings)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    scale = _Scale(settings, fragments)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            scale.weigh(definition.selection_set)
    for name, fragment in fragments.items():
        if name not in scale.reached:
            scale.weigh(fragment.selection_set)


def check_definitions(document: DocumentNode, settings: EdgeSettings) -> None:
    """Count operations and fragments."""
    operations = sum(isinstance(each, OperationDefinitionNode) for each in document.definitions)
    if operations > settings.max_operations:
        most = settings.max_operations
        raise _exceeded("operations", most, f"The document has more than {most} operations.")
    if len(document.definitions) - operations > settings.max_fragments:
        most = settings.max_fragments
        raise _exceeded("fragments", most, f"The document has more than {most} fragments.")
    # Validation compares fragments pairwise, each pair with all that they spread.
    spreads = document.loc.source.body.count("...") if document.loc else 0
    if (len(document.definitions) - operations) * spreads > settings.max_fragment_pairs:
        message = "The document's fragments spread each other too often: use fewer fragments, or fewer spreads."
        raise _exceeded("fragmentSpreads", settings.max_fragment_pairs, message)


_Selected = tuple[SelectionSetNode, frozenset[str]]


@dataclass(slots=True)
class _Scale:
    """Walks selections as an executor would merge them and stops at the first limit."""

    settings: EdgeSettings
    fragments: dict[str, FragmentDefinitionNode]
    reached: set[str] = field(default_factory=set)
    selections: int = 0
    aliases: int = 0
    directives: int = 0
    pairs: int = 0

    def weigh(self, root: SelectionSetNode) -> None:
        pending: list[tuple[list[_Selected], int]] = [([(root, frozenset())], 1)]
        while pending:
            sets, depth = pending.pop()
            if depth > self.settings.max_depth:
                raise _too_deep(self.settings)
            counts, children = self._merge(sets)
            if depth == 1 and len(counts) > self.settings.max_root_fields:
                most = self.settings.max_root_fields
                raise _exceeded("rootFields", most, f"The operation has more than {most} root fields.")
            self._count_pairs(counts)
            pending.extend((child, depth + 1) for child in children.values())

    def _merge(self, sets: list[_Selected]) -> tuple[dict[str, int], dict[str, list[_Selected]]]:
        """Collect one level of the answer: how often each key is selected, and what is below it."""
        counts: dict[str, int] = {}
        children: dict[str, list[_Selected]] = {}
        seen: set[str] = set()
        queue = list(sets)
        while queue:
            selection_set, within = queue.pop()
            for selection in selection_set.selections:
                self._count(selection)
                if isinstance(selection, FieldNode):
                    key = (selection.alias or selection.name).value
                    counts[key] = counts.get(key, 0) + 1
                    if selection.selection_set:
                        children.setdefault(key, []).append((selection.selection_set, within))
                elif isinstance(selection, InlineFragmentNode):
                    queue.append((selection.selection_set, within))
                elif isinstance(selection, FragmentSpreadNode):
                    self._spread(selection.name.value, within, seen, queue)
        return counts, children

    def _spread(self, name: str, within: frozenset[str], seen: set[str], queue: list[_Selected]) -> None:
        if name in within:
            message = f"Cannot spread fragment '{name}' within itself."
            raise Refused("GRAPHQL_VALIDATION_FAILED", message, well_formed=True)
        fragment = self.fragments.get(name)
        if fragment is not None and name not in seen:
            seen.add(name)
            self.reached.add(name)
            queue.append((fragment.selection_set, within | {name}))

    def _count(self, selection: SelectionNode) -> None:
        most = self.settings
        self.selections += 1
        self.directives += len(selection.directives or ())
        if isinstance(selection, FieldNode) and selection.alias:
            self.aliases += 1
        if self.selections > most.max_selections:
            message = f"The document selects more than {most.max_selections} fields once its fragments are expanded."
            raise _exceeded("selections", most.max_selections, message)
        if self.aliases > most.max_aliases:
            raise _too_many_aliases(most)
        if self.directives > most.max_directives:
            raise _too_many_directives(most)

    def _count_pairs(self, counts: dict[str, int]) -> None:
        """Fields of one key are compared pairwise in validation, so their number counts squared."""
        self.pairs += sum(map(_pairs_of, counts.values()))
        if self.pairs > self.settings.max_duplicates:
            raise _too_many_duplicates(self.settings)


def _pairs_of(count: int) -> int:
    return count * (count - 1) // 2


def _too_deep(settings: EdgeSettings) -> Refused:
    return _exceeded("depth", settings.max_depth, f"The document is nested deeper than {settings.max_depth} levels.")


def _too_many_aliases(settings: EdgeSettings) -> Refused:
    most = settings.max_aliases
    return _exceeded("aliases", most, f"The document has more than {most} aliases.")


def _too_many_directives(settings: EdgeSettings) -> Refused:
    most = settings.max_directives
    return _exceeded("directives", most, f"The document has more than {most} directives.")


def _too_many_duplicates(settings: EdgeSettings) -> Refused:
    message = "The document selects the same fields too many times; select each once, or use aliases."
    return _exceeded("duplicates", settings.max_duplicates, message)


def _exceeded(limit: str, most: int, message: str) -> Refused:
    return Refused("LIMIT_EXCEEDED", message, well_formed=True, details={"limit": limit, "max": most})
