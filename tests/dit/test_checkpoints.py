"""Models beside other values; what saving and loading leave alone."""

import numpy as np

import aino.dit as dit
from aino.autograd.tensor import Tensor
from tests.dit import fakes, forge
from tests.dit.fakes import Chain, Count, Drop, Line, Net, Parameter
from tests.dit.looks import again, shape_of


def test_a_checkpoint_holds_models_and_states(tmp_path):
    net, other = Net(2, tied=True), Chain(Line(2, 1), Drop()).eval()
    checkpoint = {
        "model": net,
        "pair": (net, other),
        "optimizer": {"state": {0: {"exp_avg": Tensor(np.ones(2))}}, "param_groups": [{"lr": 0.1}]},
        "weights": net.state_dict(),
        "epoch": 7,
    }
    back = again(checkpoint, tmp_path)
    assert shape_of(back) == shape_of(checkpoint)
    assert back["pair"][0] is back["model"]
    assert back["weights"]["first.weight"].array is back["model"].first.weight.array
    assert forge.document_of(tmp_path / "m.dit")["kind"] == "checkpoint"


def test_parts_of_a_model_come_back_as_its_parts(tmp_path):
    net = Net(2)
    chain = Chain(net, net.first)
    checkpoint = {
        "first": net.first,
        "weights": [net.first.weight, net.last.bias, net.first.weight.detach()],
        "nets": (net, chain),
        "other": Line(2, 2),
        "again": {"drop": net.drop},
    }
    back = again(checkpoint, tmp_path)
    chain = back["nets"][1]
    assert back["nets"][0] is getattr(chain, "0")
    assert back["first"] is getattr(chain, "1") is getattr(chain, "0").first
    assert back["weights"][0] is back["first"].weight
    assert back["weights"][1] is getattr(chain, "0").last.bias
    assert back["weights"][2] is not back["first"].weight
    assert back["weights"][2].array is back["first"].weight.array
    assert back["again"]["drop"] is getattr(chain, "0").drop
    assert len(forge.document_of(tmp_path / "m.dit")["architecture"]) == 2
    assert shape_of(back) == shape_of(checkpoint)
    assert "first: 1 of model 0" in dit.describe(tmp_path / "m.dit") or "0.first of model" in (
        dit.describe(tmp_path / "m.dit")
    )


def test_the_kind_is_what_was_saved(tmp_path):
    for value, kind in ((Drop(), "model"), ([Drop()], "checkpoint"), ([], "state"), (1, "state")):
        dit.save(value, tmp_path / "k.dit")
        assert dit.verify(tmp_path / "k.dit").kind == kind


def test_random_numbers_of_the_run_are_not_drawn(tmp_path):
    @dit.register("test.Draws")
    class Draws(fakes.Fake):
        def __init__(self):
            self.weight = Parameter(np.random.standard_normal(3).astype(np.float32))

    model = Draws()
    state = repr(np.random.get_state(legacy=False))
    back = again(model, tmp_path)
    assert repr(np.random.get_state(legacy=False)) == state
    assert shape_of(back) == shape_of(model)


def test_a_saved_model_is_not_changed_by_saving(tmp_path):
    model = Chain(Net(3, tied=True), Count(2))
    before, own = shape_of(model), {id(part) for part in model.state_dict().values()}
    arrays = [part.array for part in model.state_dict().values()]
    dit.save(model, tmp_path / "m.dit")
    assert shape_of(model) == before
    assert all(a is b.array for a, b in zip(arrays, model.state_dict().values(), strict=True))
    assert all(array.flags.writeable for array in arrays)
    assert own


def test_a_loaded_model_does_not_hang_on_the_file(tmp_path):
    back = again(Net(2), tmp_path)
    (tmp_path / "m.dit").unlink()
    back.first.weight.array[:] = 1
    assert back.first.weight.array.flags.owndata
