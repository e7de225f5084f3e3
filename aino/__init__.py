"""AINO: an autograd tensor engine with a neural-network layer, in pure Python on NumPy.

Who knows PyTorch knows AINO: the same names, the same meaning, nothing hidden.
"""

import warnings as _warnings
from _warnings import filters as _outermost_filters
from importlib import import_module as _import_module
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING

from numpy import dtype as dtype

from aino import autograd as autograd
from aino.allocator import keep_freed_memory as _keep_freed_memory
from aino.autograd.mode import enable_grad as enable_grad
from aino.autograd.mode import inference_mode as inference_mode
from aino.autograd.mode import is_grad_enabled as is_grad_enabled
from aino.autograd.mode import is_inference_mode_enabled as is_inference_mode_enabled
from aino.autograd.mode import no_grad as no_grad
from aino.autograd.mode import set_grad_enabled as set_grad_enabled
from aino.autograd.tensor import Size as Size
from aino.autograd.tensor import Tensor as Tensor
from aino.devices import Device as device
from aino.devices import get_default_device as get_default_device
from aino.devices import set_default_device as set_default_device
from aino.dit.registry import provide as _provide
from aino.dit.registry import revive as _revive
from aino.dtypes import bfloat16 as bfloat16
from aino.dtypes import bool_ as bool
from aino.dtypes import can_cast as can_cast
from aino.dtypes import complex64 as complex64
from aino.dtypes import complex128 as complex128
from aino.dtypes import float16 as float16
from aino.dtypes import float32 as float32
from aino.dtypes import float64 as float64
from aino.dtypes import get_default_dtype as get_default_dtype
from aino.dtypes import int8 as int8
from aino.dtypes import int16 as int16
from aino.dtypes import int32 as int32
from aino.dtypes import int64 as int64
from aino.dtypes import promote_types as promote_types
from aino.dtypes import result_type as result_type
from aino.dtypes import set_default_dtype as set_default_dtype
from aino.dtypes import uint8 as uint8
from aino.dtypes import uint16 as uint16
from aino.dtypes import uint32 as uint32
from aino.dtypes import uint64 as uint64
from aino.layouts import Layout as layout
from aino.layouts import MemoryFormat as memory_format
from aino.layouts import channels_last as channels_last
from aino.layouts import channels_last_3d as channels_last_3d
from aino.layouts import contiguous_format as contiguous_format
from aino.layouts import preserve_format as preserve_format
from aino.layouts import strided as strided
from aino.ops.creation.filled import *
from aino.ops.creation.from_data import *
from aino.ops.creation.ranges import *
from aino.ops.given import public as _public
from aino.ops.index.indexing import *
from aino.ops.index.scattering import *
from aino.ops.index.slices import *
from aino.ops.index.sorting import *
from aino.ops.later import ROOM_OF as _ROOM_OF
from aino.ops.later import loaded as _loaded
from aino.ops.linalg.adding import *
from aino.ops.linalg.chains import *
from aino.ops.linalg.contraction import *
from aino.ops.linalg.linear import *
from aino.ops.linalg.matrices import *
from aino.ops.pointwise.activation import *
from aino.ops.pointwise.arithmetic import *
from aino.ops.pointwise.choosing import *
from aino.ops.pointwise.compare import *
from aino.ops.pointwise.complex_numbers import *
from aino.ops.pointwise.elementary import *
from aino.ops.pointwise.rounding import *
from aino.ops.pointwise.softmax import *
from aino.ops.pointwise.special import *
from aino.ops.random.distributions import *
from aino.ops.random.generator import *
from aino.ops.random.sampling import *
from aino.ops.reduce.extremes import *
from aino.ops.reduce.norms import *
from aino.ops.reduce.reduction import *
from aino.ops.reduce.scanning import *
from aino.ops.reduce.statistics import *
from aino.ops.reduce.truth import *
from aino.ops.shape.arranging import *
from aino.ops.shape.broadcasting import *
from aino.ops.shape.joining import *
from aino.ops.shape.padding import *
from aino.ops.shape.shaping import *
from aino.ops.shape.transposing import *
from aino.ops.tensor.conversion import *
from aino.ops.tensor.methods import FUNCTIONS as _FUNCTIONS
from aino.ops.tensor.printing import get_printoptions as get_printoptions
from aino.ops.tensor.printing import printoptions as printoptions
from aino.ops.tensor.printing import set_printoptions as set_printoptions
from aino.ops.tensor.properties import *
from aino.when_imported import watch as _watch

