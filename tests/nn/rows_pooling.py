"""Modules that pool, pad and resample."""

import numpy as np

from tests.calculus.row import distinct, given, nonzero, real
from tests.calculus.rows_pooling import (
    adaptive_avg,
    adaptive_max,
    avg_pool,
    fractional,
    lp_pool,
    max_pool,
    unpool,
)
from tests.calculus.rows_resampling import (
    channel_shuffle,
    interpolate,
    pixel_shuffle,
    pixel_unshuffle,
)
from tests.nn.row import row


def largest(n, size, **options):
    return lambda x: max_pool(n)(x, size, **options)


def mean(n, size, **options):
    return lambda x: avg_pool(n)(x, size, **options)


def unpooled(n, size, **options):
    return lambda x, indices: unpool(n)(x, indices, size, **options)


POOLING = [
    row("MaxPool1d", 2, inputs=distinct(2, 2, 6), oracle=largest(1, 2),
        text="MaxPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
        bad_inputs=[(real(6),), (real(1, 1),)]),
    row("MaxPool2d", (2, 3), 2, 1, ceil_mode=True, inputs=distinct(1, 5, 5),
        oracle=largest(2, (2, 3), stride=2, padding=1, ceil_mode=True),
        text="MaxPool2d(kernel_size=(2, 3), stride=2, padding=1, dilation=1, ceil_mode=True)"),
    row("MaxPool3d", 2, dilation=2, inputs=distinct(1, 3, 4, 3), oracle=largest(3, 2, dilation=2),
        text="MaxPool3d(kernel_size=2, stride=2, padding=0, dilation=2, ceil_mode=False)"),
    row("AvgPool1d", 2, inputs=real(2, 2, 6), oracle=mean(1, 2),
        text="AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))",
        bad_inputs=[(real(6),), (real(1, 1),)]),
    row("AvgPool2d", 3, 2, (1, 0), count_include_pad=False, inputs=real(1, 5, 5),
        oracle=mean(2, 3, stride=2, padding=(1, 0), count_include_pad=False),
        text="AvgPool2d(kernel_size=3, stride=2, padding=(1, 0))"),
    row("AvgPool3d", 2, divisor_override=3, inputs=real(1, 2, 4, 2),
        oracle=mean(3, 2, divisor_override=3),
        text="AvgPool3d(kernel_size=2, stride=2, padding=0)"),
    row("LPPool1d", 2, 3, inputs=nonzero(1, 6), oracle=lambda x: lp_pool(1)(x, 2.0, 3),
        text="LPPool1d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)"),
    row("LPPool2d", 2, (2, 3), 1, inputs=nonzero(1, 4, 4),
        oracle=lambda x: lp_pool(2)(x, 2.0, (2, 3), 1),
        text="LPPool2d(norm_type=2, kernel_size=(2, 3), stride=1, ceil_mode=False)"),
    row("LPPool3d", 4, 2, inputs=nonzero(1, 2, 2, 4), oracle=lambda x: lp_pool(3)(x, 4.0, 2),
        text="LPPool3d(norm_type=4, kernel_size=2, stride=None, ceil_mode=False)"),
    row("AdaptiveAvgPool1d", 3, inputs=real(2, 1, 5), oracle=lambda x: adaptive_avg(1)(x, 3),
        text="AdaptiveAvgPool1d(output_size=3)", bad_inputs=[(real(5),)]),
    row("AdaptiveAvgPool2d", (2, None), inputs=real(1, 4, 3),
        oracle=lambda x: adaptive_avg(2)(x, (2, None)),
        text="AdaptiveAvgPool2d(output_size=(2, None))"),
    row("AdaptiveAvgPool3d", 1, inputs=real(1, 2, 4, 3), oracle=lambda x: adaptive_avg(3)(x, 1),
        text="AdaptiveAvgPool3d(output_size=1)"),
    row("AdaptiveMaxPool1d", 3, inputs=distinct(2, 1, 5), oracle=lambda x: adaptive_max(1)(x, 3),
        text="AdaptiveMaxPool1d(output_size=3)", bad_inputs=[(real(5),)]),
    row("AdaptiveMaxPool2d", (2, None), inputs=distinct(1, 4, 3),
        oracle=lambda x: adaptive_max(2)(x, (2, None)),
        text="AdaptiveMaxPool2d(output_size=(2, None))"),
    row("AdaptiveMaxPool3d", 1, inputs=distinct(1, 2, 4, 3),
        oracle=lambda x: adaptive_max(3)(x, 1), text="AdaptiveMaxPool3d(output_size=1)"),
    row("FractionalMaxPool2d", 2, output_size=3, _random_samples=np.zeros((1, 1, 2)),
        inputs=distinct(1, 6, 6), oracle=lambda x, _random_samples: fractional(2)(x, 2, 3),
        text="FractionalMaxPool2d()",
        errors=[((2,), {}, ValueError), ((2, 3, 0.5), {}, ValueError),
                ((2, None, 1.5), {}, ValueError)]),
    row("FractionalMaxPool3d", (2, 1, 2), output_ratio=0.5, _random_samples=np.zeros((1, 1, 3)),
        inputs=distinct(1, 4, 6, 4),
        oracle=lambda x, _random_samples: fractional(3)(x, (2, 1, 2), (2, 3, 2)),
        text="FractionalMaxPool3d()"),
    row("MaxUnpool1d", 2, inputs=(real(1, 2), given(np.array([[1, 3]]))), oracle=unpooled(1, 2),
        text="MaxUnpool1d(kernel_size=(2,), stride=(2,), padding=(0,))"),
    row("MaxUnpool2d", (2, 3), inputs=(real(1, 1, 1, 2), given(np.array([[[[5, 3]]]]))),
        oracle=unpooled(2, (2, 3)),
        text="MaxUnpool2d(kernel_size=(2, 3), stride=(2, 3), padding=(0, 0))"),
    row("MaxUnpool3d", 2, 1, inputs=(real(1, 1, 2, 1), given(np.array([[[[0], [7]]]]))),
        oracle=unpooled(3, 2, stride=1),
        text="MaxUnpool3d(kernel_size=(2, 2, 2), stride=(1, 1, 1), padding=(0, 0, 0))"),
]  # fmt: skip


