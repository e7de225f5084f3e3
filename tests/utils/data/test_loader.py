"""The loader in one process: batches of every kind, and what it refuses."""

import collections
import warnings

import numpy as np
import pytest

import aino
from aino.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    StackDataset,
    Subset,
    TensorDataset,
    default_collate,
    default_convert,
    random_split,
)

Pair = collections.namedtuple("Pair", "x y")


def plain(value):
    """Return what is in a batch as Python's own lists, dicts and numbers, dtypes beside them."""
    if isinstance(value, aino.Tensor):
        return (str(value.dtype), value.tolist())
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(plain, value))
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return value


BATCHES = {
    "tensors": ([aino.tensor([1, 2]), aino.tensor([3, 4])], ("int64", [[1, 2], [3, 4]])),
    "0-d": ([aino.tensor(1.0), aino.tensor(2.0)], ("float32", [1.0, 2.0])),
    "mixed dtypes": ([aino.tensor(1), aino.tensor(2.5)], ("float32", [1.0, 2.5])),
    "arrays": ([np.ones(1, np.int16), np.zeros(1, np.int16)], ("int16", [[1], [0]])),
    "float32 arrays": ([np.ones(1, np.float32)], ("float32", [[1.0]])),
    "scalars": ([np.float32(1), np.float32(2)], ("float32", [1.0, 2.0])),
    "floats": ([0.5, 1.5], ("float64", [0.5, 1.5])),
    "ints": ([1, 2], ("int64", [1, 2])),
    "bools": ([True, False], ("bool", [True, False])),
    "texts": (["a", "b"], ["a", "b"]),
    "bytes": ([b"a", b"b"], [b"a", b"b"]),
    "tuples": ([(1, "a"), (2, "b")], [("int64", [1, 2]), ("a", "b")]),
    "lists": ([[1, 2.0], [3, 4.0]], [("int64", [1, 3]), ("float64", [2.0, 4.0])]),
    "dicts": ([{"a": 1, 2: "x"}, {"a": 3, 2: "y"}], {"a": ("int64", [1, 3]), 2: ["x", "y"]}),
    "named": ([Pair(1, "a"), Pair(2, "b")], Pair(("int64", [1, 2]), ("a", "b"))),
    "nested": ([({"a": [1]},), ({"a": [2]},)], [{"a": [("int64", [1, 2])]}]),
}


@pytest.mark.parametrize("name", BATCHES)
def test_collating(name):
    samples, expected = BATCHES[name]
    assert plain(default_collate(samples)) == expected


def test_collating_keeps_the_class_of_a_mapping_and_of_a_sequence():
    ordered = collections.OrderedDict(b=1, a=2)
    batch = default_collate([ordered, ordered])
    assert type(batch) is collections.OrderedDict
    assert list(batch) == ["b", "a"]
    user = collections.UserList([1])
    assert type(default_collate([user, user])) is collections.UserList


def test_collating_tensors_with_gradients():
    x = aino.ones(3, requires_grad=True)
    default_collate([x, x]).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_converting():
    converted = default_convert({"a": np.ones(1), "b": [np.int32(1), "x", Pair(np.zeros(1), 2)]})
    assert plain(converted) == {
        "a": ("float64", [1.0]), "b": [("int32", 1), "x", Pair(("float64", [0.0]), 2)],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("samples", "error", "words"),
    [
        ([object()], TypeError, "found <class 'object'>"),
        ([None, None], TypeError, "NoneType"),
        ([np.array(["a"])], TypeError, "<U1"),
        ([aino.ones(2), aino.ones(3)], ValueError, r"\[2\] at entry 0 and \[3\] at entry 1"),
        ([[1, 2], [1]], RuntimeError, r"lengths are \[1, 2\]"),
        ([{"a": 1}, {"b": 1}], KeyError, "sample 1 of the batch has no 'a'"),
        ([], IndexError, "no sample"),
    ],
)
def test_what_is_not_collated(samples, error, words):
    with pytest.raises(error, match=words):
        default_collate(samples)


