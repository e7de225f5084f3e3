"""Random numbers: generators, and the one function through which every draw goes."""

from __future__ import annotations

import contextlib
import math
import os
import threading
from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.levels import drawn_in_level, running
from aino.autograd.tensor import Tensor, make
from aino.devices import CPU, check_device
from aino.errors import ArgumentError, DtypeError

__all__ = [
    "Generator", "default_generator", "manual_seed", "seed", "initial_seed", "get_rng_state",
    "set_rng_state",
]  # fmt: skip

_STATE_WORDS = 7  # the seed, a 128-bit state, a 128-bit increment, a half-used word and its flag
_MASK = (1 << 64) - 1


class Generator:
    """A source of random numbers with a state of its own (NumPy's PCG64).

    Arguments:
        device: ``"cpu"``; another raises ``DeviceError``.

    >>> import aino
    >>> generator = aino.Generator().manual_seed(3)
    >>> first = aino.rand(2, generator=generator)
    >>> aino.equal(first, aino.rand(2, generator=generator.manual_seed(3)))
    True
    """

    def __init__(self, device="cpu") -> None:
        check_device(device)
        self.device = CPU
        self._seed = 67280421310721
        self._source: Any = None

    @property
    def source(self) -> np.random.Generator:
        """NumPy's generator underneath; made at the first draw, as its module is slow to load."""
        if self._source is None:
            self._source = seeded(self._seed)
        return self._source

    def manual_seed(self, seed: int) -> Generator:
        """Start anew from ``seed``; returns the generator itself."""
        seed = int(seed)
        if not -(1 << 63) <= seed <= _MASK:
            raise ArgumentError(f"a seed has 64 bits, got {seed}")
        if intercepted.function is not None:
            intercepted.function(self, "manual_seed", seed)
            return self
        self._seed = seed & _MASK
        self._source = None
        return self

    def seed(self) -> int:
        """Start anew from a seed that the system chooses, and return it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little") >> 11)
        return self._seed

    def initial_seed(self) -> int:
        """Return the seed that this generator started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """Return the state as a uint8 tensor."""
        if intercepted.function is not None:
            intercepted.function(self, "get_state")
        state: Any = self.source.bit_generator.state
        inner, increment = state["state"]["state"], state["state"]["inc"]
        words = [self._seed, inner & _MASK, inner >> 64, increment & _MASK, increment >> 64]
        words += [state["has_uint32"], state["uinteger"]]
        return make(np.array(words, "<u8").view(np.uint8))

    def set_state(self, new_state: Tensor) -> Generator:
        """Continue from what ``get_state`` returned."""
        if intercepted.function is not None:
            intercepted.function(self, "set_state")
        array = new_state.array
        if array.dtype != np.uint8 or array.shape != (8 * _STATE_WORDS,):
            raise DtypeError(
                f"a generator's state is a uint8 tensor of shape {(8 * _STATE_WORDS,)}, got "
                f"{array.dtype} of shape {array.shape}"
            )
        words = [int(word) for word in np.ascontiguousarray(array).view("<u8")]
        self.source.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": words[1] | words[2] << 64, "inc": words[3] | words[4] << 64},
            "has_uint32": words[5],
            "uinteger": words[6],
        }
        self._seed = words[0]
        return self

    def clone_state(self) -> Generator:
        """Return another generator in the same state."""
        return Generator().set_state(self.get_state())

    def __reduce__(self):
        return _generator_of, (self.get_state().array.tobytes(),)

    def __repr__(self) -> str:
        return f"<aino.Generator seeded with {self._seed}>"


def _generator_of(state: bytes) -> Generator:
    return Generator().set_state(make(np.frombuffer(state, np.uint8)))


#: The generator of every draw that names none. Its seed is the system's choice in each process, as
#: in PyTorch, until ``manual_seed`` is called; that of a ``Generator()`` is always the same.
default_generator = Generator()


class _Interception(threading.local):
    """``function``, where it is set, answers this thread's draws instead of ``draw``.

    It is also told of ``manual_seed``, ``get_state`` and ``set_state``.
    """

    function: Any = None


intercepted = _Interception()
default_generator.seed()


def draw(generator: Generator | None, kind: str, shape, dtype, *parameters) -> np.ndarray:
    """Return an array of random numbers: the one way to them, which a tracer may watch.

    Arguments:
        generator: where they come from; the default generator for None.
        kind: ``"uniform"`` in [0, 1), ``"normal"`` and ``"exponential"`` of mean or variance 1,
            ``"integers"``, ``"permutation"``, ``"poisson"``, ``"gamma"``, ``"binomial"`` or
            ``"vonmises"``.
        shape: the shape of the array.
        dtype: its dtype.
        parameters: low and high of integers, the length of a permutation, Poisson's rates, gamma's
            concentrations, the binomial's counts and probabilities, von Mises' angles and
            concentrations.
    """
    if generator is None:
        generator = default_generator
    elif not isinstance(generator, Generator):
        raise TypeError(f"expected an aino.Generator, got {type(generator).__name__}")
    if running.levels:
        return drawn_in_level(draw, generator, kind, shape, dtype, *parameters)
    if intercepted.function is not None:
        return intercepted.function(generator, kind, shape, dtype, *parameters)
    return drawn(generator.source, kind, shape, dtype, *parameters)


