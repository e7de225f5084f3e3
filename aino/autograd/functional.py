"""Derivatives of functions: jacobian, hessian, and their products with vectors.

Names, arguments and results are those of ``torch.autograd.functional``. A function takes one
tensor or several and returns one tensor or a tuple; results are nested accordingly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino import pytree
from aino.autograd import engine
from aino.autograd.mode import enable_grad
from aino.autograd.primitive import alias
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, GradientError, ShapeError
from aino.func import forward


def vjp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple:
    """Return ``func(*inputs)`` and vᵀJ, the vector times the Jacobian, without building J.

    The product has the shapes of the inputs. Raises ``ShapeError`` when ``v`` does not have the
    shapes of the outputs, ``DtypeError`` for inputs, outputs or a ``v`` other than tensors.

    Arguments:
        func: takes the inputs and returns a tensor or a tuple of tensors.
        inputs: a tensor, or a tuple of tensors.
        v: the vector: like what ``func`` returns; None is 1, for one output of one element.
        create_graph: record the computation, so that the result can be differentiated.
        strict: raise ``GradientError`` where an output doesn't depend on an input; else zeros.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0])
    >>> aino.autograd.functional.vjp(lambda x: x * x, x, aino.tensor([1.0, 1.0]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    inputs, several_in, outputs, several_out = _call(func, inputs, create_graph, strict, "vjp")
    if v is None and (len(outputs) != 1 or outputs[0].array.size != 1):
        raise GradientError(
            "The vector v can only be None if the user-provided function returns a single Tensor "
            "with a single element."
        )
    v = _vector(v, outputs, several_out, create_graph, "vjp")
    found = _grad(outputs, inputs, v, create_graph)
    product = _filled(found, inputs, strict, create_graph, "jacobian")
    return (
        _result(outputs, several_out, create_graph),
        _result(product, several_in, create_graph),
    )


def jvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple:
    """Return ``func(*inputs)`` and Jv, the Jacobian times the vector, without building J.

    The product has the shapes of the outputs. It is computed as the derivative of uᵀJ, which is
    linear in u. Raises ``ShapeError`` when ``v`` does not have the shapes of the inputs.

    Arguments:
        func: takes the inputs and returns a tensor or a tuple of tensors.
        inputs: a tensor, or a tuple of tensors.
        v: the vector: like ``inputs``; None is 1, for one input of one element.
        create_graph: record the computation, so that the result can be differentiated.
        strict: raise ``GradientError`` where an output doesn't depend on an input; else zeros.

    Source: Townsend, "A new trick for calculating Jacobian vector products", 2017.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0])
    >>> aino.autograd.functional.jvp(lambda x: x * x, x, aino.tensor([1.0, 1.0]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    inputs, several_in, outputs, several_out = _call(func, inputs, create_graph, strict, "jvp")
    if v is None and (len(inputs) != 1 or inputs[0].array.size != 1):
        raise GradientError(
            "The vector v can only be None if the input to the user-provided function is a "
            "single Tensor with a single element."
        )
    v = _vector(v, inputs, several_in, create_graph, "jvp")
    # The cotangents enter linearly: any value will do.
    cotangents = tuple([make(np.zeros_like(y.array)).requires_grad_() for y in outputs])
    slopes = _grad(outputs, inputs, cotangents, True)
    if strict:
        _check_depends(slopes, "the gradient")
    if v is None:
        v = (make(np.ones_like(inputs[0].array)),)
    found = _grad(slopes, cotangents, v, create_graph)
    product = _filled(found, outputs, strict, create_graph, "jacobian")
    return (
        _result(outputs, several_out, create_graph),
        _result(product, several_out, create_graph),
    )


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the Jacobian J[i, j] = ∂yᵢ/∂xⱼ: a tensor of the output's shape, then the input's.

    For a tuple of inputs or outputs a tuple: ``result[k][l]`` belongs to output k and input l.
    It takes a backward pass for each element of the outputs, or one for all with ``vectorize``.

    Arguments:
        func: takes the inputs and returns a tensor or a tuple of tensors, real ones.
        inputs: a tensor, or a tuple of tensors.
        create_graph: record the computation, so that the result can be differentiated.
        strict: raise ``GradientError`` where an output doesn't depend on an input; else zeros.
        vectorize: one backward pass carries all cotangents along, which takes more memory and
            less time; can't be combined with ``strict``.
        strategy: "reverse-mode", or "forward-mode", which gives the same, sooner where outputs are
            more than inputs, but takes neither ``create_graph`` nor ``strict``.

    >>> import aino
    >>> aino.autograd.functional.jacobian(lambda x: x * x, aino.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _check_strategy(strategy, create_graph, strict, vectorize)
    several_in, listed = _as_tuple(inputs, "inputs", "jacobian")
    if strategy == "forward-mode" and all([x.dtype.kind == "f" for x in listed]):
        return _by_forward(func, listed, several_in)
    inputs, several_in, outputs, several_out = _call(func, inputs, create_graph, strict, "jacobian")
    if vectorize:
        rows = tuple([_rows_at_once(y, k, inputs, create_graph) for k, y in enumerate(outputs)])
    else:
        rows = tuple([_rows(y, k, inputs, create_graph, strict) for k, y in enumerate(outputs)])
    if not several_in:
        rows = tuple([row[0] for row in rows])
    return rows if several_out else rows[0]


def _by_forward(func, inputs: tuple, several_in: bool) -> Any:
    """Return the Jacobians by forward mode, in all directions at once."""

    def checked(*arguments):
        outputs = func(*arguments)
        for position, y in enumerate(_as_tuple(outputs, "outputs of the function", "jacobian")[1]):
            if y.dtype.kind == "c":
                raise GradientError(f"jacobian: output {position} is {y.dtype}; it must be real")
        return outputs

    places = tuple(range(len(inputs)))
    along = forward.jacfwd(checked, places if several_in else 0)
    return pytree.mapped(along(*[make(x.array) for x in inputs]), lambda leaf: make(leaf.array))


def _rows(output: Tensor, position: int, inputs, create_graph: bool, strict: bool) -> tuple:
    """Return the Jacobians of one output, one for each input."""
    array = output.array
    columns: list[list[Any]] = [[] for _ in inputs]
    for element in np.ndindex(array.shape):
        unit = np.zeros_like(array)
        unit[element] = 1.0
        if array.dtype.kind == "c":
            raise GradientError(f"jacobian: output {position} is {array.dtype}; it must be real")
        found = _grad((output,), inputs, (make(unit),), create_graph, retain=True)
        if strict:
            for source, gradient in enumerate(found):
                _check_row(position, source, gradient, create_graph)
        for column, gradient, x in zip(columns, found, inputs):
            column.append(make(np.zeros_like(x.array)) if gradient is None else gradient)
    results: list[Any] = []
    for column, x in zip(columns, inputs):
        shape = array.shape + x.array.shape
        if not column:
            results.append(make(np.zeros(shape, x.array.dtype)))
        elif create_graph:
            results.append(np.stack(column).reshape(shape))
        else:
            results.append(make(np.stack([row.array for row in column]).reshape(shape)))
    return tuple(results)


def _rows_at_once(output: Tensor, position: int, inputs, create_graph: bool) -> tuple:
    """The same, by one backward pass that carries all cotangents along."""
    array = output.array
    if array.dtype.kind == "c":
        raise GradientError(f"jacobian: output {position} is {array.dtype}; it must be real")
    if output.requires_grad and array.size:
        units = make(np.eye(array.size, dtype=array.dtype).reshape((array.size, *array.shape)))
        found = engine.grad(
            output, inputs, units, True, create_graph, allow_unused=True, is_grads_batched=True
        )
    else:
        found = (None,) * len(inputs)
    results = []
    for gradient, x in zip(found, inputs):
        shape = array.shape + x.array.shape
        if gradient is None:
            results.append(make(np.zeros(shape, x.array.dtype)))
        else:
            results.append(gradient.reshape(shape))
    return tuple(results)


def _check_row(position: int, source: int, gradient, create_graph: bool) -> None:
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


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the Hessian H[i, j] = ∂²y/∂xᵢ∂xⱼ of a function of one element.

    For one input a tensor of its shape twice; for a tuple of inputs a tuple of tuples, in which
    ``result[i][j]`` has the shapes of inputs i and j. It is the Jacobian of the gradient.

    Arguments:
        func: takes the inputs and returns a tensor of one element.
        inputs: a tensor, or a tuple of tensors.
        create_graph: record the computation, so that the result can be differentiated.
        strict: raise ``GradientError`` where a derivative doesn't depend on an input; else zeros.
        vectorize: one backward pass carries all cotangents along, which takes more memory and
            less time; can't be combined with ``strict``.
        outer_jacobian_strategy: "reverse-mode", or "forward-mode", which gives the same, but takes
            neither ``create_graph`` nor ``strict``.

    >>> import aino
    >>> aino.autograd.functional.hessian(lambda x: (x**3).sum(), aino.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    several, inputs = _as_tuple(inputs, "inputs", "hessian")

    def gradient(*arguments):
        return jacobian(_one_element(func, strict), arguments, True, strict and not vectorize)

    rows = jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return rows if several else rows[0][0]


def vhp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple:
    """Return ``func(*inputs)`` and vᵀH, the vector times the Hessian, without building H.

    The product has the shapes of the inputs. Raises ``ShapeError`` when ``v`` has others.

    Arguments:
        func: takes the inputs and returns a tensor of one element.
        inputs: a tensor, or a tuple of tensors.
        v: the vector: like ``inputs``; None is 1, for one input of one element.
        create_graph: record the computation, so that the result can be differentiated.
        strict: raise ``GradientError`` where a derivative doesn't depend on an input; else zeros.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0])
    >>> aino.autograd.functional.vhp(lambda x: (x**3).sum(), x, aino.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "vhp")


def hvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple:
    """Return ``func(*inputs)`` and Hv, the Hessian times the vector, without building H.

    The Hessian is symmetric, so this is what ``vhp`` returns, at the same price.

    Arguments:
        func: takes the inputs and returns a tensor of one element.
        inputs: a tensor, or a tuple of tensors.
        v: the vector: like ``inputs``; None is 1, for one input of one element.
        create_graph: record the computation, so that the result can be differentiated.
        strict: raise ``GradientError`` where a derivative doesn't depend on an input; else zeros.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0])
    >>> aino.autograd.functional.hvp(lambda x: (x**3).sum(), x, aino.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    return _hessian_product(func, inputs, v, create_graph, strict, "hvp")


def _hessian_product(func, inputs, v, create_graph: bool, strict: bool, name: str) -> tuple:
    inputs, several, outputs, _ = _call(
        _one_element(func, strict), inputs, create_graph, strict, name
    )
    if v is None and (len(inputs) != 1 or inputs[0].array.size != 1):
        raise GradientError(
            "The vector v can only be None if the input to the user-provided function is a "
            "single Tensor with a single element."
        )
    v = _vector(v, inputs, several, create_graph, name)
    if v is None:
        v = (make(np.ones_like(inputs[0].array)),)
    slopes = _grad(outputs, inputs, None, True)
    if strict:
        _check_depends(slopes, "the jacobian")
    found = _grad(slopes, inputs, v, create_graph)
    product = _filled(found, inputs, strict, create_graph, "hessian")
    return _result(outputs, False, create_graph), _result(product, several, create_graph)


def _one_element(func, strict: bool):
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


def _as_tuple(value, what: str, name: str) -> tuple[bool, tuple]:
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


def _call(func, inputs, create_graph: bool, strict: bool, name: str):
    """Return the inputs as tuple, whether they were one, and the same of the outputs."""
    several_in, inputs = _as_tuple(inputs, "inputs", name)
    with enable_grad():
        inputs = _prepared(inputs, create_graph, True)
        outputs = func(*inputs)
    several_out, outputs = _as_tuple(outputs, "outputs of the user-provided function", name)
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


def _vector(v, like, several: bool, create_graph: bool, name: str):
    if v is None:
        return None
    _, v = _as_tuple(v, "v", name)
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


def _grad(outputs, inputs, cotangents, create_graph: bool, retain: bool | None = None) -> tuple:
    """Return the gradients, None where there is none; outputs without history count as none."""
    used = [k for k, y in enumerate(outputs) if y is not None and y.requires_grad]
    if not used:
        return (None,) * len(inputs)
    return engine.grad(
        [outputs[k] for k in used],
        inputs,
        None if cotangents is None else [cotangents[k] for k in used],
        retain_graph=retain,
        create_graph=create_graph,
        allow_unused=True,
    )


def _check_depends(slopes, what: str) -> None:
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


def _filled(found, like, strict: bool, create_graph: bool, what: str) -> tuple:
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


def _result(tensors, several: bool, create_graph: bool):
    if not create_graph:
        tensors = tuple([make(x.array) for x in tensors])
    return tensors if several else tensors[0]


def _check_strategy(strategy: str, create_graph: bool, strict: bool, vectorize: bool) -> None:
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            f'strategy must be "forward-mode" or "reverse-mode", not {strategy!r}; both compute '
            "the same"
        )
    if strict and (vectorize or strategy == "forward-mode"):
        raise GradientError('strict=True goes neither with vectorize nor with "forward-mode"')
    if create_graph and strategy == "forward-mode":
        raise GradientError('create_graph=True does not go with strategy="forward-mode"')
