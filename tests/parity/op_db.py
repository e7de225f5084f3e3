"""PyTorch's own samples of its operations, put to AINO: values, gradients, second derivatives.

PyTorch tests itself by a table of its operations, ``op_db``, in which each has a generator of
samples. What a sample gives in PyTorch is the oracle here.
"""

from __future__ import annotations

import functools
import itertools
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import aino

#: Samples of one entry that are tried, and of them those that are differentiated twice.
SAMPLES, TWICE = 60, 12
#: Relative and absolute difference that is allowed, by dtype.
TOLERANCE = {
    "float64": (1e-6, 1e-9), "complex128": (1e-6, 1e-9), "float32": (1e-4, 1e-5),
    "complex64": (1e-4, 1e-5), "float16": (2e-2, 1e-2),
}  # fmt: skip


@functools.cache
def entries() -> dict[str, Any]:
    """Return PyTorch's table by name; a variant's name follows its operation's."""
    from torch.testing._internal.common_methods_invocations import op_db

    return {
        f"{op.name} {op.variant_test_name}".strip(): op
        for op in op_db
        if not op.name.startswith(("_", "torch.ops"))
    }


#: Operations whose numbers are random, or what the memory held: shapes and dtypes are compared.
RANDOM = (
    "bernoulli", "cauchy", "exponential", "geometric", "log_normal", "multinomial", "normal",
    "rand", "randint", "randn", "randperm", "rrelu", "uniform", "dropout", "dropout2d",
    "dropout3d", "empty", "empty_permuted", "empty_strided", "fractional_max_pool2d",
    "fractional_max_pool3d", "resize_", "resize_as_",
)  # fmt: skip


def is_random(name: str) -> bool:
    last = name.split(" ")[0].rpartition(".")[2].removesuffix("_like")
    return last.endswith(RANDOM)


def operation_of(op) -> Callable | None:
    """Return AINO's operation for an entry, None where it has none of that name.

    Where the entry calls its operation by a small function of its own, which exchanges arguments,
    say, that function is taken, with AINO in the place of PyTorch.
    """
    found: Any = aino
    for part in op.name.removeprefix("torch.").split("."):
        found = getattr(found, part, None)
    if not callable(found) or isinstance(found, np.dtype):
        found = getattr(aino.Tensor, op.name, None) if "." not in op.name else None
    if isinstance(found, property):
        return found.fget
    if found is None:
        return None
    if op.name.endswith("_"):  # a leaf can't be changed in place
        return lambda x, *args, **keywords: found(x * 1, *args, **keywords)
    function = op.op
    if getattr(function, "__name__", "") == "<lambda>":
        return in_aino(function)
    return found


def in_aino(function) -> Callable:
    """Return a function of PyTorch's tests, with AINO in the place of PyTorch."""
    names = {**function.__globals__, "torch": aino}
    made = types.FunctionType(
        function.__code__, names, None, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def samples_of(op, dtype: str, count: int = SAMPLES) -> Iterator[Any]:
    """Return the first samples of an entry for a dtype."""
    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    wants = op.supports_autograd and kind.is_floating_point | kind.is_complex
    samples = itertools.islice(op.sample_inputs("cpu", kind, requires_grad=wants), count)
    return map(without_dropout, samples)


def without_dropout(sample):
    """Return a sample whose weights are not dropped by chance, so that its numbers are the same."""
    if "dropout_p" in sample.kwargs:
        sample.kwargs["dropout_p"] = 0.0
    if "use_separate_proj_weight" in sample.kwargs:
        sample.kwargs["training"] = False
    return sample


def given(value: Any, leaves: list) -> Any:
    """Return what AINO is given for an argument; ``leaves`` collects pairs of leaves."""
    if isinstance(value, torch.Tensor):
        for tensor, original in leaves:
            if original is value:
                return tensor
        wants = value.requires_grad
        array = value.detach().resolve_conj().resolve_neg().clone().numpy()
        tensor = aino.from_numpy(array).requires_grad_(wants)
        if wants:
            leaves.append((tensor, value))
        return tensor
    if isinstance(value, torch.memory_format):
        return aino.contiguous_format  # others are refused by name; the values are the same
    if value is torch.bfloat16:
        raise AttributeError("NumPy has no bfloat16")
    if isinstance(value, (torch.dtype, torch.layout)):
        return getattr(aino, str(value).removeprefix("torch."))
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, dict):
        return {key: given(item, leaves) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(given(item, leaves) for item in value)
    return value


def difference(ours: Any, theirs: Any, where: str = "the result") -> str | None:
    """Return how two results differ: in structure, dtype, shape or value; None if they don't."""
    if isinstance(theirs, torch.Tensor):
        if not isinstance(ours, aino.Tensor):
            return f"{where} is {type(ours).__name__}, not a tensor"
        dtype = str(theirs.dtype).removeprefix("torch.")
        if str(ours.dtype).rpartition(".")[2] != dtype:
            return f"{where} is {ours.dtype}, PyTorch's {dtype}"
        if tuple(ours.shape) != tuple(theirs.shape):
            return f"{where} has shape {tuple(ours.shape)}, PyTorch's {tuple(theirs.shape)}"
        return _unequal(ours.detach().numpy(), _array(theirs), dtype, where)
    if isinstance(theirs, (list, tuple)):
        if not isinstance(ours, (list, tuple)) or len(ours) != len(theirs):
            return f"{where} is {type(ours).__name__}, PyTorch's {type(theirs).__name__}"
        pairs = enumerate(zip(ours, theirs))
        found = (difference(a, b, f"{where}[{i}]") for i, (a, b) in pairs)
        return next((text for text in found if text), None)
    if isinstance(theirs, (bool, int, float, complex)):
        same = ours == theirs or (ours != ours and theirs != theirs)
        return None if same else f"{where} is {ours!r}, PyTorch's {theirs!r}"
    return None


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().numpy(force=True)


def _unequal(ours: np.ndarray, theirs: np.ndarray, dtype: str, where: str) -> str | None:
    relative, absolute = TOLERANCE.get(dtype, (0.0, 0.0))
    scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=1.0) if theirs.size else 1.0
    if np.allclose(ours, theirs, rtol=relative, atol=absolute * float(scale), equal_nan=True):
        return None
    return f"{where} is {_short(ours)}, PyTorch's {_short(theirs)}"


