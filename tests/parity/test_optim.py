"""Optimizers and schedules beside PyTorch's: the same numbers over a hundred steps."""

import inspect
import warnings

import numpy as np
import pytest

import aino
from aino.autograd.tensor import Tensor, make
from tests.optim.helpers import draw, gradients
from tests.optim.rows import ROWS, SCHEDULES

torch = pytest.importorskip("torch")

CASES = [(row, settings) for row in ROWS for settings in row.settings]
each = pytest.mark.parametrize(
    ("row", "settings"), CASES, ids=[f"{row.name}-{settings}" for row, settings in CASES]
)
DTYPES = ["float32", "float64", "complex64", "complex128"]


def pair(row, dtype, **settings):
    """Return AINO's parameters and optimizer, and PyTorch's."""
    rng = np.random.default_rng(3)
    arrays = [draw(rng, shape, dtype) for shape in row.shapes]
    ours = [Tensor(array.copy()).requires_grad_() for array in arrays]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    return (
        (ours, getattr(aino.optim, row.name)(ours, **settings)),
        (theirs, getattr(torch.optim, row.name)(theirs, **settings)),
    )


def advance(ours, optimizer, theirs, reference, t, missing=()):
    found = gradients([tensor.array for tensor in ours], t)
    for position, (one, other, gradient) in enumerate(zip(ours, theirs, found)):
        one.grad = None if position in missing else make(gradient.copy())
        other.grad = None if position in missing else torch.tensor(gradient)
    optimizer.step()
    reference.step()


def dtype_of(reference):
    return reference.param_groups[0]["params"][0].detach().numpy().dtype


def tolerance_of(array):
    return 1e-9 if np.finfo(array.dtype).bits == 64 else 1e-6


def assert_close(ours, theirs, rounded=False):
    """``rounded``: PyTorch keeps a number in float32 whatever the dtype, ASGD its rate."""
    for one, other in zip(ours, theirs):
        wanted = other.detach().numpy()
        tolerance = 1e-6 if rounded else tolerance_of(wanted)
        np.testing.assert_allclose(one.array, wanted, rtol=tolerance, atol=tolerance)


