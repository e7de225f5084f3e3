"""Methods, keywords and operands as PyTorch and NumPy spell them; what they become, or why not."""

import inspect
import math

import numpy as np
import pytest

import aino
from aino.errors import DtypeError, GradientError, ShapeError


def int32(*shape):
    return aino.arange(math.prod(shape), dtype=aino.int32).reshape(shape)


TRUE_FALSE = aino.tensor([True, False])

#: What is called, and what it gives.
SPELLED = {
    "x.where(condition, other)": (
        lambda: aino.tensor([1.0, 2.0]).where(TRUE_FALSE, aino.tensor([9.0, 8.0])), [1.0, 8.0]),
    "x.where of booleans": (
        lambda: aino.tensor([True, True, False, False]).where(
            aino.tensor([True, False, True, False]), aino.tensor([False, False, True, True])),
        [True, False, False, True]),
    "x.where(condition, number)": (
        lambda: aino.tensor([1.0, 2.0]).where(condition=TRUE_FALSE, other=3), [1.0, 3.0]),
    "x.polygamma(n)": (lambda: aino.tensor([1.0]).polygamma(0).round(decimals=4), [-0.5772]),
    "randint(high, size=)": (lambda: aino.randint(1, size=(2,)), [0, 0]),
    "randint(high=, size=)": (lambda: aino.randint(high=1, size=[2]), [0, 0]),
    "randint(low=, high=, size=)": (lambda: aino.randint(low=3, high=4, size=(2,)), [3, 3]),
    "randint(low, high=, size=)": (lambda: aino.randint(3, high=4, size=(2,)), [3, 3]),
    "randint(low, high, size)": (lambda: aino.randint(3, 4, (2,)), [3, 3]),
    "randint_like(x, high=)": (lambda: aino.randint_like(aino.ones(2), high=1), [0.0, 0.0]),
    "addr of booleans": (
        lambda: aino.addr(aino.zeros(2, 2, dtype=aino.bool), TRUE_FALSE, TRUE_FALSE, beta=3),
        [[True, False], [False, False]]),
    "addr without its product": (
        lambda: aino.addr(aino.ones(1, 2, dtype=aino.bool), TRUE_FALSE[:1], TRUE_FALSE, alpha=0),
        [[True, True]]),
}  # fmt: skip


@pytest.mark.parametrize("spelled", SPELLED)
def test_spelling(spelled):
    call, expected = SPELLED[spelled]
    np.testing.assert_allclose(call().numpy(), expected, rtol=1e-6)


#: Dtypes of results: small integers stay small, an array of NumPy's promotes.
DTYPES = {
    "tensordot of int32": (lambda: aino.tensordot(int32(1, 2), int32(3, 2), ([0], [1])), "int32"),
    "addbmm of int32": (lambda: aino.addbmm(int32(2, 2), int32(3, 2, 2), int32(3, 2, 2)), "int32"),
    "addr promotes": (lambda: aino.addr(int32(2, 2), int32(2), int32(2).double()), "float64"),
    "addr of int32": (lambda: aino.addr(int32(2, 2), int32(2), int32(2), alpha=2), "int32"),
    "array @ tensor": (lambda: np.eye(3) @ aino.ones(3, 2), "float64"),
    "tensor @ array": (lambda: aino.ones(3) @ np.eye(3), "float64"),
    "np.matmul": (lambda: np.matmul(np.eye(3), aino.ones(3)), "float64"),
    "array of float32 @ tensor": (lambda: np.eye(3, dtype=np.float32) @ aino.ones(3), "float32"),
    "cat with nothing of float64": (
        lambda: aino.cat([aino.zeros(0, dtype=aino.float64), aino.ones(2, 2)]), "float64"),
}  # fmt: skip


@pytest.mark.parametrize("spelled", DTYPES)
def test_dtype_of_a_result(spelled):
    call, dtype = DTYPES[spelled]
    assert call().dtype == dtype


def test_an_array_hands_the_gradient_on():
    x = aino.ones(3, 2, requires_grad=True)
    (2.0 * np.eye(3) @ x).sum().backward()
    assert x.grad.dtype == aino.float32
    assert x.grad.tolist() == [[2.0, 2.0]] * 3


