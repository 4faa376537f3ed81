"""Everything printed in the docs is run: queries on the offline market, commands as processes, links on disk."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.printed import ROOT, blocks_of, blocks_of_clients
from tests.forked import Forked, run

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BY_OTHERS = {
    "CONTRIBUTING.md": "tests/contract/test_contributing.py",
    "docs/adapters.md": "tests/contract/test_adapter_docs.py",
    "docs/feeds.md": "tests/contract/test_feed_docs.py",
    "docs/receivers.md": "tests/e2e/webhooks/test_receivers.py",
    "docs/tutorial.md": "tests/contract/test_tutorial.py",
    "docs/guides/plugin.md": "tests/contract/test_plugin_guide.py",
}
"""Pages whose code is run by a test of their own: all but `graphql` and `sh`, or all of it for those that follow."""
WHOLLY = {"docs/tutorial.md", "docs/guides/plugin.md"}
SHOWN = {
    "json": "what arrives or is sent; samples of events and errors are compared with the code by their own tests",
    "text": "what is printed, listings, and commands of another machine",
    "toml": "part of a file", "yaml": "part of a file", "ini": "part of a file", "promql": "asked of Prometheus",
    "go": "no Go is part of the development environment",
}  # fmt: skip
"""Languages that nothing here runs, and why."""
OTHERS_RUN = {
    r"make |MARKETGATE_UPSTREAMS=live make run": "verbs of the Makefile exist; `make run` has a test, and CI runs them",
    r"marketgate provider new ": "tests/contract/test_contributing.py",
    r"marketgate webhooks ": "it needs a receiver: tests/e2e/webhooks/test_receivers.py, tests/e2e/newcomer",
    r"marketgate watch .* --url ": "it needs a gateway: tests/e2e/newcomer",
    r"marketgate doctor": "its verdict depends on the machine's ports: tests/gateway/cli/test_doctor.py",
    r"marketgate (worker|serve)": "it runs until it is ended: tests/gateway/cli/test_process.py",
    r"docker |kubectl |kustomize |helm |deploy/|\./deploy/|promtool ": "it needs an engine, a cluster or a tool",
    r"git |go |npm |npx |cd schema/client/|pip |python -m pip |export ": "it changes the machine, not the gateway",
}
"""Commands that are not run here, and where or why not."""


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, body)
        for page in PAGES
        for kind, body in blocks_of(page.read_text(encoding="utf-8"))
        if kind == language and page.relative_to(ROOT).as_posix() not in WHOLLY
    ]


def commands() -> list[tuple[str, str]]:
    """Each once, with the first page that prints it; by its name, also where its place is printed."""
    found: dict[str, str] = {}
    for page, body in blocks("sh"):
        for line in filter(None, map(str.strip, body.replace("\\\n", " ").splitlines())):
            found.setdefault(line.removeprefix(".venv/bin/"), page)
    return [(page, line) for line, page in found.items()]


QUERIES = [each for each in blocks("graphql") if not each[1].startswith("subscription")]
SUBSCRIPTIONS = [each for each in blocks("graphql") if each[1].startswith("subscription")]
COMMANDS = commands()
STATEFUL = re.compile(r"marketgate (db|tenants|operators|audit|ledger) ")
ELSEWHERE = re.compile("|".join(OTHERS_RUN))
ASKING = [
    (page, line)
    for page, line in COMMANDS
    if line.startswith("marketgate ") and not ELSEWHERE.match(line) and not STATEFUL.match(line)
]
CURLS = [line for _, line in COMMANDS if line.startswith("curl ") and "event-stream" not in line]
STREAMING = [line for _, line in COMMANDS if line.startswith("curl ") and "event-stream" in line]
KEEPING = [line for _, line in COMMANDS if STATEFUL.match(line)]
KEY = re.compile(rb"\bmg_dev_[0-9A-Za-z]+_[0-9A-Za-z]+\b")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A gateway process on the offline market, and the key that it prints; `make run` has a test of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = str(tmp_path_factory.mktemp("state"))
    env = {
        **os.environ, "MARKETGATE_ENV": "development", "MARKETGATE_PORT": str(port), "MARKETGATE_DATA_DIR": folder,
    }  # fmt: skip
    told = Path(folder) / "told"
    with told.open("wb") as file:
        process = Forked(["serve"], env=env, cwd=ROOT, stdout=file, stderr=file)
    try:
        wait_for(port)
        for _ in range(400):
            if found := KEY.search(told.read_bytes()):
                break
            time.sleep(0.05)
        assert found, told.read_text()
        yield f"http://127.0.0.1:{port}", found.group().decode()
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the gateway did not start")


def test_there_are_queries_and_commands_to_run() -> None:
    assert len(QUERIES) >= 4
    assert len(SUBSCRIPTIONS) >= 4
    assert len(ASKING) >= 4


@pytest.mark.parametrize(("page", "query"), QUERIES)
def test_a_printed_query_answers_without_errors(gateway: tuple[str, str], page: str, query: str) -> None:
    url, key = gateway
    # What the README asks works without a key as well, but for what it says needs one.
    public = page == "README.md" and not query.startswith(("mutation", "query Majors"))
    credential = {} if public else {"x-api-key": key}

    answer = ask(url, with_ids(query, url, key), credential)

    assert "errors" not in answer
    assert None not in answer["data"].values()
    refused = [found["userErrors"] for found in answer["data"].values() if "userErrors" in found]
    assert not any(refused), refused


def ask(url: str, query: str, credential: dict[str, str]) -> dict[str, Any]:
    body = json.dumps({"query": query}).encode()
    asked = urllib.request.Request(f"{url}/graphql", body, {"content-type": "application/json", **credential})
    return dict(json.loads(urllib.request.urlopen(asked).read()))


def with_ids(query: str, url: str, key: str) -> str:
    """A query about an endpoint, a delivery or a portfolio that is there."""
    if "portfolio_…" in query:
        return query.replace("portfolio_…", portfolio_of(url, key))
    if "tacc_…" in query:
        account = account_of(url, key, holding="hedgeAnalyze" in query)
        query = query.replace("tacc_…", account)
        return query.replace("entry_…", pending_of(url, key, account)) if "entry_…" in query else query
    if "hook_…" not in query and "dlv_…" not in query:
        return query
    create = """mutation { webhookEndpointCreate(input: {url: "http://127.0.0.1:9/", eventTypes: ["*"]}) {
      webhookEndpoint { id } } }"""
    made = ask(url, create, {"x-api-key": key})
    hook = made["data"]["webhookEndpointCreate"]["webhookEndpoint"]["id"]
    test = f'mutation {{ webhookEndpointTest(input: {{id: "{hook}"}}) {{ delivery {{ id }} }} }}'
    tested = ask(url, test, {"x-api-key": key})
    delivery = tested["data"]["webhookEndpointTest"]["delivery"]["id"]
    return query.replace("hook_…", hook).replace("dlv_…", delivery)


def account_of(url: str, key: str, *, holding: bool) -> str:
    """The id of a new trading account; with a position."""
    create = """mutation { tradingAccountCreate(input: {
      name: "Paper", currency: "USD", initialBalance: "10000", margin: MARGIN, leverage: "5"
    }) { account { id } userErrors { message } } }"""
    made = ask(url, create, {"x-api-key": key})
    account = str(made["data"]["tradingAccountCreate"]["account"]["id"])
    if holding:
        buy = f"""mutation {{ orderPlace(input: {{
          accountId: "{account}", symbol: "BTC/USD", side: BUY, type: MARKET, quantity: "0.01"
        }}) {{ order {{ id }} userErrors {{ message }} }} }}"""
        ask(url, buy, {"x-api-key": key})
    return account


def pending_of(url: str, key: str, account: str) -> str:
    """The id of an entry that waits."""
    hold = f"""mutation {{ accountDeposit(input: {{accountId: "{account}", currency: "USD", amount: "5"}}) {{
      entry {{ id }} }} accountWithdraw(input: {{
      accountId: "{account}", currency: "USD", amount: "5", pending: true}}) {{ entry {{ id }} }} }}"""
    return str(ask(url, hold, {"x-api-key": key})["data"]["accountWithdraw"]["entry"]["id"])


def portfolio_of(url: str, key: str) -> str:
    """The id of a portfolio of two coins."""
    create = """mutation { portfolioCreate(input: {name: "Growth", currency: "USD", holdings: [
      {symbol: "BTC/USD", quantity: "1", price: "100"}, {symbol: "ETH/USD", quantity: "10", price: "10"}
    ]}) { portfolio { id } userErrors { message } } }"""
    made = ask(url, create, {"x-api-key": key})
    return str(made["data"]["portfolioCreate"]["portfolio"]["id"])


@pytest.mark.parametrize(("page", "query"), SUBSCRIPTIONS)
def test_a_printed_subscription_begins_with_a_message_without_errors(
    gateway: tuple[str, str], page: str, query: str
) -> None:
    url, key = gateway
    headers = {"content-type": "application/json", "accept": "text/event-stream", "x-api-key": key}
    asked = urllib.request.Request(f"{url}/graphql", json.dumps({"query": with_ids(query, url, key)}).encode(), headers)

    with urllib.request.urlopen(asked) as answer:
        data = next(line for line in answer if line.startswith(b"data: "))

    assert "errors" not in json.loads(data.removeprefix(b"data: "))


def test_the_printed_curl_call_for_a_stream_begins_with_a_price(gateway: tuple[str, str]) -> None:
    url, key = gateway
    (line,) = STREAMING
    words = shlex.split(line.replace("http://127.0.0.1:8000", url).replace("mg_…", key))

    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        data = next(told for told in process.stdout if told.startswith(b"data: "))
        process.kill()

    (quote,) = json.loads(data.removeprefix(b"data: "))["data"]["quotes"]["quotes"]
    assert quote["price"].replace(".", "").isdigit()


@pytest.mark.parametrize(("page", "line"), ASKING)
def test_a_printed_command_succeeds(page: str, line: str, tmp_path: Path) -> None:
    env = {**os.environ, "MARKETGATE_ENV": "development"}
    if line.startswith("marketgate provider check"):
        line = "marketgate provider check providers/crypto/kraken.py"
    if line.startswith("marketgate portfolio report"):
        line += f" --out {tmp_path}/page.html"

    done = run(shlex.split(line)[1:], env=env, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_printed_commands_that_keep_something_succeed_one_after_the_other(tmp_path: Path) -> None:
    env = {**os.environ, "MARKETGATE_ENV": "development", "MARKETGATE_DATA_DIR": str(tmp_path)}
    upgrade, *rest = sorted(KEEPING, key=lambda line: line != "marketgate db upgrade")
    assert upgrade == "marketgate db upgrade"
    assert len(rest) >= 9
    tenant = ""

    for line in (upgrade, *rest):
        words = [tenant if word == "ten_…" else word for word in shlex.split(line)[1:]]
        done = run(words, env=env, cwd=ROOT)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        if "tenants create" in line:
            tenant = re.findall(r"ten_\w+", done.stdout)[0]


def test_the_printed_curl_calls_get_a_price_and_the_development_organisation(gateway: tuple[str, str]) -> None:
    url, key = gateway
    anonymous, keyed = [line for line in CURLS if "/graphql" in line]

    def run(line: str) -> dict[str, Any]:
        return dict(json.loads(curl(line, url, key))["data"])

    assert run(anonymous)["quote"]["price"].replace(".", "").isdigit()
    assert run(keyed)["viewer"]["tenant"]["name"] == "Development"


def test_the_printed_curl_call_for_a_file_writes_a_whole_one(gateway: tuple[str, str]) -> None:
    (line,) = [line for line in CURLS if "/graphql" not in line]

    *rows, last = curl(line, *gateway).decode().splitlines()

    assert rows[0] == "# instrument: crypto:BTC/USD"
    assert last == "# complete: 744 rows, 0 missing"


def curl(line: str, url: str, key: str) -> bytes:
    line = line.replace("http://127.0.0.1:8000", url).replace("mg_…", key)
    return subprocess.run(shlex.split(line), capture_output=True, check=True).stdout


def test_whatever_is_printed_as_code_is_run_or_said_not_to_be():
    unknown = [
        f"{page.relative_to(ROOT)}: {kind or 'no language'}"
        for page in PAGES
        for kind, body in blocks_of(page.read_text(encoding="utf-8"))
        if kind not in {"sh", "graphql", *SHOWN}
        and page.relative_to(ROOT).as_posix() not in BY_OTHERS
        and body not in blocks_of_clients()
    ]
    run_here = {*(line for _, line in ASKING), *CURLS, *STREAMING, *KEEPING}

    assert unknown == []
    assert [line for _, line in COMMANDS if line not in run_here and not ELSEWHERE.match(line)] == []
    assert [page for page, test in BY_OTHERS.items() if Path(page).name not in (ROOT / test).read_text()] == []


def test_code_of_a_client_is_known_by_its_readme():
    receivers = (ROOT / "docs" / "receivers.md").read_text(encoding="utf-8")

    shared = [kind for kind, body in blocks_of(receivers) if body in blocks_of_clients()]

    assert shared == ["python", "js"]


def test_no_page_shows_the_marks_of_a_merge():
    marks = ("<<<<<<< ", "=======", ">>>>>>> ")

    assert [
        f"{page.name}: {line}"
        for page in PAGES
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith(marks)
    ] == []


def test_every_printed_make_verb_exists() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    verbs = set(re.findall(r"`make ([a-z]+)", text)) | {line.split()[-1] for _, line in COMMANDS if "make " in line}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert {verb for verb in verbs if not re.search(rf"^{verb}:", makefile, re.MULTILINE)} == set()
    assert {"run", "test", "check", "bench", "gen", "setup"} <= verbs


def test_make_run_prints_a_page_that_answers(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "MARKETGATE_PORT": str(port), "MARKETGATE_DATA_DIR": str(tmp_path)}
    # Settings that a shell around this test may hold for `make` itself must not reach the inner one.
    env = {name: value for name, value in env.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS")}
    with subprocess.Popen(
        ["make", "run"], env=env, cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as run:
        try:
            wait_for(port)
            page = urllib.request.urlopen(f"http://127.0.0.1:{port}/")
        finally:
            os.killpg(run.pid, signal.SIGTERM)
            told = run.communicate(timeout=20)[0].decode()

    assert page.status == 200
    assert f"http://127.0.0.1:{port}" in told
    assert "SIMULATED" in told
