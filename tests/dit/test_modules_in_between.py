"""Modules that are not yet, or not only, what their class says: lazy, parametrized, with hooks."""

import numpy as np
import pytest

import aino
from aino import dit, nn
from aino.errors import DitError
from aino.nn.parameter import is_lazy
from aino.nn.utils import parametrizations, prune
from tests.dit.test_real_modules import check

#: Lazy modules, and a first input.
LAZY = {
    "linear": (lambda: nn.LazyLinear(2), (3, 4)),
    "linear without a bias": (lambda: nn.LazyLinear(2, bias=False, dtype=aino.float64), (3, 4)),
    "convolution": (lambda: nn.LazyConv2d(4, 3, stride=2, padding=1, groups=2), (1, 2, 5, 5)),
    "transposed convolution": (lambda: nn.LazyConvTranspose1d(3, 2, bias=False), (2, 4, 5)),
    "batch normalisation": (lambda: nn.LazyBatchNorm1d(momentum=None), (4, 3)),
    "instance normalisation": (lambda: nn.LazyInstanceNorm1d(affine=True), (4, 3, 5)),
    "network": (lambda: nn.Sequential(nn.LazyLinear(3), nn.Tanh(), nn.LazyLinear(2)), (2, 5)),
}


def first_input(model, shape):
    dtypes = {p.array.dtype for p in model.parameters()}
    return aino.randn(*shape, dtype=max(dtypes, key=lambda dtype: dtype.itemsize))


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("name", LAZY)
def test_a_lazy_module_comes_back_lazy_and_takes_its_shape_from_its_first_input(
    tmp_path, name, mmap
):
    make, shape = LAZY[name]
    model = make()
    dit.save(model, tmp_path / "m.dit")
    back = dit.load(tmp_path / "m.dit", mmap=mmap)
    assert all(map(is_lazy, back.parameters()))
    x = first_input(model, shape)
    aino.manual_seed(0)
    expected = model(x)
    aino.manual_seed(0)
    assert aino.equal(back(x), expected)
    assert repr(back) == repr(model)
    assert not any(map(is_lazy, back.parameters()))
    check(back, tmp_path / "m.dit")  # and now it is an ordinary one
    check(model, tmp_path / "m.dit")


@pytest.mark.parametrize("name", LAZY)
def test_a_lazy_module_that_took_a_state_and_was_not_called_yet(tmp_path, name):
    make, shape = LAZY[name]
    model, other = make(), make()
    x = first_input(model, shape)
    model(x)
    other.load_state_dict(model.state_dict())
    check(other, tmp_path / "m.dit")
    back = dit.load(tmp_path / "m.dit")
    assert aino.equal(back.eval()(x), model.eval()(x))


@pytest.mark.parametrize("name", LAZY)
def test_the_state_of_a_lazy_module_is_a_state_like_others(tmp_path, name):
    make, shape = LAZY[name]
    model, other = make(), make()
    dit.save(model.state_dict(), tmp_path / "s.dit")
    state = dit.load(tmp_path / "s.dit")
    assert list(state) == list(model.state_dict())
    other.load_state_dict(state)
    x = first_input(model, shape)
    other(x)
    assert not any(map(is_lazy, other.parameters()))


def test_a_state_without_a_shape_fits_no_module_that_has_one(tmp_path):
    @dit.register("my.Wavering")
    class Wavering(nn.Module):
        lazy = True

        def __init__(self):
            super().__init__()
            self.inner = nn.LazyLinear(2) if Wavering.lazy else nn.Linear(3, 2)

    for lazy, cause in (
        (True, r"weight has the shape \(none yet\) instead of \(2, 3\)"),
        (False, r"weight has the shape \(2, 3\) instead of \(none yet\)"),
    ):
        Wavering.lazy = lazy
        dit.save(Wavering(), tmp_path / "m.dit")
        Wavering.lazy = not lazy
        with pytest.raises(DitError, match=cause):
            dit.load(tmp_path / "m.dit")


# --- hooks ----------------------------------------------------------------------------------------


def test_hooks_that_a_constructor_adds_are_added_again(tmp_path):
    @dit.register("my.Watched")
    class Watched(nn.Linear):
        def __init__(self, size):
            super().__init__(size, size)
            self.calls = 0
            self.handle = self.register_forward_hook(self.count)
            self.register_forward_pre_hook(lambda module, inputs: (inputs[0] * size,))

        def count(self, *_):
            self.calls += 1

    model = nn.Sequential(Watched(2), Watched(3))
    dit.save(model, tmp_path / "m.dit")
    back = dit.load(tmp_path / "m.dit")
    x = aino.ones(1, 2)
    assert aino.equal(back[0](x), model[0](x))
    assert (back[0].calls, model[0].calls, back[1].calls) == (1, 1, 0)
    back[0].handle.remove()
    back[0](x)
    assert back[0].calls == 1
    with pytest.raises(DitError, match=r"m\.dit: 0 has hooks \(.*<lambda>\), which are code"):
        dit.save(back, tmp_path / "m.dit")


HOOKED = {
    "pruned": (lambda: prune.l1_unstructured(nn.Linear(3, 4), "weight", 5), "L1Unstructured"),
    "weight norm": (lambda: nn.utils.weight_norm(nn.Linear(3, 4)), "WeightNorm"),
    "spectral norm": (lambda: nn.utils.spectral_norm(nn.Linear(3, 4)), "SpectralNorm"),
}
PARAMETRIZED = {
    "weight norm": parametrizations.weight_norm,
    "spectral norm": parametrizations.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
}


def comes_back_by_its_state(make, model, path):
    dit.save(model.state_dict(), path)
    other = make()
    other.load_state_dict(dit.load(path))
    x = aino.randn(5, 3)
    assert aino.equal(other.eval()(x), model.eval()(x))


@pytest.mark.filterwarnings("ignore:nn.utils.weight_norm is deprecated")
@pytest.mark.parametrize("name", HOOKED)
def test_what_hooks_compute_is_refused_by_name_and_kept_by_its_state(tmp_path, name):
    make, hook = HOOKED[name]
    model = make()
    with pytest.raises(DitError, match=rf"m\.dit: 0 has hooks \({hook}.*its state_dict\(\)"):
        dit.save(nn.Sequential(model), tmp_path / "m.dit")
    assert not (tmp_path / "m.dit").exists()
    comes_back_by_its_state(make, model, tmp_path / "s.dit")


def test_a_module_that_was_pruned_for_good_comes_back(tmp_path):
    model = prune.remove(prune.l1_unstructured(nn.Linear(3, 4), "weight", 5), "weight")
    assert int((model.weight == 0).sum()) == 5
    check(model, tmp_path / "m.dit")


@pytest.mark.parametrize("name", PARAMETRIZED)
def test_a_parametrized_module_is_refused_by_name_and_kept_by_its_state(tmp_path, name):
    def make():
        return PARAMETRIZED[name](nn.Linear(3, 4))

    model = make()
    with pytest.raises(DitError, match=r"m\.dit: 1 is parametrized.*remove_parametrizations\(\)"):
        dit.save(nn.Sequential(nn.Tanh(), model), tmp_path / "m.dit")
    comes_back_by_its_state(make, model, tmp_path / "s.dit")
    plain = nn.utils.parametrize.remove_parametrizations(model, "weight")
    dit.save(plain, tmp_path / "m.dit")
    back = dit.load(tmp_path / "m.dit")
    assert type(back) is nn.Linear
    assert np.array_equal(back.weight.detach().numpy(), plain.weight.detach().numpy())
