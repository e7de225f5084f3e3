"""A compiled step and an eager one, from the same start, stay the same."""

import copy

import numpy as np
import pytest

import aino
from aino import nn

F = nn.functional


def data(rows=8, columns=4, classes=3, dtype=np.float64):
    rng = np.random.default_rng(0)
    x = aino.from_numpy(rng.standard_normal((rows, columns)).astype(dtype))
    return x, aino.from_numpy(rng.integers(0, classes, rows))


def network(*extra):
    aino.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), *extra, nn.Linear(8, 3)).double()


def plain(model, optimizer, loss):
    def step(x, y):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value

    return step


OPTIMIZERS = {
    "SGD": lambda p: aino.optim.SGD(p, lr=0.1),
    "momentum": lambda p: aino.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: aino.optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: aino.optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.01),
    "AdamW": lambda p: aino.optim.AdamW(p, lr=0.01),
    "RMSprop": lambda p: aino.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: aino.optim.Adagrad(p, lr=0.05),
    "Adadelta": lambda p: aino.optim.Adadelta(p),
    "Adamax": lambda p: aino.optim.Adamax(p, lr=0.01),
    "NAdam": lambda p: aino.optim.NAdam(p, lr=0.01),
    "RAdam": lambda p: aino.optim.RAdam(p, lr=0.01),
    "ASGD": lambda p: aino.optim.ASGD(p, lr=0.01),
    "Rprop": lambda p: aino.optim.Rprop(p, lr=0.01),
}


def regress(loss):
    return lambda output, y: loss(output, F.one_hot(y, 3).double() * 0.8 + 0.1)


LOSSES = {
    "cross entropy": nn.CrossEntropyLoss(label_smoothing=0.1),
    "nll": lambda output, y: F.nll_loss(F.log_softmax(output, -1), y),
    "mse": regress(F.mse_loss),
    "l1": regress(F.l1_loss),
    "smooth l1": regress(F.smooth_l1_loss),
    "huber": regress(F.huber_loss),
    "bce": regress(lambda a, b: F.binary_cross_entropy(aino.sigmoid(a), b)),
    "bce with logits": regress(F.binary_cross_entropy_with_logits),
}


def run_both(make_step, calls, inputs, seed=0):
    """Run a step eagerly and compiled; return both models and what both returned."""
    results = []
    for compiled in (False, True):
        aino.manual_seed(seed)
        model, step = make_step()
        step = aino.compile(step) if compiled else step
        returned = [step(*inputs).item() for _ in range(calls)]
        results.append((model, returned))
    return results


def assert_same(results, tolerance=1e-10):
    (eager, first), (compiled, second) = results
    np.testing.assert_allclose(second, first, rtol=tolerance, atol=1e-14)
    for a, b in zip(eager.state_dict().values(), compiled.state_dict().values()):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=tolerance, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_agrees_with_eager_after_a_thousand_steps(name):
    def make():
        model = network()
        return model, plain(model, OPTIMIZERS[name](model.parameters()), nn.CrossEntropyLoss())

    assert_same(run_both(make, 1000 if name in ("SGD", "Adam") else 100, data()))


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_agrees_with_eager(name):
    def make():
        model = network()
        return model, plain(model, aino.optim.Adam(model.parameters(), lr=0.01), LOSSES[name])

    assert_same(run_both(make, 30, data()))


