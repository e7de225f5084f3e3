"""Forward mode by hand: PyTorch's ``torch.autograd.forward_ad``.

Inside a dual level tensors are given tangents, what is computed of them carries tangents along,
and these are read. ``aino.func.jvp`` does all of it for a function.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from aino.autograd.levels import levels_of
from aino.autograd.rules import duals
from aino.autograd.rules.duals import DualLevel, unpack_primal, unpack_tangent
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError, GradientError, ShapeError

__all__ = [
    "UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual",
    "unpack_dual",
]  # fmt: skip


class _Entered(threading.local):
    """The dual level that a thread is in; it never is in two."""

    level: DualLevel | None = None


_entered = _Entered()


class UnpackedDualTensor(NamedTuple):
    """What ``unpack_dual`` returns. ``tangent``: None for a tensor that has none."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Enter a dual level, in which tensors may have tangents; returns its number, 0.

    Raises ``GradientError`` inside a dual level: there is one at a time; ``aino.func.jvp`` nests.

    >>> import aino
    >>> from aino.autograd import forward_ad
    >>> level = forward_ad.enter_dual_level()
    >>> forward_ad.exit_dual_level(level=level)
    """
    if _entered.level is not None:
        raise GradientError(
            "enter_dual_level: this thread is in a dual level, and there is one at a time; "
            "aino.func.jvp nests"
        )
    _entered.level = DualLevel("a dual level", fades=True)
    _entered.level.__enter__()
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Leave the dual level: tensors with tangents are their values alone from now on.

    Raises ``GradientError`` where there is none to leave.

    Arguments:
        level: the number that ``enter_dual_level`` returned; None for the level that there is.

    >>> import aino
    >>> from aino.autograd import forward_ad
    >>> _ = forward_ad.enter_dual_level()
    >>> forward_ad.exit_dual_level()
    """
    current = _entered.level
    if current is None or level not in (None, 0):
        raise GradientError(
            f"exit_dual_level: there is no level {0 if level is None else level} to exit"
        )
    _entered.level = None
    current.__exit__(None, None, None)


class dual_level:
    """A context in which tensors may have tangents.

    >>> import aino
    >>> from aino.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(aino.tensor(3.0), aino.tensor(1.0))
    ...     forward_ad.unpack_dual(x * x)
    UnpackedDualTensor(primal=tensor(9.), tangent=tensor(6.))
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *_: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """Return a tensor with the values of ``tensor`` that moves in the direction ``tangent``.

    It has memory of its own. Raises ``GradientError`` outside of a dual level and for a tensor that
    has a tangent already, ``DtypeError`` for integers and for a tangent of another dtype,
    ``ShapeError`` for one of another shape.

    Arguments:
        tensor: of floating point or complex dtype.
        tangent: a tensor of its shape and dtype.
        level: the number of the level; None for the one that there is.

    >>> import aino
    >>> from aino.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(aino.tensor(3.0), aino.tensor(1.0))
    ...     forward_ad.unpack_dual(x.sin().square()).tangent
    tensor(-0.2794)
    """
    current = _entered.level
    if current is None or level not in (None, 0):
        raise GradientError(
            "make_dual: there is no dual level to make a tensor in; enter one first, by "
            "`with forward_ad.dual_level():`"
        )
    for what, value in (("tensor", tensor), ("tangent", tangent)):
        if not isinstance(value, Tensor):
            raise DtypeError(f"make_dual: the {what} is a tensor, not {type(value).__name__}")
    if tensor.dtype.kind not in "fc":
        raise DtypeError(
            "make_dual: only tensors of floating point and complex dtype have a tangent, got "
            f"{tensor.dtype}"
        )
    if tensor.dtype != tangent.dtype:
        raise DtypeError(
            f"make_dual: a tangent has the dtype of its tensor, {tensor.dtype}, not {tangent.dtype}"
        )
    if tensor.array.shape != tangent.array.shape:
        raise ShapeError(
            f"make_dual: a tangent has the shape of its tensor, {tuple(tensor.shape)}, not "
            f"{tuple(tangent.shape)}"
        )
    tensor, tangent = _faded(tensor), _faded(tangent)
    if current in levels_of(tensor.array):
        raise GradientError("make_dual: the tensor has a tangent already, in this dual level")
    return duals.make_dual(tensor, tangent, current)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Return ``(primal, tangent)`` of a tensor: its value, and its tangent, None where it has none.

    Arguments:
        tensor: a tensor, as one computed of what ``make_dual`` returned.
        level: the number of the level; None for the one that there is.

    >>> import aino
    >>> from aino.autograd import forward_ad
    >>> forward_ad.unpack_dual(aino.tensor(1.0))
    UnpackedDualTensor(primal=tensor(1.), tangent=None)
    """
    if not isinstance(tensor, Tensor):
        raise DtypeError(f"unpack_dual takes a tensor, not {type(tensor).__name__}")
    tensor = _faded(tensor)
    current = _entered.level
    if current is None or level not in (None, 0) or current not in levels_of(tensor.array):
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(unpack_primal(tensor, current), unpack_tangent(tensor, current))


def _faded(tensor: Tensor) -> Tensor:
    """Return a tensor without the tangents of dual levels that have ended."""
    for level in levels_of(tensor.array):
        if level.fades and not level.alive:
            tensor = unpack_primal(tensor, level)
    return tensor
