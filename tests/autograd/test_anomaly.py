"""detect_anomaly: the operation that first made a NaN, and the line that asked for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import aino
from aino.autograd import detect_anomaly, set_detect_anomaly
from aino.errors import AnomalyError

PACKAGE = Path(aino.__file__).parent


def makes_nan(x):
    y = x.sqrt()  # the line that is to blame
    return (y * 0.0 + x).sum()


def zero():
    return aino.tensor([0.0, 1.0], requires_grad=True)


def test_the_operation_and_the_line_are_named():
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        makes_nan(zero()).backward()
    message = str(caught.value)
    assert "SqrtBackward0" in message
    assert "input 0" in message
    assert "the line that is to blame" in message
    assert __file__ in message
    assert isinstance(caught.value, RuntimeError)


def test_without_it_nothing_is_said():
    x = zero()
    makes_nan(x).backward()
    assert x.grad.isnan().tolist() == [True, False]


def test_the_line_is_that_of_the_operation_however_it_was_called():
    x = zero()
    with detect_anomaly():
        y = (aino.log(x * 0.0) * 0.0).sum()  # told apart
        with pytest.raises(AnomalyError, match="told apart"):
            y.backward()


def test_a_graph_recorded_before_names_the_operation_alone():
    y = makes_nan(zero())
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        y.backward()
    assert "SqrtBackward0" in str(caught.value)
    assert "blame" not in str(caught.value)


def test_check_nan_off_notes_lines_alone():
    with detect_anomaly(check_nan=False):
        assert aino.autograd.anomaly.is_anomaly_enabled()
        y = makes_nan(zero())
        y.backward()
    files = re.findall(r'File "(.*?)", line', y.grad_fn.extras.trace)
    assert __file__ in files
    assert not [file for file in files if Path(file).is_relative_to(PACKAGE)]
    assert "makes_nan" in y.grad_fn.extras.trace


def test_gradients_without_nan_pass():
    x = aino.tensor([4.0], requires_grad=True)
    with detect_anomaly():
        makes_nan(x).backward()
    assert x.grad.tolist() == [1.0]


def test_the_state_is_restored():
    with detect_anomaly():
        with detect_anomaly(check_nan=False):
            assert not aino.autograd.anomaly.is_anomaly_check_nan_enabled()
        assert aino.autograd.anomaly.is_anomaly_check_nan_enabled()
        with aino.no_grad():
            assert not (zero() * 2.0).requires_grad
            with aino.enable_grad():
                assert (zero() * 2.0).grad_fn.extras.trace
        assert (zero() * 2.0).grad_fn.extras.trace
    assert not aino.autograd.anomaly.is_anomaly_enabled()
    assert (zero() * 2.0).grad_fn.extras is None


def test_a_nan_in_a_tensor_without_axes_is_seen():
    with detect_anomaly(), pytest.raises(AnomalyError):
        (zero()[0].log() * 0.0).backward()


def test_set_detect_anomaly():
    set_detect_anomaly(True)
    try:
        with pytest.raises(AnomalyError):
            makes_nan(zero()).backward()
    finally:
        set_detect_anomaly(False)
    with set_detect_anomaly(True):
        assert aino.autograd.anomaly.is_anomaly_enabled()
    assert not aino.autograd.anomaly.is_anomaly_enabled()


def test_functions_of_the_user_carry_their_line_too():
    class Nan(aino.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1.0

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    with detect_anomaly():
        y = Nan.apply(zero())  # called here
        with pytest.raises(AnomalyError, match="called here") as caught:
            y.sum().backward()
    assert "NanBackward" in str(caught.value)


def test_second_derivatives():
    x = zero()
    with detect_anomaly():
        (slope,) = aino.autograd.grad((x.pow(1.5)).sum(), x, create_graph=True)
        with pytest.raises(AnomalyError):
            (slope * 0.0).sum().backward()
