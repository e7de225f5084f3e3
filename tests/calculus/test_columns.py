"""Convolutions go block by block, and products in pieces: whatever the cut, the sums are one."""

import subprocess
import sys

import numpy as np
import pytest

import aino
from aino import nn, num_threads
from aino.autograd.rules import attention, bands, batch_order, columns
from aino.nn import functional as F
from tests.calculus import rows_conv

#: (input, weight, stride, padding, dilation, groups) of convolutions of several blocks each.
PLACES = [
    ((2, 4, 9), (6, 2, 3), (2,), (1,), (2,), 2),
    ((3, 2, 9, 8), (4, 2, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((17, 16, 5, 4), (32, 16, 3, 2), (1, 1), (1, 0), (1, 1), 1),
    ((5, 6, 7, 6), (6, 1, 3, 3), (2, 1), (1, 2), (1, 2), 6),
    ((5, 6, 37, 6), (6, 1, 3, 4), (2, 2), (1, 2), (3, 1), 6),
    ((3, 40, 20, 3), (40, 1, 3, 2), (1, 1), (1, 2), (1, 2), 40),
    ((4, 5, 41), (5, 1, 3), (1,), (2,), (2,), 5),
    ((4, 5, 41), (5, 1, 4), (3,), (0,), (1,), 5),
    ((2, 3, 3, 4, 3), (3, 1, 2, 2, 2), (1, 1, 2), (1, 0, 1), (1, 1, 1), 3),
    ((3, 6, 5, 6), (12, 1, 2, 3), (1, 2), (1, 0), (1, 1), 6),
    ((2, 3, 4, 5, 4), (4, 3, 2, 2, 3), (1, 2, 1), (0, 1, 1), (1, 1, 1), 1),
    ((3, 4, 6, 5), (5, 4, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((3, 4, 6, 5), (5, 4, 1, 1), (2, 1), (1, 0), (1, 1), 1),
]
SIZES = [(1 << 18, 1_000_000), (64, 1_000_000), (700, 100), (4000, 4000)]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize(("block", "piece"), SIZES)
def test_blocks_and_pieces(place, block, piece, monkeypatch):
    monkeypatch.setattr(columns, "COLUMN_BLOCK", block)
    monkeypatch.setattr(columns, "PRODUCT_PIECE", piece)
    monkeypatch.setattr(columns, "has_small_products", lambda: True)
    monkeypatch.setattr(bands, "BAND_NUMBERS", block)
    monkeypatch.setattr(columns, "COLUMNS_SHARED", piece)
    columns.blocks.cache_clear()
    shape, weight, *settings = place
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(shape), rng.standard_normal(weight)
    bias = rng.standard_normal(weight[0])
    inputs = [aino.tensor(values, requires_grad=True) for values in (x, w, bias)]
    y = getattr(F, f"conv{len(shape) - 2}d")(*inputs, *settings)
    expected = rows_conv.convolution(x, w, bias, *settings)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-9, atol=1e-11)
    g = rng.standard_normal(expected.shape)
    of_x, of_w, of_bias = aino.autograd.grad(y, inputs, aino.tensor(g))
    # The form is linear in x and in w, so that a derivative is seen in any direction.
    dx, dw = rng.standard_normal(shape), rng.standard_normal(weight)
    along = (g * rows_conv.convolution(dx, w, None, *settings)).sum()
    np.testing.assert_allclose((of_x.numpy() * dx).sum(), along, rtol=1e-9)
    along = (g * rows_conv.convolution(x, dw, None, *settings)).sum()
    np.testing.assert_allclose((of_w.numpy() * dw).sum(), along, rtol=1e-9)
    axes = (0, *range(2, g.ndim))
    np.testing.assert_allclose(of_bias.numpy(), g.sum(axes), rtol=1e-9, atol=1e-11)
    columns.blocks.cache_clear()


@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("function", ["conv2d", "conv_transpose2d"])
def test_what_is_not_finite_stays_where_the_kernel_reaches(function, stride, value):
    x = np.ones((1, 3, 8, 7))
    x[0, 1, 2, 2] = value
    oracle = {"conv2d": rows_conv.convolution, "conv_transpose2d": rows_conv.transpose}[function]
    weight = np.ones((3, 1, 2, 3))
    y = getattr(F, function)(
        aino.tensor(x), aino.tensor(weight), stride=stride, groups=3, dilation=2
    )
    expected = oracle(x, weight, stride=stride, groups=3, dilation=2)
    np.testing.assert_array_equal(y.numpy(), expected)
    assert not np.isfinite(expected).all()


def test_blocks_cover_every_position_once():
    for count, batch, height in (((7, 5), 3, 40000), ((4, 3, 5), 2, 9000), ((9,), 70, 70000)):
        found, width, shape = columns.blocks(count, batch, height)
        seen = np.zeros((*count, batch), int)
        places = np.arange(seen.size).reshape(seen.shape)
        for index, length, start, stop in found:
            seen[index] += 1
            assert places[index].reshape(-1).tolist() == list(range(start, stop))
            assert length <= shape[0]
            assert stop - start <= width
        assert (seen == 1).all()
        assert len(found) > 1


@pytest.mark.parametrize(
    "shape", [(20, 3, 300), (64, 2, 16, 16), (32, 8, 64), (1, 2, 3), (5, 0, 2)]
)
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_the_batch_is_laid_last_and_first_again(shape, dtype):
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    for given in (x, np.asfortranarray(x), np.flip(x, 0)):
        last = batch_order.batch_last(given)
        assert np.array_equal(last, np.moveaxis(given, 0, -1))
        assert last.flags.c_contiguous or len(x) == 1  # which is a view
        first = batch_order.batch_first(np.ascontiguousarray(last))
        assert np.array_equal(first, given)
        assert first.flags.c_contiguous


@pytest.mark.parametrize("parts", [[1], [1, 2]])
def test_two_parts_are_computed_with_one_blas_thread_each(parts):
    before, seen = aino.get_num_threads(), []
    get = num_threads._blas("get")
    aino.set_num_threads(2)

    def compute(part):
        seen.append((part, 2 if get is None else get()))
        if part == parts[-1]:
            raise ZeroDivisionError

    try:
        with pytest.raises(ZeroDivisionError):
            num_threads.share(compute, parts)
        assert sorted(seen) == [(part, 2 if get is None else 1) for part in parts]
        assert get is None or get() == 2
    finally:
        aino.set_num_threads(before)


def test_how_many_threads_compute_makes_no_difference(monkeypatch):
    monkeypatch.setattr(columns, "COLUMNS_SHARED", 0)
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((8, 16, 24, 24)), rng.standard_normal((32, 16, 3, 3))
    place = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    last = batch_order.batch_last(x)
    before, found = aino.get_num_threads(), []
    try:
        for count in (1, 2):
            aino.set_num_threads(count)
            y = columns.convolved(last, w, None, place)
            found.append((y, columns.paired(y, last, (3, 3), place)))
    finally:
        aino.set_num_threads(before)
    assert len(columns.Columns(last, (3, 3), (24, 24), columns.Place(*place), 32).parts) == 2
    for one, two in zip(*found):
        assert np.array_equal(one, two)


def test_a_program_of_convolutions_is_what_they_are():
    def step(model, optimizer, x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    def trained(wrap):
        aino.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.Tanh(),
            nn.ConvTranspose2d(4, 3, 2, stride=2), nn.Unfold(2), nn.Flatten(),
        ).double()  # fmt: skip
        optimizer = aino.optim.SGD(model.parameters(), lr=0.1)
        call = wrap(lambda x: step(model, optimizer, x))
        rng = np.random.default_rng(0)
        losses = [call(aino.tensor(rng.standard_normal((3, 2, 4, 5)))).item() for _ in range(4)]
        return losses, [parameter.detach().numpy() for parameter in model.parameters()]

    def compiled(function):
        return aino.compile(function, fullgraph=True)

    eager, program = trained(lambda function: function), trained(compiled)
    assert eager[0] == program[0]
    for a, b in zip(eager[1], program[1]):
        assert np.array_equal(a, b)


def test_a_saved_program_convolves_without_aino(tmp_path):
    model = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, groups=4))
    transposed = nn.ConvTranspose1d(4, 2, 3, stride=2)
    program = aino.compile(lambda x: transposed(model(x).flatten(2)), fullgraph=True)
    x = aino.randn(3, 2, 5, 6)
    with aino.no_grad():
        expected = program(x).numpy()
    program.save_source(tmp_path / "saved.py")
    np.save(tmp_path / "x.npy", x.numpy())
    script = (
        "import sys, numpy as np, saved; y = saved.step(np.load('x.npy')); np.save('y.npy', y); "
        "assert not any(name.startswith('aino') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, rtol=1e-5, atol=1e-6)


def test_what_a_program_returns_is_not_written_again():
    layer = nn.Conv1d(1, 1, 2)
    program = aino.compile(lambda x: layer(x), fullgraph=True)
    with aino.no_grad():
        first = program(aino.ones(1, 1, 3))
        kept = first.numpy().copy()
        program(aino.zeros(1, 1, 3))
    assert np.array_equal(first.numpy(), kept)


def convolution():
    x = aino.randn(8, 16, 24, 24, requires_grad=True)
    weight = aino.randn(32, 16, 3, 3, requires_grad=True)
    F.conv2d(x, weight, padding=1).sum().backward()


def attention_of():
    q, k, v = (aino.randn(2, 2, 300, 8, requires_grad=True) for _ in range(3))
    F.scaled_dot_product_attention(q, k, v).sum().backward()


#: Who multiplies on two threads: what is run, where ``share`` is looked up, and for how many
#: kernels: forward and for each gradient of an input, or of all of them together.
SHARING = {"convolution": (convolution, columns, 3), "attention": (attention_of, attention, 2)}


@pytest.mark.parametrize("name", SHARING)
def test_long_products_are_shared_with_one_blas_thread_each(name, monkeypatch):
    run, module, kernels = SHARING[name]
    monkeypatch.setattr("aino.threads.CORES", 2)
    shared = []

    def share(function, parts):
        shared.append(len(parts))
        for part in parts:
            function(part)

    monkeypatch.setattr(module, "share", share)
    run()
    assert shared == [2] * kernels
