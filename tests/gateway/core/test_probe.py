"""What a provider is asked to find out whether a key works."""

from __future__ import annotations

from typing import cast

import pytest

from gateway.core.probe import first_question
from providers.assistants.ollama import Ollama
from providers.contract import Http, Provider
from providers.crypto.kraken import Kraken
from tests.gateway.doubles import ManualClock


@pytest.mark.parametrize(("cls", "capability"), [(Ollama, "chatModels"), (Kraken, "quotes")])
def test_a_key_is_tried_with_a_quote_or_with_what_costs_least(cls: type[Provider], capability: str) -> None:
    question = first_question(cls(cast(Http, None), ManualClock()))

    assert question is not None
    assert question.capability.name == capability
