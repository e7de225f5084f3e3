"""Every operation of the calculus against PyTorch, on 100,000 elements, forward and backward.

python -m benchmarks operations            all of them (ten minutes)
python -m benchmarks operations sort fft   those whose name contains one of these

The rows of ``tests/calculus`` say how an operation is called. A case of theirs is scaled up, each
axis by the same factor, until the largest tensor that goes in or comes out has 100,000 elements:
a matrix becomes one of some 300 x 300, a batch of small matrices a larger batch of larger ones.
Both libraries compute with float32 on one core, in turns, and neither hands memory back to the
system in between: who has to ask for new pages would be a matter of chance.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Contender, calls_within
from benchmarks.operations_reasons import reason_for

SIZE = 100_000
#: What is slower than so many times PyTorch is listed; what has a reason and is far from it, too.
SLOW, FAST = 3.0, 2.0
#: Each step of the search for a size multiplies the axes by so much.
STEP = 1.25
#: What <malloc.h> of the GNU C library calls them.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
FORWARD, BACKWARD = "forward", "forward and backward"


@dataclass(frozen=True)
class Measured:
    """The times of an operation, in seconds a call, and how many times PyTorch's that is."""

    name: str
    shapes: str
    seconds: dict[str, tuple[float, float]]

    def ratio(self, what: str) -> float:
        ours, theirs = self.seconds.get(what, (0.0, 1.0))
        return ours / theirs

    @property
    def worst(self) -> float:
        return max(map(self.ratio, self.seconds))


def main(names: Sequence[str], rounds: int, seconds: float) -> int:
    """Measure, print the table and what is slower than it may be; return how much has no reason."""
    if peers.torch() is None:
        print("PyTorch is not installed, and the benchmark compares with it")
        return 1
    warnings.simplefilter("ignore")
    keep_memory()
    found, unscaled = [], []
    for name, rows in operations(names):
        measured = next(filter(None, (measure(row, rounds, seconds) for row in rows)), None)
        if measured is None:
            unscaled.append(name)
        else:
            found.append(measured)
            print(line(measured), flush=True)
    print("\nby ratio, the slowest first:\n")
    found.sort(key=lambda measured: -measured.worst)
    print("\n".join(map(line, found)))
    if unscaled:
        print(f"\nhave no case of 100,000 elements: {', '.join(unscaled)}")
    return verdict(found)


def keep_memory() -> None:
    """Let the C library keep what is freed, where it is one that can be told to."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            mallopt(parameter, 1 << 30)


def verdict(found: Sequence[Measured]) -> int:
    """Print what is slower than 3 times PyTorch by its reason; return how much has none."""
    slow = [measured for measured in found if measured.worst > SLOW]
    unexplained = [measured.name for measured in slow if reason_for(measured.name) is None]
    print(f"\nslower than {SLOW:g} times PyTorch, {len(slow)} of {len(found)}, because:")
    for reason in dict.fromkeys(filter(None, (reason_for(measured.name) for measured in slow))):
        names = [measured.name for measured in slow if reason_for(measured.name) == reason]
        print(f"  {reason}:\n    {', '.join(names)}")
    if unexplained:
        print(f"  NO REASON IS GIVEN for {', '.join(unexplained)}")
    stale = [m.name for m in found if reason_for(m.name) and m.worst < FAST]
    if stale:
        print(f"\nhave a reason and are not slow here: {', '.join(stale)}")
    return len(unexplained)


def line(measured: Measured) -> str:
    cells = []
    for what in (FORWARD, BACKWARD):
        if what in measured.seconds:
            ours, theirs = measured.seconds[what]
            cells.append(f"{ours * 1e6:9.0f} {theirs * 1e6:9.0f} {ours / theirs:7.2f}")
    return f"{measured.name[:44]:44} {'   '.join(cells):56} {measured.shapes}".rstrip()


def operations(names: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    """Yield each operation that PyTorch has with its rows, by the names asked for."""
    from tests.calculus.harness import load_rows

    found: dict[str, list[Any]] = {}
    for row in load_rows():
        if row.torch is not None and (not names or any(name in row.name for name in names)):
            found.setdefault(row.name, []).append(row)
    yield from found.items()


def measure(row: Any, rounds: int, seconds: float) -> Measured | None:
    """Return the times of a row's first case that is large, or can be scaled up, or None."""
    from benchmarks.operations_cases import CASES

    cases = [CASES[row.name]] if row.name in CASES else [*row.cases, *row.kinks]
    scaled = next(filter(None, (scale(row, case) for case in cases)), None)
    if scaled is None:
        return None
    arrays = scaled.draw(row.name, np.float32)
    times = {FORWARD: turns(*forward(row, scaled, arrays), rounds, seconds)}
    both = backward(row, scaled, arrays)
    if both is not None:
        times[BACKWARD] = turns(*both, rounds, seconds)
    return Measured(
        row.name, " ".join(str(array.shape).replace(" ", "") for array in arrays), times
    )


def scale(row: Any, case: Any) -> Any:
    """Return the case with axes so long that the largest tensor has 100,000 elements, or None."""
    factor = 1.0
    while factor < SIZE:
        scaled = enlarged(case, factor)
        given = [sample.shape for sample in scaled.samples()]
        factor *= STEP
        if max([math.prod(shape) for shape in given], default=SIZE) > 4 * SIZE:
            return None
        shapes = outputs(row, scaled)
        if shapes is None:  # a length that the operation can't take, as an odd one of glu
            continue
        if max([math.prod(shape) for shape in [*given, *shapes]], default=0) >= 0.8 * SIZE:
            return scaled
    return None


