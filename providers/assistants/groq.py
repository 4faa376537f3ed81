"""Groq: chats with open models, whole and streamed. Docs: https://console.groq.com/docs/api-reference

Limits are per model; those below are of the free plan, and of the developer plan as a tier.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from providers.assistants._chat import LICENCE, streamed
from providers.assistants._models import has
from providers.assistants._openai import Ways, body_of, parse_chunk, parse_models, parse_reply, refusal
from providers.contract import Profile, Provider, Reply, Tier, answers, header, per_minute
from providers.row import Row
from schema.errors import UpstreamError
from schema.words.chat import CHAT, CHAT_MODELS, CHAT_STREAM, ChatAsk, ChatDelta, ChatModel, ChatModelsAsk, ChatReply

PATH = "/chat/completions"
# A stream has its usage without being asked for it, and twice when asked.
WAYS = Ways(max_tokens="max_completion_tokens", asks_for_usage=False)


class Groq(Provider):
    """Chat completions."""

    profile = Profile(
        id="groq",
        name="Groq",
        base_url="https://api.groq.com/openai/v1",
        docs="https://console.groq.com/docs/api-reference",
        asset_classes=(),
        licence=LICENCE,
        credentials=(header("authorization", template="Bearer {}", sign_up="https://console.groq.com/keys"),),
        limits=(per_minute(30),),
        tiers={"developer": Tier(limits=(per_minute(1_000),))},
        priority=40,
    )

    @answers(CHAT, covers=lambda ask: has("groq", ask.model))
    async def chat(self, ask: ChatAsk) -> ChatReply:
        """One choice."""
        return parse_reply(await self.http.post(PATH, body_of("groq", ask, WAYS)))

    @answers(CHAT_STREAM, covers=lambda ask: has("groq", ask.model))
    def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """Errors may come within a reply of status 200."""
        return streamed(self.http.stream(PATH, body_of("groq", ask, WAYS, stream=True)), parse_chunk)

    @answers(CHAT_MODELS)
    async def chat_models(self, ask: ChatModelsAsk) -> tuple[ChatModel, ...]:
        """Those that chat, and are in use."""
        return parse_models(await self.http.get("/models"), chats)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Also in mid-stream."""
        return refusal("groq", reply)


def chats(row: Row) -> bool:
    """What one is for is told by its name alone."""
    return row["active"].flag() and has("groq", row.text("id"))
