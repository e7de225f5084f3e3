"""Modules that normalise channels, one row for each way to make them that matters."""

import numpy as np

from tests.calculus.row import integers, real
from tests.nn.row import row


def over(x, axes, weight=None, bias=None, eps=1e-5):
    """Return x less its mean and divided by its deviation over axes, scaled for each channel."""
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    shape = (-1,) + (1,) * (x.ndim - 2)
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def batch_norm(x, weight=None, bias=None, **_):
    return over(x, (0, *range(2, x.ndim)), weight, bias)


def instance_norm(x, weight=None, bias=None, **_):
    return over(x, tuple(range(2, x.ndim)), weight, bias)


def group_norm(x, weight=None, bias=None):
    grouped = x.reshape(x.shape[0], 2, -1)
    y = over(grouped, 2).reshape(x.shape)
    shape = (-1,) + (1,) * (x.ndim - 2)
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def by_neighbours(x, before, after, alpha, beta, k):
    channels, y = x.shape[1], np.empty_like(x)
    for c in range(channels):
        around = x[:, max(0, c - before) : min(channels, c + after + 1)]
        y[:, c] = x[:, c] / (k + alpha * (around**2).sum(1)) ** beta
    return y


def text(name, features=3, momentum=0.1, affine=True, bias=None, tracks=True):
    bias = affine if bias is None else bias
    return (
        f"{name}({features}, eps=1e-05, momentum={momentum}, affine={affine}, bias={bias}, "
        f"track_running_stats={tracks})"
    )


ROWS = [
    row("BatchNorm1d", 3, inputs=real(4, 3), oracle=batch_norm, text=text("BatchNorm1d"),
        errors=[((-1,), {}, ValueError), ((3,), {"dtype": "int64"}, TypeError)],
        bad_inputs=[(real(3),), (real(4, 2),), (real(1, 3),), (integers(0, 3, 4, 3),),
                    (real(1, 3, 1),), (real(2, 3, 2, 2),)]),
    row("BatchNorm1d", 2, momentum=None, bias=False, inputs=real(3, 2, 9), oracle=batch_norm,
        text=text("BatchNorm1d", 2, None, bias=False)),
    row("BatchNorm2d", 3, affine=False, inputs=real(2, 3, 3, 3), oracle=batch_norm,
        text=text("BatchNorm2d", affine=False), bad_inputs=[(real(4, 3),), (real(1, 3, 1, 1),)]),
    row("BatchNorm2d", 2, track_running_stats=False, inputs=real(2, 2, 2, 3), oracle=batch_norm,
        text=text("BatchNorm2d", 2, tracks=False)),
    row("BatchNorm3d", 2, inputs=real(2, 2, 2, 1, 3), oracle=batch_norm,
        text=text("BatchNorm3d", 2), bad_inputs=[(real(4, 2),)]),
    row("SyncBatchNorm", 2, inputs=real(3, 2, 2), oracle=batch_norm,
        text=text("SyncBatchNorm", 2), bad_inputs=[(real(3),), (real(3, 0, 2),)]),
    row("InstanceNorm1d", 3, inputs=real(2, 3, 4), oracle=instance_norm,
        text=text("InstanceNorm1d", affine=False, tracks=False),
        bad_inputs=[(real(3),), (real(2, 3, 1),)]),
    row("InstanceNorm1d", 3, affine=True, inputs=real(3, 4), text=text("InstanceNorm1d",
        tracks=False), oracle=lambda x, **state: instance_norm(x[None], **state)[0],
        bad_inputs=[(real(4, 4),)]),
    row("InstanceNorm2d", 2, affine=True, track_running_stats=True, inputs=real(2, 2, 3, 3),
        oracle=instance_norm, text=text("InstanceNorm2d", 2),
        bad_inputs=[(real(2, 3, 3, 3),), (real(2, 2),)]),
    row("InstanceNorm3d", 2, affine=True, bias=False, inputs=real(1, 2, 2, 2, 2),
        oracle=instance_norm, text=text("InstanceNorm3d", 2, bias=False, tracks=False)),
    row("GroupNorm", 2, 4, inputs=real(2, 4, 3), oracle=group_norm,
        text="GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)",
        errors=[((2, 3), {}, ValueError)], bad_inputs=[(real(2, 3, 3),), (real(4),)]),
    row("GroupNorm", 2, 4, affine=False, inputs=real(2, 4), oracle=group_norm,
        text="GroupNorm(2, 4, eps=1e-05, affine=False, bias=False)"),
    row("LocalResponseNorm", 3, alpha=0.5, inputs=real(2, 4, 2),
        oracle=lambda x: by_neighbours(x, 1, 1, 0.5 / 3, 0.75, 1.0),
        text="LocalResponseNorm(3, alpha=0.5, beta=0.75, k=1.0)", bad_inputs=[(real(2, 4),)]),
    row("LocalResponseNorm", 4, alpha=0.5, beta=2.0, k=0.5, inputs=real(2, 3, 1, 2),
        oracle=lambda x: by_neighbours(x, 2, 1, 0.5 / 4, 2.0, 0.5),
        text="LocalResponseNorm(4, alpha=0.5, beta=2.0, k=0.5)"),
    # PyTorch's keeps the square of the first channel in all sums from channel (size + 1) // 2 on,
    # though it has left them, and its gradient is not that of finite differences.
    row("CrossMapLRN2d", 3, alpha=0.5, torch=False, inputs=real(2, 4, 1, 2),
        oracle=lambda x: by_neighbours(x, 1, 1, 0.5 / 3, 0.75, 1.0),
        text="CrossMapLRN2d(3, alpha=0.5, beta=0.75, k=1)", bad_inputs=[(real(2, 4, 2),)]),
]  # fmt: skip