def drawn(source: np.random.Generator, kind: str, shape, dtype, *parameters) -> np.ndarray:
    """Return what ``draw`` returns, from NumPy's generator: a saved program has no other."""
    return np.asarray(_DRAWS[kind](source, shape, dtype, *parameters))


def seeded(seed: int) -> np.random.Generator:
    """Return NumPy's generator that starts from a seed."""
    return np.random.Generator(np.random.PCG64(seed & _MASK))


def _uniform(source, shape, dtype):
    if dtype is dtypes.float32 or dtype is dtypes.float64:
        return source.random(shape, dtype)
    if dtype.kind == "c":
        part = dtypes.float32 if dtype is dtypes.complex64 else dtypes.float64
        return source.random((*shape, 2), part).view(dtype)[..., 0]
    # float16 has 11 bits; rounding a float32 could give the 1.0 that is left out.
    return (source.integers(0, 2048, shape) / 2048.0).astype(dtype)


def _normal(source, shape, dtype):
    if dtype is dtypes.float32 or dtype is dtypes.float64:
        return source.standard_normal(shape, dtype)
    if dtype.kind == "c":
        part = dtypes.float32 if dtype is dtypes.complex64 else dtypes.float64
        parts = source.standard_normal((*shape, 2), part)
        parts *= math.sqrt(0.5)
        return parts.view(dtype)[..., 0]
    return source.standard_normal(shape, dtypes.float32).astype(dtype)


def _exponential(source, shape, dtype):
    if dtype is dtypes.float32 or dtype is dtypes.float64:
        return source.standard_exponential(shape, dtype)
    return source.standard_exponential(shape, dtypes.float32).astype(dtype)


def _integers(source, shape, dtype, low, high):
    if dtype.kind in "iub":
        try:
            return source.integers(low, high, shape, dtype)
        except ValueError:
            raise DtypeError(f"{dtype} can't hold {low}, ..., {high - 1}") from None
    return source.integers(low, high, shape).astype(dtype)


_DRAWS: dict[str, Any] = {
    "uniform": _uniform,
    "normal": _normal,
    "exponential": _exponential,
    "integers": _integers,
    "permutation": lambda source, shape, dtype, n: source.permutation(n).astype(dtype, copy=False),
    "poisson": lambda source, shape, dtype, rate: source.poisson(rate, shape).astype(dtype),
    "gamma": lambda source, shape, dtype, a: source.standard_gamma(a, shape).astype(dtype),
    "binomial": lambda source, shape, dtype, n, p: source.binomial(n, p, shape).astype(dtype),
    "vonmises": lambda source, shape, dtype, m, k: source.vonmises(m, k, shape).astype(dtype),
}


# The generator that is used where none is named


def manual_seed(seed: int) -> Generator:
    """Start the default generator anew, and return it.

    Arguments:
        seed: an integer of 64 bits; the same numbers follow from the same seed.

    >>> import aino
    >>> _ = aino.manual_seed(3)
    >>> first = aino.rand(2)
    >>> _ = aino.manual_seed(3)
    >>> aino.equal(first, aino.rand(2))
    True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator from a seed that the system chooses, and return that.

    >>> import aino
    >>> aino.seed() == aino.initial_seed()
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """Return the seed that the default generator started from.

    >>> import aino
    >>> _ = aino.manual_seed(3)
    >>> aino.initial_seed()
    3
    """
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Return the state of the default generator as a uint8 tensor.

    >>> import aino
    >>> state = aino.get_rng_state()
    >>> first = aino.rand(2)
    >>> aino.set_rng_state(state)
    >>> aino.equal(first, aino.rand(2))
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Continue the default generator from a state that it had.

    Raises ``DtypeError`` for what is no state.

    Arguments:
        new_state: what ``get_rng_state`` returned.

    >>> import aino
    >>> state = aino.get_rng_state()
    >>> aino.set_rng_state(state)
    >>> aino.equal(state, aino.get_rng_state())
    True
    """
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices=None, enabled: bool = True):
    """Leave the default generator after a ``with`` block as it was before.

    Arguments:
        devices: accelerators whose generators are meant, too: has no effect, there are none.
        enabled: False does nothing.

    >>> import aino
    >>> before = aino.get_rng_state()
    >>> with fork_rng():
    ...     noise = aino.rand(3)
    >>> aino.equal(before, aino.get_rng_state())
    True
    """
    state = default_generator.get_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            default_generator.set_state(state)
