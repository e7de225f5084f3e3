"""Optimizers under PyTorch's names, with PyTorch's numbers; ``lr_scheduler`` beside them."""

from aino.optim import lr_scheduler
from aino.optim.adadelta import Adadelta
from aino.optim.adagrad import Adagrad
from aino.optim.adam import Adam, AdamW
from aino.optim.adamax import Adamax
from aino.optim.asgd import ASGD
from aino.optim.lbfgs import LBFGS
from aino.optim.nadam import NAdam
from aino.optim.optimizer import Optimizer
from aino.optim.radam import RAdam
from aino.optim.rmsprop import RMSprop
from aino.optim.rprop import Rprop
from aino.optim.sgd import SGD

__all__ = [
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ASGD",
    "LBFGS",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SGD",
    "lr_scheduler",
]