def outputs(row: Any, case: Any) -> list[tuple[int, ...]] | None:
    """Return the shapes of what both libraries return, None where they don't agree, or raise."""
    arrays = case.draw(row.name, np.float32)
    try:
        with np.errstate(all="ignore"):
            ours = [as_array(y) for y in results(row, case, ours_of(case, arrays))]
        theirs = counterpart_results(row, case, theirs_of(case, arrays))
    except Exception:
        return None
    shapes = [tuple(y.shape) for y in theirs if hasattr(y, "shape")]
    return shapes if [y.shape for y in ours if isinstance(y, np.ndarray)] == shapes else None


def enlarged(case: Any, factor: float) -> Any:
    """Return the case with every axis longer than 1 as many times as long; values are repeated."""
    from tests.calculus.row import substitute

    def larger(sample: Any) -> Any:
        shape = tuple([n if n < 2 else round(n * factor) for n in sample.shape])
        values = sample.values
        if sample.explicit:
            values = lambda rng, shape: np.resize(sample.values(rng, sample.shape), shape)  # noqa: E731
        return replace(sample, shape=shape, values=values)

    args, kwargs = substitute((case.args, case.kwargs), larger)
    return replace(case, args=args, kwargs=kwargs)


def forward(row: Any, case: Any, arrays: list[np.ndarray]) -> tuple[Callable, Callable]:
    """Return what computes the values, without a graph, in AINO and in PyTorch."""
    ours, theirs = ours_of(case, arrays), theirs_of(case, arrays)
    return lambda: results(row, case, ours), lambda: counterpart_results(row, case, theirs)


def backward(row: Any, case: Any, arrays: list[np.ndarray]) -> tuple[Callable, Callable] | None:
    """Return what computes values and gradients, where both libraries have them."""
    import torch

    import aino

    if not row.order:
        return None
    ours, theirs = ours_of(case, arrays, True), theirs_of(case, arrays, True)
    try:
        values = [results(row, case, ours), counterpart_results(row, case, theirs)]
    except Exception:  # a view of a leaf that is written to
        return None
    seeds = [
        [library.ones_like(y) for y in values if getattr(y, "requires_grad", False)]
        for library, values in zip((aino, torch), values)
    ]
    targets = [[x for x in tensors if x.requires_grad] for tensors in (ours, theirs)]
    if not all(seeds) or not all(targets):
        return None

    def our_gradients() -> Any:
        used = [y for y in results(row, case, ours) if getattr(y, "requires_grad", False)]
        return aino.autograd.grad(used, targets[0], seeds[0], allow_unused=True)

    def their_gradients() -> Any:
        values = counterpart_results(row, case, theirs)
        used = [y for y in values if getattr(y, "requires_grad", False)]
        return torch.autograd.grad(used, targets[1], seeds[1], allow_unused=True)

    try:
        our_gradients(), their_gradients()
    except Exception:  # PyTorch has no derivative of it
        return None
    return our_gradients, their_gradients


def turns(ours: Callable, theirs: Callable, rounds: int, seconds: float) -> tuple[float, float]:
    """Return the medians of both, which take turns, in seconds a call."""
    contenders = [Contender("AINO", ours), Contender("PyTorch", theirs)]
    with np.errstate(all="ignore"):
        counts = [calls_within(contender, seconds) for contender in contenders]
        taken: list[list[float]] = [[], []]
        spent, start = 0.0, time.perf_counter()
        while len(taken[0]) < rounds and (spent < 40 * seconds or len(taken[0]) < 3):
            for position in (0, 1) if len(taken[0]) % 2 else (1, 0):
                count = counts[position]
                taken[position].append(contenders[position].timed(count) / count)
            spent = time.perf_counter() - start
    return statistics.median(taken[0]), statistics.median(taken[1])


def results(row: Any, case: Any, tensors: list[Any]) -> list[Any]:
    args, kwargs = case.fill(tensors)
    return flat(row.function(*args, **kwargs))


def counterpart_results(row: Any, case: Any, tensors: list[Any]) -> list[Any]:
    """Return what PyTorch's function of a row returns, as a list."""
    import torch

    args, kwargs = case.fill(tensors)
    args, kwargs = translated((args, kwargs))
    if callable(row.torch):
        return flat(row.torch(torch, *args, **kwargs))
    for prefix in ("", "nn.functional.", "special.", "linalg.", "fft.", "Tensor."):
        function: Any = torch
        for part in f"{prefix}{row.torch or row.name}".split("."):
            function = getattr(function, part, None)
        if function is not None:
            return flat(function(*args, **kwargs))
    raise LookupError(f"PyTorch has no {row.name}")


def translated(value: Any) -> Any:
    """Return nested arguments with PyTorch's dtypes for NumPy's."""
    import torch

    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return getattr(torch, np.dtype(value).name)
    if type(value) in (list, tuple):
        return type(value)([translated(item) for item in value])
    if type(value) is dict:
        return {key: translated(item) for key, item in value.items()}
    return value


def flat(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [part for item in result for part in flat(item)]
    return [result]


def as_array(value: Any) -> Any:
    return getattr(value, "array", value)


def ours_of(case: Any, arrays: list[np.ndarray], gradients: bool = False) -> list[Any]:
    """Return AINO's tensors of a case; with ``gradients`` those that are differentiated say so."""
    import aino

    return [
        aino.from_numpy(array.copy()).requires_grad_(gradients and wanted(sample, array))
        for sample, array in zip(case.samples(), arrays)
    ]


def theirs_of(case: Any, arrays: list[np.ndarray], gradients: bool = False) -> list[Any]:
    """Return PyTorch's tensors of a case."""
    import torch

    return [
        torch.from_numpy(array.copy()).requires_grad_(gradients and wanted(sample, array))
        for sample, array in zip(case.samples(), arrays)
    ]


def wanted(sample: Any, array: np.ndarray) -> bool:
    return sample.wanted and array.dtype.kind in "fc"
