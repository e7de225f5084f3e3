"""DistributedDataParallel, which needs several processes."""

from aino.refusals import refused_class

DistributedDataParallel = refused_class(
    "nn.parallel.DistributedDataParallel",
    "AINO computes in one process, so use the module itself",
)
