"""The Python client as its own distribution: what its wheel holds and needs, and that its generated files are right."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import generate
import pytest
from generate import modules_of
from generator.reading import Unsupported

ROOT = Path(__file__).parents[4]
HOME = ROOT / "schema" / "client" / "python"
IMPORTED = """
import json, sys
import marketgate_client
from marketgate_client.webhooks import verify
client = marketgate_client.Client("http://127.0.0.1:1")
client.close()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
SERVER = {"gateway", "graphql", "msgspec", "numpy", "orjson", "pandas", "plugins", "providers", "pydantic", "schema",
          "starlette", "strawberry"}  # fmt: skip
SCHEMA = """
scalar Decimal
enum Side { "Sells." SELL BUY }
input Pick { side: Side! = BUY, most: Decimal!, maxAgeMs: Int }
interface Thing { id: ID! }
type Stock implements Thing { id: ID!, "What it costs." priceNow: Decimal, sides: [[Side!]], from: Stock }
type Query { stock(pick: Pick, symbol: String!): Stock!, thing: Thing, quote: Stock }
"""


def run(*words: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed(name: str) -> set[str]:
    """A distribution of this environment and all that it requires without extras."""
    found, todo = set(), [name]
    while todo:
        if (each := todo.pop()) not in found:
            found.add(each)
            requires = [line for line in distribution(each).requires or () if ";" not in line]
            todo += [match[0] for line in requires if (match := re.match(r"[\w.-]+", line))]
    return found


def test_a_clean_wheel_installs_and_imports_without_the_server(tmp_path: Path):
    source = shutil.copytree(HOME, tmp_path / "source", ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=source)
    [wheel] = tmp_path.glob("marketgate_client-*-py3-none-any.whl")
    place = tmp_path / "place"
    uv = Path(sys.executable).with_name("uv")
    run(uv, "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", place, wheel)
    # What it needs is copied from this environment: a test downloads nothing.
    for name in needed("httpx") | needed("websockets"):
        for file in distribution(name).files or ():
            top = place / file.parts[0]
            if file.parts[0] != ".." and not top.exists():
                top.symlink_to(str(distribution(name).locate_file(file.parts[0])))

    told = run(
        sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(place)!r})\n{IMPORTED}", cwd=tmp_path
    )

    assert SERVER & set(json.loads(told)) == set()
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    sources = {path.relative_to(HOME).as_posix() for path in (HOME / "marketgate_client").rglob("*") if path.is_file()}
    assert names == {name for name in sources if "__pycache__" not in name}
    assert {"marketgate_client/py.typed", "marketgate_client/webhooks.py"} <= names


def test_the_client_is_linted_and_formatted_by_its_own_settings():
    run(sys.executable, "-m", "ruff", "check", ".", cwd=HOME)
    run(sys.executable, "-m", "ruff", "format", "--check", ".", cwd=HOME)


def generated(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home / "marketgate_client" / "generated").glob("*.py")}


def test_generating_again_changes_nothing(tmp_path: Path):
    copy = shutil.copytree(HOME, tmp_path / "client" / "python", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "schema" / "schema.graphql", tmp_path / "schema.graphql")
    (copy / "marketgate_client" / "generated" / "stray.py").write_text("")

    run(sys.executable, copy / "generate.py")

    committed = {path.name: path.read_bytes() for path in (HOME / "marketgate_client" / "generated").glob("*.py")}
    assert {
        path.name: path.read_bytes() for path in (copy / "marketgate_client" / "generated").glob("*.py")
    } == committed
    assert (copy / "generated.json").read_bytes() == (HOME / "generated.json").read_bytes()


def test_a_check_names_what_is_another_or_too_many_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    committed = {name: content.decode() for name, content in generated(HOME).items()}
    spoilt = {**committed, "models.py": "", "enums.py": committed["enums.py"] + "\n"}
    monkeypatch.setattr(generate, "modules_of", lambda *_: {name: "" for name in spoilt if name != "inputs.py"})
    monkeypatch.setattr(generate, "formatted", lambda name, _: spoilt[name])

    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"schema/client/python/marketgate_client/generated/{name}.py is out of date: run make gen"
        for name in ("enums", "inputs", "models")
    ]
    monkeypatch.setattr(generate, "formatted", lambda name, _: committed[name])
    monkeypatch.setattr(generate, "modules_of", lambda *_: committed)
    assert (generate.main(["--check"]), generate.main(["--chekc"])) == (0, 2)
    assert {name: content.decode() for name, content in generated(HOME).items()} == committed


def made(operations: str) -> dict[str, str]:
    return modules_of(SCHEMA, operations)


def test_a_selection_becomes_a_class_with_pythons_names_and_types():
    models = made("query Share($pick: Pick, $symbol: String!) { stock(pick: $pick, symbol: $symbol) {\n"
                  "  priceNow sides from { id } } }")["models.py"]  # fmt: skip

    assert "class Stock:" not in models  # two selections of one type: each is named by its place
    assert "class Share:" in models
    assert "class ShareFrom:" in models
    assert "    price_now: Decimal | None\n    " + '"""What it costs."""' in models
    assert "    sides: tuple[tuple[enums.Side, ...] | None, ...] | None" in models
    assert "    from_: ShareFrom | None" in models
    assert 'price_now=None if (v0 := value["priceNow"]) is None else Decimal(v0),' in models


def test_methods_take_what_is_needed_first_and_the_rest_by_name():
    modules = made("query Stock($pick: Pick, $symbol: String!) { stock(pick: $pick, symbol: $symbol) { id } }")

    assert (
        "    def stock(self, symbol: str, *, pick: inputs.Pick | None = None) -> models.Stock:" in modules["methods.py"]
    )
    assert "    async def stock(self, symbol: str, *, pick" in modules["asyncmethods.py"]
    assert 'return self._ask(operations.STOCK, {"pick": pick, "symbol": symbol})' in modules["methods.py"]
    assert "    most: Decimal\n" in modules["inputs.py"]
    assert "    side: enums.Side | str | Unset = UNSET\n" in modules["inputs.py"]
    assert '    SELL = "SELL"\n' in modules["enums.py"]


def test_fields_that_are_null_beside_an_error_only_are_never_none():
    modules = made("query Quote { quote { id } } query Thing { thing { id } }")

    assert "def quote(self) -> models.Stock:" in modules["methods.py"]
    assert "def thing(self) -> models.Thing | None:" in modules["methods.py"]
    assert modules["operations.py"].count("nullable=True") == 1


def test_fragments_are_shared_classes_and_documents_bring_their_own():
    modules = made("fragment Stock on Stock { id priceNow }\nquery Quote { quote { ...Stock } }\n"
                   "query Both { stock(symbol: \"A\") { ...Stock from { ...Stock } } }")  # fmt: skip

    assert modules["models.py"].count("class Stock:") == 1
    assert "class Both:" in modules["models.py"]
    assert modules["operations.py"].count("fragment Stock on Stock {") == 2


@pytest.mark.parametrize(("operations", "told"), [
    ("query Wrong { quote { prise } }", "Cannot query field 'prise'"),
    ("query Two { quote { id } thing { id } }", "Two has not one root field"),
    ("query Kind { thing { id ... on Stock { priceNow } } }", "selects by type"),
    ("fragment Quote on Stock { id }\nquery Quote { quote { id from { id priceNow } } }\n"
     "query Other { quote { ...Quote } }", "two classes would be called Quote"),
])  # fmt: skip
def test_what_has_no_python_is_refused_and_named(operations: str, told: str):
    with pytest.raises(Unsupported, match=told):
        made(operations)