@pytest.fixture(autouse=True)
def exact_muon(monkeypatch):
    """PyTorch's Muon rounds to two or three digits on its way; here it goes on as it is."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)


def test_muon_is_pytorchs_but_for_its_rounding(monkeypatch):
    monkeypatch.undo()
    row = next(row for row in ROWS if row.name == "Muon")
    (ours, optimizer), (theirs, reference) = pair(row, "float32", lr=0.01)
    for t in range(30):
        advance(ours, optimizer, theirs, reference, t)
    for one, other in zip(ours, theirs):
        np.testing.assert_allclose(one.array, other.detach().numpy(), atol=0.02)


def assert_same_state(optimizer, reference, rounded=False):
    ours, theirs = optimizer.state_dict(), reference.state_dict()
    assert set(ours["state"]) == set(theirs["state"])
    for position, entries in theirs["state"].items():
        kept = ours["state"][position]
        assert set(kept) == set(entries)
        for name, value in entries.items():
            value = np.asarray(value)
            assert kept[name].array.shape == value.shape
            tolerance = 1e-5 if rounded else 10 * tolerance_of(np.zeros(0, dtype_of(reference)))
            np.testing.assert_allclose(kept[name].array, value, rtol=tolerance, atol=tolerance)
    for group, other in zip(ours["param_groups"], theirs["param_groups"]):
        assert group == other


@each
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_hundred_steps(row, settings, dtype):
    if dtype.startswith("complex") and not row.takes_complex:
        with pytest.raises(RuntimeError, match="complex"):
            pair(row, dtype, **settings)
        return
    (ours, optimizer), (theirs, reference) = pair(row, dtype, **settings)
    for t in range(100):
        advance(ours, optimizer, theirs, reference, t)
    assert_close(ours, theirs, row.name == "ASGD")
    assert_same_state(optimizer, reference, row.name == "ASGD")


@each
def test_parameters_that_miss_gradients(row, settings):
    climb = {"maximize": True} if row.maximizes else {}
    (ours, optimizer), (theirs, reference) = pair(row, "float32", **climb, **settings)
    for t in range(100):
        advance(ours, optimizer, theirs, reference, t, (1, 3) if t % 3 == 0 else ())
    assert_close(ours, theirs)
    assert_same_state(optimizer, reference)


@each
def test_state_dicts_are_exchanged_with_pytorch(row, settings):
    (ours, optimizer), (theirs, reference) = pair(row, "float64", **settings)
    for t in range(5):
        advance(ours, optimizer, theirs, reference, t)

    saved = reference.state_dict()
    for entries in saved["state"].values():
        for name, value in entries.items():
            entries[name] = value.numpy()
    fresh = getattr(aino.optim, row.name)(ours, lr=0.5)
    fresh.load_state_dict(saved)

    given = optimizer.state_dict()
    for entries in given["state"].values():
        for name, tensor in entries.items():
            entries[name] = torch.from_numpy(np.array(tensor.array))
    anew = getattr(torch.optim, row.name)(theirs, lr=0.5)
    anew.load_state_dict(given)
    for t in range(5, 10):
        advance(ours, fresh, theirs, anew, t)
    assert_close(ours, theirs, row.name == "ASGD")
    assert_same_state(fresh, anew, row.name == "ASGD")


@pytest.mark.parametrize("name", sorted({row.name for row in ROWS} | {"LBFGS", "SparseAdam"}))
def test_signatures(name):
    ours = inspect.signature(getattr(aino.optim, name)).parameters.values()
    theirs = inspect.signature(getattr(torch.optim, name)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in ours] == [
        (p.name, p.kind, p.default) for p in theirs
    ]


@pytest.mark.parametrize("name", sorted({row.name for row in SCHEDULES}))
def test_signatures_of_schedules(name):
    room = "swa_utils" if name == "SWALR" else "lr_scheduler"
    ours = inspect.signature(getattr(getattr(aino.optim, room), name)).parameters.values()
    theirs = inspect.signature(getattr(getattr(torch.optim, room), name)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in ours] == [
        (p.name, p.kind, p.default) for p in theirs
    ]


def test_repr():
    (_, optimizer), (_, reference) = pair(ROWS[0], "float64", lr=0.1)
    assert repr(optimizer) == repr(reference)


VARIANTS = {
    "multi step": lambda L, o: L.MultiStepLR(o, [2, 5, 5, 9], 0.3),
    "several lambdas": lambda L, o: L.LambdaLR(o, [lambda t: 0.95**t, lambda t: 1 / (1 + t)]),
    "step": lambda L, o: L.StepLR(o, 3, 0.5),
    "constant": lambda L, o: L.ConstantLR(o, 0.3, 4),
    "linear": lambda L, o: L.LinearLR(o, 0.1, 0.7, 6),
    "exponential": lambda L, o: L.ExponentialLR(o, 0.9),
    "multiplicative": lambda L, o: L.MultiplicativeLR(o, lambda t: 0.95),
    "polynomial": lambda L, o: L.PolynomialLR(o, 12, 2.0),
    "cosine": lambda L, o: L.CosineAnnealingLR(o, 7, 0.01),
    "warm restarts": lambda L, o: L.CosineAnnealingWarmRestarts(o, 4, 2, 0.01),
    "cyclic": lambda L, o: L.CyclicLR(o, [0.01, 0.02], 0.5, 5, 3),
    "cyclic, halved": lambda L, o: L.CyclicLR(o, 0.01, 0.5, 5, mode="triangular2"),
    "cyclic, by range": lambda L, o: L.CyclicLR(o, 0.01, 0.5, 5, mode="exp_range", gamma=0.9),
    "cyclic, by function": lambda L, o: L.CyclicLR(o, 0.01, 0.5, 5, scale_fn=lambda x: 1 / x),
    "one cycle": lambda L, o: L.OneCycleLR(o, 0.5, total_steps=30),
    "one cycle, three phases": lambda L, o: L.OneCycleLR(
        o, [0.5, 0.4], epochs=5, steps_per_epoch=6, three_phase=True, anneal_strategy="linear"
    ),
    "plateau": lambda L, o: L.ReduceLROnPlateau(o, patience=2, cooldown=1, factor=0.5),
    "plateau, absolute": lambda L, o: L.ReduceLROnPlateau(
        o, "max", patience=1, threshold=0.1, threshold_mode="abs", min_lr=[0.01, 0.02]
    ),
    "sequence": lambda L, o: L.SequentialLR(
        o,
        [L.LinearLR(o, 0.1, 1.0, 4), L.CosineAnnealingLR(o, 10), L.ExponentialLR(o, 0.8)],
        [4, 14],
    ),
    "sequence of sequences": lambda L, o: L.SequentialLR(
        o,
        [
            L.SequentialLR(o, [L.ConstantLR(o, 0.1, 3), L.StepLR(o, 2)], [3]),
            L.CosineAnnealingWarmRestarts(o, 5),
        ],
        [8],
    ),
    "chain": lambda L, o: L.ChainedScheduler([L.ConstantLR(o, 0.1, 4), L.ExponentialLR(o, 0.9)]),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("name", "settings"), [("SGD", {"momentum": 0.5}), ("Adam", {})])
@pytest.mark.filterwarnings("ignore:Detected call:UserWarning", "ignore:lr_scheduler.step")
def test_thirty_steps_of_a_schedule(variant, name, settings):
    def build(optim, leaf):
        optimizer = getattr(optim, name)(
            [{"params": [leaf()]}, {"params": [leaf()], "lr": 0.1}], lr=0.3, **settings
        )
        return optimizer, VARIANTS[variant](optim.lr_scheduler, optimizer)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, scheduler = build(aino.optim, lambda: make(np.ones(2)).requires_grad_())
        theirs, reference = build(torch.optim, lambda: torch.ones(2, requires_grad=True))
    assert set(scheduler.state_dict()) == set(reference.state_dict())
    rng = np.random.default_rng(1)
    for _ in range(29):
        ours.step()
        theirs.step()
        metric = [round(rng.random(), 1)] if variant.startswith("plateau") else []
        scheduler.step(*metric)
        reference.step(*metric)
        assert scheduler.get_last_lr() == pytest.approx(reference.get_last_lr(), rel=1e-12)
        for group, other in zip(ours.param_groups, theirs.param_groups):
            assert set(group) == set(other)
            for key in {"lr", "momentum", "betas", "initial_lr", "max_momentum"} & set(other):
                assert group[key] == pytest.approx(other[key], rel=1e-12), key


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs(search):
    start = np.array([-1.2, 1.0, 0.5, 2.0])
    theirs = torch.tensor(start, requires_grad=True)
    ours = make(start.copy()).requires_grad_()
    settings = {"lr": 0.01 if search is None else 1, "line_search_fn": search, "history_size": 5}
    optimizer = aino.optim.LBFGS([ours], **settings)
    reference = torch.optim.LBFGS([theirs], **settings)

    def loss_of(w):
        return (100 * (w[1::2] - w[::2] ** 2) ** 2 + (1 - w[::2]) ** 2).sum()

    def closure():
        reference.zero_grad()
        loss = loss_of(theirs)
        loss.backward()
        return loss

    def our_closure():
        twin = torch.tensor(ours.array, requires_grad=True)
        loss = loss_of(twin)
        loss.backward()
        ours.grad = make(twin.grad.numpy())
        return loss.item()

    for _ in range(3):
        first, second = optimizer.step(our_closure), reference.step(closure)
        assert first == pytest.approx(second.item(), rel=1e-6)
        np.testing.assert_allclose(ours.array, theirs.detach().numpy(), rtol=1e-7, atol=1e-9)
    assert set(optimizer.state[ours]) >= set(reference.state[theirs]) - {"al"}
    assert optimizer.state[ours]["func_evals"] == reference.state[theirs]["func_evals"]


BUILT = {**VARIANTS, "averaging": None, "averaging, linear": None, "averaging, at once": None}


def built(library, variant):
    """Return an optimizer of two groups of a library, and a schedule of it."""
    leaves = [
        make(np.ones(2)).requires_grad_() if library is aino else torch.ones(2, requires_grad=True)
        for _ in range(2)
    ]
    optimizer = library.optim.Adam([{"params": leaves[:1]}, {"params": leaves[1:], "lr": 0.1}], 0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if variant.startswith("averaging"):
            strategy = "linear" if "linear" in variant else "cos"
            epochs = 0 if "once" in variant else 6
            SWALR = library.optim.swa_utils.SWALR
            return optimizer, SWALR(optimizer, [0.05, 0.2], epochs, strategy)
        return optimizer, VARIANTS[variant](library.optim.lr_scheduler, optimizer)


@pytest.mark.parametrize("variant", BUILT)
@pytest.mark.filterwarnings("ignore:Detected call:UserWarning", "ignore:lr_scheduler.step")
def test_states_of_schedules_are_exchanged_with_pytorch(variant):
    pairs = [built(library, variant) for library in (aino, torch)]
    rng = np.random.default_rng(1)

    def go_on(pairs, steps):
        for _ in range(steps):
            metric = [round(rng.random(), 1)] if variant.startswith("plateau") else []
            for optimizer, scheduler in pairs:
                optimizer.step()
                scheduler.step(*metric)
            (_, one), (_, other) = pairs
            assert one.get_last_lr() == pytest.approx(other.get_last_lr(), rel=1e-12)

    go_on(pairs, 7)
    fresh = [built(library, variant) for library in (aino, torch)]
    for (optimizer, scheduler), (before, state) in zip(fresh, pairs[::-1]):
        for group, other in zip(optimizer.param_groups, before.param_groups):
            group.update({key: value for key, value in other.items() if key != "params"})
        scheduler.load_state_dict(state.state_dict())
    assert set(fresh[0][1].state_dict()) == set(fresh[1][1].state_dict())
    go_on(fresh, 15)


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("way", ["", "get_swa_avg_fn", "get_ema_avg_fn", "get_ema_multi_avg_fn"])
def test_averaged_models(way, use_buffers):
    averages = []
    for library in (aino, torch):
        utils = library.optim.swa_utils
        model = library.nn.Linear(3, 2)
        model.register_buffer("count", library.zeros(3))
        settings = {}
        if way:
            name = "multi_avg_fn" if "multi" in way else "avg_fn"
            settings = {name: getattr(utils, way)()}
        averaged = utils.AveragedModel(model, use_buffers=use_buffers, **settings)
        rng = np.random.default_rng(0)
        for _ in range(5):
            for value in model.state_dict().values():
                drawn = rng.standard_normal(tuple(value.shape)).astype(np.float32)
                value.copy_(library.from_numpy(drawn))
            averaged.update_parameters(model)
        averages.append({k: np.asarray(v) for k, v in averaged.state_dict().items()})
    ours, theirs = averages
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["AveragedModel", "SWALR", "update_bn", "get_ema_avg_fn"])
def test_signatures_of_averages(name):
    ours, theirs = (
        inspect.signature(getattr(library.optim.swa_utils, name)).parameters.values()
        for library in (aino, torch)
    )
    assert [(p.name, p.kind, p.default) for p in ours] == [
        (p.name, p.kind, p.default) for p in theirs
    ]
