"""States come back as they were, or are refused by their path (DIT.md, lines 3 and 5)."""

import collections
import dataclasses
import enum
import math
import random
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import aino.dit as dit
from aino.autograd.tensor import CPU, Size, Tensor
from aino.dit import archive
from aino.dit.npy import DTYPES
from aino.errors import DitError
from tests.dit import fakes, forge


def again(value, path, **options):
    """What comes back."""
    dit.save(value, path)
    dit.verify(path)
    return dit.load(path, **options)


def same(a, b):
    """Equal in every type, dtype, order and bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return a.requires_grad is b.requires_grad and same(a.array, b.array)
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype is b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return all(map(same, a, b)) and all(map(same, a.values(), b.values())) and len(a) == len(b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, float):
        # JSON's NaN has no sign; an array's has, and keeps it.
        return (a != a and b != b) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return a == b


VALUES = {
    "nothing": None,
    "truth": [True, False],
    "numbers": [0, -1, 2**63, -(2**200), 10**1299, 1.5, -0.0, 5e-324, 1.7976931348623157e308],
    "not finite": [math.inf, -math.inf, math.nan],
    "complex": [1 + 2j, complex(math.nan, -math.inf), -0.0j],
    "text": ["", "ä", "\U0001f600", "\0", "\n\r\t\"\\", "</script>", "$tensor", "x" * 100_000],
    "containers": {"a": [], "b": (), "c": {}, "d": [[], [()]], "e": ({"f": (1,)},)},
    "keys": {0: 1, -1: 2, "0": 3, None: 4, 2.5: 5, (1, ("a", None)): 6, True + 1: 7},
    "awkward keys": {"": 1, "$tensor": 2, "$": 3, "a.b": 4, "a": {"b": 5}, "\0": 6},
    "tag and more": {"$float": "inf"},
    "ordered": collections.OrderedDict([("b", 1), ("a", 2), (3, 4)]),
    "counter": collections.Counter({10: 1, 20: 2}),
    "dtypes": [np.dtype("float32"), np.dtype("bool"), np.float32, np.bool_],
    "scalars": [np.float32(1.5), np.int8(-3), np.bool_(True), np.complex128(1j), np.float64(2)],
    "deep": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],
    "random state": random.Random(3).getstate(),
    "bit generator": np.random.PCG64(3).state,
    "Mersenne twister": np.random.MT19937(3).state,
}  # fmt: skip


@pytest.mark.parametrize("what", VALUES)
def test_values_come_back(tmp_path, what):
    assert same(again(VALUES[what], tmp_path / "v.dit"), VALUES[what])


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (3, 5), (2, 1, 4)])
def test_arrays_of_every_dtype_come_back(tmp_path, dtype, shape, mmap):
    raw = np.random.default_rng(0).bytes(16 * math.prod(shape))
    array = np.frombuffer(raw, DTYPES[dtype] if dtype != "bool" else "uint8")[: math.prod(shape)]
    array = (array % 2 == 0 if dtype == "bool" else array).reshape(shape)
    value = {"array": array, "tensor": Tensor(array)}
    assert same(again(value, tmp_path / "a.dit", mmap=mmap), value)


def test_layouts_come_back_as_values(tmp_path):
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    layouts = {
        "fortran": np.asfortranarray(array),
        "transposed": array.T,
        "strided": array[:, ::2, ::-1],
        "broadcast": np.broadcast_to(np.float32(3), (1000, 3)),
        "big": array.astype(">f4"),
        "read-only": np.frombuffer(b"\0" * 8, np.float32),
        "mapped": np.memmap(tmp_path / "raw", np.int16, "w+", shape=(3,)),
    }
    back = again(layouts, tmp_path / "l.dit")
    for name, layout in layouts.items():
        assert np.array_equal(back[name], layout), name
        assert back[name].flags.c_contiguous
        assert back[name].flags.writeable
        assert back[name].dtype.isnative
    assert back["big"].dtype is np.dtype(np.float32)


def test_gradients_are_wanted_where_they_were(tmp_path):
    array = np.ones(2, np.float32)
    value = [
        Tensor(array).requires_grad_(),
        Tensor(array.copy()),
        fakes.Parameter(array.copy()),
        fakes.Parameter(array.copy(), requires_grad=False),
    ]
    back = again(value, tmp_path / "g.dit")
    assert same(back, value)
    assert all(part.grad is None and part.is_leaf for part in back)


def test_one_tensor_in_two_places_stays_one(tmp_path):
    tensor = Tensor(np.ones(1000, np.float64))
    view = Tensor(tensor.array[:500])
    back = again({"a": tensor, "b": [tensor, view], "c": tensor.detach()}, tmp_path / "t.dit")
    assert back["a"] is back["b"][0]
    assert back["c"] is not back["a"]
    assert back["c"].array is back["a"].array
    assert np.array_equal(back["b"][1].array, view.array)
    assert (tmp_path / "t.dit").stat().st_size < 8000 + 4000 + 3000


def test_empty_arrays_are_not_confused(tmp_path):
    value = [np.zeros((0, 3)), np.zeros((3, 0)), np.zeros(0, np.int8), np.zeros((0, 3))]
    back = again(value, tmp_path / "e.dit")
    assert same(back, value)
    assert len({id(part) for part in back}) == 4


def test_sizes_and_devices_come_back_as_what_they_equal(tmp_path):
    assert again([Size((2, 3)), CPU], tmp_path / "s.dit") == [(2, 3), "cpu"]


keys = st.one_of(st.text(max_size=8), st.integers(), st.none(), st.tuples(st.integers()))
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.complex_numbers(),
    hnp.arrays(st.sampled_from(sorted(DTYPES)), hnp.array_shapes(min_dims=0, min_side=0)),
)  # fmt: skip
nested = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=80)
@given(value=nested)
def test_whatever_is_nested_comes_back(tmp_path_factory, value):
    assert same(again(value, tmp_path_factory.getbasetemp() / "h.dit"), value)


# --- names ---------------------------------------------------------------------------------------

NAMES = [
    "file", "a/b", "..", ".", "", "\0", "n" * 70_000, "w", "w.npy", "W", "w.NPY", "dit.json", "dit",
    "tensor-0", "tensor-1", "con", "a\\b", "C:", "/etc/passwd", "../../x", " ", "\n", "ä", "a..b",
    "-x", "\U0001f600", "allow_pickle", "f", "0", "self", "__class__", "%s", "{}",
    "$tensor", "a#2", "\u202e",
]  # fmt: skip


def test_awkward_names_come_back(tmp_path):
    state = {name: np.full(2, index) for index, name in enumerate(NAMES)}
    path = tmp_path / "n.dit"
    assert same(again(state, path), state)
    for name, content in forge.unpack(path):
        assert not name.endswith(".npy.npy")
        assert name == "dit.json" or content.startswith(b"\x93NUMPY")
        assert len(name) < 256
        assert not {"/", "\\", "\0"} & {*name}
        assert ".." not in name
    lowered = [name.lower() for name, _ in forge.unpack(path)]
    assert len({*lowered}) == len(lowered)


@pytest.mark.parametrize("name", ["file", "w", "layers.0.weight", "a_b-c", "0"])
def test_plain_names_are_the_members_names(tmp_path, name):
    dit.save({name: np.ones(1)}, tmp_path / "n.dit")
    assert np.load(tmp_path / "n.dit")[name] == 1


def test_names_that_join_to_the_same_path_are_told_apart(tmp_path):
    state = {"a": {"b": np.zeros(1)}, "a.b": np.ones(2), "a.b#2": np.ones(3)}
    assert same(again(state, tmp_path / "n.dit"), state)


def test_names_that_no_file_can_hold_are_refused(tmp_path):
    for value in ({"\ud800": 1}, {"a": np.ones(1), "b\udfff": np.ones(1)}, ["\ud800"]):
        with pytest.raises(DitError, match="half of a character"):
            dit.save(value, tmp_path / "n.dit")


# --- what is refused -----------------------------------------------------------------------------

itself: list = [1]
itself.append(itself)
deep: list = []
for _ in range(100):
    deep = [deep]


class Color(enum.IntEnum):
    RED = 1


class Text(str):
    __slots__ = ()


Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Fields:
    x: int


REFUSED = {
    "object array": (np.array([None]), "objects, which cannot be stored"),
    "text array": (np.array(["a"]), "text, which cannot be stored"),
    "bytes array": (np.array([b"a"]), "bytes, which cannot be stored"),
    "dates": (np.array(["2020-01-01"], "M8[D]"), "dates, which cannot be stored"),
    "structured": (np.zeros(1, [("a", "f4")]), "structured or void dtype, which cannot be stored"),
    "void": (np.zeros(1, "V4"), "void dtype, which cannot be stored"),
    "float128": (np.zeros(1, np.longdouble), "cannot be stored"),
    "masked": (np.ma.array([1.0]), "only plain arrays"),
    "lambda": (lambda x: x, "is code (REFUSED.<lambda>)|<lambda>"),
    "function": (math.sin, "is code (sin)"),
    "class": (int, "is code (int)"),
    "module class": (fakes.Line, "is code (Line)"),
    "module": (types, "of type module"),
    "set": ({1}, "of type set"),
    "bytes": (b"abc", "of type bytes"),
    "object": (object(), "of type object"),
    "path": (Path(), "of type"),
    "generator": ((x for x in ()), "of type generator"),
    "enum": (Color.RED, "of type Color"),
    "text's child": (Text("a"), "of type Text"),
    "named tuple": (Point(1, 2), "of type Point"),
    "dataclass": (Fields(1), "is a Fields, a dataclass not registered"),
    "default dict": (collections.defaultdict(list), "of type defaultdict"),
    "itself": (itself, "holds itself"),
    "deep": (deep, "nested more than"),
    "huge": (10**1300, "too many digits"),
    "Random": (random.Random(), "of type Random"),
    "numpy generator": (np.random.default_rng(), "of type Generator"),
    "key": ({b"a": 1}, "has a key of type bytes"),
    "key class": ({Color.RED: 1}, "has a key of type Color"),
    "dtype": (np.dtype("M8"), "dates, which cannot be stored"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_stored_is_named_before_anything_is_touched(tmp_path, what):
    value, match = REFUSED[what]
    path = tmp_path / "r.dit"
    dit.save("old", path)
    before = path.stat()
    with pytest.raises(DitError) as caught:
        dit.save({"first": np.ones(3), "optimizer": {"groups": [0, {"lr": value}]}}, path)
    assert any(part in str(caught.value) for part in match.split("|"))
    assert str(caught.value).startswith(f"{path}: optimizer.groups.1.lr")
    assert path.stat() == before
    assert dit.load(path) == "old"


def test_an_object_with_a_state_says_what_to_do(tmp_path):
    class Optimizer:
        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            pass

    with pytest.raises(DitError, match=r"o\.dit: optimizer is an Optimizer.* its state_dict\(\)"):
        dit.save({"optimizer": Optimizer()}, tmp_path / "o.dit")


@pytest.mark.parametrize(
    "metadata", [{"a": 1}, {1: "a"}, {"a": None}, {"a": "\ud800"}, {"a": np.str_("b")}, [1], "a"]
)
def test_metadata_are_text(tmp_path, metadata):
    with pytest.raises(DitError, match="metadata"):
        dit.save(1, tmp_path / "m.dit", metadata=metadata)
    assert not (tmp_path / "m.dit").exists()


def test_so_many_tensors_that_no_reader_would_take_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 5)
    dit.save([np.ones(n) for n in range(1, 5)], tmp_path / "m.dit")
    dit.load(tmp_path / "m.dit")
    with pytest.raises(DitError, match="holds 5 tensors; at most 4 fit"):
        dit.save([np.ones(n) for n in range(1, 6)], tmp_path / "m.dit")


def test_so_many_numbers_that_no_reader_would_take_are_refused(tmp_path):
    path = tmp_path / "m.dit"
    numbers = [float(n) for n in range(100_000)]
    assert again(numbers, path) == numbers
    with pytest.raises(DitError, match="store long lists as arrays"):
        dit.save([float(n) for n in range(600_000)], path)
    assert dit.load(path) == numbers


def test_thousands_of_tensors_are_stored_and_read(tmp_path):
    state = {f"layers.{n}.weight": np.full(2, n, np.float32) for n in range(3000)}
    assert same(again(state, tmp_path / "m.dit"), state)


def test_the_deepest_values_that_are_stored_can_be_read(tmp_path):
    value = 1.5
    for depth in range(1, 70):
        value = {0: (value, math.inf)} if depth % 2 else [value]
        try:
            dit.save(value, tmp_path / "d.dit")
        except DitError as error:
            message = str(error)
            break
        assert same(dit.load(tmp_path / "d.dit"), value)
    assert "nested more than 64 deep" in message
    assert depth > 40
