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
from aino.autograd import functional_arguments as given
from aino.autograd.tensor import Tensor, make
from aino.errors import GradientError
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
    inputs, several_in, outputs, several_out = given.call(func, inputs, create_graph, strict, "vjp")
    if v is None and (len(outputs) != 1 or outputs[0].array.size != 1):
        raise GradientError(
            "The vector v can only be None if the user-provided function returns a single Tensor "
            "with a single element."
        )
    v = given.vector(v, outputs, several_out, create_graph, "vjp")
    found = _grad(outputs, inputs, v, create_graph)
    product = given.filled(found, inputs, strict, create_graph, "jacobian")
    return (
        given.result(outputs, several_out, create_graph),
        given.result(product, several_in, create_graph),
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
    inputs, several_in, outputs, several_out = given.call(func, inputs, create_graph, strict, "jvp")
    if v is None and (len(inputs) != 1 or inputs[0].array.size != 1):
        raise GradientError(
            "The vector v can only be None if the input to the user-provided function is a "
            "single Tensor with a single element."
        )
    v = given.vector(v, inputs, several_in, create_graph, "jvp")
    # The cotangents enter linearly: any value will do.
    cotangents = tuple([make(np.zeros_like(y.array)).requires_grad_() for y in outputs])
    slopes = _grad(outputs, inputs, cotangents, True)
    if strict:
        given.check_depends(slopes, "the gradient")
    if v is None:
        v = (make(np.ones_like(inputs[0].array)),)
    found = _grad(slopes, cotangents, v, create_graph)
    product = given.filled(found, outputs, strict, create_graph, "jacobian")
    return (
        given.result(outputs, several_out, create_graph),
        given.result(product, several_out, create_graph),
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
    given.check_strategy(strategy, create_graph, strict, vectorize)
    several_in, listed = given.as_tuple(inputs, "inputs", "jacobian")
    if strategy == "forward-mode" and all([x.dtype.kind == "f" for x in listed]):
        return _by_forward(func, listed, several_in)
    inputs, several_in, outputs, several_out = given.call(
        func, inputs, create_graph, strict, "jacobian"
    )
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
        for position, y in enumerate(
            given.as_tuple(outputs, "outputs of the function", "jacobian")[1]
        ):
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
                given.check_row(position, source, gradient, create_graph)
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
    several, inputs = given.as_tuple(inputs, "inputs", "hessian")

    def gradient(*arguments):
        return jacobian(given.one_element(func, strict), arguments, True, strict and not vectorize)

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
    inputs, several, outputs, _ = given.call(
        given.one_element(func, strict), inputs, create_graph, strict, name
    )
    if v is None and (len(inputs) != 1 or inputs[0].array.size != 1):
        raise GradientError(
            "The vector v can only be None if the input to the user-provided function is a "
            "single Tensor with a single element."
        )
    v = given.vector(v, inputs, several, create_graph, name)
    if v is None:
        v = (make(np.ones_like(inputs[0].array)),)
    slopes = _grad(outputs, inputs, None, True)
    if strict:
        given.check_depends(slopes, "the jacobian")
    found = _grad(slopes, inputs, v, create_graph)
    product = given.filled(found, inputs, strict, create_graph, "hessian")
    return given.result(outputs, False, create_graph), given.result(product, several, create_graph)


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
