"""OpenRouter: chats with the models of many makers, whole and streamed. Docs: https://openrouter.ai/docs

Its numbers of errors are those of statuses, also where the status is 200 because the model had begun. Paid models have
no limit of their own. Free ones (`…:free`) have, 20 a minute and 50 or 1,000 a day, which are not counted here: paid
calls would wait behind free ones.
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
WAYS = Ways()


class OpenRouter(Provider):
    """Chat completions, passed on to whoever runs the model."""

    profile = Profile(
        id="openrouter",
        name="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        docs="https://openrouter.ai/docs",
        asset_classes=(),
        licence=LICENCE,
        credentials=(header("authorization", template="Bearer {}", sign_up="https://openrouter.ai/settings/keys"),),
        priority=50,
    )

    @answers(CHAT, covers=lambda ask: has("openrouter", ask.model))
    async def chat(self, ask: ChatAsk) -> ChatReply:
        """One choice."""
        return parse_reply(await self.http.post(PATH, body_of("openrouter", ask, WAYS)))

    @answers(CHAT_STREAM, covers=lambda ask: has("openrouter", ask.model))
    def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """Comments come while it waits for the model."""
        return streamed(self.http.stream(PATH, body_of("openrouter", ask, WAYS, stream=True)), parse_chunk)

    @answers(CHAT_MODELS)
    async def chat_models(self, ask: ChatModelsAsk) -> tuple[ChatModel, ...]:
        """Those that the key's owner may use: the list of all needs no key, and so would prove none."""
        return parse_models(await self.http.get("/models/user"), writes)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Also in mid-stream."""
        return refusal("openrouter", reply)


def writes(row: Row) -> bool:
    """Whether text is among what a model makes."""
    return "text" in [kind.value for kind in row["architecture"]["output_modalities"]]
