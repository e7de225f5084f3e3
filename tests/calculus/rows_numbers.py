"""Rows of whole numbers, mantissas and exponents, neighbours, membership, and renorm."""

import numpy as np

from aino.ops.index import membership, numbering
from aino.ops.pointwise import exponents, renorm, whole_numbers
from aino.ops.reduce import hashing
from tests.calculus.row import Row, booleans, case, given, integers, nonzero, real

SIGNED = "uint8 int8 int32 int64"


def ldexp(x, exponent):
    return x * 2.0**exponent


def renorm_oracle(x, p, dim, maxnorm):
    rows = np.moveaxis(x, dim, 0).copy()
    for row in rows:
        size = (abs(row) ** p).sum() ** (1 / p) if p != np.inf else abs(row).max()
        if size > maxnorm:
            row *= maxnorm / (size + 1e-7)
    return np.moveaxis(rows, 0, dim)


def combinations(x, r=2, with_replacement=False):
    import itertools

    kind = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    if not r:
        return np.empty(0)
    return x[np.array(list(kind(range(len(x)), r)), np.int64).reshape(-1, r)]


def nonzero_static(x, *, size, fill_value=-1):
    places = np.argwhere(x)[:size]
    filled = np.full((size - len(places), x.ndim), fill_value)
    return np.concatenate([places, filled])


