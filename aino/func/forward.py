"""Forward mode: jvp, and what is made of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd import engine
from aino.autograd.levels import levels_of
from aino.autograd.mode import enable_grad, mode
from aino.autograd.rules.duals import DualLevel, make_dual, unpack_primal, unpack_tangent
from aino.autograd.rules.shape import clone
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, ShapeError, TransformError
from aino.func.gradients import Argnums, Recording, apart, selected
from aino.func.jacobians import jacrev, unit_vectors
from aino.func.trees import leaves_of, name_of, rebuilt, structure
from aino.func.vmap import vmap
from aino.pytree import mapped


def jvp(
    func: Callable,
    primals: tuple,
    tangents: tuple,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> tuple:
    """Return ``func(*primals)`` and the product of its Jacobian with the tangents, J t.

    Both are nested as the result of ``func`` is. It is computed in one pass forward, in which each
    value carries its tangent along. Raises ``ShapeError`` for tangents that are not nested or
    shaped as the primals are, ``DtypeError`` for primals that have no derivative.

    Arguments:
        func: takes the primals, and returns tensors, nested as you like.
        primals: a tuple of arguments: the point at which it is differentiated.
        tangents: a tuple of tensors like them: the direction.
        strict: raise ``TransformError`` where an output does not depend on the primals; else its
            tangent is zero.
        has_aux: ``func`` returns ``(output, aux)``; the result is ``(output, tangents, aux)``.

    >>> import aino
    >>> x = aino.tensor([0.0, 1.0])
    >>> aino.func.jvp(lambda x: x * x, (x,), (aino.tensor([1.0, 10.0]),))
    (tensor([0., 1.]), tensor([ 0., 20.]))
    """
    name = f"jvp({name_of(func)})"
    leaves, directions = _paired(primals, tangents, name)
    level = DualLevel(name)
    with level:
        duals = [make_dual(x, t, level) for x, t in zip(leaves, directions)]
        output, aux = apart(func(*rebuilt(primals, duals)), has_aux, name)
        outputs = leaves_of(output)
        for position, y in enumerate(outputs):
            if not isinstance(y, Tensor):
                raise DtypeError(
                    f"{name}: the function returned a {type(y).__name__}; it has to return tensors"
                )
            if strict and level not in levels_of(y.array):
                raise TransformError(
                    f"{name}: output {position} does not depend on the primals, which strict=True "
                    "does not allow"
                )
        pairs = [left(y, level) for y in outputs]
        aux = mapped(aux, lambda leaf: left(leaf, level)[0] if isinstance(leaf, Tensor) else leaf)
    result = rebuilt(output, [y for y, _ in pairs]), rebuilt(output, [t for _, t in pairs])
    return (*result, aux) if has_aux else result


def left(y: Tensor, level: DualLevel) -> tuple[Tensor, Tensor]:
    """Return an output's value and its tangent, zero where it does not move."""
    if level not in levels_of(y.array):
        return y, make(np.zeros_like(y.array))
    if y.view_of is not None:
        # What shares memory with another result would otherwise be a view that nobody knows of.
        y = clone(y)
    return unpack_primal(y, level), unpack_tangent(y, level)


def _paired(primals: Any, tangents: Any, name: str) -> tuple[list[Tensor], list[Tensor]]:
    """Return the leaves of primals and tangents, each like the other."""
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple):
            raise TransformError(
                f"{name}: {what} is a tuple with one entry for each argument, got "
                f"{type(given).__name__}"
            )
    if structure(primals) != structure(tangents):
        raise ShapeError(
            f"{name}: tangents are nested as the primals are, {structure(primals)}, got "
            f"{structure(tangents)}"
        )
    leaves, directions = leaves_of(primals), leaves_of(tangents)
    if not leaves:
        raise TransformError(f"{name}: there is no tensor among the primals")
    for x, t in zip(leaves, directions):
        for what, item in (("primal", x), ("tangent", t)):
            if not isinstance(item, Tensor):
                raise DtypeError(f"{name}: a {what} is a tensor, got {type(item).__name__}")
        check_direction(x, t, name)
    return leaves, directions


def check_direction(x: Tensor, t: Tensor, name: str) -> None:
    """Raise unless a tangent has the shape and the dtype of its primal, which has derivatives."""
    if x.dtype.kind not in "fc":
        raise DtypeError(
            f"{name}: only tensors of floating point and complex dtype have a tangent, not those "
            f"of {x.dtype}"
        )
    if x.array.shape != t.array.shape:
        raise ShapeError(
            f"{name}: a tangent has the shape of its primal, {tuple(x.shape)}, not {tuple(t.shape)}"
        )
    if x.dtype != t.dtype:
        raise DtypeError(f"{name}: a tangent has the dtype of its primal, {x.dtype}, not {t.dtype}")


