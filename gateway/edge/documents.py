"""Documents, read once: parsed, weighed and validated, then kept by the hash of their text."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, cast
from weakref import WeakValueDictionary

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
from graphql.validation import ASTValidationRule, ValidationContext
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.edge.errors import Refused, refuse, words_of
from gateway.edge.limits import EdgeSettings, check_definitions, check_document, check_source
from gateway.edge.longdocuments import LongDocuments, Payer

MAX_VALIDATION_ERRORS = 10
MAX_COMMENTS = 1_000
MOST_REFUSED_CHARACTERS = 1_000_000
"""Of the faults of wrong documents that are remembered; one document may have many, or long ones."""
FAULT = 500
"""What a fault takes beside its message."""
LONG_DOCUMENT = 2_000
"""Characters from which reading a document takes so long that others notice it."""
TOKEN_BYTES = 600
"""What a token takes at the most: 322 bytes in usual trees were measured, 305 to 611 in made-up ones."""
MOST_STORED_BYTES = 40_000_000
"""Of the documents in the store, by that measure: eight of the largest, hundreds of usual ones."""


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Document:
    """A valid document and the operations in it."""

    hash: str
    length: int
    tokens: int
    tree: DocumentNode
    operations: tuple[OperationDefinitionNode, ...]
    notes: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)
    """What others worked out from it once: kept, bounded and dropped with it."""

    @property
    def weight(self) -> int:
        """Bytes that it takes, with its text in a request and in its own source."""
        return TOKEN_BYTES * self.tokens + 2 * self.length

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation that the request means; an empty name is no name, as the specification has it."""
        return select(self.operations, name or None)


class DocumentStore:
    """The last documents used, by SHA-256: repeated ones skip all reading, persisted ones are asked by hash."""

    def __init__(self, most: int, most_bytes: int = MOST_STORED_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Document] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, digest: str) -> bool:
        return digest in self._kept

    def get(self, digest: str) -> Document | None:
        document = self._kept.get(digest)
        if document is not None:
            self._kept.move_to_end(digest)
        return document

    def put(self, document: Document) -> None:
        if document.hash in self._kept:
            return
        self._kept[document.hash] = document
        self._bytes += document.weight
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.weight


