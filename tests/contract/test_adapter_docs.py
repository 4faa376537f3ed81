"""docs/adapters.md: the printed methods and parsers make one adapter, which declares and answers what the page says."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from providers.contract import Licence, Part, Profile, Provider, Reply
from providers.row import Row
from schema.errors import NotCovered
from schema.symbols import AssetClass, parse_instrument
from schema.words.chat import ChatAsk, ChatDelta, ChatMessage, ChatRole
from schema.words.derivatives import FundingRate, FundingRatesAsk
from schema.words.economics import EconomicSeriesAsk
from tests.contract.printed import ROOT, blocks_of

PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
PERPETUAL = parse_instrument("crypto:BTC/USDT:USDT")
# What the page leaves to the author of an adapter.
LEFT_OPEN = """
from collections.abc import AsyncIterator
from gateway.sdk import *

def is_perpetual(instrument):
    return instrument.settle is not None

def symbol_of(instrument):
    return f"{instrument.base}{instrument.quote}"

def body_of(ask):
    return {"model": ask.model}

def parse_chunk(row):
    yield ChatDelta(text=row.text("text"))
"""


class Said:
    """The port: what was asked of it, and what the upstream says."""

    def __init__(self, body: Any) -> None:
        self.body = body
        self.asked: list[tuple[str, Any]] = []

    async def get(self, path: str, params: Any = None) -> Row:
        self.asked.append((path, params))
        return Row("demo", self.body)

    async def stream(self, path: str, body: Any) -> AsyncIterator[Part]:
        self.asked.append((path, body))
        for each in self.body:
            yield Part(event="", body=Row("demo", each))


@pytest.fixture(scope="module")
def demo() -> Any:
    """A provider of all that is printed: what takes `self` is a method, the rest stands beside it."""
    nodes = [node for kind, body in blocks_of(PAGE) if kind == "python" for node in ast.parse(body).body]
    methods = [each for each in nodes if hasattr(each, "args") and [a.arg for a in each.args.args][:1] == ["self"]]
    module = ast.parse(
        f"from __future__ import annotations\n{LEFT_OPEN}\nclass Demo(Provider):\n    profile = PROFILE\n"
    )
    demo = module.body.pop()
    assert isinstance(demo, ast.ClassDef)
    demo.body += methods
    module.body += [*(each for each in nodes if each not in methods), demo]
    made = ModuleType("demo")
    vars(made)["PROFILE"] = Profile(
        id="demo", name="Demo", base_url="https://demo.example", docs="https://demo.example/docs",
        asset_classes=(AssetClass.CRYPTO,), licence=Licence(note="None."),
    )  # fmt: skip
    exec(compile(ast.fix_missing_locations(module), "docs/adapters.md", "exec"), vars(made))
    return made


def test_what_is_printed_is_declared(demo: Any):
    assert issubclass(demo.Demo, Provider)
    assert sorted(demo.Demo.offers) == ["chatStream", "economicSeries", "fees", "fundingRates", "news"]
    assert demo.Demo.offers["fundingRates"].max_batch == 1
    covers = demo.Demo.offers["economicSeries"].covers
    asks = (EconomicSeriesAsk(series=name) for name in ("US.CPI", "fred/DEXUSEU", "ecb/EXR", "GB.CPI"))
    assert [covers(ask) for ask in asks] == [True, True, False, False]


async def test_the_printed_method_asks_and_its_parser_fills_every_value(demo: Any):
    http = Said(
        {"time": 1795176000000, "lastFundingRate": "0.00010000", "nextFundingTime": 1795190400000, "markPrice": 0}
    )

    (rate,) = await demo.Demo(http, None).funding_rates(FundingRatesAsk(instruments=(PERPETUAL,)))

    assert http.asked == [("/v1/premiumIndex", {"symbol": "BTCUSDT"})]
    assert rate == FundingRate(
        instrument=PERPETUAL, as_of=datetime(2026, 11, 20, 12, tzinfo=UTC), rate=Decimal("0.00010000"),
        time=datetime(2026, 11, 20, 16, tzinfo=UTC), settled=False, mark_price=None,
    )  # fmt: skip


def test_the_printed_explanation_reads_a_refusal_and_leaves_other_replies(demo: Any):
    adapter = demo.Demo(Said(None), None)

    def explained(body: Any) -> Any:
        return adapter.explain(Reply(status=200, headers={}, body=Row("demo", body)))

    refusal = explained({"message": "NOTOK", "result": "no such chain"})
    assert (type(refusal), refusal.message) == (NotCovered, "demo: no such chain")
    assert explained({"message": "OK", "result": "1"}) is None
    assert explained({"result": "1"}) is None


async def test_the_printed_stream_yields_each_delta(demo: Any):
    http = Said([{"text": "Hello"}, {"text": "."}])
    ask = ChatAsk(model="gpt-5", messages=(ChatMessage(role=ChatRole.USER, text="Say hello."),))

    told = [delta async for delta in demo.Demo(http, None).chat_stream(ask)]

    assert told == [ChatDelta(text="Hello"), ChatDelta(text=".")]
    assert http.asked == [("/chat/completions", {"model": "gpt-5", "stream": True})]
