"""AINO: an autograd tensor engine with a neural-network layer, in pure Python on NumPy.

Who knows PyTorch knows AINO: the same names, the same meaning, nothing hidden.
"""

from importlib import import_module

from aino import autograd
from aino.autograd.mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from aino.autograd.tensor import Device as device
from aino.autograd.tensor import Size, Tensor
from aino.dit.registry import provide
from aino.dtypes import (
    bool_ as bool,
)
from aino.dtypes import (
    can_cast,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    result_type,
    set_default_dtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from aino.ops.creation.filled import *
from aino.ops.creation.from_data import *
from aino.ops.index.indexing import *
from aino.ops.index.scattering import *
from aino.ops.index.sorting import *
from aino.ops.linalg.contraction import *
from aino.ops.linalg.linear import *
from aino.ops.linalg.matrices import *
from aino.ops.pointwise import *
from aino.ops.pointwise.activation import *
from aino.ops.pointwise.compare import *
from aino.ops.random.generator import *
from aino.ops.random.sampling import *
from aino.ops.reduce.extremes import *
from aino.ops.reduce.reduction import *
from aino.ops.reduce.scanning import *
from aino.ops.reduce.statistics import *
from aino.ops.shape.arranging import *
from aino.ops.shape.joining import *
from aino.ops.shape.padding import *
from aino.ops.shape.shaping import *
from aino.ops.shape.transposing import *
from aino.ops.tensor.conversion import *
from aino.ops.tensor.methods import FUNCTIONS
from aino.ops.tensor.printing import get_printoptions, printoptions, set_printoptions

__version__ = "3.0.0"

half, float, double = float16, float32, float64
cfloat, cdouble = complex64, complex128
short, int, long = int16, int32, int64
inf, nan, pi, e = 1e309, 1e309 - 1e309, 3.141592653589793, 2.718281828459045
newaxis = None

#: What is loaded when it is first asked for.
_LAZY = {
    "NeuralNetwork": "aino.estimators",
    "compile": "aino.compiler.compiled",
    "draw": "aino.drawing.draw",
    "save": "aino.dit.api",
    "load": "aino.dit.api",
    "verify": "aino.dit.api",
    "register": "aino.dit.registry",
}
_PACKAGES = ("nn", "optim", "dit", "drawing", "compiler", "linalg", "errors")

# A file may name AINO's modules before anything else has asked for them.
provide(lambda: import_module("aino.estimators"))


def __getattr__(name: str):
    if name in _PACKAGES:
        return import_module(f"aino.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module 'aino' has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_LAZY, *_PACKAGES})