if TYPE_CHECKING:
    from aino import accelerator as accelerator
    from aino import amp as amp
    from aino import array_api as array_api
    from aino import backends as backends
    from aino import compiler as compiler
    from aino import cpu as cpu
    from aino import cuda as cuda
    from aino import debug as debug
    from aino import distributed as distributed
    from aino import distributions as distributions
    from aino import dit as dit
    from aino import drawing as drawing
    from aino import errors as errors
    from aino import estimators as estimators
    from aino import explaining as explaining
    from aino import fft as fft
    from aino import formats as formats
    from aino import func as func
    from aino import hub as hub
    from aino import jit as jit
    from aino import linalg as linalg
    from aino import masked as masked
    from aino import mps as mps
    from aino import multiprocessing as multiprocessing
    from aino import nn as nn
    from aino import onnx as onnx
    from aino import optim as optim
    from aino import plot as plot
    from aino import profiler as profiler
    from aino import random as random
    from aino import signal as signal
    from aino import special as special
    from aino import testing as testing
    from aino import train as train
    from aino import version as version
    from aino import xpu as xpu
    from aino.amp import GradScaler as GradScaler
    from aino.amp import autocast as autocast
    from aino.amp import is_autocast_enabled as is_autocast_enabled
    from aino.autograd.anomaly import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
    from aino.autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
    from aino.autograd.anomaly import set_anomaly_enabled as set_anomaly_enabled
    from aino.compiler.compiled import compile as compile
    from aino.cuda import OutOfMemoryError as OutOfMemoryError
    from aino.devices import get_device_module as get_device_module
    from aino.dit.api import verify as verify
    from aino.dit.registry import register as register
    from aino.drawing.draw import draw as draw
    from aino.estimators import NeuralNetwork as NeuralNetwork
    from aino.explaining.explain import explain as explain
    from aino.explaining.summary import summary as summary
    from aino.formats.api import load as load
    from aino.formats.api import save as save
    from aino.func.vmap import vmap as vmap
    from aino.legacy import set_default_tensor_type as set_default_tensor_type
    from aino.legacy import typename as typename
    from aino.num_threads import get_num_interop_threads as get_num_interop_threads
    from aino.num_threads import get_num_threads as get_num_threads
    from aino.num_threads import set_num_interop_threads as set_num_interop_threads
    from aino.num_threads import set_num_threads as set_num_threads
    from aino.ops.fft.short_time import istft as istft
    from aino.ops.fft.short_time import stft as stft
    from aino.ops.linalg.decompositions import geqrf as geqrf
    from aino.ops.linalg.decompositions import qr as qr
    from aino.ops.linalg.decompositions import svd as svd
    from aino.ops.linalg.functions import matrix_exp as matrix_exp
    from aino.ops.linalg.functions import vander as vander
    from aino.ops.linalg.householder import orgqr as orgqr
    from aino.ops.linalg.householder import ormqr as ormqr
    from aino.ops.linalg.least_squares import pinverse as pinverse
    from aino.ops.linalg.lobpcg import lobpcg as lobpcg
    from aino.ops.linalg.low_rank import pca_lowrank as pca_lowrank
    from aino.ops.linalg.low_rank import svd_lowrank as svd_lowrank
    from aino.ops.linalg.lu import lu as lu
    from aino.ops.linalg.lu import lu_solve as lu_solve
    from aino.ops.linalg.lu import lu_unpack as lu_unpack
    from aino.ops.linalg.triangular import cholesky_inverse as cholesky_inverse
    from aino.ops.linalg.triangular import cholesky_solve as cholesky_solve
    from aino.ops.linalg.triangular import triangular_solve as triangular_solve
    from aino.ops.special.bessel import i0 as i0
    from aino.ops.special.gamma import igamma as igamma
    from aino.ops.special.gamma import igammac as igammac
    from aino.ops.windows.periodic import bartlett_window as bartlett_window
    from aino.ops.windows.periodic import blackman_window as blackman_window
    from aino.ops.windows.periodic import hamming_window as hamming_window
    from aino.ops.windows.periodic import hann_window as hann_window
    from aino.ops.windows.periodic import kaiser_window as kaiser_window
    from aino.settings import (
        are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled,
    )
    from aino.settings import get_deterministic_debug_mode as get_deterministic_debug_mode
    from aino.settings import get_float32_matmul_precision as get_float32_matmul_precision
    from aino.settings import (
        is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled,  # noqa: E501
    )
    from aino.settings import is_warn_always_enabled as is_warn_always_enabled
    from aino.settings import set_deterministic_debug_mode as set_deterministic_debug_mode
    from aino.settings import set_float32_matmul_precision as set_float32_matmul_precision
    from aino.settings import set_flush_denormal as set_flush_denormal
    from aino.settings import set_warn_always as set_warn_always
    from aino.settings import use_deterministic_algorithms as use_deterministic_algorithms
    from aino.type_info import finfo as finfo
    from aino.type_info import iinfo as iinfo

