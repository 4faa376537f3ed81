"""The root fields of chats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Ctx
from plugins.assistant.rules import ask_of
from plugins.assistant.types import (
    ChatCompleteErrorCode,
    ChatCompleteInput,
    ChatCompletePayload,
    ChatModels,
)
from schema.arguments import Route, says
from schema.capability import Terms
from schema.errors import BadInput, NoAnswer
from schema.facts import facts
from schema.provenance import ProviderFailure
from schema.scopes import Scope
from schema.words.chat import CHAT, CHAT_MODELS, CHAT_STREAM, ChatDelta, ChatModel, ChatModelsAsk, ChatReply
from schema.words.problems import Refused
from schema.words.routes import RouteInput, terms_of

POINTS = 20
"""Of a reply: it takes an upstream more than twenty prices do."""
MODELS_POINTS = 5

Input = Annotated[ChatCompleteInput, says("The chat to be continued.")]


async def resolve_chat_models(info: Ctx, route: Route = None) -> ChatModels:
    """Every provider's, asked at once."""
    market, terms = info.context.market, terms_of(route)
    ids = await market.offering(CHAT_MODELS, ChatModelsAsk(), terms)

    async def of(provider: str) -> tuple[ChatModel, ...] | NoAnswer:
        try:
            fetched = await market.fetch(CHAT_MODELS, ChatModelsAsk(), replace(terms, providers=(provider,)))
        except NoAnswer as error:
            return error
        return cast("tuple[ChatModel, ...]", fetched.value)

    nodes: list[ChatModel] = []
    failures: list[ProviderFailure] = []
    for found in await asyncio.gather(*map(of, ids)):
        if isinstance(found, NoAnswer):
            failures += found.attempts
        else:
            nodes += found
    return ChatModels(nodes=nodes, failures=failures)


def how(wanted: ChatCompleteInput) -> Terms:
    """By whom, how long; a chat is asked of one provider at a time."""
    return terms_of(RouteInput(providers=wanted.providers, timeout_ms=wanted.timeout_ms or 30_000), prefix="input.")


async def resolve_chat_complete(info: Ctx, input: Input) -> ChatCompletePayload:
    """A whole reply."""
    try:
        ask = ask_of(input)
    except Refused as refused:
        return ChatCompletePayload(user_errors=[refused.error(ChatCompleteErrorCode)])
    fetched = await info.context.market.fetch(CHAT, ask, how(input))
    return ChatCompletePayload(reply=cast(ChatReply, fetched.value), user_errors=[])


async def resolve_chat_stream(info: Ctx, input: Input) -> AsyncGenerator[ChatDelta, None]:
    """A reply in pieces."""
    try:
        ask = ask_of(input)
    except Refused as refused:
        raise BadInput(".".join(("input", *refused.field)), refused.message) from None
    async with aclosing(info.context.market.stream(CHAT_STREAM, ask, how(input))) as deltas:
        async for delta in deltas:
            yield delta


@strawberry.type
class AssistantQuery:
    """What there is to be asked."""

    chat_models: ChatModels = strawberry.field(
        resolver=resolve_chat_models,
        description="Language models that can be asked, of all providers.",
        metadata=facts(cost=MODELS_POINTS, needs=Scope.MARKET_READ),
    )


@strawberry.type
class AssistantMutation:
    """Asking, which costs money at the provider and is therefore no query."""

    chat_complete: ChatCompletePayload = strawberry.field(
        resolver=resolve_chat_complete,
        description="Have a language model continue a chat. Nothing is stored, cached or shared; a failed call is not "
        "sent to the same provider again.",
        metadata=facts(cost=POINTS, needs=Scope.ASSISTANT_WRITE),
    )


@strawberry.type
class AssistantSubscription:
    """Replies in pieces."""

    chat_stream = strawberry.subscription(
        resolver=resolve_chat_stream,
        description="Have a language model continue a chat, piece by piece; the stream ends with the reply. Before the "
        "first piece the next provider is asked where one fails, after it never.",
        metadata=facts(cost=POINTS, needs=Scope.ASSISTANT_WRITE),
    )
