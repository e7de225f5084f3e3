"""Models come back as they are, whatever was done to them since they were made."""

import copy
import math

import numpy as np
import pytest

import aino.dit as dit
from aino.autograd.tensor import Tensor
from aino.errors import DitError
from tests.dit import fakes, forge
from tests.dit.fakes import Chain, Count, Drop, Keeps, Line, Net, Parameter
from tests.dit.looks import again, shape_of


def made(name):
    """One of the models below, as it comes from its constructor."""
    return {
        "line": lambda: Line(3, 2),
        "no bias": lambda: Line(3, 2, bias=False),
        "by place": lambda: Line(3, 2, False, np.float64, 2),
        "chain": lambda: Chain(Line(2, 3), Drop(0.1), Chain(Line(3, 1), Count(2))),
        "empty chain": lambda: Chain(),
        "net": lambda: Net(3),
        "tied": lambda: Net(3, tied=True),
        "buffers": lambda: Count(3),
    }[name]()


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize(
    "name", ["line", "no bias", "by place", "chain", "empty chain", "net", "tied", "buffers"]
)
def test_models_come_back(tmp_path, name, mmap):
    model = made(name)
    back = again(model, tmp_path, mmap=mmap)
    assert type(back) is type(model)
    assert shape_of(back) == shape_of(model)


# --- altered after they were made ----------------------------------------------------------------


def replace_child(model):
    model.last = Line(3, 7)


def replace_by_another_class(model):
    model.drop = Chain(Line(1, 1), Drop(0.3))


def remove_child(model):
    del model.drop


def set_child_to_none(model):
    model.drop = None


def add_child(model):
    model.head = Line(3, 1)


def add_nested_child(model):
    model.first.inner = Chain(Drop(), Line(2, 2))


def change_rate(model):
    model.drop.rate = 0.25


def change_to_infinity(model):
    model.drop.rate = math.inf


def change_to_nan(model):
    model.drop.rate = math.nan


def change_to_container(model):
    model.first.scale = {"a": [1, (2, None)], 3: np.arange(3)}


def remove_bias(model):
    model.first.bias = None


def add_bias(model):
    model.first.bias = None
    model.last.bias = Parameter(np.full(3, 2.5, np.float32))


def other_shape(model):
    model.first.weight = Parameter(np.ones((7, 5), np.float32))


def other_dtype(model):
    model.first.weight = Parameter(np.ones((3, 3)))


def extra_parameter(model):
    model.first.gain = Parameter(np.ones(2, np.float32))


def swapped(model):
    model.first.bias.array[:] = 3
    model.first, model.last = model.last, model.first


def reordered(model):
    first = model.first
    del model.first
    model.first = first


def tie(model):
    model.last.weight = model.first.weight


def tie_modules(model):
    model.last = model.first


def tie_three(model):
    model.last.weight = model.first.weight
    model.extra = Line(3, 3)
    model.extra.weight = model.first.weight
    model.again = model.extra


def evaluate(model):
    model.eval()


def evaluate_one(model):
    model.drop.eval()


def train_one(model):
    model.eval()
    model.last.train()


def freeze(model):
    model.first.weight.requires_grad_(False)


def mark(model):
    model.first.weight.tag = {"group": 3}


def learned(model):
    model.first.weight.array[:] = np.nan
    model.last.bias.array[:] = -0.0


def same_memory(model):
    model.last.weight = Parameter(Tensor(model.first.weight.array))


def hidden_in_a_list(model):
    model.blocks = [Line(2, 2), {"a": Line(1, 2).eval()}]
    model.blocks[0].weight.array[:] = 5


def hidden_zeros(model):
    model.blocks = [Line(2, 2)]
    model.blocks[0].weight.array[:] = 0


def plain_tensors(model):
    model.table = Tensor(np.arange(3))
    model.many = [Tensor(np.ones(2)), Tensor(np.ones(2)).requires_grad_()]


def history(model):
    model.history = {"loss": [1.0, 0.5, math.nan], "epoch": 3}


ALTERED = [
    replace_child, replace_by_another_class, remove_child, set_child_to_none, add_child,
    add_nested_child, change_rate, change_to_infinity, change_to_nan, change_to_container,
    remove_bias, add_bias, other_shape, other_dtype, extra_parameter, swapped, reordered, tie,
    tie_modules, tie_three, evaluate, evaluate_one, train_one, freeze, mark, learned,
    hidden_in_a_list, hidden_zeros, plain_tensors, history,
]  # fmt: skip


@pytest.mark.parametrize("alter", ALTERED)
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_models_that_were_altered_come_back_as_they_are(tmp_path, alter, tied, inside):
    net = Net(3, tied=tied)
    before = shape_of(net)
    alter(net)
    if not (tied and alter is tie):
        assert shape_of(net) != before
    model = Chain(Drop(), net) if inside else net
    assert shape_of(again(model, tmp_path)) == shape_of(model)


def test_untying_comes_back(tmp_path):
    net = Net(3, tied=True)
    net.last.weight = Parameter(net.first.weight.array.copy())
    back = again(net, tmp_path)
    assert back.last.weight is not back.first.weight
    back.last.weight.array[:] = 9
    assert (back.first.weight.array != 9).all()


