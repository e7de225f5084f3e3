"""ONNX's operators as AINO's functions, one family a file: importing one enters its rows."""

from aino.onnx.importing.operators import (
    activation,
    control_flow,
    conversion,
    convolution,
    elementwise,
    index,
    linalg,
    losses,
    normalization,
    pooling,
    quantization,
    random,
    reduce,
    sequence,
    shape,
)
