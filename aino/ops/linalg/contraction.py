"""Sums of products over named axes: einsum, and what can be said in its terms."""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import lru_cache
from itertools import combinations
from typing import Any

from aino.autograd.primitive import cast
from aino.autograd.rules import elementwise, linalg, shape
from aino.autograd.tensor import Tensor
from aino.errors import BoundsError, DtypeError, ShapeError
from aino.ops.public import method, takes_out
from aino.ops.reduce import reduction

__all__ = ["einsum", "tensordot", "inner"]


def contract(name: str, operands: Any, labels: Any, output: Any) -> Tensor:
    """Return Σ Π of the operands over all labels that are not in ``output``.

    ``labels`` holds one label for each axis of each operand. Axes of the same label have the
    same length, or length 1 and are repeated.
    """
    lengths = _lengths(name, operands, labels)
    operands, labels = list(operands), list(labels)
    for position, (x, own) in enumerate(zip(operands, labels)):
        elsewhere = set(output).union(*labels[:position], *labels[position + 1 :])
        operands[position], labels[position] = _single(name, x, own, lengths, elsewhere)
    first = operands[0]
    for i, j in _order(labels, output, lengths):
        b, b_labels = operands.pop(j), labels.pop(j)
        a, a_labels = operands.pop(i), labels.pop(i)
        needed = set(output).union(*labels)
        # An axis that a repetition hid is alone now, and may be summed at once.
        a, a_labels = _summed(a, a_labels, needed.union(b_labels))
        b, b_labels = _summed(b, b_labels, needed.union(a_labels))
        result, own = _pair(a, a_labels, b, b_labels, needed)
        operands.insert(0, result)
        labels.insert(0, own)
    result, own = _summed(operands[0], labels[0], output)
    axes = [own.index(label) for label in output]
    if result is first:  # never the operand itself
        return shape.permute(result, tuple(axes))
    return _permuted(result, axes)


def _order(labels, output, lengths):
    """Return the pairs of operands to multiply, one after the other."""
    if len(labels) < 3:
        return ((0, 1),) * (len(labels) - 1)
    return cheapest_path(tuple(map(frozenset, labels)), frozenset(output), tuple(lengths.items()))


def _lengths(name, operands, labels) -> dict:
    """Return the length of each label's axes, having checked that they agree."""
    lengths: dict = {}
    for position, (x, own) in enumerate(zip(operands, labels)):
        if len(own) != x.ndim:
            raise ShapeError(
                f"{name}: operand {position} of shape {tuple(x.shape)} has {x.ndim} axes, but "
                f"{len(own)} subscripts"
            )
        for label, length in zip(own, x.shape):
            known = lengths.get(label, 1)
            if length != known and 1 not in (length, known):
                raise ShapeError(
                    f"{name}: subscript {label!r} has length {length} in operand {position} of "
                    f"shape {tuple(x.shape)}, but {known} before"
                )
            lengths[label] = known if length == 1 else length
    return lengths


def _single(name, x, own, lengths, needed):
    """Take diagonals of repeated labels, drop repeated axes, sum over what nobody else has."""
    while len(set(own)) < len(own):
        label = next(label for label in own if own.count(label) > 1)
        first = own.index(label)
        second = own.index(label, first + 1)
        if x.shape[first] != x.shape[second]:
            raise ShapeError(
                f"{name}: subscript {label!r} is repeated for axes of lengths {x.shape[first]} "
                f"and {x.shape[second]}"
            )
        x = shape.diagonal(x, 0, first, second)
        own = [own[i] for i in range(len(own)) if i not in (first, second)] + [label]
    kept = [i for i, label in enumerate(own) if x.shape[i] == lengths[label]]
    if len(kept) < len(own):
        x = shape.reshape(x, tuple([x.shape[i] for i in kept]))
        own = [own[i] for i in kept]
    return _summed(x, own, needed)


def _summed(x, own, needed):
    """Sum over the axes whose labels are not needed."""
    axes = tuple([i for i, label in enumerate(own) if label not in needed])
    if axes:
        x = reduction.sum(x, axes)
    return x, [label for label in own if label in needed]


def _permuted(x, axes):
    return x if axes == sorted(axes) else shape.permute(x, tuple(axes))


