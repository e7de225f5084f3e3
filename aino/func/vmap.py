"""vmap: a function of one sample becomes one of many, without a loop."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from aino.autograd.rules import levels as rules
from aino.autograd.rules.join import cat
from aino.autograd.rules.shape import clone
from aino.autograd.tensor import Tensor
from aino.errors import TransformError
from aino.func.trees import leaves_of, name_of, prefixed, rebuilt

_RANDOMNESS = ("error", "different", "same")


def vmap(
    func: Callable,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable:
    """Return a function that computes ``func`` for every sample along a dimension, at once.

    ``vmap(f)(x)[i]`` is ``f(x[i])``: ``func`` is written for one sample, and sees its shape. It
    is called once. Transforms nest: ``vmap(grad(f))`` gives a gradient for each sample.

    Raises ``ValueError`` where dimensions don't fit the arguments or each other, and
    ``TransformError`` for what has one answer and not one for each sample: a branch on a value,
    ``item()``, a write into memory that all samples share.

    Arguments:
        func: takes tensors, nested in tuples, lists and dicts as you like, and returns such.
        in_dims: along which dimension the samples of each argument lie, None for an argument
            that all of them share; one for all arguments, or nested as the arguments are.
        out_dims: along which dimension they lie in the results, nested as these are.
        randomness: what random operations inside give: ``"error"`` refuses them, ``"different"``
            draws for each sample, ``"same"`` draws once for all of them.
        chunk_size: compute so many samples at a time; None computes all at once.

    >>> import aino
    >>> x, y = aino.tensor([[1.0, 2.0], [3.0, 4.0]]), aino.tensor([1.0, 10.0])
    >>> aino.vmap(aino.dot, in_dims=(0, None))(x, y)
    tensor([21., 43.])
    """
    if randomness not in _RANDOMNESS:
        raise TransformError(f"vmap: randomness is one of {_RANDOMNESS}, not {randomness!r}")
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size is None or at least 1, not {chunk_size!r}")

    @functools.wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, dims, size = _arguments(func, in_dims, args)
        if chunk_size is None or chunk_size >= size:
            found = _run(func, args, kwargs, leaves, dims, size, randomness)
        else:
            found = _in_chunks(func, args, kwargs, leaves, dims, size, randomness, chunk_size)
        return _results(func, found, out_dims)

    return batched


def _arguments(func, in_dims, args) -> tuple[list, list, int]:
    """Return the leaves of the arguments, where each has its samples, and how many they are."""
    name = name_of(func)
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(
            f"vmap({name}): in_dims is a number or a tuple as long as the arguments, not "
            f"{in_dims!r}"
        )
    if not args:
        raise ValueError(f"vmap({name}) was called without arguments, so there are no samples")
    given = args if isinstance(in_dims, int) else tuple(args)
    dims = prefixed(in_dims, given, f"vmap({name}): in_dims={in_dims!r}", "the arguments")
    leaves = leaves_of(args)
    sizes: dict[int, None] = {}
    for position, (leaf, dim) in enumerate(zip(leaves, dims)):
        if dim is None:
            continue
        if not isinstance(dim, int) or isinstance(dim, bool):
            raise ValueError(f"vmap({name}): in_dims holds numbers and None, not {dim!r}")
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"vmap({name}): in_dim {dim} was given for an argument of type "
                f"{type(leaf).__name__}, which has no dimensions; give None for it"
            )
        rank = leaf.ndim
        if not -rank <= dim < rank:
            raise ValueError(
                f"vmap({name}): in_dim {dim} was given for a tensor of {rank} dimensions (shape "
                f"{tuple(leaf.shape)})"
            )
        dims[position] = dim % rank
        sizes[leaf.shape[dim]] = None
    if not sizes:
        raise ValueError(
            f"vmap({name}): in_dims is None for every argument, so there are no samples; at least "
            "one argument needs a dimension"
        )
    if len(sizes) > 1:
        raise ValueError(
            f"vmap({name}): the arguments need the same number of samples along their in_dims, "
            f"got {list(sizes)}"
        )
    return leaves, dims, next(iter(sizes))


def _run(func, args, kwargs, leaves, dims, size: int, randomness: str) -> list:
    """Call the function inside a level; return its result and that level."""
    level = rules.BatchLevel(size, randomness, f"vmap({name_of(func)})")
    with level:
        entered = [
            leaf if dim is None else rules.enter(leaf, level, dim)
            for leaf, dim in zip(leaves, dims)
        ]
        result = func(*rebuilt(args, entered), **kwargs)
        outputs = leaves_of(result)
        for output in outputs:
            if not isinstance(output, Tensor):
                raise ValueError(
                    f"vmap({name_of(func)}): the function returned a {type(output).__name__}; it "
                    "has to return tensors, nested as you like"
                )
        left = [_left(output, level) for output in outputs]
    return [(result, left)]


def _left(output: Tensor, level) -> Any:
    """Return an output with all samples along its first dimension, and whether it has any."""
    batched = level in rules.levels_of(output.array)
    root = output
    while root.view_of is not None:
        root = root.view_of.parent
    if root is not output and level not in rules.levels_of(root.array):
        # What shares memory with an argument would otherwise be a view that nobody knows of.
        output = clone(output)
    return output if not batched else rules.leave(output, level, 0), batched, level.size


def _results(func, found: list, out_dims) -> Any:
    """Return the function's result, with the samples where ``out_dims`` says."""
    result = found[0][0]
    name = name_of(func)
    dims = prefixed(out_dims, result, f"vmap({name}): out_dims={out_dims!r}", "the result")
    placed = []
    for position, dim in enumerate(dims):
        parts = [outputs[position] for _, outputs in found]
        placed.append(_placed(parts, dim, name))
    return rebuilt(result, placed)


def _placed(parts: list, dim, name: str) -> Tensor:
    tensor, batched, size = parts[0]
    if dim is None:
        if batched:
            raise ValueError(
                f"vmap({name}): out_dim None was given for a result that differs from sample to "
                "sample"
            )
        return tensor
    if not isinstance(dim, int) or isinstance(dim, bool):
        raise ValueError(f"vmap({name}): out_dims holds numbers and None, not {dim!r}")
    if not batched:
        size = sum([count for _, _, count in parts])
        tensor = clone(tensor.expand(size, *tensor.shape))
    elif len(parts) > 1:
        tensor = cat([part for part, _, _ in parts], 0)
    rank = tensor.ndim
    if not -rank <= dim < rank:
        raise IndexError(
            f"vmap({name}): out_dim {dim} was given for a result that has {rank} dimensions with "
            "that of the samples"
        )
    return tensor.movedim(0, dim) if dim % rank else tensor


def _in_chunks(func, args, kwargs, leaves, dims, size, randomness, chunk_size) -> list:
    """Compute so many samples at a time."""
    found = []
    for start in range(0, size, chunk_size):
        count = min(chunk_size, size - start)
        cut = [
            leaf if dim is None else leaf.narrow(dim, start, count)
            for leaf, dim in zip(leaves, dims)
        ]
        found += _run(func, args, kwargs, cut, dims, count, randomness)
    return found
