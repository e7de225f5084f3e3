"""Tensors out of data, and filled ones: dtypes, shapes, shared memory, errors."""

from fractions import Fraction

import numpy as np
import pytest

import aino
from aino.errors import DtypeError, ShapeError

# What data becomes. The dtypes are those that PyTorch gives for the same data.

INFERRED = [
    (1.5, "float32", ()),
    (2, "int64", ()),
    (True, "bool", ()),
    (1j, "complex64", ()),
    (np.float64(1), "float64", ()),
    (np.float32(1), "float32", ()),
    (np.int8(1), "int8", ()),
    (np.uint16(1), "uint16", ()),
    (np.bool_(True), "bool", ()),
    ([], "float32", (0,)),
    ([[]], "float32", (1, 0)),
    ([[], []], "float32", (2, 0)),
    ([1, 2], "int64", (2,)),
    ([True, 2], "int64", (2,)),
    ([True, 2.0], "float32", (2,)),
    ([1, 2.0], "float32", (2,)),
    ([1, 2j], "complex64", (2,)),
    ((1, (2)), "int64", (2,)),
    (range(3), "int64", (3,)),
    ([[1.0, 2.0], [3.0, 4.0]], "float32", (2, 2)),
    ([np.float64(1)], "float64", (1,)),
    ([np.float32(1)], "float32", (1,)),
    ([np.int32(1)], "int32", (1,)),
    ([1, np.float32(2)], "float32", (2,)),
    ([1.5, np.int32(2)], "float32", (2,)),
    ([np.zeros(2)], "float64", (1, 2)),
    ([np.zeros(2, np.float32), np.zeros(2)], "float64", (2, 2)),
    ([(1, 2), [3, 4]], "int64", (2, 2)),
    (np.zeros((2, 1), np.int16), "int16", (2, 1)),
    (np.zeros(2, ">f4"), "float32", (2,)),
]


@pytest.mark.parametrize(("data", "dtype", "shape"), INFERRED, ids=[repr(x[0]) for x in INFERRED])
def test_dtype_and_shape_follow_from_the_data(data, dtype, shape):
    x = aino.tensor(data)
    assert (x.dtype.name, x.shape) == (dtype, shape)
    assert type(x.array) is np.ndarray
    assert not x.requires_grad
    np.testing.assert_array_equal(x.array, np.array(data))


def test_tensors_among_the_data():
    one = aino.tensor(1)
    assert aino.tensor([one, aino.tensor(2.5)]).tolist() == [1.0, 2.5]
    assert aino.tensor([aino.tensor(1.0, dtype=aino.float64), 2]).dtype == aino.float64
    assert aino.tensor([[one, 2], [3, one]]).dtype == aino.int64
    rows = aino.tensor([aino.ones(2), [0.0, 1.0]])
    assert rows.shape == (2, 2)
    graded = aino.tensor([1.0], requires_grad=True)
    assert not aino.tensor(graded).requires_grad
    assert not aino.tensor([graded, graded]).requires_grad


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float64", "complex64"])
def test_a_dtype_may_be_asked_for(dtype):
    for data in (1, [0, 1], np.array([0.0, 1.0]), aino.tensor([0, 1])):
        assert aino.tensor(data, dtype=dtype).dtype == dtype
    assert aino.tensor([1.7, -1.7], dtype=aino.int64).tolist() == [1, -1]


def test_the_default_dtype():
    aino.set_default_dtype(aino.float64)
    try:
        assert aino.tensor(1.0).dtype == aino.float64
        assert aino.tensor([1j]).dtype == aino.complex128
        assert aino.zeros(1).dtype == aino.arange(1.0).dtype == aino.rand(1).dtype == aino.float64
        assert aino.full((1,), 2.0).dtype == aino.float64
        assert aino.tensor([1]).dtype == aino.int64
    finally:
        aino.set_default_dtype(aino.float32)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        ([[1, 2], [3]], ShapeError, "length 2 at axis 1, got one of 1"),
        ([1, [2]], ShapeError, "a number among them"),
        ([[[1], [2]], [[3], [4, 5]]], ShapeError, "axis 2"),
        ("text", DtypeError, "str"),
        (None, DtypeError, "NoneType"),
        ([None], DtypeError, "NoneType"),
        (["a"], DtypeError, "str"),
        ([b"a"], DtypeError, "bytes"),
        ({1: 2}, DtypeError, "object"),
        (object(), DtypeError, "object"),
        (2**63, DtypeError, "uint64"),
        ([2**70], DtypeError, "object"),
        (np.array(["a"]), DtypeError, "dtype"),
        (np.array([object()]), DtypeError, "dtype"),
    ],
)
def test_what_is_no_tensor(data, error, words):
    with pytest.raises(error, match=words):
        aino.tensor(data)


@pytest.mark.parametrize(
    ("data", "dtype"), [(300, "uint8"), ([-256], "uint8"), ([1j], "float32"), ([2**40], "int32")]
)
def test_numbers_that_do_not_fit(data, dtype):
    with pytest.raises(DtypeError):
        aino.tensor(data, dtype=dtype)