def frame(n, mode, padding, **options):
    """Return the oracle of a padding whose widths are given as the modules take them."""
    sides = (padding,) * (2 * n) if isinstance(padding, int) else padding
    widths = [(sides[2 * i], sides[2 * i + 1]) for i in range(n - 1, -1, -1)]
    return lambda x: np.pad(x, [(0, 0)] * (x.ndim - n) + widths, mode, **options)


SIGNAL, IMAGE, VOLUME = real(2, 1, 4), real(2, 3, 4), real(1, 3, 2, 4)
TOO_FEW = [(real(4),)]
PADDING = [
    row("ConstantPad1d", (1, 2), 3.5, inputs=SIGNAL,
        oracle=frame(1, "constant", (1, 2), constant_values=3.5),
        text="ConstantPad1d(padding=(1, 2), value=3.5)",
        errors=[(((1, 2, 3), 0.0), {}, ValueError)]),
    row("ConstantPad2d", 1, 2, inputs=IMAGE, oracle=frame(2, "constant", 1, constant_values=2),
        text="ConstantPad2d(padding=(1, 1, 1, 1), value=2)"),
    row("ConstantPad3d", 1, 0.5, inputs=VOLUME,
        oracle=frame(3, "constant", 1, constant_values=0.5),
        text="ConstantPad3d(padding=(1, 1, 1, 1, 1, 1), value=0.5)"),
    row("ZeroPad1d", 2, inputs=SIGNAL, oracle=frame(1, "constant", 2),
        text="ZeroPad1d((2, 2))"),
    row("ZeroPad2d", (1, 2, 0, -1), inputs=IMAGE,
        oracle=lambda x: np.pad(x[:, :-1], [(0, 0), (0, 0), (1, 2)]),
        text="ZeroPad2d((1, 2, 0, -1))"),
    row("ZeroPad3d", 1, inputs=VOLUME, oracle=frame(3, "constant", 1),
        text="ZeroPad3d((1, 1, 1, 1, 1, 1))"),
    row("ReflectionPad1d", 2, inputs=SIGNAL, oracle=frame(1, "reflect", 2),
        text="ReflectionPad1d((2, 2))", bad_inputs=[*TOO_FEW, (real(1, 2),)]),
    row("ReflectionPad2d", (1, 2, 1, 0), inputs=IMAGE, oracle=frame(2, "reflect", (1, 2, 1, 0)),
        text="ReflectionPad2d((1, 2, 1, 0))"),
    row("ReflectionPad3d", 1, inputs=VOLUME, oracle=frame(3, "reflect", 1),
        text="ReflectionPad3d((1, 1, 1, 1, 1, 1))"),
    row("ReplicationPad1d", 2, inputs=SIGNAL, oracle=frame(1, "edge", 2),
        text="ReplicationPad1d((2, 2))", bad_inputs=TOO_FEW),
    row("ReplicationPad2d", (1, 2, 1, 0), inputs=IMAGE, oracle=frame(2, "edge", (1, 2, 1, 0)),
        text="ReplicationPad2d((1, 2, 1, 0))"),
    row("ReplicationPad3d", 1, inputs=VOLUME, oracle=frame(3, "edge", 1),
        text="ReplicationPad3d((1, 1, 1, 1, 1, 1))"),
    row("CircularPad1d", 2, inputs=SIGNAL, oracle=frame(1, "wrap", 2),
        text="CircularPad1d((2, 2))", bad_inputs=[*TOO_FEW, (real(1, 1),)]),
    row("CircularPad2d", (1, 2, 1, 0), inputs=IMAGE, oracle=frame(2, "wrap", (1, 2, 1, 0)),
        text="CircularPad2d((1, 2, 1, 0))"),
    row("CircularPad3d", 1, inputs=VOLUME, oracle=frame(3, "wrap", 1),
        text="CircularPad3d((1, 1, 1, 1, 1, 1))"),
]  # fmt: skip

