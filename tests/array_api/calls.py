"""Calls in the words of the array standard, for any namespace that keeps to it.

``CALLS``: name -> what the function is given. ``MADE``: what makes arrays of nothing.
"""

import numpy as np

RNG = np.random.default_rng(0)
REAL = RNG.standard_normal((3, 4))
OTHER = RNG.standard_normal((3, 4))
POSITIVE = np.abs(REAL) + 0.1
WHOLE = RNG.integers(-9, 9, (3, 4))
COUNTS = RNG.integers(1, 4, (3, 4))
COMPLEX = REAL + 1j * OTHER
TRUTH = REAL > 0
SPECIAL = np.array([0.0, -0.0, 1.0, -1.5, 2.5, np.inf, -np.inf, np.nan])
VECTOR = np.array([3.0, 1.0, 2.0, 1.0, 3.0])
SQUARE = RNG.standard_normal((2, 3, 3)) + 3 * np.eye(3)
SYMMETRIC = SQUARE + np.swapaxes(SQUARE, -1, -2)
DEFINITE = SQUARE @ np.swapaxes(SQUARE, -1, -2)
TALL = RNG.standard_normal((2, 4, 3))

_ANGLES = "sin cos tan sinh cosh tanh asinh atan exp expm1"
_ROUND = "ceil floor round trunc sign abs negative positive square"
_TRUTHS = "isfinite isinf isnan"

CALLS = {}


def _call(name, *arrays, dtypes="float32 float64", own=None, **options):
    """Add calls of a function on arrays, in several dtypes."""
    for dtype in dtypes.split():
        given = [x.astype(dtype) if isinstance(x, np.ndarray) else x for x in arrays]
        CALLS.setdefault(name, []).append((given, options))


_INTEGERS = "int8 int32 int64 uint8"
for _name in f"{_ANGLES} square abs negative positive reciprocal".split():
    _call(_name, REAL)
for _name in ["sqrt", "log", "log1p", "log2", "log10", "acosh"]:
    _call(_name, POSITIVE + (1.0 if _name == "acosh" else 0.0))
for _name in ["acos", "asin", "atanh"]:
    _call(_name, REAL / 4.0)
for _name in [
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "expm1",
    "sqrt",
    "log",
    "log10",
    "square",
    "negative",
    "abs",
    "sign",
]:
    _call(_name, COMPLEX, dtypes="complex64 complex128")
for _name in [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "log1p",
    "log2",
    "reciprocal",
    "round",
]:
    _call(_name, COMPLEX, dtypes="complex128")
for _name in ["imag", "real", "conj"]:
    _call(_name, COMPLEX, dtypes="complex64 complex128")
for _name in f"{_ROUND} {_TRUTHS} signbit".split():
    _call(_name, SPECIAL)
for _name in _ROUND.split():
    _call(_name, WHOLE, dtypes="int8 int32 int64")
for _name in _TRUTHS.split():
    _call(_name, WHOLE, dtypes="int64 uint8")
for _name in ["add", "subtract", "multiply", "divide", "pow"]:
    _call(_name, POSITIVE, OTHER)
    _call(_name, COMPLEX, COMPLEX[0], dtypes="complex64 complex128")
for _name in ["add", "subtract", "multiply"]:
    _call(_name, WHOLE, COUNTS, dtypes=_INTEGERS)
    CALLS[_name].append(([WHOLE.astype("int8"), COUNTS.astype("uint8")], {}))
    CALLS[_name].append(([REAL.astype("float32"), np.asarray(2.5, "float64")], {}))
    CALLS[_name].append(([REAL.astype("float32"), 2], {}))
    CALLS[_name].append(([2.5, REAL.astype("float32")], {}))
    CALLS[_name].append(([WHOLE.astype("int8"), 3], {}))
