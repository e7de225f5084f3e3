"""How many threads compute: AINO's own, and those of the BLAS underneath NumPy.

AINO shares long elementwise work, convolutions, attention and the steps of optimizers between two
threads at most, and large products of matrices where a compiled program has such work beside them.
Other products are NumPy's; its wheels carry OpenBLAS, which is told directly. Another BLAS (MKL,
Accelerate) is reached by the package threadpoolctl, where that is installed.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aino.threads import CORES, worker
from aino.tracing import session, takes_out, unconditional

_NAMES = (
    "scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads64_", "openblas_{}_num_threads",
)  # fmt: skip
_chosen: list[int] = []


def _libraries() -> Iterator[Path]:
    """The BLAS libraries that lie in NumPy's own wheel."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs", package / "DLLs"):
        yield from sorted(folder.glob("*openblas*"))


def _blas(verb: str) -> Callable[..., Any] | None:
    """OpenBLAS's own function that gets or sets its number of threads, None without one."""
    for path in _libraries():
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for name in _NAMES:
            function = getattr(library, name.format(verb), None)
            if function is not None:
                return function
    return None


def _set_blas(count: int) -> bool:
    """Tell the BLAS how many threads it may use; return whether it was reached."""
    function = _blas("set")
    if function is not None:
        function(ctypes.c_int(count))
        return True
    try:
        import threadpoolctl
    except ImportError:
        return False
    pools = threadpoolctl.ThreadpoolController().select(user_api="blas")
    pools.limit(limits=count)
    return bool(pools.lib_controllers)


@functools.cache
def _getter_and_setter() -> tuple[Callable[..., Any] | None, Callable[..., Any] | None]:
    return _blas("get"), _blas("set")


def blas_addresses() -> tuple[int, int]:
    """Return where OpenBLAS's functions lie that get and set its number of threads, or zeros."""
    get, set_to = _getter_and_setter()
    if get is None or set_to is None:
        return 0, 0
    first, second = [ctypes.cast(f, ctypes.c_void_p).value for f in (get, set_to)]  # type: ignore[arg-type]
    return first or 0, second or 0


def share(function: Callable[[Any], None], parts: list) -> None:
    """Call a function that multiplies small matrices on two parts at the same time, or on one.

    Meanwhile BLAS computes on the thread that calls it: its own threads would have to be woken
    for each of the products. Where it may only use one, one part follows the other.
    """
    if session.recorder is not None:
        with session.recorder.one_thread():
            session.recorder.both(function, parts)
        return
    with one_blas_thread() as may_share:
        if may_share:
            worker.share(function, parts)
        else:
            for part in parts:
                function(part)


def side_by_side(function: Callable[[Any], None], parts: list) -> None:
    """Call a function that multiplies no matrices on two parts at the same time, or on one."""
    if session.recorder is not None:
        session.recorder.both(function, parts)
    else:
        worker.share(function, parts)


@contextlib.contextmanager
def one_blas_thread() -> Iterator[bool]:
    """Let BLAS compute on the thread that calls it; says whether it might have used more.

    For products of which each takes less time than its threads need to wake and to wait.
    """
    if session.recorder is not None:
        with session.recorder.one_thread():
            yield False
        return
    get, set_to = _getter_and_setter()
    count = 1 if get is None or worker.alone else int(get())
    if count < 2 or set_to is None:
        yield False
        return
    set_to(1)
    try:
        yield True
    finally:
        set_to(count)


