"""``SyncBatchNorm`` over several batches gives what ``BatchNorm`` gives for all of them as one."""

from __future__ import annotations

import copy

import pytest

import aino
from aino import distributed as dist
from aino import nn
from tests.distributed.ranks import ROWS, row, share_of


def moments(sizes, shape, momentum, dtype, compiled=False):
    """A layer over batches of different sizes gives what one process gives for all of them."""

    def check(rank, world):
        counts = [sizes[r % len(sizes)] for r in range(world)]
        aino.manual_seed(2)
        whole = (aino.randn(sum(counts), *shape) * 3 + 5).to(dtype)
        weigh = aino.randn(sum(counts), *shape).to(dtype)
        kind = {1: nn.BatchNorm1d, 2: nn.BatchNorm1d, 3: nn.BatchNorm2d}[len(shape)]
        one = kind(shape[0], momentum=momentum).to(dtype)
        layer = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(one))
        start = sum(counts[:rank])
        mine = slice(start, start + counts[rank])
        close = (
            {"rtol": 1e-12, "atol": 1e-12}
            if dtype is aino.float64
            else {"rtol": 1e-4, "atol": 1e-4}
        )
        for turn in range(4 if compiled else 2):
            x = (whole + turn).requires_grad_()
            own = (whole + turn)[mine].clone().requires_grad_()
            y = one(x)
            (y * weigh).sum().backward()

            def run(own, part):
                y = layer(own)
                (y * part).sum().backward()
                return y.detach()

            run = aino.compile(run, fullgraph=True) if compiled and not turn else run
            z = run(own, weigh[mine])
            aino.testing.assert_close(z, y.detach()[mine], **close)
            aino.testing.assert_close(own.grad, x.grad[mine], **close)
        for a, b in zip(one.parameters(), layer.parameters()):
            total = b.grad.clone()
            dist.all_reduce(total)
            aino.testing.assert_close(total, a.grad, **close)
        for a, b in zip(one.buffers(), layer.buffers()):
            aino.testing.assert_close(b, a, **close)
        one.eval(), layer.eval()
        if counts[rank]:
            aino.testing.assert_close(layer(whole[mine]), one(whole[mine]), **close)

    return check


MOMENTS = {
    "even": ((4,), (3,), 0.1, aino.float64),
    "uneven": ((5, 2, 1), (3, 4), 0.3, aino.float64),
    "one value on a rank": ((1, 3), (3,), None, aino.float64),
    "an empty batch": ((4, 0), (3, 2, 2), None, aino.float64),
    "float32": ((3, 5), (2, 3, 3), 0.1, aino.float32),
}
for _name, _row in MOMENTS.items():
    ROWS[f"moments: {_name}"] = moments(*_row)
ROWS["moments: even, compiled"] = moments((4,), (3,), 0.1, aino.float64, True)


@row
def moments_have_second_derivatives(rank, world):
    aino.manual_seed(2)
    whole = aino.randn(3 * world, 2).double()
    one, layer = nn.BatchNorm1d(2).double(), nn.SyncBatchNorm(2).double()

    def second(layer, x):
        x = x.clone().requires_grad_()
        (slope,) = aino.autograd.grad((layer(x) ** 3).sum(), x, create_graph=True)
        (slope**2).sum().backward()
        return x.grad

    expected = second(one, whole)
    found = second(layer, whole[share_of(rank, 3)])
    aino.testing.assert_close(found, expected[share_of(rank, 3)], rtol=1e-10, atol=1e-10)


@row
def one_value_in_all_is_refused(rank, world):
    layer = nn.SyncBatchNorm(2)
    with pytest.raises(ValueError) as raised:
        layer(aino.ones(1 if rank == 0 else 0, 2))
    assert "more than 1 value per channel" in str(raised.value)
