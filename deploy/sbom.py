"""What the image adds to its base, as CycloneDX 1.6, from the lock alone: the same lock gives the same bytes.

`python deploy/sbom.py --output FILE`; needs the standard library only, so that it runs while the image is built.
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?==(?P<version>[^\s;\\]+)\s*(;\s*(?P<marker>[^\\]+))?",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One locked package; *marker* says on which machines it is installed, empty for all."""

    name: str
    version: str
    marker: str

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_pins(lock: str) -> list[Pin]:
    """Every pin of a lock's text, in its order."""
    return [
        Pin(name=_normal(found["name"]), version=found["version"], marker=(found["marker"] or "").strip())
        for found in _PIN.finditer(lock)
    ]


def _normal(name: str) -> str:
    """As the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bill(lock: str, name: str, version: str) -> dict[str, Any]:
    """The bill of materials of *name*, whose packages *lock* pins."""
    pins = read_pins(lock)
    whole = f"pkg:pypi/{name}@{version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{whole} {lock}')}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": whole, "name": name, "version": version, "purl": whole,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [_component(pin) for pin in pins],
        "dependencies": [{"ref": whole, "dependsOn": [pin.purl for pin in pins]}],
    }  # fmt: skip


def _component(pin: Pin) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library", "bom-ref": pin.purl, "name": pin.name, "version": pin.version, "purl": pin.purl,
    }  # fmt: skip
    if pin.marker:
        found["properties"] = [{"name": "marketgate:marker", "value": pin.marker}]
    return found


def main() -> None:
    """Write the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    output: Path = parser.parse_args().output
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements" / "image.txt").read_text(encoding="utf-8")
    output.write_text(json.dumps(bill(lock, project["name"], project["version"]), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
