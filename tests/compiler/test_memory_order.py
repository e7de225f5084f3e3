"""Between convolutions memory keeps the order that they work in, and nobody can tell."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.rules.batch_order import lay_batch_first, lay_batch_last
from aino.compiler import pipeline
from aino.compiler.ir.operations import Operation
from aino.compiler.passes.memory_order import keep_batch_last
from tests.compiler.hand import Hand, run

F = nn.functional


def chain(x, w, v):
    return F.conv2d(F.relu(F.conv2d(x, w, padding=1)), v).square().sum()


def pooled(x, w, v):
    y = F.max_pool2d(F.relu(F.conv2d(x, w, padding=1)), 2)
    return F.conv2d(y, v, padding=1).flatten(1).square().sum()


def residual(x, w, v):
    y = F.conv2d(x, w, padding=1)
    return (y + F.conv2d(y.tanh() * 0.5, v, padding=1).sigmoid()).square().sum()


def in_place(x, w, v):
    y = F.conv2d(x, w, padding=1)
    z = y * 2.0
    y.relu_()
    return (F.conv2d(y, v, padding=1) * z).sum()


def written_in_part(x, w, v):
    y = F.conv2d(x, w, padding=1) * 1.0
    y[:, 0] = 2.0
    y[:, :, 1:, ::2] += 1.0
    return F.conv2d(y, v).exp().sum()


def sliced(x, w, v):
    y = F.conv2d(x, w, padding=1)
    return F.conv2d(y[:, :, 1:, :-1].cos(), v).sum() + y[-1].square().sum() + y[:, 1, 0].sum()


def chosen(x, w, v):
    y = F.conv2d(x, w, padding=1)
    y = aino.where(y > 0.1, y, y * 0.3)
    return F.conv2d(F.leaky_relu(y), v).clamp(-0.2, 0.4).sum()


def viewed(x, w, v):
    y = F.conv2d(x, w, padding=1)
    n, c, h, width = y.shape
    z = y.view(n * c, h, width).tanh().view(n, c, h, width)
    return (F.conv2d(z, v) * 0.5).sum() + y.reshape(-1)[3]


def scaled_by_channel(x, w, v):
    y = F.conv2d(x, w, padding=1)
    scale = y.mean((0, 2, 3), keepdim=True)
    return F.conv2d((y - scale) * scale.reshape(1, -1, 1, 1), v).sum()


def spread_from_the_right(x, w, v):
    y = F.conv2d(x, w, padding=1)
    return F.conv2d(y * aino.arange(5.0) + aino.ones(4, 5), v).square().sum()


def joined(x, w, v):
    y = F.conv2d(x, w, padding=1)
    z = aino.cat([y[:, :1], y[:, 1:] * 2.0], 1)
    return F.conv2d(z, v).square().sum() + F.conv2d(y.permute(0, 1, 3, 2), v).sum()


def in_both_libraries_orders(x, w, v):
    y = F.avg_pool2d(F.conv2d(x, w, padding=1), 2)
    z = F.conv_transpose2d(F.elu(y), v, stride=2)
    return F.conv2d(z, w.sum(1, keepdim=True).expand(3, 2, 3, 3) * 0.1).square().sum()


def handed_out(x, w, v):
    y = F.relu(F.conv2d(x, w, padding=1))
    kept.append(y.detach())
    return F.conv2d(y, v).square().sum()


kept: list = []
FUNCTIONS = [
    chain, pooled, residual, in_place, written_in_part, sliced, chosen, viewed, scaled_by_channel,
    spread_from_the_right, joined, in_both_libraries_orders,
]  # fmt: skip
#: Where no copy between the orders is left but those at the ends: input, output, their gradients.
COPIES_GO = {chain, pooled, residual, chosen}


def leaves(batch):
    aino.manual_seed(0)
    shapes = (batch, 2, 4, 5), (3, 2, 3, 3), (2, 3, 3, 3)
    tensors = [aino.randn(*shape) for shape in shapes]
    return [tensor.requires_grad_() for tensor in tensors]


@pytest.mark.parametrize("batch", [3, 1])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_computes_what_eager_computes(function, batch):
    x, w, v = leaves(batch)
    if function is in_both_libraries_orders:
        w, v = aino.randn(3, 2, 3, 3).requires_grad_(), aino.randn(3, 2, 2, 2).requires_grad_()
    elif function in (residual, in_place):
        v = aino.randn(3, 3, 3, 3).requires_grad_()

    def step():
        loss = function(x, w, v)
        grads = aino.autograd.grad(loss, (x, w, v))
        return loss.detach(), *grads

    compiled = aino.compile(step, fullgraph=True)
    for turn in range(4):
        with aino.no_grad():
            x.mul_(1.0 + 0.1 * turn)
        for found, expected in zip(compiled(), step()):
            np.testing.assert_array_equal(found.numpy(), expected.numpy())
            assert found.is_contiguous()
    count = compiled._latest.optimised.counts["memory_order"]
    assert count >= (4 if function in COPIES_GO and batch > 1 else 0)


@pytest.mark.parametrize(
    ("conv", "shape"),
    [(F.conv1d, (3, 2, 6)), (F.conv2d, (2, 2, 5, 4)), (F.conv3d, (2, 2, 3, 4, 3))],
)
def test_any_number_of_axes(conv, shape):
    rank = len(shape) - 2
    x, w = aino.randn(*shape), aino.randn(2, 2, *(3,) * rank).requires_grad_()

    def step(x):
        y = conv(conv(x, w, padding=1).tanh(), w, padding=1)
        return aino.autograd.grad(y.square().sum(), w)[0]

    compiled = aino.compile(step)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(x).numpy(), step(x).numpy())
    assert compiled._latest.optimised.counts["memory_order"] >= 3


def test_what_the_caller_gets_is_in_the_order_of_users():
    x, w, v = leaves(3)

    def step():
        y = F.relu(F.conv2d(x, w, padding=1))
        return y, F.conv2d(y, v)

    compiled = aino.compile(step)
    for _ in range(3):
        for found, expected in zip(compiled(), step()):
            np.testing.assert_array_equal(found.detach().numpy(), expected.detach().numpy())
            assert found.stride() == expected.stride()


def test_the_gradients_of_leaves_are_in_the_order_of_users():
    x, w, v = leaves(3)

    def step():
        x.grad = None
        chain(x, w, v).backward()

    compiled = aino.compile(step)
    for _ in range(3):
        compiled()
        found = x.grad.clone()
        assert x.grad.is_contiguous()
        step()
        np.testing.assert_array_equal(found.numpy(), x.grad.numpy())


def test_what_is_handed_out_in_one_piece_is_written_through_its_views():
    """The memory behind ``reshape`` is the tensor's own, whatever it was computed of."""
    x, w, v = leaves(3)

    def step():
        with aino.no_grad():
            y = F.conv2d(x, w, padding=1)
            z = y.tanh()
            z.view(-1)[::7] = 3.0
            chosen = aino.where(y > 0, y, 0.0)
            chosen.view(-1)[::5] = 2.0
            return z, chosen, F.conv2d(y, v), y.half()

    compiled = aino.compile(step)
    for _ in range(3):
        for found, expected in zip(compiled(), step()):
            np.testing.assert_array_equal(found.numpy(), expected.numpy())
            assert found.stride() == expected.stride()


