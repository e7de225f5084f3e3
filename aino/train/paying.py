"""When compiling pays: tracing takes as long as a hundred steps or two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from aino.autograd.tensor import Tensor
from aino.compiler.compiled import compile
from aino.pytree import parts_of

#: From how many calls with arguments of the same shapes on a program pays for its tracing.
WORTH_COMPILING = 200


def compiled_where_it_pays(
    function: Callable, planned: int | None, name: str, compiling: bool | None = None
) -> Callable:
    """Return a function that goes on as a program as soon as that will have been worth it.

    It is called as it is for the first time, in which an optimizer makes its state, and for shapes
    that come seldom, such as the smaller batch at the end of an epoch. What has no program goes on
    as it is, with one warning that names the line and the reason.

    Arguments:
        function: what is called with the parts of a batch.
        planned: how many calls with shapes like the first ones there will be; None: nobody knows.
        name: what the warning calls it.
        compiling: True compiles from the second call on, False never.
    """
    if compiling is False:
        return function
    program: Any = compile(function, name=name)
    seen: Counter[Any] = Counter()
    usual: Any = None
    begun = False

    def call(*batch: Any) -> Any:
        nonlocal usual, begun
        if begun and batch[0].__class__ is Tensor and batch[0].array.shape == usual:
            return program(*batch)
        shapes = shapes_of(batch)
        calls = seen[shapes] = seen[shapes] + 1
        if calls == 1 and begun:
            return function(*batch)
        first, begun = not begun, True
        pays = compiling or calls + (planned or 0) * first >= WORTH_COMPILING
        if first and pays and isinstance(batch[0], Tensor):
            usual = batch[0].array.shape
        return function(*batch) if first or not pays else program(*batch)

    def many(batches: list[tuple]) -> list[Any]:
        if begun and all(b[0].__class__ is Tensor and b[0].array.shape == usual for b in batches):
            return program.many(batches)
        return [call(*batch) for batch in batches]

    call.many = many  # type: ignore[attr-defined]
    return call


def shapes_of(item: Any) -> Any:
    """Return the shapes of the tensors in a batch, nested as it is."""
    array = getattr(item, "array", None)
    return tuple(map(shapes_of, parts_of(item))) if array is None else array.shape
