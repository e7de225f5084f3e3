"""Tensors cut into pieces on several ranks, which are not there."""

from aino.refusals import refused, refused_class

_WHY = "a tensor is whole on its rank; send parts of it with scatter, and bring them together with "
_WHY += "all_gather"
DTensor = refused_class("distributed.tensor.DTensor", _WHY)
distribute_tensor = refused("distributed.tensor.distribute_tensor", _WHY)
distribute_module = refused("distributed.tensor.distribute_module", _WHY)
