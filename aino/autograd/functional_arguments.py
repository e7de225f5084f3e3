"""What ``aino.autograd.functional`` is given and gives back: tuples, vectors, what is strict."""

from __future__ import annotations

import numpy as np

from aino.autograd.mode import enable_grad
from aino.autograd.primitive import alias
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, GradientError, ShapeError


def check_row(position: int, source: int, gradient, create_graph: bool) -> None:
    if gradient is None:
        raise GradientError(
            f"Output {position} of the user-provided function is independent of input {source}. "
            "This is not allowed in strict mode."
        )
    if create_graph and not gradient.requires_grad:
        raise GradientError(
            f"The jacobian of the user-provided function is independent of input {source}. This "
            "is not allowed in strict mode when create_graph=True."
        )


def one_element(func, strict: bool):
    """Return ``func``, checked to give one tensor of one element."""

    def checked(*arguments):
        output = func(*arguments)
        if not isinstance(output, Tensor):
            raise GradientError("The function given to hessian should return a single Tensor")
        if output.array.size != 1:
            raise GradientError(
                "The Tensor returned by the function given to hessian should contain a single "
                f"element, not shape {output.array.shape}"
            )
        if strict and not output.requires_grad:
            _independent(0)
        return output if output.array.ndim == 0 else output.reshape(())

    return checked


def as_tuple(value, what: str, name: str) -> tuple[bool, tuple]:
    several = isinstance(value, tuple)
    listed = value if several else (value,)
    for position, element in enumerate(listed):
        if not isinstance(element, Tensor):
            at = f"the value at index {position}" if several else f"the given {what}"
            raise DtypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but "
                f"{at} has type {type(element)}."
            )
    return several, listed


def _prepared(tensors, create_graph: bool, wanted: bool) -> tuple:
    """Return tensors of their own, told apart from those that the function may hold itself."""
    return tuple(
        [
            alias(x) if create_graph and x.requires_grad else make(x.array).requires_grad_(wanted)
            for x in tensors
        ]
    )


def call(func, inputs, create_graph: bool, strict: bool, name: str):
    """Return the inputs as tuple, whether they were one, and the same of the outputs."""
    several_in, inputs = as_tuple(inputs, "inputs", name)
    with enable_grad():
        inputs = _prepared(inputs, create_graph, True)
        outputs = func(*inputs)
    several_out, outputs = as_tuple(outputs, "outputs of the user-provided function", name)
    if strict:
        for position, y in enumerate(outputs):
            if not y.requires_grad:
                _independent(position)
    return inputs, several_in, outputs, several_out


def _independent(position: int) -> None:
    raise GradientError(
        f"Output {position} of the user-provided function does not require gradients. The "
        "outputs must be computed in a differentiable manner from the input when running in "
        "strict mode."
    )


def vector(v, like, several: bool, create_graph: bool, name: str):
    if v is None:
        return None
    _, v = as_tuple(v, "v", name)
    if len(v) != len(like):
        raise GradientError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}."
            if several
            else "The given v should contain a single Tensor."
        )
    for position, (given, expected) in enumerate(zip(v, like)):
        if given.array.shape != expected.array.shape:
            raise ShapeError(
                f"Entry {position} in v has invalid size: should be {expected.shape} but got "
                f"{given.shape}."
            )
    return _prepared(v, create_graph, False)


def check_depends(slopes, what: str) -> None:
    for position, slope in enumerate(slopes):
        if slope is None:
            raise GradientError(
                f"The output of the user-provided function is independent of input {position}. "
                "This is not allowed in strict mode."
            )
        if not slope.requires_grad:
            raise GradientError(
                f"While computing a product, found that {what} with respect to input {position} "
                "is independent of the inputs of the user-provided function. This is not allowed "
                "in strict mode."
            )


def filled(found, like, strict: bool, create_graph: bool, what: str) -> tuple:
    """Return the gradients with zeros for None, or raise in strict mode."""
    filled = []
    for position, (gradient, x) in enumerate(zip(found, like)):
        if strict and (gradient is None or (create_graph and not gradient.requires_grad)):
            raise GradientError(
                f"The {what} of the user-provided function is independent of entry {position}. "
                "This is not allowed in strict mode."
            )
        filled.append(make(np.zeros_like(x.array)) if gradient is None else gradient)
    return tuple(filled)


def result(tensors, several: bool, create_graph: bool):
    if not create_graph:
        tensors = tuple([make(x.array) for x in tensors])
    return tensors if several else tensors[0]


def check_strategy(strategy: str, create_graph: bool, strict: bool, vectorize: bool) -> None:
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            f'strategy must be "forward-mode" or "reverse-mode", not {strategy!r}; both compute '
            "the same"
        )
    if strict and (vectorize or strategy == "forward-mode"):
        raise GradientError('strict=True goes neither with vectorize nor with "forward-mode"')
    if create_graph and strategy == "forward-mode":
        raise GradientError('create_graph=True does not go with strategy="forward-mode"')
