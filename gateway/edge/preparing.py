"""From a request to an operation that can be executed: its document found or read, and kept once it may be run."""

from __future__ import annotations

import asyncio

from graphql import OperationType

from gateway.core.identity import CallerKind, Principal
from gateway.edge.allowances import payer_of
from gateway.edge.documents import LONG_DOCUMENT, Document, DocumentReader, check_kind, digest_of
from gateway.edge.errors import Refused, turned_away
from gateway.edge.gate import Gate
from gateway.edge.limits import EdgeSettings, check_variables
from gateway.edge.longdocuments import Payer
from gateway.edge.operation import OperationRequest, PreparedOperation, RequestFacts, digest_in, persisted_in
from gateway.edge.persisted import SharedDocuments
from schema.errors import Refusal


class Preparing:
    """What the executor does before the gate admits an operation."""

    def __init__(
        self, reader: DocumentReader, settings: EdgeSettings, gate: Gate, persisted: SharedDocuments | None
    ) -> None:  # fmt: skip
        self._reader, self._settings = reader, settings
        self.gate, self.persisted = gate, persisted

    async def prepared(
        self, request: OperationRequest, allowed: frozenset[OperationType], facts: RequestFacts, principal: Principal,
        *, in_batch: bool = False,
    ) -> PreparedOperation:  # fmt: skip
        """`prepare`, with the documents that other processes were sent; a thread reads what is long and new.

        Nothing new is read for who could run nothing of it. The texts of a batch are bounded together before they are
        read: none is added to them.
        """
        if self.persisted is not None and not in_batch:
            request = await self.persisted.recalled(request, self._reader)
        held = None
        if request.query is not None and self._reader.persisted(digest_of(request.query)) is None:
            try:
                self.gate.check_unread(request.query, principal)
            except Refusal as refusal:
                raise turned_away(refusal) from None
            if len(request.query) > LONG_DOCUMENT:
                held = await self._read_aside(request.query, request.operation_name, allowed, facts, principal)
        prepared = self.prepare(request, allowed)
        # Until now nobody else held it, and it would not have been found.
        del held
        return prepared

    async def _read_aside(
        self, query: str, name: str | None, allowed: frozenset[OperationType], facts: RequestFacts, principal: Principal
    ) -> Document:
        """The wait is part of the operation's time."""
        clock = asyncio.get_running_loop().time
        began, left = clock(), self._settings.operation_timeout_s - facts.waited_s
        payer = Payer(payer_of(principal, facts.client_ip), principal.kind is CallerKind.ANONYMOUS)
        document = await self._reader.read_aside(query, name, allowed, payer, left)
        object.__setattr__(facts, "waited_s", facts.waited_s + clock() - began)
        return document

    def prepare(self, request: OperationRequest, allowed: frozenset[OperationType]) -> PreparedOperation:
        """Find or read the document, pick the operation; raises Refused."""
        document = self._document(request, allowed)
        known = self._noted(document, request.operation_name) if request.bare else None
        operation = document.operation(request.operation_name) if known is None else known.operation
        check_kind(operation, allowed)
        if known is None:
            known = PreparedOperation(document=document, operation=operation, request=request)
            if self._reader.keeps(document):
                self._note(known)
        return known

    def recall(self, digest: str, operation_name: str | None) -> PreparedOperation | None:
        """What was asked before without variables or extensions, while its document is kept."""
        document = self._reader.kept(digest)
        return None if document is None else self._noted(document, operation_name)

    def _noted(self, document: Document, operation_name: str | None) -> PreparedOperation | None:
        found: PreparedOperation | None = document.notes.get((PreparedOperation, operation_name))
        return found

    def _note(self, prepared: PreparedOperation) -> None:
        if prepared.request.bare:
            prepared.document.notes[(PreparedOperation, prepared.request.operation_name)] = prepared

    def _document(self, request: OperationRequest, allowed: frozenset[OperationType]) -> Document:
        check_variables(request.variables, self._settings)
        digest = digest_in(request.document_id) or persisted_in(request.extensions)
        if request.query is None:
            if digest is None:
                raise Refused("BAD_REQUEST", "The request has no query: send the document in the parameter 'query'.")
            document = self._reader.persisted(digest)
            if document is None:
                # The words of the automatic persisted query protocol, which its clients compare.
                raise Refused("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound", well_formed=True)
            return document
        if digest is not None and digest != digest_of(request.query):
            raise Refused("PERSISTED_QUERY_HASH_MISMATCH", "The sha256Hash is not the hash of the query.")
        return self._reader.read(request.query, request.operation_name, allowed)

    def _keep(self, prepared: PreparedOperation) -> None:
        """Its caller was let run it: from now on the document is known to all."""
        if not self._reader.keeps(prepared.document):
            self._reader.keep(prepared.document)
            self._note(prepared)
