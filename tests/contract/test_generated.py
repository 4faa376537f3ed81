"""Generated files follow from the code, and the error page has every code that can leave."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, specified_scalar_types
from typer.testing import CliRunner

from gateway import clients, generate
from gateway.cli.app import app
from gateway.cli.codes import CODES
from gateway.core.settings import Settings
from gateway.readme import BEGIN, END, with_providers
from providers import discover
from schema.errors import FailureCode, MarketgateError
from tests.contract.suite import PROVIDERS

ROOT = Path(__file__).parents[2]
CLIENT_SEAL = "schema/client/typescript/generated.json"
CLIENT_SEALS = ("schema/client/python/generated.json", CLIENT_SEAL)
RAISERS = {"Refused", "refuse", "error_of"}


@pytest.fixture(scope="module")
def documents() -> dict[str, str]:
    """What the code says: seconds of work."""
    return generate.documents()


@pytest.fixture(autouse=True)
def generated_once(documents: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def written(root: Path = ROOT) -> dict[str, str]:
        return {**documents, "README.md": with_providers((root / "README.md").read_text(), list(PROVIDERS.values()))}

    monkeypatch.setattr(generate, "documents", written)


@pytest.fixture
def copy(documents: dict[str, str], tmp_path: Path) -> Path:
    """The generated files and the page, to be spoilt."""
    for name in (*documents, generate.SEAL):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    static = ROOT / "gateway/edge/static"
    shutil.copytree(static, tmp_path / "gateway/edge/static", dirs_exist_ok=True)
    ignored = shutil.ignore_patterns("node_modules")
    shutil.copytree(ROOT / "gateway/edge/page", tmp_path / "gateway/edge/page", ignore=ignored)
    ignored = shutil.ignore_patterns("node_modules", "dist")
    shutil.copytree(ROOT / "schema/client", tmp_path / "schema/client", ignore=ignored, dirs_exist_ok=True)
    return tmp_path


def test_the_committed_files_are_what_the_code_says():
    assert generate.differences(ROOT) == []


def test_writing_again_changes_nothing(copy: Path):
    assert generate.write(copy) == []


@pytest.mark.parametrize("name", ["schema/schema.graphql", "docs/errors.md", "deploy/env.example"])
def test_a_file_that_differs_or_is_missing_is_named_and_written_anew(copy: Path, name: str):
    path = copy / name
    text = path.read_text()
    # The clients are of the schema.
    spoilt = [name, *(CLIENT_SEALS if name == "schema/schema.graphql" else ())]
    path.write_text(text + "\n")

    assert generate.differences(copy) == spoilt
    path.unlink()
    assert generate.differences(copy) == spoilt
    assert generate.write(copy) == [name]
    assert path.read_text() == text


@pytest.mark.parametrize("name", ["docs/errors/NOPE.md", "docs/schema/gone.md", "docs/gone.md"])
def test_a_generated_page_of_what_is_gone_is_named_and_removed(copy: Path, name: str):
    shutil.copy(copy / "docs/errors/FORBIDDEN.md", copy / name)
    (copy / "docs/errors/written.md").write_text("# By hand\n")

    assert generate.differences(copy) == [name]
    assert generate.write(copy) == [name]
    assert generate.differences(copy) == []
    assert (copy / "docs/errors/written.md").exists()


@pytest.mark.parametrize(
    "path",
    ["gateway/edge/page/index.html", "gateway/edge/static/index.html", "gateway/edge/static/new.js", generate.SEAL],
)
def test_a_page_that_was_not_built_from_its_sources_is_found_without_node(copy: Path, path: str):
    with (copy / path).open("a") as file:
        file.write(" x")

    assert generate.differences(copy) == [generate.SEAL]


def test_the_packages_of_the_page_are_no_sources(copy: Path):
    package = copy / "gateway/edge/page/node_modules/react/index.js"
    package.parent.mkdir(parents=True)
    package.touch()

    assert generate.sealed(copy)


@pytest.mark.parametrize("path", [
    "schema/schema.graphql",
    "schema/client/typescript/codegen.js",
    "schema/client/typescript/codegen/package-lock.json",
    "schema/client/typescript/codegen/package.json",
    "schema/client/typescript/src/operations/market.graphql",
    "schema/client/typescript/src/operations/new.graphql",
    "schema/client/typescript/src/generated/operations.ts",
    "schema/client/typescript/src/generated/new.ts",
])  # fmt: skip
def test_a_client_that_was_generated_from_something_else_is_found_without_node(copy: Path, path: str):
    assert CLIENT_SEAL not in clients.stale(copy)
    with (copy / path).open("a") as file:
        file.write(" ")

    assert CLIENT_SEAL in clients.stale(copy)
    assert CLIENT_SEAL in generate.differences(copy)


@pytest.mark.parametrize("seal", CLIENT_SEALS)
def test_a_client_without_its_seal_is_not_generated(copy: Path, seal: str):
    (copy / seal).unlink()

    assert generate.differences(copy) == [seal]


def test_a_seal_that_names_less_than_its_client_is_generated_from_is_broken(copy: Path):
    told = json.loads((copy / CLIENT_SEAL).read_text())
    nothing = {"globs": [], "sha256": clients.listing_digest(copy, [])}
    (copy / CLIENT_SEAL).write_text(json.dumps({**told, "sources": nothing}, indent=2) + "\n")

    assert clients.stale(copy) == [CLIENT_SEAL]


def test_every_client_has_a_seal():
    folders = {path.name for path in (ROOT / clients.CLIENTS).iterdir() if path.is_dir() and path.name[0] != "_"}

    assert folders == set(clients.SEALED)


def test_what_a_client_does_not_generate_from_is_free_to_change(copy: Path):
    with (copy / "schema/client/typescript/src/client.ts").open("a") as file:
        file.write(" ")

    assert generate.differences(copy) == []


def test_the_clients_know_every_code():
    told = re.findall(r'^  \| "(\w+)"', (ROOT / clients.CODES).read_text(), re.MULTILINE)

    assert sorted(told) == sorted(map(str, CODES))


def test_a_check_names_each_file_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(generate, "differences", lambda _: ["docs/errors.md", generate.SEAL])

    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err == (
        "docs/errors.md is out of date: run make gen\n"
        "gateway/edge/static/fingerprint.json is out of date: run make gen\n"
    )


def test_an_unknown_option_writes_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generate, "write", lambda _: pytest.fail("wrote"))

    assert generate.main(["--chekc"]) == 2


def codes_of_the_edge() -> Iterator[str]:
    """First arguments of whatever makes an error there."""
    for file in (ROOT / "gateway" / "edge").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISERS and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def codes_of_errors(cls: type[MarketgateError] = MarketgateError) -> Iterator[str]:
    yield str(cls.code)
    for below in cls.__subclasses__():
        yield from codes_of_errors(below)


def test_every_code_that_can_leave_is_explained_and_nothing_else():
    routing = {HTTPStatus.NOT_FOUND.name, HTTPStatus.METHOD_NOT_ALLOWED.name}

    assert set(CODES) == {*codes_of_the_edge(), *codes_of_errors(), *map(str, FailureCode), *routing}


def test_every_code_has_a_page_which_the_index_leads_to():
    index = (ROOT / "docs" / "errors.md").read_text()
    pages = {code: (ROOT / "docs" / "errors" / f"{code}.md").read_text().partition("\n")[0] for code in CODES}

    assert pages == {code: f"# {code}" for code in CODES}
    assert [code for code in CODES if f"[`{code}`](errors/{code}.md)" not in index] == []


def test_every_type_and_root_field_of_the_schema_is_on_one_page():
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text())
    roots = {f"{root}.{name}" for root in ("Query", "Mutation", "Subscription") for name in fields_of(schema, root)}
    types = {name for name in schema.type_map if not name.startswith("__")} - set(specified_scalar_types)

    headings = [
        heading
        for page in (ROOT / "docs" / "schema").glob("*.md")
        for heading in re.findall(r"^### (\S+)$", page.read_text(), re.MULTILINE)
    ]

    assert sorted(headings) == sorted({*roots, *types} - {"Query", "Mutation", "Subscription"})


def fields_of(schema: GraphQLSchema, root: str) -> list[str]:
    kind = schema.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    return list(kind.fields)


def test_every_command_is_on_the_page_with_every_option_that_its_help_shows():
    page = (ROOT / "docs" / "cli.md").read_text()
    parts = dict(re.findall(r"^## (marketgate [a-z -]+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    runner = CliRunner()

    for command in ("candles", "portfolio report", "webhooks listen", "db downgrade"):
        told = runner.invoke(app, [*command.split(), "--help"]).output
        options = {word for word in re.findall(r"--[a-z][a-z-]+", told) if word != "--help"}
        assert {option for option in options if f"`{option}`" not in parts[f"marketgate {command}"]} == set(), command


def test_every_setting_and_every_key_is_in_both_pages():
    keys = {
        f"MARKETGATE_KEY_{c.profile.id.upper()}"
        for c in discover(third_party=False).classes.values()
        if c.profile.credentials
    }
    plain = {f"MARKETGATE_{name.upper()}" for name in Settings.model_fields} - {"MARKETGATE_KEYS", "MARKETGATE_TIERS"}

    example = set(re.findall(r"^#(MARKETGATE_\w+)=", (ROOT / "deploy" / "env.example").read_text(), re.MULTILINE))
    table = set(re.findall(r"^\| `(MARKETGATE_\w+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))

    assert example == plain | keys
    assert {name for name in table if not name.startswith("MARKETGATE_TIER_")} == plain | keys


def test_every_provider_is_in_the_table():
    rows = re.findall(
        r"^\| `(\w+)` \|(?:[^|]* \|){4}",
        (ROOT / "docs" / "providers.md").read_text(),
        re.MULTILINE,
    )

    assert set(rows) == set(discover(third_party=False).classes)


def test_the_readme_names_every_provider_once():
    page = (ROOT / "README.md").read_text()
    rows = page.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    named = [name for row in rows[2:] for name in row.split("|")[2].strip().split(", ")]
    live = [cls.profile.name for cls in PROVIDERS.values() if cls.profile.mode == "LIVE"]

    assert sorted(named) == sorted(live)
    assert rows[0] == "| family | providers |"
    assert len(rows) <= 12


@pytest.mark.parametrize("provider", ["Kraken", "YouTube"])
def test_a_readme_that_lacks_a_provider_is_found_and_mended_and_keeps_its_own_words(copy: Path, provider: str):
    path = copy / "README.md"
    own = path.read_text().replace("# Marketgate", "# Another", 1)
    path.write_text(re.sub(rf"\b{provider}\b", "Nobody", own))

    assert generate.differences(copy) == ["README.md"]
    assert generate.write(copy) == ["README.md"]
    assert path.read_text() == own


def test_a_readme_without_the_marks_gets_the_table_at_its_end():
    made = with_providers("# A page\n\n", [PROVIDERS["kraken"]])

    assert made == (
        f"# A page\n\n{BEGIN}\n| family | providers |\n|---|---|\n"
        f"| Crypto exchanges and aggregators | Kraken |\n{END}\n"
    )
    assert with_providers(made, [PROVIDERS["kraken"]]) == made


@pytest.mark.parametrize(("name", "kind"), [
    ("ANONYMOUS", "true or false"),
    ("ARCHIVE_DIR", "path"),
    ("COMPUTE_PROCESSES", "whole number, 1 to 256"),
    ("UPSTREAMS", "`live` or `recorded`"),
    ("WEBHOOK_ALLOW", "list, separated by commas"),
    ("SECRET_KEY", "text"),
])  # fmt: skip
def test_the_kind_of_a_setting_that_may_be_unset_is_told(name: str, kind: str):
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")

    assert f"| `MARKETGATE_{name}` | {kind} |" in page
