"""``check_gradients`` finds planted errors, and gradients that can't teach."""

import itertools
import random

import numpy as np
import pytest

import aino
from aino import nn
from aino.debug import check_gradients


class Planted(aino.autograd.Function):
    """x², with the slope of x for each element but the one at ``Planted.place``."""

    place = None

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        slope = 2 * x
        if Planted.place is not None:
            slope = slope.clone()
            slope[Planted.place] *= 1.01
        return g * slope


class Squares(nn.Module):
    def __init__(self, shape=(3, 4)):
        super().__init__()
        self.fine = nn.Parameter(aino.linspace(0.5, 1.5, 4))
        self.weight = nn.Parameter(aino.linspace(1.0, 2.0, 12).reshape(shape))

    def forward(self, x):
        return Planted.apply(self.weight) @ (self.fine * x)


@pytest.fixture
def planted(request):
    yield
    Planted.place = None


@pytest.mark.parametrize("elements", [None, 12])
def test_a_planted_error_is_found_at_its_index(planted, elements):
    x = aino.ones(4)
    assert check_gradients(Squares(), x, elements=elements).ok
    Planted.place = (1, 2)
    report = check_gradients(Squares(), x, elements=elements)
    assert not report.ok
    assert report.worst.name == "weight"
    assert report.worst.worst == (1, 2)
    assert report.worst.error == pytest.approx(0.01, rel=0.05)
    assert [one.ok for one in report.parameters] == [True, False]
    assert "WRONG" in str(report)
    assert "weight: the gradient is not the slope" in str(report)


def test_errors_of_a_percent_in_tiny_gradients_are_seen():
    class Tiny(nn.Linear):
        def forward(self, x):
            return Planted.apply(super().forward(x) * 1e-2)

    Planted.place = (0, 0)
    try:
        assert not check_gradients(Tiny(2, 2), aino.randn(1, 2)).ok
    finally:
        Planted.place = None


MODELS = {
    "dropout": lambda: nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 2)),
    "batch norm": lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh()),
    "kinks": lambda: nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU()),
    "shared": lambda: nn.Sequential(*[nn.Linear(3, 3)] * 3),
    "complex inside": lambda: nn.Sequential(nn.Linear(3, 4), Spectrum()),
    "layer": lambda: aino.NeuralNetwork([3, 4, 2]),
    "complex parameters": lambda: Phases(),
    "recurrent": lambda: nn.GRU(3, 2),
}


class Phases(nn.Module):
    def __init__(self):
        super().__init__()
        self.phases = nn.Parameter(aino.randn(3, dtype=aino.complex64))

    def forward(self, x):
        return (self.phases * x).exp().imag


class Spectrum(nn.Module):
    def forward(self, x):
        return aino.fft.fft(x).abs()


@pytest.mark.parametrize("name", MODELS)
def test_right_gradients_are_right(name):
    aino.manual_seed(0)
    model = MODELS[name]()
    x = aino.randn(5, 3)
    x[0] = 0.0  # at the kinks
    report = check_gradients(model, x, elements=6)
    assert report.ok, report


def test_everything_stays_as_it_was():
    aino.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    model.eval()
    model[1].train()
    x, y = aino.randn(6, 3), aino.tensor([0, 1, 0, 1, 0, 1])
    loader = aino.utils.data.DataLoader(
        aino.utils.data.TensorDataset(x, y), batch_size=6, shuffle=True
    )
    model(x).sum().backward()
    held = [p.grad for p in model.parameters()]
    arrays = [p.array for p in model.parameters()]
    state = {key: value.numpy().copy() for key, value in model.state_dict().items()}
    states = aino.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()
    with aino.no_grad():
        check_gradients(model, loader, "cross_entropy", elements=2)
        aino.debug.overfit_one_batch(model, "cross_entropy", loader, steps=2)
        aino.debug.compare(model, model.state_dict(), x)
        assert not aino.is_grad_enabled()
    assert [part.training for part in model.modules()] == [False, False, True, False, False]
    assert all(p.grad is g for p, g in zip(model.parameters(), held, strict=True))
    assert all(p.array is a for p, a in zip(model.parameters(), arrays, strict=True))
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), state[key])
    assert states == (
        aino.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()
    )  # fmt: skip


def test_vanishing_gradients():
    layers = [part for _ in range(10) for part in (nn.Linear(4, 4), nn.Sigmoid())]
    report = check_gradients(nn.Sequential(*layers), aino.randn(3, 4), elements=1)
    assert report.ok
    assert "0.weight" in report.vanishing
    assert "18.weight" not in report.vanishing
    assert "the gradient vanishes" in " ".join(report.advice)


def test_exploding_gradients():
    report = check_gradients(nn.Linear(4, 1), 1e5 * aino.ones(8, 4), elements=1)
    assert report.exploding == ["weight"]
    assert "clip_grad_norm_" in " ".join(report.advice)


