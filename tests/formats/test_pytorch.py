"""PyTorch's files without PyTorch: values, tensors that share memory, both formats."""

import io
import pickle
import struct
import tracemalloc
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import DeviceError, FormatError
from tests.formats import pickles as p


def load(data, **options):
    return aino.load(io.BytesIO(data), **options)


VALUES = [
    None, True, False, 0, 1, -1, 255, 256, 65536, -(2**31), 2**31, 2**63, -(2**64), 1 << 500,
    0.0, -0.0, 1.5, float("inf"), 1e-320, "", "text", "ünïcödé 🙂", "x" * 300, b"", b"raw\xff",
    b"x" * 300, bytearray(b"abc"), bytearray(), 1 + 2j, [], [1, [2, []]], (), (1,), (1, 2),
    (1, 2, 3), (1, 2, 3, 4), {}, {"a": {"b": [1]}},
    {1: 2, None: 3, (1, "a"): 4, 2.5: 5, b"k": 6, False: 7},
    OrderedDict(), OrderedDict(b=1, a=2), Counter("hello"), defaultdict(list, a=[1]),
    defaultdict(None, a=1), {1, 2}, set(), frozenset(), frozenset({"a"}), list(range(2000)),
    [None] * 5, {str(n): n for n in range(2000)}, ("long", ["mixed", {"of": (1.5, None)}]),
    np.float64(2.5), np.float32(1.5), np.int64(7), np.bool_(True), np.complex64(1j),
    np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.array(3, np.uint8), np.empty((0, 3)), np.array([True, False]), np.arange(3, dtype=">i4"),
    np.dtype("float32"), [np.float64(1.5), np.float64(1.5)],
]  # fmt: skip


def alike(left, right):
    """Equal, and of the same types all through."""
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray | np.generic):
        same = left.dtype.newbyteorder("=") == right.dtype.newbyteorder("=")
        return same and left.shape == right.shape and np.array_equal(left, right)
    if isinstance(left, dict):
        same = len(left) == len(right) and all(map(alike, left, right))
        same = same and getattr(left, "default_factory", None) == getattr(
            right, "default_factory", None
        )
        return same and all(map(alike, left.values(), right.values()))
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(alike, left, right))
    return left == right and repr(left) == repr(right)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:40])
def test_plain_values_come_back(value, protocol):
    stream = pickle.dumps(value, protocol)
    body = stream[2:-1]
    assert alike(load(p.archive(body, {})), value)
    assert alike(load(p.old(body)), value)


ARRAYS = {
    name: np.arange(6).reshape(2, 3).astype(name) * (1 + 2j if "complex" in name else 1)
    for name in p.STORAGE
    if name != "bfloat16"
} | {"empty": np.empty((0, 3), np.float32), "scalar": np.array(2.5)}  # fmt: skip


@pytest.mark.parametrize("mmap", [None, True])
def test_tensors_of_every_dtype(tmp_path, mmap):
    path = tmp_path / "a.pt"
    path.write_bytes(p.of_arrays(**ARRAYS))
    found = aino.load(path, mmap=mmap)
    assert [*found] == [*ARRAYS]
    for name, array in ARRAYS.items():
        assert type(found[name]) is aino.Tensor
        assert found[name].dtype is aino.dtypes.BY_NAME[array.dtype.name]
        assert np.array_equal(found[name].array, array)
        assert found[name].array.flags.aligned
        assert found[name].array.flags.writeable
        assert not found[name].requires_grad


def test_views_of_one_storage_stay_views():
    value = p.dct(
        whole=p.tensor(size=(2, 2), stride=(2, 1)),
        turned=p.tensor(size=(2, 2), stride=(1, 2)),
        tail=p.tensor(offset=2, size=(2,)),
        other=p.tensor(p.storage("1")),
    )
    numbers = np.arange(4, dtype=np.float32)
    for data in (
        p.archive(value, {"0": numbers, "1": numbers}),
        p.old(value, [("0", numbers), ("1", numbers)]),
    ):
        found = load(data)
        assert found["whole"].tolist() == [[0, 1], [2, 3]]
        assert found["turned"].tolist() == [[0, 2], [1, 3]]
        found["whole"][1, 0] = 9
        assert found["turned"][0, 1] == 9
        assert found["tail"].tolist() == [9, 3]
        assert found["other"].tolist() == [0, 1, 2, 3]


def test_one_tensor_under_two_names_is_one():
    once = p.tensor() + b"q\x01"
    found = load(p.archive(p.dct(a=once, b=b"h\x01")))
    assert found["a"] is found["b"]


def test_a_repeated_number_is_read_only():
    found = load(p.archive(p.tensor(size=(3, 4), stride=(0, 1))))
    assert found.tolist() == [[0, 1, 2, 3]] * 3
    assert not found.array.flags.writeable