RESAMPLING = [
    row("Upsample", scale_factor=2, inputs=real(1, 2, 3), oracle=lambda x: x.repeat(2, -1),
        text="Upsample(scale_factor=2.0, mode='nearest')", bad_inputs=[(real(3),)]),
    row("Upsample", (5, 3), mode="bilinear", align_corners=True, inputs=real(1, 1, 2, 3),
        oracle=lambda x: interpolate(x, (5, 3), None, "bilinear", True),
        text="Upsample(size=(5, 3), mode='bilinear')"),
    row("UpsamplingNearest2d", scale_factor=(2, 1), inputs=real(1, 1, 2, 3),
        oracle=lambda x: x.repeat(2, -2),
        text="UpsamplingNearest2d(scale_factor=(2.0, 1.0), mode='nearest')"),
    row("UpsamplingBilinear2d", 4, inputs=real(1, 1, 2, 3),
        oracle=lambda x: interpolate(x, 4, None, "bilinear", True),
        text="UpsamplingBilinear2d(size=4, mode='bilinear')"),
    row("PixelShuffle", 2, inputs=real(1, 4, 2, 3), oracle=lambda x: pixel_shuffle(x, 2),
        text="PixelShuffle(upscale_factor=2)", bad_inputs=[(real(1, 3, 2, 2),)]),
    row("PixelUnshuffle", 2, inputs=real(1, 1, 2, 4), oracle=lambda x: pixel_unshuffle(x, 2),
        text="PixelUnshuffle(downscale_factor=2)", bad_inputs=[(real(1, 3, 2, 3),)]),
    row("ChannelShuffle", 2, inputs=real(1, 6, 2), oracle=lambda x: channel_shuffle(x, 2),
        text="ChannelShuffle(groups=2)", bad_inputs=[(real(1, 3, 2),)]),
]  # fmt: skip

ROWS = POOLING + PADDING + RESAMPLING
