"""`marketgate provider new` and `check`: a scaffold that passes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.cli.conftest import ROOT, Run

FAMILIES = {
    "assistants": ["chat", "chatStream", "chatModels"], "crypto": ["quotes"], "defi": ["quotes"],
    "equities": ["quotes"], "fx": ["quotes"], "macro": ["economicSeries"], "news": ["news"], "search": ["webSearch"],
    "video": ["videos"],
}  # fmt: skip
CASES = {"assistants": 4, "macro": 3, "news": 3, "search": 3, "video": 3}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of one as the scaffold writes to."""
    folder = tmp_path / "providers"
    for family in FAMILIES:
        (folder / family).mkdir(parents=True)
    (folder / "contract.py").touch()
    return folder


@pytest.mark.parametrize(("family", "capabilities"), FAMILIES.items())
def test_a_new_provider_passes_the_check_as_it_is(command: Run, checkout: Path, family: str, capabilities: list[str]):
    written = command("provider", "new", "demoex", "--family", family)
    checked = command("provider", "check", f"providers/{family}/demoex.py")

    recorded = [f"providers/recordings/demoex/{capability}.json" for capability in capabilities]
    assert (written.code, written.lines) == (0, [f"providers/{family}/demoex.py", *recorded])
    count = CASES.get(family, 2)
    assert (checked.code, checked.lines) == (0, ["provider\tcases\tresult\tfinding", f"demoex\t{count}\tpasses\t"])


def test_every_family_of_adapters_has_a_draft():
    families = {path.parent.name for path in (ROOT / "providers").glob("*/__init__.py")} - {"simulated"}

    assert families == set(FAMILIES)


def test_a_provider_that_breaks_a_rule_fails_with_the_rule(command: Run, checkout: Path):
    command("provider", "new", "demoex", "--family", "fx")
    module = checkout / "fx" / "demoex.py"
    module.write_text(module.read_text().replace("from __future__ import annotations", "import os"))

    ended = command("provider", "check", str(module))

    assert ended.code == 4
    assert ended.lines[1:] == ["demoex\t2\tfails\tdemoex.py line 3: imports os"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["demoex", "--family", "bonds"], "--family: 'bonds' is not known: write one of crypto, fx, equities, "
         "defi, news, search, video, macro, assistants"),
        (["Demo-Ex", "--family", "fx"],
         "'Demo-Ex' cannot be an id: write 2 to 40 of a-z, 0-9 and _, beginning with a letter"),
        (["demoex", "--family", "fx", "--into", "nowhere"],
         "--into: nowhere is not the folder of the providers: run this in a checkout"),
        (["taken", "--family", "crypto"], "'taken' is taken: there is providers/fx/taken.py"),
    ],
)  # fmt: skip
def test_a_new_provider_that_cannot_be_is_refused_and_nothing_written(
    command: Run, checkout: Path, line: list[str], told: str
):
    (checkout / "fx" / "taken.py").touch()
    before = sorted(checkout.rglob("*"))

    ended = command("provider", "new", *line)

    assert (ended.code, ended.out, ended.err) == (2, "", f"marketgate: {told}\n")
    assert sorted(checkout.rglob("*")) == before


def test_a_module_that_is_no_adapter_is_refused(command: Run, tmp_path: Path):
    (tmp_path / "empty.py").touch()

    ended = command("provider", "check", "empty.py")

    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith("marketgate: empty.py does not load: RuntimeError: ")


def test_a_provider_of_this_package_is_checked_by_its_id_too(command: Run, tmp_path: Path):
    ended = command("provider", "check", "hackernews")
    by_path = command("provider", "check", str(ROOT / "providers" / "news" / "hackernews.py"))

    assert (ended.code, ended.lines) == (by_path.code, by_path.lines)
    assert ended.lines[1].startswith("hackernews\t")


def test_a_provider_that_nobody_has_is_refused(command: Run, tmp_path: Path):
    ended = command("provider", "check", "nosuch")

    told = "name a module such as providers/crypto/kraken.py, or a provider's id"
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"marketgate: nosuch is neither a path nor a provider: {told}\n"
