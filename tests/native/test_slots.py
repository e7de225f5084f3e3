"""Slots of objects that are compared and set together."""

import gc
import sys
import weakref

import numpy as np
import pytest

native = pytest.importorskip("aino_native")


class Pair:
    __slots__ = ("left", "right")


def test_slots_are_compared_and_set_together():
    pair, other, value = Pair(), Pair(), object()
    pair.left, other.left = value, 1
    slots = native.Slots([(pair, Pair.left, value), (other, Pair.left, 1)])
    assert slots.are()
    pair.left = None
    assert not slots.are()
    del other.left
    assert not slots.are()
    assert slots.put() is None
    assert slots.are()
    slots.fill(3)
    assert (pair.left, other.left) == (3, 3)
    before = sys.getrefcount(value)
    for _ in range(10):
        slots.put()
        slots.fill(None)
    assert sys.getrefcount(value) == before
    assert native.Slots([]).are()


@pytest.mark.parametrize(
    "rows",
    [
        None, [1], [(1, 2)], [(Pair(), "left", 1)], [(Pair(), Pair.__init__, 1)],
        [(object(), Pair.left, 1)], [(Pair, Pair.left, 1)],
        [(Pair(), type.__dict__["__base__"], 1)],
        [(sys, type(sys).__dict__["__dict__"], 1)],
    ],
)  # fmt: skip
def test_what_is_no_slot_of_an_object_is_refused(rows):
    with pytest.raises(TypeError):
        native.Slots(rows)


def test_slots_are_freed_with_what_they_hold():
    array = np.ones(3)
    known = weakref.ref(array)
    pair = Pair()
    pair.left = native.Slots([(pair, Pair.right, array)])  # a circle
    del array, pair
    gc.collect()
    assert known() is None
