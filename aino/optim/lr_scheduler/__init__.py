"""Learning rate schedules under PyTorch's names."""

from aino.optim.lr_scheduler.base import LRScheduler
from aino.optim.lr_scheduler.chained import ChainedScheduler, SequentialLR
from aino.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from aino.optim.lr_scheduler.cycles import CyclicLR, OneCycleLR
from aino.optim.lr_scheduler.decay import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from aino.optim.lr_scheduler.plateau import ReduceLROnPlateau

#: What programs from before it had a public name call it.
_LRScheduler = LRScheduler

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "LRScheduler",
    "MultiplicativeLR",
    "MultiStepLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