def hash_tensor(x, dim=None, keepdim=False):
    # The exclusive or is a sum without carries, digit by digit.
    bits = x.astype(np.float64 if x.dtype.kind == "f" else np.int64).view(np.uint64)[..., None]
    digits = (bits >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    dims = range(x.ndim) if dim is None or dim == () else dim if isinstance(dim, tuple) else (dim,)
    odd = digits.sum(tuple(d % x.ndim for d in dims), keepdims=keepdim) % np.uint64(2)
    return (odd << np.arange(64, dtype=np.uint64)).sum(-1, dtype=np.uint64)


ROWS = [
    Row("gcd", whole_numbers.gcd, np.gcd,
        [case(integers(-9, 9, 3, 2), integers(-9, 9, 3, 2)),
         case(given([0, 0, 4], np.int8), given([0, 3, 0], np.int8)),
         case(integers(0, 9, 3, 1, dtype=np.int32), integers(-9, 9, 2))],
        order=0, dtypes="bool",
        errors=[case(real(2), real(2)), case(booleans(2), booleans(2))]),
    # In PyTorch the divisor is -2: -128 has no opposite in int8.
    Row("gcd (of the least number)", whole_numbers.gcd, np.gcd,
        [case(given([-128, -6], np.int8), given([6, -128], np.int8))],
        order=0, torch=None, method="gcd"),
    Row("lcm", whole_numbers.lcm, np.lcm,
        [case(integers(-9, 9, 3, 2), integers(-9, 9, 3, 2)),
         case(given([0, 0, 4], np.int8), given([0, 3, 6], np.int8))],
        order=0, dtypes="bool", errors=[case(real(2), real(2))]),
    Row("frexp", exponents.frexp, np.frexp,
        [case(real(3, 2)), case(real()), case(real(0, 2)), case(given([9.0, -0.75]))],
        kinks=[case(given([0.0, 8.0, np.inf, -np.inf])).slopes([1.0, 0.0625, 1.0, 1.0])],
        covers="ldexp", dtypes="bool int64 float16 float32", errors=[case(integers(0, 3, 2))]),
    Row("ldexp", exponents.ldexp, ldexp,
        [case(real(2, 3), integers(0, 4, 3)), case(real(2, 1), real(3)),
         case(real(), integers(0, 4)), case(real(0, 2), integers(0, 2, 2))],
        complex=True, dtypes="bool uint8 int64 float16 float32"),
    Row("frexp (far)", exponents.frexp, np.frexp, [case(given([2.0**-1070]).constant())],
        covers="", order=0, torch="frexp", method="frexp"),
    # PyTorch's slope is 0 here: it takes a power of 2 in whole numbers.
    Row("ldexp (down)", exponents.ldexp, ldexp, [case(real(2, 3), integers(-3, 0, 3))],
        covers="ldexp", complex=True, torch=None, method="ldexp"),
    # Through the powers PyTorch would lose these: 2¹⁰²⁵ is no number, and 2⁻¹⁰⁷⁵ is zero.
    Row("ldexp (far)", exponents.ldexp, np.ldexp,
        [case(given([2.0**-1000, 2.0**1000]).constant(), given([1025, -1075]))],
        covers="ldexp", torch=None, method="ldexp", order=0),
    Row("nextafter", exponents.nextafter, np.nextafter,
        [case(real(2, 3), real(3))],
        kinks=[case(given([0.0, 1.0, np.inf, -0.0]), given([1.0, 1.0, 0.0, 0.0])).slopes(
            [1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0])],
        dtypes="bool int64 float32 float16", errors=[case(integers(0, 3, 2), integers(0, 3, 2))]),
    Row("isin", membership.isin, lambda x, tests, assume_unique=False, invert=False: np.isin(
            x, tests, invert=invert),
        [case(integers(0, 9, 2, 3), integers(0, 9, 4)), case(integers(0, 3, 4), 2),
         case(2, integers(0, 3, 4)), case(integers(0, 9, 3), integers(0, 9, 3), invert=True),
         case(given([1, 2, 3]), given([2, 9]), assume_unique=True),
         case(given([1.0, np.nan]).constant(), given([np.nan, 1.0]).constant()),
         case(given([1, 2]), 1.5), case(integers(0, 3, 0), integers(0, 3, 2)),
         case(integers(0, 3, 2), integers(0, 3, 0)), case(integers(0, 3), integers(0, 3, 2))],
        order=0, method="", dtypes="uint8 int64 float32"),
    Row("renorm", renorm.renorm, renorm_oracle,
        [case(nonzero(3, 2), 2, 0, 1.0), case(nonzero(2, 2, 2), 1, -1, 0.5),
         case(nonzero(2, 3), 3.5, 1, 100.0), case(nonzero(2, 3), np.inf, 0, 0.5)],
        covers="", complex=True, dtypes="int64 float32", rtol=1e-7,
        kinks=[case(given([[0.0, 0.0], [3.0, 4.0]]), 2, 0, 5.5), case(real(2, 0), 2, 0, 1.0)],
        errors=[case(real(3), 2, 0, 1), case(real(2, 2), -1, 0, 1), case(real(2, 2), 2, 2, 1),
                case(real(2, 2), 2, 0, -1)]),
    Row("fill", renorm.fill, np.full_like,
        [case(real(2, 3), 3.0), case(real(2, 3), real()), case(real(), 2), case(real(0), real())],
        covers="", complex=True, method="", errors=[case(real(2), real(1))]),
    Row("combinations", numbering.combinations, combinations,
        [case(real(4)), case(real(4), 3), case(real(3), 2, True), case(real(3), 3, True),
         case(real(2), 3), case(real(0), 2), case(real(3), 1)],
        covers="", complex=True, method="",
        errors=[case(real(2, 2)), case(real(2), -1)]),
    Row("combinations (of none)", numbering.combinations, combinations,
        [case(real(3).constant(), 0)], order=0, covers="", torch="combinations", method=""),
    Row("unravel_index", numbering.unravel_index, np.unravel_index,
        [case(integers(0, 24, 3, 2), (2, 3, 4)), case(integers(0, 5), 6),
         case(integers(0, 5, 3, dtype=np.int32), (5,)), case(integers(0, 5, 0), (5, 0))],
        method="", errors=[case(real(2), (2, 3))]),
    Row("nonzero_static", numbering.nonzero_static, nonzero_static,
        [case(integers(0, 2, 3, 2), size=2), case(integers(0, 2, 4), size=7, fill_value=9),
         case(booleans(2, 2), size=3), case(integers(0, 2, 4), size=0)],
        order=0, errors=[case(integers(0, 2, 3), size=-1)]),
    Row("hash_tensor", hashing.hash_tensor, hash_tensor,
        [case(real(3, 4)), case(real(2, 3, 2), 1), case(real(2, 3), (0, 1), keepdim=True),
         case(real(2, 3), ()), case(real()), case(integers(-5, 5, 3, 2), -1), case(booleans(3)),
         case(integers(0, 200, 3, dtype=np.uint8)), case(given([np.nan, -0.0, np.inf])),
         case(real(0, 2), 1)],
        order=0, covers="", dtypes="bool uint8 int8 int64 float16 float32",
        errors=[case(real(2, 3), mode=1), case(real(2, 3), 5), case(real(2, 0), 1),
                case(real(0))]),
]  # fmt: skip
