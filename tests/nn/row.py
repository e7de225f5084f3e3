"""ModuleRow: one module, described once; ``test_rows.py`` and ``test_parity_torch.py`` test it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np

import aino
from aino import nn
from aino.autograd.tensor import Tensor, make
from tests.calculus.row import Sample


@dataclass(frozen=True)
class ModuleRow:
    """One way to make a module, and everything that the tests have to know about it.

    ``name``: the class, PyTorch's name. ``args`` and ``kwargs``: of the constructor; arrays in
    them become tensors. ``inputs``: samples for ``forward``. ``oracle``: the output in NumPy,
    from the inputs' arrays; the module's parameters come as keywords. ``text``: its repr.
    ``torch``: whether PyTorch has the module. ``order``: how often it is differentiated.
    ``random``: the training mode draws random numbers, so only evaluation has the oracle's value.
    ``errors``: (args, kwargs, error) of constructors that must refuse. ``output``: which of
    several outputs is tested, None where there is one. A function among ``args`` makes an argument
    of a library, such as a module.
    """

    name: str
    args: tuple
    kwargs: dict[str, Any]
    inputs: tuple[Sample, ...]
    oracle: Callable[..., np.ndarray]
    text: str
    torch: bool = True
    order: int = 2
    random: bool = False
    errors: list[tuple] = field(default_factory=list)
    bad_inputs: list[tuple[Sample, ...]] = field(default_factory=list)
    rtol: float = 1e-9
    output: int | None = None

    def __str__(self) -> str:
        return self.text.replace("\n", " ")[:60]

    def make(self, library: Any = nn, tensor: Callable = make) -> Any:
        """Return the module of AINO, or of another library that has its constructor."""

        def made(a):
            if isinstance(a, np.ndarray):
                return tensor(a)
            return a(library) if isinstance(a, FunctionType) else a

        args, kwargs = map(made, self.args), {k: made(a) for k, a in self.kwargs.items()}
        return getattr(library, self.name)(*args, **kwargs)

    def call(self, module: Any, inputs: Any) -> Any:
        """Return the output of a module that is tested."""
        found = module(*inputs)
        return found if self.output is None else found[self.output]

    def double(self) -> Any:
        """Return the module in float64, with weights that are the same at every call."""
        aino.manual_seed(0)
        module = self.make().double()
        rng = np.random.default_rng(1)
        for parameter in module.parameters():
            parameter.array[...] = rng.uniform(-1.0, 1.0, parameter.shape)
        return module

    def draw(self, dtype: Any = np.float64) -> list[np.ndarray]:
        rng = np.random.default_rng(zlib.crc32(str(self).encode()))
        return [sample.draw(rng, dtype) for sample in self.inputs]

    def tensors(self, arrays: list[np.ndarray]) -> list[Tensor]:
        """Return the inputs as tensors; those that are differentiated require a gradient."""
        tensors = [make(array) for array in arrays]
        for sample, tensor in zip(self.inputs, tensors):
            if sample.wanted and tensor.dtype.kind == "f":
                tensor.requires_grad_()
        return tensors

    def expected(self, module: Any, arrays: list[np.ndarray]) -> np.ndarray:
        state = {key: value.numpy() for key, value in module.state_dict().items()}
        return self.oracle(*arrays, **state)


def row(
    name: str, *args: Any, inputs: Any, oracle: Callable, text: str, **options: Any
) -> ModuleRow:
    """Return a row; keywords that are no fields of it go to the constructor."""
    known = {key: options.pop(key) for key in list(options) if key in ModuleRow.__annotations__}
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    return ModuleRow(name, args, options, inputs, oracle, text, **known)
