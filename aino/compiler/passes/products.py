"""Let AINO's threads compute large products too, where they compute other long work.

The threads of a BLAS go on looking for work after each product, and where there are two cores
they stand in the way of every other thread. A program of products alone leaves them to the BLAS.
"""

from __future__ import annotations

import math

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program
from aino.compiler.ir.regions import Region
from aino.compiler.passes.fusion import SHARED, Chain
from aino.compiler.passes.rows import Rows
from aino.num_threads import SMALL_PRODUCT, shared_product

#: A large product costs AINO's threads 0.1 ms more than the BLAS's; as much as these cost
#: elementwise work on so many numbers.
WORK_PER_PRODUCT = 1_000_000
#: What a kernel that both threads compute does for each number, at least.
WORK_OF_KERNELS = 100


def share_products(program: Program) -> int:
    """Share large products between AINO's threads, if these share other work; return how many."""
    products = [call for call in program.calls if _is_large_product(call)]
    if sum([_shared_work(call) for call in program.calls]) <= WORK_PER_PRODUCT * len(products):
        return 0
    for call in products:
        call.operation, call.function = Operation.KERNEL, shared_product
    return len(products)


def _shared_work(call: Call) -> int:
    """Return on how many numbers both threads compute."""
    if isinstance(call, Chain):
        return call.size * len(call.steps) if call.size >= SHARED else 0
    if isinstance(call, Rows):
        return call.work if call.work >= SHARED else 0
    if not getattr(call.function, "is_shared", False):
        return 0
    return WORK_OF_KERNELS * max([value.size for value in (*call.reads(), *call.results)])


def _is_large_product(call: Call) -> bool:
    """Tell whether a call is a product for which a BLAS would take several threads."""
    if (call.function is not np.dot and call.function is not np.matmul) or call.keywords:
        return False
    if not all([type(x) is Region and len(x.shape) > 1 for x in call.arguments]):
        return False
    a, b = call.arguments
    target = call.target
    if a.dtype != b.dtype or a.dtype.kind != "f" or target.dtype != a.dtype:
        return False
    return math.prod(target.shape) * a.shape[-1] > SMALL_PRODUCT