def _short(array: np.ndarray) -> str:
    return np.array2string(array.ravel()[:6], precision=8, separator=", ")


def compare_entry(name: str, dtype: str, count: int = SAMPLES) -> str | None:
    """Return what differs first between AINO and PyTorch over an entry's samples."""
    op = entries()[name]
    operation = operation_of(op)
    assert operation is not None
    for place, sample in enumerate(samples_of(op, dtype, count)):
        twice = place < TWICE and dtype in ("float64", "complex128")
        found = compare_sample(operation, op, sample, twice, not is_random(name))
        if found:
            given = f"{sample.input!s:.200} {sample.args!s:.200} {sample.kwargs!s:.200}"
            return f"sample {place}, {' '.join(given.split())}: {found}"
    return None


def compare_sample(operation: Callable, op, sample, twice: bool, values: bool = True) -> str | None:
    """Return what differs for one sample, None if nothing does, or if PyTorch refuses it.

    ``values``: whether values are compared, which random numbers are not.
    """
    wrapper = op.gradcheck_wrapper
    # A function of Hermitian or triangular matrices has one gradient in directions that keep
    # them so, any in others.
    # PyTorch's ctc_loss has the right gradient for what log_softmax gave alone.
    special = "_input", "diagonal", "<lambda>", "ctc_loss"
    wrap = wrapper if wrapper.__name__.endswith(special) else _call
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            first = sample.input * 1 if op.name.endswith("_") else sample.input
            theirs = wrap(op.op, first, *sample.args, **sample.kwargs)
        except Exception:
            return None
        leaves: list = []
        try:
            args = [given(item, leaves) for item in (sample.input, *sample.args)]
            keywords = given(sample.kwargs, leaves)
            ours = (wrap if wrap is _call else in_aino(wrap))(operation, *args, **keywords)
        except Exception as error:
            return f"raises {type(error).__name__}: {error}"
        process = sample.output_process_fn_grad
        try:
            ours, theirs = process(ours), process(theirs)
        except Exception as error:
            return f"its processed output raises {type(error).__name__}: {error}"
        if values:
            found = difference(ours, theirs)
            if found:
                return found
            return compare_gradients(op, ours, theirs, leaves, twice)
        return None if _shape(ours) == _shape(theirs) else "the shape differs"


def _call(operation: Callable, *args, **keywords) -> Any:
    return operation(*args, **keywords)


def _shape(result: Any) -> Any:
    return [tuple(item.shape) for item in _tensors(result)]


def _tensors(result: Any) -> list:
    if isinstance(result, (list, tuple)):
        return [tensor for item in result for tensor in _tensors(item)]
    return [result] if isinstance(result, (aino.Tensor, torch.Tensor)) else []


def compare_gradients(op, ours, theirs, leaves, twice: bool) -> str | None:
    """Compare gradients, and theirs in turn if ``twice``, of the results that want one."""
    pairs = zip(_tensors(ours), _tensors(theirs))
    outputs = [(a, b) for a, b in pairs if b.requires_grad and b.numel()]
    for what in ("the gradient", "the second derivative")[: 1 + (twice and op.supports_gradgrad)]:
        if not leaves or not outputs:
            return None
        if not all(a.requires_grad for a, _ in outputs):
            return f"{what} is lost: the result requires none"
        try:
            wanted = _pull_back(torch, [b for _, b in outputs], [b for _, b in leaves])
        except Exception:
            return None  # PyTorch has none
        try:
            got = _pull_back(aino, [a for a, _ in outputs], [a for a, _ in leaves])
        except Exception as error:
            return f"{what} raises {type(error).__name__}: {error}"
        for place, (a, b) in enumerate(zip(got, wanted)):
            if a is None and b is None:
                continue
            a = aino.zeros_like(leaves[place][0]) if a is None else a
            b = torch.zeros_like(leaves[place][1]) if b is None else b
            found = difference(a, b, f"{what} of input {place}")
            if found:
                return found
        outputs = [
            (a, b)
            for a, b in zip(got, wanted)
            if b is not None and b.requires_grad and a is not None and a.requires_grad
        ]
    return None


def _pull_back(library, outputs, inputs):
    rng = np.random.default_rng(0)
    cotangents = [_cotangent(library, output, rng) for output in outputs]
    return library.autograd.grad(outputs, inputs, cotangents, create_graph=True, allow_unused=True)


def _cotangent(library, output, rng):
    """Return numbers to start from, the same in both libraries."""
    dtype = str(output.dtype).rpartition(".")[2]
    numbers = rng.standard_normal((2, *output.shape))
    return library.from_numpy(
        np.asarray(numbers[0] + 1j * numbers[1] if "complex" in dtype else numbers[0], dtype)
    )