def test_negative_numbers_wrap_in_unsigned_dtypes():
    assert aino.tensor([-1, 2], dtype=aino.uint8).tolist() == [255, 2]
    assert aino.full((1,), -1, dtype=aino.uint8).tolist() == [255]


@pytest.mark.parametrize("dtype", ["float99", "U3", object, "datetime64[s]", "longdouble"])
def test_unknown_dtypes(dtype):
    for make in (lambda: aino.tensor([1], dtype=dtype), lambda: aino.zeros(2, dtype=dtype)):
        with pytest.raises(DtypeError, match="dtype"):
            make()


def test_requires_grad():
    assert aino.tensor([1.0], requires_grad=True).is_leaf
    for make in (
        lambda: aino.tensor([1.0], requires_grad=True),
        lambda: aino.zeros(2, requires_grad=True),
        lambda: aino.full((2,), 1.0, requires_grad=True),
        lambda: aino.arange(2.0, requires_grad=True),
        lambda: aino.eye(2, requires_grad=True),
        lambda: aino.linspace(0, 1, 3, requires_grad=True),
        lambda: aino.randn(2, requires_grad=True),
        lambda: aino.ones_like(aino.ones(2), requires_grad=True),
    ):
        assert make().requires_grad
    with pytest.raises(DtypeError, match="require gradients"):
        aino.tensor([1], requires_grad=True)


def test_devices():
    assert aino.zeros(1, device="cpu").device == aino.device("cpu")
    for make in (
        lambda: aino.zeros(1, device="cuda"),
        lambda: aino.tensor(1.0, device="cuda:0"),
        lambda: aino.randn(1, device=aino.device("meta")),
    ):
        with pytest.raises(RuntimeError, match="CPU"):
            make()


# Memory


def test_a_tensor_copies():
    array = np.zeros(2, np.float32)
    x = aino.tensor(array)
    y = aino.tensor(x)
    array[0] = 1
    assert x.tolist() == y.tolist() == [0, 0]
    assert aino.tensor(np.asfortranarray(np.ones((2, 3)))).is_contiguous()


def test_memory_is_shared_where_that_is_promised():
    array = np.zeros(3, np.float32)
    for share in (aino.from_numpy, aino.as_tensor, aino.asarray, aino.from_dlpack):
        x = share(array)
        array[0] += 1
        assert x[0].item() == array[0]
    x = aino.ones(2)
    assert aino.as_tensor(x) is x
    assert aino.as_tensor(x, dtype=aino.float64).dtype == aino.float64
    assert not np.shares_memory(aino.as_tensor(array, dtype=aino.float64).array, array)
    assert aino.as_tensor([1, 2]).tolist() == [1, 2]
    assert not np.shares_memory(aino.asarray(array, copy=True).array, array)
    assert aino.asarray(x) is x
    with pytest.raises(ValueError, match="copy"):
        aino.asarray([1, 2], copy=False)
    buffer = bytearray(8)
    x = aino.frombuffer(buffer, dtype=aino.float32)
    buffer[3] = 64
    assert x.tolist() == [2.0, 0.0]


@pytest.mark.parametrize("share", [aino.from_numpy, aino.as_tensor, aino.asarray])
def test_an_array_of_another_class_is_shared_as_a_plain_one(share):
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix)
    x = share(matrix)
    assert type(x.array) is np.ndarray
    assert np.shares_memory(x.array, matrix)
    assert x[0].tolist() == [1.0, 2.0]


def test_from_numpy_takes_arrays_of_this_machine():
    with pytest.raises(TypeError, match="list"):
        aino.from_numpy([1.0])
    with pytest.raises(DtypeError):
        aino.from_numpy(np.array(["a"]))
    with pytest.raises(DtypeError, match="byte order"):
        aino.from_numpy(np.zeros(2, ">f4"))


def test_tensor_of_a_numpy_subclass_is_an_array():
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    assert type(aino.tensor(masked).array) is np.ndarray


# Filled


@pytest.mark.parametrize(("name", "value"), [("zeros", 0), ("ones", 1), ("empty", None)])
def test_filled(name, value):
    make = getattr(aino, name)
    shapes = [make(2, 3), make((2, 3)), make([2, 3]), make(aino.Size([2, 3])), make(size=(2, 3))]
    shapes += [make(aino.tensor(2), 3), make(aino.tensor([2, 3])), make(np.int64(2), 3)]
    for x in shapes:
        assert x.shape == (2, 3)
        assert x.dtype == aino.float32
        if value is not None:
            assert (x.array == value).all()
    assert make(()).shape == ()
    assert make(0).shape == (0,)
    assert make(2, dtype=aino.int8).dtype == aino.int8
    like = getattr(aino, f"{name}_like")
    x = aino.tensor([[1, 2]])
    assert like(x).dtype == aino.int64
    assert like(x).shape == (1, 2)
    assert like(x, dtype=float).dtype == aino.float32
    beside = getattr(x, f"new_{name}")
    assert beside(3).dtype == aino.int64
    assert beside((3, 2), dtype=aino.float64).shape == (3, 2)
    for wrong in (lambda: make(2.0), lambda: make("2"), lambda: make(None)):
        with pytest.raises(DtypeError, match="integers"):
            wrong()
    with pytest.raises(ShapeError, match="negative"):
        make(2, -1)
    with pytest.raises(TypeError, match="missing"):
        make()
    with pytest.raises(TypeError, match="'colour'"):
        make(2, colour="red")


