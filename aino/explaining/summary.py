"""``aino.summary``: a model as a table, module by module."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import make
from aino.explaining.measuring import Measured, identity, measure
from aino.explaining.table import Row, Summary, chosen
from aino.nn.base.found import random_as_found
from aino.nn.base.module import Module
from aino.nn.base.uninitialized import is_lazy
from aino.tracing import forbid_in_trace

_MODES = ("eval", "train", "same")


def summary(
    model: Module,
    input: Any = None,
    *,
    input_size: Any = None,
    input_data: Any = None,
    depth: int = 3,
    col_names: Sequence[str] | None = None,
    dtypes: Any = None,
    mode: str = "eval",
) -> Summary:
    """Describe a model as a table: each module with its output, its parameters and its cost.

    The model is run once, and left as it was: its parameters, buffers, modes, gradients and other
    attributes, and random numbers, too. Nothing is guessed: *multiply-adds* are those of the matrix
    products and convolutions that ran, an m × k by a k × n matrix taking m · k · n, recorded or
    not, without what is added or done element by element; *forward* is the memory of what the
    modules returned, *backward* of what the operations kept for the backward pass, beside
    parameters and inputs, each piece once. A module that is called several times has the sums of
    its calls; one that stands in several places is counted at the first.

    Arguments:
        model: the module.
        input: what it is run on: an example (a tensor, or an array), several in a tuple or a list,
            a dict of arguments by their names, or the size of one, ``(8, 3, 32, 32)``, or of
            several. Without it the table has parameters alone.
        input_size: the size of the input, or a list of sizes.
        input_data: an example, where it could be taken for a size.
        depth: how many levels of modules are shown.
        col_names: the columns, of ``"input_size"``, ``"output_size"``, ``"num_params"``,
            ``"params_percent"``, ``"kernel_size"``, ``"mult_adds"``, ``"forward_memory"``,
            ``"backward_memory"``, ``"trainable"``, ``"dtype"``, ``"calls"``.
        dtypes: the dtypes of inputs that are given by their sizes; that of the model by default.
        mode: ``"eval"``, ``"train"``, or ``"same"`` for the modes that the modules are in.

    Raises ``TypeError`` and ``ValueError`` for what can't be summed up, and whatever the model
    raises on this input.

    >>> import aino
    >>> from aino import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> found = aino.summary(model, (32, 4))
    >>> found.total_parameters, found.total_multiply_adds
    (67, 1792)
    """
    forbid_in_trace("aino.summary", "sum the model up outside of the compiled function")
    if not isinstance(model, Module):
        raise TypeError(f"aino.summary takes a module, not {_kind(model)}")
    if mode not in _MODES:
        raise ValueError(f"mode is 'eval', 'train' or 'same', not {mode!r}")
    if not isinstance(depth, int) or isinstance(depth, bool) or depth < 0:
        raise ValueError(f"depth is a whole number, 0 for the model alone, not {depth!r}")
    columns = chosen(col_names, any(x is not None for x in (input, input_size, input_data)))
    given = [x for x in (input, input_size, input_data) if x is not None]
    if len(given) > 1:
        raise TypeError("one of input, input_size and input_data says what the model is run on")
    if not given:
        return Summary(model, _rows(model, None), depth, columns)
    if input_data is None and (input_size is not None or _is_size(given[0])):
        args, kwargs = _of_sizes(given[0], dtypes, model), {}
    elif isinstance(given[0], dict):
        args, kwargs = (), given[0]
    else:
        args, kwargs = (tuple(given[0]) if type(given[0]) in (list, tuple) else (given[0],)), {}
    if any(is_lazy(x) for x in (*model.parameters(), *model.buffers())):
        model = copy.deepcopy(model)  # it gets its shapes from the first call
        with no_grad(), random_as_found():
            model(*args, **kwargs)
    return Summary(model, _rows(model, measure(model, args, kwargs, mode)), depth, columns)


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return f"a class: make a module of it, {value.__name__}(...)"
    learned = isinstance(getattr(value, "module_", None), Module)
    return type(value).__name__ + ("; it has one, .module_" if learned else "")


def _is_size(value: Any) -> bool:
    """Tell whether a value is a size, or a list of sizes."""
    if not isinstance(value, (tuple, list)) or not value:
        return False
    if all(isinstance(x, int) and not isinstance(x, bool) for x in value):
        return True
    return all(isinstance(x, (tuple, list)) and _is_size(x) for x in value)


def _of_sizes(size: Any, dtypes: Any, model: Module) -> tuple:
    """Return inputs of these sizes: numbers between 0 and 1, or zeros where they are integers."""
    if not _is_size(size):
        raise TypeError(
            "input_size is a tuple of whole numbers, (8, 3, 32, 32), or a list of them, not "
            f"{size!r}"
        )
    sizes = [tuple(size)] if isinstance(size[0], int) else [tuple(x) for x in size]
    floating = [p.dtype for p in model.parameters() if not is_lazy(p) and p.dtype.kind == "f"]
    usual = floating[0] if floating else np.dtype(np.float32)
    listed = list(dtypes) if isinstance(dtypes, (list, tuple)) else [dtypes] * len(sizes)
    if len(listed) != len(sizes):
        raise ValueError(f"dtypes has {len(listed)} dtypes for {len(sizes)} inputs")
    rng = np.random.default_rng(0)
    made = []
    for shape, dtype in zip(sizes, listed):
        wanted = usual if dtype is None else np.dtype(dtype)
        drawn = rng.random(shape) if wanted.kind in "fc" else np.zeros(shape)
        made.append(make(drawn.astype(wanted)))
    return tuple(made)


def _rows(model: Module, measured: dict[int, Measured] | None) -> list[Row]:
    """Return a row for each place in which a module stands, the model's own first."""
    rows: list[Row] = []
    known: dict[int, str] = {}

    def add(module: Module, path: str, last: tuple[bool, ...]) -> None:
        own = [p for p in module.parameters() if not is_lazy(p)]
        wanted = {p.requires_grad for p in own}
        trainable = "" if not own else "yes" if all(wanted) else "partly" if any(wanted) else "no"
        kernel = getattr(module, "kernel_size", None)
        row = Row(
            path,
            type(module).__name__,
            len(last),
            sum([p.array.size for p in own]),
            trainable,
            ", ".join(sorted({p.array.dtype.name for p in own})),
            (kernel,) if isinstance(kernel, int) else kernel if isinstance(kernel, tuple) else None,
            known.get(identity(module), ""),
            None if measured is None else measured[identity(module)],
            last,
        )
        rows.append(row)
        if identity(module) in known:
            return
        known[identity(module)] = path or type(module).__name__
        # In the order in which they are defined; one that has two names stands there twice.
        children = [(name, x) for name, x in vars(module).items() if isinstance(x, Module)]
        for place, (name, inner) in enumerate(children):
            add(inner, f"{path}.{name}" if path else name, (*last, place == len(children) - 1))

    add(model, "", ())
    return rows
