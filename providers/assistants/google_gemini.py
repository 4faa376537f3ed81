"""Google's Gemini: chats, whole and streamed. Docs: https://ai.google.dev/api/generate-content

A stream is server-sent events with `alt=sse`, and one JSON array without; the last part has `finishReason`, there is no
other end. Thinking is counted beside the output, and belongs to it. Limits are per model and project, and its refusals
say how long to wait.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from providers.assistants._chat import (
    LICENCE,
    arguments_in,
    called_names,
    counted,
    ended_with,
    instructions,
    object_in,
    rows,
    streamed,
    turns,
    whole_calls,
    word,
)
from providers.assistants._models import has
from providers.contract import Profile, Provider, Reply, answers, header
from providers.row import Row
from schema.errors import (
    Blocked,
    NotCovered,
    Overloaded,
    QuotaExhausted,
    Throttled,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from schema.words.chat import (
    CHAT,
    CHAT_MODELS,
    CHAT_STREAM,
    ChatAsk,
    ChatDelta,
    ChatMessage,
    ChatModel,
    ChatModelsAsk,
    ChatReply,
    ChatRole,
    ChatUsage,
    FinishReason,
    ToolCallDelta,
)

MODELS = 1000
"""Most models on a page."""
PREFIX = "models/"
CHOICES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
UNSIGNED = "skip_thought_signature_validator"
"""What stands for the signature of a thought that nobody kept: its newer models want one with each call of theirs."""
ENDS = {"STOP": FinishReason.STOP, "MAX_TOKENS": FinishReason.LENGTH, "OTHER": FinishReason.OTHER}
FILTERED = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "ROBOTICS"}
)
REFUSALS: dict[str, tuple[type[UpstreamError], str]] = {
    "INVALID_ARGUMENT": (NotCovered, "the request is refused"),
    "FAILED_PRECONDITION": (NotCovered, "the request is refused"),
    "UNAUTHENTICATED": (Unauthorized, "the key is not accepted"),
    "PERMISSION_DENIED": (Unauthorized, "the key may not do this"),
    "NOT_FOUND": (UnknownInstrument, "there is no such model"),
}
_SECONDS = re.compile(r"(\d{1,6})(\.\d+)?s")
"""A duration; the next whole second is waited for."""


class GoogleGemini(Provider):
    """Content, as it is called there, of `gemini-…` and `gemma-…`."""

    profile = Profile(
        id="google_gemini",
        name="Google Gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        docs="https://ai.google.dev/api/generate-content",
        asset_classes=(),
        licence=LICENCE,
        credentials=(header("x-goog-api-key", sign_up="https://aistudio.google.com/apikey"),),
        priority=30,
    )

    @answers(CHAT, covers=lambda ask: has("google_gemini", ask.model))
    async def chat(self, ask: ChatAsk) -> ChatReply:
        """One candidate."""
        return parse_reply(await self.http.post(f"/{PREFIX}{ask.model}:generateContent", body_of(ask)))

    @answers(CHAT_STREAM, covers=lambda ask: has("google_gemini", ask.model))
    def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """Each part has the form of a whole reply."""
        path = f"/{PREFIX}{ask.model}:streamGenerateContent"
        return streamed(self.http.stream(path, body_of(ask), {"alt": "sse"}), parse_part)

    @answers(CHAT_MODELS)
    async def chat_models(self, ask: ChatModelsAsk) -> tuple[ChatModel, ...]:
        """Those that make content of texts."""
        return parse_models(await self.http.get("/models", {"pageSize": MODELS}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """By the error's status; of a stream that is an array it stands in the first item."""
        value = reply.body.value
        body = reply.body[0] if isinstance(value, list) and value else reply.body
        error = body.get("error")
        return refusal(error, reply.status) if error is not None else None


def refusal(error: Row, status: int) -> UpstreamError | None:
    """A bad key comes as a bad argument; a quota of the day is told from that of a minute by its name."""
    kind, message, details = word(error, "status"), word(error, "message"), rows(error, "details")
    if "API key not valid" in message or any(word(each, "reason") == "API_KEY_INVALID" for each in details):
        return Unauthorized("google_gemini", "the key is not accepted")
    if "location is not supported" in message:
        return Blocked("google_gemini", "not offered in this country")
    if kind == "RESOURCE_EXHAUSTED":
        return _exhausted(details)
    if status >= 400:
        return None
    meant, told = REFUSALS.get(kind, (Overloaded, "the model could not go on"))
    return meant("google_gemini", told)


def _exhausted(details: list[Row]) -> UpstreamError:
    quotas = [word(quota, "quotaId") for each in details for quota in rows(each, "violations")]
    if any("PerDay" in quota for quota in quotas):
        return QuotaExhausted("google_gemini", "the requests of the day are used up")
    waits = [int(found[1]) + 1 for each in details if (found := _SECONDS.match(word(each, "retryDelay")))]
    return Throttled("google_gemini", "too many requests", retry_after=max(waits, default=None))


def body_of(ask: ChatAsk) -> dict[str, Any]:
    """The request; what the caller left open is left out."""
    names = called_names(ask)
    said = turns(_turn(ask, message, names) for message in ask.messages if message.role is not ChatRole.SYSTEM)
    body: dict[str, Any] = {"contents": [{"role": role, "parts": parts} for role, parts in said]}
    if system := instructions(ask):
        body["systemInstruction"] = {"parts": [{"text": system}]}
    if ask.tools:
        body["tools"] = [{"functionDeclarations": [_declared(t.name, t.description, t.parameters) for t in ask.tools]}]
        body["toolConfig"] = {"functionCallingConfig": _choice(ask.tool_choice)}
    if config := _config(ask):
        body["generationConfig"] = config
    return body


