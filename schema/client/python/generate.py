"""Writes marketgate_client/generated and generated.json: a part of `make gen`; with `--check` only compares them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from graphql import build_schema, parse, validate

from generator.printing import (
    enums_module,
    exports_module,
    inputs_module,
    methods_module,
    models_module,
    operations_module,
)
from generator.reading import Selections, Unsupported

HERE = Path(__file__).parent
SCHEMA = HERE.parents[1] / "schema.graphql"
GENERATED = "marketgate_client/generated"
SOURCES = ("generate.py", "generator/*.py", "operations/*.graphql", "pyproject.toml")
OUTPUTS = (f"{GENERATED}/*.py",)
SEAL = "generated.json"


def main(arguments: Sequence[str]) -> int:
    """Write all files, or with `--check` name those that differ; the exit code."""
    if list(arguments) not in ([], ["--check"]):
        print("usage: python generate.py [--check]", file=sys.stderr)
        return 2
    try:
        modules = modules_of(SCHEMA.read_text(encoding="utf-8"), operations_in(HERE))
    except Unsupported as error:
        print(f"schema/client/python: {error}", file=sys.stderr)
        return 1
    texts = {name: formatted(name, text) for name, text in modules.items()}
    folder = HERE / GENERATED
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    if arguments:
        for name in sorted(name for name in texts.keys() | there.keys() if texts.get(name) != there.get(name)):
            print(f"schema/client/python/{GENERATED}/{name} is out of date: run make gen", file=sys.stderr)
        return 1 if texts != there else 0
    folder.mkdir(exist_ok=True)
    for stray in there.keys() - texts.keys():
        (folder / stray).unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    (HERE / SEAL).write_text(seal(), encoding="utf-8")
    return 0


def formatted(name: str, text: str) -> str:
    """A module as this package's settings have it, without the imports that it does not use."""
    for words in (("check", "--fix-only", "--select=F401,I"), ("format",)):
        asked = [
            sys.executable,
            "-m",
            "ruff",
            *words,
            "--quiet",
            "--no-cache",
            "--stdin-filename",
            f"{GENERATED}/{name}",
            "-",
        ]
        text = subprocess.run(asked, cwd=HERE, input=text, capture_output=True, check=True, encoding="utf-8").stdout
    return text


def operations_in(folder: Path) -> str:
    """The committed operations and fragments, in the order of the files' names."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("operations/*.graphql")))


def modules_of(schema: str, operations: str) -> dict[str, str]:
    """Python's text by file name, not formatted yet; Unsupported where an operation does not fit."""
    built, document = build_schema(schema), parse(operations)
    if errors := validate(built, document):
        raise Unsupported("\n".join(str(error) for error in errors))
    found = Selections(built, document)
    # In this order: the methods find the enums and inputs of variables, the operations find the models.
    modules = {
        "methods.py": methods_module(found, asynchronous=False),
        "asyncmethods.py": methods_module(found, asynchronous=True),
        "operations.py": operations_module(found),
        "models.py": models_module(found),
        "inputs.py": inputs_module(found),
        "enums.py": enums_module(found),
    }
    return {**modules, "__init__.py": exports_module(found)}


def seal() -> str:
    """What the generated files follow from, as digests: `make check` compares them without generating anything."""
    sides = {"sources": SOURCES, "outputs": OUTPUTS}
    listed = {side: {"globs": list(globs), "sha256": digest(globs)} for side, globs in sides.items()}
    return json.dumps({"schema": sha256(SCHEMA.read_bytes()).hexdigest(), **listed}, indent=2) + "\n"


def digest(globs: Sequence[str]) -> str:
    """The digest of a listing as `sha256sum` prints it, in the order of the names' bytes."""
    names = sorted({path.relative_to(HERE).as_posix() for glob in globs for path in HERE.glob(glob)}, key=str.encode)
    lines = (f"{sha256((HERE / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    return sha256("".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
