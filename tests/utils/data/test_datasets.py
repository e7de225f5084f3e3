"""Datasets, the ways to divide them, and the orders in which their samples come."""

import numpy as np
import pytest

import aino
from aino.utils import data
from aino.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)


class Squares(Dataset):
    def __init__(self, length, offset=0):
        self.length = length
        self.offset = offset

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if not -self.length <= index < self.length:
            raise IndexError(index)
        return (index % self.length) ** 2 + self.offset


class Stream(IterableDataset):
    def __init__(self, *values):
        self.values = values

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)


def test_a_tensor_dataset_gives_rows():
    dataset = TensorDataset(aino.arange(6).view(3, 2), aino.tensor([5, 6, 7]))
    assert len(dataset) == 3
    assert [part.tolist() for part in dataset[-1]] == [[4, 5], 7]
    assert [part.tolist() for part in dataset[[0, 2]]] == [[[0, 1], [4, 5]], [5, 7]]


def test_concatenated_datasets_are_one_after_the_other():
    both = Squares(3) + Squares(2, 100)
    assert isinstance(both, ConcatDataset)
    assert list(map(both.__getitem__, range(-5, 5))) == [0, 1, 4, 100, 101] * 2
    assert both.cumulative_sizes == both.cummulative_sizes == [3, 5]


def test_chained_datasets_are_one_after_the_other():
    both = Stream(1, 2) + Stream(3)
    assert isinstance(both, ChainDataset)
    assert (list(both), len(both)) == ([1, 2, 3], 3)


def test_stacked_datasets_are_side_by_side():
    columns = StackDataset(Squares(3), Squares(3, 1))
    named = StackDataset(a=Squares(3), b=Squares(3, 1))
    assert (len(columns), columns[2]) == (3, (4, 5))
    assert (len(named), named[2]) == (3, {"a": 4, "b": 5})
    assert columns.__getitems__([0, 1]) == [(0, 1), (1, 2)]
    assert named.__getitems__([0, 1]) == [{"a": 0, "b": 1}, {"a": 1, "b": 2}]


def test_a_subset_has_some_samples():
    subset = Subset(Squares(10), [9, 3])
    assert (len(subset), subset[0], subset.__getitems__([1, 0])) == (2, 81, [9, 81])


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [([6, 4], [6, 4]), ([0.5, 0.5], [5, 5]), ([0.33, 0.33, 0.34], [4, 3, 3]), ([10, 0], [10, 0])],
)
def test_random_split_shares_all_samples_out(lengths, expected):
    parts = random_split(Squares(10), lengths, generator=aino.Generator().manual_seed(1))
    assert [len(part) for part in parts] == expected
    indices = [index for part in parts for index in part.indices]
    assert sorted(indices) == list(range(10))
    again = random_split(Squares(10), lengths, aino.Generator().manual_seed(1))
    assert indices == [index for part in again for index in part.indices]
    assert indices != sorted(indices)


def test_random_split_warns_of_an_empty_part():
    with pytest.warns(UserWarning, match="index 1 is 0"):
        random_split(Squares(2), [0.9, 0.1])


def seeded():
    return aino.Generator().manual_seed(3)


ORDERS = {
    "in sequence": lambda: SequentialSampler(range(9)),
    "at random": lambda: RandomSampler(range(9), generator=seeded()),
    "at random, some": lambda: RandomSampler(range(9), num_samples=4, generator=seeded()),
    "at random, more": lambda: RandomSampler(range(9), num_samples=20, generator=seeded()),
    "again": lambda: RandomSampler(range(9), True, 30, generator=seeded()),
    "from a subset": lambda: SubsetRandomSampler([2, 3, 8], generator=seeded()),
    "by weight": lambda: WeightedRandomSampler([0.0, 1, 3], 40, generator=seeded()),
    "by weight, once": lambda: WeightedRandomSampler([1.0, 1, 3], 3, False, generator=seeded()),
    "a share": lambda: DistributedSampler(range(9), 2, 1),
}
POSSIBLE = {"from a subset": {2, 3, 8}, "by weight": {1, 2}, "by weight, once": {0, 1, 2}}