def table(rows=10):
    return TensorDataset(aino.arange(rows * 2).view(rows, 2), aino.arange(rows))


class OneByOne(Dataset):
    """The samples of another dataset, in no way that the loader knows."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        return self.dataset[index]


WHOLE = {
    "tensors": table,
    "a subset": lambda: Subset(table(), [3, 1, 9, 0]),
    "a subset of a range": lambda: Subset(table(), range(2, 9, 2)),
    "a part": lambda: random_split(table(), [7, 3], aino.Generator())[0],
    "a subset of a subset": lambda: Subset(Subset(table(), range(1, 10)), [8, 0, 2]),
    "a stack": lambda: StackDataset(table(), Subset(table(20), range(10, 20))),
    "a named stack": lambda: StackDataset(a=table(), b=table()),
    "a stack with others": lambda: StackDataset(table(), OneByOne(table())),
    "one after the other": lambda: ConcatDataset([table(3), table(4)]),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_that_are_cut_out_whole_are_those_of_single_samples(name, shuffle):
    dataset = WHOLE[name]()
    whole, single = [
        [plain(batch) for batch in DataLoader(d, 3, shuffle, generator=aino.Generator())]
        for d in (dataset, OneByOne(dataset))
    ]
    assert whole == single
    assert len(whole) == -(-len(dataset) // 3)


def test_a_class_of_ones_own_is_asked_for_its_samples():
    class Shifted(TensorDataset):
        def __getitem__(self, index):
            return tuple(part + 100 for part in super().__getitem__(index))

    (batch,) = DataLoader(Shifted(aino.arange(3)), batch_size=3)
    assert batch[0].tolist() == [100, 101, 102]


def test_who_changes_a_batch_does_not_change_the_dataset():
    for shuffle in (False, True):
        x = aino.zeros(4)
        for (batch,) in DataLoader(TensorDataset(x), 2, shuffle):
            batch += 1
        assert x.tolist() == [0.0] * 4


def test_gradients_reach_tensors_in_a_dataset():
    x = aino.ones(4, requires_grad=True)
    for shuffle in (False, True):
        for (batch,) in DataLoader(TensorDataset(x), 2, shuffle):
            (2 * batch).sum().backward()
    assert x.grad.tolist() == [4.0] * 4


def test_a_file_larger_than_memory_is_read_batch_by_batch(tmp_path):
    array = np.memmap(tmp_path / "rows", np.float32, "w+", shape=(50, 3))
    array[:] = np.arange(150).reshape(50, 3)
    array.flush()
    mapped = np.memmap(tmp_path / "rows", np.float32, "r", shape=(50, 3))
    dataset = TensorDataset(aino.from_numpy(mapped))
    assert np.shares_memory(dataset.tensors[0].array, mapped)
    batches = [batch for (batch,) in DataLoader(dataset, 16, shuffle=True)]
    assert len({tuple(batch.shape) for batch in batches}) == 2
    assert {type(batch.array) for batch in batches} == {np.ndarray}
    assert sorted(row[0] for batch in batches for row in batch.tolist()) == [*range(0, 150, 3)]
    batches[0].add_(1.0)
    assert mapped[0].tolist() == [0.0, 1.0, 2.0]


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(7))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"batch_size": 3}, [[0, 1, 2], [3, 4, 5], [6]]),
        ({"batch_size": 3, "drop_last": True}, [[0, 1, 2], [3, 4, 5]]),
        ({"batch_size": 7}, [[0, 1, 2, 3, 4, 5, 6]]),
        ({"batch_size": None}, [0, 1, 2, 3, 4, 5, 6]),
        ({"batch_size": 4, "collate_fn": tuple}, [(0, 1, 2, 3), (4, 5, 6)]),
    ],
)
@pytest.mark.parametrize("make", [Stream, lambda: list(range(7))], ids=["stream", "list"])
def test_batches(make, settings, expected):
    batches = list(DataLoader(make(), **settings))
    plainly = [b.tolist() if isinstance(b, aino.Tensor) else b for b in batches]
    assert plainly == expected


def test_a_batch_sampler_and_a_sampler_of_ones_own():
    numbers = [[4, 4], [0], [1, 2, 3]]
    by_batch = DataLoader(table(), batch_sampler=numbers)
    assert [y.tolist() for _, y in by_batch] == numbers
    assert len(by_batch) == 3
    by_number = DataLoader(table(), 2, sampler=[3, 1, 2])
    assert [y.tolist() for _, y in by_number] == [[3, 1], [2]]
    inner = BatchSampler(SequentialSampler(range(4)), 2, False)
    nested = DataLoader(table(), None, sampler=inner)
    assert [y.tolist() for _, y in nested] == [[0, 1], [2, 3]]


def test_the_same_seed_gives_the_same_order():
    def order():
        return [y.tolist() for _, y in DataLoader(table(), 4, shuffle=True)]

    aino.manual_seed(3)
    first, second = order(), order()
    aino.manual_seed(3)
    assert (first, second) == (order(), order())
    assert first != second
    generator = aino.Generator().manual_seed(4)
    loader = DataLoader(table(), 4, shuffle=True, generator=generator)
    third = [y.tolist() for _, y in loader]
    assert third != [y.tolist() for _, y in loader]
    generator.manual_seed(4)
    assert third == [y.tolist() for _, y in loader]


def test_lengths():
    assert [len(DataLoader(table(), n)) for n in (3, 5, 20)] == [4, 2, 1]
    assert len(DataLoader(table(), 3, drop_last=True)) == 3
    assert len(DataLoader(table(), None)) == 10
    assert len(iter(DataLoader(table(), 5))) == 2
    with pytest.raises(TypeError):
        len(DataLoader(Stream(), 2))


def test_a_dataset_may_fetch_many_at_once():
    asked = []

    class Many(Dataset):
        def __len__(self):
            return 5

        def __getitems__(self, indices):
            asked.append(indices)
            return [i * 10 for i in indices]

    assert [b.tolist() for b in DataLoader(Many(), 2)] == [[0, 10], [20, 30], [40]]
    assert asked == [[0, 1], [2, 3], [4]]
    Many.__getitems__ = lambda self, indices: [1]
    with pytest.raises(ValueError, match="returned 1 samples for 2 indices"):
        list(DataLoader(Many(), 2))


def test_stopping_in_a_dataset_does_not_end_the_pass_silently():
    class Stops(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        list(DataLoader(Stops()))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"num_workers": -1}, "non-negative"),
        ({"timeout": -1}, "timeout"),
        ({"prefetch_factor": 2}, "num_workers > 0"),
        ({"num_workers": 1, "prefetch_factor": 0}, "from 1 on"),
        ({"persistent_workers": True}, "num_workers > 0"),
        ({"sampler": [0], "shuffle": True}, "mutually exclusive"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "mutually exclusive"),
        ({"batch_sampler": [[0]], "drop_last": True}, "mutually exclusive"),
        ({"batch_size": None, "drop_last": True}, "mutually exclusive"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"multiprocessing_context": "fork"}, "num_workers > 0"),
        ({"num_workers": 1, "multiprocessing_context": "spoon"}, "valid start method"),
    ],
)
def test_settings_that_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        DataLoader(table(), **settings)


@pytest.mark.parametrize(
    "settings", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}]
)
def test_settings_that_a_stream_refuses(settings):
    with pytest.raises(ValueError, match="IterableDataset: expected unspecified"):
        DataLoader(Stream(), **settings)


def test_what_a_loader_is_made_of_stays():
    loader = DataLoader(table(), 2, pin_memory=True)
    for name in ("batch_size", "sampler", "batch_sampler", "drop_last", "dataset"):
        with pytest.raises(ValueError, match=name):
            setattr(loader, name, 1)
    loader.collate_fn = tuple
    assert loader.pin_memory
    assert isinstance(loader.sampler, SequentialSampler)


def test_many_workers_are_warned_of():
    loader = DataLoader([1], num_workers=10_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="10000 worker processes"):
            iter(loader)
