"""Documents, read once: parsed, weighed and validated, then kept by the hash of their text."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.edge.errors import Refused, refuse, words_of
from gateway.edge.limits import EdgeSettings, check_definitions, check_document, check_source

MAX_VALIDATION_ERRORS = 25
MAX_COMMENTS = 1_000
MOST_REFUSED_CHARACTERS = 1_000_000
"""Of the faults of wrong documents that are remembered; one document may have many, or long ones."""
FAULT = 500
"""What a fault takes beside its message."""
# The store is bounded in text as well as in number: a tree takes some fifty times its source.
MAX_STORED_CHARACTERS = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A valid document and the operations in it."""

    hash: str
    length: int
    tree: DocumentNode
    operations: tuple[OperationDefinitionNode, ...]
    notes: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)
    """What others worked out from it once: kept, bounded and dropped with it."""

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation that the request means; an empty name is no name, as the specification has it."""
        return select(self.operations, name or None)


class DocumentStore:
    """The last documents used, by SHA-256: repeated ones skip all reading, persisted ones are asked by hash."""

    def __init__(self, most: int, most_characters: int = MAX_STORED_CHARACTERS) -> None:
        self._most, self._most_characters = most, most_characters
        self._characters = 0
        self._kept: OrderedDict[str, Document] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, digest: str) -> Document | None:
        document = self._kept.get(digest)
        if document is not None:
            self._kept.move_to_end(digest)
        return document

    def put(self, document: Document) -> None:
        if document.hash in self._kept:
            return
        self._kept[document.hash] = document
        self._characters += document.length
        while len(self._kept) > self._most or self._characters > self._most_characters:
            _, dropped = self._kept.popitem(last=False)
            self._characters -= dropped.length


class DocumentReader:
    """Turns the text of a document into a valid tree, or says what is wrong with it."""

    def __init__(self, schema: GraphQLSchema, settings: EdgeSettings) -> None:
        self._schema, self._settings = schema, settings
        self._refused: LRUCache[str, Refused] = LRUCache(MOST_REFUSED_CHARACTERS, _size)
        self._store = DocumentStore(settings.max_documents)
        rules: list[type[ASTValidationRule]] = [*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule]
        if not settings.introspection:
            rules.append(NoSchemaIntrospectionCustomRule)
        self._rules = tuple(rules)
        self._trusted = {digest: self._trust(digest, source) for digest, source in settings.trusted.items()}

    def knows(self, digest: str) -> bool:
        """Whether this process can execute the document without its text, or may not execute it with it."""
        return self._settings.trusted_only or digest in self._trusted or self._store.get(digest) is not None

    def persisted(self, digest: str) -> Document | None:
        """The document whose text has this hash, if it was read before."""
        document = self._trusted.get(digest) or self._store.get(digest)
        if document is None and self._settings.trusted_only:
            raise not_trusted()
        return document

    def read(self, source: str, operation_name: str | None, allowed: frozenset[OperationType]) -> Document:
        """Read a document that holds an operation of an allowed kind."""
        digest = digest_of(source)
        document = self._store.get(digest) or self._trusted.get(digest)
        if document is None and self._settings.trusted_only:
            raise not_trusted()
        if document is None:
            check_source(source, self._settings)
            tree = self._parse(source)
            check_definitions(tree, self._settings)
            operations = tuple(d for d in tree.definitions if isinstance(d, OperationDefinitionNode))
            document = Document(hash=digest, length=len(source), tree=tree, operations=operations)
            # Kind first: on a schema without subscriptions validation would only say that it has none.
            check_kind(document.operation(operation_name), allowed)
            self._validate(tree, source, digest)
            self._store.put(document)
        return document

    def _trust(self, digest: str, source: str) -> Document:
        """Read at the start, kept for good, held to the same limits; raises BadTrustedDocument."""
        try:
            check_source(source, self._settings)
            tree = self._parse(source)
            self._validate(tree, source)
        except Refused as refused:
            raise BadTrustedDocument(digest, refused.errors[0]["message"]) from None
        operations = tuple(d for d in tree.definitions if isinstance(d, OperationDefinitionNode))
        if not operations:
            raise BadTrustedDocument(digest, "it holds no operation")
        return Document(hash=digest, length=len(source), tree=tree, operations=operations)

    def _parse(self, source: str) -> DocumentNode:
        try:
            return parse(source, max_lexical_tokens=self._settings.max_tokens, max_comments=MAX_COMMENTS)
        except GraphQLSyntaxError as error:
            raise refuse("GRAPHQL_PARSE_FAILED", [error]) from None

    def _validate(self, tree: DocumentNode, source: str, digest: str = "") -> None:
        """What was found wrong once is told again without looking: the same text costs its finding once."""
        known = self._refused.get(digest)
        if known is not None:
            raise known.again()
        try:
            self._find_wrong(tree, source)
        except Refused as refused:
            if _size(refused) <= MOST_REFUSED_CHARACTERS:
                self._refused[digest] = refused.again()
            raise

    def _find_wrong(self, tree: DocumentNode, source: str) -> None:
        check_document(tree, self._settings)
        errors: list[GraphQLError] = validate(
            self._schema,
            tree,
            self._rules,
            max_errors=MAX_VALIDATION_ERRORS,
            hide_suggestions=not self._settings.development,
        )
        if errors:
            words = None if self._settings.development else words_of(source)
            raise refuse("GRAPHQL_VALIDATION_FAILED", errors, self._schema, words)


def _size(refused: Refused) -> int:
    return sum(FAULT + len(each["message"]) for each in refused.errors)


class BadTrustedDocument(Exception):
    """A trusted document that could never be executed: it stops the start."""

    def __init__(self, digest: str, reason: str) -> None:
        super().__init__(reason)
        self.digest, self.reason = digest, reason


def not_trusted() -> Refused:
    """Says the way out, and nothing of what is listed."""
    told = (
        "This gateway executes trusted documents only, and this is none of them: send the SHA-256 of a listed document "
        "as `documentId` or in `extensions.persistedQuery.sha256Hash`, or have this one added to the list."
    )
    return Refused("DOCUMENT_NOT_TRUSTED", told, status=403, well_formed=True)


def digest_of(source: str) -> str:
    """The hash that persisted documents are asked by."""
    try:
        return hashlib.sha256(source.encode()).hexdigest()
    except UnicodeEncodeError:
        raise Refused("BAD_REQUEST", "The document holds a character that is not valid Unicode.") from None


def select(operations: tuple[OperationDefinitionNode, ...], name: str | None) -> OperationDefinitionNode:
    """Pick the operation to execute, by the specification's GetOperation."""
    if not operations:
        raise _unresolved("The document holds no operation, only fragments.")
    if name is None:
        if len(operations) > 1:
            raise _unresolved("The document holds several operations: say which one in operationName.")
        return operations[0]
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise _unresolved(f"The document has no operation named {name[:100]!r}.")


def check_kind(operation: OperationDefinitionNode, allowed: frozenset[OperationType]) -> None:
    """Refuse what the transport cannot carry."""
    kind = operation.operation
    if kind in allowed:
        return
    if kind is OperationType.SUBSCRIPTION:
        message = (
            "A subscription needs a stream: open a WebSocket at /graphql with the subprotocol graphql-transport-ws. "
            "An HTTP request carries queries and mutations only; Server-Sent Events are not served."
        )
        raise Refused("SUBSCRIPTION_NOT_SUPPORTED", message)
    message = "A mutation must be sent by POST; GET is for queries only."
    raise Refused("METHOD_NOT_ALLOWED", message, status=405, headers={"Allow": "POST"})


def _unresolved(message: str) -> Refused:
    return Refused("OPERATION_RESOLUTION_FAILURE", message, well_formed=True)