class DocumentReader:
    """Turns the text of a document into a valid tree, or says what is wrong with it.

    What was read is kept once somebody was let run it (`keep`); until then it is known while somebody holds it.
    """

    def __init__(self, schema: GraphQLSchema, settings: EdgeSettings) -> None:
        self._schema, self._settings = schema, settings
        self._refused: LRUCache[str, Refused] = LRUCache(MOST_REFUSED_CHARACTERS, _size)
        self._lock = Lock()
        self._store = DocumentStore(settings.max_documents)
        self._held: WeakValueDictionary[str, Document] = WeakValueDictionary()
        self._long = LongDocuments()
        rules: list[type[ASTValidationRule]] = [*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule]
        if not settings.introspection:
            rules.append(NoSchemaIntrospectionCustomRule)
        self._rules = tuple(rules)
        self._trusted = {digest: self._trust(digest, source) for digest, source in settings.trusted.items()}

    def knows(self, digest: str) -> bool:
        """Whether this process can execute the document without its text, or may not execute it with it."""
        return self._settings.trusted_only or self._find(digest) is not None

    def kept(self, digest: str) -> Document | None:
        """The document, if somebody was let run it before."""
        return self._trusted.get(digest) or self._store.get(digest)

    def keeps(self, document: Document) -> bool:
        """Whether somebody was let run it before."""
        return document.hash in self._store or document.hash in self._trusted

    def keep(self, document: Document) -> None:
        """Somebody was let run it."""
        if document.hash not in self._trusted:
            self._store.put(document)

    def persisted(self, digest: str) -> Document | None:
        """The document whose text has this hash, if it was read before."""
        document = self._find(digest)
        if document is None and self._settings.trusted_only:
            raise not_trusted()
        return document

    def read(self, source: str, operation_name: str | None, allowed: frozenset[OperationType]) -> Document:
        """Read a document that holds an operation of an allowed kind."""
        digest = digest_of(source)
        document = self.persisted(digest)
        if document is None:
            check_source(source, self._settings)
            document = self._held[digest] = self._read(source, digest, operation_name, allowed)
        return document

    async def read_aside(
        self, source: str, operation_name: str | None, allowed: frozenset[OperationType], payer: Payer, timeout_s: float
    ) -> Document:
        """Have a thread read a document that is not known, one after the other: the others are answered meanwhile.

        Raises Refused, also where too many wait or *timeout_s* is over.
        """
        digest = digest_of(source)
        document = self.persisted(digest)
        if document is None:
            check_source(source, self._settings)
            key = (digest, operation_name, allowed)
            document = await self._long.read(key, partial(self._read, source, *key), payer, timeout_s)
            document = self._held.setdefault(digest, document)
        return document

    def _find(self, digest: str) -> Document | None:
        return self.kept(digest) or self._held.get(digest)

    def _read(
        self, source: str, digest: str, operation_name: str | None, allowed: frozenset[OperationType]
    ) -> Document:  # fmt: skip
        """In any thread: what this changes is locked."""
        tree, tokens = self._parse(source)
        check_definitions(tree, self._settings)
        operations = tuple(d for d in tree.definitions if isinstance(d, OperationDefinitionNode))
        document = Document(hash=digest, length=len(source), tokens=tokens, tree=tree, operations=operations)
        # Kind first: on a schema without subscriptions validation would only say that it has none.
        check_kind(document.operation(operation_name), allowed)
        self._validate(tree, source, digest)
        return document

    def _trust(self, digest: str, source: str) -> Document:
        """Read at the start, kept for good, held to the same limits; raises BadTrustedDocument."""
        try:
            check_source(source, self._settings)
            tree, tokens = self._parse(source)
            self._validate(tree, source)
        except Refused as refused:
            raise BadTrustedDocument(digest, refused.errors[0]["message"]) from None
        operations = tuple(d for d in tree.definitions if isinstance(d, OperationDefinitionNode))
        if not operations:
            raise BadTrustedDocument(digest, "it holds no operation")
        return Document(hash=digest, length=len(source), tokens=tokens, tree=tree, operations=operations)

    def _parse(self, source: str) -> tuple[DocumentNode, int]:
        try:
            tree = parse(source, max_lexical_tokens=self._settings.max_tokens, max_comments=MAX_COMMENTS)
        except GraphQLSyntaxError as error:
            raise refuse("GRAPHQL_PARSE_FAILED", [error]) from None
        return tree, _unchain(tree)

    def _validate(self, tree: DocumentNode, source: str, digest: str = "") -> None:
        """What was found wrong once is told again without looking: the same text costs its finding once."""
        with self._lock:
            known = self._refused.get(digest)
        if known is not None:
            raise known.again()
        try:
            self._find_wrong(tree, source)
        except Refused as refused:
            with self._lock:
                if _size(refused) <= MOST_REFUSED_CHARACTERS:
                    self._refused[digest] = refused.again()
            raise

    def _find_wrong(self, tree: DocumentNode, source: str) -> None:
        check_document(tree, self._settings)
        rules = _Rules(self._rules)
        try:
            errors: list[GraphQLError] = validate(
                self._schema,
                tree,
                rules.makers,
                max_errors=MAX_VALIDATION_ERRORS,
                hide_suggestions=not self._settings.development,
            )
        finally:
            rules.forget()
        if errors:
            raise self._refused_for(errors, tree, source)

    def _refused_for(self, errors: list[GraphQLError], tree: DocumentNode, source: str) -> Refused:
        words = None if self._settings.development else words_of(source)
        refused = refuse("GRAPHQL_VALIDATION_FAILED", errors, self._schema, words)
        _take_apart(tree)
        return refused


class _Rules:
    """Rules that let go of the tree afterwards: each holds itself, and would keep it until the collector comes."""

    def __init__(self, kinds: Iterable[type[ASTValidationRule]]) -> None:
        self._made: list[ASTValidationRule] = []
        self.makers = cast("list[type[ASTValidationRule]]", [partial(self._make, kind) for kind in kinds])

    def _make(self, kind: type[ASTValidationRule], context: ValidationContext) -> ASTValidationRule:
        rule = kind(context)
        self._made.append(rule)
        return rule

    def forget(self) -> None:
        """Whatever they and their context hold."""
        for rule in self._made:
            vars(rule.context).clear()
        for rule in self._made:
            vars(rule).clear()


def _take_apart(tree: DocumentNode) -> None:
    """A validation that was broken off is held by its own visitors, and with it nodes. They are frozen, but ours."""
    for definition in tree.definitions:
        for key in definition.keys:
            object.__setattr__(definition, key, None)
    object.__setattr__(tree, "definitions", ())


def _unchain(tree: DocumentNode) -> int:
    """Tokens hold each other in a ring: with it a refused tree would wait for the collector, who stops everybody.

    Answers how many there are.
    """
    token, count = tree.loc.start_token if tree.loc else None, 0
    while token is not None:
        following, token.prev, token.next = token.next, None, None
        token, count = following, count + 1
    return count


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
            "A subscription needs a stream: open a WebSocket at /graphql with the subprotocol graphql-transport-ws, "
            "or POST it with Accept: text/event-stream."
        )
        raise Refused("SUBSCRIPTION_NOT_SUPPORTED", message)
    message = "A mutation must be sent by POST; GET is for queries only."
    raise Refused("METHOD_NOT_ALLOWED", message, status=405, headers={"Allow": "POST"})


def _unresolved(message: str) -> Refused:
    return Refused("OPERATION_RESOLUTION_FAILURE", message, well_formed=True)
