"""Long instructions that two threads walk: the same bits, and nothing is left changed."""

import os
import threading
import warnings

import numpy as np
import pytest

from aino.compiler.backends.native.stretches import on_flags
from aino.native.trials import stretch_type
from aino.num_threads import _getter_and_setter
from aino.threads import CORES, worker

native = pytest.importorskip("aino_native")
Stretch = stretch_type()
rng = np.random.default_rng(0)
get, set_to = _getter_and_setter()
LONG = 1 << 16


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    """The BLAS has two threads, and AINO may use both."""
    monkeypatch.setattr(worker, "alone", False)
    before = get() if get else 0
    if set_to:
        set_to(2)
    yield
    if set_to:
        set_to(before)


def numbers(*shape, dtype=np.float32):
    return rng.normal(size=shape).astype(dtype)


def chain(x):
    link = (np.exp, ((0, "flat", 0), (1, "flat", 0)), 0, x.size)
    return (0, x.size, 1 << 12, [link])


x, wide, image = numbers(LONG), numbers(256, 257), numbers(8, 16, 33, 64)
stack, columns = numbers(6, 64, 80), numbers(80, 32)
#: name -> what it is walked over, without the result; the result's form; its detail.
INSTRUCTIONS = {
    "a loop": ("ufunc", [x], x.shape, np.float32, np.exp),
    "a loop of an odd number": ("ufunc", [x[:-3]], (LONG - 3,), np.float32, np.tanh),
    "a quick loop": ("ufunc", [x, x[::-1].copy()], x.shape, np.float32, np.add),
    "every other element": ("ufunc", [np.repeat(x, 2)[::2]], x.shape, np.float32, np.log1p),
    "rows for all": ("ufunc", [wide, wide[0]], wide.shape, np.float32, np.multiply),
    "a column for all": ("ufunc", [wide, wide[:, :1]], wide.shape, np.float32, np.subtract),
    "four axes": ("ufunc", [image[:, ::2, 1:, 3:]], (8, 8, 32, 61), np.float32, np.sqrt),
    "a comparison": ("ufunc", [image[:, :, ::2]], (8, 16, 17, 64), bool, np.isfinite),
    "a copy": ("copy", [wide.T], (257, 256), np.float32, None),
    "a copy of one piece": ("copy", [x], x.shape, np.float32, None),
    "a cast": ("copy", [image], image.shape, np.float64, None),
    "a choice": ("choose", [wide > 0, wide, np.zeros(1, np.float32)], wide.shape, np.float32, None),
    "sums of rows": ("vecdot", [image[0], image[1]], (16, 33), np.float32, np.vecdot),
    "products": ("stack", [stack, columns], (6, 64, 32), np.float32, np.matmul),
}


def both_ways(kind, operands, shape, dtype, detail):
    """Return what one thread leaves, and two; and what walks on two."""
    alone, shared = np.zeros(shape, dtype), np.zeros(shape, dtype)
    Stretch([], 0, [(kind, (alone, *operands), detail, 15)], None)()
    walk = Stretch([], 0, [(kind, (shared, *operands), detail, 15)] * 2, None, True)
    walk()
    return alone, shared, walk


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_an_instruction_is_the_same_in_halves(name):
    alone, shared, walk = both_ways(*INSTRUCTIONS[name])
    assert alone.any()
    assert shared.tobytes() == alone.tobytes()
    for _ in range(20):
        shared[...] = 0
        walk()
        assert shared.tobytes() == alone.tobytes()


@pytest.mark.skipif(CORES == 1, reason="there is one core")
def test_the_second_thread_helps():
    before = native.helped()
    *_, walk = both_ways(*INSTRUCTIONS["a loop"])
    for _ in range(200_000):  # others may have its core
        walk()
        if native.helped() > before:
            break
    assert native.helped() > before


@pytest.mark.parametrize("alone", [True, False])
def test_the_users_threads_are_kept_to(alone, monkeypatch):
    """One thread in all, or one of the BLAS's: the second one of AINO's rests."""
    monkeypatch.setattr(worker, "alone", alone)
    if not alone:
        if set_to is None:
            pytest.skip("the BLAS can't be told")
        set_to(1)
    before = native.helped()
    alone, shared, walk = both_ways(*INSTRUCTIONS["products"])
    for _ in range(50):
        walk()
    assert native.helped() == before
    assert shared.tobytes() == alone.tobytes()


@pytest.mark.skipif(get is None, reason="the BLAS can't be asked")
def test_the_blas_has_its_threads_again():
    """After a walk, and after one that fails; a large product has them within one."""
    table, places, out = numbers(40), np.array([3, 99]), np.zeros(2, np.float32)
    loop = ("ufunc", (np.zeros_like(x), x), np.exp, False)
    walk = Stretch([], 0, [loop, ("take", (out, table, places), None, False)], None, True)
    with pytest.raises(IndexError, match="99 is out of bounds"):
        walk()
    assert get() == 2
    a, b = numbers(300, 200), numbers(200, 100)
    found = np.zeros((300, 100), np.float32)
    Stretch([], 0, [loop, ("product", (found, a, b), np.matmul, False)], None, True)()
    assert get() == 2
    assert found.tobytes() == a.dot(b).tobytes()


def part(place, source, function=np.exp):
    return [("ufunc", (place, source), function, False)]


def test_two_lists_of_instructions():
    a, b = np.zeros((2, LONG), np.float32), np.zeros(5, np.float32)
    lists = (part(a[0], x) + part(a[1], x, np.tanh), part(b, x[:5]))
    walk = Stretch([], 0, [("both", (), lists, False)], None, True)
    for _ in range(20):
        a[...], b[...] = 0, 0
        walk()
        for found, expected in ((a[0], np.exp(x)), (a[1], np.tanh(x)), (b, np.exp(x[:5]))):
            assert found.tobytes() == expected.tobytes()
    assert walk.instructions == 1


