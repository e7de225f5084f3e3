"""``torch.special``'s names for what has another name, or the same one, at the top."""

from __future__ import annotations

from typing import Any

from aino.autograd.rules.entropy import xlog1py as xlog1py_of
from aino.autograd.tensor import Tensor
from aino.ops import pointwise
from aino.ops.arguments import not_numbers_alone
from aino.ops.out import into
from aino.ops.pointwise import softmax as softmax_room
from aino.ops.reduce import reduction
from aino.types import DType, Number

__all__ = [
    "exp2", "expit", "expm1", "log1p", "logit", "log_softmax", "logsumexp", "round", "sinc",
    "softmax", "xlog1py", "xlogy",
]  # fmt: skip


def exp2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the power of two: ``2ˣ``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.exp2(aino.tensor([0.0, 0.5]))
    tensor([1.0000, 1.4142])
    """
    return into(out, pointwise.exp2(input), "special.exp2")


def expit(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the logistic function: ``1 / (1 + e⁻ˣ)``; at the top ``aino.sigmoid``.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.expit(aino.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    return into(out, pointwise.sigmoid(input), "special.expit")


def expm1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``eˣ - 1``, accurate where x is near 0.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.expm1(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    return into(out, pointwise.expm1(input), "special.expm1")


def log1p(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return ``ln(1 + x)``, accurate where x is near 0.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.log1p(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return into(out, pointwise.log1p(input), "special.log1p")


def logit(input: Tensor, eps: float | None = None, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse of the logistic function: ``ln(x / (1 - x))``.

    Arguments:
        input: real numbers; integers count as floats.
        eps: keeps the input within [eps, 1 - eps]; without it 0 and 1 give -inf and inf.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.logit(aino.tensor([0.5, 0.8808]))
    tensor([0.0000, 2.0000])
    """
    return into(out, pointwise.logit(input, eps), "special.logit")


def log_softmax(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Return the logarithm of ``softmax``: ``x - ln Σ eˣ`` along a dimension.

    Arguments:
        input: the scores.
        dim: the dimension along which they compete.
        dtype: what the input becomes before anything is computed.

    >>> import aino
    >>> aino.special.log_softmax(aino.tensor([0.0, 0.0]), 0)
    tensor([-0.6931, -0.6931])
    """
    return softmax_room.log_softmax(input, dim, dtype)


def softmax(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Return probabilities of scores: ``eˣ / Σ eˣ`` along a dimension.

    Arguments:
        input: the scores.
        dim: the dimension along which they compete.
        dtype: what the input becomes before anything is computed.

    >>> import aino
    >>> aino.special.softmax(aino.tensor([0.0, 0.0]), 0)
    tensor([0.5000, 0.5000])
    """
    return softmax_room.softmax(input, dim, dtype)


def logsumexp(input: Tensor, dim: Any, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """Return the logarithm of a sum of exponentials: ``ln Σ eˣ``, without overflow.

    Arguments:
        input: real numbers; integers count as floats.
        dim: a dimension, or several, along which is summed.
        keepdim: whether they stay, with length 1.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.logsumexp(aino.tensor([0.0, 0.0]), 0)
    tensor(0.6931)
    """
    return into(out, reduction.logsumexp(input, dim, keepdim), "special.logsumexp")


def round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """Return the nearest number with so many decimals, of two the even one.

    Arguments:
        input: real numbers.
        decimals: how many; a negative number rounds tens, hundreds and so on.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.round(aino.tensor([0.5, 1.5, 2.26]), decimals=1)
    tensor([0.5000, 1.5000, 2.3000])
    """
    return into(out, pointwise.round(input, decimals=decimals), "special.round")


def sinc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the normalised sinc function: ``sin(πx) / (πx)``, 1 at 0.

    Arguments:
        input: real numbers; integers count as floats.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.sinc(aino.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
    return into(out, pointwise.sinc(input), "special.sinc")


def xlog1py(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return ``x ln(1 + y)``, and 0 where x is 0.

    Arguments:
        input: the factor; a number or a tensor, of which integers count as floats.
        other: what the logarithm is taken of; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.xlog1py(aino.tensor([0.0, 2.0]), aino.tensor([-1.0, 1.0]))
    tensor([0.0000, 1.3863])
    """
    not_numbers_alone("xlog1py", input, other)
    return into(out, xlog1py_of(input, other), "special.xlog1py")


def xlogy(input: Any, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Return ``x ln y``, and 0 where x is 0.

    Arguments:
        input: the factor; a number or a tensor, of which integers count as floats.
        other: what the logarithm is taken of; the two are broadcast.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.special.xlogy(aino.tensor([0.0, 2.0]), aino.tensor([0.0, 2.0]))
    tensor([0.0000, 1.3863])
    """
    not_numbers_alone("xlogy", input, other)
    return into(out, pointwise.xlogy(input, other), "special.xlogy")
