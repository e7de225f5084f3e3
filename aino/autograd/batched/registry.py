"""What batched arrays answer, by what they are asked: filled by the modules beside this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: NumPy's functions: ``answer(level, *arguments, **keywords)``.
FUNCTIONS: dict[Any, Callable] = {}
#: Ufuncs and their methods, by (ufunc, method), or (None, method) for all others:
#: ``answer(level, ufunc, inputs, keywords)``.
UFUNCS: dict[tuple[Any, str], Callable] = {}
#: Methods of arrays that only compute: ``answer(array, *arguments, **keywords)``.
METHODS: dict[str, Callable] = {}
#: What goes over the samples one by one: "function", "kernel" and "pullback".
LOOPS: dict[str, Callable] = {}


def numpy_function(*functions):
    """Register the batched form of NumPy's functions."""

    def register(answer):
        for function in functions:
            FUNCTIONS[function] = answer
        return answer

    return register
