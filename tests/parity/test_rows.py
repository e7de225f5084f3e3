"""Every row against PyTorch: values, dtypes, memory, gradients of both orders, kinks, errors."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.autograd import engine
from aino.autograd.tensor import Tensor, make
from tests.calculus import harness
from tests.parity.compare import (
    Failed,
    difference,
    outcome,
    plain,
    to_torch,
    torch,
    torch_dtypes,
)

ROWS = [row for row in harness.load_rows() if row.torch is not None]


def counterpart(row):
    """Return PyTorch's function for a row."""
    if callable(row.torch):
        return lambda *args, **kwargs: row.torch(torch, *args, **kwargs)
    name = row.torch or row.name
    for prefix in ("", "nn.functional.", "special.", "linalg.", "fft.", "Tensor."):
        found = torch
        for part in f"{prefix}{name}".split("."):
            found = getattr(found, part, None)
        if found is not None:
            return found
    raise LookupError(f"PyTorch has no {name}; say torch=None in the row of {row.name}")


def torch_call(row, case, tensors):
    args, kwargs = case.fill(tensors)
    return counterpart(row)(*torch_dtypes(args), **torch_dtypes(kwargs))


def torch_tensors(case, arrays):
    samples = case.samples()
    return [
        to_torch(array, sample.wanted and array.dtype.kind in "fc")
        for sample, array in zip(samples, arrays)
    ]


def cases(of="cases", condition=lambda row, case: not row.seeded):
    chosen = [(row, case) for row in ROWS for case in getattr(row, of) if condition(row, case)]
    return pytest.mark.parametrize(
        ("row", "case"), chosen, ids=[f"{row.name}-{case}" for row, case in chosen]
    )


def differentiable(row, case):
    wanted = any(sample.wanted for sample in case.samples())
    return row.order > 0 and wanted and not row.seeded


@cases()
def test_values(row, case):
    for dtype in harness.dtypes_of(row, np.float64, np.float32):
        arrays = harness.drawn(row, case, dtype)
        ours = harness.call(row, case, [make(array) for array in arrays])
        theirs = harness.flat(torch_call(row, case, torch_tensors(case, arrays)))
        single = np.dtype(dtype).itemsize * (2 if np.dtype(dtype).kind == "f" else 1) == 8
        rtol, atol = (1e-4, 1e-4) if single else (max(row.rtol, 1e-8), max(row.atol, 1e-10))
        text = difference(plain(ours), plain(theirs), rtol, atol)
        assert not text, text


@cases()
def test_results_share_memory_where_pytorchs_do(row, case):
    arrays = harness.drawn(row, case)
    ours = harness.call(row, case, tensors := [make(array) for array in arrays])
    theirs = harness.flat(torch_call(row, case, originals := torch_tensors(case, arrays)))
    for y, t in zip(ours, theirs):
        if not isinstance(t, torch.Tensor) or not t.numel():
            continue
        shared = any(
            t.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() for x in originals
        )
        assert any(np.may_share_memory(y.array, x.array) for x in tensors) == shared


@cases()
def test_named_results(row, case):
    arrays = harness.drawn(row, case)
    args, kwargs = case.fill([make(array) for array in arrays])
    theirs = torch_call(row, case, torch_tensors(case, arrays))
    ours = row.function(*args, **kwargs)
    if isinstance(theirs, (tuple, list)) and not isinstance(theirs, torch.Size):
        assert isinstance(ours, (tuple, list))
        assert isinstance(ours, tuple) == isinstance(theirs, tuple)
        names = getattr(type(theirs), "__match_args__", ())
        assert tuple(getattr(type(ours), "_fields", names)) == tuple(names) or not names
        for name in names:
            assert not difference(plain(getattr(ours, name)), plain(getattr(theirs, name)))


def our_gradients(row, case, arrays, order):
    tensors = harness.tensors_of(case, arrays)
    outputs = harness.call(row, case, tensors)
    used = [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]
    seeds = [make(seed) for seed in harness.cotangents_of(used)]
    targets = harness.wanted_of(tensors)
    first = engine.grad(used, targets, seeds, create_graph=order > 1)
    if order < 2:
        return list(first)
    again = [g for g in first if g.requires_grad]
    if not again:
        return [None] * len(targets)
    seeds = [make(seed) for seed in harness.cotangents_of(again, 2)]
    return list(engine.grad(again, targets, seeds, allow_unused=True))


def their_gradients(row, case, arrays, order):
    tensors = torch_tensors(case, arrays)
    outputs = harness.flat(torch_call(row, case, tensors))
    used = [y for y in outputs if isinstance(y, torch.Tensor) and y.requires_grad]
    seeds = [to_torch(seed) for seed in cotangents(used)]
    targets = [x for x in tensors if x.requires_grad]
    first = torch.autograd.grad(used, targets, seeds, create_graph=order > 1, allow_unused=True)
    if order < 2:
        return list(first)
    again = [g for g in first if g is not None and g.requires_grad]
    if not again:
        return [None] * len(targets)
    seeds = [to_torch(seed) for seed in cotangents(again, 2)]
    return list(torch.autograd.grad(again, targets, seeds, allow_unused=True))


def cotangents(outputs, seed=1):
    return harness.cotangents_of([make(y.detach().resolve_conj().numpy()) for y in outputs], seed)


def zeros_for_none(found, arrays):
    return [
        np.zeros_like(array) if gradient is None else plain(gradient)
        for gradient, array in zip(found, arrays)
    ]