def test_bfloat16_becomes_float32_exactly():
    bits = np.array([0x3F80, 0xC040, 0x7F80, 1], np.uint16)
    kind = "torch.BFloat16Storage"
    value = p.dct(a=p.tensor(p.storage("0", kind)), b=p.tensor(p.storage("0", kind), 1, (2,)))
    for data in (p.archive(value, {"0": bits}), p.old(value, [("0", bits)])):
        found = load(data)
        assert found["a"].dtype == aino.float32
        assert found["a"].tolist() == [1, -3, np.inf, 2.0**-133]
        found["a"][1] = 5
        assert found["b"].tolist() == [5, np.inf]


@pytest.mark.parametrize("kind", ["float32", "int64", "complex64", "bfloat16"])
def test_big_endian_numbers(tmp_path, kind):
    code = "<u2" if kind == "bfloat16" else kind
    numbers = np.array([0x3F80, 0x4000], "<u2") if kind == "bfloat16" else np.arange(2).astype(code)
    value = p.tensor(p.storage("0", f"torch.{p.STORAGE[kind]}", 2), 0, (2,))
    path = tmp_path / "a.pt"
    path.write_bytes(p.archive(value, {"0": numbers.byteswap()}, byteorder=b"big"))
    for mmap in (None, True):
        expected = [1, 2] if kind == "bfloat16" else [0, 1]
        assert aino.load(path, mmap=mmap).tolist() == expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [({"conj": True}, [1 - 2j]), ({"neg": True}, [-1 - 2j]),
     ({"conj": True, "neg": True}, [-1 + 2j]), ({"conj": False}, [1 + 2j]), ({}, [1 + 2j])],
)  # fmt: skip
def test_conjugated_and_negated_views(metadata, expected):
    flags = p.dct(**{key: b"\x88" if value else b"\x89" for key, value in metadata.items()})
    memory = p.storage("0", "torch.ComplexFloatStorage", 1)
    value = p.tensor(memory, 0, (1,), (1,), metadata=flags)
    assert load(p.archive(value, {"0": np.array([1 + 2j], np.complex64)})).tolist() == expected


def test_gradients_and_parameters():
    parameter, hooks = "torch._utils._rebuild_parameter", p.call("collections.OrderedDict")
    plain = (p.storage(), p.number(0), p.ints([4]), p.ints([1]))
    data = p.archive(
        p.lst(
            p.tensor(requires_grad=True),
            p.call(parameter, p.tensor(), b"\x88", hooks),
            p.call(parameter, p.tensor(), b"\x89", hooks),
            p.call("torch._utils._rebuild_tensor", *plain),
        )
    )
    leaf, wanting, frozen, oldest = load(data)
    assert leaf.requires_grad
    assert leaf.is_leaf
    assert type(wanting) is nn.Parameter
    assert wanting.requires_grad
    assert type(frozen) is nn.Parameter
    assert not frozen.requires_grad
    assert oldest.tolist() == [0, 1, 2, 3]


def test_dtypes_sizes_and_devices():
    value = p.lst(
        p.name("torch.float32"), p.name("torch.bfloat16"), p.call("torch.Size", p.ints([2, 3])),
        p.call("torch.device", p.text("cuda"), p.number(1)), p.call("torch.device", p.text("cpu")),
    )  # fmt: skip
    found = load(p.archive(value, {}))
    assert found == [aino.float32, aino.bfloat16, (2, 3), aino.device("cuda:1"), aino.device("cpu")]
    assert type(found[2]) is aino.Size


def test_numbers_by_an_untyped_storage():
    """As uint16, uint32 and uint64 are kept, for which PyTorch has no storage of their own."""
    memory = p.storage("0", "torch.storage.UntypedStorage", 8)
    value = p.call("torch._utils._rebuild_tensor_v3", memory, p.number(1), p.ints([3]),
                   p.ints([1]), b"\x89", p.call("collections.OrderedDict"),
                   p.name("torch.uint16"))  # fmt: skip
    found = load(p.archive(value, {"0": np.arange(4, dtype=np.uint16)}))
    assert found.dtype == aino.uint16
    assert found.tolist() == [1, 2, 3]


def test_the_versions_of_a_state_dict_stay_with_it():
    state = p.call("collections.OrderedDict") + b"(" + p.text("w") + p.tensor() + b"u"
    found = load(p.archive(state + p.dct(_metadata=p.dct(w=p.number(2))) + b"b"))
    assert found["w"].tolist() == [0, 1, 2, 3]
    assert found._metadata == {"w": 2}


def test_views_of_old_files():
    view = p.tup(p.text("v"), p.number(1), p.number(2))
    memory = p.storage("0", "torch.FloatStorage", 4, "cpu", view)
    value = p.lst(
        p.tensor(memory, 0, (2,)), p.tensor(p.storage("0", "torch.FloatStorage", 4, "cpu", b"N"))
    )
    part, whole = load(p.old(value, [("0", np.arange(4, dtype=np.float32))]))
    assert part.tolist() == [1, 2]
    whole[1] = 7
    assert part.tolist() == [7, 2]


