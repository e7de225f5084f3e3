"""One row for each NumPy function that tensors answer: what it is called with.

The options are not written here: the test reads them from NumPy's own signatures, and tries the
values of ``OPTIONS`` one after the other.
"""

from dataclasses import dataclass, field

import numpy as np

random = np.random.default_rng(7)


def numbers(*shape):
    return random.uniform(0.5, 2.0, shape) * random.choice([-1.0, 1.0], shape)


def positive(*shape):
    return random.uniform(0.5, 2.0, shape)


def holes(*shape):
    """Return numbers with a NaN in each row but the first."""
    x = numbers(*shape)
    x.reshape(shape[0], -1)[1:, 1] = np.nan
    return x


def definite(n, *lead):
    x = random.normal(size=(*lead, n, n))
    return x @ x.swapaxes(-1, -2) + n * np.eye(n)


A, B, V, W = numbers(3, 4), numbers(3, 4), numbers(4), numbers(4)
C = numbers(2, 3, 4)
F = np.asfortranarray(numbers(3, 4))
S = definite(3)
MASK = np.array([True, False, True, True])
LABELS = np.array([1, 0, 2, 1])
NORMS = [None, "backward", "ortho", "forward", "half"]
#: NumPy takes ``out=`` here and forgets it; AINO writes it, in tests/ops/test_fft.py.
UNWRITTEN = {name: {"out": [None]} for name in ("hfft", "ifft2", "irfft2")}
ARRAY = "an array"  # stands for ``out=``, which is filled


@dataclass
class Row:
    """A call: the function's name, its arguments, and values of options that are its own.

    ``options``: option -> values, which replace those of ``OPTIONS``. ``smooth``: whether the
    gradient is held against finite differences. ``fixed``: keywords of every call.
    """

    name: str
    arguments: tuple
    options: dict = field(default_factory=dict)
    smooth: bool = True
    fixed: dict = field(default_factory=dict)

    def __str__(self):
        return self.name


#: Values of the options that many functions have.
OPTIONS = {
    "axis": [None, 0, -1, (0, 1), (), 5],
    "axes": [(1, 0)],
    "dtype": [np.float32, np.float64, float, np.int64, np.complex128],
    "out": [ARRAY],
    "keepdims": [True, False],
    "initial": [1.5],
    "where": [MASK, True],
    "ddof": [1, 0],
    "correction": [1],
    "mean": [np.zeros((3, 1))],
    "casting": ["safe", "unsafe"],
    "order": ["C", "F", "A", "K"],
    "subok": [False, True],
    "copy": [True, False],
    "device": ["cpu"],
    "shape": [(2, 2)],
    "nan": [1.0], "posinf": [3.0], "neginf": [-3.0],
    "decimals": [1, -1],
    "min": [-1.0], "max": [1.0], "a_min": [-1.0], "a_max": [1.0],
    "kind": ["stable", "quicksort"], "stable": [True],
    "mode": ["raise", "wrap", "clip"],
    "overwrite_input": [True],
    "method": ["lower", "higher", "midpoint", "nearest", "hazen", "weibull", "median_unbiased",
               "normal_unbiased", "interpolated_inverted_cdf", "inverted_cdf"],
    "weights": [positive(3, 4)],
    "k": [1, -1], "offset": [1, -1], "axis1": [1], "axis2": [0], "axisa": [0], "axisb": [0],
    "axisc": [0], "deg": [True], "include_initial": [True],
    "n": [2, 0], "prepend": [0.0], "append": [1.0],
    "to_begin": [7.0], "to_end": [[8.0, 9.0]],
    "edge_order": [2], "dx": [0.5], "x": [np.array([0.0, 1.0, 3.0, 4.0])],
    "left": [9.0], "right": [8.0], "period": [2.5],
    "side": ["right", "left"], "sorter": [np.array([0, 1, 2, 3])],
    "return_index": [True], "return_inverse": [True], "return_counts": [True],
    "equal_nan": [False], "sorted": [True],
    "default": [5.0], "minlength": [6],
    "indexing": ["ij", "xy"], "sparse": [True],
    "rowvar": [False], "bias": [True], "y": [numbers(3, 4)],
    "fweights": [np.array([1, 2, 1, 1])], "aweights": [positive(4)],
    "returned": [True],
    "ord": [None, 1, 2, -1, -2, np.inf, -np.inf, "fro", "nuc", 0, 3, "wrong"],
    "upper": [True], "ind": [1], "optimize": [True],
    "num": [5, 1], "endpoint": [False], "retstep": [True], "base": [2.0],
    "reps": [(2, 1)], "start": [1], "trim": ["f", "b"], "wrap": [True],
    "equal": [True], "descending": [True, False],
}  # fmt: skip

