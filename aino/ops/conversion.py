"""Tensors into Python numbers and lists, other dtypes, other holders of memory."""

from __future__ import annotations

__all__: list[str] = []


def item(self):
    """Return the only element as a Python number.

    Raises ``ShapeError`` when there are more or fewer elements.

    >>> import aino
    >>> aino.tensor([2.5]).item()
    2.5
    """
    return self.array.item()


def tolist(self):
    """Return the elements as nested lists of Python numbers, a 0-d tensor as a number.

    >>> import aino
    >>> aino.tensor([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return self.array.tolist()