LAYERS = {
    "dropout": lambda: nn.Dropout(0.5),
    "layer norm": lambda: nn.LayerNorm(8),
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "softplus": nn.Softplus,
    "leaky": nn.LeakyReLU,
    "silu": nn.SiLU,
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_agree_with_eager_random_numbers_included(name):
    def make():
        model = network(LAYERS[name]().double())
        return model, plain(
            model, aino.optim.Adam(model.parameters(), lr=0.01), nn.CrossEntropyLoss()
        )

    assert_same(run_both(make, 60, data()))


def test_random_draws_leave_the_generator_where_eager_leaves_it():
    after = []
    for compiled in (False, True):
        aino.manual_seed(5)
        model = network(nn.Dropout(0.3))
        step = plain(model, aino.optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss())
        step = aino.compile(step) if compiled else step
        for _ in range(5):
            step(*data())
        after.append(aino.rand(3).tolist())
    assert after[0] == after[1]


def test_clipped_gradients_accumulation_and_tied_weights():
    def make():
        model = network(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8)).double()
        model[4].weight = model[2].weight
        optimizer = aino.optim.Adam(model.parameters(), lr=0.01)
        loss = nn.CrossEntropyLoss()

        def step(x, y):
            optimizer.zero_grad()
            first = loss(model(x[:4]), y[:4]) / 2
            first.backward()
            second = loss(model(x[4:]), y[4:]) / 2
            second.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            return first + second

        return model, step

    assert_same(run_both(make, 40, data()))


def test_gradient_penalty():
    def make():
        model = network()
        optimizer = aino.optim.Adam(model.parameters(), lr=0.01)
        loss = nn.CrossEntropyLoss()

        def step(x, y):
            optimizer.zero_grad()
            value = loss(model(x), y)
            slopes = aino.autograd.grad(value, list(model.parameters()), create_graph=True)
            value = value + 0.1 * sum((slope * slope).sum() for slope in slopes)
            value.backward()
            optimizer.step()
            return value

        return model, step

    assert_same(run_both(make, 40, data()))


def test_physics_informed_step():
    def make():
        aino.manual_seed(2)
        model = nn.Sequential(
            nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1)
        ).double()
        optimizer = aino.optim.Adam(model.parameters(), lr=0.01)

        def step(points):
            optimizer.zero_grad()
            points = points.detach().requires_grad_()
            u = model(points)
            (first,) = aino.autograd.grad(u.sum(), points, create_graph=True)
            (second,) = aino.autograd.grad(first[:, 0].sum(), points, create_graph=True)
            residual = first[:, 1] - second[:, 0]
            value = (residual * residual).mean()
            value.backward()
            optimizer.step()
            return value

        return model, step

    points = aino.from_numpy(np.random.default_rng(0).standard_normal((16, 2)))
    assert_same(run_both(make, 50, (points,)))


def test_scheduler_outside_the_step_is_read_live():
    def make():
        model = network()
        optimizer = aino.optim.Adam(model.parameters(), lr=0.1)
        scheduler = aino.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        inner = plain(model, optimizer, nn.CrossEntropyLoss())
        return model, inner, scheduler

    finals = []
    for compiled in (False, True):
        model, step, scheduler = make()
        step = aino.compile(step) if compiled else step
        for _ in range(20):
            step(*data())
            scheduler.step()
        finals.append(copy.deepcopy(model.state_dict()))
    for a, b in zip(finals[0].values(), finals[1].values()):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-10)


def test_gradients_can_be_read_after_a_compiled_step_and_are_the_owners():
    model = network()
    step = aino.compile(
        plain(model, aino.optim.SGD(model.parameters(), lr=0.0), nn.CrossEntropyLoss())
    )
    x, y = data()
    for _ in range(3):
        step(x, y)
    held = model[0].weight.grad
    before = held.numpy().copy()
    step(x * 2, y)
    np.testing.assert_array_equal(held.numpy(), before)
    assert not np.array_equal(model[0].weight.grad.numpy(), before)


def test_what_is_returned_belongs_to_the_caller():
    step = aino.compile(lambda x: {"double": x + x, "parts": [x * 3, (x - 1).sum()]})
    results = [step(aino.full((3,), float(n))) for n in range(5)]
    assert [r["double"].tolist() for r in results] == [[2.0 * n] * 3 for n in range(5)]
    assert [r["parts"][0].tolist() for r in results] == [[3.0 * n] * 3 for n in range(5)]
    assert [r["parts"][1].item() for r in results] == [3.0 * (n - 1) for n in range(5)]
