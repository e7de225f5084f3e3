"""``compare`` finds the first layer where two models part."""

import copy

import numpy as np
import pytest

import aino
from aino import nn
from aino.debug import compare

X = aino.tensor(np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32))


def model():
    aino.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.LayerNorm(8), nn.Sequential(nn.Linear(8, 3), nn.Tanh())
    )


class Named(nn.Module):
    def __init__(self, eps=1e-5):
        super().__init__()
        self.first, self.norm, self.last = (
            nn.Linear(4, 8),
            nn.LayerNorm(8, eps=eps),
            nn.Linear(8, 3),
        )

    def forward(self, x):
        return self.last(self.norm(self.first(x).relu())).tanh()


def changed(change):
    other = model()
    with aino.no_grad():
        change(other)
    return other


#: what is different, where the models part, and what is said of it.
PARTS = {
    "a weight": (lambda m: m[3][0].weight[1, 0].add_(1.0), "3.0",
                 "parameters differ already: 3.0.weight"),
    "a setting": (lambda m: setattr(m[2], "eps", 0.5), "2", "eps=0.5"),
    "an activation": (lambda m: m.set_submodule("3.1", nn.Sigmoid()), "3.1",
                      "Tanh() and Sigmoid()"),
    "the mode": (lambda m: m.eval(), None, ""),
    "a NaN": (lambda m: m[0].bias[:1].fill_(float("nan")), "0", "0.bias"),
    "a width": (lambda m: m.set_submodule("3.0", nn.Linear(8, 5)), "3.0", "3.0.weight, 3.0.bias"),
}  # fmt: skip


@pytest.mark.parametrize("case", PARTS)
def test_where_they_part(case):
    change, place, words = PARTS[case]
    found = compare(model(), changed(change), X)
    assert (found.first and found.first.name) == place
    assert bool(found) is found.same is (place is None)
    assert words in str(found)
    assert (f"they part at {place}" in str(found)) is (place is not None)


def test_the_numbers_are_those_of_the_layers():
    other = changed(lambda m: m[0].bias[2].add_(0.25))
    found = compare(model(), other, X)
    assert found.first.index[1] == 2
    assert found.first.largest == pytest.approx(0.25)
    (parameter,) = [one for one in found.parameters if not one.same]
    assert (parameter.name, parameter.index, parameter.largest) == ("0.bias", (2,), 0.25)


def test_a_compiled_model_is_a_model():
    ours = model()
    found = compare(aino.compile(ours), ours, X)
    assert found.same
    assert found.layers[-1].name == ""
    plain = nn.Linear(4, 2)
    assert compare(aino.compile(plain), plain, X).same


def test_tolerances():
    other = changed(lambda m: m[0].bias[2].add_(1e-3))
    assert not compare(model(), other, X)
    assert compare(model(), other, X, rtol=0.1)


def test_names_that_differ():
    ours, other = model(), Named()
    other.load_state_dict(dict(zip(other.state_dict(), ours.state_dict().values(), strict=True)))
    found = compare(ours, other, X)
    assert found.same
    assert [layer.other for layer in found.layers] == ["first", "norm", "last", ""]
    other.norm.eps = 0.5
    assert compare(ours, other, X).first.name == "2"


def test_a_state_dict_stands_for_a_model(tmp_path):
    ours, other = model(), changed(lambda m: m[3][0].bias.add_(1.0))
    aino.save(other.state_dict(), tmp_path / "other.dit")
    arrays = {key: value.numpy() for key, value in other.state_dict().items()}
    for state in (other.state_dict(), arrays, tmp_path / "other.dit"):
        assert compare(ours, state, X).first.name == "3.0"
        assert compare(state, ours, X).first.name == "3.0"
        assert not compare(ours, state)
    assert compare(other, arrays, X)
    assert compare(other, arrays)
    del arrays["0.bias"]
    arrays["more"] = np.ones(2)
    found = compare(ours, arrays, X)
    assert (found.only_a, found.only_b) == (["0.bias"], ["more"])
    assert "only the second has more" in str(found)


def test_modes_that_differ_are_told_of():
    one = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    assert compare(one, copy.deepcopy(one), X)  # the same is dropped
    found = compare(one, copy.deepcopy(one).eval(), X)
    assert found.first.name == "1"
    assert "call eval() on both" in str(found)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((3, X), "not int"),
        (({"epoch": 3, "model": {}}, X), "take the part with the weights"),
        ((nn.Linear, X), "not type"),
    ],
)
def test_what_is_no_model_is_refused(arguments, words):
    with pytest.raises(TypeError, match=words):
        compare(model(), *arguments)


def test_two_state_dicts_have_no_layers():
    state = model().state_dict()
    assert compare(state, state)
    with pytest.raises(TypeError, match="no layers"):
        compare(state, state, X)


def test_pytorch():
    torch = pytest.importorskip("torch")

    def theirs():
        torch.manual_seed(0)
        t = torch.nn
        inner = t.Sequential(t.Linear(8, 3), t.Tanh())
        return t.Sequential(t.Linear(4, 8), t.ReLU(), t.LayerNorm(8), inner)

    ours, other = model(), theirs()
    assert compare(ours, other, X).first.name == "0"
    ours.load_state_dict({k: aino.tensor(v.numpy()) for k, v in other.state_dict().items()})
    for x in (X, X.numpy(), torch.from_numpy(X.numpy())):
        found = compare(ours, other, x)
        assert found.same
        assert len(found.layers) == 7
    assert compare(other, ours, X)
    assert compare(ours, other.state_dict(), X)
    other[2].eps = 0.5
    found = compare(ours, other, X)
    assert found.first.name == "2"
    assert "eps=0.5" in found.notes[0]
    state = {k: v.bfloat16() for k, v in other.state_dict().items()}
    assert compare(ours, state, X, rtol=0.05)
    before = torch.get_rng_state()
    compare(ours, torch.nn.Sequential(torch.nn.Dropout()), X)
    assert torch.equal(before, torch.get_rng_state())


def test_a_state_dict_that_does_not_fit_agrees_with_nothing():
    ours = model()
    state = ours.state_dict()
    assert compare(ours, dict(state), X).same
    # By their order, where no name is the same.
    renamed = {f"module.{key}": value for key, value in state.items()}
    assert compare(ours, renamed, X).same
    other = {key: value + 1 if value.is_floating_point() else value
             for key, value in renamed.items()}  # fmt: skip
    assert compare(ours, other, X).first.name == "0"
    less = {key: value for key, value in state.items() if key != "0.bias"}
    for part in (less, {**state, "more": np.ones(2)}, {**state, "0.bias": np.ones(1)}):
        found = compare(ours, part, X)
        assert found.first is None  # the copy has the model's own there
        assert not found.same
        assert "does NOT fit" in str(found)
    for nothing in ({}, {"a": np.ones(3)}):
        with pytest.raises(ValueError, match=r"0\.weight"):
            compare(ours, nothing, X)


@pytest.mark.parametrize("tolerances", [{"rtol": -1}, {"atol": -1}, {"rtol": float("nan")}])
def test_tolerances_are_numbers_above_0(tolerances):
    with pytest.raises(ValueError, match=next(iter(tolerances))):
        compare(model(), model(), X, **tolerances)
