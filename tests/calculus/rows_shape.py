"""Rows of shapes and orders of axes, of repetition, padding, joining and splitting."""

import numpy as np

from aino.autograd.rules import shape as rules
from aino.ops.shape import arranging, broadcasting, joining, padding, shaping, transposing
from tests.calculus.row import Row, case, given, real

VIEWS = {"complex": True, "dtypes": "bool int64 float32"}


def sizes(values):
    return values[0] if len(values) == 1 and not isinstance(values[0], int) else values


def expand(x, *shape):
    shape = sizes(shape)
    own = (1,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, [n if n >= 0 else m for n, m in zip(shape, own)])


def unfold(x, dim, size, step):
    dim %= max(x.ndim, 1)
    starts = range(0, x.shape[dim] - size + 1, step)
    parts = [np.take(x, range(start, start + size), dim) for start in starts]
    return np.moveaxis(np.stack(parts, dim), dim + 1, -1)


def squeeze(x, dim=None):
    dims = range(x.ndim) if dim is None else [d % x.ndim for d in np.atleast_1d(dim)]
    return x.reshape([n for i, n in enumerate(x.shape) if n != 1 or i not in dims])


def in_order(function):
    """Return a function that needs contiguous memory, for inputs that may not have it."""

    def viewed(x, *args):
        return function(shaping.contiguous(x), *args)

    return viewed


RESHAPES = [
    Row(
        "reshape", shaping.reshape, lambda x, *shape, **named: x.reshape(*shape, *named.values()),
        [
            case(real(2, 6), 3, 4),
            case(real(2, 6), (3, -1)),
            case(real(), (1, 1)),
            case(real(2, 0), 0, 5),
            case(real(4), shape=(2, 2)),
        ],
        torch="Tensor.reshape", **VIEWS,
        errors=[case(real(4), 3), case(real(4), -1, -1), case(real(4), (-1, 3))],
    ),
    Row("view", in_order(shaping.view), lambda x, *shape: x.reshape(*shape),
        [case(real(2, 6), 3, 4), case(real(2, 6), (3, -1)), case(real(4), 4)],
        covers="", **VIEWS, errors=[case(real(4), 3)]),
    Row("view_as", in_order(shaping.view_as), lambda x, other: x.reshape(other.shape),
        [case(real(2, 6), real(3, 4).constant())], covers="", **VIEWS),
    Row("reshape_as", shaping.reshape_as, lambda x, other: x.reshape(other.shape),
        [case(real(2, 6), real(3, 4).constant())], covers="", **VIEWS),
    Row("ravel", shaping.ravel, np.ravel, [case(real(2, 3)), case(real())], covers="", **VIEWS),
    Row(
        "flatten", shaping.flatten,
        lambda x, start=0, end=-1: x.reshape(
            x.shape[:start] + (-1,) + (x.shape[end % x.ndim + 1 :] if x.ndim else ())
        ),
        [case(real(2, 3, 2)), case(real(2, 3, 2), 1), case(real(2, 3, 2), 0, 1), case(real())],
        covers="", **VIEWS, errors=[case(real(2, 2), 1, 0), case(real(2), 1)],
    ),
    Row("unflatten", shaping.unflatten, lambda x, dim, shape: x.reshape(x.shape[:dim] + shape),
        [case(real(2, 6), 1, (2, 3)), case(real(2, 6), 1, (-1, 2))],
        covers="", **VIEWS, errors=[case(real(2, 6), 1, (4, 2)), case(real(2), 1, (1, 1))]),
    Row("squeeze", shaping.squeeze, squeeze,
        [case(real(1, 2, 1)), case(real(1, 2, 1), 0), case(real(1, 2, 1), 1),
         case(real(1, 2, 1), (0, -1)), case(real(1), dim=-1)],
        covers="", **VIEWS, errors=[case(real(1), 1)]),
    Row("unsqueeze", shaping.unsqueeze, np.expand_dims,
        [case(real(2, 3), 0), case(real(2, 3), -1), case(real(), 0)],
        covers="", **VIEWS, errors=[case(real(2), 2)]),
    Row("atleast_1d", broadcasting.atleast_1d, np.atleast_1d, [case(real()), case(real(2))],
        covers="", method="", **VIEWS),
    Row("atleast_2d", broadcasting.atleast_2d, np.atleast_2d,
        [case(real()), case(real(2)), case(real(), real(1, 2))], covers="", method="", **VIEWS),
    Row("atleast_3d", broadcasting.atleast_3d, np.atleast_3d,
        [case(real()), case(real(2)), case(real(2, 3)), case(real(), real(2))],
        covers="", method="", **VIEWS),
]  # fmt: skip