def test_parameters_that_share_memory_share_it_again(tmp_path):
    net = Net(3)
    same_memory(net)
    back = again(net, tmp_path)
    assert back.last.weight is not back.first.weight
    assert back.last.weight.array is back.first.weight.array


def test_a_chain_of_one_module_twice_comes_back_as_that(tmp_path):
    line = Line(2, 2)
    back = again(Chain(line, Drop(), line), tmp_path)
    assert getattr(back, "0") is getattr(back, "2")
    names = [name for name, _ in forge.unpack(tmp_path / "m.dit")]
    assert names == ["dit.json", "0.weight.npy", "0.bias.npy"]


def test_tied_parameters_are_stored_once(tmp_path):
    net = Net(100, tied=True)
    back = again(net, tmp_path)
    assert back.last.weight is back.first.weight
    assert (tmp_path / "m.dit").stat().st_size < 50_000
    assert np.load(tmp_path / "m.dit")["first.weight"].shape == (100, 100)


def test_a_child_taken_from_a_chain_leaves_no_weights_behind(tmp_path):
    model = Chain(Line(500, 500), Line(2, 2))
    setattr(model, "0", Drop())
    assert shape_of(again(model, tmp_path)) == shape_of(model)
    assert (tmp_path / "m.dit").stat().st_size < 10_000


def test_the_template_that_a_constructor_copies_is_no_part_of_the_state(tmp_path):
    model = Copies(Line(200, 200), 2)
    model.blocks[0].weight.array[:] = 1
    back = again(model, tmp_path)
    assert shape_of(back) == shape_of(model)
    assert (tmp_path / "m.dit").stat().st_size < 200 * 200 * 4 * 2 + 10_000


@dit.register("test.Copies")
class Copies(fakes.Fake):
    """Keeps copies of its argument where its state dict does not look."""

    def __init__(self, layer, count):
        self.blocks = [copy.deepcopy(layer) for _ in range(count)]


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((1,), {}),
        ((1, 2), {}),
        ((1, 2, 3, 4), {}),
        ((1,), {"two": 2}),
        ((), {"two": 2, "three": 3, "four": 4, "five": 5}),
        ((1, 2, 3), {"three": 4, "one": 5}),
        (([1, (2, {"a": None})],), {"two": "text", "three": np.dtype("int8")}),
        ((np.float32, np.arange(4)), {"three": Tensor(np.ones(3))}),
        ((math.inf,), {"two": -math.inf, "three": 1j}),
        ((Line(1, 2), [Line(2, 1), {"a": Drop(0.1)}]), {"x": (Net(1),)}),
        ((Parameter(np.ones(2, np.float32)),), {}),
    ],
)
def test_constructor_arguments_come_back(tmp_path, args, kwargs):
    model = Keeps(*args, **kwargs)
    assert shape_of(again(model, tmp_path)) == shape_of(model)
    assert shape_of(again(Chain(model), tmp_path)) == shape_of(Chain(model))


def test_defaults_are_written_down(tmp_path):
    dit.save(Drop(), tmp_path / "m.dit")
    design = forge.document_of(tmp_path / "m.dit")["architecture"][0]["design"]
    assert design == {"class": "test.Drop", "arguments": {"rate": 0.5}}


def test_arguments_that_were_changed_since_do_no_harm(tmp_path):
    sizes = [1, 2]
    model = Keeps(sizes)
    sizes.append(3)
    assert again(model, tmp_path).all[0] == [1, 2, 3]
    model = Keeps(tuple(sizes))
    model.all[0] = "other"
    assert again(model, tmp_path).all[0] == "other"


def test_a_constructor_that_writes_into_its_argument_does_not_harm_the_model(tmp_path):
    @dit.register("test.Writes")
    class Writes(fakes.Fake):
        def __init__(self, weight):
            self.weight = Parameter(weight)
            if not weight.array.flags.writeable:
                raise ValueError("wants to write")
            weight.array[0] = 0

    array = np.ones(3, np.float32)
    model = Writes(Tensor(array))
    array[0] = 5
    with pytest.raises(DitError, match="cannot be made as described"):
        dit.save(model, tmp_path / "w.dit")
    assert array[0] == 5


@dit.register("test.Moody")
class Moody(fakes.Fake):
    """Does what the tests want it to do at that moment."""

    mood = 1.0
    writes = False

    def __init__(self, weight=None):
        self.weight = None if weight is None else Parameter(weight)
        self.box = [Parameter(np.full(2, Moody.mood, np.float32))]
        if Moody.writes:
            weight.array[:] = 0


def test_a_constructor_cannot_write_into_what_was_learned(tmp_path, monkeypatch):
    dit.save(Moody(Tensor(np.ones(3, np.float32))), tmp_path / "m.dit")
    monkeypatch.setattr(Moody, "writes", True)
    with pytest.raises(DitError, match=r"cannot be made as described: ValueError: .*read-only"):
        dit.load(tmp_path / "m.dit")


def test_parameters_out_of_sight_are_stored_even_if_they_are_as_they_were_made(
    tmp_path, monkeypatch
):
    dit.save(Moody(), tmp_path / "m.dit")
    monkeypatch.setattr(Moody, "mood", 2.0)
    assert dit.load(tmp_path / "m.dit").box[0].array.tolist() == [1, 1]