def compare_gradients(row, case, order):
    for dtype in harness.dtypes_of(row, np.float64):
        arrays = harness.drawn(row, case, dtype)
        wanted = [
            array
            for array, sample in zip(arrays, case.samples())
            if sample.wanted and array.dtype.kind in "fc"
        ]
        ours = zeros_for_none(our_gradients(row, case, arrays, order), wanted)
        theirs = zeros_for_none(their_gradients(row, case, arrays, order), wanted)
        text = difference(ours, theirs, 1e-7, 1e-9)
        assert not text, text


@cases(condition=differentiable)
def test_first_gradients(row, case):
    compare_gradients(row, case, 1)


@cases(condition=lambda row, case: row.order > 1 and differentiable(row, case))
def test_second_gradients(row, case):
    try:
        compare_gradients(row, case, 2)
    except (RuntimeError, NotImplementedError) as error:
        if "not implemented" not in str(error) and "derivative for" not in str(error):
            raise
        pytest.skip(f"PyTorch: {error}")


#: Where a second derivative of zero is None: the gradient is composed of parts that don't read it.
UNLINKED = {"polar"}


def again(library, grad, outputs, targets, seeds):
    """Return, for each gradient, for which targets it can be differentiated again."""
    first = grad(outputs, targets, seeds, create_graph=True, allow_unused=True)
    found = []
    for gradient in first:
        if gradient is None or not gradient.requires_grad:
            found.append([False] * len(targets))
            continue
        seed = library.ones_like(gradient)
        second = grad(gradient, targets, seed, retain_graph=True, allow_unused=True)
        found.append([g is not None for g in second])
    return found


@cases(condition=lambda row, case: row.order > 1 and differentiable(row, case))
def test_gradients_can_be_differentiated_where_pytorchs_can(row, case):
    arrays = harness.drawn(row, case)
    tensors, originals = harness.tensors_of(case, arrays), torch_tensors(case, arrays)
    outputs = [y for y in harness.call(row, case, tensors) if isinstance(y, Tensor)]
    outputs = [y for y in outputs if y.requires_grad]
    theirs = harness.flat(torch_call(row, case, originals))
    theirs = [y for y in theirs if isinstance(y, torch.Tensor) and y.requires_grad]
    wanted = [x for x in originals if x.requires_grad]
    try:
        expected = again(
            torch, torch.autograd.grad, theirs, wanted, [to_torch(s) for s in cotangents(theirs)]
        )
    except (RuntimeError, NotImplementedError) as error:
        pytest.skip(f"PyTorch: {error}")
    seeds = [make(seed) for seed in harness.cotangents_of(outputs)]
    found = again(aino, engine.grad, outputs, harness.wanted_of(tensors), seeds)
    if row.name in UNLINKED:
        assert [any(line) for line in found] == [any(line) for line in expected]
        return
    for ours, line in zip(found, expected):
        assert all([mine or not his for mine, his in zip(ours, line)]), (found, expected)


@cases(of="kinks")
def test_kinks(row, case):
    for dtype in harness.dtypes_of(row, np.float64):
        arrays = harness.drawn(row, case, dtype)
        tensors, originals = harness.tensors_of(case, arrays), torch_tensors(case, arrays)
        ours = harness.call(row, case, tensors)
        theirs = harness.flat(torch_call(row, case, originals))
        text = difference(plain(ours), plain(theirs), 1e-7, 1e-9)
        assert not text, text
        if not row.order or not harness.wanted_of(tensors):
            continue
        used = [y for y in ours if y.requires_grad]
        found = engine.grad(
            used, harness.wanted_of(tensors), [make(np.ones_like(y.array)) for y in used]
        )
        expected = torch.autograd.grad(
            [t for t in theirs if t.requires_grad],
            [x for x in originals if x.requires_grad],
            [torch.ones_like(t) for t in theirs if t.requires_grad],
            allow_unused=True,
        )
        wanted = [x.array for x in harness.wanted_of(tensors)]
        text = difference(
            zeros_for_none(found, wanted), zeros_for_none(expected, wanted), 1e-7, 1e-9
        )
        assert not text, text


@cases()
def test_dtypes(row, case):
    """Other dtypes give PyTorch's values and dtypes, or an error where PyTorch has one."""
    names = row.dtypes.split() + (["complex64"] if row.complex else [])
    for name in names:
        arrays = harness.drawn(row, case, np.dtype(name))
        ours = outcome(harness.call, row, case, [make(array) for array in arrays])
        theirs = outcome(torch_call, row, case, [to_torch(array) for array in arrays])
        theirs = theirs if isinstance(theirs, Failed) else harness.flat(theirs)
        if isinstance(theirs, Failed) and theirs.missing:
            continue
        # Where PyTorch rounds float16 between its steps, AINO does so once.
        tolerance = 1e-3 if name == "float16" else 1e-4
        text = difference(ours, theirs, tolerance, 1e-4)
        assert not text, f"{name}: {text}"


@cases(of="errors")
def test_errors(row, case):
    theirs = outcome(torch_call, row, case, torch_tensors(case, harness.drawn(row, case)))
    assert isinstance(theirs, Failed), f"PyTorch returns {theirs}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.any_shape], ids=str)
def test_shapes(row):
    case = next((case for case in row.cases if case.any_shape), None)
    if case is None or row.seeded:
        pytest.skip("explicit values only")
    for shape in ((), (0,), (2, 0, 3)):
        shaped = case.with_shapes([shape] * len(case.samples()))
        arrays = harness.drawn(row, shaped)
        ours = harness.call(row, shaped, [make(array) for array in arrays])
        theirs = harness.flat(torch_call(row, shaped, torch_tensors(shaped, arrays)))
        text = difference(plain(ours), plain(theirs), 1e-7, 1e-9)
        assert not text, f"{shape}: {text}"


def test_the_default_dtype_is_pytorchs():
    assert aino.get_default_dtype().name == str(torch.get_default_dtype()).removeprefix("torch.")