def _declared(name: str, description: str, parameters: str) -> dict[str, Any]:
    schema = object_in("google_gemini", parameters, f"the schema of {name}")
    return {"name": name, "description": description, "parametersJsonSchema": schema}


def _choice(choice: str) -> dict[str, Any]:
    mode = CHOICES.get(choice)
    return {"mode": mode} if mode else {"mode": "ANY", "allowedFunctionNames": [choice]}


def _config(ask: ChatAsk) -> dict[str, Any]:
    config: dict[str, Any] = {
        "maxOutputTokens": ask.max_tokens, "temperature": ask.temperature, "topP": ask.top_p, "seed": ask.seed,
        "stopSequences": list(ask.stop) or None,
        "responseMimeType": "application/json" if ask.json_output or ask.json_schema else None,
        }  # fmt: skip
    if ask.json_schema:
        config["responseJsonSchema"] = object_in("google_gemini", ask.json_schema, "the JSON schema")
    return {name: value for name, value in config.items() if value is not None}


def _turn(ask: ChatAsk, message: ChatMessage, names: Mapping[str, str]) -> tuple[str, list[Any]]:
    """A message as parts; what a tool answers is the user's, and knows the tool by its name."""
    if message.role is ChatRole.TOOL:
        name = names.get(message.tool_call_id or "", "")
        return "user", [{"functionResponse": {"name": name, "response": {"result": message.text}}}]
    parts: list[Any] = [{"text": message.text}] if message.text else []
    for number, call in enumerate(message.tool_calls):
        arguments = object_in("google_gemini", call.arguments, f"what {call.name} was called with")
        part: dict[str, Any] = {"functionCall": {"name": call.name, "args": arguments}}
        parts.append(
            part | {"thoughtSignature": UNSIGNED} if number == 0 and ask.model.startswith("gemini-3") else part
        )
    return "model" if message.role is ChatRole.ASSISTANT else "user", parts


def parse_reply(row: Row) -> ChatReply:
    """A whole reply; one that was refused has no candidate."""
    read = parse_part(row)
    if read.finish_reason is None:
        row.broken("has no finishReason")
    calls = whole_calls(read.tool_calls)
    return ChatReply(
        id=read.id,
        model=row.text("modelVersion"),
        message=ChatMessage(role=ChatRole.ASSISTANT, text=read.text, tool_calls=calls),
        thinking=read.thinking or None,
        finish_reason=ended_with(read.finish_reason, calls=bool(calls)),
        usage=read.usage,
    )


def parse_part(row: Row) -> ChatDelta:
    """A part of a stream, which has the form of a reply."""
    head: dict[str, Any] = {
        "id": row.maybe_text("responseId"), "model": row.maybe_text("modelVersion"), "usage": _usage(row),
    }  # fmt: skip
    candidates = rows(row, "candidates")
    if not candidates:
        feedback = row.get("promptFeedback")
        blocked = feedback is not None and feedback.maybe_text("blockReason") is not None
        return ChatDelta(finish_reason=FinishReason.CONTENT_FILTER if blocked else None, **head)
    content, reason = candidates[0].get("content"), candidates[0].maybe_text("finishReason")
    parts = rows(content, "parts") if content is not None else []
    said = [(bool(part.get("thought")), part.maybe_text("text") or "") for part in parts]
    calls = [call for part in parts if (call := part.get("functionCall")) is not None]
    return ChatDelta(
        text="".join(text for thought, text in said if not thought),
        thinking="".join(text for thought, text in said if thought),
        tool_calls=tuple([_call(call, place) for place, call in enumerate(calls)]),
        finish_reason=_end(reason) if reason is not None else None,
        **head,
    )


def _end(reason: str) -> FinishReason:
    return FinishReason.CONTENT_FILTER if reason in FILTERED else ENDS.get(reason, FinishReason.OTHER)


def _call(call: Row, place: int) -> ToolCallDelta:
    """Calls come whole."""
    return ToolCallDelta(
        index=place, id=call.maybe_text("id"), name=call.text("name"), arguments=arguments_in(call, "args")
    )


def _usage(row: Row) -> ChatUsage | None:
    told = row.get("usageMetadata")
    if told is None:
        return None
    written, thought = counted(told, "candidatesTokenCount"), counted(told, "thoughtsTokenCount")
    read, of_tools = counted(told, "promptTokenCount"), counted(told, "toolUsePromptTokenCount")
    return ChatUsage(
        input_tokens=None if read is None else read + (of_tools or 0),
        output_tokens=None if written is None and thought is None else (written or 0) + (thought or 0),
        cached_tokens=counted(told, "cachedContentTokenCount"),
        reasoning_tokens=thought,
    )


def parse_models(row: Row) -> tuple[ChatModel, ...]:
    """Embeddings, pictures and the like are left out."""
    models = [(each, each.text("name").removeprefix(PREFIX)) for each in row["models"]]
    return tuple(
        [
            ChatModel(
                id=name, name=each.maybe_text("displayName"), owner="google",
                context_tokens=counted(each, "inputTokenLimit"), output_tokens=counted(each, "outputTokenLimit"),
            )
            for each, name in models
            if has("google_gemini", name)
            and "generateContent" in [way.value for way in each["supportedGenerationMethods"]]
        ]
    )  # fmt: skip
