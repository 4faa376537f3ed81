"""The collector of garbage in a test process: it need not look again and again through all that imports have made."""

from __future__ import annotations

import gc

_loose = False


def settle() -> None:
    """What there is now stays, as in a gateway that serves; only what is made from now on is looked through."""
    global _loose
    gc.collect()
    gc.freeze()
    _loose = False


def loosen() -> None:
    """Much that stays was made, or what was frozen is looked through again: to be settled once the test is over."""
    global _loose
    _loose = True


def settle_again() -> None:
    """Between two tests, where there is need."""
    if _loose:
        settle()