globals().update(_public(_FUNCTIONS, module="aino", out=True))

# Like PyTorch, AINO says nothing where numbers leave their range: NumPy's warnings would point at
# generated code. The filter stands behind the user's own (``-W error``), and
# ``np.errstate(invalid="raise")`` raises as ever.
_warnings.filterwarnings(
    "ignore",
    "[a-z ]+ encountered in ",
    RuntimeWarning,
    r"aino\.",
    append=True,
)
# A block of ``catch_warnings``, in which pytest imports modules, takes its filters with it.
if _warnings.filters is not _outermost_filters:
    _outermost_filters.append(_warnings.filters[-1])  # type: ignore[arg-type]

__version__ = "3.0.0"

half, float, double = float16, float32, float64
cfloat, cdouble = complex64, complex128
short, int, long = int16, int32, int64
inf, nan, pi, e = 1e309, 1e309 - 1e309, 3.141592653589793, 2.718281828459045
newaxis = None

#: What is loaded when it is first asked for.
_LAZY = {
    "finfo": "aino.type_info",
    "iinfo": "aino.type_info",
    "set_default_tensor_type": "aino.legacy",
    "typename": "aino.legacy",
    "NeuralNetwork": "aino.estimators",
    "compile": "aino.compiler.compiled",
    "draw": "aino.drawing.draw",
    "explain": "aino.explaining.explain",
    "summary": "aino.explaining.summary",
    "save": "aino.formats.api",
    "load": "aino.formats.api",
    "verify": "aino.dit.api",
    "register": "aino.dit.registry",
    "GradScaler": "aino.amp",
    "autocast": "aino.amp",
    "is_autocast_enabled": "aino.amp",
    "OutOfMemoryError": "aino.cuda",
    "vmap": "aino.func.vmap",
    "get_float32_matmul_precision": "aino.settings",
    "set_float32_matmul_precision": "aino.settings",
    "use_deterministic_algorithms": "aino.settings",
    "are_deterministic_algorithms_enabled": "aino.settings",
    "is_deterministic_algorithms_warn_only_enabled": "aino.settings",
    "get_deterministic_debug_mode": "aino.settings",
    "set_deterministic_debug_mode": "aino.settings",
    "is_warn_always_enabled": "aino.settings",
    "get_device_module": "aino.devices",
    "set_warn_always": "aino.settings",
    "set_flush_denormal": "aino.settings",
    "is_anomaly_enabled": "aino.autograd.anomaly",
    "is_anomaly_check_nan_enabled": "aino.autograd.anomaly",
    "set_anomaly_enabled": "aino.autograd.anomaly",
    "get_num_threads": "aino.num_threads",
    "set_num_threads": "aino.num_threads",
    "get_num_interop_threads": "aino.num_threads",
    "set_num_interop_threads": "aino.num_threads",
}
_LAZY |= {
    f"{name}Tensor": "aino.legacy"
    for name in ("Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")
}
_LAZY |= dict.fromkeys(
    """
    alpha_dropout alpha_dropout_ bilinear binary_cross_entropy_with_logits celu_
    conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution
    cosine_embedding_loss cosine_similarity ctc_loss dropout dropout_ embedding embedding_bag
    embedding_renorm_
    feature_alpha_dropout feature_alpha_dropout_ feature_dropout feature_dropout_
    hinge_embedding_loss kl_div layer_norm margin_ranking_loss native_dropout native_layer_norm
    pairwise_distance
    pdist poisson_nll_loss rms_norm rrelu_ selu_ threshold_ triplet_margin_loss
    """.split(),  # noqa: SIM905
    "aino.nn.functional.top_level",
)
_LAZY |= dict.fromkeys(
    """
    batch_norm batch_norm_update_stats group_norm instance_norm native_batch_norm native_group_norm
    """.split(),  # noqa: SIM905
    "aino.nn.functional.top_level_norms",
)
_LAZY |= dict.fromkeys(
    """
    adaptive_avg_pool1d adaptive_max_pool1d affine_grid_generator avg_pool1d channel_shuffle
    grid_sampler grid_sampler_2d grid_sampler_3d max_pool1d max_pool1d_with_indices max_pool2d
    max_pool3d native_channel_shuffle pixel_shuffle pixel_unshuffle
    """.split(),  # noqa: SIM905
    "aino.nn.functional.top_level_images",
)
_LAZY |= dict.fromkeys(
    "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell".split(),  # noqa: SIM905
    "aino.nn.functional.recurrent",
)
_PACKAGES = (
    "array_api", "autograd", "nn", "optim", "utils", "dit", "drawing", "compiler", "linalg", "fft",
    "signal", "special", "masked", "random", "testing", "errors", "accelerator", "amp", "backends",
    "cpu", "cuda", "debug", "distributed", "distributions", "estimators", "formats", "func", "hub",
    "jit", "mps", "multiprocessing", "onnx", "plot", "profiler", "train", "xpu", "version",
    "explaining",
)  # fmt: skip

_watch()

# A file may name AINO's modules before anything else has asked for them.
_provide(lambda: _import_module("aino.estimators"))
_provide(lambda: _import_module("aino.optim.swa_utils"))
_provide(lambda: _import_module("aino.nn.parallel"))
_provide(lambda: _import_module("aino.onnx.importing.module"))
_revive("aino.estimator", lambda content: _import_module("aino.estimators").revived(content))
_keep_freed_memory()


def __dir__() -> list[str]:
    """Return what is public: functions, classes, constants, and the packages of the front door."""
    named = {
        name
        for name, value in globals().items()
        if not name.startswith("_") and not isinstance(value, _ModuleType)
    }
    return sorted({*named, *_LAZY, *_ROOM_OF, *_PACKAGES, "__version__"} - {"TYPE_CHECKING"})


if not TYPE_CHECKING:

    def __getattr__(name):
        if name in _PACKAGES or name == "__future__":
            return _import_module(f"aino.{name}")
        if name in _LAZY:
            value = getattr(_import_module(_LAZY[name]), name)
        elif name in _ROOM_OF:
            value = _loaded(name)
        else:
            raise AttributeError(f"module 'aino' has no attribute {name!r}")
        globals()[name] = value
        return value
