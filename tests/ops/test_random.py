"""Random numbers: reproducible, in the right distribution and dtype, through one door."""

import copy
import math
import pickle

import numpy as np
import pytest

import aino
from aino.errors import DtypeError, InplaceError, ShapeError
from aino.ops.random import generator as random
from aino.ops.random.generator import draw, fork_rng

COUNT = 20_000


def generator(seed=0):
    return aino.Generator().manual_seed(seed)


# Every way to draw, as a function of a generator.
DRAWS = {
    "rand": lambda g: aino.rand(5, generator=g),
    "randn": lambda g: aino.randn(5, generator=g),
    "randn complex": lambda g: aino.randn(5, generator=g, dtype=aino.complex64),
    "randint": lambda g: aino.randint(1000, (5,), generator=g),
    "randperm": lambda g: aino.randperm(50, generator=g),
    "rand_like": lambda g: aino.rand_like(aino.ones(5), generator=g),
    "randn_like": lambda g: aino.randn_like(aino.ones(5), generator=g),
    "randint_like": lambda g: aino.randint_like(aino.ones(5), 1000, generator=g),
    "normal": lambda g: aino.normal(aino.zeros(5), 1.0, generator=g),
    "bernoulli": lambda g: aino.bernoulli(aino.full((50,), 0.5), generator=g),
    "poisson": lambda g: aino.poisson(aino.full((5,), 99.0), generator=g),
    "binomial": lambda g: aino.binomial(
        aino.full((5,), 99.0), aino.full((5,), 0.5), generator=g
    ),
    "multinomial": lambda g: aino.multinomial(aino.ones(999), 5, generator=g),
    "multinomial replaced": lambda g: aino.multinomial(aino.ones(999), 5, True, generator=g),
    "uniform_": lambda g: aino.empty(5).uniform_(generator=g),
    "normal_": lambda g: aino.empty(5).normal_(generator=g),
    "exponential_": lambda g: aino.empty(5).exponential_(generator=g),
    "log_normal_": lambda g: aino.empty(5).log_normal_(generator=g),
    "cauchy_": lambda g: aino.empty(5).cauchy_(generator=g),
    "geometric_": lambda g: aino.empty(50).geometric_(0.1, generator=g),
    "bernoulli_": lambda g: aino.empty(50).bernoulli_(0.5, generator=g),
    "random_": lambda g: aino.empty(5).random_(generator=g),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_decides_the_numbers(name):
    make = DRAWS[name]
    first, again, other = make(generator(1)), make(generator(1)), make(generator(2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    assert type(first.array) is np.ndarray


@pytest.mark.parametrize("name", DRAWS)
def test_the_default_generator_is_used_where_none_is_named(name):
    make = DRAWS[name]
    aino.manual_seed(1)
    assert make(None).tolist() == make(generator(1)).tolist()


@pytest.mark.parametrize("name", DRAWS)
def test_every_draw_goes_through_one_door(name, monkeypatch):
    seen = []

    def watch(generator, kind, shape, dtype, *parameters):
        seen.append((kind, shape, dtype))
        random.intercepted.function = None
        try:
            return draw(generator, kind, shape, dtype, *parameters)
        finally:
            random.intercepted.function = watch

    g = generator(1)  # seeding goes through the door, too, and is none of the draws
    state = g.get_state()
    monkeypatch.setattr(random.intercepted, "function", watch)
    result = DRAWS[name](g)
    monkeypatch.undo()
    assert len(seen) == 1
    # Made again by hand, the same draws bring a generator into the same state.
    again = generator(1).set_state(state)
    assert DRAWS[name](again).tolist() == result.tolist()
    assert again.get_state().tolist() == g.get_state().tolist()


# Generators


def test_state():
    g = generator(5)
    aino.rand(3, generator=g)
    aino.randint(2, (1,), dtype=aino.int32, generator=g)  # leaves half of a word behind
    state = g.get_state()
    assert state.dtype == aino.uint8
    expected = aino.randint(9, (5,), dtype=aino.int32, generator=g).tolist()
    for twin in (
        aino.Generator().set_state(state),
        copy.deepcopy(aino.Generator().set_state(state)),
        pickle.loads(pickle.dumps(aino.Generator().set_state(state))),
        aino.Generator().set_state(state).clone_state(),
    ):
        assert aino.randint(9, (5,), dtype=aino.int32, generator=twin).tolist() == expected
        assert twin.initial_seed() == 5
    for wrong in (aino.zeros(3), aino.zeros(3, dtype=aino.uint8), state[:-1]):
        with pytest.raises(DtypeError, match="uint8"):
            g.set_state(wrong)


def test_seeds():
    g = generator(7)
    assert g.initial_seed() == 7
    assert generator(-1).initial_seed() == 2**64 - 1
    assert g.seed() == g.initial_seed() != aino.Generator().seed()
    assert aino.Generator().initial_seed() == aino.Generator().initial_seed()
    for wrong in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="64 bits"):
            g.manual_seed(wrong)


def test_the_default_generator():
    assert aino.manual_seed(3) is aino.default_generator
    assert aino.initial_seed() == 3
    state = aino.get_rng_state()
    first = aino.rand(3).tolist()
    aino.set_rng_state(state)
    assert aino.rand(3).tolist() == first
    assert aino.seed() == aino.initial_seed()


def test_fork():
    aino.manual_seed(0)
    with fork_rng():
        inside = aino.rand(3).tolist()
    assert aino.rand(3).tolist() == inside
    with fork_rng(enabled=False):
        inside = aino.rand(3).tolist()
    assert aino.rand(3).tolist() != inside


def test_what_is_no_generator():
    with pytest.raises(TypeError, match="Generator"):
        aino.rand(2, generator=np.random.default_rng(0))


# Distributions


def moments(x):
    return float(np.mean(x.array, dtype=np.float64)), float(np.std(x.array, dtype=np.float64))


@pytest.mark.parametrize("dtype", [aino.float16, aino.float32, aino.float64])
@pytest.mark.parametrize(
    ("make", "mean", "std", "low", "high"),
    [
        (lambda x: x.uniform_(), 0.5, math.sqrt(1 / 12), 0, 1),
        (lambda x: x.uniform_(-1, 3), 1, 4 * math.sqrt(1 / 12), -1, 3),
        (lambda x: x.normal_(), 0, 1, -6, 6),
        (lambda x: x.normal_(2, 0.5), 2, 0.5, -1, 5),
        (lambda x: x.exponential_(2), 0.5, 0.5, 0, 12),
        (lambda x: x.bernoulli_(0.25), 0.25, math.sqrt(3) / 4, 0, 1),
        (lambda x: x.geometric_(0.25), 4, math.sqrt(12), 1, 80),
        (lambda x: x.random_(5), 2, math.sqrt(2), 0, 4),
        (lambda x: aino.rand_like(x), 0.5, math.sqrt(1 / 12), 0, 1),
        (lambda x: aino.poisson(x.fill_(4)), 4, 2, 0, 30),
        (lambda x: aino.bernoulli(x.fill_(0.5)), 0.5, 0.5, 0, 1),
        (lambda x: aino.binomial(x.fill_(10), aino.full((), 0.5)), 5, math.sqrt(2.5), 0, 10),
        (lambda x: aino.normal(x.fill_(1), 2.0), 1, 2, -12, 12),
    ],
)
def test_distribution(make, mean, std, low, high, dtype):
    x = make(aino.zeros(COUNT, dtype=dtype))
    assert x.dtype == dtype
    assert low <= x.array.min()
    assert x.array.max() <= high
    found = moments(x)
    tolerance = 6 * std / math.sqrt(COUNT)
    assert found[0] == pytest.approx(mean, abs=tolerance + 1e-3)
    assert found[1] == pytest.approx(std, rel=0.05)


def test_uniform_numbers_are_below_one():
    for dtype in (aino.float16, aino.float32, aino.float64):
        x = aino.rand(200_000, dtype=dtype)
        assert float(x.array.max()) < 1


def test_skewed_distributions():
    x = aino.zeros(COUNT, dtype=aino.float64)
    logarithms = np.log(x.log_normal_(1, 2).array)
    assert logarithms.mean() == pytest.approx(1, abs=0.1)
    assert logarithms.std() == pytest.approx(2, rel=0.05)
    quartiles = np.quantile(x.cauchy_(3, 2).array, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles, [1, 3, 5], atol=0.2)


def test_complex_normal_numbers_have_variance_one():
    x = aino.randn(COUNT, dtype=aino.complex128).array
    assert np.mean(np.abs(x) ** 2) == pytest.approx(1, rel=0.05)
    assert x.real.std() == pytest.approx(x.imag.std(), rel=0.05)


def test_integers():
    for dtype in (aino.int64, aino.uint8, aino.int32, aino.float32, aino.bool):
        x = aino.randint(0, 2, (1000,), dtype=dtype)
        assert x.dtype == dtype
        assert sorted(set(x.tolist())) == [0, 1]
    assert set(aino.randint(5, 7, (100,)).tolist()) == {5, 6}
    assert aino.randint_like(aino.ones(3, dtype=aino.int16), 2, 5).dtype == aino.int16
    assert sorted(aino.randperm(50).tolist()) == list(range(50))
    assert aino.randperm(3, dtype=aino.int32).dtype == aino.int32
    assert aino.randperm(0).shape == (0,)
    # All that a dtype holds.
    assert aino.zeros(2000, dtype=aino.uint8).random_().array.max() > 250
    assert aino.zeros(200, dtype=aino.int64).random_().array.max() > 2**60
    assert set(aino.zeros(100, dtype=aino.bool).random_().tolist()) == {False, True}
    assert aino.zeros(2000, dtype=aino.float16).random_().array.max() <= 2048
    assert set(aino.zeros(100).random_(-1, 2).tolist()) == {-1, 0, 1}


@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial(replacement):
    weights = aino.tensor([[1.0, 0.0, 3.0], [1.0, 1.0, 2.0]])
    drawn = np.stack([aino.multinomial(weights, 1, replacement).array for _ in range(2000)])
    for row, shares in enumerate([[0.25, 0, 0.75], [0.25, 0.25, 0.5]]):
        counts = np.bincount(drawn[:, row, 0], minlength=3) / 2000
        np.testing.assert_allclose(counts, shares, atol=0.05)
    x = aino.multinomial(aino.ones(5), 5)
    assert sorted(x.tolist()) == [0, 1, 2, 3, 4]
    assert x.dtype == aino.int64
    assert aino.multinomial(aino.ones(2, 5), 3, replacement).shape == (2, 3)
    assert aino.multinomial(aino.tensor([0.0, 2.0]), 9, True).tolist() == [1] * 9


def test_shapes_and_forms():
    assert aino.rand(()).shape == ()
    assert aino.rand(2, 3).shape == aino.rand((2, 3)).shape == aino.rand(size=(2, 3)).shape
    assert aino.randn(0, 3).shape == (0, 3)
    assert aino.normal(aino.zeros(2, 1), aino.ones(3)).shape == (2, 3)
    assert aino.normal(0, 1, (2,)).dtype == aino.float32
    assert aino.normal(0.0, 1.0, size=(2,), dtype=aino.float64).dtype == aino.float64
    assert aino.bernoulli(aino.tensor([1, 2]), 0.5).dtype == aino.int64
    scalars = [aino.rand(()), aino.bernoulli(aino.ones(())), aino.normal(aino.ones(()), 1.0)]
    for x in [*scalars, aino.zeros(()).uniform_(1, 2), aino.zeros(()).bernoulli_()]:
        assert type(x.array) is np.ndarray
        assert x.shape == ()
    assert aino.zeros(3).bernoulli_(aino.tensor([0.0, 1.0, 0.0])).tolist() == [0, 1, 0]


# In place


def test_filling_in_place():
    x = aino.zeros(4)
    view = x[1:3]
    assert view.uniform_(5, 6) is view
    assert x.tolist()[0] == x.tolist()[3] == 0
    assert x[1].item() >= 5
    leaf = aino.ones(2, requires_grad=True)
    with pytest.raises(InplaceError, match="leaf"):
        leaf.normal_()
    with aino.no_grad():
        leaf.normal_()
    y = leaf * 2
    y.uniform_()
    y.sum().backward()
    assert leaf.grad.tolist() == [0, 0]


def test_a_value_that_backward_needs_is_not_overwritten_in_silence():
    x = aino.ones(2, requires_grad=True)
    y = x.exp()
    z = y * y
    y.detach().uniform_()
    with pytest.raises(InplaceError):
        z.sum().backward()


# Errors


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda: aino.rand(2, dtype=aino.int64), DtypeError, "float"),
        (lambda: aino.randn(2, dtype=aino.bool), DtypeError, "float"),
        (lambda: aino.rand_like(aino.tensor([1])), DtypeError, "float"),
        (lambda: aino.rand(2, -1), ShapeError, "negative"),
        (lambda: aino.randn(2.0), DtypeError, "integers"),
        (lambda: aino.rand(2, size=(2,)), TypeError, "size"),
        (lambda: aino.randint(3, 3, (2,)), ValueError, "integer"),
        (lambda: aino.randint(5, 2), TypeError, "shape"),
        (lambda: aino.randint(2**40, (2,), dtype=aino.int8), DtypeError, "int8"),
        (lambda: aino.randperm(-1), ValueError, "negative"),
        (lambda: aino.normal(0.0, -1.0, (2,)), ValueError, "std"),
        (lambda: aino.normal(aino.zeros(2), -aino.ones(2)), ValueError, "std"),
        (lambda: aino.normal(0.0, 1.0), TypeError, "size"),
        (lambda: aino.normal(aino.zeros(2), 1.0, (2,)), TypeError, "size"),
        (lambda: aino.bernoulli(aino.tensor([0, 1])), DtypeError, "float"),
        (lambda: aino.bernoulli(aino.tensor([2.0])), ValueError, "between 0 and 1"),
        (lambda: aino.bernoulli(aino.tensor([math.nan])), ValueError, "between 0 and 1"),
        (lambda: aino.poisson(aino.tensor([-1.0])), ValueError, "negative"),
        (lambda: aino.poisson(aino.tensor([1])), DtypeError, "float"),
        (lambda: aino.multinomial(aino.ones(3), 4), ValueError, "replacement"),
        (lambda: aino.multinomial(aino.ones(3), 0), ValueError, "at least one"),
        (lambda: aino.multinomial(aino.zeros(3), 1), ValueError, "zero"),
        (lambda: aino.multinomial(aino.tensor([-1.0, 2.0]), 1), ValueError, "negative"),
        (lambda: aino.multinomial(aino.tensor([math.nan, 2.0]), 1), ValueError, "nan"),
        (lambda: aino.multinomial(aino.tensor([1, 2]), 1), DtypeError, "float"),
        (lambda: aino.multinomial(aino.ones(1, 1, 1), 1), ShapeError, "2-D"),
        (lambda: aino.zeros(2).uniform_(3, 1), ValueError, "empty"),
        (lambda: aino.zeros(2).long().uniform_(), DtypeError, "float"),
        (lambda: aino.zeros(2).normal_(0, -1), ValueError, "std"),
        (lambda: aino.zeros(2).exponential_(0), ValueError, "lambd"),
        (lambda: aino.zeros(2).cdouble().exponential_(), DtypeError, "real"),
        (lambda: aino.zeros(2).log_normal_(0, 0), ValueError, "std"),
        (lambda: aino.zeros(2).cauchy_(0, 0), ValueError, "sigma"),
        (lambda: aino.zeros(2).geometric_(0), ValueError, "between"),
        (lambda: aino.zeros(2).bool().geometric_(0.5), DtypeError, "bool"),
        (lambda: aino.zeros(2).cdouble().geometric_(0.5), DtypeError, "complex"),
        (lambda: aino.zeros(2).bernoulli_(1.5), ValueError, "between"),
        (lambda: aino.zeros(2).random_(3, 3), ValueError, "integer"),
        (lambda: aino.zeros(2).byte().random_(300), DtypeError, "uint8"),
    ],
)
def test_errors(use, error, words):
    with pytest.raises(error, match=words) as caught:
        use()
    assert error is TypeError or isinstance(caught.value, RuntimeError)  # PyTorch's type


def test_nothing_is_drawn_where_the_arguments_are_wrong():
    before = aino.get_rng_state().tolist()
    for use in (
        lambda: aino.zeros(2).uniform_(3, 1),
        lambda: aino.normal(0.0, -1.0, (2,)),
        lambda: aino.multinomial(aino.zeros(3), 1),
    ):
        with pytest.raises(ValueError, match=r"empty|std|zero"):
            use()
    assert aino.get_rng_state().tolist() == before
