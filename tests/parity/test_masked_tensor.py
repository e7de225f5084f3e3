"""Masked tensors beside PyTorch's: what they show, which elements count, their gradients."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import aino
from aino.ops.masked import tensor as masked
from tests.parity.compare import torch

DATA = np.array([[0.5, 1.0, 2.0], [3.0, 4.0, 5.0]], np.float32)
MASK = np.array([[True, False, True], [False, False, False]])

CALLS = {
    "softmax": lambda t, x: x.softmax(1),
    "softmax as a function": lambda t, x: t.softmax(x, 0),
    "sum as a function": lambda t, x: t.sum(x, 1),
    "exp as a function": lambda t, x: t.exp(x),
    "sigmoid as a function": lambda t, x: t.sigmoid(x),
    "add as a function": lambda t, x: t.add(x, 2),
    "mul as a function": lambda t, x: t.mul(x, x),
    "where": lambda t, x: t.where(x.get_mask(), x, x + 1),
    "cat": lambda t, x: t.cat([x, x], 1),
    "stack": lambda t, x: t.stack([x, x]),
    "ones_like": lambda t, x: t.ones_like(x),
    "a number to the left": lambda t, x: 2 / (3 * x + 1),
    "a tensor to the right": lambda t, x: x * t.ones(3) * 3,
    "broadcast": lambda t, x: x[:1] * t.ones(2, 3),
    "operators": lambda t, x: -(x**2) + x / 2 - x // 1 + x % 2,
    "comparisons": lambda t, x: (x < 1) == (x > 0.7),
    "a row": lambda t, x: x[0],
    "views": lambda t, x: x.t().contiguous().view(2, 3).unsqueeze(0).expand(2, 2, 3),
    "transpose": lambda t, x: x.transpose(0, 1),
    "select": lambda t, x: x.select(1, 2),
    "flatten": lambda t, x: x.flatten(),
    "narrow": lambda t, x: x.narrow(1, 1, 2),
    "unfold": lambda t, x: x.unfold(1, 2, 1),
    "split": lambda t, x: x.split(2, 1),
    "casts": lambda t, x: x.double().to(t.float32).detach().clone(),
    "clamp": lambda t, x: x.clamp(1, 3),
    "pow": lambda t, x: x.pow(3),
    "all": lambda t, x: x.all(),
    "all of rows": lambda t, x: x.all(1, True),
    "in place": lambda t, x: (x * 1).add_(1).sin_(),
    "an element": lambda t, x: x[0, 2].item(),
    "facts": lambda t, x: [tuple(x.shape), x.ndim, x.dim(), x.numel(), len(x), x.is_contiguous()],
    "filled": lambda t, x: x.to_tensor(-1.0).detach().tolist(),
    "a mask": lambda t, x: x.get_mask().tolist(),
}
#: Those that take a number, and those of whole numbers.
_OTHERS = {"pow", "clamp", "clip", "bitwise_not"}
CALLS |= {
    name: lambda t, x, name=name: getattr(x, name)()
    for name in masked._UNARY.split() if name not in _OTHERS
}  # fmt: skip
CALLS |= {
    name: lambda t, x, name=name: getattr(x, name)(x + 1)
    for name in masked._BINARY.split() if not name.startswith("bitwise")
}  # fmt: skip
for _name in masked._REDUCTIONS.split():
    CALLS |= {
        f"{_name} of all": lambda t, x, name=_name: getattr(x, name)(),
        f"{_name} of rows": lambda t, x, name=_name: getattr(x, name)(1),
        f"{_name} of columns": lambda t, x, name=_name: getattr(x, name)(0, keepdim=True),
    }


def made(library, data=DATA, mask=MASK, requires_grad=True):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return library.masked.masked_tensor(
            library.from_numpy(data.copy()), library.from_numpy(mask.copy()), requires_grad
        )


def outcome(library, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = made(library)
        result = CALLS[name](library, x)
        texts = repr(result)
        parts = result if isinstance(result, tuple) else [result]
        if not hasattr(parts[0], "get_mask") or not parts[0].requires_grad:
            return texts, None
        for part in parts:
            (part * part).sum().backward()
        return texts, x.grad


@pytest.mark.parametrize("name", CALLS)
def test_what_it_does(name):
    mine, slope = outcome(aino, name)
    try:
        its, its_slope = outcome(torch, name)
    except (TypeError, ValueError, RuntimeError):
        # Many of PyTorch's backward functions do not know masked tensors.
        its, its_slope = repr(CALLS[name](torch, made(torch, requires_grad=False))), None
    assert mine == its
    if hasattr(its_slope, "to_tensor") and np.all(np.isfinite(its_slope.to_tensor(0.0).numpy())):
        np.testing.assert_allclose(
            slope.to_tensor(0.0).numpy(), its_slope.to_tensor(0.0).numpy(), rtol=1e-4, atol=1e-6
        )


SHOWN = [np.array(1.5), np.arange(3), np.array([[[1.25, -2.0]], [[1e6, 3.0]]]), np.array([True])]


@pytest.mark.parametrize("data", SHOWN, ids=[str(x.shape) for x in SHOWN])
def test_how_it_is_shown(data):
    for kept in (data.size, 0, 1):
        mask = (np.arange(data.size) < kept).reshape(data.shape)
        assert repr(made(aino, data, mask, False)) == repr(made(torch, data, mask, False))


def test_nothing_flows_back_from_what_is_masked_out():
    x = aino.tensor([0.0, 4.0, -1.0], requires_grad=True)
    y = aino.masked.as_masked_tensor(x, x > 0)
    (y.sqrt() + y.log()).sum().backward()
    assert x.grad.tolist() == [0.0, 0.5, 0.0]


WRONG = {
    "a mask of another shape": (DATA, MASK[0], ValueError),
    "a mask of numbers": (DATA, DATA, TypeError),
    "complex data": (DATA * 1j, MASK, TypeError),
    "unsigned data": (DATA.astype(np.uint8), MASK, TypeError),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_it_is_not_made_of(name):
    data, mask, error = WRONG[name]
    for library in (aino, torch):
        with pytest.raises(error):
            made(library, data, mask, False)
    with pytest.raises(TypeError, match="data must be a tensor"):
        aino.masked.masked_tensor(DATA, aino.from_numpy(MASK))


REFUSED = {
    "relu": (lambda x: x.relu(), AttributeError, "has no relu"),
    "relu as a function": (lambda x: aino.cumsum(x, 0), TypeError, "cumsum does not take"),
    "matmul": (lambda x: x @ x.t(), TypeError, "unsupported operand"),
    "other masks": (lambda x: x + made(aino, mask=~MASK), ValueError, "the masks of the two"),
    "a tensor beside": (lambda x: x.clamp(aino.ones(3)), TypeError, "takes numbers beside"),
    "an array": (lambda x: np.asarray(x), TypeError, "to_tensor"),
    "NumPy's sum": (lambda x: np.add.reduce(x), TypeError, "does not take"),
    "a masked element": (lambda x: x[0, 1].item(), ValueError, "masked out"),
    "a leaf in place": (lambda x: x.add_(1), RuntimeError, "leaf"),
    "mixed": (lambda x: aino.cat([x, x.get_data()]), TypeError, "all or none"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    call, error, words = REFUSED[name]
    with pytest.raises(error, match=words):
        call(made(aino))