def _pair(a, a_labels, b, b_labels, needed):
    """Return the sum of products of two operands over what both have and nobody needs."""
    both = [label for label in a_labels if label in b_labels]
    batch = [label for label in both if label in needed]
    summed = [label for label in both if label not in needed]
    left = [label for label in a_labels if label not in both]
    right = [label for label in b_labels if label not in both]
    a = _permuted(a, [a_labels.index(label) for label in [*batch, *left, *summed]])
    order = [*batch, *summed, *right] if summed else [*batch, *right]
    b = _permuted(b, [b_labels.index(label) for label in order])
    stack = tuple(a.shape[: len(batch)])
    rows = tuple(a.shape[len(batch) : len(batch) + len(left)])
    columns = tuple(b.shape[len(order) - len(right) :])
    full = (*stack, *rows, *columns)
    if not summed:
        if left and right:
            a = shape.reshape(a, (*stack, *rows) + (1,) * len(right))
            b = shape.reshape(b, stack + (1,) * len(left) + columns)
        elif left or right:
            short = shape.reshape(b if left else a, stack + (1,) * len(left or right))
            a, b = (a, short) if left else (short, b)
        return elementwise.mul(a, b), [*batch, *left, *right]
    inner = math.prod(b.shape[len(batch) : len(batch) + len(summed)])
    a = _shaped(a, (*stack, math.prod(rows), inner))
    b = _shaped(b, (*stack, inner, math.prod(columns)))
    product = linalg.bmm(a, b) if batch else linalg.mm(a, b)
    return _shaped(product, full), [*batch, *left, *right]


def _shaped(x, new):
    return x if tuple(x.shape) == new else shape.reshape(x, new)


# In which order to multiply several operands. Source: Smith and Gray, opt_einsum: a Python package
# for optimizing contraction order (2018)

#: Up to so many operands every order is looked at; of more, the next best pair is taken each time.
_FEW = 5

Labels = frozenset[Hashable]


@lru_cache(maxsize=512)
def cheapest_path(
    operands: tuple[Labels, ...], output: Labels, lengths: tuple[tuple[Hashable, int], ...]
) -> tuple[tuple[int, int], ...]:
    """Return the pairs to multiply, one after the other; each result comes first in what is left.

    Arguments:
        operands: the labels of each.
        output: the labels that are not summed over.
        lengths: each label with the length of its axes.
    """
    sizes = dict(lengths)
    if len(operands) <= _FEW:
        return _cheapest(operands, output, sizes)[1]
    pairs: list[tuple[int, int]] = []
    while len(operands) > 1:

        def rank(pair, operands=operands):
            """Return how much a pair shrinks, the most first, and what its product takes."""
            before = sum([_size(operands[k], sizes) for k in pair])
            after = _size(_kept(operands, pair, output), sizes)
            return after - before, _size(operands[pair[0]] | operands[pair[1]], sizes)

        pair = min(combinations(range(len(operands)), 2), key=rank)
        pairs.append(pair)
        operands = _multiplied(operands, pair, output)
    return tuple(pairs)


def _size(labels: Labels, sizes) -> int:
    return math.prod([sizes[label] for label in labels])


def _kept(operands, pair, output: Labels) -> Labels:
    """Return the labels of the product of a pair: those that somebody else needs."""
    others = [labels for k, labels in enumerate(operands) if k not in pair]
    return (operands[pair[0]] | operands[pair[1]]) & output.union(*others)


def _multiplied(operands, pair, output: Labels) -> tuple[Labels, ...]:
    others = [labels for k, labels in enumerate(operands) if k not in pair]
    return (_kept(operands, pair, output), *others)


