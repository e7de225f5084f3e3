"""Every transform: its inverse, its determinant against autograd's Jacobian, caches, registries."""

import copy
import pickle

import numpy as np
import pytest

import aino
from aino import distributions as D
from aino.autograd.functional import jacobian
from aino.distributions import constraints as C

RNG = np.random.default_rng(0)


def t(array):
    return aino.tensor(np.asarray(array, float))


def matrix(n=3):
    return RNG.normal(size=(2, n, n))


#: name -> transform, an x, whether autograd's Jacobian is square
TRANSFORMS = {
    "abs": (D.AbsTransform(), RNG.normal(size=4)),
    "affine": (D.AffineTransform(t([1.0, 2.0]), t([-2.0, 0.5])), RNG.normal(size=(3, 2))),
    "affine of numbers": (D.AffineTransform(1.0, -3.0), RNG.normal(size=(3, 2))),
    "affine of events": (D.AffineTransform(1.0, t([-2.0, 0.5]), event_dim=1), RNG.normal(size=2)),
    "cat": (D.CatTransform([D.ExpTransform(), D.AffineTransform(1.0, 2.0)], -1, [2, 1]),
            RNG.normal(size=(2, 3))),
    "compose": (D.ComposeTransform([D.AffineTransform(0.5, 2.0), D.SigmoidTransform()]),
                RNG.normal(size=4)),
    "compose of events": (D.ComposeTransform([D.ExpTransform(), D.ReshapeTransform((4,), (2, 2))]),
                          RNG.normal(size=4)),
    "compose with a simplex": (D.ComposeTransform([D.AffineTransform(0.0, 2.0),
                                                   D.StickBreakingTransform()]),
                               RNG.normal(size=3)),
    "correlations": (D.CorrCholeskyTransform(), RNG.normal(size=(2, 6))),
    "cdf": (D.CumulativeDistributionTransform(D.Normal(t(0.5), t(2.0))), RNG.normal(size=4)),
    "exp": (D.ExpTransform(), RNG.normal(size=4)),
    "exp inverse": (D.ExpTransform().inv, RNG.uniform(0.5, 2.0, 4)),
    "independent": (D.IndependentTransform(D.ExpTransform(), 1), RNG.normal(size=(2, 3))),
    "identity": (D.identity_transform, RNG.normal(size=4)),
    "lower": (D.LowerCholeskyTransform(), np.tril(matrix())),
    "positive definite": (D.PositiveDefiniteTransform(), np.tril(matrix())),
    "power": (D.PowerTransform(t([0.5, -2.0])), RNG.uniform(0.5, 2.0, (3, 2))),
    "power of a number": (D.PowerTransform(3.0), RNG.uniform(0.5, 2.0, 4)),
    "reshape": (D.ReshapeTransform((4,), (2, 2)), RNG.normal(size=(3, 4))),
    "sigmoid": (D.SigmoidTransform(), RNG.normal(size=4)),
    "softmax": (D.SoftmaxTransform(), RNG.normal(size=(2, 2, 3))),
    "softplus": (D.SoftplusTransform(), RNG.normal(size=4)),
    "stack": (D.StackTransform([D.ExpTransform(), D.AffineTransform(1.0, 2.0)], -1),
              RNG.normal(size=(3, 2))),
    "stick": (D.StickBreakingTransform(), RNG.normal(size=(2, 3))),
    "tanh": (D.TanhTransform(), RNG.normal(size=4)),
}  # fmt: skip
transforms = pytest.mark.parametrize("name", TRANSFORMS)
#: Those that are not the inverse of one vector, or have no determinant.
WITHOUT = {"abs", "lower", "positive definite", "softmax"}


