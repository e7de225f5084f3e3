"""Rows of operations on what a mask lets through."""

import numpy as np

from aino.ops.masked import normalizations, reductions
from tests.calculus.row import Row, case, distinct, given, positive, real

MASK = given([[True, False, True], [True, True, False]])
COLUMNS = given([True, False, True])
ROWS_OF = given([[True], [True]])
MISMATCH = [case(real(2, 3), mask=given([True, False])), case(real(3), mask=MASK)]


def let_through(mask, shape):
    return np.broadcast_to(True if mask is None else mask, shape)


def axes(dim, rank):
    return tuple(range(rank)) if dim is None or dim == () else dim


def reduced(function, identity):
    """Return an oracle: the elements that count, the others neutral."""

    def oracle(x, dim=None, *, keepdim=False, dtype=None, mask=None):
        x = np.where(let_through(mask, x.shape), x, identity)
        return function(x, axis=axes(dim, x.ndim), keepdims=keepdim)

    return oracle


def moment(function):
    """Return an oracle over the numbers of each row that counts, one row at a time."""

    def oracle(x, dim=None, *arguments, keepdim=False, dtype=None, mask=None, **options):
        mask = let_through(mask, x.shape)
        dims = axes(dim, x.ndim)
        dims = (dims,) if isinstance(dims, int) else dims
        dims = tuple(d % x.ndim for d in dims)
        kept = [d for d in range(x.ndim) if d not in dims]
        shape = [x.shape[d] for d in kept]
        values = np.moveaxis(x, kept, range(len(kept))).reshape(*shape, -1)
        masks = np.moveaxis(mask, kept, range(len(kept))).reshape(*shape, -1)
        found = np.empty(shape, np.result_type(function(x.reshape(-1)[:2], *arguments, **options)))
        for place in np.ndindex(*shape):
            found[place] = function(values[place][masks[place]], *arguments, **options)
        return np.expand_dims(found, dims) if keepdim else found

    return oracle


def variance(x, unbiased=None, *, correction=None):
    correction = correction if correction is not None else 1 if unbiased in (None, True) else 0
    return (abs(x - x.mean()) ** 2).sum() / max(len(x) - correction, 0)


def deviation(x, unbiased=None, *, correction=None):
    return np.sqrt(variance(x, unbiased, correction=correction))


