"""Marketgate: one GraphQL endpoint over many market-data providers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """The version, which pyproject.toml alone says. What reads it from the package doubles a command's start."""
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import version

        return globals().setdefault(name, version("marketgate"))
