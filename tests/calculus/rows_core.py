"""Rows of what the engine itself records: casts, aliases, writes into a part."""

import numpy as np

from aino.autograd.primitive import alias, cast
from aino.dtypes import COMPLEX_OF
from tests.calculus.row import Row, case, real


def there_and_back(x):
    """Cast to the complex dtype, turn, and cast to the real one."""
    return cast(cast(x, COMPLEX_OF[x.dtype]) * (2.0 + 1.0j), x.dtype)


def with_row(x, value):
    y = x.clone()
    y[1] = value
    return y


def replaced(x, value):
    y = x * 1.0
    y.copy_(value)
    return y


def with_imaginary_part(x, value):
    y = x + 0j
    y.imag.mul_(value)
    return y


ROWS = [
    Row(
        "cast", there_and_back, lambda x: 2.0 * x, [case(real(2, 3))], covers="cast", method="",
        torch=lambda torch, x: ((x + 0j) * (2.0 + 1.0j)).real * 1.0, dtypes="",
    ),
    Row(
        "alias", alias, lambda x: x, [case(real(2, 3))], method="", complex=True,
        torch=lambda torch, x: x.view_as(x),
    ),
    Row(
        "overwrite", with_row, lambda x, v: np.stack([x[0], np.broadcast_to(v, x.shape[1:])]),
        [case(real(2, 3), real(3)), case(real(2, 3), real())], covers="overwrite", method="",
        torch=lambda torch, x, v: with_row(x, v), complex=True,
    ),
    Row(
        "replace", replaced, lambda x, v: np.broadcast_to(v, x.shape) * 1.0,
        [case(real(2, 3), real(2, 3)), case(real(2, 3), real(3))], covers="replace", method="",
        torch=lambda torch, x, v: replaced(x, v), complex=True,
    ),
    Row(
        "overwrite_parts", with_imaginary_part, lambda x, v: x.real + 1j * x.imag * v,
        [case(real(2, 3), real(3))], covers="overwrite", method="",
        torch=lambda torch, x, v: with_imaginary_part(x, v), dtypes="",
    ),
]  # fmt: skip