def test_full():
    for value, dtype in ((1, "int64"), (1.0, "float32"), (True, "bool"), (1j, "complex64")):
        x = aino.full((2,), value)
        assert x.dtype == dtype
        assert x.tolist() == [value, value]
    assert aino.full((), aino.tensor(2.0, dtype=aino.float64)).dtype == aino.float64
    assert aino.full_like(aino.ones(2), 3).dtype == aino.float32
    assert aino.ones(1, dtype=aino.int16).new_full((2,), 3).dtype == aino.int16
    assert aino.ones(1, dtype=aino.int16).new_tensor([1.5]).dtype == aino.int16
    for value, wrong in ((300, "uint8"), (1j, "float32"), (np.nan, "int64"), (1e10, "float16")):
        for make in (aino.full, aino.ones(1, dtype=wrong).new_full):
            with pytest.raises(DtypeError):
                make((2,), value, dtype=wrong)
        with pytest.raises(DtypeError):
            aino.full_like(aino.ones(2, dtype=wrong), value)


def test_scalar_tensor():
    assert aino.scalar_tensor(1).dtype == aino.float32


@pytest.mark.parametrize(
    ("arguments", "dtype", "values"),
    [
        ((3,), "int64", [0, 1, 2]),
        ((1, 4), "int64", [1, 2, 3]),
        ((5, 0, -2), "int64", [5, 3, 1]),
        ((3.0,), "float32", [0, 1, 2]),
        ((0, 1, 0.25), "float32", [0, 0.25, 0.5, 0.75]),
        ((0,), "int64", []),
        ((2, 2), "int64", []),
        ((1, 2.5), "float32", [1, 2]),
    ],
)
def test_arange(arguments, dtype, values):
    x = aino.arange(*arguments)
    assert x.dtype == dtype
    assert x.tolist() == values
    assert aino.arange(*arguments, dtype=aino.float64).tolist() == values


def test_arange_of_tensors_and_wrong_ways():
    assert aino.arange(aino.tensor(3)).tolist() == [0, 1, 2]
    assert aino.arange(np.float32(2)).dtype == aino.float32
    for arguments in ((0, 3, -1), (3, 0), (0, 1, 0)):
        with pytest.raises(ValueError, match="step"):
            aino.arange(*arguments)
    with pytest.raises(ValueError, match="finite"):
        aino.arange(float("inf"))
    # A step is cut to an integer dtype before it is used, as in PyTorch.
    assert aino.arange(0, 5, 1.5, dtype=aino.int64).tolist() == [0, 1, 2, 3, 4]
    assert aino.arange(0, -8.000001, -4.0, dtype=aino.int64).tolist() == [0, -4]
    # Of other integers it is cut after they were counted.
    assert aino.arange(0, 1.5, 0.5, dtype=aino.int32).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="zero"):
        aino.arange(0, 2, 0.5, dtype=aino.int64)
    assert aino.range(1, 3).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("dtype", [aino.int64, aino.int32, aino.int8, aino.uint8])
@pytest.mark.parametrize(("start", "end", "steps"), [(0, 7, 50), (0, 98, 50), (5, 100, 20)])
def test_linspace_of_integers_misses_none(start, end, steps, dtype):
    # PyTorch adds up rounded steps, and misses some.
    exact = [start + Fraction(k * (end - start), steps - 1) for k in range(steps)]
    assert aino.linspace(start, end, steps, dtype=dtype).tolist() == [int(x) for x in exact]


def test_linspace_and_logspace():
    assert aino.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert aino.linspace(1, -1, 3, dtype=aino.float64).tolist() == [1, 0, -1]
    assert aino.linspace(-10, 0, 4, dtype=aino.int64).tolist() == [-10, -6, -3, 0]
    assert aino.linspace(0, 2.5, 5, dtype=aino.int64).tolist() == [0, 0, 1, 1, 2]
    assert aino.linspace(2, 3, 1).tolist() == [2]
    assert aino.linspace(0, 1, 0).shape == (0,)
    assert aino.linspace(0, 1j, 3).dtype == aino.complex64
    assert aino.logspace(0, 3, 4, base=2).tolist() == [1, 2, 4, 8]
    for make in (aino.linspace, aino.logspace):
        with pytest.raises(ValueError, match="negative"):
            make(0, 1, -1)


def test_eye_and_triangles():
    assert aino.eye(2).tolist() == [[1, 0], [0, 1]]
    assert aino.eye(2, 3, dtype=aino.bool).tolist() == [[True, False, False], [False, True, False]]
    with pytest.raises(ShapeError, match="negative"):
        aino.eye(-1)
    assert aino.tril_indices(3, 2).tolist() == [[0, 1, 1, 2, 2], [0, 0, 1, 0, 1]]
    assert aino.triu_indices(2, 3, 1, dtype=aino.int32).tolist() == [[0, 0, 1], [1, 2, 2]]
