"""How often the structure of any model or optimizer has changed.

A compiled program was made for one structure. It compares one number at each call, and looks
closer only when the number has moved.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container


class StructureVersion:
    """``count`` moves with every replaced parameter, switched mode, added hook or group."""

    __slots__ = ("_recent", "count")

    def __init__(self) -> None:
        self.count = 0
        #: The last moves, each with the setting that it was about, None for anything else.
        self._recent: deque[tuple[int, tuple | None]] = deque(maxlen=32)

    def move(self, setting: tuple | None = None) -> None:
        """Note that something about a model or an optimizer is no longer what it was.

        ``setting``: what tells a number among a module's attributes from others, if it was one.
        """
        self.count = count = self.count + 1
        self._recent.append((count, setting))

    def moved_by_settings_alone(self, since: int, settings: Container[tuple]) -> bool:
        """Tell whether nothing but some of these settings has changed since a count."""
        recent = [move for move in self._recent.copy() if move[0] > since]
        return {count for count, _ in recent} == set(range(since + 1, self.count + 1)) and all(
            setting in settings for _, setting in recent
        )


structure_version = StructureVersion()
