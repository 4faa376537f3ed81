"""HTML that is well-formed XML too: what comes as plain text is escaped, whatever it holds."""

from __future__ import annotations

from html import escape

VOID = frozenset({"meta", "br"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: str) -> Markup:
    """Plain text as markup; what XML does not know, such as control characters, becomes U+FFFD."""
    return Markup(escape("".join(character if _known(character) else "\ufffd" for character in value)))


def element(name: str, /, *children: str, **attributes: str | None) -> Markup:
    """An element. `class_` stands for `class`, `aria_label` for `aria-label`; an attribute of None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Children beside each other."""
    return Markup("".join(child if isinstance(child, Markup) else text(child) for child in children))


def _known(character: str) -> bool:
    code = ord(character)
    return code in (0x9, 0xA, 0xD) or (0x20 <= code <= 0xFFFD and not 0xD800 <= code <= 0xDFFF) or code > 0xFFFF
