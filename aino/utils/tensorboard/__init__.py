"""Figures of a training for TensorBoard, by its package: ``pip install 'aino[tensorboard]'``."""

from aino.utils.tensorboard.writer import SummaryWriter

__all__ = ["SummaryWriter"]
