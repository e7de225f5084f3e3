"""Models whose parameters are cut into pieces, which are not there: the optimizer's state is."""

from aino.refusals import refused, refused_class

_WHY = (
    "every rank has the whole model; wrap it in nn.parallel.DistributedDataParallel, and share "
    "out what the optimizer remembers with optim.ZeroRedundancyOptimizer"
)
FullyShardedDataParallel = refused_class("distributed.fsdp.FullyShardedDataParallel", _WHY)
fully_shard = refused("distributed.fsdp.fully_shard", _WHY)