@pytest.mark.parametrize(
    ("activation", "bias", "state"), [(nn.ReLU, -9.0, "dead"), (nn.Tanh, 9.0, "saturated"),
                                      (nn.Sigmoid, 9.0, "saturated")],
)  # fmt: skip
def test_units_that_do_the_same_for_all_samples(activation, bias, state):
    model = nn.Sequential(nn.Linear(2, 4), activation(), nn.Linear(4, 1))
    with aino.no_grad():
        model[0].bias[:] = aino.tensor([0.0, bias, 0.0, bias])
    (unit,) = check_gradients(model, 0.1 * aino.randn(32, 2)).units
    assert (unit.module.split()[0], unit.state, unit.units, unit.of) == ("1", state, (1, 3), 4)


def test_a_few_samples_say_nothing_of_units():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU())
    assert check_gradients(model, aino.randn(2, 2)).units == []


def test_what_gets_no_gradient_is_named():
    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.used(x) + self.unused(x).detach()

    report = check_gradients(Part(), aino.ones(1, 2))
    assert report.without_gradient == ["unused.weight", "unused.bias"]
    # The value does change with them: the difference is there, the gradient is not.
    assert not report.ok


REFUSED = {
    "a class": (lambda: check_gradients(nn.Linear, aino.ones(1)), TypeError, "not its class"),
    "no model": (lambda: check_gradients(3, aino.ones(1)), TypeError, "is an nn.Module"),
    "no pair": (lambda: check_gradients(nn.Linear(1, 1), aino.ones(1), "mse"), TypeError, "a pair"),
    "frozen": (lambda: check_gradients(nn.Linear(1, 1).requires_grad_(False), aino.ones(1)),
               ValueError, "no parameter"),
    "elements": (lambda: check_gradients(nn.Linear(1, 1), aino.ones(1), elements=0), ValueError,
                 "above 0"),
    "lazy": (lambda: check_gradients(nn.LazyLinear(1), aino.ones(1)), TypeError, "lazy"),
    "uncopyable": (lambda: check_gradients(Uncopyable(), aino.ones(1)), TypeError, "be copied"),
    "cut off": (lambda: check_gradients(Cut(), aino.ones(1)), ValueError, "detach"),
}  # fmt: skip


class Uncopyable(nn.Linear):
    def __init__(self):
        super().__init__(1, 1)
        self.lines = (line for line in "")


class Cut(nn.Linear):
    def __init__(self):
        super().__init__(1, 1)

    def forward(self, x):
        return super().forward(x).detach()


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused(case):
    run, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words):
        run()


class Keeping(nn.Module):
    """A layer whose output is scaled by what it keeps of its calls."""

    def __init__(self, keep):
        super().__init__()
        self.layer, self.keep = nn.Linear(3, 2), keep
        self.register_buffer("mean", aino.ones(2))
        self.calls, self.history = 0, []

    def forward(self, x):
        return Planted.apply(self.layer(x)) * self.keep(self)


def counted(self):
    self.calls += 1
    return self.calls


def averaged(self):
    self.mean = self.mean * 0.9 + 1
    return self.mean


def written(self):
    self.mean.mul_(0.9)
    return self.mean


def listed(self):
    self.history.append(1)
    return len(self.history)


@pytest.mark.parametrize("keep", [counted, averaged, written, listed])
def test_of_models_that_keep_something_of_a_call_every_element_is_compared(planted, keep):
    x = aino.ones(4, 3)
    report = check_gradients(Keeping(keep), x)
    assert report.ok
    assert [(one.kinks, one.worst is None) for one in report.parameters] == [(0, False)] * 2
    Planted.place = (0, 1)
    assert not check_gradients(Keeping(keep), x).ok


OUTSIDE = itertools.count()


@pytest.mark.parametrize(
    ("model", "x", "options", "words"),
    [
        (Keeping(lambda self: next(OUTSIDE)), aino.ones(4, 3), {},
         "another result"),
        (nn.Linear(3, 2), aino.full((4, 3), float("nan")), {}, "find_nan"),
        (nn.Linear(3, 2), aino.full((4, 3), float("inf")), {}, "find_nan"),
        (nn.Linear(3, 2), aino.ones(4, 3), {"eps": 0}, "eps"),
        (nn.Linear(3, 2), aino.ones(4, 3), {"eps": -1e-5}, "eps"),
        (nn.Linear(3, 2), aino.ones(4, 3), {"eps": float("nan")}, "eps"),
        (nn.Linear(3, 2), aino.ones(4, 3), {"rtol": -1}, "rtol"),
        (nn.Linear(3, 2), aino.ones(4, 3), {"atol": float("nan")}, "atol"),
        (nn.Linear(3, 2), aino.ones(4, 3), {"elements": True}, "elements"),
    ],
)  # fmt: skip
def test_what_can_not_be_compared_is_refused(model, x, options, words):
    with pytest.raises(ValueError, match=words):
        check_gradients(model, x, **options)


def test_complex_results():
    model = nn.Linear(3, 2, dtype=aino.complex64)
    assert check_gradients(model, aino.randn(4, 3, dtype=aino.complex64)).ok
