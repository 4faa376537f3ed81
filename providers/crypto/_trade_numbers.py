"""Trades that a venue numbers one by one for each instrument: a number that is left out is a trade that was lost."""

from __future__ import annotations

MOST_SKIPS = 10
"""Gaps in a row, without two trades that follow each other, after which a venue is not believed to number them so."""


class TradeNumbers:
    """The number of each channel's last trade."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self._skips: dict[str, int] = {}

    def forget(self, channel: str) -> None:
        """The next trade is the first."""
        self._held.pop(channel, None)
        self._skips.pop(channel, None)

    def begin(self, channel: str, last: int) -> None:
        """The trades up to that one are told, however many they are."""
        self._held[channel] = max(last, self._held.get(channel, last))

    def lacking(self, channel: str, first: int, last: int | None = None) -> str:
        """What is missing before trades *first* to *last* of one frame; empty where nothing is. Repeats pass."""
        held, final = self._held.get(channel), first if last is None else last
        self.begin(channel, final)
        if held is None or final <= held:
            return ""
        if first <= held + 1:
            self._skips.pop(channel, None)
            return ""
        skips = self._skips[channel] = self._skips.get(channel, 0) + 1
        return f"trade {first} follows {held}" if skips <= MOST_SKIPS else ""

    def lacking_any(self, channel: str, numbers: list[int]) -> str:
        """The same of the trades of one frame, ascending; the first that is missing is named."""
        found = [self.lacking(channel, number) for number in numbers]
        return next((each for each in found if each), "")
