"""gradcheck: hold the gradients of a function against finite differences.

Source: A. Griewank, A. Walther, "Evaluating Derivatives", SIAM 2008; the names, arguments and
tolerances are those of ``torch.autograd.gradcheck``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from aino.autograd import engine
from aino.autograd.finite_differences import as_tuple, difference, directions
from aino.autograd.function_node import FunctionNode
from aino.autograd.mode import enable_grad, no_grad
from aino.autograd.node import Cotangents
from aino.autograd.tensor import Tensor, make
from aino.errors import AinoError
from aino.user_warnings import warn


class GradcheckError(AinoError, RuntimeError):
    """A gradient that differs from finite differences; the message says where and by how much."""


@dataclass
class _Options:
    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    grad_dtypes: bool
    fast: bool


def gradcheck(
    func,
    inputs,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Check the gradients of ``func`` with respect to ``inputs`` by central differences.

    For each element x of each input that requires a gradient, and each element y of each output,
    ∂y/∂x from ``backward`` has to be near d = (y(x + eps) − y(x − eps)) / 2eps: within
    atol + rtol · abs(d). A complex element counts as two real ones. Returns True; a mismatch
    raises ``GradcheckError``, which names the input and the element.

    Arguments:
        func: takes the inputs and returns a tensor or several.
        inputs: a tensor, or a tuple of what ``func`` takes; float64 or complex128 where checked.
        eps: how far the inputs are moved.
        atol: the absolute difference that is allowed.
        rtol: the relative difference that is allowed.
        raise_exception: raise for a mismatch; False returns False for it.
        nondet_tol: how much two backward passes may differ.
        check_undefined_grad: outputs without a gradient have to count as ones with zeros.
        check_grad_dtypes: a gradient has to have the dtype of its input.
        check_batched_grad: a batch of cotangents has to give what each one gives.
        check_batched_forward_grad: a batch of tangents has to give what each one gives.
        check_forward_ad: compare the tangents of forward mode, too.
        check_backward_ad: compare the gradients; False leaves forward mode to be checked.
        fast_mode: compare one random projection of all derivatives instead of each.
        masked: taken for PyTorch's sake: it is about sparse tensors, which AINO doesn't have.

    >>> import aino
    >>> x = aino.tensor([0.5, 2.0], dtype=aino.float64, requires_grad=True)
    >>> aino.autograd.gradcheck(lambda x: x * x, (x,))
    True
    """
    if not check_backward_ad and not check_forward_ad:
        raise ValueError(
            "gradcheck: check_backward_ad=False leaves nothing to check without check_forward_ad"
        )
    if check_batched_forward_grad and not check_forward_ad:
        raise ValueError("gradcheck: check_batched_forward_grad=True needs check_forward_ad=True")
    options = _Options(eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode)
    inputs = as_tuple(inputs)
    _check_inputs(inputs)
    try:
        if check_backward_ad:
            _check(func, inputs, options, check_undefined_grad, check_batched_grad)
        if check_forward_ad:
            wanted = [(position, x) for position, x in enumerate(inputs) if _wants(x)]
            forward = import_module("aino.autograd.forward_check")
            forward.check_forward(func, inputs, wanted, options, check_batched_forward_grad)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func,
    inputs,
    grad_outputs=None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check the second derivatives: ``gradcheck`` of the gradient of ``func``.

    The gradient is checked with respect to the inputs and to the cotangents it is taken with.
    Returns True; a mismatch raises ``GradcheckError``.

    Arguments:
        func: takes the inputs and returns a tensor or several.
        inputs: a tensor, or a tuple of what ``func`` takes; float64 or complex128 where checked.
        grad_outputs: a cotangent for each output that requires a gradient; None draws them.
        eps: how far the inputs and the cotangents are moved.
        atol: the absolute difference that is allowed.
        rtol: the relative difference that is allowed.
        gen_non_contig_grad_outputs: lay the drawn cotangents out with gaps in memory.
        raise_exception: raise for a mismatch; False returns False for it.
        nondet_tol: how much two backward passes may differ.
        check_undefined_grad: outputs without a gradient have to count as ones with zeros.
        check_grad_dtypes: a gradient has to have the dtype of its input.
        check_batched_grad: a batch of cotangents has to give what each one gives.
        check_fwd_over_rev: compare the derivatives of the gradient by forward mode, too.
        check_rev_over_rev: compare those by a backward pass through it.
        fast_mode: compare one random projection of all derivatives instead of each.
        masked: taken for PyTorch's sake: it is about sparse tensors, which AINO doesn't have.

    >>> import aino
    >>> x = aino.tensor([0.5, 2.0], dtype=aino.float64, requires_grad=True)
    >>> aino.autograd.gradgradcheck(lambda x: x**3, (x,))
    True
    """
    inputs = as_tuple(inputs)
    _check_inputs(inputs)
    if grad_outputs is None:
        outputs = _differentiable(func(*inputs))
        rng = np.random.default_rng(0)
        cotangents = [_random_like(y.array, rng) for y in outputs]
        if gen_non_contig_grad_outputs:
            cotangents = [np.stack([c, c], axis=-1)[..., 0] for c in cotangents]
        grad_outputs = tuple([make(c).requires_grad_() for c in cotangents])
    else:
        grad_outputs = as_tuple(grad_outputs)
    count = len(grad_outputs)

    def gradient(*arguments):
        split = len(arguments) - count
        primal, cotangents = arguments[:split], arguments[split:]
        with enable_grad():
            outputs = _differentiable(func(*primal))
            wanted = [x for x in primal if _wants(x)]
            found = engine.grad(outputs, wanted, cotangents, create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    return gradcheck(
        gradient,
        (*inputs, *grad_outputs),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
    )


def _wants(x) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _differentiable(outputs) -> tuple:
    return tuple([y for y in as_tuple(outputs) if _wants(y)])


def _random_like(array, rng) -> np.ndarray:
    values = rng.uniform(-1.0, 1.0, array.shape)
    if array.dtype.kind == "c":
        values = values + 1j * rng.uniform(-1.0, 1.0, array.shape)
    return np.asarray(values, array.dtype)


def _check_inputs(inputs) -> None:
    if not any([_wants(x) for x in inputs]):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "has requires_grad=True"
        )
    for position, x in enumerate(inputs):
        if not _wants(x):
            continue
        if x.array.dtype not in (np.float64, np.complex128):
            warn(
                f"Input #{position} requires gradient and is not a double precision floating "
                "point or complex. This check will likely fail if all the inputs are not of "
                "double precision floating point or complex."
            )
        steps = zip(x.array.strides, x.shape)
        if x.array.size and any([step == 0 and length > 1 for step, length in steps]):
            raise RuntimeError(
                f"The {position}th input has a dimension with stride 0. gradcheck only supports "
                "inputs that are non-overlapping in memory; clone() it first"
            )


def _check(func, inputs, options, undefined, batched) -> None:
    wanted = [(position, x) for position, x in enumerate(inputs) if _wants(x)]
    results = as_tuple(func(*inputs))
    places = [place for place, y in enumerate(results) if _wants(y)]
    outputs = [results[place] for place in places]
    if not outputs:
        _check_constant(func, inputs, wanted, results, options)
        return
    targets = [x for _, x in wanted]
    for place, y in zip(places, outputs):
        _check_reentrant(place, y, wanted, targets, options)
    if undefined:
        _check_undefined(outputs, targets)
    if batched:
        _check_batched(outputs, targets)
    compare = _compare_projection if options.fast else _compare_elements
    compare(func, inputs, wanted, places, outputs, options)


def _gradients(y, targets, cotangent) -> list[np.ndarray]:
    found = engine.grad(y, targets, make(cotangent), retain_graph=True, allow_unused=True)
    return [np.zeros_like(x.array) if g is None else g.array for x, g in zip(targets, found)]


def _real(value, part) -> float:
    """Return the part of a complex number that belongs to the direction 1 or 1j."""
    return value.real if part == 1.0 else value.imag


def _compare_elements(func, inputs, wanted, places, outputs, options) -> None:
    targets = [x for _, x in wanted]
    analytical = [
        [(at, part, _gradients(y, targets, unit)) for at, part, unit in directions(y.array)]
        for y in outputs
    ]
    for number, (position, x) in enumerate(wanted):
        for element, part, direction in directions(x.array):
            numerical = difference(func, inputs, places, x, direction, options.eps)
            for place, derivative, rows in zip(places, numerical, analytical):
                for at, of, gradients in rows:
                    n = _real(derivative[at], of)
                    a = _real(gradients[number][element], part)
                    if not abs(a - n) <= options.atol + options.rtol * abs(n):
                        raise GradcheckError(
                            f"Jacobian mismatch for output {place} with respect to input "
                            f"{position}: d output[{_place(at, of, derivative)}] / d "
                            f"input[{_place(element, part, x.array)}]\n"
                            f"numerical:  {n}\nanalytical: {a}\n"
                            f"relative error {abs(a - n) / max(abs(a), abs(n), 1e-300):.3g} "
                            f"(atol={options.atol}, rtol={options.rtol})"
                        )


def _place(element, part, array) -> str:
    text = ", ".join(map(str, element)) or "()"
    if array.dtype.kind == "c":
        text += " real" if part == 1.0 else " imag"
    return text


def _compare_projection(func, inputs, wanted, places, outputs, options) -> None:
    """Compare uᵀJv for random unit u and v; where they differ, look which element it is."""
    rng = np.random.default_rng(0)
    targets = [x for _, x in wanted]
    cotangents = [_unit_like(y.array, rng) for y in outputs]
    rows = [_gradients(y, targets, cotangent) for y, cotangent in zip(outputs, cotangents)]
    for number, (position, x) in enumerate(wanted):
        direction = _unit_like(x.array, rng)
        numerical = difference(func, inputs, places, x, direction, options.eps)
        for place, derivative, cotangent, row in zip(places, numerical, cotangents, rows):
            n = np.vdot(cotangent, derivative).real
            a = np.vdot(row[number], direction).real
            if not abs(a - n) <= options.atol + options.rtol * abs(n):
                _compare_elements(func, inputs, wanted, places, outputs, options)
                raise GradcheckError(
                    f"Jacobian mismatch for output {place} with respect to input {position}, "
                    f"seen in fast mode alone\nnumerical:  {n}\nanalytical: {a}\n"
                    f"relative error {abs(a - n) / max(abs(a), abs(n), 1e-300):.3g}"
                )


def _unit_like(array, rng) -> np.ndarray:
    values = _random_like(array, rng)
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-300))


def _check_constant(func, inputs, wanted, results, options) -> None:
    """Raise if the outputs do depend on the inputs though none requires a gradient."""
    places = [place for place, y in enumerate(results) if isinstance(y, Tensor)]
    for position, x in wanted:
        direction = np.ones_like(x.array)
        numerical = difference(func, inputs, places, x, direction, options.eps)
        for place, derivative in zip(places, numerical):
            if not np.allclose(derivative, 0.0, atol=options.atol):
                raise GradcheckError(
                    f"output {place} does not require a gradient, but depends on input {position}: "
                    "numerical gradient for function expected to be zero"
                )


def _check_reentrant(place, y, wanted, targets, options) -> None:
    """Raise if two passes differ, or a gradient has not its input's shape (and dtype)."""
    cotangent = np.ones_like(y.array)
    first, second = (_gradients(y, targets, cotangent) for _ in range(2))
    for (position, x), a, b in zip(wanted, first, second):
        if not np.allclose(a, b, rtol=0.0, atol=options.nondet_tol, equal_nan=True):
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and "
                f"grad_output multiple times gives different values (output {place}, input "
                f"{position}), although analytical gradient matches numerical gradient. The "
                f"tolerance for nondeterminism was {options.nondet_tol}."
            )
        if a.shape != x.array.shape:
            raise GradcheckError(f"input {position} has shape {x.shape}, its gradient {a.shape}")
        if options.grad_dtypes and a.dtype != x.array.dtype:
            raise GradcheckError(f"input {position} is {x.array.dtype}, its gradient {a.dtype}")