ORDERS = [
    Row("permute", transposing.permute, lambda x, *dims: np.transpose(x, sizes(dims)),
        [case(real(2, 3, 4), 2, 0, 1), case(real(2, 3), (1, 0)), case(real(2, 3, 4), -1, 0, 1)],
        torch="Tensor.permute", **VIEWS,
        errors=[case(real(2, 3), 0, 0), case(real(2, 3), 0), case(real(2, 3), 0, 2)]),
    Row("transpose", transposing.transpose, np.swapaxes,
        [case(real(2, 3), 0, 1), case(real(2, 3, 4), 0, 2), case(real(2, 3, 4), -1, -2),
         case(real(2, 3), 1, 1)],
        covers="mT", **VIEWS, errors=[case(real(2, 3), 0, 2)]),
    Row("swapaxes", transposing.swapaxes, np.swapaxes, [case(real(2, 3, 4), 0, 2)],
        covers="", **VIEWS),
    Row("swapdims", transposing.swapdims, np.swapaxes, [case(real(2, 3, 4), 0, 2)],
        covers="", **VIEWS),
    Row("movedim", transposing.movedim, np.moveaxis,
        [case(real(2, 3, 4), 0, -1), case(real(2, 3, 4), (0, 1), (1, 2))],
        covers="", **VIEWS, errors=[case(real(2, 3), (0, 1), (0,)), case(real(2), 1, 0)]),
    Row("moveaxis", transposing.moveaxis, np.moveaxis, [case(real(2, 3, 4), 2, 0)],
        covers="", **VIEWS),
    Row("t", transposing.t, np.transpose, [case(real(2, 3)), case(real(2)), case(real())],
        covers="", **VIEWS, errors=[case(real(1, 2, 3))]),
    Row("adjoint", transposing.adjoint, lambda x: np.conjugate(x.mT), [case(real(2, 3, 4))],
        covers="", complex=True, dtypes="float32"),
    Row("T_property", transposing.T, np.transpose, [case(real(2, 3))], covers="", method="",
        torch=lambda torch, x: x.T, **VIEWS),
    Row("mT_property", transposing.mT, lambda x: x.mT, [case(real(2, 3, 4))], covers="", method="",
        torch=lambda torch, x: x.mT, **VIEWS, errors=[case(real(2))]),
    Row("H_property", transposing.H, lambda x: np.conjugate(x.T), [case(real(2, 3))], covers="",
        method="", torch=lambda torch, x: x.H, complex=True, errors=[case(real(2))]),
]  # fmt: skip

BROADCASTS = [
    Row("expand", broadcasting.expand, expand,
        [case(real(3, 1), 3, 4), case(real(3, 1), (2, -1, 2)), case(real(), 2), case(real(2), -1)],
        **VIEWS, errors=[case(real(3), 4), case(real(3), -1, 3), case(real(2, 3), 3)]),
    Row("expand_as", broadcasting.expand_as, lambda x, other: np.broadcast_to(x, other.shape),
        [case(real(3, 1), real(2, 3, 2).constant())], covers="", **VIEWS),
    Row("broadcast_to", broadcasting.broadcast_to, np.broadcast_to,
        [case(real(3, 1), (3, 2)), case(real(3), (2, 3))], covers="", **VIEWS,
        errors=[case(real(3), (2,))]),
    Row("broadcast_tensors", broadcasting.broadcast_tensors, np.broadcast_arrays,
        [case(real(3, 1), real(2))], covers="", method="", **VIEWS,
        errors=[case(real(3), real(2))]),
    Row("spread", rules.spread, lambda x, shape: np.broadcast_to(x, shape),
        [case(real(3, 1), (2, 3, 2)), case(real(), (2,))], torch=None, method="", complex=True),
    Row("meshgrid", arranging.meshgrid,
        lambda *xs, indexing: tuple(np.meshgrid(*xs, indexing=indexing)),
        [case(real(2), real(3), indexing="ij"), case(real(2), real(3), indexing="xy")],
        covers="", method="", **VIEWS, errors=[case(real(2), real(2, 2), indexing="ij")]),
    Row("cartesian_prod", arranging.cartesian_prod,
        lambda a, b: np.stack([np.repeat(a, len(b)), np.tile(b, len(a))], 1),
        [case(real(2), real(3))], covers="", method="", **VIEWS,
        errors=[case(real(2), real(1, 1))]),
]  # fmt: skip

