"""gradcheck and gradgradcheck: what they find, and what they say."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import aino
from aino.autograd import Function, gradcheck, gradgradcheck
from aino.autograd.gradcheck import GradcheckError


def leaf(*values, dtype=aino.float64):
    return aino.tensor(list(values), dtype=dtype, requires_grad=True)


class WrongAt(Function):
    """The square, with a gradient that is wrong at one element."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        error = np.zeros(x.shape)
        error.reshape(-1)[-1] = 0.5
        return (2.0 * x + aino.tensor(error)) * g


class WrongSecond(Function):
    """The square, whose gradient is a constant to its own derivative."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2.0 * x.detach() * g


@pytest.mark.parametrize("fast", [False, True])
def test_right_gradients_pass(fast):
    x, y = leaf(0.5, 2.0), leaf(1.0, -3.0)
    for function in (lambda x, y: x * y, lambda x, y: (x.exp(), y), lambda x, y: x + 0.0 * y):
        assert gradcheck(function, (x, y), fast_mode=fast)
        assert gradgradcheck(function, (x, y), fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_complex_gradients(fast):
    z = leaf(0.5 + 1.0j, -1.0 + 0.2j, dtype=aino.complex128)
    w = leaf(0.3, 0.7)
    assert gradcheck(lambda z, w: (z * w, z.exp(), z.real), (z, w), fast_mode=fast)
    assert gradgradcheck(lambda z, w: z * z * w, (z, w), fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_the_message_names_input_element_values_and_error(fast):
    x, unrelated = leaf(1.0, 2.0, 3.0), leaf(5.0)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda u, x: WrongAt.apply(x) + u, (unrelated, x), fast_mode=fast)
    message = str(caught.value)
    assert "with respect to input 1" in message
    assert "d output[2] / d input[2]" in message
    assert "numerical:  6.0" in message or "numerical:  5.99" in message
    assert "analytical: 6.5" in message
    assert "relative error 0.0769" in message


def test_raise_exception():
    assert gradcheck(WrongAt.apply, leaf(1.0), raise_exception=False) is False
    assert issubclass(GradcheckError, RuntimeError)


def test_second_derivatives():
    x = leaf(1.0, 2.0)
    assert gradcheck(WrongSecond.apply, x)
    assert gradgradcheck(WrongSecond.apply, x, raise_exception=False) is False
    seed = leaf(1.0, 1.0)
    assert gradgradcheck(lambda x: x**3, x, seed)
    assert gradgradcheck(lambda x: x**3, x, gen_non_contig_grad_outputs=True)


def test_tolerances():
    class Nearly(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2.0

        @staticmethod
        def backward(ctx, g):
            return g * 2.01

    x = leaf(1.0)
    assert not gradcheck(Nearly.apply, x, raise_exception=False)
    assert gradcheck(Nearly.apply, x, rtol=0.01)
    assert gradcheck(Nearly.apply, x, rtol=0.0, atol=0.02)


def test_a_gradient_that_differs_from_pass_to_pass():
    noise = iter(range(1000))

    class Noisy(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2.0

        @staticmethod
        def backward(ctx, g):
            return g * (2.0 + 1e-7 * next(noise))

    x = leaf(1.0)
    with pytest.raises(GradcheckError, match="not reentrant"):
        gradcheck(Noisy.apply, x)
    assert gradcheck(Noisy.apply, x, nondet_tol=1e-5)


def test_a_nan_gradient_is_a_mismatch():
    class Nan(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2.0

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    with pytest.raises(GradcheckError):
        gradcheck(Nan.apply, leaf(1.0))


def test_a_detached_dependence_is_found():
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda x: x.detach() * 2.0, leaf(1.0))
    assert gradcheck(lambda x: x.detach() * 0.0, leaf(1.0))


def test_gradient_dtypes():
    assert gradcheck(lambda x: x * 2.0, leaf(1.0), check_grad_dtypes=True)
    assert gradcheck(lambda x: x * 2.0, leaf(1.0), check_batched_grad=True)


def test_inputs_without_gradient():
    with pytest.raises(ValueError, match="requires_grad=True"):
        gradcheck(lambda x: x, aino.ones(1))
    assert gradcheck(lambda x, n, y: x * n + y, (leaf(1.0), 3, aino.tensor([2.0])))


def test_single_precision_warns():
    with pytest.warns(UserWarning, match="Input #0"):
        gradcheck(lambda x: x * 1.0, aino.ones(1, requires_grad=True), raise_exception=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradcheck(lambda x: x * 1.0, leaf(1.0))


def test_expanded_inputs_are_refused():
    x = aino.tensor(np.broadcast_to(np.ones(1), (3,)))
    x.array = np.broadcast_to(np.ones(1), (3,))
    x.requires_grad_()
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(lambda x: x * 2.0, x)


def test_inputs_are_left_as_they_were():
    x = leaf(0.1, 0.2)
    before = x.array.copy()
    gradcheck(lambda x: x * x, x)
    assert x.array.tobytes() == before.tobytes()
    assert x.grad is None

    def fails(x):
        if x.array[0] != before[0]:
            raise KeyError
        return x * x

    with pytest.raises(KeyError):
        gradcheck(fails, x)
    assert x.array.tobytes() == before.tobytes()


def test_read_only_and_captured_inputs():
    x = leaf(1.0, 2.0)
    assert gradcheck(lambda _: x * x, x)
    x.array.flags.writeable = False
    assert gradcheck(lambda x: x * x, x)
    assert not x.array.flags.writeable


class WrongForward(aino.autograd.Function):
    """The square, whose backward is right, and whose jvp is not."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2.0 * x * g

    @staticmethod
    def jvp(ctx, t):
        (x,) = ctx.saved_tensors
        return 3.0 * x * t


