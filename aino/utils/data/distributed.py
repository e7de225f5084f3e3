"""DistributedSampler: the share of a dataset of one rank among several."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from aino import distributed
from aino.ops.random.generator import Generator
from aino.ops.random.sampling import randperm
from aino.utils.data.sampler import Sampler


class DistributedSampler(Sampler[int]):
    """Every so many-th sample: the share of one rank among several that train together.

    All shares have the same length: the first samples come twice where they don't divide evenly.
    Call ``set_epoch`` before each epoch, or the order is always the same.

    Arguments:
        dataset: what is shared.
        num_replicas: how many ranks there are; those of the process group for None.
        rank: the number of this one; for None its number in the process group.
        shuffle: whether the order is drawn anew for each epoch, the same on all ranks.
        seed: what the order depends on, besides the epoch; the same on all ranks.
        drop_last: leave samples out, in the place of taking some twice.

    Raises ``ValueError`` for a rank that there is not, and where ``num_replicas`` or ``rank`` is
    left out before ``distributed.init_process_group``.

    >>> from aino.utils.data import DistributedSampler
    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if (num_replicas is None or rank is None) and not distributed.is_initialized():
            raise ValueError(
                "Default process group has not been initialized, please make sure to call "
                "init_process_group; or give DistributedSampler num_replicas and rank"
            )
        if num_replicas is None:
            num_replicas = distributed.get_world_size()
        if rank is None:
            rank = distributed.get_rank()
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        size = len(dataset)
        self.num_samples = size // num_replicas if drop_last else math.ceil(size / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        size = len(self.dataset)
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            order = randperm(size, generator=generator).tolist()
        else:
            order = list(range(size))
        if size:
            order = order * -(-self.total_size // size)
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next: its order is another."""
        self.epoch = epoch
