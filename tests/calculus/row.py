"""Row: one operation, described once; ``test_rows.py`` and ``tests/parity`` make tests of it.

A module ``rows_<family>.py`` beside this file exports ``ROWS: list[Row]``. Three rows:

    Row("mul", elementwise.mul, np.multiply, [case(real(3, 4), real(4))], complex=True)

    Row("sum", ops.sum, lambda x, dim=None, keepdim=False: x.sum(dim, keepdims=keepdim),
        [case(real(2, 3)), case(real(2, 3), dim=1), case(real(2, 3), (0, -1), keepdim=True)],
        errors=[case(real(2, 3), dim=2)], covers="reduce_sum", complex=True)

    Row("relu", ops.relu, lambda x: np.maximum(x, 0.0), [case(real(3, 4).away(0))],
        torch="nn.functional.relu", elementwise=True,
        kinks=[case(given([0.0, -0.0, -1.0])).slopes([0.0, 0.0, 0.0])])

The arguments of a case are those of the function, in its order, with a sample wherever a tensor
stands (also inside lists, tuples and keywords); everything else is passed on as it is. The oracle
gets the same arguments with arrays in the samples' places, PyTorch's function with its tensors.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """What stands where a tensor is expected: a shape and the domain its values come from.

    ``values(rng, shape)`` draws them. ``dtype`` None takes the dtype that a test asks for;
    a fixed one (indices, conditions) stays. ``wanted``: whether it is differentiated.
    """

    shape: tuple[int, ...]
    values: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    dtype: Any = None
    wanted: bool = True
    kinks: tuple[float, ...] = ()
    explicit: bool = False

    def away(self, *points: float) -> Sample:
        """Keep the values at least 0.1 from these points, where the slope jumps."""
        return replace(self, kinks=points)

    def constant(self) -> Sample:
        """Ask no gradient of this input."""
        return replace(self, wanted=False)

    def of_shape(self, *shape: int) -> Sample:
        return replace(self, shape=shape)

    def draw(self, rng: np.random.Generator, dtype: Any = np.float64) -> np.ndarray:
        """Return an array of the sample's own dtype, or of ``dtype``."""
        values = self._away(np.asarray(self.values(rng, self.shape)))
        target = np.dtype(dtype if self.dtype is None else self.dtype)
        if target.kind == "c" and values.dtype.kind != "c":
            values = values + 1j * rng.uniform(-1.0, 1.0, values.shape)
        elif target.kind in "iu" and values.dtype.kind == "f":
            values = np.ceil(np.abs(values) if target.kind == "u" else values)
        return np.array(values.astype(target))

    def _away(self, values: np.ndarray) -> np.ndarray:
        for point in self.kinks:
            side = np.where(values < point, -0.1, 0.1)
            values = np.where(np.abs(values - point) < 0.1, point + side, values)
        return values


def between(low: float, high: float, *shape: int) -> Sample:
    """Uniform in an interval (the imaginary part of a complex draw lies in (-1, 1))."""
    return Sample(shape, lambda rng, shape: rng.uniform(low, high, shape))


def real(*shape: int) -> Sample:
    """Any real number: uniform in (-2, 2)."""
    return between(-2.0, 2.0, *shape)


def positive(*shape: int) -> Sample:
    """Uniform in (0.3, 2.5)."""
    return between(0.3, 2.5, *shape)


