"""Whether what was computed is what was expected, and in words where it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.dtypes import CATEGORY, float16, promote_types

__all__ = ["assert_close"]

#: The relative and the absolute difference that are allowed, by the dtype's name.
_TOLERANCES = {
    "float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7),
}  # fmt: skip


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise ``AssertionError`` unless two things are nearly equal: ``|a - e| ≤ atol + rtol · |e|``.

    They are tensors, arrays or numbers, or sequences and mappings of them. Unless given, the
    tolerances follow from the dtype: 1.3e-6 and 1e-5 for float32, 1e-7 for float64, 0 for
    integers, the larger of the two where dtypes differ.

    Arguments:
        actual: what was computed.
        expected: what it should be.
        allow_subclasses: whether the types may differ where one is a subclass of the other.
        rtol, atol: the relative and the absolute difference that are allowed; both or none.
        equal_nan: whether nan equals nan.
        check_device, check_layout: change nothing: every tensor is on the CPU, and strided.
        check_dtype: whether dtypes must agree.
        check_stride: whether strides must agree.
        msg: what to say instead, or a function of what would be said.

    >>> import aino
    >>> aino.testing.assert_close(aino.tensor([1.0, 2.0]), aino.tensor([1.0, 2.0]))
    """
    if (rtol is None) != (atol is None):
        absent = "atol" if atol is None else "rtol"
        raise ValueError(f"assert_close: give rtol and atol, or none of them; {absent} is missing")
    options = _Options(allow_subclasses, rtol, atol, equal_nan, check_dtype, check_stride)
    found = options.difference(actual, expected, "")
    if found is not None:
        raise AssertionError(found if msg is None else msg(found) if callable(msg) else msg)


class _Options:
    """What counts as close."""

    def __init__(self, subclasses, rtol, atol, equal_nan, check_dtype, check_stride) -> None:
        self.subclasses = subclasses
        self.tolerances = None if rtol is None else (rtol, atol)
        self.equal_nan = equal_nan
        self.check_dtype = check_dtype
        self.check_stride = check_stride

    def difference(self, actual, expected, place: str) -> str | None:
        """Return in words how two things differ, None where they are close."""
        where = f"\n\nThe failure occurred for item {place}" if place else ""
        if _is_sequence(actual) and _is_sequence(expected):
            if len(actual) != len(expected):
                lengths = f"{len(actual)} != {len(expected)}"
                return f"The length of the sequences mismatch: {lengths}{where}"
            pairs = [(a, e, f"{place}[{i}]") for i, (a, e) in enumerate(zip(actual, expected))]
        elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
            if actual.keys() != expected.keys():
                return (
                    "The keys of the mappings do not match:\n"
                    f"Missing keys in the actual mapping: {list(expected.keys() - actual.keys())}\n"
                    "Additional keys in the actual mapping: "
                    f"{list(actual.keys() - expected.keys())}{where}"
                )
            pairs = [(actual[key], expected[key], f"{place}[{key!r}]") for key in expected]
        else:
            found = self._of_values(actual, expected)
            return None if found is None else found + where
        differences = (self.difference(*pair) for pair in pairs)
        return next((text for text in differences if text is not None), None)

    def _of_values(self, actual, expected):
        if actual is None and expected is None:
            return None
        numbers = all([isinstance(x, (bool, int, float, complex)) for x in (actual, expected)])
        if not numbers:
            for value in (actual, expected):
                if not isinstance(value, (Tensor, np.ndarray, np.generic)):
                    raise TypeError(
                        "assert_close compares tensors, arrays, numbers, and sequences and "
                        f"mappings of them, not {type(actual).__name__} and "
                        f"{type(expected).__name__}"
                    )
        kinds = type(actual), type(expected)
        related = self.subclasses and (
            isinstance(actual, kinds[1]) or isinstance(expected, kinds[0])
        )
        if kinds[0] is not kinds[1] and not (related and not numbers):
            if not numbers or self.check_dtype:
                return f"The (d)types do not match: {kinds[0]} != {kinds[1]}."
        a, e = (x.array if isinstance(x, Tensor) else np.asarray(x) for x in (actual, expected))
        if a.shape != e.shape:
            return f"The values for attribute 'shape' do not match: {a.shape} != {e.shape}."
        if self.check_dtype and not numbers and a.dtype != e.dtype:
            return f"The values for attribute 'dtype' do not match: {a.dtype} != {e.dtype}."
        if self.check_stride and a.strides != e.strides:
            return f"The values for attribute 'stride()' do not match: {a.strides} != {e.strides}."
        return self._of_arrays(a, e, numbers)

    def _of_arrays(self, a, e, numbers):
        tolerances = [_TOLERANCES.get(x.dtype.name, (0.0, 0.0)) for x in (a, e)]
        rtol, atol = self.tolerances or tuple(map(max, zip(*tolerances)))
        dtype = np.result_type(a, e) if numbers else promote_types(a.dtype, e.dtype)
        if dtype.kind == "b":
            dtype = np.dtype(np.int64)
        if dtype == float16:
            dtype = np.dtype(np.float32)
        x, y = a.astype(dtype), e.astype(dtype)
        with np.errstate(all="ignore"):
            far = np.absolute(x - y)
            close = (x == y) | ((far <= atol + rtol * np.absolute(y)) & np.isfinite(far))
            if self.equal_nan and CATEGORY[dtype.kind] > 1:
                close |= np.isnan(x) & np.isnan(y)
            if close.all():
                return None
            far = np.where(close, 0, far)
            relative = np.where(close, 0.0, far / np.absolute(y))
        return _told(a, e, close, far, relative, rtol, atol, numbers)


def _told(a, e, close, far, relative, rtol, atol, numbers):
    exact = rtol == 0 and atol == 0
    word = "equal" if exact else "close"
    limits = ["", ""] if exact else [f" (up to {atol} allowed)", f" (up to {rtol} allowed)"]
    if not a.ndim:
        return (
            f"Scalars are not {word}!\n\nExpected {e.item()} but got {a.item()}.\n"
            f"Absolute difference: {far.item()}{limits[0]}\n"
            f"Relative difference: {relative.item()}{limits[1]}"
        )
    lines = [f"Tensor-likes are not {word}!", ""]
    wrong = int(close.size - np.count_nonzero(close))
    lines.append(f"Mismatched elements: {wrong} / {close.size} ({100 * wrong / close.size:.1f}%)")
    for name, values, limit in (("absolute", far, limits[0]), ("relative", relative, limits[1])):
        place = tuple(map(int, np.unravel_index(int(np.argmax(values)), values.shape)))
        lines.append(f"Greatest {name} difference: {values[place]} at index {place}{limit}")
    return "\n".join(lines)


def _is_sequence(value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
