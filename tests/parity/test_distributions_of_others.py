"""Distributions of vectors, transforms, constraints and divergences against PyTorch's."""

import inspect

import numpy as np
import pytest

import aino
from tests.distributions.test_constraints import ROWS as CONSTRAINTS
from tests.distributions.test_kl import FAMILIES, OTHERS, PAIRS
from tests.distributions.test_several import CASES
from tests.distributions.test_transforms import CONSTRAINTS as REGISTERED
from tests.distributions.test_transforms import TRANSFORMS

torch = pytest.importorskip("torch")
D, T = aino.distributions, torch.distributions


def theirs(x):
    """What stands for a tensor, a constraint or a transform of AINO's in PyTorch."""
    if isinstance(x, aino.Tensor):
        return torch.tensor(x.detach().numpy())
    if isinstance(x, list):
        return [theirs(part) for part in x]
    if isinstance(x, D.Distribution):
        given = {name: theirs(getattr(x, name)) for name in x.arg_constraints if name in vars(x)}
        return getattr(T, type(x).__name__)(**given)
    if isinstance(x, D.constraints.Constraint):
        return rebuilt(x, getattr(T.constraints, type(x).__name__))
    if isinstance(x, D.Transform):
        if type(x).__name__ == "_InverseTransform":
            return theirs(x._transform).inv
        return rebuilt(x, getattr(T, type(x).__name__))
    return x


def rebuilt(x, kind):
    names = {"tseq": "transforms", "event_dim": "_event_dim"}
    ours = vars(x)
    given = {
        name: theirs(ours[names.get(name, name)])
        for name in inspect.signature(kind).parameters
        if names.get(name, name) in ours
    }
    return kind(**given)


def same(found, expected, tolerance=1e-6):
    assert tuple(found.shape) == tuple(expected.shape)
    assert str(found.dtype) == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(
        found.detach().numpy(), expected.detach().numpy(), tolerance, tolerance
    )


def outcome(thing, name):
    try:
        found = getattr(thing, name)
        return found() if callable(found) else found
    except NotImplementedError:
        return NotImplementedError


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{'-'.join(case[1])}")
def test_of_vectors(case):
    name, parameters, _, x, *_ = case
    ours = getattr(D, name)(
        **{k: v if isinstance(v, int) else aino.tensor(v) for k, v in parameters.items()}
    )
    their = getattr(T, name)(
        **{k: v if isinstance(v, int) else torch.tensor(v) for k, v in parameters.items()}
    )
    value = aino.tensor(x)
    same(ours.log_prob(value), their.log_prob(theirs(value)))
    for figure in ("mean", "mode", "variance", "stddev", "entropy", "perplexity",
                   "enumerate_support", "covariance_matrix", "precision_matrix", "scale_tril"):  # fmt: skip  # noqa: E501
        if not hasattr(type(their), figure):
            continue
        found, expected = outcome(ours, figure), outcome(their, figure)
        if expected is NotImplementedError:
            assert found is NotImplementedError
        else:
            same(found, expected)
    assert ours.has_rsample == their.has_rsample
    assert tuple(ours.expand((2,)).batch_shape) == (2,)
    fresh = getattr(D, name)(
        **{k: v if isinstance(v, int) else aino.tensor(v) for k, v in parameters.items()}
    )
    wanted = getattr(T, name)(
        **{k: v if isinstance(v, int) else torch.tensor(v) for k, v in parameters.items()}
    )
    assert repr(fresh) == repr(wanted).replace("torch.", "aino.")
    assert repr(ours.support) == repr(their.support)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    ours = TRANSFORMS[name][0]
    their, x = theirs(ours), aino.tensor(np.asarray(TRANSFORMS[name][1], float))
    y = ours(x)
    expected = their(theirs(x))
    same(y, expected)
    same(ours.inv(y), their.inv(expected))
    assert ours.bijective == their.bijective
    assert repr(ours) == repr(their)
    assert repr(ours.inv) == repr(their.inv)
    assert tuple(ours.forward_shape(x.shape)) == tuple(their.forward_shape(tuple(x.shape)))
    for side in ("domain", "codomain"):
        found, wanted = getattr(ours, side), getattr(their, side)
        assert found.event_dim == wanted.event_dim
        assert type(found).__name__ == type(wanted).__name__
    if ours.bijective:
        same(ours.log_abs_det_jacobian(x, y), their.log_abs_det_jacobian(theirs(x), expected))
        try:
            sign = their.sign
        except NotImplementedError:
            return
        assert np.array_equal(ours.sign, sign)


