"""Whose model a name means: a chat is sent to nobody who does not have the model that it asks for.

Names are the providers' own. `vendor/model` is OpenRouter's way of writing, and Groq's for models of other makers; any
other name without a slash is one of Ollama's, where a tag (`gpt-oss:20b`) tells it from a maker's own.
"""

from __future__ import annotations

import re

# Of the makers' own names: models that only speak, draw, transcribe or search, or answer through another interface.
OTHER_WORK = re.compile(
    r"realtime|audio|transcribe|tts|image|gpt-3\.5-turbo-instruct|codex|deep-research|embed|live|ocr|"
    r"\bo\d+-pro|gpt-5[\d.]*-pro"
)
OWN = {
    name: re.compile(pattern, re.ASCII)
    for name, pattern in {
        "openai": r"(gpt-(?!oss)|chatgpt-|o\d)[\w.-]*|ft:gpt-[\w.:-]+",
        "anthropic": r"claude-[\w.-]+",
        "google_gemini": r"(gemini|gemma)-[\w.-]+",
        "mistral": r"(mistral|ministral|magistral|codestral|devstral|pixtral|voxtral)-[\w.-]*(latest|\d{4})|"
        r"open-mi[sx]tral-[\w.-]+",
        "deepseek": r"deepseek-(chat|reasoner|v[4-9][\w.-]*)",
        "groq": r"llama-\d[\w.-]*|(groq|moonshotai)/[\w.-]+|openai/gpt-oss-[\w.-]+|qwen/qwen3-[\w.-]+|"
        r"meta-llama/llama-(4|guard)-[\w.-]+",
        "openrouter": r"(?!hf\.co/)[a-z~][\w.~-]*/[\w.:-]+",
    }.items()
}
_LOCAL = re.compile(r"(hf\.co/[\w.-]+/)?\w[\w.-]*(:[\w.-]+)?", re.ASCII)


def has(provider: str, model: str) -> bool:
    """Whether *model* is written as *provider* writes its chat models."""
    return OWN[provider].fullmatch(model) is not None and ("/" in model or not OTHER_WORK.search(model))


def is_local(model: str) -> bool:
    """Whether it is a name for Ollama: nobody else's."""
    named = _LOCAL.fullmatch(model) is not None and not model.startswith("ft:")
    return named and not any(pattern.fullmatch(model) for pattern in OWN.values())
