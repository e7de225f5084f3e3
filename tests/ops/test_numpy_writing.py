"""NumPy's functions that write, make, refuse or only look: beside the table of values."""

import io
import warnings

import numpy as np
import pytest

import aino
from aino.autograd.gradcheck import gradcheck
from aino.errors import GradientError
from tests.ops.numpy_rows import MASK, A, V

# Writing

WRITES = {
    "copyto": lambda a, v: np.copyto(a, v),
    "copyto-where": lambda a, v: np.copyto(a, v, where=MASK),
    "copyto-number": lambda a, v: np.copyto(a, 3),
    "put": lambda a, v: np.put(a, [0, 5, -1], v),
    "put-few": lambda a, v: np.put(a, [0, 5, -1, 3, 2], v[:2]),
    "put-twice": lambda a, v: np.put(a, [1, 1], v[:2]),
    "put-wrap": lambda a, v: np.put(a, [0, 50], v, mode="wrap"),
    "put-clip": lambda a, v: np.put(a, [0, 50], v, mode="clip"),
    "place": lambda a, v: np.place(a, A > 0, v),
    "putmask": lambda a, v: np.putmask(a, A > 0, v),
    "put_along_axis": lambda a, v: np.put_along_axis(a, np.array([[0, 2, 1, 0]]), v, 0),
    "fill_diagonal": lambda a, v: np.fill_diagonal(a, v[:3]),
    "fill_diagonal-number": lambda a, v: np.fill_diagonal(a, 5.0),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write(write):
    expected, tensor = A.copy(), aino.from_numpy(A.copy())
    write(expected, V)
    version = tensor._version
    assert write(tensor, aino.from_numpy(V)) is None
    np.testing.assert_array_equal(tensor.numpy(), expected)
    assert tensor._version != version, "autograd has not seen the write"
    array = A.copy()
    write(array, aino.from_numpy(V))
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_gradient_of_a_write(write):
    def written(a, v):
        a = a * 1
        write(a, v)
        return a * a

    inputs = [aino.from_numpy(x.copy()).requires_grad_() for x in (A, V)]
    assert gradcheck(written, inputs)


def test_a_write_into_an_array_would_lose_the_gradient():
    v = aino.from_numpy(V).requires_grad_()
    for name in ("copyto", "put", "place"):
        array = A.copy()
        with pytest.raises(GradientError, match=f"np.{name} writes into an array"):
            WRITES[name](array, v)
        np.testing.assert_array_equal(array, A)


def test_nan_to_num_writes_where_it_is_told_to():
    x = aino.tensor([1.0, aino.nan])
    assert np.nan_to_num(x, copy=False, nan=5.0) is x
    assert x.tolist() == [1.0, 5.0]


def test_out_is_filled_or_refused():
    x = aino.from_numpy(A.copy())
    with pytest.raises(ValueError, match=r"result has shape \(4,\), out= has \(3,\)"):
        np.sum(x, 0, out=aino.zeros(3))
    with pytest.raises(TypeError, match="float64 can't become int64"):
        np.cumsum(x, 0, out=aino.zeros(3, 4, dtype=aino.int64))
    array = np.zeros(4)
    assert np.sum(x, 0, out=array) is array
    np.testing.assert_allclose(array, A.sum(0))
    with pytest.raises(GradientError, match="gradient of the result would be lost"):
        np.sum(x.requires_grad_(), 0, out=array)


# Ufuncs

UFUNCS = [getattr(np, name) for name in dir(np) if isinstance(getattr(np, name), np.ufunc)]


def operands(ufunc):
    """Return operands that a ufunc takes: floats, else integers."""
    if ufunc.signature is not None:
        shapes = {"matmul": ((3, 4), (4, 2)), "matvec": ((3, 4), (4,)), "vecmat": ((3,), (3, 4))}
        return [np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape)
                for shape in shapes.get(ufunc.__name__, ((3, 4), (3, 4)))]  # fmt: skip
    floats = [np.linspace(0.1, 0.9, 4), np.array([0.3, 0.8, 0.2, 0.5])]
    integers = [np.array([1, 2, 3, 4]), np.array([2, 1, 2, 3])]
    if ufunc.__name__ == "arccosh":
        return [floats[0] + 1]
    if ufunc.__name__ == "ldexp":
        return [floats[0], integers[1]]
    kinds = {types.split("->")[0] for types in ufunc.types}
    return (floats if "d" * ufunc.nin in kinds else integers)[: ufunc.nin]


