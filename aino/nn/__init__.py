"""Networks and their parts under PyTorch's names; and Perceptron, Layer, NeuralNetwork."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aino.nn import functional, init, utils
from aino.nn.base.factory import factory_kwargs
from aino.nn.base.module import Module
from aino.nn.base.parameter import Buffer, Parameter
from aino.nn.base.uninitialized import UninitializedBuffer, UninitializedParameter
from aino.nn.modules import (
    activation,
    adaptive,
    batchnorm,
    channelshuffle,
    container,
    conv,
    conv_shared,
    ctc,
    dropout,
    flatten,
    fold,
    gating,
    instancenorm,
    lazy,
    linear,
    linear_cross_entropy,
    loss,
    loss_classes,
    loss_distances,
    multihead_attention,
    named_containers,
    normalization,
    padding,
    paths,
    perceptron,
    pixelshuffle,
    pooling,
    rnn,
    rnn_cells,
    sparse,
    transformer,
    upsampling,
)
from aino.nn.modules.activation import *
from aino.nn.modules.adaptive import *
from aino.nn.modules.batchnorm import *
from aino.nn.modules.channelshuffle import *
from aino.nn.modules.container import *
from aino.nn.modules.conv import *
from aino.nn.modules.ctc import *
from aino.nn.modules.dropout import *
from aino.nn.modules.flatten import *
from aino.nn.modules.fold import *
from aino.nn.modules.gating import *
from aino.nn.modules.instancenorm import *
from aino.nn.modules.lazy import *
from aino.nn.modules.linear import *
from aino.nn.modules.linear_cross_entropy import *
from aino.nn.modules.loss import *
from aino.nn.modules.loss_classes import *
from aino.nn.modules.loss_distances import *
from aino.nn.modules.multihead_attention import *
from aino.nn.modules.named_containers import *
from aino.nn.modules.normalization import *
from aino.nn.modules.padding import *
from aino.nn.modules.perceptron import *
from aino.nn.modules.pixelshuffle import *
from aino.nn.modules.pooling import *
from aino.nn.modules.rnn import *
from aino.nn.modules.rnn_cells import *
from aino.nn.modules.sparse import *
from aino.nn.modules.transformer import *
from aino.nn.modules.upsampling import *

if TYPE_CHECKING:
    from aino.estimators import NeuralNetwork
    from aino.nn import grad
    from aino.nn.parallel import DataParallel

__all__ = [
    "Buffer",
    "DataParallel",
    "Module",
    "NeuralNetwork",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "factory_kwargs",
    "functional",
    "grad",
    "init",
    "utils",
]
__all__ += activation.__all__
__all__ += batchnorm.__all__
__all__ += channelshuffle.__all__
__all__ += container.__all__
__all__ += conv.__all__
__all__ += adaptive.__all__
__all__ += ctc.__all__
__all__ += dropout.__all__
__all__ += flatten.__all__
__all__ += fold.__all__
__all__ += gating.__all__
__all__ += instancenorm.__all__
__all__ += lazy.__all__
__all__ += linear.__all__
__all__ += linear_cross_entropy.__all__
__all__ += loss.__all__
__all__ += loss_classes.__all__
__all__ += loss_distances.__all__
__all__ += multihead_attention.__all__
__all__ += named_containers.__all__
__all__ += normalization.__all__
__all__ += padding.__all__
__all__ += perceptron.__all__
__all__ += pixelshuffle.__all__
__all__ += pooling.__all__
__all__ += rnn.__all__
__all__ += rnn_cells.__all__
__all__ += sparse.__all__
__all__ += transformer.__all__
__all__ += upsampling.__all__


paths.spread(globals(), globals())

#: What is loaded when it is first asked for.
_PACKAGES = ("attention", "common_types", "grad", "parallel", "parameter")


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        # It stands above optimizers and loaders, and is loaded when it is asked for.
        if name == "NeuralNetwork":
            return import_module("aino.estimators").NeuralNetwork
        if name == "DataParallel":
            return import_module("aino.nn.parallel").DataParallel
        if name in _PACKAGES:
            return import_module(f"aino.nn.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