COPIES = [
    Row("clone", shaping.clone, np.copy, [case(real(2, 3)), case(real())], **VIEWS),
    Row("contiguous", shaping.contiguous, lambda x: x, [case(real(2, 3))], covers="", **VIEWS),
    Row("flip", arranging.flip, lambda x, *axes, dims=None: np.flip(x, dims or sizes(axes)),
        [case(real(2, 3), 0), case(real(2, 3), (0, 1)), case(real(2, 3), dims=(-1,))],
        torch="Tensor.flip", **VIEWS, errors=[case(real(2, 3), 0, 0), case(real(2), 1)]),
    Row("fliplr", arranging.fliplr, np.fliplr, [case(real(2, 3))], covers="", **VIEWS,
        errors=[case(real(2))]),
    Row("flipud", arranging.flipud, np.flipud, [case(real(2, 3))], covers="", **VIEWS,
        errors=[case(real())]),
    Row("roll", arranging.roll, lambda x, shifts, dims=None: np.roll(x, shifts, dims),
        [case(real(2, 3), 2), case(real(2, 3), -1, 1), case(real(2, 3), (1, 1), (0, 1)),
         case(real(2, 3), shifts=2, dims=0)],
        **VIEWS, errors=[case(real(2, 3), (1, 2), 0), case(real(2), (1, 2))]),
    Row("rot90", arranging.rot90, np.rot90,
        [case(real(2, 3)), case(real(2, 3), 2), case(real(2, 3), -1), case(real(2, 3), 4),
         case(real(2, 3, 2), 1, (2, 0))],
        covers="", **VIEWS, errors=[case(real(2)), case(real(2, 2), 1, (0, 0))]),
    Row("repeat", arranging.repeat, lambda x, *counts: np.tile(x, sizes(counts)),
        [case(real(2, 3), 2, 2), case(real(2), (3, 1)), case(real(2), 1), case(real(2), 0)],
        **VIEWS, errors=[case(real(2, 2), 2), case(real(2), -1)]),
    Row("tile", arranging.tile, lambda x, *counts: np.tile(x, sizes(counts)),
        [case(real(2, 3), 2), case(real(2), (3, 2))], covers="", torch="Tensor.tile", **VIEWS),
    Row("repeat_interleave", arranging.repeat_interleave,
        lambda x, repeats, dim=None: np.repeat(x, repeats, dim),
        [case(real(2, 3), 2), case(real(2, 3), 2, 0), case(real(2, 3), given([1, 0, 2]), dim=1)],
        covers="take", **VIEWS, errors=[case(real(2, 3), given([1, 2]), 1), case(real(2), -1)]),
    Row("tril", arranging.tril, np.tril,
        [case(real(3, 4)), case(real(2, 3, 3), 1), case(real(3, 3), -1)],
        **VIEWS, errors=[case(real(3))]),
    Row("triu", arranging.triu, np.triu,
        [case(real(3, 4)), case(real(2, 3, 3), 1), case(real(3, 3), -1)],
        **VIEWS, errors=[case(real(3))]),
    Row("diagonal", shaping.diagonal,
        lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
        [case(real(3, 4)), case(real(3, 4), 1), case(real(3, 4), -2), case(real(2, 3, 4), 0, 1, 2),
         case(real(2, 3, 3), 1, -1, 0), case(real(2, 2), 5)],
        **VIEWS, errors=[case(real(3, 3), 0, 1, 1), case(real(3))]),
    Row("diag", arranging.diag, np.diag,
        [case(real(3)), case(real(3), 1), case(real(3, 4)), case(real(3, 4), -1)],
        covers="on_diagonal", **VIEWS, errors=[case(real(2, 2, 2)), case(real())]),
    Row("diagflat", arranging.diagflat, np.diagflat, [case(real(2, 2)), case(real(2), -1)],
        covers="", **VIEWS),
    Row("diag_embed", arranging.diag_embed,
        lambda x, offset=0, dim1=-2, dim2=-1: np.moveaxis(
            np.stack([np.diag(row, offset) for row in x]), (-2, -1), (dim1, dim2)
        ),
        [case(real(2, 3)), case(real(2, 3), 1), case(real(2, 3), -1, 0, 2)],
        covers="", **VIEWS, errors=[case(real()), case(real(2), 0, 1, 1)]),
    Row("unfold", shaping.unfold, unfold,
        [case(real(5), 0, 3, 1), case(real(2, 6), 1, 2, 2), case(real(4, 2), 0, 2, 1),
         case(real(2, 6), -1, 4, 2)],
        covers="windows window_sum", torch="Tensor.unfold", **VIEWS,
        errors=[case(real(3), 0, 4, 1), case(real(3), 0, 1, 0), case(real(3), 1, 1, 1)]),
]  # fmt: skip