SIZES = [((), (0,)), ((3,), (3,)), ((3, 2), (3, 2)), ((np.int64(3),), (3,)),
         ((aino.ones(2, 3).shape,), (2, 3)), (([[1, 2]],), (1, 2)), (((2, 3),), (2,)),
         ((np.ones(4),), (4,)), ((aino.ones(2),), (2,))]  # fmt: skip


@pytest.mark.parametrize(("arguments", "shape"), SIZES)
def test_the_class_takes_lengths_or_data(arguments, shape):
    assert aino.Tensor(*arguments).shape == shape


@pytest.mark.parametrize("arguments", [(2.5,), (True,), (3.0, 2), (None,), ("abc", 1)])
def test_the_class_takes_no_single_number(arguments):
    with pytest.raises(TypeError, match=r"aino\.tensor\("):
        aino.Tensor(*arguments)
    with pytest.raises(ShapeError, match="negative"):
        aino.Tensor(-1)


def test_a_mapped_file_is_an_array_like_any_other(tmp_path):
    mapped = np.memmap(tmp_path / "numbers", np.float64, "w+", shape=(3,))
    for make in (aino.Tensor, aino.nn.Parameter, aino.as_tensor, aino.from_numpy):
        made = make(mapped)
        assert made.dtype == aino.float64
        assert np.shares_memory(made.array, mapped)
    with pytest.raises(TypeError, match="tensor"):
        aino.nn.Parameter(3)


