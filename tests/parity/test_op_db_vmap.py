"""PyTorch's own samples of its operations under vmap, and vmap(grad): what each sample gives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import aino  # noqa: E402
from aino.errors import TransformError  # noqa: E402
from aino.func import grad, vmap  # noqa: E402
from tests.calculus.harness import flat  # noqa: E402
from tests.parity import op_db  # noqa: E402
from tests.transforms.harness import number_of, weights_of  # noqa: E402

#: Entries whose results have a shape that depends on the data, or which take a Python number from
#: a tensor.
REFUSED = {
    "argwhere", "linspace tensor_overload", "logspace tensor_overload", "masked_select",
    "nonzero", "tensor_split", "unique", "unique_consecutive",
}  # fmt: skip
SAMPLES, LARGEST = 1, 200


def entries():
    for name, op in op_db.entries().items():
        known = op_db.operation_of(op) is not None and not op_db.is_random(name)
        # What is elementwise is batched alike, and has its rows in the calculus.
        elementwise = type(op).__name__ in ("UnaryUfuncInfo", "BinaryUfuncInfo")
        if known and torch.float64 in op.dtypes and not elementwise:
            yield name


def tensors_in(value) -> list:
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [x for part in parts for x in tensors_in(part)] if is_nested(value) else []


def is_nested(value) -> bool:
    return isinstance(value, (dict, list, tuple))


def filled(value, tensors):
    """Return arguments with other tensors in the places of PyTorch's."""
    if isinstance(value, torch.Tensor):
        return next(tensors)
    if isinstance(value, dict):
        return {key: filled(part, tensors) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(filled(part, tensors) for part in value)
    return op_db.given(value, [])


def pairs_of(name, tensors):
    """Return two samples' arrays for each tensor: that of PyTorch's sample, and another."""
    pairs = []
    for tensor in tensors:
        array = tensor.detach().resolve_conj().resolve_neg().clone().numpy()
        moved = array.dtype.kind in "fc" and "cholesky" not in name
        pairs.append((array, np.asarray(array * 0.9) if moved else array))
    return pairs


def check_sample(name, op, sample) -> None:
    arguments = (sample.input, tuple(sample.args), dict(sample.kwargs))
    tensors = tensors_in(arguments)
    if not tensors or sum(tensor.numel() for tensor in tensors) > LARGEST:
        return
    operation, pairs = op_db.operation_of(op), pairs_of(name, tensors)

    def call(*values):
        first, args, keywords = filled(arguments, iter(values))
        first = first * 1 if op.name.endswith("_") else first
        found = flat(operation(first, *args, **keywords))
        return tuple([y for y in found if isinstance(y, aino.Tensor)])

    def each(function):
        """Return what a function gives for either sample, stacked; None where it raises."""
        try:
            rows = [function(*[aino.from_numpy(p[i].copy()) for p in pairs]) for i in (0, 1)]
        except Exception:
            return None
        if any(a.shape != b.shape for a, b in zip(*rows, strict=True)):
            return None
        return [np.stack([a.array, b.array]) for a, b in zip(*rows)]

    def check(function) -> None:
        expected = each(function)
        if not expected:
            return
        batch = [aino.from_numpy(np.stack(pair)) for pair in pairs]
        for y, value in zip(vmap(function, randomness="same")(*batch), expected, strict=True):
            assert y.array.dtype == value.dtype
            assert y.array.shape == value.shape
            np.testing.assert_allclose(y.array, value, rtol=1e-7, atol=1e-8)

    wanted = tuple([k for k, tensor in enumerate(tensors) if tensor.requires_grad])
    if not wanted:
        check(call)
        return
    try:
        weights = weights_of(call(*[aino.from_numpy(p[0].copy()) for p in pairs]))
    except Exception:
        return
    check(grad(lambda *values: number_of(call(*values), weights), wanted))


@pytest.mark.parametrize("name", list(entries()))
def test_entry(name):
    op = op_db.entries()[name]
    refused = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in op_db.samples_of(op, "float64", SAMPLES):
            try:
                check_sample(name, op, sample)
            except TransformError as error:
                refused.append(error)
    if name in REFUSED:
        assert refused
    else:
        assert not refused