def _cheapest(operands, output: Labels, sizes) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Return the fewest multiplications, and the pairs that take them."""
    if len(operands) < 2:
        return 0, ()
    found = []
    for pair in combinations(range(len(operands)), 2):
        own = _size(operands[pair[0]] | operands[pair[1]], sizes)
        rest, pairs = _cheapest(_multiplied(operands, pair, output), output, sizes)
        found.append((own + rest, (pair, *pairs)))
    return min(found, key=lambda item: item[0])


# Subscripts


def einsum(*args: Any) -> Tensor:
    """Return the sum of products that an equation names: ``"ij,jk->ik"`` is a matrix product.

    A letter names an axis; a letter on the left only is summed over; a letter twice in one
    operand takes its diagonal; ``...`` stands for all other axes, which are broadcast. Without
    ``->`` the letters that occur once stay, in alphabetical order. Operands may also each be
    followed by a list of numbers instead. They are multiplied in the order that takes the fewest
    multiplications; of more than five, the pair that shrinks most is next. Raises ``ShapeError``
    where equation and shapes disagree, ``DtypeError`` for mixed dtypes.

    >>> import aino
    >>> x = aino.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> aino.einsum("ij->j", x), aino.einsum("ii", x)
    (tensor([4., 6.]), tensor(5.))
    """
    equation, operands = _equation_and_operands(args)
    terms, arrow, result = equation.replace(" ", "").partition("->")
    inputs = terms.split(",")
    if len(inputs) != len(operands):
        raise ShapeError(
            f"einsum: the equation {equation!r} names {len(inputs)} operands, {len(operands)} "
            "were given"
        )
    for x in operands[1:]:
        if x.dtype != operands[0].dtype:
            raise DtypeError(
                f"einsum: the operands need the same dtype, got {operands[0].dtype} and {x.dtype}"
            )
    labels = [_labels(equation, term, x) for term, x in zip(inputs, operands)]
    if arrow:
        widest = max([sum([type(label) is int for label in own]) for own in labels])
        output = _letters(equation, result, widest)
        _check_output(equation, output, labels)
    else:
        seen = [label for own in labels for label in own]
        dots = sorted({label for label in seen if type(label) is int})
        output = dots + sorted([l for l in seen if type(l) is str and seen.count(l) == 1])
    return contract("einsum", operands, labels, output)


def _equation_and_operands(args):
    """Return the two for either way of calling einsum, numbers having become letters."""
    if not args:
        raise TypeError("einsum: an equation and its operands are missing")
    if isinstance(args[0], str):
        operands = args[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = operands[0]
        return args[0], list(operands)
    operands = list(args[: len(args) // 2 * 2 : 2])
    equation = ",".join([_spelled(numbers) for numbers in args[1::2]])
    if len(args) % 2:
        equation += "->" + _spelled(args[-1])
    return equation, operands


def _spelled(numbers) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    try:
        return "".join(["..." if n is Ellipsis else letters[n] for n in numbers])
    except (IndexError, TypeError):
        raise ShapeError(f"einsum: subscripts lie in 0, ..., 51, got {list(numbers)}") from None


def _labels(equation, term, x):
    """Return a label for each axis: letters, and for an ellipsis numbers from -n to -1."""
    named = len(term.replace("...", ""))
    if named > x.ndim or (named < x.ndim and "..." not in term):
        raise ShapeError(
            f"einsum: {term!r} in {equation!r} names {named} axes, its operand has shape "
            f"{tuple(x.shape)}"
        )
    return _letters(equation, term, x.ndim - named)


def _letters(equation, term, dots):
    """Return the labels of one term, its ellipsis standing for ``dots`` axes."""
    before, ellipsis, after = term.partition("...")
    for letter in before + after:
        if not (letter.isalpha() and letter.isascii()):
            raise ShapeError(f"einsum: {letter!r} in {equation!r} is no letter")
    return [*before, *(range(-dots, 0) if ellipsis else ()), *after]


def _check_output(equation, output, labels) -> None:
    seen = {label for own in labels for label in own}
    for label in output:
        if label not in seen:
            raise ShapeError(f"einsum: {label!r} on the right of {equation!r} is not on its left")
        if output.count(label) > 1:
            raise ShapeError(f"einsum: {label!r} is twice on the right of {equation!r}")


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Return the sum of products over pairs of dimensions, those of the first tensor coming first.

    ``(i, j, k), (k, j, m), dims=([1, 2], [1, 0]) -> (i, m)``. Raises ``ShapeError`` where the
    lengths of a pair differ.

    Arguments:
        a: a tensor.
        b: the other.
        dims: how many, the last of ``a`` and the first of ``b``; or a pair of lists of dimensions.

    >>> import aino
    >>> aino.tensordot(aino.ones(2, 3), aino.ones(3, 4), 1).shape
    aino.Size([2, 4])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ShapeError(
                f"tensordot: {dims} axes can't be summed over for shapes {tuple(a.shape)} and "
                f"{tuple(b.shape)}"
            )
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    first, second = ([axes] if isinstance(axes, int) else list(axes) for axes in dims)
    if len(first) != len(second):
        raise ShapeError(f"tensordot: {len(first)} axes are paired with {len(second)}")
    a_labels = [("a", axis) for axis in range(a.ndim)]
    b_labels = [("b", axis) for axis in range(b.ndim)]
    for i, j in zip(first, second):
        if not (-a.ndim <= i < a.ndim and -b.ndim <= j < b.ndim):
            raise BoundsError(
                f"tensordot: no axes {i} and {j} in shapes {tuple(a.shape)} and {tuple(b.shape)}"
            )
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise ShapeError(
                f"tensordot: axis {i} of shape {tuple(a.shape)} and axis {j} of shape "
                f"{tuple(b.shape)} differ in length"
            )
        b_labels[j] = a_labels[i]
    paired = set(a_labels) & set(b_labels)
    output = [label for label in [*a_labels, *b_labels] if label not in paired]
    result = contract("tensordot", (a, b), (a_labels, b_labels), output)
    # Sums of small integers are wide, where PyTorch's products are not.
    return result if a.dtype != b.dtype or result.dtype == a.dtype else cast(result, a.dtype)


@method
@takes_out
def inner(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the sum of products over the last dimensions: ``(..., k), (..., k) -> (..., ...)``.

    Raises ``ShapeError`` where their lengths differ.

    Arguments:
        input: a tensor; of no dimensions, a number that multiplies the other.
        other: the other, likewise.

    >>> import aino
    >>> aino.inner(aino.tensor([1.0, 2.0]), aino.tensor([3.0, 4.0]))
    tensor(11.)
    """
    if input.ndim == 0 or other.ndim == 0:
        return elementwise.mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise ShapeError(
            f"inner: the last axes of shapes {tuple(input.shape)} and {tuple(other.shape)} differ"
        )
    return tensordot(input, other, ([input.ndim - 1], [other.ndim - 1]))
