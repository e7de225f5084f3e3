"""Every module class of AINO comes back from a file, with whatever arguments it was made."""

import inspect
import math
import subprocess
import sys

import numpy as np
import pytest

import aino
from aino import dit, nn
from aino.autograd.node import HookHandle
from aino.autograd.tensor import Tensor
from aino.dit.values import is_module
from aino.errors import DitError
from aino.nn.utils import parametrize
from aino.optim.swa_utils import AveragedModel
from tests.onnx.graphs import perceptron

#: Arguments for parameters without a default, by their names.
REQUIRED = {
    "in_features": 3, "out_features": 4, "in1_features": 2, "in2_features": 3, "num_embeddings": 5,
    "embedding_dim": 3, "normalized_shape": (2, 3), "dim": 1, "unflattened_size": (2, 2),
    "threshold": 0.5, "value": 2.0, "sizes": [3, 4, 2], "num_features": 3, "num_channels": 4,
    "num_groups": 2, "in_channels": 4, "out_channels": 4, "kernel_size": 3, "input_size": 3,
    "hidden_size": 4, "embed_dim": 4, "num_heads": 2, "d_model": 4, "nhead": 2, "num_layers": 2,
    "output_size": 2, "upscale_factor": 2, "downscale_factor": 2, "padding": 1, "groups": 2,
    "size": 2, "scale_factor": 2, "norm_type": 2.0, "mode": "RNN_RELU", "bias": True,
    "num_chunks": 3, "n_classes": 8, "cutoffs": [2, 5], "num_classes": 3,
    "features": 3,
}  # fmt: skip

#: Classes whose required arguments are not to be had by name.
SPECIAL = {
    "Sequential": lambda: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Sequential()),
    "ModuleList": lambda: nn.ModuleList(nn.Linear(n, 2) for n in (1, 2)),
    "ModuleDict": lambda: nn.ModuleDict({"a": nn.Linear(1, 2), "b": nn.Dropout(0.1)}),
    "ParameterList": lambda: nn.ParameterList([aino.ones(2), nn.Parameter(aino.zeros(3)), 3.5]),
    "ParameterDict": lambda: nn.ParameterDict({"a": aino.ones(2), "b": aino.zeros(1)}),
    "TransformerEncoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2), 2),
    "TransformerDecoder": lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2), 2),
    "AveragedModel": lambda: AveragedModel(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))),
    "DataParallel": lambda: nn.DataParallel(nn.Linear(2, 3)),
    "ONNXModule": lambda: aino.onnx.load(perceptron()),
}

#: Arguments that have a default, without which a class takes none of the others, or is large.
NEEDED = {
    "FractionalMaxPool2d": {"output_size": 2},
    "FractionalMaxPool3d": {"output_size": 2},
    "Transformer": {
        "d_model": 4, "nhead": 2, "num_encoder_layers": 1, "num_decoder_layers": 1,
        "dim_feedforward": 8,
    },
}  # fmt: skip


class Symmetric(nn.Module):
    """A parametrization."""

    def forward(self, x):
        return x.triu() + x.triu(1).mT


def on_ranks():
    """Return a module that belongs to ranks: here to one."""
    aino.distributed.init_process_group()
    try:
        return nn.parallel.DistributedDataParallel(nn.Linear(2, 3))
    finally:
        aino.distributed.destroy_process_group()


#: Classes that no file holds, and what is said of one.
REFUSED = {
    "DistributedDataParallel": (on_ranks, "belongs to the ranks that made it, .* save ddp.module"),
    "ParametrizationList": (
        lambda: parametrize.ParametrizationList([Symmetric()], nn.Parameter(aino.ones(2, 2))),
        r"m\.dit: 0 is a part of a parametrized module, which is stored by its state_dict\(\)",
    ),
}


def is_ours(cls):
    return cls.__module__.startswith("aino.") and hasattr(cls, "load_state_dict")


OURS = {name: cls for name, cls in dit.registered_classes().items() if is_ours(cls)}
STORED = sorted(OURS.keys() - REFUSED)


def arguments_of(cls):
    """Arguments for the parameters that have no default."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    empty = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    return {p.name: REQUIRED[p.name] for p in empty if p.kind is not p.VAR_KEYWORD}


def make(name, **changes):
    if name in SPECIAL:
        return SPECIAL[name]()
    return OURS[name](**arguments_of(OURS[name]) | NEEDED.get(name, {}) | changes)


def other_values(parameter):
    """Values that differ from a parameter's default, most of which its class will take."""
    default = parameter.default
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, float):
        return [default / 2, default + 0.125, math.inf]
    if isinstance(default, int):
        return [default + 1]
    if isinstance(default, str):
        return ["sum", "none", "tanh", "relu", "linear", "log"]
    return [aino.float64, aino.ones(3), "cpu", 0.25, 1, (1, 2), "relu", True]


