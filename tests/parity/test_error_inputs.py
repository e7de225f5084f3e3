"""PyTorch's own wrong arguments: AINO refuses them with PyTorch's type of error, and in words."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import aino
from aino.errors import AinoError
from tests.parity.compare import plain, torch
from tests.parity.op_db import entries, operation_of


def rows():
    return [
        name
        for name, op in entries().items()
        if op.error_inputs_func is not None and operation_of(op) is not None
    ]


def given(value: Any) -> Any:
    """Return what AINO is given for an argument; tensors share the memory, as PyTorch's do."""
    if isinstance(value, torch.Tensor):
        return aino.from_numpy(value.detach().numpy()).requires_grad_(value.requires_grad)
    if value is torch.bfloat16:
        raise AttributeError("NumPy has no bfloat16")
    if isinstance(value, (torch.dtype, torch.layout)):
        return getattr(aino, str(value).removeprefix("torch."))
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, dict):
        return {key: given(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(given(item) for item in value)
    return value


def outcome(function, sample, convert=lambda value: value):
    """Return what a call returns, or the error that it raises."""
    arguments = [convert(value) for value in (sample.input, *sample.args)]
    keywords = convert(sample.kwargs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*arguments, **keywords)
        except Exception as error:
            return error


def wrong(name):
    """Yield PyTorch's error for each wrong sample of an entry, and two samples of the same kind."""
    op = entries()[name]
    # Each is made anew: a call may write into its sample before it raises. ``op.error_inputs``
    # itself would look up the test's frames for each of them.
    made = []
    for _ in range(3):
        torch.manual_seed(0)
        made.append(list(op.error_inputs_func(op, "cpu")))
    for first, *others in zip(*made):
        error = outcome(op.op, first.sample_input)
        if isinstance(error, Exception):  # of some, PyTorch only warns
            yield error, *[other.sample_input for other in others]


def can_be_given(sample) -> bool:
    """Tell whether the arguments exist here: no other device, sparse layout or 65th dimension."""
    try:
        given((sample.input, sample.args, sample.kwargs))
    except (AttributeError, TypeError, ValueError):
        return False
    return True


# What is answered where PyTorch refuses: each says why, and tells whether the answer is right.


def number_beside_a_tensor(op, error, answer, sample) -> bool:
    """A number beside a tensor counts as a 0-d one, as it does for operators and for NumPy."""
    operands = (sample.input, *sample.args)
    if not isinstance(error, TypeError) or not any(map(torch.is_tensor, operands)):
        return False
    numbers = [x if torch.is_tensor(x) else torch.tensor(x) for x in operands]
    try:
        expected = op.op(*numbers, **sample.kwargs)
    except NotImplementedError:  # of integers
        expected = op.op(*[x.double() for x in numbers], **sample.kwargs)
    return np.allclose(plain(answer), plain(expected))


def written_as_if_computed_first(op, error, answer, sample) -> bool:
    """What overlaps ``out=`` is read before it is written, and other dtypes that fit are cast."""
    out = sample.kwargs.pop("out", None)
    refusals = ("some elements of the input tensor", "to have dtype", "scalar type", "Long tensor")
    if out is None or not any(words in str(error) for words in refusals):
        return False
    if op.name == "multinomial":  # drawn from whatever was in memory
        return answer.shape[-1] == sample.args[0]
    parts = answer if isinstance(answer, tuple) else (answer,)
    expected = outcome(operation_of(op), sample, given)
    expected = expected if isinstance(expected, tuple) else (expected,)
    return all(np.allclose(plain(a), plain(b)) for a, b in zip(parts, expected, strict=True))


ANSWERED = [number_beside_a_tensor, written_as_if_computed_first]


@pytest.mark.parametrize("name", rows())
def test_what_is_wrong_is_refused_as_in_pytorch(name):
    op = entries()[name]
    for error, sample, again in wrong(name):
        if not can_be_given(sample):
            continue
        answer = outcome(operation_of(op), sample, given)
        label = f"{sample}: {answer!r}, PyTorch's {error!r}"
        if isinstance(answer, Exception):
            assert isinstance(answer, type(error)), label
            assert isinstance(answer, AinoError), label
        else:
            assert any(right(op, error, answer, again) for right in ANSWERED), label


def test_there_are_many():
    assert sum(len(list(wrong(name))) for name in rows()) > 500


# What a wrong sample of PyTorch's does not reach


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: aino.add(2, 3), r"add takes tensors; it was given numbers alone, \(2, 3\)"),
        (lambda: aino.maximum(2.0, 3), "maximum takes tensors; it was given numbers"),
        (lambda: aino.exp(2.0), "exp takes tensors; it was given a number alone, 2.0"),
        (lambda: aino.igamma(1, 2), "takes tensors"),
        (lambda: aino.linspace(0, 1, 2.5), "linspace: the number of steps is an integer, not 2.5"),
        (lambda: aino.hsplit(aino.ones(2), "2"), "expected integers, got '2'"),
        (lambda: aino.ones(2).sum(0.5), "a dimension is an integer, not 0.5"),
        (lambda: aino.ones(2).flip("a"), "expected integers, got 'a'"),
        (lambda: aino.ones(2).narrow(0, 0.5, 1), "narrow: start is an integer, not 0.5"),
        (lambda: aino.ones(2).select(0, 0.5), "select: the index is an integer, not 0.5"),
        (lambda: aino.ones(2, 2).tril(0.5), "tril: diagonal is an integer, not 0.5"),
        (lambda: -aino.tensor([True]), "neg is not there for bool"),
        (lambda: aino.bitwise_and(aino.ones(2), 1), "bitwise_and is not there for float32"),
    ],
)
def test_the_words(call, words):
    with pytest.raises(AinoError, match=words) as caught:
        call()
    assert isinstance(caught.value, (TypeError, RuntimeError))
