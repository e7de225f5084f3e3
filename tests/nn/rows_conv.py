"""Convolutions and folds, one row for each way to make them that matters."""

import numpy as np

from tests.calculus.row import real
from tests.calculus.rows_conv import convolution, fold, transpose, unfold
from tests.nn.row import row


def framed(mode, widths, *settings):
    """Return the oracle of a convolution whose frame is not of zeros."""

    def oracle(x, weight, bias):
        x = np.pad(x, [(0, 0), (0, 0), *[(n, n) for n in widths]], mode)
        return convolution(x, weight, bias, *settings)

    return oracle


ROWS = [
    row("Conv1d", 2, 3, 3, inputs=real(2, 2, 6), oracle=convolution,
        text="Conv1d(2, 3, kernel_size=(3,), stride=(1,))",
        errors=[((2, 3, 3), {"groups": 2}, ValueError), ((3, 2, 3), {"groups": 2}, ValueError),
                ((2, 3, 3), {"groups": 0}, ValueError),
                ((2, 3, 3), {"padding": "full"}, ValueError),
                ((2, 3, 3), {"padding": "same", "stride": 2}, ValueError),
                ((2, 3, 3), {"padding_mode": "zero"}, ValueError),
                ((2, 3, 3), {"dtype": "int64"}, TypeError)],
        bad_inputs=[(real(2, 3, 6),), (real(2, 2, 2),), (real(6),)]),
    row("Conv1d", 2, 2, 3, padding="same", dilation=2, padding_mode="circular",
        inputs=real(2, 2, 6), oracle=framed("wrap", [2], 1, 0, 2),
        text="Conv1d(2, 2, kernel_size=(3,), stride=(1,), padding=same, dilation=(2,), "
             "padding_mode=circular)"),
    row("Conv2d", 2, 4, (3, 2), stride=(1, 2), padding=(1, 0), groups=2, bias=False,
        inputs=real(2, 2, 4, 5),
        oracle=lambda x, weight: convolution(x, weight, None, (1, 2), (1, 0), 1, 2),
        text="Conv2d(2, 4, kernel_size=(3, 2), stride=(1, 2), padding=(1, 0), groups=2, "
             "bias=False)", bad_inputs=[(real(2, 3, 4, 5),)]),
    row("Conv2d", 2, 3, 3, padding=(2, 1), padding_mode="reflect", inputs=real(1, 2, 4, 3),
        oracle=framed("reflect", (2, 1)),
        text="Conv2d(2, 3, kernel_size=(3, 3), stride=(1, 1), padding=(2, 1), "
             "padding_mode=reflect)"),
    row("Conv3d", 2, 2, 2, padding=1, padding_mode="replicate", inputs=real(1, 2, 2, 1, 2),
        oracle=framed("edge", (1, 1, 1)),
        text="Conv3d(2, 2, kernel_size=(2, 2, 2), stride=(1, 1, 1), padding=(1, 1, 1), "
             "padding_mode=replicate)"),
    row("ConvTranspose1d", 2, 3, 3, stride=2, output_padding=1, inputs=real(2, 2, 3),
        oracle=lambda x, weight, bias: transpose(x, weight, bias, 2, 0, 1),
        text="ConvTranspose1d(2, 3, kernel_size=(3,), stride=(2,), output_padding=(1,))",
        errors=[((2, 3, 3), {"padding_mode": "reflect"}, ValueError),
                ((2, 3, 3), {"groups": 2}, ValueError),
                ((2, 3, 3), {"padding": "same"}, TypeError)],
        bad_inputs=[(real(2, 3, 6),), (real(6),)]),
    row("ConvTranspose2d", 2, 2, 2, padding=1, groups=2, dilation=2, inputs=real(1, 2, 3, 2),
        oracle=lambda x, weight, bias: transpose(x, weight, bias, 1, 1, 0, 2, 2),
        text="ConvTranspose2d(2, 2, kernel_size=(2, 2), stride=(1, 1), padding=(1, 1), "
             "dilation=(2, 2), groups=2)"),
    row("ConvTranspose3d", 1, 2, (1, 2, 2), bias=False, inputs=real(1, 1, 2, 2, 2),
        oracle=transpose,
        text="ConvTranspose3d(1, 2, kernel_size=(1, 2, 2), stride=(1, 1, 1), bias=False)"),
    row("Unfold", (2, 3), padding=1, inputs=real(1, 2, 3, 3),
        oracle=lambda x: unfold(x, (2, 3), padding=1),
        text="Unfold(kernel_size=(2, 3), dilation=1, padding=1, stride=1)",
        bad_inputs=[(real(3),)]),
    row("Fold", (3, 4), 2, inputs=real(1, 8, 6), oracle=lambda x: fold(x, (3, 4), 2),
        text="Fold(output_size=(3, 4), kernel_size=2, dilation=1, padding=0, stride=1)",
        bad_inputs=[(real(1, 8, 5),), (real(1, 7, 6),)]),
]  # fmt: skip
