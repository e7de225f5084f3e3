"""Optimizers under PyTorch's names, with PyTorch's numbers; ``lr_scheduler`` beside them."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from aino.optim import lr_scheduler
from aino.optim.adadelta import Adadelta
from aino.optim.adafactor import Adafactor
from aino.optim.adagrad import Adagrad
from aino.optim.adam import Adam, AdamW
from aino.optim.adamax import Adamax
from aino.optim.asgd import ASGD
from aino.optim.lbfgs import LBFGS
from aino.optim.muon import Muon
from aino.optim.nadam import NAdam
from aino.optim.optimizer import Optimizer
from aino.optim.radam import RAdam
from aino.optim.rmsprop import RMSprop
from aino.optim.rprop import Rprop
from aino.optim.sgd import SGD
from aino.optim.sparse_adam import SparseAdam

if TYPE_CHECKING:
    from aino.optim import swa_utils as swa_utils
    from aino.optim.zero_redundancy_optimizer import ZeroRedundancyOptimizer

__all__ = [
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ASGD",
    "LBFGS",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    "SparseAdam",
    "ZeroRedundancyOptimizer",
    "lr_scheduler",
    "swa_utils",
]


if not TYPE_CHECKING:

    def __getattr__(name):
        if name == "swa_utils":  # it knows modules, which optimizers do not
            return _import_module("aino.optim.swa_utils")
        if name == "ZeroRedundancyOptimizer":  # most programs have one rank
            return _import_module("aino.optim.zero_redundancy_optimizer").ZeroRedundancyOptimizer
        raise AttributeError(f"module 'aino.optim' has no attribute {name!r}")