def test_it_can_be_left_out():
    x, w, v = leaves(3)
    names = [name for name in pipeline.PASSES if name != "memory_order"]

    def step():
        with aino.no_grad():
            return chain(x, w, v)

    with_it = aino.compile(step, backend="numpy")
    without = aino.compile(step, backend="numpy", passes=names)
    for _ in range(3):
        assert with_it().item() == without().item()
    assert "memory_order" not in without._latest.optimised.counts
    assert with_it.code.count("batch_first(") == 0 < without.code.count("batch_first(")


def laid(hand, function, value):
    """A call of one of the copies between the orders."""
    result = hand.call(function, value)
    hand.calls[-1].operation = Operation.KERNEL
    return result


def test_what_a_convolution_was_given_stays_when_its_source_is_written():
    hand = Hand()
    y = hand.call(np.sin, hand.argument((3, 2, 4)))
    source = laid(hand, lay_batch_first, y)
    image = hand.call(np.exp, source)
    given = laid(hand, lay_batch_last, image)
    hand.call(np.multiply, image, 2.0, out=image)
    results = hand.call(np.negative, given), hand.call(np.negative, image)
    program = hand.program(*results)
    assert keep_batch_last(program) == 1
    x = np.arange(24.0).reshape(3, 2, 4) / 10
    found, other = run(program, x)
    expected = np.exp(np.sin(x))
    np.testing.assert_array_equal(found, -expected)
    np.testing.assert_array_equal(other, -2.0 * expected.transpose(2, 0, 1))