_call("pow", WHOLE, COUNTS, dtypes="int32 int64")
_MIXED = "atan2 copysign hypot logaddexp maximum minimum nextafter remainder floor_divide"
for _name in f"{_MIXED} equal not_equal less less_equal greater greater_equal".split():
    _call(_name, REAL, OTHER)
    _call(_name, REAL, 0.5)
for _name in ["maximum", "minimum", "remainder", "floor_divide", "equal", "less", "greater_equal"]:
    _call(_name, WHOLE, COUNTS, dtypes="int8 int64")
for _name in [
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "bitwise_left_shift",
    "bitwise_right_shift",
]:
    _call(_name, COUNTS * 3, COUNTS, dtypes=_INTEGERS)
for _name in [
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "logical_and",
    "logical_or",
    "logical_xor",
]:
    _call(_name, TRUTH, ~TRUTH[0], dtypes="bool")
_call("logical_not", TRUTH, dtypes="bool")
_call("bitwise_invert", TRUTH, dtypes="bool")
_call("bitwise_invert", WHOLE, dtypes="int8 int64")
_call("clip", REAL, -0.5, 0.5)
_call("clip", REAL, min=0.0)
_call("clip", WHOLE, None, 3, dtypes="int64")
_call("clip", REAL, OTHER[0], 1.0)

# Reductions
for _name in ["sum", "prod"]:
    for _options in ({}, {"axis": 0}, {"axis": (0, -1)}, {"axis": 1, "keepdims": True}):
        _call(_name, REAL, **_options)
        _call(_name, COUNTS, dtypes="int8 int32 int64 uint8", **_options)
for _name in ["max", "min", "mean", "std", "var"]:
    for _options in ({}, {"axis": 0}, {"axis": (0, 1)}, {"axis": -1, "keepdims": True}):
        _call(_name, REAL, **_options)
for _name in ["std", "var"]:
    _call(_name, REAL, axis=0, correction=1)
    _call(_name, REAL, correction=0.5)
_call("max", WHOLE, axis=0, dtypes="int8 int64")
for _name in ["all", "any", "count_nonzero"]:
    for _options in ({}, {"axis": 0}, {"axis": (0, 1)}, {"axis": 1, "keepdims": True}):
        _call(_name, TRUTH, dtypes="bool", **_options)
        _call(_name, WHOLE, dtypes="int64", **_options)
for _name in ["cumulative_sum", "cumulative_prod"]:
    _call(_name, VECTOR)
    _call(_name, REAL, axis=0, include_initial=True)
    _call(_name, COUNTS, axis=1, dtypes="int8 int64 uint8")
_call("diff", REAL)
_call("diff", REAL, axis=0, n=2)

# Searching, sorting, sets
for _name in ["argmax", "argmin"]:
    for _options in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}):
        _call(_name, REAL, **_options)
for _name in ["sort", "argsort"]:
    for _options in ({}, {"axis": 0}, {"descending": True}, {"axis": 0, "descending": True}):
        _call(_name, REAL, **_options)
        _call(_name, WHOLE, dtypes="int64", **_options)
_call("isin", WHOLE, COUNTS, dtypes="int64")
_call("isin", WHOLE, COUNTS, dtypes="int32", invert=True)
_call("nonzero", WHOLE, dtypes="int64")
_call("searchsorted", np.sort(VECTOR), REAL)
_call("searchsorted", np.sort(VECTOR), REAL, side="right")
for _name in ["unique_all", "unique_counts", "unique_inverse", "unique_values"]:
    _call(_name, VECTOR)
    _call(_name, WHOLE, dtypes="int64")
CALLS["where"] = [
    ([TRUTH, REAL, OTHER], {}), ([TRUTH, REAL.astype("float32"), 0.0], {}),
    ([TRUTH, WHOLE, COUNTS.astype("int8")], {}),
]  # fmt: skip

# Arranging
for _options in ({}, {"axis": 0}, {"axis": (0, 1)}):
    _call("flip", REAL, **_options)
