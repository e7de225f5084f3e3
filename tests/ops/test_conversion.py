"""Tensors into numbers, lists, dtypes, pickles and copies, and what they say of themselves."""

import copy
import operator
import pickle

import numpy as np
import pytest

import aino
from aino.errors import DtypeError, GradientError, ShapeError

DTYPES = [
    aino.bool, aino.uint8, aino.int8, aino.int16, aino.int32, aino.int64, aino.float16,
    aino.float32, aino.float64, aino.complex64, aino.complex128,
]  # fmt: skip


# Python numbers


def test_item():
    for data in (2.5, [2.5], [[[2.5]]]):
        assert aino.tensor(data).item() == 2.5
    assert type(aino.tensor(1).item()) is int
    assert type(aino.tensor(True).item()) is bool
    assert type(aino.tensor(1j).item()) is complex
    for data in ([1, 2], []):
        with pytest.raises(ShapeError, match="can't be converted"):
            aino.tensor(data).item()


def test_python_numbers():
    assert float(aino.tensor([[2.5]])) == 2.5
    assert int(aino.tensor(-2.7)) == -2
    assert int(aino.tensor(True)) == 1
    assert complex(aino.tensor(2.0)) == 2
    assert float(aino.tensor(2 + 0j)) == 2
    assert aino.tensor([1j, 0j]).bool().tolist() == [True, False]
    assert bool(aino.tensor([[0.5]]))
    assert not aino.tensor(0)
    assert float(aino.tensor(2.5, requires_grad=True)) == 2.5
    for convert in (float, int):
        with pytest.raises(DtypeError, match="complex"):
            convert(aino.tensor(1j))
        with pytest.raises(ShapeError):
            convert(aino.ones(2))
    for data, words in (([1, 2], "more than one"), ([], "no values")):
        with pytest.raises(ShapeError, match=words):
            bool(aino.tensor(data))


def test_index():
    assert operator.index(aino.tensor([3])) == 3
    assert list(range(aino.tensor(3))) == [0, 1, 2]
    assert [10, 20, 30][aino.tensor(1)] == 20
    for wrong in (aino.tensor(3.0), aino.tensor([1, 2])):
        with pytest.raises(TypeError, match="index"):
            operator.index(wrong)


def test_lists_lengths_and_iteration():
    x = aino.tensor([[1, 2], [3, 4]])
    assert x.tolist() == [[1, 2], [3, 4]]
    assert aino.tensor(2.5).tolist() == 2.5
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    first, second = aino.tensor([1.0, 2.0], requires_grad=True)
    assert first.requires_grad
    assert second.item() == 2
    for use in (len, iter, list):
        with pytest.raises(TypeError, match="0-d"):
            use(aino.tensor(1))


def test_contains():
    x = aino.tensor([1, 3])
    assert 3 in x
    assert 2 not in x
    assert aino.tensor([3, 1]) not in x
    assert aino.tensor([1, 0]) in x
    with pytest.raises(DtypeError, match="str"):
        assert "a" in x


# Dtypes


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_to(dtype):
    x = aino.tensor([0.0, 1.5, 2.0])
    y = x.to(dtype)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.array, x.array.astype(dtype))
    assert x.to(y).dtype == x.type_as(y).dtype == x.type(dtype).dtype == dtype
    assert y.to(dtype) is y
    assert y.to("cpu") is y
    assert y.to("cpu", dtype) is y
    assert y.to(device="cpu", dtype=dtype) is y
    assert y.to(aino.device("cpu")) is y
    assert y.to() is y.to(None) is y
    assert y.to(dtype, copy=True) is not y
    assert y.to("cpu", dtype, False, True) is not y
    assert not np.shares_memory(y.to(dtype, copy=True).array, y.array)


def test_a_cast_is_differentiable():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    (x.to(aino.float64) ** 2).sum().backward()
    assert x.grad.dtype == aino.float32
    assert x.grad.tolist() == [2, 4]
    assert not x.to(aino.int64).requires_grad
    assert x.to(aino.complex64).requires_grad
    assert x.double().float().requires_grad


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float", "float32"), ("double", "float64"), ("half", "float16"), ("int", "int32"),
        ("long", "int64"), ("short", "int16"), ("char", "int8"), ("byte", "uint8"),
        ("bool", "bool"), ("cfloat", "complex64"), ("cdouble", "complex128"),
    ],
)  # fmt: skip
def test_casts_by_name(name, dtype):
    assert getattr(aino.tensor([0, 1], dtype=aino.int16), name)().dtype == dtype


def test_type():
    x = aino.ones(1)
    assert x.type() == "aino.FloatTensor"
    assert x.long().type() == "aino.LongTensor"
    assert x.type("aino.DoubleTensor").dtype == aino.float64
    assert x.type("torch.LongTensor").dtype == aino.int64
    for wrong in ("aino.NoTensor", "nothing"):
        with pytest.raises(DtypeError):
            x.type(wrong)