def varied(name):
    """Modules each of which has one argument that differs from its default."""
    if name in SPECIAL:
        return
    for parameter in inspect.signature(OURS[name].__init__).parameters.values():
        if parameter.default is not parameter.empty:
            for value in other_values(parameter):
                try:
                    yield parameter.name, make(name, **{parameter.name: value})
                except (TypeError, ValueError, RuntimeError, IndexError, AttributeError):
                    continue


def parts_of(module):
    """All that a module has, by its path."""
    for path, part in module.named_modules(remove_duplicate=False):
        yield path, type(part), part.training
        left_out = {"_constructor", "_hooks", "training", *getattr(part, "_not_stored", ())}
        for name, value in vars(part).items():
            if name in left_out:
                continue
            if isinstance(value, Tensor):
                array = value.array
                kind = type(value), value.requires_grad, array.dtype.name, array.shape
                yield path, name, *kind, array.tobytes()
            elif isinstance(value, HookHandle):
                yield path, name, type(value)
            elif not is_module(value):
                yield path, name, type(value), repr(value)


def check(module, path):
    state = aino.get_rng_state()
    dit.save(module, path)
    back = dit.load(path)
    assert np.array_equal(aino.get_rng_state().array, state.array), "random numbers were drawn"
    assert repr(back) == repr(module)
    assert list(parts_of(back)) == list(parts_of(module))
    assert list(back.state_dict()) == list(module.state_dict())


def test_every_module_class_of_aino_is_registered():
    def classes(cls):
        for child in cls.__subclasses__():
            yield child
            yield from classes(child)

    found = {
        cls
        for cls in classes(nn.Module)
        if cls.__module__.startswith("aino.") and not cls.__name__.startswith("_")
    }
    assert found == {*OURS.values()} - {nn.Module}
    assert len(found) > 60
    assert aino.NeuralNetwork in found


def test_every_module_class_of_aino_is_known_before_it_is_imported():
    names = "print(*aino.dit.registered_classes())"
    told = subprocess.run(
        [sys.executable, "-c", f"import aino; {names}"], capture_output=True, text=True, check=True
    )
    assert {*STORED} <= {*told.stdout.split()}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_no_file_holds_says_why(tmp_path, name):
    module, cause = REFUSED[name]
    with pytest.raises(DitError, match=cause):
        dit.save([module()], tmp_path / "m.dit")


@pytest.mark.parametrize("name", STORED)
def test_every_module_class_comes_back(tmp_path, name):
    module = make(name)
    check(module, tmp_path / "m.dit")
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    check(module.eval().double(), tmp_path / "m.dit")


@pytest.mark.filterwarnings("ignore:size_average and reduce")
@pytest.mark.parametrize("name", STORED)
def test_every_argument_of_every_module_class_comes_back(tmp_path, name):
    for argument, module in varied(name):
        try:
            check(module, tmp_path / "m.dit")
        except AssertionError as error:
            raise AssertionError(f"{name}({argument}=...)") from error


@pytest.mark.filterwarnings("ignore:size_average and reduce")
def test_the_arguments_above_are_really_varied():
    count = {name: len({argument for argument, _ in varied(name)}) for name in STORED}
    assert count["Layer"] == 6
    assert count["Dropout"] == 2
    assert count["CrossEntropyLoss"] == 6
    assert sum(count.values()) > 100


# --- what is done to real models ----------------------------------------------------------------


def network():
    return nn.Sequential(
        nn.Linear(4, 8), nn.LayerNorm(8), nn.Layer(8, 8, "tanh"), nn.Dropout(0.5), nn.Linear(8, 3)
    )


def test_a_loaded_model_computes_the_same(tmp_path):
    model, x = network(), aino.randn(5, 4)
    dit.save(model, tmp_path / "m.dit")
    for mmap in (False, True):
        back = dit.load(tmp_path / "m.dit", mmap=mmap)
        assert np.array_equal(back.eval()(x).detach().numpy(), model.eval()(x).detach().numpy())


def test_containers_are_stored_as_they_are_now(tmp_path):
    model = network()
    model[1] = nn.Identity()
    del model[3]
    model.insert(0, nn.Flatten())
    model.append(nn.Softmax(dim=-1))
    check(model, tmp_path / "m.dit")
    design = dit.describe(tmp_path / "m.dit")
    assert "changed" not in design
    model.add_module("named", nn.Tanh())
    check(model, tmp_path / "m.dit")
    choices = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.Tanh()})
    choices["c"] = choices.pop("a")
    choices["a"] = nn.ReLU()
    check(choices, tmp_path / "m.dit")


