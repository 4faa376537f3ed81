"""First drafts of adapters of economic series, and of language models that speak OpenAI's dialect."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from string import Template
from typing import Any

Cases = dict[str, list[dict[str, Any]]]
"""Of the recordings, by their capabilities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An adapter, and what is recorded of it; both take its id, name, class and host."""

    module: Template
    cases: Callable[[dict[str, str]], Cases]


MACRO = Template('''"""$name: economic series. Docs: https://$host/docs"""

from __future__ import annotations

from providers.contract import Licence, Profile, Provider, Reply, answers, per_minute
from providers.macro._periods import first_day, frequency_of, observed
from providers.row import Row
from schema.errors import UnknownInstrument, UpstreamError
from schema.symbols import AssetClass
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Observation, own_code


def code_of(ask: EconomicSeriesAsk) -> str | None:
    """Its own codes; None for vintages, which the upstream does not keep."""
    return None if ask.known_at is not None or ask.vintages else own_code(ask.series, "$id")


class $cls(Provider):
    """A whole series a call."""

    profile = Profile(
        id="$id",
        name="$name",
        base_url="https://$host",
        docs="https://$host/docs",
        asset_classes=(AssetClass.MACRO,),
        licence=Licence(note="Unknown: read the terms before anybody relies on it."),
        limits=(per_minute(60),),
    )

    @answers(ECONOMIC_SERIES, covers=lambda ask: code_of(ask) is not None)
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """The range is cut here."""
        return parse_series(ask, await self.http.get("/series", {"id": code_of(ask) or ""}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals have an `error` in words."""
        said = reply.body.get("error")
        return None if said is None else UnknownInstrument(self.profile.id, said.text())


def parse_series(ask: EconomicSeriesAsk, body: Row) -> EconomicSeries:
    """Values under `observations`, in no order."""
    rows = list(body["observations"])
    return EconomicSeries(
        series=ask.series,
        code=code_of(ask) or "",
        title=body.maybe_text("title"),
        unit=body.maybe_text("unit"),
        frequency=frequency_of(rows[0].text("period")) if rows else None,
        observations=observed(ask, map(parse_observation, rows)),
    )


def parse_observation(row: Row) -> Observation:
    """A period without a value has null."""
    return Observation(date=first_day(row, "period"), value=row.maybe("value"))
''')

ASSISTANTS = Template('''"""$name: chats, whole and streamed. Docs: https://$host/docs"""

from __future__ import annotations

from collections.abc import AsyncIterator

from providers.assistants._chat import LICENCE, streamed
from providers.assistants._openai import Ways, body_of, parse_chunk, parse_models, parse_reply, refusal
from providers.contract import Profile, Provider, Reply, answers, header
from schema.errors import UpstreamError
from schema.words.chat import CHAT, CHAT_MODELS, CHAT_STREAM, ChatAsk, ChatDelta, ChatModel, ChatModelsAsk, ChatReply

PATH = "/chat/completions"
# Where it departs from OpenAI.
WAYS = Ways()


def covered(ask: ChatAsk) -> bool:
    """Its models, by how they are named: a chat is sent to nobody else's."""
    return ask.model.startswith("$id-")


class $cls(Provider):
    """Chat completions."""

    profile = Profile(
        id="$id",
        name="$name",
        base_url="https://$host",
        docs="https://$host/docs",
        asset_classes=(),
        licence=LICENCE,
        credentials=(header("authorization", template="Bearer {}", sign_up="https://$host/keys"),),
    )

    @answers(CHAT, covers=covered)
    async def chat(self, ask: ChatAsk) -> ChatReply:
        """One choice."""
        return parse_reply(await self.http.post(PATH, body_of("$id", ask, WAYS)))

    @answers(CHAT_STREAM, covers=covered)
    def chat_stream(self, ask: ChatAsk) -> AsyncIterator[ChatDelta]:
        """Usage stands behind the end."""
        return streamed(self.http.stream(PATH, body_of("$id", ask, WAYS, stream=True)), parse_chunk)

    @answers(CHAT_MODELS)
    async def chat_models(self, ask: ChatModelsAsk) -> tuple[ChatModel, ...]:
        """All of them chat."""
        return parse_models(await self.http.get("/models"), lambda _: True)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """As OpenAI says it."""
        return refusal("$id", reply)
''')


def _case(
    name: str, ask: dict[str, Any], request: dict[str, Any], reply: dict[str, Any], **rest: Any
) -> dict[str, Any]:
    return {"name": name, "ask": ask, "exchanges": [{"request": request, "status": 200, **reply}], **rest}


def _macro(facts: dict[str, str]) -> Cases:
    series = f"{facts['id']}/CPI"
    request = {"path": "/series", "params": {"id": "CPI"}}
    periods = [{"period": "2026-10", "value": None}, {"period": "2026-09", "value": "324.800"}]
    body = {"title": "Consumer prices", "unit": "2015 = 100", "observations": periods}
    read = {
        "series": series, "code": "CPI", "title": "Consumer prices", "unit": "2015 = 100", "frequency": "MONTHLY",
        "observations": [{"date": "2026-09-01", "value": "324.800"}, {"date": "2026-10-01", "value": None}],
    }  # fmt: skip
    cut = {**read, "observations": [{"date": "2026-10-01", "value": None}]}
    unknown = {"path": "/series", "params": {"id": "NOSUCH"}}
    return {
        "economicSeries": [
            _case("a month has no value yet", {"series": series}, request, {"body": body}, expect=read),
            _case("a range", {"series": series, "start": "2026-10-01"}, request, {"body": body}, expect=cut),
            _case(
                "not known", {"series": f"{facts['id']}/NOSUCH"}, unknown, {"body": {"error": "no such series"}},
                error="UNKNOWN_INSTRUMENT",
            ),
        ]
    }  # fmt: skip


def _assistants(facts: dict[str, str]) -> Cases:
    model, said = f"{facts['id']}-1", {"role": "user", "content": "What is 6 times 7?"}
    ask = {"model": model, "messages": [{"role": "USER", "text": said["content"]}]}
    body = {"model": model, "messages": [said]}
    sent = {"path": "/chat/completions", "method": "POST", "body": body}
    asked = {**sent, "body": {**body, "stream": True, "stream_options": {"include_usage": True}}}
    usage = {"prompt_tokens": 14, "completion_tokens": 1, "total_tokens": 15}
    choice = {"index": 0, "message": {"role": "assistant", "content": "42"}, "finish_reason": "stop"}
    chunks: list[dict[str, Any]] = [
        {"id": "c1", "model": model, "choices": [{"index": 0, "delta": {"content": "42"}, "finish_reason": None}]},
        {"id": "c1", "model": model, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"id": "c1", "model": model, "choices": [], "usage": usage},
    ]
    stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    whole = {"id": "c1", "model": model, "choices": [choice], "usage": usage}
    counted = {"input_tokens": 14, "output_tokens": 1}
    reply = {
        "id": "c1", "model": model, "message": {"role": "ASSISTANT", "text": "42"}, "finish_reason": "STOP",
        "usage": counted,
    }  # fmt: skip
    unknown = {"error": {"code": "model_not_found", "message": "no such model"}}
    listed = {"object": "list", "data": [{"id": model, "object": "model", "owned_by": facts["id"]}]}
    return {
        "chat": [
            _case("a chat goes on", ask, sent, {"body": whole}, expect=reply),
            _case("no such model", ask, sent, {"status": 404, "body": unknown}, error="UNKNOWN_INSTRUMENT"),
        ],
        "chatStream": [
            _case("a reply in pieces", ask, asked, {"text": stream}, expect=[
                {"id": "c1", "model": model, "text": "42"}, {"finish_reason": "STOP", "usage": counted},
            ])
        ],
        "chatModels": [
            _case("its models", {}, {"path": "/models"}, {"body": listed}, expect=[{"id": model, "owner": facts["id"]}])
        ],
    }  # fmt: skip


DRAFTS = {
    "macro": Draft(module=MACRO, cases=_macro),
    "assistants": Draft(module=ASSISTANTS, cases=_assistants),
}
