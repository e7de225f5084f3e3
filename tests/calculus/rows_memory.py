"""Rows of views by strides, of copies of views, and of views by other names."""

import numpy as np

from aino.ops.shape import copies, strided
from aino.ops.tensor import elementwise_calls
from tests.calculus.row import Row, case, real
from tests.calculus.rows_shape import VIEWS, expand, squeeze, unfold


def contiguous(function):
    """Return a function that starts from memory in order, for inputs that may not have it."""

    def call(x, *arguments, **keywords):
        return function(x.contiguous(), *arguments, **keywords)

    return call


def turned(x):
    """Return complex numbers of a real tensor."""
    return x * (0.8 + 0.6j)


def as_strided(x, size, stride, offset=0):
    return np.lib.stride_tricks.as_strided(
        np.ascontiguousarray(x).reshape(-1)[offset:], size, [n * x.itemsize for n in stride]
    ).copy()


def scattered(x, src, size, stride, offset=0):
    y = np.ascontiguousarray(x).copy()
    view = y.reshape(-1)[offset:]
    np.lib.stride_tricks.as_strided(view, size, [n * x.itemsize for n in stride])[...] = src
    return y


def parts(x, dim, *lengths):
    return np.split(x, np.cumsum(lengths)[:-1], dim)


def halves(x, count, dim=0):
    step = -(-x.shape[dim] // count)
    return np.split(x, range(step, x.shape[dim], step), dim)


def pieces(x, size, dim=0):
    return np.split(x, range(size, x.shape[dim], size), dim)


def sliced(torch, x, dim=0, start=None, end=None, step=1):
    """Slice as PyTorch does: its own copy has no gradient where it is complex."""
    if step < 1:
        raise ValueError("slice step must be positive")
    return x[(slice(None),) * dim + (slice(start, end, step),)].clone()


def fill_diagonal(x, value, wrap=False):
    y = x.copy()
    np.fill_diagonal(y, value, wrap)
    return y


def _copy(name, oracle, cases, **options):
    function = getattr(copies, f"{name}_copy")
    options = {"method": "", **VIEWS, **options}
    return Row(f"{name}_copy", function, oracle, cases, covers="", **options)


PLACES = [
    case(real(2, 3), (3, 2), (1, 2)),
    case(real(4), (3, 2), (1, 1)),
    case(real(2, 3), (2,), (2,), 1),
    case(real(2, 2), (), ()),
    case(real(3), (2, 0), (1, 1)),
    case(real(3), (2, 3), (0, 1)),
]
OUTSIDE = [
    case(real(4), (3, 2), (1, 2)),
    case(real(4), (2,), (1, 1)),
    case(real(4), (2,), (1,), 3),
    case(real(4), (2,), (1,), -1),
    case(real(4), (2,), (-1,), 3),
]

ROWS = [
    Row("as_strided", contiguous(strided.as_strided), as_strided, PLACES,
        covers="as_strided strided_sum", errors=OUTSIDE, method="", **VIEWS),
    Row("as_strided_copy", contiguous(copies.as_strided_copy), as_strided, PLACES, covers="",
        errors=OUTSIDE, method="", **VIEWS),
    Row("as_strided_scatter", contiguous(strided.as_strided_scatter), scattered,
        [case(real(2, 3), real(3), (3,), (2,)), case(real(2, 3), real(2, 2), (2, 2), (1, 2), 1),
         case(real(3), real(), (), ())],
        covers="put", method="", complex=True, torch=None),
    # PyTorch's gradient of the input is that of what was written over.
    Row("as_strided_scatter (values)", contiguous(strided.as_strided_scatter), scattered,
        [case(real(2, 3).constant(), real(3).constant(), (3,), (2,)),
         case(real(2, 3).constant(), real(2, 2).constant(), (2, 2), (1, 2), 1)],
        covers="", order=0, method="", complex=True, dtypes="int64 float32",
        torch="as_strided_scatter",
        errors=[case(real(3), real(2), (3,), (1,)), case(real(3), real(2), (2,), (3,))]),
    _copy("alias", lambda x: x, [case(real(2, 3)), case(real())]),
    _copy("detach", lambda x: x, [case(real(2, 3).constant())], order=0),
    _copy("diagonal", np.diagonal, [case(real(3, 4)), case(real(2, 3, 3), 1, 1, 2)]),
    _copy("expand", lambda x, size: expand(x, *size),
          [case(real(2, 1), (2, 3)), case(real(3), (2, -1))], errors=[case(real(2), (3,))]),
    _copy("permute", np.transpose, [case(real(2, 3, 1), (2, 0, 1)), case(real(2, 3), (-1, 0))]),
    _copy("select", lambda x, dim, index: np.take(x, index, dim),
          [case(real(2, 3), 0, 1), case(real(2, 3), -1, -1)], errors=[case(real(2), 0, 2)],
          torch=lambda torch, x, *a: torch.select(x, *a).clone()),
    _copy("slice", lambda x, dim=0, start=None, end=None, step=1: np.moveaxis(
              np.moveaxis(x, dim, 0)[start:end:step], 0, dim),
          [case(real(3, 2)), case(real(3, 4), 1, 1), case(real(5), 0, -4, 9, 2),
           case(real(5), 0, 3, 1)],
          errors=[case(real(3), 0, 0, 2, -1)], torch=sliced),
    _copy("split", pieces, [case(real(5, 2), 2), case(real(2, 4), 3, 1)]),
    _copy("split_with_sizes", lambda x, sizes, dim=0: parts(x, dim, *sizes),
          [case(real(5, 2), [2, 3]), case(real(2, 3), [1, 2], 1)]),
    _copy("squeeze", squeeze, [case(real(1, 2, 1)), case(real(1, 2, 1), 0)]),
    _copy("t", np.transpose, [case(real(2, 3)), case(real(3))]),
    _copy("transpose", np.swapaxes, [case(real(2, 3, 1), 0, 2)]),
    _copy("unbind", lambda x, dim=0: list(np.moveaxis(x, dim, 0)),
          [case(real(2, 3)), case(real(2, 3), 1)]),
    _copy("unfold", unfold, [case(real(5), 0, 2, 1), case(real(2, 5), 1, 3, 2)]),
    _copy("unsqueeze", np.expand_dims, [case(real(2, 3), 1), case(real(2), -1)]),
    _copy("view", lambda x, size: x.reshape(size), [case(real(2, 6), (3, -1)), case(real(), (1,))],
          errors=[case(real(3), (2, 2))]),
    Row("view_as_real_copy", lambda x: copies.view_as_real_copy(turned(x)),
        lambda x: np.stack([x * 0.8, x * 0.6], -1), [case(real(2, 3))], covers="", method="",
        torch=lambda torch, x: torch.view_as_real_copy(x * (0.8 + 0.6j)), dtypes="float32"),
    Row("view_as_complex_copy", contiguous(copies.view_as_complex_copy),
        lambda x: x[..., 0] + 1j * x[..., 1], [case(real(3, 2))], covers="", method="",
        torch=lambda torch, x: torch.view_as_complex(x).clone(), dtypes="float32",
        errors=[case(real(3))]),
    Row("narrow_copy", copies.narrow_copy, lambda x, dim, start, length: np.take(
            x, range(start, start + length), dim),
        [case(real(4, 2), 0, 1, 2), case(real(2, 4), 1, 0, 0)], covers="", **VIEWS,
        errors=[case(real(3), 0, 2, 2)]),
    Row("unsafe_chunk", copies.unsafe_chunk, halves, [case(real(5, 2), 2), case(real(2, 4), 2, 1)],
        covers="", **VIEWS),
    Row("unsafe_split", copies.unsafe_split, pieces, [case(real(5, 2), 2), case(real(2, 4), 3, 1)],
        covers="", **VIEWS),
    Row("unsafe_split_with_sizes", copies.unsafe_split_with_sizes,
        lambda x, sizes, dim=0: parts(x, dim, *sizes), [case(real(5, 2), [2, 3])],
        covers="", **VIEWS),
    Row("constant_pad_nd", copies.constant_pad_nd, lambda x, pad, value=0: np.pad(
            x, [(0, 0)] * (x.ndim - 1) + [tuple(pad)], constant_values=value),
        [case(real(2, 3), (1, 2)), case(real(2, 3), (0, 1), 2.5)],
        covers="", method="", complex=True, dtypes="bool int64 float32"),
    Row("fill_diagonal_", elementwise_calls.fill_diagonal, fill_diagonal,
        [case(real(3, 2), 1.5), case(real(2, 3), 0), case(real(5, 2), 3, True),
         case(real(5, 2), 3, False), case(real(2, 2, 2), 2), case(real(0, 2), 1)],
        covers="", complex=True, torch=lambda torch, x, *a: x.clone().fill_diagonal_(*a),
        errors=[case(real(3), 1), case(real(2, 3, 2), 1)], method=""),
]  # fmt: skip