def lower_median(x):
    return np.sort(x)[(len(x) - 1) // 2]


def place(function, identity):
    def oracle(x, dim=None, *, keepdim=False, mask=None):
        x = np.where(let_through(mask, x.shape), x, identity)
        return function(x, axis=dim, keepdims=keepdim).astype(x.dtype)

    return oracle


def norm(x, ord=2.0, dim=None, *, keepdim=False, mask=None):
    inner = moment(lambda row: np.linalg.norm(row, ord))
    return inner(x, dim, keepdim=keepdim, mask=mask)


def softmax(x, dim, *, mask=None):
    e = np.where(let_through(mask, x.shape), np.exp(x), 0)
    return e / e.sum(dim, keepdims=True)


def normalize(x, ord, dim, *, eps=1e-12, mask=None):
    size = norm(x, ord, dim, keepdim=True, mask=mask)
    return np.where(let_through(mask, x.shape), x, 0) / np.maximum(size, eps)


def logaddexp(a, b, *, input_mask=None, other_mask=None):
    a = np.where(let_through(input_mask, a.shape), a, -np.inf)
    return np.logaddexp(a, np.where(let_through(other_mask, b.shape), b, -np.inf))


def over(sample, *arguments, **options):
    """Return cases of a reduction: without a mask and with several, over some dimensions."""
    return [
        case(sample(2, 3), *arguments, **options),
        case(sample(2, 3), *arguments, mask=MASK, **options),
        case(sample(2, 3), *arguments, dim=1, mask=COLUMNS, **options),
        case(sample(2, 3), *arguments, dim=(0, 1), keepdim=True, mask=MASK, **options),
        case(sample(2, 3), *arguments, dim=-2, mask=ROWS_OF, **options),
    ]


def _row(name, oracle, cases, room=reductions, **options):
    options = {"errors": MISMATCH, **options}
    return Row(f"masked.{name}", getattr(room, name), oracle, cases, covers="", method="",
               torch=lambda torch, *a, **k: getattr(torch.masked, name)(*a, **k),
               **options)  # fmt: skip


ONE_DIM = [
    case(distinct(2, 3)), case(distinct(2, 3), mask=MASK), case(distinct(2, 3), 1, mask=COLUMNS),
    case(distinct(2, 3), 0, keepdim=True),
]  # fmt: skip
SCANS = [case(real(2, 3), 1), case(real(2, 3), 1, mask=MASK), case(real(2, 3), -2, mask=COLUMNS)]
ALONG = [case(real(2, 3), 1), case(real(2, 3), 1, mask=MASK), case(real(2, 3), 0, mask=ROWS_OF)]
NO_DIM = {"errors": [case(real(2, 3), 0, mask=given([True, False]))]}
NOTHING = given([[False, False], [True, True]])

ROWS = [
    _row("sum", reduced(np.sum, 0), over(real), complex=True, dtypes="uint8 int64 float32",
         kinks=[case(real(2, 2), 1, mask=NOTHING)]),
    _row("prod", reduced(np.prod, 1), over(real), complex=True, dtypes="uint8 int64 float32",
         kinks=[case(real(2, 2), 1, mask=NOTHING)]),
    _row("mean", moment(np.mean), over(real), complex=True, dtypes="int64 float32",
         errors=[case(given([1, 2]))]),
    _row("median", lambda x, dim=-1, **options: moment(lower_median)(x, dim, **options),
         [case(distinct(2, 3)), case(distinct(2, 3), mask=MASK),
          case(distinct(2, 3), 0, keepdim=True)], dtypes="float32"),
    _row("var", moment(variance),
         [*over(real), case(real(2, 3), correction=0, mask=MASK), case(real(2, 3), None, False)],
         complex=True, dtypes="int64 float32"),
    _row("std", moment(deviation), over(real), complex=True, dtypes="int64 float32"),
    _row("amax", reduced(np.max, -np.inf), over(distinct), dtypes="float32",
         kinks=[case(given([[1.0, 1.0], [2.0, 3.0]]), 1, mask=NOTHING)]),
    _row("amin", reduced(np.min, np.inf), over(distinct), dtypes="float32"),
    _row("argmax", place(np.argmax, -np.inf), ONE_DIM, order=0, dtypes="float32"),
    _row("argmin", place(np.argmin, np.inf), ONE_DIM, order=0, dtypes="float32"),
    _row("norm", norm, [*over(real), case(real(2, 3), 1, mask=MASK),
                        case(distinct(2, 3), np.inf, mask=MASK),
                        case(distinct(2, 3), -np.inf, mask=MASK)],
         complex=False, dtypes="float32"),
    _row("logsumexp", moment(lambda x: np.log(np.exp(x).sum())), over(real), dtypes="float32"),
    _row("cumsum", lambda x, dim, mask=None: np.where(
             let_through(mask, x.shape), x, 0).cumsum(dim),
         SCANS, room=normalizations, complex=True, dtypes="int64 float32", **NO_DIM),
    _row("cumprod", lambda x, dim, mask=None: np.where(
             let_through(mask, x.shape), x, 1).cumprod(dim),
         SCANS, room=normalizations, complex=True, dtypes="int64 float32", **NO_DIM),
    _row("softmax", softmax, ALONG, room=normalizations, dtypes="float32", **NO_DIM),
    _row("log_softmax", lambda x, dim, mask=None: np.log(softmax(x, dim, mask=mask)),
         [case(real(2, 3), 1), case(real(2, 3), 0, mask=ROWS_OF)],
         room=normalizations, dtypes="float32", **NO_DIM),
    _row("softmin", lambda x, dim, mask=None: softmax(-x, dim, mask=mask), ALONG,
         room=normalizations, dtypes="float32", **NO_DIM),
    _row("normalize", normalize,
         [case(positive(2, 3), 2.0, 1), case(positive(2, 3), 2.0, 1, mask=MASK),
          case(positive(2, 3), 1.0, 0, mask=ROWS_OF)],
         room=normalizations, dtypes="float32",
         errors=[case(real(2, 3), 2.0, 0, mask=given([True, False]))]),
    # What is masked out has no slope; PyTorch's second derivative is nan there.
    Row("masked.logaddexp (masked)", normalizations.logaddexp, logaddexp,
        [case(real(2, 3), real(2, 3), input_mask=MASK),
         case(real(2, 3), real(2, 3), input_mask=MASK, other_mask=given([[True], [True]]))],
        covers="", method="", torch=None),
    _row("logaddexp", logaddexp, [case(real(2, 3), real(2, 3))],
         room=normalizations, dtypes="float32",
         errors=[case(real(2), real(2), input_mask=given([True, False, True]))]),
]  # fmt: skip
