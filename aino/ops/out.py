"""``out=``: a result that is written into a tensor which is there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd import calling
from aino.autograd.mode import mode
from aino.autograd.tensor import Tensor, make
from aino.dtypes import as_dtype, can_cast
from aino.errors import ArgumentError, DtypeError, GradientError
from aino.ops.tensor.inplace import copy_
from aino.user_warnings import warn

#: What the documentation of a function says of it.
SENTENCE = """

    What ``out`` names, a tensor or a tuple of them, is written and returned; no gradient flows.
    """


def into(out: Tensor | None, result: Any, name: str, wanted: bool = False) -> Any:
    """Return ``result``, written into ``out`` where that is given.

    ``out`` takes the shape of the result, with a warning where it had elements. Raises
    ``DtypeError`` for a dtype that does not hold the result, and ``GradientError`` where one of
    the two wants a gradient, which a write into memory that is there already would lose;
    ``wanted`` says that what the result was computed from does.
    """
    if out is None:
        return result
    _check(out, result, name, wanted)
    return _write(out, result)


def all_into(out: Sequence[Tensor] | None, result: Any, name: str, wanted: bool = False) -> Any:
    """Return a tuple of tensors, written into the tensors of ``out`` where it is given."""
    if out is None:
        return result
    if not isinstance(out, (tuple, list)):
        raise DtypeError(
            f"{name}: out= is a tuple of {len(result)} tensors, not {_article(type(out).__name__)}"
        )
    if len(out) != len(result):
        raise ArgumentError(f"{name}: out= needs {len(result)} tensors, got {len(out)}")
    for one, part in zip(out, result):
        _check(one, part, name, wanted)
    written = [_write(one, part) for one, part in zip(out, result)]
    return tuple(written) if type(result) is tuple else type(result)(*written)


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _check(out: Any, result: Any, name: str, wanted: bool) -> None:
    """Raise where a result can't be written into a tensor, before anything is."""
    if not isinstance(out, Tensor):
        raise DtypeError(f"{name}: out= is a tensor, not {_article(type(out).__name__)}")
    lost = result.requires_grad if isinstance(result, Tensor) else False
    if mode.level and (out.requires_grad or lost or (wanted and result.dtype.kind in "fc")):
        raise GradientError(
            f"{name}: out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad; leave out= away, or detach() it"
        )
    if not can_cast(result.dtype, out.dtype):
        raise DtypeError(
            f"{name}: the result is {result.dtype}, which out= of {out.dtype} can't hold"
        )


def _write(out: Tensor, result: Any) -> Tensor:
    shape = result.shape
    if out.array.shape != tuple(shape):
        if out.array.size:
            warn(
                f"out= of shape {out.array.shape} was resized to {tuple(shape)}, the shape of the "
                "result; give it that shape, or no elements"
            )
        result = result.clone() if isinstance(result, Tensor) else result
        if out.array.size or out.view_of is not None:
            out.resize_(tuple(shape))
        else:
            out.array = np.empty(tuple(shape), out.dtype)
    return copy_(out, result if isinstance(result, Tensor) else make(np.asarray(result)))


def dtype_for(out: Any, dtype: Any, name: str) -> Any:
    """Return the dtype to compute in where a dtype can be asked for: that of the tensor written.

    Raises ``DtypeError`` where another is asked for.
    """
    if not isinstance(out, Tensor):
        return dtype
    if dtype is not None and as_dtype(dtype) != out.dtype:
        raise DtypeError(f"{name}: dtype={as_dtype(dtype)} does not match out= of {out.dtype}")
    return out.dtype


def written(function: Any, arguments: Any, keywords: Any, out: Any) -> Any:
    """Return what a function returns, written into ``out``: a tensor, or a tuple for several."""
    name = function.__name__
    if isinstance(out, Tensor) and "dtype" in (function.with_out.__kwdefaults__ or ()):
        keywords = {**keywords, "dtype": dtype_for(out, keywords.get("dtype"), name)}
    result = function(*arguments, **keywords)
    given = [part for x in arguments for part in (x if isinstance(x, (list, tuple)) else (x,))]
    wanted = any([isinstance(x, Tensor) and x.requires_grad for x in given])
    if isinstance(result, tuple):
        return all_into(out, result, name, wanted)
    return into(out, result, name, wanted)


def _from_primitive(function: Any, arguments: Any, surplus: Any, out: Any) -> Any:
    if surplus is not None:
        count = len(arguments)
        raise TypeError(
            f"{function.__name__}() takes {count} positional argument{'s' * (count > 1)} but "
            f"{count + 1} were given (out= is given by its name)"
        )
    return written(function, arguments, {}, out)


def primitive_with_out(function: Any, module: str, name: str) -> Any:
    """Return a primitive that takes ``out=``, too, for the namespace ``module``."""
    form = calling.with_out(function, _from_primitive)
    form.__module__, form.__name__, form.__qualname__ = module, name, name
    form.__wrapped__ = function.with_out
    form.__doc__ = documented(function.__doc__)
    return form


def documented(docstring: str | None) -> str | None:
    """Return the documentation of a function that takes ``out=``."""
    return docstring and docstring.rstrip() + SENTENCE