def _functions_behind(outputs) -> list[FunctionNode]:
    """Return the calls of Functions that the outputs were computed by."""
    stack = [y.node for y in outputs]
    reached = set(stack)
    while stack:
        for node in stack.pop().inputs:
            if node is not None and node not in reached:
                reached.add(node)
                stack.append(node)
    return [node for node in reached if isinstance(node, FunctionNode)]


def _check_undefined(outputs, targets) -> None:
    """Raise unless a backward takes gradients that are not there for zeros.

    Where no output of a Function has one, its backward gives none or zeros; and leaving outputs
    out is the same as giving them zero cotangents.
    """
    for node in _functions_behind(outputs):
        try:
            with no_grad():
                found = node.pullback_recorded(node.inputs, Cotangents({}))
        except Exception as error:
            raise GradcheckError(
                f"Expected backward function to handle undefined output grads: {node.name()}, "
                f"given no gradients, raised {type(error).__name__}: {error}"
            ) from error
        if any([g is not None and np.any(g.array) for g in found]):
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are "
                f"undefined or zero: {node.name()} gives others"
            )
    if len(outputs) < 2:
        return
    zeros = [make(np.zeros_like(y.array)) for y in outputs]
    for position, y in enumerate(outputs):
        seeds = list(zeros)
        seeds[position] = make(np.ones_like(y.array))
        alone = _gradients(y, targets, np.ones_like(y.array))
        among = engine.grad(outputs, targets, seeds, retain_graph=True, allow_unused=True)
        for x, a, b in zip(targets, alone, among):
            b = np.zeros_like(x.array) if b is None else b.array
            if not np.allclose(a, b, equal_nan=True):
                raise GradcheckError(
                    "Expected backward function to handle undefined output grads: the gradient of "
                    f"output {position} alone differs from that with zeros for the other outputs"
                )


def _check_batched(outputs, targets) -> None:
    """Raise if a batch of cotangents does not give each one's gradient."""
    rng = np.random.default_rng(0)
    for y in outputs:
        batch = np.stack([_random_like(y.array, rng) for _ in range(2)])
        together: tuple[Any, ...] = engine.grad(
            y, targets, make(batch), True, allow_unused=True, is_grads_batched=True
        )
        for row, cotangent in enumerate(batch):
            for g, single in zip(together, _gradients(y, targets, cotangent)):
                if g is not None and not np.allclose(g.array[row], single):
                    raise GradcheckError("a batch of cotangents gives other gradients than one")
