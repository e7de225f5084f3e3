"""Networks and their parts under PyTorch's names; and Perceptron, Layer, NeuralNetwork."""

from importlib import import_module
from typing import Any

from aino.nn import functional, init, utils
from aino.nn.activation import (
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
from aino.nn.containers import ModuleList, Sequential
from aino.nn.dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d
from aino.nn.embedding import Embedding
from aino.nn.gating import (
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
from aino.nn.layer import Layer, Perceptron
from aino.nn.linear import Bilinear, Identity, Linear
from aino.nn.loss import (
    GaussianNLLLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    PoissonNLLLoss,
    SmoothL1Loss,
)
from aino.nn.loss_classes import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    KLDivLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    NLLLoss,
    SoftMarginLoss,
)
from aino.nn.loss_distances import (
    CosineEmbeddingLoss,
    CosineSimilarity,
    HingeEmbeddingLoss,
    MarginRankingLoss,
    PairwiseDistance,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from aino.nn.module import Module
from aino.nn.named_containers import ModuleDict, ParameterDict, ParameterList
from aino.nn.normalization import LayerNorm, RMSNorm
from aino.nn.parameter import Buffer, Parameter
from aino.nn.shape import Flatten, Unflatten


def __getattr__(name: str) -> Any:
    # It stands above optimizers and loaders, and is loaded when it is asked for.
    if name == "NeuralNetwork":
        return import_module("aino.nn.neural_network").NeuralNetwork
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