PADS = [
    Row(
        "pad", padding.pad,
        lambda x, widths, mode="constant", value=0.0: np.pad(
            x,
            [(0, 0)] * (x.ndim - len(widths) // 2)
            + [*zip(widths[-2::-2], widths[-1::-2])],
            {"replicate": "edge", "circular": "wrap"}.get(mode, mode),
            **({"constant_values": value} if mode == "constant" else {}),
        ),
        [
            case(real(2, 3), (1, 2)),
            case(real(2, 3), (1, 0, 2, 1), value=1.5),
            case(real(1, 2, 4), (2, 3), mode="reflect"),
            case(real(1, 2, 3), (4, 1), mode="replicate"),
            case(real(1, 2, 3), (2, 3), mode="circular"),
            case(real(1, 1, 3, 3), (1, 2, 2, 1), mode="reflect"),
        ],
        covers="pad take_of",
        method="", dtypes="int64 float32", complex=True,
        errors=[
            case(real(2, 3), (1,)),
            case(real(2), (1, 1, 1, 1)),
            case(real(1, 2, 3), (3, 0), mode="reflect"),
            case(real(1, 2, 3), (4, 0), mode="circular"),
            case(real(1, 2, 3), (1, 1), mode="mirror"),
            case(real(3), (-2, -2)),
        ],
    ),
    Row("pad_cut", padding.pad, None,
        [case(given([1.0, 2.0, 3.0]), (-1, 1)).gives(np.array([2.0, 3.0, 0.0])),
         case(given([[[1.0, 2.0, 3.0]]]), (-1, 2), mode="circular")
         .gives(np.array([[[2.0, 3.0, 2.0, 3.0]]]))],
        covers="", torch="nn.functional.pad", method="", dtypes=""),
]  # fmt: skip


def pieces(split):
    """Return NumPy's split with PyTorch's order of the arguments, as a tuple."""
    return lambda x, cuts, dim=0: tuple(split(x, cuts, dim))


def split(x, size, dim=0):
    bounds = np.cumsum(size)[:-1] if isinstance(size, list) else range(size, x.shape[dim], size)
    return tuple(np.split(x, list(bounds), dim))


def chunk(x, count, dim=0):
    return split(x, -(-x.shape[dim] // count), dim)


JOINS = [
    Row(
        "cat", joining.cat, lambda xs, dim=0: np.concatenate(xs, dim),
        [
            case([real(2, 3), real(1, 3)]),
            case((real(2, 1), real(2, 2), real(2, 3)), dim=1),
            case([real(2, 1), real(2, 2)], -1),
            case([real(3)]),
        ],
        method="", **VIEWS,
        errors=[case([real(2, 3), real(2, 2)]), case([real(), real()]), case([real(2), real(1, 2)]),
                case([]), case([real(2)], 1)],
    ),
    Row("cat_empty", joining.cat, None,
        [case([real(2, 3), given(np.zeros(0)).constant()])], covers="", torch="cat", method="",
        dtypes="float32"),
    Row("concat", joining.concat, lambda xs, dim=0: np.concatenate(xs, dim),
        [case([real(2), real(1)])], covers="", method="", **VIEWS),
    Row("concatenate", joining.concatenate, lambda xs, axis=0: np.concatenate(xs, axis),
        [case([real(2, 2), real(2, 1)], axis=1)], covers="", method="", **VIEWS),
    Row("stack", joining.stack, lambda xs, dim=0: np.stack(xs, dim),
        [case([real(2, 3), real(2, 3)]), case([real(2), real(2), real(2)], dim=-1),
         case([real(), real()]), case([real(2, 3), real(2, 3)], 1)],
        method="", **VIEWS, errors=[case([real(2), real(3)]), case([]), case([real(2)], 3)]),
    Row("hstack", joining.hstack, np.hstack,
        [case([real(2), real(1)]), case([real(2, 1), real(2, 2)]), case([real(), real()])],
        covers="", method="", **VIEWS),
    Row("vstack", joining.vstack, np.vstack,
        [case([real(2), real(2)]), case([real(1, 2), real(2, 2)])],
        covers="", method="", **VIEWS),
    Row("row_stack", joining.row_stack, np.vstack, [case([real(2), real(2)])],
        covers="", method="", **VIEWS),
    Row("dstack", joining.dstack, np.dstack,
        [case([real(2), real(2)]), case([real(2, 2), real(2, 2)])],
        covers="", method="", **VIEWS),
    Row("column_stack", joining.column_stack, np.column_stack,
        [case([real(2), real(2)]), case([real(2, 1), real(2)])], covers="", method="", **VIEWS),
    Row("split", joining.split, split,
        [case(real(5), 2), case(real(2, 5), [1, 4], dim=1), case(real(3, 2), 5)],
        covers="getitem place", **VIEWS,
        errors=[case(real(5), [2, 2]), case(real(5), 0), case(real(), 1), case(real(5), [6, -1])]),
    Row("split_with_sizes", joining.split_with_sizes, split, [case(real(5), [2, 3])],
        covers="", **VIEWS),
    Row("chunk", joining.chunk, chunk,
        [case(real(5), 2), case(real(2, 5), 3, dim=1), case(real(2), 5)],
        covers="", **VIEWS, errors=[case(real(5), 0)]),
    Row("tensor_split", joining.tensor_split, pieces(np.array_split),
        [case(real(5), 3), case(real(2, 5), (1, 3), dim=1), case(real(2, 5), (2, 9), 1)],
        covers="", **VIEWS, errors=[case(real(5), 0), case(real(), 1)]),
    Row("hsplit", joining.hsplit, lambda x, cuts: tuple(np.hsplit(x, cuts)),
        [case(real(4), 2), case(real(2, 4), [1])], covers="", **VIEWS, errors=[case(real(3), 2)]),
    Row("vsplit", joining.vsplit, lambda x, cuts: tuple(np.vsplit(x, cuts)),
        [case(real(4, 2), 2)], covers="", **VIEWS, errors=[case(real(3), 3)]),
    Row("dsplit", joining.dsplit, lambda x, cuts: tuple(np.dsplit(x, cuts)),
        [case(real(1, 2, 4), 2)], covers="", **VIEWS, errors=[case(real(3, 3), 3)]),
    Row("unbind", joining.unbind, lambda x, dim=0: tuple(np.moveaxis(x, dim, 0)),
        [case(real(3)), case(real(2, 3), dim=1), case(real(2, 3, 2), -1)],
        covers="", **VIEWS, errors=[case(real())]),
]  # fmt: skip

ROWS = RESHAPES + ORDERS + BROADCASTS + COPIES + PADS + JOINS
