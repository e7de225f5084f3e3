"""Models on several devices, of which there is one here: the CPU."""

from aino.nn.parallel.data_parallel import DataParallel, data_parallel
from aino.nn.parallel.distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]
