"""Random numbers, from AINO's generator; those that name a seed are the same each time."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.onnx.importing.block import Running
from aino.onnx.importing.elements import dtype_of
from aino.onnx.importing.table import Float, Value, operator
from aino.ops.random.generator import Generator
from aino.ops.random.sampling import rand, randn


def _generator(seed: float | None) -> Generator | None:
    return None if seed is None else Generator().manual_seed(int(seed))


@operator("RandomNormal", random=True)
def random_normal(
    *, dtype: int, mean: float, scale: float, seed: float | None = None, shape: list[int]
) -> Tensor:
    x = randn(shape, generator=_generator(seed)) * scale + mean
    return x.to(dtype_of(dtype))


@operator("RandomUniform", random=True)
def random_uniform(
    *, dtype: int, high: float, low: float, seed: float | None = None, shape: list[int]
) -> Tensor:
    x = rand(shape, generator=_generator(seed)) * (high - low) + low
    return x.to(dtype_of(dtype))


@operator("RandomNormalLike", random=True)
def random_normal_like(
    input: Value, *, dtype: int | None = None, mean: float, scale: float, seed: float | None = None
) -> Tensor:
    x = randn(tuple(input.shape), generator=_generator(seed)) * scale + mean
    return x.to(dtype_of(dtype) if dtype else input.dtype)


@operator("RandomUniformLike", random=True)
def random_uniform_like(
    input: Value, *, dtype: int | None = None, high: float, low: float, seed: float | None = None
) -> Tensor:
    x = rand(tuple(input.shape), generator=_generator(seed)) * (high - low) + low
    return x.to(dtype_of(dtype) if dtype else input.dtype)


@operator("Bernoulli", random=True)
def bernoulli(input: Tensor, *, dtype: int | None = None, seed: float | None = None) -> Tensor:
    drawn = rand(tuple(input.shape), generator=_generator(seed)) < input.detach()
    return drawn.to(dtype_of(dtype) if dtype else input.dtype)


@operator("Multinomial", random=True)
def multinomial(
    input: Tensor, *, dtype: int, sample_size: int, seed: float | None = None
) -> Tensor:
    chances = input.detach().softmax(1)
    drawn = chances.multinomial(sample_size, True, generator=_generator(seed))
    return drawn.to(dtype_of(dtype))


def _dropped(data: Tensor, ratio: float, seed: int | None, outputs: int, active: bool) -> Any:
    if not active or not ratio:
        ones = Tensor(np.ones(tuple(data.shape), bool))
        return (data, ones)[:outputs]
    if seed is None:
        drawn = rand(tuple(data.shape))
    else:
        # What ONNX's own tests take a seed for.
        drawn = Tensor(np.random.RandomState(seed % 2**32).uniform(0, 1, tuple(data.shape)))
    mask = drawn >= ratio
    scale = 0.0 if ratio >= 1 else 1 / (1 - ratio)
    return (data * mask * scale).to(data.dtype), mask


@operator("Dropout", 12, random=True)
def dropout(
    data: Tensor,
    ratio: Float | None = None,
    training_mode: Float | None = None,
    *,
    seed: int | None = None,
    outputs: int,
    running: Running,
) -> Any:
    active = bool(training_mode) and running.training
    return _dropped(data, 0.5 if ratio is None else ratio, seed, outputs, active)[:outputs]


@operator("Dropout", 7)
def former_dropout(data: Tensor, *, ratio: float, outputs: int) -> Any:
    return _dropped(data, ratio, None, outputs, False)


@operator("Dropout", random=True)
def oldest_dropout(
    data: Tensor,
    *,
    is_test: int,
    ratio: float,
    consumed_inputs: list[int] | None = None,
    outputs: int,
    running: Running,
) -> Any:
    active = not is_test and running.training
    return _dropped(data, ratio, None, outputs, active)[:outputs]
