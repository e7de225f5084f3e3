"""What calls that C makes consist of: rows that are compared, what stands for a method."""

import gc
import itertools
import threading
import types
import weakref

import numpy as np
import pytest

from aino.autograd.tensor import Tensor
from aino.compiler.guards.sharing import apart_from
from aino.compiler.tracing.lifting import SLOTS

native = pytest.importorskip("aino_native")

TENSOR = (Tensor, SLOTS["array"], SLOTS["node"], Tensor.__dict__["view_of"])


class Local(threading.local):
    level = 1
    as_it_is = False


class Counted:
    __slots__ = ("count",)


class Holder:
    __slots__ = ("entrance",)


class Eagerly(Exception):
    told = "told"


def entry(**changed):
    """Return the call of a program that returns what it is given, and where its calls are."""
    like = np.zeros(3)
    argument = (np.ndarray, None, None, like, like.dtype, True, 0, 0)
    told = {
        "mode": Local(), "level": 1, "inference": None, "version": None,
        "arguments": native.Arguments([argument], [], apart_from), "rows": [], "same": None,
        "rest": None, "counted": {"_calls_to_come": itertools.repeat(None)}, "step": lambda x: x,
        "places": [0], "numbers": [], "forms": None, "results": 1,
        "raised": lambda error, saved: None, "unlike": None, "tick": itertools.count().__next__,
        "fill": None, "put": None, "tensor": TENSOR, "is_tuple": False, "finish": None,
        "otherwise": lambda args, kwargs: "in Python",
    }  # fmt: skip
    return native.Entry(**{**told, **changed})


def made(call, *args):
    """Return whether C makes a call."""
    return call(args or (np.ones(3),), {}) != "in Python"


def test_a_call_is_made_or_left_to_python():
    call = entry()
    x = np.ones(3)
    result = call((x,), {})
    assert type(result) is Tensor
    assert result.array is x
    assert result.node is None
    assert result.view_of is None
    assert call((x,), {"y": 1}) == "in Python"
    assert call((np.ones(4),), {}) == call((), {}) == call((x, x), {}) == "in Python"
    assert call.calls == 1
    with pytest.raises(TypeError, match="arguments and the keywords"):
        call(x)


# Rows


class Box:
    def __init__(self, **held):
        self.__dict__.update(held)

    @property
    def broken(self):
        raise ValueError

    @property
    def interrupted(self):
        raise KeyboardInterrupt


VALUE = "a value"
PART = [1, VALUE]
NUMBERS = {"a": 2.0}


def asks(answer):
    def holds():
        holds.asked += 1
        return answer

    holds.asked = 0
    return holds


#: A row, and whether it is as it was.
ROWS = {
    "an attribute": (("attr", Box(a=VALUE), "a", 0, VALUE, None), True),
    "another attribute": (("attr", Box(a=1), "a", 0, VALUE, None), False),
    "no attribute": (("attr", Box(), "a", 0, VALUE, None), False),
    "an attribute that raises": (("attr", Box(), "broken", 0, VALUE, None), False),
    "an entry": (("item", {"a": VALUE}, "a", 0, VALUE, None), True),
    "another entry": (("item", {"a": 1}, "a", 0, VALUE, None), False),
    "no entry": (("item", {}, "a", 0, VALUE, None), False),
    "a cell": (("cell", types.CellType(VALUE), "", 0, VALUE, None), True),
    "another cell": (("cell", types.CellType(1), "", 0, VALUE, None), False),
    "an empty cell": (("cell", types.CellType(), "", 0, VALUE, None), False),
    "a part": (("part", Box(a=PART), "a", 1, VALUE, None), True),
    "another part": (("part", Box(a=PART), "a", 0, VALUE, None), False),
    "a part that is not there": (("part", Box(a=PART), "a", 2, VALUE, None), False),
    "a part of a tuple": (("part", Box(a=tuple(PART)), "a", 1, VALUE, None), False),
    "a part of nothing": (("part", Box(), "a", 1, VALUE, None), False),
    "a length": (("length", PART, "", 2, None, None), True),
    "another length": (("length", PART, "", 3, None, None), False),
    "a condition": (("item", NUMBERS, "a", 0, None, lambda: True), True),
    "a condition that does not hold": (("item", NUMBERS, "a", 0, None, lambda: 0), False),
    "a condition that raises": (("item", NUMBERS, "a", 0, None, lambda: 1 / 0), False),
}