AXES = {"axis": [0, -1, 5]}
PIECES = {"axis": [0, 1, 5]}

ROWS = [
    # Reductions
    *[Row(name, (A,)) for name in ("sum", "prod", "mean", "max", "min", "amax", "amin", "var",
                                   "std", "ptp", "cumsum", "cumprod")],
    *[Row(name, (A > 0,), smooth=False) for name in ("all", "any", "count_nonzero")],
    *[Row(name, (A,), smooth=False) for name in ("argmax", "argmin")],
    *[Row(name, (holes(3, 4),), smooth=False)
      for name in ("nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd",
                   "nancumsum", "nancumprod", "nanmedian")],
    Row("cumulative_sum", (A,), fixed={"axis": 0}),
    Row("cumulative_prod", (A,), fixed={"axis": 0}),
    Row("median", (A,)),
    Row("quantile", (A, [0.2, 0.7])), Row("percentile", (A, 35.0)),
    Row("nanquantile", (holes(3, 4), 0.3), smooth=False),
    Row("nanpercentile", (holes(3, 4), 40.0), smooth=False),
    Row("average", (A,)),
    Row("cov", (A,)), Row("corrcoef", (A,)),
    Row("bincount", (LABELS,), {"weights": [V]}, smooth=False),
    # Differences
    Row("diff", (A,), {"axis": [0, -1, 5]}), Row("ediff1d", (A,)),
    Row("gradient", (numbers(4, 5),), {"axis": [None, 0, (0, 1)]}),
    Row("gradient", (A, np.array([0.0, 1.0, 3.0]), 0.5), {}),
    Row("trapezoid", (A,), {"axis": [0, -1], "x": [np.array([0.0, 1.0, 3.0, 4.0]), None]}),
    # Elements
    Row("clip", (A, -1.0, 1.0)), Row("clip", (A,)),
    Row("round", (A,), smooth=False), Row("around", (A,), smooth=False),
    Row("round", (np.array([14, 15, 25, -26]),), smooth=False),
    Row("fix", (A,), smooth=False), Row("sinc", (A,)), Row("i0", (A,)),
    Row("nan_to_num", (np.array([1.0, np.nan, np.inf, -np.inf]),), smooth=False),
    Row("real", (A + 1j * B,), smooth=False), Row("imag", (A + 1j * B,), smooth=False),
    Row("imag", (A,), smooth=False), Row("angle", (A + 1j * B,), smooth=False),
    Row("astype", (A, np.float32), smooth=False), Row("copy", (F,)),
    Row("polyval", (V, A)),
    Row("interp", (A, np.array([-1.0, 0.0, 1.2]), numbers(3))),
    Row("convolve", (V, numbers(3)), {"mode": ["full", "same", "valid"]}),
    Row("convolve", (numbers(3), numbers(6)), {"mode": ["full", "same", "valid"]}),
    Row("correlate", (V, numbers(3)), {"mode": ["full", "same", "valid"]}),
    Row("correlate", (numbers(2), numbers(5)), {"mode": ["full", "same", "valid"]}),
    # Shapes
    *[Row(name, (A,), smooth=False) for name in ("shape", "ndim", "size")],
    Row("reshape", (A, (2, 6)), {"order": ["C", "F", "A"]}),
    Row("reshape", (F, (2, -1)), {"order": ["C", "F", "A"]}),
    Row("ravel", (A,)), Row("ravel", (F,)), Row("ravel", (C.transpose(1, 0, 2),)),
    Row("transpose", (A,)), Row("permute_dims", (A,)), Row("matrix_transpose", (C,)),
    Row("linalg.matrix_transpose", (C,)), Row("swapaxes", (C, 0, 2)),
    Row("moveaxis", (C, 0, -1)), Row("moveaxis", (C, (0, 1), (1, 2))),
    Row("rollaxis", (C, 2), {"start": [0, 1, 2, 3, -1]}),
    Row("squeeze", (numbers(1, 3, 1),), {"axis": [None, 0, (0, 2), 1]}),
    Row("expand_dims", (A, 0), {}), Row("expand_dims", (A, (0, 2)), {}),
    Row("broadcast_to", (V, (3, 4))), Row("broadcast_arrays", (A, V)),
    *[Row(f"atleast_{n}d", (V,)) for n in (1, 2, 3)], Row("atleast_2d", (V, A)),
    Row("flip", (A,)), Row("fliplr", (A,)), Row("flipud", (A,)),
    Row("rot90", (A,), {"k": [0, 1, 2, 3, -1], "axes": [(0, 1), (1, 0)]}),
    Row("roll", (A, 1)), Row("roll", (A, (1, 2)), {"axis": [(0, 1)]}),
    Row("tile", (A, 2)), Row("tile", (A, (2, 1, 2))), Row("repeat", (A, 2)),
    Row("resize", (A, (2, 3))), Row("resize", (A, (5, 4))),
    Row("tril", (A,)), Row("triu", (A,)), Row("tril", (V,)), Row("diag", (A,)), Row("diag", (V,)),
    Row("diagflat", (A,)), Row("diagonal", (C,)), Row("linalg.diagonal", (C,)),
    Row("trim_zeros", (np.array([0.0, 0.0, 1.0, 2.0, 0.0]),), {"axis": [None, 0]}, smooth=False),
    *[Row("pad", (A, width, mode), {})
      for mode in ("constant", "edge", "reflect", "symmetric", "wrap")
      for width in (2, ((1, 2), (3, 0)), (5, 6))],
    Row("pad", (A, 1), {"mode": ["linear_ramp", "mean", "maximum", "median", "empty"]}),
    Row("pad", (A, 1, "constant"), {}, fixed={"constant_values": ((1, 2), (3, 4))}),
    Row("pad", (A, 1, "reflect"), {}, fixed={"reflect_type": "odd"}),
    # Joined and cut
    Row("concatenate", ([A, B],)), Row("concat", ([A, B],)), Row("stack", ([A, B],)),
    Row("vstack", ([A, V],)), Row("hstack", ([A, B],)), Row("dstack", ([A, B],)),
    Row("column_stack", ([A, numbers(3)],)), Row("block", ([[A, B], [B, A]],)),
    Row("append", (A, B)),
    Row("insert", (V, 1, 5.0)), Row("insert", (V, [1, 3], W[:2])), Row("insert", (V, 2, W)),
    Row("insert", (A, 1, 5.0), {"axis": [None, 0, 1]}), Row("insert", (A, 1, V), {"axis": [0]}),
    Row("insert", (A, [0, 2], 7.0), {"axis": [0, 1]}), Row("insert", (V, slice(0, 3, 2), 1.0)),
    Row("delete", (A, 1)), Row("delete", (A, [0, 2])), Row("delete", (V, slice(1, 3))),
    Row("split", (A, [1, 2]), PIECES), Row("split", (A, np.array([1])), PIECES),
    Row("split", (A, 2), {"axis": [0, 1]}), Row("array_split", (A, 3), PIECES),
    Row("hsplit", (A, 2)), Row("vsplit", (A, 3)), Row("dsplit", (C, 2)),
    Row("unstack", (A,), PIECES),
    Row("meshgrid", (V, numbers(3))),
    # Chosen
    Row("where", (A > 0, A, B)), Row("where", (A > 0,), smooth=False), Row("where", (A, A, B)),
    Row("select", ([A > 0, B > 0], [A, B])),
    Row("piecewise", (A, [A > 1, A < -1], [lambda x: x * x, 3.0, lambda x: -x])),
    Row("take", (A, [0, 2]), {"axis": [None, 0, 1, 5]}),
    Row("take", (A, np.array([[0, 5], [-1, 2]])), {"axis": [0, 1]}),
    Row("take_along_axis", (A, np.array([[0, -1, 2, 1]])), {"axis": [0]}),
    Row("take_along_axis", (A, np.array([0, 7])), {"axis": [None]}),
    Row("choose", (np.array([0, 1, 1, 0]), [V, W])),
    Row("choose", (np.array([0, 3, -1, 1]), [V, W])),
    Row("compress", (MASK, A), {"axis": [1, None]}), Row("extract", (A > 0, A)),
    Row("nonzero", (A > 0,), smooth=False),
    Row("sort", (A,)), Row("argsort", (A,), smooth=False),
    Row("partition", (A, 1), smooth=False),
    Row("searchsorted", (np.sort(V), W), smooth=False),
    Row("unique", (np.array([3.0, 1.0, 3.0, 2.0]),), {"axis": [None, 0]}, smooth=False),
    *[Row(f"unique_{what}", (np.array([3.0, 1.0, 3.0]),), smooth=False)
      for what in ("all", "counts", "inverse", "values")],
    # Products
    Row("dot", (A, B.T.copy())), Row("dot", (C, numbers(4, 2))), Row("dot", (V, W)),
    Row("vdot", (A, B)), Row("inner", (A, B)), Row("outer", (V, W)), Row("linalg.outer", (V, W)),
    Row("kron", (A, B)), Row("cross", (numbers(4, 3), numbers(4, 3)), {"axis": [-1]}),
    Row("cross", (numbers(3, 3), numbers(3, 3))), Row("cross", (numbers(4, 3), numbers(3))),
    Row("linalg.cross", (numbers(4, 3), numbers(4, 3)), {"axis": [-1, 0]}),
    Row("tensordot", (A, B), {"axes": [2, ([0, 1], [0, 1]), (0, 0)]}),
    Row("linalg.tensordot", (A, B), {"axes": [2, ([0, 1], [0, 1])]}),
    Row("linalg.matmul", (C, numbers(4, 2))), Row("linalg.vecdot", (A, B), AXES),
    Row("einsum", ("ij,kj->ik", A, B)), Row("einsum", (A, [0, 1], B, [2, 1], [0, 2])),
    Row("trace", (C,)), Row("linalg.trace", (C,)), Row("linalg.multi_dot", ([A, B.T.copy(), A],)),
    Row("linalg.multi_dot", ([V, B.T.copy(), V[:3]],), {"out": []}),
    Row("linalg.inv", (S,)), Row("linalg.det", (S,)), Row("linalg.slogdet", (S,)),
    Row("linalg.cholesky", (S,), smooth=False),
    Row("linalg.cholesky", (definite(2, 3),), smooth=False),
    Row("linalg.solve", (S, numbers(3))), Row("linalg.solve", (S, numbers(3, 2))),
    Row("linalg.solve", (definite(3, 2), numbers(3, 2))),
    *[Row("linalg.matrix_power", (S, n)) for n in (3, -2)],
    Row("linalg.tensorinv", (numbers(2, 3, 6),), {"ind": [2]}),
    Row("linalg.tensorinv", (numbers(4, 2, 2),), {"ind": [1]}, fixed={"ind": 1}),
    Row("linalg.tensorsolve", (numbers(2, 3, 6), numbers(2, 3)), {"axes": [None]}),
    Row("linalg.norm", (A,)), Row("linalg.norm", (V,)), Row("linalg.norm", (C,)),
    *[Row("linalg.norm", (C,), {}, fixed={"axis": axis, "ord": order, "keepdims": keepdims})
      for axis in ((0, 1), (2, 0), (-1, 1), 1) for order in OPTIONS["ord"] for keepdims in (0, 1)],
    Row("linalg.matrix_norm", (C,)), Row("linalg.vector_norm", (A,)),
    # Decompositions
    *[Row(f"linalg.{name}", (S,)) for name in ("svdvals", "cond", "pinv")],
    Row("linalg.eigvalsh", (definite(3, 2),), {"UPLO": ["U", "u", "X"]}, smooth=False),
    Row("linalg.cond", (definite(3, 2),), {"p": [1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"]}),
    Row("linalg.pinv", (A,), {"rcond": [0.1, None], "rtol": [0.1, None]}),
    Row("linalg.pinv", (S,), {"hermitian": [True]}, smooth=False),
    Row("linalg.eigh", (S,), {"UPLO": ["U"]}, smooth=False),
    Row("linalg.eig", (numbers(3, 3),), smooth=False),
    Row("linalg.eigvals", (numbers(2, 3, 3),), smooth=False),
    Row("linalg.svdvals", (C,)),
    Row("linalg.svd", (C,), {"full_matrices": [False], "compute_uv": [False]}, smooth=False),
    Row("linalg.svd", (S - 3 * np.eye(3),), {"hermitian": [True]}, smooth=False),
    Row("linalg.qr", (numbers(2, 4, 3),), {"mode": ["complete", "r", "raw", "wrong"]},
        smooth=False),
    Row("linalg.lstsq", (numbers(5, 3), numbers(5)), {"rcond": [None, -1, 0.1]}, smooth=False),
    Row("linalg.lstsq", (numbers(3, 5), numbers(3, 2)), {}, smooth=False),
    Row("vander", (V,), {"N": [2, None], "increasing": [True]}),
    # Polynomials
    Row("poly", (V,)), Row("poly", (S,)), Row("poly", ([1.0 + 1j, 1.0 - 1j],), smooth=False),
    Row("roots", (V,), smooth=False),
    Row("roots", ([0.0, 0.0, 2.0, -3.0, 1.0, 0.0],), smooth=False),
    Row("polyadd", (V, W[:2])), Row("polysub", (W[:3], V)), Row("polymul", (V, W[:2])),
    Row("polymul", ([0.0, 1.0, 2.0], V)),
    Row("polyder", (V,), {"m": [2, 0, 5, -1]}),
    Row("polyint", (V,), {"m": [2, 0, -1], "k": [2.0, [1.0, 2.0]]}),
    Row("polyint", (V,), {"k": [[5.0, 6.0], 3.0, [1.0]]}, fixed={"m": 2}),
    # Along axes; numbers that become complex
    Row("apply_along_axis", (np.cumsum, 0, A)), Row("apply_along_axis", (np.sum, -1, C)),
    Row("apply_along_axis", (np.outer, 1, C, V[:2])),
    Row("apply_over_axes", (np.sum, C, [0, 2])),
    Row("unwrap", (3 * A,), {"discont": [4.0], "axis": [0], "period": [3.0]}),
    Row("i0", (A,)), Row("sort_complex", (V,), smooth=False),
    Row("real_if_close", (A,)), Row("real_if_close", (A + 1e-20j,), {"tol": [1e-30]}, smooth=False),
    Row("lib.stride_tricks.sliding_window_view", (C, 2),
        {"subok": [True], "writeable": [True]}, fixed={"axis": 1}),
    Row("lib.stride_tricks.sliding_window_view", (A, (2, 3)), {"axis": [(1, 0), (0,)]}),
    *[Row(f"emath.{name}", (positive(3, 4),)) for name in ("sqrt", "log", "log2", "log10")],
    *[Row(f"emath.{name}", (A,), smooth=False) for name in ("sqrt", "log", "log2", "log10")],
    *[Row(f"emath.{name}", (0.4 * A,)) for name in ("arccos", "arcsin", "arctanh")],
    *[Row(f"emath.{name}", (A,), smooth=False) for name in ("arccos", "arcsin", "arctanh")],
    Row("emath.logn", (2.0, positive(3))), Row("emath.logn", (2.0, V), smooth=False),
    Row("emath.power", (positive(4), 2.5)), Row("emath.power", (V, 0.5), smooth=False),
    Row("emath.power", (LABELS, -1), smooth=False),
    # Transformed
    *[Row(f"fft.{name}", (C,), {"n": [3, 5, None, 0], "axis": [0, -1, 5], "norm": NORMS,
                                **UNWRITTEN.get(name, {})})
      for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")],
    *[Row(f"fft.{name}", (C,), {"s": [(3, 5), (2, -1), (3,)], "norm": NORMS,
                                "axes": [(0, 1), (1, 0), (1, 1), (0,), None],
                                **UNWRITTEN.get(name, {})})
      for name in ("fft2", "ifft2", "rfft2", "irfft2")],
    *[Row(f"fft.{name}", (C,), {"s": [(3, 5), (-1, -1, 3), (2, 2, 2, 2)], "norm": NORMS,
                                "axes": [(0, 1), (2, 0, 2), (0,), (5,), None]})
      for name in ("fftn", "ifftn", "rfftn", "irfftn")],
    *[Row(f"fft.{name}", (C,), {"s": [(3, -1)]}, fixed={"axes": (0, 1)})
      for name in ("fftn", "ifftn", "rfftn", "irfftn")],
    Row("fft.fftn", (A,), fixed={"axes": ()}, options={"s": [(), (2,)], "out": [None]}),
    *[Row(f"fft.{name}", (numbers(3, 5),), {"axes": [None, 0, (0, 1), (1, 1), ()]})
      for name in ("fftshift", "ifftshift")],
    # Made
    *[Row(name, (A,), smooth=False) for name in ("zeros_like", "ones_like")],
    Row("full_like", (A, 3.0), smooth=False),
    Row("linspace", (V, W)), Row("linspace", (V, 3.0)), Row("logspace", (V, W)),
    Row("geomspace", (positive(4), positive(4))),
]  # fmt: skip

#: What has no value to compare, or an argument that is written; each has a test of its own.
ELSEWHERE = {
    "empty_like", "copyto", "put", "place", "putmask", "put_along_axis", "fill_diagonal",
    "histogram", "histogram2d", "histogramdd",
}  # fmt: skip
