"""How often the structure of any model or optimizer has changed.

A compiled program was made for one structure. It compares one number at each call, and looks
closer only when the number has moved.
"""


class StructureVersion:
    """``count`` moves with every replaced parameter, switched mode, added hook or group."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def move(self) -> None:
        """Note that something about a model or an optimizer is no longer what it was."""
        self.count += 1


structure_version = StructureVersion()