@pytest.mark.parametrize("what", ROWS)
def test_a_row_is_as_it_was_or_the_call_is_left_to_python(what):
    row, is_so = ROWS[what]
    call = entry(rows=[row])
    for _ in range(3):
        assert made(call) is is_so


def test_what_interrupts_is_passed_on():
    with pytest.raises(KeyboardInterrupt):
        made(entry(rows=[("attr", Box(), "interrupted", 0, VALUE, None)]))


def test_a_plain_value_that_has_passed_is_not_asked_about_again():
    held, holds = {"a": 2.0}, asks(True)
    call = entry(rows=[("item", held, "a", 0, None, holds)])
    for _ in range(5):
        assert made(call)
    assert holds.asked == 1
    held["a"] = 3.0
    for _ in range(5):
        assert made(call)
    assert holds.asked == 2
    held["a"] = [3.0]  # it may be another tomorrow
    for _ in range(5):
        assert made(call)
    assert holds.asked == 7


def test_a_value_that_did_not_pass_is_asked_about_again():
    held = {"a": 2.0}
    call = entry(rows=[("item", held, "a", 0, None, lambda: held["a"] == 2.0)])
    for value in (2.0, 3.0, 3.0, 2.0, 3.0):
        held["a"] = value
        assert made(call) == (value == 2.0)


def test_a_value_that_the_question_changes_is_not_taken_for_the_one_that_passed():
    held = {"a": 1}

    def holds():
        held["a"] = 2
        return not refused

    refused = []
    call = entry(rows=[("item", held, "a", 0, None, holds)])
    assert made(call)
    held["a"] = 1
    refused.append(1)
    assert not made(call)


@pytest.mark.parametrize(
    "row",
    [
        None, (), ("attr", Box(), "a", 0, 1), ("other", Box(), "a", 0, 1, None),
        ("attr", Box(), 1, 0, 1, None), ("item", [], 0, 0, 1, None), ("cell", [], "", 0, 1, None),
        ("length", (), "", 0, 1, None), ("part", Box(), "a", -1, 1, None), (1, {}, "a", 0, 1, None),
    ],
)  # fmt: skip
def test_what_is_no_row_is_refused(row):
    with pytest.raises(TypeError):
        entry(rows=[row])


# All else that is compared


def test_the_mode_counts_in_each_thread():
    mode = Local()
    call, found = entry(mode=mode), []
    assert made(call)
    mode.level = 0
    assert not made(call)
    thread = threading.Thread(target=lambda: found.append(made(call)))
    thread.start()
    thread.join()
    assert found == [True]
    assert not made(call)
    mode.level = True  # what is no level is left to Python
    assert not made(call)
    mode.level, mode.inference = 1, False
    assert made(entry(mode=mode, inference=False))
    assert not made(entry(mode=mode, inference=True))


def test_the_version_slots_and_what_is_left_to_python_count():
    version, seen = Counted(), [5]
    version.count = 5
    call = entry(version=(version, Counted.count, seen))
    assert made(call)
    version.count = 10**6
    assert not made(call)
    seen[0] = int("1000000")
    assert made(call)
    del version.count
    assert not made(call)
    seen.clear()
    assert not made(call)
    slot = Counted()
    slot.count = VALUE
    call = entry(same=native.Slots([(slot, Counted.count, VALUE)]))
    assert made(call)
    slot.count = 1
    assert not made(call)
    for answer, is_made in ((True, True), (False, False), (None, False), (1, False)):
        assert made(entry(rest=lambda args, kwargs, a=answer: a)) is is_made
    assert not made(entry(rest=lambda args, kwargs: 1 / 0))


def test_calls_are_counted_where_they_are_made():
    counted = {"_calls_to_come": itertools.repeat(None, 3)}
    call = entry(counted=counted)
    assert [made(call, np.ones(n)) for n in (3, 4, 3, 3, 3, 3)] == [1, 0, 1, 1, 0, 0]
    del counted["_calls_to_come"]
    assert not made(call)


# What is run, and what comes back