def test_the_halves_of_one_of_two_ways():
    """What is long in a list is shared, too; either list is walked."""
    flag, a, b = np.zeros(1, bool), np.zeros(LONG, np.float32), np.zeros(LONG, np.float32)
    lists = (part(a, x), part(b, x, np.tanh))
    walk = Stretch([], 0, [("either", (flag,), lists, False)], None, True)
    for chosen in (True, False):
        flag[...] = chosen
        for _ in range(10):
            a[...], b[...] = 0, 0
            walk()
        found, other = (a, b) if chosen else (b, a)
        assert found.tobytes() == (np.exp(x) if chosen else np.tanh(x)).tobytes()
        assert not other.any()


@pytest.mark.parametrize("large", [0, LONG - 1])
@pytest.mark.parametrize("quiet", [15, 0])
@pytest.mark.parametrize("alone", [True, False])
def test_each_thread_tells_of_overflow(large, quiet, alone, monkeypatch):
    monkeypatch.setattr(worker, "alone", alone)
    source = np.zeros(LONG, np.float32)
    source[large] = 1e4
    out = np.empty_like(source)
    row = ("ufunc", (out, source), np.exp, quiet)
    walk = Stretch([], 0, [row], on_flags("step"), True)
    for _ in range(20):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for _ in range(5):  # before the second thread sleeps again
                walk()
        expected = [] if quiet else ["overflow encountered in step"] * 5
        assert [str(w.message) for w in told] == expected


def test_an_operand_lies_within_an_argument():
    form = np.empty((4, LONG), np.float32)
    row = np.empty(LONG, np.float32)
    out = np.zeros(LONG, np.float32)
    place = (row, 0, 2 * row.nbytes)
    walk = Stretch([form], 0, [("ufunc", (out, place), np.exp, False)], None, True)
    for _ in range(3):
        given = numbers(4, LONG)
        walk(given)
        assert out.tobytes() == np.exp(given[2]).tobytes()


small, long = np.zeros((2, 2), np.float32), np.zeros(3)
product = [("product", (small, small + 1, small + 1), np.matmul, False)]
big = np.zeros((80, 80), np.float32)
mask = np.zeros(3, bool)
REFUSED = {
    "one of three lists": ("either", (mask,), ([], [], []), False),
    "one of two by two masks": ("either", (mask, mask), ([], []), False),
    "one of two by numbers": ("either", (long,), ([], []), False),
    "one of two by a mask in pieces": ("either", (np.zeros(6, bool)[::2],), ([], []), False),
    "one of two by nothing": ("either", (), ([], []), False),
    "one of two, one of which may raise": (
        "either", (mask,), ([("take", (long, long, np.zeros(3, int)), None, False)], []), False),
    "one of two at the same time": (
        "both", (), ([("either", (mask,), ([], []), False)], []), False),
    "sums along two axes": (
        "vecdot", (small, np.ones((2, 2), np.float32), small), np.vecdot, False),
    "sums of rows by another function": ("vecdot", (small, small, small), np.add, False),
    "sums of rows of another length": (
        "vecdot", (np.zeros(2), np.ones((2, 3)), np.ones(4)), np.vecdot, False),
    "sums of nothing": ("vecdot", (np.zeros(2), np.ones((2, 0)), np.ones(0)), np.vecdot, False),
    "one list": ("both", (), (part(small, small),), False),
    "no list": ("both", (), (part(small, small), 3), False),
    "a number": ("both", (), 3, False),
    "a part that is none": ("both", (), ([3], []), False),
    "a part that may raise": (
        "both", (), ([("take", (long, long, np.zeros(3, int)), None, False)], []), False),
    "a part that needs Python": ("both", (), ([("number", (np.zeros(()),), 0, False)], []), False),
    "a product by all threads": (
        "both", (), ([("product", (big.copy(), big, big), np.matmul, False)], []), False),
    "halves of a small product": ("both", (), (product, product, product), False),
    "halves of two products": ("both", (), (product, product, product * 2), False),
    "an argument that is not given": ("copy", (long, (long, 1, 0)), None, False),
    "an argument before the first": ("copy", (long, (long, -1, 0)), None, False),
    "memory behind an argument": ("copy", (long, (long, 0, 8)), None, False),
    "memory before an argument": ("copy", (long, (long, 0, -8)), None, False),
    "a form that is none": ("copy", (long, (3.0, 0, 0)), None, False),
    "an offset that is none": ("copy", (long, (long, 0, "a")), None, False),
    "an offset between elements": ("copy", (long, (long[:1], 0, 25)), None, False),
    "an offset within an element": ("copy", (long[:1].copy(), (long[:1], 0, 4)), None, False),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_be_walked_rightly_is_refused(name):
    with pytest.raises((ValueError, TypeError)):
        Stretch([np.empty(3)], 1, [REFUSED[name]], None, True)


def test_several_threads_walk_at_the_same_time():
    """One of them has the second thread; the others do without."""
    failures = []

    def work():
        alone, shared, walk = both_ways(*INSTRUCTIONS["rows for all"])
        for _ in range(100):
            shared[...] = 0
            walk()
            if shared.tobytes() != alone.tobytes():
                failures.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_has_a_second_thread_of_its_own():
    alone, shared, walk = both_ways(*INSTRUCTIONS["a loop"])
    child = os.fork()
    if child == 0:
        shared[...] = 0
        for _ in range(50):
            walk()
        os._exit(int(shared.tobytes() != alone.tobytes()))
    assert os.waitpid(child, 0)[1] == 0
    shared[...] = 0
    walk()
    assert shared.tobytes() == alone.tobytes()
