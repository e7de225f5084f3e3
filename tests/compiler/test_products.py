"""Large products on AINO's own threads, in programs that share other long work between them."""

import importlib.util
import os
import threading

import numpy as np
import pytest

import aino
from aino import threads
from aino.num_threads import _halves, shared_product
from aino.threads import CORES, worker

#: shapes of a and b -> how many parts the product is computed in.
SHAPES = {
    ((512, 64), (64, 128)): 2,
    ((128, 64), (64, 512)): 2,
    ((400, 130), (130, 101)): 2,
    ((30, 3), (3, 20)): 1,
    ((7, 64, 128), (7, 128, 96)): 2,
    ((64, 128), (5, 128, 128)): 2,
    ((3, 200, 128), (128, 60)): 2,
    ((0, 64), (64, 8)): 1,
}


@pytest.mark.parametrize(("shapes", "parts"), SHAPES.items(), ids=str)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_halves_are_the_whole(shapes, parts, turned, given):
    draw = np.random.default_rng(0)
    # Whole numbers, whose sums are exact in any order.
    a, b = (draw.integers(-9, 9, shape).astype(np.float32) for shape in shapes)
    if turned:
        a, b = (np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2) for x in (a, b))
    whole = np.matmul(a, b)
    out = np.full_like(whole, np.nan) if given else None
    product = shared_product(a, b, out)
    assert (product is out) is given
    assert product.dtype == np.float32
    np.testing.assert_array_equal(product, whole)
    assert len(_halves(a, b, product)) == parts


def with_loops(x, weight):
    return ((x @ weight).tanh() * 2.0 + x.exp() * x).sum()


def products_alone(x, weight):
    return (x @ weight @ weight).sum()


@pytest.mark.parametrize(("function", "shared"), [(with_loops, True), (products_alone, False)])
@pytest.mark.parametrize("width", [64, 1024])
def test_products_are_shared_where_loops_are(function, shared, width):
    x = aino.randn(1024, width) / 8
    weight = aino.randn(width, width) / 8
    compiled = aino.compile(function)
    for _ in range(3):
        result = compiled(x, weight)
    assert ("shared_product" in compiled.code) == (shared and width == 1024)
    assert "shared_product" not in compiled.source  # where it is computed is no concern of it
    assert aino.allclose(result, function(x, weight), rtol=1e-4)


def test_a_saved_program_shares_them_too(tmp_path):
    x, weight = aino.randn(1024, 512) / 8, aino.randn(512, 512) / 8

    @aino.compile
    def program(scale):
        return with_loops(x * scale, weight)

    scale = aino.tensor(0.5)
    expected = program(scale)
    path = tmp_path / "saved.py"
    program.save_source(path, tmp_path / "weights.npz")
    assert "def shared_product" in path.read_text()
    spec = importlib.util.spec_from_file_location("saved", path)
    saved = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(saved)
    np.testing.assert_allclose(saved.program(scale.numpy()), expected.numpy(), rtol=1e-6)


@pytest.mark.skipif(CORES < 2 or not hasattr(os, "sched_getaffinity"), reason="needs two cores")
def test_the_worker_keeps_off_the_callers_core():
    seen = []
    worker.share(lambda part: seen.append(os.sched_getaffinity(0)), [0, 1])
    assert sorted(len(cores) for cores in seen) == [CORES - 1, CORES]
    assert any(threads.is_own(thread) for thread in threading.enumerate())


def test_the_caller_says_how_overflow_is_told_on_both_threads():
    told = []
    with np.errstate(over="ignore", invalid="raise"):
        worker.share(lambda part: told.append(np.geterr()), [0, 1])
    assert [(how["over"], how["invalid"]) for how in told] == [("ignore", "raise")] * 2


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_more_threads_of_the_blas_are_left_at_work(threads, monkeypatch):
    shared = []
    monkeypatch.setattr("aino.num_threads.share", lambda function, parts: shared.append(parts))
    monkeypatch.setattr("aino.num_threads._getter_and_setter", lambda: (lambda: threads, None))
    a, b = np.ones((512, 64), np.float32), np.ones((64, 128), np.float32)
    product = shared_product(a, b)
    assert len(shared) == (threads == 2)
    assert threads == 2 or (product == 64).all()