class Foreign:
    """What another library's tensor looks like from here."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __len__(self):
        return len(self.array)

    def __getitem__(self, index):
        return Foreign(self.array[index])

    def __array__(self, dtype=None, copy=None):
        if self.array.dtype.kind == "U":
            raise TypeError("no numbers here")
        return self.array


def test_data_of_other_libraries():
    table = Foreign([[1.0, 2.0], [3.0, 4.0]])
    assert aino.tensor(table).dtype == aino.float64
    assert aino.tensor(table, dtype=aino.float32).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert aino.tensor(Foreign(3)).tolist() == 3
    assert aino.tensor([Foreign(1.5), Foreign(2.5)]).tolist() == [1.5, 2.5]
    assert not np.shares_memory(aino.tensor(table).array, table.array)
    assert np.shares_memory(aino.as_tensor(table).array, table.array)
    with pytest.raises(DtypeError, match=r"test_spellings\.Foreign: no numbers here"):
        aino.tensor(Foreign("abc"))
    with pytest.raises(DtypeError, match="not all that it holds are numbers"):
        aino.tensor(Foreign(np.array([1, "x"], object)))


def test_data_of_pytorch_and_pandas():
    torch, pandas = pytest.importorskip("torch"), pytest.importorskip("pandas")
    assert aino.tensor(torch.ones(2, requires_grad=True)).tolist() == [1.0, 1.0]
    frame = pandas.DataFrame({"a": [1.5, 2.5], "b": [3, 4]})
    assert aino.tensor(frame).tolist() == [[1.5, 3.0], [2.5, 4.0]]
    assert aino.tensor(frame["b"]).dtype == aino.int64


#: Functions of which a derivative is constant, and the first order at which all are zero.
CONSTANT = {
    "x**2": (lambda x: x**2, 3), "square": (lambda x: x.square(), 3),
    "(x - 1)**2": (lambda x: (x - 1) ** 2, 3), "x**3": (lambda x: x**3, 4),
    "relu": (lambda x: x.relu(), 2), "leaky_relu": (aino.nn.functional.leaky_relu, 2),
    "relu6": (aino.nn.functional.relu6, 2), "hardtanh": (aino.nn.functional.hardtanh, 2),
    "threshold": (lambda x: aino.nn.functional.threshold(x, 0.0, 1.0), 2),
    "softshrink": (aino.nn.functional.softshrink, 2), "abs": (lambda x: x.abs(), 2),
    "hardsigmoid": (aino.nn.functional.hardsigmoid, 2), "norm": (lambda x: x.norm(1), 2),
}  # fmt: skip


@pytest.mark.parametrize("name", CONSTANT)
def test_a_derivative_that_is_constant_has_one_of_zeros(name):
    function, order = CONSTANT[name]
    x = aino.tensor([1.5, -2.0, 0.7], requires_grad=True)
    y = function(x)
    for k in range(1, order + 1):
        (y,) = aino.autograd.grad(y.sum(), x, create_graph=True)
        assert bool(y.any()) == (k < order)


def test_what_does_not_read_its_input_has_no_second_derivative():
    x = aino.ones(3, requires_grad=True)
    (y,) = aino.autograd.grad((2 * x).sum(), x, create_graph=True)
    assert not y.requires_grad


@pytest.mark.parametrize("function", [aino.unique, aino.unique_consecutive])
def test_what_occurs_has_no_derivative_and_says_so(function):
    y = function(aino.tensor([1.0, 1.0, 2.0], requires_grad=True))
    assert y.requires_grad
    with pytest.raises(GradientError, match="index"):
        y.sum().backward()
    assert not function(aino.tensor([1.0])).requires_grad


@pytest.mark.parametrize("k", range(1, 8))
@pytest.mark.parametrize("dtype", [aino.int64, aino.float32])
def test_the_kth_of_equal_ones_is_one_of_them(k, dtype):
    rows = np.random.default_rng(0).integers(0, 3, (5, 7, 4))
    values, indices = aino.kthvalue(aino.tensor(rows, dtype=dtype), k, 1)
    assert values.tolist() == np.sort(rows, 1)[:, k - 1].tolist()
    found = np.take_along_axis(rows, indices.numpy()[:, None], 1)[:, 0]
    assert values.tolist() == found.tolist()


def test_nan_is_the_largest_of_the_kth():
    nan = math.nan
    x = aino.tensor([nan, 1.0, nan, 0.0])
    found = [aino.kthvalue(x, k).indices.item() for k in range(1, 5)]
    assert found[:2] == [3, 1]
    assert set(found[2:]) <= {0, 2}


def test_float16_does_not_overflow_where_its_result_does_not():
    x = aino.tensor([11.0, 20.0, 100.0, -100.0], dtype=aino.float16, requires_grad=True)
    y = aino.nn.functional.softplus(x)
    assert y.tolist() == [11.0, 20.0, 100.0, 0.0]
    (g,) = aino.autograd.grad(aino.nn.functional.mish(x).sum(), x, create_graph=True)
    assert g.tolist() == [1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize(("order", "total"), [(-math.inf, 0.0), (0, 2.0), (math.inf, 4.0)])
def test_orders_of_the_norm_that_limits_gradients(order, total):
    a, b = aino.zeros(3, requires_grad=True), aino.zeros(1, requires_grad=True)
    ((a * aino.tensor([3.0, -4.0, 0.0])).sum() - 2.0 * b.sum()).backward()
    assert aino.nn.utils.clip_grad_norm_([a, b], 10.0, order).item() == total
    assert aino.nn.utils.get_total_norm([a.grad], 0).item() == 1.0  # one tensor is not zero


def public(where):
    """Every function of the package or of one of its namespaces, or every method."""
    for name in dir(where):
        thing = getattr(where, name)
        if not name.startswith("_") and callable(thing) and not isinstance(thing, type):
            yield name, thing


@pytest.mark.parametrize(
    "where", [aino, aino.linalg, aino.nn.functional, aino.Tensor], ids=lambda where: where.__name__
)
def test_an_unknown_keyword_is_refused(where):
    for name, function in public(where):
        try:
            refuses_an_unknown_keyword(function)
        except BaseException as error:
            error.add_note(f"of {name}")
            raise


def refuses_an_unknown_keyword(function):
    try:
        signature = inspect.signature(function)
    except ValueError:  # Python's own
        return
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        call, given = signature.bind_partial, ()
    elif function is aino.printoptions:  # a context hands keywords on when it is entered
        call, given = lambda **keywords: function(**keywords).__enter__(), ()
    else:  # an operation in place hands them on to the one that is not
        call, given = function, (aino.ones(2),)
    with pytest.raises(TypeError, match="colour"):
        call(*given, colour="red")
