"""The same program in AINO and in PyTorch: values, dtypes, or an error in both."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import aino
from aino import dtypes

torch = pytest.importorskip("torch")
# Its threads wait for one another where all cores are busy with tests: 30 ms for a maximum.
torch.set_num_threads(1)

MODULES = {"aino": aino, "torch": torch}
DTYPE_NAMES = {dtype.name: getattr(torch, dtype.name) for dtype in dtypes.ALL}
#: Where a random program meets infinities, both libraries are free in their last digits.
RTOL = 1e-8


class Failed:
    """The outcome of a program that raised."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __repr__(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"

    @property
    def missing(self) -> bool:
        """Whether PyTorch has no kernel for a dtype: nothing that AINO would have to copy.

        Complex numbers of half precision are a dtype that NumPy does not have.
        """
        text = str(self.error)
        return (
            isinstance(self.error, NotImplementedError)
            or "not implemented" in text
            or "ComplexHalf" in text
        )


def outcome(program, *arguments):
    """Return what a program returns, as nested lists of arrays, or its failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(program(*arguments))
        except Exception as error:
            return Failed(error)


def plain(value):
    """Return nested lists with NumPy arrays for tensors of either library."""
    if isinstance(value, torch.Tensor):
        return value.detach().resolve_conj().resolve_neg().numpy(force=True).copy()
    if isinstance(value, aino.Tensor):
        return np.array(value.array)
    if isinstance(value, (torch.Size, type(aino.zeros(1).shape))):
        return tuple(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, np.dtype):
        return value.name
    return value


def difference(ours, theirs, rtol=RTOL, atol=1e-10) -> str:
    """Return how two outcomes differ, nothing where they agree."""
    if isinstance(ours, Failed) or isinstance(theirs, Failed):
        agreed = isinstance(ours, Failed) and isinstance(theirs, Failed)
        return "" if agreed else f"AINO: {ours!r}\nPyTorch: {theirs!r}"
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return f"{len(ours)} results, PyTorch has {len(theirs)}"
        found = [difference(a, b, rtol, atol) for a, b in zip(ours, theirs)]
        return "\n".join(f"[{i}] {text}" for i, text in enumerate(found) if text)
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray):
        if ours.dtype != theirs.dtype:
            return f"dtype {ours.dtype}, PyTorch has {theirs.dtype}"
        if ours.shape != theirs.shape:
            return f"shape {ours.shape}, PyTorch has {theirs.shape}"
        if ours.dtype.kind in "fc":
            same = np.allclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True)
        else:
            same = np.array_equal(ours, theirs)
        return "" if same else f"\n{ours}\nPyTorch has\n{theirs}"
    return "" if ours == theirs else f"{ours!r}, PyTorch has {theirs!r}"


def check(program) -> None:
    """Run ``program(module)`` with both libraries and compare."""
    text = difference(outcome(program, aino), outcome(program, torch))
    assert not text, text


def to_torch(array, requires_grad=False):
    tensor = torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape).copy())
    return tensor.requires_grad_(requires_grad)


def torch_dtypes(value):
    """Return nested arguments with PyTorch's dtypes for NumPy's."""
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return DTYPE_NAMES[np.dtype(value).name]
    if type(value) in (list, tuple):
        return type(value)([torch_dtypes(item) for item in value])
    if type(value) is dict:
        return {key: torch_dtypes(item) for key, item in value.items()}
    return value