def test_what_the_program_raises_is_told_and_raised():
    told = []
    call = entry(step=lambda x: 1 / 0, raised=lambda *what: told.append(what))
    with pytest.raises(ZeroDivisionError) as raised:
        made(call)
    assert told == [(raised.value, ())]
    assert raised.value.__traceback__ is not None

    def other(error, saved):
        raise Eagerly from None

    with pytest.raises(Eagerly):
        made(entry(step=lambda x: 1 / 0, raised=other))
    assert not made(entry(step=lambda x: 1 / 0, raised=other, unlike=ZeroDivisionError))


def test_results_are_as_many_as_they_should_be():
    call = entry(step=lambda x: (x, x + 1), results=2, is_tuple=True)
    first, second = call((np.ones(3),), {})
    assert (first.tolist(), second.tolist()) == ([1.0] * 3, [2.0] * 3)
    call = entry(step=lambda x: x, results=2, is_tuple=True)
    with pytest.raises(RuntimeError, match="number of results"):
        call((np.ones(3),), {})
    call = entry(step=lambda x: (x, x), results=2, finish=lambda a, b: [a is b])
    assert call((np.ones(3),), {}) == [True]
    with pytest.raises(ZeroDivisionError):
        made(entry(finish=lambda x: 1 / 0))
    assert entry(step=lambda x: None, results=0, finish=lambda: 7)((np.ones(3),), {}) == 7


def test_what_is_left_is_stamped_and_shown():
    stamp, leaf = Counted(), Counted()
    stamp.count = leaf.count = 0
    ticks = itertools.count(5)
    fill = native.Slots([(stamp, Counted.count, 0)])
    put = native.Slots([(leaf, Counted.count, VALUE)])
    assert made(entry(fill=fill, put=put, tick=ticks.__next__))
    assert (stamp.count, leaf.count) == (5, VALUE)
    with pytest.raises(ZeroDivisionError):
        made(entry(fill=fill, tick=lambda: 1 / 0))


def test_a_stretch_is_given_arrays_results_and_numbers():
    settings = {"rate": 3.0}
    rate = np.zeros(())
    given = result = np.zeros(3)
    given = np.zeros(3)
    stretch = native.Stretch(
        [given, result], 1,
        [("number", (rate,), 0, False), ("ufunc", (result, given, rate), np.multiply, False)],
        None,
    )  # fmt: skip
    call = entry(step=stretch, places=[0, -1], forms=[np.empty(3)],
                 numbers=[("item", settings, "rate", 0, None, None)])  # fmt: skip
    x = np.arange(3.0)
    first, second = call((x,), {}), call((x,), {})
    assert first.tolist() == second.tolist() == [0.0, 3.0, 6.0]
    assert first.array is not second.array
    settings["rate"] = 2
    assert call((x,), {}).tolist() == [0.0, 2.0, 4.0]
    del settings["rate"]
    assert not made(call)
    assert call.calls == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"places": [1]}, {"places": [-1]}, {"places": ["x"]}, {"places": [0] * 17},
        {"forms": [np.empty(3)] * 2}, {"forms": [1]}, {"forms": np.empty(3)}, {"results": 9},
        {"results": -1}, {"results": 0}, {"results": 2}, {"arguments": 1}, {"same": {}},
        {"fill": 1}, {"put": 1}, {"version": 1}, {"version": (1, 2, [])}, {"rows": [1]},
        {"version": (object(), Counted.count, [])}, {"tensor": (Tensor, 1, 2, 3)}, {"tensor": ()},
        {"numbers": [("item", {}, "a", 0, None, None)]}, {"numbers": 1}, {"counted": None},
        {"arguments": None},
    ],
)  # fmt: skip
def test_what_describes_no_call_is_refused(changed):
    with pytest.raises(TypeError):
        entry(**changed)


# What stands for a method


def seen(self, *args, **kwargs):
    """What a profiler looks at."""


def holding(*entries, lock=None, session=None):
    class Compiled(Holder):
        __slots__ = ()
        __call__ = native.Caller([Holder.entrance], lambda self, *args, **kwargs: (args, kwargs))

        def _run_eagerly(self, told, args, kwargs):
            return told, args, kwargs

    compiled = Compiled()
    given = lock or native.Lock(), session or Local(), Eagerly, entries, seen, seen.__code__
    compiled.entrance = native.Entrance(*given) if entries else None
    return compiled