def by_halves(function: Callable[..., None], length: int, *operands: Any) -> None:
    """Call ``function(part, *operands)`` with the slice of all, or with both halves where it pays.

    That is where its calls of NumPy are walked in C, in which a second thread begins at once.
    """
    if session.recorder is None or length < 2:
        function(slice(0, length), *operands)
        return
    parts = [slice(0, length // 2), slice(length // 2, length)]
    session.recorder.both(lambda part: function(part, *operands), parts)


#: A product of at most so many multiplications takes one thread of OpenBLAS by itself.
SMALL_PRODUCT = 1 << 18
#: Both halves of a product of at least so many are done sooner than the whole: AINO's thread has
#: to be woken.
HALVED_PRODUCT = 1 << 22


@takes_out
@unconditional
def shared_product(a, b, out=None):
    """Return a · b, of which AINO's two threads compute one half each, if that is quicker.

    OpenBLAS's threads wait for the next product in a loop, 2²⁶ ticks of the clock long, and are in
    the way of AINO's where there are two cores: long elementwise work takes twice its time then.
    Where it may use more, or one alone, it computes the product as it would.
    """
    if out is None:
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        out = np.empty_like(a, np.result_type(a, b), order="C", shape=shape)
    if a.shape[-2] * a.shape[-1] * b.shape[-1] <= SMALL_PRODUCT:
        return np.matmul(a, b, out=out)
    if session.recorder is not None:
        session.recorder.product(_halves(a, b, out), (a, b, out))
        return out
    get, _ = _getter_and_setter()
    if get is None or get() != 2:
        return np.matmul(a, b, out=out)
    share(lambda part: np.matmul(part[0], part[1], out=part[2]), _halves(a, b, out))
    return out


def _halves(a, b, out):
    """Return a product as one part or two: of its matrices, its rows or its columns."""
    if out.size * a.shape[-1] < HALVED_PRODUCT:
        return [(a, b, out)]
    if out.ndim > 2 and a.ndim == b.ndim == out.ndim and len(a) == len(b) > 1:
        cut: Any = len(out) // 2
        return [(a[:cut], b[:cut], out[:cut]), (a[cut:], b[cut:], out[cut:])]
    # In multiples of 16, in which BLAS computes.
    cut = (max(out.shape[-2:]) // 2 + 15) // 16 * 16
    if out.shape[-2] >= out.shape[-1]:
        return [(a[..., :cut, :], b, out[..., :cut, :]), (a[..., cut:, :], b, out[..., cut:, :])]
    return [(a, b[..., :cut], out[..., :cut]), (a, b[..., cut:], out[..., cut:])]


def set_num_threads(num: int) -> None:
    """Let this many threads compute at the same time.

    1 keeps all work in the calling thread. AINO's own work takes two at most, products of
    matrices as many as are given. Results do not depend on it, except that a BLAS may add the
    terms of a product in another order.

    Raises ``RuntimeError`` for what is not a positive whole number; warns where the BLAS that
    NumPy uses cannot be told.

    >>> import aino
    >>> before = aino.get_num_threads()
    >>> aino.set_num_threads(1)
    >>> aino.get_num_threads()
    1
    >>> aino.set_num_threads(before)
    """
    if isinstance(num, bool) or not isinstance(num, int | np.integer):
        raise RuntimeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, but got {num}")
    count = int(num)
    worker.alone = count == 1
    _chosen[:] = [count]
    if not _set_blas(count):
        warnings.warn(
            "NumPy's BLAS cannot be reached, and keeps its number of threads; install "
            "threadpoolctl, or set OMP_NUM_THREADS before Python starts",
            RuntimeWarning,
            stacklevel=2,
        )


def get_num_threads() -> int:
    """Return how many threads may compute: what was set, else what the BLAS takes by itself."""
    if _chosen:
        return _chosen[0]
    function = _blas("get")
    return CORES if function is None else int(function())


def get_num_interop_threads() -> int:
    """Return 1: one operation runs after the other."""
    return 1


def set_num_interop_threads(num: int) -> None:
    """Take any positive number, and change nothing: one operation runs after the other.

    Raises ``RuntimeError`` for what is not a positive whole number.
    """
    if isinstance(num, bool) or not isinstance(num, int) or num < 1:
        raise RuntimeError(f"set_num_interop_threads expects a positive integer, not {num!r}")


def share_cores(processes: int) -> None:
    """Leave the other processes on this machine their cores.

    What the user has set, by ``set_num_threads`` or in the environment, stays.
    """
    total = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    told = any(name in os.environ for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"))
    count = max(1, total // processes)
    if processes > 1 and not _chosen:
        worker.alone = count == 1
        if not told:
            _set_blas(count)
