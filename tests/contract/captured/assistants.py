"""Captures of chat providers: whole replies, streams, refusals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from schema.words.chat import FinishReason
from tests.contract.captured.asks import Asking, Plan, refused
from tests.contract.captures import Capture

STOP, TOOLS = FinishReason.STOP, FinishReason.TOOL_CALLS
OPENAI_COUNTS = {"usage.input_tokens": "prompt_tokens", "usage.output_tokens": "completion_tokens"}
HELLO: dict[str, Any] = {"messages": [{"role": "USER", "text": "hello"}]}


def ask_of(capture: Capture, model: str) -> dict[str, Any]:
    """What was said is not judged, which model was asked is."""
    return HELLO | {"model": model}


def whole(model: str, stated: dict[str, Any] | None = None, end: FinishReason = STOP) -> Asking:
    """A reply in OpenAI's dialect: its texts, its counts, and what is stated besides."""

    def plan(capture: Capture) -> Plan:
        body = capture.body
        message = body["choices"][0]["message"]
        counts = {path: body["usage"][name] for path, name in OPENAI_COUNTS.items()}
        expected = {
            "id": body["id"], "model": body["model"], "finish_reason": end, "message.text": message["content"] or "",
            "thinking": message.get("reasoning_content") or message.get("reasoning"), **counts, **(stated or {}),
        }  # fmt: skip
        return Plan(capability="chat", ask=ask_of(capture, model), expected=expected)

    return plan


def pieces(model: str, *deltas: dict[str, Any]) -> Asking:
    """A stream: every delta as far as it is stated."""
    return lambda capture: Plan(capability="chatStream", ask=ask_of(capture, model), expected=list(deltas))


def text(*texts: str) -> list[dict[str, Any]]:
    """Deltas of what is said."""
    return [{"text": each, "thinking": ""} for each in texts]


def thought(*texts: str) -> list[dict[str, Any]]:
    """Deltas of what is thought."""
    return [{"thinking": each, "text": ""} for each in texts]


def end(reason: FinishReason, read: int, written: int, **stated: Any) -> dict[str, Any]:
    """The last delta."""
    usage = {"usage.input_tokens": Decimal(read), "usage.output_tokens": Decimal(written)}
    return {"finish_reason": reason, "text": "", **usage, **stated}


def head(name: str, model: str) -> dict[str, Any]:
    """The first delta."""
    return {"id": name, "model": model}


def anthropic_reply(capture: Capture) -> Plan:
    """Blocks of text; input and what was read from the cache."""
    body = capture.body
    expected = {
        "id": body["id"], "model": body["model"], "finish_reason": STOP, "message.text": "4", "thinking": None,
        "usage.input_tokens": body["usage"]["input_tokens"], "usage.output_tokens": body["usage"]["output_tokens"],
        "usage.cached_tokens": 0,
    }  # fmt: skip
    return Plan(capability="chat", ask=ask_of(capture, body["model"]), expected=expected)


def gemini_reply(capture: Capture) -> Plan:
    """One candidate."""
    body = capture.body
    expected = {
        "id": body["responseId"], "model": body["modelVersion"], "finish_reason": STOP,
        "message.text": body["candidates"][0]["content"]["parts"][0]["text"],
        "usage.input_tokens": body["usageMetadata"]["promptTokenCount"],
        "usage.output_tokens": body["usageMetadata"]["candidatesTokenCount"],
    }  # fmt: skip
    return Plan(capability="chat", ask=ask_of(capture, "gemini-2.5-flash-lite"), expected=expected)


def gemini_array(capture: Capture) -> Plan:
    """Three items: a thought, a word, and a signature with the end."""
    thinking, word = (item["candidates"][0]["content"]["parts"][0]["text"] for item in capture.body[:2])
    first = {"thinking": thinking, "text": "", **head("IopyaseNCL-s-8YP7urOoAY", "gemini-3.6-flash")}
    last = end(STOP, 11, 293, **{"usage.reasoning_tokens": 291})
    return Plan(
        capability="chatStream", ask=ask_of(capture, "gemini-flash-latest"), expected=[first, *text(word), last]
    )


def ollama_models(capture: Capture) -> Plan:
    """All that are there."""
    expected = [{"id": row["model"], "name": row["name"], "created_at": None} for row in capture.body["models"]]
    return Plan(capability="chatModels", ask={}, expected=expected)


def no_such_model(model: str) -> Asking:
    """A refusal of a chat."""
    return refused("chat", HELLO | {"model": model}, "UNKNOWN_INSTRUMENT")


GPT = head("chatcmpl-CMKB4CzjM9AbvNcftqEsFcWBSrZNT", "gpt-4o-2024-08-06")
GPT_TOOL = {
    "tool_calls.0.index": 0,
    "tool_calls.0.id": "call_rI3WKPYvVwlOgCGRjsPP2hEx",
    "tool_calls.0.name": "get_country",
    "tool_calls.0.arguments": "",
}
CLAUDE_TOOL = {
    "tool_calls.0.index": 0,
    "tool_calls.0.id": "toolu_01CzN6riCPqw4pVSuTd9Dwn7",
    "tool_calls.0.name": "pelican_name_generator",
}
GROQ_TOOL = {
    "tool_calls.0.id": "fc_bfb39741-3748-4def-9886-a93fc9c64a90",
    "tool_calls.0.name": "get_something_by_name",
    "tool_calls.0.arguments": '{"name":"example"}',
}
HAIKU = "claude-haiku-4-5-20251001"
OSS = "openai/gpt-oss-120b"

OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("anthropic", "chat: short"): (anthropic_reply,),
    ("anthropic", "chat_stream: hello"): (
        pieces(HAIKU, head("msg_01T8kTq7cYyYJeQ5DxcVUc6D", HAIKU), *text("Hello"), end(STOP, 10, 4)),
    ),
    ("anthropic", "chat_stream: tool call"): (
        pieces(
            HAIKU,
            head("msg_01BnVamfF7ccY9Qt3nZHAyaG", HAIKU),
            CLAUDE_TOOL,
            end(TOOLS, 543, 40, **{"tool_calls.0.arguments": "{}"}),
        ),
    ),
    ("anthropic", "error: unknown model"): (no_such_model("claude-does-not-exist"),),
    ("deepseek", "chat: tool call"): (
        whole("deepseek-reasoner", {"usage.cached_tokens": 896, "usage.reasoning_tokens": 25}),
    ),
    ("deepseek", "chat_stream: reasoner hello"): (
        pieces(
            "deepseek-reasoner",
            head("33be18fc-3842-486c-8c29-dd8e578f7f20", "deepseek-reasoner"),
            *thought("H", "mm", ",", " the", " user", " just", " said"),
            *text(" today", "?"),
            end(STOP, 6, 212, **{"usage.reasoning_tokens": 198, "usage.cached_tokens": 0}),
        ),
    ),
    ("google_gemini", "chat: capital of France"): (gemini_reply,),
    ("google_gemini", "chat_stream: Paris (sse)"): (
        pieces("gemini-2.5-flash", *text("Paris"), end(STOP, 6, 36, **{"usage.reasoning_tokens": 35})),
    ),
    ("google_gemini", "chat_stream: array form (no alt=sse)"): (gemini_array,),
    ("google_gemini", "error: unknown model"): (no_such_model("gemini-3.6-flahs"),),
    ("groq", "chat: hello llama"): (whole("llama-3.3-70b-versatile"),),
    ("groq", "chat_stream: tool error case"): (
        pieces(
            OSS,
            head("chatcmpl-e35442a8-12c0-4fb4-8be4-0e51727ce7b7", OSS),
            *thought("We", " need", " to", " call", " the", " function", " with", '".'),
            GROQ_TOOL,
            end(TOOLS, 304, 49, **{"usage.reasoning_tokens": 23, "usage.cached_tokens": None}),
        ),
    ),
    ("groq", "error: model not found"): (no_such_model("llama-0-nothing"),),
    ("mistral", "chat: 2+2 small"): (whole("mistral-small-latest"),),
    ("mistral", "chat_stream: magistral thinking"): (
        pieces(
            "magistral-medium-latest",
            head("9f9d90210f194076abeee223863eaaf0", "magistral-medium-latest"),
            *thought("Okay", ", the", " user", " is", " asking", " how"),
            *text(" crossing", "."),
            end(STOP, 10, 232),
        ),
    ),
    ("ollama", "chat_stream: ndjson"): (pieces("llama3.2", {"text": "The", "model": "llama3.2"}, end(STOP, 26, 282)),),
    ("ollama", "models: tags"): (ollama_models,),
    ("openai", "chat: hello gpt-4o"): (whole("gpt-4o", {"usage.cached_tokens": 0, "usage.reasoning_tokens": 0}),),
    ("openai", "chat: tool call"): (
        whole(
            "gpt-4o-mini",
            {
                "message.tool_calls.0.id": "call_SkEQ3ZGSJC8m6AvaIGNuuKdm",
                "message.tool_calls.0.name": "get_capital",
                "message.tool_calls.0.arguments": '{"country":"England"}',
            },
            TOOLS,
        ),
    ),
    ("openai", "chat_stream: text"): (
        pieces("gpt-4o", GPT, *text("The", " capital", " of", " Mexico", " is", "."), end(STOP, 14, 8)),
    ),
    ("openai", "chat_stream: tool call"): (
        pieces("gpt-4o", GPT_TOOL, {"tool_calls.0.index": 0, "tool_calls.0.arguments": "{}"}, end(TOOLS, 398, 10)),
    ),
    ("openai", "error: model not found"): (no_such_model("gpt-5.2-proo"),),
    ("openrouter", "chat: short"): (whole("openai/gpt-5-mini", {"usage.reasoning_tokens": 0}),),
    ("openrouter", "error: upstream rate limited"): (
        refused("chat", HELLO | {"model": "google/gemini-2.0-flash-exp:free"}, "UPSTREAM_THROTTLED"),
    ),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("ollama", "/v1/chat/completions"): "not called: its own dialect tells more",
    ("ollama", "/api/generate"): "not called: a chat is asked for, not the completion of a text",
}