@pytest.mark.parametrize("fast_mode", [False, True])
def test_forward_mode_is_checked(fast_mode):
    x, y = leaf(1.0, 2.0), leaf(0.5, -1.0)
    z = aino.tensor([1.0 + 2.0j, 0.5 - 1.0j], dtype=aino.complex128, requires_grad=True)
    options = {"check_forward_ad": True, "check_batched_forward_grad": True, "fast_mode": fast_mode}
    assert gradcheck(lambda x, y: (x * y.exp(), x.sum(), (x > 0)), (x, y), **options)
    assert gradcheck(lambda z: (z * z.conj(), z.abs(), z.exp()), z, **options)
    assert gradcheck(lambda x: x.sin(), x, check_backward_ad=False, **options)
    assert gradgradcheck(lambda x, y: x**3 * y, (x, y), check_fwd_over_rev=True)
    assert gradgradcheck(lambda x: x**3, x, check_fwd_over_rev=True, check_rev_over_rev=False)
    assert gradcheck(WrongForward.apply, x, fast_mode=fast_mode)
    with pytest.raises(GradcheckError, match="forward mode mismatch for output 0"):
        gradcheck(WrongForward.apply, x, **options)
    assert not gradcheck(WrongForward.apply, x, raise_exception=False, **options)


def test_something_is_left_to_be_checked():
    with pytest.raises(ValueError, match="leaves nothing"):
        gradcheck(lambda x: x * 2.0, leaf(1.0), check_backward_ad=False)
    with pytest.raises(ValueError, match="needs check_forward_ad"):
        gradcheck(lambda x: x * 2.0, leaf(1.0), check_batched_forward_grad=True)


class Unprepared(aino.autograd.Function):
    """Says that it takes undefined gradients, and does not."""

    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2.0

    @staticmethod
    def backward(ctx, g):
        return g * 2.0


class Inventive(Unprepared):
    """Makes a gradient of none."""

    @staticmethod
    def backward(ctx, g):
        return aino.ones(2, dtype=aino.float64) * 2.0 if g is None else g * 2.0


class Prepared(Unprepared):
    @staticmethod
    def backward(ctx, g):
        return None if g is None else g * 2.0


SHALLOW_AND_DEEP = [lambda f, x: f.apply(x), lambda f, x: f.apply(x * x) * 3.0]


@pytest.mark.parametrize("wrapped", SHALLOW_AND_DEEP)
@pytest.mark.parametrize(("function", "message"), [
    (Unprepared, "handle undefined output grads"),
    (Inventive, "undefined or zero when all output grads"),
])  # fmt: skip
def test_a_backward_that_ignores_undefined_gradients_is_found(wrapped, function, message):
    x = aino.tensor([1.0, 2.0], dtype=aino.float64, requires_grad=True)

    def checked(**options):
        return gradcheck(lambda x: wrapped(function, x), (x,), **options)

    with pytest.raises(GradcheckError, match=message):
        checked()
    assert checked(check_undefined_grad=False)


@pytest.mark.parametrize("wrapped", SHALLOW_AND_DEEP)
def test_a_backward_that_takes_undefined_gradients_passes(wrapped):
    x = aino.tensor([1.0, 2.0], dtype=aino.float64, requires_grad=True)
    assert gradcheck(lambda x: wrapped(Prepared, x), (x,))
