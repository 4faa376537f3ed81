"""What a key for a provider must be; refusals say the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from plugins.providerkeys.words import ProviderKeySetInput
from schema.words.problems import Refused
from schema.words.registry import Credential, CredentialSource

LONGEST_VALUE = 4_096
_SHOWN = 60


def unknown_provider(name: str, known: Iterable[str]) -> Refused:
    """With the nearest name."""
    near = get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`providers { id }` lists them."
    return Refused("PROVIDER_UNKNOWN", f"There is no provider {name[:_SHOWN]!r}: {hint}", "provider")


def read_parts(wanted: ProviderKeySetInput, name: str, declared: Sequence[Credential]) -> dict[str, str]:
    """Values by the names of the parts; *name* is whose key it is."""
    if not declared:
        raise Refused("NO_KEY_TAKEN", f"{name} takes no key: it answers without one.", "provider")
    if wanted.key is not None and wanted.parts:
        raise Refused("PART_TWICE", "Give either key or parts, not both.", "parts")
    pairs = [(part.name, part.value) for part in wanted.parts or ()]
    if wanted.key is not None:
        pairs = [(_only(declared), wanted.key)]
    if not pairs:
        told = f"Give the value as key, or the parts {_listed(declared)}."
        raise Refused("NOTHING_GIVEN", told, "key" if len(declared) == 1 else "parts")
    return _checked(pairs, declared, "key" if wanted.key is not None else "parts")


def needed(parts: Iterable[str]) -> list[Credential]:
    """Parts of a key that is no provider's: all of them are needed, and no setting holds them."""
    return [Credential(name=name, setting="", required=True, source=CredentialSource.NONE) for name in parts]


def _only(declared: Sequence[Credential]) -> str:
    """The part that a lone value is meant for."""
    names = [part.name for part in declared]
    if len(names) > 1 and "key" not in names:
        raise Refused("PART_MISSING", f"Its key has the parts {_listed(declared)}: give them as parts.", "key")
    return names[0] if len(names) == 1 else "key"


def _checked(pairs: Sequence[tuple[str, str]], declared: Sequence[Credential], field: str) -> dict[str, str]:
    names = [part.name for part in declared]
    made: dict[str, str] = {}
    for name, value in pairs:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"its parts are {_listed(declared)}."
            raise Refused("PART_UNKNOWN", f"Its key has no part {name[:_SHOWN]!r}: {hint}", field)
        if name in made:
            raise Refused("PART_TWICE", f"The part {name} is given twice: give it once.", field)
        made[name] = _value(name, value, field)
    lacking = [part.name for part in declared if part.required and part.name not in made]
    if lacking:
        raise Refused("PART_MISSING", f"Its key also needs {', '.join(lacking)}.", field)
    return made


def _value(name: str, text: str, field: str) -> str:
    value = text.strip()
    if not value or len(value) > LONGEST_VALUE or not (value.isascii() and value.isprintable()):
        told = f"The value of {name} cannot be sent: give 1 to {LONGEST_VALUE} printable ASCII characters."
        raise Refused("VALUE_INVALID", told, field)
    return value


def _listed(declared: Sequence[Credential]) -> str:
    return ", ".join(part.name if part.required else f"{part.name} (optional)" for part in declared)