TAKEN = [ufunc for ufunc in UFUNCS if ufunc is not np.isnat]


@pytest.mark.parametrize("ufunc", TAKEN, ids=lambda ufunc: ufunc.__name__)
def test_a_ufunc_and_its_options(ufunc):
    arrays = operands(ufunc)
    tensors = [aino.from_numpy(x) for x in arrays]
    expected = ufunc(*arrays)
    several = type(expected) is tuple
    check = np.testing.assert_allclose

    def compare(found, expected):
        pairs = zip(found, expected) if several else [(found, expected)]
        for one, other in pairs:
            check(np.asarray(one), other, rtol=1e-6)

    compare(ufunc(*tensors), expected)
    if several:
        return
    if ufunc.signature is None:
        with pytest.raises(TypeError, match="takes where= beside out= only"):
            ufunc(*tensors, where=tensors[0] > 0)
    out = aino.zeros(*expected.shape, dtype=np.asarray(expected).dtype)
    assert ufunc(*tensors, out=out) is out
    compare(out, expected)
    if ufunc.signature is None:
        out, plain = aino.ones(4, dtype=out.dtype), np.ones(4, out.dtype)
        mask = np.array([True, False, True, False])
        ufunc(*arrays, out=plain, where=mask)
        ufunc(*tensors, out=out, where=mask)
        compare(out, plain)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_the_dtype_of_a_ufunc_is_computed_in(dtype):
    x = np.array([0.1, 0.2], np.float32)
    try:
        expected = np.add(x, x, dtype=dtype)
    except TypeError:
        with pytest.raises(TypeError, match="float32 can't become int64"):
            np.add(aino.from_numpy(x), x, dtype=dtype)
        return
    found = np.add(aino.from_numpy(x), x, dtype=dtype)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.numpy(), expected)
    third = np.divide(aino.tensor([1.0]), 3, dtype=np.float64)
    assert third.item() == 1 / 3