def test_programs_are_asked_in_turn_and_then_the_method():
    x, y = np.ones(3), np.ones(4)
    first, second = entry(), entry(rows=[("item", {}, "a", 0, 1, None)])
    compiled = holding(second, first)
    assert compiled.entrance.entries == (second, first)
    assert compiled(x).array is x
    assert compiled(y) == ((y,), {})
    assert compiled() == ((), {})
    assert compiled(1, a=2) == ((1,), {"a": 2})
    assert compiled(x, a=2) == ((x,), {"a": 2})
    assert compiled.__call__(x).array is type(compiled).__call__(compiled, x).array
    assert holding()(1) == ((1,), {})
    compiled.entrance = 1  # what leads nowhere is passed by
    assert compiled(1) == ((1,), {})
    del compiled.entrance
    assert compiled(1) == ((1,), {})
    with pytest.raises(TypeError):
        type(compiled).__call__()


def test_it_looks_as_the_method():
    def method(self):
        """Say it."""

    caller = native.Caller([Holder.entrance], method)
    assert (caller.__name__, caller.__doc__, caller.__wrapped__) == ("method", "Say it.", method)
    assert caller.__get__(None, Holder) is caller
    with pytest.raises(AttributeError):
        caller.other
    assert caller(3) is None


def test_where_calls_run_as_they_are_none_is_made():
    session, x = Local(), np.ones(3)
    compiled = holding(entry(), session=session)
    session.as_it_is = True
    assert compiled(x) == ((x,), {})
    session.as_it_is = False
    assert compiled(x).array is x
    session.as_it_is = Broken()
    with pytest.raises(ZeroDivisionError):
        compiled(x)


def test_while_somebody_looks_at_the_method_it_makes_all_calls():
    compiled, x = holding(entry()), np.ones(3)
    code = seen.__code__
    seen.__code__ = (lambda *args, **kwargs: None).__code__
    try:
        assert compiled(x) == ((x,), {})
    finally:
        seen.__code__ = code
    assert compiled(x).array is x


class Broken:
    def __bool__(self):
        return 1 / 0


def test_what_a_program_raises():
    lock, x = native.Lock(), np.ones(3)

    def raises(error):
        def step(given):
            raise error

        return holding(entry(step=step), lock=lock)

    assert raises(Eagerly())(x) == ("told", (x,), {})
    with pytest.raises(ValueError, match="wrong"):
        raises(ValueError("wrong"))(x)
    with pytest.raises(RuntimeError):  # each has given the lock back
        lock.release()
    with pytest.raises(RuntimeError):
        holding(entry(step=lambda given: lock.release() or given), lock=lock)(x)


def test_a_call_holds_the_lock_while_it_is_made():
    lock, x, heard = native.Lock(), np.ones(3), []

    def look():
        lock.acquire()
        heard.append("taken")
        lock.release()

    def step(given):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(0.05)
        heard.append("made")
        threads.append(thread)
        return given

    threads = []
    holding(entry(step=step), lock=lock)(x)
    threads[0].join()
    assert heard == ["made", "taken"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: native.Caller([], print), lambda: native.Caller([1], print),
        lambda: native.Caller([Holder.entrance] * 3, print), lambda: native.Caller(1, print),
        lambda: native.Caller([Holder.entrance]), lambda: native.Caller(places=[], function=print),
        lambda: native.Entrance(threading.RLock(), Local(), Eagerly, (), seen, seen.__code__),
        lambda: native.Entrance(native.Lock(), Local(), Eagerly, (1,), seen, seen.__code__),
        lambda: native.Entrance(native.Lock(), Local(), Eagerly, [], seen, seen.__code__),
        lambda: native.Entrance(native.Lock(), Local(), Eagerly, (), print, seen.__code__),
        lambda: native.Entrance(native.Lock(), Local(), Eagerly, (), seen, None),
        lambda: native.Entrance(lock=native.Lock()),
    ],
)  # fmt: skip
def test_what_leads_nowhere_is_refused(make):
    with pytest.raises(TypeError):
        make()


def test_all_is_freed_with_what_it_holds():
    class Step:
        def __call__(self, x):
            return x

    step = Step()
    known = weakref.ref(step)
    compiled = holding(entry(step=step, rows=[("attr", step, "__class__", 0, Step, None)],
                             rest=step, finish=step, otherwise=step))  # fmt: skip
    step.circle = compiled
    del step, compiled
    gc.collect()
    assert known() is None
