"""Language models as a plugin. Nothing that is said is stored."""

from __future__ import annotations

from gateway.core.contract import Plugin
from plugins.assistant.fields import AssistantMutation, AssistantQuery, AssistantSubscription

plugin = Plugin(name="assistant", query=AssistantQuery, mutation=AssistantMutation, subscription=AssistantSubscription)