@transforms
def test_inverse(name):
    transform, x = TRANSFORMS[name][0], t(TRANSFORMS[name][1])
    y = transform(x)
    assert transform.codomain.check(y).all()
    assert transform.forward_shape(x.shape) == y.shape
    assert transform.inverse_shape(y.shape) == x.shape
    back = transform.inv(y)
    expected = x.abs() if name == "abs" else x
    if name == "softmax":
        back, expected = transform(back), y
    np.testing.assert_allclose(back.numpy(), expected.numpy(), 1e-9, 1e-9)
    assert transform.inv.inv is transform
    assert transform.inv(y).shape == x.shape
    assert (transform == transform) is True
    assert transform.domain.check(x).all()


@transforms
def test_determinant(name):
    transform, x = TRANSFORMS[name][0], t(TRANSFORMS[name][1])
    y = transform(x)
    if name in WITHOUT:
        assert not transform.bijective
        with pytest.raises(NotImplementedError):
            transform.log_abs_det_jacobian(x, y)
        return
    assert transform.bijective
    found = transform.log_abs_det_jacobian(x, y)
    events = transform.domain.event_dim
    batch = x.shape[: x.dim() - events]
    if name == "stack":  # as PyTorch's: of each slice, even where they are one event
        found = found.sum(-1)
    assert found.shape == batch
    for index in np.ndindex(*batch):
        # Batches are taken apart with their parameters: all but one element stay as they are.
        def one(part, index=index):
            whole = x.clone()
            whole[index] = part
            return transform(whole)[index].reshape(-1)

        slope = jacobian(one, x[index]).numpy()
        slope = slope.reshape(slope.shape[0], -1)
        expected = np.linalg.slogdet(reduced(name, slope))[1]
        assert found[index].item() == pytest.approx(expected, abs=1e-9)
    back = transform.inv.log_abs_det_jacobian(y, x)
    back = back.sum(-1) if name == "stack" else back
    np.testing.assert_allclose(back.numpy(), -found.numpy(), 1e-9, 1e-9)


def reduced(name, slope):
    """The rows of a Jacobian that are free: of a simplex all but the last, of a factor those below."""  # noqa: E501
    if "stick" in name or "simplex" in name:
        return slope[:-1]
    if name == "correlations":
        below = np.tril(np.ones((4, 4), bool), -1).reshape(-1)
        return slope[below]
    return slope


@transforms
def test_caches_and_copies(name):
    transform, x = TRANSFORMS[name][0], t(TRANSFORMS[name][1])
    cached = transform.with_cache()
    y = cached(x)
    if name not in ("identity", "compose", "compose of events", "compose with a simplex"):
        assert cached.with_cache() is cached
        assert cached(x) is y or "inverse" in name
    assert cached.inv(y) is x or name in ("exp inverse",)
    np.testing.assert_allclose(transform(x).numpy(), y.numpy())
    for other in (pickle.loads(pickle.dumps(cached)), copy.deepcopy(cached)):
        np.testing.assert_allclose(other(x).numpy(), y.numpy())
        if name not in ("abs", "softmax"):  # of many an x, only the cache knows which it was
            np.testing.assert_allclose(other.inv(y).numpy(), cached.inv(y).numpy())


def test_signs():
    assert D.ExpTransform().sign == 1
    assert D.AffineTransform(0.0, -2.0).sign == -1
    both = D.ComposeTransform([D.AffineTransform(0.0, t([-1.0, 2.0])), D.ExpTransform()])
    assert both.sign.tolist() == [-1.0, 1.0]
    assert D.PowerTransform(-1.0).sign == -1
    assert D.PowerTransform(0.5).sign == 1
    with pytest.raises(NotImplementedError):
        _ = D.SoftmaxTransform().sign