def nonzero(*shape: int) -> Sample:
    """Both signs, at least 0.3 from zero."""
    return Sample(
        shape, lambda rng, shape: rng.uniform(0.3, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
    )


def distinct(*shape: int) -> Sample:
    """Values in (-2, 2) that keep a distance from one another, for sort and max."""

    def spread(rng, shape):
        count = int(np.prod(shape))
        return (rng.permutation(count).reshape(shape) + 0.5) * (4.0 / max(count, 1)) - 2.0

    return Sample(shape, spread)


def regular(*shape: int) -> Sample:
    """Square matrices (the last two axes) far from singular."""
    return Sample(
        shape, lambda rng, shape: rng.uniform(-1.0, 1.0, shape) + 2.0 * np.eye(*shape[-2:])
    )


def definite(*shape: int) -> Sample:
    """Symmetric positive definite matrices (the last two axes), of float dtypes only."""

    def square(rng, shape):
        root = rng.uniform(-1.0, 1.0, shape)
        return root @ root.swapaxes(-1, -2) + np.eye(shape[-1])

    return Sample(shape, square)


def integers(low: int, high: int, *shape: int, dtype: Any = np.int64) -> Sample:
    """Integers low <= k < high, of a fixed dtype; never differentiated."""
    return Sample(shape, lambda rng, shape: rng.integers(low, high, shape), dtype, wanted=False)


def booleans(*shape: int) -> Sample:
    return Sample(shape, lambda rng, shape: rng.integers(0, 2, shape) > 0, np.bool_, wanted=False)


def given(values: Any, dtype: Any = None) -> Sample:
    """Return explicit values: floats take the dtype of the test, integers and booleans stay."""
    array = np.asarray(values)
    if dtype is None and array.dtype.kind in "biu":
        dtype = array.dtype
    wanted = np.dtype(dtype or array.dtype).kind in "fc"
    return Sample(array.shape, lambda rng, shape: array, dtype, wanted, explicit=True)


@dataclass(frozen=True)
class Case:
    """One call: arguments with samples in them, and what is known about the result."""

    args: tuple
    kwargs: dict[str, Any]
    expected: Any = None
    gradients: tuple | None = None

    def gives(self, expected: Any) -> Case:
        """Store the figures that the function must return, instead of asking the oracle."""
        return replace(self, expected=expected)

    def slopes(self, *gradients: Any) -> Case:
        """Store the gradient of the summed outputs for each differentiated sample, in order."""
        return replace(self, gradients=gradients)

    @property
    def any_shape(self) -> bool:
        """Whether no sample is a list of explicit values, which has one shape only."""
        return not any(sample.explicit for sample in self.samples())

    def samples(self) -> list[Sample]:
        found: list[Sample] = []
        substitute((self.args, self.kwargs), found.append)
        return found

    def with_shapes(self, shapes: Sequence[tuple[int, ...]]) -> Case:
        """Return the case with other shapes for its samples, one after the other."""
        remaining = iter(shapes)
        args, kwargs = substitute(
            (self.args, self.kwargs), lambda sample: sample.of_shape(*next(remaining))
        )
        return replace(self, args=args, kwargs=kwargs)

    def draw(self, seed: str, dtype: Any = np.float64) -> list[np.ndarray]:
        """Return the samples' arrays, the same ones for the same seed."""
        rng = np.random.default_rng(zlib.crc32(seed.encode()))
        return [sample.draw(rng, dtype) for sample in self.samples()]

    def fill(self, values: Sequence[Any]) -> tuple[tuple, dict[str, Any]]:
        """Return the arguments and keywords with these values in the samples' places."""
        remaining = iter(values)
        return substitute((self.args, self.kwargs), lambda sample: next(remaining))

    def __str__(self) -> str:
        shapes = ",".join("x".join(map(str, sample.shape)) or "()" for sample in self.samples())
        rest = [str(value) for value in self.args if not isinstance(value, Sample | list)]
        rest += [f"{k}={v}" for k, v in self.kwargs.items() if not isinstance(v, Sample)]
        text = ";".join([shapes, *rest]).replace(" ", "")
        return text.replace("slice(None,None,None)", ":")[:60]


def case(*args: Any, **kwargs: Any) -> Case:
    """Return the call ``function(*args, **kwargs)`` with samples where tensors stand."""
    return Case(args, kwargs)


def substitute(value: Any, replacement: Callable[[Sample], Any]) -> Any:
    """Return nested lists, tuples and dicts with every sample replaced."""
    if isinstance(value, Sample):
        return replacement(value)
    if type(value) in (list, tuple):
        return type(value)([substitute(item, replacement) for item in value])
    if type(value) is dict:
        return {key: substitute(item, replacement) for key, item in value.items()}
    return value


@dataclass(frozen=True)
class Row:
    """One operation and everything that the tests have to know about it.

    ``name``: PyTorch's name, with dots where it lives deeper (``linalg.solve``). ``function``: on
    Tensors; a primitive's is also called on raw arrays. ``oracle``: the same in NumPy, without
    AINO; None where every case stores its figures (or PyTorch is the only oracle there is).
    ``cases``: smooth points; each is checked in value and in derivatives.

    ``covers``: names in the registry that this row tests ("a b" for two); by default the
    function's own, or ``name`` where it is registered.
    ``torch``: PyTorch's name where it isn't ``name`` (looked up in torch, nn.functional, special,
    linalg, Tensor), or ``lambda torch, *arguments: ...``, or None where there is no counterpart.
    ``order``: 2 gradients and second derivatives are checked, 1 the former, 0 neither.
    ``kinks``: cases at ties and kinks with PyTorch's ``slopes``; compared, not differentiated.
    ``errors``: cases that must raise, here and in PyTorch.
    ``complex``: complex inputs are allowed. ``dtypes``: further dtypes compared with PyTorch
    (where PyTorch raises, AINO must raise too).
    ``elementwise``: the samples' shapes may be exchanged for any others (0-d, empty);
    ``broadcasts``: for any that broadcast. Both are known for ufuncs and for primitives that
    declare it, and apply to the first case.
    ``method``: the Tensor method, where it isn't called as the row; "" where there is none, as
    by default for names with a dot.
    ``seeded``: draws random numbers, so every call follows ``aino.manual_seed(0)``.
    ``rtol``, ``atol``: of values against the oracle in float64 (float32: 1e-5 at least).
    ``gradtol``: of the finite differences, absolute and relative.
    """

    name: str
    function: Callable
    oracle: Callable | None
    cases: list[Case]
    covers: str | None = None
    torch: str | Callable | None = ""
    order: int = 2
    kinks: list[Case] = field(default_factory=list)
    errors: list[Case] = field(default_factory=list)
    complex: bool = False
    dtypes: str = "bool uint8 int64 float32"
    elementwise: bool | None = None
    broadcasts: bool | None = None
    method: str | None = None
    seeded: bool = False
    rtol: float = 1e-9
    atol: float = 1e-11
    gradtol: float = 1e-5

    @property
    def primitive(self) -> Any:
        """The primitive behind the function, where the function is one itself."""
        return getattr(self.function, "primitive", None)

    @property
    def any_shape(self) -> bool:
        if self.elementwise is not None:
            return self.elementwise
        return self.any_broadcast or isinstance(getattr(self.primitive, "kernel", None), np.ufunc)

    @property
    def any_broadcast(self) -> bool:
        if self.broadcasts is not None:
            return self.broadcasts
        return bool(self.primitive is not None and self.primitive.broadcasts)

    @property
    def method_name(self) -> str:
        if self.method is None:
            return "" if "." in self.name else self.name
        return self.method

    @property
    def covered(self) -> tuple[str, ...]:
        """The primitives that this row tests."""
        if self.covers is not None:
            return tuple(self.covers.split())
        return (self.name,) if self.primitive is None else (self.primitive.name,)

    def __str__(self) -> str:
        return self.name
