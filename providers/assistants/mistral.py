"""Mistral: chats, whole and streamed. Docs: https://docs.mistral.ai/api/

Models that think (`magistral-…`) write their content as a list of parts. Limits are those of the workspace.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from providers.assistants._chat import LICENCE, streamed
from providers.assistants._models import has
from providers.assistants._openai import Ways, body_of, parse_chunk, parse_models, parse_reply, refusal
from providers.contract import Profile, Provider, Reply, answers, header
from providers.row import Row
from schema.errors import UpstreamError
from schema.words.chat import CHAT, CHAT_MODELS, CHAT_STREAM, ChatAsk, ChatDelta, ChatModel, ChatModelsAsk, ChatReply

PATH = "/chat/completions"
WAYS = Ways(seed="random_seed", required="any", asks_for_usage=False)


class Mistral(Provider):
    """Chat completions."""

    profile = Profile(
        id="mistral",
        name="Mistral AI",
        base_url="https://api.mistral.ai/v1",
        docs="https://docs.mistral.ai/api/",
        asset_classes=(),
        licence=LICENCE,
        credentials=(header("authorization", template="Bearer {}", sign_up="https://console.mistral.ai/api-keys"),),
        priority=30,
    )

    @answers(CHAT, covers=lambda ask: has("mistral", ask.model))
    async def chat(self, ask: ChatAsk) -> ChatReply:
        """One choice."""
        return parse_reply(await self.http.post(PATH, body_of("mistral", ask, WAYS)))

    @answers(CHAT_STREAM, covers=lambda ask: has("mistral", ask.model))
    def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """Usage stands beside the end."""
        return streamed(self.http.stream(PATH, body_of("mistral", ask, WAYS, stream=True)), parse_chunk)

    @answers(CHAT_MODELS)
    async def chat_models(self, ask: ChatModelsAsk) -> tuple[ChatModel, ...]:
        """Those that chat."""
        return parse_models(await self.http.get("/models"), chats)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Its errors have their words at the top."""
        return refusal("mistral", reply)


def chats(row: Row) -> bool:
    """Whether it is for chats, by what the list says of it."""
    return row["capabilities"]["completion_chat"].flag()