def test_what_is_the_same():
    assert D.ExpTransform() == D.ExpTransform()
    assert D.ExpTransform().inv == D.ExpTransform().inv
    assert D.AffineTransform(t(1.0), 2.0) == D.AffineTransform(1.0, 2.0)
    assert D.AffineTransform(0.0, 2.0) != D.AffineTransform(1.0, 2.0)
    assert D.PowerTransform(2.0) != D.PowerTransform(3.0)
    assert D.ComposeTransform([D.ExpTransform()]) == D.ComposeTransform([D.ExpTransform()])
    assert D.ExpTransform() != D.SigmoidTransform()


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda: D.ExpTransform(cache_size=2), ValueError, "0 or 1"),
        (lambda: D.ReshapeTransform((2,), (3,)), ValueError, "different sizes"),
        (lambda: D.ReshapeTransform((4,), (2, 2)).forward_shape((3, 5)), ValueError, "ends in"),
        (lambda: D.StickBreakingTransform().forward_shape(()), ValueError, "dimensions"),
        (lambda: D.StackTransform([3]), AssertionError, "transforms"),
        (lambda: D.CatTransform([D.ExpTransform()])(aino.zeros(3)), AssertionError, "add up"),
        (lambda: D.StackTransform([D.ExpTransform()])(aino.zeros(3)), AssertionError, "slices"),
        (lambda: D.Transform()(aino.zeros(2)), NotImplementedError, "_call"),
        (lambda: D.CorrCholeskyTransform().forward_shape((4,)), ValueError, "triangle"),
        (lambda: D.IndependentTransform(D.ExpTransform(), 2)(aino.zeros(2)), ValueError, "fewer"),
        (lambda: D.biject_to(C.boolean), NotImplementedError, "Boolean"),
        (lambda: D.biject_to.register(3, lambda c: c), TypeError, "constraint"),
    ],
)
def test_errors(use, error, words):
    with pytest.raises(error, match=words):
        use()


CONSTRAINTS = [
    C.positive, C.nonnegative, C.greater_than(2.0), C.greater_than_eq(t([1.0, -1.0])),
    C.less_than(t([1.0, -1.0])), C.unit_interval, C.interval(-1.0, 3.0),
    C.half_open_interval(t(-1.0), t(3.0)), C.real, C.real_vector, C.simplex, C.corr_cholesky,
    C.independent(C.positive, 1), C.stack([C.positive, C.real], -1),
    C.cat([C.positive, C.real], -1, [1, 1]),
]  # fmt: skip


@pytest.mark.parametrize("constraint", CONSTRAINTS, ids=repr)
@pytest.mark.parametrize("registry", [D.biject_to, D.transform_to], ids=["biject", "transform"])
def test_registries(registry, constraint):
    transform = registry(constraint)
    x = t(RNG.normal(size=(5, 3 if "Corr" in repr(constraint) else 2)))
    y = transform(x)
    assert constraint.check(y).all()
    assert transform.bijective or registry is D.transform_to
    again = transform(transform.inv(y))
    np.testing.assert_allclose(again.numpy(), y.numpy(), 1e-9)


def test_registries_of_matrices():
    for constraint in (C.lower_cholesky, C.positive_definite, C.positive_semidefinite):
        y = D.transform_to(constraint)(t(matrix()))
        assert constraint.check(y).all()


def test_a_constraint_of_the_users():
    class Even(C.Constraint):
        pass

    registry = D.constraint_registry.ConstraintRegistry()

    @registry.register(Even)
    def _even(constraint):
        return D.AffineTransform(0.0, 2.0)

    assert registry(Even()) == D.AffineTransform(0.0, 2.0)


def test_triangles():
    matrices = t(np.arange(18.0).reshape(2, 3, 3))
    for diagonal in (-2, -1, 0, 1):
        vector = D.utils.tril_matrix_to_vec(matrices, diagonal)
        back = D.utils.vec_to_tril_matrix(vector, diagonal)
        assert np.array_equal(back.numpy(), np.tril(matrices.numpy(), diagonal))
    with pytest.raises(ValueError, match="triangle"):
        D.utils.vec_to_tril_matrix(aino.zeros(4))
    with pytest.raises(ValueError, match="diag"):
        D.utils.tril_matrix_to_vec(matrices, 3)
    with pytest.raises(ValueError, match="diag"):
        D.utils.tril_matrix_to_vec(matrices, -4)
