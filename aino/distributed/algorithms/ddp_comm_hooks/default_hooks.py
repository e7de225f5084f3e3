"""Communication hooks: how the gradients of a bucket are averaged over ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.distributed.collectives import all_reduce
from aino.distributed.grad_bucket import GradBucket
from aino.distributed.membership import get_world_size

__all__ = ["allreduce_hook", "fp16_compress_hook", "fp16_compress_wrapper"]


def allreduce_hook(process_group: Any, bucket: GradBucket) -> Tensor:
    """Return the mean of the gradients over ranks, as they are averaged without a hook.

    Arguments:
        process_group: the ranks; all for None.
        bucket: the gradients.
    """
    mean = bucket.buffer()
    np.divide(mean.array, get_world_size(process_group), out=mean.array)
    all_reduce(mean, group=process_group)
    return mean


def fp16_compress_hook(process_group: Any, bucket: GradBucket) -> Tensor:
    """Return the mean of the gradients over ranks, sent as float16: half as many bytes.

    Arguments:
        process_group: the ranks; all for None.
        bucket: the gradients.
    """
    return fp16_compress_wrapper(allreduce_hook)(process_group, bucket)


def fp16_compress_wrapper(hook: Callable[[Any, GradBucket], Any]) -> Callable[..., Tensor]:
    """Return a hook that does what another does with the gradients as float16.

    Arguments:
        hook: what is called with their bucket.
    """

    def compressed(state: Any, bucket: GradBucket) -> Tensor:
        full = bucket.buffer()
        bucket.set_buffer(make(full.array.astype(np.float16)))
        mean = hook(state, bucket)
        return make(mean.array.astype(full.array.dtype))

    return compressed