def test_devices():
    x = aino.ones(1)
    assert x.cpu() is x
    assert x.get_device() == -1
    for use in (x.cuda, lambda: x.to("cuda"), lambda: x.to("cuda:1", aino.float64)):
        with pytest.raises(RuntimeError, match="CPU"):
            use()


# What a tensor says of itself


def test_sizes_and_strides():
    x = aino.zeros(2, 3)
    assert x.size() == aino.Size([2, 3])
    assert x.size(-1) == x.size(dim=1) == 3
    assert x.stride() == (3, 1)
    assert x.mT.stride(0) == 1
    assert x[1:, 1:].storage_offset() == 4
    assert x.storage_offset() == 0
    assert x.dim() == x.ndimension() == 2
    assert x.numel() == x.nelement() == aino.numel(x) == 6
    assert x.element_size() == 4
    assert x.is_contiguous()
    assert not x.mT.is_contiguous()
    assert x[0].data_ptr() == x.data_ptr()
    assert aino.tensor(1).stride() == ()
    for ask in (x.size, x.stride, aino.tensor(1).size):
        with pytest.raises(IndexError, match="range"):
            ask(2)


def test_kinds():
    assert aino.is_tensor(aino.ones(1))
    assert not aino.is_tensor(np.ones(1))
    assert aino.is_floating_point(aino.ones(1))
    assert not aino.ones(1).long().is_floating_point()
    assert aino.is_complex(aino.tensor(1j))
    assert aino.tensor(1).is_signed()
    assert not aino.tensor(True).is_signed()
    assert not aino.tensor(1, dtype=aino.uint8).is_signed()
    assert aino.is_nonzero(aino.tensor([2.0]))
    assert aino.ones(2, 3).is_same_size(aino.zeros(2, 3))


# Other libraries


def test_dlpack():
    x = aino.arange(3.0)
    array = np.from_dlpack(x)
    array_back = aino.from_dlpack(array)
    assert np.shares_memory(x.array, array)
    assert np.shares_memory(array_back.array, array)
    assert x.__dlpack_device__() == (1, 0)
    with pytest.raises(BufferError, match="gradient"):
        np.from_dlpack(x.requires_grad_())


# Copies and pickles


def graded():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    return x


def through_pickle(x):
    return pickle.loads(pickle.dumps(x))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, through_pickle])
def test_a_leaf_is_copied_with_its_gradient(duplicate):
    x = graded()
    y = duplicate(x)
    assert y.requires_grad
    assert y.is_leaf
    assert y.tolist() == x.tolist()
    assert y.grad.tolist() == [2, 4]
    assert not np.shares_memory(x.array, y.array)
    assert not np.shares_memory(x.grad.array, y.grad.array)
    (y * 3).sum().backward()
    assert y.grad.tolist() == [5, 7]
    assert x.grad.tolist() == [2, 4]
    plain = duplicate(aino.tensor([[1, 2]], dtype=aino.int8))
    assert plain.dtype == aino.int8
    assert not plain.requires_grad
    strided = duplicate(aino.arange(6).reshape(2, 3).mT)
    assert strided.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert duplicate(aino.tensor(2.0)).shape == ()


def test_a_frozen_leaf_keeps_its_gradient():
    x = graded().requires_grad_(False)
    y = copy.deepcopy(x)
    assert not y.requires_grad
    assert y.grad.tolist() == [2, 4]


def test_what_an_operation_made_is_not_deep_copied():
    y = graded() * 2
    with pytest.raises(GradientError, match="detach"):
        copy.deepcopy(y)
    z = through_pickle(y)
    assert z.is_leaf
    assert z.requires_grad
    assert copy.copy(y).is_leaf


def test_a_shallow_copy_shares_memory():
    x = graded()
    y = copy.copy(x)
    assert y is not x
    assert np.shares_memory(x.array, y.array)
    assert y.requires_grad
    assert y.grad is None


def test_shared_memory_is_shared_in_the_copy():
    x = aino.arange(6.0).reshape(2, 3)
    views = [x, x[1], x[:, 1]]
    copied = copy.deepcopy(views)
    copied[0].array[1, 1] = 50
    assert copied[1].tolist() == [3, 50, 5]
    assert copied[2].tolist() == [1, 50]
    assert x[1, 1].item() == 4
    twice = copy.deepcopy([x, x])
    assert twice[0] is twice[1]


class Named(aino.Tensor):
    """A tensor with an attribute of its own."""


def test_subclasses_survive():
    x = Named(np.ones(2, np.float32))
    x.requires_grad_()
    x.tags = ["first"]
    for duplicate in (copy.deepcopy, through_pickle, copy.copy):
        y = duplicate(x)
        assert type(y) is Named
        assert y.tags == ["first"]
        assert y.requires_grad
    assert copy.deepcopy(x).tags is not x.tags