@pytest.mark.parametrize(("constraint", "inside", "outside"), CONSTRAINTS, ids=lambda x: "")
def test_constraints(constraint, inside, outside):
    their = theirs(constraint)
    values = [*inside, *outside]
    found = constraint.check(aino.tensor(values)).tolist()
    # One by one: of a batch with an unsymmetric matrix PyTorch checks nothing but the symmetry.
    assert found == [bool(their.check(torch.tensor([value]))) for value in values]
    assert repr(constraint) == repr(their)
    assert constraint.event_dim == their.event_dim
    assert constraint.is_discrete == their.is_discrete


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("constraint", REGISTERED, ids=repr)
def test_registries(registry, constraint):
    ours, their = getattr(D, registry)(constraint), getattr(T, registry)(theirs(constraint))
    assert repr(ours) == repr(their)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if not OTHERS & set(pair)], ids="-".join)
def test_divergences(pair):
    sides = []
    for library, tensor in ((D, aino.tensor), (T, torch.tensor)):
        made = []
        for which, name in enumerate(pair):
            dtype = aino.float64 if library is D else torch.float64
            given = [
                tensor(v, dtype=dtype) if isinstance(v, float) else v for v in FAMILIES[name][which]
            ]
            made.append(getattr(library, name)(*given))
        sides.append(library.kl_divergence(*made))
    same(*sides)


def test_the_pairs_are_pytorchs():
    from torch.distributions.kl import _KL_REGISTRY

    assert sorted((p.__name__, q.__name__) for p, q in _KL_REGISTRY) == PAIRS


def test_modules():
    """``torch.distributions.normal.Normal`` is found where it stands."""
    for name in dir(T):
        if inspect.ismodule(getattr(T, name)):
            module = getattr(D, name)
            for public in getattr(getattr(T, name), "__all__", ()):
                assert hasattr(module, public), (name, public)
    assert sorted(T.__all__) == sorted(D.__all__)


@pytest.mark.parametrize("name", sorted(T.__all__))
def test_constructors(name):
    """Functions and classes take PyTorch's arguments with PyTorch's defaults."""
    if not callable(getattr(T, name)):
        return
    ours, their = (
        inspect.signature(getattr(library, name)).parameters.values() for library in (D, T)
    )
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in their]


def test_correlation_matrices():
    lower = D.LKJCholesky(4, 1.5).sample((3,))
    found = D.LKJCholesky(4, 1.5).log_prob(lower)
    same(found, T.LKJCholesky(4, 1.5).log_prob(theirs(lower)), 1e-4)


@pytest.mark.parametrize("name", sorted(T.__all__))
def test_methods_and_properties(name):
    """Every public attribute is there, methods take PyTorch's arguments, supports are as deep."""
    ours, their = getattr(D, name), getattr(T, name)
    if not inspect.isclass(their):
        return
    for attribute in dir(their):
        if attribute.startswith("_"):
            continue
        expected = getattr(their, attribute)
        assert hasattr(ours, attribute), attribute
        if inspect.isfunction(expected):
            found = inspect.signature(getattr(ours, attribute)).parameters
            assert list(found) == list(inspect.signature(expected).parameters), attribute
        if attribute == "support" and isinstance(expected, T.constraints.Constraint):
            for figure in ("event_dim", "is_discrete"):
                assert outcome(ours.support, figure) == outcome(expected, figure)
