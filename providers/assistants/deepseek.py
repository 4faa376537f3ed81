"""DeepSeek: chats, whole and streamed, with their thinking. Docs: https://api-docs.deepseek.com

It has no fixed limits: who has to wait is sent empty lines and comments meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from providers.assistants._chat import LICENCE, streamed
from providers.assistants._models import has
from providers.assistants._openai import Ways, body_of, parse_chunk, parse_models, parse_reply, refusal
from providers.contract import Profile, Provider, Reply, answers, header
from schema.errors import UpstreamError
from schema.words.chat import CHAT, CHAT_MODELS, CHAT_STREAM, ChatAsk, ChatDelta, ChatModel, ChatModelsAsk, ChatReply

PATH = "/chat/completions"
WAYS = Ways()
THINKING_WAYS = Ways(keeps_thinking=True)


def covered(ask: ChatAsk) -> bool:
    """It knows no seed, and of JSON only that it is an object."""
    return has("deepseek", ask.model) and ask.seed is None and not ask.json_schema


def ways_of(ask: ChatAsk) -> Ways:
    """All but one of its names think."""
    return WAYS if ask.model == "deepseek-chat" else THINKING_WAYS


class DeepSeek(Provider):
    """Chat completions."""

    profile = Profile(
        id="deepseek",
        name="DeepSeek",
        base_url="https://api.deepseek.com",
        docs="https://api-docs.deepseek.com",
        asset_classes=(),
        licence=LICENCE,
        credentials=(header("authorization", template="Bearer {}", sign_up="https://platform.deepseek.com/api_keys"),),
        priority=30,
    )

    @answers(CHAT, covers=covered)
    async def chat(self, ask: ChatAsk) -> ChatReply:
        """One choice."""
        return parse_reply(await self.http.post(PATH, body_of("deepseek", ask, ways_of(ask))))

    @answers(CHAT_STREAM, covers=covered)
    def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """First what is thought, then what is said."""
        return streamed(self.http.stream(PATH, body_of("deepseek", ask, ways_of(ask), stream=True)), parse_chunk)

    @answers(CHAT_MODELS)
    async def chat_models(self, ask: ChatModelsAsk) -> tuple[ChatModel, ...]:
        """All of them chat."""
        return parse_models(await self.http.get("/models"), lambda _: True)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """An account without credit is a status of its own."""
        return refusal("deepseek", reply)