def test_a_class_of_the_user_that_inherits_from_a_container(tmp_path):
    @dit.register("my.Block")
    class Block(nn.Sequential):
        def __init__(self, width, rate=0.1):
            super().__init__(nn.Linear(width, width), nn.Dropout(rate))

    check(Block(3), tmp_path / "m.dit")
    model = nn.Sequential(Block(2, rate=0.2), Block(2))
    model[0][0] = nn.Linear(2, 5)
    model[1].append(nn.Tanh())
    check(model, tmp_path / "m.dit")


def test_hooks_are_refused_while_they_are_there(tmp_path):
    model = network()
    handle = model[2].register_forward_hook(lambda *arguments: None)
    with pytest.raises(DitError, match=r"m\.dit: model\.2 has hooks"):
        dit.save({"model": model}, tmp_path / "m.dit")
    handle.remove()
    check(model, tmp_path / "m.dit")


def test_a_function_as_an_argument_is_refused(tmp_path):
    loss = nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: a - b)
    with pytest.raises(DitError, match=r"1\.distance_function is code"):
        dit.save([1, loss], tmp_path / "m.dit")


def test_buffers_of_both_kinds_come_back(tmp_path):
    model = network()
    model.register_buffer("mean", aino.ones(3))
    model.register_buffer("scratch", aino.full((2,), 4.0), persistent=False)
    model.register_buffer("nothing", None)
    model[0].table = nn.Buffer(aino.arange(4), persistent=False)
    model[0].kept = nn.Buffer(aino.arange(4.0))
    check(model, tmp_path / "m.dit")
    back = dit.load(tmp_path / "m.dit")
    assert list(dict(back.named_buffers())) == list(dict(model.named_buffers()))
    assert type(back[0].kept) is nn.Buffer