for _shift, _options in ((1, {}), (2, {"axis": 0}), ((1, -1), {"axis": (0, 1)})):
    _call("roll", REAL, _shift, **_options)
_call("expand_dims", REAL, 1)
_call("expand_dims", REAL, -1)
_call("moveaxis", TALL, 0, -1)
_call("permute_dims", TALL, (2, 0, 1))
_call("broadcast_to", REAL, (2, 3, 4))
_call("repeat", REAL, 2, axis=1)
_call("repeat", REAL, 2)
_call("reshape", REAL, (2, -1))
_call("reshape", REAL, (12,), copy=True)
_call("squeeze", REAL[:, :1], 1)
_call("tile", REAL, (2, 1))
_call("unstack", REAL)
_call("unstack", REAL, axis=1)
_call("tril", REAL)
_call("triu", TALL, k=1)
CALLS["concat"] = [([[REAL, OTHER]], {}), ([[REAL, OTHER]], {"axis": 1}),
                   ([[REAL, REAL.astype("float32")]], {"axis": None})]  # fmt: skip
CALLS["stack"] = [([[REAL, OTHER]], {}), ([[REAL, OTHER]], {"axis": -1})]
CALLS["take"] = [([REAL, np.array([0, 2])], {"axis": 0}), ([VECTOR, np.array([4, 0])], {})]
CALLS["take_along_axis"] = [([REAL, np.argsort(REAL, -1)], {}),
                            ([REAL, np.argsort(REAL, 0)], {"axis": 0})]  # fmt: skip
CALLS["broadcast_arrays"] = [([REAL, REAL[0]], {})]
CALLS["meshgrid"] = [([VECTOR, VECTOR[:2]], {}), ([VECTOR, VECTOR[:2]], {"indexing": "ij"})]

# Products
for _name in ("matmul", "linalg.matmul"):
    _call(_name, REAL, TALL, dtypes="float32 float64 complex128")
    _call(_name, WHOLE, WHOLE.T, dtypes="int64")
_call("matrix_transpose", TALL)
_call("tensordot", REAL, OTHER.T, axes=1)
_call("tensordot", REAL, OTHER, axes=((0, 1), (0, 1)))
_call("vecdot", COMPLEX, COMPLEX[0], dtypes="complex128")
_call("vecdot", REAL, OTHER)
_call("vecdot", REAL, OTHER, axis=-2)

# linalg
for _name in ["det", "inv", "slogdet", "svdvals", "matrix_rank"]:
    _call(f"linalg.{_name}", SQUARE)
_call("linalg.cholesky", DEFINITE)
_call("linalg.cholesky", DEFINITE, upper=True)
_call("linalg.eigvalsh", SYMMETRIC)
_call("linalg.cross", REAL[:, :3], OTHER[:, :3])
_call("linalg.cross", REAL, OTHER, axis=-2)
for _offset in (-1, 0, 2):
    _call("linalg.diagonal", TALL, offset=_offset)
    _call("linalg.trace", TALL, offset=_offset)
_call("linalg.trace", WHOLE, dtypes="int8 int64")
for _ord in ("fro", "nuc", 1, 2, -1, -2, np.inf, -np.inf):
    _call("linalg.matrix_norm", TALL, ord=_ord)
_call("linalg.matrix_norm", TALL, keepdims=True)
for _ord in (0, 1, 2, 3.5, np.inf, -np.inf):
    _call("linalg.vector_norm", REAL, ord=_ord)
    _call("linalg.vector_norm", TALL, axis=(0, 2), ord=_ord, keepdims=True)
for _power in (-1, 0, 3):
    _call("linalg.matrix_power", SQUARE, _power)
_call("linalg.outer", VECTOR, VECTOR)
_call("linalg.pinv", TALL)
_call("linalg.solve", SQUARE, TALL[:, :3])
_call("linalg.solve", SQUARE, VECTOR[:3])
_call("linalg.solve", SQUARE, SQUARE[0])
_call("linalg.tensordot", REAL, OTHER.T, axes=1)
_call("linalg.vecdot", REAL, OTHER)
_call("linalg.matrix_transpose", TALL)