def linearize(func: Callable, *primals: Any) -> tuple:
    """Return ``func(*primals)`` and a function that multiplies tangents by its Jacobian there.

    ``jvp_fn(*tangents)`` gives what ``jvp`` gives, but ``func`` is called once, whatever the number
    of directions: the tangents go through what it has recorded, twice transposed.

    Arguments:
        func: takes the primals, and returns tensors, nested as you like.
        primals: the point at which it is linearized.

    >>> import aino
    >>> y, jvp_fn = aino.func.linearize(lambda x: x * x, aino.tensor([1.0, 2.0]))
    >>> jvp_fn(aino.tensor([1.0, 0.0]))
    tensor([2., 0.])
    """
    name = f"linearize({name_of(func)})"
    recording = Recording(primals, name)
    with enable_grad():
        output = func(*recording.trees)
        outputs = leaves_of(output)
        for y in outputs:
            if not isinstance(y, Tensor):
                raise DtypeError(
                    f"{name}: the function returned a {type(y).__name__}; it has to return tensors"
                )
        moving = [y for y in outputs if y.requires_grad]
        cotangents = [make(np.zeros_like(y.array)).requires_grad_() for y in moving]
        slopes: Any = ()
        if moving:
            slopes = engine.grad(
                moving, recording.inputs, cotangents, True, True, materialize_grads=True
            )
    outside = any([recording.reaches_outside(y) for y in moving])

    def jvp_fn(*tangents: Any) -> Any:
        _, directions = _paired(primals, tangents, name)
        create = mode.level > 0 and (outside or any([t.requires_grad for t in directions]))
        pairs = [(s, t) for s, t in zip(slopes, directions) if s.requires_grad]
        found: Any = [None] * len(moving)
        if pairs:
            found = engine.grad(
                [s for s, _ in pairs], cotangents, [t for _, t in pairs], True, create,
                allow_unused=True,
            )  # fmt: skip
        products = iter(found)
        moved = [next(products) if y.requires_grad else None for y in outputs]
        return rebuilt(
            output,
            [make(np.zeros_like(y.array)) if t is None else t for y, t in zip(outputs, moved)],
        )

    return recording.left(output), jvp_fn


def jacfwd(
    func: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    randomness: str = "error",
) -> Callable:
    """Return a function that computes the Jacobian of ``func`` by forward mode, J = ∂y/∂x.

    For an output of shape (m,) and an argument of shape (n,) it has the shape (m, n): that of
    the output, then that of the argument. It is nested as the output is, and within that as the
    argument. It costs about as much as the function for each element of the argument, all at once:
    less than ``jacrev`` where there are more outputs than inputs.

    Arguments:
        func: takes tensors, nested in tuples, lists and dicts, and returns such.
        argnums: with respect to which argument, or which: then within each output stands a tuple.
        has_aux: ``func`` returns ``(output, aux)``, and the result is ``(jacobian, aux)``.
        chunk_size: push so many tangents forward at a time; None does so with all at once.
        randomness: what random operations inside give, as for ``vmap``.

    >>> import aino
    >>> aino.func.jacfwd(lambda x: x * x)(aino.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        name = f"jacfwd({name_of(func)})"
        positions = selected(argnums, args, name)
        primals = tuple([args[position] for position in positions])
        leaves = leaves_of(primals)
        for x in leaves:
            if not isinstance(x, Tensor):
                raise DtypeError(
                    f"{name}: an argument that is differentiated holds a {type(x).__name__}; it "
                    "has to hold tensors"
                )
        sizes = [x.numel() for x in leaves]
        seen: list[Any] = []

        def of_selected(*chosen: Any) -> Any:
            given = list(args)
            for position, tree in zip(positions, chosen):
                given[position] = tree
            return func(*given, **kwargs)

        functools.update_wrapper(of_selected, func)

        def push(*unit: Any) -> tuple:
            found = jvp(of_selected, primals, rebuilt(primals, unit), has_aux=has_aux)
            seen[:] = [found[0], found[2] if has_aux else None]
            return tuple(leaves_of(found[1]))

        columns = vmap(push, 0, -1, randomness, chunk_size=chunk_size)(*unit_vectors(leaves, sizes))
        output, aux = seen
        jacobians = []
        for column in columns:
            parts, start = [], 0
            for x, size in zip(leaves, sizes):
                cut = column[..., start : start + size]
                parts.append(cut.reshape((*tuple(column.shape)[:-1], *tuple(x.shape))))
                start += size
            tree = rebuilt(primals, parts)
            jacobians.append(tree[0] if isinstance(argnums, int) else tree)
        result = rebuilt(output, jacobians)
        return (result, aux) if has_aux else result

    return jacobian


def hessian(func: Callable, argnums: Argnums = 0) -> Callable:
    """Return a function that computes the Hessian of ``func``, H = ∂²y/∂x².

    For a function of one number and an argument of shape (n,) it has the shape (n, n). It is
    nested as the output is, and within that twice as the argument.

    Arguments:
        func: takes tensors, nested in tuples, lists and dicts, and returns such.
        argnums: with respect to which argument, or which.

    >>> import aino
    >>> aino.func.hessian(lambda x: (x**3).sum())(aino.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