@pytest.mark.parametrize("name", ORDERS)
def test_orders(name):
    sampler = ORDERS[name]()
    order = list(sampler)
    assert order == list(ORDERS[name]())
    assert len(order) == len(sampler)
    assert all(type(index) is int for index in order)
    possible = POSSIBLE.get(name, set(range(9)))
    assert set(order) <= possible
    if name not in ("again", "by weight", "a share"):
        for start in range(0, len(order), len(possible)):
            part = order[start : start + len(possible)]
            assert len(part) == len(set(part))


def test_a_random_order_is_another_each_time_and_the_same_with_the_same_seed():
    sampler = RandomSampler(range(20))
    aino.manual_seed(5)
    first, second = list(sampler), list(sampler)
    aino.manual_seed(5)
    assert (first, second) == (list(sampler), list(sampler))
    assert first != second


def test_weights_say_how_often_a_sample_comes():
    aino.manual_seed(0)
    counts = np.bincount(list(WeightedRandomSampler([1, 2, 7], 20_000)))
    np.testing.assert_allclose(counts / 20_000, [0.1, 0.2, 0.7], atol=0.02)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("drop_last", [True, False])
def test_shares_have_one_length_and_are_all_samples(shuffle, drop_last):
    shares = [DistributedSampler(range(11), 3, rank, shuffle, 1, drop_last) for rank in range(3)]
    orders = [list(share) for share in shares]
    assert {len(order) for order in orders} == {3 if drop_last else 4}
    found = [index for order in orders for index in order]
    assert len(set(found)) == (9 if drop_last else 11)
    for share in shares:
        share.set_epoch(1)
    assert ([list(share) for share in shares] != orders) == shuffle
    if not shuffle:
        assert orders[1][:3] == [1, 4, 7]


@pytest.mark.parametrize(("drop_last", "expected"), [(False, [[0, 1], [2]]), (True, [[0, 1]])])
def test_batches_of_numbers(drop_last, expected):
    sampler = BatchSampler(SequentialSampler(range(3)), 2, drop_last)
    assert (list(sampler), len(sampler)) == (expected, len(expected))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: TensorDataset(aino.ones(2), aino.ones(3)), ValueError, r"lengths are \[2, 3\]"),
        (lambda: TensorDataset(aino.tensor(1.0)), ValueError, "0-d"),
        (lambda: TensorDataset(np.ones(2)), TypeError, "from_numpy"),
        (lambda: StackDataset(), ValueError, "at least one"),
        (lambda: StackDataset(Squares(1), a=Squares(1)), ValueError, "by name"),
        (lambda: StackDataset(Squares(1), Squares(2)), ValueError, r"\[1, 2\]"),
        (lambda: ConcatDataset([]), AssertionError, "empty"),
        (lambda: ConcatDataset([Stream(1)]), AssertionError, "ChainDataset"),
        (lambda: (Squares(1) + Squares(1))[-3], ValueError, "exceed"),
        (lambda: (Squares(1) + Squares(1))[2], IndexError, "there are 2"),
        (lambda: list(ChainDataset([Squares(1)])), AssertionError, "IterableDataset"),
        (lambda: Dataset()[0], NotImplementedError, "__getitem__"),
        (lambda: iter(IterableDataset()), NotImplementedError, "__iter__"),
        (lambda: random_split(Squares(3), [1, 1]), ValueError, "add up to 2, and there are 3"),
        (lambda: random_split(Squares(3), [1.5, -0.5]), ValueError, "index 0"),
        (lambda: random_split(iter([]), [1]), TypeError, "no length"),
        (lambda: RandomSampler([]), ValueError, "may be empty"),
        (lambda: RandomSampler([1], num_samples=-1), ValueError, "num_samples=-1"),
        (lambda: RandomSampler([1], replacement=1), TypeError, "replacement"),
        (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, r"\(1, 1\)"),
        (lambda: BatchSampler([1], 0, False), ValueError, "batch_size=0"),
        (lambda: BatchSampler([1], 1, None), ValueError, "drop_last=None"),
        (lambda: DistributedSampler([1]), ValueError, "num_replicas and rank"),
        (lambda: DistributedSampler([1], 2, 2), ValueError, r"\[0, 1\]"),
    ],
)
def test_what_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_all_names_are_there():
    assert sorted(data.__all__) == data.__all__
    assert all(hasattr(data, name) for name in data.__all__)
