"""OpenAI: chats, whole and streamed. Docs: https://platform.openai.com/docs/api-reference/chat

Limits are per model and usage tier; those below are the first tier's for the common models.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from providers.assistants._chat import LICENCE, streamed
from providers.assistants._models import has
from providers.assistants._openai import Ways, body_of, parse_chunk, parse_models, parse_reply, refusal
from providers.contract import Profile, Provider, Reply, Tier, Usage, answers, header, per_minute
from schema.errors import UpstreamError
from schema.words.chat import CHAT, CHAT_MODELS, CHAT_STREAM, ChatAsk, ChatDelta, ChatModel, ChatModelsAsk, ChatReply

PATH = "/chat/completions"
WAYS = Ways(max_tokens="max_completion_tokens")
# Models that think first take instructions from the developer, not from the system.
THINKING_WAYS = replace(WAYS, system="developer")
FIRST_TIER = per_minute(500)


class OpenAi(Provider):
    """Chat completions of all models that have them."""

    profile = Profile(
        id="openai",
        name="OpenAI",
        base_url="https://api.openai.com/v1",
        docs="https://platform.openai.com/docs/api-reference/chat",
        asset_classes=(),
        licence=LICENCE,
        credentials=(
            header(
                "authorization",
                template="Bearer {}",
                sign_up="https://platform.openai.com/settings/organization/api-keys",
            ),
        ),
        limits=(FIRST_TIER,),
        usage=(Usage(header="x-ratelimit-remaining-requests", limit=FIRST_TIER, remaining=True),),
        tiers={
            "2": Tier(limits=(per_minute(5_000),)),
            "3": Tier(limits=(per_minute(5_000),)),
            "4": Tier(limits=(per_minute(10_000),)),
        },
        priority=30,
    )

    @answers(CHAT, covers=lambda ask: has("openai", ask.model))
    async def chat(self, ask: ChatAsk) -> ChatReply:
        """One choice."""
        return parse_reply(await self.http.post(PATH, body_of("openai", ask, ways_of(ask))))

    @answers(CHAT_STREAM, covers=lambda ask: has("openai", ask.model))
    def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """Usage stands in the last chunk, which has no choice."""
        return streamed(self.http.stream(PATH, body_of("openai", ask, ways_of(ask), stream=True)), parse_chunk)

    @answers(CHAT_MODELS)
    async def chat_models(self, ask: ChatModelsAsk) -> tuple[ChatModel, ...]:
        """The list has models for everything; what one is for is told by its name alone."""
        return parse_models(await self.http.get("/models"), lambda row: has("openai", row.text("id")))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Also in mid-stream."""
        return refusal("openai", reply)


def ways_of(ask: ChatAsk) -> Ways:
    """By the family of the model."""
    return THINKING_WAYS if ask.model.startswith("o") else WAYS
