"""Jacobians and Hessians: all cotangents pulled back at once, by ``vmap``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.func.gradients import Argnums, pulled_back, selected
from aino.func.trees import leaves_of, name_of, rebuilt
from aino.func.vmap import vmap
from aino.pytree import mapped


def jacrev(
    func: Callable,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable:
    """Return a function that computes the Jacobian of ``func`` by reverse mode, J = ∂y/∂x.

    For an output of shape (m,) and an argument of shape (n,) it has the shape (m, n): that of
    the output, then that of the argument. It is nested as the output is, and within that as the
    argument. It costs about as much as a backward pass for each element of the output, all at once.

    Arguments:
        func: takes tensors, nested in tuples, lists and dicts, and returns such.
        argnums: with respect to which argument, or which: then within each output stands a tuple.
        has_aux: ``func`` returns ``(output, aux)``, and the result is ``(jacobian, aux)``.
        chunk_size: pull so many cotangents back at a time; None does so with all at once.

    >>> import aino
    >>> aino.func.jacrev(lambda x: x * x)(aino.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        positions = selected(argnums, args, f"jacrev({name_of(func)})")

        def of_selected(*chosen: Any) -> Any:
            given = list(args)
            for position, tree in zip(positions, chosen):
                given[position] = tree
            return func(*given, **kwargs)

        functools.update_wrapper(of_selected, func)
        primals = tuple([args[position] for position in positions])
        output, pull, aux = pulled_back(of_selected, primals, has_aux, "jacrev")
        outputs = leaves_of(output)
        sizes = [y.numel() for y in outputs]
        units = unit_vectors(outputs, sizes)
        if sum(sizes) == 1:  # one cotangent: there is no axis to go along
            rows = mapped(pull(rebuilt(output, [unit[0] for unit in units])), _with_axis)
        else:
            rows = vmap(lambda *unit: pull(rebuilt(output, unit)), chunk_size=chunk_size)(*units)
        jacobians, start = [], 0
        for y, size in zip(outputs, sizes):
            found = mapped(rows, _cut(start, size, tuple(y.shape)))
            jacobians.append(found[0] if isinstance(argnums, int) else found)
            start += size
        result = rebuilt(output, jacobians)
        return (result, aux) if has_aux else result

    return jacobian


def _with_axis(gradient: Tensor) -> Tensor:
    return gradient.unsqueeze(0)


def _cut(start: int, size: int, shape: tuple[int, ...]) -> Callable:
    """Return what takes an output's rows out of those of all, in the shape of the output."""

    def cut(rows: Tensor) -> Tensor:
        own = rows if size == rows.shape[0] else rows[start : start + size]
        return own.reshape(shape + tuple(rows.shape[1:]))

    return cut


def unit_vectors(outputs: list[Tensor], sizes: list[int]) -> list[Tensor]:
    """Return for each output all unit cotangents: of its elements, and zeros for the others'."""
    count, start, units = sum(sizes), 0, []
    for y, size in zip(outputs, sizes):
        unit = np.zeros((count, size), y.dtype)
        unit[start : start + size] = np.eye(size, dtype=y.dtype)
        units.append(make(unit.reshape((count, *y.shape))))
        start += size
    return units