def test_text_of_python_2():
    short = b"U\x03key" + b"T" + struct.pack("<i", 3) + b"\xc3\xa4x"
    assert load(p.archive(b"(" + short + b"t", {})) == ("key", "äx")
    pairs = p.lst(p.lst(p.text("a"), p.number(1)))
    assert load(p.archive(p.call("collections.OrderedDict", pairs), {})) == OrderedDict(a=1)
    assert load(p.archive(p.call("__builtin__.set", p.lst(p.number(1))), {})) == {1}


# Where tensors go


def test_tensors_of_an_accelerator_come_to_the_cpu():
    data = p.archive(p.tensor(p.storage(location="cuda:0")))
    assert load(data).tolist() == [0, 1, 2, 3]
    older = p.archive(p.tensor(p.storage("0", "torch.cuda.FloatStorage", 4, "cuda:0")))
    assert load(older).tolist() == [0, 1, 2, 3]
    seen = []

    def doubled(tensor, device):
        seen.append(device)
        return tensor * 2

    assert load(data, map_location=doubled).tolist() == [0, 2, 4, 6]
    assert seen == ["cuda:0"]
    for location in ("cpu", {"cuda:0": "cpu"}, {"cuda:1": "cuda:0"}, lambda tensor, device: None):
        assert load(data, map_location=location).tolist() == [0, 1, 2, 3]
    for location in ("cuda", {"cuda:0": "cuda:1"}):
        with pytest.raises(DeviceError):
            load(data, map_location=location)


def test_open_files_stand_at_their_end(tmp_path):
    for data in (p.archive(p.tensor()), p.old(p.tensor(), [("0", np.ones(4, np.float32))])):
        file = io.BytesIO(b"before" + data)
        file.seek(6)
        assert aino.load(file).shape == (4,)
        assert file.tell() == len(data) + 6
        with pytest.raises(FormatError, match="mmap=True takes a path"):
            aino.load(io.BytesIO(data), mmap=True)
    path = tmp_path / "old.pt"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"before PyTorch 1\.6, and cannot be mapped"):
        aino.load(path, mmap=True)


def test_a_mapped_tensor_is_private(tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(p.archive(p.tensor()))
    before = path.read_bytes()
    found = aino.load(path, mmap=True)
    found[0] = 5
    assert found.tolist() == [5, 1, 2, 3]
    assert path.read_bytes() == before


def test_the_name_of_the_file_decides_nothing(tmp_path):
    for name in ("model.bin", "checkpoint", "last.ckpt", "a.dit"):
        (tmp_path / name).write_bytes(p.archive(p.tensor(), folder="any name"))
        assert aino.load(tmp_path / name, weights_only=True).shape == (4,)


def test_a_folder_as_hugging_face_kept_them(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(p.of_arrays(w=np.ones(3)))
    assert aino.load(tmp_path)["w"].tolist() == [1, 1, 1]


def test_an_optimizer_goes_on(tmp_path):
    model = nn.Linear(2, 1, bias=False)
    state = p.dct(
        state=b"}" + p.number(0) + p.dct(
            step=p.tensor(p.storage("0", "torch.FloatStorage", 1), 0, (), ()),
            exp_avg=p.tensor(p.storage("1", "torch.FloatStorage", 2), 0, (1, 2), (2, 1)),
            exp_avg_sq=p.tensor(p.storage("2", "torch.FloatStorage", 2), 0, (1, 2), (2, 1)),
        ) + b"s",
        param_groups=p.lst(p.dct(
            lr=p.number(0.01), betas=p.tup(p.number(0.9), p.number(0.999)), eps=p.number(1e-8),
            weight_decay=p.number(0), amsgrad=b"\x89", maximize=b"\x89", foreach=b"N",
            capturable=b"\x89", differentiable=b"\x89", fused=b"N",
            decoupled_weight_decay=b"\x89", params=p.lst(p.number(0)),
        )),
    )  # fmt: skip
    memories = {"0": np.ones(1, "f4"), "1": np.full(2, 0.5, "f4"), "2": np.full(2, 0.25, "f4")}
    loaded = load(p.archive(state, memories))
    optimizer = aino.optim.Adam(model.parameters(), lr=1.0)
    optimizer.load_state_dict(loaded)
    assert optimizer.param_groups[0]["lr"] == 0.01
    before = model.weight.detach().clone()
    model.weight.grad = aino.zeros(1, 2)
    optimizer.step()
    mean, square = 0.9 * 0.5 / (1 - 0.9**2), 0.999 * 0.25 / (1 - 0.999**2)
    expected = before - 0.01 * mean / (square**0.5 + 1e-8)
    assert aino.allclose(model.weight, expected)


MEGABYTE = 1 << 20


@pytest.mark.parametrize("mmap", [None, True])
def test_memory_is_that_of_the_tensors_that_are_used(tmp_path, mmap):
    path = tmp_path / "a.pt"
    path.write_bytes(p.of_arrays(**{f"w{n}": np.full(MEGABYTE, n, np.float32) for n in range(4)}))
    aino.load(path, mmap=mmap)
    tracemalloc.start()
    try:
        found = aino.load(path, mmap=mmap)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found["w3"].array[-1] == 3
    assert peak < MEGABYTE if mmap else 16 * MEGABYTE < peak < 17 * MEGABYTE
