"""Networks and their parts under PyTorch's names; and Perceptron, Layer, NeuralNetwork."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aino.nn import functional, init, utils
from aino.nn.base.module import Module
from aino.nn.base.parameter import Buffer, Parameter
from aino.nn.modules.activation import (
    CELU,
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    LogSigmoid,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
    Tanhshrink,
)
from aino.nn.modules.container import ModuleList, Sequential
from aino.nn.modules.dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d
from aino.nn.modules.flatten import Flatten, Unflatten
from aino.nn.modules.gating import (
    GLU,
    Hardshrink,
    Hardtanh,
    LogSoftmax,
    Softmax,
    Softmax2d,
    Softmin,
    Softshrink,
    Threshold,
)
from aino.nn.modules.linear import Bilinear, Identity, Linear
from aino.nn.modules.loss import (
    GaussianNLLLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    PoissonNLLLoss,
    SmoothL1Loss,
)
from aino.nn.modules.loss_classes import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    KLDivLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    NLLLoss,
    SoftMarginLoss,
)
from aino.nn.modules.loss_distances import (
    CosineEmbeddingLoss,
    CosineSimilarity,
    HingeEmbeddingLoss,
    MarginRankingLoss,
    PairwiseDistance,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from aino.nn.modules.named_containers import ModuleDict, ParameterDict, ParameterList
from aino.nn.modules.normalization import LayerNorm, RMSNorm
from aino.nn.modules.perceptron import Layer, Perceptron
from aino.nn.modules.sparse import Embedding

if TYPE_CHECKING:
    from aino.estimators import NeuralNetwork

__all__ = [
    "AlphaDropout", "BCELoss", "BCEWithLogitsLoss", "Bilinear", "Buffer", "CELU",
    "CosineEmbeddingLoss", "CosineSimilarity", "CrossEntropyLoss", "Dropout", "Dropout1d",
    "Dropout2d", "Dropout3d", "ELU", "Embedding", "Flatten", "functional", "GaussianNLLLoss",
    "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "HingeEmbeddingLoss",
    "HuberLoss", "Identity", "init", "KLDivLoss", "L1Loss", "Layer", "LayerNorm", "LeakyReLU",
    "Linear", "LogSigmoid", "LogSoftmax", "MarginRankingLoss", "Mish", "Module", "ModuleDict",
    "ModuleList", "MSELoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NeuralNetwork",
    "NLLLoss", "PairwiseDistance", "Parameter", "ParameterDict", "ParameterList", "Perceptron",
    "PoissonNLLLoss", "PReLU", "ReLU", "ReLU6", "RMSNorm", "RReLU", "SELU", "Sequential", "Sigmoid",
    "SiLU", "SmoothL1Loss", "SoftMarginLoss", "Softmax", "Softmax2d", "Softmin", "Softplus",
    "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss", "Unflatten", "utils",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        # It stands above optimizers and loaders, and is loaded when it is asked for.
        if name == "NeuralNetwork":
            return import_module("aino.estimators").NeuralNetwork
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
