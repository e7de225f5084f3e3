"""What a graph keeps: a second backward pass, and writes into inputs and outputs before the first.

AINO raises where PyTorch raises, or gives the gradient of what was computed; where PyTorch
doesn't raise, AINO doesn't.
"""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.autograd import engine
from aino.autograd.tensor import Tensor, make
from aino.errors import GradientError, InplaceError
from tests.calculus import harness
from tests.parity.compare import difference, plain, to_torch, torch
from tests.parity.test_rows import cases, cotangents, differentiable, torch_call, torch_tensors

#: (operation, input) that PyTorch lets be written because it has made a copy of it, or keeps its
#: output instead.
COPIED_BY_PYTORCH = {
    ("matmul", 0),
    ("matmul", 1),
    ("kron", 0),
    ("kron", 1),
    ("tensordot", 0),
    ("take_along_dim", 1),
    # PyTorch multiplies by the reciprocal, and keeps that.
    ("a number divided", 0),
    # Computed in one piece from the logits, which are kept.
    ("nn.functional.cross_entropy", 0),
    # Computed in one piece: 1 + erf(x / √2) keeps the quotient.
    ("normal_cdf", 0),
    # PyTorch's gradient reads the angle of the result, and is 0 where that is 0.
    ("polar", 0),
    ("polar", 1),
    # PyTorch keeps its factors or vectors, AINO what they were computed from.
    ("cholesky_inverse", 0),
    ("cholesky_solve", 1),
    ("linalg.eigvals", 0),
    ("linalg.qr", 0),
    ("qr", 0),
    ("svd", 0),
    ("nuclear_norm", 0),
    ("norm_except_dim", 0),
    # PyTorch pads by a copy where one side has more than the other.
    ("nn.functional.conv1d", 0),
    ("nn.functional.conv2d", 0),
    # PyTorch keeps 2 to the power of the exponent, and computes ndtr from erfc of a copy.
    ("ldexp", 0),
    ("special.ndtr", 0),
    # A mask of another shape is spread into a copy there.
    *((f"masked.{name}", 1) for name in (
        "amax", "amin", "cumprod", "cumsum", "log_softmax", "logsumexp", "mean", "norm",
        "normalize", "prod", "softmax", "softmin", "std", "sum", "var",
    )),
}  # fmt: skip

#: What multiplies by a number inside: PyTorch's kernel keeps the number, while a product that is
#: recorded keeps an array, and is freed by a backward pass, in PyTorch's Python, too.
SCALED = {
    "trapezoid", "trapz", "cumulative_trapezoid", "gradient", "nn.functional.interpolate",
    "nn.functional.affine_grid", "affine_grid_generator",
}  # fmt: skip

#: In one piece: it reads its output; PyTorch composes a small one of parts, which read others.
IN_ONE_PIECE = {"nn.functional.scaled_dot_product_attention"}


def copied_by_pytorch(row, position):
    # Of singular values PyTorch keeps the vectors, not the matrix.
    return (row.name, position) in COPIED_BY_PYTORCH or "singular_values" in row.covered


#: Conjugates of complex numbers are copies that can't be written, where PyTorch's are views.
READ_ONLY = {"adjoint", "H_property"}


def overlaps(array) -> bool:
    """Tell whether elements of an array are one in memory, which PyTorch writes several times."""
    places = sum(
        np.arange(length).reshape((-1,) + (1,) * (array.ndim - 1 - axis)) * step
        for axis, (length, step) in enumerate(zip(array.shape, array.strides))
    )
    return np.unique(places).size < array.size


class Ours:
    """A row's case, computed by AINO."""

    library = aino

    def __init__(self, row, case, arrays) -> None:
        self.inputs = harness.tensors_of(case, [array.copy() for array in arrays])
        self.outputs = [y for y in harness.call(row, case, self.inputs) if isinstance(y, Tensor)]
        self.used = [y for y in self.outputs if y.requires_grad]
        self.seeds = [make(seed) for seed in harness.cotangents_of(self.used)]

    def backward(self) -> list:
        targets = harness.wanted_of(self.inputs)
        return plain(list(engine.grad(self.used, targets, self.seeds, allow_unused=True)))


class Theirs:
    """The same, by PyTorch."""

    library = torch

    def __init__(self, row, case, arrays) -> None:
        self.inputs = torch_tensors(case, [array.copy() for array in arrays])
        found = harness.flat(torch_call(row, case, self.inputs))
        self.outputs = [y for y in found if isinstance(y, torch.Tensor)]
        self.used = [y for y in self.outputs if y.requires_grad]
        self.seeds = [to_torch(seed) for seed in cotangents(self.used)]

    def backward(self) -> None:
        targets = [x for x in self.inputs if x.requires_grad]
        torch.autograd.grad(self.used, targets, self.seeds, allow_unused=True)


def raises(call) -> bool:
    try:
        call()
    except RuntimeError:
        return True
    return False


def drawn(row, case):
    return [(harness.drawn(row, case, dtype)) for dtype in harness.dtypes_of(row, np.float64)]


@cases(condition=differentiable)
def test_a_second_backward_pass(row, case):
    """It raises only where something was freed, which PyTorch has freed too."""
    for arrays in drawn(row, case):
        ours, theirs = Ours(row, case, arrays), Theirs(row, case, arrays)
        first = ours.backward()
        theirs.backward()
        try:
            second = ours.backward()
        except GradientError:
            freed = row.name in SCALED or raises(theirs.backward)
            assert freed, "PyTorch goes through it a second time"
        else:
            assert not difference(second, first)


def overwritten(computed, tensor):
    """Overwrite a tensor without a record; return False where it can't be written."""
    tensor = tensor.detach()
    return not raises(lambda: tensor.copy_(computed.library.ones_like(tensor)))


@cases(condition=differentiable)
@pytest.mark.parametrize("what", ["inputs", "outputs"])
def test_a_write_before_the_backward_pass(row, case, what):
    """It is noticed where a rule reads what was written, and only where PyTorch's reads it."""
    for arrays in drawn(row, case):
        expected = Ours(row, case, arrays).backward()
        for position in range(len(getattr(Ours(row, case, arrays), what))):
            ours, theirs = Ours(row, case, arrays), Theirs(row, case, arrays)
            if not overwritten(theirs, getattr(theirs, what)[position]):
                continue
            if not overwritten(ours, getattr(ours, what)[position]):
                assert what == "outputs"
                array = getattr(ours, what)[position].array
                assert row.name in READ_ONLY or overlaps(array)
                continue
            try:
                found = ours.backward()
            except InplaceError:
                allowed = what == "inputs" and copied_by_pytorch(row, position)
                allowed = allowed or row.name in IN_ONE_PIECE
                assert allowed or raises(theirs.backward), f"PyTorch does not need {position}"
            else:
                assert not difference(found, expected)


@cases(condition=lambda row, case: differentiable(row, case) and case.any_shape)
def test_a_write_elsewhere(row, case):
    """It is no matter, also where everything is a number."""
    shaped = case.with_shapes([()] * len(case.samples()))
    try:
        ours = Ours(row, shaped, harness.drawn(row, shaped))
        ours.seeds = [make(np.ones(y.shape, y.dtype)) for y in ours.used]
        aino.zeros(2).add_(1.0)
    except (ValueError, IndexError, RuntimeError, TypeError):
        pytest.skip("not an operation on numbers")
    ours.backward()