METHODS = {
    "reduce": lambda f, x: f.reduce(x, axis=1, keepdims=True),
    "reduce-all": lambda f, x: f.reduce(x, axis=None),
    "reduce-none": lambda f, x: f.reduce(x, axis=()),
    "reduce-initial": lambda f, x: f.reduce(x, initial=1),
    "reduce-where": lambda f, x: f.reduce(x, axis=0, initial=1, where=x > 0),
    "accumulate": lambda f, x: f.accumulate(x, axis=1),
    "outer": lambda f, x: f.outer(x, x),
    "reduceat": lambda f, x: f.reduceat(x, [0, 2], axis=0),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize(
    "ufunc",
    [np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.logaddexp, np.hypot, np.subtract],
)
def test_a_method_of_a_ufunc(ufunc, method):
    try:
        expected = method(ufunc, A)
    except ValueError:
        expected = None
    try:
        found = method(ufunc, aino.from_numpy(A.copy()))
    except (TypeError, ValueError) as error:
        named = any(word in str(error) for word in ("initial", "where", "reduce"))
        assert expected is None or named, error  # noqa: PT017
        return
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_ufunc_at_is_refused_by_name():
    with pytest.raises(TypeError, match=r"np\.gcd\.at does not write"):
        np.gcd.at(aino.tensor([1]), [0], 1)
    array = np.zeros(3)
    np.add.at(array, [0, 0], aino.tensor(1.5))
    assert array.tolist() == [3.0, 0.0, 0.0]


def test_the_sign_of_nan():
    x = aino.tensor([aino.nan, -2.0, 0.0], requires_grad=True)
    np.testing.assert_array_equal(np.sign(x).detach().numpy(), [np.nan, -1.0, 0.0])
    assert np.sign(aino.tensor([3.0 + 4.0j]))[0].item() == pytest.approx(0.6 + 0.8j)


def test_lists_beside_tensors():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    assert np.add(x, [1, 2]).tolist() == [2.0, 4.0]
    assert np.concatenate([x, [3.0]]).tolist() == [1.0, 2.0, 3.0]
    np.vstack([x, [5, 6]]).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


# Where no gradient is written down


def test_what_has_no_derivative_keeps_no_gradient_silently():
    for name in ("histogram", "union1d", "polydiv", "polyfit"):
        function = getattr(np, name)
        given = {"polyfit": (2,), "histogram": ()}.get(name, (np.ones(2),))
        x = aino.tensor([2.0, 1.0, 3.0, 5.0])
        call = [x, x, *given] if name == "polyfit" else [x, *given]
        found = function(*call)
        assert isinstance(found[0] if isinstance(found, tuple) else found, aino.Tensor)
        call[0] = x.clone().requires_grad_()
        with pytest.raises(GradientError) as caught:
            function(*call)
        assert f"np.{name} has no derivative" in str(caught.value)


def test_the_advice_keeps_the_gradient():
    x = aino.from_numpy(np.arange(5.0)).requires_grad_()
    y = x * x - 3.0 * x + 1.0
    with pytest.raises(GradientError, match=r"np\.linalg\.lstsq of np\.vander.* keeps it"):
        np.polyfit(x, y, 2)
    found, *_ = np.linalg.lstsq(np.vander(x, 3), y)
    np.testing.assert_allclose(found.detach().numpy(), [1.0, -3.0, 1.0], atol=1e-9)
    assert found.requires_grad


def test_questions_and_files():
    x = aino.from_numpy(A.copy()).requires_grad_()
    assert np.isrealobj(x)
    assert not np.iscomplexobj(x)
    assert np.shares_memory(x, x.detach())
    assert np.array2string(x, precision=1) == np.array2string(A, precision=1)
    stream = io.BytesIO()
    np.save(stream, x)
    stream.seek(0)
    np.testing.assert_array_equal(np.load(stream), A)


def test_like_a_tensor():
    like = aino.ones(1)
    for function in (np.zeros, np.ones):
        assert isinstance(function((2, 3), like=like), aino.Tensor)
    assert np.arange(3, like=like).tolist() == [0, 1, 2]
    x = aino.ones(2, requires_grad=True)
    assert np.asarray(x, like=like) is x
    np.array(x, like=like).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_an_unknown_option_is_named():
    with pytest.raises(TypeError, match="nonsense"):
        np.sum(aino.ones(2), nonsense=1)
    with pytest.raises(ValueError, match="method is one of"):
        np.quantile(aino.ones(2), 0.5, method="inverted_cdf")
    with pytest.raises(TypeError, match="weights="):
        np.quantile(aino.ones(2), 0.5, weights=[1, 2], method="inverted_cdf")


def test_integers():
    x = np.array([14, 15, 25, 250], np.uint8)
    t = aino.from_numpy(x)
    for function in (np.sum, np.prod, np.cumsum, np.cumprod):
        assert function(t).dtype == function(x).dtype
        np.testing.assert_array_equal(function(t).numpy(), function(x))
    np.testing.assert_array_equal(np.round(t, -1).numpy(), np.round(x, -1))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.median(x, axis=0).sum(),
        lambda x: np.quantile(x, 0.3) * x.sum(),
        lambda x: np.linalg.inv(x @ x.T + np.eye(3)).sum(),
        lambda x: np.pad(x, 1, "edge").sum(),
        lambda x: np.cov(x).sum(),
        lambda x: np.diff(x, axis=0).sum(),
        lambda x: np.sum(x, where=x > 0),
        lambda x: np.ravel(x, order="F")[:2].sum(),
        lambda x: np.sign(x).sum(),
        lambda x: np.gradient(x)[0].sum(),
    ],
)
def test_compiled(function):
    x = aino.from_numpy(A.copy())
    compiled = aino.compile(function)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            np.testing.assert_allclose(compiled(x).item(), function(x).item(), rtol=1e-12)


@pytest.mark.parametrize("ufunc", [np.add, np.subtract])
@pytest.mark.parametrize(
    "index",
    [
        [0, 0, 2],
        np.array([0, 0, 2]),
        np.array([True, False, True]),
        slice(0, 2),
        1,
        ([0, 1], [1, 1]),
    ],
    ids=str,
)
def test_at_adds_up_with_gradients(ufunc, index):
    start = np.arange(12.0).reshape(3, 4)
    expected = start.copy()
    value = np.full_like(start[index], 2.0)
    ufunc.at(expected, index, value)
    w = aino.from_numpy(value.copy()).requires_grad_()
    x = aino.from_numpy(start.copy()) * 1.0
    ufunc.at(x, index, w * 1.0)
    assert x.tolist() == expected.tolist()
    x.sum().backward()
    assert w.grad.tolist() == np.full_like(value, 1.0 if ufunc is np.add else -1.0).tolist()
