"""Rows of what normalises channels: over a batch, over samples, over groups, by neighbours."""

import numpy as np

from aino.nn import functional as F
from tests.calculus.row import Row, case, integers, positive, real
from tests.nn.rows_normalization import by_neighbours, over


def functional(name, oracle, cases, **options):
    options = {"dtypes": "float32", "covers": "", "gradtol": 1e-4} | options
    function = getattr(F, name.partition(" ")[0])
    return Row(f"nn.functional.{name}", function, oracle, cases, **options)


def batch_norm(x, mean, var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    if training:
        return over(x, (0, *range(2, x.ndim)), weight, bias, eps)
    shape = (-1,) + (1,) * (x.ndim - 2)
    y = (x - mean.reshape(shape)) / np.sqrt(var.reshape(shape) + eps)
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def instance_norm(x, mean=None, var=None, weight=None, bias=None, eps=1e-5):
    return over(x, tuple(range(2, x.ndim)), weight, bias, eps)


def group_norm(x, groups, weight=None, bias=None, eps=1e-5):
    y = over(x.reshape(len(x), groups, -1), 2, None, None, eps).reshape(x.shape)
    shape = (-1,) + (1,) * (x.ndim - 2)
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


running = real(3).constant(), positive(3).constant()

ROWS = [
    functional("batch_norm", batch_norm, [
        case(real(4, 3), None, None, training=True),
        case(real(2, 3, 5), None, None, real(3), real(3), training=True),
        case(real(2, 3, 3, 4), None, None, real(3), training=True, eps=0.1),
        case(real(2, 2, 2, 2, 2), None, None, real(2), real(2), training=True),
        case(real(4, 3), *running), case(real(2, 3, 2), *running, real(3), real(3), eps=0.1),
    ], covers="batch_norm",
       errors=[case(real(1, 3), None, None, training=True), case(real(4, 3), None, None),
               case(real(4, 3), real(2).constant(), positive(3).constant()),
               case(real(4, 3), None, None, real(2), training=True),
               case(integers(0, 3, 4, 3), None, None, training=True)]),
    # A shift without a scale: PyTorch's second derivatives raise.
    functional("batch_norm (a shift alone)", batch_norm, [
        case(real(2, 2, 2, 2, 2), None, None, None, real(2), training=True)], torch=None),
    functional("group_norm (a shift alone)", group_norm, [case(real(2, 3, 9), 3, None, real(3))],
               torch=None),
    functional("instance_norm", instance_norm, [
        case(real(2, 3, 4)), case(real(2, 3, 2, 5), None, None, real(3), real(3), eps=0.1),
        case(real(1, 2, 9), weight=real(2)),
    ], errors=[case(real(2, 3, 1)), case(real(2, 3, 4), use_input_stats=False),
               case(real(2, 3, 4), weight=real(2))]),
    functional("group_norm", group_norm, [
        case(real(2, 4, 3), 2), case(real(2, 4, 2, 3), 2, real(4), real(4), eps=0.1),
        case(real(3, 4), 1, real(4)), case(real(2, 3, 9), 3, real(3), real(3)),
    ], errors=[case(real(2, 3, 4), 2), case(real(4), 1), case(real(2, 4, 3), 2, real(3)),
               case(real(1, 2), 2)]),
    functional("local_response_norm",
               lambda x, size, alpha=1e-4, beta=0.75, k=1.0: by_neighbours(
                   x, size // 2, (size - 1) // 2, alpha / size, beta, k), [
        case(real(2, 4, 3), 3, alpha=0.5), case(real(2, 4, 2, 2), 2, 0.5, 2.0, 0.5),
        case(real(1, 3, 2), 9), case(real(1, 3, 2), 1, alpha=1.0),
    ], errors=[case(real(2, 4), 2)]),
]  # fmt: skip
