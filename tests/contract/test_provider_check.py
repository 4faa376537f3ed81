"""The suite itself: a sound scratch provider passes, and each way of being unsound is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.core.check.provider import Verdict, check_provider, providers_at
from tests.contract.scratch import MODULE, recording, write_provider


async def judged(folder: Path, module: str = MODULE, cases: Any = None, capability: str = "quotes") -> Verdict:
    (cls,) = providers_at(write_provider(folder, module, recording() if cases is None else cases, capability))
    return await check_provider(cls)


async def test_a_sound_provider_passes(tmp_path: Path):
    assert await judged(tmp_path) == Verdict(provider="scratch", cases=2, findings=())


async def test_a_folder_of_adapters_is_checked_as_a_whole(tmp_path: Path):
    write_provider(tmp_path)
    (tmp_path / "_dialect.py").write_text('"""Shared words."""\n')

    assert [cls.profile.id for cls in providers_at(tmp_path)] == ["scratch"]


def spoiled_answer(cases: dict[str, Any]) -> None:
    cases["cases"][0]["expect"][0]["price"] = "91234.12345678901"


def other_parameter(cases: dict[str, Any]) -> None:
    cases["cases"][0]["exchanges"][0]["request"]["params"] = {"pair": "BTCUSD"}


def no_parameters(cases: dict[str, Any]) -> None:
    del cases["cases"][0]["exchanges"][0]["request"]["params"]


def spare_exchange(cases: dict[str, Any]) -> None:
    cases["cases"][0]["exchanges"].append({"request": {"path": "/time"}, "body": {}})


def missing_exchange(cases: dict[str, Any]) -> None:
    cases["cases"][0]["exchanges"] = []


def refused_answer(cases: dict[str, Any]) -> None:
    cases["cases"][0]["exchanges"][0]["body"] = {"error": "gone"}


def answered_refusal(cases: dict[str, Any]) -> None:
    cases["cases"][1]["exchanges"][0]["body"] = {"last": "1", "at": 0}


def other_refusal(cases: dict[str, Any]) -> None:
    cases["cases"][1]["error"] = "NOT_COVERED"


def derivative(cases: dict[str, Any]) -> None:
    cases["cases"][0]["ask"]["instruments"] = ["crypto:BTC/USD:BTC"]


def unreadable_ask(cases: dict[str, Any]) -> None:
    cases["cases"][0]["ask"] = {"instruments": ["BTC"]}


def no_answered_case(cases: dict[str, Any]) -> None:
    del cases["cases"][0]


def neither_expect_nor_error(cases: dict[str, Any]) -> None:
    del cases["cases"][0]["expect"]


def misspelt_key(cases: dict[str, Any]) -> None:
    cases["cases"][0]["exchanges"][0]["request"]["parms"] = {}


def twice_the_name(cases: dict[str, Any]) -> None:
    cases["cases"][1]["name"] = "a pair"


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (spoiled_answer, "$[0].price is '91234.123456789012345', expected '91234.12345678901'"),
        (other_parameter, "sends GET /ticker?pair=BTC-USD, recorded is GET /ticker?pair=BTCUSD"),
        (no_parameters, "sends GET /ticker?pair=BTC-USD, recorded is GET /ticker?…"),
        (spare_exchange, "the exchange GET /time {} was not used"),
        (missing_exchange, "sends GET /ticker?pair=BTC-USD, recorded is nothing more"),
        (refused_answer, "raises UNKNOWN_INSTRUMENT (scratch: gone) where an answer was expected"),
        (answered_refusal, "where UNKNOWN_INSTRUMENT was expected"),
        (other_refusal, "raises UNKNOWN_INSTRUMENT (scratch: no such pair) where NOT_COVERED was expected"),
        (derivative, "does not cover {'instruments': ['crypto:BTC/USD:BTC']}, so nobody would ask it"),
        (unreadable_ask, "its ask cannot be read: instruments: 'BTC' has no asset class"),
        (no_answered_case, "quotes: declared, but no recording has an answered case"),
        (neither_expect_nor_error, "recordings/scratch/quotes.json: case 'a pair' needs either 'expect' or 'error'"),
        (misspelt_key, "recordings/scratch/quotes.json: Object contains unknown field `parms`"),
        (twice_the_name, "recordings/scratch/quotes.json: two cases are called 'a pair'"),
    ],
)
async def test_a_recording_that_does_not_fit_is_named(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], finding: str
):
    cases = recording()
    spoil(cases)

    verdict = await judged(tmp_path, cases=cases)

    assert any(finding in found for found in verdict.findings), verdict.findings


async def test_a_recording_of_something_that_is_not_declared_is_named(tmp_path: Path):
    verdict = await judged(tmp_path, capability="trades")

    assert verdict.findings == (
        "quotes: declared, but no recording has an answered case",
        "trades: recorded, but not declared",
    )


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (
            'body.decimal("last")',
            'Decimal(body["last"].value)',
            "quotes, $.last replaced by None in exchange 0: crashes",
        ),
        ('body.decimal("last")', 'body.maybe("last") or Decimal(7)', "replaced by null: answers 7, which nobody sent"),
        ("/ticker", "/tick", "'a pair': sends GET /tick?pair=BTC-USD, recorded is GET /ticker?pair=BTC-USD"),
        ('body.decimal("last")', "Decimal(7)", "'a pair': $[0].price is '7', expected '91234.123456789012345'"),
        ("if said else None", "if said else Throttled(self.profile.id, 'no')", "'a pair': raises UPSTREAM_THROTTLED"),
        ("if said else None", "if said or reply.status == 401 else None", "quotes, 401 in exchange 0: "),
        ('body.epoch("at")', "self_made()", "scratch.py line 45: reads the clock with datetime.now()"),
        (
            "(instrument,) = ask.instruments",
            "print(instrument := ask.instruments[0])",
            "scratch.py line 28: calls print()",
        ),
    ],
)
async def test_an_adapter_that_does_not_keep_the_contract_is_named(tmp_path: Path, old: str, new: str, finding: str):
    module = MODULE.replace(old, new).replace(
        "from schema.symbols", "from decimal import Decimal\nfrom schema.errors import Throttled\nfrom schema.symbols"
    )
    if "self_made" in new:
        module = module.replace("self_made()", "datetime.now(UTC)") + "\nfrom datetime import UTC, datetime\n"

    verdict = await judged(tmp_path, module)

    assert module != MODULE
    assert any(finding in found for found in verdict.findings), verdict.findings


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("raise KeyError('x')", "scratch.py does not load: KeyError: 'x'"),
        ('"""Nothing."""', "scratch.py does not load: RuntimeError: .* must define one Provider whose id is 'scratch'"),
        (MODULE.replace('id="scratch"', 'id="other"'), "must define one Provider whose id is 'scratch'"),
    ],
)
def test_a_module_that_is_no_provider_is_refused_by_name(tmp_path: Path, module: str, reason: str):
    with pytest.raises(RuntimeError, match=reason):
        providers_at(write_provider(tmp_path, module))


def test_an_empty_folder_holds_no_adapter(tmp_path: Path):
    with pytest.raises(RuntimeError, match="holds no adapter module"):
        providers_at(tmp_path)


async def test_requests_may_come_in_any_order_and_each_exchange_serves_once(tmp_path: Path):
    cases = recording()
    first = cases["cases"][0]
    other = {"request": {"path": "/book", "params": {"pair": "BTC-USD"}}, "body": {"bid": "0"}}
    first["exchanges"] = [first["exchanges"][0], other]
    both = MODULE.replace(
        'body = await self.http.get("/ticker", {"pair": f"{instrument.base}-{instrument.quote}"})',
        'pair = {"pair": f"{instrument.base}-{instrument.quote}"}\n'
        '        _, body = await gather(self.http.get("/book", pair), self.http.get("/ticker", pair))',
    )
    both = both.replace("from providers.contract", "from asyncio import gather\n\nfrom providers.contract")
    del cases["cases"][1]

    assert await judged(tmp_path / "both", both, cases) == Verdict(provider="scratch", cases=1, findings=())
    twice = both.replace('"/book"', '"/ticker"')
    assert (await judged(tmp_path / "twice", twice, cases)).findings == (
        "quotes, 'a pair': sends GET /ticker?pair=BTC-USD, recorded is GET /book?pair=BTC-USD",
    )