def test_initial_values_of_buffers_are_made_although_those_of_parameters_are_not(tmp_path):
    @dit.register("my.Mask")
    class Mask(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.register_buffer("mask", aino.empty(size), persistent=False)
            nn.init.constant_(self.mask, 3.0)
            self.linear = nn.Linear(size, size)
            with aino.no_grad():
                self.linear.weight.mul_(0.5)

    model = Mask(4)
    check(model, tmp_path / "m.dit")
    assert dit.load(tmp_path / "m.dit").mask.tolist() == [3.0] * 4


def test_random_numbers_that_a_constructor_draws_are_not_drawn_again(tmp_path):
    @dit.register("my.Noisy")
    class Noisy(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.weight = nn.Parameter(aino.randn(size))
            self.noise = aino.rand(size)
            self.order = aino.randperm(size)

    check(Noisy(6), tmp_path / "m.dit")


def test_a_perceptron_of_a_layer_is_stored_as_a_perceptron(tmp_path):
    layer = nn.Layer(3, 2, "tanh")
    dit.save(layer[1], tmp_path / "m.dit")
    back = dit.load(tmp_path / "m.dit")
    assert type(back) is nn.Perceptron
    assert np.array_equal(back.weight.detach().numpy(), layer.weight.detach().numpy()[1])
    x = aino.randn(5, 3)
    assert np.array_equal(back(x).detach().numpy(), layer[1](x).detach().numpy())


def test_extra_state_comes_back(tmp_path):
    @dit.register("my.Extra")
    class Extra(nn.Linear):
        def get_extra_state(self):
            return {"seen": self.seen, "kinds": ("a", None), "tensor": aino.ones(2)}

        def set_extra_state(self, state):
            assert state["kinds"] == ("a", None)
            self.seen = state["seen"]

        def __init__(self):
            super().__init__(2, 2)
            self.seen = 0

    model = Extra()
    model.seen = 7
    dit.save(model, tmp_path / "m.dit")
    assert dit.load(tmp_path / "m.dit").seen == 7


def test_attributes_that_a_class_does_not_want_stored(tmp_path):
    @dit.register("my.Cached")
    class Cached(nn.Linear):
        _not_stored = ("cache",)

    model = Cached(2, 2)
    model.cache = lambda: 1
    dit.save(model, tmp_path / "m.dit")
    assert not hasattr(dit.load(tmp_path / "m.dit"), "cache")


# --- resuming -------------------------------------------------------------------------------------


def steps(model, optimizer, scheduler, count):
    """Train on data that are drawn, with dropout; the weights that come of it."""
    losses = []
    for _ in range(count):
        x = aino.randn(6, 4)
        loss = nn.functional.mse_loss(model(x), x[:, :3])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses, [parameter.detach().numpy().copy() for parameter in model.parameters()]


OPTIMIZERS = {
    "SGD": lambda p: aino.optim.SGD(p, 0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: aino.optim.Adam(p, 0.02, amsgrad=True),
    "AdamW": lambda p: aino.optim.AdamW(p, 0.02),
    "RMSprop": lambda p: aino.optim.RMSprop(p, 0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: aino.optim.Adagrad(p, 0.05),
}
SCHEDULERS = {
    "StepLR": lambda o: aino.optim.lr_scheduler.StepLR(o, 4),
    "ExponentialLR": lambda o: aino.optim.lr_scheduler.ExponentialLR(o, 0.9),
    "LambdaLR": lambda o: aino.optim.lr_scheduler.LambdaLR(o, lambda epoch: 0.9**epoch),
    "CosineAnnealingLR": lambda o: aino.optim.lr_scheduler.CosineAnnealingLR(o, 20),
}


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize(
    ("optimizer", "scheduler"),
    [(name, "StepLR") for name in OPTIMIZERS] + [("Adam", name) for name in SCHEDULERS],
)
def test_a_resumed_run_is_the_run_that_was_not_interrupted(tmp_path, optimizer, scheduler, mmap):
    aino.manual_seed(3)
    model = network()
    optimizing = OPTIMIZERS[optimizer](model.parameters())
    scheduling = SCHEDULERS[scheduler](optimizing)
    steps(model, optimizing, scheduling, 7)
    checkpoint = {
        "model": model,
        "optimizer": optimizing.state_dict(),
        "scheduler": scheduling.state_dict(),
        "random": aino.get_rng_state(),
        "epoch": 7,
    }
    dit.save(checkpoint, tmp_path / "c.dit")
    expected = steps(model, optimizing, scheduling, 9)

    aino.manual_seed(99)
    loaded = dit.load(tmp_path / "c.dit", mmap=mmap)
    again = loaded["model"]
    optimizing = OPTIMIZERS[optimizer](again.parameters())
    scheduling = SCHEDULERS[scheduler](optimizing)
    optimizing.load_state_dict(loaded["optimizer"])
    scheduling.load_state_dict(loaded["scheduler"])
    aino.set_rng_state(loaded["random"])
    assert loaded["epoch"] == 7
    losses, weights = steps(again, optimizing, scheduling, 9)
    assert losses == expected[0]
    assert all(map(np.array_equal, weights, expected[1]))
    dit.verify(tmp_path / "c.dit")


def test_a_plateau_that_was_never_seen_comes_back(tmp_path):
    def plateau():
        optimizer = aino.optim.SGD(network().parameters(), 0.1)
        return aino.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)

    scheduler, again = plateau(), plateau()
    assert scheduler.best == math.inf
    for loss in (3.0, 2.0, 2.5):
        dit.save(scheduler.state_dict(), tmp_path / "s.dit")
        again.load_state_dict(dit.load(tmp_path / "s.dit"))
        assert again.state_dict() == scheduler.state_dict()
        scheduler.step(loss)


def test_a_network_that_was_fitted_comes_back(tmp_path):
    X, y = aino.randn(20, 4), aino.randint(0, 3, (20,))
    model = aino.NeuralNetwork([4, 5, 3], seed=1)
    model.fit(X, y, epochs=3, verbose=False)
    model.save(tmp_path / "m.dit")
    for mmap in (False, True):
        back = aino.load(tmp_path / "m.dit", mmap=mmap)
        assert np.array_equal(back.predict(X), model.predict(X))
        assert back.history == model.history
    assert list(parts_of(back)) == list(parts_of(model))
    back.fit(X, y, epochs=2, verbose=False)
    model.fit(X, y, epochs=2, verbose=False)
    assert list(parts_of(back)) == list(parts_of(model))
    assert not np.array_equal(aino.load(tmp_path / "m.dit").predict_proba(X), back.predict_proba(X))


def test_a_state_is_loaded_into_a_model_whole_or_not_at_all(tmp_path):
    model, other = network(), network()
    dit.save(model.state_dict(), tmp_path / "s.dit")
    other.load_state_dict(dit.load(tmp_path / "s.dit"))
    assert list(parts_of(other)) == list(parts_of(model))
    state = dit.load(tmp_path / "s.dit")
    state["unknown"] = state.pop("0.bias")
    state["4.weight"] = aino.ones(2, 2)
    state["0.weight"] = aino.zeros(8, 4)
    with pytest.raises(ValueError, match=r"(?s)0\.bias.*unknown.*4\.weight"):
        other.load_state_dict(state)
    assert list(parts_of(other)) == list(parts_of(model))
