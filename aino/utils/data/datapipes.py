"""PyTorch's data pipes by name: datasets and ``DataLoader`` do what they did."""

from __future__ import annotations

from aino.refusals import refused, refused_class

_WHY = "there are no data pipes; write an IterableDataset or a Dataset, and give it to a DataLoader"

IterDataPipe = refused_class("utils.data.IterDataPipe", _WHY)
MapDataPipe = refused_class("utils.data.MapDataPipe", _WHY)
DFIterDataPipe = refused_class("utils.data.DFIterDataPipe", _WHY)
DataChunk = refused_class("utils.data.DataChunk", _WHY)
argument_validation = refused("utils.data.argument_validation", _WHY)
functional_datapipe = refused("utils.data.functional_datapipe", _WHY)
guaranteed_datapipes_determinism = refused("utils.data.guaranteed_datapipes_determinism", _WHY)
non_deterministic = refused("utils.data.non_deterministic", _WHY)
runtime_validation = refused("utils.data.runtime_validation", _WHY)
runtime_validation_disabled = refused("utils.data.runtime_validation_disabled", _WHY)

__all__ = [
    "DFIterDataPipe", "DataChunk", "IterDataPipe", "MapDataPipe", "argument_validation",
    "functional_datapipe", "guaranteed_datapipes_determinism", "non_deterministic",
    "runtime_validation", "runtime_validation_disabled",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