# fft
for _name in ["fft", "ifft", "hfft", "irfft"]:
    _call(f"fft.{_name}", COMPLEX, dtypes="complex64 complex128")
    _call(f"fft.{_name}", COMPLEX, dtypes="complex128", n=5, axis=0, norm="ortho")
for _name in ["rfft", "ihfft"]:
    _call(f"fft.{_name}", REAL)
    _call(f"fft.{_name}", REAL, n=3, axis=0, norm="forward")
for _name in ["fftn", "ifftn", "irfftn"]:
    _call(f"fft.{_name}", COMPLEX, dtypes="complex128")
    _call(f"fft.{_name}", COMPLEX, dtypes="complex128", s=(2, 5), axes=(1, 0))
_call("fft.rfftn", REAL)
for _name in ["fftshift", "ifftshift"]:
    _call(f"fft.{_name}", REAL)
    _call(f"fft.{_name}", REAL, axes=1)


#: Calls that make arrays of nothing: functions of a namespace.
MADE = {
    "arange": [
        lambda m: m.arange(5), lambda m: m.arange(2, 9, 3), lambda m: m.arange(5, 2, -1),
        lambda m: m.arange(3, 1), lambda m: m.arange(0.0, 1.0, 0.25, dtype=m.float32),
    ],
    "eye": [
        lambda m: m.eye(3, dtype=m.float64), lambda m: m.eye(2, 4, k=1, dtype=m.int32),
    ],
    "linspace": [
        lambda m: m.linspace(0.0, 1.0, 5, dtype=m.float64),
        lambda m: m.linspace(0, 10, 4, dtype=m.float32, endpoint=False),
        lambda m: m.linspace(1.0, 2.0, 1, dtype=m.float64),
    ],
    "full": [
        lambda m: m.full((2, 3), 7), lambda m: m.full(3, True), lambda m: m.full((), 1.5,
                                                                               dtype=m.float32),
    ],
    "ones": [lambda m: m.ones((2, 3), dtype=m.float32), lambda m: m.ones(4, dtype=m.int8)],
    "zeros": [lambda m: m.zeros((2, 0), dtype=m.bool), lambda m: m.zeros((), dtype=m.uint16)],
    "ones_like": [lambda m: m.ones_like(m.zeros((2, 3), dtype=m.int16))],
    "zeros_like": [lambda m: m.zeros_like(m.ones(3, dtype=m.int16), dtype=m.float64)],
    "full_like": [lambda m: m.full_like(m.ones(3, dtype=m.int16), 5)],
    "empty": [lambda m: m.empty((2, 3), dtype=m.float32) * 0 == 0],
    "empty_like": [lambda m: m.zeros_like(m.empty_like(m.ones(3, dtype=m.int8)))],
    "asarray": [
        lambda m: m.asarray([[1, 2], [3, 4]]), lambda m: m.asarray([1.0, 2.0], dtype=m.float64),
        lambda m: m.asarray(True), lambda m: m.asarray(m.ones(2, dtype=m.float32), copy=True),
    ],
    "astype": [
        lambda m: m.astype(m.asarray([1, 2]), m.float32),
        lambda m: m.astype(m.asarray([1.7, -1.7], dtype=m.float64), m.int8),
    ],
    "from_dlpack": [lambda m: m.from_dlpack(m.asarray([1, 2, 3]))],
    "fft.fftfreq": [lambda m: m.fft.fftfreq(5, dtype=m.float64),
                    lambda m: m.fft.fftfreq(4, d=0.5, dtype=m.float32)],
    "fft.rfftfreq": [lambda m: m.fft.rfftfreq(5, d=0.1, dtype=m.float64)],
}  # fmt: skip
