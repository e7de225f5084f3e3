"""Distances, where PyTorch's programs import them from."""

from aino.nn.modules.loss_distances import CosineSimilarity, PairwiseDistance

__all__ = ["CosineSimilarity", "PairwiseDistance"]
